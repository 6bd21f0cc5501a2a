"""From counts to numbers: every measure is a function of counts that add up over stories.

So a measure of a whole split, and of any resample of its stories, is the same function of a sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Counts = Sequence[float]


@dataclass(frozen=True, slots=True)
class Value:
    """What a measure comes to; None where there was nothing to divide by."""

    value: float | None
    precision: float | None = None
    recall: float | None = None


Statistic = Callable[[Counts], Value]


@dataclass(frozen=True)
class Measure:
    """One number to be told: what it is called, over how many items of the gold, and the counts that it follows from."""

    name: str
    items: int
    stories: Mapping[str, Counts]
    statistic: Statistic

    def whole(self) -> Value:
        """What it comes to over all stories."""
        return self.statistic(total(self.stories.values())) if self.stories else Value(None)


def f1(counts: Counts) -> Value:
    """Precision, recall and F1 of (correct of the predicted, predicted, correct of the gold, gold)."""
    hits, predicted, found, gold = counts
    if not predicted and not gold:
        return Value(None)
    precision = hits / predicted if predicted else 0.0
    recall = found / gold if gold else 0.0
    return Value(harmonic(precision, recall), precision, recall)


def harmonic(precision: float, recall: float) -> float:
    """The harmonic mean of two numbers, 0 if both are."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def accuracy(counts: Counts) -> Value:
    """The share of (right, all)."""
    right, whole = counts
    return Value(right / whole if whole else None)


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of counts, number by number."""
    return [sum(column) for column in zip(*counts, strict=True)]


def by_story(counted: Iterable[tuple[str, Counts]]) -> dict[str, Counts]:
    """Counts summed per story; stories in which nothing was counted are left out."""
    found: dict[str, list[Counts]] = {}
    for story, counts in counted:
        found.setdefault(story, []).append(counts)
    sums = {story: total(found[story]) for story in sorted(found)}
    return {story: counts for story, counts in sums.items() if any(counts)}


def f1_measure(name: str, counted: Iterable[tuple[str, Counts]]) -> Measure:
    """F1 from the counts of parts of the gold, each with its story."""
    stories = by_story(counted)
    return Measure(name, round(sum(counts[3] for counts in stories.values())), stories, f1)


def accuracy_measure(name: str, answers: Iterable[tuple[str, bool]]) -> Measure:
    """The share of right answers, each with its story."""
    stories = by_story((story, (float(right), 1.0)) for story, right in answers)
    return Measure(name, round(sum(counts[1] for counts in stories.values())), stories, accuracy)


# ---- labels --------------------------------------------------------------------------------------------------

Answer = tuple[str, str, str | None]
"""A story, the label of the gold, and the predicted one; None where nothing was predicted."""


@dataclass(frozen=True)
class Confusion:
    """How often each label of the gold (rows) was predicted as which (columns); the last column: nothing predicted."""

    name: str
    labels: tuple[str, ...]
    table: tuple[tuple[int, ...], ...]


def macro_f1(size: int) -> Statistic:
    """The mean of the F1 of all labels that stand in the gold or in the predictions, from a confusion table row by row."""

    def statistic(counts: Counts) -> Value:
        table = [counts[row * (size + 1) : (row + 1) * (size + 1)] for row in range(size)]
        scores = [
            f1((table[n][n], sum(row[n] for row in table), table[n][n], sum(table[n]))).value for n in range(size)
        ]  # fmt: skip
        there = [score for score in scores if score is not None]
        return Value(sum(there) / len(there) if there else None)

    return statistic


def label_measures(name: str, answers: Sequence[Answer], labels: Sequence[str], *, each: bool = True) -> list[Measure]:
    """Macro-F1 and, if wanted, the F1 of each label that stands in the gold or in the predictions."""
    counted: dict[str, Counter[tuple[str, str | None]]] = {}
    for story, gold, predicted in answers:
        counted.setdefault(story, Counter())[gold, predicted] += 1
    tables = {
        story: [float(counts[gold, seen]) for gold in labels for seen in (*labels, None)]
        for story, counts in sorted(counted.items())
    }
    measures = [Measure(f"{name} macro-F1", len(answers), tables, macro_f1(len(labels)))]
    for label in labels if each else ():
        if any(label in (gold, seen) for _, gold, seen in answers):
            per_answer = ((story, _one_label(label, gold, seen)) for story, gold, seen in answers)
            measures.append(f1_measure(f"{name} F1 of {label}", per_answer))
    return measures


def _one_label(label: str, gold: str, seen: str | None) -> Counts:
    hit = float(gold == seen == label)
    return (hit, float(seen == label), hit, float(gold == label))


def confusion(name: str, answers: Sequence[Answer], labels: Sequence[str]) -> Confusion:
    """The confusion table of the labels that stand in the gold or in the predictions."""
    counts = Counter((gold, seen) for _, gold, seen in answers)
    there = tuple(label for label in labels if any(label in pair for pair in counts))
    return Confusion(name, there, tuple(tuple(counts[gold, seen] for seen in (*there, None)) for gold in there))
