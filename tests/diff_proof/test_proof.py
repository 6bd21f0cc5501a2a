"""`dateline diff` tells the truth: what edit scripts did, no more and no less; and the bump that an oracle computes.

Here some of each; `python tests/proof_of_diff.py` makes each kind 500 times alone and 500 times among others.
"""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

import pytest

from dateline.diff.changes import KINDS
from diff_proof import bump_oracle
from diff_proof.bump_oracle import bump
from diff_proof.edit_scripts import script
from proof_of_diff import (
    ON_ONE_ROW,
    TOLD_EDITS,
    alone,
    by_folders,
    by_rebuild,
    check_histories,
    check_scripts,
    combined,
    told,
)

SEED = 9_000_000
"""Other scripts than those of the command."""


def test_equal_names_give_equal_scripts() -> None:
    one, other = (script(["relabelled", "ids-shifted", "column-added"], 3) for _ in range(2))
    assert one is not None and other is not None
    assert (one.name, one.told, one.new.records, one.new.tables) == (other.name, other.told, other.new.records, other.new.tables)


def test_each_edit_is_told_as_what_it_is() -> None:
    found = check_scripts([(edit,) for edit in TOLD_EDITS], SEED, folders=0.0)
    assert found.failed == []
    assert found.made.keys() == set(KINDS)
    assert found.made == found.recovered


def test_edits_of_one_row_are_told_as_what_they_are() -> None:
    found = check_scripts(list(itertools.combinations(ON_ONE_ROW, 2)) * 4, SEED, folders=0.0)
    assert found.failed == []
    assert found.one_row > 0


def test_no_bump_is_too_low_or_too_high() -> None:
    found = check_histories(range(14))
    assert found.failed == []
    assert {said.rpartition(" ")[2] for said in found.histories} == {"patch", "minor", "major"}


def test_a_state_differs_in_nothing_from_itself() -> None:
    said = script(["text-longer"], 1)
    assert said is not None
    assert by_folders(said.old, said.old.copy()).changes == []
    assert bump(said.old, said.old.copy(), "strict") == "patch"


def test_what_scripts_do_not_state_is_noticed() -> None:
    """The comparison has teeth: with another edit's statement it fails."""
    said, other = script(["relabelled"], 1), script(["span-moved"], 1)
    assert said is not None and other is not None
    assert told(by_folders(said.old, said.new).changes) != other.told


def test_the_oracle_shares_nothing_with_the_diff() -> None:
    """Neither it nor what it imports of the tests imports anything of the diff."""
    seen: set[str] = set()
    waiting = [Path(bump_oracle.__file__)]
    while waiting:
        path = waiting.pop()
        for name in _imported(path):
            if name not in seen:
                seen.add(name)
                module = path.parents[1] / (name.replace(".", "/") + ".py")
                waiting += [module] if name.startswith("diff_proof.") and module.is_file() else []
    assert "diff_proof.corpora" in seen
    assert [name for name in seen if name.startswith("dateline.diff") or "edit_scripts" in name] == []


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.slow(seconds=40)
@pytest.mark.parametrize("lots", [alone(8), combined(12)], ids=["alone", "combined"])
def test_more_scripts(lots: list[tuple[str, ...]]) -> None:
    assert check_scripts(lots, SEED + 500_000, folders=0.05).failed == []


@pytest.mark.slow(seconds=40)
def test_more_histories() -> None:
    assert check_histories(range(100, 170)).failed == []


@pytest.mark.slow(seconds=2)
@pytest.mark.parametrize("edit", [edit for edit in TOLD_EDITS if edit != "text-superseded-gone"])
def test_what_a_rebuild_makes_is_told_as_well(edit: str) -> None:
    """From records to datasets and their diff; an article whose successor is there may not be gone without a tombstone."""
    said = next(made for seed in itertools.count(SEED) if (made := script([edit], seed)) is not None)
    found = by_rebuild(said)
    assert found is not None
    assert told(found.changes) == said.told
