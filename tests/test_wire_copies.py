"""Planted wire copies: by kind and strength, at least so many are found, and nothing is found between texts of other stories."""

from __future__ import annotations

import functools
import math

import pytest

import near_duplicates as benchmark
from building import REPOSITORY, shared
from near_duplicates import Seen, by_kind, curve, false_pairs, false_paragraphs, look, recall_table, share
from small_corpus import FIRST
from wire_copies import KINDS, conllu_texts, copies, open_articles

_ALL, STORIES = open_articles(REPOSITORY / "seeds")
TEXTS = {name: _ALL[name] for name in FIRST if name in _ALL}
"""The articles that the stated rates were measured on: of English and German, which have another script to be written in."""

NEAR = {
    ("words edited", 0.01): 0.99, ("words edited", 0.02): 0.95, ("end cut", 0.1): 0.99, ("lead added", 0.05): 0.99,
    ("lead added", 0.1): 0.99, ("lead added", 0.2): 0.7, ("notice added", 20): 0.99, ("paragraphs re-ordered", 0.25): 0.99,
    ("paragraphs re-ordered", 0.5): 0.95, ("paragraphs re-ordered", 1): 0.9, ("edited, cut and led", 1): 0.8,
}  # fmt: skip
"""Recall by signature at the defaults that docs/splits.md states, at least."""
PARAGRAPH = {
    ("end cut", 0.2): 0.95, ("end cut", 0.3): 0.95, ("end cut", 0.5): 0.95, ("lead added", 0.4): 0.99,
    ("words edited", 0.02): 0.8, ("edited, cut and led", 2): 0.75, ("paragraphs re-ordered", 1): 0.99,
}  # fmt: skip
"""The same by shared paragraphs."""
MISSED = {("end cut", 0.3): 0.1, ("end cut", 0.5): 0.0, ("words edited", 0.1): 0.05, ("words edited", 0.2): 0.0,
          ("lead added", 0.4): 0.1, ("names in another script", 1): 0.1}  # fmt: skip
"""Of what signatures find little, at most so much: docs/splits.md says so, too."""


@functools.cache
def seen() -> list[Seen]:
    return look(TEXTS, list(copies(TEXTS, draws=10)))


def assert_recall(found: list[Seen], margin: float = 0.0) -> None:
    cells = by_kind(found)
    for least, what in ((NEAR, lambda s: s.near), (PARAGRAPH, lambda s: s.paragraph)):
        low = {cell: share(cells[cell], what) for cell, floor in least.items() if share(cells[cell], what) < floor - margin}
        assert low == {}
    high = {cell: share(cells[cell], lambda s: s.near) for cell in MISSED}
    assert {cell: rate for cell, rate in high.items() if rate > MISSED[cell] + margin} == {}


def test_copies_of_this_corpus_are_found_at_the_stated_recall() -> None:
    assert len(TEXTS) >= 6 and {copy.copy.kind for copy in seen()} == set(KINDS)
    assert_recall(seen())


@pytest.mark.slow(seconds=6)
def test_copies_of_news_are_found_at_the_stated_recall() -> None:
    texts = conllu_texts(shared() / "corpora" / "gum-news")
    if not texts:
        pytest.skip("the news of GUM is not at hand")
    found = look(texts, list(copies(texts, draws=3)))
    assert_recall(found, margin=0.05)
    assert false_pairs(texts, [one.copy for one in found])[0] == false_paragraphs(texts)[0] == 0


def test_nothing_is_found_between_stories() -> None:
    found, pairs = false_pairs(TEXTS, [one.copy for one in seen()], STORIES)
    assert found == 0 and pairs > 200_000
    assert false_paragraphs(TEXTS, STORIES)[0] == 0


def test_false_pairs_are_seen_where_there_are_some() -> None:
    twice = {"a": TEXTS[min(TEXTS)], "b": TEXTS[min(TEXTS)], "c": TEXTS[max(TEXTS)]}
    assert (false_pairs(twice, []), false_paragraphs(twice)) == ((1, 3), (1, 3))
    assert (false_pairs(twice, [], [{"a", "b"}]), false_paragraphs(twice, [{"a", "b"}])) == ((0, 2), (0, 2))


def test_recall_follows_the_exact_likeness_as_signatures_should() -> None:
    assert benchmark.chance(1) == 1 and benchmark.chance(0.5) < 1e-9 and 0.4 < benchmark.chance(0.8) < 0.6
    for one in seen():
        error = math.sqrt(one.jaccard * (1 - one.jaccard) / 128)
        assert abs(one.similarity - one.jaccard) <= 5 * error + 1e-9, one.copy.kind
    expected = sum(benchmark.chance(one.jaccard) for one in seen())
    assert abs(sum(one.near for one in seen()) - expected) < 0.03 * len(seen())


def test_copies_are_the_same_for_the_same_seed_and_what_their_kind_says() -> None:
    again = list(copies(TEXTS, draws=2))
    assert again == list(copies(TEXTS, draws=2)) != list(copies(TEXTS, draws=2, seed=2))
    for copy in again:
        words, own = copy.text.split(), TEXTS[copy.source].split()
        if copy.kind == "end cut":
            assert words == own[: round(len(own) * (1 - copy.strength))]
        elif copy.kind == "paragraphs re-ordered":
            assert sorted(words) == sorted(own)
        elif copy.kind == "lead added":
            assert words[-len(own) :] == own and len(words) == len(own) + round(len(own) * copy.strength)
        elif copy.kind == "names in another script" and copy.strength == 1:
            assert len(words) == len(own) and any("а" <= letter <= "я" for letter in copy.text)


def test_the_tables_say_what_was_seen() -> None:
    lines = recall_table(seen())
    assert len(lines) == 2 + sum(len(strengths) for _, strengths in KINDS.values())
    assert any(line.startswith(f"| end cut | 50% | {len(TEXTS)} | 0.50 | 0.000 |") for line in lines), lines
    assert sum(int(line.split("|")[2].replace(",", "")) for line in curve(seen())[2:]) == len(seen())
