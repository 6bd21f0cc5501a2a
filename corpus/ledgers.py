"""Fact ledgers: what is true in a story, who says which number to whom, and how the numbers relate. Read, checked, asked.

seeds/stories/<story>.toml; docs/ledgers.md describes the format. A ledger is written before the prose. What pairs of figures are
to each other follows from it, never from reading the prose.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from notation import Fault, bound  # one reading of a bound, in ledgers and in articles

RELATIONS = ("AGREE", "CONFLICT", "UPDATE", "SUBSET", "DIFFERENT_ESTIMAND", "DENIAL", "UNDECIDABLE")
DOMAINS = ("conflict", "disaster", "health", "labour", "election", "aid", "migration", "economy")


@dataclass(frozen=True)
class Fact:
    """One number as one source gives it: the bound as printed, the chain of sources (outermost first), and its dates as EDTF."""

    key: str
    estimand: str
    comparator: str
    numbers: tuple[float | int, ...]
    by: tuple[frozenset[str], ...]
    outlets: frozenset[str]
    on: str | None
    as_of: str | None
    certainty: str
    polarity: str
    factual: bool
    updates: str | None
    restates: str | None
    retracts: str | None

    @property
    def authorial(self) -> bool:
        """Whether the outlet itself says it."""
        return self.by == (frozenset({"author"}),)


@dataclass(frozen=True)
class Estimand:
    """What is estimated."""

    measure: str
    unit: str | None
    part_of: str | None


@dataclass(frozen=True)
class Ledger:
    """The ledger of one story."""

    story: str
    domain: str
    outlets: Mapping[str, Mapping[str, str]]
    estimands: Mapping[str, Estimand]
    facts: Mapping[str, Fact]
    listed: Mapping[frozenset[str], tuple[str, str]]

    def estimand_of(self, fact: str) -> tuple[str, str | None] | None:
        """The estimand of a fact and what it is a part of, as claims name them: unique in the corpus."""
        if fact not in self.facts:
            return None
        name = self.facts[fact].estimand
        whole = self.estimands[name].part_of
        return self.unique(name), self.unique(whole) if whole else None

    def unique(self, estimand: str) -> str:
        """The name of an estimand with the first word of the story before it, unless it begins so."""
        word = self.story.partition("-")[0]
        return estimand if estimand.startswith(f"{word}-") else f"{word}-{estimand}"

    def root(self, key: str) -> str:
        """The fact that is restated, in the end."""
        before = self.facts[key].restates
        return self.root(before) if before else key

    def relation(self, a: str, b: str) -> tuple[str, str] | None:
        """How the numbers of two facts relate, and why; None where nothing says so."""
        one, other = self.root(a), self.root(b)
        for pair in ({a, b}, {one, b}, {a, other}, {one, other}):
            if frozenset(pair) in self.listed and len(pair) == 2:
                return self.listed[frozenset(pair)]
        if one == other:
            return ("AGREE", "one fact" if a == b else "one says the other again")
        if other in self._before(one) or one in self._before(other):
            return ("UPDATE", "the later figure takes the place of the earlier")
        here, there = self.facts[a].estimand, self.facts[b].estimand
        if self.estimands[here].part_of == there or self.estimands[there].part_of == here:
            return ("SUBSET", "one counts a part of the other")
        return None

    def _before(self, key: str) -> set[str]:
        """The roots of all facts that this one takes the place of."""
        found: set[str] = set()
        rest = [key]
        while rest:
            fact = self.facts[rest.pop()]
            for earlier in (fact.updates, fact.retracts, fact.restates):
                if earlier and self.root(earlier) not in found:
                    found.add(self.root(earlier))
                    rest.append(self.root(earlier))
        return found - {key}

    def countable(self, key: str) -> bool:
        """Whether a fact takes part in pairs without being listed: a number that somebody commits to."""
        fact = self.facts[key]
        return fact.comparator != "VAGUE" and fact.certainty != "U" and fact.factual

    def undecided(self) -> Iterator[tuple[str, str]]:
        """Pairs of facts of one estimand whose relation nothing says."""
        for a, b in combinations(self.facts, 2):
            same = self.facts[a].estimand == self.facts[b].estimand
            if same and self.countable(a) and self.countable(b) and self.relation(a, b) is None:
                yield a, b


def read_ledger(path: Path) -> tuple[Ledger, list[str]]:
    """A ledger and all that is wrong in it; raises Fault for what cannot be read at all."""
    try:
        doc = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise Fault(f"{path.name}: {fault}") from None
    faults: list[str] = []
    allowed = {"story", "domain", "title", "premise", "outlets", "estimands", "facts", "relations"}
    faults += [f"unknown key {key}" for key in sorted(doc.keys() - allowed)]
    faults += [f"expected {key}" for key in sorted(allowed - {"relations"} - doc.keys())]
    if faults:
        raise Fault(f"{path.name}: {'; '.join(faults)}")
    if doc["story"] != path.stem:
        faults.append(f"story is {doc['story']!r}, the file is called {path.stem}")
    if doc["domain"] not in DOMAINS:
        faults.append(f"domain is {doc['domain']!r}; there are {', '.join(DOMAINS)}")
    estimands = {key: _estimand(key, value, faults) for key, value in doc["estimands"].items()}
    facts = {}
    for key, value in doc["facts"].items():
        try:
            facts[key] = _fact(key, value, doc["outlets"], estimands)
        except Fault as fault:
            faults.append(str(fault))
    for fact in facts.values():
        faults += _links(fact, facts)
    listed = {}
    for number, row in enumerate(doc.get("relations", [])):
        where = f"relations[{number}]"
        if row.keys() != {"a", "b", "relation", "why"} or row.get("relation") not in RELATIONS:
            faults.append(f"{where}: expected a, b, why and a relation of {', '.join(RELATIONS)}")
        elif unknown := {row["a"], row["b"]} - facts.keys():
            faults.append(f"{where}: there is no fact {', '.join(sorted(unknown))}")
        else:
            listed[frozenset({row["a"], row["b"]})] = (row["relation"], row["why"])
    ledger = Ledger(doc["story"], doc["domain"], doc["outlets"], estimands, facts, listed)
    if not faults:
        faults += [f"facts {a} and {b} are of {facts[a].estimand}, and nothing says how they relate: list them in [[relations]]"
                   for a, b in ledger.undecided()]  # fmt: skip
    return ledger, [f"{path.name}: {fault}" for fault in faults]


def _estimand(key: str, value: Mapping[str, Any], faults: list[str]) -> Estimand:
    if extra := value.keys() - {"measure", "unit", "what", "part_of"}:
        faults.append(f"estimands.{key}: unknown key {', '.join(sorted(extra))}")
    if "measure" not in value:
        faults.append(f"estimands.{key}: expected a measure")
    return Estimand(value.get("measure", "OTHER"), value.get("unit"), value.get("part_of"))


_FACT = {
    "estimand",
    "says",
    "by",
    "to",
    "on",
    "as_of",
    "in",
    "certainty",
    "polarity",
    "factual",
    "updates",
    "restates",
    "retracts",
    "note",
}


def _fact(key: str, value: Mapping[str, Any], outlets: Mapping[str, Any], estimands: Mapping[str, Estimand]) -> Fact:
    where = f"facts.{key}"
    if extra := value.keys() - _FACT:
        raise Fault(f"{where}: unknown key {', '.join(sorted(extra))}; known: {', '.join(sorted(_FACT))}")
    if lacking := {"estimand", "says", "by", "in"} - value.keys():
        raise Fault(f"{where}: expected {', '.join(sorted(lacking))}")
    if value["estimand"] not in estimands:
        raise Fault(f"{where}: there is no estimand {value['estimand']}")
    if unknown := set(value["in"]) - outlets.keys():
        raise Fault(f"{where}: there is no outlet {', '.join(sorted(unknown))}")
    comparator, numbers = bound(value["says"], where)
    certainty = value.get("certainty", "CT")
    by = tuple(frozenset(name.strip() for name in step.split(" + ")) for step in value["by"])
    return Fact(
        key, value["estimand"], comparator, tuple(numbers), by,
        frozenset(value["in"]), value.get("on"), value.get("as_of"), certainty,
        value.get("polarity", "UNK" if certainty == "U" else "POS"), value.get("factual", True),
        value.get("updates"), value.get("restates"), value.get("retracts"),
    )  # fmt: skip


def _links(fact: Fact, facts: Mapping[str, Fact]) -> Iterator[str]:
    for name, other in (("updates", fact.updates), ("restates", fact.restates), ("retracts", fact.retracts)):
        if other is None:
            continue
        if other not in facts or other == fact.key:
            yield f"facts.{fact.key}: {name} names {other}, which is no other fact"
        elif facts[other].estimand != fact.estimand:
            yield f"facts.{fact.key}: {name} {other}, which is of another estimand"
