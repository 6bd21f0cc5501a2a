"""validate: what is found in tables, where to mend it, what may pass, and that a rebuild promotes nothing that fails."""

from __future__ import annotations

import datetime
import json
import uuid
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from building import ProjectFolder, mention, record
from dateline.engines import LocalEngine
from dateline.errors import LoadError, SuiteError
from dateline.manifest import read_manifest
from dateline.pipeline import Rebuilt, check, rebuild
from dateline.project import find_project
from dateline.validating import Request, validate_parquet, validate_project, validate_release

TODAY = datetime.date(2030, 1, 15)
RULES = """
[[rules]]
id = "mentions-scored"
table = "mentions"
says = "a mention has no score"
reason = "Scores are what this corpus is about."

[[rules]]
id = "mentions-apart"
table = "mentions"
level = "warning"
says = "two mentions of an article begin at the same character"
reason = "Most such pairs are slips."
"""
APART = """
-- two mentions that begin at the same character
SELECT m.article_id, m.mention_id, COUNT(*) OVER (PARTITION BY m.article_id, s.span_start) = 1 AS begins_alone
FROM mentions m JOIN mentions__spans s ON s.article_id = m.article_id AND s.mention_id = m.mention_id
"""


def expectation(rule: str, level: str, kind: str, **kwargs: Any) -> dict[str, Any]:
    meta = {
        "rule": rule,
        "level": level,
        "reason": {"mentions-scored": "Scores are what this corpus is about."}.get(rule, "Slips."),
    }
    return {"type": kind, "kwargs": kwargs, "id": str(uuid.uuid5(uuid.NAMESPACE_OID, rule)), "meta": meta}


def suite(folder: ProjectFolder, name: str, *expectations: dict[str, Any], sql: str = "") -> None:
    place = folder.root / "expectations" / ("relations" if sql else "")
    place.mkdir(parents=True, exist_ok=True)
    meta = {"table": "mentions", "key": ["article_id", "mention_id"]}
    written = {"name": name, "id": str(uuid.uuid5(uuid.NAMESPACE_OID, name)), "expectations": list(expectations), "meta": meta}
    (place / f"{name}.json").write_text(json.dumps(written))
    if sql:
        (place / f"{name}.sql").write_text(sql)


@pytest.fixture
def checked(folder: ProjectFolder) -> ProjectFolder:
    """A project with two rules for its mentions, which its seeds keep."""
    (folder.root / "expectations").mkdir()
    (folder.root / "expectations" / "rules.toml").write_text(RULES)
    scored = expectation("mentions-scored", "error", "expect_column_values_to_not_be_null", column="score")
    apart = expectation("mentions-apart", "warning", "expect_column_values_to_be_in_set", column="begins_alone", value_set=[True])
    suite(folder, "mentions", scored)
    suite(folder, "mentions_apart", apart, sql=APART)
    folder.seed(record("a1", mentions=[mention("m1", 0, 3, score=1), mention("m2", 8, 10, score=2)]), record("a2"))
    return folder


def build(folder: ProjectFolder) -> Rebuilt:
    return rebuild(find_project(folder.root), LocalEngine(1), today=TODAY)


def test_tables_that_meet_their_suites_are_promoted_with_suites_and_result(checked: ProjectFolder) -> None:
    built = build(checked)
    assert built.validated == {"expectations": 2, "passed": 2, "failed": 0, "errors": 0, "warnings": 0, "waived": 0}
    dataset = checked.root / "dataset"
    manifest = read_manifest(dataset)
    kept = {file["path"].split("/")[1].split("-")[0]: dataset / file["path"] for file in manifest.validation}
    result = json.loads(kept["result"].read_bytes())
    assert {"great_expectations", "duckdb", "dateline"} <= result["engine"].keys()
    assert [e["rule"] for s in result["suites"].values() for e in s] == ["mentions-scored", "mentions-apart"]
    assert set(json.loads(kept["suites"].read_bytes())) == {
        "mentions.json", "relations/mentions_apart.json", "relations/mentions_apart.sql", "rules.toml",
    }  # fmt: skip
    project = find_project(checked.root)
    assert not check(project, LocalEngine(2)), "a second validation gives the same bytes"
    assert not build(checked).changed
    # a release carries its suites: it is validated anywhere, without its project
    moved = dataset.rename(checked.root / "elsewhere")
    done = validate_release(moved, Request())
    assert (done.success, done.counts["expectations"]) == (True, 2)


