"""Scoring event factuality: which label each event has for each source; the author apart from the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from dateline.score.gold import Row
from dateline.score.predictions import Fields
from dateline.score.statistics import Answer, confusion, label_measures
from dateline.score.task import ByRow, Scored


class EventFactuality(ByRow):
    """A prediction is `{"id": ..., "label": "CT+"}`."""

    columns: ClassVar[tuple[str, ...]] = ("id", "story", "label", "source_is_author")

    def read(self, fields: Fields, asked: Row) -> str | None:
        """The label; None for no answer."""
        return fields.label("label", self.gold.labels_of("label"))

    def score(self, predictions: Mapping[str, str | None]) -> Scored:
        """Macro-F1 and a confusion table: of all, of what the author is committed to, of what others are."""
        rows = [row for row in self.gold.rows if row["label"] is not None]
        labels = self.gold.labels_of("label")
        groups = {
            "all": rows,
            "author": [row for row in rows if row["source_is_author"]],
            "others": [row for row in rows if not row["source_is_author"]],
        }
        measures, confusions = [], []
        for name, members in groups.items():
            answers: list[Answer] = [(row["story"], row["label"], predictions.get(row["id"])) for row in members]
            measures += label_measures(f"{name}:", answers, labels, each=name == "all")
            confusions.append(confusion(name, answers, labels))
        right = {row["id"]: predictions.get(row["id"]) == row["label"] for row in rows}
        return Scored(measures, right, confusions)
