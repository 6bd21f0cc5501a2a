"""Spans of a text, on an edited version of it: moved where the very same words stand, doubtful or lost where they do not.

The two texts are aligned word by word. A span is kept only if all its words are aligned, in a row, and the characters are exactly
the same; it is doubtful if they differ in form alone (line ends, white space, Unicode normal form), or if the same words were
inserted nearby so that either place may be meant; else it is lost. Passages that were moved as a whole are found by runs of words
that stand once in either text.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from dateline.document import Stretch

_PIECES = re.compile(r"\w+|\s+|[^\w\s]")
_RUN = 6
"""So many words in a row, which stand once in either text, mark a moved passage."""
_CONTEXT = 8
"""So many words on either side tell apart places where the same words stand."""
_ENOUGH = 5
"""So many words of context on one side alone do for a span of few words."""
_LEAST = 3
"""So many words of context make it likely that a place is meant, aligned or not."""

Align = Callable[[Sequence[str], Sequence[str]], Iterable[tuple[int, int, int]]]
"""Takes the words of two texts; gives runs of equal ones: start in either, length."""


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a span: `unchanged`, `moved`, `doubtful` or `lost`; where it may stand in the new text, and why so."""

    fate: str
    candidates: tuple[Stretch, ...] = ()
    why: str = ""

    @property
    def kept(self) -> Stretch | None:
        """Where the very same words stand, for certain."""
        return self.candidates[0] if self.fate in ("unchanged", "moved") else None


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a text, each with its marks, in normal form C: where they begin and end."""

    keys: list[str]
    starts: list[int]
    ends: list[int]


def by_difflib(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Runs of equal words, the longest first and then those on either side of it."""
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        if block.size:
            yield block.a, block.b, block.size


class Reanchoring:
    """Two versions of a text, aligned; called with a span of the old one."""

    def __init__(self, old: str, new: str, align: Align = by_difflib) -> None:
        self.old, self.new = old, new
        self._old, self._new = _words(old), _words(new)
        self._to: list[int | None] = [None] * len(self._old.keys)
        for a, b, size in _aligned(self._old.keys, self._new.keys, align):
            self._to[a : a + size] = range(b, b + size)
        self._taken = {n for n in self._to if n is not None}
        self._follow_moves()
        self._at: dict[str, list[int]] = defaultdict(list)
        for n, key in enumerate(self._new.keys):
            self._at[key].append(n)

    def __call__(self, span: Stretch) -> Found:
        """What becomes of a span of the old text."""
        start, end = span
        first = bisect_right(self._old.ends, start)
        last = bisect_left(self._old.starts, end) - 1
        if not 0 <= start < end <= len(self.old) or first > last:
            return Found("lost", (), "holds no word")
        inner = (start - self._old.starts[first], self._old.ends[last] - end)
        there = self._to[first]
        row = range(there, there + last - first + 1) if there is not None else range(0)
        others = self._others(first, last, row, inner)
        if list(row) != self._to[first : last + 1]:
            exact = tuple(self._stretch(n, last - first, inner) for n in others)
            if exact:
                return Found("doubtful", exact, "stands elsewhere")
            return Found("lost", self._between(first, last, inner), "its words were changed")
        assert there is not None
        found = self._stretch(there, last - first, inner)
        if self.new[found[0] : found[1]] != self.old[start:end]:
            return Found("doubtful", (found,), "differs in form: line ends, white space or Unicode normal form")
        left, right = self._context(first, last, there)
        one_sided = not (left and right) and max(left, right) < _ENOUGH and last - first + 1 < _LEAST
        if left + right < _LEAST or one_sided:
            return Found("doubtful", (found,), "the words around it were changed")
        if rivals := self._rivals(first, last, there, others):
            places = tuple(self._stretch(n, last - first, inner) for n in rivals)
            return Found("doubtful", (found, *places), "the same words were inserted nearby")
        return Found("unchanged" if found == span else "moved", (found,))

    def _between(self, first: int, last: int, inner: tuple[int, int]) -> tuple[Stretch, ...]:
        """What stands between the first and the last word of a span whose words were changed, for people to look at."""
        a, b = self._to[first], self._to[last]
        return (self._stretch(a, b - a, inner),) if a is not None and b is not None and a < b else ()

    def kept_stretches(self, within: Stretch | None = None) -> list[Stretch]:
        """The stretches of the new text, in order, whose words stood in (a stretch of) the old one, in a row, in equal form."""
        least, most = within or (0, len(self.old))
        runs: list[list[int]] = []  # words of the old text, first and last
        for at, to in enumerate(self._to):
            inside = least <= self._old.starts[at] and self._old.ends[at] <= most
            if to is None or not inside or not self._same_word(at, to):
                continue
            if runs and runs[-1][1] == at - 1 and self._to[at - 1] == to - 1:
                runs[-1][1] = at
            else:
                runs.append([at, at])
        return sorted((self._new.starts[self._to[a] or 0], self._new.ends[self._to[b] or 0]) for a, b in runs)

    def _same_word(self, at: int, to: int) -> bool:
        one, other = self._old, self._new
        return self.old[one.starts[at] : one.ends[at]] == self.new[other.starts[to] : other.ends[to]]

    def _stretch(self, there: int, further: int, inner: tuple[int, int]) -> Stretch:
        """The characters of words of the new text, less what the span leaves out at its edges."""
        start = self._new.starts[there] + inner[0]
        return start, max(start, self._new.ends[there + further] - inner[1])

    def _others(self, first: int, last: int, row: range, inner: tuple[int, int]) -> list[int]:
        """Other places where exactly the same words stand, of which one at least is new there."""
        wanted = self._old.keys[first : last + 1]
        words = self.old[self._old.starts[first] + inner[0] : self._old.ends[last] - inner[1]]
        found = []
        for n in self._at.get(wanted[0], ()):
            if (n == row.start and row) or self._new.keys[n : n + len(wanted)] != wanted:
                continue
            start, end = self._stretch(n, last - first, inner)
            if self.new[start:end] == words and any(m not in self._taken for m in range(n, n + len(wanted))):
                found.append(n)
        return found

    def _rivals(self, first: int, last: int, there: int, others: list[int]) -> list[int]:
        """Of other places those whose context is not clearly worse than that of the aligned one."""
        own = sum(self._context(first, last, there))
        return [n for n in others if sum(self._context(first, last, n)) >= min(_LEAST, own)]

    def _context(self, first: int, last: int, there: int) -> tuple[int, int]:
        """How many words in a row on the left, and on the right, are those of the old text; its ends are words, marks are not."""
        return self._alike(first - 1, there - 1, -1), self._alike(last + 1, there + last - first + 1, 1)

    def _alike(self, at: int, to: int, step: int) -> int:
        words = 0
        for n in range(0, step * _CONTEXT, step):
            word = _at(self._old.keys, at + n)
            if word != _at(self._new.keys, to + n):
                break
            words += word is None or word[0].isalnum()
        return words

    def _follow_moves(self) -> None:
        """Align passages that stand elsewhere: runs of words that are once in what is left of either text."""
        left = [n for n, to in enumerate(self._to) if to is None]
        free = [n for n in range(len(self._new.keys)) if n not in self._taken]
        here, there = (_runs(words.keys, set(at)) for words, at in ((self._old, left), (self._new, free)))
        once = _once(self._old.keys), _once(self._new.keys)
        for run, at in here.items():
            to = there.get(run)
            if at is None or to is None or self._to[at] is not None or to in self._taken:
                continue
            if once[0][run] > 1 or once[1][run] > 1:
                continue
            while self._free(at - 1, to - 1):
                at, to = at - 1, to - 1
            while self._free(at, to):
                self._to[at] = to
                self._taken.add(to)
                at, to = at + 1, to + 1

    def _free(self, at: int, to: int) -> bool:
        inside = 0 <= at < len(self._to) and 0 <= to < len(self._new.keys)
        return inside and self._to[at] is None and to not in self._taken and self._old.keys[at] == self._new.keys[to]


