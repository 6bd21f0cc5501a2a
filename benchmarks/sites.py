"""What a site costs: seconds, memory and bytes of `dateline site` on a synthetic corpus, for each 1,000 articles.

    python benchmarks/sites.py --articles 10000 --write

The corpus is that of `corpus_generator.py`, rebuilt before with one job; the site is made by one process. A tenth of the corpus
is made first, to show whether memory grows with it. CPU seconds, with the start of Python, are the figure.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import results
from corpus_generator import write_project
from measure import Taken, taken

RESULTS = Path(__file__).parent / "RESULTS.md"
_DATELINE = (sys.executable, "-m", "dateline")


@dataclass(frozen=True)
class Made:
    """One site: of how many articles, what it took, and its bytes and files by what they are."""

    articles: int
    took: Taken
    kinds: dict[str, tuple[int, int]]
    largest: int
    """Bytes of the largest page."""


def measured(articles: int, seed: int, work: Path) -> Made:
    """Make a corpus of that many articles, and its site. Raises SystemExit where either fails."""
    project, out = work / f"project-{articles}", work / f"site-{articles}"
    write_project(project, articles, seed)
    _done(taken([*_DATELINE, "rebuild", "-C", str(project), "-j", "1"]))
    took = _done(taken([*_DATELINE, "site", "-C", str(project), "--out", str(out)]))
    kinds: dict[str, tuple[int, int]] = {}
    largest = 0
    for path in out.rglob("*"):
        if path.is_file():
            size = path.stat().st_size
            kind = _kind(path.relative_to(out))
            files, total = kinds.get(kind, (0, 0))
            kinds[kind] = (files + 1, total + size)
            largest = max(largest, size if path.suffix == ".html" else 0)
    return Made(articles, took, kinds, largest)


def _done(took: Taken) -> Taken:
    if took.code:
        raise SystemExit(f"a command failed:\n{took.out}{took.err}")
    return took


def _kind(path: Path) -> str:
    first = path.parts[0]
    if first == "articles":
        return "articles" if len(path.parts) == 3 else "lists of articles"
    return {"search": "search index", "rows": "index of rows"}.get(
        first, first if len(path.parts) > 1 else "other pages, sheet and script"
    )


def table(made: Sequence[Made]) -> Iterator[str]:
    """What each took, and the bytes of the last."""
    yield "| articles | CPU s | CPU s for 1,000 | wall s | peak MB | pages and indexes, MB | MB for 1,000 | largest page, kB |"
    yield "|--:|--:|--:|--:|--:|--:|--:|--:|"
    for one in made:
        size = sum(total for _, total in one.kinds.values())
        thousands = one.articles / 1000
        yield (
            f"| {one.articles:,} | {one.took.cpu:.1f} | {one.took.cpu / thousands:.1f} | {one.took.seconds:.1f} "
            f"| {one.took.peak / 1e6:.0f} | {size / 1e6:.0f} | {size / 1e6 / thousands:.1f} | {one.largest / 1e3:.0f} |"
        )
    yield ""
    yield "| of the last | files | MB |"
    yield "|---|--:|--:|"
    for kind, (files, total) in sorted(made[-1].kinds.items(), key=lambda pair: -pair[1][1]):
        yield f"| {kind} | {files:,} | {total / 1e6:.1f} |"


def main() -> None:
    """Measure, print, and with --write keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the section into RESULTS.md")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dateline-") as work:
        made = [measured(n, said.seed, Path(work)) for n in (max(1, said.articles // 10), said.articles)]
    circumstances = (
        f"{results.machine(('dateline', 'jinja2', 'pyarrow'))}; `python benchmarks/sites.py --articles {said.articles} "
        f"--seed {said.seed}`, one round, one process."
    )
    section = results.Section("Site", "\n".join([circumstances, "", *table(made)]))
    print(section.text)
    if said.write:
        results.put(RESULTS, section)


if __name__ == "__main__":
    main()
