"""A validation for others to read: Markdown for a pull request, JUnit XML for CI, one HTML page for people.

Pure functions of the JSON that `dateline validate --json` prints. What comes from data (row ids, labels, kwargs) is shown with
controls and bidi marks as escapes, and never taken for markup.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from dateline.errors import printable

Json = Mapping[str, Any]
_MOST_FINDINGS = 50


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def headline(result: Json) -> str:
    """The outcome in a line: `valid: 430 expectations in 31 suites, 2 warnings`."""
    counts = result["counts"]
    more = "".join(f", {_plural(counts[k], k.rstrip('s'))}" for k in ("errors", "warnings") if counts[k])
    waived = f", {counts['waived']} waived" if counts["waived"] else ""
    of = f"{_plural(counts['expectations'], 'expectation')} in {_plural(len(result['suites']), 'suite')}"
    return f"{'valid' if result['success'] else 'not valid'}: {of}{more}{waived}"


def check_line(check: Json) -> str:
    """What a check of our own did, in a line."""
    parts = [f"{_plural(check['compared'], 'article')} compared across splits"]
    parts += [f"{_plural(check['withheld'], 'withheld text')} not compared"] if check["withheld"] else []
    parts += [f"{_plural(check['wordless'], 'text')} without words"] if check["wordless"] else []
    parts += [f"{_plural(check['n_pairs'], 'pair')} alike by {check['threshold']:g} or more"]
    parts += [f"{check['n_near_misses']:,} nearly so"] if check["n_near_misses"] else []
    return f"{check['name']}: {', '.join(parts)}"


def place_of(finding: Json) -> str:
    """Where to mend it: seed file, line and pointer; the suite's file where no seed is known."""
    place = finding["place"]
    if place is None:
        return str(finding["suite"])
    line = f":{place['line']}" if place["line"] else ""
    return f"{place['file']}{line}" + (f" {place['pointer']}" if place["pointer"] else "")


def state_of(finding: Json) -> str:
    """ "error", "warning" or "waived"."""
    return "waived" if finding["waived"] else str(finding["level"])


# ---- Markdown ------------------------------------------------------------------------------------------------


def validation_markdown(result: Json) -> str:
    """A few lines and a table, for a comment on a pull request. Of many findings the first 50 are listed."""
    lines = [f"### Validation: {headline(result)}", ""]
    if result["dataset"]:
        of = result["dataset"]
        lines += [f"{_md(of['name'])} {_md(of['version'])}, content `{_md(of['content_digest'][:12])}`", ""]
    findings = _ordered(result["findings"])
    if findings:
        lines += ["| | rule | rows | what | where |", "|---|---|---|---|---|"]
        for finding in findings[:_MOST_FINDINGS]:
            named = ", ".join(f"`{_md(row)}`" for row in finding["rows"][:3])
            more = finding["count"] - min(3, len(finding["rows"]))
            rows = named + (f" and {more:,} more" if named and more > 0 else "") or (
                f"{finding['count']:,}" if finding["count"] else ""
            )
            cells = (state_of(finding), f"`{_md(finding['rule'])}`", rows, _md(f"{finding['table']}: {finding['says']}"),
                     f"`{_md(place_of(finding))}`")  # fmt: skip
            lines.append("| " + " | ".join(cells) + " |")
        if len(findings) > _MOST_FINDINGS:
            lines.append(f"\n... and {len(findings) - _MOST_FINDINGS} more")
        lines.append("")
    said = [*map(check_line, result.get("checks", ())), *result["notes"]]
    lines += [f"- {_md(line)}" for line in said] + ([""] if said else [])
    versions = ", ".join(f"{_md(k)} {_md(v)}" for k, v in result["engine"].items() if k != "name")
    lines.append(f"<sub>engine {_md(result['engine'].get('name', ''))}: {versions}</sub>")
    return "\n".join(lines) + "\n"


def _md(text: object) -> str:
    shown = printable(str(text))
    for mark in "\\`|<>[]*_":
        shown = shown.replace(mark, {"<": "&lt;", ">": "&gt;", "`": "'"}.get(mark, mark if mark in "_[]*" else "\\" + mark))
    return shown


