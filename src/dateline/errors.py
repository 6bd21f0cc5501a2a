"""Places, problems and errors: problems are values that are collected, errors only stop.

DatelineError            exit code 2: the command could not run
├── UsageError           words on the command line that make no sense together
├── ProjectError         no project found, or its pyproject.toml is wrong
├── SchemaError          a file in schemas/ does not describe a layer
├── MigrationError       a file in schemas/migrations/ is wrong, or migrated seeds cannot be written
├── SuiteError           a file in expectations/ is no suite, or cannot be run on this data
├── InputError           an input file cannot be read at all
├── BuildError           a rebuild could not write its result
├── LoadError            a dataset, config or split that is not there
├── AlignError           rows whose spans cannot be brought to tokens
└── PublishError         a release cannot be brought to a target
    └── RefusedError     it could be, but must not: a negative answer (exit code 1)
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


def printable(text: str) -> str:
    """The text on one line, with whatever could disturb a terminal or mislead its reader written as an escape.

    That is every character that Python does not call printable: controls, bidi marks, line ends, lone surrogates (in file names).
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


_SECRET_NAMES = re.compile(r"TOKEN|SECRET|PASSWORD|PASSPHRASE|ACCESS_KEY|API_KEY")
_SAID = r"(?i)\b(bearer |(?:authorization|x-amz-[\w-]+|signature|access_token)['\"]?\s*[:=]\s*['\"]?)(?:bearer )?[\w+/=.~-]{8,}"
_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (  # what is secret by its form, wherever it comes from
    (re.compile(r"\?[^\s?'\"<>)]*=[^\s'\"<>)]*"), "?..."),  # the query of an address, which may be signed
    (re.compile(r"(\w://)[^/\s@'\"]+:[^/\s@'\"]+@"), r"\1...@"),
    (re.compile(_SAID), r"\1..."),
    (re.compile(r"\bhf_\w{6,}"), "hf_..."),
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{12,}"), r"\1..."),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), "..."),
)


def redacted(text: str) -> str:
    """The text without what opens doors: queries of addresses (they may be signed), tokens, keys, and values of the environment.

    Of the environment, what a name calls a token, a secret, a password, a passphrase or an access key.
    """
    for name, value in os.environ.items():
        if len(value) >= 6 and _SECRET_NAMES.search(name.upper()):
            text = text.replace(value, "...")
    for pattern, kept in _SECRETS:
        text = pattern.sub(kept, text)
    return text


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands: file, 1-based line (0 where it has none), JSON pointer in `$.a[0].b` form."""

    file: str
    line: int = 0
    pointer: str = ""

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        pointer = f" {self.pointer}" if self.pointer else ""
        return f"{self.file}{line}{pointer}"

    def at(self, pointer: str) -> Place:
        """The same record, at another pointer."""
        return Place(self.file, self.line, pointer)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault in the input: where it stands, which rule it breaks, what was found, how to go on.

    `snippet` is a caret drawing of the text around the fault; it is None where rights do not allow it.
    """

    place: Place
    rule: str
    says: str
    hint: str = ""
    level: str = "error"
    snippet: str | None = None

    @property
    def fails(self) -> bool:
        """Whether it is an error; a warning is told and stops nothing."""
        return self.level == "error"

    def __str__(self) -> str:
        return printable(f"{self.place}  {self.says}  [{self.rule}{'' if self.fails else ', ' + self.level}]")

    def as_json(self) -> dict[str, object]:
        """The problem as plain JSON types."""
        return {
            "rule": self.rule,
            "level": self.level,
            "file": self.place.file,
            "line": self.place.line or None,
            "pointer": self.place.pointer or None,
            "says": self.says,
            "hint": self.hint or None,
        }


class DatelineError(Exception):
    """Root of all errors that stop a command; its text is one readable message."""


class UsageError(DatelineError):
    """The words of a command do not fit together."""


class ProjectError(DatelineError):
    """There is no project here, or its configuration is wrong."""


class SchemaError(DatelineError):
    """A schema file does not describe a layer."""


class MigrationError(DatelineError):
    """A migration is wrong, or its result cannot be written."""


class SuiteError(DatelineError):
    """A suite, a relation or a waiver is wrong, or cannot be run on the data."""


class InputError(DatelineError):
    """An input file cannot be read."""


class BuildError(DatelineError):
    """A rebuild cannot write its result."""


class LoadError(DatelineError):
    """A dataset, config or split that was asked for is not there."""


class AlignError(DatelineError):
    """The spans of these rows cannot be brought to the tokens of this tokenizer."""


class PublishError(DatelineError):
    """A release cannot be brought to a target."""


class RefusedError(PublishError):
    """A release must not be brought to a target: a negative answer, not a failure."""


@contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Say of a package that is missing in this block which extra brings it; `what` needs it. Raises UsageError."""
    try:
        yield
    except ModuleNotFoundError as fault:
        if (fault.name or "").startswith("dateline"):
            raise
        raise UsageError(f'{what} needs the package {fault.name}: pip install "dateline[{extra}]"') from None


@contextmanager
def in_one_line(line: Callable[[Exception], str]) -> Iterator[None]:
    """Whatever a client raises in this block, as a PublishError of one line that `line` makes of it, without secrets."""
    try:
        yield
    except DatelineError:
        raise
    except Exception as fault:  # the clients' errors are of no one family
        raise PublishError(redacted(line(fault))) from None
