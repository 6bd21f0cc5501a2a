"""Which records of a block are certainly right; all others are for `check_record`, which says what is wrong, if anything is.

Nothing is decided here that `check_record` would decide otherwise: a record that is not doubted has no problem there (tests hold
the two against each other), while a doubt alone says nothing. So a law that is rare, or costs much to decide a column at a time,
may be doubted or left to the law's own function.

What makes it fast is that validators see a *value* once, not each time that it stands somewhere: an item is valid if the names
that it has are, and each value is by itself. The laws of a layer (`x-rules`) are decided once for all items which their
subschemas cannot tell apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from decimal import Decimal
from itertools import chain, pairwise, repeat
from typing import Any

import jsonschema_rs
import numpy as np

from dateline.annotation_sets import set_field
from dateline.compile import check, laws
from dateline.compile.columns import Block, Items
from dateline.compile.sets import check_sets
from dateline.schema import Field, Json, Layer, Schemas, validator_of

_REMEMBERED = 20_000
"""So many values of one column are remembered."""
_NOTHING = type(None)
_TYPES: dict[str, frozenset[type]] = {
    "string": frozenset({str}),
    "boolean": frozenset({bool}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "null": frozenset({_NOTHING}),
}
_NOT_ASSERTED = {"title", "description", "$comment", "examples", "default", "deprecated", "readOnly", "writeOnly", "type"}
_OF_AN_OBJECT = _NOT_ASSERTED | {"properties", "required", "additionalProperties", "$schema", "$id", "$defs", "definitions"}
_APPLIED = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")
_EXACT_FLOAT = 2**53

Doubts = set[int]
"""Numbers of records in their block."""


class Acceptor:
    """What follows from schemas for the records of a project; made once, and asked for one block after the other."""

    def __init__(self, schemas: Schemas, table_keys: Mapping[str, Set[str]], *, public: bool) -> None:
        self._schemas, self._table_keys, self._public = schemas, table_keys, public
        self._article = _Article(schemas)
        self._layers = [_Items(layer, schemas, table_keys) for layer in schemas.layers.values()]
        self._in_sets = any(set_field(layer) for layer in schemas.layers.values())

    def doubtful(self, block: Block) -> Doubts:
        """The records of a block that may have a problem."""
        doubts = {n for n, record in enumerate(block.records) if not self._in_lists(record)}
        if doubts:  # nothing can be asked of the others as long as these are among them
            return doubts | _moved(self.doubtful, block, doubts)
        doubts = {n for n, record in enumerate(block.records) if not self._article.is_right(record, public=self._public)}
        if doubts:
            return doubts | _moved(self.doubtful, block, doubts)
        for one in self._layers:
            doubts |= one.shape(block.items(one.layer))
        if doubts:
            return doubts | _moved(self.doubtful, block, doubts)
        if self._article.numbers_anywhere or any(one.floats(block) for one in self._layers):
            doubts |= {n for n, raw in enumerate(block.raws) if not _keeps_numbers(raw.raw)}
        keys = _Keys(block)
        doubts |= keys.twice
        for one in self._layers:
            doubts |= one.links(block, keys)
        if doubts:
            return doubts | _moved(self.doubtful, block, doubts)
        for one in self._layers:
            doubts |= one.laws(block, keys)
        if self._in_sets:
            asked = (n for n in range(len(block.records)) if n not in doubts)
            doubts |= {n for n in asked if _is_doubted(check_sets, block.records[n], self._schemas, False)}
        return doubts

    def _in_lists(self, record: Any) -> bool:
        """Whether the layers of a record are lists of objects."""
        for name in self._schemas.layers:
            items = record.get(name, ())
            if items != () and (type(items) is not list or not {*map(type, items)} <= {dict}):
                return False
        return True


def _moved(ask: Callable[[Block], Doubts], block: Block, without: Doubts) -> Doubts:
    """What is said of a block without some of its records, as numbers of the whole block."""
    rest = [n for n in range(len(block.records)) if n not in without]
    if not rest:
        return set()
    kept = Block([block.records[n] for n in rest], [block.raws[n] for n in rest], block.schemas)
    return {rest[n] for n in ask(kept)}


class _Doubted(Exception):
    pass


def _doubt(*_: object, **__: object) -> None:
    """A `report` for functions of the check: any problem is a doubt."""
    raise _Doubted


def _is_doubted(law: Callable[..., None], *arguments: Any) -> bool:
    """Whether a function of the check has anything to report."""
    try:
        law(*arguments, _doubt)
    except _Doubted:
        return True
    return False


_NUMBERS = re.compile(rb"[:\[,][ \t\n\r]*(-?[0-9]+[.eE][0-9.eE+-]*)")


def _keeps_numbers(raw: bytes) -> bool:
    """Whether each number of a record, as a double, is the number that stands there (see `read.parse`).

    Words may seem to be numbers, which costs time and nothing else.
    """
    try:
        return all(Decimal(repr(float(digits))) == Decimal(digits.decode()) for digits in _NUMBERS.findall(raw))
    except (ValueError, ArithmeticError):
        return False


# ---- the article ---------------------------------------------------------------------------------------------


class _Article:
    """The fields of the article itself. There is one of each in a record, so they are validated as they are."""

    def __init__(self, schemas: Schemas) -> None:
        article = self._layer = schemas.article
        properties = {name: prop for name, prop in article.schema["properties"].items() if "x-derive" not in prop}
        self._names = [*properties]
        self._known = {*self._names, *schemas.layers}
        self._validator = validator_of(article.schema)
        # where a law may depend on the layers, too, the law's own function looks at the whole record
        written = article.schema.get("x-rules", ())
        self._whole = any(rule.equal for rule in article.rules) or any(_mentions(law, schemas.layers) for law in written)
        self._integers = [f for f in article.fields if f.kinds & {"integer"} and not f.is_list]
        paths = {f.path for f in self._integers}
        self.numbers_anywhere = any(_may_hold_floats(prop, (name,), paths) for name, prop in properties.items())

    def is_right(self, record: Json, *, public: bool) -> bool:
        if not record.keys() <= self._known:
            return False
        own = {name: record[name] for name in self._names if name in record}
        if not _is_valid(self._validator, own) or any(type(f.value_of(record)) not in (int, _NOTHING) for f in self._integers):
            return False
        if not self._whole and not all(rule.validator.is_valid(own) for rule in self._layer.rules):
            return False
        if self._whole and _is_doubted(laws.check_rules, self._layer, record, []):
            return False
        if public and not check.is_withheld(record) and check.is_private(record):
            return False
        return not _is_doubted(check.check_article, record, self._layer)


def _is_valid(validator: jsonschema_rs.Draft202012Validator, value: Any) -> bool:
    try:
        return bool(validator.is_valid(value))
    except ValueError:  # nested too deeply
        return False


def _mentions(law: Json, layers: Iterable[str]) -> bool:
    """Whether a law of the article may depend on its layers: it names one, or says something of names as such."""
    try:
        named = {name for part in ("if", "then", "else") if part in law for name, _ in _parts(law[part])}
    except _Unknown:
        return True
    return bool(named & {*layers})


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


# ---- items ---------------------------------------------------------------------------------------------------


class _Items:
    """What is asked of the items of one layer."""

    def __init__(self, layer: Layer, schemas: Schemas, table_keys: Mapping[str, Set[str]]) -> None:
        self.layer, self._schemas, self._table_keys = layer, schemas, table_keys
        schema = layer.schema
        self._names = {name for name, prop in schema["properties"].items() if "x-derive" not in prop}
        self._required = {name for name in schema["required"] if name in self._names}
        asserted = {name for name in schema if name not in _OF_AN_OBJECT and not name.startswith("x-")}
        # what says more than which properties there are is for items as a whole
        self._whole = validator_of(schema) if asserted else None
        self._values = [_values(name, layer) for name in sorted(self._names)]
        self._laws = _Laws(layer)

    def shape(self, items: Items) -> Doubts:
        """Items that are no items of this layer."""
        wrong = {shape for shape in items.shapes if not (self._required <= {*shape} <= self._names)}
        if wrong:
            return _owners(items, (n for n, item in enumerate(items.items) if tuple(item) in wrong))
        if self._whole is not None:
            bad = [n for n, item in enumerate(items.items) if not _is_valid(self._whole, item)]
            if bad:
                return _owners(items, bad)
        doubts: Doubts = set()
        for values in self._values:
            if items.lacking(values.name) < len(items.items):
                doubts |= values.doubtful(items)
        return doubts

    def floats(self, block: Block) -> bool:
        """Whether any number of the items may have been read otherwise than it is written."""
        items = block.items(self.layer)
        return bool(items.items) and any(values.may_hold_floats(items) for values in self._values)

    # ---- keys, references, numbers, spans

    def links(self, block: Block, keys: _Keys) -> Doubts:
        """Items whose references lead nowhere, whose numbers no column keeps, whose spans are not of the text."""
        items = block.items(self.layer)
        doubts: Doubts = set()
        if not items.items:
            return doubts
        for field in (f for f in self.layer.references if not items.is_absent(f)):
            doubts |= self._references(field, items, keys)
        for field in (f for f in self.layer.numeric if not items.is_absent(f)):
            doubts |= _numbers(self.layer, field, items)
        for field in (f for f in self.layer.spanned if not items.is_absent(f)):
            doubts |= _spans(field, items, block)
        return doubts

    def _references(self, field: Field, items: Items, keys: _Keys) -> Doubts:
        values = items.column(field)
        if field.ref in self._schemas.layers:
            known = keys.of(str(field.ref))
            return {n for n, a, b in items.slices() if a < b and not known[n].issuperset(_named(values[a:b], field))}
        there = self._table_keys.get(field.ref or "", frozenset())
        if {*_named(values, field)} <= there:
            return set()
        return _owners(items, (n for n, value in enumerate(values) if not {*_named([value], field)} <= there))

    # ---- laws

    def laws(self, block: Block, keys: _Keys) -> Doubts:
        """Items that may break a law: of the layer, or one that is written beside a field."""
        items = block.items(self.layer)
        if not items.items:
            return set()
        doubts = _owners(items, self._laws.doubtful(items))
        for names in self.layer.schema.get("x-ascending", ()):
            there = [field for name in names if not items.is_absent(field := self.layer[name])]
            doubts |= _owners(items, _descending([items.column(field) for field in there]))
        if "x-covers" in self.layer.schema:
            doubts |= _uncovered(self.layer, block)
        for field in self.layer.fields:
            for name, law in _LAWS.items():
                if name in field.schema and (name in _OF_EVERY_ITEM or not items.is_absent(field)):
                    doubts |= law(self.layer, field, block, keys)
        return doubts


class _Keys:
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


def _named(values: Sequence[Any], field: Field) -> Iterator[Any]:
    """The keys that references hold; a list of them is a list, null is none."""
    if field.is_list:
        return chain.from_iterable(filter(None, values))
    return (value for value in values if value is not None)


def _owners(items: Items, numbers: Iterable[int]) -> Doubts:
    """The records that some items belong to."""
    found = list(numbers)
    return {int(n) for n in np.searchsorted(items.offsets, found, side="right") - 1} if found else set()


# ---- values --------------------------------------------------------------------------------------------------


def _values(name: str, layer: Layer) -> _Values:
    schema = layer.schema["properties"][name]
    field = next((f for f in layer.fields if f.path == (name,)), None)
    if field is not None and field.span in {"one", "many"} and not _asserted(schema) - {"minItems", "maxItems"}:
        return _SpanValues(name, layer, field)
    if field is not None and field.kinds <= _TYPES.keys() and not field.span:
        return _Scalars(name, layer)
    if field is not None and field.kinds <= {"array", "null"} and not field.span and field.item_kinds == {"string"}:
        return _Lists(name, layer)
    return _Values(name, layer)


def _asserted(schema: Json) -> set[str]:
    return {name for name in schema if name not in _NOT_ASSERTED and not name.startswith("x-")}


class _Values:
    """The values that items of a layer have under one name, of any form: each is validated where it stands."""

    def __init__(self, name: str, layer: Layer) -> None:
        self.name = name
        self.schema: Json = layer.schema["properties"][name]
        # alone in an item of the layer, so that references inside the schema lead where they do in the whole
        kept = {k: v for k, v in layer.schema.items() if k in {"$defs", "definitions"}}
        self._validator = validator_of({**kept, "type": "object", "properties": {name: self.schema}})
        self._nullable = self.is_valid(None)

    def is_valid(self, value: Any) -> bool:
        """What the schema says of one value."""
        return _is_valid(self._validator, {self.name: value})

    def values(self, items: Items) -> list[Any]:
        """The value of each item, None where it is null or missing."""
        return items.under(self.name)

    def doubtful(self, items: Items) -> Doubts:
        """The records with a value that may not be valid."""
        wrong = (n for n, item in enumerate(items.items) if self.name in item and not self.is_valid(item[self.name]))
        return _owners(items, wrong)

    def may_hold_floats(self, items: Items) -> bool:
        """Whether a number that is not whole may be among the values; spans are looked at with the text."""
        inside = "x-span" in self.schema or "x-span" in self.schema.get("items", {})
        return not inside and any(self.name in shape for shape in items.shapes) and _may_hold_floats(self.schema)

    def _nulls(self, items: Items, values: Sequence[Any]) -> Doubts:
        """Records with a null where there may be none."""
        if self._nullable or values.count(None) == items.lacking(self.name):
            return set()
        return _owners(items, (n for n, item in enumerate(items.items) if item.get(self.name, 0) is None))


class _Scalars(_Values):
    """Strings, numbers, truth values: a value that was valid once is valid."""

    def __init__(self, name: str, layer: Layer) -> None:
        super().__init__(name, layer)
        kinds = self.schema.get("type")
        named = [kinds] if isinstance(kinds, str) else kinds or ()
        self._kinds = frozenset(chain.from_iterable(_TYPES[kind] for kind in named)) | {_NOTHING}
        # no string equals anything but a string, while 1 equals true: of strings it is enough to look at each that differs
        self._strings = self._kinds <= {str, _NOTHING}
        self._any = not _asserted(self.schema) and int not in self._kinds
        self._known: set[Hashable] = {None}

    def doubtful(self, items: Items) -> Doubts:
        values = self.values(items)
        try:
            new = {None} if self._any else {*values} - self._known
        except TypeError:  # a list or an object
            return super().doubtful(items)
        if not {*map(type, new if self._strings and not self._any else values)} <= self._kinds:
            return _owners(items, (n for n, value in enumerate(values) if type(value) not in self._kinds))
        doubts = self._nulls(items, values)
        if self._any:
            return doubts
        wrong = {value for value in new if not self.is_valid(value)}
        if len(self._known) > _REMEMBERED:
            self._known = {None}
        self._known |= new - wrong
        return doubts | _owners(items, (n for n, value in enumerate(values) if value in wrong)) if wrong else doubts

    def may_hold_floats(self, items: Items) -> bool:
        return float in self._kinds and float in {*map(type, self.values(items))}


class _Lists(_Values):
    """Lists of strings: a list that was valid once is valid."""

    def __init__(self, name: str, layer: Layer) -> None:
        super().__init__(name, layer)
        self._known: set[tuple[str, ...]] = set()

    def doubtful(self, items: Items) -> Doubts:
        values = self.values(items)
        wrong_type = {*map(type, values)} - {list, _NOTHING}
        if wrong_type or not {*map(type, chain.from_iterable(filter(None, values)))} <= {str}:
            return super().doubtful(items)
        doubts = self._nulls(items, values)
        new = {tuple(value) for value in values if value is not None} - self._known
        wrong = {value for value in new if not self.is_valid(list(value))}
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        self._known |= new - wrong
        if not wrong:
            return doubts
        return doubts | _owners(items, (n for n, value in enumerate(values) if value is not None and tuple(value) in wrong))

    def may_hold_floats(self, items: Items) -> bool:
        return False


class _SpanValues(_Values):
    """A span, or a list of them: what `SPAN_SCHEMA` says, and how many there may be."""

    def __init__(self, name: str, layer: Layer, field: Field) -> None:
        super().__init__(name, layer)
        self._field = field
        self._kind = dict if field.span == "one" else list
        self._least, self._most = self.schema.get("minItems", 0), self.schema.get("maxItems", 2**62)

    def doubtful(self, items: Items) -> Doubts:
        values = self.values(items)
        if not {*map(type, values)} <= {self._kind, _NOTHING} or not self._are_right(items):
            return super().doubtful(items)
        if self._kind is list and (self._least or self._most < 2**62):
            counts = {len(value) for value in values if value is not None}
            if counts and not self._least <= min(counts) <= max(counts) <= self._most:
                return super().doubtful(items)
        return self._nulls(items, values)

    def _are_right(self, items: Items) -> bool:
        lists = chain.from_iterable(filter(None, self.values(items))) if self._kind is list else filter(None, self.values(items))
        spans = list(lists)
        if not {*map(type, spans)} <= {dict} or not {*map(tuple, spans)} <= _SHAPES_OF_SPANS:
            return False
        if not all(self.values(items)) and self._kind is dict and {} in self.values(items):
            return False
        found = items.spans(self._field)
        starts, ends = found.starts, found.ends
        if not {*map(type, starts), *map(type, ends)} <= {int} or not {type(s.get("surface")) for s in spans} <= {str, _NOTHING}:
            return False
        return not starts or (min(starts) >= 0 and min(ends) >= 0 and max(starts) < 2**31 and max(ends) < 2**31)

    def may_hold_floats(self, items: Items) -> bool:
        return False


_SHAPES_OF_SPANS = {("start", "end"), ("end", "start"), ("start", "end", "surface"), ("surface", "start", "end")}
"""The names that a span has, in the orders in which they are written; another is looked at alone."""


# ---- the laws of a layer -------------------------------------------------------------------------------------


class _Unknown(Exception):
    """A law says something that does not come down to which fields there are and what each value is like."""


def _parts(law: Json) -> Iterator[tuple[str, Json]]:
    """The fields that a law's subschema is about, each with what is asked of it; raises _Unknown."""
    if not isinstance(law, dict):
        raise _Unknown
    for name, said in law.items():
        if name == "properties":
            if not all(isinstance(asked, dict) for asked in said.values()):  # true and false are schemas, too
                raise _Unknown
            yield from said.items()
        elif name == "required":
            yield from ((field, {}) for field in said)
        elif name in _APPLIED:
            for inner in said if isinstance(said, list) else [said]:
                yield from _parts(inner)
        elif name not in _NOT_ASSERTED or name == "type":
            raise _Unknown


