"""The mapping that any project has without writing one, for records that go out to a tool and come back; and mappings as TOML.

Each layer is a type of that name, its references are roles, its further spans are parts, the rest are features. Where a layer
says in one field what kind of thing an item is (`label`, `type`, `kind`, or `mention_type` beside the key `mention_id`), its
labels are the types, because that is what annotators see in their tools; unless a label is also another layer's type.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from dateline.mapping.file import Mapping, as_toml_value, mapping_from
from dateline.schema import Field, Json, Layer, Schemas

OWN_LAYERS = ("annotation_sets", "coverage")
"""Layers that importers fill, by what a mapping says of annotators and coverage."""


def canonical_mapping(schemas: Schemas, format_name: str, *, name: str = "the project's layers") -> Mapping:
    """The mapping for records of a project to documents of any format, and back."""
    layers = [layer for layer in schemas.layers.values() if layer.name not in OWN_LAYERS]
    kinds = {layer.name: kind for layer in layers if (kind := _kind(layer)) is not None}
    types = Counter(layer.name for layer in layers)
    types.update(label for kind in kinds.values() for label in kind.labels or ())
    written: Json = {"format": format_name, "article": {}, "layers": {}}
    for field in schemas.article.fields:
        if field.path[0] not in ("article_id", "text") and _is_plain(field):
            written["article"][field.name] = {"metadata": field.name}
    for layer in layers:
        kind = kinds.get(layer.name)
        if kind is not None and any(types[label] > 1 for label in kind.labels or ()):
            kind = None
        written["layers"][layer.name] = {
            "types": [layer.name] if kind is None else kind.labels,
            "fields": _fields(layer, kind, {layer.name for layer in layers}),
        }
    return mapping_from(written, schemas, name=name)


def unmapped_fields(mapping: Mapping) -> list[str]:
    """The fields `layer.column` that a mapping says nothing of, though records may have them; whole layers by their name."""
    left = []
    for name in mapping.all_layers:
        if name not in mapping.layers:
            left.append(name)
            continue
        mapped = mapping.layers[name]
        own = (f for f in mapped.layer.fields if not f.derive and f is not mapped.layer.key)
        left += [f"{name}.{f.name}" for f in own if f.name not in mapped.fields]
    return left


def _kind(layer: Layer) -> Field | None:
    """The field whose labels are types, if there is exactly one."""
    names = {"label", "type", "kind", layer.key.name.removesuffix("_id") + "_type"}
    found = [f for f in layer.fields if f.name in names and _is_kind(f, layer)]
    return found[0] if len(found) == 1 else None


def _is_kind(field: Field, layer: Layer) -> bool:
    required = field.path[0] in layer.schema.get("required", ()) and len(field.path) == 1
    return required and field.schema.get("type") == "string" and bool(field.labels)


def _fields(layer: Layer, kind: Field | None, layers: set[str]) -> Json:
    main = _main_spans(layer)
    made: Json = {}
    for field in layer.fields:
        if field is layer.key or field.derive or field.span == "nested":
            continue
        if field.span:
            made[field.name] = {"spans": "" if field is main else field.name}
        elif field.ref == OWN_LAYERS[0]:
            made[field.name] = {"annotator": True}
        elif field.ref in layers:
            made[field.name] = {"role": field.name}
        elif field is kind:
            made[field.name] = {"type": True}
        elif _is_plain(field):
            made[field.name] = {"feature": field.name}
    return made


def _main_spans(layer: Layer) -> Field | None:
    """The spans that are a node's own: `spans`, else the first that no item lacks, else the first."""
    spanned = [f for f in layer.fields if f.span in ("many", "one")]
    required = layer.schema.get("required", ())
    order = sorted(spanned, key=lambda f: (f.name not in ("spans", "span"), f.path[0] not in required or not _has_least(f)))
    return order[0] if order else None


def _has_least(field: Field) -> bool:
    return field.span == "one" or int(field.schema.get("minItems", 0)) > 0


def _is_plain(field: Field) -> bool:
    """Whether a feature can hold the field: a plain value, or a list of them."""
    kind = field.schema.get("items", {}).get("type", "") if _has_type(field.schema, "array") else field.schema.get("type", "")
    return not {"array", "object"} & ({kind} if isinstance(kind, str) else set(kind))


def _has_type(schema: Json, name: str) -> bool:
    kind = schema.get("type", "")
    return kind == name or (isinstance(kind, list) and name in kind)


# ---- as TOML -------------------------------------------------------------------------------------------------


def mapping_toml(mapping: Mapping, head: str = "") -> str:
    """A mapping as a file that `read_mapping` reads; `head` becomes its comment."""
    lines = [f"# {line}".rstrip() for line in head.splitlines()]
    lines += [f"format = {_toml(mapping.format)}", ""]
    tables: dict[str, Json] = {
        "options": dict(mapping.options),
        "article": {column: as_toml_value(source) for column, source in mapping.article.items()},
        "rights": dict(mapping.rights),
        "annotation": {name: value for name, value in asdict(mapping.annotation).items() if value is not None},
        "splits": {name: value for name, value in asdict(mapping.splits).items() if value},
    }
    for name, layer in mapping.layers.items():
        tables[f"layers.{name}"] = {"types": list(layer.types), "coverage": layer.coverage, "trim": layer.trim}
        tables[f"layers.{name}.fields"] = {column: as_toml_value(source) for column, source in layer.fields.items()}
    tables |= {f"links.{_toml_key(name)}": asdict(link) for name, link in mapping.links.items()}
    tables["ignore"] = {name: value for name, value in asdict(mapping.ignore).items() if value}
    for name, table in tables.items():
        if table:
            lines += [f"[{name}]", *(f"{_toml_key(key)} = {_toml(value)}" for key, value in table.items()), ""]
    for each in mapping.tables:
        given = {key: value for key, value in asdict(each).items() if value is not None}
        lines += ["[[tables]]", *(f"{key} = {_toml(value)}" for key, value in given.items()), ""]
    return "\n".join(lines)


def _toml_key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "a").replace("-", "a").isalnum() else _toml(key)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml_key(str(key))} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    # JSON's strings, numbers and truth values are TOML's, but for one control character
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
