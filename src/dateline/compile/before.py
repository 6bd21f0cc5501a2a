"""What a shard was the last time, and how a shard in which little changed is made of it.

A *state* says of each article of a shard what its rows followed from (`key`), and of its rows in each table how they read (digest
and length), and names the shard's files. Articles whose key is what it was are not read again: their rows are taken from the
files of the dataset. What comes out are the bytes that compiling all of them would give, as rows are brought to the same order
and written in the same batches. A state that was cut short, or whose files are not what they were, counts for nothing: the shard
is compiled.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dateline.files import lay
from dateline.parquet import FileFacts, ShardFile
from dateline.row_facts import DIGEST_ENTRY

_HEAD = hashlib.sha256().digest_size
_EMPTY = len(b"[]")
Labels = dict[str, dict[str, Counter[str]]]


class Stale(Exception):
    """What lies there is not what it was."""


@dataclass(frozen=True)
class Before:
    """Where the state of a shard may lie, and the dataset that has its files."""

    state: Path
    dataset: Path


@dataclass
class Rows:
    """The rows of articles in one table: for each an entry of `row_facts.digest_entry`, and the length of its canonical rows."""

    entries: list[bytes] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)

    def by_owner(self) -> dict[bytes, tuple[bytes, int]]:
        """By the hash of an article's id, digest and length."""
        said = zip(self.entries, self.lengths, strict=True)
        return {entry[:_OWNER]: (entry[_OWNER:], length) for entry, length in said}

    def without(self, owners: Collection[bytes]) -> Rows:
        """The rows of all articles but some."""
        kept = [n for n, entry in enumerate(self.entries) if entry[:_OWNER] not in owners]
        return Rows([self.entries[n] for n in kept], [self.lengths[n] for n in kept])


_OWNER = DIGEST_ENTRY // 2


def owner_of(article_id: str) -> bytes:
    """The hash that stands for an article in digest entries."""
    return hashlib.sha256(article_id.encode()).digest()


@dataclass
class State:
    """What a shard was: its articles in their order, digest and length of their rows by table, its files and label counts."""

    splits: dict[str, str] = field(default_factory=dict)
    """By article, in the order of the shard."""
    keys: dict[str, bytes] = field(default_factory=dict)
    """What the rows of an article followed from; empty where it must be looked at again."""
    rows: dict[str, Rows] = field(default_factory=dict)
    """By table."""
    files: list[FileFacts] = field(default_factory=list)
    labels: Labels = field(default_factory=dict)


def key_of(entry: Mapping[str, Any]) -> bytes:
    """What the rows of an article follow from, beside schemas and tables: its record, and what the plan says of it."""
    said = [entry[name] for name in ("split", "group", "added_in", "changed_in")]
    return hashlib.sha256(entry["raw_digest"] + json.dumps(said).encode()).digest()[:16]


# ---- kept and read again -------------------------------------------------------------------------------------

_KEPT = pa.schema([("table", pa.dictionary(pa.int16(), pa.string())), ("entry", pa.binary()), ("length", pa.int64())])
_ARTICLES = "articles of the shard"


