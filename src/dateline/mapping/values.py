"""A source's value as a field of a schema wants it: translated, split, and of the right type; never guessed."""

from __future__ import annotations

import re
from collections.abc import Set
from decimal import Decimal
from typing import Any

from dateline.mapping.file import Source
from dateline.schema import Field

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


class Misfit(Exception):
    """A value that cannot be what its field must be; the message says both."""


def value_of(found: Any, source: Source, field: Field) -> Any:
    """A feature's value in the form that a field wants: a plain value, a list of them, or None.

    Raises Misfit for a value of another type. Whether it is one of the field's labels is not decided here.
    """
    kinds = field.kinds
    if "array" not in kinds:
        if isinstance(found, list):
            if len(found) > 1:
                raise Misfit(f"has {len(found)} values for {field.name}, which holds one")
            found = found[0] if found else None
        return _scalar(found, source, kinds, field.name)
    many = found if isinstance(found, list) else [found]
    if source.split is not None:
        many = [piece for one in many if one is not None for piece in str(one).split(source.split)]
    inner = field.item_kinds
    return [v for v in (_scalar(one, source, inner, field.name) for one in many) if v is not None]


def spelled(value: Any) -> str:
    """A plain value as a mapping file spells it: true, not True."""
    return value if type(value) is str else str(value).lower() if isinstance(value, bool) else str(value)


def _scalar(value: Any, source: Source, kinds: Set[str], column: str) -> Any:
    if value is None:
        return None
    if source.empty or source.values:
        if spelled(value) in source.empty:
            return None
        value = source.values.get(spelled(value), value)
        if value is None:
            return None
    if isinstance(value, dict | list):
        raise Misfit(f"has a {'table' if isinstance(value, dict) else 'list'} where {column} holds one plain value")
    if "string" in kinds:
        return spelled(value)
    text = spelled(value)
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    if "integer" in kinds and _WHOLE.fullmatch(text):
        return int(text)
    if "number" in kinds and _NUMBER.fullmatch(text):
        number = int(text) if _WHOLE.fullmatch(text) else float(text)
        if Decimal(text) != Decimal(repr(number)):
            raise Misfit(f"has {value!r:.60} for {column}, of which a number in JSON would lose digits")
        return number
    raise Misfit(f"has {value!r:.60} for {column}, which is {' or '.join(sorted(kinds - {'null'}))}")
