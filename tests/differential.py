"""Random and edge tables, expectations on them, and what two engines say: the material of test_engine_differential.py."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import math
import multiprocessing
import os
import random
import sys
import tomllib
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from dateline.errors import SuiteError
from dateline.validate.engine import open_engine
from dateline.validate.running import Engine, Options, load_gx
from dateline.validate.suites import Suite, suite_from
from dateline.validate.views import View

DIFFERENCES = Path(__file__).parent / "engine_differences.toml"
SAMPLES = 190  # GX itself stops at 200
# most cases fail here, so samples are asked for at once
OPTIONS = Options(samples=SAMPLES, threads=1, counts_first=False)

Answer = dict[str, Any]
Found = dict[tuple[str, str, str], dict[str, tuple[Any, Any]]]

SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("i", pa.int32()),
        ("j", pa.int64()),
        ("k", pa.int64()),
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("s", pa.string()),
        ("t", pa.string()),
        ("b", pa.bool_()),
        ("d", pa.date32()),
        ("at", pa.timestamp("us")),
    ]
)

_E = "expect_column_values_to_"
_C = "expect_column_"
_DATES = ["2024-02-29", "2024-03-01"]
_QUANTILES = {"quantiles": [0.25, 0.5, 0.75], "value_ranges": [[0, 3], [1, 2], [None, 4]]}
_FIRST = {"type": "comparison", "column": {"name": "s"}, "operator": "==", "parameter": "ab"}

# name of a case -> type and kwargs. Each type that expectations/ uses is here, and the core types that people use besides.
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "null-i": (_E + "be_null", {"column": "i"}),
    "not-null-i": (_E + "not_be_null", {"column": "i"}),
    "not-null-s": (_E + "not_be_null", {"column": "s"}),
    "not-null-x": (_E + "not_be_null", {"column": "x"}),
    "not-null-mostly": (_E + "not_be_null", {"column": "j", "mostly": 0.7}),
    "non-null-share": (_C + "proportion_of_non_null_values_to_be_between", {"column": "i", "min_value": 0.5}),
    "unique-i": (_E + "be_unique", {"column": "i"}),
    "unique-s": (_E + "be_unique", {"column": "s"}),
    "unique-x": (_E + "be_unique", {"column": "x"}),
    "unique-id": (_E + "be_unique", {"column": "id"}),
    "compound": ("expect_compound_columns_to_be_unique", {"column_list": ["s", "i"]}),
    "compound-all": ("expect_compound_columns_to_be_unique", {"column_list": ["s", "i"], "ignore_row_if": "never"}),
    "compound-any": (
        "expect_compound_columns_to_be_unique",
        {"column_list": ["s", "b"], "ignore_row_if": "any_value_is_missing"},
    ),
    "within-record": ("expect_select_column_values_to_be_unique_within_record", {"column_list": ["i", "j", "k"]}),
    "within-record-any": (
        "expect_select_column_values_to_be_unique_within_record",
        {"column_list": ["i", "j"], "ignore_row_if": "any_value_is_missing"},
    ),
    "multi-sum-null": ("expect_multicolumn_sum_to_equal", {"column_list": ["i", "j"], "sum_total": 3}),
    "multi-equal-null": ("expect_multicolumn_values_to_be_equal", {"column_list": ["i", "j"]}),
    "multi-sum": (
        "expect_multicolumn_sum_to_equal",
        {"column_list": ["i", "j"], "sum_total": 3, "ignore_row_if": "any_value_is_missing"},
    ),
    "multi-equal": (
        "expect_multicolumn_values_to_be_equal",
        {"column_list": ["i", "j"], "ignore_row_if": "any_value_is_missing"},
    ),
    "in-set-b": (_E + "be_in_set", {"column": "b", "value_set": [True]}),
    "in-set-i": (_E + "be_in_set", {"column": "i", "value_set": [1, 2]}),
    "in-set-s": (_E + "be_in_set", {"column": "s", "value_set": ["a", "ab", "😀"]}),
    "in-set-x": (_E + "be_in_set", {"column": "x", "value_set": [0.5, 1]}),
    "in-set-d": (_E + "be_in_set", {"column": "d", "value_set": _DATES}),
    "in-set-mostly": (_E + "be_in_set", {"column": "s", "value_set": ["a", "ab"], "mostly": 0.5}),
    "in-set-where": (_E + "be_in_set", {"column": "i", "value_set": [1], "row_condition": _FIRST}),
    "not-in-set-s": (_E + "not_be_in_set", {"column": "s", "value_set": ["a"]}),
    "not-in-set-i": (_E + "not_be_in_set", {"column": "i", "value_set": [1, 3]}),
    "between-i": (_E + "be_between", {"column": "i", "min_value": 1, "max_value": 2}),
    "between-x": (_E + "be_between", {"column": "x", "min_value": 0, "strict_min": True}),
    "between-d": (_E + "be_between", {"column": "d", "min_value": _DATES[0], "max_value": _DATES[1]}),
    "between-at": (_E + "be_between", {"column": "at", "min_value": "2024-02-29T00:00:00"}),
    "lengths": (_C + "value_lengths_to_be_between", {"column": "s", "min_value": 1, "max_value": 2}),
    "length": (_C + "value_lengths_to_equal", {"column": "s", "value": 1}),
    "regex": (_E + "match_regex", {"column": "s", "regex": "^a"}),
    "regex-search": (_E + "match_regex", {"column": "t", "regex": "b$"}),
    "regex-mostly": (_E + "match_regex", {"column": "t", "regex": "[ab]+", "mostly": 0.6}),
    "not-regex": (_E + "not_match_regex", {"column": "s", "regex": "b"}),
    "regex-any": (_E + "match_regex_list", {"column": "s", "regex_list": ["^a", "^x"], "match_on": "any"}),
    "regex-all": (_E + "match_regex_list", {"column": "s", "regex_list": ["a", "b"], "match_on": "all"}),
    "not-regexes": (_E + "not_match_regex_list", {"column": "s", "regex_list": ["^b", "x$"]}),
    "pair-greater": (_C + "pair_values_a_to_be_greater_than_b", {"column_A": "i", "column_B": "j"}),
    "pair-greater-any": (
        _C + "pair_values_a_to_be_greater_than_b",
        {"column_A": "i", "column_B": "j", "or_equal": True, "ignore_row_if": "either_value_is_missing"},
    ),
    "pair-greater-x": (_C + "pair_values_a_to_be_greater_than_b", {"column_A": "x", "column_B": "y"}),
    "pair-equal-s-null": (_C + "pair_values_to_be_equal", {"column_A": "s", "column_B": "t"}),
    "pair-equal-i-null": (_C + "pair_values_to_be_equal", {"column_A": "i", "column_B": "j"}),
    "pair-in-set-null": (
        _C + "pair_values_to_be_in_set",
        {"column_A": "i", "column_B": "j", "value_pairs_set": [[1, 1], [1, 2], [2, 2]]},
    ),
    "pair-equal": (
        _C + "pair_values_to_be_equal",
        {"column_A": "s", "column_B": "t", "ignore_row_if": "either_value_is_missing"},
    ),
    "pair-in-set": (
        _C + "pair_values_to_be_in_set",
        {
            "column_A": "i",
            "column_B": "j",
            "value_pairs_set": [[1, 1], [1, 2], [2, 2]],
            "ignore_row_if": "either_value_is_missing",
        },
    ),
    "distinct-in": (_C + "distinct_values_to_be_in_set", {"column": "s", "value_set": ["a", "b"]}),
    "distinct-equal": (_C + "distinct_values_to_equal_set", {"column": "i", "value_set": [1, 2, 3]}),
    "distinct-contain": (_C + "distinct_values_to_contain_set", {"column": "i", "value_set": [1, 2]}),
    "distinct-count": (_C + "unique_value_count_to_be_between", {"column": "s", "min_value": 3, "max_value": 6}),
    "distinct-share": (_C + "proportion_of_unique_values_to_be_between", {"column": "i", "max_value": 0.2}),
    "most-common": (_C + "most_common_value_to_be_in_set", {"column": "i", "value_set": [1, 2]}),
    "min-i": (_C + "min_to_be_between", {"column": "i", "min_value": 1}),
    "min-x": (_C + "min_to_be_between", {"column": "x", "min_value": 0}),
    "min-at": (_C + "min_to_be_between", {"column": "at", "min_value": "2024-02-28T12:00:00"}),
    "max-j": (_C + "max_to_be_between", {"column": "j", "max_value": 3}),
    "max-d": (_C + "max_to_be_between", {"column": "d", "max_value": _DATES[0]}),
    "mean": (_C + "mean_to_be_between", {"column": "x", "min_value": 0, "max_value": 1}),
    "mean-i": (_C + "mean_to_be_between", {"column": "i", "min_value": 2}),
    "median": (_C + "median_to_be_between", {"column": "x", "min_value": 0}),
    "stdev": (_C + "stdev_to_be_between", {"column": "x", "max_value": 1}),
    "sum": (_C + "sum_to_be_between", {"column": "j", "min_value": 5, "max_value": 40}),
    "quantiles": (_C + "quantile_values_to_be_between", {"column": "i", "quantile_ranges": _QUANTILES}),
    "z-scores": (_C + "value_z_scores_to_be_less_than", {"column": "x", "threshold": 1.5, "double_sided": True}),
    "kl": (
        _C + "kl_divergence_to_be_less_than",
        {"column": "t", "partition_object": {"values": ["a", "b", "ab"], "weights": [0.4, 0.3, 0.3]}, "threshold": 0.1},
    ),
    "type": (_E + "be_of_type", {"column": "s", "type_": "VARCHAR"}),
    "types": (_E + "be_in_type_list", {"column": "j", "type_list": ["BIGINT", "int64"]}),
    "exists": (_C + "to_exist", {"column": "s"}),
    "exists-not": (_C + "to_exist", {"column": "nothing"}),
    "row-count": ("expect_table_row_count_to_equal", {"value": 20}),
    "row-counts": ("expect_table_row_count_to_be_between", {"min_value": 1, "max_value": 25}),
    "column-count": ("expect_table_column_count_to_equal", {"value": 11}),
    "column-counts": ("expect_table_column_count_to_be_between", {"max_value": 5}),
    "columns": ("expect_table_columns_to_match_set", {"column_set": ["id", "s"], "exact_match": False}),
    "columns-exact": ("expect_table_columns_to_match_set", {"column_set": ["id", "s"], "exact_match": True}),
    "columns-order": ("expect_table_columns_to_match_ordered_list", {"column_list": list(SCHEMA.names)}),
    "like": (_E + "match_like_pattern", {"column": "s", "like_pattern": "a%"}),
}

_TEXTS = (None, None, "a", "b", "ab", "xa", "é", "e\u0301", "", "Ab", "😀", "a😀b", " a ")
_DAYS = (None, dt.date(2024, 2, 28), dt.date(2024, 2, 29), dt.date(2024, 3, 1), dt.date(1999, 12, 31))


def random_table(seed: int) -> pa.Table:
    """A table of 0 to 30 rows, each value NULL with a chance of its own for the table."""
    r = random.Random(seed)
    n, nulls = r.randint(0, 30), r.choice((0.0, 0.1, 0.3, 0.6))
    few = _TEXTS[2:6] if r.random() < 0.3 else _TEXTS

    def some(values: Sequence[Any]) -> list[Any]:
        return [None if r.random() < nulls else r.choice(values) for _ in range(n)]

    return pa.table(
        {
            "id": list(range(n)),
            "i": some((1, 2, 3)),
            "j": some((1, 2, 3, 4)),
            "k": some((1, 2, 3, 4, 5)),
            "x": some((-1.5, 0.0, 0.5, 0.5, 1.0, 1e3)),
            "y": some((0.0, 1.0)),
            "s": some(few),
            "t": some(("a", "b", "ab", None)),
            "b": some((True, True, False)),
            "d": some(_DAYS[1:]),
            "at": some(tuple(dt.datetime(d.year, d.month, d.day, 12) for d in _DAYS if d)),
        },
        schema=SCHEMA,
    )


def edge_tables() -> dict[str, pa.Table]:
    """Tables at the edges of what columns can hold."""
    base = random_table(1)
    whole = {name: [v if v is not None else 1 for v in range(3)] for name in ("id", "i", "j", "k")} | {
        "x": [0.5, 1.0, -1.5],
        "y": [0.0, 1.0, 0.0],
        "s": ["a", "b", "ab"],
        "t": ["a", "b", "ab"],
        "b": [True, False, True],
        "d": [dt.date(2024, 2, 29)] * 3,
        "at": [dt.datetime(2024, 2, 29)] * 3,
    }

    def table(**changed: Sequence[Any]) -> pa.Table:
        return pa.table({**whole, **changed}, schema=SCHEMA)

    return {
        "empty": base.slice(0, 0),
        "one_row": table().slice(0, 1),
        "all_null": pa.table({n: [0, 1, 2] if n == "id" else [None] * 3 for n in SCHEMA.names}, schema=SCHEMA),
        "one_null_row": pa.table({n: [0] if n == "id" else [None] for n in SCHEMA.names}, schema=SCHEMA),
        "nan": table(x=[math.nan, 1.0, math.nan]),
        "infinite": table(x=[math.inf, -math.inf, 1.0]),
        "astral": table(s=["😀", "😀😀", "\U0001f468\u200d\U0001f469"], t=["a\nb", "b\n", "\u2028b"]),
        "digits": table(s=["٣", "3", "३"], t=["\u00e9", "e\u0301", "ﬀ"]),
        "dates": table(
            d=[dt.date(1, 1, 1), dt.date(9999, 12, 31), None],
            at=[dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999), None],
        ),
        "large": table(j=[2**53 + 1, 2**53, -(2**62)], x=[1e308, 5e-324, -0.0], i=[2**31 - 1, -(2**31), 0]),
    }


@dataclass(frozen=True)
class Difference:
    """One place where engines differ: engine, case, table (or "random"), what of the result, and why."""

    engine: str
    cases: tuple[str, ...]
    tables: tuple[str, ...]
    fields: tuple[str, ...]
    reason: str


def differences() -> list[Difference]:
    """The one table of known differences."""
    read = tomllib.loads(DIFFERENCES.read_text(encoding="utf-8"))["difference"]
    return [Difference(d["engine"], tuple(d["cases"]), tuple(d["tables"]), tuple(d["fields"]), d["reason"]) for d in read]


def suite_of(view: str, cases: Iterable[str]) -> Suite:
    """A suite of some cases on a view; the ids are the cases'."""
    written = [
        {
            "type": CASES[c][0],
            "kwargs": CASES[c][1],
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, c)),
            "meta": {"rule": c, "level": "error", "reason": c},
        }
        for c in cases
    ]
    raw = json.dumps({"name": view, "meta": {"key": ["id"]}, "expectations": written}).encode()
    return suite_from(raw, f"{view}.json")


