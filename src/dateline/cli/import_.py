"""dateline import"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    paths: Annotated[list[Path], typer.Argument(help="Files of the format, or folders of them.")],
    source: Annotated[str, typer.Option("--from", help="Format of the files.")] = "authoring",
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the records.", show_default="seeds/articles")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Import annotated articles as records, one JSON file each. Nothing is written if anything is wrong (exit 1)."""
    from dateline.cli.results import count, print_json, print_problems, say
    from dateline.importing import import_files
    from dateline.project import find_project

    home = find_project(project)
    result = import_files(home, source, paths, out or home.seeds / "articles", dry_run=dry_run)
    if json:
        print_json(result.as_json())
    else:
        print_problems(result.problems)
        for name in result.written:
            say(name)
        for line in result.warnings:
            say(f"warning: {line}", file=sys.stderr)
        verb = "would be written" if dry_run else "written"
        says = f"{count(len(result.problems), 'problem')}; nothing was written" if result.problems else verb
        say(f"{count(result.documents, 'document')}: {says}", file=sys.stderr)
    raise typer.Exit(1 if result.problems else 0)
