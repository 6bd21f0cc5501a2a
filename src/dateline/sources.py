"""Where a dataset to read lies: a folder, a repository on the Hugging Face Hub, or a prefix in an S3 bucket.

A release is its `manifest.json`, the card that it names, and the files that it names. A remote one is fetched file by file, each
checked by size and sha256 while it streams; nothing else in the repository or bucket is looked at. A manifest from elsewhere is
not trusted with names: none may leave the folder. A local one is used where it lies, and its files are checked there.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import unquote

from dateline.errors import InputError, LoadError, printable
from dateline.manifest import CARD, NEXT, VERSIONS, VERSIONS_NEXT, Manifest, read_manifest
from dateline.manifest import NAME as MANIFEST

Tell = Callable[[str, int, int], None]

_CHUNK = 1 << 20
_LARGEST_DOCUMENT = 64 << 20
"""Bytes that a manifest or a card may have; both are read before any digest is known."""
_AT_ONCE = 8
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")  # one letter alone is a drive
_GLOB = re.compile(r"[*?[]")
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))}


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
    if scheme := _scheme(words):
        if words.endswith(".parquet"):
            raise InputError(f"{words}: only whole releases are read from {scheme}://; get the file, and name it here")
        return Named("release")
    path = Path(words)
    if is_release(path) or (path.name == MANIFEST and path.is_file()):
        return Named("release")
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
    if scheme not in ("", "hf", "s3"):
        raise InputError(
            f"{words}: {scheme}:// is not read from; a release is a folder, hf://datasets/org/name or s3://bucket/prefix"
        )
    return scheme


# ---- is it what its manifest names ---------------------------------------------------------------------------


@dataclass(frozen=True)
class FileFault:
    """One file of a dataset that is not as its manifest says. One that is merely not named there is a warning."""

    file: str
    says: str
    level: str = "error"

    def __str__(self) -> str:
        return printable(f"{self.file}: {self.says}")


class ReleaseError(LoadError):
    """A release whose files are not those that its manifest names; `faults` has one entry for each."""

    def __init__(self, where: str, faults: list[FileFault]) -> None:
        self.faults = faults
        more = f" (and {len(faults) - 1} more such files)" if len(faults) > 1 else ""
        super().__init__(f"{where}/{faults[0]}{more}; get the release again")


def check_files(folder: Path, manifest: Manifest, tell: Tell = lambda *_: None) -> list[FileFault]:
    """Compare all files of a dataset in a folder with its manifest, by size and sha256; in the order of names.

    Files that the manifest does not name are warnings, as no reader sees them; those whose names, or whose folders' names, begin
    with `.` are not looked at. Nothing is raised for a file that cannot be read: that, too, is a fault.
    """
    entries = _entries(manifest)
    faults = []
    for number, (path, entry) in enumerate(sorted(entries.items()), 1):
        says = _unsafe(path) or _differs(folder / path, entry)
        if says and path == VERSIONS and not _differs(folder / VERSIONS_NEXT, entry):
            continue  # a rebuild is replacing it, or was killed there
        if says:
            faults.append(FileFault(path, says))
        tell("check files", number, len(entries))
    ours = {*entries, MANIFEST, NEXT, VERSIONS_NEXT}
    for found in sorted(folder.rglob("*")):
        name = found.relative_to(folder)
        if name.as_posix() not in ours and not any(part.startswith(".") for part in name.parts) and not found.is_dir():
            faults.append(FileFault(name.as_posix(), "the manifest does not name it; no reader sees it", "warning"))
    return faults


def _entries(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """What the manifest says of each file that it names."""
    return {file["path"]: file for file in manifest.files()}


def _unsafe(path: str) -> str:
    """Why a name in a manifest is none that a file may be written to, or read from; "" if it is one."""
    parts = path.split("/")
    if (
        not path.isprintable()
        or path.startswith("/")
        or any(c in path for c in '\\:*?"<>|')
        or any(part in ("", ".", "..") or part.endswith((".", " ")) for part in parts)
        or any(part.split(".")[0].upper() in _RESERVED for part in parts)
        or path.casefold() in (MANIFEST, NEXT)
    ):
        return "is no name that a file of a release may have; nothing was read"
    return ""


def _differs(path: Path, entry: dict[str, Any]) -> str:
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size != entry["bytes"]:
                return _other_size(size, entry["bytes"])
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return "no such file, but the manifest names it"
    except OSError as fault:
        return f"cannot be read: {fault.strerror}"
    return "" if digest == entry["sha256"] else _other_digest(digest, entry["sha256"])


def _other_size(size: int, said: int) -> str:
    return f"has {size:,} bytes, but the manifest says {said:,} ({'cut short' if size < said else 'changed'}?)"


def _other_digest(digest: str, said: str) -> str:
    return f"has been changed: sha256 is {digest[:12]}..., but the manifest says {said[:12]}..."


# ---- getting one ---------------------------------------------------------------------------------------------


def fetch_release(words: str, into: Path, tell: Tell = lambda *_: None) -> Path:
    """The folder of the release that `words` name, with every file as its manifest says.

    `words` are a folder with a manifest, or the manifest's own path: the folder is used as it is. Or they are
    `hf://datasets/org/name`, `hf://org/name`, either with `@revision`, or `s3://bucket/prefix`: the files that the manifest
    names, and no others, are fetched into `into`, which is made if need be. Of a repository one commit is read, whatever is
    pushed meanwhile.

    Raises InputError for words that name no such place; ReleaseError (a LoadError) if files are not as the manifest says;
    LoadError for all else that keeps the release from being read.
    """
    scheme = _scheme(words)
    if not scheme:
        return _local(words, tell)
    words = words.rstrip("/")
    with _told(words, words):
        store = _hub(words) if scheme == "hf" else _bucket(words)
    try:
        into.mkdir(parents=True, exist_ok=True)
        for name in (MANIFEST, CARD):
            (into / name).write_bytes(_document(words, store, name))
    except OSError as fault:
        raise LoadError(f"{into}: cannot be written: {fault.strerror}") from None
    try:
        manifest = read_manifest(into)
    except LoadError as fault:  # it names the copy, but the fault is the release's
        raise LoadError(str(fault).replace(str(into), words)) from None
    _fetch_files(words, store, manifest, into, tell)
    return into


def _local(words: str, tell: Tell) -> Path:
    path = Path(words)
    folder = path.parent if path.name == MANIFEST and path.is_file() else path
    if not folder.exists():
        raise InputError(f"{words}: no such folder")
    if not folder.is_dir():
        raise InputError(f"{words}: is no release; that is a folder with {MANIFEST}")
    if not is_release(folder):
        raise LoadError(f"{words}: is no release: it has no {MANIFEST}")
    manifest = read_manifest(folder)
    faults = [fault for fault in check_files(folder, manifest, tell) if fault.level == "error"]
    if faults:
        raise ReleaseError(str(folder), faults)
    return folder


def _fetch_files(words: str, store: _Store, manifest: Manifest, into: Path, tell: Tell) -> None:
    entries = {path: entry for path, entry in sorted(_entries(manifest).items()) if path != CARD}
    strange = [FileFault(path, says) for path in entries if (says := _unsafe(path))]
    folded = [path.casefold() for path in (*entries, CARD)]
    strange += [FileFault(path, "the manifest names it twice") for path in entries if folded.count(path.casefold()) > 1]
    if strange:
        raise ReleaseError(words, strange)
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fetch")
    try:
        fetched = pool.map(lambda item: _fetch(words, store, item[0], item[1], into), entries.items())
        for number, _ in enumerate(fetched, 1):
            tell("fetch", number, len(entries))
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch(words: str, store: _Store, path: str, entry: dict[str, Any], into: Path) -> None:
    """Stream one file to its place; no more is written than the manifest says that it has."""
    target = into / path
    digest = hashlib.sha256()
    size = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        out = target.open("wb")
    except OSError as fault:
        raise LoadError(f"{target}: cannot be written: {fault.strerror}") from None
    with out:
        for chunk in _chunks(words, store, path):
            size += len(chunk)
            if size > entry["bytes"]:
                raise ReleaseError(words, [FileFault(path, f"has more than the {entry['bytes']:,} bytes that the manifest says")])
            digest.update(chunk)
            try:
                out.write(chunk)
            except OSError as fault:
                raise LoadError(f"{target}: cannot be written: {fault.strerror}") from None
    if size != entry["bytes"]:
        raise ReleaseError(words, [FileFault(path, _other_size(size, entry["bytes"]))])
    if digest.hexdigest() != entry["sha256"]:
        raise ReleaseError(words, [FileFault(path, _other_digest(digest.hexdigest(), entry["sha256"]))])


def _document(words: str, store: _Store, name: str) -> bytes:
    found = bytearray()
    for chunk in _chunks(words, store, name):
        found += chunk
        if len(found) > _LARGEST_DOCUMENT:
            raise LoadError(f"{words}/{name}: has more than {_LARGEST_DOCUMENT >> 20} MiB; that is none of a release")
    return bytes(found)


def _chunks(words: str, store: _Store, path: str) -> Iterator[bytes]:
    with _told(words, f"{words}/{path}", store, path), store.open(path) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


# ---- the stores ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Store:
    """A place that files are read from: an fsspec file system and what stands before their names in it."""

    open: Callable[[str], BinaryIO]
    explain: Callable[[], str]
    """Why there is no manifest: asked only then."""
    login: str


def _hub(words: str) -> _Store:
    found = re.fullmatch(r"hf://(?:datasets/)?([\w.-]+/[\w.-]+)(?:@([^@]+))?/?", words, re.IGNORECASE)
    if not found:
        raise InputError(f"{words}: names no dataset; write hf://datasets/org/name or hf://datasets/org/name@revision")
    try:
        from huggingface_hub import HfApi, HfFileSystem
        from huggingface_hub.errors import RevisionNotFoundError
    except ImportError:
        raise LoadError(f"{words}: needs the package huggingface_hub: pip install huggingface_hub") from None
    repository, revision = found[1], unquote(found[2].rstrip("/")) if found[2] else None
    api = HfApi()
    try:
        commit = api.dataset_info(repository, revision=revision).sha
    except RevisionNotFoundError:
        refs = api.list_repo_refs(repository, repo_type="dataset")
        names = [ref.name for ref in (*refs.tags, *refs.branches)]
        there = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        raise LoadError(f"{words}: {repository} has no revision {revision!r}; it has {there}") from None
    files = HfFileSystem(skip_instance_cache=True)

    def opened(path: str) -> BinaryIO:
        return files.open(f"datasets/{repository}@{commit}/{path}", "rb", block_size=0)  # type: ignore[no-any-return]

    def explain() -> str:
        return f"{words}: is no release: the dataset {repository} has no {MANIFEST} at {revision or 'main'}"

    return _Store(opened, explain, "log in with `hf auth login`, or set HF_TOKEN")


def _bucket(words: str) -> _Store:
    bucket, _, prefix = words[len("s3://") :].strip("/").partition("/")
    if not bucket:
        raise InputError(f"{words}: names no bucket; write s3://bucket/prefix")
    try:
        import s3fs
    except ImportError:
        raise LoadError(f"{words}: reading from S3 needs the package s3fs: pip install 'dateline[s3]'") from None
    root = f"{bucket}/{prefix}".rstrip("/")
    files = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)

    def opened(path: str) -> BinaryIO:
        return files.open(f"{root}/{path}", "rb", block_size=8 * _CHUNK, cache_type="readahead")  # type: ignore[no-any-return]

    def explain() -> str:
        try:
            files.call_s3("head_bucket", Bucket=bucket)
        except FileNotFoundError:
            return f"{words}: there is no bucket {bucket!r}"
        except Exception:  # who may not look at the bucket may still not find a manifest
            pass
        return f"{words}: is no release: there is no {MANIFEST} in s3://{root}"

    return _Store(opened, explain, "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, of one who may read it")


@contextmanager
def _told(words: str, what: str, store: _Store | None = None, path: str = "") -> Iterator[None]:
    """Whatever a store's client raises, as a LoadError of one line."""
    try:
        yield
    except (InputError, LoadError):
        raise
    except Exception as fault:  # the clients' errors are of no one family: OSError, httpx, botocore
        raise LoadError(_line(words, what, store, path, fault)) from None


