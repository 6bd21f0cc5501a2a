"""Every rule of stage "check" that one record of the flagship decides, said a second time in plain Python.

Written from docs/rules.md, docs/records.md and the guideline, to disagree with the engine where the engine is wrong. It imports
nothing of dateline and no schema library, reads no schema file, and is slow and flat on purpose: one small function per rule.

Questions are asked in four rounds, and a round only if the one before found nothing: bytes, shape, content (text, keys,
references, numbers, spans), structure (within, cycles), laws. So the sets of rules can be compared, too.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

Json = dict[str, Any]

LAYERS = (
    "annotation_sets", "attributions", "claims", "coverage", "entities", "events", "factuality", "mentions", "probes",
    "quantities", "segments", "times",
)  # fmt: skip
KEY_OF = {
    "annotation_sets": "annotation_set_id", "attributions": "attribution_id", "claims": "claim_id", "coverage": "layer",
    "entities": "entity_id", "events": "event_id", "factuality": "factuality_id", "mentions": "mention_id", "probes": "probe_id",
    "quantities": "quantity_id", "segments": "segment_id", "times": "time_id",
}  # fmt: skip
REFERENCES = {
    "segments": {"parent_id": "segments"},
    "entities": {"part_of_entity_id": "entities", "member_entity_ids": "entities", "affiliation_entity_id": "entities"},
    "mentions": {"entity_id": "entities"},
    "times": {"anchor_time_id": "times"},
    "quantities": {
        "measure": "measures", "counted_entity_id": "entities", "beneficiary_entity_id": "entities",
        "payer_entity_id": "entities", "place_entity_id": "entities", "time_id": "times", "subset_of_quantity_id": "quantities",
        "restates_quantity_id": "quantities", "retracts_quantity_id": "quantities",
    },
    "attributions": {
        "source_entity_ids": "entities", "on_behalf_of_entity_ids": "entities", "addressee_entity_ids": "entities",
        "parent_attribution_id": "attributions", "time_id": "times",
    },
    "events": {
        "actor_entity_ids": "entities", "recipient_entity_ids": "entities", "place_entity_id": "entities", "time_id": "times",
    },
    "factuality": {"event_id": "events", "source_entity_ids": "entities", "attribution_id": "attributions"},
    "claims": {
        "attribution_id": "attributions", "attribution_chain": "attributions", "source_entity_ids": "entities",
        "quantity_ids": "quantities", "event_ids": "events", "condition_event_ids": "events", "utterance_time_id": "times",
    },
}  # fmt: skip
SPANS = {
    "coverage": ["regions"],
    "segments": ["spans"],
    "mentions": ["spans"],
    "probes": ["spans"],
    "times": ["spans"],
    "quantities": ["spans", "number_span", "hedge_spans"],
    "attributions": ["source_spans", "cue_spans", "content_spans", "insertion_spans", "content_alternatives"],
    "events": ["trigger_spans"],
}
DECIMALS = ("value", "low", "high", "rounding_unit")
MARKS = set('"“”„«»「」『』')
PLOVER = (
    "AGREE", "CONSULT", "SUPPORT", "CONCEDE", "COOPERATE", "AID", "RETREAT", "REQUEST", "ACCUSE", "REJECT", "THREATEN", "PROTEST",
    "SANCTION", "MOBILIZE", "COERCE", "ASSAULT",
)  # fmt: skip
LOCAL = ("PRESENCE", "CASUALTY", "STATEMENT", "OTHER")


def judge(line: bytes, measures: set[str]) -> set[str]:
    """Ids of the rules that the bytes of one JSON line break; the empty set means accepted."""
    try:
        record = read(line)
    except Unreadable as fault:
        return {fault.rule}
    broken = set(RECORD(record))
    for questions in (CONTENT, STRUCTURE, LAWS):
        if not broken:
            broken = {rule for rule, holds in questions if not holds(record, measures)}
    return broken


# ---- bytes ---------------------------------------------------------------------------------------------------


class Unreadable(Exception):
    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


TOKEN = re.compile(
    r"""[ \t\n\r]*(?:
        (?P<mark>[{}\[\],:])
      | (?P<string>"(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*+")
      | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9]))
      | (?P<word>true|false|null)
      | (?P<infinite>NaN|-?Infinity)
    )""",
    re.VERBOSE,
)
WORDS = {"true": True, "false": False, "null": None}
ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def read(line: bytes) -> Json:
    if line.startswith(b"\xef\xbb\xbf"):
        raise Unreadable("bom")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("utf8") from None
    try:
        value, end = value_at(text, 0)
    except RecursionError:
        raise Unreadable("json-syntax") from None
    if text[end:].strip(" \t\n\r"):
        raise Unreadable("json-syntax")
    if not isinstance(value, dict):
        raise Unreadable("json-object")
    if "\\u" in text and any(re.search("[\ud800-\udfff]", s) for s in strings_of(value)):
        raise Unreadable("lone-surrogate")
    return value


def token_at(text: str, at: int) -> tuple[str, str, int]:
    found = TOKEN.match(text, at)
    if not found or not found.lastgroup:
        raise Unreadable("json-syntax")
    return found.lastgroup, found[found.lastgroup], found.end()


def value_at(text: str, at: int) -> tuple[Any, int]:
    kind, token, at = token_at(text, at)
    if kind == "string":
        return string_of(token), at
    if kind == "number":
        return number_of(token), at
    if kind == "word":
        return WORDS[token], at
    if kind == "infinite":
        raise Unreadable("number-finite")
    if token not in "{[":
        raise Unreadable("json-syntax")
    pairs: list[tuple[Any, Any]] = []
    close = "}" if token == "{" else "]"
    if token_at(text, at)[1] == close:
        return ({} if close == "}" else []), token_at(text, at)[2]
    while True:
        name = None
        if close == "}":
            kind, name, at = token_at(text, at)
            colon, after = token_at(text, at)[1:]
            if kind != "string" or colon != ":":
                raise Unreadable("json-syntax")
            name, at = string_of(name), after
        value, at = value_at(text, at)
        pairs.append((name, value))
        kind, token, at = token_at(text, at)
        if kind != "mark" or token not in (",", close):
            raise Unreadable("json-syntax")
        if token == close:
            break
    if close == "]":
        return [value for _, value in pairs], at
    if len({name for name, _ in pairs}) < len(pairs):
        raise Unreadable("duplicate-key")
    return dict(pairs), at


def string_of(token: str) -> str:
    if "\\" not in token:
        return token[1:-1]
    units = re.sub(r"\\(u....|.)", lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "u" else ESCAPES[m[1]], token[1:-1])
    # two escapes may spell one character
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def number_of(token: str) -> int | Decimal:
    if re.fullmatch("-?[0-9]+", token):
        if len(token.lstrip("-")) > 4300:
            raise Unreadable("json-syntax")
        return int(token)
    if abs(float(token)) == float("inf"):
        raise Unreadable("number-finite")
    return Decimal(token)


def strings_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings_of(item)
    elif isinstance(value, dict):
        yield from value
        yield from strings_of(list(value.values()))


# ---- shape ---------------------------------------------------------------------------------------------------

Kind = Callable[[Any], Iterable[str]]


def string(*, null: bool = False, pattern: str = "", rule: str = "", form: Callable[[str], bool] | None = None) -> Kind:
    def look(value: Any) -> Iterator[str]:
        if not isinstance(value, str):
            if not (null and value is None):
                yield "wrong-type"
            return
        if pattern and not re.fullmatch(pattern, value):
            yield "bad-value"
        if form and not form(value):
            yield rule

    return look


def label(*options: str, null: bool = False) -> Kind:
    def look(value: Any) -> Iterator[str]:
        if null and value is None:
            return
        if not isinstance(value, str):
            yield "wrong-type"
        if not isinstance(value, str) or value not in options:
            yield "unknown-label"

    return look


def is_number(value: Any) -> bool:
    return type(value) in (int, Decimal)


def is_whole(value: Any) -> bool:
    return type(value) is int or (type(value) is Decimal and value == value.to_integral_value())


def whole(least: int, most: int = 2**63 - 1) -> Kind:
    def look(value: Any) -> Iterator[str]:
        if not is_whole(value):
            yield "wrong-type"
        if is_number(value) and not least <= value <= most:
            yield "number-range"

    return look


def number_or_null(value: Any) -> Iterator[str]:
    if value is not None and not is_number(value):
        yield "wrong-type"


def boolean(*, null: bool = False) -> Kind:
    def look(value: Any) -> Iterator[str]:
        if not isinstance(value, bool) and not (null and value is None):
            yield "wrong-type"

    return look


def list_of(kind: Kind, *, least: int = 0, most: int | None = None, unique: bool = False) -> Kind:
    def look(value: Any) -> Iterator[str]:
        if not isinstance(value, list):
            yield "wrong-type"
            return
        if len(value) < least or (most is not None and len(value) > most):
            yield "bad-value"
        if unique and any(same(a, b) for i, a in enumerate(value) for b in value[:i]):
            yield "bad-value"
        for item in value:
            yield from kind(item)

    return look


def same(a: Any, b: Any) -> bool:
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def record_of(required: str, /, **fields: Kind) -> Kind:
    def look(value: Any) -> Iterator[str]:
        if not isinstance(value, dict):
            yield "wrong-type"
            return
        if any(name not in value for name in required.split()):
            yield "missing-field"
        for name, item in value.items():
            if name in fields:
                yield from fields[name](item)
            else:
                yield "unknown-field"

    return look


def or_null(kind: Kind) -> Kind:
    return lambda value: () if value is None else kind(value)


def is_date(value: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    try:
        datetime.date(int(value[:4]), int(value[5:7]), int(value[8:]))
    except ValueError:
        return False
    return True


def is_edtf(value: str) -> bool:
    """The part of EDTF that the generator writes: years, months, days, the forms of a list, and intervals of them."""
    parts = value.split("/")
    if len(parts) == 2 and ".." in parts and parts != ["..", ".."]:
        parts.remove("..")
    return len(parts) <= 2 and all(
        re.fullmatch("[0-9]{4}", p) or is_date(p) or is_date(p + "-01") or p in {"2024?", "2024-10~", "2024-21", "202X"}
        for p in parts
    )


# values that the generator writes; each is or is not in the official list, which the engine's libraries carry
LANGUAGES = {
    "en",
    "de",
    "es",
    "uk",
    "pt-BR",
    "zh-Hant-TW",
    "sr-Latn",
    "en-GB",
    "GPE",
}  # the last a label, and Ghanaian Pidgin English
LICENCES = {
    "CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0", "MIT", "MIT OR Apache-2.0", "CC-BY-NC-4.0", "CC-BY-ND-4.0",
    "LicenseRef-AP-AllRightsReserved", "LicenseRef-Own",
}  # fmt: skip
COUNTRIES = {"CN", "JP", "KP", "KR", "RU", "UA", "US", "DE", "FR", "IT"}


def licence(*, null: bool = True) -> Kind:
    return string(null=null, rule="license-expression", form=LICENCES.__contains__)


def date(*, null: bool = False) -> Kind:
    return string(null=null, rule="date", form=is_date)


def key(prefix: str) -> Kind:
    return string(pattern=prefix + "[0-9]+[a-z]?")


OFFSET = whole(0, 2**31 - 1)
SPAN = record_of("start end", start=OFFSET, end=OFFSET, surface=string(null=True))
SPAN_OR_NULL = or_null(SPAN)
ANY_SPANS = list_of(SPAN)
SOME_SPANS = list_of(SPAN, least=1)
TEXT = string()
MAYBE = string(null=True)
IDS = list_of(string(), unique=True)
SOME_IDS = list_of(string(), unique=True, least=1)
BASIS = label("STATED", "INFERRED", "DEFAULT_DCT", null=True)
QID = string(null=True, pattern="Q[1-9][0-9]*")
ESTIMAND = string(null=True, pattern="[a-z0-9]+(-[a-z0-9]+)*")
TIMEX = (
    r"(PAST|PRESENT|FUTURE)_REF"
    r"|P([0-9X]+[YMWD])*(T([0-9X]+[HMS])+)?"
    r"|P(LE|DE|CE|E)[0-9]+"
    r"|[0-9X]{2,4}(-[HQ][12X34])?"
    r"|[0-9X]{4}-(SP|SU|FA|WI)"
    r"|[0-9X]{4}-W[0-9X]{2}(-(WE|[1-7]))?"
    r"|[0-9X]{4}-[0-9X]{2}(-[0-9X]{2})?(T([0-9X]{2}(:[0-9X]{2}(:[0-9X]{2})?)?|MO|MI|AF|EV|NI|DT))?"
    r"|T([0-9X]{2}(:[0-9X]{2})?|MO|MI|AF|EV|NI|DT)"
)

ITEMS: dict[str, Kind] = {
    "annotation_sets": record_of(
        "annotation_set_id layer annotator_id annotator_type status",
        annotation_set_id=string(pattern="[A-Za-z0-9][A-Za-z0-9._-]*"),
        layer=TEXT,
        annotator_id=TEXT,
        annotator_type=label("HUMAN", "MODEL", "MODEL_ASSISTED"),
        tool=MAYBE,
        tool_version=MAYBE,
        guideline_version=MAYBE,
        created=date(null=True),
        status=label("PRIMARY", "ADJUDICATED", "REFERENCE_DRAFT"),
        adjudicator_id=MAYBE,
        supersedes=MAYBE,
    ),
    "coverage": record_of("layer status", layer=TEXT, status=label("FULL", "PARTIAL", "NONE"), regions=ANY_SPANS),
    "segments": record_of(
        "segment_id kind spans",
        segment_id=key("[a-z]"),
        kind=label("body", "credit", "headline", "dateline", "sentence", "ingest_artifact"),
        parent_id=MAYBE,
        spans=list_of(SPAN, least=1, most=1),
    ),
    "entities": record_of(
        "entity_id type entity_class canonical_name kb_status",
        entity_id=key("e"),
        type=label("PER", "ORG", "GPE", "LOC", "FAC", "WEA", "VEH", "LAW", "OTH"),
        entity_class=label("SPC", "GEN", "USP"),
        canonical_name=TEXT,
        kb=label("wikidata", null=True),
        kb_id=QID,
        kb_status=label("verified", "unverified", "unlinked", "nil"),
        iso3166_1=string(null=True, pattern="[A-Z]{2}", rule="country-code", form=COUNTRIES.__contains__),
        part_of_entity_id=MAYBE,
        member_entity_ids=IDS,
        affiliation_entity_id=MAYBE,
        note=MAYBE,
    ),
    "mentions": record_of(
        "mention_id entity_id spans mention_type",
        mention_id=key("m"),
        entity_id=TEXT,
        spans=SOME_SPANS,
        mention_type=label("NAM", "NOM", "PRO"),
        gpe_role=label("GPE", "ORG", "LOC", "PER", null=True),
        adjectival=boolean(),
        literal_kb_id=QID,
    ),
    "times": record_of(
        "time_id spans timex_type value temporal_function function_in_document",
        time_id=key("t"),
        spans=ANY_SPANS,
        timex_type=label("DATE", "TIME", "DURATION", "SET"),
        value=string(pattern=TIMEX),
        mod=label(
            "BEFORE", "AFTER", "ON_OR_BEFORE", "ON_OR_AFTER", "LESS_THAN", "MORE_THAN", "EQUAL_OR_LESS", "EQUAL_OR_MORE",
            "START", "MID", "END", "APPROX", null=True,
        ),
        temporal_function=boolean(),
        anchor_time_id=MAYBE,
        function_in_document=label("CREATION_TIME", "PUBLICATION_TIME", "NONE"),
        edtf=string(null=True, rule="edtf", form=is_edtf),
        earliest=date(null=True),
        latest=date(null=True),
    ),
    "quantities": record_of(
        "quantity_id spans comparator quantity_kind change measure of_what aggregation",
        quantity_id=key("q"),
        spans=SOME_SPANS,
        number_span=SPAN_OR_NULL,
        hedge_spans=ANY_SPANS,
        hedge_type=label("AROUND", "BELOW", "ABOVE", null=True),
        value=number_or_null,
        low=number_or_null,
        high=number_or_null,
        low_closed=boolean(null=True),
        high_closed=boolean(null=True),
        comparator=label("EXACT", "BARE", "APPROX", "LT", "LE", "GT", "GE", "RANGE", "VAGUE"),
        rounding_unit=number_or_null,
        quantity_kind=label("COUNT", "MONEY", "ORDINAL", "RATIO", "PHYSICAL", "VAGUE"),
        unit=MAYBE,
        unit_system=label("UCUM", "ISO4217", null=True),
        change=label("LEVEL", "INCREASE_BY", "INCREASE_TO", "DECREASE_BY", "DECREASE_TO"),
        measure=TEXT,
        of_what=TEXT,
        counted_entity_id=MAYBE,
        beneficiary_entity_id=MAYBE,
        payer_entity_id=MAYBE,
        place_entity_id=MAYBE,
        time_id=MAYBE,
        as_of_basis=BASIS,
        aggregation=label("STOCK", "FLOW", "CUMULATIVE", "NONE"),
        subset_of_quantity_id=MAYBE,
        restates_quantity_id=MAYBE,
        retracts_quantity_id=MAYBE,
        note=MAYBE,
    ),
    "attributions": record_of(
        "attribution_id source_spans cue_spans content_spans source_entity_ids source_type quote_type attitude medium"
        " scopal_polarity determinacy level",
        attribution_id=key("a"),
        source_spans=ANY_SPANS,
        cue_spans=ANY_SPANS,
        content_spans=SOME_SPANS,
        source_entity_ids=SOME_IDS,
        source_type=label(
            "NAMED_PERSON", "GOVERNMENT", "ORGANIZATION", "COLLECTIVE", "ANONYMOUS", "DOCUMENT", "UNSPECIFIED"
        ),
        source_implicit=boolean(),
        on_behalf_of_entity_ids=IDS,
        quote_type=label("DIRECT", "MIXED", "INDIRECT"),
        attitude=label("ASSERTION", "BELIEF", "PERCEPTION", "INTENTION", "DIRECTIVE", "QUESTION"),
        medium=label("SPEECH", "WRITING", "THOUGHT", "UNSPECIFIED"),
        scopal_polarity=label("POS", "NEG"),
        determinacy=label("FACTUAL", "NONFACTUAL"),
        inferred=boolean(),
        level=whole(1, 9),
        parent_attribution_id=MAYBE,
        addressee_entity_ids=IDS,
        time_id=MAYBE,
        as_of_basis=BASIS,
        content_alternatives=list_of(ANY_SPANS),
        insertion_spans=ANY_SPANS,
        note=MAYBE,
    ),
    "events": record_of(
        "event_id event_cluster_id trigger_spans event_scheme event_type timeml_class",
        event_id=key("ev"),
        event_cluster_id=TEXT,
        parent_cluster_id=MAYBE,
        trigger_spans=SOME_SPANS,
        event_scheme=label("PLOVER", "LOCAL"),
        event_type=label(*PLOVER, *LOCAL),
        event_mode=MAYBE,
        contexts=list_of(TEXT),
        timeml_class=label("OCCURRENCE", "STATE", "I_ACTION", "I_STATE", "REPORTING", "PERCEPTION", "ASPECTUAL"),
        actor_entity_ids=IDS,
        recipient_entity_ids=IDS,
        place_entity_id=MAYBE,
        time_id=MAYBE,
        as_of_basis=BASIS,
        auxiliary=list_of(label("historical", "future", "hypothetical", "negation"), unique=True),
        note=MAYBE,
    ),
    "factuality": record_of(
        "factuality_id event_id source_is_author certainty polarity",
        factuality_id=key("f"),
        event_id=TEXT,
        source_is_author=boolean(),
        source_entity_ids=IDS,
        attribution_id=MAYBE,
        certainty=label("CT", "PR", "PS", "U"),
        polarity=label("POS", "NEG", "UNK"),
        note=MAYBE,
    ),
    "claims": record_of(
        "claim_id claim_type is_authorial modality certainty polarity",
        claim_id=key("c"),
        claim_type=label("QUANTITY", "EVENT", "COMPARISON", "EVALUATION"),
        attribution_id=MAYBE,
        attribution_chain=IDS,
        is_authorial=boolean(),
        source_entity_ids=IDS,
        proposition=MAYBE,
        modality=label(
            "ASSERTED", "PRESUPPOSED", "PREDICTED", "INFERRED", "CONDITIONAL", "DEMANDED", "NORMATIVE", "QUESTIONED", "COMMITTED"
        ),
        certainty=label("CT", "PR", "PS", "U"),
        polarity=label("POS", "NEG", "UNK"),
        quantity_ids=IDS,
        event_ids=IDS,
        condition_event_ids=IDS,
        estimand_id=ESTIMAND,
        parent_estimand_id=ESTIMAND,
        fact_id=string(null=True, pattern="f[0-9]+[a-z]?"),
        utterance_time_id=MAYBE,
        as_of_basis=BASIS,
        note=MAYBE,
    ),
    "probes": record_of(
        "probe_id spans hypothesis answer", probe_id=key("pr"), spans=SOME_SPANS, hypothesis=MAYBE, answer=label("YES", "NO")
    ),
}  # fmt: skip

RECORD = record_of(
    "article_id schema_version revision publisher genre published fictional origin language group rights text",
    article_id=string(pattern="[a-z0-9]+-[0-9]{8}-[0-9a-f]{12}"),
    schema_version=label("0.2.0"),
    revision=whole(1),
    publisher=TEXT,
    genre=label("news_wire", "news_web", "statement", "transcript"),
    published=date(),
    headline=MAYBE,
    byline=MAYBE,
    fictional=boolean(),
    tier=label("STORY", "CONTRAST", "ANCHOR", null=True),
    contrast_set_id=string(null=True, pattern="[a-z0-9]+(-[a-z0-9]+)*"),
    edited_phenomenon=label(
        "BOUND", "RANGE", "NESTING", "CHAIN_FACTUALITY", "CERTAINTY_SCOPE", "SUBSET_ANAPHORA", "UPDATE_CONFLICT",
        "RESTATEMENT_HEDGE", "KILLED_WOUNDED", "DATE_ATTACHMENT", null=True,
    ),
    expected_change=MAYBE,
    held_out=list_of(label("CELL", "LEXICON"), unique=True),
    canary=MAYBE,
    origin=label("WIRE", "MODEL_WRITTEN", "HUMAN_WRITTEN"),
    source=record_of(
        "", url=MAYBE, archive_url=MAYBE, retrieved_from=MAYBE, retrieved_at=date(null=True), based_on=list_of(TEXT)
    ),
    correction_log=list_of(
        record_of("item decision reason", item=TEXT, decision=label("APPLIED", "PARTLY_APPLIED", "NOT_APPLIED"), reason=TEXT)
    ),
    text=record_of(
        "", content=MAYBE, sha256=string(pattern="[0-9a-f]{64}"), n_code_points=whole(1), n_bytes=whole(1)
    ),
    rights=record_of(
        "",
        text_license=licence(),
        annotation_license=licence(),
        text_redistributable=boolean(),
        rights_holder=MAYBE,
        rights_note=MAYBE,
        evidence_url=MAYBE,
    ),
    language=string(null=True, rule="language-tag", form=LANGUAGES.__contains__),
    group=string(null=True, pattern="(?s:.+)"),
    split=string(null=True, pattern="[a-z][a-z0-9_]*"),
    supersedes=MAYBE,
    **{name: list_of(kind) for name, kind in ITEMS.items()},
)  # fmt: skip


# ---- questions to a record of the right shape ----------------------------------------------------------------

Question = Callable[[Json, set[str]], bool]
CONTENT: list[tuple[str, Question]] = []
STRUCTURE: list[tuple[str, Question]] = []
LAWS: list[tuple[str, Question]] = []


def asked(questions: list[tuple[str, Question]], rule: str) -> Callable[[Callable[[Json], bool]], Callable[[Json], bool]]:
    """Note a function that says whether a whole record keeps the rule."""

    def note(holds: Callable[[Json], bool]) -> Callable[[Json], bool]:
        questions.append((rule, lambda record, _: holds(record)))
        return holds

    return note


def law(rule: str, *layers: str) -> Callable[[Callable[[Json], bool]], Callable[[Json], bool]]:
    """Note a function that says whether an item of these layers keeps the rule."""

    def note(holds: Callable[[Json], bool]) -> Callable[[Json], bool]:
        LAWS.append((rule, lambda record, _: all(holds(item) for layer in layers for item in items(record, layer))))
        return holds

    return note


def items(record: Json, layer: str) -> list[Json]:
    return record.get(layer) or []


def by_id(record: Json, layer: str) -> dict[str, Json]:
    return {item[KEY_OF[layer]]: item for item in items(record, layer)}


def many(item: Json, field: str) -> list[Any]:
    return item.get(field) or []


def span_lists(record: Json) -> Iterator[list[Json]]:
    for layer, fields in SPANS.items():
        for item in items(record, layer):
            for field in fields:
                value = item.get(field)
                if isinstance(value, dict):
                    yield [value]
                elif value and isinstance(value[0], list):
                    yield from value
                elif value:
                    # an empty list of alternatives may stand among others
                    yield value


def is_sound(record: Json, span: Json) -> bool:
    """Whether the span's numbers can be looked up in the text at all."""
    length = length_of(record)
    return bool(span["start"] < span["end"] and (length is None or span["end"] <= length))


