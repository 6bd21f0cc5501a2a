"""What differs between two datasets, as values: one change per annotation and kind, in one order, in plain JSON types."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from dateline.versions import LEVELS

KINDS = (
    # of articles
    "article-added", "article-removed", "article-retracted", "text-edited", "metadata-changed", "split-moved",
    # of rows of a layer of one article, or of a corpus-level table
    "annotation-added", "annotation-removed", "span-moved", "relabelled", "relinked", "value-changed", "id-changed",
    # of schemas
    "table-added", "table-removed", "column-added", "column-removed", "column-renamed", "column-retyped", "label-added",
    "label-removed", "key-changed",
)  # fmt: skip
SCHEMA_KINDS = KINDS[KINDS.index("table-added") :]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: of an article, of a row of one of its layers, of a row of a corpus-level table, or of a schema."""

    kind: str
    table: str
    article_id: str | None = None
    """None for a corpus-level row, and for a schema."""
    row: str | None = None
    """Local id in NEW (in OLD of what was removed); None for articles and schemas."""
    old_row: str | None = None
    """Local id in OLD, where it is another."""
    split: str | None = None
    """The article's split in OLD (in NEW if it was added); "corpus" for corpus-level rows."""
    columns: tuple[str, ...] = ()
    old: Mapping[str, Any] = field(default_factory=dict)
    new: Mapping[str, Any] = field(default_factory=dict)
    bump: str = "patch"
    why: str = ""
    """Id of the law that gives the bump (`bump.LAWS`)."""

    @property
    def id(self) -> str:
        """What it is about, as users name it: `article_id#row`, `article_id`, the row; "" for a schema."""
        return "#".join(part for part in (self.article_id, self.row) if part is not None)

    @property
    def of_schema(self) -> bool:
        """Whether it is a change of tables, columns, labels or keys rather than of rows."""
        return self.kind in SCHEMA_KINDS

    def as_json(self) -> dict[str, Any]:
        """The change as plain JSON types; what is None or empty is left out."""
        said = {
            "kind": self.kind, "table": self.table, "id": self.id, "article_id": self.article_id, "row": self.row,
            "old_row": self.old_row, "split": self.split, "columns": list(self.columns), "old": dict(self.old),
            "new": dict(self.new), "bump": self.bump, "why": self.why,
        }  # fmt: skip
        return {name: value for name, value in said.items() if value not in (None, "", [], {})}


@dataclass(frozen=True)
class Diff:
    """All that differs between two datasets."""

    changes: list[Change]
    """Of schemas first, then by article, table, row and kind."""
    projected: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What follows from base tables: rows before and after, and whether anything differs. Reported, and not counted."""
    articles: dict[str, int] = field(default_factory=dict)
    """How many are unchanged, changed, added, removed."""

    @property
    def bump(self) -> str:
        """The highest that a change forces; "patch" where no base row differs."""
        return max((change.bump for change in self.changes), key=LEVELS.index, default="patch")

    def forcing(self, bump: str) -> list[Change]:
        """The changes that force at least this bump."""
        return [change for change in self.changes if LEVELS.index(change.bump) >= LEVELS.index(bump)]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many changes of each kind there are, by table."""
        found = Counter((change.table, change.kind) for change in self.changes)
        tables = sorted({table for table, _ in found}, key=lambda name: (name != "articles", name))
        return {table: {kind: found[table, kind] for kind in KINDS if found[table, kind]} for table in tables}


def in_order(changes: list[Change]) -> list[Change]:
    """The changes in the one order that a diff has; equal ones stand once."""
    kept = {_place(change): change for change in changes}
    return [kept[place] for place in sorted(kept)]


def _place(change: Change) -> tuple[Any, ...]:
    about = (change.article_id or "", change.table, natural(change.row or ""), natural(change.old_row or ""))
    named = tuple(str(value) for side in (change.old, change.new) for value in side.values()) if change.of_schema else ()
    return (not change.of_schema, *about, KINDS.index(change.kind), change.columns, named)


def natural(text: str) -> tuple[tuple[str, int, str], ...]:
    """What puts m2 before m10; no two texts have the same."""
    parts = ((word, number.lstrip("0") if number else None) for word, number in re.findall(r"(\D*)(\d*)", text))
    return (*((word, -1, "") if number is None else (word, len(number), number) for word, number in parts), (text, -1, ""))


def plain(value: Any) -> Any:
    """A value of a row in JSON types, decimals and dates as strings."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, Decimal):
        shown = format(value, "f")
        return shown.rstrip("0").rstrip(".") if "." in shown else shown
    return value.isoformat() if isinstance(value, datetime.date) else value
