"""Records back to documents: invert(record of a document) is the document; what does not come back is said."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import REPOSITORY, Json, shared
from dateline.document import NOWHERE, Document, Node
from dateline.importers import importer
from dateline.incoming import filled, incoming
from dateline.mapping.apply import Draft
from dateline.mapping.canonical import canonical_mapping, mapping_toml, unmapped_fields
from dateline.mapping.file import Mapping, mapping_from, read_mapping
from dateline.mapping.invert import forms, invert, losses
from dateline.mapping.mend import in_standing_order, restored
from dateline.schema import Schemas, load_schemas, schemas_from
from small_corpus import records_at_hand


def _string(**more: Any) -> Json:
    return {"type": "string", "description": "x", **more}


def _optional(kind: str, **more: Any) -> Json:
    return {"type": [kind, "null"], "description": "x", **more}


NAMES: Json = {
    "description": "Names.",
    "x-prefix": "n",
    "properties": {
        "name_id": _string(**{"x-key": True}),
        "spans": {"description": "x", "x-span": "many", "minItems": 1},
        "head": {"description": "x", "x-span": "one"},
        "label": _string(enum=["PER", "LOC"]),
        "remark": _optional("string"),
        "age": _optional("integer"),
        "sure": _optional("boolean"),
        "topics": {"type": "array", "items": {"type": "string"}, "description": "x"},
        "boss_id": _optional("string", **{"x-ref": "names"}),
        "friend_ids": {"type": "array", "items": {"type": "string"}, "description": "x", "x-ref": "names"},
        "annotation_set_id": _optional("string", **{"x-ref": "annotation_sets"}),
    },
    "required": ["name_id", "spans", "label"],
}
DEEDS: Json = {
    "description": "Deeds.",
    "x-prefix": "d",
    "properties": {
        "deed_id": _string(**{"x-key": True}),
        "cue": {"description": "x", "x-span": "many"},
        "doer_id": _optional("string", **{"x-ref": "names"}),
        "annotation_set_id": _optional("string", **{"x-ref": "annotation_sets"}),
        "weight": _optional("number"),
    },
    "required": ["deed_id"],
}
ARTICLE: Json = {
    "description": "x",
    "properties": {"origin": _optional("string"), "year": _optional("integer"), "path": _optional("string")},
}
SCHEMAS = schemas_from({name: json.dumps(s).encode() for name, s in (("names", NAMES), ("deeds", DEEDS), ("article", ARTICLE))})
WRITTEN: Json = {
    "format": "brat",
    "article": {"origin": {"metadata": "Origin"}, "year": {"metadata": "y"}, "path": {"name": True}},
    "rights": {"text_redistributable": True},
    "layers": {
        "names": {
            "types": ["Person", "Place"],
            "fields": {
                "spans": {"spans": ""},
                "head": {"spans": "Head"},
                "label": {"type": True, "values": {"Person": "PER", "Place": "LOC"}},
                "remark": {"feature": "Remark", "values": {"n": "no", "y": "yes"}},
                "age": {"feature": "age"},
                "sure": {"feature": "sure"},
                "topics": {"feature": "topics"},
                "boss_id": {"role": "boss"},
                "friend_ids": {"role": "friend"},
                "annotation_set_id": {"annotator": True},
            },
        },
        "deeds": {
            "types": ["Deed"],
            "fields": {
                "cue": {"spans": "cue"},
                "doer_id": {"role": "by"},
                "weight": {"feature": "weight"},
                "annotation_set_id": {"annotator": True},
            },
        },
    },
}
IDENTITY = mapping_from(WRITTEN, SCHEMAS)


def recorded(document: Document, mapping: Mapping) -> Json:
    """The record of a document of which nothing is rejected."""
    draft = Draft(document, mapping)
    made = draft.record()
    draft.close()
    assert not draft.rejections, draft.rejections
    return made


def plain(document: Document) -> Document:
    """A document without what a record does not say: order of nodes, places."""
    nodes = sorted((dataclasses.replace(n, place=NOWHERE) for n in document.nodes), key=lambda n: (n.annotator, n.type, n.id))
    return dataclasses.replace(document, nodes=nodes, place=NOWHERE)


TEXT = "Ana met 🦊 Bo\r\nin Rome, e\u0301tait"
WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
STRETCHES = st.lists(st.integers(0, len(TEXT)), min_size=2, max_size=6, unique=True).map(
    lambda found: tuple(zip(*[iter(sorted(found))] * 2, strict=False))
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    nodes: list[Node] = []
    some: st.SearchStrategy[bool] = st.booleans()
    for annotator in draw(st.sampled_from([("",), ("ada",), ("ada", "bo"), ("bo", "été x")])):
        ids = draw(st.lists(st.integers(1, 9), max_size=6, unique=True))
        kinds = [draw(st.sampled_from(["Person", "Place", "Deed"])) for _ in ids]
        names = [f"T{n}" for n, kind in zip(ids, kinds, strict=True) if kind != "Deed"]
        for n, kind in zip(ids, kinds, strict=True):
            node = Node(f"T{n}", kind, annotator=annotator)
            if kind == "Deed":
                node.parts = draw(st.fixed_dictionaries({}, optional={"cue": STRETCHES}))
                node.features = draw(st.fixed_dictionaries({}, optional={"weight": st.floats(-9, 9)}))
                node.roles = {"by": [draw(st.sampled_from(names))]} if draw(some) and names else {}
            else:
                node.spans = draw(STRETCHES)
                node.parts = {"Head": node.spans[:1]} if draw(some) else {}
                said = {
                    "Remark": st.sampled_from(["n", "y", "perhaps"]),
                    "age": st.integers(0, 99),
                    "sure": st.booleans(),
                    "topics": st.lists(WORDS, min_size=1, max_size=3),
                }
                node.features = draw(st.fixed_dictionaries({}, optional=said))
                for role, most in (("boss", 1), ("friend", 3)):
                    if draw(some) and names:
                        node.roles[role] = draw(st.lists(st.sampled_from(names), min_size=1, max_size=most, unique=True))
            nodes.append(node)
    metadata = draw(st.fixed_dictionaries({}, optional={"Origin": WORDS, "y": st.integers(0, 3000)}))
    return Document(draw(st.sampled_from(["a1", "train/été 1"])), TEXT, nodes, metadata)


@given(documents())
def test_the_document_of_a_documents_record_is_that_document(document: Document) -> None:
    found = invert(recorded(document, IDENTITY), IDENTITY)
    assert plain(found) == plain(document)


@given(documents())
def test_the_record_comes_back_too_whatever_ids_annotators_share(document: Document) -> None:
    record = recorded(document, IDENTITY)
    again = invert(record, IDENTITY)
    assert not losses(record, again, IDENTITY)
    canonical = canonical_mapping(SCHEMAS, "brat")
    foreign = invert(record, canonical)
    for form in forms(foreign):
        assert not losses(record, form, canonical, mended=True)


def test_bare_numbers_come_back_where_the_source_has_them() -> None:
    document = Document("a1", TEXT, [Node("12", "Person", ((0, 3),), roles={"boss": ["7"]}), Node("7", "Place", ((4, 7),))])
    record = recorded(document, IDENTITY)
    assert [item["name_id"] for item in record["names"]] == ["n12", "n7"]
    assert plain(invert(record, IDENTITY, numbered=True)) == plain(document)


def test_one_node_that_became_items_of_two_layers_is_one_again() -> None:
    says = json.loads(json.dumps(WRITTEN))
    says["layers"]["deeds"] = {"types": ["Person"], "fields": {"weight": {"feature": "weight"}, "doer_id": {"role": "boss"}}}
    del says["layers"]["names"]["fields"]["boss_id"]
    mapping = mapping_from(says, SCHEMAS)
    nodes = [Node("T1", "Person", ((0, 3),), {"weight": 2.5}, {"boss": ["T2"]}), Node("T2", "Person", ((4, 7),))]
    document = Document("a1", TEXT, nodes)
    record = recorded(document, mapping)
    assert [item["deed_id"] for item in record["deeds"]] == ["T1.2", "T2.2"]
    assert plain(invert(record, mapping)) == plain(document)


def test_a_reference_that_a_relation_gave_is_a_relation_again_one_for_each_pair() -> None:
    mapping = mapping_from({**WRITTEN, "links": {"Works_for": {"of": "Arg1", "to": "Arg2", "role": "boss"}}}, SCHEMAS)
    nodes = [Node(f"T{n}", "Person", ((n, n + 1),)) for n in (1, 2, 3)]
    link = Node("R1", "Works_for", roles={"Arg1": ["T1"], "Arg2": ["T3"]})
    document = Document("a1", TEXT, [*nodes, link])
    assert plain(invert(recorded(document, mapping), mapping)) == plain(document)
    both = Document("a1", TEXT, [*nodes, dataclasses.replace(link, id="*1", roles={"Arg1": ["T1", "T2"], "Arg2": ["T3"]})])
    found = invert(record := recorded(both, mapping), mapping)
    assert [n.roles for n in found.nodes if n.type == "Works_for"] == [
        {"Arg1": ["T1"], "Arg2": ["T3"]},
        {"Arg1": ["T2"], "Arg2": ["T3"]},
    ]
    assert not losses(record, found, mapping)


def test_split_lists_ids_of_the_source_and_constants_go_back() -> None:
    says = json.loads(json.dumps(WRITTEN))
    says["layers"]["names"]["fields"] |= {"remark": {"id": True}, "topics": {"feature": "t", "split": ";"}, "age": {"value": 7}}
    mapping = mapping_from(says, SCHEMAS)
    document = Document("a1", TEXT, [Node("ein/e id", "Place", ((0, 3),), {"t": "a;b", "sure": True})])
    record = recorded(document, mapping)
    assert record["names"][0] | {"annotation_set_id": ""} == {
        "name_id": "ein-e-id", "spans": [{"start": 0, "end": 3}], "head": None, "label": "LOC", "remark": "ein/e id", "age": 7,
        "sure": True, "topics": ["a", "b"], "boss_id": None, "friend_ids": [], "annotation_set_id": "",
    }  # fmt: skip
    assert plain(invert(record, mapping)) == plain(document)


def test_what_does_not_come_back_is_said() -> None:
    document = Document("a1", TEXT, [Node("T1", "Person", ((0, 3),))])
    record = recorded(document, IDENTITY)
    record["names"][0] |= {"label": "LOC"}
    narrow = mapping_from({**WRITTEN, "layers": {"names": {**WRITTEN["layers"]["names"], "types": ["Person"]}}}, SCHEMAS)
    found = invert(record, narrow)
    assert found.nodes[0].type == "LOC"  # not a type that would come back as another label
    lost = losses(record, found, narrow)
    assert lost == {"names: items, or their ids": 1, "annotation_sets: items, or their ids": 1, "coverage.status": 1}
    record = recorded(document, IDENTITY) | {"deeds": [{"deed_id": "d1"}], "origin": "here"}
    record["names"][0]["head"] = {"start": 1, "end": 2}
    silent = {column: s for column, s in WRITTEN["layers"]["names"]["fields"].items() if column != "head"}
    less = mapping_from({**WRITTEN, "article": {}, "layers": {"names": {"types": ["Person"], "fields": silent}}}, SCHEMAS)
    assert unmapped_fields(less) == ["deeds", "names.head"]
    lost = losses(record, invert(record, less), less)
    assert (lost["names.head"], lost["deeds: items, or their ids"], lost["article.origin"]) == (1, 1, 1)
    assert not losses(record, invert(record, less), less, mended=True)


# ---- any project's records -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def open_wire() -> tuple[Schemas, list[Json]]:
    return load_schemas(REPOSITORY / "schemas"), [record for record in records_at_hand() if record["text"]["content"] is not None]


def test_labels_are_types_where_one_field_says_what_an_item_is() -> None:
    mapping = canonical_mapping(SCHEMAS, "brat")
    assert {name: layer.types for name, layer in mapping.layers.items()} == {"deeds": ("deeds",), "names": ("PER", "LOC")}
    two = {"names": NAMES, "deeds": {**DEEDS, "properties": {**DEEDS["properties"], "kind": _string(enum=["PER", "x"])}}}
    two["deeds"]["required"] = ["deed_id", "kind"]
    shared = canonical_mapping(schemas_from({name: json.dumps(s).encode() for name, s in two.items()}), "brat")
    assert {name: layer.types for name, layer in shared.layers.items()} == {"deeds": ("deeds",), "names": ("names",)}
    assert shared.layers["deeds"].fields["kind"].feature == "kind"


def test_the_corpus_goes_out_and_comes_back_as_it_stands(open_wire: tuple[Schemas, list[Json]]) -> None:
    schemas, records = open_wire
    mapping = canonical_mapping(schemas, "brat")
    assert unmapped_fields(mapping) == ["attributions.content_alternatives"]
    kinds = {node.type for record in records for node in invert(record, mapping).nodes}
    assert {"PER", "NAM", "attributions", "QUANTITY", "probes"} <= kinds
    for record in records:
        document = invert(record, mapping)
        made = restored(Draft(document, mapping).record(), record, mapping)
        assert json.dumps(in_standing_order(made, record, mapping)) == json.dumps(record)
        # only what importing makes anew is not the same without the record that stands
        lost = losses(record, document, mapping)
        expected = {"annotation_sets: items, or their ids", "article.correction_log", "attributions.content_alternatives"}
        assert set(lost) <= expected


def test_a_mapping_written_as_toml_is_read_as_the_same(tmp_path: Path, open_wire: tuple[Schemas, list[Json]]) -> None:
    odd = json.loads(json.dumps(WRITTEN))
    odd["layers"]["names"]["fields"]["remark"]["values"] = {'a "b"\n\x7f': "\\x", "été": "ü"}
    odd |= {"links": {"a b": {"of": "x", "to": "y", "role": "boss"}}, "ignore": {"types": ["*"]}, "options": {"crlf": "one"}}
    odd |= {"splits": {"folders": {"train/x": "train"}}, "tables": [{"file": "m.tsv", "key": "id"}]}
    for mapping, schemas in ((mapping_from(odd, SCHEMAS), SCHEMAS), (canonical_mapping(open_wire[0], "brat"), open_wire[0])):
        path = tmp_path / "mapping.toml"
        path.write_bytes(mapping_toml(mapping, "written by export").encode())
        assert read_mapping(path, schemas, name=mapping.file) == mapping


# ---- put back into the record that stands --------------------------------------------------------------------


def test_what_the_tool_does_not_hold_stays_and_what_it_changed_is_taken() -> None:
    standing: Json = {
        "article_id": "a1",
        "text": {"content": TEXT, "sha256": "x"},
        "rights": {"text_redistributable": True, "text_license": "CC0-1.0"},
        "origin": "here",
        "annotation_sets": [
            {
                "annotation_set_id": "s1",
                "layer": "names",
                "annotator_id": "ada",
                "annotator_type": "HUMAN",
                "status": "ADJUDICATED",
            }
        ],
        "coverage": [{"layer": "names", "status": "PARTIAL", "regions": [{"start": 0, "end": 7}]}],
        "names": [
            {"name_id": "n2", "spans": [{"start": 0, "end": 3, "surface": "Ana"}], "label": "PER", "annotation_set_id": "s1"},
            {"name_id": "n1", "spans": [{"start": 4, "end": 7}], "label": "PER", "annotation_set_id": "s1", "age": 3},
        ],
        "deeds": [{"deed_id": "d1", "doer_id": "n2"}],
    }
    fields = {"spans": {"spans": ""}, "label": {"type": True}, "annotation_set_id": {"annotator": True}}
    says = {"format": "brat", "layers": {"names": {"types": ["PER", "LOC"], "fields": fields}}}
    mapping = mapping_from(says, SCHEMAS)
    document = invert(standing, mapping)
    assert {node.annotator for node in document.nodes} == {"ada"} and not document.metadata
    n2, n1 = document.nodes
    mended = Document("a1", TEXT, [dataclasses.replace(n1, type="LOC"), Node("n9", "LOC", ((8, 9),), annotator="bo"), n2])
    found = in_standing_order(restored(recorded(mended, mapping), standing, mapping), standing, mapping)
    expected = json.loads(json.dumps(standing))
    expected["names"][1]["label"] = "LOC"
    new = {"name_id": "n9", "spans": [{"start": 8, "end": 9}], "label": "LOC", "annotation_set_id": "set-names-bo"}
    expected["names"].append(new)
    assert [s["annotator_id"] for s in found["annotation_sets"]] == ["ada", "bo"]
    assert found | {"annotation_sets": found["annotation_sets"][:1]} == expected


# ---- a real corpus -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_meantime_comes_back_as_its_tool_had_it() -> None:
    source = shared() / "corpora" / "meantime" / "intra-doc_annotation"
    if not source.is_dir():
        pytest.skip(f"{source} is not there")
    home = REPOSITORY / "src" / "dateline" / "known_corpora" / "meantime"
    mapping = read_mapping(home / "mapping.toml", load_schemas(home / "schemas"))
    cat = importer("cat")
    counts: Counter[str] = Counter()
    with incoming(source, filled(mapping.options, cat.options, "cat")) as there:
        for document in cat.documents(there):
            assert isinstance(document, Document)
            draft = Draft(document, mapping)
            found = invert(draft.record(), mapping, numbered=True)
            back = {node.id: said(node) for node in found.nodes}
            links = {kind: pairs(found, kind) for kind in mapping.links}
            for node in document.nodes:
                if node.type not in mapping.links:
                    counts["equal" if back.get(node.id) == said(node) else "missing" if node.id not in back else "differ"] += 1
            assert links == {kind: pairs(document, kind) for kind in mapping.links}
            assert found.metadata == {name: value for name, value in document.metadata.items() if value is not None}
            counts["rejected"] += len(draft.item_rejections)
    assert counts["equal"] > 10_000 and counts["missing"] == counts["rejected"] and not counts["differ"], counts


def said(node: Node) -> object:
    features = {name: value for name, value in node.features.items() if value is not None}
    return node.type, node.spans, features, {role: ids for role, ids in node.roles.items() if ids}, node.parts, node.annotator


def pairs(document: Document, kind: str) -> set[tuple[str, str]]:
    links = [node.roles for node in document.nodes if node.type == kind]
    return {(one, other) for roles in links for one in roles["source"] for other in roles["target"]}
