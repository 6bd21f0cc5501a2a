"""Nothing half-happens: a publish killed, refused, cut off, raced, starved of disk: readers see the old release or the new.

The real clients run against doubles of the Hub and of S3; a proxy between them kills the client at a request, or lets that one
fail: at the first and the last of each kind, or, with DATELINE_FAULTS=every, at every single one. To a folder, the process dies
before every call that changes the disk.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any

import datasets
import pytest

from dateline import publishing
from dateline.errors import PublishError
from dateline.layout import read_releases
from dateline.project import Project
from dateline.publication import Staged, stage
from dateline.publishing import publish
from hub_double import Repository
from publish.doubles import Doubles, Driver
from publish.proxy import Proxy, at
from publish.releases import Files, seen
from publish.test_bucket import seen as seen_in_bucket
from publish.test_hub import at as files_at

Projects = dict[str, Project]
Forms = dict[str, Files]
_NUMBERS = count()
EVERY = os.environ.get("DATELINE_FAULTS") == "every"
CHANGES = ("open", "replace", "rename", "link", "unlink", "mkdir", "fsync", "chmod")


# ---- a folder ------------------------------------------------------------------------------------------------


def forked(work: Callable[[], object]) -> int:
    """Run `work` in a fork; the signal that ended it, or 0 if it ended well."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "the publish failed"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def dying(root: Path, kill_before: int, work: Callable[[], object]) -> None:
    """Do `work`; die before the call with that number (from 1) that changes what lies below `root`."""
    calls = 0

    def patched(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*words: Any, **named: Any) -> Any:
            nonlocal calls
            ours = isinstance(words[0], int) or str(words[-1 if name in ("replace", "rename", "link") else 0]).startswith(
                str(root)
            )
            writes = name != "open" or (words[1] if len(words) > 1 else named["flags"]) & (os.O_WRONLY | os.O_RDWR)
            calls += bool(ours and writes)
            if ours and writes and calls == kill_before:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*words, **named)

        return call

    for name in CHANGES:
        setattr(os, name, patched(getattr(os, name), name))
    work()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
@pytest.mark.xdist_group("publish")
@pytest.mark.slow(seconds=20)
def test_killed_before_every_change_of_a_folder_the_old_or_the_new_release_stands(
    projects: Projects, forms: Forms, tmp_path: Path
) -> None:
    start, target = tmp_path / "start", tmp_path / "target"
    publish(projects["0.1.0"], str(start))
    found = {"0.1.0": 0, "0.2.0": 0}
    for number in chain(range(1, 60, 1 if EVERY else 9), range(60, 1000, 1 if EVERY else 3)):
        shutil.copytree(start, target)
        ended = forked(partial(dying, target, number, lambda: publish(projects["0.2.0"], str(target))))
        found[str(seen(target, forms))] += 1
        if (target / "v0.2.0").exists():  # whoever looks past the pointer finds all of it, too
            assert {path.name for path in (target / "v0.2.0").iterdir()} == {path.split("/")[0] for path in forms["0.2.0"]}
        if not ended:
            break
        if EVERY or number % 30 == 1 or (target / "v0.2.0").exists():  # the next one finishes, and leaves nothing else
            assert publish(projects["0.2.0"], str(target)).success
            assert seen(target, forms) == "0.2.0"
            assert sorted(p.name for p in target.iterdir()) == [".dateline", "releases.json", "v0.1.0", "v0.2.0"]
            assert [p.name for p in (target / ".dateline").iterdir()] == ["publish.lock"]
        shutil.rmtree(target)
    assert found["0.1.0"] > 20 and found["0.2.0"] >= 1


@pytest.mark.parametrize("part", [".parquet", "README.md", "manifest.json", "releases.json"])
def test_a_full_disk_is_one_line_and_the_next_publish_goes_on(
    part: str, projects: Projects, forms: Forms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(projects["0.1.0"], str(tmp_path))
    fsync = os.fsync

    def full(handle: int) -> None:
        if part in os.readlink(f"/proc/self/fd/{handle}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(PublishError, match="No space left on device; what was published is as it was"):
            publish(projects["0.2.0"], str(tmp_path))
    assert seen(tmp_path, forms) == "0.1.0"
    done = publish(projects["0.2.0"], str(tmp_path))
    assert done.success and seen(tmp_path, forms) == "0.2.0"
    assert part == ".parquet" or done.sent.kept  # what was laid out is not copied again


def test_a_limit_of_the_system_on_files_is_one_line(projects: Projects, forms: Forms, tmp_path: Path) -> None:
    """The kernel itself refuses, in the middle of a file: at the target, and already where the release is laid out."""

    def limited(at_target: bool) -> None:
        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))

        def then_limited(project: Project, into: Path, key: Any, site: Any) -> Staged:
            staged = stage(project, into)
            limit()
            return staged

        if at_target:
            publishing._staged = then_limited
        else:
            limit()
        with pytest.raises(PublishError, match="target.*File too large" if at_target else "File too large; TMPDIR names another"):
            publish(projects["0.1.0"], str(tmp_path / "target"))

    for at_target in (True, False):
        assert forked(partial(limited, at_target)) == 0
    assert seen(tmp_path / "target", forms) is None and not (tmp_path / "target" / "v0.1.0").exists()
    assert publish(projects["0.1.0"], str(tmp_path / "target")).success


