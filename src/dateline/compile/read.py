"""Seed files as records: bytes in, one parsed JSON object per record out, with the place it came from.

`.json` holds one record, `.jsonl` one per line; `.gz` and `.zst` behind either is decompressed on the fly. Parsing is
strict where JSON libraries are lenient: duplicate keys, NaN and infinities, lone surrogates, byte order marks.
"""

from __future__ import annotations

import gc
import hashlib
import io
import json
import math
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from dateline.errors import InputError, Place, Problem
from dateline.leaks import shown
from dateline.rules import problem

Steps = list[str | int]
"""A JSON pointer as a list: names of fields, positions in lists."""

SUFFIXES = (".json", ".jsonl", ".json.gz", ".jsonl.gz", ".json.zst", ".jsonl.zst")
MAX_RECORD_BYTES = 64 * 1024 * 1024
"""A longer record is refused unread; the longest articles with their annotation stay far below it."""
MAX_EXPANSION, FREE_EXPANSION = 200, 16 * 1024 * 1024
"""A compressed file may expand to so many times its size (annotated text: 5 to 50), and to so many bytes whatever its size."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """The bytes of one record, and where they stand: place in the seed file, byte offset in its plain form."""

    place: Place
    offset: int
    raw: bytes


class Refused(Exception):
    """Carries the problem for which the bytes of a record are no record."""

    def __init__(self, fault: Problem) -> None:
        super().__init__(str(fault))
        self.problem = fault


def is_seed(path: Path) -> bool:
    """Whether a file's name says that it holds records."""
    return path.name.endswith(SUFFIXES) and not path.name.startswith(".")


def is_compressed(path: Path) -> bool:
    """Whether the file must be decompressed before records can be found by offset."""
    return path.suffix in {".gz", ".zst"}


def read_raw(path: Path, *, name: str) -> Iterator[RawRecord]:
    """The records of a file in their order, as bytes; `name` is what messages call the file.

    Never holds more than one record. Raises Refused where the rest of the file is not read (damaged compression, a record beyond
    MAX_RECORD_BYTES, expansion beyond MAX_EXPANSION), InputError where the file cannot be opened or is no regular file.
    """
    import pyarrow as pa

    if path.exists() and not path.is_file():
        raise InputError(f"{name}: is no regular file")
    if _LONE.search(str(path)):  # bytes of the name that Python could not decode
        raise InputError(f"{name}: has a name that is not valid UTF-8; rename it")

    whole = ".jsonl" not in path.suffixes[-2:]
    offset = 0
    line = 1
    try:
        room = max(FREE_EXPANSION, MAX_EXPANSION * path.stat().st_size) if is_compressed(path) else None
        with pa.input_stream(str(path), compression="detect") as raw_stream, io.BufferedReader(raw_stream, 1 << 20) as stream:
            while True:
                raw = stream.read(MAX_RECORD_BYTES + 1) if whole else stream.readline(MAX_RECORD_BYTES + 1)
                if not raw:
                    return
                place = Place(name, 0 if whole else line)
                if len(raw) > MAX_RECORD_BYTES:
                    raise Refused(problem("record-size", place, limit=MAX_RECORD_BYTES // 2**20))
                if room is not None and offset + len(raw) > room:
                    raise Refused(problem("expansion", Place(name), times=MAX_EXPANSION))
                if raw.strip():
                    yield RawRecord(place, offset, raw)
                offset += len(raw)
                line += 1
                if whole:
                    return
    except OSError as fault:
        if is_compressed(path) and path.exists():
            raise Refused(problem("compressed", Place(name, line), fault=str(fault).splitlines()[0])) from None
        raise InputError(f"{name}: cannot be read: {os.strerror(fault.errno) if fault.errno else fault}") from None


def parse(record: RawRecord) -> dict[str, Any]:
    """The JSON object that the bytes spell.

    Raises Refused with the one problem for which they do not.
    """
    raw, place = record.raw, record.place
    if raw.startswith(b"\xef\xbb\xbf"):
        raise Refused(problem("bom", place))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        at = _line_at(raw, fault.start, place)
        raise Refused(problem("utf8", at, fault=f"byte 0x{raw[fault.start]:02x} at byte {fault.start}")) from None
    try:
        data = json.loads(text, object_pairs_hook=_unique, parse_constant=_not_finite, parse_float=_finite)
    except _Fault as fault:
        raise Refused(problem(fault.rule, place, **fault.values)) from None
    except json.JSONDecodeError as fault:
        at = place if place.line else Place(place.file, fault.lineno)
        raise Refused(problem("json-syntax", at, fault=f"{fault.msg.removesuffix(' at')} at column {fault.colno}")) from None
    except RecursionError:
        raise Refused(problem("json-syntax", place, fault=_TOO_DEEP)) from None
    except ValueError:  # an integer of more digits than Python converts
        raise Refused(problem("json-syntax", place, fault="an integer has too many digits")) from None
    if not isinstance(data, dict):
        raise Refused(problem("json-object", place, found=kind_of(data)))
    try:
        lone = b"\\u" in raw and _LONE.search(json.dumps(data, ensure_ascii=False))
    except RecursionError:
        raise Refused(problem("json-syntax", place, fault=_TOO_DEEP)) from None
    if lone:
        raise Refused(problem("lone-surrogate", place))
    return data


def glance(record: RawRecord) -> tuple[dict[str, Any], bytes]:
    """The JSON object that the bytes spell, and its canonical form.

    Whether its floats are kept to the last digit is left to `parse`. Else orjson is as strict but for two things: an integer
    beyond 64 bits becomes a float, and of two equal keys one is dropped without a word; then fewer quotation marks are written
    than were read. What it refuses, and where that count is no proof, `parse` decides. Raises Refused.
    """
    import orjson

    raw = record.raw
    data = _plainly(raw)
    if data is not None and _ESCAPED_MARK not in raw:
        try:
            canonical = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
            if _marks(raw) == _marks(canonical):
                return data, canonical
        except TypeError:  # nesting beyond 254
            pass
    data = parse(record)
    return data, canonical_record(data)


def _marks(raw: bytes) -> int:
    """How many quotation marks there are, which `bytes.count` takes five times as long for."""
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(raw, np.uint8) == _MARK))


