"""Suites on views: DuckDB on Parquet, pandas or Spark, with equal results.

with open_engine("duckdb", views, Options()) as engine:
    result = engine.validate(suite)      # Great Expectations' own ExpectationSuiteValidationResult
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from dateline.errors import SuiteError
from dateline.validate.running import Engine, Options
from dateline.validate.views import View

ENGINES = ("duckdb", "pandas", "spark")


def open_engine(name: str, views: Sequence[View], options: Options | None = None) -> Engine:
    """An engine with its views: "duckdb", "pandas", "spark" or the address of a master of Spark, "spark://HOST:PORT".

    Raises SuiteError for another name, a missing package, views that cannot be read, settings that make no sense.
    """
    made: dict[str, Callable[[], Callable[[Sequence[View], Options], Engine]]] = {
        "duckdb": _duckdb,
        "pandas": _pandas,
        "spark": _spark,
    }
    if at_master(name):
        made[name] = lambda: partial(_spark(), master=name)
    if name not in made:
        raise SuiteError(f"there is no engine {name!r}; there are: {', '.join(ENGINES)}")
    try:
        return made[name]()(views, options or Options())
    except ImportError as fault:
        extra = "spark" if fault.name and fault.name.startswith("pyspark") else "build"
        raise SuiteError(f"engine {name} needs {fault.name}, which is not installed: pip install 'dateline[{extra}]'") from None


def at_master(name: str) -> bool:
    """Whether an engine's name is the address of a master of Spark."""
    return name.startswith("spark://")


def _duckdb() -> Callable[..., Engine]:
    from dateline.validate.duck_engines import DuckEngine

    return DuckEngine


def _pandas() -> Callable[..., Engine]:
    from dateline.validate.duck_engines import PandasEngine

    return PandasEngine


def _spark() -> Callable[..., Engine]:
    from dateline.validate.spark import SparkEngine

    return SparkEngine
