"""dateline validate"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption

if TYPE_CHECKING:
    from dateline.cli.results import Progress
    from dateline.validating import Request, Validation


def command(
    what: Annotated[
        list[str],
        typer.Argument(
            help="A release (folder, hf://..., s3://...), or Parquet files with --suite; the project's dataset/ if none."
        ),
    ] = [],  # noqa: B006
    suite: Annotated[Path | None, typer.Option("--suite", help="One suite of Great Expectations, for Parquet files.")] = None,
    suites: Annotated[Path | None, typer.Option("--suites", help="Folder of suites, in place of those of the release.")] = None,
    key: Annotated[str, typer.Option("--key", help="Columns that name a row of Parquet files in findings: a,b.")] = "",
    earlier: Annotated[
        str | None, typer.Option("--earlier", help="An earlier release, for label drift (folder, hf://..., s3://...).")
    ] = None,
    engine: Annotated[str, typer.Option("--engine", help="duckdb, pandas or spark: what runs the suites.")] = "duckdb",
    memory_limit: Annotated[str, typer.Option("--memory-limit", help="For DuckDB; beyond it, it spills to disk.")] = "2GB",
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="For DuckDB.", show_default="one per core")] = None,
    samples: Annotated[int, typer.Option("--samples", min=0, max=10_000, help="Rows that a finding names.")] = 20,
    md: Annotated[Path | None, typer.Option("--md", help="Also write the result as Markdown (- for stdout).")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Also write the result as JUnit XML.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Also write the result as one HTML page.")] = None,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Run Great Expectations suites on whole tables. Exit 1 if an error is found that is not waived."""
    import tempfile

    from dateline.cli.results import print_json, progress_bar
    from dateline.describe.validation import validation_html, validation_junit, validation_markdown
    from dateline.errors import UsageError
    from dateline.validating import Request

    if engine not in ("duckdb", "pandas", "spark"):
        raise UsageError(f"--engine is {engine!r}; there are duckdb, pandas and spark")
    if suite is not None and suites is not None:
        raise UsageError("--suite is for Parquet files, --suites for a release; give one of them")
    if suite is not None and not what:
        raise UsageError("--suite needs the Parquet files that it is about: dateline validate data.parquet --suite suite.json")
    if key and suite is None:
        raise UsageError("--key is for Parquet files with --suite; the rows of a release have ids")
    request = Request(engine=engine, memory_limit=memory_limit, threads=threads, samples=samples)
    with tempfile.TemporaryDirectory(prefix="dateline-") as work, progress_bar() as tell:
        done = _validate(what, suite, suites, key, earlier, project, request, Path(work), tell)
    result = done.as_json()
    written = {md: validation_markdown, junit: validation_junit, html: validation_html}
    for path, text in written.items():
        if path is not None and str(path) != "-":
            _write(path, text(result))
    if md is not None and str(md) == "-":
        print(validation_markdown(result), end="")
    elif json:
        print_json(result)
    else:
        _print(done)
    raise typer.Exit(0 if done.success else 1)


def _validate(
    what: list[str], suite: Path | None, suites: Path | None, key: str, earlier: str | None, project: Path,
    request: Request, work: Path, tell: Progress,
) -> Validation:  # fmt: skip
    from dateline.errors import UsageError
    from dateline.project import find_project
    from dateline.sources import fetch_release, named
    from dateline.validating import validate_parquet, validate_project, validate_release

    before = fetch_release(earlier, work / "earlier", tell) if earlier else None
    if suite is not None:
        found = [named(word) for word in what]
        for word, one in zip(what, found, strict=True):
            if one.kind == "release":
                raise UsageError(f"{word}: is a release, which --suites FOLDER is for; --suite FILE is for Parquet files")
        files = [path for one in found for path in one.files]
        return validate_parquet(files, suite, [k for k in key.split(",") if k], request)
    if not what:
        return validate_project(find_project(project), request, earlier=before, tell=tell)
    if len(what) > 1:
        raise UsageError(f"one release at a time; there are {len(what)}: {', '.join(what)}")
    if named(what[0]).kind == "parquet":
        raise UsageError(f"{what[0]}: is no release; Parquet files need a suite: dateline validate {what[0]} --suite suite.json")
    return validate_release(fetch_release(what[0], work / "release", tell), request, suites=suites, earlier=before, tell=tell)


def _write(path: Path, text: str) -> None:
    from dateline.errors import InputError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise InputError(f"{path}: cannot be written: {fault.strerror}") from None


def _print(done: Validation) -> None:
    from dateline.cli.results import count, print_problems, say

    errors = [f for f in done.findings if f.fails]
    others = [f for f in done.findings if not f.fails]
    print_problems([p for finding in [*others, *errors] for p in finding.as_problems()])
    for note in done.notes:
        say(note, file=sys.stderr)
    numbers = done.counts
    says = count(numbers["errors"], "error") if numbers["errors"] else "no errors"
    says += f", {count(numbers['warnings'], 'warning')}" if numbers["warnings"] else ""
    says += f", {numbers['waived']} waived" if numbers["waived"] else ""
    name = f"{done.dataset['name']} {done.dataset['version']}: " if done.dataset else ""
    say(f"{name}{count(numbers['expectations'], 'expectation')} in {count(len(done.checked), 'suite')}: {says}")
