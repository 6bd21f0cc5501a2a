"""Seeds to Parquet by Dateline, by DuckDB, by polars, by `datasets`: at what cost, and who checks what.

    python benchmarks/compile.py --articles 20000 --write

The seeds are synthetic (`corpus_generator.py`). Everybody is a process of its own, with one thread, and has its turn in the same
run (`compile_peers.py`). Exit 1 if their tables differ in the number of rows, 2 if one cannot run. README.md says what is
measured, RESULTS.md what came out.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import results
from measure import Taken, taken

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
_PACKAGES = ("dateline", "pyarrow", "orjson", "duckdb", "polars", "datasets")

Rows = dict[str, int]
Runs = Mapping[str, Sequence[Taken]]


class Failed(Exception):
    """A contender could not run."""


@dataclass(frozen=True)
class Contender:
    """Who makes tables: what it makes, and what it leaves unchecked."""

    says: str
    makes: str
    unchecked: str


_WORDS_ALONE = "all but types, and the words of spans in two tables"
CONTENDERS = {
    "dateline": Contender("`dateline rebuild`", "the twelve tables with the words of all spans, `records`, card, manifest", "-"),
    "shards": Contender("index, plan and `compile_shard` alone", "the same less card and manifest", "texts that may have leaked"),
    "floor": Contender("the floor: SHA-256, parse, write", "the twelve tables of Dateline, given as Arrow", "anything"),
    "libraries": Contender(
        "the libraries alone: the floor, JSON Schema, signatures, digests, `records`",
        "the twelve tables and `records` of Dateline, given as Arrow",
        "spans, references, laws, rights",
    ),
    "duckdb": Contender("DuckDB: unnest", "the twelve tables", "all but types"),
    "duckdb-spans": Contender("DuckDB with spans: unnest, words compared", "the twelve tables", _WORDS_ALONE),
    "polars": Contender("polars: explode, words compared", "the twelve tables", _WORDS_ALONE),
    "datasets-once": Contender("`datasets`: lines parsed once, words compared", "the twelve tables", _WORDS_ALONE),
    "datasets-map": Contender("`datasets`: `load_dataset`, `map`, words compared", "the twelve tables", _WORDS_ALONE),
}

GIVEN = {"floor", "libraries"}
"""Who gets the tables of Dateline as Arrow, and writes them once more."""


# ---- running -------------------------------------------------------------------------------------------------


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmark; the exit code."""
    said = _said(words)
    with tempfile.TemporaryDirectory(prefix="dateline-bench-", dir=said.work) as folder:
        work = Path(folder)
        try:
            size = generate(said.articles, said.seed, work)
            runs, rows = measured(said.contenders, said.repeat, work)
        except Failed as fault:
            print(f"error: {fault}", file=sys.stderr)
            return 2
    unlike = disagreements(rows)
    body = "\n".join([circumstances(said, size), "", *table(runs), "", *agreement(rows, unlike), *gates(runs)]) + "\n"
    print(body)
    if said.write:
        results.put(RESULTS, results.Section(f"Compiling {said.articles:,} articles", body))
    return 1 if unlike else 0


