"""A double of S3 on the loopback (moto), in an environment of its own: it wants another boto than the client does."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from environments import environment

SERVER = """
import json, sys
import boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1",
                      aws_access_key_id="k", aws_secret_access_key="s")
print(f"http://{host}:{port}", flush=True)
for line in sys.stdin:
    said = json.loads(line)
    getattr(client, said.pop("call"))(**{k: bytes.fromhex(v) if k == "Body" else v for k, v in said.items()})
    print("done", flush=True)
server.stop()
"""

Call = Callable[..., None]


def s3_environment() -> Path:
    """The python of an environment with moto, and with a client of S3 and nothing else of what a rebuild needs."""
    return environment("s3", "s3fs>=2025.2", "moto[s3]>=5", "flask", "flask-cors")


@contextmanager
def serving(python: Path) -> Iterator[tuple[str, Call]]:
    """The address of an S3 with a bucket `news`, and a way to change what is in it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "AWS_"))}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([str(python), "-c", SERVER], text=True, env=env, **pipes) as server:
        assert server.stdin and server.stdout
        limit = threading.Timer(900, server.kill)  # so that no test waits for it for ever
        limit.daemon = True
        limit.start()
        try:
            address = server.stdout.readline().strip()

            def call(name: str, **words: str | bytes) -> None:
                plain = {k: v.hex() if isinstance(v, bytes) else v for k, v in words.items()}
                print(json.dumps({"call": name, **plain}), file=server.stdin, flush=True)
                assert server.stdout and server.stdout.readline() == "done\n"

            assert address.startswith("http://127.0.0.1:")
            call("create_bucket", Bucket="news")
            yield address, call
        finally:
            server.stdin.close()
            server.wait(30)
            limit.cancel()


def put(call: Call, prefix: str, files: Mapping[str, bytes]) -> None:
    """Put files under a prefix of the bucket."""
    for path, data in files.items():
        call("put_object", Bucket="news", Key=f"{prefix}/{path}", Body=data)


def s3_settings(address: str) -> dict[str, str]:
    """What a client's process needs to speak to it."""
    keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}
    return {"AWS_ENDPOINT_URL": address, "AWS_EC2_METADATA_DISABLED": "true", **keys}
