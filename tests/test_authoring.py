"""The authoring format: spans are named by their words, and found; what is not found says where it stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import REPOSITORY, Json, ProjectFolder
from conftest import Run
from dateline.errors import BuildError
from dateline.importers.authoring import _Article, _matches, _NotPlain, _plain, _Stretch
from dateline.importing import import_files
from dateline.schema import load_schemas
from small_corpus import FIRST

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
        *(
            (HEAD.replace("sha256:.12", name), "$.article.article_id  only {sha256} and {sha256:.N}, N from 1 to 64")
            for name in [
                "name",
                "",
                "sha256.foo",
                "sha256[0]",
                "sha256:9999999999",
                "sha256:.0",
                "sha256:.65",
                "sha256!r",
                "sha256:{sha256}",
            ]
        ),
        ("[article]\narticle_id = 'a'\n[text]\ncontent = ''\n", "$.text  the text is empty"),
        ("defaults = 3\n" + HEAD, "$.defaults  defaults must be a table"),
        (HEAD + "[defaults]\nmentions = 3\n", "$.defaults.mentions  defaults of a layer must be a table"),
        (HEAD + "[defaults.mentioms]\nlabel = 'PER'\n", "$.defaults  unknown layer mentioms; known here: annotation_sets"),
        (HEAD + "titel = 'x'\n", "$.text  unknown key titel; known here: sentences, content"),
        (
            "article.text = {content = 'x'}\n"
            + HEAD.replace("[article]\n", "").replace("article_id", "article.article_id").replace("rights =", "article.rights ="),
            "$.article.text  text stands beside [article], not in it",
        ),
        (HEAD.replace("[text]", "mentions = []\n[text]"), "$.article.mentions  mentions stands beside [article], not in it"),
        (
            "mentions = [{spans = 'Rome', mention_id = [1]}]\n" + HEAD,
            "mention_id  an id must be a string",
        ),
        (
            "mentions = [{spans = 'Rome', mention_id = 3}]\n" + HEAD,
            "mention_id  an id must be a string",
        ),
        (
            "mentions = [{spans = 'Rome', score = nan}]\n" + HEAD,
            "score  nan is no number that JSON has",
        ),
        (
            f"mentions = [{{spans = 'Rome', score = 0x{'f' * 5000}}}]\n" + HEAD,
            "score  is a whole number",
        ),
        (f"x = {'9' * 5000}\n" + HEAD, "is not valid TOML"),
        (f"x = {'[' * 5000}\n" + HEAD, "nested too deeply"),
        (f"{'x.' * 5000}x = 1\n" + HEAD, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_article_says_why(folder: ProjectFolder, text: str, says: str) -> None:
    (folder.root / "a.toml").write_text(text, encoding="utf-8")
    result = import_files(folder.project, "authoring", [folder.root / "a.toml"], folder.root / "seeds")
    assert result.written == [] and len(result.problems) == 1
    assert says in str(result.problems[0])


@pytest.mark.parametrize(
    ("spans", "says"),
    [
        ('{words = "he", inside = 3}', "has an inside that is no paragraph or sentence"),
        ('{words = "he", inside = "x3"}', "has an inside that is no paragraph or sentence"),
        ('{words = "he", inside = "p99999999999999999999"}', "has an inside that is no paragraph or sentence"),
        ('{words = "he", nth = "2"}', "has an nth that is no whole number"),
        ('{words = "he", nth = true}', "has an nth that is no whole number"),
        ('{words = "he", part = 1}', "has a part that is neither true nor false"),
        ('{words = ["he"]}', "is no span name"),
        ("3", "is no span name"),
        ('"@2"', "is no span name"),
        ("[[3]]", "is no span name"),
    ],
)
def test_a_span_table_of_wrong_types_is_one_problem(folder: ProjectFolder, spans: str, says: str) -> None:
    _, problems = imported(folder, f"spans = {spans}")
    assert len(problems) == 1 and "$.mentions[0].spans  " in problems[0] and says in problems[0]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | st.dates() | st.text("pABo 1:@[]…{}.", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["words", "nth", "inside", "part", "spans", "content"]), inner, max_size=3)
    ),
    max_leaves=6,
)
SCHEMAS = load_schemas(REPOSITORY / "schemas")


@given(st.data())
def test_no_document_whatever_makes_a_traceback(data: st.DataObject) -> None:
    layers = list(SCHEMAS.layers)
    document: Json = {"article": {"article_id": "a-{sha256:.8}"}, "text": {"content": "Ana met Bo. Bo left."}}
    layer = data.draw(st.sampled_from(layers))
    fields = [f.name for f in SCHEMAS.layers[layer].fields]
    document[layer] = data.draw(st.lists(st.dictionaries(st.sampled_from(fields), PLAIN, max_size=4), max_size=2))
    for name in ("article", "text", "defaults", layer):
        if data.draw(st.integers(0, 9)) == 0:
            document[name] = data.draw(PLAIN)
    try:
        plain = _plain(document, "$")
    except _NotPlain:
        return
    told = _Article(plain, "", SCHEMAS, "a.toml").imported()
    assert (told.record is None) == bool(told.problems)


def test_dates_and_times_become_iso_strings_and_any_digest_length_is_filled_in(folder: ProjectFolder) -> None:
    dates = "[article.source]\npublished = 2031-04-12\nseen = [2031-04-12T10:00:00Z, 10:30:00]\n"
    folder.schema("article", {"properties": {"source": {"type": "object", "description": "x", "properties": {
        "published": {"type": "string", "format": "date", "description": "x"},
        "seen": {"type": "array", "items": {"type": "string"}, "description": "x"},
    }}}})  # fmt: skip
    for name, length in (("{sha256}", 64), ("{sha256:.1}", 1), ("{sha256:.64}", 64)):
        (folder.root / "a.toml").write_text(
            HEAD.replace("{sha256:.12}", name).replace("[text]", dates + "[text]"), encoding="utf-8"
        )
        result = import_files(folder.project, "authoring", [folder.root / "a.toml"], folder.root / "out" / str(length))
        assert result.problems == []
        made = json.loads((folder.root / result.written[0]).read_bytes())
        assert made["article_id"] == "x-" + made["text"]["sha256"][:length]
        assert made["source"] == {"published": "2031-04-12", "seen": ["2031-04-12T10:00:00+00:00", "10:30:00"]}


@pytest.mark.parametrize("rights", ["", "rights = {text_redistributable = false}", "rights = 'text_redistributable'"])
def test_no_message_quotes_a_text_that_may_not_be_passed_on(dateline: Run, folder: ProjectFolder, rights: str) -> None:
    head = HEAD.replace("rights = {text_redistributable = true}", rights).replace("Rome", "Secretville")
    for bad in (
        "mentions = [{spans = 'Secretville@9'}, {spans = {words = 'Secretville', nth = 'x'}}]\n" + head,
        "Secretville = 1\n" + head,
        head + "Secretville = 1\n",
        head + "[defaults.Secretville]\nx = 1\n",
        head + "x = {Secretville = 1, Secretville = 2}\n",
    ):
        (folder.root / "a.toml").write_text(bad, encoding="utf-8")
        done = dateline("import", "a.toml", cwd=folder.root)
        assert done.returncode == 1 and "a.toml" in done.stderr
        assert "Secretville" not in done.stderr + done.stdout
    (folder.root / "a.toml").write_text("mentions = [{label = 'PER', spans = 'Secretvill'}]\n" + head, encoding="utf-8")
    told = dateline("import", "a.toml", cwd=folder.root).stderr
    assert "a.toml:1 $.mentions[0].spans" in told and "Secretvill" not in told


def test_an_import_that_cannot_be_written_leaves_all_as_it_was(
    dateline: Run, folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = folder.root / "docs"
    docs.mkdir()
    for name in "abc":
        (docs / f"{name}.toml").write_text(HEAD.replace("x-{sha256:.12}", name), encoding="utf-8")
    (folder.root / "file").write_text("x")
    done = dateline("import", docs, "--out", "file", cwd=folder.root)
    assert (done.returncode, done.stderr) == (2, "error: file: cannot be written: File exists; nothing was written\n")
    done = dateline("import", docs, "--out", "file/below", cwd=folder.root)
    assert (done.returncode, done.stderr) == (2, "error: file/below: cannot be written: Not a directory; nothing was written\n")
    out = folder.root / "out"
    (out / "c.json").mkdir(parents=True)
    done = dateline("import", docs, "--out", out, cwd=folder.root)
    assert (done.returncode, done.stderr) == (2, "error: out/c.json: cannot be written: Is a directory; nothing was written\n")
    assert [p.name for p in out.iterdir()] == ["c.json"]
    (out / "c.json").rmdir()
    (out / "b.json").write_text("old")

    def full(path: Path) -> None:
        if path.name == ".new-2":
            raise OSError(28, "No space left on device", str(path))

    def stuck(source: Path, target: Path) -> None:
        if Path(target).name == "c.json":
            raise PermissionError(13, "Permission denied", str(target))
        Path(source).rename(target)

    for name, broken in (("dateline.record_files.sync_file", full), ("dateline.record_files.os.replace", stuck)):
        with (
            monkeypatch.context() as patch,
            pytest.raises(BuildError, match=r"^out: cannot be written: .*; nothing was"),
        ):
            patch.setattr(name, broken)
            import_files(folder.project, "authoring", [docs], out)
        assert [(p.name, p.read_text()) for p in out.iterdir()] == [("b.json", "old")]
        with monkeypatch.context() as patch, pytest.raises(BuildError):
            patch.setattr(name, broken)
            import_files(folder.project, "authoring", [docs], folder.root / "new" / "deep")
        assert not (folder.root / "new").exists()
    import_files(folder.project, "authoring", [docs], out)
    assert sorted(p.name for p in out.iterdir()) == ["a.json", "b.json", "c.json"]


def test_an_earlier_import_of_an_edited_document_is_named(dateline: Run, folder: ProjectFolder) -> None:
    path, other = folder.root / "a.toml", folder.root / "b.toml"
    path.write_text(HEAD, encoding="utf-8")
    other.write_text(HEAD.replace("Ana met Bo in Rome.", "Nothing else is the same, so it is another text.")
                     .replace("Bo said", "Quite").replace("She said he left.", "Markets fell, prices rose."))  # fmt: skip
    (first,) = json.loads(dateline("import", "a.toml", "--json", cwd=folder.root).stdout)["written"]
    for again in ("a.toml", "b.toml"):
        done = dateline("import", again, cwd=folder.root)
        assert done.returncode == 0 and "warning" not in done.stderr
    old = Path(first).stem
    path.write_text(HEAD.replace("left.", "went away."), encoding="utf-8")
    says = f'{first} looks like an earlier import of a.toml: remove it, or give the new record supersedes = "{old}"'
    for words in (["--dry-run"], []):
        done = dateline("import", "a.toml", *words, cwd=folder.root)
        assert done.returncode == 0 and f"warning: {says}\n" in done.stderr
    assert json.loads(dateline("import", "a.toml", "--json", cwd=folder.root).stdout)["warnings"] == [says]
    told = HEAD.replace("left.", "went away.").replace("[text]", f'supersedes = "{old}"\n[text]')
    path.write_text(told, encoding="utf-8")
    assert "warning" not in dateline("import", "a.toml", cwd=folder.root).stderr
    path.write_text(told.replace("supersedes", "group = 'g'\nsupersedes").replace("away", "off"), encoding="utf-8")
    assert "warning" not in dateline("import", "a.toml", cwd=folder.root).stderr


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
    # the stories of ledgers and the contrast sets are written otherwise; tests/openwire has what makes them
    assert {p.stem for p in tmp_path.iterdir()} == set(FIRST) - {"ap-20241031-648d3119dda7"}
    assert set(load_schemas(REPOSITORY / "schemas").layers) - {"probes"} <= set(result.items)
