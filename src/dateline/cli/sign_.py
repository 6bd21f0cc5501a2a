"""dateline sign"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    files: Annotated[list[Path], typer.Argument(help="Seed files; all of the project if none.")] = [],  # noqa: B006
    texts: Annotated[Path | None, typer.Option("--texts", help="Folder with <article_id>.txt for stand-off records.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Store near-duplicate signatures in withheld records that lack one. Exit 1 if a text is missing or is another."""
    from dateline.cli.results import count, print_json, print_problems
    from dateline.project import find_project
    from dateline.signing import sign_files

    result = sign_files(find_project(project), files, texts, dry_run=dry_run)
    if json:
        print_json(result.as_json())
    else:
        print_problems(result.problems)
        for article_id in result.signed:
            print(article_id)
        for article_id in result.missing:
            print(f"{article_id}: its text is not at hand; --texts names a folder with {article_id}.txt", file=sys.stderr)
        verb = "would be signed" if dry_run else "signed"
        says = f"{count(len(result.problems), 'problem')}; nothing was written" if result.problems else verb
        print(f"{count(len(result.signed), 'record')} {says}, {len(result.kept)} signed before", file=sys.stderr)
    raise typer.Exit(1 if result.problems or result.missing else 0)
