"""A corpus of made-up news as the seeds of a project of its own, of any size, the same for the same seed.

    python benchmarks/corpus_generator.py project --articles 20000

The schemas are this repository's, and so are the words: those of its seeds, in English, German, Spanish and Ukrainian, thrown
together; they mean nothing. An article has all layers that news have; spans of mentions and quantities carry their words. One
text in ten has characters beyond the BMP, one in ten has its letters and accents apart. Three of a hundred articles are copies of
an earlier one, from another publisher and with some words changed.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import hashlib
import random
import re
import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

REPOSITORY = Path(__file__).resolve().parents[1]
IN_ONE_FILE = 2_000
COPIES = 0.03
LANGUAGES = {"en": 0.5, "de": 0.2, "es": 0.15, "uk": 0.15}
LAYERS = {
    "segments": ("segment_id", "p"), "entities": ("entity_id", "e"), "mentions": ("mention_id", "m"), "times": ("time_id", "t"),
    "quantities": ("quantity_id", "q"), "attributions": ("attribution_id", "a"), "events": ("event_id", "ev"),
    "factuality": ("factuality_id", "f"), "claims": ("claim_id", "c"),
}  # fmt: skip
"""The layers of an article, with the key of their items and what it begins with."""
_BEYOND_THE_BMP = "😀🌊🚒🗳🎻𝔇𝕏"
_FIRST_DAY = datetime.date(2024, 1, 1)
_SETTINGS = """[tool.dateline]
name = "synthetic-news"
title = "Synthetic news"
summary = "Words of Dateline Open Wire, thrown together to measure with."
license = "CC-BY-4.0"
"""
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")
_SOURCE_TYPES = {"PER": "NAMED_PERSON", "ORG": "ORGANIZATION", "GPE": "GOVERNMENT"}
_PLACES = ("GPE", "LOC", "FAC")

Item = dict[str, Any]
Span = dict[str, Any]


# ---- words ---------------------------------------------------------------------------------------------------


@dataclass
class Vocabulary:
    """What texts of one language are made of; what is frequent in the seeds stands here as often."""

    words: list[str] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)
    """Names and the types of those who bear them."""
    cues: list[str] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    hedges: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Words before a number, with comparator and hedge type."""
    publishers: list[tuple[str, str]] = field(default_factory=list)
    """Names, and how ids of their articles begin."""

    def take(self, record: Item) -> None:
        """Take in what an article has."""
        text = record["text"]["content"]
        words = {
            (layer, item[f"{layer}_id"]): [text[s["start"] : s["end"]] for s in item[spans]]
            for layer, table, spans in (
                ("mention", "mentions", "spans"), ("attribution", "attributions", "cue_spans"),
                ("time", "times", "spans"), ("quantity", "quantities", "hedge_spans"),
            )
            for item in record[table]
        }  # fmt: skip
        types = {entity["entity_id"]: entity["type"] for entity in record["entities"]}
        self.words += _WORD.findall(text)
        self.publishers.append((record["publisher"], record["article_id"].split("-")[0]))
        self.names += [
            (words["mention", m["mention_id"]][0], types[m["entity_id"]])
            for m in record["mentions"]
            if m["mention_type"] == "NAM" and not m["adjectival"]
        ]
        self.cues += [said for a in record["attributions"] for said in words["attribution", a["attribution_id"]][:1]]
        self.times += [
            said for t in record["times"] if t["timex_type"] == "DATE" for said in words["time", t["time_id"]] if len(said) < 20
        ]
        self.hedges += [
            (said, q["comparator"], q.get("hedge_type"))
            for q in record["quantities"]
            if q["comparator"] in ("APPROX", "GE", "LE")
            for said in words["quantity", q["quantity_id"]]
        ]


@functools.cache
def vocabularies() -> dict[str, Vocabulary]:
    """The vocabulary of each language, from this repository's seeds."""
    seeds = REPOSITORY / "seeds"
    lines = [path.read_bytes() for path in sorted(seeds.glob("articles/*.json"))]
    lines += [line for path in sorted(seeds.glob("contrasts/*.jsonl")) for line in path.read_bytes().splitlines()]
    made = {language: Vocabulary() for language in LANGUAGES}
    for record in map(orjson.loads, lines):
        if record["text"].get("content"):
            made[record["language"]].take(record)
    return made


