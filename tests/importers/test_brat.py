"""brat standoff: what is read, what is refused, and that what is written is read again as it was."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from building import shared
from dateline.document import Document, Node, Refused
from dateline.errors import InputError
from dateline.exporters import brat as writer
from dateline.incoming import filled, incoming
from importers.documents import bare, fuzz, known, read, texts

CORPUS = shared() / "corpora" / "brat-news"
TEXT = "Acme said on\nMonday it moved 🌊 money.\n"
GOOD = (
    "T1\tOrg 0 4\tAcme\n"
    "T2\tMove 25 30\tmoved\n"
    "T3\tTime 10 12;13 19\ton Monday\n"
    "T4\tTime 10 19\ton Monday\n"
    "E1\tMove:T2 Giver:T1 Org-Arg2:T3 Giver:T3\n"
    "E2\tMove:T2\n"
    "R1\tOrigin Arg1:T1 Arg2:E1\t\n"
    "*\tAlias T1 T3\n"
    "A1\tNegation E1\n"
    "M1\tSpeculation E1\n"
    "A2\tConfidence T1 very high\n"
    "A3\tTag T1 a\n"
    "A4\tTag T1 b\n"
    "N1\tReference T1 Wikipedia:534\tAcme Inc.\n"
    "N2\tReference T1 Wikidata:Q5\n"
    "N3\tGeo R1 x:1\t\n"
    "#1\tAnnotatorNotes T1\tsure?\n"
    "#2\tAnnotatorNotes R1\t\n"
    "#3\tAnnotatorNotes A4\twhich b?\n"
    "#4\tNormalized T1\tACME\n"
    "#5\tAnnotatorNotes T1\tyes\ttruly\n"
    "# a comment\n"
    "#\talso one\n"
)
OFFSETS = "expected TYPE START END, with a semicolon between the offsets of several fragments"
BEYOND = "400 lies beyond the text, which has 38 characters"
NO_LINE = "is no line of brat: expected an id as T1, E1, R1, A1, M1, N1, #1 or *, a tab, and a type"
ARGUMENTS = "expected TYPE Arg1:ID Arg2:ID, that is two arguments of different names"
TWICE = "T1 stands 2 times; an id must stand once"


def one(tmp_path: Path, annotation: str, text: str = TEXT) -> Document:
    """The only document that a text and its annotation give."""
    (tmp_path / "a.txt").write_bytes(text.encode())
    (tmp_path / "a.ann").write_bytes(annotation.encode())
    (made,) = read("brat", tmp_path)
    assert isinstance(made, Document)
    return made


def refusals(document: Document) -> list[tuple[int, str, str]]:
    return [(r.place.line, r.id, r.reason) for r in document.refused]


def test_each_kind_of_line_becomes_a_node_or_a_feature(tmp_path: Path) -> None:
    made = one(tmp_path, GOOD)
    assert made.refused == [] and made.metadata == {"comments": ["# a comment", "#\talso one"]}
    assert [bare(node) for node in made.nodes] == [
        Node(
            "T1", "Org", ((0, 4),),
            {
                "Confidence": "very high",
                "Tag": ["a", "b"], "Tag#AnnotatorNotes": [None, "which b?"],
                "Reference": ["Wikipedia:534", "Wikidata:Q5"], "Reference#text": ["Acme Inc.", None],
                "#AnnotatorNotes": ["sure?", "yes\ttruly"], "#Normalized": "ACME",
            },
            words={"": "Acme"},
        ),
        Node("T2", "Move", ((25, 30),), words={"": "moved"}),
        Node("T3", "Time", ((10, 12), (13, 19)), words={"": "on Monday"}),
        Node("T4", "Time", ((10, 19),), words={"": "on Monday"}),
        Node(
            "E1", "Move", (), {"Negation": True, "Speculation": True},
            {"trigger": ["T2"], "Giver": ["T1", "T3"], "Org-Arg2": ["T3"]},
        ),
        Node("E2", "Move", (), {}, {"trigger": ["T2"]}),
        Node("R1", "Origin", (), {"Geo": "x:1", "Geo#text": None, "#AnnotatorNotes": ""}, {"Arg1": ["T1"], "Arg2": ["E1"]}),
        Node("*1", "Alias", (), {}, {"member": ["T1", "T3"]}),
    ]  # fmt: skip
    assert made.nodes[4].place.line == 5 and made.nodes[4].place.file.endswith("a.ann")


def test_fragments_come_in_any_order_and_with_or_without_blanks_between(tmp_path: Path) -> None:
    made = one(tmp_path, "T1\tX 13 19;0 4\tMonday Acme\nT2\tX 0 4;13 19\tAcmeMonday\nT3\tX 0 4\nT4\tX 0 4\tAkme\n")
    assert [(n.spans, n.words) for n in made.nodes] == [
        (((0, 4), (13, 19)), {"": "Acme Monday"}),
        (((0, 4), (13, 19)), {"": "Acme Monday"}),
        (((0, 4),), {}),
        (((0, 4),), {"": "Akme"}),  # the importer's core compares, and finds it
    ]


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        ("T1\tOrg 0 400\tAcme", [(1, "T1", BEYOND)]),
        ("T1\tOrg 4 4\t", [(1, "T1", "covers nothing: begins at 4 and ends at 4")]),
        ("T1\tOrg 0 4;x 9\tAcme", [(1, "T1", OFFSETS)]),
        ("T1 Org 0 4 Acme", [(1, "", NO_LINE)]),
        ("T1\t 0 4\tAcme", [(1, "T1", "has no type")]),
        ("X1\tOrg 0 4\tAcme", [(1, "", NO_LINE)]),
        (
            "T1\tOrg 0 4\tAcme\nT1\tOrg 0 2\tAc",
            [(1, "T1", TWICE), (2, "T1", TWICE)],
        ),
        ("E1\tMove T1\nT1\tX 0 4\tAcme", [(1, "E1", "expected TYPE:TRIGGER ROLE:ID ...")]),
        ("E1\tMove:T9", [(1, "E1", "refers to T9, which is not there")]),
        ("E1\tMove:T1 Giver\nT1\tX 0 4\tAcme", [(1, "E1", "expected ROLE:ID, not 'Giver'")]),
        ("R1\tO Arg1:T1\nT1\tX 0 4\tAcme", [(1, "R1", ARGUMENTS)]),
        ("R1\tO A:T1 A:T1\nT1\tX 0 4\tAcme", [(1, "R1", ARGUMENTS)]),
        ("*\tEquiv", [(1, "*", "expected *, a tab, TYPE ID ID ...")]),
        ("A1\tNegation T1", [(1, "A1", "T1, which it belongs to, is not there")]),
        (
            "A1\tNegation T1\nT1\tOrg 0 400\tAcme",
            [(2, "T1", BEYOND), (1, "A1", "T1, which it belongs to, could not be read")],
        ),
        ("A1\tNegation", [(1, "A1", "expected NAME ID, or NAME ID VALUE")]),
        ("A1\tA#b T1\nT1\tX 0 4\tAcme", [(1, "A1", "a name must have at least one character and no #")]),
        ("N1\tReference T1 Wiki\nT1\tX 0 4\tAcme", [(1, "N1", "expected NAME ID RESOURCE:ENTRY")]),
        (
            "N1\tRef T1 a:b\nA1\tRef T1\nT1\tX 0 4\tAcme",
            [(2, "A1", "Ref is both an attribute and a normalization of T1")],
        ),
        ("#1\tAnnotatorNotes\tx", [(1, "#1", "expected TYPE ID, a tab, and the note")]),
        ("#1\tAnnotatorNotes T7\tx", [(1, "#1", "T7, which it belongs to, is not there")]),
        (
            "T1\tX 0 4\tAcme\nA1\tN T1\n#1\tNote A1\tx\n#2\tNote A1\ty",
            [(4, "#2", "N of A1 has a Note already")],
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_line(tmp_path: Path, lines: str, refused: list[tuple[int, str, str]]) -> None:
    lines += "\nT77\tOrg 0 4\tAcme\n"
    made = one(tmp_path, lines)
    assert sorted(refusals(made)) == sorted(refused)
    assert made.nodes[-1].id == "T77"  # the rest is read


def test_a_relation_to_what_is_refused_stays(tmp_path: Path) -> None:
    made = one(tmp_path, "T1\tX 0 400\tAcme\nT2\tX 0 4\tAcme\nR1\tO Arg1:T1 Arg2:T2\n")
    assert made.nodes[-1].roles == {"Arg1": ["T1"], "Arg2": ["T2"]}


def test_bionlp_files_share_ids_and_windows_line_ends_are_no_part_of_words(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfAcme\r\nmoved")
    (tmp_path / "a.a1").write_bytes(b"T1\tOrg 0 4\tAcme\r\n")
    (tmp_path / "a.A2").write_bytes(b"T2\tMove 6 11\tmoved\r\nE1\tMove:T2 Theme:T1\r\n")
    (made,) = read("brat", tmp_path)
    assert isinstance(made, Document) and made.refused == []
    assert sorted(n.id for n in made.nodes) == ["E1", "T1", "T2"] and made.text == "Acme\r\nmoved"
    (made,) = read("brat", tmp_path, crlf="one")
    assert isinstance(made, Document) and [r.reason for r in made.refused] == ["11 lies beyond the text, which ends at 10"]


def test_a_tool_may_count_in_other_units(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("🌊 Acme")
    (tmp_path / "a.ann").write_text("T1\tOrg 3 7\tAcme\nT2\tSea 0 1\t🌊\n")
    (made,) = read("brat", tmp_path, offsets="utf-16")
    assert isinstance(made, Document) and [node.spans for node in made.nodes] == [((2, 6),)]
    assert [(r.id, r.reason) for r in made.refused] == [("T2", "1 lies inside a character")]


def test_the_format_is_recognised(tmp_path: Path) -> None:
    def looks_like(annotation: str) -> float:
        (tmp_path / "a.ann").write_text(annotation)
        with incoming(tmp_path, filled({}, known("brat").options, "brat")) as files:
            return known("brat").looks_like(files)

    assert looks_like("T1\tOrg 0 4\tAcme\n") == 0.0  # a text must lie beside it
    (tmp_path / "a.txt").write_text("Acme")
    assert (looks_like("T1\tOrg 0 4\tAcme\n"), looks_like(""), looks_like('{"a": 1}\n')) == (1.0, 0.5, 0.0)


def test_annotation_without_text_is_refused_and_text_without_annotation_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.ann").write_text("T1\tOrg 0 4\tAcme\n")
    (tmp_path / "b.txt").write_text("Bo")
    (tmp_path / "annotation.conf").write_text("[entities]\n")
    refused, made = read("brat", tmp_path)
    assert isinstance(refused, Refused) and refused.type == "document" and "expected a.txt" in refused.reason
    assert isinstance(made, Document) and (made.name, made.nodes) == ("b", [])


def test_a_file_in_another_encoding_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    (tmp_path / "b.txt").write_bytes(b"Bo")
    refused, made = read("brat", tmp_path)
    assert isinstance(refused, Refused) and "is not utf-8" in refused.reason and isinstance(made, Document)
    latin, _ = read("brat", tmp_path, encoding="latin-1")
    assert isinstance(latin, Document) and latin.text == "café"


@pytest.mark.parametrize("where", ["first", "last"])
def test_folders_name_annotators(tmp_path: Path, where: str) -> None:
    for annotator in ("ann", "bob"):
        folder = tmp_path / (f"{annotator}/news" if where == "first" else f"news/{annotator}")
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text("Acme")
        (folder / "a.ann").write_text(f"T1\t{annotator} 0 4\tAcme\n# by {annotator}\n")
    (folder / "b.txt").write_text("Bo")
    first, second = read("brat", tmp_path, annotators=where)
    assert isinstance(first, Document) and isinstance(second, Document)
    assert (first.name, second.name) == ("news/a", "news/b")
    assert [(n.id, n.type, n.annotator) for n in first.nodes] == [("T1", "ann", "ann"), ("T1", "bob", "bob")]
    assert first.metadata == {"annotators": ["ann", "bob"], "comments:ann": ["# by ann"], "comments:bob": ["# by bob"]}
    assert next(d.name for d in read("brat", tmp_path) if isinstance(d, Document)) != "news/a"  # only where it is asked for
    (folder / "a.txt").write_text("acme")
    refused, _ = read("brat", tmp_path, annotators=where)
    assert isinstance(refused, Refused) and "although both are the text of news/a" in refused.reason


def test_annotators_may_share_one_copy_of_the_text(tmp_path: Path) -> None:
    for annotator in ("ann", "bob"):
        (tmp_path / "news" / annotator).mkdir(parents=True)
        (tmp_path / "news" / annotator / "a.ann").write_text("T1\tOrg 0 4\tAcme\n")
    (tmp_path / "news" / "a.txt").write_text("Acme")
    (made,) = read("brat", tmp_path, annotators="last")
    assert isinstance(made, Document) and (made.name, len(made.nodes)) == ("news/a", 2)


def test_an_unknown_place_of_annotators_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be one of none, first, last"):
        list(read("brat", tmp_path, annotators="middle"))


# ---- the corpus ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the brat corpus is not at hand")
def test_every_line_of_a_corpus_is_accounted_for(tmp_path: Path) -> None:
    made = read("brat", CORPUS)
    documents = [d for d in made if isinstance(d, Document)]
    assert (len(made), len(documents)) == (13, 13) and not any(d.refused for d in documents)
    lines = Counter(line[0] for path in CORPUS.glob("*.ann") for line in path.read_text().splitlines() if line)
    nodes = Counter(node.id[0] for d in documents for node in d.nodes)
    assert nodes == {letter: n for letter, n in lines.items() if letter in "TER*"} and nodes.total() == 152
    said = [name for d in documents for node in d.nodes for name in node.features]
    assert sum("#" not in name for name in said) == lines["A"] + lines["N"] == 12
    assert sum(name.startswith("#") for name in said) == lines["#"] == 4
    surface = known("brat").surface
    assert all(node.words[""] == surface(d.text, node.spans) for d in documents for node in d.nodes if node.spans)

    # source -> documents -> source: the same lines but for the numbers of what has no name for others
    assert sum((writer.cannot_hold(d) for d in documents), Counter()) == {}
    writer.write(documents, tmp_path)
    for path in CORPUS.glob("*.txt"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
        old, new = (sorted(map(_unnumbered, (at / f"{path.stem}.ann").read_text().splitlines())) for at in (CORPUS, tmp_path))
        assert old == new


def _unnumbered(line: str) -> str:
    return re.sub(r"^([AMN#])[0-9]+", r"\1", line.rstrip())


# ---- what is written is read again -----------------------------------------------------------------------------

names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,5}", fullmatch=True)
words = texts(no="\t\r\n").filter(lambda w: w.strip())
notes = texts(no="\r\n")


def maybe(said: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    return st.none() | said


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A document that brat can hold."""
    text = draw(texts(min_size=1))
    annotators = draw(st.sampled_from([[""], ["ann", "bob"]]))
    document = Document(draw(st.sampled_from(["a", "news/b c", "ü/é.x"])), text)
    for annotator in annotators:
        document.nodes += draw(nodes(text, annotator))
        if comments := draw(st.lists(notes.map(lambda c: f"# {c}"), max_size=2)):
            document.metadata[f"comments:{annotator}" if annotator else "comments"] = comments
    if annotators != [""]:
        document.metadata["annotators"] = annotators
    return document


