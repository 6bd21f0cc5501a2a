"""Python environments of their own for tests: made once, kept beside the checkout's own environment."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from building import REPOSITORY


def environment(name: str, *words: str, offline: Path | None = None, base: str = sys.executable) -> Path:
    """The python of an environment of `base` in which `pip install WORDS` was run; from the folder `offline` alone, if given.

    Skips the test if the packages cannot be had.
    """
    key = hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]
    folder = REPOSITORY / f".venv-{name}"
    stamp = folder / f".installed-{key}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not stamp.exists():
        subprocess.run([base, "-m", "venv", "--clear", str(folder)], check=True, capture_output=True)
        source = ["--no-index", "--find-links", str(offline)] if offline else []
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *source, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
        if done.returncode and not offline:
            pytest.skip(f"no packages to be had for the environment {name}: {done.stderr.strip().splitlines()[-1:]}")
        assert done.returncode == 0, done.stderr
        stamp.touch()
    return python


def run(python: Path | str, *words: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in an environment, without this process's own settings for Python and the Hub."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "HF_", "DATELINE"))} | environment
    return subprocess.run(
        [str(python), *map(str, words)], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=600
    )


THIS = sys.executable