def length_of(record: Json) -> int | None:
    content = record["text"].get("content")
    return record["text"].get("n_code_points") if content is None else len(content)


def words(record: Json, span: Json) -> str:
    return str(record["text"]["content"][int(span["start"]) : int(span["end"])])


@asked(CONTENT, "text-missing")
def text_missing(record: Json) -> bool:
    said = record["text"]
    return said.get("content") is not None or {"sha256", "n_code_points", "n_bytes"} <= set(said)


@asked(CONTENT, "text-nul")
def text_nul(record: Json) -> bool:
    return "\0" not in (record["text"].get("content") or "")


@asked(CONTENT, "text-hash")
def text_hash(record: Json) -> bool:
    said = record["text"]
    if said.get("content") is None or "sha256" not in said:
        return True
    return bool(said["sha256"] == hashlib.sha256(said["content"].encode("utf-8")).hexdigest())


@asked(CONTENT, "text-length")
def text_length(record: Json) -> bool:
    said = record["text"]
    if said.get("content") is None:
        return True
    true = {"n_code_points": len(said["content"]), "n_bytes": len(said["content"].encode("utf-8"))}
    return all(said[name] == true[name] for name in true if name in said)


@asked(CONTENT, "duplicate-id")
def duplicate_id(record: Json) -> bool:
    ids = [item[KEY_OF[layer]] for layer in LAYERS for item in items(record, layer)]
    return len(ids) == len(set(ids))


