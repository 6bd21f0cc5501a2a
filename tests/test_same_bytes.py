"""Same input, same bytes: whatever the environment, and the same logical digest whatever the writer of Parquet."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from building import REPOSITORY
from dateline.project import Project
from environments import BUILD, THIS, environment, older, run
from small_corpus import lay_out_small


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """The small corpus, not built."""
    return lay_out_small(tmp_path / "corpus").root


def built(python: Path | str, corpus: Path, *words: str, **environment: str) -> dict[str, str]:
    """Rebuild from nothing; the digest of every file, and the logical digest."""
    shutil.rmtree(corpus / "dataset", ignore_errors=True)
    settings = {"PYTHONPATH": str(REPOSITORY / "src"), **environment}
    done = run(python, "-m", "dateline", "rebuild", "--json", *words, cwd=corpus, **settings)
    assert done.returncode == 0, done.stderr + done.stdout
    return digests(corpus / "dataset")


def digests(dataset: Path) -> dict[str, str]:
    """The digest of every file of a dataset, and the logical digest."""
    manifest = json.loads((dataset / "manifest.json").read_bytes())
    files = {file["path"]: file["sha256"] for table in manifest["tables"].values() for file in table["files"]}
    return {**files, "card": manifest["card"]["sha256"], "logical": manifest["logical_digest"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    "surroundings",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Kiritimati"},
        {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "TZ": "America/St_Johns"},
        {"LC_ALL": "de_DE.UTF-8", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"},
    ],
    ids=lambda s: ",".join(f"{k}={v}" for k, v in s.items()),
)
def test_equal_bytes_in_any_locale_time_zone_and_hash_order(
    corpus: Path, small_flagship: Project, surroundings: dict[str, str]
) -> None:
    assert built(THIS, corpus, "--jobs", "2", **surroundings) == digests(small_flagship.dataset)


def other_python() -> tuple[str, str]:
    """Another Python than this one, of 3.11 or newer, and its version; skips the test if there is none."""
    versions = ("3.13", "3.12", "3.11", "3.14")
    places = sorted(Path.home().glob(".pyenv/versions/*/bin/python3"))
    for candidate in [*(shutil.which(f"python{v}") for v in versions), *map(str, places)]:
        if candidate is None:
            continue
        asked = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False)
        found = re.match(r"Python (3\.\d+)", asked.stdout)
        if found and found[1] in versions and found[1] != f"3.{sys.version_info.minor}":
            return candidate, found[1]
    pytest.skip("no second Python of 3.11 or newer on this machine")


@pytest.mark.slow
def test_equal_bytes_on_another_version_of_python(corpus: Path, small_flagship: Project) -> None:
    base, version = other_python()
    constraints = str(REPOSITORY / "constraints.txt")
    python = environment(f"py{version}", "-c", constraints, "pyarrow", *BUILD, base=base)
    assert built(python, corpus) == digests(small_flagship.dataset)


@pytest.mark.slow
def test_equal_logical_digest_with_another_major_of_pyarrow(corpus: Path, small_flagship: Project) -> None:
    import pyarrow

    major = int(pyarrow.__version__.split(".")[0])
    python = older()
    asked = run(python, "-c", "import pyarrow; print(pyarrow.__version__)", cwd=corpus)
    assert int(asked.stdout.split(".")[0]) < major
    assert built(python, corpus)["logical"] == digests(small_flagship.dataset)["logical"]
