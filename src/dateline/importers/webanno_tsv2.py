"""WebAnno TSV 2 (WebAnno 3 User Guide, appendix "WebAnno TSV 2"): layers in one line of the header, spans as B- and I- values.

The format has no offsets: `#text=` gives each sentence, and its tokens must follow each other there with nothing but white space
between them. Sentences are put one below the other, as WebAnno itself does it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from dateline import inception
from dateline.document import Document, Node, Refused
from dateline.errors import InputError, Place
from dateline.incoming import Incoming
from dateline.webanno import DEPENDENCY, DEPENDENT, GOVERNOR, TOKEN

NAME = "webanno-tsv2"
TITLE = "WebAnno TSV 2"
SUFFIXES = (".tsv",)
OPTIONS = {"annotators": "one"}

_HEADER = re.compile(r"\s*#\s+\S")
_ROW = re.compile(r"\d+-\d+\t")
_NOTHING = ("_", "O", "O-_", "B-_", "I-_", "")


def looks_like(incoming: Incoming) -> float:
    """Sure where files begin with layers, separated by # and |."""
    names, _ = inception.files_of(incoming, *SUFFIXES)
    return 0.8 * sum(_is_header(incoming.raw(n)[:4096].decode("utf-8", "replace")) for n in names[:3]) / (len(names[:3]) or 1)


def _is_header(text: str) -> bool:
    first, _, rest = text.partition("\n")
    return _HEADER.match(first) is not None and "#text=" in rest


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    """The documents of all files."""
    return inception.read_files(incoming, SUFFIXES, partial(_read_one, incoming))


def _read_one(incoming: Incoming, file: str, name: str) -> Iterator[Document | Refused]:
    yield _File(incoming, file, name).document


class _Odd(ValueError):
    """Why something in a file cannot be read."""


@dataclass(slots=True)
class _Layer:
    number: int
    type: str
    features: list[str]
    base: str
    first: int

    @property
    def width(self) -> int:
        return len(self.features) + bool(self.base)


@dataclass(slots=True)
class _Row:
    id: str
    line: int
    start: int
    end: int
    cells: list[str]


@dataclass(slots=True)
class _Sentence:
    line: int
    text: str
    rows: list[tuple[int, list[str]]] = field(default_factory=list)


