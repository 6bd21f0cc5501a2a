"""The changelog of a dataset: a release gets its heading, with what people wrote and what the data says. Pure.

The form is that of Keep a Changelog (https://keepachangelog.com): `## [Unreleased]` first, then a heading for each version, the
newest first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dateline.errors import ProjectError

_HEADING = re.compile(r"^## \[?(?P<version>[^\]\s]+)\]?.*$", re.MULTILINE)
_NEW = """# Changelog

Headings are versions of the data, in the manner of [Keep a Changelog](https://keepachangelog.com). "From the data" is written by
`dateline release`; all else by people.
"""
FROM_DATA = "### From the data"


def with_release(text: str | None, version: str, date: str, entries: Sequence[str], last: str | None) -> str:
    """The changelog with a heading for `version`, under which stands what was unreleased, and then `entries`.

    `last` is the release before. Raises ProjectError if the changelog knows this version, or another newest one.
    """
    text = text if text and text.strip() else _NEW
    headings = [(found["version"], found.start(), found.end()) for found in _HEADING.finditer(text)]
    unreleased = [h for h in headings if h[0].lower() == "unreleased"]
    versions = [h[0] for h in headings if h[0].lower() != "unreleased"]
    if version in versions:
        raise ProjectError(f"CHANGELOG.md: has a heading for {version} already, which is only now to be released; take it out")
    if versions[:1] != ([last] if last else []):
        newest = versions[0] if versions else "none"
        raise ProjectError(
            f"CHANGELOG.md: its newest version is {newest}, but the last release is {last or 'none yet'}; make them agree"
        )
    if len(unreleased) > 1 or (unreleased and headings[0] != unreleased[0]):
        raise ProjectError("CHANGELOG.md: [Unreleased] must stand once, before all versions")
    begin = unreleased[0][1] if unreleased else headings[0][1] if headings else len(text)
    after = unreleased[0][2] if unreleased else begin
    end = next((start for name, start, _ in headings if name.lower() != "unreleased"), len(text))
    people = text[after:end].strip("\n")
    parts = [
        text[:begin].rstrip("\n"), "## [Unreleased]", f"## [{version}] - {date}", people, FROM_DATA + "\n\n" + "\n".join(entries),
        text[end:].strip("\n"),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def newest_version(text: str) -> str | None:
    """The version of the newest heading but [Unreleased]; None if there is none."""
    return next((found["version"] for found in _HEADING.finditer(text) if found["version"].lower() != "unreleased"), None)


def sections(text: str) -> list[tuple[str, str]]:
    """The headings of a changelog, newest first, each without `## `, and the Markdown below it."""
    found = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in found[1:]] + [len(text)]
    return [
        (heading[0].removeprefix("## ").replace("[", "").replace("]", ""), text[heading.end() : end].strip())
        for heading, end in zip(found, ends, strict=False)
    ]
