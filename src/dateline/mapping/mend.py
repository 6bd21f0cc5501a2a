"""What comes back from a tool, put into the record that stands: the rest of the record stays as it is.

A tool holds what the mapping names: of those items, those fields. All else, layers without a type, article fields that the
document is silent about, who annotated with what by which guideline, what was covered, is the standing record's. An item is known
by its key.
"""

from __future__ import annotations

import copy
from typing import Any

from dateline.mapping.file import MappedLayer, Mapping
from dateline.schema import Json


def restored(imported: Json, standing: Json, mapping: Mapping) -> Json:
    """The standing record with what an import of the same text says; items in the order of the import."""
    sets = _Sets(imported, standing)
    layers = {name: _layer(imported.get(name) or [], standing, layer, sets) for name, layer in mapping.layers.items()}
    made = copy.deepcopy({name: value for name, value in standing.items() if name not in mapping.layers})
    for field in mapping.article_fields:
        value = field.value_of(imported)
        said = field.name in mapping.article and field.path[0] != "rights" and value not in (None, [])
        if said and not same(value, field.value_of(made)):
            _put(made, field.path, value)
    if (found := sets.all()) or "annotation_sets" in standing:
        made["annotation_sets"] = found
    there = {name: made[name] if name in made else layers.get(name) for name in standing}
    return there | {n: v for n, v in made.items() if n not in there} | {n: v for n, v in layers.items() if v and n not in there}


def in_standing_order(record: Json, standing: Json, mapping: Mapping) -> Json:
    """The record with the items that stood before in the order in which they stood, before the new ones."""
    made = dict(record)
    for name, mapped in mapping.layers.items():
        key = mapped.layer.key
        order = {key.value_of(item): at for at, item in enumerate(standing.get(name) or ())}
        if name in made:
            made[name] = sorted(made[name] or (), key=lambda item: order.get(key.value_of(item), len(order)))
    return made


def same(one: Any, other: Any) -> bool:
    """Whether two values of a field say the same: null, an empty list and nothing do; so do spans with and without words."""
    if one in (None, []) or other in (None, []):
        return one in (None, []) and other in (None, [])
    if isinstance(one, dict) and isinstance(other, dict):
        keys = (one.keys() | other.keys()) - ({"surface"} if "start" in one else set())
        return all(same(one.get(key), other.get(key)) for key in keys)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and (type(one) is type(other) or _are_numbers(one, other))


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


class _Sets:
    """Annotation sets as an import names them, and as the standing record does."""

    def __init__(self, imported: Json, standing: Json) -> None:
        self.imported = {s["annotation_set_id"]: s for s in imported.get("annotation_sets") or ()}
        self.standing = {s["annotation_set_id"]: s for s in standing.get("annotation_sets") or ()}
        self.new: dict[str, Json] = {}

    def of(self, id: Any, before: Any) -> Any:
        """The set of an item, which was in the set `before`, by its imported id."""
        found = self.imported.get(id)
        if found is None or id in self.standing:
            return id
        whose = (found["layer"], found["annotator_id"])
        for known in (before, *self.standing):
            said = self.standing.get(known)
            if said is not None and (said.get("layer"), said.get("annotator_id")) == whose:
                return known
        self.new[id] = found
        return id

    def all(self) -> list[Json]:
        """The sets that stood, then those of new annotators."""
        return [*copy.deepcopy([*self.standing.values()]), *self.new.values()]


def _layer(imported: list[Json], standing: Json, mapped: MappedLayer, sets: _Sets) -> list[Json]:
    layer = mapped.layer
    before = {layer.key.value_of(item): item for item in standing.get(layer.name) or ()}
    made = []
    for item in imported:
        old = before.get(layer.key.value_of(item))
        new = item if old is None else copy.deepcopy(old)
        for column, source in mapped.fields.items():
            field = layer[column]
            value, said = field.value_of(item), None if old is None else field.value_of(old)
            if source.annotator:
                value = sets.of(value, said)
            if not same(value, said) if old is not None else source.annotator:
                _put(new, field.path, value)
        made.append(new)
    return made


def _put(item: Json, path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        item = item.setdefault(step, {})
    item[path[-1]] = value
