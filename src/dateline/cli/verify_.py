"""dateline verify"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dateline.cli.words import JsonOption

if TYPE_CHECKING:
    from dateline.verifying import Verified


def command(
    where: Annotated[
        str, typer.Argument(help="A release, or a target: a folder, hf://org/name, s3://bucket/prefix; @0.2.0 after it.")
    ],
    key: Annotated[
        str | None, typer.Option("--key", help="Public key of who must have signed it: a .pub file, or base64.")
    ] = None,
    version: Annotated[str | None, typer.Option("--version", help="The version that it must be.")] = None,
    json: JsonOption = False,
) -> None:
    """Say whether a release is what it says it is: every digest, count and description, and who signed it. Exit 1 if not."""
    from dateline.cli.results import print_json, progress_bar
    from dateline.keys import read_public_key
    from dateline.verifying import verify

    public = read_public_key(key) if key is not None else None
    with progress_bar() as tell:
        found = verify(where, key=public, version=version, tell=tell)
    if json:
        print_json(found.as_json())
    else:
        _print(found)
    raise typer.Exit(0 if found.success else 1)


def _print(found: Verified) -> None:
    from dateline.cli.results import count, say

    for fault in found.faults:
        say(str(fault))
    for note in found.notes:
        say(f"note: {note}", file=sys.stderr)
    what = f"{found.where}: release {found.version}" if found.version else found.where
    if found.faults:
        say(f"{what} is not what it says it is: {count(len(found.faults), 'fault')}", file=sys.stderr)
        return
    by = f", signed by {found.signed_by}" if found.trusted else ""
    say(f"{what} is whole: {count(found.files, 'file')}, {found.bytes:,} bytes{by}")
