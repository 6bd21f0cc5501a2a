"""Laws of all measures: all right is 1, nothing 0, order does not matter, gold and predictions can be exchanged, bounds."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateline.score.bootstrap import interval
from dateline.score.statistics import f1
from score.golds import (
    LABELS,
    PASSAGE,
    Json,
    attribution_row,
    entities_row,
    event_row,
    figure_row,
    pair_row,
    perfect,
)  # fmt: skip
from score.scored import measured, scored

ARTICLES = ["sa-1", "sa-2", "sb-1", "sc-1", "sd-1", "se-1"]
Draw = Callable[[random.Random], list[Json]]


def stretch(draw: random.Random) -> tuple[int, int]:
    start = draw.randrange(len(PASSAGE) - 1)
    return start, min(len(PASSAGE), start + draw.randint(1, 25))


def figures(draw: random.Random) -> list[Json]:
    return [
        figure_row(
            article, number, *stretch(draw), low=None, value=draw.choice([19.0, 20.0]),
            comparator=draw.choice(["BARE", "APPROX"]), principals=draw.choice([["Ruiz Line"], ["Police"]]),
            chain=draw.choice([[], [{"sources": ["Ana"], "attitude": None}]]), certainty=draw.choice(["CT", "PR"]),
            polarity=draw.choice(["POS", "NEG"]), estimand_id=draw.choice(["x", "y", "z", None]),
        )
        for article in ARTICLES for number in range(draw.randint(1, 3))
    ]  # fmt: skip


def roles(draw: random.Random, most: int = 2) -> list[tuple[int, int]]:
    return [stretch(draw) for _ in range(draw.randint(0, most))]


def attributions(draw: random.Random) -> list[Json]:
    types = LABELS["quote_attribution"]["quote_type"]
    return [
        attribution_row(article, number, roles(draw), roles(draw), [stretch(draw)], draw.choice(types))
        for article in ARTICLES for number in range(2)
    ]  # fmt: skip


def entity_rows(draw: random.Random) -> list[Json]:
    return [
        entities_row(
            article, 1, *((*stretch(draw), draw.choice(["PER", "ORG"]), draw.choice("abc")) for _ in range(draw.randint(1, 4)))
        )
        for article in ARTICLES
    ]  # fmt: skip


def events(draw: random.Random) -> list[Json]:
    labels = LABELS["event_factuality"]["label"][:4]
    return [event_row(article, n, draw.choice(labels), n % 2 == 0) for article in ARTICLES for n in range(3)]


def pairs(draw: random.Random) -> list[Json]:
    labels = LABELS["conflicts"]["judged_relation"][:3]
    return [pair_row(f"{article}#c1:q1", f"{article}#c2:q{n}", draw.choice(labels)) for article in ARTICLES for n in range(2)]


DRAWN: dict[str, Draw] = {
    "figures": figures, "quote_attribution": attributions, "ner": entity_rows, "event_factuality": events, "conflicts": pairs,
}  # fmt: skip
each_config = pytest.mark.parametrize("config", DRAWN)
seeds = st.integers(0, 2**32)


@each_config
@given(seed=seeds)
def test_all_right_is_1_and_nothing_is_0(config: str, seed: int) -> None:
    rows = DRAWN[config](random.Random(seed))
    right, nothing = scored(config, rows, perfect(config, rows)), scored(config, rows, [])
    assert {m.whole().value for m in right.measures} == {1.0}
    assert {m.whole().value for m in nothing.measures} <= {0.0, None}
    assert {m.name: m.whole().value for m in nothing.measures}[right.measures[0].name] == 0.0
    assert set(right.right.values()) == {True} and set(nothing.right.values()) == {False}
    assert right.right.keys() == nothing.right.keys() == {row["id"] for row in rows}


@each_config
def test_intervals_lie_from_0_to_1_and_do_not_change(config: str) -> None:
    draw = random.Random(5)
    found = scored(config, rows := DRAWN[config](draw), others := perfect(config, DRAWN[config](draw))).measures
    ends = [interval(measure) for measure in found]
    assert all(0 <= low <= high <= 1 for low, high in filter(None, ends))
    assert any(low < high for low, high in filter(None, ends))
    again = scored(config, draw.sample(rows, len(rows)), draw.sample(others, len(others))).measures
    assert [tuple(round(end, 9) for end in interval(measure) or ()) for measure in again] == [
        tuple(round(end, 9) for end in one or ()) for one in ends
    ]


@each_config
@given(seed=seeds)
def test_values_lie_from_0_to_1_and_order_does_not_matter(config: str, seed: int) -> None:
    draw = random.Random(seed)
    rows, others = DRAWN[config](draw), DRAWN[config](draw)
    found = scored(config, rows, perfect(config, others)).measures
    numbers = [n for m in found for v in [m.whole()] for n in (v.value, v.precision, v.recall)]
    assert all(number is None or 0 <= number <= 1 for number in numbers)
    again = perfect(config, draw.sample(others, len(others)))
    assert measured(config, draw.sample(rows, len(rows)), draw.sample(again, len(again))) == {m.name: m.whole() for m in found}


@each_config
@given(seed=seeds)
def test_precision_is_the_recall_of_gold_and_predictions_exchanged(config: str, seed: int) -> None:
    draw = random.Random(seed)
    rows, others = DRAWN[config](draw), DRAWN[config](draw)
    there = {m.name: m for m in scored(config, rows, perfect(config, others)).measures}
    back = {m.name: m for m in scored(config, others, perfect(config, rows)).measures}
    assert there.keys() == back.keys()
    for name, one in there.items():
        if one.statistic is f1:
            value, other = one.whole(), back[name].whole()
            assert (value.precision, value.recall) == pytest.approx((other.recall, other.precision))
            assert value.value == pytest.approx(other.value)


@given(seed=seeds)
def test_what_overlaps_is_never_less_than_what_is_equal(seed: int) -> None:
    draw = random.Random(seed)
    for config in ("figures", "quote_attribution", "ner"):
        found = measured(config, DRAWN[config](draw), perfect(config, DRAWN[config](draw)))
        exact: dict[str, Any] = {name: value for name, value in found.items() if name.replace(", exact", ", overlap") in found}
        for name, value in exact.items():
            assert (value.value or 0) <= (found[name.replace(", exact", ", overlap")].value or 0) + 1e-9
    found = measured("figures", figures(draw), perfect("figures", figures(draw)))
    assert all(found["tuple F1, strict"].value <= found[f"{slot} F1"].value for slot in ("principal", "number", "polarity"))  # type: ignore[operator]
