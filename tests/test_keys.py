"""Keys that releases are signed with: who may read them, where they may lie, what is said of them."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import stat
from pathlib import Path

import pytest

from building import ProjectFolder
from conftest import Run
from dateline.errors import InputError
from dateline.keys import PASSPHRASE, default_path, generate, read_private_key, read_public_key

posix = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")


@posix
def test_only_its_owner_reads_a_private_key_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        generate(tmp_path / "new" / "a.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new" / "a.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


@posix
def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    generate(tmp_path / "a.key")
    (tmp_path / "a.key").chmod(0o644)
    with pytest.raises(InputError, match="others may read this private key; run chmod 600"):
        read_private_key(tmp_path / "a.key")


@pytest.mark.parametrize("there", ["a.key", "a.key.pub"])
def test_a_key_is_never_overwritten(there: str, tmp_path: Path) -> None:
    (tmp_path / there).write_text("mine")
    with pytest.raises(InputError, match=f"{there}: is there already"):
        generate(tmp_path / "a.key")
    assert (tmp_path / there).read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


@posix
def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "a.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="is there already"):
        generate(tmp_path / "a.key")
    assert not (tmp_path / "elsewhere").exists()


def test_no_key_is_made_inside_a_project(folder: ProjectFolder) -> None:
    for path in (folder.root / "a.key", folder.root / "seeds" / "deep" / "a.key"):
        with pytest.raises(InputError, match="lies in the project"):
            generate(path)
        assert not path.exists()


def test_the_fingerprint_is_over_the_bytes_of_the_public_key(tmp_path: Path) -> None:
    key = generate(tmp_path / "a.key")
    digest = base64.b64encode(hashlib.sha256(key.raw).digest()).decode().rstrip("=")
    assert key.fingerprint == f"SHA256:{digest}" and len(key.raw) == 32


def test_a_public_key_is_read_from_its_file_and_from_its_bytes_in_base64(tmp_path: Path) -> None:
    key = generate(tmp_path / "a.key")
    assert read_public_key(tmp_path / "a.key.pub").raw == key.raw
    assert read_public_key(base64.b64encode(key.raw).decode()).raw == key.raw
    signature = read_private_key(tmp_path / "a.key").sign(b"x")
    assert key.verifies(signature, b"x") and not key.verifies(signature, b"y")


def test_a_private_key_given_as_a_public_one_is_refused_without_a_word_of_it(tmp_path: Path) -> None:
    generate(tmp_path / "a.key")
    with pytest.raises(InputError, match=r"is a private key; give the public one, a\.key\.pub") as fault:
        read_public_key(tmp_path / "a.key")
    assert not _secrets(tmp_path / "a.key") & set(str(fault.value).split())


def test_a_passphrase_comes_from_the_environment_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSPHRASE, "correct horse")
    key = generate(tmp_path / "a.key")
    assert b"ENCRYPTED" in (tmp_path / "a.key").read_bytes()
    assert read_private_key(tmp_path / "a.key").public.raw == key.raw
    monkeypatch.setenv(PASSPHRASE, "wrong horse")
    with pytest.raises(InputError, match=f"or {PASSPHRASE} is not its passphrase") as fault:
        read_private_key(tmp_path / "a.key")
    assert "horse" not in str(fault.value)
    monkeypatch.delenv(PASSPHRASE)
    with pytest.raises(InputError, match=f"is encrypted; give its passphrase in the environment variable {PASSPHRASE}"):
        read_private_key(tmp_path / "a.key")


@pytest.mark.parametrize("raw", [b"", b"hello", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_told_in_one_line(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.key").write_bytes(raw)
    (tmp_path / "a.key").chmod(0o600)
    with pytest.raises(InputError, match="is no private key") as fault:
        read_private_key(tmp_path / "a.key")
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("words", ["", "A" * 3000, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"])
def test_words_that_are_no_public_key_are_one_line(words: str) -> None:
    with pytest.raises(InputError, match=r"is given as its file in PEM|cannot be read") as fault:
        read_public_key(words)
    assert "\n" not in str(fault.value)


def test_a_public_key_to_sign_with_is_called_one(tmp_path: Path) -> None:
    generate(tmp_path / "a.key")
    with pytest.raises(InputError, match=r"is a public key; a release is signed with the private one, a\.key$"):
        read_private_key(tmp_path / "a.key.pub")


def test_of_a_pair_that_cannot_be_written_whole_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        written.append(handle)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    written: list[int] = []
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        generate(tmp_path / "a.key")
    assert not list(tmp_path.iterdir())
    generate(tmp_path / "a.key")


def test_the_command_prints_the_public_key_and_never_the_private_one(
    dateline: Run, folder: ProjectFolder, tmp_path: Path
) -> None:
    home = tmp_path.parent / f"{tmp_path.name}-home"
    done = dateline("keygen", "--project", folder.root, XDG_CONFIG_HOME=str(home), APPDATA=str(home))
    private = home / "dateline" / "tiny.key"
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith((private.with_name("tiny.key.pub")).read_text()) and "SHA256:" in done.stdout
    assert not _secrets(private) & set((done.stdout + done.stderr).split())
    again = dateline("keygen", "--out", private, "--json")
    assert again.returncode == 2 and "is there already" in again.stderr and again.stdout == ""


def test_keys_lie_where_settings_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(variable, str(tmp_path))
    assert default_path("tiny") == tmp_path / "dateline" / "tiny.key"


def _secrets(path: Path) -> set[str]:
    return {line for line in path.read_text().splitlines() if not line.startswith("-")}
