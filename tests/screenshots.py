"""Pictures of each kind of page of a site, light, dark and on a phone: python tests/screenshots.py SITE FOLDER

SITE is what `dateline site` made; the pictures go into FOLDER, which is made.
"""

from __future__ import annotations

import sys
from pathlib import Path

from chromium_at_hand import DESK, PHONE, browser, opened
from page_kinds import page_kinds

_LOOKS = {"light": (DESK, "light"), "dark": (DESK, "dark"), "phone": (PHONE, "light")}


def main(site: Path, folder: Path) -> None:
    """Write PNGs named after the kind of page and the look; of what shows first, without scrolling."""
    folder.mkdir(parents=True, exist_ok=True)
    with browser() as started:
        for kind, path in page_kinds(site).items():
            for look, (size, theme) in _LOOKS.items():
                with opened(started, path, size=size, theme=theme) as page:
                    page.screenshot(path=folder / f"{kind}-{look}.png")
                    print(folder / f"{kind}-{look}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
