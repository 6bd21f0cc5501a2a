"""dateline diff"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dateline.cli.words import JobsOption, JsonOption, ProjectOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dateline.describe.differences import Line
    from dateline.differing import Differing


def command(
    old: Annotated[
        str | None,
        typer.Argument(
            help="Folder, hf://..., s3://... (each @VERSION), version or git revision (HEAD~3); the last release if none."
        ),
    ] = None,
    new: Annotated[str | None, typer.Argument(help="The same; what seeds/ give now if none, or `.`.")] = None,
    stat: Annotated[bool, typer.Option("--stat", help="Counts by table and kind alone.")] = False,
    md: Annotated[bool, typer.Option("--md", help="Print Markdown.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 1 if anything differs but projections.")] = False,
    table: Annotated[str | None, typer.Option("--table", help="Show changes of this table alone.")] = None,
    article: Annotated[str | None, typer.Option("--article", help="Show changes of this article alone.")] = None,
    policy: Annotated[
        str | None, typer.Option("--policy", help="errata or strict: what corrections force.", show_default="the project's")
    ] = None,
    jobs: JobsOption = None,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Compare two datasets, annotation by annotation; say which bump of the version the differences force, and why."""
    import tempfile

    from dateline.cli.results import print_json, print_problems, progress_bar, say
    from dateline.describe.differences import difference_lines, differences_markdown, stat_lines
    from dateline.differing import differ
    from dateline.engines import LocalEngine
    from dateline.errors import UsageError

    if policy not in (None, "errata", "strict"):
        raise UsageError(f"--policy is {policy!r}; there are errata and strict")
    if sum((stat, md, json)) > 1:
        raise UsageError("--stat, --md and --json are three ways to print a diff; give one of them")
    with tempfile.TemporaryDirectory(prefix="dateline-") as work, progress_bar() as tell:
        found = differ(old, new, project, Path(work), LocalEngine(jobs), policy=policy, tell=tell)
    if found.problems:
        print_problems(found.problems)
        say("what seeds/ give cannot be compared before they are mended", file=sys.stderr)
        raise typer.Exit(2)
    result = _chosen(found, table, article)
    if json:
        print_json(result)
    elif md:
        print(differences_markdown(result), end="")
    else:
        _print(stat_lines(result) if stat else difference_lines(result))
    raise typer.Exit(1 if exit_code and found.diff.changes else 0)


def _chosen(found: Differing, table: str | None, article: str | None) -> dict[str, Any]:
    """The result, less the changes that were not asked for; the bump is that of all."""
    from dataclasses import replace

    from dateline.errors import UsageError

    assert found.old and found.new
    known = {**found.old.manifest.tables, **found.new.manifest.tables}
    if table is not None and table.removeprefix("primary.") not in known:
        raise UsageError(f"--table {table}: neither side has such a table; there are {', '.join(known)}")
    if table is None and article is None:
        return found.as_json()
    kept = [c for c in found.diff.changes if table in (None, c.table) and article in (None, c.article_id)]
    shown = replace(found, diff=replace(found.diff, changes=kept)).as_json()
    whole = found.as_json()
    return shown | {name: whole[name] for name in ("bump", "why")}


def _print(lines: Sequence[Line]) -> None:
    """With colours on a terminal that shows them, and that was not told otherwise."""
    import os

    from dateline.cli.results import say
    from dateline.describe.differences import plain_text

    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        for text in plain_text(lines).splitlines():
            say(text)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for line in lines:
        console.print(Text.assemble(*((part.text, part.style) for part in line)), soft_wrap=True)
