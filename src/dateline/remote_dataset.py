"""dataset/ in an object store as well (`s3://bucket/prefix`): put there by the engine's workers, and turned over to at last.

Data files carry their digest in their names, so none that is there is ever replaced, and whoever reads the dataset before keeps
its files. When all of them are there, the new card (and list of releases) is laid beside the old one, under a name with its
digest, and then the manifest is replaced, only as it was read: that is the flip, and of several who put at once one gets it.
`dateline` finds the card by the manifest, wherever it lies; other readers go by the card, which takes its place now. What ends it
before the flip leaves the dataset that was there, and some files that need not be sent again; an attempt that was lost, or is
made twice, comes to the same objects.

Files that nothing names are removed a day after they were put: until then they may be those of somebody who is about to flip.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dateline.engines import Engine
from dateline.errors import PublishError, RefusedError, UsageError, printable
from dateline.layout import RELEASES
from dateline.manifest import CARD, MADE, VERSIONS, Manifest, with_digest
from dateline.manifest import NAME as MANIFEST
from dateline.objects import ExistsError, Listed, Objects
from dateline.project import Project

_FILES_AT_ONCE = 64
"""So many files are one task, for a client takes longer to get than a small file to send."""
_REQUESTS_AT_ONCE = 4
_TURNS = 5
"""How often a card is put again in the place of somebody's who flipped before."""
_GRACE = datetime.timedelta(days=1)
"""For so long files that nothing names may be those of somebody who is putting a dataset there."""


@dataclass(frozen=True)
class PutTask:
    """Data files to put: the address of the dataset, the folder of the one here, the files' names in both, each with its sha256.

    Of those in `there` objects were seen already.
    """

    address: str
    dataset: Path
    files: Mapping[str, str]
    there: frozenset[str]


@dataclass
class Put:
    """What came of it: the names of the files that were sent, the bytes of these; those there already; those removed."""

    address: str
    sent: list[str]
    bytes: int
    kept: list[str]
    swept: list[str]


