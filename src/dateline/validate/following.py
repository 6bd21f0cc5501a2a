"""Suites of the tables that follow from others: views with their passages, estimates and their pairs.

What a derived table says is looked at from outside: passages are the words of their articles, spans lie in their passages, an
estimate says what its quantity says, and the relations of a pair are computed again here, in SQL, from the columns of
`estimates`. All is pure: descriptions of tables in, JSON and SQL out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa

from dateline.schema import Layer, Schemas
from dateline.validate.structure import ARTICLES, Derived, query

ESTIMANDS, ESTIMATES, PAIRS, JUDGEMENTS = "estimands", "estimates", "estimate_pairs", "judgements"
_SPAN = {"start", "end"}


class FollowingColumn(Protocol):
    """A column of a derived table."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def type(self) -> pa.DataType:
        """Its Arrow type."""
        ...

    @property
    def labels(self) -> list[str] | None:
        """Its label set; None if it holds no labels."""
        ...


class Following(Protocol):
    """A derived table: its columns, the one that names a row, the one whose rows stand together."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def key(self) -> str:
        """The column that names a row."""
        ...

    @property
    def owner(self) -> str:
        """The column whose rows stand together: article_id or story."""
        ...

    @property
    def columns(self) -> Sequence[FollowingColumn]:
        """Its columns."""
        ...


def derive_following(tables: Sequence[Following], schemas: Schemas) -> list[Derived]:
    """The suites of derived tables: of each its columns, keys and labels, and a relation with one row for each of its rows.

    Where estimates are judged, what the judgements are about is looked up, too.
    """
    made = []
    for table in tables:
        made += [_plain(table), _Rows(table, schemas).relation()]
    if JUDGEMENTS in schemas.tables and any(table.name == ESTIMATES for table in tables):
        made.append(_judged(schemas.tables[JUDGEMENTS]))
    return made


def _judged(layer: Layer) -> Derived:
    """The check relation of judgements: each is about two estimates of one story."""
    key = layer.key.name
    made = Derived(f"{JUDGEMENTS}_about", [key], table=JUDGEMENTS)
    parts = {"known": "SELECT e.estimate_id, min(e.story) AS story FROM estimates e GROUP BY e.estimate_id"}
    joins = [f"LEFT JOIN known {side} ON {side}.estimate_id = r.estimate_{side}" for side in ("a", "b")]
    columns = {f"estimate_{side}_resolves": f"{side}.estimate_id IS NOT NULL" for side in ("a", "b")}
    columns["is_of_one_story"] = "CASE WHEN r.estimate_a <> r.estimate_b THEN a.story = b.story ELSE false END"
    made.sql = query(parts, [f"r.{key}", *(f"{sql} AS {column}" for column, sql in columns.items())], f"{JUDGEMENTS} r", joins)
    for column in columns:
        made.expect("expect_column_values_to_be_in_set", "row-reference", column=column, value_set=[True])
    return made


def _plain(table: Following) -> Derived:
    made = Derived(table.name, [table.key])
    names = [c.name for c in table.columns]
    made.expect("expect_table_columns_to_match_set", "row-columns", column_set=names, exact_match=True)
    for column in dict.fromkeys([table.key, *(c for c in names if c in _ALWAYS)]):
        made.expect("expect_column_values_to_not_be_null", "row-present", column=column)
    made.expect("expect_column_values_to_be_unique", "row-unique", column=table.key)
    for c in table.columns:
        if c.labels and not pa.types.is_nested(c.type):
            made.expect("expect_column_values_to_be_in_set", "row-label", column=c.name, value_set=c.labels)
    return made


_ALWAYS = {
    "article_id", "story", "passage", "doc_start", "estimate_a", "estimate_b", "effective_comparator", "is_denial",
    "is_authorial", "chain_factual", "same_article", "same_principal", "contrast_marked", "is_denial_pair",
    "interval_tolerance", "n_estimates", "n_articles",
}  # fmt: skip


class _Rows:
    """Builds the check relation of one derived table."""

    def __init__(self, table: Following, schemas: Schemas) -> None:
        self.table, self.schemas = table, schemas
        self.names = [c.name for c in table.columns]
        self.made = Derived(f"{table.name}_rows", [table.key], table=table.name)
        self.parts: dict[str, str] = {}
        self.joins: list[str] = []
        self.selected: list[tuple[str, str, str]] = []

    def relation(self) -> Derived:
        """The relation with its suite."""
        self._of_articles()
        for side in ("", "_a", "_b"):
            if f"passage{side}" in self.names:
                self._passage(side)
        about = {ESTIMANDS: self._estimand, ESTIMATES: self._estimate, PAIRS: self._pair}.get(self.table.name)
        if about:
            about()
        listed = [f"r.{self.table.key}", *(f"{sql} AS {column}" for column, _, sql in self.selected)]
        self.made.sql = query(self.parts, listed, f"{self.table.name} r", self.joins)
        for column, rule, _ in self.selected:
            self.made.expect("expect_column_values_to_be_in_set", rule, column=column, value_set=[True])
        return self.made

    def add(self, column: str, rule: str, sql: str) -> None:
        """One boolean column that carries a rule."""
        self.selected.append((column, rule, sql))

    def _of_articles(self) -> None:
        if "story" in self.names:
            self.parts["stories"] = "SELECT a.group AS story FROM articles a GROUP BY a.group"
            self.joins.append("LEFT JOIN stories s ON s.story = r.story")
            self.add("story_known", "row-article", "s.story IS NOT NULL")
        if "article_id" in self.names:
            self.parts["article_of"] = (
                "SELECT a.article_id, min(a.split) AS split, min(a.group) AS story FROM articles a GROUP BY a.article_id"
            )
            self.parts["files_of"] = (
                f"SELECT article_id, min(split) AS low, max(split) AS high FROM placed WHERE table_name = '{self.table.name}' "
                "GROUP BY article_id"
            )
            self.joins.append("LEFT JOIN article_of a ON a.article_id = r.article_id")
            self.joins.append("LEFT JOIN files_of p ON p.article_id = r.article_id")
            self.add("article_known", "row-article", "coalesce(a.story = r.story, false)")
            self.add("in_its_split", "row-split", "p.low = a.split AND p.high = a.split")

    # -- passages and the spans in them

    def _passage(self, side: str) -> None:
        text = f"t{side}"
        self.joins.append(f"LEFT JOIN {ARTICLES} {text} ON {text}.article_id = r.article_id{side}")
        words = f"substr({text}.text, r.doc_start{side} + 1, length(r.passage{side})) = r.passage{side}"
        self.add(f"passage{side}_is_of_its_article", "row-passage", f"coalesce({words}, false)")
        for column in self.table.columns:
            mine = column.name.endswith(side) if side else not column.name.endswith(("_a", "_b"))
            if mine and _is_spans(column.type):
                self._spans(column.name, f"r.passage{side}")

    def _spans(self, column: str, passage: str) -> None:
        key = self.table.key
        self.parts[f"{column}_all"] = (
            f"SELECT {key}, min(item_start) AS low, max(item_end) AS high, bool_and(item_start < item_end) AS filled "
            f"FROM {self.table.name}__{column} GROUP BY {key}"
        )
        alias = f"{column}_of"
        self.joins.append(f"LEFT JOIN {column}_all {alias} ON {alias}.{key} = r.{key}")
        inside = f"{alias}.low >= 0 AND {alias}.high <= length({passage}) AND {alias}.filled"
        self.add(f"{column}_fit", "row-passage-span", f"coalesce({inside}, {alias}.{key} IS NULL)")

    # -- estimates

    def _estimand(self) -> None:
        self.parts["counted"] = (
            "SELECT estimand_id, count(*) AS n, count(DISTINCT article_id) AS articles FROM estimates GROUP BY estimand_id"
        )
        self.joins.append("LEFT JOIN counted c ON c.estimand_id = r.estimand_id")
        self.add("counts_its_estimates", "estimand-counts", "coalesce(c.n = r.n_estimates AND c.articles = r.n_articles, false)")
        self.parts["paired"] = (
            "SELECT estimand_id, sum(n * (n - 1) / 2) AS pairs FROM (SELECT estimand_id, count(*) AS n FROM estimates "
            f"WHERE left_out IS NULL GROUP BY estimand_id, {_kind_of('change')}) k GROUP BY estimand_id"
        )
        self.parts["pairs_of"] = f"SELECT estimand_id, count(*) AS n FROM {PAIRS} GROUP BY estimand_id"
        self.joins.append("LEFT JOIN paired q ON q.estimand_id = r.estimand_id")
        self.joins.append("LEFT JOIN pairs_of w ON w.estimand_id = r.estimand_id")
        self.add("has_all_its_pairs", "estimand-counts", "coalesce(q.pairs, 0) = coalesce(w.n, 0)")

    def _estimate(self) -> None:
        same = [c for c in _STATED if c in self.names and self._has("quantities", c)]
        listed = ", ".join(f"q.{c}" for c in same)
        self.parts["stated"] = f"SELECT q.article_id, q.quantity_id, {listed} FROM quantities q"
        self.joins.append("LEFT JOIN stated q ON q.article_id = r.article_id AND q.quantity_id = r.quantity_id")
        equal = " AND ".join(f"r.{c} IS NOT DISTINCT FROM q.{c}" for c in same)
        self.add("says_what_its_quantity_says", "estimate-as-stated", f"q.quantity_id IS NOT NULL AND {equal}")
        self.parts["claimed"] = (
            "SELECT c.article_id, c.claim_id, c.estimand_id, c.certainty, c.polarity, c.modality, c.is_authorial FROM claims c"
        )
        self.joins.append("LEFT JOIN claimed c ON c.article_id = r.article_id AND c.claim_id = r.claim_id")
        said = (
            "r.estimand_id = concat(r.story, '/', c.estimand_id) AND r.certainty = c.certainty AND r.polarity = c.polarity "
            "AND r.modality = c.modality AND r.is_authorial = c.is_authorial AND r.is_denial = (c.polarity = 'NEG')"
        )
        self.add("says_what_its_claim_says", "estimate-as-stated", f"coalesce({said}, false)")
        hedged = "r.effective_comparator = r.comparator OR (r.comparator = 'BARE' AND r.effective_comparator IS NOT NULL)"
        self.add("only_bare_numbers_take_over_a_hedge", "estimate-as-stated", f"coalesce({hedged}, false)")
        rated = "r.comparable_value IS NULL OR r.rate IS NOT NULL OR r.comparable_value = r.value"
        self.add("is_compared_by_its_value", "estimate-as-stated", f"coalesce({rated}, false)")

    def _pair(self) -> None:
        whole = "q.quantity_kind = 'COUNT'" if self._has("quantities", "quantity_kind") else "false"
        step = "q.rounding_unit" if self._has("quantities", "rounding_unit") else "CAST(NULL AS DOUBLE)"
        self.parts["member"] = (
            "SELECT e.estimate_id, e.story, e.article_id, e.estimand_id, e.left_out, e.is_denial, "
            "e.effective_comparator AS said, e.effective_hedge_type AS hedge, CAST(e.comparable_value AS DOUBLE) AS v, "
            "CAST(e.comparable_low AS DOUBLE) AS lo, CAST(e.comparable_high AS DOUBLE) AS hi, e.low_closed, e.high_closed, "
            f"{_kind_of('e.change')} AS kind, "
            f"coalesce({whole}, false) AND e.rate IS NULL AS whole, "
            f"coalesce(CAST({step} AS DOUBLE) * coalesce(CAST(e.rate AS DOUBLE), 1), 0) AS step "
            "FROM estimates e LEFT JOIN quantities q ON q.article_id = e.article_id AND q.quantity_id = e.quantity_id"
        )
        tolerance = f"(SELECT max(interval_tolerance) AS t FROM {PAIRS})"
        self.parts["ends"] = (
            f"SELECT m.estimate_id, {_end('low')} AS low, {_open('low')} AS low_open, {_end('high')} AS high, "
            f"{_open('high')} AS high_open, m.whole FROM member m CROSS JOIN {tolerance} g"
        )
        self.parts["bounds"] = (
            "SELECT estimate_id, CASE WHEN whole AND low_open THEN floor(low) + 1 ELSE low END AS low, "
            "low_open AND NOT whole AS low_open, CASE WHEN whole AND high_open THEN ceil(high) - 1 ELSE high END AS high, "
            "high_open AND NOT whole AS high_open FROM ends"
        )
        for side in ("a", "b"):
            self.joins.append(f"LEFT JOIN member m{side} ON m{side}.estimate_id = r.estimate_{side}")
            self.joins.append(f"LEFT JOIN bounds i{side} ON i{side}.estimate_id = r.estimate_{side}")
        members = (
            "r.estimate_a < r.estimate_b AND ma.story = r.story AND mb.story = r.story AND ma.article_id = r.article_a "
            "AND mb.article_id = r.article_b AND r.same_article = (r.article_a = r.article_b)"
        )
        self.add("has_two_members", "pair-members", f"coalesce({members}, false)")
        one = "ma.estimand_id = r.estimand_id AND mb.estimand_id = r.estimand_id AND ma.kind = mb.kind"
        self.add("is_of_one_estimand", "pair-members", f"coalesce({one}, false)")
        self.add("leaves_out_what_is_left_out", "pair-members", "ma.left_out IS NULL AND mb.left_out IS NULL")
        self.add("denial_is_of_one", "pair-relation", "coalesce(r.is_denial_pair = (ma.is_denial <> mb.is_denial), false)")
        points = (
            "CASE WHEN ma.v IS NOT NULL AND mb.v IS NOT NULL THEN CASE WHEN ma.v < mb.v THEN 'LOWER' WHEN ma.v > mb.v "
            "THEN 'HIGHER' ELSE 'EQUAL' END = r.point_relation END"
        )
        self.add("points_relate_so", "pair-relation", points)
        apart = f"({_before('ia', 'ib')}) OR ({_before('ib', 'ia')})"
        self.add("intervals_relate_so", "pair-relation", f"(r.interval_relation = 'DISJOINT') = ({apart})")
        self.add("tolerance_is_one", "pair-relation", f"r.interval_tolerance = (SELECT max(interval_tolerance) FROM {PAIRS})")

    def _has(self, layer: str, column: str) -> bool:
        return any(f.name == column for f in self.schemas.layers[layer].fields)


_STATED = ("value", "low", "high", "low_closed", "high_closed", "comparator", "hedge_type", "unit", "measure", "change")
_FAR = "1e300"


def _kind_of(change: str) -> str:
    """Whether a number is a level, or a step up or down: only equals are paired."""
    return f"CASE WHEN {change} LIKE '%_BY' THEN {change} ELSE 'LEVEL' END"


def _end(side: str) -> str:
    """The lower or upper end of what an estimate admits, as dateline.derive.intervals says it in words."""
    low = side == "low"
    sign, own, free, off = ("-", "lo", ("LT", "LE"), "ABOVE") if low else ("+", "hi", ("GT", "GE"), "BELOW")
    return (
        f"CASE WHEN m.said = 'RANGE' THEN m.{own} WHEN m.said IN ('{free[0]}', '{free[1]}') THEN {'-' if low else ''}{_FAR} "
        f"WHEN m.said = 'APPROX' AND coalesce(m.hedge, '') <> '{off}' THEN m.v {sign} abs(m.v) * g.t "
        f"WHEN m.said = 'BARE' THEN m.v {sign} m.step / 2 ELSE m.v END"
    )


def _open(side: str) -> str:
    """Whether that end itself is left out."""
    strict, off, closed = ("GT", "ABOVE", "low_closed") if side == "low" else ("LT", "BELOW", "high_closed")
    return (
        f"m.said = '{strict}' OR (m.said = 'APPROX' AND coalesce(m.hedge, '') = '{off}') "
        f"OR (m.said = 'RANGE' AND NOT coalesce(m.{closed}, true))"
    )


def _before(first: str, second: str) -> str:
    """Whether all of one interval lies below the other; what is rounded away is no difference."""
    gap = f"round({second}.low - {first}.high, 6)"
    return f"{gap} > 0 OR ({gap} = 0 AND ({first}.high_open OR {second}.low_open))"


def _is_spans(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_list(kind) else None
    return inner is not None and pa.types.is_struct(inner) and {f.name for f in inner} >= _SPAN
