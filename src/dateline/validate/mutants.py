"""Mutants: copies of a dataset with one fault each, made from its schemas, references and Arrow types alone.

They are not written beside the checks that they should trip: a check that trips on none of them is toothless, and a
mutant that trips no check shows what nothing looks at. The same tables, schemas and seed give the same mutants, in the
same order, on every machine: what is chosen follows from SHA-256 alone.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from dateline.schema import Layer, Schemas
from dateline.validate.changes import CELL_KINDS, NOTHING, Cell, Column, Facts, Json, Kind, Tables, columns_of

_LOOK = 2_000
"""Rows of a table that are looked at for a place that a kind fits; a table of any length costs no more."""
_KEPT = 5_000
"""Rows that are kept as plain values."""
_ARTICLE_TABLES = ("articles", "records", "standoff")
_PRIMARY = "primary"
"""What stands apart: suites follow from schemas, which cannot know whether there is such a table, so none is about it."""


Fits = Callable[[str, Json], bool]


@dataclass(frozen=True)
class Edit:
    """One touched row: `row` counts in the original's split; what was done is "change", "add" (a copy of it) or "remove"."""

    table: str
    split: str
    row: int
    what: str


@dataclass(frozen=True)
class Mutant:
    """A dataset with one fault: `changed` holds the splits that differ, whole; a split without rows left is empty there.

    `column` is "" where whole rows are touched. `says` names the place and the fault, and quotes no text.
    """

    kind: str
    table: str
    column: str
    says: str
    edits: tuple[Edit, ...]
    changed: dict[str, dict[str, pa.Table]] = field(repr=False, hash=False, compare=False)

    def applied(self, tables: Tables) -> dict[str, dict[str, pa.Table]]:
        """The whole dataset with the fault in it."""
        return {name: {**splits, **self.changed.get(name, {})} for name, splits in tables.items()}


@dataclass(frozen=True)
class RowKind:
    """One kind of fault in whole rows of a table."""

    name: str
    says: str
    make: Callable[[_Maker, str, int], Iterator[Mutant]] = field(repr=False)


def mutants(schemas: Schemas, tables: Tables, seed: str = "", most_per_kind: int = 1) -> Iterator[Mutant]:
    """Up to `most_per_kind` mutants of every kind for every column of every table, then of every kind that touches whole rows.

    `tables` are the rows of a dataset by config and split; those that schemas/ do not describe follow from the others, and stay
    as they are. A change that changes nothing is no mutant.
    """
    tables = {name: splits for name, splits in tables.items() if name in {*_ARTICLE_TABLES, *schemas.layers, *schemas.tables}}
    maker = _Maker(schemas, tables, seed)
    for table, splits in tables.items():
        if table == _PRIMARY:
            continue
        data = next(iter(splits.values())).schema
        for column in columns_of(table, data, schemas):
            for kind in CELL_KINDS:
                if kind.fits(column):
                    yield from maker.cells(kind, column, most_per_kind)
        for row_kind in ROW_KINDS:
            yield from row_kind.make(maker, table, most_per_kind)


def kinds() -> dict[str, str]:
    """What each kind of mutant does, by its name."""
    return {k.name: k.says for k in CELL_KINDS} | {k.name: k.says for k in ROW_KINDS}


