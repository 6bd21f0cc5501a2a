"""`dateline explain` on a small project: what is said of each sort of row, of what is not there, of seeds that moved on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from building import MENTIONS, Json, ProjectFolder, mention, record
from conftest import Run
from dateline.describe.explanation import explanation_lines, reason_in_words
from dateline.errors import UsageError
from dateline.explaining import explain_dataset, explain_project
from dateline.ledger import Entry, Ledger, Mark

GOLDEN = Path(__file__).parent / "golden"
WORDS = " ".join(f"word{number}" for number in range(60))
KINDS: Json = {
    "title": "Kinds",
    "description": "Kinds of names.",
    "x-table": "corpus",
    "type": "object",
    "properties": {"kind": {"type": "string", "description": "Key.", "x-key": True}},
    "required": ["kind"],
    "additionalProperties": False,
}
SETS = [
    {"annotation_set_id": "set1", "layer": "mentions", "annotator_id": "ada", "annotator_type": "HUMAN", "tool": "brat",
     "tool_version": "1.3", "guideline_version": "2", "created": "2026-01-02", "status": "PRIMARY"},
]  # fmt: skip
WITHHELD = {"text_redistributable": False, "text_license": "LicenseRef-Closed", "rights_holder": "A Paper"}


def fill(folder: ProjectFolder) -> ProjectFolder:
    """Four articles in two groups, one of them withheld, with a corpus-level table, a view of names, suites and a waiver."""
    schema = json.loads(json.dumps(MENTIONS))
    schema["properties"]["kind"] = {"type": ["string", "null"], "description": "Its kind.", "x-ref": "kinds"}
    folder.schema("mentions", schema)
    folder.schema("kinds", KINDS)
    folder.settings(
        'license = "CC-BY-4.0"', "[tool.dateline.views.names]", 'kind = "spans"', 'layer = "mentions"', 'label = "label"'
    )
    two = [mention("m1", 0, 3, kind="king"), mention("m2", 8, 10, parent_id="m1")]
    folder.seed(
        record("a1", mentions=two, annotation_sets=SETS, coverage=[{"layer": "mentions", "status": "FULL"}]),
        record("a2", "Ana met Bo in Rome again.", supersedes="a1", mentions=[mention("m1", 0, 3)]),
    )
    closed = record("closed", None, rights=WITHHELD, group="g", mentions=[mention("m1", 0, 3)])
    closed["text"] |= {"sha256": "0" * 64, "n_code_points": 30, "n_bytes": 30}
    folder.seed(closed, record("near", WORDS, group="g"), name="b.jsonl")
    (folder.root / "seeds" / "tables").mkdir()
    (folder.root / "seeds" / "tables" / "kinds.jsonl").write_text('{"kind": "queen"}\n{"kind": "king"}\n')
    return folder


@pytest.fixture
def filled(folder: ProjectFolder) -> ProjectFolder:
    fill(folder)
    assert folder.rebuild().problems == []
    return folder


def explained(folder: ProjectFolder, name: str, table: str | None = None, **options: Any) -> Json:
    return explain_project(folder.project).explain(name, table, **options)


# ---- what is printed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("golden", "words"),
    [
        ("article.txt", ["a1"]),
        ("row.txt", ["a1#m1"]),
        ("corpus.txt", ["king"]),
        ("derived.txt", ["a1#text"]),
        ("withheld.txt", ["closed#m1"]),
        ("record.txt", ["closed", "--table", "standoff"]),
    ],
)
def test_what_is_printed(golden: str, words: list[str], filled: ProjectFolder, dateline: Run) -> None:
    done = dateline("explain", *words, cwd=filled.root)
    assert (done.returncode, done.stderr) == (0, "")
    said = re.sub(r"-[0-9a-f]{12}\.parquet", "-DIGEST.parquet", done.stdout)
    assert said == (GOLDEN / golden).read_text(encoding="utf-8")


def test_json_says_the_same(filled: ProjectFolder, dateline: Run) -> None:
    done = dateline("explain", "a1#m1", "--json", cwd=filled.root)
    assert json.loads(done.stdout) == explained(filled, "a1#m1")


# ---- where it is, and why ------------------------------------------------------------------------------------


def test_where_it_was_written_and_what_hangs_together(filled: ProjectFolder) -> None:
    said = explained(filled, "a1#m1")
    assert said["seed"] == {"file": "seeds/a.jsonl", "line": 1, "last_line": 1, "pointer": "$.mentions[0]"}
    assert said["refers_to"] == [{"column": "kind", "table": "kinds", "id": "king"}]
    assert said["referred_by"]["rows"] == [{"table": "mentions", "column": "parent_id", "id": "a1#m2"}]
    assert said["derived"]["rows"] == [{"table": "names", "id": "a1#text"}]
    assert explained(filled, "king")["referred_by"]["rows"] == [{"table": "mentions", "column": "kind", "id": "a1#m1"}]
    assert explained(filled, "a1")["referred_by"]["rows"] == [{"table": "articles", "column": "supersedes", "id": "a2"}]


def why(folder: ProjectFolder, article: str) -> tuple[list[tuple[str, str | None]], tuple[str, str | None]]:
    (said,) = explained(folder, article)["articles"]
    return [(r["why"], r["of"]) for r in said["group_reasons"]], (said["split_reason"]["why"], said["split_reason"]["of"])


def test_why_it_is_in_its_group_and_split(folder: ProjectFolder) -> None:
    folder.seed(
        record("alone", "Nothing like the others."),
        record("first", "One more text."), record("second", "Quite another text.", supersedes="first"),
        record("wire", WORDS), record("copy", WORDS + " more"),
        record("named", "A text of its own.", group="g"),
    )  # fmt: skip
    folder.rebuild()
    assert why(folder, "alone") == ([("alone", None)], ("quota", None))
    assert why(folder, "second") == ([("supersedes", "first")], ("quota", None))
    assert why(folder, "first") == ([("superseded-by", "second")], ("quota", None))
    assert why(folder, "wire") == ([("near-duplicate", "copy")], ("quota", None))
    assert why(folder, "named") == ([("named", None)], ("quota", None))
    (copy,) = explained(folder, "copy")["articles"]
    assert 0.8 <= copy["group_reasons"][0]["agreement"] < 1


def test_a_group_with_a_designed_split_says_so(folder: ProjectFolder) -> None:
    folder.settings("[tool.dateline.splits]", 'assigned = {test = ["held-*"]}')
    folder.seed(record("a", "One more text.", group="held-out"), record("b", "Quite another text.", supersedes="a"))
    folder.rebuild()
    assert why(folder, "a")[1] == why(folder, "b")[1] == ("assigned", None)


def test_what_was_released_is_frozen_and_draws_others(folder: ProjectFolder) -> None:
    folder.seed(record("old", WORDS), record("new", WORDS + " more"))
    entry = Entry("old", "test", "old", 1, "1.0.0", "1.1.0")
    folder.project.ledger.write_bytes(Ledger(articles={"old": entry}).encode())
    folder.rebuild()
    assert why(folder, "old") == ([("released", "1.0.0"), ("near-duplicate", "new")], ("released", "1.0.0"))
    assert why(folder, "new") == ([("near-duplicate", "old")], ("joined", "old"))
    assert explained(folder, "old")["release"] == {"of": "article", "added_in": "1.0.0", "changed_in": "1.1.0"}
    text = "\n".join(explanation_lines(explained(folder, "old")))
    assert "test: frozen by release 1.0.0" in text
    assert "added in 1.0.0, last changed in 1.1.0" in text
    (bare,) = explain_dataset(folder.project.dataset).explain("old")["articles"]
    assert reason_in_words(bare["split_reason"]) == "frozen by release 1.0.0"


def test_a_group_keeps_the_split_of_one_that_was_retracted(folder: ProjectFolder) -> None:
    folder.settings("[tool.dateline.splits]", 'assigned = {train = ["g"]}')
    folder.seed(record("new", WORDS, group="g"))
    entry = Entry("gone", "test", "g", 1, "1.0.0", retracted=Mark("wrong", "2026-11-01", "1.1.0"))
    folder.project.ledger.write_bytes(Ledger(articles={"gone": entry}).encode())
    folder.rebuild()
    assert why(folder, "new")[1] == ("joined", "gone")


def test_a_split_may_be_given_by_the_record(folder: ProjectFolder) -> None:
    folder.settings("[tool.dateline.splits]", 'mode = "given"')
    folder.seed(record("a1", split="dev"))
    folder.rebuild()
    assert why(folder, "a1") == ([("alone", None)], ("given", None))


# ---- what checks it ------------------------------------------------------------------------------------------


@pytest.mark.slow(seconds=6)
def test_expectations_with_their_last_result_and_what_names_the_row(filled: ProjectFolder, dateline: Run) -> None:
    assert dateline("suites", cwd=filled.root).returncode == 0
    suite = filled.root / "expectations" / "mentions.json"
    said = json.loads(suite.read_bytes())
    said["expectations"].append({
        "id": "00000000-0000-4000-8000-000000000001", "type": "expect_column_values_to_be_in_set",
        "kwargs": {"column": "label", "value_set": ["LOC"]},
        "meta": {"rule": "only-places", "level": "warning", "reason": "People are no places."},
    })  # fmt: skip
    suite.write_text(json.dumps(said))
    (filled.root / "expectations" / "waivers.toml").write_text(
        '[[waivers]]\nrule = "only-places"\ntable = "mentions"\nrows = ["a1#m1"]\nowner = "ada"\n'
        'reason = "known"\nexpires = 2999-01-01\n'
    )
    assert filled.rebuild().problems == []
    found = explained(filled, "a1#m2")["validation"]
    own = {
        e["type"]: e for s in found["suites"] if s["suite"] == "mentions" for e in s["expectations"] if e["rule"] == "only-places"
    }
    assert own["expect_column_values_to_be_in_set"]["success"] is False
    assert {s["about"] for s in found["suites"]} == {"table", "rows", "names"}
    assert [(f["rule"], f["names_the_row"]) for f in found["findings"]] == [("only-places", True)]
    waived = explained(filled, "a1#m1")["validation"]
    assert (waived["findings"], waived["waivers"]) == (
        [], [{"rule": "only-places", "owner": "ada", "reason": "known", "expires": "2999-01-01"}],
    )  # fmt: skip
    text = "\n".join(explanation_lines(explained(filled, "a1#m2")))
    assert "not met: only-places (warning), expect_column_values_to_be_in_set" in text
    assert "finding only-places (warning): names this row" in text


# ---- seeds that moved on -------------------------------------------------------------------------------------


def test_a_change_of_the_seeds_is_told_of_what_it_changed(filled: ProjectFolder) -> None:
    path = filled.root / "seeds" / "a.jsonl"
    path.write_text(path.read_text().replace('"label": "PER", "kind": "king"', '"label": "LOC", "kind": "king"'))
    changed = explained(filled, "a1#m1")
    assert (changed["seed_state"], changed["articles"][0]["seed_changed"]) == ("changed", ["mentions"])
    assert changed["notes"][0] == "the seeds have changed since the dataset was built; `dateline rebuild` brings them together"
    assert explained(filled, "a1")["seed_state"] == "changed"
    same = explained(filled, "a1#m2")
    assert (same["seed_state"], same["notes"][0]) == (
        "same", "the dataset is older than the seeds of a1; `dateline rebuild` brings them together",
    )  # fmt: skip
    assert explained(filled, "a2")["seed_state"] == "same"


def test_what_is_gone_from_the_seeds_is_told(filled: ProjectFolder) -> None:
    (filled.root / "seeds" / "b.jsonl").unlink()
    (filled.root / "seeds" / "tables" / "kinds.jsonl").write_text('{"kind": "queen"}\n')
    for name in ("near", "closed#m1", "king"):
        said = explained(filled, name)
        assert (said["seed"], said["seed_state"]) == (None, "gone"), name
        assert "the seeds do not have it any more" in said["notes"][0]


def test_without_a_folder_of_seeds_the_rest_is_told(filled: ProjectFolder) -> None:
    shutil.rmtree(filled.root / "seeds")
    said = explained(filled, "a1#m1")
    assert (said["seed"], said["seed_state"]) == (None, "unknown")
    assert said["notes"][0] == "no place in the seeds: seeds: no such folder"
    assert said["snippet"] == "    Ana met Bo in Rome.\n    ^^^"


# ---- rights --------------------------------------------------------------------------------------------------


def test_a_hydrated_copy_draws_nothing_of_a_withheld_text(folder: ProjectFolder) -> None:
    import hashlib

    from dateline.hydrating import hydrate_dataset

    text = "A secret that nobody may read."
    closed = record("closed", None, rights=WITHHELD, mentions=[mention("m1", 2, 8)])
    closed["text"] |= {"sha256": hashlib.sha256(text.encode()).hexdigest(), "n_code_points": len(text), "n_bytes": len(text)}
    folder.seed(closed)
    folder.rebuild()
    texts = folder.root / "texts"
    texts.mkdir()
    (texts / "closed.txt").write_text(text)
    hydrate_dataset(folder.project, folder.project.dataset, texts, folder.root / "whole")
    explainer = explain_dataset(folder.root / "whole")
    assert explainer.rows.of_article("mentions", "closed")[0].row["spans"][0]["surface"] == "secret"
    for name, table in (("closed", None), ("closed", "standoff"), ("closed#m1", None)):
        said = explainer.explain(name, table)
        assert "secret" not in json.dumps(said) + "\n".join(explanation_lines(said))


# ---- what is not there ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["a1#m9"],
            "dataset: has no row 'a1#m9' in articles, layers, corpus-level and derived tables; the nearest there are: a1#m",
        ),
        (["a9#m1"], "error: dataset: has no row 'a9#m1'"),
        (["kings"], "the nearest there are: king"),
        (["a1", "--table", "mention"], "error: dataset: has no table 'mention'; it has names, articles, "),
        (["a1#m1", "--table", "kinds"], "error: kinds of dataset: has no row 'a1#m1' in kinds"),
        (["", "--table", "mentions"], "error: mentions of dataset: has no row ''"),
        (["a1", "--dataset", "nowhere"], "error: nowhere/manifest.json: no such file"),
        (["a1", "--dataset", "dataset", "--blame"], "error: --blame asks the history of seeds"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(words: list[str], says: str, filled: ProjectFolder, dateline: Run) -> None:
    done = dateline("explain", *words, cwd=filled.root)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_name_that_two_tables_have_wants_the_table(small_flagship: Any) -> None:
    name = "harbour-20260518-4502d7cd03cc#c10:q8"
    with pytest.raises(UsageError, match=r"is a row of figures and of estimates; say of which: --table figures"):
        explain_project(small_flagship).explain(name)


def test_what_is_only_in_the_seeds_and_what_was_retracted(filled: ProjectFolder) -> None:
    filled.seed(record("late"), name="c.jsonl")
    with pytest.raises(UsageError, match=r"has no 'late', but seeds/c.jsonl:1 has its record; `dateline rebuild` builds it"):
        explained(filled, "late")
    gone = Entry("gone", "train", "gone", 1, "1.0.0", retracted=Mark("asked to", "2026-11-28", "2.0.0"))
    filled.project.ledger.write_bytes(Ledger(articles={"gone": gone}).encode())
    with pytest.raises(UsageError, match=r"'gone' was retracted in 2.0.0 \(asked to\)"):
        explained(filled, "gone#m1")


def test_of_several_passes_over_an_article_one_is_named_by_its_set(folder: ProjectFolder) -> None:
    schema = json.loads(json.dumps(MENTIONS))
    schema["properties"]["set_id"] = {"type": ["string", "null"], "description": "Its set.", "x-ref": "annotation_sets"}
    folder.schema("mentions", schema)
    final = {"annotation_set_id": "set3", "status": "ADJUDICATED", "adjudicator_id": "cy"}
    sets = [SETS[0], SETS[0] | {"annotation_set_id": "set2", "annotator_id": "bo"}, SETS[0] | final]
    items = [mention(f"m{number}", 0, 3, set_id=f"set{number}") for number in (1, 2, 3)]
    folder.seed(record("a1", mentions=items, annotation_sets=sets))
    assert folder.rebuild().problems == []
    with pytest.raises(UsageError, match=r"'a1' has several rows in primary; name one: a1#set\d, a1#set\d"):
        explained(folder, "a1", "primary")
    assert explained(folder, "a1#set2", "primary")["id"] == "a1#set2"
    assert [one["annotation_set_id"] for one in explained(folder, "a1#m3")["annotation"]] == ["set3"]


# ---- git blame of rows ---------------------------------------------------------------------------------------


def git(folder: Path, *words: str, date: str = "2026-01-01T12:00:00+0000") -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "PATH": os.environ["PATH"], "HOME": str(folder)}
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, env=dates)


def test_the_commit_that_last_touched_a_row(filled: ProjectFolder) -> None:
    pretty = filled.root / "seeds" / "p.json"
    made = record("p", mentions=[mention("m1", 0, 3), mention("m2", 8, 10)])
    pretty.write_text(json.dumps(made, indent=1))
    assert filled.rebuild().problems == []
    git(filled.root, "init", "-q")
    git(filled.root, "add", ".")
    git(filled.root, "commit", "-qm", "Begin")
    made["mentions"][1]["label"] = "LOC"
    pretty.write_text(json.dumps(made, indent=1))
    git(filled.root, "commit", "-qam", "Bo is a place", date="2026-02-03T12:00:00+0000")

    def commits(name: str, table: str | None = None) -> list[tuple[str, str, str] | None]:
        found = [one["commit"] for one in explained(filled, name, table, blamed=True)["blame"]]
        return [one and (one["date"], one["author"], one["subject"]) for one in found]

    begin, mended = ("2026-01-01", "Ada", "Begin"), ("2026-02-03", "Ada", "Bo is a place")
    assert commits("p#m1") == [begin]
    assert commits("p#m2") == [mended]
    assert commits("p") == [mended]
    assert commits("king") == [begin]
    assert commits("p#text") == [mended, begin, mended]
    pretty.write_text(json.dumps(made, indent=1).replace('"PER"', '"LOC"'))
    assert commits("p#m1") == [None]
    assert "not committed yet" in "\n".join(explanation_lines(explained(filled, "p#m1", blamed=True)))


def test_without_a_history_the_rest_is_told(filled: ProjectFolder) -> None:
    said = explained(filled, "a1#m1", blamed=True)
    assert said["blame"] is None
    assert said["notes"][-1].startswith("no commit: a.jsonl: git knows no history of it: not a git repository")
