"""One article before and after: each kind of change is told, alone and beside others, and nothing else is."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from diff.small import Rows, article, changes, mention, span, told

Edit = Callable[[Rows], Any]


def row(rows: Rows, key: str) -> dict[str, Any]:
    """The row with this id; prefixes tell the tables apart."""
    table, column = {"e": ("entities", "entity_id"), "m": ("mentions", "mention_id"), "f": ("factuality", "factuality_id")}[
        key[0]
    ]
    return next(row for row in rows[table] if row[column] == key)


EDITS: dict[str, tuple[Edit, list[tuple[str, str]]]] = {
    "nothing": (lambda a: None, []),
    "words moved": (lambda a: row(a, "m1").update(spans=[span(0, 4)]), [("span-moved", "a#m1")]),
    "words moved away": (lambda a: row(a, "m1").update(spans=[span(60, 64)]), [("span-moved", "a#m1")]),
    "a second span": (lambda a: row(a, "m1")["spans"].append(span(5, 7)), [("span-moved", "a#m1")]),
    "relabelled": (lambda a: row(a, "m2").update(mention_type="NOM"), [("relabelled", "a#m2")]),
    "relinked": (lambda a: row(a, "m2").update(entity_id="e1"), [("relinked", "a#m2")]),
    "link to its like": (lambda a: row(a, "m6").update(outer_id="m4"), [("relinked", "a#m6")]),
    "value": (lambda a: row(a, "e1").update(name="Anna"), [("value-changed", "a#e1")]),
    "truth value is no number": (lambda a: row(a, "e1").update(animate=1), [("value-changed", "a#e1")]),
    "added": (lambda a: a["mentions"].append(mention("m7", 70, 75)), [("annotation-added", "a#m7")]),
    "removed": (lambda a: a["mentions"].remove(row(a, "m4")), [("annotation-removed", "a#m4")]),
    "id": (lambda a: row(a, "m4").update(mention_id="x9"), [("id-changed", "a#x9")]),
    "text": (lambda a: a["articles"][0].update(text="!", text_sha256="u"), [("text-edited", "a")]),
    "metadata": (lambda a: a["articles"][0].update(publisher="Post", group="h"), [("metadata-changed", "a")]),
    "split": (lambda a: a["articles"][0].update(split="test"), [("split-moved", "a")]),
    "coverage": (lambda a: a["coverage"][0].update(complete=False), [("value-changed", "a#mentions")]),
    "another layer covered": (
        lambda a: a["coverage"][0].update(layer="events"),
        [("annotation-added", "a#events"), ("annotation-removed", "a#mentions")],
    ),
    "moved and relabelled": (
        lambda a: row(a, "m1").update(spans=[span(1, 3)], mention_type="PRO"), [("span-moved", "a#m1"), ("relabelled", "a#m1")]
    ),
    "all at once": (
        lambda a: row(a, "m1").update(spans=[span(1, 3)], mention_type="PRO", entity_id="e3", remark="so"),
        [("span-moved", "a#m1"), ("relabelled", "a#m1"), ("relinked", "a#m1"), ("value-changed", "a#m1")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_told_as_what_it_is(name: str) -> None:
    edit, expected = EDITS[name]
    edited = article()
    edit(edited)
    assert told(article(), edited) == expected


def test_edits_of_several_rows_are_told_in_one_order_whatever_order_rows_have() -> None:
    edited = article()
    for name in ("relinked", "moved and relabelled", "value", "added", "removed", "metadata"):
        EDITS[name][0](edited)
    expected = changes(article(), edited)
    assert [(c.table, c.kind, c.row) for c in expected] == [
        ("articles", "metadata-changed", None),
        ("entities", "value-changed", "e1"),
        ("mentions", "span-moved", "m1"),
        ("mentions", "relabelled", "m1"),
        ("mentions", "relinked", "m2"),
        ("mentions", "annotation-removed", "m4"),
        ("mentions", "annotation-added", "m7"),
    ]
    draw = random.Random(5)
    for _ in range(20):
        before, after = ({name: draw.sample(rows, len(rows)) for name, rows in side.items()} for side in (article(), edited))
        assert changes(before, after) == expected


def test_a_change_says_the_values_of_its_columns_and_the_split_of_before() -> None:
    edited = article("validation")
    row(edited, "m2").update(mention_type="NOM", spans=[span(10, 13)])
    moved, relabelled = changes(article("train"), edited)[1:]
    assert (moved.columns, moved.old["spans"], moved.new["spans"]) == (("spans",), [span(10, 12)], [span(10, 13)])
    assert (relabelled.old, relabelled.new, relabelled.split) == ({"mention_type": "NAM"}, {"mention_type": "NOM"}, "train")
