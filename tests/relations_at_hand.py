"""Views of a dataset in DuckDB alone: over its files, or over a few rows written in a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from dateline.compile.tables import configs, features
from dateline.manifest import Manifest, TableFacts
from dateline.schema import SPAN_TYPE, Schemas
from dateline.validate.views import View, arrow_type_of, dataset_views

Json = dict[str, Any]
Row = dict[str, Any]


def connect(views: Sequence[View]) -> duckdb.DuckDBPyConnection:
    """A database that has all views."""
    database = duckdb.connect()
    for view in views:
        if view.parquet:
            database.execute(f'CREATE VIEW "{view.name}" AS SELECT * FROM read_parquet({[str(p) for p in view.parquet]})')
        elif view.rows is not None:
            rows = view.rows  # noqa: F841  named by the query
            database.execute(f'CREATE TABLE "{view.name}" AS SELECT * FROM rows')
        else:
            database.execute(f'CREATE VIEW "{view.name}" AS {view.query}')
    return database


def select(database: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    """The rows of a query."""
    found = database.execute(query)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def empty_manifest(schemas: Schemas) -> Manifest:
    """The manifest of a dataset without a row."""
    tables = {name: TableFacts(0, {}, {}, "", features(name, schemas)) for name in configs(schemas)}
    splits = {"mode": "computed", "quotas": {}}
    return Manifest("small", "0.0.0", "articles", "", "", tables, {"path": "README.md"}, splits, {}, {})


def views_of(tables: Mapping[str, Sequence[Json]], schemas: Schemas) -> list[View]:
    """Views over rows in which fields may be left out, and spans are written [start, end, surface?]."""
    manifest = empty_manifest(schemas)
    made = []
    for view in dataset_views(manifest, Path()):
        if view.name in tables:
            kinds = arrow_type_of(manifest.tables[view.name].features, view.name)
            rows = [{f.name: _value(row.pop(f.name, None), f.type) for f in kinds} for row in map(dict, tables[view.name])]
            view = replace(view, rows=pa.Table.from_pylist(rows, kinds))
        made.append(view)
    return made


def _value(written: Any, kind: pa.DataType) -> Any:
    if written is None:
        return [] if pa.types.is_list(kind) else None
    if pa.types.is_list(kind):
        return [_value(inner, kind.value_type) for inner in written]
    if kind.equals(SPAN_TYPE):
        return dict(zip(("start", "end", "surface"), [*written, None][:3], strict=True))
    return written
