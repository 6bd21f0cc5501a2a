"""Tables, CSV, TSV and Parquet: columns say which is the text, and where its annotations are (docs/formats/table.md)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, TextIO

from dateline.document import Document, Refused
from dateline.errors import InputError
from dateline.incoming import MAX_LINE, Incoming
from dateline.rows import ROWS, Found, Rows, class_names

NAME = "table"
TITLE = "tables (CSV, TSV, Parquet), by columns"
SUFFIXES = (".csv", ".tsv", ".parquet")
OPTIONS: dict[str, Any] = {
    **ROWS,
    "separator": "",  # by default a comma in .csv, a tab in .tsv
    "quotes": '"',  # or "": quotes are no marks of the table
}
MAX_ROW_GROUP = 4 * 2**30
"""A row group of Parquet that says it is longer is refused unread."""


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    """The documents of all tables."""
    if len(incoming.options["separator"]) > 1 or len(incoming.options["quotes"]) > 1:
        raise InputError("options separator and quotes of format table must be one character each, or none")
    made = Rows(incoming.options, NAME)
    for file in incoming.named(*SUFFIXES):
        stem = str(PurePosixPath(file).with_suffix(""))
        if file.lower().endswith(".parquet"):
            yield from _parquet(incoming, file, made, stem)
        else:
            yield from made.documents(_lines(incoming, file), stem, {}, incoming.offsets)


def looks_like(incoming: Incoming) -> float:
    """Tables of annotation are recognised by their suffix only."""
    return 0.3 if incoming.named(*SUFFIXES) else 0.0


def _lines(incoming: Incoming, file: str) -> Iterator[Found]:
    """The rows of a file of lines; a cell may hold line ends."""
    options, line = incoming.options, 0
    separator = options["separator"] or ("\t" if file.lower().endswith(".tsv") else ",")
    quoting = {"quotechar": options["quotes"]} if options["quotes"] else {"quoting": csv.QUOTE_NONE, "quotechar": None}
    csv.field_size_limit(MAX_LINE)
    with incoming.open(file) as raw, io.TextIOWrapper(raw, encoding=options["encoding"], newline="") as text:
        try:
            rows = csv.reader(_limited(text), delimiter=separator, strict=True, **quoting)
            head = next(rows, [])
            if not head or len(set(head)) < len(head):
                yield Refused(incoming.place(file, 1), "document", "has no head with a name of its own for each column")
                return
            line = rows.line_num
            for cells in rows:
                place, line = incoming.place(file, line + 1), rows.line_num
                if len(cells) == len(head):
                    yield place, dict(zip(head, cells, strict=True))
                elif cells:
                    yield Refused(place, "document", f"has {len(cells)} cells, but the head has {len(head)}")
        except csv.Error as fault:
            hint = '; if quotes are no marks of the table, say quotes = ""' if options["quotes"] else ""
            yield Refused(incoming.place(file, line + 1), "document", f"is no row: {fault}{hint}; what follows is not read")
        except UnicodeError as fault:
            yield Refused(
                incoming.place(file, line + 1), "document", f"is not {options['encoding']}: {fault}; what follows is not read"
            )


def _limited(text: TextIO) -> Iterator[str]:
    """The lines of a file, without byte order mark; raises csv.Error for one longer than MAX_LINE."""
    first = True
    while line := text.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise csv.Error(f"a line is longer than {MAX_LINE // 2**20} MiB")
        yield line.removeprefix("\ufeff") if first else line
        first = False


def _parquet(incoming: Incoming, file: str, made: Rows, stem: str) -> Iterator[Document | Refused]:
    """The documents of a Parquet file, row group by row group."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with incoming.open(file) as raw:
        try:
            table = pq.ParquetFile(raw)
            names = _names_of(table.schema_arrow)
        except (pa.ArrowException, OSError, ValueError) as fault:
            yield Refused(incoming.place(file), "document", f"is no Parquet file: {_first_line(fault)}")
            return
        yield from made.documents(_batches(incoming, file, table), stem, names, incoming.offsets)


def _batches(incoming: Incoming, file: str, table: Any) -> Iterator[Found]:
    import pyarrow as pa

    number = 0
    try:
        for group in range(table.num_row_groups):
            if table.metadata.row_group(group).total_byte_size > MAX_ROW_GROUP:
                raise ValueError(f"row group {group} is longer than {MAX_ROW_GROUP // 2**30} GiB")
            for batch in table.iter_batches(256, row_groups=[group]):
                for row in batch.to_pylist():
                    yield incoming.place(file, 0, f"$[{number}]"), row
                    number += 1
    except (pa.ArrowException, OSError, ValueError, OverflowError) as fault:  # also of a date after the year 9999
        place = incoming.place(file, 0, f"$[{number}]")
        yield Refused(place, "document", f"is damaged: {_first_line(fault)}; what follows is not read")


def _names_of(schema: Any) -> dict[str, list[str]]:
    """Names of class labels, if Hugging Face's datasets wrote the file."""
    kept = (schema.metadata or {}).get(b"huggingface")
    try:
        info = json.loads(kept) if kept else {}
        return class_names(info.get("info", {}).get("features"))
    except (ValueError, AttributeError, RecursionError):
        return {}


def _first_line(fault: BaseException) -> str:
    return (str(fault).splitlines() or [type(fault).__name__])[0]
