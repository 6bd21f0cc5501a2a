"""Projects in git repositories: what tests of histories and of diffs between releases build with."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from building import ProjectFolder, mention, record
from dateline.manifest import read_manifest


def git(folder: Path, *words: str) -> str:
    names = ("GIT_AUTHOR", "GIT_COMMITTER")
    who = {f"{name}_{part}": said for name in names for part, said in (("NAME", "A"), ("EMAIL", "a@example.org"))}
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(["git", "-C", folder, *words], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "state")
    return git(folder, "rev-parse", "HEAD")


def build(project: ProjectFolder, label: str, version: str) -> str:
    """The dataset under a version, as `release` stamps it, in a commit."""
    project.seed(record("a1", mentions=[mention("m1", 0, 3, label)]))
    assert project.rebuild(sweep=True).problems == []
    manifest = read_manifest(project.root / "dataset")
    stamped = json.loads(manifest.encode()) | {"version": version}
    (project.root / "dataset" / "manifest.json").write_text(json.dumps(stamped), encoding="utf-8")
    return commit(project.root)


def released_project(repository: Path) -> tuple[ProjectFolder, list[str]]:
    """A project in a folder of a larger repository: two releases, builds around them, and their commits."""
    git(repository, "init", "-q")
    (repository / ".gitignore").write_text(".dateline/\n")
    (repository / "corpora" / "tiny").mkdir(parents=True)
    project = ProjectFolder(repository / "corpora" / "tiny")
    commit(repository)
    steps = (("PER", "0.0.0"), ("PER", "0.1.0"), ("PER", "0.0.0"), ("LOC", "0.2.0"), ("LOC", "0.0.0"))
    return project, [build(project, *step) for step in steps]
