"""Index: what is there. Each seed file becomes a small table of its records: who they are and where they stand.

Nothing of a record's content is kept, and what is kept of all of them lies in files: the index, and signatures. Compressed files
are spilled to plain ones first, so that any record can be read by its offset.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dateline.compile.before import Stale, read_sealed, write_sealed
from dateline.compile.check import check_record, is_withheld, public_part
from dateline.compile.groups import SignatureFile
from dateline.compile.places import settled, stamp_of, write_places
from dateline.compile.read import (
    RawRecord,
    Refused,
    canonical_record,
    digest_of,
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
from dateline.files import Mapped, attempt_folder
from dateline.rules import problem
from dateline.schema import Schemas, schemas_from

INDEX_SCHEMA = pa.schema([
    ("article_id", pa.large_string()),
    ("group", pa.large_string()),
    ("split", pa.string()),
    ("supersedes", pa.large_string()),
    ("withheld", pa.bool_()),
    ("record_sha256", pa.binary(32)),
    ("text_sha256", pa.binary(32)),
    ("signature", pa.int64()),
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
`signature` is the row of the text's signature in the file of signatures, null where there is none or none is asked for;
`plain` is the file that `offset` and `length` (bytes) point into; `raw_digest` tells whether they are still the same bytes."""

_AT = INDEX_SCHEMA.get_field_index("signature")
_WHOLE = INDEX_SCHEMA.set(_AT, pa.field("minhash", pa.large_binary()))
"""The same with the signatures themselves, as one file is read, and kept for the next time."""


@dataclass(frozen=True)
class IndexTask:
    """One seed file to index; `spill` is the folder where its plain form goes if it is compressed.

    `signing` says how near-duplicate signatures are made, None that none are; `known` is where the file's index of the last time
    may lie, of which records are taken whose bytes are what they were; with `keep` it is written anew for the next time.
    """

    path: Path
    name: str
    spill: Path
    schema_sources: tuple[tuple[str, bytes], ...]
    signing: Signing | None = None
    known: Path | None = None
    keep: bool = False


@dataclass
class Indexed:
    """The index of one file (INDEX_SCHEMA), what is wrong with its records, and what stays in files, for it is large.

    `signatures` holds the signatures, in the order in which the table counts them; `kept` the rows of records without fault;
    `places` says where each record stands, if none is at fault.
    """

    table: pa.Table
    problems: list[Problem] = field(default_factory=list)
    signatures: Path | None = None
    kept: Path | None = None
    places: Path | None = None
    again: int = 0
    """How many records were parsed."""


def index_file(task: IndexTask) -> Indexed:
    """Index one seed file. Raises InputError if it cannot be opened."""
    with without_collecting():
        return _indexed(task)


def _indexed(task: IndexTask) -> Indexed:
    rows: dict[str, list[Any]] = {name: [] for name in _WHOLE.names}
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
    whole = True
    stamp = stamp_of(task.path) if task.keep and task.path.exists() else None
    still = stamp is not None and settled(stamp)
    try:
        for raw in read_raw(task.path, name=task.name):
            digest = digest_of(raw.raw)
            number = digests.get(digest)
            entry: tuple[Any, ...] | None = None
            if number is None:
                seen = len(problems)
                entry = _read(raw, task, problems)
                if entry is None:
                    whole = False
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
            for name, value in zip(_WHOLE.names, (*(entry or ()), *where, digest), strict=True):
                rows[name].append(value)
    except Refused as refused:
        problems.append(refused.problem)
    finally:
        if spilled:
            spilled.close()
    fresh = pa.table(rows, schema=_WHOLE)
    old = _at(known.take(pa.array(taken, pa.int64())), places)
    made = Indexed(INDEX_SCHEMA.empty_table(), problems, again=len(fresh))
    found = pa.concat_tables([old, fresh])
    minhashes = found["minhash"].drop_null().to_pylist()
    out = attempt_folder(task.spill) if task.keep or minhashes else task.spill
    if task.keep:
        clean = fresh.take(pa.array([n for n in range(len(fresh)) if n not in {*faulty}], pa.int64())) if faulty else fresh
        made.kept = out / "kept.index"
        write_sealed(made.kept, pa.concat_tables([old, clean]))
        if stamp is not None and still and whole and not problems and stamp_of(task.path) == stamp:
            made.places = out / "kept.places"
            write_places(made.places, found, stamp)
    if minhashes:
        made.signatures = out / "signatures"
        made.signatures.write_bytes(b"".join(minhashes))
    made.table = found.set_column(_AT, INDEX_SCHEMA.field(_AT), _counted(found["minhash"]))
    return made


