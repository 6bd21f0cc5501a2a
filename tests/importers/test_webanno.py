"""WebAnno TSV 3: each construct of the format, its odd and broken twins, and the same documents written and read again."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from building import shared
from dateline.document import Document, Node, Refused, Stretch
from dateline.errors import InputError, UsageError
from dateline.exporters import exporter, exporters
from dateline.exporters import webanno as writer
from dateline.webanno import SENTENCE, TOKEN, escape_text, escape_value, split, unescape_text, unescape_value
from documents_of import read, read_mutants, read_one, recognised

SPAN, SLOTS, RELATION, LINK = "custom.Span", "custom.Host", "custom.Relation", "custom.CorefLink"
HEAD = "#FORMAT=WebAnno TSV 3.3\n#T_SP=custom.Span|value|note\n\n\n"
BODY = "#Text=Ana met Bo.\n1-1\t0-3\tAna\tPER[1]|x[2]\t*[1]|*[2]\t\n"
BODY += "1-2\t4-7\tmet\tPER[1]\t*[1]\t\n1-3\t8-10\tBo\tLOC\ta b\t\n1-4\t10-11\t.\t_\t_\t\n"


def written(folder: Path, text: str, name: str = "a.tsv") -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


def parsed(folder: Path, text: str, **options: Any) -> Document:
    return read_one("webanno", written(folder, text), **options)


def spans(document: Document, *, of: str = SPAN) -> list[tuple[str, str, dict[str, Any]]]:
    return [(n.id, document.text[slice(*n.spans[0])], n.features) for n in document.nodes if n.type == of]


def form(document: Document, *, tokens: bool = True) -> tuple[str, list[str], list[Stretch]]:
    """A document without its nodes' ids, and without what the format fills in."""
    nodes = {(node.annotator, node.id): node for node in document.nodes}
    forms = []
    for node in document.nodes:
        if node.type == TOKEN and not tokens:
            continue
        features = sorted((name, value) for name, value in node.features.items() if value is not None)
        ends = {role: [nodes[node.annotator, i] for i in ids] for role, ids in node.roles.items() if role != "chain"}
        roles = sorted(
            (role, [(end.type, end.spans, sorted(end.features.items())) for end in found]) for role, found in ends.items()
        )
        forms.append(repr((node.annotator, node.type, node.spans, features, roles)))
    return document.text, sorted(forms), document.segments


def again(document: Document, folder: Path, **options: Any) -> Document:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    writer.write([document], folder)
    return read_one("webanno", folder, **options)


# ---- what is read


def test_spans_stacked_and_of_several_rows_are_nodes_with_their_own_numbers(tmp_path: Path) -> None:
    document = parsed(tmp_path, HEAD + BODY)
    assert document.name == "a" and document.text == "Ana met Bo." and document.segments == [(0, 11)]
    assert spans(document) == [
        ("1", "Ana met", {"value": "PER", "note": None}),
        ("2", "Ana", {"value": "x", "note": None}),
        ("1-3/1", "Bo", {"value": "LOC", "note": "a b"}),
    ]
    assert [t[:2] for t in spans(document, of=TOKEN)] == [("1-1", "Ana"), ("1-2", "met"), ("1-3", "Bo"), ("1-4", ".")]
    assert document.nodes[1].place.line == 6 and document.refused == []
    assert [n.words for n in document.nodes if n.type == SPAN] == [{}, {"": "Ana"}, {"": "Bo"}]


