"""doctor: is everything here that Dateline needs, and is the project in order?"""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dateline.errors import DatelineError

BUILD_PACKAGES = (
    "edtf", "filelock", "great-expectations", "jsonschema-rs", "langcodes", "numpy", "orjson", "packaging", "pycountry", "rensa",
)  # fmt: skip
BASE_PACKAGES = ("datasets", "pyarrow", "pyyaml", "rich", "typer")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is well, what was found, what to do."""

    what: str
    well: bool
    says: str
    hint: str = ""


def examine(start: Path) -> Iterator[Finding]:
    """Look at Python, packages, and the project that holds `start`, one finding at a time."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= (3, 11), version, "Dateline needs Python 3.11 or newer.")
    for package in BASE_PACKAGES:
        yield _package(package, "pip install dateline")
    for package in BUILD_PACKAGES:
        yield _package(package, "pip install 'dateline[build]'")
    yield from _project(start)


def _package(name: str, hint: str) -> Finding:
    try:
        return Finding(name, True, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, False, "not installed", hint)


def _project(start: Path) -> Iterator[Finding]:
    from dateline.project import find_project

    try:
        project = find_project(start)
    except DatelineError as fault:
        yield Finding("project", False, str(fault))
        return
    yield Finding("project", True, f"{project.settings.name} {project.settings.version} in {project.root}")
    free = shutil.disk_usage(project.root).free
    yield Finding(
        "disk", free > 2**30, f"{free / 2**30:.1f} GiB free", "Free some space: a rebuild holds old and new data at once."
    )
    try:
        from dateline.compile.seeds import seed_files
        from dateline.schema import load_schemas

        schemas = load_schemas(project.schemas)
        yield Finding("schemas", True, f"{len(schemas.layers)} layers, {len(schemas.tables)} corpus-level tables")
        yield Finding("seeds", True, f"{len(seed_files(project))} files")
    except (DatelineError, ModuleNotFoundError) as fault:
        yield Finding("schemas", False, str(fault))
    yield from _dataset(project.dataset)


def _dataset(folder: Path) -> Iterator[Finding]:
    from dateline.manifest import read_manifest

    try:
        manifest = read_manifest(folder)
    except DatelineError as fault:
        yield Finding("dataset", False, str(fault))
        return
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {"manifest.json"}
    named = manifest.paths()
    if missing := sorted(named - there):
        yield Finding("dataset", False, f"{len(missing)} files missing, such as {missing[0]}", "Run dateline rebuild.")
    elif extra := sorted(there - named):
        yield Finding("dataset", True, f"{len(extra)} files that no manifest names", "dateline rebuild --sweep removes them.")
    else:
        yield Finding("dataset", True, f"{len(named)} files, content {manifest.content_digest[:12]}")
