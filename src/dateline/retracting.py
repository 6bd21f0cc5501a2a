"""retract and yank: what was released is taken back, with its reason; the ledger remembers it, without any text.

A retracted article's record leaves seeds/, its id and the hash of its text stay in the ledger, and neither comes in again; the
next release is a major one. A yanked release stays what it is: who loads it is warned.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import chain

from dateline.compile.seeds import read_tables
from dateline.errors import InputError, Place
from dateline.ledger import Articles, Entry, Ledger, Mark, read_ledger
from dateline.project import Project
from dateline.schema import load_schemas
from dateline.standing import Standing
from dateline.transaction import Step, Write, commit
from dateline.versions import today
from dateline.work_folder import work_folder


@dataclass(frozen=True)
class TakenBack:
    """What was taken back: articles or a release, the files that changed for it, and rows that still speak of it."""

    what: list[str]
    files: list[str]
    twins: list[Place] = field(default_factory=list)
    """Records with the text of a retracted article, which stay."""
    mentioned: list[Place] = field(default_factory=list)
    """Records that supersede a retracted article, rows of corpus-level tables that name it; a rebuild refuses those that refer to
    what is gone."""


def retract(
    project: Project, article_ids: Sequence[str], reason: str, *, day: datetime.date | None = None, dry_run: bool = False
) -> TakenBack:
    """Take released articles out of seeds/ and leave a tombstone for each; all of them or none.

    Raises InputError for an article that was not released, is retracted already, or stands in a compressed file.
    """
    _has_reason(reason)
    with _ledger(project) as ledger:
        mark = Mark(reason.strip(), (day or today()).isoformat())
        marked: dict[str, Entry] = {}
        standing = Standing(project)
        ids = list(dict.fromkeys(article_ids))
        for article_id in ids:
            entry = ledger.articles.get(article_id)
            if entry is None:
                raise InputError(_unknown(article_id, ledger, standing))
            if entry.retracted:
                since = f"in {entry.retracted.version}" if entry.retracted.version else f"on {entry.retracted.date}"
                raise InputError(f"{article_id}: was retracted {since} already ({entry.retracted.reason})")
            marked[article_id] = replace(entry, retracted=mark)
        there = [article_id for article_id in ids if article_id in standing]
        for article_id in there:
            if standing.compressed(article_id):
                raise InputError(
                    f"{standing.place(article_id)}: stands in a compressed file, in which nothing can be changed; take the "
                    "record out of it, then retract the article"
                )
        steps: list[Step] = [
            Write(f"seeds/{name}", content or None) for name, content in standing.files_with(dict.fromkeys(there))
        ]
        articles = Articles(chain(Articles.of(ledger.articles).entries(), marked.values()))
        steps.append(Write("seeds/ledger.jsonl", replace(ledger, articles=articles).encode()))
        if not dry_run:
            commit(project.root, f"the retraction of {', '.join(ids)}", steps)
        later = {one for article_id in ids for one in standing.superseding.get(article_id, ()) if one not in ids}
        mentioned = [standing.place(one).at("$.supersedes") for one in sorted(later)]
        texts = {entry.text_sha256 for entry in marked.values()} - {None}
        alike = (e.article_id for e in Articles.of(ledger.articles).entries() if e.text_sha256 in texts and not e.retracted)
        twins = [standing.place(one) for one in alike if one in standing and one not in marked]
        return TakenBack(ids, [step.path for step in steps], twins, [*mentioned, *_mentions(project, set(ids))])


def yank(project: Project, version: str, reason: str, *, day: datetime.date | None = None, dry_run: bool = False) -> TakenBack:
    """Mark a release as one that nobody should use.

    Raises InputError for a version that was not released, or is yanked already.
    """
    _has_reason(reason)
    version = version.removeprefix("v")
    with _ledger(project) as ledger:
        known = {release.version: release for release in ledger.releases}
        release = known.get(version)
        if release is None:
            there = f"there are {', '.join(known)}" if known else "nothing was released yet"
            raise InputError(f"{version}: is no released version; {there}")
        if release.yanked:
            raise InputError(f"{version}: was yanked on {release.yanked.date} already ({release.yanked.reason})")
        marked = replace(release, yanked=Mark(reason.strip(), (day or today()).isoformat()))
        releases = tuple(marked if r is release else r for r in ledger.releases)
        if not dry_run:
            commit(project.root, f"yanking {version}", [Write("seeds/ledger.jsonl", replace(ledger, releases=releases).encode())])
        return TakenBack([version], ["seeds/ledger.jsonl"])


@contextmanager
def _ledger(project: Project) -> Iterator[Ledger]:
    """The ledger, while no rebuild, release or retraction runs beside this one."""
    with work_folder(project):
        yield read_ledger(project.ledger)


def _has_reason(reason: str) -> None:
    if not reason.strip() or not reason.isprintable():
        raise InputError("--reason: must say in one line why; it is published, so quote nothing of the text")


def _unknown(article_id: str, ledger: Ledger, standing: Standing) -> str:
    if article_id in standing:
        return f"{article_id}: was never released; take its record out of {standing.place(article_id).file}, and that is all"
    near = get_close_matches(article_id, ledger.articles, n=3)
    if near:
        return f"{article_id}: is no released article; nearest are {', '.join(near)}"
    return f"{article_id}: is no released article; {len(ledger.articles):,} were released"


def _mentions(project: Project, ids: set[str]) -> Iterator[Place]:
    """Rows of corpus-level tables in which a value is one of the ids, or begins with one and a `#`."""
    schemas = load_schemas(project.schemas)
    tables = read_tables(project, schemas)
    for name, rows in tables.rows.items():
        for row in rows:
            if any(isinstance(value, str) and value.partition("#")[0] in ids for value in row.values()):
                yield Place(f"{name} {row[schemas.tables[name].key.name]}")
