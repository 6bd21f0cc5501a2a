"""The section on baselines in a card: kept results as a table, with how small the data are, said before any number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dateline.manifest import whole_digest

FEW_STORIES = 20
"""Of fewer stories in a split nothing follows for any other text."""


def digest_of_views(results: Sequence[Mapping[str, Any]], tables: Mapping[str, str]) -> str:
    """One digest of the configs that results were measured on, from the logical digests of all tables.

    A view has no stamps of releases, so a release alone does not make results old.
    """
    return whole_digest({line["config"]: tables.get(line["config"], "") for line in results})


def baselines_section(found: Mapping[str, Any], tables: Mapping[str, str]) -> str:
    """Markdown of the results that `examples/baselines/run.py --write` keeps.

    `tables` has the logical digest of each table of the card's dataset: results of other views are said to be so.
    """
    stories = max((line["stories"] for line in found["results"] if line.get("part") != "CONTRAST"), default=0)
    said = []
    if stories < FEW_STORIES:
        plural = "story" if stories == 1 else "stories"
        said.append(
            f"**{stories} {plural} in the split {found['split']} are few:** mind the intervals. The table shows what no words, "
            "single words or a word list get here."
        )
    said.append(
        "Made by `python examples/baselines/run.py`, scored by `dateline score`; models were fitted on the split train alone."
    )
    if found["views_digest"] != digest_of_views(found["results"], tables):
        said.append(f"*Measured on an earlier state of the views (digest `{found['views_digest'][:12]}`).*")
    return " ".join(said) + "\n\n" + baselines_table(found)


def baselines_table(found: Mapping[str, Any]) -> str:
    """The results as a Markdown table; in brackets 95 % intervals over stories, where there are enough."""
    lines = ["| config | baseline | what it reads | part | train rows | test rows | scores |", "|---|---|---|---|--:|--:|---|"]
    for line in found["results"]:
        scores = ", ".join(_score(name, value, line.get("intervals", {}).get(name)) for name, value in line["measures"].items())
        cells = [line["config"], line["baseline"], line["reads"], line.get("part", ""), f"{line['train']:,}", f"{line['rows']:,}",
                 scores]  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _score(name: str, value: float | None, interval: Sequence[float] | None) -> str:
    if value is None:
        return f"{name} none"
    return f"{name} {value:.2f}" + (f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else "")