class _Laws:
    """`x-rules`. An item is described by what the subschemas of the laws say of its values; what was found of one item holds for
    all that are described alike.
    """

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._known: set[tuple[Any, ...]] = set()
        self._asked: dict[str, list[Json]] | None = {}
        try:
            for law in layer.schema.get("x-rules", ()):
                for part in ("if", "then", "else"):
                    for name, asked in _parts(law[part]) if part in law else ():
                        listed = self._asked.setdefault(name, [])
                        if asked not in listed and asked != {}:
                            listed.append(asked)
        except _Unknown:
            self._asked = None
        self._fields = [_Described(name, asked) for name, asked in (self._asked or {}).items()]
        self._equal = [rule.equal for rule in layer.rules if rule.equal]

    def doubtful(self, items: Items) -> Iterator[int]:
        """The numbers of the items that break a law."""
        if not self._layer.rules:
            return
        if self._asked is None:
            yield from (n for n, item in enumerate(items.items) if not self._keeps(item))
            return
        said = [field.described(items) for field in self._fields]
        for names in self._equal:
            given = zip(*(items.column(self._layer[name]) for name in names), strict=True)
            said.append([len({*values}) == 1 for values in given])
        described = list(zip(*said, strict=True))
        new = {*described} - self._known
        if not new:
            return
        broken = set()
        for what in new:
            if self._keeps(items.items[described.index(what)]):
                self._known.add(what)
            else:
                broken.add(what)
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        yield from (n for n, what in enumerate(described) if what in broken)

    def _keeps(self, item: Json) -> bool:
        return not _is_doubted(laws.check_rules, self._layer, item, [])


