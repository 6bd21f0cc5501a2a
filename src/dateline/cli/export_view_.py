"""dateline export-view"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    view: Annotated[str, typer.Argument(metavar="VIEW", help="A view with passages, such as ner or quote_attribution.")],
    form: Annotated[str, typer.Option("--as", help="bio (words with tags) or squad (questions with answers).")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write; a new or empty one.")],
    split: Annotated[str | None, typer.Option("--split", help="Only this split.")] = None,
    source: Annotated[Path | None, typer.Option("--source", help="Folder of a dataset.", show_default="the project's")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would be written.")] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Write a view of the dataset for training: BIO tags of words, or questions with answers."""
    from dateline.cli.results import count, print_json, say
    from dateline.exporting_views import export_view
    from dateline.project import find_project

    dataset = source or find_project(project).dataset
    result = export_view(dataset, view, form, out, split=split, dry_run=dry_run)
    if json:
        print_json(result.as_json())
        return
    for name in result.written.files:
        say(str(out / name))
    said = ", ".join(f"{n:,} {what}" for what, n in result.written.counts.items() if n or what == "rows")
    files = count(len(result.written.files), "file")
    say(f"{said}: {files} {'would be written' if dry_run else f'written to {out}'}", file=sys.stderr)
