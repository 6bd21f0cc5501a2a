"""What can go wrong in one cell: kinds of faults, each with the columns that it fits and the value that it puts there.

Which kinds fit a column follows from its schema and its Arrow type alone. No kind knows of a rule or a suite.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from dateline.schema import SPAN_TYPE, Field, Layer, Schemas

Json = dict[str, Any]
Tables = Mapping[str, Mapping[str, pa.Table]]
"""The rows of a dataset: by config, by split."""

NOTHING = object()
"""The answer of a change that finds nothing to change."""
MISSING = "no-such-thing"
_ALWAYS = frozenset(
    {"article_id", "text_sha256", "text_n_code_points", "text_n_bytes", "text_redistributable", "group", "split"}
)  # the engine fills these in for every article


# ---- what a change may look at -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """One column of a table: its field in the schema, None where the engine adds it; `required` if null is a fault."""

    table: str
    name: str
    type: pa.DataType
    layer: Layer | None
    field: Field | None
    required: bool

    @property
    def schema(self) -> Json:
        """What the schema says of it."""
        return self.field.schema if self.field else {}

    @property
    def is_key(self) -> bool:
        """Whether it is the key of its table's rows."""
        return bool(self.schema.get("x-key"))

    @property
    def ref(self) -> str | None:
        """The table whose keys it holds."""
        if self.name == "article_id" and not self.is_key:
            return "articles"
        return self.field.ref if self.field else None

    @property
    def labels(self) -> list[str] | None:
        """Its label set."""
        return self.field.labels if self.field else None

    @property
    def spans(self) -> str | None:
        """ "many", "one", "nested" or None."""
        return self.field.span if self.field else None

    @property
    def withheld(self) -> bool:
        """Whether it is null where the text is withheld."""
        return bool(self.field and self.field.withheld)

    @property
    def is_list(self) -> bool:
        """Whether its values are lists."""
        return bool(pa.types.is_list(self.type))

    @property
    def items(self) -> pa.DataType | None:
        """The type of a list's items."""
        return self.type.value_type if self.is_list else None

    @property
    def free(self) -> bool:
        """Whether it holds strings that are neither labels nor keys of anything."""
        return bool(pa.types.is_string(self.type)) and not (self.labels or self.ref or self.is_key)


def columns_of(table: str, data: pa.Schema, schemas: Schemas) -> list[Column]:
    """The columns of a table of that Arrow schema, with what the schemas say of each."""
    layer = {**schemas.layers, **schemas.tables}.get(table, schemas.article)
    fields = {f.name: f for f in layer.fields}
    return [Column(table, f.name, f.type, layer, fields.get(f.name), _is_required(f, layer, fields.get(f.name))) for f in data]


def _is_required(column: pa.Field, layer: Layer, field: Field | None) -> bool:
    if column.name in _ALWAYS or pa.types.is_list(column.type):  # an empty list is written, null never is
        return True
    if field is None or field.nullable:
        return False
    node, named = layer.schema, True
    for step in field.path:
        named = named and step in node.get("required", ())
        node = node["properties"][step]
    return named or "default" in field.schema


