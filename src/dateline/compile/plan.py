"""Plan: what goes where. From the index and the ledger, the split of every article and the shards to compile.

A pure function of what the records are, not of how they were cut into files: without this step the same records in
another order could not give the same bytes.

- A *group* is what must share a split: articles that name the same `group`, and chains of `supersedes`.
- In mode "computed", articles of a released group keep its split; new groups fill the remaining exact quotas in the order of
  sha256(salt, group). With at least as many groups as splits, no split stays empty.
- A *shard* is (segment, top bits of sha256(article_id)). Released articles stay in their segment; all others form the next.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from dateline.errors import Place, Problem
from dateline.ledger import Ledger
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
    """All shards, in order; the problems that only all records together show.

    Shards are planned in spite of problems, so that every record is checked and all faults are told at once.
    """

    shards: list[ShardPlan] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)
    next_segment: int = 1


def plan(index: pa.Table, ledger: Ledger, splits: Splits) -> Plan:
    """Decide group, split, segment and shard of every article of `index` (INDEX_SCHEMA, rows in any order)."""
    made = Plan(next_segment=1 + max((entry.segment for entry in ledger.values()), default=0))
    index = index.sort_by([("article_id", "ascending"), ("file", "ascending"), ("line", "ascending")])
    index = _without_duplicates(index, made.problems)
    ids = index["article_id"].to_pylist()
    groups = _groups(index, ids, made.problems)
    if splits.mode == "given":
        given = index["split"].to_pylist()
        chosen = [split or "" for split in given]
        for position, split in enumerate(given):
            if split is None:
                made.problems.append(problem("split-given", _place(index, position, "$.split")))
        made.groups = {}
    else:
        made.groups = assign_splits(groups, ids, ledger, splits)
        chosen = [made.groups[group] for group in groups]
    released = [ledger.get(article_id) for article_id in ids]
    segments = [entry.segment if entry else made.next_segment for entry in released]
    index = index.set_column(index.column_names.index("group"), "group", pa.array(groups, pa.string()))
    index = index.set_column(index.column_names.index("split"), "split", pa.array(chosen, pa.string()))
    index = index.append_column("added_in", pa.array([e.added_in if e else None for e in released], pa.string()))
    index = index.append_column("changed_in", pa.array([e.changed_in if e else None for e in released], pa.string()))
    made.shards = _shards(index, ids, segments)
    return made


def assign_splits(groups: Sequence[str], ids: Sequence[str], ledger: Ledger, splits: Splits) -> dict[str, str]:
    """The split of every group: released groups keep theirs, new ones fill exact quotas in the order of their hash.

    Quotas are met by largest remainder over all groups; none is zero once there are as many groups as splits.
    """
    frozen = {group: ledger[i].split for group, i in zip(groups, ids, strict=True) if i in ledger}
    names = sorted(set(groups))
    target = _quotas(len(names), splits.quotas)
    room = {split: max(0, wanted - Counter(frozen.values())[split]) for split, wanted in target.items()}
    order = sorted((g for g in names if g not in frozen), key=lambda g: _hash(f"{splits.salt}\0{g}"))
    chosen = dict(frozen)
    for group in order:
        split = max(splits.quotas, key=lambda s: room[s] / splits.quotas[s])
        chosen[group] = split
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


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _without_duplicates(index: pa.Table, problems: list[Problem]) -> pa.Table:
    ids = index["article_id"].to_pylist()
    keep: list[int] = []
    for position, article_id in enumerate(ids):
        if keep and ids[keep[-1]] == article_id:
            place = _place(index, position, "$.article_id")
            problems.append(problem("duplicate-article", place, found=article_id, other=_place(index, keep[-1], "")))
        else:
            keep.append(position)
    return index.take(pa.array(keep, pa.int64()))


def _place(index: pa.Table, position: int, pointer: str) -> Place:
    return Place(index["file"][position].as_py(), index["line"][position].as_py(), pointer)


def _groups(index: pa.Table, ids: Sequence[str], problems: list[Problem]) -> list[str]:
    """The group of every article: its own `group` joined along `supersedes`, named by its smallest name."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    own = [f"g:{g}" if g is not None else f"a:{i}" for g, i in zip(index["group"].to_pylist(), ids, strict=True)]
    by_id = dict(zip(ids, own, strict=True))
    for position, (name, earlier) in enumerate(zip(own, index["supersedes"].to_pylist(), strict=True)):
        if earlier is None:
            continue
        if earlier not in by_id:
            problems.append(problem("supersedes", _place(index, position, "$.supersedes"), found=earlier))
            continue
        first, second = sorted((root(name), root(by_id[earlier])), key=lambda n: (n[0] != "g", n))
        parent[second] = first
    return [root(name)[2:] for name in own]


def _shards(index: pa.Table, ids: Sequence[str], segments: Sequence[int]) -> list[ShardPlan]:
    sizes: Counter[int] = Counter()
    for segment, size in zip(segments, index["size"].to_pylist(), strict=True):
        sizes[segment] += size
    bits = {segment: max(0, (-(-size // SHARD_BYTES) - 1).bit_length()) for segment, size in sizes.items()}
    keys = [(s, int(_hash(i)[:8], 16) >> (32 - bits[s]) if bits[s] else 0) for s, i in zip(segments, ids, strict=True)]
    index = index.append_column("shard_segment", pa.array([s for s, _ in keys], pa.int32()))
    index = index.append_column("shard_prefix", pa.array([p for _, p in keys], pa.int32()))
    shards = []
    for segment, prefix in sorted(set(keys)):
        mask = pc.and_(pc.equal(index["shard_segment"], segment), pc.equal(index["shard_prefix"], prefix))
        articles = index.filter(mask).drop_columns(["shard_segment", "shard_prefix"])
        shards.append(ShardPlan(segment, prefix, bits[segment], articles))
    return shards
