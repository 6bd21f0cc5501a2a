"""Two passes over the contrast sets of test: each difference is decided, and the templates say what was decided."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from building import REPOSITORY, THOROUGH
from contrast_passes import ANNOTATORS, Doubled, answers_of, decisions, different, doubled, faults, unfilled


def _tiers() -> Iterator[tuple[str, str]]:
    """The articles of contrast sets, each with the split that its group stands in."""
    for path in (REPOSITORY / "seeds" / "contrasts").glob("*.jsonl"):
        for line in path.read_bytes().splitlines():
            made = json.loads(line)
            yield made["article_id"], made["group"].split("-")[1]


@pytest.fixture(scope="module")
def articles() -> list[Doubled]:
    """Of each template as many lexicalisations as it has nouns, at most four; the others differ in names and numbers alone."""
    return list(doubled(most=None if THOROUGH else 4))


def test_every_difference_is_decided_and_the_templates_say_what_was_decided(articles: list[Doubled]) -> None:
    assert list(faults(iter(articles), decisions())) == []


def test_all_of_test_is_doubled_by_another_annotator_and_marked(articles: list[Doubled]) -> None:
    assert len(articles) >= 8 * 30
    in_test = {article for article, tier in _tiers() if tier == "test"}
    assert answers_of().keys() == in_test and {a.final.record["article_id"] for a in articles} <= in_test
    for article in articles:
        for name, member in (("first", article.first), ("second", article.second)):
            assert {s["annotator_id"] for s in member.record["annotation_sets"]} == {ANNOTATORS[name]}


def test_neither_pass_was_taken_for_granted(articles: list[Doubled]) -> None:
    taken: Counter[str] = Counter()
    for article in articles:
        for _, _, said, says, final in different(article):
            taken["first" if final == said else "second" if final == says else "neither"] += 1
    assert min(taken["first"], taken["second"]) > 150


def test_a_lacking_a_wrong_and_an_idle_decision_are_told(articles: list[Doubled]) -> None:
    some = [a for a in articles if a.final.template.name == "killed-or-and"]
    said = dict(decisions()["killed-or-and"])
    without = {k: v for k, v in said.items() if k != "event killed"}
    (fault,) = set(faults(iter(some[:1]), {"killed-or-and": without}))
    assert "event killed (event [" in fault and "not decided" in fault
    wrong = faults(iter(some[:1]), {"killed-or-and": {**said, "event killed": ("B", "for a test")}})
    assert [f.partition(": ")[2] for f in wrong] == [
        "event killed: decided B; the seeds say CASUALTY | author U UNK source CT POS"
    ]
    idle = faults(iter(some), {"killed-or-and": {**said, "event found": ("A", "nowhere")}})
    assert list(idle) == ["killed-or-and: event found: decided, but the passes are alike there"]
    (fault,) = set(faults(iter(some[:1]), {"killed-or-and": {**said, "event killed": ("A", " ")}}))
    assert "is no decision with a reason" in fault


def test_items_are_named_with_slots_where_lexicalisations_differ() -> None:
    slots = {"town1": "Mzensk Hollow", "n": 2300, "held_out": True, "edit": "about", "woman1": "Ann Lee", "woman1_last": "Lee"}
    assert unfilled("about 2,300 people in Mzensk Hollow, Ann Lee and Lee", slots) == (
        "about <n> people in <town1>, <woman1> and <woman1_last>"
    )
