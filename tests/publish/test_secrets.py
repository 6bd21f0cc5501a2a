"""Secrets appear in nothing that a publish leaves or shows: output, logs, manifests, tracebacks, the list of processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from building import REPOSITORY
from dateline.errors import redacted
from dateline.keys import generate
from dateline.project import Project
from hub_double import SIGNATURE
from publish.doubles import SECRETS, Doubles
from publish.proxy import NOTHING, Plan

PASSPHRASE = "the-passphrase-of-the-key"
COMMANDS = """
import json, os, sys, time
from dateline import cli
sleep = time.sleep
time.sleep = lambda seconds: sleep(float(seconds) / 20)  # nobody waits for a busy server here
for line in sys.stdin:
    sys.argv = ["dateline", *json.loads(line)]
    code = 0
    try:
        cli.main()
    except SystemExit as ended:
        code = ended.code
    sys.stdout.flush()
    print(f"the command ended with {code}", flush=True)
"""
MARK = "the command ended with "


def down(number: int, method: str, path: str) -> str | None:
    """Whatever is written fails."""
    return None if method in ("GET", "HEAD") else "500"


def cut(number: int, method: str, path: str) -> str | None:
    """No file can be put."""
    return "500" if method == "PUT" else None


def seen_in_processes(stop: threading.Event, found: set[bytes]) -> None:
    """Keep all command lines of this machine until told to stop."""
    while not stop.is_set():
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                found.add(path.read_bytes())
            except OSError:
                continue
        time.sleep(0.1)


@pytest.mark.xdist_group("publish")
@pytest.mark.slow(seconds=25)
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_no_secret_leaves_a_publish(
    doubles: Doubles, projects: dict[str, Project], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATELINE_KEY_PASSPHRASE", PASSPHRASE)
    key = tmp_path / "secret.key"
    generate(key)
    lines = [line for line in key.read_text().splitlines() if not line.startswith("---")]
    secrets = [*SECRETS, PASSPHRASE, SIGNATURE, *lines]
    stop, commands = threading.Event(), set[bytes]()
    watcher = threading.Thread(target=seen_in_processes, args=(stop, commands), daemon=True)
    watcher.start()
    doubles.store.make("secrets")
    doubles.hub.blobs.clear()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "AWS_"))} | doubles.settings
    env |= {"PYTHONPATH": str(REPOSITORY / "src"), "DATELINE_DEBUG": "1", "HF_HUB_VERBOSITY": "debug"}
    told: list[str] = []
    cases: list[tuple[str, Plan, list[str]]] = [
        ("hf://org/secrets", cut, []),  # the addresses that large files are put to are signed
        ("hf://org/secrets", NOTHING, ["--json"]),
        ("s3://secrets/x", down, ["--json"]),
        ("s3://secrets/x", NOTHING, []),
        ("zenodo://", lambda number, method, path: "400", []),
        (str(tmp_path / "target"), NOTHING, []),
    ]
    errors = tmp_path / "stderr"
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors.open("w"), "text": True}
    with subprocess.Popen([sys.executable, "-c", COMMANDS], env=env, **pipes) as process:
        assert process.stdin and process.stdout
        for target, plan, words in cases:
            for proxy in (doubles.to_hub, doubles.to_store, doubles.to_zenodo):
                proxy.start(plan)
            said = ["publish", target, "-C", str(projects["0.2.0"].root), "--sign", str(key), *words]
            print(json.dumps(said), file=process.stdin, flush=True)
            while not (line := process.stdout.readline()).startswith(MARK):
                assert line, errors.read_text()
                told.append(line)
            assert line == f"{MARK}{0 if plan is NOTHING else 2}\n", errors.read_text()
    stop.set()
    watcher.join()
    for proxy in (doubles.to_hub, doubles.to_store, doubles.to_zenodo):
        proxy.start()
    told.append(errors.read_text())
    assert told[-1].count("error: ") == 3
    repository = doubles.hub.repositories["org/secrets"]
    written = [*repository.commits[repository.tags["v0.2.0"]].values(), *doubles.store.files("secrets").values()]
    written += [path.read_bytes() for path in (tmp_path / "target").rglob("*") if path.is_file()]
    assert len(written) > 30 and any(b"dateline" in one for one in commands)
    for secret in secrets:
        assert not [text for text in told if secret in text], secret
        assert not [raw for raw in (*written, *commands) if secret.encode() in raw], secret


def test_what_opens_doors_is_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET_THING", "s3cr3t-value")
    for text, shown in (
        ("PUT https://host/x?X-Amz-Signature=abc&b=c failed", "PUT https://host/x?... failed"),
        ("https://me:pass@host/x", "https://...@host/x"),
        ("Authorization: Bearer abcdefghijk", "Authorization: ..."),
        ("a hf_abcdefghij b", "a hf_... b"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIA..."),
        ("it was s3cr3t-value", "it was ..."),
        ("-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----", "..."),
        ("why? the signature of attestation.intoto.jsonl is wrong", "why? the signature of attestation.intoto.jsonl is wrong"),
    ):
        assert redacted(text) == shown


def test_a_traceback_is_redacted_too(tmp_path: Path) -> None:
    code = "import dateline.cli as cli\ndef app():\n    raise RuntimeError('no answer from https://h/x?sig=abc hf_abcdefghij')\n"
    code += "cli.app = app\ncli.main()\n"
    env = {**os.environ, "DATELINE_DEBUG": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode and "RuntimeError" in done.stderr
    assert "abc" not in done.stderr.replace("collections.abc", "") and "hf_..." in done.stderr
