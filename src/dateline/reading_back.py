"""A release read back from its target, file by file, and compared: digests, rows in the footers, features in the card."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from dateline.describe.card import head_of
from dateline.layout import SUMS
from dateline.manifest import CARD
from dateline.manifest import NAME as MANIFEST
from dateline.targets import Release, Target, Tell

_AT_ONCE = 8


@dataclass
class Back:
    """What was read back, and what of it is not as it should be."""

    files: int = 0
    bytes: int = 0
    faults: list[str] = field(default_factory=list)


def read_back(target: Target, release: Release, manifest: bytes, work: Path, tell: Tell) -> Back:
    """Read every file of a release from the target, by way of the folder `work`, and compare.

    `manifest` is what lies there: its files must be those of `release`, or, where it is the same data under other metadata, those
    that the release there names itself. Raises PublishError for what cannot be read.
    """
    work.mkdir()
    back = Back()
    said = json.loads(manifest)
    expected = _expected(target, release, manifest, work)
    rows = {file["path"]: (file["rows"], table["features"]) for table in said["tables"].values() for file in table["files"]}

    def compare(numbered: tuple[int, tuple[str, str]]) -> tuple[list[str], int]:
        number, (path, digest) = numbered
        copy = work / str(number)
        try:
            target.fetch(release, path, copy)
            size = copy.stat().st_size
            with copy.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
            if found != digest:
                return [f"{path}: reads back as sha256 {found[:12]}..., but must be {digest[:12]}..."], size
            if path in rows:
                return list(_differing_rows(path, copy, *rows[path])), size
            return (list(_differing_features(copy, said)) if path == CARD else []), size
        finally:
            copy.unlink(missing_ok=True)

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="read") as pool:
        for faults, size in pool.map(compare, enumerate(expected.items())):
            back.faults += faults
            back.bytes += size
            back.files += 1
            tell("read back", back.bytes, max(back.bytes, sum(size for _, size in release.files.values())))
    back.faults += [f"{path}: the manifest names it, and {SUMS} does not" for path in sorted(_named(said) - expected.keys())]
    return back


def _expected(target: Target, release: Release, manifest: bytes, work: Path) -> dict[str, str]:
    """The digest that each file there must have."""
    ours = {path: digest for path, (digest, _) in release.files.items()}
    target.fetch(release, SUMS, work / SUMS)
    raw = (work / SUMS).read_bytes()
    if (digest := hashlib.sha256(raw).hexdigest()) == ours[SUMS]:
        return ours
    listed = dict(line.split("  ", 1)[::-1] for line in raw.decode().splitlines() if re.match(r"[0-9a-f]{64}  ", line))
    data = {path: ours[path] for path in ours if path.endswith(".parquet")}  # the data is ours, whatever stands there
    return {**listed, **data, MANIFEST: hashlib.sha256(manifest).hexdigest(), SUMS: digest}


def _named(manifest: dict[str, Any]) -> set[str]:
    files = [file for table in manifest["tables"].values() for file in table["files"]]
    beside = [*manifest.get("validation", ()), manifest["card"], *([manifest["versions"]] if manifest.get("versions") else [])]
    return {file["path"] for file in (*files, *beside)}


def _differing_rows(path: str, copy: Path, rows: int, features: list[dict[str, Any]]) -> Iterator[str]:
    try:
        footer = pq.read_metadata(copy)
        columns = pq.read_schema(copy).names
    except (pa.ArrowInvalid, OSError) as fault:
        yield f"{path}: is no Parquet file: {str(fault).splitlines()[0]}"
        return
    if footer.num_rows != rows:
        yield f"{path}: has {footer.num_rows:,} rows, but the manifest says {rows:,}"
    if columns != (named := [feature["name"] for feature in features]):
        yield f"{path}: has the columns {', '.join(columns)}, but the manifest says {', '.join(named)}"


def _differing_features(copy: Path, manifest: dict[str, Any]) -> Iterator[str]:
    try:
        infos = {info["config_name"]: info["features"] for info in head_of(copy.read_text(encoding="utf-8"))["dataset_info"]}
    except (UnicodeDecodeError, IndexError, KeyError, TypeError, yaml.YAMLError):
        yield f"{CARD}: has no head that says the features"
        return
    for name, table in manifest["tables"].items():
        if table["rows"] and infos.get(name) != table["features"]:
            yield f"{CARD}: says other features of {name} than the manifest"
