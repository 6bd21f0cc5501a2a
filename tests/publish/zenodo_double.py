"""A double of Zenodo's deposit API (developers.zenodo.org) on the loopback: drafts, their metadata and files, publishing."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "zenodo-secret-token"
REQUIRED = ("upload_type", "publication_date", "title", "creators", "description", "access_right", "license")
"""What a deposit must say before it is published, as the documentation has it."""
KNOWN = {*REQUIRED, "keywords", "version", "notes"}


class Zenodo:
    """The server, while it is entered."""

    def __init__(self) -> None:
        self.deposits: dict[int, dict[str, Any]] = {}
        self.files: dict[int, dict[str, bytes]] = {}
        self.strange: list[str] = []
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Zenodo:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, target: str, body: bytes, headers: Any) -> tuple[int, Any]:
        """Status, and JSON or bytes."""
        path = target.partition("?")[0]
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"status": 401, "message": "Unauthorized"}
        here = f"http://{headers['Host']}"
        if path == "/api/deposit/depositions":
            if method == "GET":
                return 200, [self._shown(number, here) for number in reversed(self.deposits)]
            return 201, self._made(json.loads(body or b"{}"), here)
        if found := re.fullmatch(r"/api/deposit/depositions/(\d+)(/actions/publish)?", path):
            number = int(found[1])
            if number not in self.deposits:
                return 404, {"status": 404, "message": "PID does not exist."}
            if found[2] and method == "POST":
                return self._published(number, here)
            if method == "PUT":
                return self._described(number, json.loads(body)["metadata"], here)
            return 200, self._shown(number, here)
        if found := re.fullmatch(r"/api/files/bucket-(\d+)/([^/]+)", path):
            number, name = int(found[1]), found[2]
            if method == "GET":
                return 200, self.files[number][name]
            if self.deposits[number]["submitted"]:
                return 403, {"status": 403, "message": "Bucket is locked for modifications."}
            self.files[number][name] = body
            return 201, {"key": name, "size": len(body), "checksum": f"md5:{hashlib.md5(body).hexdigest()}"}
        self.strange.append(f"{method} {target}")
        return 404, {"message": "no route"}

    def _made(self, said: dict[str, Any], here: str) -> dict[str, Any]:
        with self._lock:
            number = 1000 + len(self.deposits)
            self.deposits[number] = {"id": number, "submitted": False, "metadata": said.get("metadata", {})}
            self.files[number] = {}
        return self._shown(number, here)

    def _shown(self, number: int, here: str) -> dict[str, Any]:
        files = [
            {"id": name, "filename": name, "filesize": len(raw), "checksum": hashlib.md5(raw).hexdigest()}
            for name, raw in self.files[number].items()
        ]
        links = {"bucket": f"{here}/api/files/bucket-{number}", "html": f"{here}/deposit/{number}"}
        return {**self.deposits[number], "files": files, "links": links}

    def _described(self, number: int, metadata: dict[str, Any], here: str) -> tuple[int, Any]:
        if strange := metadata.keys() - KNOWN:
            return 400, {"status": 400, "message": "Validation error.", "errors": sorted(strange)}
        self.deposits[number]["metadata"] = metadata
        return 200, self._shown(number, here)

    def _published(self, number: int, here: str) -> tuple[int, Any]:
        deposit = self.deposits[number]
        if deposit["submitted"] or not self.files[number] or not all(deposit["metadata"].get(name) for name in REQUIRED):
            return 400, {"status": 400, "message": "Validation error."}
        deposit["submitted"] = True
        return 202, self._shown(number, here)


def _handler(zenodo: Zenodo) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, said = zenodo.answer(self.command, self.path, body, self.headers)
            raw = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = _serve

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler
