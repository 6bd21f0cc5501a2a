"""What tests of publishing share: the releases, made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dateline.project import Project
from publish.doubles import Doubles, running
from publish.releases import Files, make, published_form


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    """The small project at each of its releases; nobody changes them."""
    return make(tmp_path_factory.mktemp("projects"))


@pytest.fixture(scope="session")
def forms(projects: dict[str, Project], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Files]:
    """By version, every file of the release as it is published."""
    work = tmp_path_factory.mktemp("forms")
    return {version: published_form(project, work / version) for version, project in projects.items()}


@pytest.fixture(scope="session")
def doubles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doubles]:
    """The doubles of the Hub, S3 and Zenodo, and a process with the real clients."""
    pytest.importorskip("s3fs", reason="publishing to S3 needs s3fs")
    with running(tmp_path_factory.mktemp("doubles")) as doubles:
        yield doubles
        assert not doubles.hub.strange and not doubles.zenodo.strange
