"""brat standoff: a text, and beside it a file of annotation, one a line (brat's "standoff format" page; BioNLP's .a1 and .a2).

Text-bound annotations, events, relations and equivalences are nodes. Attributes, normalizations and notes say something of
another annotation and become its features. brat's names have no `#`, so `#` marks what is no attribute: `#AnnotatorNotes` is a
note on the annotation itself, `Confidence#AnnotatorNotes` one on its attribute, `Reference#text` the words of its normalization.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dateline.document import Document, Node, Refused, Stretch
from dateline.errors import InputError, Place
from dateline.incoming import Incoming
from dateline.offsets import Offsets

NAME = "brat"
TITLE = "brat standoff (.txt with .ann, or .a1 and .a2)"
SUFFIXES = (".txt", ".ann", ".a1", ".a2")
OPTIONS = {"annotators": "none"}  # which folder of a file's path names its annotator: none, first, last

_SHEETS = (".ann", ".a1", ".a2")
_FRAGMENT = re.compile(r" *([0-9]{1,12}) ([0-9]{1,12}) *")
_ID = re.compile(r"[TERAMN][^\s:;]+|\*|#[0-9]+")
_NOTE = re.compile(r"#[0-9]+")
_LONGEST = 300  # of a reason, which may quote an id that is longer than any
_LINE_ENDS = str.maketrans("\r\n", "  ")


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    """Yield a document for each text; Refused for annotation without text, and where two copies of a text differ."""
    where = incoming.options["annotators"]
    if where not in ("none", "first", "last"):
        raise InputError(f"option annotators is {where!r}, but must be one of none, first, last")
    incoming.read.update(incoming.named(".conf"))  # how brat shows and offers types; says nothing of a text
    for name, group in sorted(_groups(incoming, where).items()):
        try:
            yield _document(incoming, name, group, where != "none")
        except InputError as fault:
            yield Refused(incoming.place((group.sheets or group.texts)[0]), "document", str(fault))


def looks_like(incoming: Incoming) -> float:
    """Sure of a folder in which annotation lies beside texts, and its first lines read like brat's."""
    texts = {_stem(name) for name in incoming.named(".txt")}
    sheets = [name for name in incoming.named(*_SHEETS) if _stem(name) in texts]
    for name in sheets[:10]:
        for _, line in incoming.lines(name):
            return 1.0 if re.match(rb"([TERAMN]\S+|#\S*|\*)\t\S+ \S", line) else 0.0
    return 0.5 if sheets else 0.0


def surface(text: str, spans: tuple[Stretch, ...]) -> str:
    """The words of spans as brat writes them: a blank between fragments, and for each character of a line end."""
    return " ".join(text[start:end] for start, end in spans).translate(_LINE_ENDS)


# ---- which files are one document ------------------------------------------------------------------------------


@dataclass
class _Group:
    """The files of one document: copies of its text, and annotation by whom."""

    texts: list[str] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    annotators: dict[str, list[str]] = field(default_factory=dict)


def _groups(incoming: Incoming, where: str) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    texts: dict[str, list[str]] = {}
    for name in incoming.named(".txt"):
        texts.setdefault(_stem(name), []).append(name)
    used = set()
    for sheet in incoming.named(*_SHEETS):
        annotator, name = _annotator(_stem(sheet), where)
        group = groups.setdefault(name, _Group())
        group.sheets.append(sheet)
        group.annotators.setdefault(annotator, []).append(sheet)
        beside = _stem(sheet) if _stem(sheet) in texts else name
        used.add(beside)
        group.texts += [text for text in texts.get(beside, ()) if text not in group.texts]
    for stem in texts.keys() - used:
        annotator, name = _annotator(stem, where)
        group = groups.setdefault(name, _Group())
        group.texts = sorted(group.texts + texts[stem])
    return groups


def _annotator(stem: str, where: str) -> tuple[str, str]:
    """Who annotated a file, by the folder that says so, and the document's name without that folder."""
    *folders, file = stem.split("/")
    if not folders or where == "none":
        return "", stem
    annotator = folders.pop(0 if where == "first" else -1)
    return annotator, "/".join([*folders, file])


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _document(incoming: Incoming, name: str, group: _Group, annotators: bool) -> Document | Refused:
    if not group.texts:
        reason = f"is annotation without a text: expected {name.rpartition('/')[2]}.txt"
        incoming.read.update(group.sheets)
        return Refused(incoming.place(group.sheets[0]), "document", reason)
    text = incoming.text(group.texts[0])
    for other in group.texts[1:]:
        if incoming.text(other) != text:
            reason = f"differs from {group.texts[0]}, although both are the text of {name}"
            return Refused(incoming.place(other), "document", reason)
    document = Document(name, text, place=incoming.place(group.texts[0]))
    if annotators:
        document.metadata["annotators"] = sorted(group.annotators)
    for annotator, files in sorted(group.annotators.items()):
        said = _Sheet(text, incoming.offsets(text), annotator)
        said.take([line for file in files for line in _lines(incoming, file)])
        document.nodes += said.nodes.values()
        document.refused += said.refused
        if said.comments:
            document.metadata[f"comments:{annotator}" if annotator else "comments"] = said.comments
    return document


