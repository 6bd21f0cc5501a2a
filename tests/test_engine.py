"""The engines' contract: what they promise beside right answers, on tables of a few rows."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dateline.cli import main
from dateline.errors import SuiteError
from dateline.validate.engine import open_engine
from dateline.validate.running import Engine, Options
from dateline.validate.suites import Suite, suite_from
from dateline.validate.views import View

Json = dict[str, Any]
ROWS = pa.table({"id": [1, 2, 3, 4], "n": [1, None, -3, 2**53 + 1], "s": ["a", None, "b", "a"], "k": [7, None, 8, 7]})
BETWEEN, NOT_NULL, UNIQUE = (
    f"expect_column_values_to_{what}" for what in ("be_between", "not_be_null", "be_unique")
)  # fmt: skip
COMPOUND = "expect_compound_columns_to_be_unique"
GREATER = "expect_column_pair_values_a_to_be_greater_than_b"


def expectation(kind: str, number: int = 0, **kwargs: Any) -> Json:
    meta = {"rule": f"r{number}", "level": "error", "reason": "Because."}
    return {"type": kind, "kwargs": kwargs, "id": str(uuid.UUID(int=number + 1)), "meta": meta}


def suite(*written: Json, view: str = "rows", key: Sequence[str] = ("id",), relation: str | None = None) -> Suite:
    raw = json.dumps({"name": view, "meta": {"key": list(key)}, "expectations": written}).encode()
    return suite_from(raw, f"{view}.json", relation=relation)


def refused(engine: Engine, asked: Suite) -> str:
    with pytest.raises(SuiteError) as told:
        engine.validate(asked)
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.fixture(scope="module")
def duckdb() -> Iterator[Engine]:
    with open_engine("duckdb", [View("rows", rows=ROWS)]) as engine:
        yield engine


@pytest.fixture(scope="module")
def pandas() -> Iterator[Engine]:
    with open_engine("pandas", [View("rows", rows=ROWS)]) as engine:
        yield engine


@pytest.fixture(params=["duckdb", "pandas"])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    return found


# ---- results -------------------------------------------------------------------------------------------------


def test_a_result_is_great_expectations_own_in_the_order_written(engine: Engine) -> None:
    from great_expectations.core import ExpectationSuiteValidationResult

    # by itself Great Expectations gives those of one column together
    asked = [
        expectation(NOT_NULL, 3, column="s"),
        expectation(BETWEEN, 1, column="n", min_value=0),
        expectation(UNIQUE, 2, column="s"),
        expectation(NOT_NULL, 0, column="id"),
    ]
    result = engine.validate(suite(*asked))
    assert isinstance(result, ExpectationSuiteValidationResult)
    assert [r.expectation_config.id for r in result.results] == [e["id"] for e in asked]
    assert [r.success for r in result.results] == [False, False, False, True]
    assert [r.result["partial_unexpected_list"] for r in result.results[1:3]] == [[-3], ["a", "a"]]
    assert result.results[1].result["partial_unexpected_index_list"] == [{"n": -3, "id": 3}]
    assert not result.success


def test_large_integers_beside_null_stay_exact(engine: Engine) -> None:
    inside = expectation("expect_column_values_to_be_in_set", column="n", value_set=[1, -3, 2**53])
    assert engine.validate(suite(inside)).results[0].result["partial_unexpected_list"] == [2**53 + 1]


def test_counts_say_the_same_without_samples(duckdb: Engine) -> None:
    with open_engine("duckdb", [View("rows", rows=ROWS)], Options(samples=0)) as bare:
        asked = suite(expectation(BETWEEN, column="n", min_value=0))
        few, many = bare.validate(asked).results[0].result, duckdb.validate(asked).results[0].result
    assert few["unexpected_count"] == many["unexpected_count"] == 1
    assert not few.get("partial_unexpected_list")


def test_rows_of_a_compound_key_that_stands_twice_are_named_also_where_it_holds_null() -> None:
    rows = pa.table({"id": [1, 2, 3, 4, 5], "s": ["a", "a", "b", "b", None], "k": [1, 1, None, None, None]})
    asked = suite(expectation(COMPOUND, column_list=["s", "k"]))
    for name in ("duckdb", "pandas"):
        with open_engine(name, [View("rows", rows=rows)]) as engine:
            result = engine.validate(asked).results[0].result
        assert result["unexpected_count"] == 4
        assert sorted(row["id"] for row in result["partial_unexpected_index_list"]) == [1, 2, 3, 4]


def test_names_with_quotes_and_reserved_words_are_only_names(tmp_path: Path) -> None:
    column = "odd name's; DROP TABLE rows --"
    pq.write_table(pa.table({column: [1, 1], "select": ["x", "y"]}), tmp_path / "it's [odd]*.parquet")
    view = View("rows", parquet=(tmp_path / "it's [odd]*.parquet",))
    asked = suite(expectation(UNIQUE, 0, column=column), expectation(UNIQUE, 1, column="select"), key=("select",))
    for name in ("duckdb", "pandas"):
        with open_engine(name, [view]) as engine:
            first, second = engine.validate(asked).results
        assert (first.success, second.success) == (False, True)
        assert sorted(row["select"] for row in first.result["partial_unexpected_index_list"]) == ["x", "y"]


# ---- what cannot be evaluated is no failed check -------------------------------------------------------------


def test_an_exception_inside_an_expectation_is_refused_by_name(duckdb: Engine) -> None:
    broken = expectation("expect_column_values_to_match_regex", 1, column="s", regex="(")
    good = [expectation(NOT_NULL, n, column="id") for n in (0, 2)]
    said = refused(duckdb, suite(good[0], broken, good[1]))
    assert said.startswith("rows.json: expect_column_values_to_match_regex [r1] could not be evaluated on rows: ")


def test_every_expectation_must_come_back(duckdb: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful:
        def validate(self, made: Any, result_format: Any) -> Any:
            result = real.validate(made, result_format=result_format)
            result.results.pop()
            return result

    real = duckdb._batch("rows")
    monkeypatch.setattr(duckdb, "_batch", lambda view: Forgetful())
    asked = suite(*(expectation(NOT_NULL, n, column="id") for n in range(3)))
    assert refused(duckdb, asked) == "rows.json: 3 expectations went in, 2 results came out"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (expectation("expect_column_mean_to_be_between", column="s", min_value=1), "the column 's' is text, but must be numbers"),
        (
            expectation("expect_column_values_to_match_regex", column="n", regex="a"),
            "the column 'n' is integer, but must be text",
        ),
        (expectation(BETWEEN, column="n", min_value="2030-01-01"), "min_value names '2030-01-01', but the column 'n' is integer"),
        (expectation(GREATER, column_A="n", column_B="s"), "'n' holds numbers, and 's' holds strings"),
        (expectation(NOT_NULL, column="t"), "the column 't' is not there; rows has the columns id, n, s, k"),
        (expectation("unexpected_rows_expectation".replace("unexpected", "expect_unexpected"), column="s"), "is no type of exp"),
    ],
)
def test_what_does_not_fit_the_columns_is_one_line_on_each_engine(engine: Engine, written: Json, says: str) -> None:
    said = refused(engine, suite(expectation(NOT_NULL, 9, column="id"), written))
    assert said.startswith(f"rows.json: {written['type']} [r0]") and says in said


def test_pandas_refuses_what_great_expectations_would_answer_wrongly_there(pandas: Engine, duckdb: Engine) -> None:
    asked: Json = {"column_A": "id", "column_B": "n"}
    said = refused(pandas, suite(expectation(GREATER, **asked)))
    assert 'write "ignore_row_if": "either_value_is_missing", or use the engine duckdb' in said
    told = suite(expectation(GREATER, **asked, ignore_row_if="either_value_is_missing"))
    counts = [e.validate(told).results[0].result["unexpected_count"] for e in (pandas, duckdb)]
    assert counts == [2, 2]


def test_a_suite_of_what_is_not_there_names_what_is(engine: Engine) -> None:
    said = refused(engine, suite(expectation(NOT_NULL, column="id"), view="people"))
    assert said == "people.json: is about people, which is not there; there are: rows"
    assert "the key column 'name' is not there" in refused(engine, suite(expectation(NOT_NULL, column="id"), key=("name",)))


# ---- relations -----------------------------------------------------------------------------------------------


def test_a_relation_is_run_once_and_checked_like_a_table(duckdb: Engine) -> None:
    query = "SELECT id, n > 0 AS positive FROM rows -- comment; with a semicolon"
    asked = suite(
        expectation("expect_column_values_to_be_in_set", column="positive", value_set=[True]), view="signs", relation=query
    )
    for _ in range(2):
        found = duckdb.validate(asked).results[0].result
        assert [row["id"] for row in found["partial_unexpected_index_list"]] == [3]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT 1 AS id; SELECT 2 AS id", "must be one SELECT, and is SELECT, SELECT"),
        ("DROP TABLE rows", "must be one SELECT, and is DROP"),
        ("COPY rows TO 'out.csv'", "must be one SELECT, and is COPY"),
        ("-- nothing", "must be one SELECT, and is nothing"),
        ("SELECT $1 AS id", "has parameters, but nothing gives them values"),
        ("SELEKT 1", "is not SQL: "),
        ("SELECT id FROM nowhere", "the relation does not run: "),
        ("SELECT * FROM read_csv('{here}')", "the relation does not run: Permission Error"),
        ("SELECT * FROM '{here}'", "the relation does not run: "),
        ("SELECT getenv('HOME') AS id", "the relation does not run: "),
    ],
)
def test_a_relation_is_one_select_that_reaches_nothing_else(duckdb: Engine, tmp_path: Path, query: str, says: str) -> None:
    here = tmp_path / "secret.csv"
    here.write_text("id\n1\n")
    view = f"r{uuid.uuid4().hex}"
    asked = suite(expectation(NOT_NULL, column="id"), view=view, relation=query.format(here=here))
    assert refused(duckdb, asked).startswith(f"{view}.sql: ")
    assert says in refused(duckdb, asked)


def test_a_relation_cannot_take_the_name_of_a_table(duckdb: Engine) -> None:
    said = refused(duckdb, suite(expectation(NOT_NULL, column="id"), relation="SELECT 1 AS id"))
    assert said == "rows.json: a relation cannot be called rows; there is a view of that name"


# ---- memory, settings, packages ------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_does_not_fit_in_memory_is_spilled_and_the_spill_removed(tmp_path: Path) -> None:
    ids = pa.array([f"{i:040}" for i in range(1_000_000)])
    pq.write_table(pa.table({"id": ids}), tmp_path / "many.parquet", row_group_size=50_000)
    spill = tmp_path / "spill"
    spill.mkdir()
    view, asked = View("rows", parquet=(tmp_path / "many.parquet",)), suite(expectation(UNIQUE, column="id"))
    with open_engine("duckdb", [view], Options(memory_limit="60MB", threads=1, temp_directory=str(spill))) as engine:
        assert engine.validate(asked).success
    assert list(spill.iterdir()) == []


def test_too_little_memory_to_begin_with_is_one_line() -> None:
    with open_engine("duckdb", [View("rows", rows=ROWS)], Options(memory_limit="1MB")) as engine:
        assert "Out of Memory Error" in refused(engine, suite(expectation(UNIQUE, column="id")))


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("oracle", Options(), "there is no engine 'oracle'; there are: duckdb, pandas, spark"),
        ("duckdb", Options(memory_limit="lots"), "'lots' is no memory limit: "),
        ("duckdb", Options(threads=0), "'0' is no threads: "),
        ("pandas", Options(temp_directory="no/such/folder"), "no/such/folder: no folder for spilling can be made there: No such"),
    ],
)
def test_settings_that_make_no_sense_are_one_line(name: str, options: Options, says: str) -> None:
    with pytest.raises(SuiteError) as told:
        open_engine(name, [], options)
    assert str(told.value).startswith(says.replace("'0'", "0")) and "\n" not in str(told.value)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [m for m in sys.modules if m.partition(".")[0] == "pyspark" or m == "dateline.validate.spark"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(
        SuiteError, match=r"engine spark needs pyspark.*, which is not installed: pip install 'dateline\[spark\]'"
    ):
        open_engine("spark", [])


# ---- as a user meets it --------------------------------------------------------------------------------------


@pytest.fixture
def typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Run `dateline validate` in a folder with a Parquet file: exit code, stdout, stderr."""
    pq.write_table(ROWS, tmp_path / "rows.parquet")
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dateline", "validate", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30])


