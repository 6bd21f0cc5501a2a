"""spaCy's DocBin: what is written is read back by spaCy itself, each span where it was."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dateline.document import Document, Node
from dateline.errors import BuildError
from dateline.exporters import spacy as writer
from importers.documents import texts

spacy = pytest.importorskip("spacy", reason="spaCy is not installed: pip install -e '.[spacy]'")


def read_back(path: Path) -> list[Any]:
    """The Docs of a file, in a vocabulary that has seen nothing."""
    from spacy.tokens import DocBin
    from spacy.vocab import Vocab

    return list(DocBin().from_disk(path).get_docs(Vocab()))


def lists(value: Any) -> Any:
    """The value with the lists that spaCy reads as tuples."""
    if isinstance(value, dict):
        return {key: lists(inner) for key, inner in value.items()}
    return [lists(inner) for inner in value] if isinstance(value, tuple | list) else value


def document_of(doc: Any) -> Document:
    """What a Doc says, as a document."""
    said = lists(doc.user_data[writer.KEY])
    nodes = [
        Node(one["id"], span.label_, ((span.start_char, span.end_char),), one["features"], annotator=one["annotator"])
        for span, one in zip(doc.spans["sc"], said["spans"], strict=True)
    ]
    assert [span.id_ for span in doc.spans["sc"]] == [node.id for node in nodes]
    segments = [(span.start_char, span.end_char) for span in doc.spans["segments"]]
    return Document(said["name"], doc.text, nodes, said["metadata"], segments)


def test_spans_are_exact_also_inside_words_and_the_longest_are_entities(tmp_path: Path) -> None:
    text = "AntixNATO talks in  Rome.\nNo."
    document = Document(
        "news/a", text,
        [
            Node("m1", "ORG", ((5, 9),), {"n": 1, "tags": ["a", None]}),
            Node("m2", "EVENT", ((0, 15),)),
            Node("m1", "LOC", ((20, 24),), annotator="bob"),
            Node("m4", "ODD", ((15, 20),)),  # begins and ends with blanks
        ],
        {"language": "en-GB", "split": "train"}, [(0, 25), (26, 29)],
    )  # fmt: skip
    assert writer.cannot_hold(document) == {}
    assert writer.write([document], tmp_path) == ["train.spacy"]
    (doc,) = read_back(tmp_path / "train.spacy")
    assert document_of(doc) == document
    assert [token.text for token in doc][:3] == ["Antix", "NATO", "talks"]
    assert [(e.text, e.label_, e.ent_id_) for e in doc.ents] == [
        ("AntixNATO talks", "EVENT", "m2"), (" in  ", "ODD", "m4"), ("Rome", "LOC", "m1"),
    ]  # fmt: skip


def test_each_split_is_a_file_and_bytes_depend_on_documents_alone(tmp_path: Path) -> None:
    documents = [
        Document(f"d{n}", "Ana met Bo.", [Node("m", "PER", ((0, 3),))], {"split": split} if split else {})
        for n, split in enumerate(("train", "../test", "", "train"))
    ]
    written = writer.write(documents, tmp_path / "one")
    assert written == ["train.spacy", "%2E.%2Ftest.spacy", "documents.spacy"]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == sorted(written)
    writer.write([Document("other", "x")], tmp_path / "other")
    assert writer.write(documents, tmp_path / "two") == written
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in written)
    assert [doc.user_data["dateline"]["name"] for doc in read_back(tmp_path / "one" / "train.spacy")] == ["d0", "d3"]


def test_what_a_docbin_cannot_hold_is_listed_and_the_rest_is_written(tmp_path: Path) -> None:
    document = Document(
        "a", "Ana \ud800 met Bo",
        [
            Node("m1", "PER", ((0, 3),), {"big": 2**70, "odd": {1, }, "\x00": "\x1b"}, {"of": ["e1"]}, {"cue": ((0, 1),)}),
            Node("m2", "PER", ((0, 3), (10, 12))),
            Node("e1", "Entity"),
            Node("m3", "", ((4, 4),)),
            Node("m4", "", ((4, 5),)),
        ],
        {"n": 2**64}, [(3, 3)],
    )  # fmt: skip
    assert writer.cannot_hold(document) == {
        "annotations of several fragments": 1,
        "annotations without spans (entities, relations, events)": 1,
        "annotations of empty spans": 1,
        "roles of annotations": 1,
        "further anchors of an annotation": 1,
        "values that are not plain (written as words)": 3,
        "sentences or paragraphs without text": 1,
        "characters that are no characters of Unicode": 1,
    }
    writer.write([document], tmp_path)
    (doc,) = read_back(tmp_path / "documents.spacy")
    made = document_of(doc)
    assert made.text == "Ana ? met Bo" and [node.id for node in made.nodes] == ["m1", "m4"]
    assert made.nodes[0].features == {"big": str(2**70), "odd": "{1}", "\x00": "\x1b"}
    assert [ent.text for ent in doc.ents] == ["Ana"]


@pytest.mark.parametrize("language", ["de", "ja", "th", "qq", "en.stop_words", "../x", 3, None])
def test_any_language_is_written(tmp_path: Path, language: Any) -> None:
    document = Document("a", "Ana traf 東京。", [Node("m", "LOC", ((9, 11),))], {"language": language})
    writer.write([document], tmp_path)
    assert document_of(read_back(tmp_path / "documents.spacy")[0]) == document


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BuildError, match="cannot be written"):
        writer.write([Document("a", "x")], tmp_path / "file" / "folder")


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(texts() | st.text(" \nab.-", max_size=12))
    document = Document(draw(texts()), text)
    if text:
        spans = st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True).map(lambda c: (min(c), max(c)))
        values = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | texts()
        features = st.dictionaries(texts(), values | st.lists(values, max_size=2), max_size=2)
        document.segments = draw(st.lists(spans, max_size=3))
        for number, span in enumerate(draw(st.lists(spans, max_size=6))):
            document.nodes.append(Node(f"m{number}", draw(texts()), (span,), draw(features), annotator=draw(texts())))
    return document


@settings(max_examples=30)
@given(st.lists(documents(), max_size=2))
def test_what_is_written_is_read_again_as_it_was(written: list[Document]) -> None:
    assert not any(writer.cannot_hold(document) for document in written)
    with TemporaryDirectory() as folder:
        names = writer.write(written, Path(folder))
        assert [document_of(doc) for name in names for doc in read_back(Path(folder, name))] == written
