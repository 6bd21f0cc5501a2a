"""The notation of the corpus: an article with its annotation, short enough to write and read, brought to a full record.

docs/notation.md describes it. What the guideline's rules decide is filled in here (bounds from comparators, factuality from
attributions, chains from parents); what a rule gets wrong is written out in the article. Nothing else is guessed.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from dateline.compile.check import check_record
from dateline.compile.read import RawRecord
from dateline.errors import Place, Problem
from dateline.importers.authoring import read_document
from dateline.record_files import encode
from dateline.schema import Schemas

Json = dict[str, Any]
LAYERS = ("segments", "entities", "mentions", "times", "quantities", "attributions", "events", "factuality", "claims")
GUIDELINE = "0.3.0"
CANARY = "DATELINE OPEN WIRE CANARY 5d0b6c0e-8f5d-4c5c-9b7e-4a0c2f1f7d61"
"""Stands in every article, so that whoever filters pretraining data can find it."""

_PLOVER = {
    "AGREE", "CONSULT", "SUPPORT", "CONCEDE", "COOPERATE", "AID", "RETREAT", "REQUEST", "ACCUSE", "REJECT", "THREATEN", "PROTEST",
    "SANCTION", "MOBILIZE", "COERCE", "ASSAULT",
}  # fmt: skip
_VALUES = {"CT+": ("CT", "POS"), "PR+": ("PR", "POS"), "PS+": ("PS", "POS"), "Uu": ("U", "UNK"),
           "CT-": ("CT", "NEG"), "PR-": ("PR", "NEG"), "PS-": ("PS", "NEG"), "CTu": ("CT", "UNK")}  # fmt: skip
_MENTION = re.compile(
    r"(?P<entity>e[0-9]+[a-z]?) (?P<kind>NAM|NOM|PRO)(?P<star>\*?)(?:/(?P<role>GPE|ORG|LOC|PER))? (?P<words>.+)", re.DOTALL
)
_OPTIONS = {
    "entities": {"class", "part_of", "affiliation", "members", "iso", "note"},
    "times": {"type", "mod", "anchor"},
    "quantities": {
        "counted", "place", "time", "aggregation", "kind", "hedge", "change", "payer", "beneficiary", "subset_of", "restates",
        "retracts", "rounding", "note",
    },
    "attributions": {
        "quote", "attitude", "medium", "nonfactual", "negated", "inferred", "behalf", "to", "parent", "time", "note",
    },
    "events": {"to", "by", "at", "time", "class", "aux", "parent", "author", "says", "mode", "note"},
    "claims": {"q", "ev", "fact", "if", "type", "mod", "cert", "pol", "est", "parent_est", "note", "time"},
}  # fmt: skip


@dataclass(frozen=True)
class Origin:
    """What is the same for all articles of a part of the corpus: article fields, and who annotated."""

    article: Json
    annotator: str
    created: str
    kb_status: str = "nil"


@dataclass
class Made:
    """A record with all that is wrong in it."""

    record: Json | None
    problems: list[str] = field(default_factory=list)


class Fault(Exception):
    """An item that cannot be read; says where and why."""


Estimand = Callable[[str], tuple[str, str | None] | None]
"""From a fact of a ledger to its estimand and the estimand that this is a part of; None for a fact that is not there."""


def no_facts(_: str) -> None:
    """For articles without a ledger."""
    return


def make(
    doc: Json, origin: Origin, schemas: Schemas, tables: Mapping[str, Set[str]], name: str, estimand_of: Estimand = no_facts
) -> Made:
    """The record of an article in the notation; problems are those of the notation, of span names and of the engine's check."""
    made = Made(None)
    try:
        document, says = _document(doc, origin, estimand_of)
    except Fault as fault:
        return Made(None, [f"{name}: {fault}"])
    first = read_document(document, schemas, name=name)
    if first.record is None:
        return Made(None, [_line(p) for p in first.problems])
    try:
        document["factuality"] = list(_factuality(first.record, says))
    except Fault as fault:
        return Made(None, [f"{name}: {fault}"])
    _mark_negation(document)
    whole = read_document(document, schemas, name=name)
    if whole.record is None:
        return Made(None, [_line(p) for p in whole.problems])
    found = check_record(whole.record, RawRecord(Place(name), 0, encode(whole.record)), schemas, tables, public=True)
    made.record, made.problems = whole.record, [_line(p) for p in found if p.fails]
    return made


