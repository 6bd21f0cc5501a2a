"""The GitHub Actions workflow that `dateline new` writes: valid, of commands that there are, with no right it does not need."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from typer.core import TyperGroup

from dateline.cli import app
from dateline.describe.scaffold import ProjectFacts, project_files

Workflow = dict[str, Any]


def written(private: bool) -> str:
    facts = ProjectFacts("mine", "Mine", "Words.", "Notes.", "0.1.0", [("dateline[build]", "0.1.0")], private=private)
    return project_files(facts)[".github/workflows/ci.yml"]


@pytest.fixture(params=[False, True], ids=["open", "private"])
def workflow(request: pytest.FixtureRequest) -> Workflow:
    found: Workflow = yaml.load(written(request.param), yaml.BaseLoader)  # `on` is a word, not true
    return found


def steps(workflow: Workflow) -> list[tuple[str, Workflow]]:
    return [(name, step) for name, job in workflow["jobs"].items() for step in job["steps"]]


@pytest.mark.parametrize("private", [False, True])
def test_it_is_a_workflow_by_githubs_schema(private: bool, tmp_path: Path) -> None:
    path = tmp_path / "ci.yml"
    path.write_text(written(private), encoding="utf-8")
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_it_runs_is_what_dateline_accepts(workflow: Workflow) -> None:
    cli = typer.main.get_command(app)
    assert isinstance(cli, TyperGroup)
    found = set()
    for _, step in steps(workflow):
        for words in re.findall(r"^\s*(?:\S+=\S+ )?dateline (.*)$", step.get("run", ""), re.MULTILINE):
            name, *rest = shlex.split(re.split(r"\s[>|]", words)[0])
            assert name in cli.commands, name
            cli.commands[name].make_context(name, rest)  # parses, and runs nothing
            found.add(name)
    of_all, of_open = {"check", "suites", "rebuild", "validate"}, {"diff", "stats", "publish"}
    assert found == (of_all | of_open if "diff" in workflow["jobs"] else of_all)


def test_a_private_project_shows_and_publishes_nothing(workflow: Workflow) -> None:
    private = list(workflow["jobs"]) == ["dataset"]
    runs = [step.get("run") for _, step in steps(workflow)]
    assert ("dateline rebuild" in runs) == private and ("dateline rebuild --check" in runs) == (not private)
    assert private or list(workflow["jobs"]) == ["dataset", "diff", "comment", "publish"]


def test_rights_and_secrets_are_where_they_are_needed_and_nowhere_else(workflow: Workflow) -> None:
    assert workflow["permissions"] == {"contents": "read"} and "pull_request_target" not in workflow["on"]
    for name, job in workflow["jobs"].items():
        assert job.get("permissions") == ({"pull-requests": "write"} if name == "comment" else None)
        assert ("secrets." in yaml.dump(job)) == (name == "publish")
        assert job.get("environment") == ("publish" if name == "publish" else None)
    for name, step in steps(workflow):
        assert "uses" not in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
        assert "${{" not in step.get("run", "")  # what others write comes in by the environment, never as a part of the script
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] == "false" and name != "comment"


def test_the_job_that_may_write_runs_nothing_of_a_fork(workflow: Workflow) -> None:
    comment = workflow["jobs"].get("comment")
    if comment is None:
        pytest.skip("a private project comments on nothing")
    assert "head.repo.full_name == github.repository" in comment["if"]
    assert not re.search(r"checkout|pip install|^\s*dateline ", yaml.dump(comment["steps"]), re.MULTILINE)


def test_scripts_are_scripts(workflow: Workflow) -> None:
    for _, step in steps(workflow):
        subprocess.run(["bash", "-n"], input=step.get("run", ""), text=True, check=True)
