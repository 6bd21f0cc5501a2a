"""Mutants differ from the original in the one place that they name, on every machine the same, and leave no column out."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from building import REPOSITORY, ProjectFolder, mention, record
from dateline.manifest import read_manifest
from dateline.project import Project
from dateline.schema import Schemas, load_schemas
from dateline.validate.changes import Tables
from dateline.validate.mutants import Mutant, kinds, mutants

SCHEMAS = load_schemas(REPOSITORY / "schemas")


def tables_of(dataset: Path) -> dict[str, dict[str, pa.Table]]:
    found: dict[str, dict[str, pa.Table]] = {}
    for path in sorted(dataset.glob("*/*.parquet")):
        found.setdefault(path.parent.name, {})[path.name.partition("-")[0]] = pq.read_table(path)
    return found


@pytest.fixture(scope="module")
def tables(small_flagship: Project) -> Tables:
    return tables_of(small_flagship.dataset)


@pytest.fixture(scope="module")
def made(tables: Tables) -> list[Mutant]:
    return list(mutants(SCHEMAS, tables, "laws"))


def _rows(table: pa.Table) -> Counter[bytes]:
    return Counter(orjson.dumps(row, default=str) for row in table.to_pylist())


def _changed_columns(before: dict[str, object], after: dict[str, object]) -> list[str]:
    return [name for name in before if before[name] != after[name]]


def test_each_mutant_differs_from_the_original_in_its_place_and_nowhere_else(tables: Tables, made: list[Mutant]) -> None:
    # the wide rows of records and standoff go the same way, and would take half the time
    for mutant in (m for m in made if m.table not in {"records", "standoff"}):
        assert set(mutant.changed) == {e.table for e in mutant.edits}
        after = mutant.applied(tables)
        for name, splits in mutant.changed.items():
            lost = gained = 0
            for split, part in splits.items():
                old = tables[name].get(split, part.slice(0, 0))
                assert part.schema.equals(old.schema) and not part.equals(old), mutant
                before, now = _rows(old), _rows(part)
                lost, gained = lost + (before - now).total(), gained + (now - before).total()
            done = Counter(e.what for e in mutant.edits if e.table == name)
            if mutant.kind == "rows-reordered":  # the same rows
                assert lost == gained == 0
                continue
            assert lost == done["change"] + done["remove"], mutant
            assert gained == done["change"] + done["add"], mutant
        for edit in (e for e in mutant.edits if e.what == "change"):
            before_row = tables[edit.table][edit.split].slice(edit.row, 1).to_pylist()[0]
            after_row = after[edit.table][edit.split].slice(edit.row, 1).to_pylist()[0]
            assert _changed_columns(before_row, after_row) == [mutant.column], mutant


def test_kinds_reach_every_column_of_every_table(small_flagship: Project, tables: Tables, made: list[Mutant]) -> None:
    facts = read_manifest(small_flagship.dataset).tables
    base = {name: splits for name, splits in tables.items() if not facts[name].derived}
    columns = {(name, c) for name, splits in base.items() for part in splits.values() for c in part.column_names}
    assert columns - {(m.table, m.column) for m in made} == set()
    assert kinds().keys() == {m.kind for m in made}


def test_no_mutant_says_words_of_a_text(tables: Tables, made: list[Mutant]) -> None:
    texts = [t for part in tables["articles"].values() for t in part["text"].to_pylist() if t]
    for mutant in made:
        words = mutant.says.split()
        assert not any(" ".join(words[i : i + 4]) in text for i in range(len(words) - 3) for text in texts)


def test_the_same_seed_gives_the_same_mutants_in_another_process(small_flagship: Project, tables: Tables) -> None:
    program = (
        "import pathlib, sys; sys.path[:0] = sys.argv[2:]\n"
        "import test_mutants as t\n"
        "tables = {k: v for k, v in t.tables_of(pathlib.Path(sys.argv[1])).items() if k in ('articles', 'times')}\n"
        "print(*[m.says for m in t.mutants(t.SCHEMAS, tables, 'laws')], sep='\\n')"
    )
    command = [sys.executable, "-c", program, str(small_flagship.dataset), str(REPOSITORY / "src"), str(REPOSITORY / "tests")]
    said = subprocess.run(
        command, env={"PYTHONHASHSEED": "1"}, capture_output=True, text=True, check=True, timeout=120
    ).stdout.splitlines()
    small = {name: tables[name] for name in ("articles", "times")}
    assert said == [m.says for m in mutants(SCHEMAS, small, "laws")] and len(said) > 150


def test_another_seed_gives_other_places_and_more_per_kind_more_mutants(tables: Tables) -> None:
    small = {name: tables[name] for name in ("articles", "times")}
    one = list(mutants(SCHEMAS, small, "1"))
    assert {m.says for m in one} != {m.says for m in mutants(SCHEMAS, small, "2")}
    three = Counter((m.kind, m.table, m.column) for m in mutants(SCHEMAS, small, "1", 3))
    assert set(three) == {(m.kind, m.table, m.column) for m in one}
    assert max(three.values()) == 3 and three.total() > 2 * len(one)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Schemas, Tables]:
    folder = ProjectFolder(tmp_path_factory.mktemp("small"))
    folder.settings("[tool.dateline.splits]", 'mode = "given"')
    folder.seed(
        record("a1", split="train", mentions=[mention("m1", 0, 3), mention("m2", 8, 10, head={"start": 8, "end": 10})]),
        record("a2", split="test", text="Bo sleeps.", mentions=[mention("m1", 0, 2, score=1.5, parent_id=None)]),
        record("a3", split="test", text="Secret words.", rights={}, mentions=[mention("m3", 0, 6)]),
    )  # fmt: skip
    assert folder.rebuild().problems == []
    return load_schemas(folder.root / "schemas"), tables_of(folder.root / "dataset")


def test_an_article_alone_moves_with_all_its_rows(small: tuple[Schemas, Tables]) -> None:
    schemas, tables = small
    (moved,) = (m for m in mutants(schemas, tables, "1") if m.kind == "article-moved-alone")
    after = moved.applied(tables)
    article = next(a for a in ("a1", "a2", "a3") if a in moved.says)
    (was,), (now,) = (
        {
            (split, row.get("split", split))
            for parts in splits.values()
            for split, part in parts.items()
            for row in part.to_pylist()
            if row["article_id"] == article
        }
        for splits in (tables, after)
    )
    assert was[0] == was[1] != now[0] == now[1]


def test_words_are_put_into_withheld_columns_of_withheld_articles_only(small: tuple[Schemas, Tables]) -> None:
    schemas, tables = small
    found = [m for m in mutants(schemas, tables, "1", 50) if m.kind in {"withheld-given", "span-withheld"}]
    assert {(m.table, m.column) for m in found} >= {("articles", "text"), ("mentions", "spans"), ("mentions", "remark")}
    assert all("a3" in m.says for m in found)


@settings(max_examples=15)
@given(seed=st.text(max_size=8), most=st.integers(1, 4))
def test_mutants_of_any_seed_are_well_formed(small: tuple[Schemas, Tables], seed: str, most: int) -> None:
    schemas, tables = small
    for mutant in mutants(schemas, tables, seed, most):
        for name, splits in mutant.changed.items():
            for split, part in splits.items():
                part.validate(full=True)
                assert split not in tables[name] or not part.equals(tables[name][split])
