"""dateline.load from folders: a source of several releases, one release; each byte checked, and nothing else asked for."""

from __future__ import annotations

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
from dateline.layout import RELEASES
from dateline.loading import TakenBackWarning
from dateline.release_files import ReleaseError, differs
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
