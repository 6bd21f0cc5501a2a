"""What lies in a file, folder or zip archive of somebody's annotation, listed and read within limits.

Everything here may be a stranger's: links are not followed, archives are unpacked only inside a folder of their own, nothing is
read that is longer than a limit. Names are relative, with `/`, in a fixed order.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO
from xml.parsers import expat

from dateline.errors import InputError, Place, printable
from dateline.offsets import LINE_ENDS, UNITS, Offsets

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_FILE = 256 * 2**20
"""So many bytes of a file are read into memory at once; formats with one document per line are read line by line."""
MAX_LINE = 64 * 2**20
"""A longer line is refused unread."""
MAX_UNPACKED = 16 * 2**30
MAX_RATIO = 200
MAX_ENTRIES = 1_000_000
_SMALL = 16 * 2**20  # an archive that stays below is never a bomb

OPTIONS: Mapping[str, str] = {
    "encoding": "utf-8",  # of text files
    "offsets": "code-points",  # what the tool counts: code-points, utf-16, bytes
    "crlf": "two",  # whether CR LF counts as two characters or as one
}
"""The options that every importer takes, with their defaults; an importer's own OPTIONS come on top."""


class Incoming:
    """The files below a folder, or one file, that an importer reads; `options` are the importer's, filled with defaults."""

    def __init__(self, root: Path, names: Sequence[str], options: Mapping[str, Any], label: str = "") -> None:
        self.root = root
        self.names = tuple(names)
        self.options = options
        self.label = label
        self.read: set[str] = set()

    def named(self, *suffixes: str) -> list[str]:
        """The names that end in one of these suffixes, in whatever case."""
        return [n for n in self.names if n.lower().endswith(suffixes)]

    def place(self, name: str, line: int = 0, pointer: str = "") -> Place:
        """A place in a file, as messages name it."""
        return Place(f"{self.label}/{name}" if self.label else name, line, pointer)

    def open(self, name: str) -> BinaryIO:
        """The file, for reading; raises InputError if it cannot be opened."""
        self.read.add(name)
        try:
            return (self.root / name).open("rb")
        except OSError as fault:
            raise InputError(f"{self.place(name)}: cannot be read: {fault.strerror}") from None

    def raw(self, name: str) -> bytes:
        """The file's bytes; raises InputError where it cannot be read, or is longer than MAX_FILE."""
        with self.open(name) as file:
            try:
                raw = file.read(MAX_FILE + 1)
            except OSError as fault:
                raise InputError(f"{self.place(name)}: cannot be read: {fault.strerror}") from None
        if len(raw) > MAX_FILE:
            raise InputError(f"{self.place(name)}: is longer than {MAX_FILE // 2**20} MiB; split it")
        return raw

    def text(self, name: str) -> str:
        """The file's text, line ends as they are, without byte order mark; raises InputError for another encoding."""
        return self.decoded(self.raw(name), name)

    def decoded(self, raw: bytes, name: str, line: int = 0) -> str:
        """Bytes of a file as text; raises InputError where they are not in the encoding that the options name."""
        encoding = self.options["encoding"]
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError as fault:
            where = self.place(name, line or raw.count(b"\n", 0, fault.start) + 1)
            hint = "" if encoding != "utf-8" else '; if the file is in another encoding, say so: encoding = "latin-1"'
            raise InputError(f"{where}: is not {encoding}: {fault.reason} at byte {fault.start}{hint}") from None
        return text.removeprefix("\ufeff")

    def xml(self, name: str) -> _Element:
        """The root of an XML file; raises InputError for what is not well-formed, or has a DOCTYPE, which could hold entities."""
        raw = self.raw(name)
        try:
            _refuse_doctype(raw)
            from lxml import etree  # here, because the base install has no lxml

            parser = etree.XMLParser(
                resolve_entities=False, load_dtd=False, no_network=True, remove_pis=True, remove_comments=True
            )
            root = etree.fromstring(raw, parser)
            if root.getroottree().docinfo.internalDTD is not None:
                raise _DoctypeFound
        except _DoctypeFound:
            raise InputError(f"{self.place(name)}: has a DOCTYPE, which annotation does not need; take it out") from None
        except (SyntaxError, ValueError, LookupError, expat.ExpatError) as fault:
            raise InputError(f"{self.place(name)}: is no well-formed XML: {printable(str(fault))}") from None
        return root

    def lines(self, name: str) -> Iterator[tuple[int, bytes]]:
        """The lines of a file with their numbers, from 1, without line ends; raises InputError for one longer than MAX_LINE."""
        for number, _, line in self.located(name):
            yield number, line

    def located(self, name: str) -> Iterator[tuple[int, int, bytes]]:
        """The lines of a file as `lines` gives them, with the byte at which each begins, where `line_at` finds it again."""
        with self.open(name) as file:
            number = offset = 0
            while raw := file.readline(MAX_LINE + 1):
                number += 1
                if len(raw) > MAX_LINE:
                    raise InputError(f"{self.place(name, number)}: a line is longer than {MAX_LINE // 2**20} MiB")
                yield number, offset, _bare(raw, number)
                offset += len(raw)

    def line_at(self, name: str, number: int, offset: int) -> bytes:
        """The line that begins at a byte, without its end."""
        with self.open(name) as file:
            file.seek(offset)
            return _bare(file.readline(MAX_LINE), number)

    def offsets(self, text: str, unit: str | None = None) -> Offsets:
        """What converts the tool's offsets into code points of a text; `unit` where the format itself fixes it."""
        return Offsets(text, unit or self.options["offsets"], self.options["crlf"])


