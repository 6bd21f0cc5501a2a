"""Plan: what goes where. From the index and the ledger, the split of every article and the shards to compile.

A pure function of what the records are, not of how they were cut into files: without this step the same records in
another order could not give the same bytes.

- A *group* is what must share a split: articles that name the same `group`, chains of `supersedes`, near-duplicates, and
  all that these connect. An article that names no group is one by its id.
- In mode "computed", articles of the ledger keep their split and group, and articles connected to them join. Unreleased articles
  that are connected to released ones of different splits are left out, all of them, with a warning. New groups fill the
  remaining exact quotas in the order of sha256(salt, group); with as many new groups as empty splits, no split stays empty.
- Groups that `splits.assigned` names have that split, as long as nothing of them is released.
- In mode "given", each record's own split counts, and nothing is left out; what crosses splits is a warning.
- A *shard* is (segment, top bits of sha256(article_id)). Released articles stay in their segment; all others form the next.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dateline.compile.groups import Ints, Signatures, join, near_pairs
from dateline.errors import Place, Problem
from dateline.leaks import shown
from dateline.ledger import Entry
from dateline.project import Splits
from dateline.rules import problem

SHARD_BYTES = 256 * 1024 * 1024
"""Canonical record bytes that one shard may hold before its segment is cut in two."""


@dataclass(frozen=True)
class ShardPlan:
    """One shard: its name and the index rows of its articles, sorted by article, with split, group and versions."""

    segment: int
    prefix: int
    bits: int
    articles: pa.Table

    @property
    def stem(self) -> str:
        """The part of its files' names that says which shard it is."""
        return f"s{self.segment:04d}-b{self.prefix:02d}"


@dataclass
class Plan:
    """All shards, in order; the problems, warnings among them, that only all records together show; the articles left out.

    Shards are planned in spite of problems, so that every record is checked and all faults are told at once.
    """

    shards: list[ShardPlan] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    next_segment: int = 1


Ledger = Mapping[str, Entry]
"""The released articles."""


def plan(index: pa.Table, ledger: Ledger, splits: Splits, bits: Mapping[int, int] | None = None) -> Plan:
    """Decide group, split, segment and shard of every article of `index` (INDEX_SCHEMA, rows in any order).

    `bits` says into how many shards a released segment was cut, which stays as it was.
    """
    made = Plan(next_segment=1 + max((entry.segment for entry in ledger.values()), default=0))
    # signatures are the bulk of the index: they are taken out before its rows are moved about
    positions = pa.array(range(len(index)), pa.int64())
    signatures = index["minhash"].combine_chunks()
    index = index.drop_columns(["minhash"]).append_column("position", positions)
    index = index.sort_by([("article_id", "ascending"), ("file", "ascending"), ("line", "ascending")])
    index = _without_duplicates(index, made.problems)
    _tell_of_released(index, ledger, made.problems)
    corpus = _Corpus(index, signatures, ledger, splits, made.problems)
    given = splits.mode == "given"
    groups = corpus.groups()
    chosen = corpus.given_splits() if given else corpus.computed_splits()
    kept = [position for position, split in enumerate(chosen) if split is not None]
    corpus.tell_leaks(chosen, kept if given else [position for position in kept if corpus.ids[position] in ledger])
    made.left_out = [corpus.ids[position] for position, split in enumerate(chosen) if split is None]
    released = [ledger.get(corpus.ids[position]) for position in kept]
    segments = [entry.segment if entry else made.next_segment for entry in released]
    index = index.drop_columns(["position"]).take(pa.array(kept, pa.int64()))
    for name, values in (("group", [groups[k] for k in kept]), ("split", [chosen[k] for k in kept])):
        index = index.set_column(index.column_names.index(name), name, pa.array(values, pa.string()))
    index = index.append_column("added_in", pa.array([e.added_in if e else None for e in released], pa.string()))
    index = index.append_column("changed_in", pa.array([e.changed_in if e else None for e in released], pa.string()))
    made.shards = _shards(index, [corpus.ids[position] for position in kept], segments, bits or {})
    return made


