"""Record files as people keep them in seeds/: how a record is written, and how many are put in place together, or none."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from dateline.errors import BuildError
from dateline.files import sync_file, sync_folder

LONGEST_ID = 128
"""Characters of an article_id, after which its file is named; as the schema of articles says."""


def encode(record: dict[str, Any]) -> bytes:
    """A record as people read it in a diff: one item of a layer on each line, UTF-8, no ASCII escapes."""
    lines = []
    for key, value in record.items():
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            items = ",\n".join("  " + _compact(item) for item in value)
            lines.append(f" {_compact(key)}: [\n{items}\n ]")
        else:
            lines.append(f" {_compact(key)}: {_compact(value)}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def on_one_line(raw: bytes) -> bytes:
    """What `encode` wrote, as a line of a file of records. JSON escapes line ends in strings, so each stands between values."""
    pieces = [line.lstrip(b" ") for line in raw.splitlines()]
    return b"".join(piece + b" " if piece.endswith(b",") else piece for piece in pieces) + b"\n"


_compact = json.JSONEncoder(ensure_ascii=False).encode


class Staged:
    """Files on their way to a folder: each is written beside it as it comes, and all are put in place together, or none.

    Their content is synced before the first of them gets its name, not file by file, which is slow where there are thousands.

    A context manager; what was not placed when it ends is gone. `name` is the folder as messages call it. Raises BuildError for
    whatever the file system refuses, after which the folder is as it was.
    """

    def __init__(self, out: Path, name: str) -> None:
        self.out = out
        self.name = name
        self.files: list[str] = []
        self._streams: list[BinaryIO] = []
        self._made = [folder for folder in (out, *out.parents) if not folder.exists()]
        with self._refusals():
            out.mkdir(parents=True, exist_ok=True)
            # a name with a dot in front: were this process killed, it would be taken for no seeds
            self._work = Path(tempfile.mkdtemp(dir=out, prefix=".import-"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        for handle in self._streams:
            with contextlib.suppress(OSError):
                handle.close()
        shutil.rmtree(self._work, ignore_errors=True)
        self._forget_folders()

    def add(self, file: str, raw: bytes) -> None:
        """Write one file, under a name that does not count yet."""
        path = self._work / f".new-{len(self.files)}"
        with self._refusals():
            path.write_bytes(raw)
            path.chmod(0o644)
        self.files.append(file)

    def stream(self, file: str) -> BinaryIO:
        """A file to write piece by piece, under a name that does not count until all are placed."""
        with self._refusals():
            handle = (self._work / f".new-{len(self.files)}").open("wb")
        self.files.append(file)
        self._streams.append(handle)
        return handle

    def place(self) -> None:
        """Put all files in place; where one cannot be, those before it go back."""
        placed: list[tuple[Path, Path]] = []
        with self._refusals():
            for handle in self._streams:
                handle.close()
            for number in range(len(self.files)):
                sync_file(self._work / f".new-{number}")
            for number, file in enumerate(self.files):
                if (self.out / file).is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
                if (self.out / file).exists():
                    shutil.copy2(self.out / file, self._work / f".old-{number}")
            try:
                for number, file in enumerate(self.files):
                    placed.append((self.out / file, self._work / f".old-{number}"))
                    os.replace(self._work / f".new-{number}", self.out / file)
            except BaseException:
                for target, old in placed:
                    if old.exists():
                        os.replace(old, target)
                    else:
                        target.unlink(missing_ok=True)
                raise
            sync_folder(self.out)
            self._made = []

    @contextlib.contextmanager
    def _refusals(self) -> Any:
        try:
            yield
        except OSError as fault:
            shutil.rmtree(getattr(self, "_work", ""), ignore_errors=True)
            self._forget_folders()
            at = f"{self.name}/{fault.filename}" if fault.filename in self.files else self.name
            raise BuildError(f"{at}: cannot be written: {fault.strerror or fault}; nothing was written") from None

    def _forget_folders(self) -> None:
        with contextlib.suppress(OSError):
            for folder in self._made:
                folder.rmdir()
