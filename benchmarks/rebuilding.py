"""What a rebuild costs when nothing changed, when one article in a hundred was edited, and when as many were added.

    python benchmarks/rebuilding.py --articles 20000 --write

The seeds are synthetic (`corpus_generator.py`). Each rebuild is a process of its own, with one job. Exit 2 if one cannot run, 1
if the bytes after the edits are not those of a rebuild from nothing. README.md says what is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import results
from compile import Failed, generate
from measure import Taken, taken

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
_PACKAGES = ("dateline", "pyarrow", "orjson")


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmark; the exit code."""
    said = _said(words)
    with tempfile.TemporaryDirectory(prefix="dateline-bench-", dir=said.work) as folder:
        project = Path(folder) / "project"
        try:
            size = generate(said.articles, said.seed, project.parent)
            runs = dict(scenarios(project, said.articles, said.seed))
            same = content(project) == content(project, "--again")
        except Failed as fault:
            print(f"error: {fault}", file=sys.stderr)
            return 2
    body = "\n".join([circumstances(said, size), "", *table(runs), "", *verdicts(runs, same=same)]) + "\n"
    print(body)
    if said.write:
        results.put(RESULTS, results.Section(f"Rebuilding {said.articles:,} articles after edits", body))
    return 0 if same else 1


def _said(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="Where seeds and datasets go; emptied at the end.")
    parser.add_argument("--write", action="store_true", help="Put the results into RESULTS.md.")
    return parser.parse_args(words)


def scenarios(project: Path, articles: int, seed: int) -> Iterator[tuple[str, Taken]]:
    """Each rebuild and what it took, one after the other."""
    chance = random.Random(seed)
    few = max(1, articles // 100)
    yield "from nothing", rebuilt(project)
    yield "nothing changed", rebuilt(project)
    edit(project, few, chance, all_layers=False)
    yield "1 % edited all over, in one layer", rebuilt(project)
    edit(project, few, chance, all_layers=True)
    yield "1 % edited all over, in every layer", rebuilt(project)
    edit(project, 1, chance, all_layers=False)
    yield "one article edited", rebuilt(project)
    add(project, articles, few, seed)
    yield "1 % added", rebuilt(project)
    ran(["release", "--allow-dirty", "--jobs", "1", "-C", str(project)])
    add(project, articles + few, few, seed)
    yield "1 % added to a release", rebuilt(project)


def rebuilt(project: Path, *words: str) -> Taken:
    """`dateline rebuild` in a process of its own."""
    return ran(["rebuild", "--sweep", "--jobs", "1", "-C", str(project), *words])


def ran(words: Sequence[str]) -> Taken:
    """`dateline` in a process of its own."""
    one = taken([sys.executable, "-m", "dateline", *words], dict(os.environ))
    if one.code:
        raise Failed(f"dateline {words[0]} ended with {one.code}: {(one.err.strip() or one.out.strip()).splitlines()[-1]}")
    return one


def content(project: Path, *words: str) -> str:
    """The content digest of a rebuild."""
    digest: str = json.loads(rebuilt(project, "--json", *words).out)["content_digest"]
    return digest


def edit(project: Path, few: int, chance: random.Random, *, all_layers: bool) -> None:
    """Change a label in some articles, wherever they stand; or the texts, which gives them other rows in every table."""
    files = sorted((project / "seeds").glob("*.jsonl"))
    lines = [(path, number) for path in files for number in range(path.read_bytes().count(b"\n"))]
    chosen = set(chance.sample(lines, few))
    for path in files:
        with path.open("rb") as old, path.with_suffix(".new").open("wb") as new:
            for number, line in enumerate(old):
                new.write(_edited(line, all_layers=all_layers) if (path, number) in chosen else line)
        path.with_suffix(".new").replace(path)


def _edited(line: bytes, *, all_layers: bool) -> bytes:
    record = json.loads(line)
    record["mentions"][0]["adjectival"] = not record["mentions"][0].get("adjectival", False)
    if all_layers:
        record["revision"] += 1
        for name, items in record.items():
            if isinstance(items, list) and name not in {"annotation_sets", "coverage"} and items:
                items.append(items.pop(0))  # another order of rows, which is another table
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def add(project: Path, articles: int, few: int, seed: int) -> None:
    """Further articles in a file of their own."""
    with tempfile.TemporaryDirectory(dir=project.parent) as folder:
        generate(articles + few, seed, Path(folder))
        more = sorted((Path(folder) / "project" / "seeds").glob("*.jsonl"))
        lines = b"".join(path.read_bytes() for path in more).splitlines(keepends=True)[articles:]
        (project / "seeds" / f"added-{articles}.jsonl").write_bytes(b"".join(lines))
        shutil.rmtree(folder, ignore_errors=True)


# ---- what came out -------------------------------------------------------------------------------------------


def circumstances(said: argparse.Namespace, size: int) -> str:
    """The machine, the command, the corpus."""
    command = f"`python benchmarks/rebuilding.py --articles {said.articles} --seed {said.seed}`"
    return (
        f"{results.machine(_PACKAGES)}; {command}, one round: {size / 1e6:.0f} MB of JSONL. "
        "One job, no suites, no views, a release only where it says so. CPU seconds, with the start of Python, are the figure."
    )


def table(runs: dict[str, Taken]) -> list[str]:
    """What each took, as lines of Markdown."""
    whole = runs["from nothing"]
    lines = ["| | CPU s | of one from nothing | wall s | peak MB |", "|---|--:|--:|--:|--:|"]
    for name, one in runs.items():
        lines.append(f"| {name} | {one.cpu:.1f} | {one.cpu / whole.cpu:.1%} | {one.seconds:.1f} | {one.peak / 1e6:,.0f} |")
    return lines


def verdicts(runs: dict[str, Taken], *, same: bool) -> Iterator[str]:
    """What is to be reached, and whether it is."""
    yield f"- the bytes after all edits are {'' if same else '**not** '}those of a rebuild from nothing"
    for name in (
        "1 % edited all over, in one layer",
        "1 % edited all over, in every layer",
        "1 % added",
        "1 % added to a release",
    ):
        share = runs[name].cpu / runs["from nothing"].cpu
        yield f"- {'met' if share <= 0.05 else '**not met**'}: {name}, at most 5 % of a rebuild from nothing: {share:.1%}"


if __name__ == "__main__":
    sys.exit(main())
