"""From a derived row back to the rows that it follows from, and forth: read off its id, its columns and its lists of items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dateline.derive.estimates import pair_of
from dateline.derive.tables import ESTIMANDS, ESTIMATES, JUDGEMENTS
from dateline.lookup import Found, Lookup

Name = tuple[str, str]
"""A table, and the row's id in it."""
_KEPT = 100_000
_ARTICLES = {"article_id", "article_a", "article_b", "article_id_a", "article_id_b"}
"""Columns of derived tables that name the articles that a row is about."""
LINKS: Mapping[str, str] = {
    "estimand_id": ESTIMANDS, "parent_estimand_id": ESTIMANDS, "estimate_a": ESTIMATES, "estimate_b": ESTIMATES,
    "restates_estimate_id": ESTIMATES, "retracts_estimate_id": ESTIMATES, "subset_of_estimate_id": ESTIMATES,
    "judgement_id": JUDGEMENTS,
}  # fmt: skip
"""Columns of derived tables, and of judgements, that hold ids of rows; no schema says so."""


@dataclass
class Bases:
    """Which rows of a dataset follow from which; `views` are those that the project declares, none where there is no project."""

    rows: Lookup
    views: Mapping[str, Mapping[str, Any]]
    _links: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    _named: dict[Name, list[Name]] = field(default_factory=dict, repr=False)
    _about: dict[str, list[tuple[Name, frozenset[Name]]]] = field(default_factory=dict, repr=False)

    def links(self, table: str) -> dict[str, str]:
        """The columns of a table that hold ids of other rows: those that schemas declare, and those of fixed meaning."""
        if table not in self._links:
            fixed: Mapping[str, str] = {"supersedes": "articles"} if table == "articles" else {}
            if table == JUDGEMENTS or self.rows.level(table) == "derived":
                fixed = LINKS
            columns = set(self.rows.columns(table)) - {self.rows.key(table)}
            self._links[table] = {c: t for c, t in fixed.items() if c in columns} | self.rows.references(table)
        return self._links[table]

    def about(self, article_id: str) -> list[tuple[Name, frozenset[Name]]]:
        """The derived rows that are about an article, each with the rows that it follows from."""
        if article_id not in self._about:
            shard = self.rows.shard(article_id)
            split = shard.split if shard else ""
            made: dict[Name, frozenset[Name]] = {}
            for table in self.rows.tables("derived"):
                for column in _ARTICLES & set(self.rows.columns(table)):
                    rows = self.rows.equal(table, column, article_id, within=lambda f: f["split"] == split)
                    made |= {(table, self.rows.name(row)): frozenset(self.of(row, judged=False)) for row in rows}
            self._about[article_id] = sorted(made.items())
        return self._about[article_id]

    def of(self, found: Found, *, judged: bool = True) -> list[Name]:
        """The base rows that a derived row names: in its id, lists of items and columns; if `judged`, also a pair's judgement."""
        key = self.rows.name(found)
        if found.table == ESTIMANDS:
            named = self.rows.equal(ESTIMATES, "estimand_id", key, columns=["estimate_id"])
            return list(dict.fromkeys(n for row in named for n in self._from_key(ESTIMATES, str(row.row["estimate_id"]))))
        made = self._from_key(found.table, key)
        article_id = key.partition("#")[0]
        for value in found.row.values():
            if isinstance(value, list) and value and isinstance(value[0], dict) and "item" in value[0]:
                for item in dict.fromkeys(str(one["item"]) for one in value):
                    made += self._holding(article_id, item, self._declared(found.table, "layer"))
        made += [("claims", f"{article_id}#{claim}") for claim in found.row.get("contrast_claim_ids") or ()]
        if judged and "|" in key and JUDGEMENTS in self.rows.manifest.tables:
            one, other = key.split("|")
            for first in (one, other):
                rows = self.rows.equal(JUDGEMENTS, "estimate_a", first)
                made += [(JUDGEMENTS, self.rows.name(row)) for row in rows if pair_of(row.row) == (one, other)]
        return list(dict.fromkeys(made))

    def _from_key(self, table: str, key: str) -> list[Name]:
        """The base rows in the id of a derived row: `article#item`, `article#claim:quantity`, two of these with `|` between."""
        name = (table, key)
        if name not in self._named:
            made: list[Name] = []
            for part in key.split("|"):
                article_id, _, local = part.partition("#")
                claim, colon, quantity = local.partition(":")
                if colon:
                    made += [("claims", f"{article_id}#{claim}"), ("quantities", f"{article_id}#{quantity}")]
                else:
                    made += self._holding(article_id, local, self._declared(table, "passage")) or [("articles", article_id)]
            if len(self._named) >= _KEPT:
                self._named.clear()
            self._named[name] = made
        return list(self._named[name])

    def _declared(self, view: str, what: str) -> str | None:
        """The layer that a view's rows (`passage`: the rows of a view of spans) are made of, where the project declares it."""
        said = self.views.get(view)
        if said is None:
            return None
        passage = said.get("passage") or {}
        found = passage.get("layer") if what == "passage" and said.get("kind") == "spans" else said.get("layer")
        return str(found) if found else None

    def _holding(self, article_id: str, local: str, layer: str | None) -> list[Name]:
        """The rows of an article that have a local id, in one layer or in whichever it stands."""
        layers = [layer] if layer in self.rows.manifest.tables else self.rows.tables("article")
        return [(name, f"{article_id}#{local}") for name in layers if name and self.rows.item(name, article_id, local)]
