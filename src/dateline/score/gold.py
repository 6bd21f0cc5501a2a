"""The gold: the rows of one config and split of a built dataset, and the labels that its columns may hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dateline.errors import LoadError, UsageError
from dateline.manifest import Manifest, TableFacts, read_manifest

Row = Mapping[str, Any]
CONTRAST = "contrast_set_id"
"""The column, where there is one, that names the set of minimally different rows that a row belongs to."""


@dataclass(frozen=True)
class Gold:
    """Rows with a name each (`id`), of one split of one config."""

    config: str
    split: str
    rows: Sequence[Row]
    labels: Mapping[str, tuple[str, ...]]
    """The labels of each labelled column; of one inside a list by `list.column`."""
    dataset: Mapping[str, str]
    part: Mapping[str, str] = field(default_factory=dict)
    """Which part of the split it is: columns with the value that all rows have; empty for the whole split."""

    def where(self, wanted: Mapping[str, str]) -> Gold:
        """The rows of which each of these columns has this value. Raises UsageError if there is none."""
        kept = [row for row in self.rows if all(str(row[name]) == value for name, value in wanted.items())]
        if not kept:
            said = " and ".join(f"{name}={value}" for name, value in wanted.items())
            there = "; ".join(f"{name} has {', '.join(sorted({str(row[name]) for row in self.rows}))}" for name in wanted)
            raise UsageError(f"config {self.config}, split {self.split}: no row has {said}; {there}")
        return replace(self, rows=kept, part=dict(wanted))

    def labels_of(self, column: str) -> tuple[str, ...]:
        """The labels that a column may hold. Raises LoadError for a column that is not declared as labelled."""
        if column not in self.labels:
            raise LoadError(f"config {self.config}: its column {column} has no labels (ClassLabel), which scoring needs")
        return self.labels[column]


def read_gold(folder: Path, config: str, split: str, columns: Sequence[str], also: Sequence[str] = ()) -> Gold:
    """The rows of a config and split, with these columns, and those of `also` that somebody asks for.

    Raises LoadError if the dataset has no such config or split, no row there, a column too few, or a file that cannot be read;
    UsageError for a column of `also` that is not there.
    """
    manifest = read_manifest(folder)
    if config not in manifest.tables:
        raise LoadError(f"{folder}: has no config {config}; it has {', '.join(manifest.tables)}")
    table = manifest.tables[config]
    there = [feature["name"] for feature in table.features]
    if lacking := [name for name in columns if name not in there]:
        raise LoadError(f"{folder}: config {config} has no column {lacking[0]}, which scoring needs; it has {', '.join(there)}")
    if unknown := [name for name in also if name not in there]:
        raise UsageError(f"config {config} has no column {unknown[0]}; it has {', '.join(there)}")
    _known_split(folder, manifest, config, split)
    rows = _rows(folder, table, split, list(dict.fromkeys([*columns, *also, *({CONTRAST} & set(there))])))
    dataset = {"name": manifest.name, "version": manifest.version, "content_digest": manifest.content_digest}
    return Gold(config, split, sorted(rows, key=lambda row: str(row["id"])), _labels(table.features), dataset)


def _known_split(folder: Path, manifest: Manifest, config: str, split: str) -> None:
    """Raise LoadError for a split that is not there, or in which the config has no rows."""
    splits = list(dict.fromkeys(name for table in manifest.tables.values() for name in table.splits))
    if split not in splits:
        raise LoadError(f"{folder}: has no split {split}; it has {', '.join(splits)}")
    rows = manifest.tables[config].splits
    if not rows.get(split):
        others = ", ".join(f"{n:,} in {name}" for name, n in rows.items() if n) or "none in any other"
        raise LoadError(f"{folder}: config {config} has no rows in split {split} to score against; there are {others}")


def _rows(folder: Path, table: TableFacts, split: str, columns: Sequence[str]) -> list[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    found: list[Row] = []
    for file in table.files:
        if file["split"] == split:
            path = folder / file["path"]
            try:
                found += pq.read_table(path, columns=list(columns), partitioning=None).to_pylist()
            except (OSError, pa.ArrowException) as fault:
                raise LoadError(f"{path}: cannot be read ({type(fault).__name__}); get the dataset again") from None
    return found


def _labels(features: Sequence[Mapping[str, Any]], inside: str = "") -> dict[str, tuple[str, ...]]:
    """The names of class labels by column, from features as the manifest keeps them."""
    found: dict[str, tuple[str, ...]] = {}
    for feature in features:
        name, kind = f"{inside}{feature['name']}", feature.get("dtype")
        if isinstance(kind, dict) and "class_label" in kind:
            found[name] = tuple(kind["class_label"]["names"].values())
        elif isinstance(feature.get("list"), list):
            found |= _labels(feature["list"], f"{name}.")
    return found
