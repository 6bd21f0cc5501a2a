"""A derived relation, cut down to some of its conditions: what they do not read is left out, and they say the same.

It reads the layout that `structure` writes: parts, one condition a line, one join a line. Each join brings at most one row, so
one that no condition reads can go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dateline.validate.structure import DERIVED

_PART = re.compile(r"^(?:WITH )?(\w+) AS \(\n(.*?)\n\)", re.MULTILINE | re.DOTALL)
_WHOLE = re.compile(r"(?P<parts>.*)^SELECT\n(?P<selected>.*)\n(?P<source>FROM \w+ r)\n(?P<joins>.*)", re.MULTILINE | re.DOTALL)
_JOIN = re.compile(r"(?:LEFT|CROSS) JOIN (\w+)(?: (?!ON\b)(\w+))?.*")


def sliced(relation: str, columns: Iterable[str]) -> str | None:
    """The relation with these of its columns alone; None for one that is not derived."""
    found = _WHOLE.fullmatch(relation) if relation.startswith(DERIVED) else None
    if found is None:
        return None
    wanted = set(columns)
    selected = [line for line in found["selected"].split(",\n") if line.rpartition(" AS ")[2].strip() in wanted]
    if len(selected) != len(wanted):
        return None
    joins = _joins(found["joins"].splitlines(), "\n".join(selected))
    parts = _parts(dict(_PART.findall(found["parts"])), "\n".join(joins))
    given = ["WITH " + ",\n".join(f"{name} AS (\n{query}\n)" for name, query in parts.items())] if parts else []
    return "\n".join([DERIVED, *given, "SELECT", ",\n".join(selected), found["source"], *joins]) + "\n"


def _joins(lines: list[str], reading: str) -> list[str]:
    """The joins that are read, by what is selected or by one another."""
    kept: list[str] = []
    for line in reversed(lines):  # a join can only read those before it
        join = _JOIN.fullmatch(line)
        if join is None or re.search(rf"\b{join[2] or join[1]}\.", "\n".join([reading, *kept])):
            kept.insert(0, line)
    return kept


def _parts(parts: dict[str, str], reading: str) -> dict[str, str]:
    """The parts that are read, by a join or by one another."""
    kept: dict[str, str] = {}
    for name, query in reversed(parts.items()):  # a part can only read those before it
        if re.search(rf"\b{name}\b", "\n".join([reading, *kept.values()])):
            kept = {name: query, **kept}
    return kept
