"""Where a dataset to read lies: what words name, which releases there are, which one is meant.

A release is its `manifest.json`, the card that it names, and the files that it names. A remote one is fetched file by file, each
checked by size and sha256 while it streams; nothing else in the repository or bucket is looked at. A local one is used where it
lies, and its files are checked there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import unquote

from dateline.errors import InputError, LoadError
from dateline.layout import RELEASES, Published, Releases, choose, folder_of, is_entry, is_retracted, read_releases, version_of
from dateline.manifest import CARD, NEXT, VERSIONS, Manifest, contradictions, read_manifest, with_digest
from dateline.manifest import NAME as MANIFEST
from dateline.release_files import ReleaseError, Tell, check_files, fetch_files, other_digest
from dateline.stores import Bucket, Folder, MissingError, Repository, Store, UnreachableError, repository_of
from dateline.versions import numbers

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")  # one letter alone is a drive
_VERSION = re.compile(r"(.+)@\s*(v?\d+(?:\.\d+)*|(?:~=|===?|!=|<=?|>=?)[^/]+)", re.DOTALL)
"""Words that end in a version or a range of versions."""
_GLOB = re.compile(r"[*?[]")


# ---- what words name -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Named:
    """What words on a command line name: a release, or Parquet files of anybody's (`files`, in the order of their names)."""

    kind: Literal["release", "parquet"]
    files: tuple[Path, ...] = ()


def named(words: str) -> Named:
    """What there is at `words`: an address, or a folder with a manifest, is a release; else Parquet: a file, a folder, a pattern.

    A folder is searched with all that is in it, less names that begin with `.` or `_` (writers leave marks and halves under such
    names). Nothing is fetched. Raises InputError if there is nothing, or nothing that is either.
    """
    if (scheme := _scheme(words)) in ("hf", "s3"):
        if words.endswith(".parquet"):
            raise InputError(f"{words}: only whole releases are read from {scheme}://; get the file, and name it here")
        return Named("release")
    path, version = local_path(words)
    if version or is_release(path) or (path.name == MANIFEST and path.is_file()) or (path / RELEASES).is_file():
        return Named("release")
    words = str(path) if scheme else words
    if path.is_dir():
        files = [p for p in sorted(path.rglob("*.parquet")) if p.is_file() and _is_data(p.relative_to(path))]
        if not files:
            raise InputError(f"{words}: is no release (no {MANIFEST}), and holds no .parquet file")
        return Named("parquet", tuple(files))
    if path.is_file():
        if path.suffix != ".parquet" and not _is_parquet(path):
            raise InputError(f"{words}: is no Parquet file, no {MANIFEST}, and no folder")
        return Named("parquet", (path,))
    if _GLOB.search(words):
        anchor = Path(path.anchor) if path.anchor else Path()
        pattern = str(path.relative_to(path.anchor)) if path.anchor else words
        files = [p for p in sorted(anchor.glob(pattern)) if p.is_file()]
        if not files:
            raise InputError(f"{words}: no file fits this pattern")
        return Named("parquet", tuple(files))
    raise InputError(f"{words}: no such file or folder")


def is_release(path: Path) -> bool:
    """Whether a folder holds a dataset with its manifest, also while a rebuild replaces it."""
    return any((path / name).is_file() for name in (MANIFEST, NEXT))


def _is_data(path: Path) -> bool:
    return not any(part.startswith((".", "_")) for part in path.parts)


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PAR1"
    except OSError as fault:
        raise InputError(f"{path}: cannot be read: {fault.strerror}") from None


def _scheme(words: str) -> str:
    """The scheme of an address in lower case, "" for a path. Raises InputError for one that is not read from."""
    found = _SCHEME.match(words)
    scheme = found[1].lower() if found else ""
    if scheme not in ("", "file", "hf", "s3"):
        raise InputError(
            f"{words}: {scheme}:// is not read from; a release is a folder, hf://datasets/org/name or s3://bucket/prefix"
        )
    return scheme


