"""Which records of a block are certainly right; all others are for `check_record`, which says what is wrong, if anything is.

Nothing is decided here that `check_record` would decide otherwise: a record that is not doubted has no problem there (tests hold
the two against each other), while a doubt alone says nothing. So a law that is rare, or costs much to decide a column at a time,
may be doubted or left to the law's own function.

What JSON Schema says, the laws of `x-rules` among it, one compiled validator decides for the whole record, without making a
message of anything. Keys, references, numbers, spans and the laws beside fields are decided a column at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Set
from decimal import Decimal
from typing import Any

import jsonschema_rs
import orjson

from dateline.annotation_sets import set_field
from dateline.compile import check, laws
from dateline.compile.column_laws import OF_EVERY_ITEM, OF_FIELDS, descending, numbers_lost, spans_wrong, uncovered
from dateline.compile.columns import Block, Items
from dateline.compile.doubts import Doubts, Keys, is_doubted, named, owners
from dateline.compile.sets import check_sets
from dateline.schema import Field, Json, Layer, SchemaRule, Schemas, expanded, validator_of


class Acceptor:
    """What follows from schemas for the records of a project; made once, and asked for one block after the other."""

    def __init__(self, schemas: Schemas, table_keys: Mapping[str, Set[str]], *, public: bool) -> None:
        self._schemas, self._public = schemas, public
        self._validator = _record_validator(schemas)
        self._article = _Article(schemas.article)
        self._layers = [_Items(layer, schemas, table_keys) for layer in schemas.layers.values()]
        self._in_sets = any(set_field(layer) for layer in schemas.layers.values())

    def doubtful(self, block: Block) -> Doubts:
        """The records of a block that may have a problem."""
        doubts = {n for n, record in enumerate(block.records) if not self._is_shaped(record)}
        if doubts:  # nothing can be asked of the others as long as these are among them
            return doubts | _moved(self.doubtful, block, doubts)
        if self._article.may_hold_floats or any(one.floats(block) for one in self._layers):
            doubts |= {n for n, raw in enumerate(block.raws) if not _keeps_numbers(raw.raw)}
        keys = Keys(block)
        doubts |= keys.twice
        for one in self._layers:
            doubts |= one.links(block, keys)
        if doubts:
            return doubts | _moved(self.doubtful, block, doubts)
        for one in self._layers:
            doubts |= one.laws(block, keys)
        if self._in_sets:
            asked = (n for n in range(len(block.records)) if n not in doubts)
            doubts |= {n for n in asked if is_doubted(check_sets, block.records[n], self._schemas, False)}
        return doubts

    def _is_shaped(self, record: Json) -> bool:
        """Whether JSON Schema takes a record, and all is well with the article itself."""
        try:
            if not self._validator.is_valid(record):
                return False
        except ValueError:  # nested too deeply
            return False
        if self._public and not check.is_withheld(record) and check.is_private(record):
            return False
        return self._article.is_right(record)


def _moved(ask: Callable[[Block], Doubts], block: Block, without: Doubts) -> Doubts:
    """What is said of a block without some of its records, as numbers of the whole block."""
    rest = [n for n in range(len(block.records)) if n not in without]
    if not rest:
        return set()
    kept = Block([block.records[n] for n in rest], [block.raws[n] for n in rest], block.schemas)
    return {rest[n] for n in ask(kept)}


# ---- what JSON Schema says -----------------------------------------------------------------------------------

_NOT_PLAIN = re.compile(rb'"(\$[^"]*|format)":')
"""What may mean something else in the schema of a record than in a law by itself: references; formats, which no law asserts."""


def _is_plain(rule: SchemaRule) -> bool:
    """Whether a law says the same as a part of the schema of a record, in which our own keywords and bounds count, too."""
    return expanded(rule.law) == rule.law and not _NOT_PLAIN.search(orjson.dumps(rule.law))


def _record_validator(schemas: Schemas) -> jsonschema_rs.Draft202012Validator:
    """The validator of a whole record which takes no item, either, that breaks a law of `x-rules` that is plain."""
    schema = schemas.record_schema
    properties = dict(schema["properties"])
    for layer in schemas.layers.values():
        listed = properties[layer.name]
        properties[layer.name] = {**listed, "items": _with_laws(listed["items"], layer)}
    return validator_of(_with_laws({**schema, "properties": properties}, schemas.article))


def _with_laws(schema: Json, layer: Layer) -> Json:
    plain = [rule.law for rule in layer.rules if _is_plain(rule)]
    return {**schema, "allOf": [*schema.get("allOf", ()), *plain]} if plain else schema


def _laws_left(layer: Layer) -> list[SchemaRule]:
    """The laws that the validator of records does not decide, or not all of it."""
    return [rule for rule in layer.rules if rule.equal or not _is_plain(rule)]


# ---- numbers -------------------------------------------------------------------------------------------------

_NUMBERS = re.compile(rb"[:\[,][ \t\n\r]*(-?[0-9]+[.eE][0-9.eE+-]*)")


def _keeps_numbers(raw: bytes) -> bool:
    """Whether each number of a record, as a double, is the number that stands there (see `read.parse`).

    Words may seem to be numbers, which costs time and nothing else.
    """
    try:
        return all(Decimal(repr(float(digits))) == Decimal(digits.decode()) for digits in _NUMBERS.findall(raw))
    except (ValueError, ArithmeticError):
        return False


def _may_hold_floats(schema: Any, path: tuple[str, ...] = (), whole: Set[tuple[str, ...]] = frozenset()) -> bool:
    """Whether a value may hold a number that is not an integer, of which `whole` are the places that are looked at anyway."""
    kinds = schema.get("type", "any") if isinstance(schema, dict) else "any"
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if kind == "array":
            if _may_hold_floats(schema.get("items")):
                return True
        elif kind == "object":
            inner = schema.get("properties")
            if not inner or any(_may_hold_floats(prop, (*path, name), whole) for name, prop in inner.items()):
                return True
        elif kind not in {"string", "boolean", "null"} and not (kind == "integer" and path in whole):
            return True
    return False


def _is_span(schema: Json) -> bool:
    return "x-span" in schema or "x-span" in schema.get("items", {})


# ---- the article ---------------------------------------------------------------------------------------------


class _Article:
    """The fields of the article itself. There is one of each in a record, so they are looked at where they stand."""

    def __init__(self, article: Layer) -> None:
        self._layer = article
        self._integers = [f for f in article.fields if f.kinds & {"integer"} and not f.is_list]
        self._left = bool(_laws_left(article))
        paths = {f.path for f in self._integers}
        given = {name: prop for name, prop in article.schema["properties"].items() if "x-derive" not in prop}
        self.may_hold_floats = any(_may_hold_floats(prop, (name,), paths) for name, prop in given.items())

    def is_right(self, record: Json) -> bool:
        """Whether all is well that JSON Schema does not say."""
        if any(type(f.value_of(record)) is float for f in self._integers):  # to JSON Schema 1.0 is an integer
            return False
        if self._left and is_doubted(laws.check_rules, self._layer, record, []):
            return False
        return not is_doubted(check.check_article, record, self._layer)


# ---- items ---------------------------------------------------------------------------------------------------


class _Items:
    """What is asked of the items of one layer, all of which have the shape that the schema asks for."""

    def __init__(self, layer: Layer, schemas: Schemas, table_keys: Mapping[str, Set[str]]) -> None:
        self.layer, self._schemas, self._table_keys = layer, schemas, table_keys
        given = {name: prop for name, prop in layer.schema["properties"].items() if "x-derive" not in prop}
        # numbers of spans are looked at with the text
        self._floats = [name for name, prop in given.items() if not _is_span(prop) and _may_hold_floats(prop)]
        self._left = _laws_left(layer)

    def floats(self, block: Block) -> bool:
        """Whether any number of the items may have been read otherwise than it is written."""
        items = block.items(self.layer)
        return any({*map(type, items.under(name))} & {float, list, dict} for name in self._floats)

    # ---- keys, references, numbers, spans

    def links(self, block: Block, keys: Keys) -> Doubts:
        """Items whose references lead nowhere, whose numbers no column keeps, whose spans are not of the text."""
        items = block.items(self.layer)
        doubts: Doubts = set()
        if not items.items:
            return doubts
        for field in (f for f in self.layer.references if not items.is_absent(f)):
            doubts |= self._references(field, items, keys)
        for field in (f for f in self.layer.numeric if not items.is_absent(f)):
            doubts |= numbers_lost(self.layer, field, items)
        for field in (f for f in self.layer.spanned if not items.is_absent(f)):
            doubts |= spans_wrong(field, items, block)
        return doubts

    def _references(self, field: Field, items: Items, keys: Keys) -> Doubts:
        values = items.column(field)
        if field.ref in self._schemas.layers:
            known = keys.of(str(field.ref))
            return {n for n, a, b in items.slices() if a < b and not known[n].issuperset(named(values[a:b], field))}
        there = self._table_keys.get(field.ref or "", frozenset())
        if {*named(values, field)} <= there:
            return set()
        return owners(items, (n for n, value in enumerate(values) if not {*named([value], field)} <= there))

    # ---- laws

    def laws(self, block: Block, keys: Keys) -> Doubts:
        """Items that may break a law: of the layer, or one that is written beside a field."""
        items = block.items(self.layer)
        if not items.items:
            return set()
        doubts = owners(items, self._breaking(items))
        for names in self.layer.schema.get("x-ascending", ()):
            there = [field for name in names if not items.is_absent(field := self.layer[name])]
            doubts |= owners(items, descending([items.column(field) for field in there]))
        if "x-covers" in self.layer.schema:
            doubts |= uncovered(self.layer, block)
        for field in self.layer.fields:
            for name, law in OF_FIELDS.items():
                if name in field.schema and (name in OF_EVERY_ITEM or not items.is_absent(field)):
                    doubts |= law(self.layer, field, block, keys)
        return doubts

    def _breaking(self, items: Items) -> Iterator[int]:
        """The numbers of the items that break a law which the validator of records left."""
        asked: set[int] = set()
        for rule in self._left:
            if not _is_plain(rule):
                return (n for n, item in enumerate(items.items) if self._breaks(item))
            given = zip(*(items.column(self.layer[name]) for name in rule.equal), strict=True)
            asked |= {n for n, values in enumerate(given) if values.count(values[0]) != len(values)}
        return (n for n in asked if self._breaks(items.items[n]))

    def _breaks(self, item: Json) -> bool:
        return is_doubted(laws.check_rules, self.layer, item, [])
