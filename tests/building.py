"""What tests build with: small records, and a small project in a folder."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from dateline.engines import LocalEngine
from dateline.pipeline import Rebuilt, rebuild
from dateline.project import Project, find_project

REPOSITORY = Path(__file__).resolve().parents[1]
THOROUGH = bool(os.environ.get("DATELINE_THOROUGH"))
"""Whether tests that try very many cases try all of them: `make test-thorough`. Else they try some, so that CI stays short."""
Json = dict[str, Any]

MENTIONS: Json = {
    "title": "Mentions",
    "description": "Names in the text.",
    "x-prefix": "m",
    "type": "object",
    "properties": {
        "mention_id": {"type": "string", "description": "Local id.", "x-key": True},
        "spans": {"description": "The words.", "x-span": "many", "minItems": 1},
        "label": {"type": "string", "enum": ["PER", "LOC"], "description": "Kind of name."},
        "head": {"description": "The head word.", "x-span": "one", "x-within": {"via": None, "spans": "spans"}},
        "parent_id": {"type": ["string", "null"], "description": "Outer mention.", "x-ref": "mentions", "x-acyclic": True},
        "score": {"type": ["number", "null"], "description": "Score.", "x-decimal": [12, 3]},
        "remark": {"type": ["string", "null"], "description": "Remark.", "x-withheld": True},
    },
    "required": ["mention_id", "spans", "label"],
    "additionalProperties": False,
}


def shared() -> Path:
    """The folder of real corpora that lies beside the repository on some machines, and is never part of it."""
    return Path(os.environ.get("DATELINE_SHARED", REPOSITORY.parent / "shared"))


def record(article_id: str, text: str | None = "Ana met Bo in Rome.", **fields: Any) -> Json:
    """A small record; the text may be passed on unless `rights` says otherwise."""
    made: Json = {"article_id": article_id, "text": {"content": text}, "rights": {"text_redistributable": True}}
    return made | fields


def mention(key: str, start: int, end: int, label: str = "PER", **fields: Any) -> Json:
    return {"mention_id": key, "spans": [{"start": start, "end": end}], "label": label} | fields


class ProjectFolder:
    """A project under construction."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.schema("mentions", MENTIONS)
        self.settings()
        (root / "seeds").mkdir()

    def settings(self, *lines: str) -> None:
        """Write pyproject.toml with further lines of [tool.dateline]."""
        text = "\n".join(["[tool.dateline]", 'name = "tiny"', *lines])
        (self.root / "pyproject.toml").write_text(text + "\n", encoding="utf-8")

    def schema(self, name: str, schema: Json) -> None:
        (self.root / "schemas").mkdir(exist_ok=True)
        (self.root / "schemas" / f"{name}.schema.json").write_text(json.dumps(schema), encoding="utf-8")

    def seed(self, *records: Json, name: str = "a.jsonl") -> Path:
        """Write records to one seed file."""
        path = self.root / "seeds" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        lines = [json.dumps(r, ensure_ascii=False) for r in records]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def clear(self) -> None:
        """Remove all seed files."""
        for path in list((self.root / "seeds").rglob("*")):
            if path.is_file():
                path.unlink()

    @property
    def project(self) -> Project:
        return find_project(self.root)

    def rebuild(self, jobs: int = 1, **options: Any) -> Rebuilt:
        return rebuild(self.project, LocalEngine(jobs), **options)

    def tree(self) -> dict[str, str]:
        """Digest of every file of the dataset, by name."""
        files = [p for p in (self.root / "dataset").rglob("*") if p.is_file()]
        return {p.relative_to(self.root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
