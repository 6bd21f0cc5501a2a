"""Suites as they are written: expectations/<table>.json, and expectations/relations/<name>.sql with its <name>.json.

A suite is Great Expectations' own format, with core types only: GX drops a type that it does not know without a word, and an
empty suite is green. So each suite is read here, before GX sees it; the engine compares what GX made of it.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dateline.errors import SuiteError

Json = dict[str, Any]

RELATIONS = "relations"
LEVELS = ("error", "warning")
_NAME = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class Expectation:
    """One expectation as it is written, and what its `meta` says: the rule it decides, the level, the reason.

    In a suite that is not of this kind (anybody's) the rule is the expectation's type, the level "error".
    """

    id: str
    type: str
    kwargs: Json = field(hash=False)
    rule: str
    level: str
    reason: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that its words name."""
        named = [self.kwargs.get(k) for k in ("column", "column_A", "column_B")]
        listed = [c for k in ("column_list", "column_set") for c in self.kwargs.get(k) or ()]
        return tuple(c for c in (*named, *listed) if isinstance(c, str))


@dataclass(frozen=True)
class Suite:
    """One suite: `view` is the table or check relation that it is about; `key` are the columns that name a row there.

    `table` is the table whose rows the view's rows are (a check relation says it in the suite's `meta`); `relation` is the
    SELECT of a check relation, None for a table.
    """

    view: str
    table: str
    file: str
    written: Json = field(hash=False, repr=False)
    expectations: tuple[Expectation, ...]
    key: tuple[str, ...] = ()
    relation: str | None = None
    ours: bool = True


def read_suites(folder: Path, name: str = "") -> list[Suite]:
    """All suites of a folder, tables first, in the order of names; `name` is the folder as messages write it.

    Raises SuiteError for a file that is no suite, an expectation without id or meta, an id that stands twice, a suite in
    relations/ without its SQL or the other way round.
    """
    where = name or str(folder)
    found = [read_suite(path, f"{where}/{path.name}") for path in sorted(folder.glob("*.json"))]
    related = folder / RELATIONS
    queries = {path.stem: path for path in sorted(related.glob("*.sql"))}
    written = {path.stem: path for path in sorted(related.glob("*.json"))}
    for stem in sorted(queries.keys() ^ written.keys()):
        has, lacks = ("sql", "json") if stem in queries else ("json", "sql")
        raise SuiteError(f"{where}/{RELATIONS}/{stem}.{has}: has no {stem}.{lacks} beside it; a check relation is both")
    for stem, path in written.items():
        try:
            query = queries[stem].read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise SuiteError(f"{where}/{RELATIONS}/{stem}.sql: cannot be read: {fault}") from None
        found.append(read_suite(path, f"{where}/{RELATIONS}/{path.name}", relation=query))
    _once([s.view for s in found], where, "two suites are called")
    _once([e.id for s in found for e in s.expectations], where, "two expectations have the id")
    return found


def read_suite(path: Path, name: str = "", *, relation: str | None = None, ours: bool = True) -> Suite:
    """One suite from its file. With `ours` false it may lack ids and meta, as anybody's suites do.

    Raises SuiteError that names the file, and the expectation by its place.
    """
    file = name or str(path)
    try:
        written = json.loads(path.read_bytes())
    except OSError as fault:
        raise SuiteError(f"{file}: cannot be read: {fault.strerror}") from None
    except (ValueError, RecursionError) as fault:
        raise SuiteError(f"{file}: is not valid JSON: {fault}") from None
    if not isinstance(written, dict) or not isinstance(written.get("expectations"), list):
        raise SuiteError(f'{file}: is no Great Expectations suite; it is an object with a list "expectations"')
    if not written["expectations"]:
        raise SuiteError(f"{file}: holds no expectation, and would be green whatever the data; add one, or remove the file")
    meta = written.get("meta") or {}
    if not isinstance(meta, dict):
        raise SuiteError(f"{file}: meta is {_kind(meta)}, but must be an object")
    view = path.stem
    if ours and written.get("name") != view:
        raise SuiteError(f"{file}: is called {written.get('name')!r}, but a suite has the name of its file: {view!r}")
    if ours and not _NAME.fullmatch(view):
        raise SuiteError(f"{file}: the name of a suite is the table's: lower-case letters, digits and _")
    made = [_expectation(e, f"{file} $.expectations[{n}]", ours) for n, e in enumerate(written["expectations"])]
    _once([e.id for e in made], file, "two expectations have the id")
    key = meta.get("key", [])
    table = meta.get("table", view)
    if not isinstance(table, str) or not isinstance(key, list) or not all(isinstance(k, str) for k in key):
        raise SuiteError(f"{file}: meta.table must be a name, and meta.key a list of columns")
    # GX wants ids that are there and are UUIDs; what lacks one gets one that depends on its words alone
    suite = {
        **written,
        "name": view,
        "id": written.get("id") or str(uuid.uuid5(uuid.NAMESPACE_OID, view)),
        "expectations": [{**e, "id": m.id} for e, m in zip(written["expectations"], made, strict=True)],
    }
    return Suite(view, table, file, suite, tuple(made), tuple(key), relation, ours)


def _expectation(written: object, where: str, ours: bool) -> Expectation:
    if not isinstance(written, dict):
        raise SuiteError(f"{where}: is {_kind(written)}, but must be an object with type and kwargs")
    kind, kwargs, meta = written.get("type"), written.get("kwargs", {}), written.get("meta") or {}
    if not isinstance(kind, str) or not re.fullmatch(r"expect_[a-z0-9_]+", kind):
        raise SuiteError(f"{where}: type is {kind!r}, which names no expectation (expect_...)")
    if not isinstance(kwargs, dict) or not isinstance(meta, dict):
        raise SuiteError(f"{where}: kwargs and meta must be objects")
    found = written.get("id")
    if found is None and not ours:
        words = json.dumps([kind, kwargs, where.rpartition(" ")[2]], sort_keys=True, default=str)
        found = str(uuid.uuid5(uuid.NAMESPACE_OID, words))
    if not isinstance(found, str) or not _is_uuid(found):
        raise SuiteError(f"{where}: id is {found!r}, but each expectation has a stable id, a UUID")
    rule, level, reason = meta.get("rule"), meta.get("level", "error"), meta.get("reason")
    if ours and not (isinstance(rule, str) and rule and isinstance(reason, str) and reason and "level" in meta):
        raise SuiteError(f"{where}: meta must say rule, level and reason; it says {', '.join(sorted(meta)) or 'nothing'}")
    if ours and level not in LEVELS:
        raise SuiteError(f"{where}: meta.level is {level!r}, but must be error or warning")
    level = level if level in LEVELS else "error"
    return Expectation(found, kind, kwargs, str(rule or kind), level, str(reason or written.get("description") or ""))


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _once(names: list[str], where: str, says: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SuiteError(f"{where}: {says} {name!r}; give one of them another")


def _kind(value: object) -> str:
    return {dict: "an object", list: "a list", str: "a string", type(None): "null"}.get(type(value), f"{value!r}")
