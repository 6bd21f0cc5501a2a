"""Estimates in words: a number as the text bounds it, who said it, of what time; and the tables of `dateline estimates`.

Pure functions of the rows of `estimands`, `estimates` and `estimate_pairs`; nothing is said that a row does not state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.cells import cell_len

from dateline import edtf_dates
from dateline.errors import printable

Row = Mapping[str, Any]

NOT_STATED = "time not stated"
CERTAINTIES = {"CT": "certain", "PR": "probable", "PS": "possible", "U": "not committed to"}
POLARITIES = {"POS": "affirmed", "NEG": "denied", "UNK": "open"}
BASES = {"STATED": "stated", "INFERRED": "inferred", "DEFAULT_DCT": "taken from the date of publication"}
LEFT_OUT = {
    "RESTATEMENT": "repeats another figure",
    "NONFACTUAL_CHAIN": "reported, not vouched for",
    "UNCOMMITTED": "its source does not commit to it",
    "VAGUE": "no number",
    "NEGATED_NUMBER": "only this number is denied",
    "RETRACTED": "taken back",
}
_HEDGES = {"AROUND": "about", "BELOW": "nearly", "ABOVE": "a little over"}
_ONE_SIDED = {"LT": "less than", "LE": "at most", "GT": "more than", "GE": "at least"}
_INTERVALS = {"DISJOINT": "cannot both be", "COMPATIBLE": "can both be", "EQUAL": "say the same"}
_POINTS = {"LOWER": "the first is lower", "HIGHER": "the first is higher"}
_JUDGED = {
    "AGREE": "agree", "CONFLICT": "conflict", "UPDATE": "an update", "SUBSET": "one is part of the other",
    "DIFFERENT_ESTIMAND": "not of the same thing", "DENIAL": "a denial", "UNDECIDABLE": "undecidable",
}  # fmt: skip


def number(value: Decimal) -> str:
    """A number with thousands separators and no idle zeros: "14,000,000", "3.2"."""
    said = f"{value:,f}"
    return said.rstrip("0").rstrip(".") if "." in said else said


def unit_in_words(unit: str | None) -> str:
    """A UCUM unit for readers: its annotations without braces, "{person}" as "person", "m3" as "m³"."""
    return (unit or "").replace("{", "").replace("}", "").replace("m2", "m²").replace("m3", "m³")


def label_in_words(label: str | None) -> str:
    """A label of a schema as words: "PERSONNEL_PRESENT" as "personnel present"."""
    return (label or "").replace("_", " ").lower()


def number_in_words(estimate: Row) -> str:
    """The number as the text bounds it: "about 10,000", "at most 12,000", "between 60 and 80", "none (denial)"."""
    said = _bounded(estimate)
    value = estimate["value"]
    if estimate["is_denial"]:
        return "none (denial)" if value == 0 else f"not {said} (denial)"
    return f"not {said}" if estimate["polarity"] == "NEG" else said


def _bounded(estimate: Row) -> str:
    comparator, low, high = estimate["comparator"], estimate["low"], estimate["high"]
    hedge = _HEDGES.get(estimate["hedge_type"] or "", "about" if comparator == "APPROX" else "")
    value = next((v for v in (estimate["value"], high if comparator in ("LT", "LE") else low, high) if v is not None), None)
    if comparator == "VAGUE" or value is None:
        return f"vague, {_between(low, high, '')}" if low is not None or high is not None else "no number given"
    if comparator == "RANGE":
        return _between(low, high, hedge)
    words = [_ONE_SIDED.get(comparator, "exactly" if comparator == "EXACT" else ""), hedge, number(value)]
    return " ".join(word for word in words if word)


def _between(low: Decimal | None, high: Decimal | None, hedge: str) -> str:
    about = f"{hedge} " if hedge else ""
    if low is None or high is None:
        return f"{about}{number(low)} or more" if low is not None else f"up to {about}{number(high or Decimal())}"
    return f"between {about}{number(low)} and {number(high)}"


def figure_in_words(estimate: Row, estimand: Row) -> str:
    """The number in words, with its unit and what it comes to where that is not the estimand's own unit."""
    said = number_in_words(estimate)
    if estimate["unit"] == estimand["unit"] or estimate["unit"] is None:
        return said
    same = number(estimate["comparable_value"]) if estimate["comparable_value"] is not None else ""
    there = f" (= {same} {unit_in_words(estimand['unit'])})" if same else " (not comparable)"
    return f"{said} {unit_in_words(estimate['unit'])}{there}"


