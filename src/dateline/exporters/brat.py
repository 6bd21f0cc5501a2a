"""brat standoff: for each text NAME.txt and NAME.ann, or a folder for each annotator with a copy of the text.

An annotation with spans becomes a text-bound one; without spans, one with a role `trigger` an event, one with two roles a
relation, one with the role `member` an equivalence. Features become attributes, and, where their names have a `#`, what the
importer made of normalizations and notes (see dateline.importers.brat); those lines are numbered in their order.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from dateline.document import Document, Node, Stretch
from dateline.errors import BuildError
from dateline.naming import FileNames, legal

NAME = "brat"
TITLE = "brat standoff (.txt and .ann)"

UNNAMED = "_"
"""The folder of annotations without an annotator, where others have one."""
_LINE_ENDS = str.maketrans("\r\n", "  ")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_NAME = re.compile(r"[\s:]")


def cannot_hold(document: Document) -> Counter[str]:
    """What of a document brat has no place for."""
    lost: Counter[str] = Counter()
    for annotator, nodes in _by_annotator(document).items():
        sheet = _Sheet(document, annotator, nodes)
        sheet.body()
        lost += sheet.lost
        if not annotator and len(_annotators(document)) > 1:
            lost[f"annotations of no annotator, beside those of annotators (they go to the folder {UNNAMED})"] += len(nodes)
    changed = sum(folder not in (f"{annotator}/", f"{UNNAMED}/", "") for annotator, folder in _folders(document).items())
    lost["names of annotators that no folder can have"] += changed
    lost["names of documents that no file can have"] += legal(document.name) != document.name
    lost["sentences or paragraphs that are marked as such"] += len(document.segments)
    lost["facts about the document (metadata)"] += sum(not _is_ours(key) for key in document.metadata)
    lost["characters that are no characters of Unicode"] += len(_SURROGATE.findall(document.text))
    return +lost


def write(documents: Iterable[Document], folder: Path) -> list[str]:
    """Write all documents below a folder; raises BuildError where that cannot be done."""
    names, written = FileNames(), []
    try:
        for document in documents:
            sheets = _by_annotator(document)
            folders = _folders(document)
            path = names.path(document.name, tuple(folders.values()))
            # readers take one byte order mark away
            text = "\ufeff" + document.text if document.text.startswith("\ufeff") else document.text
            for annotator, nodes in sheets.items():
                body = _Sheet(document, annotator, nodes).body()
                for suffix, content in ((".txt", text), (".ann", body)):
                    name = f"{folders[annotator]}{path}{suffix}"
                    target = folder / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content.encode("utf-8", "replace"))
                    written.append(name)
    except OSError as fault:
        raise BuildError(f"{fault.filename or folder}: cannot be written: {fault.strerror}") from None
    return written


def _is_ours(key: str) -> bool:
    return key in ("annotators", "comments") or key.startswith("comments:")


def _annotators(document: Document) -> list[str]:
    named = document.metadata.get("annotators")
    said = {one for one in named if isinstance(one, str)} if isinstance(named, list) else set()
    return sorted({node.annotator for node in document.nodes} | said) or [""]


def _folders(document: Document) -> dict[str, str]:
    """The folder of each annotator, with its `/`; none where nobody is named."""
    annotators = _annotators(document)
    if annotators == [""]:
        return {"": ""}
    names = FileNames()
    return {annotator: names.part(annotator or UNNAMED) + "/" for annotator in annotators}


def _by_annotator(document: Document) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {annotator: [] for annotator in _annotators(document)}
    for node in document.nodes:
        found[node.annotator].append(node)
    return found


def _kind(node: Node) -> str:
    """The letter of the line that a node becomes, or why it becomes none."""
    roles = {role: ids for role, ids in node.roles.items() if ids}
    if any(start >= end for start, end in node.spans):
        return "annotations of empty spans"
    if node.spans:
        return "T"
    two = len(roles) == 2 and all(len(ids) == 1 for ids in roles.values())
    if "trigger" in roles and not (two and node.id.startswith("R")):
        return "E"
    if two:
        return "R"
    return "*" if set(roles) == {"member"} else "annotations with neither spans nor a trigger nor two arguments nor members"


class _Sheet:
    """One annotator's lines about a document, and what is lost in them."""

    def __init__(self, document: Document, annotator: str, nodes: Sequence[Node]) -> None:
        self.document = document
        self.annotator = annotator
        self.lost: Counter[str] = Counter()
        self.nodes = self._held(nodes)
        self.ids = self._ids()
        self._next = {letter: count(1) for letter in "AN#"}

    def body(self) -> str:
        """The content of the file of annotation."""
        lines = list(self._comments())
        for node, kind in self.nodes:
            lines += self._lines(node, kind)
        return "".join(f"{line}\n" for line in lines)

    def _held(self, nodes: Sequence[Node]) -> list[tuple[Node, str]]:
        """The nodes that brat can hold with their letters; without those that refer to one that it cannot hold."""
        kinds = {node.id: _kind(node) for node in nodes}
        self.lost.update(kind for kind in kinds.values() if len(kind) > 1)
        held = [(node, kinds[node.id]) for node in nodes if len(kinds[node.id]) == 1]
        while True:
            there = {node.id for node, kind in held if kind != "*"}
            kept = [(n, kind) for n, kind in held if kind == "T" or all(id in there for ids in n.roles.values() for id in ids)]
            if len(kept) == len(held):
                return held
            self.lost["annotations that refer to one that is not there, or not held"] += len(held) - len(kept)
            held = kept

    def _ids(self) -> dict[str, str]:
        """brat's ids: the node's own where it is one of brat's, else the next free number."""
        ids: dict[str, str] = {}
        for letter in "TER*":
            nodes = [node for node, kind in self.nodes if kind == letter]
            if letter == "*":  # equivalences have no ids; the importer counts them
                ids.update((node.id, f"*{number}") for number, node in enumerate(nodes, 1))
            else:
                own = {node.id for node in nodes if re.fullmatch(rf"{letter}[0-9]{{1,18}}", node.id)}
                free = (f"{letter}{number}" for number in count(1) if f"{letter}{number}" not in own)
                ids.update((node.id, node.id if node.id in own else next(free)) for node in nodes)
        self.lost["ids that are not brat's (others are given)"] += sum(own != given for own, given in ids.items())
        return ids

    def _comments(self) -> Iterator[str]:
        for comment in _listed(self.document.metadata.get(f"comments:{self.annotator}" if self.annotator else "comments", [])):
            line = self._words(comment)
            if line.startswith("#") and not re.match(r"#[0-9]+\t.", line):
                yield line
            else:
                self.lost["comments that do not begin with # (it is put before them)"] += 1
                yield f"# {line}"

    def _lines(self, node: Node, kind: str) -> Iterator[str]:
        type = self._name(node.type, "types")
        roles = {role: ids for role, ids in node.roles.items() if ids}
        self.lost["roles without a target"] += len(node.roles) - len(roles)
        self.lost["further anchors of an annotation"] += len(node.parts)
        id = self.ids[node.id]
        if kind == "T":
            self.lost["roles of annotations that have spans"] += len(roles)
            offsets = ";".join(f"{start} {end}" for start, end in node.spans)
            yield f"{id}\t{type} {offsets}\t{_surface(self.document.text, node.spans)}"
        elif kind == "*":
            yield f"*\t{type} {' '.join(self.ids[member] for member in roles['member'])}"
            self.lost["features of equivalences"] += len(node.features)
            return
        else:
            arguments = [(role, self.ids[target]) for role, targets in roles.items() for target in targets]
            if kind == "E":
                trigger = self.ids[roles["trigger"][0]]
                arguments.remove(("trigger", trigger))
                type = f"{type}:{trigger}"
            words = [f"{self._name(role, 'roles')}:{target}" for role, target in arguments]
            yield f"{id}\t{' '.join([type, *words])}"
        yield from self._features(node, id)

    # ---- features

    def _features(self, node: Node, id: str) -> Iterator[str]:
        said: dict[str, dict[str, Any]] = {}  # by attribute ("" for the annotation itself), then by kind of note
        for feature, value in node.features.items():
            name, mark, kind = feature.partition("#")
            said.setdefault(name, {}).update({kind: value} if mark else {})
            self.lost["lists of no or one value"] += isinstance(value, list) and len(value) < 2
            self.lost["features without a name"] += not feature
        for name, notes in said.items():
            if name:
                yield from self._attribute(id, name, _listed(node.features.get(name)), {k: _listed(n) for k, n in notes.items()})
            else:
                yield from (self._note(kind, id, words) for kind in notes for words in _listed(notes[kind]))

    def _attribute(self, id: str, name: str, values: list[Any], notes: dict[str, list[Any]]) -> Iterator[str]:
        """The lines of the attributes, or normalizations, of one name, with their notes."""
        if None in values:
            self.lost["features without a value, and notes on them"] += 1 + len(notes)
            return
        if uneven := [kind for kind in notes if len(notes[kind]) != len(values)]:
            self.lost["notes on attributes that are not there"] += len(uneven)
        notes = {kind: said for kind, said in notes.items() if kind not in uneven}
        normal = notes.pop("text", None)
        if normal and not all(isinstance(value, str) and ":" in value for value in values):
            self.lost["words of normalizations without RESOURCE:ENTRY"] += len(normal)
            normal = None
        name = self._name(name, "features")
        for at, value in enumerate(values):
            letter = "N" if normal else "A"
            own = f"{letter}{next(self._next[letter])}"
            says = [name, id] if value is True else [name, id, self._value(value)]
            words = [] if not normal or normal[at] is None else [self._words(normal[at], normal[at] != "")]
            yield "\t".join([own, " ".join(says), *words])
            for kind, said in notes.items():
                if said[at] is not None:
                    yield self._note(kind, own, said[at])

    def _note(self, kind: str, id: str, words: Any) -> str:
        return f"#{next(self._next['#'])}\t{self._name(kind, 'notes')} {id}\t{self._words(words)}"

    def _value(self, value: Any) -> str:
        if isinstance(value, str) and "\t" in value:
            self.lost["tabs in values (written as blanks)"] += 1
            value = value.replace("\t", " ")
        return self._words(value, bool(str(value).strip())).replace("\t", " ")

    def _words(self, value: Any, as_it_is: bool = True) -> str:
        """A value on one line; as JSON if it is no string, or one that would be read as something else."""
        if not isinstance(value, str) or not as_it_is:
            self.lost["values that are not words (written as JSON)"] += 1
            value = json.dumps(value, ensure_ascii=False, default=str)
        words = value.translate(_LINE_ENDS)
        self.lost["line ends in values and notes (written as blanks)"] += words != value
        return self._clean(words)

    def _name(self, name: str, what: str) -> str:
        made = self._clean(_NO_NAME.sub("_", name)) or "_"
        self.lost[f"names of {what} with blanks or colons (written with _)"] += made != name
        return made

    def _clean(self, words: str) -> str:
        made = _SURROGATE.sub("?", words)
        self.lost["characters that are no characters of Unicode"] += made != words
        return made


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _surface(text: str, spans: tuple[Stretch, ...]) -> str:
    return " ".join(text[start:end] for start, end in spans).translate(_LINE_ENDS)
