"""Engines: they call a function once per task, somewhere, and know nothing of data."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import Protocol, TypeVar

from dateline.errors import BuildError

Task = TypeVar("Task")
Result = TypeVar("Result")


class Engine(Protocol):
    """Anything that can call a function once per task."""

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """Yield the results in the order of the tasks; an exception in a task is raised here."""
        ...


class LocalEngine:
    """Worker processes on this machine; with one job, or one task, everything runs in this process."""

    def __init__(self, jobs: int | None = None) -> None:
        self.jobs = jobs or os.cpu_count() or 1

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """Yield the results in the order of the tasks; raises BuildError if a worker process dies."""
        workers = min(self.jobs, len(tasks))
        if workers <= 1:
            yield from map(function, tasks)
            return
        # "spawn": Arrow's threads do not survive a fork
        context = multiprocessing.get_context("spawn")
        try:
            with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker) as pool:
                yield from pool.map(function, tasks)
        except BrokenProcessPool:
            raise BuildError(
                "a worker process ended before its work was done (killed, or out of memory); run again, with fewer --jobs"
            ) from None


def _begin_worker() -> None:
    """Ctrl-C is for the process that started us; if that process dies, so do we, or we would wait for work for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
