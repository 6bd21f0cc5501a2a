"""dateline keygen"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File of the private key.", show_default="in your settings, by the project's name"),
    ] = None,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Make a pair of keys to sign releases with: a private one for you alone, a public one (.pub) for everybody.

    The private key is encrypted if DATELINE_KEY_PASSPHRASE is set. It is never printed, and never made inside a project.
    """
    from dateline.cli.results import print_json, say
    from dateline.keys import default_path, generate
    from dateline.project import find_project

    path = out or default_path(find_project(project).settings.name)
    key = generate(path)
    public = path.with_name(f"{path.name}.pub")
    if json:
        print_json({"success": True, "private_key": str(path), "public_key": str(public), "fingerprint": key.fingerprint})
        return
    print(key.pem().decode(), end="")
    say(f"{key.fingerprint}  {public}")
    say(f"the private key is {path}: keep it, and a copy, where only you read it", file=sys.stderr)
    say('next: put the .pub file into the project, and name it: [tool.dateline] public_key = "..."', file=sys.stderr)
