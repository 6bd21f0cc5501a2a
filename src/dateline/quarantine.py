"""The quarantine: lines of a file of rejections, repaired by hand, put back into the records that they were kept out of.

A line with an `item` adds it to its layer of the record `article_id`; a line with a `record` is a whole article. What passes the
check is written and leaves the quarantine file; what does not stays there, and is told. Lines with neither (a type that the
mapping does not know, a broken file) can only be mended in the source or in mapping.toml.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dateline.compile.check import check_record, is_withheld
from dateline.compile.read import RawRecord
from dateline.compile.seeds import read_tables
from dateline.compile.signature import add_signature, signing_of
from dateline.converting import item_place
from dateline.errors import InputError, Place, Problem
from dateline.files import write_atomically
from dateline.leaks import shown
from dateline.project import Project
from dateline.record_files import LONGEST_ID, Staged, encode
from dateline.schema import Json, Schemas


@dataclass
class PutBack:
    """What became of the lines of a quarantine file."""

    items: int = 0
    records: int = 0
    written: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left: int = 0

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON types."""
        return {
            "items": self.items,
            "records": self.records,
            "written": self.written,
            "left": self.left,
            "problems": [p.as_json() for p in self.problems],
        }


@dataclass
class _Line:
    """A line of the file: its number, what it says, and whether it is done."""

    place: Place
    says: Json
    done: bool = False


def put_back(project: Project, schemas: Schemas, path: Path, out: Path, *, dry_run: bool = False) -> PutBack:
    """Put the repaired lines of a quarantine file into the records in `out`, and take them out of the file.

    Raises InputError for a file that cannot be read or a line that is no JSON object, BuildError where a record cannot be
    written.
    """
    name = project.name_of(path)
    lines = _lines(path, name)
    result = PutBack()
    tables = read_tables(project, schemas)
    result.problems += tables.problems
    by_article: dict[str, list[_Line]] = defaultdict(list)
    for line in lines:
        if isinstance(line.says.get("record"), dict) or (line.says.get("layer") and isinstance(line.says.get("item"), dict)):
            if fault := _misplaced(line, by_article[str(line.says.get("article_id"))], schemas):
                result.problems.append(Problem(line.place, "import-syntax", fault))
            else:
                by_article[str(line.says.get("article_id"))].append(line)
    with Staged(out, project.name_of(out)) as staged:
        for article_id, those in sorted(by_article.items()):
            record = _standing(out, article_id, those, result) if those else None
            if record is None:
                continue
            good, faults = _added(record, those, schemas, tables.keys)
            result.problems += faults
            if good is None:
                continue
            if _is_another(good, those, out / f"{article_id}.json"):
                says = f"holds a whole record, but {shown(article_id)!r} stands already, and reads otherwise; remove one of them"
                result.problems += [Problem(line.place, "import-syntax", says) for line in those]
                for line in those:
                    line.done = False
                continue
            if is_withheld(good):
                add_signature(good, signing_of(project.settings.splits))
            staged.add(f"{article_id}.json", encode(good))
            result.written.append(f"{project.name_of(out)}/{article_id}.json")
        if result.written and not dry_run:
            staged.place()
    done = [line for line in lines if line.done]
    result.records = sum("record" in line.says for line in done)
    result.items = len(done) - result.records
    left = [line for line in lines if not line.done]
    result.left = len(left)
    if done and not dry_run:
        write_atomically(path, b"".join(json.dumps(line.says, ensure_ascii=False).encode() + b"\n" for line in left))
    return result


def _lines(path: Path, name: str) -> list[_Line]:
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise InputError(f"{name}: cannot be read: {fault.strerror}") from None
    found = []
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        try:
            says = json.loads(line)
        except (ValueError, RecursionError) as fault:
            raise InputError(f"{name}:{number}: is not valid JSON: {fault}") from None
        if not isinstance(says, dict):
            raise InputError(f"{name}:{number}: is no JSON object; a quarantine file has one on each line")
        found.append(_Line(Place(name, number), says))
    return found


