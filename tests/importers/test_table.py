"""Tables and Hugging Face datasets: columns that hold texts, tokens with tags, annotations in cells or in rows."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dateline.document import Document, Refused
from dateline.errors import InputError
from dateline.foreign_json import brief
from dateline.importers import importer
from dateline.incoming import filled, incoming
from dateline.rows import chunks, plain
from json_formats import documents, fuzz, fuzz_folder, read, read_all, refusals

TAGS = ["O", "B-PER", "I-PER", "B-LOC"]
SENTENCE = {"id": "s1", "tokens": ["Ana", "Lee", "saw", "Rome", "."], "ner_tags": [1, 2, 0, 3, 0], "date": date(2024, 1, 2)}


def parquet(path: Path, rows: list[dict[str, Any]], metadata: Mapping[str, Any] | None = None) -> Path:
    table = pa.Table.from_pylist(rows)
    if metadata is not None:
        table = table.replace_schema_metadata({b"huggingface": json.dumps({"info": {"features": metadata}}).encode()})
    pq.write_table(table, path, row_group_size=1)
    return path


def spans(made: Document) -> list[tuple[str, str, tuple[tuple[int, int], ...]]]:
    return [(n.id, n.type, n.spans) for n in made.nodes]


# ---- tags ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O B-X I-X O", [("X", 1, 2)]),
        ("B-X B-X I-X", [("X", 0, 0), ("X", 1, 2)]),
        ("I-X I-X O I-Y I-X", [("X", 0, 1), ("Y", 3, 3), ("X", 4, 4)]),  # IOB1
        ("I-X B-X I-X", [("X", 0, 0), ("X", 1, 2)]),
        ("B-X I-X L-X U-X O U-Y", [("X", 0, 2), ("X", 3, 3), ("Y", 5, 5)]),  # BILOU
        ("S-X B-X E-X I-X", [("X", 0, 0), ("X", 1, 2), ("X", 3, 3)]),  # IOBES
        ("NOUN O VERB", [("NOUN", 0, 0), ("VERB", 2, 2)]),
        ("B-a-b I-a-b", [("a-b", 0, 1)]),
        ("", []),
    ],
)
def test_tags_of_all_schemes_mark_their_runs(tags: str, expected: list[tuple[str, int, int]]) -> None:
    assert list(chunks(tags.split())) == expected


def test_tokens_without_a_text_make_one_with_blanks(tmp_path: Path) -> None:
    features = {"ner_tags": {"_type": "List", "feature": {"_type": "ClassLabel", "names": TAGS}}, "id": {"_type": "Value"}}
    options = {"id": "id", "tokens": "tokens", "tags": ["ner_tags"]}
    (made,) = documents(read_all("table", parquet(tmp_path / "a.parquet", [SENTENCE], features), **options))
    assert (made.name, made.text, made.metadata) == ("s1", "Ana Lee saw Rome .", {"date": "2024-01-02"})
    assert spans(made) == [("ner_tags:0", "PER", ((0, 7),)), ("ner_tags:1", "LOC", ((12, 16),))]
    assert str(made.nodes[1].place) == "a.parquet $.ner_tags[3]"


def test_tokens_are_found_in_a_text_or_refused(tmp_path: Path) -> None:
    options = {"tokens": "tokens", "tags": ["ner_tags"], "names": {"ner_tags": TAGS}}
    good = SENTENCE | {"text": "Ana Lee\nsaw Rome."}
    bad = good | {"text": "Ana Lee heard Rome."}
    found = read_all("table", parquet(tmp_path / "a.parquet", [good, bad]), **options)
    assert isinstance(found[0], Document) and spans(found[0])[1] == ("ner_tags:1", "LOC", ((12, 16),))
    assert refusals(found)[0].reason == 'its token 2, "saw", is not where the text has "heard Rome."'
    assert str(refusals(found)[0].place) == "a.parquet $[1]"


@pytest.mark.parametrize(
    ("changes", "options", "says"),
    [
        ({"ner_tags": [1, 2]}, {}, "has 2 tags in column ner_tags, but 5 tokens"),
        ({"ner_tags": None}, {}, "has no tags in column ner_tags"),
        ({"ner_tags": [9, 0, 0, 0, 0]}, {"names": {"ner_tags": TAGS}}, "9 is no number of the 4 names of column ner_tags"),
        ({}, {}, 'its tags are numbers without names: say names = {ner_tags = ["O", …]}'),
    ],
)
def test_tags_that_cannot_be_read_are_refused(
    changes: dict[str, Any], options: dict[str, Any], says: str, tmp_path: Path
) -> None:
    path = parquet(tmp_path / "a.parquet", [SENTENCE | changes])
    (made,) = documents(read_all("table", path, tokens="tokens", tags=["ner_tags"], **options))
    assert made.nodes == [] and [(r.type, r.reason) for r in made.refused] == [("ner_tags", says)]


# ---- annotations in cells --------------------------------------------------------------------------------------


def test_annotations_in_a_cell_are_objects_or_lists_or_json(tmp_path: Path) -> None:
    items: list[dict[str, Any]] = [
        {"start": 0, "end": 3, "label": 1, "sure": 0.5, "word": "Ana"},
        {"start": 8, "end": 10, "label": None, "sure": None, "word": "?"},
    ]
    options: dict[str, Any] = {"spans": ["spans"], "names": {"spans.label": ["LOC", "PER"]}, "words": "word"}
    turned = {key: [item[key] for item in items] for key in items[0]}
    paths = [
        parquet(tmp_path / "a.parquet", [{"text": "Ana met Bo.", "spans": items}]),
        parquet(tmp_path / "b.parquet", [{"text": "Ana met Bo.", "spans": turned}]),
        parquet(tmp_path / "c.parquet", [{"text": "Ana met Bo.", "spans": json.dumps(items)}]),
    ]
    for path in paths:
        (made,) = documents(read_all("table", path, json=["spans"], **options))
        assert spans(made) == [("spans:0", "PER", ((0, 3),)), ("spans:1", "spans", ((8, 10),))]
        assert made.nodes[0].features == {"sure": 0.5} and made.nodes[1].features == {"sure": None}
        assert [n.words for n in made.nodes] == [{"": "Ana"}, {"": "?"}]


def test_annotations_of_a_cell_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    cells = [
        '[{"start": 0, "end": 9}, 3, {"start": 0.5, "end": 1}, {"id": 1, "start": 0, "end": 1}, {"id": 1, "start": 0, "end": 1}]',
        "[",
        '"x"',
    ]
    text = "text,spans\n" + "".join(f'abc,"{cell.replace(chr(34), chr(34) * 2)}"\n' for cell in cells)
    made = documents(read("table", tmp_path, {"a.csv": text}, spans=["spans"], json=["spans"]))
    assert [r.reason for d in made for r in d.refused] == [
        "its end 9 lies beyond the text, which has 3 characters",
        "is 3, which is no object",
        "its start is 0.5, which is no whole number",
        "another annotation has the same id",
        "column spans is not valid JSON: Expecting value at column 2",
        'is "x" in column spans, which is no list',
    ]


# ---- annotations in rows ---------------------------------------------------------------------------------------

ROWS = """doc,text,start,end,label,surface,who,sure,year
d1,"Ana met
Bo.",0,3,PER,Ana,ann,0.9,2024
d1,,8,10,PER,Bo,ben,,2024
d1,,5,99,LOC,x,ann,,2024
d2,nothing,,,,,,,2023
d1,,0,1,X,,,,
"""
BY_ROW = {"rows": "annotations", "id": "doc", "words": "surface", "annotator": "who", "metadata": ["year"]}


def test_rows_that_are_annotations_make_a_document_of_their_run(tmp_path: Path) -> None:
    found = read("table", tmp_path, {"a.csv": ROWS}, **BY_ROW)
    first, second, third = found
    assert isinstance(first, Document) and isinstance(second, Document) and isinstance(third, Refused)
    assert (first.name, first.text, first.metadata) == ("d1", "Ana met\nBo.", {"year": "2024"})
    assert [(n.id, n.type, n.spans, n.annotator, n.words, n.features) for n in first.nodes] == [
        ("annotation:0", "PER", ((0, 3),), "ann", {"": "Ana"}, {"sure": "0.9"}),
        ("annotation:1", "PER", ((8, 10),), "ben", {"": "Bo"}, {"sure": ""}),
    ]
    assert [(r.place.line, r.type) for r in first.refused] == [(5, "LOC")]
    assert (second.name, second.nodes, second.refused) == ("d2", [], [])
    assert third.reason == "another document has the same id; the rows of a document must stand together"


def test_numbers_that_a_column_with_gaps_made_fractions_are_whole(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"doc": "d", "text": "abc", "start": 1.0, "end": 2.0, "label": "X"},
        {"doc": "e", "text": "abc", "start": None, "end": None},
    ]
    made = documents(read_all("table", parquet(tmp_path / "a.parquet", rows), rows="annotations", id="doc"))
    assert [d.nodes[0].spans if d.nodes else () for d in made] == [((1, 2),), ()]


# ---- files -----------------------------------------------------------------------------------------------------


def test_cells_keep_their_line_ends_and_tabs_separate_tsv(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "a.csv": b'\xef\xbb\xbf"text",x\r\n"a\r\nb, ""c""",1\r\n',
        "b.tsv": 'text\tx\n"quoted\t2\n',
        "c.csv": 'text;x\n"y";3\n',
    }
    (csv,) = documents(read("table", tmp_path, {"a.csv": files["a.csv"]}))
    assert (csv.text, csv.metadata, csv.name) == ('a\r\nb, "c"', {"x": "1"}, "a#1")
    (tsv,) = documents(read("table", tmp_path, {"b.tsv": files["b.tsv"]}, quotes=""))
    assert (tsv.text, tsv.metadata) == ('"quoted', {"x": "2"})
    (semi,) = documents(read("table", tmp_path, {"c.csv": files["c.csv"]}, separator=";"))
    assert (semi.text, semi.metadata) == ("y", {"x": "3"})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"text,x\na\n", "has 1 cells, but the head has 2"),
        (b"text,text\na,b\n", "has no head with a name of its own for each column"),
        (b"", "has no head"),
        (b'text\n"a', 'is no row: unexpected end of data; if quotes are no marks of the table, say quotes = ""'),
        (b'text\n"a"b\n', "is no row"),
        (b"text\n\xff\n", "is not utf-8"),
        (b"other\na\n", "has no text in column text"),
    ],
)
def test_lines_that_are_no_rows_are_refused(content: bytes, says: str, tmp_path: Path) -> None:
    assert says in refusals(read("table", tmp_path, {"a.csv": content}))[0].reason


