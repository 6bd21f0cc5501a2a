"""Starting suites: bounds well beyond what a first import looked like, that notice when a later state is far from it."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest

from building import MENTIONS
from dateline.rules import rules_from
from dateline.schema import Schemas, schemas_from
from dateline.validate.profile import Profile, profile_suites, share_bounds
from dateline.validate.suites import suites_from

SCHEMAS: Schemas = schemas_from({"mentions": json.dumps(MENTIONS).encode()})
PROFILE = Profile(
    rows={"articles": 10, "mentions": 100, "records": 10, "coverage": 10, "times": 0},
    labels={
        "mentions": {"label": {"PER": 80, "it's": 20, "back\\slash": 0}, "rare": {"x": 29}},
        "coverage": {"status": {"FULL": 99}},
    },
    texts=(100, 1000),
    spans={("mentions", "spans"): (1, 20)},
)


def relation(name: str, **tables: str) -> list[tuple[Any, ...]]:
    """The rows of a profiled relation over views that are given as SELECTs."""
    files = profile_suites(PROFILE, SCHEMAS)
    with duckdb.connect() as connection:
        for view, query in tables.items():
            connection.execute(f"CREATE VIEW {view} AS {query}")
        return sorted(connection.execute(files[f"relations/{name}.sql"].decode()).fetchall())


def test_the_files_are_suites_whose_rules_are_registered_warnings_that_say_what_was_seen() -> None:
    files = profile_suites(PROFILE, SCHEMAS)
    rules = rules_from(files["rules.toml"], "rules.toml")
    written = [e for suite in suites_from(files, "expectations") for e in suite.expectations]
    assert {e.rule for e in written} == rules.keys() and len(written) == 4
    for expectation in written:
        rule = rules[expectation.rule]
        assert (expectation.level, expectation.reason) == ("warning", rule.hint) and rule.level == "warning"
        assert rule.hint.startswith("Profiled from the first import")
    assert "100..1,000 characters seen" in rules["profiled-text-length"].hint
    assert files == profile_suites(PROFILE, SCHEMAS)


def test_a_table_may_lose_half_of_its_rows() -> None:
    rows = (
        "SELECT 'articles' AS table_name, 'train' AS split, 5 AS n "
        "UNION ALL SELECT 'mentions', 'train', {} UNION ALL SELECT 'mentions', 'test', 9"
    )
    assert relation("profile_rows", counted_rows=rows.format(41)) == [("articles", True), ("mentions", True)]
    assert relation("profile_rows", counted_rows=rows.format(40)) == [("articles", True), ("mentions", False)]


def test_a_label_that_takes_over_is_told_and_one_that_cannot_be_written_in_sql_is_left_out() -> None:
    counts = (
        "SELECT 'mentions' AS table_name, 'label' AS column_name, 'PER' AS label, {} AS n "
        "UNION ALL SELECT 'mentions', 'label', 'it''s', {}"
    )
    good = relation("profile_labels", counted_labels=counts.format(70, 30))
    assert good == [("mentions", "label", "PER", True), ("mentions", "label", "it's", True)]
    bad = relation("profile_labels", counted_labels=counts.format(50, 50))
    assert bad == [("mentions", "label", "PER", False), ("mentions", "label", "it's", False)]
    empty = relation("profile_labels", counted_labels=counts.format(0, 0))
    assert {row[3] for row in empty} == {None}  # nothing can be told of nothing


def test_a_span_may_be_twice_as_long_as_the_longest() -> None:
    spans = "SELECT 'a' AS article_id, 'm1' AS mention_id, 0 AS span_start, {} AS span_end UNION ALL SELECT 'a', 'm2', 5, 6"
    found = relation("profile_mentions_spans", mentions__spans=spans.format(40))
    assert found == [("a", "m1", True), ("a", "m2", True)]
    assert relation("profile_mentions_spans", mentions__spans=spans.format(41))[0] == ("a", "m1", False)


@pytest.mark.parametrize(
    ("n", "total", "bounds"),
    [(0, 1000, (0.0, 0.1)), (1000, 1000, (0.9, 1.0)), (500, 1_000_000, (0.0, 0.1005)), (50, 100, (0.35, 0.65))],
)
def test_a_share_may_move_by_a_tenth_or_three_standard_deviations(n: int, total: int, bounds: tuple[float, float]) -> None:
    assert share_bounds(n, total) == pytest.approx(bounds)
