"""publish to Zenodo, against a double of its documented API: a draft first, its metadata checked, published on demand alone."""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from pathlib import Path

import pytest

from dateline.project import Project, find_project
from publish.doubles import Doubles
from publish.proxy import once
from publish.releases import Files

pytestmark = [pytest.mark.slow(seconds=5), pytest.mark.xdist_group("publish")]  # they share servers
Projects = dict[str, Project]


def test_a_draft_is_made_then_published(doubles: Doubles, projects: Projects, forms: dict[str, Files]) -> None:
    driver, zenodo = doubles.driver, doubles.zenodo
    before = set(zenodo.deposits)
    first = driver.publish(projects["0.1.0"], "zenodo://")
    assert first["success"], first
    (number,) = set(zenodo.deposits) - before
    deposit, files = zenodo.deposits[number], zenodo.files[number]
    assert not deposit["submitted"] and deposit["metadata"]["creators"] == [{"name": "Us"}]
    assert deposit["metadata"]["license"] == "cc-by-4.0" and deposit["metadata"]["publication_date"] == "2026-11-01"
    assert sorted(files) == sorted(first["files"]) and "README.md" in files
    with zipfile.ZipFile(io.BytesIO(files["tiny-v0.1.0.zip"])) as archive:
        assert {n: hashlib.sha256(archive.read(n)).hexdigest() for n in archive.namelist()} == forms["0.1.0"]
    again = driver.publish(projects["0.1.0"], "zenodo://")
    assert again["success"] and again["files"] == [] and set(zenodo.deposits) - before == {number}
    final = driver.publish(projects["0.1.0"], f"zenodo://{number}", final=True)
    assert final["success"] and final["files"] == [] and deposit["submitted"]
    assert driver.publish(projects["0.1.0"], "zenodo://", final=True)["done"] == []
    (refused,) = driver.publish(projects["0.2.0"], f"zenodo://{number}")["refusals"]
    assert f"deposit {number} is published with other files, and never changes" in refused


def test_what_zenodo_asks_for_is_looked_at_before_anything_is_sent(doubles: Doubles, projects: Projects, tmp_path: Path) -> None:
    project = find_project(shutil.copytree(projects["0.1.0"].root, tmp_path / "copied"))
    (project.root / "CITATION.cff").unlink()
    settings = project.root / "pyproject.toml"
    settings.write_text(settings.read_text().replace('summary = "Names in small texts."\n', ""))
    doubles.to_zenodo.start()
    (refused,) = doubles.driver.publish(find_project(project.root), "zenodo://")["refusals"]
    assert "asks for creators and description; give authors in CITATION.cff, summary in [tool.dateline]" in refused
    assert doubles.to_zenodo.log == []


@pytest.mark.parametrize("fault", ["429", "500", "drop", "lose", "truncate"])
@pytest.mark.parametrize("what", ["POST /api/deposit/depositions", "PUT /api/files", "POST publish"])
def test_faults_are_survived_and_no_second_draft_is_made(fault: str, what: str, doubles: Doubles, projects: Projects) -> None:
    if fault == "truncate" and what != "PUT /api/files":
        return  # a cut JSON is refused as such
    method, _, part = what.partition(" ")
    doubles.zenodo.deposits.clear()
    doubles.zenodo.files.clear()
    doubles.to_zenodo.start(once(fault, lambda m, path: m == method and part in path))
    done = doubles.driver.publish(projects["0.2.0"], "zenodo://", final=True)
    assert [one.fault for one in doubles.to_zenodo.log if one.fault] == [fault]
    doubles.to_zenodo.start()
    assert done.get("success"), done
    (deposit,) = doubles.zenodo.deposits.values()
    assert deposit["submitted"]


def test_a_wrong_token_is_one_line(doubles: Doubles, projects: Projects, monkeypatch: pytest.MonkeyPatch) -> None:
    doubles.to_zenodo.start(lambda number, method, path: "403")
    assert "Zenodo does not take this token" in doubles.driver.publish(projects["0.1.0"], "zenodo://")["error"]
    doubles.to_zenodo.start()
