"""Suites, relations and waivers as they are written: what is read, and what is refused in one clear line."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from dateline.errors import SuiteError
from dateline.validate.fitting import misfit
from dateline.validate.suites import read_suite, read_suites, suites_from
from dateline.validate.waivers import waivers_from

ID = "768a10a2-ff1f-59c8-b191-885b44628c76"
OTHER = "5cccb803-9d54-548c-8f98-14f0da819900"
META = {"rule": "names-present", "level": "error", "reason": "A row without a name is nobody's."}


def expectation(**changed: Any) -> dict[str, Any]:
    made = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "name"}, "id": ID, "meta": META}
    return {k: v for k, v in (made | changed).items() if v is not ...}


def suite(*expectations: dict[str, Any], **changed: Any) -> bytes:
    return json.dumps({"name": "people", "id": OTHER, "expectations": list(expectations or [expectation()]), **changed}).encode()


def test_a_suite_says_its_table_rules_and_columns() -> None:
    [read] = suites_from({"people.json": suite(expectation(), meta={"key": ["article_id", "person_id"]})}, "expectations")
    assert (read.view, read.table, read.file, read.key) == (
        "people",
        "people",
        "expectations/people.json",
        ("article_id", "person_id"),
    )
    [written] = read.expectations
    assert (written.id, written.rule, written.level, written.columns) == (ID, "names-present", "error", ("name",))


def test_a_relation_is_a_query_and_its_suite() -> None:
    related = suite(name="people_facts", meta={"table": "people", "key": ["article_id"]})
    sources = {"relations/people_facts.json": related, "relations/people_facts.sql": b"SELECT 1 AS name"}
    [read] = suites_from(sources, "expectations")
    assert (read.view, read.table, read.relation) == ("people_facts", "people", "SELECT 1 AS name")
    for name in sources:
        with pytest.raises(SuiteError, match=r"has no people_facts\.(sql|json) beside it"):
            suites_from({name: sources[name]}, "expectations")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{", "people.json: is not valid JSON"),
        (b"[]", 'is no Great Expectations suite; it is an object with a list "expectations"'),
        (b'{"name": "people", "expectations": []}', "holds no expectation, and would be green whatever the data"),
        (suite(name="persons"), "is called 'persons', but a suite has the name of its file: 'people'"),
        (suite(meta=[]), "meta is a list, but must be an object"),
        (suite(meta={"key": "name"}), "meta.key a list of columns"),
        (suite(expectation(id=...)), r"\$\.expectations\[0\]: id is None, but each expectation has a stable id"),
        (suite(expectation(id="1")), "id is '1', but each expectation has a stable id, a UUID"),
        (suite(expectation(), expectation()), f"two expectations have the id '{ID}'"),
        (suite(expectation(meta=...)), "meta must say rule, level and reason; it says nothing"),
        (suite(expectation(meta={**META, "level": "bad"})), "meta.level is 'bad', but must be error or warning"),
        (suite(expectation(type="be_nice")), "type is 'be_nice', which names no expectation"),
        (suite(expectation(kwargs=[])), "kwargs and meta must be objects"),
    ],
)
def test_what_is_no_suite_of_ours_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(SuiteError, match=says) as told:
        suites_from({"people.json": raw}, "expectations")
    assert str(told.value).startswith("expectations/people.json")
    assert "\n" not in str(told.value)


def test_an_id_stands_once_in_all_suites() -> None:
    with pytest.raises(SuiteError, match="expectations: two expectations have the id"):
        suites_from({"people.json": suite(), "persons.json": suite(name="persons")}, "expectations")


def test_anybodys_suite_needs_no_ids_and_may_be_of_the_old_form(tmp_path: Path) -> None:
    old = {
        "expectation_suite_name": "default",
        "expectations": [{"expectation_type": "expect_column_to_exist", "kwargs": {"column": "a"}, "meta": {}}] * 2,
    }
    path = tmp_path / "My suite.json"
    path.write_text(json.dumps(old))
    read = read_suite(path)
    assert (read.view, read.ours) == ("data", False)
    assert [e.rule for e in read.expectations] == ["expect_column_to_exist"] * 2
    assert len({e.id for e in read.expectations}) == 2
    assert [e.id for e in read.expectations] == [e.id for e in read_suite(path).expectations]
    assert read.written["expectations"][0]["type"] == "expect_column_to_exist"
    with pytest.raises(SuiteError, match=r"nothing.json: cannot be read: No such file"):
        read_suite(tmp_path / "nothing.json")


def test_a_folder_without_suites_has_none(tmp_path: Path) -> None:
    assert read_suites(tmp_path / "nowhere") == []


# ---- waivers -------------------------------------------------------------------------------------------------

TODAY = datetime.date(2030, 1, 15)
WAIVER = """
[[waivers]]
rule = "names-present"
rows = ["a1#p1"]
owner = "desk"
reason = "the name is under embargo"
expires = 2030-01-15
"""


def test_a_waiver_holds_through_its_last_day() -> None:
    [waiver] = waivers_from(WAIVER.encode(), "waivers.toml", TODAY)
    assert (waiver.rule, waiver.rows, waiver.expires) == ("names-present", ("a1#p1",), TODAY)
    with pytest.raises(
        SuiteError, match=r"waivers\[0\]: the waiver of names-present by desk expired on 2030-01-15; mend the rows"
    ):
        waivers_from(WAIVER.encode(), "waivers.toml", TODAY + datetime.timedelta(days=1))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[[waivers]]", "[[waivers", "is not valid TOML"),
        ("[[waivers]]", "[waivers]", "waivers is no list"),
        ('owner = "desk"', "", "lacks owner"),
        ('reason = "the name is under embargo"', 'reason = " "', "lacks reason"),
        ("2030-01-15", '"soon"', "expires is 'soon', but must be a day"),
        ('["a1#p1"]', '"a1#p1"', "rows must be a list of row ids"),
        ("owner", "ower", "has ower; a waiver says rule, rows, owner"),
    ],
)
def test_a_waiver_that_says_too_little_is_refused(old: str, new: str, says: str) -> None:
    with pytest.raises(SuiteError, match=says):
        waivers_from(WAIVER.replace(old, new, 1).encode(), "waivers.toml", TODAY)


@pytest.mark.parametrize(
    ("kind", "refused"),
    [
        ("expect_column_values_to_be_between", True),
        ("expect_column_proportion_of_unique_values_to_be_between", False),  # the bounds are shares, not values
        ("expect_column_unique_value_count_to_be_between", False),
    ],
)
def test_bounds_are_compared_with_a_column_only_where_they_are_values(kind: str, refused: bool) -> None:
    asked = expectation(type=kind, kwargs={"column": "name", "min_value": 0.1})
    [read] = suites_from({"people.json": suite(asked)}, "expectations")
    assert ("which compares with strings" in misfit(read.expectations[0], {"name": "VARCHAR"})) is refused
