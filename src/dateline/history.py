"""What git remembers of a dataset: the commits at which it was a released version, and its files as they were there.

Git is asked by its plumbing, in a process of its own, names as arguments, never through a shell. A release is found by the
`version` that its `dataset/manifest.json` says, so tags are not needed; the project may lie in a folder of a larger repository.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dateline.errors import LoadError
from dateline.ledger import UNRELEASED
from dateline.manifest import NAME as MANIFEST
from dateline.manifest import read_manifest
from dateline.release_files import ReleaseError, check_files
from dateline.versions import numbers

VERSION = re.compile(r"v?(\d+\.\d+\.\d+)")
_DATASET = "dataset"


@dataclass(frozen=True)
class Release:
    """A released version in the history: the oldest commit whose manifest has these contents under this version."""

    version: str
    commit: str
    content_digest: str


class History:
    """The git history of a project in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def is_repository(self) -> bool:
        """Whether the project lies in a git repository that has commits. Raises LoadError if git is not installed."""
        return bool(self._ask("rev-parse", "--verify", "--quiet", "HEAD"))

    def is_shallow(self) -> bool:
        """Whether older commits were left out when the repository was cloned."""
        return self._ask("rev-parse", "--is-shallow-repository") == "true"

    def is_dirty(self, paths: Iterable[Path] = ()) -> bool:
        """Whether files under `paths` (by default the whole project) differ from the last commit, new ones included."""
        return bool(self.dirty(paths))

    def dirty(self, paths: Iterable[Path] = ()) -> list[str]:
        """The files under `paths` (by default the whole project) that differ from the last commit, new ones included."""
        named = [str(path) for path in paths] or ["."]
        said = self._run(["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *named]).stdout.decode()
        return [entry[3:] for entry in said.split("\0") if entry]

    def commit_of(self, revision: str) -> str | None:
        """The full name of the commit that a revision (`HEAD~2`, a branch, a tag) names; None if it names none."""
        if revision.startswith("-"):
            return None
        return self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}") or None

    def releases(self) -> list[Release]:
        """The released versions in the history of HEAD, newest first, each once."""
        found: dict[str, Release] = {}
        if not self.is_repository():
            return []
        commits = (self._ask("rev-list", "HEAD", "--", f"{_DATASET}/{MANIFEST}") or "").split()
        for commit, manifest in zip(commits, self._manifests(commits), strict=True):
            version, digest = _version_of(manifest)
            known = found.get(version)
            if version != UNRELEASED and (known is None or known.content_digest == digest):
                found[version] = Release(version, commit, digest)
        return sorted(found.values(), key=lambda release: numbers(release.version), reverse=True)

    def find_release(self, version: str) -> str:
        """The commit of a released version (`0.1.0` or `v0.1.0`). Raises LoadError that says what there is instead."""
        wanted = version.removeprefix("v")
        releases = self.releases()
        for release in releases:
            if release.version == wanted:
                return release.commit
        raise LoadError(f"{version}: {self._why_not(wanted, [release.version for release in releases])}")

    def commit_with(self, manifest: bytes) -> str | None:
        """The oldest commit in the history of HEAD whose dataset has exactly this manifest; None if there is none."""
        commits = (self._ask("rev-list", "HEAD", "--", f"{_DATASET}/{MANIFEST}") or "").split()
        same = [commit for commit, raw in zip(commits, self._manifests(commits), strict=True) if raw == manifest]
        return same[-1] if same else None

    def _why_not(self, version: str, known: list[str]) -> str:
        if not self.is_repository():
            return f"a version is looked for in git history, and {self.root} lies in no git repository; name a folder"
        if version == UNRELEASED:
            return f"that is what builds between releases are called; name a commit ({_listed(known, 'or a release: ')})"
        if self.is_shallow():
            return (
                f"no such release in the part of the history that is here ({_listed(known)}), for the clone is shallow; "
                "get the rest: git fetch --unshallow"
            )
        return f"no such release in the history of {self.root} ({_listed(known)})"

    def _manifests(self, commits: list[str]) -> Iterator[bytes]:
        """The bytes of the manifest at each commit; none where there is no manifest."""
        prefix = self._ask("rev-parse", "--show-prefix") or ""
        names = "".join(f"{commit}:{prefix}{_DATASET}/{MANIFEST}\n" for commit in commits)
        output = self._run(["cat-file", "--batch"], names.encode()).stdout
        at = 0
        for _ in commits:
            end = output.index(b"\n", at)
            head, at = output[at:end], end + 1
            if head.endswith(b"missing"):
                yield b""
                continue
            size = int(head.rsplit(b" ", 1)[1])
            yield output[at : at + size]
            at += size + 1

    def extract(self, commit: str, into: Path) -> Path:
        """The dataset as it was at a commit, in a new folder below `into`; every file is as the manifest there says.

        Raises LoadError if there is none, or one that this dateline does not read; ReleaseError if a file is not as it should be.
        """
        prefix = self._ask("rev-parse", "--show-prefix") or ""
        listed = self._run(["ls-tree", "-r", "-z", "--full-tree", commit, "--", f"{prefix}{_DATASET}/"]).stdout.decode()
        entries = [entry.split("\t", 1) for entry in listed.split("\0") if entry]
        folder = into / _DATASET
        files = {
            name.removeprefix(f"{prefix}{_DATASET}/"): about.split()[2]
            for about, name in entries
            if about.startswith("100")  # no symbolic links, no submodules
        }
        if MANIFEST not in files:
            raise LoadError(f"{commit[:12]}: has no {prefix}{_DATASET}/{MANIFEST}; there was no dataset yet")
        for name, blob in files.items():
            self._write(blob, folder / name)
        try:
            manifest = read_manifest(folder)
        except LoadError as fault:  # it names the copy, but the fault is the commit's
            raise LoadError(str(fault).replace(f"{folder}/", f"{prefix}{_DATASET}/ of {commit[:12]}: ")) from None
        if faults := [fault for fault in check_files(folder, manifest) if fault.level == "error"]:
            raise ReleaseError(f"{prefix}{_DATASET} of {commit[:12]}", faults)
        return folder

    def _write(self, blob: str, path: Path) -> None:
        """Stream one file of the history to its place."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as out:
                done = subprocess.run([*self._git(), "cat-file", "blob", blob], stdout=out, stderr=subprocess.PIPE, check=False)
        except OSError as fault:
            raise LoadError(f"{path}: cannot be written: {fault.strerror}") from None
        if done.returncode:
            raise LoadError(f"git cannot read {path.name} ({_line(done.stderr)}); git fsck says what is damaged")

    # ---- git -----------------------------------------------------------------------------------------------------

    def _git(self) -> list[str]:
        return ["git", "-C", str(self.root), "-c", "core.quotePath=false"]

    def _ask(self, *words: str) -> str | None:
        """What a question prints; None where the answer is no."""
        done = self._run(list(words))
        return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None

    def _run(self, words: list[str], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        # what a hook or an alias of the caller's set would lead git elsewhere
        strange = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
        environment = {name: value for name, value in os.environ.items() if name not in strange} | {"LC_ALL": "C"}
        try:
            done = subprocess.run([*self._git(), *words], input=given, capture_output=True, env=environment, check=False)
        except FileNotFoundError:
            raise LoadError(
                "git is not installed, and versions are looked for in git history; install it, or name folders"
            ) from None
        except OSError as fault:
            raise LoadError(f"git cannot be run: {fault.strerror}") from None
        if b"dubious ownership" in done.stderr:
            raise LoadError(f"{self.root}: git does not read a repository of another user; run the command that it names: "
                            f"git config --global --add safe.directory {self.root}")  # fmt: skip
        return done


def _version_of(manifest: bytes) -> tuple[str, str]:
    try:
        said = json.loads(manifest)
        version, digest = said["version"], said["content_digest"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return UNRELEASED, ""
    return (version, str(digest)) if isinstance(version, str) and VERSION.fullmatch(version) else (UNRELEASED, "")


def _listed(versions: list[str], lead: str = "there are ") -> str:
    return f"{lead}{', '.join(versions)}" if versions else "there is none yet"


def _line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[0] if lines else "it does not say why"
