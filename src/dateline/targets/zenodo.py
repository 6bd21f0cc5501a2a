"""Zenodo as a target, by its documented deposit API: a draft first, published with `--final` alone, as nobody can take it back.

A record of Zenodo holds at most 100 files, in no folders: the release travels as one archive (ZIP, not compressed, of the same
bytes each time), beside the files that people look at first. A draft that was begun is found by its title and version.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from pathlib import Path
from threading import Lock
from typing import Any

from dateline.errors import PublishError, RefusedError, UsageError, in_one_line
from dateline.layout import METADATA, folder_of
from dateline.manifest import CARD
from dateline.manifest import NAME as MANIFEST
from dateline.patience import MOMENTARY, patiently, seconds_in
from dateline.targets import About, Release, Sent, Tell, There, in_order
from dateline.targets.pointer import Pointer

_HOST = "https://zenodo.org"
_BESIDE = (CARD, MANIFEST, *METADATA)
_CHUNK = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)
_REQUIRED = ("upload_type", "publication_date", "title", "creators", "description", "access_right", "license")
_FIELDS = {*_REQUIRED, "keywords", "version", "notes"}


class Zenodo:
    """A deposit. `ZENODO_TOKEN` opens it; `ZENODO_URL` names another host, such as the sandbox."""

    def __init__(self, words: str, *, final: bool = False) -> None:
        found = re.fullmatch(r"zenodo://(\d*)/?", words, re.IGNORECASE)
        if not found:
            raise UsageError(f"{words}: names no deposit; write zenodo:// for a new one, or zenodo://DEPOSITION, its number")
        self.words = words
        self._deposition = found[1]
        self._final = final
        self._host = os.environ.get("ZENODO_URL", _HOST).rstrip("/")
        if not re.match(r"https://|http://(127\.0\.0\.1|localhost)(:|/|$)", self._host):
            raise UsageError("ZENODO_URL: must begin with https://, as a token is sent there")
        self.sent = Sent(requests=0)
        self._draft: dict[str, Any] = {}
        self._has: set[str] = set()
        self._archive: zipfile.ZipFile | None = None
        self._fetching = Lock()

    def __enter__(self) -> Zenodo:
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_client"):
            self._client.close()
        if hasattr(self, "_work"):
            self._work.cleanup()

    # ---- what there is -----------------------------------------------------------------------------------------

    def look(self, release: Release, about: About) -> There:
        """The files of the deposit whose MD5 is that of ours; of a published one, the release."""
        self._wanted = self._metadata(release, about)
        with self._told():
            self._connect()
            self._pack(release)
            if self._deposition:
                self._draft = self._json("GET", f"/api/deposit/depositions/{self._deposition}")
            else:
                self._draft = self._begun(release) or {}
            listed = {file["filename"]: file["checksum"].removeprefix("md5:") for file in self._draft.get("files", ())}
            same = {name: listed[name] == _md5(path) for name, path in self._parts.items() if name in listed}
            if self._draft.get("submitted"):
                if len(same) < len(self._parts) or not all(same.values()):
                    raise RefusedError(
                        f"{self.words}: deposit {self._draft['id']} is published with other files, and never changes; "
                        "make a new version of it on its page, and name the draft's number"
                    )
                return There(_digests(release), (release.folder / MANIFEST).read_bytes())
            self._has = {name for name, equal in same.items() if equal}
            whole = len(self._has) == len(self._parts)
            return There(_digests(release) if whole else {}, (release.folder / MANIFEST).read_bytes() if whole else None)

    def _begun(self, release: Release) -> dict[str, Any] | None:
        """A deposit of this release that was begun before, or is published."""
        wanted = self._name(release)
        for found in self._json("GET", "/api/deposit/depositions", params={"sort": "mostrecent", "size": 100}):
            said = found.get("metadata", {})
            if said.get("version") == release.version and wanted in said.get("notes", ""):
                return self._json("GET", f"/api/deposit/depositions/{found['id']}")  # type: ignore[no-any-return]
        return None

    # ---- putting it there --------------------------------------------------------------------------------------

    def send(self, release: Release, there: There, tell: Tell) -> None:
        """Make the draft, if there is none, and put each file into its bucket."""
        if there.manifest is not None:
            raise RefusedError(f"{self.words}: deposit {self._draft['id']} lacks files of this release, and never changes")
        with self._told():
            if not self._draft:
                self._draft = patiently(lambda: self._new(release), _is_momentary, _asked_to_wait)
                self.sent.done.append(f"draft {self._draft['id']}")
            total, done = sum(path.stat().st_size for path in self._parts.values()), 0
            for name, path in self._parts.items():
                size = path.stat().st_size
                if name in self._has:
                    self.sent.kept.append(name)
                else:
                    self._put(name, path)
                    self.sent.files.append(name)
                    self.sent.bytes += size
                done += size
                tell("send", done, total)

    def _new(self, release: Release) -> dict[str, Any]:
        """A draft of its own; the one that was made, if only the answer was lost."""
        if begun := self._begun(release):
            return begun
        return self._once("POST", "/api/deposit/depositions", json={"metadata": self._wanted})  # type: ignore[no-any-return]

    def _put(self, name: str, path: Path) -> None:
        """Put one file, and compare the MD5 that Zenodo has of it; once more, if it was cut short."""
        wanted = _md5(path)

        def put() -> None:
            self._tick()
            with path.open("rb") as stream:
                length = {"Content-Length": str(path.stat().st_size), "Content-Type": "application/octet-stream"}
                answer = self._client.put(f"{self._files_at()}/{name}", content=stream, headers=length)
            answer.raise_for_status()
            if answer.json()["checksum"].removeprefix("md5:") != wanted:
                raise _CutShort(f"{name}: has another checksum at Zenodo than here")

        patiently(put, lambda fault: isinstance(fault, _CutShort) or _is_momentary(fault), _asked_to_wait)

    def flip(self, release: Release, pointer: Pointer) -> None:
        """Say what it is; publish it, if that was asked for."""
        if self._draft.get("submitted"):
            return
        metadata = self._wanted
        address = f"/api/deposit/depositions/{self._draft['id']}"
        with self._told():
            if {name: self._draft.get("metadata", {}).get(name) for name in metadata} != metadata:
                self._draft |= self._json("PUT", address, json={"metadata": metadata})
                self.sent.done.append("metadata")
            page = self._draft.get("links", {}).get("html", "")
            if not self._final:
                self.sent.done.append(
                    f"draft {self._draft['id']} is not published; look at it ({page}), then publish with --final"
                )
                return
            try:
                self._json("POST", f"{address}/actions/publish")
            except Exception:  # it may be done, and only the answer was lost
                if not self._json("GET", address).get("submitted"):
                    raise
            self.sent.done.append(f"published {page}")

    def _metadata(self, release: Release, about: About) -> dict[str, Any]:
        """What Zenodo is told, checked by what its documentation asks for. Raises RefusedError for what lacks."""
        said: dict[str, Any] = {
            "upload_type": "dataset", "publication_date": about.date, "title": about.title, "creators": list(about.creators),
            "description": f"<p>{escape(about.description)}</p>", "access_right": "open", "license": about.license.lower(),
            "version": release.version, "notes": self._name(release), "keywords": list(about.keywords),
        }  # fmt: skip
        if lacks := [name for name in _REQUIRED if not said[name] or said[name] == "<p></p>"]:
            where = {"creators": "authors in CITATION.cff", "description": "summary in [tool.dateline]"}
            lacking = ", ".join(where.get(name, f"{name} in [tool.dateline]") for name in lacks)
            raise RefusedError(f"{self.words}: Zenodo asks for {' and '.join(lacks)}; give {lacking}")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", about.date) or not all(one.get("name") for one in about.creators):
            raise RefusedError(f"{self.words}: Zenodo takes days as YYYY-MM-DD, and creators with names; see CITATION.cff")
        assert said.keys() <= _FIELDS
        return said

    def fetch(self, release: Release, path: str, to: Path) -> None:
        """A file of the version, from the archive as it comes back."""
        with self._told(), self._fetching:
            if self._archive is None:
                self._archive = zipfile.ZipFile(self._get(self._name(release)))
            with self._archive.open(path) as source, to.open("wb") as out:
                shutil.copyfileobj(source, out, _CHUNK)

    # ---- single requests ---------------------------------------------------------------------------------------

    def _name(self, release: Release) -> str:
        return f"{release.manifest.name}-{folder_of(release.version)}.zip"

    def _pack(self, release: Release) -> None:
        """The archive, and what lies beside it."""
        self._work = tempfile.TemporaryDirectory(prefix="dateline-zenodo-")
        archive = Path(self._work.name) / self._name(release)
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as out:
            for path in in_order(release.files):
                entry = zipfile.ZipInfo(path, _EPOCH)
                entry.external_attr = 0o644 << 16
                with (release.folder / path).open("rb") as source, out.open(entry, "w", force_zip64=True) as into:
                    while chunk := source.read(_CHUNK):
                        into.write(chunk)
        beside = {name: release.folder / name for name in _BESIDE if name in release.files}
        self._parts: Mapping[str, Path] = {archive.name: archive, **beside}

    def _files_at(self) -> str:
        """The address of the deposit's files, which is told by the host and gets the token, and so must be the host's own."""
        address = str(self._draft["links"]["bucket"])
        if not address.startswith(f"{self._host}/"):
            raise PublishError(f"{self.words}: the files of this deposit do not lie at {self._host}, and nothing goes elsewhere")
        return address

    def _get(self, name: str) -> Path:
        """Bring one file back."""
        to = Path(self._work.name) / f"back-{name}"

        def get() -> Path:
            self._tick()
            with self._client.stream("GET", f"{self._files_at()}/{name}") as answer, to.open("wb") as out:
                answer.raise_for_status()
                for chunk in answer.iter_bytes(_CHUNK):
                    out.write(chunk)
            return to

        return patiently(get, _is_momentary, _asked_to_wait)

    def _connect(self) -> None:
        import httpx2

        token = os.environ.get("ZENODO_TOKEN", "")
        if not token:
            raise PublishError(f"{self.words}: there is no token; set ZENODO_TOKEN, one that may write deposits")
        self._client = httpx2.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60, follow_redirects=False)

    def _json(self, method: str, address: str, **words: Any) -> Any:
        return patiently(lambda: self._once(method, address, **words), _is_momentary, _asked_to_wait)

    def _once(self, method: str, address: str, **words: Any) -> Any:
        self._tick()
        answer = self._client.request(method, self._host + address, **words)
        answer.raise_for_status()
        return answer.json()

    def _tick(self) -> None:
        self.sent.requests = (self.sent.requests or 0) + 1

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever the client raises, as one line."""
        with in_one_line(lambda fault: f"{self.words}: {self._line(fault)}"):
            yield

    def _line(self, fault: Exception) -> str:
        status = getattr(getattr(fault, "response", None), "status_code", 0)
        if status in (401, 403):
            return "Zenodo does not take this token; set ZENODO_TOKEN, one that may write deposits"
        if status == 404:
            return "Zenodo has no such deposit, or none of yours"
        return f"{type(fault).__name__}: {str(fault).splitlines()[0]}; publishing again goes on from here"


class _CutShort(Exception):
    """A file that did not arrive whole."""


def _digests(release: Release) -> dict[str, str]:
    return {path: digest for path, (digest, _) in release.files.items()}


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _is_momentary(fault: BaseException) -> bool:
    if (response := getattr(fault, "response", None)) is not None:
        return response.status_code in MOMENTARY
    return "TransportError" in {kind.__name__ for kind in type(fault).__mro__}


def _asked_to_wait(fault: BaseException) -> float | None:
    response = getattr(fault, "response", None)
    return seconds_in(response.headers.get("retry-after")) if response is not None else None
