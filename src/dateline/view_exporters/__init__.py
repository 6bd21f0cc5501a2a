"""View exporters: one module per form in which the rows of a view are written for training.

Such a module has `NAME` (the word after --as) and `write(view, folder)`, which writes the form's files and says what it wrote.
The bytes depend on nothing but the view.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dateline.errors import UsageError
from dateline.view_rows import View


@dataclass
class Written:
    """What a form wrote: files relative to the folder, and counts by phrase; `about` says in plain lines what the files hold."""

    files: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    about: list[str] = field(default_factory=list)


def view_exporter(name: str) -> Callable[[View, Path], Written]:
    """What writes the form of that name; raises UsageError that lists those there are."""
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    known: dict[str, Callable[[View, Path], Written]] = {module.NAME: module.write for module in modules}
    if name not in known:
        raise UsageError(f"--as {name}: no such form; there are {', '.join(sorted(known))}")
    return known[name]