def assign_splits(groups: Sequence[str], frozen: Mapping[str, str], splits: Splits) -> dict[str, str]:
    """The split of every group: `frozen` groups keep theirs, new ones fill exact quotas in the order of their hash.

    Quotas are met by largest remainder over all groups; none is zero once there are as many groups as splits. Empty splits are
    filled first.
    """
    names = sorted(set(groups))
    taken = Counter(frozen[name] for name in names if name in frozen)
    target = _quotas(len(names), splits.quotas)
    room = {split: max(0, wanted - taken[split]) for split, wanted in target.items()}
    chosen = {name: frozen[name] for name in names if name in frozen}
    for group in sorted((g for g in names if g not in frozen), key=lambda g: _hash(f"{splits.salt}\0{g}")):
        split = max(splits.quotas, key=lambda s: (room[s] > 0 and taken[s] == 0, room[s] / splits.quotas[s]))
        chosen[group] = split
        taken[split] += 1
        room[split] = max(0, room[split] - 1)
    return chosen


def _quotas(n: int, shares: Mapping[str, float]) -> dict[str, int]:
    exact = {split: n * share for split, share in shares.items()}
    wanted = {split: int(value) for split, value in exact.items()}
    by_rest = sorted(shares, key=lambda s: (wanted[s] - exact[s], list(shares).index(s)))
    for split in by_rest[: n - sum(wanted.values())]:
        wanted[split] += 1
    if n >= len(shares):
        for split in shares:
            if wanted[split] == 0:
                wanted[max(wanted, key=lambda s: wanted[s])] -= 1
                wanted[split] = 1
    return wanted


