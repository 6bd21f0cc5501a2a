"""A mapping as the text of mapping.toml: one table per layer, one line per field, and comments that explain them."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 118


def mapping_text(mapping: Mapping[str, Any], comments: Mapping[Path, str], head: str) -> str:
    """The text of a mapping file; `comments` stand before the table, or behind the key, whose path they have."""
    lines = [*_comment(head), ""]
    lines += [f"{_key(k)} = {_value(v)}" for k, v in mapping.items() if not isinstance(v, dict)]
    for name, table in mapping.items():
        if isinstance(table, dict):
            for path, inner in _tables((name,), table):
                lines += ["", *_comment(comments.get(path, "")), f"[{'.'.join(map(_key, path))}]"]
                lines += [_line(path, key, value, comments) for key, value in inner.items()]
    return "\n".join(lines) + "\n"


def _tables(path: Path, table: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """A table and the tables inside it that are written apart: layers, their fields, links."""
    apart = path in (("layers",), ("links",)) or (path[0] == "layers" and len(path) == 2)
    inner = {k: v for k, v in table.items() if apart and isinstance(v, dict)}
    if len(inner) < len(table) or not table:
        yield path, {k: v for k, v in table.items() if k not in inner}
    for key, value in inner.items():
        yield from _tables((*path, key), value)


def _line(path: Path, key: str, value: Any, comments: Mapping[Path, str]) -> str:
    written = f"{_key(key)} = {_value(value)}"
    if key == "types" and isinstance(value, list) and len(written) > _WIDTH:
        written = f"{_key(key)} = [\n" + "".join(f"  {_value(one)},\n" for one in value) + "]"
    comment = comments.get((*path, key), "")
    return f"{written}  # {comment}" if comment else written


def _comment(text: str) -> list[str]:
    return [f"# {line}" for part in text.splitlines() for line in textwrap.wrap(part, _WIDTH)]


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _string(key)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }" if value else "{}"
    return json.dumps(value)


def _string(text: str) -> str:
    """A basic string of TOML: JSON's, but for the one control character that JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
