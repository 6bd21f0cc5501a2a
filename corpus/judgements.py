"""The table of judgements: those of some articles replaced by others, all ids kept where the pair is the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Judgement:
    """How two estimates relate, on what basis, and who says so."""

    one: str
    other: str
    relation: str
    basis: str
    why: str
    annotator: str


def replace_judgements(path: Path, articles: Set[str], found: Iterable[Judgement]) -> None:
    """Put `found` in the place of all judgements about `articles`; a pair that stays keeps its id, others get the next free."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    old = {(r["estimate_a"], r["estimate_b"]): r["judgement_id"] for r in rows}
    kept = [r for r in rows if not {r["estimate_a"].split("#")[0], r["estimate_b"].split("#")[0]} & articles]
    number = max((int(r["judgement_id"][1:]) for r in rows), default=0)
    for one in sorted(found, key=lambda j: sorted((j.one, j.other))):
        pair = (min(one.one, one.other), max(one.one, one.other))
        if pair not in old:
            number += 1
        kept.append({
            "judgement_id": old.get(pair, f"j{number}"), "estimate_a": pair[0], "estimate_b": pair[1], "relation": one.relation,
            "basis": one.basis, "annotator_id": one.annotator, "annotator_type": "MODEL", "status": "PRIMARY", "note": one.why,
        })  # fmt: skip
    kept.sort(key=lambda r: int(r["judgement_id"][1:]))
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept), encoding="utf-8")
