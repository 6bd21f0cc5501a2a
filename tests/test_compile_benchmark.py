"""The benchmark of compiling: the corpus is sound and the same for the same seed, and all make as many rows of it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import compile as benchmark
import compile_peers
import corpus_generator
import rebuilding
import scale
from dateline.engines import LocalEngine
from dateline.pipeline import rebuild
from dateline.project import find_project
from measure import Taken

SEED, ARTICLES = 3, 30
CHECKED = ("duckdb-spans", "polars", "datasets-map", "datasets-once")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is built, with its tables beside it for the floor."""
    pytest.importorskip("polars", reason="a peer; comes with dateline[bench]")
    root = tmp_path_factory.mktemp("compile") / "project"
    corpus_generator.write_project(root, ARTICLES, SEED, in_one_file=20)
    done = rebuild(find_project(root), LocalEngine(1))
    assert done.manifest is not None and done.problems == [] and done.warnings == []
    compile_peers.prepare(root, root.parent / "arrow")
    return root


def records_of(root: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for path in sorted((root / "seeds").glob("*.jsonl")) for line in path.read_bytes().splitlines()]


def test_equal_seeds_give_equal_bytes_however_they_are_cut(project: Path, tmp_path: Path) -> None:
    texts = []
    for name, seed, size in (("same", SEED, 7), ("other", SEED + 1, 7)):
        corpus_generator.write_project(tmp_path / name, ARTICLES, seed, in_one_file=size)
        texts.append(b"".join(path.read_bytes() for path in sorted((tmp_path / name / "seeds").glob("*.jsonl"))))
    assert len(list((tmp_path / "same" / "seeds").glob("*.jsonl"))) == 5
    assert texts[0] == b"".join(path.read_bytes() for path in sorted((project / "seeds").glob("*.jsonl"))) != texts[1]


def test_the_corpus_is_as_varied_as_it_says() -> None:
    made = [corpus_generator.record(SEED, number) for number in range(300)]
    texts = [record["text"]["content"] for record in made]
    languages = Counter(record["language"] for record in made)
    assert languages.keys() == corpus_generator.LANGUAGES.keys() and min(languages.values()) > 20
    assert 10 < sum(any(ord(c) > 0xFFFF for c in text) for text in texts) < 60
    assert 10 < sum(any(unicodedata.combining(c) for c in text) for text in texts) < 60
    counts = Counter({layer: sum(len(record[layer]) for record in made) for layer in corpus_generator.LAYERS})
    assert min(counts.values()) > len(made) and 40 < counts.total() / len(made) < 50
    assert 8_000 < sum(len(orjson.dumps(record)) for record in made) / len(made) < 12_000


def test_copies_are_near_duplicates_of_what_they_copy(project: Path) -> None:
    rows = [row for path in (project / "dataset" / "articles").glob("*.parquet") for row in pq.read_table(path).to_pylist()]
    sizes, groups = Counter(row["group"] for row in rows), {row["article_id"]: row["group"] for row in rows}
    copies = [record["article_id"] for record in records_of(project) if record["group"].startswith("copy-")]
    assert copies and all(sizes[groups[copy]] > 1 for copy in copies)


def test_no_two_copies_are_equal_even_where_no_word_was_changed() -> None:
    made = {number: corpus_generator.record(SEED, number) for number in range(200)}
    copies = {number: record for number, record in made.items() if record["group"].startswith("copy-")}
    assert copies and all(record["text"]["content"].endswith(f", {number})") for number, record in copies.items())


def test_peers_are_told_all_that_the_corpus_has(project: Path) -> None:
    def unknown(value: Any, kind: pa.DataType) -> set[str]:
        if isinstance(value, list):
            return {name for item in value for name in unknown(item, kind.value_type)}
        if not isinstance(value, dict):
            return set()
        known = {field.name: field.type for field in kind}
        return (value.keys() - known.keys()) | {n for k, item in value.items() if k in known for n in unknown(item, known[k])}

    assert not {name for record in records_of(project) for name in unknown(record, pa.struct(list(compile_peers.RECORD)))}


@pytest.mark.parametrize("way", compile_peers.WAYS)
def test_everybody_makes_as_many_rows_as_dateline(project: Path, tmp_path: Path, way: str) -> None:
    rows = compile_peers.WAYS[way](project, tmp_path)
    assert rows == compile_peers.rows_in(project / "dataset")
    assert rows["mentions"] == sum(len(record["mentions"]) for record in records_of(project)) > 0
    files = [path for path in tmp_path.rglob("*.parquet") if path.name.startswith("mentions") or path.parent.name == "mentions"]
    assert sum(pq.read_metadata(path).num_rows for path in files) == rows["mentions"], "they are written, not only counted"


