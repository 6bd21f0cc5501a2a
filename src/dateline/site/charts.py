"""Charts as SVG that stands in a page: no script, no request; the table behind each is on the page that shows it.

Colours are those of the sheet: it gives the few that charts use another value in the dark (`site.css`, "charts").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from markupsafe import Markup

from dateline.describe.figures import label_in_words, notice_of
from dateline.describe.figures_chart import chart_svg, estimates_chart, told_svg
from dateline.figures_shown import Shown

_KINDS = {"DISJOINT": "cannot both be", "COMPATIBLE": "can both be", "EQUAL": "say the same"}
_INKS = ("#D55E00", "#56B4E9", "#0072B2")


def estimates_svg(shown: Shown) -> Markup:
    """Who says which number of an estimand: the chart of `dateline estimates --plot`."""
    chart = estimates_chart(shown.estimand, shown.estimates, notice=notice_of(**asdict(shown.provenance)))
    return Markup(chart_svg(chart, shown.estimand, shown.estimates))


def pairs_svg(by_measure: Mapping[str, Mapping[str, int]]) -> Markup:
    """Pairs of estimates of each measure, by how their intervals relate: stacked bars."""
    import altair
    import vl_convert

    words = list(_KINDS.values())
    rows = [
        {"measure": label_in_words(measure), "relation": said, "pairs": counts.get(kind, 0), "order": n}
        for measure, counts in by_measure.items()
        for n, (kind, said) in enumerate(_KINDS.items())
    ]
    quiet: dict[str, Any] = {"labelColor": "#222222", "titleColor": "#666666", "titleFontWeight": "normal"}
    chart = (
        altair.Chart(altair.InlineData(values=rows))
        .mark_bar(stroke="white", strokeWidth=1)
        .encode(
            x=altair.X("sum(pairs):Q", title="pairs of estimates", axis=altair.Axis(gridColor="#DDDDDD", format="d", **quiet)),
            y=altair.Y("measure:N", title=None, sort=[label_in_words(m) for m in by_measure], axis=altair.Axis(**quiet)),
            color=altair.Color("relation:N", title=None, scale=altair.Scale(domain=words, range=list(_INKS)),
                               legend=altair.Legend(orient="top", labelColor="#222222")),
            order="order:Q",
        )
        .properties(width=420, height=altair.Step(20), background="white")
        .configure_view(stroke=None)
        .configure(font="Liberation Sans, Arial, Helvetica, sans-serif")
    )  # fmt: skip
    drawn = vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[])
    told = "; ".join(f"{label_in_words(measure)}: {_told(counts)}" for measure, counts in by_measure.items())
    return Markup(told_svg(drawn, "pairs by measure", "Pairs of estimates by measure", told))


def relations(counts: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    """How many pairs relate in which way, in the order of the chart."""
    return [(said, counts.get(kind, 0)) for kind, said in _KINDS.items()]


def _told(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{n:,} {said}" for said, n in relations(counts))
