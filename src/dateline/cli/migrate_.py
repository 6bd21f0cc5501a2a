"""dateline migrate"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    files: Annotated[list[Path], typer.Argument(help="Seed files, or folders of them; all seeds of the project if none.")] = [],  # noqa: B006
    to: Annotated[str | None, typer.Option("--to", help="Schema version to bring records to.", show_default="the newest")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, write nothing.")] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Rewrite seeds from one schema version to the next by the steps in schemas/migrations/. The plan is shown first.

    Nothing is written if any record would be wrong afterwards (exit 1).
    """
    from dateline.cli.results import count, print_json, print_problems
    from dateline.migrate import plan_migration, write_migration
    from dateline.project import find_project

    home = find_project(files[0].parent if files and project == Path() else project)
    plan = plan_migration(home, files or [home.seeds], to)
    if not json:
        for file in plan.pending:
            steps = ", ".join(f"{number:,} from {version}" for version, number in sorted(file.migrates.items()))
            print(f"{file.name}: {steps}, of {count(file.records, 'record')}")
        for migration in plan.used:
            print(f"{migration.source} -> {migration.target}: {migration.description}")
            for step, tally in zip(migration.steps, plan.tallies[migration.target], strict=True):
                touches = f"; touches {', '.join(sorted(step.touches))}" if step.touches else ""
                lost = f", {count(tally.discarded, 'value')} discarded" if tally.discarded else ""
                done = "nothing to change" if tally.met or step.op == "add_field" else "nothing to change: no item has this"
                if tally.items:
                    done = f"{count(tally.items, 'item')} in {count(tally.records, 'record')}"
                print(f"  {step.number:3} {step}: {done}{lost}{touches}")
                print(f"      {step.why}")
        print_problems(plan.problems)
        sys.stdout.flush()
    written = write_migration(home, plan) if not plan.problems and not dry_run else []
    if json:
        print_json({"success": not plan.problems, "dry_run": dry_run, **plan.as_json(), "written": written})
    elif plan.problems:
        print(f"{count(len(plan.problems), 'problem')}; nothing was written", file=sys.stderr)
    elif not plan.records:
        records = sum(file.records for file in plan.files)
        print(f"{count(records, 'record')} at {plan.target}: nothing to migrate", file=sys.stderr)
    else:
        verb = "would be brought" if dry_run else "brought"
        print(f"{count(plan.records, 'record')} in {count(len(plan.pending), 'file')} {verb} to {plan.target}", file=sys.stderr)
    raise typer.Exit(1 if plan.problems else 0)