def _misplaced(line: _Line, before: list[_Line], schemas: Schemas) -> str:
    """Why a line cannot be put where it says; `before` are those of the same article."""
    says, article_id = line.says, line.says.get("article_id")
    try:
        json.dumps(says, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "holds half of a character, which is no text"
    if len(str(article_id)) > LONGEST_ID:
        return f"names no article: an article_id has at most {LONGEST_ID} characters"
    if not isinstance(says.get("record"), dict):
        layer = says["layer"]
        known = isinstance(layer, str) and layer in schemas.layers
        return "" if known else f"names the layer {shown(str(layer))!r}; there are: {', '.join(schemas.layers)}"
    if says["record"].get("article_id") != article_id:
        return f"holds the record of another article than {shown(str(article_id))!r}, which it names"
    if any(isinstance(other.says.get("record"), dict) and other.says["record"] != says["record"] for other in before):
        return f"holds a second record of {shown(str(article_id))!r}; one of them can stand"
    return ""


def _is_another(good: Json, lines: list[_Line], path: Path) -> bool:
    """Whether lines hold a whole record where one stands that reads otherwise, and was not put there by them."""
    if not any(isinstance(line.says.get("record"), dict) for line in lines) or not path.is_file():
        return False
    try:
        found: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return True
    return not isinstance(found, dict) or _unsigned(found) != _unsigned(good)


def _unsigned(record: Json) -> Json:
    """A record without the signature of its text, which follows from it."""
    text = record.get("text")
    return {**record, "text": {k: v for k, v in text.items() if k != "minhash"}} if isinstance(text, dict) else record


def _standing(out: Path, article_id: str, lines: list[_Line], result: PutBack) -> Json | None:
    """The record that items are added to: the one that stands, or the whole one of a line."""
    whole = [line for line in lines if isinstance(line.says.get("record"), dict)]
    path = out / f"{article_id}.json"
    fault = ""
    record: Any = None
    if path.parent != out or (not whole and not path.is_file()):
        fault = f"names the article {shown(article_id)!r}, which is not in {out.name}/; import its source first"
    else:
        try:
            record = whole[0].says["record"] if whole else json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError):
            fault = f"names the article {shown(article_id)!r}, whose record cannot be read; `dateline check` says why"
    if isinstance(record, dict):
        return record
    result.problems += [Problem(line.place, "import-syntax", fault or "holds a record that is no JSON object") for line in lines]
    return None


def _added(record: Json, lines: list[_Line], schemas: Schemas, table_keys: Any) -> tuple[Json | None, list[Problem]]:
    """The record with the items of all lines that pass, each marked as done; None if none passes."""
    problems: list[Problem] = []
    waiting = [line for line in lines if not isinstance(line.says.get("record"), dict)]
    whole = [line for line in lines if line not in waiting]
    while True:
        tried = {**record}
        owner: dict[tuple[str, int], _Line] = {}
        there = []
        for line in waiting:
            layer, item = line.says["layer"], line.says["item"]
            standing = tried.get(layer) or []
            if item in (record.get(layer) or []):
                there.append(line)  # of an import that was stopped before it had taken the line out
                continue
            owner[(layer, len(standing))] = line
            tried[layer] = [*standing, item]
        raw = encode(tried)
        faults = [f for f in check_record(tried, RawRecord(Place(""), 0, raw), schemas, table_keys) if f.fails]
        if not faults:
            for line in [*whole, *waiting]:
                line.done = True
            return (tried if whole or owner else None), problems
        at_fault = {id(line): (line, f) for f in faults for line in [owner.get(item_place(f) or ("", -1))] if line is not None}
        if not at_fault:
            place = (whole or waiting)[0].place
            return None, [*problems, *(Problem(place.at(f.place.pointer), f.rule, f.says, f.hint, f.level) for f in faults)]
        for line, fault in at_fault.values():
            waiting.remove(line)
            problems.append(Problem(line.place.at(fault.place.pointer), fault.rule, fault.says, fault.hint, fault.level))
        if not waiting and not whole:
            return None, problems
