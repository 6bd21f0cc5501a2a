"""A record as the document that it came from, or could have come from: the inverse of what a mapping does to a document.

    invert(record of a document) = the document

as far as a record can tell: labels go back through one-to-one `values`, references to roles or to the relations of a link, keys
to ids, annotation sets to annotators, article fields to metadata. What a record does not say is not made up: which of several
types without a field for it (the first is taken), the ids and grouping of link relations (one for each pair, `R1`, `R2`, ...),
the form of a list with one value, features that were ignored. `losses` says what does not come back when a document is imported
again, by importing it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dateline.document import NOWHERE, SEGMENT, Document, Node, Stretch
from dateline.errors import Place
from dateline.mapping.apply import Draft
from dateline.mapping.file import MappedLayer, Mapping, Source
from dateline.mapping.mend import restored, same
from dateline.mapping.values import Misfit, spelled, value_of
from dateline.schema import Field, Json

Wanted = list[tuple[Source, Field, Any]]
"""Fields that were filled from one piece of a source, each with its value."""
NodeKey = tuple[str, str]
_COUNTED = re.compile(r"(.+)\.([0-9]+)")


def invert(record: Json, mapping: Mapping, *, numbered: bool = False, place: Place = NOWHERE) -> Document:
    """The document of a record that has its text and keeps its schemas; with `numbered`, ids were bare numbers in the source."""
    return _Inverse(record, mapping, numbered, place).document()


def losses(record: Json, document: Document, mapping: Mapping, *, mended: bool = False) -> Counter[str]:
    """What of a record does not come back if its document is imported by the mapping: fields, with how often.

    With `mended`, what the mapping says nothing of is taken from the record that stands (`dateline import --mend`).
    """
    draft = Draft(document, mapping, split=record.get("split") if mapping.splits.metadata else None)
    again = draft.record()
    if draft.rejected:
        return Counter({"whole articles": 1})
    if mended:
        again = restored(again, record, mapping)
    lost: Counter[str] = Counter()
    for field in mapping.article_fields:
        value = field.value_of(record)
        if field.path[0] != "text" or value is not None:  # what follows from the text is made where it lacks
            lost[f"article.{field.name}"] += not same(value, field.value_of(again))
    for layer in mapping.schemas.layers.values():
        there = {layer.key.value_of(item): item for item in again.get(layer.name) or ()}
        for item in record.get(layer.name) or ():
            other = there.get(layer.key.value_of(item))
            if other is None:
                lost[f"{layer.name}: items, or their ids"] += 1
                continue
            for field in layer.fields:
                if not field.derive:
                    lost[f"{layer.name}.{field.name}"] += not same(field.value_of(item), field.value_of(other))
    return +lost


@dataclass(slots=True)
class _Origin:
    """An item with the node that it came from."""

    layer: MappedLayer
    item: Json
    key: str
    annotator: str
    type: str
    id: str = ""
    number: int = 1
    """Which of several items of one id it is: nodes of other annotators, or items of one node in other layers."""


class _Inverse:
    def __init__(self, record: Json, mapping: Mapping, numbered: bool, place: Place) -> None:
        self.record = record
        self.mapping = mapping
        self.numbered = numbered
        self.place = place
        self.sets = {found["annotation_set_id"]: found for found in record.get("annotation_sets") or ()}
        self.origins = [
            self._origin(layer, item) for layer in mapping.layers.values() for item in record.get(layer.layer.name) or ()
        ]
        self.by_key = {origin.key: origin for origin in self.origins}
        for origin in self.origins:
            self._name(origin)

    def document(self) -> Document:
        """The document: nodes in the order in which importing them again gives the same keys."""
        nodes: dict[NodeKey, Node] = {}
        made_by: dict[NodeKey, list[str]] = {}
        for origin in sorted(self.origins, key=lambda o: o.number):
            at = (origin.annotator, origin.id)
            layer = origin.layer.layer.name
            if at in nodes and (nodes[at].type != origin.type or layer in made_by[at]):  # another node, of the same id
                origin.id = self._free(origin.key, {id for _, id in nodes})
                at = (origin.annotator, origin.id)
            node = nodes.setdefault(at, Node(origin.id, origin.type, annotator=origin.annotator, place=self.place))
            made_by.setdefault(at, []).append(layer)
            self._fill(node, origin)
        for origin in self.origins:
            self._refer(nodes[origin.annotator, origin.id], origin)
        links = list(self._links({id for _, id in nodes}))
        text = self.record["text"]["content"]
        segments = [span for node in nodes.values() if node.type == SEGMENT for span in node.spans]
        made = [*(node for node in nodes.values() if node.type != SEGMENT), *links]
        return Document(self._document_name(), text, made, self._metadata(), segments, place=self.place)

    # ---- which node ----------------------------------------------------------------------------------------

    def _origin(self, layer: MappedLayer, item: Json) -> _Origin:
        return _Origin(layer, item, layer.layer.key.value_of(item), self._annotator(layer, item), self._type(layer, item))

    def _annotator(self, layer: MappedLayer, item: Json) -> str:
        name = layer.layer.name
        columns = [c for c, source in layer.fields.items() if source.annotator]
        if columns:
            found = self.sets.get(layer.layer[columns[0]].value_of(item))
        else:  # nothing tells the annotators of this layer apart; so there is one, or none is named
            sets = [s for s in self.sets.values() if s.get("layer") == name]
            found = sets[0] if len(sets) == 1 else None
        if found is None or found["annotation_set_id"] == f"set-{name}":
            return ""
        return str(found["annotator_id"])

    def _type(self, layer: MappedLayer, item: Json) -> str:
        wanted = _wanted(layer, item, lambda source: source.type)
        fitting = [kind for kind in layer.types if all(_gives(kind, *each) for each in wanted)]
        if fitting:
            return fitting[0]
        said = [value for _, _, value in wanted if value is not None]
        return spelled(said[0]) if said else layer.layer.name

    def _name(self, origin: _Origin) -> None:
        """Give an item the id that its node had in the source."""
        wanted = _wanted(origin.layer, origin.item, lambda source: source.id)
        if wanted and (found := _inverse(wanted)) is not None:
            origin.id = spelled(found)
        else:
            counted = _COUNTED.fullmatch(origin.key)
            first = self.by_key.get(counted[1]) if counted else None
            origin.id = origin.key
            if counted and first is not None and self._shares_id(first, origin):
                origin.id, origin.number = counted[1], int(counted[2])
            prefix = origin.layer.layer.prefix
            if self.numbered and (bare := origin.id.removeprefix(prefix)).isdecimal():
                origin.id = bare
        if counted := _COUNTED.fullmatch(origin.key):
            origin.number = int(counted[2])

    @staticmethod
    def _shares_id(first: _Origin, other: _Origin) -> bool:
        another_layer = first.layer is not other.layer and first.type == other.type
        return first.annotator != other.annotator or another_layer

    @staticmethod
    def _free(key: str, taken: set[str]) -> str:
        number, id = 1, key
        while id in taken:
            number += 1
            id = f"{key}-{number}"
        return id

    # ---- what it says --------------------------------------------------------------------------------------

    def _fill(self, node: Node, origin: _Origin) -> None:
        layer, item = origin.layer, origin.item
        for column, source in layer.fields.items():
            if source.spans is None:
                continue
            spans = _stretches(layer.layer[column].value_of(item))
            if source.spans == "":
                node.spans = node.spans or spans
            elif spans:
                node.parts[source.spans] = spans
        for name in dict.fromkeys(s.feature for s in layer.fields.values() if s.feature is not None):
            value = _inverse(_wanted(layer, item, lambda source, name=name: source.feature == name))
            if value is not None:
                node.features.setdefault(name, value)

    def _refer(self, node: Node, origin: _Origin) -> None:
        for source, _, target in self._references(origin):
            if self._link(source.role) is None:
                targets = node.roles.setdefault(str(source.role), [])
                if (id := self._id(target)) not in targets:
                    targets.append(id)

    def _references(self, origin: _Origin) -> Iterator[tuple[Source, Field, str]]:
        for column, source in origin.layer.fields.items():
            if source.role is not None:
                field = origin.layer.layer[column]
                value = field.value_of(origin.item)
                for key in value if isinstance(value, list) else [value]:
                    if key is not None:
                        yield source, field, key

    def _id(self, key: str) -> str:
        origin = self.by_key.get(key)
        return key if origin is None else origin.id

    def _link(self, role: str | None) -> str | None:
        """The type of the relations that give a role, where it is no item's own."""
        mapped = {kind for layer in self.mapping.layers.values() for kind in layer.types}
        return next((kind for kind, link in self.mapping.links.items() if link.role == role and kind not in mapped), None)

    def _links(self, taken: set[str]) -> Iterator[Node]:
        """A relation for each reference that a link gave."""
        number = 0
        for origin in self.origins:
            for source, _, target in self._references(origin):
                if (kind := self._link(source.role)) is None:
                    continue
                number += 1
                while f"R{number}" in taken:
                    number += 1
                link = self.mapping.links[kind]
                roles = {link.of: [origin.id], link.to: [self._id(target)]}
                yield Node(f"R{number}", kind, roles=roles, annotator=origin.annotator, place=self.place)

    # ---- the document --------------------------------------------------------------------------------------

    def _document_name(self) -> str:
        fields = {field.name: field for field in self.mapping.article_fields}
        named = [c for c, source in self.mapping.article.items() if source.name and c != "article_id"]
        found = [fields[c].value_of(self.record) for c in named]
        return next((name for name in found if isinstance(name, str) and name), str(self.record["article_id"]))

    def _metadata(self) -> dict[str, Any]:
        wanted: dict[str, Wanted] = {}
        fields = {field.name: field for field in self.mapping.article_fields}
        for column, source in self.mapping.article.items():
            if source.metadata is not None:
                wanted.setdefault(source.metadata, []).append((source, fields[column], fields[column].value_of(self.record)))
        for origin in self.origins:
            for column, source in origin.layer.fields.items():
                if source.metadata is not None:
                    field = origin.layer.layer[column]
                    wanted.setdefault(source.metadata, []).append((source, field, field.value_of(origin.item)))
        found = {name: _inverse(each) for name, each in wanted.items()}
        says = self.mapping.splits
        if says.metadata and says.metadata not in found and (split := self.record.get("split")) is not None:
            found[says.metadata] = next((k for k, v in says.values.items() if v == split), split)
        return {name: value for name, value in found.items() if value is not None}


