"""The engine spark on this corpus: relations give the rows that DuckDB gives, and validation says the same."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from building import REPOSITORY
from dateline.manifest import read_manifest
from dateline.validate.database import Database
from dateline.validate.engine import Options, open_engine
from dateline.validate.suites import Suite, read_suites
from dateline.validate.views import View, dataset_views

pytestmark = [
    pytest.mark.slow(seconds=170),
    pytest.mark.xdist_group("spark"),
    pytest.mark.skipif(not shutil.which("java"), reason="Spark needs Java 17 or newer"),
]
DATASET = REPOSITORY / "dataset"
LIMITS = Options(memory_limit="1GB", threads=2)
FEW_ROWS = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
"""For a few hundred rows planning again and compiling Java cost more than they bring; what is computed is the same."""
Rows = Counter[tuple[tuple[str, Any], ...]]


@pytest.fixture(scope="module")
def views() -> list[View]:
    return dataset_views(read_manifest(DATASET), DATASET)


@pytest.fixture(scope="module")
def spark(views: list[View]) -> Iterator[Any]:
    """The engine with this corpus, and with the one Spark session that all tests here use."""
    with open_engine("spark", views, LIMITS) as engine:
        session: Any = engine.session  # type: ignore[attr-defined]  # of this engine alone
        for name, value in FEW_ROWS.items():
            session.conf.set(name, value)
        yield engine


@pytest.fixture(scope="module")
def duckdb(views: list[View]) -> Iterator[Database]:
    database = Database(views, LIMITS)
    yield database
    database.close()


def counted(rows: list[dict[str, Any]]) -> Rows:
    def plain(value: Any) -> Any:
        return round(float(value), 9) if isinstance(value, float | Decimal) else value

    return Counter(tuple(sorted((name, plain(value)) for name, value in row.items())) for row in rows)


def test_every_relation_gives_equal_rows_on_spark_and_duckdb(spark: Any, duckdb: Database) -> None:
    relations = [suite for suite in read_suites(REPOSITORY / "expectations") if suite.relation]
    assert relations
    for suite in relations:
        query = str(suite.relation)
        ours = counted(duckdb.connection.sql(query).to_arrow_table().to_pylist())
        theirs = counted([row.asDict() for row in spark.session.sql(query).collect()])
        assert ours == theirs, suite.file


def one_of_each_type(suite: Suite) -> Suite:
    """The suite with one expectation of each type: hundreds of jobs fewer, each of which Spark plans and compiles anew."""
    first = {str(expectation.type): expectation for expectation in reversed(suite.expectations)}
    return replace(suite, expectations=tuple(e for e in suite.expectations if first[str(e.type)] is e))


def test_of_every_plain_suite_each_type_says_the_same_on_spark_as_on_duckdb(spark: Any, views: list[View]) -> None:
    suites = [one_of_each_type(suite) for suite in read_suites(REPOSITORY / "expectations") if not suite.relation]
    assert len(suites) > 10 and sum(len(suite.expectations) for suite in suites) > 100
    with open_engine("duckdb", views, LIMITS) as duck:
        for suite in suites:
            ours, theirs = (
                [(r.success, r.result.get("unexpected_count") or 0) for r in engine.validate(suite).results]
                for engine in (duck, spark)
            )
            assert theirs == ours, suite.file
            assert all(success for success, _ in theirs)
