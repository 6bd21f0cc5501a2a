"""Whether `dateline diff` tells the truth: edit scripts that know what they did, and histories whose bump an oracle computes."""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from dateline.diff.article import diff_article
from dateline.diff.bump import judged
from dateline.diff.changes import KINDS, Change, Diff
from dateline.diff.compare import diff
from dateline.diff.facts import ARTICLES, Facts, Schemas, base_tables, compare_schemas
from dateline.errors import DatelineError
from diff_proof.bump_oracle import bump
from diff_proof.corpora import Corpus, copied, flagship
from diff_proof.edit_scripts import EDITS, MANY, SCHEMA_EDITS, UNTOLD, Script, Told, replayed, script
from diff_proof.folders import manifest_of, rebuilt, write_dataset

POLICIES = ("errata", "strict")
TOLD_EDITS = tuple(name for name in EDITS if name not in UNTOLD | MANY)
ON_ONE_ROW = ("span-moved", "relabelled", "relinked", "value-changed", "id-fresh")
"""Edits that one annotation can have all of."""


# ---- what the diff says --------------------------------------------------------------------------------------


def by_folders(old: Corpus, new: Corpus, policy: str = "errata") -> Diff:
    """The diff of two datasets in folders."""
    with tempfile.TemporaryDirectory() as work:
        write_dataset(old, Path(work, "old"))
        write_dataset(new, Path(work, "new"))
        return diff(Path(work, "old"), Path(work, "new"), policy=policy)


def by_rebuild(said: Script) -> Diff | None:
    """The diff of the datasets that rebuilds make; None where a whole corpus may not be so, though each record may."""
    with tempfile.TemporaryDirectory() as work:
        built = [rebuilt(corpus, Path(work, name)) for name, corpus in (("old", said.old), ("new", said.new))]
        return None if None in built else diff(*filter(None, built), retracted=said.new.retracted)


def by_core(said: Script) -> list[Change]:
    """What the comparisons of schemas and of single articles say, without any file; rows of NEW come in another order."""
    if said.old.sources == said.new.sources:
        schemas = _same(tuple(said.old.sources))
    else:
        schemas = compare_schemas(_declared(said.old), _declared(said.new), {})
    facts, r, changes = Facts(schemas.tables), random.Random(said.name), list(schemas.changes)
    for article in sorted(said.old.records.keys() | said.new.records.keys()):
        old, new = (corpus.article_rows(article) if article in corpus.records else {} for corpus in (said.old, said.new))
        known = facts.tables.keys() & (old.keys() | new.keys())
        differ = [table for table in sorted(known) if table == ARTICLES or old.get(table) != new.get(table)]
        shuffled = {table: r.sample(new[table], len(new[table])) for table in differ if table in new}
        changes += diff_article({table: old[table] for table in differ if table in old}, shuffled, facts)
    return changes


def core_sees_all(said: Script) -> bool:
    """Whether nothing in a script needs whole tables: rows of corpus-level ones, columns that came, successors, tombstones."""
    kinds = said.kinds - {"text-edited"} | ({"superseded"} if any(edit.startswith("text-sup") for edit in said.edits) else set())
    whole = {"superseded", "article-retracted", "column-added", "column-renamed"}
    corpus_level = said.new.schemas.tables.keys() | said.old.schemas.tables.keys()
    rows = any(
        told_.article_id is None and told_.row and told_.table in corpus_level for told_ in said.told if told_.kind in ROWS
    )
    return not kinds & whole and not rows


ROWS = KINDS[KINDS.index("annotation-added") : KINDS.index("table-added")]


def _declared(corpus: Corpus) -> dict[str, Any]:
    return base_tables(manifest_of(corpus), "the corpus")


@cache
def _same(part: tuple[str, ...]) -> Schemas:
    whole = flagship()
    side = _declared(Corpus({name: whole.sources[name] for name in part}, {}, {}, {}))
    return compare_schemas(side, side, {})


def told(changes: Iterable[Change]) -> set[Told]:
    """The changes as scripts state them."""
    return {Told(c.kind, c.table, c.article_id, c.columns[0].partition(".")[0] if c.of_schema and c.columns else c.row)
            for c in changes}  # fmt: skip


