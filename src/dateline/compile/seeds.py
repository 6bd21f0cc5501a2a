"""The seeds of a project: which files hold records, the corpus-level tables, and checking files on their own."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from dateline.compile.check import check_record, check_row
from dateline.compile.read import SUFFIXES, RawRecord, Refused, is_seed, parse, read_raw
from dateline.errors import InputError, Problem
from dateline.ledger import read_ledger
from dateline.project import Project
from dateline.rules import problem
from dateline.schema import Schemas, load_schemas


@dataclass
class Tables:
    """The corpus-level tables as read: rows by table, their keys, and what is wrong with them."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    keys: dict[str, Set[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass
class Checked:
    """What `check_files` found; rows of corpus-level tables and entries of the ledger count as records."""

    files: int = 0
    records: int = 0
    problems: list[Problem] = field(default_factory=list)


def seed_files(project: Project) -> list[Path]:
    """The files that hold records, of seeds/ or of the folder that stands in its place, in the order of their names.

    The ledger and the corpus-level tables are no records. Raises InputError if there is no seeds folder, and for what would
    silently be left out: a folder that cannot be read, a link to a folder, out of the project or to nothing.
    """
    if not project.seeds.is_dir():
        raise InputError(f"{project.seeds}: no such folder; a project keeps its records there")
    home = project.records.folder if project.records else project.seeds
    tables = project.seeds / "tables"
    inside = (project.root.resolve(), project.seeds.resolve())
    files = []
    for folder, folders, names in os.walk(home, onerror=_unreadable):
        for name in folders:
            if (path := Path(folder, name)).is_symlink():
                raise InputError(f"{path}: is a symbolic link to a folder; put the folder itself there, or links to its files")
        for path in (Path(folder, name) for name in names):
            if is_seed(path) and path != project.ledger and path.parent != tables and tables not in path.parents:
                _regular(path, inside)
                files.append(path)
    return sorted(files, key=lambda p: p.relative_to(home).as_posix())


def _unreadable(fault: OSError) -> NoReturn:
    raise InputError(f"{fault.filename}: cannot be read: {fault.strerror}")


def _regular(path: Path, inside: tuple[Path, ...]) -> None:
    try:
        target = path.resolve(strict=True) if path.is_symlink() else path
    except (OSError, RuntimeError):
        raise InputError(f"{path}: is a symbolic link to nothing; remove it, or bring back the file") from None
    if target is not path and not any(folder in target.parents for folder in inside):
        raise InputError(f"{path}: is a symbolic link out of the project; put a copy of the file there")
    if not target.is_file():
        raise InputError(f"{path}: is no regular file")


def read_tables(project: Project, schemas: Schemas) -> Tables:
    """Read and check seeds/tables/<table>.json[l][.gz|.zst] for each corpus-level schema."""
    tables = Tables()
    for name, layer in schemas.tables.items():
        tables.rows[name] = []
        keys: set[str] = set()
        first: dict[str, str] = {}
        for suffix in SUFFIXES:
            path = project.seeds / "tables" / (name + suffix)
            if not path.is_file():
                continue
            for place, row in _parsed(path, project.name_of(path), tables.problems):
                found = check_row(row, place, layer, schemas.table_validators[name])
                tables.problems += found
                key = row.get(layer.key.name)
                if not found and key in keys:
                    at = place.at(f"$.{layer.key.name}")
                    tables.problems.append(problem("duplicate-id", at, found=key, other=first[str(key)]))
                elif not found:
                    keys.add(str(key))
                    first[str(key)] = str(place)
                    tables.rows[name].append(row)
        tables.rows[name].sort(key=lambda row: str(row[layer.key.name]))
        tables.keys[name] = keys
    return tables


def check_files(project: Project, paths: Iterable[Path]) -> Checked:
    """Check the records of files, or of the seed files in folders, one by one.

    Corpus-level tables are checked by their own schemas (always, as records refer to them), the ledger as the ledger.
    Raises InputError for a path that is not there, a file that is no seed file, or paths that hold no record at all;
    ProjectError for a line of the ledger that is no entry.
    """
    schemas = load_schemas(project.schemas)
    tables = read_tables(project, schemas)
    public = not project.settings.private
    paths = list(paths)
    checked = Checked(problems=list(tables.problems))
    for path in files_in(project, paths):
        checked.files += 1
        if path.resolve() == project.ledger.resolve():
            checked.records += len(read_ledger(path).articles)
            continue
        if (project.seeds / "tables").resolve() in path.resolve().parents:
            checked.records += _table_rows(path, project, schemas)
            continue
        seen = len(checked.problems)
        for raw, record in records_in(path, project.name_of(path), checked.problems):
            checked.records += 1
            checked.problems += check_record(record, raw, schemas, tables.keys, public=public)
        checked.problems[seen:] = sorted(checked.problems[seen:], key=lambda p: p.place.line)
    if not checked.records and not checked.problems:
        looked = ", ".join(project.name_of(path) for path in paths)
        raise InputError(f"{looked}: holds no records; they stand in files ending in {', '.join(SUFFIXES)}")
    return checked


def _table_rows(path: Path, project: Project, schemas: Schemas) -> int:
    """How many rows a file of a corpus-level table holds; `read_tables` has checked them."""
    name = path.name.removesuffix(next(suffix for suffix in SUFFIXES if path.name.endswith(suffix)))
    if path.resolve().parent != (project.seeds / "tables").resolve():
        raise InputError(f"{project.name_of(path)}: is not read; corpus-level tables stand in seeds/tables itself")
    if name not in schemas.tables:
        known = f"there are {', '.join(schemas.tables)}" if schemas.tables else "there is none"
        raise InputError(f"{project.name_of(path)}: no schema describes a corpus-level table {name!r}; {known}")
    return sum(1 for _ in _parsed(path, project.name_of(path), []))


def files_in(project: Project, paths: Iterable[Path]) -> Iterator[Path]:
    """The seed files that paths name, those of folders included.

    Raises InputError for a path that is not there, or a file that is no seed file.
    """
    for path in paths:
        if path.is_dir():
            inside = [p for p in seed_files(project) if path.resolve() in p.resolve().parents]
            yield from inside or sorted(p for p in path.rglob("*") if p.is_file() and is_seed(p))
        elif not path.exists():
            raise InputError(f"{path}: no such file or folder")
        elif not is_seed(path):
            raise InputError(f"{path}: is not a seed file; they end in {', '.join(SUFFIXES)}")
        else:
            yield path


def records_in(path: Path, name: str, problems: list[Problem]) -> Iterator[tuple[RawRecord, dict[str, Any]]]:
    """The records of a file with their bytes; what is no record goes to `problems`."""
    try:
        for raw in read_raw(path, name=name):
            try:
                yield raw, parse(raw)
            except Refused as refused:
                problems.append(refused.problem)
    except Refused as refused:
        problems.append(refused.problem)


def _parsed(path: Path, name: str, problems: list[Problem]) -> Iterator[tuple[Any, dict[str, Any]]]:
    for raw, record in records_in(path, name, problems):
        yield raw.place, record


def table_keys(tables: Tables) -> Mapping[str, Set[str]]:
    """Keys of each corpus-level table."""
    return tables.keys
