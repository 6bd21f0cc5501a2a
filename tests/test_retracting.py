"""retract and yank: a tombstone without text, records that leave seeds/, and warnings for who loads what was taken back."""

from __future__ import annotations

import gzip
import hashlib
import json
import warnings
from pathlib import Path

import pytest

import dateline
from building import ProjectFolder, mention, record
from conftest import Run
from dateline import loading
from dateline.errors import InputError, LoadError
from dateline.ledger import Entry, Ledger, Release, read_ledger
from dateline.loading import TakenBackWarning
from dateline.retracting import retract, yank
from test_cli import MEASURES

SECRET = "Zoe Quill met Bo in Rome."
REASON = "the publisher asked for it"


@pytest.fixture
def released(folder: ProjectFolder) -> ProjectFolder:
    """A project whose ledger has four articles and one release."""
    folder.seed(record("a1"), record("a2", text=SECRET, mentions=[mention("m1", 0, 9)]), record("a3", text="Cy ran."))
    folder.seed(record("a4", text="Di sat."), name="one.json")
    made = folder.rebuild()
    assert made.manifest is not None
    texts = {"a1": "Ana met Bo in Rome.", "a2": SECRET, "a3": "Cy ran.", "a4": "Di sat."}
    entries = {
        name: Entry(name, "train", name, 1, "0.1.0", None, "r", hashlib.sha256(text.encode()).hexdigest())
        for name, text in texts.items()
    }
    folder.project.ledger.write_bytes(Ledger(articles=entries).encode())
    first = folder.rebuild().manifest  # with the ledger's splits
    assert first is not None
    release = Release("0.1.0", "2026-11-01", "minor", first.content_digest, first.logical_digest, 4, {"1": 0})
    folder.project.ledger.write_bytes(Ledger((release,), {}, entries).encode())
    made = folder.rebuild()
    assert made.manifest is not None
    (folder.root / "pyproject.toml").write_text('[tool.dateline]\nname = "tiny"\nversion = "0.1.0"\n')
    return folder


def test_a_release_built_again_has_its_version_and_lists_it(released: ProjectFolder) -> None:
    manifest = released.rebuild().manifest
    assert manifest is not None and manifest.version == "0.1.0"
    versions = json.loads((released.root / "dataset" / "versions.json").read_bytes())
    assert [v["version"] for v in versions["versions"]] == ["0.1.0"] and versions["retracted"] == []
    assert "Version 0.1.0, released 2026-11-01" in (released.root / "dataset" / "README.md").read_text()
    released.seed(record("a5", text="Em slept."), name="more.json")
    manifest = released.rebuild().manifest
    assert manifest is not None and manifest.version == "0.0.0"


def test_a_retracted_article_leaves_a_tombstone_without_text_and_does_not_come_back(released: ProjectFolder) -> None:
    root = released.root
    kept = (root / "seeds" / "a.jsonl").read_bytes()
    done = retract(released.project, ["a2", "a4"], REASON)
    assert done.files == ["seeds/a.jsonl", "seeds/one.json", "seeds/ledger.jsonl"]
    assert (root / "seeds" / "a.jsonl").read_bytes() == b"".join(kept.splitlines(keepends=True)[::2])
    assert not (root / "seeds" / "one.json").exists()
    for path in (root / "seeds").rglob("*"):
        assert path.is_dir() or b"Quill" not in path.read_bytes()
    entry = read_ledger(released.project.ledger).articles["a2"]
    assert entry.retracted is not None and entry.retracted.reason == REASON and entry.retracted.version is None
    made = released.rebuild(sweep=True)
    assert made.problems == [] and made.manifest is not None
    assert made.manifest.tables["articles"].rows == 2 and made.manifest.version == "0.0.0"
    assert not any(b"Quill" in path.read_bytes() for path in (root / "dataset").rglob("*.json"))
    said = json.loads((root / "dataset" / "versions.json").read_bytes())["retracted"]
    assert said[0] == {"article_id": "a2", "reason": REASON, "retracted_in": None}
    (root / "seeds" / "a.jsonl").write_bytes(kept)
    assert [p.rule for p in released.rebuild().problems] == ["retracted"]
    released.seed(record("a1"), record("b1", text=SECRET), record("a3", text="Cy ran."))
    (told,) = released.rebuild().problems
    assert told.rule == "retracted" and "'b1' has the text of 'a2'" in told.says


