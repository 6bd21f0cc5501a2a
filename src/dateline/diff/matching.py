"""Which row before is which row after, of one table of one article: by id where plausible, else by content, else by overlap.

Ids are evidence, not truth: tools give fresh ones, or the same ones to other rows. So rows that are equal under one id are pairs
at once; of the rest there are two explanations, ids first or contents first, and in each knot of rows that both of them touch
the one holds that leaves less changed; of two that leave as much, ids first. What is then left is matched by overlap and labels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from itertools import product

from dateline.diff.changes import natural

Value = Hashable
_GONE = 2.0
"""What a row that is removed, or added, weighs against one changed column."""


@dataclass(frozen=True)
class Item:
    """A row as matching sees it; `references` are in the ids of NEW, less those that are not known yet."""

    id: str
    spans: tuple[Value, ...] = ()
    references: tuple[Value, ...] = ()
    labels: tuple[Value, ...] = ()
    values: tuple[Value, ...] = ()
    covered: tuple[tuple[int, int], ...] = ()
    """What its spans cover: disjoint, in order."""

    @cached_property
    def content(self) -> tuple[Value, ...]:
        """All that it says but its id."""
        return (self.spans, self.references, self.labels, self.values)

    @cached_property
    def telling(self) -> dict[tuple[str, int], Value]:
        """What hardly two rows share: what it refers to, names and numbers; labels and truth values are shared by many."""
        parts = [(("reference", i), v) for i, v in enumerate(self.references)]
        parts += [(("value", i), v) for i, v in enumerate(self.values)]
        return {at: value for at, value in parts if value not in (None, (), ("true",), ("false",))}

    @property
    def place(self) -> tuple[object, ...]:
        """Its place among its like."""
        return (self.covered, natural(self.id))


@dataclass
class Matched:
    """Rows before and after: pairs, and what has no partner."""

    pairs: list[tuple[Item, Item]]
    removed: list[Item]
    added: list[Item]


def match(old: Sequence[Item], new: Sequence[Item], *, fresh_ids: bool = True) -> Matched:
    """Pair the rows of one table of one article. Without `fresh_ids` an id says what the row is, so ids alone decide."""
    old, new = sorted(old, key=lambda item: item.place), sorted(new, key=lambda item: item.place)
    pairs, old, new = _take(old, new, lambda item: (item.id, item.content))
    if not fresh_ids:
        more, old, new = _take(old, new, lambda item: item.id)
        return Matched(pairs + more, old, new)
    same = len(pairs)
    doubtful = Matched([], [], [])
    for knot_old, knot_new in _knots(old, new):
        found = _explain(knot_old, knot_new)
        pairs += [pair for pair in found.pairs if not _doubtful(*pair)]
        doubtful.pairs += [pair for pair in found.pairs if _doubtful(*pair)]
        doubtful.removed += found.removed
        doubtful.added += found.added
    # where most rows have another id than before, that a row has the same id says little
    ids_hold = same >= sum(a.id != b.id for a, b in pairs)
    rest = _settle(doubtful, ids_hold)
    return Matched(pairs + rest.pairs, rest.removed, rest.added)


def _take(
    old: Sequence[Item], new: Sequence[Item], key: Callable[[Item], Value]
) -> tuple[list[tuple[Item, Item]], list[Item], list[Item]]:
    """Pairs of equal key, in order, and what is left."""
    waiting: dict[Value, list[Item]] = defaultdict(list)
    for item in reversed(new):
        waiting[key(item)].append(item)
    pairs, left = [], []
    for item in old:
        if partners := waiting.get(key(item)):
            pairs.append((item, partners.pop()))
        else:
            left.append(item)
    taken = {id(b) for _, b in pairs}
    return pairs, left, [item for item in new if id(item) not in taken]


# ---- knots: what ids and contents say of the same rows --------------------------------------------------------


def _knots(old: Sequence[Item], new: Sequence[Item]) -> Iterator[tuple[list[Item], list[Item]]]:
    """The rows cut into parts such that no id and no content is in two of them."""
    parent: dict[Value, Value] = {}

    def root(node: Value) -> Value:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = node = parent[above]
        return node

    ids = {item.id for item in old} & {item.id for item in new}
    contents = {item.content for item in old} & {item.content for item in new}

    def nodes(side: str, item: Item) -> list[Value]:
        linked: list[Value] = [(side, id(item))]
        linked += [("id", item.id)] if item.id in ids else []
        return linked + ([("content", item.content)] if item.content in contents else [])

    sides = [("old", item) for item in old] + [("new", item) for item in new]
    for side, item in sides:
        first, *others = nodes(side, item)
        for other in others:
            parent[root(other)] = root(first)
    knots: dict[Value, tuple[list[Item], list[Item]]] = {}
    for side, item in sides:
        knots.setdefault(root((side, id(item))), ([], []))[side == "new"].append(item)
    yield from knots.values()


def _explain(old: list[Item], new: list[Item]) -> Matched:
    """The explanation of a knot that leaves less changed."""
    by_id, old_left, new_left = _take(old, new, lambda item: item.id)
    more, old_left, new_left = _take(old_left, new_left, lambda item: item.content)
    ids_first = Matched(by_id + more, old_left, new_left)
    if not by_id:
        return ids_first
    by_content, old_left, new_left = _take(old, new, lambda item: item.content)
    if not by_content:
        return ids_first
    alike, old_left, new_left = _alike(old_left, new_left)
    more, old_left, new_left = _take(old_left, new_left, lambda item: item.id)
    contents_first = Matched(by_content + alike + more, old_left, new_left)
    return contents_first if _cost(contents_first) < _cost(ids_first) else ids_first


def _settle(doubtful: Matched, ids_hold: bool) -> Matched:
    """Pairs for what has no partner yet, or a doubtful one: likeness first, or ids first, whichever leaves less changed."""
    alike, old_left, new_left = _alike(doubtful.removed, doubtful.added)
    ids_first = Matched(doubtful.pairs + alike, old_left, new_left)
    if not doubtful.pairs:
        return ids_first
    old = sorted([*doubtful.removed, *(a for a, _ in doubtful.pairs)], key=lambda item: item.place)
    new = sorted([*doubtful.added, *(b for _, b in doubtful.pairs)], key=lambda item: item.place)
    alike, old_left, new_left = _alike(old, new)
    more, old_left, new_left = _take(old_left, new_left, lambda item: item.id)
    alike_first = Matched(alike + more, old_left, new_left)
    return alike_first if _cost(alike_first, ids_hold) < _cost(ids_first, ids_hold) else ids_first


# ---- what an explanation costs -------------------------------------------------------------------------------


def _cost(found: Matched, ids_hold: bool = True) -> float:
    return sum(_weight(a, b, ids_hold) for a, b in found.pairs) + _GONE * (len(found.removed) + len(found.added))


def _weight(old: Item, new: Item, ids_hold: bool = True) -> float:
    """How much differs in a pair: a column counts one, a span that moved away two; another id, the less the more is the same."""
    weight = float(_differing(old.references, new.references) + _differing(old.labels, new.labels))
    weight += _differing(old.values, new.values)
    if old.spans != new.spans:
        weight += 2 if _implausible(old, new) else 1
    if old.id != new.id and ids_hold:
        weight += (0.5 if old.covered or old.telling else 1) if old.content == new.content else 2 - _likeness(old, new)
    return weight


def _differing(old: tuple[Value, ...], new: tuple[Value, ...]) -> int:
    return sum(a != b for a, b in zip(old, new, strict=True))


def _implausible(old: Item, new: Item) -> bool:
    """Whether both have spans, and share no character."""
    return bool(old.covered and new.covered and old.spans != new.spans and not _shared(old.covered, new.covered))


def _doubtful(old: Item, new: Item) -> bool:
    """Whether a pair has to stand against others: it shares no character, or its span moved and it says another thing besides.

    Where ids and offsets move together (a text a character longer, ids counted on), neighbours that overlap meet under one id.
    """
    moved = bool(old.covered and new.covered) and old.spans != new.spans
    return _implausible(old, new) or (moved and (old.references, old.labels) != (new.references, new.labels))


# ---- likeness: overlap of spans, or shared values where there are none --------------------------------------


def _alike(old: Sequence[Item], new: Sequence[Item]) -> tuple[list[tuple[Item, Item]], list[Item], list[Item]]:
    """Pairs of the most alike first, of equally alike ones those in order; and what is left."""
    candidates = []
    for i, j in {*_overlapping(old, new), *_telling(old, new)}:
        a, b = old[i], new[j]
        likeness = _likeness(a, b)
        if likeness > (0 if a.covered and a.labels == b.labels else 0.499) and _weight(a, b) < 2 * _GONE:
            candidates.append((-likeness, _differing(a.labels, b.labels), a.id != b.id, i, j))
    taken_old: set[int] = set()
    taken_new: set[int] = set()
    pairs = []
    for *_, i, j in sorted(candidates):
        if i not in taken_old and j not in taken_new:
            pairs.append((old[i], new[j]))
            taken_old.add(i)
            taken_new.add(j)
    left = [item for i, item in enumerate(old) if i not in taken_old]
    return pairs, left, [item for j, item in enumerate(new) if j not in taken_new]


def _likeness(old: Item, new: Item) -> float:
    """From 0 to 1: the share of characters that both cover; without spans the share of values that both have."""
    if old.covered or new.covered:
        shared = _shared(old.covered, new.covered)
        return shared / (_length(old.covered) + _length(new.covered) - shared)
    a, b = (*old.references, *old.labels, *old.values), (*new.references, *new.labels, *new.values)
    said = [(x, y) for x, y in zip(a, b, strict=True) if x not in (None, ()) or y not in (None, ())]
    return sum(_agreement(x, y) for x, y in said) / len(said) if said else 0.0


def _agreement(old: Value, new: Value) -> float:
    """1 of equal values, less of strings that were edited, 0 of all others."""
    if old == new:
        return 1.0
    if not (isinstance(old, str) and isinstance(new, str)):
        return 0.0
    ratio = SequenceMatcher(None, old[:_LONGEST], new[:_LONGEST], autojunk=False).ratio()
    return ratio if ratio > _EDITED else 0.0


def _length(covered: Iterable[tuple[int, int]]) -> int:
    return sum(end - start for start, end in covered)


def _shared(old: Sequence[tuple[int, int]], new: Sequence[tuple[int, int]]) -> int:
    """Characters that two ordered rows of disjoint intervals have in common."""
    total = i = j = 0
    while i < len(old) and j < len(new):
        total += max(0, min(old[i][1], new[j][1]) - max(old[i][0], new[j][0]))
        if old[i][1] <= new[j][1]:
            i += 1
        else:
            j += 1
    return total


def _overlapping(old: Sequence[Item], new: Sequence[Item]) -> Iterator[tuple[int, int]]:
    """Indices of rows whose spans share a character: a sweep over where they begin."""
    starts = [(start, end, side, n) for side, items in enumerate((old, new)) for n, item in enumerate(items)
              for start, end in item.covered]  # fmt: skip
    open_: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    for start, end, side, n in sorted(starts):
        others = open_[1 - side]
        others[:] = [(until, m) for until, m in others if until > start]
        yield from ((n, m) if side == 0 else (m, n) for _, m in others)
        open_[side].append((end, n))


_MOST_SHARING = 20
"""A value that more rows have tells nothing of one."""
_MOST_LEFT = 50
"""Of more rows without a partner, no two are compared that have nothing in common."""
_LONGEST, _EDITED = 200, 0.6
"""Characters of a string that are compared, and how alike an edited one is at least."""


def _telling(old: Sequence[Item], new: Sequence[Item]) -> Iterator[tuple[int, int]]:
    """Indices of rows without spans that share something telling, or in which it was but edited."""
    having: dict[Value, list[int]] = defaultdict(list)
    for j, item in enumerate(new):
        for at in () if item.covered else item.telling.items():
            having[at].append(j)
    for i, item in enumerate(old):
        for at in () if item.covered else item.telling.items():
            if len(having[at]) <= _MOST_SHARING:
                yield from ((i, j) for j in having[at])
    if max(len(old), len(new)) <= _MOST_LEFT:
        for (i, a), (j, b) in product(enumerate(old), enumerate(new)):
            if not a.covered and not b.covered and any(_agreement(v, b.telling.get(at)) for at, v in a.telling.items()):
                yield i, j


def covered_by(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The spans as disjoint intervals in order."""
    made: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if made and start <= made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        elif start < end:
            made.append((start, end))
    return tuple(made)
