"""Coreference measures against the worked examples of their papers, and laws."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateline.coreference import Clusters, Overlap, b_cubed, ceaf_e, conll_f1, lea, muc

Measure = Callable[[Clusters, Clusters], Overlap]
MEASURES = (muc, b_cubed, ceaf_e, lea)


def sets(*clusters: str) -> list[set[Hashable]]:
    return [set(cluster) for cluster in clusters]


def scores(measure: Measure, key: Clusters, response: Clusters) -> tuple[float, float]:
    found = measure(key, response)
    return found.recall, found.precision


# Pradhan et al. 2014, "Scoring Coreference Partitions of Predicted Mentions", figure 1; Moosavi and Strube 2016 use it, too
KEY, RESPONSE = sets("abc", "defg"), sets("ab", "cd", "fghi")


@pytest.mark.parametrize(
    ("measure", "recall", "precision"),
    [
        (muc, 2 / 5, 2 / 5),
        (b_cubed, (4 / 3 + 1 / 3 + 1 / 4 + 4 / 4) / 7, (4 / 2 + 1 / 2 + 1 / 2 + 4 / 4) / 8),
        (ceaf_e, (4 / 5 + 4 / 8) / 2, (4 / 5 + 4 / 8) / 3),
        (lea, (3 * 1 / 3 + 4 * 1 / 6) / 7, (2 * 1 + 2 * 0 + 4 * 1 / 6) / 8),
    ],
)
def test_the_example_of_the_reference_scorer(measure: Measure, recall: float, precision: float) -> None:
    assert scores(measure, KEY, RESPONSE) == pytest.approx((recall, precision))


def test_the_f1_of_that_example() -> None:
    assert [round(m(KEY, RESPONSE).f1, 2) for m in (muc, b_cubed, ceaf_e, lea)] == [0.40, 0.45, 0.52, 0.28]
    assert conll_f1(m(KEY, RESPONSE) for m in (muc, b_cubed, ceaf_e)) == pytest.approx((0.4 + 5 / 11 + 0.52) / 3)


def test_two_errors_that_only_muc_takes_for_equal() -> None:
    """Bagga and Baldwin 1998: joining two large clusters is worse than joining a large one and a small one."""
    truth = sets("12345", "67", "89ABC")
    for response, precision in ((sets("12345", "6789ABC"), 16 / 21), (sets("1234589ABC", "67"), 7 / 12)):
        assert scores(muc, truth, response) == pytest.approx((1, 9 / 10))
        assert scores(b_cubed, truth, response) == pytest.approx((1, precision))


@pytest.mark.parametrize(
    ("key", "response", "recall", "precision"),
    [
        (sets("ABCD"), sets("AB", "CD"), 2 / 3, 1),
        (sets("AB", "CD"), sets("ABCD"), 1, 2 / 3),
        (sets("ABCD"), sets("ABCD"), 1, 1),
        (sets("ABC"), sets("AC"), 1 / 2, 1),
    ],
)
def test_the_examples_of_the_model_theoretic_scheme(key: Clusters, response: Clusters, recall: float, precision: float) -> None:
    """Vilain et al. 1995, table 1."""
    assert scores(muc, key, response) == pytest.approx((recall, precision))


@pytest.mark.parametrize(
    ("key", "response", "of_b_cubed", "of_lea"),
    [
        ("a bc def", "a de", (7 / 18, 1), (1 / 3, 1)),
        ("a bc def", "a bcx defy z", (1, 55 / 108), (1, 4 / 9)),
        ("a bc def", "a bcx dy z", (5 / 9, 17 / 42), (1 / 2, 2 / 7)),
        ("a bc def", "a bcxB dy z", (5 / 9, 5 / 16), (1 / 2, 5 / 24)),
        ("a bc def", "a bcx dy Bz", (5 / 9, 17 / 48), (1 / 2, 1 / 4)),
        ("a bc def", "a b c d e f", (1 / 2, 1), (1 / 6, 1 / 6)),
        ("a bc def", "abcdef", (1, 7 / 18), (5 / 6, 4 / 15)),
        ("a bc def", "a x y c d e z", (13 / 36, 4 / 7), (1 / 6, 1 / 7)),
        ("a bc def", "axycdez", (17 / 36, 6 / 49), (1 / 6, 1 / 21)),
        ("12345 67 89ABC", "12345 6789ABC", (1, 16 / 21), (1, 26 / 36)),
        ("12345 67 89ABC", "1234589ABC 67", (1, 7 / 12), (1, 58 / 108)),
    ],
)
def test_the_test_cases_of_the_reference_scorer(
    key: str, response: str, of_b_cubed: tuple[float, float], of_lea: tuple[float, float]
) -> None:
    """Cases A-2 to A-13, D-1 and E-1, with what its list of test cases expects of recall and precision."""
    assert scores(b_cubed, sets(*key.split()), sets(*response.split())) == pytest.approx(of_b_cubed)
    assert scores(lea, sets(*key.split()), sets(*response.split())) == pytest.approx(of_lea)


def test_a_lone_mention_counts_for_lea_where_both_leave_it_alone() -> None:
    assert scores(lea, sets("a", "bc"), sets("a", "bc")) == (1, 1)
    assert scores(lea, sets("a", "bc"), sets("ab", "c")) == (0, 0)


@st.composite
def partitions(draw: st.DrawFn) -> list[set[Hashable]]:
    mentions = draw(st.lists(st.integers(0, 12), unique=True, min_size=1))
    made: dict[int, set[Hashable]] = {}
    for mention in mentions:
        made.setdefault(draw(st.integers(0, 4)), set()).add(mention)
    return list(made.values())


@given(partitions())
def test_who_agrees_with_himself_agrees_wholly(clusters: list[set[Hashable]]) -> None:
    for measure in (b_cubed, ceaf_e, lea):
        assert scores(measure, clusters, clusters) == pytest.approx((1, 1))
    if any(len(cluster) > 1 for cluster in clusters):
        assert scores(muc, clusters, clusters) == (1, 1)


@given(partitions(), partitions())
def test_whoever_comes_first_the_f1_is_the_same_and_between_0_and_1(one: list[set[Hashable]], other: list[set[Hashable]]) -> None:
    for measure in MEASURES:
        there, back = measure(one, other), measure(other, one)
        assert (there.recall, there.precision) == pytest.approx((back.precision, back.recall))
        assert there.f1 == pytest.approx(back.f1)
        assert 0 <= there.f1 <= 1 + 1e-9


def test_sums_over_documents_are_added_before_they_are_divided() -> None:
    whole = muc(sets("AB"), sets("AB")) + muc(sets("CDEF"), sets("CD", "EF"))
    assert (whole.recall, whole.precision) == pytest.approx((3 / 4, 1))