def is_address(words: str) -> bool:
    """Whether words name a source elsewhere, and no local path."""
    return _scheme(words) in ("hf", "s3")


def local_path(words: str) -> tuple[Path, str | None]:
    """The path of local words (`file://`, too), and the version that they end in; a path that exists as written is one."""
    if _scheme(words) == "file":
        words = unquote(words[len("file://") :].removeprefix("localhost"))
    found = _VERSION.fullmatch(words)
    if found and not Path(words).exists() and Path(found[1]).exists():
        return Path(found[1]), found[2]
    return Path(words), None


def parted(words: str, version: str | None = None) -> tuple[str, str | None]:
    """The source that words name, and which of its releases: as they say after `@`, or as `version` does; not both."""
    scheme = _scheme(words)
    if scheme == "hf":
        repository, said = repository_of(words)
        base = f"hf://{repository}"
    elif scheme == "s3":
        found = _VERSION.fullmatch(words.rstrip("/"))
        base, said = (found[1], found[2]) if found else (words.rstrip("/"), None)
    else:
        path, said = local_path(words)
        base = str(path)
    if said and version and said.removeprefix("v") != version.removeprefix("v"):
        raise InputError(f"{words}: names {said}, and version={version!r} another; give one of them")
    return base, version or said


# ---- which release is meant ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A release where it lies: its files by their names, and what the list of its source says of it."""

    store: Store
    release: Published | None = None
    """The entry of the list; None for a folder, a prefix or a revision that no list was asked about."""
    listing: Releases | None = None

    @property
    def words(self) -> str:
        """What messages call it: a path or an address."""
        return self.store.words

    @property
    def version(self) -> str | None:
        """The version under which it is listed."""
        return self.release.version if self.release else None

    @property
    def folder(self) -> Path | None:
        """The folder that it lies in, if that is a local one."""
        return self.store.path if isinstance(self.store, Folder) else None

    def read(self, path: str) -> bytes:
        """A document of it whole; LoadError for what is too large to be one. Data are read by `chunks`."""
        return self.store.read(path)

    def open(self, path: str) -> BinaryIO:
        """One of its files, to be read once from its start."""
        return self.store.open(path)

    def chunks(self, path: str) -> Iterator[bytes]:
        """One of its files, piece by piece; errors of reading are LoadErrors."""
        return self.store.chunks(path)

    def files(self) -> list[str]:
        """The names of all files that there are, whether the manifest names them or not."""
        return self.store.files()

    def check(self, manifest: Manifest, raw: bytes) -> None:
        """Raise LoadError if a manifest (and its bytes) is not the one that the list of the source names for this release."""
        if self.release is None:
            return
        if manifest.version != self.release.version:
            raise LoadError(
                f"{self.words}: holds release {manifest.version}, where {self.release.version} should be; tell its owner"
            )
        digest = hashlib.sha256(raw).hexdigest()
        if self.release.manifest_sha256 not in ("", digest):
            raise LoadError(f"{self.words}/{MANIFEST}: {other_digest(digest, self.release.manifest_sha256, RELEASES)}")
        if self.release.content_digest not in ("", manifest.content_digest):
            says = other_digest(manifest.content_digest, self.release.content_digest, "list of releases")
            raise LoadError(f"{self.words}/{MANIFEST}: its content {says}")
        for says in contradictions(manifest):  # else that digest would be no more than a claim
            raise LoadError(f"{self.words}/{MANIFEST}: contradicts itself: {says}; tell its owner")


def place(words: str, version: str | None = None, *, options: Mapping[str, Any] | None = None) -> Place:
    """The release that words name, or, of a source with several, the one that `version` or what follows `@` names.

    Words are a release's folder or its manifest's path, a folder with `releases.json`, the same as `file://`, `s3://bucket/prefix`
    of either, or `hf://org/name`. A version is exact (`0.2.0`, `v0.2.0`) or a range (`~=0.2`); without one it is the newest that
    was not yanked; on the Hub any revision will do. `options` go to the store's client (fsspec's storage options).

    Raises InputError for words that name no such place, LoadError if there is no such release, or nobody answers.
    """
    base, wanted = parted(words, version)
    scheme = _scheme(words)
    if scheme == "hf":
        return _in_repository(Repository(base, base.removeprefix("hf://"), options), wanted, strict=version is not None)
    if scheme == "s3":
        return _in_bucket(Bucket(base, options), wanted)
    return _in_folder(words, Path(base), wanted)


