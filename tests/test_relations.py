"""Each relation that people wrote, on a few rows: tests/relations/<name>.toml names those that a column finds good and bad."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from building import REPOSITORY
from dateline.schema import Schemas, load_schemas
from relations_at_hand import connect, select, views_of

WRITTEN = sorted((REPOSITORY / "expectations" / "relations").glob("*_facts.sql"))
CASES = Path(__file__).parent / "relations"


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return load_schemas(REPOSITORY / "schemas")


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: p.stem)
def test_each_column_of_a_relation_tells_good_rows_from_bad_ones(path: Path, schemas: Schemas) -> None:
    suite: dict[str, Any] = json.loads(path.with_suffix(".json").read_bytes())
    case = tomllib.loads((CASES / f"{path.stem}.toml").read_text(encoding="utf-8"))
    expected = case.pop("expect")
    database = connect(views_of(case, schemas))
    rows = select(database, path.read_text(encoding="utf-8"))
    found = {"#".join(row.pop(k) for k in suite["meta"]["key"]): row for row in rows}
    assert len(found) == len(rows) == len(case[suite["meta"]["table"]])  # one row for each of the table, whatever is joined
    assert expected.keys() == {e["kwargs"]["column"] for e in suite["expectations"]} == rows[0].keys()
    for column, named in expected.items():
        assert named["true"] and named["false"], f"{column}: name a good row and a bad one"
        sides = (("true", True), ("false", False), ("null", None))
        said = {key: value for side, value in sides for key in named.get(side, ())}
        assert {key: found[key][column] for key in said} == said, column
