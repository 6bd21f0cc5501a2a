"""The manifest: every file of a dataset with its digest, and what the data counts to.

`manifest.json` names every file but itself; it records no time, host, number of jobs or engine, so that equal inputs give
equal bytes. The *content digest* covers the Parquet files and the features; the *logical digest* of a table is independent of
Parquet: sha256 over the sorted pairs (sha256 of article_id, sha256 of the article's canonical rows).
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dateline.errors import LoadError

NAME = "manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class TableFacts:
    """Counts and digest of one table."""

    rows: int
    splits: dict[str, int]
    labels: dict[str, dict[str, int]]
    logical_digest: str
    features: list[dict[str, Any]]
    files: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Manifest:
    """What `manifest.json` holds."""

    name: str
    version: str
    default_config: str
    content_digest: str
    logical_digest: str
    tables: dict[str, TableFacts]
    card: dict[str, Any]
    splits: dict[str, Any]
    inputs: dict[str, str]
    writer: dict[str, str]
    format: int = FORMAT

    def encode(self) -> bytes:
        """The bytes of the file."""
        return (json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n").encode()

    def paths(self) -> set[str]:
        """All files of the dataset but the manifest itself, relative to it."""
        return {file["path"] for table in self.tables.values() for file in table.files} | {self.card["path"]}

    def stats(self) -> dict[str, Any]:
        """Rows per table and split, and how often each label stands, by table and column."""
        return {
            "version": self.version,
            "tables": {name: {"rows": t.rows, "splits": t.splits} for name, t in self.tables.items()},
            "labels": {name: t.labels for name, t in self.tables.items() if t.labels},
        }


def read_manifest(dataset: Path) -> Manifest:
    """Read a dataset's manifest; raises LoadError if there is none, or none that this version reads."""
    path = dataset / NAME
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise LoadError(f"{path}: no such file; `dateline rebuild` makes the dataset") from None
    except (OSError, ValueError) as fault:
        raise LoadError(f"{path}: is no manifest: {fault}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise LoadError(
            f"{path}: has format {found.get('format') if isinstance(found, dict) else None!r}; this dateline reads {FORMAT}"
        )
    return Manifest(**{**found, "tables": {name: TableFacts(**t) for name, t in found["tables"].items()}})


def content_digest(files: Iterable[tuple[str, str]], features: Mapping[str, Any]) -> str:
    """Digest of all data files (path, sha256) and of the features they are read with."""
    said = {"files": sorted(files), "features": features}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def logical_digest(files: Iterable[Path], entry_bytes: int) -> str:
    """Digest of a table from its sorted digest files, merged without holding them in memory."""
    total = hashlib.sha256()
    for entry in heapq.merge(*(_entries(path, entry_bytes) for path in files)):
        total.update(entry)
    return total.hexdigest()


def _entries(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while entry := file.read(size):
            yield entry
