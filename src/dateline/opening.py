"""dateline.open: a corpus as articles with their layers joined, references followed and spans as text; for looking at it.

    corpus = dateline.open()                            # the corpus that came with the package, or a folder
    for article in corpus.articles("test"):
        for claim in article.claims:
            for quantity in claim.follow("quantity_ids"):
                print(article.id, quantity.text, quantity.comparator)

Nothing is held but the article at hand: a corpus of a million articles is opened at once and read as it is walked through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dateline.errors import LoadError
from dateline.loading import packaged_dataset
from dateline.manifest import Manifest, read_manifest

NESTED = ("records", "standoff")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch [start, end) of an article's text, in Unicode code points; `text` is None where the text is withheld."""

    start: int
    end: int
    text: str | None = None

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, eq=False)
class Item:
    """One annotation: an item of a layer in an article. Its fields are attributes, and keys: `item.label`, `item["label"]`."""

    layer: str
    fields: Mapping[str, Any] = field(repr=False)
    article: Article = field(repr=False)

    @property
    def id(self) -> str:
        """The item's key, unique in its article."""
        return str(self.fields[self.article.corpus.key_of(self.layer)])

    @property
    def row(self) -> str:
        """How findings, diffs and `explain` name it: `article_id#id`."""
        return f"{self.article.id}#{self.id}"

    def __getitem__(self, name: str) -> Any:
        try:
            value = self.fields[name]
        except KeyError:
            raise KeyError(f"{self.layer} have no field {name!r}; they have {', '.join(self.fields)}") from None
        return _spans(value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.fields:
            raise AttributeError(f"{self.layer} have no field {name!r}; they have {', '.join(self.fields)}")
        return self[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.fields]

    @property
    def spans(self) -> tuple[Span, ...]:
        """The spans of the item's first anchored field: its place in the text; empty for what has none."""
        anchored = (self[name] for name in self.fields)
        return next((v if isinstance(v, tuple) else (v,) for v in anchored if v and _is_anchor(v)), ())

    @property
    def text(self) -> str | None:
        """The words of `spans`, those of a discontinuous span joined by " … "; None without spans, or where they are withheld."""
        words = [span.text for span in self.spans]
        return " … ".join(w for w in words if w is not None) if words and None not in words else None

    def follow(self, name: str) -> tuple[Item, ...]:
        """The items that a reference field names, in its order; empty where it names none.

        Raises KeyError for a field that is no reference inside the article.
        """
        target = self.article.corpus.references_of(self.layer).get(name)
        if target is None or target not in self.article.layers:
            known = self.article.corpus.references_of(self.layer)
            raise KeyError(
                f"{self.layer}.{name} refers to no layer of the article; of {self.layer} these do: {', '.join(known) or 'none'}"
            )
        value = self.fields[name]
        keys = value if isinstance(value, list) else [value]
        return tuple(self.article.item(target, key) for key in keys if key is not None)

    def referrers(self, layer: str | None = None) -> tuple[Item, ...]:
        """The items of the article (of one layer, or of all) that refer to this one."""
        return tuple(
            other
            for name, items in self.article.layers.items()
            if layer in (None, name)
            for column, target in self.article.corpus.references_of(name).items()
            if target == self.layer
            for other in items
            if self.id == other.fields[column] or (isinstance(other.fields[column], list) and self.id in other.fields[column])
        )


@dataclass(frozen=True, eq=False)
class Article:
    """One article with its layers: `article.mentions` is a tuple of items; what the article itself says is an attribute, too."""

    id: str
    split: str
    fields: Mapping[str, Any] = field(repr=False)
    corpus: Corpus = field(repr=False)

    @property
    def text(self) -> str | None:
        """The text; None where it is withheld."""
        found: str | None = self.fields["text"]
        return found

    @cached_property
    def layers(self) -> Mapping[str, tuple[Item, ...]]:
        """All layers by name, in the order of their items."""
        return {name: tuple(Item(name, row, self) for row in self.fields.get(name) or ()) for name in self.corpus.layers}

    @cached_property
    def _by_key(self) -> Mapping[tuple[str, str], Item]:
        return {(name, item.id): item for name, items in self.layers.items() for item in items}

    def item(self, layer: str, key: str) -> Item:
        """The item of a layer by its key. Raises KeyError if there is none."""
        try:
            return self._by_key[layer, key]
        except KeyError:
            raise KeyError(f"{self.id}: {layer} have no {key!r}") from None

    def __getitem__(self, name: str) -> Any:
        if name in self.corpus.layers:
            return self.layers[name]
        try:
            return self.fields[name]
        except KeyError:
            raise KeyError(f"articles have no field or layer {name!r}; they have {', '.join(self.fields)}") from None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self.fields:
            raise AttributeError(f"articles have no field or layer {name!r}; they have {', '.join(self.fields)}")
        return self[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.fields]


@dataclass(frozen=True)
class Corpus:
    """A dataset in a folder, as articles."""

    folder: Path
    manifest: Manifest = field(repr=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that articles have."""
        return tuple(name for name, table in self.manifest.links.items() if table["level"] == "article")

    @property
    def splits(self) -> dict[str, int]:
        """Articles per split."""
        return dict(self.manifest.tables["articles"].splits)

    def __len__(self) -> int:
        return self.manifest.tables["articles"].rows

    def key_of(self, layer: str) -> str:
        """The column that holds a layer's keys."""
        return str(self.manifest.links[layer]["key"])

    def references_of(self, layer: str) -> dict[str, str]:
        """The layer's reference columns, and the layer or table that each refers to."""
        return dict(self.manifest.links[layer]["references"])

    def articles(self, split: str | None = None, *, layers: bool = True) -> Iterator[Article]:
        """The articles, of one split or of all, in the order of their ids within a split; without `layers` they come
        without items, and faster.

        Raises LoadError for a split that the dataset does not have, and for a file that is not there or damaged.
        """
        if split is not None and split not in self.splits:
            raise LoadError(f"{self.folder}: has no split {split!r}; it has {', '.join(self.splits)}")
        for name in [split] if split else self.splits:
            files = [
                [f for f in self.manifest.tables[t].files if f["split"] == name] for t in NESTED if t in self.manifest.tables
            ]
            yield from self._merged([f for part in files for f in part], name, layers)

    def __iter__(self) -> Iterator[Article]:
        return self.articles()

    def __getitem__(self, article_id: str) -> Article:
        """One article by its id; only its rows are read. Raises KeyError if there is none."""
        import pyarrow.parquet as pq

        for table in (self.manifest.tables[t] for t in NESTED if t in self.manifest.tables):
            for file in table.files:
                with _readable(self.folder / file["path"]):
                    found = pq.read_table(
                        self.folder / file["path"], filters=[("article_id", "=", article_id)], partitioning=None
                    )
                for row in found.to_pylist():
                    return Article(article_id, file["split"], row, self)
        raise KeyError(f"{self.folder}: has no article {article_id!r}")

    def _merged(self, files: list[dict[str, Any]], split: str, layers: bool) -> Iterator[Article]:
        """Rows of files that are each in the order of ids, in the order of ids."""
        import heapq

        streams = (self._rows(self.folder / file["path"], layers) for file in files)
        for row in heapq.merge(*streams, key=lambda row: str(row["article_id"])):
            yield Article(row["article_id"], split, row, self)

    def _rows(self, path: Path, layers: bool) -> Iterator[dict[str, Any]]:
        import pyarrow.parquet as pq

        with _readable(path), pq.ParquetFile(path) as file:
            wanted = None if layers else [n for n in file.schema_arrow.names if n not in self.layers]
            for batch in file.iter_batches(batch_size=64, columns=wanted):
                yield from batch.to_pylist()


def open_corpus(source: str | Path | None = None) -> Corpus:
    """The dataset in the folder `source`, or the corpus that came with this package.

    Raises LoadError if there is none, if its files are not those its manifest names, or if it was built before manifests
    said which columns are keys and references.
    """
    folder = Path(source) if source is not None else packaged_dataset()
    manifest = read_manifest(folder)
    if not manifest.links:
        raise LoadError(f"{folder}: its manifest does not say which columns are keys; rebuild it with this dateline")
    return Corpus(folder, manifest)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except FileNotFoundError:
        raise LoadError(f"{path}: the manifest names it, but it is not there; get the dataset again") from None
    except (OSError, pa.ArrowInvalid) as fault:
        raise LoadError(f"{path}: cannot be read as Parquet: {str(fault).splitlines()[0]}; get the dataset again") from None


def _spans(value: Any) -> Any:
    """Spans as `Span`, lists of them as tuples; anything else as it is."""
    if isinstance(value, dict) and value.keys() == {"start", "end", "surface"}:
        return Span(value["start"], value["end"], value["surface"])
    if isinstance(value, list) and value and isinstance(value[0], dict | list):
        return tuple(_spans(inner) for inner in value)
    return value


def _is_anchor(value: Any) -> bool:
    return isinstance(value, Span) or (isinstance(value, tuple) and isinstance(value[0], Span))
