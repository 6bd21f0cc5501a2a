"""The chart of an estimand: who said what, time running down the page, each number drawn as the text bounds it.

`estimates_chart` gives a Vega-Lite document, a pure function of rows; `chart_svg` and `chart_png` let vl-convert draw it, which
asks no network. One row of the chart is one estimate with its source beside it, so that no label can lie on another.
"""

from __future__ import annotations

import hashlib
import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

from dateline import edtf_dates
from dateline.describe.figures import (
    BASES,
    CERTAINTIES,
    NOT_STATED,
    Row,
    dispute_in_words,
    estimate_lines,
    figure_in_words,
    heading,
    label_in_words,
    left_out_in_words,
    place_of,
    source_in_words,
    standing_in_words,
    subtitle_of,
    time_in_words,
    unit_in_words,
)
from dateline.errors import printable

Json = dict[str, Any]

# sizes in pixels: names | plot | numbers in words
_NAMES, _PLOT, _WORDS = 196, 300, 162
_LINE, _NOTE, _HEAD, _GAP = 15, 13, 24, 9
_NAME_CHARACTERS, _NOTE_CHARACTERS, _CAPTION_CHARACTERS = 31, 34, 128
_WHISKER = 26
_VEGA_LITE = "5.21"

# Okabe and Ito's colours, which the colour-blind tell apart, without yellow, which vanishes on paper
_INKS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_TEXT, _QUIET, _FAINT = "#222222", "#666666", "#8A8A8A"
_PALE = 0.5
_CROSS, _TICK = "M-1,-1L1,1M-1,1L1,-1", "M0,-1L0,1"

_KEY = {
    "dot": "filled dot: exact",
    "ring": "hollow dot: as given",
    "about": "dotted line: approximate, how far is not stated",
    "bar": "bar: a range",
    "up": "fading bar: open end",
    "down": "fading bar: open end",
    "strict": "thin end: without the bound itself",
    "cross": "cross: denied",
    "none": "question mark: no number to draw",
    "pale": "pale: in no pair",
}


@dataclass(frozen=True)
class _Place:
    """Where an estimate stands on the axis: its point and bounds in the estimand's unit, and which ends are open."""

    point: float | None
    low: float | None
    high: float | None
    shape: str
    """dot, ring, about, bar, up, down, cross or none"""


def estimates_chart(estimand: Row, estimates: Sequence[Row], *, notice: str = "") -> Json:
    """A Vega-Lite document of the estimates, which are in order of time; `notice` says whose data it is, under the chart."""
    rows, texts, strips, height = _laid_out(estimand, estimates)
    scale, axis_note = _scale([row["place"] for row in rows])
    caption = [line for part in (_key(rows), axis_note, notice) for line in textwrap.wrap(part, _CAPTION_CHARACTERS)]
    texts += [{"kind": "caption", "y": height + 52 + _NOTE * n, "text": line, "opacity": 1} for n, line in enumerate(caption)]
    layers = [*_backgrounds(strips), *_marks(rows, scale), *_texts(texts)]
    said = "; ".join([subtitle_of(estimand), dispute_in_words(estimand)])
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": _PLOT,
        "height": height,
        "padding": 12,
        "background": "white",
        "title": {"text": printable(estimand["estimand_id"]), "subtitle": printable(said),
                  "anchor": "start", "frame": "bounds", "offset": 10, "dx": 8, "fontSize": 16, "subtitleFontSize": 12,
                  "subtitleColor": _QUIET, "subtitlePadding": 5, "color": _TEXT, "limit": _PAGE},
        "config": {"font": "Liberation Sans, Arial, Helvetica, sans-serif", "view": {"stroke": None}},
        "layer": _on_one_scale(layers, scale, _axis_title(estimand), height),
    }  # fmt: skip


def _key(rows: Sequence[Json]) -> str:
    """How to read the shapes that the chart has."""
    there = {row["place"].shape for row in rows}
    there |= {name for name, holds in (("strict", "strict"), ("pale", "pale")) if any(row[holds] for row in rows)}
    said = "; ".join(dict.fromkeys(words for shape, words in _KEY.items() if shape in there))
    return f"{said[:1].upper()}{said[1:]}." if said else ""


# ---- rows ----------------------------------------------------------------------------------------------------


