"""The ledger: what releases fixed (seeds/ledger.jsonl), so that a clean clone needs no other history.

Its first line holds the digest of all others, so that a line changed by hand is found. Then comes a line per release, in their
order; one per released row of a corpus-level table; one per released article, in the order of their ids. Only `release`,
`retract` and `yank` write it; `rebuild` reads it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from dateline.errors import ProjectError
from dateline.typed import misfits

FORMAT = 1
UNRELEASED = "0.0.0"
"""The version of a build that is no release."""


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Mark:
    """Why something was taken back, and when: of a retracted article the first release without it, null before that."""

    reason: str
    date: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One released article. What is retracted keeps its hashes, and nothing that could be read."""

    article_id: str
    split: str
    group: str
    segment: int
    added_in: str
    changed_in: str | None = None
    record_sha256: str | None = None
    text_sha256: str | None = None
    retracted: Mark | None = None


@dataclass(frozen=True, slots=True)
class RowEntry:
    """One released row of a corpus-level table."""

    table: str
    row: str
    added_in: str
    changed_in: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """One release: what it is called, which data it is, what its segments' shards are."""

    version: str
    date: str
    bump: str
    content_digest: str
    logical_digest: str
    articles: int
    bits: dict[str, int] = field(default_factory=dict)
    """How many bits of an article's hash name its shard, by segment."""
    yanked: Mark | None = None


@dataclass(frozen=True)
class Ledger:
    """All that the ledger says."""

    releases: tuple[Release, ...] = ()
    rows: Mapping[tuple[str, str], RowEntry] = field(default_factory=dict)
    articles: Mapping[str, Entry] = field(default_factory=dict)

    @property
    def last(self) -> Release | None:
        """The newest release."""
        return self.releases[-1] if self.releases else None

    @property
    def bits(self) -> dict[int, int]:
        """The bits of all segments that were released."""
        return {int(segment): bits for release in self.releases for segment, bits in release.bits.items()}

    @property
    def retracted(self) -> dict[str, Entry]:
        """The articles that were retracted."""
        return {name: entry for name, entry in self.articles.items() if entry.retracted}

    def release_of(self, content_digest: str) -> Release | None:
        """The release that has this data, if one has; of several the newest."""
        return next((r for r in reversed(self.releases) if r.content_digest == content_digest), None)

    def encode(self) -> bytes:
        """The bytes of the file."""
        said = [
            *({"release": release.version, **_plain(release, "version")} for release in self.releases),
            *(_plain(row) for _, row in sorted(self.rows.items())),
            *(_plain(entry) for _, entry in sorted(self.articles.items())),
        ]
        lines = b"".join(_line(item) for item in said)
        return _line({"ledger": FORMAT, "sha256": hashlib.sha256(lines).hexdigest()}) + lines


def read_ledger(path: Path) -> Ledger:
    """What the ledger says; an empty one if nothing was released yet.

    Raises ProjectError that names the line which is none of a ledger, or says that the file was changed by other hands.
    """
    if not path.exists():
        return Ledger()
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise ProjectError(f"{path.name}: cannot be read: {fault.strerror}") from None
    head, _, lines = raw.partition(b"\n")
    digest = _parsed(path, 1, head).get("sha256")
    as_written = digest == hashlib.sha256(lines).hexdigest()
    releases: list[Release] = []
    rows: dict[tuple[str, str], RowEntry] = {}
    articles: dict[str, Entry] = {}
    for number, line in enumerate(lines.splitlines(), 2):
        found = _parsed(path, number, line)
        if "release" in found:
            releases.append(_made(path, number, Release, {"version": found.pop("release"), **found}, as_written, "yanked"))
        elif "table" in found:
            row = _made(path, number, RowEntry, found, as_written)
            rows[row.table, row.row] = row
        else:
            entry = _made(path, number, Entry, found, as_written, "retracted")
            articles[entry.article_id] = entry
    if not as_written:
        raise ProjectError(
            f"{path.name}: is not as it was written: its first line has another digest than the lines below it; "
            "only release, retract and yank write it, so take it back from version control, and let these commands change it"
        )
    return Ledger(tuple(releases), rows, articles)


def marked(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """What a dataset says of retracted articles: their ids, why, and since when they are gone."""
    return [
        {"article_id": e.article_id, "reason": e.retracted.reason, "retracted_in": e.retracted.version}
        for e in entries
        if e.retracted
    ]


def _plain(item: Release | RowEntry | Entry, *but: str) -> dict[str, Any]:
    return {name: value for name, value in asdict(item).items() if name not in but}


def _line(item: Mapping[str, Any]) -> bytes:
    return json.dumps(item, ensure_ascii=False).encode() + b"\n"


def _parsed(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as fault:
        raise _strange(path, number, str(fault)) from None
    if not isinstance(found, dict):
        raise _strange(path, number, "an object was expected")
    if number == 1 and found.get("ledger") != FORMAT:
        raise _strange(path, number, f'the first line must have "ledger": {FORMAT}')
    return found


def _made(path: Path, number: int, kind: type[_T], found: dict[str, Any], as_written: bool, mark: str = "") -> _T:
    """One line as a value. Its types are looked at only where the file was not written by us: a ledger may be long."""
    for wrong in () if as_written else misfits(found, kind):
        raise _strange(path, number, f"{wrong.where} is {wrong.found}, but must be {wrong.expected}")
    try:
        if isinstance(found.get(mark), dict):
            found = {**found, mark: Mark(**found[mark])}
        return kind(**found)
    except TypeError as fault:
        raise _strange(path, number, str(fault).partition(") ")[2]) from None


def _strange(path: Path, number: int, fault: str) -> ProjectError:
    return ProjectError(f"{path.name}:{number} is no line of a ledger: {fault}; only release, retract and yank write it")
