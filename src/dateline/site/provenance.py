"""From seed to release: what the release was made from and by, who annotated what, under which licences, and whether all that
holds together as `dateline verify` finds it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from dateline.licences import read_licences
from dateline.site.links import Links, anchor
from dateline.site.pages import Kind, Page
from dateline.site.read import ARTICLES, Reading
from dateline.verifying import Verified

HOME = "provenance/index.html"
_SETS = "annotation_sets"
_BY = ("annotator_id", "annotator_type", "tool", "tool_version", "guideline_version", "status", "adjudicator_id")
_RIGHTS = ("text_license", "annotation_license", "rights_holder", "rights_note", "text_redistributable")
_MOST_SOURCES = 200


def pages(reading: Reading, links: Links) -> Iterator[Page]:
    """The one page."""
    manifest = reading.corpus.manifest
    verified: Verified | None = reading.extra.get("verified")
    whole, code = (reading.project.license, reading.project.code_license) if reading.project else ("", "")
    licences = read_licences(reading.folder, manifest.tables, manifest.links, whole, code)
    yield Page(
        HOME,
        "provenance.html.j2",
        "Provenance",
        {
            "manifest": manifest,
            "verified": verified,
            "licences": licences,
            "layers": licences.by_licence(),
            "rights": _rights(reading),
            "sources": _sources(reading),
            "annotators": _annotators(reading),
            "tables": [
                {
                    "name": name,
                    "anchor": anchor("files", name),
                    "rows": facts.rows,
                    "derived": facts.derived,
                    "digest": facts.logical_digest,
                    "files": facts.files,
                }
                for name, facts in manifest.tables.items()
                if facts.rows
            ],
            "other": [*manifest.validation, *([manifest.versions] if manifest.versions else []), manifest.card],
            "splits": _splits(manifest.splits),
        },
    )


def _rights(reading: Reading) -> list[dict[str, Any]]:
    """How many articles stand under which rights, the most first."""
    columns = [c for c in _RIGHTS if c in reading.columns(ARTICLES)]
    found = Counter(tuple(row.get(c) for c in columns) for row in reading.rows(ARTICLES, columns))
    return [{**dict.fromkeys(_RIGHTS), **dict(zip(columns, key, strict=True)), "articles": n} for key, n in found.most_common()]


def _sources(reading: Reading) -> list[tuple[str, int, int]]:
    """Publishers as the articles name them, with articles and how many of them are withheld; the most first."""
    if "publisher" not in reading.columns(ARTICLES):
        return []
    found: Counter[str] = Counter()
    withheld: Counter[str] = Counter()
    for entry in reading.entries:
        name = str(entry.said.get("publisher") or "not stated")
        found[name] += 1
        withheld[name] += entry.withheld
    return [(name, n, withheld[name]) for name, n in found.most_common(_MOST_SOURCES)]


def _annotators(reading: Reading) -> list[dict[str, Any]]:
    """Who annotated each layer, with what, and how many articles that is."""
    if not reading.has(_SETS):
        return []
    columns = [c for c in _BY if c in reading.columns(_SETS)]
    found = Counter((row["layer"], *(row.get(c) for c in columns)) for row in reading.rows(_SETS, ["layer", *columns]))
    order = {name: n for n, name in enumerate(reading.corpus.layers)}
    rows = [{**dict.fromkeys(_BY), "layer": key[0], **dict(zip(columns, key[1:], strict=True)), "articles": n}
            for key, n in found.items()]  # fmt: skip
    return sorted(rows, key=lambda row: (order.get(row["layer"], len(order)), -row["articles"], str(row["annotator_id"])))


def _splits(splits: Any) -> list[tuple[str, str]]:
    """How articles came into their splits, as the manifest says, without the list of what was assigned by hand."""
    said = []
    for name, value in splits.items():
        if name == "assigned":
            said.append(
                (name, f"{sum(len(v) for v in value.values()):,} groups or patterns by hand" if value else "none by hand")
            )
        elif isinstance(value, dict):
            said.append((name, ", ".join(f"{k} {v:g}" for k, v in value.items())))
        else:
            said.append((name, str(value)))
    return [(name.replace("_", " "), words) for name, words in said]


KIND = Kind("Provenance", HOME, lambda _: True, pages)
