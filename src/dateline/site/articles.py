"""Lists of the articles, a hundred a page."""

from __future__ import annotations

from collections.abc import Iterator

from dateline.site.links import Links
from dateline.site.pages import Kind, Page, in_pages, titled
from dateline.site.read import Reading
from dateline.site.search import facets

HOME = "articles/index.html"
_MOST_VALUES = 12
"""Values of a facet that lists offer as filters; the search offers all."""


def pages(reading: Reading, links: Links) -> Iterator[Page]:
    """All articles, by split and id."""
    entries = reading.entries
    columns = [c for c in ("publisher", "published") if any(c in e.said for e in entries)]
    shown_facets = [(name, values) for name, values in facets(reading) if len(values) <= _MOST_VALUES]
    for path, shown, told in in_pages(HOME, entries):
        rows = [(entry, links.article(entry.id)) for entry in shown]
        yield Page(
            path,
            "articles.html.j2",
            titled("Articles", told["number"]),
            {"rows": rows, "columns": columns, "facets": shown_facets, **told},
        )


KIND = Kind("Articles", HOME, lambda reading: bool(reading.entries), pages)
