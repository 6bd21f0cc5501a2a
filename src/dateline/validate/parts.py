"""A dataset in parts: some of its articles with all their rows in all tables, so that a query which keeps articles apart runs on
a part at a time.

The files of a shard hold the rows of the same articles; their names say which shard that is. That is a hint, and nothing rests on
it: the articles that have rows in several parts all the same are looked for in the files, and are a part of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dateline.validate.apart import KEY
from dateline.validate.views import View

_SHARD = re.compile(r".+-(s[0-9]+-b[0-9]+)-[0-9a-f]+\.parquet")
Read = Callable[[Collection[Path]], str]
"""SQL that reads files."""


@dataclass(frozen=True)
class Part:
    """Some files; of their articles those, or all but those, whose ids have these hashes."""

    files: frozenset[Path]
    hashes: tuple[int, ...] = ()
    only: bool = False

    def query(self, view: View, read: Read) -> str:
        """What a view of files has in this part."""
        files = [path for path in view.parquet if path in self.files]
        if not files:
            return f"SELECT * FROM ({read(view.parquet)}) LIMIT 0"
        if not self.hashes:
            return read(files)
        return f"{read(files)} WHERE hash({KEY}) {'' if self.only else 'NOT '}IN ({', '.join(map(str, self.hashes))})"


def parts_of(views: Sequence[View], size: int) -> list[Part]:
    """The files of views whose rows keep articles apart, by shard; small ones together, up to so many bytes and one more."""
    by_shard: dict[str, list[Path]] = {}
    for path in (path for view in views if view.apart for path in view.parquet):
        found = _SHARD.fullmatch(path.name)
        by_shard.setdefault(found[1] if found else "", []).append(path)
    parts: list[Part] = []
    pending: list[Path] = []
    for _, files in sorted(by_shard.items()):
        pending += files
        if sum(path.stat().st_size for path in pending if path.is_file()) >= size:
            parts.append(Part(frozenset(pending)))
            pending = []
    return [*parts, *([Part(frozenset(pending))] if pending else [])]


def shadows(views: Sequence[View], part: Part, query: str, read: Read) -> str:
    """The head of a SELECT: the views of a part in the place of those that `query` names, and of what they are made of."""
    kept: list[str] = []
    reading = query
    for view in reversed([view for view in views if view.apart and view.rows is None]):  # a view only reads those before it
        if re.search(rf"\b{re.escape(view.name)}\b", reading):
            own = part.query(view, read) if view.parquet else view.query
            kept.append(f'"{view.name}" AS NOT MATERIALIZED (\n{own}\n)')
            reading += own if not view.parquet else ""
    return f"WITH {', '.join(reversed(kept))}\n" if kept else ""


def key_queries(views: Sequence[View], parts: Sequence[Part], read: Read) -> Iterator[str]:
    """For each part the SELECT of the hashes of its articles' ids, each once."""
    for part in parts:
        each = (f"SELECT {KEY} FROM ({part.query(view, read)})" for view in views if view.apart and part.files & {*view.parquet})
        yield f"SELECT DISTINCT hash({KEY}) AS h FROM ({' UNION ALL '.join(each)})"
