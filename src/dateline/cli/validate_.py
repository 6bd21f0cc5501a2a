"""dateline validate"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from dateline.cli.words import JobsOption, JsonOption, ProjectOption

if TYPE_CHECKING:
    from dateline.cli.results import Progress
    from dateline.validating import Request, Validation


def command(
    what: Annotated[
        list[str],
        typer.Argument(
            help="A release (folder, hf://..., s3://... @VERSION), or Parquet files with --suite; the project's dataset/ if none."
        ),
    ] = [],  # noqa: B006
    suite: Annotated[Path | None, typer.Option("--suite", help="One suite of Great Expectations, for Parquet files.")] = None,
    suites: Annotated[Path | None, typer.Option("--suites", help="Folder of suites, in place of those of the release.")] = None,
    key: Annotated[str, typer.Option("--key", help="Columns that name a row of Parquet files in findings: a,b.")] = "",
    earlier: Annotated[
        str | None, typer.Option("--earlier", help="An earlier release, for label drift (folder, hf://..., s3://...).")
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            "--engine", help="What runs the suites: duckdb, pandas, spark (Spark here) or spark://HOST:PORT (a master's workers)."
        ),
    ] = "duckdb",
    memory_limit: Annotated[str, typer.Option("--memory-limit", help="For DuckDB; beyond it, it spills to disk.")] = "2GB",
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="For DuckDB.", show_default="one per core")] = None,
    samples: Annotated[int, typer.Option("--samples", min=0, max=10_000, help="Rows that a finding names.")] = 20,
    md: Annotated[Path | None, typer.Option("--md", help="Also write the result as Markdown (- for stdout).")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Also write the result as JUnit XML.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Also write the result as one HTML page.")] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Show that the suites catch faults: run them on mutants of the dataset (minutes).")
    ] = False,
    sample: Annotated[int | None, typer.Option("--sample", min=1, help="For --self-test: so many of the mutants.")] = None,
    jobs: JobsOption = None,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Run Great Expectations suites on whole tables. Exit 1 if an error is found that is not waived."""
    import tempfile

    from dateline.cli.results import print_json, progress_bar
    from dateline.describe.validation import validation_html, validation_junit, validation_markdown
    from dateline.errors import UsageError
    from dateline.validating import Request

    if engine not in ("duckdb", "pandas", "spark") and not engine.startswith("spark://"):
        raise UsageError(f"--engine is {engine!r}; there are duckdb, pandas, spark, and a master of Spark, spark://HOST:PORT")
    if suite is not None and suites is not None:
        raise UsageError("--suite is for Parquet files, --suites for a release; give one of them")
    if suite is not None and not what:
        raise UsageError("--suite needs the Parquet files that it is about: dateline validate data.parquet --suite suite.json")
    if key and suite is None:
        raise UsageError("--key is for Parquet files with --suite; the rows of a release have ids")
    if self_test:
        if what or suite or suites or earlier or junit or html:
            raise UsageError(
                "--self-test is about the project's own dataset and suites; it takes --sample, --jobs, --md and --json"
            )
        _self_test(project, sample, jobs, md, json)
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


def _self_test(project: Path, sample: int | None, jobs: int | None, md: Path | None, json: bool) -> NoReturn:
    from collections import Counter

    from dateline.cli.results import count, print_json, progress_bar, say
    from dateline.describe.matrix import matrix_page
    from dateline.engines import LocalEngine
    from dateline.project import find_project
    from dateline.selftesting import self_test_project

    with progress_bar() as tell:
        done = self_test_project(find_project(project), LocalEngine(jobs), sample=sample, tell=tell)
    result = done.as_json()
    if md is not None and str(md) != "-":
        _write(md, matrix_page(result))
    if md is not None and str(md) == "-":
        print(matrix_page(result), end="")
    elif json:
        print_json(result)
    else:
        for rule, kinds in done.matrix().items():
            caught = ", ".join(f"{kind} {n}/{of}" for kind, (n, of) in kinds.items())
            say(f"{rule:28} {caught or ('not in this sample' if sample else 'TRIPPED BY NO MUTANT')}")
        for one in done.unexpected:
            say(f"survived: {one.says}", file=sys.stderr)
        for stale in done.stale:
            say(f"survivors.toml: {stale}: is found, or trips, after all; remove the reason", file=sys.stderr)
        for rule in done.false_alarms:
            say(f"false alarm: {rule} trips on the dataset as it is", file=sys.stderr)
        found = Counter(map(done.killed, done.outcomes))
        say(
            f"{count(len(done.outcomes), 'mutant')}: {found['content']:,} found by rules about content, "
            f"{found['copies']:,} only because a copy differs, {found['counts']:,} by counts alone, {found['']:,} not found; "
            f"{len(done.unexpected):,} without a stated reason; {len(done.rules)} rules"
            + ("" if sample else f", {len(done.toothless)} without teeth")
        )
    raise typer.Exit(0 if done.success else 1)


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