@st.composite
def nodes(draw: st.DrawFn, text: str, annotator: str) -> list[Node]:
    made: list[Node] = []
    numbers = draw(st.lists(st.integers(1, 40), unique=True, max_size=6))
    for number in numbers:
        kind = draw(st.sampled_from("TTERE*")) if made else "T"
        targets = st.sampled_from([n.id for n in made if not n.id.startswith("*")]) if made else st.nothing()
        node = Node(f"{kind}{number}", draw(names), annotator=annotator)
        if kind == "T":
            cuts = draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=6, unique=True))
            node.spans = tuple(zip(sorted(cuts)[::2], sorted(cuts)[1::2], strict=False))
            node.words = {"": known("brat").surface(text, node.spans)}
        elif kind == "E":
            node.roles = {
                "trigger": [draw(targets)],
                **draw(st.dictionaries(names, st.lists(targets, min_size=1, max_size=2), max_size=2)),
            }
        elif kind == "R":
            node.roles = {"Arg1": [draw(targets)], "Arg2": [draw(targets)]}
        else:
            node.id = f"*{1 + sum(n.id.startswith('*') for n in made)}"
            node.roles = {"member": draw(st.lists(targets, min_size=1, max_size=3))}
        if kind != "*":
            node.features = draw(features())
        made.append(node)
    return made