def _laid_out(estimand: Row, estimates: Sequence[Row]) -> tuple[list[Json], list[Json], list[Json], int]:
    """Rows with their height on the page, all texts beside them, the strip of what has no time, and the whole height."""
    rows: list[Json] = []
    texts: list[Json] = []
    strips: list[Json] = []
    inks = _inks(estimates)
    y = 0
    for head, group in groupby(estimates, key=_time):
        members = list(group)
        top = y
        texts.append({"kind": "head", "y": y + 12, "text": _head(head, members), "opacity": 1})
        y += _HEAD
        for estimate in members:
            row, said, deep = _row(estimand, estimate, y, inks[_source(estimate)])
            rows.append(row)
            texts += said
            y += deep
        strips.append({"y": top, "y2": y, "unstated": head == NOT_STATED})
    return rows, texts, strips, y


def _time(estimate: Row) -> str:
    """The time alone, without its basis: what rows stand together by."""
    bare = {**estimate, "as_of_basis": None, "utterance_basis": None}
    return time_in_words(bare, edtf_dates.words)


def _head(time: str, members: Sequence[Row]) -> str:
    if time == NOT_STATED:
        return "Time not stated"
    column = "as_of_basis" if members[0]["as_of"] else "utterance_basis"
    bases = sorted({BASES[m[column]] for m in members if m[column] in BASES})
    said = time[0].upper() + time[1:] if time.startswith("said") else f"As of {time}"
    if bases:
        said = f"{said.removesuffix(')')}, {' or '.join(bases)})" if said.endswith(")") else f"{said} ({' or '.join(bases)})"
    return printable(said)


def _row(estimand: Row, estimate: Row, y: int, ink: str) -> tuple[Json, list[Json], int]:
    reason = left_out_in_words(estimate)
    opacity = _PALE if reason else 1.0
    left = _wrapped(source_in_words(estimate), _NAME_CHARACTERS, 3)
    right = _wrapped(figure_in_words(estimate, estimand), _NAME_CHARACTERS - 6, 3)
    published = f", {edtf_dates.day_in_words(estimate['published'])}" if estimate["published"] else ""
    left_notes = _wrapped(f"{estimate['publisher'] or estimate['article_id']}{published}", _NOTE_CHARACTERS, 2)
    standing = CERTAINTIES.get(estimate["certainty"], "certainty not stated")
    right_notes = _wrapped(standing + (f"; left out: {reason}" if reason else ""), _NOTE_CHARACTERS - 5, 3)
    said = [*_column("name", left, left_notes, y, opacity), *_column("number", right, right_notes, y, opacity)]
    deep = max(len(a) * _LINE + len(b) * _NOTE for a, b in ((left, left_notes), (right, right_notes))) + _GAP
    told = "; ".join([
        time_in_words(estimate), source_in_words(estimate), figure_in_words(estimate, estimand), standing_in_words(estimate),
        place_of(estimate), *([f"in no pair: {reason}"] if reason else []),
    ])  # fmt: skip
    side = estimate["hedge_type"] if estimate["hedge_type"] in ("BELOW", "ABOVE") else None
    row = {"y": y + 6, "place": _place(estimate), "hedge": side, "strict": estimate["comparator"] in ("LT", "GT"),
           "pale": bool(reason), "ink": ink, "opacity": opacity, "told": printable(told)}  # fmt: skip
    return row, said, deep


def _column(kind: str, lines: Sequence[str], notes: Sequence[str], y: int, opacity: float) -> Iterator[Json]:
    """Lines of one text below each other, and its notes below them."""
    shown = max(opacity, 0.8)  # pale, but still to be read
    for n, line in enumerate(lines):
        yield {"kind": kind, "y": y + 6 + n * _LINE, "text": line, "opacity": shown}
    for n, line in enumerate(notes):
        yield {"kind": f"{kind} note", "y": y + 6 + len(lines) * _LINE - 1 + n * _NOTE, "text": line, "opacity": shown}


def _wrapped(text: str, width: int, most: int) -> list[str]:
    return textwrap.wrap(printable(text), width, max_lines=most, placeholder=" …") or [""]


def _source(estimate: Row) -> str:
    return ", ".join(estimate["principals"] or estimate["source_names"] or [""])


def _inks(estimates: Sequence[Row]) -> dict[str, str]:
    """A colour per source, in the order of their first words; beyond the palette, and for no source, grey."""
    sources = list(dict.fromkeys(_source(e) for e in estimates))
    named = [s for s in sources if s]
    return {s: _INKS[named.index(s)] if s and named.index(s) < len(_INKS) else "#444444" for s in sources}


# ---- places on the axis --------------------------------------------------------------------------------------


