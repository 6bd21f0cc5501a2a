"""dateline.load: a config of a release as the usual `datasets` objects, from the installed package, a folder, the Hub, a bucket.

`datasets` is handed the very files of the config, which were checked, and the types to read them with, not a folder whose card
it would read: nothing that it cached under the name of a folder or a revision comes back in their place, and it starts sooner.
"""

from __future__ import annotations

import copy
import glob
import json
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dateline.errors import LoadError, printable
from dateline.fetched import Cache, Opened, cache_folder
from dateline.ledger import UNRELEASED
from dateline.manifest import CARD, Manifest, TableFacts, read_manifest, read_versions
from dateline.manifest import NAME as MANIFEST
from dateline.stores import told
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


class OfflineWarning(UserWarning):
    """The source does not answer; what is loaded is what was the newest that fits when it last did."""


def load(
    config: str | None = None,
    *,
    source: str | os.PathLike[str] | None = None,
    version: str | None = None,
    split: str | None = None,
    streaming: bool = False,
    as_of: str | None = None,
    storage_options: Mapping[str, Any] | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
) -> Dataset | DatasetDict | IterableDataset | IterableDatasetDict:
    """Load one config of a release: of the corpus that came with this package, or of `source`.

    `source` is a release's folder, a folder with several releases (`releases.json`), either as `file://` or as
    `s3://bucket/prefix`, or `hf://org/name`. `version` says which release: exactly ("0.2.0", "v0.2.0") or by a range ("~=0.2",
    ">=0.1,<0.3"); it may follow an `@` in `source`. Without one it is the newest that was not yanked. The manifest is checked
    against what the source lists, the files of the config against the manifest: each byte of a local file the first time and
    whenever the file has changed, each byte of a remote one while it is fetched. What is fetched is kept in `cache_dir`
    (HF_HOME if none); where nobody answers, it serves if it is the version that was asked for. `storage_options` are fsspec's.

    Without `config` the default one is loaded; without `split` all its splits. A split is named as `datasets` does: "train",
    "train[:10%]", "train+test", "all". What has no rows, and so no file, comes back empty with its types. With `streaming`, data
    that is not at hand is read from where it lies, a piece at a time, and not checked but for its types.

    Raises LoadError (one line) for a version, config or split that is not there, for files that are not those of the manifest,
    for a source that cannot be read; InputError for words that name none. Warns (TakenBackWarning) of a yanked release, and of
    retracted articles in it, as far as the release, its source or the dataset that came with this package know of them.

    `as_of`, a released version, gives the rows of the articles that this release had, and of a corpus-level table its rows, as
    they are now: where only articles and such rows were added since, these are the rows of that release. Raises LoadError for
    a version that the dataset does not list, and for `estimands`, which count over all articles.
    """
    opened = Cache(cache_folder(cache_dir)).open(os.fspath(source or packaged_dataset()), version, storage_options)
    manifest = opened.manifest
    if opened.guessed:
        warnings.warn(f"{opened.silent}; loaded {manifest.version} from the cache", OfflineWarning, stacklevel=2)
    _warn_of_what_was_taken_back(opened)
    name = config or manifest.default_config
    if name not in manifest.tables:
        raise LoadError(f"{opened.words}: has no config {name!r}; it has {', '.join(manifest.tables)}")
    table = manifest.tables[name]
    wanted = None if split is None else _with_rows(str(split), table, opened, streaming)
    if not table.rows or wanted == "":
        found: Any = _empty(table.features, streaming)
        if split is None:
            found = _splits_of(found, _own_splits(manifest))
    else:
        found = _read(opened, name, wanted, streaming, storage_options, cache_dir)
    _describe(found, opened, name)
    return found if as_of is None else _as_of(found, as_of, opened, name)


def _read(
    opened: Opened, config: str, split: str | None, streaming: bool, options: Mapping[str, Any] | None, cache_dir: Any
) -> Any:
    """The rows of a config, through `datasets`' own reader of Parquet."""
    import datasets

    table = opened.manifest.tables[config]
    paths = [file["path"] for file in table.files]
    remote = streaming and opened.store is not None and not opened.has(paths)
    if not remote:
        opened.bring(paths)
    files: dict[str, list[str]] = {name: [] for name in table.splits}
    for file in table.files:
        path = file["path"]
        files[file["split"]].append(opened.store.url(path) if remote and opened.store else _plain(opened.folder / path))
    chosen = dict(options or {})
    with told(opened.words, opened.store):
        return datasets.load_dataset(
            "parquet",
            name=config,
            version=opened.manifest.version,
            description=f"content {opened.manifest.content_digest}",  # a part of the key of what `datasets` caches
            data_files=files,
            features=datasets.Features._from_yaml_list(table.features),
            split=split,
            streaming=streaming,
            cache_dir=str(Path(cache_dir) / "datasets") if cache_dir else None,
            token=chosen.get("token") if remote else None,
            storage_options=copy.deepcopy(chosen) if remote and chosen else None,  # `datasets` changes what it is given
        )


def _plain(path: Path) -> str:
    """A path that `datasets`, which takes it for a pattern, finds as it is."""
    return glob.escape(os.path.abspath(path))


def _splits_of(rows: Any, splits: list[str]) -> Any:
    import datasets

    whole = datasets.IterableDatasetDict if isinstance(rows, datasets.IterableDataset) else datasets.DatasetDict
    return whole({split: copy.deepcopy(rows) for split in splits})


