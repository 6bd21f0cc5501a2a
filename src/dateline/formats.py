"""Formats of strings beside JSON Schema's own: SPDX licence expressions, BCP 47 language tags, country codes, EDTF dates."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable


def _is_spdx(value: str) -> bool:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if value != value.strip() or not value.isprintable():
        return False
    try:
        return bool(canonicalize_license_expression(value))
    except InvalidLicenseExpression:
        return False


def _is_bcp47(value: str) -> bool:
    import langcodes

    return "_" not in value and bool(langcodes.tag_is_valid(value))


def _is_edtf(value: str) -> bool:
    import edtf

    if _is_date(value):  # most dates are plain days, and the parser takes 10 ms for one
        return True
    if any(c.isspace() for c in value):  # the parser skips white space, EDTF knows none
        return False
    try:
        edtf.parse_edtf(value)
    except edtf.EDTFParseException:
        return False
    return True


def _is_country(value: str) -> bool:
    import pycountry

    found = pycountry.countries.get(alpha_2=value)  # which takes small letters, too
    return found is not None and found.alpha_2 == value


def _is_date(value: str) -> bool:
    """YYYY-MM-DD from year 1 on, which is what a column of dates can hold; JSON Schema's own format admits year 0."""
    try:
        return len(value) == 10 and datetime.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


FORMATS: dict[str, Callable[[str], bool]] = {
    "spdx-expression": functools.lru_cache(4096)(_is_spdx),
    "bcp47": functools.lru_cache(4096)(_is_bcp47),
    "iso3166-1": functools.lru_cache(4096)(_is_country),
    "date": functools.lru_cache(4096)(_is_date),
    "edtf": functools.lru_cache(4096)(_is_edtf),
}
"""The functions that decide formats; `date` is stricter than JSON Schema's."""
