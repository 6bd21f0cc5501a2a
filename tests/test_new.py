"""`dateline new`: a whole project from a folder of annotated files, from a corpus that is known, or from an example."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from building import REPOSITORY, shared
from conftest import Run
from dateline.cli import app
from dateline.compare import Differences
from dateline.compile.seeds import check_files
from dateline.engines import LocalEngine
from dateline.errors import InputError, UsageError
from dateline.manifest import read_manifest
from dateline.pipeline import check, rebuild
from dateline.project import PRIVATE, find_project
from dateline.schema import load_schemas
from dateline.starting import Started, Wishes, known_corpora, start
from dateline.validate.suite_files import changes
from dateline.validating import Request, validate_project

MEANTIME = shared() / "corpora" / "meantime" / "intra-doc_annotation"
WORDS = ("Ana", "met", "Bo", "in", "Rome", ".", "They", "spoke", "of", "trade", ".")


def cat(number: int, *, broken: bool = False) -> str:
    """A CAT document of two sentences: two mentions, an event with a participant, and perhaps a link that leads nowhere."""
    tokens = "".join(f'<token t_id="{i + 1}" sentence="{int(i > 5)}" number="{i}">{w}</token>' for i, w in enumerate(WORDS))
    mention = '<ENTITY_MENTION m_id="{}" syntactic_type="{}"><token_anchor t_id="{}"/></ENTITY_MENTION>'
    link = '<HAS_PARTICIPANT r_id="9{0}" sem_role="Arg{0}"><source m_id="30"/><target m_id="{1}"/></HAS_PARTICIPANT>'
    return (
        f'<Document doc_id="{number}" doc_name="Story {number}" lang="en">{tokens}<Markables>'
        + mention.format(10, "NAM", 1) + mention.format(11, "NAM", 3)
        + '<EVENT_MENTION m_id="30" pred="meet" pos="VERB" tense="PAST"><token_anchor t_id="2"/></EVENT_MENTION></Markables>'
        + f"<Relations>{link.format(0, 10)}{link.format(1, 99 if broken else 11)}</Relations></Document>"
    )  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with six CAT documents in train/ and test/; in one of them a link leads nowhere."""
    folder = tmp_path / "cat files"
    for number in range(6):
        path = folder / ("test" if number > 3 else "train") / f"story {number}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(cat(number, broken=number == 2), encoding="utf-8")
    return folder


def made(target: Path, **options: Any) -> Started:
    keep = {k: options.pop(k) for k in ("dry_run", "keep") if k in options}
    return start(target, Wishes(**options), LocalEngine(1), **keep)


