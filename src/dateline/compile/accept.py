"""Which records of a block are certainly right; all others are for `check_record`, which says what is wrong, if anything is.

Nothing is decided here that `check_record` would decide otherwise: a record that is not doubted has no problem there (tests hold
the two against each other), while a doubt alone says nothing. So a law that is rare, or costs much to decide a column at a time,
may be doubted or left to the law's own function.

What makes it fast is that validators see a *value* once, not each time that it stands somewhere: an item is valid if the names
that it has are, and each value is by itself. The laws of a layer (`x-rules`) are decided once for all items which their
subschemas cannot tell apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Set
from decimal import Decimal
from typing import Any

from dateline.annotation_sets import set_field
from dateline.compile import check, laws
from dateline.compile.column_laws import OF_EVERY_ITEM, OF_FIELDS, descending, numbers_lost, spans_wrong, uncovered
from dateline.compile.columns import Block, Items
from dateline.compile.doubts import Doubts, Keys, is_doubted, named, owners
from dateline.compile.sets import check_sets
from dateline.compile.values import OF_AN_OBJECT, LawsOf, UnknownForm, is_valid, may_hold_floats, parts_of, values_of
from dateline.schema import Field, Json, Layer, Schemas, validator_of


class Acceptor:
    """What follows from schemas for the records of a project; made once, and asked for one block after the other."""

    def __init__(self, schemas: Schemas, table_keys: Mapping[str, Set[str]], *, public: bool) -> None:
        self._schemas, self._table_keys, self._public = schemas, table_keys, public
        self._article = _Article(schemas)
        self._layers = [_Items(layer, schemas, table_keys) for layer in schemas.layers.values()]
        self._in_sets = any(set_field(layer) for layer in schemas.layers.values())

    def doubtful(self, block: Block) -> Doubts:
        """The records of a block that may have a problem."""
        doubts = {n for n, record in enumerate(block.records) if not self._in_lists(record)}
        if doubts:  # nothing can be asked of the others as long as these are among them
            return doubts | _moved(self.doubtful, block, doubts)
        doubts = {n for n, record in enumerate(block.records) if not self._article.is_right(record, public=self._public)}
        if doubts:
            return doubts | _moved(self.doubtful, block, doubts)
        for one in self._layers:
            doubts |= one.shape(block.items(one.layer))
        if doubts:
            return doubts | _moved(self.doubtful, block, doubts)
        if self._article.numbers_anywhere or any(one.floats(block) for one in self._layers):
            doubts |= {n for n, raw in enumerate(block.raws) if not _keeps_numbers(raw.raw)}
        keys = Keys(block)
        doubts |= keys.twice
        for one in self._layers:
            doubts |= one.links(block, keys)
        if doubts:
            return doubts | _moved(self.doubtful, block, doubts)
        for one in self._layers:
            doubts |= one.laws(block, keys)
        if self._in_sets:
            asked = (n for n in range(len(block.records)) if n not in doubts)
            doubts |= {n for n in asked if is_doubted(check_sets, block.records[n], self._schemas, False)}
        return doubts

    def _in_lists(self, record: Any) -> bool:
        """Whether the layers of a record are lists of objects."""
        for name in self._schemas.layers:
            items = record.get(name, ())
            if items != () and (type(items) is not list or not {*map(type, items)} <= {dict}):
                return False
        return True


def _moved(ask: Callable[[Block], Doubts], block: Block, without: Doubts) -> Doubts:
    """What is said of a block without some of its records, as numbers of the whole block."""
    rest = [n for n in range(len(block.records)) if n not in without]
    if not rest:
        return set()
    kept = Block([block.records[n] for n in rest], [block.raws[n] for n in rest], block.schemas)
    return {rest[n] for n in ask(kept)}


_NUMBERS = re.compile(rb"[:\[,][ \t\n\r]*(-?[0-9]+[.eE][0-9.eE+-]*)")


def _keeps_numbers(raw: bytes) -> bool:
    """Whether each number of a record, as a double, is the number that stands there (see `read.parse`).

    Words may seem to be numbers, which costs time and nothing else.
    """
    try:
        return all(Decimal(repr(float(digits))) == Decimal(digits.decode()) for digits in _NUMBERS.findall(raw))
    except (ValueError, ArithmeticError):
        return False


# ---- the article ---------------------------------------------------------------------------------------------


class _Article:
    """The fields of the article itself. There is one of each in a record, so they are validated as they are."""

    def __init__(self, schemas: Schemas) -> None:
        article = self._layer = schemas.article
        properties = {name: prop for name, prop in article.schema["properties"].items() if "x-derive" not in prop}
        self._names = [*properties]
        self._known = {*self._names, *schemas.layers}
        self._validator = validator_of(article.schema)
        # where a law may depend on the layers, too, the law's own function looks at the whole record
        written = article.schema.get("x-rules", ())
        self._whole = any(rule.equal for rule in article.rules) or any(_mentions(law, schemas.layers) for law in written)
        self._integers = [f for f in article.fields if f.kinds & {"integer"} and not f.is_list]
        paths = {f.path for f in self._integers}
        self.numbers_anywhere = any(may_hold_floats(prop, (name,), paths) for name, prop in properties.items())

    def is_right(self, record: Json, *, public: bool) -> bool:
        if not record.keys() <= self._known:
            return False
        own = {name: record[name] for name in self._names if name in record}
        if not is_valid(self._validator, own) or any(type(f.value_of(record)) not in (int, type(None)) for f in self._integers):
            return False
        if not self._whole and not all(rule.validator.is_valid(own) for rule in self._layer.rules):
            return False
        if self._whole and is_doubted(laws.check_rules, self._layer, record, []):
            return False
        if public and not check.is_withheld(record) and check.is_private(record):
            return False
        return not is_doubted(check.check_article, record, self._layer)


def _mentions(law: Json, layers: Iterable[str]) -> bool:
    """Whether a law of the article may depend on its layers: it names one, or says something of names as such."""
    try:
        named = {name for part in ("if", "then", "else") if part in law for name, _ in parts_of(law[part])}
    except UnknownForm:
        return True
    return bool(named & {*layers})


# ---- items ---------------------------------------------------------------------------------------------------


class _Items:
    """What is asked of the items of one layer."""

    def __init__(self, layer: Layer, schemas: Schemas, table_keys: Mapping[str, Set[str]]) -> None:
        self.layer, self._schemas, self._table_keys = layer, schemas, table_keys
        schema = layer.schema
        self._names = {name for name, prop in schema["properties"].items() if "x-derive" not in prop}
        self._required = {name for name in schema["required"] if name in self._names}
        asserted = {name for name in schema if name not in OF_AN_OBJECT and not name.startswith("x-")}
        # what says more than which properties there are is for items as a whole
        self._whole = validator_of(schema) if asserted else None
        self._values = [values_of(name, layer) for name in sorted(self._names)]
        self._laws = LawsOf(layer)

    def shape(self, items: Items) -> Doubts:
        """Items that are no items of this layer."""
        wrong = {shape for shape in items.shapes if not (self._required <= {*shape} <= self._names)}
        if wrong:
            return owners(items, (n for n, item in enumerate(items.items) if tuple(item) in wrong))
        if self._whole is not None:
            bad = [n for n, item in enumerate(items.items) if not is_valid(self._whole, item)]
            if bad:
                return owners(items, bad)
        doubts: Doubts = set()
        for values in self._values:
            if items.lacking(values.name) < len(items.items):
                doubts |= values.doubtful(items)
        return doubts

    def floats(self, block: Block) -> bool:
        """Whether any number of the items may have been read otherwise than it is written."""
        items = block.items(self.layer)
        return bool(items.items) and any(values.may_hold_floats(items) for values in self._values)

    # ---- keys, references, numbers, spans

    def links(self, block: Block, keys: Keys) -> Doubts:
        """Items whose references lead nowhere, whose numbers no column keeps, whose spans are not of the text."""
        items = block.items(self.layer)
        doubts: Doubts = set()
        if not items.items:
            return doubts
        for field in (f for f in self.layer.references if not items.is_absent(f)):
            doubts |= self._references(field, items, keys)
        for field in (f for f in self.layer.numeric if not items.is_absent(f)):
            doubts |= numbers_lost(self.layer, field, items)
        for field in (f for f in self.layer.spanned if not items.is_absent(f)):
            doubts |= spans_wrong(field, items, block)
        return doubts

    def _references(self, field: Field, items: Items, keys: Keys) -> Doubts:
        values = items.column(field)
        if field.ref in self._schemas.layers:
            known = keys.of(str(field.ref))
            return {n for n, a, b in items.slices() if a < b and not known[n].issuperset(named(values[a:b], field))}
        there = self._table_keys.get(field.ref or "", frozenset())
        if {*named(values, field)} <= there:
            return set()
        return owners(items, (n for n, value in enumerate(values) if not {*named([value], field)} <= there))

    # ---- laws

    def laws(self, block: Block, keys: Keys) -> Doubts:
        """Items that may break a law: of the layer, or one that is written beside a field."""
        items = block.items(self.layer)
        if not items.items:
            return set()
        doubts = owners(items, self._laws.doubtful(items))
        for names in self.layer.schema.get("x-ascending", ()):
            there = [field for name in names if not items.is_absent(field := self.layer[name])]
            doubts |= owners(items, descending([items.column(field) for field in there]))
        if "x-covers" in self.layer.schema:
            doubts |= uncovered(self.layer, block)
        for field in self.layer.fields:
            for name, law in OF_FIELDS.items():
                if name in field.schema and (name in OF_EVERY_ITEM or not items.is_absent(field)):
                    doubts |= law(self.layer, field, block, keys)
        return doubts
