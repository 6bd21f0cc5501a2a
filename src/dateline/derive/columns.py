"""What a derived table is: its columns, and which of them name a row and hold its rows together."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from dateline.schema import Json, feature

SPAN = pa.struct([("start", pa.int32()), ("end", pa.int32())])
SPANS = pa.list_(SPAN)
NAMES = pa.list_(pa.string())


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type, what it means, and the JSON schema that its labels come from."""

    name: str
    type: pa.DataType
    description: str
    schema: Json = field(default_factory=dict)
    own_text: bool = False
    """Whether it shows words of an article whose text may be passed on."""

    @functools.cached_property
    def labels(self) -> list[str] | None:
        """The label set of a column (or list column) of labels."""
        form = feature("", self.type, self.schema)
        kind = form.get("dtype") or form.get("list")
        return list(kind["class_label"]["names"].values()) if isinstance(kind, dict) and "class_label" in kind else None


@dataclass(frozen=True)
class Table:
    """A derived table. `key` names its rows; rows of one `owner` (a column: article_id or story) stand together in its files."""

    name: str
    title: str
    description: str
    columns: tuple[Column, ...]
    key: str
    owner: str

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema of the table."""
        return pa.schema([(c.name, c.type) for c in self.columns])

    @property
    def features(self) -> list[Json]:
        """The table's Hugging Face `Features` in the YAML form of a dataset card."""
        return [feature(c.name, c.type, c.schema) for c in self.columns]

    @property
    def own_text(self) -> frozenset[str]:
        """The columns that show words of open articles."""
        return frozenset(c.name for c in self.columns if c.own_text)

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """The rows with exactly the table's columns, in their order."""
        names = [c.name for c in self.columns]
        return ({name: row[name] for name in names} for row in rows)


def labelled(name: str, labels: Iterable[str], description: str) -> Column:
    """A column of words from a fixed set."""
    return Column(name, pa.string(), description, {"type": ["string", "null"], "enum": [*labels, None]})


def text(name: str, description: str) -> Column:
    """A column of strings."""
    return Column(name, pa.string(), description)
