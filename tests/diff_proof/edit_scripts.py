"""Edit scripts over real records: each edit changes what people write, keeps it valid, and states by construction what it did.

An edit may be told in one way only. So the generator avoids edits that are in truth another one:

- a value, label, link or span set to what it was, or changed where the row does not show it (`note` of a withheld article);
- a row that comes to equal another row of its table, or did so before: then either of the two may have been edited;
- a row added and a row removed in one table of an article where their spans meet, or where rows have no spans: that is one row
  with a fresh id;
- a fresh id for a row that was changed in more than two columns, shares less than half of its characters with what it was, or
  has no spans: too little is left of the row;
- columns changed in a table where rows have other ids: less than all of a row is left to know it by;
- ids changed in `coverage`, where ids are names of layers and mean something;
- two rows under each other's id that differ in one or two columns: then these columns may have been edited as well;
- a nullable column added that every released row fills: no dataset tells it from one that may not be empty;
- spans moved in a text that grew: both come to one change of offsets;
- a column renamed that holds nothing in the rows of both states, the same as another column, or not what it held before (a
  reference to rows with fresh ids): by its values alone is it known again;
- the right to pass on a text given or taken: all columns that carry text change with it. (`rights-taken` makes it, for the bump.)
"""

from __future__ import annotations

import datetime
import hashlib
import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from dateline.compile.tables import ARTICLES
from dateline.row_facts import Row, canonical
from dateline.schema import Field, Json, Layer
from diff_proof.corpora import PARTS, SPLITS, Corpus, copied, layers_of, part_of_flagship, valid_schemas, withheld

TRIES = 60
"""So often an edit is tried at other places before it is given up."""


@dataclass(frozen=True, order=True)
class Told:
    """What a change is told by: its kind, and what it concerns. `row` of a schema change is its column."""

    kind: str
    table: str
    article_id: str | None = None
    row: str | None = None

    def __str__(self) -> str:
        return " ".join([self.kind, self.table, *filter(None, (self.article_id, self.row))])


@dataclass
class _Table:
    """What a script did to one table of one article so far."""

    kinds: dict[str, set[str]] = field(default_factory=dict)
    """By row in NEW."""
    loose: list[tuple[str, list[tuple[int, int]]]] = field(default_factory=list)
    """Rows that only content can match, or that nothing may match: how, and their spans before and after."""
    renumbered: bool = False
    was: dict[str, str] = field(default_factory=dict)
    """Ids in NEW of rows under a fresh id: their ids in OLD."""


@dataclass
class Script:
    """Two states of a corpus, and all changes from the one to the other."""

    name: str
    old: Corpus
    new: Corpus
    told: set[Told] = field(default_factory=set)
    edits: list[str] = field(default_factory=list)

    @property
    def kinds(self) -> set[str]:
        """The kinds of change in it."""
        return {told.kind for told in self.told}


def script(edits: Iterable[str], seed: int, splits: Sequence[str] = SPLITS) -> Script | None:
    """A script of these edits on a few real records, often with some of their layers alone, in some of the splits.

    None where one of the edits finds no place. Equal edits, seeds and splits give equal scripts. Schemas are edited last, as a
    migration of what stands then.
    """
    edits = sorted(edits, key=lambda edit: edit in SCHEMA_EDITS)
    name = f"{'+'.join(edits)}:{seed}:{','.join(splits)}"
    pen = _Pen(name, random.Random(name), splits)
    for edit in edits:
        if not pen.write(edit):
            return None
    return pen.script


def replayed(name: str) -> Script | None:
    """The script of a name."""
    edits, seed, splits = name.split(":")
    return script(edits.split("+"), int(seed), splits.split(","))


class _Pen:
    """Writes the edits of one script, one after the other."""

    def __init__(self, name: str, r: random.Random, splits: Sequence[str]) -> None:
        self.r, self.splits = r, splits
        self.whole = whole = part_of_flagship(r.choice(PARTS) if r.random() < 0.8 else ())
        some = r.sample(sorted(whole.records), r.choice((1, 1, 2)))
        lot = {a: r.choice(splits) for a in whole.records}
        tables = dict(whole.tables)
        old = Corpus(whole.sources, {a: whole.records[a] for a in some}, {a: lot[a] for a in some}, tables)
        self.spare = [a for a in sorted(whole.records) if a not in some]
        self.script = Script(name, old, old.copy())
        old.stamp = r.choice((None, "0.1.0"))
        self.tables: dict[tuple[str | None, str], _Table] = {}
        self.last: tuple[str | None, str] | None = None
        """The article and layer that were edited last: often the next edit is there, too."""
        self.closed: set[str] = set()
        """Articles that nothing may be done to any more."""
        self.touched: set[str] = set()
        self.columns: set[tuple[str, str]] = set()
        """Columns that were edited: a schema change leaves them."""
        self.grown: dict[str, bool] = {}
        """Articles whose text grew (True), or in which spans were moved (False)."""

    def write(self, edit: str) -> bool:
        """Make one edit; False if it has no place in this script."""
        how = EDITS[edit]
        for _ in range(TRIES):
            if how(self):
                self.script.edits.append(edit)
                return True
        return False

    # ---- what edits share

    @property
    def old(self) -> Corpus:
        return self.script.old

    @property
    def new(self) -> Corpus:
        return self.script.new

    def tell(self, kind: str, table: str, article: str | None = None, row: str | None = None) -> None:
        if article and row:
            self.last = article, table
        self.script.told.add(Told(kind, table, article, row))

    def article(self) -> str | None:
        """Some article of both states that may be edited."""
        there = [a for a in self.new.records if a in self.old.records and a not in self.closed]
        return self.r.choice(there) if there else None

    def did(self, article: str | None, table: str) -> _Table:
        return self.tables.setdefault((article, table), _Table())

    def put(self, article: str, record: Json, *, before: bool = False) -> bool:
        """Let a record stand in NEW (or in OLD) if it is valid."""
        corpus = self.old if before else self.new
        kept = corpus.records[article]
        corpus.records[article] = record
        if corpus.problems(article):
            corpus.records[article] = kept
            return False
        self.touched.add(article)
        return True


Edit = Callable[[_Pen], bool]


# ---- rows of layers and of corpus-level tables ---------------------------------------------------------------


def _place(pen: _Pen, *, spanned: bool = False) -> tuple[str | None, Layer] | None:
    """An article and one of its layers, or None and a corpus-level table."""
    schemas = pen.new.schemas
    if pen.last and pen.r.random() < 0.5 and (layer := schemas.layers.get(pen.last[1])) and pen.last[0] not in pen.closed:
        return pen.last[0], layer
    if not spanned and schemas.tables and pen.r.random() < 0.1:
        layer = schemas.tables[pen.r.choice(sorted(schemas.tables))]
        return (None, layer) if layer.name in pen.old.schemas.tables else None
    article = pen.article()
    layers = [x for x in schemas.layers.values() if not spanned or x.spanned]
    layer = pen.r.choice(sorted(layers, key=lambda x: x.name)) if layers else None
    if article is None or layer is None or layer.name not in pen.old.schemas.layers:
        return None
    return article, layer


