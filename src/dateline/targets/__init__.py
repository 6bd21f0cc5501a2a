"""Where releases are published to: a folder, a bucket, the Hugging Face Hub, Zenodo; one file each.

A target says what it has of a version, takes what it lacks, points readers to it, and gives every file back to be compared.
Nothing of a release that is there is ever replaced or removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from dateline.errors import RefusedError, UsageError
from dateline.layout import ATTESTATION, METADATA
from dateline.manifest import CARD, Manifest
from dateline.manifest import NAME as MANIFEST
from dateline.targets.pointer import Pointer

Tell = Callable[[str, int, int], None]
FORMS = "a folder, s3://bucket/prefix, hf://org/name, zenodo:// or zenodo://DEPOSITION"


class Release(Protocol):
    """A release as it is to lie at a target: laid out whole in a folder."""

    @property
    def folder(self) -> Path:
        """Where it lies."""

    @property
    def manifest(self) -> Manifest:
        """What its `manifest.json` says."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def files(self) -> Mapping[str, tuple[str, int]]:
        """Every file of it: path -> sha256 and bytes."""


@dataclass(frozen=True)
class There:
    """What a target has of a version."""

    files: Mapping[str, str] = field(default_factory=dict)
    """Path -> sha256 of what lies there, as far as it was begun."""
    manifest: bytes | None = None
    """Its `manifest.json`; with it, the release is there whole."""
    at_hand: frozenset[str] = frozenset()
    """Digests of files of other releases there, which need not be sent again."""


@dataclass
class Sent:
    """What was done to bring a release to a target."""

    files: list[str] = field(default_factory=list)
    bytes: int = 0
    reused: list[str] = field(default_factory=list)
    """Files that the target had from another release: linked, or copied there."""
    kept: list[str] = field(default_factory=list)
    """Files of this release that were there."""
    requests: int | None = None
    done: list[str] = field(default_factory=list)
    """What else was changed there, in words."""


@dataclass(frozen=True)
class About:
    """What an archive is told of a release beside its files."""

    title: str
    description: str
    license: str
    date: str
    creators: Sequence[Mapping[str, str]] = ()
    keywords: Sequence[str] = ()


class Target(AbstractContextManager["Target"], Protocol):
    """A place that releases are published to; entered while one is, unless nothing is to be written."""

    words: str
    sent: Sent

    def look(self, release: Release, about: About) -> There:
        """What there is of this version. Raises RefusedError if no release may be put there; writes nothing."""

    def send(self, release: Release, there: There, tell: Tell) -> None:
        """Put there what lacks, the manifest last. Raises RefusedError if others put another one there meanwhile."""

    def flip(self, release: Release, pointer: Pointer) -> None:
        """Point readers to the version, and tell what was taken back; nothing is done where that stands already."""

    def fetch(self, release: Release, path: str, to: Path) -> None:
        """Bring a file of the version back, as readers get it."""


def target_of(words: str, *, final: bool = False, dry_run: bool = False) -> Target:
    """The target that words name; nothing is asked of it yet. Raises UsageError for words that name none."""
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", words)
    scheme = found[1].lower() if found else ""
    if final and scheme != "zenodo":
        raise UsageError("--final: is for zenodo:// alone, where a draft is published by it; all else is published at once")
    if scheme == "s3":
        from dateline.targets.bucket import Bucket

        return Bucket(words)
    if scheme == "hf":
        from dateline.targets.hub import Hub

        return Hub(words)
    if scheme == "zenodo":
        from dateline.targets.zenodo import Zenodo

        return Zenodo(words, final=final)
    if scheme:
        raise UsageError(f"{words}: {scheme}:// is no target; name {FORMS}")
    from dateline.targets.directory import Directory

    return Directory(Path(words), dry_run=dry_run)


def in_order(paths: Sequence[str] | Mapping[str, Any]) -> list[str]:
    """Files in the order in which they are put in place: data, metadata, the card, the manifest."""
    last = {**dict.fromkeys(METADATA, 1), CARD: 2, MANIFEST: 3}
    return sorted(paths, key=lambda path: (last.get(path, 0), path))


def lacking(release: Release, there: There) -> list[str]:
    """The files that a target lacks, in order: of what was begun, all that is not there; of a whole release, a signature.

    A release that is there whole under other metadata (a later dateline made ours, or something was taken back since) stays as it
    is, and lacks nothing. Raises RefusedError for a file that lies there with other bytes and would have to be replaced.
    """
    differing = [path for path, digest in sorted(there.files.items()) if release.files.get(path, (digest,))[0] != digest]
    if there.manifest is None and differing:
        raise RefusedError(
            f"{differing[0]} of {release.version}: lies there with other bytes, of a publish that was begun and never finished "
            "(with another key, or another dateline?); nothing is replaced: remove what was begun, then publish again"
        )
    if differing == [ATTESTATION]:
        raise RefusedError(f"{release.version}: is there, signed with another key; nothing is replaced")
    if there.manifest is not None and differing:
        return []
    return in_order([path for path in release.files if path not in there.files])
