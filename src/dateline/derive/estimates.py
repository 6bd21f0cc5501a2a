"""estimands, estimates, estimate_pairs: who says which number of what, and how the numbers relate, across a story's articles.

An *estimate* is one number in one claim that names an estimand. What the text says stands in its columns, and beside it what
follows:

- *effective* comparator and bounds: a bare number that restates a hedged one of the same value keeps the hedge ("about 10,000 …
  this 10,000").
- *principals*: for whom the source speaks: those it speaks on behalf of, where the attribution says so, else where the chain
  of `affiliation_entity_id` ends (Blinken -> United States); of an authorial claim the outlet. Entities of different articles
  are one where they share an identifier of a knowledge base or a canonical name.
- *chain*: the attributions around the claim, outermost first; it is factual if each act in it is reported as real.

A *pair* joins two estimates of one estimand, in one unit, that can be held against each other: both are committed to, neither is
a restatement. `left_out` says of every other estimate why it is in none. Nothing crosses from an estimand to its parent: 8,000
in Kursk and 10,000 in Russia do not disagree. What is *computed* (dateline.derive.intervals) and what was *judged*
by an annotator stand in columns of their own; a label computed from the row's columns is no label.

All is pure, and needs no text: articles with their layers in, rows and faults out.
"""

from __future__ import annotations

import decimal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations
from typing import Any, NamedTuple

from dateline.derive.article import Article
from dateline.derive.intervals import APPROX, BARE, VAGUE, Amount, interval_relation, point_relation
from dateline.project import Estimates as Settings

AT_LEVEL = ("LEVEL", "INCREASE_TO", "DECREASE_TO")
"""Changes that name where a number stands after them; INCREASE_BY and DECREASE_BY name the step itself."""
UNCOMMITTED = ("DEMANDED", "NORMATIVE", "QUESTIONED", "CONDITIONAL")
"""Modalities under which nobody says that the number is so."""
LEFT_OUT = ("RESTATEMENT", "NONFACTUAL_CHAIN", "UNCOMMITTED", "VAGUE", "NEGATED_NUMBER", "RETRACTED")
PLACES = 9
"""Decimal places of the columns that hold numbers."""
_PRECISE = decimal.Context(prec=80)


class Fault(NamedTuple):
    """Something wrong in the rows: the rule, the table and row (`article_id#key`) where it stands, what its message needs."""

    rule: str
    table: str
    row: str
    values: dict[str, str]


@dataclass
class Derived:
    """The rows of the three tables, in the order of their keys, and what is wrong in them."""

    estimands: list[dict[str, Any]] = field(default_factory=list)
    estimates: list[dict[str, Any]] = field(default_factory=list)
    pairs: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def derive_story(articles: Sequence[Article], judgements: Sequence[Mapping[str, Any]], settings: Settings) -> Derived:
    """The estimates of the articles of one story, in one split. `judgements` are those that name estimates of it.

    Rows are in the order of their ids, whatever the order of the articles.
    """
    with decimal.localcontext(_PRECISE):
        return _Story(sorted(articles, key=lambda a: a.id), settings).derive(judgements)


def estimate_id(article_id: str, claim_id: str, quantity_id: str) -> str:
    """`<article_id>#<claim_id>:<quantity_id>`."""
    return f"{article_id}#{claim_id}:{quantity_id}"


def numbers_of(article: Article) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each claim that says a number, with the quantity. Comparisons say none: they hold numbers said elsewhere together."""
    for claim in article.items("claims"):
        if claim["claim_type"] != "COMPARISON":
            for key in claim["quantity_ids"]:
                quantity = article.item("quantities", key)
                if quantity is not None:
                    yield claim, quantity


def chain_of(article: Article, claim: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The attributions around a claim, outermost first, as the column `chain` gives them."""
    return [
        {
            "sources": names_of(article, a["source_entity_ids"]),
            **{name: a.get(name) for name in ("attitude", "quote_type", "determinacy")},
        }
        for a in _attributions(article, claim)
    ]


def names_of(article: Article, keys: Iterable[str]) -> list[str]:
    """The canonical names of entities."""
    items = (article.item("entities", key) for key in keys)
    return [item["canonical_name"] for item in items if item]