@pytest.mark.parametrize("column", ["spans", "number_span", "hedge_spans"])
@pytest.mark.parametrize("way", CHECKED)
def test_who_says_that_it_compares_words_does(project: Path, tmp_path: Path, way: str, column: str) -> None:
    record = next(r for r in records_of(project) for q in r["quantities"][:1] if q["hedge_spans"])
    named = record["quantities"][0][column]
    (named if column == "number_span" else named[0])["surface"] += "?"
    (tmp_path / "false" / "seeds").mkdir(parents=True)
    (tmp_path / "false" / "seeds" / "0.jsonl").write_bytes(orjson.dumps(record) + b"\n")
    (tmp_path / "out").mkdir()
    with pytest.raises((Exception, SystemExit), match="quantities"):
        compile_peers.WAYS[way](tmp_path / "false", tmp_path / "out")


def test_ratios_and_gates_are_told_as_they_are() -> None:
    def one(cpu: float) -> list[Taken]:
        return [Taken(cpu, cpu, 50_000_000, 0, "", "")]

    runs = {"dateline": one(3.9), "floor": one(2.0), "duckdb-spans": one(2.5)}
    said = benchmark.table(runs)
    assert said[0].count("|") == said[1].count("|") == said[2].count("|")
    assert said[2].startswith("| `dateline rebuild` | 3.9 | 1.95 | 1.56 | 3.9 | 50 |")
    assert list(benchmark.gates(runs)) == [
        "- met: at most 2 times the floor's CPU seconds: 1.95",
        "- **not met**: at most 1.3 times DuckDB's with span checks: 1.56",
    ]
    said = list(benchmark.gates({**runs, "libraries": one(3.0)}))
    assert said[0] == "- met: at most 2 times the floor's CPU seconds: 1.95; the libraries alone take 1.50"


def test_another_number_of_rows_is_named() -> None:
    rows = {"dateline": {"mentions": 10, "times": 2}, "polars": {"mentions": 9, "times": 2}}
    unlike = benchmark.disagreements(rows)
    assert unlike == ["mentions: 10 rows of dateline, 9 of polars"]
    assert next(iter(benchmark.agreement(rows, unlike))) == "- **they disagree** in 1 tables:"


def test_a_contender_that_cannot_run_is_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "HERE", tmp_path)
    assert benchmark.main(["--articles", "2", "--work", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: the corpus ended with 2: ")


@pytest.mark.slow
def test_rebuilds_after_edits_are_measured_and_come_to_the_same_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "RESULTS", tmp_path / "RESULTS.md")
    assert rebuilding.main(["--articles", "40", "--work", str(tmp_path), "--write"]) == 0
    written = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert "## Rebuilding 40 articles after edits\n" in written and "are those of a rebuild from nothing" in written
    assert all(f"| {name} |" in written for name in ("nothing changed", "one article edited", "1 % added"))


@pytest.mark.slow
def test_the_command_runs_all_and_writes_what_came_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "RESULTS", tmp_path / "RESULTS.md")
    assert benchmark.main(["--articles", "20", "--work", str(tmp_path), "--write"]) == 0
    written = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert "## Compiling 20 articles\n" in written and "- all make " in written and str(tmp_path) not in written
    assert all(contender.says in written for contender in benchmark.CONTENDERS.values())
    assert [path.name for path in tmp_path.iterdir()] == ["RESULTS.md"]


def test_figures_of_all_sizes_stand_side_by_side_and_are_drawn() -> None:
    figures = {
        size: {
            "rebuild": {"cpu": 1.0 * int(size), "wall": 2.0, "peak": 3.0 * 2**20},
            "verify": {"cpu": 4, "wall": 5, "peak": 6e6},
        }
        for size in ("100", "20")
    }
    del figures["20"]["verify"]
    lines = [line for line in scale.body(figures) if line.startswith("|")]
    assert lines[0] == "| | 20 articles | 100 articles |"
    assert lines[2] == "| `rebuild`, from nothing | 20.0 s CPU, 2.0 s, 3 MB | 100.0 s CPU, 2.0 s, 3 MB |"
    assert lines[4].startswith("| `verify` | - | 4.0 s CPU")
    drawn = scale.drawn(figures)
    assert drawn.startswith("<svg") and "verify" in drawn
