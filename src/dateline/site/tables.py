"""Tables of the corpus as a whole (measures, judgements, whatever a project declares), as lists of their rows."""

from __future__ import annotations

from collections.abc import Iterator

from dateline.site.article import in_words
from dateline.site.links import Links, anchor, file_of
from dateline.site.pages import PAGE, Kind, Page, numbered
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
        total = reading.table(name).rows
        last = max(1, -(-total // PAGE))
        shown: list[tuple[str, list[list[str]]]] = []
        number = 1
        for count, row in enumerate(reading.rows(name), 1):
            fragment = anchor(name, str(row[key]))
            links.tell(str(row[key]), f"{numbered(homes[name], number)}#{fragment}")
            shown.append((fragment, [[] if row[c] is None else in_words(row[c]) for c in columns]))
            if len(shown) == PAGE or count == total:
                yield Page(
                    numbered(homes[name], number),
                    "table.html.j2",
                    name if number == 1 else f"{name}, page {number}",
                    {"name": name, "columns": columns, "rows": shown, "total": total, "number": number, "last": last,
                     "home": homes[name], "tables": HOME},
                )  # fmt: skip
                shown, number = [], number + 1


def _names(reading: Reading) -> list[str]:
    """The corpus-level tables that have rows, in the order of the manifest."""
    links = reading.corpus.manifest.links
    return [name for name in reading.corpus.manifest.tables if links.get(name, {}).get("level") == "corpus" and reading.has(name)]


KIND = Kind("Tables", HOME, lambda reading: bool(_names(reading)), pages)
