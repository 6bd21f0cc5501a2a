"""agreement: annotation sets of a project, of a folder of records or of a dataset, read and compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from dateline.agreement.compare import Agreement, Question, agreement
from dateline.agreement.figures import Bootstrap
from dateline.agreement.sides import Annotated
from dateline.annotation_sets import LAYER as SETS
from dateline.compile.check import check_record
from dateline.compile.seeds import files_in, read_tables, records_in, seed_files
from dateline.compile.sets import PRIMARY
from dateline.compile.tables import layer_row
from dateline.errors import InputError, Problem, ProjectError, UsageError
from dateline.manifest import NAME as MANIFEST
from dateline.manifest import Manifest
from dateline.opening import Corpus, open_corpus
from dateline.project import Project, find_project
from dateline.schema import SPAN_TYPE, Field, Json, Layer, load_schemas
from dateline.validate.views import arrow_type_of, labelled

_NO_ANNOTATION = (SETS, "coverage")


@dataclass(frozen=True)
class Request:
    """What a user asks for, in his words: layers, `layer.field[=low,..,high]`, `layer.field`; none asks for all there are."""

    layers: Sequence[str] = ()
    ordinal: Sequence[str] = ()
    clusters: Sequence[str] = ()
    bootstrap: Bootstrap = field(default_factory=Bootstrap)
    each: bool = False


@dataclass(frozen=True)
class Reading:
    """Annotated articles by id, and the layers that their rows are of."""

    named: str
    layers: Mapping[str, Layer]
    articles: Mapping[str, Annotated]


def agree(path: Path, request: Request, *, other: Path | None = None, project: Path = Path()) -> Agreement:
    """Compare the annotation sets of the articles at `path` with one another, or with those of the same articles at `other`.

    Each is a project, a folder or file of records (read by the schemas of the project that holds it, else of `project`), or a
    dataset. Raises UsageError for a layer or field that is not there, InputError for records with problems, for an article that
    stands twice, and for one that has another text at `other`.
    """
    first = read(path, project)
    question = _question(request, first.layers)
    if other is None:
        return agreement(first.articles.values(), first.layers, question)
    second = read(other, path if _holds_project(path) else project)
    _same_columns(first, second)
    both = first.articles.keys() & second.articles.keys()
    for article_id in sorted(both):
        _same_text(first.articles[article_id], second.articles[article_id])
    made = agreement([first.articles[a] for a in sorted(both)], first.layers, question, second.articles)
    for one, rest in ((first, second), (second, first)):
        if alone := len(one.articles.keys() - rest.articles.keys()):
            says = "1 article does not stand" if alone == 1 else f"{alone:,} articles do not stand"
            made.notes.append(f"{one.named}: {says} in {rest.named}")
    return made


def read(path: Path, project: Path) -> Reading:
    """The annotated articles of a project, of records or of a dataset."""
    if (path / MANIFEST).is_file():
        return _dataset(open_corpus(path))
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    home = find_project(path if path.is_dir() else path.parent) if _holds_project(path) else find_project(project)
    return _records(home, seed_files(home) if path.resolve() == home.root else list(files_in(home, [path])), str(path))


def _holds_project(path: Path) -> bool:
    try:
        find_project(path if path.is_dir() else path.parent)
    except ProjectError:
        return False
    return True


# ---- records -------------------------------------------------------------------------------------------------


def _records(project: Project, files: Sequence[Path], named: str) -> Reading:
    schemas = load_schemas(project.schemas)
    tables = read_tables(project, schemas)
    problems: list[Problem] = list(tables.problems)
    found: dict[str, Annotated] = {}
    for path in files:
        if path.resolve() == project.ledger.resolve():
            continue
        for raw, record in records_in(path, project.name_of(path), problems):
            if faults := [p for p in check_record(record, raw, schemas, tables.keys) if p.fails]:
                problems += faults
                continue
            items = {
                name: [layer_row(layer, item, None, withheld=False) for item in record.get(name) or ()]
                for name, layer in schemas.layers.items()
            }
            _take(found, Annotated(record["article_id"], *_measured(record["text"]), items[SETS], items, str(raw.place)))
    if problems:
        more = f" ({len(problems) - 1:,} more; `dateline check` lists them)" if len(problems) > 1 else ""
        raise InputError(f"{problems[0]}{more}; sets are compared when all records are right")
    return Reading(named, schemas.layers, found)


def _measured(said: Json) -> tuple[str, int]:
    text = said.get("content")
    if text is None:
        return said["sha256"], said["n_code_points"]
    return hashlib.sha256(text.encode()).hexdigest(), len(text)


def _take(found: dict[str, Annotated], article: Annotated) -> None:
    if (before := found.get(article.article_id)) is not None:
        raise InputError(
            f"{article.named}: the article {article.article_id!r} stands at {before.named} already; two annotators of a text "
            "are two annotation sets of one record, or lie in two folders that --other compares"
        )
    found[article.article_id] = article


def _same_columns(first: Reading, second: Reading) -> None:
    for name in first.layers.keys() & second.layers.keys():
        columns = {f.name for f in second.layers[name].fields}
        for f in first.layers[name].fields:
            if f.name not in columns:
                raise InputError(f"{second.named}: its {name} have no column {f.name!r}, but those of {first.named} have; "
                                 "only what was annotated by the same schemas can be compared")  # fmt: skip


def _same_text(one: Annotated, other: Annotated) -> None:
    if one.sha256 != other.sha256:
        raise InputError(
            f"{other.named}: the article {other.article_id!r} has another text (sha256 {other.sha256[:12]}…) than at {one.named} "
            f"({one.sha256[:12]}…); offsets into two texts cannot be compared"
        )


# ---- datasets ------------------------------------------------------------------------------------------------


def _dataset(corpus: Corpus) -> Reading:
    layers, named = layers_of(corpus.manifest), str(corpus.folder)
    apart: dict[str, list[dict[str, Any]]] = {}
    for row in _primary(corpus):
        apart.setdefault(row["article_id"], []).append(row)
    found: dict[str, Annotated] = {}
    for article in corpus.articles():
        said = article.fields
        items = {name: [i for row in (said, *apart.get(article.id, ())) for i in row[name]] for name in layers}
        sets = said[SETS]  # lists those that stand apart, too
        _take(found, Annotated(article.id, said["text_sha256"], said["text_n_code_points"], sets, items | {SETS: sets}, named))
    return Reading(named, layers, found)


def _primary(corpus: Corpus) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    table = corpus.manifest.tables.get(PRIMARY)
    for file in table.files if table else ():
        try:
            yield from pq.read_table(corpus.folder / file["path"], partitioning=None).to_pylist()
        except (OSError, pa.ArrowInvalid) as fault:
            raise InputError(f"{corpus.folder / file['path']}: cannot be read as Parquet: {str(fault).splitlines()[0]}") from None


def layers_of(manifest: Manifest) -> dict[str, Layer]:
    """The layers of a dataset without its schemas: columns, keys, references, spans and labels, as the manifest declares them."""
    made = {}
    for name, link in manifest.links.items():
        if link["level"] != "article":
            continue
        features = [entry for entry in manifest.tables[name].features if entry["name"] != "article_id"]
        labels = {column: (many, values) for column, many, values in labelled(features)}
        fields = []
        for column in arrow_type_of(features, name):
            schema = _schema(column, link["references"].get(column.name), labels.get(column.name))
            if column.name == link["key"]:
                schema["x-key"] = True
            fields.append(Field(column.name, (column.name,), schema, column.type))
        made[name] = Layer(name, name, "", tuple(fields), {"properties": {f.name: f.schema for f in fields}})
    return made


def _schema(column: pa.Field, reference: str | None, labels: tuple[bool, list[str]] | None) -> Json:
    schema: Json = {"type": "array"} if pa.types.is_list(column.type) else {}
    if column.type.equals(SPAN_TYPE):
        return {"x-span": "one"}
    if column.type.equals(pa.list_(SPAN_TYPE)):
        return {"x-span": "many"}
    if column.type.equals(pa.list_(pa.list_(SPAN_TYPE))):
        return {"type": "array", "items": {"x-span": "many"}}
    if reference is not None:
        schema["x-ref"] = reference
    if labels is not None:
        many, values = labels
        schema |= {"items": {"enum": values}} if many else {"enum": values}
    return schema


# ---- what is asked -------------------------------------------------------------------------------------------


def _question(request: Request, layers: Mapping[str, Layer]) -> Question:
    known = [name for name in layers if name not in _NO_ANNOTATION]
    for name in request.layers:
        if name not in known:
            raise UsageError(f"--layer {name}: no such layer; there are {', '.join(known) or 'none'}")
    scales = {
        (layer.name, f.name): f.labels or []
        for layer in layers.values()
        for f in layer.fields
        if f.schema.get("x-ordered") and not pa.types.is_list(f.type)
    }
    for words in request.ordinal:
        named, _, listed = words.partition("=")
        layer, f = _field(named, "--ordinal", layers)
        if not f.labels or pa.types.is_list(f.type):
            raise UsageError(f"--ordinal {named}: holds no label; a scale has labels")
        scale = [label.strip() for label in listed.split(",")] if listed else f.labels
        for label in scale:
            if label not in f.labels:
                raise UsageError(f"--ordinal {named}: has no label {label!r}; its labels are {', '.join(f.labels)}")
        scales[layer.name, f.name] = scale
    clusters = []
    for words in request.clusters:
        layer, f = _field(words, "--clusters", layers)
        if f.ref not in layers or pa.types.is_list(f.type):
            raise UsageError(f"--clusters {words}: refers to no one item of a layer, so it sorts nothing into clusters")
        clusters.append((layer.name, f.name))
    wanted = [layers[name] for name in request.layers or known]
    return Question(wanted, scales, clusters, request.bootstrap, request.each)


def _field(words: str, option: str, layers: Mapping[str, Layer]) -> tuple[Layer, Field]:
    name, _, column = words.partition(".")
    if name not in layers or not column:
        raise UsageError(f"{option} {words}: name it as LAYER.FIELD; layers here: {', '.join(layers)}")
    try:
        return layers[name], layers[name][column]
    except KeyError as fault:
        raise UsageError(f"{option} {words}: {fault.args[0]}") from None
