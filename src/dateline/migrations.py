"""Migrations as data: `schemas/migrations/<to>.toml` holds the small steps that lead from one schema version to the next.

A step names one operation of `OPERATIONS`, a layer (or "article", the record itself), the operation's own words, and why.
Operations are pure: they take an object and return another, and leave the one they were given as it was. The engine itself
compares text and spans before and after each step, and refuses a step that changes them without declaring so with `touches`.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from dateline.errors import MigrationError

Json = dict[str, Any]

VERSION_FIELD = "schema_version"
"""The article field that says for which version of the schemas a record was written."""
ARTICLE = "article"
TOUCHABLE = ("offsets", "text")
_VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")
_COMMON: dict[str, type] = {"op": str, "layer": str, "why": str}
_FILTERS: dict[str, type] = {"where": dict, "where_null": list}


@dataclass(frozen=True)
class Step:
    """One step: its place in the file (from 1), operation, layer, reason, what it may touch, and its other words."""

    number: int
    op: str
    layer: str
    why: str
    touches: frozenset[str] = frozenset()
    words: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        written = [*self.words.get("set", {}), *self.words.get("set_null", ())]
        named = written or self.reads
        return f"{self.op} {self.layer}{'.' if named else ''}{', '.join(named)}"

    @property
    def reads(self) -> list[str]:
        """The fields that the step reads: where no item has them, the step is probably misspelt."""
        named = [self.words[name] for name in ("field", "cluster", "start") if name in self.words]
        return named or [*self.words.get("where", {}), *self.words.get("where_null", ())]

    def fits(self, item: Json) -> bool:
        """Whether `where` and `where_null` hold for an item; without them every item fits."""
        return all(item.get(name) == value for name, value in self.words.get("where", {}).items()) and all(
            item.get(name) is None for name in self.words.get("where_null", ())
        )


@dataclass(frozen=True)
class Migration:
    """The steps from one schema version to the next."""

    source: str
    target: str
    description: str
    steps: tuple[Step, ...]


@dataclass
class Tally:
    """What one step did: records and items that it changed, values that it discarded; and items with a field that it reads."""

    records: int = 0
    items: int = 0
    discarded: int = 0
    met: int = 0

    def add(self, other: Tally) -> None:
        """Add the counts of another tally."""
        self.records += other.records
        self.items += other.items
        self.discarded += other.discarded
        self.met += other.met


class StepFault(Exception):
    """A step cannot be done on a record; `says` quotes no value of the record, only names and counts."""

    def __init__(self, says: str, advice: str, pointer: str = "$", step: Step | None = None) -> None:
        super().__init__(says)
        self.says, self.advice, self.pointer, self.step = says, advice, pointer, step


@dataclass(frozen=True)
class Operation:
    """One operation of the registry: the words it needs and may have, by their TOML types, and what does it."""

    name: str
    needs: Mapping[str, type]
    may: Mapping[str, type]
    run: Callable[[Json, Step], tuple[Json, int, int]]
    doc: str


OPERATIONS: dict[str, Operation] = {}

_ItemWork = Callable[[Json, Step], tuple[Json, int]]
_RecordWork = Callable[[Json, Step], tuple[Json, int, int]]


def _on_items(needs: dict[str, type], may: dict[str, type] | None = None) -> Callable[[_ItemWork], _ItemWork]:
    """Register an operation on one item, (item, step) -> (item, values lost); it is done on each item that `where` fits."""

    def register(work: _ItemWork) -> _ItemWork:
        def run(record: Json, step: Step) -> tuple[Json, int, int]:
            if step.layer == ARTICLE:
                made, lost = work(record, step) if step.fits(record) else (record, 0)
                return made, int(not _same(made, record)), lost
            items = record.get(step.layer)
            if not isinstance(items, list):
                return record, 0, 0
            new, changed, lost = [], 0, 0
            for index, item in enumerate(items):
                made, gone = item, 0
                if isinstance(item, dict) and step.fits(item):
                    try:
                        made, gone = work(item, step)
                    except StepFault as fault:
                        fault.pointer = f"$.{step.layer}[{index}]"
                        raise
                changed += not _same(made, item)
                lost += gone
                new.append(made)
            return ({**record, step.layer: new} if changed else record), changed, lost

        _register(work, needs, {**(may or {}), **_FILTERS}, run)
        return work

    return register


def _on_records(needs: dict[str, type], may: dict[str, type] | None = None) -> Callable[[_RecordWork], _RecordWork]:
    """Register an operation on a whole record: (record, step) -> (record, items changed, values lost)."""

    def register(work: _RecordWork) -> _RecordWork:
        _register(work, needs, may or {}, work)
        return work

    return register


def _register(work: Callable[..., Any], needs: dict[str, type], may: dict[str, type], run: _RecordWork) -> None:
    OPERATIONS[work.__name__] = Operation(work.__name__, needs, may, run, " ".join((work.__doc__ or "").split()))


# ---- the operations ------------------------------------------------------------------------------------------


@_on_items({"field": str, "to": str})
def rename_field(item: Json, step: Step) -> tuple[Json, int]:
    """Give the field another name, `to`; refused where the item has a field of that name already."""
    to = step.words["to"]

    def rename(holder: Json, name: str) -> Json:
        if name not in holder or to == name:
            return holder
        _free(holder, to)
        return {to if key == name else key: value for key, value in holder.items()}

    return _inside(item, step.words["field"], rename), 0


@_on_items({"field": str}, {"values": str})
def drop_field(item: Json, step: Step) -> tuple[Json, int]:
    """Remove the field; refused where that would lose a value (not null, not empty), unless `values = "discard"`."""
    lost = 0

    def drop(holder: Json, name: str) -> Json:
        nonlocal lost
        lost += not _empty(holder.get(name))
        return {key: value for key, value in holder.items() if key != name} if name in holder else holder

    made = _inside(item, step.words["field"], drop)
    return made, lost


@_on_items({"field": str, "value": object})
def add_field(item: Json, step: Step) -> tuple[Json, int]:
    """Add the field with `value` where the item has none of that name; a field that is there stays as it is."""
    value = step.words["value"]
    return _inside(item, step.words["field"], lambda holder, name: holder if name in holder else {**holder, name: value}), 0


@_on_items({"field": str, "labels": dict})
def rename_label(item: Json, step: Step) -> tuple[Json, int]:
    """Replace labels of the field, a string or a list of strings, by the table `labels`, all at once; others stay."""
    labels = step.words["labels"]

    def one(value: Any) -> Any:
        return labels.get(value, value) if isinstance(value, str) else value

    def rename(holder: Json, name: str) -> Json:
        value = holder.get(name)
        made = [one(v) for v in value] if isinstance(value, list) else one(value)
        return holder if made == value else {**holder, name: made}

    return _inside(item, step.words["field"], rename), 0


@_on_items({}, {"set": dict, "set_null": list, "values": str})
def set_where(item: Json, step: Step) -> tuple[Json, int]:
    """Give fields the values of the table `set`, and null to the fields of `set_null`, where `where` and `where_null` hold.

    A value that `where` does not name is lost only with `values = "discard"`.
    """
    known = step.words.get("where", {})
    # null is written only over a value: a missing field says the same
    nulls = {name: None for name in step.words.get("set_null", ()) if item.get(name) is not None}
    new = {**step.words.get("set", {}), **nulls}
    lost = sum(1 for name, value in new.items() if name not in known and not _empty(item.get(name)) and item[name] != value)
    return {**item, **new}, lost


@_on_items({"field": str, "to": str})
def value_to_list(item: Json, step: Step) -> tuple[Json, int]:
    """Turn the value of the field into a list of one, or of none where it is null, under the name `to`."""

    def wrap(holder: Json, name: str) -> Json:
        if name not in holder:
            return holder
        to = step.words["to"]
        if to != name:
            _free(holder, to)
        made = [] if holder[name] is None else [holder[name]]
        return {to if key == name else key: made if key == name else value for key, value in holder.items()}

    return _inside(item, step.words["field"], wrap), 0


@_on_items({"field": str, "to": str})
def list_to_value(item: Json, step: Step) -> tuple[Json, int]:
    """Turn a list of at most one value into the value, or null, under the name `to`; refused where the list is longer."""

    def unwrap(holder: Json, name: str) -> Json:
        value = holder.get(name)
        if not isinstance(value, list):
            return holder
        if len(value) > 1:
            raise StepFault(f"{name!r} is a list of {len(value)}", "Decide which of them stays, in the record itself.")
        to = step.words["to"]
        if to != name:
            _free(holder, to)
        made = value[0] if value else None
        return {to if key == name else key: made if key == name else v for key, v in holder.items()}

    return _inside(item, step.words["field"], unwrap), 0


@_on_items({"start": str, "end": str, "to": str})
def wrap_span(item: Json, step: Step) -> tuple[Json, int]:
    """Turn two fields of an item, `start` and `end`, into a list of one span, `to`; needs `touches = "offsets"`."""
    start, end, to = (step.words[name] for name in ("start", "end", "to"))
    if start not in item or end not in item:
        return item, 0
    _free(item, to)
    made: Json = {}
    for name, value in item.items():
        if name == start:
            made[to] = [{"start": value, "end": item[end]}]
        elif name != end:
            made[name] = value
    return made, 0


@_on_records({"to": str})
def rename_layer(record: Json, step: Step) -> tuple[Json, int, int]:
    """Give the layer another name, `to`, also where annotation sets and coverage name it."""
    old, to = step.layer, step.words["to"]
    if old not in record or old == to:
        return record, 0, 0
    _free(record, to)
    made = {to if key == old else key: value for key, value in record.items()}
    for name in ("annotation_sets", "coverage"):
        if isinstance(made.get(name), list):
            made[name] = [{**i, "layer": to} if isinstance(i, dict) and i.get("layer") == old else i for i in made[name]]
    return made, len(record[old]) if isinstance(record[old], list) else 1, 0


@_on_records({"field": str, "to": str, "key": str, "prefix": str, "parent_key": str}, {"back": str})
def move_list_to_layer(record: Json, step: Step) -> tuple[Json, int, int]:
    """Make a layer `to` of the objects that the items of a layer hold in the list `field`.

    Each gets an id (field `key`: `prefix` and a number), and the id of the item it came from (`parent_key` there, here
    `back`, or `parent_key` if `back` is not given).
    """
    name, to, key, parent_key = (step.words[word] for word in ("field", "to", "key", "parent_key"))
    back = step.words.get("back", parent_key)
    moved: list[Json] = []
    parents = []
    items = record.get(step.layer)
    if not isinstance(items, list) or not any(isinstance(item, dict) and name in item for item in items):
        return record, 0, 0
    _free(record, to)
    for index, item in enumerate(items):
        if not isinstance(item, dict) or name not in item:
            parents.append(item)
            continue
        nested = item[name] if item[name] is not None else []
        if not isinstance(nested, list) or not all(isinstance(n, dict) for n in nested) or parent_key not in item:
            raise StepFault(f"needs {name!r}, a list of objects, and {parent_key!r}", "Correct the item.",
                            f"$.{step.layer}[{index}]")  # fmt: skip
        for one in nested:
            for taken in (key, back):
                _free(one, taken, f"$.{step.layer}[{index}].{name}")
            moved.append({key: f"{step.words['prefix']}{len(moved) + 1}", back: item[parent_key], **one})
        parents.append({k: v for k, v in item.items() if k != name})
    made: Json = {}
    for layer, value in record.items():
        made[layer] = parents if layer == step.layer else value
        if layer == step.layer:
            made[to] = moved
    return made, len(moved), 0


@_on_records({"field": str, "to": str, "value": str}, {"key": str})
def split_by_table(record: Json, step: Step) -> tuple[Json, int, int]:
    """Make of an item with a table in `field` one item per entry: its name in `to`, its value in `value`.

    With `key`, the entry's name is put behind the item's id, so that ids stay unique.
    """
    name, to, value_field, key = *(step.words[word] for word in ("field", "to", "value")), step.words.get("key")
    items = record.get(step.layer)
    if not isinstance(items, list):
        return record, 0, 0
    made: list[Any] = []
    changed = 0
    for index, item in enumerate(items):
        table = item.get(name) if isinstance(item, dict) else None
        if not isinstance(table, dict):
            made.append(item)
            continue
        rest = {k: v for k, v in item.items() if k != name}
        if not table:
            raise StepFault(f"{name!r} is an empty table, so the item would vanish", "Fill it, or remove the item.",
                            f"$.{step.layer}[{index}]")  # fmt: skip
        for taken in (to, value_field):
            _free(rest, taken, f"$.{step.layer}[{index}]")
        for entry, value in table.items():
            named = {**rest, key: f"{rest.get(key)}-{entry}"} if key else rest
            made.append({**named, to: entry, value_field: value})
        changed += len(table)
    return ({**record, step.layer: made} if changed else record), changed, 0


@_on_records({"cluster": str, "key": str, "to": str})
def cluster_to_reference(record: Json, step: Step) -> tuple[Json, int, int]:
    """Turn a cluster's name, the field `cluster`, into references: later items of a cluster refer by `to` to its first item.

    `key` is the field of the layer's ids; the cluster's name goes.
    """
    cluster, key, to = (step.words[word] for word in ("cluster", "key", "to"))
    items = record.get(step.layer)
    if not isinstance(items, list):
        return record, 0, 0
    first: dict[str, Any] = {}
    made: list[Any] = []
    changed = 0
    for index, item in enumerate(items):
        if not isinstance(item, dict) or cluster not in item:
            made.append(item)
            continue
        changed += 1
        name = item[cluster]
        rest = {k: v for k, v in item.items() if k != cluster}
        if isinstance(name, str) and name in first:
            _free(rest, to, f"$.{step.layer}[{index}]")
            rest[to] = first[name]
        elif isinstance(name, str):
            first[name] = item.get(key)
        elif name is not None:
            raise StepFault(f"{cluster!r} is no string", "Correct the item.", f"$.{step.layer}[{index}]")
        made.append(rest)
    return ({**record, step.layer: made} if changed else record), changed, 0


def _inside(item: Json, path: str, work: Callable[[Json, str], Json]) -> Json:
    """The item with `work(holder, name)` for the object that holds the field; a dot goes into objects and lists of them."""
    head, dot, rest = path.partition(".")
    if not dot:
        return work(item, head)
    value = item.get(head)
    if isinstance(value, dict):
        made: Any = _inside(value, rest, work)
    elif isinstance(value, list):
        made = [_inside(v, rest, work) if isinstance(v, dict) else v for v in value]
    else:
        return item
    return {**item, head: made}


def _free(holder: Json, name: str, pointer: str = "$") -> None:
    if name in holder:
        raise StepFault(f"there is a {name!r} already", "Drop or rename it by a step before this one.", pointer)


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: for Python 1 and true are equal."""
    return one is other or (one == other and json.dumps(one) == json.dumps(other))


