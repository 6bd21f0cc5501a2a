"""A corpus grown ten times over in random order: what was released never moves, and nothing that belongs together is parted."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from building import MENTIONS, Json, ProjectFolder, record
from dateline.compile.index import Indexed, IndexTask, gather, index_file
from dateline.compile.plan import Ledger, Plan, plan
from dateline.compile.signature import shingles, sign, signing_of, spell
from dateline.ledger import Entry
from dateline.ledger import Ledger as LedgerFile
from dateline.manifest import read_manifest
from dateline.project import Splits

ROUNDS = 10
SPLITS = Splits()
SIGNING = signing_of(SPLITS)
SOURCES = (("mentions", json.dumps(MENTIONS).encode()),)


# ---- a corpus full of what could leak ------------------------------------------------------------------------


def words(draw: random.Random, number: int) -> list[str]:
    return [f"{draw.choice('bcdfghklmnprst')}{draw.choice('aeiou')}{draw.randrange(4000)}" for _ in range(number)]


def edited(draw: random.Random, text: list[str], share: float) -> list[str]:
    return [words(draw, 1)[0] if draw.random() < share else word for word in text]


def corpus(draw: random.Random, families: int = 14) -> dict[str, tuple[Json, str]]:
    """Records by id, each with its text, which a withheld record has only as a signature."""
    made: dict[str, tuple[Json, str]] = {}

    def add(text: list[str], **fields: str) -> str:
        said = " ".join(text)
        made[f"a{len(made):03}"] = (record(f"a{len(made):03}", said, **fields), said)
        return f"a{len(made) - 1:03}"

    for number in range(families):
        text = words(draw, 150)
        add(text)
        add(edited(draw, text, 0.02))  # a wire copy
        add(edited(draw, text, 0.05))  # near the threshold, on either side
        # two that are not alike enough, and a third that is like both: a bridge, if the two came before it
        base = words(draw, 150)
        add(base + words(draw, 25))
        add(base + words(draw, 25))
        add(base)
        # a chain of texts that supersede each other, no two alike
        first = add(words(draw, 80))
        second = add(words(draw, 80), supersedes=first)
        add(words(draw, 80), supersedes=second)
        # a group, and a copy of a text of it that names another group: a bridge between the two
        told = words(draw, 120)
        add(told, group=f"g{number}")
        add(words(draw, 60), group=f"g{number}")
        add(edited(draw, told, 0.01), group=f"g{draw.randrange(families)}")
    for article_id in draw.sample(sorted(made), len(made) // 4):
        known, text_said = made[article_id]
        signature = sign(text_said, SIGNING)
        assert signature is not None
        bare = {"content": None, "sha256": f"{int(article_id[1:]):064}", "n_code_points": 9, "n_bytes": 9}
        made[article_id] = ({**known, "text": {**bare, "minhash": spell(signature, SIGNING)}, "rights": {}}, text_said)
    return made


@dataclass
class Round:
    """One release: where each article went, what the plan left out, and what was released before."""

    placed: dict[str, tuple[str, str]]
    left_out: list[str]
    before: Ledger = field(repr=False)


def grown(records: Sequence[Json], draw: random.Random, folder: Path) -> Iterator[Round]:
    """Ten releases of a corpus that grows in random order; what was left out stays in the seeds and is tried again."""
    rows = {r["article_id"]: indexed(r, folder) for r in records}
    order = draw.sample(sorted(rows), len(rows))
    cuts = sorted(draw.sample(range(1, len(order)), ROUNDS - 1))
    ledger: Ledger = {}
    for number, end in enumerate([*cuts, len(order)], 1):
        here = order[:end]
        known, signatures = gather((copy_of(rows[i]) for i in draw.sample(here, len(here))), folder, SIGNING)
        made = plan(drop_unknown(known.table, set(here)), ledger, SPLITS, signatures=signatures)
        placed = places(made)
        yield Round({i: (split, group) for i, (split, group, _) in placed.items()}, made.left_out, ledger)
        new = {i: Entry(i, s, g, segment, f"0.{number}.0") for i, (s, g, segment) in placed.items() if i not in ledger}
        ledger = {**ledger, **new}


def copy_of(one: Indexed) -> Indexed:
    """The same, with signatures that may be taken."""
    if one.signatures is None:
        return one
    folder = Path(tempfile.mkdtemp(dir=one.signatures.parent.parent))
    return replace(one, signatures=Path(shutil.copy(one.signatures, folder / "signatures")))


def indexed(one: Json, folder: Path) -> Indexed:
    path = folder / f"{one['article_id']}.jsonl"
    path.write_text(json.dumps(one) + "\n")
    made = index_file(IndexTask(path, path.name, folder / "spill", SOURCES, SIGNING))
    assert made.problems == []
    return made


def drop_unknown(index: pa.Table, here: set[str]) -> pa.Table:
    """What is superseded and has not come yet is not named yet."""
    column = [i if i in here else None for i in index["supersedes"].to_pylist()]
    return index.set_column(index.column_names.index("supersedes"), "supersedes", pa.array(column, pa.large_string()))


def places(made: Plan) -> dict[str, tuple[str, str, int]]:
    return {r["article_id"]: (r["split"], r["group"], shard.segment) for shard in made.shards for r in shard.articles.to_pylist()}


# ---- what must hold ------------------------------------------------------------------------------------------


def numbers(text: str) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    return np.frombuffer(sign(text, SIGNING) or b"", "<u4")


@pytest.mark.parametrize("seed", range(6))
def test_in_ten_releases_no_released_article_moves_and_no_split_leaks(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    made = corpus(draw)
    signed = {i: numbers(text) for i, (_, text) in made.items()}
    cut = {i: shingles(text, SIGNING) for i, (_, text) in made.items()}
    near = {(a, b) for a, b in combinations(sorted(made), 2) if (signed[a] == signed[b]).mean() >= SPLITS.threshold}
    # whatever the signatures say: three standard errors above the threshold
    alike = {(a, b) for a, b in combinations(sorted(made), 2) if len(cut[a] & cut[b]) >= 0.9 * len(cut[a] | cut[b])}
    named = {(i, r["supersedes"]) for i, (r, _) in made.items() if "supersedes" in r}
    named |= {(a, b) for a, b in combinations(sorted(made), 2) if made[a][0].get("group", a) == made[b][0].get("group", b)}
    assert near and alike and named

    bridges, rounds = 0, 0
    for done in grown([r for r, _ in made.values()], draw, tmp_path):
        rounds += 1
        held = {i: (entry.split, entry.group) for i, entry in done.before.items()}
        assert {i: done.placed.get(i) for i in held} == held, "released articles keep split and group, and none is left out"
        for what, pairs in (("near-duplicates", near), ("alike", alike), ("declared", named)):
            inside = [(a, b) for a, b in pairs if a in done.placed and b in done.placed]
            assert [(a, b) for a, b in inside if done.placed[a][0] != done.placed[b][0]] == [], what
        bridges += len(done.left_out)
    assert rounds == ROUNDS and bridges, "the corpus holds bridges, and they came in an order in which they bridge"


def test_a_real_corpus_grows_the_same_way(folder: ProjectFolder) -> None:
    """The same through whole rebuilds, with the ledger in seeds/, and looked at in the dataset."""
    draw = random.Random(7)
    made = corpus(draw, families=3)
    order = draw.sample(sorted(made), len(made))
    ledger: dict[str, Entry] = {}
    for number in range(1, 4):
        here = set(order[: number * len(order) // 3])
        folder.seed(*[{k: v for k, v in made[i][0].items() if k != "supersedes" or v in here} for i in here])
        assert folder.rebuild().problems == []
        manifest = read_manifest(folder.root / "dataset")
        for file in manifest.tables["articles"].files:
            rows = pq.read_table(folder.root / "dataset" / file["path"]).to_pylist()
            segment = int(file["path"].partition("-s")[2][:4])
            for row in rows:
                entry = Entry(row["article_id"], row["split"], row["group"], segment, f"0.{number}.0")
                kept = ledger.setdefault(row["article_id"], entry)
                assert replace(entry, added_in=kept.added_in) == kept
        folder.project.ledger.write_bytes(LedgerFile(articles=ledger).encode())
    assert manifest.tables["articles"].rows == len(ledger) and manifest.splits["left_out"] == len(made) - len(ledger)
