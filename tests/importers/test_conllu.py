"""CoNLL-U: the text is rebuilt exactly, brackets become mentions and entities, and what is not in order is refused."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from building import shared
from dateline.document import Document, Node, Refused, joined
from dateline.incoming import filled, incoming
from importers.documents import bare, fuzz, known, read, texts

CORPUS = shared() / "corpora" / "gum-news"
HEADER = "# global.Entity = GRP-etype-link-identity"
GOOD = f"""\
# newdoc id = d1
{HEADER}
# meta::author = A = B
# meta::title =  two  blanks
# newpar
# sent_id = d1-1
# text = Ana's team isn't here.
1-2 Ana's _ _ _ _ _ _ _ _
1 Ana Ana PROPN _ _ 3 nmod _ Entity=(1-organization-coref-T%2Dx(2-person)
2 's 's PART _ _ 1 case _ _
3 team team NOUN _ Number=Sing 6 nsubj _ Entity=1)
4-5 isn't _ _ _ _ _ _ _ _
4 is be AUX _ _ 6 cop _ _
5 not not PART _ _ 6 advmod _ Entity=(3-abstract)
6 here here ADV _ _ 0 root 0:root SpaceAfter=No
7 . . PUNCT _ _ 6 punct _ _

# sent_id = d1-2
# text = It fled 🌊 Rome
1 It it PRON _ _ 2 nsubj _ Entity=(1-organization-ana)|SpaceAfter=Yes
2 fled flee VERB _ _ 0 root _ Entity=(4-event(5[1/2]-thing
3 🌊 🌊 SYM _ _ 2 dep _ Entity=5[1/2])(6-place-x-y-z|Bridge=1<6:part,9<6
3.1 fled flee VERB _ _ _ _ 2:conj Entity=(7)
4 Rome Rome PROPN _ _ 2 obj _ Entity=(5[2/2]-thing)6)4)|SplitAnte=1<4,2<4

# newpar id = p2
# sent_id = d1-3
# text = Bo
1 Bo Bo PROPN _ _ 0 root _ NER=B-PER|SpacesAfter=\\s\\n

# newdoc id = d2
# text = du
1-2 du _ _ _ _ _ _ _ NER=S-X
1 de de ADP _ _ 0 root _ _
2 le le DET _ _ 1 det _ Entity=(1-x)

