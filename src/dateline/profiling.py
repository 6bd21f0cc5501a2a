"""What each stage of a rebuild costs: time of the clock, time of all processors, and input worked through per second."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


@dataclass(frozen=True)
class StageCost:
    """What one stage took: seconds of the clock, CPU seconds of this process and of workers that ended in it."""

    name: str
    seconds: float
    cpu_seconds: float


@dataclass
class Profile:
    """The stages of one run in the order in which they ended; `input_bytes` is the size of the seed files as they are stored."""

    input_bytes: int = 0
    stages: list[StageCost] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what is done inside; a stage that fails is measured, too."""
        wall, cpu = time.perf_counter(), _cpu_seconds()
        try:
            yield
        finally:
            self.stages.append(StageCost(name, time.perf_counter() - wall, _cpu_seconds() - cpu))

    @property
    def seconds(self) -> float:
        """Seconds of the clock in all stages."""
        return sum(stage.seconds for stage in self.stages)

    def megabytes_a_second(self, seconds: float) -> float | None:
        """Input (10^6 bytes) per second of the clock; None where the clock has not moved."""
        return self.input_bytes / 1e6 / seconds if seconds > 0 else None

    def as_json(self) -> dict[str, Any]:
        """All figures; memory is None where the system does not tell it."""
        own, worker = _peaks()
        return {
            "input_bytes": self.input_bytes,
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(sum(stage.cpu_seconds for stage in self.stages), 3),
            "peak_memory_bytes": own,
            "largest_worker_bytes": worker,
            "stages": [
                {"name": s.name, "seconds": round(s.seconds, 3), "cpu_seconds": round(s.cpu_seconds, 3)} for s in self.stages
            ],
        }


def _cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _peaks() -> tuple[int | None, int | None]:
    """The largest resident set in bytes of this process so far, and of the largest process that it waited for."""
    try:
        import resource
    except ImportError:
        return None, None
    own, ended = (resource.getrusage(who).ru_maxrss * _UNIT for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own, ended
