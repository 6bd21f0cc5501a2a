"""The folder in which a project's dataset is made, and the lock that keeps two who would make it apart."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dateline import receipt
from dateline.errors import BuildError
from dateline.project import Project


@contextmanager
def work_folder(project: Project) -> Iterator[Path]:
    """A work folder beside the dataset, and the lock that keeps two rebuilds apart."""
    from filelock import FileLock, Timeout

    home = project.root / ".dateline"
    try:
        home.mkdir(exist_ok=True)
        lock = FileLock(home / "rebuild.lock", timeout=0)
        with lock:
            _clear(home)
            work = Path(tempfile.mkdtemp(prefix="work-", dir=home))
            (work / "data").mkdir()
            try:
                yield work
            finally:
                _clear(home)  # also what a worker of a killed rebuild wrote before it noticed
    except Timeout:
        raise BuildError(f"{project.root}: another rebuild is running here; wait for it to finish") from None
    except OSError as fault:
        at = f"{fault.filename}: " if fault.filename else ""
        raise BuildError(f"{at}{fault.strerror or fault}; dataset/ is whole, as it was or as it becomes") from None


def _clear(home: Path) -> None:
    for work in home.glob("work-*"):
        shutil.rmtree(work, ignore_errors=True)
    for half in home.glob(f".{receipt.NAME}.*"):  # a receipt that a killed rebuild was writing
        half.unlink(missing_ok=True)
