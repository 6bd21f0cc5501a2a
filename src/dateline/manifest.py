"""The manifest: every file of a dataset with its digest, and what the data counts to.

`manifest.json` names every file but itself. The card in place decides which data readers see, so the manifest that counts is
the one that names that card by its digest: when a rebuild has replaced the card, and was perhaps killed there, that may still be
`manifest.next.json`. It records no time, host, number of jobs or engine, so that equal inputs give equal bytes. The *content
digest* covers the Parquet files and the features; the *logical digest* of a table is independent of Parquet: sha256 over the
sorted pairs (sha256 of article_id, sha256 of the article's canonical rows).
"""

from __future__ import annotations

import hashlib
import heapq
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from dateline.errors import LoadError
from dateline.project import Splits, out_of_range
from dateline.typed import Misfit, misfits

NAME = "manifest.json"
NEXT = "manifest.next.json"
"""Where a rebuild lays the new manifest until the card is replaced."""
VERSIONS = "versions.json"
VERSIONS_NEXT = "versions.next.json"
"""The list of releases, and where a rebuild lays the new one until the card is replaced."""
CARD = "README.md"
FORMAT = 1
MADE = re.compile(
    r"(README(-[0-9a-f]{12})?\.md|(manifest(\.next)?|versions(\.next|-[0-9a-f]{12})?)\.json"
    r"|[^/]+/[^/]+-s\d{4,}-b\d{2,}-[0-9a-f]{12}\.parquet"
    r"|validation/(suites|result)-[0-9a-f]{12}\.json"
    r"|([^/]+/)?\.(README\.md|(manifest|versions)(\.next)?\.json|[^/]+\.(parquet|json))\.[^/]+)"
)
"""Names that a rebuild gives to files, temporary ones included. What is called otherwise was put there by somebody else."""


def with_digest(path: str, sha256: str) -> str:
    """The name under which a card or a list of releases lies in an object store while another is in its place."""
    stem, _, ending = path.rpartition(".")
    return f"{stem}-{sha256[:12]}.{ending}"


@dataclass(frozen=True)
class TableFacts:
    """Counts and digest of one table."""

    rows: int
    splits: dict[str, int]
    labels: dict[str, dict[str, int]]
    logical_digest: str
    features: list[dict[str, Any]]
    files: list[dict[str, Any]] = field(default_factory=list)
    derived: str = ""
    """Of a table that follows from others: the column (`article_id`, `story`) whose rows stand together; else empty."""


@dataclass(frozen=True)
class Manifest:
    """What `manifest.json` holds."""

    name: str
    version: str
    default_config: str
    content_digest: str
    logical_digest: str
    tables: dict[str, TableFacts]
    card: dict[str, Any]
    splits: dict[str, Any]
    inputs: dict[str, str]
    writer: dict[str, str]
    format: int = FORMAT
    validation: list[dict[str, Any]] = field(default_factory=list)
    """Files (path, sha256, bytes) of the suites that the tables met, and of the result; none where there were no suites."""
    links: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By layer, corpus-level and derived table: `level` ("article", "corpus", "derived"), `key` (its key column), `references`
    (column: layer)."""
    versions: dict[str, Any] | None = None
    """The file (path, sha256, bytes) that lists all releases, and what was taken back; None before the first release."""
    hydrated_from: dict[str, str] | None = None
    """Of a hydrated copy alone: digests of the dataset that it was made from."""

    def encode(self) -> bytes:
        """The bytes of the file."""
        said = asdict(self)
        for name in ("versions", "hydrated_from"):
            if said[name] is None:
                del said[name]
        for table in said["tables"].values():
            if not table["derived"]:
                del table["derived"]
        for name in ("validation", "links"):
            if not said[name]:
                del said[name]
        return (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode()

    def paths(self) -> set[str]:
        """All files of the dataset but the manifest itself, relative to it."""
        return {file["path"] for file in self.files()}

    def files(self) -> list[dict[str, Any]]:
        """What is said of each of these files: path, sha256, bytes, and more of data files."""
        data = [file for table in self.tables.values() for file in table.files]
        return [*data, *self.validation, *([self.versions] if self.versions else []), self.card]

    def stats(self) -> dict[str, Any]:
        """Rows per table and split, and how often each label stands, by table and column."""
        return {
            "version": self.version,
            "tables": {name: {"rows": t.rows, "splits": t.splits} for name, t in self.tables.items()},
            "labels": {name: t.labels for name, t in self.tables.items() if t.labels},
        }


def read_manifest(dataset: Path) -> Manifest:
    """The manifest of the dataset as its card stands, also while a rebuild replaces the one after the other.

    Raises LoadError if there is no manifest, none that this version reads, or none that names the card in place.
    """
    # a rebuild may replace the card after it was read here: then the files are looked at again
    for last in (False, False, True):
        card = _card_digest(dataset)
        found = [_read(path) for path in (dataset / NAME, dataset / NEXT) if path.is_file()]
        for manifest in found:
            if manifest is not None and manifest.card["sha256"] == card:
                return manifest
        if last:
            break
    path = dataset / NAME
    if not any(found):
        raise LoadError(f"{path}: no such file; `dateline rebuild` makes the dataset")
    if card is None:
        raise LoadError(
            f"{dataset / CARD}: no such file, but the manifest names it; run `dateline rebuild`, or get the dataset again"
        )
    raise LoadError(
        f"{dataset / CARD}: is not the card that the manifest names (edited by hand?); "
        "run `dateline rebuild`, or get the dataset again"
    )


def read_versions(dataset: Path, manifest: Manifest) -> dict[str, Any] | None:
    """The list of releases that belongs to a manifest, also while a rebuild replaces it; None where there is none.

    Raises LoadError if the file is not the one that the manifest names.
    """
    if manifest.versions is None:
        return None
    for name in (VERSIONS, VERSIONS_NEXT):
        try:
            raw = (dataset / name).read_bytes()
        except OSError:
            continue
        if hashlib.sha256(raw).hexdigest() == manifest.versions["sha256"]:
            found: dict[str, Any] = json.loads(raw)
            return found
    raise LoadError(
        f"{dataset / VERSIONS}: is not the file that the manifest names; run `dateline rebuild`, or get the dataset again"
    )


def _card_digest(dataset: Path) -> str | None:
    try:
        return hashlib.sha256((dataset / CARD).read_bytes()).hexdigest()
    except OSError:
        return None


def _read(path: Path) -> Manifest | None:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:  # a rebuild has just renamed it
        return None
    except OSError as fault:
        raise LoadError(f"{path}: is no manifest: {fault}") from None
    return parse_manifest(raw, str(path))


def parse_manifest(raw: bytes, where: str) -> Manifest:
    """The manifest that some bytes are; `where` names them in messages. Raises LoadError if they are none."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as fault:
        raise LoadError(f"{where}: is no manifest: {fault}") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise LoadError(
            f"{where}: has format {found.get('format') if isinstance(found, dict) else None!r}; this dateline reads {FORMAT}"
        )
    for wrong in _misfits(found):
        raise LoadError(
            f"{where}: is no manifest that this dateline reads: {wrong.where} is {wrong.found}, but must be {wrong.expected}; "
            "run `dateline rebuild`, or get the dataset again"
        )
    return Manifest(**{**found, "tables": {name: TableFacts(**t) for name, t in found["tables"].items()}})


