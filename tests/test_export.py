"""Export: what a format cannot hold is told before anything is written; what goes out for mending comes back into its record."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from building import Json, ProjectFolder, mention, record
from conftest import Run
from dateline import exporters, importers
from dateline.converting import Converted, convert_files
from dateline.document import Document, Node, Refused
from dateline.errors import UsageError
from dateline.exporting import Exported, Wish, export_records
from dateline.incoming import Incoming
from dateline.mapping.file import read_mapping
from dateline.project import Project
from dateline.schema import load_schemas
from dateline.validate.suite_files import changes, write_changes
from small_corpus import records_at_hand

# ---- a format of which the tests know all: one JSON file for each document, without metadata and parts


def cannot_hold(document: Document) -> Counter[str]:
    lost = Counter({"facts about the document": len(document.metadata)})
    lost["parts"] += sum(len(node.parts) for node in document.nodes)
    lost["lists of one value"] += sum(
        isinstance(v, list) and len(v) == 1 for node in document.nodes for v in node.features.values()
    )
    return +lost


def write(documents: Iterable[Document], folder: Path) -> list[str]:
    names = []
    for document in documents:
        nodes = [
            {"id": n.id, "type": n.type, "spans": n.spans, "features": n.features, "roles": n.roles, "annotator": n.annotator}
            for n in document.nodes
        ]
        names.append(f"{document.name}.json")
        (folder / names[-1]).write_text(json.dumps({"text": document.text, "nodes": nodes}), encoding="utf-8")
    return names


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    for name in incoming.names:
        found = json.loads(incoming.text(name))
        nodes = [Node(n["id"], n["type"], tuple(map(tuple, n["spans"])), n["features"], n["roles"]) for n in found["nodes"]]
        for node, said in zip(nodes, found["nodes"], strict=True):
            node.annotator, node.place = said["annotator"], incoming.place(name)
        yield Document(name.removesuffix(".json"), found["text"], nodes, place=incoming.place(name))


@pytest.fixture(autouse=True)
def simple(monkeypatch: pytest.MonkeyPatch) -> None:
    """The format `simple`, registered as a third party's would be."""
    module: Any = SimpleNamespace(
        NAME="simple", TITLE="Simple", SUFFIXES=(".json",), cannot_hold=cannot_hold, write=write, read=read
    )
    entry = SimpleNamespace(load=lambda: module)
    for where, group in ((exporters, "dateline.exporters"), (importers, "dateline.importers")):
        monkeypatch.setattr(where, "entry_points", lambda group, ours=group: [entry] if group == ours else [])


def export(folder: ProjectFolder, format_name: str = "simple", **options: Any) -> Exported:
    wish = Wish(**{name: options.pop(name) for name in list(options) if name in Wish.__dataclass_fields__})
    return export_records(folder.project, format_name, folder.root / "out", wish, **options)


def bring_back(folder: ProjectFolder, **options: Any) -> Converted:
    schemas = load_schemas(folder.root / "schemas")
    mapping = read_mapping(folder.root / "out" / "mapping.toml", schemas)
    paths = [folder.root / "out" / "documents"]
    return convert_files(folder.project, schemas, mapping, paths, folder.root / "seeds" / "articles", **options)


def edit(folder: ProjectFolder, name: str, change: Any) -> None:
    """What an annotator does to a document in the tool."""
    path = folder.root / "out" / "documents" / f"{name}.json"
    found = json.loads(path.read_bytes())
    change(found)
    path.write_text(json.dumps(found), encoding="utf-8")