def write_sealed(path: Path, table: pa.Table) -> None:
    """Write a table behind its digest."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    raw = sink.getvalue().to_pybytes()
    path.write_bytes(hashlib.sha256(raw).digest() + raw)


def read_sealed(path: Path) -> pa.Table:
    """The table in a file, as it was written. Raises Stale for anything else."""
    try:
        raw = path.read_bytes()
        if hashlib.sha256(raw[_HEAD:]).digest() != raw[:_HEAD]:
            raise Stale
        return pa.ipc.open_stream(raw[_HEAD:]).read_all()
    except (OSError, pa.ArrowException):
        raise Stale from None


def write_state(path: Path, state: State) -> None:
    """Keep a state."""
    about = {
        "files": [asdict(file) for file in state.files],
        "labels": state.labels,
        "splits": list(state.splits.items()),
        "tables": [_ARTICLES, *state.rows],
    }
    kept = {_ARTICLES: Rows(list(state.keys.values()), [0] * len(state.keys)), **state.rows}
    numbers = np.repeat(np.arange(len(kept), dtype=np.int16), [len(rows.entries) for rows in kept.values()])
    table = pa.DictionaryArray.from_arrays(pa.array(numbers), pa.array([*kept], pa.string()))
    entries = pa.array(list(itertools.chain.from_iterable(rows.entries for rows in kept.values())), pa.binary())
    lengths = pa.array(list(itertools.chain.from_iterable(rows.lengths for rows in kept.values())), pa.int64())
    about["keys"] = list(state.keys)
    write_sealed(path, pa.table([table, entries, lengths], schema=_KEPT.with_metadata({"about": json.dumps(about)})))


def read_state(path: Path) -> State:
    """The state that was kept. Raises Stale where there is none."""
    table = read_sealed(path)
    try:
        about = json.loads((table.schema.metadata or {})[b"about"])
        state = State(
            splits=dict(about["splits"]),
            files=[FileFacts(**file) for file in about["files"]],
            labels={t: {c: Counter(counts) for c, counts in columns.items()} for t, columns in about["labels"].items()},
        )
        entries, lengths = table["entry"].to_pylist(), table["length"].to_pylist()
        numbers = np.asarray(table["table"].combine_chunks().indices)
        for number, name in enumerate(about["tables"]):
            a, b = np.searchsorted(numbers, [number, number + 1]).tolist()
            if name == _ARTICLES:
                state.keys = dict(zip(about["keys"], entries[a:b], strict=True))
            else:
                state.rows[name] = Rows(entries[a:b], lengths[a:b])
        return state
    except (KeyError, ValueError, TypeError, AttributeError):
        raise Stale from None


# ---- a shard of what it was and what is new --------------------------------------------------------------------


@dataclass
class Spliced:
    """Files of a shard that were made of those before, or are those before."""

    files: list[FileFacts] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)
    """Table and split of the files that are those before, whose labels count as they did."""
    gone: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)
    """By table, rows that are there no more."""


def splice(
    before: State,
    dataset: Path,
    now: State,
    fresh: Mapping[tuple[str, str], pa.Table],
    again: Collection[str],
    out: Path,
    stem: str,
    schemas: Mapping[str, pa.Schema],
    batch: int,
) -> Spliced:
    """Make the files of a shard in `out`.

    `now` says what the shard is to be, `fresh` are the tables (by name and split) of the articles `again`, which were compiled.
    Raises Stale if a file of the dataset is not what it was.
    """
    made = Spliced()
    old = {(file.config, file.split): file for file in before.files}
    order, earlier = _by_split(now), _by_split(before)
    owners = {a: owner_of(a) for a in (*before.splits, *now.splits)}
    were = {config: rows.by_owner() for config, rows in before.rows.items()}
    are = {config: rows.by_owner() for config, rows in now.rows.items()}
    nothing: dict[bytes, tuple[bytes, int]] = {}
    for config, split in sorted({*old, *fresh}):
        file, rows = old.get((config, split)), are.get(config, nothing)
        ids = order.get(split, [])
        lengths = [rows.get(owners[a], (b"", 0))[1] for a in ids]
        gone = {a for a, own in before.splits.items() if own == split and (a in again or now.splits.get(a) != split)}
        was = _said(were.get(config, nothing), (owners[a] for a in gone))
        becomes = _said(rows, (owners[a] for a in ids if a in again or before.splits.get(a) != split))
        whole = _whole(dataset, file) if file is not None else None
        # rows that are what they were stand in the same batches as before, or batches do not matter
        alike = ids == earlier.get(split) or (whole is not None and whole.num_row_groups == 1 and sum(lengths) < _least())
        if file is not None and was == becomes and alike:
            lay(dataset / file.path, out / file.path)
            made.files.append(file)
            made.kept.append((config, split))
            continue
        schema, removed = schemas[config], list[pa.Table]()
        pieces = _merged(whole, schema, gone, fresh.get((config, split)), {a: n for n, a in enumerate(ids)}, removed)
        written: ShardFile | None = None
        for number, table in _in_batches(pieces, schema, batch):
            written = written or ShardFile(out, config, split, f"{split}-{stem}", schema)
            written.add(table, sum(lengths[number * batch : (number + 1) * batch]))
        if written is not None:
            made.files.append(written.close())
        made.gone += [(config, table.to_pylist()) for table in removed]
    return made


def _by_split(state: State) -> dict[str, list[str]]:
    """The articles of each split, in their order."""
    order: dict[str, list[str]] = {}
    for article_id, split in state.splits.items():
        order.setdefault(split, []).append(article_id)
    return order


def _least() -> int:
    """A file with fewer bytes than this has one row group, wherever batches begin."""
    from dateline import parquet  # looked up when it is asked, as tests make it small

    return parquet.ROW_GROUP_JSON


def _said(rows: Mapping[bytes, tuple[bytes, int]], owners: Iterable[bytes]) -> dict[bytes, bytes]:
    """The digests of the rows of some articles that have any."""
    return {owner: rows[owner][0] for owner in owners if owner in rows and rows[owner][1] > _EMPTY}


def _whole(dataset: Path, file: FileFacts) -> pq.ParquetFile:
    path = dataset / file.path
    try:
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != file.sha256:
                raise Stale
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException):
        raise Stale from None


def link_files(before: State, dataset: Path, out: Path) -> None:
    """Take all files of a shard as they are. Raises Stale if one is not what it was."""
    for file in before.files:
        _whole(dataset, file)
        lay(dataset / file.path, out / file.path)


def _merged(
    file: pq.ParquetFile | None,
    schema: pa.Schema,
    gone: Collection[str],
    fresh: pa.Table | None,
    place: Mapping[str, int],
    removed: list[pa.Table],
) -> Iterator[tuple[pa.Table, Any]]:
    """Rows that stay and fresh ones in the order of their articles, a row group at a time, with the numbers of their articles."""
    waiting, numbers = fresh, _numbers(fresh, place) if fresh is not None else np.empty(0, np.int64)
    if waiting is not None:
        by_article = np.argsort(numbers, kind="stable")
        waiting, numbers = waiting.take(pa.array(by_article)), numbers[by_article]
    away = pa.array(sorted(gone), pa.string())
    for group in range(file.num_row_groups if file is not None else 0):
        assert file is not None
        rows = pa.Table.from_arrays(file.read_row_group(group).columns, schema=schema)
        leaves = pc.is_in(rows["article_id"], value_set=away)
        if pc.any(leaves).as_py():
            removed.append(rows.filter(leaves))
            rows = rows.filter(pc.invert(leaves))
        if not len(rows):
            continue
        own = _numbers(rows, place)
        if waiting is not None:
            until = int(np.searchsorted(numbers, own[-1]))
            rows = pa.concat_tables([rows, waiting.slice(0, until)])
            own = np.concatenate([own, numbers[:until]])
            waiting, numbers = waiting.slice(until), numbers[until:]
            by_article = np.argsort(own, kind="stable")
            if until:
                rows, own = rows.take(pa.array(by_article)), own[by_article]
        yield rows, own
    if waiting is not None and len(waiting):
        yield waiting, numbers


def _numbers(table: pa.Table, place: Mapping[str, int]) -> Any:
    """The number of each row's article."""
    ids = table["article_id"].combine_chunks().dictionary_encode()
    if isinstance(ids, pa.ChunkedArray):
        ids = ids.combine_chunks()
    numbers = np.array([place[a] for a in ids.dictionary.to_pylist()], np.int64)
    return numbers[np.asarray(ids.indices)]


def _in_batches(pieces: Iterable[tuple[pa.Table, Any]], schema: pa.Schema, batch: int) -> Iterator[tuple[int, pa.Table]]:
    """The rows of each batch of articles that has any."""
    pending: list[pa.Table] = []
    current = -1
    for rows, numbers in pieces:
        batches = numbers // batch
        cuts = [0, *(np.flatnonzero(np.diff(batches)) + 1).tolist(), len(batches)]
        for a, b in itertools.pairwise(cuts):
            if int(batches[a]) != current:
                if pending:
                    yield current, pa.concat_tables(pending)
                pending, current = [], int(batches[a])
            pending.append(rows.slice(a, b - a))
    if pending:
        yield current, pa.concat_tables(pending)
