"""Near-duplicate signatures: a text as a few numbers that tell how much of it another text shares, and nothing else.

A text becomes a set of *shingles*: runs of words, and in scripts that are written without spaces between words
(Chinese, Japanese, Thai, Khmer, ...) runs of characters. Each stretch of either kind is cut on its own, so a mixed text needs no
decision that a small edit could turn over; a stretch shorter than a shingle is one shingle. Case, punctuation, line ends and
Unicode's compatibility forms do not count. MinHash keeps `num_perm` numbers of the set; the share of equal numbers in two
signatures estimates the share of shingles that two texts have in common (Jaccard), with a standard error of at most
1 / (2 sqrt(num_perm)).

A stored signature reads `mh1.r2.w3.c5.n128:<base64 of little-endian uint32>` and so says how it was made: version of the
shingles, of the MinHash, words and characters in a shingle, numbers.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dateline.project import Splits

_SEED = 42
_FORM = re.compile(r"mh1\.r([0-9]{1,4})\.w([0-9]{1,4})\.c([0-9]{1,4})\.n([0-9]{1,4}):([A-Za-z0-9+/]+={0,2})")

# Code points, not Unicode properties: these grow with each Python, and a signature may not change with it.
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\u2e80-\u2fdf\u3005-\u3007\u3040-\u312f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua980-\ua9ff\uaa60-\uaa7f\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
_SEPARATORS = (
    r"\s\x00-/:-@\[-`{-\xa9\xab-\xb4\xb6-\xb9\xbb-\xbf\xd7\xf7\u2000-\u206f\u2190-\u23ff\u2500-\u27bf\u2e00-\u2e7f"
    r"\u3000-\u3004\u3008-\u303f\u30fb\ufe00-\ufe6f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
_WORDS = re.compile(f"[^{_SEPARATORS}]+")


@dataclass(frozen=True, slots=True)
class Signing:
    """How signatures are made: words and characters in a shingle, numbers in a signature."""

    words: int
    characters: int
    num_perm: int

    @property
    def name(self) -> str:
        """What a stored signature made in this way begins with."""
        from rensa import RMinHash

        return f"mh1.r{RMinHash.ALGORITHM_VERSION}.w{self.words}.c{self.characters}.n{self.num_perm}"


def signing_of(splits: Splits) -> Signing:
    """How a project makes its signatures."""
    return Signing(splits.shingle_words, splits.shingle_characters, splits.num_perm)


def shingles(text: str, signing: Signing) -> set[str]:
    """The shingles of a text; none if it has neither word nor letter."""
    found: set[str] = set()
    for units, size in _stretches(text, signing):
        last = max(0, len(units) - size)
        found.update(
            map(" ".join, zip(*(units[start : start + last + 1] for start in range(min(size, len(units)))), strict=True))
        )
    return found


def _stretches(text: str, signing: Signing) -> Iterator[tuple[list[str], int]]:
    """Stretches of words and of unspaced characters in turn, each with the size of its shingles."""
    text = unicodedata.normalize("NFKC", text).casefold()
    words: list[str] = _WORDS.findall(text)
    if words and not _UNSPACED.search(text):  # most texts
        yield words, signing.words
        return
    units: list[str] = []
    unspaced = False
    for word in words:
        # most words hold no such character, and one search tells
        pieces = re.split(f"({_UNSPACED.pattern})", word) if _UNSPACED.search(word) else (word,)
        for piece in filter(None, pieces):
            kind = len(piece) == 1 and _UNSPACED.match(piece) is not None
            if kind != unspaced and units:
                yield units, signing.characters if unspaced else signing.words
                units = []
            unspaced = kind
            units.append(piece)
    if units:
        yield units, signing.characters if unspaced else signing.words


def sign(text: str, signing: Signing) -> bytes | None:
    """The signature of a text: `num_perm` little-endian uint32; None for a text without shingles."""
    import numpy as np
    from rensa import RMinHash  # its `_rho` variant is biased

    found = shingles(text, signing)
    if not found:
        return None
    made = RMinHash(num_perm=signing.num_perm, seed=_SEED)  # in this thread: its matrices wake a pool of threads for each text
    made.update(list(found))
    return np.asarray(made.digest(), "<u4").tobytes()


def spell(signature: bytes, signing: Signing) -> str:
    """The text form in which a record stores a signature."""
    return f"{signing.name}:{base64.b64encode(signature).decode()}"


def stored(value: Any) -> tuple[str, Signing, bytes] | None:
    """What a stored signature begins with, how it was made, and its numbers; None for what is no signature."""
    match = _FORM.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    signing = Signing(int(match[2]), int(match[3]), int(match[4]))
    try:
        raw = base64.b64decode(match[5], validate=True)
    except ValueError:
        return None
    return (value.partition(":")[0], signing, raw) if len(raw) == 4 * signing.num_perm else None


def add_signature(record: dict[str, Any], signing: Signing) -> bool:
    """Store the signature of a checked record's text in `text.minhash`, if it holds a text and no signature yet.

    It is never made again: a stored one stands for the text that was there.
    """
    said = record["text"]
    if said.get("minhash") is not None or said.get("content") is None:
        return False
    signature = sign(said["content"], signing)
    if signature is None:
        return False
    said["minhash"] = spell(signature, signing)
    return True
