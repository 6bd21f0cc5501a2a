"""Starting suites: what the tables of a first import looked like, as bounds well beyond it. Pure: facts in, files out.

They are no truths about the corpus, so all are warnings: they tell that a later import looks unlike the first one (most of the
items are gone, a label takes over, a span runs across a page), and each says what was seen.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dateline.schema import Json, Schemas
from dateline.validate.laws_in_sql import NotInSql, literal, named
from dateline.validate.structure import ARTICLES, is_sql_word, key_of
from dateline.validate.suites import RELATIONS

FEWEST = 30
"""Of fewer values of a label's column nothing is said."""
_LEAST_SLACK = 0.1
_RESERVED = ("annotation_sets", "coverage")
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/dateline/profile")
_HEAD = "-- Profiled from the first import; these are no truths about the corpus: widen them when it grows."


@dataclass(frozen=True)
class Profile:
    """What a dataset looks like: rows by table, labels by table and column, shortest and longest text and span.

    `spans` has the length of the shortest and the longest single span, by table and column.
    """

    rows: Mapping[str, int]
    labels: Mapping[str, Mapping[str, Mapping[str, int]]]
    texts: tuple[int, int]
    spans: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Rule:
    id: str
    table: str
    says: str
    reason: str


def profile_suites(profile: Profile, schemas: Schemas) -> dict[str, bytes]:
    """Files below expectations/ that say how the first import looked: suites, relations, and the rules that they carry."""
    files: dict[str, bytes] = {}
    rules: list[_Rule] = []
    for made in (_texts(profile), _rows(profile), _labels(profile), *_spans(profile, schemas)):
        if made is not None:
            rule, written = made
            rules.append(rule)
            files |= written
    files["rules.toml"] = _rules(rules)
    return files


