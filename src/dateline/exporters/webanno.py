"""WebAnno TSV 3.3 (INCEpTION User Guide, appendix "WebAnno TSV 3.3 File format"): a file per document, or per annotator of one.

Rows are the document's own tokens, where it has nodes of type Token that do not overlap, else its words by simple borders; spans
that begin or end inside of a token get rows of their own. Several annotators are written as INCEpTION lays them out: a folder for
the document, a file for each, which the importer reads back with annotators = "files".
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from dateline.document import Document, Node, Stretch
from dateline.offsets import Offsets
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
    escape_text,
    escape_value,
)

NAME = "webanno"
TITLE = "WebAnno TSV 3.3"

_WORD = re.compile(r"\w+|[^\w\s]")
_BETWEEN = re.compile(r"(?:\n {0,999})?")
_TYPE_NAME = re.compile(r"[^|\r\n]+")
_FEATURE_NAME = re.compile(r"(?!ROLE_|BT_)[^|\r\n]+")
_SLOT_NAME = re.compile(r"[^\W_](?:\w*[^\W_])?")

Unit = tuple[int, int, int]
"""A row: the number of its token, and the stretch that it covers."""


def cannot_hold(document: Document) -> Counter[str]:
    """What is left out, or comes back otherwise, by kind."""
    lost: Counter[str] = Counter()
    lost["metadata of the document"] += len(document.metadata)
    if len(_annotators(document)) > 1 and "" in _annotators(document):
        lost["annotations without an annotator beside some with one"] += sum(not n.annotator for n in document.nodes)
    for annotator in _annotators(document):
        lost += _Sheet(document, annotator).lost
    return +lost


def write(documents: Iterable[Document], folder: Path) -> list[str]:
    """Write each document as `<name>.tsv`, or `<name>/<annotator>.tsv`; the names of the files."""
    written: list[str] = []
    taken: set[str] = set()
    for document in documents:
        for annotator in _annotators(document):
            parts = [*document.name.split("/"), *([annotator or "unnamed"] if _annotators(document) != [""] else [])]
            name = _free("/".join(map(_safe, parts)), taken)
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_Sheet(document, annotator).text().encode("utf-8", "replace"))
            written.append(name)
    return written


def _annotators(document: Document) -> list[str]:
    return sorted({node.annotator for node in document.nodes}) or [""]


def _safe(part: str) -> str:
    """A part of a name as a file system takes it, wherever it came from."""
    kept = re.sub(r"[^\w.~ -]", lambda match: "".join(f"%{b:02X}" for b in match[0].encode("utf-8", "replace")), part)
    kept = re.sub(r"^\.+|[. ]+$", lambda match: "".join(f"%{ord(c):02X}" for c in match[0]), kept) or "%"
    digest = hashlib.sha256(part.encode("utf-8", "replace")).hexdigest()
    return kept if len(kept.encode()) <= 120 else f"{kept[:40]}~{digest[:12]}"


def _free(name: str, taken: set[str]) -> str:
    """The name, or with a number if an earlier document has it, in whatever case."""
    free, number = f"{name}.tsv", 1
    while free.casefold() in taken:
        number += 1
        free = f"{name}~{number}.tsv"
    taken.add(free.casefold())
    return free


@dataclass(slots=True)
class _Layer:
    """The annotations of a type that one line of the header declares: spans, links of chains, or relations."""

    kind: str
    type: str
    nodes: list[Node] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    slots: dict[str, str] = field(default_factory=dict)  # feature -> type of its targets
    base: str = ""


@dataclass(slots=True)
class _Sentence:
    start: int
    end: int
    first: int  # number of its first token
    last: int
    id: str = ""


class _Sheet:
    """What one annotator made of a document, laid out in rows and columns; `lost` counts what finds no place there."""

    def __init__(self, document: Document, annotator: str) -> None:
        self.document = document
        self.lost: Counter[str] = Counter()
        nodes = [node for node in document.nodes if node.annotator == annotator]
        self.by_id = {node.id: node for node in nodes}
        self.tokens = self._tokens([node for node in nodes if node.type == TOKEN])
        self.token_starts = [start for start, _ in self.tokens]
        self.sentences = self._sentences()
        self.units: dict[str, list[Unit]] = {}  # by node
        self.layers: dict[tuple[str, str], _Layer] = {}
        self.numbers: dict[str, int] = {}
        self.links: dict[str, tuple[int, int]] = {}  # by node: its chain, its number there
        self.parts: dict[int, list[Unit]] = defaultdict(list)
        self._token_nodes([node for node in nodes if node.type == TOKEN])
        rest = self._sentence_ids([node for node in nodes if node.type != TOKEN])
        rest = self._chains(rest)
        relations = [node for node in rest if self._is_relation(node)]
        relation_ids = {node.id for node in relations}
        spans = [node for node in rest if node.id not in relation_ids and self._place(node)]
        for node in spans:
            self._layer("SP", node).nodes.append(node)
        for node in relations:
            self._relate(node)
        for layer in self.layers.values():
            self._columns(layer)
        self._number()

    # ---- tokens and sentences

    def _tokens(self, nodes: list[Node]) -> list[Stretch]:
        """The document's own tokens in order, or its words by simple borders; what stands before them becomes one, if need be."""
        text = self.document.text
        tokens = sorted(node.spans[0] for node in nodes if len(node.spans) == 1)
        overlap = any(after[0] < before[1] for before, after in pairwise(tokens))
        if overlap or len(tokens) < len(nodes) or any(start == end for start, end in tokens):
            self.lost["tokens that overlap or are empty"] += len(nodes)
            tokens = []
        tokens = tokens or [match.span() for match in _WORD.finditer(text)]
        start = tokens[0][0] if tokens else len(text)
        if text and (not tokens or text[:start].strip(" ") or start > 999):
            tokens = [(0, start), *tokens]
        return tokens

    def _sentences(self) -> list[_Sentence]:
        """Sentences that together hold the whole text, as near to the document's own as the format allows."""
        text, segments = self.document.text, sorted(self.document.segments)
        starts = [start for start, _ in segments]
        made: list[_Sentence] = []
        before: object = None
        for number, (start, end) in enumerate(self.tokens):
            home = bisect_left(starts, end) - 1
            inside = home >= 0 and segments[home][0] <= start and end <= segments[home][1]
            if not made or (home if inside else None) != before:
                made.append(_Sentence(start, segments[home][1] if inside else end, number, number))
            before = home if inside else None
            made[-1].last = number
            made[-1].end = max(made[-1].end, end)
        for sentence, after in pairwise(made):
            if sentence.end > after.start or not _BETWEEN.fullmatch(text, sentence.end, after.start):
                sentence.end = after.start
        if made:
            made[-1].end = len(text)
        if segments:
            self.lost["sentences, which begin or end elsewhere"] += len({*segments} - {(s.start, s.end) for s in made})
        return made

    def _token_nodes(self, nodes: list[Node]) -> None:
        numbers = {token: number for number, token in enumerate(self.tokens)}
        for node in nodes:
            if len(node.spans) == 1 and node.spans[0] in numbers:
                number = numbers[node.spans[0]]
                self.units[node.id] = [(number, *self.tokens[number])]
            self.lost["features and roles of tokens"] += sum(v is not None for v in node.features.values()) + len(node.roles)

    def _sentence_ids(self, nodes: list[Node]) -> list[Node]:
        """Take out the nodes that say what a sentence is called."""
        by_span = {(s.start, s.end): s for s in self.sentences}
        rest = []
        for node in nodes:
            if node.type != SENTENCE:
                rest.append(node)
                continue
            sentence = by_span.get(node.spans[0]) if len(node.spans) == 1 else None
            name = node.features.get("id")
            if sentence and not sentence.id and [*node.features] == ["id"] and isinstance(name, str) and name and not node.roles:
                sentence.id = name
            else:
                self.lost["sentences with features or roles"] += 1
        return rest

    # ---- what goes where

    def _layer(self, kind: str, node: Node) -> _Layer:
        return self.layers.setdefault((kind, node.type), _Layer(kind, node.type))

    def _place(self, node: Node) -> bool:
        """Find the rows of a span; False, and counted, if the format has none for it."""
        fault = ""
        self.lost["further anchors of annotations"] += len(node.parts)
        if not node.spans:
            fault = "annotations that stand nowhere in the text"
        elif len(node.spans) > 1:
            fault = "annotations of several stretches"
        elif not _TYPE_NAME.fullmatch(node.type):
            fault = "annotations of types whose name cannot be written"
        elif units := self._rows(*node.spans[0]):
            self.units[node.id] = units
        else:
            fault = "annotations that begin or end between tokens"
        self.lost[fault] += bool(fault)
        return not fault

    def _can_place(self, node: Node) -> bool:
        return len(node.spans) == 1 and bool(self._rows(*node.spans[0])) and bool(_TYPE_NAME.fullmatch(node.type))

    def _rows(self, start: int, end: int) -> list[Unit]:
        first = max(bisect_left(self.token_starts, start + 1) - 1, 0)
        if start == end:
            near = max(first - 1, 0)
            touching = [n for n, token in enumerate(self.tokens[near : first + 1], near) if token[0] <= start <= token[1]]
            return [(n, start, end) for n in touching[:1]]
        last = bisect_left(self.token_starts, end) - 1
        if last < first or start < self.tokens[first][0] or start >= self.tokens[first][1] or end > self.tokens[last][1]:
            return []
        covered = self.tokens[first : last + 1]
        return [(first + n, max(start, token[0]), min(end, token[1])) for n, token in enumerate(covered)]

    def _chains(self, nodes: list[Node]) -> list[Node]:
        """Take out the nodes of chains: a head that names its first link, links that name their next."""
        taken: set[str] = set()
        number = 0
        for head in nodes:
            links = self._links_of(head)
            if not links or any(link.id in taken or not self._can_place(link) for link in links):
                continue
            for link in links:
                self._place(link)
            number += 1
            taken |= {head.id, *(link.id for link in links)}
            for place, link in enumerate(links, 1):
                self.links[link.id] = (number, place)
                self._layer("CH", link).nodes.append(link)
        return [node for node in nodes if node.id not in taken]

    def _links_of(self, head: Node) -> list[Node]:
        """The links of a chain in their order; none if it is no chain, or one that the format cannot write."""
        if head.spans or head.features or [*head.roles] != ["first"] or not head.type.endswith("Chain"):
            return []
        links: dict[str, Node] = {}
        targets = head.roles["first"]
        while targets:
            link = self.by_id.get(targets[0])
            if link is None or link.id in links or len(targets) > 1 or link.type != f"{head.type.removesuffix('Chain')}Link":
                return []
            if link.features.keys() - {REFERENCE_TYPE, REFERENCE_RELATION} or link.roles.keys() - {"next", "chain"}:
                return []
            if link.roles.get("chain", [head.id]) != [head.id]:
                return []
            links[link.id] = link
            targets = link.roles.get("next", [])
        return list(links.values())

    def _is_relation(self, node: Node) -> bool:
        ends = [*node.roles.values()]
        two = len(ends) == 2 and all(len(targets) == 1 for targets in ends)
        return two and (not node.spans or {*node.roles} == {GOVERNOR, DEPENDENT})

    def _relate(self, node: Node) -> None:
        """Put a relation into its layer, if both of its ends stand in rows."""
        if not all(self._is_target(targets[0]) for targets in node.roles.values()) or not _TYPE_NAME.fullmatch(node.type):
            self.lost["relations with ends that are left out"] += 1
            return
        if {*node.roles} != {GOVERNOR, DEPENDENT}:
            self.lost["role names of relations, which become Governor and Dependent"] += 1
        self.lost["places of relations, which have them from their ends"] += bool(node.spans)
        self.lost["further anchors of annotations"] += len(node.parts)
        self._layer("RL", node).nodes.append(node)

    def _is_target(self, node_id: str) -> bool:
        return node_id in self.units and node_id not in self.links

    def _ends(self, node: Node) -> tuple[Node, Node]:
        """Where a relation comes from, and where it leads."""
        roles = node.roles
        names = (GOVERNOR, DEPENDENT) if {*roles} == {GOVERNOR, DEPENDENT} else tuple(roles)
        return self.by_id[roles[names[0]][0]], self.by_id[roles[names[1]][0]]

    # ---- columns

    def _columns(self, layer: _Layer) -> None:
        """Decide on the columns of a layer, and what each may point to."""
        if layer.kind == "CH":
            layer.features = [REFERENCE_TYPE, REFERENCE_RELATION]
        for node in layer.nodes:
            for name, value in node.features.items():
                self._count_value(value)
                if not _FEATURE_NAME.fullmatch(name):
                    self.lost["features whose name cannot be written"] += 1
                elif name not in layer.features:
                    layer.features.append(name)
        if layer.kind == "RL":
            layer.base = self._target_type([end for node in layer.nodes for end in self._ends(node)])
            if layer.base == "":
                self.lost["relations of tokens and other annotations"] += len(layer.nodes)
                layer.nodes = []
        elif layer.kind == "SP":
            self._slot_columns(layer)

    def _slot_columns(self, layer: _Layer) -> None:
        targets: dict[str, list[Node]] = defaultdict(list)
        for node in layer.nodes:
            for role, ids in node.roles.items():
                feature = role.partition(":")[0]
                if not _SLOT_NAME.fullmatch(feature):
                    self.lost["roles whose name cannot be written"] += 1
                    continue
                self.lost["roles that lead to what is left out"] += sum(not self._is_target(i) for i in ids)
                targets[feature] += [self.by_id[i] for i in ids if self._is_target(i)]
        for feature, nodes in targets.items():
            target_type = self._target_type(nodes)
            if target_type == "":
                self.lost["roles that lead to tokens and other annotations"] += len(nodes)
            else:
                layer.slots[feature] = target_type

    def _target_type(self, targets: list[Node]) -> str:
        """The type of all targets, or any annotation; none if tokens, which have no number, are mixed with others."""
        types = {node.type for node in targets}
        if len(types) == 1:
            return types.pop()
        return "" if TOKEN in types else ANNOTATION

    def _count_value(self, value: Any) -> None:
        if isinstance(value, bool | int | float):
            self.lost["numbers and truth values, which come back as words"] += 1
        elif isinstance(value, str):
            self.lost["carriage returns in values, which become blanks"] += "\r" in value
        elif value is not None:
            self.lost["lists and tables in features"] += 1

    def _number(self) -> None:
        """Number the spans that several rows, other spans or references leave unclear."""
        others = {layer.type for layer in self.layers.values() if layer.kind != "SP"}
        any_type: set[str] = {
            target
            for layer in self.layers.values()
            for node in layer.nodes
            for role, ids in node.roles.items()
            for target in ids
            if ANNOTATION in (layer.base, layer.slots.get(role.partition(":")[0])) or layer.type == DEPENDENCY
        }
        spans = [node for layer in self.layers.values() if layer.kind == "SP" for node in layer.nodes]
        stacked = Counter((node.type, unit) for node in spans for unit in self.units[node.id])
        free = 1
        own = {int(node.id) for node in spans if re.fullmatch(r"[1-9]\d{0,8}", node.id)}
        for node in spans:
            units = self.units[node.id]
            if re.fullmatch(r"[1-9]\d{0,8}", node.id):
                self.numbers[node.id] = int(node.id)
            elif (
                len(units) > 1
                or any(stacked[node.type, unit] > 1 for unit in units)
                or node.type in others
                or node.id in any_type
            ):
                while free in own:
                    free += 1
                self.numbers[node.id] = free
                free += 1

    # ---- as text

    def text(self) -> str:
        """The file."""
        offsets = Offsets(self.document.text, "utf-16")
        layers = [layer for kind in ("SP", "CH", "RL") for layer in self.layers.values() if layer.kind == kind and layer.nodes]
        lines = ["#FORMAT=WebAnno TSV 3.3", *map(self._declared, layers), ""]
        cells = {id(layer): self._on_units(layer) for layer in layers}
        unit_ids = self._unit_ids()
        by_token: dict[int, list[Unit]] = defaultdict(list)
        for unit in unit_ids:
            by_token[unit[0]].append(unit)
        for sentence in self.sentences:
            lines.append("")
            if sentence.id:
                lines.append(f"#Sentence.id={escape_text(sentence.id)}")
            covered = self.document.text[sentence.start : sentence.end]
            lines += [f"#Text={escape_text(line)}" for line in covered.split("\n")]
            for number in range(sentence.first, sentence.last + 1):
                for unit in by_token[number]:
                    row = [unit_ids[unit], f"{offsets.back(unit[1])}-{offsets.back(unit[2])}"]
                    row.append(escape_text(self.document.text[unit[1] : unit[2]]))
                    for layer in layers:
                        row += self._cells(layer, cells[id(layer)].get(unit, []), unit_ids)
                    lines.append("\t".join([*row, ""]))
        return "\n".join([*lines, ""])

    def _unit_ids(self) -> dict[Unit, str]:
        """The names of all rows, tokens before their parts, in the order of the text."""
        parts: dict[int, set[Unit]] = defaultdict(set)
        for units in self.units.values():
            for unit in units:
                if unit[1:] != self.tokens[unit[0]]:
                    parts[unit[0]].add(unit)
        made: dict[Unit, str] = {}
        for number, sentence in enumerate(self.sentences, 1):
            for place, token in enumerate(range(sentence.first, sentence.last + 1), 1):
                made[(token, *self.tokens[token])] = f"{number}-{place}"
                for nth, unit in enumerate(sorted(parts[token]), 1):
                    made[unit] = f"{number}-{place}.{nth}"
        return made

    def _on_units(self, layer: _Layer) -> dict[Unit, list[Node]]:
        """The annotations of a layer by the rows on which they are written."""
        there: dict[Unit, list[Node]] = defaultdict(list)
        for node in layer.nodes:
            for unit in self.units[self._ends(node)[1].id][:1] if layer.kind == "RL" else self.units[node.id]:
                there[unit].append(node)
        return there

    def _declared(self, layer: _Layer) -> str:
        columns = list(layer.features)
        for feature, target_type in layer.slots.items():
            type_name = re.sub(r"[^\w.]", "_", layer.type)
            link = f"{type_name}{feature[0].upper()}{feature[1:]}Link"
            if "." not in link or "_" in link.partition(".")[0]:
                link = f"webanno.custom.{link}"
            columns += [f"ROLE_{type_name}:{feature}_{link}", target_type]
        if layer.base:
            columns.append(f"BT_{layer.base}")
        return f"#T_{layer.kind}={layer.type}|{'|'.join(columns)}"

    def _cells(self, layer: _Layer, nodes: list[Node], unit_ids: dict[Unit, str]) -> list[str]:
        """What a row says in the columns of a layer."""
        width = len(layer.features) + 2 * len(layer.slots) + bool(layer.base) or 1
        if not nodes:
            return [NO_ANNOTATION] * width
        stacks = [self._values(layer, node, unit_ids) for node in nodes]
        return ["|".join(column) for column in zip(*stacks, strict=True)]

    def _values(self, layer: _Layer, node: Node, unit_ids: dict[Unit, str]) -> list[str]:
        if layer.kind == "CH":
            chain, place = self.links[node.id]
            link_type, relation = (_written(node.features.get(name)) for name in layer.features)
            return [f"{link_type}[{chain}]", f"{relation}->{chain}-{place}"]
        number = f"[{self.numbers[node.id]}]" if node.id in self.numbers else ""
        values = [f"{_written(node.features.get(name))}{number}" for name in layer.features]
        for feature in layer.slots:
            values += self._slot(node, feature, number, unit_ids)
        if layer.kind == "RL":
            values.append(self._source(node, unit_ids))
        return values or [f"{NO_VALUE}{number}"]

    def _slot(self, node: Node, feature: str, number: str, unit_ids: dict[Unit, str]) -> list[str]:
        labels, targets = [], []
        for role, ids in node.roles.items():
            name, colon, label = role.partition(":")
            if name != feature:
                continue
            held = [i for i in ids if self._is_target(i)]
            for target in held or [""]:
                labels.append(escape_value(label.replace("\r", " ")) if colon else NO_VALUE)
                targets.append(self._reference(target, unit_ids) if target else NO_VALUE)
        if not labels:
            return [f"{NO_ANNOTATION}{number}", NO_VALUE]
        return [f"{';'.join(labels)}{number}", ";".join(targets)]

    def _reference(self, node_id: str, unit_ids: dict[Unit, str]) -> str:
        number = f"[{self.numbers[node_id]}]" if node_id in self.numbers else ""
        return f"{unit_ids[self.units[node_id][0]]}{number}"

    def _source(self, node: Node, unit_ids: dict[Unit, str]) -> str:
        source, target = (end.id for end in self._ends(node))
        numbers = (self.numbers.get(source, 0), self.numbers.get(target, 0))
        return unit_ids[self.units[source][0]] + (f"[{numbers[0]}_{numbers[1]}]" if any(numbers) else "")


def _written(value: Any) -> str:
    if value is None or isinstance(value, list | dict | tuple):
        return NO_VALUE
    if isinstance(value, bool):
        return str(value).lower()
    return escape_value(str(value).replace("\r", " "))