def _empty(value: Any) -> bool:
    return value is None or value in ([], {}, "")


# ---- doing steps ---------------------------------------------------------------------------------------------


def migrate_record(record: Json, migration: Migration) -> tuple[Json, list[Tally]]:
    """The record at the migration's target version, and what each step did; `record` itself stays as it was.

    Raises StepFault for the first step that cannot be done, would lose a value, or would touch what it does not declare.
    """
    made = record
    tallies = []
    for step in migration.steps:
        before = made
        try:
            made, items, lost = OPERATIONS[step.op].run(before, step)
        except StepFault as fault:
            fault.step = step
            raise
        if lost and step.words.get("values") != "discard":
            says = f"would discard {lost} {'value' if lost == 1 else 'values'}"
            raise StepFault(says, 'Keep them by a step before this one, or say values = "discard" in the step.', step=step)
        for what, changed in _touched(before, made).items():
            if changed and what not in step.touches:
                raise StepFault(f"would change {what}", f'Say touches = ["{what}"] in the step if that is meant.', step=step)
        tallies.append(Tally(int(not _same(made, before)), items, lost, _met(before, step)))
    return {**made, VERSION_FIELD: migration.target}, tallies


def _met(record: Json, step: Step) -> int:
    """How many items of the step's layer hold a field that it reads; a step without a field meets the layer's items."""
    items = [record] if step.layer == ARTICLE else record.get(step.layer)
    if not isinstance(items, list):
        return 0
    return sum(any(_holds(item, path) for path in step.reads) if step.reads else 1 for item in items)