# ---- the Hub and S3 ------------------------------------------------------------------------------------------


class Remote:
    """A place of its own at a double with 0.1.0 in it, to which 0.2.0 is published; and what its readers see."""

    def __init__(self, doubles: Doubles, kind: str, forms: Forms, project: Project) -> None:
        self.doubles, self.kind, self.forms, self.project = doubles, kind, forms, project
        self.proxy: Proxy = doubles.to_hub if kind == "hf" else doubles.to_store
        self.bucket = f"faults-{next(_NUMBERS)}"
        self.words = f"hf://org/{self.bucket}" if kind == "hf" else f"s3://{self.bucket}/org"
        if kind == "s3":
            doubles.store.make(self.bucket)
        self.proxy.start()
        doubles.driver.published(project, self.words)
        if kind == "hf":
            kept = (self.repository.commits, self.repository.branches, self.repository.tags, doubles.hub.blobs)
            self.start: Any = tuple(dict(one) for one in kept)
        else:
            self.start = doubles.store.files(self.bucket)

    @property
    def repository(self) -> Repository:
        """That of the Hub."""
        return self.doubles.hub.repositories[f"org/{self.bucket}"]

    def reset(self) -> None:
        """Back to 0.1.0 alone."""
        if self.kind == "hf":
            one = self.repository
            one.commits, one.branches, one.tags, self.doubles.hub.blobs = (dict(part) for part in self.start)
        else:
            for key in self.doubles.store.files(self.bucket).keys() - self.start.keys():
                self.doubles.store.delete(self.bucket, key)
            self.doubles.store.put(self.bucket, "org/releases.json", self.start["org/releases.json"])

    def seen(self) -> str | None:
        """The version that readers get, which is whole."""
        if self.kind == "s3":
            return seen_in_bucket(self.doubles, self.bucket, self.forms, "org/")
        for tag in self.repository.tags:
            assert files_at(self.repository, tag) == self.forms[tag[1:]]
        (main,) = [version for version, files in self.forms.items() if files_at(self.repository, "main") == files]
        return main

    def whole(self) -> bool:
        """Whether the release is there in every way."""
        tagged = self.kind == "s3" or "v0.2.0" in self.repository.tags
        return self.seen() == "0.2.0" and tagged


@pytest.fixture(scope="module")
def publisher(doubles: Doubles) -> Iterator[Driver]:
    """Another process that publishes."""
    driver = Driver([], doubles.settings)
    yield driver
    driver.close()


@pytest.fixture(scope="module", params=["hf", "s3"])
def remote(request: pytest.FixtureRequest, doubles: Doubles, projects: Projects, forms: Forms) -> Iterator[Remote]:
    yield Remote(doubles, request.param, forms, projects["0.1.0"])
    doubles.to_hub.start()
    doubles.to_store.start()


@pytest.mark.xdist_group("publish")
@pytest.mark.slow(seconds=30)
def test_killed_at_every_request_the_old_or_the_new_release_stands(remote: Remote, projects: Projects) -> None:
    """Before a request is passed on, and after it, when its answer is lost with the client."""
    new = projects["0.2.0"]
    remote.reset()
    remote.proxy.start()
    remote.doubles.driver.published(new, remote.words)
    asked = enumerate(remote.proxy.log, 1)
    writing = [(n, one) for n, one in asked if one.method not in ("GET", "HEAD") and "paths-info" not in one.path]
    first = {kind_of(one.path): number for number, one in reversed(writing)}
    last = {kind_of(one.path): number for number, one in writing}
    found = {"0.1.0": 0, "0.2.0": 0}
    some = [*((number, "kill-before") for number in first.values()), *((number, "kill-after") for number in last.values())]
    every = [(number, fault) for number, _ in writing for fault in ("kill-before", "kill-after")]
    for number, fault in every if EVERY else sorted(some):
        remote.reset()
        remote.proxy.start(at(number, fault))
        assert remote.doubles.driver.publish(new, remote.words) == {"killed": signal.SIGKILL}
        remote.proxy.start()
        found[str(remote.seen())] += 1
        if EVERY or fault == "kill-after":
            assert remote.doubles.driver.published(new, remote.words) and remote.whole()
    assert found["0.1.0"] > 1 and found["0.2.0"] > 0


