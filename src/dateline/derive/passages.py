"""Which stretch of the text a row of a view shows, and where spans stand in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dateline.derive.article import Article, layer_of
from dateline.errors import ProjectError
from dateline.schema import Schemas

Stretch = tuple[int, int]
"""Start and end in the text, in code points, half-open."""


@dataclass(frozen=True)
class PassageOptions:
    """`passage = { layer = "segments", where = { kind = ["body"] } }`: the items of a layer with one of these values."""

    layer: str
    where: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Passages:
    """The stretches of a text that rows may show; without a layer there is one, the whole text."""

    layer: str | None = None
    spans: str = ""
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def of(self, article: Article) -> list[tuple[Stretch, str]]:
        """All passages of an article in the order of the text, each with the key of its item ("text" for the whole text)."""
        if self.layer is None:
            return [((0, len(article.row["text"])), "text")]
        key = article.keys[self.layer]
        found = [
            (stretch_of(item[self.spans]), str(item[key]))
            for item in article.items(self.layer)
            if item[self.spans] and all(item[column] in values for column, values in self.where.items())
        ]
        return sorted(found)

    def around(self, article: Article, spans: Iterable[Mapping[str, Any]]) -> Stretch:
        """From the beginning of the passage that holds the first of the spans to the end of the one that holds the last.

        Where a span lies in no passage, it is shown as far as it goes.
        """
        start, end = stretch_of(list(spans))
        passages = [stretch for stretch, _ in self.of(article)]
        first = holding(passages, start)
        last = holding(passages, end - 1)
        return (
            start if first is None else passages[first][0],
            end if last is None else max(end, passages[last][1]),
        )


def passages(said: PassageOptions | None, schemas: Schemas, where: str) -> Passages:
    """The passages that a view declares. Raises ProjectError for a layer, column or label that is not there."""
    if said is None:
        return Passages()
    layer = layer_of(said.layer, schemas, f"{where} passage")
    spanned = next((f.name for f in layer.spanned if f.span == "many"), None)
    if spanned is None:
        raise ProjectError(f"{where} passage: {said.layer} has no list of spans that a passage could be")
    for column, values in said.where.items():
        found = next((f for f in layer.fields if f.name == column), None)
        if found is None:
            raise ProjectError(
                f"{where} passage: {said.layer} has no column {column!r}; it has {', '.join(f.name for f in layer.fields)}"
            )
        if strange := [v for v in values if found.labels is not None and v not in found.labels]:
            raise ProjectError(f"{where} passage: {column} is never {strange[0]!r}; it is one of {', '.join(found.labels or ())}")
    return Passages(said.layer, spanned, {column: tuple(values) for column, values in said.where.items()})


def stretch_of(spans: Sequence[Mapping[str, Any]]) -> Stretch:
    """From the first start to the last end of some spans (one at least)."""
    return min(s["start"] for s in spans), max(s["end"] for s in spans)


def holding(stretches: Sequence[Stretch], at: int) -> int | None:
    """Which of the stretches, in order, holds the character at `at`; None if none does."""
    number = bisect_right(stretches, at, key=lambda s: s[0]) - 1
    return number if number >= 0 and at < stretches[number][1] else None


def relative(spans: Iterable[Mapping[str, Any]], start: int) -> list[dict[str, int]]:
    """Spans of the text as spans of a passage that begins at `start`."""
    return [{"start": s["start"] - start, "end": s["end"] - start} for s in spans]
