"""Records are found by the places that a rebuild noted, or by looking through the seeds: the answer is the same."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from building import ProjectFolder, mention, record
from dateline.compile import origins as looked_up
from dateline.compile import places
from dateline.compile.origins import Origin, origins
from dateline.compile.places import cache_of, standing
from dateline.compile.read import RawRecord, read_raw
from dateline.engines import LocalEngine
from dateline.pipeline import rebuild
from dateline.project import Project

IDS = [f"a{number:02}" for number in range(12)]


@pytest.fixture(autouse=True)
def at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a test are new; no test edits one within a tick of the clock after it was read."""
    monkeypatch.setattr(places, "SETTLED", 0)


def line(article_id: str, chance: random.Random) -> bytes:
    said = record(article_id, f"Ana met Bo in Rome. {chance.randrange(10)}", mentions=[mention("m1", 0, 3)])
    raw = json.dumps(said)
    return (raw.replace(f'"{article_id}"', f'"\\u0061{article_id[1:]}"') if chance.random() < 0.2 else raw).encode() + b"\n"


def built(folder: ProjectFolder, chance: random.Random) -> Project:
    """A project whose articles stand in files of all sorts."""
    seeds = folder.root / "seeds"
    for path in (path for path in seeds.glob("*.json*") if path.is_file()):
        path.unlink()
    ids = chance.sample(IDS, 10)
    (seeds / "a.jsonl").write_bytes(b"\n".join(line(one, chance) for one in ids[:4]))
    (seeds / "b.jsonl").write_bytes(b"".join(line(one, chance) for one in ids[4:7]))
    (seeds / "c.jsonl.gz").write_bytes(gzip.compress(b"".join(line(one, chance) for one in ids[7:9])))
    (seeds / "d.json").write_text(json.dumps(json.loads(line(ids[9], chance)), indent=1))
    project = folder.project
    assert not rebuild(project, LocalEngine(1)).problems
    return project


def answers(project: Project) -> dict[str, tuple[object, ...]]:
    """What is said of all articles at once, which must be what is said of each."""
    found = origins(project, IDS)
    for name in IDS:
        assert _said(origins(project, [name])) == _said({n: one for n, one in found.items() if n == name})
    return _said(found)


def _said(found: dict[str, Origin]) -> dict[str, tuple[object, ...]]:
    return {name: (one.raw, one.record, one.whole) for name, one in sorted(found.items())}


def edit(project: Project, chance: random.Random) -> None:
    """One edit of the seeds or of what the cache keeps, of those that hide best among them."""
    seeds, noted = project.seeds, sorted(cache_of(project).glob("*/*.places"))
    files = sorted(seeds.glob("*.json*"))
    path = chance.choice(files) if files else seeds / "a.jsonl"
    kind = chance.randrange(9)
    if kind == 0:  # another record first, in a new file or an old one
        target = chance.choice((seeds / "0.jsonl", seeds / "e.jsonl", seeds / "a.jsonl"))
        old = target.read_bytes() if target.exists() else b""
        target.write_bytes(line(chance.choice(IDS), chance) + old)
    elif kind == 1 and path.exists():  # other bytes of the same length, under the old date
        before = path.stat()
        raw = path.read_bytes()
        if path.suffix != ".gz":
            path.write_bytes(raw.replace(chance.choice(IDS).encode(), chance.choice(IDS).encode()))
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif kind == 2 and path.exists():
        path.unlink()
    elif kind == 3 and path.exists():
        path.rename(seeds / f"z{path.name}")
    elif kind == 4 and path.exists():  # records change their order
        lines = path.read_bytes().splitlines(keepends=True) if path.suffix == ".jsonl" else []
        if lines:
            path.write_bytes(b"".join(one if one.endswith(b"\n") else one + b"\n" for one in lines[::-1]))
    elif kind == 5 and noted:  # what the cache keeps is cut short, or of another file
        chance.choice(noted).write_bytes(noted[0].read_bytes()[: chance.choice((10, 100, 10**6))])
    elif kind == 6 and noted:
        shutil.copy(chance.choice(noted), chance.choice(noted)) if len(noted) > 1 and noted[0] != noted[-1] else None
    elif kind == 7:
        shutil.rmtree(cache_of(project), ignore_errors=True)
    elif path.exists():  # a damaged tail
        path.write_bytes(path.read_bytes()[:-20] + b"\xff")


@pytest.mark.parametrize("seed", range(25))
def test_after_any_edits_both_ways_say_the_same(folder: ProjectFolder, seed: int) -> None:
    chance = random.Random(seed)
    project = built(folder, chance)
    for _ in range(6):
        with pytest.MonkeyPatch.context() as slow:
            slow.setattr(looked_up, "standing", lambda *_: None)
            expected = answers(project)
        assert answers(project) == expected
        try:
            edit(project, chance)
        except shutil.SameFileError:
            continue


def test_unchanged_files_are_not_looked_through(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    project = built(folder, random.Random(1))
    opened: list[str] = []

    def noted(path: Path, *, name: str) -> Iterator[RawRecord]:
        opened.append(path.name)
        return read_raw(path, name=name)

    monkeypatch.setattr("dateline.compile.origins.read_raw", noted)
    found = origins(project, IDS[:12])
    assert len(found) == 10
    assert opened == ["c.jsonl.gz"]  # of a compressed file no record is read by its place
    opened.clear()
    path = project.seeds / "b.jsonl"
    path.write_bytes(path.read_bytes())
    origins(project, [json.loads(path.read_bytes().splitlines()[0])["article_id"]])
    assert opened == ["b.jsonl"]


def test_a_file_that_had_just_changed_has_no_places(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SETTLED", 3600 * 10**9)
    project = built(folder, random.Random(1))
    assert standing(project, project.seeds / "a.jsonl", IDS) is None
    assert not [*cache_of(project).glob("*/*.places")]


def test_a_record_that_is_not_what_was_noted_sends_through_the_file(folder: ProjectFolder) -> None:
    project = built(folder, random.Random(1))
    path = project.seeds / "a.jsonl"
    noted = places.stamp_of(path)
    wanted = [json.loads(path.read_bytes().splitlines()[0])["article_id"]]
    assert standing(project, path, wanted)
    raw = path.read_bytes()
    with pytest.MonkeyPatch.context() as fooled:  # a file system that shows no edit
        fooled.setattr(places, "stamp_of", lambda _: noted)
        path.write_bytes(raw.replace(b"Rome", b"Bonn"))
        assert standing(project, path, wanted) is None


def test_an_edit_of_equal_length_shows_although_its_date_is_set_back(folder: ProjectFolder) -> None:
    project = built(folder, random.Random(1))
    path = project.seeds / "b.jsonl"
    raw, before = path.read_bytes(), path.stat()
    old = json.loads(raw.splitlines()[0])["article_id"]
    (new, *_) = set(IDS) - origins(project, IDS).keys()
    path.write_bytes(raw.replace(old.encode(), new.encode()).replace(f"\\u0061{old[1:]}".encode(), f"\\u0061{new[1:]}".encode()))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert origins(project, [new]).keys() == {new}
