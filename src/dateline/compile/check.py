"""What one record can tell: its shape, its text, its keys, references and spans.

`check_record` is the readable definition that every faster path must agree with. It returns problems, all of them,
and never raises for bad input. Where the text is withheld no message quotes the record's strings.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import replace
from decimal import Context, Decimal
from typing import Any

import jsonschema_rs

from dateline.compile.laws import Report, check_laws, span_lists
from dateline.compile.read import RawRecord, Steps, canonical_record, kind_of, lines_of, pointer
from dateline.compile.sets import check_sets
from dateline.compile.signature import sign, stored
from dateline.errors import Place, Problem
from dateline.leaks import shown
from dateline.project import PRIVATE
from dateline.rules import problem
from dateline.schema import Json, Layer, SchemaRule, Schemas

FORMAT_RULES = {
    "bcp47": "language-tag",
    "spdx-expression": "license-expression",
    "date": "date",
    "edtf": "edtf",
    "iso3166-1": "country-code",
}
"""The rule that decides each format."""

_LIMITS = {"Minimum": "at least", "Maximum": "at most", "ExclusiveMinimum": "more than", "ExclusiveMaximum": "less than"}

MAX_PROBLEMS = 200
"""So many problems of one record are listed."""
LIST_ALL_BYTES = 256 * 1024
"""Of a longer record only the first fault of shape is named: the validator makes them all, 1.6 kB each, before it tells one."""

_SNIPPET_SIDE = 24


class _TooMany(Exception):
    pass


def is_withheld(record: Mapping[str, Any]) -> bool:
    """Whether the record's text may not be passed on; anything but a plain true means it may not."""
    rights = record.get("rights")
    return not (isinstance(rights, dict) and rights.get("text_redistributable") is True)


def check_record(
    record: Json, raw: RawRecord, schemas: Schemas, table_keys: Mapping[str, Set[str]], *, public: bool = False
) -> list[Problem]:
    """All problems of one parsed record, in the order of its fields.

    `table_keys` holds the keys of each corpus-level table, for references to them; `public` says that the record is to stand in
    a project that is not private, where no text of a private one may be shown. Content is checked only where the
    shape is right: a message about a span of wrong type helps nobody.
    """
    quote = not is_withheld(record)
    found: list[Problem] = []
    pointers: list[Steps] = []

    def report(rule: str | SchemaRule, steps: Steps, **values: Any) -> None:
        if len(found) == MAX_PROBLEMS:
            rule, steps, values = "too-many", [], {}
        place = raw.place.at(pointer(steps))
        if isinstance(rule, SchemaRule):
            found.append(Problem(place, rule.id, rule.says, rule.hint, rule.level))
        else:
            found.append(problem(rule, place, **values))
        pointers.append(steps)
        if rule == "too-many":
            raise _TooMany

    try:
        small = len(raw.raw) <= LIST_ALL_BYTES
        shape_problems(record, schemas.record_validator, schemas.known_fields, quote, report, all_of_them=small)
        if not found:
            if public and quote and is_private(record):
                report("rights-private", ["rights", "text_license"])
            _content_problems(record, schemas, table_keys, quote, found, report)
    except _TooMany:
        pass
    if found and not raw.place.line:
        lines = lines_of(raw.raw, pointers)
        found = [replace(p, place=replace(p.place, line=line)) for p, line in zip(found, lines, strict=True)]
    return found


def is_private(record: Json) -> bool:
    """Whether the licence of the text names that of private projects."""
    return PRIVATE.lower() in re.split(r"[^\w.+-]+", str(record["rights"].get("text_license")).lower())