class _File:
    """One file, read into a document."""

    def __init__(self, incoming: Incoming, file: str, name: str) -> None:
        self.incoming, self.file = incoming, file
        self.document = Document(name, "", place=incoming.place(file))
        lines = [line.removesuffix("\r") for line in incoming.text(file).split("\n")]
        if not _HEADER.match(lines[0]):
            raise self._fail(1, "is no WebAnno TSV 2: its first line names no layers, as # type | feature does")
        self.layers: list[_Layer] = []
        self._header(lines[0])
        self.width = sum(layer.width for layer in self.layers)
        self.open: dict[tuple[int, int], Node] = {}  # by layer and level: the annotation that an I- goes on
        self.on_row: dict[tuple[str, str], list[Node]] = {}
        self.relations: list[tuple[Node, _Layer, str, str]] = []
        for row in self._rows(self._sentences(lines)):
            self._read_row(row)
        for relation in self.relations:
            self._relate(*relation)

    def _place(self, line: int) -> Place:
        return self.incoming.place(self.file, line)

    def _fail(self, line: int, fault: str) -> InputError:
        return InputError(f"{self._place(line)}: {fault}")

    def _refuse(self, line: int, what: str, reason: str, node_id: str = "") -> None:
        self.document.refused.append(Refused(self._place(line), what, reason, node_id))

    def _header(self, line: str) -> None:
        first = 0
        for declared in filter(str.strip, line.split("#")):
            type_name, *names = [part.strip() for part in declared.split("|")]
            base = next((n.removeprefix("AttachTo=") for n in names if n.startswith("AttachTo=")), "")
            features = [n for n in names if n and not n.startswith("AttachTo=")]
            if not type_name or not features or len({*features}) < len(features):
                raise self._fail(1, "declares a layer without a name, without features, or with one twice")
            layer = _Layer(len(self.layers) + 1, type_name, features, TOKEN if type_name == DEPENDENCY and base else base, first)
            self.layers.append(layer)
            first += layer.width

    def _sentences(self, lines: list[str]) -> list[_Sentence]:
        """Sentences with their rows; a text of several lines goes on until the first row."""
        sentences: list[_Sentence] = []
        for number, line in enumerate(lines[1:], 2):
            if line.startswith("#text="):
                sentences.append(_Sentence(number, line.removeprefix("#text=")))
            elif _ROW.match(line) and sentences:
                sentences[-1].rows.append((number, line.split("\t")))
            elif sentences and not sentences[-1].rows and not line.startswith("#id="):
                sentences[-1].text += f"\n{line}"
            elif line.strip() and not line.startswith("#id="):
                self._refuse(number, "line", "is neither a row nor #id= nor #text=")
        return sentences

    def _rows(self, sentences: list[_Sentence]) -> list[_Row]:
        """Put the text together, and find each token where it must stand."""
        rows: list[_Row] = []
        length = 0
        seen: set[str] = set()
        for sentence in sentences:
            self.document.segments.append((length, length + len(sentence.text)))
            at = 0
            for line, (row_id, word, *cells) in sentence.rows:
                at += len(sentence.text) - at - len(sentence.text[at:].lstrip())
                if row_id in seen:
                    raise self._fail(line, f"is a second row {row_id}")
                if not word or not sentence.text.startswith(word, at):
                    raise self._fail(line, f"the word of {row_id} does not follow in #text=: nobody knows where it stands")
                seen.add(row_id)
                rows.append(_Row(row_id, line, length + at, length + at + len(word), cells))
                at += len(word)
            length += len(sentence.text) + 1
        self.document.text = "\n".join(sentence.text for sentence in sentences)
        return rows

    def _read_row(self, row: _Row) -> None:
        words = {"": self.document.text[row.start : row.end]}
        token = Node(row.id, TOKEN, ((row.start, row.end),), words=words, place=self._place(row.line))
        self.document.nodes.append(token)
        self.on_row[TOKEN, row.id] = [token]
        going_on, self.open = self.open, {}
        if len(row.cells) < self.width or any(row.cells[self.width :]):
            self._refuse(row.line, "row", f"has {len(row.cells)} columns of annotation, but {self.width} are declared", row.id)
            return
        for layer in self.layers:
            stacks = [cell.split("|") for cell in row.cells[layer.first : layer.first + layer.width]]
            for level in range(max(map(len, stacks))):
                values = [stack[level] if level < len(stack) else "_" for stack in stacks]
                try:
                    self._annotation(row, layer, level, values, going_on.get((layer.number, level)))
                except _Odd as fault:
                    self._refuse(row.line, layer.type, str(fault), f"{row.id}/{layer.number}")

    def _annotation(self, row: _Row, layer: _Layer, level: int, values: list[str], before: Node | None) -> None:
        written = values[: len(layer.features)]
        if all(value in _NOTHING for value in values):
            return
        features = {name: self._value(layer, value) for name, value in zip(layer.features, written, strict=True)}
        if any(value.startswith("I-") for value in written):
            if before is None or before.features != features:
                raise _Odd("goes on with I- where nothing of these values stands before")
            before.spans = ((before.spans[0][0], row.end),)
            before.words = {}
            node = before
        else:
            node_id = f"{row.id}/{layer.number}.{level + 1}" if level else f"{row.id}/{layer.number}"
            node = Node(node_id, layer.type, features=dict(features), place=self._place(row.line))
            if layer.base:
                self.relations.append((node, layer, row.id, values[-1]))
                return
            node.spans = ((row.start, row.end),)
            node.words = {"": self.document.text[row.start : row.end]}
            self.document.nodes.append(node)
        if any(value.startswith(("B-", "I-")) for value in written):
            self.open[layer.number, level] = node
        self.on_row.setdefault((layer.type, row.id), []).append(node)

    def _value(self, layer: _Layer, written: str) -> str | None:
        """A value without its B- or I-; the name of the layer and an underscore stand for null."""
        if written in _NOTHING:
            return None
        value = written[2:] if written.startswith(("B-", "I-")) else written
        return None if value == f"{layer.type}_" else value

    def _relate(self, node: Node, layer: _Layer, row: str, source: str) -> None:
        """Resolve the ends of a relation: one annotation of the base type on each of its rows."""
        for role, there in ((GOVERNOR, source), (DEPENDENT, row)):
            found = self.on_row.get((layer.base, there), [])
            if len(found) != 1:
                reason = f"names {there} as its {role}, on which {len(found)} annotations of {layer.base} stand"
                self._refuse(node.place.line, node.type, reason, node.id)
                return
            node.roles[role] = [found[0].id]
        self.document.nodes.append(node)