def answers(engine: Engine, view: str, cases: Sequence[str], alone: set[str]) -> dict[str, Answer]:
    """What an engine says of each case, in plain values; {"raises": True} for a case that it cannot evaluate.

    A suite in which one raises gives no result, so what raised on a table before (`alone`) is asked by itself.
    """
    said: dict[str, Answer] = {}
    for some in ([c for c in cases if c not in alone], *([c] for c in cases if c in alone)):
        said |= _asked(engine, view, some)
    alone |= {case for case, answer in said.items() if "raises" in answer}
    return said


def _asked(engine: Engine, view: str, cases: Sequence[str]) -> dict[str, Answer]:
    """The same in one run; where one of the cases raises, each half by itself."""
    if not cases:
        return {}
    suite = suite_of(view, cases)
    try:
        results = engine.validate(suite).results
    except SuiteError:
        if len(cases) == 1:
            return {cases[0]: {"raises": True}}
        half = len(cases) // 2
        return _asked(engine, view, cases[:half]) | _asked(engine, view, cases[half:])
    return {e.rule: _plain(r) for e, r in zip(suite.expectations, results, strict=True)}


@contextlib.contextmanager
def quick_gx() -> Iterator[None]:
    """Great Expectations builds the configuration of an expectation anew some fifty times a run; here once."""
    load_gx()
    from great_expectations.expectations.expectation import Expectation

    property_ = Expectation.configuration
    kept: dict[int, Any] = {}

    def configuration(self: Any) -> Any:
        found = kept.get(id(self))
        if found is None or found[0] != self.__dict__:
            kept[id(self)] = found = (dict(self.__dict__), property_.fget(self), self)
        return found[1]

    Expectation.configuration = property(configuration)
    try:
        yield
    finally:
        Expectation.configuration = property_


