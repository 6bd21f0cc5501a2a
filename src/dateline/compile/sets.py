"""Annotation sets of a record: what items may say of them, and the rows of those that stand apart (the config `primary`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from dateline.annotation_sets import KEY, LAYER, set_field, standing_apart
from dateline.compile.laws import Report
from dateline.errors import SchemaError
from dateline.leaks import shown
from dateline.schema import Json, Layer, Schemas

Row = dict[str, Any]

PRIMARY = "primary"
_OF_A_PASS = ("annotator_id", "annotator_type", "tool", "tool_version", "guideline_version", "status")


# ---- the check -----------------------------------------------------------------------------------------------


def check_sets(record: Json, schemas: Schemas, quote: bool, report: Report) -> None:
    """Report items that name a set of another layer, that name none where it matters, or that refer to what stands apart."""
    layer_of = {one[KEY]: one["layer"] for one in record.get(LAYER) or ()}
    apart = standing_apart(record, schemas)
    gone = dict(_items_apart(record, schemas, apart)) if apart else {}
    for layer in schemas.layers.values():
        said = set_field(layer)
        for index, item in enumerate(record.get(layer.name) or ()):
            named = said.value_of(item) if said else None
            if said and named is None and layer.name in apart:
                report("set-unnamed", [layer.name, index], layer=layer.name)
            if said and named is not None and layer_of[named] != layer.name:
                report("set-layer", [layer.name, index, *said.path], found=shown(named, quote), layer=layer_of[named])
            if gone and (layer.name, item[layer.key.name]) not in gone:
                _refers_apart(layer, item, index, gone, quote, report)


def _items_apart(record: Json, schemas: Schemas, apart: Mapping[str, set[str]]) -> Iterator[tuple[tuple[str, str], str]]:
    """Layer and key of the items that stand apart, with the set of each."""
    for name, sets in apart.items():
        layer = schemas.layers[name]
        for item in record.get(name) or ():
            if (named := _set_of(layer, item)) in sets:
                yield (name, item[layer.key.name]), str(named)


def _refers_apart(layer: Layer, item: Json, index: int, gone: Mapping[tuple[str, str], str], quote: bool, report: Report) -> None:
    for field in layer.references:
        value = field.value_of(item)
        for at, key in enumerate(value if isinstance(value, list) else [value]):
            if key is not None and (name := gone.get((str(field.ref), str(key)))) is not None:
                steps = [layer.name, index, *field.path, *([at] if isinstance(value, list) else [])]
                report("set-apart", steps, found=shown(key, quote), set=shown(name, quote), layer=field.ref)


def _set_of(layer: Layer, item: Json) -> str | None:
    said = set_field(layer)
    value: str | None = said.value_of(item) if said else None
    return value


# ---- the rows ------------------------------------------------------------------------------------------------


def primary_columns(schemas: Schemas) -> list[tuple[str, pa.DataType, str, Json]]:
    """The columns of `primary` but its nested layers: article, text, and who annotated.

    Raises SchemaError where a layer has the name of one.
    """
    about = {f.name: f for f in schemas.layers[LAYER].fields}
    text = schemas.article["text"]
    made = [
        ("article_id", pa.string(), "The article that was annotated.", {}),
        (text.name, text.type, text.description, text.schema),
        ("annotation_set_ids", pa.list_(pa.string()), "The annotation sets, one for each layer.", {}),
        *((name, about[name].type, about[name].description, {}) for name in _OF_A_PASS),
    ]
    for name, *_ in made:
        if name in schemas.layers:
            raise SchemaError(
                f"schemas/{name}.schema.json: the name {name!r} is a column of the config {PRIMARY!r}, which this corpus needs "
                "as it has adjudicated sets; choose another"
            )
    return made


class Apart:
    """What of a record stands apart, and the rows that it becomes: one for each annotator's pass over the article."""

    def __init__(self, record: Json, schemas: Schemas) -> None:
        self._schemas = schemas
        self._apart = standing_apart(record, schemas)
        self._sets = [one for one in record.get(LAYER) or () if one[KEY] in self._apart.get(one["layer"], ())]
        self._listed: list[Row] = []
        self._rows: dict[str, list[tuple[str, Row]]] = {}

    def keep(self, layer: Layer, items: list[Json], rows: list[Row]) -> list[Row]:
        """The rows of a layer that do not stand apart; the others are remembered."""
        if layer.name == LAYER:
            self._listed = rows
        sets = self._apart.get(layer.name)
        if not sets:
            return rows
        owners = [_set_of(layer, item) for item in items]
        self._rows[layer.name] = [(str(o), row) for o, row in zip(owners, rows, strict=True) if o in sets]
        return [row for o, row in zip(owners, rows, strict=True) if o not in sets]

    def rows(self, article: Row) -> list[Row]:
        """The rows of `primary`, in the order of their sets' ids."""
        return [self._row(article, sets) for sets in self._passes()]

    def _passes(self) -> list[list[Json]]:
        """The sets that one annotator made in one way, one of each layer: a second set of a layer is a second pass."""
        passes: dict[tuple[Any, ...], list[Json]] = {}
        seen: dict[tuple[Any, ...], int] = {}
        for one in sorted(self._sets, key=lambda one: str(one[KEY])):
            way = tuple(one.get(name) for name in _OF_A_PASS)
            number = seen[(*way, one["layer"])] = seen.get((*way, one["layer"]), 0) + 1
            passes.setdefault((*way, number), []).append(one)
        return list(passes.values())

    def _row(self, article: Row, sets: list[Json]) -> Row:
        ids = [one[KEY] for one in sets]
        row = {"article_id": article["article_id"], "text": article["text"], "annotation_set_ids": ids}
        row |= {name: sets[0].get(name) for name in _OF_A_PASS}
        for name in self._schemas.layers:
            row[name] = [item for owner, item in self._rows.get(name, ()) if owner in ids]
        return row | {LAYER: [one for one in self._listed if one[KEY] in ids]}
