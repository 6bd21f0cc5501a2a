"""Engines against each other: on random and edge tables an expectation gives the same result, or the difference has a reason.

Here each case meets some of 130 random tables, of 500 with `make test-thorough`; `python tests/differential.py` compares all.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from dataclasses import replace

import pytest

from building import REPOSITORY, THOROUGH
from dateline.validate.engine import open_engine
from dateline.validate.views import View
from differential import (
    CASES,
    OPTIONS,
    answers,
    compare,
    differences,
    drawn,
    edge_tables,
    quick_gx,
    random_tables,
    stale,
    unexplained,
)

TABLES, MOST, PARTS, TIMES = (500, 7, 4, 40) if THOROUGH else (130, 7, 2, 10)
DRAWN = dict(enumerate(drawn(TABLES, MOST)))


@pytest.mark.slow(seconds=50 if THOROUGH else 25)
@pytest.mark.parametrize("part", range(PARTS))
def test_random_tables_give_equal_results(part: int) -> None:
    tables = random_tables(range(part, TABLES, PARTS))
    with quick_gx():
        found = compare(["duckdb", "pandas"], tables, {f"random_{n}": cases for n, cases in DRAWN.items()})
    assert len(found) == sum(len(DRAWN[n]) for n in range(part, TABLES, PARTS))
    assert unexplained(found) == []


@pytest.mark.slow(seconds=40)
def test_edge_tables_give_equal_results_and_no_reason_is_stale() -> None:
    some = random_tables(range(14))
    named = [c for d in differences() if d.engine == "pandas" and "random" in d.tables for c in d.cases]
    edges = edge_tables()
    cases = {name: list(CASES) for name in edges} | dict.fromkeys(some, named)
    with quick_gx():
        found = compare(["duckdb", "pandas"], edges | some, cases)
    assert unexplained(found) == []
    assert stale(found, "pandas") == []


def test_every_case_meets_many_random_tables() -> None:
    met = Counter(case for cases in DRAWN.values() for case in cases)
    assert met.keys() == CASES.keys()
    assert min(met.values()) >= TIMES


@pytest.mark.slow
def test_samples_asked_for_at_once_and_the_quicker_gx_change_no_answer() -> None:
    tables = random_tables([5])
    views = [View(name, rows=table) for name, table in tables.items()]
    said = []
    for options in (OPTIONS, replace(OPTIONS, counts_first=True)):
        with open_engine("duckdb", views, options) as engine:
            said.append(answers(engine, "random_5", list(CASES), {"kl"}))
    with quick_gx(), open_engine("duckdb", views, OPTIONS) as engine:
        said.append(answers(engine, "random_5", list(CASES), {"kl"}))
    assert said[0] == said[1] == said[2]


def test_every_entry_has_a_reason_and_names_an_engine() -> None:
    for known in differences():
        assert known.reason and known.engine in ("pandas", "spark")
        assert set(known.cases) <= {"*", *CASES}
        assert set(known.tables) <= {"*", "random", *edge_tables()}


def test_every_type_in_use_and_thirty_more_are_compared() -> None:
    written = [json.loads(p.read_bytes()) for p in (REPOSITORY / "expectations").rglob("*.json")]
    used = {e["type"] for suite in written for e in suite["expectations"]}
    compared = {kind for kind, _ in CASES.values()}
    assert used <= compared
    assert len(compared - used) >= 30


def test_the_version_of_great_expectations_that_was_compared_is_the_one_allowed() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    [pinned] = [d for d in project["project"]["optional-dependencies"]["build"] if d.startswith("great-expectations")]
    [locked] = [v for v in (REPOSITORY / "constraints.txt").read_text().splitlines() if v.lower().startswith("great")]
    assert pinned == "great-expectations>=1.24,<1.25"
    assert locked.partition("==")[2].startswith("1.24.")
