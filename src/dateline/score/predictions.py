"""Files of predictions: JSON Lines, one object per line, read strictly; all that is wrong is told with file and line."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from dateline.document import Refused
from dateline.errors import InputError, Place, printable
from dateline.foreign_json import brief, value_of, word
from dateline.incoming import OPTIONS, Incoming

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

NAMED = 3
"""So many ids are named in a message about many."""
LARGEST = 1e30
"""No figure of a dataset is larger: they are decimals of 38 digits."""


class PredictionsError(InputError):
    """Predictions that cannot be scored; `faults` has a line for each thing that is wrong."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(faults[0])


@dataclass
class Fields:
    """One JSON object of a file of predictions. What its fields lack is put to `faults`, and something harmless given back."""

    value: Mapping[str, Any]
    place: Place
    faults: list[str] = field(default_factory=list)
    pointer: str = ""

    def fault(self, says: str) -> None:
        """Tell that something is wrong here."""
        where = f"{self.pointer} " if self.pointer else ""
        self.faults.append(printable(f"{self.place}: {where}{says}"))

    def _there(self, name: str) -> bool:
        if name not in self.value:
            self.fault(f"has no field {name}")
        return name in self.value

    def text(self, name: str) -> str | None:
        """A string that must be there."""
        if not self._there(name):
            return None
        value = self.value[name]
        if not isinstance(value, str):
            self.fault(f"{name} is {brief(value)}, which is no string")
            return None
        return value

    def maybe_text(self, name: str) -> str | None:
        """A string, or a whole number as one; null, or not there, is none."""
        value = self.value.get(name)
        if value is None:
            return None
        try:
            return word(value, name)
        except ValueError as fault:
            self.fault(str(fault))
            return None

    def whole(self, name: str) -> int | None:
        """A whole number that must be there."""
        if not self._there(name):
            return None
        value = self.value[name]
        if type(value) is not int:
            self.fault(f"{name} is {brief(value)}, which is no whole number")
            return None
        return value

    def number(self, name: str) -> float | None:
        """A number; null, or not there, is none."""
        value = self.value.get(name)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST:
            return float(value)
        self.fault(f"{name} is {brief(value)}, which is no number")
        return None

    def label(self, name: str, labels: Sequence[str], *, needed: bool = True) -> str | None:
        """One of these labels by its name; null is no answer."""
        value = self.value.get(name)
        if name not in self.value and needed:
            self.fault(f"has no field {name}")
        elif value is not None and value not in labels:
            self.fault(f"{name} is {brief(value)}; there are {', '.join(labels)}")
            return None
        return value

    def names(self, name: str) -> tuple[str, ...] | None:
        """A list of names; null, or not there, is none."""
        value = self.value.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.fault(f"{name} is {brief(value)}, which is no list of strings")
            return None
        return tuple(value)

    def objects(self, name: str, known: Sequence[str]) -> Iterator[Fields]:
        """The objects of a list that must be there; only these fields may stand in them."""
        items = self.value.get(name)
        if not self._there(name):
            return
        if not isinstance(items, list):
            self.fault(f"{name} is {brief(items)}, which is no list")
            return
        for number, item in enumerate(items):
            inner = Fields({}, self.place, self.faults, f"{self.pointer}{'.' if self.pointer else ''}{name}[{number}]")
            if not isinstance(item, dict):
                inner.fault(f"is {brief(item)}, which is no object")
                continue
            if strange := [key for key in item if key not in known]:
                inner.fault(f"has a field {brief(strange[0])}; there are {', '.join(known)}")
            inner.value = item
            yield inner

    def span(self, length: int) -> dict[str, int] | None:
        """The span that `start` and `end` make, in a passage of so many code points."""
        start, end = self.whole("start"), self.whole("end")
        if start is None or end is None:
            return None
        if not 0 <= start < end <= length:
            reason = f"the passage has {length} characters" if start < end else "a span must have at least one character"
            self.fault(f"runs from {start} to {end}, but {reason}")
            return None
        return {"start": start, "end": end}

    def spans(self, name: str, length: int) -> list[dict[str, int]]:
        """The spans of a list that must be there."""
        found = [one.span(length) for one in self.objects(name, ("start", "end"))]
        return [span for span in found if span is not None]


def read_predictions(
    path: Path,
    asked: Mapping[Any, Asked],
    what: str,
    key_of: Callable[[Fields], Hashable | None],
    read: Callable[[Fields, Asked], Answer],
) -> dict[Any, Answer]:
    """The predictions of a file by what they are about; `asked` is all that may be, `what` names it in messages.

    Raises PredictionsError if a line is no prediction, if two are about one thing, or one about what is not asked.
    """
    found: dict[Any, Answer] = {}
    lines: dict[Any, int] = {}
    faults: list[str] = []
    unknown: list[tuple[Place, Any]] = []
    for fields in _objects(path, faults):
        key = key_of(fields)
        if key is None:
            continue
        if key in lines:
            fields.fault(f"{shown(key)} was predicted on line {lines[key]} already")
        elif key not in asked:
            unknown.append((fields.place, key))
        else:
            found[key] = read(fields, asked[key])
        lines.setdefault(key, fields.place.line)
    if unknown:
        faults.append(printable(f"{unknown[0][0]}: {listed([key for _, key in unknown])} not in {what}"))
    if faults:
        raise PredictionsError(faults)
    return found


def _objects(path: Path, faults: list[str]) -> Iterator[Fields]:
    """The objects of the file, each of which tells its faults to `faults`."""
    if path.is_dir() or not path.exists():
        raise InputError(f"{path}: is a folder, no file of predictions" if path.is_dir() else f"{path}: no such file")
    folder = path.parent.as_posix()
    file = Incoming(path.parent, [path.name], OPTIONS, "" if folder == "." else folder)
    for number, raw in file.lines(path.name):
        if not raw.strip():
            continue
        try:
            raw.decode()
        except UnicodeDecodeError as fault:
            faults.append(printable(f"{file.place(path.name, number)}: is not UTF-8: {fault.reason} at byte {fault.start}"))
            continue
        read = value_of(file, path.name, number, raw)
        if isinstance(read, Refused):
            faults.append(printable(f"{read.place}: {read.reason}"))
        elif not isinstance(read[1], dict):
            faults.append(printable(f"{read[0]}: is {brief(read[1])}, which is no object; write one object per line"))
        else:
            yield Fields(read[1], read[0], faults)


def shown(key: Any) -> str:
    """What a prediction is about, in a message."""
    return f"the passage of {key[0]} at {key[1]}" if isinstance(key, tuple) else str(key)


def listed(keys: Sequence[Any]) -> str:
    """Some keys for a message, with its verb: the first ones, and how many there are."""
    names = ", ".join(shown(key) for key in keys[:NAMED])
    if len(keys) == 1:
        return f"{names} is"
    noun = "passages" if isinstance(keys[0], tuple) else "ids"
    return f"{len(keys):,} {noun} ({names}{', ...' if len(keys) > NAMED else ''}) are"