@pytest.mark.parametrize("version", ["3.0", "3.1", "3.2", "3.3"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_versions_line_ends_and_marks_of_the_file_change_nothing(tmp_path: Path, version: str, line_end: str, mark: str) -> None:
    text = mark + (HEAD + BODY).replace("3.3", version).replace("\n", line_end)
    assert form(parsed(tmp_path, text)) == form(parsed(tmp_path, HEAD + BODY))


def test_parts_of_tokens_overlap_and_may_be_empty(tmp_path: Path) -> None:
    rows = "1-1\t0-5\tplays\t_\t_\t\n1-1.1\t0-3\tpla\ta\t*\t\n1-1.2\t2-5\tays\tb\t*\t\n1-1.3\t5-5\t\tc\t*\t\n"
    document = parsed(tmp_path, f"{HEAD}#Text=plays\n{rows}")
    assert [(n.id, n.spans) for n in document.nodes if n.type == SPAN] == [
        ("1-1.1/1", ((0, 3),)),
        ("1-1.2/1", ((2, 5),)),
        ("1-1.3/1", ((5, 5),)),
    ]


def test_offsets_are_utf_16_unless_the_option_says_otherwise(tmp_path: Path) -> None:
    rows = "#Text=👻 e\u0301 Bo\n1-1\t0-2\t👻\t_\t_\t\n1-2\t3-5\te\u0301\t_\t_\t\n1-3\t6-8\tBo\tPER\t*\t\n"
    document = parsed(tmp_path, HEAD + rows)
    assert [(n.spans, document.text[slice(*n.spans[0])]) for n in document.nodes if n.type == SPAN] == [(((5, 7),), "Bo")]
    points = rows.replace("0-2", "0-1").replace("3-5", "2-4").replace("6-8", "5-7")
    assert spans(parsed(tmp_path, HEAD + points, offsets="code-points")) == spans(document)
    wrong = parsed(tmp_path, HEAD + points)
    assert [(r.type, r.id) for r in wrong.refused if r.type == SPAN] == [(SPAN, "1-3/1")]
    assert all('offsets = "code-points"' in r.reason for r in wrong.refused) and spans(wrong) == []


def test_sentences_of_several_lines_with_ids_and_gaps_give_the_exact_text(tmp_path: Path) -> None:
    document = parsed(
        tmp_path,
        "#FORMAT=WebAnno TSV 3.3\n\n\n#Sentence.id=s-1\n#Text=a\\tb\\r\n"
        "#Text=\\\\c\n1-1\t2-3\ta\t\n1-2\t4-5\tb\t\n1-3\t7-9\t\\\\c\t\n"
        "\n#Text=d\n2-1\t9-10\td\t\n\n#Text=e\n3-1\t13-14\te\t\n",
    )
    assert document.text == "  a\tb\r\n\\cd\n  e"
    assert document.segments == [(2, 9), (9, 10), (13, 14)]
    (sentence,) = [n for n in document.nodes if n.type == SENTENCE]
    assert (sentence.features, sentence.spans) == ({"id": "s-1"}, ((2, 9),))


def test_up_to_version_3_1_text_is_escaped_as_in_java(tmp_path: Path) -> None:
    rows = '#Text=\\u00e9\\ud83d\\udc7b \\"\n1-1\t0-1\té\t\n1-2\t1-3\t👻\t\n1-3\t4-5\t"\t\n'
    assert parsed(tmp_path, f"#FORMAT=WebAnno TSV 3.1\n\n\n{rows}").text == 'é👻 "'
    (refused,) = read("webanno", written(tmp_path, "#FORMAT=WebAnno TSV 3.1\n\n\n#Text=\\ud83d\n1-1\t0-1\tx\t\n"))
    assert isinstance(refused, Refused) and "surrogate" in refused.reason


def test_escapes_of_values_mean_themselves(tmp_path: Path) -> None:
    value = "\\*\\[1\\]\\|\\_\\->\\;\\t\\n\\\\"
    document = parsed(tmp_path, f"{HEAD}#Text=a\n1-1\t0-1\ta\t{value}[7]|\\_[8]\t\\*[7]|*[8]\t\n")
    assert spans(document) == [("7", "a", {"value": "*[1]|_->;\t\n\\", "note": "*"}), ("8", "a", {"value": "_", "note": None})]


@given(st.text(alphabet="\\[]|_->;\t\n*abé👻tn\r\x00\x1f\f\b"))
def test_escapes_are_undone_exactly(text: str) -> None:
    assert unescape_value(escape_value(text)) == unescape_text(escape_text(text)) == text
    assert split(f"{escape_value(text)}|x", "|") == [escape_value(text), "x"]


SLOT_HEAD = (
    "#FORMAT=WebAnno TSV 3.3\n#T_SP=custom.Span|\n"
    "#T_SP=custom.Host|ROLE_custom.Host:args_custom.HostArgsLink|custom.Span|kind\n"
    "#T_SP=custom.Any|ROLE_custom.Any:to_it_custom.AnyLink|uima.tcas.Annotation\n\n\n#Text=a b c\n"
)


def test_slots_are_roles_named_by_feature_and_label(tmp_path: Path) -> None:
    rows = (
        "1-1\t0-1\ta\t*[1]|*[2]\tsource;goal;source;*\t1-1[1];1-2;1-1[2];1-2\tsay\t_\t_\t\n"
        "1-2\t2-3\tb\t*\t_\t*\t*\tx\t1-1[2]\t\n1-3\t4-5\tc\t_\t_\t_\t_\t_\t_\t\n"
    )
    document = parsed(tmp_path, SLOT_HEAD + rows)
    said = {n.id: (n.type, n.features, n.roles) for n in document.nodes if n.type in (SLOTS, "custom.Any")}
    assert said == {
        "1-1/2": (SLOTS, {"kind": "say"}, {"args:source": ["1", "2"], "args:goal": ["1-2/1"], "args": ["1-2/1"]}),
        "1-2/2": (SLOTS, {"kind": None}, {}),
        "1-2/3": ("custom.Any", {}, {"to_it:x": ["2"]}),
    }


RELATION_HEAD = "#FORMAT=WebAnno TSV 3.3\n#T_SP=custom.Span|value\n#T_RL=custom.Relation|value|BT_custom.Span\n\n\n#Text=a b c\n"


def test_relations_lead_from_the_row_that_they_name_to_their_own(tmp_path: Path) -> None:
    rows = "1-1\t0-1\ta\tx[1]|y[2]\tr|s\t1-2[0_2]|1-2[0_1]\t\n1-2\t2-3\tb\tz\t*\t1-1[1_0]\t\n1-3\t4-5\tc\t_\t_\t_\t\n"
    document = parsed(tmp_path, RELATION_HEAD + rows)
    assert {n.id: (n.features, n.roles, n.spans) for n in document.nodes if n.type == RELATION} == {
        "1-1/2": ({"value": "r"}, {"Governor": ["1-2/1"], "Dependent": ["2"]}, ()),
        "1-1/2.2": ({"value": "s"}, {"Governor": ["1-2/1"], "Dependent": ["1"]}, ()),
        "1-2/2": ({"value": None}, {"Governor": ["1"], "Dependent": ["1-2/1"]}, ()),
    }


def test_dependencies_stand_on_tokens_whatever_their_header_says(tmp_path: Path) -> None:
    name, pos = "de.tudarmstadt.ukp.dkpro.core.api.syntax.type.dependency.Dependency", "x.POS"
    rows = "#Text=a b\n1-1\t0-1\ta\tN\t_\t_\t\n1-2\t2-3\tb\t_\tobj\t1-1\t\n"
    text = f"#FORMAT=WebAnno TSV 3.3\n#T_SP={pos}|p\n#T_RL={name}|t|BT_{pos}\n\n\n{rows}"
    (relation,) = [n for n in parsed(tmp_path, text).nodes if n.type == name]
    assert relation.roles == {"Governor": ["1-1"], "Dependent": ["1-2"]}


def test_chains_are_nodes_and_their_links_follow_each_other(tmp_path: Path) -> None:
    head = "#FORMAT=WebAnno TSV 3.3\n#T_CH=custom.CorefLink|referenceRelation|referenceType\n\n\n#Text=a b c\n"
    rows = "1-1\t0-1\ta\t*->1-2|\\->->2-1\tpr[1]|*[2]\t\n1-2\t2-3\tb\t*->1-2\tpr[1]\t\n1-3\t4-5\tc\tcoref->1-1\tnam[1]\t\n"
    document = parsed(tmp_path, head + rows)
    links = {
        n.id: (n.spans, n.features["referenceType"], n.features["referenceRelation"], n.roles)
        for n in document.nodes
        if n.type == LINK
    }
    assert links == {
        "c1-2": (((0, 3),), "pr", None, {"chain": ["c1"]}),
        "c2-1": (((0, 1),), None, "->", {"chain": ["c2"]}),
        "c1-1": (((4, 5),), "nam", "coref", {"next": ["c1-2"], "chain": ["c1"]}),
    }
    heads = {n.id: (n.type, n.spans, n.roles) for n in document.nodes if n.type.endswith("Chain")}
    assert heads == {"c1": ("custom.CorefChain", (), {"first": ["c1-1"]}), "c2": ("custom.CorefChain", (), {"first": ["c2-1"]})}


# ---- what is refused

BROKEN = {
    "is no WebAnno TSV": "a\tb\n",
    "is WebAnno TSV 1, which does not name its layers": "#id=1\n#text=a\n1\ta\t_\n",
    "is WebAnno TSV 2; read it as webanno-tsv2": " # x.POS | PosValue\n#id=1\n#text=a\n1-1\ta\t_\t\n",
    "3.0 to 3.3 are known": HEAD.replace("3.3", "3.4"),
    "is no declaration of a layer": "#FORMAT=WebAnno TSV 3.3\n#T_XX=a|b\n\n\n",
    "without its base type": "#FORMAT=WebAnno TSV 3.3\n#T_RL=a|b\n\n\n",
    "declares a feature twice": "#FORMAT=WebAnno TSV 3.3\n#T_SP=a|b|b\n\n\n",
    "declares a slot": "#FORMAT=WebAnno TSV 3.3\n#T_SP=a|ROLE_x\n\n\n",
    "declares a chain with other features": "#FORMAT=WebAnno TSV 3.3\n#T_CH=a|x\n\n\n",
    "comes before the first #Text": HEAD + "1-1\t0-1\ta\t_\t_\t\n",
    "a sentence without tokens": HEAD + "#Text=a\n\n#Text=b\n1-1\t0-1\tb\t_\t_\t\n",
    "but the sentences before end at 3": HEAD + "#Text=abc\n1-1\t0-3\tabc\t_\t_\t\n\n#Text=d\n2-1\t2-3\td\t_\t_\t\n",
    "is no token with its offsets": HEAD + "#Text=a\n1-1\tx\ta\t_\t_\t\n",
    "begins at 999999999999": HEAD + "#Text=a\n1-1\t999999999999-999999999999\ta\t_\t_\t\n",
    "is not utf-8": "",
}


@pytest.mark.parametrize("reason", BROKEN)
def test_a_broken_file_is_refused_with_its_reason_and_the_others_are_read(tmp_path: Path, reason: str) -> None:
    written(tmp_path, BROKEN[reason], "broken.tsv")
    if not BROKEN[reason]:
        (tmp_path / "broken.tsv").write_bytes(b"#FORMAT=WebAnno TSV 3.3\n\n\n#Text=\xff\n")
    good, refused = sorted(read("webanno", written(tmp_path, HEAD + BODY)), key=lambda d: type(d).__name__)
    assert isinstance(good, Document) and good.name == "a"
    assert isinstance(refused, Refused) and refused.type == "document" and reason in refused.reason
    assert refused.place.file == "broken.tsv" and refused.place.line > 0 and "broken.tsv" not in refused.reason


FIRST = "1-1\t0-1\ta\tx[1]\t*[1]\t\n"
ODD_ROWS = {
    "is no row of id, offsets and words": "1-2\n",
    "columns of annotation, but 2 are declared": "1-2\t2-3\tb\tx[1]\n",
    "begins at 3 and ends before, at 2": "1-2\t3-2\tb\t_\t_\t\n",
    "is a second row 1-1": "1-1\t2-3\tb\t_\t_\t\n",
    "which does not stand before": "1-9.1\t2-3\tb\t_\t_\t\n",
    "99 lies beyond the text": "1-2\t2-99\tb\tx[1]\t*[1]\t\n",
    "its words are not those of the text there": "1-2\t2-3\tc\ty\t*\t\n",
    "annotations in one column": "1-2\t2-3\tb\tx|y\ta|b|c\t\n",
    "says other values of [1]": "1-2\t2-3\tb\ty[1]\t*[1]\t\n",
    "several numbers in brackets": "1-2\t2-3\tb\ty[1]\t*[2]\t\n",
}


@pytest.mark.parametrize("reason", ODD_ROWS)
def test_a_row_that_cannot_be_read_is_refused_and_so_is_what_stands_on_it(tmp_path: Path, reason: str) -> None:
    document = parsed(tmp_path, f"{HEAD}#Text=a b c\n{FIRST}{ODD_ROWS[reason]}1-3\t4-5\tc\tz\t*\t\n")
    assert any(reason in refused.reason for refused in document.refused), document.refused
    assert ("1-3/1", "c", {"value": "z", "note": None}) in spans(document)
    whole = [text for node_id, text, _ in spans(document) if node_id == "1"]
    assert whole == ([] if "[1]" in ODD_ROWS[reason] else ["a"])


def test_an_annotation_on_rows_that_do_not_follow_each_other_is_refused(tmp_path: Path) -> None:
    rows = "1-1\t0-1\ta\tx[1]\t*[1]\t\n1-2\t2-3\tb\t_\t_\t\n1-3\t4-5\tc\tx[1]\t*[1]\t\n"
    document = parsed(tmp_path, f"{HEAD}#Text=a b c\n{rows}")
    assert spans(document) == [] and [r.id for r in document.refused] == ["1"]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("x\tr\t1-9", "on which 0 annotations"),
        ("x\tr\t1-1[9_0]", "names [9]"),
        ("x\tr\tnowhere", "no row that it comes from"),
        ("x[1]|y[2]\tr\t1-1", "on which 2 annotations"),
    ],
)
def test_a_relation_with_an_end_that_is_not_there_is_refused(tmp_path: Path, cells: str, reason: str) -> None:
    rows = f"1-1\t0-1\ta\t{cells}\t\n1-2\t2-3\tb\t_\t_\t_\t\n1-3\t4-5\tc\t_\t_\t_\t\n"
    document = parsed(tmp_path, RELATION_HEAD + rows)
    assert [(r.type, reason in r.reason) for r in document.refused] == [(RELATION, True)]
    assert RELATION not in {n.type for n in document.nodes} and len(spans(document)) == cells.count("[1]|") + 1