def _stretches(value: Any) -> tuple[Stretch, ...]:
    spans = [value] if isinstance(value, dict) else value or []
    return tuple((span["start"], span["end"]) for span in spans)


def _wanted(layer: MappedLayer, item: Json, takes: Any) -> Wanted:
    fields = ((source, layer.layer[column]) for column, source in layer.fields.items() if takes(source))
    return [(source, field, field.value_of(item)) for source, field in fields]


def _inverse(wanted: Sequence[tuple[Source, Field, Any]]) -> Any:
    """The source's value from which all these fields have theirs; of several the first, None if nothing is said."""
    candidates = [one for source, _, value in wanted for one in _candidates(value, source) if one is not None]
    fitting = (one for one in candidates if all(_gives(one, *each) for each in wanted))
    return next(fitting, candidates[0] if candidates else None)


def _candidates(value: Any, source: Source) -> Iterator[Any]:
    if value is None or value == []:
        return
    if isinstance(value, list):
        pieces = [next(_scalars(one, source)) for one in value]
        if source.split is not None:
            yield source.split.join(map(spelled, pieces))
        yield pieces
    else:
        yield from _scalars(value, source)


def _scalars(value: Any, source: Source) -> Iterator[Any]:
    yield from (said for said, made in source.values.items() if spelled(made) == spelled(value))
    yield value


def _gives(found: Any, source: Source, field: Field, value: Any) -> bool:
    try:
        return same(value_of(found, source, field), value)
    except Misfit:
        return False


def forms(document: Document) -> Iterator[Document]:
    """The document in the forms that a mapping reads alike: values as they are, as words without lists of one, in lists of words.

    Of formats that have no numbers, or no lists, or nothing but lists, one of them loses the least.
    """
    yield document
    yield _with_values(document, lambda value: value if value is True else _in_words(value))
    yield _with_values(document, _in_words)
    yield _with_values(document, lambda value: [value] if isinstance(value, str) else value)


def _with_values(document: Document, change: Callable[[Any], Any]) -> Document:
    nodes = [replace(n, features={name: change(value) for name, value in n.features.items()}) for n in document.nodes]
    return replace(document, nodes=nodes)


def _in_words(value: Any) -> Any:
    if isinstance(value, list):
        return spelled(value[0]) if len(value) == 1 else [spelled(one) for one in value]
    return spelled(value)
