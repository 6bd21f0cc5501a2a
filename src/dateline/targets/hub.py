"""The Hugging Face Hub as a target: one dataset repository; a release is one commit on `main` and the tag `v0.2.0` on it.

The commit names the head that was looked at, so that it holds what differs from that, or is refused because somebody published
meanwhile. A tag never moves. What was taken back stands in `versions.json`: if that has changed, `main` gets another commit.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from dateline.errors import PublishError, RefusedError, UsageError, in_one_line
from dateline.layout import folder_of
from dateline.manifest import NAME as MANIFEST
from dateline.patience import MOMENTARY, patiently, seconds_in
from dateline.targets import About, Release, Sent, Tell, There
from dateline.targets.pointer import Pointer
from dateline.versions import numbers

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd

T = TypeVar("T")
_OURS = ".gitattributes"
"""The one file of a repository that is the Hub's: it says what is stored as a large file."""
_TOGETHER = 256 << 20
"""Bytes that are sent between two looks at the progress."""
_RACES = 5
_CHUNK = 1 << 20
_ADDRESS = re.compile(r"hf://(?:datasets/)?([\w.-]+/[\w.-]+)/?", re.IGNORECASE)


@dataclass(frozen=True)
class _State:
    """What a repository is at one commit: its files by name, each by the id that the Hub stores it under."""

    commit: str
    files: Mapping[str, str]
    manifest: bytes | None

    @property
    def said(self) -> dict[str, Any]:
        """The manifest, decoded; nothing if there is none."""
        try:
            said = json.loads(self.manifest or b"{}")
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    @property
    def version(self) -> str | None:
        """The version that the manifest says, if it says one."""
        version = self.said.get("version")
        return version if isinstance(version, str) and re.fullmatch(r"\d+\.\d+\.\d+", version) else None


