"""doccano's JSON Lines: text classification, sequence labelling, relations, intents (doccano's `data_export`, its tutorial).

doccano counts in the browser, and so in UTF-16 units: its issue 2290 shows it. A row holds no words that could tell otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from dateline.document import Document, Node, Refused
from dateline.errors import InputError, Place
from dateline.foreign_json import LINES, At, brief, grouped, row_at, stretch, values, word
from dateline.incoming import Incoming
from dateline.offsets import Offsets

NAME = "doccano"
TITLE = "doccano (JSON Lines)"
SUFFIXES = LINES
OPTIONS: dict[str, Any] = {
    "offsets": "utf-16",
    "annotator": "row",  # or "file": the annotator is the name of the file, and rows of one id are one document
}

_TEXT = ("text", "data")
_READ = {*_TEXT, "id", "label", "labels", "entities", "relations", "cats", "annotations", "meta", "username"}


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    """A document per row; with `annotator = "file"`, one per id, with all its annotators."""
    by_file = incoming.options["annotator"] == "file"
    if not by_file and incoming.options["annotator"] != "row":
        raise InputError(f'option annotator of format doccano is {incoming.options["annotator"]!r}, but must be "row" or "file"')
    names: set[str] = set()
    for places in grouped(incoming, SUFFIXES, lambda row: row.get("id") if by_file else None).values():
        for made in _documents(incoming, places, by_file):
            if isinstance(made, Document) and made.name in names:
                reason = 'another row has the same id; if each file is of one annotator, say annotator = "file"'
                made = Refused(made.place, "document", reason, made.name)
            if isinstance(made, Document):
                names.add(made.name)
            yield made


def looks_like(incoming: Incoming) -> float:
    """Whether the first row has a text and labels as doccano writes them."""
    for file in incoming.named(*SUFFIXES)[:1]:
        for found in values(incoming, file):
            row = None if isinstance(found, Refused) else found[1]
            if not isinstance(row, dict) or not row.keys() & set(_TEXT) or row.keys() & {"_input_hash", "_task_hash"}:
                return 0.0
            return 0.6 if row.keys() & {"label", "labels", "entities", "cats"} else 0.0
    return 0.0


def _documents(incoming: Incoming, places: list[At], by_file: bool) -> Iterator[Document | Refused]:
    """The document of some rows of one id; Refused for each row that is none."""
    made: Document | None = None
    refused: list[Refused] = []
    offsets: Offsets | None = None
    rows = Counter[str]()
    for at in places:
        found = row_at(incoming, at)
        try:
            if isinstance(found, Refused):
                raise ValueError(found.reason)
            place, row = found
            text, name = (
                _text(row),
                word(row["id"], "id") if "id" in row else f"{PurePosixPath(at.file).with_suffix('')}#{at.number}",
            )
            if made is not None and made.text != text:
                raise ValueError(f"has the id of {made.place}, but another text")
            annotator = PurePosixPath(at.file).stem if by_file else str(row.get("username") or "")
            rows[annotator] += 1
            if rows[annotator] > 1:
                raise ValueError("another row of the same annotator has the same id")
        except ValueError as fault:
            refused.append(Refused(incoming.place(at.file, at.number), "document", str(fault)))
            continue
        made = made or Document(name, text, place=place)
        offsets = offsets or incoming.offsets(text)
        _add_metadata(made, row)
        _Reading(made, row, place, annotator, offsets).add()
    if made is None:
        yield from refused
        return
    made.refused += [Refused(one.place, "row", one.reason) for one in refused]
    yield made


def _text(row: Any) -> str:
    if not isinstance(row, dict):
        raise ValueError(f"is {brief(row)}, which is no row of doccano")
    found = [row[key] for key in _TEXT if key in row]
    if not found or not isinstance(found[0], str):
        raise ValueError("has no text" if not found else f"its text is {brief(found[0])}, which is no string")
    return found[0]


def _add_metadata(made: Document, row: dict[str, Any]) -> None:
    """Add what a row says of its text; what another annotator's row says differently stands beside, by number."""
    meta = row.get("meta")
    said = {k: v for k, v in row.items() if k not in _READ or (k == "data" and "text" in row)}
    said |= {f"meta.{k}": v for k, v in meta.items()} if isinstance(meta, dict) else {"meta": meta} if meta is not None else {}
    for name, value in said.items():
        key, number = name, 2
        while key in made.metadata and made.metadata[key] != value:
            key, number = f"{name}#{number}", number + 1
        made.metadata[key] = value


class _Reading:
    """What one row says, turned into nodes of a document."""

    def __init__(self, made: Document, row: dict[str, Any], place: Place, annotator: str, offsets: Offsets) -> None:
        self.made, self.row, self.place, self.annotator, self.offsets = made, row, place, annotator, offsets
        self.ids: set[tuple[str, str]] = set()

    def add(self) -> None:
        """Add spans, categories and relations, whichever of its keys doccano has put them under."""
        for key in ("label", "labels", "entities", "cats", "annotations", "relations"):
            said = self.row.get(key)
            if said is None:
                continue
            for number, item in enumerate(said if isinstance(said, list) else [said]):
                self._try(key, number, item)

    def _try(self, key: str, number: int, item: Any) -> None:
        place = self.place.at(f"$.{key}[{number}]")
        kind, id = key.removesuffix("s"), f"{'relation' if key == 'relations' else key.removesuffix('s')}:{number}"
        try:
            if isinstance(item, dict):
                made = self._relation(id, item) if key == "relations" else self._labelled(id, item)
            elif key == "relations":
                raise ValueError(f"is {brief(item)}, which is no object")
            elif isinstance(item, list):
                if len(item) != 3:
                    raise ValueError(f"has {len(item)} values instead of start, end and label")
                kind = item[2] if isinstance(item[2], str) else kind
                made = Node(id, word(item[2], "label"), (stretch(self.offsets, *item[:2]),))
            else:
                made = Node(id, word(item, "label"))
            made.annotator, made.place = made.annotator or self.annotator, place
            if (made.annotator, made.id) in self.ids:
                raise ValueError("another annotation has the same id")
        except ValueError as fault:
            said = item.get("label", item.get("type")) if isinstance(item, dict) else kind
            self.made.refused.append(Refused(place, said if isinstance(said, str) else kind, str(fault)))
            return
        self.ids.add((made.annotator, made.id))
        self.made.nodes.append(made)

    def _labelled(self, id: str, item: dict[str, Any]) -> Node:
        made = Node(_own_id(item, id), word(item.get("label"), "label"))
        if "start_offset" in item or "end_offset" in item:
            made.spans = (stretch(self.offsets, item.get("start_offset"), item.get("end_offset")),)
        if item.get("user") is not None:
            made.annotator = word(item["user"], "user")
        made.features = {k: v for k, v in item.items() if k not in ("id", "label", "start_offset", "end_offset", "user")}
        return made

    def _relation(self, id: str, item: dict[str, Any]) -> Node:
        roles = {end: [word(item.get(end), end)] for end in ("from_id", "to_id")}
        made = Node(_own_id(item, id), word(item.get("type"), "type"), roles=roles)
        # entities and relations are numbered apart
        made.id = made.id if made.id.startswith("relation:") else f"relation:{made.id}"
        made.features = {k: v for k, v in item.items() if k not in ("id", "type", "from_id", "to_id")}
        return made


def _own_id(item: dict[str, Any], made: str) -> str:
    return word(item["id"], "id") if item.get("id") is not None else made
