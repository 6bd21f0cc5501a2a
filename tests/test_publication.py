"""A release laid out as it is published."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from building import ProjectFolder, record
from dateline.errors import InputError, ProjectError
from dateline.keys import generate
from dateline.project import Project
from dateline.publication import Staged, stage
from released import released


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory, released_flagship: Project) -> Staged:
    """A release of some articles of this corpus, staged."""
    return stage(released_flagship, tmp_path_factory.mktemp("staged") / "v")


def test_every_file_of_the_dataset_is_there_byte_for_byte(corpus: Staged, released_flagship: Project) -> None:
    for path in (*corpus.manifest.paths(), "manifest.json"):
        assert (corpus.folder / path).read_bytes() == (released_flagship.dataset / path).read_bytes()
    there = {path.relative_to(corpus.folder).as_posix() for path in corpus.folder.rglob("*") if path.is_file()}
    assert there == set(corpus.files) and {"croissant.json", "CITATION.cff", "SHA256SUMS"} < there


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum here")
def test_sha256sum_agrees_with_all_of_it(corpus: Staged) -> None:
    done = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=corpus.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(corpus.files) - 1


def test_the_same_release_gives_the_same_bytes(corpus: Staged, released_flagship: Project, tmp_path: Path) -> None:
    assert stage(released_flagship, tmp_path).files == corpus.files


def test_what_is_no_release_is_not_published(folder: ProjectFolder, tmp_path: Path) -> None:
    folder.seed(record("a1"))
    folder.rebuild()
    with pytest.raises(ProjectError, match="dataset: is a build between releases"):
        stage(folder.project, tmp_path / "out")


def test_nothing_of_a_private_project_is_published(folder: ProjectFolder, tmp_path: Path) -> None:
    project = released(folder)
    (project.root / "pyproject.toml").write_text('[tool.dateline]\nname = "tiny"\nversion = "0.1.0"\nprivate = true\n')
    with pytest.raises(ProjectError, match="private"):
        stage(folder.project, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_changed_by_hand_is_named(folder: ProjectFolder, tmp_path: Path) -> None:
    project = released(folder)
    path = next((project.dataset / "mentions").glob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ProjectError, match=rf"dataset/mentions/{path.name}: has been changed"):
        stage(project, tmp_path / "out")


def test_a_folder_that_holds_something_is_left_alone(folder: ProjectFolder, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(InputError, match="is not empty"):
        stage(released(folder), tmp_path / "out")


def test_a_project_without_a_citation_gets_one(folder: ProjectFolder, tmp_path: Path) -> None:
    text = (stage(released(folder), tmp_path / "out").folder / "CITATION.cff").read_text()
    assert "title: tiny" in text and "version: 0.1.0" in text and 'date-released: "2026-01-02"' in text


# ---- settings ------------------------------------------------------------------------------------------------


def test_the_card_says_where_the_public_key_is_and_its_fingerprint(
    folder: ProjectFolder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("keys") / "tiny.key"
    key = generate(path)
    shutil.copy(f"{path}.pub", folder.root / "tiny.pub")
    folder.settings('public_key = "tiny.pub"', 'homepage = "https://example.org/tiny"')
    card = (released(folder).dataset / "README.md").read_text(encoding="utf-8")
    assert f"the file `tiny.pub` of https://example.org/tiny, with the fingerprint `{key.fingerprint}`" in card


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('public_key = "none.pub"', r"public_key: .*none\.pub: cannot be read"),
        ('code_license = "free for all"', "code_license must be an SPDX expression"),
        ('rai.dataColection = "x"', "has no setting dataColection; it has dataCollection, "),
        ("rai.dataCollection = 1", "dataCollection must be a text; it is 1"),
        ('rai.dataCollection = ["x"]', "dataCollection must be a text; it is"),
        ('rai.dataBiases = ["x", ""]', "dataBiases must be a text or a list of texts; it is"),
        ("rai = 1", "rai must be a table"),
    ],
)
def test_a_setting_that_cannot_be_is_told(line: str, says: str, folder: ProjectFolder) -> None:
    folder.settings(line)
    folder.seed(record("a1"))
    with pytest.raises(ProjectError, match=says):
        folder.rebuild()
