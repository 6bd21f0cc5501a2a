"""Dateline's own records as JSONL: one record on each line, as the seeds have it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dateline.errors import BuildError

NAME = "native"
TITLE = "Dateline records (.jsonl)"
FILE = "records.jsonl"


def write_records(records: Iterable[dict[str, Any]], folder: Path) -> list[str]:
    """Write all records to one file; raises BuildError where that cannot be done."""
    try:
        with (folder / FILE).open("wb") as file:
            file.writelines(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)
    except OSError as fault:
        raise BuildError(f"{folder / FILE}: cannot be written: {fault.strerror}") from None
    return [FILE]
