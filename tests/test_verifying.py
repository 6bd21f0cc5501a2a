"""verify finds what accidents and attackers do to a release, and names the file."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from building import ProjectFolder, record
from conftest import Run
from dateline import verifying
from dateline.errors import InputError, LoadError
from dateline.keys import PublicKey, generate, read_private_key, read_public_key
from dateline.layout import Published, Releases
from dateline.manifest import content_digest, read_manifest
from dateline.publication import sums
from dateline.sources import Place
from dateline.stores import Store
from dateline.verifying import Verified, verify
from hub_double import Hub
from released import published
from s3_double import Call, put, s3_settings

DOCUMENTS = (
    "README.md",
    "manifest.json",
    "versions.json",
    "SHA256SUMS",
    "croissant.json",
    "CITATION.cff",
    "attestation.intoto.jsonl",
)


@pytest.fixture(scope="session")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A target with two signed releases, its keys beside it; tests copy what they damage."""
    home = tmp_path_factory.mktemp("signed")
    (home / "project").mkdir()
    project = ProjectFolder(home / "project")
    generate(home / "a.key")
    generate(home / "other.key")
    key = read_private_key(home / "a.key")
    staged = [published(project, home / "target", key, "a1"), published(project, home / "target", key, "a1", "a2")]
    listed = [Published(s.version, "2026-01-02", s.files["manifest.json"][0], s.manifest.content_digest) for s in staged]
    assert [s.version for s in staged] == ["0.1.0", "0.2.0"]
    (home / "target" / "releases.json").write_bytes(Releases("tiny", listed).encode())
    return home


@pytest.fixture
def target(signed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(signed / "target", tmp_path / "target"))


@pytest.fixture
def folder_(target: Path) -> Path:
    """The release 0.2.0, to be damaged."""
    return target / "v0.2.0"


@pytest.fixture(scope="session")
def key(signed: Path) -> PublicKey:
    return read_public_key(signed / "a.key.pub")


def told(found: Verified) -> dict[str, str]:
    """What is wrong, by file."""
    return {fault.file: fault.says for fault in found.faults}


def a_parquet(folder: Path, config: str = "mentions") -> Path:
    return min((folder / config).glob("*.parquet"))


# ---- what is whole -------------------------------------------------------------------------------------------


def test_a_release_is_whole_and_says_who_signed_it(target: Path, key: PublicKey) -> None:
    found = verify(str(target / "v0.2.0"), key=key)
    assert found.faults == [] and found.trusted and found.signed_by == key.fingerprint and found.version == "0.2.0"
    there = [path for path in (target / "v0.2.0").rglob("*") if path.is_file()]
    assert (found.files, found.bytes) == (len(there), sum(path.stat().st_size for path in there))


def test_a_release_is_found_in_its_target_by_its_version(target: Path, key: PublicKey) -> None:
    assert verify(str(target), key=key).version == "0.2.0"
    for words, version in (
        (f"{target}@0.1.0", None),
        (str(target), "v0.1.0"),
        (str(target), "<0.2"),
        (f"file://{target}@~=0.1.0", None),
    ):
        found = verify(words, key=key, version=version)
        assert found.faults == [] and found.version == "0.1.0"


def test_without_a_key_a_signature_is_said_to_be_unchecked(target: Path, key: PublicKey) -> None:
    found = verify(str(target))
    assert found.faults == [] and not found.trusted
    assert found.notes == [f"signed by {key.fingerprint}, which was not checked: give --key"]


def test_an_unsigned_release_says_so_and_fails_where_a_key_is_given(folder_: Path, key: PublicKey) -> None:
    (folder_ / "attestation.intoto.jsonl").unlink()
    assert verify(str(folder_)).notes == ["is not signed: its files fit together, and nothing says who put them together"]
    assert told(verify(str(folder_), key=key)) == {
        "attestation.intoto.jsonl": "no such file: the release is not signed, and --key was given"
    }


