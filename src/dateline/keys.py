"""Keys that releases are signed with: Ed25519 pairs, a private one that nobody sees, a public one that everybody may have.

A private key is a PKCS #8 file in PEM, encrypted where DATELINE_KEY_PASSPHRASE is set; a public one is a SubjectPublicKeyInfo in
PEM: openssl reads both. A fingerprint is over the 32 bytes of the public key alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from dateline.errors import InputError

PASSPHRASE = "DATELINE_KEY_PASSPHRASE"
_LARGEST = 1 << 16
_BYTES = 32


class PublicKey:
    """What a signature is checked with."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self.raw = key.public_bytes_raw()
        digest = base64.b64encode(hashlib.sha256(self.raw).digest()).decode().rstrip("=")
        self.fingerprint = f"SHA256:{digest}"
        """Of the 32 bytes of the key, written as ssh-keygen writes one."""

    def pem(self) -> bytes:
        """The key as a file."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the private key of this one signed the message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class PrivateKey:
    """What a release is signed with; nothing prints it."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    def sign(self, message: bytes) -> bytes:
        """The signature of a message; the same each time."""
        return self._key.sign(message)

    def pem(self) -> bytes:
        """The key as a file, for `generate` alone; encrypted where a passphrase is set."""
        passphrase = _passphrase()
        how: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


def default_path(name: str) -> Path:
    """Where the private key of a project lies if nothing else is said: in the folder that the system has for settings."""
    if sys.platform == "win32":
        home = os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming"
    else:
        home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "dateline" / f"{name}.key"


def generate(path: Path) -> PublicKey:
    """Make a pair: the private key at `path`, for its owner alone, the public one beside it under the same name with `.pub`.

    Raises InputError for a path inside a project, where it would be committed or published one day, and for one where there is
    something already.
    """
    _outside_of_projects(path)
    public_path = path.with_name(f"{path.name}.pub")
    for there in (path, public_path):
        if os.path.lexists(there):
            raise InputError(f"{there}: is there already; a key is never overwritten, as what it signed would have no key left")
    key = PrivateKey(Ed25519PrivateKey.generate())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path, key.pem(), 0o600)
        try:
            _create(public_path, key.public.pem(), 0o644)
        except OSError:
            path.unlink()  # nobody has used it, and it would keep the next attempt from its place
            raise
    except OSError as fault:
        raise InputError(f"{fault.filename or path}: cannot be written: {fault.strerror}") from None
    return key.public


def read_private_key(path: Path) -> PrivateKey:
    """A private key that `generate` made. Raises InputError, in which nothing of the file stands."""
    raw = _read(path)
    if b"BEGIN PUBLIC KEY" in raw:
        raise InputError(f"{path}: is a public key; a release is signed with the private one, {path.name.removesuffix('.pub')}")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise InputError(f"{path}: others may read this private key; run chmod 600 {path}")
    passphrase = _passphrase()
    if b"ENCRYPTED" in raw and not passphrase:
        raise InputError(f"{path}: is encrypted; give its passphrase in the environment variable {PASSPHRASE}")
    try:
        key = load_pem_private_key(raw, passphrase if b"ENCRYPTED" in raw else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        why = f"or {PASSPHRASE} is not its passphrase" if b"ENCRYPTED" in raw else "a PKCS #8 file in PEM"
        raise InputError(f"{path}: is no private key, {why}; dateline keygen makes one") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path}: is no Ed25519 key; dateline keygen makes one")
    return PrivateKey(key)


def read_public_key(words: str | Path) -> PublicKey:
    """A public key: a file in PEM, or its 32 bytes in base64. Raises InputError for what is none."""
    path = Path(words)
    if not os.path.lexists(path) and (raw := _base64(str(words))):
        return PublicKey(Ed25519PublicKey.from_public_bytes(raw))
    if not str(words).strip() or "\n" in str(words):
        raise InputError("a public key is given as its file in PEM, or as its 32 bytes in base64")
    raw = _read(path)
    if b"PRIVATE KEY" in raw:
        raise InputError(f"{path}: is a private key; give the public one, {path.name}.pub, and keep this one to yourself")
    if found := _base64(raw.decode("ascii", errors="replace").strip()):
        return PublicKey(Ed25519PublicKey.from_public_bytes(found))
    try:
        key = load_pem_public_key(raw)
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(f"{path}: is no public key: a file in PEM, or 32 bytes in base64") from None
    if not isinstance(key, Ed25519PublicKey):
        raise InputError(f"{path}: is no Ed25519 key, which is what releases are signed with")
    return PublicKey(key)


def _base64(words: str) -> bytes | None:
    try:
        raw = base64.b64decode(words, validate=True)
    except (ValueError, binascii.Error):
        return None
    return raw if len(raw) == _BYTES else None


def _passphrase() -> bytes:
    return os.environ.get(PASSPHRASE, "").encode()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as fault:
        raise InputError(f"{path}: cannot be read: {fault.strerror}") from None


def _outside_of_projects(path: Path) -> None:
    for folder in path.resolve().parents:
        try:
            inside = b"[tool.dateline" in (folder / "pyproject.toml").read_bytes()
        except OSError:
            continue
        if inside:
            raise InputError(f"{path}: lies in the project {folder}; a private key is kept where nobody commits or publishes it")


def _create(path: Path, raw: bytes, mode: int) -> None:
    """A new file, of that mode before anything is in it; never one that is there, never through a link. Whole, or not there."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise
