"""rebuild: the whole story on one page, from seeds/ to dataset/.

read schemas -> index the seeds -> plan -> compile shards -> derive -> describe -> validate -> scan for leaks -> promote. All
is made in a work folder; nothing of dataset/ changes before all of it is there (see `promoting`).
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from dateline import receipt, versions
from dateline.cache import Cache
from dateline.compare import Differences, compare
from dateline.compile.groups import SignatureFile
from dateline.compile.index import Indexed, IndexFile, IndexTask, digest_of_records, gather, index_file
from dateline.compile.plan import Plan, plan
from dateline.compile.remote_seeds import bring
from dateline.compile.seeds import Tables, read_tables, seed_files
from dateline.compile.shard import ShardFacts, ShardTask, compile_shard
from dateline.compile.signature import signing_of
from dateline.compile.tables import (
    arrow_schema,
    layer_row,
)  # fmt: skip
from dateline.compile.withheld import LeakScan, scan_for_leaks, strings_in
from dateline.derive.tables import JUDGEMENTS
from dateline.deriving import Derived, declared_tables, derive_tables
from dateline.describe.card import head_of
from dateline.describing import Stamp, describe, keys_of
from dateline.engines import Engine
from dateline.errors import BuildError, Problem, ProjectError, needing
from dateline.ledger import UNRELEASED, Ledger, read_ledger
from dateline.manifest import (
    CARD,
    Manifest,
    logical_digest,
    read_manifest,
)  # fmt: skip
from dateline.manifest import NAME as MANIFEST
from dateline.parquet import arrow_table, write_whole
from dateline.profiling import Profile
from dateline.project import Project
from dateline.promoting import is_whole, promote, sweep_away
from dateline.receipt import Receipt
from dateline.row_facts import DIGEST_ENTRY, canonical, count_labels
from dateline.schema import Schemas, load_schemas
from dateline.validate.findings import Finding
from dateline.validating import validate_build
from dateline.work_folder import work_folder

if TYPE_CHECKING:
    from dateline.remote_dataset import Put, RemoteDataset

CORPUS_SPLIT = "corpus"
"""The one split of a corpus-level table; such tables belong to all splits."""

Tell = Callable[[str, int, int], None]


@dataclass
class Rebuilt:
    """What a rebuild did: the manifest of the new dataset, or the problems for which there is none; warnings either way."""

    manifest: Manifest | None = None
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    changed: bool = False
    swept: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    leaks: LeakScan = field(default_factory=LeakScan)
    validated: dict[str, int] | None = None
    """How many expectations there were, and what became of them; None where there are no suites."""
    findings: list[Finding] = field(default_factory=list)
    """What failed the suites, if that is why there is no dataset."""
    put: Put | None = None
    """What was put into an object store, if that was asked for."""


def rebuild(
    project: Project,
    engine: Engine,
    *,
    tell: Tell = lambda *_: None,
    sweep: bool = False,
    today: datetime.date | None = None,
    profile: Profile | None = None,
    known: bool = False,
    seeds: str | None = None,
    out: str | None = None,
) -> Rebuilt:
    """Compile seeds/ into dataset/. If anything is wrong, problems are returned and dataset/ stays as it was.

    With `known`, what the last rebuild said is said again, and nothing is made, if nothing that it read has changed since and all
    files of dataset/ are still what they were; if only records have changed, what follows from the others is not made again.

    With `seeds`, an address in an object store, the records there stand in place of those in seeds/ (see `bring`). With `out`,
    another one, dataset/ is put there, too, by the engine's workers (see `RemoteDataset`).

    What fails a suite of expectations/ is wrong, too; tables that met the same suites already are not validated again. `today`
    (by default the day in UTC) decides which waivers have expired, and nothing else.

    With `sweep`, files of the build before are removed at once; else a reader that still has the old card can finish, and
    the next rebuild removes them. A `profile` is told what each stage takes. Raises DatelineError for what cannot run at all.
    """
    profile = profile or Profile()
    with work_folder(project) as work:
        remote = _remote(project, out) if out is not None else None
        project = _with_records(project, seeds, engine, work, tell, profile)
        done = _rebuilt(project, engine, work, tell, today, sweep=sweep, profile=profile, known=known)
        if remote is not None and done.manifest is not None:
            with profile.stage("put"):
                done.put = remote.put(done.manifest, engine, tell, sweep=sweep)
        return done


def _remote(project: Project, address: str) -> RemoteDataset:
    with needing("build,s3", "--out"):
        from dateline.remote_dataset import RemoteDataset  # asks again by a package that a rebuild does without

        return RemoteDataset(project, address)


def _rebuilt(
    project: Project,
    engine: Engine,
    work: Path,
    tell: Tell,
    today: datetime.date | None,
    *,
    sweep: bool,
    profile: Profile,
    known: bool,
) -> Rebuilt:
    with profile.stage("look for changes"):
        key = receipt.key_of(project)
        found = _as_before(project, key, today or versions.today(), sweep) if known and key is not None else None
        profile.input_bytes = sum(map(_size, seed_files(project)))
    if found is not None:
        return found
    ground = receipt.ground_of(project)
    cache = Cache(project, work, ground, known=known) if ground is not None else None
    made = make(project, engine, work, tell, today, again=False, profile=profile, cache=cache)
    if isinstance(made, Rebuilt):
        return made
    with profile.stage("promote"):
        receipt.forget(project)
        done = promote(project, made.manifest, made.card, work, sweep)
        if cache is not None and receipt.ground_of(project) == ground:  # what was edited meanwhile may have been read
            cache.keep()
    if key is not None and key == receipt.key_of(project):  # what was edited meanwhile was perhaps not read
        faces = receipt.faces_of(made.card, made.manifest.encode())
        until = receipt.last_day(project)
        receipt.keep(project, Receipt(key, faces, made.warnings, made.leaks, made.validated, until))
    return Rebuilt(made.manifest, warnings=made.warnings, leaks=made.leaks, validated=made.validated, **vars(done))


def check(
    project: Project,
    engine: Engine,
    *,
    tell: Tell = lambda *_: None,
    profile: Profile | None = None,
    seeds: str | None = None,
) -> Rebuilt | Differences:
    """Whether dataset/ is what seeds/ give, without changing it: the differences, or the problems for which nothing is given.

    With `seeds`, the records at that address count. Raises DatelineError for what cannot run at all.
    """
    profile = profile or Profile()
    with work_folder(project) as work:
        project = _with_records(project, seeds, engine, work, tell, profile)
        made = make(project, engine, work, tell, None, again=True, profile=profile)
        if isinstance(made, Rebuilt):
            return made
        written = {MANIFEST: made.manifest.encode(), CARD: made.card.encode()}
        beside = [*made.manifest.validation, *([made.manifest.versions] if made.manifest.versions else [])]
        written |= {file["path"]: (work / "data" / file["path"]).read_bytes() for file in beside}
        schemas = load_schemas(project.schemas)
        following = declared_tables(project, schemas)
        keys = keys_of(schemas, (*following.views, *following.estimates))
        return compare(project.dataset, work / "data", written, made.manifest, keys)


def find(project: Project, engine: Engine, *, samples: int, tell: Tell = lambda *_: None) -> tuple[list[Finding], list[Problem]]:
    """What the suites find in the tables of seeds/ as they stand, and what keeps them from being run; dataset/ stays as it is.

    A finding names up to `samples` rows. Raises DatelineError for what cannot run at all.
    """
    with work_folder(project) as work:
        made = make(project, engine, work, tell, None, again=True, samples=samples)
        return made.findings, made.problems if isinstance(made, Rebuilt) and not made.findings else []


def build_aside(project: Project, engine: Engine, into: Path, *, tell: Tell = lambda *_: None) -> list[Problem]:
    """Build what seeds/ give in the new folder `into`, to be compared and not passed on; the problems for which that cannot be.

    Nothing is validated, and dataset/ stays as it is. Raises DatelineError for what cannot run at all.
    """
    with work_folder(project) as work:
        made = make(project, engine, work, tell, None, again=True, suites=False)
        if isinstance(made, Rebuilt):
            return made.problems
        shutil.move(work / "data", into)
        (into / CARD).write_text(made.card, encoding="utf-8", newline="")
        (into / MANIFEST).write_bytes(made.manifest.encode())
        return []


@dataclass(frozen=True)
class Made:
    """All of a dataset but its place: data files lie in the work folder, in `data`."""

    manifest: Manifest
    card: str
    ledger: Ledger
    planned: Plan
    table_keys: list[tuple[str, str]]
    """The rows of corpus-level tables: table, key."""
    warnings: list[Problem]
    leaks: LeakScan
    validated: dict[str, int] | None = None
    findings: list[Finding] = field(default_factory=list)


def make(
    project: Project,
    engine: Engine,
    work: Path,
    tell: Tell,
    today: datetime.date | None,
    *,
    again: bool,
    samples: int = 20,
    stamp: Stamp | None = None,
    suites: bool = True,
    profile: Profile | None = None,
    cache: Cache | None = None,
) -> Rebuilt | Made:
    """All of a rebuild but its last step: data files in work/data, manifest and card; or what is wrong.

    What a `cache` knows is not made again; it is told what there is now. With a `stamp` the build is that release. Without
    `suites` nothing is validated, nor scanned for leaks: nobody may get to see what is made so.
    """
    profile = profile or Profile()
    profile.input_bytes = sum(map(_size, seed_files(project)))
    with profile.stage("read schemas and tables"):
        schemas = load_schemas(project.schemas)
        tables = read_tables(project, schemas)
    with profile.stage("index"):
        indexed = _index(project, schemas, engine, work, tell, cache)
    ledger = stamp.ledger if stamp else _ledger_of(project)
    with profile.stage("plan"):
        inputs = digest_of_records(indexed.file.table)
        index, signatures = indexed.file, indexed.signatures
        index.forget()
        splits = project.settings.splits
        planned = plan(index.table, ledger.articles, splits, ledger.bits, signatures=signatures, spill=work, forget=index.forget)
        pa.default_memory_pool().release_unused()  # workers begin beside this process
    with profile.stage("compile"):
        facts = _compile(planned, schemas, tables, engine, work, tell, cache, public=not project.settings.private)
    told = _sorted([*tables.problems, *indexed.problems, *planned.problems, *facts.problems])
    problems, warnings = [p for p in told if p.fails], [p for p in told if not p.fails]
    if problems:
        return Rebuilt(problems=problems, warnings=warnings)
    if not facts.files:
        where = project.records.address if project.records else project.name_of(project.seeds)
        raise BuildError(f"{where}: holds no records; there is nothing to build")
    with profile.stage("derive"):
        _corpus_tables(schemas, tables, ledger, facts, work)
        judgements = tables.rows.get(JUDGEMENTS, [])
        derived = derive_tables(project, schemas, planned, facts.files, judgements, engine, work, tell)
    if derived.problems:
        return Rebuilt(problems=_sorted(derived.problems), warnings=warnings)
    facts.files += derived.files
    facts.labels |= derived.labels
    with profile.stage("describe"):
        manifest, text, ledger = describe(project, schemas, planned, inputs, facts, derived, ledger, stamp, work)
    keys = [(name, key) for name in tables.keys for key in sorted(tables.keys[name])]
    if not suites:
        return Made(manifest, text, ledger, planned, keys, warnings, LeakScan())
    with profile.stage("validate"):
        validated = validate_build(project, work / "data", manifest, today, again=again, tell=tell, samples=samples)
    failed = [p for finding in validated.findings if finding.fails for p in finding.as_problems()]
    if failed:
        return Rebuilt(problems=failed, warnings=warnings, validated=validated.counts, findings=validated.findings)
    manifest = dataclasses.replace(manifest, validation=validated.files)
    warnings += [p for finding in validated.findings if finding.waived is None for p in finding.as_problems()]
    with profile.stage("scan for leaks"):
        leaks = _scan(project, schemas, derived, planned, facts, manifest, text, engine, work)
    if leaks.problems:
        return Rebuilt(problems=_sorted(leaks.problems), warnings=warnings, leaks=leaks)
    return Made(manifest, text, ledger, planned, keys, warnings, leaks, validated.counts, validated.findings)


# ---- the stages ----------------------------------------------------------------------------------------------


def _with_records(project: Project, seeds: str | None, engine: Engine, work: Path, tell: Tell, profile: Profile) -> Project:
    """The project, with the records at an address if one is given."""
    if seeds is None:
        return project
    with profile.stage("bring seeds"):
        return bring(project, seeds, engine, work, tell)


@dataclass
class _Index:
    """What the seeds hold, and what is wrong there."""

    file: IndexFile
    signatures: SignatureFile | None
    problems: list[Problem]


def _index(project: Project, schemas: Schemas, engine: Engine, work: Path, tell: Tell, cache: Cache | None) -> _Index:
    sources = tuple(schemas.sources.items())
    splits = project.settings.splits
    signing = signing_of(splits) if splits.near_duplicates else None
    names = {path: project.name_of(path) for path in seed_files(project)}
    known = {path: cache.index_of(name) if cache else None for path, name in names.items()}
    spill = work / "index"
    tasks = [IndexTask(path, name, spill, sources, signing, known[path], cache is not None) for path, name in names.items()]
    problems: list[Problem] = []

    def pieces() -> Iterator[Indexed]:
        for done, indexed in enumerate(engine.map(index_file, tasks), 1):
            problems.extend(indexed.problems)
            if cache is not None:
                cache.note_index(tasks[done - 1].name, indexed)
            yield indexed
            tell("index", done, len(tasks))

    file, signatures = gather(pieces(), work, signing)
    return _Index(file, signatures, problems)


def _compile(
    planned: Plan,
    schemas: Schemas,
    tables: Tables,
    engine: Engine,
    work: Path,
    tell: Tell,
    cache: Cache | None,
    *,
    public: bool,
) -> ShardFacts:
    sources = tuple(schemas.sources.items())
    tasks = []
    for number, shard in enumerate(planned.shards):
        out = work / f"shard-{number}"
        out.mkdir()
        tasks.append(ShardTask(shard, sources, tables.keys, out, public, cache.before(shard.stem) if cache else None))
    merged = ShardFacts()
    digests: dict[str, list[Path]] = {}
    for number, facts in enumerate(engine.map(compile_shard, tasks)):
        for file in facts.files:
            _take(facts.out, file.path, work / "data")
        merged.files += facts.files
        merged.problems += facts.problems
        if cache is not None:
            cache.note_shard(planned.shards[number].stem, facts)
        for config, path in facts.digests.items():
            digests.setdefault(config, []).append(path)
        for config, labels in facts.labels.items():
            for column, counts in labels.items():
                merged.labels.setdefault(config, {}).setdefault(column, Counter()).update(counts)
        tell("compile", number + 1, len(tasks))
    for config, paths in digests.items():
        merged.digests[config] = work / f"{config}.digest"
        merged.digests[config].write_text(logical_digest(paths, DIGEST_ENTRY))
    return merged


def _corpus_tables(schemas: Schemas, tables: Tables, ledger: Ledger, facts: ShardFacts, work: Path) -> None:
    for name, layer in schemas.tables.items():
        rows = [layer_row(layer, row, None, withheld=False) for row in tables.rows[name]]
        if not rows:
            continue
        for row in rows:
            entry = ledger.rows.get((name, str(row[layer.key.name])))
            row |= {"added_in": entry.added_in if entry else None, "changed_in": entry.changed_in if entry else None}
        schema = arrow_schema(name, schemas)
        stem = f"{CORPUS_SPLIT}-s0000-b00"
        facts.files.append(write_whole(work / "data", name, CORPUS_SPLIT, stem, [arrow_table(rows, schema)], schema))
        count_labels(layer.fields, rows, facts.labels.setdefault(name, {}))
        facts.digests[name] = work / f"{name}.digest"
        facts.digests[name].write_text(hashlib.sha256(canonical(rows)).hexdigest())


def _ledger_of(project: Project) -> Ledger:
    """The ledger of a project. Raises ProjectError if its pyproject.toml speaks of another release than the ledger's last."""
    ledger = read_ledger(project.ledger)
    last = ledger.last.version if ledger.last else UNRELEASED
    if project.settings.version not in (last, UNRELEASED):
        raise ProjectError(
            f"pyproject.toml: [tool.dateline] version is {project.settings.version}, but the last release is "
            f"{last if ledger.last else 'none yet'}; only `dateline release` sets it: write {last} again"
        )
    return ledger


