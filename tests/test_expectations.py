"""expectations/ holds real Great Expectations suites for every table and rule, and the dataset meets them."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from building import REPOSITORY
from dateline.compile.tables import configs
from dateline.manifest import read_manifest
from dateline.project import Project
from dateline.rules import Rule, registry
from dateline.schema import Schemas, load_schemas
from dateline.validate.engine import open_engine
from dateline.validate.running import Options
from dateline.validate.suites import Suite, read_suites
from dateline.validate.views import dataset_views
from dateline.validate.waivers import NAME as WAIVERS
from dateline.validate.waivers import waivers_from


@pytest.fixture(scope="module")
def suites() -> list[Suite]:
    return read_suites(REPOSITORY / "expectations")


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return load_schemas(REPOSITORY / "schemas")


@pytest.fixture(scope="module")
def rules(schemas: Schemas) -> dict[str, Rule]:
    return registry(schemas, REPOSITORY / "expectations")


def test_every_rule_for_whole_tables_is_carried_by_a_suite_and_every_suite_carries_such_rules(
    suites: list[Suite], rules: dict[str, Rule]
) -> None:
    carried = {e.rule for suite in suites for e in suite.expectations}
    assert carried == {rule.id for rule in rules.values() if rule.stage == "validate"}


def test_an_expectation_says_what_the_registry_says_of_its_rule(suites: list[Suite], rules: dict[str, Rule]) -> None:
    for suite in suites:
        for written in suite.expectations:
            rule = rules[written.rule]
            assert (rule.level, rule.hint) == (written.level, written.reason), (suite.file, written.id)
    for rule in rules.values():  # a rule of this corpus is about a table that one of its suites is about
        if rule.stage == "validate" and rule.owner != "engine":
            assert rule.owner in {s.table for s in suites for e in s.expectations if e.rule == rule.id}, rule


def test_every_table_has_a_suite_and_every_suite_names_rows_by_columns_that_are_there(
    suites: list[Suite], schemas: Schemas, small_flagship: Project
) -> None:
    assert {suite.view for suite in suites} >= set(configs(schemas))
    manifest = read_manifest(small_flagship.dataset)
    for suite in suites:
        assert suite.key and (suite.relation or suite.view in manifest.tables)


@pytest.mark.slow(seconds=20)
def test_the_dataset_meets_all_suites_but_for_rows_that_are_waived(
    suites: list[Suite], flagship: Project, tmp_path: Path
) -> None:
    found = set()
    views = dataset_views(read_manifest(flagship.dataset), flagship.dataset)
    with open_engine("duckdb", views, Options(temp_directory=str(tmp_path))) as engine:
        for suite in suites:
            result = engine.validate(suite)
            assert len(result.results) == len(suite.expectations)
            for one, written in zip(result.results, suite.expectations, strict=True):
                if not one.success:
                    rows = one.result["partial_unexpected_index_list"]
                    found |= {(written.rule, "#".join(row[k] for k in suite.key)) for row in rows}
    raw = (REPOSITORY / "expectations" / WAIVERS).read_bytes()
    assert found == {(w.rule, row) for w in waivers_from(raw, WAIVERS, datetime.date(2026, 11, 28)) for row in w.rows}
