"""What the tests of scoring build with: a small dataset of the five views in a folder, and the predictions that are all right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dateline.manifest import Manifest, TableFacts

Json = dict[str, Any]
PASSAGE = "Ana Ruiz said at least 19 of about 200 people left the Port of Orrin; police spoke of 30."
"""In each passage of these datasets stand the same words: what counts here are the spans."""

LABELS: dict[str, dict[str, list[str]]] = {
    "figures": {
        "comparator": ["EXACT", "BARE", "APPROX", "LT", "LE", "GT", "GE", "RANGE", "VAGUE"],
        "certainty": ["CT", "PR", "PS", "U"],
        "polarity": ["POS", "NEG", "UNK"],
    },
    "conflicts": {"judged_relation": ["AGREE", "CONFLICT", "UPDATE", "SUBSET", "DIFFERENT_ESTIMAND", "DENIAL", "UNDECIDABLE"]},
    "quote_attribution": {"quote_type": ["DIRECT", "INDIRECT", "MIXED"]},
    "event_factuality": {"label": ["CT+", "PR+", "PS+", "Uu", "CTu", "PS-", "PR-", "CT-"]},
    "ner": {"label": ["PER", "ORG", "GPE", "LOC"]},
    "contrasts": {"label": ["YES", "NO"]},
}
SPAN = pa.struct([("start", pa.int32()), ("end", pa.int32())])
_TEXT, _WHOLE, _NUMBER, _NAMES, _SPANS = pa.string(), pa.int32(), pa.float64(), pa.list_(pa.string()), pa.list_(SPAN)
_HEAD = [("id", _TEXT), ("story", _TEXT)]
_PASSAGE = [("article_id", _TEXT), ("passage", _TEXT), ("doc_start", _WHOLE)]
SCHEMAS: dict[str, list[tuple[str, pa.DataType]]] = {
    "figures": [
        *_HEAD, *_PASSAGE, ("quantity_spans", _SPANS), ("value", _NUMBER), ("low", _NUMBER), ("high", _NUMBER),
        ("comparator", _TEXT), ("unit", _TEXT), ("source_names", _NAMES), ("principals", _NAMES),
        ("chain", pa.list_(pa.struct([("sources", _NAMES), ("attitude", _TEXT)]))),
        ("certainty", _TEXT), ("polarity", _TEXT), ("estimand_id", _TEXT),
    ],
    "conflicts": [*_HEAD, ("judged_relation", _TEXT)],
    "quote_attribution": [
        *_HEAD, *_PASSAGE, ("source_spans", _SPANS), ("cue_spans", _SPANS), ("content_spans", _SPANS), ("quote_type", _TEXT),
    ],
    "event_factuality": [*_HEAD, ("source_is_author", pa.bool_()), ("label", _TEXT)],
    "ner": [*_HEAD, ("passage", _TEXT), ("entities", pa.list_(pa.struct([*SPAN, ("label", _TEXT), ("item", _TEXT)])))],
    "contrasts": [*_HEAD, ("label", _TEXT), ("edited_phenomenon", _TEXT)],
}  # fmt: skip


# ---- rows ----------------------------------------------------------------------------------------------------


def span(start: int, end: int) -> Json:
    return {"start": start, "end": end}


def figure_row(article: str, number: int, start: int, end: int, **changed: Any) -> Json:
    """A figure: "at least 19", said by Ana Ruiz, unless changed; the article's name begins with that of its story."""
    return {
        "id": f"{article}#c{number}:q{number}", "article_id": article, "story": article.split("-")[0], "passage": PASSAGE,
        "doc_start": 100, "quantity_spans": [span(start, end)], "value": 19.0, "low": 19.0, "high": None, "comparator": "GE",
        "unit": "{person}", "source_names": ["Ana Ruiz"], "principals": ["Ruiz Line"],
        "chain": [{"sources": ["Ana Ruiz"], "attitude": "ASSERTION"}], "certainty": "CT", "polarity": "POS",
        "estimand_id": "left",
    } | changed  # fmt: skip


def pair_row(one: str, other: str, relation: str, **changed: Any) -> Json:
    return {"id": f"{one}|{other}", "story": one.split("-")[0], "judged_relation": relation} | changed


def attribution_row(article: str, number: int, source: Any, cue: Any, content: Any, quote_type: str, **changed: Any) -> Json:
    """An attribution; each role is a list of (start, end)."""
    roles = {"source_spans": source, "cue_spans": cue, "content_spans": content}
    return {
        "id": f"{article}#a{number}", "article_id": article, "story": article.split("-")[0], "passage": PASSAGE, "doc_start": 100,
        **{name: [span(*one) for one in spans] for name, spans in roles.items()}, "quote_type": quote_type,
    } | changed  # fmt: skip