# ---- scripts -------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What was made and told, by kind; and the scripts of which something else was told."""

    scripts: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    recovered: Counter[str] = field(default_factory=Counter)
    falsely: Counter[str] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)
    one_row: int = 0
    by: Counter[str] = field(default_factory=Counter)
    nowhere: int = 0
    """Lots of edits that no script has a place for."""
    failed: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what another one counted."""
        for name in ("scripts", "made", "recovered", "falsely", "edits", "by"):
            getattr(self, name).update(getattr(other, name))
        self.one_row += other.one_row
        self.nowhere += other.nowhere
        self.failed += other.failed

    def take(self, said: Script, found: set[Told], way: str) -> None:
        """Count one script and what was told of it."""
        self.by[way] += 1
        self.edits.update(said.edits)
        self.scripts.update(said.kinds)
        self.made.update(t.kind for t in said.told)
        self.recovered.update(t.kind for t in said.told & found)
        self.falsely.update(t.kind for t in found - said.told)
        rows = Counter((t.table, t.article_id, t.row) for t in said.told if t.article_id and t.row)
        self.one_row += any(n > 1 for n in rows.values())
        if said.told != found:
            self.failed.append(described(said, found, way))


def described(said: Script, found: set[Told], way: str, most: int = 6) -> str:
    """What was told otherwise, and how to see it again."""

    def some(told_: set[Told]) -> str:
        listed = sorted(told_, key=str)
        return "; ".join(map(str, listed[:most])) + (f"; and {len(listed) - most} more" if len(listed) > most else "")

    missed, falsely = some(said.told - found) or "-", some(found - said.told) or "-"
    return f"{way}: not told: {missed} | falsely told: {falsely}\n  --replay '{said.name}'"


def check_scripts(lots: Sequence[tuple[str, ...]], seed: int, *, folders: float = 0.1) -> Tally:
    """Make a script of each lot of edits, and compare what it did with what is told of it; a share is told by folders, too."""
    tally = Tally()
    for number, edits in enumerate(lots):
        said = _made(edits, seed + 1000 * number)
        if said is None:
            tally.nowhere += 1
            continue
        ways: list[tuple[str, Callable[[], Iterable[Change]]]] = []
        if core_sees_all(said):
            ways.append(("core", lambda said=said: by_core(said)))  # type: ignore[misc]
        if not ways or random.Random(said.name).random() < folders:
            ways.append(("folders", lambda said=said: by_folders(said.old, said.new).changes))  # type: ignore[misc]
        for way, ask in ways:
            try:
                tally.take(said, told(ask()), way)
            except DatelineError as fault:
                tally.failed.append(f"{way}: {fault}\n  --replay '{said.name}'")
    return tally


def _made(edits: Sequence[str], seed: int) -> Script | None:
    """The first script of these edits from a seed on that finds a place for each of them; None if none of many does."""
    return next((said for number in range(seed, seed + 300) if (said := script(edits, number)) is not None), None)


def alone(times: int) -> list[tuple[str, ...]]:
    """Each kind so many times, by turns of the edits that make it."""
    kinds: dict[str, list[str]] = {}
    for edit in TOLD_EDITS:
        kinds.setdefault(kind_of_edit(edit), []).append(edit)
    return [(edits[n % len(edits)],) for edits in kinds.values() for n in range(times)]


def kind_of_edit(edit: str) -> str:
    """The kind of change that an edit is named after."""
    if edit.startswith("text-"):
        return "text-edited"
    return "id-changed" if edit.startswith("id") else "column-added" if edit == "column-required" else edit


def combined(times: int) -> list[tuple[str, ...]]:
    """Edits together, so that each kind is made that often: of all sorts, and (a third) those that one row can have all of."""
    r = random.Random(times)
    met: Counter[str] = Counter()
    lots: list[tuple[str, ...]] = []
    while min(met[kind_of_edit(edit)] for edit in TOLD_EDITS) < times:
        if len(lots) % 3 == 2:
            lot = list(r.sample(ON_ONE_ROW, r.randint(2, 4)))
        else:
            rarest = sorted(TOLD_EDITS, key=lambda edit: (met[kind_of_edit(edit)], r.random()))
            lot = [*r.sample(rarest[:8], r.randint(1, 3)), *r.sample(TOLD_EDITS, r.randint(1, 2))]
        r.shuffle(lot)
        if len({*lot}) > 1 and _go_together(lot):
            lots.append(tuple(lot))
            met.update({kind_of_edit(edit) for edit in lot})
    return lots


def _go_together(lot: Sequence[str]) -> bool:
    """Whether a script may have a place for all.

    An article that a script may not touch, and edits of all others, need two articles: most scripts have one. A text that grows
    moves the rows of all layers with spans, and another key, or no table any more, wants one whose rows were left alone.
    """
    if {"text-longer", "key-changed", "table-removed"} <= {*lot}:
        return False
    return len({*lot} & {"article-removed", "article-retracted", "text-superseded-gone"}) < 2


# ---- histories -----------------------------------------------------------------------------------------------

GENTLE = ("annotation-added", "span-moved", "relabelled", "relinked", "value-changed", "metadata-changed", "text-replaced",
          "text-longer", "rights-taken")  # fmt: skip
ADDING = ("article-added", "text-superseded", "table-added", "column-added", "label-added")
SILENT = ("rows-reordered", "note-unseen")


def history(number: int) -> tuple[str, Script] | None:
    """A sequence of three to eight edits of at least three kinds, and which sort of history it is; None where no place is left.

    Left to chance nearly every history would be major, so most are drawn from edits that need not be.
    """
    r = random.Random(f"history {number}")
    sort = ("gentle", "adding", "one of test", "one breaks", "any", "undone", "gentle")[number % 7]
    splits = ("test", "train", "validation") if sort in {"one of test", "any", "undone"} else ("train", "validation")
    pool = {"gentle": (*GENTLE, *ADDING, *SILENT), "adding": (*ADDING, *SILENT), "one breaks": (*GENTLE, *ADDING, *SILENT),
            "one of test": (*GENTLE, *ADDING, *SILENT), "any": tuple(EDITS), "undone": tuple(EDITS)}[sort]  # fmt: skip
    lot = [r.choice(pool) for _ in range(r.randint(3, 8))]
    if sort == "one breaks":
        lot[-1] = r.choice([edit for edit in TOLD_EDITS if edit not in GENTLE + ADDING])
    if len(set(lot)) < 3 or sum(edit in SCHEMA_EDITS for edit in lot) > 2:
        return None
    said = script(lot, number, splits)
    if said is not None and sort == "undone":
        _undo(said, r)
    return None if said is None else (sort, said)


def _undo(said: Script, r: random.Random) -> None:
    """Take everything back, written anew and in another order."""
    said.new = said.old.copy()
    layers = said.new.schemas.layers
    for article, record in said.old.records.items():
        again: dict[str, Any] = copied(record)
        said.new.records[article] = again | {n: r.sample(again[n], len(again[n])) for n in layers if n in again}


@dataclass
class Bumps:
    """How many histories there were, by sort and bump, and those whose bump is another than the oracle's."""

    histories: Counter[str] = field(default_factory=Counter)
    under: int = 0
    over: int = 0
    edits: Counter[int] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    def add(self, other: Bumps) -> None:
        """Add what another one counted."""
        self.histories.update(other.histories)
        self.edits.update(other.edits)
        self.under += other.under
        self.over += other.over
        self.failed += other.failed


