"""Whole corpora in memory, as people write them (schemas, records, corpus-level tables), and the rows that they give."""

from __future__ import annotations

import functools
import itertools
import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from building import REPOSITORY
from dateline.compile.check import check_record, is_withheld
from dateline.compile.read import RawRecord
from dateline.compile.sets import PRIMARY
from dateline.compile.tables import ARTICLES, RECORDS, STANDOFF, layer_row, rows_of
from dateline.errors import Place, SchemaError
from dateline.row_facts import Row
from dateline.schema import Json, Layer, Schemas, load_schemas, schemas_from
from small_corpus import records_at_hand, table_rows

SPLITS = ("train", "validation", "test")
PROJECTIONS = (RECORDS, STANDOFF, PRIMARY)
Tables = dict[str, list[Row]]


@dataclass
class Corpus:
    """One state of a corpus: all that its next release is made from."""

    sources: dict[str, Json]
    """The schema files of the project, by name."""
    records: dict[str, Json]
    splits: dict[str, str]
    tables: dict[str, list[Json]]
    """The rows of the corpus-level tables."""
    retracted: set[str] = field(default_factory=set)
    stamp: str | None = None
    """The version that all rows say they were added in: stamps are no part of what rows say."""

    @property
    def schemas(self) -> Schemas:
        """What the schema files say."""
        key = id(self.sources)
        if key not in _schemas_at_hand:
            if len(_schemas_at_hand) > 100:
                _schemas_at_hand.clear()
            _schemas_at_hand[key] = self.sources, _schemas(_written(self.sources))
        return _schemas_at_hand[key][1]

    def copy(self) -> Corpus:
        """A copy that shares records, tables and schema files: they are replaced and never changed in place."""
        return Corpus(self.sources, dict(self.records), dict(self.splits), dict(self.tables), set(self.retracted), self.stamp)

    def article_rows(self, article_id: str) -> Tables:
        """The base rows of one article, by table."""
        return _article_rows(self.records[article_id], self.splits[article_id], self.stamp, self.schemas)

    def layer_rows(self, article_id: str, table: str) -> list[Row]:
        """The rows of one layer of an article, made without those of all others."""
        return _layer_rows(self.records[article_id], self.schemas.layers[table])

    def corpus_rows(self) -> Tables:
        """The rows of the corpus-level tables, by table."""
        layers = self.schemas.tables
        return {name: _table_rows(self.tables.get(name, _NO_ITEMS), layers[name], self.stamp) for name in layers}

    def problems(self, article_id: str) -> list[str]:
        """What the check of Dateline finds in a record: the rules that it breaks."""
        layers = self.schemas.tables
        keys = {name: {row[layers[name].key.name] for row in rows} for name, rows in self.tables.items() if name in layers}
        raw = RawRecord(Place("a.json"), 0, b"")
        try:
            return [p.rule for p in check_record(self.records[article_id], raw, self.schemas, keys) if p.fails]
        except (KeyError, TypeError) as fault:  # an edit that left no record at all
            return [repr(fault)]


_schemas_at_hand: dict[int, tuple[dict[str, Json], Schemas]] = {}
_NO_ITEMS: list[Json] = []


def _written(sources: Mapping[str, Json]) -> tuple[tuple[str, str], ...]:
    return tuple((name, json.dumps(schema)) for name, schema in sources.items())


def copied(value: Any) -> Any:
    """A deep copy of plain JSON values."""
    return pickle.loads(pickle.dumps(value, -1))


def layers_of(schemas: Schemas) -> dict[str, Layer]:
    """All tables whose rows are compared, `articles` among them."""
    return {ARTICLES: schemas.article, **schemas.layers, **schemas.tables}


_rows_at_hand: dict[tuple[int, str, str | None, int], tuple[Json, Schemas, Tables]] = {}


def _article_rows(record: Json, split: str, stamp: str | None, schemas: Schemas) -> Tables:
    """The rows of a record, kept while it stands: most records of a state are those of the state before."""
    key = (id(record), split, stamp, id(schemas))
    if key not in _rows_at_hand:
        if len(_rows_at_hand) > 300:
            _rows_at_hand.clear()
        values = {"split": split, "group": record.get("group"), "added_in": stamp, "changed_in": None}
        made = {name: rows for name, rows in rows_of(record, schemas, values).items() if name not in PROJECTIONS}
        _rows_at_hand[key] = record, schemas, made  # held together with what its key is the address of
    return _rows_at_hand[key][2]


