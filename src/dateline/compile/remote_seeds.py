"""Records in an object store (`s3://bucket/prefix`): brought by the engine's workers beside the project, and read from there.

The ledger and the corpus-level tables stay in seeds/. An object is brought whole by one task, into a folder of its attempt; where
all of it is there, its name is given to it here. So of an attempt that was lost nothing is read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dateline.compile.read import SUFFIXES, is_seed
from dateline.compile.seeds import seed_files
from dateline.engines import Engine
from dateline.errors import InputError, LoadError, UsageError, printable
from dateline.files import attempt_folder
from dateline.project import Project, Records
from dateline.stores import Bucket, MissingError

LEDGER, TABLES = "ledger.jsonl", "tables"


@dataclass(frozen=True)
class BringTask:
    """One object to bring: the address that it lies under, its name there, and the folder for attempts."""

    address: str
    name: str
    into: Path


def bring(
    project: Project, address: str, engine: Engine, work: Path, tell: Callable[[str, int, int], None] = lambda *_: None
) -> Project:
    """The project with the records of the objects under an address, as they are now, in place of those in seeds/.

    They lie in the folder `work` as long as that is there. Raises UsageError for words that are no address in S3, InputError
    for names that cannot be records of a project and where seeds/ holds records, too, LoadError where the store cannot be read.
    """
    if not address.startswith("s3://"):
        raise UsageError(f"--seeds {address}: is no address of an object store; write s3://bucket/prefix")
    bucket = Bucket(address)
    _only_there(project, bucket.words)
    names = _names(bucket)
    folder = work / "seeds"
    folder.mkdir()
    tasks = [BringTask(address, name, work / "brought") for name in names]
    for done, (name, path) in enumerate(zip(names, engine.map(bring_object, tasks), strict=True), 1):
        _put(path, folder, name, bucket.words)
        tell("bring seeds", done, len(tasks))
    return dataclasses.replace(project, records=Records(folder, bucket.words))


def bring_object(task: BringTask) -> Path:
    """Where an object was brought to. Raises LoadError if it cannot be read, or not to its end."""
    path = attempt_folder(task.into) / "object"
    bucket = Bucket(task.address)
    with path.open("wb") as file:
        for chunk in bucket.chunks(task.name):
            file.write(chunk)
    return path


def _only_there(project: Project, address: str) -> None:
    """Raise InputError for records in seeds/, which would be left out without a word."""
    if project.seeds.is_dir() and (here := seed_files(project)):
        raise InputError(
            f"{project.name_of(here[0])}: --seeds {address} stands in place of the records in seeds/, which would be left out; "
            "move them there, or run without --seeds"
        )


def _names(bucket: Bucket) -> list[str]:
    """The names of the objects that hold records. Raises InputError for one that can be no file, or if there is none."""
    address = bucket.words
    try:
        names = [name for name in bucket.files() if is_seed(Path(name))]
    except MissingError:
        names = []
    if not names:
        raise InputError(bucket.lacks(f"holds no records; they stand in objects whose names end in {', '.join(SUFFIXES)}"))
    for name in names:
        parts = name.split("/")
        if any(part in ("", ".", "..") for part in parts) or "\\" in name or "\0" in name:
            raise InputError(printable(f"{address}/{name}: is no name of a file; put the object under another key"))
        if parts[0] == TABLES or name == LEDGER:
            what = "the ledger is" if name == LEDGER else "corpus-level tables are"
            raise InputError(printable(f"{address}/{name}: is not read; {what} read from seeds/ of the project: keep it there"))
    return names


def _put(path: Path, folder: Path, name: str, address: str) -> None:
    target = folder / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():  # of names that differ in case alone, say
            raise FileExistsError(17, "another object has that name here")
        path.rename(target)
    except OSError as fault:
        raise LoadError(printable(f"{address}/{name}: cannot be kept as a file: {fault.strerror}")) from None
