"""What a schema file must keep before anything follows from it: a keyword that nobody reads is refused, not ignored.

`check_schema` looks at one schema alone, `check_links` at what its keywords say of other fields and layers. Both take
plain JSON and raise SchemaError, one line that names file and property. `narrow` lays a project's own article schema over
the reserved one.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn
from urllib.parse import unquote

import jsonschema_rs

from dateline.errors import SchemaError
from dateline.formats import FORMATS

Json = dict[str, Any]

SCHEMA_KEYWORDS = ("x-table", "x-prefix", "x-rules", "x-ascending", "x-covers")
"""Own keywords that stand on a schema."""
FIELD_KEYWORDS = ("x-key", "x-withheld", "x-derive", "x-decimal", "x-column", "x-ordered")
"""Own keywords that stand on a property of any schema."""
LAYER_KEYWORDS = (
    "x-ref", "x-acyclic", "x-span", "x-within", "x-outside", "x-depth", "x-quotes", "x-target", "x-present",
)  # fmt: skip
"""Own keywords that are decided among the items of one article, so only for its layers."""
KEYWORDS = (*SCHEMA_KEYWORDS, *FIELD_KEYWORDS, *LAYER_KEYWORDS)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ALLOWED_FORMATS = (*FORMATS, "date")
_WORDS = {"title", "description", "$comment", "examples", "default", "deprecated", "readOnly", "writeOnly"}
_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLES = (
    "not", "if", "then", "else", "items", "contains", "additionalProperties", "unevaluatedItems", "unevaluatedProperties",
    "propertyNames", "contentSchema",
)  # fmt: skip
_FLAGS = ("x-key", "x-acyclic", "x-withheld", "x-ordered")
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,), "object": (dict,),
}  # fmt: skip


def _refuse(where: str, says: str) -> NoReturn:
    raise SchemaError(f"{where}: {says}")


def check_schema(schema: Json, file: str, *, article: bool = False) -> None:
    """Check the schema of one table by itself: of the article, of a layer, or of a corpus-level table.

    Raises SchemaError.
    """
    check_form(schema, file)
    _words(schema, file)
    if schema.get("x-table", "corpus") != "corpus":
        _refuse(file, f'x-table is "corpus", not {_shown(schema["x-table"])}')
    if not isinstance(schema.get("x-prefix", "p"), str) or schema.get("x-prefix") == "":
        _refuse(file, f"x-prefix is a string, not {_shown(schema['x-prefix'])}")
    role = "article" if article else "table" if "x-table" in schema else "layer"
    unread = {"article": ("x-table", "x-prefix", "x-ascending", "x-covers"), "table": ("x-rules", "x-ascending", "x-covers")}
    for name in unread.get(role, ()):
        if name in schema:
            _refuse(file, f"{name} is not decided for {'the article' if article else 'a corpus-level table'}; drop it")
    _object(schema, (), file, role)
    keys = [name for name, prop in schema["properties"].items() if "x-key" in prop]
    if len(keys) != 1:
        _refuse(file, f'exactly one property has "x-key": true; found {keys or "none"}')


def check_form(schema: Json, file: str) -> None:
    """Check that the file is JSON Schema 2020-12, fetches nothing, and has our keywords and formats where they are read."""
    if not isinstance(schema.get("properties"), dict):
        raise SchemaError(f'{file}: expected a JSON Schema of an object with "properties"')
    if schema.get("$schema", DIALECT) != DIALECT:
        _refuse(file, f'"$schema" is {_shown(schema["$schema"])}; write {DIALECT}, or leave it out')
    _keywords(schema, (), file, {*SCHEMA_KEYWORDS}, schema)
    try:
        jsonschema_rs.meta.validate({k: v for k, v in schema.items() if k != "$schema"})
    except ValueError as fault:
        raise SchemaError(not_valid(file, fault, schema)) from None
    for law in _laws(schema, file):
        where = f"{file}: x-rules {_shown(law['id'])}"
        for part in ("if", "then", "else"):
            _keywords(law.get(part, {}), (), where, set(), law.get(part, {}))
            try:
                jsonschema_rs.meta.validate(law.get(part, {}))
                jsonschema_rs.Draft202012Validator(law.get(part, {}))
            except (ValueError, jsonschema_rs.ReferencingError) as fault:
                _refuse(f"{where}: {part}", f"is no valid JSON Schema: {str(fault).splitlines()[0]}")


def not_valid(file: str, fault: Exception, schema: Any) -> str:
    """The one line that says what jsonschema-rs has against a schema, with the property where it says so."""
    steps = list(getattr(fault, "instance_path", None) or [])
    place, found = ".".join(str(s) for s in steps if s != "properties"), schema
    for step in steps:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            found = None
    shown = f" ({_shown(found)})" if steps and found is not None else ""
    return f"{file}: {place + ': ' if place else ''}is not a valid JSON Schema 2020-12: {str(fault).splitlines()[0]}{shown}"


# ---- keywords where nobody reads them ------------------------------------------------------------------------


def _keywords(node: Any, path: tuple[str, ...], file: str, allowed: set[str], root: Any) -> None:
    """Own keywords stand where they are read; references stay in the file; formats are known ones."""
    if not isinstance(node, dict):
        return
    where = f"{file}: {'.'.join(path)}" if path else file
    for name in node:
        if name.startswith("x-") and name not in KEYWORDS:
            _refuse(where, f"unknown keyword {name!r}; known: {', '.join(sorted(KEYWORDS))}")
        if name.startswith("x-") and name not in allowed:
            on = "a schema" if name in SCHEMA_KEYWORDS else "a property"
            _refuse(where, f"{name} stands on {on} itself; here nobody reads it")
    for name in ("$dynamicRef", "$recursiveRef"):
        if name in node:
            _refuse(where, f"{name} is not supported; use $ref to a place in this file")
    if "$ref" in node and not (isinstance(node["$ref"], str) and node["$ref"].startswith("#/")):
        _refuse(where, f"$ref {_shown(node['$ref'])} does not begin with #/; a schema refers to nothing outside its file")
    if "$ref" in node and not _leads_somewhere(node["$ref"], root):
        _refuse(where, f"$ref {_shown(node['$ref'])} leads to no schema in this file")
    if path and ("$id" in node or "$schema" in node):
        _refuse(where, "$id and $schema stand on the schema itself only")
    if "format" in node and node["format"] not in _ALLOWED_FORMATS:
        _refuse(where, f"unknown format {_shown(node['format'])}; known: {', '.join(_ALLOWED_FORMATS)}")
    # a property is described where it stands under properties of a described object; lists of spans under items
    described = bool(allowed)
    for name in _MAPS:
        for key, value in node[name].items() if isinstance(node.get(name), dict) else ():
            own = {*FIELD_KEYWORDS, *LAYER_KEYWORDS} if name == "properties" and described else set[str]()
            step = (key,) if name == "properties" else (name, key)
            _keywords(value, (*path, *step), file, own, root)
    for name in _LISTS:
        for index, value in enumerate(node[name]) if isinstance(node.get(name), list) else ():
            _keywords(value, (*path, name, str(index)), file, set(), root)
    for name in _SINGLES:
        spans = path and described and name == "items" and isinstance(node.get(name), dict) and node[name].get("x-span") == "many"
        _keywords(node.get(name), (*path, name), file, {"x-span"} if spans else set(), root)


def _leads_somewhere(reference: str, root: Any) -> bool:
    node = root
    for step in reference.removeprefix("#/").split("/"):
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and name.isdecimal() and int(name) < len(node):
            node = node[int(name)]
        elif isinstance(node, dict) and name in node:
            node = node[name]
        else:
            return False
    return isinstance(node, dict | bool)


def _words(schema: Json, where: str) -> None:
    for name in ("title", "description"):
        if not isinstance(schema.get(name, ""), str):
            _refuse(where, f"{name} is a string, not {_shown(schema[name])}")


def _laws(schema: Json, file: str) -> Iterator[Json]:
    laws = schema.get("x-rules", [])
    if not isinstance(laws, list):
        _refuse(file, f"x-rules is a list of laws, not {_shown(laws)}")
    for law in laws:
        if not isinstance(law, dict) or not {"id", "says", "then"} <= law.keys():
            _refuse(file, f"each of x-rules has id, says and then; this is {_shown(law)}")
        if unknown := law.keys() - {"id", "says", "hint", "level", "equal", "if", "then", "else"}:
            _refuse(file, f"x-rules {_shown(law['id'])} has unknown {', '.join(sorted(unknown))}")
        for name in ("id", "says", "hint", "level"):
            if not isinstance(law.get(name, ""), str):
                _refuse(file, f"x-rules {_shown(law['id'])}: {name} is a string, not {_shown(law[name])}")
        if not _strings(law.get("equal", [])):
            _refuse(file, f"x-rules {_shown(law['id'])}: equal is a list of fields, not {_shown(law['equal'])}")
        yield law


# ---- fields --------------------------------------------------------------------------------------------------


def _object(schema: Json, path: tuple[str, ...], file: str, role: str, *, below_list: bool = False) -> None:
    where = f"{file}: {'.'.join(path)}" if path else file
    if not schema["properties"]:
        _refuse(where, 'has empty "properties"; name its fields')
    kinds = _kinds(schema.get("type", "object"))
    if kinds != ["object"] or (not path and schema.get("type", "object") != "object"):
        _refuse(where, f'has "properties", so its type is "object", not {_shown(schema["type"])}')
    if schema.get("additionalProperties", False) is not False or "patternProperties" in schema:
        _refuse(where, "only described fields may stand in an object: drop additionalProperties and patternProperties")
    for name in schema.get("required", ()):
        if name not in schema["properties"]:
            _refuse(where, f"required names {name!r}, which is not among its properties")
        if isinstance(schema["properties"][name], dict) and "x-derive" in schema["properties"][name]:
            _refuse(where, f"required names {name!r}, which is derived and may not stand in a record")
    for name, prop in schema["properties"].items():
        here = f"{file}: {'.'.join((*path, name))}"
        if not isinstance(prop, dict):
            _refuse(here, f"a property is described by an object, not {_shown(prop)}")
        _words(prop, here)
        if "properties" in prop:
            for keyword in (k for k in prop if k.startswith("x-")):
                if keyword != "x-withheld":
                    _refuse(here, f"{keyword} stands on a field, not on an object with properties")
                if prop[keyword] is not True:
                    _refuse(here, f"{keyword} is true or left out, not {_shown(prop[keyword])}")
            if "default" in prop:
                _refuse(here, "an object with properties has no default; give its fields defaults")
            _object(prop, (*path, name), file, role, below_list=below_list)
        else:
            _field(prop, (*path, name), file, role, below_list=below_list)


def _field(prop: Json, path: tuple[str, ...], file: str, role: str, *, below_list: bool) -> None:
    where = f"{file}: {'.'.join(path)}"
    if not below_list and not prop.get("description"):
        _refuse(where, "has no description; every field says what it means")
    if below_list:
        _no_keywords(prop, where)
    for name in (k for k in prop if k.startswith("x-")):
        if name in LAYER_KEYWORDS and role != "layer":
            other = "its own fields" if role == "article" else "a corpus-level table"
            _refuse(where, f"{name} is decided for the layers of an article only, not for {other}")
        if name in _FLAGS and prop[name] is not True:
            _refuse(where, f"{name} is true or left out, not {_shown(prop[name])}")
    if "x-span" in prop:
        _spans(prop, where)
        kind = None
    else:
        kind = _type(prop, where)
    if "x-key" in prop and (len(path) != 1 or prop.get("type") != "string" or prop.keys() & {"x-withheld", "x-derive", "x-ref"}):
        _refuse(where, 'x-key stands on a property of the item itself, of type "string", not withheld, derived or a reference')
    column = prop.get("x-column")
    if "x-column" in prop and column is not None and (not isinstance(column, str) or not column):
        _refuse(where, f"x-column is a column's name, or null for a field that is no column; not {_shown(column)}")
    if "x-column" in prop and len(path) == 1:
        _refuse(where, "x-column names the column of a nested field; this one's column has its own name")
    if "x-decimal" in prop:
        _decimal(prop, kind, where)
    if "x-ordered" in prop and not (kind == "string" and prop.get("enum")):
        _refuse(where, "x-ordered stands on a string with an enum, whose labels go from the lowest to the highest")
    if "x-derive" in prop and role == "article":
        _refuse(where, "x-derive is computed for layers and tables only, not for article fields")
    if "x-ref" in prop and (
        kind not in {"string", "array"} or (kind == "array" and _kinds(prop["items"].get("type")) != ["string"])
    ):
        _refuse(where, "x-ref stands on a string or a list of strings")
    if kind == "array":
        _items(prop, path, file, role)
    _values(prop, kind, where)


def _no_keywords(node: Json, where: str) -> None:
    for name in (k for k in node if k.startswith("x-")):
        if name == "x-withheld":
            _refuse(where, "x-withheld stands on the list itself, not inside it")
        _refuse(where, f"{name} cannot stand inside a list's items; make a layer of them")
    if node.get("format") == "date":
        _refuse(where, '"format": "date" cannot stand inside a list\'s items; leave out the format, or make a layer of them')


def _items(prop: Json, path: tuple[str, ...], file: str, role: str) -> None:
    where = f"{file}: {'.'.join(path)}"
    items = prop["items"]
    if "x-span" in items:
        if items["x-span"] != "many" or role != "layer":
            _refuse(where, 'a list of lists of spans is {"type": "array", "items": {"x-span": "many"}}, in a layer')
        _spans(items, where)
        return
    while True:
        if not isinstance(items, dict):
            _refuse(where, f"items is an object, not {_shown(items)}")
        _no_keywords(items, where)
        if "properties" in items:
            _object(items, (*path, "items"), file, role, below_list=True)
            return
        kind = _type(items, where)
        _values(items, kind, where)
        if kind != "array":
            return
        items = items["items"]


def _spans(prop: Json, where: str) -> None:
    span = prop["x-span"]
    if span not in ("many", "one"):
        _refuse(where, f'x-span is "many" or "one", not {_shown(span)}')
    expected = "array" if span == "many" else "object"
    if "type" in prop and _kinds(prop["type"]) != [expected]:
        _refuse(where, f'x-span "{span}" says the type itself; drop type {_shown(prop["type"])}')
    for name in ("items", "anyOf", "enum", "const", "default", "format"):
        if name in prop:
            _refuse(where, f"x-span says what stands there; drop {name}")
    for name in ("x-ref", "x-decimal", "x-derive", "x-key", "x-acyclic", "x-depth", "x-quotes", "x-target", "x-ordered"):
        if name in prop:
            _refuse(where, f"{name} cannot stand on spans")


def _type(prop: Json, where: str) -> str:
    kinds = _kinds(prop.get("type"))
    if len(kinds) > 1:
        _refuse(where, f"has two types, {' and '.join(kinds)}; a column has one, beside null")
    kind = kinds[0] if kinds else None
    if kind == "array" and not isinstance(prop.get("items"), dict):
        _refuse(where, f"a list describes its items by an object, not {_shown(prop.get('items'))}; no column type follows")
    if not isinstance(prop.get("items", {}), dict):
        _refuse(where, f"items is an object, not {_shown(prop['items'])}")
    if kind not in _PYTHON_TYPES or kind == "object":
        _refuse(where, f"no column type follows from type {kind!r}; "
                       "use string, integer, number, boolean, array with items, object with properties, or x-span")  # fmt: skip
    if kind == "integer":
        for name in ("minimum", "maximum"):
            if not -(2**63) <= prop.get(name, 0) < 2**63:
                _refuse(where, f"{name} {prop[name]} is beyond 64 bits, as which integers are stored")
    if "format" in prop and kind != "string":
        _refuse(where, f"format {prop['format']!r} stands on strings")
    return str(kind)


def _kinds(kind: Any) -> list[str]:
    return [k for k in (kind if isinstance(kind, list) else [kind]) if k not in (None, "null")]


def _decimal(prop: Json, kind: str | None, where: str) -> None:
    given = prop["x-decimal"]
    fits = isinstance(given, list) and len(given) == 2 and all(type(n) is int for n in given)
    if not fits or not (0 <= given[1] <= given[0] <= 38 and given[0] > 0):
        _refuse(where, f"x-decimal is [p, s] with 0 <= s <= p <= 38 and p > 0, not {_shown(given)}")
    if kind != "number":
        _refuse(where, 'x-decimal stands on a field of type "number"')


def _values(prop: Json, kind: str | None, where: str) -> None:
    """Labels and defaults are of the field's type."""
    if kind is None:
        return
    nullable = "null" in prop["type"] if isinstance(prop["type"], list) else False
    for name in ("enum", "const"):
        values = prop.get(name, []) if name == "enum" else [prop[name]] if name in prop else []
        for value in values:
            if not _fits(value, kind, nullable):
                _refuse(where, f"{name} has {_shown(value)}, which is not of its type")
        said = [json.dumps(value, sort_keys=True) for value in values]
        if len(set(said)) != len(said):
            twice = next(s for s in said if said.count(s) > 1)
            _refuse(where, f"{name} has {twice} twice")
        if name in prop and all(value is None for value in values):
            _refuse(where, f"{name} names no value")
    if "default" not in prop:
        return
    default = prop["default"]
    if prop.keys() & {"x-key", "x-ref", "x-derive", "x-decimal"} or prop.get("format") == "date" or (kind == "array" and default):
        _refuse(where, "a key, reference, derived column, decimal, date or list has no default")
    if not _fits(default, kind, nullable):
        _refuse(where, f"default {_shown(default)} is not of its type")
    if "enum" in prop and default not in prop["enum"]:
        _refuse(where, f"default {_shown(default)} is not in its enum")


