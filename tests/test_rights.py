"""Rights end to end: what may not be passed on stands in no file, statistic or message; one's own copy of it can be put back."""

from __future__ import annotations

import copy
import gzip
import hashlib
import json
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import MENTIONS, REPOSITORY, Json, ProjectFolder, mention, record, shared
from conftest import Run
from dateline.compile import withheld as scanning
from dateline.compile.check import check_record
from dateline.compile.digests import table_digests
from dateline.compile.read import RawRecord, Refused, parse
from dateline.compile.seeds import read_tables
from dateline.errors import InputError, LoadError, Place, Problem, ProjectError, UsageError
from dateline.hydrating import Hydrated, hydrate_dataset, hydrate_seeds
from dateline.leaks import Grams, hashes_of, shown
from dateline.loading import load
from dateline.manifest import read_manifest, whole_digest
from dateline.project import find_project
from dateline.schema import load_schemas
from small_corpus import lay_out_small

SECRET = "Quillon Farrowby spoke of ninety heavy lorries at dawn, while Odile Brankmoor counted the empty barges below."
NINE = "ninety heavy lorries at dawn while Odile Brankmoor counted"
WITHHELD: Json = {"rights": {"rights_holder": "Wire"}}
REFERENCE = "ap-20241031-648d3119dda7"


def standoff(made: Json) -> Json:
    """The record without its text."""
    text = made["text"]["content"]
    raw = text.encode()
    said = {"content": None, "sha256": hashlib.sha256(raw).hexdigest(), "n_code_points": len(text), "n_bytes": len(raw)}
    return made | {"text": said}


def secret(**fields: Any) -> Json:
    spans = [mention("m1", 0, 16, head={"start": 8, "end": 16}), mention("m2", 62, 77, remark="Farrowby has ninety lorries")]
    return record("w1", SECRET) | {"mentions": spans} | WITHHELD | fields


