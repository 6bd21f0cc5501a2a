"""Index: what is there. Each seed file becomes a small table of its records: who they are and where they stand.

Nothing of a record's content is kept, so the index of a large corpus stays small. Compressed files are spilled to
plain ones first, so that any record can be read by its offset.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from dateline.compile.before import Stale, read_sealed
from dateline.compile.check import check_record, is_withheld, public_part
from dateline.compile.read import (
    RawRecord,
    Refused,
    canonical_record,
    glance,
    is_compressed,
    line_of,
    parse,
    pointer,
    read_raw,
    without_collecting,
)
from dateline.compile.signature import Signing, sign, stored
from dateline.errors import Place, Problem
from dateline.files import attempt_folder
from dateline.rules import problem
from dateline.schema import Schemas, schemas_from

INDEX_SCHEMA = pa.schema([
    ("article_id", pa.string()),
    ("group", pa.string()),
    ("split", pa.string()),
    ("supersedes", pa.string()),
    ("withheld", pa.bool_()),
    ("record_sha256", pa.string()),
    ("text_sha256", pa.string()),
    ("minhash", pa.large_binary()),
    ("size", pa.int64()),
    ("file", pa.string()),
    ("plain", pa.string()),
    ("line", pa.int64()),
    ("offset", pa.int64()),
    ("length", pa.int64()),
    ("raw_digest", pa.binary(16)),
])  # fmt: skip
"""`size` is the length of the record's canonical JSON (of a withheld one without its text), so it does not depend on how the
record is written, nor on whether the text is at hand;
`minhash` is the signature of the text, as little-endian uint32, null where there is none or none is asked for;
`plain` is the file that `offset` and `length` (bytes) point into; `raw_digest` tells whether they are still the same bytes."""


@dataclass(frozen=True)
class IndexTask:
    """One seed file to index; `spill` is the folder where its plain form goes if it is compressed.

    `signing` says how near-duplicate signatures are made, None that none are; `known` is where the file's index of the last time
    may lie, of which records are taken whose bytes are what they were.
    """

    path: Path
    name: str
    spill: Path
    schema_sources: tuple[tuple[str, bytes], ...]
    signing: Signing | None = None
    known: Path | None = None


@dataclass
class Indexed:
    """The index of one file, what is wrong with its records, and the rows of those without fault, for the next time."""

    table: pa.Table
    problems: list[Problem] = field(default_factory=list)
    faultless: pa.Table = field(default_factory=INDEX_SCHEMA.empty_table)
    again: int = 0
    """How many records were parsed."""


def index_file(task: IndexTask) -> Indexed:
    """Index one seed file. Raises InputError if it cannot be opened."""
    with without_collecting():
        return _indexed(task)


def _indexed(task: IndexTask) -> Indexed:
    rows: dict[str, list[Any]] = {name: [] for name in INDEX_SCHEMA.names}
    faulty: list[int] = []
    problems: list[Problem] = []
    known = _known(task)
    digests = {digest: number for number, digest in enumerate(known["raw_digest"].to_pylist())}
    taken: list[int] = []
    places: list[tuple[Any, ...]] = []
    plain, spilled = task.path, None
    if is_compressed(task.path):
        plain = attempt_folder(task.spill) / "plain"
        spilled = plain.open("wb")
    offset = 0
    try:
        for raw in read_raw(task.path, name=task.name):
            digest = digest_of(raw.raw)
            number = digests.get(digest)
            entry: tuple[Any, ...] | None = None
            if number is None:
                seen = len(problems)
                entry = _read(raw, task, problems)
                if entry is None:
                    continue
                if len(problems) > seen:
                    faulty.append(len(rows["file"]))
            if spilled:
                spilled.write(raw.raw)
            where = (task.name, str(plain), raw.place.line, offset if spilled else raw.offset, len(raw.raw))
            offset += len(raw.raw)
            if number is not None:
                taken.append(number)
                places.append(where)
                continue
            for name, value in zip(INDEX_SCHEMA.names, (*(entry or ()), *where, digest), strict=True):
                rows[name].append(value)
    except Refused as refused:
        problems.append(refused.problem)
    finally:
        if spilled:
            spilled.close()
    fresh = pa.table(rows, schema=INDEX_SCHEMA)
    kept = _at(known.take(pa.array(taken, pa.int64())), places)
    clean = fresh.take(pa.array([n for n in range(len(fresh)) if n not in {*faulty}], pa.int64())) if faulty else fresh
    return Indexed(pa.concat_tables([kept, fresh]), problems, pa.concat_tables([kept, clean]), len(fresh))


def _known(task: IndexTask) -> pa.Table:
    """The index of the file as it was; nothing where there is none."""
    if task.known is not None:
        with contextlib.suppress(Stale):
            table = read_sealed(task.known)
            if table.schema.equals(INDEX_SCHEMA):
                return table
    return INDEX_SCHEMA.empty_table()


_PLACE = ("file", "plain", "line", "offset", "length")


def _at(table: pa.Table, places: list[tuple[Any, ...]]) -> pa.Table:
    """Rows of the index, at other places."""
    for number, name in enumerate(_PLACE):
        values = pa.array([place[number] for place in places], INDEX_SCHEMA.field(name).type)
        table = table.set_column(table.column_names.index(name), INDEX_SCHEMA.field(name), values)
    return table


def _read(raw: RawRecord, task: IndexTask, problems: list[Problem]) -> tuple[Any, ...] | None:
    """What the index says of a record but its place; None for one that has none in the plan."""
    try:
        record, canonical = glance(raw)
    except Refused as refused:
        problems.append(refused.problem)
        return None
    signature = None if task.signing is None else _signature(record, task.signing, raw, problems)
    entry = _entry(record, canonical, signature)
    if entry is None:  # without an id a record has no place in the plan: say all that is wrong with it now
        problems += _faults(raw, schemas_from(dict(task.schema_sources)))
    return entry


def _signature(record: dict[str, Any], signing: Signing, raw: RawRecord, problems: list[Problem]) -> bytes | None:
    """The signature that the record stores, else that of its text; the record may have any shape yet."""
    said = record.get("text")
    if not isinstance(said, dict):
        return None
    if said.get("minhash") is None:
        content = said.get("content")
        return sign(content, signing) if isinstance(content, str) else None
    made = stored(said["minhash"])
    if made is None:  # the check will say so
        return None
    if made[0] != signing.name:
        steps: list[str | int] = ["text", "minhash"]
        place = Place(raw.place.file, raw.place.line or line_of(raw.raw, steps), pointer(steps))
        problems.append(problem("minhash-made", place, found=made[0], expected=signing.name))
        return None
    return made[2]


def _faults(raw: RawRecord, schemas: Schemas) -> list[Problem]:
    """All that is wrong with a record by itself."""
    try:
        return check_record(parse(raw), raw, schemas, {name: set() for name in schemas.tables})
    except Refused as refused:
        return [refused.problem]


def digest_of(raw: bytes) -> bytes:
    """What tells the bytes of a record from others."""
    return hashlib.sha256(raw).digest()[:16]


def _entry(record: dict[str, Any], canonical: bytes, signature: bytes | None) -> tuple[Any, ...] | None:
    names = ("article_id", "group", "split", "supersedes")
    values = [record.get(name) for name in names]
    if not isinstance(values[0], str) or not all(v is None or isinstance(v, str) for v in values):
        return None
    withheld = is_withheld(record)
    if withheld:
        canonical = canonical_record(public_part(record))
    digest = hashlib.sha256(canonical).hexdigest()
    return (*values, withheld, digest, _text_digest(record), signature, len(canonical))


def _text_digest(record: dict[str, Any]) -> str | None:
    """The sha256 of the text, else what the record says that it is; the record may have any shape yet."""
    said = record.get("text")
    if not isinstance(said, dict):
        return None
    content, digest = said.get("content"), said.get("sha256")
    if isinstance(content, str):
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
    return digest if isinstance(digest, str) else None
