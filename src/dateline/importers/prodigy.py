"""Prodigy's JSON Lines, as `prodigy db-out` writes them (its documentation: "Annotation interfaces", "JSON task format").

A row is what one annotator answered to one task. Rows of one `_input_hash` are one document, wherever they stand: a first pass
notes at which byte each row begins, a second one reads the rows of a document together, so that no file is held in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from dateline.document import Document, Node, Refused
from dateline.errors import InputError, Place
from dateline.foreign_json import LINES, At, brief, grouped, row_at, stretch, values, word
from dateline.incoming import Incoming
from dateline.offsets import Offsets

NAME = "prodigy"
TITLE = "Prodigy (JSON Lines)"
SUFFIXES = LINES
OPTIONS: dict[str, Any] = {
    "answers": ["accept"],  # which answers are read; what is rejected or ignored is no annotation
    "annotator": "row",  # or "file": the annotator is the name of the file
    "tokens": True,  # whether tokens are read, as nodes of type "token"
}
DOCUMENT = "dateline_document"
"""The field in which the exporter keeps a document's name."""

_READ = {"text", "spans", "tokens", "relations", "accept", "label", "meta", "_input_hash", "_annotator_id", DOCUMENT}


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    """A document per input, in the order in which inputs first stand, with all who annotated it."""
    if incoming.options["annotator"] not in ("row", "file"):
        raise InputError(f'option annotator of format prodigy is {incoming.options["annotator"]!r}, but must be "row" or "file"')
    names: set[str] = set()
    for rows in grouped(incoming, SUFFIXES, lambda row: row.get("_input_hash")).values():
        for made in _document(incoming, rows):
            if isinstance(made, Document) and made.name in names:
                made = Refused(made.place, "document", "another document has the same name", made.name)
            if isinstance(made, Document):
                names.add(made.name)
            yield made


def looks_like(incoming: Incoming) -> float:
    """Whether the first row has a hash, as all that Prodigy has seen."""
    for file in incoming.named(*SUFFIXES)[:1]:
        for found in values(incoming, file):
            row = None if isinstance(found, Refused) else found[1]
            return 0.95 if isinstance(row, dict) and "text" in row and row.keys() & {"_input_hash", "_task_hash"} else 0.0
    return 0.0


# ---- documents -------------------------------------------------------------------------------------------------


@dataclass
class _Row:
    """A row that is read: who answered, at which of their answers to this input it stands, what it says besides."""

    place: Place
    annotator: str
    said: dict[str, Any]
    rest: dict[str, Any] = field(default_factory=dict)
    prefix: str = ""


def _document(incoming: Incoming, places: list[At]) -> Iterator[Document | Refused]:
    """The document of some rows; Refused for each row that is none, or whose answer is not wanted."""
    rows: list[_Row] = []
    refused: list[Refused] = []
    for at in places:
        row = _row(incoming, at)
        if isinstance(row, _Row) and rows and row.said["text"] != rows[0].said["text"]:
            row = Refused(row.place, "document", f"has the input hash of {rows[0].place}, but another text")
        if isinstance(row, Refused):
            refused.append(row)
        else:
            rows.append(row)
    if not rows:
        yield from refused
        return
    refused = [Refused(one.place, "row", one.reason) for one in refused]
    first = rows[0]
    given = first.said.get(DOCUMENT, first.said.get("_input_hash"))
    name = f"{PurePosixPath(places[0].file).with_suffix('')}#{places[0].number}" if given is None else str(given)
    made = Document(name, first.said["text"], metadata=_metadata(rows), refused=refused, place=first.place)
    offsets = incoming.offsets(made.text)
    answers, ids = Counter[str](), set[tuple[str, str]]()
    for row in rows:
        answers[row.annotator] += 1
        row.prefix = f"{answers[row.annotator]}/" if answers[row.annotator] > 1 else ""
        _Reading(made, row, offsets, incoming, ids).add()
    yield made


def _row(incoming: Incoming, at: At) -> _Row | Refused:
    found = row_at(incoming, at)
    if isinstance(found, Refused):
        return found
    place, said = found
    if not isinstance(said, dict) or not isinstance(said.get("text"), str):
        return Refused(place, "document", "has no text: only tasks on texts are read")
    given = said.get(DOCUMENT, said.get("_input_hash"))
    if given is not None and not isinstance(given, int | str):
        return Refused(place, "document", f"its input hash is {brief(given)}, which is no number")
    answer, wanted = said.get("answer"), incoming.options["answers"]
    if answer is not None and answer not in wanted:
        marks = sum(len(said[key]) for key in ("spans", "relations", "accept") if isinstance(said.get(key), list))
        what = f"with {marks} annotations" if marks else "without annotations"
        return Refused(
            place, "document", f'its answer is {brief(answer)}, {what}; to read such rows, say answers = ["accept", …]'
        )
    by = said.get("_annotator_id") or said.get("_session_id") or ""
    if incoming.options["annotator"] == "file":
        by = PurePosixPath(at.file).stem
    row = _Row(place, by if isinstance(by, str) else str(by), said, {k: v for k, v in said.items() if k not in _READ})
    meta = said.get("meta")
    row.rest |= {f"meta.{k}": v for k, v in meta.items()} if isinstance(meta, dict) else {} if meta is None else {"meta": meta}
    return row


