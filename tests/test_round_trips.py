"""Source -> native -> source, for each format: a document becomes a record of an inferred project, and comes back as it was.

So counts cannot be met by dropping attributes. Where the format has an exporter, it is written and read once more. Nodes that an
import rejects (the references of the source lead nowhere) are left out on both sides, and counted.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from building import shared
from cat_files import cat, markable, relation, written
from dateline.compile.check import check_record
from dateline.compile.read import RawRecord
from dateline.document import NOWHERE, Document, Node
from dateline.errors import Place
from dateline.exporters import exporters
from dateline.importers import importer
from dateline.incoming import filled, incoming
from dateline.mapping.apply import Draft
from dateline.mapping.file import Mapping, mapping_from
from dateline.mapping.infer import infer
from dateline.mapping.invert import forms, invert
from dateline.mapping.observe import Seen
from dateline.schema import Schemas, schemas_from

RIGHTS = {"text_redistributable": True}
TRIMMED = {"sentences, which begin or end elsewhere"}  # they ended with white space
MOST = 40  # documents of a sample


def corpus(*parts: str) -> Callable[[Path], Path]:
    def path(_: Path) -> Path:
        found = shared() / "corpora" / Path(*parts)
        if not found.exists():
            pytest.skip(f"{parts[0]} is not at hand")
        return found

    return path


def small_cat(folder: Path) -> Path:
    marks = markable("PER", "1", 1, 2, kind="NAM") + markable("PER", "2", 3, 5, kind="NOM", note="x")
    links = relation("KNOWS", "3", "1", "2", how="well")
    written(folder, "a.xml", cat(["Ana 😀 met", "the old man"], marks, links, lang="en"))
    return written(folder, "b.xml", cat(["Bo left"], markable("PER", "1", 1, kind="NAM"), doc_id="d2", lang="en")).parent


def small_label_studio(folder: Path) -> Path:
    value = {"start": 0, "end": 3, "text": "Ana", "labels": ["PER"]}
    region = {"id": "r1", "from_name": "label", "to_name": "text", "type": "labels", "value": value}
    second = {**region, "id": "r2", "value": {"start": 8, "end": 10, "text": "Bo", "labels": ["PER"]}}
    link = {"type": "relation", "from_id": "r1", "to_id": "r2", "direction": "right", "labels": ["knows"]}
    tasks = [
        {
            "id": 1,
            "data": {"text": "Ana met Bo."},
            "annotations": [{"id": 5, "completed_by": 7, "result": [region, second, link]}],
        }
    ]
    (folder / "tasks.json").write_text(json.dumps(tasks), encoding="utf-8")
    return folder


def small_table(folder: Path) -> Path:
    (folder / "a.csv").write_text("id,text,topic\n1,Ana met Bo,news\n2,Rain 😀 fell,weather\n", encoding="utf-8")
    return folder


SAMPLES: dict[str, tuple[str, Callable[[Path], Path], dict[str, Any], int]] = {
    # name: format, where, options, how many nodes may be rejected
    "brat": ("brat", corpus("brat-news"), {}, 0),
    "webanno": ("webanno", corpus("inception"), {}, 0),
    "prodigy": ("prodigy", corpus("prodigy"), {}, 0),
    "doccano": ("doccano", corpus("doccano", "relation_extraction"), {}, 0),
    "gum-news": ("conllu", corpus("gum-news"), {}, 0),
    "meantime": ("cat", corpus("meantime", "intra-doc_annotation", "corpus_airbus"), {}, 4),
    "cat": ("cat", small_cat, {}, 0),
    "label-studio": ("label-studio", small_label_studio, {}, 0),
    "table": ("table", small_table, {}, 0),
}


def read(format_name: str, path: Path, options: dict[str, Any]) -> list[Document]:
    format_ = importer(format_name)
    with incoming(path, filled(options, format_.options, format_name)) as there:
        found = [d for d in format_.documents(there) if isinstance(d, Document) and d.text.strip()]
    return found[:MOST]


def project_of(documents: list[Document], format_name: str) -> tuple[Schemas, Mapping]:
    seen = Seen()
    for document in documents:
        seen.take(document)
    made = infer(seen, format_name, rights=RIGHTS)
    schemas = schemas_from({name: json.dumps(schema).encode() for name, schema in made.schemas.items()})
    return schemas, mapping_from(made.mapping, schemas)


def plain(document: Document) -> dict[str, Any]:
    """What a document says, without places, words and what means nothing."""

    def said(node: Node) -> dict[str, Any]:
        made = dataclasses.asdict(dataclasses.replace(node, place=NOWHERE, words={}))
        for name in ("features", "roles", "parts"):
            made[name] = {k: v for k, v in made[name].items() if v not in (None, [], ())}
        return made

    nodes = sorted((said(n) for n in document.nodes), key=lambda n: (n["annotator"], n["id"]))
    # a record's spans have no white space at their edges
    segments = [document.text[start:end].strip() for start, end in document.segments]
    return {"text": document.text, "nodes": nodes, "segments": segments}


def kept(document: Document, mapping: Mapping, schemas: Schemas) -> tuple[Document, Document, int]:
    """The document without what its import rejects, the document of its record, and how many nodes were rejected."""
    draft = Draft(document, mapping)
    while True:
        record = draft.record()
        raw = json.dumps(record).encode()
        faults = check_record(record, RawRecord(Place("a"), 0, raw), schemas, {})
        if not faults:
            break
        for fault in faults:
            layer, _, index = fault.place.pointer.removeprefix("$.").partition("[")
            assert draft.reject_item(layer, int(index.partition("]")[0]), fault.says, fault.rule), fault
    draft.close()
    lost = {(r.type, r.id) for r in draft.rejections}
    nodes = [n for n in document.nodes if (n.type, n.id) not in lost]
    numbered = all(n.id.isdecimal() for n in document.nodes)
    return (
        dataclasses.replace(document, nodes=nodes),
        invert(record, mapping, numbered=numbered),
        len(document.nodes) - len(nodes),
    )


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_source_comes_back_from_native_records_as_it_was(sample: str, tmp_path: Path) -> None:
    format_name, where, options, most_rejected = SAMPLES[sample]
    source = tmp_path / "source"
    source.mkdir()
    documents = read(format_name, where(source), options)
    assert documents
    schemas, mapping = project_of(documents, format_name)
    pairs = [kept(d, mapping, schemas) for d in documents]
    assert sum(rejected for _, _, rejected in pairs) <= most_rejected
    for before, after, _ in pairs:
        assert plain(after) == plain(before), before.name
    if format_name not in exporters():
        return
    out = tmp_path / "out"
    out.mkdir()
    writer = exporters()[format_name]
    written_again = [dataclasses.replace(after, name=before.name, metadata=before.metadata) for before, after, _ in pairs]
    fitting = ((f for f in forms(d) if not writer.cannot_hold(f).keys() - TRIMMED) for d in written_again)
    held = [form for each in fitting if (form := next(each, None)) is not None]
    assert len(held) == len(written_again)
    assert writer.write is not None
    writer.write(held, out)
    again = {d.name: d for d in read(format_name, out, options)}
    for document in held:
        assert plain(again[document.name])["nodes"] == plain(document)["nodes"], document.name
