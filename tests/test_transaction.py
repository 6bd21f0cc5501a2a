"""Several files put in place together: all or none, also if the process is killed, or the file system refuses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dateline import files as disk
from dateline import transaction
from dateline.errors import BuildError
from dateline.project import find_project
from dateline.transaction import Rename, Step, Write, commit, finish

STEPS: list[Step] = [
    Write("seeds/ledger.jsonl", b"new ledger"),
    Write("pyproject.toml", b'[tool.dateline]\nname = "new"\n'),
    Write("seeds/gone.json", None),
    Write("dataset/next", b"new manifest"),
    Rename("dataset/next", "dataset/manifest"),
]
OLD = {"pyproject.toml": b'[tool.dateline]\nname = "old"\n', "seeds/gone.json": b"{}", "dataset/manifest": b"old manifest"}
NEW = {
    "pyproject.toml": b'[tool.dateline]\nname = "new"\n',
    "seeds/ledger.jsonl": b"new ledger",
    "dataset/manifest": b"new manifest",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, content in OLD.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def contents(root: Path) -> dict[str, bytes]:
    found = {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    return {name: content for name, content in found.items() if not name.startswith(".dateline/rebuild.lock")}


def test_all_is_in_place(root: Path) -> None:
    commit(root, "a change", STEPS)
    assert contents(root) == NEW
    assert finish(root) is None


class Killed(BaseException):
    pass


def kill_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the process die at the nth call that changes the disk."""
    calls = iter(range(10**6))

    def mortal(name: str, module: object) -> None:
        real = getattr(module, name)

        def dies(*words: object, **more: object) -> object:
            if next(calls) == number:
                raise Killed
            return real(*words, **more)

        monkeypatch.setattr(module, name, dies)

    for name in ("write_atomically", "sync_file", "sync_folder"):
        mortal(name, transaction)
    for name in ("replace", "unlink"):
        mortal(name, os)
    mortal("replace", Path)
    mortal("unlink", Path)


@pytest.mark.parametrize("number", range(30))
def test_killed_anywhere_it_is_all_or_none_once_the_project_is_opened(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with monkeypatch.context() as patched:
        kill_at(patched, number)
        try:
            commit(root, "a change", STEPS)
            died = False
        except Killed:
            died = True
    name = find_project(root).settings.name
    left = {n: c for n, c in contents(root).items() if not n.startswith(".dateline/")}
    assert left == (OLD if name == "old" else NEW)
    assert died or name == "new"
    commit(root, "a change", STEPS)
    assert {n: c for n, c in contents(root).items() if not n.startswith(".dateline/")} == NEW


def test_there_are_moments_of_both_kinds(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above kills before and after the moment from which it counts."""
    with monkeypatch.context() as patched, pytest.raises(Killed):
        kill_at(patched, 0)
        commit(root, "a change", STEPS)
    assert finish(root) is None
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(transaction, "_take", lambda *_: (_ for _ in ()).throw(Killed()))
        commit(root, "a change", STEPS)
    assert finish(root) == "a change"
    assert contents(root) == NEW


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names that the file system refuses to write."""
    names: list[str] = []
    real = disk.write_atomically

    def refuses(path: Path, content: bytes) -> None:
        if path.name in names and content in (b"new manifest", NEW["pyproject.toml"]):
            raise PermissionError(13, "Permission denied", str(path))
        real(path, content)

    monkeypatch.setattr(transaction, "write_atomically", refuses)
    yield names


@pytest.mark.parametrize("name", ["pyproject.toml", "next"])
def test_what_is_refused_is_undone(root: Path, refused: list[str], name: str) -> None:
    refused.append(name)
    with pytest.raises(BuildError, match="Permission denied; a change was undone, nothing has changed"):
        commit(root, "a change", STEPS)
    assert contents(root) == OLD
    assert finish(root) is None
