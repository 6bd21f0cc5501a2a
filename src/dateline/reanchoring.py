"""import --reanchor: the annotation of a record moved onto an edited version of its text, as a new record; what cannot is told.

A span is kept only where the very same words stand (dateline.reanchor). A field of several spans is kept whole or not at all. An
item that loses a span that its schema requires goes, and so does whatever refers to it. Coverage goes on to say what was
annotated: of a layer that covered the whole text, only the stretches that were in the old text are covered in the new one.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dateline.compile.check import check_record, is_withheld
from dateline.compile.read import RawRecord
from dateline.compile.seeds import read_tables
from dateline.compile.signature import add_signature, signing_of
from dateline.document import Stretch
from dateline.errors import InputError, Place, Problem
from dateline.leaks import shown
from dateline.project import Project
from dateline.reanchor import Found, Reanchoring
from dateline.record_files import LONGEST_ID, Staged, encode
from dateline.schema import Field, Json, Layer, Schemas, load_schemas
from dateline.standing import Standing

_ITEM = re.compile(r"\$\.([A-Za-z0-9_]+)\[([0-9]+)\]")
_NUMBERED = re.compile(r"(.*)-r([0-9]{1,6})")
DRAFTS = ".dateline/reanchored"
"""Where records go that people must mend before they are seeds."""


@dataclass(frozen=True)
class NotKept:
    """A span that was not kept: its item and field, where it stood, what became of it, where it may stand."""

    layer: str
    item: str
    field: str
    span: Stretch
    found: Found

    def as_json(self) -> dict[str, Any]:
        """The span as plain JSON types; no words, as the text may be withheld."""
        return {
            "layer": self.layer,
            "item": self.item,
            "field": self.field,
            "span": list(self.span),
            "fate": self.found.fate,
            "candidates": [list(span) for span in self.found.candidates],
            "why": self.found.why or None,
        }


@dataclass
class Report:
    """What re-anchoring did to one record; `removed` are items that went, with the reason."""

    article_id: str
    new_id: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    spans: list[NotKept] = field(default_factory=list)
    removed: list[tuple[str, str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def of(self) -> dict[str, list[NotKept]]:
        """The spans that were not kept, by fate."""
        return {fate: [s for s in self.spans if s.found.fate == fate] for fate in ("doubtful", "lost")}

    def as_json(self) -> dict[str, Any]:
        """The report as plain JSON types."""
        return {
            "article_id": self.article_id,
            "new_id": self.new_id or None,
            **{fate: self.counts[fate] for fate in ("unchanged", "moved", "doubtful", "lost")},
            "spans": [s.as_json() for s in self.spans],
            "removed": [{"layer": layer, "item": item, "reason": why} for layer, item, why in self.removed],
            "problems": [p.as_json() for p in self.problems],
        }


@dataclass
class Reanchored:
    """What `reanchor_files` did: a report for each article, the files that were written to seeds, and to DRAFTS."""

    reports: list[Report] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with new records, which are drafts therefore."""
        return [p for report in self.reports for p in report.problems]

    @property
    def complete(self) -> bool:
        """Whether all spans of all articles moved."""
        return not any(report.removed or report.of["doubtful"] or report.of["lost"] for report in self.reports)

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON types."""
        return {
            "articles": [r.as_json() for r in self.reports],
            "same_text": self.same,
            "written": self.written,
            "drafts": self.drafts,
        }


def reanchor_record(
    record: Json, new_text: str, schemas: Schemas, *, table_keys: Mapping[str, Set[str]] | None = None, new_id: str = ""
) -> tuple[Json, Report]:
    """The record on its new text, which it supersedes the old one with, and what became of its spans.

    The record has its text and keeps its schemas; the report has problems if the new one would not. `new_id` is by default made
    of the old id (`next_id`).
    """
    work = _Moving(record, new_text, schemas)
    work.move()
    made = work.made
    made["article_id"] = new_id or next_id(record, new_text, ())
    made["supersedes"] = record["article_id"]
    work.report.new_id = made["article_id"]
    encoded = new_text.encode("utf-8")
    made["text"] = {**made["text"], "content": new_text} | {
        name: value
        for name, value in (
            ("sha256", hashlib.sha256(encoded).hexdigest()), ("n_code_points", len(new_text)), ("n_bytes", len(encoded))
        )
        if name in made["text"]
    }  # fmt: skip
    made["text"].pop("minhash", None)  # of the old text; whoever writes the record signs it again
    work.settle(table_keys or {})
    return made, work.report


def next_id(record: Json, new_text: str, taken: Iterable[str]) -> str:
    """The article_id of a record's new version: with the new text's digest, if it holds the old one's; else `-r2`, `-r3`, ..."""
    old = str(record["article_id"])
    before = hashlib.sha256(str(record["text"]["content"]).encode()).hexdigest()
    after = hashlib.sha256(new_text.encode()).hexdigest()
    for length in range(len(before), 5, -1):  # five digits may stand in an id by chance
        if before[:length] in old:
            return old.replace(before[:length], after[:length], 1)
    numbered = _NUMBERED.fullmatch(old)
    stem, number = (numbered[1], int(numbered[2])) if numbered else (old, 1)
    known = set(taken)
    while True:
        number += 1
        mark = f"-r{number}"
        if (made := stem[: LONGEST_ID - len(mark)] + mark) not in known:
            return made


