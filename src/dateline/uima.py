"""What UIMA's file formats share: type systems, feature structures, and how a CAS becomes documents.

A CAS (common analysis structure) holds views, each with a text (sofa), and feature structures, each of a type with supertypes.
Of every view a document is made. Arrays and lists are folded into the features that name them; a link of INCEpTION (a feature
structure with a role and a target) becomes a role `feature:role` of its host; `DocumentAnnotation` and its subtypes become
metadata; sentences become segments, and stay nodes only if they say more than where they stand.
"""

from __future__ import annotations

import re
import warnings
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from dateline.document import Document, Node, Refused, Stretch
from dateline.errors import InputError, Place, printable
from dateline.incoming import Incoming
from dateline.offsets import Offsets

ANNOTATION = "uima.tcas.Annotation"
ANNOTATION_BASE = "uima.cas.AnnotationBase"
DOCUMENT_ANNOTATION = "uima.tcas.DocumentAnnotation"
SENTENCE = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Sentence"
SOFA = "uima.cas.Sofa"
INITIAL_VIEW = "_InitialView"

_KINDS = {
    "uima.cas.String": "string",
    "uima.cas.Boolean": "boolean",
    **dict.fromkeys(("uima.cas.Byte", "uima.cas.Short", "uima.cas.Integer", "uima.cas.Long"), "integer"),
    **dict.fromkeys(("uima.cas.Float", "uima.cas.Double"), "float"),
}
_ARRAY = re.compile(r"uima\.cas\.(\w+)Array")
_LIST = re.compile(r"uima\.cas\.(?:NonEmpty|Empty)?(\w+)List")


class Unreadable(ValueError):
    """Why a feature structure cannot be read."""


@dataclass(frozen=True, slots=True)
class Range:
    """What a feature may hold: `kind` is a primitive one, "bytes", or "" for feature structures; `many` an array or list."""

    kind: str
    many: bool = False


class Types:
    """A type system: for each type its supertypes and the ranges of its features, inherited ones among them."""

    def __init__(self, system: Any) -> None:
        self._lineage: dict[str, tuple[str, ...]] = {}
        self._features: dict[str, dict[str, Range]] = {}
        for made in system.get_types(built_in=True):
            lineage = [made.name]
            above = made.supertype
            while above is not None and above.name not in lineage:
                lineage.append(above.name)
                above = above.supertype
            self._lineage[made.name] = tuple(lineage)
        for made in system.get_types(built_in=True):
            self._features[made.name] = {_name(f): self._range(f) for f in made.all_features}

    def __contains__(self, name: str) -> bool:
        return name in self._lineage or name.removesuffix("[]") in self._lineage

    def is_a(self, name: str, ancestor: str) -> bool:
        """Whether a type is another one, or below it."""
        return ancestor in self._lineage.get(name, ())

    def features(self, name: str) -> Mapping[str, Range]:
        """The features of a type; an array has `elements`."""
        if collection := element_kind(name):
            return {"elements": Range(collection[0], many=True)} if collection[1] else self._list_features(collection[0])
        return self._features.get(name, {})

    def is_link(self, name: str) -> bool:
        """Whether a type is one of INCEpTION's links: a role, a target, and nothing else."""
        wanted = {"role": Range("string"), "target": Range("")}
        return self._features.get(name) == wanted and not self.is_a(name, ANNOTATION_BASE)

    def _list_features(self, kind: str) -> dict[str, Range]:
        return {"head": Range(kind), "tail": Range("")}

    def _range(self, feature: Any) -> Range:
        name = feature.rangeType.name
        if collection := element_kind(name):
            return Range("") if feature.multipleReferencesAllowed else Range(collection[0], many=True)
        return Range(next((_KINDS[above] for above in self._lineage.get(name, ()) if above in _KINDS), ""))


def element_kind(type_name: str) -> tuple[str, bool] | None:
    """Of an array or list type what its elements are, and whether it is an array; None for other types."""
    if type_name.endswith("[]"):
        return _KINDS.get(type_name.removesuffix("[]"), ""), True
    if match := _ARRAY.fullmatch(type_name):
        return "bytes" if match[1] == "Byte" else _KINDS.get(f"uima.cas.{match[1]}", ""), True
    if match := _LIST.fullmatch(type_name):
        return _KINDS.get(f"uima.cas.{match[1]}", ""), False
    return None


