"""dateline explain"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    row: Annotated[
        str, typer.Argument(metavar="ID", help="ARTICLE, ARTICLE#ITEM, the key of a corpus-level row, or a derived row's id.")
    ],
    table: Annotated[str | None, typer.Option("--table", help="The table, where several have a row of this id.")] = None,
    blame: Annotated[bool, typer.Option("--blame", help="Also the commit that last touched the row's seed.")] = False,
    dataset: Annotated[
        Path | None, typer.Option("--dataset", help="Folder of a dataset, without seeds.", show_default="the project's")
    ] = None,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Say of any row where it was written, by whom, with which rights, why it is in its split, and what checks it."""
    from dateline.cli.results import print_json, say
    from dateline.describe.explanation import explanation_lines
    from dateline.errors import UsageError
    from dateline.explaining import explain_dataset, explain_project
    from dateline.project import find_project

    if blame and dataset is not None:
        raise UsageError("--blame asks the history of seeds, and --dataset names a folder without; leave one of them out")
    explainer = explain_dataset(dataset) if dataset is not None else explain_project(find_project(project))
    said = explainer.explain(row, table, blamed=blame)
    if json:
        print_json(said)
        return
    for line in explanation_lines(said):
        say(line)
