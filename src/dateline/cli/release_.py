"""dateline release"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dateline.cli.words import JobsOption, JsonOption, ProjectOption

if TYPE_CHECKING:
    from dateline.releasing import Released


def command(
    bump: Annotated[
        str, typer.Option("--bump", help="auto, major, minor or patch; less than the data proves is refused.")
    ] = "auto",
    stable: Annotated[bool, typer.Option("--stable", help="Leave 0.x: the release is 1.0.0.")] = False,
    against: Annotated[
        str | None, typer.Option("--against", help="Where the last release is (folder, hf://..., s3://...), if not in git.")
    ] = None,
    allow_dirty: Annotated[bool, typer.Option("--allow-dirty", help="Release although files are not committed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do all but the writing; say what would be written.")] = False,
    jobs: JobsOption = None,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Make what seeds/ give the next release: its version is what the data proves. All is written, or nothing (exit 1)."""
    from dateline.cli.results import print_json, progress_bar
    from dateline.engines import LocalEngine
    from dateline.errors import UsageError
    from dateline.project import find_project
    from dateline.releasing import release
    from dateline.versions import LEVELS

    if bump not in ("auto", *LEVELS):
        raise UsageError(f"--bump {bump}: must be auto, major, minor or patch")
    home = find_project(project)
    with progress_bar() as tell:
        done = release(
            home,
            LocalEngine(jobs),
            bump=bump,
            stable=stable,
            against=against,
            allow_dirty=allow_dirty,
            dry_run=dry_run,
            tell=tell,
        )
    if json:
        print_json({
            "success": done.success, "version": done.version if done.success else None, "last": done.last,
            "bump": done.bump or None, "dry_run": dry_run, "files": done.files,
            "counts": done.diff.counts() if done.diff else None,
            "forbidding": [change.as_json() for change in done.forbidding],
            "problems": [p.as_json() for p in done.problems], "warnings": [p.as_json() for p in done.warnings],
        })  # fmt: skip
    else:
        _print(done, bump, dry_run)
    raise typer.Exit(0 if done.success else 1)


def _print(done: Released, bump: str, dry_run: bool) -> None:
    from dateline.cli.results import count, print_problems, say

    print_problems([*done.warnings, *done.problems])
    if done.problems:
        print(f"{count(len(done.problems), 'problem')}; nothing was released", file=sys.stderr)
    elif done.nothing:
        say(f"nothing has changed since {done.last}; there is nothing to release")
    elif done.forbidding:
        for change in done.forbidding[:20]:
            about = change.id or ".".join([change.table, *change.columns[:1]])
            say(f"{about}  {change.table}  {change.kind}: forces {change.bump} ({change.why})")
        if len(done.forbidding) > 20:
            print(f"... and {len(done.forbidding) - 20} more")
        forbid = count(len(done.forbidding), "change")
        says = f"--bump {bump} is less than the data proves, which is {done.bump}; {forbid} since {done.last} forbid it"
        say(f"not released: {says}", file=sys.stderr)
    elif done.manifest:
        after = f" after {done.last}: the data proves {done.bump}" if done.last else ", the first"
        articles = done.manifest.tables["articles"].rows
        say(f"{done.version} {'would be' if dry_run else 'is'} released{after}; {count(articles, 'article')}, content "
            f"{done.manifest.content_digest[:12]}")  # fmt: skip
        for name in done.files:
            print(f"  {name}  {'would be written' if dry_run else 'written'}")
        if not dry_run:
            tag = f"git add -A && git commit -m 'Release {done.version}' && git tag v{done.version}"
            say(f"next: dateline rebuild --sweep && {tag}", file=sys.stderr)
