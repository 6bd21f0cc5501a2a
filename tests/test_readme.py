"""The README is run: every command in it, and every line of Python, in a copy of this repository."""

from __future__ import annotations

import dataclasses
import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from building import REPOSITORY, ProjectFolder
from dateline.engines import LocalEngine
from dateline.formats import FORMATS
from dateline.pipeline import rebuild
from dateline.project import Settings, Splits, find_project
from dateline.schema_check import KEYWORDS

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the repository that git would have, in another folder."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True, text=True).stdout.split("\0")
    root = tmp_path_factory.mktemp("readme") / "dateline"
    for name in filter(None, names):
        if (REPOSITORY / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, root / name)
    return root


def commands() -> list[tuple[str, str]]:
    """Each command of the console blocks with the output printed below it."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", README, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def same(expected: str, actual: str) -> bool:
    """Whether output is as printed; `...` stands for anything, on a line or for several lines."""
    pattern = "".join(".*?" if piece == "..." else re.escape(piece) for piece in re.split(r"(\.\.\.)", expected.strip()))
    return re.fullmatch(pattern, actual.strip(), re.DOTALL) is not None


@pytest.mark.slow(seconds=40)
def test_every_command_prints_what_the_readme_says(copy: Path) -> None:
    bin_folder = Path(sys.executable).parent
    # the environment of this run stands in for the one that make would set up once more
    env = {k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MAKELEVEL", "DATELINE_DEBUG"}}
    env |= {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100", "PYTHONPATH": str(copy / "src")}
    seen = commands()
    assert {"make rebuild", "make test"} <= {command for command, _ in seen}
    for command, output in seen:
        if command == "make test":  # this very run; the recipe is looked at instead
            recipe = subprocess.run(["make", "-n", "test"], cwd=copy, env=env, capture_output=True, text=True, check=True).stdout
            assert 'pytest -n auto -m "not slow and not fuzz"' in recipe
            assert 'pytest -n auto --dist loadgroup --no-loadscope-reorder -m "slow or fuzz"' in recipe
            assert "DATELINE_FUZZ_SECONDS=4" in recipe
            continue
        if command.startswith("make"):
            command = f"{command} VENV={bin_folder.parent} -o {bin_folder.parent}/.installed"
        elif command.startswith(". .venv"):
            assert command == ". .venv/bin/activate" and not output
            continue
        done = subprocess.run(command, shell=True, cwd=copy, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert same(output, done.stdout), f"{command}\nprinted\n{done.stdout}\nbut the README says\n{output}"


@pytest.mark.slow
def test_every_line_of_python_gives_what_the_readme_says(copy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(copy)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    blocks = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert blocks and all(">>>" in block for block in blocks)
    globs: dict[str, object] = {}
    for number, block in enumerate(blocks):
        test = doctest.DocTestParser().get_doctest(block, globs, f"README block {number}", "README.md", 0)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        runner.run(test, clear_globs=False)
        globs = test.globs
        assert runner.summarize(verbose=False).failed == 0


def test_the_project_in_docs_records_builds_as_shown(folder: ProjectFolder) -> None:
    text = (REPOSITORY / "docs" / "records.md").read_text(encoding="utf-8")
    parts = dict(re.findall(r"^`([^`\n]+)`:\n\n```\w+\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    root = folder.root / "my-corpus"
    for name, content in parts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    made = rebuild(find_project(root), LocalEngine(1)).manifest
    assert made is not None and {name for name, table in made.tables.items() if table.rows} == {"articles", "names", "records"}


def test_every_keyword_and_setting_is_documented() -> None:
    text = (REPOSITORY / "docs" / "records.md").read_text(encoding="utf-8")
    names = {f.name for f in dataclasses.fields(Settings)} | {f.name for f in dataclasses.fields(Splits)}
    assert [name for name in {*KEYWORDS, *FORMATS, *names} if name not in text] == []


def test_every_path_named_in_the_map_is_there() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", README, re.MULTILINE)
    assert len(rows) >= 10
    assert [path for path in rows if not (REPOSITORY / path).exists()] == []
