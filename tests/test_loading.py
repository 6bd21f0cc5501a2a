"""What users do with dataset/: load_dataset, dateline.load, polars, DuckDB, pandas."""

from __future__ import annotations

import datetime
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import datasets
import duckdb
import pandas as pd
import polars as pl
import pytest

import dateline
from building import THOROUGH, ProjectFolder, mention, record
from dateline.errors import LoadError
from dateline.manifest import read_manifest
from dateline.project import Project
from dateline.schema import load_schemas
from environments import THIS, older, run

STREAMED = ("figures", "records", "standoff", "claims", "estimates")
"""Configs that are streamed as well: those of each sort, nested and flat."""
READ_ALL = Path(__file__).parent / "loading" / "read_all.py"


@pytest.mark.slow(seconds=60)
@pytest.mark.parametrize("version", ["this", "4"])
def test_every_config_and_split_loads_with_plain_datasets_also_streaming(
    small_flagship: Project, tmp_path: Path, version: str
) -> None:
    python, streamed = (THIS if version == "this" else older()), () if THOROUGH else STREAMED
    done = run(python, READ_ALL, small_flagship.dataset, *streamed, cwd=tmp_path, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["datasets"].startswith("5." if version == "this" else "4.")
    manifest = read_manifest(small_flagship.dataset)
    assert told["default"] == manifest.default_config
    expected = {name: table for name, table in manifest.tables.items() if table.rows}
    assert told["configs"].keys() == expected.keys()
    for name, found in told["configs"].items():
        table = expected[name]
        assert {split: facts["rows"] for split, facts in found.items()} == table.splits
        assert all(facts["features"] == table.features for facts in found.values())


def test_rows_of_the_default_config_are_typed(small_flagship: Project) -> None:
    first: Any = dateline.load(source=small_flagship.dataset)
    assert first["train"].info.config_name == "figures" and isinstance(first["train"].features["comparator"], datasets.ClassLabel)
    rows: Any = dateline.load("articles", source=small_flagship.dataset)
    published = rows["train"].features["published"]
    assert published.dtype == "date32" and isinstance(rows["train"].features["genre"], datasets.ClassLabel)
    assert isinstance(rows["train"][0]["published"], datetime.date)
    assert rows["train"].info.license == "CC-BY-4.0"


def test_values_are_decimals_and_labels_are_words_for_other_readers(small_flagship: Project) -> None:
    pattern = str(small_flagship.dataset / "quantities" / "*.parquet")
    columns = ["article_id", "quantity_id", "value", "comparator", "of_what"]
    splits: Any = dateline.load("quantities", source=small_flagship.dataset)
    ours: Any = datasets.concatenate_datasets(list(splits.values()))
    names = ours.features["comparator"].names
    expected = sorted((r["article_id"], r["quantity_id"], r["value"], names[r["comparator"]], r["of_what"]) for r in ours)
    assert all(value is None or isinstance(value, Decimal) for _, _, value, _, _ in expected)
    by_polars = sorted(pl.read_parquet(pattern).select(columns).iter_rows())
    by_duckdb = sorted(duckdb.sql(f"select {', '.join(columns)} from '{pattern}'").fetchall())
    frames = pd.concat(pd.read_parquet(p, columns=columns) for p in small_flagship.dataset.glob("quantities/*.parquet"))
    by_pandas = sorted(frames.astype(object).where(frames.notna(), None).itertuples(index=False, name=None))
    assert by_polars == by_duckdb == by_pandas == expected


def flat(value: Any) -> list[dict[str, Any]]:
    """All spans of a field, however nested."""
    if value is None:
        return []
    return [value] if isinstance(value, dict) else [span for inner in value for span in flat(inner)]


@pytest.mark.slow(seconds=20)
def test_every_surface_is_the_text_between_its_offsets(flagship: Project) -> None:
    texts: dict[str, str | None] = {}
    articles: Any = dateline.load("articles", source=flagship.dataset)
    for split in articles.values():
        texts |= {row["article_id"]: row["text"] for row in split}
    checked = 0
    for name, layer in load_schemas(flagship.schemas).layers.items():
        splits: Any = dateline.load(name, source=flagship.dataset)
        for row in (row for split in splits.values() for row in split):
            text = texts[row["article_id"]]
            for span in (span for field in layer.fields if field.span for span in flat(row[field.name])):
                assert span["surface"] == (None if text is None else text[span["start"] : span["end"]])
                checked += 1
    assert checked > 1500


def test_a_config_or_split_without_rows_comes_back_empty_with_its_types(folder: ProjectFolder) -> None:
    folder.seed(*[record(f"a{n}", f"Text {n} of its own.") for n in range(5)])
    folder.rebuild()
    source = folder.root / "dataset"
    for streaming in (False, True):
        split: Any = dateline.load("mentions", source=source, split="test", streaming=streaming)
        assert list(split) == [] and split.features["label"].names == ["PER", "LOC"]
        whole: Any = dateline.load("standoff", source=source, streaming=streaming)
        assert set(whole) == {"train", "validation", "test"} and list(whole["train"]) == []


def test_splits_are_added_and_sliced_and_empty_parts_fall_out(folder: ProjectFolder) -> None:
    texts = ["Ana " + " ".join(f"w{n}x{k}" for k in range(12)) for n in range(10)]  # no near-duplicates: each a group of its own
    folder.seed(*[record(f"a{n}", text, mentions=[mention("m1", 0, 3)] if n == 0 else []) for n, text in enumerate(texts)])
    folder.rebuild()
    source = folder.root / "dataset"
    splits = read_manifest(source).tables["articles"].splits
    (filled,) = read_manifest(source).tables["mentions"].splits
    bare = next(s for s in splits if s != filled)

    def rows(config: str, split: Any, streaming: bool = False) -> int:
        found: Any = dateline.load(config, source=source, split=split, streaming=streaming)
        assert "article_id" in found.features
        return len(list(found))

    assert rows("articles", "train+test") == rows("articles", "train + test", True) == splits["train"] + splits["test"]
    assert rows("articles", "train[:3]+test") == 3 + splits["test"]
    assert rows("articles", "train[:50%]") == splits["train"] // 2
    assert rows("articles", "train[1000:]") == rows("articles", "train[2:2]") == 0
    assert rows("articles", "all") == 10 and rows("standoff", "all") == 0
    assert rows("articles", datasets.Split.TRAIN) == splits["train"]
    assert rows("mentions", f"{bare}+{filled}") == rows("mentions", f"{bare}[:5]+{filled}[:1]") == 1
    assert rows("mentions", bare) == rows("mentions", f"{bare}[:5]") == rows("standoff", f"{bare}+{filled}") == 0
    for wrong in ("train[:", "train[:150%]", "train+", "", "train[x]"):
        with pytest.raises(LoadError, match="split"):
            rows("articles", wrong)
    with pytest.raises(LoadError, match=r"'train\[:3\]': a part of a split cannot be streamed; stream 'train'"):
        rows("articles", "train[:3]", True)


def test_a_split_that_the_corpus_could_have_is_empty_and_others_are_refused(folder: ProjectFolder) -> None:
    folder.settings("[tool.dateline.splits]", "quotas = {train = 0.9, dev = 0.1}")
    folder.seed(record("a1"))
    folder.rebuild()
    source = folder.root / "dataset"
    dev: Any = dateline.load("articles", source=source, split="dev")
    assert len(dev) == 0 and "text" in dev.features
    with pytest.raises(LoadError, match="no split 'test'; it has train, dev"):
        dateline.load("articles", source=source, split="train+test")
    folder.settings("[tool.dateline.splits]", 'mode = "given"')
    folder.seed(record("a1", split="gold"), record("a2", split="silver"))
    folder.rebuild()
    whole: Any = dateline.load("standoff", source=source)
    assert list(whole) == ["gold", "silver"]
    with pytest.raises(LoadError, match="no split 'train'; it has gold, silver"):
        dateline.load("articles", source=source, split="train")


@pytest.mark.parametrize("name", ["a[x]", "a* b", "a?"])
def test_a_path_that_datasets_takes_for_a_pattern_loads_all_the_same(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    folder = ProjectFolder(tmp_path / name)
    folder.seed(record("a1"))
    folder.rebuild()
    shutil.copytree(tmp_path / name, tmp_path / "ab c")  # which the pattern fits, too
    for streaming in (False, True):
        rows: Any = dateline.load("articles", source=folder.root / "dataset", split="train", streaming=streaming)
        assert [row["article_id"] for row in rows] == ["a1"]


def test_what_is_not_there_is_named_with_what_is(folder: ProjectFolder) -> None:
    folder.seed(record("a1"))
    with pytest.raises(LoadError, match=r"is no release: it has no manifest\.json; .* `dateline rebuild` makes"):
        dateline.load(source=folder.root)
    folder.rebuild()
    source = folder.root / "dataset"
    with pytest.raises(LoadError, match="no config 'mention'; it has articles, annotation_sets, coverage, mentions"):
        dateline.load("mention", source=source)
    with pytest.raises(LoadError, match="no split 'dev'; it has train"):
        dateline.load("articles", source=source, split="dev")
    (source / "README.md").write_text("edited")
    with pytest.raises(LoadError, match="is not the card that the manifest names"):
        dateline.load("articles", source=source)


def test_a_rebuilt_folder_never_loads_from_a_stale_cache(folder: ProjectFolder) -> None:
    source = str(folder.root / "dataset")
    folder.settings("[tool.dateline.splits]", "quotas = {train = 1.0}")
    for label in ("PER", "LOC"):
        folder.seed(record("a1", mentions=[mention("m1", 0, 3, label)]))
        folder.rebuild()
        rows = datasets.load_dataset(source, "mentions", split="train")
        assert rows.features["label"].int2str(rows[0]["label"]) == label


def test_dateline_load_finds_the_dataset_of_the_checkout() -> None:
    rows: Any = dateline.load("articles", split="train")
    assert rows.num_rows > 0
