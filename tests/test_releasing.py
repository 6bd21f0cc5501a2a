"""release: the version that the data proves, everything stamped with it, all or nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dateline
from building import MENTIONS, ProjectFolder, mention, record
from conftest import Run
from dateline import transaction
from dateline.engines import LocalEngine
from dateline.errors import DatelineError, LoadError, ProjectError
from dateline.ledger import Ledger, read_ledger
from dateline.manifest import read_manifest
from dateline.project import find_project
from dateline.releasing import Released, release
from dateline.retracting import retract

TEXTS = {
    "a1": "Ana met Bo in Rome.", "a2": "Cy ran to Oslo.", "a3": "Di sat.", "a4": "Em slept in Bern.", "a5": "Flo sang.",
    "a6": "Gus left Kyiv.",
}  # fmt: skip
GIT = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b"}


class Versioned:
    """A project in a git repository."""

    def __init__(self, folder: ProjectFolder) -> None:
        self.folder, self.root = folder, folder.root
        self.records = {name: record(name, text, mentions=[mention("m1", 0, 2)]) for name, text in TEXTS.items()}
        self.write()
        (self.root / ".gitignore").write_text(".dateline/\n")
        self.git("init", "-q", "-b", "main")
        self.commit("seeds")

    def write(self) -> None:
        self.folder.seed(*self.records.values())

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.root, env={**os.environ, **GIT}, capture_output=True, text=True, check=True
        )
        return done.stdout

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def release(self, **options: Any) -> Released:
        done = release(find_project(self.root), LocalEngine(1), **options)
        if done.success and not options.get("dry_run"):
            self.commit(f"Release {done.version}")
        return done

    @property
    def ledger(self) -> Ledger:
        return read_ledger(self.root / "seeds" / "ledger.jsonl")

    def change(self, what: Callable[[dict[str, Any]], object]) -> None:
        what(self.records)
        self.write()
        self.commit("change")

    def files(self) -> dict[str, bytes]:
        found = {p.relative_to(self.root).as_posix(): p.read_bytes() for p in self.root.rglob("*") if p.is_file()}
        return {name: raw for name, raw in found.items() if not name.startswith((".git/", ".dateline/"))}

    def in_split(self, split: str) -> str:
        """A released article of a split."""
        return next(name for name, entry in sorted(self.ledger.articles.items()) if entry.split == split)


@pytest.fixture
def versioned(folder: ProjectFolder) -> Versioned:
    return Versioned(folder)


@pytest.fixture
def first(versioned: Versioned) -> Versioned:
    """The project after its first release."""
    assert versioned.release().version == "0.1.0"
    return versioned


def relabel(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda records: records[name]["mentions"][0].update(label="LOC")


def test_the_first_release_stamps_everything(versioned: Versioned) -> None:
    (versioned.root / "CITATION.cff").write_text("cff-version: 1.2.0\nmessage: cite\ntitle: Tiny\n")
    (versioned.root / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n- People's words.\n")
    versioned.commit("texts")
    done = versioned.release()
    assert (done.version, done.last, done.bump) == ("0.1.0", None, "") and done.manifest is not None
    root = versioned.root
    manifest = read_manifest(root / "dataset")
    assert manifest.version == "0.1.0" and manifest.tables["articles"].rows == 6
    assert 'version = "0.1.0"' in (root / "pyproject.toml").read_text()
    citation = (root / "CITATION.cff").read_text()
    assert "\nversion: 0.1.0\n" in citation and re.search(r'\ndate-released: "\d{4}-\d\d-\d\d"\n', citation)
    changelog = (root / "CHANGELOG.md").read_text()
    assert re.fullmatch(
        r"# Changelog\n\n## \[Unreleased\]\n\n## \[0\.1\.0\] - \d{4}-\d\d-\d\d\n\n- People's words\.\n\n### From the data\n\n"
        r"- First release: 6 articles \(train \d, validation \d, test \d\), 6 rows of annotation\.\n",
        changelog,
    ), changelog
    versions = json.loads((root / "dataset" / "versions.json").read_bytes())
    assert [v["version"] for v in versions["versions"]] == ["0.1.0"]
    assert versions["versions"][0]["content_digest"] == manifest.content_digest
    ledger = versioned.ledger
    assert {e.added_in for e in ledger.articles.values()} == {"0.1.0"}
    assert all(e.record_sha256 and e.text_sha256 and e.segment == 1 and e.changed_in is None for e in ledger.articles.values())
    articles = dateline.load("articles", source=root / "dataset", split="train")
    assert set(articles["added_in"]) == {"0.1.0"}
    assert not list((root / "dataset").glob("*.next.json"))


def test_a_rebuild_of_a_release_changes_nothing(first: Versioned) -> None:
    before = first.files()
    made = first.folder.rebuild(sweep=True)
    assert not made.changed and made.manifest is not None and made.manifest.version == "0.1.0"
    assert first.files() == before
    assert not first.git("status", "--porcelain")


@pytest.mark.parametrize(
    ("what", "bump", "version"),
    [
        (lambda v: lambda r: r.update(a7=record("a7", "Hal won.")), "minor", "0.2.0"),
        (lambda v: relabel(v.in_split("train")), "minor", "0.2.0"),
        (lambda v: relabel(v.in_split("test")), "major", "0.2.0"),
        (lambda v: lambda r: r[v.in_split("train")]["mentions"].clear(), "major", "0.2.0"),
    ],
    ids=["added", "corrected", "test-corrected", "removed"],
)
def test_the_bump_is_what_the_data_proves(
    first: Versioned, what: Callable[[Versioned], Callable[[dict[str, Any]], object]], bump: str, version: str
) -> None:
    first.change(what(first))
    done = first.release()
    assert (done.bump, done.version, done.last) == (bump, version, "0.1.0")
    assert [r.version for r in first.ledger.releases] == ["0.1.0", version] and first.ledger.releases[-1].bump == bump


def test_after_1_0_0_all_three_numbers_count(versioned: Versioned) -> None:
    assert versioned.release(stable=True).version == "1.0.0"
    versioned.change(relabel(versioned.in_split("train")))
    assert versioned.release().version == "1.1.0"
    versioned.change(relabel(versioned.in_split("test")))
    assert versioned.release().version == "2.0.0"
    assert versioned.release(bump="patch").version == "2.0.1"


def test_under_the_strict_policy_a_correction_is_major(first: Versioned) -> None:
    text = (first.root / "pyproject.toml").read_text()
    (first.root / "pyproject.toml").write_text(text + 'policy = "strict"\n')
    first.change(relabel(first.in_split("train")))
    assert first.release(dry_run=True).bump == "major"


def test_less_than_the_data_proves_is_refused_with_the_rows(first: Versioned) -> None:
    name = first.in_split("test")
    first.change(relabel(name))
    before = first.files()
    done = first.release(bump="minor")
    assert not done.success and [(c.id, c.kind) for c in done.forbidding] == [(f"{name}#m1", "relabelled")]
    assert first.files() == before
    assert first.release(bump="major").version == "0.2.0"


def test_more_than_the_data_proves_may_be_asked_for(first: Versioned) -> None:
    first.change(relabel(first.in_split("train")))
    done = first.release(bump="major")
    assert (done.bump, done.version, first.ledger.releases[-1].bump) == ("minor", "0.2.0", "major")
    assert "the data proves minor, major was asked for" in (first.root / "CHANGELOG.md").read_text()


def test_nothing_to_release_is_said(first: Versioned) -> None:
    before = first.files()
    done = first.release()
    assert done.nothing and not done.success
    assert first.files() == before


def test_errata_are_listed_with_digests_and_what_changed_is_stamped(first: Versioned) -> None:
    name = first.in_split("train")
    old = first.ledger.articles[name]
    first.records["a7"] = record("a7", "Hal won.")
    first.change(relabel(name))
    first.release()
    new = first.ledger.articles[name]
    assert (new.added_in, new.changed_in, new.split, new.segment) == ("0.1.0", "0.2.0", old.split, 1)
    assert first.ledger.articles["a7"].segment == 2 and first.ledger.articles["a7"].added_in == "0.2.0"
    changelog = (first.root / "CHANGELOG.md").read_text()
    assert old.record_sha256 is not None and new.record_sha256 is not None
    assert f"  - `{name}` (train; record `{old.record_sha256[:12]}` -> `{new.record_sha256[:12]}`)" in changelog
    assert '    - `m1` in mentions, relabelled: label `"PER"` -> `"LOC"`' in changelog
    assert "- Added: 1 article (" in changelog and "  - `a7`" in changelog
    assert changelog.index("## [0.2.0]") < changelog.index("## [0.1.0]")
    articles = dateline.load("articles", source=first.root / "dataset", split="all")
    assert {a["article_id"]: a["changed_in"] for a in articles if a["changed_in"]} == {name: "0.2.0"}


def test_an_appended_article_leaves_the_files_of_released_ones_as_they_are(first: Versioned) -> None:
    before = {f["path"] for f in read_manifest(first.root / "dataset").tables["mentions"].files}
    first.change(lambda r: r.update(a7=record("a7", "Hal won.", mentions=[mention("m1", 0, 3)])))
    first.release()
    after = {f["path"] for f in read_manifest(first.root / "dataset").tables["mentions"].files}
    assert before < after


def test_a_retracted_article_makes_a_major_release_and_names_the_reason(first: Versioned) -> None:
    name = first.in_split("train")
    retract(find_project(first.root), [name], "asked for by the publisher")
    del first.records[name]
    first.commit("retract")
    done = first.release()
    assert done.bump == "major"
    entry = first.ledger.articles[name]
    assert entry.retracted is not None and entry.retracted.version == "0.2.0"
    changelog = (first.root / "CHANGELOG.md").read_text()
    assert "- Retracted: 1 article (train 1)" in changelog and f"  - `{name}`: asked for by the publisher" in changelog
    said = json.loads((first.root / "dataset" / "versions.json").read_bytes())
    assert said["retracted"] == [{"article_id": name, "reason": "asked for by the publisher", "retracted_in": "0.2.0"}]


def test_every_row_of_every_release_is_found_in_the_newest_where_only_articles_were_added(
    first: Versioned, tmp_path: Path
) -> None:
    """Over three releases, for every base table and the nested records."""
    kept = {"0.1.0": tmp_path / "kept" / "0.1.0" / "dataset"}
    shutil.copytree(first.root / "dataset", kept["0.1.0"])
    for number, version in ((7, "0.2.0"), (8, "0.3.0")):
        first.records[f"a{number}"] = record(f"a{number}", f"Ina read {number} books.", mentions=[mention("m1", 0, 3)])
        first.change(lambda _: None)
        assert first.release().version == version
        kept[version] = tmp_path / "kept" / version / "dataset"
        shutil.copytree(first.root / "dataset", kept[version])
    newest = kept["0.3.0"]
    for version, folder in kept.items():
        for config in read_manifest(newest).tables:
            then = dateline.load(config, source=folder, split="all")
            now = dateline.load(config, source=newest, split="all", as_of=version)
            key = lambda row: json.dumps(row, sort_keys=True, default=str)  # noqa: E731
            assert sorted(map(key, then)) == sorted(map(key, now)), (version, config)


# ---- what is refused, and changes nothing ----------------------------------------------------------------------


def by_hand_in_dataset(v: Versioned) -> None:
    path = next((v.root / "dataset" / "mentions").glob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    v.commit("by hand")


def card_by_hand(v: Versioned) -> None:
    path = v.root / "dataset" / "README.md"
    path.write_text(path.read_text() + "\nmore\n")
    v.commit("by hand")


def ledger_by_hand(v: Versioned) -> None:
    path = v.root / "seeds" / "ledger.jsonl"
    path.write_text(path.read_text().replace('"split": "train"', '"split": "test"', 1))
    v.commit("by hand")


def changelog_knows_it(v: Versioned) -> None:
    path = v.root / "CHANGELOG.md"
    path.write_text(path.read_text().replace("## [0.1.0]", "## [0.2.0] - 2026-01-01\n\n## [0.1.0]"))
    v.commit("by hand")


def changelog_is_behind(v: Versioned) -> None:
    path = v.root / "CHANGELOG.md"
    path.write_text(path.read_text().replace("## [0.1.0]", "## [0.0.9]"))
    v.commit("by hand")


def version_by_hand(v: Versioned) -> None:
    path = v.root / "pyproject.toml"
    path.write_text(path.read_text().replace('"0.1.0"', '"0.5.0"'))
    v.commit("by hand")


def uncommitted(v: Versioned) -> None:
    v.records["a8"] = record("a8", "Ida hid.")
    v.write()


def gone_by_hand(v: Versioned) -> None:
    v.change(lambda r: r.pop(v.in_split("train")))


def rebuilt_and_shallow(v: Versioned) -> None:
    v.change(relabel(v.in_split("train")))
    v.folder.rebuild(sweep=True)
    v.commit("rebuilt")
    whole = v.root.with_name("whole")
    shutil.move(v.root / ".git", whole)
    clone = v.root.with_name("clone")
    subprocess.run(["git", "clone", "-q", "--depth", "1", whole.as_uri(), clone], check=True, capture_output=True)
    shutil.move(clone / ".git", v.root / ".git")


def rebuilt_and_without_git(v: Versioned) -> None:
    v.change(relabel(v.in_split("train")))
    v.folder.rebuild(sweep=True)
    shutil.rmtree(v.root / ".git")


def released_elsewhere(v: Versioned) -> None:
    """Another branch has released 0.2.0, which was merged without its ledger."""
    v.change(relabel(v.in_split("train")))
    ledger, project = (v.root / "seeds" / "ledger.jsonl").read_bytes(), (v.root / "pyproject.toml").read_bytes()
    changelog = (v.root / "CHANGELOG.md").read_bytes()
    v.release()
    (v.root / "seeds" / "ledger.jsonl").write_bytes(ledger)
    (v.root / "pyproject.toml").write_bytes(project)
    (v.root / "CHANGELOG.md").write_bytes(changelog)
    v.folder.rebuild(sweep=True)
    v.commit("take it back")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (by_hand_in_dataset, r"dataset/mentions/.*has been changed: sha256 .*dataset/ is never edited: run `dateline rebuild`"),
        (card_by_hand, r"is not the card that the manifest names \(edited by hand\?\)"),
        (ledger_by_hand, r"ledger\.jsonl: is not as it was written"),
        (changelog_knows_it, r"CHANGELOG\.md: has a heading for 0\.2\.0 already"),
        (changelog_is_behind, r"CHANGELOG\.md: its newest version is 0\.0\.9, but the last release is 0\.1\.0"),
        (version_by_hand, r"version is 0\.5\.0, but the last release is 0\.1\.0"),
        (uncommitted, r"seeds/a\.jsonl: changed, and not committed"),
        (rebuilt_and_shallow, r"git fetch --unshallow"),
        (rebuilt_and_without_git, r"the last release, 0\.1\.0, is not at hand: .* name a folder or an address .* --against"),
        (released_elsewhere, r"0\.2\.0: was released in commit [0-9a-f]{12} already"),
    ],
)
def test_what_does_not_agree_is_refused_in_one_line_and_nothing_changes(
    first: Versioned, fault: Callable[[Versioned], None], says: str
) -> None:
    fault(first)
    if fault not in (uncommitted, rebuilt_and_shallow, rebuilt_and_without_git, released_elsewhere):
        first.change(relabel(first.in_split("train")) if fault is not ledger_by_hand else relabel("a1"))
    before = first.files()
    with pytest.raises(DatelineError) as told:
        first.release()
    assert re.search(says, str(told.value)), told.value
    assert "\n" not in str(told.value)
    assert first.files() == before


def test_an_article_gone_by_hand_is_a_problem(first: Versioned) -> None:
    gone_by_hand(first)
    before = first.files()
    done = first.release()
    assert [p.rule for p in done.problems] == ["released-missing"] and not done.success
    assert first.files() == before


def test_the_last_release_is_found_elsewhere(first: Versioned, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    shutil.copytree(first.root / "dataset", kept)
    rebuilt_and_without_git(first)
    with pytest.raises(LoadError, match=r"is not the release 0\.1\.0: its content digest is"):
        release(find_project(first.root), LocalEngine(1), against=str(first.root / "dataset"))
    done = release(find_project(first.root), LocalEngine(1), against=str(kept))
    assert (done.version, done.bump) == ("0.2.0", "minor")


def test_the_last_release_is_found_in_git_after_a_rebuild(first: Versioned) -> None:
    first.change(relabel(first.in_split("train")))
    first.folder.rebuild(sweep=True)
    first.commit("rebuilt")
    assert first.release().version == "0.2.0"


def test_a_project_without_git_has_releases_too(folder: ProjectFolder) -> None:
    folder.seed(record("a1"))
    done = release(folder.project, LocalEngine(1))
    assert done.version == "0.1.0"
    folder.seed(record("a1"), record("a2", "Bo left."))
    assert release(folder.project, LocalEngine(1)).version == "0.2.0"


def test_a_dry_run_writes_nothing_and_says_all(first: Versioned) -> None:
    first.change(relabel(first.in_split("train")))
    before = first.files()
    done = first.release(dry_run=True)
    assert done.success and done.version == "0.2.0" and done.files[-1] == "dataset/"
    assert first.files() == before


class Killed(BaseException):
    pass


@pytest.mark.parametrize("number", range(0, 24))
def test_killed_anywhere_it_is_a_release_or_none(first: Versioned, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """After a kill at the nth write whoever opens the project finds the old state or the new one, whole."""
    first.change(lambda r: r.update(a7=record("a7", "Hal won.")))
    old = {n: raw for n, raw in first.files().items() if not n.startswith("dataset/")}
    calls = iter(range(10**6))
    with monkeypatch.context() as patched:
        for module, name in ((transaction, "write_atomically"), (transaction, "sync_file"), (os, "replace"), (Path, "replace")):
            real = getattr(module, name)

            def dies(*words: object, real: Any = real, **more: object) -> object:
                if next(calls) == number:
                    raise Killed
                return real(*words, **more)

            patched.setattr(module, name, dies)
        try:
            release(find_project(first.root), LocalEngine(1))
        except Killed:
            dateline.load("articles", source=first.root / "dataset", split="all")  # a reader meanwhile
    project = find_project(first.root)
    now = {n: raw for n, raw in first.files().items() if not n.startswith("dataset/")}
    manifest = read_manifest(first.root / "dataset")
    if project.settings.version == "0.1.0":
        assert now == old and manifest.version == "0.1.0"
        assert release(project, LocalEngine(1)).version == "0.2.0"
    else:
        assert [r.version for r in first.ledger.releases] == ["0.1.0", "0.2.0"] and manifest.version == "0.2.0"
        assert "## [0.2.0]" in (first.root / "CHANGELOG.md").read_text()
    made = first.folder.rebuild(sweep=True)
    assert made.manifest is not None and made.manifest.version == "0.2.0"


def test_the_command_says_what_it_did(dateline: Run, first: Versioned) -> None:
    done = dateline("release", cwd=first.root)
    assert (done.returncode, done.stdout) == (1, "nothing has changed since 0.1.0; there is nothing to release\n")
    name = first.in_split("test")
    first.change(relabel(name))
    done = dateline("release", "--bump", "minor", cwd=first.root)
    assert done.returncode == 1
    assert done.stdout == f"{name}#m1  mentions  relabelled: forces major (test-article)\n"
    assert done.stderr == (
        "not released: --bump minor is less than the data proves, which is major; 1 change since 0.1.0 forbid it\n"
    )
    said = json.loads(dateline("release", "--dry-run", "--json", cwd=first.root).stdout)
    assert said["success"] and said["version"] == "0.2.0" and said["bump"] == "major" and said["dry_run"]
    done = dateline("release", cwd=first.root)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("0.2.0 is released after 0.1.0: the data proves major; 6 articles, content ")
    assert "  seeds/ledger.jsonl  written\n" in done.stdout and "git tag v0.2.0" in done.stderr
    done = dateline("release", "--bump", "huge", cwd=first.root)
    assert done.returncode == 2 and "must be auto, major, minor or patch" in done.stderr


def test_a_changelog_that_says_unreleased_twice_is_refused() -> None:
    from dateline.describe.changelog import with_release

    with pytest.raises(ProjectError, match="must stand once, before all versions"):
        with_release("# C\n\n## [Unreleased]\n\n## [0.1.0]\n\n## [Unreleased]\n", "0.2.0", "2026-01-01", ["- x"], "0.1.0")


@pytest.mark.parametrize("what", ["records", "schemas", "settings"])
def test_what_is_edited_while_a_release_is_made_ends_it(first: Versioned, what: str) -> None:
    """It would hold what was not compared with the last one."""
    first.change(relabel(first.in_split("train")))
    before = first.files()
    edited: list[str] = []

    def edit(stage: str, done: int, total: int) -> None:
        if stage != "compile" or edited:
            return
        edited.append(what)
        if what == "records":
            relabel(first.in_split("test"))(first.records)
            first.write()
        elif what == "schemas":
            first.folder.schema("mentions", {**MENTIONS, "title": "Others"})
        else:
            first.folder.settings('title = "Other"', 'version = "0.1.0"')

    with pytest.raises(ProjectError, match=r"were edited while the release was made.* run `dateline release` again"):
        first.release(tell=edit)
    assert edited == [what] and {name: raw for name, raw in first.files().items() if raw != before.get(name)}.keys() <= {
        "seeds/a.jsonl", "schemas/mentions.schema.json", "pyproject.toml",
    }  # fmt: skip


def test_where_splits_are_given_the_ledger_has_those_of_the_release(folder: ProjectFolder) -> None:
    folder.settings("splits.mode = 'given'")
    texts = [*TEXTS.items()]

    def seeded(*splits: str) -> None:
        folder.seed(*(record(name, text, split=split) for (name, text), split in zip(texts, splits, strict=False)))

    seeded("train", "validation", "test")
    assert release(folder.project, LocalEngine(1), allow_dirty=True).success
    seeded("test", "validation", "test")
    assert release(folder.project, LocalEngine(1), allow_dirty=True).success
    assert {name: entry.split for name, entry in read_ledger(folder.project.ledger).articles.items()} == {
        "a1": "test", "a2": "validation", "a3": "test",
    }  # fmt: skip


def test_a_note_that_is_written_while_a_release_is_made_stays(first: Versioned) -> None:
    first.change(relabel(first.in_split("train")))
    changelog = first.root / "CHANGELOG.md"
    builds = []

    def note(stage: str, done: int, total: int) -> None:
        if stage == "compile" and done == total:
            builds.append(stage)
            if len(builds) == 2:
                changelog.write_text(changelog.read_text().replace("## [Unreleased]\n", "## [Unreleased]\n\n- A note.\n"))

    assert first.release(tell=note, allow_dirty=True).success and len(builds) == 2
    assert "- A note.\n" in changelog.read_text() and "Minor release after 0.1.0" in changelog.read_text()


def test_of_two_articles_with_one_text_one_can_be_retracted(versioned: Versioned) -> None:
    versioned.change(lambda records: records["a6"]["text"].update(content=TEXTS["a1"]))
    assert versioned.release().success
    done = retract(find_project(versioned.root), ["a6"], "a duplicate of a1")
    assert [str(place) for place in done.twins] == ["seeds/a.jsonl:1"]
    del versioned.records["a6"]
    versioned.commit("retract")
    assert versioned.release().success and versioned.ledger.articles["a1"].retracted is None
    versioned.change(lambda records: records.update(b1=record("b1", TEXTS["a1"])))
    assert [problem.rule for problem in versioned.release().problems] == ["retracted"], "another one does not come in"
