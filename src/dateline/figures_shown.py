"""The estimates of a dataset as people ask for them: which figures are disputed, and who said what when.

Reads the derived tables `estimands`, `estimates` and `estimate_pairs` of a dataset in a folder; changes nothing.
"""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dateline.edtf_dates import bounds
from dateline.errors import LoadError, UsageError
from dateline.manifest import Manifest, read_manifest

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]
TABLES = ("estimands", "estimates", "estimate_pairs")
_AT_ONCE = 100


@dataclass(frozen=True)
class Provenance:
    """What is known of the articles behind some estimates, for a caption."""

    fictional: bool | None = None
    """Whether all speak of invented people; None where some do, or where the dataset does not say."""
    some_fictional: bool = False
    annotators: tuple[str, ...] = ()
    """Types of those who annotated claims and quantities, e.g. MODEL."""
    statuses: tuple[str, ...] = ()
    """Statuses of those annotations, e.g. PRIMARY; unadjudicated if ADJUDICATED is not all there is."""
    adjudicators: tuple[str, ...] = ()
    """Pseudonyms of those who decided between annotations."""


@dataclass(frozen=True)
class Shown:
    """One estimand with its estimates in order of time, its pairs (the most disputed first), and where all that is from."""

    estimand: Row
    estimates: Sequence[Row]
    pairs: Sequence[Row]
    provenance: Provenance = field(default_factory=Provenance)


