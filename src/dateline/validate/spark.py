"""Suites on Spark: a session of its own on this machine or at a master, views as temporary views, relations in Spark's SQL."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession, functions
from pyspark.sql.types import StructType

from dateline.errors import SuiteError
from dateline.spark import NoSpark, has_java, open_session
from dateline.validate.database import first_line, one_select
from dateline.validate.running import Engine, Options, quiet, versions_of
from dateline.validate.suites import Suite
from dateline.validate.views import View

# functions that call any method of Java
_REFLECTION = re.compile(r"\b(?:(?:try_)?reflect|java_method)\b", re.IGNORECASE)


class SparkEngine(Engine):
    """Spark on this machine, or at `master` (`spark://host:7077`).

    The views are read by Spark from Parquet, the relations run in Spark's SQL. A session that is there already is used,
    and left running. At a master the Parquet files must lie where all workers see them under the same path.
    """

    name = "spark"

    def __init__(self, views: Sequence[View], options: Options, master: str | None = None) -> None:
        super().__init__(options)
        self._master = master
        if not has_java():
            raise SuiteError("engine spark needs Java 17 or newer; no `java` is on the PATH, and JAVA_HOME is not set")
        self.folder = Path(tempfile.mkdtemp(prefix="dateline-spark-", dir=options.temp_directory))
        self.ours = SparkSession.getActiveSession() is None
        self.views: dict[str, Any] = {}
        self._batches: dict[str, Any] = {}
        try:
            self.session = self._start()
            for view in views:
                self._add(view)
            with quiet():
                self.source = self.context.data_sources.add_spark(f"spark_{id(self)}", persist=True)
        except BaseException:
            self.close()
            raise

    def _start(self) -> Any:
        settings = {"spark.driver.memory": _jvm(self.options.memory_limit), "spark.sql.runSQLOnFiles": "false"}
        if self._master is None:  # a master's own settings know how many partitions suit its workers
            settings["spark.sql.shuffle.partitions"] = str(self.options.threads or os.cpu_count() or 1)
        try:
            return open_session(self._master or f"local[{self.options.threads or '*'}]", self.folder, settings)
        except NoSpark as fault:
            where = f" at {self._master}: {fault}" if self._master else f": {fault}; it needs Java 17 or newer"
            raise SuiteError(f"engine spark cannot start{where}") from None

    def _add(self, view: View) -> None:
        try:
            if view.parquet:
                frame = self.session.read.parquet(*(_no_glob(p.absolute()) for p in view.parquet))
            elif view.rows is not None:
                frame = self._shipped(view.name, view.rows)
            else:
                frame = self.session.sql(
                    one_select(view.query, f"the query of view {view.name}") if not view.spark else view.spark
                )
        except PySparkException as fault:
            names = ", ".join(map(str, view.parquet))
            what = f"{names}: cannot be read as Parquet" if names else f"the query of view {view.name} does not run"
            raise SuiteError(f"{what}: {first_line(fault)}") from None
        frame.createOrReplaceTempView(view.name)
        self.views[view.name] = frame

    def _shipped(self, name: str, rows: pa.Table) -> Any:
        """A few rows as a frame: a worker of a master does not see our folder, so they travel with the tasks."""
        if self._master is not None:
            return self.session.createDataFrame(rows)
        path = self.folder / f"{name}.parquet"
        pq.write_table(rows, path)
        return self.session.read.parquet(str(path))

    @property
    def versions(self) -> dict[str, str]:
        """Versions of Great Expectations and Spark."""
        return versions_of("great_expectations", "pyspark")

    def _views(self) -> list[str]:
        return sorted(self.views)

    def _columns(self, view: str) -> dict[str, str]:
        return dict(self.views[view].dtypes)

    def _add_relation(self, suite: Suite) -> None:
        file = suite.file.removesuffix(".json") + ".sql"
        query = one_select(suite.relation or "", file)
        if _REFLECTION.search(query):
            raise SuiteError(f"{file}: calls methods of Java, which a relation must not")
        try:
            frame = self.session.sql(query).cache()
        except PySparkException as fault:
            raise SuiteError(f"{file}: the relation does not run: {first_line(fault)}") from None
        frame.createOrReplaceTempView(suite.view)
        self.views[suite.view] = frame

    def _batch(self, view: str) -> Any:
        if view not in self._batches:
            with quiet():
                definition = self.source.add_dataframe_asset(view).add_batch_definition_whole_dataframe("all")
                self._batches[view] = definition.get_batch(batch_parameters={"dataframe": _flat(self.views[view])})
        return self._batches[view]

    def close(self) -> None:
        """Stop the session if it is ours, and remove the folder."""
        session = getattr(self, "session", None)
        if session is not None:
            for name, frame in self.views.items():
                frame.unpersist()
                session.catalog.dropTempView(name)
            if self.ours:
                session.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _flat(frame: Any) -> Any:
    """The frame with JSON for each struct: Great Expectations takes the fields of a struct for further columns."""
    structs = {f.name: functions.to_json(frame[f.name]) for f in frame.schema.fields if isinstance(f.dataType, StructType)}
    return frame.withColumns(structs) if structs else frame


def _jvm(limit: str) -> str:
    """A limit as DuckDB writes it ("2GB", "512 MiB") as the JVM does; raises SuiteError for another spelling."""
    found = re.fullmatch(r"\s*([0-9]+)\s*([KMGT])(?:i?B)?\s*", limit, re.IGNORECASE)
    if not found:
        raise SuiteError(f"{limit!r} is no memory limit of Spark; write it as 2GB or 512MB")
    return found[1] + found[2].lower()


def _no_glob(path: Path) -> str:
    return "".join(f"\\{c}" if c in "*?[]{}\\" else c for c in str(path))
