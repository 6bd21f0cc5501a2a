"""Logical digests of a dataset that lies in a folder: what its rows say, taken from the files alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dateline.compile.sets import PRIMARY
from dateline.compile.tables import ARTICLES, RECORDS, STANDOFF, with_text
from dateline.manifest import Manifest, TableFacts
from dateline.row_facts import Row, canonical, digest_entry

BATCH_ROWS = 500


def table_digests(folder: Path, manifest: Manifest, *, nulled: bool = False) -> dict[str, str]:
    """The logical digest of every table, by name, computed from the files; the manifest only says which files there are.

    With `nulled`, text and surfaces of withheld articles count as null, whether they are filled in or not: of a
    hydrated copy this gives the digests of the release. Raises OSError or pyarrow's errors for files that cannot be read.
    """
    withheld = {row["article_id"]: not row["text_redistributable"] for _, row in rows_of_table(
        folder, manifest.tables[ARTICLES], columns=["article_id", "text_redistributable"])}  # fmt: skip
    found = {}
    for name, table in manifest.tables.items():
        if table.derived:
            owned = (digest_entry(owner, rows) for owner, rows in _by_owner(folder, name, table, table.derived, {}))
            found[name] = hashlib.sha256(b"".join(sorted(owned))).hexdigest()
            continue
        if not is_of_articles(table):
            rows = [row for _, row in rows_of_table(folder, table)]
            found[name] = hashlib.sha256(canonical(rows) if rows else b"").hexdigest()
            continue
        entries = []
        seen = set()
        for article_id, rows in _by_owner(folder, name, table, "article_id", withheld if nulled else {}):
            entries.append(digest_entry(article_id, rows))
            seen.add(article_id)
        if name not in {RECORDS, STANDOFF, PRIMARY}:
            entries += [digest_entry(article_id, []) for article_id in withheld.keys() - seen]
        found[name] = hashlib.sha256(b"".join(sorted(entries))).hexdigest()
    return found


def is_of_articles(table: TableFacts) -> bool:
    """Whether the rows of a table belong to articles; else it is a corpus-level table."""
    return bool(table.features[0]["name"] == "article_id")


def rows_of_table(folder: Path, table: TableFacts, columns: list[str] | None = None) -> Iterator[tuple[pa.Schema, Row]]:
    """The rows of a table with the schema of their file, some at a time."""
    for entry in table.files:
        file = pq.ParquetFile(folder / entry["path"])
        for batch in file.iter_batches(BATCH_ROWS, columns=columns):
            for row in batch.to_pylist():
                yield file.schema_arrow, row


def _by_owner(
    folder: Path, name: str, table: TableFacts, owner: str, withheld: dict[str, bool]
) -> Iterator[tuple[str, list[Row]]]:
    """Rows by article or story (the column `owner`): a file keeps them together."""
    current: str | None = None
    rows: list[Row] = []
    for schema, row in rows_of_table(folder, table):
        if row[owner] != current:
            if current is not None:
                yield current, rows
            current, rows = row[owner], []
        rows.append(with_text(row, name, schema, None) if withheld.get(row[owner]) else row)
    if current is not None:
        yield current, rows