def test_the_dataset_of_a_project_is_verified_without_what_publishing_makes(folder: ProjectFolder) -> None:
    folder.seed(record("a1"))
    folder.rebuild()
    found = verify(str(folder.root / "dataset"))
    assert found.faults == [] and any("not a published release" in note for note in found.notes)
    (folder.root / "dataset" / "mine.txt").touch()
    assert "mine.txt: the manifest does not name it; no reader sees it" in verify(str(folder.root / "dataset")).notes


# ---- bytes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*DOCUMENTS, "mentions/", "articles/", "records/"])
def test_a_flipped_bit_is_found_and_its_file_named(name: str, folder_: Path, key: PublicKey) -> None:
    path = a_parquet(folder_, name.rstrip("/")) if name.endswith("/") else folder_ / name
    raw = bytearray(path.read_bytes())
    for at in (0, len(raw) // 2, len(raw) - 1):
        path.write_bytes(bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]]))
        found = verify(str(folder_), key=key)
        assert any(path.relative_to(folder_).as_posix() in str(fault) for fault in found.faults), at


@pytest.mark.parametrize("name", [*DOCUMENTS, "mentions/"])
def test_a_dropped_file_is_named(name: str, folder_: Path, key: PublicKey) -> None:
    path = a_parquet(folder_) if name.endswith("/") else folder_ / name
    path.unlink()
    says = told(verify(str(folder_), key=key))[path.relative_to(folder_).as_posix()]
    assert says.startswith("no such file")


def test_a_file_cut_short_is_named_with_its_sizes(folder_: Path) -> None:
    path = a_parquet(folder_)
    size = path.stat().st_size
    os.truncate(path, size - 10)
    assert told(verify(str(folder_))) == {
        path.relative_to(folder_).as_posix(): f"has {size - 10:,} bytes, but the manifest says {size:,} (cut short?)"
    }


@pytest.mark.parametrize("name", ["mentions/more.parquet", "README.txt", ".hidden", "data/deep/x", "manifest.next.json"])
def test_an_added_file_is_named(name: str, folder_: Path) -> None:
    (folder_ / name).parent.mkdir(parents=True, exist_ok=True)
    (folder_ / name).write_text("x")
    assert told(verify(str(folder_))) == {name: "is no file of this release: the manifest does not name it"}


def test_two_swapped_files_are_both_named(folder_: Path) -> None:
    one, other = a_parquet(folder_), a_parquet(folder_, "articles")
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)
    assert told(verify(str(folder_))).keys() == {path.relative_to(folder_).as_posix() for path in (one, other)}


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_links_and_pipes_are_not_followed_or_opened(folder_: Path, tmp_path: Path) -> None:
    path = a_parquet(folder_)
    shutil.copy(path, tmp_path / "same")
    path.unlink()
    path.symlink_to(tmp_path / "same")
    os.mkfifo(folder_ / "CITATION.cff.new")
    (folder_ / "CITATION.cff").unlink()
    os.mkfifo(folder_ / "CITATION.cff")
    (folder_ / "more").symlink_to(tmp_path)
    found = told(verify(str(folder_)))
    assert "is a symbolic link" in found[path.relative_to(folder_).as_posix()]
    assert found["CITATION.cff"] == "is no file (a device or a pipe)"
    assert {"more", "CITATION.cff.new"} < found.keys()


def test_a_name_that_differs_by_case_alone_is_named(folder_: Path) -> None:
    (folder_ / "ReadMe.md").write_text("x")
    if (folder_ / "README.md").samefile(folder_ / "ReadMe.md"):
        pytest.skip("this file system takes both for one")
    assert "but for upper and lower case" in told(verify(str(folder_)))["ReadMe.md"]


# ---- a manifest rewritten ------------------------------------------------------------------------------------