class Hub:
    """A dataset repository."""

    def __init__(self, words: str) -> None:
        found = _ADDRESS.fullmatch(words)
        if not found:
            raise UsageError(f"{words}: names no dataset of the Hub; write hf://org/name (a release gets its own tag)")
        self.words = words.rstrip("/")
        self._name = found[1]
        self.sent = Sent()
        self._at = ""
        """The commit at which the release is."""
        self._digest_there = ""
        """The content digest that it has there."""
        self._committed = False

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    # ---- what there is -----------------------------------------------------------------------------------------

    def look(self, release: Release, about: About) -> There:
        """The release under its tag; or on `main`, if whoever put it there was stopped before the tag."""
        with self._told():
            self._connect()
            return self._look(release)

    def _look(self, release: Release) -> There:
        heads, tags = self._refs()
        tag = folder_of(release.version)
        self._main = self._state(heads["main"]) if "main" in heads else None
        tagged = self._state(tags[tag]) if tag in tags else None
        self._tagged = tagged is not None
        there = tagged or self._untagged(release)
        if there is None:
            newer = self._main and self._main.version
            if newer and numbers(newer) > numbers(release.version):
                raise RefusedError(
                    f"{self.words}: main has {newer}, and does not go back to {release.version}; publish versions in their order"
                )
            known = set(self._main.files.values()) if self._main else set()
            kept = {path: digest for path, (digest, _) in release.files.items() if self._same(release, path)}
            return There(kept, None, frozenset(digest for digest, _ in release.files.values() if digest in known))
        if there.manifest is None:
            raise RefusedError(f"{self.words}: {tag} is no release (it has no {MANIFEST}), and a tag is never moved")
        self._at, self._digest_there = there.commit, str(there.said.get("content_digest"))
        files = {path: self._sha256(release, path, there) for path in there.files if path != _OURS}
        return There(files, there.manifest)

    def _untagged(self, release: Release) -> _State | None:
        """A commit that holds this release and has no tag: `main`, or the one of the release's name before it."""
        if self._main is None:
            return None
        if self._main.version == release.version:
            return self._main
        for commit in self._ask(lambda: self._api.list_repo_commits(self._name, repo_type="dataset")):
            if commit.title == _title(release):
                found = self._state(commit.commit_id)
                if found.said.get("content_digest") == release.manifest.content_digest:
                    return found
        return None

    def _refs(self) -> tuple[dict[str, str], dict[str, str]]:
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            refs = self._ask(lambda: self._api.list_repo_refs(self._name, repo_type="dataset"))
        except RepositoryNotFoundError:
            return {}, {}
        return {ref.name: ref.target_commit for ref in refs.branches}, {ref.name: ref.target_commit for ref in refs.tags}

    def _state(self, commit: str) -> _State:
        def listed() -> list[Any]:
            return list(self._api.list_repo_tree(self._name, recursive=True, revision=commit, repo_type="dataset"))

        entries = [entry for entry in self._ask(listed) if hasattr(entry, "blob_id")]
        files = {entry.path: entry.lfs.sha256 if entry.lfs else entry.blob_id for entry in entries}
        manifest = self._read(commit, MANIFEST) if MANIFEST in files else None
        return _State(commit, files, manifest)

    def _same(self, release: Release, path: str) -> bool:
        """Whether `main` has this file under this name."""
        stored = self._main.files.get(path) if self._main else None
        return stored is not None and stored in (release.files[path][0], _git_id(release, path))

    def _sha256(self, release: Release, path: str, there: _State) -> str:
        """The sha256 of a file there. A small one is stored under git's id; where that is not our file's, it is read."""
        stored = there.files[path]
        if len(stored) == 64:
            return stored
        if path in release.files and stored == _git_id(release, path):
            return release.files[path][0]
        return hashlib.sha256(self._read(there.commit, path)).hexdigest()

    # ---- putting it there --------------------------------------------------------------------------------------

    def send(self, release: Release, there: There, tell: Tell) -> None:
        """Send what differs from `main`, and put it there in one commit; look again if somebody was faster."""
        if there.manifest is not None:
            raise RefusedError(
                f"{self.words}: {folder_of(release.version)} lacks files of this release (a signature?), and a tag is never "
                "moved; they come with the next version"
            )
        with self._told():
            if self._main is None:
                self._ask(lambda: self._api.create_repo(self._name, repo_type="dataset", exist_ok=True))
                self._look(release)
            for _ in range(_RACES):
                if self._commit(release, _title(release), tell):
                    return
                self._look(release)
                if self._at:  # somebody else published this version meanwhile, or the answer to our commit was lost
                    if self._digest_there != release.manifest.content_digest:
                        raise RefusedError(f"{self.words}: somebody else has published another {release.version} meanwhile")
                    return
        raise PublishError(f"{self.words}: others changed main {_RACES} times meanwhile; publish again")

    def _commit(self, release: Release, title: str, tell: Tell) -> bool:
        """Bring `main` to the state of the release; False if it is no longer what it was when it was looked at."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        head = self._main
        differing = [path for path in release.files if not self._same(release, path)]
        additions = [CommitOperationAdd(path, str(release.folder / path)) for path in differing]
        gone = [path for path in (head.files if head else ()) if path not in release.files and path != _OURS]
        self._upload(release, additions, tell)
        operations: list[Any] = [*additions, *(CommitOperationDelete(path) for path in gone)]
        if not operations:
            assert head is not None
            self._at = head.commit
            return True

        had = set(head.files.values()) if head else set()
        self.sent.kept = sorted(release.files.keys() - set(differing))
        self.sent.reused = sorted(path for path in differing if release.files[path][0] in had)
        self.sent.files = sorted(set(differing) - set(self.sent.reused))
        self.sent.bytes = sum(release.files[path][1] for path in self.sent.files)

        def ask() -> Any:
            return self._api.create_commit(
                self._name, operations, commit_message=title, repo_type="dataset", revision="main",
                parent_commit=head.commit if head else None,
            )  # fmt: skip

        try:
            self._at = self._ask(ask).oid
        except Exception as fault:
            if _status(fault) in (409, 412):
                return False
            raise
        self._committed = True
        self.sent.done.append(f"commit {self._at[:12]} on main")
        return True

    def _upload(self, release: Release, additions: list[CommitOperationAdd], tell: Tell) -> None:
        """Send large files, some at a time; what an earlier attempt sent, the Hub has, and it is not sent again."""
        group: list[CommitOperationAdd] = []
        total = sum(size for _, size in release.files.values())
        done = total - sum(release.files[one.path_in_repo][1] for one in additions)
        for number, addition in enumerate(additions, 1):
            group.append(addition)
            size = sum(release.files[one.path_in_repo][1] for one in group)
            if size >= _TOGETHER or number == len(additions):
                # the client tries again itself
                self._api.preupload_lfs_files(self._name, group, repo_type="dataset", revision="main", free_memory=False)
                done += size
                tell("send", done, total)
                group.clear()

    def flip(self, release: Release, pointer: Pointer) -> None:
        """Put the tag on the commit, if it lacks; and show on `main` what was taken back since."""
        with self._told():
            if not self._tagged:
                self._tag(release)
            if self._committed:
                return
            at = self._at
            for _ in range(_RACES):
                if self._main is None or self._main.version != release.version or self._shows(release):
                    return  # a newer release tells it, or `main` says so already
                if self._commit(release, f"What was taken back since {release.version}", lambda *_: None):
                    self._at = at  # the release stays where its tag is
                    return
                self._look(release)
        raise PublishError(f"{self.words}: others changed main {_RACES} times meanwhile; publish again")

    def _shows(self, release: Release) -> bool:
        return all(self._same(release, path) for path in release.files)

    def _tag(self, release: Release) -> None:
        tag = folder_of(release.version)
        try:
            self._ask(lambda: self._api.create_tag(self._name, tag=tag, revision=self._at, repo_type="dataset"))
            self.sent.done.append(f"tag {tag}")
        except Exception as fault:
            if _status(fault) != 409:
                raise
            ours, (_, tags) = self._at, self._refs()
            if tags.get(tag) == ours:
                return
            other = self._state(tags[tag]) if tag in tags else None
            if other is None or other.said.get("content_digest") != release.manifest.content_digest:
                raise RefusedError(
                    f"{self.words}: somebody else has published another {tag} meanwhile; a tag is never moved"
                ) from None
            self._at = other.commit

    def fetch(self, release: Release, path: str, to: Path) -> None:
        """Bring a file of the version back, from the commit that its tag is on; from its start again, if the line breaks."""

        def get() -> None:
            with self._stream(self._at, path) as stream, to.open("wb") as out:
                shutil.copyfileobj(stream, out, _CHUNK)

        with self._told():
            self._ask(get)

    # ---- single requests ---------------------------------------------------------------------------------------

    def _connect(self) -> None:
        try:
            from huggingface_hub import HfApi, HfFileSystem
            from huggingface_hub.utils.tqdm import disable_progress_bars
        except ImportError:
            raise PublishError(f"{self.words}: needs the package huggingface_hub: pip install huggingface_hub") from None
        disable_progress_bars()  # ours tells of bytes
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its warnings name addresses that are signed
        self._api = HfApi()
        self._files = HfFileSystem(skip_instance_cache=True)

    def _read(self, commit: str, path: str) -> bytes:
        def read() -> bytes:
            with self._stream(commit, path) as stream:
                return stream.read()

        return self._ask(read)

    def _stream(self, commit: str, path: str) -> BinaryIO:
        return cast(BinaryIO, self._files.open(f"datasets/{self._name}@{commit}/{path}", "rb", block_size=0))

    def _ask(self, call: Callable[[], T]) -> T:
        return patiently(call, _is_momentary, _asked_to_wait)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever the client raises, as one line."""
        with in_one_line(self._line):
            yield

    def _line(self, fault: Exception) -> str:
        kinds = {kind.__name__ for one in _causes(fault) for kind in type(one).__mro__}
        if "OfflineModeIsEnabled" in kinds:
            return f"{self.words}: cannot be reached, as HF_HUB_OFFLINE is set; unset it"
        if _status(fault) in (401, 403):
            login = "log in with `hf auth login`, or set HF_TOKEN (one that writes)"
            return f"{self.words}: may not be written with these credentials; {login}"
        said = next((line for one in _causes(fault) for line in str(one).splitlines() if line.strip()), "")
        return f"{self.words}: {type(fault).__name__}: {said}; publishing again goes on from here"