def test_slots_and_chains_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    rows = "1-1\t0-1\ta\t*\ta;b\t1-1\t*\t_\t_\t\n1-2\t2-3\tb\t_\t_\t_\t_\tx\there\t\n1-3\t4-5\tc\t_\t_\t_\t_\t_\t_\t\n"
    document = parsed(tmp_path, SLOT_HEAD + rows)
    assert [(r.type, r.id) for r in document.refused] == [(SLOTS, "1-1/2"), ("custom.Any", "1-2/3")]
    head = "#FORMAT=WebAnno TSV 3.3\n#T_CH=custom.CorefLink|referenceType|referenceRelation\n\n\n#Text=a b c d\n"
    rows = "1-1\t0-1\ta\tx[1]\t*\t\n1-2\t2-3\tb\tx[1]\t*->2-1\t\n1-3\t4-5\tc\tx[1]\t*->1-1\t\n1-4\t6-7\td\ty[1]\t*->1-1\t\n"
    document = parsed(tmp_path, head + rows)
    assert [r.id for r in document.refused] == ["1-1/1", "1-2/1", "1-4/1", "c1-1"]


def test_files_are_recognised(tmp_path: Path) -> None:
    assert recognised("webanno", written(tmp_path, HEAD + BODY)) == 1
    assert recognised("webanno", written(tmp_path, "a\tb\n")) == 0 == recognised("webanno", tmp_path / "none")
    with pytest.raises(InputError, match="option annotators is 'all'"):
        read("webanno", tmp_path, annotators="all")


