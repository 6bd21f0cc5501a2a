"""A first schema and mapping for a source that was counted: guesses, each with its reason and the place where to change it.

Nothing of a source is left unmapped: each type goes to a layer, each feature, part and role to a field, or under [ignore] with
the reason. docs/new.md tells people the rules. All is pure: counts in, plain JSON and TOML values out.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dateline.document import SEGMENT
from dateline.errors import printable
from dateline.formats import FORMATS
from dateline.mapping.observe import Seen, Targets, TypeSeen, Values
from dateline.schema import Json, schemas_from

ENOUGH = 10
"""What was there in each of at least so many items is called required."""
FEW_FEATURES = 2
"""Types with more features get a layer of their own."""
SPLIT_NAMES = {
    "train": "train", "training": "train", "dev": "validation", "devel": "validation", "development": "validation",
    "valid": "validation", "validation": "validation", "val": "validation", "test": "test", "testing": "test",
}  # fmt: skip
"""How folders and lists of names call the splits."""

_ENTITY_LABELS = frozenset((
    "per", "pers", "person", "people", "loc", "location", "place", "gpe", "org", "organization", "organisation", "misc", "fac",
    "facility", "norp", "event", "product", "date", "time", "money", "percent", "quantity", "ordinal", "cardinal", "language",
    "law", "work_of_art",
))  # fmt: skip
_VIEWS = frozenset((
    "row_counts", "label_counts", "counted_rows", "manifest_rows", "counted_labels", "manifest_labels", "earlier_labels",
    "placed", "measured_texts", "long_paragraphs", "release_facts", "profile_rows", "profile_labels",
))  # fmt: skip
_SQL_PLURALS = frozenset(("all", "values", "references", "columns", "tables"))
_ITEM_NAMES = ("article_id", "added_in", "changed_in", "position", "alternative", "item", "span_start", "span_end", "surface")
_SPLIT_KEYS = ("split", "subset", "partition")


@dataclass(frozen=True)
class Guess:
    """One thing that was inferred: what, from which evidence, and where to change it."""

    what: str
    because: str
    change: str

    def as_json(self) -> dict[str, str]:
        """The guess as plain JSON types."""
        return {"what": self.what, "because": self.because, "change": self.change}


@dataclass
class Inferred:
    """Schemas by name and a mapping, as plain values; `comments` explain the mapping's tables and keys, by their path."""

    schemas: dict[str, Json]
    mapping: dict[str, Any]
    guesses: list[Guess] = field(default_factory=list)
    comments: dict[tuple[str, ...], str] = field(default_factory=dict)

    @property
    def gives_splits(self) -> bool:
        """Whether every document has an official split."""
        return "splits" in self.mapping


def infer(
    seen: Seen, format_name: str, *, rights: Mapping[str, Any] | None = None, options: Mapping[str, Any] | None = None,
    lists: Mapping[str, Sequence[str]] | None = None,
) -> Inferred:  # fmt: skip
    """Schemas and a mapping that leave nothing out of what was seen. `lists` are the lines of files that may list splits."""
    return _Inference(seen, format_name, dict(rights or {}), dict(options or {}), lists or {}).inferred()


@dataclass
class _Plan:
    """A layer on its way: its types, the merged counts of their features and roles, its names."""

    kind: str
    types: list[str]
    name: str = ""
    key: str = ""
    prefix: str = ""

    def seen(self, of: Seen) -> list[TypeSeen]:
        return [of.types[t] for t in self.types]


