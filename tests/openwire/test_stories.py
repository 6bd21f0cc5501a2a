"""Fact ledgers and stories: what the ledger says stands in the annotation, item by item, and the other way round."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from building import REPOSITORY
from dateline.compile.seeds import read_tables
from dateline.project import find_project
from dateline.record_files import encode
from dateline.schema import load_schemas
from ledgers import read_ledger
from stories import Story, differences, judgements, read_story

FOLDER = REPOSITORY / "seeds" / "stories"
LEDGERS = sorted(FOLDER.glob("*.toml"))
PROJECT = find_project(REPOSITORY)
SCHEMAS = load_schemas(PROJECT.schemas)
TABLES = read_tables(PROJECT, SCHEMAS).keys


def story(name: str) -> Story:
    return read_story(FOLDER / f"{name}.toml", SCHEMAS, TABLES)


def test_there_are_at_least_24_stories_of_three_outlets_in_all_domains_and_four_languages() -> None:
    found = [tomllib.loads(path.read_text(encoding="utf-8")) for path in LEDGERS]
    assert len(found) >= 24 and all(len(ledger["outlets"]) == 3 for ledger in found)
    assert {ledger["domain"] for ledger in found} == {
        "conflict", "disaster", "health", "labour", "election", "aid", "migration", "economy",
    }  # fmt: skip
    of = [{outlet["language"] for outlet in ledger["outlets"].values()} for ledger in found]
    assert all(sum(languages == {one} for languages in of) >= 4 for one in ("en", "de", "es", "uk"))
    outlets = [name for ledger in found for name in ledger["outlets"]]
    assert len(set(outlets)) == len(outlets)


@pytest.mark.parametrize("path", LEDGERS, ids=lambda path: path.stem)
def test_text_annotation_and_ledger_agree_item_by_item(path: Path) -> None:
    found = read_story(path, SCHEMAS, TABLES)
    assert found.faults == []
    facts = {claim["fact_id"] for record in found.records.values() for claim in record["claims"] if claim.get("fact_id")}
    assert facts == set(found.ledger.facts)
    for record in found.records.values():
        seed = REPOSITORY / "seeds" / "articles" / f"{record['article_id']}.json"
        assert seed.read_bytes() == encode(record), "python corpus/stories.py --write seeds/stories/*.toml"


def test_every_judgement_of_a_story_follows_from_its_ledger() -> None:
    import json

    table = (REPOSITORY / "seeds" / "tables" / "judgements.jsonl").read_text(encoding="utf-8")
    kept = [json.loads(line) for line in table.splitlines()]
    said = {(row["estimate_a"], row["estimate_b"]): row["relation"] for row in kept if row["basis"] == "LEDGER"}
    made = {(min(j.one, j.other), max(j.one, j.other)): j.relation for path in LEDGERS for j in judgements(story(path.stem))}
    assert said == made and {"AGREE", "CONFLICT", "UPDATE", "SUBSET", "DENIAL", "UNDECIDABLE"} <= set(made.values())


def first_claim(found: Story) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A copy of an article, its first claim of a fact, and the number of that claim."""
    outlet = min(found.records)
    record = copy.deepcopy(found.records[outlet])
    claim = next(c for c in record["claims"] if c.get("fact_id") and not c["is_authorial"])
    (quantity,) = (q for q in record["quantities"] if q["quantity_id"] == claim["quantity_ids"][0])
    return outlet, record, {"claim": claim, "quantity": quantity}


FAULTS = {
    "the bound": lambda it: it["quantity"].update(comparator="LT" if it["quantity"]["comparator"] != "LT" else "GT"),
    "the measure": lambda it: it["quantity"].update(measure="WEAPONS"),
    "the unit": lambda it: it["quantity"].update(unit="{shoe}"),
    "certainty": lambda it: it["claim"].update(certainty="PS" if it["claim"]["certainty"] != "PS" else "CT"),
    "polarity": lambda it: it["claim"].update(polarity="NEG" if it["claim"]["polarity"] != "NEG" else "POS"),
    "the chain of sources": lambda it: it["claim"].update(attribution_chain=[]),
    "the date of saying": lambda it: it["claim"].update(utterance_time_id=None if it["claim"].get("utterance_time_id") else "t0"),
    "the date for which the number holds": lambda it: it["quantity"].update(
        time_id=None if it["quantity"].get("time_id") else "t0"
    ),
    "the estimand": lambda it: it["claim"].update(estimand_id="another"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_in_the_annotation_is_told(what: str) -> None:
    found = story("kessop-exchange")
    outlet, record, it = first_claim(found)
    assert list(differences(record, outlet, found.ledger)) == []
    FAULTS[what](it)
    assert any(what in fault for fault in differences(record, outlet, found.ledger))


def test_a_fact_that_no_claim_reports_and_a_claim_without_a_fact_are_told() -> None:
    found = story("kessop-exchange")
    outlet, record, it = first_claim(found)
    fact = it["claim"]["fact_id"]
    it["claim"]["fact_id"] = None
    said = list(differences(record, outlet, found.ledger))
    assert any("names no fact" in fault for fault in said) and any(f"says that {fact} stands here" in fault for fault in said)


def test_two_facts_of_one_estimand_whose_relation_nothing_says_are_told(tmp_path: Path) -> None:
    path = tmp_path / "mill.toml"
    path.write_text(
        'story = "mill"\ndomain = "labour"\ntitle = "The mill"\npremise = "Two counts."\n'
        '[outlets]\npost = {publisher = "Post", published = "2027-01-01", language = "en"}\n'
        '[estimands]\njobs = {measure = "JOBS", unit = "{job}", what = "jobs cut"}\n'
        '[facts]\nf1 = {estimand = "jobs", says = "BARE 40", by = ["mill"], in = ["post"]}\n'
        'f2 = {estimand = "jobs", says = "BARE 60", by = ["union"], in = ["post"]}\n',
        encoding="utf-8",
    )
    ledger, faults = read_ledger(path)
    assert faults == ["mill.toml: facts f1 and f2 are of jobs, and nothing says how they relate: list them in [[relations]]"]
    assert ledger.relation("f1", "f1") == ("AGREE", "one fact")
