"""Suites as they are written: expectations/<table>.json, and expectations/relations/<name>.sql with its <name>.json.

A suite is Great Expectations' own format, with core types only: GX drops a type that it does not know without a word, and an
empty suite is green. So each suite is read here, before GX sees it; the engine compares what GX made of it.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dateline.errors import SuiteError

Json = dict[str, Any]

RELATIONS = "relations"
_KINDS = (".json", ".sql")
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


def sources_in(folder: Path, name: str = "") -> dict[str, bytes]:
    """The files of a folder of suites by their names in it: suites, relations/ and rules.toml; none if there is no folder.

    Raises SuiteError for a file that cannot be read.
    """
    found = [
        *folder.glob("*.json"),
        *folder.glob("rules.toml"),
        *(p for kind in _KINDS for p in folder.glob(f"{RELATIONS}/*{kind}")),
    ]
    try:
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(found)}
    except OSError as fault:
        raise SuiteError(f"{name or folder}/{Path(fault.filename).name}: cannot be read: {fault.strerror}") from None


def read_suites(folder: Path, name: str = "") -> list[Suite]:
    """All suites of a folder; `name` is the folder as messages write it. Raises SuiteError as `suites_from` does."""
    return suites_from(sources_in(folder, name), name or str(folder))


def suites_from(sources: Mapping[str, bytes], where: str) -> list[Suite]:
    """The suites that files spell, those of tables first, in the order of names; `where` is their folder in messages.

    Raises SuiteError for a file that is no suite, an expectation without id or meta, an id that stands twice, a suite in
    relations/ without its SQL or the other way round.
    """
    tables = {n: raw for n, raw in sources.items() if n.endswith(".json") and "/" not in n}
    written = {n: raw for n, raw in sources.items() if n.endswith(".json") and "/" in n}
    queries = {n.removesuffix(".sql"): raw for n, raw in sources.items() if n.endswith(".sql")}
    for stem in sorted(queries.keys() ^ {n.removesuffix(".json") for n in written}):
        has, lacks = ("sql", "json") if stem in queries else ("json", "sql")
        raise SuiteError(f"{where}/{stem}.{has}: has no {Path(stem).name}.{lacks} beside it; a check relation is both")
    found = [suite_from(raw, f"{where}/{n}") for n, raw in sorted(tables.items())]
    for n, raw in sorted(written.items()):
        stem = n.removesuffix(".json")
        try:
            query = queries[stem].decode()
        except UnicodeDecodeError as fault:
            raise SuiteError(f"{where}/{stem}.sql: is not valid UTF-8: {fault.reason} at byte {fault.start}") from None
        found.append(suite_from(raw, f"{where}/{n}", relation=query))
    _once([s.view for s in found], where, "two suites are called")
    _once([e.id for s in found for e in s.expectations], where, "two expectations have the id")
    return found


def read_suite(path: Path, name: str = "") -> Suite:
    """Anybody's suite from its file: it may lack ids and meta, and be written as before GX 1.0; its view is called `data`.

    Raises SuiteError that names the file, and the expectation by its place.
    """
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise SuiteError(f"{name or path}: cannot be read: {fault.strerror}") from None
    return suite_from(raw, name or str(path), view="data")


def suite_from(raw: bytes, file: str, *, relation: str | None = None, view: str = "") -> Suite:
    """One suite from its bytes; `view` is given for a suite that is not of this project's kind.

    Raises SuiteError that names the file, and the expectation by its place.
    """
    ours = not view
    try:
        written = json.loads(raw)
    except (ValueError, RecursionError) as fault:
        raise SuiteError(f"{file}: is not valid JSON: {fault}") from None
    if not isinstance(written, dict) or not isinstance(written.get("expectations"), list):
        raise SuiteError(f'{file}: is no Great Expectations suite; it is an object with a list "expectations"')
    if not written["expectations"]:
        raise SuiteError(f"{file}: holds no expectation, and would be green whatever the data; add one, or remove the file")
    meta = {} if written.get("meta") is None else written["meta"]
    if not isinstance(meta, dict):
        raise SuiteError(f"{file}: meta is {_kind(meta)}, but must be an object")
    view = view or Path(file).stem
    if ours and written.get("name") != view:
        raise SuiteError(f"{file}: is called {written.get('name')!r}, but a suite has the name of its file: {view!r}")
    if ours and not _NAME.fullmatch(view):
        raise SuiteError(f"{file}: the name of a suite is the table's: lower-case letters, digits and _")
    made = [_expectation(e, f"{file} $.expectations[{n}]", ours) for n, e in enumerate(written["expectations"])]
    _once([e.id for e in made], file, "two expectations have the id")
    key = meta.get("key", []) if ours else []
    table = meta.get("table", view) if ours else view
    if not isinstance(table, str) or not isinstance(key, list) or not all(isinstance(k, str) for k in key):
        raise SuiteError(f"{file}: meta.table must be a name, and meta.key a list of columns")
    # GX wants ids that are there and are UUIDs; what lacks one gets one that depends on its words alone
    suite = {
        "name": view,
        "id": written.get("id") or str(uuid.uuid5(uuid.NAMESPACE_OID, view)),
        "meta": meta,
        "notes": written.get("notes"),
        "expectations": [_modern(e) | {"id": m.id} for e, m in zip(written["expectations"], made, strict=True)],
    }
    return Suite(view, table, file, suite, tuple(made), tuple(key), relation, ours)


def _modern(written: Json) -> Json:
    """An expectation as GX 1 writes it; before, its type was `expectation_type`."""
    return {("type" if name == "expectation_type" else name): value for name, value in written.items()}


def _expectation(written: object, where: str, ours: bool) -> Expectation:
    if not isinstance(written, dict):
        raise SuiteError(f"{where}: is {_kind(written)}, but must be an object with type and kwargs")
    written = written if ours else _modern(written)
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
