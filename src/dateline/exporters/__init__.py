"""Exporters: one module per format that Dateline writes; a module dropped in here, or registered by a package, counts.

An exporter is a module with

- `NAME`   the word after `dateline export`,
- `TITLE`  whose format it is, for people,

and either both of

- `cannot_hold(document)`     what of a document the format has no place for: plain phrases, and how many; empty if it holds all,
- `write(documents, folder)`  writes all that the format can hold and gives the names of the files, relative to the folder. The
                              bytes depend on nothing but the documents; no document overwrites another,

or, for a format that is written of Dateline's records,

- `write_records(records, folder)`  the same for records, of which it holds everything.

Third parties register such a module under the entry point group `dateline.exporters`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from dateline.document import Document
from dateline.errors import UsageError


@dataclass(frozen=True)
class Exporter:
    """What a module of this package offers; of documents, or of records."""

    name: str
    title: str
    cannot_hold: Callable[[Document], Counter[str]]
    write: Callable[[Iterable[Document], Path], list[str]]
    write_records: Callable[[Iterable[dict[str, Any]], Path], list[str]] | None = None


def exporters() -> dict[str, Exporter]:
    """All exporters by name: the modules of this package, then those of the entry point group."""
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    modules += [entry.load() for entry in entry_points(group="dateline.exporters")]
    return {module.NAME: exporter_of(module) for module in modules}


def exporter(name: str) -> Exporter:
    """The exporter of that name; raises UsageError that lists those there are."""
    known = exporters()
    if name not in known:
        raise UsageError(f"no exporter {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]


def exporter_of(module: ModuleType) -> Exporter:
    """What a module offers, with what it leaves out filled in."""
    records = getattr(module, "write_records", None)
    if records is not None:
        return Exporter(module.NAME, getattr(module, "TITLE", module.NAME), _holds_all, _no_documents, records)
    return Exporter(module.NAME, getattr(module, "TITLE", module.NAME), module.cannot_hold, module.write)


def _holds_all(document: Document) -> Counter[str]:
    return Counter()


def _no_documents(documents: Iterable[Document], folder: Path) -> list[str]:
    raise UsageError("this format is written of records, not of documents")
