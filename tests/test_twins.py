"""Each rule has a bad and a good twin under tests/seeds/{bad,good}/<rule>/: drop a file in and it is a test.

A twin is a seed file of the flagship's schemas (or an authored .toml). The bad one breaks exactly its rule, and says so in the
words of the golden file beside it (`<file>.txt`; `python tests/test_twins.py` writes those that are missing). A
`settings.toml` in the folder adds to [tool.dateline], a `<layer>.schema.json` is a further layer, a `ledger.jsonl` is the
project's ledger, an `also.txt` names further rules that the bad twins cannot help breaking.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from building import REPOSITORY
from dateline.engines import LocalEngine
from dateline.errors import Problem
from dateline.importing import import_files
from dateline.pipeline import rebuild
from dateline.project import find_project
from dateline.rules import registry
from dateline.schema import load_schemas

SEEDS = Path(__file__).parent / "seeds"
RULES = registry(load_schemas(REPOSITORY / "schemas"))


def twins(kind: str) -> list[Path]:
    files = (p for p in (SEEDS / kind).glob("*/*") if p.suffix != ".txt" and p.name not in {"settings.toml", "ledger.jsonl"})
    return sorted(p for p in files if not p.name.endswith(".schema.json"))


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def problems(path: Path, root: Path) -> list[Problem]:
    """The problems of a project whose only seed file, or imported document, is `path`."""
    shutil.copytree(REPOSITORY / "schemas", root / "schemas")
    for layer in path.parent.glob("*.schema.json"):
        shutil.copy(layer, root / "schemas")
    shutil.copytree(REPOSITORY / "seeds" / "tables", root / "seeds" / "tables")
    settings = path.parent / "settings.toml"
    text = '[tool.dateline]\nname = "twins"\n' + (settings.read_text() if settings.exists() else "")
    (root / "pyproject.toml").write_text(text)
    project = find_project(root)
    if path.suffix == ".toml":
        shutil.copy(path, root / path.name)
        return import_files(project, "authoring", [root / path.name], root / "seeds").problems
    shutil.copy(path, root / "seeds" / path.name)
    if (ledger := path.parent / "ledger.jsonl").exists():
        shutil.copy(ledger, root / "seeds")
    done = rebuild(project, LocalEngine(1))
    return done.problems + done.warnings


def told(found: list[Problem]) -> str:
    """Problems as a user reads them."""
    parts = [part for p in found for part in (str(p), p.snippet, f"    {p.hint}") if part]
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize("path", twins("bad"), ids=name_of)
def test_a_bad_twin_breaks_its_rule_and_only_that_and_says_so(path: Path, tmp_path: Path) -> None:
    found = problems(path, tmp_path)
    also = path.parent / "also.txt"
    expected = {path.parent.name, *(also.read_text().split() if also.exists() else ())}
    assert {p.rule for p in found} == expected, told(found)
    golden = path.with_name(path.name + ".txt")
    assert told(found) == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", twins("good"), ids=name_of)
def test_a_good_twin_has_no_problem(path: Path, tmp_path: Path) -> None:
    found = problems(path, tmp_path)
    assert found == [], told(found)


def test_every_rule_that_decides_a_record_has_both_twins_and_every_twin_a_rule() -> None:
    decided = {rule.id for rule in RULES.values() if rule.stage in {"check", "import"}}
    for kind in ("bad", "good"):
        there = {path.parent.name for path in twins(kind)}
        assert decided - there == set(), f"rules without a {kind} twin"
        assert there - decided == set(), f"{kind} twins without a rule"


if __name__ == "__main__":
    for twin in twins("bad"):
        golden_file = twin.with_name(twin.name + ".txt")
        if not golden_file.exists():
            with tempfile.TemporaryDirectory() as folder:
                golden_file.write_text(told(problems(twin, Path(folder))), encoding="utf-8")
                print(golden_file)
