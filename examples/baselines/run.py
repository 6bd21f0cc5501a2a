"""Baselines for the tasks of a dataset, scored by `dateline score`: one command, minutes on a laptop's CPU.

    python examples/baselines/run.py                 # prints the table
    python examples/baselines/run.py --write         # and keeps it, for the card

They say where a number begins to mean something: what no words at all, single words, or a list of words get. Models are fitted on
the split train alone.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import predictors
from dateline.describe.baselines import baselines_section, digest_of_views
from dateline.manifest import Manifest, read_manifest
from dateline.score.predictions import PredictionsError
from dateline.score.scoring import score

ROOT = Path(__file__).resolve().parents[2]
KEPT = Path(__file__).with_name("results.json")
Row = dict[str, Any]


@dataclass(frozen=True)
class Baseline:
    """One way to predict a config: its name, what it reads, and the predictions of a split, as `dateline score` reads them."""

    config: str
    name: str
    reads: str
    predict: Callable[[Sequence[Row], Sequence[Row]], Iterable[Row]]


SHOWN = {
    "figures": ("tuple F1, strict", "span F1, exact", "number F1", "comparator F1", "principal F1"),
    "conflicts": ("gold figures: macro-F1",),
    "event_factuality": ("all: macro-F1",),
    "quote_attribution": ("source F1, overlap", "cue F1, overlap", "content F1, overlap"),
    "ner": ("span + type F1, exact", "span + type F1, overlap"),
    "contrasts": ("accuracy", "contrast set accuracy"),
}
"""Of each config the measures in the table; of contrasts each phenomenon's accuracy, too."""
TIERS = ("tier", "tier_a")
"""The column by whose values each config is measured, part by part: the first of these that it has."""


def _figures(find: Callable[[Sequence[Row], str], list[Row]]) -> Callable[[Sequence[Row], Sequence[Row]], Iterable[Row]]:
    def predict(train: Sequence[Row], test: Sequence[Row]) -> Iterable[Row]:
        seen = set()
        for row in test:
            if (place := (row["article_id"], row["doc_start"])) not in seen:
                seen.add(place)
                yield {"article_id": place[0], "doc_start": place[1], "figures": find(train, row["passage"])}

    return predict


def _labels(column: str, decide: Any) -> Callable[[Sequence[Row], Sequence[Row]], Iterable[Row]]:
    def predict(train: Sequence[Row], test: Sequence[Row]) -> Iterable[Row]:
        found = decide([(row, row[column]) for row in train if row[column] is not None], [_without(row, column) for row in test])
        return ({"id": row["id"], column: label} for row, label in zip(test, found, strict=True))

    return predict


def _without(row: Row, column: str) -> Row:
    return {name: value for name, value in row.items() if name != column}


def _quotes(_: Sequence[Row], test: Sequence[Row]) -> Iterable[Row]:
    return ({"id": row["id"], **predictors.quote_rules(row)} for row in test)


def _names(known: bool) -> Callable[[Sequence[Row], Sequence[Row]], Iterable[Row]]:
    def predict(train: Sequence[Row], test: Sequence[Row]) -> Iterable[Row]:
        labels = [entity["label"] for row in train for entity in row["entities"]]
        usual = max(sorted(set(labels)), key=labels.count)
        names = {row["passage"][e["start"] : e["end"]]: e["label"] for row in train for e in row["entities"]} if known else {}
        return ({"id": row["id"], "entities": predictors.gazetteer(row, names, usual)} for row in test)

    return predict