class _Moving:
    """A record whose spans move; items go until what is left keeps its schemas."""

    def __init__(self, record: Json, new_text: str, schemas: Schemas) -> None:
        self.record = record
        self.schemas = schemas
        self.made = copy.deepcopy(record)
        self.text = new_text
        self.find = Reanchoring(record["text"]["content"], new_text)
        self._found: dict[Stretch, Found] = {}
        self.report = Report(str(record["article_id"]))
        self.layers = [layer for name, layer in schemas.layers.items() if name != "coverage"]

    def move(self) -> None:
        """Move all spans; those that are not kept are taken out, and with them what cannot be without."""
        for layer in self.layers:
            for item in list(self.made.get(layer.name) or ()):
                if missing := [f.name for f in layer.spanned if not self._move_field(layer, item, f)]:
                    self._remove(layer, item, f"lost {', '.join(missing)}")

    def settle(self, table_keys: Mapping[str, Set[str]]) -> None:
        """Take out items until the record's check is content, and say what is covered."""
        self._cover()
        while True:
            raw = encode(self.made)
            found = check_record(self.made, RawRecord(Place(self.report.new_id), 0, raw), self.schemas, table_keys)
            faults = [p for p in found if p.fails]
            gone = [(*at, f"{p.says} [{p.rule}]") for p in faults if (at := self._item_at(p)) is not None]
            for layer, item, why in [(self.schemas.layers[name], self.made[name][index], why) for name, index, why in gone]:
                self._remove(layer, item, why)  # unless it went with another
            if not gone:
                self.report.problems = faults
                return
            self._cover()

    def _item_at(self, fault: Problem) -> tuple[str, int] | None:
        at = _ITEM.match(fault.place.pointer)
        return (at[1], int(at[2])) if at and any(layer.name == at[1] for layer in self.layers) else None

    # ---- spans ---------------------------------------------------------------------------------------------

    def _find(self, span: Stretch) -> Found:
        if span not in self._found:
            self._found[span] = self.find(span)
        return self._found[span]

    def _move_field(self, layer: Layer, item: Json, field: Field) -> bool:
        """Move the spans of a field; False if they are lost and the item may not be without."""
        value = field.value_of(item)
        if not value:
            return True
        if field.span == "nested":
            lists = [moved for spans in value if (moved := self._move_spans(layer, item, field, spans)) is not None]
            _put(item, field.path, lists)
            return bool(lists) or not _required(field, layer)
        moved = self._move_spans(layer, item, field, [value] if field.span == "one" else value)
        if moved is None and _required(field, layer):
            return False
        if field.span == "one":
            _put(item, field.path, None if moved is None else moved[0])
        else:
            _put(item, field.path, moved or [])
        return True

    def _move_spans(self, layer: Layer, item: Json, field: Field, spans: Sequence[Json]) -> list[Json] | None:
        """The spans in their new places, in the order of the text; None if one of them is not kept."""
        made = []
        for span in spans:
            stood = (span["start"], span["end"])
            found = self._find(stood)
            self.report.counts[found.fate] += 1
            if found.kept is None:
                self.report.spans.append(NotKept(layer.name, str(layer.key.value_of(item)), field.name, stood, found))
            else:
                made.append({**span, "start": found.kept[0], "end": found.kept[1]})
        return None if len(made) < len(spans) else sorted(made, key=lambda s: (s["start"], s["end"]))

    # ---- items that go -------------------------------------------------------------------------------------

    def _remove(self, layer: Layer, item: Json, why: str) -> None:
        """Take an item out, and what refers to it, and so on."""
        waiting = [(layer, item, why)]
        while waiting:
            layer, item, why = waiting.pop()
            items = self.made[layer.name]
            if not any(one is item for one in items):
                continue
            items[:] = [one for one in items if one is not item]
            key = layer.key.value_of(item)
            self.report.removed.append((layer.name, str(key), why))
            for other in self.layers:
                references = [f for f in other.references if f.ref == layer.name]
                for one in self.made.get(other.name) or ():
                    if named := [f.name for f in references if key in _keys(f.value_of(one))]:
                        quote = not is_withheld(self.record)
                        waiting.append((other, one, f"its {named[0]} {shown(str(key), quote)} went"))

    # ---- coverage ------------------------------------------------------------------------------------------

    def _cover(self) -> None:
        """What is covered in the new text: what was covered and stands there still, less where items of the layer went."""
        if "coverage" not in self.made:
            return
        before = {c["layer"]: c for c in self.record["coverage"] or ()}
        kept = self.find.kept_stretches()
        for said in self.made["coverage"] or ():
            status, layer = before[said["layer"]]["status"], said["layer"]
            if status == "NONE":
                continue
            there = kept
            if status == "PARTIAL":
                regions = [(r["start"], r["end"]) for r in before[layer].get("regions") or ()]
                there = [s for region in regions for s in self.find.kept_stretches(region)]
            there = _joined(_without(sorted(there), self._gaps(layer)), self.text)
            if status == "FULL" and len(there) == 1 and not self.text[: there[0][0]].strip() + self.text[there[0][1] :].strip():
                said["status"], said["regions"] = "FULL", []
            else:
                said["status"] = "PARTIAL" if there else "NONE"
                said["regions"] = [{"start": start, "end": end} for start, end in there]

    def _gaps(self, layer_name: str) -> list[Stretch]:
        """Where spans stand in the new text that an item of a layer had and has no more."""
        layer = self.schemas.layers.get(layer_name)
        if layer is None:
            return []
        left = {layer.key.value_of(item): item for item in self.made.get(layer_name) or ()}
        gaps: list[Stretch] = []
        for item in self.record.get(layer_name) or ():
            now = left.get(layer.key.value_of(item))
            for spanned in layer.spanned:
                held = set() if now is None else set(_stretches(spanned.value_of(now)))
                for span in _stretches(spanned.value_of(item)):
                    gaps += [place for place in self._find(span).candidates if place not in held]
        return sorted(gaps)