class _Inference:
    """One inference: layers, then their fields, then the article; guesses and comments are noted on the way."""

    def __init__(
        self, seen: Seen, format_name: str, rights: dict[str, Any], options: dict[str, Any], lists: Mapping[str, Sequence[str]]
    ) -> None:
        self.seen = seen
        self.lists = lists
        self.guesses: list[Guess] = []
        self.comments: dict[tuple[str, ...], str] = {}
        self.ignored: dict[str, list[str]] = {"types": [], "features": [], "roles": []}
        self.mapping: dict[str, Any] = {"format": format_name}
        self.mapping |= {"options": options} if options else {}
        self.rights = rights

    def inferred(self) -> Inferred:
        plans = self._plans()
        self._name(plans)
        self.layer_of = {kind: plan.name for plan in plans for kind in plan.types}
        self.key_of = {plan.name: plan.key for plan in plans}
        schemas, layers = {}, {}
        for plan in plans:
            schemas[plan.name], layers[plan.name] = self._layer(plan)
        schemas["article"], article = self._article({p.name for p in plans})
        self._splits(article)
        self.mapping |= {"article": article} if article else {}
        self.mapping |= {"rights": self.rights} if self.rights else {}
        self.comments["rights",] = "annotation_license is not known: add it"
        self.mapping |= {"annotation": {"annotator_id": "unknown", "tool": self.mapping["format"]}}
        self.mapping |= {"splits": self.splits} if self.splits else {}
        self.mapping |= {"layers": layers} if layers else {}
        self.mapping |= {"ignore": {k: v for k, v in self.ignored.items() if v}} if any(self.ignored.values()) else {}
        self._note_annotation()
        return Inferred(schemas, self.mapping, self.guesses, self.comments)

    def _guess(self, what: str, because: str, change: str, *path: str) -> None:
        self.guesses.append(Guess(printable(what), printable(because), printable(change)))
        if path:
            self.comments[path] = printable(because)

    # ---- which types share a layer -------------------------------------------------------------------------

    def _plans(self) -> list[_Plan]:
        """Types that share a layer: of one kind, with features that agree."""
        plans: list[_Plan] = []
        features: dict[int, frozenset[str]] = {}
        order = sorted(self.seen.types, key=lambda t: (-len(_features(self.seen.types[t])), -self.seen.types[t].n, t))
        for kind in order:
            if kind == SEGMENT:
                plans.append(_Plan("span", [kind]))
                features[len(plans) - 1] = frozenset({SEGMENT})  # which no other type has
                continue
            if not _speakable(kind):
                self.ignored["types"].append(_pattern(kind))
                self._guess(f"type {kind!r}: left out", "its name cannot be written", "mapping.toml [ignore] types")
                continue
            seen = self.seen.types[kind]
            own, what = _features(seen), _kind_of(seen)
            for number, plan in enumerate(plans):
                if plan.kind == what and self._agree(own, features[number], kind, plan):
                    plan.types.append(kind)
                    break
            else:
                features[len(plans)] = own
                plans.append(_Plan(what, [kind]))
        for plan in plans:
            plan.types.sort()
        return sorted(plans, key=lambda p: (_ORDER.index(p.kind), p.types))

    def _agree(self, own: frozenset[str], of_plan: frozenset[str], kind: str, plan: _Plan) -> bool:
        """Whether a type may join a layer: with the same features, or, as a plain label, without some that others may lack."""
        if own == of_plan:
            return True
        labels = not any("." in name for name in (kind, *plan.types))
        always = {f for t in plan.types for f in _always(self.seen.types[t])}
        return labels and own < of_plan and len(of_plan) <= FEW_FEATURES and not (of_plan - own) & always

    def _name(self, plans: list[_Plan]) -> None:
        configs = {"articles", "records", "standoff", "primary", "default"}
        taken = _Names({*_reserved(), *_VIEWS, *configs, "article", "added_in", "changed_in"})
        taken.take("annotation_sets"), taken.take("coverage")
        keys, prefixes = _Names(set(_ITEM_NAMES)), set[str]()
        for plan in sorted(plans, key=lambda p: -len(p.types)):
            several = len(plan.types) > 1
            single = (
                _generic(plan, self.mapping["format"]) if several else _slug(plan.types[0].rpartition(".")[2] or plan.types[0])
            )
            plural = _plural(single or "item")
            plural = f"{single}_items" if plural in _SQL_PLURALS else plural
            plural = f"{plural}_layer" if plural.endswith("_rows") else plural
            plan.name = taken.take(plural)
            plan.key = keys.take(f"{single or 'item'}_id")
            plan.prefix = _prefix(plan.name, prefixes)
            prefixes.add(plan.prefix)

    # ---- a layer -------------------------------------------------------------------------------------------

    def _layer(self, plan: _Plan) -> tuple[Json, Json]:
        self.names = _Names({*_ITEM_NAMES, plan.key})
        self.where = f"schemas/{plan.name}.schema.json"
        of = plan.seen(self.seen)
        n = sum(t.n for t in of)
        listed = ", ".join(plan.types[:6]) + (", ..." if len(plan.types) > 6 else "")
        self._guess(
            f"layer {plan.name}: {listed}", f"{n:,} {_WHY[plan.kind]}{_together(plan)}",
            f"mapping.toml [layers.{plan.name}] types", "layers", plan.name,
        )  # fmt: skip
        self.properties: Json = {plan.key: {"type": "string", "description": "Local id: that of the source.", "x-key": True}}
        self.required = [plan.key]
        self.fields: dict[str, Json] = {}
        if len(plan.types) > 1:
            self._label(plan)
        self._anchors(plan, of, n)
        for name, counted in _merged(of):
            self._feature(plan, name, counted, n)
        for role in sorted({r for t in of for r in t.roles}):
            self._role(plan, role, [(k, t.roles[role]) for k, t in zip(plan.types, of, strict=True) if role in t.roles], n)
        self._identity(plan, of)
        schema = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": plan.name.replace("_", " ").capitalize(),
            "description": f"Inferred from {printable(listed)}; say here what an item means.",
            "type": "object",
            "x-prefix": plan.prefix,
            "properties": self.properties,
            "required": self.required,
            "additionalProperties": False,
        }
        says: Json = {"types": plan.types}
        if edges := sum(t.blank_edges for t in of):
            says["trim"] = True
            self._guess(f"{plan.name}: white space at the edges of spans is left out", f"{edges:,} spans have some",
                        f"mapping.toml [layers.{plan.name}] trim", "layers", plan.name, "trim")  # fmt: skip
        return schema, says | {"fields": self.fields}

    def _label(self, plan: _Plan) -> None:
        column = self.names.take("label")
        schema: Json = {"type": "string", "description": "The type in the source."}
        if all(t.isprintable() and "\\" not in t for t in plan.types):
            schema["enum"] = sorted(plan.types)
        self._put(column, schema, {"type": True})
        self.required.append(column)

    def _anchors(self, plan: _Plan, of: list[TypeSeen], n: int) -> None:
        if any(t.anchored for t in of):
            column = self.names.take("spans")
            schema: Json = {"description": "The words, in code points.", "x-span": "many"}
            if sum(t.anchored for t in of) == n >= ENOUGH:
                schema["minItems"] = 1
                self.required.append(column)
            self._put(column, schema, {"spans": ""})
        for part in sorted({p for t in of for p in t.parts}):
            if self._unwritable(plan, part, "features"):
                continue
            column = self.names.take(_slug(part) or "part")
            self._put(column, {"description": f"The words of {part!r} in the source.", "x-span": "many"}, {"spans": part})
            self._guess(f"{plan.name}.{column}: spans", f"the source marks {part!r} in the text",
                        f"mapping.toml [layers.{plan.name}.fields]")  # fmt: skip

    def _feature(self, plan: _Plan, name: str, counted: Values, n: int) -> None:
        if self._unwritable(plan, name, "features"):
            return
        if counted.kinds["table"]:
            self.ignored["features"] += [_pattern(f"{t}.{name}") for t in plan.types if name in self.seen.types[t].features]
            self._guess(f"{plan.name}: feature {name} is left out", "it holds tables, and a field holds plain values",
                        "mapping.toml [ignore] features", "ignore", "features")  # fmt: skip
            return
        column = self.names.take(_slug(name) or "feature")
        schema, because = _described(counted, f"Feature {name!r} of the source.", every=n)
        self._put(column, schema, {"feature": name} | ({"empty": [""]} if counted.blank else {}))
        if _is_required(counted, n):
            self.required.append(column)
        self.comments["layers", plan.name, "fields", column] = printable(because)
        self._guess(f"{plan.name}.{column}: {_shown(schema)}", because, f"{self.where} {column}")

    def _role(self, plan: _Plan, role: str, counted: list[tuple[str, Targets]], n: int) -> None:
        if self._unwritable(plan, role, "roles"):
            return
        types = Counter[str]()
        for _, targets in counted:
            types.update({t: c for t, c in targets.types.items() if t in self.layer_of})
        layers = sorted({self.layer_of[t] for t in types})
        lost = sum(t.dangling for _, t in counted)
        if not layers:
            self.ignored["roles"] += [_pattern(f"{kind}:{role}") for kind, _ in counted]
            self._guess(f"{plan.name}: role {role} is left out", f"none of the {lost:,} that it names is in its document",
                        "mapping.toml [ignore] roles", "ignore", "roles")  # fmt: skip
            return
        most = max(t.most for _, t in counted)
        stem = re.sub(r"_ids?$", "", _slug(role)) or "target"
        for layer in layers:
            whose = f"{stem}_id" if len(layers) == 1 else f"{stem}_{self.key_of[layer]}"
            column = self.names.take(f"{whose}{'s' if most > 1 else ''}")
            says = f"What stands in the role {role!r}" + (f", if one of {layer}." if len(layers) > 1 else ".")
            schema: Json = {"type": "array", "items": {"type": "string"}} if most > 1 else {"type": ["string", "null"]}
            schema |= {"description": says, "x-ref": layer}
            always = sum(t.nodes for _, t in counted) == n >= ENOUGH and len(layers) == 1
            if always and most == 1:
                schema["type"] = "string"
                self.required.append(column)
            self._put(column, schema, {"role": role})
            because = f"role {role} names {_listed(k for k in types if self.layer_of[k] == layer)}"
            because += f", up to {most} at once" if most > 1 else ""
            because += f"; {lost:,} that it names are not in their document" if lost else ""
            self.comments["layers", plan.name, "fields", column] = printable(because)
            self._guess(f"{plan.name}.{column}: refers to {layer}", because, f"{self.where} {column}")

    def _identity(self, plan: _Plan, of: list[TypeSeen]) -> None:
        """Who annotated an item, and what the source calls it, where that does not go without saying."""
        if len(self.seen.annotators) > 1 and plan.types != [SEGMENT]:
            column = self.names.take("annotation_set_id")
            schema = {"type": "string", "description": "Whose annotation it is.", "x-ref": "annotation_sets"}
            self._put(column, schema, {"annotator": True})
            self.required.append(column)
        mixed = any(t.n > t.bare_ids for t in self.seen.types.values())
        if any(t.odd_ids or (t.bare_ids and mixed) for t in of):
            column = self.names.take("source_id")
            self._put(column, {"type": "string", "description": "Id in the source.", "x-withheld": True}, {"id": True})
            self.required.append(column)
            self._guess(f"{plan.name}.{column}: the id in the source", "ids of the source cannot all be keys as they are",
                        f"{self.where} {column}")  # fmt: skip

    def _put(self, column: str, schema: Json, source: Json) -> None:
        self.properties[column] = {**schema, "description": printable(schema["description"])}
        self.fields[column] = source

    def _unwritable(self, plan: _Plan, name: str, what: str) -> bool:
        """Whether a name has characters that no TOML file can hold, so that a pattern has to ignore it."""
        if _speakable(name):
            return False
        mark = ":" if what == "roles" else "."
        self.ignored[what] += [_pattern(f"{kind}{mark}{name}") for kind in plan.types]
        self._guess(f"{plan.name}: {name!r} is left out", "its name cannot be written", f"mapping.toml [ignore] {what}")
        return True

    # ---- the article ---------------------------------------------------------------------------------------

    def _article(self, layers: set[str]) -> tuple[Json, Json]:
        names = _Names({*_reserved(), *layers, "added_in", "changed_in", "annotation_sets", "coverage"})
        properties: Json = {}
        article: Json = {}
        self.splits: Json = {}
        for key, counted in sorted(self.seen.metadata.items()):
            if not counted.n and not counted.blank:
                continue
            if not _speakable(key) or counted.kinds["table"]:
                self.ignored["features"].append(_pattern(f"document.{key}"))
                self._guess(f"metadata {key!r} is left out", "it holds tables, or its name cannot be written",
                            "mapping.toml [ignore] features")  # fmt: skip
                continue
            source = {"metadata": key} | ({"empty": [""]} if counted.blank else {})
            if _slug(key) in _SPLIT_KEYS and self._is_split(counted):
                self._split_metadata(key, counted)
            elif _slug(key) in ("lang", "language") and "language" not in article and _is_language(counted):
                article["language"] = source
                self._guess("article.language", f"metadata {key} holds language tags", "mapping.toml [article] language")
            else:
                column = names.take(_slug(key) or "metadata")
                schema, because = _described(counted, f"Metadata {key!r} of the source.", every=self.seen.documents)
                properties[column] = {**schema, "description": printable(schema["description"])}
                article[column] = source
                self.comments["article", column] = printable(because)
                self._guess(f"article.{column}: {_shown(schema)}", because, f"schemas/article.schema.json {column}")
        made = {
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Articles",
            "description": "One text with what the source says of it.", "type": "object", "properties": properties,
            "additionalProperties": False,
        }  # fmt: skip
        return made, article

    def _is_split(self, counted: Values) -> bool:
        fits = all(v.lower() in SPLIT_NAMES or re.fullmatch("(?!all$)[a-z][a-z0-9_]*", v) for v in counted.distinct)
        return fits and not counted.many and not counted.lists and counted.n == self.seen.documents

    def _split_metadata(self, key: str, counted: Values) -> None:
        values = {v: SPLIT_NAMES[v.lower()] for v in sorted(counted.distinct) if SPLIT_NAMES.get(v.lower(), v) != v}
        self.splits = {"metadata": key} | ({"values": values} if values else {})
        self._note_splits(f"metadata {key} is {_listed(counted.distinct)}")

    def _splits(self, article: Json) -> None:
        """Official splits, if every document has one: by metadata, else by folder, else by list."""
        if self.splits or not self.seen.names:
            return
        folders = _split_folders(self.seen.names)
        if folders is not None:
            self.splits = {"folders": folders}
            self._note_splits(f"every document lies in a folder {_listed(folders)}")
            return
        named = {file: {line.strip() for line in lines if line.strip()} for file, lines in self.lists.items()}
        found = {name for names in named.values() for name in names}
        if named and all(name in found or name.rpartition("/")[2] in found for name in self.seen.names):
            by_split = {split_of_list(file): file for file in sorted(named)}
            if len(by_split) == len(named):
                self.splits = {"lists": by_split}
                self._note_splits(f"every document is named in {_listed(named)}")

    def _note_splits(self, because: str) -> None:
        self._guess("splits: as given", because, "mapping.toml [splits], pyproject.toml [tool.dateline.splits] mode", "splits")

    def _note_annotation(self) -> None:
        self._guess("annotators: HUMAN" + ("" if self.seen.annotators - {""} else ", called unknown"),
                    "the source does not say who annotated: correct it", "mapping.toml [annotation]", "annotation")  # fmt: skip
        for name in self.mapping.get("layers", {}):
            self.comments["layers", name, "coverage"] = "FULL: nothing left out; say so if only part of each text was annotated"
        if self.mapping.get("layers"):
            segments = ", or the number of sentences from the start" if self.seen.segmented else ""
            self._guess("coverage: each text was annotated from end to end", "the source does not say otherwise",
                        f'mapping.toml [layers.*] coverage = "FULL" or "NONE"{segments}')  # fmt: skip
        if not self.splits:
            self._guess(
                "splits: computed, 80 % train, 10 % validation, 10 % test, near-duplicates together",
                "no folders, lists or metadata give every document one", "pyproject.toml [tool.dateline.splits]",
            )  # fmt: skip


