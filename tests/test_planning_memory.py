"""By how much what a plan holds grows with the articles; allocations are counted, as resident memory differs between machines."""

from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest

import planning as benchmark
from dateline import ledger
from dateline.compile import groups, index
from dateline.compile import plan as planning
from dateline.ledger import Articles, Entry, Ledger


@pytest.fixture
def _little_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done a part at a time has the same share of a small corpus as of a large one."""
    for module in (groups, index, planning):
        monkeypatch.setattr(module, "_ROWS_AT_ONCE", 1_000)
    monkeypatch.setattr(ledger, "_AT_ONCE", 1_000)
    monkeypatch.setattr(planning, "SHARD_BYTES", 1_000 * 11_000)


def allocated(articles: int, *, released: bool) -> int:
    """The most bytes that Arrow, and Python with numpy, held at a time while a corpus was planned."""
    pool, before = pa.proxy_memory_pool(pa.default_memory_pool()), pa.default_memory_pool()
    with tempfile.TemporaryDirectory() as name:
        pieces = list(benchmark.pieces(articles, 1, Path(name)))
        if released:
            entries = (
                Entry(row["article_id"], "train", row["group"], 1, "0.1.0", None, "a" * 64, "b" * 64)
                for piece in pieces
                for row in piece.table.select(["article_id", "group"]).to_pylist()
            )
            (Path(name) / "ledger.jsonl").write_bytes(Ledger(articles=Articles(entries)).encode())
        pa.set_memory_pool(pool)
        tracemalloc.start()
        try:
            _, made = benchmark.planned(iter(pieces), Path(name))
            assert sum(len(shard.articles) for shard in made.shards) == articles
            return int(pool.max_memory()) + tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            pa.set_memory_pool(before)


@pytest.mark.usefixtures("_little_at_once")
@pytest.mark.parametrize(("released", "most"), [(False, 400), (True, 900)])
def test_an_article_takes_some_hundred_bytes_of_the_process_that_plans(released: bool, most: int) -> None:
    sizes = (2_000, 8_000, 20_000)
    _, few, many = (allocated(size, released=released) for size in sizes)  # the first pays for what is imported late
    growth = (many - few) / (sizes[2] - sizes[1])
    assert 50 < growth < most
