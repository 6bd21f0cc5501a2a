"""Suites that follow from schemas: what each condition finds, what laws mean in SQL, which files are written."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from building import MENTIONS, REPOSITORY, Json, ProjectFolder, mention, record
from conftest import Run
from dateline.derive.declared import declared
from dateline.errors import SuiteError
from dateline.manifest import read_manifest
from dateline.project import Project, find_project
from dateline.schema import Field, Layer, SchemaRule, load_schemas
from dateline.validate.following import derive_following
from dateline.validate.laws_in_sql import LawsInSql, NotInSql
from dateline.validate.structure import derive
from dateline.validate.suite_files import changes, undecided, write_changes
from dateline.validate.suites import read_suites
from dateline.validate.views import dataset_views
from relations_at_hand import connect, select

FLAGSHIP = load_schemas(REPOSITORY / "schemas")
SETTINGS = find_project(REPOSITORY).settings
DECLARED = declared(SETTINGS.views, SETTINGS.estimates, FLAGSHIP)
FOLLOWING = derive_following((*DECLARED.views, *DECLARED.estimates), FLAGSHIP)
QUERIES = {made.view: made for made in (*derive(FLAGSHIP), *FOLLOWING) if made.sql}


@pytest.fixture(scope="module")
def database(small_flagship: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    """The small corpus with every split's rows in a table of its own, so that tests can change them."""
    manifest = read_manifest(small_flagship.dataset)
    database = connect(dataset_views(manifest, small_flagship.dataset, earlier=manifest))
    for (view,) in database.execute(
        "SELECT view_name FROM duckdb_views() WHERE view_name LIKE '%\\_\\_in\\_\\_%' ESCAPE '\\'"
    ).fetchall():
        database.execute(f"CREATE TABLE kept AS FROM {view}; DROP VIEW {view}; ALTER TABLE kept RENAME TO {view}")
    yield database
    database.close()


def false_columns(database: duckdb.DuckDBPyConnection, view: str) -> set[str]:
    sql = QUERIES[view].sql
    assert sql
    return {column for row in select(database, sql) for column, value in row.items() if value is False}


@pytest.mark.slow(seconds=10)
def test_every_derived_relation_finds_the_flagship_good_and_has_a_row_for_each_row(flagship: Project) -> None:
    manifest = read_manifest(flagship.dataset)
    database = connect(dataset_views(manifest, flagship.dataset, earlier=manifest))
    for view, made in QUERIES.items():
        rows = select(database, made.sql or "")
        assert {c for row in rows for c, value in row.items() if value is False} == set(), view
        assert not rows or list(rows[0]) == [*made.key, *(e["kwargs"]["column"] for e in made.expectations)]
        if made.table:
            assert len(rows) == len(select(database, f"FROM {made.table}"))


FAULTS = tomllib.loads((REPOSITORY / "tests" / "relations" / "derived.toml").read_text(encoding="utf-8"))["faults"]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault["change"][:70] for fault in FAULTS])
def test_a_fault_is_found_by_the_column_that_is_named_after_it(fault: Json, database: duckdb.DuckDBPyConnection) -> None:
    database.execute("BEGIN")
    try:
        database.execute(fault["change"])
        found = {view: false_columns(database, view) for view in fault["found"]}
    finally:
        database.execute("ROLLBACK")
    assert {view: sorted(columns & {*fault["found"][view]}) for view, columns in found.items()} == fault["found"]


def test_a_hydrated_copy_may_carry_text_and_still_lacks_notes(database: duckdb.DuckDBPyConnection) -> None:
    fill = "list_transform(spans, lambda s: {'start': s.start, 'end': s.\"end\", 'surface': 'x'})"
    database.execute("BEGIN")
    try:
        database.execute("UPDATE release_facts SET hydrated = true")
        database.execute(f"UPDATE mentions__in__validation SET spans = {fill}")
        assert "spans_withheld" not in false_columns(database, "mentions_rows")
        assert false_columns(database, "claims_rows") == set()
    finally:
        database.execute("ROLLBACK")


# ---- laws ----------------------------------------------------------------------------------------------------