# ---- kinds of types ------------------------------------------------------------------------------------------

_ORDER = ("span", "event", "relation", "thing")
_WHY = {
    "span": "anchored in the text, without roles",
    "event": "anchored in the text, with roles",
    "relation": "with roles, not anchored in the text",
    "thing": "neither anchored in the text nor with roles",
}


def _kind_of(seen: TypeSeen) -> str:
    anchored = bool(seen.anchored or seen.parts)
    if seen.roles:
        return "event" if anchored else "relation"
    return "span" if anchored else "thing"


def _features(seen: TypeSeen) -> frozenset[str]:
    """What tells types apart: their features that ever said something, and their parts."""
    return frozenset(name for name, v in seen.features.items() if v.n or v.blank) | frozenset(f" {p}" for p in seen.parts)


def _always(seen: TypeSeen) -> set[str]:
    """The features and parts that every one of many nodes has."""
    counts = {name: v.n for name, v in seen.features.items()} | {f" {p}": n for p, n in seen.parts.items()}
    return {name for name, n in counts.items() if n == seen.n >= ENOUGH}


def _together(plan: _Plan) -> str:
    return "; their features agree, so they share a layer, apart by label" if len(plan.types) > 1 else ""


def _generic(plan: _Plan, format_name: str) -> str:
    """What items of several types are called together, in the singular."""
    if plan.kind == "span":
        known = sum(_slug(t) in _ENTITY_LABELS for t in plan.types)
        return "entity" if format_name == "brat" or 2 * known >= len(plan.types) else "span"
    return {"event": "event", "relation": "relation", "thing": "item"}[plan.kind]