ADJUDICATOR = "model-7"
"""Who decided between the two passes over test stories and anchors: a language model, no person."""
PASSES = Path(__file__).resolve().parents[1] / "annotations"


def adjudicated_articles() -> frozenset[str]:
    """The articles that were annotated twice, and of which every difference was decided (corpus/adjudication.py)."""
    path = PASSES / "first" / "records.jsonl"
    lines = path.read_bytes().splitlines() if path.exists() else []
    return frozenset(orjson.loads(line)["article_id"] for line in lines)


def as_adjudicated(record: Json) -> Json:
    """The record with its annotation sets marked as decided between two passes."""
    sets = [{**one, "status": "ADJUDICATED", "adjudicator_id": ADJUDICATOR} for one in record["annotation_sets"]]
    return {**record, "annotation_sets": sets}


def _line(found: Problem) -> str:
    return str(found)


def _document(doc: Json, origin: Origin, estimand_of: Estimand) -> tuple[Json, Json]:
    known = {
        "story",
        "outlet",
        "publisher",
        "published",
        "language",
        "headline",
        "byline",
        "text",
        "article",
        "probes",
    } | _OPTIONS.keys()
    if extra := doc.keys() - known - {"mentions"}:
        raise Fault(f"unknown key {', '.join(sorted(extra))}; known here: {', '.join(sorted(known | {'mentions'}))}")
    for key in ("story", "outlet", "publisher", "published", "language", "text"):
        if not isinstance(doc.get(key), str):
            raise Fault(f'expected {key} = "..."')
    published = doc["published"]
    head = {
        "article_id": f"{doc['outlet']}-{published.replace('-', '')}-{{sha256:.12}}",
        "schema_version": "0.2.0", "revision": 1, "publisher": doc["publisher"], "published": published,
        "headline": doc.get("headline") or None, "byline": doc.get("byline") or None,
        "language": doc["language"], "group": doc["story"], "canary": CANARY, **origin.article, **doc.get("article", {}),
    }  # fmt: skip
    rows = {layer: dict(_rows(doc, layer)) for layer in _OPTIONS}
    entities = {key: row[0] for key, row in rows["entities"].items()}
    attributions = [_attribution(key, *row) for key, row in rows["attributions"].items()]
    _set_levels(attributions)
    by_id = {a["attribution_id"]: a for a in attributions}
    document: Json = {
        "article": {key: value for key, value in head.items() if value is not None},
        "text": {"sentences": doc["text"]},
        "entities": [_entity(key, *row, kb_status=origin.kb_status) for key, row in rows["entities"].items()],
        "mentions": list(_mentions(doc.get("mentions", {}), entities)),
        "times": [_creation(published), *(_time(key, *row) for key, row in rows["times"].items())],
        "quantities": [_quantity(key, *row) for key, row in rows["quantities"].items()],
        "attributions": attributions,
        "events": [_event(key, *row) for key, row in rows["events"].items()],
        "claims": [_claim(key, *row, by_id, estimand_of) for key, row in rows["claims"].items()],
        "annotation_sets": [
            {
                "annotation_set_id": f"set{n}", "layer": layer, "annotator_id": origin.annotator, "annotator_type": "MODEL",
                "status": "PRIMARY", "tool": "dateline notation", "guideline_version": GUIDELINE, "created": origin.created,
            }
            for n, layer in enumerate(_layers(doc), 1)
        ],
        "coverage": [{"layer": layer, "status": "FULL"} for layer in _layers(doc)],
    }  # fmt: skip
    if "probes" in doc:
        document["probes"] = [{"probe_id": key, **_named(probe)} for key, probe in doc["probes"].items()]
    return document, {key: row[1] for key, row in rows["events"].items()}


def _layers(doc: Json) -> tuple[str, ...]:
    return (*LAYERS, "probes") if "probes" in doc else LAYERS


def _named(probe: Json) -> Json:
    return {"spans": probe["spans"], "hypothesis": probe["hypothesis"], "answer": probe["answer"]}


_LENGTHS = {"entities": (2, 2), "times": (2, 2), "quantities": (4, 4), "attributions": (5, 5), "events": (3, 3), "claims": (2, 2)}


