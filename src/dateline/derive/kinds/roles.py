"""Kind `roles`: one row per item of a layer, with the passage that holds it and its spans by role (source, cue, content).

[tool.dateline.views.quote_attribution]
kind = "roles"
layer = "attributions"
roles = ["source_spans", "cue_spans", "content_spans"]
columns = { source_names = "source_entity_ids.canonical_name", quote_type = "quote_type" }
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dateline.derive.article import Article, layer_of
from dateline.derive.columns import SPANS, Column, Table
from dateline.derive.passages import relative
from dateline.derive.views import STATUS, Along, Head, Shown, along, columns_of, head
from dateline.errors import ProjectError
from dateline.schema import Schemas


@dataclass(frozen=True)
class Options(Shown):
    """`layer`: whose items; `roles`: which of its lists of spans (by default all)."""

    layer: str = ""
    roles: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Roles:
    """The view."""

    table: Table
    head: Head
    layer: str
    roles: tuple[str, ...]
    along: Along

    def rows(self, article: Article) -> Iterator[dict[str, Any]]:
        """One row per item that has a span, in the order of the layer."""
        key, status = article.keys[self.layer], article.status_of(self.layer)
        for item in article.items(self.layer):
            anchored = [span for role in self.roles for span in item[role]]
            if anchored:
                said, start = self.head.around(article, anchored)
                spans = {role: relative(item[role], start) for role in self.roles}
                own = self.along.of(article, item)
                yield {"id": f"{article.id}#{item[key]}", **said, **spans, **own, STATUS.name: status}


def make(name: str, said: Options, schemas: Schemas, where: str) -> Roles:
    """The view that is declared. Raises ProjectError for what schemas/ do not have."""
    layer = layer_of(said.layer, schemas, where)
    known = {f.name: f for f in layer.spanned if f.span == "many"}
    roles = tuple(said.roles or known)
    for role in roles:
        if role not in known:
            raise ProjectError(f"{where}: {layer.name} has no list of spans {role!r}; it has {', '.join(known) or 'none'}")
    if not roles:
        raise ProjectError(f"{where}: {layer.name} has no lists of spans that could be roles")
    begun, further = head(said, schemas, where), along(said.columns, layer, schemas, where)
    spans = [Column(role, SPANS, f"{known[role].description} Spans within the passage.") for role in roles]
    table = Table(
        name,
        said.title or name,
        said.description or f"One of {layer.name} with the passage that holds it and its spans by role.",
        columns_of(begun.columns, spans, further.columns, (STATUS,), where=where),
        "id",
        "article_id",
    )
    return Roles(table, begun, layer.name, roles, further)
