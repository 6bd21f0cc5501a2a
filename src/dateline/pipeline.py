"""rebuild: the whole story on one page, from seeds/ to dataset/.

read schemas -> index the seeds -> plan -> compile shards -> derive -> describe -> validate -> scan for leaks -> promote. All
is made in a work folder; nothing of dataset/ changes before all of it is there. Then data files are moved in under names that
carry their digest, the new manifest is laid beside the old one, and the card, which names every file that a loader reads, is
replaced: that is the flip. The new manifest then takes the old one's name; until then readers find it by the card.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from dateline import __version__, receipt, versions
from dateline.cache import Cache
from dateline.compare import Differences, compare
from dateline.compile.groups import SignatureFile
from dateline.compile.index import Indexed, IndexFile, IndexTask, digest_of_records, gather, index_file
from dateline.compile.plan import Plan, plan
from dateline.compile.remote_seeds import bring
from dateline.compile.seeds import Tables, read_tables, seed_files
from dateline.compile.sets import PRIMARY
from dateline.compile.shard import ShardFacts, ShardTask, compile_shard
from dateline.compile.signature import signing_of
from dateline.compile.tables import (
    ARTICLES,
    RECORDS,
    STANDOFF,
    arrow_schema,
    columns,
    configs,
    features,
    layer_row,
)  # fmt: skip
from dateline.compile.withheld import LeakScan, scan_for_leaks, strings_in
from dateline.derive.columns import Table
from dateline.derive.tables import JUDGEMENTS
from dateline.deriving import Derived, declared_tables, derive_tables
from dateline.describe.baselines import baselines_section
from dateline.describe.card import Column, card, head_of
from dateline.engines import Engine
from dateline.errors import BuildError, InputError, Problem, ProjectError, needing
from dateline.files import move_whole, sync_folder, write_atomically
from dateline.ledger import UNRELEASED, Ledger, Release, marked, read_ledger
from dateline.licences import read_licences
from dateline.manifest import (
    CARD,
    MADE,
    NEXT,
    VERSIONS,
    VERSIONS_NEXT,
    Manifest,
    TableFacts,
    content_digest,
    logical_digest,
    read_manifest,
    whole_digest,
)  # fmt: skip
from dateline.manifest import NAME as MANIFEST
from dateline.parquet import FileFacts, arrow_table, write_whole
from dateline.profiling import Profile
from dateline.project import Project, Splits
from dateline.receipt import Receipt
from dateline.row_facts import DIGEST_ENTRY, Labelled, canonical, count_labels
from dateline.schema import Schemas, load_schemas
from dateline.validate.findings import Finding
from dateline.validating import validate_build

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
        done = _promote(project, made.manifest, made.card, work, sweep)
        if cache is not None:
            cache.keep()
    if key is not None and key == receipt.key_of(project):  # what was edited meanwhile was perhaps not read
        faces = receipt.faces_of(made.card, made.manifest.encode())
        until = receipt.last_day(project)
        receipt.keep(project, Receipt(key, faces, made.warnings, made.leaks, made.validated, until))
    return dataclasses.replace(done, warnings=made.warnings, leaks=made.leaks, validated=made.validated)


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
        keys = _keys_of(schemas, (*following.views, *following.estimates))
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
class Stamp:
    """What makes a build a release: its version, and the ledger with the entries that it gets, less the release itself."""

    version: str
    date: str
    bump: str
    ledger: Ledger


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
        manifest, text, ledger = _describe(project, schemas, planned, inputs, facts, derived, ledger, stamp, work)
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


def _describe(
    project: Project,
    schemas: Schemas,
    planned: Plan,
    inputs: str,
    facts: ShardFacts,
    derived: Derived,
    ledger: Ledger,
    stamp: Stamp | None,
    work: Path,
) -> tuple[Manifest, str, Ledger]:
    """The manifest and the card, and the ledger with the release that this is, if it is to be one; `inputs` is the digest of all
    records.
    """
    settings = project.settings
    order = [*settings.splits.quotas, *sorted({f.split for f in facts.files} - set(settings.splits.quotas))]
    listed = _listed(schemas, derived.tables, {file.config for file in facts.files})
    names = list(listed)
    tables = {name: _table_facts(name, table, facts, derived, order) for name, table in listed.items()}
    declared = {name: table.features for name, table in tables.items()}
    if settings.default_config not in tables:
        raise ProjectError(
            f"[tool.dateline] default_config {settings.default_config!r} is no config; there are {', '.join(names)}"
        )
    digest = content_digest([(f.path, f.sha256) for f in facts.files], {n: declared[n] for n in names if tables[n].rows})
    logical = whole_digest({name: table.logical_digest for name, table in tables.items()})
    articles = sum(len(shard.articles) for shard in planned.shards)
    withheld = sum(pc.sum(shard.articles["withheld"]).as_py() for shard in planned.shards)
    if stamp:
        release = Release(stamp.version, stamp.date, stamp.bump, digest, logical, articles, _new_bits(planned, ledger))
        ledger = dataclasses.replace(ledger, releases=(*ledger.releases, release))
    found = ledger.release_of(digest)
    version = found.version if found else UNRELEASED
    links = _links(schemas, derived.tables)
    text = card(
        dataclasses.replace(settings, version=version), tables, declared, {name: table.columns for name, table in listed.items()},
        {name: (table.title, table.description) for name, table in listed.items()}, digest,
        {
            "articles": articles, "groups": planned.groups, "withheld": withheld, "content_digest": digest,
            "date": found.date if found else "", "last": ledger.last.version if ledger.last else "",
            "licences": read_licences(work / "data", tables, links, settings.license, settings.code_license),
            "key": _public_key(project),
            "yanked": found.yanked.reason if found and found.yanked else "", "retracted": marked(ledger.retracted.values()),
        },
        _baselines(project, tables),
    )  # fmt: skip
    schema_digest = hashlib.sha256(b"".join(n.encode() + b"\0" + raw + b"\0" for n, raw in sorted(schemas.sources.items())))
    manifest = Manifest(
        name=settings.name,
        version=version,
        default_config=settings.default_config,
        content_digest=digest,
        logical_digest=logical,
        tables=tables,
        card={"path": CARD, "sha256": hashlib.sha256(text.encode()).hexdigest(), "bytes": len(text.encode())},
        splits={**_told(settings.splits), "signature": signing_of(settings.splits).name, "left_out": len(planned.left_out)},
        inputs={"records": inputs, "schemas": schema_digest.hexdigest()},
        writer={"dateline": __version__, "pyarrow": pa.__version__},
        links=links,
        versions=_write_versions(ledger, settings.name, work / "data") if ledger.releases else None,
    )
    return manifest, text, ledger


def _told(splits: Splits) -> dict[str, Any]:
    """The settings of splits as a manifest names them; what is assigned only where something is."""
    return {name: value for name, value in asdict(splits).items() if name != "assigned" or value}


def _public_key(project: Project) -> tuple[str, str] | None:
    """The file of the key that releases are signed with, as the settings name it, and its fingerprint; None if they name none."""
    place = project.settings.public_key
    if not place:
        return None
    from dateline.keys import read_public_key  # a rebuild of what nobody signs does without cryptography

    try:
        return place, read_public_key(project.root / place).fingerprint
    except InputError as fault:
        raise ProjectError(f"pyproject.toml: [tool.dateline] public_key: {fault}") from None


def _new_bits(planned: Plan, ledger: Ledger) -> dict[str, int]:
    """The bits of the segments that no release has fixed yet."""
    return {str(shard.segment): shard.bits for shard in planned.shards if shard.segment not in ledger.bits}


def _write_versions(ledger: Ledger, name: str, data: Path) -> dict[str, Any]:
    """Write the list of releases into the folder `data`; what the manifest says of it."""
    said = [{k: v for k, v in asdict(release).items() if k != "bits"} for release in ledger.releases]
    versions = {"format": 1, "name": name, "versions": said, "retracted": marked(ledger.retracted.values())}
    raw = (json.dumps(versions, ensure_ascii=False, indent=1) + "\n").encode()
    (data / VERSIONS).write_bytes(raw)
    return {"path": VERSIONS, "sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)}


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
    if not _is_whole(project.dataset, manifest):
        return None
    swept, strange = _sweep(project.dataset, manifest.paths() | {MANIFEST})
    return Rebuilt(manifest, warnings=said.warnings, swept=swept, strange=strange, leaks=said.leaks, validated=said.validated)


def _promote(project: Project, manifest: Manifest, text: str, work: Path, sweep: bool) -> Rebuilt:
    dataset = project.dataset
    _not_a_strangers(dataset, project.name_of(dataset))
    dataset.mkdir(exist_ok=True)
    before = _named_by_card(dataset)
    changed = not _is_current(dataset, manifest, text)
    if changed:
        lay_beside(dataset, manifest, work / "data")
        for name, raw in faces(manifest, text, work / "data"):
            write_atomically(dataset / name, raw)
        for name, last in ((NEXT, MANIFEST), (VERSIONS_NEXT, VERSIONS)):
            if (dataset / name).exists():
                (dataset / name).replace(dataset / last)
        sync_folder(dataset)
    keep = manifest.paths() | (before if changed and not sweep else set())
    swept, strange = _sweep(dataset, keep | {MANIFEST})
    return Rebuilt(manifest, changed=changed, swept=swept, kept=sorted(keep - manifest.paths()), strange=strange)


def lay_beside(dataset: Path, manifest: Manifest, data: Path) -> None:
    """Move the files that carry their digest in their names into the dataset; readers see none of them yet."""
    named = sorted(manifest.paths() - {CARD, VERSIONS})
    for path in named:
        target = dataset / path
        target.parent.mkdir(exist_ok=True)
        move_whole(data / path, target)
    for folder in sorted({(dataset / path).parent for path in named}):
        sync_folder(folder)


def faces(manifest: Manifest, text: str, data: Path) -> list[tuple[str, bytes]]:
    """What a reader looks at first, in the order in which it is written: the card is last, and is the flip."""
    versions = [(VERSIONS_NEXT, (data / VERSIONS).read_bytes())] if manifest.versions else []
    return [*versions, (NEXT, manifest.encode()), (CARD, text.encode())]


# ---- parts of the stages -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Listed:
    """What the card says of a config, and what its labels and its features are."""

    title: str
    description: str
    columns: list[Column]
    features: list[dict[str, Any]]
    labelled: Sequence[Labelled] = ()
    owner: str = ""


def _listed(schemas: Schemas, derived: Sequence[Table], written: Collection[str]) -> dict[str, _Listed]:
    """All configs in the order in which they are listed everywhere: those that tasks begin with are first."""
    titles = _titles(schemas)
    layers = {ARTICLES: schemas.article, **schemas.layers, **schemas.tables}
    base = {
        name: _Listed(
            *titles[name],
            _card_columns(name, schemas),
            features(name, schemas),
            layers[name].fields if name in layers else (),
        )
        for name in configs(schemas, written)
    }
    following = {
        t.name: _Listed(
            t.title, t.description, [_card_column(c.name, c.type, c.description, {}) for c in t.columns], t.features, t.columns,
            t.owner,
        )
        for t in derived
    }  # fmt: skip
    return following | base


def _table_facts(name: str, listed: _Listed, facts: ShardFacts, derived: Derived, order: list[str]) -> TableFacts:
    files = sorted((f for f in facts.files if f.config == name), key=lambda f: (order.index(f.split), f.path))
    splits = {split: sum(f.rows for f in files if f.split == split) for split in order}
    labels = {}
    for column in listed.labelled:
        if column.labels is not None:
            counts = facts.labels.get(name, {}).get(column.name, Counter())
            labels[column.name] = {label: counts[label] for label in column.labels}
    digest = derived.digests.get(name, hashlib.sha256().hexdigest())
    return TableFacts(
        rows=sum(splits.values()),
        splits={split: n for split, n in splits.items() if n},
        labels=labels,
        logical_digest=facts.digests[name].read_text() if name in facts.digests else digest,
        features=listed.features,
        files=[_file_entry(f) for f in files],
        derived=listed.owner,
    )


def _file_entry(file: FileFacts) -> dict[str, Any]:
    return {"path": file.path, "split": file.split, "sha256": file.sha256, "bytes": file.bytes, "rows": file.rows}


def _baselines(project: Project, tables: Mapping[str, TableFacts]) -> str:
    """The card's section on baselines; empty where the project keeps no results."""
    if not project.settings.baselines:
        return ""
    path = project.root / project.settings.baselines
    try:
        digests = {name: table.logical_digest for name, table in tables.items()}
        return baselines_section(json.loads(path.read_bytes()), digests)
    except FileNotFoundError:
        return f"The results of baselines, `{project.settings.baselines}`, were not at hand when this was built."
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise ProjectError(f"{project.name_of(path)}: holds no results of baselines ({fault}); write them anew") from None


