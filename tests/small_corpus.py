"""A small part of this corpus, as a project of its own: all its schemas, settings, suites and tables, and few articles.

What is true of rows, schemas and suites is tried on it; what is promised of the whole corpus is tried on the whole.
"""

from __future__ import annotations

import datetime
import functools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from building import REPOSITORY, Json
from dateline.engines import LocalEngine
from dateline.ledger import read_ledger
from dateline.pipeline import rebuild
from dateline.project import Project, find_project
from dateline.releasing import release
from git_projects import commit, git

FIRST = (
    "ap-20241031-648d3119dda7", "brief-20241106-6dcd30102d36", "carrow-20260311-f9f4dfa7462a", "desk-20241105-80b60d400183",
    "harbour-20260518-4502d7cd03cc", "landbote-20260312-27620ffa0127", "meridian-20260519-7c723b8b79ca",
    "northfold-20260908-f3fa5e371e7f", "quillon-20260909-bb3d1c0e8b28",
)  # fmt: skip
"""The articles of release 0.2.0, one of them withheld."""
STORY = "lomvera-referendum"
"""A story of three outlets, in Ukrainian."""
CONTRAST_SET = "date-camp-said-00"
"""Two short texts of a cell that is held out."""
SOME_SUITES = ("expectations/articles.json", "expectations/claims.json", "expectations/judgements.json")
"""Suites that a release meets: what they cost depends on how many there are, and not on the rows."""
SEEDS = REPOSITORY / "seeds"


@functools.cache
def small_records() -> dict[Path, list[Json]]:
    """The records of the small corpus, by their file in seeds/: the first articles, a story, an anchor, a contrast set."""
    anchor = min(SEEDS.glob("articles/wikinews-*.json"), default=None)
    articles = {path: _json(path) for path in sorted(SEEDS.glob("articles/*.json"))}
    found = {
        path: [record]
        for path, record in articles.items()
        if record["article_id"] in FIRST or record["group"] == STORY or path == anchor
    }
    for path in sorted(SEEDS.glob("contrasts/*.jsonl")):
        members = [record for record in _lines(path) if record["contrast_set_id"] == CONTRAST_SET]
        found |= {path: members} if members else {}
    return found


def records_at_hand() -> list[Json]:
    """The small corpus, record by record."""
    return [record for records in small_records().values() for record in records]


def every_record() -> Iterator[Json]:
    """The whole corpus, record by record."""
    yield from map(_json, sorted(SEEDS.glob("articles/*.json")))
    for path in sorted(SEEDS.glob("contrasts/*.jsonl")):
        yield from _lines(path)


def table_rows(table: str) -> list[Json]:
    """The rows of a corpus-level table that name no article outside the small corpus."""
    known = {record["article_id"] for record in records_at_hand()}
    rows = _lines(SEEDS / "tables" / f"{table}.jsonl")
    return [row for row in rows if {_article(row[name]) for name in ("estimate_a", "estimate_b") if name in row} <= known]


def lay_out_small(root: Path, *parts: str) -> Project:
    """The project of the small corpus in an empty folder, not built; further `parts` of the repository, such as its suites."""
    for name in ("pyproject.toml", "schemas", "examples", *parts):
        _copy(REPOSITORY / name, root / name)
    for path, records in small_records().items():
        target = root / path.relative_to(REPOSITORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json":
            shutil.copy(path, target)
        else:
            _write_lines(target, records)
    (root / "seeds" / "tables").mkdir()
    for path in sorted((SEEDS / "tables").glob("*.jsonl")):
        _write_lines(root / "seeds" / "tables" / path.name, table_rows(path.stem))
    project = find_project(root)
    _keep_what_was_released(project)
    return project


def build_small(root: Path, *parts: str) -> Project:
    """The same, built."""
    project = lay_out_small(root, *parts)
    assert rebuild(project, LocalEngine(1)).problems == []
    return project


def release_small(root: Path) -> Project:
    """The same with some suites, as its first release, in a git repository of its own."""
    project = lay_out_small(root, *SOME_SUITES, "CITATION.cff")
    project.ledger.unlink()
    settings = root / "pyproject.toml"
    unreleased = re.sub(r"^version = .*$", 'version = "0.0.0"', settings.read_text(encoding="utf-8"), flags=re.MULTILINE)
    settings.write_text(unreleased, encoding="utf-8")
    (root / ".gitignore").write_text(".dateline/\n", encoding="utf-8")
    git(root, "init", "-q")
    commit(root)
    done = release(find_project(root), LocalEngine(1), day=datetime.date(2026, 1, 2))
    assert done.success, done
    commit(root)
    return find_project(root)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _keep_what_was_released(project: Project) -> None:
    """The ledger, as if only what is here had been released."""
    articles = {record["article_id"] for record in records_at_hand()}
    ledger = read_ledger(SEEDS / "ledger.jsonl")
    rows = {(path.stem, row) for path in project.seeds.glob("tables/*.jsonl") for row in _keys(path)}
    kept = replace(
        ledger,
        articles={name: entry for name, entry in ledger.articles.items() if name in articles},
        rows={key: entry for key, entry in ledger.rows.items() if key in rows},
    )
    project.ledger.write_bytes(kept.encode())


def _keys(table: Path) -> Iterator[str]:
    """The keys of the rows of a table, which stand first in each."""
    return (str(next(iter(row.values()))) for row in _lines(table))


def _article(estimate: str) -> str:
    return estimate.partition("#")[0]


def _json(path: Path) -> Json:
    read: Callable[[bytes], Json] = json.loads
    return read(path.read_bytes())


def _lines(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _write_lines(path: Path, rows: list[Json]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
