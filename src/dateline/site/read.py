"""What pages are made from, read from the tables of a dataset in a folder: articles one at a time, other tables in batches.

In memory stays one small `Entry` per article; a text is there only while its page is made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dateline.errors import LoadError
from dateline.manifest import TableFacts
from dateline.opening import Article, Corpus, open_corpus
from dateline.project import PRIVATE

Row = dict[str, Any]

ARTICLES = "articles"
_BATCH = 256
_TITLES = ("headline", "title")
"""Columns that a project may have for what people call an article; the id serves where it has none."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One article in lists: what is known of it without its text."""

    id: str
    split: str
    title: str
    """Its headline, or its id where it has none or where that is withheld."""
    language: str
    group: str
    characters: int | None
    """Length of the text in code points."""
    withheld: bool
    private: bool
    """Whether its text stands in the dataset and may not leave this machine."""
    labels: Mapping[str, str]
    """Its value of each column of labels (`tier`, `genre`, ...); columns in which it has none are not there."""
    said: Mapping[str, Any]
    """Further small columns that pages ask for: publisher, published, contrast_set_id."""


@dataclass(frozen=True)
class About:
    """What a project at hand adds to its dataset; a release from elsewhere has none."""

    root: Path
    title: str = ""
    summary: str = ""
    notice: str = ""
    citation: str = ""
    license: str = ""
    code_license: str = ""


@dataclass(frozen=True)
class Reading:
    """A dataset in a folder, as the makers of pages see it."""

    corpus: Corpus
    project: About | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What is not in the dataset and was found by `siting`, by name: e.g. the differences to other releases."""

    @property
    def folder(self) -> Path:
        """Where the dataset lies."""
        return self.corpus.folder

    @property
    def name(self) -> str:
        """What the dataset is called."""
        return self.corpus.manifest.name

    @property
    def title(self) -> str:
        """What people call it."""
        return (self.project.title if self.project else "") or self.name

    def has(self, table: str) -> bool:
        """Whether the dataset has rows of a table."""
        facts = self.corpus.manifest.tables.get(table)
        return facts is not None and facts.rows > 0

    def table(self, name: str) -> TableFacts:
        """Counts, features and files of a table. Raises KeyError if there is none."""
        return self.corpus.manifest.tables[name]

    def columns(self, table: str) -> list[str]:
        """Names of a table's columns, none for a table that is not there."""
        return [f["name"] for f in self.table(table).features] if table in self.corpus.manifest.tables else []

    def rows(self, table: str, columns: Sequence[str] | None = None) -> Iterator[Row]:
        """The rows of a table, file by file in the order of the manifest, in bounded memory; of all columns, or of some.

        Each has its `split` besides. Raises LoadError for a file that is not there or damaged.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        for file in self.table(table).files:
            path = self.folder / file["path"]
            try:
                with pq.ParquetFile(path) as opened:
                    known = opened.schema_arrow.names
                    wanted = None if columns is None else [c for c in columns if c in known]
                    for batch in opened.iter_batches(batch_size=_BATCH, columns=wanted):
                        for row in batch.to_pylist():
                            row.setdefault("split", file["split"])
                            yield row
            except (OSError, pa.ArrowInvalid) as fault:
                raise LoadError(f"{path}: cannot be read as Parquet: {fault}; get the dataset again") from None

    def articles(self, split: str | None = None) -> Iterator[Article]:
        """The articles with all their layers, one at a time, in the order of `entries`."""
        return self.corpus.articles(split)

    def texts(self, wanted: Container[str]) -> dict[str, str]:
        """The texts of some articles, those that are withheld left out; in one pass over the table of articles."""
        return {
            row["article_id"]: row["text"]
            for row in self.rows(ARTICLES, ["article_id", "text"])
            if row["article_id"] in wanted and row["text"] is not None
        }

    def items(self, layer: str, wanted: Container[str]) -> dict[str, list[Row]]:
        """The items of a layer in some articles, by article; in one pass over the layer's table."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows(layer):
            if row["article_id"] in wanted:
                found[row["article_id"]].append(row)
        return found

    @cached_property
    def entries(self) -> list[Entry]:
        """All articles as lists show them: by split, in the order of their ids."""
        columns = set(self.columns(ARTICLES))
        labels = [c for c in self.table(ARTICLES).labels if c in columns and not _is_list(self.table(ARTICLES), c)]
        kept = [c for c in ("publisher", "published", "contrast_set_id", "expected_change") if c in columns]
        titles = [c for c in _TITLES if c in columns]
        wanted = ["article_id", "language", "group", "text_n_code_points", "text", "text_license", *titles, *labels, *kept]
        order = {split: n for n, split in enumerate(self.corpus.splits)}
        found = [_entry(row, titles, labels, kept) for row in self.rows(ARTICLES, wanted)]
        return sorted(found, key=lambda e: (order.get(e.split, len(order)), e.id))

    @property
    def private(self) -> bool:
        """Whether it has texts that may not leave this machine: so may not the site."""
        return any(entry.private for entry in self.entries)

    @cached_property
    def by_id(self) -> Mapping[str, Entry]:
        """`entries` by the article's id."""
        return {entry.id: entry for entry in self.entries}


def reading_of(folder: Path, project: About | None = None, extra: Mapping[str, Any] | None = None) -> Reading:
    """The dataset in a folder. Raises LoadError where there is none that can be read."""
    return Reading(open_corpus(folder), project, extra or {})


def _entry(row: Row, titles: Sequence[str], labels: Sequence[str], kept: Sequence[str]) -> Entry:
    title = next((row[name] for name in titles if row.get(name)), None)
    return Entry(
        id=row["article_id"],
        split=row["split"],
        title=title or row["article_id"],
        language=row.get("language") or "",
        group=row.get("group") or "",
        characters=row.get("text_n_code_points"),
        withheld=row["text"] is None,
        private=row.get("text_license") == PRIVATE,
        labels={name: row[name] for name in labels if row.get(name) is not None},
        said={name: row[name] for name in kept if row.get(name) is not None},
    )


def _is_list(table: TableFacts, column: str) -> bool:
    return any(f["name"] == column and "list" in f for f in table.features)
