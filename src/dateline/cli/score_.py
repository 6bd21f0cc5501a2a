"""dateline score"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    predictions: Annotated[Path, typer.Argument(help="JSON Lines, one prediction per line (docs/scoring.md).")],
    config: Annotated[
        str,
        typer.Option(
            "--config", help="What is predicted: figures, conflicts, quote_attribution, event_factuality, ner or contrasts."
        ),
    ],
    split: Annotated[str, typer.Option("--split", help="The split that was predicted.")] = "test",
    figures: Annotated[
        Path | None, typer.Option("--figures", help="For conflicts: predicted figures; pairs count only if both were found.")
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option("--where", help="Only rows with this value: COLUMN=VALUE, such as tier=STORY; repeatable.")
    ] = None,
    dataset: Annotated[
        Path | None,
        typer.Option("--dataset", help="Folder of a dataset.", show_default="the project's, else the packaged one"),
    ] = None,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Score a system's predictions against a config of a dataset, with intervals over stories."""
    from dateline.cli.results import print_json, say
    from dateline.errors import UsageError

    try:
        from dateline.score.predictions import PredictionsError
        from dateline.score.report import score_text
        from dateline.score.scoring import score
    except ModuleNotFoundError as fault:
        package = (fault.name or "").partition(".")[0]
        if package == "dateline":
            raise
        raise UsageError(f"scoring needs the package {package}: pip install 'dateline[score]'") from None
    try:
        done = score(predictions, dataset or _dataset(project), config, split, figures, _where(where or []))
    except PredictionsError as wrong:
        for line in wrong.faults[:MOST]:
            say(f"error: {line}", file=sys.stderr)
        if len(wrong.faults) > MOST:
            say(f"... and {len(wrong.faults) - MOST:,} more", file=sys.stderr)
        raise typer.Exit(2) from None
    for warning in done.warnings:
        say(f"warning: {warning}", file=sys.stderr)
    if json:
        print_json(done.as_json())
        return
    for line in score_text(done).splitlines():
        say(line)


MOST = 20
"""So many faults are told; the rest is counted."""


def _where(said: list[str]) -> dict[str, str]:
    from dateline.errors import UsageError

    found: dict[str, str] = {}
    for part in said:
        name, equals, value = part.partition("=")
        if not name or not equals or found.get(name, value) != value:
            raise UsageError(f"--where is {part!r}; expected COLUMN=VALUE, and one value for a column")
        found[name] = value
    return found


def _dataset(project: Path) -> Path:
    """The dataset of the project that one stands in; without a project the one that came with this package."""
    from dateline.errors import ProjectError
    from dateline.loading import packaged_dataset
    from dateline.project import find_project

    try:
        return find_project(project).dataset
    except ProjectError as fault:
        if project != Path() or not str(fault).startswith("no project here"):
            raise
        return packaged_dataset()
