"""The columns of `estimands`, `estimates` and `estimate_pairs`."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from dateline.derive.columns import NAMES, Column, Table, labelled, text
from dateline.derive.estimates import LEFT_OUT, PLACES
from dateline.derive.intervals import INTERVAL_RELATIONS, POINT_RELATIONS
from dateline.errors import ProjectError
from dateline.project import Estimates as Settings
from dateline.schema import Schemas

ESTIMANDS, ESTIMATES, PAIRS, JUDGEMENTS = "estimands", "estimates", "estimate_pairs", "judgements"
NEEDED: Mapping[str, tuple[str, ...]] = {
    "claims": (
        "claim_type", "attribution_chain", "is_authorial", "source_entity_ids", "modality", "certainty", "polarity",
        "quantity_ids", "estimand_id",
    ),
    "quantities": ("spans", "value", "low", "high", "low_closed", "high_closed", "comparator", "unit", "restates_quantity_id"),
    "entities": ("canonical_name",),
    "attributions": ("source_entity_ids",),
}  # fmt: skip
"""What schemas/ must have for estimates to follow; other columns that are read count as null where they are not there."""
LAYERS = ("claims", "quantities", "entities", "attributions", "times")
RELATIONS = ("AGREE", "CONFLICT", "UPDATE", "SUBSET", "DIFFERENT_ESTIMAND", "DENIAL", "UNDECIDABLE")

_NUMBER = pa.decimal128(38, PLACES)
_LINK = pa.struct([("sources", NAMES), ("attitude", pa.string()), ("quote_type", pa.string()), ("determinacy", pa.string())])
CHAIN = Column("chain", pa.list_(_LINK), "The attributions around the claim, outermost first; empty if authorial.")


def inherited(schemas: Schemas, layer: str, *names: str) -> tuple[Column, ...]:
    """Columns as a layer's schema describes them; strings without a label set where it has none of that name."""
    known = {f.name: f for f in schemas.layers[layer].fields} if layer in schemas.layers else {}
    return tuple(
        Column(n, known[n].type, known[n].description, known[n].schema)
        if n in known
        else text(n, "Not annotated in this dataset.")
        for n in names
    )


def judged_relation(schemas: Schemas) -> Column:
    """The column of what an annotator judged, with the labels of the corpus-level table `judgements`."""
    says = "Judged by an annotator, never computed."
    table = schemas.tables.get(JUDGEMENTS)
    labels = table["relation"].labels if table else None
    return labelled("judged_relation", labels or RELATIONS, says)


def tables(schemas: Schemas, settings: Settings) -> tuple[Table, ...]:
    """The three derived tables. Raises ProjectError if schemas/ lack a layer or field that they follow from."""
    _check(schemas)
    return _estimands(schemas), _estimates(schemas), _pairs(schemas, settings)


def _check(schemas: Schemas) -> None:
    for layer, fields in NEEDED.items():
        if layer not in schemas.layers:
            raise ProjectError(
                f"[tool.dateline.estimates]: estimates follow from the layers {', '.join(NEEDED)}; there is no {layer!r}. "
                "Add its schema, or take the table out of pyproject.toml"
            )
        known = {f.name for f in schemas.layers[layer].fields}
        if lacking := [f for f in fields if f not in known]:
            raise ProjectError(f"[tool.dateline.estimates]: {layer} lack the field {lacking[0]!r}, from which estimates follow")


def _estimands(schemas: Schemas) -> Table:
    columns = (
        text("estimand_id", "Name of what is estimated: `<story>/<name>`."),
        text("story", "The group of articles that it belongs to."),
        text("name", "Its name within the story."),
        *inherited(schemas, "quantities", "measure"),
        text("unit", "The unit in which its estimates are compared: the most frequent."),
        labelled(
            "change", ("LEVEL", "INCREASE_BY", "DECREASE_BY"), "Whether a level or a step is estimated; null where both are."
        ),
        text("parent_estimand_id", "The estimand of which this one is a part; no pair crosses from one to the other."),
        Column("n_estimates", pa.int32(), "How many estimates there are."),
        Column("n_articles", pa.int32(), "In how many articles they stand."),
    )
    return Table(ESTIMANDS, "Estimands", "What is estimated, within a story.", columns, "estimand_id", "story")


