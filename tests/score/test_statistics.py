"""Macro-F1, F1 of spans and intervals against scikit-learn, nervaluate and SciPy."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nervaluate import Evaluator
from scipy.stats import bootstrap
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from dateline.score.bootstrap import FEWEST_STORIES, interval
from dateline.score.spans import align, exact_counts
from dateline.score.statistics import accuracy_measure, confusion, f1, label_measures
from score.golds import Json, entities_row, perfect
from score.scored import measured

LABELS = ("CT+", "PR+", "PS+", "Uu", "CT-")
answered = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)


@pytest.mark.filterwarnings("ignore:A single label was found")
@given(answered)
def test_labels_are_measured_as_scikit_learn_does(pairs: list[tuple[str, str]]) -> None:
    gold, predicted = [one for one, _ in pairs], [other for _, other in pairs]
    answers = [(f"story{n % 3}", one, other) for n, (one, other) in enumerate(pairs)]
    found = {measure.name: measure.whole() for measure in label_measures("x", answers, LABELS)}
    assert found["x macro-F1"].value == pytest.approx(f1_score(gold, predicted, average="macro", zero_division=0))
    there = [label for label in LABELS if label in {*gold, *predicted}]
    each = precision_recall_fscore_support(gold, predicted, labels=there, zero_division=0)
    for label, precision, recall, value in zip(there, *each[:3], strict=True):
        one = found[f"x F1 of {label}"]
        assert (one.precision, one.recall, one.value) == pytest.approx((precision, recall, value))
    table = confusion("x", answers, LABELS)
    assert list(table.labels) == there
    assert [list(row[:-1]) for row in table.table] == confusion_matrix(gold, predicted, labels=there).tolist()
    assert {row[-1] for row in table.table} == {0}
    accuracy = accuracy_measure("x", ((story, one == other) for story, one, other in answers)).whole().value
    assert accuracy == pytest.approx(accuracy_score(gold, predicted))


def test_what_was_not_predicted_counts_as_wrong_and_is_no_label_of_its_own() -> None:
    answers = [("s", "CT+", "CT+"), ("s", "CT+", None), ("s", "Uu", "Uu")]
    found = {measure.name: measure.whole() for measure in label_measures("x", answers, LABELS)}
    assert (found["x F1 of CT+"].precision, found["x F1 of CT+"].recall) == (1.0, 0.5)
    assert found["x macro-F1"].value == pytest.approx((2 / 3 + 1) / 2)
    assert confusion("x", answers, LABELS).table == ((1, 0, 1), (0, 1, 0))


# ---- spans ---------------------------------------------------------------------------------------------------


def in_cells(draw: random.Random) -> list[tuple[int, int, str, str]]:
    """Entities of which each lies in a stretch of its own, so that no matching is in doubt."""
    cells = [cell for cell in range(0, 80, 8) if draw.random() < 0.7]
    places = [(cell, sorted(draw.sample(range(9), 2))) for cell in cells]
    return [(cell + a, cell + b, draw.choice(["PER", "ORG", "GPE"]), str(cell)) for cell, (a, b) in places]


def test_entities_are_counted_as_nervaluate_does() -> None:
    draw = random.Random(7)
    gold = [entities_row(f"s{n % 4}-a", n, *in_cells(draw)) for n in range(60)]
    kept = [[e for e in row["entities"] if draw.random() < 0.5] for row in gold]
    guessed = [entities_row("s-a", n, *in_cells(draw))["entities"] for n in range(60)]
    predicted = [
        {**row, "entities": [*ours, *(e for e in more if e["item"] not in {one["item"] for one in ours})]}
        for row, ours, more in zip(gold, kept, guessed, strict=True)
    ]

    def given_to_nervaluate(rows: list[Json]) -> list[list[Json]]:
        return [[{**one, "end": one["end"] - 1} for one in row["entities"]] for row in rows]  # its ends are inclusive

    theirs = Evaluator(
        given_to_nervaluate(gold), given_to_nervaluate(predicted), tags=["PER", "ORG", "GPE"], loader="dict"
    ).evaluate()  # fmt: skip
    found = measured("ner", gold, perfect("ner", predicted))
    for name, one in (
        ("span + type F1, exact", theirs["overall"]["strict"]),
        ("span + type F1, overlap", theirs["overall"]["ent_type"]),
        ("F1 of PER, exact", theirs["entities"]["PER"]["strict"]),
    ):
        assert (found[name].precision, found[name].recall, found[name].value) == pytest.approx(
            (one.precision, one.recall, one.f1)
        )
        assert 0.1 < one.f1 < 0.9


def test_equal_spans_match_once_each_and_overlapping_ones_as_many_as_can() -> None:
    assert list(exact_counts(["a", "a", "b"], ["a", "b", "b", "c"])) == [2, 4, 2, 3]
    gold = [entities_row("s-a", 1, (0, 10, "PER", "m1"), (8, 20, "PER", "m2"))]
    # the first prediction could be either; only with the second one of the gold both are matched
    said = [entities_row("s-a", 1, (4, 12, "PER", "m1"), (0, 5, "PER", "m2"))]
    assert measured("ner", gold, perfect("ner", said))["span + type F1, overlap"].value == 1.0


def test_nested_and_discontinuous_entities_are_entities_of_their_own() -> None:
    port, orrin = (60, 73, "LOC", "m1"), (68, 73, "GPE", "m2")
    gold = [entities_row("s-a", 1, port, orrin, (0, 3, "PER", "m3"), (9, 12, "PER", "m3"))]
    whole = measured("ner", gold, perfect("ner", gold))["span + type F1, exact"]
    outer = measured("ner", gold, perfect("ner", [entities_row("s-a", 1, port)]))["span + type F1, exact"]
    halves = [entities_row("s-a", 1, port, orrin, (0, 3, "PER", "m3"), (9, 12, "PER", "m4"))]
    assert whole.value == 1.0
    assert outer.precision == 1.0
    assert outer.recall == pytest.approx(1 / 3)
    assert measured("ner", gold, perfect("ner", halves))["span + type F1, exact"].precision == 0.5


def test_alignment_is_the_best_one_and_pairs_nothing_without_weight() -> None:
    weights = [[0.9, 0.8], [0.8, 0.0]]
    assert align([0, 1], [0, 1], lambda one, other: weights[one][other]) == [(0, 1), (1, 0)]
    assert align([0], [0, 1], lambda one, other: 0.0) == align([], [1], lambda one, other: 1.0) == []
    assert f1((0, 0, 0, 0)).value is None


# ---- intervals -----------------------------------------------------------------------------------------------


def test_the_interval_is_that_of_a_bootstrap_over_stories() -> None:
    draw = random.Random(3)
    shares = {f"s{n:02}": draw.random() for n in range(30)}
    answers = [(story, draw.random() < share) for story, share in shares.items() for _ in range(10)]
    found = interval(accuracy_measure("x", answers))
    right = np.array([sum(ok for story, ok in answers if story == one) / 10 for one in shares])
    theirs = bootstrap((right,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1))
    assert found == pytest.approx(tuple(theirs.confidence_interval), abs=0.02)
    # drawn item by item, as if items of a story were not alike, it would be too narrow
    flat = np.array([float(ok) for _, ok in answers])
    items = bootstrap((flat,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1))
    assert found is not None and found[1] - found[0] > 1.3 * (items.confidence_interval.high - items.confidence_interval.low)
    assert interval(accuracy_measure("x", reversed(answers))) == found


def test_fewer_than_five_stories_have_no_interval() -> None:
    found = [interval(accuracy_measure("x", [(f"s{n}", n % 2 == 0) for n in range(stories)])) for stories in range(1, 7)]
    assert [one is None for one in found] == [stories < FEWEST_STORIES for stories in range(1, 7)]
