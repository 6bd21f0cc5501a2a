"""What tests ask of the pages of a site: their links, ids, scripts, text. Read with the standard library's parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

LOADING = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("object", "data"),
           ("image", "href"), ("use", "href")}  # fmt: skip
"""Attributes that a browser follows by itself."""


@dataclass
class Parsed(HTMLParser):
    """One page."""

    path: Path
    links: list[dict[str, str]] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    in_text: list[str] = field(default_factory=list)
    """The words in the element that holds an article's text."""
    _depth: int = 0

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in given.items()]
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.links.append(given)
        self.loaded += [value for name, value in given.items() if (tag, name) in LOADING]
        if self._depth and tag not in ("br", "wbr"):
            self._depth += 1
        elif tag == "div" and "text" in given.get("class", "").split():
            self._depth = 1

    def handle_endtag(self, tag: str) -> None:
        self._depth -= bool(self._depth)

    def handle_data(self, data: str) -> None:
        self.said.append(data)
        if self._depth:
            self.in_text.append(data)


def parsed(site: Path) -> dict[str, Parsed]:
    """All pages of a site by their path in it."""
    return {path.relative_to(site).as_posix(): Parsed(path) for path in sorted(site.rglob("*.html"))}


def dead_links(site: Path) -> list[str]:
    """Links within a site that lead to no file, or to no id in it; each as `page: href`."""
    pages = parsed(site)
    ids = {name: set(page.ids) for name, page in pages.items()}
    found = []
    for name, page in pages.items():
        for link in page.links:
            href = link.get("href", "")
            if "://" in href or not href:
                continue
            path, _, fragment = href.partition("#")
            target = (site / name).parent.joinpath(unquote(path.partition("?")[0])).resolve() if path else (site / name).resolve()
            known = ids.get(target.relative_to(site.resolve()).as_posix(), set()) if target.is_file() else set()
            looked_up = target.name in ("row.html", "search.html")  # what follows `#` there is for their scripts
            if not target.is_file() or (fragment and not looked_up and unquote(fragment) not in known):
                found.append(f"{name}: {href}")
    return found
