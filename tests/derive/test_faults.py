"""What is wrong among the articles of a story is told at its line in the seeds, and nothing is built."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from building import REPOSITORY
from dateline.engines import LocalEngine
from dateline.pipeline import rebuild
from dateline.project import find_project

Record = dict[str, Any]
CARROW, LANDBOTE = "carrow-20260311-f9f4dfa7462a", "landbote-20260312-27620ffa0127"


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """The flood in two outlets, with the flagship's schemas and settings and no suites."""
    for name in ("pyproject.toml", "schemas", "seeds/tables/measures.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        source = REPOSITORY / name
        shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path / name)
    settings = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    settings = re.sub(r"^version = .*$", 'version = "0.0.0"', settings, flags=re.MULTILINE)  # there is no ledger here
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    (tmp_path / "seeds" / "articles").mkdir()
    for name in (CARROW, LANDBOTE):
        shutil.copy(REPOSITORY / "seeds" / "articles" / f"{name}.json", tmp_path / "seeds" / "articles")
    return tmp_path


def change(story: Path, article: str, layer: str, key: str, edit: Callable[[Record], None]) -> None:
    path = story / "seeds" / "articles" / f"{article}.json"
    record = json.loads(path.read_bytes())
    edit(next(item for item in record[layer] if next(iter(item.values())) == key))
    path.write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")


def in_money(unit: str) -> Callable[[Record], None]:
    return lambda quantity: quantity.update(unit=unit, unit_system="ISO4217", quantity_kind="MONEY")


def told(story: Path) -> list[str]:
    done = rebuild(find_project(story), LocalEngine(1))
    assert (done.manifest is None) == bool(done.problems) and not (done.problems and (story / "dataset").exists())
    return [str(problem) for problem in done.problems]


def test_the_story_as_it_is_can_be_built(story: Path) -> None:
    assert told(story) == []


def test_money_under_an_estimand_of_persons(story: Path) -> None:
    change(story, LANDBOTE, "quantities", "q7", in_money("EUR"))
    (line,) = told(story)
    assert line.startswith(f"seeds/articles/{LANDBOTE}.json:") and " $.quantities[6]  is in EUR, but other estimates of " in line
    assert line.endswith("'varn-displaced' are in {person}: these cannot be compared  [estimand-kinds]")


def test_two_currencies_without_a_rate_and_with_one(story: Path) -> None:
    for article, key, unit in ((CARROW, "q16", "EUR"), (LANDBOTE, "q14", "USD"), (LANDBOTE, "q15", "USD")):
        change(story, article, "quantities", key, in_money(unit))
    (line,) = told(story)
    assert f"seeds/articles/{CARROW}.json:" in line and "there is no rate between the two  [estimand-rate]" in line
    settings = (story / "pyproject.toml").read_text(encoding="utf-8")
    rate = '[[tool.dateline.estimates.rates]]\nunit = "EUR"\nto = "USD"\nfactor = "1.08"\n\n[tool.dateline.views.figures]'
    (story / "pyproject.toml").write_text(settings.replace("[tool.dateline.views.figures]", rate), encoding="utf-8")
    assert told(story) == []


@pytest.mark.parametrize(("unit", "to", "factor"), [("USD", "EUR", "0.93"), ("EUR", "USD", "1.0812345678")])
def test_a_rate_of_any_number_of_places(story: Path, unit: str, to: str, factor: str) -> None:
    """Its inverse has no end, and the columns have nine places."""
    for article, key, own in ((CARROW, "q16", "EUR"), (LANDBOTE, "q14", "USD"), (LANDBOTE, "q15", "USD")):
        change(story, article, "quantities", key, in_money(own))
    settings = (story / "pyproject.toml").read_text(encoding="utf-8")
    rate = (
        f'[[tool.dateline.estimates.rates]]\nunit = "{unit}"\nto = "{to}"\nfactor = "{factor}"\n\n[tool.dateline.views.figures]'
    )
    (story / "pyproject.toml").write_text(settings.replace("[tool.dateline.views.figures]", rate), encoding="utf-8")
    assert told(story) == []


def test_a_restatement_that_comes_back_to_itself(story: Path) -> None:
    change(story, CARROW, "quantities", "q7", lambda q: q.update(restates_quantity_id="q8", comparator="BARE", hedge_type=None))
    found = told(story)
    assert found and all("restatement-cycle" in line or "[acyclic]" in line for line in found)


def test_judgements_about_what_is_not_there(story: Path) -> None:
    judged = {
        "judgement_id": "j1", "estimate_a": f"{CARROW}#c1:q1", "estimate_b": f"{LANDBOTE}#c99:q1", "relation": "CONFLICT",
        "basis": "TEXT", "annotator_id": "t", "annotator_type": "MODEL", "status": "PRIMARY",
    }  # fmt: skip
    elsewhere = judged | {"judgement_id": "j2", "estimate_a": "another#c1:q1", "estimate_b": "another#c2:q2"}
    path = story / "seeds" / "tables" / "judgements.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (judged, elsewhere)), encoding="utf-8")
    assert told(story) == [
        f"seeds/tables/judgements.jsonl:1  judges {LANDBOTE}#c99:q1, which is no estimate of the story  [judgement-estimate]",
        "seeds/tables/judgements.jsonl:2  judges another#c1:q1, which is no estimate of the story  [judgement-estimate]",
    ]
