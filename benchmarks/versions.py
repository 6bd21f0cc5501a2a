"""What a second version costs: to find what changed, and to publish it, after 1 % of the articles were edited or appended.

    python benchmarks/versions.py --articles 100000 --write

A synthetic project: articles of 150 to 250 made-up words, eight mentions and three claims each, all released as 0.1.0. From there
two second versions, stamped as `release` stamps them: one with 1 % edited, scattered (a mention relabelled, its span moved, a
number changed, a mention added, one removed, in turn), one with 1 % appended. Compiles and diffs are processes of their own,
measured by the operating system. Bytes to publish are told for stores of whole files, and for stores that cut files into chunks
by their content and send new ones.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, cycle
from pathlib import Path
from typing import Any

import results
from measure import Taken, taken

RESULTS = Path(__file__).parent / "RESULTS.md"
JOBS = 2
EDITS = {  # kind of change -> table and row
    "relabelled": ("mentions", "m1"),
    "span-moved": ("mentions", "m1"),
    "value-changed": ("claims", "c1"),
    "annotation-added": ("mentions", "m9"),
    "annotation-removed": ("mentions", "m8"),
}
_IN_ONE_SEED_FILE = 1_000
_CHUNK: dict[str, Any] = {"avg_size": 64 * 1024, "min_size": 8 * 1024, "max_size": 128 * 1024}  # as the Hub's Xet cuts
_LABELS = ("PER", "ORG", "LOC", "MISC")
_CERTAINTY = ("certain", "probable", "possible")

Change = tuple[str, str, str, str | None]
"""Kind, table, article, row."""
Runner = Callable[..., Taken]
"""Runs one of WAYS on folders."""


# ---- the project ---------------------------------------------------------------------------------------------


def _layer(name: str, key: str, prefix: str, **columns: Any) -> dict[str, Any]:
    described = {column: {"description": column, **form} for column, form in columns.items()}
    return {
        "title": name, "description": f"Synthetic {name}.", "type": "object", "x-prefix": prefix,
        "properties": {key: {"type": "string", "description": "Local id.", "x-key": True}, **described},
        "required": [key, *columns], "additionalProperties": False,
    }  # fmt: skip


SCHEMAS = {
    "mentions": _layer(
        "mentions", "mention_id", "m", spans={"x-span": "many", "minItems": 1}, label={"type": "string", "enum": list(_LABELS)}
    ),
    "claims": _layer(
        "claims", "claim_id", "c", mention_id={"type": "string", "x-ref": "mentions"},
        certainty={"type": "string", "enum": list(_CERTAINTY)}, number={"type": "integer"},
    ),
}  # fmt: skip


class Corpus:
    """Articles by their number: the same ones for the same seed."""

    def __init__(self, seed: int, vocabulary: int = 20_000) -> None:
        self._seed = seed
        chance = random.Random(seed)
        syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "ai", "or", "en")]
        self._words = ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(vocabulary)]
        self._weights = list(accumulate(1 / rank for rank in range(1, vocabulary + 1)))  # as words of a language are spread

    def record(self, number: int, edit: str = "") -> dict[str, Any]:
        """One article with its annotations; `edit` is what is changed in it, one of EDITS."""
        chance = random.Random(f"{self._seed}-{number}")
        words = chance.choices(self._words, cum_weights=self._weights, k=chance.randint(150, 250))
        starts = list(accumulate((len(word) + 1 for word in words), initial=0))
        # every second word at most, so that a span which grows by a word meets no other
        places = sorted(chance.sample(range(0, len(words) - 1, 2), 9))
        mentions: list[dict[str, Any]] = [
            {"mention_id": f"m{n}", "spans": [{"start": starts[at], "end": starts[at + 1] - 1}], "label": chance.choice(_LABELS)}
            for n, at in enumerate(places, 1)
        ]
        claims: list[dict[str, Any]] = [
            {"claim_id": f"c{n}", "mention_id": f"m{chance.randint(1, 7)}", "certainty": chance.choice(_CERTAINTY),
             "number": chance.randint(1, 100_000)}
            for n in range(1, 4)
        ]  # fmt: skip
        if edit == "relabelled":
            mentions[0]["label"] = _LABELS[_LABELS.index(mentions[0]["label"]) - 1]
        elif edit == "span-moved":
            mentions[0]["spans"] = [{"start": starts[places[0]], "end": starts[places[0] + 2] - 1}]
        elif edit == "value-changed":
            claims[0]["number"] += 1
        mentions = mentions[: {"annotation-added": 9, "annotation-removed": 7}.get(edit, 8)]
        rights = {"text_redistributable": True}
        text = {"content": " ".join(words)}
        return {"article_id": article_id(number), "text": text, "rights": rights, "mentions": mentions, "claims": claims}


def article_id(number: int) -> str:
    """The id of an article; their order is none in which they were made."""
    return f"{hashlib.sha256(str(number).encode()).hexdigest()[:4]}-{number:07}"


def write_project(root: Path, corpus: Corpus, count: int) -> None:
    """The project, with all articles of 0.1.0 in its ledger."""
    for folder in ("schemas", "seeds"):
        (root / folder).mkdir(parents=True)
    for name, schema in SCHEMAS.items():
        (root / "schemas" / f"{name}.schema.json").write_text(json.dumps(schema), encoding="utf-8")
    settings = '[tool.dateline]\nname = "bench"\n\n[tool.dateline.splits]\nnear_duplicates = false\n'
    (root / "pyproject.toml").write_text(settings, encoding="utf-8")
    write_seeds(root, corpus, range(count), {})
    write_ledger(root, count)


def write_seeds(root: Path, corpus: Corpus, numbers: range, edits: Mapping[int, str]) -> None:
    """The records, in files of a thousand."""
    for first in numbers[::_IN_ONE_SEED_FILE]:
        some = range(first, min(first + _IN_ONE_SEED_FILE, numbers.stop))
        with (root / "seeds" / f"{first:07}.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(corpus.record(number, edits.get(number, ""))) + "\n" for number in some)


def write_ledger(root: Path, count: int, edited: Collection[int] = (), appended: range = range(0), shards: int = 0) -> None:
    """The ledger as `release` leaves it, but for digests, which a build does not ask for.

    `shards` says how many the first segment was cut into, once that is known.
    """
    from dateline.ledger import Entry, Ledger, Release

    def entry(number: int, segment: int, version: str) -> Entry:
        name, split = article_id(number), ("train",) * 8 + ("validation", "test")
        return Entry(name, split[number % 10], name, segment, version, "0.2.0" if number in edited else None)

    bits = {"1": (shards - 1).bit_length()} if shards else {}
    releases = [Release("0.1.0", "2026-01-01", "minor", "", "", count, bits)]
    if edited or appended:
        releases.append(Release("0.2.0", "2026-02-01", "minor", "", "", count + len(appended)))
    made = [*(entry(n, 1, "0.1.0") for n in range(count)), *(entry(n, 2, "0.2.0") for n in appended)]
    ledger = Ledger(tuple(releases), {}, {one.article_id: one for one in made})
    (root / "seeds" / "ledger.jsonl").write_bytes(ledger.encode())


# ---- what is measured ----------------------------------------------------------------------------------------


def compile_(root: Path) -> None:
    """A full compile, as `dateline rebuild` does it."""
    from dateline.engines import LocalEngine
    from dateline.pipeline import rebuild
    from dateline.project import find_project

    done = rebuild(find_project(root), LocalEngine(JOBS))
    if done.manifest is None or done.warnings:
        raise SystemExit("\n".join(str(problem) for problem in [*done.problems, *done.warnings][:5]))


def diff_(old: Path, new: Path) -> list[Change]:
    """The diff of two datasets."""
    from dateline.diff.compare import diff

    return [(change.kind, change.table, change.article_id or "", change.row) for change in diff(old, new).changes]


WAYS: dict[str, Callable[..., Any]] = {"compile": compile_, "diff": diff_}


def apart(way: str, *folders: Path) -> Taken:
    """One of WAYS in a process of its own."""
    run = taken([sys.executable, str(Path(__file__).resolve()), "--only", way, *map(str, folders)])
    if run.code:
        raise SystemExit(f"{way}: exit {run.code}\n{run.err[-2000:]}")
    return run


@dataclass(frozen=True)
class Version:
    """A second version: the folder, what it took to compile it and to find what changed, what was changed and what was found."""

    name: str
    folder: Path
    compiled: Taken
    compared: Taken
    made: list[Change]
    found: list[Change]


def versions(count: int, seed: int, work: Path, run: Runner = apart) -> tuple[Path, Taken, list[Version]]:
    """The first version, what it took to compile it, and the second versions that were made from it."""
    root, corpus, some = work / "project", Corpus(seed), max(len(EDITS), count // 100)
    write_project(root, corpus, count)
    first, compiled = _compiled(root, work / "first", run)
    shards = len({path.name.split("-")[2] for path in parquet_files(first).values()})

    chosen = sorted(random.Random(seed).sample(range(count), some))
    edits = dict(zip(chosen, cycle(EDITS), strict=False))
    made: list[tuple[str, list[Change], Callable[[], None]]] = [
        ("edited", [_change(number, edit) for number, edit in edits.items()], lambda: _edit(root, corpus, count, edits, shards)),
        (
            "appended",
            [("article-added", "articles", article_id(number), None) for number in range(count, count + some)],
            lambda: _append(root, corpus, count, some, shards),
        ),
    ]
    told = []
    for name, changes, change in made:
        change()
        folder, again = _compiled(root, work / name, run)
        compared = run("diff", first, folder)
        found: list[Change] = [(kind, table, article, row) for kind, table, article, row in json.loads(compared.out)]
        told.append(Version(name, folder, again, compared, changes, found))
    return first, compiled, told


def _compiled(root: Path, to: Path, run: Runner) -> tuple[Path, Taken]:
    """The dataset compiled from nothing, and put elsewhere."""
    took = run("compile", root)
    return (root / "dataset").rename(to), took


def _change(number: int, edit: str) -> Change:
    table, row = EDITS[edit]
    return edit, table, article_id(number), row


def _edit(root: Path, corpus: Corpus, count: int, edits: Mapping[int, str], shards: int) -> None:
    write_seeds(root, corpus, range(count), edits)
    write_ledger(root, count, edited=edits.keys(), shards=shards)


def _append(root: Path, corpus: Corpus, count: int, some: int, shards: int) -> None:
    write_seeds(root, corpus, range(count + some), {})
    write_ledger(root, count, appended=range(count, count + some), shards=shards)


# ---- bytes to publish ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bytes:
    """Of a version: all its Parquet files; those that are new; the chunks of these that no file of the version before has."""

    all: int
    files: int
    chunks: int


def parquet_files(folder: Path) -> dict[str, Path]:
    """The data files of a dataset, by digest."""
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in sorted(folder.rglob("*.parquet"))}


def to_publish(old: Path, new: Path) -> Bytes:
    """What a store that has OLD is sent for NEW."""
    before, after = parquet_files(old), parquet_files(new)
    fresh = [path for digest, path in after.items() if digest not in before]
    known = {digest for path in before.values() for digest, _ in chunks(path)}
    sent = {digest: size for path in fresh for digest, size in chunks(path) if digest not in known}
    return Bytes(_size(after.values()), _size(fresh), sum(sent.values()))


def chunks(path: Path) -> Iterator[tuple[bytes, int]]:
    """Digest and size of the chunks of a file, cut by its content."""
    from pyfastcdc import FastCDC

    for chunk in FastCDC(**_CHUNK).cut_file(path):
        yield hashlib.blake2b(chunk.data, digest_size=20).digest(), chunk.length


def rewritten(folder: Path, to: Path, **options: Any) -> Path:
    """The same tables in another folder, in the same row groups, written with other options of Parquet."""
    import pyarrow.parquet as pq

    from dateline.parquet import OPTIONS

    for path in sorted(folder.rglob("*.parquet")):
        target = to / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetFile(path) as file, pq.ParquetWriter(target, file.schema_arrow, **{**OPTIONS, **options}) as writer:
            for number in range(file.num_row_groups):
                table = file.read_row_group(number).combine_chunks()
                writer.write_table(table, row_group_size=max(1, table.num_rows))
    return to


def _size(paths: Collection[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


# ---- words ---------------------------------------------------------------------------------------------------


def costs(first: Path, versions_: Sequence[Version]) -> list[str]:
    """What diffs took, as lines of Markdown."""
    lines = [
        "| 1 % | changes found | files of one side alone | full compile, CPU s | diff, CPU s | share | diff, wall s "
        "| diff, peak MB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    before = parquet_files(first)
    for one in versions_:
        after, (whole, part) = parquet_files(one.folder), (one.compiled, one.compared)
        alone = len(before.keys() ^ after.keys())  # the others are skipped by digest
        lines.append(
            f"| {one.name} | {len(one.found):,} of {len(one.made):,} | {alone} of {len(before)} + {len(after)} | {whole.cpu:.1f} "
            f"| {part.cpu:.1f} | {part.cpu / whole.cpu:.1%} | {part.seconds:.1f} | {part.peak / 1e6:,.0f} |"
        )
    return lines


def sent(published: Mapping[tuple[str, bool], Bytes]) -> list[str]:
    """What is to be published, as lines of Markdown; keys are the version, and whether its pages are cut by content."""
    lines = [
        "| 1 % | pages cut by content | all files, MB | new files, MB | share | new chunks, MB | share |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for (name, cut), size in published.items():
        lines.append(
            f"| {name} | {'yes' if cut else 'no'} | {size.all / 1e6:.1f} | {size.files / 1e6:.2f} | {size.files / size.all:.1%} "
            f"| {size.chunks / 1e6:.2f} | {size.chunks / size.all:.1%} |"
        )
    return lines


def measured(count: int, seed: int, work: Path, run: Runner = apart) -> str:
    """All of it, as Markdown. Ends with exit 1 if a diff does not find exactly what was changed."""
    first, compiled, made = versions(count, seed, work, run)
    for one in made:
        if sorted(map(str, one.found)) != sorted(map(str, one.made)):
            raise SystemExit(f"{one.name}: {len(one.made)} changes were made, and {len(one.found)} found, which are not the same")
    published = {}
    plain = rewritten(first, work / "first-plain", use_content_defined_chunking=False)
    for one in made:
        published[one.name, True] = to_publish(first, one.folder)
        other = rewritten(one.folder, work / f"{one.name}-plain", use_content_defined_chunking=False)
        published[one.name, False] = to_publish(plain, other)
    base = parquet_files(first)
    return "\n".join([
        f"{results.machine(('dateline', 'pyarrow', 'duckdb', 'pyfastcdc'))}; `python benchmarks/versions.py --articles {count} "
        f"--seed {seed}`: {count:,} articles of 150 to 250 made-up words, 8 mentions and 3 claims each, in seed files of "
        f"{_IN_ONE_SEED_FILE:,}; {len(base)} Parquet files of {_size(base.values()) / 1e6:.1f} MB, in segment 1; {JOBS} jobs; "
        "near-duplicates are not looked for, and there are no suites, both of which make a compile dearer. The first version "
        f"took {results.costs_line([compiled])} to compile. CPU seconds, of all processes and with the start of Python, are the "
        "figure; others used the machine, so wall seconds are noisy.",
        "", *costs(first, made), "",
        "Bytes of Parquet to publish (manifest, card and list of versions go besides): new files are what a folder or a bucket "
        "is sent, new chunks what a store is sent that cuts files by content into chunks of about 64 KB and keeps each once "
        "(FastCDC from 8 to 128 KB; the Hub's Xet cuts by a hash of its own into chunks of these sizes). Pages cut by content "
        "are how Dateline writes; the other rows are the same tables written without:",
        "", *sent(published),
    ])  # fmt: skip


def main() -> None:
    """Measure, print, and keep with --write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="keep the tables in RESULTS.md")
    parser.add_argument("--only", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("folders", type=Path, nargs="*", help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.only:
        print(json.dumps(WAYS[said.only](*said.folders)))
        return
    with tempfile.TemporaryDirectory(prefix="dateline-bench-") as work:
        body = measured(said.articles, said.seed, Path(work))
    print(body)
    if said.write:
        results.put(RESULTS, results.Section("Second versions", body + "\n"))


if __name__ == "__main__":
    main()
