"""How the tables were validated: the suites that the release carries, what became of each expectation, what was waived and why,
and which rule catches what, where the project keeps that proof.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dateline.describe.matrix import read_matrix
from dateline.describe.validation import headline
from dateline.rules import RULES, rules_from
from dateline.site.links import Links, anchor
from dateline.site.pages import Kind, Page
from dateline.site.read import Reading
from dateline.validate.findings import expected_words
from dateline.validate.suites import Suite, suites_from
from dateline.validating import carried_result, carried_suites

HOME = "validation/index.html"
MATRIX = "docs/validation-matrix.md"
"""Where a project keeps what `dateline validate --self-test --md` prints."""
_MOST_ROWS = 50
_RULES_FILE = "rules.toml"


def present(reading: Reading) -> bool:
    """Whether the release keeps suites and what came of them."""
    return any("/result-" in file["path"] for file in reading.corpus.manifest.validation)


def pages(reading: Reading, links: Links) -> Iterator[Page]:
    """The one page of all suites, and, where there is a proof of teeth, the page of that."""
    manifest = reading.corpus.manifest
    sources = carried_suites(reading.folder, manifest)
    where = f"{reading.folder}/validation"
    suites = suites_from(sources, where)
    rules = {**RULES, **rules_from(sources.get(_RULES_FILE, b""), f"{where}/{_RULES_FILE}")}
    result = carried_result(reading.folder, manifest)
    assert result is not None  # or there were no such pages
    said = {e["id"]: e for expectations in result["suites"].values() for e in expectations}
    matrix = _matrix(reading)
    yield Page(
        HOME,
        "validation.html.j2",
        "Validation",
        {
            "headline": headline({**result, "success": not result["counts"]["errors"]}),
            "success": not result["counts"]["errors"],
            "counts": result["counts"],
            "engine": result["engine"],
            "notes": result["notes"],
            "findings": [_finding(found, rules, links) for found in result["findings"]],
            "suites": [_suite(suite, said) for suite in suites if suite.view in result["suites"]],
            "matrix": _MATRIX_HOME if matrix else "",
        },
    )
    if matrix:
        yield Page(_MATRIX_HOME, "matrix.html.j2", "Matrix of teeth", matrix)


def _finding(found: Mapping[str, Any], rules: Mapping[str, Any], links: Links) -> dict[str, Any]:
    rule = rules.get(found["rule"])
    return {
        "anchor": anchor("finding", found["expectation_id"]),
        "rule": found["rule"],
        "state": "waived" if found["waived"] else found["level"],
        "table": found["table"],
        "count": found["count"],
        "says": rule.message if rule else "",
        "waived": found["waived"],
        "rows": [(row, links.row(row)) for row in found["rows"][:_MOST_ROWS]],
        "more": max(0, len(found["rows"]) - _MOST_ROWS),
    }


def _suite(suite: Suite, said: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    rows = []
    for expectation in suite.expectations:
        result = said.get(expectation.id, {})
        rows.append({
            "rule": expectation.rule,
            "level": expectation.level,
            "expected": expected_words(expectation),
            "reason": expectation.reason,
            "success": result.get("success"),
            "rows": result.get("element_count"),
            "unexpected": result.get("unexpected_count"),
        })  # fmt: skip
    failed = sum(row["success"] is False for row in rows)
    return {"name": suite.view, "table": suite.table, "anchor": anchor("suite", suite.view), "rows": rows, "failed": failed,
            "relation": suite.relation}  # fmt: skip


# ---- which rule catches what ---------------------------------------------------------------------------------------

_MATRIX_HOME = "validation/matrix.html"


def _matrix(reading: Reading) -> dict[str, Any] | None:
    """The proof of teeth that the project keeps, and whether it is of the suites in the release; None where there is none."""
    if reading.project is None:
        return None
    try:
        text = (reading.project.root / MATRIX).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    found = read_matrix(text)
    if not found.rules:
        return None
    kinds = sorted({kind for rule in found.rules for kind in rule.kinds}, key=_by_rules(found.rules))
    same = reading.corpus.manifest.logical_digest in dict(found.facts).values()
    return {"same": same, "facts": found.facts, "rules": found.rules, "kinds": kinds, "file": MATRIX}


def _by_rules(rules: Sequence[Any]) -> Any:
    """Kinds of mutants in order: those that most rules catch first."""
    counts = Counter(kind for rule in rules for kind in rule.kinds)
    return lambda kind: (-counts[kind], kind)


KIND = Kind("Validation", HOME, present, pages)
