"""Two ways from records to tables: `ByRecord`, readable, which is the definition; `ByBlock`, fast, which comes to the same.

Both are given records of one split as they were read, some hundred at a time. Whatever `ByBlock` leaves in doubt goes to
`ByRecord`, so it tells the same problems in the same words; tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Protocol

from dateline.compile.accept import Acceptor
from dateline.compile.assemble import ENGINE_VALUES, Assembled, assemble
from dateline.compile.check import check_record
from dateline.compile.columns import Block
from dateline.compile.read import RawRecord, Refused, parse
from dateline.compile.tables import ARTICLES, arrow_schema, rows_of
from dateline.errors import Problem
from dateline.parquet import arrow_table
from dateline.row_facts import Row, canonical, count_labels, digest_entry
from dateline.schema import Schemas


@dataclass
class Some:
    """Records of one split as they were read, with their rows of the index."""

    entries: list[Mapping[str, Any]] = field(default_factory=list)
    raws: list[RawRecord] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)


class Way(Protocol):
    """How records become tables.

    `table_keys` are those of corpus-level tables; `public` says that no text of a private project may be among the records.
    """

    def __init__(self, schemas: Schemas, table_keys: Mapping[str, Set[str]], *, public: bool) -> None: ...

    def problems(self, some: Some) -> list[Problem]:
        """What is wrong with some records, in their order."""
        ...

    def made(self, some: Some) -> Assembled:
        """The tables of some records, which `problems` was asked for last and which fail no rule."""
        ...


class ByRecord:
    """Record by record, row by row."""

    def __init__(self, schemas: Schemas, table_keys: Mapping[str, Set[str]], *, public: bool) -> None:
        self._schemas, self._table_keys, self._public = schemas, table_keys, public

    def problems(self, some: Some) -> list[Problem]:
        """What is wrong with some records, in their order."""
        return [problem for raw in some.raws for problem in self.of_record(raw)]

    def of_record(self, raw: RawRecord) -> list[Problem]:
        """All that is wrong with one record."""
        try:
            return check_record(parse(raw), raw, self._schemas, self._table_keys, public=self._public)
        except Refused as refused:
            return [refused.problem]

    def made(self, some: Some) -> Assembled:
        """The tables of some records."""
        made = Assembled()
        rows: dict[str, list[Row]] = {}
        for record, entry in zip(some.records, some.entries, strict=True):
            values = {name: entry[name] for name in ENGINE_VALUES}
            for config, found in rows_of(record, self._schemas, values).items():
                rows.setdefault(config, []).extend(found)
                made.digests.setdefault(config, []).append(digest_entry(record["article_id"], found))
                made.lengths.setdefault(config, []).append(len(canonical(found)))
        for config, found in rows.items():
            if found:
                made.tables[config] = arrow_table(found, arrow_schema(config, self._schemas))
                layer = self._schemas.article if config == ARTICLES else self._schemas.layers.get(config)
                if layer:
                    count_labels(layer.fields, found, made.labels.setdefault(config, {}))
        return made


class ByBlock:
    """A column at a time; one by one only where columns leave a doubt."""

    def __init__(self, schemas: Schemas, table_keys: Mapping[str, Set[str]], *, public: bool) -> None:
        self._schemas = schemas
        self._exact = ByRecord(schemas, table_keys, public=public)
        self._accept = Acceptor(schemas, table_keys, public=public)
        self._block: Block | None = None

    def problems(self, some: Some) -> list[Problem]:
        """What is wrong with some records, in their order."""
        return [p for n in sorted(self.doubted(some)) for p in self._exact.of_record(some.raws[n])]

    def doubted(self, some: Some) -> set[int]:
        """The numbers of the records that must be looked at alone."""
        self._block = Block(some.records, some.raws, self._schemas)
        return self._accept.doubtful(self._block)

    def made(self, some: Some) -> Assembled:
        """The tables of some records, whose columns are there since `problems` was asked."""
        block, self._block = self._block, None
        assert block is not None and block.records is some.records
        return assemble(block, some.entries)
