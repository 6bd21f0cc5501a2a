"""The tables of a block of checked records, made a column at a time: the fast twin of `tables.rows_of`.

What `rows_of`, `arrow_table`, `digest_entry` and `count_labels` make of one record after the other is what stands here, to the
byte; tests hold the two against each other. A field of a form that is rare (an object, a list of lists) is read as `rows_of`
reads it.

- A layer's columns are Arrow arrays once: the nested column of `records` is the same arrays under the offsets of its articles.
- A layer's rows are made once: in a record they are the same less the article's id.
"""

from __future__ import annotations

import datetime
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, pairwise
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from dateline.annotation_sets import ADJUDICATED, LAYER, set_field, standing_apart
from dateline.compile.check import is_withheld
from dateline.compile.columns import Block, Items
from dateline.compile.sets import PRIMARY
from dateline.compile.tables import (
    ARTICLES,
    RECORDS,
    STANDOFF,
    arrow_schema,
    article_row,
    default_of,
    derived_value,
    rows_of,
    typed,
    value_in_row,
)  # fmt: skip
from dateline.parquet import arrow_table
from dateline.row_facts import Row, canonical_value, count_labels
from dateline.schema import SPAN_TYPE, Field, Json, Layer, Schemas

Values = list[Any]

OWNER = "article_id"

ENGINE_VALUES = ("split", "group", "added_in", "changed_in")
"""What the plan says of an article, and no record."""


@dataclass
class Assembled:
    """What records of one split give: tables, what each adds to the digests, how often each label stands.

    `lengths` are bytes of each article's rows as canonical JSON, beside its entry in `digests`.
    """

    tables: dict[str, pa.Table] = field(default_factory=dict)
    lengths: dict[str, list[int]] = field(default_factory=dict)
    digests: dict[str, list[bytes]] = field(default_factory=dict)
    labels: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)

    def digest(self, config: str, owners: Iterable[bytes], rows: Iterable[bytes]) -> None:
        """Note the canonical rows of some articles, whose ids are hashed already (see `row_facts.digest_entry`)."""
        entries, lengths = self.digests.setdefault(config, []), self.lengths.setdefault(config, [])
        for owner, raw in zip(owners, rows, strict=True):
            entries.append(owner + hashlib.sha256(raw).digest())
            lengths.append(len(raw))


def assemble(block: Block, entries: Sequence[Mapping[str, Any]]) -> Assembled:
    """The tables of checked records; `entries` name split, group, added_in and changed_in of each."""
    schemas = block.schemas
    made = Assembled()
    withheld = list(map(is_withheld, block.records))
    owners = [hashlib.sha256(record["article_id"].encode()).digest() for record in block.records]
    articles = [
        article_row(record, schemas, {name: entry[name] for name in ENGINE_VALUES})
        for record, entry in zip(block.records, entries, strict=True)
    ]
    if primary := {n: rows for n, record in enumerate(block.records) if (rows := _primary(record, schemas, entries[n]))}:
        made.tables[PRIMARY] = arrow_table(chain.from_iterable(primary.values()), arrow_schema(PRIMARY, schemas))
        made.digest(PRIMARY, (owners[n] for n in primary), map(_dumps, primary.values()))
        kept = [_without_apart(record, schemas) if n in primary else record for n, record in enumerate(block.records)]
        block = Block(kept, block.raws, schemas)

    schema = arrow_schema(ARTICLES, schemas)
    made.tables[ARTICLES] = arrow_table(articles, schema)
    made.digest(ARTICLES, owners, (_dumps([row]) for row in articles))
    count_labels(schemas.article.fields, articles, made.labels.setdefault(ARTICLES, {}))

    ids = [row["article_id"] for row in articles]
    nested: list[pa.Array] = []
    pieces: dict[str, list[bytes]] = {}
    for layer in schemas.layers.values():
        items = block.items(layer)
        columns = [_column(one, items, withheld) for one in layer.fields if not one.derive]
        columns = _with_derived(layer, columns, items, withheld)
        written, pieces[layer.name] = _written(items, columns, ids)
        made.digest(layer.name, owners, written)
        arrays = [one.array() for one in columns]
        struct = pa.struct([(one.name, one.type) for one in layer.fields])
        inner = pa.StructArray.from_arrays(arrays, fields=list(struct)) if items.items else pa.array([], struct)
        nested.append(pa.ListArray.from_arrays(pa.array(items.offsets, pa.int32()), inner))
        if items.items:
            made.labels[layer.name] = _labels(columns)
            owner = pa.array(items.per_item(ids), pa.string())
            made.tables[layer.name] = pa.table([owner, *arrays], schema=arrow_schema(layer.name, schemas))
    _records(made, articles, nested, pieces, withheld, owners, schemas)
    return made


