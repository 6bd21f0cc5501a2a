"""dateline.load from the Hub: versions, what is fetched and what is not, offline, damage; and plain load_dataset beside it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dateline.layout import METADATA, folder_of
from hub_double import Hub
from published import built, files_of, stamp
from readers import Reader, rows, version

pytestmark = [pytest.mark.slow(seconds=25), pytest.mark.xdist_group("load-from-hub")]  # they share a server and a process
SOURCE = "hf://org/tiny"
WHY = {"reason": "labels were swapped", "date": "2026-02-01"}
GONE = [{"article_id": "a0", "reason": "the publisher asked", "retracted_in": "0.2.0"}]
ARTICLES = {"0.1.0": 4, "0.2.0": 5, "0.3.0": 6}


@dataclass
class Home:
    """A Hub with releases, and a process that loads from it."""

    hub: Hub
    reader: Reader
    folder: Path
    releases: dict[str, Path]

    def asked(self) -> list[str]:
        """The paths that were asked for since this was called last."""
        found = [path for _, path in self.hub.requests]
        self.hub.requests.clear()
        return found


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    work = tmp_path_factory.mktemp("releases")
    return {version: built(work / version, version, articles=count) for version, count in ARTICLES.items()}


@pytest.fixture(scope="module")
def home(releases: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    work = tmp_path_factory.mktemp("hub")
    with Hub() as hub, Reader(work / "home", **hub.environment) as reader:
        repository = hub.repository("org/tiny")
        for number, folder in releases.items():
            repository.commit({**files_of(folder), **dict.fromkeys(METADATA, b"{}\n")}, tag=folder_of(number))
        newest = stamp(shutil.copytree(releases["0.3.0"], work / "newest"), "0.3.0", WHY, GONE)
        repository.commit(files_of(newest))  # main says what was taken back
        yield Home(hub, reader, work / "home", releases)
        assert not hub.strange


def test_versions_and_ranges(home: Home) -> None:
    load = home.reader.dateline
    newest = load("mentions", source=SOURCE)
    assert (version(newest), rows(newest), newest["warnings"]) == ("0.2.0", 5, [])  # 0.3.0 was yanked
    assert set(newest["splits"]) == {"train", "test"} and newest["splits"]["train"]["license"] == "CC-BY-4.0"
    for wanted in ("0.1.0", "v0.1.0", "~=0.1.0", ">=0.1,<0.2"):
        found = load("mentions", source=SOURCE, version=wanted)
        assert (version(found), rows(found)) == ("0.1.0", 4), wanted
    assert found["warnings"] == ["tiny 0.1.0 holds what was retracted since: a0 (the publisher asked); load a newer release"]
    yanked = load("mentions", source=f"{SOURCE}@0.3.0")
    assert (version(yanked), yanked["warnings"]) == ("0.3.0", ["tiny 0.3.0 was yanked: labels were swapped"])
    assert version(load("mentions", source="hf://datasets/org/tiny@v0.2.0", split="train")) == "0.2.0"
    assert version(load("mentions", source=f"{SOURCE}@main")) == "0.3.0"  # any revision will do

    errors = {
        ("mentions", "0.9.0"): "hf://org/tiny: there is no release 0.9.0; there are 0.1.0, 0.2.0, 0.3.0 (yanked)",
        ("mentions", ">=0.3"): "all that >=0.3 would fit were yanked (0.3.0: labels were swapped); name one by its exact version",
        ("mentions", "main"): "'main' is no version and no range of versions",
        ("mention", "0.1.0"): "hf://org/tiny@v0.1.0: has no config 'mention'; it has articles",
    }
    for (config, wanted), says in errors.items():
        assert says in version(load(config, source=SOURCE, version=wanted))
    assert "no such dataset on the Hub" in version(load(source="hf://org/nowhere"))


def test_a_warm_load_asks_for_no_data(home: Home) -> None:
    load = home.reader.dateline
    cold = load("mentions", source=SOURCE, version="0.1.0")
    home.asked()
    assert load("mentions", source=SOURCE, version="0.1.0")["splits"] == cold["splits"]
    warm = home.asked()
    assert len(warm) <= 4 and not [path for path in warm if path.endswith((".parquet", "manifest.json", "README.md"))]
    load("articles", source=SOURCE, version="0.1.0")  # of another config its own files alone
    assert {path.split("/")[-2] for path in home.asked() if path.endswith(".parquet")} == {"articles"}


def test_many_loads_at_once_and_options_that_stay_as_they_are(home: Home) -> None:
    options = {"storage_options": {"token": "hf_secret", "endpoint": home.hub.address}}
    found = home.reader.dateline("mentions", source=SOURCE, cache_dir=str(home.folder / "fresh"), at_once=4, **options)
    assert (version(found), rows(found), found["untouched"]) == ("0.2.0", 5, True)
    assert not list((home.folder / "fresh").rglob(".*.parquet.*"))  # no halves are left


def test_streaming_fetches_no_file(home: Home) -> None:
    cache = home.folder / "streamed"
    found = home.reader.dateline("mentions", source=SOURCE, streaming=True, cache_dir=str(cache))
    assert (version(found), rows(found), found["splits"]["train"]["license"]) == ("0.2.0", 5, "CC-BY-4.0")
    assert found["splits"]["train"]["labels"] == ["PER"] and not list(cache.rglob("*.parquet"))


def test_plain_load_dataset_reads_each_tag_also_streaming(home: Home) -> None:
    for number, count in ARTICLES.items():
        whole = home.reader.plain("org/tiny", "mentions", revision=folder_of(number))
        assert (version(whole), rows(whole)) == (number, count)
        assert home.reader.plain("org/tiny", "mentions", revision=folder_of(number), streaming=True)["splits"] == whole["splits"]


def test_files_that_are_not_those_of_the_manifest_are_named_and_not_kept(home: Home) -> None:
    files = files_of(home.releases["0.1.0"])
    data = sorted(path for path in files if path.startswith("mentions/"))[0]
    home.hub.repository("org/bad").commit({**files, data: files[data][:-1] + b"x"}, tag="v0.1.0")
    assert f"hf://org/bad@v0.1.0/{data}: has been changed" in version(
        home.reader.dateline("mentions", source="hf://org/bad", cache_dir=str(home.folder / "bad"))
    )
    assert not list((home.folder / "bad").rglob(f"*{Path(data).name}*"))
    other = home.hub.repository("org/moved")
    other.commit(files, tag="v0.2.0")
    assert "holds release 0.1.0, where 0.2.0 should be" in version(home.reader.dateline("mentions", source="hf://org/moved"))


def test_a_damaged_file_of_the_cache_is_fetched_again(home: Home) -> None:
    cache = home.folder / "damaged"
    load = home.reader.dateline
    whole = load("mentions", source=SOURCE, cache_dir=str(cache))
    for name, damage in {"mentions/*.parquet": b"x", "manifest.json": b"{", "README.md": b"", "versions.json": b"{}"}.items():
        path = next(cache.glob(f"dateline/releases/*/{name}"))
        raw = path.read_bytes()
        path.write_bytes(raw[:-1] + damage if "parquet" in name else damage)
        assert load("mentions", source=SOURCE, cache_dir=str(cache))["splits"] == whole["splits"]
        assert path.read_bytes() == raw


def test_offline_the_cache_serves_the_version_that_was_asked_for_and_no_other(home: Home) -> None:
    load = home.reader.dateline
    cache: dict[str, Any] = {"cache_dir": str(home.folder / "kept")}
    for wanted in ("0.1.0", "0.2.0"):
        load("mentions", source=SOURCE, version=wanted, **cache)
    assert version(home.reader.plain("org/tiny", "mentions", revision="v0.1.0")) == "0.1.0"
    with Reader(home.folder, HF_HUB_OFFLINE="1", **home.hub.environment) as offline:
        wrong = offline.plain("org/tiny", "mentions", revision="v9.9.9")
        assert "error" not in wrong  # wrong: there is no such tag, and there never was one

        load = offline.dateline
        assert "there is no release 9.9.9" in version(load("mentions", source=SOURCE, version="9.9.9", **cache))
        exact = load("mentions", source=SOURCE, version="0.1.0", **cache)
        assert (version(exact), rows(exact)) == ("0.1.0", 4)
        assert exact["warnings"] == ["tiny 0.1.0 holds what was retracted since: a0 (the publisher asked); load a newer release"]
        ranged = load("mentions", source=SOURCE, version="~=0.1", **cache)
        assert version(ranged) == "0.2.0" and "HF_HUB_OFFLINE is set" in ranged["warnings"][0]
        assert ranged["warnings"][0].endswith("; loaded 0.2.0 from the cache")
        for words, says in {
            ("mentions", "0.3.0"): "0.3.0 is not in the cache, which has 0.1.0, 0.2.0",
            ("articles", "0.1.0"): "is not in the cache, and it cannot be fetched now",
        }.items():
            refused = version(load(words[0], source=SOURCE, version=words[1], **cache))
            assert says in refused and "HF_HUB_OFFLINE is set" in refused
        assert "cannot be read, as HF_HUB_OFFLINE is set" in version(load(source="hf://org/never", **cache))
        data = next(p for p in (home.folder / "kept").rglob("mentions/*.parquet"))
        data.write_bytes(data.read_bytes()[:-1] + b"x")
        said = [version(load("mentions", source=SOURCE, version=number, **cache)) for number in ("0.1.0", "0.2.0")]
        assert any(f"{data.name}: has been changed" in words and "cannot be fetched now" in words for words in said)


def test_what_a_source_said_last_is_kept_and_read(home: Home) -> None:
    home.reader.dateline("mentions", source=SOURCE)
    (path,) = (home.folder / "dateline" / "known").glob("*.json")
    said = json.loads(path.read_bytes())
    assert [entry["version"] for entry in said["releases"]["releases"]] == list(ARTICLES)
    assert "hf_secret" not in path.read_text()