def reference(record: Json, measures: set[str]) -> bool:
    for layer, fields in REFERENCES.items():
        for item in items(record, layer):
            for field, other in fields.items():
                known = measures if other == "measures" else set(by_id(record, other))
                value = item.get(field)
                for wanted in value if isinstance(value, list) else [value]:
                    if wanted is not None and wanted not in known:
                        return False
    return True


CONTENT.append(("reference", reference))


@asked(CONTENT, "number-precision")
def number_precision(record: Json) -> bool:
    for quantity in items(record, "quantities"):
        for field in DECIMALS:
            if quantity.get(field) is not None:
                # 38 digits, 9 of them behind the point
                plain = format(Decimal(quantity[field]), "f").lstrip("-")
                before, _, behind = plain.partition(".")
                if len(before.lstrip("0")) > 29 or len(behind.rstrip("0")) > 9:
                    return False
    return True


@asked(CONTENT, "span-order")
def span_order(record: Json) -> bool:
    return all(span["start"] < span["end"] for spans in span_lists(record) for span in spans)


@asked(CONTENT, "span-inside-text")
def span_inside_text(record: Json) -> bool:
    length = length_of(record)
    spans = [span for spans in span_lists(record) for span in spans if span["start"] < span["end"]]
    return length is None or all(span["end"] <= length for span in spans)


