"""Prodigy: rows of one input are one document with all its annotators; what the exporter writes is read as the same."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import shared
from dateline.document import Document, Node, Refused, joined
from dateline.errors import InputError
from dateline.exporters import exporter
from json_formats import ODD_TEXT, documents, fuzz, plain, read, read_all, refusals

TEXT = "Ana met Bo."
TOKENS = [
    {"text": "Ana", "start": 0, "end": 3, "id": 0, "ws": True},
    {"text": "met", "start": 4, "end": 7, "id": 1, "ws": True},
    {"text": "Bo", "start": 8, "end": 10, "id": 2, "ws": False},
    {"text": ".", "start": 10, "end": 11, "id": 3, "ws": False},
]
ANA = {"start": 0, "end": 3, "token_start": 0, "token_end": 0, "label": "PER"}
BO = {"start": 8, "end": 10, "token_start": 2, "token_end": 2, "label": "PER"}


def row(*spans: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"text": TEXT, "_input_hash": 7, "_task_hash": 1, "spans": list(spans), "answer": "accept", **more}


def one(tmp_path: Path, *rows: dict[str, Any], **options: Any) -> Document:
    (made,) = documents(read("prodigy", tmp_path, {"a.jsonl": list(rows)}, **options))
    return made


def test_spans_tokens_and_relations_become_nodes(tmp_path: Path) -> None:
    between = {"head": 0, "child": 2, "label": "meets", "head_span": ANA, "child_span": BO, "color": "#fff"}
    to_token = {"head": 1, "child": 2, "label": "obj", "child_span": BO}
    made = one(tmp_path, row(ANA, BO, tokens=TOKENS, relations=[between, to_token], meta={"source": "x"}, _view_id="relations"))
    assert (made.name, made.text) == ("7", TEXT)
    assert made.metadata == {"_task_hash": 1, "_view_id": "relations", "answer": "accept", "meta.source": "x"}
    assert [(n.id, n.type, n.spans) for n in made.nodes] == [
        *((f"token:{t['id']}", "token", ((t["start"], t["end"]),)) for t in TOKENS),
        ("span:0", "PER", ((0, 3),)),
        ("span:1", "PER", ((8, 10),)),
        ("relation:0", "meets", ()),
        ("relation:1", "obj", ()),
    ]
    assert made.nodes[0].features == {"ws": True} and made.nodes[0].words == {"": "Ana"}
    assert made.nodes[4].features == {"token_start": 0, "token_end": 0}
    assert made.nodes[6].roles == {"head": ["span:0"], "child": ["span:1"]} and made.nodes[6].features == {"color": "#fff"}
    assert made.nodes[7].roles == {"head": ["token:1"], "child": ["span:1"]}
    assert str(made.nodes[5].place) == "a.jsonl:1 $.spans[1]"
    assert {n.type for n in one(tmp_path, row(ANA, tokens=TOKENS), tokens=False).nodes} == {"PER"}


def test_choices_and_binary_labels_are_nodes_of_the_whole_text(tmp_path: Path) -> None:
    options = [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}]
    made = one(tmp_path, {"text": "x", "options": options, "accept": ["a"], "label": "SPORT"})
    assert [(n.id, n.type, n.features) for n in made.nodes] == [("choice", "choice", {"accept": ["a"]}), ("label", "SPORT", {})]
    assert made.metadata == {"options": options} and made.name == "a#1"


def test_rows_of_one_input_are_one_document_wherever_they_stand(tmp_path: Path) -> None:
    files = {
        "a.jsonl": [row(ANA, _annotator_id="ana"), row(_input_hash=8, text="other")],
        "b.jsonl": [row(BO, _annotator_id="bo", _task_hash=2), row(BO, _session_id="s-ana"), row(BO, _annotator_id="ana")],
    }
    made, other = documents(read("prodigy", tmp_path, files))
    assert [(n.annotator, n.id, n.spans) for n in made.nodes] == [
        ("ana", "span:0", ((0, 3),)),
        ("bo", "span:0", ((8, 10),)),
        ("s-ana", "span:0", ((8, 10),)),
        ("ana", "2/span:0", ((8, 10),)),
    ]
    assert made.metadata["answer"] == "accept" and made.metadata["rows"][1] == {"annotator": "bo", "_task_hash": 2}
    assert (other.name, other.text, other.nodes) == ("8", "other", [])
    made, _ = documents(read("prodigy", tmp_path, files, annotator="file"))
    assert [n.annotator for n in made.nodes] == ["a", "b", "b", "b"]
    with pytest.raises(InputError, match="must be"):
        read("prodigy", tmp_path, files, annotator="me")


def test_lines_are_found_again_whatever_their_ends(tmp_path: Path) -> None:
    rows = [json.dumps(row(ANA, _annotator_id=name)) for name in ("ana", "bo")]
    (made,) = documents(read("prodigy", tmp_path, {"a.jsonl": b"\xef\xbb\xbf" + "\r\n\r\n".join(rows).encode()}))
    assert [(n.annotator, n.place.line) for n in made.nodes] == [("ana", 1), ("bo", 3)]


def test_rejected_and_ignored_rows_are_counted_and_not_read(tmp_path: Path) -> None:
    rejected, ignored = row(ANA, answer="reject"), row(answer="ignore", _input_hash=9)
    found = read("prodigy", tmp_path, {"a.jsonl": [row(BO), rejected, ignored]})
    assert [type(made) for made in found] == [Document, Refused]
    assert [(r.type, r.place.line, r.reason) for r in refusals(found)] == [
        ("row", 2, 'its answer is "reject", with 1 annotations; to read such rows, say answers = ["accept", …]'),
        ("document", 3, 'its answer is "ignore", without annotations; to read such rows, say answers = ["accept", …]'),
    ]
    made = one(tmp_path, row(BO), rejected, answers=["accept", "reject"])
    assert [n.features["answer"] for n in made.nodes] == ["accept", "reject"] and not made.refused


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"spans": [{**ANA, "end": 99}]}, "PER", "its end 99 lies beyond the text, which has 11 characters"),
        ({"spans": [{**ANA, "start": "0"}]}, "PER", 'its start is "0", which is no whole number'),
        ({"spans": [{"label": "PER"}]}, "PER", "its start is missing"),
        ({"spans": [{**ANA, "label": []}]}, "span", "its label is a list"),
        ({"spans": [3]}, "span", "is 3, which is no object"),
        ({"spans": 3}, "span", "its spans are 3, which is no list"),
        ({"tokens": [{"start": 5, "end": 2}]}, "token", "starts at 5, but ends at 2"),
        ({"relations": [{"head": 1, "label": "x"}]}, "x", "its child is missing, which is no token"),
        ({"label": 3}, "label", "its label is 3, which is no string"),
        ({"spans": [{**ANA, "id": "x"}, {**BO, "id": "x"}]}, "PER", "another annotation has the same id"),
    ],
)
def test_what_cannot_be_read_is_refused(changes: dict[str, Any], kind: str, says: str, tmp_path: Path) -> None:
    (refused,) = one(tmp_path, row() | changes).refused
    assert refused.type == kind and says in refused.reason


def test_rows_that_are_no_task_on_a_text_are_refused(tmp_path: Path) -> None:
    found = read(
        "prodigy",
        tmp_path,
        {"a.jsonl": '{"image": 1}\nnope\n[]\n{"text": "x", "_input_hash": 7}\n{"text": "y", "_input_hash": 7}\n'},
    )
    reasons = [r.reason for r in refusals(found)]
    assert reasons[:3] == [
        "has no text: only tasks on texts are read",
        "is not valid JSON: Expecting value at column 1",
        "has no text: only tasks on texts are read",
    ]
    assert reasons[3] == "has the input hash of a.jsonl:4, but another text"


# ---- what is written -------------------------------------------------------------------------------------------


@st.composite
def held(draw: st.DrawFn) -> Document:
    """A document of what Prodigy can hold."""
    text = draw(ODD_TEXT)
    name = draw(st.integers(-(2**31), 2**31).map(str) | st.text(min_size=1, max_size=4).filter(str.isprintable))
    document = Document(name, text, metadata={"answer": "accept", "meta.x": draw(st.none() | st.integers())})
    tokens = [(at, at + 1) for at, character in enumerate(text) if not character.isspace()]
    for annotator in draw(st.lists(st.sampled_from(["", "ana", "bo"]), unique=True, max_size=2)):
        nodes = [Node(f"token:{n}", "token", (place,), words={"": text[slice(*place)]}) for n, place in enumerate(tokens)]
        spans = draw(st.sets(st.tuples(st.sampled_from(tokens or [(0, 0)]), st.sampled_from(tokens or [(0, 0)])), max_size=3))
        for number, ((start, _), (_, end)) in enumerate(sorted(spans)):
            if start < end:
                id = draw(st.sampled_from([f"span:{number}", f"own{number}"]))
                label, features = draw(st.sampled_from(["PER", "a b", "span"])), draw(st.sampled_from([{}, {"score": 0.5}]))
                nodes.append(Node(id, label, ((start, end),), dict(features), words={"": text[start:end]}))
        ids = [node.id for node in nodes]
        if ids:
            roles = {end: [draw(st.sampled_from(ids))] for end in ("head", "child")}
            nodes.append(Node("relation:0", "meets", (), {}, roles))
        nodes.append(Node("choice", "choice", (), {"accept": ["a"]}))
        nodes.append(Node("label", "SPORT"))
        for node in nodes:
            node.annotator = annotator
        document.nodes += nodes
    return document


@given(st.lists(held(), max_size=3, unique_by=lambda d: d.name))
def test_what_is_written_is_read_as_the_same(tmp_path_factory: pytest.TempPathFactory, made: list[Document]) -> None:
    folder = tmp_path_factory.mktemp("written")
    known = exporter("prodigy")
    assert known.write(made, folder) == ["annotations.jsonl"]
    found = documents(read_all("prodigy", folder))
    for document in made:
        assert not known.cannot_hold(document)
        in_order(document)
    for document in found:
        in_order(plain(document))
    assert sorted(found, key=lambda d: d.name) == sorted(made, key=lambda d: d.name)


def in_order(document: Document) -> None:
    document.nodes.sort(key=lambda n: (n.annotator, n.id))


def test_an_export_is_written_as_it_was_read(tmp_path: Path) -> None:
    between = {"head": 0, "child": 2, "head_span": ANA, "child_span": BO, "label": "meets"}
    source = [
        row(ANA, BO, tokens=TOKENS, relations=[between], meta={"n": 1}, _session_id="ana", _timestamp=1),
        row(ANA, _session_id="bo", _annotator_id="bo", meta={"n": 1}, _timestamp=2, accept=["a"], options=[{"id": "a"}]),
    ]
    exporter("prodigy").write([one(tmp_path, *source)], tmp_path)
    written = [json.loads(line) for line in (tmp_path / "annotations.jsonl").read_text().splitlines()]
    for made in written:
        for span in made["spans"]:
            assert span.pop("text") == TEXT[span["start"] : span["end"]]
    source[1].pop("_annotator_id")  # which the session says
    assert written == source


def test_relations_of_a_text_without_tokens_get_some(tmp_path: Path) -> None:
    document = Document("d", "Dr.No's ok", [Node("a", "PER", ((3, 5),)), Node("b", "X", ((8, 10),))])
    document.nodes.append(Node("r", "is", (), {}, {"Arg1": ["a"], "Arg2": ["b"]}))
    assert exporter("prodigy").cannot_hold(document) == {"names of roles": 1}
    exporter("prodigy").write([document], tmp_path)
    made = json.loads((tmp_path / "annotations.jsonl").read_bytes())
    assert [t["text"] for t in made["tokens"]] == ["Dr", ".", "No", "'", "s", "ok"]
    assert made["relations"][0]["head"] == 2 and made["relations"][0]["child_span"] == {
        "start": 8,
        "end": 10,
        "token_start": 5,
        "token_end": 5,
        "label": "X",
    }
    (again,) = documents(read_all("prodigy", tmp_path / "annotations.jsonl", tokens=False))
    assert [(n.id, n.roles) for n in again.nodes] == [("a", {}), ("b", {}), ("r", {"head": ["a"], "child": ["b"]})]


def test_what_it_cannot_hold_is_counted() -> None:
    document = Document("d", "abc", segments=[(0, 3)], metadata={"text": 1})
    document.nodes = [
        Node("1", "x", ((0, 1), (2, 3))),
        Node("2", "x", ((0, 1),), {}, {"who": ["1"]}, {"cue": ((1, 2),)}),
        Node("3", "event", (), {}, {"a": ["1"], "b": ["2"], "c": ["2"]}),
        Node("4", "free", (), {"anything": 1}),
        Node("5", "A"),
        Node("6", "B"),
    ]
    assert exporter("prodigy").cannot_hold(document) == {
        "sentences": 1,
        "metadata with names of Prodigy's own": 1,
        "annotations in several pieces": 1,
        "parts of annotations": 1,
        "roles of annotations with words, which become relations": 1,
        "relations of more than two": 1,
        "annotations without words that are no choice and no label": 1,
        "labels of a text after the first": 1,
    }


@pytest.mark.fuzz
def test_mutated_rows_give_documents_or_refusals(tmp_path: Path) -> None:
    relations = [{"head": 0, "child": 2, "label": "meets", "head_span": ANA, "child_span": BO}]
    rows = [row(ANA, BO, tokens=TOKENS, relations=relations, meta={"a": 1}), row(ANA, accept=["a"], label="x", _session_id="s")]
    seen = fuzz("prodigy", tmp_path, "a.jsonl", [b"\n".join(json.dumps(r).encode() for r in rows)])
    assert seen["Document"] and seen["Refused"]


HEADLINES = shared() / "corpora" / "prodigy"


@pytest.mark.skipif(not HEADLINES.exists(), reason="the annotated headlines are not on this machine")
def test_the_annotated_headlines_are_read_whole(tmp_path: Path) -> None:
    found = read_all("prodigy", HEADLINES)
    made = [one for one in found if isinstance(one, Document)]
    assert len(made) == 372 and [r.place.line for r in refusals(found)] == [337]
    kinds = Counter(node.type for document in made for node in document.nodes)
    assert kinds == {"token": 3361, "ORG": 136, "LOCATION": 121, "PERSON": 38, "PRODUCT": 8}
    for document in made:
        assert all(words == joined(document.text, node.spans) for node in document.nodes for words in node.words.values())
    exporter("prodigy").write(made, tmp_path)
    written = {r["_input_hash"]: r for r in map(json.loads, (tmp_path / "annotations.jsonl").read_text().splitlines())}
    (file,) = HEADLINES.glob("*.jsonl")
    for source in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
        if source["answer"] == "accept":
            again = written[source["_input_hash"]]
            for span in [*source.setdefault("spans", []), *again["spans"]]:
                span.pop("text", None)
            assert again == source


def test_hashes_of_more_than_64_bits_are_told_apart(tmp_path: Path) -> None:
    rows = [row(ANA, _input_hash=10**30 + n % 2, _annotator_id=f"a{n}") for n in range(4)]
    made = documents(read("prodigy", tmp_path, {"a.jsonl": rows}))
    assert [(d.name, [n.annotator for n in d.nodes]) for d in made] == [
        (str(10**30), ["a0", "a2"]),
        (str(10**30 + 1), ["a1", "a3"]),
    ]
