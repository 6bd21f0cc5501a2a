"""Wire copies: an article as another outlet prints it. Edited, cut, with a lead of its own, with names in another script.

A copy follows from its source, its kind, its strength and a seed. A name is what begins with a capital within a sentence: in
German every noun is one.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

Paragraphs = list[list[str]]
Make = Callable[[Paragraphs, float, random.Random], Paragraphs]

_VOCABULARY = (
    "officials market river council week minister north percent bridge season court harbour police report summer company south "
    "million school vote storm region doctor train border price winter union answer morning budget island museum player forest"
)
_WORDS = _VOCABULARY.split()
_NOTICE = random.Random("notice").choices(_WORDS, k=200)
_END = re.compile(r"[.!?:]['\"”»)]*$")
_NAME = re.compile(r"[^\W\d_]{2,}")
_LATIN, _CYRILLIC = "abcdefghijklmnopqrstuvwxyz", "абцдефгхийклмнопкрстуввхыз"
_SCRIPT = str.maketrans(_LATIN + _LATIN.upper(), _CYRILLIC + _CYRILLIC.upper())


@dataclass(frozen=True)
class Copy:
    """A copy of the text of `source`."""

    source: str
    kind: str
    strength: float
    text: str


def _edited(text: Paragraphs, share: float, draw: random.Random) -> Paragraphs:
    """That share of the words is another word, gone, or has a word before it, in equal parts."""
    made = []
    for paragraph in text:
        words: list[str] = []
        for word in paragraph:
            edit = draw.randrange(3) if draw.random() < share else None
            words += [draw.choice(_WORDS)] if edit in (0, 1) else []
            words += [word] if edit in (None, 1) else []
        made.append(words)
    return made


def _cut(text: Paragraphs, share: float, draw: random.Random) -> Paragraphs:
    """The last words are gone, that share of all."""
    left = round(_length(text) * (1 - share))
    made = []
    for paragraph in text:
        made.append(paragraph[:left])
        left -= len(made[-1])
    return [paragraph for paragraph in made if paragraph]


def _led(text: Paragraphs, share: float, draw: random.Random) -> Paragraphs:
    """A first paragraph of other words, that share of the text."""
    return [draw.choices(_WORDS, k=round(_length(text) * share)), *text]


def _noticed(text: Paragraphs, words: float, draw: random.Random) -> Paragraphs:
    """A last paragraph of so many words, the same below every copy."""
    return [*text, _NOTICE[: int(words)]]


def _renamed(text: Paragraphs, share: float, draw: random.Random) -> Paragraphs:
    """That share of the names, each wherever it stands, in Cyrillic letters."""
    names = sorted({
        name for paragraph in text for before, word in pairwise(paragraph)
        for name in _NAME.findall(word) if name[0].isupper() and not _END.search(before)
    })  # fmt: skip
    chosen = set(draw.sample(names, round(len(names) * share)))
    return [
        [_NAME.sub(lambda m: m[0].translate(_SCRIPT) if m[0] in chosen else m[0], word) for word in paragraph]
        for paragraph in text
    ]


def _reordered(text: Paragraphs, share: float, draw: random.Random) -> Paragraphs:
    """That share of the paragraphs change places among each other."""
    moved = sorted(draw.sample(range(len(text)), max(2, round(len(text) * share)))) if len(text) > 1 else []
    order = list(range(len(text)))
    for at, other in zip(moved, draw.sample(moved, len(moved)), strict=True):
        order[at] = other
    return [text[at] for at in order]


def _printed(text: Paragraphs, times: float, draw: random.Random) -> Paragraphs:
    """What an outlet does at once: 1 % of the words edited, a twentieth cut, a lead of a twentieth; so many times that."""
    return _led(_cut(_edited(text, 0.01 * times, draw), 0.05 * times, draw), 0.05 * times, draw)


KINDS: Mapping[str, tuple[Make, tuple[float, ...]]] = {
    "words edited": (_edited, (0.01, 0.02, 0.05, 0.1, 0.2)),
    "end cut": (_cut, (0.1, 0.2, 0.3, 0.5)),
    "lead added": (_led, (0.05, 0.1, 0.2, 0.4)),
    "notice added": (_noticed, (20, 60, 120)),
    "names in another script": (_renamed, (0.25, 0.5, 1)),
    "paragraphs re-ordered": (_reordered, (0.25, 0.5, 1)),
    "edited, cut and led": (_printed, (1, 2, 3)),
}
"""How a copy is made, and in which strengths."""
UNITS = {"notice added": "words", "edited, cut and led": "times"}
"""What strengths count that are no shares."""
CHANCELESS = frozenset({"end cut", "notice added"})
"""Kinds of which two copies are equal."""


def copies(texts: Mapping[str, str], *, draws: int, seed: int = 1) -> Iterator[Copy]:
    """Of each text so many copies of each kind and strength; one of those that chance does not change."""
    for kind, (make, strengths) in KINDS.items():
        for strength in strengths:
            for source, text in texts.items():
                paragraphs = [line.split() for line in text.splitlines() if line.strip()]
                for number in range(1 if kind in CHANCELESS else draws):
                    draw = random.Random(f"{seed} {kind} {strength} {source} {number}")
                    made = make([list(paragraph) for paragraph in paragraphs], strength, draw)
                    yield Copy(source, kind, strength, "\n".join(map(" ".join, made)))


def _length(text: Paragraphs) -> int:
    return sum(map(len, text))


# ---- texts to copy -------------------------------------------------------------------------------------------


def open_articles(seeds: Path) -> tuple[dict[str, str], list[set[str]]]:
    """The texts of a project's records that may be passed on, by id, and which of them are of one story."""
    texts: dict[str, str] = {}
    stories: dict[str, set[str]] = {}
    for path in sorted((seeds / "articles").glob("*.json")):
        record = json.loads(path.read_bytes())
        if record["rights"].get("text_redistributable") is True and record["text"].get("content"):
            texts[record["article_id"]] = record["text"]["content"]
            stories.setdefault(record.get("group") or record["article_id"], set()).add(record["article_id"])
    return texts, list(stories.values())


def conllu_texts(folder: Path) -> dict[str, str]:
    """The texts of a folder of CoNLL-U, one document a file: sentences as `# text`, paragraphs as `# newpar` has them."""
    found = {}
    for path in sorted(folder.glob("*.conllu")):
        paragraphs: Paragraphs = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if line == "# newpar":
                paragraphs.append([])
            elif line.startswith("# text = "):
                paragraphs = paragraphs or [[]]
                paragraphs[-1].append(line.removeprefix("# text = "))
        found[path.stem] = "\n".join(map(" ".join, filter(None, paragraphs)))
    return found
