"""Suites that follow from schemas/: what every table of a release must keep, whoever made it.

Of each table follow the expectations on its plain columns (`expectations/<table>.json`) and a check relation `<table>_rows`: one
query that holds, for each row, one boolean column per condition that needs lists or other tables; NULL where it does not apply.
Two relations more compare counts with the manifest. All is pure: schemas in, JSON and SQL out; `merge` lays the derived
expectations before those that people wrote.

What cannot be decided here is said in the suite's `meta.undecided`, and left to the check of records.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from dateline.rules import RULES
from dateline.schema import Field, Json, Layer, Schemas
from dateline.validate.laws_in_sql import LawsInSql, NotInSql, bare, literal, named

ARTICLES, NESTED = "articles", ("records", "standoff")
FROM_SCHEMAS = "schemas"
DERIVED = "-- Derived from schemas/ by `dateline suites`; write relations of your own under another name."
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/dateline/suites")
_ENGINE_COLUMNS = ("split", "group", "text_sha256", "text_n_code_points", "text_n_bytes", "text_redistributable")
"""Article columns that the engine fills, whatever a record says."""
_ITEM_COLUMNS = {"position", "alternative", "item", "span_start", "span_end", "surface"}
# words that DuckDB or Spark would not take for a table's name without quotes
_RESERVED = frozenset((
    "all", "analyse", "analyze", "and", "anti", "any", "array", "as", "asc", "asymmetric", "both", "case", "cast",
    "check", "collate", "column", "constraint", "create", "cross", "default", "deferrable", "desc", "describe",
    "distinct", "do", "else", "end", "except", "false", "fetch", "for", "foreign", "from", "full", "group", "having",
    "in", "initially", "inner", "intersect", "into", "join", "lambda", "lateral", "leading", "left", "limit", "minus",
    "natural", "not", "null", "offset", "on", "only", "or", "order", "outer", "pivot", "pivot_longer", "pivot_wider",
    "placing", "primary", "qualify", "references", "returning", "right", "select", "semi", "show", "some", "summarize",
    "symmetric", "table", "then", "to", "trailing", "true", "union", "unique", "unpivot", "using", "values", "variadic",
    "when", "where", "window", "with",
))  # fmt: skip


@dataclass
class Derived:
    """What follows for one view: expectations, the SQL of a check relation (none for a table), what is left undecided."""

    view: str
    key: list[str]
    expectations: list[Json] = field(default_factory=list)
    table: str = ""
    sql: str | None = None
    undecided: list[str] = field(default_factory=list)

    def expect(self, kind: str, rule: str, **kwargs: Any) -> None:
        """Add an expectation that carries a rule of the engine; its id follows from the view and the columns."""
        about = kwargs.get("column") or kwargs.get("column_list") or ""
        made = uuid.uuid5(_NAMESPACE, json.dumps([self.view, kind, about, rule]))
        meta = {"rule": rule, "level": RULES[rule].level, "reason": RULES[rule].hint, "from": FROM_SCHEMAS}
        self.expectations.append({"type": kind, "kwargs": kwargs, "id": str(made), "meta": meta})


def derive(schemas: Schemas) -> list[Derived]:
    """All suites that follow from the schemas: of the tables, of their rows, of what the manifest counts."""
    columns = _columns(schemas)
    tables = {ARTICLES: schemas.article, **schemas.layers, **schemas.tables}
    made = [_table(name, layer, columns[name], schemas) for name, layer in tables.items()]
    made += [_nested_table(name, columns[name]) for name in NESTED]
    for name, layer in tables.items():
        rows = _Rows(name, layer, schemas)
        if name in _RESERVED:
            made[list(tables).index(name)].undecided.append(f"{name} is a word of SQL, so no relation can name the table")
        elif relation := rows.relation():
            made.append(relation)
    made += [_nested_rows(name, schemas) for name in NESTED]
    return [*made, _row_counts(), _label_counts()]


# ---- files ---------------------------------------------------------------------------------------------------


def merge(derived: Derived, written: Json | None) -> Json:
    """The suite as it is written: derived expectations first, then those of `written` that people wrote."""
    before = written or {}
    own = [e for e in before.get("expectations", ()) if not is_derived(e)]
    meta = {k: v for k, v in (before.get("meta") or {}).items() if k not in {"table", "key", "undecided"}}
    meta |= {"table": derived.table} if derived.table else {}
    meta |= {"key": derived.key}
    meta |= {"undecided": derived.undecided} if derived.undecided else {}
    return {
        "name": derived.view,
        "id": before.get("id") or str(uuid.uuid5(_NAMESPACE, derived.view)),
        "expectations": [*derived.expectations, *own],
        "meta": meta,
        "notes": before.get("notes"),
    }


def is_derived(expectation: Any) -> bool:
    """Whether an expectation was written by `dateline suites`."""
    meta = expectation.get("meta") if isinstance(expectation, dict) else None
    return isinstance(meta, dict) and meta.get("from") == FROM_SCHEMAS


# ---- plain columns of a table --------------------------------------------------------------------------------


def _columns(schemas: Schemas) -> dict[str, list[str]]:
    article = [*(f.name for f in schemas.article.fields), "added_in", "changed_in"]
    found = {ARTICLES: article} | {name: [*article, *schemas.layers] for name in NESTED}
    found |= {name: ["article_id", *(f.name for f in layer.fields)] for name, layer in schemas.layers.items()}
    return found | {name: [*(f.name for f in t.fields), "added_in", "changed_in"] for name, t in schemas.tables.items()}


def is_sql_word(name: str) -> bool:
    """Whether a table of this name could not be named by a relation without quotes."""
    return name in _RESERVED


def key_of(name: str, layer: Layer) -> list[str]:
    """The columns that name a row of a table."""
    return [layer.key.name] if name == ARTICLES or layer.corpus_level else ["article_id", layer.key.name]


def _table(name: str, layer: Layer, columns: list[str], schemas: Schemas) -> Derived:
    made = Derived(name, key_of(name, layer))
    made.expect("expect_table_columns_to_match_set", "row-columns", column_set=columns, exact_match=True)
    always = set(made.key) | {f.name for f in layer.fields if _always(f, layer.schema)}
    always |= set(_ENGINE_COLUMNS) if name == ARTICLES else set()
    for column in columns:
        if column in always:
            made.expect("expect_column_values_to_not_be_null", "row-present", column=column)
    if len(made.key) == 1:
        made.expect("expect_column_values_to_be_unique", "row-unique", column=made.key[0])
    else:
        made.expect("expect_compound_columns_to_be_unique", "row-unique", column_list=made.key)
    for f in layer.fields:
        _plain_column(made, f)
        if f.name == "layer" and name in {"coverage", "annotation_sets"}:
            made.expect("expect_column_values_to_be_in_set", "row-label", column=f.name, value_set=list(schemas.layers))
    return made


def _nested_table(name: str, columns: list[str]) -> Derived:
    made = Derived(name, ["article_id"])
    made.expect("expect_table_columns_to_match_set", "row-columns", column_set=columns, exact_match=True)
    made.expect("expect_column_values_to_not_be_null", "row-present", column="article_id")
    made.expect("expect_column_values_to_be_unique", "row-unique", column="article_id")
    return made


def _always(f: Field, schema: Json) -> bool:
    """Whether each row has a value: required at every step, or with a default; not null, and not withheld."""
    if f.withheld or f.derive or f.span or pa.types.is_nested(f.type) or f.nullable:
        return False
    if f.schema.get("default") is not None:
        return True
    node = schema
    for step in f.path:
        if step not in node.get("required", ()):
            return False
        node = node["properties"][step]
    return True


def _plain_column(made: Derived, f: Field) -> None:
    if pa.types.is_nested(f.type):
        return
    schema = f.schema
    values = f.labels or ([schema["const"]] if isinstance(schema.get("const"), str) else None)
    if values:
        made.expect("expect_column_values_to_be_in_set", "row-label", column=f.name, value_set=values)
    low, high = (
        next(((schema[word], word.startswith("exclusive")) for word in words if word in schema), (None, False))
        for words in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
    )
    if low[0] is not None or high[0] is not None:
        strict = {"strict_min": True} if low[1] else {}
        strict |= {"strict_max": True} if high[1] else {}
        made.expect(
            "expect_column_values_to_be_between", "row-range", column=f.name, min_value=low[0], max_value=high[0], **strict
        )
    if "minLength" in schema or "maxLength" in schema:
        limits = {"min_value": schema.get("minLength"), "max_value": schema.get("maxLength")}
        made.expect("expect_column_value_lengths_to_be_between", "row-range", column=f.name, **limits)
    patterns = [part["pattern"] for part in (schema, *schema.get("allOf", ())) if "pattern" in part]
    for pattern in patterns[-1:]:  # of the engine's and the project's own, the narrower one stands last
        if reason := _not_re2(pattern):
            made.undecided.append(f"{f.name}: pattern {pattern}: {reason}")
        else:
            made.expect("expect_column_values_to_match_regex", "row-pattern", column=f.name, regex=pattern)
    for word in ("format", "not", "anyOf", "oneOf", "if"):
        if word in schema and schema[word] != "date":
            made.undecided.append(f"{f.name}: {word} {schema[word] if word == 'format' else 'of a value'}")


def _not_re2(pattern: str) -> str:
    """Why a pattern does not mean the same to DuckDB (RE2), Spark (Java) and pandas (Python); "" if it does."""
    if re.search(r"\(\?(?!:)", pattern):
        return "RE2 has no lookaround, and engines write other groups differently"
    if found := re.search(r"\\[A-Za-z0-9]", pattern.replace("\\d", "").replace("\\w", "")):
        return f"{found.group()} means one thing here and another there"
    if re.search(r"[*+?}][+]", pattern):
        return "RE2 has no possessive quantifiers"
    return ""


# ---- rows: what needs lists or other tables ------------------------------------------------------------------


class _Rows:
    """Builds the check relation of one table: common table expressions, joins, one boolean column per condition."""

    def __init__(self, name: str, layer: Layer, schemas: Schemas) -> None:
        self.name, self.layer, self.schemas = name, layer, schemas
        self.key = key_of(name, layer)
        self.made = Derived(f"{name}_rows", self.key, table=name)
        self.parts: dict[str, str] = {}
        self.joins: list[str] = []
        self.selected: list[tuple[str, str, str]] = []
        self.lists: dict[str, list[str]] = {}

    def relation(self) -> Derived | None:
        """The relation with its suite; None if nothing is to be decided."""
        try:
            keys = [named(k) for k in self.key]
        except NotInSql as why:
            self.made.undecided.append(str(why))
            return None
        if self.name == ARTICLES:
            self._articles()
        elif self.layer.corpus_level:
            self._versions()
        else:
            self._of_article()
        for f in self.layer.fields:
            try:
                named(f.name)
                self._field(f)
            except NotInSql as why:
                self.made.undecided.append(f"{f.name}: {why}")
        self._across()
        self._withheld()
        self._list_parts()
        if not self.selected:
            return None
        if hidden := self.parts.keys() & {*self.schemas.layers, *self.schemas.tables}:
            self.made.undecided.append(f"{min(hidden)} is a name that the relation itself needs; call that layer otherwise")
            return None
        listed = [*(f"r.{k}" for k in keys), *(f"{bare(sql)} AS {column}" for column, _, sql in self.selected)]
        self.made.sql = query(self.parts, listed, f"{self.name} r", self.joins)
        for column, rule, _ in self.selected:
            self.made.expect("expect_column_values_to_be_in_set", rule, column=column, value_set=[True])
        return self.made

    def add(self, column: str, rule: str, sql: str) -> None:
        """One boolean column that carries a rule."""
        self.selected.append((column, rule, sql))

    # -- articles, and the article of a row

    def _article(self) -> None:
        """Join the article of the row: its split, length, whether its text may stand here."""
        if "article_of" not in self.parts:
            self.parts["article_of"] = (
                "SELECT a.article_id, min(a.split) AS split, min(a.text_n_code_points) AS n_code_points, "
                "min(CASE WHEN a.text_redistributable THEN 1 ELSE 0 END) AS is_open, "
                "min(CASE WHEN a.text_redistributable OR h.hydrated THEN 1 ELSE 0 END) AS may_show "
                "FROM articles a CROSS JOIN release_facts h GROUP BY a.article_id"
            )
            self.joins.append("LEFT JOIN article_of a ON a.article_id = r.article_id")

    def _placed(self) -> None:
        self.parts["files_of"] = (
            "SELECT article_id, min(split) AS low, max(split) AS high FROM placed "
            f"WHERE table_name = {literal(self.name)} GROUP BY article_id"
        )
        self.joins.append("LEFT JOIN files_of p ON p.article_id = r.article_id")
        self.add("in_its_split", "row-split", "p.low = a.split AND p.high = a.split")

    def _of_article(self) -> None:
        self._article()
        self.add("article_known", "row-article", "a.article_id IS NOT NULL")
        self._placed()
        if self.name == "coverage":
            self._coverage()

    def _articles(self) -> None:
        self._article()
        self._placed()
        # where splits are given, check tells a parted group as a warning
        self.parts["split_of_group"] = (
            "SELECT g.group AS group_name, min(g.split) AS low, max(g.split) AS high FROM articles g GROUP BY g.group"
        )
        self.joins.append("LEFT JOIN split_of_group g ON g.group_name = r.group")
        self.joins.append("CROSS JOIN release_facts h")
        self.add("group_in_one_split", "group-one-split", "CASE WHEN h.split_mode = 'computed' THEN g.low = g.high END")
        if any(f.name == "supersedes" for f in self.layer.fields):
            self.parts["before_it"] = (
                "SELECT b.article_id, min(b.split) AS split, min(b.group) AS group_name FROM articles b GROUP BY b.article_id"
            )
            self.joins.append("LEFT JOIN before_it b ON b.article_id = r.supersedes")
            self.add(
                "with_the_one_it_supersedes",
                "group-one-split",
                "CASE WHEN h.split_mode = 'computed' THEN b.split = r.split AND b.group_name = r.group END",
            )
            known = "b.article_id IS NOT NULL AND r.supersedes <> r.article_id"
            self.add("supersedes_resolves", "row-reference", f"CASE WHEN r.supersedes IS NOT NULL THEN {known} END")
        self._versions()
        self.joins.append("LEFT JOIN measured_texts m ON m.article_id = r.article_id")
        self.add(
            "text_measures",
            "row-text",
            "CASE WHEN m.article_id IS NOT NULL THEN coalesce(m.sha256 = r.text_sha256 "
            "AND m.n_code_points = r.text_n_code_points AND m.n_bytes = r.text_n_bytes, false) END",
        )
        self.parts["crossing_paragraphs"] = (
            "SELECT o.digest FROM long_paragraphs o GROUP BY o.digest HAVING min(o.split) <> max(o.split)"
        )
        self.parts["with_crossing"] = (
            "SELECT l.article_id, count(*) AS n FROM long_paragraphs l JOIN crossing_paragraphs o ON o.digest = l.digest "
            "GROUP BY l.article_id"
        )
        self.joins.append("LEFT JOIN with_crossing s ON s.article_id = r.article_id")
        self.add(
            "paragraphs_in_one_split", "paragraph-one-split", "CASE WHEN m.article_id IS NOT NULL THEN coalesce(s.n, 0) = 0 END"
        )
        # what UTF-8 makes of any text, also of one that is withheld: one to four bytes for a code point
        sizes = "r.text_n_code_points <= r.text_n_bytes AND r.text_n_bytes <= 4 * r.text_n_code_points"
        self.add("text_sizes", "row-text", f"coalesce({sizes}, false)")
        for name in NESTED:
            self.parts[f"in_{name}"] = f"SELECT article_id, count(*) AS n FROM {name} GROUP BY article_id"
            self.joins.append(f"LEFT JOIN in_{name} ON in_{name}.article_id = r.article_id")
        self.add(
            "in_one_record",
            "row-nested",
            "coalesce(in_records.n, 0) = CASE WHEN r.text_redistributable THEN 1 ELSE 0 END "
            "AND coalesce(in_standoff.n, 0) = CASE WHEN r.text_redistributable THEN 0 ELSE 1 END",
        )

    def _versions(self) -> None:
        """Added in a version up to this one, and changed after that if at all; as texts of equal length, versions sort.

        A build that is no release, 0.0.0, comes after all.
        """
        key = named(self.key[0])
        columns = {"added": "e.added_in", "changed": "e.changed_in", "this": "nullif(h.version, '0.0.0')"}
        sortable = {name: [f"lpad(split_part({c}, '.', {n}), 9, '0')" for n in (1, 2, 3)] for name, c in columns.items()}
        listed = ", ".join(f"min({' || '.join(numbers)}) AS {name}" for name, numbers in sortable.items())
        self.parts["versions"] = f"SELECT e.{key}, {listed} FROM {self.name} e CROSS JOIN release_facts h GROUP BY e.{key}"
        self.joins.append(f"LEFT JOIN versions v ON v.{key} = r.{key}")
        formed = [f"coalesce(translate(r.{c}, '0123456789', '') = '..', true)" for c in ("added_in", "changed_in")]
        order = (
            "coalesce(v.added <= v.this, true) AND coalesce(v.added < v.changed, true) AND coalesce(v.changed <= v.this, true)"
        )
        added = "(r.changed_in IS NULL OR r.added_in IS NOT NULL)"
        self.add("versions_follow", "row-version", f"{' AND '.join(formed)} AND {added} AND {order}")

    def _coverage(self) -> None:
        annotated = [n for n in self.schemas.layers if n not in {"coverage", "annotation_sets", *_RESERVED}]
        if annotated:
            self.parts["annotated"] = " UNION ALL ".join(
                f"SELECT article_id, {literal(n)} AS layer, count(*) AS n FROM {n} GROUP BY article_id" for n in annotated
            )
            self.joins.append("LEFT JOIN annotated n ON n.article_id = r.article_id AND n.layer = r.layer")
            self.add("none_is_none", "row-coverage", "CASE WHEN r.status = 'NONE' THEN n.n IS NULL END")
        self.add("regions_if_partial", "row-coverage", f"(r.status = 'PARTIAL') = ({self._count(self.layer['regions'])} > 0)")

    # -- fields

    def _field(self, f: Field) -> None:
        if f.ref:
            self._reference(f)
        if f.span:
            self._spans(f)
        elif pa.types.is_list(f.type):
            self._list(f)
        if f.derive:
            self.add(f"{f.name}_derived", "row-derived", self._derived(f))
        if "x-depth" in f.schema:
            self._depth(f)
        if "x-present" in f.schema:
            self._given(f)
        for word in ("x-quotes", *(["x-acyclic"] if not any("x-depth" in g.schema for g in self.layer.fields) else [])):
            if word in f.schema:
                self.made.undecided.append(f"{f.name}: {word}")

    def _other(self, f: Field) -> tuple[str, Layer, str]:
        """Join what a reference leads to: alias, layer, and the key there."""
        other = {**self.schemas.layers, **self.schemas.tables}[f.ref or ""]
        if other.name in _RESERVED:
            raise NotInSql(f"the table's name {other.name!r} is a word of SQL")
        alias = f"{f.name}_to"
        if not any(f" {alias} ON " in join for join in self.joins):
            self.joins.append(f"LEFT JOIN {self._known(other)} {alias} ON {_same(other, alias, 'r', f.name)}")
        return alias, other, named(other.key.name)

    def _known(self, other: Layer, *columns: str) -> str:
        """A table by its key, each key once, with the columns that conditions on the row referred to read."""
        name, key = f"known_{other.name}", [named(k) for k in key_of(other.name, other)]
        wanted = dict.fromkeys([*_read_from(self.layer, other), *columns])
        also = "".join(f", min({column}) AS {column}" for column in wanted if named(column) not in key)
        self.parts[name] = f"SELECT {', '.join(key)}{also} FROM {other.name} GROUP BY {', '.join(key)}"
        return name

    def _reference(self, f: Field) -> None:
        target = f.schema.get("x-target")
        if not pa.types.is_list(f.type):
            alias, other, key = self._other(f)
            resolves = f"CASE WHEN r.{f.name} IS NOT NULL THEN {alias}.{key} IS NOT NULL END"
            self.add(f"{f.name}_resolves", "row-reference", resolves)
            if target:
                fits = f"coalesce({alias}.{named(target['field'])} IN ({_in(target['values'])}), false)"
                self.add(f"{f.name}_target", "row-target", f"CASE WHEN {alias}.{key} IS NOT NULL THEN {fits} END")
            return
        other = {**self.schemas.layers, **self.schemas.tables}[f.ref or ""]
        if other.name in _RESERVED:
            raise NotInSql(f"the table's name {other.name!r} is a word of SQL")
        self._known(other)
        key = named(other.key.name)
        self._fold(f, "resolves", f"bool_and(x.{key} IS NOT NULL)")
        self.add(f"{f.name}_resolves", "row-reference", f"{f.name}_all.resolves")
        if target:
            fits = f"coalesce(x.{named(target['field'])} IN ({_in(target['values'])}), false)"
            self._fold(f, "on_target", f"bool_and(CASE WHEN x.{key} IS NOT NULL THEN {fits} END)")
            self.add(f"{f.name}_target", "row-target", f"{f.name}_all.on_target")

    def _list(self, f: Field) -> None:
        limits = []
        if least := f.schema.get("minItems"):
            limits.append(f"{self._count(f)} >= {int(least)}")
        if "maxItems" in f.schema:
            limits.append(f"{self._count(f)} <= {int(f.schema['maxItems'])}")
        if f.schema.get("uniqueItems") and not pa.types.is_nested(f.type.value_type):
            self._fold(f, "different", "count(DISTINCT i.item)")
            limits.append(f"coalesce({f.name}_all.different = {f.name}_all.n, true)")
        if limits:
            self.add(f"{f.name}_items", "row-items", " AND ".join(limits))
        self._items(f)
        if f.labels:
            self._fold(f, "labelled", f"bool_and(coalesce(i.item IN ({_in(f.labels)}), false))")
            self.add(f"{f.name}_labels", "row-label", f"{f.name}_all.labelled")

    def _items(self, f: Field) -> None:
        """No item is null, nor a field that each item has; labels inside items are as the schema says."""
        items = f.schema.get("items", {})
        if pa.types.is_struct(f.type.value_type):
            fields = {name: f"i.item_{named(name)}" for name in items.get("properties", {})}
            present = [f"{fields[name]} IS NOT NULL" for name in items.get("required", ()) if name in fields]
            for name, column in fields.items():
                if values := [v for v in items["properties"][name].get("enum", ()) if v is not None]:
                    self._fold(f, f"{name}_labelled", f"bool_and({column} IS NULL OR {column} IN ({_in(values)}))")
                    self.add(f"{f.name}_{name}_labels", "row-label", f"{f.name}_all.{name}_labelled")
        else:
            present = ["i.item IS NOT NULL"] if not (f.ref or f.labels or pa.types.is_nested(f.type.value_type)) else []
        if present and "null" not in items.get("type", ()):
            self._fold(f, "present", f"bool_and({' AND '.join(present)})")
            self.add(f"{f.name}_present", "row-present", f"{f.name}_all.present")

    def _count(self, f: Field) -> str:
        self._fold(f, "n", "count(*)")
        return f"coalesce({f.name}_all.n, 0)"

    def _fold(self, f: Field, name: str, sql: str) -> None:
        """Add one figure about the items of a list column, which are folded into one row per row of the table."""
        if _depth(f.type) > 2 or set(self.key) & _ITEM_COLUMNS:
            raise NotInSql("its items have no view")
        folded = self.lists.setdefault(named(f.name), ["count(*) AS n"])
        if f"{sql} AS {name}" not in folded:
            folded.append(f"{sql} AS {name}")

    def _list_parts(self) -> None:
        for name, figures in self.lists.items():
            f, keys = self.layer[name], ", ".join(f"i.{k}" for k in self.key)
            view, joins = f"{self.name}__{name}", ""
            source = view
            if f.span:
                pieces = ", ".join(["alternative"] if f.span == "nested" else [])
                by = ", ".join([*self.key, *([pieces] if pieces else [])])
                before = "CAST(NULL AS INT)" if f.span == "one" else f"lag(span_end) OVER (PARTITION BY {by} ORDER BY position)"
                columns = ", ".join([*self.key, "span_start", "span_end", "surface"])
                source = f"(SELECT {columns}, {before} AS before FROM {view})"
                joins = (
                    " LEFT JOIN article_of a ON a.article_id = i.article_id LEFT JOIN articles t ON t.article_id = i.article_id"
                )
            elif f.ref:
                other = {**self.schemas.layers, **self.schemas.tables}[f.ref]
                joins = f" LEFT JOIN known_{other.name} x ON {_same(other, 'x', 'i', 'item')}"
            self.parts[f"{name}_items"] = f"SELECT {keys}, {', '.join(figures)} FROM {source} i{joins} GROUP BY {keys}"
            self.joins.append(f"LEFT JOIN {name}_items {name}_all ON {_same_key(self.key, f'{name}_all', 'r')}")

    # -- spans

    def _spans(self, f: Field) -> None:
        name = f.name
        fits = "0 <= i.span_start AND i.span_start < i.span_end AND (a.n_code_points IS NULL OR i.span_end <= a.n_code_points)"
        apart = "(i.before IS NULL OR i.before <= i.span_start)"
        self._fold(f, "fit", f"bool_and(coalesce({fits} AND {apart}, false))")
        self.add(f"{name}_fit", "row-span", f"{name}_all.fit")
        words = "substring(t.text, i.span_start + 1, i.span_end - i.span_start)"
        there = "t.text IS NOT NULL AND 0 <= i.span_start AND i.span_start < i.span_end"
        self._fold(f, "quoted", f"bool_and(CASE WHEN {there} THEN coalesce(i.surface = {words}, false) END)")
        self.add(f"{name}_surface", "row-surface", f"{name}_all.quoted")
        self._fold(f, "silent", "bool_and(i.surface IS NULL OR coalesce(a.may_show, 0) = 1)")
        self.add(f"{name}_withheld", "row-withheld", f"{name}_all.silent")
        limits = [f"{self._count(f)} >= {int(f.schema['minItems'])}"] if f.schema.get("minItems") else []
        limits += [f"{self._count(f)} <= {int(f.schema['maxItems'])}"] if "maxItems" in f.schema else []
        if limits and f.span == "many":
            self.add(f"{name}_items", "row-items", " AND ".join(limits))
        if within := f.schema.get("x-within"):
            self._within(f, within)
        if "x-outside" in f.schema:
            for other in f.schema["x-outside"]:
                self._outside(f, self.layer[other])

    def _within(self, f: Field, within: Json) -> None:
        via = self.layer[within["via"]] if within.get("via") else None
        outer = self.schemas.layers[via.ref] if via is not None and via.ref else self.layer
        if outer.name in _RESERVED:
            raise NotInSql(f"the table's name {outer.name!r} is a word of SQL")
        keys = ", ".join(f"i.{k}" for k in self.key)
        at = f"o.article_id = i.article_id AND o.{named(outer.key.name)} = i.{named(via.name if via else self.layer.key.name)}"
        piece = "i.position, i.alternative" if f.span == "nested" else "i.position"
        where = f" WHERE i.{via.name} IS NOT NULL" if via else ""
        held = "max(CASE WHEN o.span_start <= i.span_start AND i.span_end <= o.span_end THEN 1 ELSE 0 END) AS held"
        self.parts[f"{f.name}_held"] = (
            f"SELECT {keys}, {piece}, {held} FROM {self.name}__{f.name} i "
            f"LEFT JOIN {outer.name}__{named(within['spans'])} o ON {at}{where} GROUP BY {keys}, {piece}"
        )
        own = ", ".join(self.key)
        self.parts[f"{f.name}_inside"] = f"SELECT {own}, min(held) AS held FROM {f.name}_held GROUP BY {own}"
        self.joins.append(f"LEFT JOIN {f.name}_inside ON {_same_key(self.key, f'{f.name}_inside', 'r')}")
        self.add(f"{f.name}_within", "row-within", f"{f.name}_inside.held = 1")

    def _outside(self, f: Field, other: Field) -> None:
        name, keys = f"{f.name}_off_{named(other.name)}", ", ".join(f"i.{k}" for k in self.key)
        self.parts[name] = (
            f"SELECT {keys}, max(CASE WHEN i.span_start < o.span_end AND o.span_start < i.span_end THEN 1 ELSE 0 END) AS met "
            f"FROM {self.name}__{f.name} i JOIN {self.name}__{other.name} o ON {_same_key(self.key, 'o', 'i')} GROUP BY {keys}"
        )
        self.joins.append(f"LEFT JOIN {name} ON {_same_key(self.key, name, 'r')}")
        self.add(f"{f.name}_outside_{other.name}", "row-outside", f"{name}.met = 0")

    # -- laws

    def _derived(self, f: Field) -> str:
        parts = [self.layer[column] for column in (f.derive or {})["from"]]
        if not all(pa.types.is_string(part.type) for part in parts):
            raise NotInSql("x-derive from columns that are no strings")
        joined = " || ' ' || ".join(f"r.{named(part.name)}" for part in parts)
        cases = " ".join(f"WHEN {literal(k)} THEN {literal(v)}" for k, v in (f.derive or {})["map"].items())
        return f"r.{f.name} IS NOT DISTINCT FROM CASE {joined} {cases} END"

    def _depth(self, f: Field) -> None:
        parent = self.layer[f.schema["x-depth"]]
        alias, _, key = self._other(parent)
        self.add(
            f"{f.name}_depth",
            "row-depth",
            f"CASE WHEN r.{named(parent.name)} IS NULL THEN coalesce(r.{f.name} = 1, false) "
            f"WHEN {alias}.{key} IS NOT NULL THEN coalesce(r.{f.name} = {alias}.{f.name} + 1, false) END",
        )

    def _given(self, f: Field) -> None:
        law = f.schema["x-present"]
        alias, _, key = self._other(self.layer[law["via"]])
        there = f"coalesce({alias}.{named(law['field'])} IN ({_in(law['values'])}), false)"
        given = f"{self._count(f)} > 0" if pa.types.is_list(f.type) else f"r.{f.name} IS NOT NULL"
        self.add(f"{f.name}_given", "row-given", f"CASE WHEN {alias}.{key} IS NOT NULL THEN ({given}) = {there} END")

    def _across(self) -> None:
        for names in self.layer.schema.get("x-ascending", ()):
            pairs = [(a, b) for n, a in enumerate(names) for b in names[n + 1 :]]
            kept = " AND ".join(f"(r.{a} IS NULL OR r.{b} IS NULL OR r.{a} <= r.{b})" for a, b in pairs)
            self.add("_".join([*map(named, names), "ascending"]), "row-ascending", kept)
        for law in self.layer.schema.get("x-rules", ()):
            compiled = LawsInSql(self.layer, self._count)
            try:
                sql = compiled.law(law)
                if compiled.withheld:  # nobody can tell where the text is withheld; to hydrate restores no note
                    sql = f"CASE WHEN a.is_open = 1 THEN {sql} END"
                self.add("law_" + re.sub(r"[^a-z0-9]", "_", law["id"].lower()), "row-law", sql)
            except NotInSql as why:
                self.made.undecided.append(f"x-rules {law['id']}: {why}")
        if "x-covers" in self.layer.schema:
            self.made.undecided.append("x-covers")

    def _withheld(self) -> None:
        hidden = [f for f in self.layer.fields if f.withheld]
        if hidden and not self.layer.corpus_level:
            nulls = [
                f"{self._count(f)} = 0" if pa.types.is_list(f.type) else f"r.{named(f.name)} IS NULL" for f in hidden
            ]  # fmt: skip
            self.add("columns_withheld", "row-withheld", f"coalesce(a.may_show, 0) = 1 OR ({' AND '.join(nulls)})")


def _read_from(layer: Layer, other: Layer) -> list[str]:
    """Columns of another table that conditions of this one read through a reference."""
    found = []
    for f in layer.fields:
        target, given, depth = f.schema.get("x-target"), f.schema.get("x-present"), f.schema.get("x-depth")
        if target and f.ref == other.name:
            found.append(target["field"])
        if given and layer[given["via"]].ref == other.name:
            found.append(given["field"])
        if depth and layer[depth].ref == other.name:
            found.append(f.name)
    return found


def _in(values: Sequence[str]) -> str:
    return ", ".join(literal(v) for v in values)


def _same(other: Layer, alias: str, row: str, column: str) -> str:
    key = f"{alias}.{named(other.key.name)} = {row}.{named(column)}"
    return key if other.corpus_level else f"{alias}.article_id = {row}.article_id AND {key}"


def _same_key(key: Sequence[str], alias: str, row: str) -> str:
    return " AND ".join(f"{alias}.{k} = {row}.{k}" for k in key)


def _depth(kind: pa.DataType) -> int:
    return 1 + _depth(kind.value_type) if pa.types.is_list(kind) else 0


def query(parts: Mapping[str, str], selected: Sequence[str], source: str, joins: Sequence[str]) -> str:
    """One SELECT, laid out to be read."""
    given = ",\n".join(f"{name} AS (\n  {_lines(sql)}\n)" for name, sql in parts.items())
    lines = [DERIVED, *([f"WITH {given}"] if given else []), "SELECT", ",\n".join(f"  {s}" for s in selected), f"FROM {source}"]
    return "\n".join([*lines, *joins]) + "\n"


_CLAUSE = re.compile(r"( (?:(?<!DISTINCT )FROM|LEFT JOIN|JOIN|CROSS JOIN|WHERE|GROUP BY|HAVING|UNION ALL)\b|, | AND )")


def _lines(sql: str) -> str:
    """A query with its clauses on lines of their own; where it is long, also what is selected and what is joined on."""
    depth, made, clause, long = 0, [""], "SELECT", len(sql) > 160
    for word in _CLAUSE.split(sql):
        if not depth and word.startswith(" ") and word.strip() not in {"", "AND"} and _CLAUSE.fullmatch(word):
            clause = word.strip()
            made.append(clause)
        elif not depth and long and (word, clause) in {(", ", "SELECT"), (" AND ", "LEFT JOIN")}:
            made[-1] += word.rstrip() if word == ", " else ""
            made.append("  " if word == ", " else "  AND ")
        else:
            made[-1] += word
        depth += word.count("(") - word.count(")")
    return "\n  ".join(made)


# ---- records as one row, and what the manifest counts --------------------------------------------------------


def _nested_rows(name: str, schemas: Schemas) -> Derived:
    """The nested row of an article says what the tables say."""
    made = Derived(f"{name}_rows", ["article_id"], table=name)
    parts: dict[str, str] = {}
    columns = [*(f.name for f in schemas.article.fields), "added_in", "changed_in"]
    same = [f"r.{c} IS NOT DISTINCT FROM a.{c}" for c in columns if _sayable(c, made) and c != "article_id"]
    joins = ["LEFT JOIN articles a ON a.article_id = r.article_id"]
    selected = [("article_same", f"a.article_id IS NOT NULL AND {' AND '.join(same)}")]
    for layer in schemas.layers.values():
        if layer.name in _RESERVED or not _sayable(layer.key.name, made):
            made.undecided.append(f"{layer.name}: its name or its key's cannot be written without quotes")
            continue
        columns = [f.name for f in layer.fields if _sayable(f.name, made)]
        equal = " AND ".join(f"i.item_{c} IS NOT DISTINCT FROM o.{c}" for c in columns)
        parts[f"{layer.name}_inside"] = (
            f"SELECT i.article_id, count(*) AS n, count(o.article_id) AS found FROM {name}__{layer.name} i "
            f"LEFT JOIN {layer.name} o ON o.article_id = i.article_id AND {equal} GROUP BY i.article_id"
        )
        parts[f"{layer.name}_outside"] = f"SELECT article_id, count(*) AS n FROM {layer.name} GROUP BY article_id"
        sides = (f"{layer.name}_{side}" for side in ("inside", "outside"))
        joins += [f"LEFT JOIN {side} ON {side}.article_id = r.article_id" for side in sides]
        n = f"coalesce({layer.name}_inside.n, 0)"
        equal = f"{n} = coalesce({layer.name}_inside.found, 0) AND {n} = coalesce({layer.name}_outside.n, 0)"
        selected.append((f"{layer.name}_same", equal))
    made.sql = query(parts, ["r.article_id", *(f"{sql} AS {c}" for c, sql in selected)], f"{name} r", joins)
    for column, _ in selected:
        made.expect("expect_column_values_to_be_in_set", "row-nested", column=column, value_set=[True])
    return made


def _sayable(column: str, made: Derived) -> bool:
    try:
        return bool(named(column))
    except NotInSql as why:
        if str(why) not in made.undecided:
            made.undecided.append(str(why))
        return False


def _row_counts() -> Derived:
    made = Derived("row_counts", ["table_name", "split"])
    made.sql = f"""{DERIVED}