def _title(release: Release) -> str:
    return f"Release {release.version}"


def _git_id(release: Release, path: str) -> str:
    """The id under which git keeps a file; of large ones nobody asks."""
    size = release.files[path][1]
    if size > 16 << 20:
        return ""
    return hashlib.sha1(b"blob %d\0" % size + (release.folder / path).read_bytes()).hexdigest()


def _causes(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__


def _response(fault: BaseException) -> Any:
    return next((one.response for one in _causes(fault) if getattr(one, "response", None) is not None), None)  # type: ignore[attr-defined]


def _status(fault: BaseException) -> int:
    return int(getattr(_response(fault), "status_code", 0))


def _is_momentary(fault: BaseException) -> bool:
    kinds = {kind.__name__ for one in _causes(fault) for kind in type(one).__mro__}
    if (response := _response(fault)) is not None:
        return response.status_code in MOMENTARY
    if "OfflineModeIsEnabled" in kinds:
        return False
    # a gateway that is busy may answer with a page where the client expects JSON
    return bool(kinds & {"TransportError", "ConnectionError", "TimeoutError", "JSONDecodeError"})


def _asked_to_wait(fault: BaseException) -> float | None:
    response = _response(fault)
    return seconds_in(response.headers.get("retry-after")) if response is not None else None
