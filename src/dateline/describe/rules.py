"""The list of all rules, for people: what docs/rules.md holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from dateline.rules import Rule

_STAGES = {
    "check": "Decided from the records, before anything is written (`dateline check`, `dateline rebuild`).",
    "derive": "Decided from the articles of a story together, when estimates follow from their claims (`dateline rebuild`).",
    "import": "Decided from the files of another format (`dateline import`).",
    "migrate": "Decided while seeds are rewritten for another schema version (`dateline migrate`).",
    "leak": "Decided from the finished files, before any is put in place, or from the texts that `dateline hydrate` reads.",
    "validate": "Decided from whole tables, by a Great Expectations suite in `expectations/`.",
    "splits": "Decided from the texts of a dataset, compared across its splits, beside the suites (`dateline validate`).",
}


def rules_page(rules: Mapping[str, Rule], decided: Set[str]) -> str:
    """Markdown tables of rules by stage; `decided` are the ids of validate rules that a suite carries."""
    parts = ["# Rules", "What can be wrong, by stage. This page is printed by `dateline rules --md`; a test compares it."]
    for stage, meaning in _STAGES.items():
        mine = [rule for rule in rules.values() if rule.stage == stage]
        if mine:
            parts.append(f"## {stage}\n\n{meaning}\n\n{_table(mine, decided)}")
    return "\n\n".join(parts) + "\n"


def _table(rules: Iterable[Rule], decided: Set[str]) -> str:
    lines = ["| rule | of | level | says | how to go on |", "|---|---|---|---|---|"]
    for rule in rules:
        waits = "" if rule.stage != "validate" or rule.id in decided else " *(no suite decides it yet)*"
        hint = rule.hint if "{" not in rule.hint else "depends on the case"
        lines.append(f"| `{rule.id}` | {rule.owner} | {rule.level} | {_cell(rule.message)}{waits} | {_cell(hint)} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
