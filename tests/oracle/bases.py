"""Small good records to put faults into: pieces of the open flagship articles, and a made one with an item of every kind."""

from __future__ import annotations

import hashlib
import pickle
import random
from typing import Any

from oracle.judge import KEY_OF, LAYERS, REFERENCES, SPANS

Json = dict[str, Any]

HARD = {"parent_id", "entity_id", "event_id", "attribution_id", "attribution_chain", "parent_attribution_id", "anchor_time_id"}
"""References without which an item says something else, so that it goes with what it refers to."""


def piece(record: Json, rng: random.Random) -> Json:
    """One to two neighbouring paragraphs of a record, with what is annotated there; some layers thinned or left out."""
    tops = sorted((s["spans"][0]["start"], s["spans"][0]["end"]) for s in record["segments"] if s.get("parent_id") is None)
    first = rng.randrange(len(tops))
    last = min(len(tops) - 1, first + rng.choice((0, 0, 0, 0, 1)))
    start, end = tops[first][0], max(e for _, e in tops[first : last + 1])
    inside = {
        layer: [item for item in record.get(layer, ()) if within(item, fields, start, end)] for layer, fields in SPANS.items()
    }
    made = copied({**record, **inside, "text": {"content": record["text"]["content"][start:end]}})
    for layer, fields in SPANS.items():
        for span in (span for item in made[layer] for field in fields for span in flat(item.get(field))):
            span["start"] -= start
            span["end"] -= start
    for layer in ("mentions", "events", "quantities", "claims", "factuality", "correction_log"):
        share = rng.choice((0.6, 0.3, 0.2))
        made[layer] = [item for item in made.get(layer, ()) if rng.random() < share]
    while settle(made):
        pass
    used = {i for layer in LAYERS for item in made.get(layer, ()) for f, to in REFERENCES.get(layer, {}).items()
            if to == "entities" and layer != "entities" for i in listed(item.get(f))}  # fmt: skip
    made["entities"] = [e for e in made["entities"] if e["entity_id"] in used]
    while settle(made):
        pass
    made["times"] = [t for t in made["times"] if t["time_id"] == "t0" or rng.random() < 0.5]
    while settle(made):
        pass
    for layer in ("annotation_sets", "coverage"):
        made[layer] = rng.sample(made.get(layer, []), k=min(2, len(made.get(layer, ()))))
    made["article_id"] = f"piece-20260101-{rng.randrange(16**12):012x}"
    return made


def copied(record: Json) -> Json:
    """A copy to the last level, several times as fast as copy.deepcopy makes one."""
    whole: Json = pickle.loads(pickle.dumps(record))
    return whole


def within(item: Json, fields: Any, start: int, end: int) -> bool:
    return all(start <= span["start"] and span["end"] <= end for field in fields for span in flat(item.get(field)))


def flat(value: Any) -> list[Json]:
    if isinstance(value, dict):
        return [value]
    return [span for part in value or () for span in (part if isinstance(part, list) else [part])]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def settle(made: Json) -> bool:
    """Take out references into the void, or the items that hold them; whether anything was taken out."""
    there = {layer: {item[KEY_OF[layer]] for item in made.get(layer, ())} for layer in LAYERS}
    changed = False
    for layer, fields in REFERENCES.items():
        kept = []
        for item in made.get(layer, ()):
            stays = True
            for field, to in fields.items():
                if to == "measures":
                    continue
                gone = [key for key in listed(item.get(field)) if key not in there[to]]
                if not gone:
                    continue
                changed = True
                if field in HARD or field == "source_entity_ids":
                    stays = False
                elif isinstance(item[field], list):
                    item[field] = [key for key in item[field] if key not in gone]
                else:
                    item[field] = None
                    if field in ("time_id", "utterance_time_id"):
                        item["as_of_basis"] = None
            if layer == "claims" and item["claim_type"] == "QUANTITY" and not item.get("quantity_ids") and not item.get("note"):
                stays, changed = False, True
            if layer == "claims" and item["modality"] == "CONDITIONAL" and not item.get("condition_event_ids"):
                stays, changed = False, True
            if stays:
                kept.append(item)
        made[layer] = kept
    return changed


# ---- a made record -------------------------------------------------------------------------------------------

NAMES = ("Ana Vo", "Zoë Łuk", "O'Neill", "李 明", "Bo 🦊 Fox", "Jose\u0301")
NUMBERS: dict[str, Json] = {
    "EXACT": {"value": 50, "low": 50, "high": 50, "low_closed": True, "high_closed": True},
    "BARE": {"value": 50},
    "APPROX": {"value": 50, "hedge_type": "AROUND"},
    "LT": {"value": 50, "high": 50, "high_closed": False},
    "LE": {"value": 50, "high": 50, "high_closed": True},
    "GT": {"value": 50, "low": 50, "low_closed": False},
    "GE": {"value": 50, "low": 50, "low_closed": True},
    "RANGE": {"low": 50, "high": 60, "low_closed": True, "high_closed": False},
    "VAGUE": {},
}