def check_histories(numbers: Iterable[int]) -> Bumps:
    """Compare the bump that the diff computes with the oracle's, under both policies."""
    found, order = Bumps(), ("patch", "minor", "major")
    for number in numbers:
        made = next(h for n in itertools.count(0) if (h := history(number + 7_000_000 * n)) is not None)
        sort, said = made
        found.edits[len(said.edits)] += 1
        asked = by_folders(said.old, said.new, POLICIES[number % 2])
        for policy in POLICIES:
            wanted, told_ = bump(said.old, said.new, policy), Diff([judged(change, policy) for change in asked.changes])
            if policy == POLICIES[number % 2]:
                told_ = asked
            found.histories[f"{sort}, {policy}: {wanted}"] += 1
            found.under += order.index(told_.bump) < order.index(wanted)
            found.over += order.index(told_.bump) > order.index(wanted)
            if told_.bump != wanted:
                why = "; ".join(f"{c.kind} {c.table} {c.id} ({c.why})" for c in told_.forcing(told_.bump)[:3])
                said_ = f"the diff says {told_.bump} ({why}), the oracle {wanted}"
                found.failed.append(f"{policy}: {said_}\n  --history {number} ({said.name})")
    return found


# ---- the whole -----------------------------------------------------------------------------------------------


def _scripts_chunk(work: tuple[Sequence[tuple[str, ...]], int, float]) -> Tally:
    lots, seed, folders = work
    return check_scripts(lots, seed, folders=folders)


