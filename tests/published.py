"""Published releases for tests: what `dateline publish` leaves at a target, laid there without it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from building import ProjectFolder, mention, record
from dateline.layout import METADATA, RELEASES, Published, Releases, folder_of
from dateline.manifest import CARD, VERSIONS, read_manifest
from dateline.manifest import NAME as MANIFEST


def built(root: Path, version: str, label: str = "PER", articles: int = 4, citation: str = "") -> Path:
    """A dataset that says it is a release; its rows tell which: so many articles, all mentions of one label.

    `standoff` has no rows.
    """
    root.mkdir(parents=True)
    folder = ProjectFolder(root)
    folder.settings(
        'license = "CC-BY-4.0"',
        f'citation = "{citation}"',
        "[tool.dateline.splits]",
        "quotas = {train = 0.75, test = 0.25}",
    )
    texts = ["Ana " + " ".join(f"w{n}x{k}" for k in range(12)) for n in range(articles)]  # no near-duplicates
    folder.seed(*(record(f"a{n}", text, mentions=[mention("m1", 0, 3, label)]) for n, text in enumerate(texts)))
    assert not folder.rebuild().problems
    return stamp(root / "dataset", version)


def stamp(
    dataset: Path, version: str, yanked: Mapping[str, str] | None = None, retracted: list[dict[str, Any]] | None = None
) -> Path:
    """Let a dataset say that it is a release, in its card, its manifest and its list of versions, as `release` does."""
    said = json.loads((dataset / MANIFEST).read_bytes())
    entry = {
        "version": version,
        "date": "2026-01-01",
        "bump": "minor",
        "content_digest": said["content_digest"],
        "yanked": yanked,
    }
    card = (dataset / CARD).read_bytes().replace(b"version: 0.0.0", f"version: {version}".encode())
    versions = json.dumps({"format": 1, "name": said["name"], "versions": [entry], "retracted": retracted or []}).encode()
    (dataset / CARD).write_bytes(card)
    (dataset / VERSIONS).write_bytes(versions)
    said |= {"version": version, "card": _entry(CARD, card), "versions": _entry(VERSIONS, versions)}
    (dataset / MANIFEST).write_text(json.dumps(said), encoding="utf-8")
    return dataset


def _entry(path: str, raw: bytes) -> dict[str, Any]:
    return {"path": path, "sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)}


def entry(dataset: Path, yanked: dict[str, str] | None = None) -> Published:
    """What a list of releases says of a dataset."""
    manifest = read_manifest(dataset)
    digest = hashlib.sha256((dataset / MANIFEST).read_bytes()).hexdigest()
    return Published(manifest.version, "2026-01-01", digest, manifest.content_digest, yanked)


def publish(target: Path, *datasets: Path, yanked: Mapping[str, dict[str, str]] = {}) -> Path:
    """Put releases into a target folder, and list them."""
    releases = Releases("tiny")
    for dataset in datasets:
        release = entry(dataset, yanked.get(read_manifest(dataset).version))
        shutil.copytree(dataset, target / folder_of(release.version))
        for path in METADATA:  # no reader of data looks at them
            (target / folder_of(release.version) / path).write_bytes(b"{}\n")
        releases.releases.append(release)
    (target / RELEASES).write_bytes(releases.encode())
    return target


def files_of(folder: Path) -> dict[str, bytes]:
    """All files in a folder, by their names."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
