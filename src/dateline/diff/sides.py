"""Two datasets in folders: their manifests, and which of their files need to be read; those with equal digests do not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dateline.diff.facts import PRIMARY, DeclaredTable, base_tables
from dateline.manifest import Manifest, read_manifest, read_versions


@dataclass(frozen=True)
class Side:
    """One of the two datasets."""

    folder: Path
    manifest: Manifest
    tables: Mapping[str, DeclaredTable]

    @classmethod
    def read(cls, folder: Path) -> Side:
        """The dataset in a folder. Raises LoadError where there is none that can be compared."""
        manifest = read_manifest(folder)
        return cls(folder, manifest, base_tables(manifest, str(folder)))

    def files(self, table: str, but: Collection[tuple[str, str, str]] = ()) -> dict[str, list[Path]]:
        """The files of a base table by split, less those `but` (see `digests`)."""
        found: dict[str, list[Path]] = {}
        owner = PRIMARY if table.startswith(f"{PRIMARY}.") else table
        facts = self.manifest.tables.get(owner)
        for file in facts.files if facts else ():
            if (owner, file["split"], file["sha256"]) not in but:
                found.setdefault(file["split"], []).append(self.folder / file["path"])
        return found

    def digests(self) -> set[tuple[str, str, str]]:
        """Table, split and digest of all data files: the same bytes in another table say another thing."""
        return {(name, file["split"], file["sha256"]) for name, table in self.manifest.tables.items() for file in table.files}

    def retracted(self) -> set[str]:
        """The articles that `versions.json` says were retracted; none where there is no such file."""
        versions = read_versions(self.folder, self.manifest) or {"retracted": ()}
        return {entry["article_id"] for entry in versions["retracted"]}


def projections(old: Side, new: Side) -> dict[str, dict[str, Any]]:
    """Derived tables and nested records, by name: rows before and after (None where a side lacks it), and whether it differs."""
    found = {}
    for name in {**old.manifest.tables, **new.manifest.tables}:
        before, after = old.manifest.tables.get(name), new.manifest.tables.get(name)
        if name not in old.tables and name not in new.tables and name != PRIMARY:
            digests = [facts.logical_digest if facts else None for facts in (before, after)]
            found[name] = {
                "before": before.rows if before else None,
                "after": after.rows if after else None,
                "changed": digests[0] != digests[1],
            }
    return found
