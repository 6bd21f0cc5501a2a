"""Comparisons of annotation sets: layer by layer, between people, between models, or between both."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dateline.agreement.figures import Bootstrap, Figure, figure
from dateline.agreement.matching import RULE
from dateline.agreement.measures import Matched, Scale, measures
from dateline.agreement.sides import Annotated, Pair, nameless, pairs_between, pairs_within
from dateline.schema import Layer


@dataclass(frozen=True)
class Question:
    """What is asked: which layers, which labels are scales, which references sort into clusters, how intervals are made.

    `scales` and `clusters` go by layer and field. With `each`, every two annotators are compared by themselves.
    """

    layers: Sequence[Layer]
    scales: Mapping[tuple[str, str], Scale] = field(default_factory=dict)
    clusters: Collection[tuple[str, str]] = ()
    bootstrap: Bootstrap = field(default_factory=Bootstrap)
    each: bool = False


@dataclass(frozen=True)
class Comparison:
    """What one layer's sets have in common; `called` says between whom."""

    layer: str
    called: str
    annotators: tuple[str, ...]
    articles: int
    pairs: int
    items: tuple[int, int]
    unplaced: int
    matched: int
    exact: int
    figures: tuple[Figure, ...]

    def as_json(self) -> dict[str, Any]:
        """The comparison as plain JSON types."""
        return {
            "layer": self.layer, "called": f"{self.called} agreement", "annotators": list(self.annotators),
            "articles": self.articles, "pairs_of_sets": self.pairs, "items": list(self.items), "unplaced": self.unplaced,
            "matched": self.matched,
            "matched_with_equal_spans": self.exact, "figures": [one.as_json() for one in self.figures],
        }  # fmt: skip


@dataclass
class Agreement:
    """All comparisons, and what was left out of them."""

    comparisons: list[Comparison] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    bootstrap: Bootstrap = field(default_factory=Bootstrap)

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON types."""
        return {
            "matching": RULE,
            "interval": {"level": 0.95, "over": "articles", "resamples": self.bootstrap.resamples, "seed": self.bootstrap.seed},
            "comparisons": [one.as_json() for one in self.comparisons],
            "notes": self.notes,
        }


def agreement(
    articles: Iterable[Annotated], layers: Mapping[str, Layer], question: Question, other: Mapping[str, Annotated] | None = None
) -> Agreement:
    """Compare the sets of each article with one another; with `other`, another annotation of articles by id, with those there."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[Pair]] = {}
    unknown: dict[str, int] = {}
    for article in articles:
        against = other.get(article.article_id) if other is not None else None
        for layer in question.layers:
            if other is None:
                pairs = pairs_within(article, layers, layer)
            elif against is not None:
                pairs = pairs_between(article, against, layers, layer)
            else:
                continue
            for reading in (article, against):
                unknown[layer.name] = unknown.get(layer.name, 0) + (nameless(reading, layer) if reading else 0)
            for pair in pairs:
                key = (layer.name, pair.called, pair.annotators if question.each else ())
                groups.setdefault(key, []).append(pair)
    made = Agreement(bootstrap=question.bootstrap)
    order = [layer.name for layer in question.layers]
    for (name, called, _), found in sorted(groups.items(), key=lambda group: (order.index(group[0][0]), group[0][1:])):
        made.comparisons.append(_comparison(layers[name], called, found, layers, question))
    made.notes += [
        f"{name}: {n:,} {'item' if n == 1 else 'items'} of no annotation set: nobody knows whose, so left out"
        for name, n in unknown.items()
        if n
    ]
    return made


def _comparison(layer: Layer, called: str, pairs: Sequence[Pair], layers: Mapping[str, Layer], question: Question) -> Comparison:
    matched = [Matched.of(pair) for pair in pairs]
    scales = {name: scale for (of, name), scale in question.scales.items() if of == layer.name}
    clusters = {name for of, name in question.clusters if of == layer.name}
    return Comparison(
        layer=layer.name,
        called=called,
        annotators=tuple(sorted({name for pair in pairs for name in pair.annotators})),
        articles=len({pair.article_id for pair in pairs}),
        pairs=len(pairs),
        items=(sum(len(p.first.items) for p in pairs), sum(len(p.second.items) for p in pairs)),
        unplaced=sum(not place for pair in pairs for side in (pair.first, pair.second) for place in side.places),
        matched=sum(len(one.items) for one in matched),
        exact=sum(one.exact for one in matched),
        figures=tuple(figure(one, question.bootstrap) for one in measures(layer, layers, matched, scales, clusters)),
    )