def unlike(a: Answer, b: Answer) -> dict[str, tuple[Any, Any]]:
    """The fields in which two answers differ; two engines that both raise have compared nothing, which is told as well."""
    if "raises" in a and "raises" in b:
        return {"raises": (True, True)}
    return {f: (a.get(f), b.get(f)) for f in sorted(a.keys() | b.keys()) if a.get(f) != b.get(f)}


def _plain(result: Any) -> Answer:
    found = result.result
    plain: Answer = {"success": bool(result.success)}
    for name in ("element_count", "missing_count", "unexpected_count"):
        if name in found:
            plain[name] = _value(found[name])
    if "observed_value" in found:
        plain["observed_value"] = _value(found["observed_value"])
    if not result.success and (found.get("unexpected_count") or 0) <= SAMPLES:
        for name in ("partial_unexpected_list", "partial_unexpected_index_list"):
            if name in found:
                plain[name] = Counter(map(repr, map(_value, found[name] or [])))
    return plain


def _value(value: Any) -> Any:
    """A value as JSON and this comparison have it: 12 digits, no NaN, sets and keys in order."""
    if hasattr(value, "item") and not isinstance(value, type):
        value = value.item()
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:
        return None
    if isinstance(value, dict):
        return {k: _value(v) for k, v in sorted(value.items()) if k != "details"}
    if isinstance(value, list | tuple):
        return [_value(v) for v in value]
    if isinstance(value, set | frozenset):
        return sorted(map(_value, value), key=repr)
    if isinstance(value, dt.date):
        return value.isoformat().removesuffix("T00:00:00")
    if isinstance(value, bool | str):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return int(number) if number.is_integer() and abs(number) < 2**53 else float(f"{number:.10g}")


