"""`dateline diff` as users run it: what sides may be, what is printed, exit codes, and one line for each thing that is wrong."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from building import Json, ProjectFolder, mention, record
from conftest import Run
from git_projects import commit, released_project


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    """Two releases, 0.1.0 and 0.2.0; since then an article was added."""
    project, _ = released_project(tmp_path_factory.mktemp("released"))
    project.seed(record("a2", "Cy slept, and nobody saw it.", mentions=[mention("m1", 0, 2)]), name="b.jsonl")
    commit(project.root)
    return project


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_the_last_release_is_compared_with_what_seeds_give(kept: ProjectFolder, dateline: Run) -> None:
    done = dateline("diff", cwd=kept.root)
    assert done.returncode == 0, done.stderr
    found = lines(done.stdout)
    assert found[0].startswith("tiny 0.2.0 (") and found[0].endswith("-> tiny 0.0.0 (worktree)")
    assert found[-2:] == ["bump: minor", "  an article was added: a2"]
    assert not (kept.root / "dataset" / "articles" / "a2").exists()


def test_two_releases_as_json(kept: ProjectFolder, dateline: Run) -> None:
    done = dateline("diff", "v0.1.0", "0.2.0", "--json", cwd=kept.root)
    found: Json = json.loads(done.stdout)
    assert list(found) == ["success", "old", "new", "bump", "why", "counts", "articles", "changes", "projected"]
    split = found["changes"][0]["split"]
    assert found["changes"] == [
        {
            "kind": "relabelled", "table": "mentions", "id": "a1#m1", "article_id": "a1", "row": "m1", "split": split,
            "columns": ["label"], "old": {"label": "PER"}, "new": {"label": "LOC"}, "bump": found["bump"],
            "why": "test-article" if split == "test" else "correction",
        }
    ]  # fmt: skip
    assert (found["success"], found["old"]["version"], found["new"]["version"]) == (True, "0.1.0", "0.2.0")
    assert found["counts"] == {"mentions": {"relabelled": 1}} and [{**row, "says": ""} for row in found["why"]] == [
        {**row, "says": ""} for row in found["changes"]
    ]
    assert found["projected"]["records"] == {"before": 1, "after": 1, "changed": True}


def test_exit_codes(kept: ProjectFolder, dateline: Run) -> None:
    for sides, code in ((("0.1.0", "0.2.0"), 1), (("0.1.0", "HEAD~4"), 0), (("HEAD~1", "0.2.0"), 0)):
        assert dateline("diff", *sides, "--exit-code", cwd=kept.root).returncode == code, sides
    assert dateline("diff", "0.1.0", "0.2.0", cwd=kept.root).returncode == 0


def test_counts_markdown_and_changes_of_one_table(kept: ProjectFolder, dateline: Run) -> None:
    stat = dateline("diff", "0.1.0", "0.2.0", "--stat", cwd=kept.root).stdout
    assert "mentions  relabelled        1" in lines(stat)
    assert dateline("diff", "0.1.0", "0.2.0", "--md", cwd=kept.root).stdout.startswith("### tiny 0.1.0 (")
    other = json.loads(dateline("diff", "0.1.0", "0.2.0", "--table", "articles", "--json", cwd=kept.root).stdout)
    assert (other["changes"], other["counts"], len(other["why"])) == ([], {}, 1)
    one = json.loads(dateline("diff", "0.1.0", "0.2.0", "--article", "a1", "--json", cwd=kept.root).stdout)
    assert len(one["changes"]) == 1


def test_folders_need_no_project_and_no_git(kept: ProjectFolder, dateline: Run, tmp_path: Path) -> None:
    shutil.copytree(kept.root / "dataset", tmp_path / "release" / "dataset")
    for words in ("release", "release/dataset", "release/dataset/manifest.json"):
        done = dateline("diff", words, "release/dataset", cwd=tmp_path, PATH="")
        assert "bump: patch" in done.stdout, done.stderr


def test_a_project_that_is_strict(kept: ProjectFolder, dateline: Run) -> None:
    sides = ("diff", "0.1.0", "0.2.0", "--json", "--policy")
    assert json.loads(dateline(*sides, "strict", cwd=kept.root).stdout)["bump"] == "major"
    settings = (kept.root / "pyproject.toml").read_text()
    kept.settings('policy = "strict"')
    assert json.loads(dateline(*sides[:-1], cwd=kept.root).stdout)["bump"] == "major"
    kept.settings('policy = "lax"')
    refused = dateline(*sides[:-1], cwd=kept.root)
    assert (refused.returncode, refused.stderr) == (
        2, f"error: {kept.root}/pyproject.toml: [tool.dateline] policy must be \"errata\" or \"strict\"; it is 'lax'\n",
    )  # fmt: skip
    (kept.root / "pyproject.toml").write_text(settings)


WRONG = {
    ("0.3.0",): "error: 0.3.0: no such release in the history of",
    ("0.0.0",): "error: 0.0.0: that is what builds between releases are called; name a commit",
    ("nothing",): "error: nothing: names no folder, no address (hf://..., s3://...), no release and no git revision; "
    "releases: 0.2.0, 0.1.0; `.` is what seeds/ give now",
    ("schemas",): "error: schemas: is no release: it has no manifest.json",
    ("ftp://x/y",): "error: ftp://x/y: ftp:// is not read from",
    ("0.1.0", "0.2.0", "--policy", "lax"): "error: --policy is 'lax'; there are errata and strict",
    ("0.1.0", "0.2.0", "--stat", "--md"): "error: --stat, --md and --json are three ways to print a diff; give one of them",
    (
        "0.1.0",
        "0.2.0",
        "--table",
        "events",
    ): "error: --table events: neither side has such a table; there are articles, annotation_sets, coverage",
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_what_is_wrong_is_said_in_one_line(words: tuple[str, ...], kept: ProjectFolder, dateline: Run) -> None:
    done = dateline("diff", *words, cwd=kept.root)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(WRONG[words]) and done.stderr.count("\n") == 1


def test_without_a_release_there_is_nothing_to_compare_with(folder: ProjectFolder, dateline: Run) -> None:
    folder.seed(record("a1"))
    done = dateline("diff", cwd=folder.root)
    assert (done.returncode, done.stderr) == (
        2,
        "error: nothing was released yet; name what to compare with: dateline diff HEAD .\n",
    )


def test_without_git_versions_are_not_to_be_had(kept: ProjectFolder, dateline: Run) -> None:
    done = dateline("diff", "0.1.0", cwd=kept.root, PATH="")
    assert done.stderr.startswith("error: git is not installed, and versions are looked for in git history")


def test_a_dataset_that_was_changed_by_hand_is_refused(kept: ProjectFolder, dateline: Run, tmp_path: Path) -> None:
    shutil.copytree(kept.root / "dataset", tmp_path / "edited")
    (path,) = (tmp_path / "edited" / "mentions").iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    done = dateline("diff", "edited", "edited", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"edited/mentions/{path.name}: has " in done.stderr and "get the release again" in done.stderr


def test_seeds_with_problems_are_told_and_nothing_is_compared(folder: ProjectFolder, dateline: Run) -> None:
    folder.seed(record("a1", mentions=[mention("m1", 0, 3)]))
    folder.rebuild()
    folder.seed(record("a1", mentions=[mention("m1", 0, 99)]))
    done = dateline("diff", "dataset", cwd=folder.root)
    assert (done.returncode, done.stdout) == (2, "")
    assert "seeds/a.jsonl:1 $.mentions[0].spans[0].end" in done.stderr
    assert done.stderr.endswith("what seeds/ give cannot be compared before they are mended\n")


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}])
def test_colours_are_for_terminals(kept: ProjectFolder, environment: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm-256color", **environment}
    words = [sys.executable, "-m", "dateline", "diff", "dataset", "dataset"]
    subprocess.run(words, cwd=kept.root, env=env, stdout=theirs, stderr=subprocess.DEVNULL, check=True, timeout=300)
    os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)
    assert b"bump: " in shown and (b"\x1b[" in shown) == (not environment)
