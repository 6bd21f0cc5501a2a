"""Parquet files: how they are written, so that the same rows give the same bytes.

Every table is combined into one chunk first: without it the bytes depend on how rows arrived. Names carry the
content's digest: `<config>/<split>-s0003-b00-<sha12>.parquet` (segment 3, hash prefix 0).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dateline.row_facts import Row

ROW_GROUP_BYTES = 100 * 1000 * 1000
"""A row group of a table that follows from others is written once it holds so many bytes of Arrow memory."""
ROW_GROUP_JSON = 16 * 1000 * 1000
"""A row group of a shard is written once its rows have so many bytes as canonical JSON (some 6 MB of Arrow memory): any way of
making a table comes to the same groups. A worker holds one such group of each table, so it decides what a worker needs."""
OPTIONS: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 3,
    "use_content_defined_chunking": True,
    "write_page_index": True,
}
"""How every data file is written."""


def arrow_table(rows: Iterable[Row], schema: pa.Schema) -> pa.Table:
    """Rows as an Arrow table of exactly that schema."""
    rows = list(rows)
    return pa.table([pa.array([row[f.name] for row in rows], type=f.type) for f in schema], schema=schema)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the manifest says of one data file; `path` is relative to the dataset."""

    config: str
    split: str
    path: str
    sha256: str
    bytes: int
    rows: int


class ShardFile:
    """One Parquet file in the making; rows come in batches, and go out in row groups."""

    def __init__(self, folder: Path, config: str, split: str, stem: str, schema: pa.Schema) -> None:
        self.config, self.split, self.stem, self.folder = config, split, stem, folder
        self._schema = schema
        self._pending: list[pa.Table] = []
        self._pending_bytes = 0
        self._rows = 0
        self._path = folder / config / f"{stem}.partial"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(self._path, schema, **OPTIONS)

    def add(self, table: pa.Table, size: int | None = None) -> None:
        """Append rows, of so many bytes as canonical JSON; where nobody says, those of the table in memory count."""
        self._pending.append(table)
        self._pending_bytes += table.nbytes if size is None else size
        self._rows += table.num_rows
        if self._pending_bytes >= (ROW_GROUP_BYTES if size is None else ROW_GROUP_JSON):
            self._flush()

    def close(self) -> FileFacts:
        """Finish the file and give it its name."""
        self._flush()
        self._writer.close()
        with self._path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = f"{self.config}/{self.stem}-{digest[:12]}.parquet"
        path = self._path.rename(self.folder / name)
        return FileFacts(self.config, self.split, name, digest, path.stat().st_size, self._rows)

    def _flush(self) -> None:
        if self._pending:
            table = pa.concat_tables(self._pending).combine_chunks()
            self._writer.write_table(table, row_group_size=max(1, table.num_rows))
            self._pending, self._pending_bytes = [], 0


def write_whole(folder: Path, config: str, split: str, stem: str, tables: Iterable[pa.Table], schema: pa.Schema) -> FileFacts:
    """Write tables as one file."""
    file = ShardFile(folder, config, split, stem, schema)
    for table in tables:
        file.add(table)
    return file.close()
