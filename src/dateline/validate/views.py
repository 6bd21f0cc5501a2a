"""What suites and relations can name: a view for each table, for the items of each list, and for what the manifest says.

All follows from the manifest, so that a release is validated without the schemas that it was made with:

- `<table>`: the rows of a table. Underneath lie `<table>__in__<split>`, the rows in the files of one split.
- `<table>__<column>`: the items of a list column, one per row: the plain columns of the row they stand in, `position` (from 0),
  and `span_start`, `span_end`, `surface` of a span, `item` of anything plain, `item_<field>` for the fields of an object. A
  single span is a list of one; of lists of lists the outer position is `alternative`.
- `counted_rows(table_name, split, n)`, `manifest_rows`: rows as the files have and as the manifest says them.
- `counted_labels(table_name, column_name, label, n)`, `manifest_labels`, `earlier_labels`: the same for labels; the last is of an
  earlier release, and empty without one.
- `placed(table_name, split, article_id)`: in the files of which split an article has rows.
- `release_facts(version, split_mode, hydrated)`: one row.
- `measured_texts(article_id, sha256, n_code_points, n_bytes)`: what the texts that are there measure.
- `long_paragraphs(article_id, split, digest)`: the paragraphs of these texts that are too long to be alike by chance: what
  stands between line ends, without white space at its edges, of at least `shared_paragraph` code points (a setting of
  the release).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from dateline.errors import SuiteError
from dateline.manifest import Manifest, splits_in
from dateline.schema import SPAN_TYPE

ARTICLES, NESTED = "articles", ("records", "standoff")
_CORPUS = "corpus"
"""The split of tables that are about no article."""


@dataclass(frozen=True)
class View:
    """One named set of rows: of Parquet files, of a few rows in memory, or of a query over views named before it.

    Names and columns are lower-case identifiers. `spark` is the query in Spark's SQL where it differs from DuckDB's. With `apart`
    each row belongs to the article in `article_id`, and follows from the rows of that article alone.
    """

    name: str
    parquet: tuple[Path, ...] = ()
    rows: pa.Table | None = None
    query: str = ""
    spark: str = ""
    apart: bool = False


def dataset_views(manifest: Manifest, folder: Path, earlier: Manifest | None = None) -> list[View]:
    """All views of the dataset in `folder`, each after those it reads. Nothing is read here but the manifest.

    `earlier` is the manifest of the release that labels are compared with. Raises SuiteError for features that the
    manifest declares in no known form, and for a table whose name a view has.
    """
    types = {name: arrow_type_of(table.features, name) for name, table in manifest.tables.items()}
    views: list[View] = []
    for name, table in manifest.tables.items():
        parts = {s: tuple(folder / f["path"] for f in table.files if f["split"] == s) for s in _splits(table.files)}
        made = [View(split_view(name, split), parquet=files) for split, files in parts.items()]
        whole = _union(f"SELECT * FROM {split_view(name, split)}" for split in parts)
        made.append(View(name, query=whole) if whole else View(name, rows=types[name].empty_table()))
        for field in types[name]:
            made += _item_views(name, field, [f.name for f in types[name] if not pa.types.is_nested(f.type)])
        apart = "article_id" in types[name].names and _CORPUS not in parts
        views += [replace(view, apart=apart) for view in made]
    views += _facts(manifest, types, earlier)
    names = [view.name for view in views]
    for name in manifest.tables:
        if names.count(name) > 1:
            raise SuiteError(f"the table {name!r} has the name of a view that validation makes; call the layer otherwise")
    return views


def split_view(table: str, split: str) -> str:
    """Name of the view of a table's rows in the files of one split."""
    return f"{table}__in__{split}"


def _splits(files: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(file["split"] for file in files))


# ---- columns, as the manifest declares them ------------------------------------------------------------------


def arrow_type_of(features: Sequence[dict[str, Any]], table: str) -> pa.Schema:
    """Arrow schema of a table's Parquet files from its features; labels are words there.

    Raises SuiteError for a form that `dateline.schema.feature` does not write.
    """
    return pa.schema([(str(entry.get("name")), _type(entry, f"{table}.{entry.get('name')}")) for entry in features])


def labelled(features: Sequence[dict[str, Any]]) -> Iterator[tuple[str, bool, list[str]]]:
    """The columns whose values are labels: name, whether the column is a list, label set."""
    for entry in features:
        for many, form in ((False, entry.get("dtype")), (True, entry.get("list"))):
            if isinstance(form, dict) and "class_label" in form:
                yield entry["name"], many, list(form["class_label"]["names"].values())


