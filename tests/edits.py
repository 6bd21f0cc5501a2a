"""Edits of texts of which is known where every character went; `python tests/edits.py` measures re-anchoring on them.

It takes the spans of this repository's own corpus through edits of nine kinds, and prints for each how many spans truly stand
unchanged, how many of them were kept, and how many were kept in a wrong place (where the edit did not take them).
"""

from __future__ import annotations

import json
import random
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dateline.document import Stretch
from dateline.reanchor import Align, Reanchoring, by_difflib

Letters = list[tuple[str, int | None]]
"""Characters, each with where it stood in the old text; None for a new one."""
Edit = Callable[[Letters, random.Random], Letters]


def _cuts(letters: Letters, mark: str) -> list[int]:
    """Where paragraphs (mark: line end) or words (mark: blank) begin."""
    return [0, *(n + 1 for n, (c, _) in enumerate(letters) if c == mark and n + 1 < len(letters)), len(letters)]


def _piece(letters: Letters, draw: random.Random, mark: str, most: int = 1) -> tuple[int, int]:
    cuts = _cuts(letters, mark)
    at = draw.randrange(len(cuts) - 1)
    return cuts[at], cuts[min(len(cuts) - 1, at + draw.randint(1, most))]


def _new(letters: Letters) -> Letters:
    return [(c, None) for c, _ in letters]


def insert_words(letters: Letters, draw: random.Random) -> Letters:
    """A few words of the text itself, once more, somewhere."""
    a, b = _piece(letters, draw, " ", 6)
    at = draw.choice(_cuts(letters, " "))
    return letters[:at] + _new(letters[a:b]) + letters[at:]


def insert_paragraph(letters: Letters, draw: random.Random) -> Letters:
    """A whole paragraph once more, in front of another."""
    a, b = _piece(letters, draw, "\n")
    at = draw.choice(_cuts(letters, "\n"))
    return letters[:at] + _new(letters[a:b]) + letters[at:]


def delete_words(letters: Letters, draw: random.Random) -> Letters:
    """A few words less."""
    a, b = _piece(letters, draw, " ", 12)
    return letters[:a] + letters[b:]


def replace_paragraph(letters: Letters, draw: random.Random) -> Letters:
    """A paragraph of other words: those of the old one, shuffled, half of them new, also the first and the last."""
    a, b = _piece(letters, draw, "\n")
    words = "".join(c for c, _ in letters[a:b]).split()
    draw.shuffle(words)
    said = " ".join(word if draw.random() < 0.5 else word[::-1] for word in ["Xyz", *words, "zyx"]) + "\n"
    return letters[:a] + [(c, None) for c in said] + letters[b:]


def move_paragraph(letters: Letters, draw: random.Random) -> Letters:
    """A paragraph elsewhere."""
    a, b = _piece(letters, draw, "\n")
    left = letters[:a] + letters[b:]
    at = draw.choice(_cuts(left, "\n")) if left else 0
    return left[:at] + letters[a:b] + left[at:]


def typos(letters: Letters, draw: random.Random) -> Letters:
    """Twelve letters that are others."""
    made = list(letters)
    for at in draw.sample(range(len(made)), min(12, len(made))):
        made[at] = ("x" if made[at][0] != "x" else "y", None)
    return made


def line_ends(letters: Letters, draw: random.Random) -> Letters:
    """CR LF for LF."""
    return [one for c, at in letters for one in ([("\r", None), (c, at)] if c == "\n" else [(c, at)])]


def decomposed(letters: Letters, draw: random.Random) -> Letters:
    """Unicode normal form D."""
    return [
        (one, at if one == c else None) for c, at in letters for one in (unicodedata.normalize("NFD", c) if c.isalpha() else c)
    ]


def several(letters: Letters, draw: random.Random) -> Letters:
    """Six edits of all kinds but those that copy: of a copy whose model is edited next, nobody could say which is meant."""
    for edit in draw.choices([e for e in EDITS if e not in (several, insert_words, insert_paragraph)], k=6):
        letters = edit(letters, draw)
    return letters


EDITS: list[Edit] = [
    insert_words, insert_paragraph, delete_words, replace_paragraph, move_paragraph, typos, line_ends, decomposed, several
]  # fmt: skip


def true_place(span: Stretch, went: dict[int, int]) -> Stretch | None:
    """Where an edit took a span, if all of it stands there in a row."""
    there = [went.get(at) for at in range(*span)]
    first = there[0]
    return None if first is None or there != list(range(first, first + len(there))) else (first, first + len(there))


def tried(text: str, spans: Sequence[Stretch], edit: Edit, draw: random.Random, align: Align = by_difflib) -> Counter[str]:
    """What became of spans in one edit, against what should have."""
    letters = edit([(c, at) for at, c in enumerate(text)], draw)
    new = "".join(c for c, _ in letters)
    went = {at: n for n, (_, at) in enumerate(letters) if at is not None}
    began = time.perf_counter()
    find = Reanchoring(text, new, align)
    found = [find(span) for span in spans]
    counts = Counter({"milliseconds": round((time.perf_counter() - began) * 1000)})
    for span, place in zip(spans, found, strict=True):
        true = true_place(span, went)
        counts["stands"] += true is not None
        counts[place.fate] += 1
        counts["kept"] += place.kept is not None and place.kept == true
        if place.kept is not None and place.kept != true:
            counts["wrong"] += 1
    return counts


def corpus() -> Iterator[tuple[str, list[Stretch]]]:
    """The texts of this repository's corpus with all their spans."""
    for path in sorted((Path(__file__).resolve().parents[1] / "seeds" / "articles").glob("*.json")):
        record = json.loads(path.read_bytes())
        if record["text"]["content"] is not None:
            yield record["text"]["content"], sorted(set(_spans(record)))


def _spans(value: object) -> Iterator[Stretch]:
    if isinstance(value, dict):
        if value.keys() >= {"start", "end"}:
            yield value["start"], value["end"]
        for inner in value.values():
            yield from _spans(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _spans(inner)


def measure(rounds: int, align: Align = by_difflib) -> dict[str, Counter[str]]:
    """Counts by edit, over all texts, so many times."""
    found: dict[str, Counter[str]] = {edit.__name__: Counter() for edit in EDITS}
    for number, (text, spans) in enumerate(corpus()):
        for edit in EDITS:
            for n in range(rounds):
                draw = random.Random(f"{number} {edit.__name__} {n}")
                found[edit.__name__] += tried(text, spans, edit, draw, align)
    return found


def main() -> None:
    """Print the counts."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print(f"{'edit':18} {'stand':>7} {'kept':>7} {'recall':>7} {'wrong':>5} {'doubtful':>8} {'lost':>6} {'ms each':>7}")
    for name, n in measure(rounds).items():
        recall = n["kept"] / n["stands"] if n["stands"] else 1
        each = n["milliseconds"] / (rounds * 6)
        print(f"{name:18} {n['stands']:7} {n['kept']:7} {recall:7.2%} {n['wrong']:5} {n['doubtful']:8} {n['lost']:6} {each:7.1f}")


if __name__ == "__main__":
    main()
