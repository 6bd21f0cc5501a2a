"""A rebuild on Spark: a master and two workers on this machine, processes of their own; the bytes are those of a local one."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import pytest

from building import REPOSITORY
from dateline.stores import Bucket
from s3_double import Call, put, s3_settings
from small_corpus import FIRST, every_record, lay_out_small, records_at_hand

pytestmark = [
    pytest.mark.slow(seconds=160),
    pytest.mark.xdist_group("spark-cluster"),
    pytest.mark.skipif(not shutil.which("java"), reason="Spark needs Java 17 or newer"),
]
TESTS = REPOSITORY / "tests"
KNOWN = {record["article_id"] for record in records_at_hand()}
MORE = list(islice((record for record in every_record() if record["article_id"] not in KNOWN), 12))
"""Further articles, so that there are enough for many shards."""
NOT_AT_HAND = "2 withheld texts not at hand, not scanned\n"


class Cluster:
    """A standalone master and two workers on loopback."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        import pyspark

        self._home, self._folder, self._stack = Path(pyspark.__file__).parent, folder, stack
        self._environment = {
            **os.environ,
            "SPARK_HOME": str(self._home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_CONF_DIR": str(folder),
            "PYTHONPATH": os.pathsep.join((str(TESTS), str(REPOSITORY / "src"))),
            "PYSPARK_PYTHON": sys.executable,
            "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        }
        (port, *_) = free_ports(1)
        self.master = f"spark://127.0.0.1:{port}"
        self._run("master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0")
        wait_for(port)
        for number in range(2):
            work = str(folder / f"worker-{number}")
            self._run("worker.Worker", "--host", "127.0.0.1", "--webui-port", "0", "--cores", "1", "--memory", "1g",
                      "--work-dir", work, self.master)  # fmt: skip

    def _run(self, what: str, *words: str) -> None:
        command = [str(self._home / "bin" / "spark-class"), f"org.apache.spark.deploy.{what}", *words]
        log = self._stack.enter_context((self._folder / f"{what}-{time.monotonic_ns()}.log").open("wb"))
        process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        self._stack.callback(ended, process)

    def rebuild(
        self, corpus: Path, fault: str = "none", engine: str | None = None, *more: str, s3: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`dateline rebuild` with small shards at this master, or at another engine; workers may know the address of an S3."""
        words = [str(TESTS / "spark_driver.py"), fault, str(corpus), engine or self.master, *more]
        settings = s3_settings(s3) if s3 else {}
        told = [f"--conf spark.executorEnv.{name}={value}" for name, value in settings.items()]
        return self._called(*words, PYSPARK_SUBMIT_ARGS=" ".join([*told, "pyspark-shell"]), **settings)

    def validate(self, corpus: Path, engine: str) -> subprocess.CompletedProcess[str]:
        """`dateline validate` of the dataset by the project's suites."""
        return self._called("-m", "dateline", "validate", "-C", str(corpus), "--engine", engine, "--json")

    def _called(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in self._environment.items() if k != "SPARK_CONF_DIR"} | more
        return subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, timeout=240, check=False)


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listened at a moment ago."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nobody answers at port {port}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(tmp_path_factory.mktemp("cluster"), stack)


@pytest.fixture(scope="module")
def local(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small corpus without its suites, built here."""
    corpus = laid_out(tmp_path_factory.mktemp("local") / "corpus")
    done = cluster.rebuild(corpus, engine="local")
    assert done.returncode == 0, done.stderr
    return corpus


def tree(corpus: Path) -> dict[str, bytes]:
    """Every file of the dataset."""
    return {p.relative_to(corpus).as_posix(): p.read_bytes() for p in (corpus / "dataset").rglob("*") if p.is_file()}


def laid_out(root: Path) -> Path:
    """The small corpus as nobody has released it yet, so that its one segment is cut into many shards."""
    lay_out_small(root)
    (root / "seeds" / "ledger.jsonl").unlink()
    (root / "seeds" / "more.jsonl").write_bytes(b"".join(map(encode_line, MORE)))
    settings = root / "pyproject.toml"
    unreleased = re.sub(r"^version = .*$", 'version = "0.0.0"', settings.read_text(encoding="utf-8"), flags=re.MULTILINE)
    settings.write_text(unreleased, encoding="utf-8")
    shutil.rmtree(root / "dataset", ignore_errors=True)
    return root


@pytest.fixture
def cut_anew(tmp_path: Path) -> Path:
    """The same corpus, its records in another order in other files, one of them compressed."""
    corpus = laid_out(tmp_path / "corpus")
    for path in (corpus / "seeds").rglob("*.json*"):
        if path.parent.name != "tables" and path.name != "ledger.jsonl":
            path.unlink()
    records = records_at_hand() + MORE
    random.Random(7).shuffle(records)
    for number in range(5):
        (corpus / "seeds" / f"part-{number}.jsonl").write_bytes(b"".join(map(encode_line, records[number::5])))
    subprocess.run(["gzip", str(corpus / "seeds" / "part-3.jsonl")], check=True)
    return corpus


def encode_line(record: dict[str, object]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def test_files_cut_anew_give_the_same_bytes_at_a_master(cluster: Cluster, local: Path, cut_anew: Path) -> None:
    done = cluster.rebuild(cut_anew)
    assert (done.returncode, done.stderr) == (0, NOT_AT_HAND)
    assert tree(cut_anew) == tree(local)
    shards = {name.rpartition("-")[0] for name in tree(cut_anew) if name.startswith("dataset/articles/")}
    assert len({stem.rpartition("-")[2] for stem in shards}) >= 16
    assert done.stdout.startswith("dataset/ rebuilt")


def test_attempts_that_were_lost_leave_nothing(cluster: Cluster, local: Path, cut_anew: Path) -> None:
    done = cluster.rebuild(cut_anew, "once")
    assert (done.returncode, done.stderr) == (0, NOT_AT_HAND)
    assert tree(cut_anew) == tree(local)
    assert [path.name for path in (cut_anew / ".dateline").iterdir() if path.name.startswith("work-")] == []


def test_a_task_that_fails_whatever_the_attempt_leaves_the_dataset(cluster: Cluster, local: Path, cut_anew: Path) -> None:
    shutil.copytree(local / "dataset", cut_anew / "dataset")
    one = cut_anew / "seeds" / "part-0.jsonl"
    one.write_bytes(b"".join(one.read_bytes().splitlines(keepends=True)[1:]))
    done = cluster.rebuild(cut_anew, "never")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no disk of any worker works" in done.stderr and "dataset/ is as it was" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert tree(cut_anew) == tree(local)


def test_what_is_wrong_with_records_is_told_as_it_is_here(cluster: Cluster, cut_anew: Path) -> None:
    one = cut_anew / "seeds" / "part-0.jsonl"
    one.write_bytes(one.read_bytes().replace(b'"language":', b'"langage":', 1))
    here, there = cluster.rebuild(cut_anew, engine="local"), cluster.rebuild(cut_anew)
    assert (there.returncode, there.stdout, there.stderr) == (1, here.stdout, here.stderr)
    assert "unknown-field" in there.stderr


def test_records_in_a_bucket_are_brought_by_workers_and_the_dataset_put_there(
    cluster: Cluster, local: Path, cut_anew: Path, bucket: tuple[str, Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An executor is lost when it has brought half of an object, and another when it has put a file."""
    address, call = bucket
    files = [path for path in (cut_anew / "seeds").rglob("part-*") if path.is_file()]
    put(call, "corpus", {path.name: path.read_bytes() for path in files})
    for path in files:
        path.unlink()
    words = ("--seeds", "s3://news/corpus", "--out", "s3://news/built")
    done = cluster.rebuild(cut_anew, "half", None, *words, s3=address)
    assert (done.returncode, done.stderr) == (0, NOT_AT_HAND)
    assert (cut_anew / "attempted").exists() and (cut_anew / "unheard").exists()
    assert tree(cut_anew) == tree(local)
    for name, value in s3_settings(address).items():
        monkeypatch.setenv(name, value)
    built = Bucket("s3://news/built")
    assert {f"dataset/{path}": built.read(path) for path in built.files()} == tree(local)
    assert [path.name for path in (cut_anew / ".dateline").iterdir() if path.name.startswith("work-")] == []


def test_suites_at_a_master_say_what_they_say_here(cluster: Cluster, local: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(local, corpus)
    lay_out_suites(corpus)
    done = {engine: cluster.validate(corpus, engine) for engine in ("duckdb", cluster.master)}
    assert [one.returncode for one in done.values()] == [1, 1], done
    here, there = (json.loads(one.stdout) for one in done.values())
    assert (here.pop("engine")["name"], there.pop("engine")["name"]) == ("duckdb", "spark")
    for said in (here, there):  # in which order rows are found is not told
        (finding,) = said["findings"]
        finding["rows"].sort()
        assert finding["rule"] == "coverage-by-a-set" and all(row.startswith(FIRST[0]) for row in finding["rows"])
        del finding["places"], finding["place"], finding["snippet"]
    assert there == here and there["counts"]["expectations"] == 15
    (port,) = free_ports(1)
    nobody = cluster.validate(corpus, f"spark://127.0.0.1:{port}")
    says = f"error: engine spark cannot start at spark://127.0.0.1:{port}: nobody answers there"
    assert nobody.returncode == 2 and nobody.stderr.startswith(says) and len(nobody.stderr.splitlines()) == 1


def lay_out_suites(corpus: Path) -> None:
    """The suites of one table: on its rows, and on relations over several tables; what one asks of an article is never so."""
    for name in ("coverage.json", "rules.toml", "relations/coverage_rows", "relations/coverage_facts"):
        for path in (REPOSITORY / "expectations").glob(f"{name}*"):
            target = corpus / path.relative_to(REPOSITORY)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    facts = corpus / "expectations" / "relations" / "coverage_facts.sql"
    asked = facts.read_text().replace("s.n IS NOT NULL", f"s.n IS NOT NULL AND r.article_id <> '{FIRST[0]}'")
    facts.write_text(asked)


def test_no_master_is_told_in_one_line(cluster: Cluster, cut_anew: Path) -> None:
    (port,) = free_ports(1)
    for engine, says in ((f"spark://127.0.0.1:{port}", "nobody answers there"), ("sparc", "there is local, spark")):
        done = cluster.rebuild(cut_anew, engine=engine)
        assert done.returncode == 2 and says in done.stderr and len(done.stderr.splitlines()) == 1