# ---- fields --------------------------------------------------------------------------------------------------


def _merged(of: list[TypeSeen]) -> Iterator[tuple[str, Values]]:
    """The features of several types, those of one name counted together."""
    for name in sorted({f for t in of for f in t.features}):
        found = [t.features[name] for t in of if name in t.features]
        made = Values(longest_list=max(v.longest_list for v in found), many=any(v.many for v in found))
        for values in found:
            for counter in ("n", "blank", "lists", "quotes"):
                setattr(made, counter, getattr(made, counter) + getattr(values, counter))
            made.no_label |= values.no_label
            made.kinds.update(values.kinds)
            made.distinct.update(values.distinct)
        if made.n or made.blank:
            yield name, made


def _described(counted: Values, description: str, *, every: int) -> tuple[Json, str]:
    """The schema of a field that holds such values, and why."""
    kind, more, why = _type(counted)
    schema: Json = {"type": kind, **({"enum": more} if more else {})}
    if counted.lists:
        schema = {"type": "array", "items": schema}
        why += f"; lists of up to {counted.longest_list}"
    elif not _is_required(counted, every):
        schema["type"] = [kind, "null"]
        schema |= {"enum": [*more, None]} if more else {}
    schema["description"] = description
    if kind == "string" and not more:
        schema["x-withheld"] = True
    return schema, f"{why}, in {counted.n:,} of {every:,}"