def _holds(node: Any, path: str) -> bool:
    head, dot, rest = path.partition(".")
    if isinstance(node, list):
        return any(_holds(one, path) for one in node)
    return isinstance(node, dict) and head in node and (not dot or _holds(node[head], rest))


def _touched(before: Json, after: Json) -> dict[str, bool]:
    """Whether a step changed spans (numbers, surfaces, form) or the text (content, digest, lengths)."""
    # what is the very same object on both sides need not be walked
    one = {k: v for k, v in before.items() if after.get(k) is not v}
    other = {k: v for k, v in after.items() if before.get(k) is not v}
    return {"offsets": Counter(_offsets(one)) != Counter(_offsets(other)), "text": _text(before) != _text(after)}


def _offsets(node: Any) -> Iterator[tuple[Any, ...]]:
    if isinstance(node, dict):
        if "start" in node or "end" in node:
            # offsets that stand loose among other fields are not the same as a span
            loose = bool(node.keys() - {"start", "end", "surface"})
            yield (repr(node.get("start")), repr(node.get("end")), repr(node.get("surface")), loose)
        for value in node.values():
            yield from _offsets(value)
    elif isinstance(node, list):
        for value in node:
            yield from _offsets(value)


def _text(record: Json) -> list[Any]:
    text = record.get("text")
    return [text.get(n) for n in ("content", "sha256", "n_code_points", "n_bytes")] if isinstance(text, dict) else [text]


