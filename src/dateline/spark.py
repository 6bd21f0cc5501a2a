"""Spark: a session, quiet and on this machine or at a master, and the engine that calls functions on its workers.

The engine ships a function's name and its tasks, and gets results back; whatever is made lies on a file system that all workers
see, in a folder of the attempt that made it. So an executor that is lost, a task that is tried again or run twice leaves nothing
that anybody reads.
"""

from __future__ import annotations

import os
import pickle
import platform
import shutil
import socket
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dateline.engines import Result, Task
from dateline.errors import BuildError, DatelineError

PACKAGES = ("dateline", "pyarrow", "orjson", "rensa", "jsonschema-rs")
"""What must be of one version everywhere, or the bytes may differ."""
# nothing of Spark's own log on the terminal
_LOG = """
status = off
appender.none.type = Null
appender.none.name = none
rootLogger.level = off
rootLogger.appenderRef.none.ref = none
"""
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class NoSpark(Exception):
    """Spark cannot be started; says why in one line."""


def has_java() -> bool:
    """Whether there is a Java to start Spark with."""
    return bool(shutil.which("java") or os.environ.get("JAVA_HOME"))


def open_session(master: str, folder: Path, settings: Mapping[str, str]) -> Any:
    """A session at a master (`local[2]`, `spark://host:7077`), or the one that is there already; `folder` is for its files.

    Raises NoSpark.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise NoSpark('pyspark is not installed; pip install "dateline[spark]"') from None
    here = master.startswith("local") or master.removeprefix("spark://").startswith(_LOOPBACK)
    ours = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.sql.session.timeZone": "UTC"}
    environment: dict[str, str] = {}
    if here:
        conf = folder / "conf"
        conf.mkdir(exist_ok=True)
        (conf / "log4j2.properties").write_text(_LOG, encoding="utf-8")
        environment = {"SPARK_CONF_DIR": str(conf), "SPARK_LOCAL_IP": "127.0.0.1"}
        ours |= {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.local.dir": str(folder),
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
        }
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if master.startswith("spark://"):
        _reached(master)
    try:
        with _set(environment), _silent(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            builder: Any = SparkSession.builder
            builder = builder.master(master).appName("dateline")
            for key, value in {**ours, **settings}.items():
                builder = builder.config(key, value)
            return builder.getOrCreate()
    except Exception as fault:
        raise NoSpark(str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__) from None


def _reached(master: str) -> None:
    """Raise NoSpark if nobody listens at a master, which Spark itself notices after a minute."""
    host, _, port = master.removeprefix("spark://").split(",")[0].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, ValueError, OverflowError) as fault:
        raise NoSpark(f"nobody answers there ({fault})") from None


@contextmanager
def _silent() -> Iterator[None]:
    """Java, started meanwhile, says nothing on the terminal."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


@contextmanager
def _set(environment: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, was in before.items():
            if was is None:
                del os.environ[name]
            else:
                os.environ[name] = was


class SparkWorkers:
    """The engine: each task is a task of Spark, on this machine (`spark`) or at a master (`spark://host:7077`).

    A session is started at the first task and stopped by `close`; one that is there already is used, and left running. The
    project must lie where all workers see it under the same path, and they need the same versions of what the bytes depend on.
    """

    def __init__(self, master: str = "spark", jobs: int | None = None) -> None:
        self._master = f"local[{jobs or '*'}]" if master == "spark" else master
        self._session: Any = None
        self._ours = False
        self._folder = Path()

    def __enter__(self) -> SparkWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the session if it is ours."""
        if self._session is not None and self._ours:
            self._session.stop()
            shutil.rmtree(self._folder, ignore_errors=True)
        self._session = None

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """Yield the results in the order of the tasks. Raises BuildError if a task was tried in vain, or Spark cannot start."""
        if not tasks:
            return
        context = self._started().sparkContext
        packed = [pickle.dumps((function, task, _versions())) for task in tasks]
        try:
            done = context.parallelize(packed, len(packed)).map(_call).collect()
        except Exception as fault:
            raise BuildError(f"engine spark: {_reason(fault)}; dataset/ is as it was") from None
        for raw in done:
            failed, result = pickle.loads(raw)
            if failed:
                raise result
            yield result

    def _started(self) -> Any:
        if self._session is None:
            if not has_java():
                raise BuildError("engine spark needs Java 17 or newer; no `java` is on the PATH, and JAVA_HOME is not set")
            from pyspark.sql import SparkSession

            self._ours = SparkSession.getActiveSession() is None
            self._folder = Path(tempfile.mkdtemp(prefix="dateline-spark-"))
            try:
                self._session = open_session(self._master, self._folder, {"spark.python.worker.faulthandler.enabled": "false"})
            except NoSpark as fault:
                raise BuildError(f"engine spark cannot start at {self._master}: {fault}") from None
        return self._session


def _versions() -> dict[str, str]:
    return {name: version(name) for name in PACKAGES} | {"python": platform.python_version()}


def _call(packed: bytes) -> bytes:
    """On a worker: the function's result, or what it found wrong; any other exception is Spark's, which tries again."""
    function, task, wanted = pickle.loads(packed)
    here = _versions()
    try:
        for name, needed in wanted.items():
            if here[name] != needed:
                raise BuildError(f"a worker of Spark has {name} {here[name]}, this machine {needed}; the bytes could differ")
        return pickle.dumps((False, function(task)))
    except DatelineError as fault:
        return pickle.dumps((True, fault))


def _reason(fault: Exception) -> str:
    """The line of Spark's report that says what happened in the worker."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    told = [line for line in lines if "Error" in line or "Exception" in line or "failed" in line]
    return (told or lines or [type(fault).__name__])[0][:300]
