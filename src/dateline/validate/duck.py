"""SQLAlchemy's PostgreSQL dialect over DuckDB, so that Great Expectations takes its own PostgreSQL path.

DuckDB speaks PostgreSQL's SQL. So DuckDB is announced to SQLAlchemy as one more *driver* of PostgreSQL (URLs
`postgresql+duckdb:///:memory:name`), and Great Expectations runs unchanged: none of its classes is subclassed, none of its
metrics replaced. Two facts of DuckDB carry this: `connect(":memory:name")` opens the same database for every caller in the
process, and a `cursor()` is a connection of its own, so a result outlives the connection that GX closes before it fetches.
"""

from __future__ import annotations

from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy import pool
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect, PGIdentifierPreparer

_TYPES: dict[str, type[sa.types.TypeEngine[Any]]] = {
    "BOOLEAN": pg.BOOLEAN,
    "TINYINT": pg.SMALLINT,
    "SMALLINT": pg.SMALLINT,
    "INTEGER": pg.INTEGER,
    "BIGINT": pg.BIGINT,
    "UTINYINT": pg.SMALLINT,
    "USMALLINT": pg.INTEGER,
    "UINTEGER": pg.BIGINT,
    "UBIGINT": pg.NUMERIC,
    "HUGEINT": pg.NUMERIC,
    "UHUGEINT": pg.NUMERIC,
    "FLOAT": pg.REAL,
    "DOUBLE": pg.DOUBLE_PRECISION,
    "VARCHAR": pg.VARCHAR,
    "BLOB": pg.BYTEA,
    "DATE": pg.DATE,
    "TIME": pg.TIME,
    "UUID": pg.UUID,
    "JSON": pg.JSON,
    "INTERVAL": pg.INTERVAL,
}

_open: dict[str, list[duckdb.DuckDBPyConnection]] = {}


def close(database: str) -> None:
    """Close every connection that SQLAlchemy holds to a database; with the last one DuckDB frees its memory and spill files."""
    for connection in _open.pop(database, ()):
        connection.close()


class Nested(sa.types.UserDefinedType[Any]):
    """A type that PostgreSQL does not have (LIST, STRUCT, MAP): keeps DuckDB's own spelling."""

    cache_ok = True

    def __init__(self, spelling: str) -> None:
        self.spelling = spelling

    def get_col_spec(self, **kw: object) -> str:
        """The type as SQL."""
        return self.spelling

    def __repr__(self) -> str:
        return self.spelling


def sql_type(spelling: str) -> sa.types.TypeEngine[Any]:
    """SQLAlchemy's type for a type as DuckDB spells it."""
    if spelling.startswith("DECIMAL(") and spelling.endswith(")"):
        precision, scale = spelling[8:-1].split(",")
        return pg.NUMERIC(int(precision), int(scale))
    if spelling.startswith("TIMESTAMP") and not spelling.endswith("]"):
        return pg.TIMESTAMP(timezone=spelling.endswith("TIME ZONE"))
    if spelling.startswith("ENUM(") and not spelling.endswith("]"):
        return pg.VARCHAR()
    return _TYPES[spelling]() if spelling in _TYPES else Nested(spelling)


class DuckCompiler(PGCompiler):
    """What DuckDB reads otherwise than PostgreSQL."""

    def visit_custom_op_binary(self, element: Any, operator: Any, **kw: Any) -> str:
        """Read PostgreSQL's `~` as a search; DuckDB takes it as a match of the whole string."""
        if operator.opstring not in ("~", "!~"):
            return str(super().visit_custom_op_binary(element, operator, **kw))  # type: ignore[no-untyped-call]
        left, right = self.process(element.left, **kw), self.process(element.right, **kw)
        return f"{'NOT ' if operator.opstring == '!~' else ''}regexp_matches({left}, {right})"

    def limit_clause(self, select: Any, **kw: Any) -> str:
        """Take samples from the front: without an order, LIMIT gives other rows each time."""
        sampled = select._where_criteria and not select._order_by_clauses
        limit = str(super().limit_clause(select, **kw))  # type: ignore[no-untyped-call]
        return f"\n ORDER BY ALL{limit}" if sampled else limit

    def visit_withingroup(self, withingroup: Any, **kw: Any) -> str:
        """Ask once for all quantiles of a column: DuckDB holds every value for each `percentile_disc`, and cannot spill them."""
        selected = self.statement.selected_columns if isinstance(self.statement, sa.Select) else ()
        asked = [share for share in map(_share, selected) if share is not None]
        mine = _share(withingroup)
        column = "" if mine is None else self.process(mine[0], **kw)
        shares = sorted({share for other, share in asked if self.process(other, **kw) == column})
        if mine is None or mine[1] not in shares:
            return str(super().visit_withingroup(withingroup, **kw))  # type: ignore[no-untyped-call]
        return f"quantile_disc({column}, [{', '.join(map(repr, shares))}])[{shares.index(mine[1]) + 1}]"

    def visit_join(self, join: Any, *args: Any, **kw: Any) -> str:
        """Let NULL meet NULL where a table is joined with itself.

        GX finds rows whose compound key stands twice by joining each row with the count of its key. With `=` rows with a NULL in
        the key fall out, and pass; pandas and Spark count them. All joins that GX writes are of this kind.
        """
        return str(super().visit_join(join, *args, _meets_null=True, **kw))  # type: ignore[no-untyped-call]

    def visit_binary(self, binary: Any, *args: Any, _meets_null: bool = False, **kw: Any) -> str:
        """Write `=` between two columns of a join so that NULL equals NULL."""
        if _meets_null and binary.operator is sa.sql.operators.eq:
            return f"{self.process(binary.left, **kw)} IS NOT DISTINCT FROM {self.process(binary.right, **kw)}"
        return str(super().visit_binary(binary, *args, **kw))  # type: ignore[no-untyped-call]


