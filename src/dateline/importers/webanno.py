"""WebAnno TSV 3.0 to 3.3 (INCEpTION User Guide, appendix "WebAnno TSV 3.3 File format"), as WebAnno and INCEpTION export it.

The text is put together from the `#Text=` lines and the offsets of first tokens, as INCEpTION does it: between two sentences
stands nothing, or a line end and blanks. Tokens are nodes, spans are nodes, slots are roles `feature:role` of their host,
relations are nodes with the roles Governor and Dependent, and each chain is a node whose links follow each other by `next`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from dateline import inception
from dateline.document import Document, Node, Refused
from dateline.errors import InputError, Place
from dateline.incoming import Incoming
from dateline.webanno import (
    ANNOTATION,
    DEPENDENCY,
    DEPENDENT,
    GOVERNOR,
    NO_ANNOTATION,
    NO_VALUE,
    REFERENCE_RELATION,
    REFERENCE_TYPE,
    SENTENCE,
    TOKEN,
    split,
    unescape_text,
    unescape_value,
)

NAME = "webanno"
TITLE = "WebAnno TSV 3"
SUFFIXES = (".tsv",)
OPTIONS = inception.OPTIONS

_FORMAT = re.compile(r"#FORMAT=WebAnno TSV (\d+)\.(\d+)\s*")
_LAYER = re.compile(r"#T_(SP|CH|RL)=(.*)")
_ROLE = re.compile(r"ROLE_(?:[^|:]*:)?(.+?)_(?:[^_]*\..*|[^_.]+)")
_UNIT = re.compile(r"(\d+-\d+)(?:\.\d+)?")
_OFFSETS = re.compile(r"(\d{1,12})-(\d{1,12})")
_NUMBERED = re.compile(r"((?:\\.|[^\\\[\]])*)\[(\d+)\]", re.DOTALL)
_LINKED = re.compile(r"((?:\\->|\\.|(?!->).)*)->(\d+)-(\d+)", re.DOTALL)
_SOURCE = re.compile(r"(\d+-\d+(?:\.\d+)?)(?:\[(\d+)_(\d+)\])?")
_TARGET = re.compile(r"(\d+-\d+(?:\.\d+)?)(?:\[(\d+)\])?")
_WIDEST_GAP = 1_000_000


def looks_like(incoming: Incoming) -> float:
    """Sure where files begin as the format demands."""
    names, _ = inception.files_of(incoming, *SUFFIXES)
    return sum(b"#FORMAT=WebAnno TSV" in incoming.raw(n)[:64] for n in names[:3]) / (len(names[:3]) or 1)


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    """The documents of all files."""
    return inception.read_files(incoming, SUFFIXES, partial(_read_one, incoming))


def _read_one(incoming: Incoming, file: str, name: str) -> Iterator[Document | Refused]:
    yield _File(incoming, file, name).document


class _Odd(ValueError):
    """Why something in a file cannot be read."""


@dataclass(slots=True)
class _Column:
    kind: str  # value, role, target, base, link, element, or none
    name: str


@dataclass(slots=True)
class _Layer:
    number: int
    kind: str
    type: str
    columns: list[_Column]
    first: int
    base: str = ""


_TOKENS = _Layer(0, "SP", TOKEN, [], 0)  # which no file declares


@dataclass(slots=True)
class _Unit:
    """A row: a token or a part of one."""

    id: str
    token: int  # the how manieth token of the file
    begin: int
    end: int
    words: str
    line: int
    cells: list[str]
    fault: str = ""


@dataclass(slots=True)
class _Sentence:
    line: int
    lines: list[str] = field(default_factory=list)
    id: str = ""
    rows: list[tuple[int, list[str]]] = field(default_factory=list)


@dataclass(slots=True)
class _Found:
    """An annotation with the rows it stands on, and what it refers to, until all of these are known."""

    node: Node
    layer: _Layer
    units: list[_Unit]
    wanted: list[tuple[str, str, str, int]] = field(default_factory=list)  # role, type, unit, number


class _File:
    """One file, read into a document."""

    def __init__(self, incoming: Incoming, file: str, name: str) -> None:
        self.incoming, self.file = incoming, file
        self.document = Document(name, "", place=incoming.place(file))
        lines = [line.removesuffix("\r") for line in incoming.text(file).split("\n")]
        self.minor = self._version(lines[0])
        self.layers, after = self._header(lines)
        self.width = sum(len(layer.columns) for layer in self.layers)
        self.bare = [NO_ANNOTATION] * self.width
        sentences = self._sentences(lines, after)
        self._build_text(sentences)
        self.found: dict[tuple[str, ...], _Found] = {}
        self.on_unit: dict[str, list[_Found]] = {}
        self.lost_numbers: set[str] = set()
        for unit in self._units(sentences):
            self._read_unit(unit)
        self._finish()

    def _place(self, line: int) -> Place:
        return Place(self.document.place.file, line)

    def _fail(self, line: int, fault: str) -> InputError:
        return InputError(f"{self._place(line)}: {fault}")

    def _refuse(self, line: int, what: str, reason: str, node_id: str = "") -> None:
        self.document.refused.append(Refused(self._place(line), what, reason, node_id))

    # ---- header

    def _version(self, line: str) -> int:
        match = _FORMAT.fullmatch(line)
        if match and match[1] == "3" and int(match[2]) <= 3:
            return int(match[2])
        if match:
            raise self._fail(1, f"is WebAnno TSV {match[1]}.{match[2]}; 3.0 to 3.3 are known")
        if line.startswith((" # ", "# ")):
            raise self._fail(1, "is WebAnno TSV 2; read it as webanno-tsv2")
        if line.startswith("#id="):
            raise self._fail(1, "is WebAnno TSV 1, which does not name its layers; export it from INCEpTION as WebAnno TSV 3.3")
        raise self._fail(1, "is no WebAnno TSV: its first line is not #FORMAT=WebAnno TSV 3.3")

    def _header(self, lines: list[str]) -> tuple[list[_Layer], int]:
        """The layers that are declared, and the number of lines before the sentences."""
        layers: list[_Layer] = []
        first = 0
        for number, line in enumerate(lines[1:], 2):
            if not line.strip():
                return layers, number
            match = _LAYER.fullmatch(line)
            if not match:
                raise self._fail(number, "is no declaration of a layer: #T_SP=, #T_CH= or #T_RL=")
            type_name, *names = [name for name in match[2].split("|") if name] or [""]
            if not type_name:
                raise self._fail(number, "declares a layer without a name")
            layer = _Layer(len(layers) + 1, match[1], type_name, [], first)
            for name in names:
                self._declare(layer, name, number)
            layer.columns = layer.columns or [_Column("none", "")]
            if match[1] == "RL" and not layer.base:
                raise self._fail(number, "declares a relation without its base type, BT_...")
            first += len(layer.columns)
            layers.append(layer)
        return layers, len(lines)

    def _declare(self, layer: _Layer, name: str, line: int) -> None:
        before = layer.columns[-1] if layer.columns else None
        if layer.kind == "SP" and name.startswith("ROLE_"):
            match = _ROLE.fullmatch(name)
            if not match:
                raise self._fail(line, "declares a slot that is not ROLE_<type>:<feature>_<link type>")
            column = _Column("role", match[1])
        elif before is not None and before.kind == "role":
            column = _Column("target", name)
        elif layer.kind == "RL" and name.startswith("BT_"):
            layer.base = TOKEN if layer.type == DEPENDENCY else name.removeprefix("BT_")
            column = _Column("base", "")
        elif layer.kind == "CH":
            kinds = {REFERENCE_TYPE: "element", REFERENCE_RELATION: "link"}
            if name not in kinds:
                raise self._fail(line, f"declares a chain with other features than {REFERENCE_TYPE} and {REFERENCE_RELATION}")
            column = _Column(kinds[name], name)
        else:
            column = _Column("value", name)
        if column.name and any(c.name == column.name and c.kind == column.kind != "target" for c in layer.columns):
            raise self._fail(line, "declares a feature twice")
        layer.columns.append(column)

    # ---- text

    def _sentences(self, lines: list[str], after: int) -> list[_Sentence]:
        sentences: list[_Sentence] = []
        in_head = False
        for number, line in enumerate(lines[after:], after + 1):
            if not line:
                in_head = False
            elif line.startswith("#"):
                if not in_head:
                    sentences.append(_Sentence(number))
                in_head = True
                self._sentence_head(sentences[-1], line, number)
            elif sentences:
                in_head = False
                sentences[-1].rows.append((number, line.split("\t")))
            else:
                raise self._fail(number, "comes before the first #Text= line")
        return sentences

    def _sentence_head(self, sentence: _Sentence, line: str, number: int) -> None:
        key, _, value = line.partition("=")
        try:
            value = unescape_text(value, self.minor)
        except UnicodeError:
            raise self._fail(number, "holds half a surrogate pair") from None
        if key == "#Text":
            sentence.lines.append(value)
        elif key == "#Sentence.id":
            sentence.id = value
        else:
            self._refuse(number, "line", "is neither #Text= nor #Sentence.id=")

    def _build_text(self, sentences: list[_Sentence]) -> None:
        """Put the text together; raises InputError where a sentence cannot stand where its first token says."""
        pieces: list[str] = []
        at = length = 0
        for number, sentence in enumerate(sentences, 1):
            text = "\n".join(sentence.lines)
            if not sentence.rows:
                if text.strip():
                    raise self._fail(sentence.line, "is a sentence without tokens, so that nobody knows where it stands")
                self._refuse(sentence.line, "sentence", "has neither words nor tokens")
                continue
            line, row = sentence.rows[0]
            match = _OFFSETS.fullmatch(row[1]) if len(row) > 1 else None
            if not match:
                raise self._fail(line, "is no token with its offsets, so that nobody knows where the sentence stands")
            gap = int(match[1]) - at
            if not 0 <= gap <= _WIDEST_GAP:
                raise self._fail(line, f"begins at {match[1]}, but the sentences before end at {at}{self._hint()}")
            between = "\n".ljust(gap) if gap and pieces else " " * gap
            pieces += [between, text]
            start = length + len(between)
            length = start + len(text)
            at += gap + self._size(text)
            self.document.segments.append((start, length))
            if sentence.id:
                place = self._place(sentence.line)
                self.document.nodes.append(
                    Node(f"s{number}", SENTENCE, ((start, length),), features={"id": sentence.id}, place=place)
                )
        self.document.text = "".join(pieces)

    def _size(self, text: str) -> int:
        return self.incoming.offsets(text).back(len(text))

    def _hint(self) -> str:
        return '; if the file counts code points, say so: offsets = "code-points"' if self._counts_utf_16() else ""

    def _counts_utf_16(self) -> bool:
        return bool(self.incoming.options["offsets"] == "utf-16")

    # ---- rows

    def _units(self, sentences: list[_Sentence]) -> list[_Unit]:
        offsets = self.incoming.offsets(self.document.text)
        units: dict[str, _Unit] = {}
        tokens: dict[str, int] = {}
        for line, row in (row for sentence in sentences for row in sentence.rows):
            try:
                unit = self._unit(line, row)
                match = _UNIT.fullmatch(unit.id)
                token = match[1] if match else ""
                if unit.id in units:
                    raise _Odd(f"is a second row {unit.id}")
                if token == unit.id:
                    tokens[token] = len(tokens)
                elif token not in tokens:
                    raise _Odd(f"is a part of {token or 'nothing'}, which does not stand before")
            except _Odd as fault:
                self._lose(line, row, str(fault))
                continue
            unit.token = tokens[token]
            units[unit.id] = unit
            try:
                unit.begin, unit.end = offsets(unit.begin), offsets(unit.end)
            except ValueError as fault:
                unit.fault = f"{fault}{self._hint()}"
            else:
                words = self.document.text[unit.begin : unit.end]
                if unit.words not in (words, "") and unescape_text(unit.words) != words:
                    unit.fault = f"its words are not those of the text there{self._hint()}"
        return list(units.values())

    def _unit(self, line: int, row: list[str]) -> _Unit:
        match = _OFFSETS.fullmatch(row[1]) if len(row) > 2 else None
        if match is None:
            raise _Odd("is no row of id, offsets and words")
        cells, rest = row[3 : 3 + self.width], row[3 + self.width :]
        if len(cells) < self.width or any(rest):
            raise _Odd(f"has {len(row) - 3} columns of annotation, but {self.width} are declared")
        begin, end = int(match[1]), int(match[2])
        if begin > end:
            raise _Odd(f"begins at {match[1]} and ends before, at {match[2]}")
        return _Unit(row[0], 0, begin, end, row[2], line, cells)

    def _lose(self, line: int, row: list[str], reason: str) -> None:
        """Refuse a row, and remember the annotations of several rows that it is a part of."""
        self._refuse(line, "row", reason, row[0])
        for cell in row[3:]:
            self.lost_numbers.update(re.findall(r"\[(\d+)\]", cell))
            self.lost_numbers.update(f"c{chain}-{link}" for chain, link in re.findall(r"->(\d+)-(\d+)", cell))

    def _read_unit(self, unit: _Unit) -> None:
        if "." not in unit.id:
            span = ((unit.begin, unit.end),)
            node = Node(unit.id, TOKEN, span, words=self._words(unit), place=self._place(unit.line))
            self._add(("token", unit.id), _Found(node, _TOKENS, [unit]), unit)
        if unit.cells == self.bare:  # most rows of most files
            return
        for layer in self.layers:
            cells = unit.cells[layer.first : layer.first + len(layer.columns)]
            if any(cell != NO_ANNOTATION for cell in cells):
                try:
                    self._read_layer(unit, layer, cells)
                except _Odd as fault:
                    self._lose_cells(unit, layer, cells, str(fault))

    def _words(self, unit: _Unit) -> dict[str, str]:
        """The words of a row, which were compared with the text; none where the row leaves them out."""
        return {"": self.document.text[unit.begin : unit.end]} if unit.words and not unit.fault else {}

    def _lose_cells(self, unit: _Unit, layer: _Layer, cells: list[str], reason: str) -> None:
        self._refuse(unit.line, layer.type, reason, f"{unit.id}/{layer.number}")
        for cell in cells:
            self.lost_numbers.update(re.findall(r"\[(\d+)\]", cell))
            self.lost_numbers.update(f"c{chain}-{link}" for chain, link in re.findall(r"->(\d+)-(\d+)", cell))

    def _read_layer(self, unit: _Unit, layer: _Layer, cells: list[str]) -> None:
        """Read the annotations of a layer on a row: one above the other, and each with a value in every column."""
        stacks = [split(cell, "|") for cell in cells]
        high = max(len(stack) for stack in stacks)
        for number, stack in enumerate(stacks):
            if stack == [NO_ANNOTATION]:
                stacks[number] = [NO_ANNOTATION] * high
            elif len(stack) != high:
                raise _Odd(f"has {high} annotations in one column of the layer, and {len(stack)} in another")
        for level in range(high):
            values = [stack[level] for stack in stacks]
            if layer.kind == "SP":
                self._span(unit, layer, values, level)
            elif layer.kind == "CH":
                self._chain_link(unit, layer, values)
            else:
                self._relation(unit, layer, values, level)

    def _add(self, key: tuple[str, ...], found: _Found, unit: _Unit) -> None:
        self.found[key] = found
        self.on_unit.setdefault(unit.id, []).append(found)

    def _numbered(self, layer: _Layer, values: list[str]) -> tuple[list[str], str]:
        """Values without the number that marks an annotation, and that number."""
        numbers: set[str] = set()
        bare = []
        for value, column in zip(values, layer.columns, strict=True):
            match = _NUMBERED.fullmatch(value) if column.kind in ("value", "role", "none") else None
            bare.append(match[1] if match else value)
            numbers.update([match[2]] if match else [])
        if len(numbers) > 1:
            raise _Odd("has several numbers in brackets for one annotation")
        return bare, str(int(numbers.pop())) if numbers else ""

    def _value(self, node: Node, column: _Column, written: str) -> None:
        node.features[column.name] = None if written in (NO_VALUE, NO_ANNOTATION) else unescape_value(written)

    def _node_id(self, unit: _Unit, layer: _Layer, level: int) -> str:
        return f"{unit.id}/{layer.number}.{level + 1}" if level else f"{unit.id}/{layer.number}"

    def _span(self, unit: _Unit, layer: _Layer, values: list[str], level: int) -> None:
        values, number = self._numbered(layer, values)
        if number and (known := self.found.get(("number", number))):
            if known.layer is not layer:
                raise _Odd(f"has the number [{number}] of an annotation of {known.layer.type}")
            self._more(known, unit)
            fresh = Node(known.node.id, layer.type)
            self._fill(_Found(fresh, layer, []), values)
            if fresh.features != known.node.features:
                raise _Odd(f"says other values of [{number}] than the row before")
            return
        node_id = number or self._node_id(unit, layer, level)
        node = Node(node_id, layer.type, place=self._place(unit.line), words=self._words(unit))
        found = _Found(node, layer, [unit])
        self._fill(found, values)
        self._add(("number", number) if number else ("place", node_id), found, unit)

    def _more(self, known: _Found, unit: _Unit) -> None:
        if known.units[-1] is not unit:
            known.units.append(unit)
            known.node.words = {}

    def _fill(self, found: _Found, values: list[str]) -> None:
        """Set features and slots to what the columns say."""
        labels: list[str] = []
        name = ""
        for value, column in zip(values, found.layer.columns, strict=True):
            if column.kind == "value":
                self._value(found.node, column, value)
            elif column.kind == "role":
                name = column.name
                labels = [] if value == NO_ANNOTATION else split(value, ";")
            elif column.kind == "target":
                self._slots(found, name, column.name, labels, value)

    def _slots(self, found: _Found, feature: str, target_type: str, labels: list[str], written: str) -> None:
        targets = [] if not labels and written in (NO_VALUE, NO_ANNOTATION) else split(written, ";")
        if len(targets) != len(labels):
            raise _Odd(f"has {len(labels)} roles of {feature}, but {len(targets)} targets")
        for label, target in zip(labels, targets, strict=True):
            role = feature if label == NO_VALUE else f"{feature}:{unescape_value(label)}"
            found.node.roles.setdefault(role, [])
            if target in (NO_VALUE, NO_ANNOTATION):
                continue
            match = _TARGET.fullmatch(target)
            if not match:
                raise _Odd(f"has a target of {feature} that is no row")
            found.wanted.append((role, target_type, match[1], int(match[2] or 0)))

    def _relation(self, unit: _Unit, layer: _Layer, values: list[str], level: int) -> None:
        values, _ = self._numbered(layer, values)
        node_id = self._node_id(unit, layer, level)
        node = Node(node_id, layer.type, place=self._place(unit.line))
        found = _Found(node, layer, [unit])
        for value, column in zip(values, layer.columns, strict=True):
            if column.kind == "value":
                self._value(node, column, value)
                continue
            match = _SOURCE.fullmatch(value)
            if not match:
                raise _Odd("has no row that it comes from")
            found.wanted.append((GOVERNOR, layer.base, match[1], int(match[2] or 0)))
            found.wanted.append((DEPENDENT, layer.base, unit.id, int(match[3] or 0)))
        self._add(("place", node_id), found, unit)

    def _chain_link(self, unit: _Unit, layer: _Layer, values: list[str]) -> None:
        features: dict[str, str | None] = {}
        link = chain = ""
        for value, column in zip(values, layer.columns, strict=True):
            match = (_LINKED if column.kind == "link" else _NUMBERED).fullmatch(value)
            if not match:
                raise _Odd(f"has a {column.name} without the number of its chain")
            features[column.name] = None if match[1] == NO_VALUE else unescape_value(match[1])
            if chain not in ("", str(int(match[2]))):
                raise _Odd("has the numbers of two chains")
            chain = str(int(match[2]))
            link = str(int(match[3])) if column.kind == "link" else link
        if not link:
            raise _Odd("has no number in its chain")
        known = self.found.get(("link", chain, link))
        if known is None:
            words, place = self._words(unit), self._place(unit.line)
            node = Node(f"c{chain}-{link}", layer.type, features=dict(features), place=place, words=words)
            self._add(("link", chain, link), _Found(node, layer, [unit]), unit)
        elif known.layer is not layer or known.node.features != features:
            raise _Odd(f"says other values of link {chain}-{link} than the row before")
        else:
            self._more(known, unit)

    # ---- all rows are read

    def _finish(self) -> None:
        for found in self.found.values():
            try:
                self._anchor(found)
                self._resolve(found)
            except _Odd as fault:
                self._refuse(found.node.place.line, found.node.type, str(fault), found.node.id)
            else:
                self.document.nodes.append(found.node)
        self._chains()

    def _anchor(self, found: _Found) -> None:
        """Set the span from the first row to the last."""
        node = found.node
        for unit in found.units:
            if unit.fault:
                what = "" if node.type == TOKEN and node.id == unit.id else f"stands on {unit.id}, and "
                raise _Odd(f"{what}{unit.fault}")
        if node.id in self.lost_numbers:
            raise _Odd("stands on a row that cannot be read, too")
        if found.layer.kind == "RL":
            return
        if len(found.units) == 1:
            node.spans = ((found.units[0].begin, found.units[0].end),)
            return
        tokens = sorted({unit.token for unit in found.units})
        if tokens[-1] - tokens[0] >= len(tokens):
            raise _Odd("stands on rows that do not follow each other")
        node.spans = ((min(u.begin for u in found.units), max(u.end for u in found.units)),)

    def _resolve(self, found: _Found) -> None:
        for role, type_name, unit, number in found.wanted:
            if number:
                target = self.found.get(("number", str(number)))
                if target is None and str(number) not in self.lost_numbers:
                    raise _Odd(f"names [{number}] as its {role}, which is not there")
                found.node.roles.setdefault(role, []).append(str(number))
                continue
            there = [f for f in self.on_unit.get(unit, []) if _is_a(f.node.type, type_name)]
            if len(there) != 1:
                raise _Odd(f"names {unit} as its {role}, on which {len(there)} annotations of {type_name} stand")
            found.node.roles.setdefault(role, []).append(there[0].node.id)

    def _chains(self) -> None:
        """Make a node for each chain, and let its links follow each other."""
        chains: dict[tuple[str, str], list[tuple[int, Node]]] = {}
        standing = {id(node) for node in self.document.nodes}
        for key, found in self.found.items():
            if key[0] == "link" and id(found.node) in standing:
                chains.setdefault((found.layer.type, key[1]), []).append((int(key[2]), found.node))
        taken: set[str] = set()
        for (type_name, chain), links in chains.items():
            links.sort(key=lambda link: link[0])
            if chain in taken:
                self._refuse(0, type_name, f"chain {chain} is of two layers", f"c{chain}")
                continue
            taken.add(chain)
            nodes = [node for _, node in links]
            for node, after in pairwise(nodes):
                node.roles["next"] = [after.id]
            for node in nodes:
                node.roles["chain"] = [f"c{chain}"]
            head_type = f"{type_name.removesuffix('Link')}Chain"
            head = Node(f"c{chain}", head_type, roles={"first": [nodes[0].id]}, place=nodes[0].place)
            self.document.nodes.append(head)


def _is_a(node_type: str, wanted: str) -> bool:
    """Whether a node may stand where an annotation of a type is wanted; tokens only by their name."""
    return node_type == wanted or (wanted == ANNOTATION and node_type != TOKEN)