def rewrite(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest of a release, and SHA256SUMS with it."""
    said = json.loads((folder / "manifest.json").read_bytes())
    change(said)
    (folder / "manifest.json").write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    sum_up(folder)


def sum_up(folder: Path) -> None:
    there = [p for p in folder.rglob("*") if p.is_file()]
    files = {p.relative_to(folder).as_posix(): (hashlib.sha256(p.read_bytes()).hexdigest(), 0) for p in there}
    (folder / "SHA256SUMS").write_text(sums(files))


@pytest.mark.parametrize(
    "path",
    ["../outside", "/etc/passwd", "a/../../b", "C:x", "a\\b", "con", "x/./y", "SHA256SUMS", "Croissant.JSON", "manifest.json"],
)
def test_a_name_that_climbs_out_or_hides_another_is_named_and_nothing_is_read(path: str, folder_: Path, tmp_path: Path) -> None:
    (tmp_path / "target" / "outside").write_text("secret")
    rewrite(folder_, lambda said: said["tables"]["mentions"]["files"][0].update(path=path))
    found = verify(str(tmp_path / "target" / "v0.2.0"))
    assert path in told(found) and "nothing was read" in told(found)[path] and found.files == 0


def test_names_that_are_one_on_other_systems_are_named(folder_: Path) -> None:
    composed, parted = "mentions/train-\u00e9.parquet", "mentions/train-e\u0301.parquet"

    def add(said: dict[str, Any]) -> None:
        entry = said["tables"]["mentions"]["files"][0]
        said["tables"]["mentions"]["files"] += [entry | {"path": composed}, entry | {"path": parted}]

    rewrite(folder_, add)
    assert told(verify(str(folder_))).keys() >= {composed, parted}


def test_a_file_that_is_named_twice_is_named(folder_: Path) -> None:
    rewrite(folder_, lambda said: said["tables"]["mentions"]["files"].append(said["tables"]["mentions"]["files"][0]))
    assert "twice" in told(verify(str(folder_)))[a_parquet(folder_).relative_to(folder_).as_posix()]


def replaced_consistently(folder: Path) -> None:
    """What an attacker does who knows the format: other rows, and every unsigned description of them put right."""
    old = a_parquet(folder)
    table = pq.read_table(old)
    names = pa.array([f"forged{n}" for n in range(table.num_rows)])
    raw = old.with_suffix(".new")
    pq.write_table(table.set_column(table.column_names.index("mention_id"), "mention_id", names), raw)
    digest = hashlib.sha256(raw.read_bytes()).hexdigest()
    new = raw.rename(old.with_name(f"{old.stem.rpartition('-')[0]}-{digest[:12]}.parquet"))
    old.unlink()
    said = json.loads((folder / "manifest.json").read_bytes())
    before = (said["tables"]["mentions"]["files"][0]["sha256"], said["content_digest"])
    entry = {"path": f"mentions/{new.name}", "sha256": digest, "bytes": new.stat().st_size}
    said["tables"]["mentions"]["files"][0].update(entry)
    files = [(file["path"], file["sha256"]) for t in said["tables"].values() for file in t["files"]]
    content = content_digest(files, {name: t["features"] for name, t in said["tables"].items() if t["rows"]})
    for name in ("README.md", "versions.json", "croissant.json"):
        text = (folder / name).read_text(encoding="utf-8").replace(before[1], content).replace(before[1][:12], content[:12])
        text = text.replace(old.name, new.name).replace(before[0], digest)
        (folder / name).write_text(text, encoding="utf-8")
    said["content_digest"] = content
    for name in ("card", "versions"):
        raw_ = (folder / said[name]["path"]).read_bytes()
        said[name] |= {"sha256": hashlib.sha256(raw_).hexdigest(), "bytes": len(raw_)}
    (folder / "manifest.json").write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    sum_up(folder)


def test_what_is_rewritten_consistently_passes_unsigned_and_fails_with_the_key(
    folder_: Path, tmp_path: Path, key: PublicKey
) -> None:
    replaced_consistently(folder_)
    alone = Path(shutil.copytree(folder_, tmp_path / "alone"))
    (alone / "attestation.intoto.jsonl").unlink()
    assert verify(str(alone)).faults == []  # this is what a signature is for
    kept = told(verify(str(folder_), key=key))
    assert "was signed for README.md with other contents" in [f.says for f in verify(str(folder_), key=key).faults]
    assert kept.keys() == {"attestation.intoto.jsonl", "manifest.json"}  # and the list of releases knows the old manifest


def test_rows_and_types_are_those_of_the_footers(folder_: Path) -> None:
    path = a_parquet(folder_)
    table = pq.read_table(path)

    def put(changed: pa.Table) -> str:
        pq.write_table(changed, path)
        entry = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
        rewrite(folder_, lambda said: said["tables"]["mentions"]["files"][0].update(entry))
        return told(verify(str(folder_)))[path.relative_to(folder_).as_posix()]

    assert put(table.slice(1)) == "has 0 rows, but the manifest says 1"
    assert put(table.drop_columns("score")) == "has other columns than the manifest says: no score"
    assert put(table.append_column("more", pa.array([1]))) == "has other columns than the manifest says: more besides"
    other = table.set_column(table.column_names.index("label"), "label", pa.array([1]))
    assert put(other) == "its column label is int64, but the manifest says string"
    path.write_bytes(b"PAR1 no")
    entry = {"sha256": hashlib.sha256(b"PAR1 no").hexdigest(), "bytes": 7}
    rewrite(folder_, lambda said: said["tables"]["mentions"]["files"][0].update(entry))
    assert told(verify(str(folder_)))[path.relative_to(folder_).as_posix()] == "is no Parquet file"


def test_counts_and_digests_of_the_whole_follow_from_the_parts(folder_: Path) -> None:
    rewrite(folder_, lambda said: said["tables"]["mentions"].update(rows=7))
    assert any("counts other rows of mentions" in fault.says for fault in verify(str(folder_)).faults)
    rewrite(folder_, lambda said: said.update(content_digest="0" * 64))
    assert any("its content digest is not that of the files" in fault.says for fault in verify(str(folder_)).faults)
    rewrite(folder_, lambda said: said.update(logical_digest="0" * 64))
    assert any("its logical digest is not that of its tables" in fault.says for fault in verify(str(folder_)).faults)


def test_splits_are_those_that_the_names_of_files_say_as_the_content_digest_covers_names_alone(folder_: Path) -> None:
    def swap(said: dict[str, Any]) -> None:
        table = said["tables"]["mentions"]
        table["splits"] = {"test": table["rows"]}
        for file in table["files"]:
            file["split"] = "test"

    rewrite(folder_, swap)
    path = a_parquet(folder_).relative_to(folder_).as_posix()
    assert any(fault.says == f"takes {path} for test of mentions" for fault in verify(str(folder_)).faults)


def test_a_published_release_has_card_and_list_where_readers_look_and_no_hydrated_texts(folder_: Path) -> None:
    whole = (folder_ / "manifest.json").read_bytes()
    rewrite(folder_, lambda said: said["card"].update(path="CARD.md"))
    (folder_ / "README.md").rename(folder_ / "CARD.md")
    assert any(fault.says == "names CARD.md where readers look for README.md" for fault in verify(str(folder_)).faults)
    (folder_ / "CARD.md").rename(folder_ / "README.md")
    (folder_ / "manifest.json").write_bytes(whole)
    rewrite(folder_, lambda said: said.pop("versions"))
    (folder_ / "versions.json").unlink()
    assert told(verify(str(folder_)))["versions.json"] == "no such file, but every release has it"
    rewrite(folder_, lambda said: said.update(hydrated_from={"content_digest": "0", "logical_digest": "0"}))
    assert any("is of a hydrated copy" in fault.says for fault in verify(str(folder_)).faults)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b"[" * 100_000, b'{"format": 1}', b"\xff"])
def test_a_manifest_that_is_none_is_named(raw: bytes, folder_: Path) -> None:
    (folder_ / "manifest.json").write_bytes(raw)
    assert told(verify(str(folder_))).keys() == {"manifest.json"}


# ---- descriptions --------------------------------------------------------------------------------------------


def edit(path: Path, change: Callable[[Any], None]) -> None:
    said = json.loads(path.read_bytes())
    change(said)
    path.write_text(json.dumps(said), encoding="utf-8")
    sum_up(path.parent)


def test_sums_that_lack_add_or_change_a_line_are_named(folder_: Path) -> None:
    path = folder_ / "SHA256SUMS"
    lines = path.read_text().splitlines(keepends=True)
    for changed, says in (
        (lines[1:], "has no line for CITATION.cff"),
        ([*lines, f"{'0' * 64}  more\n"], "names more, which is not there"),
        (["0" * 64 + line[64:] if "mentions" in line else line for line in lines], "names another digest of mentions/"),
        ([*lines, lines[0]], "names CITATION.cff twice"),
        ([*lines, "hello\n"], f"line {len(lines) + 1} is no digest of a file"),
    ):
        path.write_text("".join(changed))
        assert says in told(verify(str(folder_)))["SHA256SUMS"]


def test_a_croissant_that_names_other_files_digests_or_versions_is_named(folder_: Path) -> None:
    path = folder_ / "croissant.json"
    raw = path.read_bytes()

    def said_of(change: Callable[[Any], None]) -> str:
        path.write_bytes(raw)
        edit(path, change)
        return next(fault.says for fault in verify(str(folder_)).faults if fault.file == "croissant.json")

    def first(said: Any) -> Any:
        return said["distribution"][0]

    name = json.loads(raw)["distribution"][0]["contentUrl"]
    assert said_of(lambda said: said.update(version="0.1.0")) == "is of tiny 0.1.0, but this is tiny 0.2.0"
    assert said_of(lambda said: first(said).update(sha256="0" * 64)) == f"has another sha256 of {name}"
    assert said_of(lambda said: said["distribution"].remove(first(said))) == f"does not name {name}"
    assert said_of(lambda said: first(said).update(contentUrl="x")).startswith(f"does not name {name}")
    assert (
        said_of(lambda said: said["distribution"][-1]["includes"].pop())
        == "puts the files together in another way than the manifest"
    )
    assert said_of(lambda said: said.pop("distribution")).startswith("is not of the form that dateline writes")


def test_a_citation_of_another_version_or_day_is_named(folder_: Path) -> None:
    path = folder_ / "CITATION.cff"
    text = path.read_text()
    for old, new, says in (
        ("0.2.0", "0.1.0", "is of version 0.1.0, but this is 0.2.0"),
        ("2026-01-02", "2026-01-03", "is of 2026-01-03"),
    ):
        path.write_text(text.replace(old, new))
        sum_up(folder_)
        assert says in told(verify(str(folder_)))["CITATION.cff"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("version: 0.2.0", "version: 0.1.0", "says other version of"),
        ("dtype: bool", "dtype: string", "says other features of"),
        ("num_examples: 2", "num_examples: 3", "says other numbers of rows of"),
        ("config_name: mentions", "config_name: other", "names other configs"),
        ("- split: train", "- split: test", "says other data_files of"),
    ],
)
def test_a_card_that_tells_loaders_something_else_is_named(old: str, new: str, says: str, folder_: Path) -> None:
    path = folder_ / "README.md"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    entry = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
    rewrite(folder_, lambda said: said["card"].update(entry))
    assert says in told(verify(str(folder_)))["README.md"]


# ---- signatures, and which release it is ---------------------------------------------------------------------


def test_another_key_a_changed_payload_and_no_signature_are_told_apart(signed: Path, folder_: Path, key: PublicKey) -> None:
    path = folder_ / "attestation.intoto.jsonl"
    raw = path.read_bytes()
    other = read_public_key(signed / "other.key.pub")
    assert told(verify(str(folder_), key=other)) == {
        path.name: f"is signed by another key: {key.fingerprint}, not {other.fingerprint}"
    }
    said = json.loads(raw)
    for payload, says in (
        (said["payload"][:-8] + "AAAAAAAA", "has been changed after it was signed"),
        ("?", "is no DSSE envelope"),
    ):
        path.write_text(json.dumps(said | {"payload": payload}) + "\n")
        assert says in told(verify(str(folder_), key=key))[path.name]
    path.write_text(json.dumps(said | {"signatures": []}) + "\n")
    assert told(verify(str(folder_), key=key)) == {path.name: "has no signature"}
    path.write_text(json.dumps(said | {"payloadType": "text/plain"}) + "\n")
    assert "has been changed after it was signed" in told(verify(str(folder_), key=key))[path.name]


def test_the_key_that_signed_is_told_by_itself_not_by_the_names_in_the_envelope(folder_: Path, key: PublicKey) -> None:
    path = folder_ / "attestation.intoto.jsonl"
    envelope = json.loads(path.read_bytes())
    envelope["signatures"][0]["keyid"] = "SHA256:somebody"
    envelope["signatures"].append({"keyid": "SHA256:famous", "sig": "AAAA"})
    path.unlink()
    path.write_text(json.dumps(envelope) + "\n", encoding="utf-8")
    found = verify(str(folder_), key=key)
    assert found.trusted and found.signed_by == key.fingerprint


def test_an_attestation_of_another_release_is_named(target: Path, key: PublicKey) -> None:
    shutil.copy(target / "v0.1.0" / "attestation.intoto.jsonl", target / "v0.2.0")
    says = [fault.says for fault in verify(str(target / "v0.2.0"), key=key).faults]
    assert says[0].startswith("is of another release: tiny 0.1.0, but this is tiny 0.2.0")


def test_an_older_release_under_a_newer_name_is_named_as_such(target: Path, key: PublicKey) -> None:
    shutil.rmtree(target / "v0.2.0")
    shutil.copytree(target / "v0.1.0", target / "v0.2.0")
    for words in (str(target / "v0.2.0"), str(target), f"{target}@0.2.0"):
        found = verify(words, key=key)
        says = "is of release 0.1.0, which lies under the name of 0.2.0: another release put in its place"
        assert told(found)["manifest.json"] == says and not found.success
    (target / "v0.2.0").rename(target / "copy")  # where no name tells, the caller must
    assert verify(str(target / "copy"), key=key).success
    assert told(verify(str(target / "copy"), key=key, version="0.2.0")) == {
        "manifest.json": "is of release 0.1.0, and 0.2.0 was asked for"
    }


def test_a_link_to_an_older_release_under_a_newer_name_is_named_as_such(target: Path, key: PublicKey) -> None:
    shutil.rmtree(target / "v0.2.0")
    (target / "v0.2.0").symlink_to("v0.1.0")
    assert "lies under the name of 0.2.0" in told(verify(str(target / "v0.2.0"), key=key))["manifest.json"]
    (target / "newest").symlink_to("v0.1.0")
    assert verify(str(target / "newest"), key=key).success


def test_a_list_that_names_another_manifest_is_believed_over_the_folder(target: Path) -> None:
    path = target / "releases.json"
    path.write_text(
        path.read_text().replace(hashlib.sha256((target / "v0.2.0" / "manifest.json").read_bytes()).hexdigest(), "0" * 64)
    )
    assert "but the list of releases says 000000000000" in told(verify(str(target)))["manifest.json"]


def test_a_yanked_release_is_whole_and_says_so(folder: ProjectFolder, tmp_path: Path) -> None:
    from dateline.retracting import yank

    published(folder, tmp_path / "out", None)
    yank(folder.project, "0.1.0", "wrong labels")
    folder.rebuild()
    from dateline.publication import stage

    stage(folder.project, tmp_path / "again")
    assert "was yanked: wrong labels" in verify(str(tmp_path / "again")).notes


# ---- the command ---------------------------------------------------------------------------------------------


def test_exit_codes_tell_whole_from_damaged_from_not_to_be_read(dateline: Run, signed: Path, target: Path) -> None:
    good = dateline("verify", target, "--key", signed / "a.key.pub")
    assert good.returncode == 0 and "release 0.2.0 is whole: " in good.stdout and ", signed by SHA256:" in good.stdout
    path = a_parquet(target / "v0.2.0")
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    bad = dateline("verify", f"{target}@0.2.0", "--json")
    said = json.loads(bad.stdout)
    assert bad.returncode == 1 and [fault["file"] for fault in said["faults"]] == [f"mentions/{path.name}"]
    assert not said["success"] and said["version"] == "0.2.0"
    gone = dateline("verify", target / "nothing")
    assert gone.returncode == 2 and len(gone.stderr.splitlines()) == 1
    private = dateline("verify", target, "--key", signed / "a.key")
    assert private.returncode == 2 and "is a private key" in private.stderr


def test_a_place_without_a_release_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="is no release"):
        verify(str(tmp_path))
    with pytest.raises(InputError, match="no such folder"):
        verify(str(tmp_path / "nothing"))


def test_the_manifest_that_is_read_is_the_one_that_others_read(folder_: Path) -> None:
    assert verify(str(folder_)).version == read_manifest(folder_).version


# ---- at an address -------------------------------------------------------------------------------------------


class Elsewhere(Store):
    """A store of another kind, which has a folder's files; `short` of them end early."""

    def __init__(self, folder: Path, short: str = "") -> None:
        super().__init__("store://releases/v0.2.0")
        self.folder, self.short, self.opened = folder, short, list[str]()

    def _open(self, path: str) -> BinaryIO:
        self.opened.append(path)
        raw = (self.folder / path).read_bytes()
        return io.BytesIO(raw[:-1] if path == self.short else raw)

    def _files(self) -> list[str]:
        return [path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()]

    def url(self, path: str) -> str:
        return path

    def explain(self) -> str:
        return "no manifest"


def test_a_release_elsewhere_is_read_once_and_nothing_of_it_is_kept(
    folder_: Path, key: PublicKey, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    store = Elsewhere(folder_)
    monkeypatch.setattr(verifying, "place", lambda words, version=None: Place(store))
    found = verify("s3://releases/v0.2.0", key=key)
    assert found.faults == [] and found.trusted
    assert sorted(store.opened) == sorted(store._files())
    assert list((tmp_path / "scratch").iterdir()) == []
    short = a_parquet(folder_).relative_to(folder_).as_posix()
    store.short = short
    (folder_ / "extra").touch()
    (folder_ / ".gitattributes").touch()  # the Hub's own
    assert told(verify("s3://releases/v0.2.0", key=key)).keys() == {short, "extra"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow(seconds=15)
def test_a_release_on_the_hub_is_verified_where_it_lies(dateline: Run, signed: Path, target: Path, tmp_path: Path) -> None:
    """The real client: a good tag, an older release tagged as a newer one, a file changed."""
    key = ("--key", signed / "a.key.pub")
    old, new = contents(target / "v0.1.0"), contents(target / "v0.2.0")
    path = a_parquet(target / "v0.2.0").relative_to(target / "v0.2.0").as_posix()
    with Hub() as hub:
        settings = hub.environment | {"HF_HOME": str(tmp_path / "home")}
        good, bad = hub.repository("org/good"), hub.repository("org/bad")
        good.commit({**old, ".gitattributes": b"x"}, tag="v0.1.0")
        good.commit({**new, ".gitattributes": b"x"}, tag="v0.2.0")
        bad.commit(old, tag="v0.2.0")
        bad.commit({**new, path: new[path][:-1] + b"!"}, tag="v0.3.0")
        whole = dateline("verify", "hf://org/good", *key, **settings)
        replayed = dateline("verify", "hf://org/bad@0.2.0", *key, **settings)
        changed = dateline("verify", "hf://org/bad@v0.3.0", *key, "--json", **settings)
    assert whole.returncode == 0 and "release 0.2.0 is whole" in whole.stdout, whole.stdout + whole.stderr
    assert (
        replayed.returncode == 1 and "manifest.json: is of release 0.1.0, which lies under the name of 0.2.0" in replayed.stdout
    )
    assert changed.returncode == 1 and path in {fault["file"] for fault in json.loads(changed.stdout)["faults"]}
    assert not hub.strange


@pytest.mark.slow(seconds=15)
def test_a_release_in_a_bucket_is_verified_where_it_lies(
    dateline: Run, signed: Path, target: Path, bucket: tuple[str, Call]
) -> None:
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    address, call = bucket
    put(call, "verified", contents(target))
    whole = dateline("verify", "s3://news/verified@0.2.0", "--key", signed / "a.key.pub", **s3_settings(address))
    assert whole.returncode == 0 and "release 0.2.0 is whole" in whole.stdout, whole.stdout + whole.stderr
    put(call, "verified/v0.2.0", {"more": b"x"})
    more = dateline("verify", "s3://news/verified", **s3_settings(address))
    assert more.returncode == 1 and more.stdout == "more: is no file of this release: the manifest does not name it\n"