class Facts:
    """What changes look up in the whole dataset: keys by table and article, texts, who is withheld."""

    def __init__(self, schemas: Schemas, tables: Tables) -> None:
        self._tables = tables
        self.keys: dict[str, dict[str, list[str]]] = {}
        """Keys by table and article; those of a corpus-level table stand under ""."""
        for name, layer in {**schemas.layers, **schemas.tables}.items():
            mine = self.keys.setdefault(name, {})
            for part in tables.get(name, {}).values():
                owners = [""] * part.num_rows if layer.corpus_level else part["article_id"].to_pylist()
                for owner, key in zip(owners, part[layer.key.name].to_pylist(), strict=True):
                    mine.setdefault(owner, []).append(key)
        self.texts: dict[str, str | None] = {}
        self.lengths: dict[str, int] = {}
        self.splits: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self.withheld: set[str] = set()
        for split, part in tables.get("articles", {}).items():
            wanted = ["article_id", "text", "text_n_code_points", "text_redistributable", "group"]
            for row in part.select(wanted).to_pylist():
                article = row["article_id"]
                self.texts[article], self.lengths[article] = row["text"], row["text_n_code_points"]
                self.splits[article], self.groups[article] = split, row["group"]
                if not row["text_redistributable"]:
                    self.withheld.add(article)
        self.keys["articles"] = {"": list(self.texts)}

    def of(self, table: str, article: str) -> list[str]:
        """Keys that a reference in the article may name."""
        return self.keys.get(table, {}).get(article) or self.keys.get(table, {}).get("") or []

    def elsewhere(self, table: str, article: str) -> list[str]:
        """Keys that only other articles have."""
        if "" in self.keys.get(table, {}):
            return []
        mine = set(self.of(table, article))
        return [k for a, keys in self.keys.get(table, {}).items() if a != article for k in keys if k not in mine]

    @functools.cache  # noqa: B019 - one object per run
    def values(self, table: str, column: str) -> tuple[Any, ...]:
        """Different values of a column of plain values, in the order of the rows."""
        return tuple(dict.fromkeys(v for p in self._tables[table].values() for v in p[column].to_pylist() if v is not None))


@dataclass(frozen=True)
class Cell:
    """One value in its row; `pick` chooses among several possible changes."""

    column: Column
    row: Json
    facts: Facts
    pick: int

    @property
    def value(self) -> Any:
        """What stands there."""
        return self.row[self.column.name]

    @property
    def article(self) -> str:
        """The article that the row belongs to; "" in a corpus-level table."""
        return str(self.row.get("article_id") or "")

    @property
    def withheld(self) -> bool:
        """Whether the article's text is withheld."""
        return self.article in self.facts.withheld

    @property
    def text(self) -> str | None:
        """The article's text."""
        return self.facts.texts.get(self.article)

    def one_of(self, choices: Sequence[Any], but: Any = None) -> Any:
        """One of the choices that are not in `but`, or equal to it."""
        banned = but if isinstance(but, list) else [but]
        left = [c for c in choices if c not in banned]
        return left[self.pick % len(left)] if left else NOTHING


@dataclass(frozen=True)
class Kind:
    """One kind of fault in a cell: its name, what it does, the columns it fits, the value it puts there (or NOTHING)."""

    name: str
    says: str
    fits: Callable[[Column], bool]
    change: Callable[[Cell], Any]


# ---- values that stand alone ---------------------------------------------------------------------------------


def _null(cell: Cell) -> Any:
    return None


def _given(cell: Cell) -> Any:
    if cell.value is not None or (cell.withheld and cell.column.withheld):
        return NOTHING
    column = cell.column
    if column.spans:
        return _words(cell, 0, 1)
    if column.ref:
        return cell.one_of(cell.facts.of(column.ref, cell.article))
    if column.labels:
        return cell.one_of(column.labels)
    known = cell.facts.values(column.table, column.name)
    return cell.one_of(known) if known else _example(column.type)


def _example(kind: pa.DataType) -> Any:
    if pa.types.is_string(kind):
        return "given"
    if pa.types.is_date32(kind):
        return datetime.date(2024, 1, 1)
    return True if pa.types.is_boolean(kind) else Decimal(1) if pa.types.is_decimal(kind) else 1


def _withheld_given(cell: Cell) -> Any:
    return "these words must not be here" if cell.withheld and cell.value is None else NOTHING


def _other_label(cell: Cell) -> Any:
    return NOTHING if cell.value is None else cell.one_of(cell.column.labels or [], but=cell.value)


def _unknown_label(cell: Cell) -> Any:
    return NOTHING if cell.value is None else f"{cell.value}_X"


def _flip(cell: Cell) -> Any:
    return NOTHING if cell.value is None else not cell.value


def _number(by: Callable[[Any], Any]) -> Callable[[Cell], Any]:
    def change(cell: Cell) -> Any:
        if cell.value is None:
            return NOTHING
        made, kind = by(cell.value), cell.column.type
        room = 10 ** (kind.precision - kind.scale) if pa.types.is_decimal(kind) else 2**63
        return made if abs(made) < room else NOTHING

    return change


