"""A double of the Hugging Face Hub on the loopback, for the real client to read datasets from, and to publish them to.

Only what these need is there: repositories with commits and tags in memory, their refs, and their files by commit; large files
sent ahead and then committed, commits on a parent, tags that do not move. The client reads its environment when it is imported,
so it runs in a process of its own, with `Hub.environment`. A request that no route answers is kept in `Hub.strange`: a test that
uses the double asserts that it is empty.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LFS = (".parquet",)
"""Names that the Hub keeps in its large file storage."""
SIGNATURE = "c0ffee5167"
"""What signs the addresses that large files are put to; nobody may print it."""


@dataclass
class Repository:
    """One dataset: `commits` in order, each all its files; names of branches and tags."""

    name: str
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    private: bool = False
    gated: bool = False
    titles: dict[str, str] = field(default_factory=dict)

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
        self.blobs: dict[str, bytes] = {}
        """Large files that were sent, by their sha256."""
        self.token: str | None = None
        """Without this one nothing may be written, if there is one."""
        self.requests: list[tuple[str, str]] = []
        self.strange: list[str] = []
        self._writing = threading.Lock()
        self.asking = threading.local()
        """`headers`: those of the request that is being answered."""
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
            ("GET", rf"{repository}/commits/{revision}", self._commits),
        ]
        self.writing: list[tuple[str, str, Callable[..., Answer]]] = [
            ("POST", "/api/repos/create", self._create),
            ("POST", "/api/validate-yaml", lambda *_: _json({"errors": [], "warnings": []})),
            ("POST", rf"{repository}/preupload/{revision}", self._preupload),
            ("POST", r"/datasets/(?P<repository>[^/]+/[^/]+)\.git/info/lfs/objects/batch", self._batch),
            ("PUT", r"/lfs/(?P<oid>[0-9a-f]{64})", self._large),
            ("POST", r"/lfs/verify", self._verify),
            ("POST", rf"{repository}/commit/{revision}", self._commit),
            ("POST", rf"{repository}/tag/{revision}", self._tag),
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
        for wanted, pattern, write in self.writing:
            found = re.fullmatch(pattern, path)
            if found and wanted == method:
                headers = self.asking.headers
                if self.token and headers.get("Authorization") != f"Bearer {self.token}" and not path.startswith("/lfs/"):
                    return _error(401, "", "Invalid username or password.")
                with self._writing:
                    return self._written(
                        write, {name: unquote(value) for name, value in found.groupdict().items()}, body, headers
                    )
        below = re.fullmatch(self.routes[2][1], path)
        if below and parse_qs(urlsplit(target).query).get("recursive", [""])[0].lower() == "true":
            return self._routed(
                self._tree_below, {name: unquote(value) for name, value in below.groupdict().items() if value}, body
            )
        for wanted, pattern, route in self.routes:
            found = re.fullmatch(pattern, path)
            if found and wanted == ("GET" if method == "HEAD" else method):
                words = {name: unquote(value) for name, value in found.groupdict().items() if value is not None}
                return self._routed(route, words, body)
        self.strange.append(f"{method} {target}")
        return _error(404, "", f"no route {method} {target}")

    def _written(self, write: Callable[..., Answer], words: dict[str, str], body: bytes, headers: Message) -> Answer:
        if "repository" not in words:
            return write(body, headers, **words)
        repository = self.repositories.get(words.pop("repository"))
        if repository is None:
            return _error(404, "RepoNotFound", "Repository not found")
        if write == self._batch:
            return write(body, headers)
        head = repository.resolve(words["revision"])
        if head is None:
            return _error(404, "RevisionNotFound", f"Invalid rev id: {words['revision']}")
        return write(repository, head, body, words["revision"], f"http://{headers['Host']}")

    def _create(self, body: bytes, headers: Message) -> Answer:
        said = json.loads(body)
        name = f"{said['organization']}/{said['name']}" if said.get("organization") else said["name"]
        address = {"url": f"http://{headers['Host']}/datasets/{name}", "name": name}
        if name in self.repositories:
            return Answer(409, json.dumps({"error": "You already created this dataset repo", **address}).encode())
        self.repository(name).commit({".gitattributes": b"*.parquet filter=lfs\n"})
        return _json(address)

    def _preupload(self, repository: Repository, head: str, body: bytes, revision: str, here: str) -> Answer:
        there, files = repository.commits[head], []
        for file in json.loads(body)["files"]:
            path = file["path"]
            mode = "lfs" if path.endswith(LFS) else "regular"
            oid = _oid(path, there[path]) if path in there else {}
            known = {"oid": oid["lfs"]["oid"] if "lfs" in oid else oid["oid"]} if oid else {}
            files.append({"path": path, "uploadMode": mode, "shouldIgnore": False, **known})
        return _json({"files": files})

    def _batch(self, body: bytes, headers: Message) -> Answer:
        """Where to put the large files that are not there yet; the addresses are signed, as those of the Hub are."""
        here = f"http://{headers['Host']}/lfs"
        objects = json.loads(body)["objects"]
        for one in objects:
            if one["oid"] not in self.blobs:
                href = f"{here}/{one['oid']}?X-Amz-Signature={SIGNATURE}"
                one["actions"] = {"upload": {"href": href}, "verify": {"href": f"{here}/verify"}}
        return _json({"transfer": "basic", "objects": objects})

    def _large(self, body: bytes, headers: Message, oid: str) -> Answer:
        if hashlib.sha256(body).hexdigest() != oid:
            return _error(400, "BadDigest", "The content is not what its checksum says")
        self.blobs[oid] = body
        return Answer()

    def _verify(self, body: bytes, headers: Message) -> Answer:
        said = json.loads(body)
        return _json({}) if len(self.blobs.get(said["oid"], b"")) == said["size"] else _error(404, "", "no such object")

    def _commit(self, repository: Repository, head: str, body: bytes, revision: str, here: str) -> Answer:
        files = dict(repository.commits[head])
        lines = [json.loads(line) for line in body.splitlines()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        if header.get("parentCommit") and header["parentCommit"] != head:
            return _error(412, "", "A commit has happened since. Please refresh and try again.")
        for line in lines:
            said = line["value"]
            if line["key"] == "file":
                files[said["path"]] = base64.b64decode(said["content"])
            elif line["key"] == "lfsFile":
                if said["oid"] not in self.blobs:
                    return _error(400, "BadRequest", f"{said['path']}: was not sent")
                files[said["path"]] = self.blobs[said["oid"]]
            elif line["key"] == "deletedFile":
                del files[said["path"]]
        made = repository.commit(files, revision)
        repository.titles[made] = header["summary"]
        return _json(
            {
                "success": True,
                "commitOid": made,
                "commitUrl": f"{here}/datasets/{repository.name}/commit/{made}",
                "hookOutput": "",
            }
        )

    def _tag(self, repository: Repository, head: str, body: bytes, revision: str, here: str) -> Answer:
        name = json.loads(body)["tag"]
        if name in repository.tags:
            return _error(409, "", f"Tag reference exists already: refs/tags/{name}")
        repository.tags[name] = head
        return _json({})

    def _commits(self, repository: Repository, commit: str) -> Answer:
        ids = list(repository.commits)
        about = {"message": "", "authors": [], "date": "2026-11-01T00:00:00.000Z"}
        before = reversed(ids[: ids.index(commit) + 1])
        return _json([{"id": one, "title": repository.titles.get(one, ""), **about} for one in before])

    def _tree_below(self, repository: Repository, commit: str, path: str = "") -> Answer:
        files = repository.commits[commit].items()
        return _json(
            [{"type": "file", "path": name, **_oid(name, data)} for name, data in sorted(files) if name.startswith(path)]
        )

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
            hub.asking.headers = self.headers
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
