"""What all views share: the columns at their head, columns along a path, and how one is declared and made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import pyarrow as pa

from dateline.derive.article import Article, Path, path
from dateline.derive.columns import Column, Table, labelled, text
from dateline.derive.passages import PassageOptions, Passages, Stretch, passages
from dateline.errors import ProjectError
from dateline.schema import Layer, Schemas

STATUSES = ("PRIMARY", "ADJUDICATED", "REFERENCE_DRAFT")


class ArticleView(Protocol):
    """A view whose rows follow from one article at a time; only articles with their text come to it."""

    table: Table

    def rows(self, article: Article) -> Iterator[dict[str, Any]]:
        """The rows of an article, in the order of the text or of the layer."""
        ...


@dataclass(frozen=True)
class Shown:
    """What every kind of view may declare: `title` and `description` for the card, what a passage is, columns of the article
    (`article = ["language"]`), and further columns by a path from the layer (`{ speakers = "source_entity_ids.name" }`)."""

    kind: str
    title: str = ""
    description: str = ""
    passage: PassageOptions | None = None
    article: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Head:
    """The columns at the head of a view with passages, and their values."""

    passages: Passages
    article: tuple[str, ...]
    columns: tuple[Column, ...]

    def around(self, article: Article, spans: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], int]:
        """The head of a row that shows these spans, without its id; and where its passage starts."""
        return self.of(article, self.passages.around(article, spans))

    def of(self, article: Article, stretch: Stretch) -> tuple[dict[str, Any], int]:
        """The head of a row that shows a stretch of the text, without its id; and where its passage starts."""
        start, end = stretch
        own = {name: article.row[name] for name in self.article}
        said = {"article_id": article.id, "story": article.story, **own}
        return {**said, "passage": article.row["text"][start:end], "doc_start": start}, start


def head(shown: Shown, schemas: Schemas, where: str) -> Head:
    """The head that a view declares. Raises ProjectError for what schemas/ do not have."""
    known = {f.name: f for f in schemas.article.fields}
    own = []
    for name in shown.article:
        if name not in known:
            raise ProjectError(f"{where}: articles have no column {name!r}; they have {', '.join(known)}")
        found = known[name]
        own.append(Column(name, found.type, found.description, found.schema))
    columns = (
        text("id", "Name of the row: the article's id and the item's."),
        text("article_id", "The article."),
        text("story", "The article's group: articles of one story share it."),
        *own,
        Column("passage", pa.string(), "The words that the row shows.", own_text=True),
        Column("doc_start", pa.int32(), "Where the passage starts in the article's text, in code points."),
    )
    return Head(passages(shown.passage, schemas, where), tuple(shown.article), columns)


@dataclass(frozen=True)
class Along:
    """Columns of a view whose values lie along paths from the item."""

    paths: Mapping[str, Path]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, as the fields at the ends of the paths describe them."""
        return tuple(_column(name, found) for name, found in self.paths.items())

    def of(self, article: Article, row: Mapping[str, Any]) -> dict[str, Any]:
        """The values for one item."""
        return {name: plain(found.value_in(article, row)) for name, found in self.paths.items()}


def along(said: Mapping[str, str], layer: Layer, schemas: Schemas, where: str) -> Along:
    """The columns that `columns = { name = "path" }` declares. Raises ProjectError for paths that lead nowhere, or to spans."""
    found = {}
    for name, written in said.items():
        led = path(written, layer.name, schemas, f"{where} columns.{name}")
        if led.field.span:
            raise ProjectError(f"{where} columns.{name}: {written!r} leads to spans; name them as a role or an anchor")
        if led.many and pa.types.is_list(led.field.type):
            raise ProjectError(f"{where} columns.{name}: {written!r} leads to lists of several items; end it at a plain field")
        found[name] = led
    return Along(found)


def _column(name: str, led: Path) -> Column:
    kind, schema = led.field.type, led.field.schema
    if pa.types.is_decimal(kind):
        kind = pa.float64()
    if led.many:
        return Column(name, pa.list_(kind), led.field.description, {"items": schema})
    return Column(name, kind, led.field.description, schema)


def plain(value: Any) -> Any:
    """A value as a view gives it: decimals as floats."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    return float(value) if isinstance(value, Decimal) else value


def label_column(name: str, led: Path, where: str) -> Column:
    """A column of labels at the end of a path. Raises ProjectError if the path leads to several items."""
    if led.many:
        raise ProjectError(f"{where}: a label must be one value, but its path leads to several items")
    return Column(name, led.field.type, led.field.description, led.field.schema)


STATUS = labelled("annotation_status", STATUSES, "How far the annotation has come; anything but ADJUDICATED is one annotator's.")


def columns_of(*parts: Sequence[Column], where: str) -> tuple[Column, ...]:
    """The columns of a view. Raises ProjectError if two have one name."""
    found = [column for part in parts for column in part]
    names = [c.name for c in found]
    for name in names:
        if names.count(name) > 1:
            raise ProjectError(f"{where}: two columns are called {name!r}; call one otherwise in `columns`")
    return tuple(found)
