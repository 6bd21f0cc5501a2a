"""Does an expectation fit the columns that it names? Asked before it runs, so that each engine refuses the same, in one line.

Engines differ here: on a column of another type one raises, another compares texts, a third finds every row wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

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
    "column_values_to_be_between",  # not ..._proportion_of_unique_values_to_be_between, whose bounds are shares
    "values_to_be_in_set",
    "values_to_not_be_in_set",
    "distinct_values_to",
    "most_common_value",
    "_min_to_be_between",
    "_max_to_be_between",
)
# with a NULL in one of the columns: GX counts the row on pandas and not in SQL, or raises
_OF_SEVERAL = frozenset(
    {
        "expect_column_pair_values_a_to_be_greater_than_b",
        "expect_column_pair_values_to_be_in_set",
        "expect_multicolumn_sum_to_equal",
    }
)
_EQUAL = frozenset({"expect_column_pair_values_to_be_equal", "expect_multicolumn_values_to_be_equal"})
_IGNORING_ANY = ("either_value_is_missing", "any_value_is_missing")
_IGNORING_ALL = ("both_values_are_missing", "all_values_are_missing")
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


def misfit_of_pandas(expectation: Expectation, columns: Mapping[str, str], frame: Any) -> str:
    """Why Great Expectations would answer wrongly on this DataFrame, or not at all, as the end of a sentence, or "".

    Only for an expectation that fits its columns.
    """
    kwargs, name = expectation.kwargs, expectation.type
    kinds = {kind(columns[c]) for c in expectation.columns if c in columns}
    if name in _OF_SEVERAL or (name in _EQUAL and kinds & {"integer", "boolean"}):
        missing = frame[list(expectation.columns)].isna()
        ignored = kwargs.get("ignore_row_if", "all_values_are_missing")
        left = missing.any(axis=1) & ~(missing.all(axis=1) & (ignored in _IGNORING_ALL))
        if left.any() and ignored not in _IGNORING_ANY:
            word = _IGNORING_ANY["pair" not in name]
            return f'pandas compares nothing with NULL as SQL does; write "ignore_row_if": "{word}", or use the engine duckdb'
    if kwargs.get("value_set") and kinds & {"date", "timestamp"}:
        return "pandas does not compare dates with the texts in value_set; use the engine duckdb"
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
