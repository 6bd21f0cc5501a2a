"""dateline suites"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if the suites are not current.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would be written.")] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Write the suites that follow from schemas/ into expectations/; what people wrote there stays."""
    from dateline.cli.results import count, print_json, say
    from dateline.deriving import declared_tables
    from dateline.project import find_project
    from dateline.schema import load_schemas
    from dateline.validate.suite_files import changes, undecided, write_changes

    home = find_project(project)
    schemas = load_schemas(home.schemas)
    following = declared_tables(home, schemas)
    todo = changes(home.expectations, schemas, (*following.views, *following.estimates))
    if not check and not dry_run:
        write_changes(home.expectations, todo)
    stale = check and bool(todo)
    left = undecided(schemas)
    if json:
        files = [{"file": f"{home.name_of(home.expectations)}/{c.name}", "change": c.kind} for c in todo]
        print_json({"success": not stale, "changes": files, "undecided": left})
    else:
        for change in todo:
            say(f"{home.name_of(home.expectations)}/{change.name}  {change.kind if not (check or dry_run) else 'not current'}")
        for says in left:
            say(f"not decided by a suite: {says}", file=sys.stderr)
        if check and todo:
            say(f"{count(len(todo), 'file')} not current; run dateline suites", file=sys.stderr)
        elif not todo:
            say("suites are current", file=sys.stderr)
    raise typer.Exit(1 if stale else 0)
