"""A suite on views, through Great Expectations, whatever the engine that reads them.

A check that cannot be made is never a failed check: it raises SuiteError. Great Expectations itself drops an expectation of a
type that it does not know, and calls one that raised "failed".
"""

from __future__ import annotations

import abc
import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

from dateline.errors import SuiteError, printable
from dateline.validate.fitting import misfit
from dateline.validate.suites import Expectation, Suite

Json = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """How an engine runs: `memory_limit` of DuckDB or Spark's JVM ("2GB"), threads (None: all cores), where it may spill, how
    many failing rows it brings back for each expectation, and whether it asks for those only of what failed a first count. A
    relation that keeps articles apart runs on as many articles at a time as have `part` bytes of Parquet files, or one shard.
    """

    memory_limit: str = "2GB"
    threads: int | None = None
    temp_directory: str | None = None
    samples: int = 20
    counts_first: bool = True
    part: int = 64 * 2**20


class Engine(abc.ABC):
    """Runs suites on views; a context manager, since it holds memory, a spill folder or a process."""

    name: str
    # types whose failing rows Great Expectations does not name on this engine; it gives the rows themselves
    _nameless: frozenset[str] = frozenset()

    def __init__(self, options: Options) -> None:
        self.options = options
        self.gx = load_gx()
        self.context = self.gx.get_context(mode="ephemeral")
        self.context.variables.progress_bars = {"globally": False}
        self._relations: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    @abc.abstractmethod
    def versions(self) -> dict[str, str]:
        """Versions of what decides the results, by package."""

    @abc.abstractmethod
    def close(self) -> None:
        """Give everything back."""

    @abc.abstractmethod
    def _views(self) -> list[str]: ...

    @abc.abstractmethod
    def _columns(self, view: str) -> dict[str, str]: ...

    @abc.abstractmethod
    def _add_relation(self, suite: Suite) -> None: ...

    @abc.abstractmethod
    def _batch(self, view: str) -> Any: ...

    def _wrong(self, view: str, columns: dict[str, str], expectation: Expectation) -> str:
        """Why this engine alone would answer an expectation wrongly; empty if it would not."""
        return ""

    def forget(self, suite: Suite) -> None:  # noqa: B027  most have nothing to give back
        """Give back what the rows of a suite's relation take; if it is asked for again, it runs again."""

    def validate(self, suite: Suite) -> Any:
        """Great Expectations' own result of a suite, in the order in which its expectations are written.

        A failed expectation holds at most `options.samples` failing values, and the keys of as many failing rows where the suite
        names a key (`partial_unexpected_list`, `partial_unexpected_index_list`). Raises SuiteError for whatever keeps a check
        from being made.
        """
        columns = self._ready(suite)
        _check_columns(suite, columns)
        for expectation in suite.expectations:
            if fault := self._wrong(suite.view, columns, expectation):
                raise SuiteError(printable(f"{_where(suite, expectation)}: {fault}"))
        expectations = suite.written["expectations"]
        batch = self._batch(suite.view)
        # counts alone are the gate: what passes, and on good data that is everything, costs no query for samples
        counts_first = self.options.counts_first
        first: Json = (
            {"result_format": "SUMMARY", "partial_unexpected_count": 0} if counts_first else self._form(suite, rows=False)
        )
        result = self._run(suite, batch, expectations, first)
        failed = [n for n, r in enumerate(result.results) if not r.success]
        nameless = [n for n in failed if suite.key and expectations[n]["type"] in self._nameless]
        for some in (nameless, [n for n in failed if n not in nameless] if counts_first else []):
            if some and self.options.samples:
                again = self._run(suite, batch, [expectations[n] for n in some], self._form(suite, rows=some is nameless))
                for n, found in zip(some, again.results, strict=True):
                    result.results[n] = _named(found, suite.key)
        return result

    def _form(self, suite: Suite, *, rows: bool) -> Json:
        form: Json = {"result_format": "SUMMARY", "partial_unexpected_count": self.options.samples}
        if suite.key:
            form["unexpected_index_column_names"] = list(suite.key)
        return form | ({"include_unexpected_rows": True} if rows else {})

    def _ready(self, suite: Suite) -> dict[str, str]:
        """The columns of what the suite is about; a relation runs here, once."""
        views = self._views()
        if suite.relation is not None and suite.view not in self._relations:
            if suite.view in views:
                raise SuiteError(f"{suite.file}: a relation cannot be called {suite.view}; there is a view of that name")
            self._add_relation(suite)
            self._relations.add(suite.view)
        elif suite.view not in views:
            raise SuiteError(f"{suite.file}: is about {suite.view}, which is not there; there are: {', '.join(views) or 'none'}")
        return self._columns(suite.view)

    def _run(self, suite: Suite, batch: Any, expectations: Sequence[Json], form: Json) -> Any:
        made = _gx_suite(self.gx, suite, expectations)
        try:
            with quiet():
                result = batch.validate(made, result_format=form)
        except Exception as fault:
            raise SuiteError(f"{suite.file}: Great Expectations cannot run it on {suite.view}: {_says(fault)}") from None
        order = {e["id"]: n for n, e in enumerate(expectations)}
        found = [r.expectation_config.id for r in result.results]
        if sorted(found) != sorted(order):
            raise SuiteError(f"{suite.file}: {len(order)} expectations went in, {len(found)} results came out")
        result.results.sort(key=lambda r: order[r.expectation_config.id])
        raised = [n for n, r in enumerate(result.results) if _raised(r)]
        if raised:
            # metrics are computed in one query, so one that cannot be computed takes others with it: the culprit fails alone
            if len(expectations) > 1:
                for n in raised:
                    self._run(suite, batch, [expectations[n]], form)
            broken = next(e for e in suite.expectations if e.id == result.results[raised[0]].expectation_config.id)
            raise SuiteError(
                _where(suite, broken) + f" could not be evaluated on {suite.view}: {_raised(result.results[raised[0]])}"
            )
        return result


