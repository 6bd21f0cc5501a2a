"""The manifest and the card of what a rebuild made: what they say of files, tables, columns, licences and releases."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dateline import __version__
from dateline.compile.plan import Plan
from dateline.compile.sets import PRIMARY
from dateline.compile.shard import ShardFacts
from dateline.compile.signature import signing_of
from dateline.compile.tables import (
    ARTICLES,
    RECORDS,
    STANDOFF,
    columns,
    configs,
    features,
)  # fmt: skip
from dateline.derive.columns import Table
from dateline.deriving import Derived
from dateline.describe.baselines import baselines_section
from dateline.describe.card import Column, card
from dateline.errors import InputError, ProjectError
from dateline.ledger import UNRELEASED, Ledger, Release, marked
from dateline.licences import read_licences
from dateline.manifest import (
    CARD,
    VERSIONS,
    Manifest,
    TableFacts,
    content_digest,
    whole_digest,
)  # fmt: skip
from dateline.parquet import FileFacts
from dateline.project import Project, Splits
from dateline.row_facts import Labelled
from dateline.schema import Schemas


@dataclass(frozen=True)
class Stamp:
    """What makes a build a release: its version, and the ledger with the entries that it gets, less the release itself."""

    version: str
    date: str
    bump: str
    ledger: Ledger


def describe(
    project: Project,
    schemas: Schemas,
    planned: Plan,
    inputs: str,
    facts: ShardFacts,
    derived: Derived,
    ledger: Ledger,
    stamp: Stamp | None,
    work: Path,
) -> tuple[Manifest, str, Ledger]:
    """The manifest and the card, and the ledger with the release that this is, if it is to be one; `inputs` is the digest of all
    records.
    """
    settings = project.settings
    order = [*settings.splits.quotas, *sorted({f.split for f in facts.files} - set(settings.splits.quotas))]
    listed = _listed(schemas, derived.tables, {file.config for file in facts.files})
    names = list(listed)
    tables = {name: _table_facts(name, table, facts, derived, order) for name, table in listed.items()}
    declared = {name: table.features for name, table in tables.items()}
    if settings.default_config not in tables:
        raise ProjectError(
            f"[tool.dateline] default_config {settings.default_config!r} is no config; there are {', '.join(names)}"
        )
    digest = content_digest([(f.path, f.sha256) for f in facts.files], {n: declared[n] for n in names if tables[n].rows})
    logical = whole_digest({name: table.logical_digest for name, table in tables.items()})
    articles = sum(len(shard.articles) for shard in planned.shards)
    withheld = sum(pc.sum(shard.articles["withheld"]).as_py() for shard in planned.shards)
    if stamp:
        release = Release(stamp.version, stamp.date, stamp.bump, digest, logical, articles, _new_bits(planned, ledger))
        ledger = dataclasses.replace(ledger, releases=(*ledger.releases, release))
    found = ledger.release_of(digest)
    version = found.version if found else UNRELEASED
    links = _links(schemas, derived.tables)
    text = card(
        dataclasses.replace(settings, version=version), tables, declared, {name: table.columns for name, table in listed.items()},
        {name: (table.title, table.description) for name, table in listed.items()}, digest,
        {
            "articles": articles, "groups": planned.groups, "withheld": withheld, "content_digest": digest,
            "date": found.date if found else "", "last": ledger.last.version if ledger.last else "",
            "licences": read_licences(work / "data", tables, links, settings.license, settings.code_license),
            "key": _public_key(project),
            "yanked": found.yanked.reason if found and found.yanked else "", "retracted": marked(ledger.retracted.values()),
        },
        _baselines(project, tables),
    )  # fmt: skip
    schema_digest = hashlib.sha256(b"".join(n.encode() + b"\0" + raw + b"\0" for n, raw in sorted(schemas.sources.items())))
    manifest = Manifest(
        name=settings.name,
        version=version,
        default_config=settings.default_config,
        content_digest=digest,
        logical_digest=logical,
        tables=tables,
        card={"path": CARD, "sha256": hashlib.sha256(text.encode()).hexdigest(), "bytes": len(text.encode())},
        splits={**_told(settings.splits), "signature": signing_of(settings.splits).name, "left_out": len(planned.left_out)},
        inputs={"records": inputs, "schemas": schema_digest.hexdigest()},
        writer={"dateline": __version__, "pyarrow": pa.__version__},
        links=links,
        versions=_write_versions(ledger, settings.name, work / "data") if ledger.releases else None,
    )
    return manifest, text, ledger


def _told(splits: Splits) -> dict[str, Any]:
    """The settings of splits as a manifest names them; what is assigned only where something is."""
    return {name: value for name, value in asdict(splits).items() if name != "assigned" or value}


def _public_key(project: Project) -> tuple[str, str] | None:
    """The file of the key that releases are signed with, as the settings name it, and its fingerprint; None if they name none."""
    place = project.settings.public_key
    if not place:
        return None
    from dateline.keys import read_public_key  # a rebuild of what nobody signs does without cryptography

    try:
        return place, read_public_key(project.root / place).fingerprint
    except InputError as fault:
        raise ProjectError(f"pyproject.toml: [tool.dateline] public_key: {fault}") from None


def _new_bits(planned: Plan, ledger: Ledger) -> dict[str, int]:
    """The bits of the segments that no release has fixed yet."""
    return {str(shard.segment): shard.bits for shard in planned.shards if shard.segment not in ledger.bits}


def _write_versions(ledger: Ledger, name: str, data: Path) -> dict[str, Any]:
    """Write the list of releases into the folder `data`; what the manifest says of it."""
    said = [{k: v for k, v in asdict(release).items() if k != "bits"} for release in ledger.releases]
    versions = {"format": 1, "name": name, "versions": said, "retracted": marked(ledger.retracted.values())}
    raw = (json.dumps(versions, ensure_ascii=False, indent=1) + "\n").encode()
    (data / VERSIONS).write_bytes(raw)
    return {"path": VERSIONS, "sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)}


# ---- parts of the stages -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Listed:
    """What the card says of a config, and what its labels and its features are."""

    title: str
    description: str
    columns: list[Column]
    features: list[dict[str, Any]]
    labelled: Sequence[Labelled] = ()
    owner: str = ""


def _listed(schemas: Schemas, derived: Sequence[Table], written: Collection[str]) -> dict[str, _Listed]:
    """All configs in the order in which they are listed everywhere: those that tasks begin with are first."""
    titles = _titles(schemas)
    layers = {ARTICLES: schemas.article, **schemas.layers, **schemas.tables}
    base = {
        name: _Listed(
            *titles[name],
            _card_columns(name, schemas),
            features(name, schemas),
            layers[name].fields if name in layers else (),
        )
        for name in configs(schemas, written)
    }
    following = {
        t.name: _Listed(
            t.title, t.description, [_card_column(c.name, c.type, c.description, {}) for c in t.columns], t.features, t.columns,
            t.owner,
        )
        for t in derived
    }  # fmt: skip
    return following | base


def _table_facts(name: str, listed: _Listed, facts: ShardFacts, derived: Derived, order: list[str]) -> TableFacts:
    files = sorted((f for f in facts.files if f.config == name), key=lambda f: (order.index(f.split), f.path))
    splits = {split: sum(f.rows for f in files if f.split == split) for split in order}
    labels = {}
    for column in listed.labelled:
        if column.labels is not None:
            counts = facts.labels.get(name, {}).get(column.name, Counter())
            labels[column.name] = {label: counts[label] for label in column.labels}
    digest = derived.digests.get(name, hashlib.sha256().hexdigest())
    return TableFacts(
        rows=sum(splits.values()),
        splits={split: n for split, n in splits.items() if n},
        labels=labels,
        logical_digest=facts.digests[name].read_text() if name in facts.digests else digest,
        features=listed.features,
        files=[_file_entry(f) for f in files],
        derived=listed.owner,
    )


def _file_entry(file: FileFacts) -> dict[str, Any]:
    return {"path": file.path, "split": file.split, "sha256": file.sha256, "bytes": file.bytes, "rows": file.rows}


def _baselines(project: Project, tables: Mapping[str, TableFacts]) -> str:
    """The card's section on baselines; empty where the project keeps no results."""
    if not project.settings.baselines:
        return ""
    path = project.root / project.settings.baselines
    try:
        digests = {name: table.logical_digest for name, table in tables.items()}
        return baselines_section(json.loads(path.read_bytes()), digests)
    except FileNotFoundError:
        return f"The results of baselines, `{project.settings.baselines}`, were not at hand when this was built."
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise ProjectError(f"{project.name_of(path)}: holds no results of baselines ({fault}); write them anew") from None