def _share(element: Any) -> tuple[Any, float] | None:
    """The column and the share that an ascending `percentile_disc` asks for; None for anything else."""
    element = element.element if isinstance(element, sa.sql.elements.Label) else element
    if not isinstance(element, sa.sql.elements.WithinGroup) or element.element.name != "percentile_disc":
        return None
    shares = list(element.element.clauses)
    ordered = [] if element.order_by is None else list(element.order_by)
    if len(shares) != 1 or len(ordered) != 1 or not isinstance(getattr(shares[0], "value", None), int | float):
        return None
    column = ordered[0]
    if isinstance(column, sa.sql.elements.UnaryExpression):
        if column.modifier is not sa.sql.operators.asc_op:
            return None
        column = column.element
    return column, float(shares[0].value)


class DuckPreparer(PGIdentifierPreparer):
    """Quotes every name: DuckDB reserves other words than PostgreSQL."""

    def _requires_quotes(self, value: str) -> bool:
        return True


class DuckDialect(PGDialect):
    """PostgreSQL with DuckDB as its driver."""

    driver = "duckdb"
    supports_statement_cache = False  # shares of quantiles are written into the SQL
    supports_sane_rowcount = False
    supports_server_side_cursors = False
    supports_native_decimal = True
    statement_compiler = DuckCompiler
    preparer = DuckPreparer

    @classmethod
    def import_dbapi(cls) -> Any:
        """DuckDB's module is its PEP 249 driver."""
        return duckdb

    @classmethod
    def get_pool_class(cls, url: sa.URL) -> type[pool.Pool]:
        """One connection that stays open: closing it would close its cursors."""
        return pool.StaticPool

    def create_connect_args(self, url: sa.URL) -> Any:
        """The database's name."""
        return [url.database or ":memory:"], {}

    def connect(self, *cargs: Any, **cparams: Any) -> Any:
        """Open the database once more."""
        connection = duckdb.connect(cargs[0])
        _open.setdefault(cargs[0], []).append(connection)
        return connection

    def initialize(self, connection: sa.Connection) -> None:
        """Say what a server would be asked for."""
        self.server_version_info = (16, 0)
        self.default_schema_name = "main"
        self._backslash_escapes = False

    def on_connect(self) -> None:
        """Nothing to set up on a new connection."""

    # validation only reads, and every cursor is a connection of its own that commits by itself
    def do_begin(self, dbapi_connection: Any) -> None:
        """No transaction is begun."""

    def do_commit(self, dbapi_connection: Any) -> None:
        """Nothing is there to commit."""

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Nothing is there to take back."""

    # reflection: DuckDB's own catalogue instead of pg_catalog
    def get_table_names(self, connection: sa.Connection, schema: str | None = None, **kw: Any) -> Any:
        """Names of tables."""
        return _names(connection, "table")

    def get_view_names(self, connection: sa.Connection, schema: str | None = None, **kw: Any) -> Any:
        """Names of views."""
        return _names(connection, "view")

    def get_schema_names(self, connection: sa.Connection, **kw: Any) -> Any:
        """The one schema there is."""
        return ["main"]

    def get_columns(self, connection: sa.Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        """Columns with their types; raises NoSuchTableError where there is no such table."""
        rows = connection.exec_driver_sql(
            "SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE table_name = ? AND schema_name = ? "
            "ORDER BY column_index",
            (str(table_name), schema or "main"),
        ).fetchall()
        if not rows:
            raise sa.exc.NoSuchTableError(table_name)
        return [{"name": n, "type": sql_type(t), "nullable": bool(null), "default": None} for n, t, null in rows]

    def has_table(self, connection: sa.Connection, table_name: str, schema: str | None = None, **kw: Any) -> bool:
        """Whether there is a table or view of this name."""
        return table_name in _names(connection, "table") + _names(connection, "view")

    def get_pk_constraint(self, connection: sa.Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        """Views have no keys."""
        return {"constrained_columns": [], "name": None}

    def get_foreign_keys(self, connection: Any, table_name: Any, schema: Any = None, *args: Any, **kw: Any) -> Any:
        """Views have no keys."""
        return []

    get_indexes = get_foreign_keys
    get_unique_constraints = get_foreign_keys
    get_check_constraints = get_foreign_keys


def _names(connection: sa.Connection, kind: str) -> list[str]:
    return [r[0] for r in connection.exec_driver_sql(f"SELECT {kind}_name FROM duckdb_{kind}s() WHERE NOT internal")]


sa.dialects.registry.register("postgresql.duckdb", __name__, "DuckDialect")
