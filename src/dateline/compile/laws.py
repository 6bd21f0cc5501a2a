"""The laws that schemas state about items, and about an item and those it refers to.

A law is written once, beside the fields it speaks of (`x-rules`, `x-ascending`, `x-outside`, ...; see dateline.schema).
They are decided only for records whose shape, keys, references and spans are right. Where the text is withheld no message quotes
the record's strings, but for labels and for ids that cannot be words of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from dateline.compile.read import Steps, kind_of
from dateline.leaks import shown
from dateline.schema import Field, Json, Layer, Schemas

Report = Callable[..., None]
"""Takes a rule (an id, or a SchemaRule), the steps to the place, and what the rule's message is filled with."""

QUOTATION_MARKS = '"“”„«»「」『』'


ByKey = Mapping[str, Mapping[str, Json]]
"""The items of a record by their layer and key."""


def check_laws(record: Json, schemas: Schemas, quote: bool, report: Report) -> None:
    """Report every law that the record breaks, layer by layer; `quote` says whether its strings may be quoted."""
    by_key = {name: {i[layer.key.name]: i for i in record.get(name) or ()} for name, layer in schemas.layers.items()}
    check_rules(schemas.article, record, [], report)
    for layer in schemas.layers.values():
        items = record.get(layer.name) or []
        bound = [f for f in layer.fields if f.schema.keys() & {"x-outside", "x-target", "x-present"}]
        for index, item in enumerate(items):
            steps: Steps = [layer.name, index]
            check_rules(layer, item, steps, report)
            _ascending(layer, item, steps, report)
            for field in bound:
                check_outside(layer, field, item, steps, report)
                _target(field, item, steps, by_key, schemas, quote, report)
                _present(layer, field, item, steps, by_key, schemas, quote, report)
        for field in layer.fields:
            if "x-depth" in field.schema:
                check_depth(layer, field, items, quote, report)
            if "x-quotes" in field.schema:
                check_quotes(layer, field, items, record["text"].get("content"), report)
        if "x-covers" in layer.schema:
            check_covers(layer, items, record["text"].get("content"), report)


def span_lists(field: Field, value: Any, steps: Steps) -> Iterator[list[tuple[Steps, Json]]]:
    """The lists of spans that a field's value holds, each span with its own pointer."""
    if not field.span or value is None:
        return
    if field.span == "one":
        yield [(steps, value)]
    elif field.span == "many":
        yield [([*steps, i], span) for i, span in enumerate(value)]
    else:
        for outer, spans in enumerate(value):
            yield [([*steps, outer, i], span) for i, span in enumerate(spans)]


def check_rules(layer: Layer, item: Json, steps: Steps, report: Report) -> None:
    """Report the laws of `x-rules` that an item breaks."""
    for rule in layer.rules:
        kept = rule.validator.is_valid(item)
        if kept and rule.equal and (rule.applies is None or rule.applies.is_valid(item)):
            kept = len({layer[name].value_of(item) for name in rule.equal}) == 1
        if not kept:
            report(rule, steps)


def _ascending(layer: Layer, item: Json, steps: Steps, report: Report) -> None:
    for names in layer.schema.get("x-ascending", ()):
        given = [value for name in names if (value := layer[name].value_of(item)) is not None]
        if any(a > b for a, b in pairwise(given)):
            report("ascending", steps, fields=", ".join(names))


def check_outside(layer: Layer, field: Field, item: Json, steps: Steps, report: Report) -> None:
    """Report the spans of a field that share a character with those of the fields that `x-outside` names."""
    for name in field.schema.get("x-outside", ()):
        others = [s for spans in span_lists(layer[name], layer[name].value_of(item), []) for _, s in spans]
        for spans in span_lists(field, field.value_of(item), [*steps, *field.path]):
            for at, span in spans:
                if any(span["start"] < o["end"] and o["start"] < span["end"] for o in others):
                    report("span-outside", at, start=span["start"], end=span["end"], other=name)


def _target(field: Field, item: Json, steps: Steps, by_key: ByKey, schemas: Schemas, quote: bool, report: Report) -> None:
    law = field.schema.get("x-target")
    value = field.value_of(item)
    if not law or value is None or field.ref is None or field.ref not in schemas.layers:
        return
    decided = schemas.layers[field.ref][law["field"]]
    for key in value if isinstance(value, list) else [value]:
        if key is None:
            continue
        there = decided.value_of(by_key[field.ref][key])
        if there not in law["values"]:
            report(
                "target", [*steps, *field.path], found=shown(key, quote), field=law["field"],
                value=_told(decided, there, quote), expected=", ".join(law["values"]),
            )  # fmt: skip