def _days(days: int) -> Callable[[Cell], Any]:
    def change(cell: Cell) -> Any:
        if cell.value is None:
            return NOTHING
        try:
            return cell.value + datetime.timedelta(days=days)
        except OverflowError:
            return NOTHING

    return change


def _ascending(column: Column) -> list[list[str]]:
    orders = column.layer.schema.get("x-ascending", ()) if column.layer else ()
    return [order for order in orders if column.name in order]


def _descend(cell: Cell) -> Any:
    """A value on the wrong side of its neighbour in an ascending order."""
    for order in _ascending(cell.column):
        at = order.index(cell.column.name)
        later = [cell.row[c] for c in order[at + 1 :] if cell.row[c] is not None]
        earlier = [cell.row[c] for c in order[:at] if cell.row[c] is not None]
        step = datetime.timedelta(days=1) if pa.types.is_date32(cell.column.type) else 1
        if cell.value is not None and later:
            return later[0] + step
        if cell.value is not None and earlier:
            return earlier[-1] - step
    return NOTHING


# ---- strings -------------------------------------------------------------------------------------------------


def _of_another(cell: Cell) -> Any:
    return NOTHING if cell.value is None else cell.one_of(cell.facts.values(cell.column.table, cell.column.name), cell.value)


def _character(cell: Cell) -> Any:
    """One letter or digit replaced by the next of its kind, so that the form stays."""
    return _replaced(cell.value, cell.pick) if cell.value else NOTHING


def _replaced(value: str, pick: int) -> Any:
    places = [i for i, c in enumerate(value) if c.isascii() and c.isalnum()]
    if not places:
        return NOTHING
    at = places[pick % len(places)]
    last, first = {"9": "0", "f": "a", "z": "a", "Z": "A"}.get(value[at]), chr(ord(value[at]) + 1)
    return value[:at] + (last or first) + value[at + 1 :]


def _misshapen(cell: Cell) -> Any:
    return NOTHING if cell.value is None else f"?{cell.value}!"


def _text(put: Callable[[str], str]) -> Callable[[Cell], Any]:
    return lambda cell: NOTHING if cell.value is None else put(cell.value)


def _shaped(column: Column) -> bool:
    return bool(column.schema.keys() & {"pattern", "format", "const"}) and bool(pa.types.is_string(column.type))


# ---- keys and references -------------------------------------------------------------------------------------


def _keys(cell: Cell) -> list[str]:
    return cell.facts.of(cell.column.table if cell.column.layer is not None else "", cell.article)


def _taken(cell: Cell) -> Any:
    if cell.column.name == "article_id":
        return cell.one_of(list(cell.facts.texts), but=cell.value)
    return cell.one_of(_keys(cell), but=cell.value)


def _fresh(cell: Cell) -> Any:
    """A key of the same form that nobody has."""
    everybody = {k for keys in cell.facts.keys.values() for mine in keys.values() for k in mine}
    stem, digits = re.fullmatch(r"(.*?)([0-9]*)", cell.value, re.DOTALL).groups()  # type: ignore[union-attr]
    for n in range(1, 10_000):
        made = f"{stem}{str(int(digits or 0) + n).zfill(len(digits))}" if digits else _letters(stem, n)
        if made not in everybody:
            return made
    return NOTHING


def _letters(stem: str, n: int) -> str:
    """The key with its last letter moved on, or one more letter."""
    last = chr(ord(stem[-1]) + n) if stem else "a"
    return stem[:-1] + last if last.isascii() and last.isalnum() else stem + stem[-1] * n


def _ref(choose: Callable[[Cell, Any], Any]) -> Callable[[Cell], Any]:
    """A change of one reference: of the value, or of one item of the list."""

    def change(cell: Cell) -> Any:
        if not cell.value:
            return NOTHING
        if not isinstance(cell.value, list):
            return choose(cell, cell.value)
        at = cell.pick % len(cell.value)
        new = choose(cell, cell.value)
        return NOTHING if new is NOTHING else [*cell.value[:at], new, *cell.value[at + 1 :]]

    return change