@asked(CONTENT, "span-sorted")
def span_sorted(record: Json) -> bool:
    for spans in span_lists(record):
        sound = [span for span in spans if is_sound(record, span)]
        if any(right["start"] < left["end"] for left, right in pairwise(sound)):
            return False
    return True


@asked(CONTENT, "span-surface")
def span_surface(record: Json) -> bool:
    return all(
        span.get("surface") in (None, words(record, span))
        for spans in span_lists(record)
        for span in spans
        if record["text"].get("content") is not None and is_sound(record, span)
    )


@asked(CONTENT, "span-edge")
def span_edge(record: Json) -> bool:
    """Of a span whose surface is wrong already, the edges say nothing."""
    return not any(
        words(record, span)[0].isspace() or words(record, span)[-1].isspace()
        for spans in span_lists(record)
        for span in spans
        if record["text"].get("content") is not None
        and is_sound(record, span)
        and span.get("surface") in (None, words(record, span))
    )


def lies_in(inner: list[Json], outer: list[Json]) -> bool:
    return all(any(o["start"] <= i["start"] and i["end"] <= o["end"] for o in outer) for i in inner)


@asked(STRUCTURE, "span-within")
def span_within(record: Json) -> bool:
    for quantity in items(record, "quantities"):
        number = [quantity["number_span"]] if quantity.get("number_span") else []
        if not lies_in(number + many(quantity, "hedge_spans"), quantity["spans"]):
            return False
    for layer, parent_field, field in (
        ("segments", "parent_id", "spans"),
        ("attributions", "parent_attribution_id", "content_spans"),
    ):
        for item in items(record, layer):
            parent = item.get(parent_field)
            if parent is not None and not lies_in(item[field], by_id(record, layer)[parent][field]):
                return False
    return True