# ---- reading migrations --------------------------------------------------------------------------------------


def read_migrations(folder: Path) -> list[Migration]:
    """The migrations of a folder, as one chain from the oldest version to the newest.

    Raises MigrationError for a folder without migrations, a file that is no migration, and files that make no chain.
    """
    files = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    if not files:
        raise MigrationError(f"{folder}: no migrations; they are files named after the version they lead to, such as 0.2.0.toml")
    found = sorted((_migration(file) for file in files), key=lambda m: _number(m.target))
    by_source: dict[str, Migration] = {}
    for migration in found:
        if other := by_source.get(migration.source):
            raise MigrationError(f"{folder}: {other.target}.toml and {migration.target}.toml both begin at {migration.source}; "
                                 "versions make one chain")  # fmt: skip
        by_source[migration.source] = migration
    for before, after in pairwise(found):
        if before.target != after.source:
            raise MigrationError(f"{folder}: a gap in the chain: {after.target}.toml begins at {after.source}, but the version "
                                 f"before is {before.target}")  # fmt: skip
    return found


def chain(migrations: list[Migration], source: str, target: str) -> list[Migration]:
    """The migrations from one version to another, in order; none if they are the same.

    Raises KeyError that says what is wrong if a version is unknown, or `target` lies before `source`.
    """
    versions = known_versions(migrations)
    for version in (source, target):
        if version not in versions:
            raise KeyError(f"version {version} is unknown; known are {', '.join(versions)}")
    if versions.index(target) < versions.index(source):
        raise KeyError(f"version {source} is newer than {target}, and migrations go forward only")
    return migrations[versions.index(source) : versions.index(target)]


