"""`python -m dateline` in processes that begin at once: forks of this one, which has imported what most commands need.

Each line of stdin asks for a process: its words, folder, environment, and the files for stdout and stderr. Its exit code is the
answer, a line as well.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import signal
import sys
import threading
from importlib import import_module
from typing import Any, NoReturn

SECONDS = 300
"""How long a process may take."""


PREPARED = (
    "duckdb",
    "pandas",
    "pyarrow.dataset",
    "dateline.cli",
    "dateline.compile.seeds",
    "dateline.converting",
    "dateline.differing",
    "dateline.explaining",
    "dateline.exporting",
    "dateline.pipeline",
    "dateline.releasing",
)
"""What takes long to import, and reads no setting from the environment as it is imported."""


def prepare() -> None:
    """Import what most commands need."""
    from dateline.validate.running import load_gx

    for name in PREPARED:
        import_module(name)
    load_gx()


def begin(asked: dict[str, Any]) -> None:
    """Make this fork the process that was asked for."""
    signal.alarm(SECONDS)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    for number, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, asked["stdout"], os.O_WRONLY),
        (2, asked["stderr"], os.O_WRONLY),
    ):
        opened = os.open(name, flags)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = ["dateline", *asked["words"]]


def wanted() -> bool:
    """Fork for each line; true in a fork, false at the end of the lines."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            begin(json.loads(line))
            return True
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    return False


def run() -> int:
    """Run the command line as `python -m` does; its exit code."""
    try:
        runpy.run_module("dateline", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException as fault:
        sys.excepthook(type(fault), fault, fault.__traceback__)
        return 1
    return 0


def end(code: int) -> NoReturn:
    """End as Python does, but leave to the system what was imported: to take that apart takes longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    prepare()
    gc.freeze()  # what was imported is no garbage
    end(run() if wanted() else 0)