@asked(STRUCTURE, "reference-cycle")
def reference_cycle(record: Json) -> bool:
    all_of_them = by_id(record, "attributions")
    for start in all_of_them:
        at = all_of_them[start].get("parent_attribution_id")
        for _ in all_of_them:
            if at == start:
                return False
            at = all_of_them[at].get("parent_attribution_id") if at is not None else None
    return True


# ---- laws of any layer ---------------------------------------------------------------------------------------


def descends(values: list[Any]) -> bool:
    given = [value for value in values if value is not None]
    return given != sorted(given)


@law("ascending", "times")
def earliest_before_latest(time: Json) -> bool:
    return not descends([time.get("earliest"), time.get("latest")])


@law("ascending", "quantities")
def low_value_high(quantity: Json) -> bool:
    return not descends([quantity.get("low"), quantity.get("value"), quantity.get("high")])


def characters(spans: list[Json]) -> set[int]:
    return {at for span in spans for at in range(int(span["start"]), int(span["end"]))}


@law("span-outside", "attributions")
def span_outside(attribution: Json) -> bool:
    others = characters(many(attribution, "cue_spans") + many(attribution, "source_spans"))
    return not characters(attribution["content_spans"]) & others


@asked(LAWS, "depth")
def depth(record: Json) -> bool:
    level = {item["attribution_id"]: item["level"] for item in items(record, "attributions")}
    for item in items(record, "attributions"):
        parent = item.get("parent_attribution_id")
        if item["level"] != (1 if parent is None else level[parent] + 1):
            return False
    return True


