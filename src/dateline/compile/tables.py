"""Records as rows: one table for the articles, one per layer, one nested row per record; what stands apart in one of its own.

Columns, their order and types follow from the schemas. Where a text is withheld, everything that carries text is
null here already, so nothing after this module ever sees it.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from dateline.compile.check import EXACT, decimal_of, is_withheld
from dateline.compile.sets import PRIMARY, Apart, primary_columns
from dateline.row_facts import Row
from dateline.schema import SPAN_TYPE, Field, Json, Layer, Schemas, feature

ARTICLES, RECORDS, STANDOFF = "articles", "records", "standoff"
_ENGINE_COLUMNS: tuple[tuple[str, pa.DataType, str], ...] = (
    ("added_in", pa.string(), "Data version that first held the article; null before its release."),
    ("changed_in", pa.string(), "Data version that last changed the article's rows; null if none has."),
)
_ROW_COLUMNS: tuple[tuple[str, pa.DataType, str], ...] = (
    ("added_in", pa.string(), "Data version that first held the row; null before its release."),
    ("changed_in", pa.string(), "Data version that last changed the row; null if none has."),
)


# ---- schemas of the tables -----------------------------------------------------------------------------------


def configs(schemas: Schemas, written: Collection[str] = ()) -> list[str]:
    """Names of all tables, in the order in which they are listed everywhere; `primary` only if it is among those `written`."""
    return [ARTICLES, *schemas.layers, *schemas.tables, RECORDS, STANDOFF, *([PRIMARY] if PRIMARY in written else [])]


def arrow_schema(config: str, schemas: Schemas) -> pa.Schema:
    """Arrow schema of one table. Raises KeyError for a name that is no table."""
    return pa.schema([(name, kind) for name, kind, _, _ in columns(config, schemas)])


def features(config: str, schemas: Schemas) -> list[Json]:
    """The table's Hugging Face `Features` in the YAML form of a dataset card."""
    return [feature(name, kind, schema) for name, kind, _, schema in columns(config, schemas)]


def columns(config: str, schemas: Schemas) -> list[tuple[str, pa.DataType, str, Json]]:
    """Name, type, description and JSON schema of each column of one table."""
    own = [(f.name, f.type, f.description, f.schema) for f in schemas.article.fields]
    article = own + [(name, kind, text, {}) for name, kind, text in _ENGINE_COLUMNS]
    if config == ARTICLES:
        return article
    if config in {RECORDS, STANDOFF, PRIMARY}:
        nested = []
        for layer in schemas.layers.values():
            struct = pa.struct([(f.name, f.type) for f in layer.fields])
            items = {"items": {"properties": {f.name: f.schema for f in layer.fields}}}
            nested.append((layer.name, pa.list_(struct), layer.description, items))
        return (primary_columns(schemas) if config == PRIMARY else article) + nested
    layer = {**schemas.layers, **schemas.tables}[config]
    fields = [(f.name, f.type, f.description, f.schema) for f in layer.fields]
    if layer.corpus_level:
        return fields + [(name, kind, text, {}) for name, kind, text in _ROW_COLUMNS]
    return [("article_id", pa.string(), "The article that the row belongs to.", {}), *fields]


# ---- rows ----------------------------------------------------------------------------------------------------


def rows_of(record: Json, schemas: Schemas, engine_values: Mapping[str, Any]) -> dict[str, list[Row]]:
    """The rows that a checked record gives, by table; `engine_values` are split, group, added_in, changed_in.

    Items of annotation sets that stand apart, since others decided between them, are rows of `primary` alone.
    """
    withheld = is_withheld(record)
    visible = None if withheld else record["text"].get("content")
    article = article_row(record, schemas, engine_values)
    rows: dict[str, list[Row]] = {ARTICLES: [article]}
    nested: Row = dict(article)
    apart = Apart(record, schemas)
    for layer in schemas.layers.values():
        said = record.get(layer.name) or []
        items = apart.keep(layer, said, [layer_row(layer, item, visible, withheld) for item in said])
        nested[layer.name] = items
        rows[layer.name] = [{"article_id": article["article_id"], **item} for item in items]
    rows[STANDOFF if withheld else RECORDS] = [nested]
    if primary := apart.rows(article):
        rows[PRIMARY] = primary
    return rows


def article_row(record: Json, schemas: Schemas, engine_values: Mapping[str, Any]) -> Row:
    """The row of `articles` that a checked record gives."""
    withheld = is_withheld(record)
    text = record["text"].get("content")
    article = {f.name: value_in_row(f, record, None if withheld else text, withheld) for f in schemas.article.fields}
    article |= {name: None for name, _, _ in _ENGINE_COLUMNS} | dict(engine_values)
    article["text_redistributable"] = not withheld
    return article | _measures_of(record["text"], text)


