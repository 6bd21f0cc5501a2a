"""One article with its layers by key, and paths through them that follow references: `entity_id.type`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dateline.errors import ProjectError
from dateline.schema import Field, Layer, Schemas

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Article:
    """The article's own columns, and the rows of each of its layers; `keys` names each layer's key column."""

    row: Row
    layers: Mapping[str, list[dict[str, Any]]]
    keys: Mapping[str, str] = field(repr=False)

    @property
    def id(self) -> str:
        """The article's id."""
        return str(self.row["article_id"])

    @property
    def story(self) -> str:
        """The group that the article belongs to."""
        return str(self.row["group"])

    def items(self, layer: str) -> list[dict[str, Any]]:
        """The rows of a layer; none for a layer that the dataset does not have."""
        return self.layers.get(layer) or []

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {(name, row[self.keys[name]]): row for name, rows in self.layers.items() if name in self.keys for row in rows}

    def item(self, layer: str, key: str | None) -> dict[str, Any] | None:
        """The row of a layer by its key; None for no key, and for one that is not there."""
        return None if key is None else self._by_key.get((layer, key))

    def status_of(self, layer: str) -> str | None:
        """How far the annotation of a layer has come: the status of its annotation set, ADJUDICATED before all others."""
        found = sorted(s["status"] for s in self.items("annotation_sets") if s["layer"] == layer)
        return found[0] if found else None

    def covers(self, layer: str, start: int, end: int) -> bool:
        """Whether the layer was annotated from `start` to `end`; true where nothing says what was."""
        said = next((c for c in self.items("coverage") if c["layer"] == layer), None)
        if said is None or said["status"] == "FULL":
            return True
        regions = said["regions"] or ()
        return said["status"] == "PARTIAL" and any(r["start"] <= start and end <= r["end"] for r in regions)


@dataclass(frozen=True)
class Path:
    """The way from a row of `layer` to a field: over references, each a column and the layer that it leads to."""

    layer: str
    steps: tuple[tuple[str, str], ...]
    field: Field
    many: bool
    """Whether a step may lead to several rows, so that the value is a list."""

    def values_in(self, article: Article, row: Row) -> list[Any]:
        """The field's values in all rows that the way leads to, in order; nulls are kept."""
        rows: Iterable[Row] = [row]
        for column, target in self.steps:
            rows = [item for r in rows for item in _followed(article, r[column], target)]
        return [r[self.field.name] for r in rows]

    def value_in(self, article: Article, row: Row) -> Any:
        """The field's value, or a list of values where a step leads to several rows."""
        found = self.values_in(article, row)
        return found if self.many else next(iter(found), None)


def path(written: str, layer: str, schemas: Schemas, where: str) -> Path:
    """The path that `written` names from a layer (`content_spans`, `entity_id.type`); `where` begins the message.

    Raises ProjectError for a step that is no reference within the article, and for a field that is not there.
    """
    *steps, last = written.split(".")
    at, found, many = layer, [], False
    for step in steps:
        stepped = _field(step, at, schemas, where)
        if stepped.ref is None or stepped.ref not in schemas.layers:
            refs = ", ".join(f.name for f in schemas.layers[at].references if f.ref in schemas.layers) or "none"
            raise ProjectError(f"{where}: {written!r} cannot follow {step}, which is no reference of {at}; those are: {refs}")
        many = many or stepped.is_list
        found.append((step, stepped.ref))
        at = stepped.ref
    return Path(layer, tuple(found), _field(last, at, schemas, where), many)


def layer_of(name: str, schemas: Schemas, where: str) -> Layer:
    """A layer by its name. Raises ProjectError for one that schemas/ do not have."""
    if name not in schemas.layers:
        raise ProjectError(f"{where}: there is no layer {name!r}; there are {', '.join(schemas.layers)}")
    return schemas.layers[name]


def _field(name: str, layer: str, schemas: Schemas, where: str) -> Field:
    try:
        return schemas.layers[layer][name]
    except KeyError as fault:
        raise ProjectError(f"{where}: {fault.args[0]}") from None


def _followed(article: Article, value: Any, target: str) -> Iterator[Row]:
    for key in value if isinstance(value, list) else [value]:
        item = article.item(target, key)
        if item is not None:
            yield item
