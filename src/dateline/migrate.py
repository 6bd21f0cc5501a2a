"""Migrate: seeds rewritten from one schema version to the next, all of the files asked for or none.

`plan_migration` reads, migrates and checks every record and writes nothing. `write_migration` does it again, file by file, into
hidden files beside the seeds (`.<name>.migrating`), and renames them when all are there. A kill before the renames leaves
every seed as it was; a kill between two of them leaves every file whole, some at the old version and some at the new,
and the next run finishes, because records that are at the target already are left alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from dateline.compile.check import check_record, is_withheld
from dateline.compile.read import RawRecord, Refused, parse, read_raw
from dateline.compile.seeds import files_in, read_tables
from dateline.errors import MigrationError, Place, Problem
from dateline.files import sync_folder
from dateline.migrations import (
    VERSION_FIELD,
    Json,
    Migration,
    StepFault,
    Tally,
    chain,
    is_version,
    known_versions,
    migrate_record,
    read_migrations,
)
from dateline.project import Project
from dateline.record_files import encode
from dateline.rules import problem
from dateline.schema import Schemas, load_schemas


@dataclass
class PlannedFile:
    """One seed file: how many records it holds, and how many of them migrate, by the version they have."""

    path: Path
    name: str
    records: int = 0
    migrates: dict[str, int] = field(default_factory=dict)
    sha256: str = ""


@dataclass
class Plan:
    """What a migration would do: the files, the tallies of each step, and the problems for which nothing is written."""

    target: str
    migrations: list[Migration]
    files: list[PlannedFile] = field(default_factory=list)
    tallies: dict[str, list[Tally]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def pending(self) -> list[PlannedFile]:
        """The files that hold records to migrate."""
        return [file for file in self.files if file.migrates]

    @property
    def records(self) -> int:
        """How many records migrate."""
        return sum(sum(file.migrates.values()) for file in self.files)

    @property
    def used(self) -> list[Migration]:
        """The migrations that some record needs, oldest first."""
        return [m for m in self.migrations if m.target in self.tallies]

    def as_json(self) -> dict[str, Any]:
        """The plan as plain JSON types."""
        return {
            "to": self.target,
            "records": self.records,
            "files": [{"file": f.name, "records": f.records, "migrate": f.migrates} for f in self.files],
            "migrations": [
                {
                    "from": m.source,
                    "to": m.target,
                    "description": m.description,
                    "steps": [
                        {"step": s.number, "op": s.op, "layer": s.layer, "does": str(s), "why": s.why,
                         "touches": sorted(s.touches), **dataclasses.asdict(tally)}
                        for s, tally in zip(m.steps, self.tallies[m.target], strict=True)
                    ],
                }
                for m in self.used
            ],
            "problems": [p.as_json() for p in self.problems],
        }  # fmt: skip


def plan_migration(project: Project, paths: Iterable[Path], target: str | None = None) -> Plan:
    """What it would take to bring the records of files, or of the seed files in folders, to version `target`.

    `target` is the newest version of schemas/migrations/ if not given. Every record is migrated and checked in memory;
    nothing is written. Raises MigrationError for migrations that are wrong or an unknown target, InputError for a path.
    """
    migrations = read_migrations(project.schemas / "migrations")
    versions = known_versions(migrations)
    if target is not None and target not in versions:
        raise MigrationError(f"no migration leads to version {target!r}; versions here: {', '.join(versions)}")
    schemas = load_schemas(project.schemas)
    tables = read_tables(project, schemas)
    plan = Plan(target or versions[-1], migrations, problems=list(tables.problems))
    files = {path.resolve(): path for path in files_in(project, paths)}
    for real, path in files.items():
        file = PlannedFile(real, project.name_of(path))
        plan.files.append(file)
        file.sha256 = _digest(real)
        seen = len(plan.problems)
        try:
            for _ in _migrated(file, plan, schemas, tables.keys):
                pass
        except Refused as refused:
            plan.problems.append(refused.problem)
        plan.problems[seen:] = sorted(plan.problems[seen:], key=lambda p: p.place.line)
    return plan


def write_migration(project: Project, plan: Plan) -> list[str]:
    """Write what the plan says, each file in its own format, and return the names of the files written.

    Raises MigrationError if the plan has problems, if a seed changed since it was planned, or if a file cannot be
    written; its message says whether some files are migrated already.
    """
    if plan.problems:
        raise MigrationError(f"{len(plan.problems)} problems; nothing was written")
    staged: list[tuple[Path, PlannedFile]] = []
    written: list[str] = []
    try:
        with _alone(project), ExitStack() as after:
            for file in plan.pending:
                new = file.path.with_name(f".{file.path.name}.migrating")
                after.callback(new.unlink, missing_ok=True)
                _stage(new, file, plan)
                staged.append((new, file))
            for new, file in staged:
                os.replace(new, file.path)
                written.append(file.name)
            for folder in {file.path.parent for file in plan.pending}:
                sync_folder(folder)
    except OSError as fault:
        at = f"{fault.filename}: " if fault.filename else ""
        state = (
            f"{len(written)} of {len(plan.pending)} files are migrated, run again to finish" if written else "nothing was changed"
        )
        raise MigrationError(f"{at}{fault.strerror or fault}; {state}") from None
    return written


# ---- records -------------------------------------------------------------------------------------------------


def _migrated(file: PlannedFile, plan: Plan, schemas: Schemas, keys: Mapping[str, Set[str]]) -> Iterator[None]:
    """Count, migrate and check each record of a file, one at a time."""
    for raw in read_raw(file.path, name=file.name):
        file.records += 1
        try:
            record = parse(raw)
            version, made = _brought(record, raw, plan)
            if made is not None:
                file.migrates[version] = file.migrates.get(version, 0) + 1
                # pointers hold in the migrated record, lines of a pretty file do not
                found = check_record(made, RawRecord(Place(file.name, raw.place.line), 0, b""), schemas, keys)
                plan.problems += [dataclasses.replace(p, place=Place(file.name, raw.place.line, p.place.pointer)) for p in found]
        except Refused as refused:
            plan.problems.append(refused.problem)
        except RecursionError:
            plan.problems.append(problem("json-syntax", raw.place, fault="brackets are nested too deeply"))
        yield


def _brought(record: Json, raw: RawRecord, plan: Plan, *, tally: bool = True) -> tuple[str, Json | None]:
    """The version a record has, and the record at the target; None if it is there already. Raises Refused."""
    version = record.get(VERSION_FIELD)
    place = raw.place.at(f"$.{VERSION_FIELD}")
    if version is None:
        fault = f"is not there; a record to migrate says its version, one of {', '.join(known_versions(plan.migrations))}"
        raise Refused(problem("migrate-version", place, fault=fault))
    if not is_version(version):
        shown = "is no version" if is_withheld(record) else f"is {str(version)[:40]!r}, which is no version"
        raise Refused(problem("migrate-version", place, fault=f"{shown} MAJOR.MINOR.PATCH"))
    try:
        steps = chain(plan.migrations, version, plan.target)
    except KeyError as fault:
        raise Refused(problem("migrate-version", place, fault=f"cannot be migrated: {fault.args[0]}")) from None
    made = record
    for migration in steps:
        try:
            made, tallies = migrate_record(made, migration)
        except StepFault as fault:
            step = fault.step
            assert step is not None
            values = {
                "target": migration.target,
                "number": step.number,
                "step": step,
                "fault": fault.says,
                "advice": fault.advice,
            }
            raise Refused(problem("migrate-step", raw.place.at(fault.pointer), **values)) from None  # type: ignore[arg-type]
        if tally:
            sums = plan.tallies.setdefault(migration.target, [Tally() for _ in migration.steps])
            for total, one in zip(sums, tallies, strict=True):
                total.add(one)
    return version, made if steps else None


# ---- files ---------------------------------------------------------------------------------------------------


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    """The lock that keeps two migrations of a project apart."""
    from filelock import FileLock, Timeout

    home = project.root / ".dateline"
    home.mkdir(exist_ok=True)
    try:
        with FileLock(home / "migrate.lock", timeout=0):
            yield
    except Timeout:
        raise MigrationError(f"{project.root}: another migration is running here; wait for it to finish") from None


def _stage(new: Path, file: PlannedFile, plan: Plan) -> None:
    """Write the migrated file beside the old one, synced, with its permissions."""
    before = _digest(file.path)
    lines = ".jsonl" in file.path.suffixes[-2:]
    compression = {".gz": "gzip", ".zst": "zstd"}.get(file.path.suffix)
    with pa.output_stream(str(new), compression=compression) as out:
        for raw in read_raw(file.path, name=file.name):
            out.write(_line(raw, plan, lines))
    if before != file.sha256 or _digest(file.path) != before:
        raise MigrationError(f"{file.name}: changed while it was migrated; nothing was changed, run again")
    os.chmod(new, stat.S_IMODE(file.path.stat().st_mode))
    handle = os.open(new, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _line(raw: RawRecord, plan: Plan, lines: bool) -> bytes:
    try:
        _, made = _brought(parse(raw), raw, plan, tally=False)
    except Refused as refused:  # the plan found no problem, so the file is another one
        raise MigrationError(f"{refused.problem.place}: changed while it was migrated; nothing was changed, run again") from None
    if made is None:
        return raw.raw if raw.raw.endswith(b"\n") or not lines else raw.raw + b"\n"
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" if lines else encode(made)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
