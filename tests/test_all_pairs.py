"""The benchmark of near-duplicates against exact Jaccard: what it counts is what looking at each pair gives."""

from __future__ import annotations

from itertools import combinations

import pytest

from all_pairs import THRESHOLDS, compare, exact, found, table
from building import REPOSITORY
from dateline.compile.signature import shingles, signing_of
from dateline.project import Splits
from signature_cost import again, grouping, signing
from wire_copies import copies, open_articles

TEXTS = dict(list(open_articles(REPOSITORY / "seeds")[0].items())[:4])
SAMPLE = [*TEXTS.values(), *(copy.text for copy in copies(TEXTS, draws=1))]


def test_exact_pairs_are_those_that_comparing_each_with_each_gives() -> None:
    cut = [shingles(text, signing_of(Splits())) for text in SAMPLE]
    likeness = {
        one * len(cut) + other: len(cut[one] & cut[other]) / len(cut[one] | cut[other])
        for one, other in combinations(range(len(cut)), 2)
    }
    pairs = exact(SAMPLE, 0.3)
    expected = {key: value for key, value in likeness.items() if value >= 0.3}
    assert dict(zip(pairs.key.tolist(), pairs.likeness.tolist(), strict=True)) == pytest.approx(expected)
    assert len(expected) > 100


def test_recall_and_precision_are_shares_of_the_pairs_of_both() -> None:
    for met in compare(SAMPLE):
        true, signed = set(exact(SAMPLE, 0.01).at_least(met.threshold).tolist()), set(found(SAMPLE, met.threshold).tolist())
        assert (met.true, met.found, met.both) == (len(true), len(signed), len(true & signed))
        assert met.recall == len(true & signed) / len(true) and met.precision == len(true & signed) / len(signed)
    assert min(min(met.recall, met.precision) for met in compare(SAMPLE, [0.7, 0.8])) > 0.8
    assert len(table(compare(SAMPLE))) == 2 + len(THRESHOLDS)


def test_texts_without_a_near_one_have_neither_true_nor_found_pairs() -> None:
    (met,) = compare(["one two three four", "five six seven eight", "..."], [0.8])
    assert (met.true, met.found, met.recall, met.precision, met.least_found, met.most_missed) == (0, 0, 1, 1, 1, 0)


def test_costs_are_of_what_is_signed_grouped_and_kept() -> None:
    made, drawn, kept = signing(120, 1), grouping(2_000, 1), again(20, 1)
    assert made["signatures"] == 120 * 512 and 100 < made["groups"] < 120
    assert 0.95 < drawn["groups"] / 2_000 < 0.99  # three in a hundred are copies
    assert kept["kept"] > 20 * 512 and min(kept["signed"], kept["unsigned"], kept["cached"]) > 0