def _type(counted: Values) -> tuple[str, list[str], str]:
    """The type of single values, their labels if they are such, and why."""
    kinds = {kind for kind, n in counted.kinds.items() if n}
    if kinds == {"boolean"}:
        return "boolean", [], "true or false"
    if kinds and kinds <= {"integer", "long integer"}:
        return "integer", [], "whole numbers"
    if kinds and kinds <= {"integer", "number"}:
        return "number", [], "numbers"
    n, distinct = sum(counted.kinds.values()), len(counted.distinct)
    if counted.many or distinct > _MOST_LABELS:
        return "string", [], f"more than {_MOST_LABELS} different values"
    if counted.no_label:
        return "string", [], "values that are no labels (long, or with odd characters)"
    if counted.quotes * 100 > n:
        return "string", [], f"{counted.quotes:,} of {n:,} values repeat words of the text"
    if not distinct or n < 2 * distinct:
        return (
            "string",
            [],
            f"{distinct} different values, hardly any of them twice" if distinct > 1 else "too few values for labels",
        )
    return "string", sorted(counted.distinct), f"{distinct} different values, so labels" if distinct > 1 else "one value, a label"


_MOST_LABELS = 30


def _is_required(counted: Values, every: int) -> bool:
    return counted.n == every >= ENOUGH and not counted.blank


