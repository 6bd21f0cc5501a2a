"""A file of predictions against a config of a dataset, from the words of a user to measures with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dateline.errors import UsageError
from dateline.score.bootstrap import FEWEST_STORIES, LEVEL, RESAMPLES, SEED, interval
from dateline.score.conflicts import Conflicts
from dateline.score.contrasts import Contrasts
from dateline.score.event_factuality import EventFactuality
from dateline.score.figures import Figures
from dateline.score.gold import CONTRAST, Gold, read_gold
from dateline.score.ner import Ner
from dateline.score.predictions import listed, read_predictions
from dateline.score.quote_attribution import QuoteAttribution
from dateline.score.statistics import Confusion, Measure, Value, accuracy_measure
from dateline.score.task import Scored, Task

TASKS: Mapping[str, type[Task]] = {
    "figures": Figures,
    "conflicts": Conflicts,
    "quote_attribution": QuoteAttribution,
    "event_factuality": EventFactuality,
    "ner": Ner,
    "contrasts": Contrasts,
}
FEW = 20
"""Numbers over fewer items get a remark."""
DIGITS = 6


@dataclass(frozen=True)
class Told:
    """A measure as it is told: its value, and between which values it may lie; what is to be said about it."""

    measure: Measure
    interval: tuple[float, float] | None

    @property
    def value(self) -> Value:
        """What the measure comes to, less what floating point leaves at the end."""
        found = self.measure.whole()
        return Value(_rounded(found.value), _rounded(found.precision), _rounded(found.recall))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader must know before quoting the number."""
        return (f"fewer than {FEW} items",) if self.measure.items < FEW else ()


@dataclass(frozen=True)
class Score:
    """All that is told about one file of predictions."""

    gold: Gold
    told: tuple[Told, ...]
    confusions: tuple[Confusion, ...]
    warnings: tuple[str, ...]

    @property
    def stories(self) -> int:
        """How many stories the gold has."""
        return len({row["story"] for row in self.gold.rows})

    def as_json(self) -> dict[str, Any]:
        """The same as plain JSON types."""
        return {
            "dataset": dict(self.gold.dataset),
            "config": self.gold.config,
            "split": self.gold.split,
            "where": dict(self.gold.part),
            "rows": len(self.gold.rows),
            "stories": self.stories,
            "bootstrap": {"level": LEVEL, "resamples": RESAMPLES, "seed": SEED, "fewest_stories": FEWEST_STORIES},
            "measures": [_as_json(told) for told in self.told],
            "confusion": [
                {"name": c.name, "labels": list(c.labels), "columns": [*c.labels, None], "rows": [list(row) for row in c.table]}
                for c in self.confusions
            ],
            "warnings": list(self.warnings),
        }


def score(
    path: Path, dataset: Path, config: str, split: str, figures: Path | None = None, where: Mapping[str, str] | None = None
) -> Score:
    """Measure a file of predictions against a split of a config; `figures` are predicted figures that conflicts build on.

    With `where`, only rows with these values are measured; predictions about the others of the split are read and left out.

    Raises UsageError for a config that is not scored, or a column or value that is not there, LoadError for gold that is not
    there, InputError for a file that cannot be read, PredictionsError for predictions that cannot be scored.
    """
    if config not in TASKS:
        raise UsageError(f"--config is {config!r}; there are {', '.join(TASKS)}")
    if figures is not None and config != "conflicts":
        raise UsageError("--figures is for --config conflicts: the figures that its pairs are made of")
    warnings: list[str] = []
    gold = read_gold(dataset, config, split, TASKS[config].columns, tuple(where or ()))
    whole = TASKS[config](gold)
    task = TASKS[config](gold.where(where)) if where else whole
    if isinstance(task, Conflicts) and figures is not None:
        upstream = Figures(read_gold(dataset, "figures", split, Figures.columns))
        task.found = upstream.found(_predictions(figures, upstream, upstream, warnings))
    scored = task.score(_predictions(path, whole, task, warnings))
    measures = [*scored.measures, *_contrast(task.gold, scored)]
    return Score(task.gold, tuple(map(_told, measures)), tuple(scored.confusions), tuple(warnings))


def _predictions(path: Path, whole: Task, task: Task, warnings: list[str]) -> dict[Any, Any]:
    """The predictions of a file, which may be about all of the split: those that `task` asks for.

    What the file says nothing about is told, and counts as not found.
    """
    asked, gold = task.asked(), task.gold
    found = read_predictions(path, whole.asked(), f"{gold.config}, split {gold.split}", whole.key, whole.read)
    found = {key: prediction for key, prediction in found.items() if key in asked}
    if missing := [key for key in asked if key not in found]:
        counts = "no figure predicted there" if isinstance(task, Figures) else "counted as wrong"
        warnings.append(f"{path}: {listed(missing)} not predicted: {counts}")
    return found


def _contrast(gold: Gold, scored: Scored) -> list[Measure]:
    """Set accuracy: a contrast set is right if all its rows are (Gardner et al. 2020); nothing where the gold has no sets."""
    sets: dict[str, list[tuple[str, bool]]] = {}
    for row in gold.rows:
        if row.get(CONTRAST) is not None and row["id"] in scored.right:
            sets.setdefault(row[CONTRAST], []).append((row["story"], scored.right[row["id"]]))
    answers = [(min(story for story, _ in rows), all(right for _, right in rows)) for rows in sets.values()]
    return [accuracy_measure("contrast set accuracy", answers)] if answers else []


def _told(measure: Measure) -> Told:
    ends = interval(measure)
    return Told(measure, None if ends is None else (round(ends[0], DIGITS), round(ends[1], DIGITS)))


def _as_json(told: Told) -> dict[str, Any]:
    value = told.value
    return {
        "name": told.measure.name,
        "value": value.value,
        "precision": value.precision,
        "recall": value.recall,
        "interval": None if told.interval is None else list(told.interval),
        "items": told.measure.items,
        "stories": len(told.measure.stories),
        "remarks": list(told.remarks),
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, DIGITS)
