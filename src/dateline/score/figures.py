"""Scoring figures: which numbers a system finds in a passage, who gives them, how surely, and which speak of one thing."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar

from dateline.coreference import Clusters, Overlap, b_cubed, lea
from dateline.score.gold import Row
from dateline.score.predictions import Fields
from dateline.score.spans import Chars, align, chars, exact_counts, matched_counts, overlap
from dateline.score.statistics import Counts, Measure, accuracy_measure, f1_measure
from dateline.score.task import Scored, Task

Passage = tuple[str, int]
"""The article and where in it the passage starts."""
_Linked = tuple[int, str]

TUPLE = ("principal", "number", "comparator", "certainty", "polarity")
"""The slots of the tuple that is scored as a whole."""
SLOTS = (*TUPLE, "source", "unit")
AUTHOR = "the author"
LABELS = ("comparator", "certainty", "polarity")
NUMBERS = ("value", "low", "high")
_FIELDS = ("start", "end", *NUMBERS, *LABELS, "unit", "sources", "principals", "chain", "estimand")


@dataclass(frozen=True)
class Figure:
    """One figure: what it covers in its article, and what is said of it, in a form that can be compared."""

    article: str
    place: Chars
    slots: Mapping[str, Hashable]
    chain: tuple[frozenset[str], ...] | None
    estimand: str | None
    id: str = ""

    @cached_property
    def whole(self) -> tuple[Hashable, ...]:
        """The tuple."""
        return tuple(self.slots[name] for name in TUPLE)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """By this, figures stand in one order, whatever the order in which they came; figures alike in all have the same."""
        said = [sorted(self.place), *(self.slots[name] for name in SLOTS), self.chain, self.estimand]
        return (self.article, *(repr(_ordered(one)) for one in said))


def figure(article: str, place: Chars, said: Mapping[str, Any], id: str = "") -> Figure:
    """A figure from what a row, or a prediction, says of it; names and numbers are brought to one form."""
    chain = None if said["chain"] is None else tuple(_names(sources) for sources in said["chain"])
    principals = None if said["principals"] is None else _names(said["principals"])
    slots: dict[str, Hashable] = {
        "principal": AUTHOR if chain == () else principals,
        "number": _number(said["comparator"], said["value"], said["low"], said["high"]),
        "source": None if said["sources"] is None else _names(said["sources"]),
        **{name: said[name] for name in ("comparator", "certainty", "polarity", "unit")},
    }
    return Figure(article, place, slots, chain, said["estimand"], id)


def _number(comparator: str | None, value: float | None, low: float | None, high: float | None) -> Hashable:
    """The number that is named, or the bounds: "at least 19" is 19, a range is both its ends."""
    if comparator == "RANGE" or (value is None and None not in (low, high)):
        return (_rounded(low), _rounded(high))
    return _rounded(next((number for number in (value, low, high) if number is not None), None))


def _rounded(number: float | None) -> float | None:
    """A number without what arithmetic in floating point leaves at its end."""
    return None if number is None else float(f"{number:.12g}")


def _names(names: Iterable[str]) -> frozenset[str]:
    """Names as they are compared: without regard to case, white space and Unicode form."""
    return frozenset(" ".join(unicodedata.normalize("NFC", name).casefold().split()) for name in names)


def _ordered(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return [_ordered(one) for one in value] if isinstance(value, tuple) else value


class Figures(Task):
    """A prediction is `{"article_id": ..., "doc_start": ..., "figures": [{"start": 0, "end": 2, "value": 34, ...}]}`."""

    columns: ClassVar[tuple[str, ...]] = (
        "id", "story", "article_id", "passage", "doc_start", "quantity_spans", *NUMBERS, *LABELS, "unit", "source_names",
        "principals", "chain", "estimand_id",
    )  # fmt: skip

    def asked(self) -> Mapping[Passage, int]:
        """The passages that have figures, with their lengths; of two that start together the longer counts."""
        found: dict[Passage, int] = {}
        for row in self.gold.rows:
            passage = (row["article_id"], row["doc_start"])
            found[passage] = max(found.get(passage, 0), len(row["passage"]))
        return found

    def key(self, fields: Fields) -> Passage | None:
        """The passage."""
        article, start = fields.text("article_id"), fields.whole("doc_start")
        return None if article is None or start is None else (article, start)

    def read(self, fields: Fields, asked: int) -> list[Figure]:
        """The figures of a passage."""
        found = []
        for one in fields.objects("figures", _FIELDS):
            span = one.span(asked)
            said: dict[str, Any] = {name: one.number(name) for name in NUMBERS}
            said |= {name: one.label(name, self.gold.labels_of(name), needed=False) for name in LABELS}
            said |= {name: one.maybe_text(name) for name in ("unit", "estimand")}
            said |= {name: one.names(name) for name in ("sources", "principals")}
            said["chain"] = _chain(one)
            if span is not None:
                place = chars([span], fields.value["doc_start"])
                found.append(figure(fields.value["article_id"], place, said))
        return found

    def score(self, predictions: Mapping[Passage, list[Figure]]) -> Scored:
        """F1 of spans, of the tuple as a whole and of each slot; accuracy of whole chains; linking of figures of one thing."""
        articles = self._matched(predictions)

        def alike(name: str, same: Callable[[Figure, Figure], bool]) -> Measure:
            return f1_measure(name, ((article.story, article.alike(same)) for article in articles))

        measures = [
            f1_measure("span F1, exact", ((article.story, article.equal_spans()) for article in articles)),
            alike("span F1, overlap", lambda one, other: True),
            alike("tuple F1, strict", lambda one, other: one.whole == other.whole),
            *(alike(f"{slot} F1", partial(_same_slot, slot)) for slot in SLOTS),
            accuracy_measure("full chain accuracy", (answer for article in articles for answer in article.chains())),
            f1_measure("estimand linking, B-cubed F1", _linked(articles, b_cubed)),
            f1_measure("estimand linking, LEA F1", _linked(articles, lea)),
        ]
        right = {one.id for article in articles for one, other in article.pairs if one.whole == other.whole}
        return Scored(measures, {row["id"]: row["id"] in right for row in self.gold.rows})

    def found(self, predictions: Mapping[Passage, list[Figure]]) -> set[str]:
        """The ids of the figures that were found: whose words overlap with those of a predicted one, each with another."""
        return {one.id for article in self._matched(predictions) for one, _ in article.pairs}

    def _matched(self, predictions: Mapping[Passage, list[Figure]]) -> list[_Article]:
        stories = {row["article_id"]: row["story"] for row in self.gold.rows}
        gold, predicted = _by_article(map(_of, self.gold.rows)), _once(predictions)
        made = []
        for article in sorted(stories):
            ours, theirs = gold[article], predicted.get(article, [])
            pairs = [(ours[one], theirs[other]) for one, other in align(ours, theirs, _likeness)]
            made.append(_Article(stories[article], ours, theirs, pairs))
        return made


@dataclass(frozen=True)
class _Article:
    """The figures of one article, and which predicted one is which of the gold, each at most once."""

    story: str
    gold: list[Figure]
    predicted: list[Figure]
    pairs: list[tuple[Figure, Figure]]

    def equal_spans(self) -> Counts:
        """Counts for F1 where only equal spans match."""
        return exact_counts([one.place for one in self.gold], [one.place for one in self.predicted])

    def alike(self, same: Callable[[Figure, Figure], bool]) -> Counts:
        """Counts for F1 where figures match that are the same in some respect."""
        return matched_counts(sum(same(*pair) for pair in self.pairs), len(self.gold), len(self.predicted))

    def chains(self) -> Iterator[tuple[str, bool]]:
        """For each figure of the gold whether its whole chain was predicted."""
        right = {id(one) for one, other in self.pairs if one.chain == other.chain}
        return ((self.story, id(one) in right) for one in self.gold)

    def linked(self) -> tuple[list[_Linked], list[_Linked]]:
        """Figures with what they are estimates of, of both sides; a predicted one that was matched is the one of the gold."""
        same = {id(other): id(one) for one, other in self.pairs}
        ours = [(id(one), one.estimand) for one in self.gold if one.estimand is not None]
        theirs = [(same.get(id(one), id(one)), one.estimand) for one in self.predicted if one.estimand is not None]
        return ours, theirs


def _linked(articles: Iterable[_Article], linking: Callable[[Clusters, Clusters], Overlap]) -> Iterator[tuple[str, Counts]]:
    """Counts of a linking measure per story: names of estimands are the system's own, and hold within a story."""
    stories: dict[str, tuple[list[_Linked], list[_Linked]]] = {}
    for article in articles:
        for side, linked in zip(stories.setdefault(article.story, ([], [])), article.linked(), strict=True):
            side += linked
    for story, (ours, theirs) in stories.items():
        found = linking(_clusters(ours), _clusters(theirs))
        yield story, (found.right, found.said, found.found, found.there)


