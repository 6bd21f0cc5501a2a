"""site: a release as a static site, in place whole or not at all.

Pages are made in a folder beside `out` (`dateline.site`), so that a reader sees the old site or the new one. A folder that holds
anything else is never replaced.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from dateline.describe.space import space_readme
from dateline.differing import differ
from dateline.engines import LocalEngine
from dateline.errors import BuildError, LoadError, ProjectError, UsageError
from dateline.files import whole_folder
from dateline.manifest import CARD
from dateline.project import Project, find_project
from dateline.release_files import Tell
from dateline.site.kinds import KINDS
from dateline.site.links import Links
from dateline.site.read import ARTICLES, About, Reading, reading_of
from dateline.site.rendering import STATIC, Renderer, write_file, write_script
from dateline.site.search import write_index
from dateline.site.versions import Against
from dateline.site_leaks import SiteScan, scan_of
from dateline.sources import fetch_release, is_release
from dateline.verifying import verify

MARKER = "site.json"
"""The file by which a folder is known as a site that may be replaced."""
_MADE_BY = "dateline site"


@dataclass(frozen=True)
class Site:
    """A site that was made."""

    out: Path
    name: str
    version: str
    content_digest: str
    articles: int
    pages: int
    bytes: int
    """Of all its files."""
    private: bool
    """Whether texts stand in it that may not leave this machine."""
    scanned: int
    """Withheld texts at hand that no page repeats."""
    not_at_hand: int
    """Withheld texts that could not be scanned for."""

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON types."""
        return asdict(self) | {"out": str(self.out)}


def make_site(
    words: str | None, out: Path, start: Path = Path(), *, against: str | None = None, space: bool = False,
    tell: Tell = lambda *_: None,
) -> Site:  # fmt: skip
    """Make a site of the release that `words` name (a folder, an address; the project's dataset if none) as the folder `out`.

    `start` lies in the project, which a dataset of its own needs; of that project come title, summary and notice. `against` names
    another dataset (a folder, an address, a version, a revision): what differs is then drawn, article by article.
    With `space` the folder is one that the Hugging Face Hub serves as a static Space.
    Raises UsageError for a folder that holds something else, LoadError or InputError for a release that cannot be read, and
    BuildError where the folder cannot be written; nothing is then written.
    """
    refuse_foreign(out)
    with tempfile.TemporaryDirectory(prefix="dateline-") as work:
        folder, found = _source(words, start, Path(work), tell)
        refuse_inside(out, folder)
        extra: dict[str, Any] = {"verified": verify(words if words and "://" in words else str(folder))}
        reading = reading_of(folder, _facts_of(found) if found else None, extra)
        if reading.corpus.manifest.hydrated_from:
            raise LoadError(
                f"{words or folder}: is a hydrated copy, with texts that may not be passed on; name the release itself"
            )
        if space and reading.private:
            raise UsageError(f"{reading.name}: is private, and a Space is for others to see; leave out --space")
        if against is not None:
            extra["against"] = _against(against, folder, found.root if found else start, Path(work), tell)
        scan = scan_of(found, (e.id for e in reading.entries if e.withheld), _digests(reading))
        try:
            with whole_folder(out) as made:
                return _write(reading, made, out, scan, space, tell)
        except OSError as fault:
            raise BuildError(f"{out}: cannot be written: {fault.strerror or fault}; nothing was written") from None


def refuse_foreign(out: Path) -> None:
    """Raise UsageError for a folder that has something in it and is no site of ours, and for what is no folder."""
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out}: is no folder; name a new folder with --out")
    if any(out.iterdir()) and not is_site(out):
        raise UsageError(f"{out}: is there, not empty, and no site that dateline made; name a new folder with --out")


def refuse_inside(out: Path, dataset: Path) -> None:
    """Raise UsageError for a site in the dataset, or around it."""
    whole, kept = out.resolve(), dataset.resolve()
    if whole == kept or kept in whole.parents or whole in kept.parents:
        raise UsageError(f"{out}: a site cannot stand there, where the dataset is; name another folder with --out")


