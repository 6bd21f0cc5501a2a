"""compile_shard: what one worker does, anywhere: read, check, make tables, write Parquet.

No rows travel: a worker receives the index rows of its articles and returns facts about the files it wrote.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from dateline.compile.assemble import Assembled
from dateline.compile.before import (
    Before,
    Labels,
    Rows,
    Stale,
    State,
    key_of,
    link_files,
    owner_of,
    read_state,
    splice,
    write_state,
)  # fmt: skip
from dateline.compile.plan import ShardPlan
from dateline.compile.read import RawRecord, Refused, digest_of, taken, without_collecting
from dateline.compile.tables import ARTICLES, arrow_schema
from dateline.compile.ways import ByBlock, Some, Way
from dateline.errors import InputError, Place, Problem
from dateline.files import attempt_folder, lay
from dateline.parquet import FileFacts, ShardFile
from dateline.row_facts import count_labels
from dateline.schema import Schemas, schemas_from

BATCH_RECORDS = 250
_FEW = 10
"""A shard is spliced if at most one article in so many is new."""


@dataclass(frozen=True)
class ShardTask:
    """All that a worker needs: the shard's plan, the schemas, the keys of corpus-level tables, where to write.

    `public` says that no text of a private project may be among the articles.
    """

    shard: ShardPlan
    schema_sources: tuple[tuple[str, bytes], ...]
    table_keys: Mapping[str, Set[str]]
    out: Path
    public: bool = False
    before: Before | None = None
    """What the shard was the last time, if that may be used and there is something."""


@dataclass
class ShardFacts:
    """What a worker returns: its files and the folder that they are in, label counts, digest files, and the problems it found."""

    out: Path = Path()
    files: list[FileFacts] = field(default_factory=list)
    labels: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    digests: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    state: Path | None = None
    """What the shard is now, for the next time."""
    again: int = 0
    """How many articles were read and compiled."""


def compile_shard(task: ShardTask, way: type[Way] = ByBlock) -> ShardFacts:
    """Compile one shard. If any record has a problem, no file is left and the problems are returned.

    `way` is how records become tables (see `ways`); what comes out is the same. Where the task tells what the shard was, only
    what has changed is compiled, and the rest taken from the files of then (see `before`); what comes out is the same again.
    """
    if task.before is not None:
        try:
            return _Shard(task, way).taken(read_state(task.before.state), task.before)
        except Stale:
            pass
    return _Shard(task, way).compiled()


class _Shard:
    """One attempt at a shard."""

    def __init__(self, task: ShardTask, way: type[Way]) -> None:
        self._task = task
        self._schemas = _schemas(task.schema_sources)
        self._way = way(self._schemas, task.table_keys, public=task.public)
        self._facts = ShardFacts(attempt_folder(task.out))
        self._now = State()

    def compiled(self) -> ShardFacts:
        """All articles, compiled."""
        entries = list(_entries(self._task.shard.articles))
        self._now.splits = {entry["article_id"]: entry["split"] for entry in entries}
        files: dict[tuple[str, str], ShardFile] = {}
        for split, made in self._made(entries):
            for config, table in made.tables.items():
                if (config, split) not in files:
                    stem = f"{split}-{self._task.shard.stem}"
                    files[config, split] = ShardFile(self._facts.out, config, split, stem, arrow_schema(config, self._schemas))
                files[config, split].add(table, sum(made.lengths[config]))
            _add(self._facts.labels, made.labels)
        self._facts.files = [file.close() for _, file in sorted(files.items())]
        return self._done()

    def taken(self, before: State, where: Before) -> ShardFacts:
        """What the shard was `before`, as far as it is that still. Raises Stale where that cannot be, or would not pay."""
        entries = list(_entries(self._task.shard.articles))
        self._now.splits = {entry["article_id"]: entry["split"] for entry in entries}
        new = [entry for entry in entries if before.keys.get(entry["article_id"]) != key_of(entry)]
        if new or self._now.splits != before.splits:
            return self._spliced(before, where.dataset, entries, new)
        link_files(before, where.dataset, self._facts.out)
        self._facts.files, self._facts.labels = before.files, before.labels
        self._facts.state = self._facts.out / f"{self._task.shard.stem}.state"
        lay(where.state, self._facts.state)
        self._write_digests(before.rows)
        return self._facts

    def _spliced(
        self, before: State, dataset: Path, entries: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]
    ) -> ShardFacts:
        """What is new, compiled, among what is not."""
        if _FEW * len(new) > len(entries):  # all rows that are new are held at once
            raise Stale
        again = {entry["article_id"] for entry in new}
        away = {owner_of(a) for a in (*(before.splits.keys() - self._now.splits.keys()), *again)}
        self._now.rows = {config: rows.without(away) for config, rows in before.rows.items()}
        self._now.keys = {a: key for a, key in before.keys.items() if a in self._now.splits and a not in again}
        tables: dict[tuple[str, str], list[pa.Table]] = {}
        labels: dict[tuple[str, str], Labels] = {}
        for split, made in self._made(new):
            for config, table in made.tables.items():
                tables.setdefault((config, split), []).append(table)
                _add(labels.setdefault((config, split), {}), {config: made.labels.get(config, {})})
        if any(p.fails for p in self._facts.problems):
            return self._facts
        fresh = {key: pa.concat_tables(some) for key, some in tables.items()}
        schemas = {config: arrow_schema(config, self._schemas) for config in {*before.rows, *self._now.rows}}
        stem = self._task.shard.stem
        found = splice(before, dataset, self._now, fresh, again, self._facts.out, stem, schemas, BATCH_RECORDS)
        self._facts.files = sorted(found.files, key=lambda file: (file.config, file.split))
        _add(self._facts.labels, before.labels)
        for config, lost in found.gone:
            layer = self._schemas.article if config == ARTICLES else self._schemas.layers.get(config)
            if layer:
                gone: dict[str, Counter[str]] = {}
                count_labels(layer.fields, lost, gone)
                for column, counts in gone.items():
                    self._facts.labels[config][column].subtract(counts)
        for key, counted in labels.items():
            if key not in found.kept:
                _add(self._facts.labels, counted)
        return self._done()

    def _made(self, entries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Assembled]]:
        """What articles give, some hundred of one split at a time; what is wrong goes to the problems, and ends it."""
        with without_collecting():
            for split, some in _batches(entries, self._facts):
                found = self._way.problems(some)
                self._facts.problems += found
                self._facts.again += len(some.records)
                if any(p.fails for p in self._facts.problems):
                    continue
                made = self._way.made(some)
                for config, entries_of in made.digests.items():
                    rows = self._now.rows.setdefault(config, Rows())
                    rows.entries += entries_of
                    rows.lengths += made.lengths[config]
                told = {(p.place.file, p.place.line) for p in found}
                for entry, raw in zip(some.entries, some.raws, strict=True):
                    # what is warned of must be warned of the next time, too
                    alone = (raw.place.file, raw.place.line) not in told and (raw.place.line or not told)
                    self._now.keys[entry["article_id"]] = key_of(entry) if alone else b""
                yield split, made

    def _done(self) -> ShardFacts:
        facts, stem = self._facts, self._task.shard.stem
        self._write_digests(self._now.rows)
        if not any(p.fails for p in facts.problems):
            self._now.files, self._now.labels = facts.files, facts.labels
            facts.state = facts.out / f"{stem}.state"
            write_state(facts.state, self._now)
        return facts

    def _write_digests(self, rows_of: Mapping[str, Rows]) -> None:
        for config, rows in rows_of.items():
            path = self._facts.out / f"{config}-{self._task.shard.stem}.digests"
            path.write_bytes(b"".join(sorted(rows.entries)))
            self._facts.digests[config] = path


def _add(labels: Labels, more: Labels) -> None:
    for config, columns in more.items():
        for column, counts in columns.items():
            labels.setdefault(config, {}).setdefault(column, Counter()).update(counts)


@functools.lru_cache(4)
def _schemas(sources: tuple[tuple[str, bytes], ...]) -> Schemas:
    return schemas_from(dict(sources))


def _batches(entries: Iterable[Mapping[str, Any]], facts: ShardFacts) -> Iterator[tuple[str, Some]]:
    """The records that rows of the index name, by split, some hundred at a time; what is no record goes to the problems."""
    waiting: dict[str, Some] = {}
    with _Seeds() as seeds:
        for entry in entries:
            raw = seeds.read(entry)
            if digest_of(raw.raw) != entry["raw_digest"]:
                raise InputError(f"{entry['file']}: changed while it was read; run the command again")
            try:
                record = taken(raw)
            except Refused as refused:
                facts.problems.append(refused.problem)
                continue
            some = waiting.setdefault(entry["split"], Some())
            some.records.append(record)
            some.raws.append(raw)
            some.entries.append(entry)
            if len(some.records) == BATCH_RECORDS:
                yield entry["split"], waiting.pop(entry["split"])
    yield from sorted(waiting.items())


def read_again(articles: pa.Table) -> Iterator[tuple[dict[str, Any], RawRecord]]:
    """The bytes of the records that rows of the index name, with those rows; raises InputError if a file is gone."""
    with _Seeds() as seeds:
        for entry in _entries(articles):
            yield entry, seeds.read(entry)


def _entries(articles: pa.Table) -> Iterator[dict[str, Any]]:
    for chunk in articles.to_batches(max_chunksize=BATCH_RECORDS):
        yield from chunk.to_pylist()


class _Seeds:
    """Seed files, open for reading records by their offset; a file that changed since the index is noticed."""

    def __init__(self) -> None:
        self._open: dict[str, Any] = {}

    def __enter__(self) -> _Seeds:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._open.values():
            file.close()

    def read(self, entry: Mapping[str, Any]) -> RawRecord:
        name, plain = entry["file"], entry["plain"]
        if plain not in self._open:
            if len(self._open) >= 64:
                self._open.pop(next(iter(self._open))).close()
            try:
                self._open[plain] = Path(plain).open("rb")  # noqa: SIM115
            except OSError as fault:
                raise InputError(f"{name}: changed while it was read ({fault.strerror}); run the command again") from None
        file = self._open[plain]
        file.seek(entry["offset"])
        return RawRecord(Place(name, entry["line"]), entry["offset"], file.read(entry["length"]))