def _estimates(schemas: Schemas) -> Table:
    own = {f.name: f for f in schemas.article.fields}
    article = [
        Column(n, own[n].type, own[n].description, own[n].schema) if n in own else Column(n, kind, "Not given in this dataset.")
        for n, kind in (("language", pa.string()), ("publisher", pa.string()), ("published", pa.date32()))
    ]
    comparator, hedge = inherited(schemas, "quantities", "comparator", "hedge_type")
    basis = inherited(schemas, "quantities", "as_of_basis")[0]
    columns = (
        text("estimate_id", "`<article_id>#<claim_id>:<quantity_id>`."),
        text("story", "The group of the article."),
        text("article_id", "The article."),
        text("claim_id", "The claim."),
        text("quantity_id", "The number claimed."),
        text("estimand_id", "What is estimated."),
        *article,
        *inherited(schemas, "quantities", "value", "low", "high", "low_closed", "high_closed"),
        comparator,
        hedge,
        Column("effective_comparator", pa.string(), "The comparator that holds: of a bare restatement that of what it restates.",
               comparator.schema),
        Column("effective_hedge_type", pa.string(), "The hedge type that holds.", hedge.schema),
        Column("effective_low", _NUMBER, "The lower bound that holds, in unit."),
        Column("effective_high", _NUMBER, "The upper bound that holds, in unit."),
        *inherited(schemas, "quantities", "unit", "measure", "change"),
        Column("comparable_value", _NUMBER, "The value in the unit of the estimand."),
        Column("comparable_low", _NUMBER, "The lower bound that holds, in the unit of the estimand."),
        Column("comparable_high", _NUMBER, "The upper bound that holds, in the unit of the estimand."),
        Column("rate", _NUMBER, "Units of the estimand per unit, where the two differ: from the configuration."),
        *inherited(schemas, "claims", "certainty", "polarity", "modality"),
        Column("is_denial", pa.bool_(), "Whether the claim denies: polarity NEG."),
        Column("is_authorial", pa.bool_(), "Whether the author states it without attribution."),
        Column("source_names", NAMES, "Who says so; empty for the author."),
        Column("principals", NAMES, "For whom they speak: where the chain of affiliations ends; of the author the outlet."),
        Column("principal_keys", NAMES, "The same as keys that are equal across the articles of the story."),
        CHAIN,
        Column("chain_factual", pa.bool_(), "Whether each act of the chain is reported as real, not asked, denied or supposed."),
        Column("relayed_by", NAMES, "Those who are reported to have passed it on: the outer sources of the chain."),
        text("as_of", "EDTF: the time for which the number holds; null where it is not stated."),
        basis,
        text("utterance_time", "EDTF: when it was said; null where it is not stated."),
        Column("utterance_basis", pa.string(), "How the time of the utterance is known; null without one.", basis.schema),
        text("restates_estimate_id", "The estimate of the same article that this one repeats."),
        text("retracts_estimate_id", "The estimate of the same article that this one withdraws or corrects."),
        text("subset_of_estimate_id", "The estimate of the same article of which this one counts a part."),
        labelled("left_out", LEFT_OUT, "Why it is in no pair; null where it may be in one."),
    )  # fmt: skip
    return Table(
        ESTIMATES, "Estimates", "One number in one claim about an estimand; needs no text.", columns, "estimate_id", "story"
    )


def _pairs(schemas: Schemas, settings: Settings) -> Table:
    columns = (
        text("pair_id", "Its two estimates, in the order of their ids: `a|b`."),
        text("story", "The group of both articles."),
        text("estimand_id", "What both estimate."),
        text("estimate_a", "The first estimate."),
        text("estimate_b", "The second estimate."),
        text("article_a", "The article of the first."),
        text("article_b", "The article of the second."),
        Column("same_article", pa.bool_(), "Whether both stand in one article."),
        Column("same_principal", pa.bool_(), "Whether they speak for a principal in common."),
        labelled("point_relation", POINT_RELATIONS, "Computed: how the first number named stands to the second."),
        labelled("interval_relation", INTERVAL_RELATIONS, "Computed: whether both can be true, within the tolerance."),
        Column("interval_tolerance", pa.float64(), "By which share of its value an approximate number may be off."),
        Column("contrast_marked", pa.bool_(), "Whether a comparison in the text holds the two numbers together."),
        Column("contrast_claim_ids", NAMES, "Those comparisons, claims of the article."),
        Column("is_denial_pair", pa.bool_(), "Whether one of the two is a denial."),
        Column("abs_diff", _NUMBER, "Difference of the two numbers named, in the unit of the estimand."),
        Column("rel_diff", pa.float64(), "The same as a share of the larger of the two."),
        judged_relation(schemas),
        text("judgement_id", "The judgement; null where nobody judged the pair."),
    )
    within = f"{settings.interval_tolerance:g}"
    says = f"Two estimates of one estimand; relations computed with a tolerance of {within}, and judged ones apart."
    return Table(PAIRS, "Pairs of estimates", says, columns, "pair_id", "story")
