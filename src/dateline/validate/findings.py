"""What a person can act on: from the results of Great Expectations to findings, less what is waived."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dateline.errors import Place, Problem
from dateline.rules import Rule
from dateline.validate.suites import Expectation, Suite
from dateline.validate.waivers import Waiver

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult


@dataclass(frozen=True)
class Finding:
    """One expectation, or one check of our own, that was not met. `rows` are ids (`article_id#local`) of a sample of the rows, in
    order, `count` is how many there are (0: the fault is the table's, not some row's). `place` is where the first of `rows` was
    written, `places` where each was, as far as it is known; a snippet is drawn only where rights allow. `details` are words on
    single rows.
    """

    rule: str
    level: str
    table: str
    rows: tuple[str, ...]
    count: int
    says: str
    expected: str
    hint: str
    suite: str
    expectation_id: str
    observed: Any = None
    place: Place | None = None
    places: tuple[tuple[str, Place], ...] = ()
    snippet: str | None = None
    waived: Waiver | None = None
    details: tuple[tuple[str, str], ...] = ()

    @property
    def fails(self) -> bool:
        """Whether it keeps a dataset from being valid."""
        return self.level == "error" and self.waived is None

    def as_problems(self) -> list[Problem]:
        """One problem for each row that is named, and one for the rest; where no seed is known the suite's file is the place."""
        known, details = dict(self.places), dict(self.details)
        level = self.level if self.waived is None else "waived"
        found = [
            Problem(
                known.get(row, Place(self.suite)), self.rule, f"{self.table} {row}: {self.says}{details.get(row, '')}", self.hint,
                level, self.snippet if number == 0 else None,
            )
            for number, row in enumerate(self.rows)
        ]  # fmt: skip
        if not found:
            of = f" ({self.count:,} rows)" if self.count else ""
            return [Problem(Place(self.suite), self.rule, f"{self.table}: {self.says}{of}", self.hint, level)]
        if self.count > len(found):
            more = f"{self.table}: {self.count - len(found):,} more rows: {self.says}"
            found.append(Problem(Place(self.suite), self.rule, more, self.hint, level))
        return found

    def as_json(self) -> dict[str, Any]:
        """The finding as plain JSON types."""
        return {
            "rule": self.rule,
            "level": self.level,
            "table": self.table,
            "rows": list(self.rows),
            "count": self.count,
            "place": _place(self.place),
            "places": {row: _place(place) for row, place in self.places},
            "says": self.says,
            "expected": self.expected,
            "hint": self.hint,
            "snippet": self.snippet,
            "suite": self.suite,
            "expectation_id": self.expectation_id,
            "observed": self.observed,
            "waived": None if self.waived is None else self.waived.as_json(),
        }


def _place(place: Place | None) -> dict[str, Any] | None:
    return None if place is None else {"file": place.file, "line": place.line or None, "pointer": place.pointer or None}


def findings_of(
    suite: Suite, result: ExpectationSuiteValidationResult, rules: Mapping[str, Rule], waivers: Sequence[Waiver]
) -> list[Finding]:
    """The expectations of one suite that were not met, in the suite's order."""
    failed = {r.expectation_config.id: r for r in result.results if not r.success}
    return [_finding(suite, e, failed[e.id].result, rules, waivers) for e in suite.expectations if e.id in failed]


def _finding(
    suite: Suite, written: Expectation, found: Mapping[str, Any], rules: Mapping[str, Rule], waivers: Sequence[Waiver]
) -> Finding:
    rows = sorted({_row_id(row, suite.key) for row in found.get("partial_unexpected_index_list") or () if isinstance(row, dict)})
    rule = rules.get(written.rule)
    expected = expected_words(written)
    observed = plain(found.get("observed_value"))
    finding = Finding(
        rule=written.rule,
        level=written.level,
        table=suite.table,
        rows=tuple(rows),
        count=int(found.get("unexpected_count") or 0),
        says=_says(suite, written, rule, observed, found),
        expected=expected,
        hint=_hint(written, rule),
        suite=suite.file,
        expectation_id=written.id,
        observed=observed,
    )
    return waive(finding, waivers)