def test_exporters_are_found_by_name() -> None:
    assert exporter("webanno").write is writer.write and "webanno" in exporters()
    with pytest.raises(UsageError, match=r"no exporter 'x'; there are: .*webanno"):
        exporter("x")


# ---- several annotators


def test_files_of_annotators_become_one_document_that_keeps_them_apart(tmp_path: Path) -> None:
    written(tmp_path, HEAD + BODY, "annotation/b/doc.txt/ana.tsv")
    written(tmp_path, (HEAD + BODY).replace("LOC", "ORG"), "annotation/b/doc.txt/bo.tsv")
    written(tmp_path, HEAD + BODY, "curation/b/doc.txt/CURATION_USER.tsv")
    assert len(read("webanno", tmp_path)) == 3
    document = read_one("webanno", tmp_path, annotators="files")
    assert document.name == "b/doc.txt" and document.segments == [(0, 11)]
    assert Counter(n.annotator for n in document.nodes) == {"ana": 7, "bo": 7, "CURATION_USER": 7}
    written(tmp_path, (HEAD + BODY).replace("Bo", "Al"), "annotation/b/doc.txt/zoe.tsv")
    _, refused = sorted(read("webanno", tmp_path, annotators="files"), key=lambda d: type(d).__name__)
    assert isinstance(refused, Refused) and "its text differs from that of annotation/b/doc.txt/ana.tsv" in refused.reason
    assert refused.place.file == "annotation/b/doc.txt/zoe.tsv"


