"""dateline new"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dateline.cli.words import JobsOption, JsonOption

if TYPE_CHECKING:
    from dateline.starting import Started


def command(
    name: Annotated[Path, typer.Argument(help="Folder to make; its name is the project's: lower-case words with hyphens.")],
    path: Annotated[
        Path | None, typer.Argument(help="Annotated files: a folder, a file, a zip archive. An example if none.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", help="Format of the files, or a corpus that Dateline knows.", show_default="what they look like"),
    ] = None,
    text_license: Annotated[
        str, typer.Option("--text-license", help="Licence under which anybody may have the texts: an SPDX expression.")
    ] = "",
    private: Annotated[
        bool, typer.Option("--private", help="The texts may not be passed on: keep them, ignore dataset/ in git, never publish.")
    ] = False,
    option: Annotated[
        list[str], typer.Option("--option", help='An option of the format, as in mapping.toml: offsets="utf-16".')
    ] = [],  # noqa: B006
    keep: Annotated[bool, typer.Option("--keep", help="Keep the project even if it cannot be rebuilt, to mend it.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; say what would be guessed and imported.")] = False,
    jobs: JobsOption = None,
    json: JsonOption = False,
) -> None:
    """Make a project of annotated files: schemas, mapping, suites, CI; imported, rebuilt and validated.

    What was guessed is printed, with the reason and the place where to change it. Without PATH, a project with one example.
    """
    from dateline.cli.results import print_json, progress_bar
    from dateline.engines import LocalEngine
    from dateline.errors import UsageError
    from dateline.starting import AUTO, Wishes, start

    if path is None and (source or text_license or private or option):
        raise UsageError("--from, --text-license, --private and --option are about annotated files; name their PATH")
    wishes = Wishes(path, source or AUTO, text_license, private, _options(option))
    with progress_bar() as tell:
        done = start(name, wishes, LocalEngine(jobs), dry_run=dry_run, keep=keep, tell=tell)
    if json:
        print_json(done.as_json())
    else:
        _print(done, dry_run)
    imported = done.converted is None or bool(done.converted.written)
    raise typer.Exit(0 if done.made or (dry_run and imported) else 1)


def _options(written: list[str]) -> dict[str, Any]:
    """Options of a format, as a line of TOML says them; a word alone is a string."""
    from dateline.errors import UsageError

    made = {}
    for each in written:
        key, equals, value = each.partition("=")
        if not equals or not key.strip():
            raise UsageError(f'--option is {each!r}, but must be NAME=VALUE, such as offsets="utf-16"')
        try:
            made[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            made[key.strip()] = value
    return made


def _print(done: Started, dry_run: bool) -> None:
    """What was guessed and imported on stdout; what is wrong, and what to do next, on stderr."""
    from dateline.cli.import_ import print_account
    from dateline.cli.results import count, print_problems, say

    if done.format:
        say(f"format: {done.format}  ({done.why})")
    for guess in done.guesses:
        say(f"{guess.what}  ({guess.because})  -> {guess.change}")
    if done.converted is not None:
        print()
        print_account(done.converted, strict=False, dry_run=dry_run)
    if dry_run:
        say(f"{done.target}: not made (--dry-run)", file=sys.stderr)
        return
    rebuilt = done.rebuilt
    if rebuilt is not None:
        print_problems([*rebuilt.warnings, *rebuilt.problems])
    if not done.made or rebuilt is None or rebuilt.manifest is None:
        why = "nothing could be imported" if rebuilt is None else f"{count(len(rebuilt.problems), 'problem')} in the rebuild"
        left = "kept as it is" if done.target.exists() and any(done.target.iterdir()) else "not made; --keep keeps it"
        say(f"{done.target}: {left}: {why}", file=sys.stderr)
        return
    articles = rebuilt.manifest.tables["articles"]
    splits = ", ".join(f"{split} {rows:,}" for split, rows in articles.splits.items())
    met = rebuilt.validated["passed"] if rebuilt.validated else 0
    say(f"{done.target}/ made: {count(articles.rows, 'article')} ({splits}), {count(met, 'expectation')} met")
    say(f"next: cd {done.target}; read README.md" + ("; look at each guess above" if done.guesses else ""), file=sys.stderr)
