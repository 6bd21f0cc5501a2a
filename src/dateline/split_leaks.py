"""Near-duplicates across the splits of a dataset: of any release, and of texts that are withheld as far as they are signed.

Texts are read from Parquet some rows at a time, and only their signatures are kept. Signatures stand in seeds and never in a
dataset: those of withheld texts come from a project's records, and where there are none the texts are counted as not compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dateline.compile.check import is_withheld
from dateline.compile.groups import Ints, Signatures, agreement, near_pairs
from dateline.compile.read import Refused, parse, read_raw
from dateline.compile.seeds import seed_files
from dateline.compile.signature import Signing, sign, signing_of, stored
from dateline.engines import Engine
from dateline.manifest import Manifest, splits_in
from dateline.project import Project

NAME = "near-duplicates"
"""What the check is called; it is one of our own beside the suites, and no expectation."""
RULE = "near-duplicate-one-split"
MARGIN = 0.1
"""Pairs less alike than the threshold, by no more than this, are near misses."""
_ROWS = 500
_MANY = 2_000
"""Articles from which on it is worth to sign them in several processes."""

Tell = Callable[[str, int, int], None]
Lookup = Callable[[Collection[str], Signing], Mapping[str, bytes]]
"""Signatures of withheld texts, by their sha256."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two articles of different splits, in the order of their ids, and the estimate of how much their texts have in common."""

    articles: tuple[str, str]
    splits: tuple[str, str]
    similarity: float

    def as_json(self) -> dict[str, Any]:
        """The pair as plain JSON types."""
        return {"articles": list(self.articles), "splits": list(self.splits), "similarity": round(self.similarity, 3)}


@dataclass
class Compared:
    """What was compared: articles by their signatures. Of each article one near-duplicate in each other split is named, or one
    near miss where there is none; the most alike pairs stand first.
    """

    threshold: float
    compared: int = 0
    withheld: int = 0
    """Texts that are withheld, and whose signature is not at hand."""
    wordless: int = 0
    """Texts that have neither word nor letter."""
    pairs: list[Pair] = field(default_factory=list)
    near_misses: list[Pair] = field(default_factory=list)

    @property
    def partners(self) -> dict[str, list[tuple[str, str, float]]]:
        """By article the near-duplicates named of it: article, split, similarity."""
        found: dict[str, list[tuple[str, str, float]]] = {}
        for pair in self.pairs:
            for here, there in ((0, 1), (1, 0)):
                other = (pair.articles[there], pair.splits[there], pair.similarity)
                found.setdefault(pair.articles[here], []).append(other)
        return dict(sorted(found.items()))

    def as_json(self, most: int) -> dict[str, Any]:
        """All of it as plain JSON types, with so many of the pairs."""
        return {
            "name": NAME,
            "rule": RULE,
            "threshold": self.threshold,
            "compared": self.compared,
            "withheld": self.withheld,
            "wordless": self.wordless,
            "pairs": [pair.as_json() for pair in self.pairs[:most]],
            "n_pairs": len(self.pairs),
            "near_misses": [pair.as_json() for pair in self.near_misses[:most]],
            "n_near_misses": len(self.near_misses),
        }


def near_duplicates(
    folder: Path, manifest: Manifest, engine: Engine, lookup: Lookup = lambda *_: {}, tell: Tell = lambda *_: None
) -> Compared:
    """Compare the articles of a dataset in a folder across its splits; `lookup` finds the signatures of withheld texts."""
    splits = splits_in(manifest.splits)
    made = Compared(splits.threshold)
    tasks = _tasks(folder, manifest, signing_of(splits))
    rows: list[_Row] = []
    for number, part in enumerate(engine.map(_sign_part, tasks), 1):
        rows += part
        tell(NAME, number, len(tasks))
    rows.sort(key=lambda row: row.article_id)
    wanted = {row.sha256 for row in rows if row.withheld}
    known = lookup(wanted, signing_of(splits)) if wanted else {}
    signed = []
    for row in rows:
        signature = known.get(row.sha256) if row.withheld else row.signature
        if signature is not None:
            signed.append((row.article_id, row.split, signature))
        elif row.withheld:
            made.withheld += 1
        else:
            made.wordless += 1
    made.compared = len(signed)
    if len({split for _, split, _ in signed}) > 1:
        _Crossing(signed).compare(made)
    return made