class _Maker:
    """The dataset, and how places are drawn from it."""

    def __init__(self, schemas: Schemas, tables: Tables, seed: str) -> None:
        self.schemas, self.tables, self.seed = schemas, tables, seed
        self.facts = Facts(schemas, tables)
        self._rows: dict[tuple[str, str, int], Json] = {}

    # ---- drawing

    def number(self, *words: object) -> int:
        """A large number that follows from the seed and the words."""
        said = "\0".join(map(str, (self.seed, *words)))
        return int.from_bytes(hashlib.sha256(said.encode()).digest()[:8])

    def places(self, table: str, *words: object) -> Iterator[tuple[str, int]]:
        """Rows of a table as (split, row), in an order that follows from the seed and the words; at most _LOOK of them."""
        lengths = [(split, part.num_rows) for split, part in self.tables[table].items()]
        total = sum(n for _, n in lengths)
        at, step = (self.number(table, *words, said) % total if total else 0 for said in ("first", "step"))
        while total and math.gcd(step, total) != 1:  # so that the walk meets every row once
            step += 1
        for i in range(min(total, _LOOK)):
            row = (at + i * step) % total
            for split, n in lengths:
                if row < n:
                    yield split, row
                    break
                row -= n

    # ---- rows

    def row(self, table: str, split: str, at: int) -> Json:
        """One row as plain values, not to be changed."""
        place = (table, split, at)
        if place not in self._rows:
            if len(self._rows) > _KEPT:
                self._rows.clear()
            self._rows[place] = self.tables[table][split].slice(at, 1).to_pylist()[0]
        return self._rows[place]

    def layer(self, table: str) -> Layer:
        """The layer whose items the rows are."""
        return {**self.schemas.layers, **self.schemas.tables}.get(table, self.schemas.article)

    def named(self, table: str, split: str, at: int) -> str:
        """A row's name for people."""
        row = self.row(table, split, at)
        own = [] if table in _ARTICLE_TABLES else [row[self.layer(table).key.name]]
        return f"{table} {split} {'#'.join([*([row['article_id']] if 'article_id' in row else []), *own])}"

    def replaced(self, table: str, split: str, at: int, row: pa.Table | None) -> pa.Table:
        """The split with one row replaced, or, for None, without it."""
        part = self.tables[table][split]
        return pa.concat_tables([part.slice(0, at), *([] if row is None else [row]), part.slice(at + 1)])

    # ---- one cell

    def cells(self, kind: Kind, column: Column, most: int) -> Iterator[Mutant]:
        """Mutants that change one value of the column."""
        made, table = 0, column.table
        for split, at in self.places(table, kind.name, column.name):
            if made == most:
                return
            row = self.row(table, split, at)
            cell = Cell(column, row, self.facts, self.number(kind.name, table, column.name, split, at, "pick"))
            new = kind.change(cell)
            if new is NOTHING:
                continue
            old = self.tables[table][split].slice(at, 1)
            value = pa.array([new], column.type)
            if value.equals(old[column.name].combine_chunks()):
                continue
            made += 1
            place = old.schema.get_field_index(column.name)
            part = self.replaced(table, split, at, old.set_column(place, old.schema.field(place), value))
            says = f"{self.named(table, split, at)} {column.name}: {kind.says}"
            yield Mutant(kind.name, table, column.name, says, (Edit(table, split, at, "change"),), {table: {split: part}})

    # ---- whole rows

    def rows(self, name: str, table: str, most: int, fits: Fits = lambda split, row: True) -> Iterator[tuple[str, int]]:
        """Places for a kind that touches rows."""
        made = 0
        for split, at in self.places(table, name):
            if made == most:
                return
            if fits(split, self.row(table, split, at)):
                made += 1
                yield split, at

    def references(self, table: str) -> Sequence[tuple[str, str]]:
        """Columns of layers that refer to the table."""
        return [
            (layer.name, f.name)
            for layer in (*self.schemas.layers.values(), *self.schemas.tables.values())
            for f in layer.fields
            if f.ref == table and layer.name in self.tables
        ]

    def referred(self, table: str) -> set[tuple[str, str]]:
        """Rows of the table that others refer to, as (article, key)."""
        found: set[tuple[str, str]] = set()
        corpus_level = self.layer(table).corpus_level
        for name, column in self.references(table):
            for part in self.tables[name].values():
                for row in part.select([c for c in ("article_id", column) if c in part.column_names]).to_pylist():
                    value = row[column]
                    keys = value if isinstance(value, list) else [value]
                    found |= {("" if corpus_level else str(row.get("article_id")), k) for k in keys if k is not None}
        if table == "articles":
            for name in self.schemas.layers:
                for part in self.tables.get(name, {}).values():
                    found |= {(a, a) for a in part["article_id"].to_pylist()}
        return found


# ---- kinds that touch whole rows -----------------------------------------------------------------------------


