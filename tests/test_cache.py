"""A rebuild after edits takes what did not change from the build before, and comes to the bytes of a clean one."""

from __future__ import annotations

import copy
import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from building import MENTIONS, Json, ProjectFolder, mention, record
from dateline import parquet, receipt
from dateline.cache import Cache
from dateline.compile import plan, shard
from dateline.engines import LocalEngine
from dateline.pipeline import rebuild
from dateline.project import Project
from dateline.releasing import release
from test_annotation_sets import adjudicated
from two_annotators import annotated

NAMES = ("Ana", "Bo")


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """How many records each rebuild parsed, and how many articles it compiled."""
    seen: list[tuple[int, int]] = []
    keep = Cache.keep

    def noted(self: Cache, ground: str | None = None) -> None:
        seen.append((self.parsed, self.compiled))
        keep(self, ground)

    monkeypatch.setattr(Cache, "keep", noted)
    return seen


@pytest.fixture(params=["one file of one row group", "many shards, batches and row groups"])
def cut(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into how much a corpus of some articles is cut."""
    if request.param.startswith("many"):
        monkeypatch.setattr(shard, "BATCH_RECORDS", 3)
        monkeypatch.setattr(parquet, "ROW_GROUP_JSON", 1500)
        monkeypatch.setattr(plan, "SHARD_BYTES", 6000)


def one(number: int, chance: random.Random) -> Json:
    """An article with some mentions."""
    spans = chance.sample([(0, 3), (8, 10), (14, 18)], chance.randint(0, 3))
    made = [mention(f"m{n}", a, b, chance.choice(("PER", "LOC"))) for n, (a, b) in enumerate(sorted(spans), 1)]
    return record(f"a{number:03}", f"Ana met Bo in Rome. {number}", mentions=made)


def edits(chance: random.Random, there: list[Json]) -> list[Json]:
    """The articles after a few edits: of items, of texts, of rights; articles that come, go and move."""
    made = copy.deepcopy(there)
    for _ in range(chance.choice((0, 1, 1, 2, 5))):
        what = chance.randrange(6)
        at = chance.randrange(len(made))
        if what == 0:
            made.append(one(100 + chance.randrange(900), chance))
        elif what == 1 and len(made) > 5:
            del made[at]
        elif what == 2:
            made[at]["rights"]["text_redistributable"] = not made[at]["rights"]["text_redistributable"]
        elif what == 3:
            made[at] = {**one(0, chance), "article_id": made[at]["article_id"]}
        elif what == 4:
            made[at]["group"] = chance.choice(["g1", "g2", None])
        else:
            for item in made[at].get("mentions", ())[:1]:
                item["label"] = "LOC" if item["label"] == "PER" else "PER"
    known = {a["article_id"]: a for a in made}
    made = list(known.values())
    chance.shuffle(made)
    return made


def clean(folder: ProjectFolder, beside: Path) -> dict[str, str]:
    """The files of a rebuild of the same seeds from nothing."""
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(folder.root, beside, ignore=shutil.ignore_patterns("dataset", ".dateline"))
    other = copy.copy(folder)
    other.root = beside
    assert other.rebuild().problems == []
    return other.tree()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.usefixtures("cut")
def test_any_edits_give_the_bytes_of_a_clean_build(folder: ProjectFolder, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    records = [one(number, chance) for number in range(24)]
    for _ in range(6):
        folder.clear()
        for part in range(2):
            folder.seed(*records[part::2], name=f"part-{part}.jsonl")
        assert folder.rebuild(known=True, sweep=True).problems == []
        assert folder.tree() == clean(folder, tmp_path / "clean")
        records = edits(chance, records)


def test_a_release_is_made_from_nothing_and_what_follows_is_made_of_it(
    folder: ProjectFolder, tmp_path: Path, done: list[tuple[int, int]]
) -> None:
    records = [one(number, random.Random(number)) for number in range(20)]
    folder.seed(*records)
    folder.rebuild(known=True)
    assert release(folder.project, LocalEngine(1)).version == "0.1.0"
    assert folder.rebuild(known=True, sweep=True).changed is False
    folder.seed(one(99, random.Random(99)), name="more.jsonl")
    folder.rebuild(known=True, sweep=True)
    assert done == [(20, 20), (20, 20), (0, 0), (1, 1)]
    assert folder.tree() == clean(folder, tmp_path / "clean")


def test_only_what_changed_is_made_again(folder: ProjectFolder, done: list[tuple[int, int]]) -> None:
    records = [one(number, random.Random(number)) for number in range(20)]
    folder.seed(*records)
    folder.rebuild(known=True)
    records[3]["mentions"] = [mention("m1", 0, 3)]
    records.append(one(99, random.Random(99)))
    folder.seed(*records)
    folder.rebuild(known=True)
    folder.rebuild()
    assert done == [(20, 20), (2, 2), (21, 21)]


def test_edits_among_annotators_sets(folder: ProjectFolder, tmp_path: Path) -> None:
    annotated(folder)
    records = [adjudicated(f"a{number}") for number in range(6)]
    for number in (None, 2, 4):
        if number is not None:
            del records[number]["mentions"][1]
        folder.seed(*records)
        assert folder.rebuild(known=True, sweep=True).problems == []
        assert folder.tree() == clean(folder, tmp_path / "clean")


def spoilt(root: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What may happen to what is kept."""
    cache = root / ".dateline" / "cache"
    for path in sorted(cache.rglob("*.shard")) + sorted(cache.rglob("*.index")):
        raw = path.read_bytes()
        yield f"{path.name} cut short", partial(path.write_bytes, raw[: len(raw) // 2])
        yield f"{path.name} of another byte", partial(path.write_bytes, raw[:-9] + b"x" + raw[-8:])
        yield f"{path.name} empty", partial(path.write_bytes, b"")
    for path in sorted((root / "dataset" / "mentions").iterdir()):
        raw = path.read_bytes()
        yield f"{path.name} of another byte", partial(path.write_bytes, raw[:99] + b"x" + raw[100:])
        yield f"{path.name} gone", path.unlink


def test_what_was_spoilt_is_noticed_and_made_again(folder: ProjectFolder, tmp_path: Path, done: list[tuple[int, int]]) -> None:
    records = [one(number, random.Random(number)) for number in range(12)]
    folder.seed(*records)
    folder.rebuild(known=True)
    shutil.copytree(folder.root, tmp_path / "before")
    records[0]["mentions"] = [mention("m1", 0, 3)]
    folder.seed(*records)
    wanted = clean(folder, tmp_path / "clean")
    ways = [name for name, _ in spoilt(tmp_path / "before")]
    assert len(ways) > 8
    for number, name in enumerate(ways):
        for part in ("dataset", ".dateline"):
            shutil.rmtree(folder.root / part)
            shutil.copytree(tmp_path / "before" / part, folder.root / part)
        list(spoilt(folder.root))[number][1]()
        done.clear()
        assert folder.rebuild(known=True, sweep=True).problems == []
        assert folder.tree() == wanted, name
        assert done != [(1, 1)], name


def test_another_engine_or_schema_makes_all_anew(
    folder: ProjectFolder, done: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.seed(*(one(number, random.Random(number)) for number in range(5)))
    folder.rebuild(known=True)
    folder.schema("mentions", {**MENTIONS, "title": "Named people and places"})
    folder.rebuild(known=True)
    folder.seed(*(one(number, random.Random(number)) for number in range(4)))
    monkeypatch.setattr(receipt, "ground_of", lambda _: "f" * 64)
    folder.rebuild(known=True)
    assert done == [(5, 5), (5, 5), (4, 4)]


@pytest.mark.parametrize("what", ["settings", "schemas"])
def test_what_is_edited_while_a_rebuild_runs_counts_for_the_next(
    folder: ProjectFolder, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the rebuild read of it: what it leaves is not taken for what is there once it is set back, or stays."""
    folder.seed(*(one(number, random.Random(number)) for number in range(12)))
    remark = {**MENTIONS["properties"]["remark"], "default": "None."}
    other = {**MENTIONS, "properties": {**MENTIONS["properties"], "remark": remark}}
    project = folder.project
    if what == "settings":  # after they were read, before anything else is
        folder.settings("[tool.dateline.splits]", "quotas = { train = 0.5, test = 0.5 }")
        rebuild(project, LocalEngine(1), known=True)
    else:
        real = receipt.ground_of

        def edited(found: Project) -> str | None:
            ground = real(found)
            monkeypatch.undo()
            folder.schema("mentions", other)
            return ground

        monkeypatch.setattr(receipt, "ground_of", edited)
        rebuild(project, LocalEngine(1), known=True)
        folder.schema("mentions", MENTIONS)
    assert folder.rebuild(known=True, sweep=True).problems == []
    assert folder.tree() == clean(folder, tmp_path / "clean")


def test_a_warning_is_said_again_although_its_record_did_not_change(folder: ProjectFolder) -> None:
    law = {"id": "odd", "says": "is odd", "level": "warning", "then": {"properties": {"label": {"enum": ["LOC"]}}}}
    folder.schema("mentions", {**MENTIONS, "x-rules": [law]})
    records = [record(f"a{n}", mentions=[mention("m1", 0, 3, label="PER" if n == 1 else "LOC")]) for n in range(5)]
    for label in ("LOC", "PER"):
        records[4]["mentions"][0]["label"] = label
        folder.seed(*records)
        done = folder.rebuild(known=True)
        assert [p.place.line for p in done.warnings] == ([2] if label == "LOC" else [2, 5])