def _fits(value: Any, kind: str, nullable: bool) -> bool:
    if value is None:
        return nullable
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, int):
        return -(2**63) <= value < 2**63  # as the column holds
    return isinstance(value, _PYTHON_TYPES[kind])


# ---- what keywords say of other fields -----------------------------------------------------------------------

Columns = Mapping[str, Mapping[str, Json]]
"""The schema of each column, by table and column name."""


class _Links:
    """Look-ups for one field's keywords; each failure is a SchemaError that names it."""

    def __init__(self, table: str, columns: Columns, layers: set[str], where: str) -> None:
        self.table, self.columns, self.layers, self.where = table, columns, layers, where

    def refuse(self, says: str) -> NoReturn:
        _refuse(self.where, says)

    def column(self, name: Any, table: str | None = None) -> Json:
        there = self.columns[table or self.table]
        if not isinstance(name, str) or name not in there:
            self.refuse(f"{table or self.table} has no column {_shown(name)}; it has {', '.join(there)}")
        return there[name]

    def reference(self, name: Any) -> str:
        """The layer of the same article that the single reference `name` leads to."""
        prop = self.column(name)
        target = prop.get("x-ref")
        if not isinstance(target, str) or "array" in _kinds(prop.get("type")) or target not in self.layers:
            self.refuse(f"{name} is not a single reference to a layer of the same article")
        return target

    def spans(self, name: Any, table: str | None = None, kinds: tuple[str, ...] = ("many", "one", "nested")) -> None:
        prop = self.column(name, table)
        items = prop.get("items")
        kind = prop.get("x-span", "nested" if isinstance(items, dict) and "x-span" in items else None)
        if kind not in kinds:
            self.refuse(f"{table or self.table}.{name} holds no {'spans' if 'one' in kinds else 'list of spans'}")

    def values(self, values: Any, prop: Json) -> None:
        if not _strings(values) or not values:
            self.refuse(f"values is a list of labels, not {_shown(values)}")
        if unknown := [v for v in values if "enum" in prop and v not in prop["enum"]]:
            self.refuse(f"{_shown(unknown[0])} is not among the labels of the field it speaks of")

    def shape(self, value: Any, needed: set[str], optional: set[str] = frozenset()) -> Json:  # type: ignore[assignment]
        if not isinstance(value, dict) or not needed <= value.keys() <= needed | optional:
            self.refuse(f"expected an object with {', '.join(sorted(needed | optional))}, found {_shown(value)}")
        return value