def again_finding(kept: Mapping[str, Any], suite: Suite, written: Expectation, rules: Mapping[str, Rule]) -> Finding:
    """A finding as a dataset has kept it, with its words."""
    rule = rules.get(written.rule)
    waived = kept["waived"]
    return Finding(
        rule=written.rule, level=written.level, table=suite.table, rows=tuple(kept["rows"]), count=kept["count"],
        says=_says(suite, written, rule, None, {}), expected=expected_words(written), hint=_hint(written, rule),
        suite=suite.file, expectation_id=written.id,
        waived=waived and Waiver(
            written.rule, waived["owner"], waived["reason"], datetime.date.fromisoformat(waived["expires"])
        ),
    )  # fmt: skip


def _hint(written: Expectation, rule: Rule | None) -> str:
    return rule.hint if rule and rule.stage == "validate" else written.reason


def _says(suite: Suite, written: Expectation, rule: Rule | None, observed: Any, found: Mapping[str, Any]) -> str:
    """What is wrong: the rule's words; for a suite that is not of this kind what was expected and what there is."""
    if rule is not None and rule.stage == "validate":
        values = _Words(written.kwargs, table=suite.table, column=", ".join(written.columns), observed=observed)
        return rule.message.format_map(values)
    seen = f"{observed!r} was observed" if observed is not None else "there are other values"
    samples = [v for v in found.get("partial_unexpected_list") or () if not isinstance(v, dict)]
    if samples:
        shown = sorted({json.dumps(plain(v), ensure_ascii=False, default=str) for v in samples})
        seen = f"there is {', '.join(shown[:3])}{', ...' if len(shown) > 3 else ''}"
    return f"expected {expected_words(written)}; {seen}"


class _Words(dict[str, Any]):
    """Values for a rule's message; a name that has none stays as it is written."""

    def __init__(self, *values: Mapping[str, Any], **more: Any) -> None:
        super().__init__()
        for value in (*values, more):
            self.update(value)

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


def expected_words(written: Expectation) -> str:
    """An expectation in words: `column values to be between (column=value, min_value=0)`."""
    words = written.type.removeprefix("expect_").replace("_", " ")
    shown = ", ".join(f"{name}={_short(value)}" for name, value in written.kwargs.items() if value is not None)
    return f"{words} ({shown})" if shown else words


def _short(value: Any, most: int = 120) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= most else f"{text[:most]}..."


def plain(value: Any) -> Any:
    """A value of a result as JSON can hold it; numbers in 12 digits, as sums depend on the order of their parts."""
    if isinstance(value, float):
        return float(f"{value:.12g}") if value == value and abs(value) != float("inf") else str(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(v) for v in value]
    item = getattr(value, "item", None)  # a number of numpy
    return plain(item()) if callable(item) else str(value)


def _row_id(row: Mapping[str, Any], key: Iterable[str]) -> str:
    """`article_id#local` of a row, from its key columns in their order."""
    return "#".join(str(row.get(column)) for column in key)


def waive(finding: Finding, waivers: Sequence[Waiver]) -> Finding:
    """The finding without its waived rows; whole and marked as waived if nothing else is left."""
    for waiver in waivers:
        if waiver.rule != finding.rule or waiver.table not in ("", finding.table):
            continue
        if not waiver.rows and not finding.count:  # a fault of the table
            return replace(finding, waived=waiver)
        left = tuple(row for row in finding.rows if row not in waiver.rows)
        if len(left) == len(finding.rows):
            continue
        if not left and finding.count <= len(finding.rows):
            return replace(finding, waived=waiver)
        finding = replace(finding, rows=left, count=finding.count - (len(finding.rows) - len(left)))
    return finding
