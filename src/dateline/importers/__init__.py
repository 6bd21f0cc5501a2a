"""Importers: one module per annotation format; a module dropped in here, or registered by a package, counts.

An importer is a module with

- `NAME`         the word after `--from`,
- `SUFFIXES`     file suffixes it reads,
- `read(path, schemas, *, name)`  yields `Imported`, one per document.

Third parties register such a module under the entry point group `dateline.importers`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, cast

from dateline.errors import Problem, UsageError
from dateline.schema import Schemas


@dataclass
class Imported:
    """One document as an importer saw it: the record, if it could be made, and what was wrong."""

    source: str
    record: dict[str, Any] | None
    problems: list[Problem] = field(default_factory=list)


class Importer(Protocol):
    """What a module of this package offers."""

    NAME: str
    SUFFIXES: tuple[str, ...]

    def read(self, path: Path, schemas: Schemas, *, name: str) -> Iterator[Imported]:
        """Yield the documents of one file; problems are values, only an unreadable file raises InputError."""
        ...


def importers() -> dict[str, Importer]:
    """All importers by name: the modules of this package, then those of the entry point group."""
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    modules += [entry.load() for entry in entry_points(group="dateline.importers")]
    return {module.NAME: cast(Importer, module) for module in modules}


def importer(name: str) -> Importer:
    """The importer of that name; raises UsageError that lists those there are."""
    known = importers()
    if name not in known:
        raise UsageError(f"no importer {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]