def _rows(doc: Json, layer: str) -> Iterator[tuple[str, tuple[list[Any], Json]]]:
    """The items of a layer: key, positional values, options."""
    table = doc.get(layer, {})
    if not isinstance(table, dict):
        raise Fault(f"[{layer}] must be a table of id = [...]")
    for key, value in table.items():
        if not isinstance(value, list):
            raise Fault(f"{layer}.{key}: expected a list")
        options = value[-1] if value and isinstance(value[-1], dict) and not {"words"} & value[-1].keys() else {}
        plain = value[:-1] if options or (value and value[-1] == {}) else value
        low, high = _LENGTHS[layer]
        if not low <= len(plain) <= high:
            raise Fault(f"{layer}.{key}: expected {low} values before the options, there are {len(plain)}")
        if extra := options.keys() - _OPTIONS[layer]:
            raise Fault(f"{layer}.{key}: unknown option {', '.join(sorted(extra))}; known: {', '.join(sorted(_OPTIONS[layer]))}")
        yield key, (plain, options)


def _given(**fields: Any) -> Json:
    return {key: value for key, value in fields.items() if value is not None and value != []}


# ---- layers --------------------------------------------------------------------------------------------------


def _entity(key: str, plain: Sequence[Any], options: Json, *, kb_status: str) -> Json:
    return _given(
        entity_id=key, type=plain[0], entity_class=options.get("class", "SPC"), canonical_name=plain[1], kb_status=kb_status,
        iso3166_1=options.get("iso"), part_of_entity_id=options.get("part_of"), member_entity_ids=options.get("members"),
        affiliation_entity_id=options.get("affiliation"), note=options.get("note"),
    )  # fmt: skip


def _mentions(table: Json, entities: Mapping[str, Sequence[Any]]) -> Iterator[Json]:
    for sentence, rows in table.items():
        for row in rows:
            found = _MENTION.fullmatch(row if isinstance(row, str) else row[0])
            if not found:
                raise Fault(f'mentions.{sentence}: {row!r} is not "e1 NAM words" or "e1 NAM/LOC words"')
            entity, role = found["entity"], found["role"]
            if entity not in entities:
                raise Fault(f"mentions.{sentence}: {row!r}: there is no entity {entity}")
            if (entities[entity][0] == "GPE") != (role is not None):
                raise Fault(
                    f"mentions.{sentence}: {row!r}: {entity} is {entities[entity][0]}; a role stands with a GPE, and only there"
                )
            pieces = [found["words"], *([] if isinstance(row, str) else row[1:])]
            yield _given(
                entity_id=entity, spans=[piece if re.match(r"s[0-9]+:", piece) else f"{sentence}: {piece}" for piece in pieces],
                mention_type=found["kind"], gpe_role=role, adjectival=bool(found["star"]),
            )  # fmt: skip


def _creation(published: str) -> Json:
    return {
        "time_id": "t0", "spans": [], "timex_type": "DATE", "value": published, "temporal_function": False,
        "function_in_document": "CREATION_TIME", "edtf": published, "earliest": published, "latest": published,
    }  # fmt: skip


def _time(key: str, plain: Sequence[Any], options: Json) -> Json:
    value = plain[1]
    kind = options.get("type") or ("DURATION" if value.startswith("P") and not value.endswith("_REF") else "DATE")
    anchor = options.get("anchor", "" if kind in ("DURATION", "SET") else "t0")
    days = _days(value) if kind in ("DATE", "TIME") else None
    mod = options.get("mod")
    bounds: Json = {}
    if days:
        edtf, first, last = days
        bounds = {"edtf": edtf, "earliest": first.isoformat(), "latest": last.isoformat()}
        if mod in ("BEFORE", "ON_OR_BEFORE"):
            end = last if mod == "ON_OR_BEFORE" else first - datetime.timedelta(days=1)
            bounds = {"edtf": f"../{end.isoformat()}", "latest": end.isoformat()}
        elif mod in ("AFTER", "ON_OR_AFTER"):
            start = first if mod == "ON_OR_AFTER" else last + datetime.timedelta(days=1)
            bounds = {"edtf": f"{start.isoformat()}/..", "earliest": start.isoformat()}
        elif mod == "END" and first != last:
            bounds.pop("earliest")
        elif mod == "START" and first != last:
            bounds.pop("latest")
    return _given(
        time_id=key, spans=plain[0], timex_type=kind, value=value, mod=mod, temporal_function=bool(anchor),
        anchor_time_id=anchor or None, function_in_document="NONE", **bounds,
    )  # fmt: skip


