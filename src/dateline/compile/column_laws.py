"""The laws that are written beside a field, and what is asked of numbers and spans, decided for the items of a block at once.

Each function here has a twin in `check` or `laws`, which decides one record, and is asked where a column cannot tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise, repeat
from typing import Any

import numpy as np

from dateline.compile import check, laws
from dateline.compile.columns import Block, Items
from dateline.compile.doubts import Doubts, Keys, is_doubted, named, owners
from dateline.schema import Field, Json, Layer

_EXACT_FLOAT = 2**53

# ---- numbers, spans ------------------------------------------------------------------------------------------


def numbers_lost(layer: Layer, field: Field, items: Items) -> Doubts:
    """Records with a number that the column does not keep."""
    values = items.column(field)
    kind = str(field.type)
    if len(field.path) == 1 and "x-decimal" in field.schema:
        lost = {v for v in {*values} if v is not None and not check.fits(check.decimal_of(v), *field.schema["x-decimal"])}
        return owners(items, (n for n, value in enumerate(values) if value in lost)) if lost else set()
    if len(field.path) == 1 and kind == "int64":  # to JSON Schema 1.0 is an integer
        return owners(items, (n for n, value in enumerate(values) if type(value) is float))
    if len(field.path) == 1 and kind == "double":
        return owners(items, (n for n, value in enumerate(values) if value is not None and abs(value) > _EXACT_FLOAT))
    asked = (n for n, value in enumerate(values) if value is not None)
    return owners(items, (n for n in asked if is_doubted(check.check_numbers, layer, items.items[n], [])))


def spans_wrong(field: Field, items: Items, block: Block) -> Doubts:
    """Records with a span that is empty, out of order or out of the text, that has other words, or white space at an edge."""
    lengths = [
        record["text"]["n_code_points"] if t is None else len(t) for record, t in zip(block.records, block.texts, strict=True)
    ]
    if field.span == "nested":
        values, own = items.column(field), zip(items.texts, items.per_item(lengths), strict=True)
        asked = (
            n
            for n, (value, (text, length)) in enumerate(zip(values, own, strict=True))
            if value and _bad(field, value, text, length)
        )
        return owners(items, asked)
    found = items.spans(field)
    if not found.spans:
        return set()
    of_item = np.repeat(np.arange(len(items.items)), found.counts)
    if {*map(type, found.starts), *map(type, found.ends)} != {int}:  # to JSON Schema 1.0 is an integer
        pairs = zip(of_item.tolist(), found.spans, strict=True)
        return owners(items, (n for n, span in pairs if float in {type(span["start"]), type(span["end"])}))
    starts, ends = np.array(found.starts), np.array(found.ends)
    limits = np.repeat(np.repeat(np.array(lengths), items.counts), found.counts)
    bad = (starts >= ends) | (ends > limits)
    bad[1:] |= (of_item[1:] == of_item[:-1]) & (starts[1:] < ends[:-1])
    given = [span.get("surface") for span in found.spans]
    words = found.words
    if given != words and {*given} != {None}:
        bad |= np.array([g is not None and w is not None and g != w for g, w in zip(given, words, strict=True)])
    if None in words:
        bad |= np.array([w is not None and w != w.strip() for w in words])
    elif (bare := list(map(str.strip, words))) != words:  # type: ignore[arg-type]
        bad |= np.array([b != w for b, w in zip(bare, words, strict=True)])
    return owners(items, of_item[bad].tolist()) if bad.any() else set()


def _bad(field: Field, value: Any, text: str | None, length: int) -> bool:
    lists = laws.span_lists(field, value, [])
    return any(is_doubted(check.span_problems, spans, text, length, False) for spans in lists)


# ---- laws that stand beside a field --------------------------------------------------------------------------


def descending(columns: Sequence[Sequence[Any]]) -> Iterator[int]:
    """The numbers of items whose values, where given, descend."""
    for n, row in enumerate(zip(*columns, strict=True)):
        given = [value for value in row if value is not None]
        if any(a > b for a, b in pairwise(given)):
            yield n


def uncovered(layer: Layer, block: Block) -> Doubts:
    """Records with text that no item covers (`x-covers`)."""
    law = layer.schema["x-covers"]
    items = block.items(layer)
    covers = [value in law["values"] for value in items.column(layer[law["field"]])]
    there = [field for field in layer.spanned if not items.is_absent(field)]
    if any(field.span == "nested" for field in there):
        covering = (n for n, a, b in items.slices() if is_doubted(laws.check_covers, layer, items.items[a:b], block.texts[n]))
        return set(covering)
    spans: list[list[tuple[int, int]]] = [[] for _ in block.records]
    owners = items.per_item(range(len(block.records)))
    for found in map(items.spans, there):
        each = zip(owners, covers, found.counts, strict=True)
        owner = chain.from_iterable(repeat(n if covering else -1, count) for n, covering, count in each)
        for n, start, end in zip(owner, found.starts, found.ends, strict=True):
            if n >= 0:
                spans[n].append((start, end))
    return {n for n, a, b in items.slices() if a < b and not _all_covered(block.texts[n], sorted(spans[n]))}


def _all_covered(text: str | None, spans: Sequence[tuple[int, int]]) -> bool:
    reached = 0
    for start, end in [*spans, (len(text), len(text))] if text is not None else ():
        if start > reached and not text[reached:start].isspace():  # type: ignore[index]
            return False
        reached = max(reached, end)
    return True


def _records_with(items: Items, field: Field) -> Iterator[tuple[int, int, int]]:
    """Each record in which a field says something, and where its items begin and end."""
    values = items.column(field)
    for n, a, b in items.slices():
        if any(value is not None and value != [] for value in values[a:b]):
            yield n, a, b


def _within(layer: Layer, field: Field, block: Block, keys: Keys) -> Doubts:
    law = field.schema["x-within"]
    via = layer[law["via"]] if law.get("via") else None
    outer_layer = block.schemas.layers[via.ref] if via is not None and via.ref else layer
    items = block.items(layer)
    values = items.column(field)
    doubts = set()
    if via is None:
        rooms = items.column(layer[law["spans"]])
        return owners(items, (n for n, value in enumerate(values) if value and not _lie_in(value, rooms[n], field)))
    names = items.column(via)
    for n, a, b in _records_with(items, field):
        spans_of = keys.decided(outer_layer.name, law["spans"], n)
        if any(values[i] and names[i] is not None and not _lie_in(values[i], spans_of[names[i]], field) for i in range(a, b)):
            doubts.add(n)
    return doubts


def _lie_in(value: Any, outer: Any, field: Field) -> bool:
    """Whether each span of a value lies inside one of some others."""
    room = [outer] if isinstance(outer, dict) else outer or []
    spans = [value] if field.span == "one" else value if field.span == "many" else chain.from_iterable(value)
    for span in spans:
        start, end = span["start"], span["end"]
        for other in room:
            if other["start"] <= start and end <= other["end"]:
                break
        else:
            return False
    return True


def _acyclic(layer: Layer, field: Field, block: Block, keys: Keys) -> Doubts:
    """A reference that always leads to an item before comes never back; others are followed."""
    items = block.items(layer)
    names, values = items.column(layer.key), items.column(field)
    doubts = set()
    for n, a, b in _records_with(items, field):
        place = {name: number for number, name in enumerate(names[a:b])}
        forward = any(value is not None and place[value] >= number for number, value in enumerate(values[a:b]))
        if forward and is_doubted(check.check_cycles, block.records[n], block.schemas, False):
            doubts.add(n)
    return doubts


def _outside(layer: Layer, field: Field, block: Block, keys: Keys) -> Doubts:
    items = block.items(layer)
    values = items.column(field)
    doubts: Doubts = set()
    for other in (f for name in field.schema["x-outside"] if not items.is_absent(f := layer[name])):
        if "nested" in {field.span, other.span}:
            return owners(items, (n for n, value in enumerate(values) if value))
        pairs = zip(values, items.column(other), strict=True)
        both = ((n, _list(mine), _list(others)) for n, (mine, others) in enumerate(pairs) if mine and others)
        touching = (
            n for n, mine, others in both if any(s["start"] < o["end"] and o["start"] < s["end"] for s in mine for o in others)
        )
        doubts |= owners(items, touching)
    return doubts


def _list(spans: Any) -> list[Json]:
    return [spans] if isinstance(spans, dict) else spans


def _target(layer: Layer, field: Field, block: Block, keys: Keys) -> Doubts:
    law = field.schema["x-target"]
    if field.ref not in block.schemas.layers:
        return set()
    items = block.items(layer)
    values = items.column(field)
    return {
        n
        for n, a, b in _records_with(items, field)
        if (there := keys.decided(str(field.ref), law["field"], n)) is not None
        and any(there[key] not in law["values"] for key in named(values[a:b], field))
    }


def _present(layer: Layer, field: Field, block: Block, keys: Keys) -> Doubts:
    law = field.schema["x-present"]
    via = layer[law["via"]]
    items = block.items(layer)
    values, names = items.column(field), items.column(via)
    doubts = set()
    for n, a, b in items.slices():
        if a == b:
            continue
        there = keys.decided(via.ref or "", law["field"], n)
        wanted = {key for key, value in there.items() if value in law["values"]}
        pairs = zip(names[a:b], values[a:b], strict=True)
        if any((value is not None) != (name in wanted) for name, value in pairs if name is not None):
            doubts.add(n)
    return doubts


def _depth(layer: Layer, field: Field, block: Block, keys: Keys) -> Doubts:
    items = block.items(layer)
    parents, values = items.column(layer[field.schema["x-depth"]]), items.column(field)
    doubts = set()
    for n, a, b in items.slices():
        if all(parent is None for parent in parents[a:b]):
            if any(value != 1 for value in values[a:b]):
                doubts.add(n)
        elif is_doubted(laws.check_depth, layer, field, items.items[a:b], False):
            doubts.add(n)
    return doubts


_MARKS = re.compile(f"[{re.escape(laws.QUOTATION_MARKS)}]")


def _quotes(layer: Layer, field: Field, block: Block, keys: Keys) -> Doubts:
    law = field.schema["x-quotes"]
    items = block.items(layer)
    found = items.spans(layer[law["spans"]])
    labels = items.column(field)
    closed, some, none = (law.get(name, ()) for name in ("closed", "some", "none"))
    asked = []
    end = 0
    for n, (label, text, count) in enumerate(zip(labels, items.texts, found.counts, strict=True)):
        pieces, end = found.words[end : end + count], end + count
        if text is None:
            continue
        marked = any(map(_MARKS.search, pieces))  # type: ignore[arg-type]
        if label in closed:
            right = all(p and len(p) > 1 and p[0] in laws.QUOTATION_MARKS and p[-1] in laws.QUOTATION_MARKS for p in pieces)
        else:
            right = marked if label in some else not marked if label in none else True
        if not right:
            asked.append(n)
    doubts = set()
    for n in owners(items, asked):
        a, b = items.offsets[n : n + 2]
        if is_doubted(laws.check_quotes, layer, field, items.items[a:b], block.texts[n]):
            doubts.add(n)
    return doubts


OF_FIELDS: dict[str, Callable[[Layer, Field, Block, Keys], Doubts]] = {
    "x-within": _within, "x-acyclic": _acyclic, "x-outside": _outside, "x-target": _target, "x-present": _present,
    "x-depth": _depth, "x-quotes": _quotes,
}  # fmt: skip
OF_EVERY_ITEM = {"x-present", "x-depth", "x-quotes"}
"""Laws that say something of items without the field, too."""
