"""WebAnno TSV 2: spans as B- and I- values, relations, and tokens found in the text of their sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from building import shared
from dateline.document import Document, Refused
from dateline.webanno import TOKEN
from documents_of import read, read_mutants, read_one, recognised

HEAD = " # x.Name | value # x.Pair | f1 | f2 # x.Link | kind | AttachTo=x.Name\n"
BODY = (
    "#id=1\n#text=Ana  Bo met\u00a0👻.\n"
    "1-1\tAna\tB-PER|B-x\tA\tB\t_\t_\t\n1-2\tBo\tI-PER|I-x\t_\tx.Pair_\t_\t_\t\n"
    "1-3\tmet\tx.Name_\t_\tB\tobj\t1-4\t\n1-4\t👻\tLOC\t_\t_\t_\t_\t\n1-5\t.\tO\t_\t_\t_\t_\t\n\n"
    "#id=2\n#text= Two\nlines\n2-1\tTwo\tB-PER\t_\t_\t_\t_\t\n2-2\tlines\tB-PER\t_\t_\tsubj\t2-1\t\n"
)


def parsed(folder: Path, text: str, **options: Any) -> Document:
    (folder / "a.tsv").write_text(text, encoding="utf-8", newline="")
    return read_one("webanno-tsv2", folder, **options)


def test_tokens_are_found_in_the_text_and_annotations_stand_on_them(tmp_path: Path) -> None:
    document = parsed(tmp_path, HEAD + BODY)
    assert document.text == "Ana  Bo met\u00a0👻.\n Two\nlines"
    assert document.segments == [(0, 14), (15, 25)] and document.refused == []
    words = {n.id: document.text[slice(*n.spans[0])] for n in document.nodes if n.type == TOKEN}
    assert words == {"1-1": "Ana", "1-2": "Bo", "1-3": "met", "1-4": "👻", "1-5": ".", "2-1": "Two", "2-2": "lines"}
    said = {n.id: (document.text[slice(*n.spans[0])], n.features) for n in document.nodes if n.type in ("x.Name", "x.Pair")}
    assert said == {
        "1-1/1": ("Ana  Bo", {"value": "PER"}),
        "1-1/1.2": ("Ana  Bo", {"value": "x"}),
        "1-1/2": ("Ana", {"f1": "A", "f2": "B"}),
        "1-2/2": ("Bo", {"f1": None, "f2": None}),
        "1-3/1": ("met", {"value": None}),
        "1-3/2": ("met", {"f1": None, "f2": "B"}),
        "1-4/1": ("👻", {"value": "LOC"}),
        "2-1/1": ("Two", {"value": "PER"}),
        "2-2/1": ("lines", {"value": "PER"}),
    }
    assert {n.id: (n.features, n.roles) for n in document.nodes if n.type == "x.Link"} == {
        "1-3/3": ({"kind": "obj"}, {"Governor": ["1-4/1"], "Dependent": ["1-3/1"]}),
        "2-2/3": ({"kind": "subj"}, {"Governor": ["2-1/1"], "Dependent": ["2-2/1"]}),
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("#FORMAT=WebAnno TSV 3.3\n", "is no WebAnno TSV 2"),
        (" # x.Name | value | value\n", "or with one twice"),
        (HEAD + "#text=Ana\n1-1\tBo\tO\t_\t_\t_\t_\t\n", "the word of 1-1 does not follow in #text="),
        (HEAD + "#text=a b\n1-1\tb\tO\t_\t_\t_\t_\t\n", "the word of 1-1 does not follow in #text="),
        (HEAD + "#text=a a\n1-1\ta\tO\t_\t_\t_\t_\t\n1-1\ta\tO\t_\t_\t_\t_\t\n", "is a second row 1-1"),
    ],
)
def test_a_file_in_which_tokens_cannot_be_placed_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a.tsv").write_text(text, encoding="utf-8")
    (refused,) = read("webanno-tsv2", tmp_path)
    assert isinstance(refused, Refused) and reason in refused.reason and refused.place.line > 0


def test_annotations_that_cannot_be_read_are_refused_and_the_others_are_kept(tmp_path: Path) -> None:
    rows = "1-1\ta\tI-PER\t_\t_\t_\t_\t\n1-2\tb\tPER\t_\t_\tr\t1-9\t\n1-3\tc\tO\n1-4\td\tx|y\t_\t_\tr\t1-2\t\nwhat\n"
    document = parsed(tmp_path, f"{HEAD}#text=a b c d\n{rows}")
    assert [(r.type, r.id) for r in document.refused] == [
        ("line", ""),
        ("x.Name", "1-1/1"),
        ("row", "1-3"),
        ("x.Link", "1-2/3"),
        ("x.Link", "1-4/3"),
    ]
    assert [n.id for n in document.nodes if n.type == "x.Name"] == ["1-2/1", "1-4/1", "1-4/1.2"]


def test_all_files_of_inceptions_own_tests_are_read() -> None:
    folder = shared() / "corpora" / "inception"
    if not folder.exists():
        pytest.skip("the corpora are not beside the repository")
    found = [d for d in read("webanno-tsv2", folder) if not isinstance(d, Refused) or "is no WebAnno TSV 2" not in d.reason]
    documents = [d for d in found if isinstance(d, Document)]
    assert len(found) == len(documents) == 26
    refused = [(d.name.rpartition("/")[2], r.reason) for d in documents for r in d.refused]
    two = "on which 2 annotations of webanno.custom.Multivalspan stand"  # stacked, and the format does not say which
    assert [(name, reason.rpartition(", ")[2]) for name, reason in refused] == [("tale", two)] * 2


def test_files_are_recognised(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(HEAD + BODY, encoding="utf-8")
    assert recognised("webanno-tsv2", tmp_path) > 0.5 and recognised("webanno", tmp_path) == 0


@pytest.mark.fuzz
def test_no_bytes_make_it_stumble(tmp_path: Path) -> None:
    files = {"a.tsv": (HEAD + BODY).encode()}
    bits = [b"B-", b"I-", b"|", b"\t", b"\n", b"#text=", b"AttachTo=x.Name", b"1-1\t", b" # y | z", b"_"]
    assert read_mutants("webanno-tsv2", tmp_path, files, [*files.values(), *bits]) >= 50
