"""Contrast sets: the members side by side, and the words in which they differ."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from dateline.site.links import Links
from dateline.site.pages import Kind, Page, in_pages, titled
from dateline.site.read import Entry, Reading

HOME = "contrasts/index.html"
_SET = "contrast_set_id"
_AT_ONCE = 200
"""Sets whose texts are in memory together."""
_WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)

Piece = tuple[str, bool]
"""Some words, and whether they are edited."""


def present(reading: Reading) -> bool:
    """Whether articles name their contrast set."""
    return any(_SET in entry.said for entry in reading.entries)


def pages(reading: Reading, links: Links) -> Iterator[Page]:
    """The lists of sets, then a page per set."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in reading.entries:
        if _SET in entry.said:
            found[str(entry.said[_SET])].append(entry)
    names = sorted(found)
    for path, sets, told in in_pages(HOME, names):
        rows = [(name, links.group("contrasts", name), found[name]) for name in sets]
        yield Page(path, "contrasts.html.j2", titled("Contrast sets", told["number"]), {"rows": rows, **told})
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        wanted = {entry.id for name in some for entry in found[name]}
        texts = reading.texts(wanted)
        probes = reading.items("probes", wanted) if {"hypothesis", "answer"} <= set(reading.columns("probes")) else {}
        for n, name in enumerate(some, first):
            members = found[name]
            links.tell(name, links.group("contrasts", name))
            shown = marked([texts.get(entry.id) for entry in members])
            yield Page(
                links.group("contrasts", name),
                "contrast.html.j2",
                name,
                {
                    "members": [
                        (entry, links.article(entry.id), pieces, probes.get(entry.id, []))
                        for entry, pieces in zip(members, shown, strict=True)
                    ],
                    "before": links.group("contrasts", names[n - 1]) if n else "",
                    "after": links.group("contrasts", names[n + 1]) if n + 1 < len(names) else "",
                },
                shows_texts=True,
            )


def marked(texts: Sequence[str | None]) -> list[list[Piece] | None]:
    """Each text as pieces: of the first what any other lacks is edited, of each other what the first lacks.

    None where a text is withheld; nothing is marked where the first is.
    """
    first = texts[0] if texts else None
    if first is None:
        return [None if text is None else [(text, False)] for text in texts]
    words = _WORDS.findall(first)
    lacking: set[int] = set()
    others: list[list[Piece] | None] = []
    for text in texts[1:]:
        if text is None:
            others.append(None)
            continue
        theirs = _WORDS.findall(text)
        edited: set[int] = set()
        for kind, a, b, c, d in SequenceMatcher(None, words, theirs, autojunk=False).get_opcodes():
            if kind != "equal":
                lacking.update(range(a, b))
                edited.update(range(c, d))
        others.append(_pieces(theirs, edited))
    return [_pieces(words, lacking), *others]


def _pieces(words: Sequence[str], edited: set[int]) -> list[Piece]:
    """Words joined where they are equally edited; a space between two edited words is edited, too."""
    found: list[Piece] = []
    for n, word in enumerate(words):
        is_edited = n in edited or (word.isspace() and n - 1 in edited and n + 1 in edited)
        if found and found[-1][1] == is_edited:
            found[-1] = (found[-1][0] + word, is_edited)
        else:
            found.append((word, is_edited))
    return found


KIND = Kind("Contrast sets", HOME, present, pages)
