"""The doubles of the Hub, of S3 and of Zenodo, each behind a proxy that lets requests fail; and a process of real clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from building import REPOSITORY
from environments import environment
from hub_double import Hub
from publish.proxy import Proxy
from publish.zenodo_double import TOKEN, Zenodo

HF_TOKEN = "hf_SecretOfTheHub123"
AWS_KEY, AWS_SECRET = "AKIASECRETOFTHEBUCKET", "aws/Secret+OfTheBucket"
SECRETS = (HF_TOKEN, AWS_KEY, AWS_SECRET, TOKEN)
SERVER = """
import sys
import moto.s3.models
from moto.server import ThreadedMotoServer
moto.s3.models.S3_UPLOAD_PART_MIN_SIZE = 1
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
print(f"http://{host}:{port}", flush=True)
sys.stdin.read()
server.stop()
"""


class Store:
    """An S3 on the loopback (moto, in an environment of its own), looked at and changed without its client."""

    def __init__(self, address: str) -> None:
        self.address = address

    def make(self, bucket: str) -> None:
        """A new bucket."""
        self._ask("PUT", bucket)

    def put(self, bucket: str, key: str, raw: bytes) -> None:
        """An object, whatever stands there."""
        self._ask("PUT", f"{bucket}/{quote(key)}", raw)

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object."""
        self._ask("DELETE", f"{bucket}/{quote(key)}")

    def files(self, bucket: str) -> dict[str, bytes]:
        """All objects of a bucket."""
        root = ElementTree.fromstring(self._ask("GET", f"{bucket}?list-type=2&max-keys=1000"))
        keys = [str(found.text) for found in root.iter() if found.tag.endswith("}Key")]
        return {key: self._ask("GET", f"{bucket}/{quote(key)}") for key in keys}

    def _ask(self, method: str, path: str, raw: bytes | None = None) -> bytes:
        # moto looks no further than this
        who = {"Authorization": "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request", "Content-Type": "x/y"}
        asked = urllib.request.Request(f"{self.address}/{path}", data=raw, method=method, headers=who)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            read: bytes = answer.read()
        return read


class Driver:
    """The process that publishes."""

    def __init__(self, proxies: list[Proxy], settings: dict[str, str]) -> None:
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "AWS_", "DATELINE"))}
        paths = os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY / "tests")])
        command = [sys.executable, "-W", "ignore", str(REPOSITORY / "tests" / "publish" / "driver.py")]
        self._proxies = proxies
        self._process = subprocess.Popen(
            command, env={**plain, **settings, "PYTHONPATH": paths}, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def __call__(self, **said: Any) -> dict[str, Any]:
        """Do one thing, and tell what came of it."""
        assert self._process.stdin and self._process.stdout
        print(json.dumps(said, default=str), file=self._process.stdin, flush=True)
        pid = json.loads(self._process.stdout.readline())["pid"]
        for proxy in self._proxies:
            proxy.victim = pid
        print("begin", file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "crash" not in answer, answer["crash"]
        return answer

    def publish(self, project: Any, target: str, **options: Any) -> dict[str, Any]:
        """Publish the release of a project."""
        return self(do="publish", project=project.root, target=target, **options)

    def published(self, project: Any, target: str, **options: Any) -> dict[str, Any]:
        """Publish the release of a project, which must succeed."""
        done = self.publish(project, target, **options)
        assert done.get("success"), done
        return done

    def fetch(self, target: str) -> str:
        """The version that a reader gets, whole."""
        return str(self(do="fetch", target=target).get("version"))

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)


@dataclass
class Doubles:
    """All of them."""

    hub: Hub
    store: Store
    zenodo: Zenodo
    to_hub: Proxy
    to_store: Proxy
    to_zenodo: Proxy
    settings: dict[str, str]
    driver: Driver


@contextmanager
def running(work: Path, *, store: bool = True) -> Iterator[Doubles]:
    """The doubles and the clients, while the block runs."""
    with ExitStack() as stack:
        hub, zenodo = stack.enter_context(Hub()), stack.enter_context(Zenodo())
        hub.token = HF_TOKEN
        objects = Store(stack.enter_context(_moto()) if store else "http://127.0.0.1:9")
        proxies = [stack.enter_context(Proxy(address)) for address in (hub.address, objects.address, zenodo.address)]
        to_hub, to_store, to_zenodo = proxies
        settings = {
            **hub.environment, "HF_ENDPOINT": to_hub.address, "HF_TOKEN": HF_TOKEN, "HF_HOME": str(work / "hf"),
            "AWS_ENDPOINT_URL": to_store.address, "AWS_ACCESS_KEY_ID": AWS_KEY, "AWS_SECRET_ACCESS_KEY": AWS_SECRET,
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
            "ZENODO_URL": to_zenodo.address, "ZENODO_TOKEN": TOKEN,
        }  # fmt: skip
        driver = Driver(proxies, settings)
        stack.callback(driver.close)
        yield Doubles(hub, objects, zenodo, to_hub, to_store, to_zenodo, settings, driver)


@contextmanager
def _moto() -> Iterator[str]:
    python = environment("s3", "s3fs>=2025.2", "moto[s3]>=5", "flask", "flask-cors")
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "AWS_"))}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([str(python), "-c", SERVER], text=True, env=plain, **pipes) as server:
        assert server.stdin and server.stdout
        limit = threading.Timer(600, server.kill)  # so that no test waits for it for ever
        limit.start()
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()
            server.wait(30)
            limit.cancel()
