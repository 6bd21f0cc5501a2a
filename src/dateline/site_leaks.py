"""The leak scan of a site: no page repeats a withheld text that is at hand.

At hand is what the project's records carry, and what lies in its folder of texts, as for a rebuild (`compile.withheld`). A page
on which open texts stand may share up to 31 words in a row with a withheld one, as open articles may; any other page 7.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dateline.compile.withheld import OPEN_STRETCH, Unfit, file_of, read_text, strings_in
from dateline.errors import BuildError
from dateline.leaks import Grams
from dateline.project import Project
from dateline.standing import Standing

_TAG = re.compile(r"<[^>]*>")


class SiteScan:
    """Looks for withheld texts in what is written; without any at hand it finds nothing, and costs nothing."""

    def __init__(self, texts: Mapping[str, str], not_at_hand: int = 0) -> None:
        self._names = list(texts)
        self._grams = Grams.of(texts.values()) if texts else None
        self.scanned, self.not_at_hand = len(texts), not_at_hand

    def page(self, path: str, made: str, *, shows_texts: bool) -> None:
        """Raise BuildError if a page repeats a withheld text; the message quotes nothing of it."""
        if self._grams is not None:
            self._look(path, [html.unescape(_TAG.sub("", made)), html.unescape(_TAG.sub(" ", made))], shows_texts)

    def data(self, path: str, value: Any) -> None:
        """The same for a value that a script carries."""
        if self._grams is not None:
            self._look(path, strings_in(value), False)

    def _look(self, path: str, strings: Iterable[str], shows_texts: bool) -> None:
        assert self._grams is not None
        for match in self._grams.find(list(strings)):
            if not shows_texts or match.length >= OPEN_STRETCH:
                raise BuildError(
                    f"{path}: repeats {match.length} {match.unit} in a row of {self._names[match.text]}, whose text may not be "
                    "passed on; take them out of the record or the ledger that says them, and rebuild; nothing was written"
                )


def scan_of(project: Project | None, withheld: Iterable[str], digests: Mapping[str, str]) -> SiteScan:
    """The scan for some withheld articles of a project, by their ids; `digests` are those of their texts.

    Without a project no text is at hand. Texts that are not the ones that were annotated are left out, as a rebuild does, which
    says so.
    """
    ids = list(withheld)
    if project is None or not ids:
        return SiteScan({}, len(ids))
    standing = Standing(project) if project.seeds.is_dir() else None
    folder = project.texts()
    found = {}
    for article_id in ids:
        text = _in_record(standing, article_id) or _in_folder(folder, article_id, digests.get(article_id, ""))
        if text is not None:
            found[article_id] = text
    return SiteScan(found, len(ids) - len(found))


def _in_record(standing: Standing | None, article_id: str) -> str | None:
    if standing is None or article_id not in standing:
        return None
    said = standing.record(article_id).get("text")
    text = said.get("content") if isinstance(said, dict) else None
    return text if isinstance(text, str) else None


def _in_folder(folder: Path | None, article_id: str, sha256: str) -> str | None:
    path = file_of(folder, article_id) if folder else None
    if path is None or not path.is_file():
        return None
    try:
        return read_text(path, sha256)
    except (OSError, Unfit, UnicodeDecodeError):
        return None