def releases_at(words: str, *, options: Mapping[str, Any] | None = None) -> Releases:
    """All releases at a source: a folder or a prefix with `releases.json`, or a repository with tags. Else a LoadError."""
    base, _ = parted(words)
    scheme = _scheme(words)
    if scheme == "hf":
        repository = Repository(base, base.removeprefix("hf://"), options)
        return _tagged(repository, *repository.refs())
    return _read_list(Bucket(base, options) if scheme == "s3" else Folder(Path(base)))


def _in_folder(words: str, path: Path, wanted: str | None) -> Place:
    path = path.parent if path.name == MANIFEST and path.is_file() else path
    if not path.exists():
        raise InputError(f"{words}: no such folder")
    if not path.is_dir():
        raise InputError(f"{words}: is no release; that is a folder with {MANIFEST}")
    if is_release(path):
        called = Path(os.path.abspath(path))  # a link by the name of v0.2.0 is to hold 0.2.0, others what they lead to
        named = called if version_of(called.name) else path.resolve()
        return _alone(Folder(path), named.name, Folder(named.parent), wanted)
    if (path / RELEASES).is_file():
        target = Folder(path)
        listing = _read_list(target)
        chosen = choose(listing, wanted, target.words)
        return Place(Folder(path / folder_of(chosen.version)), chosen, listing)
    raise LoadError(
        f"{words}: is no release: it has no {MANIFEST}; a source of several has {RELEASES}; `dateline rebuild` makes a dataset"
    )


def _in_bucket(target: Bucket, wanted: str | None) -> Place:
    above, _, name = target.words.rpartition("/")
    if version_of(name) and above != "s3:/":
        return _alone(target, name, target.above(), wanted)
    try:
        raw = target.read(RELEASES)
    except UnreachableError:
        raise
    except LoadError:  # S3 tells those who may not list a bucket that they may not read what is not there
        return _alone(target, name, None, wanted)
    listing = read_releases(raw, f"{target.words}/{RELEASES}")
    chosen = choose(listing, wanted, target.words)
    return Place(target.at(folder_of(chosen.version)), chosen, listing)


def _alone(store: Store, name: str, above: Store | None, wanted: str | None) -> Place:
    """A release that was named by its own folder: what a list beside it says, and whether it is the version that is wanted."""
    found = Place(store)
    if (version := version_of(name)) and above is not None:
        try:
            listing = _read_list(above)
        except LoadError:  # it may be published in another way, or be a copy
            pass
        else:
            found = Place(store, listing.of(version), listing)
    if wanted is not None:
        holds = found.version or _version_in(store)
        only = Releases("", [found.release or Published(holds, "", "", "")])
        try:
            choose(only, wanted, store.words)
        except LoadError:
            raise LoadError(f"{store.words}: is release {holds}, and {wanted} was asked for") from None
    return found


