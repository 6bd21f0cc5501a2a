"""Annotation sets kept apart: where a set was adjudicated, the tables hold its items, and `primary` those of the others."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pyarrow.parquet as pq
import pytest

from building import MENTIONS, REPOSITORY, Json, ProjectFolder, record
from dateline.compile.digests import table_digests
from dateline.errors import SchemaError
from dateline.hydrating import hydrate_dataset
from dateline.loading import load
from dateline.manifest import read_manifest
from dateline.opening import open_corpus
from dateline.schema import load_schemas
from dateline.validate.suite_files import changes, write_changes
from two_annotators import TEXT, annotated, annotation_set, by_annotator, named


@pytest.fixture
def two(folder: ProjectFolder) -> ProjectFolder:
    return annotated(folder)


def adjudicated(article_id: str = "a1", text: str | None = TEXT, **fields: Any) -> Json:
    """Ada and Bo marked mentions and entities, and Cy decided on the mentions; the entities are Ada's alone."""
    sets = [
        annotation_set("s-ada", "ada"),
        annotation_set("s-bo", "bo", tool="prodigy", guideline_version="2"),
        annotation_set("s-cy", "cy", status="ADJUDICATED", adjudicator_id="cy"),
        annotation_set("s-ents", "ada", layer="entities"),
    ]
    mentions = [
        named("m1", "Ana", "s-ada", entity_id="e1"),
        named("m2", "Bo", "s-ada"),
        named("m3", "Ana", "s-bo"),
        named("m4", "Ana", "s-cy", entity_id="e1"),
    ]
    entities = [{"entity_id": "e1", "kind": "PER", "annotation_set_id": "s-ents"}]
    return record(article_id, text, annotation_sets=sets, mentions=mentions, entities=entities, **fields)


def rows(folder: ProjectFolder, config: str) -> list[Json]:
    files = sorted((folder.root / "dataset" / config).glob("*.parquet"))
    return [row for path in files for row in pq.read_table(path, partitioning=None).to_pylist()]


def ids(items: list[Json]) -> list[str]:
    return [item["mention_id"] for item in items]


def test_nobody_trains_on_the_adjudicated_set_and_on_those_it_decided_between(two: ProjectFolder) -> None:
    two.seed(adjudicated())
    assert two.rebuild().problems == []
    assert ids(rows(two, "mentions")) == ["m4"]
    (nested,) = rows(two, "records")
    assert ids(nested["mentions"]) == ["m4"]
    assert [one["annotation_set_id"] for one in nested["annotation_sets"]] == ["s-ada", "s-bo", "s-cy", "s-ents"]
    (article,) = open_corpus(two.root / "dataset")
    assert [mention.id for mention in article.mentions] == ["m4"]


def test_primary_holds_a_row_for_each_annotator_with_layers_nested(two: ProjectFolder) -> None:
    two.seed(adjudicated())
    two.rebuild()
    about = ("article_id", "text", "annotation_set_ids", "annotator_id", "annotator_type", "tool", "guideline_version", "status")
    ada, bo = rows(two, "primary")
    assert [ada[name] for name in about] == ["a1", TEXT, ["s-ada"], "ada", "HUMAN", "brat", "1", "PRIMARY"]
    assert [bo[name] for name in about] == ["a1", TEXT, ["s-bo"], "bo", "HUMAN", "prodigy", "2", "PRIMARY"]
    assert (ids(ada["mentions"]), ids(bo["mentions"])) == (["m1", "m2"], ["m3"])
    assert [one["annotation_set_id"] for one in ada["annotation_sets"]] == ["s-ada"]
    assert ada["mentions"][0]["spans"] == [{"start": 0, "end": 3, "surface": "Ana"}]
    assert ada["entities"] == bo["entities"] == []  # nobody decided on entities: they stand in their table
    assert load("primary", source=two.root / "dataset", split="train")["annotator_id"] == ["ada", "bo"]


def test_one_annotators_layers_stand_in_one_row_and_a_second_pass_in_another(two: ProjectFolder) -> None:
    record_ = adjudicated()
    record_["annotation_sets"] += [
        annotation_set("s-ents-cy", "cy", layer="entities", status="ADJUDICATED"),
        annotation_set("s-twice", "ada"),
    ]
    record_["entities"].append({"entity_id": "e2", "kind": "PER", "annotation_set_id": "s-ents-cy"})
    record_["mentions"][3]["entity_id"] = "e2"
    record_["mentions"].append(named("m5", "Rome", "s-twice"))
    two.seed(record_)
    assert two.rebuild().problems == []
    found = [(row["annotation_set_ids"], ids(row["mentions"]), len(row["entities"])) for row in rows(two, "primary")]
    assert found == [(["s-ada", "s-ents"], ["m1", "m2"], 1), (["s-bo"], ["m3"], 0), (["s-twice"], ["m5"], 0)]


def test_each_article_decides_for_itself_and_without_an_adjudicated_set_all_are_kept(two: ProjectFolder) -> None:
    two.seed(adjudicated("a1"), by_annotator("a2", {"ada": [("Ana", {})], "bo": [("Bo", {})]}, "Ana met Bo, and that was all."))
    two.rebuild()
    assert sorted(ids(rows(two, "mentions"))) == ["m-ada-1", "m-bo-1", "m4"]
    assert {row["article_id"] for row in rows(two, "primary")} == {"a1"}


def test_an_adjudication_that_was_replaced_stands_apart_too(two: ProjectFolder) -> None:
    record_ = adjudicated()
    record_["annotation_sets"].append(annotation_set("s-new", "cy", status="ADJUDICATED", supersedes="s-cy"))
    record_["mentions"].append(named("m9", "Ana2", "s-new"))
    two.seed(record_)
    two.rebuild()
    assert ids(rows(two, "mentions")) == ["m9"]
    assert [row["status"] for row in rows(two, "primary")] == ["PRIMARY", "PRIMARY", "ADJUDICATED"]


@pytest.mark.parametrize("sets", [["PRIMARY"], ["PRIMARY", "PRIMARY"], ["REFERENCE_DRAFT"], ["ADJUDICATED"]])
def test_where_nothing_stands_apart_there_is_no_such_config(two: ProjectFolder, sets: list[str]) -> None:
    listed = [annotation_set(f"s{n}", f"ann{n}", status=status) for n, status in enumerate(sets)]
    two.seed(record("a1", TEXT, annotation_sets=listed, mentions=[named("m1", "Ana", "s0")]))
    manifest = two.rebuild().manifest
    assert manifest is not None and "primary" not in manifest.tables
    assert "primary" not in (two.root / "dataset" / "README.md").read_text()
    assert ids(rows(two, "mentions")) == ["m1"]


def test_items_that_cannot_name_a_set_are_all_of_the_adjudicated_one(folder: ProjectFolder) -> None:
    """A layer without such a field has one state: sets are then the history of it."""
    sets = [annotation_set("s1", "ada"), annotation_set("s2", "cy", status="ADJUDICATED", supersedes="s1")]
    item = {"mention_id": "m1", "spans": [{"start": 0, "end": 3}], "label": "PER"}
    folder.seed(record("a1", annotation_sets=sets, mentions=[item]))
    manifest = folder.rebuild().manifest
    assert manifest is not None and "primary" not in manifest.tables and manifest.tables["mentions"].rows == 1


def test_this_corpus_has_no_such_config() -> None:
    assert "primary" not in read_manifest(REPOSITORY / "dataset").tables


def test_digests_and_rows_of_primary_follow_from_the_files_alone(two: ProjectFolder) -> None:
    two.seed(adjudicated(), record("a2", "Nobody marked this."))
    manifest = two.rebuild().manifest
    assert manifest is not None
    assert table_digests(two.root / "dataset", manifest) == {n: t.logical_digest for n, t in manifest.tables.items()}
    before = two.tree()
    two.rebuild(jobs=2)
    assert two.tree() == before