# ---- lines -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    """A line in its columns: id, what it says, words (None where there is no third column)."""

    place: Place
    id: str
    says: str
    words: str | None

    @property
    def type(self) -> str:
        return re.split("[ :]", self.says, maxsplit=1)[0] or "annotation"


class _Wrong(Exception):
    """Why a line cannot be read."""


def _lines(incoming: Incoming, file: str) -> Iterator[_Line]:
    """The lines of a file that are not blank. A text may hold any other control, so only LF, or CR LF throughout, ends a line."""
    body = incoming.text(file)
    end = "\r\n" if 0 < body.count("\n") == body.count("\r\n") else "\n"
    for number, line in enumerate(body.split(end), 1):
        if line.strip():
            first, _, rest = line.partition("\t")
            says, tab, words = rest.partition("\t")
            comment = line.startswith("#") and not (_NOTE.fullmatch(first) and rest)
            if comment:
                yield _Line(incoming.place(file, number), "#", line, None)
            else:
                id = first if rest and _ID.fullmatch(first) else ""
                yield _Line(incoming.place(file, number), id, says, words if tab else None)


@dataclass
class _Attribute:
    """The attributes, or normalizations, of one name on one annotation, in the order of their lines."""

    values: list[Any] = field(default_factory=list)
    words: list[str | None] | None = None
    notes: dict[str, dict[int, str]] = field(default_factory=dict)

    def features(self, name: str) -> Iterator[tuple[str, Any]]:
        yield name, _plain(self.values)
        if self.words is not None:
            yield f"{name}#text", _plain(self.words)
        for kind, notes in self.notes.items():
            yield f"{name}#{kind}", _plain([notes.get(at) for at in range(len(self.values))])


