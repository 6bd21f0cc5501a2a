"""How INCEpTION and WebAnno lay out what they export: a file per document, or a folder per document with a file per annotator."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from dateline.document import Document, Refused
from dateline.errors import InputError, Place
from dateline.incoming import Incoming

OPTIONS = {"offsets": "utf-16", "annotators": "one"}
"""Java counts UTF-16 units. With annotators = "files" each folder is a document, each file in it an annotator's."""

_PARTS_OF_EXPORT = ("annotation", "curation")


def files_of(incoming: Incoming, *suffixes: str) -> tuple[list[str], list[Refused]]:
    """The names that end so, and what could not be opened; if there are none, those in the zip archives that lie there.

    INCEpTION packs each XMI with its type system, inside the archive of the project, too. Where files lie open, an archive beside
    them is no data: it may be a copy.
    """
    if names := incoming.named(*suffixes):
        return names, []
    refused = incoming.open_archives() if incoming.named(".zip") else []
    return incoming.named(*suffixes), refused


def read_files(
    incoming: Incoming, suffixes: tuple[str, ...], read_one: Callable[[str, str], Iterable[Document | Refused]]
) -> Iterator[Document | Refused]:
    """The documents of these files, those of one document merged; `read_one(file, document name)` reads one file."""
    names, refused = files_of(incoming, *suffixes)
    yield from refused
    for name, files in _grouped(incoming, names).items():
        found: dict[str, Document] = {}
        for annotator, file in files:
            place = incoming.place(file)
            try:
                documents = list(read_one(file, name))
            except InputError as fault:
                yield _refused(place, str(fault), name)
                continue
            for document in documents:
                if isinstance(document, Refused):
                    yield document
                    continue
                for node in document.nodes:
                    node.annotator = annotator
                if document.name not in found:
                    found[document.name] = document
                elif fault_of_text := _add(found[document.name], document, annotator):
                    yield Refused(place, "document", fault_of_text, document.name)
        yield from found.values()


def _refused(place: Place, fault: str, name: str) -> Refused:
    """An error about a file as a refused document; the line that it names becomes a part of the place."""
    match = re.match(rf"{re.escape(str(place))}(?::(\d+))?: ", fault)
    if match is None:
        return Refused(place, "document", fault, name)
    return Refused(Place(place.file, int(match[1] or 0)), "document", fault[match.end() :], name)


def _grouped(incoming: Incoming, names: list[str]) -> dict[str, list[tuple[str, str]]]:
    """Document names with the annotators and files of each."""
    by_files = incoming.options["annotators"]
    if by_files not in ("one", "files"):
        raise InputError(f'option annotators is {by_files!r}, but must be "one" or "files"')
    groups: dict[str, list[tuple[str, str]]] = {}
    archives = Counter(PurePosixPath(name).parent for name in names)
    for name in names:
        path = _unzipped(name, archives).with_suffix("")
        folders = path.parts[:-1]
        if by_files == "files" and folders and folders[0] in _PARTS_OF_EXPORT:
            folders = folders[1:]
        if by_files == "files" and folders:
            groups.setdefault("/".join(folders), []).append((path.name, name))
        else:
            groups.setdefault(path.as_posix(), []).append(("", name))
    return groups


def _unzipped(name: str, files: Counter[PurePosixPath]) -> PurePosixPath:
    """The file's name; of the only one in an archive, the archive's, which INCEpTION names after document or annotator."""
    path = PurePosixPath(name)
    return path.parent if path.parent.suffix.lower() == ".zip" and files[path.parent] == 1 else path


def _add(document: Document, other: Document, annotator: str) -> str:
    """Add what another annotator made of a document; the answer says why that cannot be, if it cannot."""
    if not annotator:
        return f"is a second document of the name {other.name!r}; rename one"
    if annotator in {node.annotator for node in document.nodes}:
        return f"is a second file of annotator {annotator!r} for this document; rename one"
    if other.text != document.text:
        return f"its text differs from that of {document.place}, which is of the same document"
    document.nodes += other.nodes
    document.refused += other.refused
    document.segments = sorted({*document.segments, *other.segments})
    for key, value in other.metadata.items():
        if document.metadata.setdefault(key, value) != value:
            document.metadata[f"{key} ({annotator})"] = value
    return ""