BASELINES = (
    Baseline("figures", "nothing found", "nothing", _figures(predictors.no_figures)),
    Baseline("figures", "numbers only", "digits and number words", _figures(predictors.numbers_only)),
    Baseline("figures", "cue lexicon", "numbers, word lists, capitals", _figures(predictors.lexicon_figures)),
    Baseline("conflicts", "majority", "nothing", _labels("judged_relation", predictors.majority)),
    Baseline("conflicts", "numbers only", "two numbers and comparators",
             _labels("judged_relation", predictors.logistic(predictors.numbers_of_pair))),
    Baseline("conflicts", "second passage only", "one of the two passages",
             _labels("judged_relation", predictors.logistic(predictors.second_passage))),
    Baseline("conflicts", "logistic regression", "words of both passages",
             _labels("judged_relation", predictors.logistic(predictors.both_passages))),
    Baseline("event_factuality", "majority", "nothing", _labels("label", predictors.majority)),
    Baseline("event_factuality", "trigger only", "the trigger", _labels("label", predictors.logistic(predictors.trigger_only))),
    Baseline("event_factuality", "cue lexicon", "word lists", _labels("label", predictors.factuality_lexicon)),
    Baseline("event_factuality", "logistic regression", "words of the sentence",
             _labels("label", predictors.logistic(predictors.around_trigger))),
    Baseline("quote_attribution", "cue lexicon", "quotation marks, word lists, capitals", _quotes),
    Baseline("ner", "capitals", "capital letters", _names(False)),
    Baseline("ner", "names seen in training", "capital letters, names of train", _names(True)),
    Baseline("contrasts", "majority", "nothing", _labels("label", predictors.majority)),
    Baseline("contrasts", "statement only", "the statement", _labels("label", predictors.logistic(predictors.statement_only))),
    Baseline("contrasts", "numbers only", "numbers of both", _labels("label", predictors.logistic(predictors.numbers_of_both))),
    Baseline("contrasts", "logistic regression", "words of both",
             _labels("label", predictors.logistic(predictors.statement_and_text))),
)  # fmt: skip


def rows(dataset: Path, config: str, split: str) -> list[Row]:
    """The rows of a split, as Parquet has them (labels are words)."""
    files = [f["path"] for f in read_manifest(dataset).tables[config].files if f["split"] == split]
    return [row for path in files for row in pq.read_table(dataset / path, partitioning=None).to_pylist()]


def scored(dataset: Path, split: str) -> dict[str, Any]:
    """All baselines with their scores, and what they were measured on."""
    manifest = read_manifest(dataset)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for number, baseline in enumerate(BASELINES):
            train, test = rows(dataset, baseline.config, "train"), rows(dataset, baseline.config, split)
            path = Path(folder) / f"{number}.jsonl"
            written = (json.dumps(p, ensure_ascii=False) + "\n" for p in baseline.predict(train, test))
            path.write_text("".join(written), encoding="utf-8")
            column = next(name for name in TIERS if name in test[0])
            for tier in sorted({str(row[column]) for row in test if row[column] is not None}):
                said = _score(path, baseline.config, split, dataset, column, tier)
                shown = [m for m in said["measures"] if _is_shown(baseline.config, m["name"])]
                lines.append({
                    "config": baseline.config, "baseline": baseline.name, "reads": baseline.reads, "part": tier,
                    "train": len(train), "rows": said["rows"], "stories": said["stories"],
                    "measures": {m["name"]: m["value"] for m in shown},
                    "intervals": {m["name"]: m["interval"] for m in shown},
                })  # fmt: skip
    digest = digest_of_views(lines, digests_of(manifest))
    return {"dataset": manifest.name, "views_digest": digest, "split": split, "results": lines}


def digests_of(manifest: Manifest) -> dict[str, str]:
    """The logical digest of each table."""
    return {name: table.logical_digest for name, table in manifest.tables.items()}


def _score(path: Path, config: str, split: str, dataset: Path, column: str, value: str) -> dict[str, Any]:
    """What `dateline score --where COLUMN=VALUE --json` says; a process for each would take longer than scoring."""
    try:
        return score(path, dataset, config, split, None, {column: value}).as_json()
    except PredictionsError as wrong:
        raise SystemExit(f"{config}: {wrong.faults[0]}") from None


def _is_shown(config: str, name: str) -> bool:
    of_contrast = config in ("figures", "conflicts", "event_factuality") and name == "contrast set accuracy"
    return name in SHOWN[config] or of_contrast or (config == "contrasts" and name.endswith(": accuracy"))


def main() -> None:
    """Print the table; with --write, keep the results beside this file."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--dataset", type=Path, default=ROOT / "dataset")
    words.add_argument("--split", default="test")
    words.add_argument("--write", action="store_true", help="keep the results for the card")
    said = words.parse_args()
    found = scored(said.dataset, said.split)
    print(baselines_section(found, digests_of(read_manifest(said.dataset))))
    if said.write:
        KEPT.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
