"""The laws of the bump: each with a change that it holds for, and one near it that another holds for."""

from __future__ import annotations

import pytest

from building import REPOSITORY
from dateline.describe.differences import laws_table
from dateline.diff.bump import LAWS, bump_of
from dateline.diff.changes import KINDS, SCHEMA_KINDS, Change, Diff


def row(kind: str, split: str, table: str = "mentions") -> Change:
    return Change(kind, table, None if split == "corpus" else "a", "m1", split=split)


def article(kind: str, split: str) -> Change:
    return Change(kind, "articles", "a", split=split)


def superseding(state: str, split: str = "train") -> Change:
    return Change("text-edited", "articles", "b", split=split, old={"article_id": "a"}, new={"old_article": state})


def column(nullable: bool) -> Change:
    return Change("column-added", "mentions", columns=("tone",), new={"type": "string", "nullable": nullable})


CORRECTIONS = ("span-moved", "relabelled", "relinked", "value-changed")

JUDGED = [
    *((row(kind, split), "correction", "minor", "major") for kind in CORRECTIONS for split in ("train", "validation", "dev")),
    *((row(kind, "test"), "test-article", "major", "major") for kind in (*CORRECTIONS, "annotation-added")),
    *((row(kind, "corpus"), "corpus-row-corrected", "major", "major") for kind in CORRECTIONS),
    (row("annotation-added", "train"), "annotation-added", "minor", "major"),
    (row("annotation-added", "corpus"), "corpus-row-added", "minor", "minor"),
    *((row("annotation-removed", split), "annotation-removed", "major", "major") for split in ("train", "test", "corpus")),
    *((row("id-changed", split), "id-changed", "major", "major") for split in ("train", "test", "corpus")),
    *((article(kind, "train"), "correction", "minor", "major") for kind in ("text-edited", "metadata-changed")),
    *((article(kind, "test"), "test-article", "major", "major") for kind in ("text-edited", "metadata-changed")),
    *((article("article-added", split), "article-added", "minor", "minor") for split in ("train", "test")),
    *((article(kind, "train"), kind, "major", "major") for kind in ("article-removed", "article-retracted", "split-moved")),
    (superseding("kept"), "text-revision-added", "minor", "minor"),
    (superseding("kept", "test"), "text-revision-added", "minor", "minor"),
    (superseding("removed"), "text-replaced", "major", "major"),
    (column(nullable=True), "column-added", "minor", "minor"),
    (column(nullable=False), "column-required", "major", "major"),
    *((Change(kind, "mentions"), kind, "minor", "minor") for kind in ("table-added", "label-added")),
    *(
        (Change(kind, "mentions"), kind, "major", "major")
        for kind in SCHEMA_KINDS
        if kind not in ("table-added", "label-added", "column-added")
    ),
]


@pytest.mark.parametrize(("change", "law", "errata", "strict"), JUDGED, ids=[f"{c.kind}-{c.split}" for c, *_ in JUDGED])
def test_a_change_forces_the_bump_of_its_law(change: Change, law: str, errata: str, strict: str) -> None:
    assert bump_of(change) == (errata, law)
    assert bump_of(change, "strict") == (strict, law)


def test_every_kind_is_judged_and_every_law_is_needed() -> None:
    assert {change.kind for change, *_ in JUDGED} == set(KINDS)
    assert {law for _, law, *_ in JUDGED} | {"projections"} == LAWS.keys()


def test_the_split_that_stays_may_have_another_name() -> None:
    assert bump_of(row("relabelled", "held_out"), test="held_out") == ("major", "test-article")
    assert bump_of(row("relabelled", "test"), test="held_out") == ("minor", "correction")


def test_a_diff_forces_the_highest_bump_and_names_what_forces_it() -> None:
    minor, major = Change("label-added", "mentions", bump="minor"), Change("key-changed", "mentions", bump="major")
    assert (Diff([]).bump, Diff([minor]).bump, Diff([minor, major]).bump) == ("patch", "minor", "major")
    assert Diff([minor, major]).forcing("major") == [major]
    assert Diff([minor, major]).forcing("minor") == [minor, major]


def test_the_page_shows_the_laws_as_they_are() -> None:
    page = (REPOSITORY / "docs" / "diffing.md").read_text(encoding="utf-8")
    assert laws_table(LAWS) in page
    assert all(f"`{kind}`" in page for kind in KINDS)
