"""schemas/*.json, the only place where a field is written, and what follows from it.

A file `schemas/<layer>.schema.json` (JSON Schema 2020-12) describes the items of one annotation layer; dropping it in
makes a layer, a table and a config. `schemas/article.schema.json` describes the article itself. The engine's own
fields and layers (`src/dateline/reserved/`) are written in the same form and read in the same way.

What a schema may say, and what is refused, is in dateline.schema_check. Own keywords, all on properties unless said otherwise:

- `x-key: true`            the layer's local id (exactly one per layer)
- `x-ref: "<layer>"`       a string or list of strings that must be keys of that layer
- `x-acyclic: true`        following this reference never comes back
- `x-span: "many" | "one"` a list of spans, or one span or null; a span is {start, end, surface?}
- `x-within: {via, spans}` these spans lie inside the spans field `spans` of the item that `via` refers to (null: of this item)
- `x-withheld: true`       carries text; null where the text is withheld
- `x-derive: {from, map}`  a column computed from other columns; may not stand in a record
- `x-ordered: true`        a label whose enumeration is a scale, lowest first (for ordinal agreement)
- `x-decimal: [p, s]`      a number kept as an exact decimal of p digits, s of them behind the point
- `x-column: "<name>"`     column name of a nested article field (default: parent_child; null: it becomes no column)
- `x-table: "corpus"`      (on the schema) a corpus-level table, read from seeds/tables/
- `x-prefix: "<p>"`        (on the schema) prefix of ids that importers give

Laws that an item must keep (compile/laws.py decides them):

- `x-rules: [...]`         (on the schema) {id, says, hint, if?, then, else?, equal?, level?}: where `if` holds, the item meets
                           `then`, and the numbers in the fields `equal` are the same; elsewhere it meets `else`
- `x-ascending: [[...]]`   (on the schema) fields whose values, where given, do not descend
- `x-covers: {field, values}` (on the schema) the spans of items with such a value cover all of the text but white space
- `x-outside: [...]`       (on spans) they share no character with these other spans fields of the item
- `x-depth: "<reference>"` (on an integer) 1 without parent, else the parent's value + 1
- `x-quotes: {...}`        (on a label) how quotation marks stand in a spans field under each label
- `x-target: {field, values}` (on a reference) the item referred to has one of these values
- `x-present: {via, field, values}` the field is not null exactly if the item that `via` refers to has one of these values
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import pyarrow as pa

from dateline.errors import SchemaError
from dateline.formats import FORMATS
from dateline.schema_check import check_form, check_links, check_names, check_schema, narrow, not_valid

Json = dict[str, Any]

SPAN_SCHEMA: Json = {
    "type": "object",
    "description": "A half-open stretch [start, end) of the text, in Unicode code points.",
    "properties": {
        "start": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "description": "First code point."},
        "end": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "description": "Code point after the last."},
        "surface": {"type": ["string", "null"], "description": "The words; null where the text is withheld."},
    },
    "required": ["start", "end"],
    "additionalProperties": False,
}
SPAN_TYPE = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("surface", pa.string())])
_SUFFIX = ".schema.json"
_ENGINE_COLUMNS = dict.fromkeys(("added_in", "changed_in"), "the engine")
_ENGINE_TABLES = {"articles", "records", "standoff", "primary", "default", "article_id", *_ENGINE_COLUMNS}


# ---- fields and layers ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """One column of a table: its name, where it stands in the JSON item, its schema and what is derived from it."""

    name: str
    path: tuple[str, ...]
    schema: Json
    type: pa.DataType

    @property
    def description(self) -> str:
        """What the field means, with its unit."""
        return str(self.schema.get("description", ""))

    @functools.cached_property
    def ref(self) -> str | None:
        """The layer whose keys this field holds."""
        return self.schema.get("x-ref")

    @functools.cached_property
    def kinds(self) -> Set[str]:
        """The JSON types that the schema admits; a string, where it names none."""
        return _kinds(self.schema)

    @functools.cached_property
    def item_kinds(self) -> Set[str]:
        """The JSON types of the items of a list field."""
        return _kinds(self.schema.get("items", {}))

    @functools.cached_property
    def span(self) -> str | None:
        """ "many", "one", "nested" (lists of lists) or None."""
        if "x-span" in self.schema:
            return str(self.schema["x-span"])
        return "nested" if "x-span" in self.schema.get("items", {}) else None

    @functools.cached_property
    def derive(self) -> Json | None:
        """How a computed column follows from others."""
        return self.schema.get("x-derive")

    @functools.cached_property
    def withheld(self) -> bool:
        """Whether the whole field is null where the text is withheld."""
        return bool(self.schema.get("x-withheld"))

    @functools.cached_property
    def labels(self) -> list[str] | None:
        """The label set, in its frozen order, of a field (or list field) with an enumeration of strings."""
        return _labels(self.schema) or _labels(self.schema.get("items", {}))

    @functools.cached_property
    def is_list(self) -> bool:
        """Whether the column holds lists."""
        return bool(pa.types.is_list(self.type))

    def value_of(self, item: Json) -> Any:
        """The field's value in an item of its layer; None where it, or an object around it, is missing."""
        if len(self.path) == 1 and isinstance(item, dict):
            return item.get(self.path[0])
        value: Any = item
        for step in self.path:
            if not isinstance(value, dict):
                return None
            value = value.get(step)
        return value

    @functools.cached_property
    def nullable(self) -> bool:
        """Whether the schema admits null."""
        kind = self.schema.get("type", [])
        return self.schema.get("x-span") == "one" or (isinstance(kind, list) and "null" in kind)