# ---- written and read again


def test_several_annotators_are_written_as_files_of_a_folder(tmp_path: Path) -> None:
    nodes = [Node("1", SPAN, ((0, 3),), {"value": "x"}, annotator=a) for a in ("ana", "bo/../x")]
    document = Document("news/doc", "Ana.", nodes)
    assert writer.write([document], tmp_path) == ["news/doc/ana.tsv", "news/doc/bo%2F..%2Fx.tsv"]
    back = read_one("webanno", tmp_path, annotators="files")
    assert back.name == "news/doc" and {(n.annotator, n.id) for n in back.nodes if n.type == SPAN} == {
        ("ana", "1"),
        ("bo%2F..%2Fx", "1"),
    }
    assert writer.cannot_hold(document) == {}


def test_names_of_documents_never_lead_out_or_overwrite(tmp_path: Path) -> None:
    names = ["../a", "/a", "A", "a", "a\x00\n:", "", ".", "x" * 300, "x" * 301, ".hidden", "é/👻"]
    files = writer.write([Document(name, "a") for name in names], tmp_path / "out")
    assert len({f.casefold() for f in files}) == len(names)
    found = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert found == {*files} and [p.name for p in tmp_path.iterdir()] == ["out"]
    assert len(read("webanno", tmp_path / "out")) == len(names)