def load_gx() -> Any:
    """Great Expectations, imported at the first use (it takes seconds), without its analytics and its log lines."""
    os.environ["GX_ANALYTICS_ENABLED"] = "False"
    logging.getLogger("great_expectations").addHandler(logging.NullHandler())
    with quiet(), _named_main():
        import great_expectations as gx
        import great_expectations.expectations
    return gx


@contextlib.contextmanager
def _named_main() -> Iterator[None]:
    """GX imports pyspark where it is installed; without grpc that takes a main module of no file for a doctest, and exits."""
    main = sys.modules["__main__"]
    if hasattr(main, "__file__"):
        yield
        return
    main.__file__ = ""
    try:
        yield
    finally:
        del main.__file__


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of other packages."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def versions_of(*packages: str) -> dict[str, str]:
    """Versions of installed packages."""
    return {p: version(p) for p in packages}


def _gx_suite(gx: Any, suite: Suite, expectations: Sequence[Json]) -> Any:
    """The suite as Great Expectations makes it, with every expectation that was written."""
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    known = list_registered_expectation_implementations()
    by_id = {e.id: e for e in suite.expectations}
    made = []
    for written in expectations:
        if written["type"] not in known:
            raise SuiteError(_where(suite, by_id[written["id"]]) + " is no type of expectation that Great Expectations knows")
        try:
            one = gx.ExpectationSuite(name=suite.view, expectations=[written]).expectations
        except Exception as fault:
            raise SuiteError(_where(suite, by_id[written["id"]]) + f" is not written as it must be: {_says(fault)}") from None
        made += one
    if [e.id for e in made] != [e["id"] for e in expectations]:
        raise SuiteError(f"{suite.file}: {len(expectations)} expectations are written, and Great Expectations took {len(made)}")
    return gx.ExpectationSuite(name=suite.view, id=suite.written["id"], expectations=list(expectations))


def _check_columns(suite: Suite, columns: dict[str, str]) -> None:
    there = f"{suite.view} has the columns {', '.join(columns)}"
    for name in suite.key:
        if name not in columns:
            raise SuiteError(f"{suite.file}: the key column {name!r} is not there; {there}")
    for expectation in suite.expectations:
        fault = misfit(expectation, columns)
        if fault:
            raise SuiteError(printable(f"{_where(suite, expectation)}: {fault}; {there}"))


def _where(suite: Suite, expectation: Expectation) -> str:
    about = "" if expectation.rule == expectation.type else f" [{expectation.rule}]"
    return f"{suite.file}: {expectation.type}{about}"


def _named(result: Any, key: Sequence[str]) -> Any:
    """A result that has whole rows, with the rows' keys in their place."""
    rows = result.result.pop("unexpected_rows", None)
    if rows is not None:
        columns = dict.fromkeys((*key, *result.expectation_config.kwargs["column_list"]))
        result.result["partial_unexpected_index_list"] = [{c: row[c] for c in columns} for row in rows]
    return result


def _raised(result: Any) -> str:
    """What an expectation raised, in a line; empty if it was evaluated."""
    info = result.exception_info or {}
    for each in [info] if "raised_exception" in info else info.values():
        if isinstance(each, dict) and each.get("raised_exception"):
            return _says(each.get("exception_message"))
    return ""


def _says(fault: object) -> str:
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return printable(" ".join(lines[:2])[:300]) or type(fault).__name__