@st.composite
def features(draw: st.DrawFn) -> dict[str, object]:
    made: dict[str, object] = {}
    for name in draw(st.lists(names, unique=True, max_size=2)):
        size = draw(st.sampled_from([1, 1, 2, 3]))
        normal = draw(st.booleans())
        values = words.map(lambda w: f"{w}:1") if normal else words | st.just(True)
        said: dict[str, list[object]] = {"": [draw(values) for _ in range(size)]}
        if normal:
            said["#text"] = [draw(maybe(notes.filter(bool))) for _ in range(size)]
        if draw(st.booleans()):
            said["#Note"] = [*(draw(maybe(notes)) for _ in range(size - 1)), draw(notes)]
        made.update({f"{name}{kind}": column[0] if size == 1 else column for kind, column in said.items()})
    if draw(st.booleans()):
        made["#AnnotatorNotes"] = draw(notes | st.lists(notes, min_size=2, max_size=3))
    return made


@settings(max_examples=25)
@given(documents())
def test_what_is_written_is_read_again_as_it_was(document: Document) -> None:
    assert writer.cannot_hold(document) == {}
    with TemporaryDirectory() as folder:
        written = writer.write([document], Path(folder))
        assert len(written) == len(set(written)) and all(Path(folder, name).is_file() for name in written)
        (made,) = read("brat", Path(folder), annotators="first" if "annotators" in document.metadata else "none")
    assert isinstance(made, Document) and made.refused == []
    assert bare(made) == bare(document)


