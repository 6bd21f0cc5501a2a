"""Doubts about the records of a block: whose they are, and when a law's own function has something to report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np

from dateline.compile.columns import Block, Items
from dateline.schema import Field, Layer

Doubts = set[int]
"""Numbers of records in their block."""


class _Doubted(Exception):
    pass


def doubt(*_: object, **__: object) -> None:
    """A `report` for functions of the check: any problem is a doubt."""
    raise _Doubted


def is_doubted(law: Callable[..., None], *arguments: Any) -> bool:
    """Whether a function of the check has anything to report."""
    try:
        law(*arguments, doubt)
    except _Doubted:
        return True
    return False


class Keys:
    """The keys of a block's items: by layer, one set for each record."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._sets: dict[str, list[frozenset[str]]] = {}
        counts = [0] * len(block.records)
        every: list[set[str]] = [set() for _ in block.records]
        for layer in block.schemas.layers.values():
            for n, found in enumerate(self._slices(layer)):
                every[n].update(found)
                counts[n] += len(found)
        self.twice = {n for n, (found, count) in enumerate(zip(every, counts, strict=True)) if len(found) != count}

    def _slices(self, layer: Layer) -> Iterator[list[str]]:
        items = self._block.items(layer)
        values = items.column(layer.key)
        return (values[a:b] for a, b in pairwise(items.offsets))

    def of(self, name: str) -> list[frozenset[str]]:
        """The keys of a layer in each record."""
        if name not in self._sets:
            self._sets[name] = list(map(frozenset, self._slices(self._block.schemas.layers[name])))
        return self._sets[name]

    def decided(self, name: str, column: str, record: int) -> dict[str, Any]:
        """By key, what the items of a layer of one record have in a column."""
        layer = self._block.schemas.layers[name]
        items = self._block.items(layer)
        a, b = items.offsets[record : record + 2]
        return dict(zip(items.column(layer.key)[a:b], items.column(layer[column])[a:b], strict=True))


def named(values: Sequence[Any], field: Field) -> Iterator[Any]:
    """The keys that references hold; a list of them is a list, null is none."""
    each = chain.from_iterable(filter(None, values)) if field.is_list else values
    return (value for value in each if value is not None)


def owners(items: Items, numbers: Iterable[int]) -> Doubts:
    """The records that some items belong to."""
    found = list(numbers)
    return {int(n) for n in np.searchsorted(items.offsets, found, side="right") - 1} if found else set()