def _records(
    made: Assembled,
    articles: Sequence[Row],
    nested: Sequence[pa.Array],
    pieces: Mapping[str, Sequence[bytes]],
    withheld: Sequence[bool],
    owners: Sequence[bytes],
    schemas: Schemas,
) -> None:
    """Add `records`, and `standoff` of articles whose text is withheld."""
    schema = arrow_schema(RECORDS, schemas)
    whole = pa.table([*made.tables[ARTICLES].columns, *nested], schema=schema)
    for config, away in ((RECORDS, False), (STANDOFF, True)):
        numbers = [n for n, hidden in enumerate(withheld) if hidden == away]
        if numbers:
            made.tables[config] = whole if len(numbers) == len(withheld) else whole.take(pa.array(numbers))
            rows = ([{**articles[n], **{name: orjson.Fragment(raw[n]) for name, raw in pieces.items()}}] for n in numbers)
            made.digest(config, (owners[n] for n in numbers), map(_dumps, rows))


# ---- sets that stand apart -----------------------------------------------------------------------------------


def _primary(record: Json, schemas: Schemas, entry: Mapping[str, Any]) -> list[Row]:
    """The rows of `primary` that a record gives."""
    if all(one["status"] != ADJUDICATED for one in record.get(LAYER) or ()):
        return []
    return rows_of(record, schemas, {name: entry[name] for name in ENGINE_VALUES}).get(PRIMARY, [])


def _without_apart(record: Json, schemas: Schemas) -> Json:
    """The record without the items that stand apart."""
    kept = dict(record)
    for name, sets in standing_apart(record, schemas).items():
        said = set_field(schemas.layers[name])
        kept[name] = [item for item in record.get(name) or () if said is None or said.value_of(item) not in sets]
    return kept


# ---- columns -------------------------------------------------------------------------------------------------


@dataclass
class _Column:
    """One column of a layer: what goes into Arrow, and what is written as JSON (the same where `written` is None).

    It is `canonical` if orjson writes it in canonical form as it is: no decimals, no objects whose names are in another order.
    """

    field: Field
    values: Values
    written: Values
    array: Callable[[], pa.Array]
    canonical: bool = True


def _plain(one: Field, values: Values, written: Values | None = None, *, canonical: bool = True) -> _Column:
    return _Column(one, values, values if written is None else written, lambda: pa.array(values, type=one.type), canonical)


def _column(one: Field, items: Items, withheld: Sequence[bool]) -> _Column:
    if one.withheld and any(withheld):
        hidden = items.per_item(withheld)
        shown = zip(items.items, items.texts, hidden, strict=True)
        values = [value_in_row(one, item, None if away else text, away) for item, text, away in shown]
        return _plain(one, values, canonical=False)
    if one.span in {"one", "many"}:
        return _spans(one, items, withheld)
    if one.span == "nested":
        hidden = items.per_item(withheld)
        shown = zip(items.items, items.texts, hidden, strict=True)
        values = [value_in_row(one, item, None if away else text, away) for item, text, away in shown]
        return _plain(one, values, canonical=False)
    instead = [] if one.is_list else default_of(one)
    if instead is None and items.is_absent(one):
        return _Column(one, nothing := [None] * len(items.items), nothing, lambda: pa.nulls(len(nothing), one.type))
    values = items.column(one)
    if pa.types.is_date32(one.type):
        return _by_value(one, values, instead, datetime.date.fromisoformat, str)
    make = None if _as_it_is(one.type) else typed(one.type)
    if make is not None and pa.types.is_decimal(one.type):
        return _by_value(one, values, instead, make, canonical_value)
    if make is not None:
        made = [instead if value is None else make(value) for value in values]
        return _plain(one, made, canonical=not _holds_objects(one.type))
    made = values if instead is None else [instead if value is None else value for value in values]
    return _plain(one, made, canonical=not _holds_objects(one.type))