def _content_problems(
    record: Json, schemas: Schemas, table_keys: Mapping[str, Set[str]], quote: bool, found: list[Problem], report: Report
) -> None:
    _text(record, report)
    _signature(record, report)
    keys = _keys(record, schemas, quote, report)
    text = record["text"].get("content")
    length = len(text) if text is not None else record["text"].get("n_code_points")
    items: list[tuple[Layer, Json, Steps]] = [(schemas.article, record, [])]
    for layer in schemas.layers.values():
        items += [(layer, item, [layer.name, index]) for index, item in enumerate(record.get(layer.name) or ())]
    for layer, item, steps in items:
        _references(layer, item, steps, keys, table_keys, quote, report)
        check_numbers(layer, item, steps, report)
        for field in layer.spanned:
            for spans in span_lists(field, field.value_of(item), [*steps, *field.path]):
                span_problems(spans, text, length, quote, report)
    if not found:
        _within(record, schemas, quote, report)
        check_cycles(record, schemas, quote, report)
        check_sets(record, schemas, quote, report)
    if not found:
        check_laws(record, schemas, quote, report)


def check_article(record: Json, layer: Layer, report: Report) -> None:
    """Report what is wrong with the text, its signature, and the numbers of the article itself."""
    _text(record, report)
    _signature(record, report)
    check_numbers(layer, record, [], report)


def public_part(record: Json) -> Json:
    """The record without what its text alone restores: where it is withheld, the text is null and spans have no surfaces.

    It is the same record with and without the text, so that digests taken of it are.
    """
    if not is_withheld(record) or not isinstance(record.get("text"), dict):
        return record
    try:
        public = {name: _without_surfaces(value) for name, value in record.items()}
    except RecursionError:  # nested beyond anything that the check lets pass
        return record
    return public | {"text": {**record["text"], "content": None}}


def _without_surfaces(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_surfaces(inner) for inner in value]
    if isinstance(value, dict):
        span = value.keys() >= {"start", "end"}
        return {name: _without_surfaces(inner) for name, inner in value.items() if not (span and name == "surface")}
    return value


def check_row(row: Json, place: Place, layer: Layer, validator: jsonschema_rs.Draft202012Validator) -> list[Problem]:
    """All problems of one row of a corpus-level table."""
    found: list[Problem] = []

    def report(rule: str | SchemaRule, steps: Steps, **values: Any) -> None:
        assert isinstance(rule, str)
        found.append(problem(rule, place.at(pointer(steps)), **values))

    known = [f.path[0] for f in layer.fields if not f.derive]
    small = len(canonical_record(row)) <= LIST_ALL_BYTES
    shape_problems(row, validator, lambda _: known, True, report, all_of_them=small)
    if not found:
        check_numbers(layer, row, [], report)
    return found


# ---- shape ---------------------------------------------------------------------------------------------------


def shape_problems(
    record: Json,
    validator: jsonschema_rs.Draft202012Validator,
    known_fields: Callable[[Steps], Iterable[str]],
    quote: bool,
    report: Report,
    *,
    all_of_them: bool = True,
) -> None:
    """Report what the JSON Schema has against a record, each fault under its rule; only the first if not `all_of_them`."""
    try:
        if all_of_them:
            for fault in validator.iter_errors(record):
                _shape_problem(fault, known_fields, quote, report)
        else:
            validator.validate(record)
    except jsonschema_rs.ValidationError as fault:
        _shape_problem(fault, known_fields, quote, report)
        report("too-many", [])
    except ValueError:  # the validator follows 255 levels
        report("json-syntax", [], fault="brackets are nested too deeply")


def _shape_problem(fault: Any, known_fields: Callable[[Steps], Iterable[str]], quote: bool, report: Report) -> None:
    steps: Steps = list(fault.instance_path)
    kind = type(fault.kind).__name__.rpartition("_")[2]
    found = _shown(fault.instance, quote)
    if kind == "AdditionalProperties":
        names = ", ".join(map(repr, fault.kind.unexpected)) if quote else f"({len(fault.kind.unexpected)} of them)"
        report("unknown-field", steps, found=names, known=", ".join(known_fields(steps)))
    elif kind == "Required":
        report("missing-field", steps, field=fault.kind.property)
    elif kind == "Type":
        types = fault.kind.types
        report("wrong-type", steps, found=found, expected=" or ".join(types))
    elif kind in {"Enum", "Constant"}:
        options = fault.kind.options if kind == "Enum" else [fault.kind.expected_value]
        report("unknown-label", steps, found=found, expected=", ".join(str(o) for o in options if o is not None))
    elif kind == "Format":
        report(FORMAT_RULES.get(fault.kind.format, "bad-value"), steps, says=f"is {found}", found=found)
    elif kind in _LIMITS:
        report("number-range", steps, found=found, limit=f"{_LIMITS[kind]} {fault.kind.limit}")
    else:
        report("bad-value", steps, says=_constraint(kind, fault.kind, found))


