"""A release as it is published: the files of dataset/, byte for byte, and what is made from them to publish it.

The same release gives the same bytes on any day and any machine: no clock is read, dates are those of the release. So a publish
that was killed is finished by doing it again, and other bytes under a version that is published are another content.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dateline.attestation import sign, statement
from dateline.describe.card import described_in
from dateline.describe.citation import citation, with_version
from dateline.describe.croissant import croissant
from dateline.errors import InputError, ProjectError
from dateline.files import lay
from dateline.history import History
from dateline.keys import PrivateKey
from dateline.layout import ATTESTATION, CITATION, CROISSANT, SITE, SUMS
from dateline.ledger import UNRELEASED
from dateline.licences import Licences, read_licences
from dateline.manifest import CARD, Manifest, read_manifest, read_versions
from dateline.manifest import NAME as MANIFEST
from dateline.project import Project
from dateline.release_files import check_files

Files = dict[str, tuple[str, int]]
"""Of each file by its path in the release: sha256 and bytes."""


@dataclass(frozen=True)
class Staged:
    """A release laid out in a folder, whole, as it will lie at a target."""

    folder: Path
    manifest: Manifest
    version: str
    files: Files
    """Every file of the release, the attestation too."""


def stage(project: Project, into: Path, *, key: PrivateKey | None = None, site: Path | None = None) -> Staged:
    """Lay the release in dataset/ into the folder `into`, which is made if need be, in its published form; signed, with a key.

    `site` is the archive of its site, if that is to lie beside it.

    Raises ProjectError for a private project and for a dataset/ that is no release, or that was changed by hand; InputError for
    a folder that holds something already.
    """
    manifest = _release_of(project)
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise InputError(f"{into}: is not empty; a release is laid out in a folder of its own")
    into.mkdir(parents=True, exist_ok=True)
    files: Files = {file["path"]: (file["sha256"], file["bytes"]) for file in manifest.files()}
    for path in (*files, MANIFEST):
        lay(project.dataset / path, into / path)
    files[MANIFEST] = _digest_and_size((into / MANIFEST).read_bytes())
    facts = _about(project, manifest)
    described = described_in((into / CARD).read_text(encoding="utf-8"))
    said = croissant(manifest, project.settings, described, facts.licences, facts.date, facts.commit)
    files |= _write(into, CROISSANT, said.encode())
    files |= _write(into, CITATION, _citation(project, manifest.version, facts.date).encode())
    if site is not None:
        lay(site, into / SITE)
        with site.open("rb") as stream:
            files[SITE] = hashlib.file_digest(stream, "sha256").hexdigest(), site.stat().st_size
    files |= _write(into, SUMS, sums(files).encode())
    if key is not None:
        digests = {path: digest for path, (digest, _) in files.items()}
        signed = statement(manifest, digests, facts.licences, facts.date, facts.commit, _validation(into, manifest))
        files |= _write(into, ATTESTATION, sign(signed, key))
    return Staged(into, manifest, manifest.version, files)


def sums(files: Mapping[str, tuple[str, int]]) -> str:
    """`SHA256SUMS`, as `sha256sum` writes it, of all files but itself and the attestation; in the order of names."""
    return "".join(f"{files[path][0]}  {path}\n" for path in sorted(files) if path not in (SUMS, ATTESTATION))


# ---- what is published ---------------------------------------------------------------------------------------


def _release_of(project: Project) -> Manifest:
    """The manifest of dataset/, which is a release as it was made, and may be published."""
    if project.settings.private:
        raise ProjectError(
            f"{project.settings.name}: is private (private = true in pyproject.toml): its texts may not be passed on, so nothing "
            "of it is published"
        )
    name = project.name_of(project.dataset)
    manifest = read_manifest(project.dataset)
    if manifest.hydrated_from is not None:
        raise ProjectError(f"{name}: is a hydrated copy, with texts that may not be passed on; nothing of it is published")
    faults = [fault for fault in check_files(project.dataset, manifest) if fault.level == "error"]
    if faults:
        more = f" (and {len(faults) - 1} more such files)" if len(faults) > 1 else ""
        raise ProjectError(f"{name}/{faults[0]}{more}; dataset/ is never edited: run `dateline rebuild`, then publish")
    if manifest.version == UNRELEASED:
        raise ProjectError(
            f"{name}: is a build between releases (version {UNRELEASED}), and only a release is published; run "
            "`dateline release`, or check out the commit of one"
        )
    return manifest


@dataclass(frozen=True)
class _About:
    """What is known of a release beside its manifest."""

    date: str
    commit: str | None
    licences: Licences


def _about(project: Project, manifest: Manifest) -> _About:
    settings = project.settings
    found = read_licences(project.dataset, manifest.tables, manifest.links, settings.license, settings.code_license)
    return _About(_entry(project, manifest)["date"], _commit(project), found)


def _validation(folder: Path, manifest: Manifest) -> dict[str, Any] | None:
    """How validation ended, as the release keeps it; None where there were no suites."""
    for file in manifest.validation:
        if "/result-" in file["path"]:
            found: dict[str, Any] = json.loads((folder / file["path"]).read_bytes())
            return found
    return None


def _entry(project: Project, manifest: Manifest) -> dict[str, Any]:
    """What versions.json says of the release."""
    listed = read_versions(project.dataset, manifest) or {"versions": []}
    for release in listed["versions"]:
        if release["version"] == manifest.version:
            found: dict[str, Any] = release
            return found
    raise ProjectError(
        f"{project.name_of(project.dataset)}/versions.json: lists no release {manifest.version}, but manifest.json says that "
        "this is one; run `dateline rebuild`"
    )


def _commit(project: Project) -> str | None:
    """The commit that brought dataset/ as it is; None without git, or while nothing is committed."""
    history = History(project.root)
    if shutil.which("git") is None or not history.is_repository():
        return None
    return history.commit_with((project.dataset / MANIFEST).read_bytes())


def _citation(project: Project, version: str, date: str) -> str:
    """The project's own CITATION.cff with the release's version and day; one made of the settings where there is none."""
    path = project.root / CITATION
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return citation(project.settings, version, date)
    except (OSError, UnicodeDecodeError) as fault:
        raise ProjectError(f"{CITATION}: cannot be read as UTF-8 text: {fault}") from None
    return with_version(text, version, date)


# ---- how it is laid out --------------------------------------------------------------------------------------


def _write(folder: Path, path: str, raw: bytes) -> Files:
    (folder / path).write_bytes(raw)
    return {path: _digest_and_size(raw)}


def _digest_and_size(raw: bytes) -> tuple[str, int]:
    return hashlib.sha256(raw).hexdigest(), len(raw)
