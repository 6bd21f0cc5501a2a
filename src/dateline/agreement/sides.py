"""What is compared: two annotation sets of one layer of one article, and what their agreement is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from dateline.agreement.places import Place, Places, Row, Stretches
from dateline.annotation_sets import KEY, LAYER, set_field, sets_by_layer
from dateline.schema import Layer

_WORDS = {"HUMAN": "human", "MODEL_ASSISTED": "assisted", "MODEL": "model"}


@dataclass(frozen=True)
class Annotated:
    """One article with all its annotation, as rows of its layers; `named` says where it was read."""

    article_id: str
    sha256: str
    length: int
    sets: Sequence[Mapping[str, Any]]
    items: Mapping[str, Sequence[Row]] = field(repr=False)
    named: str = ""


@dataclass(frozen=True)
class Side:
    """One annotation set: whose it is, its items in the order of what they say, their places, and what they say."""

    annotator: str
    kind: str
    items: tuple[Row, ...]
    places: tuple[Place, ...]
    said: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """Two sets of one layer of one article. Which is the first follows from what they say, so names change nothing.

    `regions` are the stretches of the text that were annotated: all of it, unless the article's coverage says otherwise.
    """

    article_id: str
    regions: Stretches
    first: Side
    second: Side

    @property
    def annotators(self) -> tuple[str, str]:
        """The two annotators, in the order of their names."""
        return min(self.first.annotator, self.second.annotator), max(self.first.annotator, self.second.annotator)

    @property
    def called(self) -> str:
        """What kind of agreement this is: between people, between models, or between both; "assisted": people who correct models.

        Two passes of a model are model-model agreement; two of one person say how far he agrees with himself.
        """
        kinds = list(_WORDS)
        one, other = sorted((self.first.kind, self.second.kind), key=kinds.index)
        if one == other == "HUMAN" and self.first.annotator == self.second.annotator:
            return "same-human"
        return f"{_WORDS[one]}-{_WORDS[other]}"


def pairs_within(article: Annotated, layers: Mapping[str, Layer], layer: Layer) -> Iterator[Pair]:
    """Each two sets of the layer that the article has; adjudicated ones, which follow from others, are compared with none."""
    for one, other in combinations(_sides(article, layers, layer), 2):
        yield _pair(article, layer, one, other)


def pairs_between(article: Annotated, other: Annotated, layers: Mapping[str, Layer], layer: Layer) -> Iterator[Pair]:
    """Each set of the layer in the one reading of an article with each set in the other."""
    for one in _sides(article, layers, layer):
        for two in _sides(other, layers, layer):
            yield _pair(article, layer, one, two)


def nameless(article: Annotated, layer: Layer) -> int:
    """Items of the layer of which nobody knows whose they are: they name no set, and there is not just one."""
    sets = sets_by_layer({LAYER: article.sets}).get(layer.name, [])
    said = set_field(layer)
    return 0 if len(sets) == 1 else sum(said is None or row.get(said.name) is None for row in article.items.get(layer.name, ()))


def _pair(article: Annotated, layer: Layer, one: Side, other: Side) -> Pair:
    first, second = sorted((one, other), key=lambda side: side.said)
    partial = [row for row in article.items.get("coverage", ()) if row["layer"] == layer.name and row["status"] == "PARTIAL"]
    regions = tuple((span["start"], span["end"]) for row in partial for span in row["regions"])
    return Pair(article.article_id, regions or ((0, article.length),), first, second)


def _sides(article: Annotated, layers: Mapping[str, Layer], layer: Layer) -> list[Side]:
    """The sets of a layer that annotators made by themselves; a set without items says that there is nothing."""
    sets = sets_by_layer({LAYER: article.sets}).get(layer.name, [])
    replaced = {one.get("supersedes") for one in sets} - {None}
    field_ = set_field(layer)
    if field_ is None and len(sets) > 1:
        return []
    places = Places(layers, article.items)
    items = article.items.get(layer.name, ())
    return [
        _side(one, layer, places, [r for r in items if len(sets) == 1 or (field_ and r.get(field_.name) == one[KEY])])
        for one in sets
        if one["status"] != "ADJUDICATED" and one[KEY] not in replaced
    ]


def _side(one: Mapping[str, Any], layer: Layer, places: Places, items: Sequence[Row]) -> Side:
    values = [f.name for f in layer.fields if not (f.ref or f.span or f is layer.key)]
    found = []
    for item in items:
        place = places.of(layer, item)
        # what an item says, without ids: so that neither ids nor names decide what is matched
        said = repr((place.roles, [str(item.get(name)) for name in values]))
        found.append((said, place, item))
    found.sort(key=lambda triple: triple[0])
    said_, placed, rows = zip(*found, strict=True) if found else ((), (), ())
    return Side(one["annotator_id"], one["annotator_type"], rows, placed, said_)
