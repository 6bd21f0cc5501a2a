"""What suites and relations can name: a view for each table, for the items of each list, and for what the manifest says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa


@dataclass(frozen=True)
class View:
    """One named set of rows: of Parquet files, of a few rows in memory, or of a query over views named before it.

    Names and columns are lower-case identifiers. `spark` is the query in Spark's SQL where it differs from DuckDB's.
    """

    name: str
    parquet: tuple[Path, ...] = ()
    rows: pa.Table | None = None
    query: str = ""
    spark: str = ""