class _Corpus:
    """The articles, in the order of their ids, and the components that connect them.

    Nodes are the articles, then the names of groups; a released article is also connected with the group that the ledger names.
    """

    def __init__(
        self, index: pa.Table, signatures: pa.LargeBinaryArray, ledger: Ledger, splits: Splits, problems: list[Problem]
    ) -> None:
        self.index, self.ledger, self.splits, self.problems = index, ledger, splits, problems
        self.ids: list[str] = index["article_id"].to_pylist()
        self.named: list[str | None] = index["group"].to_pylist()
        own = [group if group is not None else i for group, i in zip(self.named, self.ids, strict=True)]
        self.held = {i: entry.group if entry.group is not None else i for i, entry in ledger.items()}
        self.names = sorted({*own, *self.held.values()})
        self.node = {name: len(self.ids) + number for number, name in enumerate(self.names)}
        self.row = {article_id: number for number, article_id in enumerate(self.ids)}
        self.signed, self.signatures = _matrix(signatures, index["position"])
        links = [(row, self.node[name]) for row, name in enumerate(own)]
        links += [(self.row[i], self.node[name]) for i, name in self.held.items() if i in self.row]
        self.links = np.array(links + self._superseding(), np.int64).reshape(-1, 2)
        self.labels = np.arange(len(self.ids) + len(self.names))
        join(self.labels, *self.links.T)
        signed, labels = self.signed, self.labels
        for one, other in near_pairs(self.signatures, splits.threshold, lambda a, b: labels[signed[a]] != labels[signed[b]]):
            join(labels, signed[one], signed[other])
        self.component: list[int] = labels.tolist()
        self.group = self._group_names()

    def _superseding(self) -> list[tuple[int, int]]:
        links = []
        for row, earlier in enumerate(self.index["supersedes"].to_pylist()):
            if earlier in self.row:
                links.append((row, self.row[earlier]))
            elif earlier is not None:
                self.problems.append(
                    problem("supersedes", _place(self.index, row, "$.supersedes"), found=_shown(self.index, row, earlier))
                )
        return links

    def _group_names(self) -> dict[int, str]:
        """The name of every component's group: the smallest that the ledger has in it, else the smallest that one of its
        articles names, else its smallest article_id.
        """
        best: dict[int, tuple[int, str]] = {}
        candidates = itertools.chain(
            ((self.node[name], 0, name) for name in self.held.values()),
            ((row, 1, name) for row, name in enumerate(self.named) if name is not None),
            ((row, 2, article_id) for row, article_id in enumerate(self.ids)),
        )
        for node, rank, name in candidates:
            component = self.component[node]
            best[component] = min(best.get(component, (rank, name)), (rank, name))
        return {component: name for component, (_, name) in best.items()}

    def groups(self) -> list[str]:
        """The group of every article: a released one keeps the ledger's, all others take their component's."""
        return [self.held[i] if i in self.held else self.group[self.component[row]] for row, i in enumerate(self.ids)]

    def given_splits(self) -> list[str | None]:
        """The splits that the records name; a record without one is a problem."""
        chosen = [split if split is not None else "" for split in self.index["split"].to_pylist()]
        for row, split in enumerate(chosen):
            if not split:
                self.problems.append(problem("split-given", _place(self.index, row, "$.split")))
        return list(chosen)

    def computed_splits(self) -> list[str | None]:
        """The split of every article; None for an unreleased one that is connected to released ones of different splits."""
        frozen: dict[int, dict[str, str]] = {}  # component -> split -> its first released article, which need not be here
        for i in sorted(self.ledger):
            frozen.setdefault(self.component[self.node[self.held[i]]], {}).setdefault(self.ledger[i].split, i)
        chosen: list[str | None] = [self.ledger[i].split if i in self.ledger else None for i in self.ids]
        counted = {self.held[i]: split for i, split in zip(self.ids, chosen, strict=True) if split is not None}
        new: list[int] = []
        for row, article_id in enumerate(self.ids):
            held = frozen.get(self.component[row], {})
            if article_id in self.ledger:
                continue
            if not held:
                new.append(row)
            elif len(held) == 1:
                (chosen[row],) = held
                counted[self.group[self.component[row]]] = next(iter(held))
            else:
                articles = ", ".join(f"{first!r} in {split}" for split, first in sorted(held.items()))
                self.problems.append(problem("split-bridge", _place(self.index, row, "$"), found=article_id, articles=articles))
        names = {row: self.group[self.component[row]] for row in new}
        counted |= self._designed(new)
        assigned = assign_splits([*counted, *names.values()], counted, self.splits)
        for row, name in names.items():
            chosen[row] = assigned[name]
        return chosen

    def _designed(self, rows: Sequence[int]) -> dict[str, str]:
        """The split of each new group that `splits.assigned` names, or one that belongs to it; two of them are a problem."""
        found: dict[str, str] = {}
        for row in rows if self.splits.assigned else ():
            own = self.named[row]
            split = self._assigned(own) if own is not None else None
            if split is None:
                continue
            name = self.group[self.component[row]]
            other = found.setdefault(name, split)
            if other != split:
                place = _place(self.index, row, "$.group")
                self.problems.append(problem("split-assigned", place, found=own, split=split, other=other))
        return found

    def _assigned(self, group: str) -> str | None:
        """The split that the settings assign to a group: by its whole name before any pattern, then by the longest pattern."""
        fitting = [
            (pattern == group, len(pattern), pattern, split)
            for split, patterns in self.splits.assigned.items()
            for pattern in patterns
            if fnmatchcase(group, pattern)
        ]
        return max(fitting)[-1] if fitting else None

    def tell_leaks(self, chosen: Sequence[str | None], rows: Sequence[int]) -> None:
        """Warn of what crosses splits among `rows`: of each group its first article in each split, and of each article a
        near-duplicate in each other split, if it has one there.
        """
        splits_of: dict[int, set[str | None]] = {}
        for row in rows:
            splits_of.setdefault(self.component[row], set()).add(chosen[row])
        rows = [row for row in rows if len(splits_of[self.component[row]]) > 1]
        if not rows:
            return
        asked = np.zeros(len(self.labels), bool)
        asked[rows] = asked[len(self.ids) :] = True
        declared = np.arange(len(self.labels))  # without near-duplicates, and without articles that are left out
        join(declared, *self.links[asked[self.links].all(axis=1)].T)
        first: dict[int, dict[str | None, int]] = {}
        for row in rows:
            first.setdefault(int(declared[row]), {}).setdefault(chosen[row], row)
        for found in first.values():
            begin, *others = found.values()
            for row in others:
                self._leak(chosen, begin, row, "shares a group with")

        numbers = {split: number for number, split in enumerate(sorted({chosen[row] or "" for row in rows}))}
        mine = np.flatnonzero(asked[self.signed])
        split_of = np.array([numbers[chosen[row] or ""] for row in self.signed[mine]], np.int64)
        told = np.zeros((len(mine), len(numbers)), bool)

        def wanted(one: Ints, other: Ints) -> NDArray[np.bool_]:
            known = told[one, split_of[other]] & told[other, split_of[one]]
            crossing: NDArray[np.bool_] = (split_of[one] != split_of[other]) & ~known
            return crossing

        for one, other in near_pairs(self.signatures[mine], self.splits.threshold, wanted):
            told[one, split_of[other]] = told[other, split_of[one]] = True
            for a, b in zip(self.signed[mine[one]].tolist(), self.signed[mine[other]].tolist(), strict=True):
                self._leak(chosen, a, b, "is nearly the text of")

    def _leak(self, chosen: Sequence[str | None], one: int, other: int, relation: str) -> None:
        one, other = sorted((one, other))
        self.problems.append(
            problem(
                "split-leak", _place(self.index, one, "$"), found=self.ids[one], split=chosen[one], relation=relation,
                other=self.ids[other], other_split=chosen[other], at=_place(self.index, other, ""),
            )
        )  # fmt: skip


