"""Importers: one module per annotation format; a module dropped in here, or registered by a package, counts.

An importer is a module with

- `NAME`        the word after `--from`,
- `TITLE`       whose format it is, for people,
- `SUFFIXES`    file suffixes it reads, in lower case,

and one of

- `read(incoming)`  yields a `Document` for each text: typed nodes, which the project's mapping turns into its layers. The
                    module may also have `OPTIONS` (its own options with their defaults), `looks_like(incoming)` (how sure it
                    is, 0 to 1, that the files are its format; `dateline new` asks) and `surface(text, spans)` (how the
                    format writes the words of spans, where it is not with a blank between them),
- `read_records(path, schemas, *, name)`  yields `Imported` records, for a format that is written for Dateline.

What cannot be read is a value: `Document.refused`, or a document `refused` as a whole; InputError is for a file that cannot be
opened at all. Third parties register such a module under the entry point group `dateline.importers`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from dateline.document import Document, Refused, Stretch, joined
from dateline.errors import Problem, UsageError
from dateline.incoming import Incoming
from dateline.schema import Schemas


@dataclass
class Imported:
    """One document as an importer of records saw it: the record, if it could be made, and what was wrong."""

    source: str
    record: dict[str, Any] | None
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Importer:
    """What a module of this package offers, with what it leaves out filled in."""

    name: str
    title: str
    suffixes: tuple[str, ...]
    options: Mapping[str, Any]
    read: Callable[[Incoming], Iterator[Document | Refused]] | None
    read_records: Callable[..., Iterator[Imported]] | None
    surface: Callable[[str, tuple[Stretch, ...]], str]
    looks_like: Callable[[Incoming], float]

    def records(self, path: Path, schemas: Schemas, *, name: str) -> Iterator[Imported]:
        """The records of one file, of a format that gives records."""
        assert self.read_records is not None
        return self.read_records(path, schemas, name=name)

    def documents(self, incoming: Incoming) -> Iterator[Document | Refused]:
        """The documents that lie somewhere, of a format that gives documents; Refused for one that cannot be read at all."""
        assert self.read is not None
        return self.read(incoming)


def importers() -> dict[str, Importer]:
    """All importers by name: the modules of this package, then those of the entry point group."""
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    modules += [entry.load() for entry in entry_points(group="dateline.importers")]
    return {module.NAME: _importer(module) for module in modules}


def importer(name: str) -> Importer:
    """The importer of that name; raises UsageError that lists those there are."""
    known = importers()
    if name not in known:
        raise UsageError(f"no importer {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]


def _importer(module: ModuleType) -> Importer:
    return Importer(
        module.NAME,
        getattr(module, "TITLE", module.NAME),
        module.SUFFIXES,
        getattr(module, "OPTIONS", {}),
        getattr(module, "read", None),
        getattr(module, "read_records", None),
        getattr(module, "surface", joined),
        getattr(module, "looks_like", lambda incoming: 0.0),
    )
