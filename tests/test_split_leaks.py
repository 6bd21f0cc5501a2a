"""What crosses splits: long paragraphs by a relation, near-duplicates by a check of our own, in a project and in any release."""

from __future__ import annotations

import dataclasses
import datetime
import json
import uuid
from pathlib import Path

import pytest

from building import MENTIONS, Json, ProjectFolder, record
from dateline.compile.signature import sign, signing_of, spell
from dateline.describe.validation import validation_html, validation_junit, validation_markdown
from dateline.engines import LocalEngine
from dateline.errors import LoadError
from dateline.ledger import Entry, Ledger
from dateline.manifest import Manifest, read_manifest
from dateline.project import Splits
from dateline.schema import schemas_from
from dateline.split_leaks import Compared, near_duplicates, stored_signatures
from dateline.validate.structure import derive
from dateline.validate.views import dataset_views
from dateline.validating import Request, Validation, validate_project, validate_release
from relations_at_hand import connect, select, views_of

LONG = "The council of Orrin voted on Tuesday to close the old dock, which had stood since 1911. "
SCHEMAS = schemas_from({"mentions": json.dumps(MENTIONS).encode()})
[ROWS] = [made for made in derive(SCHEMAS) if made.view == "articles_rows"]


# ---- paragraphs ----------------------------------------------------------------------------------------------


def in_one_split(*articles: tuple[str, str | None]) -> list[bool | None]:
    """Of (split, text) what the relation says of each."""
    rows: list[Json] = [{"article_id": f"a{n}", "split": split, "text": text} for n, (split, text) in enumerate(articles)]
    found = {row["article_id"]: row for row in select(connect(views_of({"articles": rows}, SCHEMAS)), ROWS.sql or "")}
    return [found[f"a{n}"]["paragraphs_in_one_split"] for n in range(len(articles))]


P80 = "x" * 79 + "🦊"


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (f"Lead.\n{P80}\nEnd.", f"Another lead.\n\n{P80}", False),
        (f"Lead.\r\n\t{P80}\u00a0\r\nEnd.", f"{P80}\u3000\rAnother end.", False),  # however lines end, whatever is at the edges
        (P80, P80, False),
        (P80[1:], P80[1:], True),  # 79 code points, in 82 bytes
        (f"Lead. {P80}", P80, True),  # a part of a paragraph is none
        (f"{P80}\n{P80}", "Other.", True),  # twice in one article
        ("", P80, True),
    ],
)
def test_a_long_paragraph_in_two_splits_is_found_in_both(one: str, other: str, apart: bool) -> None:
    third = ("train", "A third that has nothing in common with the two.")
    assert in_one_split(("train", one), ("test", other), third) == [apart, apart, True]
    assert in_one_split(("train", one), ("train", other), third) == [True, True, True]


def test_of_a_withheld_text_paragraphs_cannot_be_told() -> None:
    assert in_one_split(("train", P80), ("test", None)) == [True, None]


def test_how_long_a_paragraph_must_be_is_a_setting_that_the_release_carries(folder: ProjectFolder) -> None:
    folder.settings("[tool.dateline.splits]", 'mode = "given"', "shared_paragraph = 20")
    folder.seed(record("a1", "Seen by Ana in Rome.", split="x"), record("a2", "Seen by Ana in Rome.\nMore.", split="y"))
    folder.rebuild()
    manifest = read_manifest(folder.root / "dataset")
    assert manifest.splits["shared_paragraph"] == 20
    for length, found in ((20, 2), (21, 0)):
        told = dataclasses.replace(manifest, splits=manifest.splits | {"shared_paragraph": length})
        assert len(paragraphs(told, folder.root / "dataset")) == found
    before = dataclasses.replace(manifest, splits={"mode": "given", "quotas": {}})  # of a release that was made before
    assert paragraphs(before, folder.root / "dataset") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("shared_paragraph", "80) UNION ALL (SELECT 1"), ("threshold", 0.1), ("num_perm", True), ("near_duplicates", "no")],
)
def test_a_manifest_that_says_what_cannot_be_is_refused(folder: ProjectFolder, name: str, value: object) -> None:
    folder.seed(record("a1"))
    folder.rebuild()
    path = folder.root / "dataset" / "manifest.json"
    said = json.loads(path.read_bytes())
    said["splits"][name] = value
    path.write_text(json.dumps(said))
    with pytest.raises(LoadError, match=rf"is no manifest that this dateline reads: splits\.{name} is "):
        read_manifest(folder.root / "dataset")


def paragraphs(manifest: Manifest, folder: Path) -> list[Json]:
    return select(connect(dataset_views(manifest, folder)), "FROM long_paragraphs")


