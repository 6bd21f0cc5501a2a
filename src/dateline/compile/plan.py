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
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

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

    def spilled(self, folder: Path) -> ShardPlan:
        """The same, with its articles in a file of `folder`, which is read as they are asked for."""
        path = folder / f"{self.stem}.plan"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, self.articles.schema) as writer:
            writer.write_table(self.articles)
        return replace(self, articles=pa.ipc.open_file(pa.memory_map(str(path))).read_all())


@dataclass
class Plan:
    """All shards, in order; the problems, warnings among them, that only all records together show; the articles left out; how
    many groups the others are in.

    Shards are planned in spite of problems, so that every record is checked and all faults are told at once.
    """

    shards: list[ShardPlan] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    groups: int = 0
    next_segment: int = 1


Ledger = Mapping[str, Entry]
"""The released articles."""


def plan(
    index: pa.Table,
    ledger: Ledger,
    splits: Splits,
    bits: Mapping[int, int] | None = None,
    *,
    signatures: Signatures | None = None,
    spill: Path | None = None,
) -> Plan:
    """Decide group, split, segment and shard of every article of `index` (INDEX_SCHEMA, rows in any order).

    `bits` says into how many shards a released segment was cut, which stays as it was; `signatures` are what the index counts,
    None if near-duplicates are not looked for. With `spill`, a folder, what is planned lies in files there and not in memory.
    """
    made = Plan(next_segment=1 + max((entry.segment for entry in ledger.values()), default=0))
    order = _unique(index, made.problems)
    if ledger:
        _tell_of_released(index, order, ledger, made.problems)
    corpus = _Corpus(index, order, signatures, ledger, splits, made.problems)
    groups = corpus.groups()
    given = splits.mode == "given"
    chosen = corpus.given_splits() if given else corpus.computed_splits()
    kept = np.flatnonzero(chosen >= 0)
    corpus.tell_leaks(chosen, kept if given else kept[corpus.entry[kept] >= 0])
    made.left_out = corpus.ids.take(pa.array(np.flatnonzero(chosen < 0))).to_pylist()
    made.groups = len(np.unique(groups[kept]))
    entries, released = corpus.entries, corpus.entry[kept]  # where it is -1, what stands last is meant: of an unreleased one
    segments = np.array([*(e.segment for e in entries), made.next_segment], np.int64)[released]
    sizes = index["size"].take(pa.array(order[kept])).to_numpy()
    prefixes, cut = _cut(sizes, corpus.ids.take(pa.array(kept)), segments, bits or {})
    last = released % (len(entries) + 1)
    decided = {
        "group": corpus.names.take(pa.array(groups[kept])),
        "split": pa.array(corpus.splits_named, pa.string()).take(pa.array(chosen[kept])),
        "added_in": pa.array([*(e.added_in for e in entries), None], pa.string()).take(pa.array(last)),
        "changed_in": pa.array([*(e.changed_in for e in entries), None], pa.string()).take(pa.array(last)),
    }
    del corpus
    kept = order[kept]
    for rows in _runs(segments, prefixes):
        segment, prefix = int(segments[rows[0]]), int(prefixes[rows[0]])
        articles = index.take(pa.array(kept[rows])).drop_columns(["signature", "group", "split"])
        for name, values in decided.items():
            articles = articles.append_column(name, values.take(pa.array(rows)))
        shard = ShardPlan(segment, prefix, cut[segment], articles)
        made.shards.append(shard if spill is None else shard.spilled(spill))
    return made


def assign_splits(groups: Sequence[str], frozen: Mapping[str, str], splits: Splits) -> dict[str, str]:
    """The split of every group: `frozen` groups keep theirs, new ones fill exact quotas in the order of their hash.

    Quotas are met by largest remainder over all groups; none is zero once there are as many groups as splits. Empty splits are
    filled first.
    """
    names = sorted(set(groups))
    chosen = {name: frozen[name] for name in names if name in frozen}
    new = sorted((g for g in names if g not in frozen), key=lambda g: _hash(f"{splits.salt}\0{g}"))
    return chosen | dict(zip(new, _filled(Counter(chosen.values()), len(new), splits), strict=True))