def _place(estimate: Row) -> _Place:
    point, low, high = (_float(estimate[f"comparable_{c}"]) for c in ("value", "low", "high"))
    comparator = estimate["comparator"]
    some = next((v for v in (point, high, low) if v is not None), None)
    if some is None:
        return _Place(None, None, None, "none")
    if estimate["is_denial"] or estimate["polarity"] == "NEG":
        return _Place(some, None, None, "cross")
    if comparator in ("LT", "LE"):
        return _Place(high if high is not None else some, None, None, "down")
    if comparator in ("GT", "GE"):
        return _Place(low if low is not None else some, None, None, "up")
    if comparator in ("RANGE", "VAGUE") and (low is not None or high is not None):
        if low is None or high is None:
            return _Place(some, None, None, "down" if low is None else "up")
        return _Place(None, low, high, "bar")
    shape = {"EXACT": "dot", "APPROX": "about"}.get(comparator, "ring")
    return _Place(some, low if shape == "about" else None, high if shape == "about" else None, shape)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _scale(places: Sequence[_Place]) -> tuple[Json, str]:
    """The scale, and what a reader must know of it: logarithmic only where values span more than two orders of magnitude."""
    numbers = [n for p in places for n in (p.point, p.low, p.high) if n is not None]
    positive = [n for n in numbers if n > 0]
    room = 1.2 if any(p.shape == "up" for p in places) else 1.06
    if positive and min(numbers) >= 0 and max(positive) > 100 * min(positive):
        note = "The axis is logarithmic" + ("; 0 is drawn at its left end." if 0 in numbers else ".")
        return {"type": "log", "domain": [min(positive) * 0.8, max(positive) * room * 1.1], "nice": False, "clamp": True}, note
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    if low == high:
        high = 1.0
    least = min(numbers, default=low)
    if least > 0 and high - least < 0.1 * high:
        margin = (high - least) or 0.02 * high
        low, note = least - margin, "The axis does not start at 0."
        return {"type": "linear", "domain": [low, high + margin * room], "nice": True, "zero": False, "clamp": True}, note
    return {"type": "linear", "domain": [low * room, high * room], "nice": True, "clamp": True}, ""


def _axis_title(estimand: Row) -> str:
    unit = unit_in_words(estimand["unit"])
    return printable(label_in_words(estimand["measure"]) + (f" ({unit})" if unit else ""))


# ---- layers --------------------------------------------------------------------------------------------------


def _backgrounds(strips: Sequence[Json]) -> list[Json]:
    """A line above each time, and a grey strip behind what has none."""
    wide = {"x": {"value": -_NAMES - 8}, "x2": {"value": _PLOT + _WORDS + 8}}
    grey = [strip for strip in strips if strip["unstated"]]
    found = (
        [_layer({"type": "rect", "color": "#00000012", "aria": False}, grey, {**wide, "y": _at("y"), "y2": {"field": "y2"}})]
        if grey
        else []
    )
    return [
        *found,
        _layer({"type": "rule", "color": "#BBBBBB", "strokeWidth": 1, "aria": False}, strips, {**wide, "y": _at("y")}),
    ]


def _marks(rows: Sequence[Json], scale: Json) -> Iterator[Json]:
    """All marks. Each estimate has one that is described for screen readers; the others belong to it and are hidden from them."""
    shapes: dict[str, list[Json]] = {}
    for row in rows:
        place: _Place = row["place"]
        data = {name: row[name] for name in ("y", "ink", "opacity", "told", "hedge", "strict")}
        data |= {"above": row["y"] - 4, "below": row["y"] + 4, "low": place.low, "high": place.high}
        data["point"] = _on_axis(place.point, scale)
        shapes.setdefault(place.shape, []).append(data)
    yield from _open_ends(shapes.get("up", []), _PLOT)
    yield from _open_ends(shapes.get("down", []), 0)
    about = shapes.get("about", [])
    yield from _whiskers(about)
    if bars := shapes.get("bar"):
        sides = {"x": _x("low"), "x2": {"field": "high"}, "y": _at("above"), "y2": {"field": "below"}}
        yield _layer({"type": "rect", "fillOpacity": 0.75}, bars, {**sides, **_inked("fill"), **_described()})
        for end in ("low", "high"):
            yield _points(bars, end, {"shape": _TICK, "size": 220, "strokeWidth": 2.5, "aria": False})
    bounds = [*shapes.get("up", []), *shapes.get("down", [])]
    closed, strict = ([row for row in bounds if row["strict"] is whether] for whether in (False, True))
    dots: tuple[tuple[list[Json], Json], ...] = (
        (closed, {"shape": _TICK, "size": 260, "strokeWidth": 3}),
        (strict, {"shape": _TICK, "size": 260, "strokeWidth": 1}),
        ([*shapes.get("ring", []), *about], {"shape": "circle", "size": 75, "strokeWidth": 2, "fill": "white"}),
        (shapes.get("dot", []), {"shape": "circle", "size": 85, "strokeWidth": 2, "filled": True}),
        (shapes.get("cross", []), {"shape": _CROSS, "size": 110, "strokeWidth": 2.5}),
    )
    for alike, mark in dots:
        if alike:
            yield _points(alike, "point", mark, _described())
    if none := shapes.get("none"):
        question: Json = {"type": "text", "text": "?", "fontSize": 15, "fontWeight": "bold", "baseline": "middle"}
        yield _layer(question, none, {"x": {"value": 8}, "y": _at("y"), **_inked("color"), **_described()})


