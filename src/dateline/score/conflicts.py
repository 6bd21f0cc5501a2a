"""Scoring conflicts: how two figures relate, on pairs that are given, and on pairs that a system has to find first."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import ClassVar

from dateline.score.gold import Gold, Row
from dateline.score.predictions import Fields
from dateline.score.statistics import Answer, confusion, label_measures
from dateline.score.task import ByRow, Scored

LABEL = "judged_relation"


class Conflicts(ByRow):
    """A prediction is `{"id": ..., "judged_relation": "CONFLICT"}`.

    `found` holds the ids of the figures that a system found by itself; None where nobody asks.
    """

    columns: ClassVar[tuple[str, ...]] = ("id", "story", LABEL)

    def __init__(self, gold: Gold, found: Set[str] | None = None) -> None:
        super().__init__(gold)
        self.found = found

    def read(self, fields: Fields, asked: Row) -> str | None:
        """The relation; None for no answer."""
        return fields.label(LABEL, self.gold.labels_of(LABEL))

    def score(self, predictions: Mapping[str, str | None]) -> Scored:
        """Macro-F1, F1 per relation and a confusion table; once more with pairs of which a figure was not found as unanswered."""
        rows = [row for row in self.gold.rows if row[LABEL] is not None]
        upstreams: dict[str, Mapping[str, str | None]] = {"gold figures": predictions}
        if self.found is not None:
            upstreams["predicted figures"] = {id: label for id, label in predictions.items() if self._is_found(id)}
        measures, confusions = [], []
        for name, answered in upstreams.items():
            answers: list[Answer] = [(row["story"], row[LABEL], answered.get(row["id"])) for row in rows]
            measures += label_measures(f"{name}:", answers, self.gold.labels_of(LABEL))
            confusions.append(confusion(name, answers, self.gold.labels_of(LABEL)))
        right = {row["id"]: predictions.get(row["id"]) == row[LABEL] for row in rows}
        return Scored(measures, right, confusions)

    def _is_found(self, pair: str) -> bool:
        return all(figure in (self.found or ()) for figure in pair.split("|"))
