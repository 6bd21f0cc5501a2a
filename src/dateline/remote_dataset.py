"""dataset/ in an object store as well (`s3://bucket/prefix`): put there by the engine's workers, and turned over to at last.

Data files carry their digest in their names, so none that is there is ever replaced, and whoever reads the dataset before keeps
its files. When all of them are there, the card is replaced, and then the manifest, by which readers go: that is the flip. Each is
replaced only as it was read. Whatever ends it earlier leaves the dataset before (between the two, under the new card), and some
files that need not be sent again; an attempt that was lost, or is made twice, comes to the same objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dateline.engines import Engine
from dateline.errors import PublishError, RefusedError, UsageError, printable
from dateline.layout import RELEASES
from dateline.manifest import CARD, MADE, VERSIONS, Manifest
from dateline.manifest import NAME as MANIFEST
from dateline.objects import ExistsError, Objects
from dateline.project import Project

_FILES_AT_ONCE = 64
"""So many files are one task, for a client takes longer to get than a small file to send."""
_REQUESTS_AT_ONCE = 4


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
            self._sizes = self._objects.sizes(self._objects.prefix)
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
        seen = self._sizes.keys()
        tasks = [
            PutTask(self._objects.words, self._dataset, {path: files[path]["sha256"] for path in some}, frozenset(seen & {*some}))
            for some in batches
        ]
        for task, sent in zip(tasks, engine.map(put_objects, tasks), strict=True):
            out.sent += sent
            out.kept += sorted(task.files.keys() - {*sent})
            out.bytes += sum(files[path]["bytes"] for path in sent)
            tell("put", len(out.sent) + len(out.kept), len(names))
        faces = [VERSIONS] if manifest.versions else []
        with self._objects.told():
            if self._objects.read_with_tag(self._key(MANIFEST))[1] != self._tag:
                raise self._beaten(MANIFEST)
            for name in [*faces, CARD, MANIFEST]:
                self._replace(name, out)
            self._sweep(manifest.paths() | {MANIFEST} | (set() if sweep else self._before), out)
        return out

    def _replace(self, name: str, out: Put) -> None:
        raw = (self._dataset / name).read_bytes()
        there, tag = self._objects.read_with_tag(self._key(name))
        if there == raw:
            out.kept.append(name)
            return
        try:
            self._objects.put(self._key(name), raw, self._tag if name == MANIFEST else tag)
        except ExistsError:
            raise self._beaten(name) from None
        out.sent.append(name)
        out.bytes += len(raw)

    def _beaten(self, name: str) -> PublishError:
        return PublishError(
            f"{self._objects.words}/{name}: somebody else has put another one there meanwhile; run again to put this one there"
        )

    def _sweep(self, keep: set[str], out: Put) -> None:
        """Remove what an earlier build left there; what is called otherwise was put there by somebody else, and stays."""
        for path in sorted(self._sizes):
            if path not in keep and MADE.fullmatch(path):
                self._objects.remove(self._key(path))
                out.swept.append(path)

    def _key(self, path: str) -> str:
        return f"{self._objects.prefix}{path}"

    def _named_by(self, raw: bytes | None) -> set[str]:
        """The files of the dataset there. Raises RefusedError for what is none of this project."""
        words = self._objects.words
        if raw is None:
            strange = [path for path in self._sizes if not MADE.fullmatch(path)]
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
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RefusedError(f"{words}/{MANIFEST}: is no manifest of a dataset; name another prefix") from None
        if name != self._name:
            raise RefusedError(printable(f"{words}: holds the dataset {name!r}, and this is {self._name!r}; name another prefix"))
        return {str(path) for path in named}


def put_objects(task: PutTask) -> list[str]:
    """Put files where there are none yet; the names of those that were sent. Raises PublishError where that cannot be done."""
    objects = _objects(task.address)

    def put(path: str) -> bool:
        key, sha256 = f"{objects.prefix}{path}", task.files[path]
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
