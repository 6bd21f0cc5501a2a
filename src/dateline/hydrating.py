"""hydrate: put one's own copy of withheld texts back, into seeds or into a built dataset, always in another folder.

Text and the surfaces of spans follow from the text, and only they are restored: headlines, propositions and notes of a
withheld article do not stand in it, and stay null in a dataset even where its seeds have them. A text that is not, to the byte,
the one that was annotated is refused, and every span is checked against it again.

Where the result goes: never into seeds/ or dataset/ of the project, never into the folder that was read, and only into a folder
that is new, empty, or an earlier hydrated copy. Each copy carries a `.gitignore` that covers all of it, so that no
`git add` takes a text along.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dateline.compile.check import check_record, is_withheld, span_problems
from dateline.compile.digests import BATCH_ROWS, rows_of_table, table_digests
from dateline.compile.laws import span_lists
from dateline.compile.read import pointer
from dateline.compile.seeds import files_in, read_tables, records_in
from dateline.compile.tables import ARTICLES, row_spans, with_text
from dateline.compile.withheld import Unfit, file_of, read_text, unfit
from dateline.describe.card import hydrated_card
from dateline.errors import BuildError, InputError, LoadError, Place, Problem, UsageError
from dateline.manifest import NAME as MANIFEST
from dateline.manifest import Manifest, content_digest, contradictions, read_manifest, whole_digest
from dateline.parquet import ShardFile, arrow_table
from dateline.project import Project
from dateline.record_files import encode
from dateline.release_files import ReleaseError, unsafe_names
from dateline.rules import problem
from dateline.schema import Json, Schemas, load_schemas

MARK = "# made by dateline hydrate: holds texts that may not be passed on\n"


@dataclass
class Hydrated:
    """What was restored: withheld articles, those whose text was at hand, spans checked; what was written, or the problems."""

    out: Path
    withheld: int = 0
    restored: int = 0
    spans: int = 0
    written: list[str] = field(default_factory=list)
    content_digest: str | None = None
    logical_digest: str | None = None
    release_digest: str | None = None
    problems: list[Problem] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON types; `release_digest` is the logical digest of the dataset that was hydrated."""
        names = ("withheld", "restored", "spans", "written", "content_digest", "logical_digest", "release_digest")
        found = {name: getattr(self, name) for name in names}
        return {"success": not self.problems, "out": str(self.out), **found, "problems": [p.as_json() for p in self.problems]}


def is_dataset(path: Path) -> bool:
    """Whether a path is a built dataset."""
    return (path / MANIFEST).is_file()


def hydrate_seeds(project: Project, path: Path, texts: Path, out: Path, *, dry_run: bool = False) -> Hydrated:
    """Write the records of a seed file, or of a folder of them, to `out` with every withheld text at hand filled in.

    Compressed files are written plain. If a text or a span does not fit, problems are returned and nothing is written. Raises
    UsageError for an `out` that is not safe, InputError for paths that are not there or if no text is at hand.
    """
    schemas = load_schemas(project.schemas)
    tables = read_tables(project, schemas)
    result = Hydrated(out, problems=list(tables.problems))
    _texts_folder(texts)
    home = path if path.is_dir() else path.parent
    with _new_folder(out, path, project, dry_run) as folder:
        files = {file: _plain_name(file, home) for file in files_in(project, [path])}
        for name, number in Counter(files.values()).items():
            if number > 1:
                both = " and ".join(project.name_of(file) for file, other in files.items() if other == name)
                raise InputError(f"{both}: would both be written as {name}; name one of them at a time")
        for file, name in files.items():
            target = folder / name if folder else None
            if target:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(b"")
            for raw, record in records_in(file, project.name_of(file), result.problems):
                line = raw.raw if raw.raw.endswith(b"\n") or not raw.place.line else raw.raw + b"\n"
                if is_withheld(record) and _fill_text(record, texts, result):
                    found = check_record(record, raw, schemas, tables.keys)
                    result.problems += found
                    if not found:
                        result.spans += _fill_surfaces(record, schemas)
                    line = (json.dumps(record, ensure_ascii=False) + "\n").encode() if raw.place.line else encode(record)
                if target:
                    with target.open("ab") as stream:
                        stream.write(line)
            if target:
                result.written.append(target.relative_to(folder or out).as_posix())
        _something(result, texts)
    return _finished(result, dry_run)