def taken(record: RawRecord) -> dict[str, Any]:
    """The JSON object that `glance` found in the same bytes. Raises Refused where only `parse` can tell."""
    data = _plainly(record.raw)
    return parse(record) if data is None else data


def _plainly(raw: bytes) -> dict[str, Any] | None:
    """The object that orjson reads; None where there is none, or an integer may be beyond 64 bits."""
    import orjson

    if _LONG_NUMBER in raw.translate(_DIGITS):
        return None
    try:
        data = orjson.loads(raw)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


@contextmanager
def without_collecting() -> Iterator[None]:
    """No search for cycles among objects: parsed records have none, and there are millions of objects to look at."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def canonical_record(record: dict[str, Any]) -> bytes:
    """The record in the one form that its digest is taken of: it does not depend on white space or the order of keys."""
    import orjson

    try:
        return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # an integer beyond 64 bits, nesting beyond 254: the check will refuse the record and say where
        try:
            return repr(record).encode()
        except RecursionError:
            return b""


def line_of(raw: bytes, steps: Steps) -> int:
    """The 1-based line on which the value at a JSON pointer begins; 1 where it cannot be found."""
    return lines_of(raw, [steps])[0]


def lines_of(raw: bytes, wanted: Sequence[Steps]) -> list[int]:
    """The 1-based lines on which the values at some JSON pointers begin, in one pass; 1 where there is none.

    `raw` has been parsed. The standard library's parser knows no places, and YAML's (JSON is nearly YAML) takes seconds and
    a recursion for a long record; this one takes neither.
    """
    found: dict[tuple[str | int | None, ...], int] = dict.fromkeys(map(tuple, wanted), 1)
    prefixes = {step[:n] for step in found for n in range(len(step) + 1)}
    path: list[str | int | None] = []  # the last step in an object is None until its key is read
    hidden = 0  # brackets open in a value that leads nowhere wanted
    counted = line = 0
    for token in _TOKENS.finditer(raw):
        mark = token[0]
        if hidden:
            hidden += (mark in _OPEN) - (mark in _CLOSE)
        elif mark == b",":
            path[-1] = path[-1] + 1 if isinstance(path[-1], int) else None
        elif mark in _CLOSE:
            path.pop()
        elif path and path[-1] is None:
            path[-1] = json.loads(mark)
        elif mark != b":":
            here = tuple(path)
            if here in found:
                line += raw.count(b"\n", counted, token.start())
                counted = token.start()
                found[here] = line + 1
            if mark in _OPEN and here in prefixes:
                path.append(0 if mark == b"[" else None)
            elif mark in _OPEN:
                hidden = 1
    return [found[tuple(steps)] for steps in wanted]


def pointer(steps: Steps) -> str:
    """A JSON pointer as messages write it: $.mentions[3].spans[0].end"""
    return "$" + "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps)


def kind_of(value: object) -> str:
    """What JSON calls the type of a value, with an article."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


_MARK = ord('"')
_ESCAPED_MARK = b"\\u0022"
_DIGITS, _LONG_NUMBER = bytes.maketrans(b"123456789", b"0" * 9), b"0" * 19
_TOO_DEEP = "brackets are nested too deeply"
_TOKENS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},:]|[^\s\[\]{},:"]++')
_OPEN, _CLOSE = (b"[", b"{"), (b"]", b"}")
_LONE = re.compile("[\ud800-\udfff]")


class _Fault(Exception):
    def __init__(self, rule: str, **values: object) -> None:
        super().__init__(rule)
        self.rule = rule
        self.values: dict[str, Any] = values


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        # nothing is known of the record's rights yet
        raise _Fault("duplicate-key", key=shown(twice, quote=False))
    return found


def _not_finite(name: str) -> NoReturn:
    raise _Fault("number-finite", found=name)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _Fault("number-finite", found=digits[:20])
    if Decimal(repr(value)) != Decimal(digits):  # shortest form: what is written again is what was read
        raise _Fault("number-precision", found=digits[:50], reason="a double, as which JSON numbers are read, would lose digits")
    return value


def _line_at(raw: bytes, offset: int, place: Place) -> Place:
    return place if place.line else Place(place.file, raw.count(b"\n", 0, offset) + 1)


def digest_of(raw: bytes) -> bytes:
    """What tells the bytes of a record from others."""
    return hashlib.sha256(raw).digest()[:16]
