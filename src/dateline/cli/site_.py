"""dateline site"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dateline.cli.words import JsonOption, ProjectOption


def command(
    source: Annotated[
        str | None,
        typer.Argument(help="A release: a folder, hf://..., s3://... (each @VERSION).", show_default="the project's dataset"),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the site; an earlier site there is replaced.")] = Path("site"),
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="OLD", help="Draw what differs from this folder, address, version, revision."),
    ] = None,
    space: Annotated[bool, typer.Option("--space", help="A folder that the Hugging Face Hub serves as a static Space.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Then serve it on 127.0.0.1, until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="With --serve: the port; 0 takes a free one.")] = 8000,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Make a static site of a release: its articles with all layers, its disagreements, its validation, its versions."""
    from dateline.cli.results import count, print_json, progress_bar, say
    from dateline.errors import needing

    with needing("build,site", "a site"):
        from dateline.siting import make_site

        with progress_bar() as tell:
            made = make_site(source, out, project, against=against, space=space, tell=tell)
    if json:
        print_json(made.as_json())
    else:
        say(f"{made.out}: {made.name} {made.version}, {count(made.articles, 'article')}, {count(made.pages, 'page')}, "
            f"{made.bytes:,} bytes; open {made.out / 'index.html'}")  # fmt: skip
        if made.not_at_hand:
            say(f"{count(made.not_at_hand, 'withheld text')} not at hand, not scanned", file=sys.stderr)
    if serve:
        from dateline.serving import serve_folder

        serve_folder(made.out, port, lambda address: say(f"serving {address} until Ctrl-C"))
