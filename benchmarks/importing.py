"""How fast each importer reads, how much memory it takes, and the same for the whole of `dateline import`.

    python benchmarks/importing.py --documents 2000 --write

One synthetic source for all formats: texts of 300 words (drawn from fixed words of several scripts, by a seed), 20 labelled spans
and 5 relations each, where the format has them. Every reader is a process of its own, measured by the operating system; MB are of
the source's files. "read" makes documents and drops them; "import" maps, checks and writes records besides. The floor is the
same process reading the files' bytes and hashing them.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import hashlib
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import results
from dateline.document import Document, Node
from dateline.exporters import exporter
from dateline.importers import importer
from dateline.incoming import filled, incoming
from dateline.mapping.infer import infer
from dateline.mapping.observe import Seen
from dateline.mapping.written import mapping_text
from measure import Taken, taken

RESULTS = Path(__file__).parent / "RESULTS.md"
_LATIN = "the minister said that 34 people in Varn were found on Monday"
WORDS = f"{_LATIN} früh über Straße Київ рада 北京 記者 🌊 नदी".split()
LABELS = ("PER", "ORG", "LOC")


def documents(count: int, seed: int) -> Iterator[Document]:
    """Documents of 300 words, 20 spans and 5 relations."""
    chance = random.Random(seed)
    for number in range(count):
        words = chance.choices(WORDS, k=300)
        starts = [0]
        for word in words:
            starts.append(starts[-1] + len(word) + 1)
        nodes = [
            Node(f"T{n}", chance.choice(LABELS), ((starts[at], starts[at] + len(words[at])),))
            for n, at in enumerate(sorted(chance.sample(range(300), 20)), 1)
        ]
        nodes += [Node(f"R{n}", "knows", roles={"Arg1": [f"T{n}"], "Arg2": [f"T{n + 1}"]}) for n in range(1, 6)]
        yield Document(f"d{number:06}", " ".join(words), nodes)


# ---- the same documents in formats that Dateline does not write ----------------------------------------------


def _cat(made: Iterator[Document], folder: Path) -> None:
    for document in made:
        words = document.text.split(" ")
        tokens = "\n".join(f'<token number="{n}" sentence="0" t_id="{n + 1}">{escape(w)}</token>' for n, w in enumerate(words))
        at = {start: n for n, start in enumerate(_starts(words), 1)}
        marks = "".join(
            f'<{n.type} m_id="{n.id[1:]}"><token_anchor t_id="{at[n.spans[0][0]]}"/></{n.type}>' for n in _spans(document)
        )
        links = "".join(
            f'<knows r_id="9{n.id[1:]}"><source m_id="{source}"/><target m_id="{target}"/></knows>'
            for n, source, target in _links(document)
        )
        whole = f"<Document>{tokens}<Markables>{marks}</Markables><Relations>{links}</Relations></Document>"
        (folder / f"{document.name}.xml").write_text(whole, encoding="utf-8")


def _conllu(made: Iterator[Document], folder: Path) -> None:
    for document in made:
        words = document.text.split(" ")
        marked = {n.spans[0][0]: f"Entity=({n.id[1:]}-{n.type})" for n in document.nodes if n.spans}
        rows = [
            f"{n}\t{word}\t_\t_\t_\t_\t_\t_\t_\t{marked.get(start, '_')}"
            for n, (word, start) in enumerate(zip(words, _starts(words), strict=True), 1)
        ]
        head = f"# newdoc id = {document.name}\n# global.Entity = eid-etype\n# sent_id = 1\n# text = {document.text}\n"
        (folder / f"{document.name}.conllu").write_text(head + "\n".join(rows) + "\n\n", encoding="utf-8")


def _doccano(made: Iterator[Document], folder: Path) -> None:
    with (folder / "all.jsonl").open("w", encoding="utf-8") as file:
        for number, document in enumerate(made):
            spans = [
                {"id": int(n.id[1:]), "label": n.type, "start_offset": _utf16(document.text, n.spans[0][0]),
                 "end_offset": _utf16(document.text, n.spans[0][1])}
                for n in _spans(document)
            ]  # fmt: skip
            links = [{"id": int(n.id[1:]), "type": n.type, "from_id": a, "to_id": b} for n, a, b in _links(document)]
            row = {"id": number, "text": document.text, "entities": spans, "relations": links}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _json(made: Iterator[Document], folder: Path) -> None:
    with (folder / "all.jsonl").open("w", encoding="utf-8") as file:
        for document in made:
            names = [{"id": n.id, "label": n.type, "start": s, "end": e} for n in document.nodes for s, e in n.spans]
            file.write(json.dumps({"text": document.text, "names": names}, ensure_ascii=False) + "\n")


def _table(made: Iterator[Document], folder: Path) -> None:
    with (folder / "all.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "text"])
        rows.writerows([d.name, d.text] for d in made)


_TYPE_SYSTEM = (
    """<typeSystemDescription xmlns="http://uima.apache.org/resourceSpecifier"><types>{}</types></typeSystemDescription>"""
)
_DESCRIBED = (
    "<typeDescription><name>bench.{}</name><supertypeName>uima.{}</supertypeName><features>{}</features></typeDescription>"
)
_REFERENCE = "<featureDescription><name>{}</name><rangeTypeName>uima.tcas.Annotation</rangeTypeName></featureDescription>"
_XMI = """<xmi:XMI xmlns:xmi="http://www.omg.org/XMI" xmlns:cas="http:///uima/cas.ecore" xmlns:bench="http:///bench.ecore"
 xmi:version="2.0">
