"""Where each record of a seed file stands, as the last rebuild found it: one is read without looking through all the others.

A file's places count while it is the file that was read: its size, the times at which its bytes and its entry last changed, and
its number in the file system are what they were. (Its bytes are not digested, which would take as long as looking through them.
The time at which the entry changed is set by the system alone, so restoring a date hides no edit.) A file that had changed just
before it was read has no places, for it may change once more within one tick of the clock; nor has one with a record at fault.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from dateline.compile.before import Stale, read_sealed, write_sealed
from dateline.compile.read import RawRecord, digest_of, is_compressed
from dateline.errors import Place
from dateline.project import Project

SETTLED = 2_000_000_000
"""Nanoseconds for which a file must have stayed as it is; some file systems tell times to two seconds."""
_PLACES = pa.schema([
    ("key", pa.uint64()), ("line", pa.int64()), ("offset", pa.int64()), ("length", pa.int64()), ("raw_digest", pa.binary(16)),
])  # fmt: skip


@dataclass(frozen=True)
class Stamp:
    """What tells a file from another, and from itself before an edit."""

    size: int
    modified: int
    changed: int
    number: int


def stamp_of(path: Path) -> Stamp:
    """The stamp of a file. Raises OSError where there is none."""
    found = path.stat()
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def settled(stamp: Stamp) -> bool:
    """Whether a file has stayed as it is for long enough that another edit would show."""
    return time.time_ns() - max(stamp.modified, stamp.changed) >= SETTLED


def cache_of(project: Project) -> Path:
    """The folder of what rebuilds leave for those after them."""
    return project.root / ".dateline" / "cache"


def stem_of(name: str) -> str:
    """What the cache calls a seed file."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def write_places(path: Path, index: pa.Table, stamp: Stamp) -> None:
    """Note where the records of a seed file stand, as its index says."""
    keys = pa.array([_key(article_id) for article_id in index["article_id"].to_pylist()], pa.uint64())
    table = pa.table([keys, *(index[name] for name in _PLACES.names[1:])], schema=_PLACES)
    write_sealed(path, table.replace_schema_metadata({"stamp": json.dumps(vars(stamp))}))


def standing(project: Project, path: Path, wanted: Collection[str]) -> list[RawRecord] | None:
    """The records of a seed file that may be those of some articles, in their order; None where the file must be looked through.

    All that are of these articles are among them.
    """
    try:
        (noted,) = cache_of(project).glob(f"*/{stem_of(project.name_of(path))}.places")
        table, stamp = read_sealed(noted), stamp_of(path)
        if not table.schema.equals(_PLACES) or (table.schema.metadata or {}).get(b"stamp") != json.dumps(vars(stamp)).encode():
            return None
        keys = np.array([_key(article_id) for article_id in wanted], np.uint64)
        rows = table.take(np.flatnonzero(np.isin(table["key"].to_numpy(), keys))).to_pylist()
        if not rows:
            return []
        if is_compressed(path):
            return None
        found = []
        with path.open("rb") as file:
            for row in rows:
                file.seek(row["offset"])
                raw = file.read(row["length"])
                if digest_of(raw) != row["raw_digest"]:
                    return None
                found.append(RawRecord(Place(project.name_of(path), row["line"]), row["offset"], raw))
        return found if stamp_of(path) == stamp else None
    except (OSError, Stale, ValueError):  # ValueError: no places, or those of two rebuilds
        return None


def _key(article_id: str) -> int:
    return int.from_bytes(hashlib.sha256(article_id.encode("utf-8", "surrogatepass")).digest()[:8], "big")
