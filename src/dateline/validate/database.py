"""One DuckDB database in memory: the views that suites and relations name, and nothing else that could be reached from SQL."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from dateline.errors import SuiteError, printable
from dateline.validate.apart import keeps_apart
from dateline.validate.parts import Part, key_queries, parts_of, shadows
from dateline.validate.running import Options
from dateline.validate.views import View

_numbers = itertools.count()
_MOST_STRAYS = 10_000
"""With more articles in several shards than this, shards say nothing of where articles are."""


class Database:
    """Views over Parquet files, rows and queries; closes with `close()`, which removes its spill folder.

    SQL comes from files that may be a stranger's (the relations of somebody's release). So before the first of it runs, the
    database is locked: it reads the views' files alone, writes nothing but its spill folder, loads no extension, sees no variable
    of Python.
    """

    def __init__(self, views: Sequence[View], options: Options) -> None:
        self.name = f":memory:dateline_{os.getpid()}_{next(_numbers)}"
        try:
            self.spill = Path(tempfile.mkdtemp(prefix="dateline-spill-", dir=options.temp_directory))
        except OSError as fault:
            raise SuiteError(f"{options.temp_directory}: no folder for spilling can be made there: {fault.strerror}") from None
        self.views, self._size = views, options.part
        self.connection = duckdb.connect(self.name)
        try:
            self._open(views, options)
        except BaseException:
            self.close()
            raise

    def _open(self, views: Sequence[View], options: Options) -> None:
        settings = {
            "memory_limit": options.memory_limit,
            "temp_directory": str(self.spill),
            "threads": options.threads,
            "TimeZone": "UTC",
            "python_enable_replacements": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_progress_bar": False,
        }
        for key, value in settings.items():
            if value is not None:
                try:
                    self.connection.execute(f"SET {key} = {_text(value)}")
                except duckdb.Error as fault:
                    raise SuiteError(f"{value!r} is no {key.replace('_', ' ')}: {first_line(fault)}") from None
        # a path is looked up as a pattern first, then opened as a name
        paths = {str(p.absolute()) for v in views for p in v.parquet}
        files = sorted(paths | {_no_glob(p) for p in paths})
        for view in views:
            self._add(view)
        self.connection.execute(f"SET allowed_paths = [{', '.join(map(_text, files))}]")
        self.connection.execute("SET enable_external_access = false")
        self.connection.execute("SET lock_configuration = true")

    def _add(self, view: View) -> None:
        if view.parquet:
            source = _read(view.parquet)
        elif view.rows is not None:
            self.connection.register("_rows", view.rows)
            self.connection.execute(f"CREATE TABLE {quoted(view.name)} AS SELECT * FROM _rows")
            self.connection.unregister("_rows")
            return
        else:
            source = one_select(view.query, f"the query of view {view.name}")
        try:
            self.connection.execute(f"CREATE VIEW {quoted(view.name)} AS {source}")
        except duckdb.Error as fault:
            if not view.parquet:
                raise SuiteError(f"the query of view {view.name} does not run: {first_line(fault)}") from None
            raise SuiteError(f"{self._unreadable(view)}: cannot be read as Parquet: {first_line(fault)}") from None

    def _unreadable(self, view: View) -> str:
        """The first file of a view that cannot be opened; all of them where each one can."""
        for path in view.parquet:
            try:
                self.connection.execute(f"SELECT 1 FROM read_parquet({_text(_no_glob(str(path.absolute())))}) LIMIT 0")
            except duckdb.Error:
                return str(path)
        return ", ".join(map(str, view.parquet))

    def relations(self) -> list[str]:
        """Names of all views and tables."""
        return [name for (name,) in self._rows("SELECT table_name FROM information_schema.tables ORDER BY 1")]

    def columns(self, view: str) -> dict[str, str]:
        """The columns of a view with their types as DuckDB spells them; empty where there is no such view."""
        query = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? AND NOT internal ORDER BY column_index"
        return dict(self._rows(query, view))

    def _rows(self, query: str, *values: str) -> list[Any]:
        try:
            found: list[Any] = self.connection.execute(query, values).fetchall()
        except duckdb.Error as fault:
            raise SuiteError(f"DuckDB cannot work within these limits: {first_line(fault)}") from None
        return found

    def add_relation(self, name: str, query: str, file: str) -> None:
        """Run a check relation once, and keep its rows under its name.

        Raises SuiteError where it is not one SELECT, or does not run.
        """
        select = one_select(query, file)
        into = f"CREATE TABLE {quoted(name)} AS"
        try:
            for part in self._parts if self.in_parts(select) else [None]:
                head = shadows(self.views, part, select, _read) if part else ""
                self.connection.execute(f"{into} {head}SELECT * FROM (\n{select}\n)" if head else f"{into} {select}")
                into = f"INSERT INTO {quoted(name)}"
        except duckdb.Error as fault:
            self.connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
            raise SuiteError(f"{file}: the relation does not run: {first_line(fault)}") from None

    def drop_relation(self, name: str) -> None:
        """Give back what the rows of a relation take."""
        self.connection.execute(f"DROP TABLE {quoted(name)}")

    @cached_property
    def _cut(self) -> list[Part]:
        """The dataset in parts, as names of files say."""
        return parts_of(self.views, self._size)

    @cached_property
    def _parts(self) -> list[Part | None]:
        """The dataset in parts that no article is in two of; None alone is all of it at once."""
        import numpy as np

        parts = self._cut
        each = [self.connection.execute(query).fetchnumpy()["h"] for query in key_queries(self.views, parts, _read)]
        hashes, times = np.unique(np.concatenate(each), return_counts=True)
        strays = tuple(hashes[times > 1].tolist())
        if len(strays) > _MOST_STRAYS:
            return [None]
        apart: list[Part | None] = [replace(part, hashes=strays) for part in parts]
        rest = Part(frozenset().union(*(part.files for part in parts)), strays, only=True)
        return [*apart, rest] if strays else apart

    def in_parts(self, select: str) -> bool:
        """Whether a query runs on some articles at a time."""
        if len(self._cut) < 2:
            return False
        (tree,) = self._rows("SELECT json_serialize_sql(?)", select)[0]
        apart = {view.name for view in self.views if view.apart and (view.rows is None or not view.rows.num_rows)}
        whole = {view.name for view in self.views} - apart  # read as they are, of all articles
        return keeps_apart(tree, apart, whole, *self._functions)

    @cached_property
    def _functions(self) -> tuple[set[str], set[str]]:
        return functions(self.connection)

    def frame(self, view: str) -> Any:
        """The rows of a view as a pandas DataFrame: Int64 and boolean, which know NULL; float64, str, datetime64, Python's dates.

        Great Expectations reads a date in a suite as Python's, which pandas compares with no datetime64.
        """
        import pandas as pd
        import pyarrow as pa

        nullable = {
            pa.bool_(): pd.BooleanDtype(),
            **{getattr(pa, f"{u}int{n}")(): getattr(pd, f"{u.upper()}Int{n}Dtype")() for n in (8, 16, 32, 64) for u in ("", "u")},
        }
        try:
            table = self.connection.sql(f"SELECT * FROM {quoted(view)}").to_arrow_table()
        except duckdb.Error as fault:
            raise SuiteError(f"{view}: cannot be read: {first_line(fault)}") from None
        return table.to_pandas(types_mapper=nullable.get)

    def close(self) -> None:
        """Free the memory and remove the spill folder."""
        from dateline.validate import duck

        duck.close(self.name)
        self.connection.close()
        shutil.rmtree(self.spill, ignore_errors=True)


@contextlib.contextmanager
def opened(views: Sequence[View], options: Options) -> Iterator[Database]:
    """A database, closed at the end."""
    database = Database(views, options)
    try:
        yield database
    finally:
        database.close()


def functions(connection: duckdb.DuckDBPyConnection) -> tuple[set[str], set[str]]:
    """The names of functions of a row that follow from their arguments alone, and of those of a group."""
    found = connection.execute("SELECT DISTINCT function_name, function_type, stability FROM duckdb_functions()").fetchall()
    named = {kind: {name for name, other, _ in found if other == kind} for kind in ("scalar", "aggregate")}
    others = {name for name, _, stability in found if stability not in (None, "CONSISTENT")}
    return named["scalar"] - others, named["aggregate"]


def one_select(query: str, file: str) -> str:
    """The one SELECT that a query is, without what could end it.

    Raises SuiteError where it does not parse, is more than one statement, another one, or has parameters.
    """
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as fault:
        raise SuiteError(f"{file}: is not SQL: {first_line(fault)}") from None
    kinds = [s.type for s in statements]
    if kinds != [duckdb.StatementType.SELECT]:
        found = ", ".join(k.name for k in kinds) or "nothing"
        raise SuiteError(f"{file}: must be one SELECT, and is {found}")
    if statements[0].named_parameters:
        raise SuiteError(f"{file}: has parameters, but nothing gives them values")
    # the line end ends a comment on the last line
    return f"{statements[0].query.strip().rstrip(';')}\n"


def first_line(fault: BaseException) -> str:
    """The first line of a fault that says something."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return printable(lines[0] if lines else type(fault).__name__)


def quoted(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def _read(files: Collection[Path]) -> str:
    names = ", ".join(_text(_no_glob(str(path.absolute()))) for path in files)
    return f"SELECT * FROM read_parquet([{names}], hive_partitioning = false)"


def _text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _no_glob(path: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in path)