def _items(corpus: Corpus, article: str | None, layer: Layer) -> list[Json]:
    found: list[Json] = (corpus.tables if article is None else corpus.records[article]).get(layer.name) or []
    return found


def _set_items(pen: _Pen, article: str | None, layer: Layer, items: list[Json], *, before: bool = False) -> bool:
    """Let these items stand in a layer, if the record is valid then."""
    corpus = pen.old if before else pen.new
    if article is None:
        keys = [item[layer.key.name] for item in items]
        valid = corpus.schemas.table_validators[layer.name].is_valid
        if len(set(keys)) < len(keys) or not all(map(valid, items)):
            return False
        kept, corpus.tables[layer.name] = corpus.tables[layer.name], items
        if any(corpus.problems(a) for a in corpus.records):
            corpus.tables[layer.name] = kept
            return False
        return True
    return pen.put(article, {**corpus.records[article], layer.name: items}, before=before)


def _rows(corpus: Corpus, article: str | None, table: str) -> list[Row]:
    return corpus.corpus_rows()[table] if article is None else corpus.layer_rows(article, table)


def content(row: Row, key: str) -> bytes:
    """What a row says but for its id; surfaces follow from text and spans."""
    return canonical([without_surfaces({name: value for name, value in row.items() if name != key})])


def without_surfaces(value: Any) -> Any:
    """A value of a row in which spans are offsets alone."""
    if isinstance(value, list):
        return [without_surfaces(inner) for inner in value]
    if isinstance(value, dict):
        span = value.keys() >= {"start", "end"}
        return {name: without_surfaces(inner) for name, inner in value.items() if not (span and name == "surface")}
    return value


def _alone(pen: _Pen, article: str | None, layer: Layer, row: str) -> bool:
    """Whether no other row, before or after, says what this one says, now or before."""
    key = layer.key.name
    before = {r[key]: content(r, key) for r in _rows(pen.old, article, layer.name)}
    after = {r[key]: content(r, key) for r in _rows(pen.new, article, layer.name)}
    own = {side[row] for side in (before, after) if row in side}
    return not any(said in own for side in (before, after) for other, said in side.items() if other != row)


def _spans_of(layer: Layer, item: Json) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []

    def walk(value: Any) -> None:
        if isinstance(value, list):
            for inner in value:
                walk(inner)
        elif isinstance(value, dict) and "start" in value:
            found.append((value["start"], value["end"]))

    for f in layer.spanned:
        walk(f.value_of(item))
    return found


