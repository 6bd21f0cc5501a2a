"""mapping.toml: how the types, roles and attributes of a source become layers, fields and references of a project.

docs/mapping.md describes it for people. Everything that a file says is checked against the project's schemas before any document
is read, so that a slip in a name is one clear line and not a thousand rejected items.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from dateline.errors import InputError
from dateline.schema import Field, Layer, Schemas
from dateline.typed import misfits, shown


@dataclass(frozen=True)
class Source:
    """Where a field's value comes from: exactly one of the first nine; the rest says how it is read.

    `spans` a node's anchor ("" for its own spans, else a part); `feature` a feature; `role` the items made of the nodes in that
    role; `type` the node's type; `id` the source's id; `annotator` the annotation set; `metadata` of the document; `name` the
    document's name; `value` a constant. `values` translates values, `empty` names those that mean null, `split` cuts a string
    into a list.
    """

    spans: str | None = None
    feature: str | None = None
    role: str | None = None
    type: bool = False
    id: bool = False
    annotator: bool = False
    metadata: str | None = None
    name: bool = False
    value: Any = None
    values: dict[str, Any] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    split: str | None = None

    def kinds(self) -> list[str]:
        """Which of the ways is used; one, in a mapping that was checked."""
        ways = ("spans", "feature", "role", "type", "id", "annotator", "metadata", "name", "value")
        return [way for way in ways if getattr(self, way) not in (None, False)]


@dataclass(frozen=True)
class LayerMapping:
    """Which types become items of a layer, where its fields come from, how much of each text was annotated.

    `coverage` is FULL, NONE, or the number of segments (sentences) from the start that were annotated. With `trim`, white space
    at the edges of spans is left out of them, and counted.
    """

    types: list[str]
    fields: dict[str, dict[str, Any]]
    coverage: str | int = "FULL"
    trim: bool = False


@dataclass(frozen=True)
class Link:
    """A relation that becomes a reference: items in role `of` get the items in role `to`, under the role name `role`."""

    of: str
    to: str
    role: str


@dataclass(frozen=True)
class Ignored:
    """Patterns (`*`, `?`) of what is left out on purpose: types, `TYPE.feature`, `TYPE:role`, `document.key`."""

    types: list[str] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Annotation:
    """Who annotated, with what: the defaults of `annotation_sets`."""

    annotator_id: str = "unknown"
    annotator_type: str = "HUMAN"
    tool: str | None = None
    tool_version: str | None = None
    guideline_version: str | None = None
    status: str = "PRIMARY"


@dataclass(frozen=True)
class SplitSource:
    """How a document comes to its official split: by a folder of its name, by a list of names, or by its metadata."""

    folders: dict[str, str] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    metadata: str | None = None
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MetadataTable:
    """A table (TSV, CSV) of metadata: its column `key` is compared with a document's name, or its metadata `of`."""

    file: str
    key: str
    of: str | None = None


@dataclass(frozen=True)
class _Written:
    format: str
    options: dict[str, Any] = field(default_factory=dict)
    article: dict[str, dict[str, Any]] = field(default_factory=dict)
    rights: dict[str, Any] = field(default_factory=dict)
    annotation: Annotation = field(default_factory=Annotation)
    splits: SplitSource = field(default_factory=SplitSource)
    tables: list[MetadataTable] = field(default_factory=list)
    layers: dict[str, LayerMapping] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    ignore: Ignored = field(default_factory=Ignored)


@dataclass(frozen=True)
class MappedLayer:
    """A layer of the schemas with what the mapping says of it."""

    layer: Layer
    types: tuple[str, ...]
    fields: Table[str, Source]
    coverage: str | int
    trim: bool


@dataclass(frozen=True)
class Mapping:
    """A mapping that was read and checked."""

    format: str
    options: Table[str, Any]
    article: Table[str, Source]
    rights: Table[str, Any]
    annotation: Annotation
    splits: SplitSource
    tables: tuple[MetadataTable, ...]
    layers: Table[str, MappedLayer]
    links: Table[str, Link]
    ignore: Ignored
    schemas: Schemas
    file: str

    @property
    def article_fields(self) -> tuple[Field, ...]:
        """The fields of an article."""
        return self.schemas.article.fields

    @property
    def all_layers(self) -> list[str]:
        """The names of the project's own layers, mapped or not."""
        return [name for name in self.schemas.layers if name not in ("annotation_sets", "coverage")]

    @property
    def quotes(self) -> bool:
        """Whether messages may quote the texts."""
        return self.rights.get("text_redistributable") is True

    def ignores_type(self, kind: str) -> bool:
        """Whether nodes of a type are left out on purpose."""
        return _any(kind, self.ignore.types)

    def ignores_feature(self, name: str) -> bool:
        """Whether a feature `TYPE.feature` is left out on purpose."""
        return _any(name, self.ignore.features)

    def ignores_role(self, name: str) -> bool:
        """Whether a role `TYPE:role` is left out on purpose."""
        return _any(name, self.ignore.roles)


