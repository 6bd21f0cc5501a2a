"""Measures as sums over articles, with bootstrap intervals.

Every measure here is a function of sums that are added over articles. So its value is that function of the sums of all articles,
and a bootstrap resample (articles drawn with replacement) is one multiplication of matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dateline.agreement.alpha import Array

LEAST_FOR_ALPHA = 20
"""Alpha of fewer items says nothing that its interval would not take back."""


@dataclass(frozen=True)
class Measure:
    """One measure of one field: the sums of each article, by its id, and what follows from sums; `n` counts what `of` names."""

    field: str
    name: str
    sums: Mapping[str, Array]
    value: Callable[[Array], Array]
    n: int
    of: str
    least: int = 1
    """Of fewer the value is not computed."""
    undefined: str = "undefined"
    """Why there may be no value for all that."""


@dataclass(frozen=True)
class Figure:
    """A measure's value with its 95 % interval; null where there is none, and why."""

    field: str
    measure: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    of: str
    says: str = ""

    def as_json(self) -> dict[str, Any]:
        """The figure as plain JSON types."""
        return {
            "field": self.field, "measure": self.measure, "value": self.value, "low": self.low, "high": self.high,
            "n": self.n, "of": self.of, "says": self.says or None,
        }  # fmt: skip


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made: so many resamples of the articles, drawn from this seed."""

    resamples: int = 1000
    seed: int = 0

    def weights(self, articles: int) -> Array:
        """How often each article stands in each resample."""
        drawn = np.random.default_rng(self.seed).multinomial(articles, np.full(articles, 1 / articles), size=self.resamples)
        return drawn.astype(float)


def figure(measure: Measure, bootstrap: Bootstrap) -> Figure:
    """The measure's value over all its articles, and its interval if there are two of them or more."""

    def made(value: float | None, low: float | None, high: float | None, says: str) -> Figure:
        return Figure(measure.field, measure.name, value, low, high, measure.n, measure.of, says)

    if measure.n < measure.least:
        return made(None, None, None, f"too few for {measure.name.split()[0]}" if measure.n else f"no {measure.of}")
    sums = np.array([measure.sums[name] for name in sorted(measure.sums)])
    value = _number(measure.value(sums.sum(0)))
    if value is None:
        return made(None, None, None, measure.undefined)
    if len(sums) < 2:
        return made(value, None, None, "one article: no interval")
    values = measure.value(bootstrap.weights(len(sums)) @ sums)
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (math.nan, math.nan)
    return made(value, _number(low), _number(high), "")


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
