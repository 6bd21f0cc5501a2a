"""What a source holds, counted: types with their features, roles and anchors. The ground on which a mapping is inferred.

Documents are taken one after the other and forgotten; of the values of a feature at most MOST_VALUES are kept, so that memory
grows with the number of types and features alone.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dateline.document import Document, Node, Refused, Stretch, joined
from dateline.errors import InputError
from dateline.mapping.values import spelled

MOST_VALUES = 30
"""A feature with more distinct values is no label."""
MOST_NAMES = 1000
"""So many types, or features and roles of a type, a source may have; beyond, they are words of texts and no names."""
_LONGEST_LABEL = 100
_EXACT_DIGITS = 15
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_BARE_NUMBER = re.compile(r"[0-9]+")
_USABLE_ID = re.compile(r"[A-Za-z]([A-Za-z0-9._-]*[A-Za-z0-9_])?")


@dataclass
class Values:
    """The values that a feature, or a piece of metadata, was seen with.

    `n` counts those that say something: not null, and not an empty string. `kinds` counts what each single value could be:
    integer, long integer (one that a float does not hold exactly), number, boolean, string, or table. `distinct` holds the first
    values, as they are spelled; `many` says that there were more. `quotes` counts values that repeat words of the text.
    """

    n: int = 0
    blank: int = 0
    longest_list: int = 1
    lists: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    distinct: Counter[str] = field(default_factory=Counter)
    many: bool = False
    no_label: bool = False
    quotes: int = 0

    def see(self, value: Any, text: str = "", words: str = "") -> None:
        """Count a value of a node whose spans have these words."""
        if value is None:
            return
        if value == "":
            self.blank += 1
            return
        self.n += 1
        if isinstance(value, list):
            self.lists += 1
            self.longest_list = max(self.longest_list, len(value))
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                self._see_one(one, text, words)

    def _see_one(self, value: Any, text: str, words: str) -> None:
        self.kinds[_kind(value)] += 1
        if isinstance(value, dict | list):
            return
        said = spelled(value)
        if said in self.distinct or len(self.distinct) < MOST_VALUES:
            self.distinct[said] += 1
        else:
            self.many = True
        self.no_label |= not (said and said == said.strip() and said.isprintable() and len(said) <= _LONGEST_LABEL)
        self.no_label |= "\\" in said
        self.quotes += _quotes(said, text, words)


@dataclass
class Targets:
    """What a role named: in how many nodes, how many at most in one, of which types; how many are not in their document."""

    nodes: int = 0
    most: int = 0
    types: Counter[str] = field(default_factory=Counter)
    dangling: int = 0


@dataclass
class TypeSeen:
    """All nodes of one type."""

    n: int = 0
    anchored: int = 0
    blank_edges: int = 0
    features: defaultdict[str, Values] = field(default_factory=lambda: defaultdict(Values))
    roles: defaultdict[str, Targets] = field(default_factory=lambda: defaultdict(Targets))
    parts: Counter[str] = field(default_factory=Counter)
    bare_ids: int = 0
    odd_ids: int = 0


@dataclass
class Seen:
    """All of a source: types, metadata, names, annotators."""

    documents: int = 0
    unreadable: int = 0
    first_unreadable: Refused | None = None
    types: defaultdict[str, TypeSeen] = field(default_factory=lambda: defaultdict(TypeSeen))
    metadata: defaultdict[str, Values] = field(default_factory=lambda: defaultdict(Values))
    annotators: set[str] = field(default_factory=set)
    names: list[str] = field(default_factory=list)
    segmented: int = 0

    def take(self, document: Document | Refused) -> None:
        """Count one document. Raises InputError for a source that has more types or features than anybody names."""
        if isinstance(document, Refused):
            self.unreadable += 1
            self.first_unreadable = self.first_unreadable or document
            return
        self.documents += 1
        self.names.append(document.name)
        self.segmented += bool(document.segments)
        for key, value in document.metadata.items():
            self.metadata[key].see(value, document.text)
        nodes = document.all_nodes()
        kinds = {(node.annotator, node.id): node.type for node in nodes}
        ids = Counter(node.id for node in nodes)
        self.annotators |= {node.annotator for node in document.nodes}
        for node in nodes:
            self._take(node, document.text, kinds, ids[node.id] > 1)
        named = [("types", len(self.types)), ("keys of metadata", len(self.metadata))]
        named += [(f"features of {t}", len(seen.features)) for t, seen in self.types.items()]
        named += [(f"roles of {t}", len(seen.roles)) for t, seen in self.types.items()]
        for what, number in named:
            if number > MOST_NAMES:
                raise InputError(f"there are more than {MOST_NAMES} {what}, so they are no names; write a mapping by hand")

    def _take(self, node: Node, text: str, kinds: dict[tuple[str, str], str], twice: bool) -> None:
        seen = self.types[node.type]
        seen.n += 1
        seen.bare_ids += bool(_BARE_NUMBER.fullmatch(node.id))
        seen.odd_ids += twice or not (_BARE_NUMBER.fullmatch(node.id) or _USABLE_ID.fullmatch(node.id))
        seen.anchored += bool(node.spans)
        for spans in (node.spans, *node.parts.values()):
            seen.blank_edges += sum(_blank_edge(text[start:end]) for start, end in spans)
        words = joined(text, node.spans)
        for name, value in node.features.items():
            seen.features[name].see(value, text, words)
        for name, part in _filled(node.parts):
            seen.parts[name] += bool(part)
        for name, targets in node.roles.items():
            if targets:
                role = seen.roles[name]
                role.nodes += 1
                role.most = max(role.most, len(targets))
                for target in targets:
                    kind = kinds.get((node.annotator, target))
                    role.types.update([kind] if kind is not None else [])
                    role.dangling += kind is None


def _filled(parts: dict[str, tuple[Stretch, ...]]) -> Iterator[tuple[str, tuple[Stretch, ...]]]:
    return ((name, spans) for name, spans in parts.items() if spans)


def _blank_edge(words: str) -> bool:
    return words != words.strip()


def _kind(value: Any) -> str:
    """What a plain value could be kept as without a loss: 007 is a string, and so is 0.50."""
    if isinstance(value, dict | list):
        return "table"
    text = spelled(value)
    if isinstance(value, bool) or text in ("true", "false"):
        return "boolean"
    if _WHOLE.fullmatch(text) and text != "-0":
        return "integer" if len(text) <= _EXACT_DIGITS else "long integer"
    return "number" if _is_number(text) else "string"


def _is_number(text: str) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return math.isfinite(value) and repr(value) == text


def _quotes(said: str, text: str, words: str) -> bool:
    """Whether a value repeats words of the text: those of its own spans, or a phrase of some length."""
    return (said == words != "") or (len(said) >= 8 and len(said.split()) > 1 and said in text)
