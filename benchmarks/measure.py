"""What one process took, as the operating system counts it: wall and CPU seconds, the most memory it held."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


@dataclass(frozen=True)
class Taken:
    """What a process took and said. `peak` is its largest resident set in bytes."""

    seconds: float
    cpu: float
    peak: int
    code: int
    out: str
    err: str


def taken(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Taken:
    """Run a command to its end.

    Linux counts what the parent held when it started a process as the process's own peak, so whoever calls this must be small.
    CPU and memory of processes that the command leaves behind or does not wait for (Spark's JVM) are not in it.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment)
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        says, complains = (f.read().decode(errors="replace") for f in (out, err))
    return Taken(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * _UNIT, process.returncode, says, complains)
