"""What one worker does, anywhere: read tables that are written, derive, write Parquet; no rows travel.

Two kinds of tasks: the rows of one shard of `records` (views of articles), and some stories of a split, all of them together
(estimates, and views of stories). Stories are told apart by the first bits of a hash of their names, so that most files stay
as they are when articles are added.
"""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dateline.derive.article import Article
from dateline.derive.columns import Table
from dateline.derive.declared import Declared, declared
from dateline.derive.estimates import Fault, derive_story, pair_of
from dateline.derive.kinds.figures import Figures
from dateline.files import attempt_folder
from dateline.parquet import FileFacts, ShardFile, arrow_table
from dateline.project import Estimates as Settings
from dateline.row_facts import Row, count_labels, digest_entry
from dateline.schema import Schemas, schemas_from

BATCH_ROWS = 5000
ARTICLES_PER_FILE = 20_000
"""How many articles the stories of one file may have on average."""


@dataclass(frozen=True)
class Declaration:
    """What a worker makes its tables from: the settings of the project, and the sources of its schemas."""

    views: Mapping[str, Mapping[str, Any]]
    settings: Settings | None
    schema_sources: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class ArticlesTask:
    """One file of `records`, from which the views of articles follow."""

    declaration: Declaration
    records: Path
    split: str
    stem: str
    out: Path


@dataclass(frozen=True)
class StoriesTask:
    """Some stories of one split: their articles, the files of the tables by name, the judgements about their estimates."""

    declaration: Declaration
    articles: pa.Table
    """Columns article_id and group."""
    files: Mapping[str, tuple[Path, ...]]
    judgements: tuple[Mapping[str, Any], ...]
    split: str
    stem: str
    out: Path


@dataclass
class DerivedFacts:
    """What a worker returns: its files and the folder that they are in, how often labels stand, digest files by table, faults."""

    out: Path = Path()
    files: list[FileFacts] = field(default_factory=list)
    labels: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    digests: dict[str, Path] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def derive_articles(task: ArticlesTask) -> DerivedFacts:
    """The views of articles, of one shard."""
    schemas, made = _declared(task.declaration)
    keys = {layer.name: layer.key.name for layer in schemas.layers.values()}
    out = _Out(task.out, task.split, task.stem)
    for row in _rows(task.records):
        article = Article(row, {name: row[name] for name in schemas.layers}, keys)
        for view in made.of_articles.values():
            out.add(view.table, article.id, view.rows(article))
    return out.close()


def derive_stories(task: StoriesTask) -> DerivedFacts:
    """Estimates and the views of stories, of some stories."""
    schemas, made = _declared(task.declaration)
    out = _Out(task.out, task.split, task.stem)
    judged: dict[str, list[Mapping[str, Any]]] = {}
    for judgement in task.judgements:
        judged.setdefault(pair_of(judgement)[0].partition("#")[0], []).append(judgement)
    for story, articles in _stories(task, schemas):
        about = [j for article in articles for j in judged.get(article.id, ())]
        derived = derive_story(articles, about, made.settings or Settings())
        out.facts.faults += derived.faults
        for table, rows in zip(made.estimates, (derived.estimands, derived.estimates, derived.pairs), strict=True):
            out.add(table, story, table.rows(rows))
        for view in made.of_stories.values():
            shown = view.rows(articles) if isinstance(view, Figures) else view.rows(articles, derived, about)
            out.add(view.table, story, shown)
    return out.close()


def hash_of_story(story: str) -> bytes:
    """By what the stories of a split are put into files, and in which order they stand there."""
    return hashlib.sha256(story.encode()).digest()


class _Out:
    """The files of one task; rows are written some at a time."""

    def __init__(self, folder: Path, split: str, stem: str) -> None:
        self.folder, self.split, self.stem = attempt_folder(folder), split, stem
        self.facts = DerivedFacts(self.folder)
        self._files: dict[str, ShardFile] = {}
        self._pending: dict[str, tuple[Table, list[Row]]] = {}
        self._digests: dict[str, list[bytes]] = {}

    def add(self, table: Table, owner: str, rows: Iterable[Row]) -> None:
        """Append the rows of one owner; none count as none."""
        found = list(rows)
        if not found:
            return
        self._digests.setdefault(table.name, []).append(digest_entry(owner, found))
        count_labels(table.columns, found, self.facts.labels.setdefault(table.name, {}))
        pending = self._pending.setdefault(table.name, (table, []))[1]
        pending += found
        if len(pending) >= BATCH_ROWS:
            self._flush(table.name)

    def close(self) -> DerivedFacts:
        """Finish all files."""
        for name in self._pending:
            self._flush(name)
        self.facts.files = [file.close() for _, file in sorted(self._files.items())]
        for name, entries in self._digests.items():
            path = self.folder / f"{name}-{self.split}-{self.stem}.digests"
            path.write_bytes(b"".join(sorted(entries)))
            self.facts.digests[name] = path
        return self.facts

    def _flush(self, name: str) -> None:
        table, rows = self._pending[name]
        if rows:
            if name not in self._files:
                self._files[name] = ShardFile(self.folder, name, self.split, f"{self.split}-{self.stem}", table.schema)
            self._files[name].add(arrow_table(rows, table.schema))
            rows.clear()


def _stories(task: StoriesTask, schemas: Schemas) -> Iterator[tuple[str, list[Article]]]:
    """The stories in the order of their hashes, each with its articles in the order of their ids."""
    keys = {layer.name: layer.key.name for layer in schemas.layers.values()}
    wanted = pa.array(sorted(task.articles["article_id"].to_pylist()), pa.string())
    articles = {row["article_id"]: row for row in _chosen(task.files["articles"], wanted)}
    layers: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name in task.files:
        if name != "articles":
            for row in _chosen(task.files[name], wanted):
                layers.setdefault(row["article_id"], {}).setdefault(name, []).append(row)
    groups: dict[str, list[str]] = {}
    for row in task.articles.to_pylist():
        groups.setdefault(row["group"], []).append(row["article_id"])
    for story in sorted(groups, key=hash_of_story):
        yield story, [Article(articles[name], layers.pop(name, {}), keys) for name in sorted(groups[story])]


def _chosen(files: Iterable[Path], wanted: pa.Array) -> Iterator[dict[str, Any]]:
    for path in files:
        yield from pq.read_table(path, filters=pc.field("article_id").isin(wanted), partitioning=None).to_pylist()


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(64):
            yield from batch.to_pylist()


def _declared(declaration: Declaration) -> tuple[Schemas, Declared]:
    schemas = _schemas(declaration.schema_sources)
    return schemas, declared(declaration.views, declaration.settings, schemas)


@functools.lru_cache(4)
def _schemas(sources: tuple[tuple[str, bytes], ...]) -> Schemas:
    return schemas_from(dict(sources))
