"""A small dataset with the derived tables `estimands`, `estimates` and `estimate_pairs`, written as the contract has them."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dateline.manifest import Manifest, TableFacts

Row = dict[str, Any]

_NUMBER = pa.decimal128(38, 9)
_NAMES = pa.list_(pa.string())
_CHAIN = pa.list_(
    pa.struct([("sources", _NAMES), ("attitude", pa.string()), ("quote_type", pa.string()), ("determinacy", pa.string())])
)


def _schema(*columns: str, **types: pa.DataType) -> pa.Schema:
    return pa.schema([(name, types.get(name, pa.string())) for name in columns])


ESTIMANDS = _schema(
    "estimand_id", "story", "name", "measure", "unit", "change", "parent_estimand_id", "n_estimates", "n_articles",
    n_estimates=pa.int32(), n_articles=pa.int32(),
)  # fmt: skip
ESTIMATES = _schema(
    "estimate_id", "story", "article_id", "claim_id", "quantity_id", "estimand_id", "language", "publisher", "published",
    "value", "low", "high", "low_closed", "high_closed", "comparator", "hedge_type",
    "effective_comparator", "effective_hedge_type", "effective_low", "effective_high",
    "unit", "measure", "change", "comparable_value", "comparable_low", "comparable_high", "rate",
    "certainty", "polarity", "modality", "is_denial", "is_authorial", "source_names", "principals", "principal_keys", "chain",
    "chain_factual", "relayed_by", "as_of", "as_of_basis", "utterance_time", "utterance_basis",
    "restates_estimate_id", "retracts_estimate_id", "subset_of_estimate_id", "left_out",
    published=pa.date32(), value=_NUMBER, low=_NUMBER, high=_NUMBER, low_closed=pa.bool_(), high_closed=pa.bool_(),
    effective_low=_NUMBER, effective_high=_NUMBER, comparable_value=_NUMBER, comparable_low=_NUMBER, comparable_high=_NUMBER,
    rate=_NUMBER, is_denial=pa.bool_(), is_authorial=pa.bool_(), source_names=_NAMES, principals=_NAMES, principal_keys=_NAMES,
    chain=_CHAIN, chain_factual=pa.bool_(), relayed_by=_NAMES,
)  # fmt: skip
PAIRS = _schema(
    "pair_id", "story", "estimand_id", "estimate_a", "estimate_b", "article_a", "article_b", "same_article", "same_principal",
    "point_relation", "interval_relation", "interval_tolerance", "contrast_marked", "contrast_claim_ids", "is_denial_pair",
    "abs_diff", "rel_diff", "judged_relation", "judgement_id",
    same_article=pa.bool_(), same_principal=pa.bool_(), interval_tolerance=pa.float64(), contrast_marked=pa.bool_(),
    contrast_claim_ids=_NAMES, is_denial_pair=pa.bool_(), abs_diff=_NUMBER, rel_diff=pa.float64(),
)  # fmt: skip
ARTICLES = _schema("article_id", "fictional", fictional=pa.bool_())
SETS = _schema("article_id", "layer", "annotator_type", "status")

_ARTICLES = {
    "harbour-1": ("orrin-dock-strike", "Harbour Ledger", datetime.date(2026, 5, 18)),
    "meridian-2": ("orrin-dock-strike", "Meridian Post", datetime.date(2026, 5, 19)),
    "carrow-3": ("varn-valley-flood", "Carrow Telegraph", datetime.date(2026, 3, 11)),
}


def estimate(
    place: str, name: str, comparator: str, *numbers: int | str | None, source: str = "Orrin police", **fields: Any
) -> Row:
    """An estimate at `article#claim` of the estimand `name`; numbers are the value, or low and high of a RANGE."""
    article, _, claim = place.partition("#")
    story, publisher, published = _ARTICLES[article]
    given = [None if n is None else Decimal(n) for n in numbers]
    value = low = high = None
    if comparator == "RANGE":
        low, high = given
    elif given:
        value = given[0]
        low = value if comparator in ("EXACT", "GE", "GT") else None
        high = value if comparator in ("EXACT", "LE", "LT") else None
    made: Row = dict.fromkeys(ESTIMATES.names)
    made |= {
        "estimate_id": f"{place}:q{claim[1:]}", "story": story, "article_id": article, "claim_id": claim,
        "quantity_id": f"q{claim[1:]}",
        "estimand_id": f"{story}/{name}", "language": "en", "publisher": publisher, "published": published,
        "value": value, "low": low, "high": high, "comparator": comparator,
        "unit": "{person}", "measure": "CROWD", "change": "LEVEL",
        "certainty": "CT", "polarity": "POS", "modality": "ASSERTED", "is_denial": False, "is_authorial": False,
        "source_names": [source], "principals": [source], "principal_keys": [source], "relayed_by": [], "chain_factual": True,
        "chain": [link(source)],
    }  # fmt: skip
    made |= fields
    for column in ("value", "low", "high"):
        made.setdefault(f"comparable_{column}", None)
        if f"comparable_{column}" not in fields:
            made[f"comparable_{column}"] = made[column]
    for column in ("comparator", "hedge_type"):
        if f"effective_{column}" not in fields:
            made[f"effective_{column}"] = made[column]
    return made


def link(*sources: str) -> Row:
    return {"sources": list(sources), "attitude": "ASSERTION", "quote_type": "INDIRECT", "determinacy": "FACTUAL"}


def pair(a: Row, b: Row, point: str, interval: str, **fields: Any) -> Row:
    """A pair of estimates, with the difference of their values where both have one."""
    made: Row = dict.fromkeys(PAIRS.names)
    apart = abs(a["value"] - b["value"]) if a["value"] is not None and b["value"] is not None else None
    made |= {
        "pair_id": f"{a['estimate_id']}|{b['estimate_id']}", "story": a["story"], "estimand_id": a["estimand_id"],
        "estimate_a": a["estimate_id"], "estimate_b": b["estimate_id"], "article_a": a["article_id"],
        "article_b": b["article_id"],
        "same_article": a["article_id"] == b["article_id"], "same_principal": a["principals"] == b["principals"],
        "point_relation": point, "interval_relation": interval, "interval_tolerance": 0.05, "contrast_marked": False,
        "contrast_claim_ids": [], "is_denial_pair": a["is_denial"] or b["is_denial"], "abs_diff": apart,
        "rel_diff": float(apart / max(a["value"], b["value"])) if apart is not None else None,
    }  # fmt: skip
    return made | fields


DAY = {"as_of": "2026-05-17", "as_of_basis": "INFERRED"}
CROWD = [
    estimate("harbour-1#c11", "orrin-crowd", "APPROX", 1500, hedge_type="BELOW", certainty="PR", **DAY),
    estimate("harbour-1#c12", "orrin-crowd", "GT", 4000, source="Dockers' Federation", **DAY),
    estimate("meridian-2#c6", "orrin-crowd", "LE", 2000, **DAY),
    estimate("meridian-2#c7", "orrin-crowd", "GT", 3200, source="drone images of the crowd at Lantern Quay", **DAY),
    estimate("meridian-2#c9", "orrin-crowd", "RANGE", 1400, 1700, as_of="2026-05~", as_of_basis="STATED",
             source="Corbel Terminals", principals=["Corbel Group"]),
    estimate("meridian-2#c20", "orrin-crowd", "EXACT", 0, source="Mayor Ilk", is_denial=True, polarity="NEG",
             chain=[link("Ïlsa Morven"), link("Mayor Ilk")], left_out="NONFACTUAL_CHAIN",
             utterance_time="2026-05-18", utterance_basis="STATED"),
    estimate("meridian-2#c8", "orrin-crowd", "BARE", 1500, left_out="RESTATEMENT", restates_estimate_id="harbour-1#c11:q11",
             effective_comparator="APPROX", effective_hedge_type="BELOW"),
    estimate("meridian-2#c10", "orrin-crowd", "VAGUE", source="a steward", left_out="VAGUE", certainty="U"),
    estimate("harbour-1#c2", "orrin-crowd", "BARE", 2400, is_authorial=True, source_names=[], principals=[], chain=[]),
    estimate("harbour-1#c3", "orrin-crowd", "APPROX", "2.5", source="a banner",
             unit="{thousand persons}", comparable_value=Decimal(2500)),
]  # fmt: skip
MISSING = [
    estimate("carrow-3#c7", "varn-missing", "RANGE", 60, 80, source="Maren Ostvold", measure="MISSING"),
    estimate("carrow-3#c12", "varn-missing", "LT", 50, source="Jorik Tamm", measure="MISSING"),
]
ALONE = [estimate("carrow-3#c1", "varn-dead", "BARE", 14, source="Maren Ostvold", measure="FATALITIES")]
NAMESAKE = [
    estimate("carrow-3#c30", "injured", "BARE", 9, measure="INJURED"),
    estimate("carrow-3#c31", "injured", "BARE", 9, measure="INJURED"),
    estimate("harbour-1#c30", "injured", "GE", 19, measure="INJURED"),
    estimate("harbour-1#c31", "injured", "BARE", 19, measure="INJURED"),
]
CROWD_PAIRS = [
    pair(CROWD[0], CROWD[1], "LOWER", "DISJOINT", judged_relation="CONFLICT", judgement_id="j1", contrast_marked=True),
    pair(CROWD[0], CROWD[2], "LOWER", "COMPATIBLE"),
    pair(CROWD[2], CROWD[3], "LOWER", "DISJOINT", same_principal=False),
]
MISSING_PAIRS = [pair(MISSING[0], MISSING[1], "HIGHER", "DISJOINT")]


def estimands_of(estimates: Sequence[Row]) -> list[Row]:
    """The estimands that these estimates are of."""
    found: dict[str, list[Row]] = {}
    for row in estimates:
        found.setdefault(row["estimand_id"], []).append(row)
    return [
        {"estimand_id": key, "story": rows[0]["story"], "name": key.partition("/")[2], "measure": rows[0]["measure"],
         "unit": "{person}", "change": "LEVEL", "parent_estimand_id": None, "n_estimates": len(rows),
         "n_articles": len({row["article_id"] for row in rows})}
        for key, rows in found.items()
    ]  # fmt: skip


def write_figures(
    folder: Path,
    estimates: Sequence[Row] = (*CROWD, *MISSING, *ALONE, *NAMESAKE),
    pairs: Sequence[Row] = (*CROWD_PAIRS, *MISSING_PAIRS),
    *,
    fictional: bool | None = True,
    without: Sequence[str] = (),
) -> Path:
    """A dataset in `folder` of these estimates; tables named in `without` are left out, and a table without rows has no file."""
    articles = sorted({row["article_id"] for row in estimates})
    tables: Mapping[str, tuple[pa.Schema, Sequence[Row]]] = {
        "estimands": (ESTIMANDS, estimands_of(estimates)),
        "estimates": (ESTIMATES, estimates),
        "estimate_pairs": (PAIRS, pairs),
        "articles": (ARTICLES, [{"article_id": a, "fictional": fictional} for a in articles]),
        "annotation_sets": (
            SETS,
            [{"article_id": a, "layer": "claims", "annotator_type": "MODEL", "status": "PRIMARY"} for a in articles],
        ),
    }
    facts = {}
    for name, (schema, rows) in tables.items():
        if name in without:
            continue
        features = [{"name": column, "dtype": "string"} for column in schema.names]
        files = []
        for split, part in (("train", rows[: len(rows) // 2]), ("test", rows[len(rows) // 2 :])):
            if part:
                path = folder / name / f"{split}.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(pa.Table.from_pylist(list(part), schema=schema), path)
                data = path.read_bytes()
                files.append({"path": f"{name}/{split}.parquet", "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data),
                              "split": split, "rows": len(part)})  # fmt: skip
        facts[name] = TableFacts(len(rows), {"train": len(rows)}, {}, "0" * 64, features, files)
    card = b"# A dataset\n"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_bytes(card)
    manifest = Manifest(
        "figures", "0.0.0", "articles", "0" * 64, "0" * 64, facts,
        {"path": "README.md", "sha256": hashlib.sha256(card).hexdigest(), "bytes": len(card)},
        {"mode": "given", "quotas": {}}, {}, {},
    )  # fmt: skip
    (folder / "manifest.json").write_bytes(manifest.encode())
    return folder
