"""Debian's Chromium, headless, driven by Playwright: it opens pages from files, and tells what it asked for and what it said.

`opened` yields a page that fails its test, when it is closed, on any request that is not for a file (or for 127.0.0.1), any line
on the console, any error of a script and any dialog. `apt-get install chromium` puts the browser in place.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

_NAMES = ("chromium", "chromium-browser", "google-chrome")
NOT_THERE = "no Chromium is installed (Debian: apt-get install chromium)"
DESK, PHONE = (1280, 900), (390, 844)


def chromium() -> str | None:
    """Where the system's Chromium is; None where it has none."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium. Skips the test where none is installed."""
    where = chromium()
    if where is None:
        pytest.skip(NOT_THERE)
    from playwright.sync_api import sync_playwright

    # a process that belongs to root has no sandbox of Chromium's; the pages are those that the tests made
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=where, args=arguments)
        try:
            yield started
        finally:
            started.close()


@dataclass
class Watched:
    """What a page did that is seen from outside."""

    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """Lines on the console, errors of scripts, dialogs."""

    def dialog(self, dialog: Dialog) -> None:
        """Note a dialog, and close it."""
        self.said.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def left(self) -> list[str]:
        """Requests that were not for a file or for this machine."""
        return [url for url in self.requests if not url.startswith(("file://", "data:", "http://127.0.0.1:"))]


@contextmanager
def opened(
    browser: Browser, address: Path | str, *, size: tuple[int, int] = DESK, theme: str = "light", **context: Any
) -> Iterator[Page]:
    """A page at a file, or at an address with `#...`, in a browser context of its own; it must have been quiet at the end."""
    width, height = size
    apart = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme, **context)  # type: ignore[arg-type]
    try:
        page = apart.new_page()
        page.set_default_timeout(20_000)
        watched = Watched()
        page.on("request", lambda request: watched.requests.append(request.url))
        page.on("console", lambda message: watched.said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: watched.said.append(f"error: {error}"))
        page.on("dialog", watched.dialog)
        page.goto(address.absolute().as_uri() if isinstance(address, Path) else address)
        yield page
        assert watched.left() == []
        assert watched.said == []
    finally:
        apart.close()


def too_wide(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def moved(page: Page) -> float:
    """The cumulative layout shift of a page so far (https://web.dev/articles/cls), after two frames more; 0 if nothing moved."""
    return float(
        page.evaluate(
            """() => new Promise(done => {
                let sum = 0;
                new PerformanceObserver(list => list.getEntries().forEach(entry => { sum += entry.value; }))
                    .observe({type: "layout-shift", buffered: true});
                setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => done(sum))), 200);
            })"""
        )
    )


def grave_faults(page: Page, *rules: str) -> list[str]:
    """What axe-core finds that is serious or critical, by all of its rules or some: the rule, and the first places."""
    from axe_playwright_python.sync_playwright import Axe

    # without `preload` axe does not ask for the style sheet once more, which no page of a file may do
    options = {"preload": False, "resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{fault['id']}: {[node['target'] for node in fault['nodes'][:3]]} {fault['nodes'][0].get('failureSummary', '')}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]
