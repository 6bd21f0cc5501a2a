"""What lies in folders and archives: listed in order, read within limits, nothing followed that leads elsewhere."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from dateline import incoming as module
from dateline.errors import InputError
from dateline.incoming import OPTIONS, filled, incoming

GIVEN = filled({}, {}, "test")


def packed(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in entries:
            archive.writestr(name, raw)
    return path


def names(path: Path) -> list[str]:
    with incoming(path, GIVEN) as there:
        return list(there.names)


def refused(path: Path) -> str:
    with pytest.raises(InputError) as fault, incoming(path, GIVEN):
        pass
    return str(fault.value).removeprefix(f"{path}: ")


def test_folders_files_and_archives_are_listed_alike_in_a_fixed_order(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    for name in ("b/z.txt", "b/a.txt", "b/sub/m.txt", "b/.hidden", "b/.git/config"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert names(folder) == ["a.txt", "z.txt", "sub/m.txt"]
    assert names(folder / "a.txt") == ["a.txt"]
    zipped = packed(tmp_path / "e.zip", ("z.txt", b"x"), ("sub/m.txt", b"x"), ("a.txt", b"x"), ("__MACOSX/a.txt", b"x"))
    assert names(zipped) == ["a.txt", "z.txt", "sub/m.txt"]
    with incoming(zipped, GIVEN) as there:
        assert (str(there.place("a.txt", 3)), there.text("a.txt")) == ("e.zip/a.txt:3", "x")
        root = there.root
    assert not root.exists()
    assert refused(tmp_path / "nothing") == "no such file or folder"


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "..\\out.txt", "C:\\out.txt"])
def test_names_that_lead_out_of_an_archive_are_refused(tmp_path: Path, name: str) -> None:
    assert "leads out of the archive" in refused(packed(tmp_path / "a.zip", ("good.txt", b"x"), (name, b"x")))
    assert [p.name for p in tmp_path.rglob("*")] == ["a.zip"]


def test_links_bombs_and_damaged_archives_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "links are not followed" in refused(packed(tmp_path / "l.zip", (link, b"/etc/passwd")))
    monkeypatch.setattr(module, "_SMALL", 1000)
    assert refused(packed(tmp_path / "bomb.zip", ("a.txt", b"0" * 500_000))) == (
        "expands to more than 200 times its size, as no annotated text does"
    )
    whole = packed(tmp_path / "cut.zip", ("a.txt", bytes(range(256)) * 40)).read_bytes()
    for cut in (0, 10, len(whole) // 2, len(whole) - 5):
        (tmp_path / "cut.zip").write_bytes(whole[:cut])
        assert "is a damaged zip archive" in refused(tmp_path / "cut.zip")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="is a link; links are not followed"):
        names(tmp_path / "folder")


# ---- archives inside ----------------------------------------------------------------------------------------------


def archived(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    """A zip archive as bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in entries:
            archive.writestr(name, raw)
    return made.getvalue()


def opened(path: Path) -> tuple[list[str], dict[str, str]]:
    """The names once archives were opened, and why some were not, by place."""
    with incoming(path, GIVEN) as there:
        told = {str(refused.place): refused.reason for refused in there.open_archives()}
        assert {str(r.place): r.reason for r in there.with_options(GIVEN).open_archives()} == told  # once, for all importers
        assert all(there.raw(name) == b"x" for name in there.names if name.endswith(".txt"))
        folder = there._inside.folder
    assert folder and not folder.exists()
    return [name for name in there.names if not name.endswith(".zip")], told


def test_archives_inside_an_archive_or_a_folder_are_opened_one_level_deep(tmp_path: Path) -> None:
    deep = archived(("c.txt", b"x"))
    entries = [("b.txt", b"x"), ("d/one.zip", archived(("a.txt", b"x"), ("two.zip", deep))), ("bad.zip", b"PK no")]
    path = packed(tmp_path / "e.zip", *entries)
    too_deep = "is an archive in an archive in another; only one level is opened: unpack the outer one, or name the one inside it"
    names, told = opened(path)
    assert names == ["b.txt", "d/one.zip/a.txt"]
    assert told == {
        "e.zip/bad.zip": "is a damaged zip archive: File is not a zip file",
        "e.zip/d/one.zip/two.zip": too_deep,
    }
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "e")
    names, told = opened(tmp_path / "e")
    assert names == ["b.txt", "d/one.zip/a.txt"] and told["d/one.zip/two.zip"] == too_deep


def test_archives_inside_share_the_limits_of_the_one_around_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, link = archived(("../out.txt", b"x")), zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    names, told = opened(packed(tmp_path / "a.zip", ("out.zip", out), ("link.zip", archived((link, b"/etc/passwd")))))
    assert names == [] and "leads out of the archive" in told["a.zip/out.zip"] and "links" in told["a.zip/link.zip"]
    monkeypatch.setattr(module, "_SMALL", 1000)
    bombs = [(f"{n}.zip", archived(("a.bin", bytes(60_000)))) for n in range(3)]  # each within 200 times the size of all
    names, told = opened(packed(tmp_path / "bombs.zip", *bombs))
    assert names == ["0.zip/a.bin"] and set(told) == {"bombs.zip/1.zip", "bombs.zip/2.zip"}
    assert told["bombs.zip/2.zip"] == "expands to more than 200 times its size, as no annotated text does"
    monkeypatch.setattr(module, "MAX_ENTRIES", 4)
    many = archived(*((f"{n}.txt", b"x") for n in range(3)))
    assert (
        "holds more than 4 files" in opened(packed(tmp_path / "many.zip", ("1.zip", many), ("2.zip", many)))[1]["many.zip/1.zip"]
    )


def test_text_keeps_its_line_ends_and_loses_only_the_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("\ufeffa\r\nb\u0301\rc".encode())
    (tmp_path / "l.txt").write_bytes("one\nzw\u00f6lf".encode("latin-1"))
    with incoming(tmp_path, GIVEN) as there:
        assert there.text("a.txt") == "a\r\nb\u0301\rc"
        assert list(there.lines("a.txt")) == [(1, b"a"), (2, b"b\xcc\x81\rc")]
        with pytest.raises(InputError, match=r'l\.txt:2: is not utf-8: .* say so: encoding = "latin-1"'):
            there.text("l.txt")
        assert there.read == {"a.txt", "l.txt"}
    with incoming(tmp_path, filled({"encoding": "latin-1"}, {}, "test")) as there:
        assert there.text("l.txt") == "one\nzwölf"


def test_what_is_too_long_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * 100)
    monkeypatch.setattr(module, "MAX_FILE", 99)
    monkeypatch.setattr(module, "MAX_LINE", 99)
    with incoming(tmp_path, GIVEN) as there:
        with pytest.raises(InputError, match="is longer than 0 MiB"):
            there.raw("a.txt")
        with pytest.raises(InputError, match="a line is longer"):
            list(there.lines("a.txt"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"offset": "bytes"}, "format test has no option 'offset'; it has crlf, encoding, mine, offsets"),
        ({"offsets": "chars"}, "option offsets is 'chars', but must be one of code-points, utf-16, bytes"),
        ({"crlf": 1}, "option crlf of format test is 1, but must be like 'two'"),
        ({"encoding": "klingon"}, "option encoding is 'klingon', which is no encoding that Python knows"),
    ],
)
def test_options_that_make_no_sense_are_one_line(options: dict[str, object], says: str) -> None:
    with pytest.raises(InputError) as fault:
        filled(options, {"mine": True}, "test")
    assert str(fault.value) == says
    assert filled({"mine": False}, {"mine": True}, "test") == {**OPTIONS, "mine": False}