def check_links(table: str, schema: Json, columns: Columns, layers: set[str], file: str) -> None:
    """Check what the keywords of one table say of columns, references and layers; `columns` holds every table's columns.

    `layers` names the layers of an article, to whose items references lead. Raises SchemaError.
    """
    for name, prop in columns[table].items():

        def links(keyword: str, name: str = name) -> _Links:
            return _Links(table, columns, layers, f"{file}: {name}: {keyword}")

        if "x-ref" in prop and (not isinstance(prop["x-ref"], str) or prop["x-ref"] not in columns or prop["x-ref"] == "article"):
            known = ", ".join(sorted(columns.keys() - {"article"}))
            _refuse(f"{file}: {name}", f"has x-ref {_shown(prop['x-ref'])}; layers here: {known}")
        if "x-acyclic" in prop and links("x-acyclic").reference(name) != table:
            links("x-acyclic").refuse("stands on a reference to the own layer")
        if "x-within" in prop:
            _check_within(links("x-within"), name, prop["x-within"])
        if "x-outside" in prop:
            _check_outside(links("x-outside"), name, prop["x-outside"])
        if "x-depth" in prop:
            at = links("x-depth")
            if prop.get("type") != "integer" or name not in schema.get("required", ()):
                at.refuse('stands on a required field of type "integer"')
            if at.reference(prop["x-depth"]) != table:
                at.refuse(f"{prop['x-depth']} is not a reference to the own layer")
        if "x-quotes" in prop:
            _check_quotes(links("x-quotes"), prop)
        if "x-target" in prop:
            at = links("x-target")
            law = at.shape(prop["x-target"], {"field", "values"})
            if prop.get("x-ref") not in layers:
                at.refuse("stands on a reference to a layer of the same article")
            at.values(law["values"], at.column(law["field"], prop["x-ref"]))
        if "x-present" in prop:
            at = links("x-present")
            law = at.shape(prop["x-present"], {"via", "field", "values"})
            at.values(law["values"], at.column(law["field"], at.reference(law["via"])))
        if "x-derive" in prop:
            _check_derive(links("x-derive"), prop)
    _check_schema_keywords(table, schema, columns, layers, file)


