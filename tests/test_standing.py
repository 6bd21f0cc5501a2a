"""The records that stand in seeds: found by id wherever they are, replaced where they stand."""

from __future__ import annotations

import gzip
import json

import pytest

from building import ProjectFolder, record
from dateline.errors import InputError
from dateline.standing import Standing


def test_records_are_found_wherever_they_stand(folder: ProjectFolder) -> None:
    folder.seed(record("a1"), record("a2", "été 🦊"), name="deep/x.jsonl")
    (folder.root / "seeds" / "a3.json").write_text(json.dumps(record("a3"), indent=1))
    packed = folder.root / "seeds" / "y.jsonl.gz"
    packed.write_bytes(gzip.compress(b"".join(json.dumps(record(i)).encode() + b"\n" for i in ("a4", "a5"))))
    found = Standing(folder.project)
    assert sorted(found.ids) == ["a1", "a2", "a3", "a4", "a5"] and "a6" not in found
    for article_id in found.ids:
        assert found.record(article_id)["article_id"] == article_id
    assert str(found.place("a2")) == "seeds/deep/x.jsonl:2"
    assert [found.compressed(i) for i in ("a1", "a5")] == [False, True]


def test_records_are_replaced_in_place_and_all_else_in_their_files_stays(folder: ProjectFolder) -> None:
    path = folder.seed(record("a1"), record("a2"), record("a3"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"\n" + lines[1] + lines[2].rstrip())
    new = {i: json.dumps(record(i, "New text of another length."), indent=1).encode() for i in ("a3", "a1")}
    ((name, content),) = Standing(folder.project).files_with(new)
    assert name == "a.jsonl"
    made = content.splitlines(keepends=True)
    assert made[1] == b"\n" and made[2] == lines[1]
    assert [json.loads(made[n]) for n in (0, 3)] == [json.loads(new[i]) for i in ("a1", "a3")]


def test_a_file_that_changes_meanwhile_is_not_overwritten(folder: ProjectFolder) -> None:
    folder.seed(record("a1"), record("a2"))
    found = Standing(folder.project)
    folder.seed(record("longer-than-before"), record("a2"))
    for attempt in (lambda: found.record("a2"), lambda: dict(found.files_with({"a2": b"{}"}))):
        with pytest.raises(InputError, match=r"seeds/a\.jsonl:2: has changed while it was read; try again"):
            attempt()
