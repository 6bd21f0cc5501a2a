"""The search: a page, and an index made beforehand in pieces small enough to be loaded when they are needed.

    search/facets.js   what lists are filtered by: the values of each facet, and which of them each article has
    search/d-NNN.js    what results show: 200 articles each
    search/w-NN.js     words, by their first two letters: in which articles each stands

Articles are numbered in the order of lists. Words are cut and folded here as the site's script cuts and folds a query; scripts
that are written without spaces are cut into pairs of letters. Nothing of a withheld text is indexed.
"""

from __future__ import annotations

import re
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from dateline.site.links import Links, bucket
from dateline.site.pages import Kind, Page
from dateline.site.read import ARTICLES, Entry, Reading

HOME = "search.html"
_DOCUMENTS = 200
_IN_MEMORY = 400_000
"""Words of articles that wait in memory before they are laid down."""
_LONGEST = 40
_WORD = re.compile(r"[^\W_]+")
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_RUN = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")

Write = Callable[[str, Any], int]
"""Writes a chunk of data under a name as a script, and says how many bytes it has."""


def pages(reading: Reading, links: Links) -> Iterator[Page]:
    """The one page; the index is `write_index`."""
    yield Page(HOME, "search.html.j2", "Search", {"facets": facets(reading), "total": len(reading.entries)})


def facets(reading: Reading) -> list[tuple[str, list[str]]]:
    """By what lists are filtered: split, language and labels of articles, each with the values that some articles have."""
    found: dict[str, set[str]] = defaultdict(set)
    for entry in reading.entries:
        for name, value in _facets_of(entry):
            found[name].add(value)
    return [(name, sorted(values)) for name, values in found.items() if len(values) > 1]


def _facets_of(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "split", entry.split
    if entry.language:
        yield "language", entry.language
    yield from entry.labels.items()


def write_index(reading: Reading, links: Links, write: Write) -> int:
    """Write the whole index; its bytes. One pass over the texts; words wait in files, so that memory does not grow with them."""
    entries = reading.entries
    size = write("search/facets", _facet_index(reading))
    for first in range(0, len(entries), _DOCUMENTS):
        shown = [
            [links.article(e.id), e.title[:200], e.id[:200], str(e.said.get("publisher", ""))[:80], int(e.withheld)]
            for e in entries[first : first + _DOCUMENTS]
        ]
        size += write(f"search/d-{first // _DOCUMENTS:03}", shown)
    with tempfile.TemporaryDirectory(prefix="dateline-") as folder:
        waiting = _Waiting(Path(folder))
        for number, words in _indexed(reading):
            waiting.add(number, words)
        for name, found in waiting.chunks():
            size += write(f"search/w-{name}", found)
    return size


def _facet_index(reading: Reading) -> dict[str, Any]:
    known = facets(reading)
    at = {name: {value: n for n, value in enumerate(values)} for name, values in known}
    of: dict[str, list[int]] = {name: [-1] * len(reading.entries) for name in at}
    for number, entry in enumerate(reading.entries):
        for name, value in _facets_of(entry):
            if name in at:
                of[name][number] = at[name][value]
    return {"total": len(reading.entries), "size": _DOCUMENTS,
            "facets": [{"name": name, "values": values, "of": of[name]} for name, values in known]}  # fmt: skip


def _indexed(reading: Reading) -> Iterator[tuple[int, set[str]]]:
    """Words of each article by its number: those of its title, id and group, of its text, and of names in its layers."""
    at = {entry.id: number for number, entry in enumerate(reading.entries)}
    for number, entry in enumerate(reading.entries):
        yield number, set(words_of(f"{entry.title} {entry.id} {entry.group} {entry.said.get('publisher', '')}"))
    for row in reading.rows(ARTICLES, ["article_id", "text"]):
        if row["text"] is not None:
            yield at[row["article_id"]], set(words_of(row["text"]))
    for layer in reading.corpus.layers:
        names = [c for c in reading.columns(layer) if c == "name" or c.endswith("_name")]
        if not names:
            continue
        for row in reading.rows(layer, ["article_id", *names]):
            yield at[row["article_id"]], {w for c in names if isinstance(row.get(c), str) for w in words_of(row[c])}


def words_of(text: str) -> Iterator[str]:
    """The words of a text as the index has them: folded, long ones cut, scripts without spaces in pairs of letters."""
    folded = "".join(c for c in unicodedata.normalize("NFKD", text).lower() if not unicodedata.category(c).startswith("M"))
    for found in _WORD.finditer(folded):
        for run in _RUN.finditer(found[0]):
            word = run[0]
            if not _IS_UNSPACED.match(word):
                yield word[:_LONGEST]
            elif len(word) == 1:
                yield word
            else:
                yield from (word[n : n + 2] for n in range(len(word) - 1))


class _Waiting:
    """Words and the articles they stand in, by chunk, in files of a folder until all are there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: dict[str, list[str]] = defaultdict(list)
        self._count = 0

    def add(self, number: int, words: Iterable[str]) -> None:
        for word in words:
            self._lines[bucket(word[:2])].append(f"{word}\t{number}\n")
            self._count += 1
        if self._count > _IN_MEMORY:
            self._lay_down()

    def chunks(self) -> Iterator[tuple[str, dict[str, list[int]]]]:
        """Each chunk: word to numbers of articles, each as the difference to the one before."""
        self._lay_down()
        for path in sorted(self._folder.iterdir()):
            found: dict[str, set[int]] = defaultdict(set)
            with path.open(encoding="utf-8") as lines:
                for line in lines:
                    word, _, number = line.rstrip("\n").rpartition("\t")
                    found[word].add(int(number))
            yield path.name, {word: _steps(sorted(numbers)) for word, numbers in sorted(found.items())}

    def _lay_down(self) -> None:
        for name, lines in self._lines.items():
            with (self._folder / name).open("a", encoding="utf-8") as file:
                file.writelines(lines)
        self._lines.clear()
        self._count = 0


def _steps(numbers: list[int]) -> list[int]:
    return [n - before for before, n in zip([0, *numbers], numbers, strict=False)]


KIND = Kind("Search", HOME, lambda reading: bool(reading.entries), pages)