def hydrate_dataset(project: Project | None, path: Path, texts: Path, out: Path, *, dry_run: bool = False) -> Hydrated:
    """Write a copy of a built dataset to `out` with text and surfaces of every withheld article at hand filled in.

    Articles stay in the tables and splits where they are. The copy has digests, manifest and card of its own; taking the text
    out again gives the logical digest of the original, which is tried. If a text or a span does not fit, problems are
    returned and nothing is written. Raises UsageError for an `out` that is not safe, LoadError for a dataset that is not as
    its manifest says, InputError if no text is at hand.
    """
    manifest = read_manifest(path)
    if faults := unsafe_names(manifest):
        raise ReleaseError(str(path), faults)
    for says in contradictions(manifest):
        raise LoadError(f"{path / MANIFEST}: contradicts itself: {says}; get the dataset again")
    _as_the_manifest_says(path, manifest)
    _texts_folder(texts)
    result = Hydrated(out, release_digest=manifest.logical_digest)
    at_hand = _at_hand(path, manifest, texts, result)
    with _new_folder(out, path, project, dry_run) as folder:
        shown = _Texts(texts, at_hand)
        tables = {}
        for name, table in manifest.tables.items():
            files = []
            for entry in table.files if not result.problems else ():
                made = _hydrate_file(path / entry["path"], name, entry, folder, shown, result)
                files.append(made or entry)
            tables[name] = replace(table, files=files)
        _something(result, texts)
        if not result.problems and folder:
            _describe(path, manifest, Manifest(**{**vars(manifest), "tables": tables}), folder, result)
    return _finished(result, dry_run)


def _plain_name(file: Path, home: Path) -> Path:
    """The name of a seed file in the copy, where none is compressed."""
    name = file.relative_to(home) if home in file.parents else Path(file.name)
    return name.with_name(name.name.removesuffix(".gz").removesuffix(".zst"))


# ---- seeds ---------------------------------------------------------------------------------------------------


def _fill_text(record: Json, texts: Path, result: Hydrated) -> bool:
    """Whether the record has its text now; one that had it is checked as well."""
    said = record.get("text")
    result.withheld += 1
    if not isinstance(said, dict) or not isinstance(record.get("article_id"), str):
        return True  # the check says what is wrong
    if said.get("content") is None:
        text = _read(texts, record["article_id"], str(said.get("sha256")), result)
        if text is None:
            return False
        said["content"] = text
    result.restored += 1
    return True


def _fill_surfaces(record: Json, schemas: Schemas) -> int:
    text, spans = record["text"]["content"], 0
    for layer in schemas.layers.values():
        for item in record.get(layer.name) or ():
            for found in layer.fields:
                for one in span_lists(found, found.value_of(item), []):
                    for _, span in one:
                        span["surface"] = text[span["start"] : span["end"]]
                        spans += 1
    return spans


# ---- a built dataset -----------------------------------------------------------------------------------------


def _as_the_manifest_says(path: Path, manifest: Manifest) -> None:
    entries = [*(file for table in manifest.tables.values() for file in table.files), manifest.card]
    for entry in entries:
        try:
            with (path / entry["path"]).open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as fault:
            raise LoadError(
                f"{path / entry['path']}: the manifest names it, but: {fault.strerror}; get the dataset again"
            ) from None
        if digest != entry["sha256"]:
            raise LoadError(f"{path / entry['path']}: has sha256 {digest[:12]}…, the manifest says {entry['sha256'][:12]}…; "
                            "get the dataset again")  # fmt: skip


def _at_hand(path: Path, manifest: Manifest, texts: Path, result: Hydrated) -> dict[str, str]:
    """The withheld articles whose text is at hand and fits, with its digest."""
    found = {}
    columns = ["article_id", "text_redistributable", "text_sha256"]
    for _, row in rows_of_table(path, manifest.tables[ARTICLES], columns=columns):
        if not row["text_redistributable"]:
            result.withheld += 1
            if _read(texts, row["article_id"], row["text_sha256"], result) is not None:
                found[row["article_id"]] = row["text_sha256"]
    result.restored = len(found)
    return found


class _Texts:
    """The texts at hand; the one used last is kept, as the rows of an article stand together."""

    def __init__(self, folder: Path, at_hand: dict[str, str]) -> None:
        self.folder, self.at_hand = folder, at_hand
        self._last: tuple[str, str] = ("", "")

    def __getitem__(self, article_id: str) -> str:
        if self._last[0] != article_id:
            path = file_of(self.folder, article_id)
            try:
                self._last = (article_id, read_text(path, self.at_hand[article_id]))
            except (Unfit, OSError):
                raise InputError(f"{path}: changed while it was read; run the command again") from None
        return self._last[1]


def _hydrate_file(
    path: Path, table: str, entry: dict[str, Any], folder: Path | None, texts: _Texts, result: Hydrated
) -> dict[str, Any] | None:
    file = pq.ParquetFile(path)
    schema = file.schema_arrow
    stem = path.name.rpartition("-")[0]
    out = ShardFile(folder, table, entry["split"], stem, schema) if folder else None
    number = 0
    for batch in file.iter_batches(BATCH_ROWS):
        rows = batch.to_pylist()
        for i, row in enumerate(rows):
            if row.get("article_id") in texts.at_hand and "article_id" in schema.names:
                text = texts[row["article_id"]]
                faults = _check_spans(row, schema, text, Place(f"{path.parent.name}/{path.name}"), number + i, result)
                result.problems += faults
                if not faults:
                    rows[i] = with_text(row, table, schema, text)
        number += len(rows)
        if out:
            out.add(arrow_table(rows, schema))
    if out is None:
        return None
    made = out.close()
    return {"path": made.path, "split": made.split, "sha256": made.sha256, "bytes": made.bytes, "rows": made.rows}


