"""Which expectations cover the rows of a table, what became of them, and which findings and waivers name a row."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dateline.validate.suites import Suite, suites_from
from dateline.validate.waivers import NAME as WAIVERS
from dateline.validate.waivers import Waiver, waivers_from

Json = dict[str, Any]


@dataclass
class Covering:
    """The suites that a dataset carries (`sources`), and the result that it has kept of them; both may be empty."""

    sources: Mapping[str, bytes] = field(repr=False)
    result: Mapping[str, Any] = field(repr=False)
    file: str | None
    _tables: dict[str, list[Json]] = field(default_factory=dict, repr=False)

    def of(self, table: str, name: str) -> Json:
        """The expectations on a row's table with their last result, and the findings and waivers that name the row.

        A dataset keeps the rows of a finding only if all are named; one without rows may be about this one, too.
        """
        if table not in self._tables:
            self._tables[table] = self._cover(table)
        about = [f for f in self.result.get("findings", ()) if f["table"] == table and (not f["rows"] or name in f["rows"])]
        kept = ("rule", "level", "count", "expectation_id", "waived")
        return {
            "result": self.file,
            "suites": self._tables[table],
            "findings": [{n: f[n] for n in kept} | {"names_the_row": bool(f["rows"])} for f in about],
            "waivers": [{"rule": w.rule, **w.as_json()} for w in self._waivers if name in w.rows and w.table in ("", table)],
        }

    def _cover(self, table: str) -> list[Json]:
        named = re.compile(rf"\b{re.escape(table)}(?:__\w+)?\b")
        found = []
        for suite in self._suites:
            about = "table" if suite.view == table else "rows" if suite.table == table else None
            if about is None and suite.relation and named.search(suite.relation):
                about = "names"
            if about:
                found.append({"suite": suite.view, "file": suite.file, "about": about, "expectations": self._results(suite)})
        return found

    def _results(self, suite: Suite) -> list[Json]:
        return [
            {"id": e.id, "type": e.type, "rule": e.rule, "level": e.level, "columns": list(e.columns),
             "success": self._success.get(e.id)}
            for e in suite.expectations
        ]  # fmt: skip

    @cached_property
    def _success(self) -> dict[str, bool]:
        return {e["id"]: e["success"] for suite in self.result.get("suites", {}).values() for e in suite}

    @cached_property
    def _suites(self) -> list[Suite]:
        return suites_from({name: raw for name, raw in self.sources.items() if name != WAIVERS}, "expectations")

    @cached_property
    def _waivers(self) -> list[Waiver]:
        raw = self.sources.get(WAIVERS)  # one that has expired since was in force when the dataset was built
        return waivers_from(raw, f"expectations/{WAIVERS}", datetime.date.min) if raw else []
