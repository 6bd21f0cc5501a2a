"""The laws of a schema (`x-rules`) as SQL conditions on the columns of its table, as far as columns can tell.

In a table, a field that is missing and one that is null are the same NULL. So a condition on a field that the law does not
require holds for NULL, and one that it requires is decided by the value alone. Conditions are two-valued: never NULL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from dateline.schema import Field, Json, Layer

_WORDS = {"title", "description", "$comment"}
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


class NotInSql(Exception):
    """A condition that columns cannot tell, or that the common subset of the engines cannot say; its text is why."""


def literal(value: Any) -> str:
    """A JSON value as an SQL literal that DuckDB and Spark read alike. Raises NotInSql."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format(value, ".17f").rstrip("0")
    if isinstance(value, str) and "\\" not in value and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    raise NotInSql(f"no literal for {value!r}")


def named(column: str) -> str:
    """A column's name as the relations write it. Raises NotInSql for one that would have to be quoted."""
    if not _PLAIN.fullmatch(column):
        raise NotInSql(f"the name of column {column!r} is no lower-case identifier")
    return column


class LawsInSql:
    """Turns the laws of one layer into SQL; `count_of` gives the expression for the number of items of a list column."""

    def __init__(self, layer: Layer, count_of: Callable[[Field], str], row: str = "r") -> None:
        self.by_path: Mapping[tuple[str, ...], Field] = {f.path: f for f in layer.fields}
        self.objects = {f.path[:n] for f in layer.fields for n in range(1, len(f.path))}
        self.layer, self.count_of, self.row = layer, count_of, row
        self.withheld = False
        """Whether a condition made so far reads a column that is null where the text is withheld."""

    def law(self, written: Json) -> str:
        """The condition that each row meets. Raises NotInSql."""
        parts = [self.condition(written["then"])] if "then" in written else []
        if written.get("equal"):
            first, *others = [f"{self.row}.{named(name)}" for name in written["equal"]]
            parts += [f"{first} IS NOT DISTINCT FROM {other}" for other in others]
        then = _all(parts)
        if "if" not in written:
            return then
        applies = self.condition(written["if"])
        other = self.condition(written["else"]) if "else" in written else "true"
        return f"CASE WHEN {bare(applies)} THEN {bare(then)} ELSE {bare(other)} END"

    def condition(self, schema: Any, path: tuple[str, ...] = ()) -> str:
        """A JSON Schema of an item, or of an object in it, as SQL. Raises NotInSql."""
        if isinstance(schema, bool):
            return literal(schema)
        required = schema.get("required", [])
        properties = schema.get("properties", {})
        parts = [
            self._property((*path, name), properties.get(name, {}), name in required)
            for name in dict.fromkeys([*properties, *required])
        ]
        parts += [self.condition(part, path) for part in schema.get("allOf", ())]
        if "anyOf" in schema:
            parts.append(" OR ".join(self.condition(part, path) for part in schema["anyOf"]))
        if "not" in schema:
            parts.append(_not(self.condition(schema["not"], path)))
        if "if" in schema:
            parts.append(self.law({key: schema[key] for key in ("if", "then", "else") if key in schema}))
        if unknown := schema.keys() - {"required", "properties", "allOf", "anyOf", "not", "if", "then", "else", *_WORDS}:
            raise NotInSql(f"{', '.join(sorted(unknown))} of an object")
        return _all(parts)

    def _property(self, path: tuple[str, ...], schema: Any, required: bool) -> str:
        if path in self.objects:
            return self.condition(schema, path)
        field = self.by_path.get(path)
        if field is None:
            raise NotInSql(f"{'.'.join(path)} is no column")
        if not isinstance(schema, dict):
            raise NotInSql(f"{schema!r} of a field")
        self.withheld |= field.withheld
        if pa.types.is_list(field.type):
            return self._list(field, schema)
        column = f"{self.row}.{named(field.name)}"
        condition = self._value(column, field, schema)
        if required or condition in {"true", f"{column} IS NULL"} or condition.startswith(f"({column} IS NULL OR "):
            return condition
        return f"({column} IS NULL OR {condition})"

    def _list(self, field: Field, schema: Json) -> str:
        n, parts = self.count_of(field), []
        if "minItems" in schema:
            parts.append(f"{n} >= {int(schema['minItems'])}")
        if "maxItems" in schema:
            parts.append(f"{n} <= {int(schema['maxItems'])}")
        if unknown := schema.keys() - {"minItems", "maxItems", *_WORDS}:
            raise NotInSql(f"{', '.join(sorted(unknown))} of a list")
        return _all(parts)

    def _value(self, column: str, field: Field, schema: Json) -> str:
        parts: list[str] = []
        for word, said in schema.items():
            if word == "enum":
                some = [literal(v) for v in said if v is not None]
                inside = f"coalesce({column} IN ({', '.join(some)}), false)" if some else "false"
                parts.append(f"({column} IS NULL OR {inside})" if None in said else inside)
            elif word == "const":
                parts.append(f"{column} IS NULL" if said is None else f"coalesce({column} = {literal(said)}, false)")
            elif word == "type":
                parts.append(self._type(column, field, said if isinstance(said, list) else [said]))
            elif word in {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}:
                sign = {"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}[word]
                parts.append(f"({column} IS NULL OR {column} {sign} {literal(said)})")
            elif word == "pattern":
                parts.append(f"({column} IS NULL OR {_matches(column, said)})")
            elif word == "not":
                parts.append(_not(self._value(column, field, said)))
            elif word in {"anyOf", "allOf"}:
                inner = [self._value(column, field, part) for part in said]
                parts.append(" OR ".join(inner) if word == "anyOf" else _all(inner))
            elif word not in _WORDS:
                raise NotInSql(f"{word} of a value")
        return _all(parts)

    def _type(self, column: str, field: Field, kinds: list[str]) -> str:
        if kinds == ["null"]:
            return f"{column} IS NULL"
        own = {"string": pa.types.is_string, "boolean": pa.types.is_boolean}
        numbers = pa.types.is_decimal(field.type) or pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
        fits = "false"
        for kind in kinds:
            if (kind in own and own[kind](field.type)) or (kind == "number" and numbers) or kind == "object":
                fits = "true"
            elif kind == "integer" and numbers and fits == "false":
                fits = "true" if pa.types.is_integer(field.type) else f"{column} = floor({column})"
        if "null" in kinds:
            return "true" if fits == "true" else f"({column} IS NULL OR {fits})"
        return f"{column} IS NOT NULL" if fits == "true" else f"coalesce({fits}, false)"


def _not(sql: str) -> str:
    plain = re.fullmatch(r"([a-z0-9_.]+) IS NULL", sql)
    return f"{plain[1]} IS NOT NULL" if plain else f"NOT ({sql})"


def bare(sql: str) -> str:
    """The expression without brackets around the whole of it."""
    if sql.startswith("(") and sql.endswith(")"):
        depth = 0
        for at, character in enumerate(sql):
            depth += (character == "(") - (character == ")")
            if not depth and at < len(sql) - 1:
                return sql
        return sql[1:-1]
    return sql


def _all(parts: list[str]) -> str:
    parts = [p for p in dict.fromkeys(parts) if p != "true"]
    if len(parts) == 1:
        return parts[0]
    return " AND ".join(f"({p})" if " OR " in p and bare(p) == p else p for p in parts) or "true"


def _matches(column: str, pattern: str) -> str:
    """The condition that the pattern matches the whole value: what it matches, taken away, leaves nothing."""
    if not (pattern.startswith("^") and pattern.endswith("$")) or set(pattern) & set("|\\") or "(?" in pattern:
        raise NotInSql(f"the pattern {pattern}")
    return f"(length({column}) > 0 AND regexp_replace({column}, {literal(pattern)}, '') = '')"