def _said(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--contenders", default=",".join(CONTENDERS), help="Some of them; dateline and floor need each other.")
    parser.add_argument("--repeat", type=int, default=1, help="Rounds; medians are told.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="Where seeds and tables go; emptied at the end.")
    parser.add_argument("--write", action="store_true", help="Put the results into RESULTS.md.")
    said = parser.parse_args(words)
    said.contenders = said.contenders.split(",")
    for name in said.contenders:
        if name not in CONTENDERS:
            parser.error(f"there is no {name!r}; there are {', '.join(CONTENDERS)}")
    if said.contenders[0] != "dateline":
        parser.error("--contenders begins with dateline: its tables are what the others are held against")
    if said.articles < 1 or said.repeat < 1:
        parser.error("--articles and --repeat are at least 1")
    return said


def generate(articles: int, seed: int, work: Path) -> int:
    """The seeds, in a process of its own (see `measure.taken`); their bytes."""
    _asked("the corpus", "corpus_generator.py", [str(work / "project"), "--articles", str(articles), "--seed", str(seed)], work)
    return sum(path.stat().st_size for path in (work / "project" / "seeds").glob("*.jsonl"))


def measured(contenders: Sequence[str], repeat: int, work: Path) -> tuple[dict[str, list[Taken]], dict[str, Rows]]:
    """What each took, and its rows. In each round everybody has a turn, Dateline the first: some write its tables."""
    runs: dict[str, list[Taken]] = {name: [] for name in contenders}
    rows: dict[str, Rows] = {}
    for number in range(repeat):
        for name in contenders:
            one, rows[name] = turn(name, work)
            runs[name].append(one)
            if number == 0:
                print(f"{name}: {results.costs_line([one])}", file=sys.stderr, flush=True)
    return runs, rows


def turn(name: str, work: Path) -> tuple[Taken, Rows]:
    """One contender's turn: what it took, and its rows. What it wrote is removed, but for the tables of Dateline."""
    project, out, arrow = work / "project", work / "out", work / "arrow"
    if name == "dateline":
        shutil.rmtree(project / "dataset", ignore_errors=True)
    if name not in GIVEN:
        shutil.rmtree(arrow, ignore_errors=True)  # of a large corpus, the peers that spill need the room
    elif not arrow.exists():
        _asked("the tables", "compile_peers.py", ["prepare", str(project), str(arrow)], work)
    if name == "dateline":
        one = _asked(name, "-m", ["dateline", "rebuild", "-C", str(project), "--jobs", "1"], work)
        return one, _rows(_asked("the rows", "compile_peers.py", ["rows", str(project), str(out)], work))
    out.mkdir()
    try:
        one = _asked(name, "compile_peers.py", [name, str(project), str(out)], work)
    finally:
        shutil.rmtree(out)
    return one, _rows(one)


def _rows(one: Taken) -> Rows:
    rows: Rows = json.loads(one.out)
    return rows


def _asked(name: str, script: str, words: Sequence[str], work: Path) -> Taken:
    environment = {**os.environ, **_ONE_THREAD, "TMPDIR": str(work), "HF_HUB_OFFLINE": "1", "HF_HOME": str(work / "hub")}
    one = taken([sys.executable, script if script == "-m" else str(HERE / script), *words], environment)
    if one.code:
        said = (one.err.strip() or one.out.strip()).splitlines()
        raise Failed(f"{name} ended with {one.code}: {' / '.join(said[-2:]) or 'without a word'}")
    return one


# ---- what came out -------------------------------------------------------------------------------------------


def disagreements(rows: Mapping[str, Rows]) -> list[str]:
    """A line for each table of which somebody makes another number of rows than Dateline."""
    return [
        f"{table}: {rows['dateline'][table]:,} rows of dateline, {made[table]:,} of {name}"
        for name, made in rows.items()
        for table in rows["dateline"]
        if made[table] != rows["dateline"][table]
    ]


def circumstances(said: argparse.Namespace, size: int) -> str:
    """The machine, the command, the corpus."""
    rounds = "one round" if said.repeat == 1 else f"medians of {said.repeat} rounds"
    return (
        f"{results.machine(_PACKAGES)}; `python benchmarks/compile.py --articles {said.articles} --seed {said.seed}`, {rounds}: "
        f"{size / 1e6:.0f} MB of JSONL, {size / said.articles / 1e3:.1f} kB an article. "
        "One thread and one job each, no suites, no views. CPU seconds, with the start of Python, are the figure."
    )


def table(runs: Runs) -> list[str]:
    """What each took, as lines of Markdown."""
    bases = [name for name in ("floor", "libraries", "duckdb-spans") if name in runs]
    heads = [f"CPU, in those of {CONTENDERS[base].says.split(':')[0]}" for base in bases]
    lines = [
        f"| | CPU s | {''.join(f'{head} | ' for head in heads)}wall s | peak MB | makes | does not check |",
        f"|---|--:|{'--:|' * len(bases)}--:|--:|---|---|",
    ]
    for name, some in runs.items():
        ratios = "".join(f"{_cpu(some) / _cpu(runs[base]):.2f} | " for base in bases)
        who, wall = CONTENDERS[name], statistics.median(one.seconds for one in some)
        peak = statistics.median(one.peak for one in some) / 1e6
        lines.append(f"| {who.says} | {_cpu(some):.1f} | {ratios}{wall:.1f} | {peak:,.0f} | {who.makes} | {who.unchecked} |")
    return lines


def agreement(rows: Mapping[str, Rows], unlike: Sequence[str]) -> Iterator[str]:
    """Whether all made as many rows, as lines of Markdown."""
    if unlike:
        yield f"- **they disagree** in {len(unlike)} tables:"
        yield from (f"    - {line}" for line in unlike)
    else:
        total = sum(rows["dateline"].values())
        yield f"- all make {total:,} rows in {len(rows['dateline'])} tables, {rows['dateline']['mentions']:,} of them mentions"


def gates(runs: Runs) -> Iterator[str]:
    """What Dateline is to reach, and whether it did; only what this run can tell."""
    for base, says, limit in (("floor", "the floor's CPU seconds", 2.0), ("duckdb-spans", "DuckDB's with span checks", 1.3)):
        if base in runs:
            ratio = _cpu(runs["dateline"]) / _cpu(runs[base])
            least = f"; the libraries alone take {_cpu(runs['libraries']) / _cpu(runs[base]):.2f}" if "libraries" in runs else ""
            yield f"- {'met' if ratio <= limit else '**not met**'}: at most {limit:g} times {says}: {ratio:.2f}{least}"


def _cpu(runs: Sequence[Taken]) -> float:
    return statistics.median(one.cpu for one in runs)


if __name__ == "__main__":
    sys.exit(main())