@dataclass(frozen=True)
class SchemaRule:
    """One entry of `x-rules`: a law of a layer's items, written where the layer is."""

    id: str
    says: str
    hint: str
    level: str
    equal: tuple[str, ...]
    law: Json
    validator: jsonschema_rs.Draft202012Validator
    applies: jsonschema_rs.Draft202012Validator | None


@dataclass(frozen=True)
class Layer:
    """One table: the article itself, an annotation layer, or a corpus-level table."""

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]
    schema: Json
    corpus_level: bool = False

    @functools.cached_property
    def key(self) -> Field:
        """The field with `x-key`."""
        return next(f for f in self.fields if f.schema.get("x-key"))

    @functools.cached_property
    def rules(self) -> tuple[SchemaRule, ...]:
        """The layer's own laws."""
        return tuple(_schema_rule(written) for written in self.schema.get("x-rules", ()))

    @functools.cached_property
    def references(self) -> tuple[Field, ...]:
        """The fields that hold keys of other items."""
        return tuple(f for f in self.fields if f.ref)

    @functools.cached_property
    def spanned(self) -> tuple[Field, ...]:
        """The fields that hold spans."""
        return tuple(f for f in self.fields if f.span)

    @functools.cached_property
    def numeric(self) -> tuple[Field, ...]:
        """The fields that hold decimals, floats or whole numbers, also in lists and objects."""
        return tuple(f for f in self.fields if "x-decimal" in f.schema or any(k in str(f.type) for k in ("double", "int64")))

    @property
    def prefix(self) -> str:
        """Prefix of ids given by importers."""
        return str(self.schema.get("x-prefix", self.name[0]))

    @functools.cached_property
    def _by_name(self) -> dict[str, Field]:
        return {f.name: f for f in reversed(self.fields)}

    def __getitem__(self, column: str) -> Field:
        if found := self._by_name.get(column):
            return found
        raise KeyError(f"{self.name} has no column {column!r}; it has {', '.join(f.name for f in self.fields)}")


@dataclass(frozen=True)
class Schemas:
    """All that schemas/ says: the article, its layers by name, the corpus-level tables by name."""

    article: Layer
    layers: Mapping[str, Layer]
    tables: Mapping[str, Layer]
    sources: Mapping[str, bytes] = field(repr=False)

    @functools.cached_property
    def record_schema(self) -> Json:
        """JSON Schema of a whole record: article fields and one array per layer, nothing else."""
        properties = dict(self.article.schema["properties"])
        for layer in self.layers.values():
            # with an id of its own, references inside a layer's schema stay inside it
            items = {**layer.schema, "$id": f"urn:dateline:{layer.name}"}
            properties[layer.name] = {"type": "array", "items": items, "description": layer.description}
        return {**self.article.schema, "properties": properties, "additionalProperties": False}

    @functools.cached_property
    def record_validator(self) -> jsonschema_rs.Draft202012Validator:
        """Compiled validator of a whole record."""
        return validator_of(self.record_schema)

    @functools.cached_property
    def table_validators(self) -> Mapping[str, jsonschema_rs.Draft202012Validator]:
        """Compiled validators of the rows of corpus-level tables, by table."""
        return {name: validator_of(layer.schema) for name, layer in self.tables.items()}

    def known_fields(self, pointer: list[str | int]) -> list[str]:
        """Names that the schema knows at a place of a record."""
        node: Json = self.record_schema
        for step in pointer:
            node = _expand(node)
            node = node.get("items", {}) if isinstance(step, int) else node.get("properties", {}).get(step, {})
        return list(_expand(node).get("properties", {}))


# ---- loading -------------------------------------------------------------------------------------------------


