"""The ledger: what earlier releases fixed, one line per released article (seeds/ledger.jsonl).

Only `release` and `retract` write it; `rebuild` reads it, so that a clean clone needs no other history.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dateline.errors import ProjectError


@dataclass(frozen=True, slots=True)
class Entry:
    """One released article."""

    article_id: str
    split: str
    group: str
    segment: int
    added_in: str
    changed_in: str | None = None


Ledger = Mapping[str, Entry]


def read_ledger(path: Path) -> Ledger:
    """The entries by article; empty if nothing was released yet.

    Raises ProjectError that names the line which is no entry.
    """
    if not path.exists():
        return {}
    entries: dict[str, Entry] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            found = json.loads(line)
            entry = Entry(**{name: found.get(name) for name in Entry.__slots__})
            if not isinstance(entry.article_id, str) or not isinstance(entry.split, str) or not isinstance(entry.segment, int):
                raise ValueError("article_id, split and segment must be given")
        except (ValueError, AttributeError, TypeError, RecursionError) as fault:
            raise ProjectError(
                f"{path.name}:{number} is no ledger entry: {fault}; the ledger is written by release only"
            ) from None
        entries[entry.article_id] = entry
    return entries
