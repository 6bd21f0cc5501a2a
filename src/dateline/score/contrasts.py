"""Scoring contrast sets: whether a statement follows from a text; whole sets count in "contrast set accuracy"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from dateline.score.gold import Row
from dateline.score.predictions import Fields
from dateline.score.statistics import Answer, accuracy_measure, confusion, label_measures
from dateline.score.task import ByRow, Scored


class Contrasts(ByRow):
    """A prediction is `{"id": ..., "label": "YES"}`."""

    columns: ClassVar[tuple[str, ...]] = ("id", "story", "label", "edited_phenomenon")

    def read(self, fields: Fields, asked: Row) -> str | None:
        """The label; None for no answer."""
        return fields.label("label", self.gold.labels_of("label"))

    def score(self, predictions: Mapping[str, str | None]) -> Scored:
        """Accuracy of all rows and of each phenomenon, macro-F1 and a confusion table."""
        rows = self.gold.rows
        labels = self.gold.labels_of("label")
        answers: list[Answer] = [(row["story"], row["label"], predictions.get(row["id"])) for row in rows]
        right = {row["id"]: predictions.get(row["id"]) == row["label"] for row in rows}
        measures = [accuracy_measure("accuracy", [(row["story"], right[row["id"]]) for row in rows])]
        measures += label_measures("all:", answers, labels, each=False)
        for phenomenon in sorted({row["edited_phenomenon"] for row in rows if row["edited_phenomenon"] is not None}):
            found = [(row["story"], right[row["id"]]) for row in rows if row["edited_phenomenon"] == phenomenon]
            measures.append(accuracy_measure(f"{phenomenon}: accuracy", found))
        return Scored(measures, right, [confusion("all", answers, labels)])
