"""A relation cut down to one condition says of each row what the whole says."""

from __future__ import annotations

import json

from building import REPOSITORY
from dateline.manifest import read_manifest
from dateline.project import Project
from dateline.validate.slices import sliced
from dateline.validate.views import dataset_views
from relations_at_hand import connect, select

RELATIONS = REPOSITORY / "expectations" / "relations"


def test_a_condition_alone_says_what_it_says_among_the_others(small_flagship: Project) -> None:
    dataset = small_flagship.dataset
    database = connect(dataset_views(read_manifest(dataset), dataset))
    for name in ("articles_rows", "attributions_rows", "records_rows"):
        relation = (RELATIONS / f"{name}.sql").read_text(encoding="utf-8")
        conditions = [e["kwargs"]["column"] for e in json.loads((RELATIONS / f"{name}.json").read_bytes())["expectations"]]
        whole = select(database, relation)
        for column in conditions:
            part = sliced(relation, [column])
            assert part is not None
            assert len(part) < len(relation)
            found = select(database, part)
            assert sorted(str(row[column]) for row in found) == sorted(str(row[column]) for row in whole), column
            assert all(row.keys() == {column} for row in found)


def test_what_a_condition_does_not_read_is_left_out() -> None:
    part = sliced((RELATIONS / "records_rows.sql").read_text(encoding="utf-8"), ["claims_same"])
    assert part is not None
    assert "claims_inside" in part
    assert "events" not in part


def test_only_derived_relations_are_cut() -> None:
    assert sliced((RELATIONS / "claims_facts.sql").read_text(encoding="utf-8"), ["proposed"]) is None
    assert sliced((RELATIONS / "claims_rows.sql").read_text(encoding="utf-8"), ["no_such_column"]) is None
