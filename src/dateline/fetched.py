"""Releases as they are read: a local one where it lies, a remote one from a cache, each file checked before it is read.

    releases/<sha256 of its manifest>/    manifest, card, versions.json, and the data files that were asked for
    known/<address>.json                  what a source said last: its releases, and which manifest each had
    checked/<folder>.json                 which files were seen to have their digests, by what the system tells of a file

A release is kept under the digest of its manifest, so versions and sources never mix, and what two sources have is there once.
Every file is put in place whole (`release_files`), so loads at the same time do no harm. A file that was checked is hashed again
once its inode, its size, or a time of it has changed; one that changed within the last seconds always is, as clocks are coarse.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dateline.errors import LoadError
from dateline.files import write_atomically
from dateline.layout import Published, Releases, choose, read_releases
from dateline.manifest import CARD, Manifest, read_manifest
from dateline.manifest import NAME as MANIFEST
from dateline.release_files import FileFault, ReleaseError, differs, fetch_files, unsafe_names
from dateline.sources import Place, card_of, is_address, manifest_in, parted, place
from dateline.stores import Commit, Store, UnreachableError

_COARSE = 2_000_000_000
"""Nanoseconds within which a change may leave a file's times as they were."""


@dataclass(frozen=True)
class Opened:
    """A release whose manifest was checked, and is at hand; its data files are once `bring` returns."""

    words: str
    """What messages call it."""
    folder: Path
    manifest: Manifest
    cache: Cache
    listing: Releases | None = None
    """The releases of its source."""
    store: Store | None = None
    """Where a remote one is fetched from; None for a local one, and where nobody answers."""
    silent: UnreachableError | None = None
    """Why nobody answers, if so."""
    guessed: bool = False
    """Whether a newer release that fits may be there, which nobody could tell."""

    def bring(self, paths: Iterable[str]) -> None:
        """Have these files in the folder, each as the manifest says: a remote one's are fetched where they lack or are damaged.

        Raises ReleaseError for a local one's that are not, LoadError where they cannot be fetched.
        """
        wrong = self.cache.unlike(self.folder, self.manifest, paths)
        if wrong and self.silent is not None:
            damaged = [fault for fault in wrong if (self.folder / fault.file).exists()]
            what = f"in the cache {damaged[0]}" if damaged else f"{wrong[0].file} is not in the cache"
            raise UnreachableError(f"{self.words}: {what}, and it cannot be fetched now: {self.silent}")
        if wrong and self.store is None:
            raise ReleaseError(self.words, wrong)
        if wrong and self.store is not None:
            fetch_files(self.store, self.manifest, [fault.file for fault in wrong], self.folder)

    def has(self, paths: Iterable[str]) -> bool:
        """Whether these files are in the folder, as the manifest says."""
        return not self.cache.unlike(self.folder, self.manifest, paths)


@dataclass(frozen=True)
class Cache:
    """What was fetched, and what was checked, in a folder; `cache_folder` says where."""

    root: Path

    def open(self, words: str, version: str | None = None, options: Mapping[str, Any] | None = None) -> Opened:
        """The release that words (and a version) name, see `sources.place`; if nobody answers, what is here of that very one."""
        if not is_address(words):
            found = place(words, version)
            assert found.folder is not None
            manifest = manifest_in(found, found.folder)
            _refuse_names(found, manifest)
            return Opened(found.words, found.folder, manifest, self, found.listing)
        source, wanted = parted(words, version)
        known = _Known(self.root / "known" / f"{hashlib.sha256(source.encode()).hexdigest()[:24]}.json")
        try:
            found = place(words, version, options=options)
            folder, manifest = self._documents(found, known, wanted)
        except UnreachableError as fault:
            return self._remembered(source, wanted, known, fault)
        return Opened(found.words, folder, manifest, self, found.listing, found.store)

    def _documents(self, found: Place, known: _Known, wanted: str | None) -> tuple[Path, Manifest]:
        """The folder of a remote release in the cache, with what tells of it: manifest, card, list of versions."""
        commit = found.store.commit if isinstance(found.store, Commit) else ""
        digest = found.release.manifest_sha256 if found.release else ""
        name = found.version or (wanted if commit else None) or ""
        entry = known.manifests.get(name, {})
        if commit and entry.get("commit") == commit:
            digest = entry["sha256"]
        opened = self._kept(digest)
        if opened is None:
            raw = found.read(MANIFEST)
            digest = hashlib.sha256(raw).hexdigest()
            folder = self.root / "releases" / digest
            self._put(folder, {MANIFEST: raw, CARD: card_of(found, raw)})
            try:
                opened = folder, read_manifest(folder)
            except LoadError as fault:  # it names the copy, but the fault is the release's
                raise LoadError(str(fault).replace(str(folder), found.words)) from None
        folder, manifest = opened
        found.check(manifest, (folder / MANIFEST).read_bytes())
        _refuse_names(found, manifest)
        if manifest.versions and (wrong := self.unlike(folder, manifest, [manifest.versions["path"]])):
            fetch_files(found.store, manifest, [wrong[0].file], folder)
        known.keep(found.listing, name, {"sha256": digest, "commit": commit})
        return folder, manifest

    def _put(self, folder: Path, documents: Mapping[str, bytes]) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, raw in documents.items():
                write_atomically(folder / name, raw)
        except OSError as fault:
            raise LoadError(f"{folder}: cannot be written: {fault.strerror}; name another folder with cache_dir=") from None

    def _kept(self, digest: str) -> tuple[Path, Manifest] | None:
        """A release of the cache whose manifest and card are whole; None if there is none."""
        folder = self.root / "releases" / (digest or "none")
        try:
            if hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest() == digest:
                return folder, read_manifest(folder)
        except (OSError, LoadError):  # never fetched, or damaged since
            pass
        return None

    def _remembered(self, source: str, wanted: str | None, known: _Known, fault: UnreachableError) -> Opened:
        """The release from what is here: the one that the source, as it was last seen, would give, and no other."""
        listing, chosen, name = known.listing, None, wanted or ""
        if listing is not None and (name not in known.manifests or listing.of(name)):
            chosen = choose(listing, wanted, f"{source} (as it last was; it cannot be reached now)")
            name = chosen.version
        alone = name not in known.manifests and listing is None  # one release at one address: is it the one that is wanted?
        kept = self._kept(known.manifests.get("" if alone else name, {}).get("sha256", ""))
        if kept is None or (alone and wanted and not _fits(kept[1].version, wanted)):
            there = [kept[1].version for entry in known.manifests.values() if (kept := self._kept(entry["sha256"]))]
            what = f"{name or 'it'} is not in the cache, which has {', '.join(sorted(there)) or 'nothing of it'}"
            raise UnreachableError(f"{fault}; {what}") from None
        folder, manifest = kept
        exact = alone or _is_exact(wanted or "", chosen)
        words = f"{source}@{name}" if name else source
        return Opened(words, folder, manifest, self, listing, None, fault, guessed=not exact)

    def unlike(self, folder: Path, manifest: Manifest, paths: Iterable[str]) -> list[FileFault]:
        """Which of these files are not there as the manifest says; nothing is hashed that was, and has not changed since."""
        entries = {file["path"]: file for file in manifest.files()}
        where = f"{os.path.abspath(folder)} {manifest.content_digest}"
        stamps = _Stamps(self.root / "checked" / f"{hashlib.sha256(where.encode()).hexdigest()[:24]}.json")
        faults = []
        for path in paths:
            if not stamps.knows(folder / path, entries[path]):
                if says := differs(folder / path, entries[path]):
                    faults.append(FileFault(path, says))
                else:
                    stamps.add(folder / path, entries[path])
        stamps.keep()
        return faults


