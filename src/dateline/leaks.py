"""Leaks: does a string repeat words of a text that may not be passed on? Pure; it knows strings and hashes, no files of records.

Two strings share words where they share an *n-gram*: 8 consecutive words (lower-cased runs of `\\w`, after NFC), or, as words are
not set apart in Chinese, Japanese, Thai, Lao, Khmer and Burmese, 16 consecutive characters of which at least half belong
to such a script. A text is kept as the 64-bit hashes of its n-grams alone, in sorted arrays that worker processes map
into memory: 12 bytes per n-gram, no words.
"""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORDS = 8
CHARACTERS = 16
SHORTEST = 2 * WORDS - 1
"""A string of fewer characters holds no n-gram."""

_WORD = re.compile(r"\w+")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LETTERS = re.compile(r"(?<![^\W_])[^\W\d_]{2,}(?![^\W_])")
_NAME = re.compile(r"[\w.:@+-]{1,128}")

Hashes = NDArray[np.uint64]
Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Match:
    """A stretch of a string that stands in a text too: which string, which text, how long, from which word on."""

    string: int
    text: int
    length: int
    unit: str
    first: int


@dataclass(frozen=True)
class Grams:
    """The n-grams of some texts: sorted hashes, and for each the number of the text that it comes from."""

    hashes: Hashes
    texts: NDArray[np.uint32]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Grams:
        """The n-grams of texts; a text without any (fewer than 8 words) leaves no trace."""
        return cls.join([hashes_of(text) for text in texts])

    @classmethod
    def join(cls, pieces: Sequence[Hashes]) -> Grams:
        """The n-grams of texts whose hashes are at hand (`hashes_of`), in the order of the texts."""
        hashes = np.concatenate([np.empty(0, np.uint64), *pieces])
        texts = np.repeat(np.arange(len(pieces), dtype=np.uint32), [len(p) for p in pieces])
        order = np.argsort(hashes, kind="stable")
        return cls(hashes[order], texts[order])

    def save(self, stem: Path) -> None:
        """Write two files that `load` reads; raises OSError as the system gives it."""
        np.save(stem.with_suffix(".hashes.npy"), self.hashes)
        np.save(stem.with_suffix(".texts.npy"), self.texts)

    @classmethod
    def load(cls, stem: Path) -> Grams:
        """What `save` wrote, mapped into memory and shared between processes."""
        return cls(*(np.load(stem.with_suffix(f".{name}.npy"), mmap_mode="r") for name in ("hashes", "texts")))

    def find(self, strings: Sequence[str]) -> Iterator[Match]:
        """The longest stretches of the strings that the texts share, in the order of the strings."""
        if not len(self.hashes):
            return
        for kind, size, unit in ((_words, WORDS, "words"), (_characters, CHARACTERS, "characters")):
            hashes, which, first = kind(strings)
            at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
            hits = np.flatnonzero(self.hashes[at] == hashes)
            if not len(hits):
                continue
            # hits that follow each other in one string are one stretch
            breaks = (np.diff(first[hits]) != 1) | (np.diff(which[hits]) != 0)
            for run in np.split(hits, np.flatnonzero(breaks) + 1):
                start = int(run[0])
                yield Match(int(which[start]), int(self.texts[at[start]]), len(run) + size - 1, unit, int(first[start]))


def hashes_of(text: str) -> Hashes:
    """The hashes of the n-grams of one text, in text order; empty if it is too short to have any."""
    return np.concatenate([_words([text])[0], _characters([text])[0]])


def line_of_word(text: str, number: int) -> int:
    """The 1-based line on which the word with that number (from 0) stands."""
    for count, match in enumerate(_WORD.finditer(_normal(text))):
        if count == number:
            return _normal(text).count("\n", 0, match.start()) + 1
    return 1


def shown(name: str, quote: bool = True) -> str:
    """A name or id as a message may show it: itself where quoting is allowed, or where it cannot be words of a text.

    What is no plain word, or four or more words with hyphens between them, is told by its length.
    """
    if quote or (_NAME.fullmatch(name) and len(_LETTERS.findall(name)) < 4):
        return name
    return f"({len(name)} characters, not shown)"


