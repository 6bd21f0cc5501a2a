"""Versions of data, MAJOR.MINOR.PATCH: their order, which one comes next, and the day that it gets."""

from __future__ import annotations

import datetime
import os

LEVELS = ("patch", "minor", "major")
FIRST, STABLE = "0.1.0", "1.0.0"


def numbers(version: str) -> tuple[int, int, int]:
    """The three numbers of a version. Raises ValueError for what is none."""
    major, minor, patch = map(int, version.split("."))
    return major, minor, patch


def next_version(last: str | None, level: str, *, stable: bool = False) -> str:
    """The version after `last` for changes of a level.

    Before 1.0.0 the second number counts what is major or minor, the third what is patch, as Semantic Versioning leaves open
    (semver.org, 4: "anything MAY change at any time"); `stable` leads to 1.0.0.
    """
    if last is None:
        return STABLE if stable else FIRST
    major, minor, patch = numbers(last)
    if not major:
        return STABLE if stable else f"0.{minor}.{patch + 1}" if level == "patch" else f"0.{minor + 1}.0"
    return {"major": f"{major + 1}.0.0", "minor": f"{major}.{minor + 1}.0", "patch": f"{major}.{minor}.{patch + 1}"}[level]


def today() -> datetime.date:
    """The day in UTC; SOURCE_DATE_EPOCH sets another (reproducible-builds.org/specs/source-date-epoch)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = (
        datetime.datetime.fromtimestamp(int(epoch), datetime.UTC) if epoch.isdecimal() else datetime.datetime.now(datetime.UTC)
    )
    return moment.date()