def compare(
    engines: Sequence[str], tables: Mapping[str, pa.Table], cases: Mapping[str, Sequence[str]], options: Options = OPTIONS
) -> Found:
    """Where engines differ from the first one, by (engine, case, table); {} of fields where they do not."""
    views = [View(name, rows=table) for name, table in tables.items()]
    said: dict[str, dict[str, dict[str, Answer]]] = {}
    for engine in engines:
        alone: set[str] = set()
        with open_engine(engine, views, options) as opened:
            said[engine] = {name: answers(opened, name, cases[name], alone) for name in tables}
    first, *others = engines
    return {(o, c, t): unlike(said[first][t][c], said[o][t][c]) for o in others for t in tables for c in cases[t]}


def kind_of(table: str, case: str) -> str:
    """The name of an edge; of a random table "random", unless it has no rows, or nothing but NULL in the columns of the case."""
    if not table.startswith("random_"):
        return table
    rows = cached_table(int(table.removeprefix("random_")))
    kwargs = CASES[case][1]
    named = [kwargs.get("column"), kwargs.get("column_A"), kwargs.get("column_B"), *kwargs.get("column_list", ())]
    columns = [name for name in named if name in SCHEMA.names]
    if not rows.num_rows:
        return "empty"
    return "all_null" if columns and all(rows[c].null_count == rows.num_rows for c in columns) else "random"


