"""Records in a bucket: the bytes are those of a rebuild from a folder, and what is wrong there changes nothing here."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from building import ProjectFolder, mention, record
from conftest import Run
from dateline.errors import DatelineError
from s3_double import Call, put, s3_settings

pytestmark = pytest.mark.slow(seconds=50)
NUMBERS = range(40)
KILLED = """
import os, signal
from dateline.cli import main
from dateline.compile import remote_seeds
real, brought = remote_seeds._put, []
def put(*words):
    real(*words)
    brought.append(words)
    if len(brought) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
remote_seeds._put = put
main()
"""
"""A rebuild that is killed when two objects of three are there."""


def articles() -> list[dict[str, Any]]:
    """Records, each with a mention."""
    texts = [f"Ana met Bo in Rome, or {n} of the {n * n} others who were there on day {n}." for n in NUMBERS]
    return [record(f"a{n:03}", text, mentions=[mention("m1", 0, 3)]) for n, text in enumerate(texts)]


def lines(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in records)


@pytest.fixture
def home(tmp_path: Path) -> ProjectFolder:
    """A project without records."""
    root = tmp_path / "project"
    root.mkdir()
    return ProjectFolder(root)


def test_records_in_a_bucket_give_the_bytes_of_those_in_a_folder(
    bucket: tuple[str, Call], home: ProjectFolder, dateline: Run, tmp_path: Path
) -> None:
    address, call = bucket
    pytest.importorskip("s3fs", reason="reading from S3 needs s3fs")
    (tmp_path / "here").mkdir()
    here = ProjectFolder(tmp_path / "here")
    here.seed(*articles())
    assert here.rebuild().problems == []
    records = articles()[::-1]
    first = {"day/0.jsonl": lines(records[::3]), "1.jsonl.gz": gzip.compress(lines(records[1::3])), "README.md": b"# words"}
    put(call, "cut-anew", {**first, "2.jsonl": lines(records[2::3])})
    words = ("rebuild", "-C", home.root, "--seeds", "s3://news/cut-anew")
    made = dateline(*words, "--jobs", "2", **s3_settings(address))
    assert (made.returncode, made.stderr) == (0, ""), made.stderr
    assert made.stdout.startswith("dataset/ rebuilt: 40 articles") and home.tree() == here.tree()
    assert not list((home.root / "seeds").iterdir()) and not list((home.root / ".dateline").glob("work-*"))

    again = dateline(*words, **s3_settings(address))
    assert (again.returncode, "dataset/ unchanged" in again.stdout) == (0, True)
    assert dateline(*words, "--check", **s3_settings(address)).stdout == "dataset/ is what the seeds give\n"

    put(call, "cut-anew", {"2.jsonl": lines([one | {"group": "one"} for one in records[2::3]])})
    assert dateline(*words, "--check", **s3_settings(address)).returncode == 1
    here.clear()
    here.seed(*[one | ({"group": "one"} if n % 3 == 2 else {}) for n, one in enumerate(records)])
    assert here.rebuild(sweep=True).problems == []
    changed = dateline(*words, "--sweep", **s3_settings(address))
    assert changed.stdout.startswith("dataset/ rebuilt") and home.tree() == here.tree()


def test_what_is_wrong_is_told_by_its_address_and_leaves_the_dataset(
    bucket: tuple[str, Call], home: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, call = bucket
    pytest.importorskip("s3fs", reason="reading from S3 needs s3fs")
    for name, value in {**s3_settings(address), "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    home.seed(*articles())
    assert home.rebuild().problems == []
    before = home.tree()
    wrong = [one | ({"mentions": [mention("m1", 0, 3, "DOG")]} if n == 4 else {}) for n, one in enumerate(articles())]
    put(call, "wrong", {"parts/0.jsonl": lines(wrong)})
    put(call, "tables", {"parts/0.jsonl": lines(articles()), "tables/measures.jsonl": b"{}\n"})
    put(call, "ledger", {"parts/0.jsonl": lines(articles()), "ledger.jsonl": b"{}\n"})
    put(call, "climbs", {"parts/0.jsonl": lines(articles()), "a/../../../0.jsonl": lines(articles())})
    put(call, "words", {"README.md": b"# words"})

    def told(seeds: str) -> str:
        with pytest.raises(DatelineError) as stopped:
            home.rebuild(seeds=seeds)
        assert home.tree() == before and not list((home.root / ".dateline").glob("work-*"))
        return str(stopped.value)

    assert told("s3://news/wrong").startswith("seeds/a.jsonl: --seeds s3://news/wrong stands in place of the records in seeds/")
    home.clear()
    (fault,) = home.rebuild(seeds="s3://news/wrong").problems
    assert str(fault.place) == "s3://news/wrong/parts/0.jsonl:5 $.mentions[0].label" and home.tree() == before
    for seeds, says in {
        "s3://news/tables": "s3://news/tables/tables/measures.jsonl: is not read; corpus-level tables are read from seeds/",
        "s3://news/ledger": "s3://news/ledger/ledger.jsonl: is not read; the ledger is read from seeds/",
        "s3://news/climbs": "s3://news/climbs/a/../../../0.jsonl: is no name of a file",
        "s3://news/words": "s3://news/words: holds no records; they stand in objects whose names end in .json, ",
        "s3://news/nothing": "s3://news/nothing: holds no records",
        "s3://no-such-bucket/x": "s3://no-such-bucket/x: there is no bucket 'no-such-bucket'",
        "s3://": "s3://: names no bucket; write s3://bucket/prefix",
        "/some/folder": "--seeds /some/folder: is no address of an object store; write s3://bucket/prefix",
    }.items():
        said = told(seeds)
        assert said.startswith(says) and len(said.splitlines()) == 1, said
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    silent = told("s3://news/wrong")
    assert silent.startswith("s3://news/wrong: cannot be read: ") and len(silent.splitlines()) == 1


def test_a_rebuild_that_is_killed_while_it_reads_leaves_the_dataset(
    bucket: tuple[str, Call], home: ProjectFolder, dateline: Run
) -> None:
    address, call = bucket
    pytest.importorskip("s3fs", reason="reading from S3 needs s3fs")
    put(call, "killed", {f"{n}.jsonl": lines(articles()[n::3]) for n in range(3)})
    words = ("rebuild", "-C", str(home.root), "--seeds", "s3://news/killed")
    assert dateline(*words, **s3_settings(address)).returncode == 0
    before = home.tree()
    put(call, "killed", {"3.jsonl": lines([record("a999", "One more, and nobody else.")])})
    command = [sys.executable, "-c", KILLED, *words]
    killed = subprocess.run(command, env=os.environ | s3_settings(address), capture_output=True, check=False, timeout=120)
    assert killed.returncode == -9 and home.tree() == before
    assert list((home.root / ".dateline").glob("work-*/seeds/*"))
    done = dateline(*words, "--sweep", **s3_settings(address))
    assert done.stdout.startswith("dataset/ rebuilt: 41 articles") and not list((home.root / ".dateline").glob("work-*"))
