"""The first page: what the dataset is, what is in it, how to load it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from dateline.site.links import Links
from dateline.site.markdown import html_of
from dateline.site.pages import Kind, Page
from dateline.site.read import ARTICLES, Reading

_LENGTHS = 12
"""Bars of the histogram of lengths."""


def pages(reading: Reading, links: Links) -> Iterator[Page]:
    """The one page."""
    manifest = reading.corpus.manifest
    entries = reading.entries
    yield Page(
        "index.html",
        "overview.html.j2",
        reading.title,
        {
            "summary": reading.project.summary if reading.project else "",
            "notice": html_of(reading.project.notice) if reading.project and reading.project.notice else "",
            "citation": reading.project.citation if reading.project else "",
            "version": manifest.version,
            "content_digest": manifest.content_digest,
            "logical_digest": manifest.logical_digest,
            "name": manifest.name,
            "config": manifest.default_config or ARTICLES,
            "articles": len(entries),
            "withheld": sum(e.withheld for e in entries),
            "splits": list(reading.corpus.splits),
            "tables": _tables(reading),
            "labels": _labels(reading),
            "languages": _counted(Counter(e.language or "not stated" for e in entries)),
            "lengths": _lengths([e.characters for e in entries if e.characters is not None]),
        },
    )


def _tables(reading: Reading) -> list[dict[str, Any]]:
    links = reading.corpus.manifest.links
    kinds = {"article": "layer", "corpus": "table", "derived": "view"}
    return [
        {
            "name": name,
            "kind": kinds.get(links[name]["level"], "") if name in links else "articles",
            "rows": facts.rows,
            "splits": [facts.splits.get(split, 0) for split in reading.corpus.splits],
        }
        for name, facts in reading.corpus.manifest.tables.items()
        if facts.rows
    ]


def _labels(reading: Reading) -> list[dict[str, Any]]:
    """Distributions of labels of articles and their layers; views repeat those of layers."""
    shown = [ARTICLES, *reading.corpus.layers]
    return [
        {"table": name, "columns": [{"name": column, "bars": _counted(counts)} for column, counts in facts.labels.items()]}
        for name in shown
        if (facts := reading.table(name)).rows and facts.labels
    ]


def _counted(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Bars, the longest first; `share` is of the sum, in percent."""
    total, most = sum(counts.values()) or 1, max(counts.values(), default=0) or 1
    return [
        {"name": name, "count": n, "share": 100 * n / total, "width": 100 * n / most}
        for name, n in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def _lengths(found: list[int]) -> list[dict[str, Any]]:
    """Articles by the length of their text in code points, in ranges of equal width."""
    if not found:
        return []
    step = _round_up(max(found) / _LENGTHS)
    counts = Counter(n // step for n in found)
    most = max(counts.values())
    return [
        {"name": f"{n * step:,} to {(n + 1) * step - 1:,}", "count": counts[n], "share": 100 * counts[n] / len(found),
         "width": 100 * counts[n] / most}
        for n in range(max(counts) + 1)
    ]  # fmt: skip


def _round_up(width: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, ... that is at least `width`."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power >= width:
                return digit * power
        power *= 10


KIND = Kind("Overview", "index.html", lambda _: True, pages)
