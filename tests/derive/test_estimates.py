"""Estimates and their pairs: restatements, principals, chains, what is in no pair and why, units, judgements, faults."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateline.derive.estimates import Derived
from dateline.derive.intervals import Amount, interval_relation, point_relation
from dateline.project import Rate
from derive.stories import article, attribution, claim, derived, entity, judgement, quantity


def one(found: Derived, name: str) -> dict[str, Any]:
    return next(r for r in found.estimates if r["estimate_id"].endswith(name))


def rules(found: Derived) -> list[tuple[str, str]]:
    return [(f.rule, f.row) for f in found.faults]


# ---- restatements --------------------------------------------------------------------------------------------


def test_an_unhedged_restatement_keeps_the_hedge_also_through_another() -> None:
    """ "About 10,000 … this 10,000 … the 10,000": a bare restatement does not make the number exact."""
    found = derived(
        article(
            "a",
            quantity("q1", 10000, "APPROX", hedge_type="AROUND"),
            quantity("q2", 10000, restates_quantity_id="q1"),
            quantity("q3", 10000, restates_quantity_id="q2"),
            claim("c1", "q1"),
            claim("c2", "q2"),
            claim("c3", "q3"),
        )
    )
    assert [(r["comparator"], r["effective_comparator"], r["effective_hedge_type"]) for r in found.estimates] == [
        ("APPROX", "APPROX", "AROUND"),
        ("BARE", "APPROX", "AROUND"),
        ("BARE", "APPROX", "AROUND"),
    ]
    assert [r["restates_estimate_id"] for r in found.estimates] == [None, "a#c1:q1", "a#c2:q2"]
    assert [r["left_out"] for r in found.estimates] == [None, "RESTATEMENT", "RESTATEMENT"] and not found.pairs


def test_a_restatement_keeps_bounds_too() -> None:
    found = derived(
        article(
            "a", quantity("q1", 34, "GE"), quantity("q2", 34, restates_quantity_id="q1"), claim("c1", "q1"), claim("c2", "q2")
        )
    )
    assert (one(found, "q2")["low"], one(found, "q2")["effective_low"]) == (None, 34)


@pytest.mark.parametrize(
    "second", [quantity("q2", 10000, "EXACT", restates_quantity_id="q1"), quantity("q2", 9000, restates_quantity_id="q1")]
)
def test_a_restatement_with_a_hedge_or_a_value_of_its_own_keeps_its_own(second: dict[str, Any]) -> None:
    found = derived(
        article("a", quantity("q1", 10000, "APPROX", hedge_type="AROUND"), second, claim("c1", "q1"), claim("c2", "q2"))
    )
    assert one(found, "q2")["effective_comparator"] == second["comparator"]


def test_a_cycle_of_restatements_is_told_at_its_quantity() -> None:
    found = derived(
        article(
            "a",
            quantity("q1", 1, restates_quantity_id="q2"),
            quantity("q2", 1, restates_quantity_id="q1"),
            claim("c1", "q1"),
            claim("c2", "q2"),
        )
    )
    assert rules(found) == [("restatement-cycle", "a#q1"), ("restatement-cycle", "a#q2")]
    assert found.faults[0].values == {"through": "q1 -> q2 -> q1"}


# ---- principals and chains -----------------------------------------------------------------------------------

STATE = entity("e1", "United States", kb="wikidata", kb_id="Q30")
OFFICE = entity("e2", "Department of Defense", affiliation_entity_id="e1")
SPEAKER = entity("e3", "Pat Ryder", affiliation_entity_id="e2")


def test_principals_are_where_the_chain_of_affiliations_ends() -> None:
    found = derived(article("a", STATE, OFFICE, SPEAKER, quantity("q1", 1), claim("c1", "q1", by="e3")))
    row = found.estimates[0]
    assert (row["source_names"], row["principals"], row["principal_keys"]) == (["Pat Ryder"], ["United States"], ["wikidata:Q30"])


def test_those_on_whose_behalf_a_source_speaks_go_before_its_affiliation() -> None:
    other = entity("e4", "NATO")
    found = derived(
        article(
            "a",
            STATE,
            SPEAKER | {"affiliation_entity_id": "e1"},
            other,
            quantity("q1", 1),
            attribution("a-c1", "e3", on_behalf_of_entity_ids=["e4"]),
            claim("c1", "q1", by="e3"),
        )
    )
    assert found.estimates[0]["principals"] == ["NATO"]


def test_affiliations_that_come_back_to_themselves_end() -> None:
    found = derived(
        article(
            "a",
            entity("e1", "A", affiliation_entity_id="e2"),
            entity("e2", "B", affiliation_entity_id="e1"),
            quantity("q1", 1),
            claim("c1", "q1", by="e1"),
        )
    )
    assert found.estimates[0]["principals"] == ["B"]


def test_entities_of_two_articles_are_one_by_identifier_or_by_name() -> None:
    """The first article has the identifier, the second only the name, the third another name with the identifier."""
    known = entity("e1", "United States", kb="wikidata", kb_id="Q30")
    named = entity("e9", "united states")
    called = entity("e5", "USA", kb="wikidata", kb_id="Q30")
    found = derived(
        *(
            article(name, who, quantity("q1", n), claim("c1", "q1", by=who["entity_id"]))
            for name, who, n in (("a", known, 1), ("b", named, 2), ("c", called, 3))
        )
    )
    assert {tuple(r["principal_keys"]) for r in found.estimates} == {("wikidata:Q30",)}
    assert all(p["same_principal"] for p in found.pairs) and len(found.pairs) == 3


def test_the_principal_of_an_authorial_claim_is_the_outlet() -> None:
    found = derived(article("a", quantity("q1", 1), claim("c1", "q1"), publisher="Harbour Ledger"))
    row = found.estimates[0]
    assert (row["source_names"], row["principals"], row["is_authorial"], row["chain"]) == ([], ["Harbour Ledger"], True, [])


def test_a_chain_names_who_relays_and_whether_each_act_is_reported_as_real() -> None:
    asked = [attribution("a1", "e1"), attribution("a2", "e3", determinacy="NONFACTUAL", attitude="QUESTION")]
    found = derived(
        article(
            "a",
            STATE,
            SPEAKER | {"affiliation_entity_id": None},
            *asked,
            quantity("q1", 0, "EXACT"),
            claim("c1", "q1", by="e3", attribution_id="a2", attribution_chain=["a1", "a2"], polarity="NEG"),
        )
    )
    row = found.estimates[0]
    assert (row["relayed_by"], row["chain_factual"], row["left_out"]) == (["United States"], False, "NONFACTUAL_CHAIN")
    assert [link["sources"] for link in row["chain"]] == [["United States"], ["Pat Ryder"]]
    assert row["chain"][1]["determinacy"] == "NONFACTUAL"


def test_estimates_whose_chain_is_not_factual_are_paired_only_if_asked_for() -> None:
    asked = attribution("a-c1", "e1", determinacy="NONFACTUAL")
    made = article(
        "a",
        STATE,
        asked,
        quantity("q1", 0, "EXACT"),
        claim("c1", "q1", by="e1", polarity="NEG"),
        quantity("q2", 5),
        claim("c2", "q2"),
    )
    assert not derived(made).pairs
    (pair,) = derived(made, pair_nonfactual=True).pairs
    assert pair["is_denial_pair"] and pair["point_relation"] == "LOWER"


# ---- what is in no pair --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "fields", "why"),
    [
        (quantity("q1", None, "VAGUE", unit=None), {}, "VAGUE"),
        (quantity("q1", 11), {"modality": "DEMANDED"}, "UNCOMMITTED"),
        (quantity("q1", 11), {"modality": "QUESTIONED"}, "UNCOMMITTED"),
        (quantity("q1", 11), {"certainty": "U", "polarity": "UNK"}, "UNCOMMITTED"),
        (quantity("q1", 11), {"polarity": "NEG"}, "NEGATED_NUMBER"),
        (quantity("q1", 0, "EXACT"), {"polarity": "NEG"}, None),
        (quantity("q1", 11), {"modality": "PREDICTED", "certainty": "PS"}, None),
    ],
)
def test_why_an_estimate_is_in_no_pair(number: dict[str, Any], fields: dict[str, Any], why: str | None) -> None:
    found = derived(article("a", number, claim("c1", "q1", **fields), quantity("q2", 5), claim("c2", "q2")))
    assert one(found, "c1:q1")["left_out"] == why and len(found.pairs) == (why is None)


def test_a_retracted_number_is_in_no_pair_and_the_correction_names_it() -> None:
    found = derived(
        article("a", quantity("q1", 50), claim("c1", "q1"), quantity("q2", 40, retracts_quantity_id="q1"), claim("c2", "q2"))
    )
    assert (one(found, "q1")["left_out"], one(found, "q2")["retracts_estimate_id"]) == ("RETRACTED", "a#c1:q1")


def test_no_pair_across_parent_and_child_estimands() -> None:
    """8,000 in Kursk and 10,000 in Russia are no disagreement."""
    found = derived(
        article(
            "a",
            quantity("q1", 10000),
            claim("c1", "q1", estimand="in-russia"),
            quantity("q2", 8000),
            claim("c2", "q2", estimand="in-kursk", parent_estimand_id="in-russia"),
        )
    )
    assert not found.pairs
    assert [(e["name"], e["parent_estimand_id"]) for e in found.estimands] == [
        ("in-kursk", "flood/in-russia"),
        ("in-russia", None),
    ]


def test_a_level_and_a_step_are_no_pair() -> None:
    found = derived(
        article(
            "a",
            quantity("q1", 5, change="INCREASE_BY"),
            claim("c1", "q1"),
            quantity("q2", 5, change="INCREASE_TO"),
            claim("c2", "q2"),
            quantity("q3", 6),
            claim("c3", "q3"),
        )
    )
    assert [(p["estimate_a"], p["estimate_b"]) for p in found.pairs] == [("a#c2:q2", "a#c3:q3")]
    assert found.estimands[0]["change"] is None


def test_claims_without_an_estimand_and_comparisons_give_no_estimates() -> None:
    found = derived(article("a", quantity("q1", 5), claim("c1", "q1", estimand=None), claim("c2", "q1", claim_type="COMPARISON")))
    assert not found.estimates and not found.estimands


# ---- pairs ---------------------------------------------------------------------------------------------------


def test_a_comparison_in_the_text_marks_the_contrast_of_a_pair() -> None:
    found = derived(
        article(
            "a",
            quantity("q1", 10000, "APPROX"),
            claim("c1", "q1"),
            quantity("q2", 10000, restates_quantity_id="q1"),
            quantity("q3", 12000, "LE"),
            claim("c3", "q3"),
            quantity("q4", 9),
            claim("c4", "q4"),
            claim("c9", "q2", "q3", claim_type="COMPARISON", estimand=None),
        )
    )
    marked = {p["pair_id"]: p["contrast_claim_ids"] for p in found.pairs if p["contrast_marked"]}
    assert marked == {"a#c1:q1|a#c3:q3": ["c9"]}


def test_differences_are_given_where_both_name_a_number() -> None:
    found = derived(
        article(
            "a",
            quantity("q1", 40),
            claim("c1", "q1"),
            quantity("q2", 50),
            claim("c2", "q2"),
            quantity("q3", None, "RANGE", low=10, high=20),
            claim("c3", "q3"),
        )
    )
    assert [(p["abs_diff"], p["rel_diff"]) for p in found.pairs] == [(10, 0.2), (None, None), (None, None)]
    zero = derived(article("a", quantity("q1", 0), claim("c1", "q1"), quantity("q2", 0), claim("c2", "q2")))
    assert zero.pairs[0]["rel_diff"] == 0


def test_judged_and_computed_relations_stand_apart() -> None:
    made = [article("a", quantity("q1", 34, "GE"), claim("c1", "q1")), article("b", quantity("q1", 41, "GE"), claim("c1", "q1"))]
    found = derived(*made, judgements=(judgement("j1", "b#c1:q1", "a#c1:q1", "UPDATE"),))
    (pair,) = found.pairs
    assert (pair["interval_relation"], pair["judged_relation"], pair["judgement_id"]) == ("COMPATIBLE", "UPDATE", "j1")
    assert derived(*made).pairs[0]["judged_relation"] is None


def test_judgements_about_nothing_and_about_one_pair_twice_are_told() -> None:
    made = article("a", quantity("q1", 34), claim("c1", "q1"), quantity("q2", 4), claim("c2", "q2"))
    found = derived(
        made,
        judgements=(
            judgement("j1", "a#c1:q1", "a#c9:q9"),
            judgement("j2", "a#c1:q1", "a#c2:q2"),
            judgement("j3", "a#c2:q2", "a#c1:q1"),
        ),
    )
    assert [(f.rule, f.row, f.values) for f in found.faults] == [
        ("judgement-estimate", "j1", {"found": "a#c9:q9"}),
        ("judgement-twice", "j3", {"other": "j2"}),
    ]


# ---- units ---------------------------------------------------------------------------------------------------


def money(key: str, value: float, unit: str) -> dict[str, Any]:
    return quantity(key, value, unit=unit, unit_system="ISO4217", quantity_kind="MONEY", measure="AID")


def test_persons_and_money_are_not_compared() -> None:
    found = derived(
        article(
            "a",
            quantity("q1", 5),
            claim("c1", "q1"),
            quantity("q2", 6),
            claim("c2", "q2"),
            money("q3", 7, "USD") | {"measure": "DEAD"},
            claim("c3", "q3"),
        )
    )
    assert rules(found) == [("estimand-kinds", "a#q3")]
    assert found.faults[0].values == {"estimand": "dead", "found": "USD", "other": "{person}"}


def test_a_number_without_unit_is_told() -> None:
    found = derived(article("a", quantity("q1", 5, unit=None), claim("c1", "q1")))
    assert rules(found) == [("estimand-unit", "a#q1")]


def test_another_measure_is_told() -> None:
    found = derived(
        article(
            "a",
            quantity("q1", 5),
            claim("c1", "q1"),
            quantity("q2", 5),
            claim("c2", "q2"),
            quantity("q3", 5, measure="HURT"),
            claim("c3", "q3"),
        )
    )
    assert rules(found) == [("estimand-measure", "a#q3")]


def test_two_currencies_want_a_rate_and_are_compared_by_it() -> None:
    made = article(
        "a",
        money("q1", 100, "USD"),
        claim("c1", "q1"),
        money("q2", 110, "USD"),
        claim("c2", "q2"),
        money("q3", 100, "EUR") | {"comparator": "GE", "low": Decimal(100), "low_closed": True},
        claim("c3", "q3"),
    )
    missing = derived(made)
    assert rules(missing) == [("estimand-rate", "a#q3")]
    for rate in (Rate("EUR", "USD", "1.08"), Rate("USD", "EUR", "0.5")):
        found = derived(made, rates=[rate])
        row, factor = one(found, "q3"), Decimal("1.08") if rate.unit == "EUR" else Decimal(2)
        assert not found.faults and row["rate"] == factor
        assert (row["value"], row["comparable_value"], row["comparable_low"]) == (100, 100 * factor, 100 * factor)
        last = "COMPATIBLE" if 100 * factor <= 110 else "DISJOINT"
        assert [p["interval_relation"] for p in found.pairs] == ["DISJOINT", "DISJOINT", last]


# ---- laws ----------------------------------------------------------------------------------------------------

Texts = list[list[tuple[str, int]]]
NUMBERS = st.tuples(st.sampled_from(["EXACT", "BARE", "APPROX", "LT", "LE", "GT", "GE"]), st.integers(0, 30))


@given(st.lists(st.lists(NUMBERS, max_size=4), min_size=1, max_size=4))
def test_pairs_are_all_pairs_of_what_is_not_left_out_and_each_says_what_its_two_numbers_say(
    texts: list[list[tuple[str, int]]],
) -> None:
    made = [
        article(
            f"a{n}",
            *(
                row
                for k, (comparator, value) in enumerate(numbers)
                for row in (quantity(f"q{k}", value, comparator), claim(f"c{k}", f"q{k}"))
            ),
        )
        for n, numbers in enumerate(texts)
    ]
    found = derived(*made)
    kept = {r["estimate_id"]: r for r in found.estimates if r["left_out"] is None}
    assert {(p["estimate_a"], p["estimate_b"]) for p in found.pairs} == set(combinations(sorted(kept), 2))
    for pair in found.pairs:
        a, b = (
            Amount(r["effective_comparator"], r["comparable_value"], r["comparable_low"], r["comparable_high"], whole=True)
            for r in (kept[pair["estimate_a"]], kept[pair["estimate_b"]])
        )
        assert pair["point_relation"] == point_relation(a, b)
        assert pair["interval_relation"] == interval_relation(a, b, Decimal("0.05"))


def test_rows_do_not_depend_on_the_order_of_articles() -> None:
    made = [article(name, STATE, quantity("q1", n), claim("c1", "q1", by="e1")) for name, n in (("a", 1), ("b", 2), ("c", 3))]
    first = derived(*made)
    assert all(derived(*order) == first for order in permutations(made))