def _links(schemas: Schemas, derived: Sequence[Table]) -> dict[str, dict[str, Any]]:
    """Keys and references of layers, corpus-level and derived tables, for readers that have no schemas."""
    following = {t.name: {"level": "derived", "key": t.key, "references": {}} for t in derived}
    return following | {
        name: {
            "level": "corpus" if layer.corpus_level else "article",
            "key": layer.key.name,
            "references": {f.name: f.ref for f in layer.fields if f.ref},
        }
        for name, layer in {**schemas.layers, **schemas.tables}.items()
    }


def keys_of(schemas: Schemas, derived: Sequence[Table]) -> dict[str, list[str]]:
    """The columns that name a row, by config."""
    keys = {name: ["article_id"] for name in (ARTICLES, RECORDS, STANDOFF)} | {PRIMARY: ["article_id", "annotation_set_ids"]}
    keys |= {table.name: [table.key] for table in derived}
    keys |= {name: ["article_id", layer.key.name] for name, layer in schemas.layers.items()}
    return keys | {name: [table.key.name] for name, table in schemas.tables.items()}


def _card_columns(name: str, schemas: Schemas) -> list[Column]:
    return [
        (column, "one row per item, as in the table of this name", meaning, bool(schema.get("x-withheld")))
        if name in {RECORDS, STANDOFF, PRIMARY} and column in schemas.layers
        else _card_column(column, kind, meaning, schema)
        for column, kind, meaning, schema in columns(name, schemas)
    ]


def _card_column(name: str, kind: pa.DataType, meaning: str, schema: Mapping[str, Any]) -> Column:
    shown = str(kind).replace("struct<start: int32, end: int32, surface: string>", "span").replace("item: ", "")
    shown = shown.replace("struct<start: int32, end: int32>", "span in the passage")
    return name, shown, meaning, bool(schema.get("x-withheld"))


def _titles(schemas: Schemas) -> Mapping[str, tuple[str, str]]:
    article = schemas.article
    titles = {layer.name: (layer.title, layer.description) for layer in (*schemas.layers.values(), *schemas.tables.values())}
    return {
        ARTICLES: (article.title, article.description),
        **titles,
        RECORDS: ("Records", "One article with all its layers nested, where the text may be passed on."),
        STANDOFF: ("Stand-off records", "The same for articles whose text is withheld: everything but the text."),
        PRIMARY: (
            "Primary annotation",
            "What was annotated before it was adjudicated, one row for each annotator of an article.",
        ),
    }