def _check_spans(row: dict[str, Any], schema: Any, text: str, place: Place, number: int, result: Hydrated) -> list[Problem]:
    found: list[Problem] = []

    def report(rule: str, steps: list[str | int], **values: object) -> None:
        found.append(problem(rule, place.at(pointer(steps)), **values))  # type: ignore[arg-type]

    for column in schema:
        for spans in row_spans(row[column.name], column.type, [number, column.name]):
            span_problems(spans, text, len(text), False, report)
            result.spans += len(spans)
    return found


def _describe(path: Path, before: Manifest, made: Manifest, folder: Path, result: Hydrated) -> None:
    """Digests, card and manifest of the copy; raises BuildError if taking the text out does not give the original again."""
    digests = table_digests(folder, made)
    if table_digests(folder, made, nulled=True) != table_digests(path, before, nulled=True):
        raise BuildError(f"{path}: with its texts taken out again, the hydrated copy is not this dataset; please report it")
    tables = {name: replace(table, logical_digest=digests[name]) for name, table in made.tables.items()}
    files = [(file["path"], file["sha256"]) for table in tables.values() for file in table.files]
    result.content_digest = content_digest(files, {n: t.features for n, t in tables.items() if t.rows})
    result.logical_digest = whole_digest(digests)
    card = folder / before.card["path"]
    text = (path / before.card["path"]).read_text(encoding="utf-8")
    raw = hydrated_card(text, tables, before.content_digest, result.content_digest, result.restored, result.withheld).encode()
    card.write_bytes(raw)
    manifest = replace(
        made, tables=tables, validation=[], versions=None,
        content_digest=result.content_digest, logical_digest=result.logical_digest,
        card={"path": before.card["path"], "sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)},
        hydrated_from={"content_digest": before.content_digest, "logical_digest": before.logical_digest},
    )  # fmt: skip
    (folder / MANIFEST).write_bytes(manifest.encode())
    result.written = sorted(manifest.paths() | {MANIFEST})


# ---- both ----------------------------------------------------------------------------------------------------


def _texts_folder(texts: Path) -> None:
    if not texts.is_dir():
        raise InputError(f"{texts}: no such folder; texts lie there as <article_id>.txt")


def _read(texts: Path, article_id: str, sha256: str, result: Hydrated) -> str | None:
    path = file_of(texts, article_id)
    try:
        return read_text(path, sha256) if path.is_file() and path.parent == texts else None
    except Unfit as fault:
        result.problems.append(unfit(path, article_id, fault))
    except OSError as fault:
        raise InputError(f"{path}: cannot be read: {fault.strerror}") from None
    return None


def _something(result: Hydrated, texts: Path) -> None:
    if result.withheld and not result.restored and not result.problems:
        raise InputError(f"{texts}: holds the text of none of the {result.withheld} withheld articles; "
                         "texts lie there as <article_id>.txt")  # fmt: skip
    if result.problems:
        raise _Nothing


def _finished(result: Hydrated, dry_run: bool) -> Hydrated:
    if result.problems or dry_run:
        result.written = [] if result.problems else result.written
        result.problems.sort(key=lambda p: (p.place.file, p.place.line))
    return result


class _Nothing(Exception):
    """Leaves the folder in the making, which is then removed."""


@contextmanager
def _new_folder(out: Path, source: Path, project: Project | None, dry_run: bool) -> Iterator[Path | None]:
    """A folder beside `out`, readable by its owner alone, that takes its place when all is there; None for a dry run."""
    _safe(out, source, project)
    if dry_run:
        with _ended():
            yield None
        return
    folder: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        (folder / ".gitignore").write_text(MARK + "*\n", encoding="utf-8")
        whole = False
        with _ended():
            yield folder
            whole = True
        if whole:
            if out.exists():
                shutil.rmtree(out)
            folder.rename(out)
    except OSError as fault:
        raise BuildError(f"{fault.filename or out}: {fault.strerror or fault}; nothing was written") from None
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _ended() -> Iterator[None]:
    with suppress(_Nothing):
        yield


def _safe(out: Path, source: Path, project: Project | None) -> None:
    at = out.resolve()
    kept = [project.seeds, project.dataset, project.schemas] if project else []
    for folder in [*kept, source if source.is_dir() else source.parent]:
        inner = folder.resolve()
        if at == inner or inner in at.parents or at in inner.parents:
            raise UsageError(f"--out {out}: lies in, or holds, {folder}; hydrated texts are kept apart from what is passed on")
    mark = out / ".gitignore"
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder")
    if out.is_dir() and any(out.iterdir()) and not (mark.is_file() and mark.read_text(encoding="utf-8").startswith(MARK)):
        raise UsageError(f"--out {out}: is neither empty nor a hydrated copy made before; name a new folder")
