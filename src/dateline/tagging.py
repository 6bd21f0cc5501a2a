"""Spans as BIO tags of tokens, and back: pure, whatever made the tokens.

An *item* is what was annotated: one span, or several that belong together (a quotation cut by "he said"). A token is inside a
span if the two share a character. The first token of an item is B-, all others I-, also those of its later spans: on one level,
an I- after an O continues the last item of that label. Items that share tokens, or reach across one another, stand on levels of
their own, the outermost first.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

Stretch = tuple[int, int]
"""Start and end in the passage, in code points, half-open."""

OUTSIDE = "O"
NO_TAG = -100
"""The label id of a token that is nobody's: special tokens, padding. Losses of PyTorch and others ignore it."""


@dataclass(frozen=True)
class Item:
    """What was annotated: its label, and one span or several in the order of the text."""

    label: str
    spans: tuple[Stretch, ...]


@dataclass(frozen=True)
class Place:
    """Where an item stands among tokens: per span the numbers of its tokens (none where no token shows it), and its level."""

    item: Item
    tokens: tuple[tuple[int, ...], ...]
    level: int

    @property
    def all_tokens(self) -> list[int]:
        """The numbers of all its tokens, in order, each once."""
        return sorted({number for numbers in self.tokens for number in numbers})


class Tokens:
    """Tokens of a passage by their stretches; those without a character are in no span."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self.stretches = stretches
        self._order = sorted((n for n, (start, end) in enumerate(stretches) if start < end), key=stretches.__getitem__)
        self._starts = [stretches[n][0] for n in self._order]
        self._reach = list(accumulate((stretches[n][1] for n in self._order), max))

    def inside(self, span: Stretch) -> tuple[int, ...]:
        """The numbers of the tokens that share a character with a span."""
        start, end = span
        if start >= end:
            return ()
        near = self._order[bisect_right(self._reach, start) : bisect_left(self._starts, end)]
        return tuple(sorted(n for n in near if self.stretches[n][1] > start))

    def hold(self, span: Stretch, numbers: Sequence[int]) -> bool:
        """Whether a span begins where the first of its tokens does, and ends where the last does."""
        shown = [self.stretches[n] for n in numbers]
        return (min(s for s, _ in shown), max(e for _, e in shown)) == span


def trimmed(text: str, stretch: Stretch) -> Stretch:
    """A token's stretch without the white space at its edges, which some tokenizers count in; unless there is nothing else."""
    start, end = stretch
    shown = text[start:end]
    bare = shown.strip()
    if not bare or len(bare) == len(shown):
        return stretch
    start += len(shown) - len(shown.lstrip())
    return start, start + len(bare)


def places(tokens: Tokens, items: Iterable[Item]) -> list[Place]:
    """Items among tokens, each on the first level that is deeper than all items around it and free; those on no token at 0."""
    found = [(item, tuple(map(tokens.inside, item.spans))) for item in items]
    hulls = [(min(map(min, held)), max(map(max, held))) if (held := [t for t in own if t]) else None for _, own in found]
    nowhere = [Place(item, own, 0) for (item, own), hull in zip(found, hulls, strict=True) if hull is None]
    shown = sorted((first, -last, n) for n, hull in enumerate(hulls) if hull for first, last in [hull])
    placed: list[Place] = []
    open_items: list[tuple[int, int]] = []  # last token and level of items that reach to here or beyond
    for first, minus_last, n in shown:
        open_items = [(last, level) for last, level in open_items if last >= first]
        taken = {level for _, level in open_items}
        level = max((level + 1 for last, level in open_items if last >= -minus_last), default=0)
        while level in taken:
            level += 1
        open_items.append((-minus_last, level))
        placed.append(Place(*found[n], level))
    return placed + nowhere


def depth(placed: Iterable[Place]) -> int:
    """How many levels items need; 0 if no token shows any."""
    return max((place.level + 1 for place in placed if place.all_tokens), default=0)


def tags(placed: Iterable[Place], n_tokens: int, levels: int) -> list[list[str]]:
    """Tags per level and token, shape (levels, n_tokens); items on deeper levels are left out."""
    rows = [[OUTSIDE] * n_tokens for _ in range(levels)]
    for place in placed:
        if place.level < levels:
            for begun, number in enumerate(place.all_tokens):
                rows[place.level][number] = f"{'I' if begun else 'B'}-{place.item.label}"
    return rows


def tag_ids(labels: Iterable[str]) -> dict[str, int]:
    """O, then B- and I- of each label in the order given, numbered from 0."""
    names = [OUTSIDE, *(f"{mark}-{label}" for label in labels for mark in "BI")]
    return {name: number for number, name in enumerate(names)}


def plain_label(column: str) -> str:
    """The label of plain spans: "source" of `source_spans`, "quantity" of `quantity_spans_a`."""
    return column.partition("_spans")[0]


def items_of(entries: Sequence[Mapping[str, Any]], label: str, *, discontinuous: bool = True) -> list[Item]:
    """What the entries of a span column are about.

    Entries that name their `item` are put together by it and by their label; entries with a `label` of their own are an item
    each; plain spans are all of one item, called `label`. Without `discontinuous` each entry is an item.
    """
    groups: dict[Any, tuple[str, list[Stretch]]] = {}
    for number, entry in enumerate(entries):
        own = str(entry.get("label", label))
        key: Any = number
        if discontinuous and entry.get("item") is not None:
            key = (own, str(entry["item"]))
        elif discontinuous and "label" not in entry:
            key = None
        groups.setdefault(key, (own, []))[1].append((entry["start"], entry["end"]))
    return [Item(own, tuple(sorted(spans))) for own, spans in groups.values()]


def items_in(row: Sequence[str | None], stretches: Sequence[Stretch], *, discontinuous: bool = True) -> list[Item]:
    """The items that the tags of one level tell; None is no tag, and skipped.

    An I- without a B- of its label just before continues the last item if it has that label and `discontinuous`; else it begins
    one, as at the start of a window that cuts an item.
    """
    return [Item(label, tuple(spans)) for label, spans in _told(row, stretches, discontinuous)]


def _told(row: Sequence[str | None], stretches: Sequence[Stretch], discontinuous: bool) -> Iterator[tuple[str, list[Stretch]]]:
    label, running = "", False
    spans: list[Stretch] = []
    for tag, (start, end) in zip(row, stretches, strict=True):
        if tag is None or tag == OUTSIDE:
            running = running and tag is None
            continue
        mark, _, own = tag.partition("-")
        if mark == "I" and own == label and running:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        elif mark == "I" and own == label and spans and discontinuous:
            spans.append((start, end))
        else:
            if spans:
                yield label, spans
            label, spans = own, [(start, end)]
        running = True
    if spans:
        yield label, spans