def _constraint(kind: str, detail: Any, found: str) -> str:
    if kind == "Not":
        return f"is {found}, which the schema excludes"
    if kind == "Pattern":
        return f"is {found}, which does not match {detail.pattern}"
    words = {
        "MinItems": "has too few items",
        "MaxItems": "has too many items",
        "MinLength": "is too short",
        "MaxLength": "is too long",
        "UniqueItems": "names the same item twice",
        "FalseSchema": "may not stand here",
    }
    return words.get(kind, f"is {found}, which the schema does not allow ({kind})")


def _shown(value: object, quote: bool) -> str:
    if isinstance(value, bool | int | float) or value is None:
        return kind_of(value) if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, str) and quote:
        return repr(value if len(value) <= 40 else value[:39] + "…")
    return kind_of(value)


# ---- text, keys, references ----------------------------------------------------------------------------------


def _text(record: Json, report: Report) -> None:
    said = record["text"]
    content = said.get("content")
    if content is None:
        for name in ("sha256", "n_code_points", "n_bytes"):
            if said.get(name) is None:
                report("text-missing", ["text", "content"], field=name)
        return
    if "\0" in content:
        report("text-nul", ["text", "content"], at=content.index("\0"))
    encoded = content.encode()
    digest = hashlib.sha256(encoded).hexdigest()
    if said.get("sha256") not in (None, digest):
        report("text-hash", ["text", "sha256"], found=said["sha256"][:12], expected=digest[:12])
    for name, unit, actual in (("n_code_points", "characters", len(content)), ("n_bytes", "bytes", len(encoded))):
        if said.get(name) not in (None, actual):
            report("text-length", ["text", name], found=said[name], expected=f"{actual} {unit}")


def _signature(record: Json, report: Report) -> None:
    """A stored signature is never made anew, so it is compared wherever its text is at hand."""
    said = record["text"]
    if said.get("minhash") is None:
        return
    made = stored(said["minhash"])
    if made is None:
        report("text-minhash", ["text", "minhash"], says="holds fewer or more numbers than it says")
        return
    name, signing, signature = made
    content = said.get("content")
    if content is not None and name == signing.name and signature != sign(content, signing):
        report("text-minhash", ["text", "minhash"], says="is not the signature of this text")


def _keys(record: Json, schemas: Schemas, quote: bool, report: Report) -> dict[str, set[str]]:
    keys: dict[str, set[str]] = {name: set() for name in schemas.layers}
    seen: dict[str, Steps] = {}
    for layer in schemas.layers.values():
        for index, item in enumerate(record.get(layer.name) or ()):
            steps: Steps = [layer.name, index, layer.key.name]
            key = item[layer.key.name]
            if key in seen:
                report("duplicate-id", steps, found=shown(key, quote), other=pointer(seen[key]))
            seen.setdefault(key, steps)
            keys[layer.name].add(key)
    return keys


def _references(
    layer: Layer,
    item: Json,
    steps: Steps,
    keys: Mapping[str, Set[str]],
    table_keys: Mapping[str, Set[str]],
    quote: bool,
    report: Report,
) -> None:
    for field in layer.references:
        value = field.value_of(item)
        many = isinstance(value, list)
        known = keys.get(field.ref or "", table_keys.get(field.ref or "", set()))
        for index, key in enumerate(value if isinstance(value, list) else [value]):
            if key is not None and key not in known:
                others = [name for name, there in keys.items() if key in there]
                elsewhere = f"; it is an item of {others[0]!r}" if others else ""
                at: Steps = [*steps, *field.path, index] if many else [*steps, *field.path]
                report("reference", at, found=shown(key, quote), layer=field.ref, elsewhere=elsewhere)