def _type(entry: dict[str, Any], where: str) -> pa.DataType:
    if "struct" in entry:
        return pa.struct([(e["name"], _type(e, f"{where}.{e['name']}")) for e in entry["struct"]])
    if "list" in entry:
        inner = entry["list"]
        kind = "struct" if isinstance(inner, list) else "list" if isinstance(inner, dict) and "list" in inner else "dtype"
        return pa.list_(_type(inner if kind == "list" else {kind: inner}, where))
    named = entry.get("dtype")
    if isinstance(named, dict):
        return pa.string()
    name = str(named)
    if name.startswith("decimal128(") and name.endswith(")"):
        return pa.decimal128(*(int(part) for part in name[len("decimal128(") : -1].split(",")))
    known = {"string": pa.string(), "bool": pa.bool_(), "date32": pa.date32(), "float64": pa.float64(), "float32": pa.float32(),
             "int64": pa.int64(), "int32": pa.int32(), "int16": pa.int16(), "int8": pa.int8()}  # fmt: skip
    if name not in known:
        raise SuiteError(f"the manifest declares {where} as {named!r}, which this dateline cannot validate")
    return known[name]


# ---- items of lists ------------------------------------------------------------------------------------------


def _item_views(owner: str, field: pa.Field, plain: list[str]) -> Iterator[View]:
    """The view of a list column's items; none for a plain column, or for lists three deep."""
    name, kind = f"{owner}__{field.name}", field.type
    if kind.equals(SPAN_TYPE):
        kept = [c for c in plain if c not in ("position", *_SPAN)]
        yield _both(name, lambda q: _one(owner, field.name, kept, q))
        return
    if not pa.types.is_list(kind):
        return
    inner, outer = kind.value_type, False
    if pa.types.is_list(inner):
        inner, outer = inner.value_type, True
    if pa.types.is_list(inner):
        return
    made = _columns_of(inner)
    taken = {"position", *(("alternative",) if outer else ()), *(column for column, _ in made)}
    kept = [c for c in plain if c not in taken]
    yield View(name, query=_duckdb(owner, field.name, kept, made, outer), spark=_spark(owner, field.name, kept, made, outer))


_SPAN = ("span_start", "span_end", "surface")


def _columns_of(item: pa.DataType) -> list[tuple[str, str]]:
    """Columns that an item gives, with the field of the item (none: the item itself)."""
    if item.equals(SPAN_TYPE):
        return list(zip(_SPAN, ("start", "end", "surface"), strict=True))
    return [(f"item_{f.name}", f.name) for f in item] if pa.types.is_struct(item) else [("item", "")]


