"""A rebuild from what the last one was made from is told without being made, and from nothing else."""

from __future__ import annotations

import datetime
import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from building import Json, ProjectFolder, mention, record
from conftest import Run
from dateline import receipt
from dateline.pipeline import Rebuilt, rebuild

DAY = datetime.date(2026, 5, 4)
SUITE = {
    "name": "mentions",
    "expectations": [
        {
            "type": "expect_column_values_to_not_be_null",
            "kwargs": {"column": "label"},
            "id": "6f1f9b9c-5a53-4a7b-9c2b-0d4f2ad3c001",
            "meta": {"rule": "labelled", "level": "error", "reason": "It is counted."},
        }
    ],
}  # fmt: skip


class Idle:
    """An engine on which nothing may be made."""

    def map(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
        raise AssertionError(f"{function.__name__} is called")


def again(folder: ProjectFolder, today: datetime.date = DAY) -> Rebuilt | None:
    """What a rebuild says that makes nothing; None if it would have to make something."""
    try:
        return rebuild(folder.project, Idle(), known=True, today=today)
    except AssertionError as fault:
        assert "is called" in str(fault)
        return None


@pytest.fixture
def built(folder: ProjectFolder) -> ProjectFolder:
    folder.seed(record("a1", mentions=[mention("m1", 0, 3)]), record("a2"))
    assert folder.rebuild(today=DAY).changed
    return folder


def test_what_has_not_changed_is_told_and_not_made(built: ProjectFolder) -> None:
    before = built.tree()
    said = again(built)
    assert said is not None and not said.changed and said.problems == []
    made = built.rebuild(today=DAY)
    assert (said.manifest, said.warnings, said.leaks, said.validated) == (
        made.manifest,
        made.warnings,
        made.leaks,
        made.validated,
    )
    assert built.tree() == before


def test_the_command_says_the_same_and_can_be_told_to_make_all_again(dateline: Run, built: ProjectFolder) -> None:
    made = dateline("rebuild", "--again", "--profile", cwd=built.root)
    told = dateline("rebuild", "--profile", cwd=built.root)
    assert made.stdout == told.stdout and "unchanged: 2 articles" in told.stdout
    assert "compile" in made.stderr and "compile" not in told.stderr


def edits(root: Path) -> dict[str, Callable[[], object]]:
    """Each thing that a rebuild reads, changed so that a reader could tell."""
    schema = root / "schemas" / "mentions.schema.json"

    def rewrite(path: Path, old: str, new: str) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def add(path: str, text: str) -> None:
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")

    return {
        "a record": lambda: rewrite(root / "seeds" / "a.jsonl", "Rome", "Oslo"),
        "another file of records": lambda: add("seeds/b.jsonl", json.dumps(record("b1")) + "\n"),
        "a file of records gone": lambda: (root / "seeds" / "a.jsonl").rename(root / "seeds" / "c.jsonl"),
        "a setting": lambda: rewrite(root / "pyproject.toml", 'name = "tiny"', 'name = "tinier"'),
        "a schema": lambda: rewrite(schema, '"title"', ' "title"'),
        "a suite": lambda: add("expectations/mentions.json", json.dumps(SUITE)),
        "the ledger": lambda: add("seeds/ledger.jsonl", ""),
        "a withheld text": lambda: add("withheld/a9.txt", "somebody's"),
        "results of baselines": lambda: add("results.json", "{}"),
    }


@pytest.mark.parametrize("edit", edits(Path()))
def test_a_change_of_anything_that_is_read_is_noticed(folder: ProjectFolder, edit: str) -> None:
    folder.settings('texts = "withheld"', 'baselines = "results.json"')
    (folder.root / "withheld").mkdir()
    folder.seed(record("a1", mentions=[mention("m1", 0, 3)]))
    folder.rebuild(today=DAY)
    assert again(folder) is not None
    edits(folder.root)[edit]()
    assert again(folder) is None


def test_another_engine_and_other_libraries_are_noticed(built: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(receipt, "_ENGINE", built.root / "schemas")
        assert again(built) is None
    with monkeypatch.context() as patch:
        patch.setattr(receipt, "_version", lambda name: "0")
        assert again(built) is None
    assert again(built) is not None


@pytest.mark.parametrize("damage", ["a data file", "a data file gone", "the card", "the manifest"])
def test_a_dataset_that_is_not_whole_is_made_again(built: ProjectFolder, damage: str) -> None:
    good, dataset = built.tree(), built.root / "dataset"
    file = next((dataset / "mentions").iterdir())
    damages: dict[str, Callable[[], object]] = {
        "a data file": lambda: file.write_bytes(file.read_bytes()[:-1] + b"x"),
        "a data file gone": file.unlink,
        "the card": lambda: (dataset / "README.md").write_text("edited"),
        "the manifest": lambda: (dataset / "manifest.json").write_text("{}"),
    }
    damages[damage]()
    assert again(built) is None
    assert built.rebuild(known=True).changed
    assert built.tree() == good


def poisoned(said: Json) -> Iterator[tuple[str, bytes]]:
    whole = json.dumps(said).encode()
    yield "cut short", whole[: len(whole) // 2]
    yield "empty", b""
    yield "a list", b"[]"
    yield "one number more", json.dumps({**said, "leaks": {**said["leaks"], "withheld": 1}}).encode()
    yield "another key", json.dumps({**said, "key": "0" * 64}).encode()
    yield "no digest", json.dumps({k: v for k, v in said.items() if k != "sha256"}).encode()


def test_a_receipt_that_was_damaged_or_edited_counts_for_nothing(built: ProjectFolder) -> None:
    path = built.root / ".dateline" / receipt.NAME
    said = json.loads(path.read_bytes())
    for what, raw in poisoned(said):
        path.write_bytes(raw)
        assert again(built) is None, what
    built.rebuild(today=DAY)
    assert again(built) is not None


def test_a_waiver_ends_what_is_known_on_its_last_day(folder: ProjectFolder) -> None:
    (folder.root / "expectations").mkdir()
    (folder.root / "expectations" / "mentions.json").write_text(json.dumps(SUITE))
    (folder.root / "expectations" / "rules.toml").write_text(
        '[[rules]]\nid = "labelled"\ntable = "mentions"\nsays = "a mention has no label"\nreason = "It is counted."\n'
    )
    (folder.root / "expectations" / "waivers.toml").write_text(
        '[[waivers]]\nrule = "labelled"\nrows = ["a1#m9"]\nowner = "desk"\nreason = "to be mended"\nexpires = 2026-05-04\n'
    )
    folder.seed(record("a1", mentions=[mention("m1", 0, 3)]))
    assert folder.rebuild(today=DAY).changed
    assert again(folder) is not None
    assert again(folder, DAY + datetime.timedelta(days=1)) is None


def test_what_was_refused_leaves_nothing_known(built: ProjectFolder) -> None:
    good = (built.root / "seeds" / "a.jsonl").read_bytes()
    built.seed(record("a1", mentions=[mention("m1", 0, 99)]))
    assert built.rebuild(known=True).manifest is None
    (built.root / "seeds" / "a.jsonl").write_bytes(good)
    assert again(built) is not None  # the dataset is still the one that these seeds gave


def test_any_sequence_of_edits_gives_the_bytes_of_a_clean_build(
    folder: ProjectFolder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chance = random.Random(20261128)
    records = {f"a{n}": record(f"a{n}", mentions=[mention("m1", 0, 3)]) for n in range(6)}
    for step in range(12):
        name = f"a{chance.randrange(9)}"
        if chance.random() < 0.3 and len(records) > 1:
            records.pop(name, None)
        elif chance.random() < 0.8:  # else nothing changes
            records[name] = record(name, mentions=[mention("m1", 0, 3, chance.choice(["PER", "LOC"]))])
        folder.seed(*(records[key] for key in sorted(records)))
        folder.rebuild(known=True, sweep=True)
        clean = tmp_path_factory.mktemp(f"clean-{step}")
        for part in ("seeds", "schemas", "pyproject.toml"):
            source = folder.root / part
            (shutil.copytree if source.is_dir() else shutil.copy)(source, clean / part)
        fresh = object.__new__(ProjectFolder)
        fresh.root = clean
        assert fresh.rebuild().changed
        assert fresh.tree() == folder.tree(), step
