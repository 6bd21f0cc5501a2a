"""Faults to put into good records, for every rule that one record decides; edits that break nothing; and edits at random.

A fault changes a record in place, or the bytes of its line, and raises Unfit where the record offers no place for it.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from oracle.bases import Json, flat, made, piece, varied
from oracle.judge import KEY_OF, LAYERS, MARKS, REFERENCES, SPANS

Fault = Callable[[Json, random.Random], None]
RawFault = Callable[[bytes, random.Random], bytes]
FAULTS: dict[str, list[Fault]] = {}
RAW_FAULTS: dict[str, list[RawFault]] = {}
NEUTRAL: list[Fault] = []
RAW_NEUTRAL: list[RawFault] = []

LEFT_TO_TWINS = {
    "compressed": "a whole file",
    "record-size": "a record of 64 MiB",
    "duplicate-article": "two records",
    "supersedes": "all records",
    "split-given": "the project's settings",
    "split-assigned": "the project's settings",
    "minhash-made": "the project's settings",
    "rights-private": "the project's settings",
    "released-missing": "all records and the ledger",
    "retracted": "all records and the ledger",
    "split-bridge": "all records and the ledger",
    "split-leak": "two records",
    "expansion": "a whole file",
    "too-many": "some 200 faults",
    "text-minhash": "signatures, which only their library can tell",
    "set-layer": "a layer whose items name their set, which the flagship has none of",
    "set-unnamed": "a layer whose items name their set, which the flagship has none of",
    "set-apart": "a layer whose items name their set, which the flagship has none of",
}
"""Rules of stage check that one small line cannot break, and what decides them; tests/seeds has their twins."""


class Unfit(Exception):
    """The record has no place for this fault."""


def fault(rule: str) -> Callable[[Fault], Fault]:
    def note(inject: Fault) -> Fault:
        FAULTS.setdefault(rule, []).append(inject)
        return inject

    return note


def raw_fault(rule: str) -> Callable[[RawFault], RawFault]:
    def note(inject: RawFault) -> RawFault:
        RAW_FAULTS.setdefault(rule, []).append(inject)
        return inject

    return note


def neutral(edit: Fault) -> Fault:
    NEUTRAL.append(edit)
    return edit


def raw_neutral(edit: RawFault) -> RawFault:
    RAW_NEUTRAL.append(edit)
    return edit


# ---- picking -------------------------------------------------------------------------------------------------


def one(rng: random.Random, candidates: list[Any]) -> Any:
    if not candidates:
        raise Unfit
    return rng.choice(candidates)


def items(record: Json, layer: str) -> list[Json]:
    return record.get(layer) or []


def item(record: Json, rng: random.Random, layer: str, fits: Callable[[Json], Any] = lambda _: True) -> Json:
    found: Json = one(rng, [i for i in items(record, layer) if fits(i)])
    return found


def any_item(record: Json, rng: random.Random) -> tuple[str, Json]:
    found: tuple[str, Json] = one(rng, [(layer, i) for layer in LAYERS for i in items(record, layer)])
    return found


def all_spans(record: Json) -> list[Json]:
    return [s for layer, fields in SPANS.items() for i in items(record, layer) for f in fields for s in flat(i.get(f))]


def loose_spans(record: Json, more: int = 1) -> list[list[Json]]:
    """Lists of spans whose change touches no other rule: those of mentions, times, triggers, regions."""
    where = (("mentions", "spans"), ("times", "spans"), ("events", "trigger_spans"), ("coverage", "regions"))
    return [i[field] for layer, field in where for i in items(record, layer) if len(i.get(field) or ()) >= more]


def text_of(record: Json) -> str:
    content = record["text"].get("content")
    if content is None:
        raise Unfit
    return str(content)


def length_of(record: Json) -> int:
    content = record["text"].get("content")
    return int(record["text"]["n_code_points"]) if content is None else len(content)


def objects(record: Json) -> list[Json]:
    """Every object in the record, with what is inside it."""
    inner = [o for layer in LAYERS for i in items(record, layer) for o in (i, *(s for v in i.values() for s in nested(v)))]
    return [record, record["text"], record["rights"], *inner]


def nested(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from nested(part)


# ---- bytes ---------------------------------------------------------------------------------------------------


@raw_fault("json-syntax")
def cut_short(raw: bytes, rng: random.Random) -> bytes:
    # cut inside the outer braces, at a place that leaves the letters whole
    return raw[: rng.choice([m.start() for m in re.finditer(rb'[,:{}\[\]"]', raw)][1:])]


@raw_fault("json-syntax")
def comma_too_many_or_few(raw: bytes, rng: random.Random) -> bytes:
    at = rng.choice([m.start() for m in re.finditer(rb'(?<=[}\]]), "', raw)])
    return raw[:at] + rng.choice((b",, ", b" ", b"; ")) + raw[at + 1 :]


@raw_fault("json-syntax")
def trailing(raw: bytes, rng: random.Random) -> bytes:
    return raw.rstrip() + rng.choice((b"}", b",", b" {}", b"\x00", b"\x0c", b"x"))


@raw_fault("json-syntax")
def unknown_word(raw: bytes, rng: random.Random) -> bytes:
    return swap(
        raw,
        rb"(?<=: )(true|false|null|\d+)(?=[,}])",
        rng.choice((b"True", b"nil", b"01", b"+1", b"1.", b".5", b"0x1", b"'a'")),
        rng,
    )


@raw_fault("json-syntax")
def letter_that_must_be_escaped(raw: bytes, rng: random.Random) -> bytes:
    at = one(rng, [m.end() for m in re.finditer(rb': "', raw)])
    return raw[:at] + rng.choice((b"\t", b"\n", b"\x00", b"\x1f", b"\\x41", b"\\u12G4", b"\\ ")) + raw[at:]


@raw_fault("json-syntax")
def nested_too_deeply(raw: bytes, rng: random.Random) -> bytes:
    opened = rng.choice((b"[", b'{"a":')) * 100_000
    return rng.choice((opened, raw.rstrip()[:-1] + b', "deep": ' + opened))


@raw_fault("utf8")
def not_utf8(raw: bytes, rng: random.Random) -> bytes:
    at = rng.choice([m.end() for m in re.finditer(rb'"', raw)])
    bad = (b"\xff", b"\xe9", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80", b"\xe2\x80")
    return raw[:at] + rng.choice(bad) + raw[at:]


@raw_fault("utf8")
def another_encoding(raw: bytes, rng: random.Random) -> bytes:
    name = rng.choice(("utf-16", "utf-32"))
    return raw.decode().encode(name)


@raw_fault("bom")
def byte_order_mark(raw: bytes, rng: random.Random) -> bytes:
    return b"\xef\xbb\xbf" + rng.choice((raw, b" " + raw, raw[1:]))


@raw_fault("lone-surrogate")
def lone_surrogate(raw: bytes, rng: random.Random) -> bytes:
    at = one(rng, [m.end() for m in re.finditer(rb': "', raw)])
    return raw[:at] + rng.choice((rb"\ud800", rb"\uDFFF", rb"\udc00\ud800", rb"\ud83dx", rb"\ud83d\u0041")) + raw[at:]


@raw_fault("lone-surrogate")
def lone_surrogate_in_a_name(raw: bytes, rng: random.Random) -> bytes:
    return b'{"' + rng.choice((rb"\ud800", rb"a\udead")) + b'": 1, ' + raw[1:]


@raw_fault("duplicate-key")
def key_twice(raw: bytes, rng: random.Random) -> bytes:
    found = one(rng, list(re.finditer(rb'(?<=[{,])\s*("[a-z_]+"): ("[a-z]*"|\d+|true|null)(?=[,}])', raw)))
    again = rng.choice((found[0], found[1] + b": 0", found[1].replace(b"_", rb"\u005f") + b": null"))
    return bytes(raw[: found.end()] + b", " + again + raw[found.end() :])


@raw_fault("number-finite")
def not_finite(raw: bytes, rng: random.Random) -> bytes:
    number = rng.choice((b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1E+999", b"1" + b"0" * 400 + b".5"))
    return swap(raw, rb"(?<=: )\d+(?=[,}])", number, rng)


@raw_fault("json-object")
def no_object(raw: bytes, rng: random.Random) -> bytes:
    return rng.choice((b"[" + raw.rstrip() + b"]", b"null", b"17", b'"a record"', b"[]", b" true ", b"-0.5e1"))


def swap(raw: bytes, pattern: bytes, new: bytes, rng: random.Random) -> bytes:
    found = one(rng, list(re.finditer(pattern, raw)))
    return raw[: found.start()] + new + raw[found.end() :]


# ---- shape ---------------------------------------------------------------------------------------------------


@fault("unknown-field")
def unknown_field(record: Json, rng: random.Random) -> None:
    rng.choice(objects(record))[rng.choice(("colour", "Start", "ends", "", "span ", "\u0441ontent"))] = rng.choice(
        (1, None, "x", {})
    )


@fault("unknown-field")
def computed_field(record: Json, rng: random.Random) -> None:
    layer, name = rng.choice((("events", "quad_class"), ("factuality", "value"), ("attributions", "illocution")))
    item(record, rng, layer)[name] = rng.choice((None, "ASSERTIVE", "Uu", "VERBAL_CONFLICT"))


REQUIRED = {
    "entities": ("entity_id", "type", "kb_status"), "mentions": ("spans", "entity_id", "mention_type"),
    "times": ("spans", "value", "temporal_function"), "quantities": ("comparator", "measure", "spans", "change"),
    "attributions": ("source_spans", "level", "quote_type", "determinacy"), "events": ("event_type", "trigger_spans"),
    "factuality": ("event_id", "certainty"), "claims": ("claim_id", "is_authorial", "polarity"), "segments": ("kind", "spans"),
    "coverage": ("layer", "status"), "annotation_sets": ("layer", "annotator_type"),
}  # fmt: skip


@fault("missing-field")
def missing_in_item(record: Json, rng: random.Random) -> None:
    layer = rng.choice(list(REQUIRED))
    del item(record, rng, layer)[rng.choice(REQUIRED[layer])]


@fault("missing-field")
def missing_elsewhere(record: Json, rng: random.Random) -> None:
    if rng.random() < 0.5:
        del one(rng, all_spans(record))[rng.choice(("start", "end"))]
    else:
        del record[rng.choice(("article_id", "schema_version", "revision", "published", "language", "group", "rights", "text"))]


@fault("wrong-type")
def wrong_type(record: Json, rng: random.Random) -> None:
    holder = rng.choice(objects(record))
    name = one(rng, list(holder))
    value = holder[name]
    junk = [1.5, True, "7", [], {}, [[]]]
    if isinstance(value, list):
        junk = [None, 3, "Ana", {}, {"start": 0}]
    elif isinstance(value, dict):
        junk = [3, "Ana", [], False, [0, 3]]
    elif isinstance(value, bool):
        junk = [0, 1, "true", []]
    elif isinstance(value, str):
        junk = [1, False, [value], {}]
    elif isinstance(value, int):
        junk = [str(value), [value], False, {}]
    holder[name] = rng.choice(junk)


@fault("wrong-type")
def no_whole_number(record: Json, rng: random.Random) -> None:
    one(rng, all_spans(record))[rng.choice(("start", "end"))] = rng.choice((0.5, 1.25, "0", None, True, 1e-9))


@fault("wrong-type")
def no_span(record: Json, rng: random.Random) -> None:
    item(record, rng, "quantities")["number_span"] = rng.choice(([], "50", 7, False, [{"start": 0, "end": 1}]))


LABELS = {
    "segments": ("kind",), "entities": ("type", "entity_class", "kb_status", "kb"), "mentions": ("mention_type", "gpe_role"),
    "times": ("timex_type", "mod", "function_in_document"), "quantities": ("comparator", "quantity_kind", "change", "aggregation",
    "as_of_basis", "unit_system", "hedge_type"), "attributions": ("source_type", "quote_type", "attitude", "medium",
    "scopal_polarity", "determinacy", "as_of_basis"), "events": ("event_scheme", "event_type", "timeml_class"),
    "factuality": ("certainty", "polarity"), "claims": ("claim_type", "modality", "certainty", "polarity"),
    "coverage": ("status",), "annotation_sets": ("annotator_type", "status"),
}  # fmt: skip


@fault("unknown-label")
def unknown_label(record: Json, rng: random.Random) -> None:
    layer = rng.choice(list(LABELS))
    item(record, rng, layer)[rng.choice(LABELS[layer])] = rng.choice(("", "gpe", "NONE ", "MAYBE", "CT+", "=", "per", "Ｕ"))


@fault("unknown-label")
def unknown_label_elsewhere(record: Json, rng: random.Random) -> None:
    name, value = rng.choice((("genre", "blog"), ("origin", "wire"), ("schema_version", "0.1.0"), ("schema_version", "0.2")))
    record[name] = value


@fault("unknown-label")
def unknown_label_in_a_list(record: Json, rng: random.Random) -> None:
    item(record, rng, "events")["auxiliary"] = rng.choice((["past"], ["future", ""], ["negation", "NEGATION"]))


@fault("number-range")
def number_out_of_range(record: Json, rng: random.Random) -> None:
    if rng.random() < 0.6:
        one(rng, all_spans(record))[rng.choice(("start", "end"))] = rng.choice((-1, 2**31, 2**63, -(10**30), 10**400))
    else:
        choice = rng.choice(("revision", "text", "level"))
        if choice == "revision":
            record["revision"] = rng.choice((0, -1, 2**63, 10**30))
        elif choice == "text":
            record["text"][rng.choice(("n_code_points", "n_bytes"))] = rng.choice((0, -5, 2**64))
        else:
            item(record, rng, "attributions")["level"] = rng.choice((0, 10, -1, 10**19))


NO_DATES = ("2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "20260101", "2026-01-01T00:00:00Z", "yesterday", "", "2026-01",
            "0000-01-01", "2026-W01-1", "2026-01-01\n", " 2026-01-01", "-2026-01-01", "１９９９-01-01", "1900-02-29")  # fmt: skip


@fault("date")
def no_date(record: Json, rng: random.Random) -> None:
    holder, name = one(rng, [
        (record, "published"), (record.setdefault("source", {}), "retrieved_at"),
        *((t, n) for t in items(record, "times") for n in ("earliest", "latest")),
        *((s, "created") for s in items(record, "annotation_sets")),
    ])  # fmt: skip
    holder[name] = rng.choice(NO_DATES)


@fault("edtf")
def no_edtf(record: Json, rng: random.Random) -> None:
    item(record, rng, "times")["edtf"] = rng.choice(
        (
            "",
            "soon",
            "2026-13",
            "2026-02-30",
            "/",
            "2026 -01",
            "2026-01-01/2026-02-31",
            "26",
            "2026-1-1",
            "2026-01-01 ",
            "20260101",
        )
    )


@fault("language-tag")
def no_language(record: Json, rng: random.Random) -> None:
    record["language"] = rng.choice(
        ("", "english!", "en_US", "en\n", "e", "en-", "-en", "en--GB", "xx", "en GB", "deutsch-sprachig")
    )


@fault("country-code")
def no_country(record: Json, rng: random.Random) -> None:
    item(record, rng, "entities")["iso3166_1"] = rng.choice(("XK", "EU", "UK", "ZZ", "AA", "SU"))


@fault("license-expression")
def no_licence(record: Json, rng: random.Random) -> None:
    record["rights"][rng.choice(("text_license", "annotation_license"))] = rng.choice(
        ("", "CC", "CC BY 4.0", "free", "MIT OR", "(MIT", "MIT)(", "LicenseRef-", "MIT\n", " MIT", "CC-BY-4.0; MIT", "©")
    )


@fault("bad-value")
def bad_id(record: Json, rng: random.Random) -> None:
    layer, there = any_item(record, rng)
    if layer == "coverage":
        raise Unfit
    there[KEY_OF[layer]] = rng.choice(("", "7", "../e1", "e1 ", "e1\n", "E1", "e-1", "é1", "x")) + (
        "/" if layer == "annotation_sets" else ""
    )


@fault("bad-value")
def bad_article_id(record: Json, rng: random.Random) -> None:
    good = record["article_id"]
    record["article_id"] = rng.choice(
        ("", "../" + good, good + "\n", good.upper(), good[:-1], good + "0", "a-2026-1", "\u202e" + good)
    )


@fault("bad-value")
def too_few_or_many(record: Json, rng: random.Random) -> None:
    choice = rng.choice(("mentions", "segments", "attributions", "events"))
    there = item(record, rng, choice)
    if choice == "segments":
        there["spans"] = rng.choice(([], [there["spans"][0], {"start": 0, "end": 1}]))
    else:
        there[{"mentions": "spans", "attributions": "content_spans", "events": "trigger_spans"}[choice]] = []


@fault("bad-value")
def twice_in_a_list(record: Json, rng: random.Random) -> None:
    holder, name = one(rng, [
        (i, name)
        for layer in REFERENCES for i in items(record, layer) for name in REFERENCES[layer]
        if isinstance(i.get(name), list) and i[name]
    ])  # fmt: skip
    holder[name].append(rng.choice(holder[name]))


@fault("bad-value")
def bad_pattern(record: Json, rng: random.Random) -> None:
    layer, name, values = rng.choice((
        ("times", "value", ("", "Monday", "2026-1-1", "2026-01-01\n", "P1X", "26-W1", "T25H", "past_ref", "2026-01-01TX")),
        ("entities", "kb_id", ("Q0", "q12", "12", "", "Q12 ", "Q1a")),
        ("entities", "iso3166_1", ("kr", "KOR", "", "K", "K R")),
        ("mentions", "literal_kb_id", ("Q0", "Moscow", "Q")),
        ("claims", "estimand_id", ("", "Boats-left", "a--b", "-a", "a b")),
        ("claims", "parent_estimand_id", ("", "A", "a-", "a_b")),
    ))  # fmt: skip
    item(record, rng, layer)[name] = rng.choice(values)


@fault("bad-value")
def bad_article_field(record: Json, rng: random.Random) -> None:
    record.update(rng.choice(({"group": ""}, {"split": "Train"}, {"split": ""}, {"split": "../x"}, {"split": "train\n"})))
    if rng.random() < 0.4:
        record["text"]["sha256"] = rng.choice(("", "0" * 63, "A" * 64, "g" * 64))


# ---- text, keys, references ----------------------------------------------------------------------------------


@fault("number-precision")
def too_precise(record: Json, rng: random.Random) -> None:
    numbers = (0.1234567891, 1e-10, 10**29, -(10**29), 10**30, 10**400, 1e29, 1.00000000001, 5e-324, 2.5e300)
    item(record, rng, "quantities")[rng.choice(("value", "low", "high", "rounding_unit"))] = rng.choice(numbers)


@raw_fault("number-precision")
def too_precise_for_a_double(raw: bytes, rng: random.Random) -> bytes:
    numbers = (b"0.10000000000000000001", b"12345678901234567890.1234567891", b"1e-400", b"3.00000000000000000000000000001",
               b"123456789012345678901234567890.5")  # fmt: skip
    return swap_rounding(raw, rng.choice(numbers), rng)


def swap_rounding(raw: bytes, number: bytes, rng: random.Random) -> bytes:
    if b'"rounding_unit": ' in raw:
        return swap(raw, rb'(?<="rounding_unit": )[^,}]+', number, rng)
    return swap(raw, rb'(?<=[{ ])"quantity_id": ', b'"rounding_unit": ' + number + b', "quantity_id": ', rng)


@fault("text-hash")
def wrong_hash(record: Json, rng: random.Random) -> None:
    text_of(record)
    said = record["text"].get("sha256") or "0" * 64
    record["text"]["sha256"] = rng.choice(
        ("0" * 64, said[::-1] if said != said[::-1] else "1" * 64, said[1:] + ("0" if said[0] != "0" else "1"))
    )


@fault("text-length")
def wrong_length(record: Json, rng: random.Random) -> None:
    text = text_of(record)
    name, size = rng.choice((("n_code_points", len(text)), ("n_bytes", len(text.encode()))))
    record["text"][name] = size + rng.choice((1, -1, 100))


@fault("text-length")
def another_unit(record: Json, rng: random.Random) -> None:
    text = text_of(record)
    size = {len(text), len(text.encode()), len(text.encode("utf-16-le")) // 2, len(text.replace("\n", "\r\n"))}
    record["text"]["n_code_points"] = one(rng, sorted(size - {len(text)}))


@fault("text-missing")
def no_text(record: Json, rng: random.Random) -> None:
    said = record["text"]
    kept = {k: v for k, v in said.items() if k != "content"}
    kept.pop(one(rng, ["sha256", "n_code_points", "n_bytes"]), None)
    record["text"] = rng.choice(({}, kept, {**kept, "content": None}))


@fault("text-nul")
def nul(record: Json, rng: random.Random) -> None:
    text = text_of(record)
    at = rng.randrange(len(text) + 1)
    record["text"] = {"content": text[:at] + "\0" + text[at:]}


@fault("duplicate-id")
def id_twice(record: Json, rng: random.Random) -> None:
    layer = one(rng, [layer for layer in LAYERS if len(items(record, layer)) > 1])
    a, b = rng.sample(items(record, layer), 2)
    a[KEY_OF[layer]] = b[KEY_OF[layer]]


@fault("duplicate-id")
def id_twice_across_layers(record: Json, rng: random.Random) -> None:
    layer, other = any_item(record, rng)
    if layer == "segments":
        raise Unfit
    # segments, sets and coverage are free in the choice of their ids
    target, field = rng.choice((("coverage", "layer"), ("annotation_sets", "annotation_set_id")))
    if target == layer:
        raise Unfit
    item(record, rng, target)[field] = other[KEY_OF[layer]]


@fault("duplicate-id")
def item_twice(record: Json, rng: random.Random) -> None:
    layer, there = any_item(record, rng)
    record[layer].append(copy.deepcopy(there))


@fault("reference")
def dangling(record: Json, rng: random.Random) -> None:
    layer = one(rng, [layer for layer in REFERENCES if items(record, layer)])
    there = item(record, rng, layer)
    name = rng.choice(list(REFERENCES[layer]))
    wrong = rng.choice(("e999", "", "E1", "e1 ", "zz", str(there[KEY_OF[layer]]) + "b"))
    there[name] = [*there.get(name, []), wrong] if name.endswith(("_ids", "_chain")) else wrong


@fault("reference")
def of_another_layer(record: Json, rng: random.Random) -> None:
    layer = one(rng, [layer for layer in REFERENCES if items(record, layer)])
    there = item(record, rng, layer)
    name = rng.choice(list(REFERENCES[layer]))
    others = [k for other in LAYERS if other != REFERENCES[layer][name] for i in items(record, other) if (k := i[KEY_OF[other]])]
    wrong = one(rng, others)
    there[name] = [wrong] if name.endswith(("_ids", "_chain")) else wrong


@fault("reference-cycle")
def cycle(record: Json, rng: random.Random) -> None:
    items_ = items(record, "attributions")
    chain = rng.sample(items_, min(len(items_), rng.choice((1, 1, 2, 3))))
    if not chain:
        raise Unfit
    for child, parent in zip(chain, [*chain[1:], chain[0]], strict=True):
        child["parent_attribution_id"] = parent["attribution_id"]
        child["content_spans"] = copy.deepcopy(chain[0]["content_spans"])


# ---- spans ---------------------------------------------------------------------------------------------------


@fault("span-order")
def reversed_or_empty(record: Json, rng: random.Random) -> None:
    span = one(rng, all_spans(record))
    start, end = span["start"], span["end"]
    span["start"], span["end"] = rng.choice(((end, start), (start, start), (end, end), (end + 5, end)))


@fault("span-inside-text")
def beyond_the_text(record: Json, rng: random.Random) -> None:
    span = one(rng, all_spans(record))
    span["end"] = length_of(record) + rng.choice((1, 2, 1000, 2**31 - 1 - length_of(record)))


@fault("span-inside-text")
def counted_in_bytes(record: Json, rng: random.Random) -> None:
    text = text_of(record)
    if len(text.encode()) == len(text):
        raise Unfit
    one(rng, all_spans(record))["end"] = len(text.encode())


@fault("span-sorted")
def unsorted(record: Json, rng: random.Random) -> None:
    spans = one(rng, loose_spans(record))
    pieces = [s for s in spans if s["end"] - s["start"] > 1]
    span = one(rng, pieces)
    choice = rng.choice(("twice", "overlap", "swap"))
    if choice == "twice":
        spans.insert(spans.index(span), dict(span))
    elif choice == "overlap":
        spans.insert(spans.index(span) + 1, {"start": span["end"] - 1, "end": span["end"]})
    elif len(spans) > 1:
        spans.reverse()
    else:
        raise Unfit


@fault("span-edge")
def white_edge(record: Json, rng: random.Random) -> None:
    text = text_of(record)
    spans = [s for spans in loose_spans(record) for s in spans if len(spans) == 1]
    left = [s for s in spans if s["start"] and text[s["start"] - 1].isspace()]
    right = [s for s in spans if s["end"] < len(text) and text[s["end"]].isspace()]
    if rng.random() < 0.5:
        one(rng, left)["start"] -= 1
    else:
        one(rng, right)["end"] += 1
    for s in spans:
        s.pop("surface", None)


@fault("span-edge")
def only_white(record: Json, rng: random.Random) -> None:
    white = one(rng, [at for at, c in enumerate(text_of(record)) if c.isspace()])
    one(rng, [s for s in loose_spans(record) if len(s) == 1])[0] = {"start": white, "end": white + 1}


@fault("span-surface")
def wrong_surface(record: Json, rng: random.Random) -> None:
    text = text_of(record)
    span = one(rng, all_spans(record))
    words = text[span["start"] : span["end"]]
    span["surface"] = one(rng, [w for w in (words + " ", words[1:], words.swapcase(), "", "x", words + "\u0301") if w != words])


@fault("span-surface")
def shifted(record: Json, rng: random.Random) -> None:
    text = text_of(record)
    span = one(rng, [s for spans in loose_spans(record) for s in spans if len(spans) == 1 and s["start"] > 0])
    words = text[span["start"] : span["end"]]
    span["surface"] = words
    span["start"] -= 1
    span["end"] -= 1
    if text[span["start"] : span["end"]] == words:
        raise Unfit


@fault("span-within")
def outside_of_its_quantity(record: Json, rng: random.Random) -> None:
    there = item(record, rng, "quantities")
    inside = range(there["spans"][0]["start"], there["spans"][-1]["end"])
    place = one(rng, free_letters(record, inside))
    if rng.random() < 0.5:
        there["number_span"] = {"start": place, "end": place + 1}
    else:
        there["hedge_spans"] = [{"start": place, "end": place + 1}]


@fault("span-within")
def outside_of_its_parent(record: Json, rng: random.Random) -> None:
    layer, parent, field = rng.choice((
        ("segments", "parent_id", "spans"), ("attributions", "parent_attribution_id", "content_spans"),
    ))  # fmt: skip
    there = item(record, rng, layer, lambda i: i.get(parent))
    outer = one(rng, [i for i in items(record, layer) if i[KEY_OF[layer]] == there[parent]])
    inside = range(outer[field][0]["start"], outer[field][-1]["end"])
    place = one(rng, free_letters(record, inside))
    there[field] = [{"start": place, "end": place + 1}]


def free_letters(record: Json, inside: range) -> list[int]:
    text = record["text"].get("content")
    return [at for at in range(length_of(record)) if at not in inside and (text is None or not text[at].isspace())]


# ---- laws of any layer ---------------------------------------------------------------------------------------


@fault("ascending")
def descending_days(record: Json, rng: random.Random) -> None:
    item(record, rng, "times").update(
        rng.choice(({"earliest": "2026-01-02", "latest": "2026-01-01"}, {"earliest": "2027-01-01", "latest": "0999-12-31"}))
    )


@fault("ascending")
def descending_bounds(record: Json, rng: random.Random) -> None:
    bounds = rng.choice(
        ({"low": 60, "high": 50}, {"low": 50.5, "high": 50}, {"low": 2, "high": 1.5}, {"low": 10**20 + 1, "high": 10**20})
    )
    item(record, rng, "quantities", lambda q: q["comparator"] == "RANGE").update(bounds, quantity_kind="PHYSICAL")


@fault("span-outside")
def cue_inside_content(record: Json, rng: random.Random) -> None:
    there = item(record, rng, "attributions")
    content = one(rng, there["content_spans"])
    text = record["text"].get("content")
    at = one(rng, [a for a in (content["start"], content["end"] - 1) if text is None or not text[a].isspace()])
    there[rng.choice(("cue_spans", "source_spans"))] = [{"start": at, "end": at + 1}]


@fault("depth")
def wrong_depth(record: Json, rng: random.Random) -> None:
    there = item(record, rng, "attributions")
    there["level"] = there["level"] + 1 if there["level"] == 1 or rng.random() < 0.5 else 1


@fault("quotation-marks")
def wrong_quote_type(record: Json, rng: random.Random) -> None:
    text = text_of(record)
    there = item(record, rng, "attributions")
    words = "".join(text[s["start"] : s["end"]] for s in there["content_spans"])
    bare = not MARKS & set(words)
    nests = any(a.get("parent_attribution_id") == there["attribution_id"] for a in items(record, "attributions"))
    if there["quote_type"] == "INDIRECT" and bare:
        there["quote_type"] = rng.choice(("DIRECT", "MIXED"))
    elif (there["quote_type"] == "DIRECT" and not nests) or (there["quote_type"] == "MIXED" and not nests):
        there["quote_type"] = "INDIRECT"
    else:
        raise Unfit
    if not there["cue_spans"]:
        raise Unfit


@fault("target")
def no_place(record: Json, rng: random.Random) -> None:
    wrong = item(record, rng, "entities", lambda e: e["type"] not in ("GPE", "LOC", "FAC"))
    item(record, rng, "events")["place_entity_id"] = wrong["entity_id"]


@fault("present")
def role_given_or_not(record: Json, rng: random.Random) -> None:
    kind = {e["entity_id"]: e["type"] for e in items(record, "entities")}
    there = item(record, rng, "mentions")
    if kind[there["entity_id"]] != "GPE":
        there["gpe_role"] = rng.choice(("GPE", "LOC", "ORG", "PER"))
    elif rng.random() < 0.5:
        there["gpe_role"] = None
    else:
        there.pop("gpe_role")


@fault("text-covered")
def sentence_left_out(record: Json, rng: random.Random) -> None:
    text_of(record)
    there = item(record, rng, "segments", lambda s: s["kind"] in ("sentence", "headline", "dateline", "ingest_artifact"))
    others = [s for s in items(record, "segments") if s is not there]
    if not others or any(s.get("parent_id") == there["segment_id"] for s in others):
        raise Unfit
    if any(s["kind"] not in ("body", "credit") and s["spans"][0]["start"] <= there["spans"][0]["start"]
           and s["spans"][0]["end"] >= there["spans"][0]["end"] for s in others):  # fmt: skip
        raise Unfit
    if rng.random() < 0.5:
        there["kind"] = rng.choice(("body", "credit"))
    else:
        record["segments"] = others


# ---- laws of the flagship: what an item is made to say ------------------------------------------------------

Edit = dict[str, Any]
_N: Edit = {"value": None, "low": None, "high": None, "low_closed": None, "high_closed": None, "hedge_type": None, "unit": "{n}",
            "unit_system": "UCUM"}  # fmt: skip
_EXACT: Edit = {**_N, "comparator": "EXACT", "value": 5, "low": 5, "high": 5, "low_closed": True, "high_closed": True}
_LE: Edit = {**_N, "comparator": "LE", "value": 5, "high": 5, "high_closed": True}
_LT: Edit = {**_LE, "comparator": "LT", "high_closed": False}
_GE: Edit = {**_N, "comparator": "GE", "value": 5, "low": 5, "low_closed": True}
_GT: Edit = {**_GE, "comparator": "GT", "low_closed": False}
_RANGE: Edit = {**_N, "comparator": "RANGE", "low": 5, "high": 6, "low_closed": True, "high_closed": False}
_VAGUE: Edit = {**_N, "comparator": "VAGUE", "number_span": None}
_BARE: Edit = {**_N, "comparator": "BARE", "value": 5}
_APPROX: Edit = {**_BARE, "comparator": "APPROX", "hedge_type": "BELOW"}
_BOTH_OPEN = ({"value": None}, {"value": 5.5}, {"value": 5.0000001})

SAYS: dict[str, tuple[str, list[Edit]]] = {
    "quantity-exact": ("quantities", [{**_EXACT, **e} for e in (
        {"value": None}, {"low": None}, {"high": None}, {"low": 4}, {"high": 6}, {"low_closed": False}, {"high_closed": None},
        {"value": 5.5, "high": 6, "quantity_kind": "RATIO"})]),
    "quantity-unbounded": ("quantities", [{**b, **e} for b in (_BARE, _APPROX) for e in (
        {"value": None}, {"low": 5}, {"high": 5}, {"low": 4, "high": 6}, {"low_closed": True}, {"high_closed": False})]),
    "quantity-upper": ("quantities", [{**b, **e} for b in (_LE, _LT) for e in (
        {"value": None}, {"high": None}, {"high": 6}, {"low": 1}, {"low_closed": False}, {"high_closed": None})]),
    "quantity-lower": ("quantities", [{**b, **e} for b in (_GE, _GT) for e in (
        {"value": None}, {"low": None}, {"low": 4}, {"high": 9}, {"high_closed": True}, {"low_closed": None})]),
    "quantity-closed": ("quantities", [{**_LE, "high_closed": False}, {**_LT, "high_closed": True}, {**_GE, "low_closed": False},
                                       {**_GT, "low_closed": True}]),
    "quantity-range": ("quantities", [{**_RANGE, **e} for e in (
        {"value": 5}, {"low": None}, {"high": None}, {"low_closed": None}, {"high_closed": None})]),
    "quantity-vague": ("quantities", [{**_VAGUE, **e} for e in ({"value": 5}, {"low": 1}, {"high": 9}, {"low_closed": True})]),
    "quantity-hedge": ("quantities", [{**_APPROX, "hedge_type": None}, {**_BARE, "hedge_type": "AROUND"},
                                      {**_RANGE, "hedge_type": "ABOVE"}]),
    "quantity-count": ("quantities", [
        {**_BARE, "quantity_kind": "COUNT", "value": 5.5}, {**_BARE, "quantity_kind": "COUNT", "value": -1},
        {**_RANGE, "quantity_kind": "COUNT", "low": 0.5}, {**_RANGE, "quantity_kind": "COUNT", "high": 6.25},
        {**_RANGE, "quantity_kind": "COUNT", "low": -5}]),
    "quantity-unit": ("quantities", [{**b, **e} for b in (_BARE, _RANGE, _GE) for e in (
        {"unit": None}, {"unit_system": None}, {"unit": None, "unit_system": None})]),
    "quantity-currency": ("quantities", [
        {**_BARE, "unit_system": "ISO4217", "unit": u} for u in ("€", "eur", "EURO", "", "EU", "EUR ", "EUR\n", "{crown}")
    ] + [{**_VAGUE, "unit_system": "ISO4217", "unit": None}]),
    "time-anchor": ("times", [{"temporal_function": True, "anchor_time_id": None}]),
    "time-spans": ("times", [{"spans": [], "function_in_document": "NONE"},
                             {"spans": [], "function_in_document": "PUBLICATION_TIME"}]),
    "entity-kb": ("entities", [
        {"kb_status": "verified", "kb": None}, {"kb_status": "unverified", "kb": "wikidata", "kb_id": None},
        {"kb_status": "nil", "kb": "wikidata", "kb_id": None}, {"kb_status": "unlinked", "kb": None, "kb_id": "Q5"},
        {"kb_status": "nil", "kb": "wikidata", "kb_id": "Q5"}]),
    "event-scheme": ("events", [
        {"event_scheme": "PLOVER", "event_type": "OTHER"}, {"event_scheme": "PLOVER", "event_type": "PRESENCE"},
        {"event_scheme": "LOCAL", "event_type": "ASSAULT"}, {"event_scheme": "LOCAL", "event_type": "REQUEST"}]),
    "event-parties": ("events", [
        {"event_scheme": "PLOVER", "event_type": t, "recipient_entity_ids": [], "actor_entity_ids": []}
        for t in ("AID", "SANCTION", "COOPERATE")]),
    "factuality-author": ("factuality", [{"source_is_author": True, "source_entity_ids": ["{e}"], "attribution_id": None},
                                         {"source_is_author": False, "source_entity_ids": [], "attribution_id": None},
                                         {"source_is_author": False, "source_entity_ids": ["{e}"], "attribution_id": None},
                                         {"source_is_author": True, "source_entity_ids": [], "attribution_id": "{a}"}]),
    "factuality-uncommitted": ("factuality", [{"certainty": "U", "polarity": "POS"}, {"certainty": "CT", "polarity": "UNK"},
                                              {"certainty": "PS", "polarity": "UNK"}, {"certainty": "U", "polarity": "NEG"}]),
    "claim-authorial": ("claims", [
        {"is_authorial": True, "attribution_id": "{a}", "attribution_chain": [], "source_entity_ids": []},
        {"is_authorial": True, "attribution_id": None, "attribution_chain": ["{a}"], "source_entity_ids": []},
        {"is_authorial": True, "attribution_id": None, "attribution_chain": [], "source_entity_ids": ["{e}"]},
        {"is_authorial": False, "attribution_id": None, "attribution_chain": [], "source_entity_ids": []},
        {"is_authorial": False, "attribution_id": "{a}", "attribution_chain": [], "source_entity_ids": ["{e}"]},
        {"is_authorial": False, "attribution_id": "{a}", "attribution_chain": ["{a}"], "source_entity_ids": []}]),
    "claim-conditional": ("claims", [{"modality": "CONDITIONAL", "condition_event_ids": []},
                                     {"modality": "ASSERTED", "condition_event_ids": ["{ev}"]}]),
    "claim-quantity": ("claims", [{"claim_type": "QUANTITY", "quantity_ids": [], "note": None}]),
    "claim-estimand": ("claims", [{"parent_estimand_id": "boats", "estimand_id": None}]),
    "attribution-source": ("attributions", [{"source_implicit": False, "source_spans": []}]),
    "attribution-implicit-type": ("attributions", [
        {"source_implicit": True, "source_spans": [], "source_type": t} for t in ("ANONYMOUS", "NAMED_PERSON", "DOCUMENT")]),
}  # fmt: skip


def _saying(layer: str, edits: list[Edit]) -> Fault:
    def inject(record: Json, rng: random.Random) -> None:
        there = item(record, rng, layer)
        for name, value in rng.choice(edits).items():
            if value is None and rng.random() < 0.5:
                there.pop(name, None)
            else:
                there[name] = [filled(v, record, rng) for v in value] if isinstance(value, list) else filled(value, record, rng)

    return inject


def filled(value: Any, record: Json, rng: random.Random) -> Any:
    """The id of some item where an edit names a kind of item."""
    layers = {"{e}": "entities", "{a}": "attributions", "{ev}": "events"}
    if isinstance(value, str) and value in layers:
        return item(record, rng, layers[value])[KEY_OF[layers[value]]]
    return value


for _rule, (_layer, _edits) in SAYS.items():
    fault(_rule)(_saying(_layer, _edits))


@fault("quantity-vague")
def vague_with_a_number(record: Json, rng: random.Random) -> None:
    there = item(record, rng, "quantities", lambda q: q.get("number_span"))
    there.update(_VAGUE, number_span=there["number_span"])


@fault("attribution-source")
def implicit_with_words(record: Json, rng: random.Random) -> None:
    item(record, rng, "attributions", lambda a: a["source_spans"]).update(source_implicit=True, source_type="UNSPECIFIED")


@fault("attribution-cue")
def no_cue(record: Json, rng: random.Random) -> None:
    item(record, rng, "attributions", lambda a: a["quote_type"] != "DIRECT")["cue_spans"] = []


@fault("time-basis")
def half_a_time(record: Json, rng: random.Random) -> None:
    layer = rng.choice(("attributions", "claims", "events", "quantities"))
    there = item(record, rng, layer)
    name = "utterance_time_id" if layer == "claims" else "time_id"
    if there.get(name) is not None:
        there.update(rng.choice(({name: None}, {"as_of_basis": None})))
    else:
        there["as_of_basis"] = rng.choice(("STATED", "INFERRED", "DEFAULT_DCT"))


@fault("rights-annotation")
def annotation_not_free(record: Json, rng: random.Random) -> None:
    record["rights"]["annotation_license"] = rng.choice((None, "CC-BY-NC-4.0", "CC-BY-ND-4.0", "MIT", "LicenseRef-Own"))
    if rng.random() < 0.2:
        del record["rights"]["annotation_license"]


@fault("rights-text")
def text_without_licence(record: Json, rng: random.Random) -> None:
    record["rights"].update(text_redistributable=True, text_license=None)
    if rng.random() < 0.5:
        del record["rights"]["text_license"]


@fault("origin-based-on")
def facts_from_nowhere(record: Json, rng: random.Random) -> None:
    record.update(fictional=False, origin=rng.choice(("MODEL_WRITTEN", "HUMAN_WRITTEN")))
    record["source"] = rng.choice(({}, {"based_on": []}, {"url": "https://example.org"}))
    if rng.random() < 0.3:
        del record["source"]


# ---- edits that break nothing --------------------------------------------------------------------------------


@neutral
def shuffled(record: Json, rng: random.Random) -> None:
    rng.shuffle(record[one(rng, [layer for layer in LAYERS if items(record, layer)])])
    holder = rng.choice(objects(record))
    pairs = rng.sample(list(holder.items()), len(holder))
    holder.clear()
    holder.update(pairs)


@neutral
def spelled_out(record: Json, rng: random.Random) -> None:
    layer, there = any_item(record, rng)
    if layer not in ("coverage", "segments", "times", "mentions", "annotation_sets"):
        there.setdefault("note", rng.choice((None, "", "A remark.", "\u202e \0 remark")))
    record.setdefault("headline", rng.choice((None, "Head\ud83d\ude00line".encode("utf-16", "surrogatepass").decode("utf-16"))))
    record.setdefault("supersedes", None)


@neutral
def other_values(record: Json, rng: random.Random) -> None:
    record.update(
        rng.choice((
            {"language": "zh-Hant-TW"}, {"language": None}, {"group": None}, {"group": "\n"}, {"split": "train"}, {"split": None},
            {"published": "2024-02-29"}, {"published": "0001-01-01"}, {"published": "9999-12-31"}, {"revision": 2**63 - 1},
            {"language": "sr-Latn"}, {"byline": ""}, {"supersedes": "no-such-article"}, {"fictional": True, "source": {}},
        ))
    )  # fmt: skip


@neutral
def other_rights(record: Json, rng: random.Random) -> None:
    record["rights"].update(rng.choice((
        {"text_license": "LicenseRef-Own"}, {"text_license": "MIT OR Apache-2.0"}, {"annotation_license": "CC0-1.0"},
        {"annotation_license": "CC-BY-SA-4.0"}, {"text_redistributable": False, "text_license": None}, {"rights_note": None},
    )))  # fmt: skip


@neutral
def other_time(record: Json, rng: random.Random) -> None:
    there = item(record, rng, "times")
    there["value"] = rng.choice(
        ("2026-W01", "XXXX-XX-XX", "PT2H", "P1Y2M", "2026-Q3", "2026-WI", "2026-01-01TNI", "PAST_REF", "20")
    )
    there["edtf"] = rng.choice(("2024?", "2024-10~", "2024-21", "202X", "../2024-10", "2024-10/..", "2023/2024-02-29", None))


@neutral
def other_numbers(record: Json, rng: random.Random) -> None:
    there = item(record, rng, "quantities")
    there.update(
        copy.deepcopy(rng.choice((_EXACT, _LE, _LT, _GE, _GT, _RANGE, _VAGUE, _BARE, _APPROX))), quantity_kind="PHYSICAL"
    )
    there["rounding_unit"] = rng.choice((None, 1000, 0.000000001, 10**29 - 1, -(10**28), 1e28, 5.0, 99999.123456789, -0.0))


@neutral
def whole_floats(record: Json, rng: random.Random) -> None:
    """Where a column keeps decimals, 5.0 is 5. (Offsets and levels are written without a point: tests/test_hostile.py.)"""
    for there in items(record, "quantities"):
        there.update({k: float(there[k]) for k in ("value", "low", "high") if there.get(k) is not None})


@neutral
def empty_layer(record: Json, rng: random.Random) -> None:
    record[rng.choice(("coverage", "annotation_sets", "factuality", "claims", "mentions"))] = []


@neutral
def no_segments(record: Json, rng: random.Random) -> None:
    record.pop("segments")


@neutral
def right_surface(record: Json, rng: random.Random) -> None:
    text = text_of(record)
    for span in all_spans(record):
        span["surface"] = rng.choice((None, text[span["start"] : span["end"]]))


@raw_neutral
def white_space(raw: bytes, rng: random.Random) -> bytes:
    before, colon = rng.choice((b" \t", b"")), rng.choice((b'":', b'"\t: ', b'" :\r'))
    # a quotation mark with a backslash before it stands inside a string
    return before + re.sub(rb'(?<!\\)": ', lambda _: colon, raw) + rng.choice((b"\n", b"\r\n", b" "))


@raw_neutral
def escapes(raw: bytes, rng: random.Random) -> bytes:
    return (
        json.dumps(json.loads(raw), ensure_ascii=rng.choice((True, False)))
        .replace("/", "\\/")
        .replace('"e1"', '"\\u00651"')
        .encode()
    )


@raw_neutral
def exact_numbers(raw: bytes, rng: random.Random) -> bytes:
    numbers = (b"12345.123456789", b"0.1000000000000000000000000000", b"1E+3", b"1e-9", b"-0", b"10.50e1",
               b"99999999999999999999999999999", b"0e400", b"100000000000000000000e-20")  # fmt: skip
    return swap_rounding(raw, rng.choice(numbers), rng)


# ---- edits at random: nobody knows what they break -----------------------------------------------------------

JUNK: list[Any] = [None, True, False, 0, 1, -1, 2, 9, 0.5, 10**20, "", "x y", "e1", "t0", "a1", "q1", "GPE", "U",
                   [], {}, ["e1"], [[]], {"start": 0, "end": 1}, [{"start": 0, "end": 1}], [{"start": 2, "end": 5}]]  # fmt: skip


def at_random(record: Json, rng: random.Random) -> None:
    holder = rng.choice(objects(record))
    name = one(rng, list(holder))
    layer, there = any_item(record, rng)
    value = holder[name]
    peers = [o[name] for o in objects(record) if name in o]
    choice = rng.random()
    if choice < 0.2:
        del holder[name]
    elif choice < 0.45:
        holder[name] = copy.deepcopy(rng.choice(peers))
    elif choice < 0.6 and type(value) is int:
        holder[name] = value + rng.choice((-3, -2, -1, 1, 2, 3))
    elif choice < 0.7 and isinstance(value, list) and value:
        value.pop(rng.randrange(len(value)))
    elif choice < 0.75:
        record[layer].remove(there)
    elif choice < 0.8:
        holder[name] = None
    else:
        holder[name] = copy.deepcopy(rng.choice(JUNK))


# ---- cases ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One line, what was done to it, and the rule it must break ("" where nothing, None where nobody knows)."""

    number: int
    raw: bytes
    done: str
    rule: str | None