# ---- strings of a table --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Strings:
    """The strings of one column (nested ones by their dotted path): the strings, and the row of each.

    `across` says that each string is joined of pieces from several items of a row, such as tokens kept one by one.
    """

    column: str
    strings: list[str]
    rows: Positions
    across: bool = False


def strings_of(column: str, array: Any, *, across_items: bool) -> Iterator[Strings]:
    """Every string of an Arrow array, however deeply nested; strings too short for any n-gram are left out.

    A list of strings is given joined as well, and with `across_items` the strings that a list of objects holds at one path.
    """
    import pyarrow as pa

    yield from _leaves(column, array, np.arange(len(array)), across_items, pa.types.is_list(array.type))


def _leaves(column: str, array: Any, rows: Positions, across_items: bool, inside: bool) -> Iterator[Strings]:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        array, kind = array.dictionary_decode(), kind.value_type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        parents = np.asarray(pc.list_parent_indices(array))
        values = array.flatten()
        if _is_text(values.type):
            yield _joined(column, values, parents, rows)
        yield from _leaves(column, values, rows[parents], across_items, True)
    elif pa.types.is_struct(kind):
        for child, values in zip(kind, array.flatten(), strict=True):
            yield from _leaves(f"{column}.{child.name}", values, rows, across_items, inside)
    elif _is_text(kind):
        if inside and across_items:
            yield _joined(column, array, rows, np.arange(rows.max() + 1 if len(rows) else 0), across=True)
        long = pc.fill_null(pc.greater_equal(pc.utf8_length(array), SHORTEST), False)
        yield Strings(column, array.filter(long).to_pylist(), rows[np.asarray(long).astype(bool)])


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _joined(column: str, values: Any, parents: Positions, rows: Positions, across: bool = False) -> Strings:
    pieces: dict[int, list[str]] = {}
    for parent, value in zip(parents.tolist(), values.to_pylist(), strict=True):
        if value:
            pieces.setdefault(parent, []).append(value)
    several = {parent: " ".join(words) for parent, words in pieces.items() if len(words) > 1}
    return Strings(column, list(several.values()), rows[np.fromiter(several, np.int64, len(several))], across)


# ---- n-grams -------------------------------------------------------------------------------------------------


def _words(strings: Sequence[str]) -> tuple[Hashes, Positions, Positions]:
    """The word n-grams of strings: their hashes, the string of each, and the word it begins with."""
    tokens = [_WORD.findall(_normal(s)) for s in strings]
    counts = np.fromiter(map(len, tokens), np.int64, len(tokens))
    flat = np.fromiter((_hash(t) for found in tokens for t in found), np.uint64, int(counts.sum()))
    return _windows(flat, counts, WORDS)


def _characters(strings: Sequence[str]) -> tuple[Hashes, Positions, Positions]:
    """The same for the character n-grams of scripts without spaces; positions count letters and digits."""
    kept = ["".join(c for c in _normal(s) if _is_letter(c)) if _UNSPACED.search(s) else "" for s in strings]
    counts = np.fromiter(map(len, kept), np.int64, len(kept))
    text = "".join(kept)
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    hashes, which, first = _windows(_mixed(points), counts, CHARACTERS)
    unspaced = np.fromiter((bool(_UNSPACED.match(c)) for c in text), np.int64, len(text))
    sums = np.concatenate([[0], np.cumsum(unspaced)])
    start = first + (np.cumsum(counts) - counts)[which]
    enough = sums[start + CHARACTERS] - sums[start] >= CHARACTERS // 2
    return ~hashes[enough], which[enough], first[enough]


def _windows(units: Hashes, counts: Positions, size: int) -> tuple[Hashes, Positions, Positions]:
    which = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(units)) - np.repeat(np.cumsum(counts) - counts, counts)
    n = max(0, len(units) - size + 1)
    hashes = np.zeros(n, np.uint64)
    factor = 1
    for k in range(size):
        hashes += units[k : k + n] * np.uint64(factor)
        factor = factor * 0x9E3779B97F4A7C15 % 2**64
    whole = which[:n] == which[len(units) - n :] if n else np.zeros(0, bool)
    return hashes[whole], which[:n][whole], place[:n][whole]


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()


def _is_letter(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")


@functools.lru_cache(1 << 17)
def _hash(token: str) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _mixed(values: Hashes) -> Hashes:
    """Spread small numbers over 64 bits (the finaliser of splitmix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
