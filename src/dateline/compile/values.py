"""What schemas say of the values of items, a column at a time: a value that was valid once is valid wherever it stands.

`ValuesOf` decides the values under one name, `LawsOf` the laws of a layer (`x-rules`), which it decides once for all items that
the subschemas of the laws cannot tell apart. The validators are those of the schemas; here is only what need not be asked twice.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence, Set
from itertools import chain
from typing import Any

import jsonschema_rs

from dateline.compile import laws
from dateline.compile.columns import Items
from dateline.compile.doubts import Doubts, is_doubted, owners
from dateline.schema import Field, Json, Layer, validator_of

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
OF_AN_OBJECT = _NOT_ASSERTED | {"properties", "required", "additionalProperties", "$schema", "$id", "$defs", "definitions"}
_APPLIED = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")


def is_valid(validator: jsonschema_rs.Draft202012Validator, value: Any) -> bool:
    """Whether a validator takes a value; what it cannot follow it does not take."""
    try:
        return bool(validator.is_valid(value))
    except ValueError:  # nested too deeply
        return False


def may_hold_floats(schema: Any, path: tuple[str, ...] = (), whole: Set[tuple[str, ...]] = frozenset()) -> bool:
    """Whether a value may hold a number that is not an integer, of which `whole` are the places that are looked at anyway."""
    kinds = schema.get("type", "any") if isinstance(schema, dict) else "any"
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        if kind == "array":
            if may_hold_floats(schema.get("items")):
                return True
        elif kind == "object":
            inner = schema.get("properties")
            if not inner or any(may_hold_floats(prop, (*path, name), whole) for name, prop in inner.items()):
                return True
        elif kind not in {"string", "boolean", "null"} and not (kind == "integer" and path in whole):
            return True
    return False


# ---- values --------------------------------------------------------------------------------------------------


def values_of(name: str, layer: Layer) -> ValuesOf:
    """What decides the values of a layer's items under one name."""
    schema = layer.schema["properties"][name]
    field = next((f for f in layer.fields if f.path == (name,)), None)
    if field is not None and field.span in {"one", "many"} and not asserted(schema) - {"minItems", "maxItems"}:
        return _SpanValues(name, layer, field)
    if field is not None and field.kinds <= _TYPES.keys() and not field.span:
        return _Scalars(name, layer)
    if field is not None and field.kinds <= {"array", "null"} and not field.span and field.item_kinds == {"string"}:
        return _Lists(name, layer)
    return ValuesOf(name, layer)


def asserted(schema: Json) -> set[str]:
    """The keywords of a schema that a value can fail, but for its type."""
    return {name for name in schema if name not in _NOT_ASSERTED and not name.startswith("x-")}


class ValuesOf:
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
        return is_valid(self._validator, {self.name: value})

    def values(self, items: Items) -> list[Any]:
        """The value of each item, None where it is null or missing."""
        return items.under(self.name)

    def doubtful(self, items: Items) -> Doubts:
        """The records with a value that may not be valid."""
        wrong = (n for n, item in enumerate(items.items) if self.name in item and not self.is_valid(item[self.name]))
        return owners(items, wrong)

    def may_hold_floats(self, items: Items) -> bool:
        """Whether a number that is not whole may be among the values; spans are looked at with the text."""
        inside = "x-span" in self.schema or "x-span" in self.schema.get("items", {})
        return not inside and any(self.name in shape for shape in items.shapes) and may_hold_floats(self.schema)

    def _nulls(self, items: Items, values: Sequence[Any]) -> Doubts:
        """Records with a null where there may be none."""
        if self._nullable or values.count(None) == items.lacking(self.name):
            return set()
        return owners(items, (n for n, item in enumerate(items.items) if item.get(self.name, 0) is None))


class _Scalars(ValuesOf):
    """Strings, numbers, truth values: a value that was valid once is valid."""

    def __init__(self, name: str, layer: Layer) -> None:
        super().__init__(name, layer)
        kinds = self.schema.get("type")
        named = [kinds] if isinstance(kinds, str) else kinds or ()
        self._kinds = frozenset(chain.from_iterable(_TYPES[kind] for kind in named)) | {_NOTHING}
        # no string equals anything but a string, while 1 equals true: of strings it is enough to look at each that differs
        self._strings = self._kinds <= {str, _NOTHING}
        self._any = not asserted(self.schema) and int not in self._kinds
        self._known: set[Hashable] = {None}

    def doubtful(self, items: Items) -> Doubts:
        values = self.values(items)
        try:
            new = {None} if self._any else {*values} - self._known
        except TypeError:  # a list or an object
            return super().doubtful(items)
        if not {*map(type, new if self._strings and not self._any else values)} <= self._kinds:
            return owners(items, (n for n, value in enumerate(values) if type(value) not in self._kinds))
        doubts = self._nulls(items, values)
        if self._any:
            return doubts
        wrong = {value for value in new if not self.is_valid(value)}
        if len(self._known) > _REMEMBERED:
            self._known = {None}
        self._known |= new - wrong
        return doubts | owners(items, (n for n, value in enumerate(values) if value in wrong)) if wrong else doubts

    def may_hold_floats(self, items: Items) -> bool:
        return float in self._kinds and float in {*map(type, self.values(items))}


class _Lists(ValuesOf):
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
        return doubts | owners(items, (n for n, value in enumerate(values) if value is not None and tuple(value) in wrong))

    def may_hold_floats(self, items: Items) -> bool:
        return False


class _SpanValues(ValuesOf):
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


class UnknownForm(Exception):
    """A law says something that does not come down to which fields there are and what each value is like."""


def parts_of(law: Json) -> Iterator[tuple[str, Json]]:
    """The fields that a law's subschema is about, each with what is asked of it; raises UnknownForm."""
    if not isinstance(law, dict):
        raise UnknownForm
    for name, said in law.items():
        if name == "properties":
            if not all(isinstance(asked, dict) for asked in said.values()):  # true and false are schemas, too
                raise UnknownForm
            yield from said.items()
        elif name == "required":
            yield from ((field, {}) for field in said)
        elif name in _APPLIED:
            for inner in said if isinstance(said, list) else [said]:
                yield from parts_of(inner)
        elif name not in _NOT_ASSERTED or name == "type":
            raise UnknownForm


class LawsOf:
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
                    for name, asked in parts_of(law[part]) if part in law else ():
                        listed = self._asked.setdefault(name, [])
                        if asked not in listed and asked != {}:
                            listed.append(asked)
        except UnknownForm:
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
        return not is_doubted(laws.check_rules, self._layer, item, [])


class _Described:
    """What some subschemas say of a field's values: -1 where it is missing, else a number whose bits say which hold."""

    def __init__(self, name: str, asked: Sequence[Json]) -> None:
        self._name = name
        self._validators = [jsonschema_rs.Draft202012Validator(one) for one in asked]
        self._by_length = all(asserted(one) <= {"minItems", "maxItems"} for one in asked)
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
