"""The page of an article: its text with all layers drawn over it, and a panel for each layer.

Which layers there are, and what refers to what, the manifest says; nothing here knows a layer by its name.
"""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from dateline.opening import Article, Item, Span
from dateline.site.links import Links, anchor
from dateline.site.pages import Kind, Page
from dateline.site.read import Entry, Reading
from dateline.site.segments import Mark, Segment, covered, segments

SLOTS = 24
"""Layers that have a switch of their own; the sheet has as many rules. The ninth shares lane and colour with the first."""
_BACKGROUND = 0.6
"""A layer that covers more of the text than this is off at first, unless its spans have several roles."""
_LEFT_OUT = ("text", "split", "article_id")


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a field as a page shows it: words, and where they lead, if anywhere."""

    words: str
    href: str = ""
    external: bool = False
    quoted: bool = False
    """Whether the words are the text's own."""


@dataclass(slots=True)
class Row:
    """One item of a layer in its panel."""

    anchor: str
    key: str
    name: str
    """What people would call it: its words in the text, or its name."""
    labels: list[str]
    fields: list[tuple[str, list[Value]]]
    referrers: list[Value]
    place: int | None
    """Where it, or what it refers to, first stands in the text."""
    placed: str
    """The anchor of what stands there: its own, or that of what it refers to."""
    children: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of an article."""

    name: str
    slot: int
    drawn: bool
    """Whether it has spans in this text."""
    on: bool
    """Whether it is switched on at first."""
    linked: bool
    count: int
    roles: list[str]
    rows: list[Row]


def pages(reading: Reading, links: Links) -> Iterator[Page]:
    """A page per article, each made as it is read."""
    entries, by_id = reading.entries, reading.by_id
    at = {entry.id: n for n, entry in enumerate(entries)}
    for article in reading.articles():
        entry, n = by_id[article.id], at[article.id]
        before, after = entries[n - 1] if n else None, entries[n + 1] if n + 1 < len(entries) else None
        yield Page(
            links.article(article.id),
            "article.html.j2",
            entry.title,
            article_values(article, entry, links)
            | {
                "before": (before, links.article(before.id)) if before else None,
                "after": (after, links.article(after.id)) if after else None,
            },
            shows_texts=not entry.withheld,
        )


def article_values(article: Article, entry: Entry, links: Links) -> dict[str, Any]:
    """What the template is given of an article. Where the text is withheld, no string of its spans is in it."""
    marks = _marks(article)
    length = entry.characters or len(article.text or "")
    text = None if entry.withheld else article.text
    cut = segments(text, length, marks)
    layers = _layers(article, marks, length)
    slots = {layer.name: layer.slot for layer in layers}
    widest = _widest(marks)
    return {
        "entry": entry,
        "length": length,
        "withheld": text is None,
        "segments": [(s, _classes(s, slots, widest), " ".join(dict.fromkeys(m.row for m in s.marks))) for s in cut],
        "layers": layers,
        "facts": _facts(article),
    }


def _marks(article: Article) -> list[Mark]:
    return [
        Mark(span.start, span.end, name, anchor(name, item.id), role, part, len(spans))
        for name, items in article.layers.items()
        for item in items
        for role, spans in _anchored(item)
        for part, span in enumerate(spans)
    ]


def _anchored(item: Item) -> Iterator[tuple[str, Sequence[Span]]]:
    """The fields of an item that hold spans."""
    for name in item.fields:
        value = item[name]
        if isinstance(value, Span):
            yield name, (value,)
        elif isinstance(value, tuple) and value and isinstance(value[0], Span):
            yield name, value


def _widest(marks: Sequence[Mark]) -> Mapping[str, str]:
    """Of each layer whose spans have several roles, the one that covers most: it is drawn fine, the others over it bold."""
    lengths: dict[str, Counter[str]] = defaultdict(Counter)
    for mark in marks:
        lengths[mark.layer][mark.role] += mark.end - mark.start
    return {layer: by_role.most_common(1)[0][0] for layer, by_role in lengths.items() if len(by_role) > 1}


def _classes(segment: Segment, slots: Mapping[str, int], widest: Mapping[str, str]) -> str:
    """Classes of a piece: the layers over it, those of which only the widest role is here, and whether spans break off here."""
    found = dict.fromkeys(f"l{slots[m.layer]}" for m in segment.marks)
    bold = {m.layer for m in segment.marks if m.role != widest.get(m.layer)}
    found |= dict.fromkeys(f"w{slots[m.layer]}" for m in segment.marks if m.layer not in bold)
    if any(m.part + 1 < m.parts for m in segment.ends):
        found["to-be-continued"] = None
    if any(m.part for m in segment.begins):
        found["continued"] = None
    return " ".join(found)


def _layers(article: Article, marks: Sequence[Mark], length: int) -> list[Layer]:
    by_layer: dict[str, list[Mark]] = defaultdict(list)
    for mark in marks:
        by_layer[mark.layer].append(mark)
    referrers = _referrers(article)
    found, slot = [], 0
    for name, items in article.layers.items():
        if not items:
            continue
        drawn = by_layer.get(name, [])
        roles = list(dict.fromkeys(m.role for m in drawn))
        on = bool(drawn) and (covered(drawn, length) <= _BACKGROUND or len(roles) > 1)
        found.append(Layer(name, slot % SLOTS, bool(drawn), on, _is_linked(article, name), len(items), roles,
                           _nested(article, name, [_row(item, referrers) for item in items], items)))  # fmt: skip
        slot += bool(drawn)
    return sorted(found, key=lambda layer: not layer.linked)


def _is_linked(article: Article, name: str) -> bool:
    """Whether a layer has to do with others, by its spans or by references; what only keeps books comes last."""
    corpus = article.corpus
    anchored = any(True for item in article.layers[name][:1] for _ in _anchored(item))
    return anchored or bool(corpus.references_of(name)) or any(name in corpus.references_of(n).values() for n in article.layers)


def _nested(article: Article, layer: str, rows: list[Row], items: Sequence[Item]) -> list[Row]:
    """The rows, those that name a parent of their own layer within it."""
    parent = next((c for c, target in article.corpus.references_of(layer).items() if target == layer and "parent" in c), None)
    if parent is None:
        return rows
    by_key = {row.key: row for row in rows}
    top = []
    for row, item in zip(rows, items, strict=True):
        above = by_key.get(str(item.fields.get(parent)))
        if above is None or above is row or _is_below(above, row):
            top.append(row)
        else:
            above.children.append(row)
    return top


def _is_below(row: Row, other: Row) -> bool:
    """Whether a row stands somewhere within another: parents in a circle end there."""
    return any(child is row or _is_below(row, child) for child in other.children)


def _referrers(article: Article) -> Mapping[tuple[str, str], list[Item]]:
    """The items that refer to each."""
    found: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for name, items in article.layers.items():
        references = article.corpus.references_of(name)
        for item in items:
            for column, target in references.items():
                value = item.fields.get(column)
                for key in value if isinstance(value, list) else [value]:
                    if key is not None and target in article.layers:
                        found[target, str(key)].append(item)
    return found


def _row(item: Item, referrers: Mapping[tuple[str, str], list[Item]]) -> Row:
    article = item.article
    key = article.corpus.key_of(item.layer)
    references = article.corpus.references_of(item.layer)
    labels = article.corpus.manifest.tables[item.layer].labels
    named = []
    for name in item.fields:
        if name in _LEFT_OUT or name == key or (values := _values(item, name, references)) == []:
            continue
        named.append((name, values))
    place, placed = _place(item, references)
    return Row(
        anchor=anchor(item.layer, item.id),
        key=item.id,
        name=_name(item),
        labels=[str(item.fields[c]) for c in labels if isinstance(item.fields.get(c), str)][:3],
        fields=named,
        referrers=[
            Value(f"{other.layer} {other.id}", "#" + anchor(other.layer, other.id))
            for other in dict.fromkeys(referrers.get((item.layer, item.id), ()))
        ],
        place=place,
        placed=placed,
    )


def _name(item: Item) -> str:
    """Its words; else its first string that is no key, reference or label; "" where it has neither."""
    if (words := item.text) is not None:
        return words
    layer, corpus = item.layer, item.article.corpus
    known = {corpus.key_of(layer), *corpus.references_of(layer), *corpus.manifest.tables[layer].labels, *_LEFT_OUT}
    return next((v for c, v in item.fields.items() if isinstance(v, str) and c not in known and not c.endswith("_id")), "")


def _place(item: Item, references: Mapping[str, str]) -> tuple[int | None, str]:
    """The first place of an item, or, where it has no spans, of the first that it refers to; and the anchor of that one."""
    for one in (item, *_referred(item, references)):
        for _, spans in _anchored(one):
            return spans[0].start, anchor(one.layer, one.id)
    return None, ""


def _referred(item: Item, references: Mapping[str, str]) -> Iterator[Item]:
    for column, target in references.items():
        if target in item.article.layers:
            value = item.fields.get(column)
            for key in value if isinstance(value, list) else [value]:
                if key is not None:
                    yield item.article.item(target, str(key))


def _values(item: Item, name: str, references: Mapping[str, str]) -> list[Value]:
    value, article = item[name], item.article
    if value is None or value == [] or value == ():
        return []
    if (target := references.get(name)) is not None and target in article.layers:
        keys = value if isinstance(value, list) else [value]
        return [Value(_called(article, target, str(key)), "#" + anchor(target, str(key))) for key in keys if key is not None]
    if isinstance(value, Span):
        return [_span_value(value)]
    if isinstance(value, tuple) and value and isinstance(value[0], Span):
        return [_span_value(span) for span in value]
    return [Value(words, *_leads(words)) for words in in_words(value)]


def _called(article: Article, layer: str, key: str) -> str:
    try:
        name = _name(article.item(layer, key))
    except KeyError:
        name = ""
    return f"{key} {name}".rstrip()


def _span_value(span: Span) -> Value:
    if span.text is None:
        return Value(f"{span.start} to {span.end}", f"#at-{span.start}")
    return Value(span.text, f"#at-{span.start}", quoted=True)


def _facts(article: Article) -> list[tuple[str, list[Value]]]:
    """What the record says of the article itself."""
    return [
        (name, [Value(words, *_leads(words)) for words in in_words(value)])
        for name, value in article.fields.items()
        if name not in _LEFT_OUT and name not in article.corpus.layers and value not in (None, [], ())
    ]


def _leads(words: str) -> tuple[str, bool]:
    """Where a value leads: an address of the web, and nothing else, is a link."""
    plain = words.startswith(("https://", "http://")) and not any(c.isspace() or not c.isprintable() for c in words)
    return (words, True) if plain else ("", False)


def in_words(value: Any) -> list[str]:
    """A plain value in words, one string for each of a list."""
    if isinstance(value, list | tuple):
        return [words for inner in value for words in in_words(inner)]
    if isinstance(value, Mapping):
        inner = [f"{k}: {', '.join(in_words(v))}" for k, v in value.items() if v not in (None, [], ())]
        return ["; ".join(inner)] if inner else []
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, Decimal):
        return [f"{value.normalize():f}"]
    if isinstance(value, float):
        return [f"{value:.15g}"]
    return [value.isoformat() if isinstance(value, datetime.date) else str(value)]


KIND = Kind("", "articles/index.html", lambda reading: bool(reading.entries), pages)
