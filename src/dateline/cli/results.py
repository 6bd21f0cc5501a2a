"""How commands print: results on stdout, problems and progress on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from dateline.errors import Problem, printable

if TYPE_CHECKING:
    from dateline.compile.withheld import LeakScan


class Progress(Protocol):
    """Told by a long piece of work how far it is."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` units of `stage` are finished."""


def print_json(value: Any) -> None:
    """A result as JSON, its keys in the order given."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def say(text: str, *, file: TextIO | None = None) -> None:
    """Print one line for people; what would disturb a terminal is escaped. Commands print through this or `print_json`."""
    print(printable(text), file=file or sys.stdout)


def print_problems(problems: Sequence[Problem], *, most: int = 200) -> None:
    """One line per problem with its hint, on stderr; after `most` the rest is counted."""
    for number, fault in enumerate(problems):
        if number == most:
            print(f"... and {len(problems) - most} more", file=sys.stderr)
            break
        say(str(fault), file=sys.stderr)
        if fault.snippet:
            print(fault.snippet, file=sys.stderr)
        if fault.hint:
            say(f"    {fault.hint}", file=sys.stderr)


def count(number: int, noun: str) -> str:
    """ "1 record", "2 records"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def print_leak_scan(scan: LeakScan) -> None:
    """What the leak scan could not look for, on stderr."""
    sys.stdout.flush()
    print_problems(scan.warnings)
    if scan.not_at_hand:
        print(f"{count(scan.not_at_hand, 'withheld text')} not at hand, not scanned", file=sys.stderr)
    if scan.too_short:
        print(f"{count(scan.too_short, 'withheld text')} too short to scan for (fewer than 8 words)", file=sys.stderr)
    if scan.quoting:
        print(f"{count(scan.quoting, 'open article')} sharing 8 to 31 words in a row with a withheld text", file=sys.stderr)


@contextmanager
def progress_bar(*, of_bytes: bool = False) -> Iterator[Progress]:
    """A progress bar on stderr for work longer than a second, on a terminal only; its units are counted, or are bytes."""
    if not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    began = time.monotonic()
    counts = (DownloadColumn(), TransferSpeedColumn()) if of_bytes else (MofNCompleteColumn(),)
    bar = Bar(TextColumn("{task.description}"), BarColumn(), *counts, TimeElapsedColumn(),
              console=Console(stderr=True), transient=True)  # fmt: skip
    tasks: dict[str, Any] = {}

    def tell(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            tasks[stage] = bar.add_task(stage, total=total)
        bar.update(tasks[stage], completed=done, total=total)
        if not bar.live.is_started and time.monotonic() - began > 1:
            bar.start()

    try:
        yield tell
    finally:
        if bar.live.is_started:
            bar.stop()
