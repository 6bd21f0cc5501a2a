"""The command `dateline`: words in, results out, exit codes (0 clean, 1 a negative answer, 2 could not run).

Each command is one module of this package with a function `command`, whose docstring is its help. What a command
needs is imported when it runs: `dateline --help` must not wait for Arrow.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from importlib import import_module
from typing import Annotated

import typer

from dateline import __version__
from dateline.errors import DatelineError, printable, redacted

COMMANDS = (
    "new", "import", "check", "rebuild", "validate", "diff", "release", "publish", "verify", "keygen", "explain", "agreement",
    "score", "export", "export-view", "site", "stats", "estimates", "retract", "yank", "hydrate", "sign", "suites", "rules",
    "migrate", "doctor",
)  # fmt: skip

app = typer.Typer(
    name="dateline",
    help="Annotated article records into a versioned, validated, provenance-carrying dataset.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dateline {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


for _name in COMMANDS:
    app.command(_name)(import_module(f"dateline.cli.{_name.replace('-', '_')}_").command)


def main() -> None:
    """Run the command line; no traceback reaches a user unless DATELINE_DEBUG is set, and none with a secret in it."""
    sys.excepthook = lambda *fault: print(redacted("".join(traceback.format_exception(*fault))), end="", file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a character gets its escape
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except DatelineError as fault:
        _stop(f"error: {fault}")
    except ModuleNotFoundError as fault:
        if os.environ.get("DATELINE_DEBUG") or (fault.name or "").startswith("dateline"):
            raise
        _stop(f"error: this command needs the package {fault.name}; install what building needs: pip install 'dateline[build]'")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as fault:
        if os.environ.get("DATELINE_DEBUG"):
            raise
        _stop(f"error: internal fault in dateline {__version__}: {type(fault).__name__}; "
              "set DATELINE_DEBUG=1 to see the traceback, and please report it")  # fmt: skip


def _stop(message: str) -> None:
    print(redacted(printable(message)), file=sys.stderr)
    sys.exit(2)
