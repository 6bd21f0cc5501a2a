"""What tests of formats in JSON share: reading bytes as an importer does, and mutated bytes of which only refusals may come."""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from dateline.document import Document, Refused
from dateline.errors import InputError
from dateline.exporters import exporter
from dateline.importers import Importer, importer
from dateline.incoming import filled, incoming
from fuzzing import mutated, values

FUZZ_SECONDS = float(os.environ.get("DATELINE_FUZZ_SECONDS", "2"))
ODD_TEXT = st.text(st.sampled_from("ab é\u0301e\n\r\t😀𝔸中\u200f\u0000\"'\\<&"), max_size=30)
"""Texts of characters that tools get wrong: astral and combining ones, all line ends, controls, marks of JSON and XML."""


def read_all(name: str, path: Path, /, **options: Any) -> list[Document | Refused]:
    """All that an importer gives for what lies at a path."""
    return _read(importer(name), path, options)


def _read(known: Importer, path: Path, options: Mapping[str, Any]) -> list[Document | Refused]:
    with incoming(path, filled(options, known.options, known.name)) as found:
        return list(known.documents(found))


def read(name: str, folder: Path, files: Mapping[str, bytes | str | list[Any]], /, **options: Any) -> list[Document | Refused]:
    """All that an importer gives for some files; a list is written as JSON, or as lines of JSON where the name says so."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        for file, content in files.items():
            path = Path(made, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_bytes(content, lines=file.endswith(".jsonl")))
        return read_all(name, Path(made), **options)


def documents(found: list[Document | Refused]) -> list[Document]:
    """The documents; fails if anything was refused as a whole."""
    assert [one for one in found if isinstance(one, Refused)] == []
    return [one for one in found if isinstance(one, Document)]


def refusals(found: list[Document | Refused]) -> list[Refused]:
    """All that was refused, whole documents and parts."""
    return [r for one in found for r in ([one] if isinstance(one, Refused) else one.refused)]


def plain(document: Document) -> Document:
    """A document without places, which a second file has elsewhere."""
    from dateline.document import NOWHERE

    for node in document.nodes:
        node.place = NOWHERE
    document.place = NOWHERE
    return document


def fuzz(name: str, folder: Path, file: str, sources: list[bytes], options: Mapping[str, Any] | None = None) -> Counter[str]:
    """What became of mutated sources; whatever is neither a document nor a refusal nor an InputError fails the test."""
    path = folder / "in" / file
    path.parent.mkdir(exist_ok=True)

    def damage(chance: random.Random) -> bytes:
        raw = _damaged(chance.choice(sources), sources, chance, file)
        path.write_bytes(raw)
        return raw

    return _fuzz(name, path, damage, options or {})


def fuzz_folder(name: str, folder: Path, files: Mapping[str, bytes], options: Mapping[str, Any] | None = None) -> Counter[str]:
    """What became of a folder, one of its files damaged at a time; fails where `fuzz` does."""
    root, names = folder / "in", sorted(files)
    for file, whole in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(whole)
    before = names[0]

    def damage(chance: random.Random) -> bytes:
        nonlocal before
        (root / before).write_bytes(files[before])
        before = chance.choice(names)
        raw = _damaged(files[before], list(files.values()), chance, before)
        (root / before).write_bytes(raw)
        return before.encode() + b": " + raw

    return _fuzz(name, root, damage, options or {})


def _damaged(source: bytes, others: list[bytes], chance: random.Random, file: str) -> bytes:
    """A source with other bytes, or, of JSON, with other values."""
    if chance.random() < 0.5 and file.endswith((".json", ".jsonl", ".ndjson")):
        lines = source.splitlines() if file.endswith(".jsonl") else [source]
        return b"\n".join(json.dumps(values(json.loads(line), chance), allow_nan=True).encode() for line in lines)
    return mutated(source, others, chance)


def _fuzz(name: str, path: Path, damage: Callable[[random.Random], bytes], options: Mapping[str, Any]) -> Counter[str]:
    chance, seen = random.Random(20260202), Counter[str]()
    known, writers = importer(name), [exporter("label-studio"), exporter("prodigy")]
    until = time.monotonic() + FUZZ_SECONDS
    while time.monotonic() < until:
        raw = damage(chance)
        seen["files"] += 1
        try:
            for one in _read(known, path, options):
                seen[type(one).__name__] += 1
                for node in one.nodes if isinstance(one, Document) else ():
                    for stretches in (node.spans, *node.parts.values()):
                        assert all(0 <= start <= end <= len(one.text) for start, end in stretches), raw  # type: ignore[union-attr]
                if isinstance(one, Document) and chance.random() < 0.1:
                    for writer in writers:
                        writer.cannot_hold(one)
                        writer.write([one], path.parent.parent)
        except InputError as fault:
            assert "\n" not in str(fault)
            seen["InputError"] += 1
        except Exception as fault:
            raise AssertionError(f"{type(fault).__name__}: {fault} for {raw!r}") from fault
    print(f"{name} {path.name}: {dict(seen)}")  # shown by pytest -s
    return seen


def _bytes(content: bytes | str | list[Any], *, lines: bool) -> bytes:
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode()
    return b"\n".join(json.dumps(one).encode() for one in content) + b"\n" if lines else json.dumps(content).encode()
