"""The ledger: what releases fixed (seeds/ledger.jsonl), so that a clean clone needs no other history.

Its first line holds the digest of all others, so that a line changed by hand is found. Then comes a line per release, in their
order; one per released row of a corpus-level table; one per released article, in the order of their ids. Only `release`,
`retract` and `yank` write it; `rebuild` reads it.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

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


class Articles(Mapping[str, Entry]):
    """Released articles by their ids, in the order of these; as columns, for objects would take more than twice the memory.

    Of several entries of one article the last counts.
    """

    SCHEMA = pa.schema([
        ("article_id", pa.large_string()),
        ("split", pa.dictionary(pa.int32(), pa.string())),
        ("group", pa.large_string()),
        ("segment", pa.int64()),
        ("added_in", pa.dictionary(pa.int32(), pa.string())),
        ("changed_in", pa.dictionary(pa.int32(), pa.string())),
        ("record_sha256", pa.binary(32)),
        ("text_sha256", pa.binary(32)),
    ])  # fmt: skip

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        batches: list[pa.RecordBatch] = []
        unlike: dict[int, Entry] = {}
        rows: list[tuple[Any, ...]] = []

        def write() -> None:
            columns = zip(*rows, strict=True)
            batches.append(pa.RecordBatch.from_arrays(list(map(_column, columns, self.SCHEMA.types)), schema=self.SCHEMA))
            rows.clear()

        for number, entry in enumerate(entries):
            record, text = _digest(entry.record_sha256), _digest(entry.text_sha256)
            if entry.retracted or "" in (record, text):
                unlike[number], record, text = entry, record or None, text or None
            rows.append((
                entry.article_id, entry.split, entry.group, entry.segment, entry.added_in, entry.changed_in, record, text
            ))  # fmt: skip
            if len(rows) == _AT_ONCE:
                write()
        if rows:
            write()
        table = pa.Table.from_batches(batches, self.SCHEMA).unify_dictionaries()
        ids = table["article_id"]
        if pc.any(pc.less_equal(ids[1:], ids[:-1])).as_py():  # not in order as they come
            order = pc.sort_indices(ids)
            ids = ids.take(order)
            last = pa.chunked_array([*pc.not_equal(ids[1:], ids[:-1]).chunks, [True]])
            order = order.filter(last.combine_chunks())
            table = table.take(order)
            rows_of = pc.index_in(pa.array([*unlike], order.type), value_set=order).to_pylist()
            unlike = {row: entry for row, entry in zip(rows_of, unlike.values(), strict=True) if row is not None}
        self.table: pa.Table = table
        """All that is known of them (SCHEMA) but marks, and digests that are none of 64 hexadecimal digits."""
        self._unlike = unlike

    @classmethod
    def of(cls, articles: Mapping[str, Entry]) -> Articles:
        """The same articles, as columns."""
        return articles if isinstance(articles, Articles) else cls(articles.values())

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[str]:
        for begin in range(0, len(self), _AT_ONCE):
            yield from self.table["article_id"].slice(begin, _AT_ONCE).to_pylist()

    def __getitem__(self, article_id: str) -> Entry:
        ids = self.table["article_id"]
        row = bisect_left(range(len(ids)), article_id, key=lambda at: ids[at].as_py())
        if row == len(ids) or ids[row].as_py() != article_id:
            raise KeyError(article_id)
        return next(self._entries(range(row, row + 1), self.table.slice(row, 1)))

    def among(self, ids: pa.Array | pa.ChunkedArray) -> Iterator[Entry]:
        """The entries of those of the articles `ids` that there are, in the order of their ids."""
        asked = pc.is_in(self.table["article_id"], value_set=ids)
        return self._entries(pc.indices_nonzero(asked).to_pylist(), self.table.filter(asked))

    def entries(self) -> Iterator[Entry]:
        """All entries, in the order of their ids."""
        for begin in range(0, len(self), _AT_ONCE):
            some = self.table.slice(begin, _AT_ONCE)
            yield from self._entries(range(begin, begin + len(some)), some)

    def _entries(self, rows: Iterable[int], table: pa.Table) -> Iterator[Entry]:
        """The entries that stand in these rows, which `table` has."""
        for row, found in zip(rows, table.to_pylist(), strict=True):
            record, text = (found[name] and found[name].hex() for name in ("record_sha256", "text_sha256"))
            yield self._unlike.get(row) or Entry(**{**found, "record_sha256": record, "text_sha256": text})

    @property
    def retracted(self) -> dict[str, Entry]:
        """Those that were retracted."""
        return {entry.article_id: entry for _, entry in sorted(self._unlike.items()) if entry.retracted}


_AT_ONCE = 1 << 14
_SHA256 = re.compile("[0-9a-f]{64}")


def _digest(spelt: str | None) -> bytes | str | None:
    """A digest as bytes; "" for one that is none."""
    return spelt if spelt is None else bytes.fromhex(spelt) if _SHA256.fullmatch(spelt) else ""


def _column(values: Iterable[Any], kind: pa.DataType) -> pa.Array:
    made = list(values)
    return pa.array(made, kind.value_type).dictionary_encode() if pa.types.is_dictionary(kind) else pa.array(made, kind)


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
        return Articles.of(self.articles).retracted

    def release_of(self, content_digest: str) -> Release | None:
        """The release that has this data, if one has; of several the newest."""
        return next((r for r in reversed(self.releases) if r.content_digest == content_digest), None)

    def encode(self) -> bytes:
        """The bytes of the file."""
        said = chain(
            ({"release": release.version, **_plain(release, "version")} for release in self.releases),
            (_plain(row) for _, row in sorted(self.rows.items())),
            map(_plain, Articles.of(self.articles).entries()),
        )
        made, sha256 = io.BytesIO(), hashlib.sha256()
        made.write(_head(sha256))  # its length is what it will be
        for line in map(_line, said):
            sha256.update(line)
            made.write(line)
        made.seek(0)
        made.write(_head(sha256))
        return made.getvalue()


def read_ledger(path: Path) -> Ledger:
    """What the ledger says; an empty one if nothing was released yet.

    Raises ProjectError that names the line which is none of a ledger, or says that the file was changed by other hands.
    """
    if not path.exists():
        return Ledger()
    try:
        with path.open("rb") as file:
            return _read(path, file)
    except OSError as fault:
        raise ProjectError(f"{path.name}: cannot be read: {fault.strerror}") from None


def _read(path: Path, file: io.BufferedReader) -> Ledger:
    digest = _parsed(path, 1, file.readline().removesuffix(b"\n")).get("sha256")
    below = file.tell()
    as_written = digest == hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(below)
    releases: list[Release] = []
    rows: dict[tuple[str, str], RowEntry] = {}

    def entries() -> Iterator[Entry]:
        for number, line in enumerate(chain.from_iterable(map(bytes.splitlines, file)), 2):
            found = _parsed(path, number, line)
            if "release" in found:
                releases.append(_made(path, number, Release, {"version": found.pop("release"), **found}, as_written, "yanked"))
            elif "table" in found:
                row = _made(path, number, RowEntry, found, as_written)
                rows[row.table, row.row] = row
            else:
                yield _made(path, number, Entry, found, as_written, "retracted")

    articles, fault = Articles(), ""
    try:
        articles = Articles(entries())
    except (TypeError, ValueError, OverflowError) as strange:  # a value that no column holds
        fault = str(strange).partition("\n")[0]
    if not as_written:
        raise ProjectError(
            f"{path.name}: is not as it was written: its first line has another digest than the lines below it; "
            "only release, retract and yank write it, so take it back from version control, and let these commands change it"
        )
    if fault:
        raise ProjectError(
            f"{path.name}: holds an article that is no entry of a ledger: {fault}; only release, retract and yank write it"
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
    said = ((name, getattr(item, name)) for name in item.__slots__ if name not in but)
    return {name: asdict(value) if isinstance(value, Mark) else value for name, value in said}


def _head(sha256: Any) -> bytes:
    return _line({"ledger": FORMAT, "sha256": sha256.hexdigest()})


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