def test_what_brat_cannot_hold_is_listed_and_the_rest_is_written(tmp_path: Path) -> None:
    document = Document(
        "../b:c",
        "Acme \ud800 said",
        [
            Node(
                "m1", "Org name", ((0, 4),),
                {"n": 3, "x y": "a\nb", "l": ["a"], "none": None, "n#text": "z", "": 1},
                {"of": ["m2"]}, {"cue": ((1, 2),)},
            ),
            Node("T1", "Org", ((5, 5),)),
            Node("m3", "Entity"),
            Node("m4", "Says", (), {}, {"Arg1": ["m1"], "Arg2": ["T1"]}),
            Node("m5", "Says", (), {}, {"trigger": ["m1"], "who:": ["m1"], "whom": []}),
            Node("m6", "Same", (), {"sure": True}, {"member": ["m1", "m5"]}, annotator=""),
        ],
        {"author": "x", "comments": ["no mark"]},
        [(0, 4)],
    )  # fmt: skip
    lost = writer.cannot_hold(document)
    assert lost == {
        "annotations of empty spans": 1,
        "annotations with neither spans nor a trigger nor two arguments nor members": 1,
        "annotations that refer to one that is not there, or not held": 1,
        "ids that are not brat's (others are given)": 3,
        "names of types with blanks or colons (written with _)": 1,
        "names of roles with blanks or colons (written with _)": 1,
        "names of features with blanks or colons (written with _)": 1,
        "values that are not words (written as JSON)": 1,
        "words of normalizations without RESOURCE:ENTRY": 1,
        "line ends in values and notes (written as blanks)": 1,
        "lists of no or one value": 1,
        "features without a value, and notes on them": 1,
        "features without a name": 1,
        "features of equivalences": 1,
        "further anchors of an annotation": 1,
        "roles of annotations that have spans": 1,
        "roles without a target": 1,
        "sentences or paragraphs that are marked as such": 1,
        "facts about the document (metadata)": 1,
        "comments that do not begin with # (it is put before them)": 1,
        "names of documents that no file can have": 1,
        "characters that are no characters of Unicode": 1,
    }
    assert writer.write([document, document], tmp_path / "out") == [
        "%2E%2E/b%3Ac.txt", "%2E%2E/b%3Ac.ann", "%2E%2E/b%3Ac~2.txt", "%2E%2E/b%3Ac~2.ann",
    ]  # fmt: skip
    assert (tmp_path / "out" / "%2E%2E" / "b%3Ac.ann").read_text() == (
        "# no mark\nT1\tOrg_name 0 4\tAcme\nA1\tn T1 3\nA2\tx_y T1 a b\nA3\tl T1 a\nE1\tSays:T1 who_:T1\n*\tSame T1 E1\n"
    )
    first, _ = read("brat", tmp_path / "out")
    assert isinstance(first, Document) and first.refused == []


