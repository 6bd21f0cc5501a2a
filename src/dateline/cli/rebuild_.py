"""dateline rebuild"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dateline.cli.words import JobsOption, JsonOption, ProjectOption
from dateline.errors import UsageError

if TYPE_CHECKING:
    from dateline.compare import Differences
    from dateline.engines import Engine
    from dateline.profiling import Profile
    from dateline.remote_dataset import Put


def command(
    jobs: JobsOption = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Remove files of the build before at once, not at the next rebuild.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 and name what differs if dataset/ is not what seeds/ give.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Make everything anew, although nothing has changed since the last rebuild.")
    ] = False,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="ENGINE",
            help="Where the work is done: local (processes here), spark (Spark here) or spark://HOST:PORT (a master's workers).",
        ),
    ] = "local",
    seeds: Annotated[
        str | None,
        typer.Option(
            "--seeds",
            metavar="ADDRESS",
            help="Where the records are, if not in seeds/: s3://bucket/prefix. The ledger and the tables stay in seeds/.",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="ADDRESS", help="Put dataset/ into an object store, too: s3://bucket/prefix."),
    ] = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="Say what each stage took: seconds, CPU seconds, MB of seeds per second.")
    ] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Compile seeds/ into dataset/. If anything is wrong (exit 1), dataset/ stays as it was."""
    from dateline.cli.results import count, print_json, print_leak_scan, print_problems, progress_bar, say
    from dateline.pipeline import Rebuilt, rebuild
    from dateline.pipeline import check as check_dataset
    from dateline.profiling import Profile
    from dateline.project import find_project

    home = find_project(project)
    if check and out is not None:
        raise UsageError("--check changes nothing, so there is nothing to put: leave out --out")
    taken = Profile()
    with progress_bar() as tell, _workers(engine, jobs) as workers:
        if check:
            result = check_dataset(home, workers, tell=tell, profile=taken, seeds=seeds)
        else:
            result = rebuild(home, workers, tell=tell, sweep=sweep, profile=taken, known=not again, seeds=seeds, out=out)
    if profile and not json:
        _print_profile(taken)
    more = {"profile": taken.as_json()} if profile else {}
    if not isinstance(result, Rebuilt):
        _print_differences(result, home.name_of(home.dataset), json, more)
        raise typer.Exit(1 if result else 0)
    manifest = result.manifest
    if json:
        print_json({
            "success": manifest is not None, "changed": result.changed,
            "content_digest": manifest.content_digest if manifest else None,
            "logical_digest": manifest.logical_digest if manifest else None,
            "problems": [p.as_json() for p in result.problems],
            "warnings": [p.as_json() for p in result.warnings],
            "leak_scan": result.leaks.as_json(),
            "validation": result.validated,
            **({"put": dataclasses.asdict(result.put)} if result.put else {}),
            **more,
        })  # fmt: skip
    elif manifest is None:
        print_problems([*result.warnings, *result.problems])
        say(f"{count(len(result.problems), 'problem')}; {home.name_of(home.dataset)}/ is as it was", file=sys.stderr)
    else:
        print_problems(result.warnings)
        articles = manifest.tables["articles"]
        splits = ", ".join(f"{split} {rows:,}" for split, rows in articles.splits.items())
        rows = sum(table.rows for name, table in manifest.tables.items() if name not in {"records", "standoff", "primary"})
        filled = sum(1 for table in manifest.tables.values() if table.rows)
        say(
            f"{home.name_of(home.dataset)}/ {'rebuilt' if result.changed else 'unchanged'}: "
            f"{count(articles.rows, 'article')} ({splits}), {rows:,} rows in {filled} configs, "
            f"content {manifest.content_digest[:12]}, {_validated(result.validated)}"
        )
        if left_out := manifest.splits["left_out"]:
            print(f"{count(left_out, 'article')} left out", file=sys.stderr)
        if result.strange:
            files = count(len(result.strange), "file")
            say(
                f"{files} in {home.name_of(home.dataset)}/ not made by a rebuild, left alone: {result.strange[0]}",
                file=sys.stderr,
            )
        if result.kept:
            say(f"{count(len(result.kept), 'file')} of the build before kept for its readers; the next rebuild removes them",
                  file=sys.stderr)  # fmt: skip
        if put := result.put:
            say(f"{put.address} {_told_of(put)}")
    if not json:
        print_leak_scan(result.leaks)
    raise typer.Exit(0 if manifest else 1)


