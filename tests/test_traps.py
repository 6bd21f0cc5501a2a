"""What plain `load_dataset` gets wrong without a word, each shown with it and then cured with `dateline.load`.

The first half of each test asserts what `datasets` does wrong, so that we notice when it is mended.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import dateline
from dateline.errors import LoadError
from dateline.release_files import ReleaseError
from published import built


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Release 0.2.0 of a small corpus, with a licence, a citation, and splits and configs without rows."""
    return built(tmp_path_factory.mktemp("traps") / "made", "0.2.0", citation="@misc{tiny}")


def plain(folder: Path, *words: Any, **options: Any) -> Any:
    return datasets.load_dataset(str(folder), *words, cache_dir=str(folder.parent / "cache"), **options)


def by_hand(folder: Path, head: Mapping[str, Any], **columns: Sequence[Any]) -> Path:
    """A dataset as people make them: one Parquet file, and a card with this head."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / "train.parquet")
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump(dict(head))}---\n", encoding="utf-8")
    return folder


def labels(rows: Any) -> list[str]:
    return sorted({rows.features["label"].int2str(row["label"]) for row in rows})


FILES = [{"split": "train", "path": "train.parquet"}]


# ---- 1: what is cached under a folder's name -----------------------------------------------------------------


def test_a_changed_folder_gives_old_rows(tmp_path: Path, release: Path) -> None:
    folder = by_hand(tmp_path / "data", {"configs": [{"config_name": "c", "data_files": FILES}]}, n=[1])
    assert plain(folder, "c", split="train")["n"] == [1]
    by_hand(folder, {"configs": [{"config_name": "c", "data_files": FILES}]}, n=[2])
    assert plain(folder, "c", split="train")["n"] == [1]  # wrong
    elsewhere = by_hand(tmp_path / "other" / "data", {"configs": [{"config_name": "c", "data_files": FILES}]}, n=[3])
    wrong = datasets.load_dataset(str(elsewhere), "c", split="train", cache_dir=str(tmp_path / "cache"))
    assert wrong["n"] == [1]  # wrong: it is another folder altogether

    copied = shutil.copytree(release, tmp_path / "copied")
    path = next(p for p in copied.glob("mentions/*.parquet"))
    assert plain(copied, "mentions")["train"].num_rows and dateline.load("mentions", source=copied, cache_dir=tmp_path / "c")
    path.write_bytes(path.read_bytes()[:-1] + b"?")  # as many bytes, one of them another
    assert plain(copied, "mentions")["train"].num_rows  # wrong: nothing is said of it
    with pytest.raises(ReleaseError, match=rf"{path.name}: has been changed: sha256 is"):
        dateline.load("mentions", source=copied, cache_dir=tmp_path / "c")


def test_two_releases_of_one_folder_name_never_mix(tmp_path: Path) -> None:
    for label in ("PER", "LOC"):
        folder = built(tmp_path / label, "0.1.0", label)
        assert labels(dateline.load("mentions", source=folder, split="train", cache_dir=tmp_path / "c")) == [label]


# ---- 3: what a card says, and does not say -------------------------------------------------------------------


def test_a_card_wins_over_what_the_files_say(tmp_path: Path, release: Path) -> None:
    names = {"class_label": {"names": {"0": "LOC", "1": "PER"}}}
    info = {"config_name": "c", "features": [{"name": "label", "dtype": names}]}
    card = {"configs": [{"config_name": "c", "data_files": FILES}], "dataset_info": info}
    folder = by_hand(tmp_path / "data", card, label=[0])
    table = datasets.Dataset.from_dict(
        {"label": [0]}, features=datasets.Features(label=datasets.ClassLabel(names=["PER", "LOC"]))
    )
    table.to_parquet(folder / "train.parquet")
    assert labels(plain(folder, "c", split="train")) == ["LOC"]  # wrong: the file says PER

    bare = by_hand(tmp_path / "bare", {"configs": [{"config_name": "c", "data_files": FILES}]}, label=[0])
    assert plain(bare, "c", split="train").features["label"].dtype == "int64"  # wrong: a number, and nothing says of what

    copied = shutil.copytree(release, tmp_path / "copied")
    card_text = (copied / "README.md").read_text()
    swapped = card_text.replace("'0': PER", "'0': X").replace("'1': LOC", "'1': PER").replace("'0': X", "'0': LOC")
    assert swapped != card_text
    (copied / "README.md").write_text(swapped)
    with pytest.raises(LoadError, match=r"README\.md: is not the card that the manifest names"):
        dateline.load("mentions", source=copied)
    rows: Any = dateline.load("mentions", source=release, split="train")
    assert rows.features["label"].names == ["PER", "LOC"] and labels(rows) == ["PER"]


def test_version_licence_and_citation_are_lost_but_in_one_place(tmp_path: Path, release: Path) -> None:
    info = {"config_name": "c", "version": "0.2.0", "features": [{"name": "n", "dtype": "int64"}]}
    head = {"license": "cc-by-4.0", "citation": "@misc{x}", "version": "0.2.0"}
    folder = by_hand(
        tmp_path / "data", {**head, "configs": [{"config_name": "c", "data_files": FILES}], "dataset_info": info}, n=[1]
    )
    found = plain(folder, "c", split="train").info
    assert (str(found.version), found.license, found.citation) == ("0.0.0", "", "")  # wrong, all three

    for streaming in (False, True):
        for split in ("train", None):
            made: Any = dateline.load("mentions", source=release, split=split, streaming=streaming)
            for rows in made.values() if split is None else [made]:
                said = rows.info
                assert (str(said.version), said.config_name, said.license) == ("0.2.0", "mentions", "CC-BY-4.0")
                assert said.citation == "@misc{tiny}"


def test_several_configs_want_a_default(tmp_path: Path, release: Path) -> None:
    configs = [{"config_name": name, "data_files": FILES} for name in ("a", "b")]
    with pytest.raises(ValueError, match="Config name is missing"):
        plain(by_hand(tmp_path / "data", {"configs": configs}, n=[1]))
    assert dateline.load(source=release, split="train").info.config_name == "articles"


# ---- 4: addresses, options, lists ----------------------------------------------------------------------------


def test_an_address_of_a_folder_is_not_read(release: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Couldn't find any data file at"):
        datasets.load_dataset(f"file://{release}", "mentions")
    rows: Any = dateline.load("mentions", source=f"file://{release}", split="train")
    assert labels(rows) == ["PER"]


def test_a_path_with_brackets_is_not_read(tmp_path: Path, release: Path) -> None:
    copied = shutil.copytree(release, tmp_path / "a[x]")
    with pytest.raises(FileNotFoundError, match=r"\[x\]"):
        plain(copied, "mentions")
    assert labels(dateline.load("mentions", source=copied, split="train")) == ["PER"]

    head = {"configs": [{"config_name": "c", "data_files": FILES}]}
    starred = by_hand(tmp_path / "hand" / "a*", head, n=[1])
    by_hand(tmp_path / "hand" / "ab", head, n=[2])
    assert sorted(plain(starred, "c", split="train")["n"]) == [1, 2]  # wrong: it reads the other folder, too

    folders = [shutil.copytree(release, tmp_path / name) for name in ("b*", "bc")]
    for folder in folders:
        ours: Any = dateline.load("articles", source=folder, split="all")
        assert ours.num_rows == 4


def test_a_sequence_of_structs_is_no_list_of_structs(tmp_path: Path, release: Path) -> None:
    pair = [{"name": "start", "dtype": "int64"}, {"name": "end", "dtype": "int64"}]
    info = {"config_name": "c", "features": [{"name": "spans", "sequence": pair}]}
    head = {"configs": [{"config_name": "c", "data_files": FILES}], "dataset_info": info}
    folder = by_hand(tmp_path / "data", head, spans=[[{"start": 0, "end": 3}, {"start": 4, "end": 7}]])
    with pytest.raises(datasets.exceptions.DatasetGenerationError):
        plain(folder, "c")
    info["features"] = [{"name": "spans", "list": pair}]
    by_hand(folder, head, spans=[[{"start": 0, "end": 3}, {"start": 4, "end": 7}]])
    assert plain(folder, "c", split="train")[0]["spans"][1] == {"start": 4, "end": 7}  # as our cards say it
    rows: Any = dateline.load("mentions", source=release, split="train")
    assert isinstance(rows.features["spans"], datasets.List) and rows[0]["spans"][0]["surface"] == "Ana"


# ---- section 8: what has no rows -----------------------------------------------------------------------------


def test_a_split_or_a_table_without_rows_fails(tmp_path: Path, release: Path) -> None:
    files = [*FILES, {"split": "test", "path": "test.parquet"}]
    folder = by_hand(tmp_path / "data", {"configs": [{"config_name": "c", "data_files": files}]}, n=[1])
    pq.write_table(pa.table({"n": pa.array([], pa.int64())}), folder / "test.parquet")
    with pytest.raises(datasets.exceptions.DatasetGenerationError):
        plain(folder, "c")
    (folder / "test.parquet").unlink()
    with pytest.raises(FileNotFoundError):
        plain(folder, "c")

    for streaming in (False, True):
        none: Any = dateline.load("standoff", source=release, split="train", streaming=streaming)
        assert list(none) == [] and "article_id" in none.features
        whole: Any = dateline.load("standoff", source=release, streaming=streaming)
        assert list(whole) == ["train", "test"] and str(whole["test"].info.version) == "0.2.0"
