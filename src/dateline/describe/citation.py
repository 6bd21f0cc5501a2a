"""CITATION.cff (https://citation-file-format.github.io): the version and the day of a release put into it. Pure."""

from __future__ import annotations

import re


def with_version(text: str, version: str, date: str) -> str:
    """The file with these two keys, changed where they stand, else put at the end; all else stays as people wrote it."""
    for key, value in (("version", version), ("date-released", f'"{date}"')):
        line = f"{key}: {value}"
        text, n = re.subn(rf"^{key}:.*$", line, text, count=1, flags=re.MULTILINE)
        text = text if n else text.rstrip("\n") + f"\n{line}\n"
    return text
