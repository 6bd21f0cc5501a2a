"""Any JSON: options say by dotted paths where documents, texts, annotations and their spans stand (docs/formats/json.md).

A path is names of keys with dots between them, `[*]` for every element of a list, `[0]` for one, `*` for every key, and a name
in quotes where it holds a dot or a bracket itself. That is all of JSONPath that annotation needs, and it is written here because
a reader must know which values a path took: the rest is kept, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from dateline.document import Document, Node, Refused, Stretch, joined
from dateline.errors import InputError, Place
from dateline.foreign_json import LINES, brief, parsed, stretch, value_of, word
from dateline.incoming import Incoming
from dateline.offsets import Offsets
from dateline.typed import misfits

NAME = "json"
TITLE = "any JSON or JSON Lines, by paths"
SUFFIXES = (".json", ".jsonl", ".ndjson")
OPTIONS: dict[str, Any] = {
    "documents": "",  # where the documents of a file are; by default each file, or each line, is one
    "text": "text",
    "name": "",  # by default the file's path, with a number where it holds several documents
    "sentences": {},  # at, start, end
    "metadata": {},  # names for values of the document; what no path takes keeps its own
    "ignored": [],  # what is left out
    "nodes": [],  # tables of annotations, see Table
}

Step = str | int
Steps = tuple[Step, ...]
EACH = "[*]"


@dataclass(frozen=True)
class Anchor:
    """Where the spans of an annotation, or of a part of it, stand: `start` and `end` are paths inside what `at` finds."""

    at: str = ""
    start: str = ""
    end: str = ""
    words: str = ""


@dataclass(frozen=True)
class Table:
    """Annotations of one kind: what `at` finds, with paths inside of it."""

    at: str
    type: str = ""
    type_at: str = ""
    id: str = ""
    annotator: str = ""
    spans: Anchor = field(default_factory=Anchor)
    words: str = ""
    parts: dict[str, Anchor] = field(default_factory=dict)
    features: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    """The documents of all files, in the order in which they stand."""
    layout = _Layout(incoming.options)
    names: set[str] = set()
    for file in incoming.named(*SUFFIXES):
        for found in _documents(incoming, file, layout):
            if isinstance(found, Refused):
                yield found
                continue
            place, number, value = found
            made = _document(incoming, layout, value, place, _stem(file) if number is None else f"{_stem(file)}#{number}")
            if isinstance(made, Document) and made.name in names:
                made = Refused(place, "document", "another document has the same name", made.name)
            if isinstance(made, Document):
                names.add(made.name)
            yield made


def looks_like(incoming: Incoming) -> float:
    """Anything may be some JSON; formats that know theirs are surer."""
    return 0.05 if incoming.named(*SUFFIXES) else 0.0


# ---- options ---------------------------------------------------------------------------------------------------


class _Layout:
    """The options, checked, with their paths taken apart; raises InputError for options that make no sense."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        for name, kind in (("nodes", list[Table]), ("sentences", Anchor), ("metadata", dict[str, str]), ("ignored", list[str])):
            for fault in misfits(options[name], kind, name):
                raise InputError(f"option {fault.where} of format json is {fault.found}, but must be {fault.expected}")
        self.documents = steps(options["documents"])
        self.text = steps(options["text"])
        self.name = steps(options["name"])
        self.sentences = _Anchoring(Anchor(**options["sentences"])) if options["sentences"] else None
        self.metadata = {name: steps(path) for name, path in options["metadata"].items()}
        self.ignored = [steps(path) for path in options["ignored"]]
        self.tables = [_Reading(_table(table), self.ignored) for table in options["nodes"]]
        used = [self.text, *self.metadata.values(), *self.ignored, *(table.at for table in self.tables)]
        used += [self.name] if self.name else []
        used += self.sentences.used() if self.sentences else []
        self.is_used = _uses(used)


class _Anchoring:
    """An anchor's paths; `start` and `end` lie inside of `at`."""

    def __init__(self, anchor: Anchor) -> None:
        if not anchor.start or not anchor.end:
            raise InputError(f"options of format json: spans at {anchor.at!r} need both `start` and `end`")
        self.at, self.start, self.end = steps(anchor.at), steps(anchor.start), steps(anchor.end)
        self.words = steps(anchor.words) if anchor.words else None

    def used(self) -> list[Steps]:
        words = [self.words] if self.words is not None else []
        return [(*self.at, *self.start), (*self.at, *self.end), *words]