def _metadata(rows: list[_Row]) -> dict[str, Any]:
    """What all rows say alike, under its own name; what they say differently, by row."""
    first = rows[0].rest
    alike = {k: v for k, v in first.items() if all(k in row.rest and row.rest[k] == v for row in rows)}
    if all(row.rest.keys() == alike.keys() for row in rows):
        return alike
    return alike | {"rows": [{"annotator": r.annotator, **{k: v for k, v in r.rest.items() if k not in alike}} for r in rows]}


class _Reading:
    """What one row says, turned into nodes of a document."""

    def __init__(self, made: Document, row: _Row, offsets: Offsets, incoming: Incoming, ids: set[tuple[str, str]]) -> None:
        self.made, self.row, self.offsets, self.ids = made, row, offsets, ids
        self.tokens = incoming.options["tokens"]
        self.features = {"answer": row.said["answer"]} if len(incoming.options["answers"]) > 1 and "answer" in row.said else {}
        self.spans: dict[tuple[Any, ...], str] = {}

    def add(self) -> None:
        """Add the row's tokens, spans, relations, choices and label."""
        for key, one in (("tokens", self._token), ("spans", self._span), ("relations", self._relation)):
            listed = self.row.said.get(key) or []
            if key == "tokens" and not self.tokens:
                continue
            if not isinstance(listed, list):
                self._refuse(key.removesuffix("s"), self._place(key), f"its {key} are {brief(listed)}, which is no list")
                continue
            for number, item in enumerate(listed):
                self._try(key.removesuffix("s"), one, number, item)
        accept, label = self.row.said.get("accept"), self.row.said.get("label")
        if accept is not None:
            self._put(Node(self._id("choice"), "choice", features={"accept": accept}, place=self._place("accept")))
        if isinstance(label, str):
            self._put(Node(self._id("label"), label, place=self._place("label")))
        elif label is not None:
            self._refuse("label", self._place("label"), f"its label is {brief(label)}, which is no string")

    def _try(self, kind: str, one: Any, number: int, item: Any) -> None:
        place = self._place(f"{kind}s[{number}]")
        try:
            if not isinstance(item, dict):
                raise ValueError(f"is {brief(item)}, which is no object")
            node = one(number, item)
            node.place = place
            self._put(node)
        except ValueError as fault:
            label = item.get("label") if isinstance(item, dict) else None
            self._refuse(label if isinstance(label, str) else kind, place, str(fault))

    def _token(self, number: int, item: dict[str, Any]) -> Node:
        known = item.get("id", number)
        node = Node(self._id(f"token:{known if type(known) is int else number}"), "token", (self._stretch(item),))
        node.features = {k: v for k, v in item.items() if k not in ("start", "end", "id")}
        if type(known) is not int:
            node.features["id"] = known
        return _with_words(node)

    def _span(self, number: int, item: dict[str, Any]) -> Node:
        id = self._own_id(item, f"span:{number}")
        label = item.get("label")
        node = Node(id, "span" if label is None else word(label, "label"), (self._stretch(item),))
        node.features = {k: v for k, v in item.items() if k not in ("start", "end", "label", "id")}
        key = (item["start"], item["end"])
        self.spans.setdefault((*key, label if isinstance(label, str) else None), id)
        self.spans.setdefault(key, id)
        return _with_words(node)

    def _relation(self, number: int, item: dict[str, Any]) -> Node:
        label = item.get("label")
        node = Node(self._own_id(item, f"relation:{number}"), "relation" if label is None else word(label, "label"))
        node.features = {k: v for k, v in item.items() if k not in ("head", "child", "label", "head_span", "child_span", "id")}
        for end in ("head", "child"):
            span, token = item.get(f"{end}_span"), item.get(end)
            known = self._known(span) if isinstance(span, dict) else None
            if known is None and type(token) is not int:
                raise ValueError(f"its {end} is {brief(token)}, which is no token")
            node.roles[end] = [known or self._id(f"token:{token}")]
            if known is None and span is not None:
                node.features[f"{end}_span"] = span
        return node

    def _known(self, span: dict[str, Any]) -> str | None:
        key = [span.get("start"), span.get("end"), span.get("label")]
        if any(isinstance(one, list | dict) for one in key):
            return None
        return self.spans.get(tuple(key)) or self.spans.get(tuple(key[:2]))

    def _stretch(self, item: dict[str, Any]) -> tuple[int, int]:
        return stretch(self.offsets, item.get("start"), item.get("end"))

    def _own_id(self, item: dict[str, Any], made: str) -> str:
        own = item.get("id")
        return self._id(made) if own is None else word(own, "id")

    def _id(self, id: str) -> str:
        return self.row.prefix + id

    def _place(self, pointer: str) -> Place:
        return self.row.place.at(f"$.{pointer}")

    def _put(self, node: Node) -> None:
        node.annotator = self.row.annotator
        if (node.annotator, node.id) in self.ids:
            self._refuse(node.type, node.place, "another annotation has the same id", node.id)
            return
        self.ids.add((node.annotator, node.id))
        node.features |= self.features
        self.made.nodes.append(node)

    def _refuse(self, kind: str, place: Place, reason: str, id: str = "") -> None:
        self.made.refused.append(Refused(place, kind, reason, id))


def _with_words(node: Node) -> Node:
    if isinstance(node.features.get("text"), str):
        node.words[""] = node.features.pop("text")
    return node
