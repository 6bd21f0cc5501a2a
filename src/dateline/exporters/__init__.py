"""Exporters: one module per format that documents are written in; a module dropped in here, or registered by a package, counts.

An exporter is a module with

- `NAME`   the word after `--to`,
- `TITLE`  whose format it is, for people,
- `cannot_hold(document)`       what of a document the format has no place for, in plain phrases, with how many of each,
- `write(documents, folder)`    writes all that the format can hold and gives the names of the files, relative to the folder. The
                                bytes depend on nothing but the documents; no document overwrites another.

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

from dateline.document import Document
from dateline.errors import UsageError


@dataclass(frozen=True)
class Exporter:
    """What a module of this package offers."""

    name: str
    title: str
    cannot_hold: Callable[[Document], Counter[str]]
    write: Callable[[Iterable[Document], Path], list[str]]


def exporters() -> dict[str, Exporter]:
    """All exporters by name: the modules of this package, then those of the entry point group."""
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    modules += [entry.load() for entry in entry_points(group="dateline.exporters")]
    return {module.NAME: _exporter(module) for module in modules}


def exporter(name: str) -> Exporter:
    """The exporter of that name; raises UsageError that lists those there are."""
    known = exporters()
    if name not in known:
        raise UsageError(f"no exporter {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]


def _exporter(module: ModuleType) -> Exporter:
    return Exporter(module.NAME, getattr(module, "TITLE", module.NAME), module.cannot_hold, module.write)
