"""release: a version that the data proves, and everything that names it, all or nothing.

build -> diff against the last release -> bump -> build again, stamped -> validate -> ledger, changelog, citation, pyproject.toml
and dataset/ in one transaction. Everything is checked before anything is written.
"""

from __future__ import annotations

import datetime
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dateline import receipt
from dateline.cache import Cache
from dateline.describe.changelog import with_release
from dateline.describe.citation import with_version
from dateline.describing import Stamp
from dateline.diff.changes import Change, Diff
from dateline.diff.compare import diff
from dateline.diff.errata import entries
from dateline.engines import Engine
from dateline.errors import LoadError, Problem, ProjectError
from dateline.history import History
from dateline.ledger import Articles, Entry, Ledger, Release, RowEntry, read_ledger
from dateline.manifest import CARD, NEXT, VERSIONS, VERSIONS_NEXT, Manifest, read_manifest
from dateline.manifest import NAME as MANIFEST
from dateline.pipeline import Made, Rebuilt, Tell, make
from dateline.project import Project, find_project
from dateline.promoting import faces, lay_beside
from dateline.release_files import check_files
from dateline.sources import fetch_release, is_release
from dateline.transaction import Rename, Step, Write, commit
from dateline.versions import LEVELS, next_version, today
from dateline.work_folder import work_folder

WRITTEN = ("seeds", "schemas", "expectations", "pyproject.toml", "CHANGELOG.md", "CITATION.cff")
"""What must be committed before a release, so that the commit of a release holds the release alone."""


@dataclass
class Released:
    """What a release is, or why there is none: problems of the build, or changes that forbid the bump that was asked for."""

    version: str = ""
    last: str | None = None
    bump: str = ""
    """The bump that the data proves; "" for a first release."""
    diff: Diff | None = None
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    forbidding: list[Change] = field(default_factory=list)
    """The changes that force more than the bump that was asked for."""
    nothing: bool = False
    """Whether the data is that of the last release already."""
    files: list[str] = field(default_factory=list)
    manifest: Manifest | None = None

    @property
    def success(self) -> bool:
        """Whether the release was made, or would be."""
        return self.manifest is not None


def release(
    project: Project,
    engine: Engine,
    *,
    bump: str = "auto",
    stable: bool = False,
    against: str | None = None,
    allow_dirty: bool = False,
    dry_run: bool = False,
    day: datetime.date | None = None,
    tell: Tell = lambda *_: None,
) -> Released:
    """Make the state of seeds/ the next release.

    The last release is taken from dataset/, if that still holds it, else from `against` (a folder or an address), else from git.
    `stable` leaves 0.x for 1.0.0. With `dry_run` all is done but the writing. Raises DatelineError for what cannot run at all:
    uncommitted files, a dataset/ or ledger changed by hand, a last release that is not to be found, a changelog that contradicts.
    """
    date = (day or today()).isoformat()
    with work_folder(project) as work:
        ledger = read_ledger(project.ledger)
        last = ledger.last
        found = Released(last=last.version if last else None)
        history = History(project.root)
        _is_clean(history, allow_dirty)
        standing = _as_made(project)
        ground = receipt.ground_of(project)
        plain = _build(project, engine, work / "plain", tell, found)
        if plain is None:
            return found
        if last is not None:
            with _last_release(project, last, standing, against, history, tell) as old:
                found.diff = diff(old, work / "plain" / "data", policy=project.settings.policy, retracted=ledger.retracted)
            found.bump = found.diff.bump
            if _refused(found, bump, plain.manifest.content_digest == last.content_digest):
                return found
        level = bump if bump != "auto" else found.bump or "minor"
        found.version = next_version(found.last, level, stable=stable)
        _is_new(found.version, history)
        stamped = _stamped(ledger, plain, found.diff, found.version)
        values = not project.settings.private
        said = entries(found.last, level, found.diff, ledger, stamped, plain.manifest, values=values)
        _texts(project, found.version, date, said, found.last)  # what they contradict is told before all is built again
        cache = Cache(project, work, ground, known=False) if ground is not None else None  # a release is made from nothing
        made = _build(project, engine, work / "stamped", tell, found, Stamp(found.version, date, level, stamped), cache)
        if made is None:
            return found
        if made.manifest.inputs != plain.manifest.inputs or receipt.ground_of(project) != ground or _settings_edited(project):
            raise ProjectError(
                "seeds/, schemas/ or settings were edited while the release was made, so that what it holds was not compared; "
                "nothing was written: run `dateline release` again"
            )
        data = work / "stamped" / "data"
        texts = _texts(project, found.version, date, said, found.last)
        steps = [Write("seeds/ledger.jsonl", made.ledger.encode()), *texts, *_flip(project, made, data)]
        dataset = f"{project.name_of(project.dataset)}/"
        paths = (step.path for step in steps if isinstance(step, Write))
        found.files = list(dict.fromkeys(dataset if path.startswith(dataset) else path for path in paths))
        found.manifest = made.manifest
        if not dry_run:
            project.dataset.mkdir(exist_ok=True)
            lay_beside(project.dataset, made.manifest, data)
            commit(project.root, f"the release {found.version}", steps)
            if cache is not None:
                cache.keep(receipt.ground_of(find_project(project.root)))  # the settings name the version now
        return found