def _texts(profile: Profile) -> tuple[_Rule, dict[str, bytes]]:
    low, high = profile.texts
    rule = _Rule(
        "profiled-text-length", ARTICLES, "a text is far shorter or longer than those of the first import",
        f"Profiled from the first import: {low:,}..{high:,} characters seen; widen it when the corpus grows.",
    )  # fmt: skip
    kwargs = {"column": "text_n_code_points", "min_value": low // 4, "max_value": 4 * high}
    expectation = _expectation("expect_column_values_to_be_between", rule, **kwargs)
    return rule, {f"{ARTICLES}.json": _suite(ARTICLES, [expectation], {"key": ["article_id"]})}


def _rows(profile: Profile) -> tuple[_Rule, dict[str, bytes]] | None:
    seen = {name: n for name, n in profile.rows.items() if n and name not in {*_RESERVED, "records", "standoff", "primary"}}
    bounds = [f"SELECT {literal(name)} AS table_name, {n} AS seen, {n // 2} AS least" for name, n in seen.items()]
    rule = _Rule(
        "profiled-rows", "profile_rows", "a table has less than half of the rows of the first import",
        "Profiled from the first import: see expectations/relations/profile_rows.sql; mend it if rows were taken out on purpose.",
    )  # fmt: skip
    sql = (
        f"{_HEAD}\nSELECT b.table_name, coalesce(c.n, 0) >= b.least AS as_profiled\nFROM (\n  "
        + "\n  UNION ALL ".join(bounds)
        + "\n) b\nLEFT JOIN (SELECT table_name, sum(n) AS n FROM counted_rows GROUP BY table_name) c\n"
        "  ON c.table_name = b.table_name\n"
    )
    return rule, _relation("profile_rows", sql, [rule], {"key": ["table_name"]}) if bounds else {}


def _labels(profile: Profile) -> tuple[_Rule, dict[str, bytes]] | None:
    bounds = []
    for table, columns in profile.labels.items():
        for column, counts in columns.items():
            total = sum(counts.values())
            if total < FEWEST or table in _RESERVED:
                continue
            for label, n in counts.items():
                low, high = share_bounds(n, total)
                try:
                    key = ", ".join(f"{literal(v)} AS {k}" for v, k in ((table, "t"), (column, "c"), (label, "l")))
                except NotInSql:
                    continue
                bounds.append(f"SELECT {key}, {low:.3f} AS low, {high:.3f} AS high")
    if not bounds:
        return None
    rule = _Rule(
        "profiled-labels", "profile_labels", "a label is far rarer or more frequent than at the first import",
        "Profiled from the first import: see expectations/relations/profile_labels.sql; widen it when the corpus grows.",
    )  # fmt: skip
    sql = (
        f"{_HEAD}\nSELECT b.t AS table_name, b.c AS column_name, b.l AS label,\n"
        "  CASE WHEN a.n > 0 THEN coalesce(x.n, 0) BETWEEN b.low * a.n AND b.high * a.n END AS as_profiled\nFROM (\n  "
        + "\n  UNION ALL ".join(bounds)
        + "\n) b\nLEFT JOIN counted_labels x ON x.table_name = b.t AND x.column_name = b.c AND x.label = b.l\n"
        "LEFT JOIN (SELECT table_name, column_name, sum(n) AS n FROM counted_labels GROUP BY table_name, column_name) a\n"
        "  ON a.table_name = b.t AND a.column_name = b.c\n"
    )
    return rule, _relation("profile_labels", sql, [rule], {"key": ["table_name", "column_name", "label"]})


def share_bounds(n: int, total: int) -> tuple[float, float]:
    """Between which shares a label may move: 3 standard deviations of the share seen, and a tenth of the column at least."""
    share = n / total
    slack = max(_LEAST_SLACK, 3 * math.sqrt(share * (1 - share) / total))
    return max(0.0, share - slack), min(1.0, share + slack)


def _spans(profile: Profile, schemas: Schemas) -> Iterator[tuple[_Rule, dict[str, bytes]]]:
    for (table, column), (low, high) in profile.spans.items():
        key = key_of(table, schemas.layers[table])
        try:
            columns = ", ".join(named(k) for k in key)
            view = f"{named(table)}__{named(column)}"
        except NotInSql:
            continue
        if is_sql_word(table) or any(map(is_sql_word, key)):
            continue
        name = f"profile_{table}_{column}"
        rule = _Rule(
            f"profiled-length-{table}-{column}".replace("_", "-"), table,
            f"a span of {column} is far longer than at the first import",
            f"Profiled from the first import: {low:,}..{high:,} characters seen; widen it when the corpus grows.",
        )  # fmt: skip
        sql = (
            f"{_HEAD}\n-- {low:,}..{high:,} characters seen\n"
            f"SELECT {columns}, max(span_end - span_start) <= {2 * high} AS as_profiled\nFROM {view}\nGROUP BY {columns}\n"
        )
        yield rule, _relation(name, sql, [rule], {"table": table, "key": key})


def _relation(name: str, sql: str, rules: Sequence[_Rule], meta: Json) -> dict[str, bytes]:
    kwargs: Json = {"column": "as_profiled", "value_set": [True]}
    expectations = [_expectation("expect_column_values_to_be_in_set", rule, **kwargs) for rule in rules]
    stem = f"{RELATIONS}/{name}"
    return {f"{stem}.sql": sql.encode(), f"{stem}.json": _suite(name, expectations, meta)}


def _expectation(kind: str, rule: _Rule, **kwargs: Any) -> Json:
    meta = {"rule": rule.id, "level": "warning", "reason": rule.reason}
    return {"type": kind, "kwargs": kwargs, "id": str(uuid.uuid5(_NAMESPACE, rule.id)), "meta": meta}


def _suite(name: str, expectations: list[Json], meta: Json) -> bytes:
    suite = {"name": name, "id": str(uuid.uuid5(_NAMESPACE, name)), "expectations": expectations, "meta": meta, "notes": None}
    return (json.dumps(suite, ensure_ascii=False, indent=2) + "\n").encode()


def _rules(rules: list[_Rule]) -> bytes:
    """The rules as rules.toml lists them; its strings are plain, so that JSON's form is TOML's."""
    parts = ["# Rules that only whole tables can tell; docs: expectations. Those below were profiled from the first import."]
    for rule in rules:
        said = {"id": rule.id, "table": rule.table, "level": "warning", "says": rule.says, "reason": rule.reason}
        parts.append("\n".join(["[[rules]]", *(f"{k} = {json.dumps(v)}" for k, v in said.items())]))
    return ("\n\n".join(parts) + "\n").encode()
