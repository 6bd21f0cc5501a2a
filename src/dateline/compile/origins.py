"""The seeds of rows: the record or the row of a corpus-level table that a row was made of, with the lines that it stands on."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dateline.compile.places import standing
from dateline.compile.read import RawRecord, Refused, Steps, lines_of, parse, pointer, read_raw
from dateline.compile.reasons import Member
from dateline.compile.seeds import records_in, seed_files
from dateline.compile.signature import Signing, sign, stored
from dateline.errors import Place
from dateline.project import Project
from dateline.schema import Layer, Schemas


@dataclass(frozen=True)
class Lines:
    """Where something stands, and its last line."""

    place: Place
    last: int


@dataclass(frozen=True)
class Origin:
    """One record as it stands in the seeds."""

    raw: RawRecord = field(repr=False)
    record: Mapping[str, Any] = field(repr=False)
    _numbers: dict[str, dict[str, int]] = field(default_factory=dict, repr=False)

    @property
    def whole(self) -> Lines:
        """The place of the record itself."""
        place = self.raw.place
        return Lines(Place(place.file, place.line or 1), place.line or 1 + self.raw.raw.rstrip().count(b"\n"))

    def item(self, layer: Layer, local: str) -> Lines | None:
        """The place of an item of a layer; None if the record has it no more."""
        found = self._items(layer).get(local)
        if found is None:
            return None
        steps: Steps = [layer.name, found]
        line = self.raw.place.line or self._lines[layer.name, found]
        place = Place(self.raw.place.file, line, pointer(steps))
        return Lines(place, line if self.raw.place.line else self._last(line))

    def member(self, signing: Signing | None) -> Member:
        """What the record says that decides its group; its signature where one is asked for and can be had."""
        said = {name: self.record.get(name) for name in ("article_id", "group", "split", "supersedes")}
        texts = {name: value if isinstance(value, str) else None for name, value in said.items()}
        return Member(
            str(texts["article_id"]), texts["group"], texts["split"], texts["supersedes"],
            None if signing is None else self._signature(signing),
        )  # fmt: skip

    def _signature(self, signing: Signing) -> bytes | None:
        text = self.record.get("text")
        said = text if isinstance(text, dict) else {}
        if (made := stored(said.get("minhash"))) is not None:
            return made[2] if made[0] == signing.name else None
        return sign(said["content"], signing) if isinstance(said.get("content"), str) else None

    def _items(self, layer: Layer) -> dict[str, int]:
        """The numbers of a layer's items by their keys."""
        if layer.name not in self._numbers:
            items = self.record.get(layer.name)
            numbers: dict[str, int] = {}
            for number, item in enumerate(items if isinstance(items, list) else ()):
                if isinstance(item, dict):
                    numbers.setdefault(str(layer.key.value_of(item)), number)
            self._numbers[layer.name] = numbers
        return self._numbers[layer.name]

    @cached_property
    def _lines(self) -> dict[tuple[str, int], int]:
        """The first line of every item of every list, in one pass over the record."""
        steps: list[Steps] = [
            [name, number] for name, items in self.record.items() if isinstance(items, list) for number in range(len(items))
        ]
        return {(str(s[0]), int(s[1])): line for s, line in zip(steps, lines_of(self.raw.raw, steps), strict=True)}

    def _last(self, line: int) -> int:
        """The last line of the object that begins on a line."""
        text = self.raw.raw.decode()
        start = 0
        for _ in range(line - 1):
            start = text.index("\n", start) + 1
        start = text.index("{", start)
        _, end = json.JSONDecoder().raw_decode(text, start)
        return line + text.count("\n", start, end)


def origins(project: Project, wanted: Collection[str]) -> dict[str, Origin]:
    """The records of some articles; files that the last rebuild knows are not looked through, and of the others one pass parses
    only the records that may be asked for.

    Of two with one article_id the first counts. Raises InputError if there is no seeds folder.
    """
    found: dict[str, Origin] = {}
    names = {article_id: article_id.encode() for article_id in wanted}
    for path in seed_files(project):
        try:
            known = standing(project, path, wanted)
            for raw in read_raw(path, name=project.name_of(path)) if known is None else known:
                if b"\\u" in raw.raw or any(name in raw.raw for name in names.values()):
                    record = _parsed(raw)
                    article_id = record.get("article_id")
                    if isinstance(article_id, str) and article_id in names:
                        found.setdefault(article_id, Origin(raw, record))
        except Refused:  # a damaged file: `dateline check` says what is wrong
            continue
    return found


def _parsed(raw: RawRecord) -> dict[str, Any]:
    try:
        return parse(raw)
    except Refused:
        return {}


@dataclass(frozen=True)
class TableOrigin:
    """One row of a corpus-level table as it stands in the seeds."""

    lines: Lines
    row: Mapping[str, Any] = field(repr=False)


def table_origins(project: Project, schemas: Schemas, table: str) -> dict[str, TableOrigin]:
    """The rows of a corpus-level table by their keys."""
    found: dict[str, TableOrigin] = {}
    for path in sorted((project.seeds / "tables").glob(f"{table}.json*")):
        for raw, row in records_in(path, project.name_of(path), []):
            line = raw.place.line or 1
            last = raw.place.line or 1 + raw.raw.rstrip().count(b"\n")
            key = str(schemas.tables[table].key.value_of(row))
            found.setdefault(key, TableOrigin(Lines(Place(raw.place.file, line), last), row))
    return found