def _workers(engine: str, jobs: int | None) -> AbstractContextManager[Engine]:
    from dateline.engines import LocalEngine

    if engine == "local":
        return nullcontext(LocalEngine(jobs))
    if engine != "spark" and not engine.startswith("spark://"):
        raise UsageError(f"--engine {engine}: there is local, spark, or the address of a master, spark://HOST:PORT")
    if jobs is not None and engine != "spark":
        raise UsageError("--jobs says how many processes work here; at a master it is the workers' settings that say it")
    from dateline.spark import SparkWorkers

    return SparkWorkers(engine, jobs)


def _told_of(put: Put) -> str:
    from dateline.cli.results import count

    if not put.sent:
        return "holds it already"
    there = f", {count(len(put.kept), 'file')} there already" if put.kept else ""
    return f"holds it: {count(len(put.sent), 'file')} sent ({put.bytes / 1e6:,.1f} MB){there}"


def _validated(counts: dict[str, int] | None) -> str:
    from dateline.cli.results import count

    if counts is None:
        return "not validated (no suites)"
    warned = f", {count(counts['warnings'], 'warning')}" if counts["warnings"] else ""
    waived = f", {counts['waived']} waived" if counts["waived"] else ""
    return f"{count(counts['expectations'], 'expectation')} met{warned}{waived}"


def _print_profile(taken: Profile) -> None:
    """To stderr, as progress is: what a command says on stdout is about the dataset."""
    rows = [*((s.name, s.seconds, s.cpu_seconds) for s in taken.stages)]
    rows.append(("in all", taken.seconds, sum(s.cpu_seconds for s in taken.stages)))
    width = max(len(name) for name, *_ in rows)
    print(f"{'stage':{width}}  {'seconds':>9}  {'CPU':>9}  {'MB/s':>8}", file=sys.stderr)
    for name, seconds, cpu in rows:
        rate = taken.megabytes_a_second(seconds)
        shown = "-" if rate is None or rate >= 100_000 else f"{rate:,.1f}"
        print(f"{name:{width}}  {seconds:9,.2f}  {cpu:9,.2f}  {shown:>8}", file=sys.stderr)
    said = taken.as_json()
    peaks = {"this process": said["peak_memory_bytes"], "a worker": said["largest_worker_bytes"]}
    memory = ", ".join(f"{who} {peak / 1e6:,.0f} MB" for who, peak in peaks.items() if peak)
    print(f"{taken.input_bytes / 1e6:,.1f} MB of seeds; most memory: {memory or 'not known here'}", file=sys.stderr)


def _print_differences(found: Differences, name: str, json: bool, more: Mapping[str, Any]) -> None:
    from dateline.cli.results import count, print_json

    if json:
        print_json({"success": not found, **found.as_json(), **more})
        return
    for row in found.rows:
        print(f"{row['table']} {row['row']}  {row['difference']}")
    if found.more_rows:
        print(f"... and {found.more_rows:,} more rows")
    for kind in ("missing", "extra", "changed"):
        for path in getattr(found, kind):
            print(f"{name}/{path}  {kind}")
    if found:
        files = len(found.missing) + len(found.extra) + len(found.changed)
        rows = len(found.rows) + found.more_rows
        print(f"{name}/ is not what the seeds give: {count(files, 'file')} and {count(rows, 'row')} differ; run dateline rebuild",
              file=sys.stderr)  # fmt: skip
    else:
        print(f"{name}/ is what the seeds give")
