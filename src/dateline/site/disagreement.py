"""Who says which number: what figures are of, the most disputed first, by measure; and a page for each of which several speak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dateline.describe.figures import (
    computed_in_words,
    dispute_in_words,
    figure_in_words,
    judged_in_words,
    label_in_words,
    left_out_in_words,
    notes_of_pair,
    notice_of,
    number_in_words,
    source_in_words,
    standing_in_words,
    subtitle_of,
    time_in_words,
    values_in_words,
)
from dateline.figures_shown import TABLES, FiguresOf, Row, Shown, figures_of
from dateline.site.charts import estimates_svg, pairs_svg, relations
from dateline.site.links import Links, anchor, token
from dateline.site.pages import Kind, Page, in_pages
from dateline.site.read import Reading

HOME = "disagreement/index.html"
_KIND = "disagreement"
_CLAIMS, _QUANTITIES = "claims", "quantities"
_MOST_PAIRS = 200
_LEAST_DRAWN = 3
"""So many estimates make a chart worth while where none of them dispute each other."""


def present(reading: Reading) -> bool:
    """Whether the dataset has the derived tables of estimates, with rows."""
    return all(reading.has(name) for name in TABLES[:2])


def pages(reading: Reading, links: Links) -> Iterator[Page]:
    """The lists, of all and of each measure, then the pages of what several estimates are of."""
    figures = figures_of(reading.folder)
    found = figures.estimands()
    several = [row for row in found if row["n_estimates"] > 1]
    yield from _lists(reading, found, several, links)
    for shown in figures.show_all(several):
        yield _estimand(reading, shown, links)
    _tell_single(figures, [row for row in found if row["n_estimates"] == 1], links)


# ---- lists -------------------------------------------------------------------------------------------------------


def _lists(reading: Reading, found: Sequence[Row], several: Sequence[Row], links: Links) -> Iterator[Page]:
    measures = Counter(str(row["measure"]) for row in several)
    homes = [("", HOME, len(several))]
    homes += [(m, f"{_KIND}/{token(m)}/index.html", n) for m, n in sorted(measures.items(), key=lambda at: (-at[1], at[0]))]
    filters = [(label_in_words(measure) or "all", home, n) for measure, home, n in homes]
    chart = _pairs_of(several)
    for measure, home, _ in homes:
        rows = [row for row in several if measure in ("", str(row["measure"]))]
        for path, shown, told in in_pages(home, rows):
            first = not measure and told["number"] == 1
            yield Page(
                path,
                "disagreement.html.j2",
                "Disagreement" + (f": {label_in_words(measure)}" if measure else ""),
                {
                    "rows": [_listed(row, links) for row in shown],
                    "filters": filters,
                    **told,
                    "several": len(several),
                    "single": len(found) - len(several),
                    "disputed": sum(row["n_disjoint"] > 0 for row in several),
                    "pairs": chart if first else None,
                    "chart": pairs_svg(chart) if chart and first else "",
                    "relations": relations,
                    "words": label_in_words,
                },
            )


def _pairs_of(estimands: Sequence[Row]) -> dict[str, dict[str, int]]:
    """How many pairs relate in which way, by measure, the measure with most disputes first."""
    found: dict[str, Counter[str]] = {}
    for row in estimands:
        if row["n_pairs"]:
            found.setdefault(str(row["measure"]), Counter()).update(row["relations"])
    order = sorted(found.items(), key=lambda at: (-at[1]["DISJOINT"], -at[1].total(), at[0]))
    return {measure: dict(counts) for measure, counts in order}


def _listed(row: Row, links: Links) -> dict[str, Any]:
    return {
        "name": row["name"], "id": row["estimand_id"], "group": row["story"] or "", "href": _address(row, links),
        "measure": label_in_words(row["measure"]), "estimates": row["n_estimates"], "articles": row["n_articles"],
        "range": values_in_words(row), "dispute": dispute_in_words(row), "disputed": bool(row["n_disjoint"]),
    }  # fmt: skip


def _address(estimand: Row, links: Links) -> str:
    return links.group(_KIND, str(estimand["estimand_id"]))


# ---- one estimand --------------------------------------------------------------------------------------------------


def _estimand(reading: Reading, shown: Shown, links: Links) -> Page:
    estimand, estimates, pairs = shown.estimand, shown.estimates, shown.pairs
    address = _address(estimand, links)
    links.tell(str(estimand["estimand_id"]), address)
    by_id = {row["estimate_id"]: row for row in estimates}
    for name in by_id:
        links.tell(name, f"{address}#{anchor('estimates', name)}")
    for pair in pairs:
        links.tell(pair["pair_id"], f"{address}#{anchor('pairs', pair['pair_id'])}")
    disputed = bool(estimand["n_disjoint"] or estimand["n_conflicts"])
    return Page(
        address,
        "estimand.html.j2",
        f"{estimand['name']}",
        {
            "estimand": estimand,
            "subtitle": subtitle_of(estimand),
            "dispute": dispute_in_words(estimand),
            "notice": notice_of(**asdict(shown.provenance)),
            "chart": estimates_svg(shown) if disputed or len(estimates) >= _LEAST_DRAWN else "",
            "estimates": [_estimate(row, estimand, reading, links) for row in estimates],
            "pairs": [_pair(pair, by_id) for pair in pairs[:_MOST_PAIRS]],
            "more_pairs": max(0, len(pairs) - _MOST_PAIRS),
        },
    )


def _estimate(row: Row, estimand: Row, reading: Reading, links: Links) -> dict[str, Any]:
    entry = reading.by_id.get(row["article_id"])
    return {
        "anchor": anchor("estimates", row["estimate_id"]),
        "time": time_in_words(row),
        "source": source_in_words(row),
        "number": figure_in_words(row, estimand),
        "standing": standing_in_words(row),
        "left_out": left_out_in_words(row),
        "publisher": row["publisher"] or "",
        "published": row["published"] or "",
        "article": row["article_id"],
        "title": entry.title if entry else row["article_id"],
        "language": row["language"] or "",
        "claim": links.item(row["article_id"], _CLAIMS, row["claim_id"]),
        "quantity": links.item(row["article_id"], _QUANTITIES, row["quantity_id"]),
    }


def _pair(pair: Row, by_id: Mapping[str, Row]) -> dict[str, Any]:
    sides = []
    for name in (pair["estimate_a"], pair["estimate_b"]):
        row = by_id.get(name)
        sides.append((number_in_words(row) if row else name, source_in_words(row) if row else "", anchor("estimates", name)))
    return {
        "anchor": anchor("pairs", pair["pair_id"]),
        "sides": sides,
        "computed": computed_in_words(pair),
        "judged": judged_in_words(pair),
        "notes": notes_of_pair(pair),
    }


def _tell_single(figures: FiguresOf, estimands: Sequence[Row], links: Links) -> None:
    """Of what a single estimate is of there is no page: its rows lead to the claim."""
    for shown in figures.show_all(estimands):
        for row in shown.estimates:
            claim = links.item(row["article_id"], _CLAIMS, row["claim_id"])
            links.tell(row["estimate_id"], claim)
            links.tell(str(shown.estimand["estimand_id"]), claim)


KIND = Kind("Disagreement", HOME, present, pages)