@dataclass(frozen=True)
class _File:
    """What readers take from a file's entry."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class _DataFile(_File):
    split: str
    rows: int


@dataclass(frozen=True)
class _Splits:
    mode: str
    quotas: dict[str, float]


def splits_in(found: Mapping[str, Any]) -> Splits:
    """How a release came to its splits, as its manifest says; what an older one does not say is the default."""
    return Splits(**{name: value for name, value in found.items() if name in {f.name for f in fields(Splits)}})


def _misfits(found: dict[str, Any]) -> Iterator[Misfit]:
    """What keeps a decoded file from being a manifest; the outer parts first."""
    yield from misfits(found, Manifest)
    if not found["tables"]:
        yield Misfit("tables", "empty", "a table with at least one entry")
    for where, entry, kind in [
        ("card", found["card"], _File),
        ("splits", found["splits"], _Splits),
        *(("validation", file, _File) for file in found.get("validation", ())),
        *(("versions", file, _File) for file in [found.get("versions")] if file is not None),
        *(
            (f"tables.{name}.files", file, _DataFile)
            for name, table in found["tables"].items()
            for file in table.get("files", ())
        ),
    ]:
        entry = {name: value for name, value in entry.items() if name in {f.name for f in fields(kind)}}
        yield from misfits(entry, kind, where)
    for wrong in out_of_range(splits_in(found["splits"])):
        yield Misfit(f"splits.{wrong.where}", wrong.found, wrong.expected)


def content_digest(files: Iterable[tuple[str, str]], features: Mapping[str, Any]) -> str:
    """Digest of all data files (path, sha256) and of the features they are read with."""
    said = {"files": sorted(files), "features": features}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def contradictions(manifest: Manifest) -> Iterator[str]:
    """What a manifest says of the whole that does not follow from what it says of the parts; a line each."""
    tables = manifest.tables
    for name, table in tables.items():
        by_split: Counter[str] = Counter()
        for file in table.files:
            by_split[file["split"]] += file["rows"]
            folder, _, base = file["path"].rpartition("/")
            if (folder, base.partition("-")[0]) != (name, file["split"]):  # the content digest covers names, and no splits
                yield f"takes {file['path']} for {file['split']} of {name}"
        if dict(by_split) != table.splits or sum(by_split.values()) != table.rows:
            yield f"counts other rows of {name} than its files have"
    files = [(file["path"], file["sha256"]) for table in tables.values() for file in table.files]
    if content_digest(files, {name: table.features for name, table in tables.items() if table.rows}) != manifest.content_digest:
        yield "its content digest is not that of the files and features that it names"
    if whole_digest({name: table.logical_digest for name, table in tables.items()}) != manifest.logical_digest:
        yield "its logical digest is not that of its tables"
    for said, usual in ((manifest.card, CARD), (manifest.versions, VERSIONS)):
        if said is not None and said["path"] != usual:
            yield f"names {said['path']} where readers look for {usual}"


def logical_digest(files: Iterable[Path], entry_bytes: int) -> str:
    """Digest of a table from its sorted digest files, merged without holding them in memory."""
    total = hashlib.sha256()
    for entry in heapq.merge(*(_entries(path, entry_bytes) for path in files)):
        total.update(entry)
    return total.hexdigest()


def whole_digest(tables: Mapping[str, str]) -> str:
    """Logical digest of a dataset, from those of its tables."""
    return hashlib.sha256("".join(f"{name} {digest}\n" for name, digest in sorted(tables.items())).encode()).hexdigest()


def _entries(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while entry := file.read(size):
            yield entry
