"""Where the rows of tables were written: from a row's id back to the file, line and pointer of its seed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dateline.compile.check import is_withheld, snippet
from dateline.compile.read import RawRecord, Steps, lines_of, pointer
from dateline.compile.seeds import records_in, seed_files
from dateline.compile.tables import ARTICLES, RECORDS, STANDOFF
from dateline.errors import Place
from dateline.project import Project
from dateline.schema import Layer, Schemas

RowName = tuple[str, str]
"""Table, and the row's id in it: `article_id`, `article_id#local`, or the key of a corpus-level table."""


@dataclass(frozen=True)
class Located:
    """The place of one row in the seeds, and a caret drawing of its first span where rights allow one."""

    place: Place
    snippet: str | None = None


def locate(project: Project, schemas: Schemas, wanted: Iterable[RowName]) -> dict[RowName, Located]:
    """The places of rows, as far as the seeds hold them. Only records that are asked for are parsed.

    Raises InputError if there is no seeds folder.
    """
    found: dict[RowName, Located] = {}
    by_article: dict[str, list[RowName]] = {}
    by_table: dict[str, set[str]] = {}
    for table, row in wanted:
        if table in schemas.tables:
            by_table.setdefault(table, set()).add(row)
        else:
            by_article.setdefault(row.partition("#")[0], []).append((table, row))
    if by_article:
        for path in seed_files(project):
            for raw, record in records_in(path, project.name_of(path), []):
                for name in by_article.get(str(record.get("article_id")), ()):
                    if name not in found:
                        found[name] = _in_record(name, raw, record, schemas)
    for table, keys in by_table.items():
        for path in sorted((project.seeds / "tables").glob(f"{table}.json*")):
            for raw, record in records_in(path, project.name_of(path), []):
                key = str(record.get(schemas.tables[table].key.name))
                if key in keys:
                    found[table, key] = Located(raw.place)
    return found


def _in_record(name: RowName, raw: RawRecord, record: dict[str, Any], schemas: Schemas) -> Located:
    table, row = name
    steps: Steps = []
    shown = None
    layer = schemas.layers.get(table)
    local = row.partition("#")[2]
    if layer is not None and local and table not in {ARTICLES, RECORDS, STANDOFF}:
        for number, item in enumerate(record.get(table) or ()):
            if isinstance(item, dict) and str(layer.key.value_of(item)) == local:
                steps = [table, number]
                shown = _drawing(record, item, layer)
                break
    line = raw.place.line or lines_of(raw.raw, [steps])[0]
    return Located(Place(raw.place.file, line, pointer(steps) if steps else ""), shown)


def _drawing(record: dict[str, Any], item: dict[str, Any], layer: Layer) -> str | None:
    said = record.get("text")
    text = said.get("content") if isinstance(said, dict) else None
    if not isinstance(text, str) or is_withheld(record):
        return None
    for field in layer.fields:
        value = field.value_of(item)
        if field.span == "one" and isinstance(value, dict):
            return snippet(text, int(value["start"]), int(value["end"]))
        if field.span == "many" and value:
            return snippet(text, int(value[0]["start"]), int(value[0]["end"]))
    return None
