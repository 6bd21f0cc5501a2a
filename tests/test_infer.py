"""What `dateline new` infers: nothing of a source is left unmapped, and the rules of docs/new.md."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dateline.compile.check import check_record
from dateline.compile.read import RawRecord
from dateline.document import Document, Node
from dateline.errors import InputError, Place
from dateline.mapping.apply import Draft
from dateline.mapping.file import mapping_from
from dateline.mapping.infer import Inferred, infer
from dateline.mapping.observe import Seen
from dateline.mapping.written import mapping_text
from dateline.record_files import encode
from dateline.schema import Schemas, schemas_from

EXAMPLES = int(os.environ.get("DATELINE_EXAMPLES", "15"))
TEXT = "Ana met Bo in Rome. They talked of trade, and of the weather, for an hour."


def seen_of(documents: Iterable[Document]) -> Seen:
    seen = Seen()
    for document in documents:
        seen.take(document)
    return seen


def inferred(*documents: Document, format_name: str = "any", **options: Any) -> Inferred:
    return infer(seen_of(documents), format_name, **options)


def schemas_of(found: Inferred) -> Schemas:
    return schemas_from({name: json.dumps(schema).encode() for name, schema in found.schemas.items()})


def written(found: Inferred) -> dict[str, Any]:
    """The mapping, as it is read from the file that is written of it."""
    return tomllib.loads(mapping_text(found.mapping, found.comments, "Written by a test."))


def document(*nodes: Node, name: str = "a", text: str = TEXT, **metadata: Any) -> Document:
    return Document(name, text, list(nodes), metadata)


def drafts(found: Inferred, documents: Iterable[Document]) -> list[Draft]:
    mapping = mapping_from(written(found), schemas_of(found))
    made = []
    for one in documents:
        draft = Draft(one, mapping)
        draft.record()
        draft.close()
        made.append(draft)
    return made


# ---- the law -------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["Person", "a.b.Type", "PER", "type", "order", "ü", "", "x*[y]?", "rows", "MIX_Case", "spans", "\x7f\n", "\ud800"]
)
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(),
    st.sampled_from(["", "a", "b", "007", "0.50", "1e5", "Ana"]), st.text(st.characters(codec="utf-8"), max_size=6),
)  # fmt: skip
VALUES = st.one_of(PLAIN, st.lists(PLAIN, max_size=3), st.dictionaries(st.just("k"), PLAIN, max_size=1))
SPANS = st.sampled_from([(), ((0, 3),), ((8, 10), (14, 18)), ((19, 24),)])
IDS = ["T1", "7", "x y", "-", "ü", "E.2"]


@st.composite
def random_documents(draw: st.DrawFn) -> list[Document]:
    made = []
    for number in range(draw(st.integers(1, 3))):
        ids = draw(st.lists(st.sampled_from(IDS), unique=True, max_size=5))
        nodes = [
            Node(
                each, draw(NAMES), draw(SPANS), draw(st.dictionaries(NAMES, VALUES, max_size=2)),
                draw(st.dictionaries(NAMES, st.lists(st.sampled_from([*ids, "none"]), max_size=2), max_size=2)),
                draw(st.dictionaries(NAMES, SPANS, max_size=1)), annotator=draw(st.sampled_from(["", "ann", "b o"])),
            )
            for each in ids
        ]  # fmt: skip
        made.append(document(*nodes, name=f"d{number}", **draw(st.dictionaries(NAMES.filter(bool), VALUES, max_size=2))))
    return made


@settings(max_examples=EXAMPLES)
@given(random_documents())
def test_whatever_a_source_holds_is_mapped_or_ignored_and_each_item_fits_its_schema(documents: list[Document]) -> None:
    found = inferred(*documents)
    schemas = schemas_of(found)
    for draft in drafts(found, documents):
        assert not draft.account.balance()
        for rejection in draft.rejections:  # only for what is wrong with the source itself
            assert rejection.rule == "reference", (rejection, found.mapping)
        record = draft.record()
        faults = check_record(record, RawRecord(Place("a"), 0, encode(record)), schemas, {})
        assert not [f for f in faults if f.fails and f.rule != "span-edge"], (faults, found.schemas)


@settings(max_examples=EXAMPLES)
@given(random_documents())
def test_the_file_that_is_written_says_the_same_mapping(documents: list[Document]) -> None:
    found = inferred(*documents)
    assert written(found) == found.mapping


# ---- the rules -----------------------------------------------------------------------------------------------


def nodes(kind: str, n: int, first: int = 0, **features: Any) -> list[Node]:
    """So many nodes of a type on the first word."""
    return [Node(f"T{first + i}", kind, ((0, 3),), dict(features)) for i in range(n)]


def test_labels_of_spans_share_a_layer_and_a_type_with_features_of_its_own_has_another() -> None:
    found = inferred(document(*nodes("PER", 12), *nodes("LOC", 3, 20), *nodes("Quote", 10, 30, a="x", b="y", c="z")))
    assert found.mapping["layers"]["entities"]["types"] == ["LOC", "PER"]
    assert found.schemas["entities"]["properties"]["label"]["enum"] == ["LOC", "PER"]
    assert found.mapping["layers"]["quotes"]["types"] == ["Quote"] and "label" not in found.schemas["quotes"]["properties"]
    assert found.schemas["quotes"]["properties"]["quote_id"]["x-key"] and "spans" in found.schemas["quotes"]["required"]


def test_types_share_a_layer_only_if_what_one_lacks_is_optional_in_the_other() -> None:
    optional = document(*nodes("PER", 9), *nodes("PER", 1, 20, sure="no"), *nodes("LOC", 3, 30))
    assert list(inferred(optional).mapping["layers"]) == ["entities"]
    essential = document(*nodes("PER", 10, sure="no"), *nodes("LOC", 3, 30))
    assert list(inferred(essential).mapping["layers"]) == ["locs", "pers"]
    classes = document(*nodes("u.Sentence", 3), *nodes("u.Lemma", 9, 20), *nodes("u.Lemma", 1, 30, value="x"))
    assert list(inferred(classes).mapping["layers"]) == ["lemmas", "sentences"]


def test_a_relation_has_a_reference_for_each_role_and_layer_and_a_list_where_a_role_names_several() -> None:
    one = document(
        *nodes("PER", 2), *nodes("LOC", 1, 5), *[Node(f"Q{i}", "Quote", ((4, 7),), {"a": 1, "b": 2, "c": 3}) for i in range(10)],
        Node("R1", "Says", roles={"Arg1": ["T0"], "Arg2": ["Q1"]}),
        Node("R2", "Near", roles={"Arg1": ["T0"], "Arg2": ["T1", "T5"]}),
    )  # fmt: skip
    found = inferred(one)
    properties = found.schemas["relations"]["properties"]
    assert properties["label"]["enum"] == ["Near", "Says"]
    assert (properties["arg1_id"]["x-ref"], properties["arg1_id"]["type"]) == ("entities", ["string", "null"])
    assert {c: p["x-ref"] for c, p in properties.items() if c.startswith("arg2")} == {
        "arg2_entity_ids": "entities", "arg2_quote_ids": "quotes"
    }  # fmt: skip
    (draft,) = drafts(found, [one])
    assert not draft.rejections
    near, says = sorted(draft.record()["relations"], key=lambda r: str(r["label"]))
    assert (near["arg2_entity_ids"], near["arg2_quote_ids"]) == (["T1", "T5"], [])
    assert (says["arg2_entity_ids"], says["arg2_quote_ids"]) == ([], ["Q1"])


def test_an_event_has_its_participants_as_references_of_its_own() -> None:
    one = document(*nodes("PER", 2), Node("E1", "Meet", ((4, 7),), roles={"Who": ["T0", "T1"]}))
    found = inferred(one)
    assert found.schemas["meets"]["properties"]["who_ids"]["x-ref"] == "pers"
    (draft,) = drafts(found, [one])
    assert draft.record()["meets"][0]["who_ids"] == ["T0", "T1"]


@pytest.mark.parametrize(
    ("values", "type_", "enum", "withheld"),
    [
        (["a", "b"] * 6, "string", ["a", "b"], None),
        (["b", "a", None] * 4, ["string", "null"], ["a", "b", None], None),
        ([1, 2, 30] * 4, "integer", None, None),
        (["1", "2", "-30"] * 4, "integer", None, None),
        (["01", "02"] * 6, "string", ["01", "02"], None),  # as a number it would lose its zero
        ([1, 0.5] * 6, "number", None, None),
        ([10**17, 0.5] * 6, "string", ["0.5", str(10**17)], None),  # a float holds no such integer
        ([float("nan"), 0.5] * 6, "string", ["0.5", "nan"], None),
        ([True, False] * 6, "boolean", None, None),
        (["true", "false"] * 6, "boolean", None, None),
        ([f"word {i}" for i in range(12)], "string", None, True),
        ([str(f"w{i % 31}") for i in range(310)], "string", None, True),  # more than 30
        (["Ana", "x"] * 6, "string", None, True),  # the words of its span
        (["long " * 30] * 12, "string", None, True),
        ([" a", "b"] * 6, "string", None, True),
    ],
)
def test_the_type_of_a_field_follows_from_its_values(values: list[Any], type_: Any, enum: Any, withheld: Any) -> None:
    one = document(*[Node(f"T{i}", "X", ((0, 3),), {"f": v}) for i, v in enumerate(values)])
    found = inferred(one)
    schema = found.schemas["xes"]["properties"]["f"]
    assert (schema["type"], schema.get("enum"), schema.get("x-withheld")) == (type_, enum, withheld)
    assert ("f" in found.schemas["xes"]["required"]) == (None not in values)
    (draft,) = drafts(found, [one])
    assert not draft.rejections
    kept = [item.get("f") for item in draft.record()["xes"]]
    exact = values if type_ != "integer" else [int(v) for v in values]
    assert [str(v).lower() for v in kept] == [str(v).lower() for v in exact]


def test_what_was_seen_too_seldom_is_not_required_and_an_empty_string_is_null() -> None:
    found = inferred(document(*nodes("X", 9, f="a")))
    assert found.schemas["xes"]["properties"]["f"]["type"] == ["string", "null"] and "f" not in found.schemas["xes"]["required"]
    blank = document(*nodes("X", 11, f="a"), *nodes("X", 1, 20, f=""))
    assert inferred(blank).mapping["layers"]["xes"]["fields"]["f"] == {"feature": "f", "empty": [""]}
    assert drafts(inferred(blank), [blank])[0].record()["xes"][-1]["f"] is None


def test_what_cannot_be_mapped_is_ignored_with_a_reason() -> None:
    one = document(Node("T1", "X[*]", ((0, 3),), {"f": {"a": 1}}, {"to": ["gone"]}))
    found = inferred(one)
    assert found.mapping["ignore"] == {"features": ["X[[][*]].f"], "roles": ["X[[][*]]:to"]}
    assert {g.what for g in found.guesses} >= {"xes: feature f is left out", "xes: role to is left out"}
    (draft,) = drafts(found, [one])
    assert (draft.account.ignored, draft.rejections) == ({"X[*].f": 1, "X[*]:to": 1}, [])


def test_several_annotators_are_told_apart_and_ids_that_are_no_keys_are_kept() -> None:
    one = document(Node("1", "X", ((0, 3),), annotator="ann"), Node("1", "X", ((0, 3),), annotator="ben"))
    found = inferred(one)
    items = drafts(found, [one])[0].record()["xes"]
    assert [i["annotation_set_id"] for i in items] == ["set-xes-ann", "set-xes-ben"]
    assert [i["source_id"] for i in items] == ["1", "1"] and items[0]["x_id"] != items[1]["x_id"]
    alone = inferred(document(Node("1", "X", ((0, 3),))))
    assert not {"source_id", "annotation_set_id"} & alone.schemas["xes"]["properties"].keys()


def test_white_space_at_the_edges_of_spans_is_trimmed() -> None:
    one = document(Node("T1", "X", ((3, 7),)))
    found = inferred(one)
    assert found.mapping["layers"]["xes"]["trim"] is True
    assert drafts(found, [one])[0].record()["xes"][0]["spans"] == [{"start": 4, "end": 7}]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train/a", "dev/b", "test/c"], {"folders": {"dev": "validation", "test": "test", "train": "train"}}),
        (["x/Train/a", "x/Test/b"], {"folders": {"Test": "test", "Train": "train"}}),
        (["train/a", "train/b"], None),  # of one split only
        (["train/a", "b"], None),  # one has none
        (["train/test/a", "test/b"], None),  # of which?
    ],
)
def test_folders_give_splits_if_they_give_every_document_one(names: list[str], expected: Any) -> None:
    found = inferred(*(document(name=name) for name in names))
    assert found.mapping.get("splits") == expected and found.gives_splits == (expected is not None)


def test_lists_and_metadata_give_splits_too() -> None:
    two = [document(name="x/a"), document(name="x/b")]
    assert inferred(*two, lists={"train.txt": ["a\n"], "test.txt": ["x/b"]}).mapping["splits"] == {
        "lists": {"test": "test.txt", "train": "train.txt"}
    }
    assert not inferred(*two, lists={"train.txt": ["a"]}).gives_splits
    said = [document(name="a", subset="TRAIN"), document(name="b", subset="valid")]
    assert inferred(*said).mapping["splits"] == {"metadata": "subset", "values": {"TRAIN": "train", "valid": "validation"}}


def test_metadata_becomes_fields_of_the_article_that_take_no_reserved_name() -> None:
    found = inferred(
        document(lang="de", title="About trade", rights="x", entities="y"), document(*nodes("PER", 1), *nodes("LOC", 1, 5))
    )
    assert found.mapping["article"]["language"] == {"metadata": "lang"}
    properties = found.schemas["article"]["properties"]
    assert sorted(properties) == ["entities_2", "rights_2", "title"] and properties["title"]["x-withheld"] is True
    schemas_of(found)


def test_a_source_of_a_thousand_types_is_no_annotation() -> None:
    with pytest.raises(InputError, match="more than 1000 types"):
        seen_of([document(*[Node(f"T{i}", f"type {i}") for i in range(1001)])])


def test_every_guess_says_why_and_where_to_change_it() -> None:
    found = inferred(document(*nodes("PER", 12, f="a"), lang="de"))
    assert all(g.what and g.because and g.change for g in found.guesses)
    text = mapping_text(found.mapping, found.comments, "Written by a test.")
    assert 'f = { feature = "f" }  # one value, a label, in 12 of 12' in text
