"""The wheel alone, in a clean environment, outside the checkout, with the network off."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

from building import REPOSITORY
from dateline.manifest import read_manifest
from environments import environment, pip, run

NO_NETWORK = """
import socket
def refuse(*_, **__):
    raise OSError("this test allows no network")
socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refuse
"""

USE = """
import json, sys, dateline
rows = dateline.load("articles", split="train")
print(json.dumps({"from": dateline.__file__, "ids": list(rows["article_id"]), "genre": rows.features["genre"].names,
                  "heavy": [m for m in ("great_expectations", "jsonschema_rs") if m in sys.modules]}))
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.mark.slow
@pytest.mark.xdist_group("wheel")
def test_the_wheel_carries_dataset_schemas_expectations_types_and_licences(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    manifest = read_manifest(REPOSITORY / "dataset")
    assert {f"dateline/corpus/dataset/{path}" for path in manifest.paths()} <= names
    for folder in ("schemas", "expectations"):
        files = [p for p in (REPOSITORY / folder).rglob("*") if p.is_file()]
        assert {f"dateline/corpus/{p.relative_to(REPOSITORY).as_posix()}" for p in files} <= names
    assert "dateline/py.typed" in names and "dateline/reserved/article.schema.json" in names
    assert {Path(n).name for n in names if ".dist-info/licenses/" in n} == {"LICENSE", "LICENSE-DATA"}
    assert not [n for n in names if n.startswith(("seeds", "tests"))]


@pytest.mark.slow(seconds=20)
@pytest.mark.xdist_group("wheel")
def test_the_wheel_alone_loads_and_makes_a_project_with_the_network_off(wheel: Path, tmp_path: Path) -> None:
    needs = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["dependencies"]
    python = environment("wheel", "-c", str(REPOSITORY / "constraints.txt"), *needs)
    done = pip(python, "install", "--no-index", "--no-deps", "--force-reinstall", wheel)
    assert done.returncode == 0, done.stderr
    assert pip(python, "check").returncode == 0  # what it says it needs is what pyproject.toml names, and is there
    purelib = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).stdout.strip()
    (Path(purelib) / "sitecustomize.py").write_text(NO_NETWORK)
    done = run(python, "-c", USE, cwd=tmp_path, HF_HOME=str(tmp_path / "hf"))
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["from"].startswith(purelib)
    assert sorted(told["ids"]) and told["genre"][0] == "news_wire" and told["heavy"] == []
    stats = run(python, "-m", "dateline", "doctor", "--json", cwd=tmp_path)
    assert stats.returncode == 1 and "pip install 'dateline[build]'" in stats.stdout
    refused = run(python, "-m", "dateline", "rebuild", "-C", REPOSITORY, cwd=tmp_path)
    assert refused.returncode == 2 and refused.stderr.startswith("error: this command needs the package")
    _annotated_files_become_a_project(python, purelib, tmp_path)


def _annotated_files_become_a_project(python: Path, purelib: str, folder: Path) -> None:
    """What `dateline[build]` brings is lent by this environment, as paths without its .pth files: so without this checkout."""
    (folder / "in").mkdir()
    for number in range(3):
        (folder / "in" / f"{number}.txt").write_text(f"Ana met Bo on day {number}.", encoding="utf-8")
        (folder / "in" / f"{number}.ann").write_text("T1\tPER 0 3\tAna\nT2\tPER 8 10\tBo\nR1\tMet Arg1:T1 Arg2:T2\n")
    lent = {"PYTHONPATH": sysconfig.get_path("purelib")}
    from_ = run(python, "-c", "import dateline; print(dateline.__file__)", cwd=folder, **lent)
    assert from_.stdout.startswith(purelib)
    words = ("new", "mine", "in", "--from", "brat", "--text-license", "CC-BY-4.0", "--jobs", "1")
    done = run(python, "-m", "dateline", *words, cwd=folder, **lent)
    assert done.returncode == 0 and "mine/ made: 3 articles" in done.stdout, done.stdout + done.stderr
    checked = run(python, "-m", "dateline", "check", "-C", folder / "mine", cwd=folder, **lent)
    assert checked.returncode == 0 and checked.stdout == "3 records in 3 files: no problems\n", checked.stderr


@pytest.mark.slow
@pytest.mark.xdist_group("wheel")
def test_a_project_is_begun_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    done = run(sys.executable, "-m", "dateline", "new", "mine", cwd=tmp_path, PYTHONPATH=str(tmp_path / "site"))
    assert done.returncode == 0 and "mine/ made: 1 article" in done.stdout, done.stderr
    assert (tmp_path / "mine" / ".github" / "workflows" / "ci.yml").is_file()
    assert (tmp_path / "site" / "dateline" / "known_corpora" / "meantime" / "mapping.toml").is_file()
