"""DuckDB against pandas: the same expectations on tables at the edges give the same result, or the difference has a reason.

`python tests/differential.py 500 73` compares the same cases on 500 random tables, too, and prints every difference; which of
those stand for a reason is still to be decided, so no test runs it yet.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping

import pytest

from building import REPOSITORY
from differential import CASES, Difference, compare, differences, edge_tables, kind_of


def covers(known: Difference, case: str, table: str, field: str) -> bool:
    """Whether an entry speaks of a difference."""
    said = ((case, known.cases), (kind_of(table), known.tables), (field, known.fields))
    return all("*" in names or name in names for name, names in said)


def unexplained(found: Mapping[tuple[str, str, str], Mapping[str, object]]) -> list[str]:
    known = differences()
    return [
        f"{engine} {case} on {table}: {field} {values}"
        for (engine, case, table), fields in found.items()
        for field, values in fields.items()
        if not any(d.engine == engine and covers(d, case, table, field) for d in known)
    ]


@pytest.mark.slow
def test_edge_tables_give_equal_results_and_no_reason_is_stale() -> None:
    tables = edge_tables()
    found = compare(["duckdb", "pandas"], tables, {key: list(CASES) for key in tables})
    assert unexplained(found) == []
    for known in differences():
        assert known.reason
        for case in known.cases:
            there = [
                (engine, name, table)
                for (engine, name, table), fields in found.items()
                for field in fields
                if case in ("*", name) and covers(known, name, table, field)
            ]
            assert there, f"nothing differs any more as is said of {case}: {known.reason}"


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