def _another(cell: Cell, value: Any) -> Any:
    return cell.one_of(cell.facts.of(str(cell.column.ref), _owner(cell)), but=value)


def _foreign(cell: Cell, value: Any) -> Any:
    return cell.one_of(cell.facts.elsewhere(str(cell.column.ref), _owner(cell)), but=value)


def _nobody(cell: Cell, value: Any) -> Any:
    return f"{value[0] if isinstance(value, list) else value}99999"


def _owner(cell: Cell) -> str:
    return "" if cell.column.ref == "articles" else cell.article


def _itself(cell: Cell) -> Any:
    assert cell.column.layer is not None
    return NOTHING if cell.value is None else cell.row[cell.column.layer.key.name]


# ---- lists ---------------------------------------------------------------------------------------------------


def _list(put: Callable[[list[Any], int], Any], least: int = 1) -> Callable[[Cell], Any]:
    def change(cell: Cell) -> Any:
        value = cell.value
        return put(list(value), cell.pick % len(value)) if value is not None and len(value) >= least else NOTHING

    return change


def _item(cell: Cell) -> Any:
    """A list that was empty, with one plausible item."""
    if cell.value != []:
        return NOTHING
    column = cell.column
    if column.spans:
        span = _words(cell, 0, 1)
        return [[span]] if column.spans == "nested" else [span]
    if column.ref:
        found = cell.one_of(cell.facts.of(column.ref, cell.article))
    elif column.labels:
        found = cell.one_of(column.labels)
    else:
        assert column.items is not None
        if not pa.types.is_string(column.items):
            return NOTHING
        found = "given"
    return NOTHING if found is NOTHING else [found]


def _item_label(put: Callable[[Cell, str], Any]) -> Callable[[Cell], Any]:
    return _ref(lambda cell, value: put(cell, value[cell.pick % len(value)]))


