"""Several files of a project put in place together: all of them or none, wherever the process is killed.

What is to be written is staged in `.dateline/commit/` and made durable; then the list of it, `journal.json`, gets its name.
From that moment on it counts: if the process dies while the files are put in place, whoever opens the project next finishes.
What the file system refuses meanwhile is undone instead.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dateline.errors import BuildError, ProjectError
from dateline.files import sync_file, sync_folder, write_atomically

HOME = ".dateline"
_STAGE = "commit"
_JOURNAL = "journal.json"


@dataclass(frozen=True, slots=True)
class Write:
    """A file to write, by its path relative to the project; without content it is removed."""

    path: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Rename:
    """A file that gets another name, once all before it in the list is in place."""

    path: str
    to: str


Step = Write | Rename


def commit(root: Path, what: str, steps: Sequence[Step]) -> None:
    """Take all steps, in their order, or none. `what` names it in messages ("the release 0.2.0").

    The caller holds the lock of the project. Raises BuildError for whatever the file system refuses; nothing is changed then.
    """
    stage = root / HOME / _STAGE
    try:
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir(parents=True)
        for number, step in enumerate(steps):
            _keep(stage / f"old-{number}", root / (step.to if isinstance(step, Rename) else step.path))
            if isinstance(step, Write) and step.content is not None:
                _write(stage / f"new-{number}", step.content)
        _write(stage / f".{_JOURNAL}", json.dumps({"what": what, "steps": [_plain(step) for step in steps]}).encode())
        sync_folder(stage)
        os.replace(stage / f".{_JOURNAL}", stage / _JOURNAL)
        sync_folder(stage)
    except OSError as fault:
        shutil.rmtree(stage, ignore_errors=True)
        raise BuildError(f"{fault.filename}: cannot be written: {fault.strerror}; nothing was changed") from None
    try:
        _take(root, stage)
    except OSError as fault:
        _undo(root, stage, steps)
        raise BuildError(
            f"{fault.filename}: cannot be written: {fault.strerror}; {what} was undone, nothing has changed"
        ) from None


def finish(root: Path) -> str | None:
    """Finish what a process began and was killed at; what that was, or None if there is nothing, or another is at it.

    Raises ProjectError if the file system refuses.
    """
    stage = root / HOME / _STAGE
    if not (stage / _JOURNAL).is_file():
        return None
    from filelock import FileLock, Timeout

    try:
        with FileLock(root / HOME / "rebuild.lock", timeout=0):
            if not (stage / _JOURNAL).is_file():
                return None
            what: str = json.loads((stage / _JOURNAL).read_bytes())["what"]
            _take(root, stage)
            return what
    except Timeout:
        return None
    except OSError as fault:
        raise ProjectError(
            f"{fault.filename}: cannot be written: {fault.strerror}; something was interrupted here and is to be finished first"
        ) from None


def _take(root: Path, stage: Path) -> None:
    """Put all in place; what is in place already stays, so that this can be done again."""
    steps = json.loads((stage / _JOURNAL).read_bytes())["steps"]
    for number, step in enumerate(steps):
        target = root / step["path"]
        if "to" in step:
            if target.exists():
                target.replace(root / step["to"])
        elif (stage / f"new-{number}").exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(target, (stage / f"new-{number}").read_bytes())
        else:
            target.unlink(missing_ok=True)
    (stage / _JOURNAL).unlink()
    shutil.rmtree(stage, ignore_errors=True)


def _undo(root: Path, stage: Path, steps: Sequence[Step]) -> None:
    """Put back what stood there, the last first. A refusal here leaves the journal, and the next command finishes instead."""
    for number, step in reversed(list(enumerate(steps))):
        target, old = root / (step.to if isinstance(step, Rename) else step.path), stage / f"old-{number}"
        if old.exists():
            write_atomically(target, old.read_bytes())
        else:
            target.unlink(missing_ok=True)
    (stage / _JOURNAL).unlink()
    shutil.rmtree(stage, ignore_errors=True)


def _keep(copy: Path, target: Path) -> None:
    if target.exists():
        shutil.copyfile(target, copy)
        sync_file(copy)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    sync_file(path)


def _plain(step: Step) -> dict[str, str]:
    return {"path": step.path, "to": step.to} if isinstance(step, Rename) else {"path": step.path}