def stored_signatures(project: Project, wanted: Collection[str], signing: Signing) -> dict[str, bytes]:
    """The signatures that the records of a project store of withheld texts, by the sha256 of the text."""
    found: dict[str, bytes] = {}
    for path in seed_files(project):
        try:
            for raw in read_raw(path, name=project.name_of(path)):
                made = _stored(parse(raw), signing)
                if made is not None and made[0] in wanted:
                    found[made[0]] = made[1]
        except Refused:  # `check` says what is wrong with it
            continue
    return found


def _stored(record: Mapping[str, Any], signing: Signing) -> tuple[str, bytes] | None:
    """The sha256 of a withheld text and its signature, if the record stores one that was made as `signing` says."""
    said = record.get("text")
    if not isinstance(said, dict) or not is_withheld(record):
        return None
    made, content, digest = stored(said.get("minhash")), said.get("content"), said.get("sha256")
    if made is None or made[0] != signing.name:
        return None
    return digest if isinstance(digest, str) else hashlib.sha256(str(content).encode()).hexdigest(), made[2]


# ---- signatures of the texts that are there ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Task:
    """Every `of`-th batch of rows of one file of articles, from the `number`-th on."""

    path: Path
    number: int
    of: int
    signing: Signing


@dataclass(frozen=True, slots=True)
class _Row:
    article_id: str
    split: str
    sha256: str
    withheld: bool
    signature: bytes | None


def _tasks(folder: Path, manifest: Manifest, signing: Signing) -> list[_Task]:
    articles = manifest.tables.get("articles")
    parts = 8 if articles and articles.rows >= _MANY else 1
    files = [folder / file["path"] for file in articles.files] if articles else []
    return [_Task(path, number, parts, signing) for path in files for number in range(parts)]


def _sign_part(task: _Task) -> list[_Row]:
    """What a worker does: read a part of a file, sign its texts."""
    columns = ["article_id", "split", "text", "text_sha256"]
    found = []
    with pq.ParquetFile(task.path) as file:
        for number, batch in enumerate(file.iter_batches(_ROWS, columns=columns)):
            if number % task.of == task.number:
                for article_id, split, text, digest in zip(*(batch[name].to_pylist() for name in columns), strict=True):
                    signature = None if text is None else sign(text, task.signing)
                    found.append(_Row(article_id, split, digest, text is None, signature))
    return found


# ---- pairs ---------------------------------------------------------------------------------------------------


class _Crossing:
    """Signed articles (id, split, signature), in the order of their ids, compared across splits.

    Of each article one partner in each other split is enough, so what is found grows with the articles and not with their pairs.
    """

    def __init__(self, signed: list[tuple[str, str, bytes]]) -> None:
        self.ids, self.splits = [s[0] for s in signed], [s[1] for s in signed]
        number = {split: n for n, split in enumerate(sorted(set(self.splits)))}
        self.split = np.array([number[split] for split in self.splits], np.int64)
        self.signatures: Signatures = np.frombuffer(b"".join(s[2] for s in signed), "<u4").reshape(len(signed), -1)
        self.told = np.zeros((len(signed), len(number)), bool)

    def compare(self, made: Compared) -> None:
        """Fill in the pairs, then the near misses of articles that have no such pair in a split."""
        made.pairs = self._found(made.threshold)
        made.near_misses = self._found(max(0.5, made.threshold - MARGIN))

    def _found(self, threshold: float) -> list[Pair]:
        found = [pair for one, other in near_pairs(self.signatures, threshold, self._wanted) for pair in self._pairs(one, other)]
        return sorted(found, key=lambda pair: (-pair.similarity, pair.articles))

    def _wanted(self, one: Ints, other: Ints) -> NDArray[np.bool_]:
        split = self.split
        known = self.told[one, split[other]] & self.told[other, split[one]]
        crossing: NDArray[np.bool_] = (split[one] != split[other]) & ~known
        return crossing

    def _pairs(self, one: Ints, other: Ints) -> Iterator[Pair]:
        self.told[one, self.split[other]] = self.told[other, self.split[one]] = True
        alike = agreement(self.signatures, one, other).tolist()
        for *pair, similarity in zip(one.tolist(), other.tolist(), alike, strict=True):
            a, b = sorted(pair)
            yield Pair((self.ids[a], self.ids[b]), (self.splits[a], self.splits[b]), similarity)