def _check_within(at: _Links, name: str, law: Any) -> None:
    law = at.shape(law, {"spans"}, {"via"})
    at.spans(name)
    outer = at.table if law.get("via") is None else at.reference(law["via"])
    at.spans(law["spans"], outer, ("many", "one"))


def _check_outside(at: _Links, name: str, others: Any) -> None:
    at.spans(name)
    if not _strings(others):
        at.refuse(f"is a list of spans fields, not {_shown(others)}")
    for other in others:
        at.spans(other)


def _check_quotes(at: _Links, prop: Json) -> None:
    law = at.shape(prop["x-quotes"], {"spans", "nested"}, {"closed", "some", "none"})
    if _kinds(prop.get("type")) != ["string"] or "enum" not in prop:
        at.refuse("stands on a label: a string with an enum")
    at.spans(law["spans"], kinds=("many",))
    if at.reference(law["nested"]) != at.table:
        at.refuse(f"{law['nested']} is not a reference to the own layer")
    said: dict[str, str] = {}
    for name in (name for name in ("closed", "some", "none") if name in law):
        at.values(law[name], prop)
        for label in law[name]:
            if said.setdefault(label, name) != name:
                at.refuse(f"{label} is among {said[label]} and {name}; a label says one of them")


def _check_derive(at: _Links, prop: Json) -> None:
    law = at.shape(prop["x-derive"], {"from", "map"})
    if not _strings(law["from"]) or not law["from"]:
        at.refuse(f"from is a list of columns, not {_shown(law['from'])}")
    for source in law["from"]:
        other = at.column(source)
        if "x-derive" in other:
            at.refuse(f"{source} is derived itself")
        if "x-span" in other or _kinds(other.get("type")) == ["array"]:
            at.refuse(f"{source} is a list; a column is derived from single values")
        if "x-withheld" in other and "x-withheld" not in prop:
            at.refuse(f"{source} is withheld, so what is derived from it is withheld too; add x-withheld")
    if not isinstance(law["map"], dict):
        at.refuse(f"map is an object from values to values, not {_shown(law['map'])}")
    kinds = _kinds(prop.get("type"))
    if kinds == ["array"] or prop.get("format") == "date" or "x-decimal" in prop:
        at.refuse("a derived column is a plain string, number or boolean")
    for key, value in law["map"].items():
        if not _fits(value, kinds[0], True):
            at.refuse(f"map gives {_shown(value)} for {key!r}, which is not of the column's type")
        if "enum" in prop and value not in prop["enum"]:
            at.refuse(f"map gives {_shown(value)} for {key!r}, which is not in the column's enum")