def source_in_words(estimate: Row) -> str:
    """Who said it: "A, citing B", the principals in brackets where they are others; the author's own figures are said to be so.

    The chain is outermost first, so its first source is the one that the article quotes.
    """
    links = [" and ".join(link["sources"] or []) or "an unnamed source" for link in estimate["chain"] or []]
    said = ", citing ".join(links) or " and ".join(estimate["source_names"] or [])
    if not said:
        said = "the article's own words" if estimate["is_authorial"] else "no source named"
    principals = [name for name in estimate["principals"] or [] if name not in said]
    return f"{said} [{', '.join(principals)}]" if principals else said


def time_in_words(estimate: Row, day: Any = str) -> str:
    """The time that the figure is of, with its basis; else that of saying it; else "time not stated".

    `day` writes an EDTF date; the date of publication stands in only where the record itself says so.
    """
    for time, basis, before in (("as_of", "as_of_basis", ""), ("utterance_time", "utterance_basis", "said ")):
        if estimate[time]:
            doubt = edtf_dates.doubt(estimate[time]) if day is str else ""
            said = [BASES.get(estimate[basis] or "", ""), doubt]
            notes = ", ".join(note for note in said if note)
            return f"{before}{day(estimate[time])}" + (f" ({notes})" if notes else "")
    return NOT_STATED


def standing_in_words(estimate: Row) -> str:
    """Certainty and polarity in words: "probable, affirmed"."""
    return ", ".join((CERTAINTIES.get(estimate["certainty"], "certainty not stated"),
                      POLARITIES.get(estimate["polarity"], "polarity not stated")))  # fmt: skip


def left_out_in_words(estimate: Row) -> str:
    """Why an estimate is in no pair; "" if it is not left out."""
    reason = estimate["left_out"]
    return "" if reason is None else LEFT_OUT.get(reason, label_in_words(reason))


def place_of(estimate: Row) -> str:
    """Where it stands: article and claim, `harbour-20260518-4502d7cd03cc#c7`."""
    return f"{estimate['article_id']}#{estimate['claim_id']}"


def notice_of(
    *,
    fictional: bool | None,
    some_fictional: bool,
    annotators: Sequence[str] = (),
    statuses: Sequence[str] = (),
    adjudicators: Sequence[str] = (),
) -> str:
    """What readers must know of the data, as far as the dataset says it: invented, by whom annotated, adjudicated or not."""
    said = []
    if fictional:
        said.append("Fictional: people and places are invented.")
    elif some_fictional:
        said.append("In part fictional: some people and places are invented.")
    by = {"MODEL": "by a model", "MODEL_ASSISTED": "with the help of a model", "HUMAN": "by people"}
    annotators = [by.get(a, label_in_words(a)) for a in annotators]
    if annotators:
        said.append(f"Annotated {' and '.join(annotators)}.")
    if statuses:
        by_whom = f" by {' and '.join(adjudicators)}" if adjudicators else ""
        said.append(f"Adjudicated{by_whom}." if set(statuses) == {"ADJUDICATED"} else "Not adjudicated.")
    return " ".join(said)


# ---- tables for a terminal -----------------------------------------------------------------------------------


def estimand_lines(estimands: Sequence[Row]) -> list[str]:
    """A line of heads and one line per estimand, with its range of values and its disputes."""
    heads = ("estimand", "story", "measure", "unit", "estimates", "articles", "values", "pairs")
    rows = [
        (row["name"], row["story"] or "", label_in_words(row["measure"]) + _change(row), unit_in_words(row["unit"]),
         f"{row['n_estimates']:,}", f"{row['n_articles']:,}", values_in_words(row), dispute_in_words(row))
        for row in estimands
    ]  # fmt: skip
    return columns([heads, *rows], right=(4, 5))


def _change(estimand: Row) -> str:
    change = estimand["change"]
    return "" if change in (None, "LEVEL") else f" ({label_in_words(change)})"


def values_in_words(row: Row) -> str:
    """The range of all values and bounds of an estimand: "17 to 34"; "none" where no estimate has a number."""
    if row["lowest"] is None:
        return "none"
    return number(row["lowest"]) if row["lowest"] == row["highest"] else f"{number(row['lowest'])} to {number(row['highest'])}"


def dispute_in_words(row: Row) -> str:
    """What pairs of an estimand say: "2 of 6 pairs disjoint, 1 judged conflict"; "no pairs" where nothing can be compared."""
    if not row["n_pairs"]:
        return "no pairs"
    said = f"{row['n_disjoint'] or 'none'} of {_count(row['n_pairs'], 'pair')} disjoint"
    return said + (f", {row['n_conflicts']:,} judged conflict" if row["n_conflicts"] else "")