def _clusters(linked: Iterable[_Linked]) -> Clusters:
    made: dict[str, set[Hashable]] = {}
    for item, estimand in linked:
        made.setdefault(estimand, set()).add(item)
    return list(made.values())


def _of(row: Row) -> Figure:
    said = {**row, "sources": row["source_names"] or (), "principals": row["principals"] or (), "estimand": row["estimand_id"]}
    said["chain"] = [link["sources"] for link in row["chain"] or ()]
    return figure(row["article_id"], chars(_stretch(row["quantity_spans"] or ()), row["doc_start"]), said, row["id"])


def _chain(fields: Fields) -> list[list[str]] | None:
    """The sources of a chain, outermost first."""
    value = fields.value.get("chain")
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(one, list) and all(isinstance(n, str) for n in one) for one in value):
        fields.fault("chain must be a list of lists of names, the outermost source first; [] says that the author speaks")
        return None
    return value


def _by_article(figures: Iterable[Figure]) -> dict[str, list[Figure]]:
    found: dict[str, list[Figure]] = {}
    for one in figures:
        found.setdefault(one.article, []).append(one)
    return found


def _once(predictions: Mapping[Passage, list[Figure]]) -> dict[str, list[Figure]]:
    """The predicted figures of each article in a fixed order; one predicted alike in two passages that overlap counts once."""
    found: list[Figure] = []
    seen: set[tuple[str, ...]] = set()
    for passage in sorted(predictions):
        new = [one for one in predictions[passage] if one.order not in seen]
        seen |= {one.order for one in new}
        found += new
    return _by_article(sorted(found, key=lambda one: one.order))


def _likeness(one: Figure, other: Figure) -> float:
    """How much two figures overlap; between equals their slots decide."""
    shared = overlap(one.place, other.place)
    same = (one.whole == other.whole, *(_same_slot(slot, one, other) for slot in SLOTS), one.chain == other.chain)
    return shared + 1e-6 * sum(equal / 4**place for place, equal in enumerate(same)) if shared else 0.0


def _same_slot(slot: str, one: Figure, other: Figure) -> bool:
    return one.slots[slot] == other.slots[slot]


def _stretch(spans: Sequence[Row]) -> list[Row]:
    """From the first to the last piece of a number and its hedge, as predictions name it: one stretch ("superaba las 6500")."""
    return [{"start": spans[0]["start"], "end": spans[-1]["end"]}] if spans else []