def test_a_finding_names_rows_and_the_place_in_the_seeds(checked: ProjectFolder) -> None:
    build(checked)
    before = {p: p.read_bytes() for p in (checked.root / "dataset").rglob("*") if p.is_file()}
    checked.seed(
        record("a0"), record("a1", mentions=[mention("m1", 0, 3, score=1), mention("m2", 8, 10), mention("m3", 8, 10, score=1)])
    )
    built = build(checked)
    assert built.manifest is None
    assert {p: p.read_bytes() for p in (checked.root / "dataset").rglob("*") if p.is_file()} == before
    [problem] = built.problems
    assert str(problem) == "seeds/a.jsonl:2 $.mentions[1]  mentions a1#m2: a mention has no score  [mentions-scored]"
    assert problem.snippet == "    Ana met Bo in Rome.\n            ^^"
    assert problem.hint == "Scores are what this corpus is about."


def test_warnings_are_told_by_every_rebuild_and_stop_nothing(checked: ProjectFolder) -> None:
    checked.seed(record("a1", mentions=[mention("m1", 0, 3, score=1), mention("m2", 0, 7, score=1)]))
    for changed in (True, False):
        built = build(checked)
        assert (built.manifest is not None, built.changed) == (True, changed)
        assert [p.says for p in built.warnings] == [
            "mentions a1#m1: two mentions of an article begin at the same character",
            "mentions a1#m2: two mentions of an article begin at the same character",
        ]
        assert [str(p.place) for p in built.warnings] == ["seeds/a.jsonl:1 $.mentions[0]", "seeds/a.jsonl:1 $.mentions[1]"]


def test_the_json_of_a_validation(checked: ProjectFolder) -> None:
    checked.seed(record("a1", mentions=[mention("m1", 0, 3, score=1), mention("m2", 0, 7, score=1)]))
    build(checked)
    done = validate_project(find_project(checked.root), Request()).as_json()
    assert list(done) == ["success", "dataset", "engine", "suites", "findings", "counts", "notes", "checks"]
    assert done["success"] is True
    [finding] = done["findings"]
    assert (finding["rule"], finding["level"], finding["table"], finding["rows"], finding["count"]) == (
        "mentions-apart", "warning", "mentions", ["a1#m1", "a1#m2"], 2,
    )  # fmt: skip
    assert finding["place"] == {"file": "seeds/a.jsonl", "line": 1, "pointer": "$.mentions[0]"}
    assert json.loads(json.dumps(done)) == done


WAIVER = '[[waivers]]\nrule = "mentions-scored"\nrows = {rows}\nowner = "desk"\nreason = "to be scored"\nexpires = {day}\n'


def test_a_waiver_lets_its_rows_pass_until_its_day(checked: ProjectFolder) -> None:
    checked.seed(record("a1", mentions=[mention("m1", 0, 3), mention("m2", 8, 10)]))
    waivers = checked.root / "expectations" / "waivers.toml"
    waivers.write_text(WAIVER.format(rows='["a1#m1"]', day="2030-01-15"))
    assert [p.says for p in build(checked).problems] == ["mentions a1#m2: a mention has no score"]
    waivers.write_text(WAIVER.format(rows='["a1#m1", "a1#m2"]', day="2030-01-15"))
    built = build(checked)
    assert built.validated is not None
    assert (built.problems, built.validated["waived"]) == ([], 1)
    assert build(checked).validated == built.validated
    project = find_project(checked.root)
    with pytest.raises(SuiteError, match="expired on 2030-01-15"):  # also where the result of the build before would do
        rebuild(project, LocalEngine(1), today=TODAY + datetime.timedelta(days=1))
    checked.seed(record("a1", mentions=[mention("m1", 0, 3, score=1)]))
    build(checked)
    stale = validate_project(project, Request(today=TODAY)).notes
    assert stale == ["waivers.toml: waives 'mentions-scored', which nothing breaks any more; remove it"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("mentions.json", "{", "expectations/mentions.json: is not valid JSON"),
        ("relations/mentions_apart.sql", "SELEKT", "mentions_apart"),
        ("rules.toml", "[[rules", "rules.toml"),
    ],
)
def test_what_is_wrong_in_expectations_stops_a_rebuild_before_anything_is_changed(
    checked: ProjectFolder, name: str, text: str, says: str
) -> None:
    build(checked)
    before = {p: p.read_bytes() for p in (checked.root / "dataset").rglob("*") if p.is_file()}
    (checked.root / "expectations" / name).write_text(text)
    with pytest.raises(Exception, match=says) as told:
        build(checked)
    assert "\n" not in str(told.value)
    assert {p: p.read_bytes() for p in (checked.root / "dataset").rglob("*") if p.is_file()} == before