# ---- near-duplicates -----------------------------------------------------------------------------------------


def story(name: str, words: int = 200) -> str:
    return " ".join(f"{name}{n}" for n in range(words))


def compared(folder: ProjectFolder, **options: object) -> Compared:
    dataset = folder.root / "dataset"
    return near_duplicates(dataset, read_manifest(dataset), LocalEngine(1), **options)  # type: ignore[arg-type]


def released(folder: ProjectFolder, **split: str) -> None:
    """A ledger that holds these articles to their splits, as an earlier release that leaked would."""
    entries = {i: Entry(i, s, i, 1, "0.1.0") for i, s in split.items()}
    folder.project.ledger.write_bytes(Ledger(articles=entries).encode())


@pytest.fixture
def leaking(folder: ProjectFolder) -> ProjectFolder:
    """a1 and a2 are nearly equal and stand in two splits; so do a1 and a4, which are less alike; a3 and a5 are like nothing."""
    released(folder, a1="train", a2="test", a3="train", a4="validation")
    half = " ".join(f"more{n}" for n in range(60))
    folder.seed(
        record("a1", story("word")), record("a2", story("word") + " and four words more"), record("a3", story("other")),
        record("a4", f"{story('word')} {half}"), record("a5", story("apart")),
    )  # fmt: skip
    return folder


def suite(folder: ProjectFolder) -> None:
    """A suite of one expectation, which every dataset keeps."""
    (folder.root / "expectations").mkdir()
    written = {
        "name": "articles", "meta": {"key": ["article_id"]},
        "expectations": [{
            "type": "expect_column_values_to_not_be_null", "kwargs": {"column": "article_id"}, "id": str(uuid.UUID(int=1)),
            "meta": {"rule": "row-present", "level": "error", "reason": "It is the key."},
        }],
    }  # fmt: skip
    (folder.root / "expectations" / "articles.json").write_text(json.dumps(written))


def test_near_duplicates_across_splits_are_found_with_their_likeness_and_those_in_one_split_are_not(
    leaking: ProjectFolder,
) -> None:
    leaking.rebuild()
    found = compared(leaking)
    assert [(pair.articles, pair.splits) for pair in found.pairs] == [(("a1", "a2"), ("train", "test"))]
    assert 0.9 < found.pairs[0].similarity < 1
    assert {pair.articles for pair in found.near_misses} <= {("a1", "a4"), ("a2", "a4")} and found.near_misses
    assert all(0.7 <= pair.similarity < 0.8 for pair in found.near_misses)
    assert (found.compared, found.withheld, found.wordless) == (5, 0, 0)

    leaking.clear()
    leaking.seed(record("a1", story("word")), record("a2", story("word") + " and four words more"), record("a3", story("other")))
    leaking.rebuild()
    good = compared(leaking)  # the engine puts them together
    assert (good.compared, good.pairs, good.near_misses) == (3, [], [])


def test_what_is_found_does_not_depend_on_the_cutting_into_files_and_grows_with_the_articles(folder: ProjectFolder) -> None:
    folder.settings("[tool.dateline.splits]", 'mode = "given"')
    records = [record(f"a{n:02}", story("word"), split="xyz"[n % 3]) for n in range(60)]
    folder.seed(*records)
    folder.rebuild()
    found = compared(folder)
    assert found.partners.keys() == {f"a{n:02}" for n in range(60)} and len(found.pairs) <= 60 * 2
    assert all({s for _, s, _ in others} == {"x", "y", "z"} - {"xyz"[int(i[1:]) % 3]} for i, others in found.partners.items())
    folder.clear()
    folder.seed(*records[30:], name="b.jsonl")
    folder.seed(*reversed(records[:30]), name="c.jsonl")
    folder.rebuild()
    assert compared(folder) == found


def test_a_withheld_text_is_compared_by_its_signature_where_the_records_are_and_else_counted(folder: ProjectFolder) -> None:
    folder.settings("[tool.dateline.splits]", 'mode = "given"')
    text = story("word")
    signature = sign(text, signing_of(Splits()))
    assert signature is not None
    said = {"content": None, "sha256": "0" * 64, "n_code_points": len(text), "n_bytes": len(text)}
    signed = {**said, "minhash": spell(signature, signing_of(Splits()))}
    folder.seed(
        record("a1", text, split="x"), {**record("a2", split="y"), "text": signed, "rights": {}},
        {**record("a3", split="y"), "text": {**said, "sha256": "1" * 64}, "rights": {}}, record("a4", "?!", split="x"),
    )  # fmt: skip
    assert folder.rebuild().manifest

    def lookup(wanted: set[str], signing: object) -> dict[str, bytes]:
        assert wanted == {"0" * 64, "1" * 64}
        return stored_signatures(folder.project, wanted, signing_of(Splits()))

    found = compared(folder, lookup=lookup)
    assert [pair.articles for pair in found.pairs] == [("a1", "a2")]
    assert (found.compared, found.withheld, found.wordless) == (2, 1, 1)
    alone = compared(folder)
    assert (alone.pairs, alone.compared, alone.withheld) == ([], 1, 2)
    other = dataclasses.replace(signing_of(Splits()), words=4)  # what was made otherwise cannot be compared
    assert stored_signatures(folder.project, {"0" * 64}, other) == {}


