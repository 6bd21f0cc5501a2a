"""Views: declared by kind over anybody's layers; rows as they were declared; what cannot be declared, in one line each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from building import REPOSITORY, ProjectFolder, mention, record
from dateline.derive.declared import KINDS, declared
from dateline.errors import ProjectError
from dateline.manifest import read_manifest
from dateline.project import Estimates, find_project
from dateline.schema import load_schemas

QUOTES: dict[str, Any] = {
    "title": "Quotations",
    "description": "Who says what.",
    "type": "object",
    "properties": {
        "quote_id": {"type": "string", "description": "Local id.", "x-key": True},
        "words": {"description": "The words said.", "x-span": "many"},
        "speaker": {"description": "Who speaks.", "x-span": "many"},
        "speaker_ids": {"type": "array", "items": {"type": "string"}, "description": "Mentions.", "x-ref": "mentions"},
        "kind": {"type": ["string", "null"], "enum": ["Direct", "Indirect", None], "description": "Kind of quotation."},
    },
    "required": ["quote_id", "words"],
    "additionalProperties": False,
}
PARTS: dict[str, Any] = {
    "title": "Parts",
    "description": "Sentences and such.",
    "type": "object",
    "properties": {
        "part_id": {"type": "string", "description": "Local id.", "x-key": True},
        "at": {"description": "Where.", "x-span": "many"},
        "kind": {"type": "string", "enum": ["sentence", "title"], "description": "Kind of part."},
    },
    "required": ["part_id", "at", "kind"],
    "additionalProperties": False,
}
TEXT = "Rome. Ana met Bo. “Yes”, said Bo, “to all.” End."


def span(words: str, text: str = TEXT, nth: int = 0) -> dict[str, Any]:
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    return {"start": start, "end": start + len(words)}


def part(key: str, words: str, kind: str = "sentence") -> dict[str, Any]:
    return {"part_id": key, "at": [span(words)], "kind": kind}


SENTENCES = [part("p2", "Ana met Bo."), part("p3", "“Yes”, said Bo, “to all.”"), part("p4", "End.")]


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    made = ProjectFolder(tmp_path)
    made.schema("quotes", QUOTES)
    made.schema("parts", PARTS)
    bo = span("Bo", nth=1)
    made.seed(record(
        "a1", TEXT,
        mentions=[mention("m1", **span("Rome"), label="LOC"), mention("m2", **span("Ana")), mention("m3", **span("Bo")),
                  mention("m4", **bo), {"mention_id": "m5", "spans": [span("Ana"), span("Bo")], "label": "PER"}],
        quotes=[{"quote_id": "q1", "words": [span("“Yes”"), span("“to all.”")], "speaker": [bo], "speaker_ids": ["m4", "m2"],
                 "kind": "Direct"}],
        parts=[part("p1", "Rome.", "title"), *SENTENCES],
    ))  # fmt: skip
    return made


VIEWS = """
[tool.dateline.views.names]
kind = "spans"
layer = "mentions"
label = "label"
passage = { layer = "parts", where = { kind = ["sentence"] } }

[tool.dateline.views.said]
kind = "roles"
title = "Who says what"
layer = "quotes"
passage = { layer = "parts" }
columns = { kinds = "speaker_ids.label", kind = "kind" }