"""


def columns(source: str) -> str:
    """CoNLL-U with blanks for its tabs, which tests are easier to read with."""
    return "\n".join(line if line.startswith("#") else line.replace(" ", "\t") for line in source.split("\n"))


def made(tmp_path: Path, source: str, **options: Any) -> list[Document | Refused]:
    (tmp_path / "a.conllu").write_bytes(columns(source).encode())
    return read("conllu", tmp_path, **options)


def one(tmp_path: Path, *lines: str, header: str = HEADER, **options: Any) -> Document:
    """The document of one sentence of words, each with its last column."""
    rows = [f"{n} {word} _ _ _ _ _ _ _ {misc}" for n, (word, misc) in enumerate((line.split() for line in lines), 1)]
    (document,) = made(tmp_path, "\n".join([header, *rows]) + "\n", **options)
    assert isinstance(document, Document)
    return document


def test_text_mentions_entities_and_links(tmp_path: Path) -> None:
    first, second = made(tmp_path, GOOD)
    assert isinstance(first, Document) and isinstance(second, Document)
    assert (first.name, first.text) == ("d1", "Ana's team isn't here. It fled 🌊 Rome\n\nBo \n")
    assert first.segments == [(0, 22), (23, 37), (39, 41)]
    assert first.metadata == {"global.Entity": HEADER[18:], "author": "A = B", "title": " two  blanks"}
    assert {node.id: bare(node) for node in first.nodes} == {
        node.id: node
        for node in (
            Node(
                "1-1", "Entity", ((0, 10),),
                {"etype": "organization", "link": "coref", "identity": "T%2Dx"}, {"cluster": ["1"]},
            ),
            Node("2-1", "Entity", ((0, 3),), {"etype": "person"}, {"cluster": ["2"]}),
            # "not" has no place of its own in "isn't"
            Node("3-1", "Entity", ((11, 16),), {"etype": "abstract", "inside_token": True}, {"cluster": ["3"]}),
            Node("1-2", "Entity", ((23, 25),), {"etype": "organization", "link": "ana"}, {"cluster": ["1"]}),
            Node("4-1", "Entity", ((26, 37),), {"etype": "event"}, {"cluster": ["4"]}),
            Node("5-1", "Entity", ((26, 32), (33, 37)), {"etype": "thing"}, {"cluster": ["5"]}),
            Node("6-1", "Entity", ((31, 37),), {"etype": "place", "link": "x", "identity": "y-z"}, {"cluster": ["6"]}),
            Node("7-1", "Entity", (), {}, {"cluster": ["7"]}),
            *(Node(str(n), "Cluster") for n in range(1, 8)),
            Node("1<6-1", "Bridge", (), {"relation": "part"}, {"antecedent": ["1"], "anaphor": ["6-1"]}),
            Node("1+2<4-1", "SplitAnte", (), {}, {"antecedent": ["1", "2"], "anaphor": ["4-1"]}),
            Node("NER-1", "NER", ((39, 41),), {"label": "PER"}),
        )
    }  # fmt: skip
    assert [(r.place.line, r.type, r.id, r.reason) for r in first.refused] == [(22, "Bridge", "9<6-1", "no entity 9")]
    assert [(n.id, n.spans) for n in second.nodes] == [("NER-1", ((0, 2),)), ("1-1", ((0, 2),)), ("1", ())]
    assert (second.name, second.text) == ("d2", "du")


def test_tokens_and_sentences_are_nodes_where_they_are_asked_for(tmp_path: Path) -> None:
    first, _ = made(tmp_path, GOOD, tokens=True)
    assert isinstance(first, Document)
    nodes = {node.id: bare(node) for node in first.nodes}
    empty = dict.fromkeys(["lemma", "upos", "xpos", "feats", "deprel", "deps", "misc"])
    assert nodes["t1.1-2"] == Node("t1.1-2", "Token", ((0, 5),), {"form": "Ana's", **empty})
    assert nodes["t1.2"].spans == ((3, 5),) and nodes["t1.5"].spans == ((11, 16),) and nodes["t2.3.1"].spans == ()
    said = {**empty, "form": "team", "lemma": "team", "upos": "NOUN", "feats": "Number=Sing", "deprel": "nsubj"}
    assert nodes["t1.3"] == Node("t1.3", "Token", ((6, 10),), {**said, "misc": "Entity=1)"}, {"head": ["t1.6"]})
    assert nodes["t1.6"].roles == {}
    assert nodes["s3"].features == {"newpar id": "p2", "sent_id": "d1-3", "text": "Bo"} and nodes["s3"].spans == ((39, 41),)
    assert sum(node.type == "Token" for node in first.nodes) == 9 + 5 + 1


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("1 a _ _ _ _ _ _ _ SpaceAfter=No\n2 b _ _ _ _ _ _ _ _\n\n1 c _ _ _ _ _ _ _ _\n", "ab c"),
        ("1 a _ _ _ _ _ _ _ _\n\n# newpar\n1 c _ _ _ _ _ _ _ _\n", "a\n\nc"),
        ("1 a _ _ _ _ _ _ _ SpacesAfter=\\r\\n\\t\\p\\\\\\q\n\n# newpar\n1 c _ _ _ _ _ _ _ SpacesAfter=\n", "a\r\n\t|\\\\qc"),
        ("1 a _ _ _ _ _ _ _ SpacesBefore=\\s\\s\n2 1\u00a00 _ _ _ _ _ _ _ SpacesInToken=1\\s0\n", "  a 1 0"),
        ("# text = a\u00a0b  c\n1 a _ _ _ _ _ _ _ _\n2 b _ _ _ _ _ _ _ _\n3 c _ _ _ _ _ _ _ _\n", "a\u00a0b  c"),
        ("# text = a b\n1 a _ _ _ _ _ _ _ SpacesAfter=\\s\\s\n2 b _ _ _ _ _ _ _ _\n", "a  b"),
        ("0.1 x _ _ _ _ _ _ _ _\n1 _ _ _ _ _ _ _ _ _\n", "_"),
        ("# only = a comment\n", ""),
    ],
)
def test_white_space_is_what_the_source_says(tmp_path: Path, source: str, text: str) -> None:
    (document,) = made(tmp_path, source)
    assert isinstance(document, Document) and (document.text, document.refused) == (text, [])


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("1 a _\n", 1, "expected 10 columns with tabs between them, but there are 3"),
        ("x a _ _ _ _ _ _ _ _\n", 1, "expected a token's number"),
        ("2-1 a _ _ _ _ _ _ _ _\n", 1, "expected a token's number"),
        ("1 a _ _ _ _ _ _ _ _\n1 b _ _ _ _ _ _ _ _\n", 2, "token 1 stands after token 1"),
        ("1-3 ab _ _ _ _ _ _ _ _\n1 a _ _ _ _ _ _ _ _\n2 b _ _ _ _ _ _ _ _\n", 3, "ends with word 3, which is not there"),
        ("1  _ _ _ _ _ _ _ _\n", 1, "has no form"),
        ("# text = a b\n1 a _ _ _ _ _ _ _ _\n2 c _ _ _ _ _ _ _ _\n", 1, "token 2 is not found in its place"),
        ("# text = a b\n1 a _ _ _ _ _ _ _ _\n", 1, "it goes on after the last one"),
        ("# text = a b\n1 a _ _ _ _ _ _ _ SpaceAfter=No\n2 b _ _ _ _ _ _ _ _\n", 2, "do not agree about the space"),
        ("# text = ab\n1 a _ _ _ _ _ _ _ _\n2 b _ _ _ _ _ _ _ _\n", 2, "do not agree about the space"),
        ("1 a _ _ _ _ _ _ _ SpaceAfter=No|SpaceAfter=Yes\n", 1, "SpaceAfter stands twice"),
    ],
)
def test_a_document_whose_text_cannot_be_rebuilt_is_refused_and_the_next_is_read(
    tmp_path: Path, source: str, line: int, reason: str
) -> None:
    refused, good = made(tmp_path, f"{source}\n# newdoc id = good\n1 a _ _ _ _ _ _ _ _\n")
    assert isinstance(refused, Refused) and refused.type == "document" and refused.id == "a"
    assert refused.place.line == line and reason in refused.reason
    assert isinstance(good, Document) and good.name == "good"


@pytest.mark.parametrize(
    ("lines", "reasons", "left"),
    [
        (["a (1-x"], ["1 is opened here, but never closed"], 0),
        (["a 1)"], ["closes 1, which is not open"], 0),
        (["a (1-x(", "b 1)"], ["brackets are not in order: expected (ID-..., (ID-...) or ID)"], 1),
        (["a x"], ["brackets are not in order: expected (ID-..., (ID-...) or ID)"], 0),
        (["a (1-x)|Entity=(2-x)"], ["Entity stands twice"], 0),
        (["a (1[1/2]-x)"], ["1 is opened here, but never closed"], 0),
        (["a (1[2/2]-x)"], ["part 2 of 2 does not go on from a part 1 that says the same"], 0),
        (
            ["a (1[1/2]-x)", "b (1[2/2]-y)"],
            ["part 2 of 2 does not go on from a part 1 that says the same", "1 is opened here, but never closed"],
            0,
        ),
        (
            ["a (1[1/2]-x", "b 1[2/2])", "c 1)"],
            [
                "closes part 2 of 1, but part 1 of 2 is open",
                "closes part 1 of 1, but part 1 of 2 is open",
                "1 is opened here, but never closed",
            ],
            0,
        ),
        (["a (1-x)|Bridge=1"], ["expected EARLIER<LATER, the later one with a mention up to here"], 1),
        (["a (1-x)|Bridge=2<3"], ["expected EARLIER<LATER, the later one with a mention up to here"], 1),
        (["a (1-x)|SplitAnte=2<1,3<1"], ["no entity 2"], 1),
        (["a (1-x)|Bridge=1<1,1<1"], ["its id is another annotation's"], 1),
        (["a (1-x)(2-x(1-y)2)"], [], 3),
    ],
)
def test_brackets_that_are_not_in_order_are_refused_and_the_others_are_read(
    tmp_path: Path, lines: list[str], reasons: list[str], left: int
) -> None:
    document = one(tmp_path, *(line.replace(" ", " Entity=") for line in lines))
    assert [r.reason for r in document.refused] == reasons
    assert sum(node.type == "Entity" for node in document.nodes) == left


def test_a_mention_at_the_words_of_a_multiword_token_is_refused(tmp_path: Path) -> None:
    source = f"{HEADER}\n1-2 ab _ _ _ _ _ _ _ Entity=(1-x)\n1 a _ _ _ _ _ _ _ _\n2 b _ _ _ _ _ _ _ _\n"
    (document,) = made(tmp_path, source)
    assert isinstance(document, Document) and "not at the token" in document.refused[0].reason


def test_mentions_may_cross_and_go_over_the_ends_of_sentences(tmp_path: Path) -> None:
    rows = ["1 a _ _ _ _ _ _ _ Entity=(1-x", "2 b _ _ _ _ _ _ _ Entity=(2-y", "3 c _ _ _ _ _ _ _ Entity=1)"]
    (document,) = made(tmp_path, "\n".join([HEADER, *rows, "", "1 d _ _ _ _ _ _ _ Entity=2)", ""]))
    assert isinstance(document, Document)
    assert [joined(document.text, node.spans) for node in document.nodes if node.spans] == ["a b c", "b c d"]


@pytest.mark.parametrize("header", ["", "# global.Entity = eid-etype-head-other"])
def test_corefud_fields_hold_without_a_header(tmp_path: Path, header: str) -> None:
    document = one(tmp_path, "a Entity=(e1--1-k:v,l:w-x)", header=header or "# x")
    assert bare(document.nodes[0]) == Node(
        "e1-1", "Entity", ((0, 1),), {"etype": None, "head": "1", "other": "k:v,l:w-x"}, {"cluster": ["e1"]}
    )


def test_a_header_holds_for_the_documents_after_it(tmp_path: Path) -> None:
    row = "1 a _ _ _ _ _ _ _ Entity=(person-e1)\n"
    first, second = made(tmp_path, f"# global.Entity = etype-eid\n# newdoc\n{row}\n# newdoc\n{row}")
    assert isinstance(first, Document) and isinstance(second, Document)
    assert [(d.name, d.nodes[0].features) for d in (first, second)] == [("a", {"etype": "person"}), ("a-2", {"etype": "person"})]


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        (["B-P", "I-P", "O", "I-P"], [("P", "a b"), ("P", "d")]),
        (["B-P", "B-P", "I-L", "_"], [("P", "a"), ("P", "b"), ("L", "c")]),
        (["S-P", "I-P", "B-P", "E-P"], [("P", "a"), ("P", "b"), ("P", "c d")]),
        (["U-P", "B-P", "I-P", "L-P"], [("P", "a"), ("P", "b c d")]),
    ],
)
def test_bio_tags_of_all_kinds(tmp_path: Path, tags: list[str], found: list[tuple[str, str]]) -> None:
    rows = [f"{word} {f'N={tag}' if tag != '_' else '_'}" for word, tag in zip("abcd", tags, strict=True)]
    document = one(tmp_path, *rows, ner="N")
    assert [(n.features["label"], joined(document.text, n.spans)) for n in document.nodes if n.type == "N"] == found
    assert document.refused == []


def test_a_tag_that_is_none_is_refused(tmp_path: Path) -> None:
    document = one(tmp_path, "a NER=PER", "b NER=B-PER|NER=O", "c NER=B-")
    assert [(r.place.line, r.type) for r in document.refused] == [(2, "NER"), (3, "NER"), (4, "NER")] and document.nodes == []


def test_a_second_document_of_one_name_and_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    row = b"1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n"
    (tmp_path / "a.conllu").write_bytes(b"# newdoc id = d\n" + row + b"\n# newdoc id = d\n" + row)
    (tmp_path / "b.conllu").write_bytes(b"\xef\xbb\xbf# newdoc id = b\r\n" + row.replace(b"a", b"\xff"))
    first, second, third = read("conllu", tmp_path)
    assert isinstance(first, Document) and isinstance(second, Refused) and isinstance(third, Refused)
    assert second.reason == "is a second document d" and "b.conllu:2: is not utf-8" in third.reason


def test_the_format_is_recognised(tmp_path: Path) -> None:
    for content, sure in (("# x\n1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n", 1.0), ("a O\n", 0.0), ("", 0.0)):
        (tmp_path / "a.conllu").write_text(content)
        with incoming(tmp_path, filled({}, known("conllu").options, "conllu")) as files:
            assert known("conllu").looks_like(files) == sure


# ---- the corpus ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the GUM corpus is not at hand")
def test_gum_news_is_read_whole() -> None:
    documents = [d for d in read("conllu", CORPUS) if isinstance(d, Document)]
    assert len(documents) == 24 and not any(d.refused for d in documents)
    # counted another way: by the brackets in the files
    source = {path.stem: path.read_text() for path in CORPUS.glob("*.conllu")}
    for document in documents:
        said = "".join(re.findall(r"(?:\t|\|)Entity=([^|\n]*)", source[document.name]))
        opened = re.findall(r"\((\d+)-", said)
        mentions = [node for node in document.nodes if node.type == "Entity"]
        assert len(mentions) == len(opened) == said.count("(") == said.count(")")
        assert {n.id for n in document.nodes if n.type == "Cluster"} == set(opened)
        texts = re.findall(r"^# text = (.*)$", source[document.name], re.MULTILINE)
        assert [document.text[start:end] for start, end in document.segments] == texts
        assert all(node.spans for node in mentions)
    kinds = [node.type for document in documents for node in document.nodes]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"Entity": 5018, "Cluster": 2746, "Bridge": 251, "SplitAnte": 5}


# ---- laws ------------------------------------------------------------------------------------------------------


@st.composite
def annotated(draw: st.DrawFn) -> tuple[list[tuple[str, str]], list[list[tuple[int, int]]]]:
    """Words with the white space after them, and mentions as stretches of words, nested, crossing and in parts."""
    form = texts(no="\t\r\n", min_size=1).filter(lambda f: f.strip() and not f.startswith("\ufeff"))
    words = draw(st.lists(st.tuples(form, st.sampled_from(["", " ", "  ", "\r\n", "\t|\\"])), min_size=1, max_size=8))
    cuts = st.lists(st.integers(0, len(words)), min_size=2, max_size=4, unique=True).map(sorted)
    mentions = draw(st.lists(cuts.map(lambda c: list(zip(c[::2], c[1::2], strict=False))), max_size=5))
    return words, mentions


@settings(max_examples=60)
@given(annotated())
def test_any_mentions_are_read_as_they_were_written(
    annotation: tuple[list[tuple[str, str]], list[list[tuple[int, int]]]],
) -> None:
    words, mentions = annotation
    brackets = [("", "") for _ in words]
    for number, pieces in enumerate(mentions):
        for part, (first, last) in enumerate(pieces, 1):
            id = f"{number}[{part}/{len(pieces)}]" if len(pieces) > 1 else f"{number}"
            closes, opens = brackets[first]
            if last == first + 1:
                brackets[first] = (closes, f"{opens}({id}-x)")
            else:
                brackets[first] = (closes, f"{opens}({id}-x")
                closes, opens = brackets[last - 1]
                brackets[last - 1] = (f"{id}){closes}", opens)
    rows = [HEADER]
    for n, ((form, space), (closes, opens)) in enumerate(zip(words, brackets, strict=True), 1):
        spaces = "".join({" ": "\\s", "\r": "\\r", "\n": "\\n", "\t": "\\t", "|": "\\p", "\\": "\\\\"}[c] for c in space)
        entity = f"Entity={closes}{opens}|" if closes or opens else ""
        rows.append(f"{n}\t{form}\t_\t_\t_\t_\t_\t_\t_\t{entity}SpacesAfter={spaces}")
    with TemporaryDirectory() as folder:
        Path(folder, "a.conllu").write_bytes("\n".join(rows).encode())
        (document,) = read("conllu", Path(folder))
    assert isinstance(document, Document) and document.refused == []
    assert document.text == "".join(form + space for form, space in words)
    starts = [0]
    for form, space in words:
        starts.append(starts[-1] + len(form) + len(space))
    found = {node.id: node.spans for node in document.nodes if node.type == "Entity"}
    assert found == {
        f"{number}-1": tuple((starts[first], starts[last - 1] + len(words[last - 1][0])) for first, last in pieces)
        for number, pieces in enumerate(mentions)
    }


@pytest.mark.fuzz
def test_hostile_files_are_refused_or_read(tmp_path: Path) -> None:
    def write(source: bytes) -> None:
        (tmp_path / "a.conllu").write_bytes(source)

    fuzz("conllu", tmp_path, columns(GOOD).encode(), write)
