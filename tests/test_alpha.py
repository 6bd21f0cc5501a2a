"""Krippendorff's alpha against the library `krippendorff`, against his worked examples, and laws."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateline.agreement.alpha import Array, Unitised, alpha, alpha_u, alpha_u_sums

Values = list[tuple[int, int]]


def coincidences(pairs: Values, values: int) -> Array:
    table = np.zeros((values, values))
    for a, b in pairs:
        table[a, b] += 1
        table[b, a] += 1
    return table


def by_library(pairs: Values, values: int, level: str) -> float:
    counts = np.zeros((len(pairs), values))
    for unit, pair in enumerate(pairs):
        for value in pair:
            counts[unit, value] += 1
    found: float = krippendorff.alpha(value_counts=counts, value_domain=range(values), level_of_measurement=level)
    return found


def test_the_examples_of_computing_alpha_reliability() -> None:
    """Krippendorff 2011, sections A and B: binary and nominal data, two observers, no missing data."""
    meg, owen = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert alpha(coincidences(list(zip(meg, owen, strict=True)), 2), ordinal=False) == pytest.approx(0.095, abs=5e-4)
    ben, gerry = "aabbdcccedda", "babbbccceddd"
    pairs = [("abcde".index(a), "abcde".index(b)) for a, b in zip(ben, gerry, strict=True)]
    assert alpha(coincidences(pairs, 5), ordinal=False) == pytest.approx(0.692, abs=5e-4)


answers = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=60)


@pytest.mark.parametrize("ordinal", [False, True])
@given(answers)
def test_alpha_is_that_of_the_library(ordinal: bool, pairs: Values) -> None:
    if len({value for pair in pairs for value in pair}) < 2:
        assert np.isnan(alpha(coincidences(pairs, 4), ordinal=ordinal))
        return
    expected = by_library(pairs, 4, "ordinal" if ordinal else "nominal")
    assert alpha(coincidences(pairs, 4), ordinal=ordinal) == pytest.approx(expected)


@given(answers)
def test_many_tables_at_once_are_the_same_as_each_alone(pairs: Values) -> None:
    tables = np.array([coincidences(pairs[:n], 4) for n in range(2, len(pairs) + 1)])
    for ordinal in (False, True):
        alone = [alpha(table, ordinal=ordinal) for table in tables]
        assert np.allclose(alpha(tables, ordinal=ordinal), alone, equal_nan=True)


def test_labels_drawn_at_random_agree_by_chance_alone() -> None:
    drawn = np.random.default_rng(20261128).integers(0, 4, (20_000, 2))
    for ordinal in (False, True):
        assert abs(alpha(coincidences([(a, b) for a, b in drawn], 4), ordinal=ordinal)) < 0.02


# ---- unitising -----------------------------------------------------------------------------------------------

# Krippendorff 2004, Content Analysis, 2nd edition, p. 254: a continuum from 150 to 450, two observers, categories c and k
C = Unitised.of(300, [(75, 145), (220, 250)], [(70, 150), (205, 225), (250, 270)])
K = Unitised.of(300, [(30, 90), (150, 200)], [(30, 90), (150, 200)])


def sums(*continua: Unitised) -> Array:
    lengths = sorted({size for one in continua for size in one.units})
    return np.array([alpha_u_sums(lengths, one) for one in continua])


def value(*continua: Unitised) -> float:
    return float(alpha_u(sums(*continua).sum(0)))


def test_the_example_of_content_analysis() -> None:
    observed = C.disagreement / 300**2
    assert observed == pytest.approx(0.0144, abs=5e-5)
    assert value(C) == pytest.approx(0.7286, abs=5e-5)
    assert observed / (1 - value(C)) == pytest.approx(0.0532, abs=5e-5)
    assert K.disagreement == 0 and value(K) == 1


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ((225, 295), (220, 300), 50),  # of the example: unit and unit
        ((370, 400), (355, 375), 850),
        ((5, 11), (4, 6), 26),
        ((5, 11), (6, 8), 10),
        ((5, 11), (5, 11), 0),
    ],
)
def test_where_units_meet_both_ends_count_squared(first: tuple[int, int], second: tuple[int, int], distance: int) -> None:
    assert Unitised.of(500, [first], [second]).disagreement == distance


def test_a_unit_in_a_gap_counts_its_length_squared_whichever_annotator_has_it() -> None:
    assert Unitised.of(500, [(400, 420)], []).disagreement == Unitised.of(500, [], [(400, 420)]).disagreement == 400


@st.composite
def units(draw: st.DrawFn) -> list[tuple[int, int]]:
    edges = sorted(draw(st.lists(st.integers(0, 60), unique=True, max_size=12)))
    return list(zip(edges[::2], edges[1::2], strict=False))


@given(units(), units())
def test_alpha_u_is_1_for_equal_units_and_the_same_whoever_comes_first(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    if one:
        assert value(Unitised.of(60, one, one)) == 1
    there, back = Unitised.of(60, one, other), Unitised.of(60, other, one)
    assert value(there) == pytest.approx(value(back), nan_ok=True)
    assert not value(there) > 1


def test_of_several_texts_none_reaches_into_the_next() -> None:
    """Two texts are one continuum with an edge: what lies in the first is compared with nothing of the second."""
    two = value(Unitised.of(100, [(10, 20)], [(10, 20)]), Unitised.of(100, [(50, 60)], []))
    whole = Unitised(200, 100, (10, 10, 10), (10, 80, 10, 80, 50, 40, 100))
    assert two == pytest.approx(value(whole))


def test_units_laid_at_random_agree_by_chance_alone() -> None:
    random = np.random.default_rng(20261128)

    def laid() -> list[tuple[int, int]]:
        starts = np.sort(random.choice(np.arange(0, 20_000, 20), 300, replace=False)) + random.integers(0, 10, 300)
        return [(int(s), int(s) + 8) for s in starts]

    assert abs(value(Unitised.of(20_000, laid(), laid()))) < 0.1
