"""Groups: what must share a split, as connected components over numpy arrays; pure, and independent of order.

Nodes are numbers. Nothing here is a Python object per pair or per article, and signatures, which are most of what is known of
an article, stay in a file: so millions of articles fit in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dateline.files import Mapped

Ints = NDArray[np.signedinteger[Any]]
Wanted = Callable[[Ints, Ints], NDArray[np.bool_]]
"""Which of the pairs (one[i], other[i]) are still of interest."""

_ROWS_AT_ONCE = 1 << 14
_PAIRS_AT_ONCE = 1 << 8  # each may be two pages of a file, and the system reads sixteen at once


class Signatures(Protocol):
    """One row per signature, uint32 [signatures, numbers]: an array, or a `SignatureFile`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """How many signatures of how many numbers."""
        ...

    def __getitem__(self, which: Any, /) -> Any:
        """Some of them, as an array: by slices or arrays of rows, and of numbers."""
        ...


class SignatureFile:
    """Signatures in a file, one after another as little-endian uint32; what was looked at does not stay in memory."""

    def __init__(self, path: Path, numbers: int) -> None:
        rows = path.stat().st_size // (4 * numbers)
        self.shape: tuple[int, ...] = (rows, numbers)
        self._file = Mapped(path)
        self._rows = np.frombuffer(self._file.content, "<u4", rows * numbers).reshape(rows, numbers)

    def __getitem__(self, which: Any, /) -> NDArray[np.uint32]:
        """A copy of some of them."""
        found = np.array(self._rows[which])
        self._file.forget()
        return found


def join(labels: Ints, one: Ints, other: Ints) -> None:
    """Join the components of one[i] and other[i], in place; a component's label is its smallest node.

    `labels` begins as the numbers of the nodes and is changed by this function only.
    """
    while True:
        first, second = labels[one], labels[other]
        apart = first != second
        if not apart.any():
            return
        low, high = np.minimum(first, second)[apart], np.maximum(first, second)[apart]
        np.minimum.at(labels, high, low)
        while not np.array_equal(labels, further := labels[labels]):
            labels[:] = further


def agreement(signatures: Signatures, one: Ints, other: Ints) -> NDArray[np.float64]:
    """The share of equal numbers in each pair of signatures: the estimate of their texts' Jaccard similarity."""
    parts = [
        (signatures[one[at : at + _PAIRS_AT_ONCE]] == signatures[other[at : at + _PAIRS_AT_ONCE]]).mean(axis=1)
        for at in range(0, len(one), _PAIRS_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def near_pairs(signatures: Signatures, threshold: float, wanted: Wanted) -> Iterator[tuple[Ints, Ints]]:
    """All pairs of rows whose signatures agree in at least `threshold` of their numbers, unless `wanted` declines them.

    The numbers are cut into one band more than such a pair may have unequal numbers, so they share a band and none is missed.
    Pairs come in batches; what the caller learns of one may change what it wants of the next. A pair may come twice.
    """
    rows, numbers = signatures.shape
    unequal = int((1 - threshold) * numbers + 1e-9)
    for band in np.array_split(np.arange(numbers), min(numbers, unequal + 1)):
        keys = np.empty(rows, np.uint64)
        for begin in range(0, rows, _ROWS_AT_ONCE):
            keys[begin : begin + _ROWS_AT_ONCE] = _keys(signatures[begin : begin + _ROWS_AT_ONCE, band])
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        # neighbours in the sorted order at growing distance: every pair inside a run of equal keys, and no other
        at = np.flatnonzero(keys[1:] == keys[:-1])
        for distance in range(1, rows):
            at = at[at + distance < rows]
            at = at[keys[at] == keys[at + distance]]
            if not len(at):
                break
            one, other = order[at], order[at + distance]
            asked = wanted(one, other)
            one, other = one[asked], other[asked]
            near = agreement(signatures, one, other) >= threshold
            if near.any():
                yield one[near], other[near]


def _keys(band: NDArray[np.uint32]) -> NDArray[Any]:
    """One number per row; equal rows have equal ones, and others hardly ever (a candidate more, no more than that)."""
    keys = np.zeros(len(band), np.uint64)
    for column in band.T:
        keys = (keys ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys
