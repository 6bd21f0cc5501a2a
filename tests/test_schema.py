"""schemas/ is the single truth: columns, types, features and messages follow from it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from datasets import Features
from hypothesis import given, settings
from hypothesis import strategies as st

from building import MENTIONS, REPOSITORY, Json, ProjectFolder, mention, record
from dateline.compile.tables import arrow_schema, columns, configs, features
from dateline.errors import SchemaError
from dateline.loading import load
from dateline.schema import load_schemas, schemas_from
from dateline.schema_check import KEYWORDS

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


# ---- what a schema file must keep ----------------------------------------------------------------------------

TEXT: Json = {"type": "string", "description": "x"}
MAYBE: Json = {"type": ["string", "null"], "description": "x"}
LIST: Json = {"type": "array", "items": {"type": "string"}, "description": "x"}
MANY: Json = {"x-span": "many", "description": "x"}
SIDE: Json = {"type": "string", "enum": ["A", "B"], "description": "x"}
UP: Json = MAYBE | {"x-ref": "broken"}
DERIVED: Json = {"type": "string", "enum": ["Y"], "description": "x", "x-derive": {"from": ["side"], "map": {"A": "Y"}}}


def thing(**properties: Any) -> Json:
    return {"type": "object", "description": "x", "properties": properties}


def items(schema: Any) -> Json:
    return {"type": "array", "items": schema, "description": "x"}


def derived(**law: Any) -> Json:
    return DERIVED | {"x-derive": {"from": ["side"], "map": {"A": "Y"}} | law}


# a field `f` of a layer `broken` that has the fields id (key), side (label), up (reference to the own layer), s (spans)
BAD_FIELDS: dict[str, Any] = {
    # a keyword where nobody reads it
    "x-ref on an object": thing(a=TEXT) | {"x-ref": "mentions"},
    "x-column on an object": thing(a=TEXT) | {"x-column": "b"},
    "x-withheld false": MAYBE | {"x-withheld": False},
    "x-withheld false on an object": thing(a=MAYBE) | {"x-withheld": False},
    "x-withheld in anyOf": MAYBE | {"anyOf": [{"x-withheld": True}]},
    "spans in items": items(thing(a={"x-span": "many"})),
    "spans in items of items": items({"type": "array", "items": {"x-span": "many"}}),
    "one span in items": items({"x-span": "one"}),
    "x-ref in items": items({"type": "string", "x-ref": "mentions"}),
    "x-ref in an item's field": items(thing(a={"type": "string", "x-ref": "mentions"})),
    "x-decimal in items": items({"type": "number", "x-decimal": [5, 2]}),
    "x-derive in items": items(thing(a=DERIVED)),
    "x-key in items": items(thing(a={"type": "string", "x-key": True})),
    "date in items": items({"type": "string", "format": "date"}),
    "date in an item's field": items(thing(a={"type": "string", "format": "date"})),
    # objects
    "additionalProperties": thing(a=TEXT) | {"additionalProperties": True},
    "additionalProperties by a schema": thing(a=TEXT) | {"additionalProperties": {"type": "string"}},
    "additionalProperties in items": items(thing(a=TEXT) | {"additionalProperties": True}),
    "patternProperties": thing(a=TEXT) | {"patternProperties": {"^x": {}}},
    "no properties": thing(),
    "no properties in items": items(thing()),
    "required but not there": thing(a=TEXT) | {"required": ["b"]},
    "properties of a string": thing(a=TEXT) | {"type": "string"},
    "object without properties": {"type": "object", "description": "x"},
    "true": True,
    "a number": 5,
    "items true": items(True),
    "no items": {"type": "array", "description": "x"},
    "description is a number": TEXT | {"description": 5},
    # labels and derived columns
    "a label twice": SIDE | {"enum": ["A", "B", "A"]},
    "a label of another type": SIDE | {"enum": ["A", 1]},
    "only null": MAYBE | {"enum": [None]},
    "map gives no label": derived(map={"A": "NO"}),
    "map gives another type": DERIVED | {"enum": ["Y", "N"], "x-derive": {"from": ["side"], "map": {"A": 1}}},
    "map is a list": derived(map=["Y"]),
    "from is a word": derived(**{"from": "side"}),
    "from an unknown column": derived(**{"from": ["nothing"]}),
    "from itself": derived(**{"from": ["f"]}),
    "from spans": derived(**{"from": ["s"]}),
    "without map": DERIVED | {"x-derive": {"from": ["side"]}},
    "without from": DERIVED | {"x-derive": {"map": {"A": "Y"}}},
    "derive is a word": DERIVED | {"x-derive": "side"},
    # keywords of a wrong shape
    "x-within is a word": MANY | {"x-within": "s"},
    "x-within without spans": MANY | {"x-within": {"via": None}},
    "x-within of no spans": MANY | {"x-within": {"via": None, "spans": "side"}},
    "x-within via no reference": MANY | {"x-within": {"via": "side", "spans": "s"}},
    "x-within via nothing": MANY | {"x-within": {"via": "nothing", "spans": "s"}},
    "x-within via a list": MANY | {"x-within": {"via": "many", "spans": "s"}},
    "x-within via a table": MANY | {"x-within": {"via": "kind", "spans": "kind"}},
    "x-within on a string": TEXT | {"x-within": {"via": None, "spans": "s"}},
    "x-ordered without labels": TEXT | {"x-ordered": True},
    "x-ordered false": TEXT | {"enum": ["a", "b"], "x-ordered": False},
    "x-decimal one number": {"type": "number", "description": "x", "x-decimal": [5]},
    "x-decimal too long": {"type": "number", "description": "x", "x-decimal": [39, 2]},
    "x-decimal of no digits": {"type": "number", "description": "x", "x-decimal": [0, 0]},
    "x-decimal more behind than digits": {"type": "number", "description": "x", "x-decimal": [2, 3]},
    "x-decimal negative": {"type": "number", "description": "x", "x-decimal": [5, -1]},
    "x-decimal words": {"type": "number", "description": "x", "x-decimal": "5,2"},
    "x-decimal true": {"type": "number", "description": "x", "x-decimal": [True, False]},
    "x-decimal on a string": TEXT | {"x-decimal": [5, 2]},
    "x-span some": {"x-span": "some", "description": "x"},
    "x-span true": {"x-span": True, "description": "x"},
    "x-span of type string": MANY | {"type": "string"},
    "x-span with items": MANY | {"items": {"type": "string"}},
    "x-key one": TEXT | {"x-key": 1},
    "x-key nested": thing(a=TEXT | {"x-key": True}),
    "x-ref a number": TEXT | {"x-ref": 1},
    "x-ref unknown": TEXT | {"x-ref": "nothing"},
    "x-ref to the article": TEXT | {"x-ref": "article"},
    "x-ref on a number": {"type": "integer", "description": "x", "x-ref": "mentions"},
    "x-ref on numbers": items({"type": "integer"}) | {"x-ref": "mentions"},
    "x-ref on lists of lists": items({"type": "array", "items": {"type": "string"}}) | {"x-ref": "mentions"},
    "x-acyclic without x-ref": MAYBE | {"x-acyclic": True},
    "x-acyclic to another layer": MAYBE | {"x-ref": "mentions", "x-acyclic": True},
    "x-acyclic on a list": LIST | {"x-ref": "broken", "x-acyclic": True},
    "x-acyclic one": UP | {"x-acyclic": 1},
    "x-column a number": thing(f=TEXT | {"x-column": 1}),
    "x-column of a field of the item": TEXT | {"x-column": "g"},
    "x-outside a word": MANY | {"x-outside": "s"},
    "x-outside no spans": MANY | {"x-outside": ["side"]},
    "x-depth optional": {"type": "integer", "description": "x", "x-depth": "up"},
    "x-quotes without nested": SIDE | {"x-quotes": {"spans": "s"}},
    "x-quotes of a label that is two": SIDE | {"x-quotes": {"spans": "s", "nested": "up", "closed": ["A"], "some": ["A"]}},
    "x-quotes of no label": SIDE | {"x-quotes": {"spans": "s", "nested": "up", "none": ["C"]}},
    "x-target without x-ref": MAYBE | {"x-target": {"field": "side", "values": ["A"]}},
    "x-target of no label": UP | {"x-target": {"field": "side", "values": ["C"]}},
    "x-present via a label": MAYBE | {"x-present": {"via": "side", "field": "side", "values": ["A"]}},
    # types, formats, defaults, references
    "two types": {"type": ["string", "integer"], "description": "x"},
    "only the type null": {"type": "null", "description": "x"},
    "no type": {"description": "x"},
    "unknown format": TEXT | {"format": "e-mail"},
    "a format that is not checked": TEXT | {"format": "uri"},
    "a format in items": items({"type": "string", "format": "uri"}),
    "default of another type": TEXT | {"default": 1},
    "default that no column holds": {"type": "integer", "description": "x", "default": 2**63},
    "default null": TEXT | {"default": None},
    "default true for a number": {"type": "integer", "description": "x", "default": True},
    "default no label": SIDE | {"default": "C"},
    "default date": TEXT | {"format": "date", "default": "2024-01-01"},
    "integers beyond 64 bits": {"type": "integer", "description": "x", "maximum": 2**64},
    "reference to the network": TEXT | {"$ref": "https://example.org/a.json"},
    "reference to a file": TEXT | {"allOf": [{"$ref": "other.json#/a"}]},
    "reference to itself": TEXT | {"$ref": "#"},
    "reference to nothing": TEXT | {"$ref": "#/$defs/nothing"},
    "reference a number": TEXT | {"$ref": 1},
    "a dialect of its own": TEXT | {"$schema": "https://example.org/dialect"},
    "column twice": thing(a=TEXT | {"x-column": "side"}),
}

GOOD_FIELDS: dict[str, Json] = {
    "an object": thing(a=TEXT, b=MAYBE | {"x-column": "other"}),
    "an object that may be null": thing(a=MAYBE) | {"type": ["object", "null"]},
    "an object in an object": thing(a=thing(b=TEXT)),
    "a withheld object": thing(a=MAYBE) | {"x-withheld": True},
    "items": items(thing(a=TEXT, b={"type": "array", "items": {"type": "integer"}})),
    "lists of spans": items({"x-span": "many"}),
    "references": LIST | {"x-ref": "mentions"},
    "derived": DERIVED,
    "decimal": {"type": ["number", "null"], "description": "x", "x-decimal": [38, 38]},
    "date": MAYBE | {"format": "date"},
    "within": MANY | {"x-within": {"via": "up", "spans": "s"}, "x-outside": ["s"]},
    "default": {"type": "boolean", "description": "x", "default": False},
    "default label": SIDE | {"default": "A"},
    "default null": MAYBE | {"default": None},
    "reference in the file": TEXT | {"$ref": "#/$defs/short"},
    "a field named like a keyword": thing(type=TEXT, properties=TEXT, required=TEXT),
}


def broken(field: Any, name: str = "f", **changes: Any) -> Json:
    fields = {"id": KEY, "side": SIDE, "up": UP, "many": LIST | {"x-ref": "broken"}, "kind": TEXT | {"x-ref": "kinds"}, "s": MANY}
    return {"description": "B", "$defs": {"short": {"maxLength": 3}}, "properties": {**fields, name: field}} | changes


def refused(folder: ProjectFolder, name: str, schema: Json, *said: str) -> None:
    """The schema is refused in one line that names the file and what else was asked for."""
    folder.schema("kinds", {"description": "K", "x-table": "corpus", "properties": {"kind": KEY}})
    folder.schema(name, schema)
    with pytest.raises(SchemaError) as caught:
        load_schemas(folder.root / "schemas")
    message = str(caught.value).replace(str(folder.root), "")
    assert "\n" not in message
    for words in (f"{name}.schema.json", *said):
        assert words in message


@pytest.mark.parametrize("field", BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_a_field_that_could_not_be_kept_is_refused_by_name(folder: ProjectFolder, field: Any) -> None:
    # a name that no other part of a message has
    written = json.loads(json.dumps(broken(field, "feld")).replace('["f"]', '["feld"]'))
    refused(folder, "broken", written, "side" if field is BAD_FIELDS["column twice"] else "feld")


@pytest.mark.parametrize("field", GOOD_FIELDS.values(), ids=GOOD_FIELDS)
def test_a_field_that_can_be_kept_loads_and_its_record_schema_works(folder: ProjectFolder, field: Json) -> None:
    folder.schema("kinds", {"description": "K", "x-table": "corpus", "properties": {"kind": KEY}})
    folder.schema("broken", broken(field))
    schemas = load_schemas(folder.root / "schemas")
    assert schemas.record_validator.is_valid(record("a1", broken=[{"id": "b1"}]))
    # the key is required though `required` does not say so; an item is an object and has described fields only
    for item in ({"side": "A"}, {"id": "b1", "other": 1}, 5):
        assert not schemas.record_validator.is_valid(record("a1", broken=[item]))


def test_a_reference_inside_a_layers_schema_stays_inside_it(folder: ProjectFolder) -> None:
    folder.schema("broken", broken(GOOD_FIELDS["reference in the file"]))
    folder.schema("kinds", {"description": "K", "x-table": "corpus", "properties": {"kind": KEY}})
    folder.seed({"kind": "A"}, name="tables/kinds.jsonl")
    folder.seed(record("a1", broken=[{"id": "b1", "f": "long"}, {"id": "b2", "f": "abc"}]))
    assert [str(p.place.pointer) for p in folder.rebuild().problems] == ["$.broken[0].f"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"required": ["f"]}, "derived"),
        ({"required": ["nothing"]}, "nothing"),
        ({"required": 5}, "required"),
        ({"additionalProperties": True}, "additionalProperties"),
        ({"type": "array"}, "type"),
        ({"title": 5}, "title"),
        ({"properties": {}}, "properties"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "$schema"),
        ({"x-table": "article"}, "x-table"),
        ({"x-prefix": 5}, "x-prefix"),
        ({"x-span": "many"}, "x-span"),
        ({"x-ascending": ["side"]}, "x-ascending"),
        ({"x-ascending": [["side", "nothing"]]}, "nothing"),
        ({"x-ascending": [["s", "side"]]}, "x-ascending"),
        ({"x-covers": {"field": "side"}}, "x-covers"),
        ({"x-covers": {"field": "side", "values": ["C"]}}, "x-covers"),
        ({"x-rules": {}}, "x-rules"),
        ({"x-rules": ["a"]}, "x-rules"),
        ({"x-rules": [{"id": "a", "says": 5, "then": {}}]}, "says"),
        ({"x-rules": [{"id": "a", "says": "x", "then": {}, "equal": ["s"]}]}, "equal"),
        ({"x-rules": [{"id": "a", "says": "x", "then": {"x-span": "many"}}]}, "x-span"),
        ({"x-rules": [{"id": "a", "says": "x", "then": {"$ref": "https://example.org"}}]}, "$ref"),
        ({"x-rules": [{"id": "a", "says": "x", "then": {}, "iff": {}}]}, "iff"),
        ({"$defs": {"short": {"x-withheld": True}}}, "x-withheld"),
        ({"x-table": "corpus"}, "x-ref"),
    ],
)
def test_a_schema_whose_own_keywords_could_not_be_kept_is_refused(folder: ProjectFolder, changes: Json, says: str) -> None:
    refused(folder, "broken", broken(DERIVED, **changes), says)


@pytest.mark.parametrize("name", ["default", "added_in", "changed_in", "article_id", "rights", "text_sha256"])
def test_a_layer_cannot_have_a_name_of_the_engine(folder: ProjectFolder, name: str) -> None:
    refused(folder, name, {"description": "x", "properties": {"id": KEY}}, name)


def test_no_two_columns_have_one_name(folder: ProjectFolder) -> None:
    refused(folder, "broken", broken(TEXT, "article_id"), "article_id")
    refused(folder, "broken", broken(thing(a=TEXT | {"x-column": "g"}, b=TEXT | {"x-column": "g"})), "g")
    (folder.root / "schemas" / "broken.schema.json").unlink()
    for properties, says in (
        ({"added_in": TEXT}, "added_in"),
        ({"changed_in": TEXT}, "changed_in"),
        ({"text_sha256": TEXT}, "text_sha256"),
        ({"meta_a": TEXT, "meta": thing(a=TEXT)}, "meta_a"),
        ({"meta": thing(a=TEXT | {"x-column": "text"})}, "text"),
    ):
        refused(folder, "article", {"properties": properties}, says)


def test_a_key_written_twice_in_a_schema_file_is_refused(folder: ProjectFolder) -> None:
    # the later one would silently win, and with it the text be published
    path = folder.root / "schemas" / "mentions.schema.json"
    path.write_text(path.read_text().replace('"x-withheld": true', '"x-withheld": true, "x-withheld": false'))
    with pytest.raises(SchemaError, match=r"mentions\.schema\.json.*'x-withheld' twice"):
        load_schemas(folder.root / "schemas")


# ---- the reserved fields -------------------------------------------------------------------------------------


def article(**properties: Any) -> Json:
    return {"properties": properties}


@pytest.mark.parametrize(
    ("own", "says"),
    [
        (article(text={"properties": {"content": {"x-withheld": False}}}), "text.content"),
        (article(text={"properties": {"content": {"x-column": "body"}}}), "text.content"),
        (article(text={"properties": {"content": {"type": "integer"}}}), "text.content"),
        (article(text={"properties": {"content": {"type": ["string", "null", "integer"]}}}), "text.content"),
        (article(text={"properties": {"content": {"default": "x"}}}), "text.content"),
        (article(text={"properties": {"sha256": {"x-withheld": True}}}), "text.sha256"),
        (article(text={"properties": {"content": {"properties": {"a": TEXT}}}}), "text.content"),
        (article(text={"properties": {"content": True}}), "text.content"),
        (article(text={"additionalProperties": True}), "text"),
        (article(text=True), "text"),
        (article(rights={"properties": {"text_redistributable": {"default": True}}}), "rights.text_redistributable"),
        (article(language={"x-key": True}), "language"),
        (article(mentioned=MAYBE | {"x-ref": "mentions"}), "mentioned"),
        (article(words=MANY), "words"),
        (article(kind=DERIVED), "kind"),
        (article() | {"x-table": "corpus"}, "x-table"),
    ],
)
def test_an_own_article_schema_cannot_change_what_the_engine_keeps(folder: ProjectFolder, own: Json, says: str) -> None:
    refused(folder, "article", own, says)


def test_narrowed_reserved_fields_stay_withheld_and_both_laws_hold(folder: ProjectFolder) -> None:
    own = article(
        article_id={"pattern": "7$"},
        text={"properties": {"content": {"description": "Ours.", "type": ["string", "null"], "maxLength": 30}, "lead": MAYBE}},
        rights={"properties": {"text_redistributable": {"description": "Ours."}}, "required": ["text_redistributable"]},
        language={"type": "string"},
    )
    folder.schema("article", own | {"required": ["language"]})
    closed: Json = {"rights": {"text_redistributable": False}, "language": "en"}
    folder.seed(
        record("ok7", **closed), record("no8", **closed), record("no/7", **closed), record("long7", "x" * 31, **closed),
        record("null7", rights=closed["rights"], language=None), record("missing7", rights={}, language="en"),
    )  # fmt: skip
    found = [(p.place.pointer, p.rule) for p in folder.rebuild().problems]
    assert found == [
        ("$.article_id", "bad-value"), ("$.article_id", "bad-value"), ("$.text.content", "bad-value"),
        ("$.language", "wrong-type"), ("$.rights", "missing-field"),
    ]  # fmt: skip
    folder.seed(record("ok7", **closed))
    assert folder.rebuild().problems == []
    row = load("articles", source=folder.root / "dataset", split="train")[0]
    assert row["text"] is None
    assert row["text_n_code_points"] == 19


def test_an_object_that_is_withheld_withholds_its_fields(folder: ProjectFolder) -> None:
    folder.schema("article", article(extra=thing(lead=MAYBE, deep=thing(more=MAYBE)) | {"x-withheld": True}))
    extra = {"lead": "Ana met", "deep": {"more": "Bo in Rome"}}
    folder.seed(record("a1", extra=extra), record("a2", extra=extra, rights={}))
    assert folder.rebuild().problems == []
    rows = load("articles", source=folder.root / "dataset", split="train")
    assert [(r["extra_lead"], r["extra_deep_more"]) for r in rows] == [("Ana met", "Bo in Rome"), (None, None)]


def test_an_object_without_additional_properties_takes_none(folder: ProjectFolder) -> None:
    folder.schema("article", article(meta=thing(a=TEXT), log=items(thing(a=TEXT))))
    folder.seed(record("a1", meta={"a": "x", "b": "y"}), record("a2", log=[{"a": "x", "b": "y"}]))
    assert [p.rule for p in folder.rebuild().problems] == ["unknown-field", "unknown-field"]


def test_decimals_of_articles_and_tables_are_checked_too(folder: ProjectFolder) -> None:
    price = {"type": "number", "description": "x", "x-decimal": [4, 2]}
    folder.schema("article", article(price=price))
    folder.schema("kinds", {"description": "K", "x-table": "corpus", "properties": {"kind": KEY, "price": price}})
    folder.seed({"kind": "A", "price": 100.5}, name="tables/kinds.jsonl")
    folder.seed(record("a1", price=0.125))
    assert [p.rule for p in folder.rebuild().problems] == ["number-precision", "number-precision"]


# ---- law: a schema loads or is refused -----------------------------------------------------------------------

FLAGSHIP = {p.name.removesuffix(".schema.json"): json.loads(p.read_bytes()) for p in (REPOSITORY / "schemas").glob("*.json")}
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, -1, 10**30, 0.5, "", "x", "text", "spans", "many", "date", "#/$defs/x", [], [[]], [1],
     ["x"], ["string", "null"], {}, {"a": 1}, {"type": "string"}, {"x-span": "many"}, {"properties": {}},
     {"via": None, "spans": "spans"}, {"field": "x", "values": []}]
)  # fmt: skip
NAMES = [
    "type", "properties", "items", "enum", "const", "default", "required", "format", "pattern", "$ref", "$id", "$defs", "allOf",
    "if", "additionalProperties", "description", "title", "minimum", "maxItems", *KEYWORDS,
]  # fmt: skip


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a JSON value with each of its keys."""
    for key in list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield node, key
        yield from places(node[key])


@pytest.mark.parametrize("name, field", [("article", "article_id"), ("mentions", "mention_type")])
def test_items_beside_another_type_are_an_object_too(name: str, field: str) -> None:
    schema = json.loads(json.dumps(FLAGSHIP[name]))
    schema["properties"][field]["items"] = True
    with pytest.raises(SchemaError, match=rf"{name}\.schema\.json: {field}: items is an object, not true"):
        schemas_from({n: json.dumps(s).encode() for n, s in (FLAGSHIP | {name: schema}).items()})


@settings(max_examples=80)
@given(st.data())
def test_a_mutated_schema_loads_or_is_refused_and_nothing_else(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FLAGSHIP)))
    schema = json.loads(json.dumps(FLAGSHIP[name]))
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(list(places(schema)) or [(schema, "type")]))
        match data.draw(st.sampled_from(["replace", "drop", "add", "copy"])):
            case "drop":
                container.pop(key, None) if isinstance(container, dict) else container.pop(key)
            case "add" if isinstance(container, dict):
                container[data.draw(st.sampled_from(NAMES))] = copy.deepcopy(
                    data.draw(JUNK)
                )  # else one that is drawn twice could come to lie in itself
            case "copy" if places_elsewhere := list(places(schema)):
                other, there = data.draw(st.sampled_from(places_elsewhere))
                container[key] = json.loads(json.dumps(other[there]))
            case _:
                container[key] = copy.deepcopy(data.draw(JUNK))
    sources = {n: json.dumps(s).encode() for n, s in (FLAGSHIP | {name: schema}).items()}
    try:
        loaded = schemas_from(sources)
    except SchemaError as refused:
        assert "\n" not in str(refused)
        assert ".schema.json" in str(refused)
    else:
        assert loaded.record_validator.is_valid(record("a1")) in {True, False}
        for config in configs(loaded):
            assert len(set(arrow_schema(config, loaded).names)) == len(features(config, loaded))
        assert all(law.id for layer in (loaded.article, *loaded.layers.values()) for law in layer.rules)
        assert loaded.article["text"].withheld