@pytest.mark.parametrize(
    ("ids", "reason", "says"),
    [
        (["a1x"], REASON, "a1x: is no released article; nearest are a1"),
        (["zebra"], REASON, "zebra: is no released article; 5 were released"),
        (["new"], REASON, "new: was never released; take its record out of seeds/new.json"),
        (["a1"], " ", "--reason: must say in one line why"),
        (["a1"], "two\nlines", "--reason: must say in one line why"),
        (["packed"], REASON, "stands in a compressed file"),
        (["a1", "a9"], REASON, "a9: is no released article"),
    ],
)
def test_what_cannot_be_retracted_changes_nothing(released: ProjectFolder, ids: list[str], reason: str, says: str) -> None:
    released.seed(record("new", text="Nobody saw it."), name="new.json")
    ledger = read_ledger(released.project.ledger)
    packed = {**ledger.articles, "packed": Entry("packed", "train", "packed", 1, "0.1.0")}
    released.project.ledger.write_bytes(Ledger(ledger.releases, {}, packed).encode())
    (released.root / "seeds" / "packed.jsonl.gz").write_bytes(gzip.compress(json.dumps(record("packed", text="Rain.")).encode()))
    before = {p: p.read_bytes() for p in (released.root / "seeds").rglob("*") if p.is_file()}
    with pytest.raises(InputError) as told:
        retract(released.project, ids, reason)
    assert says in str(told.value) and "\n" not in str(told.value)
    assert {p: p.read_bytes() for p in (released.root / "seeds").rglob("*") if p.is_file()} == before


def test_twice_is_told_and_a_dry_run_changes_nothing(released: ProjectFolder) -> None:
    before = released.project.ledger.read_bytes()
    assert retract(released.project, ["a1"], REASON, dry_run=True).files == ["seeds/a.jsonl", "seeds/ledger.jsonl"]
    assert released.project.ledger.read_bytes() == before
    retract(released.project, ["a1"], REASON)
    with pytest.raises(InputError, match=f"a1: was retracted on .* already .{REASON}."):
        retract(released.project, ["a1"], REASON)


def test_rows_of_tables_that_name_a_retracted_article_are_told(released: ProjectFolder) -> None:
    released.schema("measures", MEASURES)
    released.seed({"measure_id": "a1#m1"}, {"measure_id": "a3#m1"}, name="tables/measures.jsonl")
    assert [str(place) for place in retract(released.project, ["a1"], REASON).mentioned] == ["measures a1#m1"]


def test_records_that_supersede_a_retracted_article_are_told(released: ProjectFolder) -> None:
    released.seed(record("b1", supersedes="a3"), record("b2", supersedes="a1"), name="more.jsonl")
    assert [str(place) for place in retract(released.project, ["a1", "a3"], REASON).mentioned] == [
        "seeds/more.jsonl:1 $.supersedes", "seeds/more.jsonl:2 $.supersedes",
    ]  # fmt: skip


def test_who_loads_a_yanked_release_is_warned(released: ProjectFolder) -> None:
    released.rebuild()
    with warnings.catch_warnings():
        warnings.simplefilter("error", TakenBackWarning)
        dateline.load("articles", source=released.root / "dataset")
    yank(released.project, "v0.1.0", "labels of a1 were swapped")
    made = released.rebuild().manifest
    assert made is not None and made.version == "0.1.0"
    assert "yanked" in (released.root / "dataset" / "README.md").read_text()
    with pytest.warns(TakenBackWarning, match=r"tiny 0\.1\.0 was yanked: labels of a1 were swapped"):
        dateline.load("articles", source=released.root / "dataset")
    with pytest.raises(InputError, match=r"0\.1\.0: was yanked on .* already"):
        yank(released.project, "0.1.0", REASON)
    with pytest.raises(InputError, match=r"0\.3\.0: is no released version; there are 0\.1\.0"):
        yank(released.project, "0.3.0", REASON)


