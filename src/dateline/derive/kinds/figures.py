"""Kind `figures`: one self-contained row per number in a claim: the words, the number with its bounds, who says so, how surely.

    [tool.dateline.views.figures]
    kind = "figures"
    passage = { layer = "segments", where = { kind = ["body"] } }
    article = ["language", "fictional"]

The passage holds the number and the words that name and cite its source. What stands in the row is what the text says there; what
follows across the articles of a story (effective comparators, pairs) is in `estimates`, under the same id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dateline.derive.article import Article
from dateline.derive.columns import NAMES, SPANS, Column, Table, text
from dateline.derive.estimates import Principals, chain_of, estimate_id, names_of, numbers_of, times_of
from dateline.derive.passages import relative
from dateline.derive.tables import CHAIN, inherited
from dateline.derive.views import STATUS, Head, Shown, columns_of, head, plain
from dateline.errors import ProjectError
from dateline.schema import Schemas


@dataclass(frozen=True)
class Options(Shown):
    """Nothing beyond what all kinds have: the layers are those that estimates come from."""


@dataclass(frozen=True)
class Figures:
    """The view."""

    table: Table
    head: Head

    def rows(self, articles: Sequence[Article]) -> Iterator[dict[str, Any]]:
        """The rows of the articles of one story, in the order of the claims; articles without their text give none."""
        principals = Principals(articles)
        for article in articles:
            if article.row["text"] is not None:
                for claim, quantity in numbers_of(article):
                    if quantity["spans"]:
                        yield self._row(article, claim, quantity, principals)

    def _row(self, article: Article, claim: dict[str, Any], quantity: dict[str, Any], principals: Principals) -> dict[str, Any]:
        attribution = article.item("attributions", claim.get("attribution_id")) or {}
        source, cue = attribution.get("source_spans") or [], attribution.get("cue_spans") or []
        said, start = self.head.around(article, [*quantity["spans"], *source, *cue])
        counted = article.item("entities", quantity.get("counted_entity_id"))
        return {
            "id": estimate_id(article.id, claim["claim_id"], quantity["quantity_id"]),
            **said,
            "quantity_spans": relative(quantity["spans"], start),
            "source_spans": relative(source, start),
            "cue_spans": relative(cue, start),
            **{name: plain(quantity.get(name)) for name in ("value", "low", "high")},
            **{name: quantity.get(name) for name in ("comparator", "hedge_type", "unit", "measure", "change")},
            "counted": counted["canonical_name"] if counted else quantity.get("of_what"),
            "source_names": names_of(article, claim["source_entity_ids"]),
            "principals": list(principals.of(article, claim).values()),
            "chain": chain_of(article, claim),
            **{name: claim[name] for name in ("certainty", "polarity", "modality")},
            "estimand_id": f"{article.story}/{claim['estimand_id']}" if claim.get("estimand_id") else None,
            **{name: value for name, value in times_of(article, claim, quantity).items() if name.startswith("as_of")},
            STATUS.name: article.status_of("claims"),
        }


def make(name: str, said: Options, schemas: Schemas, where: str) -> Figures:
    """The view that is declared. Raises ProjectError for what schemas/ do not have."""
    if said.columns:
        raise ProjectError(f"{where}: the columns of kind figures are fixed; `columns` is for the kinds roles and labels")
    begun = head(said, schemas, where)
    number = pa.float64()
    own = (
        Column("quantity_spans", SPANS, "The number and its hedge, within the passage."),
        Column(
            "source_spans", SPANS, "Who is named as the source, within the passage; empty for the author and where nobody is."
        ),
        Column("cue_spans", SPANS, "The words that attribute, within the passage."),
        Column("value", number, "The number named, in unit."),
        Column("low", number, "Lower bound, in unit; null where none is stated."),
        Column("high", number, "Upper bound, in unit; null where none is stated."),
        *inherited(schemas, "quantities", "comparator", "hedge_type", "unit", "measure", "change"),
        text("counted", "What is counted."),
        Column("source_names", NAMES, "Who says so; empty for the author."),
        Column("principals", NAMES, "For whom they speak: a minister's state, of the author the outlet."),
        CHAIN,
        *inherited(schemas, "claims", "certainty", "polarity", "modality"),
        text("estimand_id", "What is estimated; null where the claim names no estimand."),
        text("as_of", "EDTF: the time for which the number holds; null where it is not stated."),
        *inherited(schemas, "quantities", "as_of_basis"),
        STATUS,
    )
    title = said.title or "Figures"
    description = (
        said.description or "One number in one claim: the words, the number with its bounds, who says so and how surely."
    )
    return Figures(Table(name, title, description, columns_of(begun.columns, own, where=where), "id", "story"), begun)
