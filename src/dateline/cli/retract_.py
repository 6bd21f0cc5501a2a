"""dateline retract"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    article_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Released articles.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in one line; it is published.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would be written.")] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Take released articles back: their records leave seeds/, and neither their ids nor their texts come in again."""
    from dateline.cli.results import count, print_json, say
    from dateline.project import find_project
    from dateline.retracting import retract

    home = find_project(project)
    done = retract(home, article_ids, reason, dry_run=dry_run)
    if json:
        mentioned, twins = ([str(place) for place in places] for places in (done.mentioned, done.twins))
        said = {"retracted": done.what, "files": done.files, "twins": twins, "mentioned": mentioned}
        print_json({"success": True, **said, "dry_run": dry_run})
        return
    for name in done.files:
        say(f"{name}  {'would be ' if dry_run else ''}{'changed' if dry_run or (home.root / name).exists() else 'removed'}")
    for place in done.twins:
        say(f"{place}  has the text of a retracted article, and stays; if the text is to go, retract it, too", file=sys.stderr)
    for place in done.mentioned[:20]:
        say(f"{place}  names a retracted article; take it out, too", file=sys.stderr)
    if len(done.mentioned) > 20:
        print(f"... and {len(done.mentioned) - 20} more rows", file=sys.stderr)
    if not dry_run:
        say(
            f"{count(len(done.what), 'article')} retracted; the next `dateline release` is a major one. Version control still "
            "has the text, and so may what was written for it (seeds/authored)",
            file=sys.stderr,
        )
