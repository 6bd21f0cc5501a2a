"""Does an expectation fit the columns that it names? Asked before it runs, so that each engine refuses the same, in one line.

Engines differ here: on a column of another type one raises, another compares texts, a third finds every row wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dateline.validate.suites import Expectation

# these say themselves whether a column is there
ABOUT_NAMES = frozenset(
    {"expect_column_to_exist", "expect_table_columns_to_match_set", "expect_table_columns_to_match_ordered_list"}
)
# their SQL would run unseen, and on one engine only
_SQL = frozenset({"expect_query_results_to_match_comparison", "unexpected_rows_expectation"})
_ANY_TYPE = ABOUT_NAMES | {
    "expect_column_values_to_be_null",
    "expect_column_values_to_not_be_null",
    "expect_column_proportion_of_non_null_values_to_be_between",
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
}
_TEXT = ("regex", "like_pattern", "value_lengths", "strftime", "json", "dateutil")
_NUMBERS = ("_mean_", "_stdev_", "_sum_", "z_scores", "_median_", "_quantile_")
# kwargs that hold values to compare a column with
_VALUES = ("value_set", "min_value", "max_value")
_OF_VALUES = (
    "values_to_be_between",
    "values_to_be_in_set",
    "values_to_not_be_in_set",
    "distinct_values_to",
    "most_common_value",
    "_min_to_be_between",
    "_max_to_be_between",
)
_SAYS = {
    "boolean": "true or false",
    "integer": "numbers",
    "number": "numbers",
    "text": "strings",
    "date": "ISO dates",
    "timestamp": "ISO times",
}


def kind(spelling: str) -> str:
    """What a column of this type of DuckDB or Spark holds: boolean, integer, number, text, date, timestamp, or something else."""
    name = spelling.upper()
    if name.endswith("]") or name.startswith(("STRUCT", "MAP", "ARRAY", "UNION")):
        return spelling.lower()
    if name.startswith(("DECIMAL", "NUMERIC")):
        return "number"
    if name.startswith("TIMESTAMP"):
        return "timestamp"
    if name.startswith(("ENUM", "VARCHAR", "CHAR")):
        return "text"
    return _KINDS.get(name, spelling.lower())


_KINDS = {
    "BOOLEAN": "boolean",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "INT", "BIGINT", "HUGEINT", "BYTE", "SHORT", "LONG"), "integer"),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), "integer"),
    **dict.fromkeys(("FLOAT", "DOUBLE", "REAL"), "number"),
    "STRING": "text",
    "DATE": "date",
}


def misfit(expectation: Expectation, columns: Mapping[str, str]) -> str:
    """Why an expectation cannot be asked of these columns (name to type), as the end of a sentence; empty if it can."""
    kwargs, name = expectation.kwargs, expectation.type
    if name not in ABOUT_NAMES:
        for column in expectation.columns:
            if column not in columns:
                return f"the column {column!r} is not there"
    if name in _SQL:
        return "it holds SQL of its own; write a check relation instead"
    if isinstance(kwargs.get("row_condition"), str) and kwargs.get("condition_parser") in ("pandas", "spark"):
        return "row_condition is Python or Spark code; write Great Expectations' own form, which every engine understands"
    if name in _ANY_TYPE:
        return ""
    kinds = {c: kind(columns[c]) for c in expectation.columns}
    for column, found in kinds.items():
        if found not in _SAYS:
            return f"the column {column!r} is {found}, and only flat columns can be checked"
        if any(part in name for part in _TEXT) and found != "text":
            return f"the column {column!r} is {found}, but must be text"
        if (any(part in name for part in _NUMBERS)) and found not in ("integer", "number"):
            return f"the column {column!r} is {found}, but must be numbers"
    if name.startswith("expect_column_pair_values") and "column_A" in kwargs and "column_B" in kwargs:
        a, b = (_SAYS[kinds[kwargs[k]]] for k in ("column_A", "column_B"))
        if a != b and "in_set" not in name:
            return f"{kwargs['column_A']!r} holds {a}, and {kwargs['column_B']!r} holds {b}"
    if any(part in name for part in _OF_VALUES) and len(kinds) == 1:
        ((column, found),) = kinds.items()
        for word in _VALUES:
            for value in _each(kwargs.get(word)):
                if not _compares(value, found):
                    return f"{word} names {value!r}, but the column {column!r} is {found}, which compares with {_SAYS[found]}"
    return ""


def _each(value: object) -> Iterable[object]:
    if isinstance(value, list | tuple):
        return [v for v in value if v is not None]
    return [] if value is None or isinstance(value, dict) else [value]


def _compares(value: object, found: str) -> bool:
    if isinstance(value, bool):
        return found == "boolean"
    if isinstance(value, int | float):
        return found in ("integer", "number")
    return found in ("text", "date", "timestamp")