@functools.cache
def measures() -> list[tuple[str, str]]:
    """Measures with a unit, of the corpus-level table."""
    rows = map(orjson.loads, (REPOSITORY / "seeds" / "tables" / "measures.jsonl").read_bytes().splitlines())
    return [(row["measure"], row["unit"]) for row in rows if row.get("unit")]


# ---- articles ------------------------------------------------------------------------------------------------


class Article:
    """An article in the making: sentences are appended, and what is annotated in them with them.

    `chance` decides what is written; `edits`, where there are any, which words of it a copy changes.
    """

    def __init__(
        self, language: str, published: datetime.date, story: str, chance: random.Random, edits: random.Random | None,
        printed_in: str,
    ) -> None:  # fmt: skip
        self.layers: dict[str, list[Item]] = {layer: [] for layer in LAYERS}
        self._known = vocabularies()[language]
        self._published, self._story = published, story
        self._chance, self._edits = chance, edits
        self._apart = chance.random() < 0.1
        self._astral = chance.choice(_BEYOND_THE_BMP) if chance.random() < 0.1 else ""
        self._pieces: list[str] = []
        self._length = 0
        self._entities: list[tuple[str, str, str]] = []  # id, name, type
        body: list[Span] = [{"start": 0, "end": 0}]
        self._add("segments", kind="body", parent_id=None, spans=body)
        self._people()
        self._time([], published, function="CREATION_TIME", temporal=False)
        for number in range(chance.randint(6, 8)):
            self._sentence(reported=number % 3 == 1)
        if edits:  # no two copies are equal, even where no word was changed
            self._segment(self._put(f"({printed_in})", "\n\n"))
        body[0]["end"] = self._length
        self.text = "".join(self._pieces)
        for item in (*self.layers["mentions"], *self.layers["quantities"]):
            for span in (*item["spans"], *item.get("hedge_spans", ()), *filter(None, [item.get("number_span")])):
                span["surface"] = self.text[span["start"] : span["end"]]

    def _add(self, layer: str, **fields: Any) -> str:
        """An item of a layer; its id."""
        items, (key, prefix) = self.layers[layer], LAYERS[layer]
        name = f"{prefix}{len(items) + (layer != 'times')}"  # t0 is when the article was written
        items.append({key: name, **fields})
        return name

    # ---- pieces of text

    def _put(self, piece: str, before: str = " ") -> Span:
        """Append a piece; where it stands."""
        if self._apart:
            piece = unicodedata.normalize("NFD", piece)
        self._pieces += (before, piece)
        start = self._length + len(before)
        self._length = start + len(piece)
        return {"start": start, "end": self._length}

    def _words(self, least: int, most: int, before: str = " ") -> Span:
        words = self._chance.choices(self._known.words, k=self._chance.randint(least, most))
        if self._edits:
            words = [self._edits.choice(self._known.words) if self._edits.random() < 0.02 else word for word in words]
        return self._put(" ".join(words), before)

    def _name(self) -> str:
        """A mention of somebody; the entity."""
        entity, name, kind = self._chance.choice(self._entities)
        spans = [self._put(name)]
        role = {"gpe_role": "GPE"} if kind == "GPE" else {}
        self._add("mentions", entity_id=entity, spans=spans, mention_type="NAM", **role)
        return entity

    # ---- annotations

    def _segment(self, span: Span) -> None:
        self._add("segments", kind="sentence", parent_id="p1", spans=[span])

    def _people(self) -> None:
        for name, kind in dict(self._chance.sample(self._known.names, 5)).items():
            entity = self._add("entities", type=kind, entity_class="SPC", canonical_name=name, kb_status="nil")
            self._entities.append((entity, name, kind))

    def _time(self, spans: list[Span], day: datetime.date, *, function: str, temporal: bool) -> str:
        on = day.isoformat()
        anchor = {"anchor_time_id": "t0"} if temporal else {}
        return self._add(
            "times", spans=spans, timex_type="DATE", value=on, temporal_function=temporal, **anchor,
            function_in_document=function, edtf=on, earliest=on, latest=on,
        )  # fmt: skip

    def _past(self) -> str:
        """A day of the week before."""
        day = self._published - datetime.timedelta(days=self._chance.randint(0, 6))
        return self._time([self._put(self._chance.choice(self._known.times))], day, function="NONE", temporal=True)

    def _quantity(self, time: Item) -> str:
        chance = self._chance
        (measure, unit), value = chance.choice(measures()), chance.randint(2, 9) * 10 ** chance.randint(0, 4)
        hedge, comparator, hedge_type = chance.choice(self._known.hedges) if chance.random() < 0.5 else ("", "BARE", None)
        hedges = [self._put(hedge)] if hedge else []
        number, noun = self._put(f"{value:,}"), chance.choice(self._known.words)
        end = self._put(noun)["end"]
        low, high = ({"low": value, "low_closed": True}, {"high": value, "high_closed": True})
        return self._add(
            "quantities", spans=[{"start": (hedges or [number])[0]["start"], "end": end}], number_span=number, hedge_spans=hedges,
            **({"hedge_type": hedge_type} if hedge_type else {}), value=value, **{"GE": low, "LE": high}.get(comparator, {}),
            comparator=comparator, quantity_kind="COUNT", unit=unit, unit_system="UCUM", change="LEVEL", measure=measure,
            of_what=noun, **time, aggregation="CUMULATIVE",
        )  # fmt: skip

    def _event(self, actor: str, time: Item) -> str:
        trigger = self._words(1, 1)
        places = [entity for entity, _, kind in self._entities if kind in _PLACES]
        return self._add(
            "events", event_cluster_id=f"{self._story}-{self._chance.randint(1, 9)}", trigger_spans=[trigger],
            event_scheme="LOCAL", event_type=self._chance.choice(("PRESENCE", "CASUALTY", "STATEMENT", "OTHER")),
            timeml_class="OCCURRENCE", actor_entity_ids=[actor], recipient_entity_ids=[self._entities[-1][0]],
            **({"place_entity_id": places[0]} if places else {}), **time,
        )  # fmt: skip

    def _sentence(self, *, reported: bool) -> None:
        """One sentence; what it says is told by somebody in it, or by the author."""
        chance = self._chance
        before = "" if not self._pieces else "\n\n" if chance.random() < 0.25 else " "
        begin = self._length + len(before)
        quoted = reported and chance.random() < 0.4
        if self._astral and not self._pieces:
            self._put(self._astral, before)
            before = " "
        content = self._words(9, 18, before + "“" if quoted else before)
        actor = self._name()
        time = {"time_id": self._past(), "as_of_basis": "STATED"} if chance.random() < 0.15 else {}
        events = [self._event(actor, time)] if reported or chance.random() < 0.4 else []
        quantities = [self._quantity(time)] if chance.random() < 0.35 else []
        content["end"] = self._words(6, 12)["end"]
        if reported:
            self._report(content, events, quantities, time, quoted=quoted)
        elif events:
            self._claim(content, events, quantities, time, is_authorial=True)
        for event in events:
            self._add("factuality", event_id=event, source_is_author=True, certainty="CT" if not reported else "U",
                      polarity="POS" if not reported else "UNK")  # fmt: skip
        self._segment({"start": begin, "end": self._put(".", "")["end"]})

    def _report(self, content: Span, events: list[str], quantities: list[str], time: Item, *, quoted: bool) -> None:
        if quoted:
            content = {"start": content["start"] - 1, "end": self._put("”", "")["end"]}
        cue = self._put(self._chance.choice(self._known.cues), ", ")
        source = self._name()
        kind = next(kind for entity, _, kind in self._entities if entity == source)
        attribution = self._add(
            "attributions", source_spans=[_offsets(self.layers["mentions"][-1]["spans"][0])], cue_spans=[cue],
            content_spans=[content], source_entity_ids=[source], source_type=_SOURCE_TYPES.get(kind, "COLLECTIVE"),
            quote_type="DIRECT" if quoted else "INDIRECT", attitude="ASSERTION",
            medium="SPEECH" if quoted else "UNSPECIFIED", scopal_polarity="POS", determinacy="FACTUAL", level=1, **time,
        )  # fmt: skip
        for event in events:
            self._add("factuality", event_id=event, source_is_author=False, source_entity_ids=[source],
                      attribution_id=attribution, certainty="CT", polarity="POS")  # fmt: skip
        self._claim(content, events, quantities, time, is_authorial=False, attribution_id=attribution,
                    attribution_chain=[attribution], source_entity_ids=[source])  # fmt: skip

    def _claim(self, content: Span, events: list[str], quantities: list[str], time: Item, **who: Any) -> None:
        words = "".join(self._pieces)[content["start"] : content["end"]][:60]
        estimand = {"estimand_id": f"{self._story}-{self._chance.randint(1, 3)}"} if quantities else {}
        uttered = {"utterance_time_id": time["time_id"], "as_of_basis": time["as_of_basis"]} if time else {}
        self._add(
            "claims", claim_type="QUANTITY" if quantities else "EVENT", **who, proposition=words, modality="ASSERTED",
            certainty="CT", polarity="POS", quantity_ids=quantities, event_ids=events, **estimand, **uttered,
        )  # fmt: skip