def test_a_kept_result_counts_only_for_equal_tables_suites_and_bytes(checked: ProjectFolder) -> None:
    build(checked)
    dataset = checked.root / "dataset"
    [result] = (dataset / "validation").glob("result-*.json")
    result.write_text(result.read_text().replace('"success": true', '"success": false'))
    built = build(checked)
    assert built.changed, "an edited result is not believed"
    assert '"success": false' not in result.read_text()


def test_a_suite_of_a_table_without_rows_is_named_as_not_run(checked: ProjectFolder) -> None:
    checked.seed(record("a1"))
    built = build(checked)
    assert built.validated is not None
    assert built.validated["expectations"] == 1
    done = validate_project(find_project(checked.root), Request())
    assert done.notes == ["expectations/mentions.json: not run; mentions has no rows"]


def test_a_release_without_suites_or_with_other_suites_than_its_own_is_refused(folder: ProjectFolder) -> None:
    folder.seed(record("a1"))
    build(folder)
    with pytest.raises(SuiteError, match="holds no suite; this release was built without: name a folder of suites with --suites"):
        validate_release(folder.root / "dataset", Request())
    with pytest.raises(SuiteError, match="holds no suite; `dateline suites` writes those that follow from schemas/"):
        validate_project(find_project(folder.root), Request())
    with pytest.raises(LoadError, match="no such file"):
        validate_release(folder.root, Request())


# ---- anybody's Parquet, anybody's suite ----------------------------------------------------------------------


def test_anybodys_parquet_with_anybodys_suite(tmp_path: Path) -> None:
    data, theirs = tmp_path / "data.parquet", tmp_path / "suite.json"
    pq.write_table(pa.table({"id": ["a", "b", "c"], "n": [1, None, -3]}), data)
    theirs.write_text(json.dumps({
        "name": "theirs",
        "expectations": [
            {"type": "expect_column_values_to_be_between", "kwargs": {"column": "n", "min_value": 0}},
            {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "id"}},
        ],
    }))  # fmt: skip
    done = validate_parquet([data], theirs, ["id"], Request())
    [finding] = done.findings
    assert (done.success, finding.rule, finding.rows, finding.count) == (False, "expect_column_values_to_be_between", ("c",), 1)
    assert finding.says == "expected column values to be between (column=n, min_value=0); there is -3"
    assert validate_parquet([data], theirs, [], Request()).findings[0].rows == ()


@pytest.mark.parametrize(
    ("suite", "says"),
    [
        ({"type": "expect_column_values_to_be_unique", "kwargs": {"column": "nn"}}, "nn"),
        ({"type": "expect_column_values_to_be_pretty", "kwargs": {"column": "n"}}, "expect_column_values_to_be_pretty"),
    ],
)
def test_a_check_that_cannot_be_made_is_no_failed_check(tmp_path: Path, suite: dict[str, Any], says: str) -> None:
    data, theirs = tmp_path / "data.parquet", tmp_path / "suite.json"
    pq.write_table(pa.table({"n": [1]}), data)
    theirs.write_text(json.dumps({"name": "theirs", "expectations": [suite]}))
    with pytest.raises(SuiteError, match=says) as told:
        validate_parquet([data], theirs, [], Request())
    assert "\n" not in str(told.value)
    data.write_bytes(data.read_bytes()[:-20])
    with pytest.raises(SuiteError) as told:
        validate_parquet([data], theirs, [], Request())
    assert "data.parquet" in str(told.value)
