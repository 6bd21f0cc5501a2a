"""BIO tables: words with one row of tags per span column; a table for each level of nesting, the outermost first.

`level-1/train.jsonl` has a line for each row of the view: id, words, where they start and end in the passage, and tags. All
levels have the same lines. What a word is does not depend on the annotation, so a span may begin or end within one; such are
counted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from dateline.errors import LoadError, UsageError
from dateline.tagging import Place, Stretch, Tokens, depth, items_of, places, plain_label, tag_ids, tags
from dateline.view_exporters import Written
from dateline.view_rows import PASSAGE, View

NAME = "bio"

KEPT = ("id", "article_id", "story", "language")
"""Columns of the view that a line repeats, those of them that there are; the others are found by the id."""
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
WORD = (
    r"\p{N}+(?:[.,]\p{N}+)+"  # 1,200 and 11.5
    rf"|[{_UNSPACED}]\p{{M}}*"  # each character of a script that is written without spaces
    rf"|[\p{{L}}\p{{M}}\p{{N}}_&&[^{_UNSPACED}]]+"  # letters and digits
    r"|(?!\s)\X"  # every other character, an emoji with all that belongs to it
)
"""What a word is, in Oniguruma's syntax."""


def write(view: View, folder: Path) -> Written:
    """Write the tables. Raises UsageError if the view has no spans, or `tokenizers` is not there."""
    if not view.spans:
        raise UsageError(f"{view.name} has no spans that could be tagged; take a view that has")
    labels = {column: names or (plain_label(column),) for column, names in view.spans.items()}
    levels = max((depth(p) for s in view.splits for row in view.rows(s) for p in _Tagged(row, labels).placed.values()), default=1)
    done = Written()
    for split in view.splits:
        with ExitStack() as stack:
            names = [f"level-{level + 1}/{split}.jsonl" for level in range(max(1, levels))]
            for name in names:
                (folder / name).parent.mkdir(exist_ok=True)
            files = [stack.enter_context((folder / name).open("w", encoding="utf-8", newline="\n")) for name in names]
            for row in view.rows(split):
                tagged = _Tagged(row, labels)
                done.counts["rows"] += 1
                done.counts["spans"] += tagged.spans
                done.counts["spans that begin or end within a word"] += tagged.misaligned
                done.counts["spans without a word"] += tagged.wordless
                for file, line in zip(files, tagged.lines(len(files)), strict=True):
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
        done.files += names
    (folder / "labels.json").write_text(
        json.dumps({f"{column}_tags": tag_ids(names) for column, names in labels.items()}, ensure_ascii=False, indent=1) + "\n",
        encoding="utf-8", newline="\n",
    )  # fmt: skip
    done.files.append("labels.json")
    done.about = [
        "level-N/SPLIT.jsonl: words, their starts and ends in the passage (code points, half-open), and for each span column",
        "BIO tags of level N, the outermost first. Line n is the same row on all levels. An I- after an O continues the last",
        "item of its label: a discontinuous span. labels.json has ids of the tags.",
    ]
    return done


class _Tagged:
    """A row with its words and what stands on them."""

    def __init__(self, row: Mapping[str, Any], labels: Mapping[str, tuple[str, ...]]) -> None:
        self.row = row
        self.words = [stretch for _, stretch in _splitter()(row[PASSAGE])]
        tokens = Tokens(self.words)
        self.placed: dict[str, list[Place]] = {}
        for column, names in labels.items():
            entries = row[column] or ()
            if unknown := [e["label"] for e in entries if "label" in e and e["label"] not in names]:
                raise LoadError(f"{row['id']}: {column} has a span labelled {unknown[0]!r}; its labels are {', '.join(names)}")
            self.placed[column] = places(tokens, items_of(entries, names[0]))
        shown = [pair for found in self.placed.values() for p in found for pair in zip(p.item.spans, p.tokens, strict=True)]
        self.spans = len(shown)
        self.wordless = sum(not numbers for _, numbers in shown)
        self.misaligned = sum(bool(numbers) and not tokens.hold(span, numbers) for span, numbers in shown)

    def lines(self, levels: int) -> Iterator[dict[str, Any]]:
        """The line of each level."""
        passage = self.row[PASSAGE]
        head = {name: self.row[name] for name in KEPT if name in self.row}
        head |= {"words": [passage[s:e] for s, e in self.words], "starts": [s for s, _ in self.words],
                 "ends": [e for _, e in self.words]}  # fmt: skip
        rows = {column: tags(found, len(self.words), levels) for column, found in self.placed.items()}
        for level in range(levels):
            yield head | {f"{column}_tags": found[level] for column, found in rows.items()}


@cache
def _splitter() -> Callable[[str], list[tuple[str, Stretch]]]:
    try:
        from tokenizers import Regex
        from tokenizers.pre_tokenizers import Split
    except ImportError:
        raise UsageError("words are found by the package tokenizers: pip install 'dateline[bio]'") from None
    split: Callable[[str], list[tuple[str, Stretch]]] = Split(Regex(WORD), "removed", invert=True).pre_tokenize_str
    return split
