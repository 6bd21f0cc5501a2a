"""Which numbers quantities admit and how they relate: worked examples of every pair of comparators, an oracle that counts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateline.derive.intervals import COMPARATORS, Amount, interval_of, interval_relation, point_relation

TOLERANCE = Decimal("0.05")


def amount(said: str) -> Amount:
    """An amount of whole things, as a wire would write it: "about 10000", "60 to 80", "many"."""
    words = said.split()
    if said == "many":
        return Amount("VAGUE", whole=True)
    if len(words) == 3 and words[0].isdigit():
        return Amount("RANGE", None, Decimal(words[0]), Decimal(words[2]), True, True, whole=True)
    value = Decimal(words[-1])
    comparator, hedge = {
        "exactly": ("EXACT", None), "about": ("APPROX", "AROUND"), "nearly": ("APPROX", "BELOW"),
        "just over": ("APPROX", "ABOVE"), "fewer than": ("LT", None), "up to": ("LE", None), "more than": ("GT", None),
        "at least": ("GE", None), "": ("BARE", None),
    }[" ".join(words[:-1])]  # fmt: skip
    low = value if comparator in ("EXACT", "GT", "GE") else None
    high = value if comparator in ("EXACT", "LT", "LE") else None
    return Amount(comparator, value, low, high, (low is not None and comparator != "GT") or None,
                  (high is not None and comparator != "LT") or None, hedge, whole=True)  # fmt: skip


WORKED = [
    # first, second, point relation of the first to the second, interval relation
    ("exactly 22", "exactly 22", "EQUAL", "EQUAL"),
    ("exactly 22", "exactly 23", "LOWER", "DISJOINT"),
    ("exactly 22", "22", "EQUAL", "EQUAL"),
    ("exactly 22", "19", "HIGHER", "DISJOINT"),
    ("exactly 1000", "about 1040", "LOWER", "COMPATIBLE"),
    ("exactly 1000", "about 1060", "LOWER", "DISJOINT"),
    ("exactly 1500", "nearly 1500", "EQUAL", "DISJOINT"),
    ("exactly 22", "fewer than 22", "EQUAL", "DISJOINT"),
    ("exactly 22", "up to 22", "EQUAL", "COMPATIBLE"),
    ("exactly 4000", "more than 4000", "EQUAL", "DISJOINT"),
    ("exactly 22", "at least 19", "HIGHER", "COMPATIBLE"),
    ("exactly 59", "60 to 80", "LOWER", "DISJOINT"),
    ("exactly 60", "60 to 80", None, "COMPATIBLE"),
    ("exactly 22", "many", None, None),
    ("34", "34", "EQUAL", "EQUAL"),
    ("34", "41", "LOWER", "DISJOINT"),
    ("11000", "about 10000", "HIGHER", "DISJOINT"),
    ("10500", "about 10000", "HIGHER", "COMPATIBLE"),
    ("1500", "nearly 1500", "EQUAL", "DISJOINT"),
    ("56", "just over 55", "HIGHER", "COMPATIBLE"),
    ("50", "fewer than 50", "EQUAL", "DISJOINT"),
    ("11000", "up to 12000", "LOWER", "COMPATIBLE"),
    ("4000", "more than 4000", "EQUAL", "DISJOINT"),
    ("10000", "at least 10000", "EQUAL", "COMPATIBLE"),
    ("90", "60 to 80", "HIGHER", "DISJOINT"),
    ("34", "many", None, None),
    ("about 10000", "about 10000", "EQUAL", "EQUAL"),
    ("about 10000", "about 10900", "LOWER", "COMPATIBLE"),
    ("about 10000", "about 12000", "LOWER", "DISJOINT"),
    ("about 1500", "nearly 1500", "EQUAL", "COMPATIBLE"),
    ("nearly 1500", "just over 1500", "EQUAL", "DISJOINT"),
    ("about 45", "fewer than 45", "EQUAL", "COMPATIBLE"),
    ("about 90", "fewer than 50", "HIGHER", "DISJOINT"),
    ("about 10000", "up to 12000", "LOWER", "COMPATIBLE"),
    ("about 10000", "more than 10000", "EQUAL", "COMPATIBLE"),
    ("nearly 12000", "more than 12000", "EQUAL", "DISJOINT"),
    ("about 9000", "more than 12000", "LOWER", "DISJOINT"),
    ("about 10000", "at least 10000", "EQUAL", "COMPATIBLE"),
    ("about 82", "60 to 80", "HIGHER", "COMPATIBLE"),
    ("about 90", "60 to 80", "HIGHER", "DISJOINT"),
    ("about 10000", "many", None, None),
    ("fewer than 50", "fewer than 50", "EQUAL", "EQUAL"),
    ("fewer than 50", "fewer than 60", "LOWER", "COMPATIBLE"),
    ("fewer than 50", "up to 49", "HIGHER", "EQUAL"),
    ("fewer than 50", "more than 49", "HIGHER", "DISJOINT"),
    ("fewer than 50", "more than 48", "HIGHER", "COMPATIBLE"),
    ("fewer than 50", "at least 50", "EQUAL", "DISJOINT"),
    ("fewer than 50", "60 to 80", "LOWER", "DISJOINT"),
    ("fewer than 50", "many", None, None),
    ("up to 12000", "up to 2000", "HIGHER", "COMPATIBLE"),
    ("up to 2000", "more than 4000", "LOWER", "DISJOINT"),
    ("up to 2000", "at least 2000", "EQUAL", "COMPATIBLE"),
    ("up to 60", "60 to 80", None, "COMPATIBLE"),
    ("up to 12000", "many", None, None),
    ("more than 3200", "more than 4000", "LOWER", "COMPATIBLE"),
    ("more than 21", "at least 22", "LOWER", "EQUAL"),
    ("more than 80", "60 to 80", None, "DISJOINT"),
    ("more than 4000", "many", None, None),
    ("at least 34", "at least 41", "LOWER", "COMPATIBLE"),
    ("at least 80", "60 to 80", None, "COMPATIBLE"),
    ("at least 34", "many", None, None),
    ("60 to 80", "60 to 80", "EQUAL", "EQUAL"),
    ("60 to 80", "70 to 90", None, "COMPATIBLE"),
    ("60 to 80", "81 to 90", "LOWER", "DISJOINT"),
    ("60 to 80", "many", None, None),
    ("many", "many", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "points", "intervals"), WORKED)
def test_worked_example(first: str, second: str, points: str | None, intervals: str | None) -> None:
    a, b = amount(first), amount(second)
    assert (point_relation(a, b), interval_relation(a, b, TOLERANCE)) == (points, intervals)


def test_every_pair_of_comparators_has_a_worked_example() -> None:
    shown = {frozenset((amount(a).comparator, amount(b).comparator)) for a, b, *_ in WORKED}
    assert shown == {frozenset(pair) for pair in combinations_with_replacement(COMPARATORS, 2)}


def test_the_tolerance_decides_whether_about_10000_and_11000_can_both_be_true() -> None:
    """The example of the record's description: US about 10,000 against Seoul's 11,000."""
    a, b = amount("about 10000"), amount("11000")
    assert interval_relation(a, b, Decimal("0.05")) == "DISJOINT"
    assert interval_relation(a, b, Decimal("0.10")) == "COMPATIBLE"


def test_a_stated_rounding_gives_a_bare_number_half_a_step_to_either_side() -> None:
    rounded = Amount("BARE", Decimal(1200), rounding_unit=Decimal(100))
    assert interval_relation(rounded, Amount("BARE", Decimal(1250)), TOLERANCE) == "COMPATIBLE"
    assert interval_relation(rounded, Amount("BARE", Decimal(1251)), TOLERANCE) == "DISJOINT"


def test_what_is_not_counted_in_whole_things_has_numbers_between() -> None:
    below, above = Amount("LT", Decimal(50)), Amount("GT", Decimal(49))
    assert interval_relation(below, above, TOLERANCE) == "COMPATIBLE"
    assert interval_relation(replace(below, whole=True), replace(above, whole=True), TOLERANCE) == "DISJOINT"


# ---- laws, against an oracle that counts numbers ----------------------------------------------------------------

STEP = Decimal("0.25")
GRID = [STEP * n for n in range(-4 * 40, 4 * 40 + 1)]
QUARTER = Decimal("0.25")
"""The tolerance of the laws: of a multiple of 8 it is a multiple of 2, so that all ends lie on the grid."""


def admits(number: Decimal, a: Amount) -> bool:
    """Whether an amount admits a number, written from the table of dateline.derive.intervals and nothing else."""
    if a.whole and number != int(number) and a.comparator in ("LT", "LE", "GT", "GE", "EXACT", "BARE"):
        return False
    if a.comparator == "RANGE":
        assert a.low is not None and a.high is not None
        above = number >= a.low if a.low_closed else number > a.low
        return above and (number <= a.high if a.high_closed else number < a.high)
    assert a.value is not None
    off = abs(a.value) * QUARTER
    return {
        "EXACT": number == a.value,
        "BARE": number == a.value,
        "LT": number < a.value,
        "LE": number <= a.value,
        "GT": number > a.value,
        "GE": number >= a.value,
        "APPROX": {
            "AROUND": a.value - off <= number <= a.value + off,
            "BELOW": a.value - off <= number < a.value,
            "ABOVE": a.value < number <= a.value + off,
        }[a.hedge_type or "AROUND"],
    }[a.comparator]


@st.composite
def amounts(draw: st.DrawFn) -> Amount:
    comparator = draw(st.sampled_from([c for c in COMPARATORS if c != "VAGUE"]))
    value = Decimal(8 * draw(st.integers(-3, 3)))
    if comparator == "RANGE":
        low, high = sorted((Decimal(draw(st.integers(-20, 20))), Decimal(draw(st.integers(-20, 20)))))
        return Amount("RANGE", None, low, high, draw(st.booleans()), draw(st.booleans()))
    hedge = draw(st.sampled_from(["AROUND", "BELOW", "ABOVE"])) if comparator == "APPROX" else None
    return Amount(comparator, value, hedge_type=hedge)


def numbers(a: Amount) -> set[Decimal]:
    return {n for n in GRID if admits(n, a)}


@given(amounts(), amounts())
def test_relations_of_intervals_are_those_of_the_numbers_that_both_admit(a: Amount, b: Amount) -> None:
    first, second = numbers(a), numbers(b)
    expected = "EQUAL" if first == second and first else "COMPATIBLE" if first & second else "DISJOINT"
    found = interval_relation(a, b, QUARTER)
    assert found == expected or (not first and not second and found == "EQUAL")


@given(amounts(), amounts())
def test_whole_things_are_compared_by_the_whole_numbers_that_both_admit(a: Amount, b: Amount) -> None:
    whole = {n for n in GRID if n == int(n)}
    first, second = numbers(a) & whole, numbers(b) & whole
    found = interval_relation(replace(a, whole=True), replace(b, whole=True), QUARTER)
    assert (found == "DISJOINT") == (not first & second) or not (first or second)
    if found == "EQUAL":
        assert first == second


@given(amounts(), amounts())
def test_relations_do_not_depend_on_which_comes_first(a: Amount, b: Amount) -> None:
    swapped = {"LOWER": "HIGHER", "HIGHER": "LOWER", "EQUAL": "EQUAL", None: None}
    assert interval_relation(a, b, QUARTER) == interval_relation(b, a, QUARTER)
    assert point_relation(a, b) == swapped[point_relation(b, a)]


@given(amounts(), amounts(), st.decimals("0.001", "1000", places=3))
def test_relations_do_not_depend_on_the_unit(a: Amount, b: Amount, factor: Decimal) -> None:
    assert interval_relation(a, b, QUARTER) == interval_relation(a.times(factor), b.times(factor), QUARTER)
    assert point_relation(a, b) == point_relation(a.times(factor), b.times(factor))


@given(amounts())
def test_the_named_number_is_admitted_unless_it_is_excluded(a: Amount) -> None:
    found = interval_of(a, QUARTER)
    assert found is not None
    if a.value is None:
        return
    if a.comparator in ("EXACT", "BARE", "LE", "GE"):
        assert a.value in found
    if a.comparator in ("LT", "GT") or a.hedge_type in ("BELOW", "ABOVE"):
        assert a.value not in found
