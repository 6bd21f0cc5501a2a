"""compile_shard: what one worker does, anywhere: read, check, make tables, write Parquet.

No rows travel: a worker receives the index rows of its articles and returns facts about the files it wrote.
"""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from dateline.compile.check import check_record, public_part
from dateline.compile.plan import ShardPlan
from dateline.compile.read import RawRecord, Refused, canonical_record, parse
from dateline.compile.tables import ARTICLES, arrow_schema, rows_of
from dateline.errors import InputError, Place, Problem
from dateline.parquet import FileFacts, ShardFile, arrow_table
from dateline.row_facts import Row, count_labels, digest_entry
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
    """What a worker returns: its files, row and label counts, digest files, and the problems it found."""

    files: list[FileFacts] = field(default_factory=list)
    labels: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    digests: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def compile_shard(task: ShardTask) -> ShardFacts:
    """Compile one shard. If any record has a problem, no file is left and the problems are returned."""
    schemas = _schemas(task.schema_sources)
    facts = ShardFacts()
    files: dict[tuple[str, str], ShardFile] = {}
    digests: dict[str, list[bytes]] = {}
    for batch in _batches(task, schemas, facts):
        if facts.problems:
            continue
        rows: dict[tuple[str, str], list[Row]] = {}
        for split, tables in batch:
            article_id = tables[ARTICLES][0]["article_id"]
            for config, found in tables.items():
                rows.setdefault((config, split), []).extend(found)
                digests.setdefault(config, []).append(digest_entry(article_id, found))
        for (config, split), found in rows.items():
            if not found:
                continue
            if (config, split) not in files:
                stem = f"{split}-{task.shard.stem}"
                files[config, split] = ShardFile(task.out, config, split, stem, arrow_schema(config, schemas))
            files[config, split].add(arrow_table(found, arrow_schema(config, schemas)))
            layer = schemas.article if config == ARTICLES else schemas.layers.get(config)
            if layer:
                count_labels(layer.fields, found, facts.labels.setdefault(config, {}))
    facts.files = [file.close() for _, file in sorted(files.items())]
    for config, entries in digests.items():
        path = task.out / f"{config}-{task.shard.stem}.digests"
        path.write_bytes(b"".join(sorted(entries)))
        facts.digests[config] = path
    return facts


@functools.lru_cache(4)
def _schemas(sources: tuple[tuple[str, bytes], ...]) -> Schemas:
    return schemas_from(dict(sources))


def _batches(task: ShardTask, schemas: Schemas, facts: ShardFacts) -> Iterator[list[tuple[str, dict[str, list[Row]]]]]:
    batch: list[tuple[str, dict[str, list[Row]]]] = []
    with _Seeds() as seeds:
        for entry in _entries(task.shard.articles):
            raw = seeds.read(entry)
            record = _same_record(raw, entry)
            found = check_record(record, raw, schemas, task.table_keys, public=task.public)
            if found:
                facts.problems += found
                continue
            values = {name: entry[name] for name in ("split", "group", "added_in", "changed_in")}
            batch.append((entry["split"], rows_of(record, schemas, values)))
            if len(batch) == BATCH_RECORDS:
                yield batch
                batch = []
    if batch:
        yield batch


def _same_record(raw: RawRecord, entry: Mapping[str, Any]) -> dict[str, Any]:
    try:
        record = parse(raw)
    except Refused:
        record = {}
    if hashlib.sha256(canonical_record(public_part(record))).hexdigest() != entry["record_sha256"]:
        raise InputError(f"{entry['file']}: changed while it was read; run the command again")
    return record


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