def known_versions(migrations: list[Migration]) -> list[str]:
    """All versions of a chain, oldest first."""
    return [migrations[0].source, *(m.target for m in migrations)]


def is_version(value: Any) -> bool:
    """Whether a value is a version, MAJOR.MINOR.PATCH."""
    return isinstance(value, str) and _VERSION.fullmatch(value) is not None


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _migration(file: Path) -> Migration:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise MigrationError(f"{file}: is not valid TOML: {fault}") from None
    target = file.stem
    _words(table, {"from": str, "description": str, "steps": list}, {}, str(file))
    for version, where in ((target, "the file's name"), (table["from"], "from")):
        if not is_version(version):
            raise MigrationError(f"{file}: {where} must be a version MAJOR.MINOR.PATCH; it is {version!r}")
    if _number(table["from"]) >= _number(target):
        raise MigrationError(f"{file}: leads from {table['from']} to {target}, but migrations go forward only")
    steps = tuple(_step(number, words, file) for number, words in enumerate(table["steps"], 1))
    return Migration(table["from"], target, table["description"], steps)


def _step(number: int, words: Any, file: Path) -> Step:
    where = f"{file}: step {number}"
    name = words.get("op") if isinstance(words, dict) else None
    if name not in OPERATIONS:
        raise MigrationError(f"{where}: no operation {name!r}; there are {', '.join(OPERATIONS)}")
    operation = OPERATIONS[name]
    _words(words, {**_COMMON, **operation.needs}, {**operation.may, "touches": object}, f"{where} ({name})")
    touches = [words["touches"]] if isinstance(words.get("touches"), str) else words.get("touches", [])
    if not isinstance(touches, list) or not all(t in TOUCHABLE for t in touches):
        raise MigrationError(f"{where} ({name}): touches must be of {', '.join(TOUCHABLE)}; it is {words['touches']!r}")
    if words.get("values", "discard") != "discard":
        raise MigrationError(f'{where} ({name}): values can only be "discard"; it is {words["values"]!r}')
    if name == "set_where" and (not (words.keys() & _FILTERS.keys()) or not (words.keys() & {"set", "set_null"})):
        raise MigrationError(f"{where} (set_where): needs where or where_null, and set or set_null")
    if name == "rename_label" and not all(isinstance(v, str) for v in words["labels"].values()):
        raise MigrationError(f"{where} (rename_label): labels become labels; null comes by set_where and set_null")
    try:
        json.dumps(words, allow_nan=False)
    except (TypeError, ValueError):
        raise MigrationError(f"{where} ({name}): holds a date, inf or nan, which JSON does not have") from None
    own = {k: v for k, v in words.items() if k not in {*_COMMON, "touches"}}
    return Step(number, name, words["layer"], words["why"], frozenset(touches), own)


def _words(table: Json, needs: Mapping[str, type], may: Mapping[str, type], where: str) -> None:
    names = ", ".join([*needs, *may])
    if missing := [n for n in needs if n not in table or (n == "why" and table[n] == "")]:
        raise MigrationError(f"{where}: lacks {', '.join(missing)}; it has {names}")
    if unknown := table.keys() - needs.keys() - may.keys():
        raise MigrationError(f"{where}: knows no {', '.join(sorted(unknown))}; it has {names}")
    kinds: dict[type, str] = {str: "a string", dict: "a table", list: "a list"}
    for name, kind in {**needs, **may}.items():
        if name in table and not isinstance(table[name], kind):
            raise MigrationError(f"{where}: {name} must be {kinds[kind]}")