def load_types(raw: bytes, place: Place) -> Types:
    """The type system of an XML descriptor; raises InputError if it is none."""
    cassis = _cassis()
    return _types(lambda: cassis.load_typesystem(BytesIO(raw)), place)


def embedded_types(raw: bytes, place: Place) -> Types:
    """The type system of a CAS in JSON that holds nothing else; raises InputError if it is none."""
    cassis = _cassis()
    return _types(lambda: cassis.load_cas_from_json(BytesIO(raw)).typesystem, place)


def _types(load: Any, place: Place) -> Types:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about features that a subtype repeats
        try:
            return Types(load())
        except Exception as fault:  # the library raises whatever it stumbles over
            said = printable(f"{type(fault).__name__}: {fault}"[:300])
            raise InputError(f"{place}: its type system cannot be read: {said}") from None


def _cassis() -> Any:
    try:
        import cassis
    except ImportError:
        raise InputError("UIMA files need dkpro-cassis: pip install 'dateline[uima]'") from None
    return cassis


def _name(feature: Any) -> str:
    """The feature's name; the library renames those that Python reserves."""
    name: str = feature.name
    return name.removesuffix("_") if feature._has_reserved_name else name


# ---- feature structures ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Structure:
    """A feature structure as its file has it: plain values, references, arrays of references that stand in it ("" is null)."""

    id: str
    type: str
    place: Place
    values: dict[str, Any] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    many: dict[str, list[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Sofa:
    """The subject of a view: its text, if it has one, and what the file says of it."""

    id: str
    name: str
    text: str | None
    place: Place
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Cas:
    """What a file holds: sofas, feature structures, and which of these each view lists."""

    place: Place
    types: Types
    sofas: dict[str, Sofa] = field(default_factory=dict)
    structures: dict[str, Structure] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)

    def add_sofa(self, sofa: Sofa) -> None:
        """Take in a sofa; raises Unreadable for a second one of an id or a name."""
        if sofa.id in self.sofas or sofa.name in {s.name for s in self.sofas.values()}:
            raise Unreadable(f"is a second sofa {sofa.id}, {sofa.name!r}")
        self.sofas[sofa.id] = sofa

    def add(self, structure: Structure) -> None:
        """Take in a feature structure; raises Unreadable for an id that another one has."""
        if structure.id in self.structures:
            raise Unreadable(f"has the id of {self.structures[structure.id].place}")
        self.structures[structure.id] = structure

    def refuse(self, structure_type: str, structure_id: str, place: Place, reason: str) -> None:
        """Note what cannot be read."""
        self.refused.append(Refused(place, structure_type, reason, structure_id))


def _structures(number: int) -> str:
    return "1 feature structure" if number == 1 else f"{number:,} feature structures"


def documents(cas: Cas, name: str, incoming: Incoming) -> Iterator[Document | Refused]:
    """A document for each view with a text; Refused for those without, and for a CAS without any."""
    texts = [sofa for sofa in cas.sofas.values() if sofa.text is not None]
    if not cas.sofas:
        yield Refused(cas.place, "document", f"has no view with a text, and {_structures(len(cas.structures))}", name)
        yield from cas.refused
        return
    homes = _homes(cas, (texts or list(cas.sofas.values()))[0].id)
    for sofa in cas.sofas.values():
        if sofa.text is None:
            held = sum(1 for home in homes.values() if home == {sofa.id})
            reason = f"view {sofa.name!r} has no text in this file, and {_structures(held)}"
            yield Refused(sofa.place, "document", reason, _view_name(name, sofa, texts))
    if not texts:
        yield from cas.refused
        return
    folded = _Folded(cas)
    for sofa in texts:
        document = Document(_view_name(name, sofa, texts), sofa.text or "", metadata=dict(sofa.metadata), place=cas.place)
        offsets = incoming.offsets(document.text)
        for node, begin, end in folded.nodes:
            if sofa.id in homes.get(node.id, ()):
                _place(document, node, begin, end, folded, cas.types, offsets)
        for node in document.nodes:
            _check_views(node, sofa.id, homes, document)
        refused_ids = {r.id for r in document.refused}
        document.nodes = [node for node in document.nodes if node.id not in refused_ids]
        document.segments.sort()
        if sofa is texts[0]:
            document.refused += cas.refused + folded.refused
        yield document


def _view_name(name: str, sofa: Sofa, texts: list[Sofa]) -> str:
    alone = len(texts) == 1 and texts[0] is sofa
    return name if alone or sofa.name == INITIAL_VIEW else f"{name}#{sofa.name}"


def _homes(cas: Cas, fallback: str) -> dict[str, set[str]]:
    """The sofas of each feature structure: its own, those of the views that list it, or those of whatever names it."""
    homes: dict[str, set[str]] = defaultdict(set)
    lost = {refused.id for refused in cas.refused}
    for sofa, members in cas.members.items():
        for member in members:
            if member in cas.structures:
                homes[member].add(sofa if sofa in cas.sofas else fallback)
            elif member not in lost:
                cas.refuse("view", "", cas.place, f"a view lists {member}, which is not there")
    for structure in cas.structures.values():
        if "sofa" in structure.refs:
            homes[structure.id] = {structure.refs["sofa"]}
    waiting = deque(homes)
    while waiting:
        structure_id = waiting.popleft()
        for target in _targets(cas.structures.get(structure_id)):
            there = cas.structures.get(target)
            if there is not None and "sofa" not in there.refs and not homes[structure_id] <= homes[target]:
                homes[target] |= homes[structure_id]
                waiting.append(target)
    for structure_id in cas.structures:
        if not homes[structure_id]:
            homes[structure_id] = {fallback}
    return homes


def _targets(structure: Structure | None) -> Iterator[str]:
    if structure is not None:
        yield from (target for name, target in structure.refs.items() if name != "sofa")
        for targets in structure.many.values():
            yield from filter(None, targets)


class _Folded:
    """The feature structures of a CAS as nodes with raw offsets; arrays, lists and links folded into those that name them."""

    def __init__(self, cas: Cas) -> None:
        self.cas = cas
        self.refused: list[Refused] = []
        self.named: set[str] = set()
        self._lost = {r.id for r in cas.refused}
        self._swallowed: set[str] = set()
        made = [node for structure in cas.structures.values() if (node := self._node(structure))]
        self.nodes = [entry for entry in made if entry[0].id not in self._swallowed]

    def _node(self, structure: Structure) -> tuple[Node, Any, Any] | None:
        values = dict(structure.values)
        anchored = self.cas.types.is_a(structure.type, ANNOTATION)
        begin, end = (values.pop("begin", None), values.pop("end", None)) if anchored else (None, None)
        node = Node(structure.id, structure.type, features=values, place=structure.place)
        try:
            if structure.refs.get("sofa", next(iter(self.cas.sofas))) not in self.cas.sofas:
                raise Unreadable(f"stands on sofa {structure.refs['sofa']}, which is not there")
            for name, target in structure.refs.items():
                if name != "sofa":
                    self._follow(structure, node, name, target)
            for name, targets in structure.many.items():
                self._array(structure, node, name, targets)
        except Unreadable as fault:
            self.refused.append(Refused(structure.place, structure.type, str(fault), structure.id))
            return None
        return node, begin, end

    def _follow(self, structure: Structure, node: Node, name: str, target: str) -> None:
        there = self._there(name, target)
        if there is None or element_kind(there.type) is None or element_kind(structure.type) is not None:
            node.roles[name] = [target]
            self.named.add(target)
            return
        values, targets = self._collected(there)
        if targets is None:
            node.features[name] = values
        else:
            self._array(structure, node, name, targets)

    def _there(self, name: str, target: str) -> Structure | None:
        """The feature structure that is named; None if it was refused; raises Unreadable if it never was."""
        there = self.cas.structures.get(target)
        if there is None and target not in self._lost:
            raise Unreadable(f"names {target} as its {name}, which is not there")
        return there

    def _collected(self, collection: Structure) -> tuple[list[Any], list[str] | None]:
        """The elements of an array or list: values, or references."""
        kind, is_array = element_kind(collection.type) or ("", True)
        if is_array:
            self._swallowed.add(collection.id)
            return collection.values.get("elements", []), None if kind else collection.many.get("elements", [])
        cells: dict[str, Structure] = {}
        cell: Structure | None = collection
        while cell is not None and "tail" in cell.refs:
            if cell.id in cells:
                raise Unreadable(f"holds the list {collection.id}, which turns back on itself")
            cells[cell.id] = cell
            cell = self._there("tail", cell.refs["tail"])
        self._swallowed.update(cells)
        self._swallowed.add(cell.id if cell is not None else collection.id)
        if kind:
            return [c.values.get("head") for c in cells.values()], None
        return [], [c.refs.get("head", "") for c in cells.values()]

    def _array(self, structure: Structure, node: Node, name: str, targets: list[str]) -> None:
        there = [self._there(name, target) for target in targets if target]
        if len(there) < len(targets):
            reason = f"{len(targets) - len(there)} of the {len(targets)} elements of {name} are null, and left out"
            self.refused.append(Refused(structure.place, structure.type, reason))
        links = [link for link in there if link is not None and self.cas.types.is_link(link.type)]
        if not links or len(links) < len(targets):
            node.roles[name] = [target for target in targets if target]
            self.named.update(node.roles[name])
            return
        for link in links:
            role = f"{name}:{link.values['role']}" if "role" in link.values else name
            fillers = node.roles.setdefault(role, [])
            if "target" in link.refs:
                self._there("target", link.refs["target"])
                fillers.append(link.refs["target"])
                self.named.add(link.refs["target"])
            self._swallowed.add(link.id)


def _place(document: Document, node: Node, begin: Any, end: Any, folded: _Folded, types: Types, offsets: Offsets) -> None:
    """Put a node into the document: as metadata, as a segment, as a node with its span, or refused."""
    if types.is_a(node.type, DOCUMENT_ANNOTATION) and not node.roles and not node.features.keys() & document.metadata.keys():
        document.metadata |= node.features
        return
    if types.is_a(node.type, ANNOTATION):
        try:
            node.spans = (_span(begin, end, offsets),)
        except ValueError as fault:
            document.refused.append(Refused(node.place, node.type, str(fault), node.id))
            return
        if node.type == SENTENCE:
            document.segments.append(node.spans[0])
            if not node.features and not node.roles and node.id not in folded.named:
                return
    document.nodes.append(node)


def _span(begin: Any, end: Any, offsets: Offsets) -> Stretch:
    if type(begin) is not int or type(end) is not int:
        raise Unreadable("has no begin and end")
    if begin > end:
        raise Unreadable(f"begins at {begin} and ends before, at {end}")
    return offsets(begin), offsets(end)


def _check_views(node: Node, sofa: str, homes: Mapping[str, set[str]], document: Document) -> None:
    """Refuse a node that names what lies in another view only: no document holds both."""
    for name, targets in node.roles.items():
        for target in targets:
            if target in homes and sofa not in homes[target]:
                document.refused.append(Refused(node.place, node.type, f"names {target} as its {name}, in another view", node.id))
                return


# ---- values ---------------------------------------------------------------------------------------------------


def plain(written: Any, kind: str) -> Any:
    """A primitive value as Python has it; raises Unreadable for what its range does not allow.

    What is no number of JSON is kept as the word that UIMA writes for it.
    """
    try:
        if kind == "integer" and _is_number(written, int):
            return int(written)
        if kind == "float" and _is_number(written, int | float):
            return _float(written)
        if kind == "boolean" and (found := _BOOLEANS.get(written if isinstance(written, bool) else str(written))) is not None:
            return found
    except ValueError:
        pass
    if kind in ("string", "bytes") and isinstance(written, str):
        return written
    raise Unreadable(f"has a value that is no {kind}")


_BOOLEANS: dict[Any, bool] = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|NaN|-?Inf(?:inity)?")
_NO_NUMBERS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _is_number(written: Any, kinds: Any) -> bool:
    """Whether something is a number of these kinds, or written as UIMA writes one; Python would take more for a number."""
    if isinstance(written, str):
        return _NUMBER.fullmatch(written) is not None
    return isinstance(written, kinds) and not isinstance(written, bool)


def _float(written: float | str) -> float | str:
    number = float(written)
    return _NO_NUMBERS.get(str(number), number)


def all_plain(written: Iterable[Any], kind: str) -> list[Any]:
    """The elements of an array; null stays null."""
    return [None if one is None else plain(one, kind) for one in written]
