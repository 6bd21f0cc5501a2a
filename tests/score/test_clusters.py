"""B-cubed and LEA against the worked examples of their papers, and the test cases of the reference scorer."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateline.score.clusters import Clusters, b_cubed, clusters, lea
from dateline.score.statistics import f1


def parts(written: str) -> Clusters:
    """Clusters of letters: "abc de f"."""
    return [frozenset(part) for part in written.split()]


BAGGA_BALDWIN = "12345 67 89ABC"


@pytest.mark.parametrize(
    ("key", "response", "recall", "precision"),
    [
        # Bagga and Baldwin 1998: joining the small chain to a large one is the lesser fault
        (BAGGA_BALDWIN, "12345 6789ABC", 1, Fraction(16, 21)),
        (BAGGA_BALDWIN, "1234589ABC 67", 1, Fraction(7, 12)),
        # cases of the reference scorer (Pradhan et al. 2014)
        ("a bc def", "a bc def", 1, 1),
        ("a bc def", "a de", Fraction(7, 18), 1),
        ("a bc def", "a bcx defy z", 1, Fraction(55, 108)),
        ("a bc def", "a bcx dy z", Fraction(5, 9), Fraction(17, 42)),
        ("a bc def", "a bcxB dy z", Fraction(5, 9), Fraction(5, 16)),
        ("a bc def", "a bcx dy Bz", Fraction(5, 9), Fraction(17, 48)),
        ("a bc def", "a b c d e f", Fraction(1, 2), 1),
        ("a bc def", "abcdef", 1, Fraction(7, 18)),
        ("a bc def", "a x y c d e z", Fraction(13, 36), Fraction(4, 7)),
        ("a bc def", "axycdez", Fraction(17, 36), Fraction(6, 49)),
    ],
)
def test_b_cubed_gives_the_published_numbers(key: str, response: str, recall: Fraction, precision: Fraction) -> None:
    found = f1(b_cubed(parts(key), parts(response)))
    assert found.recall == pytest.approx(float(recall))
    assert found.precision == pytest.approx(float(precision))


@pytest.mark.parametrize(
    ("key", "response", "recall", "precision"),
    [
        # Moosavi and Strube 2016, the worked example of the paper: 0.24 and 0.33
        ("abc defg", "ab cd fghi", Fraction(5, 21), Fraction(1, 3)),
        # cases of the reference scorer
        ("a bc def", "a bc def", 1, 1),
        ("a bc def", "a de", Fraction(1, 3), 1),
        ("a bc def", "a bcx defy z", 1, Fraction(4, 9)),
        ("a bc def", "a bcx dy z", Fraction(1, 2), Fraction(2, 7)),
        ("a bc def", "a bcxB dy z", Fraction(1, 2), Fraction(5, 24)),
        ("a bc def", "a bcx dy Bz", Fraction(1, 2), Fraction(1, 4)),
        ("a bc def", "a b c d e f", Fraction(1, 6), Fraction(1, 6)),
        ("a bc def", "abcdef", Fraction(5, 6), Fraction(4, 15)),
        ("a bc def", "a x y c d e z", Fraction(1, 6), Fraction(1, 7)),
        ("a bc def", "axycdez", Fraction(1, 6), Fraction(1, 21)),
        ("ab cde", "bcx de", Fraction(1, 5), Fraction(2, 5)),
        ("ab cde fg", "bcx de fg", Fraction(3, 7), Fraction(4, 7)),
        (BAGGA_BALDWIN, "12345 6789ABC", 1, Fraction(26, 36)),
        (BAGGA_BALDWIN, "1234589ABC 67", 1, Fraction(58, 108)),
        ("ABCD", "AB CD", Fraction(1, 3), 1),
        ("ABC", "AC", Fraction(1, 3), 1),
        ("BCDEGHJ", "ABC DEF GHI", Fraction(1, 7), Fraction(1, 3)),
        ("ABC DEFG", "AB CD FGH", Fraction(5, 21), Fraction(3, 7)),
        ("abcdef", "ab cde f", Fraction(4, 15), Fraction(5, 6)),
        ("abcdef", "abcxyz", Fraction(1, 5), Fraction(1, 5)),
        ("a b c d e f", "ab cde f", Fraction(1, 6), Fraction(1, 6)),
        ("a b c d e f", "a b c x y z", Fraction(1, 2), Fraction(1, 2)),
        ("a b c d e f", "abcdef", 0, 0),
    ],
)
def test_lea_gives_the_published_numbers(key: str, response: str, recall: Fraction, precision: Fraction) -> None:
    found = f1(lea(parts(key), parts(response)))
    assert found.recall == pytest.approx(float(recall))
    assert found.precision == pytest.approx(float(precision))


labelled = st.dictionaries(st.integers(0, 9), st.integers(0, 3), max_size=10)


@given(labelled, labelled)
def test_both_are_what_is_counted_mention_by_mention_and_link_by_link(key: dict[int, int], response: dict[int, int]) -> None:
    ours, theirs = clusters(key.items()), clusters(response.items())

    def share(one: dict[int, int], other: dict[int, int], mention: int) -> float:
        mine = {m for m in one if one[m] == one[mention]}
        return len({m for m in mine if mention in other and other.get(m) == other[mention]}) / len(mine)

    assert b_cubed(ours, theirs) == pytest.approx(
        (sum(share(response, key, m) for m in response), len(response), sum(share(key, response, m) for m in key), len(key))
    )

    def links(one: dict[int, int]) -> set[frozenset[int]]:
        alone = {frozenset([m]) for m in one if list(one.values()).count(one[m]) == 1}
        return alone | {frozenset(pair) for pair in combinations(one, 2) if one[pair[0]] == one[pair[1]]}

    def resolved(one: dict[int, int], other: dict[int, int]) -> float:
        common, total = links(one) & links(other), 0.0
        for label in set(one.values()):
            mine = {m for m in one if one[m] == label}
            own = {link for link in links(one) if link <= mine}
            total += len(mine) * len(own & common) / len(own)
        return total

    assert lea(ours, theirs) == pytest.approx((resolved(response, key), len(response), resolved(key, response), len(key)))
