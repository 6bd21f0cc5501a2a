"""The README of a static Space at the Hugging Face Hub: its head says that the pages are served as they are. Pure."""

from __future__ import annotations

import yaml

from dateline.describe.card import hub_license


def space_readme(title: str, name: str, version: str, license: str) -> str:
    """What makes a folder of pages a Space: push it to a repository of the kind `space`, and the Hub serves index.html."""
    head = {
        "title": title, "emoji": "📰", "colorFrom": "gray", "colorTo": "blue", "sdk": "static", "app_file": "index.html",
        "pinned": False, **hub_license(license),
    }  # fmt: skip
    front = yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=120)
    said = f"Pages of the release {version} of {name}, made by `dateline site --space`. They ask the network for nothing."
    return f"---\n{front}---\n\n{said}\n"