def _filled(taken: Counter[str], new: int, splits: Splits) -> Iterator[str]:
    """The split of each of `new` groups, in their order, beside those that are `taken`."""
    target = _quotas(taken.total() + new, splits.quotas)
    taken = taken.copy()
    room = {split: max(0, wanted - taken[split]) for split, wanted in target.items()}
    for _ in range(new):
        split = max(splits.quotas, key=lambda s: (room[s] > 0 and taken[s] == 0, room[s] / splits.quotas[s]))
        yield split
        taken[split] += 1
        room[split] = max(0, room[split] - 1)


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
    """The articles, in the order of their ids, and the components that connect them; all as arrays of numbers.

    Nodes are the articles, then the names of groups; a released article is also connected with the group that the ledger names.
    """

    def __init__(
        self,
        index: pa.Table,
        order: Ints,
        signatures: Signatures | None,
        ledger: Ledger,
        splits: Splits,
        problems: list[Problem],
    ) -> None:
        self.index, self.order, self.splits, self.problems = index, order, splits, problems
        self.ids = _strings(index["article_id"].take(pa.array(order)))
        own = _strings(index["group"].take(pa.array(order)))
        self.named = own.is_valid()
        own = pc.coalesce(own, self.ids) if own.null_count < len(own) else self.ids
        self.entries = [ledger[i] for i in sorted(ledger)]
        held = pa.array([e.group if e.group is not None else e.article_id for e in self.entries], pa.large_string())
        names = pc.unique(pa.chunked_array([own, held]))
        self.names: pa.LargeStringArray = names.take(pc.sort_indices(names))
        """The names of groups, sorted; below a group is its number here."""
        self.own, self.held = _places(own, self.names), _places(held, self.names)
        """The group that each article is in by itself; that of each entry of the ledger."""
        released = pa.array([e.article_id for e in self.entries], pa.large_string())
        self.entry = _places(self.ids, released)
        """The entry of each article, by its number; -1 for none."""
        self.splits_named = sorted({*splits.quotas, *(e.split for e in self.entries)})
        self._held_split = np.array([self.splits_named.index(e.split) for e in self.entries], np.int64)
        del own, names
        n = len(self.ids)
        here = np.flatnonzero(self.entry >= 0)
        links = [
            np.stack([np.arange(n), n + self.own], 1),
            np.stack([here, n + self.held[self.entry[here]]], 1),
            self._superseding(),
        ]
        self.links: NDArray[np.int64] = np.concatenate(links)
        self.labels = np.arange(n + len(self.names))
        join(self.labels, *self.links.T)
        self.signatures = signatures if signatures is not None else np.empty((0, 1), np.uint32)
        self.signed = np.full(self.signatures.shape[0], -1)
        """The article of each signature; -1 for that of a record that does not count."""
        numbers = index["signature"].take(pa.array(order))
        signed = numbers.is_valid().to_numpy()
        self.signed[numbers.drop_null().to_numpy()] = np.flatnonzero(signed)
        labels, article = self.labels, self.signed

        def apart(one: Ints, other: Ints) -> NDArray[np.bool_]:
            a, b = article[one], article[other]
            wanted: NDArray[np.bool_] = (a >= 0) & (b >= 0) & (labels[a] != labels[b])
            return wanted

        for one, other in near_pairs(self.signatures, splits.threshold, apart):
            join(labels, article[one], article[other])
        self._group = self._group_of_components()

    def _superseding(self) -> Ints:
        """Links to the earlier article that each names; one that is not there is a problem."""
        earlier = _strings(self.index["supersedes"].take(pa.array(self.order)))
        rows = np.flatnonzero(earlier.is_valid().to_numpy(zero_copy_only=False))
        found = _places(earlier.take(pa.array(rows)), self.ids)
        for row in rows[found < 0].tolist():
            name = _shown(self.index, int(self.order[row]), earlier[row].as_py())
            self.problems.append(problem("supersedes", self._place(row, "$.supersedes"), found=name))
        return np.stack([rows, found], 1)[found >= 0]

    def _group_of_components(self) -> Ints:
        """The group of every component: the smallest that the ledger has in it, else the smallest that one of its articles
        names, else that of its smallest article_id. Where a component has none of these, nobody asks.
        """
        n, none = len(self.ids), len(self.names)
        named = np.flatnonzero(self.named.to_numpy(zero_copy_only=False))
        by_ledger, by_name, by_id = (np.full(len(self.labels), none) for _ in range(3))
        np.minimum.at(by_ledger, self.labels[n + self.held], self.held)
        np.minimum.at(by_name, self.labels[named], self.own[named])
        np.minimum.at(by_id, self.labels[:n], self.own)  # an article that names none is in the group of its id
        found: Ints = np.where(by_ledger < none, by_ledger, np.where(by_name < none, by_name, by_id))
        return found

    def groups(self) -> Ints:
        """The group of every article: a released one keeps the ledger's, all others take their component's."""
        found = self._group[self.labels[: len(self.ids)]]
        here = self.entry >= 0
        found[here] = self.held[self.entry[here]]
        return found

    def given_splits(self) -> Ints:
        """The splits that the records name, as numbers in `splits_named`; a record without one is a problem."""
        said = _strings(self.index["split"].take(pa.array(self.order))).fill_null("")
        self.splits_named = sorted({*self.splits_named, *pc.unique(said).to_pylist()})
        chosen = _places(said, pa.array(self.splits_named, pa.large_string()))
        for row in np.flatnonzero(pc.equal(said, "").to_numpy(zero_copy_only=False)).tolist():
            self.problems.append(problem("split-given", self._place(row, "$.split")))
        return chosen

    def computed_splits(self) -> Ints:
        """The split of every article, as a number; -1 for an unreleased one that is connected to released ones of several."""
        n, released = len(self.ids), self.entry >= 0
        component = self.labels[:n]
        frozen = np.zeros((len(self.splits_named), len(self.labels)), np.bool_)  # is a released article of the split in it?
        of_held = self.labels[n + self.held]  # of each entry, which need not be here
        frozen[self._held_split, of_held] = True
        splits_in = frozen.sum(0)[component]
        chosen = np.full(n, -1)
        chosen[released] = self._held_split[self.entry[released]]
        counted = np.full(len(self.names), -1)  # the split of each group that has one already
        counted[self.held[self.entry[released]]] = chosen[released]
        joined = ~released & (splits_in == 1)
        chosen[joined] = frozen.argmax(0)[component[joined]]
        counted[self._group[component[joined]]] = chosen[joined]
        for row in np.flatnonzero(~released & (splits_in > 1)).tolist():
            first: dict[str, str] = {}
            for entry in np.flatnonzero(of_held == component[row]).tolist():
                first.setdefault(self.entries[entry].split, self.entries[entry].article_id)
            articles = ", ".join(f"{article!r} in {split}" for split, article in sorted(first.items()))
            found = self.ids[row].as_py()
            self.problems.append(problem("split-bridge", self._place(row, "$"), found=found, articles=articles))
        new = np.flatnonzero(~released & (splits_in == 0))
        groups = self._group[component[new]]
        for group, split in self._designed(new, groups).items():
            counted[group] = self.splits_named.index(split)
        waiting = np.unique(groups[counted[groups] < 0])
        waiting = waiting[self._hashed_order(waiting)]
        taken = Counter({self.splits_named[s]: c for s, c in enumerate(np.bincount(counted[counted >= 0]).tolist()) if c})
        number = {split: s for s, split in enumerate(self.splits_named)}
        counted[waiting] = np.fromiter(map(number.__getitem__, _filled(taken, len(waiting), self.splits)), np.int64, len(waiting))
        chosen[new] = counted[groups]
        return chosen

    def _hashed_order(self, groups: Ints) -> Ints:
        """The order of the salted hashes of their names."""
        names = self.names.take(pa.array(groups))
        hashes = _hashes(f"{self.splits.salt}\0{name.as_py()}" for name in names)
        order: Ints = np.lexsort(hashes.T[::-1])
        return order

    def _designed(self, rows: Ints, groups: Ints) -> dict[int, str]:
        """The split of each new group that `splits.assigned` names, or one that belongs to it; two of them are a problem."""
        found: dict[int, str] = {}
        for row, group in zip(rows.tolist(), groups.tolist(), strict=True) if self.splits.assigned else ():
            own = self.names[int(self.own[row])].as_py()
            split = self._assigned(own) if self.named[row].as_py() else None
            if split is None:
                continue
            other = found.setdefault(group, split)
            if other != split:
                place = self._place(row, "$.group")
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

    def tell_leaks(self, chosen: Ints, rows: Ints) -> None:
        """Warn of what crosses splits among `rows`: of each group its first article in each split, and of each article a
        near-duplicate in each other split, if it has one there.
        """
        count = len(self.splits_named)
        seen = np.unique(self.labels[rows] * count + chosen[rows]) // count
        crossed, times = np.unique(seen, return_counts=True)
        rows = rows[np.isin(self.labels[rows], crossed[times > 1])]
        if not len(rows):
            return
        asked = np.zeros(len(self.labels), bool)
        asked[rows] = asked[len(self.ids) :] = True
        declared = np.arange(len(self.labels))  # without near-duplicates, and without articles that are left out
        join(declared, *self.links[asked[self.links].all(axis=1)].T)
        first: dict[int, dict[int, int]] = {}
        for row in rows.tolist():
            first.setdefault(int(declared[row]), {}).setdefault(int(chosen[row]), row)
        for found in first.values():
            begin, *others = found.values()
            for row in others:
                self._leak(chosen, begin, row, "shares a group with")

        mine = np.flatnonzero((self.signed >= 0) & asked[self.signed])
        split_of = chosen[self.signed[mine]]
        told = np.zeros((len(mine), count), bool)

        def wanted(one: Ints, other: Ints) -> NDArray[np.bool_]:
            known = told[one, split_of[other]] & told[other, split_of[one]]
            crossing: NDArray[np.bool_] = (split_of[one] != split_of[other]) & ~known
            return crossing

        for one, other in near_pairs(self.signatures[mine], self.splits.threshold, wanted):
            told[one, split_of[other]] = told[other, split_of[one]] = True
            for a, b in zip(self.signed[mine[one]].tolist(), self.signed[mine[other]].tolist(), strict=True):
                self._leak(chosen, a, b, "is nearly the text of")

    def _leak(self, chosen: Ints, one: int, other: int, relation: str) -> None:
        one, other = sorted((one, other))
        self.problems.append(
            problem(
                "split-leak", self._place(one, "$"), found=self.ids[one].as_py(), split=self.splits_named[chosen[one]],
                relation=relation, other=self.ids[other].as_py(), other_split=self.splits_named[chosen[other]],
                at=self._place(other, ""),
            )
        )  # fmt: skip

    def _place(self, row: int, pointer: str) -> Place:
        return _place(self.index, int(self.order[row]), pointer)


def _runs(segments: Ints, prefixes: Ints) -> Iterator[Ints]:
    """The rows of each shard, shards in their order, rows in theirs."""
    rows = np.lexsort((prefixes, segments))
    if len(rows):
        new = (np.diff(segments[rows]) != 0) | (np.diff(prefixes[rows]) != 0)
        yield from np.split(rows, np.flatnonzero(new) + 1)


def _strings(column: pa.ChunkedArray) -> pa.LargeStringArray:
    """A column in one piece."""
    return column.cast(pa.large_string()).combine_chunks()


def _places(values: pa.Array, among: pa.Array) -> Ints:
    """Where each value stands in `among`; -1 for one that is not there."""
    found: Ints = pc.index_in(values, value_set=among).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _hashes(texts: Iterable[str]) -> NDArray[np.uint64]:
    """The sha256 of each text as four numbers, the most significant first: uint64 [texts, 4]."""
    raw = bytearray()
    for text in texts:
        raw += hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return np.frombuffer(raw, ">u8").reshape(-1, 4).astype(np.uint64)


def _unique(index: pa.Table, problems: list[Problem]) -> Ints:
    """The positions of articles in the order of their ids; of several with one id the first by file and line, the others told."""
    order: Ints = pc.sort_indices(index["article_id"]).to_numpy().astype(np.int64)
    ids = _strings(index["article_id"].take(pa.array(order)))
    again = np.zeros(len(order), bool)
    again[1:] = pc.equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    if not again.any():
        return order
    keep = ~again
    begins = np.flatnonzero(keep)
    for begin, end in zip(begins, [*begins[1:], len(order)], strict=True):
        if end - begin > 1:
            some = sorted(order[begin:end].tolist(), key=lambda at: (index["file"][at].as_py(), index["line"][at].as_py()))
            order[begin:end] = some
            for at in some[1:]:
                found, other = _shown(index, at, ids[int(begin)].as_py()), _place(index, some[0], "")
                problems.append(problem("duplicate-article", _place(index, at, "$.article_id"), found=found, other=other))
    return order[keep]


