"""JSON that strangers wrote, read strictly: what Python's parser would lose, invent or choke on is refused with a reason."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

from dateline.document import Refused, Stretch
from dateline.errors import InputError, Place, printable
from dateline.incoming import Incoming
from dateline.offsets import Offsets

DEEPEST = 50
"""Values of annotation tools are some ten levels deep; JSON libraries stop at a few hundred."""
LINES = (".jsonl", ".ndjson")
"""Suffixes of files that hold one JSON value per line."""


def parsed(text: str) -> Any:
    """The value that a text spells; raises ValueError, with a reason on one line, for what is not strictly JSON."""
    decoded = _decoded(text, 0)
    if text[decoded[1] :].strip(_BLANKS):
        raise ValueError("is not valid JSON: something follows the value")
    return _sound(decoded[0], text)


def elements(text: str) -> Iterator[tuple[int, Any]]:
    """The elements of a text that spells a list, one by one with their lines; of any other, the one value.

    Raises ValueError where the text stops being JSON; what comes before has been yielded.
    """
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        yield 1 + text.count("\n", 0, at), parsed(text)
        return
    line, counted, at = 1, 0, _skip(text, at + 1)
    more = text[at : at + 1] != "]"
    while more:
        line, counted = line + text.count("\n", counted, at), at
        value, at = _decoded(text, at)
        yield line, _sound(value, text[counted:at])
        at = _skip(text, at)
        more = text[at : at + 1] == ","
        if more:
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            raise ValueError(f"is not valid JSON: the list is not closed on line {1 + text.count(chr(10), 0, at)}")
    if _skip(text, at + 1) < len(text):
        raise ValueError("is not valid JSON: something follows the list")


def values(incoming: Incoming, name: str) -> Iterator[tuple[Place, Any] | Refused]:
    """The values of a file with their places: one per line, or the elements of its list; Refused for what is no JSON."""
    if name.lower().endswith(LINES):
        for number, raw in incoming.lines(name):
            if raw.strip():
                yield value_of(incoming, name, number, raw)
        return
    line = 0
    try:
        for line, value in elements(incoming.text(name)):
            yield incoming.place(name, line), value
    except ValueError as fault:
        rest = "; what follows in the file is not read" if line else ""
        yield Refused(incoming.place(name, line), "document", f"{fault}{rest}")


def value_of(incoming: Incoming, name: str, number: int, raw: bytes) -> tuple[Place, Any] | Refused:
    """What a line of a file spells, with its place; Refused for what is no JSON."""
    place = incoming.place(name, number)
    try:
        return place, parsed(incoming.decoded(raw, name, number))
    except InputError as fault:
        return Refused(place, "document", str(fault).removeprefix(f"{place}: "))
    except ValueError as fault:
        return Refused(place, "document", str(fault))


@dataclass(frozen=True, slots=True)
class At:
    """Where a row of a file of lines stands: its file, its line, and the byte at which it begins."""

    file: str
    number: int
    offset: int


def grouped(incoming: Incoming, suffixes: tuple[str, ...], key: Callable[[dict[str, Any]], object]) -> dict[object, list[At]]:
    """Where the rows of all files stand, by a key of theirs, in the order in which keys first stand; a row without one is alone.

    This is the first of two passes over files that are too long for memory; `row_at` reads a row in the second one.
    """
    found: dict[object, list[At]] = {}
    for file in incoming.named(*suffixes):
        for number, offset, raw in incoming.located(file):
            if not raw.strip():
                continue
            value = _glanced(raw, key, orjson.loads)
            if value is None or isinstance(value, float):  # what orjson refuses, or an integer of more than 64 bits
                value = _glanced(raw, key, json.loads)
            at = At(file, number, offset)
            found.setdefault(value if isinstance(value, int | str) else at, []).append(at)
    return found


def _glanced(raw: bytes, key: Callable[[dict[str, Any]], object], parse: Callable[[bytes], Any]) -> object:
    """The key of a line's row; None if it has none, or is none: the second pass says why."""
    try:
        row = parse(raw)
    except (ValueError, RecursionError):
        return None
    return key(row) if isinstance(row, dict) else None


def row_at(incoming: Incoming, at: At) -> tuple[Place, Any] | Refused:
    """What the row at a place spells, with its place for messages; Refused for what is no JSON."""
    return value_of(incoming, at.file, at.number, incoming.line_at(at.file, at.number, at.offset))


def stretch(offsets: Offsets, start: Any, end: Any) -> Stretch:
    """The stretch between two offsets of a tool; raises ValueError, which says what is wrong, where they make none."""
    if type(start) is not int or type(end) is not int:
        which, value = ("end", end) if type(start) is int else ("start", start)
        raise ValueError(f"its {which} is {brief(value)}, which is no whole number")
    if start > end:
        raise ValueError(f"starts at {start}, but ends at {end}")
    return _at(offsets, start, "start"), _at(offsets, end, "end")


def _at(offsets: Offsets, value: int, which: str) -> int:
    try:
        return offsets(value)
    except ValueError as fault:
        raise ValueError(f"its {which} {fault}") from None


def word(value: Any, what: str) -> str:
    """A label or an id as a string; raises ValueError for a value that is neither a string nor a whole number."""
    if isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    raise ValueError(f"its {what} is {brief(value)}, which is no string")


def brief(value: Any) -> str:
    """A value in a few characters of a message, without anything that could disturb a terminal."""
    kinds = {dict: "an object", list: "a list", type(None): "missing"}
    text = kinds.get(type(value)) or printable(json.dumps(value, ensure_ascii=False, default=repr))
    return text if len(text) <= 40 else text[:39] + "…"


def encoded(value: Any, *, indent: int | None = None) -> bytes:
    """A value as JSON in UTF-8, with a line end."""
    return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False).encode() + b"\n"


_BLANKS = " \t\r\n"
_LONE = re.compile("[\ud800-\udfff]")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    return at


def _decoded(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, _skip(text, at))
    except json.JSONDecodeError as fault:
        where = f"line {fault.lineno}, column {fault.colno}" if fault.lineno > 1 else f"column {fault.colno}"
        raise ValueError(f"is not valid JSON: {fault.msg.removesuffix(' at')} at {where}") from None
    except RecursionError:
        raise ValueError("is not read: brackets are nested too deeply") from None
    except ValueError as fault:
        if isinstance(fault, _Fault):
            raise
        raise ValueError("is not read: an integer has too many digits") from None


def _sound(value: Any, text: str) -> Any:
    if _is_deeper(value, DEEPEST):
        raise ValueError("is not read: brackets are nested too deeply")
    if "\\u" in text and _LONE.search(json.dumps(value, ensure_ascii=False)):
        raise ValueError(r"is not read: it holds half of a surrogate pair (such as \ud83d), which is no character")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    level = [value] if type(value) in (dict, list) else []
    for _ in range(levels):
        level = [v for one in level for v in (one.values() if type(one) is dict else one) if type(v) in (dict, list)]
    return bool(level)


class _Fault(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Fault(f"is not read: an object has the key {brief(twice)} twice, and only one value could be kept")
    return found


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _Fault(f"is not read: {digits[:20]} is no number that a computer can hold")
    return value


def _no_number(name: str) -> NoReturn:
    raise _Fault(f"is not valid JSON: {name} is no number of JSON; write null where there is no value")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_number)
