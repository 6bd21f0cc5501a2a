"""Near-duplicates against exact Jaccard, over all pairs of texts: how many pairs are found, and how many that are found are true.

    python benchmarks/all_pairs.py --write

There are two samples: the texts and wire copies of `near_duplicates.py`, where many pairs lie about the threshold, and
articles of `corpus_generator.py`. The exact likeness of all pairs comes of one sparse matrix, with a row for each text and a
column for each shingle; pairs are found by signatures as `rebuild` finds them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

import results
from corpus_generator import record
from dateline.compile.groups import Ints, near_pairs
from dateline.compile.signature import shingles, sign, signing_of
from dateline.project import Splits
from near_duplicates import sources
from wire_copies import copies

RESULTS = Path(__file__).parent / "RESULTS.md"
SPLITS = Splits()
THRESHOLDS = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
_ROWS_AT_ONCE = 500

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """Pairs of texts as one number each (first x texts + second, first < second), in order, and their likeness."""

    key: Ints
    likeness: Floats

    def at_least(self, threshold: float) -> Ints:
        """The pairs that are as much alike."""
        return self.key[self.likeness >= threshold]


@dataclass(frozen=True)
class Met:
    """What signatures find at a threshold, beside what is there."""

    threshold: float
    true: int
    found: int
    both: int
    least_found: float
    """The least exact Jaccard of a pair that was found, 1 if there is none."""
    most_missed: float
    """The greatest exact Jaccard of a pair that was not, 0 if there is none."""

    @property
    def recall(self) -> float:
        """The share of true pairs that is found."""
        return self.both / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        """The share of pairs found that is true."""
        return self.both / self.found if self.found else 1.0


def exact(texts: Sequence[str], least: float) -> Pairs:
    """All pairs of texts whose shingles have at least that Jaccard similarity (above 0), and it."""
    signing = signing_of(SPLITS)
    column: dict[str, int] = {}
    cut = [[column.setdefault(shingle, len(column)) for shingle in sorted(shingles(text, signing))] for text in texts]
    sizes = np.array([len(one) for one in cut])
    pointers = np.concatenate([[0], np.cumsum(sizes)])
    matrix = csr_array((np.ones(pointers[-1], np.int32), np.concatenate(cut), pointers), shape=(len(cut), len(column)))
    keys, likenesses = [np.empty(0, np.int64)], [np.empty(0)]
    for first in range(0, len(cut), _ROWS_AT_ONCE):
        common = (matrix[first : first + _ROWS_AT_ONCE] @ matrix.T).tocoo()
        one, other = common.row.astype(np.int64) + first, common.col.astype(np.int64)
        likeness = common.data / (sizes[one] + sizes[other] - common.data)
        kept = (one < other) & (likeness >= least)
        keys.append(one[kept] * len(cut) + other[kept])
        likenesses.append(likeness[kept])
    key, likeness = np.concatenate(keys), np.concatenate(likenesses)
    order = np.argsort(key)
    return Pairs(key[order], likeness[order])


def found(texts: Sequence[str], threshold: float) -> Ints:
    """The pairs that `rebuild` takes for near-duplicates, as `Pairs.key` has them."""
    signing = signing_of(SPLITS)
    signed = [(number, made) for number, text in enumerate(texts) if (made := sign(text, signing)) is not None]
    numbers = np.array([number for number, _ in signed], np.int64)
    signatures = np.stack([np.frombuffer(made, "<u4") for _, made in signed])
    keys = [np.empty(0, np.int64)]
    for one, other in near_pairs(signatures, threshold, lambda a, b: np.ones(len(a), bool)):
        low, high = np.minimum(numbers[one], numbers[other]), np.maximum(numbers[one], numbers[other])
        keys.append(low * len(texts) + high)
    return np.unique(np.concatenate(keys))


def compare(texts: Sequence[str], thresholds: Sequence[float] = THRESHOLDS) -> list[Met]:
    """What is found at each threshold, against the pairs that are at least that much alike."""
    pairs = exact(texts, 0.01)
    compared = []
    for threshold in thresholds:
        true, signed = pairs.at_least(threshold), found(texts, threshold)
        known = np.isin(pairs.key, signed)
        least = float(pairs.likeness[known].min(initial=1)) if len(signed) == known.sum() else 0.0
        most = float(pairs.likeness[~known].max(initial=0))
        compared.append(Met(threshold, len(true), len(signed), len(np.intersect1d(true, signed)), least, most))
    return compared


def table(compared: Sequence[Met]) -> list[str]:
    """As lines of Markdown."""
    lines = [
        "| threshold | pairs so much alike | pairs found | recall | precision | least Jaccard found | most Jaccard missed |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for met in compared:
        shown = f"{met.threshold:g}" + (" (default)" if met.threshold == SPLITS.threshold else "")
        lines.append(
            f"| {shown} | {met.true:,} | {met.found:,} | {met.recall:.3f} | {met.precision:.3f} "
            f"| {met.least_found:.2f} | {met.most_missed:.2f} |"
        )
    return lines


def main() -> None:
    """Compare both samples, print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=5, help="copies of each text, kind and strength that chance changes")
    parser.add_argument("--articles", type=int, default=5_000, help="of the synthetic corpus")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="keep the tables in RESULTS.md")
    said = parser.parse_args()
    texts, _, named = sources()
    made = [*texts.values(), *(copy.text for copy in copies(texts, draws=said.draws, seed=said.seed))]
    synthetic = [record(said.seed, number)["text"]["content"] for number in range(said.articles)]
    pairs = [len(some) * (len(some) - 1) // 2 for some in (made, synthetic)]
    body = "\n".join([
        f"{results.machine(('dateline', 'rensa', 'scipy'))}; `python benchmarks/all_pairs.py --draws {said.draws} --articles "
        f"{said.articles} --seed {said.seed}`. A pair is true at a threshold if the exact Jaccard similarity of its shingles "
        "reaches it, and found if its signatures say so.", "",
        f"{len(made):,} texts: {named}, and wire copies of them as above; all {pairs[0]:,} pairs.", "", *table(compare(made)), "",
        f"{len(synthetic):,} articles of the synthetic corpus; all {pairs[1]:,} pairs.", "", *table(compare(synthetic)),
    ])  # fmt: skip
    print(body)
    if said.write:
        results.put(RESULTS, results.Section("Near-duplicates against exact Jaccard", body + "\n"))


if __name__ == "__main__":
    main()
