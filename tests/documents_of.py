"""What an importer reads from a folder, for tests; and the same read again and again with bytes gone wrong."""

from __future__ import annotations

import functools
import os
import random
import time
from pathlib import Path
from typing import Any

from dateline.document import Document, Refused
from dateline.errors import InputError
from dateline.importers import importers
from dateline.incoming import filled, incoming
from fuzzing import mutated

_importers = functools.cache(importers)


def read(format_name: str, path: Path, **options: Any) -> list[Document | Refused]:
    """All that the importer of a format says of a file or folder."""
    chosen = _importers()[format_name]
    with incoming(path, filled(options, chosen.options, format_name)) as found:
        return list(chosen.documents(found))


def read_one(format_name: str, path: Path, **options: Any) -> Document:
    """The only document there."""
    (document,) = read(format_name, path, **options)
    assert isinstance(document, Document), document
    return document


def recognised(format_name: str, path: Path) -> float:
    """How sure the importer is that a folder is of its format; a folder that is not there is an empty one."""
    path.mkdir(exist_ok=True)
    return recognised_at(format_name, path)


def recognised_at(format_name: str, path: Path) -> float:
    """How sure the importer is that what lies at a path is of its format."""
    chosen = _importers()[format_name]
    with incoming(path, filled({}, chosen.options, format_name)) as found:
        return chosen.looks_like(found)


def read_mutants(format_name: str, folder: Path, files: dict[str, bytes], others: list[bytes], **options: Any) -> int:
    """Read mutants of the files for DATELINE_FUZZ_SECONDS (a second, if not set); how many were read.

    Anything but documents, refusals and InputError is a bug, and so are spans outside of the text.
    """
    until = time.monotonic() + float(os.environ.get("DATELINE_FUZZ_SECONDS", "1"))
    executions = 0
    while executions < 50 or time.monotonic() < until:
        chance = random.Random(executions)
        executions += 1
        for name, raw in files.items():
            (folder / name).write_bytes(mutated(raw, others, chance) if chance.random() < 0.7 else raw)
        try:
            found = read(format_name, folder, **options)
        except InputError as fault:
            assert str(fault)
            continue
        for document in found:
            if isinstance(document, Refused):
                assert document.reason and document.place.file
                continue
            spans = [s for n in document.nodes for s in n.spans] + document.segments
            assert all(0 <= start <= end <= len(document.text) for start, end in spans)
            assert len({(n.annotator, n.id) for n in document.nodes}) == len(document.nodes)
            document.text.encode()
    print(f"{format_name}: {executions} executions")
    return executions
