"""Exporting a view for training: in one of the forms of `view_exporters`, all of it in a new folder, or nothing."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dateline.errors import BuildError, UsageError
from dateline.files import whole_folder
from dateline.view_exporters import Written, view_exporter
from dateline.view_rows import View, view_of

README = "README.txt"
IGNORE = ".gitignore"


@dataclass(frozen=True)
class ExportedView:
    """What was written of a view; with `dry_run` what would be."""

    view: View
    form: str
    written: Written

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON types."""
        return {
            "view": self.view.name,
            "form": self.form,
            "splits": list(self.view.splits),
            "counts": dict(self.written.counts),
            "written": self.written.files,
        }


def export_view(
    dataset: Path, view_name: str, form: str, out: Path, *, split: str | None = None, dry_run: bool = False
) -> ExportedView:
    """Write a view of the dataset in a folder to the new folder `out`; with `dry_run` to nowhere.

    Raises UsageError for an unknown form, view or split, a view without rows or of which the form cannot be made, and a folder
    that has something in it; LoadError for a dataset that cannot be read; BuildError where the folder cannot be written.
    """
    write = view_exporter(form)
    view = view_of(dataset, view_name, split)
    _refuse(out, dataset)
    if not view.splits:
        raise UsageError(f"{view_name} has no rows{f' in the split {split}' if split else ''}: there is nothing to export")
    if dry_run:
        with tempfile.TemporaryDirectory(prefix="dateline-") as folder:
            return ExportedView(view, form, write(view, Path(folder)))
    try:
        with whole_folder(out) as folder:
            written = write(view, folder)
            (folder / README).write_text("\n".join(_readme(view, form, written)) + "\n", encoding="utf-8", newline="\n")
            if view.private:  # as its dataset/, it gets into no commit by chance
                (folder / IGNORE).write_text("*\n", encoding="utf-8")
    except OSError as fault:
        raise BuildError(f"{out}: cannot be written: {fault.strerror or fault}; nothing was written") from None
    written.files += [README, IGNORE] if view.private else [README]
    return ExportedView(view, form, written)


def _refuse(out: Path, dataset: Path) -> None:
    whole, kept = out.resolve(), dataset.resolve()
    if whole == kept or kept in whole.parents or whole in kept.parents:
        raise UsageError(f"{out}: an export cannot stand there, where the dataset is; name another folder with --out")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: is there and not empty; name a new folder with --out")


def _readme(view: View, form: str, written: Written) -> list[str]:
    manifest = view.manifest
    head = f"The view {view.name} of {manifest.name} {manifest.version} as {form}, made by dateline export-view."
    return [
        head,
        f"Made of the dataset with the content digest {manifest.content_digest}.",
        "PRIVATE, not for distribution: it shows texts that may not be passed on, of a private project."
        if view.private
        else "Articles whose texts may not be passed on are not in it. Licences: the dataset's card.",
        "",
        *written.about,
        "",
        *(f"{n:,} {what}" for what, n in written.counts.items()),
    ]