def cache_folder(cache_dir: str | os.PathLike[str] | None) -> Path:
    """Where fetched releases are kept: in `cache_dir`, or beside what Hugging Face's libraries fetch (HF_HOME)."""
    from huggingface_hub.constants import HF_HOME

    return Path(cache_dir or HF_HOME).expanduser() / "dateline"


def _refuse_names(found: Place, manifest: Manifest) -> None:
    if faults := unsafe_names(manifest):
        raise ReleaseError(found.words, faults)


def _is_exact(wanted: str, chosen: Published | None) -> bool:
    """Whether a version, or a commit, was asked for, and not a range or a branch, which may mean another one by now."""
    if chosen is None:
        return re.fullmatch(r"[0-9a-f]{40}", wanted) is not None
    return wanted.strip().lstrip("=v ") == chosen.version


def _fits(version: str, wanted: str) -> bool:
    try:
        return bool(choose(Releases("", [Published(version, "", "", "")]), wanted, ""))
    except LoadError:
        return False


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep_json(path: Path, said: Mapping[str, Any]) -> None:
    """Keep it if that can be: a cache that cannot be written costs time, and nothing else."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(said).encode())
    except OSError:
        pass


class _Known:
    """What a source said when it was last asked."""

    def __init__(self, path: Path) -> None:
        self._path, self._said = path, _json(path)
        self.manifests: dict[str, dict[str, str]] = self._said.get("manifests", {})

    @property
    def listing(self) -> Releases | None:
        """Its releases."""
        said = self._said.get("releases")
        return read_releases(json.dumps(said).encode(), str(self._path)) if said else None

    def keep(self, listing: Releases | None, name: str, entry: dict[str, str]) -> None:
        """Keep what it said of its releases, and the manifest of one of them."""
        said = {"releases": json.loads(listing.encode()) if listing else None, "manifests": {**self.manifests, name: entry}}
        if said != self._said:
            _keep_json(self._path, said)


class _Stamps:
    """Files that had their digests when they were hashed, each with what the system told of it then."""

    def __init__(self, path: Path) -> None:
        self._path, self._seen = path, _json(path)
        self._changed = False

    def knows(self, path: Path, entry: Mapping[str, Any]) -> bool:
        """Whether the file was seen to have its digest, and nothing has changed since."""
        facts = _facts(path, entry)
        return facts is not None and self._seen.get(entry["path"]) == facts

    def add(self, path: Path, entry: Mapping[str, Any]) -> None:
        """The file has its digest."""
        facts = _facts(path, entry)
        if facts and time.time_ns() - max(facts[-2:]) > _COARSE:
            self._seen[entry["path"]] = facts
            self._changed = True

    def keep(self) -> None:
        """Keep what was added."""
        if self._changed:
            _keep_json(self._path, self._seen)


def _facts(path: Path, entry: Mapping[str, Any]) -> list[Any] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return [entry["sha256"], found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns]