def _present(
    layer: Layer, field: Field, item: Json, steps: Steps, by_key: ByKey, schemas: Schemas, quote: bool, report: Report
) -> None:
    law = field.schema.get("x-present")
    if not law or (key := layer[law["via"]].value_of(item)) is None:
        return
    other = schemas.layers[layer[law["via"]].ref or ""]
    decided = other[law["field"]]
    there = decided.value_of(by_key[other.name][key])
    value = field.value_of(item)
    if (value is not None) != (there in law["values"]):
        report(
            "present", [*steps, *field.path], found=_told(field, value, quote), other=other.name, key=shown(key, quote),
            field=law["field"], value=_told(decided, there, quote), expected=", ".join(law["values"]),
        )  # fmt: skip


def _told(field: Field, value: Any, quote: bool) -> object:
    """A field's value as a message may show it: labels and numbers always, other strings where quoting is allowed."""
    if isinstance(value, list | dict) or (isinstance(value, str) and not quote and value not in (field.labels or ())):
        return kind_of(value)
    return "null" if value is None else value


def check_depth(layer: Layer, field: Field, items: list[Json], quote: bool, report: Report) -> None:
    """Report the items of a record whose depth is not their parent's and one."""
    parent_of = layer[field.schema["x-depth"]]
    depth = {item[layer.key.name]: field.value_of(item) for item in items}
    for index, item in enumerate(items):
        parent = parent_of.value_of(item)
        above = 0 if parent is None else depth[parent]
        if above is None:  # the parent's own is missing, which is told there
            continue
        expected = above + 1
        if field.value_of(item) != expected:
            reason = "it has no parent" if parent is None else f"its parent {shown(parent, quote)!r} is {depth[parent]}"
            report("depth", [layer.name, index, *field.path], found=field.value_of(item), expected=expected, reason=reason)


def check_quotes(layer: Layer, field: Field, items: list[Json], text: str | None, report: Report) -> None:
    """Report how quotation marks stand against the label.

    Labels under `closed` want each piece to begin and end with a mark, under `some` at least one mark, under `none` no mark
    but those inside the spans of items nested in this one. Without the text nothing can be said.
    """
    law = field.schema["x-quotes"]
    if text is None:
        return
    spans_of, parent_of = layer[law["spans"]], layer[law["nested"]]
    inner: dict[str, list[Json]] = {}
    for item in items:
        if (parent := parent_of.value_of(item)) is not None:
            inner.setdefault(parent, []).extend(spans_of.value_of(item) or [])
    for index, item in enumerate(items):
        label = field.value_of(item)
        pieces = [text[s["start"] : s["end"]] for s in spans_of.value_of(item) or []]
        marks = [at for s in spans_of.value_of(item) or [] for at in range(s["start"], s["end"]) if text[at] in QUOTATION_MARKS]
        nested = inner.get(item[layer.key.name], [])
        own = [at for at in marks if not any(s["start"] <= at < s["end"] for s in nested)]
        closed = all(len(p) > 1 and p[0] in QUOTATION_MARKS and p[-1] in QUOTATION_MARKS for p in pieces)
        if label in law.get("closed", ()) and not closed:
            reason = f"a piece of its {spans_of.name} does not begin and end with a quotation mark"
        elif label in law.get("some", ()) and not marks:
            reason = f"its {spans_of.name} hold no quotation mark"
        elif label in law.get("none", ()) and own:
            reason = f"its {spans_of.name} hold a quotation mark of their own at {own[0]}"
        else:
            continue
        report("quotation-marks", [layer.name, index, *field.path], found=label, reason=reason)


def check_covers(layer: Layer, items: list[Json], text: str | None, report: Report) -> None:
    """Report the first stretch of a text that no item covers."""
    law = layer.schema["x-covers"]
    if text is None or not items:
        return
    bare = bytearray(not c.isspace() for c in text)
    for item in items:
        if layer[law["field"]].value_of(item) in law["values"]:
            for field in layer.fields:
                for spans in span_lists(field, field.value_of(item), []):
                    for _, span in spans:
                        bare[span["start"] : span["end"]] = bytes(span["end"] - span["start"])
    start = bare.find(1)
    if start >= 0:
        end = bare.find(0, start)
        report(
            "text-covered",
            [layer.name],
            start=start,
            end=end if end >= 0 else len(text),
            field=law["field"],
            values=", ".join(law["values"]),
        )