class _Described:
    """What some subschemas say of a field's values: -1 where it is missing, else a number whose bits say which hold."""

    def __init__(self, name: str, asked: Sequence[Json]) -> None:
        self._name = name
        self._validators = [jsonschema_rs.Draft202012Validator(one) for one in asked]
        self._by_length = all(_asserted(one) <= {"minItems", "maxItems"} for one in asked)
        self._known: dict[Hashable, int] = {}

    def described(self, items: Items) -> list[int]:
        """The description of each item's value."""
        lacking = items.lacking(self._name)
        if lacking == len(items.items):
            return [-1] * lacking
        values = items.under(self._name)
        kinds = {*map(type, values)} - {_NOTHING}
        keys: list[Any]
        if kinds == {str} or kinds == {bool} or not kinds:
            keys = values
        elif kinds == {list} and self._by_length:
            keys = [None if value is None else ~len(value) for value in values]  # negative, so no truth value equals one
        else:
            keys = [None if value is None else (type(value), repr(value)) for value in values]
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        for key in {*keys} - self._known.keys():
            value = values[keys.index(key)]
            self._known[key] = sum(1 << n for n, validator in enumerate(self._validators) if validator.is_valid(value))
        if lacking:
            return [self._known[key] if self._name in item else -1 for key, item in zip(keys, items.items, strict=True)]
        return [self._known[key] for key in keys]


