"""A bucket of S3, or of a store that speaks its language, as a target: `prefix/v0.2.0/...`, and `prefix/releases.json` last.

Every object is put with `If-None-Match: *`, so that none is replaced, and with its sha256, so that one that was cut short on its
way is refused by the store. What another release there has already is copied by the store. `releases.json` is replaced only as it
was read (`If-Match`), else it is read again: of two who publish at once, none loses what it said.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from threading import Lock
from typing import IO, Any, cast

from dateline.errors import DatelineError, PublishError, RefusedError, UsageError, redacted
from dateline.layout import RELEASES, folder_of, read_releases
from dateline.manifest import CARD
from dateline.manifest import NAME as MANIFEST
from dateline.targets import About, Release, Sent, Tell, There, in_order
from dateline.targets.patience import MOMENTARY, patiently, seconds_in
from dateline.targets.pointer import Pointer, may_follow

PART = 64 << 20
"""Bytes from which on a file is sent in parts of that size."""
_CHUNK = 1 << 20
_COPY_LIMIT = 5 << 30
_AT_ONCE = 8
_FLIPS = 20
"""How often `releases.json` is read again because somebody else replaced it."""
_AGAIN = {"BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch", "RequestTimeout", "InternalError", "SlowDown",
          "ServiceUnavailable", "RequestTimeTooSkewed", "OperationAborted", "ConditionalRequestConflict"}  # fmt: skip


class Bucket:
    """A target in an object store."""

    def __init__(self, words: str) -> None:
        self.words = words.rstrip("/")
        self._bucket, _, prefix = self.words[len("s3://") :].strip("/").partition("/")
        if not self._bucket:
            raise UsageError(f"{words}: names no bucket; write s3://bucket/prefix")
        self._prefix = f"{prefix}/" if prefix else ""
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
            self._connect()
            self._same = self._of_the_newest(release)
            home = self._key(release, "")
            sizes = self._list(home)
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                digests = dict(zip(sizes, pool.map(lambda path: self._digest(home + path), sizes), strict=True))
            manifest = self._read(home + MANIFEST) if MANIFEST in sizes else None
            return There(digests, manifest, frozenset(self._same))

    def _of_the_newest(self, release: Release) -> dict[str, str]:
        """The keys of files of the newest other release there, by their digests."""
        raw = self._read(self._prefix + RELEASES)
        if raw is None:
            return {}
        before = read_releases(raw, f"{self.words}/{RELEASES}")
        may_follow(before, release.manifest.name, release.version, release.manifest.content_digest, self.words)
        others = [one.version for one in before.releases if one.version != release.version]
        if not others:
            return {}
        home = f"{self._prefix}{folder_of(others[-1])}/"
        try:
            said = json.loads(self._read(home + MANIFEST) or b"{}")
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
        if source and size <= _COPY_LIMIT and self._copy(source, key, digest):
            self._count(self.sent.reused, path)
            return
        try:
            if size < PART:
                self._call("put_object", Key=key, Body=(release.folder / path).read_bytes(), **_create(), **_checked(digest))
            else:
                self._in_parts(key, release.folder / path)
        except _Exists:  # another publisher was here, or an answer of ours was lost on its way
            if self._digest(key) != digest:
                raise RefusedError(
                    f"{self.words}/{folder_of(release.version)}/{path}: has come to be there meanwhile, with other bytes; "
                    "nothing is replaced"
                ) from None
        self._count(self.sent.files, path, size)

    def _copy(self, source: str, key: str, digest: str) -> bool:
        """Let the store copy a file; whether the right one is there now. A wrong one is not copied."""
        words = {"CopySource": {"Bucket": self._bucket, "Key": source}, "ChecksumAlgorithm": "SHA256"}
        try:
            if self._digest(source) != digest:
                return False
            said = self._call("copy_object", Key=key, **words, **_create()).get("CopyObjectResult", {}).get("ChecksumSHA256")
        except FileNotFoundError:
            return False
        except _Exists:
            said = None
        return said == _checked(digest)["ChecksumSHA256"] or self._digest(key) == digest

    def _in_parts(self, key: str, file: Path) -> None:
        upload = self._call("create_multipart_upload", Key=key, ChecksumAlgorithm="SHA256")["UploadId"]
        named: dict[str, Any] = {"Key": key, "UploadId": upload}
        try:
            parts: list[dict[str, Any]] = []
            with file.open("rb") as stream:
                while chunk := stream.read(PART):
                    number, check = len(parts) + 1, _checked(hashlib.sha256(chunk).hexdigest())
                    made = self._call("upload_part", PartNumber=number, Body=chunk, **named, **check)
                    parts.append({"PartNumber": number, "ETag": made["ETag"], "ChecksumSHA256": check["ChecksumSHA256"]})
            self._call("complete_multipart_upload", MultipartUpload={"Parts": parts}, **named, **_create())
        except BaseException:
            with suppress(Exception):  # then it stays unseen, until a rule of the bucket sweeps it
                self._call("abort_multipart_upload", **named)
            raise

    def flip(self, release: Release, pointer: Pointer) -> None:
        """Replace `releases.json` as it was read; if somebody else was faster, read it again."""
        key = self._prefix + RELEASES
        with self._told():
            for _ in range(_FLIPS):
                raw, tag = self._read_with_tag(key)
                before = None if raw is None else read_releases(raw, f"{self.words}/{RELEASES}")
                new = pointer.after(before, self.words).encode()
                if new == raw:
                    return
                try:
                    condition = _create() if tag is None else {"IfMatch": tag}
                    self._call("put_object", Key=key, Body=new, **condition, **_checked(hashlib.sha256(new).hexdigest()))
                    self.sent.done.append(RELEASES)
                    return
                except _Exists:
                    continue
        raise PublishError(f"{self.words}/{RELEASES}: others replaced it {_FLIPS} times meanwhile; publish again")

    def fetch(self, release: Release, path: str, to: Path) -> None:
        """Bring a file of the version back; from its start again, if the line breaks."""
        with self._told(), to.open("wb") as out:
            self._stream(self._key(release, path), out)

    # ---- single requests ---------------------------------------------------------------------------------------

    def _key(self, release: Release, path: str) -> str:
        return f"{self._prefix}{folder_of(release.version)}/{path}"

    def _connect(self) -> None:
        try:
            import s3fs
        except ImportError:
            raise PublishError(f"{self.words}: publishing to S3 needs the package s3fs: pip install 'dateline[s3]'") from None

        once = {"retries": {"mode": "standard", "total_max_attempts": 1}}  # `patiently` asks again
        self._files = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False, config_kwargs=once)
        self._files.retries = 1

    def _call(self, name: str, **words: Any) -> dict[str, Any]:
        """One request, asked again while the store is busy or the line is bad. Raises _Exists where a condition does not hold."""

        def ask() -> dict[str, Any]:
            self._tick()
            return self._files.call_s3(name, Bucket=self._bucket, **words)  # type: ignore[no-any-return]

        try:
            return patiently(ask, _is_momentary, _asked_to_wait)
        except Exception as fault:
            if _status(fault) == 412 or _code(fault) == "PreconditionFailed":
                raise _Exists from None
            raise

    def _list(self, home: str) -> dict[str, int]:
        found: dict[str, int] = {}
        more: dict[str, str] = {}
        while True:
            page = self._call("list_objects_v2", Prefix=home, **more)
            found |= {entry["Key"][len(home) :]: entry["Size"] for entry in page.get("Contents", ())}
            if not page.get("IsTruncated"):
                return found
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def _digest(self, key: str) -> str:
        """The sha256 of an object: as the store checked it when it came, else as it reads."""
        said = self._call("head_object", Key=key, ChecksumMode="ENABLED").get("ChecksumSHA256", "")
        if said and "-" not in said:  # with a hyphen it is one of parts
            return base64.b64decode(said).hex()
        with tempfile.TemporaryFile() as copy:
            self._stream(key, copy)
            copy.seek(0)
            return hashlib.file_digest(cast(BufferedReader, copy), "sha256").hexdigest()

    def _read(self, key: str) -> bytes | None:
        return self._read_with_tag(key)[0]

    def _read_with_tag(self, key: str) -> tuple[bytes | None, str | None]:
        out = io.BytesIO()
        try:
            tag = self._stream(key, out)
        except FileNotFoundError:
            return None, None
        return out.getvalue(), tag

    def _stream(self, key: str, out: IO[bytes]) -> str:
        """Read an object into a file, from its start again if the line breaks; its tag."""
        import fsspec.asyn

        async def copy() -> str:
            found = await self._files._call_s3("get_object", Bucket=self._bucket, Key=key)
            out.seek(0)
            async with found["Body"] as stream:
                while chunk := await stream.read(_CHUNK):
                    out.write(chunk)
            out.truncate()
            return str(found["ETag"])

        def ask() -> str:
            self._tick()
            return cast(str, fsspec.asyn.sync(self._files.loop, copy))

        return patiently(ask, _is_momentary, _asked_to_wait)

    def _tick(self) -> None:
        with self._counting:
            self.sent.requests = (self.sent.requests or 0) + 1

    def _count(self, where: list[str], path: str, size: int = 0) -> None:
        with self._counting:
            where.append(path)
            self.sent.bytes += size

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever the client raises, as one line."""
        try:
            yield
        except DatelineError:
            raise
        except Exception as fault:
            raise PublishError(redacted(self._line(fault))) from None

    def _line(self, fault: Exception) -> str:
        kinds, login = (
            {kind.__name__ for kind in type(fault).__mro__},
            "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
        if "NoCredentialsError" in kinds:
            return f"{self.words}: there are no credentials; set {login}, of one who may write there"
        if isinstance(fault, PermissionError) or _status(fault) in (401, 403):
            return f"{self.words}: may not be written with these credentials; set {login}, of one who may write there"
        if _code(fault) == "NoSuchBucket":
            return f"{self.words}: there is no bucket {self._bucket!r}; make it first, or name another"
        if _status(fault) == 501 or _code(fault) == "NotImplemented":
            return f"{self.words}: this store knows no conditional writes (If-None-Match); without them, files could be replaced"
        return f"{self.words}: {type(fault).__name__}: {str(fault).strip()}; publishing again goes on from here"


class _Exists(Exception):
    """A condition of a write does not hold: an object is there, or another than was read."""


def _create() -> dict[str, str]:
    return {"IfNoneMatch": "*"}


def _checked(digest: str) -> dict[str, str]:
    return {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": base64.b64encode(bytes.fromhex(digest)).decode()}


def _answers(fault: BaseException | None) -> Iterable[dict[str, Any]]:
    """What the store said, in the error and in those that it came from: s3fs wraps botocore's in an OSError."""
    while fault is not None:
        if isinstance(said := getattr(fault, "response", None), dict):
            yield said
        fault = fault.__cause__ or fault.__context__


def _code(fault: BaseException) -> str:
    return next((str(said.get("Error", {}).get("Code", "")) for said in _answers(fault)), "")


def _status(fault: BaseException) -> int:
    return next((int(said.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) for said in _answers(fault)), 0)


def _is_momentary(fault: BaseException) -> bool:
    if any(True for _ in _answers(fault)):
        return _status(fault) in MOMENTARY or _code(fault) in _AGAIN
    broken = {"HTTPClientError", "ConnectionError", "TimeoutError", "IncompleteRead", "ResponseParserError", "ClientPayloadError"}
    return bool(broken & {kind.__name__ for kind in type(fault).__mro__})


def _asked_to_wait(fault: BaseException) -> float | None:
    headers: dict[str, str] = next((said.get("ResponseMetadata", {}).get("HTTPHeaders", {}) for said in _answers(fault)), {})
    return seconds_in(headers.get("retry-after"))
