"""Kill rebuilds with SIGKILL and look at what is left; prints what was seen, as JSON.

`python kill_rebuilds.py FOLDER every [first]` kills before each call that changes the disk, one after the other ("first": the
first build of a project, else a later one); `python kill_rebuilds.py FOLDER random N SEED` kills at N random moments.
Everything is imported once, and each rebuild runs in a fork of this process.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from building import Json, ProjectFolder, mention, record
from dateline.describe.card import head_of
from dateline.errors import LoadError
from dateline.manifest import read_manifest

CHANGES = ("open", "replace", "rename", "unlink", "rmdir", "mkdir", "fsync", "chmod")
Tree = dict[str, str]


def state(number: int) -> list[Json]:
    """The records of one of several states of a corpus, with some articles in common."""
    label = ("PER", "LOC")[number % 2]
    return [
        record(f"a{n}", f"Ana met Bo{n}.", mentions=[mention("m1", 0, 3, label if n == 0 else "PER")])
        for n in range(3 + number % 3)
    ]


def forked(work: Callable[[], object], *, kill_after: float | None = None) -> int:
    """Run `work` in a fork; the signal that ended it, or 0 if it ended well."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException as fault:
            print(repr(fault), file=sys.stderr, flush=True)
            os._exit(3)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "the rebuild failed"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def rebuild(folder: ProjectFolder, kill_before: int = 0, calls: Path | None = None) -> None:
    """Rebuild; die before the call with that number (from 1) that changes the disk, or write down how many there were."""
    count = 0

    def patched(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*words: Any, **named: Any) -> Any:
            nonlocal count
            writes = name != "open" or (words[1] if len(words) > 1 else named["flags"]) & (os.O_WRONLY | os.O_RDWR)
            count += bool(writes)
            if writes and count == kill_before:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*words, **named)

        return call

    for name in CHANGES:
        setattr(os, name, patched(getattr(os, name), name))
    assert folder.rebuild().problems == []
    if calls:
        calls.write_text(str(count))


def whole(folder: ProjectFolder, versions: list[Tree]) -> int | None:
    """Which version the dataset in place is, to the last byte that its card names; None where there is none yet."""
    dataset = folder.root / "dataset"
    try:
        card = (dataset / "README.md").read_bytes()
    except FileNotFoundError:
        try:
            read_manifest(dataset)
        except LoadError:
            return None
        raise AssertionError("a manifest counts that has no card") from None
    (found,) = [n for n, tree in enumerate(versions) if tree["dataset/README.md"] == hashlib.sha256(card).hexdigest()]
    front = head_of(card.decode())
    paths = {path for config in front["configs"] for split in config["data_files"] for path in split["path"]}
    for path in paths:
        digest = hashlib.sha256((dataset / path).read_bytes()).hexdigest()
        assert digest == versions[found][f"dataset/{path}"], path
        assert path.endswith(f"-{digest[:12]}.parquet")
    # what stats, load and doctor read agrees with the card
    manifest = read_manifest(dataset)
    assert manifest.paths() == paths | {"README.md"}
    assert hashlib.sha256(manifest.encode()).hexdigest() == versions[found]["dataset/manifest.json"]
    return found


def clean(folder: ProjectFolder, wanted: Tree) -> None:
    """The next rebuild gives the bytes of a build that nobody killed, and leaves nothing else behind."""
    assert forked(lambda: folder.rebuild(sweep=True)) == 0
    assert folder.tree() == wanted
    assert sorted(p.name for p in (folder.root / ".dateline").iterdir()) == ["cache", "last-build.json", "rebuild.lock"]


def main(root: Path, mode: str, *words: str) -> dict[str, Any]:
    """Build each state once, undisturbed, in a folder of its own; then kill."""
    versions: list[Tree] = []
    for number in range(3):
        (root / f"clean{number}").mkdir()
        undisturbed = ProjectFolder(root / f"clean{number}")
        undisturbed.seed(*state(number))
        undisturbed.rebuild()  # here, so that no fork has anything left to import; Arrow renews its threads in a fork
        versions.append(undisturbed.tree())
    gc.collect()
    gc.freeze()  # or the collector of every fork writes to all pages that it shares with this process
    (root / "killed").mkdir()
    folder = ProjectFolder(root / "killed")
    seen = {"kills": 0, "old": 0, "new": 0, "none": 0}
    dataset, start = folder.root / "dataset", root / "start"
    if mode == "every":
        if words != ("first",):  # begin with a dataset that holds files of the build before it, so that sweeping is cut off too
            for number in (0, 1):
                folder.seed(*state(number))
                assert forked(folder.rebuild) == 0
            shutil.copytree(dataset, start)
        folder.seed(*state(2))
        while True:
            shutil.rmtree(dataset, ignore_errors=True)
            if start.is_dir():
                shutil.copytree(start, dataset)
            ended = forked(lambda: rebuild(folder, kill_before=seen["kills"] + 1))
            if not ended:
                break
            seen["kills"] += 1
            seen[{1: "old", 2: "new", None: "none"}[whole(folder, versions)]] += 1
            clean(folder, versions[2])
    else:
        moments = random.Random(int(words[1]))
        folder.seed(*state(0))
        clean(folder, versions[0])
        began = time.monotonic()
        for number in (1, 0):
            folder.seed(*state(number))
            assert forked(folder.rebuild) == 0
        took = (time.monotonic() - began) / 2
        old = 0
        while seen["kills"] < int(words[0]):
            new = (old + 1) % 3
            folder.seed(*state(new))
            if forked(folder.rebuild, kill_after=moments.uniform(0, took)):
                seen["kills"] += 1
                found = whole(folder, versions)
                assert found in (old, new)
                seen["old" if found == old else "new"] += 1
            clean(folder, versions[new])
            old = new
    return seen


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), *sys.argv[2:])))
