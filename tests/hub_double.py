"""A double of the Hugging Face Hub on the loopback, for the real client to read datasets from.

Only what reading needs is there: repositories with commits and tags in memory, their refs, and their files by commit. The client
reads its environment when it is imported, so it runs in a process of its own, with `Hub.environment`. A request that no
route answers is kept in `Hub.strange`: a test that uses the double asserts that it is empty.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LFS = (".parquet",)
"""Names that the Hub keeps in its large file storage."""


@dataclass
class Repository:
    """One dataset: `commits` in order, each all its files; names of branches and tags."""

    name: str
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    private: bool = False
    gated: bool = False

    def commit(self, files: Mapping[str, bytes], branch: str = "main", tag: str | None = None) -> str:
        """Replace all files of a branch; the id of the commit."""
        digest = hashlib.sha1(f"{len(self.commits)} {sorted(files)}".encode()).hexdigest()
        self.commits[digest] = dict(files)
        self.branches[branch] = digest
        if tag:
            self.tags[tag] = digest
        return digest

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, a tag or an id names."""
        known = self.branches | self.tags | {digest: digest for digest in self.commits}
        return known.get(revision)


@dataclass
class Answer:
    """What a route gives back."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def _json(value: Any) -> Answer:
    return Answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})


def _error(status: int, code: str, says: str) -> Answer:
    return Answer(status, json.dumps({"error": says}).encode(), {"X-Error-Code": code, "X-Error-Message": says})


class Hub:
    """The server, while it is entered: `with Hub() as hub:`."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.requests: list[tuple[str, str]] = []
        self.strange: list[str] = []
        self.after: Callable[[str], None] = lambda path: None
        """Called with the path of each file after it was given."""
        repository = r"/api/datasets/(?P<repository>[^/]+/[^/]+)"
        revision = r"(?P<revision>[^/]+)"
        self.routes: list[tuple[str, str, Callable[..., Answer]]] = [
            ("GET", rf"{repository}(/revision/{revision})?", self._info),
            ("GET", rf"{repository}/refs", self._refs),
            ("GET", rf"{repository}/tree/{revision}(/(?P<path>.+))?", self._tree),
            ("POST", rf"{repository}/paths-info/{revision}", self._paths),
            ("GET", rf"/datasets/(?P<repository>[^/]+/[^/]+)/resolve/{revision}/(?P<path>.+)", self._file),
        ]

    def repository(self, name: str) -> Repository:
        """A new empty dataset, `org/name`."""
        self.repositories[name] = Repository(name)
        return self.repositories[name]

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """What a client's process needs to speak to it, and to nothing else."""
        return {"HF_ENDPOINT": self.address, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1"}

    def __enter__(self) -> Hub:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        """The answer to one request; a HEAD is answered as a GET whose body is not sent."""
        path = urlsplit(target).path
        self.requests.append((method, path))
        for wanted, pattern, route in self.routes:
            found = re.fullmatch(pattern, path)
            if found and wanted == ("GET" if method == "HEAD" else method):
                words = {name: unquote(value) for name, value in found.groupdict().items() if value is not None}
                return self._routed(route, words, body)
        self.strange.append(f"{method} {target}")
        return _error(404, "", f"no route {method} {target}")

    def _routed(self, route: Callable[..., Answer], words: dict[str, str], body: bytes) -> Answer:
        repository = self.repositories.get(words.pop("repository"))
        if repository is None or repository.private:
            return _error(401, "RepoNotFound", "Repository not found")
        if repository.gated:
            return _error(403, "GatedRepo", "Access to this dataset is restricted")
        if route == self._refs:
            return route(repository)
        revision = words.pop("revision", "main")
        commit = repository.resolve(revision)
        if commit is None:
            return _error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return route(repository, commit, **words, **({"body": body} if route == self._paths else {}))

    def _info(self, repository: Repository, commit: str) -> Answer:
        files = [{"rfilename": path} for path in repository.commits[commit]]
        return _json({"id": repository.name, "sha": commit, "private": False, "tags": [], "siblings": files})

    def _refs(self, repository: Repository) -> Answer:
        def listed(names: dict[str, str], kind: str) -> list[dict[str, str]]:
            return [{"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": commit} for name, commit in names.items()]

        return _json({"branches": listed(repository.branches, "heads"), "tags": listed(repository.tags, "tags"), "converts": []})

    def _paths(self, repository: Repository, commit: str, body: bytes) -> Answer:
        try:
            paths = json.loads(body)["paths"]
        except ValueError:
            paths = parse_qs(body.decode())["paths"]
        files = repository.commits[commit]
        return _json([{"type": "file", "path": path, **_oid(path, files[path])} for path in paths if path in files])

    def _tree(self, repository: Repository, commit: str, path: str = "") -> Answer:
        """What lies in one folder."""
        found = {}
        for name, data in repository.commits[commit].items():
            if name.startswith(f"{path}/" if path else ""):
                inside, _, below = name[len(path) :].lstrip("/").partition("/")
                where = f"{path}/{inside}".lstrip("/")
                found[where] = (
                    {"type": "directory", "oid": "0" * 40, "size": 0} if below else {"type": "file", **_oid(name, data)}
                )
        if path and not found:
            return _error(404, "EntryNotFound", f"{path} does not exist")
        return _json([{"path": where, **said} for where, said in sorted(found.items())])

    def _file(self, repository: Repository, commit: str, path: str) -> Answer:
        data = repository.commits[commit].get(path)
        if data is None:
            missing = _error(404, "EntryNotFound", "Entry not found")
            missing.headers["X-Repo-Commit"] = commit
            return missing
        self.after(path)
        return Answer(200, data, {"ETag": f'"{_oid(path, data)["oid"]}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"})


def _oid(path: str, data: bytes) -> dict[str, Any]:
    sha = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    said: dict[str, Any] = {"oid": sha, "size": len(data)}
    if path.endswith(LFS):
        said["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
    return said


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            given = hub.answer(self.command, self.path, body)
            status, data = given.status, given.body
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
            if asked and status == 200 and "Accept-Ranges" in given.headers:
                first, last = int(asked[1]), min(int(asked[2] or len(data) - 1), len(data) - 1)
                given.headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
                status, data = 206, data[first : last + 1]
            self.send_response(status)
            for name, value in {**given.headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

        def log_message(self, *_: object) -> None:
            """Nothing: `Hub.requests` has it."""

    return Handler
