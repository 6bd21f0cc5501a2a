"""Offsets of annotation tools, converted exactly: UTF-16 units (Java, JavaScript), bytes of UTF-8, code points; line ends.

Dateline counts Unicode code points of the exact text. A tool that counts otherwise says so by an option of its importer, and
every offset is looked up here; one that points into the middle of a character is refused, never rounded.
"""

from __future__ import annotations

import re
from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

_LONGEST = {"code-points": (), "utf-16": (0xFFFF,), "bytes": (0x7F, 0x7FF, 0xFFFF)}
"""The last characters of which each takes one, two, three of a tool's units."""
UNITS = tuple(_LONGEST)
LINE_ENDS = ("two", "one")
_CRLF = re.compile("\r\n")


class Offsets:
    """From a tool's offsets to code points of `text`, and back.

    `unit` is what the tool counts. With `crlf="one"` it takes CR LF for one character, as tools do that read files with
    universal newlines; the text itself keeps both.
    """

    def __init__(self, text: str, unit: str = "code-points", crlf: str = "two") -> None:
        self.length = len(text)
        joined = crlf == "one" and "\r\n" in text
        wide = unit != "code-points" and not text.isascii()
        self._starts: list[int] | None = None
        if joined or wide:
            sizes = _sizes(text, unit)
            if joined:
                sizes[[match.start() for match in _CRLF.finditer(text)]] = 0
            self._starts = [0, *np.cumsum(sizes).tolist()]

    def __call__(self, offset: int) -> int:
        """The code point at an offset; raises ValueError for one beyond the text or inside a character."""
        if self._starts is None:
            if not 0 <= offset <= self.length:
                raise ValueError(f"{offset} lies beyond the text, which has {self.length} characters")
            return offset
        at = bisect_left(self._starts, offset) if offset >= 0 else len(self._starts)
        if at == len(self._starts):
            raise ValueError(f"{offset} lies beyond the text, which ends at {self._starts[-1]}")
        if self._starts[at] != offset:
            raise ValueError(f"{offset} lies inside a character")
        return at

    def back(self, code_point: int) -> int:
        """The tool's offset of a code point; raises ValueError beyond the text."""
        if not 0 <= code_point <= self.length:
            raise ValueError(f"{code_point} lies beyond the text, which has {self.length} characters")
        return code_point if self._starts is None else self._starts[code_point]


def _sizes(text: str, unit: str) -> NDArray[np.int64]:
    """How many units each character takes."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    sizes = np.ones(len(codes), np.int64)
    for longest in _LONGEST[unit]:
        sizes += codes > longest
    return sizes
