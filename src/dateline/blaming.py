"""Which commit last touched some lines of a file: `git blame` of rows."""

from __future__ import annotations

import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dateline.errors import InputError

_UNCOMMITTED = "0" * 40


@dataclass(frozen=True)
class Commit:
    """A commit: its short hash, the day of it, its author's name, the first line of its message."""

    commit: str
    date: str
    author: str
    subject: str

    def as_json(self) -> dict[str, Any]:
        """The commit as plain JSON types."""
        return asdict(self)


def blame(path: Path, first: int, last: int, *, lines: bool = True) -> Commit | None:
    """The latest of the commits that touched lines `first` to `last`; None if they are not committed as they stand.

    Without `lines` (a compressed file has none) the last commit of the file. Raises InputError without git or a history.
    """
    path = path.resolve()  # git does not look beyond symbolic links
    if not lines:
        return _of_file(path)
    said = _git(path, "blame", "--line-porcelain", "-L", f"{first},{last}", "--", path.name)
    found = {}
    at: dict[str, str] = {}
    for line in said.split("\n"):
        if line.startswith("\t"):
            found[at["commit"]] = at
            at = {}
        elif not at:
            at = {"commit": line.split(" ", 1)[0]}
        else:
            name, _, value = line.partition(" ")
            at[name] = value
    if not found or _UNCOMMITTED in found:
        return None
    latest = max(found.values(), key=lambda commit: (int(commit["committer-time"]), commit["commit"]))
    date = datetime.fromtimestamp(int(latest["author-time"]), UTC).date().isoformat()
    return Commit(latest["commit"][:12], date, latest["author"], latest["summary"])


def _of_file(path: Path) -> Commit | None:
    if _git(path, "status", "--porcelain", "--", path.name).strip():
        return None
    said = _git(path, "log", "-1", "--format=%H%x00%at%x00%an%x00%s", "--", path.name).rstrip("\n")
    if not said:
        raise InputError(f"{path.name}: is in no commit; commit it first")
    commit, time, author, subject = said.split("\0")
    return Commit(commit[:12], datetime.fromtimestamp(int(time), UTC).date().isoformat(), author, subject)


def _git(path: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-c", "core.quotepath=off", *words], cwd=path.parent, capture_output=True, text=True, encoding="utf-8",
            errors="replace", check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise InputError("--blame asks git, which is not installed here") from None
    except OSError as fault:
        raise InputError(f"{path.parent}: git cannot be run there: {fault.strerror}") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1].removeprefix("fatal: ")
        raise InputError(f"{path.name}: git knows no history of it: {said}")
    return done.stdout
