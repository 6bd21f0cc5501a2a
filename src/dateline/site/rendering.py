"""Pages as files: jinja2 with everything from data escaped, controls and bidi marks in it made visible."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from dateline.site.links import token
from dateline.site.pages import Page

STATIC = ("site.css", "site.js")
_RIGHT_TO_LEFT = frozenset(
    ["ar", "arc", "ckb", "dv", "fa", "he", "ks", "ku-arab", "nqo", "pa-arab", "ps", "sd", "syr", "ug", "ur", "yi"]
)
_CUT = 400
"""Characters after which a value is cut, the rest behind an expander."""
# controls but tab and line feed, marks and overrides of direction, what no text should hold
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff0-\uffff\ud800-\udfff]"
)


class Renderer:
    """Writes pages into a folder; `site` is what every page is told: name, version, navigation."""

    def __init__(self, folder: Path, site: Mapping[str, Any]) -> None:
        self._folder, self._site = folder, site
        self._environment = Environment(
            loader=PackageLoader("dateline.site"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=visible,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {"direction": direction, "count": _count, "plural": _plural, "token": token}
        self._environment.tests |= {"ascii": _is_ascii}  # what needs no isolation
        self._environment.globals |= {"CUT": _CUT}

    def write(self, page: Page, look: Callable[[str], None] = lambda _: None) -> int:
        """Write a page; the bytes that it has. `look` is shown the page before, and may raise."""
        root = "../" * page.path.count("/")
        made = self._environment.get_template(page.template).render(
            {**page.values, "site": self._site, "root": root, "path": page.path, "title": page.title}
        )
        look(made)
        return write_file(self._folder / page.path, made.encode("utf-8"))


def write_script(path: Path, name: str, value: Any) -> int:
    """Write a value as a script that hands it to the site's own script, and does nothing else; the bytes that it has."""
    said = json.dumps(value, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    return write_file(path, f"datelineChunk({json.dumps(name)},{said});\n".encode())


def write_file(path: Path, data: bytes) -> int:
    """Write a file, and the folders above it; its size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return len(data)


def visible(value: Any) -> Any:
    """A string with its controls and marks of direction as escapes, as errors show them; anything else as it is."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return _INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode(), value)


def direction(language: str) -> str:
    """The direction in which a language is written; what its letters say where the language is not known."""
    if not language:
        return "auto"
    parts = language.lower().split("-")
    return "rtl" if parts[0] in _RIGHT_TO_LEFT or "-".join(parts[:2]) in _RIGHT_TO_LEFT else "ltr"


def _is_ascii(words: object) -> bool:
    return str(words).isascii()


def _count(number: int) -> str:
    return f"{number:,}"


def _plural(number: int, noun: str, several: Sequence[str] = ()) -> str:
    return f"{number:,} {noun if number == 1 else several or noun + 's'}"