def test_what_is_no_parquet_is_refused_and_so_are_values_that_are_no_json(tmp_path: Path) -> None:
    assert "is no Parquet file" in refusals(read("table", tmp_path, {"a.parquet": b"PAR1 no"}))[0].reason
    row = {
        "text": "x",
        "d": Decimal("1.50"),
        "t": datetime(2024, 1, 2, 3),
        "n": float("nan"),
        "b": b"\0",
        "i": float("inf"),
        "l": [{"a": 1}],
    }
    (made,) = documents(read_all("table", parquet(tmp_path / "a.parquet", [row])))
    assert made.metadata == {"d": "1.50", "t": "2024-01-02T03:00:00", "n": None, "l": [{"a": 1}]}
    assert [(r.type, r.reason) for r in made.refused] == [
        ("b", "holds bytes, which is neither words nor numbers"),
        ("i", "is an infinite number"),
    ]
    assert plain((1, {"a": None})) == [1, {"a": None}]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"tags": [1]}, "option tags[0] of format table is 1, but must be a string"),
        ({"names": {"x": "y"}}, "option names.x of format table"),
        ({"rows": "lines"}, 'must be "documents" or "annotations"'),
        ({"rows": "annotations"}, "option id of format table must name the column"),
        ({"separator": ",,"}, "must be one character each"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as fault:
        read("table", tmp_path, {"a.csv": "text\nx\n"}, **options)
    assert says in str(fault.value)


@pytest.mark.fuzz
def test_mutated_tables_give_documents_or_refusals(tmp_path: Path) -> None:
    seen = fuzz("table", tmp_path, "a.csv", [ROWS.encode()], BY_ROW)
    assert seen["Document"] and seen["Refused"]
    items = [{"start": 0, "end": 3, "label": "PER"}]
    path = parquet(
        tmp_path / "b.parquet",
        [SENTENCE | {"text": None, "spans": items}, SENTENCE | {"text": "Ana Lee saw Rome.", "spans": items}],
    )
    options = {"tokens": "tokens", "tags": ["ner_tags"], "names": {"ner_tags": TAGS}, "spans": ["spans"]}
    assert fuzz("table", tmp_path, "a.parquet", [path.read_bytes()], options)["Refused"]


# ---- Hugging Face ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of two splits as `save_to_disk` writes it, with class labels."""
    import datasets

    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "tokens": datasets.List(datasets.Value("string")),
            "ner_tags": datasets.List(datasets.ClassLabel(names=TAGS)),
            "topic": datasets.ClassLabel(names=["news", "sport"]),
        }
    )
    folder = tmp_path_factory.mktemp("saved")
    row = {"id": "1", "tokens": SENTENCE["tokens"], "ner_tags": SENTENCE["ner_tags"], "topic": 1}
    splits = {
        name: datasets.Dataset.from_list([row | {"topic": topic}], features) for name, topic in (("train", 1), ("test", -1))
    }
    datasets.DatasetDict(splits).save_to_disk(folder / "disk")
    (folder / "hub").mkdir()
    for name, split in splits.items():
        split.to_parquet(folder / "hub" / f"{name}.parquet")
    return folder