def _bare(raw: bytes, number: int) -> bytes:
    line = raw.removesuffix(b"\n").removesuffix(b"\r")
    return line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line


def filled(options: Mapping[str, Any], own: Mapping[str, Any], format_name: str) -> dict[str, Any]:
    """Options with their defaults, those of an importer on top of everybody's; raises InputError for one that is not there."""
    defaults = {**OPTIONS, **own}
    for name, value in options.items():
        if name not in defaults:
            raise InputError(f"format {format_name} has no option {name!r}; it has {', '.join(sorted(defaults))}")
        if type(value) is not type(defaults[name]):
            raise InputError(f"option {name} of format {format_name} is {value!r}, but must be like {defaults[name]!r}")
    made = {**defaults, **options}
    for name, known in (("offsets", UNITS), ("crlf", LINE_ENDS)):
        words = dict.fromkeys((*known, defaults[name]))  # an importer may have a word of its own
        if made[name] not in words:
            raise InputError(f"option {name} is {made[name]!r}, but must be one of {', '.join(words)}")
    try:
        "".encode(made["encoding"])
    except (LookupError, ValueError):
        raise InputError(f"option encoding is {made['encoding']!r}, which is no encoding that Python knows") from None
    return made


@contextmanager
def incoming(path: Path, options: Mapping[str, Any], label: str = "") -> Iterator[Incoming]:
    """What lies at a path: one file, a folder, or a zip archive, which is unpacked into a folder that goes again.

    Raises InputError for what is not there, a link that leads elsewhere, an archive that is damaged, reaches out of itself or
    expands beyond MAX_RATIO times its size.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if path.is_dir():
        yield Incoming(path, list(_listed(path)), options, label)
    elif path.suffix.lower() == ".zip":
        folder = Path(tempfile.mkdtemp(prefix="dateline-zip-"))
        try:
            _unpack(path, folder)
            yield Incoming(folder, list(_listed(folder)), options, label or path.name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    else:
        folder_label = label.rpartition("/")[0] if label else ""
        yield Incoming(path.parent, [path.name], options, folder_label)


def _listed(root: Path) -> Iterator[str]:
    """Regular files below a folder in a fixed order; hidden ones and links are no data."""
    for folder, inner, files in os.walk(root, followlinks=False):
        inner[:] = sorted(i for i in inner if not i.startswith((".", "__MACOSX")) and not Path(folder, i).is_symlink())
        for file in sorted(files):
            path = Path(folder, file)
            if file.startswith("."):
                continue
            if stat.S_ISREG(path.lstat().st_mode):
                yield path.relative_to(root).as_posix()
            elif path.is_symlink():
                raise InputError(f"{path}: is a link; links are not followed: put the file itself there")


def _unpack(path: Path, folder: Path) -> None:
    """Unpack a zip archive into a folder, trusting nothing that it says of itself."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir()]
            if len(entries) > MAX_ENTRIES:
                raise InputError(f"{path}: holds more than {MAX_ENTRIES:,} files")
            left = max(_SMALL, min(MAX_UNPACKED, MAX_RATIO * path.stat().st_size))
            for entry in entries:
                name = PurePosixPath(entry.filename.replace("\\", "/"))
                if name.is_absolute() or ".." in name.parts or ":" in name.parts[0] or "\0" in entry.filename:
                    raise InputError(f"{path}: holds {printable(entry.filename)!r}, a name that leads out of the archive")
                if stat.S_ISLNK(entry.external_attr >> 16):
                    raise InputError(f"{path}: holds the link {printable(entry.filename)!r}; links are not followed")
                if entry.flag_bits & 1:
                    raise InputError(f"{path}: is encrypted; unpack it first")
                target = folder.joinpath(*name.parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as packed, target.open("xb") as file:
                    while block := packed.read(2**20):
                        left -= len(block)
                        if left < 0:
                            raise InputError(
                                f"{path}: expands to more than {MAX_RATIO} times its size, as no annotated text does"
                            )
                        file.write(block)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, ValueError, zlib.error) as fault:
        raise InputError(f"{path}: is a damaged zip archive: {printable(str(fault))}") from None
    except OSError as fault:
        raise InputError(f"{path}: cannot be unpacked: {fault.strerror or fault}") from None


class _DoctypeFound(Exception):
    """An XML file declares a document type, and with it perhaps entities."""


class _RootFound(Exception):
    """The root element begins, so no document type follows."""


def _refuse_doctype(raw: bytes) -> None:
    """Look at the prolog of an XML file with a parser that expands nothing; raises _DoctypeFound at a DOCTYPE."""

    def doctype(*_: object) -> None:
        raise _DoctypeFound

    def root(*_: object) -> None:
        raise _RootFound

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = root
    try:
        for start in range(0, len(raw), 2**16):
            parser.Parse(raw[start : start + 2**16])
        parser.Parse(b"", True)
    except _RootFound:
        return
