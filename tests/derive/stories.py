"""Articles with numbers in them, for tests of what follows from them; no text is needed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dateline.derive.article import Article
from dateline.derive.estimates import Derived, derive_story
from dateline.project import Estimates

KEYS = {
    "claims": "claim_id",
    "quantities": "quantity_id",
    "entities": "entity_id",
    "attributions": "attribution_id",
    "times": "time_id",
}
Row = dict[str, Any]


def entity(key: str, name: str, **fields: Any) -> Row:
    return {"entity_id": key, "canonical_name": name, "kb": None, "kb_id": None, "affiliation_entity_id": None} | fields


def quantity(key: str, value: float | None, comparator: str = "BARE", **fields: Any) -> Row:
    named = None if value is None else Decimal(str(value))
    bounds: Row = {"low": None, "high": None, "low_closed": None, "high_closed": None}
    if comparator in ("EXACT", "GE", "GT"):
        bounds |= {"low": named, "low_closed": comparator != "GT"}
    if comparator in ("EXACT", "LE", "LT"):
        bounds |= {"high": named, "high_closed": comparator != "LT"}
    made = {
        "quantity_id": key,
        "value": named,
        **bounds,
        "comparator": comparator,
        "hedge_type": None,
        "unit": "{person}",
        "unit_system": "UCUM",
        "measure": "DEAD",
        "change": "LEVEL",
        "quantity_kind": "COUNT",
        "time_id": None,
        "as_of_basis": None,
        "restates_quantity_id": None,
        "retracts_quantity_id": None,
        "subset_of_quantity_id": None,
        "spans": [],
    }
    return made | {k: Decimal(str(v)) if k in ("low", "high") and v is not None else v for k, v in fields.items()}


def claim(key: str, *quantities: str, estimand: str | None = "dead", by: str | None = None, **fields: Any) -> Row:
    """A claim about quantities; `by` names its source (an entity), through an attribution that `article` makes."""
    return {
        "claim_id": key,
        "claim_type": "QUANTITY",
        "quantity_ids": list(quantities),
        "estimand_id": estimand,
        "parent_estimand_id": None,
        "attribution_id": f"a-{key}" if by else None,
        "attribution_chain": [f"a-{key}"] if by else [],
        "is_authorial": by is None,
        "source_entity_ids": [by] if by else [],
        "modality": "ASSERTED",
        "certainty": "CT",
        "polarity": "POS",
        "utterance_time_id": None,
        "as_of_basis": None,
    } | fields


def attribution(key: str, *sources: str, **fields: Any) -> Row:
    return {
        "attribution_id": key,
        "source_entity_ids": list(sources),
        "on_behalf_of_entity_ids": [],
        "attitude": "ASSERTION",
        "quote_type": "INDIRECT",
        "determinacy": "FACTUAL",
        "time_id": None,
        "as_of_basis": None,
    } | fields


def article(name: str, *rows: Row, story: str = "flood", publisher: str = "Post") -> Article:
    """An article of rows, each put into the layer that its key names; simple attributions of claims are made."""
    layers: dict[str, list[Row]] = {layer: [] for layer in KEYS}
    for row in rows:
        layers[next(layer for layer, key in KEYS.items() if key == next(iter(row)))].append(row)
    known = {a["attribution_id"] for a in layers["attributions"]}
    for row in layers["claims"]:
        if row["attribution_id"] and row["attribution_id"] not in known:
            layers["attributions"].append(attribution(row["attribution_id"], *row["source_entity_ids"]))
    own = {"article_id": name, "group": story, "publisher": publisher, "language": "en", "published": None, "text": None}
    return Article(own, layers, KEYS)


def derived(*articles: Article, judgements: tuple[Row, ...] = (), **settings: Any) -> Derived:
    return derive_story(articles, judgements, Estimates(**settings))


def judgement(key: str, a: str, b: str, relation: str = "CONFLICT") -> Row:
    return {"judgement_id": key, "estimate_a": a, "estimate_b": b, "relation": relation, "status": "PRIMARY"}