def _open_ends(data: Sequence[Json], end: int) -> Iterator[Json]:
    """Bars that fade from a bound to the end of the axis, with a head there: a gradient for each colour."""
    start, stop = (0, 1) if end else (1, 0)
    for ink in sorted({row["ink"] for row in data}):
        own = [row for row in data if row["ink"] == ink]
        fade = {"gradient": "linear", "x1": start, "x2": stop, "y1": 0, "y2": 0,
                "stops": [{"offset": 0, "color": ink}, {"offset": 1, "color": f"{ink}14"}]}  # fmt: skip
        sides = {"x": _x("point"), "x2": {"value": end}, "y": _at("above"), "y2": {"field": "below"}}
        yield _layer({"type": "rect", "fill": fade, "aria": False}, own, {**sides, "opacity": _as_is("opacity")})
    if data:
        head = {"type": "point", "filled": True, "shape": f"triangle-{'right' if end else 'left'}", "size": 60, "aria": False}
        yield _layer(head, data, {"x": {"value": end - 4 if end else 4}, "y": _at("y"), **_inked("fill", 0.7)})


def _whiskers(data: Sequence[Json]) -> Iterator[Json]:
    """Dotted lines without caps: between bounds where there are some, else a fixed length, for nothing says how far."""
    dotted = {"type": "rule", "strokeDash": [2, 3], "strokeWidth": 3, "clip": True, "aria": False}
    if bounded := [row for row in data if row["low"] is not None and row["high"] is not None]:
        yield _layer(dotted, bounded, {"x": _x("low"), "x2": {"field": "high"}, "y": _at("y"), **_inked("stroke")})
    if free := [row for row in data if row["low"] is None or row["high"] is None]:
        for way, side in ((-1, "BELOW"), (1, "ABOVE")):
            own = [row for row in free if row.get("hedge") in (None, side)]
            yield _layer({**dotted, "x2Offset": way * _WHISKER}, own,
                         {"x": _x("point"), "x2": {"field": "point"}, "y": _at("y"), **_inked("stroke")})  # fmt: skip


@dataclass(frozen=True)
class _Look:
    """How a kind of text looks: where it begins, its size, colour and weight, and how wide it may be."""

    x: int
    size: int
    colour: str
    wide: int
    weight: str = "normal"


_PAGE = _NAMES + _PLOT + _WORDS
_LOOKS = {
    "head": _Look(-_NAMES, 11, _TEXT, _PAGE, "bold"),
    "name": _Look(-_NAMES, 12, _TEXT, _NAMES - 12),
    "name note": _Look(-_NAMES, 10, _QUIET, _NAMES - 12),
    "number": _Look(_PLOT + 14, 12, _TEXT, _WORDS - 8),
    "number note": _Look(_PLOT + 14, 10, _QUIET, _WORDS - 8),
    "caption": _Look(-_NAMES, 10, _QUIET, _PAGE),
}


def _texts(texts: Sequence[Json]) -> Iterator[Json]:
    for kind, look in _LOOKS.items():
        mark = {"type": "text", "align": "left", "baseline": "middle", "fontSize": look.size, "fontWeight": look.weight,
                "color": look.colour, "limit": look.wide, "aria": False}  # fmt: skip
        said = {"x": {"value": look.x}, "y": _at("y"), "text": {"field": "text", "type": "nominal"}, "opacity": _as_is("opacity")}
        if own := [text for text in texts if text["kind"] == kind]:
            yield _layer(mark, own, said)


