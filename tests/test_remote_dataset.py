"""dataset/ in a bucket: the bytes that are here, or those that were there before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import dateline
from building import ProjectFolder, mention, record
from conftest import Run
from dateline import remote_dataset
from dateline.errors import DatelineError, PublishError
from dateline.manifest import read_manifest
from dateline.stores import Bucket
from s3_double import Call, put, s3_settings

pytestmark = pytest.mark.slow(seconds=50)
KILLED = """
import os, signal
from dateline.cli import main
from dateline.remote_dataset import RemoteDataset
RemoteDataset._replace = lambda self, name, out: os.kill(os.getpid(), signal.SIGKILL)
main()
"""
"""A rebuild that is killed when all data files are there, and no face."""


@pytest.fixture
def s3(bucket: tuple[str, Call], monkeypatch: pytest.MonkeyPatch) -> Call:
    """A bucket `news` for this process and for commands."""
    pytest.importorskip("s3fs", reason="writing to S3 needs s3fs")
    address, call = bucket
    for name, value in {**s3_settings(address), "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    return call


def there(prefix: str) -> dict[str, bytes]:
    """What lies under a prefix."""
    store = Bucket(f"s3://news/{prefix}")
    return {path: store.read(path) for path in store.files()}


def here(folder: ProjectFolder) -> dict[str, bytes]:
    dataset = folder.root / "dataset"
    return {path.relative_to(dataset).as_posix(): path.read_bytes() for path in dataset.rglob("*") if path.is_file()}


def articles(count: int) -> list[dict[str, Any]]:
    texts = [f"Ana met Bo in Rome, or {n} of the {n * n} others who were there on day {n}." for n in range(count)]
    return [record(f"a{n:03}", text, mentions=[mention("m1", 0, 3)]) for n, text in enumerate(texts)]


def test_the_dataset_is_there_to_the_byte_and_only_what_changed_is_sent(s3: Call, folder: ProjectFolder, dateline: Run) -> None:
    folder.seed(*articles(30))
    words = ("rebuild", "-C", folder.root, "--out", "s3://news/kept/corpus/", "--jobs", "2")
    made = dateline(*words)
    first = here(folder)
    told = f"s3://news/kept/corpus holds it: {len(first)} files sent ("
    assert (made.returncode, made.stderr, made.stdout.splitlines()[1][: len(told)]) == (0, "", told), made.stdout
    assert there("kept/corpus") == first
    assert read("s3://news/kept/corpus") == read(str(folder.root / "dataset"))
    assert dateline(*words).stdout.splitlines()[1] == "s3://news/kept/corpus holds it already"

    put(s3, "kept/corpus", {"notes.txt": b"of somebody else"})
    folder.clear()
    folder.seed(*[one | ({"mentions": [mention("m1", 8, 10)]} if n == 3 else {}) for n, one in enumerate(articles(30))])
    done = json.loads(dateline(*words, "--json").stdout)["put"]
    second = here(folder)
    changed = sorted(path for path, raw in second.items() if first.get(path) != raw)
    assert 0 < len(changed) < len(second) and sorted(done["sent"]) == changed and done["swept"] == []
    assert there("kept/corpus") == {**first, **second, "notes.txt": b"of somebody else"}  # readers of the first can finish
    done = json.loads(dateline(*words, "--json").stdout)["put"]
    named = read_manifest(folder.root / "dataset").paths() | {"manifest.json"}
    assert done["sent"] == [] and sorted(done["swept"]) == sorted(first.keys() - named)
    assert there("kept/corpus") == {path: second[path] for path in named} | {"notes.txt": b"of somebody else"}


def read(place: str) -> list[Any]:
    """The mentions of all splits, as `dateline.load` has them."""
    return [row for split in dateline.load("mentions", source=place).values() for row in split]


def test_what_is_killed_before_the_flip_leaves_the_dataset_before(s3: Call, folder: ProjectFolder, dateline: Run) -> None:
    words = ("rebuild", "-C", str(folder.root), "--out", "s3://news/out/killed", "--sweep")
    folder.seed(*articles(4))
    assert dateline(*words).returncode == 0
    before = there("out/killed")
    folder.seed(*articles(9)[4:], name="more.jsonl")
    command = [sys.executable, "-c", KILLED, *words]
    killed = subprocess.run(command, env=os.environ, capture_output=True, check=False, timeout=120)
    now = there("out/killed")
    assert killed.returncode == -9 and len(now) > len(before) and now.items() > before.items()
    assert len(read("s3://news/out/killed")) == 4
    done = dateline(*words, "--json")
    assert done.returncode == 0 and sorted(json.loads(done.stdout)["put"]["sent"]) == ["README.md", "manifest.json"]
    assert there("out/killed") == here(folder) and len(read("s3://news/out/killed")) == 9


def test_of_two_who_put_at_once_the_later_one_is_told(s3: Call, folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.seed(*articles(3))
    assert folder.rebuild(out="s3://news/two").problems == []
    before = there("two")
    real = remote_dataset.put_objects

    def meanwhile(task: Any) -> list[str]:
        put(s3, "two", {"manifest.json": before["manifest.json"] + b"\n"})
        return real(task)

    monkeypatch.setattr(remote_dataset, "put_objects", meanwhile)
    folder.seed(*articles(5)[3:], name="more.jsonl")
    with pytest.raises(PublishError, match=r"two/manifest\.json: somebody else has put another one there meanwhile; run again"):
        folder.rebuild(out="s3://news/two")
    now = there("two")
    assert now["README.md"] == before["README.md"] and now["manifest.json"] == before["manifest.json"] + b"\n"


def test_where_something_else_lies_nothing_is_made(s3: Call, folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.seed(*articles(3))
    assert folder.rebuild(out="s3://news/ours").problems == []
    before = here(folder)
    other = json.loads(before["manifest.json"]) | {"name": "other"}
    put(s3, "other", {"manifest.json": json.dumps(other).encode()})
    put(s3, "spoilt", {"manifest.json": b"[]"})
    put(s3, "released", {"releases.json": b"{}", "v0.1.0/README.md": b""})
    put(s3, "photos", {"rome.jpg": b"..."})
    folder.seed(*articles(5)[3:], name="more.jsonl")
    for out, says in {
        "s3://news/other": "s3://news/other: holds the dataset 'other', and this is 'tiny'; name another prefix",
        "s3://news/spoilt": "s3://news/spoilt/manifest.json: is no manifest of a dataset; name another prefix",
        "s3://news/released": "s3://news/released: holds releases; `dateline publish` puts them there. Name another prefix",
        "s3://news/photos": "s3://news/photos/rome.jpg: is no file of a dataset; name another prefix",
        "s3://no-such-bucket/x": "s3://no-such-bucket/x: there is no bucket 'no-such-bucket'; make it first, or name another",
        "s3://": "s3://: names no bucket; write s3://bucket/prefix",
        "/some/folder": "--out /some/folder: is no address of an object store; write s3://bucket/prefix",
    }.items():
        with pytest.raises(DatelineError) as stopped:
            folder.rebuild(out=out)
        assert str(stopped.value) == says and here(folder) == before
    folder.settings("private = true")
    with pytest.raises(DatelineError, match="the project is private"):
        folder.rebuild(out="s3://news/ours")
    folder.settings()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(PublishError) as unheard:
        folder.rebuild(out="s3://news/ours")
    assert str(unheard.value).startswith("s3://news/ours: ") and len(str(unheard.value).splitlines()) == 1


def test_to_check_and_to_put_make_no_sense_together(folder: ProjectFolder, dateline: Run, tmp_path: Path) -> None:
    done = dateline("rebuild", "-C", folder.root, "--check", "--out", "s3://news/x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: --check changes nothing, so there is nothing to put: leave out --out\n"