@asked(LAWS, "quotation-marks")
def quotation_marks(record: Json) -> bool:
    text = record["text"].get("content")
    if text is None:
        return True
    for item in items(record, "attributions"):
        inside = characters(item["content_spans"])
        marks = {at for at in inside if text[at] in MARKS}
        nested = [a for a in items(record, "attributions") if a.get("parent_attribution_id") == item["attribution_id"]]
        own = marks - {at for a in nested for at in characters(a["content_spans"])}
        pieces = [words(record, span) for span in item["content_spans"]]
        closed = all(len(p) >= 2 and p[0] in MARKS and p[-1] in MARKS for p in pieces)
        if not {"DIRECT": closed, "MIXED": bool(marks), "INDIRECT": not own}[item["quote_type"]]:
            return False
    return True


@asked(LAWS, "target")
def target(record: Json) -> bool:
    kind = {entity["entity_id"]: entity["type"] for entity in items(record, "entities")}
    places = [event.get("place_entity_id") for event in items(record, "events")]
    return all(place is None or kind[place] in ("GPE", "LOC", "FAC") for place in places)


@asked(LAWS, "present")
def present(record: Json) -> bool:
    kind = {entity["entity_id"]: entity["type"] for entity in items(record, "entities")}
    return all((m.get("gpe_role") is not None) == (kind[m["entity_id"]] == "GPE") for m in items(record, "mentions"))


