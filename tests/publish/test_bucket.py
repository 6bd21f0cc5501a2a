"""publish to S3, by its real client: create-only, checked on arrival, what does not change copied by the store."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from building import ProjectFolder
from dateline.layout import read_releases
from dateline.project import Project, find_project
from dateline.retracting import yank
from publish.doubles import Doubles
from publish.releases import Files

pytestmark = [pytest.mark.slow(seconds=10), pytest.mark.xdist_group("publish")]  # they share servers
Projects = dict[str, Project]
Forms = dict[str, Files]


def seen(doubles: Doubles, bucket: str, forms: Forms, prefix: str = "") -> str | None:
    """The version that readers are pointed to; it, and each one listed, is there whole, to the last byte."""
    files = {key.removeprefix(prefix): raw for key, raw in doubles.store.files(bucket).items() if key.startswith(prefix)}
    if "releases.json" not in files:
        return None
    releases = read_releases(files["releases.json"], bucket)
    for one in releases.releases:
        home = f"v{one.version}/"
        lies = {key.removeprefix(home): hashlib.sha256(raw).hexdigest() for key, raw in files.items() if key.startswith(home)}
        assert lies == forms[one.version]
    return releases.latest


def test_a_release_lies_there_and_the_next_one_sends_what_differs(doubles: Doubles, projects: Projects, forms: Forms) -> None:
    doubles.store.make("plain")
    driver, log = doubles.driver, doubles.to_store
    log.start()
    first = driver.publish(projects["0.1.0"], "s3://plain/tiny")
    assert first["success"] and sorted(first["files"]) == sorted(forms["0.1.0"]) and first["requests"] == len(log.log)
    assert [one.path for one in log.log if one.method == "PUT"][-3:] == [
        f"/plain/tiny/{name}" for name in ("v0.1.0/README.md", "v0.1.0/manifest.json", "releases.json")
    ]
    assert seen(doubles, "plain", forms, "tiny/") == "0.1.0"
    log.start()
    second = driver.publish(projects["0.2.0"], "s3://plain/tiny")
    same = {path for path, digest in forms["0.2.0"].items() if digest in forms["0.1.0"].values() and path.endswith(".parquet")}
    assert second["success"] and set(second["reused"]) >= same
    assert set(second["files"]) == forms["0.2.0"].keys() - set(second["reused"])
    pointer = len(doubles.store.files("plain")["tiny/releases.json"])
    assert log.sent == second["bytes"] + pointer
    assert seen(doubles, "plain", forms, "tiny/") == "0.2.0"
    log.start()
    again = driver.publish(projects["0.1.0"], "s3://plain/tiny")
    assert again["already"] and again["done"] == again["files"] == [] and {one.method for one in log.log} == {"GET", "HEAD"}
    assert [driver.fetch(f"s3://plain/tiny/v{version}") for version in forms] == list(forms)


def test_nothing_that_is_there_is_replaced(doubles: Doubles, projects: Projects, forms: Forms) -> None:
    doubles.store.make("taken")
    doubles.store.put("taken", "v0.1.0/versions.json", b"mine")
    (refused,) = doubles.driver.publish(projects["0.1.0"], "s3://taken")["refusals"]
    assert "versions.json of 0.1.0: lies there with other bytes" in refused
    assert doubles.store.files("taken") == {"v0.1.0/versions.json": b"mine"}
    # one that comes to be there while this publish sends
    doubles.store.make("raced")

    def race(number: int, method: str, path: str) -> None:
        if method == "PUT" and path.endswith("/croissant.json"):
            doubles.store.put("raced", "v0.1.0/croissant.json", b"mine")

    doubles.to_store.start(race)
    (refused,) = doubles.driver.publish(projects["0.1.0"], "s3://raced")["refusals"]
    doubles.to_store.start()
    assert "has come to be there meanwhile, with other bytes; nothing is replaced" in refused
    files = doubles.store.files("raced")
    assert files["v0.1.0/croissant.json"] == b"mine" and "releases.json" not in files and "v0.1.0/manifest.json" not in files


def test_a_large_file_goes_in_parts_create_only_too(
    doubles: Doubles, projects: Projects, forms: Forms, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubles.store.make("parts")
    done = doubles.driver.published(projects["0.1.0"], "s3://parts", part=4096)
    assert done["success"] and seen(doubles, "parts", forms) == "0.1.0"
    assert [one for one in doubles.to_store.log if "partNumber" in one.path] and not [
        one for one in doubles.to_store.log if one.method == "DELETE"
    ]
    doubles.store.make("parted")
    card = next(path for path in forms["0.1.0"] if path.startswith("records/"))

    def race(number: int, method: str, path: str) -> None:
        if method == "POST" and card in path and "uploadId" in path:
            doubles.store.put("parted", f"v0.1.0/{card}", b"mine")

    doubles.to_store.start(race)
    done = doubles.driver.publish(projects["0.1.0"], "s3://parted", part=4096)
    doubles.to_store.start()
    assert "nothing is replaced" in done["refusals"][0] and doubles.store.files("parted")[f"v0.1.0/{card}"] == b"mine"


def test_what_was_yanked_since_stands_in_the_pointer(doubles: Doubles, projects: Projects, forms: Forms, tmp_path: Path) -> None:
    doubles.store.make("yanked")
    doubles.driver.publish(projects["0.2.0"], "s3://yanked")
    project = find_project(shutil.copytree(projects["0.2.0"].root, tmp_path / "copied"))
    yank(project, "0.2.0", "labels were swapped")
    folder = ProjectFolder.__new__(ProjectFolder)
    folder.root = project.root
    folder.rebuild(sweep=True)
    done = doubles.driver.publish(project, "s3://yanked")
    assert done["success"] and done["already"] and done["done"] == ["releases.json"] and done["files"] == []
    assert seen(doubles, "yanked", forms) is None  # no release stands
    assert b"labels were swapped" in doubles.store.files("yanked")["releases.json"]


def test_what_cannot_be_is_one_line(doubles: Doubles, projects: Projects) -> None:
    assert "there is no bucket 'nowhere'" in doubles.driver.publish(projects["0.1.0"], "s3://nowhere/x")["error"]
    doubles.to_store.start(lambda number, method, path: "403")
    refused = doubles.driver.publish(projects["0.1.0"], "s3://plain")["error"]
    doubles.to_store.start()
    assert "may not be written with these credentials; set AWS_PROFILE" in refused