<cas:Sofa xmi:id="1" sofaNum="1" sofaID="_InitialView" mimeType="text" sofaString={}/>
{}<cas:View sofa="1" members="{}"/></xmi:XMI>"""


def _uima_xmi(made: Iterator[Document], folder: Path) -> None:
    types = [_DESCRIBED.format(label, "tcas.Annotation", "") for label in LABELS]
    types.append(_DESCRIBED.format("knows", "cas.AnnotationBase", _REFERENCE.format("source") + _REFERENCE.format("target")))
    (folder / "TypeSystem.xml").write_text(_TYPE_SYSTEM.format("".join(types)), encoding="utf-8")
    for document in made:
        lines = [
            f'<bench:{n.type} xmi:id="{1 + int(n.id[1:])}" sofa="1" begin="{_utf16(document.text, n.spans[0][0])}" '
            f'end="{_utf16(document.text, n.spans[0][1])}"/>\n'
            for n in _spans(document)
        ]
        lines += [
            f'<bench:knows xmi:id="9{n.id[1:]}" sofa="1" source="{1 + source}" target="{1 + target}"/>\n'
            for n, source, target in _links(document)
        ]
        members = " ".join([str(1 + int(n.id[1:])) for n in _spans(document)] + [f"9{n.id[1:]}" for n, _, _ in _links(document)])
        whole = _XMI.format(quoteattr(document.text), "".join(lines), members)
        (folder / f"{document.name}.xmi").write_text(whole, encoding="utf-8")


def _uima_json(made: Iterator[Document], folder: Path) -> None:
    types: dict[str, dict[str, Any]] = {f"bench.{label}": {"%SUPER_TYPE": "uima.tcas.Annotation"} for label in LABELS}
    types["bench.knows"] = {"%SUPER_TYPE": "uima.cas.AnnotationBase"}
    for end in ("source", "target"):
        types["bench.knows"][end] = {"%NAME": end, "%RANGE": "uima.tcas.Annotation"}
    named = {name: {"%NAME": name, **type_} for name, type_ in types.items()}
    for document in made:
        rows: list[dict[str, Any]] = [
            {"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaNum": 1, "sofaID": "_InitialView", "sofaString": document.text}
        ]
        rows += [
            {"%ID": 1 + int(n.id[1:]), "%TYPE": f"bench.{n.type}", "@sofa": 1,
             "begin": _utf16(document.text, n.spans[0][0]), "end": _utf16(document.text, n.spans[0][1])}
            for n in _spans(document)
        ]  # fmt: skip
        rows += [
            {"%ID": int(f"9{n.id[1:]}"), "%TYPE": "bench.knows", "@sofa": 1, "@source": 1 + source, "@target": 1 + target}
            for n, source, target in _links(document)
        ]
        views = {"_InitialView": {"%SOFA": 1, "%MEMBERS": [row["%ID"] for row in rows[1:]]}}
        whole = {"%TYPES": named, "%FEATURE_STRUCTURES": rows, "%VIEWS": views}
        (folder / f"{document.name}.json").write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")


def _huggingface(made: Iterator[Document], folder: Path) -> None:
    import datasets

    rows = [
        {
            "id": d.name,
            "text": d.text,
            "names": [{"id": n.id, "label": n.type, "start": s, "end": e} for n in d.nodes for s, e in n.spans],
        }
        for d in made
    ]
    datasets.Dataset.from_list(rows).save_to_disk(str(folder))


def _spans(document: Document) -> list[Node]:
    return [n for n in document.nodes if n.spans]


def _links(document: Document) -> list[tuple[Node, int, int]]:
    return [(n, int(n.roles["Arg1"][0][1:]), int(n.roles["Arg2"][0][1:])) for n in document.nodes if n.roles]


def _starts(words: list[str]) -> list[int]:
    starts = [0]
    for word in words[:-1]:
        starts.append(starts[-1] + len(word) + 1)
    return starts


def _utf16(text: str, at: int) -> int:
    return len(text[:at].encode("utf-16-le")) // 2


OPTIONS: dict[str, dict[str, Any]] = {
    "json": {
        "nodes": [
            {"at": "names[*]", "type_at": "label", "id": "id", "spans": {"start": "start", "end": "end"}},
        ]
    },
    "huggingface": {"id": "id", "spans": ["names"]},
}
WRITERS: dict[str, Callable[[Iterator[Document], Path], object]] = {
    "cat": _cat,
    "conllu": _conllu,
    "doccano": _doccano,
    "json": _json,
    "table": _table,
    "uima-xmi": _uima_xmi,
    "uima-json": _uima_json,
    "huggingface": _huggingface,
    "brat": lambda made, folder: exporter("brat").write(made, folder),
    "webanno": lambda made, folder: exporter("webanno").write(made, folder),
    "label-studio": lambda made, folder: exporter("label-studio").write(made, folder),
    "prodigy": lambda made, folder: exporter("prodigy").write(made, folder),
}


# ---- what is measured ----------------------------------------------------------------------------------------


def floor(folder: Path) -> None:
    """Read every byte, and hash it."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            hashlib.sha256(path.read_bytes()).digest()


