"""Converting: documents of an annotation tool, mapped, checked and written as records; each piece of them accounted for.

    found = imported + rejected + ignored

What is rejected goes, with the reason and the item it would have been, into a quarantine file that can be mended and imported
again (`dateline import --from quarantine`). Documents are read, mapped and written one after the other, so that memory does not
grow with the corpus.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from dateline.compile.check import check_record, is_withheld
from dateline.compile.read import RawRecord
from dateline.compile.seeds import read_tables
from dateline.compile.signature import add_signature, signing_of
from dateline.document import Document, Refused
from dateline.errors import BuildError, InputError, Place, Problem
from dateline.importers import Importer, importer
from dateline.incoming import Incoming, filled, incoming
from dateline.leaks import shown
from dateline.mapping.account import Account, Rejection
from dateline.mapping.apply import Draft, rejection_of
from dateline.mapping.file import Mapping
from dateline.mapping.mend import in_standing_order, restored
from dateline.offsets import LINE_ENDS, UNITS
from dateline.project import Project
from dateline.record_files import Staged, encode, on_one_line
from dateline.schema import Json, Schemas
from dateline.standing import Standing

SHOWN_REJECTIONS = 1000
"""So many rejections a result lists; the quarantine file has all of them."""
_PLACE = re.compile(r"\$\.([A-Za-z0-9_]+)\[([0-9]+)\]")
_ADVICE_DOCUMENTS = 50


@dataclass
class Converted:
    """What a conversion found, wrote and rejected."""

    account: Account = field(default_factory=Account)
    rejections: list[Rejection] = field(default_factory=list)
    n_rejections: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], Rejection] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    quarantine: str | None = None
    quotes: bool = True
    """Whether what is told of the result may quote the texts; the quarantine file does."""

    @property
    def documents(self) -> int:
        """How many documents became records."""
        return self.account.imported["document"]

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON types; `rejected` lists at most SHOWN_REJECTIONS of them, `rejected_counts` counts all."""
        count = self.account
        return {
            "documents": self.documents,
            "found": dict(sorted(count.found.items())),
            "imported": dict(sorted(count.imported.items())),
            "rejected": [r.as_json() | {"id": shown(r.id, self.quotes) or None} for r in self.rejections],
            "rejected_counts": dict(sorted(count.rejected.items())),
            "ignored": dict(sorted(count.ignored.items())),
            "spans": {
                "checked": count.spans_checked,
                "mismatched": count.spans_mismatched,
                "trimmed": count.spans_trimmed,
            },
            "quarantine": self.quarantine,
            "written": self.written,
            "unread": self.unread,
            "warnings": self.warnings,
            "problems": [p.as_json() for p in self.problems],
        }

    def reject(self, rejection: Rejection) -> None:
        """Count a rejection, and keep it if there are not too many yet."""
        self.n_rejections += 1
        kind = (rejection.type, _general(rejection.reason))
        self.reasons[kind] += 1
        self.examples.setdefault(kind, rejection)
        if len(self.rejections) < SHOWN_REJECTIONS:
            self.rejections.append(rejection)


