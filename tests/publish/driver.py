"""A process that imports the clients once, with the doubles' addresses in its environment, and forks for each publish.

Lines of JSON on stdin: `{"do": "publish", "project": ..., "target": ..., ...}`; each is answered by the pid of the fork, and,
after a line that lets it begin, by what came of it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import huggingface_hub.hf_api
import huggingface_hub.hf_file_system  # noqa: F401
import pyarrow.parquet  # noqa: F401

from dateline import objects, publishing
from dateline.errors import DatelineError
from dateline.project import find_project
from dateline.sources import fetch_release

with suppress(ImportError):
    import s3fs  # noqa: F401

_sleep = time.sleep
time.sleep = lambda seconds: _sleep(float(seconds) / 20)  # nobody waits for a busy server here


def answer(said: dict[str, Any]) -> dict[str, Any]:
    """Do what is asked; what came of it."""
    try:
        if said["do"] == "fetch":
            with tempfile.TemporaryDirectory() as into:
                folder = fetch_release(said["target"], Path(into) / "release")
                return {"version": json.loads((folder / "manifest.json").read_bytes())["version"]}
        if "part" in said:
            objects.PART = said.pop("part")
        options = {name: value for name, value in said.items() if name not in ("do", "project", "target")}
        done = publishing.publish(find_project(Path(said["project"])), said["target"], **options)
        return {
            "success": done.success, "refusals": done.refusals, "faults": done.faults, "already": done.already,
            "files": done.sent.files, "bytes": done.sent.bytes, "reused": done.sent.reused, "kept": done.sent.kept,
            "done": done.sent.done, "requests": done.sent.requests, "read": done.read_files,
        }  # fmt: skip
    except DatelineError as fault:
        return {"error": str(fault)}
    except BaseException:
        return {"crash": traceback.format_exc()}


def main() -> None:
    """Until stdin ends."""
    for line in sys.stdin:
        told, tell = os.pipe()
        begin, let = os.pipe()
        child = os.fork()
        if not child:
            os.close(told)
            os.close(let)
            os.read(begin, 1)  # until the test knows whom it may kill
            with os.fdopen(tell, "w") as out:
                json.dump(answer(json.loads(line)), out)
                out.flush()
            os._exit(0)
        os.close(tell)
        print(json.dumps({"pid": child}), flush=True)
        sys.stdin.readline()
        os.close(begin)
        os.close(let)
        with os.fdopen(told) as stream:
            text = stream.read()
        _, status = os.waitpid(child, 0)
        print(text or json.dumps({"killed": os.WTERMSIG(status)}), flush=True)


if __name__ == "__main__":
    main()
