"""Relations on some articles at a time: which may run so, and that they say what they say of all articles at once."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from building import REPOSITORY
from dateline.manifest import read_manifest
from dateline.validate.apart import keeps_apart
from dateline.validate.database import Database, functions
from dateline.validate.parts import parts_of
from dateline.validate.running import Options
from dateline.validate.views import View, dataset_views

AT_ONCE, IN_PARTS = Options(threads=1, part=2**40), Options(threads=1, part=1)
DERIVED = sorted((REPOSITORY / "expectations" / "relations").glob("*_rows.sql"))
BY_ARTICLE = {
    "annotation_sets", "attributions", "claims", "coverage", "entities", "events", "factuality", "mentions", "probes",
    "quantities", "records", "segments", "standoff", "times",
}  # fmt: skip


def kept_apart(query: str) -> bool:
    """Whether a query keeps the articles of `m` and `a` apart, beside the table `w`, which is about none."""
    database = duckdb.connect()
    row = database.execute("SELECT json_serialize_sql(?)", [query]).fetchone()
    assert row
    return keeps_apart(row[0], {"m", "a"}, {"w"}, *functions(database))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT r.article_id, r.x || '!' AS x FROM m r WHERE r.x > 'a'",
        "SELECT article_id, count(*) AS n FROM m GROUP BY article_id, x",
        "WITH n AS (SELECT article_id, max(x) AS x FROM m GROUP BY article_id) "
        "SELECT r.article_id, n.x FROM a r LEFT JOIN n ON n.article_id = r.article_id AND n.x = r.x",
        "SELECT r.article_id, w.x FROM m r LEFT JOIN w ON w.x = r.x",
        "SELECT r.article_id, k.n FROM m r JOIN (SELECT x, count(*) AS n FROM w GROUP BY x) k ON k.x = r.x",
        "SELECT i.article_id, i.b FROM (SELECT article_id, lag(x) OVER (PARTITION BY article_id ORDER BY x) AS b FROM m) i",
        "SELECT article_id, x FROM m UNION ALL SELECT article_id, x FROM a",
    ],
)
def test_what_stays_within_an_article_is_known_to(query: str) -> None:
    assert kept_apart(query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) AS article_id FROM m",
        "SELECT max(article_id) AS article_id FROM m",
        "SELECT x AS article_id FROM m",
        "SELECT article_id AS x, x AS article_id FROM m",
        "SELECT x, min(article_id) AS article_id FROM m GROUP BY x",
        "SELECT r.article_id FROM m r LEFT JOIN a ON a.x = r.x",
        "SELECT r.article_id FROM m r LEFT JOIN a ON a.article_id = r.x",
        "SELECT r.article_id FROM m r LEFT JOIN a ON a.article_id = r.article_id OR a.x = r.x",
        "SELECT r.article_id FROM m r LEFT JOIN a ON a.article_id IS NOT DISTINCT FROM r.article_id",
        "SELECT r.article_id FROM m r RIGHT JOIN a ON a.article_id = r.article_id",
        "SELECT r.article_id FROM m r FULL JOIN a ON a.article_id = r.article_id",
        "SELECT r.article_id FROM m r CROSS JOIN a",
        "SELECT a.article_id, count(*) AS n FROM m r LEFT JOIN a ON a.article_id = r.article_id GROUP BY a.article_id",
        "SELECT m.article_id FROM w LEFT JOIN m ON m.x = w.x",
        "SELECT article_id, row_number() OVER (ORDER BY x) AS n FROM m",
        "SELECT article_id, count(*) OVER (PARTITION BY x) AS n FROM m",
        "SELECT article_id, (SELECT count(*) FROM m) AS n FROM m",
        "SELECT article_id FROM m WHERE x IN (SELECT x FROM a)",
        "SELECT article_id FROM m ORDER BY x LIMIT 3",
        "SELECT DISTINCT article_id FROM m",
        "SELECT * FROM m",
        "SELECT article_id FROM m USING SAMPLE 3 ROWS",
        "SELECT article_id, x FROM m UNION SELECT article_id, x FROM m",
        "SELECT article_id, x FROM m UNION ALL SELECT x, article_id FROM m",
        "WITH m AS (SELECT article_id FROM m LIMIT 1) SELECT article_id FROM m",
        "WITH n(x, article_id) AS (SELECT article_id, x FROM m) SELECT article_id FROM n",
        "WITH A AS (SELECT x AS article_id FROM w) SELECT r.article_id FROM m r JOIN a ON a.article_id = r.article_id",
        "SELECT article_id FROM w",
        "SELECT article_id FROM elsewhere",
        "SELECT article_id FROM",
        "SELECT r.article_id, q.n FROM m r JOIN (SELECT count(*) AS n FROM query_table('m')) q ON true",
        "SELECT r.article_id, q.n FROM m r JOIN (SELECT count(*) AS n FROM query('SELECT * FROM m')) q ON true",
        "SELECT r.article_id FROM m r JOIN (SELECT table_name FROM duckdb_tables()) q ON q.table_name = r.x",
        "SELECT article_id, random() AS n FROM m",
        "SELECT article_id, current_query() AS q FROM m",
    ],
)
def test_what_looks_beyond_an_article_is_not_taken_to_stay_there(query: str) -> None:
    assert not kept_apart(query)


@pytest.fixture(scope="module")
def flagship() -> Iterator[tuple[Database, Database]]:
    views = dataset_views(read_manifest(REPOSITORY / "dataset"), REPOSITORY / "dataset")
    both = Database(views, AT_ONCE), Database(views, IN_PARTS)
    yield both
    for one in both:
        one.close()


@pytest.mark.slow
@pytest.mark.parametrize("path", DERIVED, ids=lambda path: path.stem)
def test_each_derived_relation_has_the_same_rows_in_parts(path: Path, flagship: tuple[Database, Database]) -> None:
    query = path.read_text(encoding="utf-8")
    assert flagship[1].in_parts(query) is (path.stem.removesuffix("_rows") in BY_ARTICLE)
    assert not flagship[0].in_parts(query)
    assert _made(flagship[1], path.stem, query) == _made(flagship[0], path.stem, query)


def _made(database: Database, name: str, query: str) -> list[Any]:
    database.add_relation(name, query, name)
    try:
        found: list[Any] = database.connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall()
    finally:
        database.drop_relation(name)
    return found


RELATION = """
WITH known AS (SELECT article_id, x, count(*) AS n FROM a GROUP BY article_id, x)
SELECT r.article_id, r.x, k.n, lag(r.x) OVER (PARTITION BY r.article_id ORDER BY r.x) AS before
FROM m r
LEFT JOIN known k ON k.article_id = r.article_id AND k.x = r.x
"""


@pytest.mark.parametrize("seed", range(12))
def test_rows_in_the_file_of_another_shard_are_found_all_the_same(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    views = []
    for table in ("m", "a"):
        files: dict[Path, list[tuple[str | None, str]]] = {}
        for number in range(40):
            stray = chance.random() < (seed % 4) / 20
            shard = chance.randrange(5) if stray else number % 5
            rows = files.setdefault(tmp_path / f"{table}-train-s{shard:04d}-b00-0{shard}.parquet", [])
            rows += [(None if stray and chance.random() < 0.3 else f"a{number}", chance.choice("xyz")) for _ in range(3)]
        for path, rows in files.items():
            pq.write_table(pa.table([*zip(*rows, strict=True)], ["article_id", "x"]), path)
        views.append(View(table, parquet=tuple(files), apart=True))
    at_once, in_parts = Database(views, AT_ONCE), Database(views, IN_PARTS)
    try:
        assert in_parts.in_parts(RELATION) and len(parts_of(views, 1)) == 5
        assert _made(in_parts, "relation", RELATION) == _made(at_once, "relation", RELATION)
    finally:
        in_parts.close()
        at_once.close()


def test_small_shards_go_together_and_files_of_other_names_are_one_part(tmp_path: Path) -> None:
    def view(*names: str) -> Sequence[View]:
        for name in names:
            (tmp_path / name).write_bytes(bytes(10))
        return [View("m", parquet=tuple(tmp_path / name for name in names), apart=True)]

    shards = view("train-s0001-b00-aa.parquet", "test-s0001-b00-bb.parquet", "train-s0002-b00-cc.parquet")
    assert [len(part.files) for part in parts_of(shards, 1)] == [2, 1]
    assert [len(part.files) for part in parts_of(shards, 30)] == [3]
    assert [len(part.files) for part in parts_of(view("one.parquet", "two.parquet"), 1)] == [2]