def cut_inside(path: Path) -> None:
    """Keep the footer, and let the pages that it names lie behind the end of the file."""
    raw = path.read_bytes()
    path.write_bytes(raw[:4] + raw[-(int.from_bytes(raw[-8:-4], "little") + 8) :])


@pytest.mark.parametrize(
    ("written", "damage", "says"),
    [
        (expectation("expect_column_values_to_be_pretty", column="n"), None, "is no type of expectation that Great Expectations"),
        (expectation(BETWEEN, column="n", minimum=1), None, "is not written as it must be: "),
        (
            expectation(BETWEEN, column="s", min_value=1),
            None,
            "min_value names 1, but the column 's' is text, which compares with",
        ),
        (expectation(NOT_NULL, column="headline"), None, "the column 'headline' is not there; data has the columns id, n, s, k"),
        (expectation("expect_column_values_to_match_regex", column="s", regex="("), None, "could not be evaluated on data: "),
        (expectation(NOT_NULL, column="n"), cut, "rows.parquet: cannot be read as Parquet: "),
        (expectation(NOT_NULL, column="n"), cut_inside, "data: "),
    ],
)
def test_a_check_that_cannot_be_made_is_exit_2_in_one_line_and_changes_nothing(
    typed: Callable[..., tuple[int, str, str]], written: Json, damage: Callable[[Path], None] | None, says: str
) -> None:
    Path("suite.json").write_text(json.dumps({"name": "theirs", "expectations": [written]}))
    if damage:
        damage(Path("rows.parquet"))
    before = {path: path.read_bytes() for path in Path().iterdir()}
    code, out, err = typed("rows.parquet", "--suite", "suite.json")
    assert (code, out) == (2, "")
    assert says in err and err.startswith("error: ") and len(err.splitlines()) <= 2
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_all_quantiles_of_a_column_are_asked_for_at_once_each_time_with_its_own_shares() -> None:
    """DuckDB cannot spill what a quantile holds; SQL that is kept from one question must not answer another."""
    import sqlalchemy as sa

    from dateline.validate import duck  # noqa: F401 - announces the driver

    column: sa.ColumnClause[int] = sa.column("x")
    numbers = sa.text("range(11) t(x)")
    engine = sa.create_engine("postgresql+duckdb:///:memory:quantiles")

    def asked(*shares: float, descending: bool = False) -> tuple[str, list[int]]:
        order = column.desc() if descending else column.asc()
        query = sa.select(*[sa.func.percentile_disc(s).within_group(order) for s in shares]).select_from(numbers)
        with engine.connect() as connection:
            return str(query.compile(engine)), list(connection.execute(query).one())

    sql, found = asked(0.25, 0.5, 0.9)
    assert sql.count('quantile_disc("x", [0.25, 0.5, 0.9])') == 3 and found == [2, 5, 9]
    assert asked(0.9, 0.1, 0.5)[1] == [9, 1, 5]
    assert asked(0.9)[1] == [9]
    assert asked(0.9, descending=True)[1] == [1]