def is_site(folder: Path) -> bool:
    """Whether a folder holds a site that was made here."""
    try:
        said = json.loads((folder / MARKER).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(said, dict) and said.get("made_by") == _MADE_BY


def _source(words: str | None, start: Path, work: Path, tell: Tell) -> tuple[Path, Project | None]:
    """The release in a folder, and the project that it is of, where that is at hand."""
    if words is None:
        project = find_project(start)
        return project.dataset, project
    path = Path(words)
    local = "://" not in words
    if local and not is_release(path) and is_release(path / "dataset"):
        return path / "dataset", _project(path)
    if local and is_release(path) and path.resolve().name == "dataset":
        return path, _project(path.resolve().parent)
    return fetch_release(words, work / "release", tell), None


def _project(root: Path) -> Project | None:
    """The project in a folder; None where that is none."""
    try:
        return find_project(root)
    except ProjectError:
        return None


def _against(words: str, folder: Path, start: Path, work: Path, tell: Tell) -> Against:
    """What differs from the dataset that words name. Raises UsageError where seeds, if those are meant, have problems."""
    apart = work / "against"
    apart.mkdir()
    found = differ(words, str(folder), start, apart, LocalEngine(), tell=tell)
    if found.old is None:
        raise UsageError(f"--against {words}: the seeds have problems; `dateline check` says which, and where")
    return Against(found, found.old.folder)


def _facts_of(project: Project) -> About:
    said = project.settings
    return About(
        project.root,
        said.title,
        said.summary.strip(),
        said.notice.strip(),
        said.citation.strip(),
        said.license,
        said.code_license,
    )


def _digests(reading: Reading) -> dict[str, str]:
    return {row["article_id"]: row["text_sha256"] or "" for row in reading.rows(ARTICLES, ["article_id", "text_sha256"])}


def _write(reading: Reading, made: Path, out: Path, scan: SiteScan, space: bool, tell: Tell) -> Site:
    manifest, links = reading.corpus.manifest, Links()
    kinds = [kind for kind in KINDS if kind.present(reading)]
    style, code = (resources.files("dateline.site").joinpath("static", name).read_bytes() for name in STATIC)
    facts = {
        "title": reading.title,
        "name": manifest.name,
        "version": manifest.version,
        "private": reading.private,
        "nav": [(kind.nav, kind.home) for kind in kinds if kind.nav],
        "stamp": hashlib.sha256(style + code).hexdigest()[:8],
    }
    size, pages, total = 0, 0, len(reading.entries)
    for name, data in zip(STATIC, (style, code), strict=True):
        size += write_file(made / name, data)
    renderer = Renderer(made, facts)
    for kind in kinds:
        for page in kind.pages(reading, links):
            size += renderer.write(page, partial(scan.page, page.path, shows_texts=page.shows_texts))
            pages += 1
            tell("pages", min(pages, total), total)

    def script(name: str, value: Any) -> int:
        scan.data(f"{name}.js", value)
        return write_script(made / f"{name}.js", name, value)

    size += write_index(reading, links, script)
    for name, rows in links.chunks():
        size += script(f"rows/{name}", rows)
    if reading.private:  # as its dataset/, it gets into no commit by chance
        size += write_file(made / ".gitignore", b"*\n")
    if space:
        license = reading.project.license if reading.project else ""
        size += write_file(made / CARD, space_readme(reading.title, manifest.name, manifest.version, license).encode())
    marker: Mapping[str, Any] = {
        "made_by": _MADE_BY, "name": manifest.name, "version": manifest.version, "content_digest": manifest.content_digest,
        "articles": total, "pages": pages,
    }  # fmt: skip
    size += write_file(made / MARKER, (json.dumps(marker, indent=1) + "\n").encode())
    return Site(out, manifest.name, manifest.version, manifest.content_digest, total, pages, size, reading.private, scan.scanned,
                scan.not_at_hand)  # fmt: skip