def read(format_name: str, folder: Path) -> None:
    """Read all documents of a folder, and print how many, and how many nodes."""
    format_ = importer(format_name)
    count = nodes = refused = 0
    with incoming(folder, filled(OPTIONS.get(format_name, {}), format_.options, format_name)) as there:
        for found in format_.documents(there):
            if isinstance(found, Document):
                count, nodes, refused = count + 1, nodes + len(found.nodes), refused + len(found.refused)
            else:
                refused += 1
    print(json.dumps({"documents": count, "nodes": nodes, "refused": refused}))


def project(format_name: str, folder: Path, root: Path, sample: int = 50) -> None:
    """A project for the format, inferred from the first documents."""
    format_ = importer(format_name)
    seen = Seen()
    with incoming(folder, filled(OPTIONS.get(format_name, {}), format_.options, format_name)) as there:
        for number, found in enumerate(format_.documents(there)):
            if number == sample:
                break
            seen.take(found)
    made = infer(seen, format_name, rights={"text_redistributable": True}, options=OPTIONS.get(format_name, {}))
    (root / "schemas").mkdir(parents=True)
    (root / "seeds").mkdir()
    for name, schema in made.schemas.items():
        (root / "schemas" / f"{name}.schema.json").write_text(json.dumps(schema), encoding="utf-8")
    (root / "mapping.toml").write_text(mapping_text(made.mapping, {}, ""), encoding="utf-8")
    (root / "pyproject.toml").write_text('[tool.dateline]\nname = "bench"\n', encoding="utf-8")


