"""A document on its way to a record: its nodes become items of layers, and each piece of it gets a fate that is counted.

A `Draft` is made, settled (items whose references lead nowhere go), given out as a record, and told by the caller what the
record's check rejects, until the check is content. Rejecting an item may reject those that refer to it; a reference that a
link relation gave is dropped instead, and the link is rejected.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dateline.document import Document, Node, Refused, Stretch, joined
from dateline.leaks import shown
from dateline.mapping.account import Account, Rejection, keys_of
from dateline.mapping.file import MappedLayer, Mapping, Source
from dateline.mapping.values import Misfit, value_of
from dateline.schema import Field, Json

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
NodeKey = tuple[str, str]
"""A node in its document: annotator and id."""


@dataclass(slots=True)
class _Reference:
    """What an item refers to in one field; `link` is the relation that said so, if it was none of the node's own roles."""

    field: Field
    target: NodeKey
    link: NodeKey | None = None


@dataclass(slots=True, eq=False)
class _Item:
    """An item that a node becomes in a layer."""

    layer: MappedLayer
    node: Node
    key: str
    value: Json
    references: list[_Reference] = field(default_factory=list)
    alive: bool = True


class Draft:
    """One document, mapped; `surface` says how its format writes the words of spans."""

    def __init__(
        self, document: Document, mapping: Mapping, *, split: str | None = None, surface: Callable[..., str] = joined
    ) -> None:
        self.document = document
        self.mapping = mapping
        self.split = split
        self.surface = surface
        self.account = Account()
        self.rejections: list[Rejection] = []
        self._nodes: dict[NodeKey, Node] = {}
        self._types: dict[str, list[MappedLayer]] = defaultdict(list)
        for layer in mapping.layers.values():
            for kind in layer.types:
                self._types[kind].append(layer)
        self._items: list[_Item] = []
        self._uses: dict[tuple[str, ...], tuple[set[str | None], set[str | None]]] = {}
        self._reasons: dict[NodeKey, Rejection] = {}
        self._head, head_fault = self._article()
        self.article_id: str = self._head.get("article_id", "")
        self._whole: Rejection | None = None
        if head_fault:
            self.reject_document(head_fault)
        self._take_nodes()
        self._follow_roles()
        self._follow_links()

    # ---- what becomes of the document ----------------------------------------------------------------------

    def record(self) -> Json:
        """The record of all items that still stand; its lists are those that `item_at` counts in."""
        self._settle()
        record = dict(self._head)
        layers: dict[str, list[Json]] = {name: [] for name in self.mapping.layers}
        self._places: dict[tuple[str, int], _Item] = {}
        by_key = self._keys()
        for item in self._items:
            if item.alive:
                name = item.layer.layer.name
                self._places[(name, len(layers[name]))] = item
                layers[name].append(_with_references(item, by_key))
        record["annotation_sets"] = self._sets()
        record["coverage"] = self._coverage()
        return record | layers

    def _keys(self) -> dict[tuple[NodeKey, str], str]:
        return {(self._id(i.node), i.layer.layer.name): i.key for i in self._items if i.alive}

    def reject_item(self, layer: str, index: int, reason: str, rule: str) -> bool:
        """Reject the item that stands at a place of the last record; False if there is none."""
        item = self._places.get((layer, index))
        if item is None:
            return False
        self._reject(item, reason, rule)
        return True

    def reject_document(self, reason: str, rule: str = "") -> None:
        """Reject the document with all that is in it."""
        record = None
        if self._whole is None and self.article_id:
            self._whole = Rejection(self.document.place, "document", self.document.name, reason, rule)
            record = self.record() if self._items else None
        self._whole = Rejection(self.document.place, "document", self.document.name, reason, rule, self.article_id, record=record)

    @property
    def rejected(self) -> bool:
        """Whether the document was rejected as a whole."""
        return self._whole is not None

    @property
    def item_rejections(self) -> list[Rejection]:
        """Why items, and links, were rejected so far."""
        return list(self._reasons.values())

    def close(self) -> None:
        """Count what was found and what became of it, into `account` and `rejections`."""
        self._settle()
        count = self.account
        for refused in self.document.refused:
            count.found[refused.type] += 1
            count.rejected[refused.type] += 1
            self.rejections.append(rejection_of(refused, self.article_id))
        count.found["document"] += 1
        metadata = [k for k, v in self.document.metadata.items() if v is not None]
        count.found.update(f"document.{k}" for k in metadata)
        if self._whole is not None:
            count.rejected["document"] += 1
            count.rejected.update(f"document.{k}" for k in metadata)
            self.rejections.append(self._whole)
            for node in self._nodes.values():
                for key, n in keys_of(node):
                    count.found[key] += n
                    count.rejected[key] += n
            return
        keys = self._keys()
        for item in self._items:
            if not item.alive:
                _with_references(item, keys)
        followed = {r.link for i in self._items if i.alive for r in i.references}
        for at, node in self._nodes.items():
            if node.type in self.mapping.links and at not in followed:
                self._fail(node, f"no item that was imported stands in its role {self.mapping.links[node.type].of}")
        count.imported["document"] += 1
        used = {s.metadata for s in self.mapping.article.values()} | {self.mapping.splits.metadata}
        used |= {table.of for table in self.mapping.tables}
        for layer in self.mapping.layers.values():
            used |= {s.metadata for s in layer.fields.values()}
        for key in metadata:
            fate = count.imported if key in used else count.ignored if self.mapping.ignores_feature(f"document.{key}") else None
            self._settle_piece(fate, f"document.{key}", 1, "metadata", self.document.place, self.document.name)
        for key_of_node, node in self._nodes.items():
            self._count(key_of_node, node)

    # ---- making items --------------------------------------------------------------------------------------

    def _id(self, node: Node) -> NodeKey:
        return (node.annotator, node.id)

    def _take_nodes(self) -> None:
        taken: set[str] = set()
        for node in self.document.all_nodes():
            at = self._id(node)
            if at in self._nodes:
                reason = f"the id {shown(node.id, self.mapping.quotes)} stands twice in the document"
                self.document.refused.append(Refused(node.place, node.type, reason, node.id))
                continue
            self._nodes[at] = node
            for layer in self._types.get(node.type, ()):
                self._take(node, layer, taken)

    def _take(self, node: Node, layer: MappedLayer, taken: set[str]) -> None:
        key = _key(node, layer, taken)
        item = _Item(layer, node, key, {layer.layer.key.path[0]: key})
        self._items.append(item)
        faults = [*self._compare(node)]
        for column, source in layer.fields.items():
            target = layer.layer[column]
            try:
                value = self._value(node, source, target, item)
            except Misfit as fault:
                faults.append(str(fault) if self.mapping.quotes else f"has no fitting value for {column}")
                continue
            if value is not None or target.nullable:
                _put(item.value, target.path, value)
        if faults:
            self._reject(item, "; ".join(faults), "")

    def _compare(self, node: Node) -> Iterator[str]:
        """What is wrong with the words that the source has for a node's spans."""
        for part, words in node.words.items():
            spans = node.spans if part == "" else node.parts.get(part, ())
            self.account.spans_checked += 1
            if (there := self.surface(self.document.text, spans)) != words:
                self.account.spans_mismatched += 1
                if self.mapping.quotes:
                    yield f"the source has the words {words!r:.80}, but at its offsets stands {there!r:.80}"
                else:
                    yield "the source has other words than stand at its offsets"

    def _value(self, node: Node, source: Source, target: Field, item: _Item) -> Any:
        if source.spans is not None:
            spans = node.spans if source.spans == "" else node.parts.get(source.spans, ())
            return self._spans(spans, target, item.layer)
        if source.role is not None:
            return [] if target.is_list else None
        if source.annotator:
            return self._set_id(item.layer.layer.name, node.annotator)
        if source.feature is not None:
            found = node.features.get(source.feature)
        elif source.type or source.id:
            found = node.type if source.type else node.id
        else:
            found = self._of_document(source)
        return value_of(found, source, target)

    def _of_document(self, source: Source) -> Any:
        if source.metadata is not None:
            return self.document.metadata.get(source.metadata)
        return self.document.name if source.name else source.value

    def _spans(self, spans: tuple[Stretch, ...], target: Field, layer: MappedLayer) -> Any:
        if layer.trim:
            trimmed = tuple(_trimmed(self.document.text, span) for span in spans)
            self.account.spans_trimmed += sum(a != b for a, b in zip(spans, trimmed, strict=True))
            spans = tuple(s for s in trimmed if s[0] < s[1])
        made = [{"start": start, "end": end} for start, end in spans]
        if target.span == "many":
            return made
        if len(made) > 1:
            raise Misfit(f"has {len(made)} spans for {target.name}, which holds one")
        return made[0] if made else None

    def _follow_roles(self) -> None:
        """Turn a node's own roles into references of its items."""
        for item in self._items:
            for role, targets in item.node.roles.items():
                for one in targets:
                    target = (item.node.annotator, one)
                    if (column := self._column(item.layer, role, target)) is not None:
                        item.references.append(_Reference(item.layer.layer[column], target))

    def _column(self, layer: MappedLayer, role: str, target: NodeKey) -> str | None:
        """The field for a target in a role: of several, the one whose layer has items of the target's type."""
        columns = [c for c, s in layer.fields.items() if s.role == role]
        node = self._nodes.get(target)
        for column in columns:
            wanted = layer.layer[column].ref
            if node is not None and any(t.layer.name == wanted for t in self._types.get(node.type, ())):
                return column
        return columns[0] if columns else None

    def _follow_links(self) -> None:
        """Turn relations of the mapping's links into references of items."""
        items: dict[NodeKey, list[_Item]] = defaultdict(list)
        for item in self._items:
            items[self._id(item.node)].append(item)
        for at, node in self._nodes.items():
            link = self.mapping.links.get(node.type)
            if link is None:
                continue
            for owner in node.roles.get(link.of, ()):
                for item in items.get((node.annotator, owner), ()):
                    for one in node.roles.get(link.to, ()):
                        target = (node.annotator, one)
                        if (column := self._column(item.layer, link.role, target)) is not None:
                            item.references.append(_Reference(item.layer.layer[column], target, at))

    # ---- settling ------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Reject items until every reference of those that stand leads to one that stands."""
        standing: dict[NodeKey, set[str]] = defaultdict(set)
        for item in self._items:
            if item.alive:
                standing[self._id(item.node)].add(item.layer.layer.name)
        again = True
        while again:
            again = False
            for item in self._items:
                if item.alive and (fault := self._dangling(item, standing)):
                    self._reject(item, fault, "reference")
                    standing[self._id(item.node)].discard(item.layer.layer.name)
                    again = True

    def _dangling(self, item: _Item, standing: dict[NodeKey, set[str]]) -> str:
        """Why an item cannot stay; references given by links are dropped instead."""
        if not item.references:
            return ""
        kept = []
        single: Counter[str] = Counter()
        for reference in item.references:
            name, wanted = reference.field.name, reference.field.ref or ""
            shown_id = shown(reference.target[1], self.mapping.quotes)
            there = wanted in standing.get(reference.target, ())
            many = reference.field.is_list
            single[name] += not many and there
            if there and single[name] <= 1:
                kept.append(reference)
            elif reference.link is not None:
                node = self._nodes[reference.link]
                self._fail(node, f"{shown_id} is no imported {wanted}" if not there else f"its item has another {name} already")
            elif there:
                return f"has several items for {name}, which holds one"
            else:
                why = "is not in the document" if reference.target not in self._nodes else f"was not imported into {wanted}"
                return f"{name} refers to {shown_id}, which {why}"
        item.references = kept
        return ""

    def _reject(self, item: _Item, reason: str, rule: str) -> None:
        item.alive = False
        layer = item.layer.layer.name
        said = Rejection(item.node.place, item.node.type, item.node.id, reason, rule, self.article_id, layer, item.value)
        self._reasons.setdefault(self._id(item.node), said)

    def _fail(self, node: Node, reason: str) -> None:
        """Note why a link was not imported."""
        self._reasons.setdefault(self._id(node), Rejection(node.place, node.type, node.id, reason, "", self.article_id))

    # ---- counting ------------------------------------------------------------------------------------------

    def _count(self, at: NodeKey, node: Node) -> None:
        count = self.account
        layers = [i.layer for i in self._items_of.get(at, ()) if i.alive]
        if node.type in self.mapping.links and at not in self._reasons:
            link = self.mapping.links[node.type]
            self._count_pieces(node, set(), {link.of, link.to})
        elif layers:
            self._count_pieces(node, *self._used(layers))
        elif self.mapping.ignores_type(node.type):
            for key, n in keys_of(node):
                count.found[key] += n
                count.ignored[key] += n
        else:
            for key, n in keys_of(node):
                count.found[key] += n
                count.rejected[key] += n
            unmapped = f"mapping.toml has no layer for the type {node.type}; map it, or list it under [ignore] types"
            self.rejections.append(
                self._reasons.get(at) or Rejection(node.place, node.type, node.id, unmapped, "unmapped", self.article_id)
            )

    def _used(self, layers: list[MappedLayer]) -> tuple[set[str | None], set[str | None]]:
        """Which features and parts, and which roles, some layers take of a node."""
        names = tuple(layer.layer.name for layer in layers)
        if names not in self._uses:
            sources = [s for layer in layers for s in layer.fields.values()]
            self._uses[names] = {s.feature for s in sources} | {s.spans for s in sources}, {s.role for s in sources}
        return self._uses[names]

    @property
    def _items_of(self) -> dict[NodeKey, list[_Item]]:
        if not hasattr(self, "_grouped"):
            self._grouped: dict[NodeKey, list[_Item]] = defaultdict(list)
            for item in self._items:
                self._grouped[self._id(item.node)].append(item)
        return self._grouped

    def _count_pieces(self, node: Node, features: set[str | None], roles: set[str | None]) -> None:
        """Count a node that was imported: what of it the mapping uses, ignores, or forgets."""
        count = self.account
        for key, n in keys_of(node):
            if key == node.type:
                count.found[key] += n
                count.imported[key] += n
                continue
            if key.removeprefix(node.type)[0] == ".":
                used = key.removeprefix(node.type + ".") in features
                fate: Counter[str] | None = (
                    count.imported if used else count.ignored if self.mapping.ignores_feature(key) else None
                )
            else:
                used = key.removeprefix(node.type + ":") in roles
                fate = count.imported if used else count.ignored if self.mapping.ignores_role(key) else None
            count.found[key] += n
            self._settle_piece(fate, key, n, "role" if ":" in key.removeprefix(node.type) else "feature", node.place, node.id)

    def _settle_piece(self, fate: Counter[str] | None, key: str, n: int, what: str, place: Any, name: str) -> None:
        if fate is not None:
            fate[key] += n
            return
        self.account.rejected[key] += n
        under = "roles" if what == "role" else "features"
        reason = f"mapping.toml says nothing of the {what} {key}; map it, or list it under [ignore] {under}"
        self.rejections.append(Rejection(place, key, name, reason, "unmapped", self.article_id))

    # ---- the article ---------------------------------------------------------------------------------------

    def _article(self) -> tuple[Json, str]:
        """The record without its layers, and what is wrong with it."""
        text = self.document.text
        encoded = text.encode("utf-8", "surrogatepass")
        head: Json = {"article_id": article_id_of(self.document.name)}
        fault = ""
        schema = {f.name: f for f in self.mapping.article_fields}
        for column, source in self.mapping.article.items():
            target = schema[column]
            try:
                value = value_of(self._of_document(source), source, target)
            except Misfit as misfit:
                fault = str(misfit) if self.mapping.quotes else f"has no fitting value for {column}"
                continue
            if column == "article_id":
                value = article_id_of(str(value)) if value is not None else head["article_id"]
            if value is not None or target.nullable:
                _put(head, target.path, value)
        head["text"] = {
            "content": text,
            "sha256": hashlib.sha256(encoded).hexdigest(),
            "n_code_points": len(text),
            "n_bytes": len(encoded),
        } | {k: v for k, v in head.get("text", {}).items() if k not in ("content", "sha256", "n_code_points", "n_bytes")}
        if self.mapping.rights:
            head["rights"] = {**self.mapping.rights, **head.get("rights", {})}
        if self.split is not None:
            head["split"] = self.split
        return head, fault if text else "has no text"

    def _set_id(self, layer: str, annotator: str) -> str:
        return f"set-{layer}" + (f"-{_slug(annotator)}" if annotator else "")

    def _sets(self) -> list[Json]:
        """One annotation set for each layer and annotator that the document has; a layer that holds nothing has one, too."""
        says = self.mapping.annotation
        known = sorted({n.annotator for n in self.document.nodes}) or [""]
        made: dict[str, Json] = {}
        for name, layer in self.mapping.layers.items():
            if layer.coverage == "NONE":
                continue
            for annotator in known:
                made[self._set_id(name, annotator)] = {
                    "annotation_set_id": self._set_id(name, annotator),
                    "layer": name,
                    "annotator_id": annotator or says.annotator_id,
                    "annotator_type": says.annotator_type,
                    "tool": says.tool,
                    "tool_version": says.tool_version,
                    "guideline_version": says.guideline_version,
                    "status": says.status,
                }
        return list(made.values())

    def _coverage(self) -> list[Json]:
        made = []
        for name in self.mapping.all_layers:
            layer = self.mapping.layers.get(name)
            says = layer.coverage if layer else "NONE"
            regions: list[Json] = []
            if isinstance(says, int):
                if says < len(self.document.segments):
                    start, end = self.document.segments[0][0], self.document.segments[says - 1][1]
                    start, end = _trimmed(self.document.text, (start, end))
                    regions = [{"start": start, "end": end}]
                says = "PARTIAL" if regions else "FULL"
            made.append({"layer": name, "status": says, "regions": regions})
        return made