@asked(LAWS, "text-covered")
def text_covered(record: Json) -> bool:
    """Without a segment at all, the layer was not annotated."""
    text = record["text"].get("content")
    if text is None or not items(record, "segments"):
        return True
    covering = [s for s in items(record, "segments") if s["kind"] in ("sentence", "headline", "dateline", "ingest_artifact")]
    covered = characters([span for segment in covering for span in segment["spans"]])
    return all(at in covered or c.isspace() for at, c in enumerate(text))


# ---- laws of the flagship ------------------------------------------------------------------------------------


def given(item: Json, *fields: str) -> bool:
    return all(item.get(field) is not None for field in fields)


def absent(item: Json, *fields: str) -> bool:
    return all(item.get(field) is None for field in fields)


@asked(LAWS, "rights-annotation")
def rights_annotation(record: Json) -> bool:
    return record["rights"].get("annotation_license") in ("CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0")


@asked(LAWS, "rights-text")
def rights_text(record: Json) -> bool:
    return not record["rights"].get("text_redistributable") or given(record["rights"], "text_license")


@asked(LAWS, "origin-based-on")
def origin_based_on(record: Json) -> bool:
    retold = record["origin"] in ("MODEL_WRITTEN", "HUMAN_WRITTEN") and not record["fictional"]
    return not retold or bool(many(record.get("source") or {}, "based_on"))


@law("attribution-source", "attributions")
def attribution_source(a: Json) -> bool:
    return bool(a["source_spans"]) != bool(a.get("source_implicit"))


@law("attribution-implicit-type", "attributions")
def attribution_implicit_type(a: Json) -> bool:
    return not a.get("source_implicit") or a["source_type"] == "UNSPECIFIED"


@law("attribution-cue", "attributions")
def attribution_cue(a: Json) -> bool:
    return bool(a["cue_spans"]) or a["quote_type"] == "DIRECT"


@law("time-basis", "attributions", "events", "quantities")
def time_basis(item: Json) -> bool:
    return given(item, "time_id") == given(item, "as_of_basis")


@law("time-basis", "claims")
def utterance_time_basis(claim: Json) -> bool:
    return given(claim, "utterance_time_id") == given(claim, "as_of_basis")


