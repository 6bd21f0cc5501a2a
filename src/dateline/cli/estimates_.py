"""dateline estimates"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dateline.cli.words import JsonOption, ProjectOption

if TYPE_CHECKING:
    from dateline.figures_shown import FiguresOf, Shown

_MOST_PAIRS = 20
_FORMATS = (".svg", ".png")


def command(
    estimand: Annotated[
        str | None, typer.Argument(metavar="[ESTIMAND]", help="STORY/NAME, or a name that one story alone has; all if none.")
    ] = None,
    dataset: Annotated[Path | None, typer.Option("--dataset", help="Folder of a dataset.", show_default="the project's")] = None,
    measure: Annotated[str | None, typer.Option("--measure", help="Only estimands of this measure.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Also estimands with one estimate; of an estimand, all its pairs.")
    ] = False,
    plot: Annotated[Path | None, typer.Option("--plot", help="Also draw the estimand's chart: FILE.svg or FILE.png.")] = None,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Show which figures are disputed; of one estimand, who said what when, as a table and as a chart."""
    from dateline.errors import UsageError
    from dateline.figures_shown import figures_of
    from dateline.project import find_project

    if estimand is None and plot is not None:
        raise UsageError("--plot draws one estimand; name it: dateline estimates STORY/NAME --plot FILE.svg")
    if estimand is not None and measure is not None:
        raise UsageError("--measure is for the table of all estimands; leave it out, or the name of the estimand")
    if plot is not None and plot.suffix.lower() not in _FORMATS:
        raise UsageError(f"--plot is {plot}; the name of a chart ends in .svg or .png")
    figures = figures_of(dataset or find_project(project).dataset)
    if estimand is None:
        _print_estimands(figures, measure, every, json)
        return
    shown = figures.show(figures.find(estimand))
    if plot is not None:
        _draw(shown, plot)
    _print_shown(shown, every, json)


def _print_estimands(figures: FiguresOf, measure: str | None, every: bool, json: bool) -> None:
    from dateline.cli.results import count, print_json, say
    from dateline.describe.figures import estimand_lines

    found = figures.estimands(measure)
    kept = found if every else [row for row in found if row["n_estimates"] > 1]
    if json:
        print_json({"estimands": [_plain(row) for row in kept]})
        return
    for line in estimand_lines(kept):
        say(line)
    if len(kept) < len(found):
        say(f"and {count(len(found) - len(kept), 'estimand')} with a single estimate; --all lists them")


def _print_shown(shown: Shown, every: bool, json: bool) -> None:
    from dataclasses import asdict

    from dateline.cli.results import count, print_json, say
    from dateline.describe.figures import estimate_lines, heading, notice_of, pair_lines

    if json:
        print_json({"estimand": _plain(shown.estimand), "estimates": [_plain(row) for row in shown.estimates],
                    "pairs": [_plain(row) for row in shown.pairs]})  # fmt: skip
        return
    say(heading(shown.estimand))
    if notice := notice_of(**asdict(shown.provenance)):
        say(notice)
    for line in estimate_lines(shown.estimand, shown.estimates):
        say(f"  {line}")
    pairs = shown.pairs if every else shown.pairs[:_MOST_PAIRS]
    say(f"{count(len(shown.pairs), 'pair')}{':' if pairs else ''}")
    for line in pair_lines(pairs, shown.estimates):
        say(f"  {line}")
    if len(pairs) < len(shown.pairs):
        say(f"and {count(len(shown.pairs) - len(pairs), 'pair')} more; --all lists them")


def _draw(shown: Shown, path: Path) -> None:
    from dataclasses import asdict

    from dateline.describe.figures import notice_of
    from dateline.describe.figures_chart import chart_png, chart_svg, estimates_chart
    from dateline.errors import BuildError, needing
    from dateline.files import write_atomically

    chart = estimates_chart(shown.estimand, shown.estimates, notice=notice_of(**asdict(shown.provenance)))
    with needing("plot", "--plot"):
        svg = chart_svg(chart, shown.estimand, shown.estimates)
        drawn = chart_png(svg) if path.suffix.lower() == ".png" else svg.encode()
    try:
        write_atomically(path, drawn)
    except OSError as fault:
        raise BuildError(
            f"{path}: cannot be written: {fault.strerror or fault}; name a file in a folder that takes one"
        ) from None


def _plain(row: Any) -> Any:
    """A row as plain JSON types: exact numbers as they are, dates in ISO form."""
    import datetime
    from decimal import Decimal

    if isinstance(row, dict):
        return {key: _plain(value) for key, value in row.items()}
    if isinstance(row, list):
        return [_plain(value) for value in row]
    if isinstance(row, Decimal):
        return int(row) if row == row.to_integral_value() else float(row)
    return row.isoformat() if isinstance(row, datetime.date) else row
