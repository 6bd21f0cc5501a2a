"""What the configs share: a task reads predictions about its gold, and comes to measures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from dateline.score.gold import Gold, Row
from dateline.score.predictions import Fields
from dateline.score.statistics import Confusion, Measure


@dataclass(frozen=True)
class Scored:
    """What a task comes to; `right` says of each row of the gold, by its id, whether all of its answer is right."""

    measures: Sequence[Measure]
    right: Mapping[str, bool]
    confusions: Sequence[Confusion] = ()


class Task(ABC):
    """One config: which columns of the gold it needs, how a prediction is read, how predictions are measured."""

    columns: ClassVar[tuple[str, ...]]

    def __init__(self, gold: Gold) -> None:
        self.gold = gold

    @abstractmethod
    def asked(self) -> Mapping[Any, Any]:
        """What predictions may be about, with what reading one needs to know of it."""

    @abstractmethod
    def key(self, fields: Fields) -> Hashable | None:
        """What a prediction is about; None (and a fault) if it does not say."""

    @abstractmethod
    def read(self, fields: Fields, asked: Any) -> Any:
        """What an object of the file predicts."""

    @abstractmethod
    def score(self, predictions: Mapping[Any, Any]) -> Scored:
        """The measures of these predictions."""


class ByRow(Task):
    """A task whose predictions are about rows of the gold, by their `id`."""

    def asked(self) -> Mapping[str, Row]:
        """The rows by id."""
        return {row["id"]: row for row in self.gold.rows}

    def key(self, fields: Fields) -> str | None:
        """The id of the row."""
        return fields.text("id")
