"""Krippendorff's alpha from sums that can be added over articles, so that a resample of articles is a sum and no second pass.

The estimates are those of the library `krippendorff` (a test compares them), which takes no weights: with it each of 1,000
resamples would count all items again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Units = Sequence[tuple[int, int]]
"""Stretches [start, end) of a continuum that one annotator marked: sorted, without overlap."""


def alpha(coincidences: Array, *, ordinal: bool) -> Array:
    """Alpha of tables of coincidences (the last two axes: each pair of values once in either order).

    Nominal: two values are the same or not. Ordinal: they are as far apart as there are values given between them. NaN where only
    one value was given, so that there was nothing to disagree about.
    """
    given = coincidences.sum(-1)
    total = given.sum(-1)
    if ordinal:
        rank = np.cumsum(given, -1) - given / 2
        distance = (rank[..., :, None] - rank[..., None, :]) ** 2
    else:
        distance = 1 - np.eye(coincidences.shape[-1])
    observed = (coincidences * distance).sum((-2, -1))
    expected = (given[..., :, None] * given[..., None, :] * distance).sum((-2, -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1 - (total - 1) * observed / expected)


# ---- unitising -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unitised:
    """What alpha_u needs to know of one continuum that two annotators have marked."""

    length: int
    disagreement: float
    units: tuple[int, ...]
    gaps: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(cls, length: int, first: Units, second: Units) -> Unitised:
        """The continuum [0, length) with the units of two annotators."""
        units = tuple(end - start for start, end in (*first, *second))
        gaps = tuple(end - start for one in (first, second) for start, end in _gaps(one, length))
        return cls(length, _disagreement(first, second, length), units, gaps)


def alpha_u_sums(lengths: Sequence[int], continuum: Unitised) -> Array:
    """The sums of one continuum; `lengths` are all lengths of units that any continuum has, in ascending order.

    Length, disagreement, units, what units expect of units, pairs inside units; then for each length of units their squares, and
    the places that gaps have for a unit of that length.
    """
    units, gaps = np.array(continuum.units, float), np.array(continuum.gaps, float)
    sizes = np.array(lengths, float)
    among = (2 * units**3 - 3 * units**2 + units).sum() / 3
    squares = np.array([(units[units == size] ** 2).sum() for size in sizes])
    places = np.array([np.maximum(gaps - size + 1, 0).sum() for size in sizes])
    head = [continuum.length, continuum.disagreement, len(units), among, (units * (units - 1)).sum()]
    return np.concatenate([np.array(head, float), squares, places])


def alpha_u(sums: Array) -> Array:
    """Krippendorff's alpha for unitising (1995; Content Analysis, 2nd edition, 2004), for two annotators and one kind of unit.

    Several continua are one long one in which no unit and no gap reaches over an edge. NaN where nobody marked anything.
    """
    length, disagreement, units, among, inside = (sums[..., n] for n in range(5))
    squares, places = np.split(sums[..., 5:], 2, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = disagreement / length**2
        chances = (units - 1) * among + (squares * places).sum(-1)
        expected = 2 / length * chances / (2 * length * (2 * length - 1) - inside)
        return np.asarray(1 - observed / expected)


def _gaps(units: Units, length: int) -> list[tuple[int, int]]:
    edges = [(0, 0), *units, (length, length)]
    return [(before[1], after[0]) for before, after in pairwise(edges) if before[1] < after[0]]


def _disagreement(first: Units, second: Units, length: int) -> float:
    """Squared distances: of both ends where units meet, of its length where a unit lies in a gap of the other annotator."""
    total = 0.0
    for (start, end), (other_start, other_end) in _meeting(first, second):
        total += (start - other_start) ** 2 + (end - other_end) ** 2
    for units, others in ((first, second), (second, first)):
        gaps = _gaps(others, length)
        total += sum((end - start) ** 2 for (start, end), (low, high) in _meeting(units, gaps) if low <= start and end <= high)
    return total


def _meeting(one: Units, other: Units) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The pairs of stretches that share a character."""
    found, first = [], 0
    for start, end in one:
        while first < len(other) and other[first][1] <= start:
            first += 1
        at = first
        while at < len(other) and other[at][0] < end:
            found.append(((start, end), other[at]))
            at += 1
    return found
