"""dateline export-view: what BIO tables and SQuAD questions say, whether loaders read them, and what is never written."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from building import Json, ProjectFolder, mention, record
from conftest import Run
from dateline.errors import BuildError, LoadError, UsageError
from dateline.exporting_views import export_view
from dateline.manifest import read_manifest
from dateline.project import Project
from dateline.view_exporters import squad

SPANS = {"x-span": "many", "description": "Words."}
QUOTES: Json = {
    "title": "Quotes",
    "description": "Who says what.",
    "x-prefix": "q",
    "type": "object",
    "properties": {
        "quote_id": {"type": "string", "description": "Local id.", "x-key": True},
        "source_spans": SPANS,
        "cue_spans": SPANS,
        "content_spans": SPANS,
    },
    "required": ["quote_id"],
    "additionalProperties": False,
}
VIEWS = """
default_config = "names"
splits = { mode = "given" }

[tool.dateline.views.names]
kind = "spans"
layer = "mentions"
label = "label"

[tool.dateline.views.said]
kind = "roles"
layer = "quotes"
article = ["language"]
"""
TEXT = "“Yes”, said Ana Bo, “to all.” Bo denied 1,200 🙂."
GERMAN = "„Ja“, sagte Ana. „Nie“, sagte Ana."


def span(words: str, text: str = TEXT, nth: int = 0) -> Json:
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    return {"start": start, "end": start + len(words)}


def quote(key: str, text: str, source: str, cue: str, *content: str, nth: int = 0) -> Json:
    return {
        "quote_id": key,
        "source_spans": [span(source, text, nth)] if source else [],
        "cue_spans": [span(cue, text, nth)] if cue else [],
        "content_spans": [span(words, text) for words in content],
    }


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = ProjectFolder(tmp_path_factory.mktemp("views"))
    made.schema("quotes", QUOTES)
    made.settings(VIEWS)
    made.seed(
        record("a1", TEXT, language="en", split="train", group="g1",
               mentions=[mention("m1", **span("Ana Bo")), mention("m2", **span("Bo"), label="LOC"),
                         mention("m3", **span("Bo", nth=1)), mention("m4", **span("1,2"), label="LOC"),
                         mention("m5", **span("🙂"), label="LOC")],
               quotes=[quote("q1", TEXT, "Ana Bo", "said", "Yes", "to all."), quote("q2", TEXT, "", "denied", "1,200")]),
        record("a2", GERMAN, language="de-AT", split="test", group="g2",
               quotes=[quote("q1", GERMAN, "Ana", "sagte", "Ja"), quote("q2", GERMAN, "Ana", "sagte", "Nie", nth=1),
                       quote("q3", GERMAN, "Ana", "sagte", "Ja")]),
        record("hidden-article", "Secret words of Cy.", rights={}, split="train", group="g3", quotes=[]),
    )  # fmt: skip
    done = made.rebuild()
    assert done.problems == []
    return made.root / "dataset"


def lines(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def whole(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# ---- bio -----------------------------------------------------------------------------------------------------


def test_bio_has_a_table_for_each_level_and_counts_what_does_not_stand_on_words(dataset: Path, tmp_path: Path) -> None:
    done = export_view(dataset, "names", "bio", tmp_path / "out")
    assert [n for n in done.written.files if n.endswith("train.jsonl")] == ["level-1/train.jsonl", "level-2/train.jsonl"]
    (outer,), (inner,) = (lines(tmp_path / "out" / f"level-{n}" / "train.jsonl") for n in (1, 2))
    assert outer["id"] == "a1#text" and outer["words"] == [
        "“", "Yes", "”", ",", "said", "Ana", "Bo", ",", "“", "to", "all", ".", "”", "Bo", "denied", "1,200", "🙂", "."
    ]  # fmt: skip
    assert [TEXT[s:e] for s, e in zip(outer["starts"], outer["ends"], strict=True)] == outer["words"]
    assert " ".join(outer["entities_tags"]) == "O O O O O B-PER I-PER O O O O O O B-PER O B-LOC B-LOC O"
    assert [n for n, tag in enumerate(inner["entities_tags"]) if tag != "O"] == [6] and inner["entities_tags"][6] == "B-LOC"
    assert inner["words"] == outer["words"]
    assert done.written.counts == {"rows": 2, "spans": 5, "spans that begin or end within a word": 1, "spans without a word": 0}
    ids = json.loads((tmp_path / "out" / "labels.json").read_text())
    assert ids == {"entities_tags": {"O": 0, "B-PER": 1, "I-PER": 2, "B-LOC": 3, "I-LOC": 4}}


def test_bio_of_roles_has_tags_for_each_and_continues_what_is_cut(dataset: Path, tmp_path: Path) -> None:
    export_view(dataset, "said", "bio", tmp_path / "out", split="train")
    first, second = lines(tmp_path / "out" / "level-1" / "train.jsonl")
    assert " ".join(first["content_spans_tags"][:12]) == "O B-content O O O O O O O I-content I-content I-content"
    assert first["source_spans_tags"][5:7] == ["B-source", "I-source"] and set(second["source_spans_tags"]) == {"O"}
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["README.txt", "labels.json", "level-1"]
    assert not list((tmp_path / "out").rglob("test.jsonl"))


# ---- squad ---------------------------------------------------------------------------------------------------


def test_squad_asks_for_each_role_and_says_what_the_passage_does_not_answer(dataset: Path, tmp_path: Path) -> None:
    done = export_view(dataset, "said", "squad", tmp_path / "out")
    (article,) = json.loads((tmp_path / "out" / "train.json").read_text())["data"]
    asked = {a["question"]: a for p in article["paragraphs"] for a in p["qas"]}
    assert article["title"] == "a1" and {
        question: [answer["text"] for answer in found["answers"]] for question, found in asked.items()
    } == {
        "Who is the source of “Yes … to all.”?": ["Ana Bo"],
        "Which words attribute “Yes … to all.” to its source?": ["said"],
        "What is attributed to “Ana Bo”?": ["Yes", "to all."],
        "Who is the source of “1,200”?": [],
        "Which words attribute “1,200” to its source?": ["denied"],
    }
    assert [q for q, found in asked.items() if found["is_impossible"]] == ["Who is the source of “1,200”?"]
    assert done.written.counts["questions without an answer"] == 1
    flat = {row["id"]: row for row in lines(tmp_path / "out" / "train.jsonl")}
    assert flat["a1#q1:source"]["answers"] == {"text": ["Ana Bo"], "answer_start": [TEXT.index("Ana Bo")]}


def test_one_question_about_one_passage_is_asked_once_in_its_language(dataset: Path, tmp_path: Path) -> None:
    export_view(dataset, "said", "squad", tmp_path / "out", split="test")
    rows = lines(tmp_path / "out" / "test.jsonl")
    both = [row for row in rows if row["question"] == "Was wird „Ana“ zugeschrieben?"]
    assert [row["answers"]["text"] for row in both] == [["Ja", "Nie"]] and len(rows) == 5
    assert len({row["question"] for row in rows}) == len({row["id"] for row in rows}) == 5


# ---- real loaders, the corpus --------------------------------------------------------------------------------


def test_the_corpus_is_read_by_the_loaders_of_datasets(small_flagship: Project, tmp_path: Path) -> None:
    from datasets import load_dataset

    corpus = small_flagship.dataset
    asked = export_view(corpus, "quote_attribution", "squad", tmp_path / "squad")
    files = {split: str(tmp_path / "squad" / f"{split}.jsonl") for split in asked.view.splits}
    rows = [row for split in load_dataset("json", data_files=files, cache_dir=str(tmp_path / "cache")).values() for row in split]
    assert len(rows) == asked.written.counts["questions"] > 300
    for row in rows:
        for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True):
            assert row["context"][start : start + len(text)] == text != ""
    nested = load_dataset(
        "json", data_files=str(tmp_path / "squad" / "train.json"), field="data", split="train", cache_dir=str(tmp_path / "cache")
    )
    questions = [a for article in nested for paragraph in article["paragraphs"] for a in paragraph["qas"]]
    assert len(questions) == sum(1 for _ in (tmp_path / "squad" / "train.jsonl").open())
    assert all(a["is_impossible"] == (not a["answers"]) for a in questions)

    tagged = export_view(corpus, "ner", "bio", tmp_path / "bio")
    pattern = {split: str(tmp_path / "bio" / "level-*" / f"{split}.jsonl") for split in tagged.view.splits}
    read = load_dataset("json", data_files=pattern, cache_dir=str(tmp_path / "cache"))
    labels = json.loads((tmp_path / "bio" / "labels.json").read_text())["entities_tags"]
    begun = sum(tag.startswith("B-") for split in read.values() for row in split for tag in row["entities_tags"])
    assert {tag for split in read.values() for row in split for tag in row["entities_tags"]} <= labels.keys()
    mentions = {(r["id"], e["item"]) for f in tagged.view.splits for r in tagged.view.rows(f) for e in r["entities"]}
    assert begun == len(mentions) == read_manifest(corpus).tables["mentions"].rows - _withheld_mentions(corpus)


def _withheld_mentions(corpus: Path) -> int:
    """Mentions of articles without text: they are in no view."""
    manifest = read_manifest(corpus)

    def rows(table: str, column: str) -> list[Any]:
        files = manifest.tables[table].files
        return [v for f in files for v in pq.read_table(corpus / f["path"], partitioning=None)[column].to_pylist()]

    open_texts = dict(zip(rows("articles", "article_id"), rows("articles", "text_redistributable"), strict=True))
    return sum(not open_texts[article] for article in rows("mentions", "article_id"))


# ---- what is never written -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("view", "form"), [("names", "bio"), ("said", "bio"), ("said", "squad")])
def test_withheld_articles_are_not_in_it_and_the_bytes_are_the_same_each_time(
    dataset: Path, tmp_path: Path, view: str, form: str
) -> None:
    for name in ("one", "two"):
        export_view(dataset, view, form, tmp_path / name)
    files = whole(tmp_path / "one")
    assert files == whole(tmp_path / "two")
    assert not any(words in content for content in files.values() for words in (b"Secret", b"hidden-article"))


@pytest.mark.parametrize("form", ["bio", "squad"])
def test_a_dataset_that_shows_a_withheld_text_is_refused_and_nothing_is_written(dataset: Path, tmp_path: Path, form: str) -> None:
    copy = tmp_path / "dataset"
    shutil.copytree(dataset, copy)
    for file in read_manifest(copy).tables["articles"].files:
        table = pq.read_table(copy / file["path"], partitioning=None)
        number = table.schema.get_field_index("text_redistributable")
        pq.write_table(table.set_column(number, "text_redistributable", pa.array([False] * len(table))), copy / file["path"])
    with pytest.raises(LoadError, match="whose text may not be passed on"):
        export_view(copy, "said", form, tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dataset"]


def test_nothing_stays_of_an_export_that_cannot_be_finished(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = squad._dump

    def full(path: Path, lines: Any) -> None:
        if path.suffix == ".jsonl":
            raise OSError(28, os.strerror(28))
        write(path, lines)

    monkeypatch.setattr(squad, "_dump", full)
    with pytest.raises(BuildError, match="No space left on device; nothing was written"):
        export_view(dataset, "said", "squad", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("view", "form", "split", "says"),
    [
        ("names", "squad", None, "names has no source_spans and no content_spans"),
        ("names", "conll", None, "--as conll: no such form; there are bio, squad"),
        ("mentions", "bio", None, "mentions is no view that shows passages; there are names, said"),
        ("nothing", "bio", None, "nothing is not there; there are names, said"),
        ("names", "bio", "dev", "names has no split 'dev'; it has train, "),
        ("names", "bio", "validation", "names has no split .validation.; it has "),
    ],
)
def test_what_cannot_be_exported_is_told_in_a_line(
    dataset: Path, tmp_path: Path, view: str, form: str, split: str | None, says: str
) -> None:
    with pytest.raises(UsageError, match=says) as told:
        export_view(dataset, view, form, tmp_path / "out", split=split)
    assert "\n" not in str(told.value) and not (tmp_path / "out").exists()


def test_a_folder_with_something_in_it_stays_and_an_empty_one_is_filled(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="is there and not empty"):
        export_view(dataset, "names", "bio", tmp_path / "full")
    assert whole(tmp_path / "full") == {"mine.txt": b"mine"}
    assert export_view(dataset, "names", "bio", tmp_path / "empty").written.files
    for out in (dataset, dataset / "new", dataset.parent):
        with pytest.raises(UsageError, match="where the dataset is"):
            export_view(dataset, "names", "bio", out)


def test_the_command_prints_files_counts_and_json(dataset: Path, tmp_path: Path, dateline: Run) -> None:
    out = tmp_path / "out"
    dry = dateline("export-view", "said", "--as", "squad", "--source", dataset, "--out", out, "--dry-run")
    assert dry.returncode == 0 and "would be written" in dry.stderr and not out.exists()
    done = dateline("export-view", "said", "--as", "squad", "-C", dataset.parent, "--out", out, "--split", "train", "--json")
    result = json.loads(done.stdout)
    assert done.returncode == 0 and sorted(result["written"]) == sorted(whole(out)) and result["splits"] == ["train"]
    assert result["counts"] == {"rows": 2, "questions": 5, "questions without an answer": 1}
    again = dateline("export-view", "said", "--as", "squad", "--source", dataset, "--out", out)
    assert again.returncode == 2 and again.stderr.startswith("error: ") and again.stderr.count("\n") == 1


def test_of_a_private_project_git_ignores_what_is_written(folder: ProjectFolder, tmp_path: Path, dataset: Path) -> None:
    folder.schema("quotes", QUOTES)
    folder.settings("private = true", 'license = "LicenseRef-private"', *VIEWS.splitlines()[1:])
    rights = {"text_redistributable": True, "text_license": "LicenseRef-private"}
    folder.seed(
        record("a1", TEXT, rights=rights, language="en", split="train", mentions=[], quotes=[quote("q1", TEXT, "", "", "Yes")])
    )
    assert folder.rebuild().problems == []
    export_view(folder.root / "dataset", "said", "bio", tmp_path / "mine")
    assert (tmp_path / "mine" / ".gitignore").read_text() == "*\n" and "PRIVATE" in (tmp_path / "mine" / "README.txt").read_text()
    export_view(dataset, "said", "bio", tmp_path / "open")
    assert not (tmp_path / "open" / ".gitignore").exists()
