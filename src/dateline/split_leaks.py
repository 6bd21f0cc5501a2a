"""Near-duplicates across the splits of a dataset: of any release, and of texts that are withheld as far as they are signed.

Texts are read from Parquet some rows at a time, and only their signatures are kept, in a file. Signatures stand in seeds and
never in a dataset: those of withheld texts come from a project's records, and where there are none the texts are counted as not
compared.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dateline.compile.check import is_withheld
from dateline.compile.groups import Ints, SignatureFile, Signatures, agreement, near_pairs
from dateline.compile.read import Refused, parse, read_raw
from dateline.compile.seeds import seed_files
from dateline.compile.signature import Signing, sign, signing_of, stored
from dateline.engines import Engine
from dateline.files import attempt_folder
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
    signing = signing_of(splits)
    made = Compared(splits.threshold)
    with tempfile.TemporaryDirectory(prefix="dateline-") as name:
        scratch = Path(name)
        tasks = _tasks(folder, manifest, signing, scratch)
        signed, withheld = [_SIGNED.empty_table()], [_WITHHELD.empty_table()]
        with (scratch / _ALL).open("wb") as file:
            for number, part in enumerate(engine.map(_sign_part, tasks), 1):
                signed.append(part.signed)
                withheld.append(part.withheld)
                made.wordless += part.wordless
                file.write(part.signatures.read_bytes())
                part.signatures.unlink()
                tell(NAME, number, len(tasks))
            away = pa.concat_tables(withheld).to_pylist()
            known = lookup({row["sha256"] for row in away}, signing) if away else {}
            found = [row for row in away if row["sha256"] in known]
            file.writelines(known[row["sha256"]] for row in found)
            signed.append(pa.Table.from_pylist([{n: row[n] for n in _SIGNED.names} for row in found], _SIGNED))
        made.withheld = len(away) - len(found)
        articles = pa.concat_tables(signed)
        made.compared = len(articles)
        if len(articles["split"].unique()) > 1:
            _sorted(articles, scratch, signing).compare(made)
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


_SIGNED = pa.schema([("article_id", pa.large_string()), ("split", pa.string())])
_WITHHELD = pa.schema([*_SIGNED, ("sha256", pa.string())])
_ALL = "signatures"


@dataclass(frozen=True, slots=True)
class _Task:
    """Every `of`-th batch of rows of one file of articles, from the `number`-th on; signatures go to a file in `scratch`."""

    path: Path
    number: int
    of: int
    signing: Signing
    scratch: Path


@dataclass(slots=True)
class _Part:
    """What a part of a file holds: articles whose signatures are in the file, in that order; others whose text is withheld."""

    signed: pa.Table
    withheld: pa.Table
    wordless: int
    signatures: Path


def _tasks(folder: Path, manifest: Manifest, signing: Signing, scratch: Path) -> list[_Task]:
    articles = manifest.tables.get("articles")
    parts = 8 if articles and articles.rows >= _MANY else 1
    files = [folder / file["path"] for file in articles.files] if articles else []
    return [_Task(path, number, parts, signing, scratch) for path in files for number in range(parts)]


def _sign_part(task: _Task) -> _Part:
    """What a worker does: read a part of a file, sign its texts."""
    columns = ["article_id", "split", "text", "text_sha256"]
    signed: tuple[list[str], list[str]] = ([], [])
    withheld: tuple[list[str], list[str], list[str]] = ([], [], [])
    wordless = 0
    path = attempt_folder(task.scratch) / _ALL
    with pq.ParquetFile(task.path) as source, path.open("wb") as file:
        for number, batch in enumerate(source.iter_batches(_ROWS, columns=columns)):
            if number % task.of == task.number:
                for *named, text, digest in zip(*(batch[name].to_pylist() for name in columns), strict=True):
                    if text is None:
                        _add(withheld, (*named, digest))
                    elif (signature := sign(text, task.signing)) is not None:
                        _add(signed, named)
                        file.write(signature)
                    else:
                        wordless += 1
    return _Part(pa.table([*signed], schema=_SIGNED), pa.table([*withheld], schema=_WITHHELD), wordless, path)


def _add(columns: Iterable[list[str]], row: Iterable[str]) -> None:
    for column, value in zip(columns, row, strict=True):
        column.append(value)


def _sorted(articles: pa.Table, scratch: Path, signing: Signing) -> _Crossing:
    """Articles and signatures in the order of the ids: which of several partners is named depends on it."""
    order = pc.sort_indices(articles["article_id"])
    unsorted, path = SignatureFile(scratch / _ALL, signing.num_perm), scratch / "sorted"
    with path.open("wb") as file:
        for at in range(0, len(order), _ROWS):
            file.write(unsorted[order[at : at + _ROWS].to_numpy()].tobytes())
    return _Crossing(articles.take(order), SignatureFile(path, signing.num_perm))


# ---- pairs ---------------------------------------------------------------------------------------------------


class _Crossing:
    """Signed articles (`article_id`, `split`) in the order of their ids, and their signatures, compared across splits.

    Of each article one partner in each other split is enough, so what is found grows with the articles and not with their pairs.
    """

    def __init__(self, articles: pa.Table, signatures: Signatures) -> None:
        self.ids, self.signatures = articles["article_id"], signatures
        coded = articles["split"].combine_chunks().dictionary_encode()
        self.splits: list[str] = coded.dictionary.to_pylist()
        self.split: Ints = coded.indices.to_numpy().astype(np.int64)
        self.told = np.zeros((len(articles), len(self.splits)), bool)

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
            ids = self.ids[a].as_py(), self.ids[b].as_py()
            yield Pair(ids, (self.splits[self.split[a]], self.splits[self.split[b]]), similarity)