def _in_duckdb(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _in_spark(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


Quote = Callable[[str], str]


def _both(name: str, make: Callable[[Quote], str]) -> View:
    """A view whose query differs between the two only in how names are quoted."""
    return View(name, query=make(_in_duckdb), spark=make(_in_spark))


def _listed(plain: Sequence[str], q: Quote) -> str:
    return "".join(f"{q(c)}, " for c in plain)


def _fields(made: Sequence[tuple[str, str]], q: Quote) -> str:
    return ", ".join(f"x.item{'.' + q(field) if field else ''} AS {q(column)}" for column, field in made)


def _one(owner: str, column: str, plain: Sequence[str], q: Quote) -> str:
    fields = ", ".join(f"r.{q(column)}.{q(f)} AS {q(c)}" for c, f in zip(_SPAN, ("start", "end", "surface"), strict=True))
    return f"SELECT {_listed(plain, q)}CAST(0 AS BIGINT) AS position, {fields} FROM {q(owner)} r WHERE r.{q(column)} IS NOT NULL"


def _duckdb(owner: str, column: str, plain: Sequence[str], made: Sequence[tuple[str, str]], outer: bool) -> str:
    q, listed, source = _in_duckdb, _listed(plain, _in_duckdb), _in_duckdb(owner)
    subscripts = "CAST(generate_subscripts({0}, 1) - 1 AS BIGINT) AS {1}, unnest({0}) AS item"
    also = ""
    if outer:
        source = f"(SELECT {listed}{subscripts.format(q(column), 'alternative')} FROM {source})"
        column, also = "item", "alternative, "
    pieces = f"SELECT {listed}{also}{subscripts.format(q(column), 'position')} FROM {source}"
    return f"SELECT {listed}{also}position, {_fields(made, q)} FROM ({pieces}) x"


def _spark(owner: str, column: str, plain: Sequence[str], made: Sequence[tuple[str, str]], outer: bool) -> str:
    q, listed = _in_spark, _listed(plain, _in_spark)
    source, also = f"{q(owner)} LATERAL VIEW posexplode({q(column)}) x AS place, item", ""
    if outer:
        source = f"{q(owner)} LATERAL VIEW posexplode({q(column)}) y AS outside, inner_list"
        source += " LATERAL VIEW posexplode(y.inner_list) x AS place, item"
        also = "CAST(y.outside AS BIGINT) AS alternative, "
    return f"SELECT {listed}{also}CAST(x.place AS BIGINT) AS position, {_fields(made, q)} FROM {source}"


# ---- facts ---------------------------------------------------------------------------------------------------

_ROWS = pa.schema([("table_name", pa.string()), ("split", pa.string()), ("n", pa.int64())])
_PLACED = pa.schema([("table_name", pa.string()), ("split", pa.string()), ("article_id", pa.string())])
_LABELS = pa.schema([("table_name", pa.string()), ("column_name", pa.string()), ("label", pa.string()), ("n", pa.int64())])


def _facts(manifest: Manifest, types: dict[str, pa.Schema], earlier: Manifest | None) -> Iterator[View]:
    parts = [(name, split) for name, table in manifest.tables.items() for split in _splits(table.files)]
    rows = _union(
        f"SELECT '{name}' AS table_name, '{split}' AS split, CAST(count(*) AS BIGINT) AS n FROM {split_view(name, split)}"
        for name, split in parts
    )
    yield View("counted_rows", query=rows) if rows else View("counted_rows", rows=_ROWS.empty_table())
    places = _union(
        f"SELECT DISTINCT '{name}' AS table_name, '{split}' AS split, article_id FROM {split_view(name, split)}"
        for name, split in parts
        if "article_id" in types[name].names
    )
    keyed = all(_CORPUS not in _splits(t.files) for name, t in manifest.tables.items() if "article_id" in types[name].names)
    yield View("placed", query=places, apart=keyed) if places else View("placed", rows=_PLACED.empty_table())
    said = [{"table_name": t, "split": s, "n": n} for t, facts in manifest.tables.items() for s, n in facts.splits.items()]
    yield View("manifest_rows", rows=pa.Table.from_pylist(said, _ROWS))
    facts = {"version": manifest.version, "split_mode": manifest.splits["mode"], "hydrated": manifest.hydrated_from is not None}
    yield View("release_facts", rows=pa.Table.from_pylist([facts]))
    columns = [
        (name, *column[:2])
        for name, table in manifest.tables.items()
        if name not in NESTED
        for column in labelled(table.features)
    ]
    if columns:
        yield _both("counted_labels", lambda q: _union(_count(*column, q) for column in columns))
    else:
        yield View("counted_labels", rows=_LABELS.empty_table())
    yield View("manifest_labels", rows=_labels(manifest))
    yield View("earlier_labels", rows=_labels(earlier) if earlier else _LABELS.empty_table())
    if ARTICLES in types and "text" in types[ARTICLES].names:
        measured = (
            "SELECT article_id, {} AS sha256, length(text) AS n_code_points, {} AS n_bytes FROM articles WHERE text IS NOT NULL"
        )
        yield View(
            "measured_texts",
            query=measured.format("sha256(text)", "strlen(text)"),
            spark=measured.format("sha2(text, 256)", "octet_length(text)"),
            apart=True,
        )
        ours, theirs = paragraphs_queries(splits_in(manifest.splits).shared_paragraph)
        yield View("long_paragraphs", query=ours, spark=theirs, apart=True)


def paragraphs_queries(shortest: int) -> tuple[str, str]:
    """The long paragraphs of `articles`, of at least so many code points, as DuckDB and as Spark ask for them."""
    query = (
        "SELECT article_id, split, md5(paragraph) AS digest "
        f"FROM (SELECT article_id, split, {{}} AS paragraph FROM {{}}) p WHERE length(paragraph) >= {int(shortest)}"
    )
    return (
        query.format(f"trim(unnest(string_split_regex(text, '[\r\n]+')), '{_WHITE}')", "articles"),
        query.format(f"btrim(piece, '{_WHITE}')", "articles LATERAL VIEW explode(split(text, '[\r\n]+')) x AS piece"),
    )


_WHITE = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029"
    "\u202f\u205f\u3000\ufeff"
)
"""What may stand at the edges of a paragraph."""


def _union(parts: Iterable[str]) -> str:
    return " UNION ALL ".join(parts)


def _count(table: str, column: str, many: bool, q: Quote) -> str:
    source, value = (f"{table}__{column}", "item") if many else (table, column)
    return (
        f"SELECT '{table}' AS table_name, '{column}' AS column_name, r.{q(value)} AS label, CAST(count(*) AS BIGINT) AS n "
        f"FROM {q(source)} r WHERE r.{q(value)} IS NOT NULL GROUP BY r.{q(value)}"
    )


def _labels(manifest: Manifest) -> pa.Table:
    rows = [
        {"table_name": table, "column_name": column, "label": label, "n": n}
        for table, facts in manifest.tables.items()
        for column, counts in facts.labels.items()
        for label, n in counts.items()
    ]
    return pa.Table.from_pylist(rows, _LABELS)