# ---- what is looked at before ----------------------------------------------------------------------------------


def _is_clean(history: History, allow_dirty: bool) -> None:
    if allow_dirty or not _has_git(history):
        return
    changed = history.dirty(path for name in WRITTEN if (path := history.root / name).exists())
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise ProjectError(
            f"{changed[0]}{more}: changed, and not committed; commit first, so that the commit of the release holds the "
            "release alone (or give --allow-dirty)"
        )


def _as_made(project: Project) -> Manifest | None:
    """The manifest of dataset/, if there is one. Raises ProjectError if a file there was changed by other hands."""
    name = project.name_of(project.dataset)
    if not is_release(project.dataset):
        return None
    manifest = read_manifest(project.dataset)
    faults = [fault for fault in check_files(project.dataset, manifest) if fault.level == "error"]
    if faults:
        more = f" (and {len(faults) - 1} more such files)" if len(faults) > 1 else ""
        raise ProjectError(f"{name}/{faults[0]}{more}; dataset/ is never edited: run `dateline rebuild`, then release")
    return manifest


def _settings_edited(project: Project) -> bool:
    return find_project(project.root).settings_sha256 != project.settings_sha256


def _has_git(history: History) -> bool:
    """Whether git has a history of the project; a project may do without."""
    return shutil.which("git") is not None and history.is_repository()


def _is_new(version: str, history: History) -> None:
    known = {release.version: release.commit for release in history.releases()} if _has_git(history) else {}
    if version in known:
        raise ProjectError(
            f"{version}: was released in commit {known[version][:12]} already, of which seeds/ledger.jsonl knows nothing; "
            "merge that commit first"
        )


@contextmanager
def _last_release(
    project: Project, last: Release, standing: Manifest | None, against: str | None, history: History, tell: Tell
) -> Iterator[Path]:
    """The folder of the last release: dataset/, if it still holds that, else what `against` names, else what git has of it."""
    if against is None and standing is not None and standing.content_digest == last.content_digest:
        yield project.dataset
        return
    with tempfile.TemporaryDirectory(prefix="dateline-release-") as folder:
        if against is not None:
            found = fetch_release(against, Path(folder), tell)
            where = against
        elif _has_git(history):
            found = history.extract(history.find_release(last.version), Path(folder))
            where = "git history"
        else:
            raise ProjectError(
                f"the last release, {last.version}, is not at hand: dataset/ holds another state, and there is no git "
                "repository; name a folder or an address that has it with --against"
            )
        digest = read_manifest(found).content_digest
        if digest != last.content_digest:
            raise LoadError(
                f"{where}: is not the release {last.version}: its content digest is {digest[:12]}, but the ledger says "
                f"{last.content_digest[:12]}"
            )
        yield found


# ---- the build, and the bump that it proves --------------------------------------------------------------------


