"""Whose annotation an item is, and which sets stand apart because others have decided between them.

An item names its set in the field of its layer that refers to `annotation_sets`. Where an article has an adjudicated set of a
layer, its other sets of that layer *stand apart*: their items are kept, but not where anybody would train on them and on the
adjudicated ones alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dateline.schema import Field, Layer, Schemas

LAYER = "annotation_sets"
KEY = "annotation_set_id"
ADJUDICATED = "ADJUDICATED"


def set_field(layer: Layer) -> Field | None:
    """The field that names the set of a layer's items; None where none does, so that all items are of one set."""
    return next((f for f in layer.fields if f.ref == LAYER and not f.is_list), None)


def sets_by_layer(record: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """The annotation sets that an article lists, by the layer that they are of."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for one in record.get(LAYER) or ():
        found.setdefault(one["layer"], []).append(one)
    return found


def decided(sets: Iterable[Mapping[str, Any]]) -> set[str]:
    """Of the sets of one layer of an article, the ids of those that were adjudicated, and not replaced since."""
    adjudicated = [one for one in sets if one["status"] == ADJUDICATED]
    return {one[KEY] for one in adjudicated} - {one.get("supersedes") for one in adjudicated}


def standing_apart(record: Mapping[str, Any], schemas: Schemas) -> dict[str, set[str]]:
    """The ids of the sets that stand apart in an article, by layer; only layers with such sets are named."""
    apart = {}
    for name, sets in sets_by_layer(record).items():
        final = decided(sets)
        others = {one[KEY] for one in sets} - final
        if final and others and name in schemas.layers and set_field(schemas.layers[name]):
            apart[name] = others
    return apart
