"""doccano: spans, categories and relations of whichever kind of project, one annotator or many."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from building import shared
from dateline.document import Document, Refused
from dateline.errors import InputError
from json_formats import documents, fuzz, read, read_all, refusals

TEXT = "Ana met Bo."
ENTITIES = [
    {"id": 5, "start_offset": 0, "end_offset": 3, "label": "PER"},
    {"id": 6, "start_offset": 8, "end_offset": 10, "label": "PER"},
]
RELATIONS = [{"id": 5, "from_id": 5, "to_id": 6, "type": "meets"}]


def one(tmp_path: Path, row: dict[str, Any], **options: Any) -> Document:
    (made,) = documents(read("doccano", tmp_path, {"all.jsonl": [row]}, **options))
    return made


def test_spans_are_nodes_under_each_of_their_keys(tmp_path: Path) -> None:
    for key in ("label", "labels", "entities"):
        made = one(
            tmp_path, {"id": 3, "text": TEXT, key: [[0, 3, "PER"], [0, 3, "PER"]], "meta": {"url": "x"}, "Comments": ["c"]}
        )
        kind = key.removesuffix("s")
        assert (made.name, made.metadata) == ("3", {"meta.url": "x", "Comments": ["c"]})
        assert [(n.id, n.type, n.spans) for n in made.nodes] == [(f"{kind}:{n}", "PER", ((0, 3),)) for n in (0, 1)]
        assert str(made.nodes[1].place) == f"all.jsonl:1 $.{key}[1]"


def test_entities_and_relations_keep_their_ids_apart(tmp_path: Path) -> None:
    made = one(tmp_path, {"data": TEXT, "entities": ENTITIES, "relations": RELATIONS})
    assert made.name == "all#1"
    assert [(n.id, n.type, n.roles) for n in made.nodes] == [
        ("5", "PER", {}),
        ("6", "PER", {}),
        ("relation:5", "meets", {"from_id": ["5"], "to_id": ["6"]}),
    ]


@pytest.mark.parametrize("labels", [{"label": ["A", 2]}, {"cats": ["A", "2"]}])
def test_categories_are_nodes_of_the_whole_text(labels: dict[str, Any], tmp_path: Path) -> None:
    assert [(n.type, n.spans) for n in one(tmp_path, {"text": TEXT, **labels}).nodes] == [("A", ()), ("2", ())]


def test_a_single_category_and_annotations_by_user(tmp_path: Path) -> None:
    said = [{"label": 4, "start_offset": 0, "end_offset": 3, "user": 1}, {"label": 7, "user": 2}]
    made = one(tmp_path, {"text": TEXT, "label": "A", "annotations": said, "username": "root"})
    assert [(n.type, n.annotator) for n in made.nodes] == [("A", "root"), ("4", "1"), ("7", "2")]


def test_a_file_of_each_annotator_makes_one_document(tmp_path: Path) -> None:
    files: dict[str, Any] = {
        "ana.jsonl": [{"id": 1, "text": TEXT, "label": [[0, 3, "PER"]], "n": 1}],
        "bo.jsonl": [{"id": 1, "text": TEXT, "label": [[8, 10, "PER"]], "n": 2}, {"id": 1, "text": "?", "label": []}],
    }
    (made,) = documents(read("doccano", tmp_path, files, annotator="file"))
    assert [(n.annotator, n.id, n.spans) for n in made.nodes] == [("ana", "label:0", ((0, 3),)), ("bo", "label:0", ((8, 10),))]
    assert made.metadata == {"n": 1, "n#2": 2}
    assert [(r.type, r.reason) for r in made.refused] == [("row", "has the id of ana.jsonl:1, but another text")]
    found = read("doccano", tmp_path, files)
    assert [type(f) for f in found] == [Document, Refused, Refused] and 'annotator = "file"' in refusals(found)[0].reason
    with pytest.raises(InputError, match="must be"):
        read("doccano", tmp_path, files, annotator="me")


def test_offsets_are_utf_16_units_unless_said_otherwise(tmp_path: Path) -> None:
    row = {"text": "😀 Ana", "label": [[3, 6, "PER"]]}
    assert one(tmp_path, row).nodes[0].spans == ((2, 5),)
    assert "beyond the text" in one(tmp_path, row, offsets="code-points").refused[0].reason


@pytest.mark.parametrize(
    ("said", "kind", "says"),
    [
        ({"label": [[0, 99, "PER"]]}, "PER", "its end 99 lies beyond the text, which has 11 characters"),
        ({"label": [[0, 3]]}, "label", "has 2 values instead of start, end and label"),
        ({"label": [[0, 3, None]]}, "label", "its label is missing"),
        ({"label": [1.5]}, "label", "its label is 1.5"),
        ({"entities": [{"label": "PER", "start_offset": 1}]}, "PER", "its end is missing"),
        ({"entities": ENTITIES[:1] * 2}, "PER", "another annotation has the same id"),
        ({"relations": [{"from_id": 1, "type": "x"}]}, "x", "its to_id is missing"),
        ({"cats": {"A": True}}, "cat", "its label is missing"),
        ({"relations": [3]}, "relation", "is 3, which is no object"),
    ],
)
def test_what_cannot_be_read_is_refused(said: dict[str, Any], kind: str, says: str, tmp_path: Path) -> None:
    (refused,) = one(tmp_path, {"text": TEXT, **said}).refused
    assert refused.type == kind and says in refused.reason


@pytest.mark.fuzz
def test_mutated_rows_give_documents_or_refusals(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "text": TEXT, "label": [[0, 3, "PER"]], "meta": {"a": 1}},
        {"id": 2, "text": TEXT, "entities": ENTITIES, "relations": RELATIONS, "cats": ["A"]},
    ]
    seen = fuzz("doccano", tmp_path, "a.jsonl", [b"\n".join(json.dumps(r).encode() for r in rows)])
    assert seen["Document"] and seen["Refused"]


DOCCANO = shared() / "corpora" / "doccano"


@pytest.mark.skipif(not DOCCANO.exists(), reason="doccano's own examples are not on this machine")
def test_doccanos_own_examples_are_read_or_refused() -> None:
    found = read_all("doccano", DOCCANO)
    made = [one for one in found if isinstance(one, Document)]
    assert [(d.name, d.text[:8], [n.type for n in d.nodes]) for d in made] == [
        ("relation_extraction/example#1", "Google w", ["ORG", "DATE", "PERSON", "PERSON", "foundedAt", "foundedBy", "foundedBy"]),
        ("sequence_labeling/example#1", "exampleA", ["LOC"]),
        ("sequence_labeling/example#2", "exampleB", []),
        ("sequence_labeling/example_overlapping#1", "exampleA", ["LOC", "LOC"]),
    ]
    (refused,) = refusals(found)
    assert (str(refused.place), refused.reason) == ("sequence_labeling/example.jsonl:3", "has no text")
