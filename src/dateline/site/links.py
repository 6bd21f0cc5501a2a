"""Addresses that stay: of every article, of every row, whatever else is in the release.

An address follows from an id alone, never from an order or a count. `row.html#ID` leads to any row by its id: to
`article_id#key` and all that hangs on an article without being listed, to rows of other tables through `rows/NN.js`.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from urllib.parse import quote

LOOKUP = "row.html"
_SAFE = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Links:
    """Addresses within the site, relative to its root, and the rows that pages said they show."""

    def __init__(self) -> None:
        self._chunks: dict[str, dict[str, str]] = defaultdict(dict)

    def article(self, article_id: str) -> str:
        """The page of an article."""
        return f"articles/{folder_of(article_id)}/{file_of(article_id)}.html"

    def item(self, article_id: str, layer: str, key: str) -> str:
        """An item of a layer, on its article's page."""
        return f"{self.article(article_id)}#{anchor(layer, key)}"

    def group(self, kind: str, name: str) -> str:
        """The page of a named thing of a kind (`stories`, `contrasts`, ...)."""
        return f"{kind}/{folder_of(name)}/{file_of(name)}.html"

    def row(self, row_id: str) -> str:
        """Any row by its id, by way of the lookup page."""
        return f"{LOOKUP}#{quote(row_id, safe='#:|,.-_~')}"

    def tell(self, row_id: str, address: str) -> None:
        """Let the lookup find a row that is no item of an article, or an article itself, at an address."""
        self._chunks[bucket(row_id)][row_id] = address

    def chunks(self) -> Iterator[tuple[str, dict[str, str]]]:
        """What was told: by chunk, row id to address."""
        for name in sorted(self._chunks):
            yield name, dict(sorted(self._chunks[name].items()))


def anchor(table: str, key: str) -> str:
    """The fragment of a row on its page, safe as an id in HTML: `claims.c1`."""
    return f"{token(table)}.{token(key)}"


def token(words: str) -> str:
    """Words as a token that is safe in ids, classes and fragments; a digest of them where they are not."""
    return words if _TOKEN.fullmatch(words) else f"x-{_digest(words)[:16]}"


def file_of(name: str) -> str:
    """The name of the file of a thing, without suffix, legal and distinct on every system."""
    if _SAFE.fullmatch(name):
        return name
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    return f"{plain or 'row'}.{_digest(name)[:16]}"


def folder_of(name: str) -> str:
    """One of 256 folders for a thing's file."""
    return _digest(name)[:2]


def bucket(words: str) -> str:
    """One of 256 chunks of an index; the site's script computes the same (FNV-1a of the UTF-8)."""
    found = 0x811C9DC5
    for byte in words.encode("utf-8", "surrogatepass"):
        found = ((found ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{(found ^ found >> 8 ^ found >> 16 ^ found >> 24) & 0xFF:02x}"


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()
