"""Under which licences a release may be used: its code, its texts, and the annotation of each layer, as its articles say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dateline.manifest import TableFacts

NOT_NAMED = "NOASSERTION"
"""SPDX's own word, where a record names no licence."""
_ARTICLES = "articles"


@dataclass(frozen=True)
class Licences:
    """SPDX expressions: of the whole, of the code, of the texts with the number of articles, of the annotation of each layer."""

    whole: str
    code: str
    texts: dict[str, int]
    layers: dict[str, list[str]]

    def by_licence(self) -> dict[tuple[str, ...], list[str]]:
        """The layers that are under the same licences."""
        found: dict[tuple[str, ...], list[str]] = {}
        for name, expressions in self.layers.items():
            found.setdefault(tuple(expressions), []).append(name)
        return found

    def as_json(self) -> dict[str, Any]:
        """The expressions as plain JSON types; what is not known is left out."""
        said = {"dataset": self.whole, "code": self.code, "texts": list(self.texts), "annotation": self.layers}
        return {name: value for name, value in said.items() if value}


def read_licences(
    folder: Path, tables: Mapping[str, TableFacts], links: Mapping[str, Mapping[str, Any]], whole: str, code: str
) -> Licences:
    """What the articles of a dataset in a folder say, those with withheld texts, too. `links` is the manifest's.

    The annotation of a layer is under the licences of the articles that have items in it.
    """
    texts, annotations = (_counted(folder, tables.get(_ARTICLES), name) for name in ("text_license", "annotation_license"))
    usual = max(annotations, key=lambda licence: annotations[licence], default=NOT_NAMED)
    others = _of_articles(folder, tables.get(_ARTICLES), usual) if len(annotations) > 1 else {}
    layers = {}
    for name, link in links.items():
        if link["level"] != "article" or name not in tables or not tables[name].rows:
            continue
        if not others:  # as most have it; then no table need be read
            layers[name] = sorted(annotations)
        else:
            batches = _batches(folder, tables[name], ["article_id"])
            layers[name] = sorted({others.get(a, usual) for batch in batches for a in batch.column(0).unique().to_pylist()})
    return Licences(whole, code, dict(sorted(texts.items())), layers)


def _counted(folder: Path, articles: TableFacts | None, column: str) -> Counter[str]:
    """How many articles name each licence."""
    found: Counter[str] = Counter()
    for batch in _batches(folder, articles, [column]):
        for one in pc.value_counts(batch.column(0)).to_pylist():
            found[one["values"] or NOT_NAMED] += one["counts"]
    return found


def _of_articles(folder: Path, articles: TableFacts | None, usual: str) -> dict[str, str]:
    """The licence of the annotation of each article that has another than the usual one."""
    said = (pair for batch in _batches(folder, articles, ["article_id", "annotation_license"]) for pair in _pairs(batch))
    return {article: licence or NOT_NAMED for article, licence in said if (licence or NOT_NAMED) != usual}


def _pairs(batch: pa.RecordBatch) -> Iterator[tuple[str, str | None]]:
    yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _batches(folder: Path, table: TableFacts | None, columns: list[str]) -> Iterator[pa.RecordBatch]:
    for file in table.files if table else ():
        yield from pq.ParquetFile(folder / file["path"]).iter_batches(1 << 16, columns=columns)
