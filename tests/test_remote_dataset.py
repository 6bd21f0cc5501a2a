"""dataset/ in a bucket: the bytes that are here, or those that were there before."""

from __future__ import annotations

import datetime
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
from dateline import objects, remote_dataset
from dateline.errors import DatelineError, PublishError
from dateline.stores import Bucket
from s3_double import Call, put, s3_settings

pytestmark = pytest.mark.slow(seconds=5)
KILLED = """
import os, signal, sys
from dateline.cli import main
from dateline.remote_dataset import RemoteDataset
setattr(RemoteDataset, sys.argv.pop(1), lambda *_: os.kill(os.getpid(), signal.SIGKILL))
main()
"""
"""A rebuild that is killed at a step of the putting."""


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
    assert done["sent"] == done["swept"] == []  # somebody might be putting them
    folder.clear()
    folder.seed(*articles(30))
    done = json.loads(dateline(*words, "--json", "--sweep").stdout)["put"]
    assert sorted(done["sent"]) == sorted(path for path in changed if path in first)
    assert sorted(done["swept"]) == sorted(second.keys() - first.keys())
    assert there("kept/corpus") == {**first, "notes.txt": b"of somebody else"}


def read(place: str) -> list[Any]:
    """The mentions of all splits, as `dateline.load` has them."""
    return [row for split in dateline.load("mentions", source=place).values() for row in split]


def killed(step: str, *words: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, step, *words], env=os.environ, check=False, timeout=120)
    assert done.returncode == -9


def test_what_is_killed_before_the_flip_leaves_the_dataset_before(s3: Call, folder: ProjectFolder, dateline: Run) -> None:
    words = ("rebuild", "-C", str(folder.root), "--out", "s3://news/out/killed", "--sweep")
    folder.seed(*articles(4))
    assert dateline(*words).returncode == 0
    before = there("out/killed")
    folder.seed(*articles(9)[4:], name="more.jsonl")
    killed("_flip", *words)
    now = there("out/killed")
    assert len(now) > len(before) and now.items() > before.items()
    assert len(read("s3://news/out/killed")) == 4
    done = dateline(*words, "--json")
    assert done.returncode == 0 and sorted(json.loads(done.stdout)["put"]["sent"]) == ["README.md", "manifest.json"]
    assert there("out/killed") == here(folder) and len(read("s3://news/out/killed")) == 9


def test_what_is_killed_after_the_flip_is_the_new_dataset(s3: Call, folder: ProjectFolder, dateline: Run) -> None:
    """Its card and its list of releases are where the manifest lets them be found, and take their place the next time."""
    words = ("rebuild", "-C", str(folder.root), "--out", "s3://news/out/settled", "--sweep")
    folder.seed(*articles(4))
    assert dateline("rebuild", "-C", folder.root).returncode == dateline("release", "-C", folder.root).returncode == 0
    assert dateline(*words).returncode == 0
    before = there("out/settled")
    folder.seed(*articles(9))
    assert dateline("release", "-C", folder.root).returncode == 0
    killed("_settle", *words)
    now = there("out/settled")
    assert (
        all(now[name] == before[name] for name in ("README.md", "versions.json"))
        and now["manifest.json"] != before["manifest.json"]
    )
    assert len(read("s3://news/out/settled")) == 9
    assert dateline("diff", "s3://news/out/settled", folder.root / "dataset").returncode == 0
    assert sorted(json.loads(dateline(*words, "--json").stdout)["put"]["sent"]) == ["README.md", "versions.json"]
    assert there("out/settled").items() >= here(folder).items() and "README-" not in "".join(there("out/settled"))


def test_the_first_one_that_is_killed_after_the_flip_can_be_read(s3: Call, folder: ProjectFolder) -> None:
    folder.seed(*articles(4))
    killed("_settle", "rebuild", "-C", str(folder.root), "--out", "s3://news/out/first")
    assert "README.md" not in there("out/first") and len(read("s3://news/out/first")) == 4


@pytest.mark.parametrize("name", ["README.md", "manifest.json"])
def test_an_answer_that_is_lost_is_no_other_writer(
    s3: Call, folder: ProjectFolder, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    folder.seed(*articles(4))
    assert folder.rebuild(out=f"s3://news/lost/{name}").problems == []
    folder.seed(*articles(6)[4:], name="more.jsonl")
    real, lost = s3fs.S3FileSystem.call_s3, list[str]()

    def once(self: Any, call: str, *words: Any, **named: Any) -> Any:
        done = real(self, call, *words, **named)
        if call == "put_object" and named["Key"].endswith(f"/{name}/{name}") and not lost:
            lost.append(name)
            raise ConnectionError("the answer was lost")
        return done

    monkeypatch.setattr(s3fs.S3FileSystem, "call_s3", once)
    done = folder.rebuild(out=f"s3://news/lost/{name}").put
    assert lost == [name] and done is not None and {"README.md", "manifest.json"} <= {*done.sent}
    assert there(f"lost/{name}").items() >= here(folder).items()


def test_who_has_nothing_new_leaves_what_somebody_is_putting(
    s3: Call, folder: ProjectFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.seed(*articles(3))
    assert folder.rebuild(out="s3://news/both").problems == []
    (tmp_path / "other").mkdir()
    other = ProjectFolder(tmp_path / "other")
    other.seed(*articles(6))
    real, swept = remote_dataset.RemoteDataset._flip, list[list[str]]()

    def meanwhile(self: Any, out: Any) -> None:
        if self._dataset == other.project.dataset:
            for grace in (1, 0):  # with none it takes what is being put
                monkeypatch.setattr(remote_dataset, "_GRACE", datetime.timedelta(days=grace))
                done = folder.rebuild(out="s3://news/both").put
                assert done is not None
                swept.append(done.swept)
        real(self, out)

    monkeypatch.setattr(remote_dataset.RemoteDataset, "_flip", meanwhile)
    done = other.rebuild(out="s3://news/both").put
    assert done is not None and swept[0] == [] and len(swept[1]) > 1
    assert there("both").items() >= here(other).items() and len(read("s3://news/both")) == 6


def test_what_went_in_parts_is_known_the_next_time(s3: Call, folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.seed(*articles(8))
    assert folder.rebuild().problems == []
    monkeypatch.setattr(objects, "PART", max(path.stat().st_size for path in (folder.root / "dataset").rglob("*.parquet")))
    first, again = (folder.rebuild(out="s3://news/parts").put for _ in range(2))
    assert first is not None and again is not None and len(first.sent) == len(again.kept) and again.sent == []
    assert there("parts") == here(folder)


def test_what_nothing_has_named_for_long_is_removed(s3: Call, folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.seed(*articles(3))
    assert folder.rebuild(out="s3://news/old").problems == []
    left = {"mentions/train-s0001-b00-0123456789ab.parquet": b"left behind", "notes.txt": b"of somebody else"}
    put(s3, "old", left)
    for grace, named in ((1, {}), (0, dict.fromkeys(left))):
        monkeypatch.setattr(remote_dataset, "_GRACE", datetime.timedelta(days=grace))
        done = folder.rebuild(out="s3://news/old").put
        assert done is not None and done.swept == [path for path in named if path != "notes.txt"]


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