def _check_schema_keywords(table: str, schema: Json, columns: Columns, layers: set[str], file: str) -> None:
    at = _Links(table, columns, layers, f"{file}: x-ascending")
    ascending = schema.get("x-ascending", [])
    if not isinstance(ascending, list) or not all(_strings(names) for names in ascending):
        at.refuse(f"is a list of lists of fields, not {_shown(ascending)}")
    for names in ascending:
        kinds = {"".join(_kinds(at.column(name).get("type"))) for name in names}
        if not (kinds <= {"integer", "number"} or kinds == {"string"}):
            at.refuse(f"{', '.join(names)} are not all numbers, or all strings or dates")
    if "x-covers" in schema:
        at = _Links(table, columns, layers, f"{file}: x-covers")
        law = at.shape(schema["x-covers"], {"field", "values"})
        at.values(law["values"], at.column(law["field"]))
    for law in schema.get("x-rules", ()):
        at = _Links(table, columns, layers, f"{file}: x-rules {law['id']}")
        for name in law.get("equal", ()):
            prop = at.column(name)
            if "x-span" in prop or _kinds(prop.get("type")) == ["array"]:
                at.refuse(f"equal names {name}, which is a list or spans")


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _shown(value: Any) -> str:
    shown = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=True, default=str)
    return shown if len(shown) <= 60 else shown[:59] + "…"


