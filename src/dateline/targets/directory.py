"""A folder as a target: each release a folder that appears whole, under its version; files that do not change are linked.

A release is laid out in `.dateline/` there and gets its name when all of it is durable, so that no reader finds half of one. A
publish that was killed is found there and finished. One publishes at a time, held by a lock.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dateline.errors import LoadError, PublishError, RefusedError
from dateline.files import sync_folder, write_atomically
from dateline.layout import RELEASES, Releases, folder_of, read_releases, version_of
from dateline.manifest import NAME as MANIFEST
from dateline.manifest import read_manifest
from dateline.release_files import unsafe_names
from dateline.targets import About, Release, Sent, Tell, There, in_order
from dateline.targets.pointer import Pointer, may_follow
from dateline.versions import numbers

_HOME = ".dateline"
_CHUNK = 1 << 20
_PATIENCE = 60
"""Seconds to wait for another publish to end."""


class Directory:
    """A target in the file system."""

    def __init__(self, root: Path, *, dry_run: bool = False) -> None:
        self.words = str(root)
        self.sent = Sent()
        self._root = root
        self._dry_run = dry_run

    def __enter__(self) -> Directory:
        if self._root.exists() and not self._root.is_dir():
            raise PublishError(f"{self._root}: is a file; releases are published to a folder")
        if not self._dry_run:
            from filelock import FileLock, Timeout

            with _told(self._root):
                (self._root / _HOME).mkdir(parents=True, exist_ok=True)
                self._lock = FileLock(self._root / _HOME / "publish.lock", timeout=_PATIENCE)
                try:
                    self._lock.acquire()
                except Timeout:
                    raise PublishError(
                        f"{self._root}: another publish has been at work here for {_PATIENCE} s; try later"
                    ) from None
                for left in self._root.glob(f".{RELEASES}.*"):  # of one that was killed
                    left.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._dry_run:
            self._lock.release()

    def look(self, release: Release, about: About) -> There:
        """What there is of this version: the release, or what was begun of it."""
        home = self._home(release)
        with _told(self._root):
            found = self._releases(self._root / RELEASES)
            may_follow(found, release.manifest.name, release.version, release.manifest.content_digest, self.words)
            at_hand = frozenset(self._earlier(release.version))
            if not home.exists():
                begun = self._digests(self._begun(release))  # nobody reads there: what is not right is made anew
                right = {path: digest for path, digest in begun.items() if release.files.get(path, ("",))[0] == digest}
                return There(right, None, at_hand)
            manifest = home / MANIFEST
            if not manifest.is_file():
                raise RefusedError(f"{home}: is there and is no release (it has no {MANIFEST}); move it out of the way")
            return There(self._digests(home), manifest.read_bytes(), at_hand)

    def send(self, release: Release, there: There, tell: Tell) -> None:
        """Lay out what lacks, make it durable, give it its name."""
        with _told(self._root):
            if there.manifest is None:
                self._lay_out(release, there, tell)
            else:
                self._add(release, there)

    def flip(self, release: Release, pointer: Pointer) -> None:
        """Replace `releases.json`, if it is to say something else."""
        path = self._root / RELEASES
        with _told(self._root):
            new = pointer.after(self._releases(path), self.words).encode()
            if not path.exists() or new != path.read_bytes():
                write_atomically(path, new)
                self.sent.done.append(RELEASES)

    def fetch(self, release: Release, path: str, to: Path) -> None:
        """Bring a file of the version back."""
        with _told(self._root):
            shutil.copyfile(self._home(release) / path, to)

    # ---- where things lie --------------------------------------------------------------------------------------

    def _home(self, release: Release) -> Path:
        return self._root / folder_of(release.version)

    def _begun(self, release: Release) -> Path:
        return self._root / _HOME / folder_of(release.version)

    def _releases(self, path: Path) -> Releases | None:
        return read_releases(path.read_bytes(), str(path)) if path.exists() else None

    def _digests(self, folder: Path) -> dict[str, str]:
        return {path.relative_to(folder).as_posix(): _digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}

    def _earlier(self, version: str) -> dict[str, Path]:
        """Files of other releases here by the digest that their manifests name; of several the newest release's."""
        found: dict[str, Path] = {}
        folders = [path for path in self._root.iterdir() if version_of(path.name)] if self._root.is_dir() else []
        for folder in sorted(folders, key=lambda path: numbers(path.name[1:])):
            if folder.name != folder_of(version):
                try:
                    manifest = read_manifest(folder)
                    if not unsafe_names(manifest):  # a link to what lies elsewhere would be no release's own
                        found |= {file["sha256"]: folder / file["path"] for file in manifest.files()}
                except LoadError:  # damaged, or unfinished: nothing is taken from it
                    continue
        return found

    # ---- putting it there --------------------------------------------------------------------------------------

    def _lay_out(self, release: Release, there: There, tell: Tell) -> None:
        begun, earlier = self._begun(release), self._earlier(release.version)
        total, done = sum(size for _, size in release.files.values()), 0
        for path in in_order(release.files):
            digest, size = release.files[path]
            if there.files.get(path) == digest:
                self.sent.kept.append(path)
            else:
                self._put(release, path, begun / path, earlier.get(digest))
            done += size
            tell("send", done, total)
        for stray in self._digests(begun).keys() - release.files.keys():
            (begun / stray).unlink()
        for folder in sorted({(begun / path).parent for path in release.files} | {begun}, reverse=True):
            sync_folder(folder)
        home = self._home(release)
        if home.exists():  # a rename would take the place of an empty folder
            raise RefusedError(f"{home}: has come to be there meanwhile; publish again to see what it is")
        begun.rename(home)
        sync_folder(self._root)

    def _put(self, release: Release, path: str, to: Path, same: Path | None) -> None:
        """A link to the same file of another release, or a copy: whole under its name, or not there."""
        digest, size = release.files[path]
        to.parent.mkdir(parents=True, exist_ok=True)
        partial = to.with_name(f".{to.name}.partial")
        partial.unlink(missing_ok=True)
        if same is not None and same.is_file() and not same.is_symlink() and _digest(same) == digest:
            _link(same, partial)
            self.sent.reused.append(path)
        else:
            _copy(release.folder / path, partial)
            self.sent.files.append(path)
            self.sent.bytes += size
        partial.chmod(0o444)
        partial.replace(to)

    def _add(self, release: Release, there: There) -> None:
        """Files that a release here lacks, such as a signature; a link is refused where a file stands."""
        for path in in_order([path for path in release.files if path not in there.files]):
            new = self._begun(release) / path
            self._put(release, path, new, None)
            try:
                os.link(new, self._home(release) / path)
            except FileExistsError:
                raise RefusedError(f"{self._home(release) / path}: has come to be there meanwhile; nothing is replaced") from None
            except OSError:  # a file system without links; the lock keeps others away
                new.rename(self._home(release) / path)
        shutil.rmtree(self._begun(release), ignore_errors=True)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _link(path: Path, to: Path) -> None:
    try:
        os.link(path, to)
    except OSError:  # another file system, or one without links
        _copy(path, to)


def _copy(path: Path, to: Path) -> None:
    """Copy the content alone, and make it durable."""
    try:
        with path.open("rb") as source, to.open("xb") as out:
            shutil.copyfileobj(source, out, _CHUNK)
            out.flush()
            os.fsync(out.fileno())
    except OSError:
        to.unlink(missing_ok=True)  # on a full disk its room is needed
        raise


@contextmanager
def _told(root: Path) -> Iterator[None]:
    """What the file system refuses, as one line."""
    try:
        yield
    except OSError as fault:
        place = fault.filename or root
        raise PublishError(
            f"{place}: cannot be written: {fault.strerror or fault}; what was published is as it was, and publishing again goes "
            "on from here"
        ) from None
