"""dateline stats"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    labels: Annotated[bool, typer.Option("--labels", help="Also how often each label stands.")] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Print rows per table and split of the dataset as it stands."""
    from dateline.cli.results import print_json, say
    from dateline.manifest import read_manifest
    from dateline.project import find_project

    found = read_manifest(find_project(project).dataset).stats()
    if json:
        print_json(found)
        return
    splits = list(dict.fromkeys(split for table in found["tables"].values() for split in table["splits"]))
    width = max(len(name) for name in found["tables"])
    say(f"{'table':{width}} {'rows':>9} " + " ".join(f"{split:>10}" for split in splits))
    for name, table in found["tables"].items():
        say(f"{name:{width}} {table['rows']:>9,} " + " ".join(f"{table['splits'].get(split, 0):>10,}" for split in splits))
    for name, columns in found["labels"].items() if labels else ():
        for column, counts in columns.items():
            say(f"{name}.{column}: " + ", ".join(f"{label} {n:,}" for label, n in counts.items()))
