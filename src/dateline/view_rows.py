"""The rows of a view as its dataset holds them: split by split, the open articles' alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dateline.errors import LoadError, UsageError
from dateline.manifest import Manifest, read_manifest
from dateline.project import PRIVATE

PASSAGE = "passage"


@dataclass(frozen=True)
class View:
    """A view of the dataset in a folder; `splits` are those that have rows."""

    folder: Path
    name: str
    splits: tuple[str, ...]
    manifest: Manifest = field(repr=False)

    @cached_property
    def spans(self) -> dict[str, tuple[str, ...]]:
        """The span columns, each with the labels of its entries in their order; with none if they are plain spans."""
        found = {}
        for column in self.manifest.tables[self.name].features:
            parts = {part["name"]: part.get("dtype") for part in column["list"]} if isinstance(column.get("list"), list) else {}
            if {"start", "end"} <= parts.keys():
                label = parts.get("label")
                found[column["name"]] = tuple(label["class_label"]["names"].values()) if isinstance(label, dict) else ()
        return found

    @cached_property
    def withheld(self) -> frozenset[str]:
        """The articles whose texts may not be passed on, also if this copy has them (`dateline hydrate`)."""
        rows = self._articles("text_redistributable")
        return frozenset(row["article_id"] for row in rows if row.get("text_redistributable") is not True)

    @cached_property
    def private(self) -> bool:
        """Whether it shows texts of a private project, which stay on this machine."""
        return any(row.get("text_license") == PRIVATE for row in self._articles("text_license"))

    def _articles(self, column: str) -> Iterator[dict[str, Any]]:
        for file in self.manifest.tables["articles"].files:
            yield from _rows(self.folder / file["path"], ["article_id", column])

    def rows(self, split: str) -> Iterator[dict[str, Any]]:
        """The rows of a split in the order of the files. Raises LoadError for a row without passage, or of a withheld text."""
        for file in self.manifest.tables[self.name].files:
            if file["split"] == split:
                for row in _rows(self.folder / file["path"]):
                    self._check(row)
                    yield row

    def _check(self, row: dict[str, Any]) -> None:
        if row["article_id"] in self.withheld or row[PASSAGE] is None:
            raise LoadError(f"{self.folder}: {self.name} has a row of {row['article_id']}, whose text may not be passed on; "
                            "views show open texts alone: rebuild the dataset")  # fmt: skip
        length = len(row[PASSAGE])
        for name in self.spans:
            for span in row[name] or ():
                if not 0 <= span["start"] <= span["end"] <= length:
                    raise LoadError(f"{self.folder}: {row['id']} has a span in {name} beyond its passage; rebuild the dataset")


def view_of(folder: Path, name: str, split: str | None = None) -> View:
    """The view of that name, of one split or of all.

    Raises LoadError if the folder holds no dataset, UsageError for a table without passages or a split that it does not have.
    """
    manifest = read_manifest(folder)
    shown = {n: {c["name"] for c in table.features} for n, table in manifest.tables.items()}
    views = [n for n, columns in shown.items() if {"id", "article_id", PASSAGE} <= columns]
    if name not in views:
        what = "is no view that shows passages" if name in shown else "is not there"
        raise UsageError(f"{folder}: {name} {what}; there are {', '.join(views) or 'none (see docs/views.md)'}")
    table = manifest.tables[name]
    if split is not None and split not in table.splits:
        raise UsageError(f"{folder}: {name} has no split {split!r}; it has {', '.join(table.splits)}")
    splits = tuple(s for s, rows in table.splits.items() if rows and split in (None, s))
    return View(folder, name, splits, manifest)


def _rows(path: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=256, columns=columns):
                yield from batch.to_pylist()
    except FileNotFoundError:
        raise LoadError(f"{path}: the manifest names it, but it is not there; get the dataset again") from None
    except (OSError, pa.ArrowInvalid) as fault:
        raise LoadError(f"{path}: cannot be read as Parquet: {str(fault).splitlines()[0]}; get the dataset again") from None
