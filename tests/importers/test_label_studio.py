"""Label Studio: its results as nodes, in whichever unit its offsets count; what the exporter writes is read as the same."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateline.document import Document, Node
from dateline.errors import InputError, UsageError
from dateline.exporters import exporter
from dateline.importers import importer
from dateline.incoming import filled, incoming
from json_formats import ODD_TEXT, documents, fuzz, plain, read, read_all, refusals

TEXT = "Ana met Bo in Rome."
ENDS = {"from_name": "label", "to_name": "text"}


def region(id: str, start: Any, end: Any, *labels: str, text: str | None = None, **more: Any) -> dict[str, Any]:
    words = {} if text is None else {"text": text}
    return {"id": id, **ENDS, "type": "labels", "value": {"start": start, "end": end, **words, "labels": list(labels)}, **more}


def relation(start: str, end: str, *labels: str) -> dict[str, Any]:
    return {"type": "relation", "from_id": start, "to_id": end, "direction": "right", "labels": list(labels)}


def control(id: str, name: str, kind: str, value: Any) -> dict[str, Any]:
    return {"id": id, "from_name": name, "to_name": "text", "type": kind, "value": {kind: value}}


def task(*results: dict[str, Any], text: str = TEXT, **more: Any) -> dict[str, Any]:
    return {"id": 1, "data": {"text": text}, "annotations": [{"id": 9, "completed_by": 3, "result": list(results)}], **more}


def nodes(tmp_path: Path, *tasks: dict[str, Any], **options: Any) -> list[Node]:
    return [node for made in documents(read("label-studio", tmp_path, {"a.json": list(tasks)}, **options)) for node in made.nodes]


def test_regions_relations_and_controls_become_nodes(tmp_path: Path) -> None:
    results = [
        region("a", 0, 3, "PER", "Hero", text="Ana", origin="manual"),
        region("b", 8, 10, "PER", text="Bo"),
        relation("a", "b", "meets"),
        relation("b", "a"),
        control("a", "gender", "choices", ["f"]),
        control("a", "sure", "rating", 4),
        control("c", "topic", "taxonomy", [["News", "Local"], ["Sport"]]),
        control("d", "note", "textarea", ["hm"]),
    ]
    found = nodes(tmp_path, task(*results))
    assert [(n.id, n.type, n.spans) for n in found] == [
        ("a", "PER", ((0, 3),)),
        ("a~2", "Hero", ((0, 3),)),
        ("b", "PER", ((8, 10),)),
        ("c", "topic", ()),
        ("d", "note", ()),
        ("relation:1", "meets", ()),
        ("relation:2", "relation", ()),
    ]
    assert found[0].features == {**ENDS, "origin": "manual", "gender": ["f"], "sure": 4} and found[0].words == {"": "Ana"}
    assert found[1].roles == {"region": ["a"]} and found[1].features == found[0].features
    assert found[3].features == {"taxonomy": ["News > Local", "Sport"], "to_name": "text"}
    assert found[5].roles == {"from_id": ["a"], "to_id": ["b"]} and found[5].features == {"direction": "right"}
    assert {n.annotator for n in found} == {"3"}
    assert str(found[2].place) == "a.json:1 $.annotations[0].result[1]"


def test_each_annotator_is_kept_apart(tmp_path: Path) -> None:
    sets = [
        {"id": 1, "completed_by": {"id": 1, "email": "a@x.org"}, "result": [region("r", 0, 3, "PER")], "lead_time": 1.5},
        {"id": 2, "completed_by": {"id": 1, "email": "a@x.org"}, "result": [region("r", 8, 10, "PER")]},
        {"id": 3, "completed_by": None, "result": []},
        {"id": 4, "completed_by": 2, "was_cancelled": True, "result": [region("r", 0, 3, "LOC")]},
    ]
    predictions = [{"id": 5, "model_version": "v1", "score": 0.5, "result": [region("r", 14, 18, "LOC")]}]
    value = {"id": 1, "data": {"text": TEXT, "date": 3}, "annotations": sets, "predictions": predictions, "project": 7}
    (made,) = documents(read("label-studio", tmp_path, {"a.json": [value]}))
    assert [(n.annotator, n.spans) for n in made.nodes] == [("a@x.org", ((0, 3),)), ("a@x.org#2", ((8, 10),))]
    assert [(r.type, r.id, r.reason.partition(",")[0]) for r in made.refused] == [
        ("annotation", "4", "was cancelled by its annotator"),
        ("prediction", "5", "is a prediction"),
    ]
    assert made.metadata["date"] == 3 and made.metadata["task.project"] == 7
    assert [one["annotator"] for one in made.metadata["annotations"]] == ["a@x.org", "a@x.org#2", "", "2"]
    assert made.metadata["annotations"][0]["lead_time"] == 1.5
    (made,) = documents(read("label-studio", tmp_path, {"a.json": [value]}, predictions=True, cancelled=True))
    assert [n.annotator for n in made.nodes] == ["a@x.org", "a@x.org#2", "2", "prediction:v1"] and not made.refused


# the text, start, end and words of Label Studio's issue 1347, which counts UTF-16 units
PILE = "💩This is an annotation. "


@pytest.mark.parametrize(
    ("start", "end", "words", "options", "expected"),
    [
        (13, 23, "annotation", {}, (12, 22)),
        (12, 22, "annotation", {}, (12, 22)),
        (13, 23, None, {"offsets": "utf-16"}, (12, 22)),
        (12, 22, None, {"offsets": "code-points"}, (12, 22)),
        (12, 22, None, {"offsets": "utf-16"}, (11, 21)),
        (0, 25, None, {}, (0, 24)),  # beyond the text, were it code points
    ],
)
def test_a_region_is_read_in_the_unit_that_its_words_confirm(
    start: int, end: int, words: str | None, options: dict[str, Any], expected: tuple[int, int], tmp_path: Path
) -> None:
    (found,) = nodes(tmp_path, task(region("a", start, end, "X", text=words), text=PILE), **options)
    assert found.spans == (expected,)


def test_where_nothing_tells_the_unit_the_region_is_refused_unless_another_one_tells(tmp_path: Path) -> None:
    silent, loud = region("a", 5, 9, "X"), region("b", 13, 23, "X", text="annotation")
    (made,) = documents(read("label-studio", tmp_path, {"a.json": [task(silent, text=PILE)]}))
    assert made.nodes == [] and "may count characters such as emoji as one or as two" in made.refused[0].reason
    assert [n.spans for n in nodes(tmp_path, task(silent, loud, text=PILE))] == [((4, 8),), ((12, 22),)]
    (made,) = documents(read("label-studio", tmp_path, {"a.json": [task(region("a", 5, 9, "X", text="no such"), text=PILE)]}))
    assert made.nodes == [] and len(made.refused) == 1


def test_line_ends_in_words_may_be_written_as_two_characters(tmp_path: Path) -> None:
    found = nodes(tmp_path, task(region("a", 0, 4, "X", text=r"a\n\nb"), region("b", 0, 1, "X", text="z"), text="a\r\nb"))
    assert [n.words for n in found] == [{"": "a\r\nb"}, {"": "z"}]


@pytest.mark.parametrize(
    ("result", "kind", "says"),
    [
        (region("a", 0, 99, "X"), "X", "its end 99 lies beyond the text, which has 19 characters"),
        (region("a", 0.5, 3, "X"), "X", "its start is 0.5, which is no whole number"),
        (region("a", 3, 0, "X"), "X", "starts at 3, but ends at 0"),
        (region("a", "/p[1]/text()[1]", "/p[1]/text()[1]", "X"), "labels", "marks HTML by XPath and has no globalOffsets"),
        (control("a", "box", "rectanglelabels", ["X"]), "rectanglelabels", "has labels, but marks no stretch of a text"),
        ({**control("a", "box", "rectangle", 1), "value": {"x": 1, "y": 2}}, "rectangle", "marks a region of an image"),
        ({"id": "a", **ENDS, "type": "labels", "value": {"start": "0", "end": "1"}}, "labels", "by XPath"),
        ({"id": "a", **ENDS, "type": "paragraphlabels", "value": {"start": "0", "end": "1"}}, "paragraphlabels", "dialogue"),
        ({"id": "a", "type": "choices", "value": {"choices": ["x"]}}, "choices", "its from_name is missing"),
        ({"type": "relation", "from_id": "a"}, "relation", "its to_id is missing"),
        (control("a", "topic", "taxonomy", [["a > b"]]), "taxonomy", "stands between steps"),
        ({"id": "a", "value": {}}, "result", "its type is missing"),
    ],
)
def test_a_result_that_cannot_be_read_is_refused(result: dict[str, Any], kind: str, says: str, tmp_path: Path) -> None:
    (made,) = documents(read("label-studio", tmp_path, {"a.json": [task(result)]}))
    assert made.nodes == []
    (refused,) = made.refused
    assert refused.type == kind and says in refused.reason


def test_html_is_read_by_global_offsets_where_they_count_the_text_that_is_there(tmp_path: Path) -> None:
    def html(start: int, end: int, text: str, word: str) -> dict[str, Any]:
        value = {"start": "/p[1]/text()[1]", "end": "/p[1]/text()[1]", "startOffset": 0, "endOffset": 3, "text": word}
        value |= {"globalOffsets": {"start": start, "end": end}, "hypertextlabels": ["X"]}
        return task({"id": "a", **ENDS, "type": "hypertextlabels", "value": value}, text=text)

    assert [n.spans for n in nodes(tmp_path, html(0, 3, TEXT, "Ana"))] == [((0, 3),)]
    (made,) = documents(read("label-studio", tmp_path, {"a.json": [html(0, 3, "<p>Ana</p>", "Ana")]}))
    assert "the text that a browser shows of HTML" in made.refused[0].reason


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"id": 1, "text": "x", "label": [], "annotator": 1, "annotation_id": 2}, "is of a JSON-MIN export"),
        ({"id": 1}, "is no task of Label Studio"),
        ([], "is no task of Label Studio"),
        ({"data": {"a": "x", "b": "y"}}, 'its data has the strings "a", "b": say which is the text'),
        ({"data": {"image": 1}}, "its data has the strings none"),
        ({"data": {"text": "x"}, "annotations": {}}, None),
        ({"data": {"text": "x"}, "annotations": "no"}, "its annotations are no list of objects"),
        ({"data": {"text": "x"}, "annotations": [{"result": 3}]}, "which is no list"),
    ],
)
def test_what_is_no_task_with_one_text_is_refused(value: Any, says: str | None, tmp_path: Path) -> None:
    found = read("label-studio", tmp_path, {"a.json": [value]})
    assert [r.reason for r in refusals(found) if says and says in r.reason] or (says is None and documents(found))


def test_the_text_is_the_wanted_field_or_the_one_that_results_name(tmp_path: Path) -> None:
    value = {**task({**region("a", 0, 1, "X"), "to_name": "body"}), "data": {"title": "T", "body": "B"}}
    (made,) = documents(read("label-studio", tmp_path, {"a.json": [value]}))
    assert (made.text, made.metadata["title"]) == ("B", "T")
    (made,) = documents(read("label-studio", tmp_path, {"a.json": [value]}, text="title"))
    assert made.text == "T"


def test_tasks_stand_in_lists_lines_and_alone_and_their_ids_are_unique(tmp_path: Path) -> None:
    one, two = task(), task() | {"id": 2}
    found = read("label-studio", tmp_path, {"a.json": json.dumps(one), "b.jsonl": [two, one], "c.json": [{"data": {"text": ""}}]})
    assert [one.name if isinstance(one, Document) else one.reason for one in found] == [
        "1",
        "2",
        "another task has the same id",
        "c#1",
    ]


def test_a_unit_or_an_exporter_that_is_not_there_is_said_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="option offsets is 'bytess', but must be one of code-points, utf-16, bytes, by-words"):
        read("label-studio", tmp_path, {"a.json": []}, offsets="bytess")
    with pytest.raises(UsageError, match=r"no exporter 'nope'; there are: .*label-studio.*prodigy"):
        exporter("nope")


def test_it_knows_its_own_files(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([task()]))
    (tmp_path / "b.json").write_text("{}")
    known = importer("label-studio")
    for file, expected in (("a.json", 0.95), ("b.json", 0.0)):
        with incoming(tmp_path / file, filled({}, known.options, "label-studio")) as found:
            assert known.looks_like(found) == expected


# ---- what is written -------------------------------------------------------------------------------------------


@st.composite
def held(draw: st.DrawFn) -> Document:
    """A document of what Label Studio can hold."""
    text = draw(ODD_TEXT)
    document = Document(
        draw(st.text(min_size=1, max_size=5).filter(str.isprintable)), text, metadata={"date": draw(st.none() | st.integers())}
    )
    offset = st.integers(0, len(text))
    for annotator in draw(st.lists(st.sampled_from(["", "ana", "3", "prediction:m1"]), unique=True, max_size=3)):
        spanned = []
        for number in range(draw(st.integers(0, 3))):
            start, end = sorted((draw(offset), draw(offset)))
            features = {
                **ENDS,
                **draw(st.dictionaries(st.sampled_from(["g", "h"]), st.integers() | st.lists(st.text(max_size=3)))),
            }
            node = Node(f"r{number}", draw(st.sampled_from(["PER", "<&>\"'"])), ((start, end),), features, annotator=annotator)
            node.words = {"": text[start:end]}
            spanned.append(node)
        if spanned:
            ends = {end: [draw(st.sampled_from(spanned)).id] for end in ("from_id", "to_id")}
            relation = Node("relation:1", "meets", (), {"direction": "left"}, ends, annotator=annotator)
            alone = Node("w", "topic", (), {"choices": ["x", "y"], "to_name": "text"}, annotator=annotator)
            document.nodes += [*spanned, alone, relation]
    return document


@given(st.lists(held(), max_size=3, unique_by=lambda d: d.name))
def test_what_is_written_is_read_as_the_same(tmp_path_factory: pytest.TempPathFactory, made: list[Document]) -> None:
    folder = tmp_path_factory.mktemp("written")
    known = exporter("label-studio")
    assert known.write(made, folder) == ["config.xml", "tasks.json"]
    found = documents(read_all("label-studio", folder, offsets="code-points", predictions=True))
    for document in found:
        assert document.metadata.pop("annotations", []) is not None and document.metadata.pop("predictions", []) is not None
        plain(document).nodes.sort(key=lambda n: n.annotator)
    for document in made:
        assert not known.cannot_hold(document)
        document.nodes.sort(key=lambda n: n.annotator)
    assert found == made
    ElementTree.parse(folder / "config.xml")


def test_an_export_is_written_as_it_was_read(tmp_path: Path) -> None:
    results = [
        region("a", 0, 3, "PER", "Hero", text="Ana", origin="manual"),
        {**region("a", 0, 3, "Main", text="Ana"), "from_name": "importance"},
        control("c", "topic", "taxonomy", [["News", "Local"], ["Sport"]]),
        relation("a", "a", "is"),
    ]
    source = task(*results, predictions=[], created_at="2024")
    (made,) = documents(read("label-studio", tmp_path, {"a.json": [source]}))
    exporter("label-studio").write([made], tmp_path)
    (written,) = json.loads((tmp_path / "tasks.json").read_bytes())
    assert written["data"].pop("dateline_document") == "1"
    assert written == {k: v for k, v in source.items() if k != "id"}


def test_the_config_offers_every_label_choice_and_relation(tmp_path: Path) -> None:
    results = [
        region("a", 0, 3, "<P>"),
        control("a", "g", "choices", ["f"]),
        relation("a", "a", "is"),
        {**control("b", "topic", "taxonomy", [["News", "Local"], ["News", "World"], ["Sport"]]), "to_name": "body"},
    ]
    exporter("label-studio").write(documents(read("label-studio", tmp_path, {"a.json": [task(*results)]})), tmp_path)
    view = ElementTree.parse(tmp_path / "config.xml").getroot()
    assert [(e.tag, e.get("name"), e.get("toName")) for e in view] == [
        ("Labels", "label", "text"),
        ("Choices", "g", "text"),
        ("Taxonomy", "topic", "body"),
        ("Relations", None, None),
        ("Text", "text", None),
        ("Text", "body", None),
    ]
    assert [e.get("value") for e in view.iter() if len(e) == 0] == ["<P>", "f", "Local", "World", "Sport", "is", "$text", "$text"]


def test_what_it_cannot_hold_is_counted(tmp_path: Path) -> None:
    document = Document("d", "abc", segments=[(0, 3)])
    document.nodes = [
        Node("1", "x", ((0, 1), (2, 3))),
        Node("2", "x", ((0, 1),), {"f": None, "w": "v", "t": True}, {"who": ["1"]}, {"cue": ((1, 2),)}),
        Node("3", "event", (), {}, {"a": ["1"], "b": ["2"], "c": ["2"]}),
        Node("4", "rel", (), {}, {"Arg1": ["2"], "Arg2": ["2"]}),
        Node("5", "free", (), {"anything": 1}),
    ]
    assert exporter("label-studio").cannot_hold(document) == {
        "sentences": 1,
        "annotations in several pieces": 1,
        "parts of annotations": 1,
        "roles of annotations with words, which become relations": 1,
        "features that are empty, true or false, or objects": 2,
        "single words of features, which become lists of one": 1,
        "relations of more than two": 1,
        "names of roles": 1,
        "ids of relations": 1,
        "annotations without words that are no choice, number or text": 1,
    }
    exporter("label-studio").write([document], tmp_path)
    (written,) = json.loads((tmp_path / "tasks.json").read_bytes())
    assert [r["type"] for r in written["annotations"][0]["result"]] == ["labels", "choices", "relation", "relation"]


@pytest.mark.fuzz
def test_mutated_exports_give_documents_or_refusals(tmp_path: Path) -> None:
    source = task(
        region("a", 0, 3, "PER", text="Ana"),
        region("b", 8, 10, "PER"),
        relation("a", "b", "x"),
        control("a", "g", "choices", ["f"]),
        control("t", "topic", "taxonomy", [["a", "b"]]),
        text="Ana 😀 met Bo.",
        predictions=[{"model_version": "m", "result": [region("a", 0, 3, "PER")]}],
    )
    seen = fuzz("label-studio", tmp_path, "a.json", [json.dumps([source, source | {"id": 2}]).encode()])
    assert seen["Document"] and seen["Refused"]
