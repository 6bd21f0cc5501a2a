"""One page of each kind that a site has: found by the data, as a reader would find it."""

from __future__ import annotations

import re
from pathlib import Path

_FIRST = {
    "overview": "index.html", "articles": "articles/index.html", "stories": "stories/index.html",
    "contrasts": "contrasts/index.html",
    "disagreement": "disagreement/index.html", "validation": "validation/index.html", "matrix": "validation/matrix.html",
    "provenance": "provenance/index.html", "versions": "versions/index.html", "diff": "versions/diff/index.html",
    "tables": "tables/index.html", "row": "row.html", "search": "search.html",
}  # fmt: skip
_LED = {
    "article": ("articles/index.html", r"articles/[0-9a-f]{2}/"), "story": ("stories/index.html", r"stories/[0-9a-f]{2}/"),
    "contrast": ("contrasts/index.html", r"contrasts/[0-9a-f]{2}/"),
    "table": ("tables/index.html", r'tables/[^/"]+/'),
    "estimand": ("disagreement/index.html", r"disagreement/[0-9a-f]{2}/"),
    "diff-article": ("versions/diff/index.html", r'versions/articles/[0-9a-f]{2}/(?=[^"]+"[^\n]*span moved)'),
}  # fmt: skip


def page_kinds(site: Path) -> dict[str, Path]:
    """A page of each kind: those that are there once, and the first that a list leads to."""
    found = {kind: site / path for kind, path in _FIRST.items() if (site / path).is_file()}
    for kind, (home, leads) in _LED.items():
        if (site / home).is_file() and (href := re.search(rf'href="([./]*{leads}[^"#]+)', (site / home).read_text("utf-8"))):
            found[kind] = ((site / home).parent / href[1]).resolve()
    return found
