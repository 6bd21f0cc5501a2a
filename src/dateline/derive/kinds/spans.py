"""Kind `spans`: one row per passage, with all spans of a layer inside it and their labels (names and their types).

    [tool.dateline.views.ner]
    kind = "spans"
    layer = "mentions"
    label = "entity_id.type"
    passage = { layer = "segments", where = { kind = ["sentence"] } }

Passages outside what was annotated (`coverage`) give no rows: there nothing would read as a negative. Passages that an item
reaches across are shown as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dateline.derive.article import Article, Path, layer_of, path
from dateline.derive.columns import Column, Table
from dateline.derive.passages import Stretch, holding, relative, stretch_of
from dateline.derive.views import STATUS, Head, Shown, columns_of, head, label_column
from dateline.errors import ProjectError
from dateline.schema import Schemas

SPAN = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("label", pa.string()), ("item", pa.string())])


@dataclass(frozen=True)
class Options(Shown):
    """`layer`: whose spans; `spans`: which of its fields (by default its first); `label`: a path; `items`: the list's name."""

    layer: str = ""
    spans: str = ""
    label: str = ""
    items: str = "entities"


@dataclass(frozen=True)
class Spans:
    """The view."""

    table: Table
    head: Head
    layer: str
    spans: str
    label: Path
    items: str

    def rows(self, article: Article) -> Iterator[dict[str, Any]]:
        """One row per passage that was annotated, in the order of the text."""
        shown = list(self._passages(article))
        stretches = [stretch for stretch, _ in shown]
        held: list[list[dict[str, Any]]] = [[] for _ in shown]
        key = article.keys[self.layer]
        for item in article.items(self.layer):
            number = holding(stretches, item[self.spans][0]["start"]) if item[self.spans] else None
            if number is None:
                continue
            start = stretches[number][0]
            own = {"label": self.label.value_in(article, item), "item": item[key]}
            held[number] += [{**span, **own} for span in relative(item[self.spans], start)]
        status = article.status_of(self.layer)
        for (stretch, name), found in zip(shown, held, strict=True):
            if article.covers(self.layer, *stretch):
                said, _ = self.head.of(article, stretch)
                found.sort(key=lambda s: (s["start"], -s["end"], s["item"]))
                yield {"id": f"{article.id}#{name}", **said, self.items: found, STATUS.name: status}

    def _passages(self, article: Article) -> Iterator[tuple[Stretch, str]]:
        """The passages; those that an item reaches across are one, under the first one's name."""
        found = self.head.passages.of(article)
        stretches = [stretch for stretch, _ in found]
        reach = list(range(len(found)))
        for item in article.items(self.layer):
            if item[self.spans]:
                start, end = stretch_of(item[self.spans])
                first, last = holding(stretches, start), holding(stretches, end - 1)
                if first is not None and last is not None:
                    reach[first] = max(reach[first], last)
        number = 0
        while number < len(found):
            last, at = reach[number], number
            while at < last:
                at += 1
                last = max(last, reach[at])
            yield (stretches[number][0], max(end for _, end in stretches[number : last + 1])), found[number][1]
            number = last + 1


def make(name: str, said: Options, schemas: Schemas, where: str) -> Spans:
    """The view that is declared. Raises ProjectError for what schemas/ do not have."""
    layer = layer_of(said.layer, schemas, where)
    spans = said.spans or next((f.name for f in layer.spanned if f.span == "many"), "")
    if spans not in {f.name for f in layer.spanned if f.span == "many"}:
        raise ProjectError(f"{where}: {said.layer} has no list of spans {spans!r}".replace(" ''", ""))
    if not said.label:
        raise ProjectError(f"{where}: `label` is missing: the path from {said.layer} to the label of a span")
    label = path(said.label, layer.name, schemas, f"{where} label")
    if said.columns:
        raise ProjectError(f"{where}: a row is a passage with many items, so it has no `columns`")
    begun = head(said, schemas, where)
    labels = label_column("label", label, f"{where} label")
    listed = Column(
        said.items,
        pa.list_(SPAN),
        f"Spans within the passage, in the order of the text, with their labels; several of one item ({layer.name}) are one "
        "discontinuous span.",
        {"items": {"properties": {"label": labels.schema}}},
    )
    table = Table(
        name,
        said.title or name,
        said.description or f"One passage with its {layer.name}, each span with its label ({said.label}).",
        columns_of(begun.columns, (listed, STATUS), where=where),
        "id",
        "article_id",
    )
    return Spans(table, begun, layer.name, spans, label, said.items)