def _line(words: str, what: str, store: _Store | None, path: str, fault: Exception) -> str:
    kinds = {kind.__name__ for kind in type(fault).__mro__}
    status = getattr(getattr(fault, "response", None), "status_code", None)
    if "OfflineModeIsEnabled" in kinds:
        return f"{what}: cannot be read, as HF_HUB_OFFLINE is set; unset it, or name a folder that holds the release"
    if "GatedRepoError" in kinds:
        return f"{what}: its owner asks who reads it; accept the terms on its page, and log in with `hf auth login`"
    if "RepositoryNotFoundError" in kinds:
        return f"{what}: there is no such dataset on the Hub, or none that you may see; log in with `hf auth login`"
    if isinstance(fault, FileNotFoundError) or "EntryNotFoundError" in kinds:
        return store.explain() if store and path == MANIFEST else f"{what}: no such file, but a release has it"
    if isinstance(fault, PermissionError) or status in (401, 403) or "NoCredentialsError" in kinds:
        login = store.login if store else "log in with `hf auth login`, or set HF_TOKEN"
        return f"{what}: may not be read with these credentials; {login}"
    said = re.sub(r"\?\S+", "?...", str(fault).strip().split("\n")[0])  # signed addresses carry secrets
    return printable(f"{what}: cannot be read: {type(fault).__name__}{': ' + said if said else ''}")