def _place(index: pa.Table, position: int, pointer: str) -> Place:
    return Place(index["file"][position].as_py(), index["line"][position].as_py(), pointer)


def _shown(index: pa.Table, position: int, name: str) -> str:
    return shown(name, quote=not index["withheld"][position].as_py())


def _tell_of_released(index: pa.Table, order: Ints, ledger: Ledger, problems: list[Problem]) -> None:
    """What was retracted and stands here again, by its id or by its text; what was released and stands here no more."""
    gone = {entry.article_id: entry for entry in ledger.values() if entry.retracted}
    texts = {bytes.fromhex(entry.text_sha256): entry for entry in gone.values() if entry.text_sha256}
    ids = index["article_id"].take(pa.array(order))
    if gone:
        again = pc.is_in(ids, value_set=pa.array([*gone], pa.large_string()))
        hashes = index["text_sha256"].take(pa.array(order))
        again = pc.or_(again, pc.is_in(hashes, value_set=pa.array([*texts], hashes.type)))
        for row in np.flatnonzero(again.to_numpy()).tolist():
            article_id, at = ids[row].as_py(), int(order[row])
            entry = gone.get(article_id) or texts[hashes[row].as_py()]
            what = (
                "was retracted"
                if entry.article_id == article_id
                else f"has the text of {entry.article_id!r}, which was retracted"
            )
            reason = entry.retracted.reason if entry.retracted else ""
            found = _shown(index, at, article_id)
            problems.append(problem("retracted", _place(index, at, "$"), found=found, what=what, reason=reason))
    wanted = pa.array(sorted(ledger.keys() - gone.keys()), pa.large_string())
    missing = wanted.filter(pc.invert(pc.is_in(wanted, value_set=ids)))
    problems += (
        problem("released-missing", Place("seeds"), found=article_id, version=ledger[article_id].added_in)
        for article_id in missing.to_pylist()
    )


def _cut(sizes: Ints, ids: pa.Array, segments: Ints, frozen: Mapping[int, int]) -> tuple[Ints, dict[int, int]]:
    """Which shard of its segment each article is in; how many bits name the shards of each segment."""
    bytes_of: Counter[int] = Counter()
    found, inverse = np.unique(segments, return_inverse=True)
    for segment, size in zip(found.tolist(), np.bincount(inverse, sizes).tolist(), strict=True):
        bytes_of[segment] = int(size)
    bits = {segment: max(0, (-(-size // SHARD_BYTES) - 1).bit_length()) for segment, size in bytes_of.items()} | dict(frozen)
    first = _hashes(i.as_py() for i in ids)[:, 0]
    shifts = np.array([64 - bits[s] for s in found.tolist()], np.uint64)[inverse]
    return np.where(shifts < 64, first >> np.minimum(shifts, 63), 0).astype(np.int64), bits
