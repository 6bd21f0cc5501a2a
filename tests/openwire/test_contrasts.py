"""Contrast sets: one group of words differs, the matrix is full, controls stay at chance, held-out parts stand in test alone."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

import pytest

import contrasts
from building import REPOSITORY
from contrasts import CONTROLS, FOLDER, HELD_OUT_CELLS, MOST_ABOVE_CHANCE, Member, control_accuracy, edited, made_from, rejected
from dateline.record_files import encode, on_one_line
from notation import Fault

CELLS = {
    "BOUND", "RANGE", "NESTING", "CHAIN_FACTUALITY", "CERTAINTY_SCOPE", "SUBSET_ANAPHORA", "UPDATE_CONFLICT", "RESTATEMENT_HEDGE",
    "KILLED_WOUNDED", "DATE_ATTACHMENT",
}  # fmt: skip


@pytest.fixture(scope="module")
def made() -> list[Member]:
    return made_from(FOLDER)


def test_the_matrix_is_full(made: list[Member]) -> None:
    assert len({m.template.name for m in made}) >= 40
    assert min(Counter(m.template.name for m in made).values()) >= 2 * 8
    counts = Counter((m.template.phenomenon, m.answer) for m in made if m.template.split == "test")
    assert {cell for cell, _ in counts} == CELLS and all(count >= 30 for count in counts.values())
    assert all(counts[cell, "YES"] == counts[cell, "NO"] for cell in CELLS)


def test_members_differ_in_one_group_of_words_and_have_one_statement_with_two_answers(made: list[Member]) -> None:
    sets: dict[str, list[Member]] = defaultdict(list)
    for member in made:
        sets[member.contrast_set].append(member)
    for one, other in sets.values():
        a, b = (m.record["text"]["content"] for m in (one, other))
        words = edited(a, b)
        assert a != b and max(len(w.split()) for w in words) <= contrasts.LONGEST_EDIT, (a, b)
        (x,), (y,) = one.record["probes"], other.record["probes"]
        assert x["hypothesis"] == y["hypothesis"] and {x["answer"], y["answer"]} == {"YES", "NO"}


def test_no_control_beats_chance(made: list[Member]) -> None:
    assert list(rejected(made)) == []
    for shown in CONTROLS.values():
        assert abs(control_accuracy(made, shown) - 0.5) <= MOST_ABOVE_CHANCE


def test_a_template_that_a_control_solves_is_rejected(made: list[Member]) -> None:
    """Bad twins: the answer stands in the numbers, or in the statement."""
    name = made[0].template.name
    own = [m for m in made if m.template.name == name]

    def spoilt(member: Member, field: str) -> Member:
        record: dict[str, Any] = json.loads(json.dumps(member.record))
        if field == "text":
            record["text"]["content"] += " 7" if member.answer == "YES" else " 123456"
        else:
            record["probes"][0]["hypothesis"] += " Indeed." if member.answer == "YES" else ""
        return replace(member, record=record)

    assert {control for _, control, _ in rejected([spoilt(m, "text") for m in own])} == {"numbers only"}
    assert {control for _, control, _ in rejected([spoilt(m, "statement") for m in own])} == {"hypothesis only"}


def test_what_is_held_out_stands_in_test_alone(made: list[Member]) -> None:
    held = tomllib.loads((FOLDER / "lexicon.toml").read_text(encoding="utf-8"))["held_out"]
    names = re.compile("|".join(re.escape(name) for pool in held.values() for name in pool))
    for member in made:
        marks = member.record["held_out"]
        assert ("CELL" in marks) == (member.template.phenomenon in HELD_OUT_CELLS)
        assert ("LEXICON" in marks) == bool(names.search(member.record["text"]["content"]))
        assert member.template.split == "test" or marks == []
    assert {mark for m in made for mark in m.record["held_out"]} == {"CELL", "LEXICON"}


def test_the_seeds_are_what_the_templates_give(made: list[Member]) -> None:
    lines = {on_one_line(encode(m.record)) for m in made}
    kept = [line for path in sorted(FOLDER.glob("*.jsonl")) for line in path.read_bytes().splitlines(keepends=True)]
    assert len(kept) == len(lines) and set(kept) == lines, "python corpus/contrasts.py --write"
    table = (REPOSITORY / "seeds" / "tables" / "judgements.jsonl").read_text(encoding="utf-8")
    rows = [row for row in map(json.loads, table.splitlines()) if row["basis"] == "CONSTRUCTION"]
    assert {(r["estimate_a"], r["estimate_b"], r["relation"]) for r in rows} == {
        (min(j.one, j.other), max(j.one, j.other), j.relation) for m in made for j in m.judgements
    }


def test_members_that_differ_in_two_places_are_refused() -> None:
    with pytest.raises(Fault, match="one group of at most"):
        contrasts._one_group("a b c d e f g h i j k l", "x b c d e f g h i j k y", "set-1")
