"""What a reader waits for: milliseconds to the first paint of the largest article of a site, and to a layer that was switched.

    python benchmarks/site_in_browser.py SITE --write

SITE is what `dateline site` made. Chromium (Debian: apt-get install chromium), headless, opens the page from its file, each time
in a context of its own; the figures are those of the browser's own clock, from the start of navigation and from the click.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import results

RESULTS = Path(__file__).parent / "RESULTS.md"
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_SWITCH = """
box => new Promise(done => {
    const start = performance.now();
    box.click();
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
})
"""


@dataclass(frozen=True)
class Waited:
    """Of one page: its bytes and elements, and milliseconds of each round."""

    bytes: int
    elements: int
    paint: Sequence[float]
    loaded: Sequence[float]
    switched: Sequence[float]


def waited(page_file: Path, chromium: str, rounds: int, sandbox: bool) -> Waited:
    """Open a page so many times, switch a layer each time."""
    from playwright.sync_api import sync_playwright

    paint, loaded, switched, elements = [], [], [], 0
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=[] if sandbox else ["--no-sandbox"])
        for _ in range(rounds):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            page = context.new_page()
            page.goto(page_file.absolute().as_uri())
            page.wait_for_timeout(300)
            paint.append(float(page.evaluate(_PAINT)))
            loaded.append(float(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")))
            elements = int(page.evaluate("document.querySelectorAll('*').length"))
            switched.append(float(page.locator("input[data-layer]").first.evaluate(_SWITCH)))
            context.close()
        browser.close()
    return Waited(page_file.stat().st_size, elements, paint, loaded, switched)


def table(of: Waited) -> str:
    """Median and slowest of all rounds."""
    rows = [("first contentful paint", of.paint), ("page loaded", of.loaded), ("a layer switched and painted", of.switched)]
    lines = [f"| {name} | {statistics.median(found):.0f} | {max(found):.0f} |" for name, found in rows]
    return "\n".join(["| | median ms | slowest ms |", "|---|--:|--:|", *lines])


def main() -> None:
    """Measure, print, and with --write keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--no-sandbox", action="store_true", help="for root, which has none")
    parser.add_argument("--write", action="store_true", help="put the section into RESULTS.md")
    said = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("no Chromium is installed (Debian: apt-get install chromium)")
    largest = max(said.site.glob("articles/*/*.html"), key=lambda path: path.stat().st_size)
    found = waited(largest, chromium, said.rounds, not said.no_sandbox)
    command = f"`python benchmarks/site_in_browser.py SITE --rounds {said.rounds}`"
    circumstances = (
        f"{results.machine(('dateline', 'playwright'))}; {command}, the site of this repository's corpus; its largest article "
        f"has {found.bytes / 1e6:.1f} MB and {found.elements:,} elements."
    )
    section = results.Section("Site in a browser", "\n".join([circumstances, "", table(found)]))
    print(section.text)
    if said.write:
        results.put(RESULTS, section)


if __name__ == "__main__":
    main()
