"""dateline.load from S3: a source of several releases, one release; and what plain `datasets` makes of an address there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dateline.layout import RELEASES, folder_of
from published import built, files_of, publish
from readers import Reader, rows, version
from s3_double import Call, put, s3_settings

WHY = {"reason": "labels were swapped", "date": "2026-02-01"}


@pytest.mark.slow(seconds=15)
def test_releases_are_loaded_from_a_bucket(bucket: tuple[str, Call], tmp_path: Path) -> None:
    pytest.importorskip("s3fs", reason="reading from S3 needs s3fs")
    address, call = bucket
    releases = [built(tmp_path / number, number, articles=count) for number, count in (("0.1.0", 4), ("0.2.0", 5))]
    target = publish(tmp_path / "out", *releases)
    files = {
        path: raw for path, raw in files_of(target).items() if path.count("/") < 2 or "/mentions/" in path or "/articles/" in path
    }
    put(call, "tiny", files)
    data = next(path for path in files_of(releases[0]) if path.startswith("mentions/"))
    url = f"s3://news/tiny/v0.1.0/{data}"
    settings = s3_settings(address)
    options = {"key": "k", "secret": "s3cr3t", "client_kwargs": {"endpoint_url": address}}
    with Reader(tmp_path / "home", HF_HUB_OFFLINE="1", **settings) as reader:  # that is of the Hub, and of nothing else
        load, plain = reader.dateline, reader.plain

        # what plain `datasets` does
        assert "Couldn't find any data file" in version(plain("s3://news/tiny/v0.1.0", "mentions"))  # wrong
        blocked = plain("parquet", data_files=url)
        assert blocked["kind"] == "OfflineModeIsEnabled"  # wrong: the Hub is not asked

        # and what dateline.load does
        newest = load("mentions", source="s3://news/tiny")
        assert (version(newest), rows(newest), newest["warnings"]) == ("0.2.0", 5, [])
        assert newest["splits"]["train"]["license"] == "CC-BY-4.0" and newest["splits"]["train"]["labels"] == ["PER"]
        for words in ("s3://news/tiny@~=0.1.0", "s3://news/tiny/v0.1.0", "s3://news/tiny/v0.1.0/@0.1.0"):
            assert rows(load("mentions", source=words)) == 4
        given = load("articles", source="s3://news/tiny", storage_options=options)
        assert given["untouched"] and version(given) == "0.2.0"
        assert version(load(source="s3://news/tiny", version="0.3.0")) == (
            "s3://news/tiny: there is no release 0.3.0; there are 0.1.0, 0.2.0"
        )
        assert "is release 0.1.0, and 0.2.0 was asked for" in version(load(source="s3://news/tiny/v0.1.0", version="0.2.0"))
        streamed = load("mentions", source="s3://news/tiny", streaming=True, cache_dir=str(tmp_path / "streamed"))
        assert streamed["splits"] == newest["splits"] and not list((tmp_path / "streamed").rglob("*.parquet"))

    with Reader(tmp_path / "home", **settings) as reader:
        load, plain = reader.dateline, reader.plain
        changed = plain("parquet", data_files=url, storage_options=options)
        assert changed["splits"]["train"]["rows"] and not changed["untouched"]  # wrong: it writes into what it is given
        again = load(
            "mentions", source="s3://news/tiny@0.1.0", streaming=True, cache_dir=str(tmp_path / "s"), storage_options=options
        )
        assert rows(again) == 4 and again["untouched"]

        # a list that changes, files that change
        publish(tmp_path / "later", *releases, yanked={"0.2.0": WHY})
        put(call, "tiny", {RELEASES: (tmp_path / "later" / RELEASES).read_bytes()})
        assert version(load("mentions", source="s3://news/tiny")) == "0.1.0"
        assert load("mentions", source="s3://news/tiny@0.2.0")["warnings"] == ["tiny 0.2.0 was yanked: labels were swapped"]
        put(call, f"tiny/{folder_of('0.1.0')}", {data: b"PAR1"})
        assert f"/{data}: has 4 bytes, but the manifest says" in version(
            load("mentions", source="s3://news/tiny", cache_dir=str(tmp_path / "third"))
        )
        assert version(load("mentions", source="s3://news/tiny")) == "0.1.0"  # what was fetched before is still whole
        put(call, "tiny", {RELEASES: json.dumps({"format": 99}).encode()})
        assert "releases.json: has format 99" in version(load("mentions", source="s3://news/tiny"))
