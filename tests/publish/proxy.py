"""A proxy on the loopback between a client and a double, which lets requests fail as servers and lines do.

`Proxy.plan` is asked for each request, by its number (from 1), method and path, and answers with one of FAULTS or None. Every
request is kept in `Proxy.log` with its bytes. Nothing but the loopback is spoken to.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

FAULTS = ("429", "500", "503", "409", "drop", "lose", "truncate", "kill-before", "kill-after")
"""Statuses; the line cut before a request is passed on, or its answer lost; half of a body passed on; the client killed."""
Plan = Callable[[int, str, str], str | None]
NOTHING: Plan = lambda number, method, path: None  # noqa: E731


@dataclass(frozen=True)
class Asked:
    """One request, as it came."""

    method: str
    path: str
    sent: int
    fault: str | None


class Proxy:
    """The server, while it is entered."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.plan: Plan = NOTHING
        self.victim = 0
        """The process that is killed."""
        self.log: list[Asked] = []
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Proxy:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def start(self, plan: Plan = NOTHING) -> None:
        """Forget what was asked; from now on let requests fail as planned."""
        with self._lock:
            self.log.clear()
            self.plan = plan

    def fault(self, method: str, path: str, sent: int) -> str | None:
        """What is to happen to the next request; `kill-before` happens here."""
        with self._lock:
            fault = self.plan(len(self.log) + 1, method, path)
            self.log.append(Asked(method, path, sent, fault))
        if fault == "kill-before":
            self.kill()
        return fault

    def kill(self) -> None:
        """Kill the client, as nobody can refuse."""
        os.kill(self.victim, signal.SIGKILL)

    @property
    def sent(self) -> int:
        """Bytes that came with requests."""
        return sum(one.sent for one in self.log)


def once(fault: str, when: Callable[[str, str], bool], times: int = 1) -> Plan:
    """Let the first requests that `when` chooses (method, path) fail."""
    left = [times]

    def plan(number: int, method: str, path: str) -> str | None:
        if left[0] and when(method, path):
            left[0] -= 1
            return fault
        return None

    return plan


def at(number: int, fault: str) -> Plan:
    """Let the request of that number fail."""
    return lambda n, method, path: fault if n == number else None


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self._body()
            if len(body) < int(self.headers.get("Content-Length") or 0):
                return self._close()  # the client died in the middle; a server takes no half of a body
            fault = proxy.fault(self.command, self.path, len(body))
            if fault in ("drop", "kill-before"):
                return self._close()
            if fault and fault.isdigit():
                return self._give(int(fault), {"Retry-After": "0", "X-Error-Message": "busy"}, _refusal(fault))
            if fault == "truncate":
                body = body[: len(body) // 2]
                if _is_cut(self.headers, body):  # as S3 documents it; this double of S3 does not look
                    return self._give(400, {}, _refusal("BadDigest"))
            status, headers, answer = self._pass_on(body)
            if fault == "kill-after":
                proxy.kill()
            if fault in ("lose", "kill-after"):
                return self._close()
            return self._give(status, headers, answer)

        def _body(self) -> bytes:
            if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
                read = bytearray()
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    read += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return bytes(read)
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _pass_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            line = http.client.HTTPConnection(proxy.upstream, timeout=60)
            passed = {
                k: v
                for k, v in self.headers.items()
                if k.lower() not in ("content-length", "transfer-encoding", "connection", "expect")
            }
            line.request(self.command, self.path, body, {**passed, "Content-Length": str(len(body))})
            answer = line.getresponse()
            given = answer.status, dict(answer.getheaders()), answer.read()
            line.close()
            return given

        def _give(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            kept = {k: v for k, v in headers.items() if k.lower() not in ("transfer-encoding", "connection", "content-length")}
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
            for name, value in {**kept, "Content-Length": length}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _close(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

        def log_message(self, *_: Any) -> None:
            """Nothing: `Proxy.log` has it."""

    return Handler


def _refusal(code: str) -> bytes:
    names = {"409": "ConditionalRequestConflict", "429": "SlowDown", "500": "InternalError", "503": "ServiceUnavailable"}
    return f"<Error><Code>{names.get(code, code)}</Code><Message>refused</Message></Error>".encode()


def _is_cut(headers: Any, body: bytes) -> bool:
    said = headers.get("x-amz-checksum-sha256")
    return bool(said) and base64.b64decode(said) != hashlib.sha256(body).digest()
