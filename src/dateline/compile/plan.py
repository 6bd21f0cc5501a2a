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
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dateline.compile.groups import Ints, Signatures, join, near_pairs
from dateline.errors import Place, Problem
from dateline.files import Mapped
from dateline.leaks import shown
from dateline.ledger import Articles, Entry
from dateline.project import Splits
from dateline.rules import problem

SHARD_BYTES = 256 * 1024 * 1024
"""Canonical record bytes that one shard may hold before its segment is cut in two."""


_ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class ShardPlan:
    """One shard: its name and the index rows of its articles, in memory or in a file."""

    segment: int
    prefix: int
    bits: int
    rows: pa.Table | Path

    @property
    def articles(self) -> pa.Table:
        """The index rows, sorted by article, with split, group and versions; from a file they are read each time anew."""
        return pa.ipc.open_file(pa.memory_map(str(self.rows))).read_all() if isinstance(self.rows, Path) else self.rows

    @property
    def stem(self) -> str:
        """The part of its files' names that says which shard it is."""
        return f"s{self.segment:04d}-b{self.prefix:02d}"


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
    forget: Callable[[], None] = lambda: None,
) -> Plan:
    """Decide group, split, segment and shard of every article of `index` (INDEX_SCHEMA, rows in any order).

    `bits` says into how many shards a released segment was cut, which stays as it was; `signatures` are what the index counts,
    None if near-duplicates are not looked for. With `spill`, a folder, what is planned lies in files there and not in memory;
    `forget` is called once something of the index was looked at, which may be a file that is mapped.
    """
    released = Articles.of(ledger)
    made = Plan(next_segment=1 + (pc.max(released.table["segment"]).as_py() or 0))
    order, ids = _unique(index, made.problems)
    _tell_of_retracted(index, order, ids, released, made.problems)
    forget()
    corpus = _Corpus(index, order, ids, signatures, released.table, splits, made.problems, forget)
    _tell_of_missing(corpus.entry, released, made.problems)
    groups = corpus.groups()
    given = splits.mode == "given"
    chosen = corpus.given_splits() if given else corpus.computed_splits()
    kept = np.flatnonzero(chosen >= 0)
    corpus.tell_leaks(chosen, kept if given else kept[corpus.entry[kept] >= 0])
    made.left_out = ids.take(pa.array(np.flatnonzero(chosen < 0))).to_pylist()
    made.groups = len(np.unique(groups[kept]))
    segments = np.append(released.table["segment"].to_numpy(), made.next_segment)[corpus.entry[kept]]  # at -1 is the last
    if made.left_out:
        ids = ids.take(pa.array(kept))
    where = _Where(index["size"].take(pa.array(order[kept])).to_numpy(), ids, segments, bits or {})
    forget()
    rows = order[kept]
    columns = {
        "group": _Decided(corpus.names, _by_row(rows, groups[kept], len(index))),
        "split": _Decided(pa.array(corpus.splits_named, pa.string()), _by_row(rows, chosen[kept], len(index))),
    }
    for name in ("added_in", "changed_in"):
        versions = _whole(released.table[name])
        numbers = np.append(versions.indices.fill_null(-1).to_numpy(), -1).astype(np.int32)
        columns[name] = _Decided(versions.dictionary, _by_row(rows, numbers[corpus.entry[kept]], len(index)))
    shard_of = _by_row(rows, where.shard, len(index))
    del corpus, ids, groups, chosen, kept, segments, order, rows
    for (segment, prefix), articles in zip(where.shards, _dealt(index, shard_of, columns, spill, forget), strict=True):
        shard = ShardPlan(segment, prefix, where.bits[segment], articles)
        made.shards.append(shard if spill is None else _spilled(shard, spill))
    return made


def _by_row(rows: Ints, values: Ints, count: int) -> Ints:
    """A value for each row of the index: that of an article, -1 for a row that is none."""
    found = np.full(count, -1, np.int32)
    found[rows] = values
    return found