def settings_of(folder: Path) -> dict[str, Any]:
    return dict(tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dateline"])


def seen_by(parent: Path) -> set[str]:
    return {p.name for p in parent.iterdir()}


# ---- the words -----------------------------------------------------------------------------------------------


def test_nobodys_texts_are_taken_without_a_word_on_their_rights(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told:
        made(tmp_path / "mine", source=source)
    assert "--text-license SPDX" in str(told.value) and "--private" in str(told.value) and "\n" not in str(told.value)
    with pytest.raises(UsageError, match="give one of them"):
        made(tmp_path / "mine", source=source, text_license="CC0-1.0", private=True)
    with pytest.raises(UsageError, match="must be an SPDX expression"):
        made(tmp_path / "mine", source=source, text_license="free for all")
    assert seen_by(tmp_path) == {"cat files"}


@pytest.mark.parametrize("name", ["My Corpus", "under_score", "ünï"])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lower-case words with hyphens"):
        made(tmp_path / name)


def test_a_folder_that_is_taken_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        made(tmp_path / "taken")
    with pytest.raises(UsageError, match="is not there"):
        made(tmp_path / "none" / "corpus")
    assert seen_by(tmp_path / "taken") == {"file"}


def test_a_format_that_is_not_there_is_answered_with_those_that_are(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there are: authoring, .*cat, .*meantime"):
        made(tmp_path / "mine", source=source, format="catt", private=True)
    with pytest.raises(UsageError, match="written for the schemas of a project"):
        made(tmp_path / "mine", source=source, format="authoring", private=True)
    with pytest.raises(UsageError, match="leave out --text-license"):
        made(tmp_path / "mine", source=source, format="meantime", text_license="CC-BY-4.0")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("nothing")
    with pytest.raises(UsageError, match="looks like no format"):
        made(tmp_path / "mine", source=tmp_path / "notes", private=True)
    with pytest.raises(InputError, match="holds no document"):
        made(tmp_path / "mine", source=tmp_path / "notes", format="cat", private=True)


def test_a_source_of_which_nothing_can_be_read_says_why_and_what_to_try(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(InputError, match="in: holds no files"):
        made(tmp_path / "mine", source=folder, private=True)
    for name in ("a", "b"):
        (folder / f"{name}.json").write_text('{"title": "no text"}')
    with pytest.raises(InputError) as told:
        made(tmp_path / "mine", source=folder, private=True)
    assert "holds no document of the format json; 2 could not be read, first " in str(told.value)
    assert f"{folder}/a.json" in str(told.value) and "(gnqa, gum-news, meantime), say so by --from" in str(told.value)
    with pytest.raises(InputError) as told:
        made(tmp_path / "mine", source=folder, format="json", private=True)
    assert "--from" not in str(told.value)


def test_what_has_no_name_is_told_without_one(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1, "text": "Ana", "label": [[0, 3, "PER"]]}\n{"label": []}\n')
    words = ["new", str(tmp_path / "mine"), str(tmp_path / "a.jsonl"), "--from", "doccano", "--private", "--dry-run"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0 and "a.jsonl:2  document: has no text" in done.stderr


def test_the_command_says_what_belongs_to_a_path(tmp_path: Path) -> None:
    for words, says in (
        (["--from", "cat"], "name their PATH"),
        ([".", "--private", "--option", "x"], "must be NAME=VALUE"),
    ):
        done = CliRunner().invoke(app, ["new", str(tmp_path / "mine"), *words])
        assert isinstance(done.exception, UsageError) and says in str(done.exception)


# ---- all or nothing ------------------------------------------------------------------------------------------


def test_a_dry_run_guesses_and_imports_and_leaves_nothing(source: Path, tmp_path: Path) -> None:
    done = made(tmp_path / "mine", source=source, private=True, dry_run=True)
    assert done.format == "cat" and "look like it" in done.why and not done.made
    assert done.converted and done.converted.documents == 6 and done.converted.n_rejections == 1
    assert any(g.what == "splits: as given" for g in done.guesses)
    assert seen_by(tmp_path) == {"cat files"}


def test_where_everything_is_rejected_nothing_is_made(source: Path, tmp_path: Path) -> None:
    alone = source / "train" / "story 0.xml"
    alone = alone.rename(alone.with_name("con.xml"))  # a name that no article can have
    done = made(tmp_path / "mine", source=alone, private=True)
    assert done.converted and not done.converted.written and done.converted.n_rejections and not done.made
    assert seen_by(tmp_path) == {"cat files"}


def test_a_project_that_cannot_be_rebuilt_is_left_only_if_asked_for(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise InputError("the disk is full")

    monkeypatch.setattr("dateline.starting.rebuild", broken)
    with pytest.raises(InputError):
        made(tmp_path / "mine", source=source, private=True)
    assert seen_by(tmp_path) == {"cat files"}
    with pytest.raises(InputError):
        made(tmp_path / "mine", source=source, private=True, keep=True)
    assert seen_by(tmp_path) == {"cat files", "mine"}
    assert len(list((tmp_path / "mine" / "seeds").rglob("*.json"))) == 6


# ---- what is made --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Started]:
    """A private project of the six documents."""
    root = tmp_path_factory.mktemp("new")
    for number in range(6):
        path = root / "in" / ("test" if number > 3 else "train") / f"story {number}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(cat(number, broken=number == 2), encoding="utf-8")
    return root / "mine", made(root / "mine", source=root / "in", private=True)


@pytest.mark.slow
@pytest.mark.xdist_group("project")
def test_a_project_is_whole_imported_rebuilt_and_validated(project: tuple[Path, Started]) -> None:
    folder, done = project
    assert done.made and done.rebuilt and done.rebuilt.validated and done.rebuilt.validated["failed"] == 0
    assert seen_by(folder.parent) == {"in", "mine"}
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert names >= {
        "pyproject.toml", "README.md", "CHANGELOG.md", ".gitignore", ".github/workflows/ci.yml", "requirements.txt",
        "mapping.toml",
        "schemas/article.schema.json", "schemas/entity_mentions.schema.json", "expectations/rules.toml",
        "expectations/relations/profile_rows.sql", "dataset/README.md", ".dateline/quarantine.jsonl",
    }  # fmt: skip
    manifest = read_manifest(folder / "dataset")
    assert manifest.tables["articles"].splits == {"train": 4, "test": 2}
    assert {n: manifest.tables[n].rows for n in ("entity_mentions", "event_mentions", "has_participants")} == {
        "entity_mentions": 12, "event_mentions": 6, "has_participants": 11,
    }  # fmt: skip
    assert settings_of(folder)["splits"] == {"mode": "given"}


@pytest.mark.slow
@pytest.mark.xdist_group("project")
def test_a_private_project_keeps_its_texts_and_says_everywhere_that_it_is_private(project: tuple[Path, Started]) -> None:
    folder, _ = project
    home = find_project(folder)
    assert home.settings.private and home.settings.license == PRIVATE
    assert "dataset/" in (folder / ".gitignore").read_text().splitlines()
    card = (folder / "dataset" / "README.md").read_text()
    assert "Private: not for distribution" in card and f"license_name: {PRIVATE}" in card
    record = json.loads(next((folder / "seeds").rglob("*.json")).read_text())
    assert record["rights"]["text_license"] == PRIVATE and record["text"]["content"].startswith("Ana met Bo")
    assert "- run: dateline rebuild\n" in (folder / ".github" / "workflows" / "ci.yml").read_text()


@pytest.mark.slow
@pytest.mark.xdist_group("project")
def test_what_its_ci_runs_is_green(project: tuple[Path, Started]) -> None:
    home = find_project(project[0])
    assert check_files(home, [home.seeds]).problems == []
    assert changes(home.expectations, load_schemas(home.schemas)) == []
    differences = check(home, LocalEngine(1))
    assert isinstance(differences, Differences) and not differences
    assert validate_project(home, Request()).counts["failed"] == 0


@pytest.mark.slow
@pytest.mark.xdist_group("project")
def test_starting_suites_warn_when_a_later_state_looks_unlike_the_first_import(project: tuple[Path, Started]) -> None:
    folder, _ = project
    path = sorted((folder / "seeds" / "articles").glob("*.json"))[0]
    before = path.read_bytes()
    record = json.loads(before)
    words = record["text"]["content"]
    del record["text"]["sha256"], record["text"]["n_code_points"], record["text"]["n_bytes"]
    record["text"]["content"] = words + " and so on" * 100
    record["event_mentions"][0]["spans"] = [{"start": 0, "end": len(words)}]
    path.write_text(json.dumps(record))
    try:
        done = rebuild(find_project(folder), LocalEngine(1))
    finally:
        path.write_bytes(before)
    told = {p.rule for p in done.warnings}
    assert done.manifest and {"profiled-text-length", "profiled-length-event-mentions-spans"} <= told


@pytest.mark.slow
def test_texts_under_a_licence_nobody_knows_are_withheld(source: Path, tmp_path: Path) -> None:
    done = made(tmp_path / "mine", source=source, text_license="LicenseRef-agency", format="cat")
    assert done.made and any("may not be passed on" in g.what for g in done.guesses)
    files = [p for p in (tmp_path / "mine" / "dataset").rglob("*") if p.is_file()]
    assert not [p for p in files if b"They spoke of trade" in p.read_bytes()]
    assert read_manifest(tmp_path / "mine" / "dataset").tables["standoff"].rows == 6


@pytest.mark.slow
def test_without_a_path_there_is_one_worked_example(dateline: Run, tmp_path: Path) -> None:
    done = dateline("new", "first-corpus", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("error")) == (0, 0), done.stderr
    assert "first-corpus/ made: 1 article" in done.stdout
    home = find_project(tmp_path / "first-corpus")
    checked = check_files(home, [home.seeds])
    assert (checked.records, checked.problems) == (1, [])
    assert set(read_manifest(home.dataset).tables) >= {"names", "quotations"}
    assert "example" in (home.root / "README.md").read_text()
    words = [str(home.root / name) for name in (".gitignore", "CHANGELOG.md", ".github/workflows/ci.yml")]
    assert all(os.path.exists(word) for word in words) and dateline("check", cwd=home.root).returncode == 0


def test_the_example_is_a_good_record(tmp_path: Path) -> None:
    example = REPOSITORY / "src" / "dateline" / "templates" / "example"
    shutil.copytree(example, tmp_path / "mine")
    (tmp_path / "mine" / "pyproject.toml").write_text('[tool.dateline]\nname = "mine"\n')
    home = find_project(tmp_path / "mine")
    checked = check_files(home, [home.seeds])
    assert (checked.records, checked.problems) == (1, [])


# ---- real corpora --------------------------------------------------------------------------------------------


def test_known_corpora_are_listed() -> None:
    assert "meantime" in known_corpora() and "new" in {c.name for c in app.registered_commands}


@pytest.mark.slow
@pytest.mark.skipif(not MEANTIME.is_dir(), reason="the corpus MEANTIME is not on this machine")
def test_meantime_by_inference_rejects_only_what_is_wrong_in_it(tmp_path: Path) -> None:
    done = made(tmp_path / "mine", source=MEANTIME, format="cat", text_license="CC-BY-4.0", dry_run=True)
    assert done.converted is not None
    account = done.converted.account
    assert done.converted.documents == 120 and not account.ignored
    assert {(r.type, r.rule) for r in done.converted.rejections} == {
        ("HAS_PARTICIPANT", "reference"), ("GLINK", "reference"), ("TLINK", "reference")
    }  # fmt: skip
    assert done.converted.n_rejections == 5  # links of markables that are not in their document


@pytest.mark.slow
@pytest.mark.parametrize(("corpus", "documents"), [("meantime/intra-doc_annotation", 120), ("gnqa", 850), ("gum-news", 24)])
def test_a_known_corpus_by_name_has_the_shipped_mapping(corpus: str, documents: int, tmp_path: Path) -> None:
    if not (shared() / "corpora" / corpus).is_dir():
        pytest.skip("the corpus is not on this machine")
    name = corpus.partition("/")[0]
    done = made(tmp_path / "mine", source=shared() / "corpora" / corpus, format=name, dry_run=True)
    assert done.converted is not None and done.converted.documents == documents
    assert done.format == name and done.guesses[0].change == "schemas/, mapping.toml"
    assert not any("splits" in warning for warning in done.converted.warnings)  # mode = "given" where the mapping gives them
    assert seen_by(tmp_path) == set()


@pytest.mark.slow
@pytest.mark.parametrize(("corpus", "format_name", "documents"), [("brat-news", "brat", 13), ("gum-news", "conllu", 24)])
def test_real_files_are_known_by_their_looks_and_nothing_of_them_is_left_out(
    corpus: str, format_name: str, documents: int, tmp_path: Path
) -> None:
    if not (shared() / "corpora" / corpus).is_dir():
        pytest.skip("the corpus is not on this machine")
    done = made(tmp_path / "mine", source=shared() / "corpora" / corpus, private=True, dry_run=True)
    assert done.converted is not None and (done.format, done.converted.documents) == (format_name, documents)
    assert done.converted.n_rejections == 0 and not done.converted.account.ignored
