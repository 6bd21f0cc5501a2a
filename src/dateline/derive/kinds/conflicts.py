"""Kind `conflicts`: one row per judged pair of estimates: two passages, and what an annotator judged of their numbers.

    [tool.dateline.views.conflicts]
    kind = "conflicts"
    passage = { layer = "segments", where = { kind = ["body"] } }

The label is `judged_relation`. The computed relations stand beside it where the pair has them; they are no labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from dateline.derive.article import Article
from dateline.derive.columns import NAMES, SPANS, Column, Table, labelled, text
from dateline.derive.estimates import Derived, estimate_id, names_of, numbers_of, pair_of
from dateline.derive.intervals import INTERVAL_RELATIONS, POINT_RELATIONS
from dateline.derive.passages import relative
from dateline.derive.tables import inherited, judged_relation
from dateline.derive.views import STATUS, Head, Shown, columns_of, head, plain
from dateline.errors import ProjectError
from dateline.schema import Schemas

_SHARED = ("id", "story")


@dataclass(frozen=True)
class Options(Shown):
    """Nothing beyond what all kinds have."""


@dataclass(frozen=True)
class Conflicts:
    """The view."""

    table: Table
    head: Head
    article: tuple[str, ...]

    def rows(
        self, articles: Sequence[Article], derived: Derived, judgements: Sequence[Mapping[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """The judged pairs of a story in the order of their ids; only those of which both texts are there."""
        members = {
            estimate_id(a.id, claim["claim_id"], quantity["quantity_id"]): (a, claim, quantity)
            for a in articles
            if a.row["text"] is not None
            for claim, quantity in numbers_of(a)
            if quantity["spans"]
        }
        estimands = {row["estimate_id"]: row["estimand_id"] for row in derived.estimates}
        pairs = {row["pair_id"]: row for row in derived.pairs}
        for judgement in sorted(judgements, key=pair_of):
            first, second = pair_of(judgement)
            if first in members and second in members:
                name = f"{first}|{second}"
                pair = pairs.get(name, {})
                same = estimands.get(first) == estimands.get(second)
                yield {
                    "id": name,
                    "story": members[first][0].story,
                    "estimand_id": estimands.get(first) if same else None,
                    **self._side("a", *members[first]),
                    **self._side("b", *members[second]),
                    "point_relation": pair.get("point_relation"),
                    "interval_relation": pair.get("interval_relation"),
                    "judged_relation": judgement["relation"],
                    "judgement_status": judgement.get("status"),
                }

    def _side(self, side: str, article: Article, claim: dict[str, Any], quantity: dict[str, Any]) -> dict[str, Any]:
        attribution = article.item("attributions", claim.get("attribution_id")) or {}
        anchored = [*quantity["spans"], *(attribution.get("source_spans") or ()), *(attribution.get("cue_spans") or ())]
        said, start = self.head.around(article, anchored)
        said |= {
            "quantity_spans": relative(quantity["spans"], start),
            **{name: plain(quantity.get(name)) for name in ("value", "low", "high")},
            **{name: quantity.get(name) for name in ("comparator", "unit", "measure")},
            "source_names": names_of(article, claim["source_entity_ids"]),
        }
        return {f"{name}_{side}": value for name, value in said.items() if name not in _SHARED}


def make(name: str, said: Options, schemas: Schemas, where: str) -> Conflicts:
    """The view that is declared. Raises ProjectError for what schemas/ do not have."""
    if said.columns:
        raise ProjectError(f"{where}: the columns of kind conflicts are fixed; `columns` is for the kinds roles and labels")
    begun = head(said, schemas, where)
    number = pa.float64()
    one = (
        *(c for c in begun.columns if c.name not in _SHARED),
        Column("quantity_spans", SPANS, "The number and its hedge, within the passage."),
        Column("value", number, "The number named, in unit."),
        Column("low", number, "Lower bound, in unit; null where none is stated."),
        Column("high", number, "Upper bound, in unit; null where none is stated."),
        *inherited(schemas, "quantities", "comparator", "unit", "measure"),
        Column("source_names", NAMES, "Who says so; empty for the author."),
    )
    sides = [
        replace(c, name=f"{c.name}_{side}", description=f"Of {which}: {c.description}")
        for side, which in (("a", "the first"), ("b", "the second"))
        for c in one
    ]
    own = (
        text("id", "Name of the pair: its two estimates, in the order of their ids."),
        text("story", "The group that both articles belong to."),
        text("estimand_id", "What both estimate; null where they estimate different things."),
    )
    computed = (
        labelled("point_relation", POINT_RELATIONS, "Computed: how the first number named stands to the second."),
        labelled("interval_relation", INTERVAL_RELATIONS, "Computed: whether both can be true."),
        judged_relation(schemas),
        labelled("judgement_status", STATUS.labels or (), "How far the judgement has come: one annotator's, adjudicated."),
    )
    title = said.title or "Conflicts"
    description = said.description or "Two passages with a number each, and whether an annotator judged that they disagree."
    table = Table(name, title, description, columns_of(own, sides, computed, where=where), "id", "story")
    return Conflicts(table, begun, begun.article)
