"""The command line as a user meets it: words in, results out, exit codes, one clear line when something is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from building import REPOSITORY, ProjectFolder, mention, record
from conftest import Run
from dateline import __version__
from dateline.cli import COMMANDS, app
from dateline.errors import LoadError
from dateline.ledger import Entry, Ledger
from dateline.manifest import read_manifest

HEAVY = ("pyarrow", "datasets", "pandas", "numpy", "great_expectations", "duckdb", "jsonschema_rs", "orjson", "yaml", "polars")


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["rebuild", "--help"], ["check", "--help"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    script = (
        "import sys\nsys.argv[1:] = " + repr(words) + "\n"
        "from dateline.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('IMPORTED', *sorted({m.split('.')[0] for m in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = done.stdout.rpartition("IMPORTED")[2].split()
    assert "typer" in imported
    assert not set(HEAVY) & set(imported)


def test_version_and_commands(dateline: Run) -> None:
    assert dateline("--version").stdout == f"dateline {__version__}\n"
    told = dateline("--help").stdout
    for command in COMMANDS:
        assert f"\n  {command} " in told
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0
    assert "--install-completion" in told


def test_a_profile_names_every_stage_and_changes_no_result(dateline: Run, folder: ProjectFolder) -> None:
    folder.seed(record("a1", mentions=[mention("m1", 0, 3)]))
    plain = dateline("rebuild", "--jobs", "1", cwd=folder.root)
    done = dateline("rebuild", "--again", "--jobs", "1", "--profile", cwd=folder.root)
    assert done.stdout == plain.stdout.replace("rebuilt", "unchanged")
    stages = [line.rpartition("  ")[0].strip() for line in done.stderr.splitlines()]
    for stage in ("index", "plan", "compile", "derive", "describe", "validate", "scan for leaks", "promote", "in all"):
        assert any(line.startswith(stage) for line in stages), stage
    assert "of seeds; most memory: this process" in done.stderr
    said = json.loads(dateline("rebuild", "--check", "--profile", "--json", cwd=folder.root).stdout)
    assert said["success"] and said["profile"]["input_bytes"] == sum(f.stat().st_size for f in (folder.root / "seeds").iterdir())
    assert {"index", "compile"} <= {stage["name"] for stage in said["profile"]["stages"]}
    assert "profile" not in json.loads(dateline("rebuild", "--json", cwd=folder.root).stdout)
    folder.seed(record("a1", mentions=[mention("m1", 0, 3_000)]))
    failed = dateline("rebuild", "--profile", cwd=folder.root)
    assert failed.returncode == 1 and "compile" in failed.stderr and "derive" not in failed.stderr


def test_rebuild_check_and_stats_of_a_project(dateline: Run, folder: ProjectFolder) -> None:
    folder.seed(record("a1", mentions=[mention("m1", 0, 3)]), record("a2"))
    done = dateline("rebuild", "--jobs", "1", cwd=folder.root)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("dataset/ rebuilt: 2 articles (train 2), 3 rows in 3 configs, content ")
    assert dateline("rebuild", cwd=folder.root).stdout.startswith("dataset/ unchanged: 2 articles")
    assert dateline("check", cwd=folder.root / "seeds").stdout == "2 records in 1 file: no problems\n"
    told = json.loads(dateline("stats", "--json", cwd=folder.root).stdout)
    assert list(told) == ["version", "tables", "labels"]
    assert told["version"] == "0.0.0"
    assert told["tables"]["mentions"] == {"rows": 1, "splits": {"train": 1}}
    assert told["labels"]["mentions"] == {"label": {"PER": 1, "LOC": 0}}
    assert "mentions" in dateline("stats", "--labels", cwd=folder.root).stdout
    again = json.loads(dateline("rebuild", "--json", cwd=folder.root).stdout)
    assert again["success"] and not again["changed"] and len(again["content_digest"]) == 64


def test_problems_are_lines_on_stderr_and_exit_1(dateline: Run, folder: ProjectFolder) -> None:
    folder.seed(record("a1", mentions=[mention("m1", 0, 812)]))
    for command in ("rebuild", "check"):
        done = dateline(command, cwd=folder.root)
        assert done.returncode == 1
        assert done.stderr.splitlines()[:4] == [
            "seeds/a.jsonl:1 $.mentions[0].spans[0].end  ends at 812, but the text has 19 characters  [span-inside-text]",
            "    Ana met Bo in Rome.",
            "    ^^^^^^^^^^^^^^^^^^^",
            "    Offsets count Unicode code points, not bytes and not UTF-16 units.",
        ]
    assert "1 problem; dataset/ is as it was" in dateline("rebuild", cwd=folder.root).stderr
    assert not (folder.root / "dataset").exists()
    told = json.loads(dateline("check", "--json", cwd=folder.root).stdout)
    assert told["success"] is False
    assert told["problems"][0] == {
        "rule": "span-inside-text",
        "level": "error",
        "file": "seeds/a.jsonl",
        "line": 1,
        "pointer": "$.mentions[0].spans[0].end",
        "says": "ends at 812, but the text has 19 characters",
        "hint": "Offsets count Unicode code points, not bytes and not UTF-16 units.",
    }
    assert json.loads(dateline("rebuild", "--json", cwd=folder.root).stdout)["problems"] == told["problems"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["check", "nowhere.jsonl"], "nowhere.jsonl: no such file or folder"),
        (["check", "pyproject.toml"], "pyproject.toml: is not a seed file; they end in .json, .jsonl"),
        (["stats"], "dataset/manifest.json: no such file; `dateline rebuild` makes the dataset"),
        (["import", "nowhere"], "nowhere: no such file or folder"),
        (["import", "seeds", "--from", "brot"], "no importer 'brot'; there are: authoring, brat, cat"),
        (
            ["import", "seeds", "--from", "brat"],
            "format brat needs a mapping.toml; `dateline new NAME --from brat",
        ),
        (["import", "seeds"], "no files ending in .toml in seeds"),
        (["rebuild", "--project", "/"], "no project here: looked for a pyproject.toml with [tool.dateline] in /"),
        (["rebuild"], "seeds: holds no records"),
        (["rebuild", "--jobs", "0"], "Invalid value for '--jobs'"),
        (["rebuilt"], "No such command 'rebuilt'"),
    ],
)
def test_what_cannot_run_says_so_in_one_line_and_exits_2(
    dateline: Run, folder: ProjectFolder, words: list[str], says: str
) -> None:
    done = dateline(*words, cwd=folder.root)
    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 or "Usage" in done.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool.dateline\n", "is not valid TOML"),
        ("[tool.dateline]\nname = 'A B'\n", "name must be lower-case words with hyphens; it is 'A B'"),
        ("[tool.dateline]\nname = 'a'\nversoin = '1.0.0'\n", "[tool.dateline] has no setting versoin; it has name, title"),
        ("[tool.dateline]\nname = 'a'\nversion = '1.0'\n", "version must be MAJOR.MINOR.PATCH; it is '1.0'"),
        ("[tool.dateline]\nname = 'a'\n[tool.dateline.splits]\nquotas = {train = 0.9}\n", "quotas must be positive and sum to 1"),
        ("[tool.dateline]\nname = 'a'\n[tool.dateline.splits]\nmode = 'x'\n", 'mode must be "computed" or "given"'),
        ("[tool.dateline]\nname = 'a'\nsplits.assigned = {dev = ['g']}\n", "the split 'dev'; there are train, validation, test"),
        ("[tool.dateline]\nname = 'a'\nsplits = {mode = 'given', assigned = {test = ['g']}}\n", 'assigned needs mode "computed"'),
        ("[tool.dateline]\nname = 'a'\n[tool.dateline.splits]\nquotas = {all = 1.0}\n", "'all' cannot name a split"),
        (
            "[tool.dateline]\nname = 'a'\n[tool.dateline.splits]\nnear_duplicates = 1\n",
            "near_duplicates must be true or false; it is 1",
        ),
        ("[tool.dateline]\nname = 'a'\n[tool.dateline.splits]\nthreshold = 0.3\n", "threshold must be from 0.5 to 1; it is 0.3"),
        (
            "[tool.dateline]\nname = 'a'\n[tool.dateline.splits]\nnum_perm = 0\n",
            "num_perm must be a whole number from 16 to 1024",
        ),
        (
            "[tool.dateline]\nname = 'a'\n[tool.dateline.splits]\nshared_paragraph = 0\n",
            "shared_paragraph must be a whole number from 1 to 1000000; it is 0",
        ),
        (
            "[tool.dateline]\nname = 'a'\ndefault_config = 'figures'\n",
            "'figures' is no config; there are articles",
        ),
        ("[tool]\ndateline = 5\n", "[tool.dateline] must be a table"),
        ("[tool.dateline]\ntitle = 'a'\n", "[tool.dateline] has no name"),
        *[
            (f"[tool.dateline]\nname = 'a'\n{line}\n", f"{setting} must be {says}")
            for line, setting, says in [
                ("languages = 'en'", "[tool.dateline] languages", "a list of strings; it is 'en'"),
                ("languages = ['en', 5]", "[tool.dateline] languages[1]", "a string; it is 5"),
                ("license = 5", "[tool.dateline] license", "a string; it is 5"),
                ("license = 'free'", "[tool.dateline] license", "an SPDX expression such as CC-BY-4.0, or"),
                ("homepage = ['x']", "[tool.dateline] homepage", "a string; it is ['x']"),
                ("version = 1.0", "[tool.dateline] version", "a string; it is 1.0"),
                ("default_config = true", "[tool.dateline] default_config", "a string; it is true"),
                ("splits = 'x'", "[tool.dateline.splits]", "a table"),
                ("splits.quotas = ['train']", "[tool.dateline.splits] quotas", "a table of numbers; it is ['train']"),
                ("splits.assigned = {test = 'g'}", "[tool.dateline.splits] assigned.test", "a list of strings; it is 'g'"),
                ("splits.quotas.train = true", "[tool.dateline.splits] quotas.train", "a number; it is true"),
                ("splits.quotas.train = nan", "[tool.dateline.splits] quotas", "positive and sum to 1"),
                ("splits.salt = 2031-04-12", "[tool.dateline.splits] salt", "a string; it is 2031-04-12"),
            ]
        ],
    ],
)
def test_wrong_settings_are_named_with_what_there_is(dateline: Run, folder: ProjectFolder, text: str, says: str) -> None:
    folder.seed(record("a1"))
    (folder.root / "pyproject.toml").write_text(text)
    done = dateline("rebuild", cwd=folder.root)
    assert done.returncode == 2 and says in done.stderr and done.stderr.count("\n") == 1


MEASURES = {
    "x-table": "corpus",
    "type": "object",
    "properties": {"measure_id": {"type": "string", "description": "Key.", "x-key": True}},
    "required": ["measure_id"],
    "additionalProperties": False,
}


def test_check_finds_the_project_of_its_paths_and_what_each_file_is(
    dateline: Run, folder: ProjectFolder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    away = tmp_path_factory.mktemp("away")
    folder.schema("measures", MEASURES)
    folder.seed(record("a1"))
    folder.seed({"measure_id": "m1"}, {"measure_id": "m2"}, name="tables/measures.jsonl")
    entry = Entry("a1", "train", "a1", 1, "0.1.0")
    folder.project.ledger.write_bytes(Ledger(articles={"a1": entry}).encode())
    for path, says in (
        ("", "1 record in 1 file"),
        ("seeds", "1 record in 1 file"),
        ("seeds/a.jsonl", "1 record in 1 file"),
        ("seeds/tables", "2 records in 1 file"),
        ("seeds/tables/measures.jsonl", "2 records in 1 file"),
        ("seeds/ledger.jsonl", "1 record in 1 file"),
    ):
        done = dateline("check", folder.root / path, cwd=away)
        assert (done.returncode, done.stdout) == (0, f"{says}: no problems\n"), done.stderr
    folder.seed({"measure": "m1"}, name="tables/measures.jsonl")
    done = dateline("check", folder.root / "seeds/tables", cwd=away)
    assert done.returncode == 1 and "seeds/tables/measures.jsonl:1" in done.stderr and "measure_id" in done.stderr
    assert "article_id" not in done.stderr
    folder.seed({"measure_id": "m1"}, name="tables/measures.jsonl")
    folder.seed({"x": 1}, name="tables/other.jsonl")
    folder.seed({"article_id": "a1"}, name="ledger.jsonl")
    (folder.root / "docs").mkdir()
    for path, says in (
        ("seeds/tables/other.jsonl", "no schema describes a corpus-level table 'other'; there are measures"),
        ("seeds/ledger.jsonl", "ledger.jsonl:1 is no line of a ledger"),
        ("docs", "docs: holds no records; they stand in files ending in .json"),
    ):
        done = dateline("check", folder.root / path, cwd=away)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1) and says in done.stderr
    folder.clear()
    assert "error: seeds: holds no records" in dateline("check", cwd=folder.root).stderr


@pytest.mark.parametrize(
    ("steps", "value", "says"),
    [
        (["tables"], None, "tables is not there, but must be a table"),
        (["tables"], {}, "tables is empty"),
        (["tables"], [], "tables is [], but must be a table"),
        (["tables", "articles"], 5, "tables.articles is 5, but must be a table"),
        (["tables", "articles", "rows"], "5", "tables.articles.rows is '5', but must be a whole number"),
        (["tables", "articles", "splits"], {"train": "x"}, "tables.articles.splits.train is 'x', but must be a whole number"),
        (["tables", "articles", "labels"], [], "tables.articles.labels is [], but must be a table"),
        (["tables", "articles", "files"], [5], "tables.articles.files[0] is 5, but must be a table"),
        (["tables", "articles", "files"], [{}], "tables.articles.files.path is not there, but must be a string"),
        (["card"], {}, "card.path is not there, but must be a string"),
        (["splits", "quotas"], None, "splits.quotas is not there"),
        (["version"], 5, "version is 5, but must be a string"),
        (["surprise"], 5, "surprise is 5, but must be left out"),
    ],
)
def test_a_manifest_that_is_none_is_said_plainly(
    dateline: Run, folder: ProjectFolder, steps: list[str], value: object, says: str
) -> None:
    folder.seed(record("a1"))
    folder.rebuild()
    path = folder.root / "dataset" / "manifest.json"
    told = node = json.loads(path.read_bytes())
    for step in steps[:-1]:
        node = node[step]
    node[steps[-1]] = value
    if value is None:
        del node[steps[-1]]
    path.write_text(json.dumps(told))
    with pytest.raises(LoadError) as fault:
        read_manifest(path.parent)
    assert says in str(fault.value)
    if steps[-1] in {"tables", "card"}:  # the commands are slow to start
        done = dateline("stats", cwd=folder.root)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1) and says in done.stderr
        done = dateline("doctor", cwd=folder.root)
        assert done.returncode == 1 and "BAD dataset" in done.stdout and says in done.stdout


def test_a_warning_is_told_and_fails_no_check(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    from dateline.compile import seeds
    from dateline.compile.seeds import Checked
    from dateline.errors import Place, Problem

    warning = Problem(Place("seeds/a.jsonl", 1, "$"), "some-rule", "is odd", "Look again.", "warning")
    monkeypatch.setattr(seeds, "check_files", lambda *_: Checked(1, 1, [warning]))
    told = CliRunner().invoke(app, ["check", "--project", str(folder.root)])
    assert told.exit_code == 0
    assert told.stderr.startswith("seeds/a.jsonl:1 $  is odd  [some-rule, warning]\n")
    assert told.stdout == "1 record in 1 file: no problems, 1 warning\n"
    told = CliRunner().invoke(app, ["check", "--json", "--project", str(folder.root)])
    assert told.exit_code == 0 and json.loads(told.stdout)["success"] is True


def test_doctor_says_what_is_missing(dateline: Run, folder: ProjectFolder) -> None:
    folder.seed(record("a1"))
    before = dateline("doctor", cwd=folder.root)
    assert before.returncode == 1 and "BAD dataset" in before.stdout
    folder.rebuild()
    after = dateline("doctor", "--json", cwd=folder.root)
    assert after.returncode == 0 and json.loads(after.stdout)["well"] is True
    next((folder.root / "dataset" / "articles").iterdir()).unlink()
    assert "1 files missing" in dateline("doctor", cwd=folder.root).stdout


def test_a_missing_package_is_named_with_how_to_get_it(folder: ProjectFolder) -> None:
    script = (
        "import sys\nsys.modules['jsonschema_rs'] = None\nsys.argv[1:] = ['rebuild']\nfrom dateline.cli import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=folder.root, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: this command needs the package jsonschema_rs; install what building needs: pip install")


def test_a_fault_of_our_own_is_one_line_too(folder: ProjectFolder) -> None:
    script = (
        "import sys\nsys.argv[1:] = ['rebuild']\nimport dateline.pipeline as p\n"
        "def broken(*a, **k): raise ZeroDivisionError('secret')\np.rebuild = broken\n"
        "from dateline.cli import main\nmain()\n"
    )
    env = {k: v for k, v in os.environ.items() if k != "DATELINE_DEBUG"}
    done = subprocess.run([sys.executable, "-c", script], cwd=folder.root, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "ZeroDivisionError" in done.stderr


def test_the_pre_commit_hook_runs_as_defined(dateline: Run, folder: ProjectFolder) -> None:
    import re

    import yaml

    (hook,) = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
    path = folder.seed(record("a1", mentions=[mention("m1", 3, 1)]), name="sub/b.jsonl")
    assert re.search(hook["files"], "seeds/sub/b.jsonl") and not re.search(hook["exclude"], "seeds/sub/b.jsonl")
    assert re.search(hook["exclude"], "seeds/ledger.jsonl") and re.search(hook["exclude"], "seeds/tables/measures.jsonl")
    words = hook["entry"].split()
    assert words[0] == "dateline"
    assert dateline(*words[1:], path.relative_to(folder.root), cwd=folder.root).returncode == 1


def test_progress_is_shown_on_a_terminal_only_and_after_a_second(folder: ProjectFolder) -> None:
    script = Path(__file__).parent / "terminal" / "slow_progress.py"
    import pty

    leader, follower = pty.openpty()
    done = subprocess.run([sys.executable, str(script), "1.5"], stderr=follower, stdout=subprocess.PIPE, check=True)
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert "compile" in shown and "3/3" in shown.replace(" ", "")
    quick = subprocess.run([sys.executable, str(script), "1.5"], capture_output=True, text=True, check=True)
    assert quick.stderr == "" and done.stdout == b""
