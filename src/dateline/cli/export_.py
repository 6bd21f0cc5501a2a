"""dateline export"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption

if TYPE_CHECKING:
    from dateline.exporting import Exported


def command(
    format_name: Annotated[str, typer.Argument(metavar="FORMAT", help="Format to write; native is Dateline's own records.")],
    articles: Annotated[list[str], typer.Argument(metavar="[ARTICLE_ID]...", help="Articles; all if none.")] = [],  # noqa: B006
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write.", show_default="export/FORMAT")] = None,
    split: Annotated[str | None, typer.Option("--split", help="Only the articles of this split.")] = None,
    findings: Annotated[
        bool, typer.Option("--findings", help="Only records with findings, to be mended and put back by import --mend.")
    ] = False,
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", help="By which layers become types.", show_default="mapping.toml of the project, if any"),
    ] = None,
    lossy: Annotated[bool, typer.Option("--lossy", help="Write what the format can hold, though it cannot hold all.")] = False,
    withheld: Annotated[
        bool, typer.Option("--withheld", help="Also articles whose texts may not be passed on, if the seeds have the texts.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would be lost.")] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Export records in the format of an annotation tool.

    What the format cannot hold is listed first; then nothing is written, and the exit code is 1, unless --lossy is given.
    """
    from dateline.cli.results import print_json
    from dateline.exporting import Wish, export_records
    from dateline.project import find_project

    home = find_project(project)
    said = mapping or (home.root / "mapping.toml" if (home.root / "mapping.toml").is_file() else None)
    target = out or home.root / "export" / Path(format_name).name
    wish = Wish(tuple(articles), split, findings, withheld)
    result = export_records(home, format_name, target, wish, mapping=said, lossy=lossy, force=force, dry_run=dry_run)
    if json:
        print_json(result.as_json())
    else:
        _print(result, home.name_of(target), lossy, dry_run)
    failed = bool(result.problems) or not (result.holds_all or lossy) or bool(result.textless or result.unfit)
    raise typer.Exit(1 if failed else 0)


def _print(result: Exported, target: str, lossy: bool, dry_run: bool) -> None:
    from dateline.cli.results import count, print_problems, say

    print_problems(result.problems)
    for note in result.notes:
        say(note, file=sys.stderr)
    for title, lost in ((f"{result.format} cannot hold", result.lost), ("importing would not bring back", result.unsaid)):
        for what, n in sorted(lost.items()):
            say(f"{title}: {n:,} {what}", file=sys.stderr)
    for article_id in result.textless:
        say(f"{article_id}: has no text in the seeds, so there is nothing to annotate; see dateline hydrate", file=sys.stderr)
    for article_id in result.unfit:
        say(f"{article_id}: is too broken to be shown in a tool; mend the record itself, see dateline check", file=sys.stderr)
    if result.withheld:
        says = f"{count(len(result.withheld), 'article')} left out, whose texts may not be passed on; --withheld takes them along"
        say(says, file=sys.stderr)
    for name in result.written:
        say(f"{target}/{name}")
    if result.problems:
        says = f"{count(len(result.problems), 'problem')}; nothing was written"
    elif not result.articles:
        says = "nothing to export"
    elif not (result.holds_all or lossy):
        says = "nothing was written; --lossy writes what can be held"
    else:
        says = "would be written" if dry_run else f"written to {target}"
    say(f"{count(len(result.articles), 'article')}: {says}", file=sys.stderr)