def _inner(put: Callable[[Any, int], Any]) -> Callable[[Cell], Any]:
    """A change of one plain value inside one item of a list of structs."""

    def change(cell: Cell) -> Any:
        items, kind = cell.value, cell.column.items
        if not items or kind is None:
            return NOTHING
        at = cell.pick % len(items)
        plain = [f.name for f in kind if items[at][f.name] is not None and pa.types.is_string(f.type)]
        if not plain:
            return NOTHING
        name = plain[cell.pick // len(items) % len(plain)]
        new = put(items[at][name], cell.pick)
        return NOTHING if new is NOTHING else [*items[:at], {**items[at], name: new}, *items[at + 1 :]]

    return change


# ---- spans ---------------------------------------------------------------------------------------------------


def _words(cell: Cell, start: int, end: int) -> Json:
    return {"start": start, "end": end, "surface": None if cell.text is None else cell.text[start:end]}


def _spans(put: Callable[[Cell, list[Json], int], Any], least: int = 1) -> Callable[[Cell], Any]:
    """A change of a list of spans; of a span that stands alone; of the first list of a list of lists."""

    def change(cell: Cell) -> Any:
        value, form = cell.value, cell.column.spans
        if not value:
            return NOTHING
        spans = [value] if form == "one" else value[0] if form == "nested" else value
        if len(spans) < least:
            return NOTHING
        made = put(cell, [dict(s) for s in spans], cell.pick % len(spans))
        if made is NOTHING:
            return NOTHING
        return made[0] if form == "one" else [made, *value[1:]] if form == "nested" else made

    return change


def _span(put: Callable[[Cell, Json], Any]) -> Callable[[Cell], Any]:
    def one(cell: Cell, spans: list[Json], at: int) -> Any:
        made = put(cell, spans[at])
        return NOTHING if made is NOTHING else [*spans[:at], made, *spans[at + 1 :]]

    return _spans(one)


def _shifted(cell: Cell, span: Json) -> Any:
    """One character on, with the words that stood there before; the other way at the end of the text."""
    by = 1 if span["end"] < cell.facts.lengths.get(cell.article, 2**31) else -1
    return {**span, "start": span["start"] + by, "end": span["end"] + by}


def _elsewhere(cell: Cell, span: Json) -> Any:
    """As long as before, at the other end of the text, with the words that stand there."""
    length, size = cell.facts.lengths.get(cell.article, 0), span["end"] - span["start"]
    start = 0 if span["start"] >= size else length - size
    if not 0 <= start <= length - size or start == span["start"]:
        return NOTHING
    while cell.text and start + size < length and (cell.text[start].isspace() or cell.text[start + size - 1].isspace()):
        start += 1
    return NOTHING if start == span["start"] else _words(cell, start, start + size)


def _edge(cell: Cell, span: Json) -> Any:
    text = cell.text
    if text is None or not text[span["end"] : span["end"] + 1].isspace():
        return NOTHING
    return _words(cell, span["start"], span["end"] + 1)


def _surface(cell: Cell, span: Json) -> Any:
    if not span["surface"]:
        return NOTHING
    made = _replaced(span["surface"], cell.pick)
    return NOTHING if made is NOTHING else {**span, "surface": made}


def _surface_null(cell: Cell, span: Json) -> Any:
    return NOTHING if span["surface"] is None else {**span, "surface": None}


def _surface_withheld(cell: Cell, span: Json) -> Any:
    return {**span, "surface": "x" * (span["end"] - span["start"])} if cell.withheld and span["surface"] is None else NOTHING


def _overlap(cell: Cell, spans: list[Json], at: int) -> Any:
    at = min(at, len(spans) - 2)
    this, following = spans[at], spans[at + 1]
    if following["end"] <= following["start"] + 1:
        return NOTHING
    return [*spans[:at], _words(cell, this["start"], following["start"] + 1), *spans[at + 1 :]]


def _beyond(cell: Cell, span: Json) -> Any:
    end: int = span["end"]
    return {**span, "end": cell.facts.lengths.get(cell.article, end) + 5}


# ---- all kinds -----------------------------------------------------------------------------------------------


def _is(check: Callable[[pa.DataType], bool]) -> Callable[[Column], bool]:
    return lambda c: bool(check(c.type))


def _numeric(c: Column) -> bool:
    return bool(pa.types.is_integer(c.type) or pa.types.is_decimal(c.type) or pa.types.is_floating(c.type))


def _structs(c: Column) -> bool:
    return c.items is not None and bool(pa.types.is_struct(c.items)) and not c.items.equals(SPAN_TYPE)


def _plain_list(c: Column) -> bool:
    return c.is_list and not c.spans and not _structs(c)


CELL_KINDS: tuple[Kind, ...] = (
    Kind("null-required", "a value that must be there is null", lambda c: c.required, _null),
    Kind("null-optional", "a value that may be absent is gone", lambda c: not c.required, _null),
    Kind("given", "an absent value is given", lambda c: not c.required, _given),
    Kind("withheld-given", "a withheld article has words", lambda c: c.withheld and c.free, _withheld_given),
    Kind("label-other", "another label of the set", lambda c: bool(c.labels) and not c.is_list and not _derived(c), _other_label),
    Kind("label-unknown", "a label that is in no set", lambda c: bool(c.labels) and not c.is_list, _unknown_label),
    Kind("derived-other", "a computed column says something else", lambda c: bool(c.labels) and _derived(c), _other_label),
    Kind("flipped", "true for false", _is(pa.types.is_boolean), _flip),
    Kind("scaled", "a number is ten times as large", _numeric, _number(lambda n: n * 10)),
    Kind("negated", "a number is below zero", _numeric, _number(lambda n: -n)),
    Kind("next", "a number is one more", _numeric, _number(lambda n: n + 1)),
    Kind("date-next", "a date is one day later", _is(pa.types.is_date32), _days(1)),
    Kind("date-far", "a date is a century later", _is(pa.types.is_date32), _days(36_525)),
    Kind("descending", "an ascending order is broken", lambda c: bool(_ascending(c)), _descend),
    Kind("value-other", "the value of another row", lambda c: c.free, _of_another),
    Kind("character", "one letter or digit is another", lambda c: c.free, _character),
    Kind("emptied-string", "a string is empty", lambda c: c.free or (bool(c.labels) and not c.is_list), _text(lambda v: "")),
    Kind("padded", "a string begins with a blank", lambda c: c.free, _text(lambda v: f" {v}")),
    Kind("misshapen", "a string does not have its form", _shaped, _misshapen),
    Kind("key-taken", "the key of another row", lambda c: c.is_key, _taken),
    Kind("key-fresh", "a key of the same form that nobody has", lambda c: c.is_key, _fresh),
    Kind("ref-other", "refers to another row that exists", lambda c: bool(c.ref), _ref(_another)),
    Kind("ref-foreign", "refers to a row of another article", lambda c: bool(c.ref) and c.ref != "articles", _ref(_foreign)),
    Kind("ref-none", "refers to nothing", lambda c: bool(c.ref), _ref(_nobody)),
    Kind("ref-self", "refers to its own row", lambda c: c.ref == c.table and not c.is_list, _itself),
    Kind("emptied", "a list is empty", lambda c: c.is_list, _list(lambda v, at: [])),
    Kind("item-given", "an empty list has an item", lambda c: c.is_list and not _structs(c), _item),
    Kind("item-dropped", "a list lacks an item", lambda c: c.is_list, _list(lambda v, at: [*v[:at], *v[at + 1 :]], 2)),
    Kind("item-twice", "a list has an item twice", lambda c: c.is_list, _list(lambda v, at: [*v, v[at]])),
    Kind("items-reordered", "a list is in another order", lambda c: c.is_list, _list(lambda v, at: v[::-1], 2)),
    Kind("item-null", "a list has a null", lambda c: c.is_list, _list(lambda v, at: [*v, None])),
    Kind("item-other", "an item is another label of the set", lambda c: c.is_list and bool(c.labels), _item_label(
        lambda cell, value: cell.one_of(cell.column.labels or [], but=cell.value))),
    Kind("item-unknown", "an item is a label of no set", lambda c: c.is_list and bool(c.labels), _item_label(
        lambda cell, value: f"{value}_X")),
    Kind("item-empty", "an item is an empty string", lambda c: _plain_list(c), _ref(lambda cell, value: "")),
    Kind("inner-null", "a value inside an item is null", _structs, _inner(lambda v, pick: None)),
    Kind("inner-other", "a value inside an item is another", _structs, _inner(_replaced)),
    Kind("span-shifted", "a span is one character off its words", lambda c: bool(c.spans), _span(_shifted)),
    Kind("span-longer", "a span ends one character after its words", lambda c: bool(c.spans), _span(
        lambda cell, s: {**s, "end": s["end"] + 1})),
    Kind("span-beyond", "a span ends beyond the text", lambda c: bool(c.spans), _span(_beyond)),
    Kind("span-reversed", "a span ends before it begins", lambda c: bool(c.spans), _span(
        lambda cell, s: {**s, "start": s["end"], "end": s["start"]})),
    Kind("span-empty", "a span has no characters", lambda c: bool(c.spans), _span(
        lambda cell, s: {**s, "end": s["start"], "surface": None if s["surface"] is None else ""})),
    Kind("span-negative", "a span begins before the text", lambda c: bool(c.spans), _span(lambda cell, s: {**s, "start": -1})),
    Kind("span-null", "a span has no end", lambda c: bool(c.spans), _span(lambda cell, s: {**s, "end": None})),
    Kind("span-elsewhere", "a span lies elsewhere, with the words there", lambda c: bool(c.spans), _span(_elsewhere)),
    Kind("span-edge", "a span ends with white space", lambda c: bool(c.spans), _span(_edge)),
    Kind("span-words", "a span's words are not the text's", lambda c: bool(c.spans), _span(_surface)),
    Kind("span-wordless", "a span of an open text has no words", lambda c: bool(c.spans), _span(_surface_null)),
    Kind("span-withheld", "a span of a withheld text has words", lambda c: bool(c.spans), _span(_surface_withheld)),
    Kind("spans-overlap", "two pieces of a span overlap", lambda c: c.spans in {"many", "nested"}, _spans(_overlap, 2)),
)  # fmt: skip


def _derived(c: Column) -> bool:
    return bool(c.field and c.field.derive)
