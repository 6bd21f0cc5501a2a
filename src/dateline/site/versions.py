"""Releases, what was taken back, what the changelog says; and, where another dataset was named, what differs, article by article,
with the spans before and after drawn in the text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup

from dateline.describe.changelog import sections
from dateline.describe.differences import difference_parts, reasons
from dateline.diff.changes import Change
from dateline.differing import Differing
from dateline.manifest import read_manifest, read_versions
from dateline.site.links import Links
from dateline.site.markdown import html_of
from dateline.site.pages import Kind, Page, in_pages
from dateline.site.read import ARTICLES, Reading, Row
from dateline.site.segments import Mark, Segment, segments

HOME = "versions/index.html"
_DIFF = "versions/diff/index.html"
_KIND = "versions/articles"
_MOST_CHANGES = 500
"""So many changes of one article are drawn and listed; all are counted."""
_AT_ONCE = 50


@dataclass(frozen=True)
class Against:
    """What differs between another dataset and this one, and where the other lies while pages are made."""

    found: Differing
    old: Path


def present(reading: Reading) -> bool:
    """Whether there is a list of releases, or something to compare with."""
    return reading.corpus.manifest.versions is not None or "against" in reading.extra


def pages(reading: Reading, links: Links) -> Iterator[Page]:
    """The releases; the list of what differs, and a page for each article that does."""
    against: Against | None = reading.extra.get("against")
    manifest = reading.corpus.manifest
    listed = read_versions(reading.folder, manifest) or {"versions": [], "retracted": []}
    yield Page(
        HOME,
        "versions.html.j2",
        "Versions",
        {
            "versions": listed["versions"][::-1],
            "retracted": listed.get("retracted", []),
            "current": manifest.version,
            "changelog": _changelog(reading),
            "diff": _summary(against) if against else None,
            "diff_home": _DIFF,
        },
    )
    if against:
        yield from _diff(reading, against, links)


def _changelog(reading: Reading) -> list[tuple[str, Markup]]:
    """Sections of the project's CHANGELOG.md: heading and HTML, of which no part is taken from the text as it is."""
    if reading.project is None:
        return []
    try:
        text = (reading.project.root / "CHANGELOG.md").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    return [(heading, html_of(body)) for heading, body in sections(text)]


# ---- the diff ------------------------------------------------------------------------------------------------------


def _summary(against: Against) -> dict[str, Any]:
    old, new, diff = against.found.old, against.found.new, against.found.diff
    assert old and new
    said = against.found.as_json()
    return {
        "old": f"{old.manifest.name} {old.manifest.version}",
        "new": f"{new.manifest.name} {new.manifest.version}",
        "bump": diff.bump,
        "why": reasons(said),
        "articles": diff.articles,
        "counts": said["counts"],
        "changes": len(diff.changes),
    }


def _diff(reading: Reading, against: Against, links: Links) -> Iterator[Page]:
    changes = against.found.diff.changes
    by_article = {name: list(group) for name, group in groupby((c for c in changes if c.article_id), lambda c: str(c.article_id))}
    other = [change for change in changes if not change.article_id]
    names = list(by_article)
    for path, shown, told in in_pages(_DIFF, names):
        yield Page(
            path,
            "diff.html.j2",
            "What differs",
            {
                "diff": _summary(against),
                "rows": [_listed(reading, name, by_article[name], links) for name in shown],
                "other": [_change(change, False) for change in other[:_MOST_CHANGES]] if told["number"] == 1 else [],
                "more": max(0, len(other) - _MOST_CHANGES),
                **told,
            },
        )
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        texts = [_texts(folder, some) for folder in (against.old, reading.folder)]
        for name in some:
            yield _article(reading, name, by_article[name], texts, links)


def _listed(reading: Reading, name: str, changes: Sequence[Change], links: Links) -> dict[str, Any]:
    entry = reading.by_id.get(name)
    kinds = Counter(change.kind.replace("-", " ") for change in changes)
    return {
        "id": name,
        "title": entry.title if entry else name,
        "language": entry.language if entry else "",
        "split": changes[0].split or "",
        "href": links.group(_KIND, name),
        "kinds": ", ".join(f"{n:,} {kind}" for kind, n in kinds.most_common()),
    }


def _article(reading: Reading, name: str, changes: Sequence[Change], texts: Sequence[Mapping[str, Row]], links: Links) -> Page:
    """What differs in an article. Where either side withholds its text, columns are named and no string is shown."""
    entry = reading.by_id.get(name)
    rows = [found.get(name) for found in texts]
    both = all(row is None or row.get("text_redistributable") for row in rows) and entry is not None
    shown = changes[:_MOST_CHANGES]
    drawn = []
    for side, row in zip(("old", "new"), rows, strict=True):
        if both and row is not None and (marks := list(_marks(shown, side))):
            text = str(row["text"])
            drawn.append({"side": side, "pieces": _pieces(segments(text, len(text), marks))})
    return Page(
        links.group(_KIND, name),
        "diff-article.html.j2",
        entry.title if entry else name,
        {
            "id": name,
            "entry": entry,
            "href": links.article(name) if entry else "",
            "home": _DIFF,
            "withheld": not both,
            "drawn": drawn,
            "changes": [_change(change, not both) for change in shown],
            "more": len(changes) - len(shown),
        },
        shows_texts=both,
    )


def _change(change: Change, withheld: bool) -> dict[str, Any]:
    said = change.as_json()
    if withheld:
        said = {k: v for k, v in said.items() if k not in ("old", "new")}
        parts = [(", ".join(change.columns), "")] if change.columns else []
    else:
        parts = [(part.text, {"red": "was", "green": "is"}.get(part.style, "")) for part in difference_parts(said)]
    return {
        "kind": change.kind.replace("-", " "),
        "table": change.table,
        "row": change.row or "",
        "parts": parts,
        "bump": change.bump,
    }


def _marks(changes: Sequence[Change], side: str) -> Iterator[Mark]:
    """Where spans stood that are no more so, or stand that were not so: of `old` or of `new`."""
    for change in changes:
        for column, value in getattr(change, side).items():
            for span in value if isinstance(value, list) else [value]:
                if isinstance(span, Mapping) and {"start", "end"} <= span.keys():
                    yield Mark(span["start"], span["end"], change.table, change.row or "", column)


def _pieces(found: Sequence[Segment]) -> list[tuple[str, str]]:
    """Pieces of a text, each with the names of what stands there."""
    return [(s.text, ", ".join(dict.fromkeys(f"{m.layer} {m.row}: {m.role}" for m in s.marks))) for s in found]


def _texts(folder: Path, articles: Sequence[str]) -> dict[str, Row]:
    """Texts of some articles of a dataset in a folder, and whether they may be passed on."""
    import pyarrow.parquet as pq

    found: dict[str, Row] = {}
    for file in read_manifest(folder).tables[ARTICLES].files:
        table = pq.read_table(
            folder / file["path"],
            columns=["article_id", "text", "text_redistributable"],
            filters=[("article_id", "in", list(articles))],
            partitioning=None,
        )
        found |= {row["article_id"]: row for row in table.to_pylist()}
    return found


KIND = Kind("Versions", HOME, present, pages)
