"""dateline.load from folders: a source of several releases, one release; each byte checked, and nothing else asked for."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from pathlib import Path
from typing import Any

import datasets
import pytest

import dateline
from dateline import fetched
from dateline.errors import InputError, LoadError
from dateline.fetched import Cache
from dateline.layout import RELEASES, Published
from dateline.loading import TakenBackWarning
from dateline.manifest import parse_manifest
from dateline.release_files import ReleaseError, differs
from dateline.sources import Place, fetch_release
from dateline.stores import Folder
from published import built, publish

WHY = {"reason": "labels were swapped", "date": "2026-02-01"}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source with releases 0.1.0 (4 articles), 0.2.0 (5) and 0.3.0 (6, yanked)."""
    work = tmp_path_factory.mktemp("folder")
    releases = [built(work / version, version, articles=n) for version, n in (("0.1.0", 4), ("0.2.0", 5), ("0.3.0", 6))]
    target = publish(work / "out", *releases, yanked={"0.3.0": WHY})
    said = json.loads((target / RELEASES).read_bytes())
    said["retracted"] = [{"article_id": "a0", "reason": "the publisher asked", "retracted_in": "0.2.0"}]
    (target / RELEASES).write_text(json.dumps(said), encoding="utf-8")
    return target


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """What is not expected is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


def rows(found: Any) -> int:
    return sum(split.num_rows for split in found.values())


def test_the_newest_that_stands_a_version_or_a_range(target: Path) -> None:
    assert rows(dateline.load("articles", source=target)) == rows(dateline.load("articles", source=f"file://{target}@0.2")) == 5
    assert rows(dateline.load("articles", source=target / "v0.2.0", version="~=0.2")) == 5
    for version in ("0.1.0", "v0.1.0", ">=0.1,<0.2"):
        with pytest.warns(TakenBackWarning, match=r"tiny 0\.1\.0 holds what was retracted since: a0 \(the publisher asked\)"):
            assert rows(dateline.load("articles", source=target, version=version)) == 4
    for source in (f"{target}@0.3.0", target / "v0.3.0"):  # also if it is named by its own folder
        with pytest.warns(TakenBackWarning, match=r"^tiny 0\.3\.0 was yanked: labels were swapped$"):
            assert rows(dateline.load("articles", source=source)) == 6
    with pytest.raises(LoadError, match=r"there is no release 0\.4\.0; there are 0\.1\.0, 0\.2\.0, 0\.3\.0 \(yanked\)"):
        dateline.load(source=target, version="0.4.0")
    with pytest.raises(InputError, match="no such folder"):
        dateline.load(source="org/name")
    with pytest.raises(LoadError, match=r"is release .*, and 99\.0\.0 was asked for"):
        dateline.load(version="99.0.0")


def test_plain_load_dataset_reads_each_published_folder_also_streaming(target: Path, tmp_path: Path) -> None:
    for version, count in (("0.1.0", 4), ("0.2.0", 5)):
        folder = str(target / f"v{version}")
        whole = datasets.load_dataset(folder, "articles", cache_dir=str(tmp_path))
        streamed = datasets.load_dataset(folder, "articles", streaming=True)
        assert rows(whole) == count == sum(len(list(split)) for split in streamed.values())
        assert {str(split.info.version) for split in whole.values()} == {version}


def test_a_changed_byte_is_noticed_whatever_its_times_say(target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetched, "_COARSE", -(10**18))  # so that the first look at a young file counts, too
    folder = shutil.copytree(target / "v0.2.0", tmp_path / "copied")
    cache = tmp_path / "cache"
    assert rows(dateline.load("mentions", source=folder, cache_dir=cache)) == 5
    hashed: list[Path] = []

    def counted(path: Path, entry: dict[str, Any]) -> str:
        hashed.append(path)
        return differs(path, entry)

    monkeypatch.setattr(fetched, "differs", counted)
    assert rows(dateline.load("mentions", source=folder, cache_dir=cache)) == 5 and not hashed  # once is enough
    path = next(folder.glob("mentions/train*.parquet"))
    before, raw = path.stat(), path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    for streaming in (False, True):
        with pytest.raises(ReleaseError, match=rf"^{folder}/mentions/{path.name}: has been changed: .*; get the release again$"):
            dateline.load("mentions", source=folder, cache_dir=cache, streaming=streaming)
    assert rows(dateline.load("articles", source=folder, cache_dir=cache)) == 5  # of another config, whose files are whole
    path.write_bytes(raw)
    assert rows(dateline.load("mentions", source=folder, cache_dir=cache)) == 5
    path.unlink()
    with pytest.raises(ReleaseError, match="no such file, but the manifest names it"):
        dateline.load("mentions", source=folder, cache_dir=cache)


def test_a_file_that_changed_a_moment_ago_is_hashed_again(target: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(target / "v0.2.0", tmp_path / "copied")
    opened = Cache(tmp_path / "cache").open(str(folder))
    opened.bring(["README.md"])
    assert not (tmp_path / "cache" / "checked").exists()


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(target: Path, tmp_path: Path) -> None:
    (tmp_path / "dateline").write_text("a file where a folder should be")
    opened = Cache(tmp_path / "dateline").open(str(target))
    opened.bring(opened.manifest.paths())


def test_an_older_release_under_a_newer_name_is_refused(target: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(target, tmp_path / "out")
    shutil.rmtree(copied / "v0.2.0")
    (copied / "v0.1.0").rename(copied / "v0.2.0")
    for source in (copied, copied / "v0.2.0"):
        with pytest.raises(LoadError, match=r"holds release 0\.1\.0, where 0\.2\.0 should be"):
            dateline.load(source=source)
    manifest = copied / "v0.3.0" / "manifest.json"
    said = json.loads(manifest.read_bytes())
    said["tables"]["articles"]["files"][0]["path"] = "../../out.parquet"
    manifest.write_text(json.dumps(said), encoding="utf-8")
    (copied / RELEASES).unlink()
    with pytest.raises(ReleaseError, match="is no name that a file of a release may have; nothing was read"):
        dateline.load("articles", source=copied / "v0.3.0")


def test_a_link_by_the_name_of_another_release_is_refused(target: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(target, tmp_path / "out")
    shutil.rmtree(copied / "v0.2.0")
    (copied / "v0.2.0").symlink_to("v0.1.0")
    with pytest.raises(LoadError, match=r"holds release 0\.1\.0, where 0\.2\.0 should be"):
        dateline.load(source=copied / "v0.2.0")


def test_a_published_release_has_one_manifest_the_one_that_is_listed(target: Path, tmp_path: Path) -> None:
    """A card, and beside the listed manifest the one that a rebuild would put in its place, could else bring other data."""
    copied = shutil.copytree(target, tmp_path / "out")
    folder = copied / "v0.2.0"
    card = (folder / "README.md").read_bytes() + b"\n"
    (folder / "README.md").write_bytes(card)
    said = json.loads((folder / "manifest.json").read_bytes())
    said["card"] |= {"sha256": hashlib.sha256(card).hexdigest(), "bytes": len(card)}
    (folder / "manifest.next.json").write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(LoadError, match=r"manifest\.next\.json: is no file of a release that was published"):
        dateline.load(source=copied, version="0.2.0")
    with pytest.raises(LoadError, match=r"manifest\.next\.json: is no file of a release that was published"):
        fetch_release(f"{copied}@0.2.0", tmp_path / "into")


def test_a_content_digest_that_is_only_claimed_is_refused(target: Path, tmp_path: Path) -> None:
    """All that the list of a repository says of a release, whose tag can be moved, is the content digest."""
    folder = shutil.copytree(target / "v0.2.0", tmp_path / "v0.2.0")
    raw = (folder / "manifest.json").read_bytes()
    whole = parse_manifest(raw, "")
    listed = Place(Folder(folder), Published("0.2.0", "2026-01-01", "", whole.content_digest))
    listed.check(whole, raw)
    for change in ({"sha256": "0" * 64}, {"split": "test"}):
        said = json.loads(raw)
        said["tables"]["articles"]["files"][0].update(change)
        with pytest.raises(LoadError, match="contradicts itself"):
            listed.check(parse_manifest(json.dumps(said).encode(), ""), b"")


_ENTRY = {"version": "0.1.0", "date": "", "manifest_sha256": "", "content_digest": ""}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("releases", [_ENTRY | {"version": "../v0.1.0"}]),
        ("releases", [_ENTRY, _ENTRY]),
        ("releases", [_ENTRY | {"yanked": {"date": "2026-01-01"}}]),
        ("retracted", [{"article_id": "a0"}]),
        ("retracted", [{"article_id": "a0", "reason": "why", "retracted_in": "soon"}]),
    ],
)
def test_a_list_that_makes_no_sense_is_one_line(name: str, said: Any, target: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(target, tmp_path / "out")
    listed = json.loads((copied / RELEASES).read_bytes())
    (copied / RELEASES).write_text(json.dumps(listed | {name: said}), encoding="utf-8")
    with pytest.raises(LoadError, match="is no list of releases"):
        dateline.load(source=copied)
