"""The proof of teeth, for people: what docs/validation-matrix.md holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

_FOUND = {"content": "by content", "copies": "by a copy alone", "counts": "by counts alone", "": "not found"}
_NESTED = ("records", "standoff")
_MARKS = {"copies": "*", "counts": "°", "": ""}


def matrix_page(result: Json) -> str:
    """Markdown of a self-test's plain result (`SelfTest.as_json`): rules by kind of mutant, survivors, rules without teeth."""
    parts = [
        "# Validation matrix",
        "Which rule catches what. Each *mutant* is the dataset with one fault, made from the schemas, the references and "
        "the column types, never for a rule. Printed by `dateline validate --self-test --md`; a test says when "
        "suites have changed since.",
        _facts(result),
        "## Rules\n\nHow many mutants trip each rule, by kind: of how many of that kind in the tables that it reads. A rule "
        "that compares counts with the manifest's is marked *counts*, one that compares a nested record with the tables *copies*."
        "\n\n" + _rules(result),
        "## Kinds of mutants\n\n*By a copy alone*: only that an article's nested record, in `records` or `standoff`, still says "
        "the other thing. *By counts alone*: only a comparison with the manifest's counts finds them, which says that "
        "something is wrong and not what.\n\n" + _kinds(result),
        "## Survivors\n\nMutants that no rule about content finds, and why. Those marked \\* are found because a copy differs, "
        "those marked ° by counts.",
        _survivors(result),
        "## Without teeth\n\n" + _toothless(result),
        "## False alarms\n\n" + _alarms(result),
    ]
    return "\n\n".join(parts) + "\n"


def _facts(result: Json) -> str:
    outcomes = result["outcomes"]
    found = Counter(o["killed"] for o in outcomes)
    in_copies = sum("row-nested" in o["tripped"] and o["table"] in _NESTED for o in outcomes)
    unexplained = sum(o["reason"] is None for o in outcomes if o["killed"] != "content")
    drawn = "" if result["sample"] is None else f", a sample of {result['sample']}"
    lines = [
        ("mutants", f"{len(outcomes)}{drawn}; seed `{result['seed']}`, at most {result['most_per_kind']} per kind and column"),
        ("found by rules about content", found["content"]),
        ("of them faults in `records` and `standoff`, the nested copies, found because they differ from the tables", in_copies),
        ("found only because a copy differs (`row-nested`)", found["copies"]),
        ("found by counts alone", found["counts"]),
        ("not found", found[""]),
        ("of those not found by content, without a reason", unexplained),
        ("mutants on which a suite cannot be run", sum(bool(o["raised"]) for o in outcomes)),
        ("rules, of them without teeth", f"{len(result['rules'])}, {len(result['toothless'])}"),
        ("expectations, of them never tripped", f"{result['n_checks']}, {len(result['idle'])}"),
        ("data (logical digest)", f"`{result['data']}`"),
        ("suites (digest)", f"`{result['suites']}`"),
    ]
    return _table(("", ""), lines)


def _rules(result: Json) -> str:
    rows = []
    for rule, facts in result["rules"].items():
        kinds = result["matrix"].get(rule, {})
        total = sum(n for n, _ in kinds.values())
        said = ", ".join(f"{kind} {n}/{of}" for kind, (n, of) in kinds.items())
        mark = f" *{facts['about']}*" if facts["about"] != "content" else ""
        rows.append((f"`{rule}`{mark}", facts["level"], total, said or "**none**"))
    return _table(("rule", "level", "mutants", "by kind"), rows)


def _kinds(result: Json) -> str:
    rows = []
    for kind, says in result["kinds"].items():
        found = Counter(o["killed"] for o in result["outcomes"] if o["kind"] == kind)
        rows.append((f"`{kind}`", says, sum(found.values()), *(found[how] for how in _FOUND)))
    return _table(("kind", "what", "mutants", *_FOUND.values()), rows)


def _survivors(result: Json) -> str:
    by_reason: dict[str, dict[str, list[str]]] = {}
    for o in result["outcomes"]:
        if o["killed"] != "content":
            places = by_reason.setdefault(o["reason"] or "**No reason is written: a rule is missing.**", {})
            said = o["kind"] + _MARKS[o["killed"]]
            kinds = places.setdefault(f"{o['table']}.{o['column']}" if o["column"] else o["table"], [])
            if said not in kinds:
                kinds.append(said)
    blocks = [f"{reason}\n\n" + _places(places) for reason, places in by_reason.items()]
    if result["stale"]:
        blocks.append("Reasons for what is not there (remove them):\n\n" + "\n".join(f"- {s}" for s in result["stale"]))
    return "\n\n".join(blocks) or "None."


def _places(places: Mapping[str, list[str]]) -> str:
    """Lines of kinds by place, those with the same kinds together."""
    alike: dict[str, list[str]] = {}
    for place, kinds in places.items():
        alike.setdefault(", ".join(kinds).replace("*", "\\*"), []).append(f"`{place}`")
    return "\n".join(f"- {', '.join(some)}: {kinds}" for kinds, some in alike.items())


def _toothless(result: Json) -> str:
    why = result["excused"]
    rules = "\n".join(f"- `{rule}`: {why.get(rule, '**no reason is written.**')}" for rule in result["toothless"])
    idle = "\n".join(f"- {says}" for says in result["idle"])
    said = f"Rules that no mutant trips:\n\n{rules}" if rules else "Every rule is tripped by some mutant."
    return said + (f"\n\nExpectations that no mutant trips:\n\n{idle}" if idle else "\n\nSo is every expectation.")


def _alarms(result: Json) -> str:
    if not result["false_alarms"]:
        return "No rule trips on the dataset as it is."
    said = ", ".join(f"`{rule}` ({result['rules'][rule]['level']})" for rule in result["false_alarms"])
    return f"Rules that trip on the dataset as it is: {said}. A mutant trips them if more rows fail."


def _table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    lines = [list(map(str, head)), *(list(map(str, row)) for row in rows)]
    text = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join([text[0], "|" + "---|" * len(lines[0]), *text[1:]])


# ---- read again ----------------------------------------------------------------------------------------------------

_CAUGHT = re.compile(r"([\w-]+) (\d+)/(\d+)")


@dataclass(frozen=True)
class RuleCaught:
    """A rule's line in the page: how many mutants trip it, by kind (caught, of how many)."""

    rule: str
    level: str
    about: str
    mutants: int
    kinds: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Matrix:
    """What `matrix_page` wrote: facts as pairs, and a line per rule."""

    facts: list[tuple[str, str]]
    rules: list[RuleCaught]


def read_matrix(text: str) -> Matrix:
    """The facts and the rules of a page that `matrix_page` wrote; nothing of a text that is none."""
    head, _, rest = text.partition("\n## Rules\n")
    rules, _, _ = rest.partition("\n## ")
    facts = [(cells[0].replace("`", ""), cells[1].replace("`", "")) for cells in _lines(head) if len(cells) == 2 and cells[0]]
    found = []
    for cells in _lines(rules):
        if len(cells) == 4 and cells[2].isdigit():
            name, _, about = cells[0].partition(" ")
            kinds = {kind: (int(n), int(of)) for kind, n, of in _CAUGHT.findall(cells[3])}
            found.append(RuleCaught(name.strip("`"), cells[1], about.strip("*"), int(cells[2]), kinds))
    return Matrix(facts, found)


def _lines(text: str) -> list[list[str]]:
    """The cells of each line of tables, without heads and rules."""
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in rows]
