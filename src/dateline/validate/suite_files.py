"""expectations/ as it must stand: what follows from schemas/ is written anew, what people wrote is kept.

Derived expectations are known by `"from": "schemas"` in their meta, derived relations by their first line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dateline.errors import SuiteError
from dateline.files import write_atomically
from dateline.schema import Json, Schemas
from dateline.validate.following import Following, derive_following
from dateline.validate.structure import DERIVED, Derived, derive, is_derived, merge
from dateline.validate.suites import RELATIONS


@dataclass(frozen=True)
class Change:
    """One file that is not as it must stand: its name below the folder and the bytes it will have, None if it goes."""

    name: str
    data: bytes | None

    @property
    def kind(self) -> str:
        """ "written" or "removed"."""
        return "removed" if self.data is None else "written"


def undecided(schemas: Schemas) -> list[str]:
    """What the schemas say and no derived suite can decide, as "view: what: why"."""
    return [f"{made.view}: {says}" for made in derive(schemas) for says in made.undecided]


def changes(folder: Path, schemas: Schemas, following: Sequence[Following] = ()) -> list[Change]:
    """The files of `folder` (expectations/) that are not current, in the order of names; `following` are the derived tables.

    Raises SuiteError for a suite that is no JSON object, and for a relation of people's own under a derived name.
    """
    wanted: dict[str, bytes | None] = {}
    for made in (*derive(schemas), *derive_following(following, schemas)):
        wanted |= dict(_files(folder, made))
    for name in (_name(path, folder) for path in [*folder.glob("*.json"), *folder.glob(f"{RELATIONS}/*.json")]):
        if name not in wanted and (written := _read(folder / name)):
            kept = [e for e in written["expectations"] if not is_derived(e)]
            if len(kept) < len(written["expectations"]):
                wanted[name] = _encode({**written, "expectations": kept}) if kept else None
    for path in folder.glob(f"{RELATIONS}/*.sql"):
        if _name(path, folder) not in wanted and _is_derived_sql(path):
            wanted[_name(path, folder)] = None
    return [Change(name, data) for name, data in sorted(wanted.items()) if _bytes(folder / name) != data]


def write_changes(folder: Path, todo: list[Change]) -> None:
    """Write and remove files, each whole. Raises SuiteError for a folder that cannot be written."""
    try:
        for change in todo:
            path = folder / change.name
            if change.data is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, change.data)
    except OSError as fault:
        raise SuiteError(f"{fault.filename or folder}: cannot be written: {fault.strerror}") from None


def _files(folder: Path, made: Derived) -> Iterator[tuple[str, bytes]]:
    stem = made.view if made.sql is None else f"{RELATIONS}/{made.view}"
    if made.sql is not None:
        path = folder / f"{stem}.sql"
        if path.is_file() and not _is_derived_sql(path):
            raise SuiteError(f"{path}: has the name of a relation that follows from schemas/; give yours another")
        yield f"{stem}.sql", made.sql.encode()
    yield f"{stem}.json", _encode(merge(made, _read(folder / f"{stem}.json")))


def _read(path: Path) -> Json | None:
    raw = _bytes(path)
    if raw is None:
        return None
    try:
        written = json.loads(raw)
    except (ValueError, RecursionError) as fault:
        raise SuiteError(f"{path}: is not valid JSON: {fault}") from None
    if not isinstance(written, dict) or not isinstance(written.get("expectations"), list):
        raise SuiteError(f'{path}: is no Great Expectations suite; it is an object with a list "expectations"')
    return written


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise SuiteError(f"{path}: cannot be read: {fault.strerror}") from None


def _is_derived_sql(path: Path) -> bool:
    return (_bytes(path) or b"").startswith(DERIVED.encode())


def _encode(suite: Json) -> bytes:
    return (json.dumps(suite, ensure_ascii=False, indent=2) + "\n").encode()


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