def _version_in(store: Store) -> str:
    try:
        said = json.loads(store.read(MANIFEST))["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise LoadError(f"{store.words}/{MANIFEST}: is no manifest") from None
    return str(said)


def _read_list(target: Store) -> Releases:
    return read_releases(target.read(RELEASES), f"{target.words}/{RELEASES}")


def _in_repository(repository: Repository, wanted: str | None, *, strict: bool) -> Place:
    """The release of a tag, or, unless `strict`, of any other revision."""
    if wanted and not strict and not _is_version(wanted):
        return Place(repository.at(wanted, f"{repository.words}@{wanted}"))
    listing = _tagged(repository, *repository.refs())
    try:
        chosen = choose(listing, wanted, repository.words)
    except LoadError:
        if strict or (wanted is None and listing.releases):
            raise
        return Place(repository.at(wanted, f"{repository.words}@{wanted}" if wanted else ""))
    tag = folder_of(chosen.version)
    return Place(repository.at(tag, f"{repository.words}@{tag}"), chosen, listing)


def _is_version(words: str) -> bool:
    return _VERSION.fullmatch(f"x@{words}") is not None


def _tagged(repository: Repository, tags: Mapping[str, str], branches: Mapping[str, str]) -> Releases:
    """Tags as a list of releases; what was taken back stands on main."""
    versions = sorted((version for tag in tags if (version := version_of(tag))), key=numbers)
    said = _said_on_main(repository, branches) if versions else {}
    known = {entry.get("version"): entry for entry in said.get("versions", ())}
    releases = [
        Published(version, entry.get("date", ""), "", entry.get("content_digest", ""), entry.get("yanked"))
        for version in versions
        for entry in [known.get(version, {})]
    ]
    return Releases(repository.name, releases, said.get("retracted", []))


def _said_on_main(repository: Repository, branches: Mapping[str, str]) -> dict[str, Any]:
    """The `versions.json` of the newest commit; nothing where there is none, or one of somebody else's making."""
    try:
        said = json.loads(repository.commit(branches["main"]).read(VERSIONS))
        return said if all(map(is_entry, said["versions"])) and all(map(is_retracted, said["retracted"])) else {}
    except (KeyError, TypeError, ValueError, MissingError):
        return {}


# ---- getting one ---------------------------------------------------------------------------------------------


def manifest_in(found: Place, folder: Path) -> Manifest:
    """The manifest of a release that lies in a local folder, checked against what its source lists.

    Where a rebuild is putting another one in its place, that one may be meant; but never of a release that is published.
    """
    manifest = read_manifest(folder)
    if found.release is not None:
        if (folder / NEXT).exists():
            raise LoadError(f"{folder / NEXT}: is no file of a release that was published; tell its owner")
        found.check(manifest, (folder / MANIFEST).read_bytes())
    return manifest


def card_of(found: Place, manifest: bytes) -> bytes:
    """The card that a manifest elsewhere names; it may lie beside the one before, while that is still in its place."""
    try:
        said = str(json.loads(manifest)["card"]["sha256"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return found.read(CARD)  # what the manifest is, is told elsewhere
    try:
        card = found.read(CARD)
        if hashlib.sha256(card).hexdigest() == said:
            return card
        missing = None
    except MissingError as fault:
        card, missing = b"", fault
    try:
        return found.read(with_digest(CARD, said))
    except LoadError:
        if missing is not None:
            raise missing from None
        return card


def fetch_release(words: str, into: Path, tell: Tell = lambda *_: None) -> Path:
    """The folder of the release that `words` name (see `place`), with every file as its manifest says.

    A local one is used where it lies. Of a remote one the files that the manifest names, and no others, are fetched into `into`,
    which is made if need be. Of a repository one commit is read, whatever is pushed meanwhile.

    Raises InputError for words that name no such place; ReleaseError (a LoadError) if files are not as the manifest says;
    LoadError for all else that keeps the release from being read.
    """
    found = place(words)
    if found.folder is not None:
        manifest = manifest_in(found, found.folder)
        if faults := [fault for fault in check_files(found.folder, manifest, tell) if fault.level == "error"]:
            raise ReleaseError(str(found.folder), faults)
        return found.folder
    try:
        into.mkdir(parents=True, exist_ok=True)
        raw = found.read(MANIFEST)
        (into / MANIFEST).write_bytes(raw)
        (into / CARD).write_bytes(card_of(found, raw))
    except OSError as fault:
        raise LoadError(f"{into}: cannot be written: {fault.strerror}") from None
    try:
        manifest = read_manifest(into)
    except LoadError as fault:  # it names the copy, but the fault is the release's
        raise LoadError(str(fault).replace(str(into), found.words)) from None
    found.check(manifest, (into / MANIFEST).read_bytes())
    fetch_files(found.store, manifest, manifest.paths() - {CARD}, into, tell)
    return into
