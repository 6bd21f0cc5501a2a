"""CITATION.cff (https://citation-file-format.github.io): made of the settings, or a release put into one that is there. Pure."""

from __future__ import annotations

import re

import yaml

from dateline.project import Settings


def with_version(text: str, version: str, date: str) -> str:
    """The file with these two keys, changed where they stand, else put at the end; all else stays as people wrote it."""
    for key, value in (("version", version), ("date-released", f'"{date}"')):
        line = f"{key}: {value}"
        text, n = re.subn(rf"^{key}:.*$", line, text, count=1, flags=re.MULTILINE)
        text = text if n else text.rstrip("\n") + f"\n{line}\n"
    return text


def citation(settings: Settings, version: str, date: str) -> str:
    """The file for a project that wrote none: its title, its licence where that is a single one of SPDX's list, its home."""
    title = settings.title or settings.name
    said = {
        "cff-version": "1.2.0",
        "message": f"If you use {title}, please cite it as below.",
        "title": title,
        "type": "dataset",
        "authors": [{"name": f"The contributors of {title}"}],
    }
    if re.fullmatch(r"[A-Za-z0-9.+-]+", settings.license) and not settings.license.startswith("LicenseRef-"):
        said["license"] = settings.license
    if settings.summary:
        said["abstract"] = settings.summary.strip()
    if settings.homepage:
        said["url"] = settings.homepage
    text = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=120)
    return with_version(text, version, date)
