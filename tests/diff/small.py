"""What tests of the diff build with: one small article, its rows by table, and what is known of these tables."""

from __future__ import annotations

import copy
from typing import Any

from dateline.diff.article import diff_article
from dateline.diff.changes import Change
from dateline.diff.facts import Columns, Facts

Rows = dict[str, list[dict[str, Any]]]

TABLES = {
    "articles": Columns("article_id", "article_id", values=("text_sha256", "text", "split", "publisher", "group")),
    "entities": Columns("entity_id", "entity_id", labels=("entity_type",), values=("name", "animate")),
    "mentions": Columns(
        "mention_id", "mention_id", spans=("spans",), references={"entity_id": "entities", "outer_id": "mentions"},
        labels=("mention_type",), values=("remark",),
    ),
    "factuality": Columns("factuality_id", "factuality_id", references={"mention_id": "mentions"}, labels=("value",)),
    "coverage": Columns("layer", "layer", values=("complete",), fresh_ids=False),
}  # fmt: skip
FACTS = Facts(TABLES)


def span(start: int, end: int) -> dict[str, Any]:
    return {"start": start, "end": end, "surface": "x" * (end - start)}


def mention(key: str, start: int, end: int, entity: str = "e1", kind: str = "NAM", **more: Any) -> dict[str, Any]:
    made = {"article_id": "a", "mention_id": key, "spans": [span(start, end)], "entity_id": entity, "outer_id": None}
    return made | {"mention_type": kind, "remark": None} | more


def entity(key: str, name: str, kind: str = "PER") -> dict[str, Any]:
    return {"article_id": "a", "entity_id": key, "entity_type": kind, "name": name, "animate": True}


def factuality(key: str, mention_id: str, value: str) -> dict[str, Any]:
    return {"article_id": "a", "factuality_id": key, "mention_id": mention_id, "value": value}


def article(split: str = "train", **tables: list[dict[str, Any]]) -> Rows:
    """An article of three people, six mentions and what is said of them; `tables` takes the place of its own."""
    own = {"article_id": "a", "text_sha256": "t", "text": "...", "split": split, "publisher": "Wire", "group": "g"}
    made: Rows = {
        "articles": [own],
        "entities": [entity("e1", "Ana"), entity("e2", "Bo"), entity("e3", "Rome", "LOC")],
        "mentions": [
            mention("m1", 0, 3), mention("m2", 10, 12, "e2"), mention("m3", 20, 24, "e3"), mention("m4", 30, 33, kind="PRO"),
            mention("m5", 40, 50, "e2", "NOM"), mention("m6", 44, 50, "e3", outer_id="m5"),
        ],
        "factuality": [factuality("f1", "m1", "CT"), factuality("f2", "m2", "PS"), factuality("f3", "m3", "CT")],
        "coverage": [{"article_id": "a", "layer": name, "complete": True} for name in ("mentions", "entities")],
    }  # fmt: skip
    return copy.deepcopy(made | tables)


def told(old: Rows, new: Rows, facts: Facts = FACTS) -> list[tuple[str, str]]:
    """The changes as (kind, id)."""
    return [(change.kind, change.id) for change in changes(old, new, facts)]


def changes(old: Rows, new: Rows, facts: Facts = FACTS) -> list[Change]:
    return diff_article(old, new, facts)