def layer_row(layer: Layer, item: Json, text: str | None, withheld: bool) -> Row:
    """One item of a layer, or row of a corpus-level table, with its computed columns."""
    row = {f.name: None if f.derive else value_in_row(f, item, text, withheld) for f in layer.fields}
    for field in layer.fields:
        if field.derive and not (withheld and field.withheld):
            row[field.name] = derived_value(field, [row[column] for column in field.derive["from"]])
    return row


def derived_value(field: Field, parts: Sequence[Any]) -> Any:
    """The value of a computed column that follows from those of others."""
    if field.derive is None or None in parts:
        return None
    found = field.derive["map"].get(" ".join(map(str, parts)))
    return found if found is None else given_back(field, found)


def value_in_row(field: Field, item: Json, text: str | None, withheld: bool) -> Any:
    """What a row has in a column, from its item; `text` is None where it may not be shown, or is not at hand."""
    if withheld and field.withheld:
        return None
    value = field.value_of(item)
    if value is None:
        return [] if field.is_list else default_of(field)
    if field.span == "one":
        return _span(value, text)
    if field.span == "many":
        return [_span(span, text) for span in value]
    if field.span == "nested":
        return [[_span(span, text) for span in spans] for spans in value]
    return given_back(field, value)


def default_of(field: Field) -> Any:
    """What the column of a field gives back where an item has no value; None where nothing is declared."""
    declared = field.schema.get("default")
    return declared if declared is None else given_back(field, declared)


def given_back(field: Field, value: Any) -> Any:
    """What the column of a field gives back for a JSON value."""
    made = typed(field.type)
    return value if made is None else made(value)


@functools.lru_cache(1024)
def typed(kind: pa.DataType) -> Callable[[Any], Any] | None:
    """What makes of a JSON value that is not null what the column will give back, so that digests of a record and of its rows
    are the same; None where that is the value itself."""
    if pa.types.is_list(kind):
        inner = typed(kind.value_type)
        return list if inner is None else lambda value: [None if one is None else inner(one) for one in value]
    if pa.types.is_struct(kind):
        parts = [(f.name, typed(f.type) or _itself) for f in kind]
        return lambda value: {name: None if value.get(name) is None else part(value[name]) for name, part in parts}
    if pa.types.is_decimal(kind):
        step = Decimal(1).scaleb(-kind.scale)
        # a column of decimals has no -0
        return lambda value: EXACT.add(decimal_of(value).quantize(step, context=EXACT), 0)
    if pa.types.is_date32(kind):
        return datetime.date.fromisoformat
    if pa.types.is_floating(kind):
        return float
    return int if pa.types.is_integer(kind) else None


def _itself(value: Any) -> Any:
    return value


def _span(span: Json, text: str | None) -> Row:
    start, end = int(span["start"]), int(span["end"])
    return {"start": start, "end": end, "surface": None if text is None else text[start:end]}


def _measures_of(said: Json, text: str | None) -> Row:
    if text is None:
        return {"text_sha256": said["sha256"], "text_n_code_points": said["n_code_points"], "text_n_bytes": said["n_bytes"]}
    raw = text.encode()
    return {"text_sha256": hashlib.sha256(raw).hexdigest(), "text_n_code_points": len(text), "text_n_bytes": len(raw)}


# ---- withheld text in rows and out of them -------------------------------------------------------------------


def with_text(row: Row, config: str, schema: pa.Schema, text: str | None) -> Row:
    """The row of a withheld article with its text and the surfaces of its spans filled in; with None, null again.

    Nothing else can follow from the text: headlines, propositions and notes stay as they are, which is null.
    """
    made = {f.name: _with_surfaces(row[f.name], f.type, text) for f in schema}
    if config in {ARTICLES, RECORDS, STANDOFF, PRIMARY}:
        made["text"] = text
    return made


def _with_surfaces(value: Any, kind: pa.DataType, text: str | None) -> Any:
    if value is None:
        return None
    if kind.equals(SPAN_TYPE):
        return _span(value, text)
    if pa.types.is_list(kind):
        return [_with_surfaces(inner, kind.value_type, text) for inner in value]
    if pa.types.is_struct(kind):
        return {f.name: _with_surfaces(value[f.name], f.type, text) for f in kind}
    return value


def row_spans(value: Any, kind: pa.DataType, steps: list[str | int]) -> Iterator[list[tuple[list[str | int], Json]]]:
    """The lists of spans in a value of a row, each span with its pointer; a span that stands alone is a list of one."""
    if value is None:
        return
    if kind.equals(SPAN_TYPE):
        yield [(steps, value)]
    elif pa.types.is_list(kind) and kind.value_type.equals(SPAN_TYPE):
        yield [([*steps, i], span) for i, span in enumerate(value)]
    elif pa.types.is_list(kind):
        for i, inner in enumerate(value):
            yield from row_spans(inner, kind.value_type, [*steps, i])
    elif pa.types.is_struct(kind):
        for f in kind:
            yield from row_spans(value[f.name], f.type, [*steps, f.name])