def event_row(article: str, number: int, label: str, author: bool, **changed: Any) -> Json:
    return {"id": f"{article}#f{number}", "story": article.split("-")[0], "source_is_author": author, "label": label} | changed


def entities_row(article: str, number: int, *entities: tuple[int, int, str, str], **changed: Any) -> Json:
    """A passage with entities (start, end, label, item)."""
    made = [{"start": start, "end": end, "label": label, "item": item} for start, end, label, item in entities]
    return {"id": f"{article}#s{number}", "story": article.split("-")[0], "passage": PASSAGE, "entities": made} | changed


# ---- datasets ------------------------------------------------------------------------------------------------


def features(config: str, names: Iterable[str]) -> list[Json]:
    """The features of a view as the manifest keeps them; only what scoring reads of them."""
    labelled = {
        name: {"class_label": {"names": {str(n): label for n, label in enumerate(labels)}}}
        for name, labels in LABELS[config].items()
    }
    made: list[Json] = [{"name": name, "dtype": labelled.get(name, "string")} for name in names if name != "entities"]
    if config == "ner":
        made.append(
            {"name": "entities", "list": [{"name": "start", "dtype": "int32"}, {"name": "label", "dtype": labelled["label"]}]}
        )
    return made


def build(folder: Path, **tables: Mapping[str, list[Json]]) -> Path:
    """A dataset of these views: rows by split by config. Configs that are not named are there, without rows."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text("# tiny\n")
    facts = {}
    for config, columns in SCHEMAS.items():
        splits = tables.get(config, {})
        if any("contrast_set_id" in row for rows in splits.values() for row in rows):
            columns = [*columns, ("contrast_set_id", pa.string())]
        files = [_file(folder, config, split, rows, columns) for split, rows in splits.items() if rows]
        counts = {split: len(rows) for split, rows in splits.items()}
        facts[config] = TableFacts(sum(counts.values()), counts, {}, "", features(config, [n for n, _ in columns]), files)
    card = (folder / "README.md").read_bytes()
    manifest = Manifest(
        name="tiny", version="1.2.3", default_config="figures", content_digest="0" * 64, logical_digest="", tables=facts,
        card={"path": "README.md", "sha256": hashlib.sha256(card).hexdigest(), "bytes": len(card)},
        splits={"mode": "computed", "quotas": {"train": 0.5, "test": 0.5}}, inputs={}, writer={},
    )  # fmt: skip
    (folder / "manifest.json").write_bytes(manifest.encode())
    return folder


def _file(folder: Path, config: str, split: str, rows: list[Json], columns: list[tuple[str, pa.DataType]]) -> Json:
    path = folder / config / f"{split}.parquet"
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(columns)), path)
    raw = path.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    return {"path": f"{config}/{split}.parquet", "split": split, "rows": len(rows), "sha256": digest, "bytes": len(raw)}


# ---- predictions ---------------------------------------------------------------------------------------------


def predicted_figure(row: Json) -> Json:
    """What a system would have to say to be right about a figure."""
    said = {name: row[name] for name in ("value", "low", "high", "comparator", "unit", "certainty", "polarity", "principals")}
    chain = [link["sources"] for link in row["chain"]]
    return {
        "start": row["quantity_spans"][0]["start"],
        "end": row["quantity_spans"][-1]["end"],
        **said,
        "sources": row["source_names"],
        "chain": chain,
        "estimand": row["estimand_id"],
    }


def perfect(config: str, rows: Iterable[Json]) -> list[Json]:
    """The predictions that are all right."""
    if config != "figures":
        keep = {
            "conflicts": ["judged_relation"],
            "event_factuality": ["label"],
            "ner": ["entities"],
            "quote_attribution": ["source_spans", "cue_spans", "content_spans", "quote_type"],
        }
        return [{name: row[name] for name in ("id", *keep[config])} for row in rows]
    passages: dict[tuple[str, int], list[Json]] = {}
    for row in rows:
        passages.setdefault((row["article_id"], row["doc_start"]), []).append(predicted_figure(row))
    return [{"article_id": article, "doc_start": start, "figures": figures} for (article, start), figures in passages.items()]


def written(path: Path, objects: Iterable[Any]) -> Path:
    """A file of predictions; strings are written as they are."""
    path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in objects), encoding="utf-8")
    return path
