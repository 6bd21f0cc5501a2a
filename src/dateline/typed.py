"""Whether plain values, as TOML and JSON give them, are what a dataclass declares of its fields."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Misfit:
    """A value that is not what its field declares: where it stands (`tables.mentions.rows`), what it is, what it must be."""

    where: str
    found: str
    expected: str


_LACKING = "not there"
_WORDS = {
    str: ("a string", "strings"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "truth values"),
}


def misfits(value: Any, kind: Any, where: str = "") -> Iterator[Misfit]:
    """All values inside `value` that do not fit the type `kind`; a dataclass stands for a table of its fields.

    Known are dataclasses, str, int, float, bool, None, Any, unions, list[...], tuple[..., ...] and dict[str, ...].
    """
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        yield from _table(value, kind, where)
        return
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        tables = [one for one in inner if dataclasses.is_dataclass(one)]
        if isinstance(value, dict) and len(tables) == 1:
            yield from misfits(value, tables[0], where)
        elif all(any(misfits(value, one, where)) for one in inner):
            yield Misfit(where, shown(value), _expected(kind))
    elif origin is dict and isinstance(value, dict):
        for name, one in value.items():
            yield from misfits(one, inner[1], _inside(where, name))
    elif origin in (list, tuple) and isinstance(value, list):
        for number, one in enumerate(value):
            yield from misfits(one, inner[0], f"{where}[{number}]")
    elif not _fits(value, kind, origin):
        yield Misfit(where, shown(value), _expected(kind))


def shown(value: Any) -> str:
    """A value in one short line of a message."""
    text = (
        repr(value)
        if isinstance(value, str | list | dict | float)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
    return text if len(text) <= 60 else text[:59] + "…"


def _table(value: Any, kind: type, where: str) -> Iterator[Misfit]:
    if not isinstance(value, dict):
        yield Misfit(where, shown(value), "a table")
        return
    declared = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        if field.name in value:
            yield from misfits(value[field.name], declared[field.name], _inside(where, field.name))
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            yield Misfit(_inside(where, field.name), _LACKING, _expected(declared[field.name]))
    for name in value.keys() - declared.keys():
        yield Misfit(_inside(where, name), shown(value[name]), "left out: there is no such field")


def _fits(value: Any, kind: Any, origin: Any) -> bool:
    if kind is Any or origin is not None:
        return kind is Any
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _expected(kind: Any) -> str:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_expected(one) for one in inner)
    if origin in (list, tuple):
        return f"a list of {_WORDS[inner[0]][1]}" if inner[0] in _WORDS else "a list"
    if origin is dict:
        return f"a table of {_WORDS[inner[1]][1]}" if inner[1] in _WORDS else "a table"
    if kind is type(None):
        return "nothing"
    return _WORDS[kind][0] if kind in _WORDS else "a table"


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
