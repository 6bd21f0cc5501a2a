"""The rows of two datasets in DuckDB: whole tables are compared there by hashes, and only what differs comes to Python."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

import duckdb
import pyarrow.parquet as pq

from dateline.diff.facts import ARTICLES, PRIMARY, TEXT, Columns
from dateline.diff.sides import Side
from dateline.errors import LoadError, printable

SPLIT = "split of its file"
"""The column that scans add: the split that the manifest gives the row's file."""
_BATCH = 2000
Row = dict[str, Any]
Which = Literal["old", "new"]
_BOTH_WAYS: tuple[tuple[Which, Which], ...] = (("old", "new"), ("new", "old"))


class Tables:
    """Queries over the differing files of two sides; spills to disk beyond `memory_limit`. Close it at the end."""

    def __init__(self, old: Side, new: Side, memory_limit: str = "1GB") -> None:
        self._sides: dict[Which, Side] = {"old": old, "new": new}
        self._equal = old.digests() & new.digests()
        self._spill = tempfile.TemporaryDirectory(prefix="dateline-diff-")
        settings = {"memory_limit": memory_limit, "temp_directory": self._spill.name, "preserve_insertion_order": False}
        self._db = duckdb.connect(config=settings)
        self._db.execute("SET enable_progress_bar = false")

    def close(self) -> None:
        """Free the memory and the spilled files."""
        self._db.close()
        self._spill.cleanup()

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- which columns -------------------------------------------------------------------------------------------

    def share_all_values(self, table: str, columns: Columns, new: str, old: str) -> bool:
        """Whether a column of NEW has in all rows that both sides have (by id) the value that another has in OLD."""
        sides = [self._scan(which, table, everything=True) for which in self._sides]
        if None in sides:
            return False
        keys = [(columns.old_key, columns.key)] + ([("article_id", "article_id")] if columns.level == "article" else [])
        # of a key under another name the values are equal as it is, for the rows are told by it
        differ = "0" if (old, new) in keys else f"count(*) FILTER (o.{_name(old)} IS DISTINCT FROM n.{_name(new)})"
        on = " AND ".join(f"o.{_name(a)} = n.{_name(b)}" for a, b in keys)
        rows, differing = self._one(f"SELECT count(*), {differ} FROM ({sides[0]}) o JOIN ({sides[1]}) n ON {on}")
        return bool(rows and not differing)

    def is_empty_somewhere(self, table: str, columns: Columns, column: str, many: bool) -> bool:
        """Whether an added column is null, or an empty list, in some row; so, too, where no article of OLD has a row."""
        source = self._scan("new", table, everything=True)
        if source is None:
            return True
        rows, empty = self._one(f"SELECT count(*), count(*) FILTER ({_is_empty(column, many)}) FROM ({source})")
        if empty or not rows:
            return True
        articles = self._scan("old", ARTICLES, everything=True)
        if columns.level != "article" or articles is None:
            return False
        (released,) = self._one(f"SELECT count(*) FROM ({source}) SEMI JOIN ({articles}) USING (article_id)")
        return not released

    # ---- which rows ----------------------------------------------------------------------------------------------

    def changed_articles(self, table: str, columns: Columns, lists: Collection[str]) -> int:
        """Find the articles whose rows of a table differ, and keep their ids; how many there are.

        `lists` are the added columns that hold lists. Equal rows in another order are equal.
        """
        sides = [self._digests(which, table, columns, lists) for which in self._sides]
        self._run(
            f"CREATE TABLE {_changed(table)} AS SELECT article_id, o.n IS NULL AS added, n.n IS NULL AS removed "
            f"FROM ({sides[0]}) o FULL JOIN ({sides[1]}) n USING (article_id) "
            "WHERE o.n IS DISTINCT FROM n.n OR o.digest IS DISTINCT FROM n.digest OR n.filled"
        )
        (number,) = self._one(f"SELECT count(*) FROM {_changed(table)}")
        return int(number)

    def _digests(self, which: Which, table: str, columns: Columns, lists: Collection[str]) -> str:
        """A query: per article the number of rows, the sum of their hashes, and whether an added column has a value."""
        source = self._scan(which, table)
        if source is None:
            return "SELECT NULL::VARCHAR article_id, NULL::BIGINT n, NULL::HUGEINT digest, false filled WHERE false"
        names = [c for c in (columns.key, *columns.compared) if c not in columns.added and not self._follows(table, c, columns)]
        if which == "old":
            names = [columns.old_key if c == columns.key else columns.renamed.get(c, c) for c in names]
        added = [c for c in columns.compared if c in columns.added] if which == "new" else []
        filled = " OR ".join(f"NOT ({_is_empty(c, c in lists)})" for c in added) or "false"
        digest = self._hash(which, table, names)
        return (
            f"SELECT article_id, count(*) n, sum({digest}::HUGEINT) digest, bool_or({filled}) filled FROM ({source}) GROUP BY 1"
        )

    @staticmethod
    def _follows(table: str, column: str, columns: Columns) -> bool:
        """Texts are long, and their sha256 says whether they differ."""
        return table == ARTICLES and column == TEXT[0] and TEXT[1] in columns.compared and TEXT[1] not in columns.added

    def also(self, table: str, columns: Columns, ids: Mapping[str, Collection[str]]) -> None:
        """Keep also the articles whose rows refer to certain ids: `ids` are those of OLD, by column."""
        source = self._scan("old", table, everything=True)
        if source is None:
            return
        refer = []
        for column, wanted in ids.items():
            name, values = _name(columns.renamed.get(column, column)), ", ".join(map(_text, sorted(wanted)))
            refer.append(
                f"list_has_any(flatten([{name}]), [{values}])" if column in self._lists(table) else f"{name} IN ({values})"
            )
        self._run(
            f"INSERT INTO {_changed(table)} SELECT DISTINCT article_id, false, false FROM ({source}) WHERE {' OR '.join(refer)} "
            f"AND article_id NOT IN (SELECT article_id FROM {_changed(table)})"
        )

    def _hash(self, which: Which, table: str, columns: Collection[str]) -> str:
        """The hash of a row's columns.

        DuckDB hashes what is in a list wherever the list ends, and null as an empty one. So lists and objects are hashed as they
        are written, in two spellings that are not ambiguous in the same way.
        """
        declared = self._sides[which].tables[table].features
        hashed = []
        for column in columns:
            name = _name(column)
            plain = "dtype" in declared.get(column, {})
            hashed.append(name if plain else f"{name}::VARCHAR, to_json({name})::VARCHAR")
        return f"hash({', '.join(hashed)})"

    def _lists(self, table: str) -> set[str]:
        return {name for name, entry in self._sides["new"].tables[table].features.items() if "list" in entry}

    def only_in(self, which: Which) -> Iterator[Row]:
        """The rows of `articles` that the other side has no article for, less their texts."""
        source, flag = self._scan(which, ARTICLES), "removed" if which == "old" else "added"
        if source is None:
            return
        declared = self._sides[which].tables[ARTICLES].features
        wanted = [c for c in ("article_id", "split", "supersedes") if c in declared]
        listed = ", ".join(map(_name, wanted))
        ids = f"SELECT article_id FROM {_changed(ARTICLES)} WHERE {flag}"
        for row in self._rows(f"SELECT {listed}, {_name(SPLIT)} FROM ({source}) SEMI JOIN ({ids}) USING (article_id)"):
            yield {"split": row.pop(SPLIT)} | row

    def articles_of_old(self, ids: Collection[str]) -> set[str]:
        """Which of these articles OLD has."""
        source = self._scan("old", ARTICLES, everything=True)
        if source is None or not ids:
            return set()
        listed = ", ".join(map(_text, sorted(ids)))
        return {row["article_id"] for row in self._rows(f"SELECT article_id FROM ({source}) WHERE article_id IN ({listed})")}

    # ---- rows for Python -----------------------------------------------------------------------------------------

    def changed_rows(self, tables: Mapping[str, Columns]) -> Iterator[tuple[str, dict[str, list[Row]], dict[str, list[Row]]]]:
        """Per article that both sides have, in the order of ids: its rows of the tables in which it differs, before and after."""
        both = f"SELECT article_id FROM {_changed(ARTICLES)} WHERE added OR removed"
        wanted = {name: f"SELECT article_id FROM {_changed(name)} ANTI JOIN ({both}) USING (article_id)" for name in tables}
        yield from self._by_article(tables, wanted, everything=False)

    def all_rows(
        self, tables: Mapping[str, Columns], articles: Collection[str]
    ) -> Iterator[tuple[str, dict[str, list[Row]], dict[str, list[Row]]]]:
        """The same of certain articles, with their rows of all tables, be they equal."""
        self._db.execute("CREATE TABLE named AS SELECT unnest(?) AS article_id", [sorted(articles)])
        yield from self._by_article(tables, dict.fromkeys(tables, "FROM named"), everything=True)

    def _by_article(
        self, tables: Mapping[str, Columns], wanted: Mapping[str, str], *, everything: bool
    ) -> Iterator[tuple[str, dict[str, list[Row]], dict[str, list[Row]]]]:
        streams = [
            self._stream(which, name, columns, wanted[name], everything)
            for name, columns in tables.items()
            for which in self._sides
        ]
        merged = heapq.merge(*streams, key=itemgetter(0))
        for article, parts in groupby(merged, key=itemgetter(0)):
            sides: dict[Which, dict[str, list[Row]]] = {"old": {}, "new": {}}
            for _, which, name, rows in parts:
                sides[which][name] = rows
            for which, other in _BOTH_WAYS:
                for name in sides[which].keys() - sides[other].keys():
                    sides[other][name] = []
            yield article, sides["old"], sides["new"]

    def _stream(
        self, which: Which, name: str, columns: Columns, ids: str, everything: bool
    ) -> Iterator[tuple[str, Which, str, list[Row]]]:
        source = self._scan(which, name, everything=everything)
        if source is None:
            return
        query = f"SELECT * FROM ({source}) SEMI JOIN ({ids}) USING (article_id) ORDER BY article_id"
        for article, rows in groupby(self._rows(query), key=itemgetter("article_id")):
            yield article, which, name, list(rows)

    def changed_corpus_rows(self, table: str, columns: Columns) -> tuple[list[Row], list[Row]]:
        """The rows of a corpus-level table that the other side does not have, before and after; with all their columns."""
        found: dict[Which, list[Row]] = {"old": [], "new": []}
        sources = {which: self._scan(which, table) for which in found}
        names = [c for c in (columns.key, *columns.compared) if c not in columns.added]
        back = {columns.key: columns.old_key, **columns.renamed}
        digests: dict[Which, str] = {
            "old": self._hash("old", table, [back.get(c, c) for c in names]), "new": self._hash("new", table, names),
        }  # fmt: skip
        for which, other in _BOTH_WAYS:
            source, beside = sources[which], sources[other]
            if source is None:
                continue
            query = f"SELECT * FROM (SELECT *, {digests[which]} AS {_name(_DIGEST)} FROM ({source}))"
            if beside is not None and not columns.added:  # an added column may have a value in a row that is else equal
                query += f" ANTI JOIN (SELECT {digests[other]} AS {_name(_DIGEST)} FROM ({beside})) USING ({_name(_DIGEST)})"
            found[which] = list(self._rows(f"SELECT * EXCLUDE ({_name(_DIGEST)}) FROM ({query})"))
        return found["old"], found["new"]

    # ---- DuckDB --------------------------------------------------------------------------------------------------

    def _scan(self, which: Which, table: str, *, everything: bool = False) -> str | None:
        """A query: all rows of a base table in the files that differ, or in all; None where there is no such file."""
        side = self._sides[which]
        parts = []
        for split, files in side.files(table, () if everything else self._equal).items():
            listed = ", ".join(_text(_no_pattern(str(path.absolute()))) for path in files)
            read = f"read_parquet([{listed}], hive_partitioning = false)"
            source = f"SELECT *, {_text(split)} AS {_name(SPLIT)} FROM {read}"
            if table.startswith(f"{PRIMARY}."):
                source = self._items(side, table, source)
            parts.append(source)
        return " UNION ALL ".join(parts) or None

    @staticmethod
    def _items(side: Side, table: str, source: str) -> str:
        """A query: the items of a layer that is nested in `primary`, as rows."""
        layer = table.removeprefix(f"{PRIMARY}.")
        fields = ", ".join(f"item.{_name(f)} AS {_name(f)}" for f in side.tables[table].features if f != "article_id")
        unnested = f"SELECT article_id, {_name(SPLIT)}, unnest({_name(layer)}) AS item FROM ({source})"
        return f"SELECT article_id, {fields}, {_name(SPLIT)} FROM ({unnested})"

    def _rows(self, query: str) -> Iterator[Row]:
        try:
            reader = self._db.cursor().sql(query).to_arrow_reader(_BATCH)
            for batch in reader:
                yield from batch.to_pylist()
        except (duckdb.Error, OSError) as fault:
            raise self._unreadable(fault) from None

    def _one(self, query: str) -> tuple[Any, ...]:
        try:
            found: tuple[Any, ...] | None = self._db.execute(query).fetchone()
        except duckdb.Error as fault:
            raise self._unreadable(fault) from None
        assert found is not None
        return found

    def _run(self, query: str) -> None:
        try:
            self._db.execute(query)
        except duckdb.Error as fault:
            raise self._unreadable(fault) from None

    def _unreadable(self, fault: Exception) -> LoadError:
        """The first file that is no Parquet, or lacks what its manifest declares; else what DuckDB says."""
        for side in self._sides.values():
            for name, facts in side.manifest.tables.items():
                for path in (side.folder / file["path"] for file in facts.files):
                    try:
                        there = set(pq.read_schema(path).names)
                    except (OSError, ValueError) as wrong:
                        return LoadError(f"{path}: cannot be read as Parquet: {_first_line(wrong)}; get the dataset again")
                    if lacking := {entry["name"] for entry in facts.features} - there:
                        return LoadError(f"{path}: has no column {sorted(lacking)[0]!r}, which the manifest declares in {name!r}")
        return LoadError(f"the two datasets cannot be compared: {_first_line(fault)}")


def _changed(table: str) -> str:
    return _name(f"changed {table}")


_DIGEST = "digest of the row"


def _is_empty(column: str, many: bool) -> str:
    return f"{_name(column)} IS NULL" + (f" OR len({_name(column)}) = 0" if many else "")


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _no_pattern(path: str) -> str:
    """A path that DuckDB does not take for a pattern."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in path)


def _first_line(fault: Exception) -> str:
    return printable(next((line.strip() for line in str(fault).splitlines() if line.strip()), type(fault).__name__))
