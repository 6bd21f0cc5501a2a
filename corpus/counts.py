"""What is in the suite, by tier: rows of layers, labels, cells of the contrast sets, and how often the author does not commit.

python corpus/counts.py            # of dataset/
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb

from dateline.manifest import read_manifest

ROOT = Path(__file__).resolve().parents[1]
LABELS: Mapping[str, Sequence[str]] = {
    "mentions": ("mention_type",),
    "quantities": ("comparator", "quantity_kind"),
    "attributions": ("quote_type", "attitude", "determinacy", "level"),
    "events": ("event_type",),
    "factuality": ("value",),
    "claims": ("claim_type", "modality", "certainty", "polarity"),
}
LAYERS = ("segments", "entities", "mentions", "times", "quantities", "attributions", "events", "factuality", "claims", "probes")


def lines(dataset: Path) -> Iterator[str]:
    """The counts, as lines of text."""
    db = duckdb.connect()
    tables = read_manifest(dataset).tables
    for name in ("articles", "judgements", *LAYERS):
        files = [str(dataset / file["path"]) for file in tables[name].files]
        db.execute(f"create view {name} as select * from read_parquet({files!r}, hive_partitioning = false)")
    db.execute("create view tiers as select article_id, coalesce(tier, 'REFERENCE') as tier, language, split from articles")
    yield "articles: " + _counted(db, "select tier || ' ' || split, count(*) from tiers group by all order by all")
    yield "stories by language: " + _counted(
        db,
        "select language, count(distinct \"group\") from articles where tier = 'STORY' group by all order by all",
    )
    for layer in LAYERS:
        yield f"{layer}: " + _counted(
            db, f"select tier, count(*) from {layer} join tiers using (article_id) group by all order by all"
        )
        for label in LABELS.get(layer, ()):
            yield f"  {label}: " + _counted(
                db,
                f"select tier || ' ' || {label}, count(*) from {layer} join tiers using (article_id) group by all order by all",
            )
    yield "judged pairs: " + _counted(db, "select basis || ' ' || relation, count(*) from judgements group by all order by all")
    yield "matrix (answers in the split): " + _counted(
        db,
        "select edited_phenomenon || ' ' || split || ' ' || answer, count(*) from probes join articles using (article_id) "
        "group by all order by all",
    )
    for tier, of, share in db.execute(
        "select tier, count(*), avg(case when value = 'Uu' then 1.0 else 0.0 end) from factuality join tiers using (article_id) "
        "where source_is_author group by all order by all"
    ).fetchall():
        yield f"events to which the author does not commit (Uu), {tier}: {share:.1%} of {of:,}"


def _counted(db: duckdb.DuckDBPyConnection, query: str) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in db.execute(query).fetchall() if name is not None)


if __name__ == "__main__":
    for line in lines(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dataset"):
        print(line)