def _required(field: Field, layer: Layer) -> bool:
    """Whether an item may not be without the spans of a field."""
    named = field.path[0] in layer.schema.get("required", ())
    return named and (field.span == "one" or int(field.schema.get("minItems", 0)) > 0)


def _stretches(value: Any) -> Iterator[Stretch]:
    if isinstance(value, dict):
        yield value["start"], value["end"]
    elif isinstance(value, list):
        for inner in value:
            yield from _stretches(inner)


def _keys(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _without(stretches: Iterable[Stretch], gaps: Sequence[Stretch]) -> Iterator[Stretch]:
    """Stretches less gaps, which are in order."""
    for start, end in stretches:
        for gap_start, gap_end in gaps:
            if gap_end <= start or gap_start >= end:
                continue
            if start < gap_start:
                yield start, gap_start
            start = max(start, gap_end)
        if start < end:
            yield start, end


def _joined(stretches: Iterable[Stretch], text: str) -> list[Stretch]:
    """Stretches without white space at their edges; those with nothing but white space between them are one."""
    made: list[Stretch] = []
    for start, end in stretches:
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        if start == end:
            continue
        if made and not text[made[-1][1] : start].strip():
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((start, end))
    return made


def _put(item: Json, path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        item = item.setdefault(step, {})
    item[path[-1]] = value


# ---- files ---------------------------------------------------------------------------------------------------


def reanchor_files(
    project: Project, paths: Iterable[Path], out: Path, *, strict: bool = False, dry_run: bool = False
) -> Reanchored:
    """Move the annotation of standing records onto the texts `<article_id>.txt` at `paths`; write the new records to `out`.

    All are written, or none; with `strict`, none if a span did not move. A record that breaks its schemas without what was lost
    goes to DRAFTS, to be mended and put into the seeds by hand. Raises InputError for a path that is not there, a text not in
    UTF-8 or of no article whose text stands in the seeds; BuildError where `out` cannot be written.
    """
    schemas = load_schemas(project.schemas)
    table_keys = read_tables(project, schemas).keys
    standing = Standing(project)
    signing = signing_of(project.settings.splits)
    result = Reanchored()
    files: dict[str, bytes] = {}
    drafts: dict[str, bytes] = {}
    given: dict[str, str] = {}
    for path in _texts(paths):
        article_id, name = path.name.removesuffix(".txt"), project.name_of(path)
        if article_id not in standing:
            raise InputError(f"{name}: is the text of no article in {project.name_of(project.seeds)}/; name it <article_id>.txt")
        if article_id in given:
            raise InputError(f"{name}: is another text of {article_id} beside {given[article_id]}; give one of them")
        given[article_id] = name
        record = standing.record(article_id)
        place = standing.place(article_id)
        old, new = record["text"].get("content"), _text(path, name)
        if not isinstance(old, str):
            raise InputError(f"{place}: has no text, so nothing can be compared with {name}; see dateline hydrate")
        if faults := [p for p in check_record(record, RawRecord(place, 0, encode(record)), schemas, table_keys) if p.fails]:
            raise InputError(f"{place}: is wrong already: {faults[0].says} [{faults[0].rule}]; mend it first")
        if old == new:
            result.same.append(article_id)
            continue
        made_now = {report.new_id for report in result.reports}
        new_id = next_id(record, new, [i for i in (*standing.ids, *made_now) if i != article_id])
        if new_id in standing or new_id in made_now:
            where = standing.place(new_id) if new_id in standing else "what is made of another text"
            raise InputError(f"{name}: {new_id} stands in {where} already; remove one of them")
        made, report = reanchor_record(record, new, schemas, table_keys=table_keys, new_id=new_id)
        if is_withheld(made) or record["text"].get("minhash") is not None:
            add_signature(made, signing)
        result.reports.append(report)
        (drafts if report.problems else files)[f"{new_id}.json"] = encode(made)
    if dry_run or (strict and not result.complete):
        return result
    for folder, there, names in ((out, files, result.written), (project.root / DRAFTS, drafts, result.drafts)):
        if there:
            with Staged(folder, project.name_of(folder)) as staged:
                for file, raw in there.items():
                    staged.add(file, raw)
                staged.place()
            names += [project.name_of(folder / file) for file in there]
    return result


def _texts(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(path.rglob("*.txt"))
            if not found:
                raise InputError(f"{path}: holds no texts; they are named <article_id>.txt")
            yield from found
        elif path.is_file() and path.suffix == ".txt":
            yield path
        else:
            raise InputError(
                f"{path}: {'is no text; they are named <article_id>.txt' if path.exists() else 'no such file or folder'}"
            )


def _text(path: Path, name: str) -> str:
    """The text of a file as it is, line ends and all."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as fault:
        raise InputError(f"{name}: cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError as fault:
        raise InputError(f"{name}: is not UTF-8: {fault.reason} at byte {fault.start}") from None
    if not text.strip() or "\0" in text:
        raise InputError(f"{name}: {'holds a NUL, which is no text' if text.strip() else 'is empty'}")
    return text
