"""What many tests share: a small project in a temporary folder, this corpus rebuilt, the command line as a user runs it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from building import REPOSITORY, ProjectFolder
from commands import Commands
from dateline.engines import LocalEngine
from dateline.pipeline import rebuild
from dateline.project import Project, find_project
from s3_double import Call, s3_environment, serving
from small_corpus import build_small, release_small

# a shared machine may be slow for a moment; the laws do not depend on it
settings.register_profile("dateline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dateline")


FUZZ_SECONDS = float(os.environ.get("DATELINE_FUZZ_SECONDS", "2"))
"""How long each fuzz test reads damaged files."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: on several cores a run ends when what began last is done."""
    items.sort(key=seconds, reverse=True)


def seconds(item: pytest.Item) -> float:
    """About how long a test takes, as its marker says; those that do not say are short."""
    said = [float(mark.kwargs.get("seconds", 0)) for mark in item.iter_markers("slow")]
    return max([*said, FUZZ_SECONDS if item.get_closest_marker("fuzz") else 0.0])


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    """A project with one layer, `mentions`, and no records yet."""
    return ProjectFolder(tmp_path)


@pytest.fixture(scope="session")
def flagship(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """This repository's own corpus, rebuilt in a temporary folder: all of it, which takes long."""
    root = tmp_path_factory.mktemp("flagship")
    for name in ("seeds", "schemas", "examples"):
        (root / name).symlink_to(REPOSITORY / name, target_is_directory=True)
    (root / "pyproject.toml").write_bytes((REPOSITORY / "pyproject.toml").read_bytes())
    project = find_project(root)
    assert rebuild(project, LocalEngine(2)).problems == []
    return project


@pytest.fixture(scope="session")
def small_flagship(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A few articles of this corpus with all its schemas, settings and tables, built without suites."""
    return build_small(tmp_path_factory.mktemp("small-flagship"))


@pytest.fixture(scope="session")
def released_flagship(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same articles as a release of a project in git, which met some of the suites."""
    return release_small(tmp_path_factory.mktemp("released-flagship"))


@pytest.fixture(scope="session")
def s3_python() -> Path:
    """The python of an environment with a double of S3, and its client."""
    return s3_environment()


@pytest.fixture(scope="session")
def bucket(s3_python: Path) -> Iterator[tuple[str, Call]]:
    """The address of an S3 on the loopback with a bucket `news`, and a way to change what is in it."""
    with serving(s3_python) as found:
        yield found


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    """What runs command lines."""
    made = Commands()
    yield made
    made.close()


@pytest.fixture
def dateline(commands: Commands) -> Run:
    """Run the command line in a process of its own; `cwd` and further environment may be given."""

    def run(*words: str | Path, cwd: Path = REPOSITORY, **environment: str) -> subprocess.CompletedProcess[str]:
        return commands.run([*map(str, words)], cwd, {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **environment})

    return run
