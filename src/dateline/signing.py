"""sign: store the near-duplicate signature of texts at hand in records that may have to do without them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dateline.compile.check import is_withheld
from dateline.compile.read import Refused, is_compressed, parse, read_raw
from dateline.compile.seeds import seed_files
from dateline.compile.signature import sign, signing_of, spell
from dateline.errors import InputError, Problem
from dateline.files import write_atomically
from dateline.project import Project
from dateline.record_files import encode
from dateline.rules import problem


@dataclass
class Signed:
    """What `sign_files` did, by article: signed, signed before, without its text."""

    signed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON types."""
        return {
            "success": not self.problems and not self.missing,
            "signed": self.signed,
            "kept": self.kept,
            "missing": self.missing,
            "problems": [p.as_json() for p in self.problems],
        }


def sign_files(project: Project, paths: Iterable[Path], texts: Path | None, *, dry_run: bool = False) -> Signed:
    """Add `text.minhash` to the withheld records of seed files (all of the project if none are given) that lack it.

    The text is the record's own or `<texts>/<article_id>.txt`, whose sha256 must be the record's. A stored signature stays as it
    is. Nothing is written if there is a problem. Raises InputError for a file that is not there or is compressed.
    """
    signing = signing_of(project.settings.splits)
    result = Signed()
    changed: dict[Path, bytes] = {}
    for path in list(paths) or seed_files(project):
        parts: list[bytes] = []
        signed = len(result.signed)
        name = project.name_of(path)
        try:
            for raw in read_raw(path, name=name):
                record = parse(raw)
                said = record.get("text")
                if not isinstance(said, dict) or not is_withheld(record):
                    parts.append(raw.raw)
                    continue
                article_id = str(record.get("article_id"))
                if said.get("minhash") is not None:
                    result.kept.append(article_id)
                    parts.append(raw.raw)
                    continue
                content = said["content"] if isinstance(said.get("content"), str) else _text(texts, article_id)
                digest = None if content is None else hashlib.sha256(content.encode()).hexdigest()
                if content is not None and digest is not None and said.get("sha256") not in (None, digest):
                    place = raw.place.at("$.text.sha256")
                    found = str(said["sha256"])[:12]
                    result.problems.append(problem("text-hash", place, found=found, expected=digest[:12]))
                signature = None if content is None else sign(content, signing)
                if signature is None:
                    result.missing.append(article_id)
                    parts.append(raw.raw)
                    continue
                said["minhash"] = spell(signature, signing)
                result.signed.append(article_id)
                parts.append(json.dumps(record, ensure_ascii=False).encode() + b"\n" if raw.place.line else encode(record))
        except Refused as refused:
            result.problems.append(refused.problem)
        if len(result.signed) > signed:
            if is_compressed(path):
                raise InputError(f"{name}: is compressed; unpack it before its records can be signed")
            changed[path] = b"".join(parts)
    if result.problems:
        result.signed = []
    elif not dry_run:
        for path, raw_file in changed.items():
            write_atomically(path, raw_file)
    return result


def _text(texts: Path | None, article_id: str) -> str | None:
    """The text of an article in a folder of texts; None if it is not there."""
    if texts is None:
        return None
    path = texts / f"{Path(article_id).name}.txt"
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{path}: cannot be read as UTF-8 text") from None
