"""XML of strangers: no document type, no entities, nothing fetched, one line for what is not XML."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml.etree import _Element

from dateline.errors import InputError
from dateline.incoming import Incoming, filled

BOMB = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY s SYSTEM "secret.txt">]><a>&s;</a>'


def read(folder: Path, raw: bytes) -> _Element:
    (folder / "a.xml").write_bytes(raw)
    return Incoming(folder, ["a.xml"], filled({}, {}, "any")).xml("a.xml")


@pytest.mark.parametrize("written", [BOMB, OUTSIDE, "<!DOCTYPE a><a/>", f"<!-- {'x' * 200_000} --><!DOCTYPE a><a/>"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_a_document_type_is_refused_whatever_it_says(tmp_path: Path, written: str, encoding: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    with pytest.raises(InputError, match=r"^a\.xml: has a DOCTYPE"):
        read(tmp_path, f'<?xml version="1.0" encoding="{encoding}"?>{written}'.encode(encoding))


UTF_7 = b"<?xml version='1.0' encoding='utf-7'?><a/>"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<a>",
        b"words",
        b"<a>&b;</a>",
        b"\x00\x01",
        b"<a b='1' b='2'/>",
        UTF_7,
        b"<a>\xff</a>",
    ],
)
def test_what_is_no_xml_is_refused_in_one_line(tmp_path: Path, raw: bytes) -> None:
    with pytest.raises(InputError, match=r"^a\.xml: is no well-formed XML: ") as fault:
        read(tmp_path, raw)
    assert str(fault.value).isprintable()


def test_plain_xml_is_read_with_lines_and_without_comments(tmp_path: Path) -> None:
    root = read(tmp_path, '\ufeff<?xml version="1.0"?>\n<!-- c -->\n<a>\n<!-- c --><b c="&lt;é&#128123;"/></a>'.encode())
    (child,) = root
    assert (child.tag, child.get("c"), child.sourceline) == ("b", "<é👻", 4)
