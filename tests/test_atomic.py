"""Nothing half-happens: rebuilds killed, raced, starved of disk, or robbed of their input."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
import yaml

from building import REPOSITORY, THOROUGH, ProjectFolder, mention, record
from dateline import pipeline, promoting
from dateline.compile import plan as planning
from dateline.compile.shard import compile_shard
from dateline.engines import LocalEngine
from dateline.errors import BuildError, DatelineError, InputError, LoadError
from dateline.manifest import read_manifest

KILL = REPOSITORY / "tests" / "atomic" / "kill_rebuilds.py"
PATHS = os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY / "tests")])
posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


def killed(root: Path, *words: str) -> dict[str, int]:
    env = {**os.environ, "PYTHONPATH": PATHS}
    command = [sys.executable, str(KILL), str(root), *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=1200)
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, int] = json.loads(done.stdout)
    return told


@posix
@pytest.mark.slow(seconds=25)
def test_killed_before_every_change_of_the_disk_the_old_or_the_new_dataset_stands_whole(tmp_path: Path) -> None:
    seen = killed(tmp_path, "every")
    assert seen["old"] > 50 and seen["new"] > 5 and not seen["none"]


@posix
@pytest.mark.slow(seconds=25)
def test_a_first_build_killed_anywhere_leaves_none_or_a_whole_dataset(tmp_path: Path) -> None:
    seen = killed(tmp_path, "every", "first")
    assert seen["none"] > 50 and seen["new"] > 2 and not seen["old"]


@posix
@pytest.mark.slow(seconds=10)
def test_killed_at_random_moments_the_old_or_the_new_dataset_stands_whole(tmp_path: Path) -> None:
    times = 200 if THOROUGH else 40
    assert killed(tmp_path, "random", str(times), "20260101")["kills"] == times


def test_the_manifest_is_the_one_of_the_card_in_place(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off before or after the flip, stats and load agree with what plain readers see."""
    dataset = folder.root / "dataset"
    folder.seed(record("a1"))
    folder.rebuild()
    old = read_manifest(dataset)
    folder.seed(record("a1"), record("a2"))
    for path in ("manifest.next.json", "README.md"):

        def cut_off(target: Path, data: bytes, after: str = path) -> None:
            target.write_bytes(data)
            if target.name == after:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(promoting, "write_atomically", cut_off)
            with pytest.raises(KeyboardInterrupt):
                folder.rebuild()
        assert json.loads((dataset / "manifest.json").read_bytes())["content_digest"] == old.content_digest
        assert read_manifest(dataset).tables["articles"].rows == (1 if path == "manifest.next.json" else 2)
    assert folder.rebuild(sweep=True).changed
    assert not (dataset / "manifest.next.json").exists()
    (dataset / "README.md").write_text("edited")
    with pytest.raises(LoadError, match="is not the card that the manifest names"):
        read_manifest(dataset)


# ---- readers beside rebuilds ---------------------------------------------------------------------------------


def read_whole(dataset: Path) -> dict[str, list[dict[str, Any]]]:
    """All rows, as a plain reader finds them by the card."""
    front = yaml.load((dataset / "README.md").read_bytes().split(b"---\n")[1], Loader=yaml.CSafeLoader)
    rows: dict[str, list[dict[str, Any]]] = {}
    for config in front["configs"]:
        paths = [path for split in config["data_files"] for path in split["path"]]
        rows[config["config_name"]] = [row for p in paths for row in pq.ParquetFile(dataset / p).read().to_pylist()]
    return rows


@pytest.mark.slow
def test_readers_beside_rebuilds_see_whole_versions_only(folder: ProjectFolder) -> None:
    states = [[record(f"a{n}", mentions=[mention("m1", 0, 3, label)]) for n in range(k)] for k, label in ((4, "PER"), (6, "LOC"))]
    dataset = folder.root / "dataset"
    versions, labels = [], []
    for state in states:
        folder.seed(*state)
        folder.rebuild()
        versions.append(read_whole(dataset))
        labels.append(read_manifest(dataset).tables["mentions"].labels)
    stop, faults, rebuilds = threading.Event(), [], 0

    def alternate() -> None:
        nonlocal rebuilds
        try:
            while not stop.is_set():
                folder.seed(*states[rebuilds % 2])
                folder.rebuild()
                rebuilds += 1
        except BaseException as fault:
            faults.append(fault)

    writer = threading.Thread(target=alternate)
    writer.start()
    seen: set[int] = set()
    try:
        began = time.monotonic()
        enough, most = (12, 120) if THOROUGH else (4, 120)  # seconds
        reads = 0
        while not faults and time.monotonic() < began + (enough if reads >= 20 and rebuilds > 2 and len(seen) == 2 else most):
            seen.add(versions.index(read_whole(dataset)))
            assert read_manifest(dataset).tables["mentions"].labels in labels
            reads += 1
            if reads % 10 == 0:
                rows = datasets.load_dataset(str(dataset), "mentions", split="train").to_list()
                assert {r["label"] for r in rows} in ({0}, {1}), "rows of two versions"
    finally:
        stop.set()
        writer.join()
    assert faults == [] and seen == {0, 1} and rebuilds > 2


# ---- two at once ---------------------------------------------------------------------------------------------

HOLD = """
import sys, time
from pathlib import Path
from dateline.work_folder import work_folder
from dateline.project import find_project
with work_folder(find_project(Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(600)
"""


