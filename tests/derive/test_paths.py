"""A path from an item over references to a column."""

from __future__ import annotations

import json

import pytest

from building import MENTIONS, mention
from dateline.derive.article import Article, path
from dateline.schema import schemas_from


@pytest.mark.parametrize("kind", ["array", ["array", "null"]])
def test_a_list_of_references_leads_to_all_of_them(kind: str | list[str]) -> None:
    others = {"type": kind, "items": {"type": "string"}, "description": "Others.", "x-ref": "mentions"}
    layer = {**MENTIONS, "properties": {**MENTIONS["properties"], "others": others}}
    schemas = schemas_from({"mentions": json.dumps(layer).encode()})
    rows = [mention("m1", 0, 3, others=["m2", "m3"]), mention("m2", 8, 10, "LOC"), mention("m3", 4, 7)]
    article = Article({"article_id": "a"}, {"mentions": rows}, {"mentions": "mention_id"})
    assert path("others.label", "mentions", schemas, "view").value_in(article, rows[0]) == ["LOC", "PER"]
