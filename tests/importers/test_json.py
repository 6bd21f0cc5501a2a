"""Any JSON by paths: what becomes what, that the rest is kept, what is refused; the German quotations in whole."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from building import REPOSITORY, shared
from dateline.document import Document, Refused, joined
from dateline.errors import InputError
from dateline.foreign_json import elements, parsed
from json_formats import documents, fuzz, read, read_all, refusals

QUOTE = {
    "kind": "Direct",
    "no": 7,
    "quote": {"spans": [{"b": 10, "e": 14, "tok": 3}, {"b": 0, "e": 3, "tok": 0}], "text": "here Ana"},
    "cue": {"spans": [], "text": ""},
    "who": ["p1", 2],
    "sure": True,
    "note": None,
    "more": {"deep": {"x": [1, 2]}},
}
ARTICLE: dict[str, Any] = {
    "body": "Ana said: here 😀 it is.",
    "head": {"title": "A title"},
    "quotes": [QUOTE],
    "sents": [[0, 9], [9, 22]],
    "date": "2024-01-01",
    "tokens": ["Ana"],
}
OPTIONS: dict[str, Any] = {
    "text": "body",
    "sentences": {"at": "sents[*]", "start": "[0]", "end": "[1]"},
    "metadata": {"title": "head.title"},
    "ignored": ["tokens", "sents"],
    "nodes": [
        {
            "at": "quotes[*]",
            "type_at": "kind",
            "id": "no",
            "spans": {"at": "quote.spans[*]", "start": "b", "end": "e"},
            "words": "quote.text",
            "parts": {"cue": {"at": "cue.spans[*]", "start": "b", "end": "e", "words": "cue.text"}},
            "roles": {"speaker": "who"},
        }
    ],
}


def quoting(**changes: Any) -> dict[str, Any]:
    return ARTICLE | {"quotes": [QUOTE | changes]}


def test_paths_say_what_becomes_what_and_the_rest_is_kept(tmp_path: Path) -> None:
    (made,) = documents(read("json", tmp_path, {"sub/a.json": json.dumps(ARTICLE)}, **OPTIONS))
    assert (made.name, made.text, made.segments) == ("sub/a", ARTICLE["body"], [(0, 9), (9, 22)])
    assert made.metadata == {"title": "A title", "date": "2024-01-01"}
    (node,) = made.nodes
    assert (node.id, node.type, node.spans, node.parts) == ("7", "Direct", ((0, 3), (10, 14)), {"cue": ()})
    assert node.words == {"": "Ana here"}  # as the source has them, in the order of the text
    assert node.roles == {"speaker": ["p1", "2"]}
    assert node.features == {"quote.spans.tok": [3, 0], "sure": True, "note": None, "more.deep.x": [1, 2]}
    assert str(node.place) == "sub/a.json $.quotes[0]" and made.refused == []


def test_words_that_do_not_fit_stay_as_they_are_for_the_core_to_see(tmp_path: Path) -> None:
    wrong = {"spans": [{"b": 0, "e": 3}], "text": "Bob"}
    (made,) = documents(read("json", tmp_path, {"a.json": json.dumps(quoting(quote=wrong))}, **OPTIONS))
    assert made.nodes[0].words == {"": "Bob"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"quote": {"spans": [{"b": 0, "e": 99}]}}, "its end 99 lies beyond the text, which has 23 characters"),
        ({"quote": {"spans": [{"b": 5, "e": 2}]}}, "starts at 5, but ends at 2"),
        ({"quote": {"spans": [{"b": "0", "e": 2}]}}, 'its start is "0", which is no whole number'),
        ({"quote": {"spans": [{"b": True, "e": 2}]}}, "its start is true, which is no whole number"),
        ({"quote": {"spans": [{"b": 0}]}}, "a span lacks its start or its end"),
        ({"kind": None}, "has no type"),
        ({"kind": {"a": 1}}, "its type is an object, which is no string"),
    ],
)
def test_an_annotation_that_cannot_be_read_is_refused_with_its_place(changes: dict[str, Any], says: str, tmp_path: Path) -> None:
    (made,) = documents(read("json", tmp_path, {"a.json": json.dumps(quoting(**changes))}, **OPTIONS))
    assert made.nodes == []
    (refused,) = made.refused
    assert (str(refused.place), refused.reason) == ("a.json $.quotes[0]", says)


def test_an_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    (made,) = documents(read("json", tmp_path, {"a.json": json.dumps(ARTICLE | {"quotes": [QUOTE, QUOTE]})}, **OPTIONS))
    assert len(made.nodes) == 1
    assert [(r.id, r.reason) for r in made.refused] == [("7", "another annotation has the same id")]


def test_documents_are_files_lines_or_elements(tmp_path: Path) -> None:
    two = [{"text": "a", "no": 1}, {"text": "b", "no": 2}]
    lines = documents(read("json", tmp_path, {"x.jsonl": two}))
    assert [(d.name, d.text, d.metadata) for d in lines] == [("x#1", "a", {"no": 1}), ("x#2", "b", {"no": 2})]
    inside = documents(read("json", tmp_path, {"x.json": json.dumps({"d": two})}, documents="d[*]", name="no"))
    assert [(d.name, str(d.place)) for d in inside] == [("1", "x.json $.d[0]"), ("2", "x.json $.d[1]")]
    (refused,) = refusals(read("json", tmp_path, {"x.json": json.dumps(two)}))
    assert refused.reason == 'is a list; if its elements are documents, say documents = "[*]"'


def test_names_of_documents_are_unique(tmp_path: Path) -> None:
    found = read("json", tmp_path, {"x.jsonl": [{"text": "a", "n": "x"}, {"text": "b", "n": "x"}]}, name="n")
    assert [type(one) for one in found] == [Document, Refused]
    assert "same name" in refusals(found)[0].reason


def test_offsets_are_of_the_unit_that_is_said(tmp_path: Path) -> None:
    value = {"text": "😀 Ana", "l": [{"s": 3, "e": 6}, {"s": 1, "e": 2}]}
    nodes = [{"at": "l[*]", "type": "x", "spans": {"start": "s", "end": "e"}}]
    (made,) = documents(read("json", tmp_path, {"a.json": json.dumps(value)}, nodes=nodes, offsets="utf-16"))
    assert [node.spans for node in made.nodes] == [((2, 5),)]
    assert [r.reason for r in made.refused] == ["its start 1 lies inside a character"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"nodes": [{"type": "x"}]}, "option nodes[0].at of format json is not there, but must be a string"),
        ({"nodes": [{"at": "x[*]"}]}, "need `type` (a word) or `type_at` (a path)"),
        ({"nodes": [{"at": "x", "type": "x", "spans": {"at": "y", "start": "s"}}]}, "need both `start` and `end`"),
        ({"nodes": [{"at": "x", "type": "x", "part": {}}]}, "there is no such field"),
        ({"text": "a..b"}, "'a..b' is no path"),
        ({"text": "a[x]"}, "'a[x]' is no path"),
        ({"sentences": {"at": 3}}, "option sentences.at of format json is 3"),
        ({"surprise": 1}, "format json has no option 'surprise'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as fault:
        read("json", tmp_path, {"a.json": "{}"}, **options)
    assert says in str(fault.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not valid JSON: Expecting property name enclosed in double quotes at column 2"),
        ('{"a": 1, "a": 2}', 'an object has the key "a" twice'),
        ('{"a": NaN}', "NaN is no number of JSON"),
        ('{"a": 1e999}', "1e999 is no number that a computer can hold"),
        ("9" * 5000, "an integer has too many digits"),
        ("[" * 100_000, "brackets are nested too deeply"),
        ("[" * 60 + "]" * 60, "brackets are nested too deeply"),
        (r'"\ud83d"', "half of a surrogate pair"),
        ("{} {}", "something follows the value"),
    ],
)
def test_json_that_would_be_read_wrong_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError) as fault:
        parsed(text)
    assert says in str(fault.value)


def test_the_elements_of_a_list_come_one_by_one_with_their_lines() -> None:
    assert list(elements('[\n {"a":\n 1},\n 2]')) == [(2, {"a": 1}), (4, 2)]
    assert list(elements(' {"a": 1}')) == [(1, {"a": 1})]
    assert list(elements("[ ]\n")) == []
    stream = elements("[1,\n2 3]")
    assert [next(stream), next(stream)] == [(1, 1), (2, 2)]
    with pytest.raises(ValueError, match="not closed on line 2"):
        next(stream)
    for text in ("[1,]", "[1", "[1] 2", "[", ""):
        with pytest.raises(ValueError):
            list(elements(text))


def test_a_file_that_is_no_json_costs_that_file_only(tmp_path: Path) -> None:
    found = read(
        "json", tmp_path, {"a.json": "{", "b.json": '{"text": ""}', "c.jsonl": '{"text": "x"}\nnope\n\xff\n'.encode("latin-1")}
    )
    assert [one.place.file for one in found] == ["a.json", "b.json", "c.jsonl", "c.jsonl", "c.jsonl"]
    assert [type(one).__name__ for one in found] == ["Refused", "Document", "Document", "Refused", "Refused"]
    assert "is not utf-8" in refusals(found)[-1].reason


@pytest.mark.fuzz
def test_mutated_files_give_documents_or_refusals(tmp_path: Path) -> None:
    seen = fuzz("json", tmp_path, "a.json", [json.dumps(ARTICLE).encode()], OPTIONS)
    assert seen["Document"] and seen["Refused"]


# ---- a real corpus ---------------------------------------------------------------------------------------------

GNQA = shared() / "corpora" / "gnqa"
KINDS = {
    "train": (700, {"Indirect": 1541, "Direct": 604, "Reported": 297, "IndirectFreeIndirect": 316, "FreeIndirect": 119}, 9260),
    "dev": (150, {"Indirect": 335, "Direct": 136, "Reported": 91, "IndirectFreeIndirect": 64, "FreeIndirect": 27}, 1960),
}


@pytest.mark.slow
@pytest.mark.skipif(not GNQA.exists(), reason="the German quotations are not on this machine")
@pytest.mark.parametrize("split", KINDS)
def test_the_german_quotations_are_read_whole(split: str) -> None:
    options = tomllib.loads((REPOSITORY / "src/dateline/known_corpora/gnqa/mapping.toml").read_text(encoding="utf-8"))["options"]
    made = documents(read_all("json", GNQA / split, **options))
    count, kinds, sentences = KINDS[split]
    assert (len(made), Counter(node.type for d in made for node in d.nodes)) == (count, kinds)
    assert sum(len(d.segments) for d in made) == sentences and not any(d.refused for d in made)
    for document in made:
        source = json.loads((GNQA / f"{split}/{document.name}.json").read_bytes())
        for node, annotation in zip(document.nodes, source["annotations"], strict=True):
            for part in ("", "speaker", "cue", "frame", "addressee"):
                said = annotation[part or "quote"]
                spans = node.parts[part] if part else node.spans
                assert spans == tuple(sorted((s["charBegin"], s["charEnd"]) for s in said["spans"]))
                assert node.words.get(part, "") == joined(document.text, spans)
                # two in a hundred list their spans in another order than the text has
                assert sorted(said["text"].split()) == sorted(node.words.get(part, "").split())
            assert node.features == {key: annotation[key] for key in ("hasNested", "isNested", "medium")}
