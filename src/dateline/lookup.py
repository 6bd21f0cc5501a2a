"""Rows of a dataset in a folder by what names them, each with its file and its number there.

Files of other shards are not opened, row groups that cannot hold the row are not read: what is asked of a large corpus costs a
few row groups, and columns of names where no order helps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dateline.errors import LoadError
from dateline.manifest import Manifest

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]
_KEPT = 1024
"""So many answers are remembered: those about some dozens of articles."""


@dataclass(frozen=True)
class Found:
    """A row, the file that it stands in (as the manifest names it), and its number there, counted from 0."""

    table: str
    row: Row = field(repr=False)
    file: Mapping[str, Any] = field(repr=False)
    number: int


@dataclass(frozen=True)
class Shard:
    """Which files hold an article's rows: those of its split whose names have this stem."""

    split: str
    stem: str

    def holds(self, file: Mapping[str, Any]) -> bool:
        """Whether a file is one of the shard's."""
        return str(file["split"]) == self.split and _stem(file) == self.stem


@dataclass
class Lookup:
    """What stands in the tables of a dataset."""

    folder: Path
    manifest: Manifest = field(repr=False)
    _shards: dict[str, Shard | None] = field(default_factory=dict, repr=False)
    _rows: dict[tuple[str, str], list[Found]] = field(default_factory=dict, repr=False)
    _items: dict[tuple[str, str], dict[str, Found]] = field(default_factory=dict, repr=False)

    def level(self, table: str) -> str:
        """ "article", "corpus" or "derived", as the manifest says; "whole" for tables with one row per article."""
        return str(self.manifest.links[table]["level"]) if table in self.manifest.links else "whole"

    def key(self, table: str) -> str:
        """The column that names a row: in its article, or in its table."""
        return str(self.manifest.links[table]["key"]) if table in self.manifest.links else "article_id"

    def references(self, table: str) -> dict[str, str]:
        """The reference columns of a table, and the table that each refers to."""
        return dict(self.manifest.links[table]["references"]) if table in self.manifest.links else {}

    def name(self, found: Found) -> str:
        """How a row is called: `article_id`, `article_id#local`, or the key of a row that belongs to no article; of `primary`,
        whose rows are an article's by a pass over it, `article_id#set+set`.
        """
        if found.table == "primary":
            return f"{found.row['article_id']}#{'+'.join(found.row['annotation_set_ids'])}"
        key = str(found.row[self.key(found.table)])
        return f"{found.row['article_id']}#{key}" if self.level(found.table) == "article" else key

    def columns(self, table: str) -> list[str]:
        """The columns of a table."""
        return [str(feature["name"]) for feature in self.manifest.tables[table].features]

    def tables(self, level: str) -> list[str]:
        """The tables of a level."""
        return [name for name in self.manifest.tables if self.level(name) == level]

    def shard(self, article_id: str) -> Shard | None:
        """The shard of an article; None if the dataset does not have it."""
        if article_id not in self._shards:
            found = next(self.equal("articles", "article_id", article_id, columns=["article_id"]), None)
            _make_room(self._shards)
            self._shards[article_id] = Shard(str(found.file["split"]), _stem(found.file)) if found else None
        return self._shards[article_id]

    def of_article(self, table: str, article_id: str) -> list[Found]:
        """The rows that an article has in a table, in their order."""
        name = (table, article_id)
        if name not in self._rows:
            shard = self.shard(article_id)
            found = [] if shard is None else list(self.equal(table, "article_id", article_id, within=shard.holds))
            _make_room(self._rows)
            self._rows[name] = found
        return self._rows[name]

    def item(self, table: str, article_id: str, local: str) -> Found | None:
        """The row of a layer by its article and its id there."""
        name = (table, article_id)
        if name not in self._items:
            key = self.key(table)
            _make_room(self._items)
            self._items[name] = {str(found.row[key]): found for found in self.of_article(table, article_id)}
        return self._items[name].get(local)

    def equal(
        self,
        table: str,
        column: str,
        value: str,
        *,
        columns: list[str] | None = None,
        within: Callable[[Mapping[str, Any]], bool] = lambda _: True,
    ) -> Iterator[Found]:
        """The rows in which a column is `value`, or a list that holds it; only the files that `within` admits are read."""
        import numpy as np

        for file in self._files(table, within):
            with _opened(self.folder / file["path"]) as opened:
                before = 0
                for number in range(opened.num_row_groups):
                    group = opened.metadata.row_group(number)
                    if _may_hold(group, column, value):
                        at = _where(opened.read_row_group(number, columns=[column])[column], value)
                        rows = opened.read_row_group(number, columns=columns).take(np.array(at, np.int64)) if at else None
                        for position, row in zip(at, rows.to_pylist() if rows else (), strict=True):
                            yield Found(table, row, file, before + position)
                    before += group.num_rows

    def names(
        self, table: str, holding: str = "", *, within: Callable[[Mapping[str, Any]], bool] = lambda _: True
    ) -> Iterator[str]:
        """The names of a table's rows, one by one: those in which `holding` stands; of layers the article before `#`."""
        import pyarrow.compute as pc

        columns = ["article_id", self.key(table)] if self.level(table) == "article" else [self.key(table)]
        for file in self._files(table, within):
            with _opened(self.folder / file["path"]) as opened:
                for batch in opened.iter_batches(columns=columns):
                    named = [batch.column(name) for name in columns]
                    if holding:
                        kept = pc.match_substring(named[-1], holding)
                        named = [part.filter(kept) for part in named]
                    yield from ("#".join(map(str, parts)) for parts in zip(*(part.to_pylist() for part in named), strict=True))

    def _files(self, table: str, within: Callable[[Mapping[str, Any]], bool]) -> list[dict[str, Any]]:
        return [file for file in self.manifest.tables[table].files if within(file)]


def lookup(folder: Path, manifest: Manifest) -> Lookup:
    """What stands in the tables of a dataset in a folder. Raises LoadError if its manifest does not say what the keys are."""
    if not manifest.links:
        raise LoadError(f"{folder}: its manifest does not say which columns are keys; rebuild it with this dateline")
    return Lookup(folder, manifest)


def _stem(file: Mapping[str, Any]) -> str:
    return Path(str(file["path"])).name.removeprefix(f"{file['split']}-").rpartition("-")[0]


def _make_room(kept: dict[Any, Any]) -> None:
    if len(kept) >= _KEPT:
        kept.pop(next(iter(kept)))


def _may_hold(group: Any, column: str, value: str) -> bool:
    """Whether a row group's statistics admit the value; UTF-8 and Python order strings alike."""
    for number in range(group.num_columns):
        facts = group.column(number)
        if facts.path_in_schema == column:
            said = facts.statistics
            return said is None or not said.has_min_max or not isinstance(said.min, str) or said.min <= value <= said.max
    return True


def _where(column: pa.ChunkedArray, value: str) -> list[int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_list(column.type):
        return [number for number, held in enumerate(column.to_pylist()) if held and value in held]
    found: list[int] = pc.indices_nonzero(pc.fill_null(pc.equal(column, value), False)).to_pylist()
    return found


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A file as Parquet. Raises LoadError for a file that is not there or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as opened:
            yield opened
    except FileNotFoundError:
        raise LoadError(f"{path}: the manifest names it, but it is not there; get the dataset again") from None
    except (OSError, pa.ArrowInvalid) as fault:
        raise LoadError(f"{path}: cannot be read as Parquet: {str(fault).splitlines()[0]}; get the dataset again") from None
