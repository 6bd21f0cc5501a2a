"""One suite of 22 expectations by Dateline, by Great Expectations on pandas, by SQL written by hand: equal answers, at what cost.

    python benchmarks/validate.py --rows 5000000 --repeat 3 --write

Every contender is a process of its own and runs in turn with the others, on a good table and on one with faults. Exit 1 if they
do not give the same answers, 2 if one cannot run. README.md says what is measured, RESULTS.md what came out.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import results
from measure import Taken, taken

HERE = Path(__file__).parent
SUITE = HERE / "suites" / "mentions.json"
RESULTS = HERE / "RESULTS.md"
TABLES = ("good", "faulty")

Answer = dict[str, Any]
Runs = dict[str, dict[str, list[Taken]]]  # by table and contender
Answers = dict[str, dict[str, list[Answer]]]


class Failed(Exception):
    """A contender could not run."""


@dataclass(frozen=True)
class Contender:
    """Who answers: the command for a table, and the answers in what it prints."""

    name: str
    says: str
    command: Callable[[Path, argparse.Namespace], list[str]]
    answers: Callable[[str], list[Answer]]


def _dateline(engine: str) -> Callable[[Path, argparse.Namespace], list[str]]:
    def command(table: Path, said: argparse.Namespace) -> list[str]:
        words = ["-m", "dateline", "validate", str(table), "--suite", str(SUITE), "--json", "--engine", engine]
        return [*words, "--memory-limit", said.memory_limit]

    return command


def _dateline_answers(out: str) -> list[Answer]:
    return list(json.loads(out)["suites"][0]["expectations"])


def _pandas(table: Path, said: argparse.Namespace) -> list[str]:
    return [str(HERE / "gx_on_pandas.py"), str(table), str(SUITE), "--dtypes", said.dtypes]


def _sql(table: Path, said: argparse.Namespace) -> list[str]:
    return [
        str(HERE / "sql_on_duckdb.py"),
        str(table),
        "--memory-limit",
        said.memory_limit,
        "--spill",
        str(table.parent / "spill"),
    ]


CONTENDERS = {
    c.name: c
    for c in (
        Contender("dateline", "dateline validate", _dateline("duckdb"), _dateline_answers),
        Contender("pandas", "Great Expectations on pandas", _pandas, json.loads),
        Contender("sql", "SQL by hand on DuckDB", _sql, json.loads),
        Contender("spark", "dateline validate --engine spark", _dateline("spark"), _dateline_answers),
    )
}
_LOADS_GX = "from dateline.validate.running import load_gx; load_gx()"


# ---- running -------------------------------------------------------------------------------------------------


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmark; the exit code."""
    said = _said(words)
    with tempfile.TemporaryDirectory(prefix="dateline-bench-", dir=said.work) as work:
        said.folder = Path(work)
        try:
            tables = {name: _table(name, said) for name in said.tables}
            imports, runs, answers = _run(tables, said)
        except Failed as fault:
            print(f"error: {fault}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print("error: stopped before the first round was whole", file=sys.stderr)
            return 2
    unlike = [f"{table}: {line}" for table, given in answers.items() for line in disagreements(given)]
    section = results.section(said, {n: CONTENDERS[n].says for n in said.contenders}, imports, runs, answers, unlike)
    print(section.text)
    if said.write:
        results.put(RESULTS, section)
    return 1 if unlike else 0


def _said(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--contenders", default="dateline,pandas,sql", help=f"Of {', '.join(CONTENDERS)}.")
    parser.add_argument("--tables", default=",".join(TABLES), help=f"Of {', '.join(TABLES)}.")
    parser.add_argument("--repeat", type=int, default=3, help="Rounds on the good table; medians are told.")
    parser.add_argument("--memory-limit", default="2GB", help="Of DuckDB, for dateline and sql; of the JVM for spark.")
    parser.add_argument("--within", default="2GB", help="What the whole process of dateline is held against.")
    parser.add_argument("--dtypes", choices=("default", "numpy_nullable", "pyarrow"), default="default", help="Of pandas.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="Where the tables and spill files go; emptied at the end.")
    parser.add_argument("--write", action="store_true", help="Put the results into RESULTS.md.")
    said = parser.parse_args(words)
    said.contenders, said.tables = said.contenders.split(","), said.tables.split(",")
    for given, known in ((said.contenders, CONTENDERS), (said.tables, TABLES)):
        for name in given:
            if name not in known:
                parser.error(f"there is no {name!r}; there are {', '.join(known)}")
    if said.rows < 1 or said.repeat < 1:
        parser.error("--rows and --repeat are at least 1")
    return said


def _table(name: str, said: argparse.Namespace) -> Path:
    """Write one of the tables, in a process of its own: see `measure.taken`."""
    path: Path = said.folder / f"{name}.parquet"
    words = [str(HERE / "mentions.py"), str(path), "--rows", str(said.rows), "--seed", str(said.seed)]
    _asked("the table", [*words, "--faults"] if name == "faulty" else words, said.folder)
    return path


def _run(tables: Mapping[str, Path], said: argparse.Namespace) -> tuple[list[Taken], Runs, Answers]:
    """What the import of GX took; what each contender took and answered. In each round everybody has a turn.

    Ctrl-C ends it after the last whole round.
    """
    imports: list[Taken] = []
    runs: Runs = {table: {name: [] for name in said.contenders} for table in tables}
    answers: Answers = {table: {} for table in tables}
    for number in range(said.repeat):
        try:
            imported, taken_now = _round(tables, said, first=number == 0)
        except KeyboardInterrupt:
            if not number:
                raise
            said.repeat = number
            break
        imports += imported
        for (table, name), one in taken_now.items():
            runs[table][name].append(one)
            found = CONTENDERS[name].answers(one.out)
            if told := disagreements({f"{name} once": answers[table].setdefault(name, found), f"{name} again": found}):
                raise Failed(f"{name} answers differently each time on the {table} table: {told[0]}")
    return imports, runs, answers


def _round(
    tables: Mapping[str, Path], said: argparse.Namespace, *, first: bool
) -> tuple[list[Taken], dict[tuple[str, str], Taken]]:
    imported = [] if said.contenders == ["sql"] else [_asked("the import", ["-c", _LOADS_GX], said.folder)]
    taken_now = {
        (table, name): _asked(name, CONTENDERS[name].command(path, said), said.folder)
        for table, path in tables.items()
        if first or table == "good"  # of the faulty table the answers count, not the times
        for name in said.contenders
    }
    return imported, taken_now


def _asked(name: str, words: Sequence[str], work: Path) -> Taken:
    environment = {**os.environ, "GX_ANALYTICS_ENABLED": "False", "TMPDIR": str(work)}
    one = taken([sys.executable, *words], environment)
    if one.code not in (0, 1) or (one.code == 1 and not one.out):
        said = one.err.strip().splitlines()
        raise Failed(f"{name} ended with {one.code}: {said[-1] if said else 'without a word'}")
    return one


# ---- comparing -----------------------------------------------------------------------------------------------


def disagreements(given: Mapping[str, list[Answer]]) -> list[str]:
    """A line for each expectation that two contenders answer differently: the verdict, the rows, or what was observed."""
    written = json.loads(SUITE.read_text(encoding="utf-8"))["expectations"]
    found = []
    for number, expectation in enumerate(written):
        forms = {name: _form(answers[number]) for name, answers in given.items()}
        first = next(iter(forms.values()), None)
        if not all(_alike(first, other) for other in forms.values()):
            about = expectation["kwargs"].get("column", "")
            found.append(f"{expectation['type']} {about}: " + "; ".join(f"{name} says {form}" for name, form in forms.items()))
    return found


def _form(answer: Answer) -> list[Any]:
    observed = answer["observed"]
    if isinstance(observed, dict):
        observed = observed["values"]
    # where rows are counted, the count is the answer
    return [answer["success"], answer["unexpected_count"], None if answer["unexpected_count"] is not None else observed]


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, float) and isinstance(other, float):  # sums depend on the order of the rows
        return math.isclose(one, other, rel_tol=1e-9)
    return bool(one == other)


if __name__ == "__main__":
    sys.exit(main())