def test_who_loads_an_old_release_with_a_retracted_article_is_warned(
    released: ProjectFolder, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    released.rebuild(sweep=True)
    old = tmp_path_factory.mktemp("old") / "dataset"
    shutil.copytree(released.root / "dataset", old)
    retract(released.project, ["a2"], REASON)
    released.rebuild(sweep=True)
    monkeypatch.setattr(loading, "packaged_dataset", lambda: released.root / "dataset")
    with pytest.warns(
        TakenBackWarning, match=rf"tiny 0\.1\.0 holds what was retracted since: a2 \({REASON}\); load a newer release"
    ):
        dateline.load("articles", source=old)
    with warnings.catch_warnings():
        warnings.simplefilter("error", TakenBackWarning)
        dateline.load("articles", source=released.root / "dataset")


def test_the_commands_say_what_they_do(dateline: Run, released: ProjectFolder) -> None:
    done = dateline("retract", "a2", "--reason", REASON, cwd=released.root)
    assert (done.returncode, done.stdout) == (0, "seeds/a.jsonl  changed\nseeds/ledger.jsonl  changed\n")
    assert "1 article retracted; the next `dateline release` is a major one" in done.stderr
    done = dateline("yank", "0.1.0", "--reason", REASON, "--json", cwd=released.root)
    assert json.loads(done.stdout) == {"success": True, "yanked": "0.1.0", "files": ["seeds/ledger.jsonl"], "dry_run": False}
    done = dateline("retract", "a2", "--reason", REASON, cwd=released.root)
    assert done.returncode == 2 and done.stderr.startswith("error: a2: was retracted on ") and done.stderr.count("\n") == 1
    done = dateline("retract", "a2", cwd=released.root)
    assert done.returncode == 2 and "--reason" in done.stderr


def test_versions_are_whole_while_a_rebuild_replaces_them(released: ProjectFolder) -> None:
    from dateline.manifest import read_manifest, read_versions
    from dateline.release_files import check_files

    released.rebuild(sweep=True)
    dataset: Path = released.root / "dataset"
    manifest = read_manifest(dataset)
    (dataset / "versions.json").rename(dataset / "versions.next.json")
    assert [f for f in check_files(dataset, manifest) if f.level == "error"] == []
    assert read_versions(dataset, manifest) is not None
    (dataset / "versions.next.json").write_text("{}")
    assert [f.file for f in check_files(dataset, manifest) if f.level == "error"] == ["versions.json"]


def test_an_earlier_release_is_found_in_a_later_one(released: ProjectFolder) -> None:
    released.rebuild()
    released.seed(record("a5", text="Em slept.", mentions=[mention("m1", 0, 2)]), name="more.json")
    made = released.rebuild(sweep=True).manifest
    assert made is not None and made.tables["articles"].rows == 5
    source = released.root / "dataset"
    for streaming in (False, True):
        now = dateline.load(
            "articles", source=source, split="all" if not streaming else "train+test+validation", streaming=streaming
        )
        assert len(list(now)) == 5
    then = dateline.load("articles", source=source, split="train", as_of="v0.1.0")
    assert sorted(then["article_id"]) == ["a1", "a2", "a3", "a4"]
    assert dateline.load("mentions", source=source, split="train", as_of="0.1.0")["article_id"] == ["a2"]
    with pytest.raises(LoadError, match=r"lists no release 0\.9\.0; it lists 0\.1\.0"):
        dateline.load("articles", source=source, as_of="0.9.0")
