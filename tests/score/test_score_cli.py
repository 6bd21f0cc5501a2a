"""`dateline score` as a user types it: the table, the JSON, warnings, and one line for each thing that is wrong (exit 2)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from building import REPOSITORY
from dateline.cli import main
from dateline.manifest import read_manifest
from dateline.score.predictions import PredictionsError, read_predictions
from dateline.score.scoring import TASKS
from score.golds import (
    PASSAGE,
    Json,
    attribution_row,
    build,
    entities_row,
    event_row,
    figure_row,
    pair_row,
    perfect,
    span,
    written,
)  # fmt: skip
from score.scored import gold

GOLDEN = Path(__file__).parent / "golden"
STORIES = ["sa", "sb", "sc", "sd", "se", "sf"]
FIGURES = [
    figure_row(f"{story}-1", number, start, end, estimand_id=estimand, contrast_set_id=f"{story}-set" if number < 3 else None)
    for story in STORIES
    for number, (start, end, estimand) in enumerate([(14, 25, "left"), (29, 38, "aboard"), (86, 88, "left")], start=1)
]
PAIRS = [
    pair_row(f"{story}-1#c1:q1", f"{story}-1#c3:q3", relation)
    for story, relation in zip(STORIES, ["CONFLICT", "AGREE", "CONFLICT", "UPDATE", "AGREE", "CONFLICT"], strict=True)
]
EVENTS = [event_row("sa-1", 1, "CT+", True), event_row("sa-1", 2, "Uu", False)]
ENTITIES = [entities_row("sa-1", number, (0, 8, "PER", "m1")) for number in range(1, 6)]
QUOTES = [attribution_row("sa-1", 1, [(0, 8)], [(9, 13)], [(14, 60)], "INDIRECT")]
GOLD: dict[str, list[Json]] = {
    "figures": FIGURES, "conflicts": PAIRS, "event_factuality": EVENTS, "ner": ENTITIES, "quote_attribution": QUOTES,
}  # fmt: skip

Told = tuple[int, str, str]
Typed = Callable[..., Told]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset whose test split has all five configs; its training split has entities alone."""
    tables: dict[str, dict[str, list[Json]]] = {config: {"test": rows} for config, rows in GOLD.items()}
    tables["ner"] = {"train": ENTITIES[:1], "test": ENTITIES}
    return build(tmp_path_factory.mktemp("scored") / "dataset", **tables)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Typed:
    """Run the command in this process, in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["dateline", "score", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def imperfect() -> list[Json]:
    """Predictions of a system that misses, invents, and errs in one slot now and then."""
    lines = perfect("figures", FIGURES)
    lines[0]["figures"][0]["certainty"] = "PR"
    lines[1]["figures"][1] |= {"start": 32, "value": 21}
    lines[2]["figures"] = lines[2]["figures"][:1]
    lines[3]["figures"].append(span(40, 46))
    lines[4]["figures"][2]["estimand"] = "spoke"
    return lines[:5]


# ---- what is printed -----------------------------------------------------------------------------------------


def test_the_table_is_as_it_was(typed: Typed, dataset: Path) -> None:
    written(Path("f.jsonl"), imperfect())
    code, out, err = typed("f.jsonl", "--config", "figures", "--dataset", dataset)
    assert code == 0
    assert err == "warning: f.jsonl: the passage of sf-1 at 100 is not predicted: no figure predicted there\n"
    assert out == (GOLDEN / "figures.txt").read_text(encoding="utf-8")


def test_conflicts_on_gold_and_on_predicted_figures_are_as_they_were(typed: Typed, dataset: Path) -> None:
    written(Path("f.jsonl"), imperfect())
    written(Path("c.jsonl"), [*perfect("conflicts", PAIRS[:5]), {"id": PAIRS[5]["id"], "judged_relation": "AGREE"}])
    code, out, _ = typed("c.jsonl", "--config", "conflicts", "--figures", "f.jsonl", "--dataset", dataset)
    assert code == 0
    assert out == (GOLDEN / "conflicts.txt").read_text(encoding="utf-8")


def test_json_has_the_numbers_of_the_table_and_is_the_same_each_time(typed: Typed, dataset: Path) -> None:
    written(Path("f.jsonl"), imperfect())
    words = ("f.jsonl", "--config", "figures", "--dataset", dataset, "--json")
    first = typed(*words)
    written(Path("f.jsonl"), reversed(imperfect()))
    assert typed(*words) == first
    told = json.loads(first[1])
    table = (GOLDEN / "figures.txt").read_text(encoding="utf-8")
    for measure in told["measures"]:
        (line,) = [line for line in table.splitlines() if line.startswith(measure["name"] + "  ")]
        assert f" {measure['value']:.3f} " in line
        if measure["interval"]:
            assert "{:.3f} to {:.3f}".format(*measure["interval"]) in line
    assert (told["config"], told["split"], told["rows"], told["stories"]) == ("figures", "test", 18, 6)
    assert told["dataset"] == {"name": "tiny", "version": "1.2.3", "content_digest": "0" * 64}
    assert told["bootstrap"] == {"level": 0.95, "resamples": 1000, "seed": 1998, "fewest_stories": 5}
    assert len(told["warnings"]) == 1


def test_few_stories_and_few_items_are_told(typed: Typed, dataset: Path) -> None:
    written(Path("n.jsonl"), perfect("ner", ENTITIES))
    _, out, _ = typed("n.jsonl", "--config", "ner", "--dataset", dataset)
    assert "span + type F1, exact    1.000  no interval: 1 story      1.000   1.000      5        1  fewer than 20 items\n" in out


def test_a_contrast_set_counts_only_if_all_of_it_is_right(typed: Typed, dataset: Path) -> None:
    written(Path("f.jsonl"), imperfect())
    told = json.loads(typed("f.jsonl", "--config", "figures", "--dataset", dataset, "--json")[1])
    (sets,) = [measure for measure in told["measures"] if measure["name"] == "contrast set accuracy"]
    # of six sets of two: one figure wrong in the first and second, one missing in the third, both in the last
    assert (sets["value"], sets["items"]) == (pytest.approx(2 / 6), 6)
    written(Path("c.jsonl"), perfect("conflicts", PAIRS))
    without = typed("c.jsonl", "--config", "conflicts", "--dataset", dataset)[1]
    assert "contrast" not in without


def test_without_words_the_projects_dataset_is_scored_else_the_one_that_came_along(typed: Typed, dataset: Path) -> None:
    written(Path("e.jsonl"), [])
    own = read_manifest(REPOSITORY / "dataset")
    code, out, _ = typed("e.jsonl", "--config", "event_factuality", "--json")
    assert (code, json.loads(out)["dataset"]["name"]) == (0, own.name)
    Path("pyproject.toml").write_text('[tool.dateline]\nname = "tiny"\n')
    Path("dataset").symlink_to(dataset, target_is_directory=True)
    assert json.loads(typed("e.jsonl", "--config", "event_factuality", "--json")[1])["dataset"]["name"] == "tiny"


@pytest.mark.parametrize("config", ["figures", "conflicts", "quote_attribution", "event_factuality", "ner"])
def test_all_right_on_this_corpus_is_1(typed: Typed, config: str) -> None:
    import pyarrow.parquet as pq

    files = read_manifest(REPOSITORY / "dataset").tables[config].files
    rows = [row for f in files if f["split"] == "test" for row in pq.read_table(REPOSITORY / "dataset" / f["path"]).to_pylist()]
    written(Path("p.jsonl"), perfect(config, rows))
    code, out, err = typed("p.jsonl", "--config", config, "--json")
    assert (code, err) == (0, "")
    assert {measure["value"] for measure in json.loads(out)["measures"]} == {1.0}


# ---- what is wrong -------------------------------------------------------------------------------------------

EVENT = {"id": "sa-1#f1", "label": "CT+"}
FIGURE = {"article_id": "sa-1", "doc_start": 100, "figures": [span(14, 25)]}
QUOTE = perfect("quote_attribution", QUOTES)[0]
LONG = len(PASSAGE)


def with_figure(**fields: Any) -> Json:
    return FIGURE | {"figures": [span(14, 25) | fields]}


@pytest.mark.parametrize(
    ("config", "lines", "faults"),
    [
        ("event_factuality", [EVENT, "{"], ["p.jsonl:2: is not valid JSON: Expecting property name enclosed in double quotes"]),
        ("event_factuality", [EVENT, '{"id": "x", "id": "y"}'], ['p.jsonl:2: is not read: an object has the key "id" twice']),
        ("event_factuality", [[EVENT]], ["p.jsonl:1: is a list, which is no object; write one object per line"]),
        ("event_factuality", [{"label": "CT+"}], ["p.jsonl:1: has no field id"]),
        ("event_factuality", [{"id": 7, "label": "CT+"}], ["p.jsonl:1: id is 7, which is no string"]),
        ("event_factuality", [{"id": "sa-1#f1"}], ["p.jsonl:1: has no field label"]),
        (
            "event_factuality",
            [EVENT | {"label": "CT"}],
            ['p.jsonl:1: label is "CT"; there are CT+, PR+, PS+, Uu, CTu, PS-, PR-, CT-'],
        ),
        ("event_factuality", [EVENT | {"label": 3}], ["p.jsonl:1: label is 3; there are CT+, PR+, PS+"]),
        ("event_factuality", [EVENT, "", EVENT], ["p.jsonl:3: sa-1#f1 was predicted on line 1 already"]),
        ("event_factuality", [EVENT | {"id": "x"}], ["p.jsonl:1: x is not in event_factuality, split test"]),
        (
            "event_factuality",
            [EVENT, *(EVENT | {"id": f"x{n}"} for n in range(5))],
            ["p.jsonl:2: 5 ids (x0, x1, x2, ...) are not in event_factuality, split test"],
        ),
        (
            "event_factuality",
            [EVENT | {"label": "no"}, EVENT, "nothing"],
            ['p.jsonl:1: label is "no"', "p.jsonl:2: sa-1#f1 was predicted", "p.jsonl:3: is not valid JSON"],
        ),
        (
            "conflicts",
            [{"id": PAIRS[0]["id"], "judged_relation": "DISAGREE"}],
            ['judged_relation is "DISAGREE"; there are AGREE'],
        ),
        (
            "ner",
            [{"id": "sa-1#s1", "entities": [span(80, 95) | {"label": "PER"}]}],
            [f"p.jsonl:1: entities[0] runs from 80 to 95, but the passage has {LONG} characters"],
        ),
        (
            "ner",
            [{"id": "sa-1#s1", "entities": [span(5, 5) | {"label": "PER"}]}],
            ["entities[0] runs from 5 to 5, but a span must have at least one character"],
        ),
        (
            "ner",
            [{"id": "sa-1#s1", "entities": [span(0, 8) | {"label": "PERSON"}]}],
            ['entities[0] label is "PERSON"; there are'],
        ),
        ("ner", [{"id": "sa-1#s1", "entities": [span(0, 8)]}], ["entities[0] has no field label"]),
        ("ner", [{"id": "sa-1#s1", "entities": [span(0, 8) | {"label": None}]}], ["entities[0] its label is null"]),
        ("ner", [{"id": "sa-1#s1", "entities": {}}], ["entities is an object, which is no list"]),
        ("ner", [{"id": "sa-1#s1", "entities": [3]}], ["entities[0] is 3, which is no object"]),
        ("quote_attribution", [QUOTE | {"cue_spans": [span(0, 400)]}], ["p.jsonl:1: cue_spans[0] runs from 0 to 400, but the"]),
        (
            "quote_attribution",
            [QUOTE | {"cue_spans": [{"start": "a", "end": 4}]}],
            ['cue_spans[0] start is "a", which is no'],
        ),
        ("quote_attribution", [QUOTE | {"quote_type": "FREE"}], ['quote_type is "FREE"; there are DIRECT, INDIRECT, MIXED']),
        ("figures", [FIGURE | {"doc_start": 5}], ["p.jsonl:1: the passage of sa-1 at 5 is not in figures, split test"]),
        ("figures", [FIGURE, FIGURE], ["p.jsonl:2: the passage of sa-1 at 100 was predicted on line 1 already"]),
        ("figures", [FIGURE | {"doc_start": None}], ["p.jsonl:1: doc_start is missing, which is no whole number"]),
        (
            "figures",
            [with_figure(end=LONG + 1)],
            [f"figures[0] runs from 14 to {LONG + 1}, but the passage has {LONG} "],
        ),
        ("figures", [with_figure(comparator=">=")], ['figures[0] comparator is ">="; there are EXACT, BARE']),
        ("figures", [with_figure(polarty="POS")], ['figures[0] has a field "polarty"; there are start, end, value, low']),
        ("figures", [with_figure(value="19")], ['figures[0] value is "19", which is no number']),
        ("figures", [with_figure(value=10**400)], ["figures[0] value is 1000"]),
        ("figures", [with_figure(sources="Ana")], ['figures[0] sources is "Ana", which is no list of strings']),
        ("figures", [with_figure(chain=["Ana"])], ["figures[0] chain must be a list of lists of names"]),
        ("figures", [with_figure(estimand=1.5)], ["figures[0] its estimand is 1.5, which is no string"]),
    ],
)
def test_what_is_wrong_in_predictions_is_told_with_its_line(
    typed: Typed, dataset: Path, config: str, lines: list[Any], faults: list[str]
) -> None:
    written(Path("p.jsonl"), lines)
    code, out, err = typed("p.jsonl", "--config", config, "--dataset", dataset)
    assert (code, out) == (2, "")
    told = err.splitlines()
    assert len(told) == len(faults)
    for line, fault in zip(told, faults, strict=True):
        assert line.startswith("error: p.jsonl:") and fault in line


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ("event_factuality", EVENT),
        ("event_factuality", EVENT | {"label": None}),
        ("event_factuality", EVENT | {"confidence": 0.3}),
        ("ner", {"id": "sa-1#s1", "entities": [span(80, LONG) | {"label": "PER"}]}),
        ("ner", {"id": "sa-1#s1", "entities": []}),
        ("quote_attribution", QUOTE | {"cue_spans": [], "quote_type": None}),
        ("figures", FIGURE | {"figures": []}),
        ("figures", with_figure(end=LONG, value=19, chain=[], estimand=7, comparator="GE", sources=[], principals=None)),
    ],
)
def test_the_good_twins_are_scored(typed: Typed, dataset: Path, config: str, line: Json) -> None:
    written(Path("p.jsonl"), [line])
    code, out, err = typed("p.jsonl", "--config", config, "--dataset", dataset)
    assert code == 0 and out.startswith(f"{config}, split test of tiny 1.2.3: ")
    assert "error" not in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["p.jsonl", "--config", "nerd"],
            "--config is 'nerd'; there are figures, conflicts, quote_attribution, ",
        ),
        (["p.jsonl", "--config", "ner", "--split", "dev"], "dataset: has no split dev; it has test, train"),
        (
            ["p.jsonl", "--config", "figures", "--split", "train"],
            "config figures has no rows in split train to score against; there are 18 in test",
        ),
        (["gone.jsonl", "--config", "ner"], "gone.jsonl: no such file"),
        ([".", "--config", "ner"], ".: is a folder, no file of predictions"),
        (["p.jsonl", "--config", "ner", "--figures", "p.jsonl"], "--figures is for --config conflicts"),
    ],
)
def test_what_cannot_run_says_so_in_one_line(typed: Typed, dataset: Path, words: list[str], says: str) -> None:
    written(Path("p.jsonl"), [])
    code, out, err = typed(*words, "--dataset", dataset)
    assert (code, out) == (2, "")
    assert says in err and len(err.splitlines()) == 1


def test_gold_that_cannot_be_scored_is_told_in_one_line(typed: Typed, tmp_path: Path) -> None:
    written(Path("p.jsonl"), [])
    assert "nowhere/manifest.json: no such file" in typed("p.jsonl", "--config", "ner", "--dataset", "nowhere")[2]
    made = build(tmp_path / "made", ner={"test": ENTITIES})
    (made / "ner" / "test.parquet").write_bytes(b"PAR1 cut short")
    code, _, err = typed("p.jsonl", "--config", "ner", "--dataset", made)
    assert code == 2 and "test.parquet: cannot be read" in err and len(err.splitlines()) == 1
    manifest = json.loads((made / "manifest.json").read_bytes())
    manifest["tables"]["ner"]["features"] = [{"name": "id", "dtype": "string"}]
    (made / "manifest.json").write_text(json.dumps(manifest))
    assert "config ner has no column story, which scoring needs; it has id" in typed(
        "p.jsonl", "--config", "ner", "--dataset", made
    )[2]  # fmt: skip


def test_a_line_that_is_not_utf_8_is_told_and_many_faults_are_counted(typed: Typed, dataset: Path) -> None:
    Path("p.jsonl").write_bytes(b'{"id": "\xe9"}\n' + b"{\n" * 30)
    code, _, err = typed("p.jsonl", "--config", "ner", "--dataset", dataset)
    assert code == 2
    assert err.splitlines()[0].startswith("error: p.jsonl:1: is not UTF-8: ")
    assert len(err.splitlines()) == 21 and err.endswith("... and 11 more\n")


def test_what_is_missing_is_counted_as_wrong_with_a_warning(typed: Typed, dataset: Path) -> None:
    written(Path("n.jsonl"), perfect("ner", ENTITIES[:1]))
    code, out, err = typed("n.jsonl", "--config", "ner", "--dataset", dataset, "--json")
    assert code == 0
    assert err == "warning: n.jsonl: 4 ids (sa-1#s2, sa-1#s3, sa-1#s4, ...) are not predicted: counted as wrong\n"
    assert json.loads(out)["measures"][0]["recall"] == 0.2


GOOD: dict[str, Json] = {
    "figures": perfect("figures", FIGURES)[0], "conflicts": perfect("conflicts", PAIRS)[0], "quote_attribution": QUOTE,
    "event_factuality": EVENT, "ner": perfect("ner", ENTITIES)[0],
}  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["start", "end", "label"]), inner, max_size=2),
    max_leaves=4,
)


def replaced(value: Any, at: int, new: Any) -> tuple[Any, int]:
    """The value with the part put in place of which the count comes to nothing; and what is left of the count."""
    if at == 0:
        return new, -1
    at -= 1
    if isinstance(value, dict | list):
        parts: Any = value if isinstance(value, dict) else dict(enumerate(value))
        made = {}
        for key, one in parts.items():
            made[key], at = replaced(one, at, new) if at >= 0 else (one, at)
        value = made if isinstance(value, dict) else list(made.values())
    return value, at


@pytest.mark.parametrize("config", GOLD)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(1, 25), new=ANYTHING)
def test_whatever_stands_in_a_prediction_is_scored_or_told(config: str, at: int, new: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "p.jsonl", [replaced(GOOD[config], at, new)[0]])
    task = TASKS[config](gold(config, GOLD[config]))
    try:
        found = read_predictions(path, task.asked(), "the rows", task.key, task.read)
    except PredictionsError as wrong:
        assert wrong.faults and all(fault.isprintable() for fault in wrong.faults)
    else:
        assert all(0 <= (measure.whole().value or 0) <= 1 for measure in task.score(found).measures)


def test_without_scipy_it_says_what_to_install(dataset: Path, tmp_path: Path) -> None:
    words = ["dateline", "score", str(written(tmp_path / "p.jsonl", [])), "--config", "ner", "--dataset", str(dataset)]
    script = f"import sys; sys.modules['scipy'] = None; sys.argv = {words!r}; from dateline.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: scoring needs the package scipy: pip install 'dateline[score]'\n"
