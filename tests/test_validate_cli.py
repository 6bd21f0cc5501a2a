"""`dateline validate` as a user types it: the words, the files it writes, the exit codes, one line when it cannot run."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from building import ProjectFolder, mention, record
from dateline.cli import main
from dateline.engines import LocalEngine
from dateline.pipeline import rebuild
from dateline.project import find_project

Told = tuple[int, str, str]
RULE = '[[rules]]\nid = "scored"\ntable = "mentions"\nlevel = "{}"\nsays = "a mention has no score"\nreason = "Score it."\n'


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Run the command line in this process, as Great Expectations takes seconds to import: exit code, stdout, stderr."""

    def run(*words: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["dateline", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


@pytest.fixture
def project(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    """A built project with one warning, in which the tests stand."""
    suites = folder.root / "expectations"
    suites.mkdir()
    (suites / "rules.toml").write_text(RULE.format("warning"))
    written = {
        "name": "mentions", "id": str(uuid.uuid4()), "meta": {"key": ["article_id", "mention_id"]},
        "expectations": [{
            "type": "expect_column_values_to_not_be_null", "kwargs": {"column": "score"}, "id": str(uuid.uuid4()),
            "meta": {"rule": "scored", "level": "warning", "reason": "Score it."},
        }],
    }  # fmt: skip
    (suites / "mentions.json").write_text(json.dumps(written))
    folder.seed(record("a1", mentions=[mention("m1", 0, 3)]))
    assert rebuild(find_project(folder.root), LocalEngine(1)).manifest
    monkeypatch.chdir(folder.root)
    return folder


def to_error(project: ProjectFolder) -> None:
    for name in ("rules.toml", "mentions.json"):
        path = project.root / "expectations" / name
        path.write_text(path.read_text().replace("warning", "error"))


def test_a_project_its_release_and_all_forms_of_the_result(project: ProjectFolder, typed: Callable[..., Told]) -> None:
    code, out, err = typed("validate")
    assert (code, out) == (0, "tiny 0.0.0: 1 expectation in 1 suite: no errors, 1 warning\n")
    assert err.splitlines()[0] == "seeds/a.jsonl:1 $.mentions[0]  mentions a1#m1: a mention has no score  [scored, warning]"
    to_error(project)
    code, out, err = typed("validate", "--junit", "r.xml", "--html", "r.html", "--md", "r.md", "--json")
    assert code == 1
    told = json.loads(out)
    assert (told["success"], told["findings"][0]["rows"]) == (False, ["a1#m1"])
    assert ElementTree.parse("r.xml").getroot().get("failures") == "1"
    assert "a1#m1" in Path("r.html").read_text() and "a1#m1" in Path("r.md").read_text()
    code, out, _ = typed("validate", "--md", "-")
    assert (code, out) == (1, Path("r.md").read_text())
    # the release still carries the suites that it met, in which this was a warning
    code, out, err = typed("validate", "dataset")
    assert (code, "1 warning" in out) == (0, True)
    assert "mentions a1#m1: a mention has no score" in err
    assert typed("validate", "dataset", "--suites", "expectations")[0] == 1


def test_anybodys_parquet_outside_of_any_project(
    tmp_path: Path, typed: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for n in (1, 2):
        pq.write_table(pa.table({"id": [n], "n": [n - 2]}), f"part{n}.parquet")
    suite = {
        "name": "s",
        "expectations": [{"type": "expect_column_values_to_be_between", "kwargs": {"column": "n", "min_value": 0}}],
    }
    Path("suite.json").write_text(json.dumps(suite))
    code, out, err = typed("validate", "part1.parquet", "part2.parquet", "--suite", "suite.json", "--key", "id")
    assert (code, out) == (1, "1 expectation in 1 suite: 1 error\n")
    assert err.startswith("suite.json  data 1: expected column values to be between (column=n, min_value=0); there is -1  [")
    assert typed("validate", ".", "--suite", "suite.json", "--engine", "pandas")[0] == 1
    assert typed("validate", "part2.parquet", "--suite", "suite.json")[0] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["--engine", "oracle"],
            "--engine is 'oracle'; there are duckdb, pandas, spark, and a master of Spark, spark://HOST:PORT",
        ),
        (["--suite", "s.json"], "--suite needs the Parquet files that it is about"),
        (["--key", "id"], "--key is for Parquet files with --suite"),
        (["dataset", "dataset"], "one release at a time; there are 2: dataset, dataset"),
        (["dataset", "--suite", "s.json"], "dataset: is a release, which --suites FOLDER is for"),
        (["dataset/mentions"], "dataset/mentions: is no release; Parquet files need a suite"),
        (["nowhere"], "nowhere: no such file or folder"),
        (["ftp://x/y"], "ftp:// is not read from"),
        (["--earlier", "nowhere"], "nowhere: no such folder"),
        (["dataset", "--suites", "nowhere"], "nowhere: holds no suite"),
        (["--memory-limit", "lots"], "lots"),
        (["--junit", "no/such/folder.xml"], "no/such/folder.xml: cannot be written: No such file or directory"),
    ],
)
def test_words_that_make_no_sense_are_one_line(
    project: ProjectFolder, typed: Callable[..., Told], words: list[str], says: str
) -> None:
    code, out, err = typed("validate", *words)
    assert (code, out) == (2, "")
    line = next(line for line in err.splitlines() if line.startswith("error: "))
    assert says in line


def test_a_release_that_was_changed_is_refused_before_anything_runs(project: ProjectFolder, typed: Callable[..., Told]) -> None:
    [file] = (project.root / "dataset" / "mentions").glob("*.parquet")
    file.write_bytes(file.read_bytes()[:-7])
    code, _, err = typed("validate", "dataset")
    assert code == 2
    assert "cut short" in err and file.name in err
    code, _, err = typed("validate")
    assert code == 2 and file.name in err and len(err.splitlines()) == 1
