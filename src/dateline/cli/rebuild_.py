"""dateline rebuild"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JobsOption, JsonOption, ProjectOption


def command(
    jobs: JobsOption = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Remove files of the build before at once, not at the next rebuild.")
    ] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Compile seeds/ into dataset/. If anything is wrong (exit 1), dataset/ stays as it was."""
    from dateline.cli.results import count, print_json, print_problems, progress_bar
    from dateline.engines import LocalEngine
    from dateline.pipeline import rebuild
    from dateline.project import find_project

    home = find_project(project)
    with progress_bar() as tell:
        result = rebuild(home, LocalEngine(jobs), tell=tell, sweep=sweep)
    manifest = result.manifest
    if json:
        print_json({
            "success": manifest is not None, "changed": result.changed,
            "content_digest": manifest.content_digest if manifest else None,
            "logical_digest": manifest.logical_digest if manifest else None,
            "problems": [p.as_json() for p in result.problems],
        })  # fmt: skip
    elif manifest is None:
        print_problems(result.problems)
        print(f"{count(len(result.problems), 'problem')}; {home.name_of(home.dataset)}/ is as it was", file=sys.stderr)
    else:
        articles = manifest.tables["articles"]
        splits = ", ".join(f"{split} {rows:,}" for split, rows in articles.splits.items())
        rows = sum(table.rows for name, table in manifest.tables.items() if name not in {"records", "standoff"})
        filled = sum(1 for table in manifest.tables.values() if table.rows)
        print(
            f"{home.name_of(home.dataset)}/ {'rebuilt' if result.changed else 'unchanged'}: "
            f"{count(articles.rows, 'article')} ({splits}), {rows:,} rows in {filled} configs, "
            f"content {manifest.content_digest[:12]}"
        )
        if result.kept:
            print(f"{count(len(result.kept), 'file')} of the build before kept for its readers; the next rebuild removes them",
                  file=sys.stderr)  # fmt: skip
    raise typer.Exit(0 if manifest else 1)
