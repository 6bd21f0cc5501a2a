"""Objects of S3, or of a store that speaks its language, read and written by single requests, each checked by the store.

An object is put with its sha256, so that one that was cut short on its way is refused, and under a condition: that there is none
(`If-None-Match: *`), or that it still is as it was read (`If-Match`). What the store refuses for a moment is asked again.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import io
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from threading import Lock
from typing import IO, Any, cast

from dateline.errors import PublishError, UsageError, in_one_line
from dateline.patience import MOMENTARY, patiently, seconds_in

PART = 64 << 20
"""Bytes from which on a file is sent in parts of that size."""
_CHUNK = 1 << 20
_AGAIN = {"BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch", "RequestTimeout", "InternalError", "SlowDown",
          "ServiceUnavailable", "RequestTimeTooSkewed", "OperationAborted", "ConditionalRequestConflict"}  # fmt: skip


class ExistsError(Exception):
    """A condition of a write does not hold: an object is there, or another than was read."""


@dataclass(frozen=True)
class Listed:
    """What a list says of an object: its bytes, and when it was put."""

    bytes: int
    modified: datetime.datetime


class Objects:
    """The objects of the bucket that `words` name; keys are whole, `prefix` ("" or `a/b/`) among them.

    `doing` and `again` fill what its errors say: what needs the package, and what goes on from here.
    """

    def __init__(self, words: str, *, doing: str, again: str) -> None:
        self.words = words.rstrip("/")
        self._doing, self._again = doing, again
        self.bucket, _, prefix = self.words[len("s3://") :].strip("/").partition("/")
        if not self.bucket:
            raise UsageError(f"{words}: names no bucket; write s3://bucket/prefix")
        self.prefix = f"{prefix}/" if prefix else ""
        self.requests = 0
        self._counting = Lock()

    def connect(self) -> None:
        """Get a client; nothing is asked of the store. Raises PublishError without the package for it."""
        try:
            import s3fs
        except ImportError:
            raise PublishError(f"{self.words}: {self._doing} S3 needs the package s3fs: pip install 'dateline[s3]'") from None

        once = {"retries": {"mode": "standard", "total_max_attempts": 1}}  # `patiently` asks again
        self._files = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False, config_kwargs=once)
        self._files.retries = 1

    @contextmanager
    def told(self) -> Iterator[None]:
        """Whatever the client raises, as a PublishError of one line."""
        with in_one_line(self._line):
            yield

    # ---- reading -----------------------------------------------------------------------------------------------

    def sizes(self, home: str) -> dict[str, int]:
        """The bytes of each object whose key begins with `home`, under the rest of its key."""
        return {path: one.bytes for path, one in self.listed(home).items()}

    def listed(self, home: str) -> dict[str, Listed]:
        """What the store's list says of each object whose key begins with `home`, under the rest of its key."""
        found: dict[str, Listed] = {}
        more: dict[str, str] = {}
        while True:
            page = self.call("list_objects_v2", Prefix=home, **more)
            for entry in page.get("Contents", ()):
                found[entry["Key"][len(home) :]] = Listed(entry["Size"], entry["LastModified"])
            if not page.get("IsTruncated"):
                return found
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def digest(self, key: str) -> str:
        """The sha256 of an object: as the store checked it when it came, else as it reads."""
        about = self.call("head_object", Key=key, ChecksumMode="ENABLED")
        said = about.get("ChecksumSHA256", "")
        # of what came in parts it is a sum of theirs; some stores give it without the hyphen that says so
        if said and "-" not in said and "-" not in about["ETag"] and about.get("ChecksumType") != "COMPOSITE":
            return base64.b64decode(said).hex()
        with tempfile.TemporaryFile() as copy:
            self.stream(key, copy)
            copy.seek(0)
            return hashlib.file_digest(cast(BufferedReader, copy), "sha256").hexdigest()

    def read(self, key: str) -> bytes | None:
        """A small object whole; None where there is none."""
        return self.read_with_tag(key)[0]

    def read_with_tag(self, key: str) -> tuple[bytes | None, str | None]:
        """The same, with the tag that a later write may name as its condition."""
        out = io.BytesIO()
        try:
            tag = self.stream(key, out)
        except FileNotFoundError:
            return None, None
        return out.getvalue(), tag

    def stream(self, key: str, out: IO[bytes]) -> str:
        """Read an object into a file, from its start again if the line breaks; its tag."""
        import fsspec.asyn

        async def copy() -> str:
            found = await self._files._call_s3("get_object", Bucket=self.bucket, Key=key)
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

    # ---- writing -----------------------------------------------------------------------------------------------

    def put(self, key: str, raw: bytes, tag: str | None = None) -> None:
        """Put a small object, where there is none yet, or in the place of the one with that tag. Raises ExistsError else."""
        condition = _create() if tag is None else {"IfMatch": tag}
        self.call("put_object", Key=key, Body=raw, **condition, **_checked(hashlib.sha256(raw).hexdigest()))

    def put_file(self, key: str, file: Path, digest: str) -> None:
        """Put a file, of which the sha256 is known, where there is none yet. Raises ExistsError where there is."""
        if file.stat().st_size < PART:
            self.call("put_object", Key=key, Body=file.read_bytes(), **_create(), **_checked(digest))
        else:
            self._in_parts(key, file)

    def copy(self, source: str, key: str, digest: str) -> bool:
        """Let the store copy an object to where there is none; whether the right one is there now. A wrong one is not copied."""
        words = {"CopySource": {"Bucket": self.bucket, "Key": source}, "ChecksumAlgorithm": "SHA256"}
        try:
            if self.digest(source) != digest:
                return False
            said = self.call("copy_object", Key=key, **words, **_create()).get("CopyObjectResult", {})
        except FileNotFoundError:
            return False
        except ExistsError:
            said = {}
        return bool(said.get("ChecksumSHA256") == _checked(digest)["ChecksumSHA256"] or self.digest(key) == digest)

    def remove(self, key: str) -> None:
        """Remove an object; that there is none is no fault."""
        self.call("delete_object", Key=key)

    def _in_parts(self, key: str, file: Path) -> None:
        upload = self.call("create_multipart_upload", Key=key, ChecksumAlgorithm="SHA256")["UploadId"]
        named: dict[str, Any] = {"Key": key, "UploadId": upload}
        try:
            parts: list[dict[str, Any]] = []
            with file.open("rb") as stream:
                while chunk := stream.read(PART):
                    number, check = len(parts) + 1, _checked(hashlib.sha256(chunk).hexdigest())
                    made = self.call("upload_part", PartNumber=number, Body=chunk, **named, **check)
                    parts.append({"PartNumber": number, "ETag": made["ETag"], "ChecksumSHA256": check["ChecksumSHA256"]})
            self.call("complete_multipart_upload", MultipartUpload={"Parts": parts}, **named, **_create())
        except BaseException:
            with suppress(Exception):  # then it stays unseen, until a rule of the bucket sweeps it
                self.call("abort_multipart_upload", **named)
            raise

    # ---- single requests ---------------------------------------------------------------------------------------

    def call(self, name: str, **words: Any) -> dict[str, Any]:
        """One request, asked again while the store is busy or the line is bad. Raises ExistsError where its condition fails."""

        def ask() -> dict[str, Any]:
            self._tick()
            return self._files.call_s3(name, Bucket=self.bucket, **words)  # type: ignore[no-any-return]

        try:
            return patiently(ask, _is_momentary, _asked_to_wait)
        except Exception as fault:
            if _status(fault) == 412 or _code(fault) == "PreconditionFailed":
                raise ExistsError from None
            raise

    def _tick(self) -> None:
        with self._counting:
            self.requests += 1

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
            return f"{self.words}: there is no bucket {self.bucket!r}; make it first, or name another"
        if _status(fault) == 501 or _code(fault) == "NotImplemented":
            return f"{self.words}: this store knows no conditional writes (If-None-Match); without them, files could be replaced"
        return f"{self.words}: {type(fault).__name__}: {str(fault).strip()}; {self._again} goes on from here"


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
