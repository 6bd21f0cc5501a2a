"""Names of documents as files: inside the folder, legal everywhere, none twice."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateline.naming import FileNames, legal


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("news/2024 a.b", "news/2024 a.b"),
        ("Ü/é 🌊", "Ü/é 🌊"),
        ("../../etc/passwd", "%2E%2E/%2E%2E/etc/passwd"),
        ("/a//b", "a/b"),
        ("", "_"),
        (".hidden ", "%2Ehidden%20"),
        ('a\x00b\n"c"\\d:%\ud800', "a%00b%0A%22c%22%5Cd%3A%25%ED%A0%80"),
        ("a.txt/b.txt", "a%2Etxt/b.txt"),
        ("con.x/COM1", "%63on.x/%43OM1"),
    ],
)
def test_a_name_is_kept_where_a_file_can_have_it(name: str, path: str) -> None:
    assert legal(name) == path


def test_no_name_is_given_twice_whatever_the_case_or_form() -> None:
    names = FileNames()
    assert [names.path(n) for n in ("a", "A", "a~2", "a", "e\u0301", "\u00e9")] == ["a", "A~2", "a~2~2", "a~3", "e\u0301", "é~2"]
    assert names.path("b", ("x/", "y/")) == "b" and names.path("x/b") == "x/b~2" and names.path("b") == "b"
    assert [names.part(n) for n in ("p/q", "p/q")] == ["p%2Fq", "p%2Fq~2"]


@given(st.lists(st.text(st.characters() | st.sampled_from("./\\~%\ud800aA"), max_size=300), max_size=8))
def test_any_name_makes_a_path_inside_the_folder(given_names: list[str]) -> None:
    names = FileNames()
    paths = [names.path(name) for name in given_names]
    assert len({path.casefold() for path in paths}) == len(paths)
    for path in paths:
        assert not PurePosixPath(path).is_absolute() and not {"..", ".", ""} & set(path.split("/"))
        assert all(len(part.encode()) < 200 for part in path.split("/")) and "\\" not in path
