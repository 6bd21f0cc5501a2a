"""A validation as Markdown, JUnit XML and HTML: what it says, and that nothing in the data is taken for markup."""

from __future__ import annotations

import copy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from dateline.describe.validation import validation_html, validation_junit, validation_markdown

GOLDEN = Path(__file__).parent / "reports"
PLACE = {"file": "seeds/a.jsonl", "line": 7, "pointer": "$.mentions[1]"}


def expectation(number: int, rule: str, success: bool, level: str = "error") -> dict[str, Any]:
    return {
        "id": f"id-{number}", "type": "expect_column_values_to_not_be_null", "rule": rule, "level": level, "reason": "Why.",
        "success": success, "kwargs": {"column": "score"}, "element_count": 1200, "unexpected_count": 0 if success else 3,
        "observed": None,
    }  # fmt: skip


def finding(number: int, rule: str, **changed: Any) -> dict[str, Any]:
    return {
        "rule": rule, "level": "error", "table": "mentions", "rows": ["a1#m2", "a1#m3"], "count": 3, "place": PLACE,
        "places": {"a1#m2": PLACE}, "says": "a mention has no score", "expected": "column values to not be null (column=score)",
        "hint": "Score it.", "snippet": "    Ana met Bo\n    ^^^", "suite": "expectations/mentions.json",
        "expectation_id": f"id-{number}", "observed": None, "waived": None,
    } | changed  # fmt: skip


RESULT: dict[str, Any] = {
    "success": False,
    "dataset": {"name": "tiny", "version": "0.0.0", "content_digest": "0123456789abcdef" * 4},
    "engine": {"name": "duckdb", "dateline": "0.1.0", "great_expectations": "1.24.1"},
    "suites": [
        {
            "name": "mentions", "table": "mentions", "file": "expectations/mentions.json", "success": False,
            "expectations": [
                expectation(1, "scored", False), expectation(2, "apart", False, "warning"), expectation(3, "named", False),
                expectation(4, "met", True),
            ],
        }
    ],
    "findings": [
        finding(2, "apart", level="warning", rows=[], count=0, place=None, places={}, snippet=None),
        finding(1, "scored"),
        finding(3, "named", waived={"owner": "desk", "reason": "known", "expires": "2030-06-30"}),
    ],
    "counts": {"expectations": 4, "passed": 1, "failed": 3, "errors": 1, "warnings": 1, "waived": 1},
    "notes": ["expectations/times.json: not run; times has no rows"],
}  # fmt: skip
EVIL = "</script><img src=http://x/y onerror=1> `|` ]]> \x00\x1b[31m\u202e &amp;"


def hostile() -> dict[str, Any]:
    """The same with hostile strings wherever strings come from data or from somebody's suite."""
    found = copy.deepcopy(RESULT)
    for one in found["findings"]:
        one |= {"rows": [EVIL], "says": EVIL, "hint": EVIL, "expected": EVIL, "table": EVIL, "rule": EVIL, "places": {}}
    found["suites"][0]["name"] = EVIL
    found["suites"][0]["expectations"][0]["kwargs"] = {"column": EVIL}
    found["dataset"]["name"] = found["notes"][0] = EVIL
    return found


@pytest.mark.parametrize(("name", "made"), [("report.md", validation_markdown), ("report.xml", validation_junit)])
def test_the_text_is_the_golden_one(name: str, made: Any) -> None:
    assert made(RESULT) == (GOLDEN / name).read_text(encoding="utf-8")


def test_junit_counts_as_ci_systems_do() -> None:
    root = ElementTree.fromstring(validation_junit(RESULT).encode())
    assert {k: root.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "1", "errors": "0", "skipped": "1",
    }  # fmt: skip
    cases = root.findall("testsuite/testcase")
    assert [[child.tag for child in case] for case in cases] == [["failure"], ["system-out"], ["skipped"], []]
    assert "seeds/a.jsonl:7 $.mentions[1]" in (cases[0][0].text or "")


def test_junit_is_well_formed_whatever_the_data_says() -> None:
    root = ElementTree.fromstring(validation_junit(hostile()).encode())
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert "]]>" in (failure.text or "") and "\\x1b[31m" in (failure.text or "")


def test_markdown_stays_one_row_per_finding() -> None:
    text = validation_markdown(hostile())
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 4, rows
    assert "<img" not in text and "\x1b" not in text and "\u202e" not in text


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "srcset", "action", "data"):
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("result", [RESULT, hostile()], ids=["plain", "hostile"])
def test_the_page_asks_the_network_for_nothing(result: dict[str, Any]) -> None:
    text = validation_html(result)
    page = Page(text)
    assert not {"script", "img", "link", "iframe", "object", "embed", "form"} & set(page.tags)
    assert page.links and all(link.startswith("#") for link in page.links)
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style and "@import" not in style
    assert "\x1b" not in text and "\u202e" not in text and "\x00" not in text


def test_the_page_says_what_was_found_and_links_to_each_finding() -> None:
    page = Page(validation_html(RESULT))
    words = " ".join(" ".join(page.words).split())
    for said in ("not valid: 4 expectations in 1 suite, 1 error, 1 warning, 1 waived", "a1#m2", "seeds/a.jsonl:7 $.mentions[1]",
                 "and 1 more", "Waived by desk until 2030-06-30: known", "Ana met Bo", "1,200"):  # fmt: skip
        assert said in words, said
    assert {"f-id-1", "f-id-2", "f-id-3", "s-mentions"} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_nothing_found_is_said() -> None:
    clean = {**RESULT, "findings": [], "success": True, "counts": {**RESULT["counts"], "errors": 0, "warnings": 0, "waived": 0}}
    assert "None: every expectation is met." in validation_html(clean)
    assert validation_markdown(clean).startswith("### Validation: valid: 4 expectations in 1 suite\n")