def test_a_leak_is_an_error_of_a_project_and_of_its_release_and_no_expectation(leaking: ProjectFolder) -> None:
    suite(leaking)
    leaking.rebuild()
    project, release = validate_project(leaking.project, Request()), validate_release(leaking.root / "dataset", Request())
    for done in (project, release):
        assert not done.success
        assert done.counts == {"expectations": 1, "passed": 1, "failed": 0, "errors": 1, "warnings": 0, "waived": 0}
        told = done.as_json()
        [finding], [check] = told["findings"], told["checks"]
        assert (finding["rule"], finding["level"], finding["rows"]) == ("near-duplicate-one-split", "error", ["a1", "a2"])
        [pair] = finding["observed"]
        assert (pair["articles"], pair["splits"]) == (["a1", "a2"], ["train", "test"]) and 0.9 < pair["similarity"] < 1
        assert (check["name"], check["compared"], check["n_pairs"], check["pairs"]) == ("near-duplicates", 5, 1, [pair])
    first, second = project.findings[0].as_problems()
    assert str(first).startswith(
        "seeds/a.jsonl:1  articles a1: the text is nearly that of an article of another split: a2 (test, 0.9"
    )
    assert second.place.line == 2 and ": a1 (train, 0.9" in second.says
    shown = release.as_json()
    assert "near-duplicates: 5 articles compared across splits, 1 pair alike by 0.8 or more" in validation_markdown(shown)
    assert '<testsuite name="checks" tests="1" failures="1"' in validation_junit(shown)
    assert "near-duplicate-one-split" in validation_html(shown)


def test_where_splits_are_given_a_leak_is_a_warning_and_a_waiver_lets_it_pass(leaking: ProjectFolder) -> None:
    suite(leaking)
    leaking.rebuild()

    def validated(**waiver: object) -> Validation:
        lines = [f"{name} = {json.dumps(value)}" for name, value in waiver.items()]
        lines += ['rule = "near-duplicate-one-split"', 'owner = "desk"', 'reason = "released"', "expires = 2030-01-01"]
        (leaking.root / "expectations" / "waivers.toml").write_text("\n".join(["[[waivers]]", *lines]) + "\n")
        return validate_project(leaking.project, Request(today=datetime.date(2029, 1, 1)))

    assert validated(rows=["a1", "a2"]).success
    left = validated(rows=["a1"])
    assert [f.rows for f in left.findings] == [("a2",)] and not left.success
    leaking.settings("[tool.dateline.splits]", 'mode = "given"')
    leaking.seed(record("a1", story("word"), split="x"), record("a2", story("word"), split="y"))
    leaking.rebuild()
    (leaking.root / "expectations" / "waivers.toml").unlink()
    done = validate_project(leaking.project, Request())
    assert done.success and [(f.level, f.rows) for f in done.findings] == [("warning", ("a1", "a2"))]
    leaking.seed(record("a1", story("word"), split="x"), record("a2", story("other"), split="y"))
    leaking.rebuild()
    idle = validated(rows=["a1"])
    assert idle.findings == [] and any("which nothing breaks any more" in note for note in idle.notes)


def test_what_was_not_compared_is_said(leaking: ProjectFolder) -> None:
    suite(leaking)
    leaking.settings("[tool.dateline.splits]", "near_duplicates = false")
    leaking.rebuild()
    done = validate_project(leaking.project, Request())
    assert done.success and done.checks == []
    assert done.notes == ["near-duplicates were not looked for: near_duplicates is false in [tool.dateline.splits]"]
    leaking.settings("[tool.dateline.splits]", 'mode = "given"')
    leaking.seed({**record("a1", split="x"), "text": {"content": None, "sha256": "0" * 64, "n_code_points": 9, "n_bytes": 9}} | {
        "rights": {}
    })  # fmt: skip
    leaking.rebuild()
    notes = validate_release(leaking.root / "dataset", Request()).notes
    assert notes == ["1 text is withheld and not signed: not compared with the articles of other splits"]
