"""Proof of teeth: the self-test says what plain validation says, and what survives has a reason."""

from __future__ import annotations

import functools
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from building import REPOSITORY, THOROUGH
from dateline.describe.matrix import matrix_page
from dateline.errors import SuiteError
from dateline.manifest import read_manifest
from dateline.project import Project, find_project
from dateline.schema import load_schemas
from dateline.selftesting import self_test_project
from dateline.validate.engine import open_engine
from dateline.validate.mutants import mutants
from dateline.validate.running import Options
from dateline.validate.selftest import Setup, Survivor, Toothless, read_survivors, read_tables, self_test, suites_digest
from dateline.validate.suites import read_suites
from dateline.validate.views import View, dataset_views, split_view

PAGE = REPOSITORY / "docs" / "validation-matrix.md"


def test_the_page_is_about_the_suites_as_they_are() -> None:
    digest = suites_digest(read_suites(REPOSITORY / "expectations"))
    assert f"`{digest}`" in PAGE.read_text(encoding="utf-8"), "run: dateline validate --self-test --md docs/validation-matrix.md"


@pytest.mark.slow(seconds=200 if THOROUGH else 20)
def test_a_sample_of_the_mutants_is_found_or_survives_for_a_stated_reason(small_flagship: Project, tmp_path: Path) -> None:
    root = shutil.copytree(small_flagship.root, tmp_path / "corpus")
    shutil.copytree(REPOSITORY / "expectations", root / "expectations")
    done = self_test_project(find_project(root), sample=400 if THOROUGH else 40)  # 40 are judged together
    assert done.success
    assert done.false_alarms == ()
    assert [o.says for o in done.unexpected] == []
    assert matrix_page(done.as_json()).startswith("# Validation matrix\n")


@pytest.mark.slow(seconds=15)
def test_looking_once_at_each_content_gives_what_validating_each_mutant_gives(small_flagship: Project) -> None:
    dataset = small_flagship.dataset
    manifest, schemas = read_manifest(dataset), load_schemas(REPOSITORY / "schemas")
    tables = read_tables(manifest, dataset)
    suites = [s for s in read_suites(REPOSITORY / "expectations") if s.view in ("mentions", "mentions_rows", "row_counts")]
    setup = Setup(
        tuple(suites), schemas.sources, tables, manifest, functools.partial(dataset_views, folder=dataset),
        functools.partial(open_engine, "duckdb", options=Options(threads=1, samples=0)),
    )  # fmt: skip
    done = self_test(setup, sample=150)
    made = {m.says: m for m in mutants(schemas, tables, setup.seed, setup.most_per_kind)}
    tried = [o for o in done.outcomes if o.table == "mentions"][:6]
    assert any(o.tripped for o in tried)
    for outcome in tried:
        changed = {split_view(t, s): rows for t, splits in made[outcome.says].changed.items() for s, rows in splits.items()}
        views = [View(v.name, rows=changed[v.name]) if v.name in changed else v for v in dataset_views(manifest, dataset)]
        with open_engine("duckdb", views, Options(samples=0)) as engine:
            results = [(s, engine.validate(s)) for s in suites]
        failed = {e.rule for s, r in results for e, one in zip(s.expectations, r.results, strict=True) if not one.success}
        assert sorted(failed) == list(outcome.tripped), outcome.says


def test_survivors_have_reasons_and_reasons_survivors(tmp_path: Path) -> None:
    assert read_survivors(tmp_path / "none.toml") == ((), ())
    written = tmp_path / "survivors.toml"
    written.write_text('[[survivors]]\ntable = "m*"\ncolumn = ["a", "b"]\nkind = "scaled"\nreason = "why"\n')
    ((survivor,), _) = read_survivors(written)
    assert survivor == Survivor(("m*",), ("a", "b"), ("scaled",), "why")
    for text in ("[[survivors]]\ntable = 'm'", "[[survivors", "[[toothless]]\nrule = 'x'\nreason = ' '"):
        written.write_text(text)
        with pytest.raises(SuiteError, match=r"is no list of \[\[survivors\]\]") as told:
            read_survivors(written)
        assert "\n" not in str(told.value)


def test_the_verdict_of_a_self_test() -> None:
    from dateline.validate.selftest import Outcome, RuleFacts, SelfTest

    rules = {about: RuleFacts("error", about, ("m",)) for about in ("content", "copies", "counts")}
    found = Outcome("scaled", "m", "a", "m a1 a: scaled", ("content", "copies", "counts"))
    counted = Outcome("dropped", "m", "", "m a1 is missing", ("counts",))
    clean = SelfTest("1", 1, None, "", "", rules, {}, (), (found,))
    assert clean.success
    assert not replace(clean, outcomes=(found, counted)).success, "found by counts alone is found by no rule about content"
    excused = (Survivor(("m",), ("",), ("dropped",), "why"),)
    assert replace(clean, outcomes=(found, counted), expected=excused).success
    assert replace(clean, expected=excused).stale and not replace(clean, expected=excused).success
    assert not replace(clean, false_alarms=("content",)).success
    assert replace(clean, outcomes=(replace(found, tripped=("content", "copies")),)).unexcused == ["counts"]
    only_counts = (Toothless("counts", "why"),)
    assert replace(clean, outcomes=(replace(found, tripped=("content", "copies")),), excused=only_counts).success
    assert replace(clean, excused=(Toothless("content", "why"),)).stale == ["content"]


def test_what_only_a_copy_finds_is_counted_apart_and_needs_a_reason_of_its_own() -> None:
    from dateline.validate.selftest import Outcome, RuleFacts, SelfTest

    rules = {about: RuleFacts("error", about, ("m",)) for about in ("content", "copies", "counts")}
    tripped = (("content", "copies"), ("copies", "counts"), ("counts",), ())
    outcomes = tuple(Outcome("scaled", "m", "a", f"m a{n}", rules) for n, rules in enumerate(tripped))
    done = SelfTest("1", 1, None, "", "", rules, {}, (), outcomes)
    assert [done.killed(o) for o in outcomes] == ["content", "copies", "counts", ""]
    assert done.killed(Outcome("scaled", "records", "a", "records a1", ("copies",))) == "content", "it is the copy that is wrong"
    excused = replace(done, expected=(Survivor(("m",), ("a",), ("scaled",), "nothing else repeats it", copies=True),))
    assert [o.says for o in excused.unexpected] == ["m a2", "m a3"]
    page = matrix_page(excused.as_json())
    assert "| found only because a copy differs (`row-nested`) | 1 |" in page
    assert "nothing else repeats it\n\n- `m.a`: scaled\\*" in page
