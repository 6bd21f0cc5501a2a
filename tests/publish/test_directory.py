"""publish to a folder: whole releases, create-only, what does not change linked; and what forbids publishing at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import zipfile
from pathlib import Path
from typing import cast

import pytest

from building import ProjectFolder, mention, record
from conftest import Run
from dateline import publication, publishing, stores
from dateline.engines import LocalEngine
from dateline.errors import PublishError, UsageError
from dateline.keys import generate, read_private_key, read_public_key
from dateline.layout import SITE, SUMS, read_releases
from dateline.project import Project, find_project
from dateline.publication import Staged
from dateline.publishing import publish
from dateline.reading_back import read_back
from dateline.releasing import release
from dateline.retracting import yank
from dateline.targets import Release, Target
from dateline.verifying import verify
from publish.releases import Files, seen, tree

Projects = dict[str, Project]
Forms = dict[str, Files]


@pytest.fixture
def copied(projects: Projects, tmp_path: Path) -> Project:
    """The project at 0.2.0, to be changed."""
    return find_project(shutil.copytree(projects["0.2.0"].root, tmp_path / "copied"))


def test_a_release_lies_there_byte_for_byte_and_the_next_one_shares_what_did_not_change(
    projects: Projects, forms: Forms, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    first = publish(projects["0.1.0"], str(target))
    assert first.success and seen(target, forms) == "0.1.0"
    assert sorted(first.sent.files) == sorted(forms["0.1.0"]) and not first.sent.reused
    assert first.read_files == len(forms["0.1.0"])
    second = publish(projects["0.2.0"], str(target))
    assert second.success and seen(target, forms) == "0.2.0"
    same = {path for path, digest in forms["0.2.0"].items() if digest in forms["0.1.0"].values()}
    assert set(second.sent.reused) == same and len(same) > 3
    assert set(second.sent.files) == forms["0.2.0"].keys() - same
    linked = next(path for path in same if path.endswith(".parquet"))
    assert (target / "v0.1.0" / linked).samefile(target / "v0.2.0" / linked)
    for path in (target / "v0.2.0").rglob("*"):
        assert path.is_dir() or not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    assert sorted(p.name for p in target.iterdir()) == [".dateline", "releases.json", "v0.1.0", "v0.2.0"]
    assert sorted(p.name for p in (target / ".dateline").iterdir()) == ["publish.lock"]
    # no file shares its content with the project, where somebody may edit it
    card = projects["0.2.0"].dataset / "README.md"
    assert not card.samefile(target / "v0.2.0" / "README.md")


def test_published_again_nothing_is_sent_and_a_lost_pointer_is_mended(projects: Projects, forms: Forms, tmp_path: Path) -> None:
    publish(projects["0.1.0"], str(tmp_path))
    publish(projects["0.2.0"], str(tmp_path))
    pointer = (tmp_path / "releases.json").read_bytes()
    again = publish(projects["0.1.0"], str(tmp_path))
    assert again.success and again.already and again.sent.files == again.sent.done == []
    assert (tmp_path / "releases.json").read_bytes() == pointer
    (tmp_path / "releases.json").unlink()
    for version in ("0.2.0", "0.1.0"):
        assert publish(projects[version], str(tmp_path)).sent.done == ["releases.json"]
    assert (tmp_path / "releases.json").read_bytes() == pointer and seen(tmp_path, forms) == "0.2.0"


def test_a_dry_run_writes_nothing_and_tells_what_would_be_sent(projects: Projects, forms: Forms, tmp_path: Path) -> None:
    target = tmp_path / "target"
    done = publish(projects["0.1.0"], str(target), dry_run=True)
    assert done.success and not target.exists() and sorted(done.sent.files) == sorted(forms["0.1.0"])
    sent = publish(projects["0.1.0"], str(target)).sent
    assert sent.bytes == done.sent.bytes
    before = tree(tmp_path)
    done = publish(projects["0.2.0"], str(target), dry_run=True)
    sent = publish(projects["0.2.0"], str(target)).sent
    assert (sorted(done.sent.files), sorted(done.sent.reused), done.sent.bytes) == (
        sorted(sent.files), sorted(sent.reused), sent.bytes,
    )  # fmt: skip
    assert before.items() <= tree(tmp_path).items() | {("target/releases.json", before["target/releases.json"])}


def test_a_version_with_other_data_is_never_overwritten(projects: Projects, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    folder = ProjectFolder(other)
    folder.seed(record("b1", mentions=[mention("m1", 0, 3)]))
    assert release(folder.project, LocalEngine(1), allow_dirty=True).version == "0.1.0"
    target = tmp_path / "target"
    publish(projects["0.1.0"], str(target))
    before = tree(target)
    done = publish(folder.project, str(target))
    assert not done.success and "a version is never replaced" in done.refusals[0] and tree(target) == before
    (target / "releases.json").unlink()
    done = publish(folder.project, str(target))
    assert not done.success and "is there with other data" in done.refusals[0]
    assert not (target / "releases.json").exists()


def test_what_was_damaged_there_is_found_when_it_is_read_back(projects: Projects, tmp_path: Path) -> None:
    publish(projects["0.1.0"], str(tmp_path))
    victim = sorted((tmp_path / "v0.1.0").rglob("*.parquet"))[0]
    victim.chmod(0o644)
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    done = publish(projects["0.1.0"], str(tmp_path))
    name = victim.relative_to(tmp_path / "v0.1.0").as_posix()
    assert not done.success and any(name in line for line in (*done.faults, *done.refusals))
    # and a damaged file is not linked into the next release
    done = publish(projects["0.2.0"], str(tmp_path))
    assert done.success and name in done.sent.files


def test_what_was_yanked_since_stands_in_the_pointer_and_the_files_stay(
    copied: Project, forms: Forms, projects: Projects, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    for version in ("0.1.0", "0.2.0"):
        publish(projects[version], str(target))
    yank(copied, "0.2.0", "labels were swapped")
    (refused,) = publish(copied, str(target)).refusals
    assert "does not say yet that 0.2.0 was yanked; run `dateline rebuild`" in refused
    folder = ProjectFolder.__new__(ProjectFolder)
    folder.root = copied.root
    folder.rebuild(sweep=True)
    done = publish(folder.project, str(target))
    assert done.success and done.already and done.sent.files == [] and done.sent.done == ["releases.json"]
    releases = read_releases((target / "releases.json").read_bytes(), "")
    assert releases.latest == "0.1.0"
    of = releases.of("0.2.0")
    assert of and of.yanked and of.yanked["reason"] == "labels were swapped"
    for version, files in forms.items():
        assert tree(target / f"v{version}") == files
    # a clone that does not know of it takes nothing back
    assert publish(projects["0.2.0"], str(target)).sent.done == []


def spoil(project: Project, how: str) -> str:
    """Let a project not be publishable; what is then said."""
    root = project.root
    settings = root / "pyproject.toml"
    if how == "private":
        settings.write_text(settings.read_text() + "private = true\n")
        return "the project is private"
    if how == "edited":
        (root / "dataset" / "README.md").write_text("edited")
        return "is not the card that the manifest names"
    if how == "data":
        path = next((root / "dataset").rglob("*.parquet"))
        path.write_bytes(path.read_bytes() + b"x")
        return "dataset/ is never edited"
    if how == "pyproject":
        settings.write_text(settings.read_text().replace('version = "0.2.0"', 'version = "0.3.0"'))
        return "pyproject.toml: names the version 0.3.0, but dataset/ is 0.2.0"
    if how == "changelog":
        log = root / "CHANGELOG.md"
        log.write_text(log.read_text().replace("[0.2.0]", "[0.2.1]"))
        return "CHANGELOG.md: names the version 0.2.1"
    if how == "citation":
        cited = root / "CITATION.cff"
        cited.write_text(cited.read_text().replace("version: 0.2.0", "version: 0.1.0"))
        return "CITATION.cff: names the version 0.1.0"
    if how == "ledger":
        (root / "seeds" / "ledger.jsonl").unlink()
        return "seeds/ledger.jsonl: knows nothing of this data"
    shutil.rmtree(root / "dataset")
    return "holds no dataset"


@pytest.mark.parametrize("how", ["private", "edited", "data", "pyproject", "changelog", "citation", "ledger", "nothing"])
def test_what_must_not_be_published_is_one_line_and_nothing_is_written(how: str, copied: Project, tmp_path: Path) -> None:
    says = spoil(copied, how)
    done = publish(find_project(copied.root), str(tmp_path / "target"))
    assert not done.success and says in done.refusals[0] and not (tmp_path / "target").exists()


def test_a_build_between_releases_is_no_release(copied: Project, tmp_path: Path) -> None:
    folder = ProjectFolder.__new__(ProjectFolder)
    folder.root = copied.root
    folder.seed(record("a9", "More."), name="b.jsonl")
    folder.rebuild()
    assert "is no release but a build after 0.2.0" in publish(folder.project, str(tmp_path / "t")).refusals[0]


def test_the_projects_own_folders_are_no_target(copied: Project) -> None:
    for place in (copied.root, copied.dataset, copied.seeds / "x"):
        with pytest.raises(UsageError, match="is the project's own folder"):
            publish(copied, str(place))


def test_what_stands_in_the_way_is_not_replaced(projects: Projects, tmp_path: Path) -> None:
    (tmp_path / "v0.1.0").mkdir()
    (tmp_path / "v0.1.0" / "mine.txt").write_text("mine")
    assert "is there and is no release" in publish(projects["0.1.0"], str(tmp_path)).refusals[0]
    (tmp_path / "file").write_text("")
    with pytest.raises(PublishError, match="cannot be written"):
        publish(projects["0.1.0"], str(tmp_path / "file" / "below"))


# ---- the command ---------------------------------------------------------------------------------------------


@pytest.mark.slow(seconds=8)
def test_the_command_says_what_it_did(copied: Project, forms: Forms, tmp_path: Path, dateline: Run) -> None:
    target = tmp_path / "target"
    settings = copied.root / "pyproject.toml"
    settings.write_text(settings.read_text() + f'[tool.dateline.targets]\nhere = "{target}"\n')
    dry = dateline("publish", "here", "--dry-run", "-C", copied.root)
    assert (dry.returncode, dry.stderr) == (0, "")
    assert f"would be published to {target}: {len(forms['0.2.0'])} files" in dry.stdout and not target.exists()
    done = dateline("publish", "here", "--json", "-C", copied.root)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["success"] and told["version"] == "0.2.0" and sorted(told["sent"]["files"]) == sorted(forms["0.2.0"])
    assert told["sent"]["bytes"] == sum(p.stat().st_size for p in (target / "v0.2.0").rglob("*") if p.is_file())
    (copied.root / "dataset" / "README.md").write_text("edited")
    refused = dateline("publish", "here", "-C", copied.root)
    assert refused.returncode == 1 and refused.stderr.splitlines()[-1] == "nothing was published"


@pytest.mark.parametrize("words", ["ftp://x/y", "s3://", "hf://x", "hf://a/b@v1", "zenodo://x", ""])
def test_words_that_name_no_target_are_one_line(words: str, copied: Project) -> None:
    with pytest.raises(UsageError, match=r"names no|is no target|has no name"):
        publish(copied, words)


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_file_is_no_target(dry_run: bool, copied: Project, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(PublishError, match="is a file; releases are published to a folder"):
        publish(copied, str(tmp_path / "file"), dry_run=dry_run)


def test_nothing_is_taken_from_a_release_there_whose_names_climb_out(projects: Projects, tmp_path: Path) -> None:
    """The same bytes lie outside of the target: they are neither linked nor made read-only."""
    target, outside = tmp_path / "target", tmp_path / "mine"
    publish(projects["0.1.0"], str(target))
    manifest = target / "v0.1.0" / "manifest.json"
    said = json.loads(manifest.read_bytes())
    outside.mkdir()
    for file in (file for table in said["tables"].values() for file in table["files"]):
        (target / "v0.1.0" / file["path"]).rename(mine := outside / Path(file["path"]).name)
        mine.chmod(0o600)
        file["path"] = f"../../mine/{mine.name}"
    manifest.unlink()
    manifest.write_text(json.dumps(said), encoding="utf-8")
    done = publish(projects["0.2.0"], str(target))
    assert done.success and not done.sent.reused
    assert all(path.stat().st_mode & 0o777 == 0o600 and path.stat().st_nlink == 1 for path in outside.iterdir())


def test_publishing_waits_for_another_publish(projects: Projects, forms: Forms, tmp_path: Path) -> None:
    """Two at the same time, of two versions: both are there, and none loses what it said."""
    children = []
    for project in projects.values():
        child = os.fork()
        if not child:
            try:
                os._exit(0 if publish(project, str(tmp_path)).success else 1)
            except BaseException:
                os._exit(2)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert seen(tmp_path, forms) == "0.2.0" and (tmp_path / "v0.1.0").is_dir()


# ---- signatures, and what is read back -----------------------------------------------------------------------


def test_a_signature_is_added_later_and_never_replaced(projects: Projects, forms: Forms, tmp_path: Path) -> None:
    target, attestation = tmp_path / "target", "attestation.intoto.jsonl"
    keys = [tmp_path / "keys" / name for name in ("one", "two")]
    for path in keys:
        generate(path)
    one, two = (read_private_key(path) for path in keys)
    assert attestation not in publish(projects["0.1.0"], str(target)).sent.files
    done = publish(projects["0.1.0"], str(target), key=one)
    assert done.success and done.already and done.sent.files == [attestation]
    assert tree(target / "v0.1.0").items() > forms["0.1.0"].items()
    assert (target / ".dateline" / "publish.lock").exists() and len(list((target / ".dateline").iterdir())) == 1
    before = tree(target)
    (refused,) = publish(projects["0.1.0"], str(target), key=two).refusals
    assert "signed with another key; nothing is replaced" in refused
    assert publish(projects["0.1.0"], str(target), key=one).success and publish(projects["0.1.0"], str(target)).success
    assert tree(target) == before
    assert verify(f"{target}@0.1.0", key=read_public_key(keys[0].with_suffix(".pub"))).success


def test_a_site_lies_beside_the_release_in_one_file_the_same_each_time(projects: Projects, tmp_path: Path) -> None:
    target = tmp_path / "target"
    assert publish(projects["0.1.0"], str(target), site=True).success
    before = tree(target)
    lies = target / "v0.1.0"
    assert verify(f"{target}@0.1.0").success
    assert f"{hashlib.sha256((lies / SITE).read_bytes()).hexdigest()}  {SITE}" in (lies / SUMS).read_text().splitlines()
    with zipfile.ZipFile(lies / SITE) as pages:
        assert {"index.html", "site.css"} <= {*pages.namelist()} and b"0.1.0" in pages.read("index.html")
    done = publish(projects["0.1.0"], str(target), site=True)
    assert done.success and done.already and not done.sent.files and tree(target) == before
    assert publish(projects["0.1.0"], str(target)).success and tree(target) == before
    (lies / SITE).write_bytes(b"PK")
    assert any(fault.file == SITE for fault in verify(f"{target}@0.1.0").faults)


def test_a_site_larger_than_any_document_is_checked_too(
    projects: Projects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "target"
    monkeypatch.setattr(publishing, "zip_folder", lambda folder, archive: archive.write_bytes(os.urandom(200_000)))
    publish(projects["0.1.0"], str(target), site=True)
    lies = target / "v0.1.0"
    sizes = {path: path.stat().st_size for path in lies.iterdir() if path.is_file()}
    assert max(sizes, key=lambda path: sizes[path]) == lies / SITE
    monkeypatch.setattr(stores, "_LARGEST_DOCUMENT", sizes[lies / SITE] - 1)
    done = verify(f"{target}@0.1.0")
    assert done.success and done.bytes >= sum(sizes.values())


def test_a_site_is_not_added_to_a_release_that_lies_there_without(projects: Projects, tmp_path: Path) -> None:
    target = tmp_path / "target"
    publish(projects["0.1.0"], str(target))
    before = tree(target)
    (fault,) = publish(projects["0.1.0"], str(target), site=True).faults
    assert "site.zip: was not added" in fault and "dateline site --out" in fault and tree(target) == before


def test_a_release_under_metadata_of_another_dateline_stays_as_it_is(
    projects: Projects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(publication, "croissant", lambda *words, **named: "{}\n")
        assert publish(projects["0.1.0"], str(tmp_path)).success
    before = tree(tmp_path)
    done = publish(projects["0.1.0"], str(tmp_path))
    assert done.success and done.already and done.sent.files == [] and tree(tmp_path) == before


def test_a_signature_that_is_not_of_what_lies_there_is_told_and_not_passed_over(
    projects: Projects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(publication, "croissant", lambda *words, **named: "{}\n")
        assert publish(projects["0.1.0"], str(tmp_path / "target")).success
    generate(tmp_path / "key")
    (fault,) = publish(projects["0.1.0"], str(tmp_path / "target"), key=read_private_key(tmp_path / "key")).faults
    assert fault.startswith("attestation.intoto.jsonl: was not added, as 0.1.0 lies there with other metadata than here")


class Lying:
    """A target that gives back a staged release whose manifest was changed."""

    def __init__(self, staged: Staged) -> None:
        self.folder = staged.folder

    def fetch(self, release: Release, path: str, to: Path) -> None:
        shutil.copyfile(self.folder / path, to)


@pytest.mark.parametrize("what", ["rows", "columns", "features"])
def test_rows_and_features_are_compared_too(what: str, projects: Projects, tmp_path: Path) -> None:
    """Also where all digests agree: a manifest may say what is not so."""
    staged = publication.stage(projects["0.1.0"], tmp_path / "staged")
    said = json.loads((staged.folder / "manifest.json").read_bytes())
    table = said["tables"]["mentions"]
    if what == "rows":
        table["files"][0]["rows"] += 1
    elif what == "columns":
        table["features"] = table["features"][::-1]
    else:
        table["features"][0] = {"name": table["features"][0]["name"], "dtype": "int64"}
    raw = json.dumps(said).encode()
    (staged.folder / "manifest.json").unlink()
    (staged.folder / "manifest.json").write_bytes(raw)
    staged.files["manifest.json"] = (hashlib.sha256(raw).hexdigest(), len(raw))
    target = cast(Target, Lying(staged))
    found = read_back(target, staged, raw, tmp_path / "back", lambda *_: None).faults
    wanted = {"rows": "rows, but the manifest says", "columns": "has the columns", "features": "says other features of mentions"}
    assert any(wanted[what] in line for line in found), found
