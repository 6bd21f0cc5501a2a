"""Two states of a dataset compared: which files differ, and in them which rows.

Files with equal bytes are never opened. Rows are told apart by their key columns and compared in the canonical form that the
logical digest is taken of, so a change of Parquet alone shows as a file that differs without a row that does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dateline.manifest import Manifest
from dateline.row_facts import canonical

MOST_ROWS = 1000
"""Differing rows that are named; further ones are counted."""


@dataclass
class Differences:
    """How a dataset in place differs from the one that its seeds give."""

    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)
    more_rows: int = 0

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.changed)

    def as_json(self) -> dict[str, Any]:
        """The differences as plain JSON types."""
        return {
            "missing": self.missing,
            "extra": self.extra,
            "changed": self.changed,
            "rows": self.rows,
            "more_rows": self.more_rows,
        }


def compare(
    dataset: Path, data: Path, texts: Mapping[str, bytes], manifest: Manifest, keys: Mapping[str, list[str]]
) -> Differences:
    """Compare the folder `dataset` with the data files in `data` and the `texts` that belong beside them.

    `keys` names, per config, the columns that name a row. Files that cannot be read as Parquet count as changed.
    """
    found = Differences()
    there = {p.relative_to(dataset).as_posix() for p in dataset.rglob("*") if p.is_file()} if dataset.is_dir() else set()
    wanted = {file["path"]: file["sha256"] for table in manifest.tables.values() for file in table.files}
    wanted |= {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}
    found.missing = sorted(wanted.keys() - there)
    found.extra = sorted(there - wanted.keys())
    found.changed = sorted(name for name in wanted.keys() & there if _digest(dataset / name) != wanted[name])
    touched = {name.split("/")[0] for name in (*found.missing, *found.extra, *found.changed) if name.endswith(".parquet")}
    for config in sorted(touched & keys.keys()):
        new = [name for name in found.missing + found.changed if name.startswith(f"{config}/")]
        old = [name for name in found.extra + found.changed if name.startswith(f"{config}/")]
        before, after = _rows(dataset, old, keys[config]), _rows(data, new, keys[config])
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                kind = "missing" if key not in before else "extra" if key not in after else "changed"
                if len(found.rows) < MOST_ROWS:
                    found.rows.append({"table": config, "row": "#".join(key), "difference": kind})
                else:
                    found.more_rows += 1
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _rows(folder: Path, names: list[str], keys: list[str]) -> dict[tuple[str, ...], str]:
    """Split and digest of each row by its key."""
    found = {}
    for name in names:
        split = name.split("/")[1].split("-")[0]
        for row in _read(folder / name):
            digest = hashlib.sha256(canonical([row])).hexdigest()
            found[tuple(str(row.get(key)) for key in keys)] = f"{split} {digest}"
    return found


def _read(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except (OSError, ValueError):  # damaged: the file is named as changed, its rows as missing
        return