def _ordered(findings: Iterable[Json]) -> list[Json]:
    order = {"error": 0, "warning": 1, "waived": 2}
    return sorted(findings, key=lambda f: order[state_of(f)])


# ---- JUnit ---------------------------------------------------------------------------------------------------


def validation_junit(result: Json) -> str:
    """JUnit XML as CI systems read it: a testsuite per suite and one of our own checks, a testcase per expectation or check. A
    waived finding is a skipped test, a warning passes and is told in system-out.
    """
    found = {finding["expectation_id"]: finding for finding in result["findings"]}
    root = ElementTree.Element("testsuites", name="dateline validate")
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite, cases in _junit_suites(result):
        element = ElementTree.SubElement(root, "testsuite", {name: _xml(said) for name, said in suite.items()})
        own = dict.fromkeys(totals, 0)
        for known, classname, name in cases:
            case = ElementTree.SubElement(element, "testcase", classname=_xml(classname), name=_xml(name))
            own["tests"] += 1
            if known in found:
                _junit_finding(case, found[known], own)
        for name, number in own.items():
            element.set(name, str(number))
            totals[name] += number
    for name, number in totals.items():
        root.set(name, str(number))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _junit_suites(result: Json) -> Iterator[tuple[dict[str, str], list[tuple[str, str, str]]]]:
    """Attributes of each testsuite, and its cases: id, class name, name."""
    for suite in result["suites"]:
        cases = [
            (e["id"], f"{suite['name']}.{e['type']}", f"{e['rule']} {_kwargs(e['kwargs'])}".strip())
            for e in suite["expectations"]
        ]
        yield {"name": suite["name"], "file": suite["file"]}, cases
    if checks := result.get("checks", ()):
        yield {"name": "checks"}, [(check["name"], f"checks.{check['name']}", check["rule"]) for check in checks]


def _junit_finding(case: ElementTree.Element, finding: Json, own: dict[str, int]) -> None:
    text = "\n".join(_text_lines(finding))
    if waived := finding["waived"]:
        own["skipped"] += 1
        said = f"waived by {waived['owner']} until {waived['expires']}: {waived['reason']}"
        ElementTree.SubElement(case, "skipped", message=_xml(said))
    elif finding["level"] == "error":
        own["failures"] += 1
        failure = ElementTree.SubElement(case, "failure", message=_xml(finding["says"]), type=_xml(finding["rule"]))
        failure.text = _xml(text)
    else:
        ElementTree.SubElement(case, "system-out").text = _xml("warning: " + text)


def _text_lines(finding: Json) -> list[str]:
    lines = [f"{finding['table']}: {finding['says']}", f"expected: {finding['expected']}"]
    if finding["count"]:
        lines.append(f"rows: {finding['count']:,}")
    places = finding["places"]
    for row in finding["rows"]:
        where = place_of({**finding, "place": places[row]}) if row in places else ""
        lines.append(f"  {row}  {where}".rstrip())
    return [*lines, f"hint: {finding['hint']}"] if finding["hint"] else lines


def _kwargs(kwargs: Json) -> str:
    return ", ".join(f"{k}={_short(v)}" for k, v in kwargs.items() if v is not None)


def _short(value: Any, most: int = 80) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= most else text[:most] + "…"


def _xml(text: object) -> str:
    """Text that XML 1.0 can hold: line ends stay, other controls become escapes."""
    return "\n".join(printable(line) for line in str(text).split("\n"))


# ---- HTML ----------------------------------------------------------------------------------------------------


def validation_html(result: Json) -> str:
    """One page that needs no network: outcome, findings with a link each, every suite with its expectations."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("dateline", "describe"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "check": check_line,
        "shown": _xml,
        "kwargs": lambda k: _xml(_kwargs(k)),
        "place": place_of,
        "state": state_of,
    }
    findings = _ordered(result["findings"])
    failed = {f["expectation_id"]: state_of(f) for f in findings}
    page = environment.get_template("validation.html.j2")
    return page.render(result=result, headline=headline(result), findings=findings, failed=failed, short=_short) + "\n"
