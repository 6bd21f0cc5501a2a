"""croissant.json (https://docs.mlcommons.org/croissant, 1.1): what a release holds, for tools that read that. Pure."""

from __future__ import annotations

import json
from typing import Any

from dateline.manifest import Manifest
from dateline.project import Settings

PARQUET = "application/x-parquet"


def croissant(manifest: Manifest, settings: Settings, date: str) -> str:
    """The text of croissant.json, of a release of that day."""
    said: dict[str, Any] = {
        "@context": {
            "@language": "en",
            "@vocab": "https://schema.org/",
            "sc": "https://schema.org/",
            "cr": "http://mlcommons.org/croissant/",
        },
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1"],
        "name": manifest.name,
        "version": manifest.version,
        "datePublished": date,
        "distribution": [_file(file) for table in manifest.tables.values() for file in table.files],
    }
    return json.dumps(said, ensure_ascii=False, indent=1) + "\n"


def _file(file: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file["path"],
        "name": file["path"],
        "contentUrl": file["path"],
        "contentSize": f"{file['bytes']} B",
        "encodingFormat": PARQUET,
        "sha256": file["sha256"],
    }
