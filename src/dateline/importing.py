"""Import: an importer's documents, checked, written as records; all of them or none."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dateline.compile.check import check_record, is_withheld
from dateline.compile.read import RawRecord
from dateline.compile.seeds import read_tables
from dateline.compile.signature import add_signature, signing_of
from dateline.errors import InputError, Place, Problem
from dateline.files import write_atomically
from dateline.importers import importer
from dateline.project import Project
from dateline.rules import problem
from dateline.schema import load_schemas


@dataclass
class ImportResult:
    """What an import read, wrote and refused."""

    documents: int = 0
    items: dict[str, int] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON types."""
        return {
            "documents": self.documents,
            "imported": self.items,
            "written": self.written,
            "problems": [p.as_json() for p in self.problems],
        }


def import_files(project: Project, source: str, paths: Iterable[Path], out: Path, *, dry_run: bool = False) -> ImportResult:
    """Read documents of format `source` and write one record file each to `out`; nothing if anything is wrong.

    A record that stands in `out` unchanged is written again with equal bytes. Raises UsageError for an unknown
    format, InputError for a path that is not there.
    """
    read = importer(source)
    signing = signing_of(project.settings.splits)
    schemas = load_schemas(project.schemas)
    tables = read_tables(project, schemas)
    result = ImportResult(problems=list(tables.problems))
    records: dict[str, tuple[str, bytes]] = {}
    for path in _files(paths, read.SUFFIXES):
        for document in read.read(path, schemas, name=project.name_of(path)):
            result.documents += 1
            result.problems += document.problems
            if document.record is None:
                continue
            raw = encode(document.record)
            found = check_record(document.record, RawRecord(Place(document.source), 0, raw), schemas, tables.keys)
            if not found and is_withheld(document.record) and add_signature(document.record, signing):
                raw = encode(document.record)  # while the text is at hand: it may be taken out later
            # pointers hold in the document too, lines do not
            result.problems += [dataclasses.replace(p, place=Place(document.source, 0, p.place.pointer)) for p in found]
            article_id = document.record.get("article_id")
            if not found and article_id in records:
                place = Place(document.source, 0, "$.article.article_id")
                result.problems.append(problem("duplicate-article", place, found=article_id, other=records[article_id][0]))
            elif not found:
                records[str(article_id)] = (document.source, raw)
                for layer in schemas.layers:
                    result.items[layer] = result.items.get(layer, 0) + len(document.record[layer])
    if not result.problems:
        for article_id, (_, raw) in sorted(records.items()):
            target = out / f"{article_id}.json"
            if not dry_run:
                out.mkdir(parents=True, exist_ok=True)
                write_atomically(target, raw)
            result.written.append(project.name_of(target))
    return result


def encode(record: dict[str, Any]) -> bytes:
    """A record as people read it in a diff: one item of a layer on each line, UTF-8, no ASCII escapes."""
    lines = []
    for key, value in record.items():
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            items = ",\n".join("  " + _compact(item) for item in value)
            lines.append(f" {_compact(key)}: [\n{items}\n ]")
        else:
            lines.append(f" {_compact(key)}: {_compact(value)}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _files(paths: Iterable[Path], suffixes: tuple[str, ...]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.name.endswith(suffixes))
        elif path.exists():
            found.append(path)
        else:
            raise InputError(f"{path}: no such file or folder")
    if not found:
        raise InputError(f"no files ending in {', '.join(suffixes)} in {', '.join(map(str, paths))}")
    return found
