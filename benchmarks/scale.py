"""What each command takes as a corpus grows: CPU and wall seconds, the memory of its largest process.

    python benchmarks/scale.py --articles 20000 --write
    python benchmarks/scale.py --articles 1000000 --steps rebuild verify --work FOLDER --write

The seeds are synthetic (`corpus_generator.py`). Each command is a process of its own, with a worker for each core; memory is the
resident set of the largest one, files that it maps included. With `--work` the project stays where it is and is taken again, so
that steps can be run one by one; with `--write` they come into scale.json, and all of these into RESULTS.md and memory.svg.
Exit 2 if a command cannot run. README.md says what is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import results
from compile import Failed, generate
from measure import Taken, taken
from rebuilding import edit

HERE = Path(__file__).parent
RESULTS, FIGURES, CHART = HERE / "RESULTS.md", HERE / "scale.json", HERE / "memory.svg"
_PACKAGES = ("dateline", "pyarrow", "orjson", "duckdb", "great_expectations", "datasets")
_LOAD = """
import sys, dateline
for row in dateline.load("mentions", split="test", source=sys.argv[1]): pass
"""

Figures = dict[str, dict[str, dict[str, float]]]
"""By number of articles and step: `cpu` and `wall` in seconds, `peak` in bytes."""


# ---- steps, in the order in which they stand on each other ------------------------------------------------------


def _rebuild(project: Path) -> Taken:
    shutil.rmtree(project / "dataset", ignore_errors=True)
    shutil.rmtree(project / ".dateline", ignore_errors=True)
    return _dateline(project, "rebuild", "--sweep")


def _unchanged(project: Path) -> Taken:
    return _dateline(project, "rebuild", "--sweep")


def _verify(project: Path) -> Taken:
    return _dateline(project, "verify", str(project / "dataset"))


def _stats(project: Path) -> Taken:
    return _dateline(project, "stats")


def _explain(project: Path) -> Taken:
    article = json.loads(next(iter(sorted((project / "seeds").glob("*.jsonl")))).open("rb").readline())["article_id"]
    return _dateline(project, "explain", article)


def _load(project: Path) -> Taken:
    with tempfile.TemporaryDirectory(dir=project.parent) as cache:
        words = [sys.executable, "-c", _LOAD, str(project / "dataset")]
        return _run(words, {"HF_HOME": cache, "DATELINE_CACHE": cache})


def _validate(project: Path) -> Taken:
    _dateline(project, "suites")
    try:
        return _dateline(project, "validate", may=(0, 1))
    finally:
        shutil.rmtree(project / "expectations")


def _edited(project: Path) -> Taken:
    """A rebuild after one article in a hundred was edited; what was there before stays beside the project for `diff`."""
    before = project.parent / "before"
    shutil.rmtree(before, ignore_errors=True)
    shutil.copytree(project / "dataset", before, copy_function=os.link)
    articles = sum(path.read_bytes().count(b"\n") for path in (project / "seeds").glob("*.jsonl"))
    edit(project, max(1, articles // 100), random.Random(1), all_layers=False)
    return _dateline(project, "rebuild", "--sweep")


def _diff(project: Path) -> Taken:
    return _dateline(project, "diff", "--stat", str(project.parent / "before"), str(project / "dataset"))


STEPS: dict[str, tuple[str, Callable[[Path], Taken]]] = {
    "rebuild": ("`rebuild`, from nothing", _rebuild),
    "unchanged": ("`rebuild`, nothing changed", _unchanged),
    "verify": ("`verify`", _verify),
    "stats": ("`stats`", _stats),
    "explain": ("`explain` of an article", _explain),
    "load": ("`dateline.load` of the mentions of test, and all of them read", _load),
    "validate": ("`validate`, suites that follow from the schemas", _validate),
    "edited": ("`rebuild`, 1 % edited all over in one layer", _edited),
    "diff": ("`diff --stat` of that and the one before", _diff),
}


# ---- running ---------------------------------------------------------------------------------------------------


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmark; the exit code."""
    said = _said(words)
    with _project(said) as project:
        try:
            for step in said.steps:
                one = STEPS[step][1](project)
                found = {"cpu": round(one.cpu, 1), "wall": round(one.seconds, 1), "peak": one.peak}
                print(f"{said.articles:,} articles, {STEPS[step][0]}: {_costs(found)}", flush=True)
                if said.write:
                    _keep(said.articles, step, found)
        except Failed as fault:
            print(f"error: {fault}", file=sys.stderr)
            return 2
    return 0