class _Reading:
    """A table of annotations, with its paths taken apart."""

    def __init__(self, table: Table, ignored: list[Steps]) -> None:
        if not table.type and not table.type_at:
            raise InputError(f"options of format json: nodes at {table.at!r} need `type` (a word) or `type_at` (a path)")
        self.table = table
        self.at = steps(table.at)
        self.type_at, self.id, self.annotator, words = (
            steps(path) if path else None for path in (table.type_at, table.id, table.annotator, table.words or table.spans.words)
        )
        self.anchors: dict[str, _Anchoring] = {}
        if table.spans != Anchor():
            self.anchors[""] = _Anchoring(table.spans)
            self.anchors[""].words = words
        self.anchors |= {name: _Anchoring(part) for name, part in table.parts.items()}
        self.features = {name: steps(path) for name, path in table.features.items()}
        self.roles = {name: steps(path) for name, path in table.roles.items()}
        used = [path for path in (self.type_at, self.id, self.annotator) if path is not None]
        used += [path for anchor in self.anchors.values() for path in anchor.used()]
        used += [*self.features.values(), *self.roles.values(), *ignored]
        used += [path[len(self.at) :] for path in ignored if path[: len(self.at)] == self.at]
        self.is_used = _uses(used)


def _table(options: dict[str, Any]) -> Table:
    anchors: dict[str, Any] = {"spans": Anchor(**options.get("spans", {}))}
    anchors["parts"] = {name: Anchor(**part) for name, part in options.get("parts", {}).items()}
    return Table(**{**options, **anchors})


# ---- paths -----------------------------------------------------------------------------------------------------

_STEP = re.compile(r'"([^"]+)"|\[(\*|\d{1,9})\]|([^.\[\]"]+)')


def steps(path: str) -> Steps:
    """A path taken apart; raises InputError for what is none."""
    made: list[Step] = []
    at = 0
    while at < len(path):
        at += at > 0 and path[at] == "."
        match = _STEP.match(path, at)
        if not match:
            raise InputError(f"option of format json: {path!r} is no path such as annotations[*].quote.text")
        quoted, index, name = match.groups()
        made.append(quoted or name or (EACH if index == "*" else int(index)))
        at = match.end()
    return tuple(made)


def reached(value: Any, path: Steps, where: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """What a path reaches in a value, with the keys and positions that it went by."""
    if not path:
        yield where, value
        return
    step, rest = path[0], path[1:]
    inner: Any = ()
    if step == EACH:
        inner = enumerate(value) if isinstance(value, list) else ()
    elif isinstance(value, dict):
        inner = value.items() if step == "*" else [(step, value[step])] if step in value else ()
    elif isinstance(value, list) and isinstance(step, int) and step < len(value):
        inner = [(step, value[step])]
    for key, one in inner:
        yield from reached(one, rest, (*where, key))


def pointer(where: Steps) -> str:
    """Keys and positions as messages write them: $.annotations[3].quote"""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where)


def _uses(paths: list[Steps]) -> Callable[[Steps], bool]:
    """Whether one of the paths takes what stands at a path, or all that it lies in."""

    def fits(pattern: Step, step: Step) -> bool:
        return pattern in (step, "*") or (pattern == EACH and isinstance(step, int))

    @cache
    def is_used(at: Steps) -> bool:
        return any(len(path) <= len(at) and all(map(fits, path, at)) for path in paths)

    return is_used


def _rest(value: Any, is_used: Callable[[Steps], bool], at: Steps = ()) -> Iterator[tuple[str, Any]]:
    """What no path takes: values by their dotted names; what stands in the objects of a list makes a list."""
    if is_used(at):
        return
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _rest(one, is_used, (*at, key))
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        for key in dict.fromkeys(key for one in value for key in one):
            if not is_used((*at, EACH, key)):
                yield _dotted((*at, key)), [one.get(key) for one in value]
    elif isinstance(value, list) and not at:
        for index, one in enumerate(value):
            yield from _rest(one, is_used, (index,))
    elif not (isinstance(value, list) and not value):
        yield _dotted(at) or "value", value


def _dotted(at: Steps) -> str:
    return ".".join(str(step) for step in at)


# ---- documents -------------------------------------------------------------------------------------------------


def _stem(file: str) -> str:
    return str(PurePosixPath(file).with_suffix(""))


def _documents(incoming: Incoming, file: str, layout: _Layout) -> Iterator[tuple[Place, int | None, Any] | Refused]:
    """What holds one document each, with its place and its number in the file."""
    if file.lower().endswith(LINES):
        for number, raw in incoming.lines(file):
            if raw.strip():
                found = value_of(incoming, file, number, raw)
                yield found if isinstance(found, Refused) else (found[0], number, found[1])
        return
    try:
        value = parsed(incoming.text(file))
    except ValueError as fault:
        yield Refused(incoming.place(file), "document", str(fault))
        return
    if not layout.documents:
        yield incoming.place(file), None, value
        return
    number = 0
    for number, (where, one) in enumerate(reached(value, layout.documents), start=1):
        yield incoming.place(file, 0, pointer(where)), number, one
    if not number:
        yield Refused(incoming.place(file), "document", f"holds nothing at {incoming.options['documents']}")


