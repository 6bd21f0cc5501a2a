"""Converting by a mapping: what becomes of each piece, what is rejected and why, and that it can be mended."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import MENTIONS, Json, ProjectFolder, mention, record
from cat_files import cat, markable, relation, written
from conftest import Run
from dateline.converting import Converted, convert_files
from dateline.document import Document, Node
from dateline.errors import InputError
from dateline.mapping.apply import Draft, article_id_of
from dateline.mapping.file import Source, mapping_from, read_mapping
from dateline.mapping.values import Misfit, value_of
from dateline.quarantine import put_back
from dateline.schema import load_schemas, schemas_from

LINKS: Json = {
    "title": "Links",
    "description": "Links between names.",
    "x-prefix": "l",
    "type": "object",
    "properties": {
        "link_id": {"type": "string", "description": "Local id.", "x-key": True},
        "from_id": {"type": "string", "description": "From this name.", "x-ref": "mentions"},
        "to_ids": {"type": "array", "items": {"type": "string"}, "description": "To these.", "x-ref": "mentions"},
        "kind": {"type": ["string", "null"], "enum": ["KIN", None], "description": "Kind."},
    },
    "required": ["link_id", "from_id"],
    "additionalProperties": False,
}
FIELDS: Json = {
    "spans": {"spans": ""},
    "label": {"type": True, "values": {"PERSON": "PER", "PLACE": "LOC"}},
    "score": {"feature": "score"},
    "remark": {"feature": "remark"},
    "parent_id": {"role": "inside"},
}
MAPPING: Json = {
    "format": "cat",
    "article": {"article_id": {"metadata": "doc_id"}},
    "rights": {"text_redistributable": True, "text_license": "CC0-1.0"},
    "annotation": {"annotator_id": "ann", "tool": "CAT"},
    "layers": {
        "mentions": {"types": ["PERSON", "PLACE"], "fields": FIELDS},
        "links": {
            "types": ["LINK"],
            "coverage": 1,
            "fields": {"from_id": {"role": "source"}, "to_ids": {"role": "target"}, "kind": {"feature": "kind"}},
        },
    },
    "links": {"INSIDE": {"of": "source", "to": "target", "role": "inside"}},
    "ignore": {"types": ["NOISE*", "@segment"], "features": ["*.comment", "document.lang"]},
}


@pytest.fixture
def two_layers(folder: ProjectFolder) -> ProjectFolder:
    """A project with mentions and links between them."""
    folder.schema("links", LINKS)
    return folder


def convert(folder: ProjectFolder, *documents: str, mapping: Json = MAPPING, **options: Any) -> Converted:
    """Convert documents that lie in files d1.xml, d2.xml, ..."""
    for number, document in enumerate(documents, 1):
        written(folder.root / "in", f"d{number}.xml", document)
    schemas = load_schemas(folder.project.schemas)
    says = mapping_from(mapping, schemas)
    return convert_files(folder.project, schemas, says, [folder.root / "in"], folder.root / "seeds" / "articles", **options)


def record_of(folder: ProjectFolder, article_id: str = "d1") -> Json:
    read: Json = json.loads((folder.root / "seeds" / "articles" / f"{article_id}.json").read_bytes())
    return read


def reasons(result: Converted) -> list[tuple[str, str, str]]:
    return [(r.type, r.id, r.reason) for r in result.rejections]


MARKS = [markable("PERSON", "1", 1, 2, score="0.5", comment="c"), markable("PLACE", "2", 4), markable("NOISE1", "9", 1, x="y")]


def test_nodes_become_items_with_keys_values_references_and_coverage(two_layers: ProjectFolder) -> None:
    links = [relation("INSIDE", "3", "2", "1"), relation("LINK", "4", "1", "2", kind="KIN")]
    text = ["Ana Bo in Rome .", "She left ."]
    result = convert(two_layers, cat(text, "".join(MARKS), "".join(links), lang="en"))
    assert reasons(result) == [] and result.written == ["seeds/articles/d1.json"]
    record = record_of(two_layers)
    assert record["text"]["content"] == "Ana Bo in Rome .\nShe left ."
    assert record["rights"] == {"text_redistributable": True, "text_license": "CC0-1.0"}
    assert record["mentions"] == [
        {"mention_id": "m1", "spans": [{"start": 0, "end": 6}], "label": "PER", "score": 0.5, "remark": None, "parent_id": None},
        {
            "mention_id": "m2",
            "spans": [{"start": 10, "end": 14}],
            "label": "LOC",
            "score": None,
            "remark": None,
            "parent_id": "m1",
        },
    ]
    assert record["links"] == [{"link_id": "l4", "from_id": "m1", "to_ids": ["m2"], "kind": "KIN"}]
    assert {(c["layer"], c["status"]) for c in record["coverage"]} == {("mentions", "FULL"), ("links", "PARTIAL")}
    assert [c["regions"] for c in record["coverage"] if c["layer"] == "links"] == [[{"start": 0, "end": 16}]]
    assert [(s["layer"], s["annotator_id"], s["tool"]) for s in record["annotation_sets"]] == [
        ("mentions", "ann", "CAT"),
        ("links", "ann", "CAT"),
    ]
    count = result.account
    assert count.found == {
        "document": 1, "document.doc_id": 1, "document.lang": 1, "PERSON": 1, "PERSON.score": 1, "PERSON.comment": 1, "PLACE": 1,
        "NOISE1": 1, "NOISE1.x": 1, "INSIDE": 1, "INSIDE:source": 1, "INSIDE:target": 1, "LINK": 1, "LINK.kind": 1,
        "LINK:source": 1, "LINK:target": 1, "@segment": 2,
    }  # fmt: skip
    assert count.ignored == {"document.lang": 1, "PERSON.comment": 1, "NOISE1": 1, "NOISE1.x": 1, "@segment": 2}
    assert count.balance() == {}
    assert two_layers.rebuild().problems == []


def test_what_the_mapping_forgets_is_rejected_as_such(two_layers: ProjectFolder) -> None:
    marks = markable("PERSON", "1", 1, mood="sad") + markable("RIVER", "2", 2) + markable("PLACE", "3", 2)
    result = convert(two_layers, cat(["Ana Rhine"], marks, url="u"))
    assert reasons(result) == [
        (
            "document.url",
            "d1",
            "mapping.toml says nothing of the metadata document.url; map it, or list it under [ignore] features",
        ),
        ("PERSON.mood", "1", "mapping.toml says nothing of the feature PERSON.mood; map it, or list it under [ignore] features"),
        ("RIVER", "2", "mapping.toml has no layer for the type RIVER; map it, or list it under [ignore] types"),
    ]
    assert len(record_of(two_layers)["mentions"]) == 2
    assert result.account.balance() == {}


def test_an_item_that_breaks_a_rule_goes_with_what_refers_to_it(two_layers: ProjectFolder) -> None:
    marks = markable("PERSON", "1", 1, score="many") + markable("PLACE", "2", 2) + markable("PERSON", "3")
    links = relation("LINK", "4", "2", "1") + relation("LINK", "5", "2", "2") + relation("LINK", "6", "7", "2")
    links += relation("INSIDE", "8", "2", "1") + relation("INSIDE", "10", "1", "2")
    result = convert(two_layers, cat(["Ana Rome"], marks, links))
    assert reasons(result) == [
        ("PERSON", "1", "has 'many' for score, which is number"),
        ("PERSON", "3", "spans has too few items"),
        ("LINK", "4", "to_ids refers to 1, which was not imported into mentions"),
        ("LINK", "6", "from_id refers to 7, which is not in the document"),
        ("INSIDE", "8", "1 is no imported mentions"),
        ("INSIDE", "10", "no item that was imported stands in its role source"),
    ]
    record = record_of(two_layers)
    assert ([m["mention_id"] for m in record["mentions"]], [x["link_id"] for x in record["links"]]) == (["m2"], ["l5"])
    assert record["mentions"][0]["parent_id"] is None
    assert result.account.balance() == {}


def test_rejected_items_can_be_mended_and_put_back(two_layers: ProjectFolder, dateline: Run) -> None:
    marks = markable("PERSON", "1", 1, score="0.12345") + markable("PLACE", "2", 2) + markable("RIVER", "3", 2)
    links = relation("LINK", "4", "2", "1")
    result = convert(two_layers, cat(["Ana Rome"], marks, links))
    assert result.quarantine == ".dateline/quarantine.jsonl"
    path = two_layers.root / ".dateline" / "quarantine.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(x["type"], x.get("layer"), x["file"], x["line"]) for x in lines] == [
        ("PERSON", "mentions", "in/d1.xml", 5),
        ("RIVER", None, "in/d1.xml", 5),
        ("LINK", "links", "in/d1.xml", 8),
    ]
    assert lines[2]["item"] == {"link_id": "l4", "from_id": "m2", "to_ids": ["1"], "kind": None}

    def again() -> Any:
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return dateline("import", "--from", "quarantine", ".dateline/quarantine.jsonl", "--json", cwd=two_layers.root)

    before = record_of(two_layers)
    done = again()
    told = json.loads(done.stdout)
    assert (done.returncode, told["items"], told["left"]) == (1, 0, 3)
    assert {(p["line"], p["rule"]) for p in told["problems"]} == {(1, "number-precision"), (3, "reference")}
    assert record_of(two_layers) == before

    lines[0]["item"]["score"] = 0.123
    done = again()
    assert (done.returncode, json.loads(done.stdout)["items"]) == (1, 1)
    assert [m["mention_id"] for m in record_of(two_layers)["mentions"]] == ["m2", "m1"]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [x["type"] for x in lines] == ["RIVER", "LINK"]
    lines[1]["item"]["to_ids"] = ["m1"]
    done = again()
    assert (done.returncode, json.loads(done.stdout)["left"]) == (0, 1)
    assert record_of(two_layers)["links"][0]["to_ids"] == ["m1"]
    assert two_layers.rebuild().problems == []


def test_mending_again_after_a_stop_in_between_changes_nothing(two_layers: ProjectFolder) -> None:
    convert(two_layers, cat(["Ana Rome"], markable("PERSON", "1", 1, score="x")))
    path = two_layers.root / ".dateline" / "quarantine.jsonl"
    line = json.loads(path.read_text())
    line["item"]["score"] = 1
    schemas = load_schemas(two_layers.project.schemas)
    out = two_layers.root / "seeds" / "articles"
    for _ in range(2):
        path.write_text(json.dumps(line) + "\n")
        done = put_back(two_layers.project, schemas, path, out)
        assert (done.problems, done.items, path.read_text()) == ([], 1, "")
        assert [m["score"] for m in record_of(two_layers)["mentions"]] == [1]


def test_a_document_that_cannot_be_an_article_is_kept_whole(two_layers: ProjectFolder) -> None:
    good = cat(["Ana Rome"], markable("PERSON", "1", 1))
    result = convert(two_layers, good, good, "<Document>")
    assert [(r.type, r.rule) for r in result.rejections] == [("document", "duplicate-article"), ("document", "unreadable")]
    assert result.account.found["document"] == 3 and result.account.rejected["document"] == 2
    assert result.account.rejected["PERSON"] == 1
    kept = json.loads((two_layers.root / ".dateline" / "quarantine.jsonl").read_text().splitlines()[0])
    kept["record"]["article_id"] = kept["article_id"] = "d2"
    path = two_layers.root / "mend.jsonl"
    path.write_text(json.dumps(kept) + "\n")
    done = put_back(two_layers.project, load_schemas(two_layers.project.schemas), path, two_layers.root / "seeds" / "articles")
    assert (done.records, done.problems) == (1, [])
    assert len(record_of(two_layers, "d2")["mentions"]) == 1


def test_strict_writes_no_record_and_exits_with_1(two_layers: ProjectFolder, dateline: Run) -> None:
    (two_layers.root / "mapping.toml").write_text(
        'format = "cat"\n[rights]\ntext_redistributable = true\n[layers.mentions]\ntypes = ["PERSON"]\n'
        '[layers.mentions.fields]\nspans = { spans = "" }\nlabel = { value = "PER" }\n[ignore]\nfeatures = ["document.*"]\n'
        'types = ["@segment"]\n'
    )
    written(two_layers.root / "in", "d1.xml", cat(["Ana Rome"], markable("PERSON", "1", 1) + markable("PERSON", "2")))
    done = dateline("import", "in", "--strict", cwd=two_layers.root)
    assert done.returncode == 1 and not list((two_layers.root / "seeds").rglob("*.json"))
    assert "in/d1.xml:5  PERSON 2: spans has too few items\n" in done.stderr
    assert "1 document: not written (--strict), 1 rejection, kept in .dateline/quarantine.jsonl\n" in done.stderr
    done = dateline("import", "in", cwd=two_layers.root)
    assert done.returncode == 0
    assert [line.split() for line in done.stdout.splitlines()[1:4]] == [
        ["document", "1", "1"], ["@segment", "1", "1"], ["PERSON", "2", "1", "1"],
    ]  # fmt: skip
    assert (two_layers.root / "seeds" / "articles" / "d1.json").is_file()
    told = json.loads(dateline("import", "in", "--dry-run", "--json", cwd=two_layers.root).stdout)
    assert {"documents", "found", "imported", "rejected", "ignored", "spans"} <= told.keys()
    assert (told["documents"], told["found"]["PERSON"], told["imported"]["PERSON"]) == (1, 2, 1)
    assert told["spans"] == {"checked": 0, "mismatched": 0, "trimmed": 0}


def test_an_import_without_rejections_leaves_no_quarantine_of_an_earlier_one(two_layers: ProjectFolder) -> None:
    convert(two_layers, cat(["Ana"], markable("PERSON", "1")))
    assert (two_layers.root / ".dateline" / "quarantine.jsonl").exists()
    convert(two_layers, cat(["Ana"], markable("PERSON", "1", 1)))
    assert not (two_layers.root / ".dateline" / "quarantine.jsonl").exists()


def test_one_file_of_lines_holds_the_same_records(two_layers: ProjectFolder) -> None:
    documents = [cat(["Ana Rome"], markable("PERSON", "1", 1), doc_id=f"d{n}") for n in (1, 2, 3)]
    convert(two_layers, *documents)
    one_by_one = [record_of(two_layers, f"d{n}") for n in (1, 2, 3)]
    result = convert(two_layers, lines=True)
    assert result.written == ["seeds/articles/tiny.jsonl"]
    lines = (two_layers.root / "seeds" / "articles" / "tiny.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == one_by_one


def test_messages_on_withheld_texts_quote_nothing(two_layers: ProjectFolder) -> None:
    marks = markable("PERSON", "1", 1, score="a secret word") + markable("PERSON", "the secret word of it", 1, score="x")
    result = convert(two_layers, cat(["Ana"], marks), mapping={**MAPPING, "rights": {}})
    assert all("secret" not in reason for _, _, reason in reasons(result))
    assert record_of(two_layers)["text"]["minhash"].startswith("mh1.")


def test_splits_and_metadata_come_from_folders_lists_tables_and_metadata(two_layers: ProjectFolder) -> None:
    two_layers.schema("article", {"properties": {"desk": {"type": ["string", "null"], "description": "Desk."}}})
    two_layers.settings("[tool.dateline.splits]", 'mode = "given"')
    for name in ("train/a", "held/b", "c"):
        written(two_layers.root / "in", f"{name}.xml", cat(["Ana"], doc_id=name[-1], part="dev" if name == "c" else ""))
    (two_layers.root / "in" / "meta.tsv").write_text("id\tdesk\na\tworld\nc\t\n")
    (two_layers.root / "in" / "held.txt").write_text("b\n")
    mapping = MAPPING | {
        "article": {"article_id": {"metadata": "doc_id"}, "desk": {"metadata": "desk"}},
        "tables": [{"file": "meta.tsv", "key": "id", "of": "doc_id"}],
        "splits": {
            "folders": {"train": "train"},
            "lists": {"test": "held.txt"},
            "metadata": "part",
            "values": {"dev": "validation"},
        },
    }
    result = convert(two_layers, mapping=mapping)
    assert (result.warnings, reasons(result), result.unread) == ([], [], [])
    records = [record_of(two_layers, key) for key in "abc"]
    assert [(r["split"], r["desk"]) for r in records] == [("train", "world"), ("test", None), ("validation", None)]
    two_layers.settings()
    assert "are not read; set mode" in convert(two_layers, mapping=mapping).warnings[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"layers": {"mention": {"types": [], "fields": {}}}}, "there is no layer 'mention'; schemas/ has links, mentions"),
        ({"layers": {"coverage": {"types": [], "fields": {}}}}, "coverage is filled by the importer"),
        ({"layers": {"mentions": {"types": ["A"], "fields": {"lable": {"type": True}}}}}, "mentions has no column 'lable'"),
        ({"layers": {"mentions": {"types": ["A"], "fields": {"label": {}}}}}, "names 0 sources; it must name one of spans"),
        ({"layers": {"mentions": {"types": ["A"], "fields": {"label": {"spans": ""}}}}}, "label: holds no spans"),
        ({"layers": {"mentions": {"types": ["A"], "fields": {"spans": {"type": True}}}}}, "its source must be `spans`"),
        ({"layers": {"mentions": {"types": ["A"], "fields": {"label": {"role": "x"}}}}}, "is no reference (x-ref)"),
        ({"layers": {"mentions": {"types": ["A"], "fields": {"label": {"colour": "x"}}}}}, "label.colour is 'x', not left out"),
        ({"layers": {"mentions": {"types": ["A"], "fields": {}, "coverage": "HALF"}}}, "coverage is 'HALF', but must be"),
        ({"article": {"article_id": {"feature": "x"}}}, "an article has no feature; it has metadata, name and value"),
        ({"rights": {"licence": "CC0-1.0"}}, "rights has no 'licence'; it has annotation_license, evidence_url"),
        ({"colour": 1}, "colour is 1, but must be left out"),
        ({"format": 3}, "format is 3, but must be a string"),
    ],
)
def test_a_slip_in_a_mapping_is_one_line_before_anything_is_read(two_layers: ProjectFolder, change: Json, says: str) -> None:
    with pytest.raises(InputError) as fault:
        mapping_from({**MAPPING, **change}, load_schemas(two_layers.project.schemas))
    assert says in str(fault.value) and str(fault.value).startswith("mapping.toml: ")
    with pytest.raises(InputError, match=r"mapping\.toml: cannot be read: No such file"):
        read_mapping(two_layers.root / "nothing.toml", load_schemas(two_layers.project.schemas))


def test_a_role_of_several_fields_goes_to_the_field_whose_layer_fits(two_layers: ProjectFolder) -> None:
    fields = {"from_id": {"role": "end"}, "other_id": {"role": "end"}}
    properties = {**LINKS["properties"], "from_id": {"type": ["string", "null"], "description": "A.", "x-ref": "mentions"}}
    properties["other_id"] = {"type": ["string", "null"], "description": "B.", "x-ref": "places"}
    two_layers.schema("links", {**LINKS, "properties": properties, "required": ["link_id"]})
    places = {k: v for k, v in MENTIONS["properties"].items() if k in ("spans", "label")}
    places["place_id"] = {"type": "string", "description": "Id.", "x-key": True}
    two_layers.schema("places", {**MENTIONS, "properties": places, "required": ["place_id"], "x-prefix": "p"})
    schemas = load_schemas(two_layers.project.schemas)
    layers = {
        "mentions": {"types": ["PERSON"], "fields": {"spans": {"spans": ""}, "label": {"value": "PER"}}},
        "places": {"types": ["PLACE"], "fields": {"spans": {"spans": ""}}},
        "links": {"types": ["LINK"], "fields": fields},
    }
    nodes = [Node("1", "PERSON", ((0, 3),)), Node("2", "PLACE", ((4, 8),)), Node("3", "LINK", roles={"end": ["2", "1"]})]
    draft = Draft(Document("d", "Ana Rome", nodes), mapping_from({"format": "cat", "layers": layers}, schemas))
    assert draft.record()["links"] == [{"link_id": "l3", "from_id": "m1", "other_id": "p2"}]


def test_several_annotators_of_one_text_are_kept_apart(two_layers: ProjectFolder) -> None:
    properties = {**MENTIONS["properties"], "by": {"type": "string", "description": "Whose.", "x-ref": "annotation_sets"}}
    two_layers.schema("mentions", {**MENTIONS, "properties": properties})
    fields = {"spans": {"spans": ""}, "label": {"value": "PER"}, "by": {"annotator": True}, "parent_id": {"role": "inside"}}
    schemas = load_schemas(two_layers.project.schemas)
    mapping = mapping_from({"format": "cat", "layers": {"mentions": {"types": ["PERSON"], "fields": fields}}}, schemas)
    nodes = [
        Node("1", "PERSON", ((0, 3),), annotator="ann"),
        Node("1", "PERSON", ((0, 8),), annotator="bea c"),
        Node("2", "PERSON", ((4, 8),), roles={"inside": ["1"]}, annotator="bea c"),
    ]
    record = Draft(Document("d", "Ana Rome", nodes), mapping).record()
    sets = {s["annotation_set_id"]: s["annotator_id"] for s in record["annotation_sets"]}
    assert sorted(sets.values()) == ["ann", "bea c"]
    assert [sets[m["by"]] for m in record["mentions"]] == ["ann", "bea c", "bea c"]
    assert [(m["mention_id"], m["parent_id"]) for m in record["mentions"]] == [("m1", None), ("m1.2", None), ("m2", "m1.2")]


@given(st.text(max_size=200))
def test_every_name_gives_a_path_safe_article_id_of_its_own(name: str) -> None:
    import re

    made = article_id_of(name)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", made)
    assert article_id_of(made) == made
    assert (made == name) or made != article_id_of(f"{name}?")


def test_a_whole_record_takes_the_place_of_no_other(folder: ProjectFolder) -> None:
    articles, path = folder.root / "seeds" / "articles", folder.root / "q.jsonl"
    articles.mkdir()
    standing = json.dumps(record("a1", mentions=[mention("m1", 0, 3)]))
    (articles / "a1.json").write_text(standing)
    schemas = load_schemas(folder.root / "schemas")

    def told(*lines: Any) -> list[tuple[int, str]]:
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        done = put_back(folder.project, schemas, path, articles)
        assert done.left == len(path.read_text().splitlines()) == len(done.problems)
        return [(problem.place.line, problem.says) for problem in done.problems]

    whole = {"article_id": "a1", "record": record("a1", "Another text.")}
    assert told(whole) == [(1, "holds a whole record, but 'a1' stands already, and reads otherwise; remove one of them")]
    assert told({"article_id": "a1", "record": record("b9")}) == [
        (1, "holds the record of another article than 'a1', which it names")
    ]
    assert (articles / "a1.json").read_text() == standing
    two = [{"article_id": "a2", "record": record("a2", text)} for text in ("One.", "Two.")]
    assert told(*two) == [(2, "holds a second record of 'a2'; one of them can stand")]
    assert json.loads((articles / "a2.json").read_bytes())["text"]["content"] == "One."
    assert told({**two[0]}) == [], "put there by an import that was stopped"
    odd: list[Json] = [{"article_id": "a1", "layer": layer, "item": {}} for layer in (["x"], "text", "none")]
    assert [says.partition(";")[0] for _, says in told(*odd)] == [
        "names the layer \"['x']\"", "names the layer 'text'", "names the layer 'none'",
    ]  # fmt: skip
    half = [{"article_id": "a3", "record": record("a3", "\ud800")}, {"article_id": "a" * 300, "layer": "mentions", "item": {}}]
    assert [line for line, _ in told(*half)] == [1, 2]


@pytest.mark.parametrize("text", ["12345678901234567.8912", "12345678901234567890123", "0.1000000000000000055"])
def test_a_number_in_words_that_json_would_cut_short_is_a_misfit(text: str) -> None:
    fields = {f.name: f for f in schemas_from({"mentions": json.dumps(MENTIONS).encode()}).layers["mentions"].fields}
    with pytest.raises(Misfit, match="would lose digits"):
        value_of(text, Source(), fields["score"])
    assert [value_of(said, Source(), fields["score"]) for said in ("0.10", "1e3", "7", "1.50")] == [0.1, 1000.0, 7, 1.5]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("name,topic\nd1,sports\nd1,politics\n", r"meta\.csv:3: says otherwise of 'd1' than a row before"),
        ("name,topic\nd1,a topic, and more\n", r"meta\.csv:2: has more cells than the head; quote what holds a ','"),
        ("name,topic,topic\nd1,a,b\n", r"meta\.csv: names a column twice: name, topic, topic"),
    ],
)
def test_a_table_beside_a_corpus_says_one_thing_of_a_document(two_layers: ProjectFolder, table: str, says: str) -> None:
    (two_layers.root / "meta.csv").write_text(table)
    with pytest.raises(InputError, match=says):
        convert(two_layers, cat(["Ana Rome"], ""), mapping={**MAPPING, "tables": [{"file": "meta.csv", "key": "name"}]})


def test_a_document_is_in_the_list_of_one_split(two_layers: ProjectFolder) -> None:
    for name in ("train", "test"):
        (two_layers.root / f"{name}.list").write_text("d1\n")
    lists = {"train": "train.list", "test": "test.list"}
    with pytest.raises(InputError, match=r"test\.list: lists 'd1', which stands in the list of train, too"):
        convert(two_layers, cat(["Ana Rome"], ""), mapping={**MAPPING, "splits": {"lists": lists}})
