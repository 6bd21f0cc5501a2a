"""The same 22 answers by SQL written by hand: what a fast answer costs where nothing reads a suite.

    python benchmarks/sql_on_duckdb.py FILE --memory-limit 2GB

It knows this one table and these 22 questions, reads no suite and brings no failing rows.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import duckdb

COLUMNS = {"id", "article_id", "mention_id", "start", "end", "label", "split", "surface", "entity_id", "value"}
SPLITS = {"train", "validation", "test"}

ONE_SCAN = """
SELECT
    count(*) AS n,
    count(*) FILTER (id IS NULL) AS id_null,
    count(*) FILTER (NOT regexp_matches(id, '^[a-z]+-[0-9]{8}-[0-9a-f]{12}#m[0-9]+$')) AS id_misshapen,
    count(*) FILTER (length(article_id) NOT BETWEEN 20 AND 40) AS article_length,
    count(DISTINCT article_id) AS articles,
    count(article_id) AS with_article,
    count(*) FILTER (start NOT BETWEEN 0 AND 100000) AS start_outside,
    count(*) FILTER ("end" IS NULL) AS end_null,
    count(*) FILTER ("end" <= start) AS end_before_start,
    count(*) FILTER (label IS NULL) AS label_null,
    count(*) FILTER (label NOT IN ('PERSON', 'ORG', 'GPE', 'LOC', 'EVENT', 'WORK', 'PRODUCT', 'NORP')) AS label_unknown,
    list(DISTINCT split) AS splits,
    count(*) FILTER (surface IS NULL) AS surface_null,
    count(*) FILTER (length(surface) NOT BETWEEN 1 AND 200) AS surface_length,
    count(*) FILTER (regexp_matches(surface, '^ | $')) AS surface_padded,
    count(*) FILTER (NOT regexp_matches(entity_id, '^Q[1-9][0-9]*$')) AS entity_misshapen,
    count(*) FILTER (value NOT BETWEEN 0 AND 1) AS value_outside,
    avg(value) AS mean,
    stddev_samp(value) AS stdev,
    quantile_disc(value, [0.1, 0.5, 0.9]) AS quantiles
FROM mentions
"""
SHARED_ID = """
SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM mentions WHERE id IS NOT NULL GROUP BY id HAVING n > 1)
"""
SHARED_SPAN = """
SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM mentions GROUP BY article_id, start, "end" HAVING n > 1)
"""

Answer = dict[str, Any]


def answers(file: Path, memory_limit: str = "2GB", spill: str | None = None) -> list[Answer]:
    """Verdict, unexpected count and observed value of each expectation of suites/mentions.json, in its order."""
    database = duckdb.connect(config={"memory_limit": memory_limit, **({"temp_directory": spill} if spill else {})})
    database.read_parquet(str(file)).create_view("mentions")
    columns = [row[0] for row in database.sql("DESCRIBE mentions").fetchall()]
    scan = database.sql(ONE_SCAN)
    found = dict(zip(scan.columns, scan.fetchall()[0], strict=True))
    shared_id, shared_span = (int(database.sql(q).fetchall()[0][0]) for q in (SHARED_ID, SHARED_SPAN))
    share = found["articles"] / found["with_article"]
    quantiles, ranges = found["quantiles"], [(0.05, 0.15), (0.45, 0.55), (0.85, 0.95)]
    return [
        _whole(found["n"] >= 1, found["n"]),
        _whole(set(columns) == COLUMNS, sorted(columns)),
        _rows(found["id_null"]),
        _rows(shared_id),
        _rows(found["id_misshapen"]),
        _rows(found["article_length"]),
        _whole(0.005 <= share <= 0.1, share),
        _rows(shared_span),
        _rows(found["start_outside"]),
        _rows(found["end_null"]),
        _rows(found["end_before_start"]),
        _rows(found["label_null"]),
        _rows(found["label_unknown"]),
        _rows(len((set(found["splits"]) - {None}) ^ SPLITS)),
        _rows(found["surface_null"], most=0.1 * found["n"]),
        _rows(found["surface_length"]),
        _rows(found["surface_padded"]),
        _rows(found["entity_misshapen"]),
        _rows(found["value_outside"]),
        _whole(0.4 <= found["mean"] <= 0.6, found["mean"]),
        _whole(0.28 <= found["stdev"] <= 0.3, found["stdev"]),
        _whole(all(a <= q <= b for q, (a, b) in zip(quantiles, ranges, strict=True)), quantiles),
    ]


def _rows(count: int, most: float = 0) -> Answer:
    return {"success": count <= most, "unexpected_count": count, "observed": None}


def _whole(success: bool, observed: object) -> Answer:
    return {"success": success, "unexpected_count": None, "observed": observed}


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("file", type=Path)
    words.add_argument("--memory-limit", default="2GB")
    words.add_argument("--spill", help="Folder for what does not fit.")
    said = words.parse_args()
    print(json.dumps(answers(said.file, said.memory_limit, said.spill)))