def load_schemas(folder: Path) -> Schemas:
    """Read every `*.schema.json` of `folder` beside the engine's reserved ones.

    Raises SchemaError for a file that is not JSON, not JSON Schema, or does not describe a table.
    """
    if not folder.is_dir():
        raise SchemaError(f"{folder}: no such folder; a project keeps one JSON Schema per layer there")
    try:
        sources = {p.name.removesuffix(_SUFFIX): p.read_bytes() for p in sorted(folder.glob("*" + _SUFFIX))}
    except OSError as fault:
        raise SchemaError(f"{fault.filename}: cannot be read: {fault.strerror}") from None
    return schemas_from(sources, where=str(folder))


def schemas_from(sources: Mapping[str, bytes], *, where: str = "schemas") -> Schemas:
    """The schemas of a project from the bytes of its files, by name without suffix (as workers receive them)."""
    own = {name: _parse(f"{where}/{name}{_SUFFIX}", raw) for name, raw in sources.items()}
    reserved = {
        p.name.removesuffix(_SUFFIX): _parse(p.name, p.read_bytes())
        for p in sorted((resources.files("dateline") / "reserved").iterdir(), key=lambda p: p.name)
        if p.name.endswith(_SUFFIX)
    }
    article = _article(reserved.pop("article"), own.pop("article", {}), f"{where}/article{_SUFFIX}")
    layers: dict[str, Layer] = {}
    tables: dict[str, Layer] = {}
    taken = {f.name for f in article.fields} | set(article.schema["properties"]) | _ENGINE_TABLES
    for name, schema in {**reserved, **own}.items():
        file = f"{where}/{name}{_SUFFIX}"
        if name in reserved and name in own:
            raise SchemaError(f"{file}: the layer {name!r} is reserved by the engine; choose another name")
        if not name.isidentifier() or name != name.lower():
            raise SchemaError(f"{file}: a layer's name is lower-case letters, digits and _, as it names a table")
        if name in taken:
            raise SchemaError(f"{file}: the name {name!r} is taken by an article field, or a column or config of the engine")
        layer = _layer(name, schema, file)
        (tables if layer.corpus_level else layers)[name] = layer
    columns = {layer.name: {f.name: f.schema for f in layer.fields} for layer in [article, *layers.values(), *tables.values()]}
    for layer in [article, *layers.values(), *tables.values()]:
        check_links(layer.name, layer.schema, columns, set(layers), f"{where}/{layer.name}{_SUFFIX}")
    return Schemas(article, dict(sorted(layers.items())), dict(sorted(tables.items())), dict(sources))


def _parse(file: str, raw: bytes) -> Json:
    try:
        schema = json.loads(raw, object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError) as fault:
        raise SchemaError(f"{file}: is not valid JSON: {fault}") from None
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        raise SchemaError(f'{file}: expected a JSON Schema of an object with "properties"')
    return schema


def _object(pairs: list[tuple[str, Any]]) -> Json:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"an object has the key {next(n for n in names if names.count(n) > 1)!r} twice")
    return made


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON number")


def _article(reserved: Json, own: Json, file: str) -> Layer:
    if own:
        check_form(own, file)
    return _layer("article", narrow(reserved, own, file), file)


def _layer(name: str, written: Json, file: str) -> Layer:
    check_schema(written, file, article=name == "article")
    schema = _closed(written)
    fields = tuple(_fields(schema, (), file))
    corpus_level = "x-table" in schema
    added = _ENGINE_COLUMNS if name == "article" or corpus_level else {"article_id": "the engine"}
    check_names([f.name for f in fields], added, file)
    try:
        validator_of(schema)
    except (ValueError, jsonschema_rs.ReferencingError) as fault:
        raise SchemaError(not_valid(file, fault, schema)) from None
    return Layer(name, schema.get("title", name), schema.get("description", ""), fields, schema, corpus_level)


def _closed(schema: Json) -> Json:
    """The schema with what goes without saying: objects are objects and hold described fields only, an item has its key."""
    if "properties" in schema:
        properties = {name: _closed(prop) for name, prop in schema["properties"].items()}
        keys = [name for name, prop in properties.items() if "x-key" in prop]
        required = list(dict.fromkeys([*schema.get("required", ()), *keys]))
        return {"type": "object", **schema, "properties": properties, "required": required, "additionalProperties": False}
    if "items" in schema:
        return {**schema, "items": _closed(schema["items"])}
    return schema