@posix
def test_another_rebuild_is_refused_across_processes_and_the_lock_dies_with_its_process(folder: ProjectFolder) -> None:
    folder.seed(record("a1"))
    env = {**os.environ, "PYTHONPATH": PATHS}
    with subprocess.Popen([sys.executable, "-c", HOLD, str(folder.root)], stdout=subprocess.PIPE, env=env) as other:
        assert other.stdout and other.stdout.readline() == b"held\n"
        with pytest.raises(BuildError, match="another rebuild is running here"):
            folder.rebuild()
        other.kill()
    assert folder.rebuild().problems == []
    assert sorted(p.name for p in (folder.root / ".dateline").iterdir()) == ["cache", "last-build.json", "rebuild.lock"]


def die(task: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wait_for_ever(task: Path) -> None:
    task.write_text(str(os.getpid()))
    time.sleep(600)


@posix
def test_a_killed_worker_is_said_plainly() -> None:
    with pytest.raises(BuildError, match="a worker process ended before its work was done"):
        list(LocalEngine(2).map(die, [1, 2]))


@posix
@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom dateline.engines import LocalEngine\nfrom test_atomic import wait_for_ever\n"
        "if __name__ == '__main__':\n    list(LocalEngine(2).map(wait_for_ever, [Path(sys.argv[1]), Path(sys.argv[2])]))\n"
    )
    (tmp_path / "main.py").write_text(script)
    pids = [tmp_path / "1", tmp_path / "2"]
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "main.py"), *map(str, pids)], env={**os.environ, "PYTHONPATH": PATHS}
    ) as main:
        while not all(p.exists() and p.read_text() for p in pids):
            assert main.poll() is None
            time.sleep(0.1)
        main.kill()
    left = {int(p.read_text()) for p in pids}
    for _ in range(100):
        left = {pid for pid in left if running(pid)}
        if not left:
            break
        time.sleep(0.1)
    assert not left


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:1]
    except OSError:
        return False


# ---- disk ----------------------------------------------------------------------------------------------------


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A file system of two MiB, for root on Linux: a rebuild of some hundred records fits into it, and not much more."""
    place = tmp_path / "small"
    place.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(place)], check=False).returncode
    ):
        pytest.skip("a file system can be mounted by root only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("room", [0, 20, 60])
def test_a_full_disk_is_one_line_and_the_dataset_is_as_it_was(mounted: Path, dateline: Any, jobs: int, room: int) -> None:
    folder = ProjectFolder(mounted)
    folder.seed(record("a1"))
    folder.seed(record("a2"), name="b.jsonl")
    folder.rebuild(sweep=True)
    before = folder.tree()
    folder.seed(*[record(f"b{n}", f"Ana met Bo{n}. " + os.urandom(40).hex()) for n in range(300)])
    with (mounted / "ballast").open("wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(b"x" * 1024)
    os.truncate(mounted / "ballast", (mounted / "ballast").stat().st_size - room * 1024)
    done = dateline("rebuild", "--jobs", str(jobs), cwd=mounted)
    assert done.returncode == 2 and done.stdout == ""
    assert "No space left on device" in done.stderr and len(done.stderr.splitlines()) == 1
    assert folder.tree() == before
    (mounted / "ballast").unlink()
    assert folder.rebuild().problems == []


@pytest.mark.parametrize("where", ["dataset", "."])
def test_a_read_only_folder_is_one_line_and_the_dataset_is_as_it_was(folder: ProjectFolder, dateline: Any, where: str) -> None:
    folder.seed(record("a1"))
    folder.rebuild()
    before = folder.tree()
    folder.seed(record("a2"))
    place = str((folder.root / where).resolve())
    bind = [["mount", "--bind", place, place], ["mount", "-o", "remount,ro,bind", place]]
    if shutil.which("mount") is None or any(subprocess.run(command, check=False).returncode for command in bind):
        pytest.skip("a folder can be made read-only for root by mounting only")
    try:
        done = dateline("rebuild", cwd=folder.root)
    finally:
        subprocess.run(["umount", "-l", place], check=True)
    assert done.returncode == 2 and done.stdout == ""
    assert "Read-only file system" in done.stderr and len(done.stderr.splitlines()) == 1
    assert folder.tree() == before


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_the_dataset_may_lie_on_another_file_system(folder: ProjectFolder) -> None:
    folder.seed(record("a1"))
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        (folder.root / "dataset").symlink_to(other)
        assert folder.rebuild().problems == []
        assert read_manifest(Path(other)).tables["articles"].rows == 1
        assert not [p for p in Path(other).rglob("*") if p.name.startswith(".")]


# ---- input that changes --------------------------------------------------------------------------------------


def vanish(path: Path) -> None:
    path.unlink()


def same_length(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"Rome", b"Pisa"))


def shorter(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("change", [vanish, same_length, shorter])
def test_a_seed_that_changes_while_it_is_read_is_noticed(
    folder: ProjectFolder, change: Any, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.seed(record("a1"))
    folder.rebuild()
    before = folder.tree()
    path = folder.seed(record("a1"), record("a2"))
    monkeypatch.setattr(planning, "SHARD_BYTES", 100)

    class Changing(LocalEngine):
        def map(self, function: Any, tasks: Any) -> Any:
            if function is compile_shard:
                change(path)
            return super().map(function, tasks)

    with pytest.raises(InputError, match=r"seeds/a\.jsonl: changed while it was read"):
        pipeline.rebuild(folder.project, Changing(jobs))
    assert folder.tree() == before
    assert sorted(p.name for p in (folder.root / ".dateline").iterdir()) == ["cache", "last-build.json", "rebuild.lock"]


def test_a_seed_that_vanishes_before_it_is_indexed_is_named(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder.seed(record("a1"))
    monkeypatch.setattr(pipeline, "seed_files", lambda project: [path, path.with_name("gone.jsonl")])
    with pytest.raises(DatelineError, match=r"seeds/gone\.jsonl: cannot be read: No such file"):
        folder.rebuild()