def _shown(schema: Json) -> str:
    """A field's type in a few words."""
    inner = schema.get("items", schema)
    kind = inner["type"][0] if isinstance(inner["type"], list) else inner["type"]
    labels = [v for v in inner.get("enum", ()) if v is not None]
    says = (
        f"one of {len(labels)} label{'s' * (len(labels) > 1)}"
        if labels
        else "free text, withheld where the text is"
        if kind == "string"
        else kind
    )
    says = f"list, each {says}" if "items" in schema else says
    optional = isinstance(schema["type"], list)
    return says + (", or null" if optional else "")


def _is_language(counted: Values) -> bool:
    return not counted.many and not counted.lists and bool(counted.distinct) and all(map(FORMATS["bcp47"], counted.distinct))


# ---- splits --------------------------------------------------------------------------------------------------


def _split_folders(names: Sequence[str]) -> dict[str, str] | None:
    """Folder to split, if each document lies below exactly one folder of such a name, and there are two splits."""
    found: dict[str, str] = {}
    for name in names:
        folders = [f for f in name.split("/")[:-1] if f.lower() in SPLIT_NAMES]
        if len(folders) != 1:
            return None
        found[folders[0]] = SPLIT_NAMES[folders[0].lower()]
    return dict(sorted(found.items())) if len(set(found.values())) > 1 else None


