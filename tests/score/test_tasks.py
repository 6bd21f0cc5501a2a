"""What each config measures, by hand on a few rows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from building import REPOSITORY
from dateline.errors import Place
from dateline.score.conflicts import Conflicts
from dateline.score.figures import Figures
from dateline.score.predictions import Fields
from dateline.score.scoring import TASKS
from dateline.score.statistics import Value
from score.golds import Json, attribution_row, event_row, figure_row, pair_row, perfect, predicted_figure, span
from score.scored import gold, measured, read, scored

# ---- figures -------------------------------------------------------------------------------------------------

ROW = figure_row("s-a", 1, 14, 25)  # "at least 19"


def said(**changed: Any) -> list[Json]:
    """The prediction that is right about ROW, less what is changed."""
    return [{"article_id": "s-a", "doc_start": 100, "figures": [predicted_figure(ROW) | changed]}]


def of_figures(*predicted: Json) -> dict[str, Value]:
    return measured("figures", [ROW], [{"article_id": "s-a", "doc_start": 100, "figures": list(predicted)}])


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({}, set()),
        ({"value": None}, set()),  # the bound is the number
        ({"low": None}, set()),
        ({"value": 20, "low": 20}, {"number"}),
        ({"comparator": "BARE"}, {"comparator"}),
        ({"certainty": None}, {"certainty"}),
        ({"polarity": "NEG"}, {"polarity"}),
        ({"principals": [" ruiz  LINE"]}, set()),
        ({"principals": ["Ruiz Line", "Police"]}, {"principal"}),
        ({"principals": None}, {"principal"}),
        ({"sources": ["Police"]}, {"source"}),
        ({"unit": "EUR"}, {"unit"}),
        ({"start": 17}, {"span"}),
        ({"chain": [["Ana Ruiz"], ["Police"]]}, {"chain"}),
        ({"chain": []}, {"chain", "principal"}),  # the author speaks
        ({"chain": None}, {"chain"}),
    ],
)
def test_a_figure_is_right_slot_by_slot(changed: Json, wrong: set[str]) -> None:
    found = measured("figures", [ROW], said(**changed))
    slots = ("principal", "number", "comparator", "certainty", "polarity", "source", "unit")
    assert {slot for slot in slots if found[f"{slot} F1"].value == 0} == wrong - {"span", "chain"}
    assert found["span F1, overlap"].value == 1
    assert found["span F1, exact"].value == ("span" not in wrong)
    assert found["full chain accuracy"].value == ("chain" not in wrong)
    assert found["tuple F1, strict"].value == (not wrong - {"span", "chain", "source", "unit"})


def test_the_author_is_no_name_and_a_range_is_both_its_ends() -> None:
    own = figure_row("s-a", 1, 14, 25, chain=[], source_names=[], principals=["Harbour Ledger"])
    without_name = [{"article_id": "s-a", "doc_start": 100, "figures": [predicted_figure(own) | {"principals": None}]}]
    assert measured("figures", [own], without_name)["principal F1"].value == 1
    wide = figure_row("s-a", 1, 14, 25, comparator="RANGE", value=None, low=20.0, high=25.0)
    narrow = [{"article_id": "s-a", "doc_start": 100, "figures": [predicted_figure(wide) | {"high": 24}]}]
    assert measured("figures", [wide], perfect("figures", [wide]))["number F1"].value == 1
    assert measured("figures", [wide], narrow)["number F1"].value == 0


def test_each_figure_is_matched_once_by_its_span_then_by_its_slots() -> None:
    right = predicted_figure(ROW)
    twice = of_figures(right, right)
    assert (twice["span F1, exact"].precision, twice["span F1, exact"].recall) == (0.5, 1.0)
    better = of_figures(right | {"polarity": "NEG"}, right)  # on the same words: the one that says the right thing
    assert (better["tuple F1, strict"].precision, better["polarity F1"].precision) == (0.5, 0.5)
    elsewhere = of_figures(right | span(30, 39))
    assert {value.value for value in elsewhere.values()} == {0.0}


def test_a_figure_predicted_in_two_passages_that_overlap_counts_once() -> None:
    later = figure_row("s-a", 2, 11, 16, doc_start=119)  # the same article, from 19 characters further on
    both = [ROW, later]
    again = {"start": 11, "end": 20, "value": 7}
    first, second = perfect("figures", both)
    assert measured("figures", both, [first, second])["span F1, exact"].value == 1
    first["figures"].append({**again, "start": 30, "end": 39})
    once = measured("figures", both, [first, second])["span F1, exact"]
    second["figures"].append(again)
    assert measured("figures", both, [first, second])["span F1, exact"] == once
    assert once.precision == pytest.approx(2 / 3)


def test_linking_holds_within_a_story_and_the_names_of_estimands_are_the_systems_own() -> None:
    rows = [
        figure_row("s-a", 1, 14, 25, estimand_id="s/left"), figure_row("s-b", 1, 14, 25, estimand_id="s/left"),
        figure_row("s-b", 2, 30, 39, estimand_id="s/aboard"), figure_row("t-a", 1, 14, 25, estimand_id="t/left"),
    ]  # fmt: skip

    def linked(*labels: Any) -> list[float | None]:
        renamed = [row | {"estimand_id": label} for row, label in zip(rows, labels, strict=True)]
        found = measured("figures", rows, perfect("figures", renamed))
        return [found[f"estimand linking, {name} F1"].value for name in ("B-cubed", "LEA")]

    assert linked("1", "1", "2", "1") == [1, 1]  # the other story's 1 is another 1
    assert linked("1", "2", "3", "1") == pytest.approx([2 * 0.75 / 1.75, 0.5])
    assert linked(None, None, None, None) == [0, 0]


# ---- conflicts -----------------------------------------------------------------------------------------------


def test_a_pair_of_which_a_figure_was_not_found_is_unanswered() -> None:
    figures = [figure_row("s-a", 1, 14, 25), figure_row("s-b", 1, 14, 25), figure_row("s-b", 2, 30, 39)]
    one, two, three = (row["id"] for row in figures)
    pairs = [pair_row(one, two, "CONFLICT"), pair_row(one, three, "AGREE")]
    upstream = Figures(gold("figures", figures))
    predicted = perfect("figures", [figures[0], figures[1] | {"quantity_spans": [span(20, 27)], "value": 3.0}])
    found = upstream.found(read(upstream, predicted))
    assert found == {one, two}
    task = Conflicts(gold("conflicts", pairs), found)
    result = task.score(read(task, perfect("conflicts", pairs)))
    values = {measure.name: measure.whole().value for measure in result.measures}
    assert values["gold figures: macro-F1"] == 1
    assert values["predicted figures: macro-F1"] == 0.5
    assert values["predicted figures: F1 of AGREE"] == 0
    assert [(table.name, table.table) for table in result.confusions] == [
        ("gold figures", ((1, 0, 0), (0, 1, 0))), ("predicted figures", ((0, 0, 1), (0, 1, 0))),
    ]  # fmt: skip


# ---- event factuality ----------------------------------------------------------------------------------------


def test_the_author_and_others_are_measured_apart() -> None:
    rows = [event_row("s-a", n, label, author) for n, (label, author) in enumerate([("CT+", True), ("CT+", False), ("Uu", True)])]
    answers = [{"id": rows[0]["id"], "label": "CT+"}, {"id": rows[1]["id"], "label": "PR+"}, {"id": rows[2]["id"], "label": "Uu"}]
    found = measured("event_factuality", rows, answers)
    assert found["author: macro-F1"].value == 1
    assert found["others: macro-F1"].value == 0
    assert found["all: macro-F1"].value == pytest.approx((2 / 3 + 0 + 1) / 3)
    tables = {table.name: (table.labels, table.table) for table in scored("event_factuality", rows, answers).confusions}
    assert tables["others"] == (("CT+", "PR+"), ((0, 1, 0), (0, 0, 0)))


# ---- quotation attribution -----------------------------------------------------------------------------------


def test_roles_are_measured_by_equal_spans_and_by_the_share_that_overlaps() -> None:
    row = attribution_row("s-a", 1, [(0, 8)], [(9, 13)], [(14, 34)], "INDIRECT")
    near = row | {"source_spans": [span(0, 3)], "cue_spans": [], "content_spans": [span(14, 24), span(30, 40)]}
    found = measured("quote_attribution", [row], perfect("quote_attribution", [near]))
    source, content = found["source F1, overlap"], found["content F1, overlap"]
    assert (source.precision, source.recall) == (1, 3 / 8)
    assert (content.precision, content.recall) == (14 / 20, 14 / 20)  # a discontinuous span is one span
    assert (found["cue F1, overlap"].precision, found["cue F1, overlap"].recall) == (0, 0)
    assert found["content F1, exact"].value == 0
    assert found["quote_type accuracy, content found"].value == 1


def test_which_attribution_of_an_article_is_meant_is_told_by_its_words() -> None:
    rows = [
        attribution_row("s-a", 1, [(0, 8)], [(9, 13)], [(14, 60)], "INDIRECT"),
        attribution_row("s-a", 2, [(69, 75)], [(76, 81)], [(82, 88)], "DIRECT"),
    ]
    swapped = [one | {"id": other["id"]} for one, other in zip(rows, reversed(rows), strict=True)]
    found = scored("quote_attribution", rows, perfect("quote_attribution", swapped))
    assert {measure.whole().value for measure in found.measures} == {1.0}
    assert set(found.right.values()) == {True}
    wrong_type = [rows[0] | {"quote_type": "MIXED"}, rows[1]]
    values = measured("quote_attribution", rows, perfect("quote_attribution", wrong_type))
    assert values["quote_type accuracy, content found"].value == 0.5


def test_an_attribution_without_spans_is_none_and_an_implicit_source_is_no_span() -> None:
    row = attribution_row("s-a", 1, [], [(9, 13)], [(14, 60)], "INDIRECT")
    empty = {"id": row["id"], "source_spans": [], "cue_spans": [], "content_spans": [], "quote_type": None}
    found = measured("quote_attribution", [row], [empty])
    assert found["source F1, exact"].value is None
    assert found["content F1, exact"].value == 0
    assert found["quote_type accuracy, content found"].value is None
    invented = measured("quote_attribution", [row], perfect("quote_attribution", [row | {"source_spans": [span(0, 8)]}]))
    assert (invented["source F1, exact"].precision, invented["content F1, exact"].value) == (0, 1)


# ---- the page ------------------------------------------------------------------------------------------------


def test_every_prediction_on_the_page_can_be_read() -> None:
    page = (REPOSITORY / "docs" / "scoring.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\*\*(\w+)\*\*:.*?^```json\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert [config for config, _ in lines] == list(TASKS)
    for config, line in lines:
        fields = Fields(json.loads(line), Place("scoring.md", 1))
        task = TASKS[config](gold(config, []))
        task.read(fields, 200 if config == "figures" else {"id": "a-1#a1", "passage": "x" * 200, "doc_start": 0})
        assert task.key(fields) is not None and fields.faults == []