# ---- the reserved article fields -----------------------------------------------------------------------------


def narrow(reserved: Json, own: Json, file: str, path: tuple[str, ...] = ()) -> Json:
    """A schema that holds what both say of a reserved field: `own` may say more, and nothing else.

    Properties are laid over each other, `required` is joined, titles and descriptions are the project's; where both have
    another keyword both must hold. Raises SchemaError where `own` says something else of the type or of our own keywords.
    """
    where = f"{file}: {'.'.join(path)}" if path else file
    if not isinstance(own, dict):
        _refuse(where, f"a property is described by an object, not {_shown(own)}")
    merged, also = dict(reserved), dict[str, Any]()
    for name, value in own.items():
        if path and name.startswith("x-"):
            if reserved.get(name) != value:
                _refuse(where, f"{name} of a reserved field is the engine's; drop it here")
        elif name == "properties":
            if "properties" not in reserved:
                _refuse(where, f"the engine keeps a {_shown(reserved.get('type'))} here, so it has no properties")
            merged[name] = dict(reserved[name])
            for key, prop in value.items():
                known = reserved[name].get(key)
                merged[name][key] = prop if known is None else narrow(known, prop, file, (*path, key))
        elif name == "required":
            merged[name] = sorted({*reserved.get(name, ()), *value})
        elif name == "type" and not {*_listed(value)} <= {*_listed(reserved["type"])}:
            _refuse(where, f"the engine keeps type {_shown(reserved['type'])} here; it may be narrowed, not be {_shown(value)}")
        elif name == "additionalProperties" and value is not False:
            _refuse(where, "only described fields may stand in an object: drop additionalProperties")
        elif path and name == "default" and ("default" not in reserved or reserved["default"] != value):
            _refuse(where, "whether a reserved field has a default is the engine's; drop it here")
        elif name == "allOf" or name in _WORDS or name not in reserved:
            merged[name] = value
        elif value != reserved[name]:
            also[name] = value
    if also:
        merged["allOf"] = [*merged.get("allOf", ()), also]
    return merged


def _listed(kind: Any) -> list[Any]:
    return kind if isinstance(kind, list) else [kind]


def check_names(names: Iterator[str] | list[str], taken: Mapping[str, str], file: str) -> None:
    """No two columns of a table have one name, and none that of a column which the engine adds."""
    for name, count in ((name, len(list(group))) for name, group in itertools.groupby(sorted(names))):
        if count > 1:
            _refuse(f"{file}: {name}", "two fields give this column; set x-column of one")
        if name in taken:
            _refuse(f"{file}: {name}", f"this column's name is taken by {taken[name]}; choose another")
