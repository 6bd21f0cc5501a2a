"""expectations/ holds real Great Expectations suites, and the dataset meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from building import REPOSITORY
from dateline.project import Project
from dateline.rules import registry
from dateline.schema import load_schemas

SUITES = sorted((REPOSITORY / "expectations").glob("*.json"))


@pytest.mark.slow
@pytest.mark.parametrize("path", SUITES, ids=lambda p: p.stem)
def test_great_expectations_loads_each_suite_whole_and_the_dataset_meets_it(
    path: Path, flagship: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GX_ANALYTICS_ENABLED", "False")
    gx = pytest.importorskip("great_expectations")
    written = json.loads(path.read_bytes())
    suite = gx.ExpectationSuite(**written)
    # GX drops what it does not know without a word, so what went in is counted
    assert [e.id for e in suite.expectations] == [e["id"] for e in written["expectations"]]
    frame = pd.concat(pd.read_parquet(p) for p in sorted((flagship.dataset / path.stem).glob("*.parquet")))
    batch = (
        gx.get_context(mode="ephemeral")
        .data_sources.add_pandas("p")
        .add_dataframe_asset("a")
        .add_batch_definition_whole_dataframe("b")
    )
    result = batch.get_batch({"dataframe": frame}).validate(suite)
    assert result.success, result
    broken = batch.get_batch({"dataframe": pd.concat([frame, frame])}).validate(suite)
    assert not broken.success


def test_every_rule_that_a_suite_decides_is_in_the_registry_and_says_the_same() -> None:
    rules = registry(load_schemas(REPOSITORY / "schemas"), REPOSITORY / "expectations")
    for path in SUITES:
        for written in json.loads(path.read_bytes())["expectations"]:
            rule = rules[written["meta"]["rule"]]
            assert (rule.stage, rule.level, rule.hint) == ("validate", written["meta"]["level"], written["meta"]["reason"])


def test_each_expectation_says_its_rule_level_and_reason() -> None:
    assert SUITES
    rules = [e["meta"] for path in SUITES for e in json.loads(path.read_bytes())["expectations"]]
    assert all(m["rule"] and m["level"] in {"error", "warning"} and m["reason"] for m in rules)
    assert len({m["rule"] for m in rules}) == len(rules)
