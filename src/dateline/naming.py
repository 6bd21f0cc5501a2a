"""Names of documents as paths of files that are written: inside the folder, legal on every system, none twice."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence

_LONGEST = 180  # bytes of one part; file systems take 255, and a suffix follows
_ILLEGAL = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*%\ud800-\udfff]|^[.\s]|[.\s]$')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # devices of Windows
_SUFFIXED = re.compile(r"\.(?=(txt|ann|spacy|jsonl?|conllu|xm[il]|[ct]sv)$)", re.IGNORECASE)


class FileNames:
    """Gives each document a relative path without suffix: its own name, where a file can have that and none has it yet."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def path(self, name: str, folders: Sequence[str] = ("",)) -> str:
        """A path for a document's name that is free in each of some folders, whatever the case; folders end in `/`."""
        return self._free(legal(name), folders)

    def part(self, name: str) -> str:
        """The same for a name that is one part of a path, whatever is in it."""
        return self._free(_part(name), ("",))

    def _free(self, made: str, folders: Sequence[str]) -> str:
        path, number = made, 1
        while self._taken & (keys := {_folded(folder + path) for folder in folders}):
            number += 1
            path = f"{made}~{number}"
        self._taken |= keys
        return path


def legal(name: str) -> str:
    """The name with whatever a file's name cannot have as %XX of its UTF-8; a folder's suffix, too."""
    *folders, file = [part for part in name.split("/") if part] or ["_"]
    # a folder `a.txt` would stand where the file of a document `a` goes
    return "/".join([*(_SUFFIXED.sub("%2E", _part(folder)) for folder in folders), _part(file)])


def _part(part: str) -> str:
    made = _ILLEGAL.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass")), part)
    if _RESERVED.fullmatch(made):
        made = f"%{ord(made[0]):02X}{made[1:]}"
    if len(made.encode()) > _LONGEST:
        digest = hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        made = f"{made.encode()[: _LONGEST - 17].decode(errors='ignore')}~{digest}"
    return made


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