def rejection_of(refused: Refused, article_id: str = "") -> Rejection:
    """The rejection of something that an importer could not read."""
    return Rejection(refused.place, refused.type, refused.id, refused.reason, "unreadable", article_id)


def article_id_of(name: str) -> str:
    """A name as an article_id: itself where it is path-safe, else what is path-safe of it with a digest of the whole.

    Names of other characters, too long ones, and ones that differ in case alone from nothing stay apart by the digest.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    safe = _UNSAFE.sub("-", plain).strip("-._")[:100]
    if safe == name and safe:
        return safe
    return f"{safe}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}".lstrip("-")


def _slug(name: str) -> str:
    return article_id_of(name)


def _key(node: Node, layer: MappedLayer, taken: set[str]) -> str:
    """An item's key: the source's id where it can be one, with the layer's prefix before a bare number."""
    pattern = layer.layer.key.schema.get("pattern")
    safe = _UNSAFE.sub("-", node.id).strip("-.") or layer.layer.prefix
    first = safe if safe[0].isalpha() else f"{layer.layer.prefix}{safe}"
    if pattern and not re.search(pattern, first):
        first = f"{layer.layer.prefix}{1 + sum(k.startswith(layer.layer.prefix) for k in taken)}"
    key, n = first, 1
    while key in taken:
        n += 1
        key = f"{first}.{n}"
    taken.add(key)
    return key


def _trimmed(text: str, span: Stretch) -> Stretch:
    start, end = span
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _put(item: Json, path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        item = item.setdefault(step, {})
    item[path[-1]] = value


def _with_references(item: _Item, keys: dict[tuple[NodeKey, str], str]) -> Json:
    """The item with the keys of what it refers to; a rejected one may refer to what has none, which its source's id names."""
    value = item.value
    if not item.references:
        return value
    for field_, targets in _grouped(item.references):
        found = [keys.get((r.target, field_.ref or ""), r.target[1]) for r in targets]
        many = field_.is_list
        _put(value, field_.path, list(dict.fromkeys(found)) if many else found[0])
    return value


def _grouped(references: Iterable[_Reference]) -> Iterator[tuple[Field, list[_Reference]]]:
    by_field: dict[str, list[_Reference]] = defaultdict(list)
    for reference in references:
        by_field[reference.field.name].append(reference)
    for each in by_field.values():
        yield each[0].field, each
