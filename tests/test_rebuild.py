"""seeds/ to dataset/: the same bytes whatever the cutting, nothing changed when anything is wrong."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from building import REPOSITORY, Json, ProjectFolder, mention, record
from dateline import promoting
from dateline.compile import plan as planning
from dateline.errors import BuildError, InputError
from dateline.manifest import read_manifest
from dateline.work_folder import work_folder

RECORDS = [
    record(f"a{n}", f"Ana met Bo{n} in Rome. \U0001f600", group=f"g{n % 7}", mentions=[mention("m1", 0, 3), mention("m2", 8, 11)])
    for n in range(40)
]


def cut(folder: ProjectFolder, how: str) -> None:
    """Lay the same records out as seed files in another way."""
    records = list(RECORDS)
    seeds = folder.root / "seeds"
    if how == "one file":
        folder.seed(*records)
    elif how == "shuffled":
        random.Random(7).shuffle(records)
        folder.seed(*records, name="z.jsonl")
    elif how == "many files":
        for number, one in enumerate(records):
            folder.seed(one, name=f"sub/{number % 5}/{number}.jsonl")
    elif how == "pretty":
        for one in records:
            (seeds / f"{one['article_id']}.json").write_text(json.dumps(one, indent=3), encoding="utf-8")
    elif how == "gz":
        raw = "\n".join(json.dumps(r, ensure_ascii=False) for r in reversed(records))
        (seeds / "a.jsonl.gz").write_bytes(gzip.compress(raw.encode()))
    elif how == "zst":
        with pa.CompressedOutputStream(str(seeds / "a.jsonl.zst"), "zstd") as stream:
            for one in records:
                stream.write(json.dumps(one, ensure_ascii=False).encode() + b"\n")


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("bits", [0, 2])
def test_equal_bytes_for_any_jobs_order_cutting_and_compression(
    folder: ProjectFolder, jobs: int, bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bits:
        monkeypatch.setattr(planning, "SHARD_BYTES", 2500)
    trees = {}
    for how in ("one file", "shuffled", "many files", "pretty", "gz", "zst"):
        folder.clear()
        cut(folder, how)
        assert folder.rebuild(jobs, sweep=True).problems == []
        trees[how] = folder.tree()
    assert len({json.dumps(tree, sort_keys=True) for tree in trees.values()}) == 1, trees
    shards = {Path(name).name.split("-")[2] for name in trees["gz"] if name.endswith(".parquet")}
    assert len(shards) > 4 if bits else len(shards) == 1


def test_shards_are_cut_by_the_hash_of_the_id_so_that_an_edit_touches_one(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "SHARD_BYTES", 2500)
    folder.seed(*RECORDS)
    folder.rebuild(sweep=True)
    before = folder.tree()
    edited = [r if r["article_id"] != "a3" else r | {"mentions": [mention("m1", 0, 3, "LOC")]} for r in RECORDS]
    folder.seed(*edited)
    folder.rebuild(sweep=True)
    after = folder.tree()
    data = [name for name in before.keys() - after.keys() if "/mentions/" in name]
    assert len(data) == 1


def test_problems_are_all_named_and_the_dataset_stays_as_it_was(folder: ProjectFolder) -> None:
    folder.seed(*RECORDS)
    folder.rebuild()
    before = folder.tree()
    folder.seed(record("b1", mentions=[mention("m1", 0, 99)]), record("b2", colour=1), name="b.jsonl")
    (folder.root / "seeds" / "c.jsonl").write_bytes(b"{\n")
    folder.seed(record("a1"), name="d.jsonl")
    found = folder.rebuild()
    assert found.manifest is None
    assert [(p.place.file, p.place.line, p.rule) for p in found.problems] == [
        ("seeds/b.jsonl", 1, "span-inside-text"),
        ("seeds/b.jsonl", 2, "unknown-field"),
        ("seeds/c.jsonl", 1, "json-syntax"),
        ("seeds/d.jsonl", 1, "duplicate-article"),
    ]
    assert folder.tree() == before
    assert not list((folder.root / ".dateline").glob("work-*"))


def test_a_record_without_an_id_is_checked_too(folder: ProjectFolder) -> None:
    folder.seed({"text": {"content": "x"}}, {"article_id": 7, "text": {"content": "x"}})
    assert [(p.rule, p.place.line) for p in folder.rebuild().problems] == [("missing-field", 1), ("wrong-type", 2)]


def test_rebuilding_the_same_changes_nothing(folder: ProjectFolder) -> None:
    folder.seed(*RECORDS)
    assert folder.rebuild().changed
    stamp = (folder.root / "dataset" / "README.md").stat().st_mtime_ns
    again = folder.rebuild()
    assert not again.changed
    assert (folder.root / "dataset" / "README.md").stat().st_mtime_ns == stamp


def test_a_damaged_or_edited_dataset_is_made_whole_again(folder: ProjectFolder) -> None:
    folder.seed(*RECORDS)
    folder.rebuild()
    good = folder.tree()
    dataset = folder.root / "dataset"
    next((dataset / "mentions").glob("train-*")).write_bytes(b"x")
    (dataset / "README.md").write_text("edited")
    assert folder.rebuild().changed
    assert folder.tree() == good


def test_files_that_no_rebuild_made_are_left_alone_and_told(folder: ProjectFolder) -> None:
    folder.seed(*RECORDS)
    notes = folder.root / "dataset" / "raw" / "notes.txt"
    notes.parent.mkdir(parents=True)
    notes.write_text("precious")
    with pytest.raises(BuildError, match=r"dataset/: holds raw/notes\.txt and no dataset of Dateline"):
        folder.rebuild()
    assert notes.read_text() == "precious"
    notes.rename(folder.root / "notes.txt")
    folder.rebuild()
    notes.parent.mkdir(exist_ok=True)
    (folder.root / "notes.txt").rename(notes)
    (folder.root / "dataset" / ".hidden").write_text("mine")
    folder.seed(*RECORDS[:-1])
    assert folder.rebuild(sweep=True).strange == [".hidden", "raw/notes.txt"]
    assert notes.read_text() == "precious"


def test_files_of_the_build_before_are_kept_for_its_readers_until_the_next(folder: ProjectFolder) -> None:
    folder.seed(*RECORDS)
    folder.rebuild()
    old = {name for name in folder.tree() if name.endswith(".parquet")}
    folder.seed(*RECORDS[:-1])
    second = folder.rebuild()
    assert second.kept and old <= folder.tree().keys()
    third = folder.rebuild()
    assert not third.changed and third.swept == second.kept
    named = {f"dataset/{path}" for path in read_manifest(folder.root / "dataset").paths()} | {"dataset/manifest.json"}
    assert folder.tree().keys() == named


@pytest.mark.parametrize("step", ["replace", "sync_folder", "write_atomically", "sweep_away"])
def test_a_rebuild_cut_off_at_any_step_leaves_a_dataset_that_loads(
    folder: ProjectFolder, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.seed(*RECORDS)
    folder.rebuild()
    card = (folder.root / "dataset" / "README.md").read_bytes()
    folder.seed(*RECORDS[:-3])
    calls = 0

    def cut_off(*_: object) -> None:
        nonlocal calls
        calls += 1
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path if step == "replace" else promoting, step, cut_off)
        with pytest.raises(KeyboardInterrupt):
            folder.rebuild()
    assert calls == 1
    front = promoting._named_by_card(folder.root / "dataset")
    assert front and all((folder.root / "dataset" / name).is_file() for name in front)
    assert (folder.root / "dataset" / "README.md").read_bytes() == card or step == "sweep_away"
    assert folder.rebuild(sweep=True).problems == []
    finished = folder.tree()
    (folder.root / "dataset").rename(folder.root / "old")
    folder.rebuild()
    assert folder.tree() == finished


def test_no_seeds_and_empty_seeds_are_said_plainly(folder: ProjectFolder) -> None:
    with pytest.raises(BuildError, match="holds no records"):
        folder.rebuild()
    (folder.root / "seeds").rmdir()
    with pytest.raises(InputError, match="seeds: no such folder"):
        folder.rebuild()


def test_two_rebuilds_at_once_are_kept_apart(folder: ProjectFolder) -> None:
    folder.seed(*RECORDS)
    with work_folder(folder.project), pytest.raises(BuildError, match="another rebuild is running"):
        folder.rebuild()


def test_withheld_texts_are_null_everywhere(folder: ProjectFolder) -> None:
    secret = "Quillon Farrowby spoke of ninety heavy lorries at dawn."
    made = record(
        "w1",
        secret,
        rights={"rights_holder": "Wire"},
        mentions=[mention("m1", 0, 16, remark="Farrowby", head={"start": 8, "end": 16})],
    )
    folder.seed(made, *RECORDS[:3])
    assert folder.rebuild().problems == []
    for path in (folder.root / "dataset").rglob("*"):
        if path.suffix == ".parquet":
            told = json.dumps(pq.read_table(path).to_pylist(), default=str)
            assert "Quillon" not in told and "Farrowby" not in told, path
        elif path.is_file():
            assert b"Farrowby" not in path.read_bytes(), path
    (row,) = pq.read_table(next((folder.root / "dataset" / "standoff").glob("*"))).to_pylist()
    assert row["text"] is None and row["text_n_code_points"] == len(secret)
    assert row["mentions"][0]["spans"] == [{"start": 0, "end": 16, "surface": None}]
    records = [p for split in (folder.root / "dataset" / "records").glob("*") for p in pq.read_table(split).to_pylist()]
    assert "w1" not in [r["article_id"] for r in records]


def test_the_dataset_in_the_repository_is_what_its_seeds_give(flagship: object) -> None:
    made = read_manifest(flagship.dataset)  # type: ignore[attr-defined]
    committed = read_manifest(REPOSITORY / "dataset")
    assert replace(committed, validation=[]).encode() == made.encode(), "CI compares what validation keeps, too: rebuild --check"
    for path in made.paths():
        assert (REPOSITORY / "dataset" / path).read_bytes() == (flagship.dataset / path).read_bytes()  # type: ignore[attr-defined]


def test_the_logical_digest_does_not_depend_on_the_cutting_into_shards(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.seed(*RECORDS)
    folder.rebuild()
    whole = read_manifest(folder.root / "dataset")
    monkeypatch.setattr(planning, "SHARD_BYTES", 2500)
    folder.rebuild()
    sharded = read_manifest(folder.root / "dataset")
    assert whole.logical_digest == sharded.logical_digest
    assert whole.content_digest != sharded.content_digest


def test_rows_keep_the_order_of_the_record_within_articles_in_the_order_of_their_ids(folder: ProjectFolder) -> None:
    made: list[Json] = [record(i, mentions=[mention("m2", 8, 10), mention("m1", 0, 3)]) for i in ("b", "a", "c")]
    folder.seed(*made)
    folder.settings("[tool.dateline.splits]", "quotas = {train = 1.0}")
    folder.rebuild()
    rows = pq.read_table(next((folder.root / "dataset" / "mentions").glob("*"))).to_pylist()
    assert [(r["article_id"], r["mention_id"]) for r in rows] == [(a, m) for a in "abc" for m in ("m2", "m1")]
