"""diff: from words to two datasets in folders, and what differs between them.

Words name a dataset in a folder, at an address, in git history (by the version that was released, or by any revision), or the one
that seeds/ give as they stand. Every file is checked by its digest before it is compared: what was changed by hand is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dateline.diff.bump import LAWS
from dateline.diff.changes import Diff
from dateline.diff.compare import diff
from dateline.engines import Engine
from dateline.errors import InputError, LoadError, Problem, ProjectError
from dateline.history import VERSION, History
from dateline.ledger import read_ledger
from dateline.manifest import Manifest, read_manifest
from dateline.project import Project, find_project
from dateline.release_files import Tell
from dateline.sources import fetch_release, is_release, local_path

WORKTREE = (".", "worktree")
"""Words for what seeds/ give as they stand."""


@dataclass(frozen=True)
class Place:
    """One of the two datasets, as a folder."""

    words: str
    folder: Path
    manifest: Manifest
    commit: str | None = None

    def as_json(self) -> dict[str, Any]:
        """What it is, as plain JSON types."""
        return {
            "words": self.words, "name": self.manifest.name, "version": self.manifest.version, "commit": self.commit,
            "content_digest": self.manifest.content_digest, "logical_digest": self.manifest.logical_digest,
        }  # fmt: skip


@dataclass(frozen=True)
class Differing:
    """Two datasets and what differs between them; or the problems of the seeds for which one of them cannot be built."""

    old: Place | None = None
    new: Place | None = None
    diff: Diff = field(default_factory=lambda: Diff([]))
    problems: list[Problem] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON types."""
        found = self.diff
        forced = [] if found.bump == "patch" else found.forcing(found.bump)
        return {
            "success": True,
            "old": self.old.as_json() if self.old else None,
            "new": self.new.as_json() if self.new else None,
            "bump": found.bump,
            "why": [change.as_json() | {"says": LAWS[change.why].says} for change in forced],
            "counts": found.counts(),
            "articles": found.articles,
            "changes": [change.as_json() for change in found.changes],
            "projected": found.projected,
        }


class _Unbuilt(Exception):
    """Seeds with problems."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems


def differ(
    old: str | None, new: str | None, start: Path, work: Path, engine: Engine, *, policy: str | None = None,
    tell: Tell = lambda *_: None,
) -> Differing:  # fmt: skip
    """Compare what `old` and `new` name: by default the last release, and what seeds/ give as they stand.

    `start` lies in the project, and `work` is an empty folder for what is fetched or built. `policy` is by default the project's.
    Raises InputError for words that name nothing, LoadError for a dataset that cannot be compared.
    """
    finder = _Finder(start, work, engine, tell)
    try:
        places = (finder.place(old or finder.last_release(), "old"), finder.place(new or "worktree", "new"))
    except _Unbuilt as fault:
        return Differing(problems=fault.problems)
    rule = policy or (finder.project.settings.policy if finder.project else "errata")
    try:
        found = diff(places[0].folder, places[1].folder, policy=rule)
    except LoadError as fault:  # it names copies, but the fault is of what was copied
        said = str(fault)
        for place in places:
            said = said.replace(str(place.folder), place.words)
        raise LoadError(said) from None
    return Differing(*places, found)


class _Finder:
    """Finds what words name; a project is looked for once, and only datasets of its own need one."""

    def __init__(self, start: Path, work: Path, engine: Engine, tell: Tell) -> None:
        self._work, self._engine, self._tell = work, engine, tell
        self._lacking = ""
        self.project: Project | None = None
        try:
            self.project = find_project(start)
        except ProjectError as fault:
            self._lacking = str(fault)

    def last_release(self) -> str:
        """The version of the newest release."""
        project = self._own()
        if last := read_ledger(project.ledger).last:
            return last.version
        releases = History(project.root).releases()
        if not releases:
            raise InputError("nothing was released yet; name what to compare with: dateline diff HEAD .")
        return releases[0].version

    def place(self, words: str, side: str) -> Place:
        """The dataset that words name, in a folder."""
        path = Path(words)
        if words in WORKTREE and not is_release(path):
            return self._worktree(words, side)
        if "://" in words or local_path(words)[0].exists():
            inner = path / "dataset"
            folder = fetch_release(
                str(inner) if not is_release(path) and is_release(inner) else words, self._work / side, self._tell
            )
            return Place(words, folder, read_manifest(folder))
        history = History(self._own().root)
        if VERSION.fullmatch(words):
            commit = history.find_release(words)
        elif found := history.commit_of(words):
            commit = found
        else:
            raise InputError(f"{words}: {self._nothing(history)}")
        folder = history.extract(commit, self._work / side)
        return Place(words, folder, read_manifest(folder), commit)

    def _worktree(self, words: str, side: str) -> Place:
        from dateline.pipeline import build_aside

        folder = self._work / side
        if problems := build_aside(self._own(), self._engine, folder, tell=self._tell):
            raise _Unbuilt(problems)
        return Place(words, folder, read_manifest(folder))

    def _own(self) -> Project:
        if self.project is None:
            raise ProjectError(self._lacking)
        return self.project

    @staticmethod
    def _nothing(history: History) -> str:
        known = [release.version for release in history.releases()]
        what = "names no folder, no address (hf://..., s3://...), no release and no git revision"
        return f"{what}; releases: {', '.join(known) or 'none yet'}; `.` is what seeds/ give now"