def _keep(articles: int, step: str, found: dict[str, float]) -> None:
    """Put what a step took among the figures, at once: a large corpus takes long."""
    known: Figures = json.loads(FIGURES.read_bytes()) if FIGURES.is_file() else {}
    known.setdefault(str(articles), {})[step] = found
    FIGURES.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    results.put(RESULTS, results.Section("As a corpus grows", "\n".join(body(known)) + "\n"))
    CHART.write_text(drawn(known), encoding="utf-8")


def _said(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=[*STEPS])
    parser.add_argument("--work", type=Path, help="Where the project lies, and stays; made if it is not there.")
    parser.add_argument("--write", action="store_true", help="Put the figures into scale.json, RESULTS.md and memory.svg.")
    return parser.parse_args(words)


@contextmanager
def _project(said: argparse.Namespace) -> Iterator[Path]:
    if said.work is not None:
        if not (said.work / "project").is_dir():
            generate(said.articles, said.seed, said.work)
        yield said.work / "project"
        return
    with tempfile.TemporaryDirectory(prefix="dateline-bench-") as folder:
        generate(said.articles, said.seed, Path(folder))
        yield Path(folder) / "project"


def _dateline(project: Path, command: str, *words: str, may: Sequence[int] = (0,)) -> Taken:
    at = () if command == "verify" else ("-C", str(project))
    return _run([sys.executable, "-m", "dateline", command, *words, *at], {}, may)


def _run(command: Sequence[str], environment: Mapping[str, str], may: Sequence[int] = (0,)) -> Taken:
    one = taken(command, {**os.environ, **environment})
    if one.code not in may:
        said = (one.err.strip() or one.out.strip()).splitlines() or [""]
        raise Failed(f"{' '.join(command[1:4])} ended with {one.code}: {said[-1]}")
    return one


# ---- what came out ---------------------------------------------------------------------------------------------


def body(figures: Figures) -> Iterator[str]:
    """The figures of all sizes side by side, as lines of Markdown."""
    sizes = sorted(figures, key=int)
    yield (
        f"{results.machine(_PACKAGES)}; `python benchmarks/scale.py`, each size on its own. 11 kB and 47 annotations an article, "
        "synthetic. A worker for each core; CPU seconds, wall seconds, memory of the largest process, with files that it maps."
    )
    yield ""
    yield f"| | {' | '.join(f'{int(size):,} articles' for size in sizes)} |"
    yield f"|---|{'--:|' * len(sizes)}"
    for step, (says, _) in STEPS.items():
        cells = [_costs(figures[size][step]) if step in figures[size] else "-" for size in sizes]
        yield f"| {says} | {' | '.join(cells)} |"
    yield ""
    yield "![Memory of the largest process by number of articles](memory.svg)"


def _costs(one: Mapping[str, float]) -> str:
    return f"{one['cpu']:,.1f} s CPU, {one['wall']:,.1f} s, {one['peak'] / 2**20:,.0f} MB"


def drawn(figures: Figures) -> str:
    """The memory of each step over the number of articles, as SVG."""
    import vl_convert

    rows = [
        {"articles": int(size), "step": step, "MB": one["peak"] / 2**20}
        for size, steps in figures.items()
        for step, one in steps.items()
    ]
    sizes = sorted(map(int, figures))
    chart = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": "Memory of the largest process (MB) by number of articles, synthetic corpus",
        "width": 560,
        "height": 320,
        "data": {"values": rows},
        "mark": {"type": "line", "point": True},
        "encoding": {
            "x": {
                "field": "articles",
                "type": "quantitative",
                "scale": {"type": "log"},
                "axis": {"values": sizes},
            },
            "y": {"field": "MB", "type": "quantitative", "scale": {"zero": True}},
            "color": {"field": "step", "type": "nominal", "sort": [*STEPS], "scale": {"scheme": "tableau10"}},
            "shape": {"field": "step", "type": "nominal", "sort": [*STEPS]},
        },
    }
    svg: str = vl_convert.vegalite_to_svg(chart, vl_version="5.21", allowed_base_urls=[])
    return svg


if __name__ == "__main__":
    sys.exit(main())
