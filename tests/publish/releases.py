"""What tests of publishing publish: a small project at each of its releases, and readers that tell which of them they see."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from building import ProjectFolder, mention, record
from dateline.engines import LocalEngine
from dateline.layout import read_releases
from dateline.manifest import read_manifest
from dateline.project import Project, find_project
from dateline.publication import stage
from dateline.release_files import check_files
from dateline.releasing import release

Files = dict[str, str]
VERSIONS = ("0.1.0", "0.2.0")


def make(root: Path) -> dict[str, Project]:
    """A project at 0.1.0, and at 0.2.0, after an article was added; each in a folder of its own."""
    made = {}
    (root / "now").mkdir()
    folder = ProjectFolder(root / "now")
    folder.settings('license = "CC-BY-4.0"', 'title = "Tiny"', 'summary = "Names in small texts."')
    (folder.root / "CITATION.cff").write_text('cff-version: 1.2.0\nmessage: "Cite."\ntitle: Tiny\nauthors:\n  - name: "Us"\n')
    records = [record(f"a{n}", f"Ana met Bo in Rome on day {n}.", mentions=[mention("m1", 0, 3)]) for n in range(6)]
    for number, version in enumerate(VERSIONS):
        folder.seed(*records[: 5 + number])
        done = release(folder.project, LocalEngine(1), allow_dirty=True, day=datetime.date(2026, 11, 1 + number))
        assert done.version == version, done.problems
        folder.rebuild(sweep=True)
        shutil.copytree(folder.root, root / version)
        made[version] = find_project(root / version)
    return made


def published_form(project: Project, into: Path) -> Files:
    """Every file of the release, as it must lie at a target."""
    return {path: digest for path, (digest, _) in stage(project, into).files.items()}


def tree(folder: Path) -> Files:
    """Digest of every file in a folder, less what lies in hidden ones."""
    files = [
        p for p in folder.rglob("*") if p.is_file() and not any(part.startswith(".") for part in p.relative_to(folder).parts)
    ]
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(files)}


def seen(target: Path, forms: dict[str, Files]) -> str | None:
    """The version that a reader of a folder is pointed to; it, and each one listed, is there whole, to the last byte."""
    path = target / "releases.json"
    if not path.exists():
        return None
    releases = read_releases(path.read_bytes(), str(path))
    for listed in releases.releases:
        folder = target / f"v{listed.version}"
        assert tree(folder) == forms[listed.version]
        assert not [fault for fault in check_files(folder, read_manifest(folder)) if fault.level == "error"]
    return releases.latest


def said(text: str) -> Any:
    """What a command printed with --json."""
    return json.loads(text)
