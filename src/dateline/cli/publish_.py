"""dateline publish"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption

if TYPE_CHECKING:
    from dateline.project import Project
    from dateline.publishing import Outcome


def command(
    target: Annotated[
        str | None,
        typer.Argument(metavar="[TARGET]", help="A folder, s3://bucket/prefix, hf://org/name, zenodo://[DEPOSITION], or a name."),
    ] = None,
    sign: Annotated[
        Path | None, typer.Option("--sign", metavar="KEY", help="Sign it with this private key (`dateline keygen`).")
    ] = None,
    site: Annotated[bool, typer.Option("--site", help="Put its site beside it, as site.zip.")] = False,
    final: Annotated[bool, typer.Option("--final", help="Publish the draft at Zenodo, which nobody can take back.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing anywhere; say what would be sent.")] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Bring the release in dataset/ to a target, whole: what is there is never replaced, what is unchanged not sent again."""
    from dateline.cli.results import print_json, progress_bar
    from dateline.project import find_project
    from dateline.publishing import publish

    home = find_project(project)
    if target is None:
        _list(home, json)
        return
    key = None
    if sign is not None:
        from dateline.keys import read_private_key

        key = read_private_key(sign)
    with progress_bar(of_bytes=True) as tell:
        done = publish(home, target, key=key, site=site, final=final, dry_run=dry_run, tell=tell)
    if json:
        print_json({
            "success": done.success, "target": done.target, "version": done.version or None, "dry_run": dry_run,
            "already_there": done.already, "sent": {"files": done.sent.files, "bytes": done.sent.bytes},
            "reused": done.sent.reused, "skipped": done.sent.kept, "requests": done.sent.requests, "done": done.sent.done,
            "read_back": {"files": done.read_files, "bytes": done.read_bytes},
            "refusals": done.refusals, "faults": done.faults,
        })  # fmt: skip
    else:
        _print(done, dry_run)
    raise typer.Exit(0 if done.success else 1)


def _list(project: Project, json: bool) -> None:
    from dateline.cli.results import print_json, say

    targets = project.settings.targets
    if json:
        print_json({"targets": targets})
        return
    for name, address in targets.items():
        say(f"{name}  {address}")
    if not targets:
        say('name a target: dateline publish FOLDER (or s3://bucket/prefix, hf://org/name, zenodo://); or give it a name in '
            'pyproject.toml:\n'.strip())  # fmt: skip
        say("    [tool.dateline.targets]")
        say('    hub = "hf://org/name"')


def _print(done: Outcome, dry_run: bool) -> None:
    from dateline.cli.results import count, say

    for line in done.refusals:
        say(line, file=sys.stderr)
    if done.refusals:
        print("nothing was published", file=sys.stderr)
        return
    for line in done.faults:
        say(line, file=sys.stderr)
    if done.faults:
        say(f"{done.version} at {done.target} is not what was sent: {count(len(done.faults), 'fault')}", file=sys.stderr)
        return
    sent = f"{count(len(done.sent.files), 'file')} ({done.sent.bytes:,} bytes) {'to send' if dry_run else 'sent'}"
    rest = [f"{count(len(files), 'file')} {how}" for files, how in
            ((done.sent.reused, "from another release there"), (done.sent.kept, "there already")) if files]  # fmt: skip
    told = "; ".join([sent, *rest])
    if dry_run:
        say(f"{done.version} {'is at' if done.already else 'would be published to'} {done.target}: {told}")
        return
    if done.already:
        say(f"{done.version} was at {done.target} already: {told}")
    else:
        say(f"{done.version} is published to {done.target}: {told}")
    for line in done.sent.done:
        say(f"  {line}")
    say(f"  {count(done.read_files, 'file')} ({done.read_bytes:,} bytes) read back, as they should be")
