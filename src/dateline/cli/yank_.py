"""dateline yank"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A released version.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in one line; it is published.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would be written.")] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Mark a release as one that nobody should use: it stays what it is, and who loads it is warned."""
    from dateline.cli.results import print_json, say
    from dateline.project import find_project
    from dateline.retracting import yank

    home = find_project(project)
    done = yank(home, version, reason, dry_run=dry_run)
    if json:
        print_json({"success": True, "yanked": done.what[0], "files": done.files, "dry_run": dry_run})
        return
    say(f"{done.what[0]} {'would be ' if dry_run else ''}yanked in {done.files[0]}")
    if not dry_run:
        print(f"{home.name_of(home.dataset)}/ says so after `dateline rebuild`", file=sys.stderr)