@pytest.mark.xdist_group("publish")
@pytest.mark.slow(seconds=30)
@pytest.mark.parametrize("fault", ["429", "500", "drop", "lose", "truncate"])
def test_every_kind_of_request_that_fails_once_is_survived(fault: str, remote: Remote, projects: Projects) -> None:
    """One of each kind of request (its method, and which part of the API it speaks to) fails once in one publish."""
    left: set[str] = set()

    def plan(number: int, method: str, path: str) -> str | None:
        kind = f"{method} {kind_of(path)}"
        if kind in left or (fault == "truncate" and method != "PUT"):
            return None
        left.add(kind)
        return fault

    remote.reset()
    remote.proxy.start(plan)
    done = remote.doubles.driver.publish(projects["0.2.0"], remote.words)
    failed = [one for one in remote.proxy.log if one.fault]
    remote.proxy.start()
    if fault == "truncate" and remote.kind == "hf":  # a digest that is wrong there is no matter of a moment, says its client
        assert "publishing again goes on from here" in done["error"] and remote.seen() == "0.1.0"
        done = remote.doubles.driver.published(projects["0.2.0"], remote.words)
    assert done.get("success"), done
    assert remote.whole() and len(failed) >= (1 if fault == "truncate" else 5)


def kind_of(path: str) -> str:
    """Which part of an API a path belongs to."""
    for part in (
        "refs",
        "tree",
        "commits",
        "preupload",
        "batch",
        "lfs",
        "commit",
        "tag",
        "resolve",
        "paths-info",
        "validate-yaml",
    ):
        if f"/{part}" in path:
            return part
    return "releases.json" if path.endswith("releases.json") else "list" if "list-type" in path else "objects"


@pytest.mark.xdist_group("publish")
@pytest.mark.slow(seconds=10)
def test_a_server_that_stays_down_is_one_line_and_the_next_publish_finishes(
    remote: Remote, projects: Projects, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote.reset()
    writes = ("PUT", "commit") if remote.kind == "s3" else ("POST", "/commit/main")
    remote.proxy.start(lambda number, method, path: "409" if method == "POST" and writes[1] in path else None)
    if remote.kind == "hf":  # others commit each time that this one tries
        done = remote.doubles.driver.publish(projects["0.2.0"], remote.words)
        assert "others changed main 5 times meanwhile; publish again" in done.get("error", ""), done
    else:
        remote.proxy.start(lambda number, method, path: "500" if method == "PUT" and "README" in path else None)
        done = remote.doubles.driver.publish(projects["0.2.0"], remote.words)
        assert "publishing again goes on from here" in done.get("error", ""), done
    remote.proxy.start()
    assert remote.seen() == "0.1.0"
    assert remote.doubles.driver.published(projects["0.2.0"], remote.words) and remote.whole()


@pytest.mark.xdist_group("publish")
@pytest.mark.slow(seconds=10)
def test_a_second_publisher_at_the_same_time_loses_nothing(remote: Remote, publisher: Driver, projects: Projects) -> None:
    """Somebody publishes the same release, whole, right before each write that counts."""
    remote.reset()
    inner: list[dict[str, Any]] = []
    last = "/commit/main" if remote.kind == "hf" else "releases.json"

    def race(number: int, method: str, path: str) -> None:
        if method in ("POST", "PUT") and last in path and not inner:
            inner.append({})
            inner.append(publisher.published(projects["0.2.0"], remote.words))

    remote.proxy.start(race)
    remote.proxy._lock = _Open()  # type: ignore[assignment]  # the other one speaks to this proxy while it decides
    done = remote.doubles.driver.publish(projects["0.2.0"], remote.words)
    assert done.get("success"), done
    assert inner[1]["success"] and remote.whole()


class _Open:
    """A lock that lets everybody through."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


@pytest.mark.xdist_group("publish")
@pytest.mark.slow(seconds=5)
def test_two_who_replace_the_pointer_at_once_both_stand_in_it(doubles: Doubles, projects: Projects, forms: Forms) -> None:
    """While 0.2.0 replaces releases.json, somebody else has just put another version there."""
    doubles.store.make("pointers")
    doubles.driver.published(projects["0.1.0"], "s3://pointers")
    raw = doubles.store.files("pointers")["releases.json"]
    other = json.loads(raw)
    other["releases"].insert(0, {**other["releases"][0], "version": "0.0.9"})
    faster = [json.dumps(other).encode()]

    def race(number: int, method: str, path: str) -> None:
        if method == "PUT" and path.endswith("releases.json") and faster:
            doubles.store.put("pointers", "releases.json", faster.pop())

    doubles.to_store.start(race)
    doubles.driver.published(projects["0.2.0"], "s3://pointers")
    doubles.to_store.start()
    said = read_releases(doubles.store.files("pointers")["releases.json"], "")
    assert [one.version for one in said.releases] == ["0.0.9", "0.1.0", "0.2.0"] and not faster


@pytest.mark.xdist_group("publish")
@pytest.mark.slow(seconds=5)
def test_plain_readers_read_what_was_published(doubles: Doubles, projects: Projects, tmp_path: Path) -> None:
    """`datasets` itself, on the published form: rows of the release."""
    publish(projects["0.1.0"], str(tmp_path))
    publish(projects["0.2.0"], str(tmp_path))
    for version, articles in (("0.1.0", 5), ("0.2.0", 6)):
        found = datasets.load_dataset(str(tmp_path / f"v{version}"), "articles", cache_dir=str(tmp_path / version))
        assert sum(len(rows) for rows in found.values()) == articles
