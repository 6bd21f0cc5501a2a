"""A rebuild with many small shards, at an engine, with a fault in one of its tasks.

    python tests/spark_driver.py once corpus spark://127.0.0.1:7077 [FURTHER OPTIONS]

What a worker does is named here and not in the tests, as workers import it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import dateline.pipeline
from dateline import remote_dataset
from dateline.cli import main
from dateline.compile import plan, remote_seeds
from dateline.compile.remote_seeds import BringTask, bring_object
from dateline.compile.shard import ShardFacts, ShardTask, compile_shard
from dateline.remote_dataset import PutTask, put_objects

SHARD_BYTES = 1 << 15


def _first(task: ShardTask, number: int) -> bool:
    """Whether this is the first attempt at that shard."""
    if task.out.name != f"shard-{number}":
        return False
    try:
        (task.out.parent / f"attempted-{number}").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def once(task: ShardTask) -> ShardFacts:
    """Compile a shard. The first attempt at one of them ends with its executor, when all its files are written; that at another
    leaves half of a file, and fails.
    """
    if _first(task, 5):
        (task.out / "attempt-half").mkdir()
        (task.out / "attempt-half" / "records.partial").write_bytes(b"PAR1")
        raise OSError(5, "the disk of this worker is broken")
    made = compile_shard(task)
    if _first(task, 2):
        os.kill(_parent(os.getppid()), signal.SIGKILL)  # this process is of a daemon, and that of the executor
    return made


def never(task: ShardTask) -> ShardFacts:
    """Fail, whatever the attempt."""
    raise OSError(5, f"no disk of any worker works, {task.shard.stem}")


def half(task: BringTask) -> Path:
    """Bring an object. The first attempt at one of them ends with its executor, when half of it is there."""
    made = bring_object(task)
    mark = task.into.parents[2] / "attempted"  # in the project, as the work folder is removed
    if task.name == "part-2.jsonl" and not mark.exists():
        mark.touch()
        made.write_bytes(made.read_bytes()[: made.stat().st_size // 2])
        os.kill(_parent(os.getppid()), signal.SIGKILL)
    return made


def unheard(task: PutTask) -> list[str]:
    """Put files. The first attempt at some of them ends with its executor, when they are there and nobody knows it."""
    sent = put_objects(task)
    mark = task.dataset.parent / "unheard"
    if not mark.exists():
        mark.touch()
        os.kill(_parent(os.getppid()), signal.SIGKILL)
    return sent


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


if __name__ == "__main__":
    import spark_driver  # by this name workers know it

    fault, project, engine, *more = sys.argv[1:]
    plan.SHARD_BYTES = SHARD_BYTES
    if fault == "half":
        vars(remote_seeds)["bring_object"] = spark_driver.half
        vars(remote_dataset)["put_objects"] = spark_driver.unheard
    elif fault != "none":
        vars(dateline.pipeline)["compile_shard"] = getattr(spark_driver, fault)
    sys.argv = ["dateline", "rebuild", "--sweep", "-C", project, "--engine", engine, *more]
    main()
