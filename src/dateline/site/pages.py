"""What a maker of pages gives, and what a kind of pages is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dateline.site.links import Links
from dateline.site.read import Reading

Listed = TypeVar("Listed")


@dataclass(frozen=True)
class Page:
    """One page: where it stands in the site, and the values that its template is given."""

    path: str
    """Relative to the site's root, e.g. `stories/0a/varn-valley-flood.html`."""
    template: str
    title: str
    values: Mapping[str, Any] = field(default_factory=dict)
    shows_texts: bool = False
    """Whether open texts stand on it, which may quote what a withheld one also quotes."""


@dataclass(frozen=True)
class Kind:
    """A kind of pages."""

    nav: str
    """What navigation calls it; "" for pages that other pages lead to."""
    home: str
    """Its first page, relative to the root."""
    present: Callable[[Reading], bool]
    """Whether the dataset has anything to show on it; where not, nothing is made and navigation does not name it."""
    pages: Callable[[Reading, Links], Iterator[Page]]
    """Its pages, one at a time: `Page`s are written as they come."""


PAGE = 100
"""Rows on one page of a list."""


def numbered(home: str, number: int) -> str:
    """The path of a list's page, counted from 1: `articles/index.html`, `articles/page-2.html`."""
    folder = home.rpartition("/")[0]
    return home if number == 1 else f"{folder}{'/' if folder else ''}page-{number}.html"


def in_pages(home: str, rows: Sequence[Listed]) -> Iterator[tuple[str, Sequence[Listed], dict[str, Any]]]:
    """A list cut into pages, at least one: where each stands, its rows, and what its template is told of the list."""
    last = max(1, -(-len(rows) // PAGE))
    for number in range(1, last + 1):
        told = {"number": number, "last": last, "home": home, "total": len(rows)}
        yield numbered(home, number), rows[(number - 1) * PAGE : number * PAGE], told


def titled(name: str, number: int) -> str:
    """The title of a list's page, counted from 1: `Articles`, `Articles, page 2`."""
    return name if number == 1 else f"{name}, page {number}"