def _offsets(span: Span) -> Span:
    return {"start": span["start"], "end": span["end"]}


def record(seed: int, number: int) -> Item:
    """An article by its number, as a record."""
    own, source = _source(seed, number)
    copied = source != number
    chance = random.Random(f"{seed}-text-{source}")
    language = chance.choices(list(LANGUAGES), list(LANGUAGES.values()))[0]
    published = _FIRST_DAY + datetime.timedelta(days=source // 3 % 900)
    story = f"story-{source // 3:07}"
    publisher, short = own.choice(vocabularies()[language].publishers)
    article = Article(language, published, story, chance, own if copied else None, f"{publisher}, {number}")
    raw = article.text.encode()
    digest = hashlib.sha256(raw).hexdigest()
    return {
        "article_id": f"{short}-{published:%Y%m%d}-{digest[:12]}",
        "schema_version": "0.2.0", "revision": 1, "publisher": publisher, "published": published.isoformat(),
        "headline": article.text[:60].split("\n")[0].rstrip(), "language": language,
        "group": story if not copied else f"copy-{number:07}", "genre": "news_web", "fictional": True, "origin": "MODEL_WRITTEN",
        "rights": {"text_redistributable": True, "text_license": "CC-BY-4.0", "annotation_license": "CC-BY-4.0"},
        "text": {"content": article.text, "sha256": digest, "n_code_points": len(article.text), "n_bytes": len(raw)},
        "annotation_sets": [
            {"annotation_set_id": f"set{n}", "layer": layer, "annotator_id": "model-1", "annotator_type": "MODEL",
             "status": "PRIMARY"}
            for n, layer in enumerate(LAYERS, 1)
        ],
        "coverage": [{"layer": layer, "status": "FULL"} for layer in LAYERS],
        **article.layers,
    }  # fmt: skip


def _source(seed: int, number: int) -> tuple[random.Random, int]:
    """What chance an article has of its own, and the number of the original that it copies: its own number if it is one."""
    own = random.Random(f"{seed}-{number}")
    if number and own.random() < COPIES:
        return own, _source(seed, own.randrange(max(0, number - 1_000), number))[1]
    return own, number


# ---- the project ---------------------------------------------------------------------------------------------


def write_project(root: Path, articles: int, seed: int = 1, in_one_file: int = IN_ONE_FILE) -> None:
    """A project of that many articles in the new folder `root`."""
    shutil.copytree(REPOSITORY / "schemas", root / "schemas", ignore=shutil.ignore_patterns("migrations"))
    (root / "pyproject.toml").write_text(_SETTINGS, encoding="utf-8")
    (root / "seeds" / "tables").mkdir(parents=True)
    shutil.copy(REPOSITORY / "seeds" / "tables" / "measures.jsonl", root / "seeds" / "tables")
    for first in range(0, articles, in_one_file):
        with (root / "seeds" / f"{first:07}.jsonl").open("wb") as file:
            file.writelines(_lines(seed, range(first, min(first + in_one_file, articles))))


def _lines(seed: int, numbers: range) -> Iterator[bytes]:
    for number in numbers:
        yield orjson.dumps(record(seed, number), option=orjson.OPT_APPEND_NEWLINE)


def main() -> None:
    """Write a project."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="The new folder of the project.")
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--in-one-file", type=int, default=IN_ONE_FILE, help="Articles in a seed file.")
    said = parser.parse_args()
    write_project(said.root, said.articles, said.seed, said.in_one_file)


if __name__ == "__main__":
    main()
