"""The authoring format: spans are named by their words, and found; what is not found says where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import REPOSITORY, Json, ProjectFolder
from dateline.importers.authoring import _matches, _Stretch
from dateline.importing import import_files
from dateline.schema import load_schemas

HEAD = """
[article]
article_id = "x-{sha256:.12}"
rights = {text_redistributable = true}
[text]
sentences = '''
Ana met Bo in Rome.
She said he left.

Bo said: “Ana, he said, left [early].”
Z\u0306ov is cold 🌊 in 서울에서.
'''
"""
TEXT = "Ana met Bo in Rome. She said he left.\n\nBo said: “Ana, he said, left [early].” Z\u0306ov is cold 🌊 in 서울에서."


def imported(folder: ProjectFolder, *mentions: str, head: str = HEAD) -> tuple[list[Json], list[str]]:
    """The mentions and problems that mentions written in TOML give."""
    path = folder.root / "a.toml"
    items = ",\n".join("  {" + (m if "label" in m else m + ', label = "PER"') + "}" for m in mentions)
    path.write_text(f"mentions = [\n{items}\n]\n{head}", encoding="utf-8")
    out = folder.root / "seeds"
    result = import_files(folder.project, "authoring", [path], out)
    if result.problems:
        assert result.written == [] and list(out.iterdir()) == []
        return [], [f"{p} {p.hint}" for p in result.problems]
    import json

    (made,) = [json.loads(p.read_bytes()) for p in out.glob("*.json")]
    assert made["text"]["content"] == TEXT
    return made["mentions"], []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ('"Rome"', ["Rome"]),
        ('"Bo@2"', ["Bo"]),
        ('"p2: said@2"', ["said"]),
        ('"s2:"', ["She said he left."]),
        ('"p2:"', ["Bo said: “Ana, he said, left [early].” Z\u0306ov is cold 🌊 in 서울에서."]),
        ('"said [he] left"', ["he"]),
        ('"s2: [he]"', ["he"]),
        ('"[Ana]…[Rome]"', ["Ana met Bo in Rome"]),
        ('["“Ana", "left [early].”"]', ["“Ana", "left [early].”"]),
        ('{words = "left [early]"}', ["left [early]"]),
        ('{words = "he", nth = 2, inside = "p2"}', []),
        ('{words = "서울", part = true}', ["서울"]),
        ('"Z\u0306ov"', ["Z\u0306ov"]),
        ('"🌊"', ["🌊"]),
    ],
)
def test_a_span_is_named_by_its_words(folder: ProjectFolder, name: str, words: list[str]) -> None:
    if name.startswith('["'):
        name = '["“Ana", {words = "left [early].”"}]'
    mentions, problems = imported(folder, f"spans = {name}")
    if not words:
        assert "asks for occurrence 2, but there are 1" in problems[0]
        return
    assert problems == []
    assert [TEXT[s["start"] : s["end"]] for s in mentions[0]["spans"]] == words


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Paris", "'Paris' does not stand in the text"),
        ("said", "stands 3 times  [words-not-found] Say which: @1 in p1; @2 in p2; @3 in p2."),
        ("said@4", "asks for occurrence 4, but there are 3"),
        ("p9: said", "names p9, but the text has 2 paragraphs"),
        ("om", "does not stand in the text"),
        ("Z", "does not stand in the text"),
        ("[Ana", "does not stand"),
    ],
)
def test_a_name_that_is_not_clear_says_where_the_words_stand(folder: ProjectFolder, name: str, says: str) -> None:
    _, problems = imported(folder, f'spans = "{name}"')
    assert len(problems) == 1 and says in problems[0]
    assert problems[0].startswith(f"{(folder.root / 'a.toml').relative_to(folder.root)}:2 $.mentions[0].spans")


def test_fields_of_an_item_are_looked_up_within_its_own_spans_first(folder: ProjectFolder) -> None:
    mentions, _ = imported(folder, 'spans = "Bo said: “Ana", head = "Ana"')
    assert mentions[0]["head"] == {"start": TEXT.index("Ana", 10), "end": TEXT.index("Ana", 10) + 3}


def test_items_without_a_key_get_the_next_free_one_and_defaults_fill_in(folder: ProjectFolder) -> None:
    mentions, _ = imported(
        folder,
        'spans = "Rome"',
        'spans = "Ana@1", mention_id = "m1"',
        'spans = "She"',
        head=HEAD + "[defaults.mentions]\nremark = 'r'\n",
    )
    assert [m["mention_id"] for m in mentions] == ["m2", "m1", "m3"]
    assert all(m["remark"] == "r" for m in mentions)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[article", "is not valid TOML"),
        ("x = 1\n", "expected [article], and [text]"),
        (
            "mentioms = []\n" + HEAD,
            "unknown table mentioms; known here: article, text, defaults, annotation_sets",
        ),
        ("mentions = 3\n" + HEAD, "mentions must be an array of tables"),
        (HEAD.replace("sha256:.12", "name"), "only {sha256:.N} can be filled in"),
        ("[article]\narticle_id = 'a'\n[text]\ncontent = ''\n", "the text is empty"),
    ],
)
def test_a_file_that_is_no_article_says_why(folder: ProjectFolder, text: str, says: str) -> None:
    (folder.root / "a.toml").write_text(text, encoding="utf-8")
    result = import_files(folder.project, "authoring", [folder.root / "a.toml"], folder.root / "seeds")
    assert result.written == []
    assert says in str(result.problems[0])


def test_faults_of_the_record_are_faults_of_the_import(folder: ProjectFolder) -> None:
    _, problems = imported(folder, 'spans = "Rome", label = "CITY"', 'spans = "She", parent_id = "m9"')
    assert problems and "a.toml $.mentions[0].label" in problems[0]


def test_one_bad_document_keeps_all_from_being_written(folder: ProjectFolder) -> None:
    (folder.root / "docs").mkdir()
    (folder.root / "docs" / "a.toml").write_text(HEAD, encoding="utf-8")
    (folder.root / "docs" / "b.toml").write_text("mentions = [{label = 'PER', spans = 'Oslo'}]\n" + HEAD, encoding="utf-8")
    result = import_files(folder.project, "authoring", [folder.root / "docs"], folder.root / "seeds")
    assert result.documents == 2 and len(result.problems) == 1 and result.written == []
    (folder.root / "docs" / "b.toml").write_text(HEAD, encoding="utf-8")
    result = import_files(folder.project, "authoring", [folder.root / "docs"], folder.root / "seeds")
    assert [p.rule for p in result.problems] == ["duplicate-article"]


@given(st.text(st.sampled_from("ab .\u0306é1"), min_size=1, max_size=30), st.data())
def test_named_words_are_found_where_they_stand(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    found = _matches(text, text[start:end], [_Stretch(0, len(text))])
    assert all(text[s.start : s.end] == text[start:end] for s in found)


def test_the_records_in_seeds_are_what_their_authored_files_give(tmp_path: Path) -> None:
    from dateline.project import find_project

    result = import_files(find_project(REPOSITORY), "authoring", [REPOSITORY / "seeds" / "authored"], tmp_path)
    assert result.problems == [] and result.documents >= 6
    for path in tmp_path.iterdir():
        assert (REPOSITORY / "seeds" / "articles" / path.name).read_bytes() == path.read_bytes(), path.name
    standing = {p.name for p in (REPOSITORY / "seeds" / "articles").iterdir()}
    assert standing - {p.name for p in tmp_path.iterdir()} == {"ap-20241031-648d3119dda7.json"}
    assert set(load_schemas(REPOSITORY / "schemas").layers) <= set(result.items)
