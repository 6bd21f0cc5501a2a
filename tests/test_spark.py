"""The engine spark on a small corpus: relations give the rows that DuckDB gives, and validation says the same.

Spark needs seconds for what DuckDB does at once, so of the plain suites some expectations of each type are tried; all with
`make test-thorough`.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from building import REPOSITORY, THOROUGH
from dateline.manifest import read_manifest
from dateline.project import Project
from dateline.validate.database import Database
from dateline.validate.engine import open_engine
from dateline.validate.running import Options
from dateline.validate.suites import Suite, read_suites
from dateline.validate.views import View, dataset_views

pytestmark = [
    pytest.mark.slow(seconds=170),
    pytest.mark.skipif(not shutil.which("java"), reason="Spark needs Java 17 or newer"),
]
LIMITS = Options(memory_limit="1GB", threads=2)
FEW_ROWS = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.files.minPartitionNum": "1",
    "spark.sql.files.openCostInBytes": "1",
    "spark.sql.shuffle.partitions": "1",
}
"""For a few hundred rows planning again, Java and further tasks cost more than they bring; what is computed is the same."""
Rows = Counter[tuple[tuple[str, Any], ...]]


@pytest.fixture(scope="module")
def views(small_flagship: Project) -> list[View]:
    return dataset_views(read_manifest(small_flagship.dataset), small_flagship.dataset)


@pytest.fixture(scope="module")
def spark(views: list[View]) -> Iterator[Any]:
    """The engine with this corpus, on a Java that compiles quickly rather than well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto")
        engine = open_engine("spark", views, LIMITS)
    with engine:
        session: Any = engine.session  # type: ignore[attr-defined]  # of this engine alone
        for name, value in FEW_ROWS.items():
            session.conf.set(name, value)
        for name in (
            "counted_rows",
            "counted_labels",
        ):  # Spark counts anew wherever a relation names them, and has a plan for each
            engine.views[name].cache()  # type: ignore[attr-defined]
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


def test_relations_and_plain_suites_say_the_same_on_spark_as_on_duckdb(spark: Any, duckdb: Database, views: list[View]) -> None:
    """One test, as a Spark session takes long to start, and each process of the tests would start its own."""
    suites = read_suites(REPOSITORY / "expectations")
    relations = [suite for suite in suites if suite.relation]
    relations_give_equal_rows(relations, spark, duckdb)
    plain_suites_say_the_same(some_of_each_type([suite for suite in suites if not suite.relation]), spark, views)


def relations_give_equal_rows(relations: list[Suite], spark: Any, duckdb: Database) -> None:
    assert relations
    for suite in relations:
        query = str(suite.relation)
        ours = counted(duckdb.connection.sql(query).to_arrow_table().to_pylist())
        theirs = counted([row.asDict() for row in spark.session.sql(query).collect()])
        assert ours == theirs, suite.file


def some_of_each_type(suites: list[Suite]) -> list[Suite]:
    """The suites with some expectations of each type, all in all: Spark plans each anew, as a job of its own."""
    seen: Counter[str] = Counter()
    found = []
    for suite in suites:
        kept = []
        for expectation in suite.expectations:
            seen[expectation.type] += 1
            if THOROUGH or seen[expectation.type] <= 2:
                kept.append(expectation)
        found += [replace(suite, expectations=tuple(kept))] if kept else []
    assert len(seen) >= 8, seen
    return found


def plain_suites_say_the_same(suites: list[Suite], spark: Any, views: list[View]) -> None:
    with open_engine("duckdb", views, LIMITS) as duck:
        for suite in suites:
            ours, theirs = (
                [(r.success, r.result.get("unexpected_count") or 0) for r in engine.validate(suite).results]
                for engine in (duck, spark)
            )
            assert theirs == ours, suite.file
            assert all(success for success, _ in theirs)