# ---- numbers, spans ------------------------------------------------------------------------------------------


def _numbers(layer: Layer, field: Field, items: Items) -> Doubts:
    """Records with a number that the column does not keep."""
    values = items.column(field)
    kind = str(field.type)
    if len(field.path) == 1 and "x-decimal" in field.schema:
        lost = {v for v in {*values} if v is not None and not check.fits(check.decimal_of(v), *field.schema["x-decimal"])}
        return _owners(items, (n for n, value in enumerate(values) if value in lost)) if lost else set()
    if len(field.path) == 1 and kind == "int64":
        return set()  # only whole numbers got so far
    if len(field.path) == 1 and kind == "double":
        return _owners(items, (n for n, value in enumerate(values) if value is not None and abs(value) > _EXACT_FLOAT))
    asked = (n for n, value in enumerate(values) if value is not None)
    return _owners(items, (n for n in asked if _is_doubted(check.check_numbers, layer, items.items[n], [])))


def _spans(field: Field, items: Items, block: Block) -> Doubts:
    """Records with a span that is empty, out of order or out of the text, that has other words, or white space at an edge."""
    lengths = [
        record["text"]["n_code_points"] if t is None else len(t) for record, t in zip(block.records, block.texts, strict=True)
    ]
    if field.span == "nested":
        values, owners = items.column(field), zip(items.texts, items.per_item(lengths), strict=True)
        asked = (
            n
            for n, (value, (text, length)) in enumerate(zip(values, owners, strict=True))
            if value and _bad(field, value, text, length)
        )
        return _owners(items, asked)
    found = items.spans(field)
    if not found.spans:
        return set()
    starts, ends = np.array(found.starts), np.array(found.ends)
    of_item = np.repeat(np.arange(len(items.items)), found.counts)
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
    return _owners(items, of_item[bad].tolist()) if bad.any() else set()