@pytest.fixture
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the one withheld text."""
    folder = tmp_path_factory.mktemp("texts")
    (folder / "w1.txt").write_bytes(SECRET.encode())
    return folder


# ---- default deny --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rights", [..., {}, {"rights_holder": "Wire"}, {"text_redistributable": False}])
def test_who_says_nothing_of_rights_withholds(folder: ProjectFolder, rights: Any) -> None:
    made = secret(rights=rights)
    if rights is ...:
        del made["rights"]
    folder.seed(made)
    assert folder.rebuild().problems == []
    (row,) = pq.read_table(folder.root / "dataset" / "articles").to_pylist()
    assert row["text"] is None and row["text_redistributable"] is False


@pytest.mark.parametrize("rights", [None, "yes", [], *[{"text_redistributable": value} for value in ("true", None, 1)]])
def test_rights_of_the_wrong_type_are_refused_and_quote_nothing(folder: ProjectFolder, rights: Any) -> None:
    broken = mention("m3", 0, 3, remark=[SECRET], label=NINE)
    folder.seed(secret(rights=rights, mentions=[broken]))
    found = folder.rebuild()
    assert found.manifest is None and "wrong-type" in {p.rule for p in found.problems}
    assert not repeats(found.problems, SECRET)


def test_withheld_columns_are_null_in_every_file_statistic_and_message(folder: ProjectFolder, dateline: Run) -> None:
    folder.seed(secret(), record("a1"))
    printed = [dateline(*words, cwd=folder.root) for words in (
        ["rebuild"], ["rebuild", "--json"], ["stats", "--labels"], ["stats", "--json"], ["check"], ["doctor"],
    )]  # fmt: skip
    said = "".join(done.stdout + done.stderr for done in printed)
    assert [done.returncode for done in printed] == [0] * 6
    for path in (folder.root / "dataset").rglob("*"):
        if path.suffix == ".parquet":
            rows = [r for r in pq.read_table(path).to_pylist() if r["article_id"] == "w1"]
            said += json.dumps(rows, default=str)
            for row in rows:
                assert row.get("text") is None and row.get("remark") is None
        elif path.is_file():
            said += path.read_text(encoding="utf-8")
    for word in ("Quillon", "Farrowby", "lorries", "Brankmoor"):
        assert word not in said


# ---- the leak scan -------------------------------------------------------------------------------------------


ENTITIES: Json = {
    "title": "Entities",
    "description": "Who and what.",
    "type": "object",
    "properties": {
        "entity_id": {"type": "string", "description": "Local id.", "x-key": True},
        "canonical_name": {"type": ["string", "null"], "description": "Name."},
        "aliases": {"type": "array", "items": {"type": "string"}, "description": "Other names."},
        "traits": {
            "type": "array",
            "description": "Traits.",
            "items": {"type": "object", "properties": {"says": {"type": "string"}}, "additionalProperties": False},
        },
    },
    "required": ["entity_id"],
    "additionalProperties": False,
}
KINDS: Json = {
    "title": "Kinds",
    "description": "Open vocabulary.",
    "x-table": "corpus",
    "properties": {
        "kind": {"type": "string", "description": "Name.", "x-key": True},
        "gloss": {"type": "string", "description": "Meaning."},
    },
    "required": ["kind"],
    "additionalProperties": False,
}


def leaky(folder: ProjectFolder, *entities: Json, gloss: str = "plain", lines: tuple[str, ...] = (), **fields: Any) -> None:
    folder.schema("entities", ENTITIES)
    folder.schema("kinds", KINDS)
    folder.settings(*lines)
    folder.seed({"kind": "k1", "gloss": gloss}, name="tables/kinds.jsonl")
    folder.seed(record("a1"), secret(entities=list(entities), **fields))


def test_a_withheld_text_that_leaks_nowhere_passes_and_is_counted(folder: ProjectFolder) -> None:
    leaky(folder, {"entity_id": "e1", "canonical_name": "Quillon Farrowby"})
    found = folder.rebuild()
    assert found.problems == []
    scan = found.leaks.as_json()
    assert scan == {"withheld": 1, "scanned": 1, "not_at_hand": 0, "too_short": 0, "quoting": 0, "warnings": []}


@pytest.mark.parametrize(
    ("entity", "where"),
    [
        ({"entity_id": "e1", "canonical_name": f"x {NINE}, y"}, "table entities, row w1/e1, column canonical_name"),
        ({"entity_id": "e1", "canonical_name": NINE.upper()}, "table entities, row w1/e1, column canonical_name"),
        ({"entity_id": "e1", "aliases": ["none", NINE]}, "table entities, row w1/e1, column aliases"),
        ({"entity_id": "e1", "aliases": NINE.split()}, "table entities, row w1/e1, column aliases"),
        ({"entity_id": "e1", "traits": [{"says": NINE}]}, "table entities, row w1/e1, column traits.says"),
        ({"entity_id": NINE}, "table entities, row w1/(58 characters, not shown), column entity_id"),
    ],
)
def test_a_leak_is_named_but_not_quoted_and_nothing_changes(folder: ProjectFolder, entity: Json, where: str) -> None:
    leaky(folder)
    folder.rebuild()
    before = folder.tree()
    leaky(folder, entity)
    found = folder.rebuild()
    assert found.manifest is None and {p.rule for p in found.problems} == {"leak"}
    assert f"{where} repeats 9 words of the withheld text of w1" in [p.says for p in found.problems]
    assert {(p.place.file, p.place.line) for p in found.problems} == {("seeds/a.jsonl", 2)}
    assert not repeats(found.problems, SECRET)
    assert folder.tree() == before


def test_a_text_kept_token_by_token_is_a_leak_too(folder: ProjectFolder) -> None:
    leaky(folder, *[{"entity_id": f"e{n}", "canonical_name": word} for n, word in enumerate(re.findall(r"\w+", SECRET))])
    says = [p.says for p in folder.rebuild().problems]
    assert says == ["table standoff, row w1, column entities.canonical_name repeats 17 words of the withheld text of w1"]


@pytest.mark.parametrize(
    ("how", "where"),
    [
        ({"gloss": NINE}, "table kinds, row k1, column gloss"),
        ({"lines": (f'summary = "About {NINE}."',)}, "the card, line"),
        ({"lines": (f'homepage = "https://example.org/{NINE.replace(" ", "-")}"',)}, "the card, line"),
        ({"group": NINE}, "table articles, row w1, column group"),
        ({"rights": {"rights_note": NINE}}, "table standoff, row w1, column rights_note"),
    ],
)
def test_a_leak_by_way_of_tables_settings_and_article_fields(folder: ProjectFolder, how: Json, where: str) -> None:
    leaky(folder, **how)
    found = folder.rebuild()
    assert found.manifest is None
    assert any(p.says.startswith(where) for p in found.problems), found.problems
    assert not repeats(found.problems, SECRET)


def test_a_label_of_a_schema_that_repeats_the_text_is_found_in_the_manifest(folder: ProjectFolder) -> None:
    schema = json.loads(json.dumps(MENTIONS))
    schema["properties"]["label"]["enum"].append(NINE)
    folder.schema("mentions", schema)
    folder.seed(secret())
    found = folder.rebuild()
    assert any(p.says.startswith("the manifest repeats 9 words") for p in found.problems)
    assert any(p.says.startswith("the head of the card repeats") for p in found.problems)


def test_scripts_without_spaces_are_compared_by_characters(folder: ProjectFolder) -> None:
    text = "昨夜の大雨で川の水位が急に上がり、町の住民およそ三千人が高台へ避難したと市長が述べた。"
    leak = "水位が急に上がり町の住民およそ三千人"
    leaky(folder, {"entity_id": "e1", "canonical_name": leak}, text={"content": text}, mentions=[])
    (first, *_) = folder.rebuild().problems
    assert first.says == ("table entities, row w1/e1, column canonical_name repeats 18 characters of the withheld text of w1")
    leaky(folder, {"entity_id": "e1", "canonical_name": leak[:15]}, text={"content": text}, mentions=[])
    assert folder.rebuild().problems == []


def test_a_text_in_the_folder_is_scanned_for_and_one_not_at_hand_is_counted(
    folder: ProjectFolder, texts: Path, dateline: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaky(folder, {"entity_id": "e1", "canonical_name": NINE})
    made = [standoff(r) if r["article_id"] == "w1" else r for r in map(json.loads, (folder.root / "seeds/a.jsonl").open())]
    folder.seed(*made)
    assert folder.rebuild().leaks.not_at_hand == 1
    done = dateline("rebuild", cwd=folder.root)
    assert (done.returncode, done.stderr) == (0, "1 withheld text not at hand, not scanned\n")
    assert json.loads(dateline("rebuild", "--json", cwd=folder.root).stdout)["leak_scan"]["not_at_hand"] == 1
    assert dateline("rebuild", cwd=folder.root, DATELINE_TEXTS=str(texts)).returncode == 1
    folder.settings(f'texts = "{texts}"')
    assert {p.rule for p in folder.rebuild().problems} == {"leak"}
    (texts / "w1.txt").write_bytes(SECRET.encode() + b"\n")
    again = folder.rebuild()
    assert again.problems == [] and again.leaks.not_at_hand == 1
    (warning,) = again.leaks.warnings
    assert warning.rule == "text-unfit" and warning.level == "warning" and "w1.txt" in warning.place.file
    assert hashlib.sha256(SECRET.encode()).hexdigest()[:12] in warning.says
    monkeypatch.setenv("DATELINE_TEXTS", str(texts / "nowhere"))
    with pytest.raises(ProjectError, match="which is no folder"):
        folder.rebuild()


def test_a_long_string_beside_a_withheld_text_is_refused_with_or_without_the_text(folder: ProjectFolder) -> None:
    long = {"entity_id": "e1", "canonical_name": "y" * 401}
    for made in (secret(entities=[long]), standoff(secret(entities=[long]))):
        leaky(folder)
        folder.seed(made)
        found = folder.rebuild().problems
        assert {p.rule for p in found} == {"leak-long-string"}
        assert "table entities, row w1/e1, column canonical_name holds 401 characters, but" in found[0].says
    folder.settings("longest_string = 500")
    assert folder.rebuild().problems == []
    folder.settings()
    folder.seed(record("a1", entities=[long]))
    assert folder.rebuild().problems == []


def test_an_open_article_may_quote_but_not_copy(folder: ProjectFolder) -> None:
    folder.seed(secret(), record("a1", f"They said: {NINE}.", mentions=[mention("m1", 11, 69)]))
    found = folder.rebuild()
    assert found.problems == [] and found.leaks.quoting == 1
    text = " ".join(f"word{n}" for n in range(40))
    folder.seed(record("w2", text, **WITHHELD), record("a1", text[:-20]))
    assert any(p.says.startswith("table articles, row a1, column text repeats") for p in folder.rebuild().problems)


def test_many_texts_are_looked_for_in_rounds(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "ROUND_GRAMS", 20)
    made = [record(f"w{n}", " ".join(f"t{n}x{k}" for k in range(12)), **WITHHELD) for n in range(30)]
    made[3]["group"] = " ".join(f"t27x{k}" for k in range(9))
    folder.seed(*made)
    found = folder.rebuild(2)
    assert found.leaks.scanned == 30
    assert {p.says for p in found.problems} == {
        f"table {table}, row w3, column group repeats 9 words of the withheld text of w27" for table in ("articles", "standoff")
    }


def test_workers_find_the_same(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    leaky(folder, {"entity_id": "e1", "canonical_name": NINE})
    here = folder.rebuild(1).problems
    monkeypatch.setattr(scanning, "SMALL", 0)
    assert folder.rebuild(2).problems == here


WORDS_OF = st.lists(st.sampled_from(["ab", "cd", "Ef", "gh", "ij", "kl", "mn", "op", "qr", "st"]), max_size=30)


@given(WORDS_OF, WORDS_OF)
def test_two_strings_share_words_exactly_if_they_share_eight_in_a_row(one: list[str], two: list[str]) -> None:
    grams = {tuple(w.lower() for w in one[i : i + 8]) for i in range(len(one) - 7)}
    expected = any(tuple(w.lower() for w in two[i : i + 8]) in grams for i in range(len(two) - 7))
    found = list(Grams.join([hashes_of(" ".join(one))]).find(["", "; ".join(two), "ab"]))
    assert bool(found) == expected
    assert all(m.string == 1 and 8 <= m.length <= len(two) for m in found)


def test_names_are_shown_and_words_are_not() -> None:
    for name in ("m1", "ap-20241031-648d3119dda7", "de305d54-75b4-431b-adb2-eb6b9e546014", "https:x", "a.b_c"):
        assert shown(name, quote=False) == name
    for words in ("ninety heavy lorries at", "ninety-heavy-lorries-at", "ninety.heavy_lorries_at", "x" * 200, "two words"):
        assert words not in shown(words, quote=False)
        assert shown(words) == words


# ---- hydrate -------------------------------------------------------------------------------------------------


def hydrated(folder: ProjectFolder, path: Path, texts: Path, out: Path, **options: Any) -> Hydrated:
    if (path / "manifest.json").exists():
        return hydrate_dataset(folder.project, path, texts, out, **options)
    return hydrate_seeds(folder.project, path, texts, out, **options)


def test_seeds_are_hydrated_elsewhere_and_give_the_same_dataset(folder: ProjectFolder, texts: Path) -> None:
    folder.seed(standoff(secret()), record("a1"))
    folder.rebuild()
    before = folder.tree()
    out = folder.root / "out"
    result = hydrated(folder, folder.root / "seeds", texts, out)
    assert (result.problems, result.withheld, result.restored, result.spans) == ([], 1, 1, 3)
    assert result.written == ["a.jsonl"]
    w1, a1 = map(json.loads, (out / "a.jsonl").open())
    assert w1["text"]["content"] == SECRET and w1["mentions"][1]["spans"][0]["surface"] == SECRET[62:77]
    assert a1 == record("a1")
    assert (out / ".gitignore").read_text().endswith("\n*\n")
    folder.clear()
    shutil.copy(out / "a.jsonl", folder.root / "seeds" / "b.jsonl")
    assert folder.rebuild(sweep=True).problems == []
    assert folder.tree() == before  # to the last byte: digests are taken of what is public


def test_a_manifest_names_no_file_outside_of_the_copy(folder: ProjectFolder, texts: Path) -> None:
    folder.seed(standoff(secret()), record("a1"))
    folder.rebuild()
    source, out = folder.root / "dataset", folder.root / "full"
    written = (source / "manifest.json").read_text()
    before = folder.tree()
    for name, other in (("mentions/test", "../mentions/test"), ("README.md", "../README.md"), ("README.md", "CARD.md")):
        changed = written.replace(f'"path": "{name}', f'"path": "{other}')
        shutil.copy(source / "README.md", folder.root / "README.md")
        shutil.copy(source / "README.md", source / "CARD.md")
        (source / "manifest.json").write_text(changed)
        if changed != written:
            with pytest.raises(LoadError, match=r"no name that a file|contradicts itself"):
                hydrated(folder, source, texts, out)
        assert not out.exists() and not (folder.root / "mentions").exists()
    (source / "CARD.md").unlink()
    (source / "manifest.json").write_text(written)
    assert folder.tree() == before


def test_two_files_that_would_be_one_in_the_copy_are_told(folder: ProjectFolder, texts: Path) -> None:
    folder.seed(standoff(secret()))
    (folder.root / "seeds" / "a.jsonl.gz").write_bytes(gzip.compress(json.dumps(record("a1")).encode()))
    with pytest.raises(InputError, match=r"seeds/a\.jsonl and seeds/a\.jsonl\.gz: would both be written as a\.jsonl"):
        hydrated(folder, folder.root / "seeds", texts, folder.root / "full")
    assert not (folder.root / "full").exists()


def test_a_dataset_is_hydrated_and_nulling_gives_the_release_again(folder: ProjectFolder, texts: Path) -> None:
    folder.seed(standoff(secret()), record("a1", mentions=[mention("m1", 0, 3, score=3)]), standoff(record("w2", **WITHHELD)))
    folder.rebuild()
    source, out = folder.root / "dataset", folder.root / "full"
    before = folder.tree()
    release = read_manifest(source)
    result = hydrated(folder, source, texts, out)
    assert (result.problems, result.withheld, result.restored) == ([], 2, 1)
    made = read_manifest(out)
    assert made.content_digest == result.content_digest != release.content_digest
    assert made.logical_digest == result.logical_digest != release.logical_digest
    assert whole_digest(table_digests(out, made)) == made.logical_digest
    assert whole_digest(table_digests(out, made, nulled=True)) == release.logical_digest
    assert whole_digest(table_digests(source, release)) == release.logical_digest
    assert made.hydrated_from == {"content_digest": release.content_digest, "logical_digest": release.logical_digest}
    rows = {r["article_id"]: r for s in load("articles", source=out).values() for r in s}
    assert rows["w1"]["text"] == SECRET and rows["w2"]["text"] is None and rows["w1"]["text_redistributable"] is False
    mentions = {r["mention_id"]: r for s in load("mentions", source=out).values() for r in s if r["article_id"] == "w1"}
    assert mentions["m1"]["spans"][0]["surface"] == "Quillon Farrowby" and mentions["m1"]["head"]["surface"] == "Farrowby"
    assert mentions["m2"]["remark"] is None  # it does not follow from the text
    card = (out / "README.md").read_text()
    assert "**Hydrated copy: it may not be passed on.**" in card and "license: other" in card
    assert folder.tree() == before


def test_hydrating_again_replaces_the_copy_and_a_dry_run_writes_nothing(folder: ProjectFolder, texts: Path) -> None:
    folder.seed(standoff(secret()))
    folder.rebuild()
    out = folder.root / "sub" / "full"
    for path in (folder.root / "dataset", folder.root / "seeds"):
        assert hydrated(folder, path, texts, out, dry_run=True).spans > 0
        assert not out.parent.exists()
        for _ in range(2):
            assert hydrated(folder, path, texts, out).problems == []
        assert [p.name for p in out.parent.iterdir()] == ["full"]
        shutil.rmtree(out.parent)


def test_a_text_that_does_not_fit_is_refused(folder: ProjectFolder, texts: Path, dateline: Run) -> None:
    folder.seed(standoff(secret()))
    folder.rebuild()
    other = SECRET.replace("ninety", "eighty")
    (texts / "w1.txt").write_bytes(other.encode())
    for path in ("dataset", "seeds"):
        done = dateline("hydrate", path, "--texts", texts, "--out", "full", cwd=folder.root)
        assert done.returncode == 1
        says = f"is not the text of w1 that was annotated: it has sha256 {digest(other)}…, expected {digest(SECRET)}…"
        assert f"w1.txt  {says}" in done.stderr
        assert not (folder.root / "full").exists()
        told = json.loads(dateline("hydrate", path, "--texts", texts, "--json", cwd=folder.root).stdout)
        assert told["success"] is False and [p["rule"] for p in told["problems"]] == ["text-unfit"] and told["written"] == []


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def test_every_span_is_checked_against_the_text_again(folder: ProjectFolder, texts: Path) -> None:
    bad = secret(mentions=[mention("m1", 0, 3), mention("m2", 7, 16), mention("m3", 0, 5, head={"start": 0, "end": 5})])
    folder.seed(standoff(bad))
    assert folder.rebuild().problems == []  # without the text nobody can tell
    for path in (folder.root / "dataset", folder.root / "seeds"):
        found = hydrated(folder, path, texts, folder.root / "full")
        assert {p.rule for p in found.problems} == {"span-edge"}
        assert all("spans[0]" in p.place.pointer for p in found.problems)
        assert not repeats(found.problems, SECRET) and not (folder.root / "full").exists()


def test_hydrate_keeps_away_from_what_is_passed_on(folder: ProjectFolder, texts: Path) -> None:
    folder.seed(standoff(secret()), name="sub/a.jsonl")
    folder.rebuild()
    (folder.root / "other").mkdir()
    (folder.root / "other" / "mine.txt").write_text("x")
    before = folder.tree()
    for path in (folder.root / "dataset", folder.root / "seeds" / "sub"):
        for out in ("dataset", "dataset/full", "seeds", "seeds/full", "seeds/sub", ".", "other", "other/mine.txt", "schemas/x"):
            with pytest.raises(UsageError, match=r"--out"):
                hydrated(folder, path, texts, folder.root / out)
    with pytest.raises(InputError, match="holds the text of none of the 1 withheld articles"):
        hydrated(folder, folder.root / "dataset", folder.root / "other", folder.root / "full")
    with pytest.raises(InputError, match="no such folder"):
        hydrated(folder, folder.root / "seeds", folder.root / "nowhere", folder.root / "full")
    next((folder.root / "dataset" / "mentions").iterdir()).write_bytes(b"x")
    with pytest.raises(LoadError, match="the manifest says"):
        hydrated(folder, folder.root / "dataset", texts, folder.root / "full")
    assert sorted(p.name for p in folder.root.iterdir()) == [
        ".dateline",
        "dataset",
        "other",
        "pyproject.toml",
        "schemas",
        "seeds",
    ]
    assert folder.tree().keys() == before.keys()


def test_hydrate_on_the_command_line(folder: ProjectFolder, texts: Path, dateline: Run, tmp_path_factory: Any) -> None:
    folder.seed(standoff(secret()))
    folder.rebuild()
    done = dateline("hydrate", "dataset", cwd=folder.root)
    assert done.returncode == 2 and "name one with --texts" in done.stderr
    done = dateline("hydrate", "dataset", cwd=folder.root, DATELINE_TEXTS=str(texts))
    assert done.returncode == 0
    assert done.stdout == f"1 of 1 withheld text restored, 6 spans checked; written to {folder.root}/.dateline/hydrated/dataset\n"
    assert "may not be passed on" in done.stderr
    away = tmp_path_factory.mktemp("away")
    shutil.copytree(folder.root / "dataset", away / "release")
    done = dateline("hydrate", "release", "--texts", texts, cwd=away)
    assert done.returncode == 2 and "say with --out" in done.stderr
    done = dateline("hydrate", "release", "--texts", texts, "--out", "full", "--json", cwd=away)
    told = json.loads(done.stdout)
    assert told["release_digest"] == read_manifest(away / "release").logical_digest
    assert told["logical_digest"] == read_manifest(away / "full").logical_digest


# ---- the reference record, where its text is at hand ----------------------------------------------------------


def grams(text: str, n: int) -> set[tuple[str, ...]]:
    found = re.findall(r"\w+", text.lower())
    return {tuple(found[i : i + n]) for i in range(len(found) - n + 1)}


def told_by(problems: list[Problem]) -> str:
    """All that can be printed of problems: line, hint, snippet, JSON."""
    return "\n".join(f"{p}\n{p.hint}\n{p.snippet}\n{json.dumps(p.as_json(), ensure_ascii=False)}" for p in problems)


def repeats(problems: list[Problem], text: str) -> bool:
    """Whether messages repeat four words of a text in a row; says nothing of which."""
    return bool(grams(told_by(problems), 4) & grams(text, 4))


@pytest.fixture(scope="module")
def restricted() -> Path:
    folder: Path = shared() / "restricted"
    if not (folder / f"{REFERENCE}.txt").is_file():
        pytest.skip("the withheld text is not on this machine")
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The small corpus, not built, in a folder that may hold the text for a while."""
    root = tmp_path_factory.mktemp("corpus")
    lay_out_small(root)
    yield root
    shutil.rmtree(root)