class RemoteDataset:
    """The dataset at an address, as it is before this build is put there.

    Raises UsageError for words that are no address in S3; RefusedError for a private project, and where something else lies than
    a dataset of the same name; PublishError where the store cannot be asked.
    """

    def __init__(self, project: Project, address: str) -> None:
        if not address.startswith("s3://"):
            raise UsageError(f"--out {address}: is no address of an object store; write s3://bucket/prefix")
        if project.settings.private:
            raise RefusedError(f"--out {address}: the project is private (private = true); its texts may not be passed on")
        self._objects = _objects(address)
        self._dataset, self._name = project.dataset, project.settings.name
        with self._objects.told():
            self._seen = frozenset(self._listed())
            raw, self._tag = self._objects.read_with_tag(self._key(MANIFEST))
        self._before = self._named_by(raw)

    def put(self, manifest: Manifest, engine: Engine, tell: Callable[[str, int, int], None], *, sweep: bool) -> Put:
        """Put the dataset of the project there, whose manifest is given; with `sweep`, remove files of the one before at once.

        Raises PublishError if that cannot be done now, or somebody else puts another one there meanwhile.
        """
        out = Put(self._objects.words, [], 0, [], [])
        files = {file["path"]: file for file in manifest.files() if file["path"] not in (CARD, VERSIONS)}
        names = sorted(files)
        batches = [names[at : at + _FILES_AT_ONCE] for at in range(0, len(names), _FILES_AT_ONCE)]
        tasks = [
            PutTask(self._objects.words, self._dataset, {path: files[path]["sha256"] for path in some}, self._seen & {*some})
            for some in batches
        ]
        for task, sent in zip(tasks, engine.map(put_objects, tasks), strict=True):
            out.sent += sent
            out.kept += sorted(task.files.keys() - {*sent})
            out.bytes += sum(files[path]["bytes"] for path in sent)
            tell("put", len(out.sent) + len(out.kept), len(names))
        faces = [*([VERSIONS] if manifest.versions else []), CARD]
        with self._objects.told():
            self._put_missing(files, out)
            for name in faces:
                self._lay_beside(name)
            self._flip(out)
            self._put_missing(files, out)  # what somebody took for left behind meanwhile
            for name in faces:
                self._settle(name, out)
            self._sweep(manifest.paths() | {MANIFEST}, out, at_once=sweep)
        return out

    def _put_missing(self, files: Mapping[str, Mapping[str, Any]], out: Put) -> None:
        """Put the data files that the store's list does not have."""
        missing = {path: str(files[path]["sha256"]) for path in sorted(files.keys() - self._listed().keys())}
        if missing:
            put_objects(PutTask(self._objects.words, self._dataset, missing, frozenset()))
            again = missing.keys() - {*out.sent}
            out.sent, out.kept = [*out.sent, *sorted(again)], [path for path in out.kept if path not in again]
            out.bytes += sum(files[path]["bytes"] for path in again)

    def _lay_beside(self, name: str) -> None:
        """Put a card or a list that is to take the place of another where whoever knows its digest finds it."""
        raw = (self._dataset / name).read_bytes()
        if self._objects.read(self._key(name)) != raw:
            with suppress(ExistsError):
                self._objects.put(self._key(_beside(name, raw)), raw)

    def _flip(self, out: Put) -> None:
        raw = (self._dataset / MANIFEST).read_bytes()
        there, tag = self._objects.read_with_tag(self._key(MANIFEST))
        if tag != self._tag:
            raise self._beaten()
        if there == raw:
            out.kept.append(MANIFEST)
            return
        try:
            self._objects.put(self._key(MANIFEST), raw, tag)
        except ExistsError:  # somebody was faster; or it was put, and the answer was lost on its way
            if self._objects.read(self._key(MANIFEST)) != raw:
                raise self._beaten() from None
        out.sent.append(MANIFEST)
        out.bytes += len(raw)

    def _settle(self, name: str, out: Put) -> None:
        """Replace a card or a list by the one that the manifest names, as long as that manifest is ours."""
        raw = (self._dataset / name).read_bytes()
        there, tag = self._objects.read_with_tag(self._key(name))
        known = there == raw
        for _ in range(_TURNS):
            if there == raw or not self._is_ours():
                break
            with suppress(ExistsError):  # one who flipped before us may be as far as this; or an answer was lost
                self._objects.put(self._key(name), raw, tag)
            there, tag = self._objects.read_with_tag(self._key(name))
        else:
            raise PublishError(
                f"{self._objects.words}/{name}: is not what was put there; see who else writes there, and run again"
            )
        if there == raw:
            (out.kept if known else out.sent).append(name)
            out.bytes += 0 if known else len(raw)
        self._objects.remove(self._key(_beside(name, raw)))

    def _is_ours(self) -> bool:
        return self._objects.read(self._key(MANIFEST)) == (self._dataset / MANIFEST).read_bytes()

    def _beaten(self) -> PublishError:
        return PublishError(
            f"{self._objects.words}/{MANIFEST}: somebody else has put another one there meanwhile; "
            "run again to put this one there"
        )

    def _sweep(self, keep: set[str], out: Put, *, at_once: bool) -> None:
        """Remove what an earlier build left there; what is called otherwise was put there by somebody else, and stays.

        That is the files of the dataset before, if they are to go at once, and those that nothing has named for long.
        """
        young = datetime.datetime.now(datetime.UTC) - _GRACE
        there = self._listed()
        if not self._is_ours():
            return
        for path in sorted(there.keys() - keep):
            before = path in self._before
            if MADE.fullmatch(path) and (at_once if before else there[path].modified < young):
                self._objects.remove(self._key(path))
                out.swept.append(path)

    def _listed(self) -> dict[str, Listed]:
        return self._objects.listed(self._objects.prefix)

    def _key(self, path: str) -> str:
        return f"{self._objects.prefix}{path}"

    def _named_by(self, raw: bytes | None) -> set[str]:
        """The files of the dataset there. Raises RefusedError for what is none of this project."""
        words = self._objects.words
        if raw is None:
            strange = [path for path in sorted(self._seen) if not MADE.fullmatch(path)]
            if RELEASES in strange:
                raise RefusedError(f"{words}: holds releases; `dateline publish` puts them there. Name another prefix")
            if strange:
                raise RefusedError(printable(f"{words}/{strange[0]}: is no file of a dataset; name another prefix"))
            return set()
        try:
            said = json.loads(raw)
            name = said["name"]
            named = [file["path"] for table in said["tables"].values() for file in table["files"]]
            named += [file["path"] for file in said.get("validation", ())]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise RefusedError(f"{words}/{MANIFEST}: is no manifest of a dataset; name another prefix") from None
        if name != self._name:
            raise RefusedError(printable(f"{words}: holds the dataset {name!r}, and this is {self._name!r}; name another prefix"))
        return {str(path) for path in named}


def _beside(name: str, raw: bytes) -> str:
    return with_digest(name, hashlib.sha256(raw).hexdigest())


def put_objects(task: PutTask) -> list[str]:
    """Put files where there are none yet; the names of those that were sent. Raises PublishError where that cannot be done."""
    objects = _objects(task.address)

    def put(path: str) -> bool:
        key, sha256 = f"{objects.prefix}{path}", task.files[path]
        with suppress(FileNotFoundError):  # removed since it was seen
            if path in task.there and objects.digest(key) == sha256:
                return False
        try:
            objects.put_file(key, task.dataset / path, sha256)
        except ExistsError:  # another attempt of this task was here, or an answer of ours was lost on its way
            if objects.digest(key) != sha256:
                raise PublishError(
                    printable(f"{task.address}/{path}: is there with other bytes; remove it, and run again")
                ) from None
        return True

    with objects.told(), ThreadPoolExecutor(_REQUESTS_AT_ONCE) as pool:
        return [path for path, sent in zip(task.files, pool.map(put, task.files), strict=True) if sent]


def _objects(address: str) -> Objects:
    objects = Objects(address, doing="writing to", again="running again")
    objects.connect()
    return objects
