"""What publishing costs: requests and bytes of a first release, and of the next one after 1 % of the articles were appended.

    python benchmarks/publishing.py --articles 10000 --write

A synthetic project (`versions.py`), released twice by `dateline release`, is published to a folder, to a double of S3 (moto), to
one of the Hub and to a double of Zenodo's API, by the real clients. Requests are those that reach the double, the ones that
read everything back among them; bytes sent are those of their bodies. To a folder, bytes are those of files that are copied; the
others are links.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import results
import versions

if TYPE_CHECKING:
    from dateline.project import Project

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "RESULTS.md"
NAMES = {"folder": "a folder", "s3": "S3 (moto)", "hf": "the Hub (double)", "zenodo": "Zenodo (double)"}


@dataclass(frozen=True)
class Cost:
    """Of one publish: requests in all, those that only read, files and bytes sent, files that the target had."""

    requests: int
    reading: int
    files: int
    sent: int
    spared: int


def released(articles: int, seed: int, work: Path) -> tuple[Project, Project]:
    """The project at its first release, and at the next one, to which 1 % was appended."""
    from dateline.engines import LocalEngine
    from dateline.project import find_project
    from dateline.releasing import release

    now, corpus = work / "now", versions.Corpus(seed)
    versions.write_project(now, corpus, articles)
    (now / "seeds" / "ledger.jsonl").unlink()
    settings = now / "pyproject.toml"
    settings.write_text('[tool.dateline]\nname = "bench"\ntitle = "Bench"\nsummary = "Synthetic."\nlicense = "CC0-1.0"\n'
                        "\n[tool.dateline.splits]\nnear_duplicates = false\n", encoding="utf-8")  # fmt: skip
    (now / "CITATION.cff").write_text('cff-version: 1.2.0\nmessage: "Cite."\ntitle: Bench\nauthors:\n  - name: "Nobody"\n')
    made = []
    for number, count in enumerate((articles, articles + max(articles // 100, 1))):
        versions.write_seeds(now, corpus, range(count), {})
        if not release(find_project(now), LocalEngine(versions.JOBS), allow_dirty=True).success:
            raise SystemExit("the release of the synthetic project failed")
        made.append(find_project(shutil.copytree(now, work / str(number))))
    return made[0], made[1]


def measured(first: Project, second: Project, work: Path) -> Iterator[tuple[str, list[Cost]]]:
    """By target, the costs of both releases."""
    from publish.doubles import running

    with running(work) as doubles:
        doubles.store.make("bench")
        targets: dict[str, tuple[str, Any]] = {
            "folder": (str(work / "target"), None),
            "s3": ("s3://bench/corpus", doubles.to_store),
            "hf": ("hf://org/bench", doubles.to_hub),
            "zenodo": ("zenodo://", doubles.to_zenodo),
        }
        for name, (words, proxy) in targets.items():
            costs = []
            for project in (first, second):
                if proxy:
                    proxy.start()
                done = doubles.driver.published(project, words)
                log = proxy.log if proxy else []
                sent = proxy.sent if proxy else done["bytes"]
                reading = sum(one.method in ("GET", "HEAD") for one in log)
                costs.append(Cost(len(log), reading, len(done["files"]), sent, len(done["reused"]) + len(done["kept"])))
            yield name, costs


def table(found: dict[str, list[Cost]], sizes: list[tuple[int, int]]) -> list[str]:
    """The costs as a table."""
    lines = [
        "| to | release | requests | of these reading | files sent | bytes sent | share of the release | files not sent again |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, costs in found.items():
        for which, cost, (_, size) in zip(("first", "1 % appended"), costs, sizes, strict=True):
            requests = f"{cost.requests:,} | {cost.reading:,}" if cost.requests else "none | none"
            share = f"{cost.sent / size:.1%}"
            lines.append(f"| {NAMES[name]} | {which} | {requests} | {cost.files:,} | {cost.sent:,} | {share} | {cost.spared:,} |")
    return lines


def main() -> None:
    """Measure, print, and keep with --write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="keep the table in RESULTS.md")
    said = parser.parse_args()
    sys.path.append(str(REPOSITORY / "tests"))  # the doubles
    from dateline.publication import stage

    with tempfile.TemporaryDirectory(prefix="dateline-bench-") as folder:
        work = Path(folder)
        first, second = released(said.articles, said.seed, work)
        forms = [stage(project, work / f"form{number}").files for number, project in enumerate((first, second))]
        sizes = [(len(files), sum(size for _, size in files.values())) for files in forms]
        body = "\n".join([
            f"{results.machine(('dateline', 'huggingface_hub', 's3fs'))}; `python benchmarks/publishing.py --articles "
            f"{said.articles} --seed {said.seed}`: {said.articles:,} articles, then 1 % more; the first release has "
            f"{sizes[0][0]} files of {sizes[0][1]:,} bytes, the second {sizes[1][0]} of {sizes[1][1]:,}. Requests include those "
            "that read everything back. To the Hub, small files travel inside the commit, in base64; to Zenodo goes one archive.",
            "", *table(dict(measured(first, second, work)), sizes),
        ])  # fmt: skip
    print(body)
    if said.write:
        results.put(RESULTS, results.Section("Publishing", body + "\n"))


if __name__ == "__main__":
    main()
