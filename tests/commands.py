"""The command line as a user runs it: `python -m dateline` in a process of its own, with its own folder and environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from building import REPOSITORY, THOROUGH

Done = subprocess.CompletedProcess[str]
_SERVER = Path(__file__).with_name("command_server.py")


def run_alone(words: list[str], cwd: Path, environment: Mapping[str, str]) -> Done:
    """Run it in a Python that starts with it."""
    command = [sys.executable, "-m", "dateline", *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300)


class Commands:
    """Runs commands; where the system can, as forks of one process, as most of a command's time is that of its imports."""

    def __init__(self) -> None:
        self._server: subprocess.Popen[str] | None = None
        self._started_with = _of_python(os.environ)

    def close(self) -> None:
        """End the process that is forked."""
        if self._server is not None:
            self._server.communicate(timeout=20)

    def run(self, words: list[str], cwd: Path, environment: Mapping[str, str]) -> Done:
        """Run one; what a Python reads from the environment as it starts wants a Python of its own."""
        if THOROUGH or sys.platform != "linux" or _of_python(environment) != self._started_with:
            return run_alone(words, cwd, environment)
        with tempfile.TemporaryDirectory() as folder:
            outputs = [Path(folder, name) for name in ("stdout", "stderr")]
            for path in outputs:
                path.touch()
            asked = {"words": words, "folder": str(cwd), "environment": dict(environment)}
            code = self._answer(asked | {path.name: str(path) for path in outputs})
            return subprocess.CompletedProcess(words, code, *(path.read_text(encoding="utf-8") for path in outputs))

    def _answer(self, asked: Mapping[str, object]) -> int:
        if self._server is None:
            command = [sys.executable, str(_SERVER)]
            self._server = subprocess.Popen(command, cwd=REPOSITORY, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        assert answer, "the process that commands are forks of has ended"
        return int(answer)


def _of_python(environment: Mapping[str, str]) -> dict[str, str]:
    """What Python and its codecs read as they start."""
    return {name: value for name, value in environment.items() if name.startswith(("PYTHON", "LC_", "LANG"))}
