"""Suites on DuckDB, which reads Parquet as it lies; and on pandas, which gets its frames from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dateline.validate.database import Database, quoted
from dateline.validate.fitting import misfit_of_pandas
from dateline.validate.running import Engine, Options, quiet, versions_of
from dateline.validate.suites import Expectation, Suite
from dateline.validate.views import View


class _OnDuck(Engine):
    """What engines share that read the views through DuckDB."""

    def __init__(self, views: Sequence[View], options: Options) -> None:
        super().__init__(options)
        self.database = Database(views, options)

    def close(self) -> None:
        self.database.close()

    def _views(self) -> list[str]:
        return self.database.relations()

    def _columns(self, view: str) -> dict[str, str]:
        return self.database.columns(view)

    def forget(self, suite: Suite) -> None:
        """Drop the table of a suite's relation."""
        if suite.view in self._relations:
            self._relations.remove(suite.view)
            self.database.drop_relation(suite.view)

    def _add_relation(self, suite: Suite) -> None:
        self.database.add_relation(suite.view, suite.relation or "", suite.file.removesuffix(".json") + ".sql")


class DuckEngine(_OnDuck):
    """DuckDB on Parquet: nothing is loaded, memory is bounded, what does not fit is spilled."""

    name = "duckdb"
    _nameless = frozenset({"expect_compound_columns_to_be_unique"})

    def __init__(self, views: Sequence[View], options: Options) -> None:
        super().__init__(views, options)
        from dateline.validate import duck  # announces the driver

        url = f"postgresql+{duck.DuckDialect.driver}:///{self.database.name}"
        with quiet():  # it advises its own class for PostgreSQL, which wants another driver
            self.source = self.context.data_sources.add_sql(self.database.name, connection_string=url, create_temp_table=False)
        self._batches: dict[str, Any] = {}

    @property
    def versions(self) -> dict[str, str]:
        """Versions of Great Expectations, DuckDB and SQLAlchemy."""
        return versions_of("great_expectations", "duckdb", "sqlalchemy")

    def _batch(self, view: str) -> Any:
        if view not in self._batches:
            with quiet():
                asset = self.source.add_table_asset(view, table_name=quoted(view))
                self._batches[view] = asset.add_batch_definition_whole_table("all").get_batch()
        return self._batches[view]


class PandasEngine(_OnDuck):
    """pandas in memory; the views and relations are DuckDB's. It is here to compare with, and for whoever trusts it more."""

    name = "pandas"

    @property
    def versions(self) -> dict[str, str]:
        """Versions of Great Expectations, pandas and DuckDB."""
        return versions_of("great_expectations", "pandas", "duckdb")

    def __init__(self, views: Sequence[View], options: Options) -> None:
        super().__init__(views, options)
        with quiet():
            self.source = self.context.data_sources.add_pandas(self.database.name)
        self._frames: dict[str, Any] = {}
        self._batches: dict[str, Any] = {}

    def _frame(self, view: str) -> Any:
        if view not in self._frames:
            self._frames[view] = self.database.frame(view)
        return self._frames[view]

    def _wrong(self, view: str, columns: dict[str, str], expectation: Expectation) -> str:
        return misfit_of_pandas(expectation, columns, self._frame(view))

    def _batch(self, view: str) -> Any:
        if view not in self._batches:
            with quiet():
                definition = self.source.add_dataframe_asset(view).add_batch_definition_whole_dataframe("all")
                self._batches[view] = definition.get_batch(batch_parameters={"dataframe": self._frame(view)})
        return self._batches[view]
