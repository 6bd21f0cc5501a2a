"""Which row is which: ids are believed where that is plausible, and seen through where tools gave out new ones."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from diff.small import Rows, article, changes, entity, factuality, mention, span, told


def renamed(rows: Rows, names: dict[str, str]) -> Rows:
    """The article with other ids, references and all."""

    def new(value: Any) -> Any:
        return names.get(value, value) if isinstance(value, str) else value

    ids = ("entity_id", "mention_id", "factuality_id", "outer_id")
    return {table: [{c: new(v) if c in ids else v for c, v in row.items()} for row in found] for table, found in rows.items()}


def shifted(prefix: str, count: int, by: int = 1) -> dict[str, str]:
    return {f"{prefix}{n}": f"{prefix}{n + by}" for n in range(1, count + 1)}


def kinds(old: Rows, new: Rows) -> Counter[str]:
    return Counter(change.kind for change in changes(old, new))


ALL_IDS = [f"{prefix}{n}" for prefix, count in (("e", 3), ("m", 6), ("f", 3)) for n in range(1, count + 1)]


def test_fresh_ids_are_another_id_and_nothing_else() -> None:
    fresh = renamed(article(), {key: f"x-{key}-{len(key)}" for key in ALL_IDS})
    assert kinds(article(), fresh) == {"id-changed": 12}
    assert all(change.bump == "major" and change.why == "id-changed" for change in changes(article(), fresh))


@pytest.mark.parametrize("by", [1, 2, 5])
def test_ids_that_moved_up_are_seen_through_references_and_all(by: int) -> None:
    moved = renamed(article(), shifted("e", 3, by) | shifted("m", 6, by) | shifted("f", 3, by))
    assert kinds(article(), moved) == {"id-changed": 12}


def test_a_row_put_in_front_moves_all_ids_up_and_is_the_one_that_was_added() -> None:
    moved = renamed(article(), shifted("m", 6))
    moved["mentions"].insert(0, mention("m1", 5, 9, "e3"))
    assert kinds(article(), moved) == {"id-changed": 6, "annotation-added": 1}
    (added,) = (change for change in changes(article(), moved) if change.kind == "annotation-added")
    assert added.row == "m1"


def test_a_row_taken_out_in_front_moves_all_ids_down_and_is_the_one_that_was_removed() -> None:
    fewer = article(factuality=[])
    fewer["mentions"] = fewer["mentions"][1:]
    moved = renamed(fewer, shifted("m", 6, -1) | {"m2": "m1"})
    assert kinds(article(factuality=[]), moved) == {"id-changed": 5, "annotation-removed": 1}


def test_among_ids_that_moved_up_an_edit_is_still_told() -> None:
    moved = renamed(article(), shifted("m", 6))
    moved["mentions"][2].update(mention_type="PRO")
    moved["mentions"][3].update(spans=[span(29, 33)])
    moved["mentions"].insert(0, mention("m1", 5, 9, "e3"))
    assert kinds(article(), moved) == {"id-changed": 6, "annotation-added": 1, "relabelled": 1, "span-moved": 1}


def test_renumbered_entities_relink_no_mention() -> None:
    moved = renamed(article(), {"e1": "e3", "e2": "e1", "e3": "e2"})
    assert told(article(), moved) == [("id-changed", f"a#e{n}") for n in (1, 2, 3)]


def test_entities_that_exchanged_their_ids_relink_what_names_them_still() -> None:
    """The mentions read as before, and mean somebody else."""
    exchanged = article(entities=[entity("e1", "Bo"), entity("e2", "Ana"), entity("e3", "Rome", "LOC")])
    assert kinds(article(), exchanged) == {"id-changed": 2, "relinked": 4}


def test_an_id_that_was_given_to_a_new_row_relinks_what_names_it_still() -> None:
    without = article(mentions=[mention("m1", 0, 3)], factuality=[])
    given = article(mentions=[mention("m1", 0, 3)], factuality=[])
    given["entities"] = [entity("e9", "Ana"), entity("e1", "Cleo Ltd", "ORG"), *given["entities"][1:]]
    assert kinds(without, given) == {"id-changed": 1, "annotation-added": 1, "relinked": 1}


def test_mentions_that_exchanged_their_places_exchanged_their_ids() -> None:
    exchanged = renamed(article(factuality=[]), {"m1": "m4", "m4": "m1"})
    assert kinds(article(factuality=[]), exchanged) == {"id-changed": 2}


def test_rows_that_exchanged_a_label_were_relabelled() -> None:
    edited = article()
    edited["factuality"] = [factuality("f1", "m1", "PS"), factuality("f2", "m2", "CT"), factuality("f3", "m3", "CT")]
    assert told(article(), edited) == [("relabelled", "a#f1"), ("relabelled", "a#f2")]


def test_a_row_that_became_like_its_edited_neighbour_was_before_keeps_its_id() -> None:
    edited = article(entities=[entity("e1", "Bo"), entity("e2", "Bob"), entity("e3", "Rome", "LOC")])
    assert told(article(), edited) == [("value-changed", "a#e1"), ("value-changed", "a#e2")]


def test_of_equal_rows_those_that_keep_their_id_stay() -> None:
    twins = article(mentions=[mention("m1", 0, 3), mention("m2", 0, 3), mention("m3", 0, 3)], factuality=[])
    one = article(mentions=[mention("m2", 0, 3)], factuality=[])
    assert told(twins, one) == [("annotation-removed", "a#m1"), ("annotation-removed", "a#m3")]
    fresh = article(mentions=[mention(f"x{n}", 0, 3) for n in range(3)], factuality=[])
    assert kinds(twins, fresh) == {"id-changed": 3}


def test_a_row_of_another_id_is_found_by_overlap_and_label() -> None:
    edited = article(factuality=[])
    edited["mentions"][3].update(mention_id="z1", spans=[span(30, 36)])
    assert kinds(article(factuality=[]), edited) == {"id-changed": 1, "span-moved": 1}
    edited["mentions"][3].update(mention_type="NOM")
    assert kinds(article(factuality=[]), edited) == {"id-changed": 1, "span-moved": 1, "relabelled": 1}
    edited["mentions"][3].update(spans=[span(32, 60)])  # one character of many, and another label: another annotation
    assert kinds(article(factuality=[]), edited) == {"annotation-added": 1, "annotation-removed": 1}


def test_the_greatest_overlap_goes_first() -> None:
    old = article(mentions=[mention("m1", 0, 10), mention("m2", 8, 20)], factuality=[])
    new = article(mentions=[mention("x1", 7, 20), mention("x2", 0, 9)], factuality=[])
    found = {(c.old_row, c.row) for c in changes(old, new) if c.kind == "id-changed"}
    assert found == {("m1", "x2"), ("m2", "x1")}


def test_a_row_without_spans_is_found_by_what_it_says() -> None:
    edited = article(mentions=[], factuality=[])
    edited["entities"] = [entity("x1", "Ana", "ORG"), entity("x2", "Cleo"), entity("e3", "Rome", "LOC")]
    found = changes(article(mentions=[], factuality=[]), edited)
    assert [(c.kind, c.old_row, c.row) for c in found] == [
        ("annotation-removed", None, "e2"),
        ("relabelled", "e1", "x1"), ("id-changed", "e1", "x1"),
        ("annotation-added", None, "x2"),
    ]  # fmt: skip


def test_a_row_without_spans_is_found_by_a_name_that_was_edited() -> None:
    edited = article(mentions=[], factuality=[])
    edited["entities"] = [entity("x1", "Anna"), entity("x2", "Cleopatra"), entity("x3", "Rome", "LOC")]
    found = changes(article(mentions=[], factuality=[]), edited)
    assert [(c.kind, c.old_row, c.row) for c in found] == [
        ("annotation-removed", None, "e2"),
        ("value-changed", "e1", "x1"), ("id-changed", "e1", "x1"),
        ("annotation-added", None, "x2"),
        ("id-changed", "e3", "x3"),
    ]  # fmt: skip


def test_where_the_key_says_what_a_row_is_no_other_row_is_taken_for_it() -> None:
    edited = article()
    edited["coverage"] = [{"article_id": "a", "layer": "events", "complete": True}]
    assert kinds(article(), edited) == {"annotation-removed": 2, "annotation-added": 1}


def test_neighbours_that_overlap_do_not_meet_under_one_id_where_ids_and_offsets_move_together() -> None:
    """A description and the name in it, of two entities, over and over; then a character more in front, and ids counted on."""
    spans = [(start, *said) for start in (10, 40, 70) for said in ((20, "e1", "NOM"), (9, "e2", "NAM"))]
    old = [mention(f"m{n}", at, at + length, who, kind) for n, (at, length, who, kind) in enumerate(spans, 1)]
    new = [mention(f"m{n + 1}", at + 1, at + 1 + length, who, kind) for n, (at, length, who, kind) in enumerate(spans, 1)]
    moved = [{**article(), "mentions": said, "factuality": []} for said in (old, new)]
    assert kinds(*moved) == {"id-changed": 6, "span-moved": 6}