def _fields(schema: Json, path: tuple[str, ...], file: str) -> Iterator[Field]:
    for name, prop in schema["properties"].items():
        here = (*path, name)
        if "x-withheld" in schema:
            prop = {**prop, "x-withheld": True}
        if "properties" in prop:
            yield from _fields(prop, here, file)
        elif (column := prop.get("x-column", "_".join(here))) is not None:
            yield Field(column, here, prop, _arrow(prop, file, here))


# ---- what follows from a field -------------------------------------------------------------------------------


def _arrow(schema: Json, file: str, path: tuple[str, ...]) -> pa.DataType:
    if "x-span" in schema:
        return SPAN_TYPE if schema["x-span"] == "one" else pa.list_(SPAN_TYPE)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), None)
    if kind == "array" and "items" in schema:
        return pa.list_(_arrow(schema["items"], file, path))
    if kind == "object" and "properties" in schema:
        return pa.struct([(k, _arrow(v, file, (*path, k))) for k, v in schema["properties"].items()])
    if kind == "number" and "x-decimal" in schema:
        return pa.decimal128(*schema["x-decimal"])
    if kind == "string" and schema.get("format") == "date":
        return pa.date32()
    simple = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
    if kind not in simple:
        raise SchemaError(f"{file}: {'.'.join(path)}: no column type follows from type {kind!r}; "
                          f"use {', '.join(simple)}, array with items, object with properties, or x-span")  # fmt: skip
    return simple[kind]


def _kinds(schema: Json) -> frozenset[str]:
    kind = schema.get("type", "string")
    return frozenset({kind} if isinstance(kind, str) else kind)


def _labels(schema: Json) -> list[str] | None:
    enum = schema.get("enum")
    return [v for v in enum if v is not None] if enum and all(v is None or isinstance(v, str) for v in enum) else None


def feature(name: str, kind: pa.DataType, schema: Json) -> Json:
    """One entry of the card's `features` (the YAML form of Hugging Face `Features`) for a column.

    Labels, stored as words, are declared as ClassLabel; loaders cast them.
    """
    if names := _labels(schema):
        return {"name": name, "dtype": {"class_label": {"names": {str(i): label for i, label in enumerate(names)}}}}
    if pa.types.is_list(kind):
        inner = feature("", kind.value_type, schema.get("items", {}))
        if "list" in inner:
            return {"name": name, "list": {"list": inner["list"]}}
        return {"name": name, "list": inner.get("dtype") or inner["struct"]}
    if pa.types.is_struct(kind):
        properties = schema.get("properties", {})
        return {"name": name, "struct": [feature(f.name, f.type, properties.get(f.name, {})) for f in kind]}
    return {"name": name, "dtype": _dtype(kind)}


def _dtype(kind: pa.DataType) -> str:
    names = {pa.string(): "string", pa.bool_(): "bool", pa.float64(): "float64", pa.date32(): "date32"}
    return names.get(kind, str(kind))


# ---- validation ----------------------------------------------------------------------------------------------


def _expand(schema: Json) -> Json:
    """The schema with `x-span` spelled out, as a validator needs it."""
    if schema.get("x-span") == "one":
        return {**SPAN_SCHEMA, **schema, "type": ["object", "null"]}
    if schema.get("x-span") == "many":
        return {"type": "array", "items": SPAN_SCHEMA, **schema}
    if "integer" in (schema.get("type") or ()):
        return {"minimum": -(2**63), "maximum": 2**63 - 1, **schema}
    return schema


def expanded(node: Any) -> Any:
    """A schema, or a part of one, with what our own keywords and the types of columns ask of values."""
    if isinstance(node, dict):
        if "properties" in node and isinstance(node["properties"], dict):
            kept = {k: v for k, v in node["properties"].items() if not (isinstance(v, dict) and "x-derive" in v)}
            node = {**node, "properties": kept}
        return {k: expanded(v) for k, v in _expand(node).items()}
    return [expanded(v) for v in node] if isinstance(node, list) else node


def validator_of(schema: Json) -> jsonschema_rs.Draft202012Validator:
    """The compiled validator of a schema as it is written, own keywords and formats included."""
    return jsonschema_rs.Draft202012Validator(expanded(schema), validate_formats=True, formats=FORMATS)


def _schema_rule(written: Json) -> SchemaRule:
    law: Json = {key: written[key] for key in ("if", "then", "else") if key in written}
    if "if" not in law:  # a bare "then" holds for every item
        law = law.get("then", {})
    return SchemaRule(
        id=written["id"],
        says=written["says"],
        hint=written.get("hint", ""),
        level=written.get("level", "error"),
        equal=tuple(written.get("equal", ())),
        law=law,
        validator=jsonschema_rs.Draft202012Validator(law),
        applies=jsonschema_rs.Draft202012Validator(written["if"]) if "if" in written else None,
    )
