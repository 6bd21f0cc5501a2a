"""Where a dataset lies: what words name, a release in a folder, on the Hub, in a bucket; with the real clients."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from building import REPOSITORY, ProjectFolder, mention, record
from dateline.errors import DatelineError, InputError, LoadError
from dateline.manifest import read_manifest
from dateline.release_files import ReleaseError, check_files
from dateline.sources import fetch_release, named
from dateline.stores import told
from environments import THIS, run
from hub_double import Hub
from s3_double import Call, s3_settings

Answer = dict[str, Any]

CLIENT = """
import json, sys
from pathlib import Path
from dateline.errors import DatelineError
from dateline.sources import fetch_release
into = Path(sys.argv[1])
for number, words in enumerate(sys.argv[2:]):
    try:
        folder = fetch_release(words, into / str(number))
        files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
        print(json.dumps({"files": files}))
    except DatelineError as fault:
        print(json.dumps({"error": str(fault), "kind": type(fault).__name__}))
"""


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small dataset, with what a rebuild puts beside it."""
    folder = ProjectFolder(tmp_path_factory.mktemp("release"))
    folder.seed(*(record(f"a{n}", f"Ana met Bo in Rome on day {n}.", mentions=[mention("m1", 0, 3)]) for n in range(4)))
    assert not folder.rebuild().problems
    return folder.root / "dataset"


@pytest.fixture
def copied(release: Path, tmp_path: Path) -> Path:
    return shutil.copytree(release, tmp_path / "copied")


def data_file(folder: Path) -> Path:
    return sorted(folder.rglob("*.parquet"))[0]


def rename_in_manifest(folder: Path, new: str) -> None:
    """Let the manifest call its first data file something else."""
    path = folder / "manifest.json"
    said = json.loads(path.read_bytes())
    next(iter(said["tables"].values()))["files"][0]["path"] = new
    path.write_text(json.dumps(said), encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# ---- what words name -----------------------------------------------------------------------------------------


def test_words_name_a_release_or_parquet_files(release: Path, tmp_path: Path) -> None:
    inside = tmp_path / "plain" / "sub"
    inside.mkdir(parents=True)
    for name in ("b.parquet", "sub/a.parquet", "_part.parquet", ".c.parquet", "note.txt"):
        (tmp_path / "plain" / name).write_bytes(b"PAR1" if "parquet" in name else b"words")
    (tmp_path / "plain" / "bare").write_bytes(b"PAR1")
    plain = tmp_path / "plain"

    assert named(str(release)).kind == named(str(release / "manifest.json")).kind == "release"
    assert named("hf://datasets/org/name@v1").kind == named("S3://bucket/some/prefix").kind == "release"
    assert named(str(plain)).files == (plain / "b.parquet", inside / "a.parquet")
    assert named(str(plain / "*.parquet")).files[-1] == plain / "b.parquet"
    assert named(str(plain / "**" / "a.parquet")).files == (inside / "a.parquet",)
    assert named(str(plain / "b.parquet")).files == named(str(plain / "b.parquet")).files == (plain / "b.parquet",)
    assert named(str(plain / "bare")).files == (plain / "bare",)


def test_a_pattern_is_read_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    (tmp_path / "odd[1].parquet").write_bytes(b"PAR1")
    monkeypatch.chdir(tmp_path)
    assert named("a*.parquet").files == (Path("a.parquet"),)
    assert named("odd[1].parquet").files == (Path("odd[1].parquet"),)  # a file that is there is no pattern


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("nowhere", "no such file or folder"),
        ("*.parquet", "no file fits this pattern"),
        ("note.txt", "is no Parquet file, no manifest.json, and no folder"),
        ("empty", "holds no .parquet file"),
        ("gs://bucket/x", "gs:// is not read from"),
        ("https://host/x", "https:// is not read from"),
        ("s3://bucket/x.parquet", "only whole releases are read from s3://"),
    ],
)
def test_words_that_name_nothing_are_one_line(words: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "note.txt").write_text("words")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=f"^{words.replace('*', '.')}: .*") as fault:
        named(words)
    assert says in str(fault.value) and "\n" not in str(fault.value)


# ---- in a folder ---------------------------------------------------------------------------------------------