def _days(value: str) -> tuple[str, datetime.date, datetime.date] | None:
    """A TIMEX3 date as EDTF, first and last day; None for what names no calendar dates."""
    date = datetime.date
    try:
        if found := re.fullmatch(r"(\d{4}-\d\d-\d\d)(T.*)?", value):
            day = date.fromisoformat(found[1])
            return found[1], day, day
        if found := re.fullmatch(r"(\d{4})-(\d\d)", value):
            year, month = int(found[1]), int(found[2])
            return value, date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        if re.fullmatch(r"\d{4}", value):
            return value, date(int(value), 1, 1), date(int(value), 12, 31)
        first = last = None
        if found := re.fullmatch(r"(\d{4})-W(\d\d)(-WE)?", value):
            first = date.fromisocalendar(int(found[1]), int(found[2]), 6 if found[3] else 1)
            last = date.fromisocalendar(int(found[1]), int(found[2]), 7)
        elif found := re.fullmatch(r"(\d{4})-Q([1-4])", value):
            year, month = int(found[1]), 3 * int(found[2])
            first, last = date(year, month - 2, 1), date(year, month, calendar.monthrange(year, month)[1])
        if first and last:
            return f"{first.isoformat()}/{last.isoformat()}", first, last
    except ValueError:
        raise Fault(f"times: {value} is no date") from None
    return None


def _when(said: str | None, where: str) -> Json:
    """A time as `t2 STATED`."""
    if said is None:
        return {}
    found = re.fullmatch(r"(t[0-9]+[a-z]?) (STATED|INFERRED|DEFAULT_DCT)", said)
    if not found:
        raise Fault(f'{where}: time is {said!r}; expected a time and its basis, such as "t2 STATED"')
    return {"time_id": found[1], "as_of_basis": found[2]}


def _quantity(key: str, plain: Sequence[Any], options: Json) -> Json:
    comparator, values = bound(plain[1], f"quantities.{key}")
    spans, number, hedges = _number_in(plain[0], f"quantities.{key}")
    if comparator == "VAGUE":
        number = None
    measure, _, unit = plain[2].partition(" ")
    kind = options.get("kind", "VAGUE" if comparator == "VAGUE" else "COUNT")
    system = None if not unit else "ISO4217" if kind == "MONEY" and re.fullmatch("[A-Z]{3}", unit) else "UCUM"
    bounds: Json = {}
    if comparator == "RANGE":
        bounds = {"low": values[0], "high": values[1], "low_closed": True, "high_closed": True}
    elif values:
        value = values[0]
        bounds = {"value": value}
        if comparator in ("EXACT", "GE", "GT"):
            bounds |= {"low": value, "low_closed": comparator != "GT"}
        if comparator in ("EXACT", "LE", "LT"):
            bounds |= {"high": value, "high_closed": comparator != "LT"}
    hedge = options.get("hedge", "AROUND" if comparator == "APPROX" else None)
    return _given(
        quantity_id=key, spans=spans, number_span=number, hedge_spans=hedges, hedge_type=hedge, **bounds, comparator=comparator,
        rounding_unit=options.get("rounding"), quantity_kind=kind, unit=unit or None, unit_system=system,
        change=options.get("change", "LEVEL"), measure=measure, of_what=plain[3], counted_entity_id=options.get("counted"),
        beneficiary_entity_id=options.get("beneficiary"), payer_entity_id=options.get("payer"),
        place_entity_id=options.get("place"),
        **_when(options.get("time"), f"quantities.{key}"), aggregation=options.get("aggregation", "NONE"),
        subset_of_quantity_id=options.get("subset_of"), restates_quantity_id=options.get("restates"),
        retracts_quantity_id=options.get("retracts"), note=options.get("note"),
    )  # fmt: skip


def _number_in(words: Any, where: str) -> tuple[Any, Any, list[Any]]:
    """Span name, number and hedges of `s1: At least <34>`."""
    if isinstance(words, dict):
        return [words], words, []
    if isinstance(words, list):  # pieces: the one with angle brackets is the number
        plain = [re.sub("[<>]", "", w) for w in words]
        marked = [w for w in words if "<" in w]
        if not marked:
            return plain, None, []
        _, number, _ = _number_in(marked[0], where)
        return plain, number, [p for p, w in zip(plain, words, strict=True) if "<" not in w]
    scope, name, nth = "", words, ""
    if found := re.match(r"([sp][0-9]+: ?)(.*)", words, re.DOTALL):
        scope, name = found[1], found[2]
    if "<" not in name:
        return words, words, []
    if found := re.search(r"@[0-9]+$", name):
        name, nth = name[: found.start()], found[0]
    before, rest = name.split("<", 1)
    number, after = rest.split(">", 1)
    whole = scope + before + number + after + nth
    if "[" in name:
        raise Fault(f"{where}: {words!r}: write either <the number> or [brackets], not both")
    if not before.strip() and not after.strip():
        return whole, whole, []
    inside = f"{scope}{before}[{number}]{after}{nth}"
    hedges = []
    if before.strip():
        hedges.append(f"{scope}[{before.strip()}]{before[len(before.rstrip()) :]}{number}{after}{nth}")
    if after.strip():
        hedges.append(f"{scope}{before}{number}{after[: len(after) - len(after.lstrip())]}[{after.strip()}]{nth}")
    return whole, inside, hedges


