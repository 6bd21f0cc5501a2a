"""schemas/ is the single truth: columns, types, features and messages follow from it."""

from __future__ import annotations

import json

import polars as pl
import pyarrow as pa
import pytest
from datasets import Features

from building import MENTIONS, REPOSITORY, Json, ProjectFolder, mention, record
from dateline.compile.tables import arrow_schema, columns, configs, features
from dateline.errors import SchemaError
from dateline.loading import load
from dateline.schema import load_schemas

LAYER: Json = {
    "title": "Stances",
    "description": "Who is for or against.",
    "type": "object",
    "properties": {
        "stance_id": {"type": "string", "description": "Local id.", "x-key": True},
        "spans": {"description": "The words.", "x-span": "many"},
        "mention_id": {"type": "string", "description": "Whose stance.", "x-ref": "mentions"},
        "side": {"type": "string", "enum": ["PRO", "CON"], "description": "For or against."},
        "degree": {"type": ["number", "null"], "description": "Degree, 0 to 1."},
        "tags": {"type": "array", "items": {"type": "string"}, "description": "Tags."},
        "on": {"type": ["string", "null"], "format": "date", "description": "Day."},
        "shout": {
            "type": ["string", "null"],
            "enum": ["YES", "NO", None],
            "description": "Computed.",
            "x-derive": {"from": ["side"], "map": {"PRO": "YES", "CON": "NO"}},
        },
    },
    "required": ["stance_id", "side"],
    "additionalProperties": False,
}


def test_a_schema_file_dropped_in_is_a_layer_a_table_and_a_config(folder: ProjectFolder) -> None:
    folder.schema("stances", LAYER)
    stance = {"stance_id": "s1", "spans": [{"start": 4, "end": 7}], "mention_id": "m1", "side": "CON", "on": "2024-02-29"}
    folder.seed(record("a1", mentions=[mention("m1", 0, 3)], stances=[stance]))
    assert folder.rebuild().problems == []
    row = load("stances", source=folder.root / "dataset", split="train")
    assert row.features["side"].names == ["PRO", "CON"]
    assert row.features["on"].dtype == "date32"
    assert row[0]["spans"] == [{"start": 4, "end": 7, "surface": "met"}]
    assert row.features["shout"].int2str(row[0]["shout"]) == "NO"
    card = (folder.root / "dataset" / "README.md").read_text()
    assert "| degree | double | Degree, 0 to 1. |" in card
    nested = load("records", source=folder.root / "dataset", split="train")
    assert nested[0]["stances"][0]["mention_id"] == "m1"


def test_a_project_needs_no_date_publisher_group_or_id_pattern(folder: ProjectFolder) -> None:
    folder.seed({"article_id": "Any.Name_7", "text": {"content": "Ana."}}, {"article_id": "b", "text": {"content": "Bo."}})
    assert folder.rebuild().problems == []
    # nothing was said of rights, so the texts are withheld
    rows = load("articles", source=folder.root / "dataset", split="train")
    assert [(r["article_id"], r["text"]) for r in rows] == [("Any.Name_7", None), ("b", None)]
    assert load("mentions", source=folder.root / "dataset", split="train").num_rows == 0


def test_own_article_fields_narrow_and_extend_the_reserved_ones(folder: ProjectFolder) -> None:
    folder.schema(
        "article",
        {
            "properties": {
                "article_id": {"pattern": "^n[0-9]+$"},
                "meta": {
                    "type": "object",
                    "description": "Origin.",
                    "additionalProperties": False,
                    "properties": {"desk": {"type": "string", "description": "Desk.", "enum": ["WORLD", "LOCAL"]}},
                    "required": ["desk"],
                },
            },
            "required": ["meta"],
        },
    )
    folder.seed(record("x1", meta={"desk": "WORLD"}), record("n2"), record("n3", meta={"desk": "SEA"}))
    assert [p.rule for p in folder.rebuild().problems] == ["bad-value", "missing-field", "unknown-label"]
    folder.seed(record("n1", meta={"desk": "WORLD"}))
    folder.rebuild()
    assert load("articles", source=folder.root / "dataset", split="train").features["meta_desk"].names == ["WORLD", "LOCAL"]


def test_a_corpus_level_table_is_checked_and_referred_to(folder: ProjectFolder) -> None:
    table = {
        "title": "Kinds",
        "description": "Open vocabulary.",
        "x-table": "corpus",
        "properties": {"kind": {"type": "string", "description": "Name.", "x-key": True}},
        "required": ["kind"],
        "additionalProperties": False,
    }
    typed = json.loads(json.dumps(MENTIONS))
    typed["properties"]["kind"] = {"type": ["string", "null"], "description": "Kind.", "x-ref": "kinds"}
    folder.schema("kinds", table)
    folder.schema("mentions", typed)
    folder.seed({"kind": "A"}, {"kind": "B"}, name="tables/kinds.jsonl")
    folder.seed(record("a1", mentions=[mention("m1", 0, 3, kind="A"), mention("m2", 8, 10, kind="C")]))
    assert [p.rule for p in folder.rebuild().problems] == ["reference"]
    folder.seed({"kind": "C"}, {"kind": "A"}, {"kind": "B"}, name="tables/kinds.jsonl")
    assert folder.rebuild().problems == []
    assert load("kinds", source=folder.root / "dataset", split="corpus")["kind"] == ["A", "B", "C"]
    folder.seed({"kind": "C"}, {"kind": "A"}, {"kind": "A"}, {"kinds": "B"}, name="tables/kinds.jsonl")
    assert [p.rule for p in folder.rebuild().problems] == ["duplicate-id", "unknown-field", "missing-field"]


def test_arrow_types_and_features_agree_for_every_config_of_the_flagship() -> None:
    schemas = load_schemas(REPOSITORY / "schemas")
    for config in configs(schemas):
        declared = features(config, schemas)
        made = Features._from_yaml_list(declared)
        assert made._to_yaml_list() == declared
        stored = arrow_schema(config, schemas)
        assert [f.name for f in made.arrow_schema] == stored.names
        for name in stored.names:
            assert _words(made.arrow_schema.field(name).type) == _words(stored.field(name).type), (config, name)
        assert all(description for _, _, description, _ in columns(config, schemas))


def _words(kind: pa.DataType) -> str:
    """The type as text; labels are words in Arrow and numbers in Features."""
    return str(kind).replace("int64", "string").replace("element:", "item:")


KEY: Json = {"type": "string", "description": "x", "x-key": True}
NO_KEY: Json = {"type": "string", "description": "x"}


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"id": NO_KEY}, "x-key"),
        ({"id": {"type": "string", "x-key": True}}, "description"),
        ({"id": KEY | {"x-foo": 1}}, "unknown keyword 'x-foo'"),
        ({"id": KEY | {"type": "strong"}}, "strong"),
        ({"id": KEY, "r": NO_KEY | {"x-ref": "no"}}, "x-ref 'no'"),
        ({"id": KEY | {"pattern": "("}}, "not a valid JSON Schema"),
        ({"id": KEY, "l": {"type": "array", "items": NO_KEY | {"x-withheld": True}, "description": "x"}}, "x-withheld"),
        (None, "properties"),
    ],
)
def test_a_broken_schema_is_one_clear_line_that_names_the_file(folder: ProjectFolder, properties: Json | None, says: str) -> None:
    folder.schema("broken", {"title": "B", "description": "B"} | ({"properties": properties} if properties else {}))
    with pytest.raises(SchemaError, match=r"broken\.schema\.json") as caught:
        load_schemas(folder.root / "schemas")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_of_the_engine_cannot_be_taken(folder: ProjectFolder) -> None:
    for name in ("coverage", "articles", "records", "group"):
        folder.schema(name, LAYER | {"properties": {"id": {"type": "string", "description": "x", "x-key": True}}})
        with pytest.raises(SchemaError, match=name):
            load_schemas(folder.root / "schemas")
        (folder.root / "schemas" / f"{name}.schema.json").unlink()


def test_decimals_are_exact_in_every_reader(folder: ProjectFolder) -> None:
    folder.seed(record("a1", mentions=[mention("m1", 0, 3, score=0.1), mention("m2", 8, 10, score=123456789.125)]))
    folder.rebuild()
    scores = pl.read_parquet(folder.root / "dataset" / "mentions" / "train-*.parquet")["score"].to_list()
    assert [str(s) for s in scores] == ["0.100", "123456789.125"]