def _scan(
    project: Project,
    schemas: Schemas,
    derived: Derived,
    planned: Plan,
    facts: ShardFacts,
    manifest: Manifest,
    text: str,
    engine: Engine,
    work: Path,
) -> LeakScan:
    # the YAML head is looked at as it reads, too: there a string may be written with escapes
    documents = {"card": [text], "head of the card": strings_in(head_of(text)),
                 "manifest": strings_in(asdict(manifest))}  # fmt: skip
    for file in [*manifest.validation, *([manifest.versions] if manifest.versions else [])]:
        documents[file["path"]] = strings_in(json.loads((work / "data" / file["path"]).read_bytes()))
    following = {t.name: (t.key, t.own_text) for t in derived.tables}
    return scan_for_leaks(project, schemas, following, planned.shards, facts.files, work / "data", documents, engine, work)


def _as_before(project: Project, key: str, today: datetime.date, sweep: bool) -> Rebuilt | None:
    """What the last rebuild said, if it was made from the same and its dataset is whole."""
    said = receipt.kept(project, key, today)
    if said is None:
        return None
    manifest = read_manifest(project.dataset)
    if not is_whole(project.dataset, manifest):
        return None
    swept, strange = sweep_away(project.dataset, manifest.paths() | {MANIFEST})
    return Rebuilt(manifest, warnings=said.warnings, swept=swept, strange=strange, leaks=said.leaks, validated=said.validated)


def _sorted(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda p: (p.place.file, p.place.line))


def _size(path: Path) -> int:
    """Bytes of a seed file; none of one that is gone, which the index tells."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _take(out: Path, path: str, data: Path) -> None:
    (data / path).parent.mkdir(exist_ok=True)
    (out / path).replace(data / path)