def _some(field: Field, draw: random.Random) -> Any:
    """A value that laws may look at, or None."""
    if field.type == pa.list_(pa.string()):
        return draw.choice([[], ["e1"], ["e1", "e2"]])
    if pa.types.is_list(field.type):
        span = {"start": 0, "end": 1}
        return draw.choice([[], [[span] if field.span == "nested" else span]])
    if pa.types.is_struct(field.type):
        return draw.choice([None, {"start": 0, "end": 1}])
    if field.labels:
        return draw.choice([*field.labels, None] if field.nullable else field.labels)
    if pa.types.is_boolean(field.type):
        return draw.choice([True, False, *([None] if field.nullable else [])])
    if pa.types.is_string(field.type):
        return draw.choice(["USD", "usd", *([None] if field.nullable else [])])
    return draw.choice([None, None, -1, 0, 1, 1, 2.5]) if field.nullable else 1


def _kept(rule: SchemaRule, item: Json, layer: Layer) -> bool:
    if not rule.validator.is_valid(item):
        return False
    applies = rule.applies is None or rule.applies.is_valid(item)
    return not (rule.equal and applies) or len({layer[name].value_of(item) for name in rule.equal}) == 1


LAWS = [(layer, law) for layer in FLAGSHIP.layers.values() for law in layer.schema.get("x-rules", ())]


@pytest.mark.parametrize(("layer", "law"), LAWS, ids=[f"{layer.name}-{law['id']}" for layer, law in LAWS])
def test_a_law_means_in_sql_what_it_means_in_json_schema(layer: Layer, law: Json) -> None:
    rule = next(r for r in layer.rules if r.id == law["id"])
    sql = LawsInSql(layer, lambda f: f'coalesce(len(r."{f.name}"), 0)').law(law)
    draw, fields = random.Random(law["id"]), [f for f in layer.fields if not f.derive]
    items = [{f.name: _some(f, draw) for f in fields} for _ in range(400)]
    # in a record, null and a field that is not there are two ways of saying one thing
    written = [{k: v for k, v in item.items() if v is not None} for item in items]
    expected = [_kept(rule, item, layer) for item in written]
    rows = [{k: str(v) if pa.types.is_decimal(layer[k].type) and v is not None else v for k, v in item.items()} for item in items]
    kinds = pa.schema([(f.name, pa.string() if pa.types.is_decimal(f.type) else f.type) for f in fields])
    items_table = pa.Table.from_pylist(rows, kinds)  # noqa: F841  named by the query
    numbers = ", ".join(f'CAST("{f.name}" AS DECIMAL(38, 9)) AS "{f.name}"' for f in fields if pa.types.is_decimal(f.type))
    source = f"SELECT * REPLACE ({numbers}) FROM items_table" if numbers else "FROM items_table"
    found = [kept for (kept,) in duckdb.sql(f"SELECT {sql} FROM ({source}) r").fetchall()]
    assert found == expected
    assert set(expected) == {True, False}  # the draws reach both


@pytest.mark.parametrize(
    "then",
    [
        {"properties": {"remark": {"pattern": "a|b"}}},
        {"properties": {"remark": {"format": "edtf"}}},
        {"properties": {"spans": {"contains": {}}}},
        {"oneOf": [{}]},
        {"properties": {"nothing": {"type": "null"}}},
    ],
)
def test_a_law_that_sql_cannot_say_is_said_to_be_left_out(folder: ProjectFolder, then: Json) -> None:
    folder.schema("mentions", MENTIONS | {"x-rules": [{"id": "odd", "says": "is odd", "then": then}]})
    schemas = load_schemas(folder.root / "schemas")
    with pytest.raises(NotInSql):
        LawsInSql(schemas.layers["mentions"], lambda f: "0").law({"then": then})
    assert any(says.startswith("mentions_rows: x-rules odd: ") for says in undecided(schemas))


# ---- files ---------------------------------------------------------------------------------------------------


def test_the_flagships_derived_suites_are_current(dateline: Run) -> None:
    found = dateline("suites", "--check")
    assert (found.returncode, found.stdout) == (0, "")


