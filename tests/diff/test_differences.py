"""How a diff reads: terminal, counts and Markdown beside golden files; nothing long, raw or withheld in them."""

from __future__ import annotations

import os
from typing import Any

import pytest

from building import REPOSITORY
from dateline.describe.differences import difference_lines, differences_markdown, plain_text, stat_lines
from dateline.diff.bump import LAWS, judged
from dateline.diff.changes import Change, Diff, in_order

GOLDEN = REPOSITORY / "tests" / "diff" / "golden"

CHANGES = [
    Change("column-added", "mentions", columns=("tone",), new={"type": "string", "nullable": True}),
    Change("column-added", "mentions", columns=("mood",), new={"type": "label", "nullable": False}),
    Change("column-removed", "mentions", columns=("score",), old={"type": "decimal128(12, 3)"}),
    Change("column-renamed", "mentions", columns=("comment",), old={"column": "remark"}, new={"column": "comment"}),
    Change("column-retyped", "events", columns=("level",), old={"type": "string"}, new={"type": "int64"}),
    Change("column-retyped", "events", columns=("tense",), old={"labels": ["A", "B"]}, new={"labels": ["B", "A"]}),
    Change("label-added", "events", columns=("kind",), new={"label": "VISIT"}),
    Change("label-removed", "events", columns=("kind",), old={"label": "TRIP"}),
    Change("key-changed", "times", columns=("time_id",), old={"key": "id"}, new={"key": "time_id"}),
    Change("table-added", "judgements"),
    Change("table-removed", "drafts"),
    Change("annotation-added", "measures", None, "dead", split="corpus", new={"domain": "conflict", "unit": "person"}),
    Change("article-added", "articles", "wire-9", split="train"),
    Change("article-removed", "articles", "wire-1", split="train"),
    Change("article-retracted", "articles", "wire-2", split="test"),
    Change("text-edited", "articles", "wire-3b", split="train", columns=("text",), old={"article_id": "wire-3"},
           new={"article_id": "wire-3b", "old_article": "removed"}),
    Change("split-moved", "articles", "wire-4", split="train", columns=("split",), old={"split": "train"}, new={"split": "test"}),
    Change("metadata-changed", "articles", "wire-5", split="validation", columns=("headline", "revision"),
           old={"headline": "A headline that goes on and on, so that the place where it was changed is not at its begin",
                "revision": 1},
           new={"headline": "A headline that goes on and on, so that the place where it was mended is not at its begin",
                "revision": 2}),
    Change("span-moved", "mentions", "wire-5", "m2", split="validation", columns=("spans",),
           old={"spans": [{"start": 4, "end": 9, "surface": "Ana\u202e B"}]},
           new={"spans": [{"start": 4, "end": 9, "surface": "Ana\u202e B"}, {"start": 20, "end": 24, "surface": "Roe."}]}),
    Change("span-moved", "quantities", "kept-6", "q1", split="train", columns=("head",),
           old={"head": {"start": 1, "end": 2, "surface": None}}, new={"head": {"start": 1, "end": 3, "surface": None}}),
    Change("relabelled", "mentions", "wire-5", "m2", split="validation", columns=("mention_type", "gpe_role"),
           old={"mention_type": "NAM", "gpe_role": None}, new={"mention_type": "NOM", "gpe_role": "ORG"}),
    Change("relinked", "mentions", "wire-5", "m10", split="validation", columns=("entity_id",), old={"entity_id": "e1"},
           new={"entity_id": "e2"}),
    Change("value-changed", "times", "wire-5", "t1", split="validation", columns=("edtf",), old={"edtf": None},
           new={"edtf": "2024-10"}),
    Change("id-changed", "mentions", "wire-5", "m11", "m10", "validation", ("mention_id",), {"mention_id": "m10"},
           {"mention_id": "m11"}),
    Change("annotation-added", "mentions", "wire-5", "m12", split="validation",
           new={"spans": [{"start": 0, "end": 3, "surface": "Ana"}], "entity_id": "e1", "mention_type": "NAM",
                "adjectival": False, "note": "a|b"}),
    Change("annotation-removed", "mentions", "wire-5", "m13", split="validation", old={"mention_type": "PRO"}),
]  # fmt: skip


def result(changes: list[Change]) -> dict[str, Any]:
    found = Diff(
        in_order([judged(change) for change in changes]),
        {"records": {"before": 10, "after": 12, "changed": True}, "ner": {"before": None, "after": 3, "changed": True},
         "standoff": {"before": 1, "after": 1, "changed": False}},
        {"unchanged": 5, "changed": 2, "added": 1, "removed": 3},
    )  # fmt: skip
    place = {"name": "wire", "content_digest": "", "logical_digest": ""}
    return {
        "old": {**place, "words": "v0.1.0", "version": "0.1.0", "commit": "0123456789abcdef"},
        "new": {**place, "words": "worktree", "version": "0.0.0", "commit": None},
        "bump": found.bump, "why": [c.as_json() | {"says": LAWS[c.why].says} for c in found.changes if c.bump == found.bump],
        "counts": found.counts(), "articles": found.articles, "changes": [c.as_json() for c in found.changes],
        "projected": found.projected,
    }  # fmt: skip


GIVEN = {
    "all.txt": plain_text(difference_lines(result(CHANGES))),
    "stat.txt": plain_text(stat_lines(result(CHANGES))),
    "all.md": differences_markdown(result(CHANGES)),
    "minor.txt": plain_text(difference_lines(result([c for c in CHANGES if c.kind in ("label-added", "relabelled")]))),
    "none.txt": plain_text(difference_lines(result([]))),
}


@pytest.mark.parametrize("name", GIVEN)
def test_a_diff_reads_as_the_golden_file(name: str) -> None:
    path = GOLDEN / name
    if os.environ.get("DATELINE_WRITE_GOLDEN"):
        path.write_text(GIVEN[name], encoding="utf-8")
    assert GIVEN[name] == path.read_text(encoding="utf-8")


def test_nothing_that_would_disturb_a_terminal_or_a_table_is_shown_raw() -> None:
    assert all(char.isprintable() or char == "\n" for text in GIVEN.values() for char in text)
    rows = [line for line in GIVEN["all.md"].splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {6}


def test_of_very_many_changes_the_first_are_shown_and_the_rest_counted() -> None:
    many = [Change("annotation-removed", "mentions", "a", f"m{n}", split="train") for n in range(1203)]
    assert "... and 203 more changes; --json lists all" in plain_text(difference_lines(result(many)))
    assert "... and 1,003 more changes" in differences_markdown(result(many))


def test_styles_say_what_was_and_what_is() -> None:
    lines = difference_lines(result([change for change in CHANGES if change.kind == "relinked"]))
    assert [(part.text, part.style) for part in lines[3]] == [
        ("  mentions m10", "cyan"), ("  relinked", ""), (": entity_id ", ""), ("e1", "red"), (" -> ", ""), ("e2", "green"),
        ("  [minor]", "yellow"),
    ]  # fmt: skip
