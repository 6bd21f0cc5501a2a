"""dateline import"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from dateline.cli.words import JsonOption, ProjectOption

if TYPE_CHECKING:
    from dateline.converting import Converted

_MOST_REASONS = 20


def command(
    paths: Annotated[list[Path], typer.Argument(help="Files of the format, folders or zip archives of them.")],
    source: Annotated[
        str | None,
        typer.Option("--from", help="Format of the files.", show_default="what mapping.toml says, else authoring"),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the records.", show_default="seeds/articles")] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="How types become layers.", show_default="mapping.toml of the project")
    ] = None,
    quarantine: Annotated[
        Path | None,
        typer.Option("--quarantine", help="File for what is rejected.", show_default=".dateline/quarantine.jsonl"),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Write no record, and exit 1, if anything is rejected.")] = False,
    mend: Annotated[
        bool, typer.Option("--mend", help="Put documents into the records that stand; what the mapping does not name stays.")
    ] = False,
    reanchor: Annotated[
        bool,
        typer.Option(
            "--reanchor", help="The paths are edited texts, <article_id>.txt: move their articles' annotation onto them."
        ),
    ] = False,
    lines: Annotated[bool, typer.Option("--lines", help="Write one JSONL file of all records, not one file for each.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    project: ProjectOption = Path(),
    json: JsonOption = False,
) -> None:
    """Import annotated articles as records.

    Files of annotation tools go through mapping.toml; what it rejects is named, counted and kept in a quarantine file.
    Documents in the authoring format are written all, or none (exit 1). With --reanchor the annotation of standing records moves
    onto edited texts, as new records; spans that cannot move are told, and with --strict nothing is written then (exit 1).
    """
    from dateline.cli.results import print_json, progress_bar
    from dateline.errors import UsageError
    from dateline.project import find_project

    home = find_project(project)
    if reanchor:
        if source or mapping or quarantine or lines or mend:
            raise UsageError("--reanchor takes texts, and of the other options --out, --strict, --dry-run and --json")
        _reanchor(home, paths, out or home.seeds / "articles", strict, dry_run, json)
    if mend and (out or lines):
        raise UsageError(
            "--mend puts documents into the records that stand, where they stand; it takes neither --out nor --lines"
        )
    if source == "quarantine":
        _put_back(home, paths, out or home.seeds / "articles", dry_run, json)
    file = mapping or home.root / "mapping.toml"
    if mapping is None and (source == "authoring" or not file.is_file()):
        if mend:
            raise UsageError("--mend needs a mapping; dateline export writes one beside the documents")
        _import_records(home, source or "authoring", paths, out or home.seeds / "articles", dry_run, json)
    from dateline.converting import convert_files
    from dateline.mapping.file import read_mapping
    from dateline.schema import load_schemas

    schemas = load_schemas(home.schemas)
    says = read_mapping(file, schemas, name=home.name_of(file))
    if source is not None and source != says.format:
        raise UsageError(f"{home.name_of(file)} is for the format {says.format}, not {source}; give another with --mapping")
    with progress_bar() as tell:
        result = convert_files(
            home, schemas, says, paths, out or home.seeds / "articles", quarantine=quarantine, lines=lines, strict=strict,
            mend=mend, dry_run=dry_run, tell=tell,
        )  # fmt: skip
    if json:
        print_json(result.as_json())
    else:
        print_account(result, strict, dry_run)
    raise typer.Exit(1 if result.problems or (strict and result.n_rejections) else 0)


def print_account(result: Converted, strict: bool, dry_run: bool) -> None:
    """What became of what was found, on stdout; why things were rejected, on stderr."""
    from rich.console import Console
    from rich.table import Table

    from dateline.cli.results import count, print_problems, say
    from dateline.errors import printable
    from dateline.leaks import shown

    print_problems(result.problems)
    if result.problems:
        say("nothing was written", file=sys.stderr)
        return
    account = result.account
    table = Table("", "found", "imported", "rejected", "ignored", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for key in sorted(account.found, key=lambda k: (k != "document", k)):
        numbers = (account.found, account.imported, account.rejected, account.ignored)
        table.add_row(printable(key), *(f"{n[key]:,}" if n[key] else "" for n in numbers))
    Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 200).print(table)
    for (kind, reason), n in result.reasons.most_common(_MOST_REASONS):
        first = result.examples[kind, reason]
        more = f"  (and {n - 1:,} more like it)" if n > 1 else ""
        what = f"{kind} {shown(first.id, result.quotes)}" if first.id else kind
        say(f"{first.place}  {what}: {first.reason}{more}", file=sys.stderr)
    if (left := len(result.reasons) - _MOST_REASONS) > 0:
        say(f"... and {count(left, 'more reason')}", file=sys.stderr)
    for line in result.warnings:
        say(f"warning: {line}", file=sys.stderr)
    if result.unread:
        names = ", ".join(result.unread[:3]) + (", ..." if len(result.unread) > 3 else "")
        say(f"{count(len(result.unread), 'file')} not of this format, not read: {names}", file=sys.stderr)
    if account.spans_trimmed:
        say(f"{count(account.spans_trimmed, 'span')} trimmed of white space at the edges", file=sys.stderr)
    if account.spans_checked:
        say(f"{account.spans_checked:,} spans compared with the source's words, {account.spans_mismatched:,} mismatched",
            file=sys.stderr)  # fmt: skip
    verb = "would be written" if dry_run else "written" if result.written else "not written"
    rejected = f", {count(result.n_rejections, 'rejection')}" if result.n_rejections else ""
    kept = f", kept in {result.quarantine}" if result.quarantine else ""
    why = " (--strict)" if strict and result.n_rejections else ""
    say(f"{count(result.documents, 'document')}: {verb}{why}{rejected}{kept}", file=sys.stderr)


def _put_back(home: object, paths: list[Path], out: Path, dry_run: bool, json: bool) -> None:
    from dateline.cli.results import count, print_json, print_problems, say
    from dateline.errors import UsageError
    from dateline.project import Project
    from dateline.quarantine import put_back
    from dateline.schema import load_schemas

    assert isinstance(home, Project)
    if len(paths) != 1:
        raise UsageError("--from quarantine takes one file")
    result = put_back(home, load_schemas(home.schemas), paths[0], out, dry_run=dry_run)
    if json:
        print_json(result.as_json())
    else:
        print_problems(result.problems)
        for name in result.written:
            say(name)
        say(f"{count(result.items, 'item')} and {count(result.records, 'record')} put back, {count(result.left, 'line')} left",
            file=sys.stderr)  # fmt: skip
    raise typer.Exit(1 if result.problems else 0)


def _import_records(home: object, source: str, paths: list[Path], out: Path, dry_run: bool, json: bool) -> None:
    from dateline.cli.results import count, print_json, print_problems, say
    from dateline.importing import import_files
    from dateline.project import Project

    assert isinstance(home, Project)
    result = import_files(home, source, paths, out, dry_run=dry_run)
    if json:
        print_json(result.as_json())
    else:
        print_problems(result.problems)
        for name in result.written:
            say(name)
        for line in result.warnings:
            say(f"warning: {line}", file=sys.stderr)
        verb = "would be written" if dry_run else "written"
        says = f"{count(len(result.problems), 'problem')}; nothing was written" if result.problems else verb
        say(f"{count(result.documents, 'document')}: {says}", file=sys.stderr)
    raise typer.Exit(1 if result.problems else 0)


def _reanchor(home: object, paths: list[Path], out: Path, strict: bool, dry_run: bool, json: bool) -> NoReturn:
    from dateline.cli.results import count, print_json, print_problems, say
    from dateline.project import Project
    from dateline.reanchoring import reanchor_files

    assert isinstance(home, Project)
    result = reanchor_files(home, paths, out, strict=strict, dry_run=dry_run)
    if json:
        print_json(result.as_json())
    else:
        print_problems(result.problems)
        for report in result.reports:
            for span in report.spans:
                at = " or ".join(f"[{start}, {end})" for start, end in span.found.candidates[:3])
                where = f"{report.article_id} {span.layer} {span.item} {span.field} [{span.span[0]}, {span.span[1]})"
                say(f"{where}: {span.found.fate}, {span.found.why}{at and ': ' + at}", file=sys.stderr)
            for layer, item, why in report.removed:
                say(f"{report.article_id} {layer} {item}: left out, as {why}", file=sys.stderr)
        for name in result.written:
            say(name)
        for name in result.drafts:
            say(f"{name}: to be mended and moved to {home.name_of(out)}/ by hand", file=sys.stderr)
        for report in result.reports:
            n = report.counts
            fates = ", ".join(f"{n[fate]:,} {fate}" for fate in ("unchanged", "moved", "doubtful", "lost"))
            says = f"{report.article_id} -> {report.new_id}: {fates}; {count(len(report.removed), 'item')} left out"
            say(says, file=sys.stderr)
        if result.same:
            say(f"{count(len(result.same), 'text')} as it was", file=sys.stderr)
        verb = "written" if result.written or result.drafts else "would be written" if dry_run else "nothing was written"
        say(f"{count(len(result.reports), 'record')}: {verb}", file=sys.stderr)
    raise typer.Exit(1 if result.problems or (strict and not result.complete) else 0)
