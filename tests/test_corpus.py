"""Dateline Open Wire itself: what the card says of it is so, and its annotation keeps the guideline's countable rules."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from building import REPOSITORY, Json, shared
from small_corpus import FIRST, every_record

ALL = list(every_record())
MEMBERS = [r for r in ALL if r.get("tier") == "CONTRAST"]
RECORDS = [r for r in ALL if r.get("tier") != "CONTRAST"]
"""The stories and what is withheld, one test each; the short members of contrast sets are gone through in one go."""
OPEN = [r for r in RECORDS if r["rights"]["text_redistributable"]]
QUOTES = "“”„«»"


@pytest.fixture(params=RECORDS, ids=lambda r: r["article_id"])
def article(request: pytest.FixtureRequest) -> Json:
    return request.param  # type: ignore[no-any-return]


def words(made: Json, spans: list[Json]) -> list[str]:
    return [made["text"]["content"][s["start"] : s["end"]] for s in spans]


def inside(inner: list[Json], outer: list[Json]) -> bool:
    return all(any(o["start"] <= i["start"] and i["end"] <= o["end"] for o in outer) for i in inner)


def touches(one: list[Json], other: list[Json]) -> bool:
    return any(a["start"] < b["end"] and b["start"] < a["end"] for a in one for b in other)


def test_the_corpus_holds_what_the_readme_says() -> None:
    lengths = {r["article_id"]: len(r["text"]["content"]) for r in OPEN}
    assert min(lengths.values()) >= 700 and all(length >= 1500 for name, length in lengths.items() if name in FIRST)
    stories = Counter(r["group"] for r in OPEN)
    outlets = {story: {r["publisher"] for r in OPEN if r["group"] == story} for story in stories}
    assert len(stories) >= 28 and all(len(outlets[story]) == number >= 2 for story, number in stories.items())
    assert {r["language"] for r in OPEN} == {"en", "de", "es", "uk"}
    assert all(r["canary"] for r in OPEN) and {r["tier"] for r in OPEN} == {"STORY"}
    assert {r["fictional"] for r in OPEN} == {True, False}
    assert all(r["source"]["based_on"] for r in OPEN if not r["fictional"])
    assert any(ord(c) > 0xFFFF for r in OPEN for c in r["text"]["content"])
    assert any(unicodedata.combining(c) for r in OPEN for c in r["text"]["content"])


def test_the_open_articles_hold_the_constructions_they_were_written_for() -> None:
    quantities = [q for r in OPEN for q in r["quantities"]]
    assert {"EXACT", "BARE", "APPROX", "LT", "LE", "GT", "GE", "RANGE", "VAGUE"} == {q["comparator"] for q in quantities}
    assert any(q.get("subset_of_quantity_id") for q in quantities)
    assert any(q.get("restates_quantity_id") for q in quantities)
    assert any(q.get("retracts_quantity_id") for q in quantities)
    assert any(q.get("value") == 0 for q in quantities)
    attributions = [a for r in OPEN for a in r["attributions"]]
    assert max(a["level"] for a in attributions) == 3
    assert any(a["quote_type"] == "DIRECT" and len(a["content_spans"]) > 1 for a in attributions)
    claims = [c for r in OPEN for c in r["claims"]]
    assert {"CONDITIONAL", "QUESTIONED", "DEMANDED", "COMMITTED"} <= {c["modality"] for c in claims}
    assert any(c["modality"] == "QUESTIONED" and c["polarity"] == "NEG" for c in claims)


def test_outlets_of_a_story_give_different_figures_for_the_same_thing() -> None:
    for story in {r["group"] for r in OPEN}:
        figures: dict[str, set[tuple[object, ...]]] = {}
        for made in (r for r in OPEN if r["group"] == story):
            by_id = {q["quantity_id"]: q for q in made["quantities"]}
            for claim in made["claims"]:
                for key in claim.get("quantity_ids", []) if claim.get("estimand_id") else []:
                    q = by_id[key]
                    figures.setdefault(claim["estimand_id"], set()).add((q.get("value"), q.get("low"), q.get("high")))
        assert sum(len(values) > 1 for values in figures.values()) >= 2, story


def test_every_layer_is_annotated_and_says_by_whom(article: Json) -> None:
    layers = {"attributions", "claims", "entities", "events", "factuality", "mentions", "quantities", "segments", "times"}
    short = article.get("tier") == "CONTRAST"
    layers |= {"probes"} if short else set()
    assert {s["layer"] for s in article["annotation_sets"]} == layers == {c["layer"] for c in article["coverage"]}
    assert all(article[layer] for layer in layers - ({"attributions"} if short else set()))  # its author alone may speak
    assert all(s["annotator_type"] in {"MODEL", "MODEL_ASSISTED"} and s["guideline_version"] for s in article["annotation_sets"])
    assert article["article_id"].endswith(article["text"]["sha256"][:12])


def test_gpe_mentions_and_only_they_have_a_role(article: Json) -> None:
    types = {e["entity_id"]: e["type"] for e in article["entities"]}
    for mention in article["mentions"]:
        assert (types[mention["entity_id"]] == "GPE") == (mention.get("gpe_role") is not None), mention
    spans = Counter((m["entity_id"], json.dumps(m["spans"])) for m in article["mentions"])
    assert max(spans.values()) == 1


def test_entities_are_mentioned_and_identified_once(article: Json) -> None:
    mentioned = {m["entity_id"] for m in article["mentions"]}
    implicit = {e for a in article["attributions"] if a.get("source_implicit") for e in a["source_entity_ids"]}
    for entity in article["entities"]:
        assert entity["entity_id"] in mentioned | implicit, entity
        assert (entity.get("kb_id") is None) == (entity["kb_status"] in {"unlinked", "nil"}), entity
    ids = Counter(e["kb_id"] for e in article["entities"] if e.get("kb_id"))
    assert not ids or max(ids.values()) == 1


def test_times_agree_with_themselves(article: Json) -> None:
    assert Counter(t["function_in_document"] for t in article["times"])["CREATION_TIME"] == 1
    for time in article["times"]:
        assert not (time.get("earliest") and time.get("latest")) or time["earliest"] <= time["latest"]
        assert not time["temporal_function"] or time.get("anchor_time_id"), time
    for layer in ("quantities", "events", "attributions"):
        for item in article[layer]:
            assert (item.get("time_id") is None) == (item.get("as_of_basis") is None), item
    for claim in article["claims"]:
        assert (claim.get("utterance_time_id") is None) == (claim.get("as_of_basis") is None), claim


def test_comparators_and_bounds_agree(article: Json) -> None:
    for q in article["quantities"]:
        value, low, high, kind = q.get("value"), q.get("low"), q.get("high"), q["comparator"]
        expected = {
            "EXACT": (value, value), "BARE": (None, None), "APPROX": (None, None), "VAGUE": (None, None),
            "LT": (None, value), "LE": (None, value), "GT": (value, None), "GE": (value, None), "RANGE": (low, high),
        }[kind]  # fmt: skip
        assert (low, high) == expected, q
        assert (value is None) == (kind in {"RANGE", "VAGUE"}), q
        assert (kind == "RANGE") <= (low is not None and high is not None and low <= high), q
        assert (low is None) == (q.get("low_closed") is None) and (high is None) == (q.get("high_closed") is None), q
        assert q.get("low_closed") is not (kind == "GT") or low is None or kind in {"EXACT", "GE", "RANGE"}, q
        assert (q.get("hedge_type") is not None) == (kind == "APPROX"), q
        assert q["quantity_kind"] != "COUNT" or value is None or (value >= 0 and value == int(value)), q


def test_attributions_are_built_as_the_guideline_says(article: Json) -> None:
    by_id = {a["attribution_id"]: a for a in article["attributions"]}
    claimed = {key for c in article["claims"] for key in c["attribution_chain"]}  # its claim stands for those who relay it
    for a in article["attributions"]:
        assert bool(a["source_spans"]) != bool(a.get("source_implicit")), a
        assert not touches(a["content_spans"], a["cue_spans"]), a
        assert not touches(a["content_spans"], a["source_spans"]), a
        parent = by_id.get(a.get("parent_attribution_id") or "")
        assert a["level"] == (parent["level"] + 1 if parent else 1), a
        assert a["attribution_id"] in claimed or article["text"]["content"] is None or a.get("note"), a


def test_quotation_types_agree_with_quotation_marks() -> None:
    for made in (*OPEN, *MEMBERS):
        children: dict[str, list[Json]] = {}
        for a in made["attributions"]:
            children.setdefault(a.get("parent_attribution_id") or "", []).append(a)
        for a in made["attributions"]:
            content = words(made, a["content_spans"])
            if a["quote_type"] == "DIRECT":
                assert all(c[0] in QUOTES and c[-1] in QUOTES for c in content), (made["article_id"], content)
            elif a["quote_type"] == "MIXED":
                assert any(mark in c for c in content for mark in QUOTES), (made["article_id"], content)
            elif not children.get(a["attribution_id"]):
                assert not any(mark in c for c in content for mark in QUOTES), (made["article_id"], content)


def test_each_event_has_one_author_row_and_rows_cite_what_holds_the_trigger(article: Json) -> None:
    attributions = {a["attribution_id"]: a for a in article["attributions"]}
    rows: dict[str, list[Json]] = {e["event_id"]: [] for e in article["events"]}
    for row in article["factuality"]:
        rows[row["event_id"]].append(row)
        assert (row["certainty"] == "U") == (row["polarity"] == "UNK"), row
        assert row["source_is_author"] == (not row.get("source_entity_ids")) == (row.get("attribution_id") is None), row
    for event in article["events"]:
        mine = rows[event["event_id"]]
        author = [r for r in mine if r["source_is_author"]]
        assert len(author) == 1, event
        aux = event.get("auxiliary", [])
        assert ("negation" in aux) == any(r["polarity"] == "NEG" for r in mine), event
        assert "hypothetical" not in aux or author[0]["certainty"] != "CT", event
        for row in mine:
            if row.get("attribution_id"):
                assert inside(event["trigger_spans"], attributions[row["attribution_id"]]["content_spans"]), (event, row)
        if event["event_type"] in {"AID", "SANCTION", "COOPERATE"}:
            assert event.get("recipient_entity_ids") or len(event.get("actor_entity_ids", [])) > 1, event
    places = {e["entity_id"]: e["type"] for e in article["entities"]}
    assert all(places[e["place_entity_id"]] in {"GPE", "LOC", "FAC"} for e in article["events"] if e.get("place_entity_id"))
    types: dict[str, set[str]] = {}
    for event in article["events"]:
        types.setdefault(event["event_cluster_id"], set()).add(event["event_type"])
    assert all(len(kinds) == 1 for kinds in types.values()), types


def test_claims_stand_on_their_attribution_and_on_what_lies_in_it(article: Json) -> None:
    attributions = {a["attribution_id"]: a for a in article["attributions"]}
    quantities = {q["quantity_id"]: q for q in article["quantities"]}
    events = {e["event_id"]: e for e in article["events"]}
    for claim in article["claims"]:
        a = attributions.get(claim.get("attribution_id") or "")
        chain = claim.get("attribution_chain", [])
        assert claim["is_authorial"] == (a is None) == (not chain), claim
        assert (claim["modality"] == "CONDITIONAL") == bool(claim.get("condition_event_ids")), claim
        assert claim["claim_type"] != "QUANTITY" or claim.get("quantity_ids") or claim.get("note"), claim
        if a is None:
            continue
        assert chain[-1] == a["attribution_id"], claim
        assert [attributions[c].get("parent_attribution_id") for c in chain] == [None, *chain[:-1]], claim
        for key in claim.get("quantity_ids", []):
            assert inside(quantities[key]["spans"], a["content_spans"]), claim
        for key in claim.get("event_ids", []):
            assert inside(events[key]["trigger_spans"], a["content_spans"]), claim


def test_sentences_cover_the_body(article: Json) -> None:
    sentences = sorted((s["spans"][0]["start"], s["spans"][0]["end"]) for s in article["segments"] if s["kind"] == "sentence")
    assert all(a[1] <= b[0] for a, b in pairwise(sentences))
    text = article["text"]["content"]
    if text is not None:
        rest = list(text)
        for start, end in sentences:
            rest[start:end] = " " * (end - start)
        assert not "".join(rest).strip()


@pytest.mark.parametrize(
    "rule",
    [
        test_every_layer_is_annotated_and_says_by_whom,
        test_gpe_mentions_and_only_they_have_a_role,
        test_entities_are_mentioned_and_identified_once,
        test_times_agree_with_themselves,
        test_comparators_and_bounds_agree,
        test_attributions_are_built_as_the_guideline_says,
        test_each_event_has_one_author_row_and_rows_cite_what_holds_the_trigger,
        test_claims_stand_on_their_attribution_and_on_what_lies_in_it,
        test_sentences_cover_the_body,
    ],
    ids=lambda rule: rule.__name__.removeprefix("test_"),
)
def test_members_of_contrast_sets_keep_the_same_rules(rule: Callable[[Json], None]) -> None:
    assert MEMBERS
    assert list(broken(rule, MEMBERS)) == []


def broken(rule: Callable[[Json], None], records: list[Json]) -> Iterator[str]:
    """The articles that break a rule, with the item that the rule names."""
    for made in records:
        try:
            rule(made)
        except AssertionError as fault:
            yield f"{made['contrast_set_id']}: {made['article_id']}: {str(fault).partition(chr(10))[0]}"


def _texts() -> Iterator[tuple[str, str]]:
    for path in sorted(REPOSITORY.rglob("*")):
        hidden = any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(REPOSITORY).parts[:-1])
        if path.is_file() and not hidden and path.suffix != ".parquet":
            yield path.relative_to(REPOSITORY).as_posix(), path.read_text(encoding="utf-8", errors="ignore")


@pytest.mark.slow(seconds=10)
def test_no_file_holds_text_of_a_withheld_article() -> None:
    folder: Path = shared() / "restricted"
    if not folder.is_dir():
        pytest.skip("the withheld text is not on this machine")
    held: set[tuple[str, ...]] = set()
    for path in folder.glob("*.txt"):
        held |= grams(path.read_text(encoding="utf-8"))
    assert held
    assert [name for name, text in _texts() if grams(text) & held] == []


def grams(text: str, n: int = 8) -> set[tuple[str, ...]]:
    found = re.findall(r"\w+", text.lower())
    return {tuple(found[i : i + n]) for i in range(len(found) - n + 1)}


@pytest.mark.parametrize("made", [r for r in RECORDS if r not in OPEN], ids=lambda r: r["article_id"])
def test_a_withheld_record_fits_its_text_where_that_is_at_hand(made: Json) -> None:
    path = shared() / "restricted" / f"{made['article_id']}.txt"
    if not path.is_file():
        pytest.skip("the withheld text is not on this machine")
    raw = path.read_bytes()
    text = raw.decode("utf-8")
    assert hashlib.sha256(raw).hexdigest() == made["text"]["sha256"]
    assert (len(text), len(raw)) == (made["text"]["n_code_points"], made["text"]["n_bytes"])
    edges = [
        text[s["start"]] + text[s["end"] - 1]
        for layer in ("mentions", "segments", "times", "quantities")
        for item in made[layer]
        for s in item["spans"]
    ]
    assert edges and not any(edge != edge.strip() for edge in edges)
