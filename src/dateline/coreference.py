"""Coreference measures: how alike two ways are of sorting mentions into clusters.

Clusters are sets of anything hashable. Each measure takes the clusters of two annotators (or of a key and a response) and returns
the sums that recall and precision are quotients of, so that sums over documents can be added before dividing, as the CoNLL scorer
does. A mention that only one of the two has counts against recall or precision; it is never dropped.

- MUC: links (Vilain et al. 1995)
- B-cubed: mentions (Bagga and Baldwin 1998)
- CEAFe: clusters, paired one to one so that the sum of their similarities (phi 4) is greatest (Luo 2005)
- LEA: clusters weighted by size, each by its links; a cluster of one mention has one, to itself (Moosavi and Strube 2016)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

Clusters = Sequence[AbstractSet[Hashable]]


@dataclass(frozen=True)
class Overlap:
    """What recall and precision are quotients of: found of all there is, right of all that was said."""

    found: float = 0.0
    there: float = 0.0
    right: float = 0.0
    said: float = 0.0

    def __add__(self, other: Overlap) -> Overlap:
        return Overlap(self.found + other.found, self.there + other.there, self.right + other.right, self.said + other.said)

    @property
    def recall(self) -> float:
        """The share of the first annotator's clusters that the second has, too; 0 where there is nothing."""
        return self.found / self.there if self.there else 0.0

    @property
    def precision(self) -> float:
        """The share of the second annotator's clusters that the first has, too; 0 where there is nothing."""
        return self.right / self.said if self.said else 0.0

    @property
    def f1(self) -> float:
        """Their harmonic mean: the same whichever of the two annotators comes first."""
        return 2 * self.recall * self.precision / (self.recall + self.precision) if self.recall + self.precision else 0.0


def muc(first: Clusters, second: Clusters) -> Overlap:
    """Links needed to join each cluster, and those of them that the other has; clusters of one mention have none."""
    return Overlap(*_links(first, second), *_links(second, first))


def b_cubed(first: Clusters, second: Clusters) -> Overlap:
    """For each mention the share of its cluster that its cluster on the other side holds."""
    return Overlap(*_mentions(first, second), *_mentions(second, first))


def ceaf_e(first: Clusters, second: Clusters) -> Overlap:
    """The similarity 2|A ∩ B| / (|A| + |B|) of clusters that are paired so that its sum is greatest."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    alike = np.zeros((len(first), len(second)))
    home = _home(second)
    for row, cluster in enumerate(first):
        for mention in cluster:
            if (column := home.get(mention)) is not None:
                alike[row, column] += 2 / (len(cluster) + len(second[column]))
    best = float(alike[linear_sum_assignment(alike, maximize=True)].sum())
    return Overlap(best, len(first), best, len(second))


def lea(first: Clusters, second: Clusters) -> Overlap:
    """For each cluster, as many times as it has mentions, the share of its links that the other side has."""
    return Overlap(*_resolved(first, second), *_resolved(second, first))


def conll_f1(overlaps: Iterable[Overlap]) -> float:
    """The CoNLL score: the mean of the F1 of MUC, B-cubed and CEAFe, given in any order."""
    scores = [overlap.f1 for overlap in overlaps]
    return sum(scores) / len(scores)


def _home(clusters: Clusters) -> Mapping[Hashable, int]:
    """The number of the cluster that each mention stands in."""
    return {mention: number for number, cluster in enumerate(clusters) for mention in cluster}


def _parts(cluster: AbstractSet[Hashable], home: Mapping[Hashable, int]) -> tuple[dict[int, int], int]:
    """How many mentions of a cluster stand in which cluster of the other side, and how many in none."""
    parts: dict[int, int] = {}
    for mention in cluster:
        if (number := home.get(mention)) is not None:
            parts[number] = parts.get(number, 0) + 1
    return parts, len(cluster) - sum(parts.values())


def _links(clusters: Clusters, others: Clusters) -> tuple[float, float]:
    home = _home(others)
    kept = 0
    for cluster in clusters:
        parts, alone = _parts(cluster, home)
        kept += len(cluster) - len(parts) - alone
    return kept, sum(len(cluster) - 1 for cluster in clusters)


def _mentions(clusters: Clusters, others: Clusters) -> tuple[float, float]:
    home = _home(others)
    shares = sum(n * n / len(cluster) for cluster in clusters for n in _parts(cluster, home)[0].values())
    return shares, sum(map(len, clusters))


def _resolved(clusters: Clusters, others: Clusters) -> tuple[float, float]:
    home = _home(others)
    resolved = 0.0
    for cluster in clusters:
        size = len(cluster)
        parts, _ = _parts(cluster, home)
        if size == 1:
            resolved += any(len(others[number]) == 1 for number in parts)
        else:
            resolved += size * sum(n * (n - 1) for n in parts.values()) / (size * (size - 1))
    return resolved, sum(map(len, clusters))
