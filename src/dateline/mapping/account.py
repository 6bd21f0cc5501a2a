"""The account of an import: what was found in the source, and what became of it. Nothing vanishes.

Everything that a source says is counted under a *key*: a node under its type, a feature or a part under `TYPE.feature`, a role
under `TYPE:role` (once for each node it names), metadata of a document under `document.key`, a document under `document`. Of
every key

    found = imported + rejected + ignored

which `Account.balance` checks; an import whose account does not balance is a bug, and says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dateline.document import Node
from dateline.errors import Place


@dataclass(frozen=True, slots=True)
class Rejection:
    """One thing that was not imported: where it stands in the source, its type, its id there, why; the rule, if one decided it.

    `item` is the item that it would have become, and `layer` its layer, if it came so far; `record` the whole record.
    """

    place: Place
    type: str
    id: str
    reason: str
    rule: str = ""
    article_id: str = ""
    layer: str = ""
    item: dict[str, Any] | None = None
    record: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """The rejection as plain JSON types, without the item."""
        return {
            "file": self.place.file,
            "line": self.place.line or None,
            "pointer": self.place.pointer or None,
            "type": self.type,
            "id": self.id or None,
            "reason": self.reason,
            "rule": self.rule or None,
        }


@dataclass
class Account:
    """Counts by key, and how many spans were compared with the words that the source has for them."""

    found: Counter[str] = field(default_factory=Counter)
    imported: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    spans_checked: int = 0
    spans_mismatched: int = 0
    spans_trimmed: int = 0

    def add(self, other: Account) -> None:
        """Add another account to this one."""
        for name in ("found", "imported", "rejected", "ignored"):
            getattr(self, name).update(getattr(other, name))
        self.spans_checked += other.spans_checked
        self.spans_mismatched += other.spans_mismatched
        self.spans_trimmed += other.spans_trimmed

    def balance(self) -> dict[str, int]:
        """The keys that do not balance, with what is missing (or too much); empty for an account that holds."""
        keys = self.found.keys() | self.imported.keys() | self.rejected.keys() | self.ignored.keys()
        off = {k: self.found[k] - self.imported[k] - self.rejected[k] - self.ignored[k] for k in keys}
        return {k: n for k, n in sorted(off.items()) if n}


def keys_of(node: Node) -> Iterable[tuple[str, int]]:
    """The keys under which a node is counted, with how often: itself, its features that say something, its roles."""
    yield node.type, 1
    for name, value in node.features.items():
        if value is not None:
            yield f"{node.type}.{name}", 1
    for name, part in node.parts.items():
        if part:
            yield f"{node.type}.{name}", 1
    for name, targets in node.roles.items():
        if targets:
            yield f"{node.type}:{name}", len(targets)
