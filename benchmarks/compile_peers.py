"""What others make of the seeds of a synthetic project (`corpus_generator.py`): the twelve flat tables, as Parquet.

    python benchmarks/compile_peers.py duckdb project out

Every peer is told the columns and their types beforehand, has one thread, and prints how many rows each table has. One that
compares the words of spans ends with an error where they are not those of the text. All write zstd but `datasets`, whose
`to_parquet` does not let one choose. compile.py runs them in turn.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from corpus_generator import LAYERS

WITH_WORDS = {"mentions": ("spans",), "quantities": ("spans", "number_span", "hedge_spans")}
"""The tables whose spans carry their words in the seeds, and those columns."""
MEMORY = "2GB"
_BATCH = 500

Rows = dict[str, int]
"""Rows by table."""


# ---- the columns ---------------------------------------------------------------------------------------------

_S, _B, _N = pa.string(), pa.bool_(), pa.int32()
_IDS = pa.list_(_S)
_SPAN = pa.struct([("start", _N), ("end", _N)])
_WORDS = pa.struct([("start", _N), ("end", _N), ("surface", _S)])
_SPANS = pa.list_(_SPAN)

_COLUMNS: dict[str, dict[str, pa.DataType]] = {
    "annotation_sets": dict.fromkeys(("annotation_set_id", "layer", "annotator_id", "annotator_type", "status"), _S),
    "coverage": {"layer": _S, "status": _S},
    "segments": {"segment_id": _S, "kind": _S, "parent_id": _S, "spans": _SPANS},
    "entities": dict.fromkeys(("entity_id", "type", "entity_class", "canonical_name", "kb_status"), _S),
    "mentions": {"mention_id": _S, "entity_id": _S, "spans": pa.list_(_WORDS), "mention_type": _S, "gpe_role": _S},
    "times": {
        "time_id": _S, "spans": _SPANS, "timex_type": _S, "value": _S, "temporal_function": _B, "anchor_time_id": _S,
        "function_in_document": _S, "edtf": _S, "earliest": _S, "latest": _S,
    },
    "quantities": {
        "quantity_id": _S, "spans": pa.list_(_WORDS), "number_span": _WORDS, "hedge_spans": pa.list_(_WORDS), "hedge_type": _S,
        "value": pa.float64(), "low": pa.float64(), "high": pa.float64(), "low_closed": _B, "high_closed": _B, "comparator": _S,
        "quantity_kind": _S, "unit": _S, "unit_system": _S, "change": _S, "measure": _S, "of_what": _S, "time_id": _S,
        "as_of_basis": _S, "aggregation": _S,
    },
    "attributions": {
        "attribution_id": _S, "source_spans": _SPANS, "cue_spans": _SPANS, "content_spans": _SPANS, "source_entity_ids": _IDS,
        "source_type": _S, "quote_type": _S, "attitude": _S, "medium": _S, "scopal_polarity": _S, "determinacy": _S, "level": _N,
        "time_id": _S, "as_of_basis": _S,
    },
    "events": {
        "event_id": _S, "event_cluster_id": _S, "trigger_spans": _SPANS, "event_scheme": _S, "event_type": _S, "timeml_class": _S,
        "actor_entity_ids": _IDS, "recipient_entity_ids": _IDS, "place_entity_id": _S, "time_id": _S, "as_of_basis": _S,
    },
    "factuality": {
        "factuality_id": _S, "event_id": _S, "source_is_author": _B, "source_entity_ids": _IDS, "attribution_id": _S,
        "certainty": _S, "polarity": _S,
    },
    "claims": {
        "claim_id": _S, "claim_type": _S, "is_authorial": _B, "attribution_id": _S, "attribution_chain": _IDS,
        "source_entity_ids": _IDS, "proposition": _S, "modality": _S, "certainty": _S, "polarity": _S, "quantity_ids": _IDS,
        "event_ids": _IDS, "estimand_id": _S, "utterance_time_id": _S, "as_of_basis": _S,
    },
}  # fmt: skip
_RIGHTS = {"text_redistributable": _B, "text_license": _S, "annotation_license": _S}
_TEXT = {"content": _S, "sha256": _S, "n_code_points": _N, "n_bytes": _N}
_PLAIN = {
    "article_id": _S, "schema_version": _S, "revision": _N, "publisher": _S, "published": _S, "headline": _S, "language": _S,
    "group": _S, "genre": _S, "fictional": _B, "origin": _S,
}  # fmt: skip

TABLES = {"articles": {**_PLAIN, **_RIGHTS, **_TEXT}} | {
    name: {"article_id": _S, **columns} for name, columns in _COLUMNS.items()
}
"""The flat tables that every peer makes."""
NESTED = "records"
"""The table of Dateline that holds whole records."""
RECORD = pa.schema(
    {**_PLAIN, "rights": pa.struct(list(_RIGHTS.items())), "text": pa.struct(list(_TEXT.items()))}
    | {name: pa.list_(pa.struct(list(columns.items()))) for name, columns in _COLUMNS.items()}
)
"""A record as it stands in the seeds."""
assert _COLUMNS.keys() == {*LAYERS, "annotation_sets", "coverage"}


def _seeds(project: Path) -> list[Path]:
    return sorted((project / "seeds").glob("*.jsonl"))


# ---- the floors ----------------------------------------------------------------------------------------------


def prepare(project: Path, to: Path) -> None:
    """The tables of a built project as uncompressed Arrow files in `to`, which cost nothing to read: for the two below."""
    to.mkdir()
    for path in _files(project / "dataset", (*TABLES, NESTED)):
        target = str(to / f"{path.parent.name}-{path.stem}.arrow")
        with pq.ParquetFile(path) as file, pa.OSFile(target, "wb") as sink, pa.ipc.new_file(sink, file.schema_arrow) as writer:
            for number in range(file.num_row_groups):
                writer.write_table(file.read_row_group(number).combine_chunks())


def floor(project: Path, out: Path) -> Rows:
    """Hash every byte, parse every line, and write the flat tables that `prepare` laid beside the project."""
    for path in _seeds(project):
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")
            file.seek(0)
            for line in file:
                orjson.loads(line)
    return _written(project, out, TABLES)


def libraries(project: Path, out: Path) -> Rows:
    """What Dateline's promises ask of libraries, and nothing of Dateline's own but how a text is signed.

    The index: hash and parse all, digest each record in its canonical form, sign its text. The shards: parse again, validate
    against the JSON Schema, digest the items of each layer and the record, write the flat tables and the nested one.
    """
    from dateline.compile.signature import sign, signing_of
    from dateline.project import find_project
    from dateline.schema import load_schemas

    found = find_project(project)
    schemas, signing = load_schemas(found.schemas), signing_of(found.settings.splits)
    for path in _seeds(project):
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")
            file.seek(0)
            for line in file:
                record = orjson.loads(line)
                _digest(record)
                sign(record["text"]["content"], signing)
    for path in _seeds(project):
        for line in path.open("rb"):
            record = orjson.loads(line)
            if not schemas.record_validator.is_valid(record):
                raise SystemExit(f"{record['article_id']}: not what the schema says")
            for layer in schemas.layers:
                _digest(record.get(layer))
            _digest(record)
    return _written(project, out, (*TABLES, NESTED))


def _digest(value: Any) -> bytes:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).digest()


def _written(project: Path, out: Path, tables: Collection[str]) -> Rows:
    """Write tables that `prepare` laid beside the project, as Dateline writes them; the rows of the flat ones."""
    from dateline.parquet import OPTIONS

    rows = dict.fromkeys(TABLES, 0)
    for path in sorted((project.parent / "arrow").iterdir()):
        name = path.name.split("-")[0]
        if name not in tables:
            continue
        batches = pa.ipc.open_file(pa.memory_map(str(path)))
        with pq.ParquetWriter(out / f"{path.stem}.parquet", batches.schema, **OPTIONS) as writer:
            for number in range(batches.num_record_batches):
                batch = batches.get_batch(number)
                writer.write_table(pa.Table.from_batches([batch]), row_group_size=max(1, batch.num_rows))
                if name in rows:
                    rows[name] += batch.num_rows
    return rows


def rows_in(dataset: Path) -> Rows:
    """How many rows the flat tables of a dataset have."""
    rows = dict.fromkeys(TABLES, 0)
    for path in _files(dataset, TABLES):
        rows[path.parent.name] += pq.read_metadata(path).num_rows
    return rows


def _files(dataset: Path, tables: Iterable[str]) -> Iterator[Path]:
    for table in tables:
        yield from sorted((dataset / table).glob("*.parquet"))


# ---- DuckDB --------------------------------------------------------------------------------------------------


def duckdb(project: Path, out: Path) -> Rows:
    """DuckDB: read_json into a table, unnest each layer, COPY."""
    return _duckdb(project, out, checked=False)


def duckdb_spans(project: Path, out: Path) -> Rows:
    """The same, and the words of spans are compared to the text while they are copied."""
    return _duckdb(project, out, checked=True)


def _duckdb(project: Path, out: Path, *, checked: bool) -> Rows:
    import duckdb as duck

    database = duck.connect()  # a table in memory costs less than one on disk, and spills
    database.execute(f"SET threads = 1; SET memory_limit = '{MEMORY}'; SET temp_directory = '{out / 'spill'}'")
    types = duck.from_arrow(RECORD.empty_table()).types
    columns = {name: str(kind) for name, kind in zip(RECORD.names, types, strict=True)}
    database.execute(
        f"CREATE TABLE records AS FROM read_json({[str(path) for path in _seeds(project)]}, "
        f"format = 'newline_delimited', columns = {columns})"
    )
    rows = {}
    for table in TABLES:
        if table == "articles":
            query = f"SELECT * EXCLUDE (rights, text, {', '.join(_COLUMNS)}), unnest(rights), unnest(text) FROM records"
        else:
            words = f", text.content AS words FROM records) WHERE {_sound(table)}" if table in WITH_WORDS and checked else ""
            query = f"SELECT article_id, unnest(item) FROM (SELECT article_id, unnest({table}) AS item{words or ' FROM records)'}"
        copy = f"COPY ({query}) TO '{out / table}.parquet' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)"
        (rows[table],) = database.execute(copy).fetchone() or (0,)
    return rows


def _sound(table: str) -> str:
    """A condition on an item of a table: its spans have their words, or the query ends with an error."""
    bad = """substring(words, s."start" + 1, s."end" - s."start") IS DISTINCT FROM s.surface"""
    spans = [f"item.{column}" if column != "number_span" else "[item.number_span]" for column in WITH_WORDS[table]]
    wrong = " OR ".join(f"len(list_filter({column}, lambda s: s IS NOT NULL AND {bad})) > 0" for column in spans)
    return f"CASE WHEN {wrong} THEN error('{table} of ' || article_id) ELSE true END"


# ---- polars --------------------------------------------------------------------------------------------------


def polars(project: Path, out: Path) -> Rows:
    """Polars: a file at a time, each layer exploded; the words of spans compared to the text."""
    import polars as pl

    schema = pl.DataFrame(RECORD.empty_table()).schema
    rows = dict.fromkeys(TABLES, 0)
    for path in _seeds(project):
        records = pl.scan_ndjson(path, schema=schema).collect()
        for table in TABLES:
            if table == "articles":
                made = records.drop(*_COLUMNS).unnest("rights").unnest("text")
            else:
                some = records.select("article_id", table).filter(pl.col(table).list.len() > 0)
                made = some.explode(table).unnest(table)
            if table in WITH_WORDS:
                texts = records.select("article_id", words=pl.col("text").struct.field("content"))
                _check_spans(pl, table, made.join(texts, on="article_id"))
            made.write_parquet(out / f"{table}-{path.stem}.parquet", compression="zstd", compression_level=3)
            rows[table] += made.height
    return rows


def _check_spans(pl: Any, table: str, items: Any) -> None:
    for column in WITH_WORDS[table]:
        spans = items.select("words", s=column)
        if column != "number_span":
            spans = spans.filter(pl.col("s").list.len() > 0).explode("s")
        start, end, surface = (pl.col("s").struct.field(name) for name in ("start", "end", "surface"))
        wrong = spans.filter(pl.col("words").str.slice(start, end - start).ne_missing(surface) & start.is_not_null())
        if wrong.height:
            raise SystemExit(f"{table}.{column}: {wrong.height} spans have other words than the text")


# ---- datasets ------------------------------------------------------------------------------------------------


def datasets_map(project: Path, out: Path) -> Rows:
    """`load_dataset("json")`, a `map` for each table, `to_parquet`; the words of spans compared to the text in Python."""
    import datasets

    datasets.disable_progress_bars()
    records = datasets.load_dataset(
        "json", data_files=[str(path) for path in _seeds(project)], split="train", cache_dir=str(out / "cache"),
        features=datasets.Features.from_arrow_schema(RECORD),
    )  # fmt: skip
    rows = {}
    for table, columns in TABLES.items():
        wanted = [*_PLAIN, "rights", "text"] if table == "articles" else ["article_id", table]
        some = records.select_columns(list(dict.fromkeys([*wanted, *(["text"] if table in WITH_WORDS else [])])))
        made = some.map(
            _mapped, batched=True, batch_size=_BATCH, remove_columns=some.column_names, fn_kwargs={"table": table},
            features=datasets.Features.from_arrow_schema(pa.schema(columns)),
        )  # fmt: skip
        made.to_parquet(str(out / f"{table}.parquet"))
        rows[table] = len(made)
    return rows


def _mapped(batch: dict[str, list[Any]], table: str) -> dict[str, list[Any]]:
    return _columns_of([dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)], table)


def _columns_of(records: Sequence[dict[str, Any]], table: str) -> dict[str, list[Any]]:
    """The rows of some records in one table, column by column."""
    found = [row for record in records for row in _rows_of(record, table)]
    return {column: [row.get(column) for row in found] for column in TABLES[table]}


def datasets_once(project: Path, out: Path) -> Rows:
    """`datasets` with each line parsed once: rows go in batches to twelve of the writers that `from_generator` writes with."""
    import datasets
    from datasets.arrow_writer import ArrowWriter

    datasets.disable_progress_bars()
    writers = {
        table: ArrowWriter(features=datasets.Features.from_arrow_schema(pa.schema(columns)), path=str(out / f"{table}.arrow"))
        for table, columns in TABLES.items()
    }
    for path in _seeds(project):
        with path.open("rb") as file:
            while records := [orjson.loads(line) for line in islice(file, _BATCH)]:
                for table, writer in writers.items():
                    writer.write_batch(_columns_of(records, table))
    rows = {}
    for table, writer in writers.items():
        writer.finalize()
        made = datasets.Dataset.from_file(str(out / f"{table}.arrow"))
        made.to_parquet(str(out / f"{table}.parquet"))
        rows[table] = len(made)
    return rows


def _rows_of(record: dict[str, Any], table: str) -> list[dict[str, Any]]:
    """The rows of one record in one table; raises ValueError for a span whose words are not those of the text."""
    if table == "articles":
        return [{**record, **record["rights"], **record["text"]}]
    for column in WITH_WORDS.get(table, ()):
        text = record["text"]["content"]
        for item in record[table]:
            spans = item[column]
            for span in [spans] if isinstance(spans, dict) else spans or ():
                if text[span["start"] : span["end"]] != span["surface"]:
                    raise ValueError(f"{record['article_id']}: {table}.{column}: {span} has other words than the text")
    return [{"article_id": record["article_id"], **item} for item in record[table]]


# ---- Dateline ------------------------------------------------------------------------------------------------


def shards(project: Path, out: Path) -> Rows:
    """Dateline's index, plan and `compile_shard` alone: nothing derived, described, validated, scanned or promoted."""
    from dateline.compile.index import IndexTask, gather, index_file
    from dateline.compile.plan import plan
    from dateline.compile.seeds import read_tables, seed_files
    from dateline.compile.shard import ShardTask, compile_shard
    from dateline.compile.signature import signing_of
    from dateline.project import find_project
    from dateline.schema import load_schemas

    found = find_project(project)
    schemas, splits = load_schemas(found.schemas), found.settings.splits
    sources = tuple(schemas.sources.items())
    signing = signing_of(splits)
    tasks = [IndexTask(path, found.name_of(path), out / "spill", sources, signing) for path in seed_files(found)]
    index, signatures = gather(map(index_file, tasks), out, signing)
    planned = plan(index.table, {}, splits, signatures=signatures, spill=out, forget=index.forget)
    keys, rows = read_tables(found, schemas).keys, dict.fromkeys(TABLES, 0)
    for number, shard in enumerate(planned.shards):
        facts = compile_shard(ShardTask(shard, sources, keys, out / str(number), public=True))
        if facts.problems:
            raise SystemExit(str(facts.problems[0]))
        for file in facts.files:
            if file.config in rows:
                rows[file.config] += file.rows
    return rows


# ---- by name -------------------------------------------------------------------------------------------------

WAYS: dict[str, Callable[[Path, Path], Rows]] = {
    "shards": shards,
    "floor": floor,
    "libraries": libraries,
    "duckdb": duckdb,
    "duckdb-spans": duckdb_spans,
    "polars": polars,
    "datasets-map": datasets_map,
    "datasets-once": datasets_once,
}


def main(words: Sequence[str] | None = None) -> None:
    """Run one of them, and print its rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", choices=[*WAYS, "prepare", "rows"], help="A peer; or to lay the tables of Dateline out, or count.")
    parser.add_argument("project", type=Path)
    parser.add_argument("out", type=Path, help="A folder; new files are written into it.")
    said = parser.parse_args(words)
    if said.way == "prepare":
        prepare(said.project, said.out)
    else:
        print(json.dumps(rows_in(said.project / "dataset") if said.way == "rows" else WAYS[said.way](said.project, said.out)))


if __name__ == "__main__":
    main()