def _twice(maker: _Maker, table: str, most: int) -> Iterator[Mutant]:
    for split, at in maker.rows("row-twice", table, most):
        part = maker.tables[table][split]
        made = pa.concat_tables([part, part.slice(at, 1)])
        edits = (Edit(table, split, at, "add"),)
        yield Mutant("row-twice", table, "", f"{maker.named(table, split, at)} stands twice", edits, {table: {split: made}})


def _dropped(name: str, says: str, parent: bool) -> Callable[[_Maker, str, int], Iterator[Mutant]]:
    def make(maker: _Maker, table: str, most: int) -> Iterator[Mutant]:
        if table in _ARTICLE_TABLES[1:] and parent:
            return
        referred, key = maker.referred(table), maker.layer(table).key.name

        def fits(split: str, row: Json) -> bool:
            return ((str(row.get("article_id", "")), row[key]) in referred) == parent

        for split, at in maker.rows(name, table, most, fits):
            made = maker.replaced(table, split, at, None)
            edits = (Edit(table, split, at, "remove"),)
            yield Mutant(name, table, "", f"{maker.named(table, split, at)} {says}", edits, {table: {split: made}})

    return make


def _moved(maker: _Maker, table: str, most: int) -> Iterator[Mutant]:
    others = sorted(maker.tables["articles"])
    if maker.layer(table).corpus_level or len(others) < 2:
        return
    for split, at in maker.rows("row-moved", table, most):
        left = [s for s in others if s != split]
        other = left[maker.number("row-moved", table, split, at, "to") % len(left)]
        row = maker.tables[table][split].slice(at, 1)
        there = maker.tables[table].get(other, row.slice(0, 0))
        changed = {split: maker.replaced(table, split, at, None), other: pa.concat_tables([there, row])}
        says = f"{maker.named(table, split, at)} stands in the files of {other}"
        yield Mutant(
            "row-moved", table, "", says, (Edit(table, split, at, "remove"), Edit(table, split, at, "add")), {table: changed}
        )


def _reordered(maker: _Maker, table: str, most: int) -> Iterator[Mutant]:
    for split, at in maker.rows("rows-reordered", table, most):
        part = maker.tables[table][split]
        if at + 1 == part.num_rows:
            at -= 1
        if at < 0 or part.slice(at, 1).equals(part.slice(at + 1, 1)):
            continue
        made = pa.concat_tables([part.slice(0, at), part.slice(at + 1, 1), part.slice(at, 1), part.slice(at + 2)])
        edits = tuple(Edit(table, split, i, what) for i in (at, at + 1) for what in ("remove", "add"))
        says = f"{maker.named(table, split, at)} stands after the row that follows it"
        yield Mutant("rows-reordered", table, "", says, edits, {table: {split: made}})


def _swapped(maker: _Maker, table: str, most: int) -> Iterator[Mutant]:
    """Two rows of one article exchange their keys; what referred to the one refers to the other."""
    key, made = maker.layer(table).key.name, 0
    for split, at in maker.places(table, "keys-swapped"):
        if made == most:
            return
        part, row = maker.tables[table][split], maker.row(table, split, at)
        owners = part["article_id"].to_pylist() if table not in _ARTICLE_TABLES and "article_id" in row else None
        mates = [i for i in range(part.num_rows) if i != at and (owners is None or owners[i] == row["article_id"])]
        mates = [i for i in mates if any(v != row[c] for c, v in maker.row(table, split, i).items() if c != key)]
        if not mates:
            continue
        mate = mates[maker.number("keys-swapped", table, split, at, "mate") % len(mates)]
        keys = part[key].to_pylist()
        if keys[at] == keys[mate]:
            continue
        keys[at], keys[mate] = keys[mate], keys[at]
        made += 1
        place = part.schema.get_field_index(key)
        swapped = part.set_column(place, part.schema.field(key), pa.array(keys, part.schema.field(key).type))
        edits = (Edit(table, split, at, "change"), Edit(table, split, mate, "change"))
        says = f"{maker.named(table, split, at)} and {maker.named(table, split, mate)} exchange their keys"
        yield Mutant("keys-swapped", table, key, says, edits, {table: {split: swapped}})