def _words(text: str) -> _Words:
    """The words and other characters of a text; combining marks belong to what they stand on."""
    found = _Words([], [], [])
    marked = False
    for piece in _PIECES.finditer(text):
        if piece[0].isspace():
            marked = False
            continue
        joins = bool(found.ends) and found.ends[-1] == piece.start()
        mark = bool(unicodedata.combining(piece[0][0]))
        if joins and (mark or (marked and piece[0][0].isalnum())):
            found.ends[-1] = piece.end()
        else:
            found.starts.append(piece.start())
            found.ends.append(piece.end())
        marked = mark
    found.keys.extend(unicodedata.normalize("NFC", text[a:b]) for a, b in zip(found.starts, found.ends, strict=True))
    return found


def _aligned(old: Sequence[str], new: Sequence[str], align: Align) -> Iterator[tuple[int, int, int]]:
    """Runs of equal words; what both texts begin and end with is set aside, as it need not be searched."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    yield 0, 0, start
    for a, b, size in align(old[start : len(old) - end], new[start : len(new) - end]):
        yield a + start, b + start, size
    yield len(old) - end, len(new) - end, end


def _at(words: Sequence[str], n: int) -> str | None:
    return words[n] if 0 <= n < len(words) else None


def _runs(words: Sequence[str], among: set[int]) -> dict[tuple[str, ...], int | None]:
    """Runs of words that lie wholly among some: where each stands, None if it stands twice."""
    found: dict[tuple[str, ...], int | None] = {}
    for n in sorted(among):
        if all(n + k in among for k in range(_RUN)):
            run = tuple(words[n : n + _RUN])
            found[run] = None if run in found else n
    return found


def _once(words: Sequence[str]) -> dict[tuple[str, ...], int]:
    counts: dict[tuple[str, ...], int] = defaultdict(int)
    for n in range(len(words) - _RUN + 1):
        counts[tuple(words[n : n + _RUN])] += 1
    return counts