def test_what_the_format_cannot_hold_is_listed_and_left_out(tmp_path: Path) -> None:
    nodes = [
        Node("s", SPAN, ((0, 3),), {"value": 1, "list": ["x"], "cr": "a\rb"}),
        Node("t", SPAN, ((0, 3), (8, 10))),
        Node("u", "custom.Place", ()),
        Node("v", SPAN, ((3, 7),)),
        Node("w", SPAN, ((0, 3),), parts={"speaker": ((8, 10),)}),
        Node("x", RELATION, roles={"Arg1": ["s"], "Arg2": ["w"]}),
        Node("y", RELATION, roles={"Arg1": ["s"], "Arg2": ["t"]}),
        Node("z", SLOTS, ((8, 10),), roles={"a:b": ["t"], "?": ["s"]}),
    ]
    document = Document("d", "Ana met Bo.", nodes, {"date": "2026"}, [(1, 11)])
    assert writer.cannot_hold(document) == {
        "metadata of the document": 1,
        "sentences, which begin or end elsewhere": 1,
        "numbers and truth values, which come back as words": 1,
        "lists and tables in features": 1,
        "carriage returns in values, which become blanks": 1,
        "annotations of several stretches": 1,
        "annotations that stand nowhere in the text": 1,
        "annotations that begin or end between tokens": 1,
        "further anchors of annotations": 1,
        "role names of relations, which become Governor and Dependent": 1,
        "relations with ends that are left out": 1,
        "roles that lead to what is left out": 1,
        "roles whose name cannot be written": 1,
    }
    back = again(document, tmp_path / "out")
    assert back.refused == []
    assert Counter(n.type for n in back.nodes) == {TOKEN: 4, SPAN: 2, RELATION: 1, SLOTS: 1}


