"""What the process of a rebuild that plans holds, by number of articles: nothing released yet, and all of them.

    python benchmarks/planning.py --articles 200000 1000000 2000000 --write

Each run is a process of its own. It is given what workers give it: the index of files of 2,000 articles, and their signatures,
drawn as `signature_cost.py` draws them; then it does what `dateline rebuild` does before shards are compiled. Where all are
released, a ledger of them is read first. Records themselves are not made, so that a million take a minute.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # whoever starts a process to measure it must be small
    from dateline.compile.index import Indexed
    from dateline.compile.plan import Plan

RESULTS = Path(__file__).parent / "RESULTS.md"
IN_ONE_FILE = 2_000
_PUBLISHERS = ("easternregister", "halyardnews", "thequaypost", "synioobriy")
_FIRST_DAY = datetime.date(2024, 1, 1)

Figures = dict[str, float]


def pieces(articles: int, seed: int, folder: Path, in_one_file: int = IN_ONE_FILE) -> Iterator[Indexed]:
    """The index of each seed file of a corpus of made-up articles, whose signatures are files in `folder`.

    Ids, groups and sizes are like those of `corpus_generator.py`: stories of three, 11 kB an article.
    """
    import pyarrow as pa

    from dateline.compile.index import INDEX_SCHEMA, Indexed
    from signature_cost import drawn

    for first in range(0, articles, in_one_file):
        signatures = drawn(min(in_one_file, articles - first), seed + first)
        rows = []
        for number in range(len(signatures)):
            article, name = first + number, f"seeds/{first:07}.jsonl"
            digest = hashlib.sha256(f"{seed}-{article}".encode()).digest()
            day = _FIRST_DAY + datetime.timedelta(days=article // 3 % 900)
            rows.append({
                "article_id": f"{_PUBLISHERS[digest[0] % 4]}-{day:%Y%m%d}-{digest.hex()[:12]}",
                "group": f"story-{article // 3:07}", "withheld": False, "record_sha256": digest, "text_sha256": digest,
                "signature": number, "size": 11_000, "file": name, "plain": f"/home/somebody/corpus/{name}", "line": number + 1,
                "offset": number * 11_000, "length": 11_000, "raw_digest": digest[:16],
            })  # fmt: skip
        path = folder / f"signatures-{first}"
        path.write_bytes(signatures.astype("<u4").tobytes())
        yield Indexed(pa.Table.from_pylist(rows, schema=INDEX_SCHEMA), signatures=path)


def planned(indexed: Iterable[Indexed], folder: Path) -> tuple[Figures, Plan]:
    """Plan a corpus in `folder`, with the ledger there if there is one: the largest resident set (bytes) up to each step, CPU."""
    from dateline import pipeline  # all that a rebuild imports
    from dateline.compile.index import digest_of_records, gather
    from dateline.compile.plan import plan
    from dateline.compile.signature import signing_of
    from dateline.ledger import read_ledger
    from dateline.project import Splits

    assert pipeline
    found: Figures = {"begin": _peak()}
    began = time.process_time()
    ledger = read_ledger(folder / "ledger.jsonl")
    found |= {"ledger": _peak(), "ledger_cpu": time.process_time() - began}
    index, signatures = gather(indexed, folder, signing_of(Splits()))
    found["index"] = _peak()
    began = time.process_time()
    digest_of_records(index.table)
    index.forget()
    made = plan(
        index.table, ledger.articles, Splits(), ledger.bits, signatures=signatures, spill=folder, forget=index.forget
    )  # fmt: skip
    found |= {"plan": _peak(), "plan_cpu": time.process_time() - began, "shards": len(made.shards)}
    return found, made


def release(articles: int, seed: int, folder: Path) -> Figures:
    """Plan a corpus of which nothing is released, then write a ledger that says that all of it was."""
    from dateline.ledger import Articles, Entry, Ledger, Release

    found, made = planned(pieces(articles, seed, folder), folder)

    def entries() -> Iterator[Entry]:
        for shard in made.shards:
            for row in shard.articles.to_pylist():
                digests = row["record_sha256"].hex(), row["text_sha256"].hex()
                yield Entry(row["article_id"], row["split"], row["group"], shard.segment, "0.1.0", None, *digests)

    bits = {str(shard.segment): shard.bits for shard in made.shards}
    said = Release("0.1.0", "2026-11-29", "minor", "c" * 64, "d" * 64, articles, bits)
    (folder / "ledger.jsonl").write_bytes(Ledger((said,), {}, Articles(entries())).encode())
    return found


def _peak() -> int:
    """The largest resident set of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(words: Sequence[str] | None = None) -> None:
    """Plan a corpus of each size twice, print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, nargs="+", default=[200_000, 1_000_000, 2_000_000])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="keep the table in RESULTS.md")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args(words)
    if said.folder:
        (size,) = said.articles
        if (said.folder / "ledger.jsonl").exists():
            print(json.dumps(planned(pieces(size, said.seed, said.folder), said.folder)[0]))
        else:
            print(json.dumps(release(size, said.seed, said.folder)))
        return

    from measure import taken

    figures: dict[int, list[Figures]] = {}
    for size in said.articles:
        with tempfile.TemporaryDirectory(prefix="dateline-bench-") as folder:
            for _ in ("nothing is released", "all is"):
                done = taken([
                    sys.executable, __file__, "--articles", str(size), "--seed", str(said.seed), "--folder", folder
                ])  # fmt: skip
                if done.code:
                    sys.exit(done.err)
                figures.setdefault(size, []).append(json.loads(done.out))

    import results

    sizes = " ".join(map(str, said.articles))
    head = (
        f"{results.machine(('dateline', 'numpy', 'pyarrow'))}; `python benchmarks/planning.py --articles {sizes} --seed "
        f"{said.seed}`. The largest resident set of the process up to the end of each step, files that it maps included; CPU "
        "seconds of reading the ledger, and of planning."
    )
    text = "\n".join([head, "", *table(figures)])
    print(text)
    if said.write:
        results.put(RESULTS, results.Section("What planning holds", text + "\n"))


def table(figures: dict[int, list[Figures]]) -> list[str]:
    """Memory and CPU by size, as lines of Markdown."""
    lines = [
        "| articles | released | before, MB | ledger read, MB | CPU s | index gathered, MB | planned, MB | CPU s | shards |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for size, runs in figures.items():
        for released, row in zip((0, size), runs, strict=True):
            mb = {step: f"{row[step] / 1e6:,.0f}" for step in ("begin", "ledger", "index", "plan")}
            read = (mb["ledger"], f"{row['ledger_cpu']:.1f}") if released else ("", "")
            lines.append(
                f"| {size:,} | {released:,} | {mb['begin']} | {read[0]} | {read[1]} | {mb['index']} | {mb['plan']} | "
                f"{row['plan_cpu']:.1f} | {row['shards']:,.0f} |"
            )
    return lines


if __name__ == "__main__":
    main()
