"""Scoring quotation attribution: the spans of source, cue and content, and the type of quotation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from dateline.score.gold import Row
from dateline.score.predictions import Fields
from dateline.score.spans import Chars, align, chars, overlap
from dateline.score.statistics import Counts, accuracy_measure, f1_measure
from dateline.score.task import ByRow, Scored

ROLES = ("source", "cue", "content")


@dataclass(frozen=True)
class Attribution:
    """Who is quoted, by which words, with which content: what each role covers, in code points of the article."""

    id: str
    roles: Mapping[str, Chars]
    quote_type: str | None


class QuoteAttribution(ByRow):
    """A prediction is `{"id": ..., "source_spans": [{"start": 0, "end": 6}], "cue_spans": [...], "content_spans": [...],
    "quote_type": "DIRECT"}`."""

    columns: ClassVar[tuple[str, ...]] = (
        "id", "story", "article_id", "passage", "doc_start", *(f"{role}_spans" for role in ROLES), "quote_type",
    )  # fmt: skip

    def read(self, fields: Fields, asked: Row) -> Attribution:
        """One attribution, in the passage of the row that it names."""
        length = len(asked["passage"])
        roles = {role: chars(fields.spans(f"{role}_spans", length), asked["doc_start"]) for role in ROLES}
        return Attribution(asked["id"], roles, fields.label("quote_type", self.gold.labels_of("quote_type")))

    def score(self, predictions: Mapping[str, Attribution]) -> Scored:
        """F1 of each role, exact and by the share that overlaps; accuracy of the type where the content was found."""
        pairs: list[tuple[str, Attribution | None, Attribution | None]] = []
        for rows in self._articles():
            ours = [_of(row) for row in rows]
            theirs = [predictions[row["id"]] for row in rows if row["id"] in predictions]
            pairs += ((rows[0]["story"], *pair) for pair in _matched(ours, [one for one in theirs if any(one.roles.values())]))
        measures = []
        for role in ROLES:
            measures.append(f1_measure(f"{role} F1, exact", ((story, _exact(role, *pair)) for story, *pair in pairs)))
            measures.append(f1_measure(f"{role} F1, overlap", ((story, _shared(role, *pair)) for story, *pair in pairs)))
        met = [(story, one, other) for story, one, other in pairs if one and other and _met(one, other)]
        types = ((story, one.quote_type == other.quote_type) for story, one, other in met)
        measures.append(accuracy_measure("quote_type accuracy, content found", types))
        right = {one.id: other is not None and _same(one, other) for _, one, other in pairs if one}
        return Scored(measures, right)

    def _articles(self) -> Iterable[list[Row]]:
        """The rows of each article, in the order of their ids."""
        found: dict[str, list[Row]] = {}
        for row in sorted(self.gold.rows, key=lambda row: str(row["id"])):
            found.setdefault(row["article_id"], []).append(row)
        return found.values()


def _of(row: Row) -> Attribution:
    roles = {role: chars(row[f"{role}_spans"] or (), row["doc_start"]) for role in ROLES}
    return Attribution(row["id"], roles, row["quote_type"])


def _matched(gold: list[Attribution], predicted: list[Attribution]) -> Iterable[tuple[Attribution | None, Attribution | None]]:
    """Each attribution of the gold with the predicted one that is it, by their words; None where there is none."""
    pairs = align(gold, predicted, _likeness)
    yield from ((gold[one], predicted[other]) for one, other in pairs)
    ours, theirs = {one for one, _ in pairs}, {other for _, other in pairs}
    yield from ((one, None) for number, one in enumerate(gold) if number not in ours)
    yield from ((None, one) for number, one in enumerate(predicted) if number not in theirs)


def _likeness(one: Attribution, other: Attribution) -> float:
    """How much two attributions overlap; content counts most, then source, then cue; the same id decides between equals."""
    shares = [overlap(one.roles[role], other.roles[role]) for role in ("content", "source", "cue")]
    likeness = sum(share / 8**place for place, share in enumerate(shares))
    return likeness + 1e-6 * (one.id == other.id) + 1e-7 * (one.quote_type == other.quote_type) if likeness else 0.0


def _exact(role: str, one: Attribution | None, other: Attribution | None) -> Counts:
    gold, predicted = _places(role, one, other)
    hit = float(bool(gold) and gold == predicted)
    return (hit, float(bool(predicted)), hit, float(bool(gold)))


def _shared(role: str, one: Attribution | None, other: Attribution | None) -> Counts:
    """Which share of the predicted span is right, and which share of the gold's was found."""
    gold, predicted = _places(role, one, other)
    both = len(gold & predicted)
    return (
        both / len(predicted) if predicted else 0.0,
        float(bool(predicted)),
        both / len(gold) if gold else 0.0,
        float(bool(gold)),
    )


def _places(role: str, one: Attribution | None, other: Attribution | None) -> tuple[Chars, Chars]:
    none: Chars = frozenset()
    return one.roles[role] if one else none, other.roles[role] if other else none


def _met(one: Attribution, other: Attribution) -> bool:
    return not one.roles["content"].isdisjoint(other.roles["content"])


def _same(one: Attribution, other: Attribution) -> bool:
    return one.roles == other.roles and one.quote_type == other.quote_type
