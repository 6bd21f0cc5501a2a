"""What `dateline verify` takes for a release, against `sha256sum` on the same files.

    python benchmarks/verify.py --megabytes 1000 --files 16 --write

A release of one table is made, whose files are random and do not compress. Both are processes of their own, in turns, after
the files were read once, so that neither waits for the disk: `sha256sum --check`, which only hashes, and
`dateline verify`, which also reads every footer and compares what the descriptions say. What starting Python and
its imports take is in it, and told besides: `dateline verify` on a release of a few rows.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import results
from dateline.describe.card import card
from dateline.licences import Licences
from dateline.manifest import CARD, Manifest, TableFacts, content_digest, whole_digest
from dateline.manifest import NAME as MANIFEST
from dateline.project import Settings
from dateline.publication import sums
from measure import Taken, taken

RESULTS = Path(__file__).parent / "RESULTS.md"
_FEATURES = [{"name": "article_id", "dtype": "string"}, {"name": "noise", "dtype": "string"}]
_CHARACTERS = 1 << 12
"""Of one row."""


def make(folder: Path, megabytes: float, files: int, seed: int) -> int:
    """Write a release of `files` files of about `megabytes` in all into a folder; its bytes."""
    random = np.random.default_rng(seed)
    (folder / "articles").mkdir(parents=True)
    rows = max(1, int(megabytes * 1e6 / files / _CHARACTERS))
    entries = []
    for number in range(files):
        noise = random.integers(33, 127, (rows, _CHARACTERS), dtype=np.uint8)
        columns = [[f"a{number}-{row}" for row in range(rows)], [line.tobytes().decode() for line in noise]]
        path = folder / "articles" / f"train-s{number:04}-b00.parquet"
        pq.write_table(
            pa.table(dict(zip(("article_id", "noise"), columns, strict=True))), path, compression="none", use_dictionary=False
        )
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        entries.append(
            {"path": f"articles/{path.name}", "split": "train", "sha256": digest, "bytes": path.stat().st_size, "rows": rows}
        )
    table = TableFacts(rows * files, {"train": rows * files}, {}, "0" * 64, _FEATURES, entries)
    _describe(folder, table)
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _describe(folder: Path, table: TableFacts) -> None:
    tables = {"articles": table}
    digest = content_digest([(file["path"], file["sha256"]) for file in table.files], {"articles": _FEATURES})
    facts = {
        "articles": table.rows, "groups": 1, "withheld": 0, "content_digest": digest, "date": "", "last": "", "yanked": "",
        "retracted": [], "key": None, "licences": Licences("", "", {}, {}),
    }  # fmt: skip
    columns = {"articles": [(feature["name"], "string", "", False) for feature in _FEATURES]}
    said = card(Settings("noise"), tables, {"articles": _FEATURES}, columns, {"articles": ("Noise", "Noise.")}, digest, facts)
    raw = said.encode()
    entry = {"path": CARD, "sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)}
    whole = whole_digest({"articles": table.logical_digest})
    splits = {"mode": "given", "quotas": {"train": 1.0}}
    manifest = Manifest("noise", "0.0.0", "articles", digest, whole, tables, entry, splits, {}, {})
    (folder / CARD).write_bytes(raw)
    (folder / MANIFEST).write_bytes(manifest.encode())


def measured(folder: Path, repeat: int) -> tuple[list[Taken], list[Taken]]:
    """What `sha256sum` and `verify` take on a release, in turns."""
    listed = folder.parent / f"{folder.name}.sums"
    files = {
        path.relative_to(folder).as_posix(): (hashlib.sha256(path.read_bytes()).hexdigest(), 0)
        for path in folder.rglob("*")
        if path.is_file()
    }
    listed.write_text(sums(files))
    plain, ours = [], []
    for _ in range(repeat):
        plain.append(_done(["sh", "-c", f"cd {folder} && exec sha256sum --check --quiet {listed}"]))
        ours.append(_done([sys.executable, "-m", "dateline", "verify", str(folder), "--json"]))
    return plain, ours


def _done(command: Sequence[str]) -> Taken:
    done = taken(command)
    if done.code:
        raise SystemExit(f"{command[0]} ended with {done.code}: {done.err or done.out}")
    return done


def section(size: int, files: int, plain: Sequence[Taken], ours: Sequence[Taken], start: Sequence[Taken]) -> results.Section:
    """What was found, as a section of RESULTS.md."""
    begun = statistics.median(run.seconds for run in start)
    lines = [
        f"{results.machine(('dateline', 'pyarrow', 'cryptography'))}; medians of {len(ours)} rounds, files in the page cache.",
        "",
    ]
    lines += ["| | wall s | CPU s | MB/s | against sha256sum |", "|---|--:|--:|--:|--:|"]
    base = statistics.median(run.seconds for run in plain)
    for name, runs, less in (
        ("sha256sum", plain, 0.0),
        ("dateline verify", ours, 0.0),
        ("the same, less its start", ours, begun),
    ):
        wall = statistics.median(run.seconds for run in runs) - less
        cpu = statistics.median(run.cpu for run in runs)
        lines.append(f"| {name} | {wall:.2f} | {cpu:.2f} | {size / 1e6 / wall:,.0f} | {base / wall:.2f} x |")
    lines += ["", f"Of that, starting Python, as on a release of a few rows: {begun:.2f} s."]
    return results.Section(f"verify: {size / 1e6:,.0f} MB in {files} files", "\n".join(lines))


def main(words: Sequence[str] | None = None) -> None:
    """Make a release, verify it both ways, print what that took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=1000)
    parser.add_argument("--files", type=int, default=16)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the section into RESULTS.md")
    said = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="dateline-bench-") as folder:
        size = make(Path(folder) / "release", said.megabytes, said.files, said.seed)
        make(Path(folder) / "few", 0.01, 1, said.seed)
        plain, ours = measured(Path(folder) / "release", said.repeat)
        _, start = measured(Path(folder) / "few", said.repeat)
    found = section(size, said.files, plain, ours, start)
    print(found.text)
    if said.write:
        results.put(RESULTS, found)


if __name__ == "__main__":
    main()
