"""Kind `labels`: one row per item of a layer, with the passage around its anchor and its label (how factual an event is).

[tool.dateline.views.event_factuality]
kind = "labels"
layer = "factuality"
anchor = "event_id.trigger_spans"
label = "value"
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dateline.derive.article import Article, Path, layer_of, path
from dateline.derive.columns import SPANS, Column, Table
from dateline.derive.passages import relative
from dateline.derive.views import STATUS, Along, Head, Shown, along, columns_of, head, label_column
from dateline.errors import ProjectError
from dateline.schema import Schemas


@dataclass(frozen=True)
class Options(Shown):
    """`layer`: whose items; `anchor`: the path to the spans that they are about; `label`: the path to their label."""

    layer: str = ""
    anchor: str = ""
    label: str = ""


@dataclass(frozen=True)
class Labels:
    """The view."""

    table: Table
    head: Head
    layer: str
    anchor: Path
    label: Path
    along: Along

    def rows(self, article: Article) -> Iterator[dict[str, Any]]:
        """One row per item that has an anchor and a label, in the order of the layer."""
        key, status = article.keys[self.layer], article.status_of(self.layer)
        for item in article.items(self.layer):
            spans = self.anchor.value_in(article, item)
            label = self.label.value_in(article, item)
            if spans and label is not None:
                said, start = self.head.around(article, spans)
                said |= {self.anchor.field.name: relative(spans, start), **self.along.of(article, item)}
                yield {"id": f"{article.id}#{item[key]}", **said, "label": label, STATUS.name: status}


def make(name: str, said: Options, schemas: Schemas, where: str) -> Labels:
    """The view that is declared. Raises ProjectError for what schemas/ do not have."""
    layer = layer_of(said.layer, schemas, where)
    for option in ("anchor", "label"):
        if not getattr(said, option):
            raise ProjectError(f"{where}: `{option}` is missing: a path from {layer.name}")
    anchor = path(said.anchor, layer.name, schemas, f"{where} anchor")
    if anchor.field.span != "many" or anchor.many:
        raise ProjectError(f"{where} anchor: {said.anchor!r} does not lead to one list of spans")
    label = path(said.label, layer.name, schemas, f"{where} label")
    begun, further = head(said, schemas, where), along(said.columns, layer, schemas, where)
    spans = Column(anchor.field.name, SPANS, f"{anchor.field.description} Spans within the passage.")
    labels = label_column("label", label, f"{where} label")
    table = Table(
        name,
        said.title or name,
        said.description or f"One of {layer.name} with the passage around its anchor, and its label ({said.label}).",
        columns_of(begun.columns, (spans,), further.columns, (labels, STATUS), where=where),
        "id",
        "article_id",
    )
    return Labels(table, begun, layer.name, anchor, label, further)
