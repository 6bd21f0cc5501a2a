"""Tables of the corpus as a whole (measures, judgements, whatever a project declares), as lists of their rows."""

from __future__ import annotations

from collections.abc import Iterator

from dateline.site.article import in_words
from dateline.site.links import Links, anchor, file_of
from dateline.site.pages import Kind, Page, in_pages, titled
from dateline.site.read import Reading

HOME = "tables/index.html"


def pages(reading: Reading, links: Links) -> Iterator[Page]:
    """A list of the tables, and of each its rows, a hundred a page; the lookup is told of every row."""
    names = _names(reading)
    homes = {name: f"tables/{file_of(name)}/index.html" for name in names}
    yield Page(HOME, "tables.html.j2", "Tables", {"rows": [(name, homes[name], reading.table(name).rows) for name in names]})
    for name in names:
        key = reading.corpus.manifest.links[name]["key"]
        columns = [key, *(c for c in reading.columns(name) if c != key)]
        rows = [(anchor(name, str(row[key])), row) for row in reading.rows(name)]
        for path, shown, told in in_pages(homes[name], rows):
            for fragment, row in shown:
                links.tell(str(row[key]), f"{path}#{fragment}")
            cells = [(fragment, [[] if row[c] is None else in_words(row[c]) for c in columns]) for fragment, row in shown]
            yield Page(
                path,
                "table.html.j2",
                titled(name, told["number"]),
                {"name": name, "columns": columns, "rows": cells, "tables": HOME, **told},
            )


def _names(reading: Reading) -> list[str]:
    """The corpus-level tables that have rows, in the order of the manifest."""
    links = reading.corpus.manifest.links
    return [name for name in reading.corpus.manifest.tables if links.get(name, {}).get("level") == "corpus" and reading.has(name)]


KIND = Kind("Tables", HOME, lambda reading: bool(_names(reading)), pages)
