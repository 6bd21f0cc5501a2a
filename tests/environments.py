"""Python environments of their own for tests: made once, kept beside the checkout's own environment."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from building import REPOSITORY

BUILD = (
    "edtf",
    "filelock",
    "jsonschema-rs",
    "langcodes",
    "numpy",
    "orjson",
    "packaging",
    "pycountry",
    "pyyaml",
    "rensa",
    "rich",
    "typer",
)
"""What a rebuild imports beside pyarrow; Great Expectations and datasets are not among it."""


def environment(name: str, *words: str, base: str = sys.executable) -> Path:
    """The python of an environment of `base` in which `pip install WORDS` was run.

    One test at a time makes it. Skips the test if the packages cannot be had.
    """
    key = hashlib.sha256("\n".join([base, *words]).encode()).hexdigest()[:12]
    folder = REPOSITORY / f".venv-{name}"
    stamp = folder / f".installed-{key}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    (REPOSITORY / ".dateline").mkdir(exist_ok=True)
    with FileLock(REPOSITORY / ".dateline" / f"venv-{name}.lock"):
        if not stamp.exists():
            subprocess.run([base, "-m", "venv", "--clear", "--without-pip", str(folder)], check=True, capture_output=True)
            done = pip(python, "install", "--no-compile", *words)  # most of what is installed is never imported
            if done.returncode:
                pytest.skip(f"no packages to be had for the environment {name}: {done.stderr.strip().splitlines()[-1:]}")
            stamp.touch()
    return python


def older() -> Path:
    """An environment with the majors before ours of `datasets` and `pyarrow`, and what a rebuild imports."""
    import pyarrow

    return environment("older", "datasets>=4,<5", f"pyarrow<{int(pyarrow.__version__.split('.')[0])}", "pyarrow>=21", *BUILD)


def pip(python: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run this environment's pip for another one."""
    command = [sys.executable, "-m", "pip", "--python", str(python), "--quiet", "--disable-pip-version-check", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)


def run(python: Path | str, *words: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in an environment, without this process's own settings for Python and the Hub."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "HF_", "DATELINE"))} | environment
    return subprocess.run(
        [str(python), *map(str, words)], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=600
    )


THIS = sys.executable