@dataclass(frozen=True)
class _Decided:
    """A column of the plan: what values there are, and the number of that of each row of the index; -1 for none."""

    values: pa.Array
    numbers: Ints

    def of(self, rows: Ints) -> pa.Array:
        numbers = self.numbers[rows]
        return self.values.take(pa.array(numbers, mask=numbers < 0))


def _dealt(
    index: pa.Table, shard_of: Ints, columns: Mapping[str, _Decided], spill: Path | None, forget: Callable[[], None]
) -> Iterator[pa.Table]:
    """The articles of each shard with what was decided of them, shards in their order, articles in that of their ids.

    The index is read once, from its beginning to its end, and dealt out: the rows of a shard stand all over it.
    """
    schema = pa.schema([f for f in index.schema if f.name not in ("signature", "group", "split")])
    for name, column in columns.items():
        schema = schema.append(pa.field(name, column.values.type))
    dealt: dict[int, list[int]] = {}
    sink = pa.BufferOutputStream() if spill is None else pa.OSFile(str(spill / "dealt.arrow"), "wb")
    begin = count = 0
    with sink, pa.ipc.new_file(sink, schema) as writer:
        for batch in index.select(schema.names[: -len(columns)]).to_batches(max_chunksize=_ROWS_AT_ONCE):
            shards = shard_of[begin : begin + len(batch)]
            rows = np.argsort(shards, kind="stable")[np.count_nonzero(shards < 0) :]
            decided = [column.of(begin + rows) for column in columns.values()]
            sorted_by_shard = pa.RecordBatch.from_arrays([*batch.take(pa.array(rows)).columns, *decided], schema=schema)
            begins = np.flatnonzero(np.diff(shards[rows], prepend=-1)).tolist()
            for first, end in itertools.pairwise([*begins, len(rows)]):
                writer.write_batch(sorted_by_shard.slice(first, end - first))
                dealt.setdefault(int(shards[rows[first]]), []).append(count)
                count += 1
            begin += len(batch)
            forget()
    mapped = None if spill is None else Mapped(spill / "dealt.arrow")
    reader = pa.ipc.open_file(sink.getvalue() if mapped is None else pa.py_buffer(mapped.content))
    for _, batches in sorted(dealt.items()):
        articles = pa.Table.from_batches([reader.get_batch(number) for number in batches], schema)
        yield articles.take(pc.sort_indices(articles["article_id"]))
        if mapped is not None:
            mapped.forget()