def bound(said: str, where: str) -> tuple[str, list[float | int]]:
    """Comparator and numbers of `GE 34`; raises Fault for what is none."""
    comparator, *numbers = str(said).split()
    wanted = {"RANGE": 2, "VAGUE": 0}.get(comparator, 1)
    if comparator not in ("EXACT", "BARE", "APPROX", "LT", "LE", "GT", "GE", "RANGE", "VAGUE") or len(numbers) != wanted:
        raise Fault(f'{where}: {said!r} is no bound; expected such as "GE 34", "RANGE 60 80", "VAGUE"')
    return comparator, [_plain_number(number, where) for number in numbers]


def _plain_number(written: str, where: str) -> float | int:
    try:
        value = float(written)
    except ValueError:
        raise Fault(f"{where}: {written!r} is no number") from None
    return int(value) if value == int(value) else value


def _attribution(key: str, plain: Sequence[Any], options: Json) -> Json:
    source, cue, content, entities, kind = plain
    attitude = options.get("attitude", "ASSERTION")
    nonfactual = options.get("nonfactual", False) or options.get("negated", False)
    return _given(
        attribution_id=key, source_spans=source or None, cue_spans=cue or None, content_spans=content,
        source_entity_ids=entities.replace(",", " ").replace("+", " ").split(), source_type=kind if source else "UNSPECIFIED",
        source_implicit=not source, on_behalf_of_entity_ids=options.get("behalf"), quote_type=options.get("quote", "INDIRECT"),
        attitude=attitude, medium=options.get("medium", "UNSPECIFIED"),
        scopal_polarity="NEG" if options.get("negated") else "POS",
        determinacy="NONFACTUAL" if nonfactual else "FACTUAL", inferred=options.get("inferred", False), level=1,
        parent_attribution_id=options.get("parent"), addressee_entity_ids=options.get("to"),
        **_when(options.get("time"), f"attributions.{key}"), note=options.get("note"),
    )  # fmt: skip


def _set_levels(attributions: Sequence[Json]) -> None:
    by_id = {a["attribution_id"]: a for a in attributions}
    for one in attributions:
        one["level"] = len(_chain(one["attribution_id"], by_id))


def _chain(key: str, by_id: Mapping[str, Json]) -> list[str]:
    """The attributions around one, outermost first, and itself."""
    chain: list[str] = []
    at: str | None = key
    while at is not None:
        if at not in by_id:
            raise Fault(f"there is no attribution {at}")
        if at in chain:
            raise Fault(f"attribution {at} lies within itself")
        chain.insert(0, at)
        at = by_id[at].get("parent_attribution_id")
    return chain


def _event(key: str, plain: Sequence[Any], options: Json) -> Json:
    return _given(
        event_id=key, trigger_spans=plain[0], event_cluster_id=plain[1], parent_cluster_id=options.get("parent"),
        event_scheme="PLOVER" if plain[2] in _PLOVER else "LOCAL", event_type=plain[2], event_mode=options.get("mode"),
        timeml_class=options.get("class", "OCCURRENCE"), actor_entity_ids=options.get("by"),
        recipient_entity_ids=options.get("to"),
        place_entity_id=options.get("at"), **_when(options.get("time"), f"events.{key}"), auxiliary=options.get("aux"),
        note=options.get("note"),
    )  # fmt: skip