def prepare(format_name: str, count: int, seed: int, work: Path) -> None:
    """The source of a format, and a project for it."""
    WRITERS[format_name](documents(count, seed), work / "source")
    project(format_name, work / "source", work / "project")


def measured(format_name: str, count: int, seed: int, work: Path) -> tuple[int, dict[str, Taken]]:
    """The bytes of the source, and what each way took."""
    source, root = work / "source", work / "project"
    source.mkdir()
    me = [sys.executable, str(Path(__file__).resolve())]
    # in a process of its own: what this one holds counts as the peak of those that it starts
    asked = ["--formats", format_name, "--documents", str(count), "--seed", str(seed)]
    if (made := taken([*me, "--only", "prepare", "--source", str(work), *asked])).code:
        raise SystemExit(f"{format_name}: exit {made.code}\n{made.err[-2000:]}")
    size = sum(p.stat().st_size for p in source.rglob("*") if p.is_file())
    runs = {
        "floor": taken([*me, "--only", "floor", "--source", str(source)]),
        "read": taken([*me, "--only", format_name, "--source", str(source)]),
        "import": taken([sys.executable, "-m", "dateline", "import", str(source), "--project", str(root), "--lines", "--json"]),
    }
    for way, run in runs.items():
        if run.code:
            raise SystemExit(f"{format_name} {way}: exit {run.code}\n{run.err[-2000:]}")
    told = json.loads(runs["import"].out)
    assert told["documents"] == json.loads(runs["read"].out)["documents"] == count, (format_name, told["documents"])
    assert not told["rejected"], told["rejected"][:3]
    return size, runs


def line(format_name: str, size: int, runs: dict[str, Taken]) -> str:
    """A row of the table."""
    base = runs["floor"].cpu

    def speed(way: str) -> str:
        return f"{size / 2**20 / max(runs[way].cpu - base, 1e-9):.1f}"

    peaks = " | ".join(f"{runs[way].peak / 2**20:.0f}" for way in ("read", "import"))
    return f"| {format_name} | {size / 2**20:.1f} | {speed('read')} | {speed('import')} | {peaks} |"


def main() -> None:
    """Measure, print, and keep with --write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--formats", default=",".join(WRITERS))
    parser.add_argument("--write", action="store_true", help="keep the table in RESULTS.md")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    parser.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.only == "prepare":
        prepare(said.formats, said.documents, said.seed, said.source)
        return
    if said.only:
        floor(said.source) if said.only == "floor" else read(said.only, said.source)
        return
    rows = []
    for format_name in said.formats.split(","):
        work = Path(tempfile.mkdtemp(prefix="dateline-bench-"))
        try:
            size, runs = measured(format_name, said.documents, said.seed, work)
        finally:
            shutil.rmtree(work)
        rows.append(line(format_name, size, runs))
        print(rows[-1], flush=True)
    if said.write:
        day = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", datetime.datetime.now().timestamp())))
        body = "\n".join(
            [
                f"{day:%Y-%m-%d}; {os.cpu_count()} cores; `python benchmarks/importing.py --documents {said.documents} --write`.",
                "MB a CPU second of one process, less starting Python and hashing the files; peak of the whole process.",
                "The second that starting the command takes is in `import`.",
                "Synthetic documents: 300 words, 20 spans, 5 relations where the format has them.",
                "",
                "| format | source, MB | read, MB/s | import, MB/s | peak of read, MB | peak of import, MB |",
                "|---|---|---|---|---|---|",
                *rows,
            ]
        )
        results.put(RESULTS, results.Section("Importers", body))


if __name__ == "__main__":
    main()
