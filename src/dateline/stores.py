"""Where files are read from: a folder, a commit of a repository on the Hugging Face Hub, a prefix in an S3 bucket.

Whatever a store's client raises comes out as a LoadError of one line, of two kinds that callers act on: the file is not there
(`MissingError`), or nobody answers (`UnreachableError`). Clients are imported when they are needed.
"""

from __future__ import annotations

import copy
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from dateline.errors import InputError, LoadError, printable
from dateline.manifest import NAME as MANIFEST

_CHUNK = 1 << 20
_LARGEST_DOCUMENT = 64 << 20
"""Bytes that a manifest, a card or a list may have: all are read before any digest is known."""
_HUB = re.compile(r"hf://(?:datasets/)?([\w.-]+/[\w.-]+)(?:@([^@]+))?/?", re.IGNORECASE)


class MissingError(LoadError):
    """A file that is not there."""


class UnreachableError(LoadError):
    """A store that does not answer, or that we may not ask as things are (offline)."""


class Store(ABC):
    """Files by their names; `words` are what messages call it."""

    login = ""
    """How to get the right to read from it."""

    def __init__(self, words: str) -> None:
        self.words = words

    @abstractmethod
    def _open(self, path: str) -> BinaryIO:
        """A file, opened to be read once from its start."""

    @abstractmethod
    def _files(self) -> list[str]:
        """All names."""

    @abstractmethod
    def url(self, path: str) -> str:
        """The address of a file, as `datasets` reads it."""

    @abstractmethod
    def explain(self) -> str:
        """Why there is no manifest: asked only then."""

    def _document(self, path: str) -> bytes:
        with self._open(path) as stream:
            return stream.read(_LARGEST_DOCUMENT + 1)

    def open(self, path: str) -> BinaryIO:
        """A file, opened to be read once from its start; `chunks` translates errors of reading, too."""
        with told(f"{self.words}/{path}", self, path):
            return self._open(path)

    def chunks(self, path: str) -> Iterator[bytes]:
        """A file, piece by piece."""
        with told(f"{self.words}/{path}", self, path), self._open(path) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

    def read(self, path: str) -> bytes:
        """A small file whole. Raises LoadError for one larger than any manifest, card or list is."""
        with told(f"{self.words}/{path}", self, path):
            found = self._document(path)
        if len(found) > _LARGEST_DOCUMENT:
            raise LoadError(f"{self.words}/{path}: has more than {_LARGEST_DOCUMENT >> 20} MiB; that is none of a release")
        return found

    def files(self) -> list[str]:
        """The names of all files there are, in order."""
        with told(self.words, self):
            return sorted(self._files())


class Folder(Store):
    """Files in a folder."""

    login = "see who owns it"

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path

    def _open(self, path: str) -> BinaryIO:
        return (self.path / path).open("rb")

    def _files(self) -> list[str]:
        return [p.relative_to(self.path).as_posix() for p in self.path.rglob("*") if not p.is_dir()]

    def url(self, path: str) -> str:
        """The path of a file."""
        return os.path.abspath(self.path / path)

    def explain(self) -> str:
        """That it has no manifest."""
        return f"{self.words}: is no release: it has no {MANIFEST}"


