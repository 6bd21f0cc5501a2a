"""Scoring named entities: spans with their types, nested and discontinuous ones included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from dateline.score.gold import Row
from dateline.score.predictions import Fields
from dateline.score.spans import Chars, align, chars, exact_counts, matched_counts
from dateline.score.statistics import Counts, f1_measure
from dateline.score.task import ByRow, Scored


class Entity(NamedTuple):
    """One entity: what it covers and its type."""

    place: Chars
    label: str | None


class Ner(ByRow):
    """A prediction is `{"id": ..., "entities": [{"start": 0, "end": 7, "label": "PER"}]}`.

    Entries of one `item` are one discontinuous entity, as in the view.
    """

    columns: ClassVar[tuple[str, ...]] = ("id", "story", "passage", "entities")

    def read(self, fields: Fields, asked: Row) -> list[Entity]:
        """The entities of a passage."""
        found = []
        for one in fields.objects("entities", ("start", "end", "label", "item")):
            span = one.span(len(asked["passage"]))
            label = one.label("label", self.gold.labels_of("entities.label"))
            if label is None and "label" in one.value and one.value["label"] is None:
                one.fault("its label is null; leave out what is no entity")
            if span is not None:
                found.append({**span, "label": label, "item": one.maybe_text("item")})
        return entities(found)

    def score(self, predictions: Mapping[str, list[Entity]]) -> Scored:
        """F1 of entities with their types, where spans are equal and where they overlap; F1 of each type."""
        pairs = [
            (row["id"], row["story"], entities(row["entities"] or ()), predictions.get(row["id"], [])) for row in self.gold.rows
        ]
        measures = [
            f1_measure("span + type F1, exact", ((story, exact_counts(gold, ours)) for _, story, gold, ours in pairs)),
            f1_measure("span + type F1, overlap", ((story, _overlapping(gold, ours)) for _, story, gold, ours in pairs)),
        ]
        for label in self.gold.labels_of("entities.label"):
            if any(one.label == label for _, _, gold, ours in pairs for one in (*gold, *ours)):
                counted = ((story, exact_counts(_only(label, gold), _only(label, ours))) for _, story, gold, ours in pairs)
                measures.append(f1_measure(f"F1 of {label}, exact", counted))
        return Scored(measures, {id: Counter(gold) == Counter(ours) for id, _, gold, ours in pairs})


def entities(entries: Iterable[Mapping[str, Any]]) -> list[Entity]:
    """The entities that the entries of a row make: one of each `item`, and one of each entry without."""
    grouped: dict[object, list[Mapping[str, Any]]] = {}
    for number, entry in enumerate(entries):
        item = entry.get("item")
        grouped.setdefault(number if item is None else item, []).append(entry)
    return [Entity(chars(parts), parts[0]["label"]) for parts in grouped.values()]


def _only(label: str, found: Iterable[Entity]) -> list[Entity]:
    return [one for one in found if one.label == label]


def _overlapping(gold: Sequence[Entity], predicted: Sequence[Entity]) -> Counts:
    """As many entities as possible matched with one of their type that shares a character with them."""
    pairs = align(gold, predicted, lambda one, other: float(one.label == other.label and not one.place.isdisjoint(other.place)))
    return matched_counts(len(pairs), len(gold), len(predicted))
