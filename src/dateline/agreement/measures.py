"""Which measures a layer has, from what its fields are, and the sums of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from dateline.agreement.alpha import Array, Unitised, alpha, alpha_u, alpha_u_sums
from dateline.agreement.figures import LEAST_FOR_ALPHA, Measure
from dateline.agreement.matching import match
from dateline.agreement.places import Place, Row, stretches
from dateline.agreement.sides import Pair, Side
from dateline.annotation_sets import LAYER
from dateline.coreference import b_cubed, ceaf_e, lea, muc
from dateline.schema import Field, Layer

NOT_STATED = "null"
"""What counts as a label where one of the two gave none."""

Scale = Sequence[str]


@dataclass(frozen=True)
class Matched:
    """A pair of sets with its matched items."""

    pair: Pair
    items: tuple[tuple[Row, Row], ...]
    exact: int

    @classmethod
    def of(cls, pair: Pair) -> Matched:
        """The pair, its items matched by their places."""
        numbers, exact = match(pair.first.places, pair.second.places)
        return cls(pair, tuple((pair.first.items[i], pair.second.items[j]) for i, j in numbers), exact)


def measures(
    layer: Layer, layers: Mapping[str, Layer], matched: Sequence[Matched], scales: Mapping[str, Scale], clusters: Iterable[str]
) -> Iterator[Measure]:
    """The measures of a layer: of its items, then field by field.

    `scales` are the ordered label sets, by field; `clusters` further references that sort mentions into clusters.
    """
    yield from _items(matched)
    for field in layer.fields:
        if field is layer.key or field.ref == LAYER or field.derive:
            continue
        if field.span:
            yield from _spans(field, matched)
        elif field.ref:
            if field.name in clusters or _sorts_mentions(field, layer, layers, matched):
                yield from _clusters(field, matched)
        elif (labels := _labels(field)) is not None:
            scale = scales.get(field.name)
            yield _alpha(field, scale if scale is not None else labels, matched, ordinal=scale is not None)
        elif not field.withheld and not pa.types.is_nested(field.type):
            yield _equal(field, matched)


# ---- sums ----------------------------------------------------------------------------------------------------


def _added(parts: Iterable[tuple[str, Array]]) -> dict[str, Array]:
    """Sums by article."""
    sums: dict[str, Array] = {}
    for article_id, part in parts:
        sums[article_id] = sums[article_id] + part if article_id in sums else part
    return sums


def _share(sums: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1])


def _f1(name: str, measure: str, counts: Iterable[tuple[str, int, int]], of: str) -> Measure:
    """F1 from how many were found by both, and by one or the other: 2 both / (first + second)."""
    sums = _added((article_id, np.array([2 * both, either], float)) for article_id, both, either in counts)
    return Measure(name, measure, sums, _share, int(sum(s[1] for s in sums.values())), of)


# ---- items and spans -----------------------------------------------------------------------------------------


def _items(matched: Sequence[Matched]) -> Iterator[Measure]:
    def counts(found: Callable[[Matched], int]) -> Iterator[tuple[str, int, int]]:
        for one in matched:
            either = sum(map(bool, one.pair.first.places)) + sum(map(bool, one.pair.second.places))
            yield one.pair.article_id, found(one), either

    yield _f1("", "F1, equal spans", counts(lambda one: one.exact), "items of both")
    yield _f1("", "F1, matched", counts(lambda one: len(one.items)), "items of both")


def _spans(field: Field, matched: Sequence[Matched]) -> Iterator[Measure]:
    def of(side: Side) -> list[Place]:
        return [Place(((field.name, spans),)) for item in side.items if (spans := stretches(field, item))]

    exact, overlapping, continua = [], [], []
    for one in matched:
        first, second = of(one.pair.first), of(one.pair.second)
        numbers, equal = match(first, second)
        exact.append((one.pair.article_id, equal, len(first) + len(second)))
        overlapping.append((one.pair.article_id, len(numbers), len(first) + len(second)))
        for region in one.pair.regions:
            within = Unitised.of(region[1] - region[0], _units(first, region), _units(second, region))
            continua.append((one.pair.article_id, within))
    yield _f1(field.name, "F1, equal spans", exact, "spans of both")
    yield _f1(field.name, "F1, overlap", overlapping, "spans of both")
    lengths = sorted({size for _, continuum in continua for size in continuum.units})
    n = sum(len(continuum.units) for _, continuum in continua) // 2
    sums = _added((article_id, alpha_u_sums(lengths, continuum)) for article_id, continuum in continua)
    yield Measure(field.name, "alpha_u", sums, alpha_u, n, "units of each", LEAST_FOR_ALPHA)


def _units(places: Iterable[Place], region: tuple[int, int]) -> list[tuple[int, int]]:
    """The stretches of a region that an annotator marked, counted from where it begins; such as share characters are one."""
    low, high = region
    inside = [(max(s, low) - low, min(e, high) - low) for p in places for _, spans in p.roles for s, e in spans]
    joined: list[tuple[int, int]] = []
    for start, end in sorted(span for span in inside if span[0] < span[1]):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


# ---- labels and values ---------------------------------------------------------------------------------------


def _labels(field: Field) -> list[str] | None:
    if pa.types.is_list(field.type):
        return None
    return ["false", "true"] if pa.types.is_boolean(field.type) else field.labels


def _alpha(field: Field, labels: Sequence[str], matched: Sequence[Matched], *, ordinal: bool) -> Measure:
    """On a scale what stands outside it is left out; else no label is one, unless both gave none."""
    values = list(labels) if ordinal else [*labels, NOT_STATED]
    number = {label: n for n, label in enumerate(values)}

    def coincidences(one: Matched) -> Array:
        table = np.zeros((len(values), len(values)))
        for first, second in one.items:
            a, b = _label(first.get(field.name)), _label(second.get(field.name))
            if a in number and b in number and not a == b == NOT_STATED:
                table[number[a], number[b]] += 1
                table[number[b], number[a]] += 1
        return table.ravel()

    sums = _added((one.pair.article_id, coincidences(one)) for one in matched)
    n = int(sum(s.sum() for s in sums.values())) // 2

    def value(sums: Array) -> Array:
        return alpha(sums.reshape(*sums.shape[:-1], len(values), len(values)), ordinal=ordinal)

    name = f"alpha ({'ordinal' if ordinal else 'nominal'})"
    undefined = "one value only: nothing to disagree about"
    return Measure(field.name, name, sums, value, n, "matched items", LEAST_FOR_ALPHA, undefined)


def _label(value: Any) -> str:
    return NOT_STATED if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _equal(field: Field, matched: Sequence[Matched]) -> Measure:
    """Where one of the two states a value: how often they state the same."""

    def counted(one: Matched) -> Array:
        both = [(first.get(field.name), second.get(field.name)) for first, second in one.items]
        stated = [(a, b) for a, b in both if not (a is None and b is None)]
        return np.array([sum(a == b for a, b in stated), len(stated)], float)

    sums = _added((one.pair.article_id, counted(one)) for one in matched)
    return Measure(field.name, "equal", sums, _share, int(sum(s[1] for s in sums.values())), "matched items")


# ---- clusters ------------------------------------------------------------------------------------------------


def _sorts_mentions(field: Field, layer: Layer, layers: Mapping[str, Layer], matched: Sequence[Matched]) -> bool:
    """Whether each item, with spans of its own, names one item that has none: as mentions name their entity."""
    target = layers.get(field.ref or "")
    if not layer.spanned or target is None or target.spanned or pa.types.is_list(field.type):
        return False
    items = [item for one in matched for side in (one.pair.first, one.pair.second) for item in side.items]
    return bool(items) and all(item.get(field.name) is not None for item in items)


def _clusters(field: Field, matched: Sequence[Matched]) -> Iterator[Measure]:
    four = (muc, b_cubed, ceaf_e, lea)

    def counted(one: Matched) -> Array:
        first, second = _sorted(field, one.pair.first), _sorted(field, one.pair.second)
        found = [measure(first, second) for measure in four]
        return np.array([number for o in found for number in (o.found, o.there, o.right, o.said)], float)

    sums = _added((one.pair.article_id, counted(one)) for one in matched)
    n = sum(len(c) for one in matched for side in (one.pair.first, one.pair.second) for c in _sorted(field, side))
    yield Measure(field.name, "CoNLL F1", sums, lambda s: _overlap_f1(s)[..., :3].mean(-1), n, "mentions of both",
                  undefined="no cluster has two mentions")  # fmt: skip
    yield Measure(field.name, "LEA F1", sums, lambda s: _overlap_f1(s)[..., 3], n, "mentions of both")


def _overlap_f1(sums: Array) -> Array:
    """F1 of each measure of clusters; NaN where neither has what it counts (no links, no mentions)."""
    found, there, right, said = np.moveaxis(sums.reshape(*sums.shape[:-1], -1, 4), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, precision = found / there, right / said
        both = np.where(recall + precision > 0, 2 * recall * precision / (recall + precision), 0.0)
    return np.where((there == 0) & (said == 0), np.nan, both)


def _sorted(field: Field, side: Side) -> list[set[Any]]:
    """The clusters of a set: mentions are told by their places, the n-th of several at one place by its number."""
    seen: Counter[Place] = Counter()
    clusters: dict[str, set[Any]] = {}
    for item, place in zip(side.items, side.places, strict=True):
        if (key := item.get(field.name)) is not None and place:
            clusters.setdefault(str(key), set()).add((place, seen[place]))
            seen[place] += 1
    return list(clusters.values())
