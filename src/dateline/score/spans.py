"""Spans as sets of code points, and which predicted thing is which of the gold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from scipy.optimize import linear_sum_assignment

from dateline.score.statistics import Counts

Chars = frozenset[int]
"""The code points that one thing covers; it may be discontinuous."""

Thing = TypeVar("Thing")


def chars(spans: Iterable[Mapping[str, int]], start: int = 0) -> Chars:
    """The code points of spans within a passage that starts at `start`."""
    return frozenset(start + at for span in spans for at in range(span["start"], span["end"]))


def overlap(one: Chars, other: Chars) -> float:
    """Which share of what both cover together is covered by both (Jaccard): 0 apart, 1 equal."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def align(gold: Sequence[Thing], predicted: Sequence[Thing], weight: Callable[[Thing, Thing], float]) -> list[tuple[int, int]]:
    """Pairs of one of the gold and one predicted, each at most once, with the largest sum of weights; none without weight."""
    if not gold or not predicted:
        return []
    weights = np.array([[weight(one, other) for other in predicted] for one in gold])
    rows, columns = linear_sum_assignment(weights, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if weights[row, column] > 0]


def exact_counts(gold: Iterable[Hashable], predicted: Iterable[Hashable]) -> Counts:
    """Counts for F1 where only equal things match, each once."""
    ours, theirs = Counter(gold), Counter(predicted)
    hits = float(sum((ours & theirs).values()))
    return (hits, float(theirs.total()), hits, float(ours.total()))


def matched_counts(matched: float, gold: int, predicted: int) -> Counts:
    """Counts for F1 where so many things were matched."""
    return (float(matched), float(predicted), float(matched), float(gold))