class Cases:
    """An endless supply of cases, each decided by the seed and its number alone."""

    def __init__(self, seed: int, records: list[Json]) -> None:
        self.seed = seed
        self.records = records

    def rng(self, number: int) -> random.Random:
        return random.Random(f"{self.seed} {number}")

    def base(self, rng: random.Random) -> Json:
        return varied(made(rng) if rng.random() < 0.7 else piece(rng.choice(self.records), rng), rng)

    def line(self, record: Json, rng: random.Random) -> bytes:
        return json.dumps(record, ensure_ascii=rng.random() < 0.3).encode("utf-8")

    def faulty(self, number: int, rule: str) -> Case:
        rng = self.rng(number)
        inject = rng.choice([*FAULTS.get(rule, ()), *RAW_FAULTS.get(rule, ())])
        return Case(number, self._with(inject, rng), f"{rule}: {inject.__name__}", rule)

    def harmless(self, number: int) -> Case:
        rng = self.rng(number)
        edit = rng.choice([*NEUTRAL, *RAW_NEUTRAL])
        return Case(number, self._with(edit, rng), edit.__name__, "")

    def paired(self, number: int) -> Case:
        rng = self.rng(number)
        while True:
            first, second = rng.choices(sorted(FAULTS), k=2)
            record = self.base(rng)
            try:
                for rule in (first, second):
                    rng.choice(FAULTS[rule])(record, rng)
            except (Unfit, KeyError, TypeError, IndexError, ValueError, AttributeError):
                continue  # the second fault found what the first had broken
            return Case(number, self.line(record, rng), f"{first} + {second}", None)

    def wild(self, number: int) -> Case:
        rng = self.rng(number)
        record = self.base(rng)
        for _ in range(rng.choice((1, 1, 2))):
            with_suppressed(at_random, record, rng)
        return Case(number, self.line(record, rng), "at random", None)

    def _with(self, edit: Any, rng: random.Random) -> bytes:
        while True:
            record = self.base(rng)
            try:
                if edit in [*RAW_NEUTRAL, *(f for there in RAW_FAULTS.values() for f in there)]:
                    return bytes(edit(self.line(record, rng), rng))
                edit(record, rng)
                return self.line(record, rng)
            except Unfit:
                continue


def with_suppressed(edit: Fault, record: Json, rng: random.Random) -> None:
    """A second edit may find nothing left to change."""
    try:
        edit(record, rng)
    except (Unfit, KeyError, TypeError, AttributeError):
        return
