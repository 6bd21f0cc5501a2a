"""What one record can tell: each rule trips on its fault, says where, and quotes nothing that is withheld."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import MENTIONS, Json, ProjectFolder, mention, record
from dateline.compile.check import check_record
from dateline.compile.read import RawRecord
from dateline.compile.seeds import check_files
from dateline.errors import Place, Problem, ProjectError
from dateline.project import PRIVATE, find_project
from dateline.schema import schemas_from

SCHEMAS = schemas_from({"mentions": json.dumps(MENTIONS).encode()})


def check(made: Json) -> list[Problem]:
    return check_record(made, RawRecord(Place("f.jsonl", 7), 0, json.dumps(made).encode()), SCHEMAS, {})


def found(made: Json) -> list[tuple[str, str]]:
    return [(p.rule, p.place.pointer) for p in check(made)]


def with_mention(**fields: Any) -> Json:
    return record("a1", mentions=[mention("m1", 0, 3) | fields])


def test_a_good_record_has_no_problems() -> None:
    whole = with_mention(head={"start": 0, "end": 3, "surface": "Ana"}, score=1.5, remark="x")
    assert found(whole) == []


@pytest.mark.parametrize(
    ("rule", "pointer", "made"),
    [
        ("unknown-field", "$", record("a1", colour="red")),
        ("unknown-field", "$.mentions[0]", with_mention(colour="red")),
        ("missing-field", "$", {"article_id": "a1"}),
        ("missing-field", "$.mentions[0]", record("a1", mentions=[{"mention_id": "m1", "label": "PER", "x": 1}])),
        ("wrong-type", "$.article_id", record("a1") | {"article_id": 3}),
        ("wrong-type", "$.mentions[0].spans", with_mention(spans="Ana")),
        ("wrong-type", "$.mentions[0].spans[0].start", with_mention(spans=[{"start": 0.5, "end": 3}])),
        ("wrong-type", "$.mentions[0].head", with_mention(head="Ana")),
        ("unknown-label", "$.mentions[0].label", with_mention(label="ORG")),
        ("bad-value", "$.article_id", record("../a1")),
        ("bad-value", "$.mentions[0].spans", with_mention(spans=[])),
        ("language-tag", "$.language", record("a1", language="english!")),
        ("license-expression", "$.rights.text_license", record("a1", rights={"text_license": "CC"})),
        ("number-precision", "$.mentions[0].score", with_mention(score=0.0001)),
        ("number-precision", "$.mentions[0].score", with_mention(score=1e9)),
        ("text-hash", "$.text.sha256", record("a1", text=None) | {"text": {"content": "Ana", "sha256": "0" * 64}}),
        ("text-length", "$.text.n_code_points", record("a1") | {"text": {"content": "Ana", "n_code_points": 4}}),
        ("text-length", "$.text.n_bytes", record("a1") | {"text": {"content": "Ána", "n_bytes": 3}}),
        ("text-missing", "$.text.content", {"article_id": "a1", "text": {"sha256": "0" * 64, "n_code_points": 3}}),
        ("duplicate-id", "$.mentions[1].mention_id", record("a1", mentions=[mention("m1", 0, 3), mention("m1", 8, 10)])),
        ("reference", "$.mentions[0].parent_id", with_mention(parent_id="m9")),
        ("reference-cycle", "$.mentions[0].parent_id", with_mention(parent_id="m1")),
        ("span-order", "$.mentions[0].spans[0]", with_mention(spans=[{"start": 3, "end": 3}])),
        ("span-order", "$.mentions[0].spans[0]", with_mention(spans=[{"start": 3, "end": 1}])),
        ("span-inside-text", "$.mentions[0].spans[0].end", with_mention(spans=[{"start": 0, "end": 20}])),
        ("span-sorted", "$.mentions[0].spans[1].start", with_mention(spans=[{"start": 4, "end": 7}, {"start": 0, "end": 3}])),
        ("span-sorted", "$.mentions[0].spans[1].start", with_mention(spans=[{"start": 0, "end": 7}, {"start": 4, "end": 7}])),
        ("span-edge", "$.mentions[0].spans[0]", with_mention(spans=[{"start": 0, "end": 4}])),
        ("span-edge", "$.mentions[0].spans[0]", with_mention(spans=[{"start": 3, "end": 7}])),
        ("span-surface", "$.mentions[0].spans[0].surface", with_mention(spans=[{"start": 0, "end": 3, "surface": "Anna"}])),
        ("span-within", "$.mentions[0].head", with_mention(head={"start": 8, "end": 10})),
    ],
)  # fmt: skip
def test_each_fault_trips_its_rule_at_its_place(rule: str, pointer: str, made: Json) -> None:
    if rule == "missing-field" and pointer == "$.mentions[0]":
        assert (rule, pointer) in found(made)
    else:
        assert found(made) == [(rule, pointer)]


@pytest.mark.parametrize(
    ("text_license", "redistributable", "public", "expected"),
    [
        ("LicenseRef-private", True, True, [("rights-private", "$.rights.text_license")]),
        ("CC-BY-4.0 AND LicenseRef-Private", True, True, [("rights-private", "$.rights.text_license")]),
        ("LicenseRef-private", True, False, []),
        ("LicenseRef-private", False, True, []),  # withheld, so nothing of it is shown
        ("LicenseRef-private-press", True, True, []),
        ("CC-BY-4.0", True, True, []),
    ],
)
def test_a_text_of_a_private_project_stands_in_no_public_one(
    text_license: str, redistributable: bool, public: bool, expected: list[tuple[str, str]]
) -> None:
    made = record("a1", rights={"text_redistributable": redistributable, "text_license": text_license})
    raw = RawRecord(Place("f.jsonl", 7), 0, json.dumps(made).encode())
    assert [(p.rule, p.place.pointer) for p in check_record(made, raw, SCHEMAS, {}, public=public)] == expected


def test_a_private_record_is_refused_by_check_and_by_rebuild_of_a_project_that_is_not_private(folder: ProjectFolder) -> None:
    path = folder.seed(record("a1", rights={"text_redistributable": True, "text_license": PRIVATE}))
    line = (
        "seeds/a.jsonl:1 $.rights.text_license  is LicenseRef-private, so the text is a private project's, "
        "but this project is not private  [rights-private]"
    )
    done = folder.rebuild()
    assert [str(p) for p in done.problems] == [line] and done.manifest is None
    assert [str(p) for p in check_files(folder.project, [path]).problems] == [line]
    folder.settings("private = true", f'license = "{PRIVATE}"')
    assert check_files(folder.project, [path]).problems == [] and folder.rebuild().problems == []
    folder.settings(f'license = "{PRIVATE}"')  # and once `private` is taken away, no command goes on
    with pytest.raises(ProjectError, match="license is LicenseRef-private, but private is not true"):
        find_project(folder.root)


def test_a_problem_with_a_span_shows_it_in_the_text_where_rights_allow() -> None:
    text = "She saw\n서울 \u202eat night, and \U0001f600 Ana met Bo in Rome, far from home."
    start = text.index("Ana")
    made = record("a1", text, mentions=[mention("m1", start, start + 4)])
    (fault,) = check(made)
    assert fault.snippet is not None
    assert fault.snippet.splitlines() == [
        "    …saw·서울 ·at night, and \U0001f600 Ana met Bo in Rome, far from…",
        "                                ^^^^",
    ]
    (silent,) = check(made | {"rights": {}})
    assert silent.snippet is None


def test_all_problems_of_a_record_are_collected() -> None:
    made = record("a1", mentions=[mention("m1", 0, 99), mention("m2", 3, 1), mention("m3", 0, 3, parent_id="m7")])
    assert [rule for rule, _ in found(made)] == ["span-inside-text", "span-order", "reference"]


def test_a_problem_reads_as_one_line() -> None:
    (fault,) = check(with_mention(spans=[{"start": 0, "end": 812}]))
    assert str(fault) == ("f.jsonl:7 $.mentions[0].spans[0].end  ends at 812, but the text has 19 characters  [span-inside-text]")


def test_a_reference_to_the_wrong_layer_says_so() -> None:
    made = with_mention(parent_id="set1") | {
        "annotation_sets": [
            {
                "annotation_set_id": "set1",
                "layer": "mentions",
                "annotator_id": "x",
                "annotator_type": "HUMAN",
                "status": "PRIMARY",
            }
        ]
    }
    (fault,) = check(made)
    assert "it is an item of 'annotation_sets'" in fault.says


@pytest.mark.parametrize(
    ("text", "start", "end", "surface", "cause"),
    [
        ("\U0001f600 Ana met Bo", 3, 6, "Ana", "UTF-16"),
        ("Zoë met Bo", 5, 8, "met", "UTF-8 bytes"),
        ("Zoe\u0308 met Bo", 4, 7, "met", "NFC"),
        ("One\r\nAna", 4, 7, "Ana", "CRLF became LF"),
        ("One\nAna met", 5, 8, "Ana", "CRLF line ends"),
    ],
)
def test_a_wrong_surface_says_in_which_counting_the_span_would_be_right(
    text: str, start: int, end: int, surface: str, cause: str
) -> None:
    made = record("a1", text, mentions=[mention("m1", 0, 3) | {"spans": [{"start": start, "end": end, "surface": surface}]}])
    (fault,) = [p for p in check(made) if p.rule == "span-surface"]
    assert cause in fault.hint


def test_nothing_of_a_withheld_text_stands_in_a_message() -> None:
    secret = "Kestrel"
    text = f"{secret} met Bo in {secret}."
    for fields in (
        {"spans": [{"start": 0, "end": 3, "surface": secret}]},
        {"label": secret},
        {"remark": [secret]},
        {secret: 1},
        {"head": secret},
        {"spans": [{"start": 0, "end": 8}]},
    ):
        made = record("a1", text, mentions=[mention("m1", 0, 7) | fields], rights={"rights_holder": "x"})
        faults = check(made)
        assert faults
        assert not [p for p in faults if secret in f"{p}{p.hint}{p.snippet}"], fields


# NUL is no text, which a rule of its own says
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    st.integers(-2, 60),
    st.integers(-2, 60),
)
def test_a_span_is_accepted_exactly_if_it_cuts_words_out_of_the_text(text: str, start: int, end: int) -> None:
    made = record("a1", text, mentions=[mention("m1", start, end)])
    good = 0 <= start < end <= len(text) and text[start:end] == text[start:end].strip()
    assert (found(made) == []) == good


NAMES = [*MENTIONS["properties"], "start", "end", "content"]
NAMES = [*MENTIONS["properties"], "start", "end", "content"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["article_id", "text", "rights", "mentions", "group", "coverage"]), JSON))
def test_no_json_makes_the_check_raise(made: Json) -> None:
    check(made)


@given(JSON)
def test_no_item_makes_the_check_raise(item: Any) -> None:
    check(record("a1", mentions=[item]))
    check(record("a1", mentions=[mention("m1", 0, 3) | (item if isinstance(item, dict) else {})]))


def test_the_text_around_a_span_is_cut_out_for_problems_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> str:
        raise AssertionError("a snippet of a good span")

    monkeypatch.setattr("dateline.compile.check.snippet", never)
    assert found(record("a1", mentions=[mention("m1", 0, 3), mention("m2", 8, 10)])) == []