@pytest.mark.slow(seconds=15)
def test_the_reference_record_is_hydrated_with_every_span_checked_and_nothing_else_changes(
    corpus: Path, restricted: Path
) -> None:
    from dateline.engines import LocalEngine
    from dateline.pipeline import rebuild

    project = find_project(corpus)
    made = rebuild(project, LocalEngine(1))
    anchors = len(list((corpus / "seeds" / "articles").glob("wikinews-*.json")))
    assert made.manifest and made.leaks.not_at_hand == 1 + anchors
    seeds = hydrate_seeds(project, corpus / "seeds" / "articles", restricted, corpus / "full" / "seeds")
    data = hydrate_dataset(project, corpus / "dataset", restricted, corpus / "full" / "dataset")
    assert (seeds.problems, data.problems, seeds.restored, data.restored) == ([], [], 1, 1)
    assert seeds.spans > 400 and data.spans == 2 * seeds.spans  # by layer, and nested
    copied = read_manifest(corpus / "full" / "dataset")
    assert whole_digest(table_digests(corpus / "full" / "dataset", copied, nulled=True)) == made.manifest.logical_digest
    assert copied.logical_digest != made.manifest.logical_digest
    rows = pq.read_table(corpus / "full" / "dataset" / "articles").to_pylist()
    fits = [hashlib.sha256(row["text"].encode()).hexdigest() == row["text_sha256"] for row in rows if row["text"] is not None]
    assert all(fits) and len(fits) == len(rows) - anchors  # a failing test shows no words
    # a corpus with the text at hand gives the same dataset, its groups and splits among it, to the last byte
    shutil.copy(corpus / "full" / "seeds" / f"{REFERENCE}.json", corpus / "seeds" / "articles" / f"{REFERENCE}.json")
    again = rebuild(project, LocalEngine(1))
    assert again.problems == [] and not again.changed and again.leaks.scanned == 1 and again.leaks.not_at_hand == anchors
    assert again.manifest == made.manifest


