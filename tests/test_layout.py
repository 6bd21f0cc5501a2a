"""How releases lie at a target: the pointer file as it is written and read."""

from __future__ import annotations

import json

import pytest

from dateline.errors import LoadError
from dateline.layout import Published, Releases, folder_of, read_releases, version_of, with_release


def published(version: str, yanked: dict[str, str] | None = None) -> Published:
    return Published(version, "2026-01-01", "a" * 64, "b" * 64, yanked)


def test_what_is_written_is_read() -> None:
    releases = Releases(
        "corpus",
        [published("0.1.0"), published("0.2.0", {"reason": "wrong", "date": "2026-01-02"})],
        [{"article_id": "a", "reason": "asked", "retracted_in": "0.2.0"}],
    )
    assert read_releases(releases.encode(), "x") == releases
    assert json.loads(releases.encode())["latest"] == "0.1.0"


def test_versions_stand_in_the_order_of_their_numbers() -> None:
    releases = Releases("corpus", [published("0.10.0")])
    releases = with_release(releases, [published("0.9.0"), published("0.10.0")], [])
    assert [release.version for release in releases.releases] == ["0.9.0", "0.10.0"]
    assert releases.latest == "0.10.0" and Releases("corpus").latest is None


def test_folders_are_named_after_versions() -> None:
    assert folder_of("0.2.0") == folder_of("v0.2.0") == "v0.2.0"
    assert (version_of("v0.10.0"), version_of("v1"), version_of("0.1.0")) == ("0.10.0", None, None)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"[", "is no list of releases"),
        (b"[]", "has format None"),
        (b'{"format": 2}', "has format 2; this dateline reads 1"),
        (b'{"format": 1, "name": 3}', "name is 3, but must be a string"),
        (b'{"format": 1, "name": "x", "releases": [{"version": 1}]}', r"releases\[0\]"),
    ],
)
def test_what_is_no_pointer_is_one_line(raw: bytes, says: str) -> None:
    with pytest.raises(LoadError, match=f"^s3://b/releases.json: .*{says}"):
        read_releases(raw, "s3://b/releases.json")