def _emptied(maker: _Maker, table: str, most: int) -> Iterator[Mutant]:
    changed = {split: part.slice(0, 0) for split, part in maker.tables[table].items()}
    edits = tuple(Edit(table, s, i, "remove") for s, p in maker.tables[table].items() for i in range(p.num_rows))
    if edits:
        yield Mutant("table-emptied", table, "", f"{table} has no rows", edits, {table: changed})


def _article_dropped(maker: _Maker, table: str, most: int) -> Iterator[Mutant]:
    if table == "articles":
        for split, at in maker.rows("article-dropped", table, most):
            article = maker.row(table, split, at)["article_id"]
            changed, edits = _without(maker, split, article)
            yield Mutant("article-dropped", table, "", f"{article} stands in no table", tuple(edits), changed)


def _article_moved(name: str, says: str, alone: bool) -> Callable[[_Maker, str, int], Iterator[Mutant]]:
    """All rows of an article go to another split, which its row in articles then names."""

    def make(maker: _Maker, table: str, most: int) -> Iterator[Mutant]:
        groups = list(maker.facts.groups.values())
        splits = sorted(maker.tables["articles"])
        if table != "articles" or len(splits) < 2:
            return
        for split, at in maker.rows(name, table, most, lambda s, r: (groups.count(r["group"]) == 1) == alone):
            article = maker.row(table, split, at)["article_id"]
            left = [s for s in splits if s != split]
            other = left[maker.number(name, article, "to") % len(left)]
            changed, edits = _without(maker, split, article)
            for each in changed:
                part = maker.tables[each][split]
                mine = part.filter(pc.equal(part["article_id"], article))
                if "split" in mine.column_names:
                    place = mine.schema.get_field_index("split")
                    mine = mine.set_column(place, mine.schema.field("split"), pa.array([other] * mine.num_rows))
                there = maker.tables[each].get(other, mine.slice(0, 0))
                changed[each][other] = pa.concat_tables([there, mine])
            edits += [Edit(e.table, e.split, e.row, "add") for e in edits]
            yield Mutant(name, table, "split", f"{article} {says} {other}", tuple(edits), changed)

    return make


def _without(maker: _Maker, split: str, article: str) -> tuple[dict[str, dict[str, pa.Table]], list[Edit]]:
    """The tables that hold rows of the article, without them."""
    changed: dict[str, dict[str, pa.Table]] = {}
    edits: list[Edit] = []
    for name, splits in maker.tables.items():
        part = splits.get(split)
        if part is None or "article_id" not in part.column_names:
            continue
        mine = [i for i, owner in enumerate(part["article_id"].to_pylist()) if owner == article]
        if mine:
            changed[name] = {split: part.filter(pc.not_equal(part["article_id"], article))}
            edits += [Edit(name, split, i, "remove") for i in mine]
    return changed, edits


ROW_KINDS: tuple[RowKind, ...] = (
    RowKind("row-twice", "a row stands twice", _twice),
    RowKind("row-dropped-parent", "a row that others refer to is missing", _dropped("row-dropped-parent", "is missing", True)),
    RowKind("row-dropped-leaf", "a row that nothing refers to is missing", _dropped("row-dropped-leaf", "is missing", False)),
    RowKind("row-moved", "a row stands in the files of another split", _moved),
    RowKind("rows-reordered", "two rows stand in another order", _reordered),
    RowKind("keys-swapped", "two rows exchange their keys", _swapped),
    RowKind("table-emptied", "a table has no rows", _emptied),
    RowKind("article-dropped", "an article stands in no table", _article_dropped),
    RowKind(
        "article-moved-alone",
        "an article without others of its group is in another split",
        _article_moved("article-moved-alone", "moves to", True),
    ),
    RowKind(
        "article-moved-group",
        "an article leaves the split of its group",
        _article_moved("article-moved-group", "leaves its group for", False),
    ),
)
