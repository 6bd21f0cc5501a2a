"""What goes where: groups never cross splits, released articles never move, no split is empty."""

from __future__ import annotations

import json
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import ProjectFolder, record
from dateline.compile.index import INDEX_SCHEMA
from dateline.compile.plan import Plan, assign_splits, plan
from dateline.errors import ProjectError
from dateline.ledger import Entry, Ledger
from dateline.project import Splits


def index(*articles: tuple[str, str | None, str | None]) -> pa.Table:
    """An index of (article_id, group, supersedes)."""
    rows = [
        {"article_id": a, "group": g, "supersedes": s, "split": None, "withheld": False, "record_sha256": "", "size": 10,
         "file": "f", "plain": "f", "line": n, "offset": 0, "length": 1}
        for n, (a, g, s) in enumerate(articles, 1)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=INDEX_SCHEMA)


def placed(made: Plan) -> dict[str, tuple[str, str, int]]:
    """Split, group and segment by article."""
    return {
        row["article_id"]: (row["split"], row["group"], shard.segment)
        for shard in made.shards
        for row in shard.articles.to_pylist()
    }


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 30)), unique_by=lambda p: p[0], min_size=1), st.randoms())
def test_the_plan_does_not_depend_on_the_order_of_the_index(pairs: list[tuple[int, int]], random: object) -> None:
    rows: list[tuple[str, str | None, str | None]] = [(f"a{i}", f"g{g}", None) for i, g in pairs]
    one = placed(plan(index(*rows), {}, Splits()))
    random.shuffle(rows)  # type: ignore[attr-defined]
    two = placed(plan(index(*rows), {}, Splits()))
    assert one == two
    splits_of: dict[str, set[str]] = {}
    for split, group, _ in one.values():
        splits_of.setdefault(group, set()).add(split)
    assert all(len(splits) == 1 for splits in splits_of.values())
    if len(splits_of) >= 3:
        assert {s for splits in splits_of.values() for s in splits} == {"train", "validation", "test"}


@given(st.sets(st.integers(), min_size=3, max_size=200), st.text())
def test_quotas_are_exact(numbers: set[int], salt: str) -> None:
    groups = [str(n) for n in numbers]
    counts = Counter(assign_splits(groups, groups, {}, Splits(salt=salt)).values())
    for split, share in Splits().quotas.items():
        assert abs(counts[split] - share * len(groups)) <= 2
        assert counts[split] >= 1


def test_released_articles_keep_split_segment_and_versions_and_new_ones_join_their_group() -> None:
    ledger: Ledger = {"a1": Entry("a1", "test", "g1", 1, "0.1.0"), "a2": Entry("a2", "train", "g2", 2, "0.2.0", "0.3.0")}
    made = plan(index(("a1", "g1", None), ("a2", "g2", None), ("a3", "g1", None), ("a4", "g4", None)), ledger, Splits())
    where = placed(made)
    assert where["a1"] == ("test", "g1", 1)
    assert where["a2"] == ("train", "g2", 2)
    assert where["a3"] == ("test", "g1", 3)
    assert where["a4"][2] == 3
    versions = {r["article_id"]: (r["added_in"], r["changed_in"]) for s in made.shards for r in s.articles.to_pylist()}
    assert versions["a2"] == ("0.2.0", "0.3.0") and versions["a4"] == (None, None)


@given(st.sets(st.integers(0, 1000), min_size=1, max_size=40), st.sets(st.integers(1001, 2000), max_size=40))
def test_adding_articles_moves_no_released_one(old: set[int], new: set[int]) -> None:
    before = placed(plan(index(*[(f"a{n}", None, None) for n in old]), {}, Splits()))
    ledger = {a: Entry(a, split, group, 1, "0.1.0") for a, (split, group, _) in before.items()}
    after = placed(plan(index(*[(f"a{n}", None, None) for n in old | new]), ledger, Splits()))
    assert {a: after[a][0] for a in before} == {a: split for a, (split, _, _) in before.items()}


def test_an_article_shares_group_and_split_with_the_one_it_supersedes() -> None:
    made = plan(index(("a1", "g1", None), ("a2", None, "a1"), ("a3", None, "a2"), ("b", None, None)), {}, Splits())
    where = placed(made)
    assert where["a1"][:2] == where["a2"][:2] == where["a3"][:2]
    assert where["a3"][1] == "g1"
    missing = plan(index(("a1", None, "a0")), {}, Splits())
    assert [p.rule for p in missing.problems] == ["supersedes"]


def test_given_splits_are_taken_and_missing_ones_named(folder: ProjectFolder) -> None:
    folder.settings("[tool.dateline.splits]", 'mode = "given"')
    folder.seed(record("a1", split="dev"), record("a2", split="heldout"), record("a3"))
    assert [(p.rule, p.place.line) for p in folder.rebuild().problems] == [("split-given", 3)]
    folder.seed(record("a1", split="dev"), record("a2", split="heldout"))
    made = folder.rebuild().manifest
    assert made is not None and made.tables["articles"].splits == {"dev": 1, "heldout": 1}


def test_the_ledger_is_read_from_the_seeds(folder: ProjectFolder) -> None:
    entry = {"article_id": "a1", "split": "test", "group": "a1", "segment": 1, "added_in": "0.1.0"}
    (folder.root / "seeds" / "ledger.jsonl").write_text(json.dumps(entry) + "\n")
    folder.seed(record("a1"))
    made = folder.rebuild().manifest
    assert made is not None and made.tables["articles"].splits == {"test": 1}
    (folder.root / "seeds" / "ledger.jsonl").write_text("{}\n")
    with pytest.raises(ProjectError, match=r"ledger\.jsonl:1"):
        folder.rebuild()