def times_of(article: Article, claim: Mapping[str, Any], quantity: Mapping[str, Any]) -> dict[str, str | None]:
    """When the number holds and when it was said, as EDTF, each with how that is known; null where it is not stated."""
    innermost = _innermost(article, claim)
    said_at = claim.get("utterance_time_id")
    said, basis = (said_at, claim.get("as_of_basis")) if said_at else (innermost.get("time_id"), innermost.get("as_of_basis"))
    found = {
        "as_of": _edtf(article, quantity.get("time_id")),
        "as_of_basis": quantity.get("as_of_basis"),
        "utterance_time": _edtf(article, said),
        "utterance_basis": basis,
    }
    found["as_of_basis"] = found["as_of_basis"] if found["as_of"] else None
    found["utterance_basis"] = found["utterance_basis"] if found["utterance_time"] else None
    return found


class Principals:
    """Which entities of the articles of a story are one, and for whom each of them speaks."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self._articles = articles
        self._parent: dict[str, str] = {}
        self._names: dict[str, Counter[str]] = {}
        for article in articles:
            for entity in article.items("entities"):
                self._join(*self._labels(entity))
        for article in articles:
            for entity in article.items("entities"):
                name = entity["canonical_name"]
                self._names.setdefault(self._root(self._labels(entity)[0]), Counter())[name] += 1

    def of(self, article: Article, claim: Mapping[str, Any]) -> dict[str, str]:
        """The principals of a claim: names by key, in the order of the keys."""
        if claim["is_authorial"]:
            outlet = article.row.get("publisher") or article.id
            return {f"outlet:{outlet}": outlet}
        speakers = _innermost(article, claim).get("on_behalf_of_entity_ids") or claim["source_entity_ids"]
        found = {}
        for key in speakers:
            entity = self._top(article, key)
            if entity is not None:
                root = self._root(self._labels(entity)[0])
                found[root] = min(self._names[root].items(), key=lambda n: (-n[1], n[0]))[0]
        return dict(sorted(found.items()))

    def _top(self, article: Article, key: str) -> dict[str, Any] | None:
        """Where the chain of affiliations ends; a chain that comes back to itself ends before it does."""
        entity, seen = article.item("entities", key), {key}
        while entity is not None and (onward := entity.get("affiliation_entity_id")) and onward not in seen:
            seen.add(onward)
            further = article.item("entities", onward)
            if further is None:
                break
            entity = further
        return entity

    @staticmethod
    def _labels(entity: Mapping[str, Any]) -> list[str]:
        named = [f"name:{entity['canonical_name'].casefold()}"]
        known = [f"{entity.get('kb') or 'kb'}:{entity['kb_id']}"] if entity.get("kb_id") else []
        return [*known, *named]

    def _join(self, *labels: str) -> None:
        roots = sorted({self._root(label) for label in labels}, key=_kb_first)
        for other in roots[1:]:
            self._parent[other] = roots[0]

    def _root(self, label: str) -> str:
        while (above := self._parent.get(label, label)) != label:
            label = above
        return label


# ---- one story -----------------------------------------------------------------------------------------------


class _Story:
    def __init__(self, articles: Sequence[Article], settings: Settings) -> None:
        self.articles, self.settings = articles, settings
        self.tolerance = Decimal(str(settings.interval_tolerance))
        self.principals = Principals(articles)
        self.out = Derived()
        self.amounts: dict[str, Amount] = {}
        """Effective amounts in the unit of the estimand, by estimate."""

    def derive(self, judgements: Sequence[Mapping[str, Any]]) -> Derived:
        rows = [row for article in self.articles for row in self._estimates(article)]
        by_estimand: dict[str, list[dict[str, Any]]] = {}
        for row in sorted(rows, key=lambda r: str(r["estimate_id"])):
            by_estimand.setdefault(row["estimand_id"], []).append(row)
        for name, members in sorted(by_estimand.items()):
            self._to_one_unit(name, members)
        self.out.estimates = sorted(rows, key=lambda r: str(r["estimate_id"]))
        judged = self._judged(judgements)
        for _, members in sorted(by_estimand.items()):
            self.out.pairs += self._pairs(members, judged)
        self.out.pairs.sort(key=lambda p: str(p["pair_id"]))
        return self.out

    # -- estimates --

    def _estimates(self, article: Article) -> Iterator[dict[str, Any]]:
        found = {}
        for claim, quantity in numbers_of(article):
            if claim.get("estimand_id"):
                row = self._estimate(article, claim, quantity)
                found[claim["claim_id"], quantity["quantity_id"]] = row
        by_quantity: dict[str, list[dict[str, Any]]] = {}
        for row in found.values():
            by_quantity.setdefault(row["quantity_id"], []).append(row)
        retracted: set[str] = set()
        for (_, key), row in found.items():
            quantity = article.item("quantities", key) or {}
            for kind in ("restates", "retracts", "subset_of"):
                others = by_quantity.get(quantity.get(f"{kind}_quantity_id") or "", [])
                same = [o for o in others if o["estimand_id"] == row["estimand_id"]]
                row[f"{kind}_estimate_id"] = next((o["estimate_id"] for o in same or others), None)
            retracted |= {o["estimate_id"] for o in by_quantity.get(quantity.get("retracts_quantity_id") or "", [])}
        for row in found.values():
            row["left_out"] = self._left_out(row, retracted)
            yield row

    def _estimate(self, article: Article, claim: dict[str, Any], quantity: dict[str, Any]) -> dict[str, Any]:
        effective = self._effective(article, quantity)
        chain = _attributions(article, claim)
        principals = self.principals.of(article, claim)
        name = estimate_id(article.id, claim["claim_id"], quantity["quantity_id"])
        self.amounts[name] = _amount(quantity, effective)
        relayed = [n for a in chain[:-1] for n in names_of(article, a["source_entity_ids"])]
        return {
            "estimate_id": name,
            "story": article.story,
            "article_id": article.id,
            "claim_id": claim["claim_id"],
            "quantity_id": quantity["quantity_id"],
            "estimand_id": f"{article.story}/{claim['estimand_id']}",
            "language": article.row.get("language"),
            "publisher": article.row.get("publisher"),
            "published": article.row.get("published"),
            **{c: quantity.get(c) for c in ("value", "low", "high", "low_closed", "high_closed", "comparator", "hedge_type")},
            "effective_comparator": effective["comparator"],
            "effective_hedge_type": effective.get("hedge_type"),
            "effective_low": effective.get("low"),
            "effective_high": effective.get("high"),
            "unit": quantity.get("unit"),
            "measure": quantity.get("measure"),
            "change": quantity.get("change"),
            "comparable_value": None,
            "comparable_low": None,
            "comparable_high": None,
            "rate": None,
            **{c: claim[c] for c in ("certainty", "polarity", "modality")},
            "is_denial": claim["polarity"] == "NEG",
            "is_authorial": claim["is_authorial"],
            "source_names": names_of(article, claim["source_entity_ids"]),
            "principals": list(principals.values()),
            "principal_keys": list(principals),
            "chain": chain_of(article, claim),
            "chain_factual": all(a.get("determinacy") != "NONFACTUAL" for a in chain),
            "relayed_by": list(dict.fromkeys(relayed)),
            **times_of(article, claim, quantity),
            "_unit_system": quantity.get("unit_system"),
            "_parent": claim.get("parent_estimand_id"),
        }

    def _effective(self, article: Article, quantity: dict[str, Any]) -> dict[str, Any]:
        """The quantity whose comparator and bounds hold: of a bare restatement, those of what it restates."""
        found, seen = quantity, [quantity["quantity_id"]]
        while found.get("restates_quantity_id"):
            if found["restates_quantity_id"] in seen:
                through = " -> ".join([*seen, found["restates_quantity_id"]])
                self.out.faults.append(Fault("restatement-cycle", "quantities", f"{article.id}#{seen[0]}", {"through": through}))
                return quantity
            before = article.item("quantities", found["restates_quantity_id"])
            if before is None or found["comparator"] != BARE or before.get("value") != found.get("value"):
                break
            found = before
            seen.append(found["quantity_id"])
        return found

    def _left_out(self, row: Mapping[str, Any], retracted: Set[str]) -> str | None:
        """Why an estimate is in no pair; None if it may be in one."""
        if row["restates_estimate_id"]:
            return "RESTATEMENT"
        if not row["chain_factual"] and not self.settings.pair_nonfactual:
            return "NONFACTUAL_CHAIN"
        if row["certainty"] == "U" or row["polarity"] == "UNK" or row["modality"] in UNCOMMITTED:
            return "UNCOMMITTED"
        if row["effective_comparator"] == VAGUE:
            return "VAGUE"
        if row["is_denial"] and row["value"] != 0:
            return "NEGATED_NUMBER"
        return "RETRACTED" if row["estimate_id"] in retracted else None

    # -- estimands and their unit --

    def _to_one_unit(self, estimand: str, members: list[dict[str, Any]]) -> None:
        numbered = [r for r in members if r["effective_comparator"] != VAGUE]
        self._unitless(numbered)
        unit = _usual(r["unit"] for r in numbered if r["unit"])
        measure = _usual(r["measure"] for r in members if r["measure"])
        for row in members:
            if row["measure"] != measure:
                self._fault("estimand-measure", row, found=row["measure"], other=measure)
        for row in numbered:
            if row["unit"] and unit:
                self._convert(row, unit, members)
        changes = {_change(r["change"]) for r in members}
        self.out.estimands.append({
            "estimand_id": estimand,
            "story": members[0]["story"],
            "name": estimand.rpartition("/")[2],
            "measure": measure,
            "unit": unit,
            "change": changes.pop() if len(changes) == 1 else None,
            "parent_estimand_id": next((f"{r['story']}/{r['_parent']}" for r in members if r["_parent"]), None),
            "n_estimates": len(members),
            "n_articles": len({r["article_id"] for r in members}),
        })  # fmt: skip

    def _unitless(self, numbered: list[dict[str, Any]]) -> None:
        for row in numbered:
            if not row["unit"]:
                self._fault("estimand-unit", row)

    def _convert(self, row: dict[str, Any], unit: str, members: list[dict[str, Any]]) -> None:
        rate = self._rate(row["unit"], unit)
        if rate is None:
            money = row["_unit_system"] == "ISO4217" and any(
                r["unit"] == unit and r["_unit_system"] == "ISO4217" for r in members
            )
            self._fault("estimand-rate" if money else "estimand-kinds", row, found=row["unit"], other=unit)
            return
        if rate != 1:
            row["rate"] = _in_column(rate)
            self.amounts[row["estimate_id"]] = self.amounts[row["estimate_id"]].times(rate)
        amount = self.amounts[row["estimate_id"]]
        for name, number in (("value", amount.value), ("low", amount.low), ("high", amount.high)):
            row[f"comparable_{name}"] = _in_column(number)

    def _rate(self, unit: str, to: str) -> Decimal | None:
        if unit == to:
            return Decimal(1)
        for rate in self.settings.rates:
            if (rate.unit, rate.to) == (unit, to):
                return rate.number
            if (rate.to, rate.unit) == (unit, to):
                return 1 / rate.number
        return None

    def _fault(self, rule: str, row: Mapping[str, Any], **values: str | None) -> None:
        name = f"{row['article_id']}#{row['quantity_id']}"
        said = {"estimand": row["estimand_id"].rpartition("/")[2], **{k: str(v) for k, v in values.items()}}
        self.out.faults.append(Fault(rule, "quantities", name, said))

    # -- pairs --

    def _judged(self, judgements: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
        known = {row["estimate_id"] for row in self.out.estimates}
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        for judgement in judgements:
            pair = pair_of(judgement)
            for name in pair:
                if name not in known:
                    self.out.faults.append(Fault("judgement-estimate", "judgements", judgement["judgement_id"], {"found": name}))
            if pair in found:
                other = str(found[pair]["judgement_id"])
                self.out.faults.append(Fault("judgement-twice", "judgements", judgement["judgement_id"], {"other": other}))
            found[pair] = judgement
        return found

    def _pairs(
        self, members: list[dict[str, Any]], judged: Mapping[tuple[str, str], Mapping[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        paired = [r for r in members if r["left_out"] is None]
        contrasts = {a.id: list(_contrasts(a)) for a in self.articles if any(r["article_id"] == a.id for r in paired)}
        for a, b in combinations(paired, 2):
            if _change(a["change"]) != _change(b["change"]):
                continue
            first, second = self.amounts[a["estimate_id"]], self.amounts[b["estimate_id"]]
            same_article = a["article_id"] == b["article_id"]
            marked = [
                claim for claim, held in contrasts[a["article_id"]] if {a["quantity_id"], b["quantity_id"]} <= held
            ] if same_article else []  # fmt: skip
            off = None if first.value is None or second.value is None else abs(first.value - second.value)
            largest = max(abs(first.value or Decimal(0)), abs(second.value or Decimal(0)))
            judgement = judged.get((a["estimate_id"], b["estimate_id"]))
            yield {
                "pair_id": f"{a['estimate_id']}|{b['estimate_id']}",
                "story": a["story"],
                "estimand_id": a["estimand_id"],
                "estimate_a": a["estimate_id"],
                "estimate_b": b["estimate_id"],
                "article_a": a["article_id"],
                "article_b": b["article_id"],
                "same_article": same_article,
                "same_principal": bool({*a["principal_keys"]} & {*b["principal_keys"]}),
                "point_relation": point_relation(first, second),
                "interval_relation": interval_relation(first, second, self.tolerance),
                "interval_tolerance": self.settings.interval_tolerance,
                "contrast_marked": bool(marked),
                "contrast_claim_ids": marked,
                "is_denial_pair": a["is_denial"] != b["is_denial"],
                "abs_diff": _in_column(off),
                "rel_diff": None if off is None else float(off / largest) if largest else 0.0,
                "judged_relation": judgement["relation"] if judgement else None,
                "judgement_id": judgement["judgement_id"] if judgement else None,
            }


def _in_column(number: Decimal | None) -> Decimal | None:
    """A number as the columns of estimates hold it, to nine places: a rate may have more, and its inverse has no end."""
    exponent = number.as_tuple().exponent if number is not None else 0
    if number is None or not isinstance(exponent, int) or exponent >= -PLACES:
        return number
    return number.quantize(Decimal(1).scaleb(-PLACES), context=_PRECISE)


def pair_of(judgement: Mapping[str, Any]) -> tuple[str, str]:
    """The two estimates that a judgement is about, in the order of their ids."""
    first, second = sorted((str(judgement["estimate_a"]), str(judgement["estimate_b"])))
    return first, second


def _contrasts(article: Article) -> Iterator[tuple[str, set[str]]]:
    """The comparisons of an article with the quantities that they hold together, restatements and what they restate alike."""
    for claim in article.items("claims"):
        if claim["claim_type"] == "COMPARISON":
            held = set(claim["quantity_ids"])
            for key in claim["quantity_ids"]:
                while (quantity := article.item("quantities", key)) and (key := quantity.get("restates_quantity_id")) not in {
                    None,
                    *held,
                }:
                    held.add(key)
            yield claim["claim_id"], held


def _attributions(article: Article, claim: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = (article.item("attributions", key) for key in claim.get("attribution_chain") or ())
    return [a for a in found if a is not None]


def _innermost(article: Article, claim: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attribution that carries the claim; empty for the author's."""
    found = _attributions(article, claim)
    return found[-1] if found else {}


def _amount(quantity: Mapping[str, Any], effective: Mapping[str, Any]) -> Amount:
    return Amount(
        effective["comparator"],
        quantity.get("value"),
        effective.get("low"),
        effective.get("high"),
        effective.get("low_closed"),
        effective.get("high_closed"),
        effective.get("hedge_type") if effective["comparator"] == APPROX else None,
        quantity.get("rounding_unit"),
        quantity.get("quantity_kind") == "COUNT",
    )


def _edtf(article: Article, key: str | None) -> str | None:
    time = article.item("times", key)
    return time.get("edtf") if time else None


def _change(change: str | None) -> str:
    return "LEVEL" if change is None or change in AT_LEVEL else change


def _usual(values: Iterable[str]) -> str | None:
    """The value that stands most often; of several the first by alphabet."""
    counts = Counter(values)
    return min(counts, key=lambda v: (-counts[v], v)) if counts else None


def _kb_first(label: str) -> tuple[bool, str]:
    return label.startswith("name:"), label