def read_mapping(path: Path, schemas: Schemas, *, name: str = "mapping.toml") -> Mapping:
    """The mapping in a file, checked against schemas.

    Raises InputError in one line for a file that is not there, is not TOML, says something unknown, or does not fit the schemas.
    """
    try:
        written = tomllib.loads(path.read_bytes().decode())
    except OSError as fault:
        raise InputError(f"{name}: cannot be read: {fault.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise InputError(f"{name}: is not valid TOML: {fault}") from None
    return mapping_from(written, schemas, name=name)


def mapping_from(written: dict[str, Any], schemas: Schemas, *, name: str = "mapping.toml") -> Mapping:
    """A mapping from plain values, as TOML gives them; raises InputError as `read_mapping` does."""
    for fault in misfits(written, _Written):
        raise InputError(f"{name}: {fault.where or 'the file'} is {fault.found}, but must be {fault.expected}")
    made = _built(written)
    layers = {}
    for layer, says in made.layers.items():
        if layer not in schemas.layers:
            own = ", ".join(n for n in schemas.layers if n not in ("annotation_sets", "coverage"))
            raise InputError(f"{name}: there is no layer {layer!r}; schemas/ has {own or 'none'}")
        if layer in ("annotation_sets", "coverage"):
            raise InputError(f"{name}: {layer} is filled by the importer; see [annotation], and coverage of each layer")
        fields = _sources(says.fields, schemas.layers[layer], f"{name}: layers.{layer}.fields")
        if isinstance(says.coverage, str) and says.coverage not in ("FULL", "NONE"):
            raise InputError(
                f'{name}: layers.{layer}.coverage is {says.coverage!r}, but must be "FULL", "NONE" or a number of segments'
            )
        layers[layer] = MappedLayer(schemas.layers[layer], tuple(says.types), fields, says.coverage, says.trim)
    for mapped in layers.values():
        for column, source in mapped.fields.items():
            target = mapped.layer[column].ref
            if source.role is not None and target not in layers:
                where = f"{name}: layers.{mapped.layer.name}.fields.{column}"
                raise InputError(f"{where} refers to {target}, to which no type is mapped")
    article = _sources(made.article, schemas.article, f"{name}: article")
    for column, source in article.items():
        if (kind := source.kinds()[0]) not in ("metadata", "name", "value"):
            raise InputError(f"{name}: article.{column}: an article has no {kind}; it has metadata, name and value")
    known = {f.path[-1] for f in schemas.article.fields if f.path[0] == "rights"}
    for field_name in made.rights:
        if field_name not in known:
            raise InputError(f"{name}: rights has no {field_name!r}; it has {', '.join(sorted(known))}")
    return Mapping(
        made.format, made.options, article, made.rights, made.annotation, made.splits, tuple(made.tables), layers, made.links,
        made.ignore, schemas, name,
    )  # fmt: skip


def _built(written: dict[str, Any]) -> _Written:
    inner: dict[str, Any] = dict(written)
    for name, kind in (("annotation", Annotation), ("splits", SplitSource), ("ignore", Ignored)):
        inner[name] = kind(**written.get(name, {}))
    inner["tables"] = [MetadataTable(**t) for t in written.get("tables", [])]
    inner["layers"] = {n: LayerMapping(**says) for n, says in written.get("layers", {}).items()}
    inner["links"] = {n: Link(**says) for n, says in written.get("links", {}).items()}
    return _Written(**inner)


def _sources(written: Table[str, Any], layer: Layer, where: str) -> dict[str, Source]:
    """The sources of fields, by column."""
    made = {}
    for column, says in written.items():
        try:
            target = layer[column]
        except KeyError as fault:
            raise InputError(f"{where}: {fault.args[0]}") from None
        for misfit in misfits(says, Source):
            raise InputError(f"{where}.{column}{misfit.where and '.' + misfit.where} is {misfit.found}, not {misfit.expected}")
        source = Source(**says)
        if len(kinds := source.kinds()) != 1:
            ways = "spans, feature, role, type, id, annotator, metadata, name, value"
            raise InputError(f"{where}.{column}: {shown(says)} names {len(kinds)} sources; it must name one of {ways}")
        if misplaced := _misplaced(kinds[0], target):
            raise InputError(f"{where}.{column}: {misplaced}")
        made[column] = source
    return made


def _misplaced(kind: str, target: Field) -> str:
    """Why a field cannot be filled from a kind of source; empty if it can."""
    if target.derive:
        return "is a computed column, which no source fills"
    if (kind == "spans") != (target.span in ("many", "one")):
        return "holds spans, so its source must be `spans`" if target.span else "holds no spans"
    if kind == "role" and not target.ref:
        return "is filled from a role, but is no reference (x-ref) in the schema"
    if kind == "annotator" and target.ref != "annotation_sets":
        return 'is filled from the annotator, so it must be a reference: "x-ref": "annotation_sets"'
    return ""


def _any(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def as_toml_value(source: Source) -> dict[str, Any]:
    """A source as it is written: what it says, and no defaults."""
    defaults = Source()
    said = ((f.name, getattr(source, f.name)) for f in dataclasses.fields(Source))
    return {name: value for name, value in said if value != getattr(defaults, name)}