def test_a_folder_of_an_annotator_overwrites_no_document(tmp_path: Path) -> None:
    node = Node("T1", "Org", ((0, 4),), annotator="ann")
    written = writer.write([Document("ann/a", "Acme"), Document("a", "Acme", [node]), Document("A", "Acme", [node])], tmp_path)
    assert len(written) == 6 == len({name.casefold() for name in written})
    assert (tmp_path / "ann" / "a.ann").read_text() == "" and (tmp_path / "ann" / "a~2.ann").read_text() != ""


def test_annotators_of_the_same_ids_stay_apart_and_the_unnamed_is_listed(tmp_path: Path) -> None:
    nodes = [Node("T1", "Org", ((0, 4),), words={"": "Acme"}, annotator=a) for a in ("a/n", "bob", "")]
    document = Document("a", "Acme", nodes)
    assert writer.cannot_hold(document) == {
        "annotations of no annotator, beside those of annotators (they go to the folder _)": 1,
        "names of annotators that no folder can have": 1,
    }
    assert [name for name in writer.write([document], tmp_path) if name.endswith(".ann")] == [
        "_/a.ann",
        "a%2Fn/a.ann",
        "bob/a.ann",
    ]


@pytest.mark.fuzz
def test_hostile_files_are_refused_or_read(tmp_path: Path) -> None:
    def write(source: bytes) -> None:
        (tmp_path / "a.ann").write_bytes(source)

    (tmp_path / "a.txt").write_text(TEXT)
    fuzz("brat", tmp_path, GOOD.encode(), write)
