"""From a change to the bump of the version that it forces: each law is one line of a table, which docs/diffing.md shows."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from dateline.diff.changes import Change

POLICIES = ("errata", "strict")
CORPUS = "corpus"
"""The one split of corpus-level tables, which belong to every split."""


class Law(NamedTuple):
    """The bump that a change forces under each policy, and why, for people."""

    errata: str
    strict: str
    says: str


LAWS = {
    "projections": Law("patch", "patch", "no base row differs: views, estimates, `records` and the card follow from base rows"),
    "article-added": Law("minor", "minor", "an article was added"),
    "article-removed": Law("major", "major", "a released article is gone"),
    "article-retracted": Law("major", "major", "a released article was retracted"),
    "text-revision-added": Law("minor", "minor", "an article was added that supersedes one which stays"),
    "text-replaced": Law("major", "major", "a released article is gone, and another one supersedes it"),
    "split-moved": Law("major", "major", "a released article is in another split"),
    "test-article": Law("major", "major", "something of a released test article differs, be it an addition"),
    "annotation-added": Law("minor", "major", "an annotation was added to a released article"),
    "annotation-removed": Law("major", "major", "a released row is gone"),
    "id-changed": Law("major", "major", "a released id names nothing now, or another row"),
    "correction": Law("minor", "major", "a row of a released article, its metadata or its text was corrected"),
    "corpus-row-added": Law("minor", "minor", "a row was added to a corpus-level table"),
    "corpus-row-corrected": Law("major", "major", "a row of a corpus-level table differs, which belongs to every split"),
    "table-added": Law("minor", "minor", "a table was added"),
    "table-removed": Law("major", "major", "a table is gone"),
    "column-added": Law("minor", "minor", "a column was added that is empty in some row, or in a table without released rows"),
    "column-required": Law("major", "major", "a column was added that is empty in no row, so released rows were filled"),
    "column-removed": Law("major", "major", "a column is gone"),
    "column-renamed": Law("major", "major", "a column has another name"),
    "column-retyped": Law("major", "major", "a column has another type, labels other numbers, or references another target"),
    "label-added": Law("minor", "minor", "a label was added to a label set"),
    "label-removed": Law("major", "major", "a label is gone from a label set"),
    "key-changed": Law("major", "major", "another column names the rows of a table"),
}  # fmt: skip

_CORRECTIONS = ("span-moved", "relabelled", "relinked", "value-changed", "metadata-changed", "text-edited")


def bump_of(change: Change, policy: str = "errata", test: str = "test") -> tuple[str, str]:
    """The bump that a change forces, and the id of the law that says so; `test` is the split that is never corrected."""
    why = _law(change, test)
    return (LAWS[why].strict if policy == "strict" else LAWS[why].errata), why


def judged(change: Change, policy: str = "errata", test: str = "test") -> Change:
    """The change with its bump."""
    bump, why = bump_of(change, policy, test)
    return replace(change, bump=bump, why=why)


def _law(change: Change, test: str) -> str:
    kind = change.kind
    if kind == "column-added":
        return kind if change.new.get("nullable", True) else "column-required"
    if kind == "text-edited" and "article_id" in change.old:
        return "text-revision-added" if change.new.get("old_article") == "kept" else "text-replaced"
    if change.of_schema or kind in ("article-added", "article-removed", "article-retracted", "split-moved"):
        return kind
    if kind in ("annotation-removed", "id-changed"):
        return kind
    if change.split == CORPUS:
        return "corpus-row-added" if kind == "annotation-added" else "corpus-row-corrected"
    if change.split == test:
        return "test-article"
    return "correction" if kind in _CORRECTIONS else kind