def test_suites_are_written_and_what_people_wrote_stays(folder: ProjectFolder, dateline: Run) -> None:
    expectations = folder.root / "expectations"
    dry = dateline("suites", "-C", folder.root, "--dry-run", "--json")
    assert dry.returncode == 0 and not expectations.exists()
    names = [change["file"] for change in json.loads(dry.stdout)["changes"]]
    assert {"expectations/mentions.json", "expectations/relations/mentions_rows.sql"} <= set(names)
    assert dateline("suites", "-C", folder.root, "--check").returncode == 1 and not expectations.exists()
    assert dateline("suites", "-C", folder.root).returncode == 0
    assert dateline("suites", "-C", folder.root, "--check").returncode == 0

    path = expectations / "mentions.json"
    suite = json.loads(path.read_bytes())
    own = {
        **suite["expectations"][0],
        "id": "9f0c1e5a-0d1f-4c43-93a3-3b9a8a7d1c11",
        "meta": {"rule": "r", "level": "error", "reason": "y"},
    }
    suite["expectations"] = [own, *suite["expectations"][1:]]
    path.write_text(json.dumps(suite))
    ids = {e["id"] for e in suite["expectations"]}
    assert dateline("suites", "-C", folder.root).returncode == 0
    written = json.loads(path.read_bytes())["expectations"]
    assert written[-1] == own and {e["id"] for e in written} > ids  # the lost one is back, under the id that it always has


def test_suites_of_a_layer_that_is_gone_are_removed(folder: ProjectFolder) -> None:
    expectations = folder.root / "expectations"
    folder.schema(
        "names",
        MENTIONS
        | {"x-prefix": "n", "properties": {**MENTIONS["properties"], "parent_id": {"type": "string", "description": "x"}}},
    )
    write_changes(expectations, changes(expectations, load_schemas(folder.root / "schemas")))
    assert (expectations / "relations" / "names_rows.sql").is_file()
    (folder.root / "schemas" / "names.schema.json").unlink()
    schemas = load_schemas(folder.root / "schemas")
    todo = changes(expectations, schemas)
    gone = {c.name for c in todo if c.kind == "removed"}
    assert gone == {"names.json", "relations/names_rows.sql", "relations/names_rows.json"}
    write_changes(expectations, todo)
    assert changes(expectations, schemas) == [] and not any("names" in s.view for s in read_suites(expectations))


def test_a_relation_of_ones_own_under_a_derived_name_is_refused(folder: ProjectFolder) -> None:
    path = folder.root / "expectations" / "relations" / "mentions_rows.sql"
    path.parent.mkdir(parents=True)
    path.write_text("SELECT 1 AS one")
    with pytest.raises(SuiteError, match=r"mentions_rows\.sql: has the name of a relation that follows from schemas/"):
        changes(folder.root / "expectations", load_schemas(folder.root / "schemas"))
    assert path.read_text() == "SELECT 1 AS one"


def test_derived_suites_hold_for_any_project_also_one_with_odd_names_and_empty_tables(folder: ProjectFolder) -> None:
    odd: Json = {
        "description": "Odd names.",
        "properties": {
            "position": {"type": "string", "description": "A key that item views need themselves.", "x-key": True},
            "group": {"type": "array", "items": {"type": "string", "enum": ["it's", "b"]}, "description": "A word of SQL."},
            "Upper Case": {"type": "string", "x-ref": "mentions", "description": "A name that needs quotes."},
            "item": {"type": ["string", "null"], "enum": ["a", None], "description": "x"},
        },
    }
    folder.schema("odd", odd)
    folder.schema("order", {"description": "x", "properties": {"k": {"type": "string", "description": "x", "x-key": True}}})
    standoff = {"content": None, "sha256": "0" * 64, "n_code_points": 5, "n_bytes": 5}
    items = {"odd": [{"position": "p1", "group": ["it's"], "Upper Case": "m1"}], "order": [{"k": "k1"}]}
    folder.seed(
        record("a1", mentions=[mention("m1", 0, 3), mention("m2", 4, 7)]),
        {**record("a2"), "text": standoff, "rights": {}},
        record("a3", "Ana met Eve in Paris.", mentions=[mention("m1", 0, 3)], **items),
    )
    assert folder.rebuild().problems == []
    schemas = load_schemas(folder.root / "schemas")
    views = dataset_views(read_manifest(folder.root / "dataset"), folder.root / "dataset")
    database = connect(views)
    for made in derive(schemas):
        for row in select(database, made.sql) if made.sql else ():
            assert False not in row.values(), made.view
    left = undecided(schemas)
    assert any("order is a word of SQL" in says for says in left) and any("Upper Case" in says for says in left)
