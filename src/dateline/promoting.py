"""What a rebuild made takes the place of what was there: nothing of a dataset changes before all of the new one is there.

Data files are moved in under names that carry their digest, the new manifest is laid beside the old one, and the card, which
names every file that a loader reads, is replaced: that is the flip. The new manifest then takes the old one's name; until then
readers find it by the card.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from dateline.describe.card import head_of
from dateline.errors import BuildError
from dateline.files import move_whole, sync_folder, write_atomically
from dateline.manifest import CARD, MADE, NEXT, VERSIONS, VERSIONS_NEXT, Manifest
from dateline.manifest import NAME as MANIFEST
from dateline.project import Project


@dataclass(frozen=True)
class Promoted:
    """Whether the dataset changed, and files beside those of the new one: removed, kept for readers, not ours."""

    changed: bool = False
    swept: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)


def promote(project: Project, manifest: Manifest, text: str, work: Path, sweep: bool) -> Promoted:
    """Make what lies in the folder `data` of `work`, with its manifest and card, the dataset of a project.

    With `sweep`, files of the build before are removed at once; else those that the card named stay for whoever reads them.
    """
    dataset = project.dataset
    _not_a_strangers(dataset, project.name_of(dataset))
    dataset.mkdir(exist_ok=True)
    before = _named_by_card(dataset)
    changed = not _is_current(dataset, manifest, text)
    if changed:
        lay_beside(dataset, manifest, work / "data")
        for name, raw in faces(manifest, text, work / "data"):
            write_atomically(dataset / name, raw)
        for name, last in ((NEXT, MANIFEST), (VERSIONS_NEXT, VERSIONS)):
            if (dataset / name).exists():
                (dataset / name).replace(dataset / last)
        sync_folder(dataset)
    keep = manifest.paths() | (before if changed and not sweep else set())
    swept, strange = sweep_away(dataset, keep | {MANIFEST})
    return Promoted(changed, swept=swept, kept=sorted(keep - manifest.paths()), strange=strange)


def lay_beside(dataset: Path, manifest: Manifest, data: Path) -> None:
    """Move the files that carry their digest in their names into the dataset; readers see none of them yet."""
    named = sorted(manifest.paths() - {CARD, VERSIONS})
    for path in named:
        target = dataset / path
        target.parent.mkdir(exist_ok=True)
        move_whole(data / path, target)
    for folder in sorted({(dataset / path).parent for path in named}):
        sync_folder(folder)


def faces(manifest: Manifest, text: str, data: Path) -> list[tuple[str, bytes]]:
    """What a reader looks at first, in the order in which it is written: the card is last, and is the flip."""
    versions = [(VERSIONS_NEXT, (data / VERSIONS).read_bytes())] if manifest.versions else []
    return [*versions, (NEXT, manifest.encode()), (CARD, text.encode())]


def _is_current(dataset: Path, manifest: Manifest, text: str) -> bool:
    """Whether the dataset is the one that was just made, to the last byte."""
    try:
        same = (dataset / CARD).read_bytes() == text.encode() and (dataset / MANIFEST).read_bytes() == manifest.encode()
    except OSError:
        return False
    return same and is_whole(dataset, manifest)


def is_whole(dataset: Path, manifest: Manifest) -> bool:
    """Whether all files that a manifest names are there, with the digests that it gives."""
    try:
        for file in manifest.files():
            with (dataset / file["path"]).open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != file["sha256"]:
                    return False
    except OSError:
        return False
    return True


def _named_by_card(dataset: Path) -> set[str]:
    """The data files that the card in place names, which a reader may be about to open."""
    import yaml

    try:
        front = head_of((dataset / CARD).read_text(encoding="utf-8"))
        return {path for config in front["configs"] for split in config["data_files"] for path in split["path"]}
    except (OSError, UnicodeDecodeError, IndexError, KeyError, TypeError, yaml.YAMLError):
        return set()


def sweep_away(dataset: Path, keep: set[str]) -> tuple[list[str], list[str]]:
    """Remove files of earlier builds that are not in `keep`; the names removed, and those of strangers' files left alone."""
    swept, strange = [], []
    for path in sorted(dataset.rglob("*"), reverse=True):
        name = path.relative_to(dataset).as_posix()
        if path.is_dir() and not path.is_symlink():
            if "/" not in name and not any(path.iterdir()):
                path.rmdir()
        elif name in keep:
            continue
        elif MADE.fullmatch(name):
            path.unlink()
            swept.append(name)
        else:
            strange.append(name)
    return sorted(swept), sorted(strange)


def _not_a_strangers(dataset: Path, name: str) -> None:
    """Refuse a folder that holds files, but nothing that a rebuild made: it is somebody's, not a dataset of ours."""
    if not dataset.is_dir():
        return
    files = [p.relative_to(dataset).as_posix() for p in dataset.rglob("*") if not p.is_dir()]
    if files and not any(MADE.fullmatch(file) for file in files):
        raise BuildError(
            f"{name}/: holds {files[0]} and no dataset of Dateline; a rebuild writes there, so move what is in it away"
        )
