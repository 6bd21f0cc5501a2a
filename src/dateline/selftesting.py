"""validate --self-test: does each rule catch the fault that it exists for? Mutants of a dataset, judged by its own suites."""

from __future__ import annotations

import functools
from dataclasses import replace

from dateline.engines import Engine
from dateline.errors import SuiteError
from dateline.manifest import Manifest, read_manifest
from dateline.project import Project
from dateline.schema import load_schemas
from dateline.validate.engine import open_engine
from dateline.validate.running import Options
from dateline.validate.selftest import SelfTest, Setup, read_survivors, read_tables, self_test, suites_digest
from dateline.validate.suites import Suite, read_suites
from dateline.validate.views import dataset_views
from dateline.validating import Tell

SURVIVORS = "survivors.toml"


def self_test_project(
    project: Project, workers: Engine | None = None, *, sample: int | None = None, tell: Tell = lambda *_: None
) -> SelfTest:
    """Run the suites of a project on mutants of its dataset: on all, or on `sample` of them. Nothing is written.

    Raises LoadError if there is no dataset, SuiteError for what is wrong in expectations/ or cannot be run on this dataset.
    """
    manifest = read_manifest(project.dataset)
    suites = read_suites(project.expectations, project.name_of(project.expectations))
    if not suites:
        raise SuiteError(f"{project.name_of(project.expectations)}: holds no suite; there is nothing to test")
    setup = Setup(
        tuple(s for s in suites if _is_tried(s, manifest)),
        load_schemas(project.schemas).sources,
        read_tables(manifest, project.dataset),
        manifest,
        functools.partial(dataset_views, folder=project.dataset),
        functools.partial(open_engine, "duckdb", options=Options(threads=1, samples=0)),
    )
    expected = read_survivors(project.expectations / SURVIVORS)
    done = self_test(setup, sample=sample, expected=expected, workers=workers, progress=lambda n, of: tell("self-test", n, of))
    return replace(done, suites=suites_digest(suites))


def _is_tried(suite: Suite, manifest: Manifest) -> bool:
    """Whether a suite is run on mutants: not where its table has no rows, and not where that follows from other tables.

    Mutants are made of what people write. A derived table would give each of them away by not following any more, which says
    nothing of what is right; what its own rules find is shown in tests/relations.
    """
    about = manifest.tables.get(suite.table) or manifest.tables.get(suite.view)
    return about is None or (bool(about.rows) and not about.derived)
