"""dateline rules"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    md: Annotated[bool, typer.Option("--md", help="Print the page docs/rules.md.")] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """List every rule: of the engine, of the project's schemas, of its suites."""
    from dateline.cli.results import print_json
    from dateline.describe.rules import rules_page
    from dateline.project import find_project
    from dateline.rules import decided_by_suites, registry
    from dateline.schema import load_schemas

    home = find_project(project)
    rules = registry(load_schemas(home.schemas), home.expectations)
    if json:
        print_json([asdict(rule) for rule in rules.values()])
    elif md:
        print(rules_page(rules, decided_by_suites(home.expectations)), end="")
    else:
        for rule in rules.values():
            print(f"{rule.id:26} {rule.stage:9} {rule.level:8} {rule.message}")