def _points(data: Sequence[Json], x: str, mark: Json, more: Json | None = None) -> Json:
    filled = mark.pop("filled", False)
    inked = {**_inked("stroke"), **({"fill": _as_is("ink")} if filled else {})}
    return _layer({"type": "point", **mark}, data, {"x": _x(x), "y": _at("y"), **inked, **(more or {})})


def _layer(mark: Json, data: Sequence[Json], encoding: Json) -> Json:
    return {"data": {"values": list(data)}, "mark": mark, "encoding": encoding}


def _x(name: str) -> Json:
    return {"field": name, "type": "quantitative"}


def _at(name: str) -> Json:
    return {"field": name, "type": "quantitative"}


def _as_is(name: str) -> Json:
    return {"field": name, "type": "nominal" if name == "ink" else "quantitative", "scale": None, "legend": None}


def _inked(channel: str, opacity: float | None = None) -> Json:
    return {channel: _as_is("ink"), "opacity": _as_is("opacity") if opacity is None else {"value": opacity}}


def _described() -> Json:
    return {"description": {"field": "told", "type": "nominal"}}


def _on_axis(value: float | None, scale: Json) -> float | None:
    """A value where the scale can draw it: 0 has no place on a logarithmic axis but its end."""
    return scale["domain"][0] if value is not None and scale["type"] == "log" and value <= 0 else value


def _on_one_scale(layers: Sequence[Json], scale: Json, title: str, height: int) -> list[Json]:
    """All layers share the axis of values and the page's own pixels downwards."""
    ticks = {"values": _powers(*scale["domain"])} if scale["type"] == "log" else {"tickCount": 4}
    axis = {
        "title": title, "format": ",~r", **ticks, "grid": True, "gridColor": "#DDDDDD",
        "domainColor": _FAINT, "tickColor": _FAINT, "labelColor": _TEXT, "labelFontSize": 11,
        "labelOverlap": True, "labelFlush": False,
        "titleFontSize": 11, "titleFontWeight": "normal", "titleColor": _QUIET,
    }  # fmt: skip
    pixels = {"domain": [0, height], "range": [0, height], "nice": False, "zero": False}
    for layer in layers:
        for channel, how in (("x", {"scale": scale, "axis": axis}), ("y", {"scale": pixels, "axis": None})):
            if "field" in layer["encoding"].get(channel, {}):
                layer["encoding"][channel].update(how)
    return list(layers)


def _powers(low: float, high: float) -> list[float]:
    """Powers of ten between two numbers: where a logarithmic axis is labelled."""
    return [10.0**n for n in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]


# ---- drawing -------------------------------------------------------------------------------------------------


def chart_svg(chart: Json, estimand: Row, estimates: Sequence[Row]) -> str:
    """The chart as SVG, with all its rows as a table in words for screen readers. Needs the extra `plot`."""
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(chart, vl_version=_VEGA_LITE, allowed_base_urls=[])
    table = "\n".join([printable(heading(estimand)), *estimate_lines(estimand, estimates)])
    return told_svg(drawn, str(estimand["estimand_id"]), str(estimand["estimand_id"]), table)


def told_svg(svg: str, about: str, title: str, words: str) -> str:
    """A drawn chart with ids of its own, which follow from `about`, and with what screen readers say of it."""
    key = hashlib.sha256(about.encode()).hexdigest()[:8]
    drawn = _own_ids(svg, f"c{key}")
    head, tag_end, body = drawn.partition(">")
    head += f' role="graphics-document" aria-labelledby="c{key}-title" aria-describedby="c{key}-desc"'
    said = f'<title id="c{key}-title">{escape(printable(title))}</title><desc id="c{key}-desc">{escape(words)}</desc>'
    return f"{head}{tag_end}{said}{body}\n"


def _own_ids(svg: str, prefix: str) -> str:
    """The same with ids of its own, counted from 1: vl-convert goes on counting, and several charts may stand in one page."""
    numbers: dict[str, int] = {}

    def renamed(found: re.Match[str]) -> str:
        return f"{found[1]}{prefix}-{numbers.setdefault(found[2], len(numbers) + 1)}"

    return re.sub(r'(\bid="|url\(#)((?:gradient_|clip)[0-9]+)', renamed, svg)


def chart_png(svg: str) -> bytes:
    """A drawn chart as PNG, at twice its size for sharp print. Needs the extra `plot`."""
    import vl_convert

    drawn: bytes = vl_convert.svg_to_png(svg, scale=2)
    return drawn
