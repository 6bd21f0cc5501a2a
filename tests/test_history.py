"""Released versions in git history: found without tags, extracted whole, or refused in a line that says how to go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from building import ProjectFolder
from dateline.errors import LoadError
from dateline.history import History
from dateline.manifest import read_manifest
from git_projects import commit, git, released_project


@pytest.fixture
def released(tmp_path: Path) -> tuple[ProjectFolder, list[str]]:
    """A project in a folder of a larger repository, with two releases."""
    return released_project(tmp_path)


def test_releases_are_found_by_what_manifests_say(released: tuple[ProjectFolder, list[str]]) -> None:
    project, commits = released
    history = History(project.root)
    assert [(release.version, release.commit) for release in history.releases()] == [("0.2.0", commits[3]), ("0.1.0", commits[1])]
    assert history.find_release("v0.1.0") == history.find_release("0.1.0") == commits[1]
    assert history.commit_of("HEAD~1") == commits[3]
    assert history.commit_of("nothing") is None and history.commit_of("--all") is None


def test_a_dataset_is_extracted_as_it_was(released: tuple[ProjectFolder, list[str]], tmp_path: Path) -> None:
    project, commits = released
    folder = History(project.root).extract(commits[1], tmp_path / "out")
    assert read_manifest(folder).version == "0.1.0"
    assert read_manifest(folder).tables["mentions"].labels["label"] == {"PER": 1, "LOC": 0}


def test_a_commit_without_a_dataset(released: tuple[ProjectFolder, list[str]], tmp_path: Path) -> None:
    history = History(released[0].root)
    first = git(released[0].root, "rev-list", "--max-parents=0", "HEAD")
    with pytest.raises(LoadError, match=r"has no corpora/tiny/dataset/manifest\.json; there was no dataset yet"):
        history.extract(first, tmp_path / "out")


def test_what_was_changed_by_hand_and_committed_is_refused(released: tuple[ProjectFolder, list[str]], tmp_path: Path) -> None:
    project, _ = released
    (path,) = (project.root / "dataset" / "mentions").iterdir()
    path.write_bytes(path.read_bytes() + b"!")
    bad = commit(project.root)
    with pytest.raises(LoadError, match=f"corpora/tiny/dataset of {bad[:12]}/mentions/.* bytes, but the manifest says"):
        History(project.root).extract(bad, tmp_path / "out")
    (project.root / "dataset" / "README.md").write_text("other")
    bad = commit(project.root)
    with pytest.raises(LoadError, match=f"dataset/ of {bad[:12]}: README.md: is not the card"):
        History(project.root).extract(bad, tmp_path / "other")
    (project.root / "dataset" / "manifest.json").write_text('{"format": 9}')
    bad = commit(project.root)
    with pytest.raises(LoadError, match="has format 9"):
        History(project.root).extract(bad, tmp_path / "third")
    assert [release.version for release in History(project.root).releases()] == ["0.2.0", "0.1.0"]  # and stops nobody else


def test_dirty_is_what_differs_from_the_last_commit(released: tuple[ProjectFolder, list[str]]) -> None:
    project, _ = released
    history = History(project.root)
    seeds = project.root / "seeds"
    assert history.is_repository() and not history.is_dirty()
    (seeds / "new.jsonl").write_text("")
    assert history.is_dirty() and history.is_dirty([seeds]) and not history.is_dirty([project.root / "schemas"])


def test_an_unknown_version_is_told_with_those_that_there_are(released: tuple[ProjectFolder, list[str]]) -> None:
    history = History(released[0].root)
    with pytest.raises(LoadError, match=r"^0\.3\.0: no such release in the history of .* \(there are 0\.2\.0, 0\.1\.0\)$"):
        history.find_release("0.3.0")
    with pytest.raises(LoadError, match=r"^0\.0\.0: that is what builds between releases are called; name a commit"):
        history.find_release("0.0.0")


def test_a_shallow_history_says_how_to_get_the_rest(released: tuple[ProjectFolder, list[str]], tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", tmp_path.as_uri(), str(tmp_path / "clone"))
    history = History(tmp_path / "clone" / "corpora" / "tiny")
    assert history.is_shallow() and not History(released[0].root).is_shallow()
    with pytest.raises(LoadError, match="the clone is shallow; get the rest: git fetch --unshallow"):
        history.find_release("0.1.0")


def test_no_repository(folder: ProjectFolder) -> None:
    history = History(folder.root)
    assert not history.is_repository() and history.releases() == []
    with pytest.raises(LoadError, match="lies in no git repository; name a folder"):
        history.find_release("0.1.0")


def test_no_git(released: tuple[ProjectFolder, list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(LoadError, match="git is not installed, and versions are looked for in git history; install it"):
        History(released[0].root).find_release("0.1.0")


def test_what_a_hook_sets_leads_git_nowhere_else(
    released: tuple[ProjectFolder, list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nothing"))
    assert History(released[0].root).releases()[0].version == "0.2.0"
