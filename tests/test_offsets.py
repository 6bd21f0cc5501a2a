"""Offsets of tools, converted exactly: each character's place in UTF-16, bytes and code points, with CR LF as one or two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateline.offsets import LINE_ENDS, UNITS, Offsets

TEXTS = st.text(st.sampled_from("aé\u0301ß中😀\r\n \u2028"), max_size=30)


def size(text: str, unit: str) -> int:
    """How long a text is in a unit, by Python's own encoders."""
    return {"code-points": len(text), "utf-16": len(text.encode("utf-16-le")) // 2, "bytes": len(text.encode())}[unit]


@given(TEXTS, st.sampled_from(UNITS))
def test_every_place_is_found_and_found_again(text: str, unit: str) -> None:
    offsets = Offsets(text, unit)
    for place in range(len(text) + 1):
        assert offsets.back(place) == size(text[:place], unit)
        assert offsets(size(text[:place], unit)) == place


@given(TEXTS, st.sampled_from(UNITS))
def test_tools_that_read_universal_newlines_count_cr_lf_once(text: str, unit: str) -> None:
    offsets = Offsets(text, unit, "one")
    for place in range(len(text) + 1):
        if text[place - 1 : place + 1] != "\r\n":  # between the two there is no place
            seen = text[:place].replace("\r\n", "\n")
            assert text[: offsets(size(seen, unit))].replace("\r\n", "\n") == seen


@given(TEXTS, st.sampled_from(UNITS), st.sampled_from(LINE_ENDS), st.integers(-3, 150))
def test_an_offset_inside_a_character_or_beyond_the_text_is_refused_never_rounded(
    text: str, unit: str, ends: str, offset: int
) -> None:
    offsets = Offsets(text, unit, ends)
    whole = text.replace("\r\n", "\n") if ends == "one" else text
    good = {size(whole[:place], unit) for place in range(len(whole) + 1)}
    if offset in good:
        assert 0 <= offsets(offset) <= len(text)
    else:
        with pytest.raises(ValueError, match=r"beyond the text|inside a character"):
            offsets(offset)


def test_the_worked_examples_of_the_documentation() -> None:
    assert Offsets("a😀b", "utf-16")(3) == 2
    assert Offsets("a😀b", "bytes")(5) == 2
    assert Offsets("é", "bytes").back(1) == 2
    with pytest.raises(ValueError, match="2 lies inside a character"):
        Offsets("a😀b", "utf-16")(2)
    with pytest.raises(ValueError, match="9 lies beyond the text, which has 3 characters"):
        Offsets("abc")(9)
