"""A bucket of S3, or of a store that speaks its language, as a target: `prefix/v0.2.0/...`, and `prefix/releases.json` last.

Every object is put with `If-None-Match: *`, so that none is replaced, and with its sha256, so that one that was cut short on its
way is refused by the store. What another release there has already is copied by the store. `releases.json` is replaced only as it
was read (`If-Match`), else it is read again: of two who publish at once, none loses what it said.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from dateline.errors import PublishError, RefusedError
from dateline.layout import RELEASES, folder_of, read_releases
from dateline.manifest import CARD
from dateline.manifest import NAME as MANIFEST
from dateline.objects import ExistsError, Objects
from dateline.targets import About, Release, Sent, Tell, There, in_order
from dateline.targets.pointer import Pointer, may_follow

_COPY_LIMIT = 5 << 30
_AT_ONCE = 8
_FLIPS = 20
"""How often `releases.json` is read again because somebody else replaced it."""


class Bucket:
    """A target in an object store."""

    def __init__(self, words: str) -> None:
        self._objects = Objects(words, doing="publishing to", again="publishing again")
        self.words, self._prefix = self._objects.words, self._objects.prefix
        self.sent = Sent(requests=0)
        self._counting = Lock()

    def __enter__(self) -> Bucket:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    # ---- what there is -----------------------------------------------------------------------------------------

    def look(self, release: Release, about: About) -> There:
        """What there is of this version, by the store's own checksums where it has them."""
        with self._told():
            self._objects.connect()
            self._same = self._of_the_newest(release)
            home = self._key(release, "")
            sizes = self._objects.sizes(home)
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                digests = dict(zip(sizes, pool.map(lambda path: self._objects.digest(home + path), sizes), strict=True))
            manifest = self._objects.read(home + MANIFEST) if MANIFEST in sizes else None
            return There(digests, manifest, frozenset(self._same))

    def _of_the_newest(self, release: Release) -> dict[str, str]:
        """The keys of files of the newest other release there, by their digests."""
        raw = self._objects.read(self._prefix + RELEASES)
        if raw is None:
            return {}
        before = read_releases(raw, f"{self.words}/{RELEASES}")
        may_follow(before, release.manifest.name, release.version, release.manifest.content_digest, self.words)
        others = [one.version for one in before.releases if one.version != release.version]
        if not others:
            return {}
        home = f"{self._prefix}{folder_of(others[-1])}/"
        try:
            said = json.loads(self._objects.read(home + MANIFEST) or b"{}")
            files = [file for table in said["tables"].values() for file in table["files"]]
            files += [*said.get("validation", ()), said["card"]]
            return {file["sha256"]: home + file["path"] for file in files}
        except (ValueError, KeyError, TypeError, AttributeError):  # no manifest: nothing is taken from there
            return {}

    # ---- putting it there --------------------------------------------------------------------------------------

    def send(self, release: Release, there: There, tell: Tell) -> None:
        """All but the card and the manifest, several at once; then these two."""
        total = sum(size for _, size in release.files.values())
        done = 0
        paths = in_order(release.files)
        last = [path for path in paths if path in (CARD, MANIFEST)]

        def put(path: str) -> int:
            if path in there.files:
                self._count(self.sent.kept, path)
            else:
                self._put(release, path)
            return release.files[path][1]

        with self._told(), ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="send") as pool:
            try:
                for size in pool.map(put, [path for path in paths if path not in last]):
                    done += size
                    tell("send", done, total)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
            for path in last:
                done += put(path)
                tell("send", done, total)
        self.sent.kept.sort(), self.sent.files.sort(), self.sent.reused.sort()

    def _put(self, release: Release, path: str) -> None:
        digest, size = release.files[path]
        key, source = self._key(release, path), self._same.get(digest)
        if source and size <= _COPY_LIMIT and self._objects.copy(source, key, digest):
            self._count(self.sent.reused, path)
            return
        try:
            self._objects.put_file(key, release.folder / path, digest)
        except ExistsError:  # another publisher was here, or an answer of ours was lost on its way
            if self._objects.digest(key) != digest:
                raise RefusedError(
                    f"{self.words}/{folder_of(release.version)}/{path}: has come to be there meanwhile, with other bytes; "
                    "nothing is replaced"
                ) from None
        self._count(self.sent.files, path, size)

    def flip(self, release: Release, pointer: Pointer) -> None:
        """Replace `releases.json` as it was read; if somebody else was faster, read it again."""
        key = self._prefix + RELEASES
        with self._told():
            for _ in range(_FLIPS):
                raw, tag = self._objects.read_with_tag(key)
                before = None if raw is None else read_releases(raw, f"{self.words}/{RELEASES}")
                new = pointer.after(before, self.words).encode()
                if new == raw:
                    return
                try:
                    self._objects.put(key, new, tag)
                    self.sent.done.append(RELEASES)
                    return
                except ExistsError:
                    continue
        raise PublishError(f"{self.words}/{RELEASES}: others replaced it {_FLIPS} times meanwhile; publish again")

    def fetch(self, release: Release, path: str, to: Path) -> None:
        """Bring a file of the version back; from its start again, if the line breaks."""
        with self._told(), to.open("wb") as out:
            self._objects.stream(self._key(release, path), out)

    def _key(self, release: Release, path: str) -> str:
        return f"{self._prefix}{folder_of(release.version)}/{path}"

    def _count(self, where: list[str], path: str, size: int = 0) -> None:
        with self._counting:
            where.append(path)
            self.sent.bytes += size

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever the client raises, as one line; the requests so far are counted."""
        try:
            with self._objects.told():
                yield
        finally:
            self.sent.requests = self._objects.requests
