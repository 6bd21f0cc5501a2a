"""A score as text for a terminal: pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dateline.score.gold import Gold
from dateline.score.scoring import Score, Told
from dateline.score.statistics import Confusion

NOTHING = "-"
"""In place of a number where there was nothing to divide by."""


def score_text(score: Score) -> str:
    """The measures as a table, then the confusion tables."""
    gold = score.gold
    head = (
        f"{gold.config}, split {gold.split}{_part(gold)} of {gold.dataset['name']} {gold.dataset['version']}: "
        f"{_count(len(gold.rows), 'row', 'rows')} in {_count(score.stories, 'story', 'stories')}"
    )
    tables = [_table(_HEAD, [_cells(told) for told in score.told]), *map(_confusion, score.confusions)]
    return "\n\n".join([head, *tables]) + "\n"


def _part(gold: Gold) -> str:
    return "".join(f", {name}={value}" for name, value in gold.part.items())


_HEAD = ("measure", "value", "95 % interval", "precision", "recall", "items", "stories", "")


def _cells(told: Told) -> Sequence[str]:
    measure = told.measure
    found = told.value
    stories = _count(len(measure.stories), "story", "stories")
    between = f"{told.interval[0]:.3f} to {told.interval[1]:.3f}" if told.interval else f"no interval: {stories}"
    ratios = ["" if found.precision is None and found.recall is None else _number(n) for n in (found.precision, found.recall)]
    return (measure.name, _number(found.value), between, *ratios, f"{measure.items:,}", f"{len(measure.stories):,}",
            "; ".join(told.remarks))  # fmt: skip


def _confusion(confusion: Confusion) -> str:
    rows = [(label, *map(str, row)) for label, row in zip(confusion.labels, confusion.table, strict=True)]
    title = f"confusion ({confusion.name}): rows are gold, columns predicted"
    return f"{title}\n" + _table(("", *confusion.labels, "nothing"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side: the first one flush left, numbers flush right, remarks as they are."""
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    return "\n".join(" ".join(_padded(row, widths)).rstrip() for row in (head, *rows))


def _padded(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield f"{cell:{width}}" if number == 0 else f" {cell:>{width}}"


def _number(number: float | None) -> str:
    return NOTHING if number is None else f"{number:.3f}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