def _spilled(shard: ShardPlan, folder: Path) -> ShardPlan:
    """The same, with its articles in a file of `folder`."""
    path = folder / f"{shard.stem}.plan"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, shard.articles.schema) as writer:
        writer.write_table(shard.articles)
    return ShardPlan(shard.segment, shard.prefix, shard.bits, path)


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
    """The split of each of `new` groups, in their order, beside those that are `taken`.

    Each split has one stretch of the order: a further group then moves only those at the edges of stretches.
    """
    target = _quotas(taken.total() + new, splits.quotas)
    taken = taken.copy()
    room = {split: max(0, wanted - taken[split]) for split, wanted in target.items()}
    filled = dict.fromkeys(splits.quotas, 0)
    for _ in range(new):
        split = max(splits.quotas, key=lambda s: (room[s] > 0 and taken[s] == 0, room[s] / splits.quotas[s]))
        filled[split] += 1
        taken[split] += 1
        room[split] = max(0, room[split] - 1)
    return itertools.chain.from_iterable(itertools.starmap(itertools.repeat, filled.items()))


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
        ids: pa.LargeStringArray,
        signatures: Signatures | None,
        released: pa.Table,
        splits: Splits,
        problems: list[Problem],
        forget: Callable[[], None],
    ) -> None:
        self.index, self.order, self.ids, self.splits, self.problems = index, order, ids, splits, problems
        own = _strings(index["group"].take(pa.array(order)))
        self.named = own.is_valid()
        own = pc.coalesce(own, self.ids) if own.null_count < len(own) else self.ids
        self.entries: pa.ChunkedArray = released["article_id"]
        """The articles of the ledger; below an entry is its number here."""
        held = pc.coalesce(released["group"], self.entries)
        names = pc.unique(pa.chunked_array([own, *held.chunks]))
        self.names: pa.LargeStringArray = names.take(pc.sort_indices(names))
        """The names of groups, sorted; below a group is its number here."""
        self.own, self.held = _places(own, self.names), _places(held, self.names)
        """The group that each article is in by itself; that of each entry of the ledger."""
        self.entry = _places_in_order(self.ids, self.entries)
        """The entry of each article; -1 for none."""
        released_in = _whole(released["split"])
        self.splits_named = sorted({*splits.quotas, *pc.unique(released_in).to_pylist()})
        numbers = np.array([*map(self.splits_named.index, released_in.dictionary.to_pylist())], np.int32)
        self._held_split: Ints = numbers[released_in.indices.to_numpy()]
        del own, names, held
        forget()
        self._superseding, self._superseded = self._supersedes()
        self.labels: Ints = np.arange(len(self.ids) + len(self.names), dtype=np.int32)
        for one, other in self._links():
            join(self.labels, one, other)
        self.signatures = signatures if signatures is not None else np.empty((0, 1), np.uint32)
        self.signed: Ints = np.full(self.signatures.shape[0], -1, np.int32)
        """The article of each signature; -1 for that of a record that does not count."""
        numbers = index["signature"].take(pa.array(order))
        signed = numbers.is_valid().to_numpy()
        self.signed[numbers.drop_null().to_numpy()] = np.flatnonzero(signed)
        forget()
        labels, article = self.labels, self.signed

        def apart(one: Ints, other: Ints) -> NDArray[np.bool_]:
            a, b = article[one], article[other]
            wanted: NDArray[np.bool_] = (a >= 0) & (b >= 0) & (labels[a] != labels[b])
            return wanted

        for one, other in near_pairs(self.signatures, splits.threshold, apart):
            join(labels, article[one], article[other])
        self._group = self._group_of_components()

    def _links(self) -> Iterator[tuple[Ints, Ints]]:
        """All that connects nodes but near-duplicates, in parts."""
        n, here = len(self.ids), np.flatnonzero(self.entry >= 0)
        yield np.arange(n, dtype=np.int32), n + self.own
        yield here, n + self.held[self.entry[here]]
        yield self._superseding, self._superseded

    def _supersedes(self) -> tuple[Ints, Ints]:
        """Articles that name an earlier one, and those; one that is not there is a problem."""
        earlier = _strings(self.index["supersedes"].take(pa.array(self.order)))
        rows = np.flatnonzero(earlier.is_valid().to_numpy(zero_copy_only=False))
        if not len(rows):
            return rows, rows
        found = _places(earlier.take(pa.array(rows)), self.ids)
        for row in rows[found < 0].tolist():
            name = _shown(self.index, int(self.order[row]), earlier[row].as_py())
            self.problems.append(problem("supersedes", self._place(row, "$.supersedes"), found=name))
        return rows[found >= 0], found[found >= 0]

    def _group_of_components(self) -> Ints:
        """The group of every component: the smallest that the ledger has in it, else the smallest that one of its articles
        names, else that of its smallest article_id. Where a component has none of these, nobody asks.
        """
        n, none = len(self.ids), len(self.names)
        named = np.flatnonzero(self.named.to_numpy(zero_copy_only=False))
        by_ledger, by_name, by_id = (np.full(len(self.labels), none, np.int32) for _ in range(3))
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
        splits_in = frozen.sum(0, np.int32)[component]
        chosen = np.full(n, -1, np.int32)
        chosen[released] = self._held_split[self.entry[released]]
        counted = np.full(len(self.names), -1, np.int32)  # the split of each group that has one already
        counted[self.held[self.entry[released]]] = chosen[released]
        joined = ~released & (splits_in == 1)
        chosen[joined] = frozen.argmax(0)[component[joined]]
        counted[self._group[component[joined]]] = chosen[joined]
        for row in np.flatnonzero(~released & (splits_in > 1)).tolist():
            first: dict[str, str] = {}
            for entry in np.flatnonzero(of_held == component[row]).tolist():
                first.setdefault(self.splits_named[self._held_split[entry]], self.entries[entry].as_py())
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
        order: Ints = np.lexsort(_hashes(self.names.take(pa.array(groups)), f"{self.splits.salt}\0").T[::-1])
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
        seen = np.unique(self.labels[rows].astype(np.int64) * count + chosen[rows]) // count
        crossed, times = np.unique(seen, return_counts=True)
        rows = rows[np.isin(self.labels[rows], crossed[times > 1])]
        if not len(rows):
            return
        asked = np.zeros(len(self.labels), bool)
        asked[rows] = asked[len(self.ids) :] = True
        declared: Ints = np.arange(len(self.labels), dtype=np.int32)  # without near-duplicates, and what is left out
        for one, other in self._links():
            both = asked[one] & asked[other]
            join(declared, one[both], other[both])
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