class Bucket(Store):
    """Files under a prefix of an S3 bucket; what is not given in `options` (s3fs) is read from the environment."""

    login = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, of one who may read it"

    def __init__(self, words: str, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(words.rstrip("/"))
        self._bucket, _, prefix = words[len("s3://") :].strip("/").partition("/")
        if not self._bucket:
            raise InputError(f"{words}: names no bucket; write s3://bucket/prefix")
        try:
            import s3fs
        except ImportError:
            raise LoadError(f"{words}: reading from S3 needs the package s3fs: pip install 'dateline[s3]'") from None
        self._root = f"{self._bucket}/{prefix}".rstrip("/")
        self._options = options
        self._client = s3fs.S3FileSystem(
            **{**copy.deepcopy(dict(options or {})), "skip_instance_cache": True, "use_listings_cache": False}
        )

    def at(self, folder: str) -> Bucket:
        """The files in a folder under the prefix."""
        return Bucket(f"s3://{self._root}/{folder}", self._options)

    def above(self) -> Bucket:
        """The files under the prefix without its last part."""
        return Bucket(f"s3://{self._root.rpartition('/')[0]}", self._options)

    def _open(self, path: str) -> BinaryIO:
        return self._client.open(f"{self._root}/{path}", "rb", block_size=8 * _CHUNK, cache_type="readahead")  # type: ignore[no-any-return]

    def _document(self, path: str) -> bytes:
        """By one request, where opening a file takes two."""
        return bytes(self._client.cat_file(f"{self._root}/{path}", start=0, end=_LARGEST_DOCUMENT + 1))

    def _files(self) -> list[str]:
        return [name[len(self._root) + 1 :] for name in self._client.find(self._root)]

    def url(self, path: str) -> str:
        """`s3://bucket/prefix/path`"""
        return f"s3://{self._root}/{path}"

    def explain(self) -> str:
        """Whether it is the manifest that is missing, or the bucket."""
        return self.lacks(f"is no release: there is no {MANIFEST} in s3://{self._root}")

    def lacks(self, what: str) -> str:
        """That what was looked for is not there, or that there is not even the bucket."""
        try:
            self._client.call_s3("head_bucket", Bucket=self._bucket)
        except FileNotFoundError:
            return f"{self.words}: there is no bucket {self._bucket!r}"
        except Exception:  # who may not look at the bucket may still not find what is in it
            pass
        return f"{self.words}: {what}"


class Repository:
    """A dataset on the Hub; `at` gives its files at a revision."""

    def __init__(self, words: str, name: str, options: Mapping[str, Any] | None = None) -> None:
        self.words, self.name = words, name
        try:
            from huggingface_hub import HfApi, HfFileSystem
        except ImportError:
            raise LoadError(f"{words}: needs the package huggingface_hub: pip install huggingface_hub") from None
        chosen = {key: value for key, value in (options or {}).items() if key in ("endpoint", "token")}
        self._chosen = chosen
        self._api = HfApi(**chosen)
        self._files = HfFileSystem(**chosen, skip_instance_cache=True)

    def refs(self) -> tuple[dict[str, str], dict[str, str]]:
        """Tags and branches, each with its commit."""
        with told(self.words):
            refs = self._api.list_repo_refs(self.name, repo_type="dataset")
        return {ref.name: ref.target_commit for ref in refs.tags}, {ref.name: ref.target_commit for ref in refs.branches}

    def at(self, revision: str | None, words: str = "") -> Commit:
        """The files of the commit that a branch, a tag or an id names, whatever is pushed meanwhile; of `main` without one."""
        from huggingface_hub.errors import RevisionNotFoundError

        words = words or self.words
        with told(words):
            try:
                commit = self._api.dataset_info(self.name, revision=revision, expand=["sha"]).sha
            except RevisionNotFoundError:
                tags, branches = self.refs()
                names = [*tags, *branches]
                there = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
                raise LoadError(f"{words}: {self.name} has no revision {revision!r}; it has {there}") from None
        return self.commit(str(commit), words)

    def commit(self, commit: str, words: str = "") -> Commit:
        """The files of a commit, by its id."""
        return Commit(words or self.words, self.name, commit, self._files, self._chosen)


class Commit(Store):
    """Files of one commit of a dataset on the Hub."""

    login = "log in with `hf auth login`, or set HF_TOKEN"

    def __init__(self, words: str, name: str, commit: str, client: Any, options: Mapping[str, Any]) -> None:
        super().__init__(words)
        self.commit, self._options = commit, options
        self._root = f"datasets/{name}@{commit}"
        self._name, self._client = name, client

    def _open(self, path: str) -> BinaryIO:
        return self._client.open(f"{self._root}/{path}", "rb", block_size=0)  # type: ignore[no-any-return]

    def _document(self, path: str) -> bytes:
        """By one request, where the file system takes three."""
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status  # type: ignore[attr-defined]

        place = {"repo_type": "dataset", "revision": self.commit, "endpoint": self._options.get("endpoint")}
        headers = build_hf_headers(token=self._options.get("token")) | {"Range": f"bytes=0-{_LARGEST_DOCUMENT}"}
        answer = get_session().get(hf_hub_url(self._name, path, **place), headers=headers)
        hf_raise_for_status(answer)
        return bytes(answer.content)

    def _files(self) -> list[str]:
        found = (name.split("/", 3) for name in self._client.find(self._root))  # datasets, org, name@commit, path
        return [parts[3] for parts in found]

    def url(self, path: str) -> str:
        """`hf://datasets/org/name@commit/path`"""
        return f"hf://{self._root}/{path}"

    def explain(self) -> str:
        """That the commit has no manifest."""
        revision = self.words.rpartition("@")[2] if "@" in self.words else "main"
        return f"{self.words}: is no release: the dataset {self._name} has no {MANIFEST} at {revision}"


def repository_of(words: str) -> tuple[str, str | None]:
    """The repository and the revision, if any, that `hf://` words name. Raises InputError if they name none."""
    from urllib.parse import unquote

    found = _HUB.fullmatch(words)
    if not found:
        raise InputError(f"{words}: names no dataset; write hf://datasets/org/name or hf://datasets/org/name@revision")
    return found[1], unquote(found[2].rstrip("/")) if found[2] else None


# ---- what clients raise --------------------------------------------------------------------------------------

_SILENT = {
    "OfflineModeIsEnabled", "ConnectError", "ConnectTimeout", "ReadTimeout", "ReadError", "RemoteProtocolError", "TransportError",
    "EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ClientConnectionError", "ConnectionError",
    "TimeoutError", "gaierror",
}  # fmt: skip
"""Names of what httpx, requests, botocore, aiohttp and Python raise where nobody answers."""


@contextmanager
def told(what: str, store: Store | None = None, path: str = "") -> Iterator[None]:
    """Whatever a store's client raises, as a LoadError of one line."""
    try:
        yield
    except (InputError, LoadError):
        raise
    except Exception as fault:  # the clients' errors are of no one family: OSError, httpx, botocore
        raise _error(what, store, path, fault) from None


def _error(what: str, store: Store | None, path: str, fault: Exception) -> LoadError:
    kinds = {kind.__name__ for kind in type(fault).__mro__}
    status = getattr(getattr(fault, "response", None), "status_code", None)
    if "OfflineModeIsEnabled" in kinds:
        return UnreachableError(
            f"{what}: cannot be read, as HF_HUB_OFFLINE is set; unset it, or name a folder that holds the release"
        )
    if "GatedRepoError" in kinds:
        return LoadError(f"{what}: its owner asks who reads it; accept the terms on its page, and log in with `hf auth login`")
    if "RepositoryNotFoundError" in kinds:
        return LoadError(f"{what}: there is no such dataset on the Hub, or none that you may see; log in with `hf auth login`")
    if isinstance(fault, FileNotFoundError) or "EntryNotFoundError" in kinds:
        return MissingError(store.explain() if store and path == MANIFEST else f"{what}: no such file, but a release has it")
    if isinstance(fault, PermissionError) or status in (401, 403) or "NoCredentialsError" in kinds:
        login = store.login if store else Commit.login
        return LoadError(f"{what}: may not be read with these credentials; {login}")
    said = re.sub(r"\?\S+", "?...", str(fault).strip().split("\n")[0])  # signed addresses carry secrets
    kind = UnreachableError if kinds & _SILENT or status == 429 or (status or 0) >= 500 else LoadError
    return kind(printable(f"{what}: cannot be read: {type(fault).__name__}{': ' + said if said else ''}"))