def check_cycles(record: Json, schemas: Schemas, quote: bool, report: Report) -> None:
    """Report the references that come back to where they began."""
    for layer in schemas.layers.values():
        items = record.get(layer.name) or []
        for field in layer.fields:
            if not field.schema.get("x-acyclic"):
                continue
            parents = {item[layer.key.name]: field.value_of(item) for item in items}
            cycles: dict[str, list[str]] = {}
            walked: dict[str, int] = {}  # every key, by the walk that met it first
            for number, start in enumerate(parents):
                walk, key = [], start
                while key is not None and key not in walked:
                    walked[key] = number
                    walk.append(key)
                    key = parents.get(key)
                if key is not None and walked[key] == number:
                    cycle = walk[walk.index(key) :]
                    cycles |= dict.fromkeys(cycle, cycle)
            for index, item in enumerate(items):
                if cycle := cycles.get(own := item[layer.key.name], []):
                    at = cycle.index(own)
                    chain = [*cycle[at:], *cycle[:at], own]
                    listed = chain if len(chain) <= 12 else [*chain[:6], "…", *chain[-5:]]
                    told = " -> ".join(k if k == "…" else shown(k, quote) for k in listed)
                    report("reference-cycle", [layer.name, index, *field.path], cycle=told)


def check_numbers(layer: Layer, item: Json, steps: Steps, report: Report) -> None:
    """Report the numbers of an item that its columns do not keep as they are written."""
    for field in layer.numeric:
        value = field.value_of(item)
        if value is None:
            continue
        if "x-decimal" in field.schema:
            digits, scale = field.schema["x-decimal"]
            if not fits(decimal_of(value), digits, scale):
                reason = f"the column keeps {digits} digits, {scale} of them behind the point"
                report("number-precision", [*steps, *field.path], found=value, reason=reason)
        elif "double" in (kind := str(field.type)):
            for at, found in _scalars(value, [*steps, *field.path]):
                if isinstance(found, int) and abs(found) > 2**53:  # a float holds no longer integer exactly
                    report("number-precision", at, found=found, reason="a column of floats keeps 15 digits")
        elif "int64" in kind:
            for at, found in _scalars(value, [*steps, *field.path]):
                if isinstance(found, float):  # to JSON Schema 1.0 is an integer
                    report("wrong-type", at, found=found, expected="a whole number, written without a point")


def _scalars(value: Any, steps: Steps) -> Iterator[tuple[Steps, Any]]:
    if not isinstance(value, list | dict):
        yield steps, value
    elif isinstance(value, list | dict):
        for step, inner in enumerate(value) if isinstance(value, list) else value.items():
            yield from _scalars(inner, [*steps, step])


def fits(number: Decimal, digits: int, scale: int) -> bool:
    """Whether the column keeps the number as it was written."""
    _, figures, exponent = number.normalize(EXACT).as_tuple()
    whole = len(figures) + int(exponent)
    return -int(exponent) <= scale and whole <= digits - scale


EXACT = Context(prec=100)
"""Decimal arithmetic that rounds nothing that fits a column."""


def decimal_of(value: float) -> Decimal:
    """The decimal that a JSON number spells: floats by their shortest form, so 0.1 is 0.1."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


# ---- spans ---------------------------------------------------------------------------------------------------


def span_problems(spans: list[tuple[Steps, Json]], text: str | None, length: int | None, quote: bool, report: Report) -> None:
    """Report what is wrong with the spans of one list: order, bounds, edges, surfaces."""
    previous = 0
    for at, span in spans:
        start, end = span["start"], span["end"]
        if isinstance(start, float) or isinstance(end, float):
            report("wrong-type", at, found=f"[{start}, {end})", expected="whole numbers, written without a point")
            continue
        for rule, where, values in _span_faults(at, span, previous, text, length, quote):
            seen = snippet(text, start, end) if text is not None and quote else None
            report(rule, where, snippet=seen, **values)
        if start < end and (length is None or end <= length):
            previous = end


def _span_faults(
    at: Steps, span: Json, previous: int, text: str | None, length: int | None, quote: bool
) -> Iterator[tuple[str, Steps, dict[str, Any]]]:
    """What is wrong with one span, after one that ends at `previous`: the rule, the place, what fills the message."""
    start, end = span["start"], span["end"]
    if start >= end:
        yield "span-order", at, {"start": start, "end": end, "fault": "empty" if start == end else "reversed"}
        return
    if length is not None and end > length:
        yield "span-inside-text", [*at, "end"], {"end": end, "length": length}
        return
    if start < previous:
        yield "span-sorted", [*at, "start"], {"start": start, "previous": previous}
    if text is None:
        return
    words = text[start:end]
    surface = span.get("surface")
    if surface is not None and surface != words:
        says = f"{surface!r:.80} but the text has {words!r:.80}" if quote else "other words than the text"
        advice = _surface_advice(text, surface, start, end)
        yield "span-surface", [*at, "surface"], {"says": says, "advice": advice}
    elif words != words.strip():
        yield "span-edge", at, {"side": "begins" if words[:1].isspace() else "ends"}


def snippet(text: str, start: int, end: int) -> str:
    """Two lines: the text around a span, and carets below it.

    Line ends and other characters that would disturb a terminal (controls, bidi marks) are shown as a dot.
    """
    from rich.cells import cell_len

    start, end = sorted((min(start, len(text)), min(end, len(text))))
    left, right = max(0, start - _SNIPPET_SIDE), min(len(text), end + _SNIPPET_SIDE)
    before, inside, after = (_printable(text[a:b]) for a, b in ((left, start), (start, end), (end, right)))
    if len(inside) > 2 * _SNIPPET_SIDE:
        inside = f"{inside[:_SNIPPET_SIDE]}…{inside[-_SNIPPET_SIDE:]}"
    before = ("…" if left else "") + before
    after += "…" if right < len(text) else ""
    return f"    {before}{inside}{after}\n    {' ' * cell_len(before)}{'^' * max(1, cell_len(inside))}"


def _printable(text: str) -> str:
    return "".join("·" if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} else c for c in text)


def _surface_advice(text: str, surface: str, start: int, end: int) -> str:
    """In which other counting the span would be right, if in one of the usual ones."""
    utf16 = text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le", "replace")
    utf8 = text.encode()[start:end].decode("utf-8", "replace")
    nfc = unicodedata.normalize("NFC", text)[start:end]
    crlf = text.replace("\n", "\r\n")[start:end]
    bare = text.replace("\r\n", "\n")[start:end]
    for words, cause in (
        (utf16, "these offsets count UTF-16 code units (Java, JavaScript); convert them to code points"),
        (utf8, "these offsets count UTF-8 bytes; convert them to code points"),
        (nfc, "these offsets belong to the text after NFC normalisation; count in the text as stored"),
        (bare, "these offsets belong to the text after CRLF became LF; count in the text as stored"),
        (crlf, "these offsets belong to a text with CRLF line ends; count in the text as stored"),
    ):
        if words == surface:
            return f"The span would be right if counted otherwise: {cause}."
    return "Count again in Unicode code points, or correct the surface."


def _within(record: Json, schemas: Schemas, quote: bool, report: Report) -> None:
    for layer in schemas.layers.values():
        for field in layer.fields:
            rule = field.schema.get("x-within")
            if not rule:
                continue
            via = layer[rule["via"]] if rule.get("via") else None
            outer_layer = schemas.layers[via.ref] if via is not None and via.ref else layer
            outer_field = outer_layer[rule["spans"]]
            by_key = {item[outer_layer.key.name]: item for item in record.get(outer_layer.name) or ()}
            for index, item in enumerate(record.get(layer.name) or ()):
                key = via.value_of(item) if via else item[layer.key.name]
                if key is None:
                    continue
                outer = outer_field.value_of(by_key[key])
                room = [outer] if isinstance(outer, dict) else outer or []
                for spans in span_lists(field, field.value_of(item), [layer.name, index, *field.path]):
                    for at, span in spans:
                        if not any(o["start"] <= span["start"] and span["end"] <= o["end"] for o in room):
                            where = f"{rule['spans']} of {shown(key, quote)}"
                            report("span-within", at, start=span["start"], end=span["end"], outer=where)
