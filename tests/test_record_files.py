"""Record files: one line says what the lines of a diff say; nothing gets its name before its content is durable."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dateline.errors import BuildError
from dateline.record_files import Staged, encode, on_one_line

RECORD = {
    "text": {"content": 'a,\n "b": [\r\n ]\u2028,\t\x85,', "n": 1.5},
    "none": [],
    "flat": [1, "x,", None],
    "items": [{"id": "e1,", "inner": {"a": []}}, {"id": "}\n", "inner": {}}],
}


def test_a_line_of_a_record_is_the_record_as_json_has_it() -> None:
    assert on_one_line(encode(RECORD)) == json.dumps(RECORD, ensure_ascii=False).encode() + b"\n"


def test_every_staged_file_is_synced_before_the_first_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    fsync, rename = os.fsync, os.replace

    def synced(handle: int) -> None:
        happened.append("sync")
        fsync(handle)

    def renamed(old: Any, new: Any) -> None:
        happened.append("rename")
        rename(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    with Staged(tmp_path / "seeds", "seeds") as staged:
        staged.add("a.json", b"{}")
        staged.add("b.json", b"[]")
        staged.stream("c.jsonl").write(b"{}\n")
        staged.place()
    assert happened == ["sync"] * 3 + ["rename"] * 3 + ["sync"]
    assert {p.name: p.read_bytes() for p in (tmp_path / "seeds").iterdir()} == {
        "a.json": b"{}",
        "b.json": b"[]",
        "c.jsonl": b"{}\n",
    }


def test_content_that_cannot_be_made_durable_leaves_the_folder_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BuildError, match="nothing was written"), Staged(tmp_path, "seeds") as staged:
        staged.add("a.json", b"new")
        staged.add("b.json", b"new")
        staged.place()
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a.json": b"old"}
