"""Annotation on edited texts: the very same words in the right place, or told; never a span whose words differ."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import MENTIONS, REPOSITORY, Json, ProjectFolder, mention, record
from conftest import Run
from dateline.compile.check import check_record
from dateline.compile.read import RawRecord
from dateline.document import Stretch
from dateline.errors import InputError, Place
from dateline.reanchor import Found, Reanchoring
from dateline.reanchoring import next_id, reanchor_files, reanchor_record
from dateline.schema import Schemas, load_schemas
from edits import EDITS, corpus, measure, tried

TEXT = "Ana Ruiz met Bo Lind in Rome on Monday. She said that the talks had gone well.\n\nThe minister left early.\n"


def moved(old: str, new: str, words: str, nth: int = 0) -> Found:
    at = -1
    for _ in range(nth + 1):
        at = old.index(words, at + 1)
    return Reanchoring(old, new)((at, at + len(words)))


def test_words_stay_where_they_are_and_go_with_the_text() -> None:
    assert moved(TEXT, TEXT, "Rome") == Found("unchanged", ((24, 28),))
    new = TEXT.replace("Ana Ruiz", "Ana María Ruiz")
    assert moved(TEXT, new, "Rome") == Found("moved", ((30, 34),))
    assert moved(TEXT, new, "The minister").kept == (86, 98)


@pytest.mark.parametrize(
    "words",
    ["Ana Ruiz", "na Rui", "met Bo Lind in"],
)
def test_words_between_which_something_new_stands_are_lost(words: str) -> None:
    new = TEXT.replace("Ana Ruiz met Bo Lind", "Anna Ruiz met Bo A. Lind")
    assert moved(TEXT, new, words).fate == "lost" and moved(TEXT, new, words).kept is None


def test_a_part_of_a_word_moves_with_the_word() -> None:
    old, new = "The antiwar protests went on for days.", "Then the large antiwar protests went on for days."
    found = moved(old, new, "war")
    assert found.kept is not None and new[slice(*found.kept)] == "war" and found.kept[0] == new.index("antiwar") + 4


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("In\r\nthe été of 1968 the students marched.", "In\nthe été of 1968 the students marched.", "In\r\nthe"),
        ("In the été of 1968 the students marched.", "In the e\u0301te\u0301 of 1968 the students marched.", "été"),
        (
            "In the e\u0301te\u0301 of 1968 the students marched.",
            "In the été of 1968 the students marched.",
            "e\u0301te\u0301 of",
        ),
        ("In the long  summer of 1968 they marched.", "In the long summer of 1968 they marched.", "long  summer"),
    ],
)
def test_words_that_differ_in_form_alone_are_doubtful(old: str, new: str, words: str) -> None:
    found = moved(old, new, words)
    assert found.fate == "doubtful" and found.kept is None and len(found.candidates) == 1
    assert "differs in form" in found.why


def test_a_sentence_that_was_doubled_could_be_either() -> None:
    sentence = "She said that the talks had gone well."
    found = moved(TEXT, TEXT.replace(sentence, f"{sentence} {sentence}"), "talks")
    assert found.fate == "doubtful" and len(found.candidates) == 2 and found.why == "the same words were inserted nearby"


def test_the_same_name_in_a_new_sentence_is_no_rival() -> None:
    new = TEXT.replace("She said", "Nobody else saw Rome that day, it seems. She said")
    assert moved(TEXT, new, "Rome") == Found("unchanged", ((24, 28),))


def test_a_word_that_a_rewritten_sentence_has_too_is_not_taken_for_it() -> None:
    new = TEXT.replace("She said that the talks had gone well.", "No talks, wrote a reporter, ever took place.")
    assert moved(TEXT, new, "talks").kept is None


def test_a_paragraph_that_was_moved_takes_its_spans_along() -> None:
    first, second = "Ana Ruiz met Bo Lind in Rome on Monday for talks.\n", "The minister left the city early the next day.\n"
    found = moved(first + second, second + first, "minister")
    assert found == Found("moved", ((4, 12),))
    assert moved(first + second, second + first, "Bo Lind").kept is not None


def test_what_was_deleted_is_lost_and_what_is_no_word_too() -> None:
    assert moved(TEXT, TEXT.replace("The minister left early.\n", ""), "minister").fate == "lost"
    assert Reanchoring(TEXT, TEXT)((3, 4)).fate == "lost" and Reanchoring(TEXT, TEXT)((90, 900)).fate == "lost"


TEXTS = st.text(st.sampled_from("ab é\u0301\n\r.Ω🦊_"), max_size=60)


@given(TEXTS, TEXTS, st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=12))
def test_what_is_kept_has_the_same_words_whatever_the_texts(old: str, new: str, found: list[tuple[int, int]]) -> None:
    place = Reanchoring(old, new)
    for start, length in found:
        kept = place((start, start + length)).kept
        assert kept is None or new[slice(*kept)] == old[start : start + length]


@given(st.integers(0, 10**9), st.sampled_from(EDITS))
def test_no_span_of_an_edited_article_is_kept_in_a_wrong_place(seed: int, edit: Any) -> None:
    draw = random.Random(seed)
    text, spans = draw.choice(ARTICLES)
    few: list[Stretch] = draw.sample(spans, 20)
    assert tried(text, few, edit, draw)["wrong"] == 0


ARTICLES = list(corpus())


def test_most_spans_that_stand_are_kept_and_none_in_a_wrong_place() -> None:
    for name, counts in measure(1).items():
        least = {"insert_paragraph": 0.8, "several": 0.8}.get(name, 0.9)
        assert counts["wrong"] == 0 and counts["kept"] >= least * counts["stands"], (name, counts)


# ---- records -------------------------------------------------------------------------------------------------


QUOTES: Json = {
    "description": "Who says what.",
    "x-prefix": "q",
    "properties": {
        "quote_id": {"type": "string", "description": "x", "x-key": True},
        "cue": {"description": "x", "x-span": "many"},
        "content": {"description": "x", "x-span": "many", "minItems": 1},
        "readings": {"type": "array", "items": {"x-span": "many"}, "description": "x"},
        "speaker_id": {"type": ["string", "null"], "description": "x", "x-ref": "mentions"},
        "heard_by": {"type": "array", "items": {"type": "string"}, "description": "x", "x-ref": "mentions"},
    },
    "required": ["quote_id", "content"],
}


@pytest.fixture
def schemas(folder: ProjectFolder) -> Schemas:
    folder.schema("quotes", QUOTES)
    return load_schemas(folder.root / "schemas")


def span(words: str, text: str = TEXT) -> Json:
    return {"start": text.index(words), "end": text.index(words) + len(words)}


def named(key: str, words: str, **fields: Any) -> Json:
    return mention(key, span(words)["start"], span(words)["end"], **fields)


def annotated(**fields: Any) -> Json:
    made = record(
        "a1",
        TEXT,
        coverage=[{"layer": "mentions", "status": "FULL", "regions": []}, {"layer": "quotes", "status": "NONE", "regions": []}],
        mentions=[named("m1", "Ana Ruiz", head=span("Ruiz")), named("m2", "Bo Lind"), named("m3", "The minister")],
    )
    return made | fields


def words_of(made: Json, item: Json, field: str = "spans") -> list[str]:
    value = item[field]
    return [made["text"]["content"][s["start"] : s["end"]] for s in ([value] if isinstance(value, dict) else value)]


def checked(made: Json, schemas: Schemas) -> Json:
    return checked_with(made, schemas, {})


def checked_with(made: Json, schemas: Schemas, tables: dict[str, set[str]]) -> Json:
    assert check_record(made, RawRecord(Place("x"), 1, json.dumps(made).encode()), schemas, tables) == []
    return made


def test_a_record_moves_onto_its_new_text_which_supersedes_the_old_one(schemas: Schemas) -> None:
    old = annotated(group="g")
    old["text"] |= {"sha256": hashlib.sha256(TEXT.encode()).hexdigest(), "n_code_points": len(TEXT), "n_bytes": len(TEXT)}
    old["mentions"][0]["spans"][0]["surface"] = "Ana Ruiz"
    before = json.dumps(old)
    new = "Late news.\n" + TEXT.replace("The minister left early", "The minister 🦊 left early")
    made, report = reanchor_record(old, new, schemas)
    assert json.dumps(old) == before
    checked(made, schemas)
    assert (made["article_id"], made["supersedes"], made["group"]) == ("a1-r2", "a1", "g")
    assert made["text"]["sha256"] == hashlib.sha256(new.encode()).hexdigest() and made["text"]["n_bytes"] == len(new.encode())
    assert [words_of(made, m) for m in made["mentions"]] == [["Ana Ruiz"], ["Bo Lind"], ["The minister"]]
    assert words_of(made, made["mentions"][0], "head") == ["Ruiz"]
    assert report.counts == {"moved": 4} and report.removed == [] and report.spans == []


def test_what_was_not_in_the_old_text_is_not_covered(schemas: Schemas) -> None:
    new = TEXT.replace("The minister left early.", "The minister left very early.")
    made, _ = reanchor_record(annotated(), new, schemas)
    found, none = made["coverage"]
    assert found["status"] == "PARTIAL" and none["status"] == "NONE"
    assert [new[r["start"] : r["end"]] for r in found["regions"]] == [new[: new.index(" very")], "early."]
    partial = annotated(coverage=[{"layer": "mentions", "status": "PARTIAL", "regions": [span(TEXT[:39])]}])
    made, _ = reanchor_record(partial, "Ana Ruiz met, as she said, Bo Lind in Rome on Monday. She said", schemas)
    (found,) = made["coverage"]
    text = made["text"]["content"]
    assert [text[r["start"] : r["end"]] for r in found["regions"]] == ["Ana Ruiz met", "Bo Lind in Rome on Monday."]
    checked(made, schemas)


def test_less_text_is_covered_as_it_was_and_lost_items_leave_a_gap(schemas: Schemas) -> None:
    made, report = reanchor_record(annotated(), TEXT.replace("\n\nThe minister left early.\n", ""), schemas)
    assert made["coverage"][0] == {"layer": "mentions", "status": "FULL", "regions": []}
    assert [(layer, item) for layer, item, _ in report.removed] == [("mentions", "m3")]
    old = annotated()
    old["mentions"].append(named("m4", "She", parent_id="m3"))
    new = TEXT.replace("The minister left early.\n", "He left.\n")
    made, report = reanchor_record(old, new, schemas)
    assert [(item, why) for _, item, why in report.removed] == [("m3", "lost spans"), ("m4", "its parent_id m3 went")]
    # where m4 stood nothing is annotated any more, so its place is not covered
    covered = [new[r["start"] : r["end"]] for r in made["coverage"][0]["regions"]]
    assert covered[0].endswith("Monday.") and not any("She" in words for words in covered)
    checked(made, schemas)


def test_a_field_of_several_spans_is_kept_whole_or_not_at_all(schemas: Schemas) -> None:
    quote = {
        "quote_id": "q1",
        "cue": [span("She"), span("said")],
        "content": [span("the talks had gone well")],
        "readings": [[span("talks")], [span("gone"), span("She")]],
        "speaker_id": "m1",
        "heard_by": ["m2", "m3"],
    }
    made, report = reanchor_record(annotated(quotes=[quote]), TEXT.replace("She said", "Ruiz said"), schemas)
    (found,) = made["quotes"]
    assert found["cue"] == [] and words_of(made, found, "content") == ["the talks had gone well"]
    assert len(found["readings"]) == 1 and report.removed == []
    assert [(s.item, s.field, s.found.fate) for s in report.spans] == [("q1", "cue", "lost"), ("q1", "readings", "lost")]
    checked(made, schemas)
    made, report = reanchor_record(annotated(quotes=[quote]), TEXT.replace("minister", "mayor"), schemas)
    assert [(layer, item) for layer, item, _ in report.removed] == [("mentions", "m3"), ("quotes", "q1")]
    assert made["quotes"] == [] and checked(made, schemas)


def test_an_item_that_breaks_a_law_once_a_span_is_gone_goes_too(folder: ProjectFolder) -> None:
    law = {"id": "cue", "says": "has no cue", "then": {"required": ["cue"], "properties": {"cue": {"minItems": 1}}}}
    folder.schema("quotes", QUOTES | {"x-rules": [law]})
    schemas = load_schemas(folder.root / "schemas")
    quote = {"quote_id": "q1", "cue": [span("said")], "content": [span("the talks had gone well")]}
    made, report = reanchor_record(annotated(quotes=[quote]), TEXT.replace("said", "hoped"), schemas)
    assert report.removed == [("quotes", "q1", "has no cue [cue]")] and report.problems == [] and checked(made, schemas)


def test_ids_of_new_versions() -> None:
    assert next_id(record("a1"), "x", ()) == "a1-r2" and next_id(record("a1-r2"), "x", ()) == "a1-r3"
    assert next_id(record("a1"), "x", {"a1-r2", "a1-r3"}) == "a1-r4"
    digest = hashlib.sha256(b"Ana met Bo in Rome.").hexdigest()
    assert next_id(record(f"desk-{digest[:12]}"), "x", ()) == f"desk-{hashlib.sha256(b'x').hexdigest()[:12]}"
    assert len(next_id(record("a" * 128), "x", ())) == 128


def test_the_corpus_moves_onto_edited_texts_within_its_schemas() -> None:
    schemas = load_schemas(REPOSITORY / "schemas")
    rows = (REPOSITORY / "seeds" / "tables" / "measures.jsonl").read_text(encoding="utf-8").splitlines()
    tables = {"measures": {json.loads(row)["measure"] for row in rows}}
    path = REPOSITORY / "seeds" / "articles" / "desk-20241105-80b60d400183.json"
    old = json.loads(path.read_bytes())
    paragraphs = old["text"]["content"].split("\n\n")
    shorter = "\n\n".join([*paragraphs[:-2], paragraphs[-1]])
    made, report = reanchor_record(old, shorter, schemas, table_keys=tables)
    assert report.problems == [] and checked_with(made, schemas, tables)
    assert len(made["segments"]) < len(old["segments"]) and len(made["mentions"]) > 0.5 * len(old["mentions"])
    # of an edited sentence, the sentence is lost; and this corpus wants every word to be in one
    edited = old["text"]["content"].replace(" said", " declared", 1)
    made, report = reanchor_record(old, edited, schemas, table_keys=tables)
    assert [p.rule for p in report.problems] == ["text-covered"]
    segments = [s.found for s in report.spans if s.layer == "segments"]
    assert segments and all(f.fate == "lost" and " declared" in edited[slice(*f.candidates[0])] for f in segments)


# ---- files ---------------------------------------------------------------------------------------------------


def test_the_command_writes_the_new_record_and_reports(folder: ProjectFolder, dateline: Run) -> None:
    folder.seed(annotated(coverage=[]), annotated(article_id="a2", coverage=[], rights={}))
    texts = folder.root / "texts"
    texts.mkdir()
    (texts / "a1.txt").write_bytes(TEXT.replace("The minister", "The mayor").encode())
    (texts / "a2.txt").write_bytes(TEXT.encode())
    strict = dateline("import", "--reanchor", texts, "-C", folder.root, "--strict")
    assert strict.returncode == 1 and "nothing was written" in strict.stderr
    done = dateline("import", "--reanchor", texts, "-C", folder.root)
    assert done.returncode == 0 and done.stdout == "seeds/articles/a1-r2.json\n"
    assert "a1 mentions m3 spans [80, 92): lost, its words were changed" in done.stderr
    assert "a1 mentions m3: left out, as lost spans" in done.stderr
    assert "a1 -> a1-r2: 3 unchanged, 0 moved, 0 doubtful, 1 lost; 1 item left out" in done.stderr
    made = json.loads((folder.root / "seeds" / "articles" / "a1-r2.json").read_bytes())
    assert made["supersedes"] == "a1" and [m["mention_id"] for m in made["mentions"]] == ["m1", "m2"]
    assert folder.rebuild().problems == []
    again = dateline("import", "--reanchor", texts / "a1.txt", "-C", folder.root, "--json", "--dry-run")
    assert json.loads(again.stdout)["articles"][0]["new_id"] == "a1-r3"


def test_a_record_that_must_be_mended_is_a_draft(folder: ProjectFolder, dateline: Run) -> None:
    covers = {"x-covers": {"field": "label", "values": ["PER"]}}
    folder.schema("mentions", MENTIONS | covers)
    folder.seed(record("a1", "Ana met Bo. Bo left.", mentions=[mention("m1", 0, 11), mention("m2", 12, 20)]))
    (folder.root / "a1.txt").write_text("Ana met Bo. Bo ran.")
    done = dateline("import", "--reanchor", folder.root / "a1.txt", "-C", folder.root)
    assert done.returncode == 1 and "text-covered" in done.stderr and done.stdout == ""
    assert ".dateline/reanchored/a1-r2.json: to be mended and moved to seeds/articles/ by hand" in done.stderr
    assert (folder.root / ".dateline" / "reanchored" / "a1-r2.json").is_file()
    assert not (folder.root / "seeds" / "articles").exists()


def test_a_withheld_text_is_signed_again_and_not_quoted(folder: ProjectFolder) -> None:
    folder.seed(annotated(coverage=[], rights={}))
    (folder.root / "a1.txt").write_bytes((TEXT + "More words of a secret kind.\n").encode())
    result = reanchor_files(folder.project, [folder.root / "a1.txt"], folder.root / "seeds" / "articles")
    made = json.loads((folder.root / "seeds" / "articles" / "a1-r2.json").read_bytes())
    assert made["text"]["minhash"].startswith("mh") and "secret" not in json.dumps(result.as_json())


@pytest.mark.parametrize(
    ("name", "raw", "says"),
    [
        ("b1.txt", b"x", "b1.txt: is the text of no article in seeds/"),
        ("a1.txt", b"\xff", "a1.txt: is not UTF-8"),
        ("a1.txt", b" \n", "a1.txt: is empty"),
        ("a1.md", b"x", "is no text; they are named <article_id>.txt"),
        ("a2.txt", b"x", "has no text, so nothing can be compared"),
        ("a3.txt", b"x", "is wrong already: ends at 999"),
    ],
)
def test_texts_that_cannot_be_taken_are_refused_in_one_line(folder: ProjectFolder, name: str, raw: bytes, says: str) -> None:
    standoff = {"content": None, "sha256": "0" * 64, "n_code_points": 19, "n_bytes": 19}
    folder.seed(annotated(), record("a2") | {"text": standoff}, record("a3", mentions=[mention("m1", 0, 999)]))
    path: Path = folder.root / name
    path.write_bytes(raw)
    with pytest.raises(InputError) as caught:
        reanchor_files(folder.project, [path], folder.root / "seeds" / "articles")
    assert says in str(caught.value) and not (folder.root / "seeds" / "articles").exists()


def test_two_texts_come_to_two_records(folder: ProjectFolder) -> None:
    text = "Ana met Bo in Rome on a sunny day of May, and they ate ice cream."
    folder.seed(record("x", text), record("x-r2", f"Then {text}", supersedes="x"))
    for name, said in (("a/x", f"{text} Fine."), ("a/x-r2", f"Then {text} Good."), ("b/x", f"{text} Late.")):
        (folder.root / name).parent.mkdir(exist_ok=True)
        (folder.root / f"{name}.txt").write_text(said)
    with pytest.raises(InputError, match=r"b/x\.txt: is another text of x beside a/x\.txt; give one of them"):
        reanchor_files(folder.project, [folder.root / "a", folder.root / "b"], folder.root / "seeds" / "new")
    assert not (folder.root / "seeds" / "new").exists()
    done = reanchor_files(folder.project, [folder.root / "a"], folder.root / "seeds" / "new")
    assert {(report.article_id, report.new_id) for report in done.reports} == {("x", "x-r4"), ("x-r2", "x-r3")}
    assert len(done.written) == 2