def test_a_local_release_is_used_where_it_lies(release: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    assert fetch_release(str(release), tmp_path / "into", lambda *words: told.append(words)) == release
    assert fetch_release(str(release / "manifest.json"), tmp_path / "into") == release
    assert not (tmp_path / "into").exists()
    assert told[-1][1] == told[-1][2] == len(read_manifest(release).paths())


def test_each_file_that_is_not_as_the_manifest_says_is_one_line(copied: Path, tmp_path: Path) -> None:
    short, changed, missing, *_ = sorted(copied.rglob("*.parquet"))
    short.write_bytes(short.read_bytes()[:-5])
    changed.write_bytes(bytes([changed.read_bytes()[0] ^ 1]) + changed.read_bytes()[1:])
    missing.unlink()
    (copied / "more.parquet").write_bytes(b"")
    (copied / ".gitattributes").write_bytes(b"")

    faults = {fault.file: (fault.level, fault.says) for fault in check_files(copied, read_manifest(copied))}
    name = {path: path.relative_to(copied).as_posix() for path in (short, changed, missing)}
    assert set(faults) == {*name.values(), "more.parquet"}
    assert faults["more.parquet"][0] == "warning"
    size = short.stat().st_size
    assert faults[name[short]] == ("error", f"has {size:,} bytes, but the manifest says {size + 5:,} (cut short?)")
    assert "has been changed: sha256 is" in faults[name[changed]][1]
    assert faults[name[missing]][1] == "no such file, but the manifest names it"
    with pytest.raises(ReleaseError, match=r"and 2 more such files") as stopped:
        fetch_release(str(copied), tmp_path)
    assert len(stopped.value.faults) == 3


def test_a_file_that_nobody_names_stops_nothing(copied: Path, tmp_path: Path) -> None:
    (copied / "articles" / "old.parquet").write_bytes(b"")
    assert fetch_release(str(copied), tmp_path) == copied


HOSTILE = ["../out.parquet", "/etc/out", "a/../../out", "a//b", "./a", "a\\b", "C:x", "a\0b", "a\u202eb", "", "manifest.json",
           "Manifest.JSON", "a/nul.parquet", "a/b. ", "a?b", "a*b"]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_of_a_manifest_leads_out_of_the_folder(name: str, copied: Path, tmp_path: Path) -> None:
    rename_in_manifest(copied, name)
    faults = [fault for fault in check_files(copied, read_manifest(copied)) if fault.level == "error"]
    assert [(fault.file, "is no name that a file of a release may have" in fault.says) for fault in faults] == [(name, True)]
    with pytest.raises(ReleaseError):
        fetch_release(str(copied), tmp_path / "into")


@pytest.mark.parametrize("words", ["nowhere", "."])
def test_a_folder_without_a_release_is_one_line(words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        DatelineError, match="no such folder" if words == "nowhere" else r"is no release: it has no manifest\.json"
    ):
        fetch_release(words, tmp_path / "into")


@pytest.mark.parametrize("words", ["hf://name", "hf://a/b/c", "hf://a/b@", "s3://", "ftp://a/b"])
def test_an_address_that_names_no_place_is_one_line(words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"names no|is not read from"):
        fetch_release(words, tmp_path / "into")
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize(("words", "package"), [("s3://bucket/x", "s3fs"), ("hf://org/name", "huggingface_hub")])
def test_a_package_that_is_not_there_is_named(words: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(LoadError, match=rf"needs the package {package}: pip install .+"):
        fetch_release(words, tmp_path)


def test_signed_addresses_are_not_told() -> None:
    with pytest.raises(LoadError) as fault, told("s3://b/x/f"):
        raise RuntimeError("no answer from host/f?X-Amz-Signature=secret\nand more")
    assert str(fault.value) == "s3://b/x/f: cannot be read: RuntimeError: no answer from host/f?..."


# ---- on the Hub ----------------------------------------------------------------------------------------------


def ask(python: Path | str, into: Path, *words: str, **environment: str) -> list[Answer]:
    """What fetch_release says of each of the words, asked by a process of its own."""
    settings = {"PYTHONPATH": str(REPOSITORY / "src"), "HF_HOME": str(into / "home"), **environment}
    done = run(python, "-c", CLIENT, into, *words, cwd=into, **settings)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(words) and not [a for a in answers if "\n" in a.get("error", "")]
    return answers


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        yield hub
        assert not hub.strange


@pytest.mark.slow
def test_a_release_is_fetched_from_the_hub(release: Path, tmp_path: Path, hub: Hub) -> None:
    files = contents(release)
    repository = hub.repository("org/name")
    first = repository.commit({**files, ".gitattributes": b"", "huge.parquet": b"PAR1"}, tag="v1")
    repository.commit({"README.md": b"another"})
    repository.commit(files, branch="refs/pr/1")
    answers = ask(
        THIS, tmp_path, "hf://datasets/org/name@v1", f"hf://org/name@{first}", "hf://org/name@refs/pr/1", **hub.environment
    )
    assert answers == [{"files": sorted(files)}] * 3
    for number in range(3):
        assert contents(tmp_path / str(number)) == files
    assert not [path for _, path in hub.requests if "huge" in path]  # what the manifest does not name is not asked for


@pytest.mark.slow
def test_one_commit_is_read_while_another_is_pushed(release: Path, tmp_path: Path, hub: Hub) -> None:
    files = contents(release)
    repository = hub.repository("org/name")
    repository.commit(files)

    def push(path: str) -> None:
        repository.commit(dict.fromkeys(files, b"of the next release"))

    hub.after = push
    assert ask(THIS, tmp_path, "hf://org/name", **hub.environment) == [{"files": sorted(files)}]
    assert contents(tmp_path / "0") == files


def damaged(release: Path, work: Path) -> dict[str, tuple[dict[str, bytes], str]]:
    """Releases that are wrong in one way each: their files, and what is said of them."""
    files = contents(release)
    data = data_file(release).relative_to(release).as_posix()
    hostile = shutil.copytree(release, work / "hostile")
    rename_in_manifest(hostile, "../../out.parquet")
    whole = files[data]
    return {
        "empty": ({"README.md": b"words"}, "is no release: "),
        "bare": ({"manifest.json": files["manifest.json"]}, "/README.md: no such file, but a release has it"),
        "card": ({**files, "README.md": b"other"}, "/README.md: is not the card that the manifest names"),
        "json": ({**files, "manifest.json": b"{"}, "/manifest.json: is no manifest"),
        "lacks": ({k: v for k, v in files.items() if k != data}, f"/{data}: no such file, but a release has it"),
        "short": ({**files, data: whole[:-7]}, "(cut short?); get the release again"),
        "long": ({**files, data: whole + b"more"}, f"has more than the {len(whole):,} bytes that the manifest says"),
        "changed": ({**files, data: whole[:-1] + b"x"}, "has been changed: sha256 is"),
        "hostile": (contents(hostile), "is no name that a file of a release may have; nothing was read"),
    }


@pytest.mark.slow
def test_what_is_wrong_on_the_hub_is_one_line(release: Path, tmp_path: Path, hub: Hub) -> None:
    cases = damaged(release, tmp_path)
    for name, (files, _) in cases.items():
        hub.repository(f"org/{name}").commit(files)
    hub.repository("org/gated").gated = True
    tagged = hub.repository("org/tagged")
    tagged.commit(contents(release), tag="v1.0.0")
    wanted = {f"hf://org/{name}": says for name, (_, says) in cases.items()} | {
        "hf://org/nowhere": "there is no such dataset on the Hub, or none that you may see; log in",
        "hf://org/gated": "its owner asks who reads it; accept the terms",
        "hf://org/tagged@v9": "org/tagged has no revision 'v9'; it has v1.0.0, main",
    }
    into = tmp_path / "into"
    into.mkdir()
    for words, answer in zip(wanted, ask(THIS, into, *wanted, **hub.environment), strict=True):
        assert answer.get("error", "").startswith(words) and wanted[words] in answer["error"], answer
    assert not list(tmp_path.rglob("out.parquet"))


@pytest.mark.slow
def test_without_the_network_it_is_said(tmp_path: Path) -> None:
    with Hub() as hub:
        closed = hub.environment
    (offline,) = ask(THIS, tmp_path, "hf://org/name", HF_HUB_OFFLINE="1", **closed)
    assert "cannot be read, as HF_HUB_OFFLINE is set" in offline["error"]
    (gone,) = ask(THIS, tmp_path, "hf://org/name", **closed)
    assert gone["error"].startswith("hf://org/name: cannot be read: ") and "Connect" in gone["error"]


# ---- in a bucket ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_release_is_fetched_from_a_bucket_or_what_is_wrong_is_one_line(
    release: Path, tmp_path: Path, s3_python: Path, bucket: tuple[str, Call]
) -> None:
    address, call = bucket
    cases = damaged(release, tmp_path)
    whole = contents(release)
    for name, files in {"good/v1": {**whole, "huge.parquet": b"PAR1"}, **{n: f for n, (f, _) in cases.items()}}.items():
        for path, data in files.items():
            call("put_object", Bucket="news", Key=f"corpora/{name}/{path}", Body=data)
    wanted = {f"s3://news/corpora/{name}": says for name, (_, says) in cases.items()} | {
        "s3://nowhere/x": "there is no bucket 'nowhere'",
        "s3://news": "is no release: there is no manifest.json in s3://news",
    }
    into = tmp_path / "into"
    into.mkdir()
    good, *answers = ask(s3_python, into, "s3://news/corpora/good/v1/", *wanted, **s3_settings(address))
    assert good == {"files": sorted(whole)} and contents(into / "0") == whole
    for words, answer in zip(wanted, answers, strict=True):
        assert answer.get("error", "").startswith(words) and wanted[words] in answer["error"], answer
    assert not list(tmp_path.rglob("out.parquet"))


@pytest.mark.slow
def test_who_may_not_read_a_bucket_is_told_so(tmp_path: Path, s3_python: Path, release: Path, bucket: tuple[str, Call]) -> None:
    address, call = bucket
    call("create_bucket", Bucket="shut")
    refuse = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::shut", "arn:aws:s3:::shut/*"]}
    call("put_object", Bucket="shut", Key="manifest.json", Body=b"{}")
    call("put_bucket_policy", Bucket="shut", Policy=json.dumps({"Version": "2012-10-17", "Statement": [refuse]}))
    (answer,) = ask(s3_python, tmp_path, "s3://shut", **s3_settings(address))
    assert "may not be read with these credentials; set AWS_PROFILE" in answer["error"], answer
    settings = {k: v for k, v in s3_settings(address).items() if "KEY" not in k}
    (answer,) = ask(s3_python, tmp_path, "s3://shut", **settings, HOME=str(tmp_path))
    assert "may not be read" in answer["error"], answer