cached_table = cache(random_table)


def covers(known: Difference, engine: str, case: str, table: str, field: str) -> bool:
    """Whether an entry speaks of a difference."""
    said = ((case, known.cases), (kind_of(table, case), known.tables), (field, known.fields))
    return known.engine == engine and all("*" in names or name in names for name, names in said)


def unexplained(found: Found) -> list[str]:
    """The differences that no entry speaks of, a line each."""
    known = differences()
    return [
        f"{engine} {case} on {table}: {field} {values}"
        for (engine, case, table), fields in found.items()
        for field, values in fields.items()
        if not any(covers(d, engine, case, table, field) for d in known)
    ]


def stale(found: Found, engine: str) -> list[str]:
    """What entries say of an engine and nothing shows any more, a line for each case and table."""
    there = [(*key, field) for key, fields in found.items() for field in fields]
    return [
        f"{case} on {table}: {known.reason}"
        for known in differences()
        for case in known.cases
        for table in known.tables
        if known.engine == engine
        and not any(
            covers(known, *each) and case in ("*", each[1]) and table in ("*", kind_of(each[2], each[1])) for each in there
        )
    ]


def random_tables(numbers: Iterable[int]) -> dict[str, pa.Table]:
    """Random tables by name."""
    return {f"random_{n}": random_table(n) for n in numbers}


def drawn(tables: int, most: int) -> list[list[str]]:
    """For each of so many tables `most` cases by lot, so that each case is drawn as often as any other, give or take one."""
    r = random.Random(tables)
    met: Counter[str] = Counter()
    made = []
    for _ in range(tables):
        made.append(sorted(CASES, key=lambda case: (met[case], r.random()))[:most])
        met.update(made[-1])
    return made


def _chunk(work: tuple[str, Sequence[int], bool]) -> Found:
    """All cases on some random tables, or on the edges."""
    engine, numbers, edges = work
    made = edge_tables() if edges else random_tables(numbers)
    with quick_gx():
        return compare(["duckdb", engine], made, {name: list(CASES) for name in made})


def main(count: int, engine: str, jobs: int) -> int:
    """All cases on so many random tables and on the edges: prints what differs, and says 1 if something has no reason."""
    chunks: list[tuple[str, Sequence[int], bool]] = [(engine, (), True)]
    chunks += [(engine, range(n, min(n + 25, count)), False) for n in range(0, count, 25)]
    found: Found = {}
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for number, part in enumerate(pool.map(_chunk, chunks), 1):
            found |= part
            print(f"{number} of {len(chunks)} parts", file=sys.stderr)
    differing = Counter(case for (_, case, table), fields in found.items() if fields and kind_of(table, case) == "random")
    print("differ on random tables:", ", ".join(f"{case} {n}" for case, n in sorted(differing.items())) or "none")
    faults = unexplained(found) + [f"nothing differs any more as is said of {each}" for each in stale(found, engine)]
    print(*faults, sep="\n", end="\n" * bool(faults))
    equal = sum(not fields for fields in found.values())
    print(
        f"duckdb and {engine}: {len(CASES)} cases of {len({kind for kind, _ in CASES.values()})} types on {count} random tables "
        f"and {len(edge_tables())} edges: {len(found)} comparisons, {equal} equal, {len(found) - equal} differ, "
        f"{len(faults)} faults"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("count", type=int, nargs="?", default=500, help="random tables")
    parser.add_argument("--engine", default="pandas", choices=("pandas", "spark"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    given = parser.parse_args()
    sys.exit(main(given.count, given.engine, given.jobs))
