"""The files of a release: are they what its manifest names, and how they are fetched so that they are.

A manifest from elsewhere is not trusted with names: none may leave the folder. A file is written under another name until it was
seen to be whole.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from dateline.errors import LoadError, printable
from dateline.manifest import NAME as MANIFEST
from dateline.manifest import NEXT, VERSIONS, VERSIONS_NEXT, Manifest, with_digest
from dateline.stores import Store

Tell = Callable[[str, int, int], None]

_AT_ONCE = 8
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))}


@dataclass(frozen=True)
class FileFault:
    """One file of a dataset that is not as its manifest says. One that is merely not named there is a warning."""

    file: str
    says: str
    level: str = "error"

    def __str__(self) -> str:
        return printable(f"{self.file}: {self.says}")


class ReleaseError(LoadError):
    """A release whose files are not those that its manifest names; `faults` has one entry for each."""

    def __init__(self, where: str, faults: list[FileFault]) -> None:
        self.faults = faults
        more = f" (and {len(faults) - 1} more such files)" if len(faults) > 1 else ""
        super().__init__(f"{where}/{faults[0]}{more}; get the release again")


def check_files(folder: Path, manifest: Manifest, tell: Tell = lambda *_: None) -> list[FileFault]:
    """Compare all files of a dataset in a folder with its manifest, by size and sha256; in the order of names.

    Files that the manifest does not name are warnings, as no reader sees them; those whose names, or whose folders' names, begin
    with `.` are not looked at. Nothing is raised for a file that cannot be read: that, too, is a fault.
    """
    entries = _entries(manifest)
    faults = []
    for number, (path, entry) in enumerate(sorted(entries.items()), 1):
        says = _unsafe(path) or differs(folder / path, entry)
        if says and path == VERSIONS and not differs(folder / VERSIONS_NEXT, entry):
            continue  # a rebuild is replacing it, or was killed there
        if says:
            faults.append(FileFault(path, says))
        tell("check files", number, len(entries))
    ours = {*entries, MANIFEST, NEXT, VERSIONS_NEXT}
    for found in sorted(folder.rglob("*")):
        name = found.relative_to(folder)
        if name.as_posix() not in ours and not any(part.startswith(".") for part in name.parts) and not found.is_dir():
            faults.append(FileFault(name.as_posix(), "the manifest does not name it; no reader sees it", "warning"))
    return faults


def _entries(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """What the manifest says of each file that it names."""
    return {file["path"]: file for file in manifest.files()}


def _unsafe(path: str) -> str:
    """Why a name in a manifest is none that a file may be written to, or read from; "" if it is one."""
    parts = path.split("/")
    if (
        not path.isprintable()
        or path.startswith("/")
        or any(c in path for c in '\\:*?"<>|')
        or any(part in ("", ".", "..") or part.endswith((".", " ")) for part in parts)
        or any(part.split(".")[0].upper() in _RESERVED for part in parts)
        or path.casefold() in (MANIFEST, NEXT)
    ):
        return "is no name that a file of a release may have; nothing was read"
    return ""


def unsafe_names(manifest: Manifest) -> list[FileFault]:
    """The names in a manifest that no file of a release may have, or that it has twice; nothing may be read or written then."""
    named = [file["path"] for file in manifest.files()]
    folded = Counter(as_elsewhere(path) for path in _entries(manifest))
    strange = [FileFault(path, says) for path in sorted(set(named)) if (says := _unsafe(path))]
    return strange + [FileFault(p, "the manifest names it twice") for p in sorted(set(named)) if folded[as_elsewhere(p)] > 1]


def as_elsewhere(path: str) -> str:
    """What two names have in common that are one on other systems: but for case, and for how accents are encoded."""
    return unicodedata.normalize("NFC", path).casefold()


def differs(path: Path, entry: dict[str, Any]) -> str:
    """How a file is not as its entry in the manifest says; "" if it is."""
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size != entry["bytes"]:
                return _other_size(size, entry["bytes"])
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return "no such file, but the manifest names it"
    except OSError as fault:
        return f"cannot be read: {fault.strerror}"
    return "" if digest == entry["sha256"] else other_digest(digest, entry["sha256"])


def _other_size(size: int, said: int) -> str:
    return f"has {size:,} bytes, but the manifest says {said:,} ({'cut short' if size < said else 'changed'}?)"


def other_digest(digest: str, said: str, by: str = "manifest") -> str:
    """What is said of a file whose digest is another one."""
    return f"has been changed: sha256 is {digest[:12]}..., but the {by} says {said[:12]}..."


def fetch_files(store: Store, manifest: Manifest, paths: Iterable[str], into: Path, tell: Tell = lambda *_: None) -> None:
    """Fetch files of a release into a folder, each whole and as the manifest says, or not at all.

    Raises ReleaseError for one that is not as the manifest says, also by its name alone; then nothing was fetched.
    """
    entries = _entries(manifest)
    if strange := unsafe_names(manifest):
        raise ReleaseError(store.words, strange)
    wanted = sorted(paths)
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fetch")
    try:
        for number, _ in enumerate(pool.map(lambda path: fetch_file(store, path, entries[path], into), wanted), 1):
            tell("fetch", number, len(wanted))
    finally:
        pool.shutdown(cancel_futures=True)


def fetch_file(store: Store, path: str, entry: dict[str, Any], into: Path) -> None:
    """Stream one file to its place, under another name until it is whole; no more is written than the manifest says."""
    target = into / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as fault:
        raise LoadError(f"{target}: cannot be written: {fault.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as out:
            (_stream_list if path == VERSIONS else _stream)(store, path, entry, out)
        os.replace(name, target)
    finally:
        Path(name).unlink(missing_ok=True)


def _stream_list(store: Store, path: str, entry: dict[str, Any], out: BinaryIO) -> None:
    """The list of releases; it may lie beside the one before, which is still in its place."""
    try:
        _stream(store, path, entry, out)
    except LoadError as fault:
        out.seek(0)
        out.truncate()
        try:
            _stream(store, with_digest(path, entry["sha256"]), entry, out)
        except LoadError:
            raise fault from None


def _stream(store: Store, path: str, entry: dict[str, Any], out: BinaryIO) -> None:
    digest = hashlib.sha256()
    size = 0
    for chunk in store.chunks(path):
        size += len(chunk)
        if size > entry["bytes"]:
            says = f"has more than the {entry['bytes']:,} bytes that the manifest says"
            raise ReleaseError(store.words, [FileFault(path, says)])
        digest.update(chunk)
        try:
            out.write(chunk)
        except OSError as fault:
            raise LoadError(f"{out.name}: cannot be written: {fault.strerror}") from None
    if size != entry["bytes"]:
        raise ReleaseError(store.words, [FileFault(path, _other_size(size, entry["bytes"]))])
    if digest.hexdigest() != entry["sha256"]:
        raise ReleaseError(store.words, [FileFault(path, other_digest(digest.hexdigest(), entry["sha256"]))])