def _build(
    project: Project,
    engine: Engine,
    work: Path,
    tell: Tell,
    found: Released,
    stamp: Stamp | None = None,
    cache: Cache | None = None,
) -> Made | None:
    """All of a dataset in work/data, with its manifest and card; None if something is wrong, which is then told in `found`.

    Without a stamp it is made to be compared alone.
    """
    (work / "data").mkdir(parents=True)
    made = make(project, engine, work, tell, None, again=False, stamp=stamp, suites=stamp is not None, cache=cache)
    if isinstance(made, Rebuilt):
        found.problems, found.warnings = made.problems, made.warnings
        return None
    gone = [p for p in made.warnings if p.rule == "released-missing"]
    if gone:
        found.problems = [replace(p, level="error") for p in gone]
        return None
    found.warnings = made.warnings
    (work / "data" / CARD).write_text(made.card, encoding="utf-8")
    (work / "data" / MANIFEST).write_bytes(made.manifest.encode())
    return made


def _refused(found: Released, bump: str, same: bool) -> bool:
    """Whether there is nothing to release, or more has changed than the bump that was asked for allows."""
    assert found.diff is not None
    if bump == "auto":
        found.nothing = same and not found.diff.changes
        return found.nothing
    if LEVELS.index(bump) < LEVELS.index(found.bump):
        found.forbidding = [c for c in found.diff.changes if LEVELS.index(c.bump) > LEVELS.index(bump)]
    return bool(found.forbidding)


def _stamped(ledger: Ledger, made: Made, changed: Diff | None, version: str) -> Ledger:
    """The ledger with what this release adds: entries of new articles and rows, the version that changed others, tombstones."""
    touched = {(change.table if change.article_id is None else "", change.article_id or change.row) for change in _rows(changed)}
    before = Articles.of(ledger.articles)

    def all_entries() -> Iterator[Entry]:
        """Those that there were, and those that there are: the last of an article counts."""
        yield from before.entries()
        for entry in before.retracted.values():
            if entry.retracted and entry.retracted.version is None:
                yield replace(entry, retracted=replace(entry.retracted, version=version))
        for shard in made.planned.shards:
            columns = shard.articles.select(["article_id", "split", "group", "record_sha256", "text_sha256"])
            known = {entry.article_id: entry for entry in before.among(columns["article_id"])}
            for article_id, split, group, *digests in zip(*(column.to_pylist() for column in columns), strict=True):
                record, text = (digest.hex() if digest else None for digest in digests)
                entry = known.get(article_id) or Entry(article_id, split, group, shard.segment, version)
                entry = replace(entry, split=split, group=group)  # where splits are given, they may be others by now
                if article_id in known and ("", article_id) in touched:
                    entry = replace(entry, changed_in=version)
                yield replace(entry, record_sha256=record, text_sha256=text)

    articles = Articles(all_entries())
    rows = {
        key: replace(ledger.rows[key], changed_in=version if key in touched else ledger.rows[key].changed_in)
        if key in ledger.rows
        else RowEntry(*key, version)
        for key in made.table_keys
    }
    return Ledger(ledger.releases, rows, articles)


def _rows(changed: Diff | None) -> Iterator[Change]:
    return (change for change in changed.changes if not change.of_schema) if changed else iter(())


# ---- what is written -------------------------------------------------------------------------------------------


def _texts(project: Project, version: str, date: str, said: Sequence[str], last: str | None) -> list[Step]:
    """Changelog, citation and pyproject.toml with the version in them."""
    import tomlkit

    written = {
        name: path.read_text(encoding="utf-8") if (path := project.root / name).exists() else None
        for name in ("CHANGELOG.md", "CITATION.cff", "pyproject.toml")
    }
    steps: list[Step] = [Write("CHANGELOG.md", with_release(written["CHANGELOG.md"], version, date, said, last).encode())]
    if (citation := written["CITATION.cff"]) is not None:
        steps.append(Write("CITATION.cff", with_version(citation, version, date).encode()))
    settings: Any = tomlkit.parse(written["pyproject.toml"] or "")
    settings["tool"]["dateline"]["version"] = version
    return [*steps, Write("pyproject.toml", tomlkit.dumps(settings).encode())]


def _flip(project: Project, made: Made, data: Path) -> list[Step]:
    """The steps that show the new data to readers, as a rebuild takes them: the card last."""
    where = project.name_of(project.dataset)
    shown: list[Step] = [Write(f"{where}/{name}", raw) for name, raw in faces(made.manifest, made.card, data)]
    return [*shown, Rename(f"{where}/{NEXT}", f"{where}/{MANIFEST}"), Rename(f"{where}/{VERSIONS_NEXT}", f"{where}/{VERSIONS}")]