@law("claim-authorial", "claims")
def claim_authorial(claim: Json) -> bool:
    has = [given(claim, "attribution_id"), bool(many(claim, "attribution_chain")), bool(many(claim, "source_entity_ids"))]
    return not any(has) if claim["is_authorial"] else all(has)


@law("claim-conditional", "claims")
def claim_conditional(claim: Json) -> bool:
    return bool(many(claim, "condition_event_ids")) is (claim["modality"] == "CONDITIONAL")


@law("claim-quantity", "claims")
def claim_quantity(claim: Json) -> bool:
    return claim["claim_type"] != "QUANTITY" or bool(many(claim, "quantity_ids")) or given(claim, "note")


@law("claim-estimand", "claims")
def claim_estimand(claim: Json) -> bool:
    return absent(claim, "parent_estimand_id") or given(claim, "estimand_id")


@law("entity-kb", "entities")
def entity_kb(entity: Json) -> bool:
    if entity["kb_status"] in ("verified", "unverified"):
        return given(entity, "kb", "kb_id")
    return absent(entity, "kb", "kb_id")


@law("event-scheme", "events")
def event_scheme(event: Json) -> bool:
    return event["event_type"] in (PLOVER if event["event_scheme"] == "PLOVER" else LOCAL)


@law("event-parties", "events")
def event_parties(event: Json) -> bool:
    if event["event_type"] not in ("AID", "SANCTION", "COOPERATE"):
        return True
    return len(many(event, "recipient_entity_ids")) >= 1 or len(many(event, "actor_entity_ids")) >= 2


@law("factuality-author", "factuality")
def factuality_author(row: Json) -> bool:
    if row["source_is_author"]:
        return not many(row, "source_entity_ids") and absent(row, "attribution_id")
    return bool(many(row, "source_entity_ids")) and given(row, "attribution_id")


@law("factuality-uncommitted", "factuality")
def factuality_uncommitted(row: Json) -> bool:
    return bool((row["certainty"] == "U") == (row["polarity"] == "UNK"))


@law("quantity-exact", "quantities")
def quantity_exact(q: Json) -> bool:
    if q["comparator"] != "EXACT":
        return True
    closed = q.get("low_closed") is True and q.get("high_closed") is True
    return given(q, "value", "low", "high") and q["low"] == q["value"] == q["high"] and closed


@law("quantity-unbounded", "quantities")
def quantity_unbounded(q: Json) -> bool:
    if q["comparator"] not in ("BARE", "APPROX"):
        return True
    return given(q, "value") and absent(q, "low", "high", "low_closed", "high_closed")


@law("quantity-upper", "quantities")
def quantity_upper(q: Json) -> bool:
    """Whether the bound is open or closed is quantity-closed's to say."""
    if q["comparator"] not in ("LE", "LT"):
        return True
    return given(q, "value", "high", "high_closed") and q["value"] == q["high"] and absent(q, "low", "low_closed")


@law("quantity-lower", "quantities")
def quantity_lower(q: Json) -> bool:
    if q["comparator"] not in ("GE", "GT"):
        return True
    return given(q, "value", "low", "low_closed") and q["value"] == q["low"] and absent(q, "high", "high_closed")


@law("quantity-closed", "quantities")
def quantity_closed(q: Json) -> bool:
    wrong = {"LE": ("high_closed", False), "LT": ("high_closed", True), "GE": ("low_closed", False), "GT": ("low_closed", True)}
    field, said = wrong.get(q["comparator"], ("", None))
    return not field or q.get(field) is not said


@law("quantity-range", "quantities")
def quantity_range(q: Json) -> bool:
    return q["comparator"] != "RANGE" or (given(q, "low", "high", "low_closed", "high_closed") and absent(q, "value"))


@law("quantity-vague", "quantities")
def quantity_vague(q: Json) -> bool:
    numbers = ("value", "low", "high", "low_closed", "high_closed", "number_span")
    return q["comparator"] != "VAGUE" or absent(q, *numbers)


@law("quantity-hedge", "quantities")
def quantity_hedge(q: Json) -> bool:
    return given(q, "hedge_type") is (q["comparator"] == "APPROX")


@law("quantity-count", "quantities")
def quantity_count(q: Json) -> bool:
    numbers = [q[field] for field in ("value", "low", "high") if given(q, field)]
    return q["quantity_kind"] != "COUNT" or all(is_whole(n) and n >= 0 for n in numbers)


@law("quantity-unit", "quantities")
def quantity_unit(q: Json) -> bool:
    return absent(q, "value", "low", "high") or given(q, "unit", "unit_system")


@law("quantity-currency", "quantities")
def quantity_currency(q: Json) -> bool:
    return q.get("unit_system") != "ISO4217" or bool(re.fullmatch("[A-Z]{3}", q.get("unit") or ""))


@law("time-anchor", "times")
def time_anchor(time: Json) -> bool:
    return not time["temporal_function"] or given(time, "anchor_time_id")


@law("time-spans", "times")
def time_spans(time: Json) -> bool:
    return bool(time["spans"]) or time["function_in_document"] == "CREATION_TIME"
