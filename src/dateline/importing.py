"""Import of formats that give records: checked, and written; all of them or none. (Other formats: dateline.converting.)"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dateline.compile.check import check_record, is_withheld
from dateline.compile.read import RawRecord
from dateline.compile.seeds import read_tables
from dateline.compile.signature import add_signature, signing_of
from dateline.errors import InputError, Place, Problem, UsageError
from dateline.importers import importer
from dateline.leaks import shown
from dateline.project import Project
from dateline.record_files import Staged, encode
from dateline.rules import problem
from dateline.schema import load_schemas


@dataclass
class ImportResult:
    """What an import read, wrote and refused."""

    documents: int = 0
    items: dict[str, int] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON types."""
        return {
            "documents": self.documents,
            "imported": self.items,
            "written": self.written,
            "warnings": self.warnings,
            "problems": [p.as_json() for p in self.problems],
        }


def import_files(project: Project, source: str, paths: Iterable[Path], out: Path, *, dry_run: bool = False) -> ImportResult:
    """Read documents of format `source` and write one record file each to `out`; nothing if anything is wrong.

    The records are put in place together, or none of them. A record of `out` that looks like an earlier import of the same
    document, before its text was edited, is named in `warnings`. Raises UsageError for an unknown format, InputError
    for a path that is not there, BuildError where `out` cannot be written.
    """
    read = importer(source)
    if read.read_records is None:
        raise UsageError(f"format {source} needs a mapping.toml; `dateline new NAME --from {source} PATH` writes one")
    signing = signing_of(project.settings.splits)
    schemas = load_schemas(project.schemas)
    tables = read_tables(project, schemas)
    result = ImportResult(problems=list(tables.problems))
    records: dict[str, tuple[str, bytes]] = {}
    heads: dict[str, dict[str, Any]] = {}
    for path in _files(paths, read.suffixes):
        for document in read.records(path, schemas, name=project.name_of(path)):
            result.documents += 1
            result.problems += document.problems
            if document.record is None:
                continue
            raw = encode(document.record)
            where = RawRecord(Place(document.source), 0, raw)
            found = check_record(document.record, where, schemas, tables.keys, public=not project.settings.private)
            if not found and is_withheld(document.record) and add_signature(document.record, signing):
                raw = encode(document.record)  # while the text is at hand: it may be taken out later
            # pointers hold in the document too, lines do not
            result.problems += [dataclasses.replace(p, place=Place(document.source, 0, p.place.pointer)) for p in found]
            article_id = document.record.get("article_id")
            if not found and article_id in records:
                place = Place(document.source, 0, "$.article.article_id")
                result.problems.append(
                    problem(
                        "duplicate-article",
                        place,
                        found=shown(str(article_id), not is_withheld(document.record)),
                        other=records[article_id][0],
                    )
                )
            elif not found:
                records[str(article_id)] = (document.source, raw)
                heads[str(article_id)] = {name: value for name, value in document.record.items() if name not in schemas.layers}
                for layer in schemas.layers:
                    result.items[layer] = result.items.get(layer, 0) + len(document.record[layer])
    if not result.problems:
        files = {f"{article_id}.json": raw for article_id, (_, raw) in sorted(records.items())}
        result.warnings = [
            f"{project.name_of(out / f'{old}.json')} looks like an earlier import of {records[new][0]}: remove it, "
            f"or give the new record supersedes = {json.dumps(old)}"
            for old, new in _earlier(out, heads)
        ]
        if not dry_run and files:
            with Staged(out, project.name_of(out)) as staged:
                for file, raw in files.items():
                    staged.add(file, raw)
                staged.place()
        result.written = [project.name_of(out / name) for name in files]
    return result


def _earlier(out: Path, heads: Mapping[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """Pairs of a record that stands in `out`, and the new one that has another text but seems to be the same document.

    A document leaves no mark in its record, so it is known by its article_id but for the part that is the text's digest,
    by who published it when, and by what most of an edited text still says.
    """
    if not out.is_dir():
        return []
    there = [p.stem for p in sorted(out.iterdir()) if p.suffix == ".json" and p.name[0] != "." and p.stem not in heads]
    pairs: list[tuple[str, str]] = []
    replaced = {head.get("supersedes") for head in heads.values()}
    for new, head in heads.items():
        like = _like(new, head["text"].get("sha256") or "")
        for old in there if like else ():
            if like and like.fullmatch(old) and (standing := _head_of(out / f"{old}.json")) is not None:
                replaced.add(standing.get("supersedes"))
                same = all(standing.get(name) == head.get(name) for name in ("group", "publisher", "published"))
                if same and _alike(standing.get("text"), head["text"]):
                    pairs.append((old, new))
    return [(old, new) for old, new in pairs if old not in replaced]


def _like(article_id: str, digest: str) -> re.Pattern[str] | None:
    """What matches the article_id with any other digest; None if it holds none, or nothing else."""
    for length in range(len(digest), 5, -1):  # five digits may stand in an id by chance
        before, found, after = article_id.partition(digest[:length])
        if found:
            named = re.search("[A-Za-z0-9]", before + after)
            return re.compile(f"{re.escape(before)}[0-9a-f]{{{length}}}{re.escape(after)}") if named else None
    return None


def _alike(one: Any, other: Any) -> bool:
    """Whether two texts share a third of their stretches of five characters; also where one text is not there to compare."""
    contents = [text.get("content") if isinstance(text, dict) else None for text in (one, other)]
    a, b = ({c[at : at + 5] for at in range(len(c))} if isinstance(c, str) else set() for c in contents)
    return not a or not b or 3 * len(a & b) >= len(a | b)


def _head_of(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):  # `check` says what is wrong with it
        return None
    return found if isinstance(found, dict) else None


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
