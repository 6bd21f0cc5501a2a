"""What is digested and counted of rows: their one canonical form, digests of it, how often each label stands."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Protocol

import orjson

Row = dict[str, Any]


def canonical(rows: list[Row]) -> bytes:
    """The rows in the one form that the logical digest is taken of.

    JSON with sorted keys and no white space, UTF-8; floats in shortest form, decimals without trailing zeros,
    dates as ISO 8601. It does not depend on Parquet, Arrow or their versions.
    """
    return orjson.dumps(rows, default=canonical_value, option=orjson.OPT_SORT_KEYS)


DIGEST_ENTRY = 64
"""Bytes of one entry of a digest file: sha256 of the owner (article_id, or story), sha256 of its canonical rows."""


def digest_entry(owner: str, rows: list[Row]) -> bytes:
    """What the rows of one article (or story) add to a table's logical digest; an article without rows counts, too."""
    return hashlib.sha256(owner.encode()).digest() + hashlib.sha256(canonical(rows)).digest()


def canonical_value(value: object) -> str:
    """How a decimal is spelt in canonical rows; raises TypeError for what orjson should know itself."""
    if isinstance(value, Decimal):
        plain = format(value, "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    raise TypeError(f"no canonical form for {type(value).__name__}")


class Labelled(Protocol):
    """A column that may hold labels."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def labels(self) -> list[str] | None:
        """Its label set, in frozen order; None if it holds no labels."""
        ...


def count_labels(columns: Iterable[Labelled], rows: list[Row], counts: dict[str, Counter[str]]) -> None:
    """Add how often each label stands in each labelled column."""
    for column in columns:
        if column.labels is None:
            continue
        tally = counts.setdefault(column.name, Counter())
        values = [row[column.name] for row in rows]
        if any(isinstance(value, list) for value in values):
            values = list(itertools.chain.from_iterable(value for value in values if value is not None))
        tally.update(value for value in values if value is not None)