def heading(estimand: Row) -> str:
    """An estimand in a line: id, measure, unit, how many estimates in how many articles."""
    return f"{estimand['estimand_id']}: {subtitle_of(estimand)}"


def subtitle_of(estimand: Row) -> str:
    """What an estimand is about, without its name."""
    parts = [label_in_words(estimand["measure"]) + _change(estimand), f"unit {unit_in_words(estimand['unit']) or 'none'}",
             _count(estimand["n_estimates"], "estimate") + " in " + _count(estimand["n_articles"], "article")]  # fmt: skip
    return ", ".join(parts)


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def estimate_lines(estimand: Row, estimates: Iterable[Row]) -> list[str]:
    """One line per estimate: time, source, number, certainty and polarity, place, and why it is in no pair."""
    rows = []
    for row in estimates:
        reason = left_out_in_words(row)
        rows.append((time_in_words(row), source_in_words(row), figure_in_words(row, estimand) + _kept_hedge(row),
                     standing_in_words(row), place_of(row), f"in no pair: {reason}" if reason else ""))  # fmt: skip
    return columns(rows)


def _kept_hedge(estimate: Row) -> str:
    """A restatement without its hedge is meant with it: "10,000 (first given as about)"."""
    hedge = _HEDGES.get(estimate["effective_hedge_type"] or "") or _ONE_SIDED.get(estimate["effective_comparator"] or "")
    same = all(estimate[column] == estimate[f"effective_{column}"] for column in ("comparator", "hedge_type"))
    return "" if same or not hedge else f" (first given as {hedge!r})"


def pair_lines(pairs: Iterable[Row], estimates: Iterable[Row]) -> list[str]:
    """One line per pair: both estimates, the relation computed, the one judged, what the texts mark."""
    by_id = {row["estimate_id"]: row for row in estimates}
    rows = []
    for pair in pairs:
        a, b = by_id.get(pair["estimate_a"]), by_id.get(pair["estimate_b"])
        judged = judged_in_words(pair)
        rows.append((_side(pair["estimate_a"], a), "/", _side(pair["estimate_b"], b), f"computed: {computed_in_words(pair)}",
                     f"judged: {judged}" if judged else "not judged", ", ".join(notes_of_pair(pair))))  # fmt: skip
    return columns(rows)


def judged_in_words(pair: Row) -> str:
    """The relation that somebody judged: "conflict"; "" where nobody did."""
    judged = pair["judged_relation"]
    return _JUDGED.get(judged, label_in_words(judged)) if judged else ""


def notes_of_pair(pair: Row) -> list[str]:
    """What else is known of a pair: one source, one article, a contrast in the text, a denial."""
    said = (("one source", "same_principal"), ("one article", "same_article"), ("contrast marked in the text", "contrast_marked"),
            ("a denial", "is_denial_pair"))  # fmt: skip
    return [note for note, column in said if pair[column]]


def _side(estimate_id: str, estimate: Row | None) -> str:
    return f"{place_of(estimate)} {number_in_words(estimate)}" if estimate else estimate_id


def computed_in_words(pair: Row) -> str:
    """The relation computed: "cannot both be (tolerance 5 %), the first is lower by 800 (29 %)"."""
    tolerance = pair["interval_tolerance"]
    within = "" if tolerance is None else f" (tolerance {_percent(tolerance)})"
    relation = pair["interval_relation"]
    said = _INTERVALS.get(relation, label_in_words(relation) or "not comparable") + within
    point = pair["point_relation"]
    if point is None or point == "EQUAL":
        return said + (", points equal" if point else "")
    apart = f" by {number(pair['abs_diff'])}" if pair["abs_diff"] is not None else ""
    share = f" ({_percent(pair['rel_diff'])})" if apart and pair["rel_diff"] is not None else ""
    return f"{said}, {_POINTS.get(point, label_in_words(point))}{apart}{share}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def columns(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows as lines with aligned columns, two blanks between; what would disturb a terminal is escaped before it is measured."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*shown, strict=True)]
    lines = []
    for row in shown:
        cells = []
        for at, (cell, width) in enumerate(zip(row, widths, strict=True)):
            gap = " " * (width - cell_len(cell))
            cells.append(gap + cell if at in right else cell + gap)
        lines.append("  ".join(cell for cell, width in zip(cells, widths, strict=True) if width).rstrip())
    return lines
