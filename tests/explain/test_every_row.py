"""`dateline explain` on every row of every table of a small corpus: each leads to what it was made of, and no further text."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pyarrow.parquet as pq
import pytest

from dateline.describe.explanation import explanation_lines
from dateline.explaining import Explainer, explain_dataset, explain_project
from dateline.manifest import read_manifest
from dateline.project import Project

Json = dict[str, Any]
ANSWER = jsonschema_rs.validator_for(json.loads((Path(__file__).parent / "answer.schema.json").read_bytes()))
NESTED = ("articles", "records", "standoff")


def every_row(dataset: Path) -> Iterator[tuple[str, str, Path, int]]:
    """Table, name, file and number of all rows, read without what is tested."""
    manifest = read_manifest(dataset)
    for table, facts in manifest.tables.items():
        link = manifest.links.get(table)
        key = link["key"] if link else "article_id"
        for file in facts.files:
            columns = ["article_id", key] if link and link["level"] == "article" else [key]
            rows = pq.read_table(dataset / file["path"], columns=columns, partitioning=None).to_pylist()
            for number, row in enumerate(rows):
                yield table, "#".join(row[column] for column in columns), dataset / file["path"], number


class Seeds:
    """Seed files, parsed once each."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.files: dict[str, list[str]] = {}
        self.records: dict[tuple[str, int], Any] = {}

    def item(self, place: Json) -> Any:
        """What stands at a place: by its file and pointer, of a file of lines by its line."""
        lines = self.files.setdefault(place["file"], (self.project.root / place["file"]).read_text(encoding="utf-8").split("\n"))
        line = place["line"] if place["file"].endswith(".jsonl") else 0
        if (place["file"], line) not in self.records:
            self.records[place["file"], line] = json.loads(lines[line - 1] if line else "\n".join(lines))
        found = self.records[place["file"], line]
        return _followed(found, place)

    def spelled(self, place: Json) -> Any:
        """What the lines of a place spell; of a file of lines, what stands there in the record on its line."""
        lines = self.files[place["file"]][place["line"] - 1 : place["last_line"]]
        said = json.loads("\n".join(lines).strip().removesuffix(","))
        return _followed(said, place) if place["file"].endswith(".jsonl") else said


def _followed(value: Any, place: Json) -> Any:
    """What the pointer of a place leads to."""
    for step in re.findall(r"\w+", place["pointer"] or ""):
        value = value[int(step) if step.isdigit() else step]
    return value


@pytest.fixture(scope="module")
def explainer(small_flagship: Project) -> Explainer:
    return explain_project(small_flagship)


@pytest.mark.slow(seconds=20)
def test_every_row_leads_to_the_json_that_it_was_made_of(small_flagship: Project, explainer: Explainer) -> None:
    seeds, seen = Seeds(small_flagship), Counter[str]()
    for table, name, file, number in every_row(small_flagship.dataset):
        said = explainer.explain(name, table)
        ANSWER.validate(said)
        assert (said["table"], said["id"], said["notes"]) == (
            table,
            name,
            ["the dataset was built without suites: no expectation covers it"],
        )
        assert (small_flagship.dataset / said["shard"]["file"], said["shard"]["row"]) == (file, number)
        seen[table] += 1
        if said["level"] == "derived":
            base = [row for row in said["follows_from"]["rows"] if row["via"] is None]
            assert base, name
            assert said["articles"], name
            for row in said["follows_from"]["rows"]:
                assert row["seed"], (name, row)
                assert row["id"].rpartition("#")[2] in seeds.item(row["seed"]).values(), (name, row)
            continue
        assert said["seed_state"] == "same", name
        item = seeds.item(said["seed"])
        key = "article_id" if table in NESTED else explainer.rows.key(table)
        assert item[key] == name.rpartition("#")[2], name
        assert seeds.spelled(said["seed"]) == item, name
    assert seen == {table: facts.rows for table, facts in explainer.manifest.tables.items() if facts.rows}


@pytest.mark.slow(seconds=5)
def test_references_lead_both_ways(small_flagship: Project, explainer: Explainer) -> None:
    told: dict[tuple[str, str], set[tuple[str, str, str]]] = {}
    rows = [(table, name) for table, name, *_ in every_row(small_flagship.dataset) if explainer.rows.level(table) == "article"]
    for table, name in rows:
        for ref in explainer.explain(name, table)["refers_to"]:
            told.setdefault((ref["table"], ref["id"]), set()).add((table, ref["column"], name))
    assert len(told) > 500
    for (table, name), expected in told.items():
        found = explainer.explain(name, table)["referred_by"]
        assert {(row["table"], row["column"], row["id"]) for row in found["rows"]} >= expected or found["count"] > 200


@pytest.mark.slow(seconds=8)
def test_base_and_derived_rows_name_each_other(small_flagship: Project, explainer: Explainer) -> None:
    gives: dict[str, list[Json]] = {}
    for table, name, *_ in every_row(small_flagship.dataset):
        if explainer.rows.level(table) == "derived" and table != "estimands":
            for base in explainer.explain(name, table)["follows_from"]["rows"]:
                if base["via"] is None and base["table"] in ("claims", "quantities", "mentions", "factuality", "attributions"):
                    if base["id"] not in gives:
                        gives[base["id"]] = explainer.explain(base["id"], base["table"])["derived"]["rows"]
                    assert {"table": table, "id": name} in gives[base["id"]], (name, base)


def test_nothing_of_a_withheld_text_is_told(small_flagship: Project, explainer: Explainer) -> None:
    """No column that is null because the text is withheld comes back by another way, and nothing is drawn."""
    standoff = pq.read_table(
        small_flagship.dataset / explainer.manifest.tables["standoff"].files[0]["path"], columns=["article_id"], partitioning=None
    )
    withheld = set(standoff["article_id"].to_pylist())
    rows = [(table, name) for table, name, *_ in every_row(small_flagship.dataset) if "|" not in name]
    own = [(table, name) for table, name in rows if name.partition("#")[0] in withheld]
    assert len(own) > 500
    for table, name in own:
        said = explainer.explain(name, table)
        assert said["snippet"] is None
        assert [article["withheld"] for article in said["articles"]] == [True]
        assert not {"text", "headline", "surface", "proposition", "note"} & _keys({**said, "content": None})
    contents = [explainer.explain(name)["content"] for name in withheld]
    for content in contents:
        assert content["text"].keys() == {"text_sha256", "text_n_code_points", "text_n_bytes", "text_license"}
    assert any(content["correction_log"] for content in contents)


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {*value, *(key for inner in value.values() for key in _keys(inner))}
    return {key for inner in value for key in _keys(inner)} if isinstance(value, list) else set()


def test_a_release_is_explained_without_seeds(small_flagship: Project) -> None:
    bare = explain_dataset(small_flagship.dataset)
    for table in bare.manifest.tables:
        name = next(name for of, name, *_ in every_row(small_flagship.dataset) if of == table)
        said = bare.explain(name, table)
        ANSWER.validate(said)
        assert (said["seed"], said["seed_state"] in ("unknown", "follows")) == (None, True)
        assert said["notes"][0] == "no place in the seeds: a dataset in a folder is explained without seeds"
        assert explanation_lines(said)[0] == f"{table} {name}"
        if said["level"] == "derived":
            assert said["follows_from"]["count"]
