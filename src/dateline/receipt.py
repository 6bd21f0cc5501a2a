"""What the last rebuild was made from, so that one from the same is told without being made.

A receipt lies in .dateline/ beside the lock. Its key is a digest of all that a rebuild reads: the files of the engine and the
versions of what it stands on, settings, schemas, seeds, suites, results of baselines, the public key, withheld texts at hand. It
holds what the rebuild said, and digests of the two faces of the dataset and of itself: a receipt that was cut short or edited,
or that is of another build, counts for nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import hashlib
import importlib.metadata
import json
import platform
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dateline.compile.withheld import LeakScan
from dateline.errors import Place, Problem
from dateline.files import write_atomically
from dateline.manifest import CARD
from dateline.manifest import NAME as MANIFEST
from dateline.project import Project
from dateline.validate.waivers import NAME as WAIVERS

NAME = "last-build.json"
_FORMAT = 1
_ENGINE = Path(__file__).parent
_NAME_OF_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Receipt:
    """What a rebuild was made from and what it said; `until` is the last day on which all its waivers hold."""

    key: str
    faces: Mapping[str, str]
    """SHA-256 of the card and of the manifest."""
    warnings: list[Problem]
    leaks: LeakScan
    validated: dict[str, int] | None
    until: str | None


def key_of(project: Project) -> str | None:
    """The digest of all that a rebuild of the project reads; None where some of it cannot be read or named."""
    try:
        digest = hashlib.sha256()
        for name, said in _read(project):
            digest.update(f"{name}\0{said}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()
    except (OSError, importlib.metadata.PackageNotFoundError):
        return None


def ground_of(project: Project) -> str | None:
    """The digest of all but records that the rows of an article follow from; None where some of it cannot be read or named."""
    try:
        digest = hashlib.sha256()
        for name, said in (*_engine(project), *_files("tables", project.seeds / "tables")):
            digest.update(f"{name}\0{said}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()
    except (OSError, importlib.metadata.PackageNotFoundError):
        return None


def _engine(project: Project) -> Iterator[tuple[str, str]]:
    yield "format", str(_FORMAT)
    yield "python", platform.python_version()
    for requirement in sorted(importlib.metadata.requires("dateline") or ()):
        found = _NAME_OF_REQUIREMENT.match(requirement)
        assert found is not None
        yield f"version of {found[0]}", _version(found[0])
    yield from _engine_files(_ENGINE)
    # as they were read: the file may have been edited since
    yield "settings", project.settings_sha256 or _sha256(project.root / "pyproject.toml")
    yield from _files(project.name_of(project.schemas), project.schemas)


def _read(project: Project) -> Iterator[tuple[str, str]]:
    yield from _engine(project)
    settings = project.settings
    if project.records:
        yield from _files(project.records.address, project.records.folder)
    for folder in (project.seeds, project.expectations):
        yield from _files(project.name_of(folder), folder)
    for name in filter(None, (settings.baselines, settings.public_key)):
        path = project.root / name
        yield name, _sha256(path) if path.is_file() else "not there"
    if (texts := project.texts()) is not None:
        yield from _files("texts", texts, "*.txt")


@functools.cache
def _engine_files(folder: Path) -> tuple[tuple[str, str], ...]:
    """The files of the engine, read once: what a process runs stays as it is, whatever becomes of them meanwhile."""
    return tuple(_files("engine", folder))


@functools.lru_cache(256)
def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not there"


def _files(name: str, folder: Path, pattern: str = "*") -> Iterator[tuple[str, str]]:
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob(pattern)}
    for inner, path in sorted(paths.items()):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"{name}/{inner}", _sha256(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---- kept and read again ---------------------------------------------------------------------------------------


def keep(project: Project, receipt: Receipt) -> None:
    """Write the receipt of a rebuild that was just promoted. Where it cannot be written there is none: the next one makes all."""
    said = {"format": _FORMAT, **dataclasses.asdict(receipt)}
    with contextlib.suppress(OSError):
        write_atomically(_path(project), json.dumps({**said, "sha256": _digest(said)}, ensure_ascii=False).encode())


def forget(project: Project) -> None:
    """Remove the receipt; what is about to change the dataset does so first."""
    _path(project).unlink(missing_ok=True)


def kept(project: Project, key: str, today: datetime.date) -> Receipt | None:
    """The receipt of a rebuild from just this, if there is one, it is whole, and the dataset's faces are those that it made."""
    try:
        said = json.loads(_path(project).read_bytes())
        if said.pop("sha256") != _digest(said) or said.pop("format") != _FORMAT or said["key"] != key:
            return None
        if said["until"] is not None and today > datetime.date.fromisoformat(said["until"]):
            return None
        if any(_sha256(project.dataset / name) != digest for name, digest in said["faces"].items()):
            return None
        leaks = said["leaks"]
        told = {name: [_problem(p) for p in leaks[name]] for name in ("warnings", "problems")}
        return Receipt(**{**said, "warnings": [_problem(p) for p in said["warnings"]], "leaks": LeakScan(**{**leaks, **told})})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def faces_of(card: str, manifest: bytes) -> dict[str, str]:
    """What a receipt keeps of the two files that name all others."""
    return {CARD: hashlib.sha256(card.encode()).hexdigest(), MANIFEST: hashlib.sha256(manifest).hexdigest()}


def last_day(project: Project) -> str | None:
    """The day on which the first waiver of the project ends; None where it has none."""
    path = project.expectations / WAIVERS
    if not path.is_file():
        return None
    written = tomllib.loads(path.read_text(encoding="utf-8")).get("waivers", [])
    return min((waiver["expires"].isoformat() for waiver in written), default=None)


def _path(project: Project) -> Path:
    return project.root / ".dateline" / NAME


def _digest(said: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _problem(said: Mapping[str, Any]) -> Problem:
    return Problem(**{**said, "place": Place(**said["place"])})
