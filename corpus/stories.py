"""Stories: fact ledgers and the articles written from them, held against each other item by item, and brought to records.

python corpus/stories.py seeds/stories/*.toml            # checks; `ok`, or what is wrong
python corpus/stories.py --write seeds/stories/*.toml    # and writes the records, and the judgements that follow from the ledgers
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import orjson

from dateline.compile.seeds import read_tables
from dateline.project import find_project
from dateline.record_files import Staged, encode
from dateline.schema import Schemas, load_schemas
from judgements import Judgement, replace_judgements
from ledgers import Fact, Ledger, read_ledger
from notation import Fault, Json, Origin, adjudicated_articles, as_adjudicated, make

ROOT = Path(__file__).resolve().parents[1]
ORIGIN = Origin(
    {
        "tier": "STORY", "genre": "news_web", "fictional": True, "origin": "MODEL_WRITTEN",
        "rights": {
            "text_redistributable": True, "text_license": "CC-BY-4.0", "annotation_license": "CC-BY-4.0",
            "rights_holder": "Dateline contributors",
        },
    },
    annotator="model-4", created="2026-11-28",
)  # fmt: skip


@dataclass
class Story:
    """A ledger with the records of its articles by outlet, and all that is wrong in them."""

    ledger: Ledger
    records: dict[str, Json]
    faults: list[str]


def read_story(path: Path, schemas: Schemas, tables: Mapping[str, Set[str]]) -> Story:
    """The story whose ledger is at `path`; its articles lie in the folder beside it. Raises Fault for an unreadable ledger."""
    ledger, faults = read_ledger(path)
    story = Story(ledger, {}, faults)
    folder = path.with_suffix("")
    here = {p.stem for p in folder.glob("*.toml")}
    story.faults += [f"{path.name}: no article of outlet {outlet}" for outlet in sorted(ledger.outlets.keys() - here)]
    story.faults += [
        f"{folder.name}/{name}.toml: the ledger has no outlet {name}" for name in sorted(here - ledger.outlets.keys())
    ]
    for outlet in sorted(here & ledger.outlets.keys()):
        name = f"{folder.name}/{outlet}.toml"
        try:
            doc = tomllib.loads((folder / f"{outlet}.toml").read_text(encoding="utf-8"))
        except ValueError as fault:
            story.faults.append(f"{name}: is not valid TOML: {fault}")
            continue
        wanted = {**ledger.outlets[outlet], "story": ledger.story, "outlet": outlet}
        story.faults += [
            f"{name}: {k} is {doc.get(k)!r}, the ledger says {v!r}" for k, v in wanted.items() if str(doc.get(k)) != str(v)
        ]
        made = make(doc, ORIGIN, schemas, tables, name, ledger.estimand_of)
        story.faults += made.problems
        if made.record is not None:
            twice = made.record["article_id"] in adjudicated_articles()
            story.records[outlet] = as_adjudicated(made.record) if twice else made.record
            story.faults += [f"{name}: {fault}" for fault in differences(made.record, outlet, ledger)]
    return story


# ---- text annotation and ledger, item by item -----------------------------------------------------------------


def differences(record: Json, outlet: str, ledger: Ledger) -> Iterator[str]:
    """Where the annotation of an article and the ledger say different things; nothing if they agree."""
    claims = [c for c in record["claims"] if c.get("fact_id")]
    for claim in record["claims"]:
        if claim.get("estimand_id") and not claim.get("fact_id"):
            yield f"{claim['claim_id']} has an estimand, but names no fact of the ledger"
    told = {c["fact_id"] for c in claims}
    for fact in ledger.facts.values():
        if outlet in fact.outlets and fact.key not in told:
            yield f"the ledger says that {fact.key} stands here, but no claim reports it"
    for claim in claims:
        fact = ledger.facts[claim["fact_id"]]
        where = f"{claim['claim_id']} ({fact.key})"
        if outlet not in fact.outlets:
            yield f"{where}: the ledger does not say that {fact.key} stands in {outlet}"
        for what, here, there in _compared(record, claim, fact, ledger):
            if here != there:
                yield f"{where}: {what} is {_shown(here)} in the annotation, {_shown(there)} in the ledger"
        yield from (f"{where}: {fault}" for fault in _linked(record, claim, fact, claims, ledger))


def _compared(record: Json, claim: Json, fact: Fact, ledger: Ledger) -> Iterator[tuple[str, Any, Any]]:
    quantity = _by_id(record, "quantities", "quantity_id")[claim["quantity_ids"][0]]
    times = _by_id(record, "times", "time_id")
    estimand = ledger.estimands[fact.estimand]
    yield "the bound", (quantity["comparator"], *_numbers(quantity)), (fact.comparator, *fact.numbers)
    yield "the measure", quantity["measure"], estimand.measure
    if fact.comparator != "VAGUE":
        yield "the unit", quantity.get("unit"), estimand.unit
    yield "the date for which the number holds", times.get(str(quantity.get("time_id")), {}).get("edtf"), fact.as_of
    yield "the date of saying", times.get(str(claim.get("utterance_time_id")), {}).get("edtf"), fact.on
    yield "certainty", claim["certainty"], fact.certainty
    yield "polarity", claim["polarity"], fact.polarity
    yield "the chain of sources", _sources(record, claim), fact.by
    attributions = _by_id(record, "attributions", "attribution_id")
    yield "factual", all(attributions[a]["determinacy"] == "FACTUAL" for a in claim["attribution_chain"]), fact.factual
    yield "the estimand", claim["estimand_id"], ledger.unique(fact.estimand)


def _linked(record: Json, claim: Json, fact: Fact, claims: Sequence[Json], ledger: Ledger) -> Iterator[str]:
    """Links between numbers of one article: restated, withdrawn, a part of another."""
    quantity = _by_id(record, "quantities", "quantity_id")[claim["quantity_ids"][0]]
    facts_of: dict[str, set[str]] = {}
    for other in claims:
        facts_of.setdefault(other["quantity_ids"][0], set()).add(other["fact_id"])
    here = {c["fact_id"] for c in claims}
    for what, name, wanted in (
        ("restates", "restates_quantity_id", {fact.restates} if fact.restates else set()),
        ("retracts", "retracts_quantity_id", {fact.retracts} if fact.retracts else set()),
        ("subset_of", "subset_of_quantity_id", _parents(fact, ledger)),
    ):
        said = facts_of.get(quantity.get(name) or "", set())
        if wanted & here and not wanted & said and not (what == "restates" and claim["fact_id"] in said):
            there = ", ".join(sorted(wanted & here))
            yield f"the ledger makes it {what} {there}, which stands here, too; the number says {what} {quantity.get(name)}"
        if said and not wanted & said and what != "restates":
            yield f"its number has {what} {quantity[name]}, of which the ledger says nothing"


def _parents(fact: Fact, ledger: Ledger) -> set[str]:
    whole = ledger.estimands[fact.estimand].part_of
    return {f.key for f in ledger.facts.values() if f.estimand == whole} if whole else set()


def _by_id(record: Json, layer: str, key: str) -> dict[str, Json]:
    return {item[key]: item for item in record[layer]}


def _numbers(quantity: Json) -> tuple[Any, ...]:
    if quantity["comparator"] == "RANGE":
        return quantity["low"], quantity["high"]
    return () if quantity["comparator"] == "VAGUE" else (quantity["value"],)


def _sources(record: Json, claim: Json) -> tuple[frozenset[str], ...]:
    if claim["is_authorial"]:
        return (frozenset({"author"}),)
    entities = _by_id(record, "entities", "entity_id")
    attributions = _by_id(record, "attributions", "attribution_id")
    return tuple(
        frozenset(entities[e]["canonical_name"] for e in attributions[a]["source_entity_ids"]) for a in claim["attribution_chain"]
    )


def _shown(value: Any) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], frozenset):
        return " > ".join(" + ".join(sorted(step)) for step in value)
    if isinstance(value, tuple):
        return " ".join(str(v) for v in value)
    return "not stated" if value is None else str(value)


# ---- judgements -----------------------------------------------------------------------------------------------


def judgements(story: Story) -> Iterator[Judgement]:
    """What the ledger says of each two figures of the story that the articles report."""
    told = sorted(
        (f"{record['article_id']}#{claim['claim_id']}:{claim['quantity_ids'][0]}", claim["fact_id"])
        for record in story.records.values() for claim in record["claims"] if claim.get("fact_id")
    )  # fmt: skip
    ledger = story.ledger
    for (one, a), (other, b) in combinations(told, 2):
        found = ledger.relation(a, b)
        if found is None:
            continue
        listed = any(frozenset({x, y}) in ledger.listed for x in (a, ledger.root(a)) for y in (b, ledger.root(b)))
        across = ledger.facts[a].estimand != ledger.facts[b].estimand
        if not listed and not (ledger.countable(a) and ledger.countable(b)):
            continue
        if not listed and across and one.split("#")[0] != other.split("#")[0]:
            continue  # a part and its whole in two articles say little; in one article they say how the text counts
        yield Judgement(one, other, found[0], "LEDGER", found[1], "model-4")


def main() -> int:
    """Check stories; with --write, write their records and judgements. 1 if anything is wrong."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("ledgers", nargs="+", type=Path)
    words.add_argument("--write", action="store_true", help="write records and judgements to seeds/")
    said = words.parse_args()
    project = find_project(ROOT)
    schemas = load_schemas(project.schemas)
    tables = read_tables(project, schemas).keys
    stories = []
    wrong = False
    for path in said.ledgers:
        try:
            story = read_story(path, schemas, tables)
        except Fault as fault:
            print(fault)
            wrong = True
            continue
        for line in story.faults:
            print(line)
        wrong |= bool(story.faults)
        if not story.faults:
            items = sum(len(r["claims"]) for r in story.records.values())
            print(f"ok {path.stem}: {len(story.records)} articles, {items} claims, {len(list(judgements(story)))} judged pairs")
        stories.append(story)
    if wrong:
        return 1
    if said.write:
        write(stories)
    return 0


def write(stories: Sequence[Story]) -> None:
    """Write the records and judgements of stories without faults."""
    found = [record for story in stories for record in story.records.values()]
    written = {f"{record['article_id']}.json" for record in found}
    groups = {story.ledger.story for story in stories}
    gone = set()
    for path in sorted((ROOT / "seeds" / "articles").glob("*.json")):
        if path.name not in written and orjson.loads(path.read_bytes()).get("group") in groups:
            gone.add(path.stem)  # an article whose text was another before: its id names the text
    with Staged(ROOT / "seeds" / "articles", "seeds/articles") as staged:
        for record in found:
            staged.add(f"{record['article_id']}.json", encode(record))
        staged.place()
    rows = [row for story in stories for row in judgements(story)]
    replace_judgements(ROOT / "seeds" / "tables" / "judgements.jsonl", gone | {r["article_id"] for r in found}, rows)
    for name in gone:
        (ROOT / "seeds" / "articles" / f"{name}.json").unlink()
    print(f"wrote {len(found)} records, {len(rows)} judgements")


if __name__ == "__main__":
    sys.exit(main())
