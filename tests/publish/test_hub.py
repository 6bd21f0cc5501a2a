"""publish to the Hub, by its real client: one commit, one tag, and nothing sent twice."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from building import ProjectFolder
from dateline.project import Project, find_project
from dateline.retracting import yank
from hub_double import Repository
from publish.doubles import Doubles
from publish.releases import Files

pytestmark = [pytest.mark.slow(seconds=10), pytest.mark.xdist_group("publish")]  # they share servers
Projects = dict[str, Project]
Forms = dict[str, Files]
OURS = ".gitattributes"


def at(repository: Repository, revision: str) -> Files:
    """Digests of the files at a branch or a tag, less the Hub's own."""
    commit = repository.resolve(revision)
    assert commit
    return {path: hashlib.sha256(raw).hexdigest() for path, raw in repository.commits[commit].items() if path != OURS}


def test_a_release_is_one_commit_and_a_tag_and_the_next_sends_what_differs(
    doubles: Doubles, projects: Projects, forms: Forms
) -> None:
    driver, log = doubles.driver, doubles.to_hub
    doubles.hub.blobs.clear()
    first = driver.published(projects["0.1.0"], "hf://org/plain")
    assert first["success"] and sorted(first["files"]) == sorted(forms["0.1.0"]) and first["read"] == len(forms["0.1.0"])
    repository = doubles.hub.repositories["org/plain"]
    assert at(repository, "v0.1.0") == at(repository, "main") == forms["0.1.0"] and len(repository.commits) == 2
    log.start()
    second = driver.published(projects["0.2.0"], "hf://org/plain")
    assert second["success"] and at(repository, "v0.2.0") == at(repository, "main") == forms["0.2.0"]
    assert at(repository, "v0.1.0") == forms["0.1.0"] and len(repository.commits) == 3
    assert set(second["files"]) == {path for path, digest in forms["0.2.0"].items() if forms["0.1.0"].get(path) != digest}
    sent = [one.path.split("/")[-1].partition("?")[0] for one in log.log if one.method == "PUT"]
    assert sorted(sent) == sorted(forms["0.2.0"][path] for path in second["files"] if path.endswith(".parquet"))
    commits = len(repository.commits)
    for version in ("0.2.0", "0.1.0"):
        log.start()
        again = driver.publish(projects[version], "hf://org/plain")
        assert again["success"] and again["already"] and again["done"] == again["files"] == []
        assert not [one for one in log.log if one.method != "GET" and one.method != "HEAD" and "paths-info" not in one.path]
    assert len(repository.commits) == commits
    # readers: the tags, and main
    assert [driver.fetch(f"hf://org/plain{at}") for at in ("@v0.1.0", "@v0.2.0", "")] == ["0.1.0", "0.2.0", "0.2.0"]


def test_a_dry_run_makes_no_repository(doubles: Doubles, projects: Projects, forms: Forms) -> None:
    done = doubles.driver.publish(projects["0.1.0"], "hf://org/dry", dry_run=True)
    assert done["success"] and sorted(done["files"]) == sorted(forms["0.1.0"]) and "org/dry" not in doubles.hub.repositories


def test_what_is_not_of_the_release_leaves_main_in_the_same_commit(doubles: Doubles, projects: Projects, forms: Forms) -> None:
    repository = doubles.hub.repository("org/mixed")
    repository.commit({OURS: b"", "old.parquet": b"PAR1", "README.md": b"hello"})
    assert doubles.driver.published(projects["0.1.0"], "hf://org/mixed")["success"]
    assert at(repository, "main") == forms["0.1.0"] and OURS in repository.commits[repository.branches["main"]]
    assert len(repository.commits) == 2


def test_a_tag_and_main_that_say_otherwise_are_refused(doubles: Doubles, projects: Projects, forms: Forms) -> None:
    driver = doubles.driver
    tagged = doubles.hub.repository("org/tagged")
    tagged.commit({"README.md": b"mine"}, tag="v0.1.0")
    assert "v0.1.0 is no release" in driver.publish(projects["0.1.0"], "hf://org/tagged")["refusals"][0]
    driver.published(projects["0.2.0"], "hf://org/newer")
    newer = doubles.hub.repositories["org/newer"]
    before = len(newer.commits)
    (refused,) = driver.publish(projects["0.1.0"], "hf://org/newer")["refusals"]
    assert "main has 0.2.0, and does not go back to 0.1.0" in refused and len(newer.commits) == before
    other = doubles.hub.repository("org/other")
    manifest = (projects["0.1.0"].dataset / "manifest.json").read_bytes().replace(b'"content_digest": "', b'"content_digest": "0')
    other.commit({"manifest.json": manifest}, tag="v0.1.0")
    assert "is there with other data" in driver.publish(projects["0.1.0"], "hf://org/other")["refusals"][0]
    assert at(other, "main").keys() == {"manifest.json"}


def test_a_commit_without_its_tag_gets_it_also_after_a_newer_release(doubles: Doubles, projects: Projects, forms: Forms) -> None:
    driver = doubles.driver
    driver.published(projects["0.1.0"], "hf://org/untagged")
    repository = doubles.hub.repositories["org/untagged"]
    commit = repository.tags.pop("v0.1.0")
    assert driver.published(projects["0.1.0"], "hf://org/untagged")["done"] == ["tag v0.1.0"]
    assert repository.tags.pop("v0.1.0") == commit
    driver.published(projects["0.2.0"], "hf://org/untagged")
    assert driver.published(projects["0.1.0"], "hf://org/untagged")["done"] == ["tag v0.1.0"]
    assert repository.tags["v0.1.0"] == commit and at(repository, "main") == forms["0.2.0"] and len(repository.commits) == 3


def test_what_was_yanked_since_is_told_by_main_and_the_tag_stays(
    doubles: Doubles, projects: Projects, forms: Forms, tmp_path: Path
) -> None:
    doubles.driver.publish(projects["0.2.0"], "hf://org/yanked")
    project = find_project(shutil.copytree(projects["0.2.0"].root, tmp_path / "copied"))
    yank(project, "0.2.0", "labels were swapped")
    folder = ProjectFolder.__new__(ProjectFolder)
    folder.root = project.root
    folder.rebuild(sweep=True)
    done = doubles.driver.published(project, "hf://org/yanked")
    repository = doubles.hub.repositories["org/yanked"]
    assert done["success"] and done["already"] and done["done"][0].startswith("commit ")
    assert at(repository, "v0.2.0") == forms["0.2.0"]
    assert b"labels were swapped" in repository.commits[repository.branches["main"]]["versions.json"]
    assert at(repository, "main")["README.md"] == hashlib.sha256((project.dataset / "README.md").read_bytes()).hexdigest()
    assert doubles.driver.publish(project, "hf://org/yanked")["done"] == []


def test_without_the_right_to_write_it_is_one_line(doubles: Doubles, projects: Projects) -> None:
    doubles.hub.token = "hf_another"
    try:
        done = doubles.driver.publish(projects["0.1.0"], "hf://org/shut")
    finally:
        doubles.hub.token = doubles.settings["HF_TOKEN"]
    assert "may not be written with these credentials; log in with `hf auth login`" in done["error"]