def _describe(found: Any, opened: Opened, config: str) -> None:
    """Write into what is returned which release it is of, its licence, and how to cite it."""
    from datasets import Version

    said = _said_in_card(opened.folder / CARD, config)
    for rows in found.values() if isinstance(found, dict) else [found]:
        rows.info.version = Version(opened.manifest.version)
        rows.info.config_name = config
        for name in ("license", "citation", "homepage"):
            setattr(rows.info, name, str(said.get(name, "")))


def _said_in_card(card: Path, config: str) -> Mapping[str, Any]:
    """The item of `dataset_info` for a config in the head of a card."""
    import yaml

    head = card.read_text(encoding="utf-8").split("---\n")[1]
    said = yaml.load(head, getattr(yaml, "CSafeLoader", yaml.SafeLoader))["dataset_info"]  # the fast one where it was built
    items = said if isinstance(said, list) else [said]
    return next((item for item in items if item.get("config_name") == config), {})


_OWNERS = ("article_id", "article_a", "article_b", "article_id_a", "article_id_b")
"""Columns that name the articles that a row is of."""


def _as_of(found: Any, version: str, opened: Opened, config: str) -> Any:
    """The rows of what an earlier release had."""
    folder, manifest = opened.folder, opened.manifest
    listed = [release["version"] for release in (read_versions(folder, manifest) or {"versions": []})["versions"]]
    version = version.removeprefix("v")
    if version not in listed:
        raise LoadError(f"{opened.words}: lists no release {version}; it lists {', '.join(listed) or 'none'}")
    there_are = {feature["name"] for feature in manifest.tables[config].features}
    owners = [column for column in ("added_in", *_OWNERS) if column in there_are]
    if not owners:
        raise LoadError(
            f"{config}: counts over all articles, so no row of it belongs to one release; derive it from those that do"
        )
    there = _articles_of(version, opened)

    def had(*values: str | None) -> bool:
        if owners[0] == "added_in":
            return values[0] is not None and numbers(values[0]) <= numbers(version)
        return all(value in there for value in values)

    return found.filter(had, input_columns=owners[:1] if owners[0] == "added_in" else owners)


def _articles_of(version: str, opened: Opened) -> set[str]:
    import pyarrow.parquet as pq

    there: set[str] = set()
    files = opened.manifest.tables["articles"].files
    opened.bring([file["path"] for file in files])
    for file in files:
        table = pq.read_table(opened.folder / file["path"], columns=["article_id", "added_in"])
        added = zip(table["article_id"].to_pylist(), table["added_in"].to_pylist(), strict=True)
        there.update(name for name, since in added if since is not None and numbers(since) <= numbers(version))
    return there


def _own_splits(manifest: Manifest) -> list[str]:
    """The splits that articles of this corpus have, or, where the engine assigns them, could have."""
    articles = manifest.tables.get("articles")
    quotas = manifest.splits["quotas"] if manifest.splits["mode"] == "computed" else {}
    return list(dict.fromkeys([*quotas, *(articles.splits if articles else ())]))


def _warn_of_what_was_taken_back(opened: Opened) -> None:
    """Warn by what the release says of itself, what its source says, and what the dataset that came with this package says."""
    manifest = opened.manifest
    said = [read_versions(opened.folder, manifest)]
    if (listing := opened.listing) is not None:
        said.append({"versions": [asdict(release) for release in listing.releases], "retracted": listing.retracted})
    try:
        newest = packaged_dataset()
        named = json.loads((newest / MANIFEST).read_bytes())["name"]  # to check all of it takes longer than most loads
        if named == manifest.name and newest.resolve() != opened.folder.resolve():
            said.append(read_versions(newest, read_manifest(newest)))
    except (LoadError, OSError, ValueError, KeyError):  # nothing came with it, or nothing that can be trusted
        pass
    known = [versions for versions in said if versions]
    entries = [entry for versions in known for entry in versions["versions"] if entry["version"] == manifest.version]
    yanked = [entry["yanked"] for entry in entries if entry["yanked"]]
    gone = {a["article_id"]: a for v in known for a in v["retracted"] if _holds(manifest, a["retracted_in"])}
    if yanked:
        _warn(f"{manifest.name} {manifest.version} was yanked: {yanked[-1]['reason']}")
    if gone:
        told = "; ".join(f"{a['article_id']} ({a['reason']})" for a in list(gone.values())[:3])
        more = f"; and {len(gone) - 3} more" if len(gone) > 3 else ""
        _warn(f"{manifest.name} {manifest.version} holds what was retracted since: {told}{more}; load a newer release")


def _holds(manifest: Manifest, retracted_in: str | None) -> bool:
    """Whether a release may hold an article that was retracted in a later one; one that is no release does not."""
    if manifest.version == UNRELEASED:
        return False
    return retracted_in is None or numbers(manifest.version) < numbers(retracted_in)


def _warn(says: str) -> None:
    warnings.warn(printable(says), TakenBackWarning, stacklevel=4)


def _with_rows(split: str, table: TableFacts, opened: Opened, streaming: bool) -> str:
    """The parts of a split's name that have rows in the table, joined as before; "" if none has."""
    from datasets import ReadInstruction

    manifest = opened.manifest
    if split == "all":
        return split if table.rows else ""
    known = list(dict.fromkeys([*_own_splits(manifest), *(s for t in manifest.tables.values() for s in t.splits)]))
    parts = []
    for part in re.split(r"\s*\+\s*", split.strip()):
        base = re.split(r"[\[(]", part)[0]
        if base not in known:
            raise LoadError(f"{opened.words}: has no split {base!r}; it has {', '.join(known)}")
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