_layers_at_hand: dict[tuple[int, str | None, int], tuple[list[Json], Layer, list[Row]]] = {}


def _table_rows(items: list[Json], layer: Layer, stamp: str | None) -> list[Row]:
    key = (id(items), stamp, id(layer))
    if key not in _layers_at_hand:
        stamps = {"added_in": stamp, "changed_in": None}
        _layers_at_hand[key] = items, layer, [layer_row(layer, row, None, withheld=False) | stamps for row in items]
    return _layers_at_hand[key][2]


def _layer_rows(record: Json, layer: Layer) -> list[Row]:
    items: list[Json] = record.get(layer.name) or []
    hidden = is_withheld(record)
    text = None if hidden else record["text"]["content"]
    key = (id(items), text, id(layer))
    if key not in _layers_at_hand:
        if len(_layers_at_hand) > 300:
            _layers_at_hand.clear()
        made = [{"article_id": record["article_id"], **layer_row(layer, item, text, hidden)} for item in items]
        _layers_at_hand[key] = items, layer, made
    return _layers_at_hand[key][2]


@functools.lru_cache(400)
def _schemas(sources: tuple[tuple[str, str], ...]) -> Schemas:
    """The schemas, whose untouched layers are those at hand: compiling the laws of a layer takes long. Raises SchemaError."""
    made = schemas_from({name: text.encode() for name, text in sources})
    at_hand = flagship_schemas()

    def known(layer: Layer, other: Layer | None) -> Layer:
        return other if other is not None and other.schema == layer.schema else layer

    return Schemas(
        known(made.article, at_hand.article),
        {name: known(layer, at_hand.layers.get(name)) for name, layer in made.layers.items()},
        {name: known(layer, at_hand.tables.get(name)) for name, layer in made.tables.items()},
        made.sources,
    )


def valid_schemas(sources: Mapping[str, Json]) -> bool:
    """Whether schema files are such that a project can have them."""
    try:
        _schemas(_written(sources))
    except SchemaError:
        return False
    return True


# ---- the flagship --------------------------------------------------------------------------------------------


@functools.cache
def flagship_schemas() -> Schemas:
    """The schemas of this repository."""
    return load_schemas(REPOSITORY / "schemas")


PARTS = (
    ("segments", "times"),
    ("entities", "mentions"),
    ("entities", "measures", "quantities", "times"),
    ("attributions", "entities", "times"),
    ("entities", "events", "judgements", "times"),
    ("attributions", "entities", "events", "factuality", "times"),
    ("measures", "segments"),
    ("attributions", "claims", "entities", "events", "measures", "quantities", "times"),
)
"""Layers and tables that a project could have without the others: references stay inside."""


@functools.cache
def part_of_flagship(part: tuple[str, ...]) -> Corpus:
    """The corpus with some of its layers and tables alone; with all where none is named."""
    whole = flagship()
    if not part:
        return whole
    gone = flagship_schemas().sources.keys() - {"article", *part}
    sources = {name: schema for name, schema in whole.sources.items() if name not in gone}
    records = {a: {n: v for n, v in record.items() if n not in gone} for a, record in whole.records.items()}
    for record in records.values():
        for name in ("annotation_sets", "coverage"):
            record[name] = [item for item in record[name] if item["layer"] not in gone]
    return Corpus(sources, records, whole.splits, {name: rows for name, rows in whole.tables.items() if name not in gone})


@functools.cache
def flagship() -> Corpus:
    """The articles at hand: the records of open articles and of withheld ones, with splits by group."""
    sources = {name: json.loads(raw) for name, raw in flagship_schemas().sources.items()}
    records = {record["article_id"]: record for record in records_at_hand()}
    tables = {name: table_rows(name) for name in flagship_schemas().tables}
    of_group = dict(zip(sorted({record["group"] for record in records.values()}), itertools.cycle(SPLITS), strict=False))
    splits = {name: of_group[record["group"]] for name, record in records.items()}
    return Corpus(sources, records, splits, tables)


def withheld(record: Json) -> bool:
    """Whether the text of a record is withheld."""
    return is_withheld(record)
