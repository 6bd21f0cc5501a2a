"""What near-duplicates cost: signing texts, grouping signatures, and signing again what has not changed.

    python benchmarks/signature_cost.py --write

Each size is a process of its own. Texts are those of `corpus_generator.py`; making them is not counted. At sizes for which that
would take hours signatures are drawn: random numbers, of which three in a hundred are those of an earlier one with some numbers
changed, as in that corpus. Grouping does not look at anything else.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "RESULTS.md"
COPIES = 0.03
_CHANGED = 12  # numbers of 128: a copy has some 0.9 of its shingles in common with its original

Figures = dict[str, float]


def signing(articles: int, seed: int) -> Figures:
    """Sign and group synthetic texts."""
    import numpy as np

    from corpus_generator import record
    from dateline.compile.signature import sign, signing_of
    from dateline.project import Splits

    how, seconds, made, characters = signing_of(Splits()), 0.0, [], 0
    for number in range(articles):
        text = record(seed, number)["text"]["content"]
        characters += len(text)
        began = time.process_time()
        made.append(sign(text, how) or b"")
        seconds += time.process_time() - began
    signatures = np.frombuffer(b"".join(made), "<u4").reshape(articles, -1)
    return {"characters": characters / articles, "signing": seconds, **_grouped(signatures)}


def grouping(articles: int, seed: int) -> Figures:
    """Group drawn signatures."""
    return _grouped(drawn(articles, seed))


def drawn(articles: int, seed: int) -> Any:
    """Drawn signatures: uint32 [articles, numbers]."""
    import numpy as np

    from dateline.project import Splits

    chance = np.random.default_rng(seed)
    signatures = chance.integers(0, 1 << 32, (articles, Splits().num_perm), np.uint32)
    copied = np.flatnonzero(chance.random(articles) < COPIES)
    signatures[copied] = signatures[np.maximum(copied - chance.integers(1, 1_000, len(copied)), 0)]
    where = chance.integers(0, Splits().num_perm, (len(copied), _CHANGED))
    signatures[copied[:, None], where] = chance.integers(0, 1 << 32, where.shape, np.uint32)
    return signatures


def _grouped(signatures: Any) -> Figures:
    """Join what is near, as a plan does."""
    import numpy as np

    from dateline.compile.groups import join, near_pairs
    from dateline.project import Splits

    before, began = _peak(), time.process_time()
    labels = np.arange(len(signatures))
    for one, other in near_pairs(signatures, Splits().threshold, lambda a, b: labels[a] != labels[b]):
        join(labels, one, other)
    seconds = time.process_time() - began
    return {
        "grouping": seconds, "groups": len(np.unique(labels)), "before": before, "peak": _peak(),
        "signatures": signatures.nbytes,
    }  # fmt: skip


def again(articles: int, seed: int) -> Figures:
    """Index a file of synthetic articles: signed, not signed, and as it was the last time."""
    from corpus_generator import REPOSITORY, write_project
    from dateline.compile.index import Indexed, IndexTask, index_file
    from dateline.compile.signature import signing_of
    from dateline.project import Splits
    from dateline.schema import load_schemas

    how, sources = signing_of(Splits()), tuple(load_schemas(REPOSITORY / "schemas").sources.items())
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        write_project(root, articles, seed, articles)
        (file,) = (root / "seeds").glob("*.jsonl")

        def indexed(signed: bool, cached: Path | None) -> tuple[Indexed, float]:
            began = time.process_time()
            done = index_file(IndexTask(file, file.name, Path(folder), sources, how if signed else None, cached, True))
            return done, time.process_time() - began

        indexed(True, None)  # imports, and the first use of a library
        first, signed = indexed(True, None)
        _, unsigned = indexed(False, None)
        last, cached = indexed(True, first.kept)
        assert first.kept and first.signatures and last.signatures
        assert last.again == 0 and last.signatures.read_bytes() == first.signatures.read_bytes()
        return {"signed": signed, "unsigned": unsigned, "cached": cached, "kept": first.kept.stat().st_size}


def _peak() -> int:
    """The largest resident set of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


_PARTS: dict[str, Callable[[int, int], Figures]] = {"signing": signing, "grouping": grouping, "again": again}


def main() -> None:
    """Run each part at each size, print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, nargs="+", default=[10_000, 30_000, 90_000], help="sizes at which texts are signed")
    parser.add_argument("--drawn", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="sizes drawn")
    parser.add_argument("--again", type=int, default=2_000, help="articles of the file that is indexed again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="keep the tables in RESULTS.md")
    parser.add_argument("--part", choices=list(_PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.part:
        print(json.dumps(_PARTS[said.part](said.size, said.seed)))
        return

    from measure import taken

    def run(part: str, size: int) -> Figures:
        done = taken([sys.executable, __file__, "--part", part, "--size", str(size), "--seed", str(said.seed)])
        if done.code:
            sys.exit(done.err)
        figures: Figures = json.loads(done.out)
        return figures

    texts = {size: run("signing", size) for size in said.texts}
    drawn = {size: run("grouping", size) for size in said.drawn}
    kept = run("again", said.again)

    import results

    body = "\n".join([_head(said, results.machine(("dateline", "rensa", "numpy"))), "", *table(texts, drawn), "",
                      *_words(texts, said.again, kept)])  # fmt: skip
    print(body)
    if said.write:
        results.put(RESULTS, results.Section("Near-duplicates: what they cost", body + "\n"))


def _head(said: argparse.Namespace, machine: str) -> str:
    sizes = " ".join(map(str, said.texts)), " ".join(map(str, said.drawn))
    return (
        f"{machine}; `python benchmarks/signature_cost.py --texts {sizes[0]} --drawn {sizes[1]} --again {said.again} --seed "
        f"{said.seed}`. CPU seconds of one thread; peaks are the largest resident set of the whole process, signatures included."
    )


def table(texts: dict[int, Figures], drawn: dict[int, Figures]) -> list[str]:
    """Costs by size, as lines of Markdown."""
    lines = [
        "| articles | signatures | signing, CPU s | grouping, CPU s | groups | signatures, MB | peak before, MB | peak, MB |",
        "|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    for kind, rows in (("of texts", texts), ("drawn", drawn)):
        for size, row in rows.items():
            signed = f"{row['signing']:.2f}" if "signing" in row else ""
            memory = " | ".join(f"{row[name] / 1e6:,.0f}" for name in ("signatures", "before", "peak"))
            lines.append(f"| {size:,} | {kind} | {signed} | {row['grouping']:.2f} | {row['groups']:,.0f} | {memory} |")
    return lines


def _words(texts: dict[int, Figures], articles: int, kept: Figures) -> list[str]:
    size, largest = max(texts.items())
    million = largest["signing"] / size * 1e6
    return [
        f"A text has {largest['characters']:,.0f} characters, and signing it takes {million / 1e3:.3f} ms: at that rate a "
        f"million take {million:,.0f} CPU seconds (an extrapolation from {size:,}). Longer texts take longer.",
        "",
        f"Indexing a file of {articles:,} articles takes {kept['signed']:.2f} CPU s, without signatures {kept['unsigned']:.2f}, "
        f"and where nothing has changed since, so that signatures come from the cache, {kept['cached']:.2f} "
        f"({kept['cached'] / kept['signed']:.1%}); what is kept takes {kept['kept'] / articles:,.0f} bytes an article. Grouping "
        "is done anew each time.",
    ]


if __name__ == "__main__":
    main()
