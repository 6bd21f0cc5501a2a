"""The tables that follow from tables, for a rebuild: which tasks there are, and what is wrong put at its place in the seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dateline.compile.locate import locate
from dateline.compile.plan import Plan
from dateline.compile.tables import ARTICLES, RECORDS
from dateline.derive.columns import Table
from dateline.derive.declared import Declared, declared
from dateline.derive.estimates import Fault, pair_of
from dateline.derive.tables import JUDGEMENTS, LAYERS
from dateline.derive.work import (
    ARTICLES_PER_FILE,
    ArticlesTask,
    Declaration,
    DerivedFacts,
    StoriesTask,
    derive_articles,
    derive_stories,
    hash_of_story,
)
from dateline.engines import Engine
from dateline.errors import Place, Problem
from dateline.manifest import logical_digest
from dateline.parquet import FileFacts
from dateline.project import Project
from dateline.row_facts import DIGEST_ENTRY
from dateline.rules import problem
from dateline.schema import Schemas


@dataclass
class Derived:
    """The derived tables of a dataset in the making: which there are, their files, label counts and digests; problems."""

    tables: tuple[Table, ...] = ()
    files: list[FileFacts] = field(default_factory=list)
    labels: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def declared_tables(project: Project, schemas: Schemas) -> Declared:
    """The derived tables that a project declares. Raises ProjectError for what schemas/ do not have."""
    return declared(project.settings.views, project.settings.estimates, schemas)


def derive_tables(
    project: Project,
    schemas: Schemas,
    planned: Plan,
    base: Sequence[FileFacts],
    judgements: Sequence[Mapping[str, Any]],
    engine: Engine,
    work: Path,
    tell: Callable[[str, int, int], None],
) -> Derived:
    """Derive all that the project declares from the files `base` in work/data, and put the new files beside them.

    `judgements` are the rows of the corpus-level table of that name. Raises ProjectError for what schemas/ do not have.
    """
    made = declared_tables(project, schemas)
    found = Derived((*made.views, *made.estimates))
    if not found.tables:
        return found
    declaration = Declaration(project.settings.views, project.settings.estimates, tuple(schemas.sources.items()))
    articles = pa.concat_tables([shard.articles.select(["article_id", "group", "split"]) for shard in planned.shards])
    data = work / "data"
    stories = list(_stories(declaration, made, articles, base, judgements, data, work)) if made.of_groups else []
    shards = list(_shards(declaration, base, data, work)) if made.of_articles else []
    faults = list(_homeless(judgements, articles)) if made.of_groups else []
    digests: dict[str, list[Path]] = {}
    results = chain(engine.map(derive_stories, stories), engine.map(derive_articles, shards))
    for done, facts in enumerate(results, 1):
        _take(found, facts, data)
        faults += facts.faults
        for name, path in facts.digests.items():
            digests.setdefault(name, []).append(path)
        tell("derive", done, len(stories) + len(shards))
    found.digests = {name: logical_digest(paths, DIGEST_ENTRY) for name, paths in digests.items()}
    found.problems = _problems(project, schemas, faults)
    return found


def _stories(
    declaration: Declaration,
    made: Declared,
    articles: pa.Table,
    base: Sequence[FileFacts],
    judgements: Sequence[Mapping[str, Any]],
    data: Path,
    work: Path,
) -> Iterator[StoriesTask]:
    """For each split, its stories in one file, or in as many as keep them small."""
    passages = {v.head.passages.layer for v in made.of_stories.values()} - {None}
    needed = {ARTICLES, *LAYERS, "annotation_sets", *passages}
    by_article: dict[str, list[Mapping[str, Any]]] = {}
    for judgement in judgements:
        by_article.setdefault(_article_of(judgement), []).append(judgement)
    known = pa.array([*by_article], articles["article_id"].type)
    for split in sorted(pc.unique(articles["split"]).to_pylist()):
        own = articles.filter(pc.equal(articles["split"], split)).select(["article_id", "group"])
        files: dict[str, tuple[Path, ...]] = {}
        for file in base:
            if file.split == split and file.config in needed:
                files[file.config] = (*files.get(file.config, ()), data / file.path)
        for number, part in enumerate(_parts(own)):
            if part.num_rows:
                judged = part["article_id"].filter(pc.is_in(part["article_id"], value_set=known))
                about = tuple(j for name in judged.to_pylist() for j in by_article[name])
                out = work / f"stories-{split}-{number}"
                out.mkdir()
                yield StoriesTask(declaration, part, files, about, split, f"s0000-b{number:02}", out)


def _parts(articles: pa.Table) -> Iterator[pa.Table]:
    """The articles of a split, cut by the first bits of the hashes of their stories."""
    bits = max(0, (articles.num_rows - 1) // ARTICLES_PER_FILE).bit_length()
    stories = pc.unique(articles["group"])
    parts = pa.array((int.from_bytes(hash_of_story(story.as_py())[:4]) >> (32 - bits) for story in stories), pa.int64())
    numbers = parts.take(pc.index_in(articles["group"], value_set=stories))
    for number in range(1 << bits):
        yield articles.filter(pc.equal(numbers, number))


def _shards(declaration: Declaration, base: Sequence[FileFacts], data: Path, work: Path) -> Iterator[ArticlesTask]:
    for number, file in enumerate(f for f in base if f.config == RECORDS):
        out = work / f"views-{number}"
        out.mkdir()
        stem = Path(file.path).name.removeprefix(f"{file.split}-").rpartition("-")[0]
        yield ArticlesTask(declaration, data / file.path, file.split, stem, out)


def _take(found: Derived, facts: DerivedFacts, data: Path) -> None:
    for file in facts.files:
        (data / file.path).parent.mkdir(exist_ok=True)
        (facts.out / file.path).replace(data / file.path)
    found.files += facts.files
    for table, columns in facts.labels.items():
        for column, counts in columns.items():
            found.labels.setdefault(table, {}).setdefault(column, Counter()).update(counts)


def _article_of(judgement: Mapping[str, Any]) -> str:
    return pair_of(judgement)[0].partition("#")[0]


def _homeless(judgements: Sequence[Mapping[str, Any]], articles: pa.Table) -> Iterator[Fault]:
    """Judgements about articles that the dataset does not have."""
    judged = pa.array(map(_article_of, judgements), articles["article_id"].type)
    there = pc.is_in(judged, value_set=articles["article_id"])
    for judgement, known in zip(judgements, there.to_pylist(), strict=True):
        if not known:
            found = {"found": pair_of(judgement)[0]}
            yield Fault("judgement-estimate", JUDGEMENTS, str(judgement["judgement_id"]), found)


def _problems(project: Project, schemas: Schemas, faults: Iterable[Fault]) -> list[Problem]:
    faults = list(faults)
    places = locate(project, schemas, {(f.table, f.row) for f in faults}) if faults else {}
    found = []
    for fault in faults:
        at = places.get((fault.table, fault.row))
        place = at.place if at else Place(f"{fault.table} {fault.row}")
        found.append(problem(fault.rule, place, snippet=at.snippet if at else None, **fault.values))
    return found
