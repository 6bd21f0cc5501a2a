"""How well one clustering agrees with another: B-cubed and LEA, as counts that add up over stories.

Both take the mentions that a system found as they are (Pradhan et al. 2014): one that is only in the key costs recall, one
that is only in the response costs precision.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from math import comb

from dateline.score.statistics import Counts

Clusters = Sequence[frozenset[Hashable]]


def clusters(labelled: Iterable[tuple[Hashable, Hashable]]) -> Clusters:
    """The clusters of items given with their labels."""
    found: dict[Hashable, set[Hashable]] = {}
    for item, label in labelled:
        found.setdefault(label, set()).add(item)
    return [frozenset(items) for items in found.values()]


def b_cubed(key: Clusters, response: Clusters) -> Counts:
    """Of each item, which share of its cluster is in its cluster on the other side (Bagga and Baldwin 1998)."""
    return (*_b_cubed(response, key), *_b_cubed(key, response))


def _b_cubed(ours: Clusters, others: Clusters) -> tuple[float, float]:
    shares = [sum(len(one & other) ** 2 for other in others) / len(one) for one in ours]
    return sum(shares), sum(map(len, ours))


def lea(key: Clusters, response: Clusters) -> Counts:
    """Of each cluster, weighed by its size, which share of its links is on the other side, too (Moosavi and Strube 2016).

    A cluster of one item has one link, to itself, which only a cluster of that item alone resolves.
    """
    return (*_lea(response, key), *_lea(key, response))


def _lea(ours: Clusters, others: Clusters) -> tuple[float, float]:
    return sum(len(one) * _resolved(one, others) for one in ours), sum(map(len, ours))


def _resolved(one: frozenset[Hashable], others: Clusters) -> float:
    if len(one) == 1:
        return float(one in others)
    return sum(comb(len(one & other), 2) for other in others) / comb(len(one), 2)