def _links(schemas: Schemas, derived: Sequence[Table]) -> dict[str, dict[str, Any]]:
    """Keys and references of layers, corpus-level and derived tables, for readers that have no schemas."""
    following = {t.name: {"level": "derived", "key": t.key, "references": {}} for t in derived}
    return following | {
        name: {
            "level": "corpus" if layer.corpus_level else "article",
            "key": layer.key.name,
            "references": {f.name: f.ref for f in layer.fields if f.ref},
        }
        for name, layer in {**schemas.layers, **schemas.tables}.items()
    }


def _keys_of(schemas: Schemas, derived: Sequence[Table]) -> dict[str, list[str]]:
    """The columns that name a row, by config."""
    keys = {name: ["article_id"] for name in (ARTICLES, RECORDS, STANDOFF)} | {PRIMARY: ["article_id", "annotation_set_ids"]}
    keys |= {table.name: [table.key] for table in derived}
    keys |= {name: ["article_id", layer.key.name] for name, layer in schemas.layers.items()}
    return keys | {name: [table.key.name] for name, table in schemas.tables.items()}


def _card_columns(name: str, schemas: Schemas) -> list[Column]:
    return [
        (column, "one row per item, as in the table of this name", meaning, bool(schema.get("x-withheld")))
        if name in {RECORDS, STANDOFF, PRIMARY} and column in schemas.layers
        else _card_column(column, kind, meaning, schema)
        for column, kind, meaning, schema in columns(name, schemas)
    ]


