"""Intervals by resampling stories: items of one story are alike, so stories are drawn, not items."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import numpy as np

from dateline.score.statistics import Measure

RESAMPLES = 1000
SEED = 1998
FEWEST_STORIES = 5
"""Below, the stories at hand say nothing about other stories."""
LEVEL = 0.95


def interval(measure: Measure) -> tuple[float, float] | None:
    """The 95 % percentile interval of a measure over resamples of its stories; None for fewer than FEWEST_STORIES."""
    if len(measure.stories) < FEWEST_STORIES:
        return None
    counts = np.array(list(measure.stories.values()))
    sums = _times_drawn(len(measure.stories)) @ counts
    values = [found for row in sums.tolist() if (found := measure.statistic(row).value) is not None]
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


@cache
def _times_drawn(stories: int) -> Any:
    """How often each story was drawn, by resample. Python's generator gives the same draws in every version, NumPy's need not."""
    random = Random(SEED)
    drawn = [[int(random.random() * stories) for _ in range(stories)] for _ in range(RESAMPLES)]
    return np.array([np.bincount(one, minlength=stories) for one in drawn])
