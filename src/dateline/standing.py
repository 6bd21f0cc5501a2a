"""The records that stand in seeds/, by article_id: where each is, read again when it is wanted, replaced where it stands."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dateline.compile.read import RawRecord, Refused, is_compressed, parse, read_raw
from dateline.compile.seeds import records_in, seed_files
from dateline.errors import InputError, Place
from dateline.project import Project
from dateline.schema import Json


@dataclass(frozen=True, slots=True)
class _Spot:
    path: Path
    place: Place
    offset: int
    length: int


class Standing:
    """The records of a project's seeds; of two with one article_id, which `dateline check` tells of, the first counts."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._spots: dict[str, _Spot] = {}
        self.superseding: dict[str, list[str]] = {}
        """By article_id, the articles that say that they take its place."""
        for path in seed_files(project):
            for raw, record in records_in(path, project.name_of(path), []):
                article_id = str(record.get("article_id"))
                self._spots.setdefault(article_id, _Spot(path, raw.place, raw.offset, len(raw.raw)))
                if (earlier := record.get("supersedes")) is not None:
                    self.superseding.setdefault(str(earlier), []).append(article_id)

    def __contains__(self, article_id: str) -> bool:
        return article_id in self._spots

    @property
    def ids(self) -> Collection[str]:
        """The article_ids of all records."""
        return self._spots.keys()

    def place(self, article_id: str) -> Place:
        """Where a record stands."""
        return self._spots[article_id].place

    def compressed(self, article_id: str) -> bool:
        """Whether a record stands in a compressed file, in which it cannot be replaced."""
        return is_compressed(self._spots[article_id].path)

    def record(self, article_id: str) -> Json:
        """The record as it stands; raises InputError if its file has changed meanwhile."""
        spot = self._spots[article_id]
        if is_compressed(spot.path):
            found = next((r.raw for r in read_raw(spot.path, name=spot.place.file) if r.offset == spot.offset), b"")
        else:
            with spot.path.open("rb") as file:
                file.seek(spot.offset)
                found = file.read(spot.length)
        return self._parsed(article_id, found)

    def files_with(self, records: Mapping[str, bytes | None]) -> Iterator[tuple[str, bytes]]:
        """The files that hold some records, with these in their places, or without those that are None.

        Gives names below seeds/ and contents, empty where no record is left. Raises InputError if a file has changed meanwhile.
        """
        by_file: dict[Path, list[str]] = {}
        for article_id in records:
            by_file.setdefault(self._spots[article_id].path, []).append(article_id)
        for path, ids in by_file.items():
            content = path.read_bytes()
            for article_id in sorted(ids, key=lambda i: -self._spots[i].offset):
                spot = self._spots[article_id]
                before, rest = content[: spot.offset], content[spot.offset + spot.length :]
                self._parsed(article_id, content[spot.offset : spot.offset + spot.length])
                new = records[article_id]
                if new is None:
                    new, rest = b"", rest.lstrip(b"\r\n")
                elif spot.place.line:  # one line of several
                    new = json.dumps(json.loads(new), ensure_ascii=False).encode() + b"\n"
                content = before + new + rest
            yield path.relative_to(self.project.seeds).as_posix(), content if content.strip() else b""

    def _parsed(self, article_id: str, found: bytes) -> Json:
        place = self.place(article_id)
        try:
            record = parse(RawRecord(place, 0, found))
        except Refused:
            record = {}
        if record.get("article_id") != article_id:
            raise InputError(f"{place}: has changed while it was read; try again")
        return record
