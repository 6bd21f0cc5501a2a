"""The page `row.html`, which leads to any row by its id; a script does the leading."""

from __future__ import annotations

from collections.abc import Iterator

from dateline.site.links import LOOKUP, Links
from dateline.site.pages import Kind, Page
from dateline.site.read import Reading


def pages(reading: Reading, links: Links) -> Iterator[Page]:
    """The page, and the address of every article."""
    for entry in reading.entries:
        links.tell(entry.id, links.article(entry.id))
    yield Page(LOOKUP, "row.html.j2", "Find a row")


KIND = Kind("", LOOKUP, lambda _: True, pages)