def made(rng: random.Random) -> Json:
    """A record with an item of every kind, and with the letters that offsets go wrong on."""
    who, other = rng.sample(NAMES, 2)
    place = rng.choice(("Kesh", "Rome", "Z̆ovin", "São"))
    quote = rng.choice(("“{}”", '"{}"', "«{}»", "„{}“", "「{}」")).format(
        rng.choice(("we need help", "все хорошо", "no 🚢 left"))
    )
    gap = rng.choice((" ", "\n", "\r\n", "\u00a0", "\u2003", "\n\n"))
    sentences = [
        f"{who} said on Monday that about 50 boats left {place}.",
        f"{quote}, {other} told {who} said Ann.",
        "It rained.",
    ]
    text = gap.join(sentences) + rng.choice(("", "\n"))
    at = [text.index(s) for s in sentences]
    one, two = at[0], at[1]

    def span(words: str, after: int = 0) -> Json:
        start = text.index(words, after)
        return {"start": start, "end": start + len(words)}

    comparator = rng.choice(list(NUMBERS))
    numbers = [comparator, rng.choice(("BARE", "RANGE", "GE", "LT"))]
    unit: Json = rng.choice(({"unit": "{boat}", "unit_system": "UCUM"}, {"unit": "EUR", "unit_system": "ISO4217"}))
    inner = quote[1:-1]
    record: Json = {
        "article_id": f"made-20260101-{rng.randrange(16**12):012x}",
        "schema_version": "0.2.0",
        "revision": rng.choice((1, 2)),
        "publisher": "The Kesh Post",
        "genre": rng.choice(("news_wire", "news_web", "statement", "transcript")),
        "published": "2026-01-01",
        "fictional": rng.choice((True, False)),
        "origin": rng.choice(("WIRE", "MODEL_WRITTEN", "HUMAN_WRITTEN")),
        "source": {"based_on": ["An agency, 2026-01-01"], "retrieved_at": "2026-01-02"},
        "language": rng.choice(("en", "de", "pt-BR")),
        "group": "boats",
        "rights": {"text_redistributable": True, "text_license": "CC-BY-4.0", "annotation_license": "CC-BY-4.0"},
        "text": {"content": text},
        "correction_log": [{"item": "1", "decision": "APPLIED", "reason": "A slip."}],
        "annotation_sets": [
            {"annotation_set_id": "set1", "layer": "mentions", "annotator_id": "p1", "annotator_type": "HUMAN",
             "created": "2026-01-03", "status": "PRIMARY"},
        ],
        "coverage": [{"layer": "mentions", "status": "PARTIAL", "regions": [span(sentences[0])]}],
        "segments": [
            {"segment_id": "p1", "kind": "body", "spans": [{"start": 0, "end": len(text.rstrip())}]},
            *({"segment_id": f"s{i}", "kind": "sentence", "parent_id": "p1", "spans": [span(s)]}
              for i, s in enumerate(sentences, 1)),
        ],
        "entities": [
            {"entity_id": "e1", "type": "PER", "entity_class": "SPC", "canonical_name": who, "kb_status": "nil"},
            {"entity_id": "e2", "type": "GPE", "entity_class": "SPC", "canonical_name": place, "kb": "wikidata",
             "kb_id": "Q220", "kb_status": "unverified", "iso3166_1": "IT"},
            {"entity_id": "e3", "type": rng.choice(("ORG", "VEH", "OTH")), "entity_class": "USP", "canonical_name": "boats",
             "kb_status": "unlinked", "part_of_entity_id": None, "member_entity_ids": ["e1"], "affiliation_entity_id": "e2"},
        ],
        "mentions": [
            {"mention_id": "m1", "entity_id": "e1", "spans": [span(who, one)], "mention_type": "NAM"},
            {"mention_id": "m2", "entity_id": "e2", "spans": [span(place, one)], "mention_type": "NAM", "gpe_role": "LOC",
             "literal_kb_id": "Q220"},
            {"mention_id": "m3", "entity_id": "e3", "spans": [span("about 50"), span("boats")], "mention_type": "NOM"},
        ],
        "times": [
            {"time_id": "t0", "spans": [], "timex_type": "DATE", "value": "2026-01-01", "temporal_function": False,
             "function_in_document": "CREATION_TIME"},
            {"time_id": "t1", "spans": [span("Monday")], "timex_type": "DATE", "value": "2025-12-29", "temporal_function": True,
             "anchor_time_id": "t0", "function_in_document": "NONE", "edtf": "2025-12-29", "earliest": "2025-12-29",
             "latest": rng.choice(("2025-12-29", "2025-12-30"))},
        ],
        "quantities": [
            {"quantity_id": f"q{i}", "spans": [span("about 50 boats")], "hedge_spans": [span("about")],
             **({} if name == "VAGUE" else {"number_span": span("50")}), "comparator": name, "quantity_kind": "COUNT",
             "change": "LEVEL", "measure": "OTHER", "of_what": "boats", "counted_entity_id": "e3", "place_entity_id": "e2",
             "time_id": "t1", "as_of_basis": "STATED", "aggregation": "FLOW", **NUMBERS[name], **unit}
            for i, name in enumerate(numbers, 1)
        ],
        "attributions": [
            {"attribution_id": "a1", "source_spans": [span(who)], "cue_spans": [span("said")],
             "content_spans": [span("about 50 boats"), span(f"left {place}", one)], "source_entity_ids": ["e1"],
             "source_type": "NAMED_PERSON", "quote_type": "INDIRECT", "attitude": "ASSERTION", "medium": "SPEECH",
             "scopal_polarity": "POS", "determinacy": "FACTUAL", "level": 1, "time_id": "t1", "as_of_basis": "STATED",
             "content_alternatives": [[span("boats")], []]},
            {"attribution_id": "a2", "source_spans": [span("Ann", two)], "cue_spans": [span("said", two)],
             "content_spans": [span(sentences[1].removesuffix(" said Ann."), two)], "source_entity_ids": ["e1"],
             "source_type": "UNSPECIFIED", "quote_type": rng.choice(("MIXED", "INDIRECT")), "attitude": "BELIEF",
             "medium": "WRITING", "scopal_polarity": "NEG", "determinacy": "NONFACTUAL", "level": 1, "insertion_spans": []},
            {"attribution_id": "a3", "source_spans": [], "cue_spans": [], "source_implicit": True,
             "content_spans": [span(quote, two)], "source_entity_ids": ["e3"], "source_type": "UNSPECIFIED",
             "quote_type": "DIRECT", "attitude": "QUESTION", "medium": "THOUGHT", "scopal_polarity": "POS",
             "determinacy": "FACTUAL", "level": 2, "parent_attribution_id": "a2", "insertion_spans": [span(inner, two)]},
        ],
        "events": [
            {"event_id": "ev1", "event_cluster_id": "leaving", "trigger_spans": [span("left")], "event_scheme": "LOCAL",
             "event_type": "OTHER", "timeml_class": "OCCURRENCE", "actor_entity_ids": ["e3"], "place_entity_id": "e2",
             "time_id": "t1", "as_of_basis": "STATED", "auxiliary": ["historical"]},
            {"event_id": "ev2", "event_cluster_id": "help", "trigger_spans": [span("told", two)], "event_scheme": "PLOVER",
             "event_type": rng.choice(("AID", "COOPERATE", "SANCTION")), "timeml_class": "I_ACTION",
             **rng.choice(({"recipient_entity_ids": ["e1"]}, {"actor_entity_ids": ["e1", "e2"]}))},
        ],
        "factuality": [
            {"factuality_id": "f1", "event_id": "ev1", "source_is_author": True, "certainty": "U", "polarity": "UNK"},
            {"factuality_id": "f2", "event_id": "ev1", "source_is_author": False, "source_entity_ids": ["e1"],
             "attribution_id": "a1", "certainty": "CT", "polarity": "POS"},
        ],
        "claims": [
            {"claim_id": "c1", "claim_type": "QUANTITY", "is_authorial": False, "attribution_id": "a1",
             "attribution_chain": ["a1"], "source_entity_ids": ["e1"], "proposition": "Boats left.", "modality": "ASSERTED",
             "certainty": "CT", "polarity": "POS", "quantity_ids": ["q1"], "event_ids": ["ev1"], "estimand_id": "boats-left",
             "utterance_time_id": "t1", "as_of_basis": "STATED"},
            {"claim_id": "c2", "claim_type": "EVENT", "is_authorial": True, "modality": "CONDITIONAL", "certainty": "PS",
             "polarity": "POS", "event_ids": ["ev2"], "condition_event_ids": ["ev1"]},
        ],
    }  # fmt: skip
    return record


def varied(record: Json, rng: random.Random) -> Json:
    """The record with its text described, its surfaces given, or its text taken out (a stand-off record)."""
    text = record["text"]["content"]
    raw = text.encode()
    described = {"sha256": hashlib.sha256(raw).hexdigest(), "n_code_points": len(text), "n_bytes": len(raw)}
    choice = rng.random()
    if choice < 0.15:
        record["text"] = {**described, **rng.choice(({}, {"content": None}))}
        record["rights"] = {"annotation_license": "CC-BY-4.0", **rng.choice(({}, {"text_redistributable": False}))}
    elif choice < 0.6:
        record["text"] |= described
    if choice < 0.15 or choice > 0.8:
        for layer, fields in SPANS.items():
            for item in record.get(layer, ()):
                for span in [span for field in fields for span in flat(item.get(field))]:
                    if rng.random() < 0.7:
                        span["surface"] = text[span["start"] : span["end"]]
    return record