TEXT = st.text(alphabet=" ab.\n\r\té👻e\u0301\u00a0\u2028\\_|*[]->;", max_size=40)
VALUE = st.none() | st.text(alphabet="\\[]|_->;\t\n*aé👻 ", max_size=6)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Any document that the format can hold: spans on words, slots, relations, chains, sentence ids."""
    text = draw(TEXT)
    words = [m.span() for m in writer._WORD.finditer(text)]
    nodes: list[Node] = []
    if words:
        for number in range(draw(st.integers(0, 6))):
            first, last = sorted((draw(st.sampled_from(words)), draw(st.sampled_from(words))))
            start = draw(st.integers(first[0], first[1] - 1))
            end = draw(st.integers(max(start, last[0] + 1 if last != first else start), last[1]))
            kind = draw(st.sampled_from((SPAN, SLOTS, "t")))
            nodes.append(Node(f"n{number}", kind, ((start, end),), {"value": draw(VALUE), "b_c": draw(VALUE)}))
        if nodes:
            target = st.sampled_from([node.id for node in nodes])
            for node in nodes:
                if node.type == SLOTS:
                    labels = draw(st.lists(st.sampled_from(("a", "*", "x;y", "", "_->")), unique=True, max_size=3))
                    node.roles = {f"to_it:{label}": draw(st.lists(target, max_size=2)) for label in labels}
                    node.roles |= {"to_it": [draw(target)]} if draw(st.booleans()) else {}
            for number in range(draw(st.integers(0, 3))):
                ends = {"Governor": [draw(target)], "Dependent": [draw(target)]}
                nodes.append(Node(f"r{number}", RELATION, (), {"value": draw(VALUE)}, ends))
        links = draw(st.lists(st.sampled_from(words), max_size=3))
        for number, span in enumerate(links):
            after = {"next": [f"l{number + 1}"]} if number + 1 < len(links) else {}
            values = {"referenceType": draw(VALUE), "referenceRelation": draw(VALUE)}
            nodes.append(Node(f"l{number}", LINK, (span,), values, {**after, "chain": ["c"]}))
        if links:
            nodes.append(Node("c", "custom.CorefChain", roles={"first": ["l0"]}))
    return Document("d", text, nodes)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(document=documents())
@example(document=Document("d", "\n a"))
@example(document=Document("d", " "))
@example(document=Document("d", "a\r\n"))
def test_documents_that_the_format_can_hold_come_back_equal(tmp_path: Path, document: Document) -> None:
    assert writer.cannot_hold(document) == {}
    back = again(document, tmp_path / "out")
    assert back.refused == []
    assert form(back, tokens=False)[:2] == form(document, tokens=False)[:2]
    same = again(back, tmp_path / "out")
    assert form(same) == form(back)


# ---- real files


def corpus() -> Path:
    folder = shared() / "corpora" / "inception"
    if not folder.exists():
        pytest.skip("the corpora are not beside the repository")
    return folder


def test_all_files_of_inceptions_own_tests_are_read_or_are_of_older_formats() -> None:
    found = read("webanno", corpus())
    read_ones = [d for d in found if isinstance(d, Document)]
    refused = [d for d in found if isinstance(d, Refused)]
    assert (len(read_ones), len(refused)) == (129, 27)
    assert Counter(r.reason.partition(";")[0][:18] for r in refused) == {"is WebAnno TSV 2": 26, "is WebAnno TSV 1, ": 1}
    assert [r for d in read_ones for r in d.refused] == []


@pytest.mark.slow
def test_all_files_of_inceptions_own_tests_come_back_equal(tmp_path: Path) -> None:
    for number, document in enumerate(d for d in read("webanno", corpus()) if isinstance(d, Document)):
        assert writer.cannot_hold(document) == {}, document.name
        assert form(again(document, tmp_path / str(number))) == form(document), document.name


@pytest.mark.fuzz
def test_no_bytes_make_it_stumble(tmp_path: Path) -> None:
    rows = "1-1\t0-1\ta\t*[1]|*[2]\tsource;goal\t1-1[1];1-2\tsay\t_\t_\t\n"
    rows += "1-2\t2-3\tb\t*\t_\t*\t*\tx\t1-1[2]\t\n1-3\t4-5\tc\t_\t_\t_\t_\t_\t_\t\n"
    chain = "#FORMAT=WebAnno TSV 3.1\n#T_CH=custom.CorefLink|referenceRelation|referenceType\n\n\n#Text=a 👻\\ud83d\\udc7b\n"
    files = {
        "a.tsv": (HEAD + BODY).encode(),
        "b.tsv": (SLOT_HEAD + rows).encode(),
        "c.tsv": (chain + "1-1\t0-1\ta\t*->1-2\tpr[1]\t\n1-2\t2-6\t\t*->1-1\tpr[1]\t\n1-2.1\t2-4\t👻\t_\t_\t\n").encode(),
        "d.tsv": (RELATION_HEAD + "1-1\t0-1\ta\tx[1]|y[2]\tr|s\t1-2[0_2]|1-2[0_1]\t\n1-2\t2-3\tb\tz\t*\t1-1[1_0]\t\n").encode(),
    }
    bits = [b"[1]", b"->1-1", b"|", b"1-1", b"\t", b"\n", b"#Text=", b"#T_RL=x|BT_x", b"ROLE_x:y_z.w", b"*", b"_", b"\\", b"0-1"]
    assert read_mutants("webanno", tmp_path, files, [*files.values(), *bits]) >= 50
