"""What loading costs: `dateline.load` beside plain `load_dataset`, cold and warm, from a folder and from a double of the Hub.

    python benchmarks/loading.py --articles 20000 --write

A synthetic release (`versions.py`), of which one config is loaded: `mentions`, eight rows an article. Each call is made in a
process of its own, after all was imported, and takes from asking to the first row of the first split. *Cold* is with an
empty cache, *warm* with that of the call before. `dateline.load` checks each file by sha256 when it is cold, plain `load_dataset`
none. Requests and bytes are those that the double of the Hub was asked for: of data files, and of all else.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import results
import versions

if TYPE_CHECKING:
    from hub_double import Answer

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "RESULTS.md"
CONFIG, VERSION, NAME = "mentions", "0.1.0", "org/bench"
STREAMED = "first row, streamed"

CALL = """
import json, os, sys, time
import datasets, dateline
import dateline.loading
datasets.disable_progress_bars()
with_, source, config, streaming, small = sys.argv[1:6]
datasets.load_dataset("parquet", data_files=small, streaming=True)  # imports what each first load imports
began = time.perf_counter()
if with_ == "dateline":
    rows = dateline.load(config, source=source, streaming=bool(streaming))
else:
    name, _, version = source.removeprefix("hf://").partition("@")
    revision = {"revision": "v" + version} if version else {}
    rows = datasets.load_dataset(name, config, streaming=bool(streaming), **revision)
first = next(iter(next(iter(rows.values()))))
print(json.dumps(time.perf_counter() - began))
"""


@dataclass(frozen=True)
class Cost:
    """Of one kind of call: seconds of each round, and requests and bytes of the last one: of data files, and of all else."""

    seconds: Sequence[float]
    requests: tuple[int, int] = (0, 0)
    sent: tuple[int, int] = (0, 0)


def release(articles: int, seed: int, work: Path) -> Path:
    """A synthetic release."""
    from published import stamp

    versions.write_project(work / "project", versions.Corpus(seed), articles)
    versions.apart("compile", work / "project")
    return stamp(work / "project" / "dataset", VERSION)


def small_file() -> Path:
    """Some Parquet file."""
    return next((REPOSITORY / "dataset").glob("coverage/*.parquet"))


def call(with_: str, source: str, home: Path, environment: Mapping[str, str], streaming: bool = False) -> float:
    """The seconds of one call in a process of its own."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("HF_")} | {"HF_HOME": str(home), **environment}
    words = [sys.executable, "-c", CALL, with_, source, CONFIG, "yes" if streaming else "", str(small_file())]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{with_} {source}: {done.stderr[-2000:]}")
    return float(json.loads(done.stdout.splitlines()[-1]))


def measured(folder: Path, work: Path, rounds: int) -> Iterator[tuple[str, str, str, Cost]]:
    """Source, who loads, cold or warm or streamed, and what it cost."""
    from hub_double import Hub
    from published import files_of

    given: list[tuple[bool, int]] = []
    with Hub() as hub:
        answer = hub.answer

        def counted(method: str, target: str, body: bytes) -> Answer:
            found = answer(method, target, body)
            given.append((target.endswith(".parquet"), 0 if method == "HEAD" else len(found.body)))
            return found

        hub.answer = counted  # type: ignore[method-assign]
        hub.repository(NAME).commit(files_of(folder), tag=f"v{VERSION}")
        for where, source in {"folder": str(folder), "Hub": f"hf://{NAME}@{VERSION}"}.items():
            for loader in ("plain", "dateline"):
                costs: dict[str, Cost] = {}
                for number in range(rounds):
                    home = work / f"{where}-{loader}-{number}"
                    for how, cache in {"cold": home, "warm": home, STREAMED: work / f"{home.name}-streamed"}.items():
                        given.clear()
                        seconds = call(loader, source, cache, hub.environment, streaming=how == STREAMED)
                        before = costs[how].seconds if how in costs else ()
                        costs[how] = Cost((*before, seconds), *_counted(given))
                for how, cost in costs.items():
                    yield where, loader, how, cost


def _counted(given: Sequence[tuple[bool, int]]) -> tuple[tuple[int, int], tuple[int, int]]:
    data, rest = [size for is_data, size in given if is_data], [size for is_data, size in given if not is_data]
    return (len(data), len(rest)), (sum(data), sum(rest))


def table(found: Sequence[tuple[str, str, str, Cost]]) -> list[str]:
    """The costs as a table: a line for each source and way, `datasets` beside `dateline`."""
    by = {(where, with_, how): cost for where, with_, how, cost in found}
    lines = [
        "| from | | `load_dataset` | `dateline.load` | ratio | requests and bytes: `load_dataset` | `dateline.load` |",
        "|---|---|---:|---:|---:|---|---|",
    ]
    for where, how in dict.fromkeys((where, how) for where, _, how, _ in found):
        plain, ours = by[where, "plain", how], by[where, "dateline", how]
        seconds = [statistics.median(cost.seconds) for cost in (plain, ours)]
        sent = [_sent(cost) if where == "Hub" and how != STREAMED else "" for cost in (plain, ours)]
        told = f"{seconds[0]:.2f} s | {seconds[1]:.2f} s | {seconds[1] / seconds[0]:.2f}"
        lines.append(f"| {where} | {how} | {told} | {sent[0]} | {sent[1]} |")
    return lines


def _sent(cost: Cost) -> str:
    return f"{cost.requests[0]} for data, {cost.sent[0]:,} B; {cost.requests[1]} other, {cost.sent[1]:,} B"


def main() -> None:
    """Measure, print, and with --write keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the section into RESULTS.md")
    said = parser.parse_args()
    sys.path.append(str(REPOSITORY / "tests"))  # the double of the Hub
    with tempfile.TemporaryDirectory(prefix="dateline-") as work:
        folder = release(said.articles, said.seed, Path(work))
        size = sum(path.stat().st_size for path in (folder / CONFIG).glob("*.parquet"))
        lines = table(list(measured(folder, Path(work), said.rounds)))
    circumstances = (
        f"{results.machine(('dateline', 'datasets', 'huggingface_hub', 'pyarrow'))}; medians of {said.rounds} rounds. "
        f"Config `{CONFIG}`: {8 * said.articles:,} rows, {size / 1e6:.1f} MB of Parquet."
    )
    section = results.Section("Loading", "\n".join([circumstances, "", *lines]))
    print(section.text)
    if said.write:
        results.put(RESULTS, section)


if __name__ == "__main__":
    main()
