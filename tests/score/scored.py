"""Scoring without files: rows of the gold and predictions, as they stand in a dataset and in a line, to values by measure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dateline.errors import Place
from dateline.score.gold import Gold
from dateline.score.predictions import Fields
from dateline.score.scoring import TASKS
from dateline.score.statistics import Value
from dateline.score.task import Scored, Task
from score.golds import LABELS, Json


def gold(config: str, rows: Sequence[Json]) -> Gold:
    labels = {("entities." if config == "ner" else "") + name: tuple(words) for name, words in LABELS[config].items()}
    return Gold(config, "test", rows, labels, {"name": "tiny", "version": "1.2.3", "content_digest": "0"})


def read(task: Task, objects: Iterable[Json]) -> dict[Any, Any]:
    """The predictions that objects make; none of them may have a fault."""
    found, asked = {}, task.asked()
    for one in objects:
        fields = Fields(one, Place("p.jsonl", 1))
        key = task.key(fields)
        found[key] = task.read(fields, asked[key])
        assert fields.faults == []
    return found


def scored(config: str, rows: Sequence[Json], objects: Iterable[Json]) -> Scored:
    task = TASKS[config](gold(config, rows))
    return task.score(read(task, objects))


def measured(config: str, rows: Sequence[Json], objects: Iterable[Json]) -> dict[str, Value]:
    """What each measure comes to."""
    return {measure.name: measure.whole() for measure in scored(config, rows, objects).measures}
