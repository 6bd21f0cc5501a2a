"""What `ByBlock` and `ByRecord` make of the same lines, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set

from dateline.compile.assemble import Assembled
from dateline.compile.read import RawRecord, Refused, glance, parse, taken
from dateline.compile.tables import ARTICLES
from dateline.compile.ways import ByBlock, ByRecord, Some
from dateline.errors import Place, Problem
from dateline.row_facts import Row, digest_entry
from dateline.schema import Schemas

Keys = Mapping[str, Set[str]]


class BothWays:
    """Two ways with the same schemas. `records` counts what was compared, `right` those without fault."""

    def __init__(self, schemas: Schemas, keys: Keys, *, public: bool = True) -> None:
        self.fast: ByBlock = ByBlock(schemas, keys, public=public)
        self.exact: ByRecord = ByRecord(schemas, keys, public=public)
        self.records = self.right = 0

    def differences(self, lines: Sequence[bytes], split: str = "train") -> Iterator[str]:
        """One line for each difference; records that are no records are left out by both."""
        raws = [RawRecord(Place("a.jsonl", number), 0, line) for number, line in enumerate(lines, 1)]
        some, clean = Some(), Some()
        for raw in raws:
            try:
                record = glance(raw)[0]
            except Refused as refused:
                yield from _unlike("refused", [refused.problem], _refusal(raw))
                continue
            assert taken(raw) == record
            _add(some, raw, record, split)
        if not some.records:
            return
        wanted = self.exact.problems(some)
        yield from _unlike("problems", self.fast.problems(some), wanted)
        faulty = {problem.place.line for problem in wanted if problem.fails}
        self.records += len(some.records)
        self.right += len(some.records) - len(faulty)
        for raw, record in zip(some.raws, some.records, strict=True):
            if raw.place.line not in faulty:
                _add(clean, raw, record, split)
        if clean.records:
            assert not [p for p in self.fast.problems(clean) if p.fails]
            exact = self.exact.made(clean)
            yield from unlike(self.fast.made(clean), exact)
            yield from unlike_its_rows(exact)


def unlike_its_rows(made: Assembled) -> Iterator[str]:
    """Where digests are not those of the rows that tables give back; of articles that are told apart by their ids."""
    ids = made.tables[ARTICLES]["article_id"].to_pylist()
    if len({*ids}) != len(ids):
        return
    for config, table in made.tables.items():
        rows: dict[str, list[Row]] = {}
        for row in table.to_pylist():
            rows.setdefault(row["article_id"], []).append(row)
        if not {digest_entry(article_id, some) for article_id, some in rows.items()} <= {*made.digests[config]}:
            yield f"{config}: digests of other rows than it has"


def _add(some: Some, raw: RawRecord, record: dict[str, object], split: str) -> None:
    some.records.append(record)
    some.raws.append(raw)
    some.entries.append({"split": split, "group": "g", "added_in": None, "changed_in": "0.1.0"})


def _refusal(raw: RawRecord) -> list[Problem]:
    try:
        parse(raw)
    except Refused as refused:
        return [refused.problem]
    return []


def _unlike(what: str, fast: list[Problem], exact: list[Problem]) -> Iterator[str]:
    if fast != exact:
        yield f"{what}: {sorted({str(p) for p in fast} ^ {str(p) for p in exact})[:3] or 'another order'}"


def unlike(fast: Assembled, exact: Assembled) -> Iterator[str]:
    """Where what two ways made differs."""
    for config in fast.tables.keys() | exact.tables.keys():
        if config not in fast.tables or config not in exact.tables:
            yield f"{config}: made by one way alone"
            continue
        fast.tables[config].validate(full=True)
        if not fast.tables[config].schema.equals(exact.tables[config].schema, check_metadata=True):
            yield f"{config}: another schema"
        elif not fast.tables[config].equals(exact.tables[config]):
            columns = [n for n in exact.tables[config].column_names if fast.tables[config][n] != exact.tables[config][n]]
            yield f"{config}: other values in {columns}"
    for part in ("digests", "lengths", "labels"):
        if getattr(fast, part) != getattr(exact, part):
            yield f"other {part}"