def _bad(field: Field, value: Any, text: str | None, length: int) -> bool:
    lists = laws.span_lists(field, value, [])
    return any(_is_doubted(check.span_problems, spans, text, length, False) for spans in lists)


# ---- laws that stand beside a field --------------------------------------------------------------------------


def _descending(columns: Sequence[Sequence[Any]]) -> Iterator[int]:
    """The numbers of items whose values, where given, descend."""
    for n, row in enumerate(zip(*columns, strict=True)):
        given = [value for value in row if value is not None]
        if any(a > b for a, b in pairwise(given)):
            yield n


def _uncovered(layer: Layer, block: Block) -> Doubts:
    """Records with text that no item covers (`x-covers`)."""
    law = layer.schema["x-covers"]
    items = block.items(layer)
    covers = [value in law["values"] for value in items.column(layer[law["field"]])]
    there = [field for field in layer.spanned if not items.is_absent(field)]
    if any(field.span == "nested" for field in there):
        covering = (n for n, a, b in items.slices() if _is_doubted(laws.check_covers, layer, items.items[a:b], block.texts[n]))
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


def _within(layer: Layer, field: Field, block: Block, keys: _Keys) -> Doubts:
    law = field.schema["x-within"]
    via = layer[law["via"]] if law.get("via") else None
    outer_layer = block.schemas.layers[via.ref] if via is not None and via.ref else layer
    items = block.items(layer)
    values = items.column(field)
    doubts = set()
    if via is None:
        rooms = items.column(layer[law["spans"]])
        return _owners(items, (n for n, value in enumerate(values) if value and not _lie_in(value, rooms[n], field)))
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