def _as_it_is(kind: pa.DataType) -> bool:
    """Whether a checked value of JSON is what the column gives back."""
    inner = kind.value_type if pa.types.is_list(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_boolean(inner) or pa.types.is_int64(inner))


def _by_value(one: Field, values: Values, instead: Any, make: Callable[[Any], Any], spell: Callable[[Any], str]) -> _Column:
    """A column of which each value is made, and spelt for JSON, once."""
    known = {value: make(value) for value in set(values) if value is not None}
    spelt = {value: spell(found) for value, found in known.items()}
    known[None] = spelt[None] = instead
    return _plain(one, [known[value] for value in values], [spelt[value] for value in values])


def _spans(one: Field, items: Items, withheld: Sequence[bool]) -> _Column:
    found = items.spans(one)
    words = found.words
    if any(withheld):
        hidden = chain.from_iterable([away] * n for away, n in zip(items.per_item(withheld), found.counts, strict=True))
        words = [None if away else said for away, said in zip(hidden, words, strict=True)]
    rows = [{"end": e, "start": s, "surface": w} for s, e, w in zip(found.starts, found.ends, words, strict=True)]
    one_after_another = iter(rows)
    written: Values
    if one.span == "one":
        written = [next(one_after_another) if count else None for count in found.counts]
    else:
        written = [list(islice(one_after_another, count)) for count in found.counts]

    def array() -> pa.Array:
        kinds = list(SPAN_TYPE)
        parts = [pa.array(part, type=f.type) for part, f in zip((found.starts, found.ends, words), kinds, strict=True)]
        if one.span == "one":
            return pa.array(written, type=one.type)
        spans = pa.StructArray.from_arrays(parts, fields=kinds)
        return pa.ListArray.from_arrays(pa.array(np.cumsum([0, *found.counts]), pa.int32()), spans)

    return _Column(one, written, written, array)


def _with_derived(layer: Layer, columns: list[_Column], items: Items, withheld: Sequence[bool]) -> list[_Column]:
    """All columns in the order of the fields, computed ones among them: each may follow from those before it."""
    there = {column.field.name: column for column in columns}
    made = []
    for one in layer.fields:
        if one.derive:
            nothing = [None] * len(items.items)
            parts = zip(*(there[name].values if name in there else nothing for name in one.derive["from"]), strict=True)
            values = [derived_value(one, row) for row in parts]
            if one.withheld:
                values = [None if away else value for away, value in zip(items.per_item(withheld), values, strict=True)]
            there[one.name] = _plain(one, values)
        made.append(there[one.name])
    return made


def _labels(columns: Sequence[_Column]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for column in columns:
        if column.field.labels is not None:
            values = column.values
            lists = column.field.is_list
            tally = Counter(chain.from_iterable(filter(None, values)) if lists else values)
            del tally[None]
            counts[column.field.name] = tally
    return counts


# ---- rows as JSON --------------------------------------------------------------------------------------------


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, default=canonical_value, option=orjson.OPT_SORT_KEYS)


def _written(items: Items, columns: Sequence[_Column], owners: Sequence[str]) -> tuple[list[bytes], list[bytes]]:
    """The canonical rows of each article, whose ids are given: as they stand in the layer's table, and nested in a record."""
    cells = {OWNER: items.per_item(owners), **{column.field.name: column.written for column in columns}}
    names = sorted(cells)
    dumps = orjson.dumps if all(column.canonical for column in columns) else _dumps  # the names of rows are in order
    rows = [dict(zip(names, values, strict=True)) for values in zip(*(cells[name] for name in names), strict=True)]
    told = [dumps(rows[a:b]) for a, b in pairwise(items.offsets)]
    for row in rows:
        del row[OWNER]
    return told, [dumps(rows[a:b]) for a, b in pairwise(items.offsets)]


def _holds_objects(kind: pa.DataType) -> bool:
    """Whether values are, or hold, objects."""
    while pa.types.is_list(kind):
        kind = kind.value_type
    return bool(pa.types.is_struct(kind))
