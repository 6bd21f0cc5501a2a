"""`--where`: a part of a split; and the config of contrast sets, whole and by phenomenon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from building import REPOSITORY
from dateline.errors import UsageError
from dateline.manifest import read_manifest
from dateline.score.predictions import PredictionsError
from dateline.score.scoring import Score, score

DATASET = REPOSITORY / "dataset"
Json = dict[str, Any]


def rows(config: str) -> list[Json]:
    files = [f["path"] for f in read_manifest(DATASET).tables[config].files if f["split"] == "test"]
    return [row for path in files for row in pq.read_table(DATASET / path, partitioning=None).to_pylist()]


def measured(tmp_path: Path, config: str, predictions: list[Json], **where: str) -> Score:
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(p) + "\n" for p in predictions), encoding="utf-8")
    return score(path, DATASET, config, "test", where=where or None)


def values(found: Score) -> dict[str, float | None]:
    return {told.measure.name: told.value.value for told in found.told}


def test_all_right_is_1_and_one_side_of_each_set_right_is_half_and_no_whole_set(tmp_path: Path) -> None:
    gold = rows("contrasts")
    right = values(measured(tmp_path, "contrasts", [{"id": row["id"], "label": row["label"]} for row in gold]))
    assert set(right.values()) == {1.0} and {f"{row['edited_phenomenon']}: accuracy" for row in gold} <= set(right)
    yes = values(measured(tmp_path, "contrasts", [{"id": row["id"], "label": "YES"} for row in gold]))
    assert yes["accuracy"] == 0.5 and yes["contrast set accuracy"] == 0.0 and yes["BOUND: accuracy"] == 0.5


def test_a_part_is_measured_by_itself_and_predictions_about_the_rest_are_left_out(tmp_path: Path) -> None:
    gold = rows("contrasts")
    only_bounds = [{"id": r["id"], "label": r["label"] if r["edited_phenomenon"] == "BOUND" else None} for r in gold]
    part = measured(tmp_path, "contrasts", only_bounds, edited_phenomenon="BOUND")
    assert values(part)["accuracy"] == 1.0 and part.warnings == ()
    assert len(part.gold.rows) == sum(row["edited_phenomenon"] == "BOUND" for row in gold) > 0
    assert part.as_json()["where"] == {"edited_phenomenon": "BOUND"}
    assert (values(measured(tmp_path, "contrasts", only_bounds))["accuracy"] or 0) < 0.5


def test_figures_are_measured_tier_by_tier(tmp_path: Path) -> None:
    gold = rows("figures")
    counts = {tier: len(measured(tmp_path, "figures", [], tier=tier).gold.rows) for tier in ("STORY", "CONTRAST")}
    assert counts == {tier: sum(row["tier"] == tier for row in gold) for tier in counts} and min(counts.values()) > 100


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ({"tiers": "STORY"}, "config contrasts has no column tiers; it has id,"),
        ({"tier": "STORY"}, "config contrasts, split test: no row has tier=STORY; tier has CONTRAST"),
    ],
)
def test_a_part_that_is_not_there_is_told_with_what_there_is(tmp_path: Path, where: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says.replace(";", ";")):
        measured(tmp_path, "contrasts", [], **where)


def test_a_prediction_about_no_row_of_the_split_is_refused_though_only_a_part_is_measured(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError):
        measured(tmp_path, "contrasts", [{"id": "nowhere#pr1", "label": "YES"}], edited_phenomenon="BOUND")
