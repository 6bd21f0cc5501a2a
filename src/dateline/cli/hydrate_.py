"""dateline hydrate"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    path: Annotated[Path, typer.Argument(help="A seed file, a folder of them, or a built dataset.")],
    texts: Annotated[
        Path | None,
        typer.Option("--texts", help="Folder of texts, <article_id>.txt.", show_default="the setting texts, or DATELINE_TEXTS"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the copy, new or empty.", show_default=".dateline/hydrated/<name>")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check texts and spans, write nothing.")] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Restore withheld texts from your own copy of them, in another folder. Exit 1 if a text or a span does not fit."""
    from dateline.cli.results import count, print_json, print_problems
    from dateline.errors import InputError, ProjectError, UsageError
    from dateline.hydrating import hydrate_dataset, hydrate_seeds, is_dataset
    from dateline.project import find_project

    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    try:
        home = find_project(path if project == Path() else project)
    except ProjectError:
        if not is_dataset(path):
            raise
        home = None
    folder = texts or (home.texts() if home else None)
    if folder is None:
        raise UsageError("no folder of texts: name one with --texts; texts lie there as <article_id>.txt")
    if out is None and home is None:
        raise UsageError(f"{path}: lies in no project; say with --out where the hydrated copy goes")
    target = out or home.root / ".dateline" / "hydrated" / path.resolve().name  # type: ignore[union-attr]
    if is_dataset(path):
        result = hydrate_dataset(home, path, folder, target, dry_run=dry_run)
    else:
        assert home is not None
        result = hydrate_seeds(home, path, folder, target, dry_run=dry_run)
    if json:
        print_json(result.as_json())
    elif result.problems:
        print_problems(result.problems)
        print(f"{count(len(result.problems), 'problem')}; nothing was written", file=sys.stderr)
    else:
        verb = "would be written to" if dry_run else "written to"
        print(f"{result.restored:,} of {count(result.withheld, 'withheld text')} restored, "
              f"{count(result.spans, 'span')} checked; {verb} {target}")  # fmt: skip
        print("headlines, propositions and notes do not follow from a text and stay as they are; "
              "a hydrated copy may not be passed on", file=sys.stderr)  # fmt: skip
    raise typer.Exit(1 if result.problems else 0)
