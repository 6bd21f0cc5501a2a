"""Lists of the articles, a hundred a page."""

from __future__ import annotations

from collections.abc import Iterator

from dateline.site.links import Links
from dateline.site.pages import PAGE, Kind, Page, numbered
from dateline.site.read import Reading
from dateline.site.search import facets

HOME = "articles/index.html"
_MOST_VALUES = 12
"""Values of a facet that lists offer as filters; the search offers all."""


def pages(reading: Reading, links: Links) -> Iterator[Page]:
    """All articles, by split and id."""
    entries = reading.entries
    last = max(1, -(-len(entries) // PAGE))
    columns = [c for c in ("publisher", "published") if any(c in e.said for e in entries)]
    shown_facets = [(name, values) for name, values in facets(reading) if len(values) <= _MOST_VALUES]
    for number in range(1, last + 1):
        first = (number - 1) * PAGE
        shown = entries[first : first + PAGE]
        yield Page(
            numbered(HOME, number),
            "articles.html.j2",
            "Articles" if number == 1 else f"Articles, page {number}",
            {
                "rows": [(entry, links.article(entry.id)) for entry in shown],
                "columns": columns,
                "total": len(entries),
                "number": number,
                "last": last,
                "home": HOME,
                "facets": shown_facets,
            },
        )


KIND = Kind("Articles", HOME, lambda reading: bool(reading.entries), pages)