[tool.dateline.views.scores]
kind = "labels"
layer = "mentions"
anchor = "spans"
label = "label"
"""


def rows(folder: ProjectFolder, table: str) -> list[dict[str, Any]]:
    files = read_manifest(folder.root / "dataset").tables[table].files
    return [row for f in files for row in pq.read_table(folder.root / "dataset" / f["path"], partitioning=None).to_pylist()]


def words(row: dict[str, Any], spans: list[dict[str, Any]]) -> list[str]:
    return [row["passage"][s["start"] : s["end"]] for s in spans]


def test_a_project_declares_views_over_its_own_layers(folder: ProjectFolder) -> None:
    folder.settings(VIEWS)
    assert not folder.rebuild().problems
    names = rows(folder, "names")
    assert [(r["id"], r["passage"], r["doc_start"]) for r in names] == [
        ("a1#p2", "Ana met Bo.", 6), ("a1#p3", "“Yes”, said Bo, “to all.”", 18), ("a1#p4", "End.", 44),
    ]  # fmt: skip
    assert words(names[0], names[0]["entities"]) == ["Ana", "Ana", "Bo", "Bo"]
    assert [(s["label"], s["item"]) for s in names[0]["entities"]] == [("PER", m) for m in ("m2", "m5", "m3", "m5")]
    assert names[2]["entities"] == [] and words(names[1], names[1]["entities"]) == ["Bo"]
    (said,) = rows(folder, "said")
    assert (said["id"], words(said, said["words"]), words(said, said["speaker"])) == ("a1#q1", ["“Yes”", "“to all.”"], ["Bo"])
    assert (said["kinds"], said["kind"], said["story"]) == (["PER", "PER"], "Direct", "a1")
    scores = rows(folder, "scores")
    assert scores[0]["passage"] == TEXT and [(words(r, r["spans"]), r["label"]) for r in scores][:2] == [
        (["Rome"], "LOC"), (["Ana"], "PER"),
    ]  # fmt: skip


def test_labels_of_views_are_declared_by_the_card_and_counted_by_the_manifest(folder: ProjectFolder) -> None:
    folder.settings(VIEWS)
    folder.rebuild()
    table = read_manifest(folder.root / "dataset").tables["scores"]
    assert table.labels["label"] == {"PER": 4, "LOC": 1} and table.derived == "article_id"
    card = (folder.root / "dataset" / "README.md").read_text(encoding="utf-8")
    assert "| said | " in card and "One of quotes with the passage that holds it" in card


def test_an_item_that_reaches_across_passages_is_shown_with_all_of_them(folder: ProjectFolder) -> None:
    folder.settings(VIEWS)
    wide = {"start": TEXT.index("Bo."), "end": TEXT.index("Bo.") + 12}
    folder.seed(record("a1", TEXT, mentions=[{"mention_id": "m1", "spans": [wide], "label": "PER"}], parts=SENTENCES))
    folder.rebuild()
    names = rows(folder, "names")
    assert [(r["id"], r["passage"]) for r in names] == [("a1#p2", TEXT[6:43]), ("a1#p4", "End.")]
    assert words(names[0], names[0]["entities"]) == [TEXT[wide["start"] : wide["end"]]]


def test_what_was_not_annotated_gives_no_passages_without_names(folder: ProjectFolder) -> None:
    folder.settings(VIEWS)
    region = span("Ana met Bo.")
    parts = [part("p2", "Ana met Bo."), part("p4", "End.")]
    for said, expected in (({"status": "NONE"}, []), ({"status": "PARTIAL", "regions": [region]}, ["a1#p2"]),
                           ({"status": "FULL"}, ["a1#p2", "a1#p4"])):  # fmt: skip
        folder.seed(record("a1", TEXT, parts=parts, coverage=[{"layer": "mentions"} | said]))
        folder.rebuild()
        shown = read_manifest(folder.root / "dataset").tables.get("names")
        assert ([r["id"] for r in rows(folder, "names")] if shown and shown.rows else []) == expected


def test_withheld_articles_are_in_no_view_of_passages(folder: ProjectFolder) -> None:
    folder.settings(VIEWS)
    folder.seed(
        record("w1", "Ana alone.", mentions=[mention("m1", 0, 3)], rights={"text_redistributable": False}), name="w.jsonl"
    )
    folder.rebuild()
    assert {r["article_id"] for r in rows(folder, "scores")} == {"a1"}


def test_the_same_bytes_with_any_number_of_workers(folder: ProjectFolder) -> None:
    folder.settings(VIEWS)
    folder.rebuild()
    before = folder.tree()
    folder.rebuild(jobs=2)
    assert folder.tree() == before


# ---- what cannot be declared ---------------------------------------------------------------------------------

BAD = [
    ({"v": {"kind": "tree"}}, "views.v]: kind must be one of figures, conflicts, spans, roles, labels; it is 'tree'"),
    ({"v": {}}, "it is None"),
    ({"V!": {"kind": "spans"}}, "a view is called by lower-case letters, digits and _; not 'V!'"),
    ({"mentions": {"kind": "spans"}}, "there is a table 'mentions' already; call the view otherwise"),
    ({"records": {"kind": "spans"}}, "there is a table 'records' already"),
    ({"estimates": {"kind": "spans"}}, "there is a table 'estimates' already"),
    ({"v": {"kind": "spans", "layers": "x"}}, "the kind spans has no option layers; it has kind, title, "),
    ({"v": {"kind": "spans", "layer": 1}}, "layer must be a string; it is 1"),
    ({"v": {"kind": "spans", "layer": "names"}}, "there is no layer 'names'; there are "),
    ({"v": {"kind": "spans", "layer": "mentions"}}, "`label` is missing"),
    ({"v": {"kind": "spans", "layer": "mentions", "label": "kind"}}, "mentions has no column 'kind'; it has mention_id, "),
    ({"v": {"kind": "spans", "layer": "mentions", "label": "label.kind"}}, "cannot follow label, which is no reference of"),
    ({"v": {"kind": "spans", "layer": "mentions", "label": "label", "spans": "head"}}, "mentions has no list of spans 'head'"),
    ({"v": {"kind": "spans", "layer": "mentions", "label": "label", "columns": {"a": "label"}}}, "so it has no `columns`"),
    ({"v": {"kind": "roles", "layer": "quotes", "roles": ["cue"]}}, "quotes has no list of spans 'cue'; it has words, speaker"),
    ({"v": {"kind": "roles", "layer": "quotes", "columns": {"id": "kind"}}}, "two columns are called 'id'"),
    ({"v": {"kind": "roles", "layer": "quotes", "columns": {"a": "words"}}}, "leads to spans; name them as a role or an anchor"),
    ({"v": {"kind": "roles", "layer": "quotes", "article": ["day"]}}, "articles have no column 'day'; they have "),
    ({"v": {"kind": "roles", "layer": "quotes", "passage": {"layer": "parts", "where": {"kind": ["body"]}}}},
     "passage: kind is never 'body'; it is one of sentence, title"),
    ({"v": {"kind": "roles", "layer": "quotes", "passage": {"layer": "parts", "where": {"sort": ["body"]}}}},
     "passage: parts has no column 'sort'"),
    ({"v": {"kind": "roles", "layer": "quotes", "passage": {"where": {}}}}, "passage.layer must be a string; it is not there"),
    ({"v": {"kind": "labels", "layer": "quotes", "anchor": "words"}}, "`label` is missing"),
    ({"v": {"kind": "labels", "layer": "quotes", "anchor": "kind", "label": "kind"}}, "does not lead to one list of spans"),
    ({"v": {"kind": "labels", "layer": "quotes", "anchor": "words", "label": "speaker_ids.label"}}, "leads to several items"),
    ({"v": {"kind": "figures"}}, "the kind figures follows from estimates; declare [tool.dateline.estimates], too"),
]  # fmt: skip


@pytest.mark.parametrize(("views", "says"), BAD)
def test_what_cannot_be_declared_is_told_in_one_line(folder: ProjectFolder, views: dict[str, Any], says: str) -> None:
    with pytest.raises(ProjectError) as told:
        declared(views, None, load_schemas(folder.project.schemas))
    assert says in str(told.value) and "\n" not in str(told.value)


def test_estimates_want_the_layers_that_they_follow_from(folder: ProjectFolder) -> None:
    with pytest.raises(ProjectError, match="follow from the layers claims, quantities, entities, attributions; there is"):
        declared({}, Estimates(), load_schemas(folder.project.schemas))


@pytest.mark.parametrize(("lines", "says"), [
    ("interval_tolerance = 1.5", "interval_tolerance must be a share from 0 to below 1; it is 1.5"),
    ("tolerance = 1", "has no setting tolerance; it has interval_tolerance, pair_nonfactual, rates"),
    ('interval_tolerance = "much"', "interval_tolerance must be a number; it is 'much'"),
    ('rates = [{ unit = "EUR", to = "USD", factor = "zero" }]', "the rate from EUR to USD must be a number above zero"),
    ('rates = [{ unit = "EUR", to = "USD", factor = "-1" }]', "the rate from EUR to USD must be a number above zero"),
    ('rates = [{ unit = "EUR", factor = "1" }]', "rates[0].to must be a string; it is not there"),
])  # fmt: skip
def test_settings_of_estimates_that_mean_nothing(folder: ProjectFolder, lines: str, says: str) -> None:
    folder.settings("[tool.dateline.estimates]", lines)
    with pytest.raises(ProjectError) as told:
        find_project(folder.root)
    assert says in str(told.value)


# ---- the flagship --------------------------------------------------------------------------------------------


def test_every_kind_is_declared_by_the_flagship_and_described() -> None:
    project = find_project(REPOSITORY)
    assert {view["kind"] for view in project.settings.views.values()} == set(KINDS)
    made = declared(project.settings.views, project.settings.estimates, load_schemas(project.schemas))
    for table in (*made.views, *made.estimates):
        assert table.description and all(c.description for c in table.columns), table.name


def test_passages_and_spans_of_the_flagship_are_the_words_of_the_articles() -> None:
    dataset = REPOSITORY / "dataset"
    manifest = read_manifest(dataset)

    def table(name: str) -> list[dict[str, Any]]:
        files = manifest.tables[name].files
        return [row for f in files for row in pq.read_table(dataset / f["path"], partitioning=None).to_pylist()]

    texts = {a["article_id"]: a["text"] for a in table("articles")}
    surfaces = {
        f"{row['article_id']}#{row[key]}": {c: [s["surface"] for s in row[c]] for c in columns}
        for name, key, columns in (("attributions", "attribution_id", ("source_spans", "cue_spans", "content_spans")),)
        for row in table(name)
    }
    for row in table("quote_attribution"):
        start = row["doc_start"]
        assert texts[row["article_id"]][start : start + len(row["passage"])] == row["passage"]
        for role, expected in surfaces[row["id"]].items():
            assert words(row, row[role]) == expected
    numbers = {(q["article_id"], q["quantity_id"]): q for q in table("quantities")}
    for row in table("figures"):
        quantity = numbers[row["article_id"], row["id"].rpartition(":")[2]]
        assert words(row, row["quantity_spans"]) == [s["surface"] for s in quantity["spans"]]
        assert row["value"] == (None if quantity["value"] is None else float(quantity["value"]))
    mentions = {f"{m['article_id']}#{m['mention_id']}": m for m in table("mentions")}
    shown = [
        (f"{row['article_id']}#{e['item']}", w)
        for row in table("ner")
        for e, w in zip(row["entities"], words(row, row["entities"]), strict=True)
    ]
    assert sorted(shown) == sorted(
        (name, s["surface"]) for name, m in mentions.items() if texts[m["article_id"]] for s in m["spans"]
    )  # fmt: skip
