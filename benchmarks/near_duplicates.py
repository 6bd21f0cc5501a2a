"""Which copies of an article are found to be one: recall by kind of copy, and what is found between texts that are no copies.

    python benchmarks/near_duplicates.py --write

Sources are the open articles of seeds/ and, where it lies beside the repository (../shared, or DATELINE_SHARED), the news of GUM.
`wire_copies.py` makes the copies. Near-duplicates are found as `rebuild` and `validate` find them, shared paragraphs by the query
that `validate` uses; both at the defaults.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

import results
from dateline.compile.groups import Ints, near_pairs
from dateline.compile.signature import shingles, sign, signing_of
from dateline.project import Splits
from dateline.validate.views import paragraphs_queries
from wire_copies import UNITS, Copy, conllu_texts, copies, open_articles

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "RESULTS.md"
SPLITS = Splits()
_WIDTH = 0.05  # of a bin of the curve


@dataclass(frozen=True)
class Seen:
    """What is known of one copy: how much it has in common with its source, exactly and by signature; whether they share a
    long paragraph.
    """

    copy: Copy
    jaccard: float
    similarity: float
    paragraph: bool

    @property
    def near(self) -> bool:
        """Whether it is a near-duplicate of its source at the default threshold."""
        return self.similarity >= SPLITS.threshold


def look(texts: Mapping[str, str], made: Sequence[Copy]) -> list[Seen]:
    """Compare each copy with its source."""
    signing = signing_of(SPLITS)
    cut = {name: shingles(text, signing) for name, text in texts.items()}
    signed = {name: _numbers(text) for name, text in texts.items()}
    long = dict(zip(texts, _long_paragraphs(texts.values()), strict=True))
    found = []
    for copy, paragraphs in zip(made, _long_paragraphs(copy.text for copy in made), strict=True):
        one, other = cut[copy.source], shingles(copy.text, signing)
        similarity = float((signed[copy.source] == _numbers(copy.text)).mean())
        found.append(Seen(copy, len(one & other) / len(one | other), similarity, not paragraphs.isdisjoint(long[copy.source])))
    return found


def _numbers(text: str) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    return np.frombuffer(sign(text, signing_of(SPLITS)) or b"", "<u4")


def _long_paragraphs(texts: Iterable[str]) -> list[set[str]]:
    """The long paragraphs of each text, as `validate` takes them."""
    articles = pa.Table.from_pylist([{"article_id": n, "split": "", "text": text} for n, text in enumerate(texts)])
    found: list[set[str]] = [set() for _ in range(articles.num_rows)]
    with duckdb.connect() as database:
        database.register("articles", articles)
        for number, _, digest in database.execute(paragraphs_queries(SPLITS.shared_paragraph)[0]).fetchall():
            found[number].add(digest)
    return found


def false_paragraphs(texts: Mapping[str, str], related: Iterable[set[str]] = ()) -> tuple[int, int]:
    """How many pairs of texts share a long paragraph, and of how many; not counting those that are `related`."""
    story = {name: name for name in texts} | {name: min(group) for group in related for name in group}
    long = dict(zip(texts, _long_paragraphs(texts.values()), strict=True))
    pairs = [(a, b) for a, b in combinations(texts, 2) if story[a] != story[b]]
    return sum(not long[a].isdisjoint(long[b]) for a, b in pairs), len(pairs)


def false_pairs(texts: Mapping[str, str], made: Sequence[Copy], related: Iterable[set[str]] = ()) -> tuple[int, int]:
    """How many pairs of texts whose sources are others are near-duplicates, and of how many; `related` sources are one."""
    story = {name: name for name in texts} | {name: min(group) for group in related for name in group}
    owners = [story[name] for name in texts] + [story[copy.source] for copy in made]
    number = {name: n for n, name in enumerate(sorted(set(owners)))}
    owner = np.array([number[name] for name in owners])
    signatures = np.stack([_numbers(text) for text in (*texts.values(), *(copy.text for copy in made))])

    def apart(one: Ints, other: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        unlike: np.ndarray[tuple[int], np.dtype[np.bool_]] = owner[one] != owner[other]
        return unlike

    found = {pair for one, other in near_pairs(signatures, SPLITS.threshold, apart) for pair in zip(one, other, strict=True)}
    pairs = len(owners) * (len(owners) - 1) // 2 - sum(n * (n - 1) // 2 for n in np.bincount(owner).tolist())
    return len(found), pairs


def chance(jaccard: float) -> float:
    """How often a pair that has this much in common is found, if each number of a signature is equal with that chance."""
    n = SPLITS.num_perm
    least = math.ceil(SPLITS.threshold * n - 1e-9)
    return sum(math.comb(n, k) * jaccard**k * (1 - jaccard) ** (n - k) for k in range(least, n + 1))


# ---- words ---------------------------------------------------------------------------------------------------


def by_kind(seen: Iterable[Seen]) -> dict[tuple[str, float], list[Seen]]:
    """What is known of the copies of each kind and strength."""
    cells: dict[tuple[str, float], list[Seen]] = defaultdict(list)
    for one in seen:
        cells[one.copy.kind, one.copy.strength].append(one)
    return dict(cells)


def share(those: Collection[Seen], what: Callable[[Seen], bool]) -> float:
    """The share of copies of which something holds."""
    return sum(map(what, those)) / len(those)


def recall_table(seen: Iterable[Seen]) -> list[str]:
    """Recall by kind and strength, as lines of Markdown."""
    lines = [
        "| copy | strength | copies | exact Jaccard, mean | near-duplicate | shared paragraph | either |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for (kind, strength), those in by_kind(seen).items():
        shown = f"{strength:g} {UNITS[kind]}" if kind in UNITS else f"{strength:.0%}"
        jaccard = sum(one.jaccard for one in those) / len(those)
        rates = [
            f"{share(those, what):.3f}" for what in (lambda s: s.near, lambda s: s.paragraph, lambda s: s.near or s.paragraph)
        ]
        lines.append(f"| {kind} | {shown} | {len(those):,} | {jaccard:.2f} | {' | '.join(rates)} |")
    return lines


def curve(seen: Iterable[Seen]) -> list[str]:
    """Recall by exact Jaccard, as lines of Markdown."""
    bins: dict[int, list[Seen]] = defaultdict(list)
    for one in seen:
        bins[min(int(one.jaccard / _WIDTH + 1e-9), round(1 / _WIDTH) - 1)].append(one)
    lines = ["| exact Jaccard | copies | found | expected of such pairs |", "|---|--:|--:|--:|"]
    for number, those in sorted(bins.items()):
        expected = sum(chance(one.jaccard) for one in those) / len(those)
        lines.append(
            f"| {number * _WIDTH:.2f} to {(number + 1) * _WIDTH:.2f} | {len(those):,} | {share(those, lambda s: s.near):.3f} "
            f"| {expected:.3f} |"
        )
    return lines


def sources() -> tuple[dict[str, str], list[set[str]], str]:
    """The texts to copy, which of them are of one story, and what they are in words."""
    texts, stories = open_articles(REPOSITORY / "seeds")
    shared = Path(os.environ.get("DATELINE_SHARED", REPOSITORY.parent / "shared"))
    news = conllu_texts(shared / "corpora" / "gum-news")
    said = f"{len(texts)} open articles of seeds/" + (
        f" and {len(news)} of GUM's news" if news else "; GUM's news is not at hand"
    )
    return {**texts, **news}, stories, said


def main() -> None:
    """Make the copies, look at them, print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=10, help="copies of each text, kind and strength that chance changes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="keep the tables in RESULTS.md")
    said = parser.parse_args()
    texts, stories, named = sources()
    made = list(copies(texts, draws=said.draws, seed=said.seed))
    seen = look(texts, made)
    found, pairs = false_pairs(texts, made, stories)
    alike, of = false_paragraphs(texts, stories)
    body = "\n".join([
        f"{results.today()}; Python {platform.python_version()}, rensa {version('rensa')}; `python benchmarks/near_duplicates.py "
        f"--draws {said.draws} --seed {said.seed}`: {len(made):,} copies of {len(texts)} texts ({named}). Defaults: threshold "
        f"{SPLITS.threshold:g}, {SPLITS.num_perm} numbers, {SPLITS.shingle_words} words in a shingle; paragraphs of at least "
        f"{SPLITS.shared_paragraph} code points. Recall, as shares of the copies:",
        "", *recall_table(seen), "",
        f"Between texts and copies of different stories {found:,} of {pairs:,} pairs are near-duplicates; of the texts "
        f"themselves {alike:,} of {of:,} pairs share a long paragraph (copies with one notice all share it).", "",
        "The same copies by what they have in common with their source, exactly; beside it what is to be expected if each number "
        "of a signature is equal with that chance:", "", *curve(seen),
    ])  # fmt: skip
    print(body)
    if said.write:
        results.put(RESULTS, results.Section("Near-duplicates", body + "\n"))


if __name__ == "__main__":
    main()
