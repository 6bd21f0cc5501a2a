"""Which release words mean: folders, targets with versions, `file://`, `@version`, ranges."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dateline.differing import differ
from dateline.engines import LocalEngine
from dateline.errors import InputError, LoadError
from dateline.layout import RELEASES, Published, Releases, choose
from dateline.sources import fetch_release, named, parted, place, releases_at
from published import built, publish

WHY = {"reason": "labels were swapped", "date": "2026-02-01"}


def listing(*versions: str, yanked: str = "") -> Releases:
    return Releases("tiny", [Published(v, "2026-01-01", "", "", WHY if v in yanked.split() else None) for v in versions])


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (None, "0.10.0"),
        ("0.2.0", "0.2.0"),
        ("v0.2.0", "0.2.0"),
        ("==0.2.0", "0.2.0"),
        ("0.2", "0.2.0"),
        ("~=0.2", "0.10.0"),
        ("~=0.2.0", "0.2.1"),
        (">=0.1,<0.3", "0.2.1"),
        ("<0.2", "0.1.0"),
        ("!=0.10.0", "0.2.1"),
        ("1.0.0", "1.0.0"),  # a yanked one is had by its exact version
        ("==1.0.0", "1.0.0"),
    ],
)
def test_a_version_or_a_range_means_the_newest_that_fits_and_was_not_yanked(wanted: str | None, chosen: str) -> None:
    assert choose(listing("0.1.0", "0.2.0", "0.2.1", "0.10.0", "1.0.0", yanked="1.0.0"), wanted, "out").version == chosen


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("0.3.0", r"^out: there is no release 0\.3\.0; there are 0\.1\.0, 0\.2\.0 \(yanked\)$"),
        (">=3", r"^out: there is no release >=3; there are"),
        (">=0.2", r"^out: all that >=0\.2 would fit were yanked \(0\.2\.0: labels were swapped\); name one by its exact version"),
    ],
)
def test_what_no_release_fits_is_said_with_what_there_is(wanted: str, says: str) -> None:
    with pytest.raises(LoadError, match=says):
        choose(listing("0.1.0", "0.2.0", yanked="0.2.0"), wanted, "out")


def test_words_that_are_no_version_and_lists_without_releases_are_one_line() -> None:
    with pytest.raises(InputError, match=r"^out: 'newest' is no version and no range of versions; write 0\.2\.0, ~=0\.2"):
        choose(listing("0.1.0"), "newest", "out")
    with pytest.raises(LoadError, match=r"^out: there is no release yet$"):
        choose(listing(), None, "out")
    with pytest.raises(LoadError, match=r"^out: all releases were yanked"):
        choose(listing("0.1.0", yanked="0.1.0"), None, "out")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with releases 0.1.0, 0.2.0 and 0.3.0, the last one yanked."""
    work = tmp_path_factory.mktemp("target")
    first = built(work / "first", "0.1.0")
    releases = [first]
    for version in ("0.2.0", "0.3.0"):
        other = built(work / version, version, articles=int(version[2]) + 4)
        releases.append(other)
    return publish(work / "out", *releases, yanked={"0.3.0": WHY})


def test_the_forms_of_an_address_come_to_one_folder(target: Path) -> None:
    for words in (
        target, f"file://{target}", f"{target}@0.2.0", f"{target}@v0.2.0", f"file://{target}@~=0.2", target / "v0.2.0",
        f"file://localhost{target}/v0.2.0", f"{target / 'v0.2.0'}@0.2", target / "v0.2.0" / "manifest.json",
    ):  # fmt: skip
        found = place(str(words))
        assert (found.folder, found.version) == (target / "v0.2.0", "0.2.0"), words
        assert found.listing is not None and found.listing.latest == "0.2.0"
        assert found.files() == sorted(found.files()) and json.loads(found.read("manifest.json"))["version"] == "0.2.0"
        assert named(str(words)).kind == "release" and fetch_release(str(words), target / "unused") == target / "v0.2.0"
    assert [r.version for r in releases_at(f"file://{target}").releases] == ["0.1.0", "0.2.0", "0.3.0"]
    assert place(str(target), "0.3.0").release == place(f"{target}@0.3.0").release


def test_a_path_that_exists_as_written_wins(target: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(target, tmp_path / "out@0.1.0")
    assert place(str(copied)).version == "0.2.0" and place(f"{copied}@0.1.0").version == "0.1.0"


def test_two_versions_in_one_breath_are_refused_unless_they_are_one(target: Path) -> None:
    assert parted(f"{target}@v0.1.0", "0.1.0") == (str(target), "0.1.0")
    with pytest.raises(InputError, match=r"names 0\.1\.0, and version='0\.2\.0' another; give one of them"):
        place(f"{target}@0.1.0", "0.2.0")
    assert parted("hf://datasets/org/name@v1") == ("hf://org/name", "v1")
    assert parted("s3://news/a@home/x@~=0.2") == ("s3://news/a@home/x", "~=0.2")
    assert parted("s3://news/a@home/x/") == ("s3://news/a@home/x", None)


def test_a_release_that_is_not_the_one_asked_for_is_refused(target: Path, tmp_path: Path) -> None:
    alone = shutil.copytree(target / "v0.2.0", tmp_path / "copy")
    assert place(str(alone), "~=0.1").folder == alone and place(str(alone)).version is None
    with pytest.raises(LoadError, match=r"copy: is release 0\.2\.0, and 0\.1\.0 was asked for"):
        place(str(alone), "0.1.0")
    with pytest.raises(LoadError, match=r"v0\.2\.0: is release 0\.2\.0, and <0\.2 was asked for"):
        place(str(target / "v0.2.0"), "<0.2")


def test_another_release_in_the_place_of_a_listed_one_is_found(target: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(target, tmp_path / "out")
    shutil.rmtree(copied / "v0.2.0")
    shutil.copytree(copied / "v0.1.0", copied / "v0.2.0")  # an older release, under a newer name
    with pytest.raises(LoadError, match=r"v0\.2\.0: holds release 0\.1\.0, where 0\.2\.0 should be"):
        fetch_release(str(copied), tmp_path / "unused")
    manifest = copied / "v0.1.0" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    with pytest.raises(LoadError, match=r"manifest\.json: has been changed: sha256 is .*, but the releases\.json says"):
        fetch_release(f"{copied}@0.1.0", tmp_path / "unused")


def test_a_damaged_list_is_one_line(target: Path, tmp_path: Path) -> None:
    (tmp_path / RELEASES).write_text("{")
    with pytest.raises(LoadError, match=r"releases\.json: is no list of releases"):
        place(str(tmp_path))
    (tmp_path / RELEASES).unlink()
    with pytest.raises(LoadError, match=r"is no release: it has no manifest\.json; a source of several has releases\.json"):
        place(str(tmp_path))


def test_two_releases_of_one_source_are_compared(target: Path, tmp_path: Path) -> None:
    found = differ(f"{target}@0.1.0", f"file://{target}", tmp_path, tmp_path / "work", LocalEngine(1))
    assert found.old and found.new
    assert (found.old.manifest.version, found.new.manifest.version) == ("0.1.0", "0.2.0")
    added = [change.article_id for change in found.diff.changes if change.kind == "article-added"]
    assert added == ["a4", "a5"]