def _matrix(signatures: pa.LargeBinaryArray, positions: pa.ChunkedArray) -> tuple[Ints, Signatures]:
    """The rows that have a signature, and their signatures, one per row of a matrix."""
    ordered = signatures.take(positions.combine_chunks())
    rows = np.flatnonzero(ordered.is_valid().to_numpy(zero_copy_only=False))
    ordered = ordered.drop_null()
    if not len(ordered):
        return rows, np.empty((0, 1), np.uint32)
    _, offsets, values = ordered.buffers()
    begin = int(np.frombuffer(offsets, np.int64)[ordered.offset])
    width = len(ordered[0].as_py()) // 4
    numbers = np.frombuffer(values, "<u4", count=len(ordered) * width, offset=begin)
    return rows, numbers.reshape(len(ordered), width)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _without_duplicates(index: pa.Table, problems: list[Problem]) -> pa.Table:
    ids = index["article_id"].to_pylist()
    keep: list[int] = []
    for position, article_id in enumerate(ids):
        if keep and ids[keep[-1]] == article_id:
            place = _place(index, position, "$.article_id")
            problems.append(
                problem("duplicate-article", place, found=_shown(index, position, article_id), other=_place(index, keep[-1], ""))
            )
        else:
            keep.append(position)
    return index.take(pa.array(keep, pa.int64()))


def _place(index: pa.Table, position: int, pointer: str) -> Place:
    return Place(index["file"][position].as_py(), index["line"][position].as_py(), pointer)


def _shown(index: pa.Table, position: int, name: str) -> str:
    return shown(name, quote=not index["withheld"][position].as_py())


def _tell_of_released(index: pa.Table, ledger: Ledger, problems: list[Problem]) -> None:
    """What was retracted and stands here again, by its id or by its text; what was released and stands here no more."""
    gone = {entry.article_id: entry for entry in ledger.values() if entry.retracted}
    texts = {entry.text_sha256: entry for entry in gone.values() if entry.text_sha256}
    ids, hashes = index["article_id"].to_pylist(), index["text_sha256"].to_pylist()
    for row, (article_id, text) in enumerate(zip(ids, hashes, strict=True) if gone else ()):
        entry = gone.get(article_id) or texts.get(text)
        if entry is not None and entry.retracted is not None:
            what = (
                "was retracted"
                if entry.article_id == article_id
                else f"has the text of {entry.article_id!r}, which was retracted"
            )
            found = _shown(index, row, article_id)
            problems.append(problem("retracted", _place(index, row, "$"), found=found, what=what, reason=entry.retracted.reason))
    problems += (
        problem("released-missing", Place("seeds"), found=article_id, version=ledger[article_id].added_in)
        for article_id in sorted(ledger.keys() - gone.keys() - set(ids))
    )


def _shards(index: pa.Table, ids: Sequence[str], segments: Sequence[int], frozen: Mapping[int, int]) -> list[ShardPlan]:
    sizes: Counter[int] = Counter()
    for segment, size in zip(segments, index["size"].to_pylist(), strict=True):
        sizes[segment] += size
    bits = {segment: max(0, (-(-size // SHARD_BYTES) - 1).bit_length()) for segment, size in sizes.items()} | dict(frozen)
    keys = [(s, int(_hash(i)[:8], 16) >> (32 - bits[s]) if bits[s] else 0) for s, i in zip(segments, ids, strict=True)]
    index = index.append_column("shard_segment", pa.array([s for s, _ in keys], pa.int32()))
    index = index.append_column("shard_prefix", pa.array([p for _, p in keys], pa.int32()))
    shards = []
    for segment, prefix in sorted(set(keys)):
        mask = pc.and_(pc.equal(index["shard_segment"], segment), pc.equal(index["shard_prefix"], prefix))
        articles = index.filter(mask).drop_columns(["shard_segment", "shard_prefix"])
        shards.append(ShardPlan(segment, prefix, bits[segment], articles))
    return shards
