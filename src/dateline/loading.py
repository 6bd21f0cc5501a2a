"""dateline.load: a config of a dataset as the usual `datasets` objects, from the installed package or a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dateline.errors import LoadError
from dateline.manifest import read_manifest

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict


def packaged_dataset() -> Path:
    """The dataset that came with this package: in the wheel, or beside the source in a checkout."""
    here = Path(__file__).parent
    for folder in (here / "corpus" / "dataset", here.parents[1] / "dataset"):
        if (folder / "manifest.json").is_file():
            return folder
    raise LoadError(f"no dataset came with this package (looked in {here / 'corpus' / 'dataset'}); name one with source=")


def load(
    config: str | None = None,
    *,
    source: str | Path | None = None,
    split: str | None = None,
    streaming: bool = False,
) -> Dataset | DatasetDict | IterableDataset | IterableDatasetDict:
    """Load one config of a dataset: of the corpus that came with this package, or of the folder `source`.

    Without `config` the default one is loaded; without `split` all its splits. A config or split without rows, which has no file,
    comes back empty with its types. Raises LoadError for a config or split that the dataset does not have, and for
    a dataset whose card is not the one its manifest names.
    """
    import datasets

    folder = Path(source) if source is not None else packaged_dataset()
    manifest = read_manifest(folder)
    name = config or manifest.default_config
    if name not in manifest.tables:
        raise LoadError(f"{folder}: has no config {name!r}; it has {', '.join(manifest.tables)}")
    table = manifest.tables[name]
    known = list(dict.fromkeys(s for t in manifest.tables.values() for s in t.splits))
    base = split.split("[")[0] if split is not None else None
    if base is not None and base not in known:
        raise LoadError(f"{folder}: has no split {base!r}; it has {', '.join(known)}")
    if not table.rows or (base is not None and base not in table.splits):
        found = _empty(table.features, streaming)
        if split is not None:
            return found
        return (datasets.IterableDatasetDict if streaming else datasets.DatasetDict)(
            dict.fromkeys(manifest.splits["quotas"], found)
        )
    return datasets.load_dataset(str(folder), name, split=split, streaming=streaming)


def _empty(declared: list[dict[str, Any]], streaming: bool) -> Dataset | IterableDataset:
    from datasets import Dataset, Features, IterableDataset

    features = Features._from_yaml_list(declared)
    if streaming:  # an empty Dataset cannot be turned into an iterable one
        return IterableDataset.from_generator(_nothing, features=features)
    return Dataset.from_dict({name: [] for name in features}, features=features)


def _nothing() -> Iterator[dict[str, Any]]:
    return iter(())
