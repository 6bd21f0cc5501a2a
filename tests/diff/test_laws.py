"""What holds of any two articles: nothing differs from itself, order means nothing, and the way back mirrors the way there."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from diff.small import Rows, article, changes, entity, factuality, mention

KEYS = st.integers(1, 5)
MENTION = st.builds(
    lambda key, start, length, who, kind: mention(f"m{key}", start, start + length, f"e{who}", kind),
    KEYS, st.integers(0, 12), st.integers(1, 4), st.integers(1, 3), st.sampled_from(["NAM", "NOM"]),
)  # fmt: skip
ENTITY = st.builds(lambda key, name: entity(f"e{key}", name), st.integers(1, 3), st.sampled_from(["Ana", "Bo", "Cy"]))
FACT = st.builds(lambda key, of, value: factuality(f"f{key}", f"m{of}", value), KEYS, KEYS, st.sampled_from(["CT", "PS"]))


def unique(rows: st.SearchStrategy[dict[str, Any]], key: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(rows, max_size=5, unique_by=lambda row: row[key])


ARTICLE = st.builds(
    lambda m, e, f: article(mentions=m, entities=e, factuality=f),
    unique(MENTION, "mention_id"), unique(ENTITY, "entity_id"), unique(FACT, "factuality_id"),
)  # fmt: skip
MIRRORED = {"annotation-added": "annotation-removed", "annotation-removed": "annotation-added"}


@given(ARTICLE)
def test_nothing_differs_from_itself(one: Rows) -> None:
    assert changes(one, one) == []


@given(ARTICLE, ARTICLE, st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing(old: Rows, new: Rows, draw: Any) -> None:
    shuffled = [{name: draw.sample(rows, len(rows)) for name, rows in side.items()} for side in (old, new)]
    assert changes(shuffled[0], shuffled[1]) == changes(old, new)


@given(ARTICLE, ARTICLE)
def test_every_row_is_accounted_for(old: Rows, new: Rows) -> None:
    """Rows added and removed are what the tables grew by; every other row has one partner."""
    found = changes(old, new)
    for table, key in (("mentions", "mention_id"), ("entities", "entity_id"), ("factuality", "factuality_id")):
        kinds = Counter(c.kind for c in found if c.table == table)
        assert len(new[table]) - len(old[table]) == kinds["annotation-added"] - kinds["annotation-removed"]
        touched = [(c.row, c.kind) for c in found if c.table == table and c.kind != "annotation-removed"]
        assert len(set(touched)) == len(touched)
        assert {row for row, _ in touched} <= {row[key] for row in new[table]}


@given(ARTICLE, ARTICLE)
def test_the_way_back_mirrors_the_way_there(old: Rows, new: Rows) -> None:
    """Of rows that nothing refers to: what a reference means depends on which row kept its id."""
    there, back = (Counter((c.table, c.kind) for c in changes(*way)) for way in ((old, new), (new, old)))
    assert {(table, MIRRORED.get(kind, kind)): n for (table, kind), n in there.items() if table == "entities"} == {
        at: n for at, n in back.items() if at[0] == "entities"
    }


@settings(max_examples=50)
@given(ARTICLE, st.permutations([f"m{n}" for n in range(1, 6)]))
def test_other_ids_alone_are_other_ids_alone(one: Rows, names: list[str]) -> None:
    """Rows that differ from each other in what tells them, under fresh names throughout."""
    named = {f"m{n}": f"x{name}" for n, name in enumerate(names, 1)}
    fresh = {
        table: [{**row, "mention_id": named[row["mention_id"]]} if "mention_id" in row else row for row in rows]
        for table, rows in one.items()
    }
    known = {row["mention_id"] for row in one["mentions"]}
    dangling = [row for row in one["factuality"] if row["mention_id"] not in known]
    if not dangling:
        assert {c.kind for c in changes(one, fresh)} <= {"id-changed"}
