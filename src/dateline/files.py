"""Writing files so that a reader sees the old one or the new one, whole."""

from __future__ import annotations

import errno
import mmap
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` by way of a temporary file in the same folder, synced before it is renamed.

    Raises OSError as the system gives it; the old file is then as it was.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


class Mapped:
    """A file to look at where it lies: `content` has its bytes, and what was looked at need not stay in memory.

    Raises OSError as the system gives it.
    """

    def __init__(self, path: Path) -> None:
        self.content: mmap.mmap | bytes = b""
        if path.stat().st_size:  # nothing cannot be mapped
            with path.open("rb") as file:
                self.content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def forget(self) -> None:
        """Give back the memory of what was looked at, where the system can; what is looked at again is read again."""
        if isinstance(self.content, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            self.content.madvise(mmap.MADV_DONTNEED)


def attempt_folder(parent: Path) -> Path:
    """A new folder in `parent` for the files of one attempt at a task: of several attempts none meets what another left."""
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="attempt-", dir=parent))


def move_whole(path: Path, target: Path) -> None:
    """Move a file to its name, its content durable before the name is; also to another file system.

    Raises OSError as the system gives it; what stood under that name is then as it was.
    """
    sync_file(path)
    try:
        path.replace(target)
    except OSError as fault:
        if fault.errno != errno.EXDEV:
            raise
        beside = target.with_name(f".{target.name}.partial")
        try:
            shutil.copyfile(path, beside)
            move_whole(beside, target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def sync_file(path: Path) -> None:
    """Make the content of a file durable."""
    # elsewhere a file that may not be written can be made durable, too; datasets under DVC or git-annex have such
    with path.open("rb+" if os.name == "nt" else "rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable, where the system can."""
    if os.name == "nt":  # Windows cannot open folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A new folder to fill, which takes the place of `out` when the block ends; if the block fails, nothing of it stays.

    Raises OSError as the system gives it.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}-"))
    try:
        yield made
        made.chmod(0o755)
        if out.exists():
            old = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}-"))
            os.replace(out, old / "old")
            os.replace(made, out)
            shutil.rmtree(old)
        else:
            os.replace(made, out)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def zip_folder(folder: Path, archive: Path) -> None:
    """Put all files of a folder into a new archive, by their names: the same bytes for the same files, on any day."""
    with zipfile.ZipFile(archive, "x", zipfile.ZIP_DEFLATED) as made:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())  # of 1980: no clock is read
            entry.external_attr, entry.create_system, entry.compress_type = 0o644 << 16, 3, zipfile.ZIP_DEFLATED
            made.writestr(entry, path.read_bytes())


def lay(source: Path, target: Path) -> None:
    """Give a file another name, also in a folder that is not there yet; a copy where the file system has no such thing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
