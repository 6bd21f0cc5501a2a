"""dateline agreement"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption

if TYPE_CHECKING:
    from dateline.agreement.compare import Agreement, Comparison
    from dateline.agreement.figures import Figure


def command(
    path: Annotated[
        Path | None, typer.Argument(help="A project, records, or a dataset.", show_default="the project here")
    ] = None,
    other: Annotated[
        Path | None,
        typer.Option("--other", help="Another annotation of the same articles: records or a dataset."),
    ] = None,
    layers: Annotated[list[str], typer.Option("--layer", help="Only this layer; may be given several times.")] = [],  # noqa: B006
    ordinal: Annotated[
        list[str], typer.Option("--ordinal", help="Labels that are a scale: layer.field, or layer.field=lowest,...,highest.")
    ] = [],  # noqa: B006
    clusters: Annotated[
        list[str], typer.Option("--clusters", help="A reference that sorts items into clusters: layer.field.")
    ] = [],  # noqa: B006
    each: Annotated[bool, typer.Option("--each", help="Every two annotators by themselves.")] = False,
    resamples: Annotated[int, typer.Option("--resamples", min=100, max=100_000, help="For the bootstrap intervals.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the resamples.")] = 0,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Compare annotation sets of the same articles. Exit 1 if there are no two to compare."""
    from dateline.cli.results import print_json
    from dateline.errors import UsageError
    from dateline.project import find_project

    try:
        from dateline.agreeing import Request, agree
        from dateline.agreement.figures import Bootstrap
    except ModuleNotFoundError as fault:
        if (fault.name or "").partition(".")[0] != "scipy":
            raise
        raise UsageError("comparing annotation sets needs scipy: pip install 'dateline[agreement]'") from None
    request = Request(layers, ordinal, clusters, Bootstrap(resamples, seed), each)
    made = agree(path or find_project(project).root, request, other=other, project=project)
    if json:
        print_json(made.as_json())
    else:
        _print(made, layers, other)
    raise typer.Exit(0 if made.comparisons else 1)


def _print(made: Agreement, layers: list[str], other: Path | None) -> None:
    from dateline.agreement.matching import RULE
    from dateline.cli.results import say

    for comparison in made.comparisons:
        _print_one(comparison)
    for note in made.notes:
        say(note, file=sys.stderr)
    if not made.comparisons:
        of = f" of {', '.join(layers)}" if layers else " of one layer"
        where = f"no article has a set{of} both here and in {other}" if other else f"no article has two annotation sets{of}"
        why = "adjudicated and replaced sets follow from others, and are not compared"
        say(f"nothing to compare: {where} ({why})", file=sys.stderr)
        return
    say(f"Matching: {RULE}.")
    say(f"Intervals: 95 %, bootstrap over articles, {made.bootstrap.resamples:,} resamples, seed {made.bootstrap.seed}.")


def _print_one(one: Comparison) -> None:
    from dateline.cli.results import count, say

    say(f"{one.layer}: {one.called} agreement of {', '.join(one.annotators)}")
    first, second = one.items
    say(
        f"  {count(one.articles, 'article')}, {count(one.pairs, 'pair')} of sets, {first:,} and {second:,} items: "
        f"{one.matched:,} matched, {one.exact:,} of them with equal spans"
        + (f"; {one.unplaced:,} stand nowhere in the text" if one.unplaced else "")
    )
    shown = [figure for figure in one.figures if figure.n]
    names = [figure.field or "(items)" for figure in shown]
    wide = max(map(len, names), default=0)
    wider = max((len(figure.measure) for figure in shown), default=0)
    for name, figure in zip(names, shown, strict=True):
        say(f"    {name:{wide}}  {figure.measure:{wider}}  {_told(figure)}")
    if not shown:
        say("    neither found anything")
    say("")


def _told(figure: Figure) -> str:
    if figure.value is None:
        return f"n = {figure.n:,}: {figure.says}"
    interval = "" if figure.low is None or figure.high is None else f"[{figure.low:5.2f}, {figure.high:5.2f}]"
    why = f" ({figure.says})" if figure.says else ""
    return f"{figure.value:5.2f} {interval:14}  n = {figure.n:,} {figure.of}{why}"
