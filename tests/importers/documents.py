"""What tests of importers share: reading a folder, documents to compare, random texts, mutated files."""

from __future__ import annotations

import dataclasses
import os
import random
import time
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st

from dateline.document import NOWHERE, Document, Node, Refused
from dateline.errors import InputError
from dateline.importers import importer
from dateline.incoming import filled, incoming
from fuzzing import mutated

Said = TypeVar("Said", Document, Node)


known = cache(importer)  # looking for entry points takes longer than reading a small file


def read(format: str, path: Path, **options: Any) -> list[Document | Refused]:
    """What an importer makes of a file or folder."""
    found = known(format)
    with incoming(path, filled(options, found.options, format)) as files:
        return list(found.documents(files))


def bare(said: Said) -> Said:
    """A document or node without the places that it comes from."""
    made = dataclasses.replace(said, place=NOWHERE)
    if isinstance(made, Document):
        made.nodes = sorted(map(bare, made.nodes), key=lambda node: (node.annotator, node.id))
    return made


def texts(no: str = "", min_size: int = 0) -> st.SearchStrategy[str]:
    """Short texts of odd characters: astral ones, combining marks, line ends of all kinds, byte order marks, bidi marks."""
    odd = "".join(c for c in "\r\n\u0308🌊é\ufeff\u2028\u202e\x0b\x85\t\xa0a B:;#" if c not in no)
    return st.text(st.sampled_from(odd) | st.characters(codec="utf-8", exclude_characters=no), min_size=min_size, max_size=12)


def fuzz(format: str, path: Path, source: bytes, write: Callable[[bytes], None]) -> None:
    """Read mutated files for DATELINE_FUZZ_SECONDS (2); nothing but documents, refusals and InputError may come out."""
    chance = random.Random(f"{format} {os.environ.get('DATELINE_FUZZ_SEED', '')}")
    until = time.monotonic() + float(os.environ.get("DATELINE_FUZZ_SECONDS", "2"))
    runs = 0
    while time.monotonic() < until or runs < 50:
        made = mutated(source, [source], chance)
        write(made)
        runs += 1
        try:
            for one in read(format, path):
                _check(one)
        except InputError:
            pass
        except Exception:
            raise AssertionError(f"{format} after {runs} runs, on {made!r}:\n{traceback.format_exc()}") from None
    print(f"{format}: {runs} files")


def _check(one: Document | Refused) -> None:
    if isinstance(one, Document):
        keys = [(node.annotator, node.id) for node in one.nodes]
        assert len(keys) == len(set(keys)), "two nodes of one id"
        spans = [s for n in one.nodes for anchor in (n.spans, *n.parts.values()) for s in anchor] + one.segments
        assert all(0 <= start <= end <= len(one.text) for start, end in spans), "a span beyond the text"
        assert all(refused.reason for refused in one.refused)