def _strings(column: pa.ChunkedArray) -> pa.LargeStringArray:
    """A column of strings in one piece."""
    return _whole(column.cast(pa.large_string()))


def _whole(column: pa.ChunkedArray) -> Any:
    """A column in one piece."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _places(values: pa.Array | pa.ChunkedArray, among: pa.Array | pa.ChunkedArray) -> Ints:
    """Where each value stands in `among`; -1 for one that is not there."""
    found: Ints = pc.index_in(values, value_set=among).fill_null(-1).to_numpy(zero_copy_only=False)
    return found


def _places_in_order(values: pa.Array, among: pa.ChunkedArray) -> Ints:
    """The same of values and others that are both in order, a part at a time: a table of all of them would be large."""
    found, begin = np.full(len(values), -1, np.int32), 0
    for at in range(0, len(values), _ROWS_AT_ONCE) if len(among) else ():
        some = values.slice(at, _ROWS_AT_ONCE)
        end = bisect_right(range(len(among)), some[-1].as_py(), begin, key=lambda row: among[row].as_py())
        places = _places(some, among.slice(begin, end - begin))
        found[at : at + len(some)] = np.where(places < 0, -1, places + begin)
        begin = end
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _hashes(texts: pa.Array, salt: str = "", numbers: int = 4) -> NDArray[Any]:
    """The sha256 of each text as that many numbers of 64 bits, the most significant first."""
    raw, salted = bytearray(), hashlib.sha256(salt.encode("utf-8", "surrogatepass"))
    for begin in range(0, len(texts), _ROWS_AT_ONCE):
        for text in texts.slice(begin, _ROWS_AT_ONCE).to_pylist():
            sha256 = salted.copy()
            sha256.update(text.encode())
            raw += sha256.digest()[: 8 * numbers]
    return np.frombuffer(raw, ">u8").reshape(-1, numbers)


def _unique(index: pa.Table, problems: list[Problem]) -> tuple[Ints, pa.LargeStringArray]:
    """The rows of articles in the order of their ids, and the ids; of several with one id the first by file and line, the others
    told.
    """
    order: Ints = pc.sort_indices(index["article_id"]).to_numpy().astype(np.int32)
    ids = _strings(index["article_id"].take(pa.array(order)))
    again = np.zeros(len(order), bool)
    again[1:] = pc.equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    if not again.any():
        return order, ids
    keep = ~again
    begins = np.flatnonzero(keep)
    counts = np.diff(begins, append=len(order))
    for begin, count in zip(begins[counts > 1].tolist(), counts[counts > 1].tolist(), strict=True):
        some = sorted(
            order[begin : begin + count].tolist(), key=lambda at: (index["file"][at].as_py(), index["line"][at].as_py())
        )
        order[begin : begin + count] = some
        for at in some[1:]:
            found, other = _shown(index, at, ids[begin].as_py()), _place(index, some[0], "")
            problems.append(problem("duplicate-article", _place(index, at, "$.article_id"), found=found, other=other))
    return order[keep], ids.filter(pa.array(keep))


def _place(index: pa.Table, position: int, pointer: str) -> Place:
    return Place(index["file"][position].as_py(), index["line"][position].as_py(), pointer)


def _shown(index: pa.Table, position: int, name: str) -> str:
    return shown(name, quote=not index["withheld"][position].as_py())


def _tell_of_retracted(
    index: pa.Table, order: Ints, ids: pa.LargeStringArray, released: Articles, problems: list[Problem]
) -> None:
    """What was retracted and stands here again, by its id or by its text; an article of that text that is released still may."""
    gone = released.retracted
    if not gone:
        return
    texts = {bytes.fromhex(entry.text_sha256): entry for entry in gone.values() if entry.text_sha256}
    again = pc.is_in(ids, value_set=pa.array([*gone], pa.large_string()))
    hashes = index["text_sha256"].take(pa.array(order))
    again = pc.or_(again, pc.is_in(hashes, value_set=pa.array([*texts], hashes.type)))
    rows = np.flatnonzero(again.to_numpy())
    standing = {entry.article_id for entry in released.among(pa.chunked_array([ids.take(pa.array(rows))]))} - gone.keys()
    for row in rows.tolist():
        if ids[row].as_py() in standing:
            continue
        article_id, at = ids[row].as_py(), int(order[row])
        entry = gone.get(article_id) or texts[hashes[row].as_py()]
        what = "was retracted" if entry.article_id == article_id else f"has the text of {entry.article_id!r}, which was retracted"
        reason = entry.retracted.reason if entry.retracted else ""
        found = _shown(index, at, article_id)
        problems.append(problem("retracted", _place(index, at, "$"), found=found, what=what, reason=reason))


def _tell_of_missing(entry: Ints, released: Articles, problems: list[Problem]) -> None:
    """What was released, and not retracted, and stands here no more; `entry` has the entries that do."""
    missing = np.ones(len(released), bool)
    missing[entry[entry >= 0]] = False
    gone = released.retracted
    problems += (
        problem("released-missing", Place("seeds"), found=row["article_id"], version=row["added_in"])
        for row in released.table.select(["article_id", "added_in"]).filter(pa.array(missing)).to_pylist()
        if row["article_id"] not in gone
    )


class _Where:
    """Which shard each article is in: how many bits name those of each segment, and which have articles."""

    def __init__(self, sizes: Ints, ids: pa.Array, segments: Ints, frozen: Mapping[int, int]) -> None:
        found, inverse = np.unique(segments, return_inverse=True)
        held = np.bincount(inverse, sizes, len(found)).astype(np.int64).tolist()
        cut = (max(0, (-(-size // SHARD_BYTES) - 1).bit_length()) for size in held)
        self.bits: dict[int, int] = {**dict(zip(found.tolist(), cut, strict=True)), **frozen}
        shifts = np.array([64 - self.bits[s] for s in found.tolist()], np.uint64)[inverse]
        first = _hashes(ids, numbers=1)[:, 0]
        prefixes = np.where(shifts < 64, first >> np.minimum(shifts, 63), 0).astype(np.int64)
        count = 1 + int(prefixes.max(initial=0))
        shards, self.shard = np.unique(segments.astype(np.int64) * count + prefixes, return_inverse=True)
        self.shards: list[tuple[int, int]] = [divmod(shard, count) for shard in shards.tolist()]
        """Segment and prefix of each shard, in their order; `shard` has the number in it of each article's."""