def _document(incoming: Incoming, layout: _Layout, value: Any, place: Place, name: str) -> Document | Refused:
    texts = [one for _, one in reached(value, layout.text)]
    if len(texts) != 1 or not isinstance(texts[0], str):
        return Refused(place, "document", _why_no_text(value, incoming.options["text"], texts), name)
    try:
        names = [word(one, "name") for _, one in reached(value, layout.name)] if layout.name else [name]
    except ValueError as fault:
        return Refused(place, "document", str(fault), name)
    if len(names) != 1:
        return Refused(place, "document", f"has no name at {incoming.options['name']}", name)
    made = Document(names[0], texts[0], place=place)
    offsets = incoming.offsets(made.text)
    for key, path in layout.metadata.items():
        found = [one for _, one in reached(value, path)]
        if found:
            made.metadata[key] = found if EACH in path or "*" in path else found[0]
    for key, one in _rest(value, layout.is_used):
        made.metadata.setdefault(key, one)
    _add_sentences(made, value, layout, offsets)
    for table in layout.tables:
        _add_nodes(made, value, table, offsets)
    return made


def _why_no_text(value: Any, path: str, texts: list[Any]) -> str:
    if isinstance(value, list):
        return 'is a list; if its elements are documents, say documents = "[*]"'
    if not texts:
        return f"has no text at {path}"
    return f"has {len(texts)} texts at {path}" if len(texts) > 1 else f"the text at {path} is {brief(texts[0])}"


def _add_sentences(made: Document, value: Any, layout: _Layout, offsets: Offsets) -> None:
    if layout.sentences is None:
        return
    for where, one in reached(value, layout.sentences.at):
        try:
            made.segments.append(_stretch(one, layout.sentences, offsets))
        except ValueError as fault:
            made.refused.append(Refused(_inside(made.place, where), "sentence", str(fault)))


def _add_nodes(made: Document, value: Any, table: _Reading, offsets: Offsets) -> None:
    ids = {(node.annotator, node.id) for node in made.nodes}
    for number, (where, item) in enumerate(reached(value, table.at), start=1):
        place = _inside(made.place, where)
        kind, id = table.table.type, ""
        try:
            kind = _one(item, table.type_at, "type") or kind
            id = _one(item, table.id, "id") or f"{table.table.type or table.table.at.partition('[')[0]}:{number}"
            node = Node(id, kind, annotator=_one(item, table.annotator, "annotator"), place=place)
            if (node.annotator, id) in ids:
                raise ValueError("another annotation has the same id")
            _fill(node, item, table, made.text, offsets)
        except ValueError as fault:
            made.refused.append(Refused(place, kind, str(fault), id))
            continue
        ids.add((node.annotator, id))
        made.nodes.append(node)


def _fill(node: Node, item: Any, table: _Reading, text: str, offsets: Offsets) -> None:
    for part, anchor in table.anchors.items():
        spans = tuple(_stretch(one, anchor, offsets) for _, one in reached(item, anchor.at))
        words = _words(item, anchor, text, spans)
        if part:
            node.parts[part] = tuple(sorted(spans))
        else:
            node.spans = tuple(sorted(spans))
        if words is not None and (words or spans):
            node.words[part] = words
    for name, path in table.features.items():
        found = [one for _, one in reached(item, path)]
        if found:
            node.features[name] = found if EACH in path or "*" in path else found[0]
    for name, one in _rest(item, table.is_used):
        node.features.setdefault(name, one)
    for name, path in table.roles.items():
        ends = [end for _, one in reached(item, path) for end in (one if isinstance(one, list) else [one]) if end is not None]
        if ends:
            node.roles[name] = [word(end, name) for end in ends]


def _stretch(item: Any, anchor: _Anchoring, offsets: Offsets) -> Stretch:
    start, end = ([one for _, one in reached(item, path)] for path in (anchor.start, anchor.end))
    if len(start) != 1 or len(end) != 1:
        raise ValueError("a span lacks its start or its end")
    return stretch(offsets, start[0], end[0])


def _words(item: Any, anchor: _Anchoring, text: str, spans: tuple[Stretch, ...]) -> str | None:
    """The words that the source has for some spans; where it lists the spans in another order, in the order of the text."""
    if anchor.words is None:
        return None
    found = [one for _, one in reached(item, anchor.words) if one is not None]
    if not found:
        return None
    words = " ".join(word(one, "text") for one in found)
    in_order = tuple(sorted(spans))
    return joined(text, in_order) if in_order != spans and words == joined(text, spans) else words


def _one(item: Any, path: Steps | None, what: str) -> str:
    if path is None:
        return ""
    found = [one for _, one in reached(item, path) if one is not None]
    if len(found) > 1:
        raise ValueError(f"has {len(found)} values where its {what} should be")
    if not found and what == "type":
        raise ValueError("has no type")
    return word(found[0], what) if found else ""


def _inside(place: Place, where: Steps) -> Place:
    return place.at((place.pointer or "$") + pointer(where)[1:])
