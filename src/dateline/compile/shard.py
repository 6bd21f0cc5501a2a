"""compile_shard: what one worker does, anywhere: read, check, make tables, write Parquet.

No rows travel: a worker receives the index rows of its articles and returns facts about the files it wrote.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from dateline.compile.index import digest_of
from dateline.compile.plan import ShardPlan
from dateline.compile.read import RawRecord, Refused, taken, without_collecting
from dateline.compile.tables import arrow_schema
from dateline.compile.ways import ByBlock, Some, Way
from dateline.errors import InputError, Place, Problem
from dateline.files import attempt_folder
from dateline.parquet import FileFacts, ShardFile
from dateline.schema import Schemas, schemas_from

BATCH_RECORDS = 500


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


@dataclass
class ShardFacts:
    """What a worker returns: its files and the folder that they are in, label counts, digest files, and the problems it found."""

    out: Path = Path()
    files: list[FileFacts] = field(default_factory=list)
    labels: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    digests: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def compile_shard(task: ShardTask, way: type[Way] = ByBlock) -> ShardFacts:
    """Compile one shard. If any record has a problem, no file is left and the problems are returned.

    `way` is how records become tables (see `ways`); what comes out is the same.
    """
    schemas = _schemas(task.schema_sources)
    compiled = way(schemas, task.table_keys, public=task.public)
    facts = ShardFacts(attempt_folder(task.out))
    files: dict[tuple[str, str], ShardFile] = {}
    digests: dict[str, list[bytes]] = {}
    with without_collecting():
        for split, some in _batches(task, facts):
            facts.problems += compiled.problems(some)
            if any(p.fails for p in facts.problems):
                continue
            made = compiled.made(some)
            for config, entries in made.digests.items():
                digests.setdefault(config, []).extend(entries)
            for config, table in made.tables.items():
                if (config, split) not in files:
                    stem = f"{split}-{task.shard.stem}"
                    files[config, split] = ShardFile(facts.out, config, split, stem, arrow_schema(config, schemas))
                files[config, split].add(table, made.sizes[config])
            for config, labels in made.labels.items():
                for column, counts in labels.items():
                    facts.labels.setdefault(config, {}).setdefault(column, Counter()).update(counts)
    facts.files = [file.close() for _, file in sorted(files.items())]
    for config, entries in digests.items():
        path = facts.out / f"{config}-{task.shard.stem}.digests"
        path.write_bytes(b"".join(sorted(entries)))
        facts.digests[config] = path
    return facts


@functools.lru_cache(4)
def _schemas(sources: tuple[tuple[str, bytes], ...]) -> Schemas:
    return schemas_from(dict(sources))


def _batches(task: ShardTask, facts: ShardFacts) -> Iterator[tuple[str, Some]]:
    """The records of a shard by split, some hundred at a time; what is no record any more goes to the problems."""
    waiting: dict[str, Some] = {}
    with _Seeds() as seeds:
        for entry in _entries(task.shard.articles):
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