NER: dict[str, Any] = {"tokens": "tokens", "tags": ["ner_tags"]}


def test_a_saved_dataset_is_read_with_the_names_of_its_labels(saved: Path) -> None:
    train, test = documents(read_all("huggingface", saved / "disk", **NER))
    assert (train.name, test.name) == ("train#1", "test#1")
    assert spans(train) == [("ner_tags:0", "PER", ((0, 7),)), ("ner_tags:1", "LOC", ((12, 16),))]
    assert (train.metadata, test.metadata["topic"]) == ({"id": "1", "topic": "sport"}, None)
    found = read_all("huggingface", saved / "disk", id="id", **NER)
    assert refusals(found)[0].reason == "another document has the same id"
    (only,) = documents(read_all("huggingface", saved / "disk", id="id", split="test", **NER))
    assert str(only.place) == "test $[0]"


def test_a_named_dataset_is_streamed(saved: Path, tmp_path: Path) -> None:
    train, test = documents(read_all("huggingface", tmp_path, dataset=str(saved / "hub"), **NER))
    assert spans(train) == spans(test) and train.metadata["topic"] == "sport"


def test_what_is_no_dataset_is_said_in_one_line(saved: Path, tmp_path: Path) -> None:
    for options, says in (
        ({}, "is no dataset that can be read"),
        ({"dataset": str(tmp_path / "no")}, "is no dataset that can be read"),
    ):
        with pytest.raises(InputError) as fault:
            read_all("huggingface", tmp_path, **options)
        assert says in str(fault.value) and "\n" not in str(fault.value)
    with pytest.raises(InputError, match="option split is 'x', but there are train, test"):
        read_all("huggingface", saved / "disk", split="x")


