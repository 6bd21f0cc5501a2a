"""Which item of one annotator is which item of the other: one to one, exact places first, then by best overlap."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from dateline.agreement.places import Place

RULE = (
    "items are matched one to one: first those whose spans are equal, then the others so that the sum of their overlaps "
    "(characters shared / characters of either) is greatest; labels are not looked at"
)


def match(first: Sequence[Place], second: Sequence[Place]) -> tuple[list[tuple[int, int]], int]:
    """Pairs of numbers of matched places, and how many of them are equal; those stand first.

    Places that share no character of one role are never matched. Of several items at one place the n-th is matched with the n-th.
    """
    exact = list(_equal(first, second))
    rows = sorted({i for i, place in enumerate(first) if place} - {i for i, _ in exact})
    columns = sorted({j for j, place in enumerate(second) if place} - {j for _, j in exact})
    overlaps = _overlaps([first[i] for i in rows], [second[j] for j in columns])
    best = zip(*linear_sum_assignment(overlaps, maximize=True), strict=True)
    return exact + [(rows[i], columns[j]) for i, j in best if overlaps[i, j] > 0], len(exact)


def _equal(first: Sequence[Place], second: Sequence[Place]) -> Iterator[tuple[int, int]]:
    waiting: dict[Place, list[int]] = defaultdict(list)
    for number in reversed(range(len(second))):
        waiting[second[number]].append(number)
    for number, place in enumerate(first):
        if place and waiting[place]:
            yield number, waiting[place].pop()


def _overlaps(first: Sequence[Place], second: Sequence[Place]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Shared characters of each pair, as a share of the characters of both."""
    made = np.zeros((len(first), len(second)))
    owners: dict[tuple[str, int], list[int]] = defaultdict(list)
    sizes = [0] * len(second)
    for number, place in enumerate(second):
        for character in place.characters():
            owners[character].append(number)
            sizes[number] += 1
    for row, place in enumerate(first):
        characters = list(place.characters())
        shared = Counter(number for character in characters for number in owners.get(character, ()))
        for column, n in shared.items():
            made[row, column] = n / (len(characters) + sizes[column] - n)
    return made
