"""How releases lie at a publish target: each whole under its version, and one small file that says which there are.

In a folder and in a bucket:

    releases.json        the pointer, replaced last and at once: what is published, what was yanked or retracted
    v0.1.0/              a release as it is loaded: README.md, manifest.json, data, and what was made to publish it
    v0.2.0/

On the Hugging Face Hub a release is a commit on `main` with a tag `v0.2.0`; what was taken back stands in `versions.json` there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from dateline.errors import InputError, LoadError
from dateline.typed import misfits
from dateline.versions import numbers

RELEASES = "releases.json"
CROISSANT = "croissant.json"
CITATION = "CITATION.cff"
SUMS = "SHA256SUMS"
ATTESTATION = "attestation.intoto.jsonl"
SITE = "site.zip"
METADATA = (CROISSANT, CITATION, SITE, SUMS, ATTESTATION)
"""What a published release has beside the files that its manifest names; all but the last two stand in `SHA256SUMS`."""
OPTIONAL = (SITE, ATTESTATION)
"""What of that a release need not have."""
FORMAT = 1
_FOLDER = re.compile(r"v(\d+\.\d+\.\d+)")


def folder_of(version: str) -> str:
    """The folder, or the tag, of a version: `v0.2.0`."""
    return f"v{version.removeprefix('v')}"


def version_of(folder: str) -> str | None:
    """The version that a folder, or a tag, is named after; None for another name."""
    found = _FOLDER.fullmatch(folder)
    return found[1] if found else None


@dataclass(frozen=True)
class Published:
    """One release at a target."""

    version: str
    date: str
    manifest_sha256: str
    content_digest: str
    yanked: dict[str, str] | None = None
    """`reason` and `date`, of a release that was taken back."""


@dataclass(frozen=True)
class Releases:
    """What `releases.json` holds; the releases in the order of their versions."""

    name: str
    releases: list[Published] = field(default_factory=list)
    retracted: list[dict[str, Any]] = field(default_factory=list)
    """Articles taken back, as in `versions.json`."""
    format: int = FORMAT

    @property
    def latest(self) -> str | None:
        """The highest version that was not yanked; None if there is none."""
        standing = [release.version for release in self.releases if release.yanked is None]
        return max(standing, key=numbers, default=None)

    def of(self, version: str) -> Published | None:
        """The release of a version; None if it is not published here."""
        return next((release for release in self.releases if release.version == version), None)

    def encode(self) -> bytes:
        """The bytes of the file."""
        said = {"format": self.format, "name": self.name, "latest": self.latest}
        rest = {"releases": [asdict(release) for release in self.releases], "retracted": self.retracted}
        return (json.dumps({**said, **rest}, ensure_ascii=False, indent=1) + "\n").encode()


def with_release(releases: Releases, added: Iterable[Published], retracted: list[dict[str, Any]]) -> Releases:
    """The same with further releases; one of a version that is there replaces it."""
    found = {release.version: release for release in (*releases.releases, *added)}
    return Releases(releases.name, sorted(found.values(), key=lambda release: numbers(release.version)), retracted)


def read_releases(raw: bytes, where: str) -> Releases:
    """What the bytes of a `releases.json` say; `where` names it in messages. Raises LoadError if they are none."""
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError) as fault:
        raise LoadError(f"{where}: is no list of releases: {fault}") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise LoadError(
            f"{where}: has format {said.get('format') if isinstance(said, dict) else None!r}; this dateline reads {FORMAT}"
        )
    said = {name: value for name, value in said.items() if name != "latest"}
    for wrong in misfits(said, Releases):
        raise LoadError(f"{where}: is no list of releases: {wrong.where} is {wrong.found}, but must be {wrong.expected}")
    entries = said["releases"]
    for number, entry in enumerate(entries):
        for wrong in misfits(entry, Published, f"releases[{number}]"):
            raise LoadError(f"{where}: is no list of releases: {wrong.where} is {wrong.found}, but must be {wrong.expected}")
        if version_of(f"v{entry['version']}") is None or entry["version"] in {one["version"] for one in entries[:number]}:
            raise LoadError(f"{where}: is no list of releases: {entry['version']!r} is no version, or is listed twice")
        if not is_entry(entry):
            raise LoadError(f"{where}: is no list of releases: {entry['version']} is yanked for no reason")
    if not all(map(is_retracted, said["retracted"])):
        raise LoadError(f"{where}: is no list of releases: retracted must name each article, why, and in which release")
    return Releases(**{**said, "releases": [Published(**entry) for entry in entries]})


def is_entry(said: Any) -> bool:
    """Whether something is what a list says of one release: strings, and, of one that was taken back, why."""
    if not isinstance(said, dict) or not all(isinstance(said.get(name), str) for name in ("version", "date", "content_digest")):
        return False
    yanked = said.get("yanked")
    return yanked is None or (isinstance(yanked, dict) and isinstance(yanked.get("reason"), str))


def is_retracted(said: Any) -> bool:
    """Whether something is what a list says of an article that was taken back."""
    if not isinstance(said, dict) or not all(isinstance(said.get(name), str) for name in ("article_id", "reason")):
        return False
    since = said.get("retracted_in")
    return since is None or (isinstance(since, str) and version_of(f"v{since}") is not None)


def choose(releases: Releases, wanted: str | None, where: str) -> Published:
    """The release that is meant by a version (`0.2.0`, `v0.2.0`), a range (`~=0.2`, `>=0.1,<0.3`), or None: the newest.

    Of a range it is the newest, too. As with pip, one that was yanked is had by its exact version alone. Raises InputError for
    words that are no version and no range; LoadError, with what there is, if no release is meant.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    spec = (wanted or "").strip()
    exact = re.fullmatch(r"(?:={2,3}\s*)?v?(\d+(?:\.\d+)*)", spec)
    try:
        meant = SpecifierSet(f"=={exact[1]}" if exact else spec)
    except InvalidSpecifier:
        raise InputError(
            f"{where}: {wanted!r} is no version and no range of versions; write 0.2.0, ~=0.2 or >=0.1,<0.3"
        ) from None
    fitting = [release for release in releases.releases if meant.contains(release.version)]
    if found := [release for release in fitting if exact or release.yanked is None]:
        return max(found, key=lambda release: numbers(release.version))
    if fitting:
        taken = "; ".join(f"{r.version}: {(r.yanked or {}).get('reason')}" for r in fitting[-3:])
        those = f"all that {spec} would fit were" if spec else "all releases were"
        raise LoadError(f"{where}: {those} yanked ({taken}); name one by its exact version to have it all the same")
    there = ", ".join(r.version + (" (yanked)" if r.yanked else "") for r in releases.releases)
    raise LoadError(f"{where}: there is no release {spec}; there are {there}" if there else f"{where}: there is no release yet")