def test_a_saved_dataset_is_found_in_an_archive_and_all_its_files_are_accounted_for(saved: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "mine"), "zip", saved, "disk"))
    with incoming(archive, filled(NER, importer("huggingface").options, "huggingface")) as found:
        assert [one.name for one in importer("huggingface").documents(found) if isinstance(one, Document)] == [
            "train#1",
            "test#1",
        ]
        assert found.read == set(found.names)
    alone = documents(read_all("huggingface", saved / "disk" / "train", **NER))
    assert [(one.name, str(one.place)) for one in alone] == [("all#1", "all $[0]")]


def one_row(folder: Path, text: str) -> Path:
    """A saved dataset of one text; where it is."""
    import datasets

    datasets.Dataset.from_list([{"text": text}]).save_to_disk(folder)
    return folder


def test_addresses_that_lead_out_of_a_file_are_damage_and_do_not_end_the_process(tmp_path: Path) -> None:
    """Found by fuzzing: Arrow believes a file, and read beyond its memory."""
    folder = one_row(tmp_path / "a", "x" * 1357)
    (file,) = folder.glob("*.arrow")
    head, found, tail = file.read_bytes().rpartition(struct.pack("<2i", 0, 1357))
    assert found
    file.write_bytes(head + struct.pack("<2i", 0, 2**30) + tail)
    (refused,) = refusals(read_all("huggingface", folder))
    assert str(refused.place) == "all $[0]" and refused.reason.startswith("is damaged: ")


@pytest.mark.parametrize(
    ("file", "found", "says"),
    [
        (
            "state.json",
            {"_split": None, "_data_files": [{"filename": "../b/data-00000-of-00001.arrow"}]},
            'names the file "../b/',
        ),
        ("state.json", {"_split": 3}, "state.json: _split is 3, but must be a string or nothing"),
        ("state.json", [], "state.json: is a list, but must be an object"),
        ("dataset_info.json", {"features": 1}, "dataset_info.json: features is 1, but must be a table or nothing"),
        ("dataset_dict.json", {"splits": ["../b"]}, "../b/dataset_info.json: is not there"),
    ],
)
def test_a_saved_dataset_that_describes_itself_wrong_is_told_so(file: str, found: Any, says: str, tmp_path: Path) -> None:
    one_row(tmp_path / "b", "secret")
    folder = one_row(tmp_path / "a", "x")
    (folder / file).write_text(json.dumps(found))
    with pytest.raises(InputError) as fault:
        read_all("huggingface", folder)
    assert says in str(fault.value) and "\n" not in str(fault.value)


CARD = b"""---
configs:
- config_name: default
  data_files:
  - {split: train, path: train.parquet}
  - {split: test, path: "test*"}
---
# A dataset
"""


@pytest.mark.fuzz
@pytest.mark.parametrize("kind", ["disk", "hub"])
def test_a_damaged_dataset_gives_documents_or_refusals(kind: str, saved: Path, tmp_path: Path) -> None:
    """A folder that `save_to_disk` wrote, or one of Parquet with a card."""
    files = {p.relative_to(saved / kind).as_posix(): p.read_bytes() for p in (saved / kind).rglob("*") if p.is_file()}
    options = NER if kind == "disk" else NER | {"dataset": str(tmp_path / "in")}
    seen = fuzz_folder("huggingface", tmp_path, files if kind == "disk" else files | {"README.md": CARD}, options)
    assert seen["Document"] and seen["InputError"]


def test_bytes_where_words_belong_are_told_in_one_line() -> None:
    """Found by fuzzing: the message that names them failed."""
    assert brief(b"\x00a") == "\"b'\\\\x00a'\""
