"""The bump between two states of a corpus by the letter of what releases promise, without matching any annotation.

A state is schemas, splits and multisets of rows. Rows are known by their key, and what they say by a digest, so an added, removed
or corrected row is a difference of sets. Nothing here is shared with `dateline.diff`, nor does it know what an edit script did.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dateline.compile.tables import ARTICLES
from dateline.schema import Field
from diff_proof.corpora import Corpus, layers_of

PATCH, MINOR, MAJOR = "patch", "minor", "major"
STAMPS = ("added_in", "changed_in", "article_id")


@dataclass(frozen=True)
class _Column:
    type: str
    labels: frozenset[str]
    may_be_empty: bool


@dataclass(frozen=True)
class _Table:
    key: str
    corpus_level: bool
    columns: Mapping[str, _Column]


def bump(old: Corpus, new: Corpus, policy: str) -> str:
    """The least bump that the promises allow for NEW after OLD."""
    levels = set(_schema_levels(_tables(old), _tables(new)))
    levels |= _corpus_levels(old, new) | _article_levels(old, new, policy == "strict")
    return MAJOR if MAJOR in levels else MINOR if MINOR in levels else PATCH


# ---- schemas -------------------------------------------------------------------------------------------------


def _tables(corpus: Corpus) -> dict[str, _Table]:
    return {
        name: _Table(layer.key.name, layer.corpus_level, {f.name: _column(f) for f in layer.fields})
        for name, layer in layers_of(corpus.schemas).items()
    }


def _column(f: Field) -> _Column:
    labels = frozenset(f.labels or ())
    return _Column(f"{f.type} {'label' if labels else ''}", labels, f.nullable or "list" in str(f.type))


def _schema_levels(old: Mapping[str, _Table], new: Mapping[str, _Table]) -> list[str]:
    """Gone tables, columns and labels break readers, as do other types and keys; what came does not, if it may be empty."""
    levels = [MAJOR for name in old if name not in new] + [MINOR for name in new if name not in old]
    for name in old.keys() & new.keys():
        before, after = old[name], new[name]
        if before.key != after.key:
            levels.append(MAJOR)
        for column in before.columns.keys() | after.columns.keys():
            was, now = before.columns.get(column), after.columns.get(column)
            if was is None:
                assert now is not None
                levels.append(MINOR if now.may_be_empty else MAJOR)
            elif now is None or was.type != now.type or was.labels - now.labels:
                levels.append(MAJOR)
            elif now.labels - was.labels:
                levels.append(MINOR)
    return levels


# ---- rows ----------------------------------------------------------------------------------------------------

Said = dict[str, str]
"""By key the digest of what a row says."""


def _compared(old: Corpus, new: Corpus) -> dict[str, set[str]]:
    """The columns of NEW, by table, that OLD has with the same type, or has not: a released row that got a value says more."""
    before, after = _tables(old), _tables(new)
    return {
        name: {c for c, column in after[name].columns.items()
               if c not in before[name].columns or before[name].columns[c].type == column.type}
        for name in before.keys() & after.keys() if before[name].key == after[name].key
    }  # fmt: skip


def _said(rows: list[dict[str, Any]], columns: set[str], key: str) -> Said:
    """What rows say; a column that is not there says as much as an empty one."""
    kept = columns - {key, *STAMPS}
    return {row[key]: _digest({c: row[c] for c in kept if row.get(c) not in (None, [])}) for row in rows}


def _without_words(value: Any) -> Any:
    """Spans as offsets: where the words change that a text has there, or may be shown, the row is still that row."""
    if isinstance(value, dict):
        return {name: _without_words(inner) for name, inner in value.items() if name != "surface"}
    return [_without_words(inner) for inner in value] if isinstance(value, list) else value


def _digest(row: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: object) -> str:
    return format(value.normalize(), "f") if hasattr(value, "normalize") else str(value)


def _renumbered(before: Said, after: Said) -> bool:
    """Whether some row's key now says what another key said, and no more what it said itself."""
    keys_of: dict[str, set[str]] = {}
    for key, digest in before.items():
        keys_of.setdefault(digest, set()).add(key)
    return any(digest in keys_of and key not in keys_of[digest] and not keys_of[digest] <= {
        k for k in before if after.get(k) == before[k]} for key, digest in after.items())  # fmt: skip


def _corpus_levels(old: Corpus, new: Corpus) -> set[str]:
    """Rows of corpus-level tables belong to every split, the test split too."""
    levels: set[str] = set()
    columns, tables = _compared(old, new), _tables(new)
    before, after = old.corpus_rows(), new.corpus_rows()
    for name in before.keys() & after.keys() & columns.keys():
        key = tables[name].key
        was, now = _said(before[name], columns[name], key), _said(after[name], columns[name], key)
        if any(now.get(k) != digest for k, digest in was.items()):
            levels.add(MAJOR)
        if now.keys() - was.keys():
            levels.add(MINOR)
    return levels


def _article_levels(old: Corpus, new: Corpus, strict: bool) -> set[str]:
    levels: set[str] = set()
    if old.records.keys() - new.records.keys():
        levels.add(MAJOR)
    if new.records.keys() - old.records.keys():
        levels.add(MINOR)
    columns, tables = _compared(old, new), _tables(new)
    for article in old.records.keys() & new.records.keys():
        split = old.splits[article]
        if split != new.splits[article]:
            levels.add(MAJOR)
        if old.records[article] is new.records[article] and old.sources == new.sources:
            continue
        frozen = split == "test" or strict
        before, after = old.article_rows(article), new.article_rows(article)
        for name in before.keys() & after.keys() & columns.keys():
            own, key = columns[name] - ({"split"} if name == ARTICLES else set()), tables[name].key
            was, now = _said(before[name], own, key), _said(after[name], own, key)
            rows, fresh = ([_without_words(row) for row in side[name]] for side in (before, after))
            if was.keys() - now.keys() or _renumbered(_said(rows, own, key), _said(fresh, own, key)):
                levels.add(MAJOR)
            if now.keys() - was.keys() or any(now.get(k) != digest for k, digest in was.items()):
                levels.add(MAJOR if frozen else MINOR)
    return levels
