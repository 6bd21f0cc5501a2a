"""Formats of strings beside JSON Schema's own: SPDX licence expressions, BCP 47 language tags, country codes, EDTF dates."""

from __future__ import annotations

import functools
from collections.abc import Callable


def _is_spdx(value: str) -> bool:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return bool(canonicalize_license_expression(value))
    except InvalidLicenseExpression:
        return False


def _is_bcp47(value: str) -> bool:
    import langcodes

    return bool(langcodes.tag_is_valid(value))


def _is_edtf(value: str) -> bool:
    import edtf

    try:
        edtf.parse_edtf(value)
    except edtf.EDTFParseException:
        return False
    return True


def _is_country(value: str) -> bool:
    import pycountry

    return pycountry.countries.get(alpha_2=value) is not None


FORMATS: dict[str, Callable[[str], bool]] = {
    "spdx-expression": functools.lru_cache(4096)(_is_spdx),
    "bcp47": functools.lru_cache(4096)(_is_bcp47),
    "iso3166-1": functools.lru_cache(4096)(_is_country),
    "edtf": functools.lru_cache(4096)(_is_edtf),
}
"""The functions that decide our own formats; `date` is JSON Schema's."""