def _card_column(name: str, kind: pa.DataType, meaning: str, schema: Mapping[str, Any]) -> Column:
    shown = str(kind).replace("struct<start: int32, end: int32, surface: string>", "span").replace("item: ", "")
    shown = shown.replace("struct<start: int32, end: int32>", "span in the passage")
    return name, shown, meaning, bool(schema.get("x-withheld"))


def _titles(schemas: Schemas) -> Mapping[str, tuple[str, str]]:
    article = schemas.article
    titles = {layer.name: (layer.title, layer.description) for layer in (*schemas.layers.values(), *schemas.tables.values())}
    return {
        ARTICLES: (article.title, article.description),
        **titles,
        RECORDS: ("Records", "One article with all its layers nested, where the text may be passed on."),
        STANDOFF: ("Stand-off records", "The same for articles whose text is withheld: everything but the text."),
        PRIMARY: (
            "Primary annotation",
            "What was annotated before it was adjudicated, one row for each annotator of an article.",
        ),
    }


def _sorted(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda p: (p.place.file, p.place.line))


def _size(path: Path) -> int:
    """Bytes of a seed file; none of one that is gone, which the index tells."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


@contextmanager
def work_folder(project: Project) -> Iterator[Path]:
    """A work folder beside the dataset, and the lock that keeps two rebuilds apart."""
    from filelock import FileLock, Timeout

    home = project.root / ".dateline"
    try:
        home.mkdir(exist_ok=True)
        lock = FileLock(home / "rebuild.lock", timeout=0)
        with lock:
            _clear(home)
            work = Path(tempfile.mkdtemp(prefix="work-", dir=home))
            (work / "data").mkdir()
            try:
                yield work
            finally:
                _clear(home)  # also what a worker of a killed rebuild wrote before it noticed
    except Timeout:
        raise BuildError(f"{project.root}: another rebuild is running here; wait for it to finish") from None
    except OSError as fault:
        at = f"{fault.filename}: " if fault.filename else ""
        raise BuildError(f"{at}{fault.strerror or fault}; dataset/ is whole, as it was or as it becomes") from None


def _clear(home: Path) -> None:
    for work in home.glob("work-*"):
        shutil.rmtree(work, ignore_errors=True)
    for half in home.glob(f".{receipt.NAME}.*"):  # a receipt that a killed rebuild was writing
        half.unlink(missing_ok=True)


def _take(out: Path, path: str, data: Path) -> None:
    (data / path).parent.mkdir(exist_ok=True)
    (out / path).replace(data / path)


def _is_current(dataset: Path, manifest: Manifest, text: str) -> bool:
    """Whether the dataset is the one that was just made, to the last byte."""
    try:
        same = (dataset / CARD).read_bytes() == text.encode() and (dataset / MANIFEST).read_bytes() == manifest.encode()
    except OSError:
        return False
    return same and _is_whole(dataset, manifest)


def _is_whole(dataset: Path, manifest: Manifest) -> bool:
    """Whether all files that a manifest names are there, with the digests that it gives."""
    try:
        for file in manifest.files():
            with (dataset / file["path"]).open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != file["sha256"]:
                    return False
    except OSError:
        return False
    return True


def _named_by_card(dataset: Path) -> set[str]:
    """The data files that the card in place names, which a reader may be about to open."""
    import yaml

    try:
        front = head_of((dataset / CARD).read_text(encoding="utf-8"))
        return {path for config in front["configs"] for split in config["data_files"] for path in split["path"]}
    except (OSError, UnicodeDecodeError, IndexError, KeyError, TypeError, yaml.YAMLError):
        return set()


def _sweep(dataset: Path, keep: set[str]) -> tuple[list[str], list[str]]:
    """Remove files of earlier builds that are not in `keep`; the names removed, and those of strangers' files left alone."""
    swept, strange = [], []
    for path in sorted(dataset.rglob("*"), reverse=True):
        name = path.relative_to(dataset).as_posix()
        if path.is_dir() and not path.is_symlink():
            if "/" not in name and not any(path.iterdir()):
                path.rmdir()
        elif name in keep:
            continue
        elif MADE.fullmatch(name):
            path.unlink()
            swept.append(name)
        else:
            strange.append(name)
    return sorted(swept), sorted(strange)


def _not_a_strangers(dataset: Path, name: str) -> None:
    """Refuse a folder that holds files, but nothing that a rebuild made: it is somebody's, not a dataset of ours."""
    if not dataset.is_dir():
        return
    files = [p.relative_to(dataset).as_posix() for p in dataset.rglob("*") if not p.is_dir()]
    if files and not any(MADE.fullmatch(file) for file in files):
        raise BuildError(
            f"{name}/: holds {files[0]} and no dataset of Dateline; a rebuild writes there, so move what is in it away"
        )
