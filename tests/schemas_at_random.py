"""Schemas of forms that are allowed and may be rare, and records of them: most right, some with a value of another kind."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from building import Json, record

_TEXTS = ["Ana met Bo in Rome.", "😀 “Hi” said 𝔸nn.\n\n\u00a0End", "x", "«q» 'z' \"t\" né"]
_NUMBERS = [0, -0.0, 1, 1.0, 2.5, 1e30, 2**53 + 1, 2**63 - 1, -(2**63), 10**25, 0.1, 1e-7, 0.30000000000000004]
_WORDS = ["A", "B", "", "é", "😀", "None", "NULL", "x y"]
_DATES = ["2024-01-01", "1999-12-31", "2023-02-29", "2024-1-1"]
Value = Callable[[random.Random], Any]
_Made = tuple[Json, Value]


def _of(kind: str, chance: random.Random, **more: Any) -> Json:
    kinds = [kind, "null"] if chance.random() < 0.6 else kind
    return {"type": kinds, "description": "D.", **more}


def _any_of(values: list[Any]) -> Value:
    return lambda chance: chance.choice(values)


def _list_of(value: Value) -> Value:
    return lambda chance: [value(chance) for _ in range(chance.randrange(4))]


def _text(chance: random.Random) -> _Made:
    return _of("string", chance), _any_of(_WORDS)


def _label(chance: random.Random) -> _Made:
    made = _of("string", chance)
    more = {"default": "B"} if chance.random() < 0.3 else {}
    return made | {"enum": ["A", "B", *([None] if isinstance(made["type"], list) else [])]} | more, _any_of(["A", "B"])


def _number(chance: random.Random) -> _Made:
    kind = chance.choice(["integer", "number"])
    return _of(kind, chance, **({"default": 4} if chance.random() < 0.3 else {})), _any_of(_NUMBERS)


def _decimal(chance: random.Random) -> _Made:
    return _of("number", chance, **{"x-decimal": chance.choice([[10, 2], [38, 0], [30, 10], [1, 0]])}), _any_of(_NUMBERS)


def _date(chance: random.Random) -> _Made:
    return _of("string", chance, format="date"), _any_of(_DATES)


def _truth(chance: random.Random) -> _Made:
    return _of("boolean", chance), _any_of([True, False])


def _list(chance: random.Random) -> _Made:
    items, value = chance.choice([_text, _label, _number, _truth, _object])(chance)
    return _of("array", chance, items={k: v for k, v in items.items() if k != "default"}), _list_of(value)


def _object(chance: random.Random) -> _Made:
    inner = {f"i{n}": chance.choice([_text, _label, _number, _decimal, _date])(chance) for n in range(chance.randrange(1, 4))}
    plain = {name: {k: v for k, v in schema.items() if k != "default"} for name, (schema, _) in inner.items()}

    def value(chance: random.Random) -> Json:
        return {name: one(chance) for name, (_, one) in inner.items() if chance.random() < 0.8}

    return {"type": "object", "properties": plain, "description": "D."}, value


def _span(chance: random.Random) -> Json:
    start = chance.randrange(20)
    return {"start": start, "end": start + chance.randrange(1, 4)}


def _spans(chance: random.Random) -> _Made:
    if chance.random() < 0.3:
        return {"description": "D.", "x-span": "one"}, _span
    if chance.random() < 0.3:
        return _of("array", chance, items={"x-span": "many"}), _list_of(_list_of(_span))
    return {"description": "D.", "x-span": "many"}, _list_of(_span)


def _key(chance: random.Random) -> _Made:
    names = _any_of(["k0", "k1", "k2", None])
    if chance.random() < 0.5:
        return _of("string", chance, **{"x-ref": "layer"}), names
    return _of("array", chance, items={"type": ["string", "null"]}, **{"x-ref": "layer"}), _list_of(names)


_KINDS = [_text, _label, _number, _decimal, _date, _truth, _list, _object, _spans, _key]
_ODD: list[Any] = [None, True, 1.0, "A", [], [None], {}, {"start": 1.0, "end": 2}]


class AtRandom:
    """A layer of some such fields, `schema`, and records with items of it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._fields = {f"f{n}": chance.choice(_KINDS)(chance) for n in range(chance.randrange(1, 6))}
        properties: dict[str, Json] = {"k": {"type": "string", "description": "Key.", "x-key": True}}
        for name, (schema, _) in self._fields.items():
            properties[name] = schema | ({"x-withheld": True} if chance.random() < 0.25 else {})
        one = chance.choice([*self._fields])
        if "x-ref" not in properties[one] and chance.random() < 0.3:
            labels = [n for n, p in properties.items() if "enum" in p and "x-withheld" not in p]
            if labels:
                values = {"A": chance.choice([1, 0.5]), "B": 2}
                properties["made"] = _of("number", chance, **{"x-derive": {"from": labels[:1], "map": values}})
        self.schema: Json = {
            "type": "object", "title": "Layer", "description": "L.", "properties": properties, "required": ["k"],
            "additionalProperties": False, "x-rules": [{"id": "odd", "says": "is odd", "level": "warning", **self._law(one)}],
        }  # fmt: skip

    def _law(self, field: str) -> Json:
        laws: list[Json] = [
            {"then": True},
            {"then": {"required": [field]}},
            {
                "if": {"properties": {field: {"type": "integer"}}, "required": [field]},
                "then": {"required": ["k"], "minProperties": 3},
            },
            {"then": {"properties": {field: {"not": {"type": "null"}}}}},
            {"then": {"properties": {field: {"format": "date"}}}},
        ]
        return self._chance.choice(laws)

    def records(self, count: int) -> list[Json]:
        """Records, some of them with texts that are withheld."""
        return [self._record(f"a{n}") for n in range(count)]

    def _record(self, name: str) -> Json:
        chance, items = self._chance, []
        for n in range(chance.randrange(4)):
            item: Json = {"k": f"k{n}"}
            for field, (_, value) in self._fields.items():
                if chance.random() < 0.8:
                    item[field] = value(chance) if chance.random() < 0.95 else chance.choice(_ODD)
            items.append(item)
        rights = {"text_redistributable": chance.random() < 0.7}
        return record(name, chance.choice(_TEXTS), rights=rights, layer=items)