def places(value: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value in a record, with its place."""
    yield steps, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*steps, key))


def mutations(whole: Json, rng: random.Random, text: str) -> Iterator[Json]:
    """Bad records made of a good one: each in one place, or in one way."""

    def piece(words: int = 9) -> str:
        found = text.split()
        start = rng.randrange(max(1, len(found) - words))
        return " ".join(found[start : start + words])

    def put(steps: tuple[Any, ...], value: Any) -> Json:
        made = copy.copy(whole)
        node: Any = made
        for step in steps[:-1]:
            node[step] = copy.copy(node[step])
            node = node[step]
        node[steps[-1]] = value
        return made

    everywhere = [(steps, value) for steps, value in places(whole) if steps]
    spans = [(s, v) for s, v in everywhere if isinstance(v, dict) and v.keys() >= {"start", "end"}]
    for steps, span in spans:
        start, end = span["start"], span["end"]
        for a, b in ((end, start), (start, start), (start, len(text) + 5), (start - 1, end), (start, end + 1), (start + 1, end)):
            yield put(steps, {**span, "start": a, "end": b, "surface": None})
        yield put(steps, {**span, "surface": piece()})
        yield put(steps, {**span, piece(): 1})
    for steps, value in rng.sample(everywhere, min(len(everywhere), 400)):
        for other in (piece(), [piece()], {piece(): piece()}, 7):
            yield put(steps, other)
        if isinstance(value, dict):
            yield put(steps, {**value, piece(): piece()})
            yield put(steps, dict(list(value.items())[1:]))
        if isinstance(value, list) and value:
            yield put(steps, [*value, value[0]])
            yield put(steps, [*value, piece()])
    for key in [k for k, v in whole.items() if isinstance(v, list) and v and isinstance(v[0], dict)]:
        ids = [name for name, v in whole[key][0].items() if name.endswith("_id") and isinstance(v, str)][:1]
        for name in ids:
            twice = piece()
            yield put((key,), [{**item, name: twice} for item in whole[key]])
            yield put((key,), [{**item, name: twice.replace(" ", "-")} for item in whole[key]])
            yield put((key,), [{**item, "parent_id": twice} for item in whole[key]])
    yield {k: v for k, v in whole.items() if k != "rights"} | {piece(): piece(), "article_id": piece()}


def no_message_repeats(whole: Json, text: str, schemas: Any, keys: Any) -> tuple[int, set[str]]:
    """How many bad records of how many rules were tried; fails without a word of the text if one of them is quoted."""
    held = grams(text, 4)
    rng = random.Random(20241031)
    place = RawRecord(Place("f.jsonl", 1), 0, b"{}")
    bad, rules, quoted = 0, set(), []
    for made in mutations(whole, rng, text):
        problems = check_record(made, place, schemas, keys)
        bad += bool(problems)
        rules |= {p.rule for p in problems}
        assert all(p.snippet is None for p in problems)
        if grams(told_by(problems[:300]), 4) & held:
            quoted.append(sorted({p.rule for p in problems}))
    twice = f'{{"{" ".join(text.split()[:9])}": 1, "{" ".join(text.split()[:9])}": 2}}'.encode()
    for raw in (twice, twice[:-1], text.encode(), json.dumps([text]).encode()):
        try:
            parse(RawRecord(Place("f.jsonl", 1), 0, raw))
        except Refused as refused:
            bad += 1
            if grams(told_by([refused.problem]), 4) & held:
                quoted.append([refused.problem.rule])
    assert quoted == []
    return bad, rules


def test_no_message_on_a_bad_twin_of_a_withheld_record_quotes_it() -> None:
    from dateline.schema import schemas_from

    schemas = schemas_from({"mentions": json.dumps(MENTIONS).encode()})
    whole = standoff(secret(group="g", language="en"))
    whole["text"]["content"] = SECRET
    whole["mentions"][1]["parent_id"] = "m1"
    bad, rules = no_message_repeats(whole, SECRET, schemas, {})
    assert bad > 80 and len(rules) >= 12, (bad, rules)


def test_laws_quote_neither_ids_nor_values_of_a_withheld_record() -> None:
    from dateline.schema import schemas_from

    words = {"type": ["string", "null"], "description": "Words."}
    level = {"type": "integer", "description": "Depth.", "x-depth": "parent_id"}
    mentions: Json = {**MENTIONS, "properties": {**MENTIONS["properties"], "words": words, "level": level}}
    mentions["required"] = [*mentions["required"], "level"]
    links: Json = {
        "title": "Links", "description": "Links.", "type": "object", "required": ["link_id", "mention_id"],
        "properties": {
            "link_id": {"type": "string", "description": "Id.", "x-key": True},
            "mention_id": {"type": "string", "description": "To.", "x-ref": "mentions",
                           "x-target": {"field": "words", "values": ["said"]}},
            "role": {**words, "x-present": {"via": "mention_id", "field": "label", "values": ["LOC"]}},
            "other": {**words, "x-present": {"via": "mention_id", "field": "words", "values": ["said"]}},
        },
    }  # fmt: skip
    schemas = schemas_from({"mentions": json.dumps(mentions).encode(), "links": json.dumps(links).encode()})
    spans = [mention(NINE, 0, 16, level=1, words=NINE), mention("m2", 62, 77, level=1, parent_id=NINE)]
    made = secret(mentions=spans, links=[{"link_id": "l1", "mention_id": NINE, "role": NINE, "other": NINE}])
    found = check_record(made, RawRecord(Place("f.jsonl", 1), 0, b"{}"), schemas, {})
    assert sorted(p.rule for p in found) == ["depth", "present", "present", "target"]
    assert not repeats(found, SECRET)
    open_one = made | {"rights": {"text_redistributable": True}}
    assert repeats(check_record(open_one, RawRecord(Place("f.jsonl", 1), 0, b"{}"), schemas, {}), SECRET)


@pytest.mark.slow(seconds=70)
def test_no_message_on_a_bad_twin_of_the_reference_record_quotes_it(restricted: Path) -> None:
    project = find_project(REPOSITORY)
    schemas = load_schemas(project.schemas)
    whole = json.loads((project.seeds / "articles" / f"{REFERENCE}.json").read_bytes())
    text = (restricted / f"{REFERENCE}.txt").read_bytes().decode()
    whole["text"]["content"] = text
    bad, rules = no_message_repeats(whole, text, schemas, read_tables(project, schemas).keys)
    assert bad > 4500 and len(rules) >= 12, (bad, rules)


def test_ids_that_are_words_of_a_withheld_text_stand_in_no_message_of_a_rebuild(folder: ProjectFolder) -> None:
    made = secret(article_id=NINE, supersedes=NINE + " x")
    folder.seed(made, made)
    found = folder.rebuild().problems
    assert {p.rule for p in found} >= {"duplicate-article", "supersedes", "bad-value"}
    assert not repeats(found, SECRET)


def test_an_import_of_a_withheld_article_quotes_nothing(folder: ProjectFolder, dateline: Run) -> None:
    toml = (
        f'["{NINE}"]\n[article]\narticle_id = "w1"\n[text]\ncontent = """{SECRET}"""\n'
        f'[[mentions]]\nspans = "{NINE}"\nlabel = "PER"\n'
    )
    for written in (toml, toml.partition("\n")[2]):
        (folder.root / "w1.toml").write_text(written, encoding="utf-8")
        done = dateline("import", "w1.toml", cwd=folder.root)
        assert done.returncode == 1 and not grams(done.stderr + done.stdout, 4) & grams(SECRET, 4)
