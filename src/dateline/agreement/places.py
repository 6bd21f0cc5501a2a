"""Where an item stands in the text: its spans, by role; of an item without spans, those of the items that it is tied to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dateline.schema import Field, Layer

Row = Mapping[str, Any]
Stretches = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Place:
    """Spans by role; two places are equal if all their spans are."""

    roles: tuple[tuple[str, Stretches], ...]

    def __bool__(self) -> bool:
        return bool(self.roles)

    def characters(self) -> Iterator[tuple[str, int]]:
        """Each character of each role."""
        for role, spans in self.roles:
            yield from {(role, at) for start, end in spans for at in range(start, end)}


def stretches(field: Field, item: Row) -> Stretches:
    """The spans of an item in one field, in the order of the text."""
    value = item.get(field.name)
    spans = [value] if isinstance(value, dict) else value or []
    if field.span == "nested":
        spans = [span for inner in spans for span in inner]
    return tuple(sorted((int(span["start"]), int(span["end"])) for span in spans))


class Places:
    """The places of the items of one article; `items` holds all of its items, by layer."""

    def __init__(self, layers: Mapping[str, Layer], items: Mapping[str, Iterable[Row]]) -> None:
        self._layers = layers
        self._items = {name: list(rows) for name, rows in items.items()}
        self._by_key = {
            (name, row[layers[name].key.name]): row for name, rows in self._items.items() if name in layers for row in rows
        }

    def of(self, layer: Layer, item: Row) -> Place:
        """An item's own spans; if its layer has none, those of the items that it refers to, else of those that refer to it."""
        roles = self._own(layer, item) if layer.spanned else self._referred(layer, item, {layer.name})
        if not layer.spanned and not roles:
            roles = self._referring(layer, item)
        return Place(tuple(sorted(roles.items())))

    def _own(self, layer: Layer, item: Row) -> dict[str, Stretches]:
        return {f.name: spans for f in layer.spanned if (spans := stretches(f, item))}

    def _referred(self, layer: Layer, item: Row, seen: set[str]) -> dict[str, Stretches]:
        roles: dict[str, Stretches] = {}
        for f in layer.references:
            target = self._layers.get(f.ref or "")
            if target is None or target.name in seen:
                continue
            value = item.get(f.name)
            for key in value if isinstance(value, list) else [value]:
                if (other := self._by_key.get((target.name, key))) is not None:
                    own = self._own(target, other) if target.spanned else self._referred(target, other, seen | {target.name})
                    _join(roles, {f"{f.name}.{role}": spans for role, spans in own.items()})
        return roles

    def _referring(self, layer: Layer, item: Row) -> dict[str, Stretches]:
        roles: dict[str, Stretches] = {}
        for other, row in self._referrers.get((layer.name, str(item[layer.key.name])), ()):
            _join(roles, {f"{other.name}.{role}": spans for role, spans in self._own(other, row).items()})
        return roles

    @cached_property
    def _referrers(self) -> Mapping[tuple[str, str], list[tuple[Layer, Row]]]:
        """The items with spans that refer to an item, by its layer and key."""
        found: dict[tuple[str, str], list[tuple[Layer, Row]]] = {}
        for layer in self._layers.values():
            for row in self._items.get(layer.name, ()) if layer.spanned else ():
                for f in (f for f in layer.references if row.get(f.name) is not None):
                    value = row[f.name]
                    for key in value if isinstance(value, list) else [value]:
                        found.setdefault((str(f.ref), str(key)), []).append((layer, row))
        return found


def _join(roles: dict[str, Stretches], more: Mapping[str, Stretches]) -> None:
    for role, spans in more.items():
        roles[role] = tuple(sorted({*roles.get(role, ()), *spans}))
