"""dateline check"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    files: Annotated[list[Path], typer.Argument(help="Seed files, or folders of them; all seeds of the project if none.")] = [],  # noqa: B006
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Check records without a rebuild: shape, keys, references, spans. Exit 1 if anything is wrong."""
    from dateline.cli.results import count, print_json, print_problems, say
    from dateline.compile.seeds import check_files
    from dateline.project import find_project

    named = files and project == Path()
    home = find_project((files[0] if files[0].is_dir() else files[0].parent) if named else project)
    checked = check_files(home, files or [home.seeds])
    failed = [p for p in checked.problems if p.fails]
    if json:
        print_json({
            "success": not failed, "files": checked.files, "records": checked.records,
            "problems": [p.as_json() for p in checked.problems],
        })  # fmt: skip
    else:
        print_problems(checked.problems)
        warned = len(checked.problems) - len(failed)
        says = count(len(failed), "problem") if failed else "no problems"
        says += f", {count(warned, 'warning')}" if warned else ""
        say(f"{count(checked.records, 'record')} in {count(checked.files, 'file')}: {says}")
    raise typer.Exit(1 if failed else 0)