@dataclass(frozen=True)
class FiguresOf:
    """The derived tables of a dataset in a folder."""

    folder: Path
    manifest: Manifest = field(repr=False)

    def estimands(self, measure: str | None = None) -> list[dict[str, Any]]:
        """All estimands, of one measure or of all, the most disputed first, with the range of values and the disputes.

        To the columns of the table come `lowest` and `highest` (of any value or bound), `n_pairs`, `n_disjoint`, `n_conflicts`
        (pairs judged CONFLICT) and `relations` (pairs by how their intervals relate). Raises UsageError for a measure that no
        estimand has.
        """
        found = self._read("estimands").to_pylist()
        if measure is not None:
            known = sorted({str(row["measure"]) for row in found})
            if measure not in known:
                raise UsageError(f"no estimand has the measure {measure!r}; there are {_some(known)}{_near(measure, known)}")
            found = [row for row in found if row["measure"] == measure]
        ranges, disputes = self._ranges(), self._disputes()
        nothing: Counter[str] = Counter()
        rows = []
        for row in found:
            low, high = ranges.get(row["estimand_id"], (None, None))
            told = disputes.get(row["estimand_id"], nothing)
            relations = {name: n for name, n in told.items() if name.isupper()}
            rows.append({**row, "lowest": low, "highest": high, "n_pairs": told["pairs"], "n_disjoint": told["DISJOINT"],
                         "n_conflicts": told["conflicts"], "relations": relations})  # fmt: skip
        return sorted(rows, key=_most_disputed)

    def find(self, name: str) -> dict[str, Any]:
        """The estimand of this id, or of this name if only one has it.

        Raises UsageError that lists the candidates of an ambiguous name, or names near an unknown one.
        """
        rows = self._read("estimands").to_pylist()
        found = [row for row in rows if row["estimand_id"] == name] or [row for row in rows if row["name"] == name]
        if len(found) > 1:
            ids = ", ".join(row["estimand_id"] for row in found)
            raise UsageError(f"{len(found)} estimands are called {name!r}; give one of {ids}")
        if not found:
            known = [row["estimand_id"] for row in rows] + [row["name"] for row in rows]
            near = _near(name, known) or "; `dateline estimates --all` lists all"
            raise UsageError(f"{self.folder}: has no estimand {name!r}{near}")
        return dict(found[0])

    def show(self, estimand: Row) -> Shown:
        """The estimates of an estimand in order of time, and its pairs."""
        return next(self.show_all([estimand]))

    def show_all(self, estimands: Sequence[Row]) -> Iterator[Shown]:
        """The same of many estimands, in their order; the tables are read once for every hundred of them."""
        for first in range(0, len(estimands), _AT_ONCE):
            some = estimands[first : first + _AT_ONCE]
            only = [("estimand_id", "in", [row["estimand_id"] for row in some])]
            estimates = _by(self._read("estimates", filters=only).to_pylist(), "estimand_id")
            pairs = self._read("estimate_pairs", filters=only).to_pylist() if self._has("estimate_pairs") else []
            of_pairs = _by(pairs, "estimand_id")
            behind = _Behind(self, {row["article_id"] for rows in estimates.values() for row in rows})
            for estimand in some:
                name = estimand["estimand_id"]
                yield _shown(estimand, estimates.get(name, []), of_pairs.get(name, []), behind)

    def _has(self, table: str) -> bool:
        """Whether the dataset has rows of this table; empty tables have no files."""
        return table in self.manifest.tables and bool(self.manifest.tables[table].files)

    def _ranges(self) -> dict[str, tuple[Any, Any]]:
        """Lowest and highest of all values and bounds, by estimand."""
        columns = ("comparable_value", "comparable_low", "comparable_high")
        table = self._read("estimates", columns=["estimand_id", *columns])
        told = table.group_by("estimand_id").aggregate([(c, how) for c in columns for how in ("min", "max")])
        ranges = {}
        for row in told.to_pylist():
            found = [row[f"{c}_{how}"] for c in columns for how in ("min", "max") if row[f"{c}_{how}"] is not None]
            ranges[row["estimand_id"]] = (min(found), max(found)) if found else (None, None)
        return ranges

    def _disputes(self) -> dict[str, Counter[str]]:
        """How many pairs there are, how many are disjoint, and how many judged CONFLICT, by estimand."""
        found: dict[str, Counter[str]] = {}
        if not self._has("estimate_pairs"):
            return found
        columns = ["estimand_id", "interval_relation", "judged_relation"]
        table = self._read("estimate_pairs", columns=columns)
        for row in table.group_by(columns).aggregate([([], "count_all")]).to_pylist():
            told = found.setdefault(row["estimand_id"], Counter())
            told["pairs"] += row["count_all"]
            told[str(row["interval_relation"])] += row["count_all"]
            told["conflicts"] += row["count_all"] * (row["judged_relation"] == "CONFLICT")
        return found

    def rows(self, table: str, only: list[tuple[str, str, Any]]) -> list[dict[str, Any]]:
        """The rows of a table that filters let through; none where the dataset has no such table."""
        return self._read(table, filters=only).to_pylist() if self._has(table) else []

    def column(self, table: str, column: str, only: list[tuple[str, str, Any]]) -> list[Any]:
        """A column of these rows; empty where the dataset has no such table or column."""
        if not self._has(table):
            return []
        features = {feature.get("name") for feature in self.manifest.tables[table].features}
        return self._read(table, filters=only).column(column).to_pylist() if column in features else []

    def _read(self, name: str, **how: Any) -> pa.Table:
        """A table, all splits together. Raises LoadError for a file that is not there or damaged."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        parts = []
        for file in self.manifest.tables[name].files:
            path = self.folder / file["path"]
            try:
                parts.append(pq.read_table(path, partitioning=None, **how))
            except FileNotFoundError:
                raise LoadError(f"{path}: the manifest names it, but it is not there; get the dataset again") from None
            except (OSError, pa.ArrowInvalid) as fault:
                said = str(fault).splitlines()[0]
                raise LoadError(f"{path}: cannot be read as {name}: {said}; run `dateline rebuild`") from None
        return pa.concat_tables(parts)


class _Behind:
    """What the dataset says of some articles, read once: invented or not, and who annotated them."""

    def __init__(self, figures: FiguresOf, articles: Iterable[str]) -> None:
        only = [("article_id", "in", sorted(articles))]
        ids, told = (figures.column("articles", name, only) for name in ("article_id", "fictional"))
        self._fictional = dict(zip(ids, told, strict=True)) if told else {}
        self._sets = _by(figures.rows("annotation_sets", only), "article_id")

    def provenance(self, articles: Iterable[str]) -> Provenance:
        """What is known of these articles, as far as the schemas have words for it."""
        articles = set(articles)
        told = [self._fictional[article] for article in articles if article in self._fictional]
        behind = [row for a in articles for row in self._sets.get(a, ()) if row.get("layer") in ("claims", "quantities")]
        return Provenance(
            fictional=told[0] if told and len(set(told)) == 1 else None,
            some_fictional=any(told),
            annotators=_values(behind, "annotator_type"),
            statuses=_values(behind, "status"),
            adjudicators=_values(behind, "adjudicator_id"),
        )


def _shown(estimand: Row, estimates: Sequence[Row], pairs: Sequence[Row], behind: _Behind) -> Shown:
    disputes = {
        "n_pairs": len(pairs),
        "n_disjoint": sum(pair["interval_relation"] == "DISJOINT" for pair in pairs),
        "n_conflicts": sum(pair["judged_relation"] == "CONFLICT" for pair in pairs),
    }
    provenance = behind.provenance(row["article_id"] for row in estimates)
    return Shown({**estimand, **disputes}, sorted(estimates, key=in_time), sorted(pairs, key=_most_telling), provenance)


def _by(rows: Iterable[dict[str, Any]], column: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row[column], []).append(row)
    return found


def figures_of(folder: Path) -> FiguresOf:
    """The estimates of the dataset in a folder. Raises LoadError if there is no dataset, or it has no estimates."""
    manifest = read_manifest(folder)
    if not all(manifest.tables.get(name) and manifest.tables[name].files for name in TABLES[:2]):
        raise LoadError(
            f"{folder}: has no table of estimates; declare it under [tool.dateline.estimates] in the project's pyproject.toml, "
            "then run `dateline rebuild` (docs/views.md)"
        )
    return FiguresOf(folder, manifest)


def in_time(estimate: Row) -> tuple[Any, ...]:
    """What estimates are sorted by: the time they speak of, then of saying, then of publication; not stated comes last."""
    return (
        _when(estimate["as_of"]),
        _when(estimate["utterance_time"]),
        (estimate["published"] is None, str(estimate["published"])),
        [int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", estimate["estimate_id"])],
    )


def _when(value: str | None) -> tuple[Any, ...]:
    found = bounds(value) if value else None
    return (1,) if found is None else (0, *found, str(value))


def _most_disputed(row: Row) -> tuple[Any, ...]:
    return (-row["n_conflicts"], -row["n_disjoint"], -row["n_articles"], -row["n_estimates"], row["estimand_id"])


def _most_telling(pair: Row) -> tuple[Any, ...]:
    """Disjoint before compatible before equal; within that the widest apart first."""
    order = ("DISJOINT", "COMPATIBLE", "EQUAL")
    relation = pair["interval_relation"]
    apart = pair["rel_diff"] if pair["rel_diff"] is not None and not math.isnan(pair["rel_diff"]) else -1.0
    return (order.index(relation) if relation in order else len(order), -apart, pair["pair_id"])


def _values(rows: Sequence[Row], column: str) -> tuple[str, ...]:
    return tuple(sorted({str(row[column]) for row in rows if row.get(column) is not None}))


def _some(names: Sequence[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _near(name: str, known: Sequence[str]) -> str:
    found: Callable[..., list[str]] = difflib.get_close_matches
    near = list(dict.fromkeys(found(name, known, n=3, cutoff=0.5)))
    return f"; did you mean {', '.join(near)}?" if near else ""
