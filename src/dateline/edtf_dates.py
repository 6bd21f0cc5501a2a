"""EDTF dates as bounds that can be put in order, and as words."""

from __future__ import annotations

import datetime
import functools
import time

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_DOUBTS = {"~": "approximate", "?": "uncertain", "%": "uncertain and approximate"}

Day = tuple[float, int, int]


@functools.lru_cache(4096)
def bounds(value: str) -> tuple[Day, Day] | None:
    """First and last day that an EDTF date names, as (year, month, day); an open end is infinite. None if it is no EDTF."""
    import edtf

    try:
        parsed = edtf.parse_edtf(value)
        return _day(parsed.lower_strict()), _day(parsed.upper_strict())
    except (edtf.EDTFParseException, ValueError, OverflowError, AttributeError, NotImplementedError):
        return None


def _day(bound: time.struct_time | float) -> Day:
    return (bound, 0, 0) if isinstance(bound, float | int) else (bound.tm_year, bound.tm_mon, bound.tm_mday)


def doubt(value: str) -> str:
    """ "approximate", "uncertain" or both, as the EDTF date is marked; empty where it is not."""
    if "%" in value or ("~" in value and "?" in value):
        return _DOUBTS["%"]
    return next((_DOUBTS[mark] for mark in "~?" if mark in value), "")


def words(value: str) -> str:
    """An EDTF date for readers: "17 May 2026", "1 to 23 October 2024", "May 2026 (approximate)".

    What has no simple words (a season, a set of dates) stays as it is written.
    """
    doubtful = doubt(value)
    ends = [_plain(end.strip("~?%")) for end in value.split("/")]
    if len(ends) == 2 and all(ends):
        day, _, month = ends[0].partition(" ")
        first = day if day.isdigit() and month and ends[1].partition(" ")[2] == month else ends[0]
        said = f"{first} to {ends[1]}"
    elif len(ends) == 1 and ends[0]:
        said = ends[0]
    else:
        said = value
    return f"{said} ({doubtful})" if doubtful else said


def _plain(date: str) -> str:
    """A day, a month or a year in words; "" for anything else."""
    parts = date.split("-")
    if not all(part.isascii() and part.isdigit() for part in parts) or [len(p) for p in parts] not in ([4], [4, 2], [4, 2, 2]):
        return ""
    if len(parts) == 1:
        return parts[0]
    month = int(parts[1])
    if not 1 <= month <= 12:
        return ""
    if len(parts) == 2:
        return f"{_MONTHS[month - 1]} {parts[0]}"
    return f"{int(parts[2])} {_MONTHS[month - 1]} {parts[0]}"


def day_in_words(day: datetime.date) -> str:
    """ "17 May 2026", in every locale."""
    return words(day.isoformat())