def _claim(key: str, plain: Sequence[Any], options: Json, attributions: Mapping[str, Json], estimand_of: Estimand) -> Json:
    says, proposition = plain
    estimand, parent = options.get("est"), options.get("parent_est")
    if (fact := options.get("fact")) is not None:
        found = estimand_of(fact)
        if found is None:
            raise Fault(f"claims.{key}: the ledger has no fact {fact}")
        estimand, parent = found
    if estimand and len(options.get("q", [])) != 1:
        raise Fault(f"claims.{key}: a claim of an estimand has exactly one number (q), there are {len(options.get('q', []))}")
    kind = options.get("type") or ("QUANTITY" if estimand else "EVENT")
    carried: Json = {"is_authorial": True}
    if says != "author":
        if says not in attributions:
            raise Fault(f'claims.{key}: {says!r} is neither "author" nor an attribution')
        own = attributions[says]
        carried = {"attribution_id": says, "attribution_chain": _chain(says, attributions), "is_authorial": False,
                   "source_entity_ids": own["source_entity_ids"]}  # fmt: skip
        if "time_id" in own and "time" not in options:
            carried |= {"utterance_time_id": own["time_id"], "as_of_basis": own["as_of_basis"]}
    if when := _when(options.get("time"), f"claims.{key}"):
        carried |= {"utterance_time_id": when["time_id"], "as_of_basis": when["as_of_basis"]}
    certainty = options.get("cert", "CT")
    return _given(
        claim_id=key, claim_type=kind, **carried, proposition=proposition, modality=options.get("mod", "ASSERTED"),
        certainty=certainty, polarity=options.get("pol", "UNK" if certainty == "U" else "POS"), quantity_ids=options.get("q"),
        event_ids=options.get("ev"), condition_event_ids=options.get("if"), estimand_id=estimand, parent_estimand_id=parent,
        fact_id=fact, note=options.get("note"),
    )  # fmt: skip


# ---- factuality ----------------------------------------------------------------------------------------------


def _factuality(record: Json, says: Mapping[str, Json]) -> Iterator[Json]:
    """Who is how sure of each event: by rule, or as the article says."""
    attributions = {a["attribution_id"]: a for a in record["attributions"]}
    for event in record["events"]:
        options = says[event["event_id"]]
        around = [a for a in attributions.values() if _inside(event["trigger_spans"], a["content_spans"])]
        if len(around) > 1:
            innermost = max(around, key=lambda a: (a["level"], -_length(a["content_spans"])))
            chain = [attributions[key] for key in _chain(innermost["attribution_id"], attributions)]
            around = chain
        value = options.get("author") or ("Uu" if around else _plain_value(event["auxiliary"]))
        yield _row(event, value, None)
        written = dict(options.get("says", {}))
        for number, attribution in enumerate(around):
            rule = _said_value(event["auxiliary"], attribution) if number == len(around) - 1 else "Uu"
            yield _row(event, written.pop(attribution["attribution_id"], rule), attribution)
        for key, value in written.items():
            if key not in attributions:
                raise Fault(f"events.{event['event_id']}: says names {key}, which is no attribution")
            yield _row(event, value, attributions[key])


def _mark_negation(document: Json) -> None:
    """An event is marked `negation` exactly if somebody holds that it is not so: the mark follows from the rows."""
    denied = {row["event_id"] for row in document["factuality"] if row["polarity"] == "NEG"}
    for event in document["events"]:
        marks = [mark for mark in event.get("auxiliary", []) if mark != "negation"]
        event["auxiliary"] = [*marks, "negation"] if event["event_id"] in denied else marks


def _row(event: Json, value: str, attribution: Json | None) -> Json:
    if value not in _VALUES:
        raise Fault(f"events.{event['event_id']}: {value!r} is no factuality; there are {', '.join(_VALUES)}")
    certainty, polarity = _VALUES[value]
    row = {"event_id": event["event_id"], "source_is_author": attribution is None, "certainty": certainty, "polarity": polarity}
    if attribution is not None:
        row |= {"source_entity_ids": attribution["source_entity_ids"], "attribution_id": attribution["attribution_id"]}
    return row


def _plain_value(auxiliary: Sequence[str]) -> str:
    if {"future", "hypothetical"} & set(auxiliary):
        return "Uu"
    return "CT-" if "negation" in auxiliary else "CT+"


def _said_value(auxiliary: Sequence[str], attribution: Json) -> str:
    plain = _plain_value(auxiliary)
    if plain == "Uu" or attribution["attitude"] in ("QUESTION", "DIRECTIVE"):
        return "Uu"
    return plain.replace("CT", "PR") if attribution["attitude"] == "BELIEF" else plain


def _inside(inner: Sequence[Json], outer: Sequence[Json]) -> bool:
    return all(any(o["start"] <= i["start"] and i["end"] <= o["end"] for o in outer) for i in inner)


def _length(spans: Sequence[Json]) -> int:
    return sum(int(s["end"]) - int(s["start"]) for s in spans)