def table_of(title: str, tally: Tally) -> Iterator[str]:
    """The counts of some scripts, a line per kind."""
    yield f"{title}: {sum(tally.by.values())} comparisons ({', '.join(f'{n} by {way}' for way, n in sorted(tally.by.items()))})"
    yield f"{'kind':20}{'scripts':>9}{'made':>9}{'recovered':>11}{'falsely told':>14}"
    for kind in KINDS:
        yield (f"{kind:20}{tally.scripts[kind]:>9}{tally.made[kind]:>9}{tally.recovered[kind]:>11}{tally.falsely[kind]:>14}")
    if tally.nowhere:
        yield f"lots of edits without a place in any of 300 scripts, left out: {tally.nowhere}"
    yield "edits: " + ", ".join(f"{edit} {n}" for edit, n in sorted(tally.edits.items()))


PARTS = ("alone", "combined", "histories")


def main(times: int, histories: int, folders: float, jobs: int, parts: Sequence[str]) -> int:
    """Run all: every kind so many times alone and so many times among others, and histories; 1 if anything is told wrong."""
    failed: list[str] = []
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        for title, made in (("alone", alone), ("combined", combined)):
            if title not in parts:
                continue
            tally, lots = Tally(), made(times)
            chunks = [(lots[n : n + 50], n * 1000, folders) for n in range(0, len(lots), 50)]
            for number, done in enumerate(pool.map(_scripts_chunk, chunks), 1):
                tally.add(done)
                print(
                    *done.failed,
                    f"{title}: {number} of {len(chunks)} parts, {len(tally.failed)} failed",
                    sep="\n",
                    file=sys.stderr,
                )
            print(*table_of(title, tally), sep="\n")
            if title == "combined":
                print(f"several kinds on one annotation: {tally.one_row} comparisons")
            failed += tally.failed
        bumps, numbers = Bumps(), range(histories if "histories" in parts else 0)
        for part in pool.map(check_histories, [numbers[n : n + 25] for n in numbers[::25]]):
            bumps.add(part)
            print(*part.failed, f"histories: {sum(bumps.edits.values())}, {len(bumps.failed)} failed", sep="\n", file=sys.stderr)
    print(f"histories: {sum(bumps.edits.values())}, edits in one: {dict(sorted(bumps.edits.items()))}")
    print(*(f"  {what:36}{n:>6}" for what, n in sorted(bumps.histories.items())), sep="\n")
    print(f"  under-bumps {bumps.under}, over-bumps {bumps.over}")
    failed += bumps.failed
    print(*failed, sep="\n", end="\n" * bool(failed))
    print(f"{len(failed)} told otherwise than made")
    return 1 if failed else 0


def replay(name: str) -> int:
    """Show what a script did, and what is told of it."""
    said = replayed(name)
    if said is None:
        print("this script finds no place for one of its edits")
        return 1
    found = {"folders": told(by_folders(said.old, said.new).changes)}
    if core_sees_all(said):
        found["core"] = told(by_core(said))
    for way, told_ in found.items():
        print(described(said, told_, way, most=40))
    return int(any(told_ != said.told for told_ in found.values()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("times", type=int, nargs="?", default=500, help="scripts of each kind, alone and combined")
    parser.add_argument("--histories", type=int, default=2000, help="random histories whose bump is compared")
    parser.add_argument("--folders", type=float, default=0.05, help="share of scripts told from folders, too")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--part", choices=PARTS, action="append", help="this part alone (may be given again)")
    parser.add_argument("--replay", help="show one script, by the name that a failure prints")
    parser.add_argument("--history", type=int, help="show one history")
    given = parser.parse_args()
    if given.replay:
        sys.exit(replay(given.replay))
    if given.history is not None:
        told_wrong = check_histories([given.history])
        print(told_wrong.histories, *told_wrong.failed, sep="\n")
        sys.exit(bool(told_wrong.failed))
    sys.exit(main(given.times, given.histories, given.folders, given.jobs, given.part or PARTS))