def split_of_list(file: str) -> str | None:
    """The split that a file of names is about, by its own name; None if it is no such file."""
    stem, _, suffix = file.rpartition("/")[2].lower().rpartition(".")
    return SPLIT_NAMES.get(stem) if suffix in ("txt", "lst", "list", "ids") else None


# ---- names ---------------------------------------------------------------------------------------------------


@functools.cache
def _reserved() -> frozenset[str]:
    """The fields and columns of an article that are the engine's."""
    article = schemas_from({}).article
    return frozenset({f.name for f in article.fields} | set(article.schema["properties"]))


class _Names:
    """Names that are taken; each new one is made unique."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)

    def take(self, wanted: str) -> str:
        name, n = wanted, 1
        while name in self.taken:
            n += 1
            name = f"{wanted}_{n}"
        self.taken.add(name)
        return name


def _slug(name: str) -> str:
    """A name as a lower-case identifier; "" if nothing of it is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    slug = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")[:40].strip("_")
    return f"x_{slug}" if slug[:1].isdecimal() else slug


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in ("a", "e", "i", "o", "u", ""):
        return f"{word[:-1]}ies"
    if word.endswith(("ss", "x", "z", "ch", "sh")):
        return f"{word}es"
    return word if word.endswith("s") else f"{word}s"


def _prefix(name: str, taken: set[str]) -> str:
    """Letters that stand before the number of an item, which no other layer has."""
    letters = re.sub(r"[^a-z]", "", name) or "x"
    initials = "".join(part[0] for part in re.split(r"[_0-9]+", name) if part) or "x"
    starts = (letters[:n] for n in range(1, len(letters) + 1))
    more = (letters + "x" * n for n in range(1, len(taken) + 2))
    return next(t for t in (initials, *starts, *more) if t not in taken)


def _speakable(name: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in name)


def _pattern(name: str) -> str:
    """A pattern of [ignore] for one name: what patterns read otherwise is in brackets, what no file holds is any character."""
    escaped = re.sub(r"([*?\[])", r"[\1]", name)
    return re.sub("[\ud800-\udfff]", "?", escaped)


def _listed(names: Iterable[str]) -> str:
    found = sorted(names)
    return ", ".join(found[:6]) + (", ..." if len(found) > 6 else "")