def _plain(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


class _Sheet:
    """What one annotator wrote about one text."""

    def __init__(self, text: str, offsets: Offsets, annotator: str) -> None:
        self.text = text
        self.offsets = offsets
        self.annotator = annotator
        self.nodes: dict[str, Node] = {}
        self.refused: list[Refused] = []
        self.comments: list[str] = []
        self._there: set[str] = set()
        self._groups = 0
        self._attributes: dict[str, dict[str, _Attribute]] = {}
        self._attribute_of: dict[str, tuple[str, _Attribute, int]] = {}  # by id of the line
        self._notes: dict[str, dict[str, list[str]]] = {}

    def take(self, lines: list[_Line]) -> None:
        """Read the lines: first annotations, then what is said of them, then notes, which may be on either."""
        times = Counter(line.id for line in lines if line.id not in ("", "#", "*"))
        self._there = set(times)
        for readers in (
            {"T": self._text_bound, "E": self._event, "R": self._relation, "*": self._group},
            {"A": self._attribute, "M": self._attribute, "N": self._normalization},
            {"#": self._note},
        ):
            for line in lines:
                if line.id[:1] in readers:
                    try:
                        if times[line.id] > 1:
                            raise _Wrong(f"{line.id} stands {times[line.id]} times; an id must stand once")
                        readers[line.id[:1]](line)
                    except _Wrong as fault:
                        self.refused.append(Refused(line.place, line.type, str(fault)[:_LONGEST], line.id))
        for line in lines:
            if not line.id:
                reason = "is no line of brat: expected an id as T1, E1, R1, A1, M1, N1, #1 or *, a tab, and a type"
                self.refused.append(Refused(line.place, "annotation", reason))
        for id, attributes in self._attributes.items():
            for name, attribute in attributes.items():
                self.nodes[id].features.update(attribute.features(name))
        for id, notes in self._notes.items():
            self.nodes[id].features.update({f"#{kind}": _plain(said) for kind, said in notes.items()})

    def _add(self, line: _Line, id: str, type: str, **more: Any) -> None:
        if not type:
            raise _Wrong("has no type")
        self.nodes[id] = Node(id, type, annotator=self.annotator, place=line.place, **more)

    # ---- annotations

    def _text_bound(self, line: _Line) -> None:
        type, _, rest = line.says.partition(" ")
        written = []
        for fragment in rest.split(";"):
            match = _FRAGMENT.fullmatch(fragment)
            if not match:
                raise _Wrong("expected TYPE START END, with a semicolon between the offsets of several fragments")
            try:
                start, end = self.offsets(int(match[1])), self.offsets(int(match[2]))
            except ValueError as fault:
                raise _Wrong(str(fault)) from None
            if start >= end:
                raise _Wrong(f"covers nothing: begins at {match[1]} and ends at {match[2]}")
            written.append((start, end))
        spans = tuple(sorted(written))
        words = {} if line.words is None else {"": self._as_stored(line.words, tuple(written), spans)}
        self._add(line, line.id, type, spans=spans, words=words)

    def _as_stored(self, words: str, written: tuple[Stretch, ...], spans: tuple[Stretch, ...]) -> str:
        """The words of a line; in the order of the text and with blanks, where brat wrote fragments in another or without."""
        words = words.translate(_LINE_ENDS)
        known = (surface(self.text, written), "".join(surface(self.text, (span,)) for span in written))
        return surface(self.text, spans) if words in known else words

    def _event(self, line: _Line) -> None:
        head, *arguments = line.says.split() or [""]
        type, colon, trigger = head.rpartition(":")
        if not colon or not trigger or line.words:
            raise _Wrong("expected TYPE:TRIGGER ROLE:ID ...")
        self._add(line, line.id, type, roles=self._roles([f"trigger:{trigger}", *arguments]))

    def _relation(self, line: _Line) -> None:
        type, *arguments = line.says.split() or [""]
        roles = self._roles(arguments)
        if len(arguments) != 2 or len(roles) != 2 or line.words:
            raise _Wrong("expected TYPE Arg1:ID Arg2:ID, that is two arguments of different names")
        self._add(line, line.id, type, roles=roles)

    def _group(self, line: _Line) -> None:
        type, *members = line.says.split() or [""]
        if not members or line.words:
            raise _Wrong("expected *, a tab, TYPE ID ID ...")
        self._groups += 1
        self._add(line, f"*{self._groups}", type, roles=self._roles([f"member:{member}" for member in members]))

    def _roles(self, arguments: list[str]) -> dict[str, list[str]]:
        roles: dict[str, list[str]] = {}
        for argument in arguments:
            role, _, id = argument.rpartition(":")
            if not role or not id:
                raise _Wrong(f"expected ROLE:ID, not {argument!r}")
            if id not in self._there or id[0] not in "TER":
                raise _Wrong(f"refers to {id}, which is not there")
            roles.setdefault(role, []).append(id)
        return roles

    # ---- what is said of them

    def _attribute(self, line: _Line) -> None:
        name, target, value = [*line.says.split(" ", 2), "", ""][:3]
        if not target or line.words:
            raise _Wrong("expected NAME ID, or NAME ID VALUE")
        self._say(line, name, target, value if value.strip() else True)

    def _normalization(self, line: _Line) -> None:
        name, target, value = [*line.says.split(" ", 2), "", ""][:3]
        if not target or ":" not in value:
            raise _Wrong("expected NAME ID RESOURCE:ENTRY")
        self._say(line, name, target, value, [line.words or None])

    def _say(self, line: _Line, name: str, target: str, value: Any, words: list[str | None] | None = None) -> None:
        if not name or "#" in name:
            raise _Wrong("a name must have at least one character and no #")
        self._target(target)
        attribute = self._attributes.setdefault(target, {}).setdefault(name, _Attribute(words=[] if words else None))
        if (attribute.words is None) != (words is None):
            raise _Wrong(f"{name} is both an attribute and a normalization of {target}")
        if attribute.words is not None and words:
            attribute.words += words
        self._attribute_of[line.id] = (name, attribute, len(attribute.values))
        attribute.values.append(value)

    def _note(self, line: _Line) -> None:
        if line.id == "#":
            self.comments.append(line.says)
            return
        kind, _, target = line.says.rstrip(" ").partition(" ")
        if not kind or not target:
            raise _Wrong("expected TYPE ID, a tab, and the note")
        words = line.words or ""
        if target not in self._attribute_of:
            self._target(target)
            self._notes.setdefault(target, {}).setdefault(kind, []).append(words)
            return
        name, attribute, at = self._attribute_of[target]
        notes = attribute.notes.setdefault(kind, {})
        if kind == "text" or at in notes:
            raise _Wrong(f"{name} of {target} has a {kind} already")
        notes[at] = words

    def _target(self, id: str) -> None:
        if id not in self.nodes or id.startswith("*"):
            there = id in self._there and id[:1] in "TERAMN"
            raise _Wrong(f"{id}, which it belongs to, {'could not be read' if there else 'is not there'}")
