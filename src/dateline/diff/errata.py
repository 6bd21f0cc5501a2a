"""What a release changed, as entries of a changelog that a user can read: added, corrected (errata), removed. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dateline.diff.changes import Change, Diff
from dateline.ledger import Ledger
from dateline.manifest import Manifest

MOST_ARTICLES = 50
"""Articles of one kind that are named; further ones are counted."""
MOST_ROWS = 200
_LONGEST = 60


def entries(
    last: str | None, level: str, changed: Diff | None, before: Ledger, after: Ledger, manifest: Manifest, *, values: bool = True
) -> list[str]:
    """The lines under the heading of a release; without `values` it is only said which columns differ.

    An erratum names the article with the digests of its record before and after.
    """
    if changed is None:
        splits = ", ".join(f"{split} {n:,}" for split, n in manifest.tables["articles"].splits.items())
        rows = sum(
            table.rows for name, table in manifest.tables.items() if manifest.links.get(name, {}).get("level") == "article"
        )
        return [
            f"- First release: {_count(manifest.tables['articles'].rows, 'article')} ({splits}), {rows:,} rows of annotation."
        ]
    proven = (
        f"the data proves {changed.bump}" if changed.bump == level else f"the data proves {changed.bump}, {level} was asked for"
    )
    lines = [f"- {level.capitalize()} release after {last}: {proven}."]
    lines += _articles("Added", [c for c in changed.changes if c.kind == "article-added"], {})
    gone = {name: entry.retracted.reason for name, entry in after.retracted.items() if entry.retracted}
    lines += _articles("Retracted", [c for c in changed.changes if c.kind == "article-retracted"], gone)
    lines += _articles("Removed", [c for c in changed.changes if c.kind == "article-removed"], {})
    lines += [f"- Schema: {_schema(c)}" for c in changed.changes if c.of_schema]
    whole = {"article-added", "article-retracted", "article-removed"}
    rest = [c for c in changed.changes if not c.of_schema and c.kind not in whole]
    lines += _errata([c for c in rest if c.article_id is not None], before, after, values)
    lines += _tables([c for c in rest if c.article_id is None], values)
    if len(lines) == 1:
        lines.append("- No row of annotation differs: views, estimates or the card follow from it otherwise.")
    return lines


def _articles(word: str, changes: Sequence[Change], reasons: Mapping[str, str]) -> Iterator[str]:
    if not changes:
        return
    splits = sorted(Counter(str(change.split) for change in changes).items())
    yield f"- {word}: {_count(len(changes), 'article')} ({', '.join(f'{split} {n:,}' for split, n in splits)})"
    for change in changes[:MOST_ARTICLES]:
        reason = reasons.get(change.article_id or "")
        yield f"  - `{change.article_id}`" + (f": {reason}" if reason else "")
    if len(changes) > MOST_ARTICLES:
        yield f"  - and {len(changes) - MOST_ARTICLES:,} more"


def _errata(changes: Sequence[Change], before: Ledger, after: Ledger, values: bool) -> Iterator[str]:
    by_article: dict[str, list[Change]] = {}
    for change in changes:
        by_article.setdefault(change.article_id or "", []).append(change)
    if not by_article:
        return
    yield f"- Errata: {_count(len(by_article), 'article')} corrected, {_count(len(changes), 'change')}"
    left = MOST_ROWS
    for article_id, own in by_article.items():
        if left <= 0:
            break
        old, new = before.articles.get(article_id), after.articles.get(article_id)
        digests = f"record `{_short(old.record_sha256)}` -> `{_short(new.record_sha256)}`" if old and new else "not in both"
        yield f"  - `{article_id}` ({own[0].split}; {digests})"
        yield from (f"    - {_row(change, values)}" for change in own[:left])
        left -= len(own)
    if left < 0:
        yield f"  - and {-left:,} or more further changes; `dateline diff` lists them all"


def _tables(changes: Sequence[Change], values: bool) -> Iterator[str]:
    by_table: dict[str, list[Change]] = {}
    for change in changes:
        by_table.setdefault(change.table, []).append(change)
    for table, own in by_table.items():
        kinds = Counter(change.kind for change in own)
        listed = ", ".join(f"{n:,} {_WORDS.get(kind, kind)}" for kind, n in sorted(kinds.items()))
        yield f"- Table `{table}`: {listed}"
        corrected = [change for change in own if change.kind != "annotation-added"]
        yield from (f"  - {_row(change, values)}" for change in corrected[:MOST_ROWS])


_WORDS = {
    "annotation-added": "added", "annotation-removed": "removed", "span-moved": "moved", "relabelled": "relabelled",
    "relinked": "re-linked", "value-changed": "changed", "id-changed": "under another id", "text-edited": "text edited",
    "metadata-changed": "metadata changed", "split-moved": "in another split",
}  # fmt: skip


def _row(change: Change, values: bool) -> str:
    name = f"`{change.old_row} -> {change.row}`" if change.old_row else f"`{change.row}`" if change.row else "article"
    said = f"{name} in {change.table}, {_WORDS.get(change.kind, change.kind)}"
    if not change.columns:
        return said
    if not values:
        return f"{said}: {', '.join(change.columns)}"
    pairs = (
        f"{c} {_value(change.old.get(c))} -> {_value(change.new.get(c))}" if c in change.old or c in change.new else c
        for c in change.columns
    )
    return f"{said}: {'; '.join(pairs)}"


def _schema(change: Change) -> str:
    about = f"{change.table}.{change.columns[0]}" if change.columns else change.table
    more = [f"{_value(dict(side))}" for side in (change.old, change.new) if side]
    return f"`{about}` {change.kind}" + (f" ({' -> '.join(more)})" if more else "")


def _value(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    shown = shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
    return "`" + shown.replace("`", "'") + "`"


def _short(digest: str | None) -> str:
    return (digest or "")[:12]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
