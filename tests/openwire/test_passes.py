"""Two passes over test stories and anchors: each difference is decided, and the seeds say what was decided."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from adjudication import DECISIONS, FOLDER, differences, items_of
from building import REPOSITORY
from dateline.project import find_project
from notation import ADJUDICATOR

Json = dict[str, Any]
SEEDS = {path.stem: path for path in (REPOSITORY / "seeds" / "articles").glob("*.json")}


def kept(name: str) -> dict[str, Json]:
    lines = (FOLDER / name / "records.jsonl").read_text(encoding="utf-8").splitlines()
    return {record["article_id"]: record for record in map(json.loads, lines)}


FIRST, SECOND = kept("first"), kept("second")
DECIDED: list[Json] = [json.loads(line) for line in (FOLDER / "decisions.jsonl").read_text(encoding="utf-8").splitlines()]


def seed(article_id: str) -> Json:
    found: Json = json.loads(SEEDS[article_id].read_bytes())
    return found


def test_all_test_stories_and_anchors_have_two_passes_over_one_text() -> None:
    tests = set(find_project(REPOSITORY).settings.splits.assigned["test"]) | {"orrin-dock-strike"}
    wanted = set()
    for article_id in SEEDS:
        group = seed(article_id)["group"]
        if group in tests or group.startswith("wikinews-"):
            wanted.add(article_id)
    assert set(FIRST) == set(SECOND) == wanted
    for article_id, record in FIRST.items():
        assert record["text"]["sha256"] == SECOND[article_id]["text"]["sha256"] == seed(article_id)["text"]["sha256"]
        (one,), (other,) = ({s["annotator_id"] for s in r["annotation_sets"]} for r in (record, SECOND[article_id]))
        assert one != other


def test_every_difference_is_decided_once_and_the_seeds_say_what_was_decided() -> None:
    decided: dict[str, dict[str, Json]] = {}
    for row in DECIDED:
        assert row["decision"] in DECISIONS and row["why"].strip()
        decided.setdefault(row["article_id"], {})[row["item"]] = row
    for article_id in FIRST:
        rows = decided.get(article_id, {})
        a, b, c = (items_of(record) for record in (FIRST[article_id], SECOND[article_id], seed(article_id)))
        assert {place for place, _, _ in differences(a, b)} == set(rows)
        for place, said, says in differences(a, b):
            chosen = {"A": said, "B": says}.get(rows[place]["decision"], c.get(place))
            assert c.get(place) == chosen, (article_id, place)


def test_not_one_pass_was_taken_for_granted() -> None:
    counts = Counter(row["decision"] for row in DECIDED)
    assert min(counts["A"], counts["B"]) > len(DECIDED) / 5


def test_what_was_decided_is_marked_as_decided_by_a_model_and_nothing_else_is() -> None:
    for article_id in SEEDS:
        for one in seed(article_id)["annotation_sets"]:
            assert (one["status"] == "ADJUDICATED") == (article_id in FIRST)
            assert one.get("adjudicator_id") == (ADJUDICATOR if article_id in FIRST else None)