SELECT
  coalesce(m.table_name, c.table_name) AS table_name,
  coalesce(m.split, c.split) AS split,
  coalesce(m.n, 0) = coalesce(c.n, 0) AS as_manifest
FROM manifest_rows m
FULL OUTER JOIN counted_rows c ON c.table_name = m.table_name AND c.split = m.split
"""
    made.expect("expect_column_values_to_be_in_set", "row-count", column="as_manifest", value_set=[True])
    return made


def _label_counts() -> Derived:
    made = Derived("label_counts", ["table_name", "column_name", "label"])
    made.sql = f"""{DERIVED}
-- Drift: the limits of a p chart (Shewhart; NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.3.2): the share of a label
-- among n lies within 3 * sqrt(p * (1 - p) / n) of its share p in the release before. There p is (k + 1) / (n + 2), Laplace's
-- rule of succession, so that a label that never stood is rare and not impossible.
WITH each AS (
  SELECT table_name, column_name, label, n AS counted, 0 AS said, 0 AS earlier FROM counted_labels
  UNION ALL
  SELECT table_name, column_name, label, 0 AS counted, n AS said, 0 AS earlier FROM manifest_labels
  UNION ALL
  SELECT table_name, column_name, label, 0 AS counted, 0 AS said, n AS earlier FROM earlier_labels
),
summed AS (
  SELECT
    table_name, column_name, label,
    CAST(sum(counted) AS DOUBLE) AS counted, CAST(sum(said) AS DOUBLE) AS said, CAST(sum(earlier) AS DOUBLE) AS earlier
  FROM each
  GROUP BY table_name, column_name, label
),
shares AS (
  SELECT
    s.table_name, s.column_name, s.label, s.counted, s.said, t.n,
    s.counted / nullif(t.n, 0) AS share, t.earlier AS earlier_n, (s.earlier + 1) / (t.earlier + 2) AS p
  FROM summed s
  JOIN (
    SELECT table_name, column_name, sum(counted) AS n, sum(earlier) AS earlier FROM summed GROUP BY table_name, column_name
  ) t ON t.table_name = s.table_name AND t.column_name = s.column_name
)
SELECT
  table_name, column_name, label,
  counted = said AS as_manifest,
  CASE WHEN n > 0 AND earlier_n > 0 THEN abs(share - p) <= 3 * sqrt(p * (1 - p) / n) END AS steady
FROM shares
"""
    made.expect("expect_column_values_to_be_in_set", "label-count", column="as_manifest", value_set=[True])
    made.expect("expect_column_values_to_be_in_set", "label-drift", column="steady", value_set=[True])
    return made
