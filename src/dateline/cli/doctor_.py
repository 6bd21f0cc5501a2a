"""dateline doctor"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(project: ProjectOption = Path(), json: JsonOption = False) -> None:
    """Look at Python, packages, schemas and dataset, and say what is missing (exit 1)."""
    from dateline.cli.results import print_json, say
    from dateline.doctor import examine

    findings = list(examine(project))
    if json:
        print_json({"well": all(f.well for f in findings), "findings": [asdict(f) for f in findings]})
    else:
        width = max(len(f.what) for f in findings)
        for finding in findings:
            say(f"{'ok ' if finding.well else 'BAD'} {finding.what:{width}}  {finding.says}")
            if finding.hint and (not finding.well or finding.what == "dataset"):
                say(f"    {' ' * width}  {finding.hint}")
    raise typer.Exit(0 if all(f.well for f in findings) else 1)