def _acyclic(layer: Layer, field: Field, block: Block, keys: _Keys) -> Doubts:
    """A reference that always leads to an item before comes never back; others are followed."""
    items = block.items(layer)
    names, values = items.column(layer.key), items.column(field)
    doubts = set()
    for n, a, b in _records_with(items, field):
        place = {name: number for number, name in enumerate(names[a:b])}
        forward = any(value is not None and place[value] >= number for number, value in enumerate(values[a:b]))
        if forward and _is_doubted(check.check_cycles, block.records[n], block.schemas, False):
            doubts.add(n)
    return doubts


def _outside(layer: Layer, field: Field, block: Block, keys: _Keys) -> Doubts:
    items = block.items(layer)
    values = items.column(field)
    doubts: Doubts = set()
    for other in (f for name in field.schema["x-outside"] if not items.is_absent(f := layer[name])):
        if "nested" in {field.span, other.span}:
            return _owners(items, (n for n, value in enumerate(values) if value))
        pairs = zip(values, items.column(other), strict=True)
        both = ((n, _list(mine), _list(others)) for n, (mine, others) in enumerate(pairs) if mine and others)
        touching = (
            n for n, mine, others in both if any(s["start"] < o["end"] and o["start"] < s["end"] for s in mine for o in others)
        )
        doubts |= _owners(items, touching)
    return doubts


