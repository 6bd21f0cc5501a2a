"""dateline.load: a config of a dataset as the usual `datasets` objects, from the installed package or a folder."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dateline.errors import LoadError
from dateline.ledger import UNRELEASED
from dateline.manifest import Manifest, TableFacts, read_manifest, read_versions
from dateline.versions import numbers

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict


def packaged_dataset() -> Path:
    """The dataset that came with this package: in the wheel, or beside the source in a checkout."""
    here = Path(__file__).parent
    for folder in (here / "corpus" / "dataset", here.parents[1] / "dataset"):
        if (folder / "manifest.json").is_file():
            return folder
    raise LoadError(f"no dataset came with this package (looked in {here / 'corpus' / 'dataset'}); name one with source=")


class TakenBackWarning(UserWarning):
    """What is loaded was released and taken back since: the whole release, or articles in it."""


def load(
    config: str | None = None,
    *,
    source: str | Path | None = None,
    split: str | None = None,
    streaming: bool = False,
    as_of: str | None = None,
) -> Dataset | DatasetDict | IterableDataset | IterableDatasetDict:
    """Load one config of a dataset: of the corpus that came with this package, or of the folder `source`.

    Without `config` the default one is loaded; without `split` all its splits. A split is named as `datasets` does: "train",
    "train[:10%]", "train+test", "all". What has no rows, and so no file, comes back empty with its types. Raises LoadError for
    a config or split that the dataset does not have, for a folder that `datasets` cannot read from, and for a dataset whose
    card is not the one its manifest names. Warns (TakenBackWarning) of a yanked release, and of retracted articles in it, as
    far as the dataset itself or the one that came with this package knows of them.

    `as_of`, a released version, gives the rows of the articles that this release had, and of a corpus-level table its rows, as
    they are now: where only articles and such rows were added since, these are the rows of that release. Raises LoadError for
    a version that the dataset does not list, and for `estimands`, which count over all articles.
    """
    import datasets

    folder = Path(source) if source is not None else packaged_dataset()
    manifest = read_manifest(folder)
    _warn_of_what_was_taken_back(folder, manifest)
    name = config or manifest.default_config
    if name not in manifest.tables:
        raise LoadError(f"{folder}: has no config {name!r}; it has {', '.join(manifest.tables)}")
    table = manifest.tables[name]
    wanted = None if split is None else _with_rows(str(split), table, manifest, folder, streaming)
    if not table.rows or wanted == "":
        found = _empty(table.features, streaming)
        if split is not None:
            return found
        return (datasets.IterableDatasetDict if streaming else datasets.DatasetDict)(dict.fromkeys(_own_splits(manifest), found))
    if re.search(r"[*?]|\[.*\]", os.path.abspath(folder)):
        raise LoadError(
            f"{folder}: `datasets` takes the characters [ ] * ? of a path for a pattern and cannot read from there; "
            "move the dataset to a folder whose path has none of them"
        )
    found = datasets.load_dataset(str(folder), name, split=wanted, streaming=streaming)
    return found if as_of is None else _as_of(found, as_of, folder, manifest, name)


_OWNERS = ("article_id", "article_a", "article_b", "article_id_a", "article_id_b")
"""Columns that name the articles that a row is of."""


def _as_of(found: Any, version: str, folder: Path, manifest: Manifest, config: str) -> Any:
    """The rows of what an earlier release had."""
    listed = [release["version"] for release in (read_versions(folder, manifest) or {"versions": []})["versions"]]
    version = version.removeprefix("v")
    if version not in listed:
        raise LoadError(f"{folder}: lists no release {version}; it lists {', '.join(listed) or 'none'}")
    there_are = {feature["name"] for feature in manifest.tables[config].features}
    owners = [column for column in ("added_in", *_OWNERS) if column in there_are]
    if not owners:
        raise LoadError(
            f"{config}: counts over all articles, so no row of it belongs to one release; derive it from those that do"
        )
    there = _articles_of(version, folder, manifest)

    def had(*values: str | None) -> bool:
        if owners[0] == "added_in":
            return values[0] is not None and numbers(values[0]) <= numbers(version)
        return all(value in there for value in values)

    return found.filter(had, input_columns=owners[:1] if owners[0] == "added_in" else owners)


def _articles_of(version: str, folder: Path, manifest: Manifest) -> set[str]:
    import pyarrow.parquet as pq

    there: set[str] = set()
    for file in manifest.tables["articles"].files:
        table = pq.read_table(folder / file["path"], columns=["article_id", "added_in"])
        added = zip(table["article_id"].to_pylist(), table["added_in"].to_pylist(), strict=True)
        there.update(name for name, since in added if since is not None and numbers(since) <= numbers(version))
    return there


def _own_splits(manifest: Manifest) -> list[str]:
    """The splits that articles of this corpus have, or, where the engine assigns them, could have."""
    articles = manifest.tables.get("articles")
    quotas = manifest.splits["quotas"] if manifest.splits["mode"] == "computed" else {}
    return list(dict.fromkeys([*quotas, *(articles.splits if articles else ())]))


def _warn_of_what_was_taken_back(folder: Path, manifest: Manifest) -> None:
    """Warn by what the dataset in `folder` says of itself, and by what the one that came with this package says of it."""
    said = [read_versions(folder, manifest)]
    try:
        newest = packaged_dataset()
        packaged = read_manifest(newest)
        if packaged.name == manifest.name and newest.resolve() != folder.resolve():
            said.append(read_versions(newest, packaged))
    except LoadError:  # nothing came with it, or nothing that can be trusted
        pass
    for versions in filter(None, said):
        for release in versions["versions"]:
            if release["version"] == manifest.version and release["yanked"]:
                _warn(f"{manifest.name} {manifest.version} was yanked: {release['yanked']['reason']}")
        gone = [a for a in versions["retracted"] if _holds(manifest, a["retracted_in"])]
        if gone:
            told = "; ".join(f"{a['article_id']} ({a['reason']})" for a in gone[:3])
            more = f"; and {len(gone) - 3} more" if len(gone) > 3 else ""
            _warn(f"{manifest.name} {manifest.version} holds what was retracted since: {told}{more}; load a newer release")


def _holds(manifest: Manifest, retracted_in: str | None) -> bool:
    """Whether a release may hold an article that was retracted in a later one; one that is no release does not."""
    if manifest.version == UNRELEASED:
        return False
    return retracted_in is None or numbers(manifest.version) < numbers(retracted_in)


def _warn(says: str) -> None:
    warnings.warn(says, TakenBackWarning, stacklevel=4)


def _with_rows(split: str, table: TableFacts, manifest: Manifest, folder: Path, streaming: bool) -> str:
    """The parts of a split's name that have rows in the table, joined as before; "" if none has."""
    from datasets import ReadInstruction

    if split == "all":
        return split if table.rows else ""
    known = list(dict.fromkeys([*_own_splits(manifest), *(s for t in manifest.tables.values() for s in t.splits)]))
    parts = []
    for part in re.split(r"\s*\+\s*", split.strip()):
        base = re.split(r"[\[(]", part)[0]
        if base not in known:
            raise LoadError(f"{folder}: has no split {base!r}; it has {', '.join(known)}")
        if streaming and part != base:
            raise LoadError(f"{part!r}: a part of a split cannot be streamed; stream {base!r}, and use its take and skip")
        rows = table.splits.get(base, 0)
        try:
            (slice_,) = ReadInstruction.from_spec(part).to_absolute({base: rows})
        except (ValueError, AssertionError) as fault:
            raise LoadError(
                f"{part!r} names no part of a split: {fault}; write {base}, {base}[:10], {base}[:10%] or {base}[5:10]"
            ) from None
        if (slice_.from_ or 0) < (rows if slice_.to is None else slice_.to):  # datasets refuses a part without rows
            parts.append(part)
    return "+".join(parts)


def _empty(declared: list[dict[str, Any]], streaming: bool) -> Dataset | IterableDataset:
    from datasets import Dataset, Features, IterableDataset

    features = Features._from_yaml_list(declared)
    if streaming:  # an empty Dataset cannot be turned into an iterable one
        return IterableDataset.from_generator(_nothing, features=features)
    return Dataset.from_dict({name: [] for name in features}, features=features)


def _nothing() -> Iterator[dict[str, Any]]:
    return iter(())
