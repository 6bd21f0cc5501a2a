"""Small releases, published in folders: what tests of verifying, signing and loading build with."""

from __future__ import annotations

import datetime
from pathlib import Path

from building import ProjectFolder, mention, record
from dateline.engines import LocalEngine
from dateline.keys import PrivateKey
from dateline.project import Project
from dateline.publication import Staged, stage
from dateline.releasing import release

DAY = datetime.date(2026, 1, 2)


def released(folder: ProjectFolder, *articles: str, level: str = "auto") -> Project:
    """A project whose articles are released, by default one."""
    folder.seed(*(record(name, mentions=[mention("m1", 0, 3)]) for name in articles or ("a1",)))
    assert release(folder.project, LocalEngine(1), bump=level, day=DAY).success
    return folder.project


def published(folder: ProjectFolder, target: Path, key: PrivateKey | None, *articles: str) -> Staged:
    """A release of these articles in its folder of a target."""
    project = released(folder, *articles)
    return stage(project, target / f"v{project.settings.version}", key=key)
