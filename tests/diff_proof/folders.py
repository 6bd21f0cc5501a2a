"""A corpus as a dataset in a folder: its base tables and their manifest, written without a whole rebuild, or with one."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dateline.compile.tables import arrow_schema, features
from dateline.engines import LocalEngine
from dateline.manifest import CARD, NAME, VERSIONS, Manifest, TableFacts
from dateline.parquet import arrow_table, write_whole
from dateline.pipeline import rebuild
from dateline.project import find_project
from dateline.row_facts import Row, canonical
from dateline.schema import Schemas
from diff_proof.corpora import SPLITS, Corpus, layers_of

CORPUS_SPLIT = "corpus"


def manifest_of(corpus: Corpus) -> Manifest:
    """The manifest of the corpus, without files and counts: what says which column is what."""
    schemas = corpus.schemas
    tables = {name: TableFacts(0, {}, {}, "", features(name, schemas)) for name in layers_of(schemas)}
    return Manifest(
        name="proof",
        version="0.0.0",
        default_config="articles",
        content_digest="",
        logical_digest="",
        tables=tables,
        card={"path": CARD, "sha256": hashlib.sha256(b"").hexdigest(), "bytes": 0},
        splits={"mode": "given", "quotas": dict.fromkeys(SPLITS, 1 / 3)},
        inputs={},
        writer={},
        links=_links(schemas),
    )


def _links(schemas: Schemas) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "level": "corpus" if layer.corpus_level else "article",
            "key": layer.key.name,
            "references": {f.name: f.ref for f in layer.fields if f.ref},
        }
        for name, layer in {**schemas.layers, **schemas.tables}.items()
    }


def write_dataset(corpus: Corpus, folder: Path) -> None:
    """Write base tables, card and manifest into a new folder."""
    schemas, manifest = corpus.schemas, manifest_of(corpus)
    rows: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for article in sorted(corpus.records):
        for table, found in corpus.article_rows(article).items():
            rows[table][corpus.splits[article]] += found
    for table, found in corpus.corpus_rows().items():
        rows[table][CORPUS_SPLIT] = found
    for table, by_split in rows.items():
        schema, files, digest = arrow_schema(table, schemas), [], hashlib.sha256()
        for split, found in sorted(by_split.items()):
            if found:
                digest.update(canonical(found))
                file = write_whole(folder, table, split, f"{split}-s0000-b00", [arrow_table(found, schema)], schema)
                files.append({"path": file.path, "split": split, "sha256": file.sha256, "bytes": file.bytes, "rows": file.rows})
        splits = {split: len(found) for split, found in by_split.items() if found}
        manifest.tables[table] = replace(
            manifest.tables[table], rows=sum(splits.values()), splits=splits, files=files, logical_digest=digest.hexdigest()
        )
    folder.mkdir(exist_ok=True)
    (folder / CARD).write_bytes(b"")
    if corpus.retracted:
        manifest = replace(manifest, versions=_write_versions(corpus, folder))
    said = {name: value for name, value in asdict(manifest).items() if value is not None}
    (folder / NAME).write_text(json.dumps(said), encoding="utf-8")  # as Manifest.encode, but for lines, which take long


def _write_versions(corpus: Corpus, folder: Path) -> dict[str, Any]:
    gone = [{"article_id": article, "in": None, "reason": "asked for"} for article in sorted(corpus.retracted)]
    raw = json.dumps({"format": 1, "versions": [], "retracted": gone}).encode()
    (folder / VERSIONS).write_bytes(raw)
    return {"path": VERSIONS, "sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)}


def rebuilt(corpus: Corpus, root: Path) -> Path | None:
    """The dataset that a rebuild makes of the corpus as a project in a new folder; None if it says that something is wrong."""
    for name, schema in corpus.sources.items():
        _write_json(root / "schemas" / f"{name}.schema.json", schema)
    for article, record in corpus.records.items():
        _write_json(root / "seeds" / "articles" / f"{article}.json", {**record, "split": corpus.splits[article]})
    for table, rows in corpus.tables.items():
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (root / "seeds" / "tables").mkdir(exist_ok=True, parents=True)
        (root / "seeds" / "tables" / f"{table}.jsonl").write_text(lines, encoding="utf-8")
    settings = '[tool.dateline]\nname = "proof"\n[tool.dateline.splits]\nmode = "given"\n'
    (root / "pyproject.toml").write_text(settings, encoding="utf-8")
    project = find_project(root)
    return None if rebuild(project, LocalEngine(1)).problems else project.dataset


def _write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(json.dumps(value), encoding="utf-8")