def _meet(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> bool:
    return any(start < other_end and other < end for start, end in a for other, other_end in b)


def _may_be_loose(did: _Table, how: str, spans: list[tuple[int, int]]) -> bool:
    """Whether one more row that nothing but content tells apart cannot be taken for another such row."""
    return all(
        (how == other and how in {"added", "removed"}) or (spans and others and not _meet(spans, others))
        for other, others in did.loose
    )


def _recognised(pen: _Pen, article: str | None, layer: Layer, was: str, now: str) -> bool:
    """Whether a changed row would be known without its id: by half of its characters, and all but two of its columns."""
    key = layer.key.name
    old = _by_key(_rows(pen.old, article, layer.name), key)[was]
    new = _by_key(_rows(pen.new, article, layer.name), key)[now]
    if sum(without_surfaces(old[c]) != without_surfaces(new[c]) for c in new if c != key) > 2:
        return False
    before, after = ({n for start, end in _spans_of(layer, row) for n in range(start, end)} for row in (old, new))
    return len(before & after) > 0.5 * len(before | after)


def _fresh(pen: _Pen, article: str | None, layer: Layer, like: str) -> str:
    """An id of the form of `like` that no row has, before or after."""
    stem = re.match(r"[A-Za-z_]*", like)
    taken = {x[lay.key.name] for c in (pen.old, pen.new) for lay in (
        c.schemas.layers.values() if article else [layer]) for x in _items(c, article, lay)}  # fmt: skip
    numbers = [int(n) for key in taken for n in re.findall(r"\d+", key)]
    first = max([0, *numbers]) + pen.r.randint(1, 40)
    return f"{stem[0] if stem else ''}{first}"


def _changed(pen: _Pen, kind: str) -> bool:
    """Change one row in place, in columns of one kind."""
    place = _place(pen, spanned=kind == "span-moved")
    if place is None:
        return False
    article, layer = place
    did = pen.did(article, layer.name)
    items = _items(pen.new, article, layer)
    fields = [f for f in layer.fields if kind_of(f) == kind and f is not layer.key and not f.derive]
    fields = [f for f in fields if not (article and withheld(pen.new.records[article]) and f.withheld)]
    if did.renumbered or not items or not fields or (kind == "span-moved" and pen.grown.get(str(article))):
        return False
    at = pen.r.choice([pen.r.randrange(len(items)), *(i for i, x in enumerate(items) if x[layer.key.name] in did.kinds)])
    row = items[at][layer.key.name]
    so_far = did.kinds.get(row, set())
    if so_far & {kind, "annotation-added"} or (row not in {x[layer.key.name] for x in _items(pen.old, article, layer)}
                                               and "id-changed" not in so_far):  # fmt: skip
        return False
    item = copied(items[at])
    some = pen.r.sample(fields, min(len(fields), pen.r.choice((1, 1, 2))))
    moved_far = False
    for f in some:
        moved_far |= _edit_field(pen, article, layer, item, f)
    spans = _spans_of(layer, items[at])
    loose = "id-changed" in so_far
    if loose and (moved_far or not spans or not _may_be_loose(did, "changed", spans + _spans_of(layer, item))):
        return False
    if not _told_once(pen, article, layer, at, item, some):
        return False
    if loose and not _recognised(pen, article, layer, did.was[row], row):
        _put_back(pen, article, layer, items)
        return False
    did.kinds.setdefault(row, set()).add(kind)
    if moved_far:
        did.kinds[row].add("far")
    if loose:
        did.loose.append(("changed", spans + _spans_of(layer, item)))
    if kind == "span-moved":
        pen.grown[str(article)] = False
    pen.columns |= {(layer.name, f.name) for f in layer.fields if kind_of(f) == kind}
    pen.tell(kind, layer.name, article, row)
    return True


def _told_once(pen: _Pen, article: str | None, layer: Layer, at: int, item: Json, edited: list[Field]) -> bool:
    """Let an edited item stand if its row changes in the edited columns, and what follows from them, and is like no other."""
    items, key = _items(pen.new, article, layer), layer.key.name
    before = _by_key(_rows(pen.new, article, layer.name), key)[item[key]]
    if not _set_items(pen, article, layer, [*items[:at], item, *items[at + 1 :]]):
        return False
    after = _by_key(_rows(pen.new, article, layer.name), key)[item[key]]
    names = {f.name for f in edited}
    differ = {n for n in after if without_surfaces(after[n]) != without_surfaces(before[n])}
    if names <= differ and all(layer[n].derive for n in differ - names) and _alone(pen, article, layer, item[key]):
        return True
    _put_back(pen, article, layer, items)
    return False


def _put_back(pen: _Pen, article: str | None, layer: Layer, items: list[Json], *, before: bool = False) -> None:
    corpus = pen.old if before else pen.new
    if article is None:
        corpus.tables[layer.name] = items
    else:
        corpus.records[article] = {**corpus.records[article], layer.name: items}


def _by_key(rows: list[Row], key: str) -> dict[str, Row]:
    return {row[key]: row for row in rows}


def kind_of(f: Field) -> str:
    """The kind of change that a change of this column of a layer is."""
    if f.span:
        return "span-moved"
    if f.ref:
        return "relinked"
    return "relabelled" if f.labels else "value-changed"


def _added(pen: _Pen) -> bool:
    """A row more: like one that is there, but with an id and words of its own."""
    return _one_more(pen, before=False)


def _removed(pen: _Pen) -> bool:
    """A row less; where all rows are referred to, one that is in OLD alone."""
    place = _place(pen)
    if place is None or pen.r.random() < 0.3:
        return _one_more(pen, before=True)
    article, layer = place
    did, items = pen.did(article, layer.name), _items(pen.new, article, layer)
    if not items or did.renumbered:
        return False
    at = pen.r.randrange(len(items))
    row, spans = items[at][layer.key.name], _spans_of(layer, items[at])
    if row in did.kinds or not _may_be_loose(did, "removed", spans):
        return False
    if not _set_items(pen, article, layer, [*items[:at], *items[at + 1 :]]):
        return False
    if layer.name != "coverage" and not _alone(pen, article, layer, row):
        _put_back(pen, article, layer, items)
        return False
    did.loose.append(("removed", spans))
    did.kinds[row] = {"annotation-removed"}
    pen.tell("annotation-removed", layer.name, article, row)
    return True


def _one_more(pen: _Pen, *, before: bool) -> bool:
    """A row that stands in one of the two states alone."""
    place = _place(pen)
    if place is None:
        return False
    article, layer = place
    did = pen.did(article, layer.name)
    corpus = pen.old if before else pen.new
    items = _items(corpus, article, layer)
    if not items or did.renumbered or layer.name == "coverage" or (before and article and pen.grown.get(article)):
        return False
    item = copied(pen.r.choice(items))
    item[layer.key.name] = row = _fresh(pen, article, layer, item[layer.key.name])
    fields = [f for f in layer.fields if f is not layer.key and not f.derive]
    if article and withheld(pen.new.records[article]):
        fields = [f for f in fields if not f.withheld]
    for f in [*pen.r.sample(fields, min(2, len(fields))), *(f for f in layer.spanned if f.span == "many" and f.value_of(item))]:
        _edit_field(pen, article, layer, item, f, far=True)
    spans = _spans_of(layer, item)
    how = "removed" if before else "added"
    if not _may_be_loose(did, how, spans):
        return False
    at = pen.r.randint(0, len(items))
    if not _set_items(pen, article, layer, [*items[:at], item, *items[at:]], before=before):
        return False
    if not _alone(pen, article, layer, row):
        _put_back(pen, article, layer, items, before=before)
        return False
    did.loose.append((how, spans))
    did.kinds[row] = {f"annotation-{how}"}
    pen.tell(f"annotation-{how}", layer.name, article, row)
    return True


# ---- values --------------------------------------------------------------------------------------------------


def _edit_field(pen: _Pen, article: str | None, layer: Layer, item: Json, f: Field, *, far: bool = False) -> bool:
    """Give a field another value; whether spans were moved away from their words."""
    value, moved_far = f.value_of(item), False
    if f.span:
        value, moved_far = _other_spans(pen, str(article), f, value, far)
    elif f.ref:
        value = _other_keys(pen, article, f, value)
    elif f.labels:
        value = _other_labels(pen, f, value)
    else:
        value = _other_value(pen, f, value)
    _set(item, f, value)
    return moved_far


def _set(item: Json, f: Field, value: Any) -> None:
    for step in f.path[:-1]:
        item = item.setdefault(step, {})
    item[f.path[-1]] = value


def _other_spans(pen: _Pen, article: str, f: Field, value: Any, far: bool) -> tuple[Any, bool]:
    """Spans of which one is moved: by an edge, so that old and new meet, or (one span alone) to other words."""
    r, said = pen.r, pen.new.records[article]["text"]
    text: str | None = said.get("content")
    length = len(text) if text is not None else int(said["n_code_points"])
    if f.span == "nested":
        return (value[:-1] if value else [[_some_words(r, text, length)]]), False
    spans = copied(value) if f.span == "many" else [copied(value)] if value else []
    if not spans:
        return ([_some_words(r, text, length)] if f.span == "many" else _some_words(r, text, length)), False
    at = r.randrange(len(spans))
    if len(spans) == 1 and (far or r.random() < 0.3):
        spans[0] = _some_words(r, text, length)
        away = not _meet([(spans[0]["start"], spans[0]["end"])], [_ends(value if f.span == "one" else value[0])])
        return (spans if f.span == "many" else spans[0]), away
    start, end = _ends(spans[at])
    if r.random() < 0.5:
        start = r.choice([max(0, start - r.randint(1, 12)), r.randrange(start, end)])
    else:
        end = r.choice([min(length, end + r.randint(1, 12)), r.randrange(start, end) + 1])
    spans[at] = {"start": start, "end": end}
    return (spans if f.span == "many" else spans[0]), False


def _ends(span: Json) -> tuple[int, int]:
    return span["start"], span["end"]


def _some_words(r: random.Random, text: str | None, length: int) -> Json:
    if text is None:
        start = r.randrange(length - 12)
        return {"start": start, "end": start + r.randint(1, 12)}
    words = [m.span() for m in re.finditer(r"\w+", text)]
    first = r.randrange(len(words))
    last = min(len(words) - 1, first + r.choice((0, 0, 1, 2)))
    return {"start": words[first][0], "end": words[last][1]}


def _other_keys(pen: _Pen, article: str | None, f: Field, value: Any) -> Any:
    schemas = pen.new.schemas
    target = schemas.layers.get(str(f.ref)) or schemas.tables[str(f.ref)]
    items = _items(pen.new, None if target.corpus_level else article, target)
    keys = [item[target.key.name] for item in items]
    if not keys:
        return value
    if not isinstance(value, list):
        return pen.r.choice([*keys, None] if f.nullable and value else keys)
    left = [key for key in keys if key not in value]
    if value and pen.r.random() < 0.4:
        return [key for key in value if key != value[-1]]
    return [*value, pen.r.choice(left)] if left else value


def _other_labels(pen: _Pen, f: Field, value: Any) -> Any:
    labels = f.labels or []
    if not isinstance(value, list):
        return pen.r.choice([label for label in labels if label != value] or [value])
    left = [label for label in labels if label not in value]
    return value[:-1] if value and (not left or pen.r.random() < 0.5) else [*value, *left[:1]]


def _other_value(pen: _Pen, f: Field, value: Any) -> Any:
    """Another value of the field's type; what the schema says of it besides is left to the check."""
    r, kinds = pen.r, f.kinds
    if "array" in kinds:
        return [*(value or []), f"further {r.randrange(1000)}"] if "string" in f.item_kinds else (value or [])[:-1]
    if "boolean" in kinds:
        return not value
    if kinds & {"integer", "number"}:
        return (value or 0) + r.choice((1, 2, 10))
    if f.schema.get("format") == "date":
        day = datetime.date.fromisoformat(value) if value else datetime.date(2026, 1, 2)
        return (day + datetime.timedelta(days=r.randint(1, 30))).isoformat()
    day_ = f"2026-{r.randint(1, 12):02}-{r.randint(1, 28):02}"
    other: list[str | None] = [f"{value or 'said'} {r.randrange(1000)}", f"said-{r.randrange(1000)}", f"{value or ''}s"]
    other += [f"Q{r.randint(1, 99999)}", "FR", "DE", day_]
    if f.nullable and value is not None:
        other.append(None)
    return r.choice(other)


# ---- ids -----------------------------------------------------------------------------------------------------


def _one_id(pen: _Pen) -> bool:
    """One row under a fresh id; what refers to it follows."""
    place = _place(pen)
    if place is None:
        return False
    article, layer = place
    did, items = pen.did(article, layer.name), _items(pen.new, article, layer)
    if not items or did.renumbered or layer.name == "coverage":
        return False
    changed = [x for x in items if did.kinds.get(x[layer.key.name], set()) - {"annotation-added"}]
    item = pen.r.choice(changed if changed and pen.r.random() < 0.6 else items)
    row, so_far = item[layer.key.name], did.kinds.get(item[layer.key.name], set())
    if so_far & {"annotation-added", "id-changed", "far"} or not _alone(pen, article, layer, row):
        return False
    was = next((x for x in _items(pen.old, article, layer) if x[layer.key.name] == row), None)
    if was is None:
        return False
    spans = [*_spans_of(layer, was), *_spans_of(layer, item)]
    if so_far and (not _may_be_loose(did, "changed", spans) or not _recognised(pen, article, layer, row, row)):
        return False
    fresh = _fresh(pen, article, layer, row)
    if not _rename(pen, article, layer, {row: fresh}):
        return False
    if so_far:
        did.loose.append(("changed", spans))
    return True


def _all_ids(pen: _Pen) -> bool:
    """All rows of a layer under fresh ids, as a tool gives them when a document is imported again."""
    return _renumbered(pen, shifted=False)


def _shifted_ids(pen: _Pen) -> bool:
    """Each row under the id of the next one: the old ids are there, and say something else."""
    return _renumbered(pen, shifted=True)


def _renumbered(pen: _Pen, *, shifted: bool) -> bool:
    place = _place(pen)
    if place is None:
        return False
    article, layer = place
    did, items = pen.did(article, layer.name), _items(pen.new, article, layer)
    changed = {row: kinds for row, kinds in did.kinds.items() if kinds}
    if len(items) < 2 or layer.name == "coverage" or did.renumbered or did.loose or len(changed) > 1:
        return False
    if any("id-changed" in kinds or "far" in kinds for kinds in changed.values()):
        return False
    keys = [item[layer.key.name] for item in items]
    if not all(_recognised(pen, article, layer, row, row) for row in changed):
        return False
    if len({content(r, layer.key.name) for r in _rows(pen.new, article, layer.name)}) < len(keys):
        return False
    last = _fresh(pen, article, layer, keys[-1])
    if shifted:
        mapping = dict(zip(keys, [*keys[1:], last], strict=True))
    else:
        stem, number = re.match(r"(\D*)(\d+)", last).groups() if re.match(r"(\D*)(\d+)$", last) else (last, "0")  # type: ignore[union-attr]
        mapping = {key: f"{stem}{int(number) + n}" for n, key in enumerate(pen.r.sample(keys, len(keys)))}
        if article is None and layer.name == "measures":
            mapping = {key: f"{key}_{number}" for key in keys}
    if not _rename(pen, article, layer, mapping):
        return False
    did.renumbered = True
    return True


def _swapped_ids(pen: _Pen) -> bool:
    """Two rows of little likeness under each other's id."""
    place = _place(pen)
    if place is None:
        return False
    article, layer = place
    did, key = pen.did(article, layer.name), layer.key.name
    rows = [row for row in _rows(pen.new, article, layer.name) if row[key] not in did.kinds]
    if did.renumbered or did.loose or len(rows) < 2 or layer.name == "coverage":
        return False
    one, other = pen.r.sample(rows, 2)
    unlike = [c for c in one if c not in {key, "article_id"} and without_surfaces(one[c]) != without_surfaces(other[c])]
    a, b = one[key], other[key]
    if len(unlike) < 3 or not (_alone(pen, article, layer, a) and _alone(pen, article, layer, b)):
        return False
    return _rename(pen, article, layer, {a: b, b: a})


def _rename(pen: _Pen, article: str | None, layer: Layer, mapping: dict[str, str]) -> bool:
    """Give rows other ids, and let all that refers to them follow."""
    owners = list(pen.new.records) if article is None else [article]
    kept_tables, kept = dict(pen.new.tables), {a: pen.new.records[a] for a in owners}
    if article is None:
        pen.new.tables[layer.name] = [_renamed_item(x, layer, layer.name, mapping) for x in pen.new.tables[layer.name]]
    for a in owners:
        record = dict(pen.new.records[a])
        for other in pen.new.schemas.layers.values():
            if (other.name == layer.name and article) or any(f.ref == layer.name for f in other.references):
                record[other.name] = [_renamed_item(x, other, layer.name, mapping) for x in record.get(other.name) or []]
        pen.new.records[a] = record
    if any(pen.new.problems(a) for a in owners):
        pen.new.tables = kept_tables
        pen.new.records |= kept
        return False
    did = pen.did(article, layer.name)
    did.kinds = {mapping.get(row, row): kinds for row, kinds in did.kinds.items()}
    told = {t for t in pen.script.told if (t.table, t.article_id) == (layer.name, article) and t.row in mapping}
    told = {t for t in told if t.kind != "annotation-removed"}
    pen.script.told = (pen.script.told - told) | {Told(t.kind, t.table, article, mapping[str(t.row)]) for t in told}
    did.was |= {fresh: row for row, fresh in mapping.items()}
    for row in mapping.values():
        did.kinds.setdefault(row, set()).add("id-changed")
        pen.tell("id-changed", layer.name, article, row)
    pen.touched |= set(owners)
    return True


def _renamed_item(item: Json, layer: Layer, renamed: str, mapping: dict[str, str]) -> Json:
    made: Json = copied(item)
    if layer.name == renamed:
        made[layer.key.name] = mapping.get(made[layer.key.name], made[layer.key.name])
    for f in layer.references:
        value = f.value_of(made)
        if f.ref == renamed and value is not None:
            _set(made, f, [mapping.get(k, k) for k in value] if isinstance(value, list) else mapping.get(value, value))
    return made


# ---- articles ------------------------------------------------------------------------------------------------


def _article_added(pen: _Pen) -> bool:
    """An article more: one of the others, or one that is there under another id."""
    if not pen.spare or len(pen.new.records) > 3:
        return False
    article = pen.spare.pop(pen.r.randrange(len(pen.spare)))
    pen.new.records[article], pen.new.splits[article] = pen.whole.records[article], pen.r.choice(pen.splits)
    pen.closed.add(article)
    if pen.new.problems(article):  # a corpus-level row that it refers to is gone
        del pen.new.records[article], pen.new.splits[article]
        return False
    pen.tell("article-added", ARTICLES, article)
    return True


def _article_removed(pen: _Pen) -> bool:
    article = _gone(pen)
    if article is not None:
        pen.tell("article-removed", ARTICLES, article)
    return article is not None


def _article_retracted(pen: _Pen) -> bool:
    article = _gone(pen)
    if article is not None:
        pen.new.retracted.add(article)
        pen.tell("article-retracted", ARTICLES, article)
    return article is not None


def _gone(pen: _Pen) -> str | None:
    """An untouched article that is in OLD and no more in NEW; it is put into OLD where all others are needed."""
    there = [a for a in pen.new.records if a in pen.old.records and a not in pen.touched | pen.closed]
    if len(pen.new.records) > 1 and there and pen.r.random() < 0.5:
        article = pen.r.choice(there)
        del pen.new.records[article], pen.new.splits[article]
    elif pen.spare:
        article = pen.spare.pop(pen.r.randrange(len(pen.spare)))
        pen.old.records[article], pen.old.splits[article] = pen.whole.records[article], pen.r.choice(pen.splits)
    else:
        return None
    pen.closed.add(article)
    return article


def _split_moved(pen: _Pen) -> bool:
    article = pen.article()
    if article is None or pen.old.splits[article] != pen.new.splits[article]:
        return False
    pen.new.splits[article] = pen.r.choice([s for s in SPLITS if s != pen.old.splits[article]])
    pen.touched.add(article)
    pen.tell("split-moved", ARTICLES, article)
    return True


_NOT_METADATA = {"article_id", "text_redistributable", "split", "supersedes"}


def _metadata(pen: _Pen) -> bool:
    """One to three columns of the article that are neither its text nor its split."""
    article = pen.article()
    if article is None or Told("metadata-changed", ARTICLES, article) in pen.script.told:
        return False
    record = copied(pen.new.records[article])
    layer = pen.new.schemas.article
    fields = [f for f in layer.fields if f.name not in _NOT_METADATA and f.path[0] != "text" and f.path[-1] != "correction_log"]
    if withheld(record):
        fields = [f for f in fields if not f.withheld]
    some = pen.r.sample(fields, pen.r.choice((1, 1, 2, 3)))
    for f in some:
        value = _other_labels(pen, f, f.value_of(record)) if f.labels else _other_value(pen, f, f.value_of(record))
        if f.name in {"text_license", "annotation_license"}:
            value = pen.r.choice(("CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0"))
        if f.name == "language":
            value = pen.r.choice(("en", "de", "fr"))
        _set(record, f, value)
    before = pen.new.article_rows(article)[ARTICLES][0]
    kept = pen.new.records[article]
    if not pen.put(article, record):
        return False
    after = pen.new.article_rows(article)[ARTICLES][0]
    if any(before[f.name] == after[f.name] for f in some):
        pen.new.records[article] = kept
        return False
    pen.columns |= {(ARTICLES, f.name) for f in some}
    pen.tell("metadata-changed", ARTICLES, article)
    return True


# ---- texts ---------------------------------------------------------------------------------------------------


def _text_replaced(pen: _Pen) -> bool:
    """Another letter in place of one, so that no span moves."""
    article = _of_unedited_text(pen)
    if article is None:
        return False
    record = copied(pen.new.records[article])
    text = record["text"].get("content")
    if text is None:
        return _text_edited(pen, article, _other_hash(pen, record))
    at = pen.r.choice([i for i, c in enumerate(text) if c.islower()])
    letter = pen.r.choice([c for c in "abcdefghijklmnopqrstuvwxyz" if c != text[at]])
    return _text_edited(pen, article, _with_text(record, text[:at] + letter + text[at + 1 :]))


def _text_longer(pen: _Pen) -> bool:
    """A space or a line end more, outside any span; all spans behind it follow."""
    article = _of_unedited_text(pen)
    if article is None or pen.grown.get(article) is False or any(
        did.loose for (owner, _), did in pen.tables.items() if owner == article
    ):  # fmt: skip
        return False
    record = copied(pen.new.records[article])
    text = record["text"].get("content")
    length = len(text) if text is not None else record["text"]["n_code_points"]
    inside = _covered(pen, record, length)
    at = pen.r.choice([i for i in range(length + 1) if i not in inside])
    _shift(record, at)
    if text is None:
        record = _other_hash(pen, record)
        record["text"] |= {"n_code_points": length + 1, "n_bytes": record["text"]["n_bytes"] + 1}
    else:
        record = _with_text(record, f"{text[:at]}{pen.r.choice(' ' + chr(10))}{text[at:]}")
    before = pen.new.article_rows(article)
    if not _text_edited(pen, article, record):
        return False
    pen.grown[article] = True
    _tell_shifted(pen, article, before)
    return True


def _tell_shifted(pen: _Pen, article: str, before: dict[str, list[Row]]) -> None:
    """Rows whose offsets follow the text: that is how their spans are told."""
    after = pen.new.article_rows(article)
    for layer in pen.new.schemas.layers.values():
        key, columns = layer.key.name, [f.name for f in layer.spanned]
        then = _by_key(before[layer.name], key)
        for row in after[layer.name]:
            if any(without_surfaces(row[c]) != without_surfaces(then[row[key]][c]) for c in columns):
                pen.did(article, layer.name).kinds.setdefault(row[key], set()).add("span-moved")
                if SHIFTED_IS_MOVED:
                    pen.tell("span-moved", layer.name, article, row[key])
        pen.did(article, layer.name).renumbered = True  # nothing else there: matching by words is the diff's own affair


SHIFTED_IS_MOVED = True
"""Whether offsets that follow an edited text are told as spans that moved, as the rows have it."""


def _of_unedited_text(pen: _Pen) -> str | None:
    article = pen.article()
    if article is None or Told("text-edited", ARTICLES, article) in pen.script.told:
        return None
    return article


def _with_text(record: Json, text: str) -> Json:
    record["text"] = {"content": text}
    return record


def _other_hash(pen: _Pen, record: Json) -> Json:
    digest = hashlib.sha256(f"{record['text']['sha256']} {pen.r.random()}".encode()).hexdigest()
    record["text"] = {**record["text"], "sha256": digest}
    return record


def _text_edited(pen: _Pen, article: str, record: Json) -> bool:
    if not pen.put(article, record):
        return False
    pen.tell("text-edited", ARTICLES, article)
    return True


def _spans_in(value: Any) -> Iterator[Json]:
    if isinstance(value, list):
        for inner in value:
            yield from _spans_in(inner)
    elif isinstance(value, dict):
        if value.keys() >= {"start", "end"}:
            yield value
        else:
            for inner in value.values():
                yield from _spans_in(inner)


def _covered(pen: _Pen, record: Json, length: int) -> set[int]:
    """Places inside some span, where a character more would be part of it."""
    found: set[int] = set()
    for name in pen.new.schemas.layers:
        for span in _spans_in(record.get(name) or []):
            found |= set(range(span["start"] + 1, span["end"]))
    return found


def _shift(record: Json, at: int) -> None:
    for name, value in record.items():
        if name != "text":
            for span in _spans_in(value):
                if span["start"] >= at:
                    span["start"] += 1
                    span["end"] += 1


def _superseded(pen: _Pen) -> bool:
    """A new article with the edited text, beside the one that it supersedes."""
    return _successor(pen, gone=False)


def _superseded_gone(pen: _Pen) -> bool:
    """A new article with the edited text, in the place of the one that it supersedes."""
    return _successor(pen, gone=True)


def _successor(pen: _Pen, *, gone: bool) -> bool:
    article = pen.article()
    if article is None or (gone and article in pen.touched):
        return False
    if any(record.get("supersedes") == article for record in pen.new.records.values()):
        return False
    record = copied(pen.new.records[article])
    fresh = f"{article[:-12]}{pen.r.randrange(16**12):012x}"
    record |= {"article_id": fresh, "supersedes": article}
    text = record["text"].get("content")
    record = _other_hash(pen, record) if text is None else _with_text(record, text + "\n")
    pen.new.records[fresh], pen.new.splits[fresh] = record, pen.new.splits[article]
    if pen.new.problems(fresh):
        del pen.new.records[fresh], pen.new.splits[fresh]
        return False
    if gone:
        del pen.new.records[article], pen.new.splits[article]
        pen.closed.add(article)
    pen.touched.add(article)
    pen.closed.add(fresh)
    pen.tell("text-edited", ARTICLES, fresh)
    return True


# ---- edits that change no row, or that are many at once (for the bump) ----------------------------------------


def _reordered(pen: _Pen) -> bool:
    """The items of a layer in another order: nothing changed."""
    place = _place(pen)
    if place is None:
        return False
    article, layer = place
    items = _items(pen.new, article, layer)
    other = pen.r.sample(items, len(items))
    return len(items) > 1 and other != items and _set_items(pen, article, layer, other)


def _unseen(pen: _Pen) -> bool:
    """A note in the record of a withheld article: no row shows it."""
    article = pen.article()
    if article is None or not withheld(pen.new.records[article]):
        return False
    layers = [x for x in pen.new.schemas.layers.values() if any(f.name == "note" and f.withheld for f in x.fields)]
    if not layers:
        return False
    layer = pen.r.choice(sorted(layers, key=lambda x: x.name))
    items = _items(pen.new, article, layer)
    at = pen.r.randrange(len(items))
    return _set_items(pen, article, layer, [*items[:at], {**items[at], "note": "Nobody sees this."}, *items[at + 1 :]])


def _rights_taken(pen: _Pen) -> bool:
    """The right to pass on the text is taken back: all that carries text becomes null."""
    article = pen.article()
    if article is None or withheld(pen.new.records[article]):
        return False
    record = copied(pen.new.records[article])
    record["rights"]["text_redistributable"] = False
    return pen.put(article, record)


# ---- schemas -------------------------------------------------------------------------------------------------


def _schema_of(pen: _Pen) -> tuple[str, Json] | None:
    """Some schema file of both states, and a copy of it."""
    names = [n for n in sorted(pen.new.sources) if n in pen.old.sources]
    name = pen.r.choice(names)
    return name, copied(pen.new.sources[name])


def _table_of(source: str) -> str:
    return ARTICLES if source == "article" else source


def _with_schema(pen: _Pen, name: str, schema: Json | None, change: Callable[[Json], None] = lambda _: None) -> bool:
    """Let a schema file (None: no such file) stand, with every item of its table changed to fit."""
    sources = {**pen.new.sources, name: schema} if schema is not None else {k: v for k, v in pen.new.sources.items() if k != name}
    if not valid_schemas(sources):
        return False
    made = pen.new.copy()
    made.sources = sources
    for a, record in made.records.items():
        made.records[a] = _changed_items(record, name, change, gone=schema is None)
    if name in made.tables:
        rows = copied(made.tables.pop(name))
        for row in rows:
            change(row)
        if schema is not None:
            made.tables[name] = rows
    validators = made.schemas.table_validators
    if any(not validators[t].is_valid(row) for t in made.schemas.tables for row in made.tables.get(t, ())):
        return False
    if any(made.problems(a) for a in made.records):
        return False
    pen.new.sources, pen.new.records, pen.new.tables = made.sources, made.records, made.tables
    pen.touched |= set(made.records)
    return True


def _changed_items(record: Json, name: str, change: Callable[[Json], None], *, gone: bool) -> Json:
    made: Json = copied(record)
    if name == "article":
        change(made)
    elif gone:
        made.pop(name, None)
    else:
        for item in made.get(name) or ():
            change(item)
    return made


def _own_column(pen: _Pen, schema: Json, table: str) -> str | None:
    """A plain property of a schema that no edit of the script touched; none where rows have other ids."""
    if any(t.table == table and t.kind in {"id-changed", "key-changed"} for t in pen.script.told):
        return None
    names = [n for n, p in schema["properties"].items()
             if "x-key" not in p and "properties" not in p and "x-derive" not in p and n not in {"text", "split", "supersedes"}
             and n not in {"language", "group"} and (table, n) not in pen.columns]  # fmt: skip
    return pen.r.choice(names) if names else None


_NEW_COLUMNS: dict[str, tuple[Json, Any]] = {
    "reviewer": ({"type": ["string", "null"]}, "someone"),
    "weight": ({"type": ["number", "null"]}, 0.5),
    "reviewed": ({"type": ["boolean", "null"]}, True),
    "strength": ({"type": ["string", "null"], "enum": ["WEAK", "STRONG", None]}, "WEAK"),
    "hints": ({"type": "array", "items": {"type": "string"}}, ["one"]),
}


def _column_added(pen: _Pen) -> bool:
    """A nullable column, filled in some rows or in none."""
    found = _schema_of(pen)
    if found is None:
        return False
    name, schema = found
    column = pen.r.choice(sorted(_NEW_COLUMNS))
    if column in schema["properties"]:
        return False
    kind, value = _NEW_COLUMNS[column]
    schema["properties"][column] = {**kind, "description": "Added later."}
    share, lot = pen.r.choice((0.0, 0.3)), random.Random(pen.r.random())
    kept = pen.new.sources, pen.new.records, pen.new.tables

    def fill(item: Json) -> None:
        if lot.random() < share:
            item[column] = value

    if not _with_schema(pen, name, schema, fill):
        return False
    released = _released_rows(pen, name)
    if released and all(row[column] for row in released):  # it looks like one that may not be empty
        pen.new.sources, pen.new.records, pen.new.tables = kept
        return False
    pen.columns.add((_table_of(name), column))
    pen.tell("column-added", _table_of(name), row=column)
    _tell_filled(pen, name, column)
    return True


def _tell_filled(pen: _Pen, name: str, column: str) -> None:
    """Released rows that have a value in a column that came: they say more than before."""
    layer = layers_of(pen.new.schemas)[_table_of(name)]
    kind = kind_of(layer[column])
    for row in _released_rows(pen, name):
        article, key = row.get("article_id"), row[layer.key.name]
        if row[column] in (None, []) or Told("annotation-added", name, article, key) in pen.script.told:
            continue
        if name == "article":
            pen.tell("metadata-changed", ARTICLES, article)
        else:
            pen.tell(kind, name, article, key)


def _released_rows(pen: _Pen, name: str) -> list[Row]:
    """The rows of a table in NEW that belong to articles of OLD."""
    if name in pen.new.schemas.tables:
        return pen.new.corpus_rows()[name]
    both = [a for a in sorted(pen.new.records) if a in pen.old.records]
    return [row for a in both for row in pen.new.article_rows(a)[_table_of(name)]]


def _column_required(pen: _Pen) -> bool:
    """A column that every row fills, as it must."""
    found = _schema_of(pen)
    if found is None or "obliged" in found[1]["properties"]:
        return False
    name, schema = found
    schema["properties"]["obliged"] = {"type": "string", "description": "Added later, and never empty."}
    schema["required"] = [*schema.get("required", ()), "obliged"]
    if not _released_rows(pen, name) or not _with_schema(pen, name, schema, lambda item: item.__setitem__("obliged", "yes")):
        return False
    pen.columns.add((_table_of(name), "obliged"))
    pen.tell("column-added", _table_of(name), row="obliged")
    return True


def _column_removed(pen: _Pen) -> bool:
    found = _schema_of(pen)
    if found is None:
        return False
    name, schema = found
    column = _own_column(pen, schema, _table_of(name))
    if column is None:
        return False
    del schema["properties"][column]
    schema["required"] = [n for n in schema.get("required", ()) if n != column]
    if not _with_schema(pen, name, schema, lambda item: item.pop(column, None)):
        return False
    pen.columns.add((_table_of(name), column))
    pen.tell("column-removed", _table_of(name), row=column)
    return True


def _column_renamed(pen: _Pen) -> bool:
    """A column under another name; it holds something that no other column holds."""
    found = _schema_of(pen)
    if found is None:
        return False
    name, schema = found
    table = _table_of(name)
    column = _own_column(pen, schema, table)
    if column is None or not _unlike_others(pen, name, column):
        return False
    fresh = f"{column}_said"
    schema["properties"] = {fresh if n == column else n: p for n, p in schema["properties"].items()}
    schema["required"] = [fresh if n == column else n for n in schema.get("required", ())]

    def rename(item: Json) -> None:
        if column in item:
            item[fresh] = item.pop(column)

    if not _with_schema(pen, name, schema, rename):
        return False
    pen.columns |= {(table, column), (table, fresh)}
    pen.tell("column-renamed", table, row=fresh)
    return True


def _unlike_others(pen: _Pen, name: str, column: str) -> bool:
    """Whether a column holds the same in rows of both states, and not nothing, and no other column holds that."""
    key = layers_of(pen.new.schemas)[_table_of(name)].key.name
    there = {(row.get("article_id"), row[key]): row for row in _released_rows(pen, name)}
    rows = [row for row in _all_rows(pen.old, name) if (row.get("article_id"), row[key]) in there]
    if not rows or column not in rows[0]:
        return False
    if any(canonical([{"": row[column]}]) != canonical([{"": there[row.get("article_id"), row[key]][column]}]) for row in rows):
        return False
    columns = {c: [canonical([{"": row[c]}]) for row in rows] for c in rows[0]}
    empty = {canonical([{"": None}]), canonical([{"": []}])}
    return not set(columns[column]) <= empty and sum(said == columns[column] for said in columns.values()) == 1


def _all_rows(corpus: Corpus, name: str) -> list[Row]:
    if name in corpus.schemas.tables:
        return corpus.corpus_rows()[name]
    return [row for a in sorted(corpus.records) for row in corpus.article_rows(a)[_table_of(name)]]


def _column_retyped(pen: _Pen) -> bool:
    """A column of another type: a string becomes a list, a truth value a word, a whole number a word."""
    found = _schema_of(pen)
    if found is None:
        return False
    name, schema = found
    table = _table_of(name)
    column = _own_column(pen, schema, table)
    if column is None:
        return False
    said = schema["properties"][column]
    kinds = {said.get("type")} if isinstance(said.get("type"), str) else set(said.get("type") or ())
    if "enum" in said or any(k.startswith("x-") and k != "x-withheld" for k in said):
        return False
    plain = {k: v for k, v in said.items() if k in {"description", "x-withheld"}}
    if kinds <= {"string", "null"} and kinds:
        schema["properties"][column] = {**plain, "type": "array", "items": {"type": "string"}}
        made: Callable[[Any], Any] = lambda v: [] if v is None else [v]  # noqa: E731
    elif kinds & {"boolean", "integer"}:
        schema["properties"][column] = {**plain, "type": ["string", "null"]}
        made = lambda v: None if v is None else str(v)  # noqa: E731
    else:
        return False

    def retype(item: Json) -> None:
        if column in item:
            item[column] = made(item[column])

    if not _with_schema(pen, name, schema, retype):
        return False
    pen.columns.add((table, column))
    pen.tell("column-retyped", table, row=column)
    return True


def _labelled(pen: _Pen) -> tuple[str, Json, str, Json] | None:
    """A schema file, its schema, a label column of it and the part that lists the labels."""
    found = _schema_of(pen)
    if found is None:
        return None
    name, schema = found
    parts = []
    for column, said in schema["properties"].items():
        part = said.get("items", said) if isinstance(said, dict) else {}
        if any(isinstance(v, str) for v in part.get("enum", ())) and "x-derive" not in said:
            parts.append((column, part))
    column, part = pen.r.choice(parts) if parts else ("", {})
    told = {Told(kind, _table_of(name), None, column) for kind in ("label-added", "label-removed")}
    return (name, schema, column, part) if parts and not told & pen.script.told else None


def _label_added(pen: _Pen) -> bool:
    found = _labelled(pen)
    if found is None:
        return False
    name, schema, column, part = found
    part["enum"] = [*(v for v in part["enum"] if v is not None), "FURTHER", *([None] if None in part["enum"] else [])]
    if not _with_schema(pen, name, schema):
        return False
    pen.columns.add((_table_of(name), column))
    pen.tell("label-added", _table_of(name), row=column)
    return True


def _label_removed(pen: _Pen) -> bool:
    """A label that no row has, or has any more, is no label any more."""
    found = _labelled(pen)
    if found is None or (_table_of(found[0]), found[2]) in pen.columns:
        return False
    name, schema, column, part = found
    gone = pen.r.choice([v for v in part["enum"] if v is not None])
    part["enum"] = [v for v in part["enum"] if v != gone]
    if len([v for v in part["enum"] if v is not None]) < 1 or not _with_schema(pen, name, schema):
        return False
    pen.columns.add((_table_of(name), column))
    pen.tell("label-removed", _table_of(name), row=column)
    return True


def _remarks(key: str, *, corpus_level: bool) -> Json:
    said: Json = {
        "title": "Remarks", "description": "Remarks on articles.", "type": "object", "x-prefix": "r",
        "properties": {
            key: {"type": "string", "description": "Identifier.", "x-key": True},
            "said": {"type": "string", "enum": ["GOOD", "BAD"], "description": "What is remarked."},
        },
        "required": [key, "said"],
    }  # fmt: skip
    if corpus_level:
        said["x-table"] = "corpus"
    return said


def _table_added(pen: _Pen) -> bool:
    """A table more: a layer or a corpus-level one, with rows or without."""
    name = pen.r.choice(("remarks", "reviews", "ratings"))
    if name in pen.new.sources or name in pen.old.sources:
        return False
    corpus_level, filled = pen.r.random() < 0.3, pen.r.random() < 0.6
    if not _with_schema(pen, name, _remarks("remark_id", corpus_level=corpus_level)):
        return False
    rows = [{"remark_id": f"r{n}", "said": pen.r.choice(("GOOD", "BAD"))} for n in range(3 if filled else 0)]
    if corpus_level:
        pen.new.tables[name] = rows
    else:
        pen.new.records = {a: {**record, name: rows} for a, record in pen.new.records.items()}
    pen.tell("table-added", name)
    return True


def _table_removed(pen: _Pen) -> bool:
    """A table that nothing refers to is gone with its rows."""
    names = [n for n in sorted(pen.new.sources) if n in pen.old.sources and n != "article"]
    if not names:
        return False
    name = pen.r.choice(names)
    if any(table == name for (_, table) in pen.tables) or any(t.table == name for t in pen.script.told):
        return False
    if not _with_schema(pen, name, None):
        return False
    pen.tell("table-removed", name)
    return True


def _key_changed(pen: _Pen) -> bool:
    """Another column is the key: one that both states have, and that tells rows apart as well."""
    name = pen.r.choice(("mentions", "claims", "factuality", "segments", "events", "times", "judgements"))
    if name not in pen.new.sources or name not in pen.old.sources or any(t.table == name for t in pen.script.told):
        return False
    if any(f.ref == name for x in layers_of(pen.new.schemas).values() for f in x.references) or (None, name) in pen.tables:
        return False
    if any(table == name for (_, table) in pen.tables) or "serial" in pen.new.sources[name]["properties"]:
        return False
    key = next(n for n, p in pen.new.sources[name]["properties"].items() if "x-key" in p)
    kept = pen.new.sources, pen.new.records, pen.new.tables
    schema = copied(pen.new.sources[name])
    schema["properties"]["serial"] = {"type": "string", "description": "Serial number."}
    if not _with_schema(pen, name, schema, lambda item: item.__setitem__("serial", f"{name}-{item[key]}")):
        return False
    before = pen.new
    swapped = copied(schema)
    del swapped["properties"][key]["x-key"]
    swapped["properties"]["serial"]["x-key"] = True
    swapped["required"] = list(dict.fromkeys([*swapped.get("required", ()), key, "serial"]))
    old_records, old_tables, old_sources = dict(pen.old.records), dict(pen.old.tables), pen.old.sources
    pen.old.sources = {**old_sources, name: schema}
    for a in pen.old.records:
        pen.old.records[a] = _changed_items(
            pen.old.records[a], name, lambda item: item.__setitem__("serial", f"{name}-{item[key]}"), gone=False
        )
    if name in pen.old.tables:
        pen.old.tables[name] = [{**row, "serial": f"{name}-{row[key]}"} for row in pen.old.tables[name]]
    if not valid_schemas(pen.old.sources) or not _with_schema(pen, name, swapped):
        pen.old.records, pen.old.tables, pen.old.sources = old_records, old_tables, old_sources
        before.sources, before.records, before.tables = kept
        return False
    pen.columns |= {(name, "serial"), (name, key)}
    pen.did(None, name).renumbered = True
    for a in pen.new.records:
        pen.did(a, name).renumbered = True
    pen.tell("key-changed", name, row="serial")
    return True


# ---- all edits -----------------------------------------------------------------------------------------------

EDITS: dict[str, Edit] = {
    "article-added": _article_added,
    "article-removed": _article_removed,
    "article-retracted": _article_retracted,
    "text-replaced": _text_replaced,
    "text-longer": _text_longer,
    "text-superseded": _superseded,
    "text-superseded-gone": _superseded_gone,
    "metadata-changed": _metadata,
    "split-moved": _split_moved,
    "annotation-added": _added,
    "annotation-removed": _removed,
    "span-moved": lambda pen: _changed(pen, "span-moved"),
    "relabelled": lambda pen: _changed(pen, "relabelled"),
    "relinked": lambda pen: _changed(pen, "relinked"),
    "value-changed": lambda pen: _changed(pen, "value-changed"),
    "id-fresh": _one_id,
    "ids-fresh": _all_ids,
    "ids-shifted": _shifted_ids,
    "ids-swapped": _swapped_ids,
    "table-added": _table_added,
    "table-removed": _table_removed,
    "column-added": _column_added,
    "column-required": _column_required,
    "column-removed": _column_removed,
    "column-renamed": _column_renamed,
    "column-retyped": _column_retyped,
    "label-added": _label_added,
    "label-removed": _label_removed,
    "key-changed": _key_changed,
}
"""Every edit that is told, by name."""

UNTOLD: dict[str, Edit] = {"rows-reordered": _reordered, "note-unseen": _unseen}
"""Edits that change no row."""

MANY: dict[str, Edit] = {"rights-taken": _rights_taken}
"""Edits that are many changes at once: only their bump is known."""

SCHEMA_EDITS = tuple(name for name in EDITS if name.split("-")[0] in {"table", "column", "label", "key"})
ROW_EDITS = tuple(name for name in EDITS if name not in SCHEMA_EDITS)
EDITS |= UNTOLD | MANY