def _list(spans: Any) -> list[Json]:
    return [spans] if isinstance(spans, dict) else spans


def _target(layer: Layer, field: Field, block: Block, keys: _Keys) -> Doubts:
    law = field.schema["x-target"]
    if field.ref not in block.schemas.layers:
        return set()
    items = block.items(layer)
    values = items.column(field)
    return {
        n
        for n, a, b in _records_with(items, field)
        if (there := keys.decided(str(field.ref), law["field"], n)) is not None
        and any(there[key] not in law["values"] for key in _named(values[a:b], field))
    }


def _present(layer: Layer, field: Field, block: Block, keys: _Keys) -> Doubts:
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


def _depth(layer: Layer, field: Field, block: Block, keys: _Keys) -> Doubts:
    items = block.items(layer)
    parents, values = items.column(layer[field.schema["x-depth"]]), items.column(field)
    doubts = set()
    for n, a, b in items.slices():
        if all(parent is None for parent in parents[a:b]):
            if any(value != 1 for value in values[a:b]):
                doubts.add(n)
        elif _is_doubted(laws.check_depth, layer, field, items.items[a:b], False):
            doubts.add(n)
    return doubts


_MARKS = re.compile(f"[{re.escape(laws.QUOTATION_MARKS)}]")


def _quotes(layer: Layer, field: Field, block: Block, keys: _Keys) -> Doubts:
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
    for n in _owners(items, asked):
        a, b = items.offsets[n : n + 2]
        if _is_doubted(laws.check_quotes, layer, field, items.items[a:b], block.texts[n]):
            doubts.add(n)
    return doubts


_LAWS: dict[str, Callable[[Layer, Field, Block, _Keys], Doubts]] = {
    "x-within": _within, "x-acyclic": _acyclic, "x-outside": _outside, "x-target": _target, "x-present": _present,
    "x-depth": _depth, "x-quotes": _quotes,
}  # fmt: skip
_OF_EVERY_ITEM = {"x-present", "x-depth", "x-quotes"}
"""Laws that say something of items without the field, too."""
