"""A text cut at every boundary of its spans, so that spans may overlap as they like: pure.

Offsets are code points, as everywhere. A text that is withheld is cut the same way, and each piece is so many blanks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

BLANK = "░"
"""What stands for each character of a withheld text."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One stretch [start, end) of one item's spans."""

    start: int
    end: int
    layer: str
    row: str
    """The item's anchor on the page."""
    role: str
    """The field that the span is of, e.g. `cue_spans`."""
    part: int = 0
    parts: int = 1
    """Which part of the field's spans, of how many: a discontinuous one has several."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the text over which the same marks lie, the outermost first."""

    start: int
    text: str
    marks: tuple[Mark, ...]
    begins: tuple[Mark, ...]
    """Those of `marks` that begin here."""
    ends: tuple[Mark, ...]
    """Those of `marks` that end with it."""


def segments(text: str | None, length: int, marks: Iterable[Mark]) -> list[Segment]:
    """Cut a text of `length` code points (None where it is withheld) at every end of a mark; marks outside of it are left out."""
    kept = sorted((m for m in marks if 0 <= m.start < m.end <= length), key=lambda m: (m.start, -m.end, m.layer, m.row, m.role))
    cuts = sorted({0, length, *(m.start for m in kept), *(m.end for m in kept)})
    found: list[Segment] = []
    active: list[Mark] = []
    following = 0
    for start, end in pairwise(cuts):
        active = [m for m in active if m.end > start]
        while following < len(kept) and kept[following].start == start:
            active.append(kept[following])
            following += 1
        found.append(
            Segment(
                start,
                text[start:end] if text is not None else BLANK * (end - start),
                tuple(active),
                tuple(m for m in active if m.start == start),
                tuple(m for m in active if m.end == end),
            )
        )
    return found


def covered(marks: Iterable[Mark], length: int) -> float:
    """The share of a text that some marks cover, from 0 to 1."""
    total, reached = 0, 0
    for start, end in sorted((m.start, m.end) for m in marks):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total / length if length else 0.0
