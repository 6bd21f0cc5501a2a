"""CAT XML: tokens become a text, anchors spans, attributes features or roles; what is broken is named with its line."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from building import shared
from cat_files import cat, markable, relation, written
from dateline.document import Document, Node, Refused
from dateline.errors import InputError
from dateline.importers import importer
from dateline.incoming import filled, incoming

CAT = importer("cat")


def read(path: Path) -> list[Document | Refused]:
    with incoming(path, filled({}, CAT.options, "cat")) as there:
        return list(CAT.documents(there))


def one(path: Path) -> Document:
    [document] = read(path)
    assert isinstance(document, Document)
    return document


def test_tokens_make_a_text_and_anchors_spans_over_neighbours(tmp_path: Path) -> None:
    marks = markable("PER", "7", 1, 2, kind="NAM", note="") + markable("PER", "8", 6, 4)
    document = one(written(tmp_path, "a/b.xml", cat(["Ana Bo 😀 fled", "& stayed ."], marks, lang="en")))
    assert document.text == "Ana Bo 😀 fled\n& stayed ."
    assert document.segments == [(0, 13), (14, 24)]
    assert (document.name, document.metadata) == ("b", {"doc_id": "d1", "lang": "en"})
    assert document.nodes == [
        Node("7", "PER", ((0, 6),), {"kind": "NAM", "note": None}, place=document.nodes[0].place),
        Node("8", "PER", ((9, 13), (16, 22)), place=document.nodes[1].place),
    ]
    assert document.nodes[0].place.line == 10


def test_relations_have_roles_and_attributes_that_hold_ids_are_roles(tmp_path: Path) -> None:
    marks = markable("TIMEX3", "1", 1, anchorTimeID="2", beginPoint="") + markable("TIMEX3", "2", 2)
    links = relation("TLINK", "9", "1", "2", reltype="BEFORE", signalID="")
    first, _, link = one(written(tmp_path, "a.xml", cat(["Monday Tuesday"], marks, links))).nodes
    assert (first.roles, first.features) == ({"anchorTimeID": ["2"]}, {})
    assert (link.spans, link.roles, link.features) == ((), {"source": ["1"], "target": ["2"]}, {"reltype": "BEFORE"})


def test_what_is_broken_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    marks = "\n".join([markable("PER", "1", 9), "<PER/>", markable("PER", "2", 1), '<PER m_id="3"><odd/></PER>'])
    whole = cat(["Ana ran"], marks).replace('t_id="2"', 't_id="1"').replace("</Document>", "<More/></Document>")
    document = one(written(tmp_path, "a.xml", whole))
    assert [n.id for n in document.nodes] == ["2", "3"]
    assert [(r.place.line, r.type, r.id, r.reason) for r in document.refused] == [
        (3, "token", "", "t_id 1 stands twice"),
        (5, "PER", "1", "is anchored at token 9, which is not there"),
        (6, "PER", "", "has neither m_id nor r_id"),
        (8, "odd", "", "is no part of a PER that is known here"),
        (13, "More", "", "is neither a token, nor Markables, nor Relations"),
    ]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ('<!DOCTYPE a [<!ENTITY b "c">]><Document/>', "has a DOCTYPE"),
        ("<Document><token", "is no well-formed XML"),
        ("<html/>", "is no CAT document: its root is <html>, or it has no tokens"),
        ("<Document/>", "is no CAT document"),
        ("", "is no well-formed XML"),
    ],
)
def test_what_is_no_cat_document_is_refused_as_a_whole(tmp_path: Path, raw: str, says: str) -> None:
    [refused] = read(written(tmp_path, "a.xml", raw))
    assert isinstance(refused, Refused)
    assert refused.type == "document" and says in refused.reason


def test_meantime_is_read_whole() -> None:
    folder = shared() / "corpora" / "meantime" / "intra-doc_annotation"
    if not folder.is_dir():
        pytest.skip("the corpus MEANTIME is not at hand")
    documents = read(folder)
    assert len(documents) == 120
    nodes = [n for d in documents if isinstance(d, Document) for n in d.nodes]
    assert [sum(n.type == kind for n in nodes) for kind in ("EVENT_MENTION", "VALUE", "HAS_PARTICIPANT")] == [2107, 418, 1973]
    # one of the 2,867 elements is anchored nowhere
    assert sum(n.type == "ENTITY_MENTION" and bool(n.spans) for n in nodes) == 2866
    assert all(d.refused == [] for d in documents if isinstance(d, Document))


@pytest.mark.fuzz
def test_damaged_files_never_raise_anything_but_an_input_error(tmp_path: Path) -> None:
    marks = markable("PER", "1", 1, kind="NAM") + markable("TIMEX3", "2", 2, anchorTimeID="1")
    good = cat(["Ana 😀 ran", "to Rome"], marks, relation("R", "3", "1", "2")).encode()
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    until = time.monotonic() + float(os.environ.get("DATELINE_FUZZ_SECONDS", "2"))
    path = tmp_path / "a.xml"
    while time.monotonic() < until:
        raw = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(raw))
            piece = chance.choice([b"", b"<", b'"', b"&#0;", b"-1", b"\xff", b"9" * 30, good[: chance.randint(0, 80)]])
            raw[at : at + chance.randint(0, 9)] = piece
        path.write_bytes(raw)
        try:
            read(path)
        except InputError:
            pass
        except Exception as fault:
            raise AssertionError(f"seed {seed}: {bytes(raw)!r}") from fault