def _counted(column: pa.ChunkedArray) -> pa.Array:
    """Numbers from 0 on for what there is, null for what there is not."""
    there = column.is_valid().combine_chunks().to_numpy(zero_copy_only=False)
    return pa.array(np.cumsum(there) - 1, pa.int64(), mask=~there)


class IndexFile:
    """The index of all seed files in one file: `table` (INDEX_SCHEMA) is read as it is looked at, `forget` gives that back."""

    def __init__(self, path: Path) -> None:
        self._file = Mapped(path)
        self.table: pa.Table = pa.ipc.open_file(pa.py_buffer(self._file.content)).read_all()

    def forget(self) -> None:
        """Give back the memory of what was looked at, and that of copies which are gone."""
        self._file.forget()
        pa.default_memory_pool().release_unused()


_ROWS_AT_ONCE = 1 << 16


def gather(pieces: Iterable[Indexed], folder: Path, signing: Signing | None) -> tuple[IndexFile, SignatureFile | None]:
    """The index of all files in one file in `folder`, and all signatures in another; the files of those are gone then."""
    index, signatures = folder / "index.arrow", folder / "signatures"
    waiting: list[pa.Table] = []
    rows = count = 0

    def write() -> None:
        nonlocal rows
        writer.write_table(pa.concat_tables(waiting).combine_chunks(), max_chunksize=_ROWS_AT_ONCE)
        waiting.clear()
        rows = 0

    with signatures.open("wb") as signed, pa.OSFile(str(index), "wb") as file, pa.ipc.new_file(file, INDEX_SCHEMA) as writer:
        for piece in pieces:
            numbers = pc.add(piece.table["signature"], count)
            waiting.append(piece.table.set_column(_AT, INDEX_SCHEMA.field(_AT), numbers))
            count += len(numbers) - numbers.null_count
            if piece.signatures is not None:
                signed.write(piece.signatures.read_bytes())
                piece.signatures.unlink()
            rows += len(piece.table)
            if rows >= _ROWS_AT_ONCE:  # not sooner: a file may hold one record, and a batch of one is mostly head
                write()
        if waiting:
            write()
    return IndexFile(index), None if signing is None else SignatureFile(signatures, signing.num_perm)


def digest_of_records(index: pa.Table) -> str:
    """What tells these records from others, however they are cut into files: a digest of theirs, in order."""
    chunks = index["record_sha256"].chunks
    digests = np.concatenate([np.empty(0, "S32"), *(np.frombuffer(c.buffers()[1], "S32")[c.offset :][: len(c)] for c in chunks)])
    digests.sort()
    sha256 = hashlib.sha256()
    for begin in range(0, len(digests), _ROWS_AT_ONCE):
        some = digests[begin : begin + _ROWS_AT_ONCE].tobytes()
        sha256.update((b"\n" if begin else b"") + some.hex("\n", -digests.itemsize).encode())
    return sha256.hexdigest()


def _known(task: IndexTask) -> pa.Table:
    """The index of the file as it was; nothing where there is none."""
    if task.known is not None:
        with contextlib.suppress(Stale):
            table = read_sealed(task.known)
            if table.schema.equals(_WHOLE):
                return table
    return _WHOLE.empty_table()


_PLACE = ("file", "plain", "line", "offset", "length")
_SHA256 = re.compile("[0-9a-f]{64}")


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


def _entry(record: dict[str, Any], canonical: bytes, signature: bytes | None) -> tuple[Any, ...] | None:
    names = ("article_id", "group", "split", "supersedes")
    values = [record.get(name) for name in names]
    if not isinstance(values[0], str) or not all(v is None or isinstance(v, str) for v in values):
        return None
    withheld = is_withheld(record)
    if withheld:
        canonical = canonical_record(public_part(record))
    digest = hashlib.sha256(canonical).digest()
    return (*values, withheld, digest, _text_digest(record), signature, len(canonical))


def _text_digest(record: dict[str, Any]) -> bytes | None:
    """The sha256 of the text, else what the record says that it is; the record may have any shape yet."""
    said = record.get("text")
    if not isinstance(said, dict):
        return None
    content, digest = said.get("content"), said.get("sha256")
    if isinstance(content, str):
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()
    return bytes.fromhex(digest) if isinstance(digest, str) and _SHA256.fullmatch(digest) else None