def convert_files(
    project: Project,
    schemas: Schemas,
    mapping: Mapping,
    paths: Sequence[Path],
    out: Path,
    *,
    quarantine: Path | None = None,
    lines: bool = False,
    strict: bool = False,
    mend: bool = False,
    dry_run: bool = False,
    tell: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Converted:
    """Convert what lies at `paths` by a mapping, and write a record file for each document to `out` (`lines`: one file of all).

    Rejected pieces go to the file `quarantine` (by default `.dateline/quarantine.jsonl` of the project). With `strict` a
    rejection leaves the records as they were. With `mend` each document is put into the record that stands in the seeds with its
    article_id, wherever that is: what the mapping says nothing of stays as it was there, and a document of which anything is
    rejected leaves its record alone. Raises UsageError for an unknown format, InputError for a path that is not there
    or options that the format does not have, BuildError where something cannot be written.
    """
    format_ = importer(mapping.format)
    options = filled(mapping.options, format_.options, mapping.format)
    tables = read_tables(project, schemas)
    result = Converted(problems=list(tables.problems), quotes=mapping.quotes)
    if result.problems:
        return result
    if _gives_splits(mapping) and project.settings.splits.mode != "given":
        result.warnings.append(
            'the mapping gives splits, but [tool.dateline.splits] mode is "computed", so they are not read; set mode = "given"'
        )
    target = quarantine or project.root / ".dateline" / "quarantine.jsonl"
    standing = Standing(project) if mend else None
    if standing is not None:
        out = project.seeds
    mended: dict[str, bytes] = {}
    work = _Conversion(project, schemas, mapping, format_, tables.keys, result, standing)
    with ExitStack() as stack:
        staged = None if dry_run else stack.enter_context(Staged(out, project.name_of(out)))
        kept = None if dry_run else stack.enter_context(Staged(target.parent, project.name_of(target.parent)))
        records = staged.stream(f"{project.settings.name}.jsonl") if staged and lines else None
        rejected = kept.stream(target.name) if kept else None
        for path in paths:
            label = project.name_of(path)
            with incoming(path, options, label) as there:
                for article_id, raw in work.convert(there, path, tell):
                    result.written.append(article_id)
                    if standing is not None:
                        mended[article_id] = raw
                    elif staged is not None and not lines:
                        staged.add(f"{article_id}.json", raw)
                    elif records is not None:
                        records.write(on_one_line(raw))
                    work.tell_rejections(rejected)
                work.tell_rejections(rejected)
                result.unread += [str(there.place(n)) for n in there.names if n not in there.read and n not in work.tables_read]
        files = dict(standing.files_with(mended)) if standing is not None else {}
        for file, raw in files.items():
            if staged is not None:
                staged.add(file, raw)
        if off := result.account.balance():
            raise BuildError(f"internal fault: the account of the import does not balance: {off}; nothing was written")
        if staged is not None and kept is not None:
            if result.n_rejections:
                kept.place()
                result.quarantine = project.name_of(target)
            if result.written and not (strict and result.n_rejections):
                staged.place()
            if not result.n_rejections:
                target.unlink(missing_ok=True)  # of an earlier import, of which nothing is left to mend
    if strict and result.n_rejections:
        result.written = []
    name = project.name_of(out)
    names = list(files) if mend else [f"{project.settings.name}.jsonl"] if lines else [f"{a}.json" for a in result.written]
    result.written = [f"{name}/{file}" for file in names] if result.written else []
    if result.account.spans_mismatched:
        result.warnings += _advice(format_, mapping, paths, result)
    return result


class _Conversion:
    """Documents to records, with what is known from one document to the next."""

    def __init__(
        self,
        project: Project,
        schemas: Schemas,
        mapping: Mapping,
        format_: Importer,
        table_keys: Any,
        result: Converted,
        standing: Standing | None = None,
    ) -> None:
        self.project = project
        self.schemas = schemas
        self.mapping = mapping
        self.format = format_
        self.table_keys = table_keys
        self.result = result
        self.standing = standing
        self.signing = signing_of(project.settings.splits)
        self.places: dict[str, str] = {}
        self.tables_read: set[str] = set()
        self._new: list[Rejection] = []

    def convert(self, there: Incoming, path: Path, tell: Callable[[str, int, int], None]) -> Iterator[tuple[str, bytes]]:
        """The records of what lies somewhere, with their ids, encoded."""
        metadata, lists = self._side_tables(there)
        there.names = tuple(n for n in there.names if n not in self.tables_read)
        total, done = len(there.names), 0
        for found in self.format.documents(there):
            tell("documents", done, max(total, done))
            done += 1
            if isinstance(found, Refused):
                self.result.account.found[found.type] += 1
                self.result.account.rejected[found.type] += 1
                self._reject(rejection_of(found))
                continue
            for table, rows in zip(self.mapping.tables, metadata, strict=True):
                key = found.name if table.of is None else found.metadata.get(table.of)
                found.metadata |= rows.get(str(key), {})
            if made := self._record(found, lists):
                yield made
        tell("documents", done, done)

    def tell_rejections(self, file: BinaryIO | None) -> None:
        """Write the rejections since the last call to a quarantine file."""
        if file is not None:
            file.writelines(map(_quarantined, self._new))
        self._new = []

    def _record(self, document: Document, lists: dict[str, str]) -> tuple[str, bytes] | None:
        draft = Draft(document, self.mapping, split=_split_of(document, self.mapping, lists), surface=self.format.surface)
        raw = b"" if draft.rejected else self._checked(draft)
        draft.close()
        self.result.account.add(draft.account)
        for rejection in draft.rejections:
            self._reject(rejection)
        if draft.rejected:
            return None
        self.places[draft.article_id] = str(document.place)
        return draft.article_id, raw

    def _checked(self, draft: Draft) -> bytes:
        """The record once its check is content; items that it rejects are taken out, until then."""
        if other := self.places.get(draft.article_id):
            reason = f"has the article_id of {other}; name it otherwise by [article] article_id"
            draft.reject_document(reason, "duplicate-article")
            return b""
        before = self._before(draft)
        if draft.rejected:
            return b""
        while True:
            record = draft.record()
            if before is not None:
                record = restored(record, before, self.mapping)
            raw = encode(record)
            where = RawRecord(Place(draft.document.place.file), 0, raw)
            faults = check_record(record, where, self.schemas, self.table_keys, public=not self.project.settings.private)
            faults = [f for f in faults if f.fails]
            if not faults:
                if before is not None:
                    return self._mended(draft, record, before)
                if is_withheld(record) and add_signature(record, self.signing):
                    raw = encode(record)  # while the text is at hand: it may be taken out later
                return raw
            whole = [f for f in faults if not self._takes_item(draft, f)]
            if whole and len(whole) == len(faults):
                draft.reject_document(_told(whole[0]), whole[0].rule)
                return b""

    def _before(self, draft: Draft) -> Json | None:
        """The record that a document is to mend; a document without one, or with another text, is rejected."""
        if self.standing is None:
            return None
        if draft.article_id not in self.standing:
            draft.reject_document("is of no article in the seeds, which --mend would put it into; import it without")
            return None
        if self.standing.compressed(draft.article_id):
            draft.reject_document(f"stands in {self.standing.place(draft.article_id)}, which is compressed; unpack it first")
            return None
        before = self.standing.record(draft.article_id)
        if before["text"].get("content") != draft.document.text:
            draft.reject_document("has another text than its record in the seeds; see docs/reanchoring.md")
        return before

    def _mended(self, draft: Draft, record: Json, before: Json) -> bytes:
        """The record with what came back; none if an item did not, which would vanish from the record."""
        if lost := draft.item_rejections:
            told = f"{lost[0].type} {shown(lost[0].id, self.mapping.quotes)}: {lost[0].reason}"
            draft.reject_document(f"is not put back, as not all of it was imported: {told}", lost[0].rule)
            return b""
        return encode(in_standing_order(record, before, self.mapping))

    def _takes_item(self, draft: Draft, fault: Problem) -> bool:
        found = item_place(fault)
        return found is not None and draft.reject_item(*found, _told(fault), fault.rule)

    def _reject(self, rejection: Rejection) -> None:
        self.result.reject(rejection)
        self._new.append(rejection)

    def _side_tables(self, there: Incoming) -> tuple[list[dict[str, dict[str, str]]], dict[str, str]]:
        """The metadata tables by key, and the split of each listed name."""
        metadata = []
        for table in self.mapping.tables:
            rows: dict[str, dict[str, str]] = {}
            for number, row in _rows(self._side_file(table.file, there), table.file):
                if table.key not in row:
                    raise InputError(f"{table.file}: has no column {table.key!r}; it has {', '.join(row)}")
                said = {k: v for k, v in row.items() if k != table.key and v != ""}
                if rows.setdefault(row[table.key], said) != said:
                    raise InputError(f"{table.file}:{number}: says otherwise of {shown(row[table.key])!r} than a row before")
            metadata.append(rows)
        lists: dict[str, str] = {}
        for split, file in self.mapping.splits.lists.items():
            for line in self._side_file(file, there).splitlines():
                if (name := line.strip()) and lists.setdefault(name, split) != split:
                    raise InputError(f"{file}: lists {shown(name)!r}, which stands in the list of {lists[name]}, too")
        return metadata, lists

    def _side_file(self, name: str, there: Incoming) -> str:
        if name in there.names:
            self.tables_read.add(name)
            return there.text(name)
        beside = self.project.root / name
        if not beside.is_file():
            raise InputError(f"{self.mapping.file}: names the file {name}, which is neither in the source nor in the project")
        return Incoming(self.project.root, [name], there.options).text(name)


def _rows(text: str, file: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a TSV or CSV table with a head, each with its line."""
    delimiter = "\t" if file.lower().endswith((".tsv", ".tab")) else ","
    try:
        reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
        head = reader.fieldnames or []
        if len({*head}) != len(head):
            raise InputError(f"{file}: names a column twice: {', '.join(head)}")
        for row in reader:
            if None in row:
                raise InputError(f"{file}:{reader.line_num}: has more cells than the head; quote what holds a {delimiter!r}")
            yield reader.line_num, {k: v or "" for k, v in row.items()}
    except csv.Error as fault:
        raise InputError(f"{file}: is no table: {fault}") from None


def _gives_splits(mapping: Mapping) -> bool:
    return bool(mapping.splits.folders or mapping.splits.lists or mapping.splits.metadata)


def _split_of(document: Document, mapping: Mapping, lists: dict[str, str]) -> str | None:
    """The official split of a document, if the mapping knows one."""
    says = mapping.splits
    for folder, split in says.folders.items():
        if folder in document.name.split("/")[:-1] or document.name.startswith(f"{folder}/"):
            return split
    last = document.name.rpartition("/")[2]
    for name in (document.name, last):
        if name in lists:
            return lists[name]
    if says.metadata and (found := document.metadata.get(says.metadata)) is not None:
        return says.values.get(str(found), str(found))
    return None


def item_place(fault: Problem) -> tuple[str, int] | None:
    """The layer and the index of the item that a fault of a record is about; None for one of the record itself."""
    found = _PLACE.match(fault.place.pointer)
    return (found[1], int(found[2])) if found else None


def _told(fault: Problem) -> str:
    """A fault of a record as the reason of a rejection: its field and what is wrong with it."""
    inner = _PLACE.sub("", fault.place.pointer, count=1).lstrip(".")
    return f"{inner} {fault.says}" if inner else fault.says


def _general(reason: str) -> str:
    """A reason without what differs from one item to the next, for counting."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|[0-9]+", "…", reason)


def _quarantined(rejection: Rejection) -> bytes:
    """A line of a quarantine file."""
    line = rejection.as_json() | {"article_id": rejection.article_id or None, "layer": rejection.layer or None}
    line |= {"item": rejection.item, "record": rejection.record}
    return json.dumps({k: v for k, v in line.items() if v is not None}, ensure_ascii=False).encode() + b"\n"


def _advice(format_: Importer, mapping: Mapping, paths: Sequence[Path], result: Converted) -> list[str]:
    """Under which other counting of offsets the words would fit, if under one; tried on the first documents."""
    best: tuple[int, str] | None = None
    for unit in UNITS:
        for ends in LINE_ENDS:
            options = filled({**mapping.options, "offsets": unit, "crlf": ends}, format_.options, mapping.format)
            wrong = sum(_mismatched(format_, path, options) for path in paths)
            if best is None or wrong < best[0]:
                best = (wrong, f'[options] offsets = "{unit}", crlf = "{ends}"')
    now = filled(mapping.options, format_.options, mapping.format)
    if best and best[0] < sum(_mismatched(format_, path, now) for path in paths):
        return [f"{result.account.spans_mismatched} spans have other words in the source; with {best[1]} it would be {best[0]}"]
    return []


def _mismatched(format_: Importer, path: Path, options: dict[str, Any]) -> int:
    wrong = 0
    with incoming(path, options) as there:
        for number, document in enumerate(format_.documents(there)):
            if number == _ADVICE_DOCUMENTS:
                break
            if isinstance(document, Refused):
                continue
            wrong += len(document.refused)
            for node in document.nodes:
                for part, words in node.words.items():
                    spans = node.spans if part == "" else node.parts.get(part, ())
                    wrong += format_.surface(document.text, spans) != words
    return wrong
