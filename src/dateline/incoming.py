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
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO
from xml.parsers import expat

from dateline.document import Refused
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


@dataclass
class _Left:
    """What may still be unpacked, of one archive and all those inside it."""

    bytes: int
    entries: int

    @classmethod
    def of(cls, packed: int) -> _Left:
        """What archives of so many bytes may hold."""
        return cls(max(_SMALL, min(MAX_UNPACKED, MAX_RATIO * packed)), MAX_ENTRIES)


@dataclass
class _Inside:
    """The files of archives that lie among others, and what could not be opened; unpacked once, into a folder that goes again."""

    left: _Left | None = None
    files: dict[str, Path] | None = None
    refused: list[Refused] = field(default_factory=list)
    folder: Path | None = None

    def close(self) -> None:
        """Remove what was unpacked."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


class Incoming:
    """The files below a folder, or one file, that an importer reads; `options` are the importer's, filled with defaults."""

    def __init__(self, root: Path, names: Sequence[str], options: Mapping[str, Any], label: str = "") -> None:
        self.root = root
        self.names = tuple(names)
        self.options = options
        self.label = label
        self.read: set[str] = set()
        self._inside = _Inside()

    def with_options(self, options: Mapping[str, Any]) -> Incoming:
        """The same files, for another importer."""
        made = Incoming(self.root, self.names, options, self.label)
        made._inside = self._inside
        return made

    def open_archives(self) -> list[Refused]:
        """Take in the files of the zip archives among these, each below the archive's name; which could not be opened, and why.

        Archives inside them stay shut.
        """
        archives, inside = self.named(".zip"), self._inside
        if inside.files is None:
            inside.files = {}
            inside.left = inside.left or _Left.of(sum((self.root / name).stat().st_size for name in archives))
            inside.folder = Path(tempfile.mkdtemp(prefix="dateline-zip-"))
            for number, name in enumerate(archives):
                self._open_archive(name, inside.folder / str(number), inside.files, inside.left)
        self.read.update(archives)
        self.names = (*self.names, *(name for name in inside.files if name not in self.names))
        return inside.refused

    def _open_archive(self, name: str, folder: Path, files: dict[str, Path], left: _Left) -> None:
        place = self.place(name)
        try:
            folder.mkdir()
            _unpack(self.root / name, folder, str(place), left)
            found = {f"{name}/{inner}": folder / inner for inner in _listed(folder)}
        except InputError as fault:
            self._inside.refused.append(Refused(place, "document", str(fault).removeprefix(f"{place}: ")))
            return
        for inner in found:
            if inner.lower().endswith(".zip"):
                self._inside.refused.append(Refused(self.place(inner), "document", _TOO_DEEP))
        files.update((inner, path) for inner, path in found.items() if not inner.lower().endswith(".zip"))

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
            return ((self._inside.files or {}).get(name) or self.root / name).open("rb")
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
        there = Incoming(path, list(_listed(path)), options, label)
        yield from _closing(there)
    elif path.suffix.lower() == ".zip":
        folder = Path(tempfile.mkdtemp(prefix="dateline-zip-"))
        try:
            left = _Left.of(path.stat().st_size)
            _unpack(path, folder, str(path), left)
            there = Incoming(folder, list(_listed(folder)), options, label or path.name)
            there._inside.left = left
            yield from _closing(there)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    else:
        folder_label = label.rpartition("/")[0] if label else ""
        yield Incoming(path.parent, [path.name], options, folder_label)


_TOO_DEEP = "is an archive in an archive in another; only one level is opened: unpack the outer one, or name the one inside it"


def _closing(there: Incoming) -> Iterator[Incoming]:
    try:
        yield there
    finally:
        there._inside.close()


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


def _unpack(path: Path, folder: Path, told: str, left: _Left) -> None:
    """Unpack a zip archive into a folder, trusting nothing that it says of itself; messages call it `told`."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir()]
            left.entries -= len(entries)
            if left.entries < 0:
                raise InputError(f"{told}: holds more than {MAX_ENTRIES:,} files")
            for entry in entries:
                name = PurePosixPath(entry.filename.replace("\\", "/"))
                if name.is_absolute() or ".." in name.parts or ":" in name.parts[0] or "\0" in entry.filename:
                    raise InputError(f"{told}: holds {printable(entry.filename)!r}, a name that leads out of the archive")
                if stat.S_ISLNK(entry.external_attr >> 16):
                    raise InputError(f"{told}: holds the link {printable(entry.filename)!r}; links are not followed")
                if entry.flag_bits & 1:
                    raise InputError(f"{told}: is encrypted; unpack it first")
                target = folder.joinpath(*name.parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as packed, target.open("xb") as file:
                    while block := packed.read(2**20):
                        left.bytes -= len(block)
                        if left.bytes < 0:
                            raise InputError(
                                f"{told}: expands to more than {MAX_RATIO} times its size, as no annotated text does"
                            )
                        file.write(block)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, ValueError, zlib.error) as fault:
        raise InputError(f"{told}: is a damaged zip archive: {printable(str(fault))}") from None
    except OSError as fault:
        raise InputError(f"{told}: cannot be unpacked: {fault.strerror or fault}") from None


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
