"""Two datasets in folders: schemas, whole articles, corpus-level rows, projections; and that equal files are never opened."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from building import MENTIONS, Json, ProjectFolder, mention, record
from dateline.describe.differences import difference_parts
from dateline.diff.changes import Diff
from dateline.diff.compare import diff
from dateline.errors import LoadError
from dateline.manifest import read_manifest
from two_annotators import annotated, annotation_set, by_annotator, named

PLACES: Json = {
    "title": "Places",
    "description": "Places that mentions are of.",
    "x-table": "corpus",
    "type": "object",
    "properties": {
        "place": {"type": "string", "description": "Name of the place.", "x-key": True},
        "country": {"type": ["string", "null"], "description": "Its country."},
    },
    "required": ["place"],
    "additionalProperties": False,
}


@pytest.fixture
def base(folder: ProjectFolder) -> ProjectFolder:
    """Four articles in given splits, with a mention or two each, and their dataset in `old`."""
    folder.settings("[tool.dateline.splits]", 'mode = "given"')
    write(folder)
    return folder


def records() -> list[Json]:
    return [
        record("a1", split="train", mentions=[mention("m1", 0, 3), mention("m2", 8, 10)]),
        record("a2", "Rome saw Ana and Cleo.", split="train", mentions=[mention("m1", 0, 4, "LOC")]),
        record("t1", "Bo left Oslo on Monday.", split="test", mentions=[mention("m1", 0, 2)]),
        record("v1", "Nothing was said in Bern.", split="validation", mentions=[]),
    ]


def write(folder: ProjectFolder, edit: Callable[[list[Json]], object] = lambda _: None) -> Path:
    """The dataset of the records after an edit, in a folder of its own."""
    made = records()
    edit(made)
    folder.clear()
    folder.seed(*made)
    return keep(folder)


def keep(folder: ProjectFolder) -> Path:
    built = folder.rebuild()
    assert built.problems == []
    kept = folder.root / f"kept-{len(list(folder.root.glob('kept-*')))}"
    shutil.copytree(folder.root / "dataset", kept)
    return kept


def without(dataset: Path, article: str) -> Path:
    """A dataset as it would be without an article: no build leaves out one that another supersedes, but other tools may."""
    manifest = read_manifest(dataset)
    for table in manifest.tables.values():
        for file in table.files:
            rows = pq.read_table(dataset / file["path"])
            if "article_id" in rows.column_names:
                pq.write_table(rows.filter(pc.field("article_id") != article), dataset / file["path"])
                file["sha256"] = hashlib.sha256((dataset / file["path"]).read_bytes()).hexdigest()
    (dataset / "manifest.json").write_bytes(manifest.encode())
    return dataset


def told(found: Diff) -> list[tuple[str, str, str, str]]:
    return [(c.kind, c.id or ",".join(c.columns) or c.table, c.bump, c.why) for c in found.changes]


def edited_schema(**fields: Json) -> Json:
    schema = copy.deepcopy(MENTIONS)
    schema["properties"] |= fields
    return schema


# ---- articles ------------------------------------------------------------------------------------------------


def test_equal_datasets_have_no_change_and_need_no_more_than_a_patch(base: ProjectFolder) -> None:
    first = base.root / "kept-0"
    found = diff(first, first)
    assert (found.changes, found.bump) == ([], "patch")
    assert found.articles == {"unchanged": 4, "changed": 0, "added": 0, "removed": 0}
    assert not any(table["changed"] for table in found.projected.values())


ARTICLES: dict[str, tuple[Callable[[list[Json]], object], tuple[str, str, str, str]]] = {
    "added": (lambda r: r.append(record("a9", "New it is.", split="test")), ("article-added", "a9", "minor", "article-added")),
    "removed": (lambda r: r.pop(0), ("article-removed", "a1", "major", "article-removed")),
    "moved": (lambda r: r[3].update(split="train"), ("split-moved", "v1", "major", "split-moved")),
    "text": (
        lambda r: r[3]["text"].update(content="Nothing was said at Bern."), ("text-edited", "v1", "minor", "correction"),
    ),
    "metadata": (lambda r: r[1].update(group="rome"), ("metadata-changed", "a2", "minor", "correction")),
    "metadata of a test article": (lambda r: r[2].update(group="oslo"), ("metadata-changed", "t1", "major", "test-article")),
    "row": (lambda r: r[0]["mentions"][0].update(label="LOC"), ("relabelled", "a1#m1", "minor", "correction")),
    "row added": (
        lambda r: r[1]["mentions"].append(mention("m2", 9, 12)), ("annotation-added", "a2#m2", "minor", "annotation-added"),
    ),
    "row added to a test article": (
        lambda r: r[2]["mentions"].append(mention("m2", 8, 12, "LOC")), ("annotation-added", "t1#m2", "major", "test-article"),
    ),
    "row of a test article": (
        lambda r: r[2]["mentions"][0].update(label="LOC"), ("relabelled", "t1#m1", "major", "test-article"),
    ),
    "row removed": (lambda r: r[0]["mentions"].pop(), ("annotation-removed", "a1#m2", "major", "annotation-removed")),
}  # fmt: skip


@pytest.mark.parametrize("name", ARTICLES)
def test_one_edit_of_records_is_one_change_with_its_bump(base: ProjectFolder, name: str) -> None:
    edit, expected = ARTICLES[name]
    found = diff(base.root / "kept-0", write(base, edit))
    groups = [c for c in told(found) if c[0] == "metadata-changed" and name != c[0] and not name.startswith("metadata")]
    assert [c for c in told(found) if c not in groups] == [expected]


def test_a_retracted_article_is_told_as_such(base: ProjectFolder) -> None:
    new = write(base, lambda r: r.pop(0))
    found = diff(base.root / "kept-0", new, retracted=["a1"])
    assert told(found)[0] == ("article-retracted", "a1", "major", "article-retracted")


def test_an_article_that_supersedes_one_is_a_text_edit(base: ProjectFolder) -> None:
    newer = record("a1b", "Ana met Bo in Paris.", split="train", supersedes="a1")
    beside = diff(base.root / "kept-0", write(base, lambda r: r.append(newer)))
    instead = diff(base.root / "kept-0", without(base.root / "kept-1", "a1"))
    assert told(beside) == [("text-edited", "a1b", "minor", "text-revision-added")]
    assert told(instead) == [("text-edited", "a1b", "major", "text-replaced")]
    assert instead.changes[0].old == {"article_id": "a1"}


def test_a_strict_policy_makes_corrections_and_additions_major(base: ProjectFolder) -> None:
    old = base.root / "kept-0"
    for name, bump in {"row": "major", "row added": "major", "metadata": "major", "added": "minor"}.items():
        assert diff(old, write(base, ARTICLES[name][0]), policy="strict").bump == bump, name


def test_without_a_test_split_the_last_of_the_quotas_is_the_one_that_stays(folder: ProjectFolder) -> None:
    folder.settings("[tool.dateline.splits]", "quotas = {dev = 0.5, held_out = 0.5}")
    two = [record("a1", mentions=[mention("m1", 0, 3)]), record("a2", "Quite another text.", mentions=[mention("m1", 0, 5)])]
    folder.seed(*two)
    old = keep(folder)
    bumps = {}
    for one in two:
        changed = [{**r, "mentions": [{**r["mentions"][0], "label": "LOC"}]} if r is one else r for r in two]
        folder.seed(*changed)
        (change,) = diff(old, keep(folder)).changes
        bumps[change.split] = change.bump
    assert bumps == {"dev": "minor", "held_out": "major"}


# ---- schemas -------------------------------------------------------------------------------------------------


def with_schema(base: ProjectFolder, schema: Json, edit: Callable[[list[Json]], object] = lambda _: None) -> Diff:
    base.schema("mentions", schema)
    return diff(base.root / "kept-0", write(base, edit))


def each_mention(change: Callable[[Json], object]) -> Callable[[list[Json]], object]:
    return lambda made: [change(m) for r in made for m in r["mentions"]]


def test_a_nullable_column_is_minor_and_rows_that_fill_it_are_told(base: ProjectFolder) -> None:
    column = {"tone": {"type": ["string", "null"], "description": "Tone."}}
    empty = with_schema(base, edited_schema(**column))
    assert told(empty) == [("column-added", "tone", "minor", "column-added")]
    filled = diff(base.root / "kept-0", write(base, lambda r: r[0]["mentions"][0].update(tone="dry")))
    assert told(filled)[1:] == [("value-changed", "a1#m1", "minor", "correction")]
    tested = diff(base.root / "kept-0", write(base, lambda r: r[2]["mentions"][0].update(tone="dry")))
    assert told(tested)[1:] == [("value-changed", "t1#m1", "major", "test-article")]


def test_a_column_that_no_row_leaves_empty_fills_released_rows(base: ProjectFolder) -> None:
    schema = edited_schema(tone={"type": "string", "description": "Tone."})
    found = with_schema(base, schema | {"required": [*schema["required"], "tone"]}, each_mention(lambda m: m.update(tone="dry")))
    assert told(found) == [("column-added", "tone", "major", "column-required")]


def test_a_column_removed_or_retyped_is_one_change(base: ProjectFolder) -> None:
    schema = edited_schema(remark={"type": ["integer", "null"], "description": "Remark."})
    del schema["properties"]["score"]
    assert told(with_schema(base, schema)) == [
        ("column-removed", "score", "major", "column-removed"),
        ("column-retyped", "remark", "major", "column-retyped"),
    ]


def test_a_column_under_another_name_is_found_by_its_values(base: ProjectFolder) -> None:
    old = diff(base.root / "kept-0", write(base, each_mention(lambda m: m.update(remark="as " + m["mention_id"]))))
    assert {c.kind for c in old.changes} == {"value-changed"}
    schema = edited_schema(comment=MENTIONS["properties"]["remark"])
    del schema["properties"]["remark"]
    base.schema("mentions", schema)
    new = write(base, each_mention(lambda m: m.update(comment="as " + m["mention_id"])))
    found = diff(base.root / "kept-1", new)
    assert told(found) == [("column-renamed", "comment", "major", "column-renamed")]
    assert (found.changes[0].old, found.changes[0].new) == ({"column": "remark"}, {"column": "comment"})
    other = write(base, each_mention(lambda m: m.update(comment="to " + m["mention_id"])))
    assert [c[0] for c in told(diff(base.root / "kept-1", other))][:2] == ["column-added", "column-removed"]


def test_a_key_under_another_name(base: ProjectFolder) -> None:
    schema = edited_schema(name_id=MENTIONS["properties"]["mention_id"])
    del schema["properties"]["mention_id"]
    schema["required"] = ["name_id", "spans", "label"]
    found = with_schema(base, schema, each_mention(lambda m: m.update(name_id=m.pop("mention_id"))))
    assert told(found) == [
        ("column-renamed", "name_id", "major", "column-renamed"), ("key-changed", "name_id", "major", "key-changed"),
    ]  # fmt: skip


LABELS = MENTIONS["properties"]["label"]


def test_a_column_of_labels_under_another_name_may_have_gained_a_label(base: ProjectFolder) -> None:
    schema = edited_schema(type=LABELS | {"enum": [*LABELS["enum"], "FURTHER"]})
    del schema["properties"]["label"]
    schema["required"] = ["mention_id", "spans", "type"]
    found = with_schema(base, schema, each_mention(lambda m: m.update(type=m.pop("label"))))
    assert told(found) == [
        ("column-renamed", "type", "major", "column-renamed"), ("label-added", "type", "minor", "label-added"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["PER", "LOC", "ORG"], [("label-added", "label", "minor", "label-added")]),
        (
            ["PER", "ORG"],
            [("label-added", "label", "minor", "label-added"), ("label-removed", "label", "major", "label-removed")],
        ),
        (["LOC", "PER"], [("column-retyped", "label", "major", "column-retyped")]),
    ],
)
def test_label_sets(base: ProjectFolder, labels: list[str], expected: list[tuple[str, str, str, str]]) -> None:
    found = with_schema(base, edited_schema(label={**LABELS, "enum": labels}), each_mention(lambda m: m.update(label="PER")))
    assert [c for c in told(found) if c[0] != "relabelled"] == expected


def test_tables_added_and_removed(base: ProjectFolder) -> None:
    base.schema("places", PLACES)
    base.seed({"place": "Rome"}, name="tables/places.jsonl")
    write_places(base, {"place": "Rome"})
    found = diff(base.root / "kept-0", keep(base))
    assert told(found) == [("table-added", "places", "minor", "table-added")]
    back = diff(base.root / "kept-1", base.root / "kept-0")
    assert told(back) == [("table-removed", "places", "major", "table-removed")]


def write_places(base: ProjectFolder, *rows: Json) -> None:
    base.clear()
    base.seed(*records())
    base.seed(*rows, name="tables/places.jsonl")


def test_rows_of_a_corpus_level_table_belong_to_every_split(base: ProjectFolder) -> None:
    base.schema("places", PLACES)
    made = []
    rome, oslo = {"place": "Rome", "country": "IT"}, {"place": "Oslo", "country": "NO"}
    for rows in ([rome], [rome, oslo], [{**rome, "country": "VA"}], [{**rome, "place": "Roma"}]):
        write_places(base, *rows)
        made.append(keep(base))
    assert told(diff(made[0], made[1])) == [("annotation-added", "Oslo", "minor", "corpus-row-added")]
    assert told(diff(made[1], made[0])) == [("annotation-removed", "Oslo", "major", "annotation-removed")]
    assert told(diff(made[0], made[2])) == [("value-changed", "Rome", "major", "corpus-row-corrected")]
    assert told(diff(made[0], made[3])) == [("id-changed", "Roma", "major", "id-changed")]
    (change,) = diff(made[0], made[1]).changes
    assert (change.article_id, change.split) == (None, "corpus")


# ---- reading -------------------------------------------------------------------------------------------------


def test_files_with_equal_digests_are_never_opened(base: ProjectFolder) -> None:
    new = write(base, ARTICLES["row"][0])
    old = base.root / "kept-0"
    digests = [{f["sha256"]: f["path"] for t in read_manifest(d).tables.values() for f in t.files} for d in (old, new)]
    equal = digests[0].keys() & digests[1].keys()
    assert equal
    for paths, folder in zip(digests, (old, new), strict=True):
        for digest in equal:
            (folder / paths[digest]).write_bytes(b"not to be read")
    assert told(diff(old, new)) == [ARTICLES["row"][1]]


def test_where_an_id_was_given_to_another_row_equal_rows_of_other_tables_are_read_after_all(base: ProjectFolder) -> None:
    """The rows of `links` are equal, to the byte; what they refer to is not."""
    base.schema("links", LINKS)

    def linked(made: list[Json]) -> None:
        made[0]["links"] = [{"link_id": "l1", "mention_id": "m1"}]

    old = write(base, linked)

    def exchanged(made: list[Json]) -> None:
        linked(made)
        one, two = made[0]["mentions"]
        one["mention_id"], two["mention_id"] = "m2", "m1"

    assert [c[:2] for c in told(diff(old, write(base, exchanged)))] == [
        ("relinked", "a1#l1"), ("id-changed", "a1#m1"), ("id-changed", "a1#m2"),
    ]  # fmt: skip


LINKS: Json = {
    "title": "Links",
    "description": "Something about a mention.",
    "x-prefix": "l",
    "type": "object",
    "properties": {
        "link_id": {"type": "string", "description": "Local id.", "x-key": True},
        "mention_id": {"type": "string", "description": "The mention.", "x-ref": "mentions"},
    },
    "required": ["link_id", "mention_id"],
    "additionalProperties": False,
}


def test_rows_that_were_renumbered_in_a_corpus_level_table_relink_nothing(base: ProjectFolder) -> None:
    base.schema("places", PLACES)
    base.schema("mentions", edited_schema(place={"type": ["string", "null"], "description": "Where.", "x-ref": "places"}))
    made = []
    for name in ("Rome", "Roma"):
        write_places(base, {"place": name, "country": "IT"})
        base.seed(*[{**r, "mentions": [{**m, "place": name} for m in r["mentions"]]} for r in records()])
        made.append(keep(base))
    assert told(diff(*made)) == [("id-changed", "Roma", "major", "id-changed")]


def test_no_words_of_a_withheld_text_are_in_a_change(base: ProjectFolder) -> None:
    def withheld(made: list[Json]) -> None:
        made[0]["rights"]["text_redistributable"] = False

    def moved(made: list[Json]) -> None:
        withheld(made)
        made[0]["mentions"][0]["spans"] = [{"start": 0, "end": 7}]

    (change,) = diff(write(base, withheld), write(base, moved)).changes
    assert [span.get("surface") for span in change.new["spans"]] == [None]


def test_annotation_sets_that_stand_apart_are_compared_item_by_item(base: ProjectFolder) -> None:
    """They are nested in `primary`, and in no other table."""
    annotated(base)
    made = []
    for label in ("PER", "LOC"):
        said = by_annotator("a1", {"ana": [("Ana", {"label": label})], "bo": [("Bo", {})]})
        said["annotation_sets"].append(annotation_set("set-final", "cy", status="ADJUDICATED"))
        said["mentions"].append(named("m-final", "Rome", "set-final", "LOC"))
        base.clear()
        base.seed({**said, "split": "train"})
        made.append(keep(base))
    (change,) = diff(*made).changes
    assert (change.table, change.id, change.kind, change.bump) == ("primary.mentions", "a1#m-ana-1", "relabelled", "minor")
    assert (change.old, change.new) == ({"label": "PER"}, {"label": "LOC"})


def test_a_manifest_that_names_no_keys_is_refused(base: ProjectFolder) -> None:
    old = base.root / "kept-0"
    said = json.loads((old / "manifest.json").read_bytes())
    del said["links"]
    (old / "manifest.json").write_text(json.dumps(said))
    with pytest.raises(LoadError, match="does not say which column names the rows of 'annotation_sets'"):
        diff(old, old)


def test_a_file_that_is_no_parquet_is_named(base: ProjectFolder) -> None:
    new = write(base, ARTICLES["row"][0])
    (path,) = (new / f["path"] for f in read_manifest(new).tables["mentions"].files if f["split"] == "train")
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(LoadError, match=f"{path.name}: cannot be read as Parquet"):
        diff(base.root / "kept-0", new)


_LIST = {"type": ["array", "null"], "description": "L."}
_SPANS = {"description": "S.", "x-span": "many"}
_PARTS = {"type": ["array", "null"], "items": {"type": "string"}, "description": "P."}
_INSIDE = {"type": "object", "properties": {"parts": _PARTS}, "additionalProperties": False}
HARD_TO_SEE: dict[str, tuple[Json, Json, Json]] = {
    "a span that moved to the next column": (
        {"cue": _SPANS},
        {"spans": [{"start": 0, "end": 2}, {"start": 3, "end": 7}], "cue": [{"start": 8, "end": 12}]},
        {"spans": [{"start": 0, "end": 2}], "cue": [{"start": 3, "end": 7}, {"start": 8, "end": 12}]},
    ),
    "a word that moved to the next column": (
        {name: _LIST | {"items": {"type": "string"}} for name in ("one", "two")},
        {"one": ["x", "y"], "two": ["z"]},
        {"one": ["x"], "two": ["y", "z"]},
    ),
    "a zero": ({"many": _LIST | {"items": {"type": "integer"}}}, {"many": [0, 5]}, {"many": [5]}),
    "null that became nothing": (
        {"some": {"type": "array", "items": _INSIDE, "description": "S."}},
        {"some": [{"parts": None}]},
        {"some": [{"parts": []}]},
    ),
    "a word that is spelt as null": (
        {"one": _LIST | {"items": {"type": ["string", "null"]}}},
        {"one": [None]},
        {"one": ["NULL"]},
    ),
}


@pytest.mark.parametrize("what", HARD_TO_SEE)
def test_what_moves_between_lists_is_seen(base: ProjectFolder, what: str) -> None:
    columns, before, after = HARD_TO_SEE[what]
    base.schema("mentions", {**MENTIONS, "properties": {**MENTIONS["properties"], **columns}})
    old, new = (write(base, lambda made, said=said: made[2]["mentions"][0].update(said)) for said in (before, after))  # type: ignore[misc]
    found = diff(old, new)
    assert [(change.article_id, change.row, change.bump) for change in found.changes] == [("t1", "m1", "major")]


def test_rows_whose_ids_differ_by_zeros_alone_are_two(base: ProjectFolder) -> None:
    ids = ["m1", "m01", "m001"]
    old, new = (
        write(base, lambda made, label=label: made[0].update(mentions=[mention(one, 0, 3, label) for one in ids]))  # type: ignore[misc]
        for label in ("PER", "LOC")
    )
    assert sorted(str(change.row) for change in diff(old, new).changes) == sorted(ids)


def test_the_same_bytes_in_another_layer_are_other_rows(base: ProjectFolder) -> None:
    plain = {name: said for name, said in MENTIONS["properties"].items() if name not in ("parent_id", "head")}
    for name in ("aa", "bb"):
        base.schema(name, {**MENTIONS, "properties": plain})
    items = [mention("m1", 0, 2), mention("m2", 3, 7)]
    swapped = [(items[:1], items[1:]), (items[1:], items[:1])]
    old, new = (write(base, lambda made, aa=aa, bb=bb: made[2].update(mentions=[], aa=aa, bb=bb)) for aa, bb in swapped)  # type: ignore[misc]
    files = [{f["sha256"] for f in read_manifest(side).tables["aa"].files} for side in (old, new)]
    assert files[0] == {f["sha256"] for f in read_manifest(new).tables["bb"].files}, "they are the same bytes"
    assert sorted((c.table, c.row, c.kind, c.bump) for c in diff(old, new).changes) == [
        ("aa", "m1", "annotation-removed", "major"), ("aa", "m2", "annotation-added", "major"),
        ("bb", "m1", "annotation-added", "major"), ("bb", "m2", "annotation-removed", "major"),
    ]  # fmt: skip


def test_of_rights_that_were_withdrawn_no_words_are_told(base: ProjectFolder) -> None:
    headline = {"type": ["string", "null"], "description": "H.", "x-withheld": True}
    base.schema("article", {"type": "object", "title": "A", "description": "A.", "properties": {"headline": headline}})

    def edit(made: list[Json], open_: bool) -> None:
        items = [mention("m1", 0, 3, remark="secret one"), mention("m2", 8, 10, remark="secret two")]
        made[0].update(headline="secret three", rights={"text_redistributable": open_}, mentions=items if open_ else items[:1])

    old, new = (write(base, lambda made, open_=open_: edit(made, open_)) for open_ in (True, False))  # type: ignore[misc]
    found = diff(old, new).changes
    assert {(c.kind, c.row) for c in found} == {("metadata-changed", None), ("value-changed", "m1"), ("annotation-removed", "m2")}
    assert "secret" not in json.dumps([change.as_json() for change in found])
    assert "secret" not in "".join(part.text for change in found for part in difference_parts(change.as_json()))
    assert [c.columns for c in found if c.row == "m1"] == [("remark",)]
    back = diff(new, old).changes  # what may be passed on now may be told
    assert "secret three" in json.dumps([change.as_json() for change in back])
