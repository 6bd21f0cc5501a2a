"""Records side by side: the items of a layer of many records as columns, which is how the fast way reads them.

A Block holds some hundred parsed records of one split. Nothing in it is known to be right: only `accept` may ask for columns
before the records are checked, and it asks for the shapes of a layer's items first.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate, chain, count, repeat
from typing import Any

from dateline.compile.read import RawRecord
from dateline.schema import Field, Json, Layer, Schemas

NO_ITEMS: list[Json] = []


class Items:
    """The items of one layer of all records of a block, in their order."""

    def __init__(self, layer: Layer, lists: Sequence[list[Json]], block: Block) -> None:
        self.layer = layer
        self._block = weakref.proxy(block)  # a cycle would keep both: nobody collects while records are compiled
        self.counts = list(map(len, lists))
        self.items: list[Json] = list(chain.from_iterable(lists))
        self._columns: dict[str, list[Any]] = {}
        self._spans: dict[str, Spans] = {}

    @cached_property
    def offsets(self) -> list[int]:
        """Where the items of each record begin, and at last where they all end."""
        return [0, *accumulate(self.counts)]

    def slices(self) -> Iterator[tuple[int, int, int]]:
        """The number of each record, and where its items begin and end."""
        return zip(count(), self.offsets, self.offsets[1:])

    @cached_property
    def shapes(self) -> Counter[tuple[str, ...]]:
        """The names that items have, in their order, and how often."""
        return Counter(map(tuple, self.items))

    @cached_property
    def _having(self) -> Counter[str]:
        """How many items have a name at all."""
        having: Counter[str] = Counter()
        for shape, number in self.shapes.items():
            for name in shape:
                having[name] += number
        return having

    def lacking(self, name: str) -> int:
        """How many items do not have a field at all."""
        return len(self.items) - self._having[name]

    def under(self, name: str) -> list[Any]:
        """What each item has under a name; None where it is null or missing."""
        if name not in self._columns:
            lacking = self.lacking(name)
            if not lacking:
                self._columns[name] = [item[name] for item in self.items]
            elif lacking == len(self.items):
                self._columns[name] = [None] * lacking
            else:
                self._columns[name] = [item.get(name) for item in self.items]
        return self._columns[name]

    def is_absent(self, field: Field) -> bool:
        """Whether no item has the field."""
        return not self._having[field.path[0]]

    def column(self, field: Field) -> list[Any]:
        """The value of a field in each item; None where it is null or missing."""
        return self.under(field.path[0]) if len(field.path) == 1 else list(map(field.value_of, self.items))

    def spans(self, field: Field) -> Spans:
        """The spans of a field, which is a span or a list of them."""
        if field.name not in self._spans:
            self._spans[field.name] = Spans(self.column(field), field, self)
        return self._spans[field.name]

    @cached_property
    def texts(self) -> list[str | None]:
        """The text that each item belongs to."""
        return self.per_item(self._block.texts)

    def per_item(self, values: Sequence[Any]) -> list[Any]:
        """What is said of each record, said of each of its items."""
        return list(chain.from_iterable(map(repeat, values, self.counts)))


class Spans:
    """The spans of one field (a span, or a list of them), all in a row.

    There are `counts` of them in each item; `starts`, `ends`; `words` are what they cut out of the texts of their records.
    """

    def __init__(self, values: Sequence[Any], field: Field, items: Items) -> None:
        lists: list[list[Json]]
        if field.span == "one":
            lists = [[] if value is None else [value] for value in values]
        else:
            lists = [value or [] for value in values]
        self._items = weakref.proxy(items)
        self.counts = list(map(len, lists))
        self.spans: list[Json] = list(chain.from_iterable(lists))
        self.starts: list[int] = [span["start"] for span in self.spans]
        self.ends: list[int] = [span["end"] for span in self.spans]

    @cached_property
    def words(self) -> list[str | None]:
        """What each span cuts out of its text, where that is at hand."""
        owners = list(chain.from_iterable(map(repeat, self._items.texts, self.counts)))
        if None in owners:
            cut = zip(owners, self.starts, self.ends, strict=True)
            return [None if text is None else text[start:end] for text, start, end in cut]
        return [text[start:end] for text, start, end in zip(owners, self.starts, self.ends, strict=True)]


class Block:
    """Records of one split, in the order of their rows, with the bytes that they were read from."""

    def __init__(self, records: list[Json], raws: list[RawRecord], schemas: Schemas) -> None:
        self.records, self.raws, self.schemas = records, raws, schemas
        self._items: dict[str, Items] = {}

    def items(self, layer: Layer) -> Items:
        """The items of a layer."""
        if layer.name not in self._items:
            lists = [record.get(layer.name) or NO_ITEMS for record in self.records]
            self._items[layer.name] = Items(layer, lists, self)
        return self._items[layer.name]

    @cached_property
    def texts(self) -> list[str | None]:
        """The text of each record that holds one."""
        return [record["text"].get("content") for record in self.records]