def test_a_withheld_text_is_withheld_in_primary_and_hydrated_there(two: ProjectFolder) -> None:
    withheld = adjudicated(rights={"text_redistributable": False})
    withheld["mentions"][0]["remark"] = "Ana met Bo"
    two.seed(withheld)
    assert two.rebuild().problems == []
    ada = rows(two, "primary")[0]
    assert ada["text"] is None and ada["mentions"][0]["remark"] is None
    assert ada["mentions"][0]["spans"] == [{"start": 0, "end": 3, "surface": None}]
    texts = two.root / "texts"
    texts.mkdir()
    (texts / "a1.txt").write_text(TEXT, encoding="utf-8")
    done = hydrate_dataset(two.project, two.root / "dataset", texts, two.root / "copy")
    assert done.problems == []
    (path,) = (two.root / "copy" / "primary").glob("*.parquet")
    ada = pq.read_table(path, partitioning=None).to_pylist()[0]
    assert ada["text"] == TEXT and ada["mentions"][0]["spans"][0]["surface"] == "Ana"


@pytest.mark.parametrize(
    ("rule", "pointer", "change"),
    [
        ("reference", "$.mentions[0].annotation_set_id", {"annotation_set_id": "s-nobody"}),
        ("set-layer", "$.mentions[0].annotation_set_id", {"annotation_set_id": "s-ents"}),
        ("set-unnamed", "$.mentions[0]", {"annotation_set_id": None}),
    ],
)
def test_a_set_that_is_not_there_or_not_of_the_layer_or_not_named_is_refused(
    two: ProjectFolder, rule: str, pointer: str, change: Json
) -> None:
    record_ = adjudicated()
    record_["mentions"][0] |= change
    two.seed(record_)
    assert [(p.rule, p.place.pointer) for p in two.rebuild().problems] == [(rule, pointer)]


def test_what_is_kept_refers_to_nothing_that_stands_apart(two: ProjectFolder) -> None:
    record_ = adjudicated()
    record_["mentions"][3]["parent_id"] = "m1"
    two.seed(record_)
    (fault,) = two.rebuild().problems
    assert (fault.rule, fault.place.pointer) == ("set-apart", "$.mentions[3].parent_id")
    assert "'m1', an item of 's-ada'" in fault.says
    record_["rights"] = {"text_redistributable": False}
    record_["mentions"][0]["mention_id"] = record_["mentions"][3]["parent_id"] = "Ana met Bo in Rome"
    two.seed(record_)
    assert "Ana met Bo" not in str(two.rebuild().problems[0])


def test_no_layer_takes_the_names_that_primary_needs(two: ProjectFolder) -> None:
    two.schema("primary", MENTIONS)
    with pytest.raises(SchemaError, match="the name 'primary' is taken"):
        load_schemas(two.root / "schemas")
    (two.root / "schemas" / "primary.schema.json").unlink()
    two.schema("tool", {**MENTIONS, "properties": {k: v for k, v in MENTIONS["properties"].items() if k != "parent_id"}})
    two.seed(record("a1", TEXT))
    assert two.rebuild().problems == []  # nothing stands apart: the name is free
    two.seed(adjudicated())
    with pytest.raises(SchemaError, match=r"tool\.schema\.json: the name 'tool' is a column of the config 'primary'"):
        two.rebuild()


@pytest.mark.slow
def test_the_suites_that_follow_from_schemas_pass_beside_primary(two: ProjectFolder) -> None:
    two.seed(adjudicated())
    write_changes(two.project.expectations, changes(two.project.expectations, load_schemas(two.root / "schemas")))
    done = two.rebuild()
    assert done.problems == [] and done.validated is not None and done.validated["errors"] == 0


def test_the_order_in_which_a_record_lists_things_changes_no_byte(two: ProjectFolder) -> None:
    two.seed(adjudicated())
    two.rebuild()
    before = hashlib.sha256(json.dumps(rows(two, "primary")).encode()).hexdigest()
    turned = adjudicated()
    turned["annotation_sets"].reverse()
    two.seed(turned)
    two.rebuild()
    after = rows(two, "primary")
    assert hashlib.sha256(json.dumps(after).encode()).hexdigest() == before