def test_native_export_is_the_records_of_the_seeds(folder: ProjectFolder) -> None:
    records = [record("a2", mentions=[mention("m1", 0, 3)]), record("a1", "Ana été 🦊.")]
    folder.seed(*records)
    result = export(folder, "native")
    assert result.articles == ["a2", "a1"] and result.holds_all
    lines = (folder.root / "out" / "documents" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == records
    assert json.loads((folder.root / "out" / "export.json").read_bytes())["articles"] == ["a2", "a1"]


def test_what_cannot_be_held_is_told_and_nothing_is_written(folder: ProjectFolder) -> None:
    folder.seed(record("a1", language="en", mentions=[mention("m1", 0, 3, head={"start": 0, "end": 1})]))
    result = export(folder)
    # rights and language are facts about the document; the head is a part
    assert result.lost == {"facts about the document": 2, "parts": 1}
    assert result.written == [] and not (folder.root / "out").exists()
    assert export(folder, lossy=True, dry_run=True).written == [] and not (folder.root / "out").exists()
    result = export(folder, lossy=True)
    assert "documents/a1.json" in result.written
    assert "    1 parts" in (folder.root / "out" / "README.txt").read_text()


def test_what_importing_would_not_bring_back_is_told_too(folder: ProjectFolder) -> None:
    sets = [
        {"annotation_set_id": "s", "layer": "mentions", "annotator_id": "ada", "annotator_type": "HUMAN", "status": "PRIMARY"}
    ]
    folder.seed(record("a1", annotation_sets=sets, mentions=[mention("m1", 0, 3, score=1.5)]))
    mapping = folder.root / "mapping.toml"
    mapping.write_text(
        'format = "simple"\n[rights]\ntext_redistributable = true\n[layers.mentions]\ntypes = ["PER", "LOC"]\n'
        '[layers.mentions.fields]\nspans = { spans = "" }\nlabel = { type = true }\n'
    )
    result = export(folder, mapping=mapping)
    assert not result.lost
    assert result.unsaid == {"mentions.score": 1, "annotation_sets: items, or their ids": 1}
    assert not (folder.root / "out").exists()


def test_a_record_that_is_wrong_is_not_exported(folder: ProjectFolder) -> None:
    folder.seed(record("a1", mentions=[mention("m1", 0, 99)]), record("a2"))
    result = export(folder, lossy=True)
    assert [p.rule for p in result.problems] == ["span-inside-text"] and not (folder.root / "out").exists()
    assert export(folder, articles=("a2",), lossy=True).articles == ["a2"]
    with pytest.raises(UsageError, match="no article a3 in seeds/"):
        export(folder, articles=("a2", "a3"), force=True)


def test_two_records_of_one_id_are_refused(folder: ProjectFolder) -> None:
    folder.seed(record("a1"), record("a1"))
    assert [p.rule for p in export(folder, "native").problems] == ["duplicate-article"]


def test_withheld_texts_leave_only_when_asked_for_and_at_hand(folder: ProjectFolder) -> None:
    standoff = {"content": None, "sha256": "0" * 64, "n_code_points": 19, "n_bytes": 19}
    folder.seed(record("a1"), record("a2", rights={}), {**record("a3", rights={}), "text": standoff})
    result = export(folder, lossy=True)
    assert (result.articles, result.withheld) == (["a1"], ["a2", "a3"])
    result = export(folder, lossy=True, withheld=True, force=True)
    assert not result.problems
    assert (result.articles, result.withheld, result.textless) == (["a1", "a2"], [], ["a3"])
    assert (folder.root / "out" / ".gitignore").read_text() == "*\n"
    assert export(folder, "native", force=True).articles == ["a1"]
    assert not (folder.root / "out" / ".gitignore").exists()
    assert export(folder, "native", withheld=True, force=True).articles == ["a1", "a2", "a3"]


def test_a_split_is_the_datasets_or_the_records_own(folder: ProjectFolder) -> None:
    folder.settings("[tool.dateline.splits]", 'mode = "given"')
    folder.seed(record("a1", split="train"), record("a2", split="test"))
    assert export(folder, "native", split="test").articles == ["a2"]
    with pytest.raises(UsageError, match="there is no split 'dev'; there are train, validation, test"):
        export(folder, "native", split="dev", force=True)
    folder.settings()
    folder.seed(*(record(f"a{n}", f"Ana met Bo {n} times, on day {n}.") for n in range(6)))
    assert folder.rebuild().problems == []
    found = [export(folder, "native", split=split, force=True).articles for split in ("train", "validation", "test")]
    assert all(found) and sorted(a for articles in found for a in articles) == [f"a{n}" for n in range(6)]


def test_only_an_earlier_export_is_replaced(folder: ProjectFolder) -> None:
    folder.seed(record("a1"))
    export(folder, "native")
    with pytest.raises(UsageError, match="holds an earlier export"):
        export(folder, "native")
    folder.seed(record("b1"))
    export(folder, "native", force=True)
    assert b"b1" in (folder.root / "out" / "documents" / "records.jsonl").read_bytes()
    (folder.root / "out" / "export.json").unlink()
    for out in (folder.root / "out", folder.root / "seeds" / "x", folder.root, folder.root / "schemas"):
        with pytest.raises(UsageError, match=r"is no earlier export|an export cannot stand there"):
            export_records(folder.project, "native", out, Wish(), force=True)
    assert sorted(p.name for p in folder.root.iterdir()) == ["out", "pyproject.toml", "schemas", "seeds"]


def test_a_writer_that_fails_leaves_nothing_behind(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.seed(record("a1"))
    export(folder, "native")

    def fail(records: Any, target: Path) -> list[str]:
        (target / "half").write_text("x")
        raise OSError(28, "No space left on device")

    broken: Any = ModuleType("broken")
    broken.NAME, broken.write_records = "broken", fail
    monkeypatch.setattr("dateline.exporting.exporter", lambda name: exporters.exporter_of(broken))
    with pytest.raises(Exception, match="No space left on device; nothing was written"):
        export(folder, "broken", force=True)
    assert not (folder.root / "out" / "documents" / "half").exists()
    assert sorted(p.name for p in folder.root.iterdir()) == ["out", "pyproject.toml", "schemas", "seeds"]


def test_values_go_in_the_form_that_the_format_holds(folder: ProjectFolder) -> None:
    tags = {"tags": {"type": "array", "items": {"type": "string"}, "description": "x"}}
    schema = json.loads((folder.root / "schemas" / "mentions.schema.json").read_bytes())
    folder.schema("mentions", schema | {"properties": schema["properties"] | tags})
    folder.seed(record("a1", mentions=[mention("m1", 0, 3, tags=["x"]), mention("m2", 4, 7, tags=["x", "y"])]))
    assert "lists of one value" not in export(folder, lossy=True).lost
    nodes = json.loads((folder.root / "out" / "documents" / "a1.json").read_bytes())["nodes"]
    assert [node["features"]["tags"] for node in nodes] == ["x", ["x", "y"]]


# ---- out for mending, and back -------------------------------------------------------------------------------


@pytest.fixture
def faulty(folder: ProjectFolder) -> ProjectFolder:
    """Two articles, of which a suite finds one at fault."""
    written = changes(folder.root / "expectations", load_schemas(folder.root / "schemas"))
    write_changes(folder.root / "expectations", written)
    suite = json.loads((folder.root / "expectations" / "mentions.json").read_bytes())
    own = {
        "type": "expect_column_values_to_be_in_set",
        "kwargs": {"column": "label", "value_set": ["PER"]},
        "id": "9f0c1e5a-0d1f-4c43-93a3-3b9a8a7d1c11",
        "meta": {"rule": "only-people", "level": "error", "reason": "Label it PER."},
    }
    shutil.rmtree(folder.root / "expectations")  # one expectation is enough here, and fast
    (folder.root / "expectations").mkdir()
    suite["expectations"] = [own]
    (folder.root / "expectations" / "mentions.json").write_text(json.dumps(suite))
    folder.seed(
        record("a1", mentions=[mention("m1", 0, 3)]),
        record("a2", language="en", mentions=[mention("m1", 0, 3, score=2.5), mention("m2", 8, 10, "LOC", parent_id="m1")]),
    )
    return folder


def test_only_records_with_findings_go_out_with_what_to_mend(faulty: ProjectFolder) -> None:
    result = export(faulty, findings=True)
    assert result.articles == ["a2"] and result.holds_all
    (found,) = json.loads((faulty.root / "out" / "findings.json").read_bytes())
    assert (found["row"], found["table"], found["rule"]) == ("a2#m2", "mentions", "only-people")
    assert found["place"] == "seeds/a.jsonl:2 $.mentions[1]"
    readme = (faulty.root / "out" / "README.txt").read_text()
    assert "mentions m2: " in readme and "Label it PER." in readme and "--mend" in readme


def test_mended_in_the_tool_and_imported_back_the_finding_is_gone_and_the_rest_stands(faulty: ProjectFolder) -> None:
    before = [json.loads(line) for line in (faulty.root / "seeds" / "a.jsonl").read_text().splitlines()]
    export(faulty, findings=True)
    assert bring_back(faulty, mend=True).written == ["seeds/a.jsonl"]
    assert [json.loads(line) for line in (faulty.root / "seeds" / "a.jsonl").read_text().splitlines()] == before

    def relabel(found: Json) -> None:
        next(node for node in found["nodes"] if node["id"] == "m2")["type"] = "PER"
        found["nodes"].reverse()

    edit(faulty, "a2", relabel)
    bring_back(faulty, mend=True)
    before[1]["mentions"][1]["label"] = "PER"
    after = [json.loads(line) for line in (faulty.root / "seeds" / "a.jsonl").read_text().splitlines()]
    assert json.dumps(after) == json.dumps(before)  # also in order
    rebuilt = faulty.rebuild()
    assert rebuilt.problems == [] and rebuilt.manifest is not None
    assert export(faulty, findings=True, force=True).articles == []


def test_a_mended_document_that_is_wrong_leaves_its_record_alone(faulty: ProjectFolder) -> None:
    before = (faulty.root / "seeds" / "a.jsonl").read_bytes()
    export(faulty, findings=True)
    edit(faulty, "a2", lambda found: found["nodes"].pop(0))  # m1, to which m2 refers
    result = bring_back(faulty, mend=True)
    assert result.written == [] and result.documents == 0
    (said,) = result.rejections
    assert said.reason.startswith("is not put back, as not all of it was imported: LOC m2: parent_id refers to m1")
    edit(faulty, "a2", lambda found: found.update(text=found["text"] + "!"))
    assert [r.reason for r in bring_back(faulty, mend=True).rejections] == [
        "has another text than its record in the seeds; see docs/reanchoring.md"
    ]
    (faulty.root / "out" / "documents" / "a2.json").rename(faulty.root / "out" / "documents" / "a9.json")
    assert bring_back(faulty, mend=True).rejections[0].reason.startswith("is of no article in the seeds")
    assert (faulty.root / "seeds" / "a.jsonl").read_bytes() == before


def test_what_check_finds_goes_out_too_unless_no_tool_can_show_it(folder: ProjectFolder) -> None:
    folder.seed(
        record("a1", mentions=[mention("m1", 0, 4)]),  # ends with white space
        record("a2", mentions=[mention("m1", 0, 99)]),
        record("a3", mentions=[{"mention_id": "m1"}]),
        record("a4"),
    )
    result = export(folder, findings=True)
    assert (result.articles, result.unfit) == (["a1"], ["a2", "a3"])
    assert {f["row"]: f["rule"] for f in result.findings}["a1#m1"] == "span-edge"

    def narrow(found: Json) -> None:
        found["nodes"][0]["spans"] = [[0, 3]]

    edit(folder, "a1", narrow)
    bring_back(folder, mend=True)
    assert json.loads((folder.root / "seeds" / "a.jsonl").read_text().splitlines()[0])["mentions"] == [mention("m1", 0, 3)]


def test_records_in_files_of_their_own_are_put_back_there(folder: ProjectFolder) -> None:
    path = folder.root / "seeds" / "deep" / "a1.json"
    path.parent.mkdir()
    path.write_text(json.dumps(record("a1", mentions=[mention("m1", 0, 4)])))
    export(folder, findings=True)
    edit(folder, "a1", lambda found: found["nodes"][0].update(spans=[[4, 7]]))
    assert bring_back(folder, mend=True).written == ["seeds/deep/a1.json"]
    assert json.loads(path.read_bytes())["mentions"] == [mention("m1", 4, 7)]


# ---- the command ---------------------------------------------------------------------------------------------


def test_the_command_lists_what_is_lost_and_says_how_to_go_on(folder: ProjectFolder, dateline: Run) -> None:
    folder.seed(record("a1"), record("a2", rights={}))
    done = dateline("export", "native", "-C", folder.root)
    assert done.returncode == 0, done.stderr
    assert "export/native/documents/records.jsonl" in done.stdout
    assert "1 article left out, whose texts may not be passed on; --withheld takes them along" in done.stderr
    assert (folder.root / "export" / "native" / "README.txt").is_file()
    again = dateline("export", "native", "-C", folder.root, "--force", "--dry-run", "--json")
    assert again.returncode == 0 and json.loads(again.stdout)["withheld"] == ["a2"]
    wrong = dateline("export", "nothing", "-C", folder.root)
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: no exporter 'nothing'; there are: ")


def test_words_of_import_that_make_no_sense_together_are_refused(folder: ProjectFolder, dateline: Run) -> None:
    for words, says in (
        (["--mend"], "--mend needs a mapping"),
        (["--mend", "--lines"], "it takes neither --out nor --lines"),
        (["--reanchor", "--mend"], "--reanchor takes texts"),
    ):
        done = dateline("import", folder.root, "-C", folder.root, *words)
        assert done.returncode == 2 and says in done.stderr


def test_the_corpus_exports_natively(small_flagship: Project, dateline: Run, tmp_path: Path) -> None:
    done = dateline("export", "native", "--out", tmp_path / "out", "--json", cwd=small_flagship.root)
    result = json.loads(done.stdout)
    rights = {r["article_id"]: r["rights"]["text_redistributable"] for r in records_at_hand()}
    assert done.returncode == 0, done.stderr
    assert set(result["withheld"]) == {name for name, open_ in rights.items() if not open_} != set()
    assert len(result["articles"]) == sum(rights.values())


def test_mended_in_brat_and_imported_back(folder: ProjectFolder, dateline: Run) -> None:
    folder.seed(record("a1", language="en", mentions=[mention("T1", 0, 3, score=2.5), mention("T2", 7, 10, "LOC")]))  # " Bo"
    out = dateline("export", "brat", "--findings", "-C", folder.root)
    assert out.returncode == 0, out.stderr
    annotation = folder.root / "export" / "brat" / "documents" / "a1.ann"
    assert annotation.read_text() == "T1\tPER 0 3\tAna\nA1\tscore T1 2.5\nT2\tLOC 7 10\t Bo\n"
    annotation.write_text(annotation.read_text().replace("LOC 7 10\t Bo", "PER 8 10\tBo"))
    told = next(line for line in (annotation.parent.parent / "README.txt").read_text().splitlines() if "dateline import" in line)
    back = dateline(*told.split()[1:], cwd=folder.root)
    assert back.returncode == 0, back.stderr
    (line,) = (folder.root / "seeds" / "a.jsonl").read_text().splitlines()
    mended = record("a1", language="en", mentions=[mention("T1", 0, 3, score=2.5), mention("T2", 8, 10)])
    assert line == json.dumps(mended)
    assert dateline("check", "-C", folder.root).returncode == 0
