"""One article before and after, rows by table -> changes; rows of corpus-level tables are compared alike. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dateline.diff.bump import judged
from dateline.diff.changes import Change, in_order, plain
from dateline.diff.facts import ARTICLES, TEXT, Columns, Facts
from dateline.diff.matching import Item, Value, covered_by, match

Row = dict[str, Any]
Pair = tuple[Row | None, Row | None]
Rows = Mapping[str, Sequence[Row]]


@dataclass(frozen=True)
class Ids:
    """What became of the ids of one table."""

    now: Mapping[str, str]
    """Id in OLD: id in NEW, of rows that both have."""
    reused: frozenset[str] = frozenset()
    """Ids of OLD that name another row in NEW: a reference may read the same there, and mean another row."""

    def of(self, value: Any) -> Value:
        """A reference of OLD, or a list of them, in the ids of NEW."""
        if isinstance(value, list | tuple):
            return tuple(self.of(inner) for inner in value)
        if value in self.now:
            return self.now[value]
        return ("another row", value) if value in self.reused else freeze(value)


def diff_article(old: Rows, new: Rows, facts: Facts, corpus: Mapping[str, Ids] = {}) -> list[Change]:
    """What differs between the rows of one article, by table, of OLD and of NEW; `corpus` are ids of corpus-level tables.

    The rows of `articles` (one on each side) give the id and the split; an article on one side alone is one change. Rows of a
    table that neither side gives count as equal. The order of rows means nothing.
    """
    return compare_article(old, new, facts, corpus)[0]


def compare_article(old: Rows, new: Rows, facts: Facts, corpus: Mapping[str, Ids]) -> tuple[list[Change], dict[str, Ids]]:
    """As `diff_article`; with what became of the ids of each table given."""
    before, after = _only(old), _only(new)
    if before is None or after is None:
        there = before or after
        return ([_whole(there, "article-added" if before is None else "article-removed", facts)] if there else []), {}
    article, split = after["article_id"], before.get("split")
    open_ = before.get("text_redistributable", True) and after.get("text_redistributable", True)
    changes = list(_article_changes(before, after, facts.tables[ARTICLES])) if ARTICLES in facts.tables else []
    ids = dict(corpus)
    matched = {}
    pending = {name for name in facts.in_order() if facts.tables[name].level == "article" and (name in old or name in new)}
    for name in filter(pending.copy().__contains__, facts.in_order()):
        columns = facts.tables[name]
        rows = [columns.before(row) for row in old.get(name, ())]
        matched[name], ids[name] = match_rows(rows, new.get(name, ()), columns, ids, pending)
        pending.remove(name)
    for name, found in matched.items():
        changes += row_changes(name, facts.tables[name], found, ids, article, split, surfaces=bool(open_))
    if before.get("text_redistributable", True) and not after.get("text_redistributable", True):
        changes = [_unspoken(change, facts.tables[change.table]) for change in changes]
    return in_order([judged(change, facts.policy, facts.test) for change in changes]), ids


def _unspoken(change: Change, columns: Columns) -> Change:
    """A change of an article that may be passed on no more, without what may be words of it: its columns are named alone.

    Which columns are withheld no manifest says, so none that holds words is quoted, but labels and keys.
    """
    spoken = {c for side in (change.old, change.new) for c, value in side.items() if c in columns.values and _has_words(value)}
    old, new = ({c: value for c, value in side.items() if c not in spoken} for side in (change.old, change.new))
    return replace(change, old=old, new=new)


def _has_words(value: Any) -> bool:
    if isinstance(value, Mapping | list | tuple):
        return any(map(_has_words, value.values() if isinstance(value, Mapping) else value))
    return isinstance(value, str)


def _only(rows: Rows) -> Row | None:
    found = rows.get(ARTICLES) or ()
    return dict(found[0]) if found else None


def _whole(row: Row, kind: str, facts: Facts) -> Change:
    change = Change(kind, ARTICLES, str(row["article_id"]), split=row.get("split"))
    return judged(change, facts.policy, facts.test)


# ---- the article itself --------------------------------------------------------------------------------------


def _article_changes(before: Row, after: Row, columns: Columns) -> Iterator[Change]:
    article, split = str(after["article_id"]), before.get("split")
    old = columns.before(before)
    differing = [c for c in columns.compared if c in after and _differs(c, old.get(c), after.get(c), columns)]
    text = tuple(c for c in differing if c in TEXT and c != "text")
    if not text and "text" in differing and old["text"] is not None and after["text"] is not None:
        text = ("text",)
    kinds = {
        "text-edited": text,
        "split-moved": tuple(c for c in differing if c == "split"),
        "metadata-changed": tuple(c for c in differing if c not in TEXT and c != "split"),
    }
    for kind, concerned in kinds.items():
        if concerned:
            yield Change(kind, ARTICLES, article, None, None, split, concerned, *_sides(concerned, old, after))


# ---- rows ----------------------------------------------------------------------------------------------------


def match_rows(
    old: Sequence[Row], new: Sequence[Row], columns: Columns, ids: Mapping[str, Ids], pending: Collection[str]
) -> tuple[list[Pair], Ids]:
    """Rows of a table before (under the names of NEW) and after: pairs, one of them None where there is no partner.

    `ids` are those of the tables that were matched before; references to `pending` ones are not looked at, as those may be
    renumbered.
    """
    known = [column for column, target in columns.references.items() if target not in pending]
    before = [_item(row, columns, known, ids) for row in old]
    after = [_item(row, columns, known, {}) for row in new]
    row_of = {id(item): row for items, rows in ((before, old), (after, new)) for item, row in zip(items, rows, strict=True)}
    found = match(before, after, fresh_ids=columns.fresh_ids)
    pairs: list[Pair] = [(row_of[id(a)], row_of[id(b)]) for a, b in found.pairs]
    pairs += [(row_of[id(item)], None) for item in found.removed]
    pairs += [(None, row_of[id(item)]) for item in found.added]
    now, there = {a.id: b.id for a, b in found.pairs}, {item.id for item in after}
    return pairs, Ids(now, frozenset(item.id for item in before if now.get(item.id) != item.id and item.id in there))


def _item(row: Row, columns: Columns, known: Sequence[str], ids: Mapping[str, Ids]) -> Item:
    said = {c: _comparable(c, row.get(c), columns) for c in columns.compared}
    return Item(
        id=str(row.get(columns.key)),
        spans=tuple(said[c] for c in columns.spans),
        references=tuple(_in_new(columns.references[c], row.get(c), ids) if c not in columns.added else said[c] for c in known),
        labels=tuple(said[c] for c in columns.labels),
        values=tuple(said[c] for c in columns.values),
        covered=covered_by(place for c in columns.spans for place in _places(row.get(c))),
    )


def row_changes(
    table: str, columns: Columns, pairs: Sequence[Pair], ids: Mapping[str, Ids], article: str | None, split: str | None,
    *, surfaces: bool = True,
) -> Iterator[Change]:  # fmt: skip
    """The changes that pairs of rows come to; without `surfaces` no words of the text are in them."""
    for old, new in pairs:
        before, after = (None if row is None else _spoken(row, surfaces) for row in (old, new))
        there = after if after is not None else before
        assert there is not None
        row = str(there[columns.key])
        if before is None or after is None:
            kind = "annotation-added" if before is None else "annotation-removed"
            yield Change(kind, table, article, row, None, split, (), _said(before, columns), _said(after, columns))
            continue
        was = str(before[columns.key])
        kinds = {
            "id-changed": (columns.key,) if was != row else (),
            "span-moved": _differing(columns.spans, before, after, columns),
            "relabelled": _differing(columns.labels, before, after, columns),
            "relinked": tuple(c for c in columns.references if _relinked(c, before, after, columns, ids)),
            "value-changed": _differing(columns.values, before, after, columns),
        }
        for kind, concerned in kinds.items():
            if concerned:
                yield Change(kind, table, article, row, was if was != row else None, split, concerned,
                             *_sides(concerned, before, after))  # fmt: skip


def _differing(names: Sequence[str], old: Row, new: Row, columns: Columns) -> tuple[str, ...]:
    return tuple(c for c in names if _differs(c, old.get(c), new.get(c), columns))


def _differs(column: str, old: Any, new: Any, columns: Columns) -> bool:
    return _comparable(column, old, columns) != _comparable(column, new, columns)


def _relinked(column: str, old: Row, new: Row, columns: Columns, ids: Mapping[str, Ids]) -> bool:
    if column in columns.added:
        return _differs(column, old.get(column), new.get(column), columns)
    return _in_new(columns.references[column], old.get(column), ids) != freeze(new.get(column))


def _in_new(target: str, value: Any, ids: Mapping[str, Ids]) -> Value:
    return ids[target].of(value) if target in ids else freeze(value)


def _said(row: Row | None, columns: Columns) -> Row:
    """What a row that stands alone says: its columns that are not empty."""
    return {} if row is None else {c: plain(row[c]) for c in columns.compared if row.get(c) not in (None, [])}


def _sides(names: Sequence[str], old: Row, new: Row) -> tuple[Row, Row]:
    return {c: plain(old.get(c)) for c in names}, {c: plain(new.get(c)) for c in names}


# ---- values --------------------------------------------------------------------------------------------------


def _comparable(column: str, value: Any, columns: Columns) -> Value:
    """A value that can be compared: spans without their words, and no difference of null and [] where OLD has no such column."""
    if column in columns.added and value == []:
        return None
    return freeze(_without_surfaces(value) if column in columns.spans else value)


def freeze(value: Any) -> Value:
    """A value of a row as one that can be compared and counted; true is not 1, and one NaN equals another."""
    if isinstance(value, Mapping):
        return tuple((name, freeze(inner)) for name, inner in sorted(value.items()))
    if isinstance(value, list | tuple):
        return tuple(freeze(inner) for inner in value)
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    return ("true" if value else "false",) if isinstance(value, bool) else value


def _is_span(value: Any) -> bool:
    return isinstance(value, Mapping) and "start" in value and "end" in value and value.keys() <= {"start", "end", "surface"}


def _without_surfaces(value: Any) -> Any:
    if _is_span(value):
        return (value["start"], value["end"])
    if isinstance(value, Mapping):
        return {name: _without_surfaces(inner) for name, inner in value.items()}
    return [_without_surfaces(inner) for inner in value] if isinstance(value, list | tuple) else value


def _places(value: Any) -> Iterator[tuple[int, int]]:
    """Every span inside a value."""
    if _is_span(value):
        yield value["start"], value["end"]
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _places(inner)


def _spoken(value: Any, surfaces: bool) -> Any:
    """The value with the words of its spans, or without."""
    if surfaces:
        return value
    if _is_span(value):
        return {"start": value["start"], "end": value["end"]}
    if isinstance(value, Mapping):
        return {name: _spoken(inner, surfaces) for name, inner in value.items()}
    return [_spoken(inner, surfaces) for inner in value] if isinstance(value, list) else value
