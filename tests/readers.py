"""A process that loads datasets for a test: see loading/reader.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from building import REPOSITORY

Answer = dict[str, Any]


class Reader:
    """The process, while it is entered; it is asked by `dateline` and `plain`."""

    def __init__(self, home: Path, **environment: str) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "HF_", "AWS_", "DATELINE"))}
        self._env = {**kept, "PYTHONPATH": str(REPOSITORY / "src"), "HF_HOME": str(home), **environment}
        self._home = home

    def __enter__(self) -> Reader:
        words = [sys.executable, str(REPOSITORY / "tests" / "loading" / "reader.py")]
        self._errors = (self._home.parent / f"{self._home.name}.errors").open("w+")
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._errors}
        self._process = subprocess.Popen(words, text=True, env=self._env, cwd=self._home.parent, **pipes)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
        self._errors.close()

    def dateline(self, *words: str, at_once: int = 1, **options: Any) -> Answer:
        """What `dateline.load` gives; `at_once` times at the same time."""
        return self._ask({"with": "dateline", "words": words, "at_once": at_once, "options": options})

    def plain(self, *words: str, **options: Any) -> Answer:
        """What `load_dataset` gives."""
        return self._ask({"with": "datasets", "words": words, "options": options})

    def _ask(self, case: Answer) -> Answer:
        assert self._process.stdin and self._process.stdout
        print(json.dumps(case), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise AssertionError(f"{case}: {self._errors.read()[-3000:]}")
        found: Answer = json.loads(line)
        assert "\n" not in found.get("error", "") or case["with"] == "datasets"
        return found


def version(answer: Answer) -> str:
    """The one version that all rows are of; the error, if there is one."""
    if "error" in answer:
        return str(answer["error"])
    (found,) = {split["version"] for split in answer["splits"].values()}
    return str(found)


def rows(answer: Answer) -> int:
    """How many rows came."""
    return sum(split["rows"] for split in answer["splits"].values())
