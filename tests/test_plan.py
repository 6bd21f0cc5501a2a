"""What goes where: groups never cross splits, released articles never move, no split is empty."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import ProjectFolder, record
from conftest import Run
from dateline.compile import groups
from dateline.compile import plan as planning
from dateline.compile.groups import SignatureFile
from dateline.compile.index import INDEX_SCHEMA
from dateline.compile.plan import Ledger, Plan, assign_splits, plan
from dateline.errors import ProjectError
from dateline.ledger import Entry
from dateline.ledger import Ledger as LedgerFile
from dateline.project import Splits


def index(*articles: tuple[str, str | None, str | None]) -> pa.Table:
    """An index of (article_id, group, supersedes)."""
    rows = [
        {"article_id": a, "group": g, "supersedes": s, "split": None, "withheld": False, "record_sha256": bytes(32), "size": 10,
         "file": "f", "plain": "f", "line": n, "offset": 0, "length": 1}
        for n, (a, g, s) in enumerate(articles, 1)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=INDEX_SCHEMA)


SLOTS = 128
BASES = np.random.default_rng(9).integers(0, 2**31, (6, SLOTS), dtype=np.uint32)


@dataclasses.dataclass(frozen=True)
class Article:
    """An article for a plan: what it names, and a signature that differs from a base's in some numbers."""

    number: int
    group: int | None = None
    supersedes: int | None = None
    base: int | None = None
    unequal: int = 0

    @property
    def id(self) -> str:
        return f"a{self.number:03}"

    @property
    def earlier(self) -> str:
        return f"a{self.supersedes:03}" if self.supersedes is not None else ""

    @property
    def signature(self) -> bytes | None:
        if self.base is None:
            return None
        numbers = BASES[self.base].copy()
        at = np.random.default_rng(self.number).permutation(SLOTS)[: self.unequal]
        numbers[at] = 2**31 + self.number  # no two articles are equal there
        return bytes(numbers.astype("<u4").tobytes())


def index_of(articles: Sequence[Article]) -> pa.Table:
    known = {a.id for a in articles}
    made = index(*[
        (a.id, f"g{a.group}" if a.group is not None else None, a.earlier if a.earlier in known else None)
        for a in articles
    ])  # fmt: skip
    signed = [a for a in articles if a.signature]
    numbers = [signed.index(a) if a.signature else None for a in articles]
    return made.set_column(made.column_names.index("signature"), "signature", pa.array(numbers, pa.int64()))


def signatures_of(articles: Sequence[Article]) -> np.ndarray[tuple[int, int], np.dtype[np.uint32]]:
    return np.array([_numbers(a.signature) for a in articles if a.signature], np.uint32).reshape(-1, SLOTS)


def plan_of(articles: Sequence[Article], ledger: Ledger) -> Plan:
    return plan(index_of(articles), ledger, Splits(), signatures=signatures_of(articles))


ARTICLE = st.builds(
    Article,
    number=st.integers(0, 60),
    group=st.none() | st.integers(0, 12),
    supersedes=st.none() | st.integers(0, 60),
    base=st.none() | st.integers(0, 5),
    unequal=st.integers(0, 40),
)
ARTICLES = st.lists(ARTICLE, unique_by=lambda a: a.number, max_size=25)


def connected(articles: Sequence[Article], ledger: Ledger) -> list[set[str]]:
    """The components by the plain definition, over names of articles (`a..`) and groups (`g..`)."""
    known = {a.id for a in articles}
    edges = [(a.id, f"g{a.group}") for a in articles if a.group is not None]
    edges += [(a.id, a.earlier) for a in articles if a.earlier in known]
    edges += [(entry.article_id, entry.group) for entry in ledger.values()]
    for n, a in enumerate(articles):
        for b in articles[:n]:
            if a.signature and b.signature:
                equal = sum(x == y for x, y in zip(_numbers(a.signature), _numbers(b.signature), strict=True))
                edges += [(a.id, b.id)] if equal / SLOTS >= Splits().threshold else []
    parts = [{a.id} for a in articles]
    for one, other in edges:
        touched = [part for part in parts if one in part or other in part]
        parts = [part for part in parts if part not in touched] + [{one, other}.union(*touched)]
    return parts


def _numbers(signature: bytes) -> list[int]:
    return list(map(int, np.frombuffer(signature, "<u4")))


def placed(made: Plan) -> dict[str, tuple[str, str, int]]:
    """Split, group and segment by article."""
    return {
        row["article_id"]: (row["split"], row["group"], shard.segment)
        for shard in made.shards
        for row in shard.articles.to_pylist()
    }


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 30)), unique_by=lambda p: p[0], min_size=1), st.randoms())
def test_the_plan_does_not_depend_on_the_order_of_the_index(pairs: list[tuple[int, int]], random: object) -> None:
    rows: list[tuple[str, str | None, str | None]] = [(f"a{i}", f"g{g}", None) for i, g in pairs]
    one = placed(plan(index(*rows), {}, Splits()))
    random.shuffle(rows)  # type: ignore[attr-defined]
    two = placed(plan(index(*rows), {}, Splits()))
    assert one == two
    splits_of: dict[str, set[str]] = {}
    for split, group, _ in one.values():
        splits_of.setdefault(group, set()).add(split)
    assert all(len(splits) == 1 for splits in splits_of.values())
    if len(splits_of) >= 3:
        assert {s for splits in splits_of.values() for s in splits} == {"train", "validation", "test"}


@given(st.sets(st.integers(), min_size=3, max_size=200), st.text())
def test_quotas_are_exact(numbers: set[int], salt: str) -> None:
    groups = [str(n) for n in numbers]
    counts = Counter(assign_splits(groups, {}, Splits(salt=salt)).values())
    for split, share in Splits().quotas.items():
        assert abs(counts[split] - share * len(groups)) <= 2
        assert counts[split] >= 1


@given(st.lists(st.sampled_from(["train", "validation", "test"]), max_size=30), st.integers(3, 30), st.text(max_size=3))
def test_no_split_stays_empty_beside_a_ledger(held: list[str], new: int, salt: str) -> None:
    frozen = {f"h{n}": split for n, split in enumerate(held)}
    for few in (new, 3 - len(set(held))):
        chosen = assign_splits([*frozen, *[f"n{n}" for n in range(few)]], frozen, Splits(salt=salt))
        assert set(chosen.values()) == {"train", "validation", "test"} or not chosen
        assert chosen.items() >= frozen.items()


@given(
    st.sets(st.integers(), min_size=1, max_size=300),
    st.sets(st.integers(), min_size=1, max_size=5),
    st.lists(st.sampled_from(["train", "validation", "test"]), max_size=20),
    st.text(max_size=3),
)
def test_new_groups_move_few_of_those_that_are_not_released(old: set[int], new: set[int], held: list[str], salt: str) -> None:
    frozen, splits = {f"h{n}": split for n, split in enumerate(held)}, Splits(salt=salt)
    before = assign_splits([*frozen, *map(str, old)], frozen, splits)
    after = assign_splits([*frozen, *map(str, old | new)], frozen, splits)
    moved = [group for group, split in before.items() if after[group] != split]
    assert len(moved) <= 2 * (len(new - old) + 2)  # at each of the two edges between stretches


def test_no_split_stays_empty_though_a_larger_one_lacks_more() -> None:
    shares = Splits(quotas={"a": 0.495, "b": 0.495, "c": 0.01})
    frozen = {f"h{n}": "b" for n in range(147)}
    chosen = assign_splits([*frozen, "n1", "n2"], frozen, shares)
    assert {chosen["n1"], chosen["n2"]} == {"a", "c"}


def ledger_of(made: Plan) -> dict[str, Entry]:
    """The ledger that a release of this plan would write."""
    return {i: Entry(i, split, group, segment, "0.1.0") for i, (split, group, segment) in placed(made).items()}


def told(made: Plan) -> list[tuple[str, str]]:
    """Rule and words of every problem; the words name the articles."""
    return [(p.rule, p.says) for p in made.problems]


@given(ARTICLES, ARTICLES, st.dictionaries(st.integers(0, 12), st.sampled_from(["train", "test"])), st.randoms())
def test_groups_splits_and_what_is_left_out_are_as_defined_in_any_order(
    old: list[Article], new: list[Article], moved: dict[int, str], random: object
) -> None:
    ledger = ledger_of(plan_of(old, {}))
    # a ledger of any history: groups moved before they were released
    ledger = {i: dataclasses.replace(e, split=moved.get(BY_NAME.get(e.group, -1), e.split)) for i, e in ledger.items()}
    articles = list({a.number: a for a in [*old, *new]}.values())[len(old) // 3 :]  # some are gone, some are edited
    one = plan_of(articles, ledger)
    where = placed(one)
    left_out = set(one.left_out)
    assert where.keys() | left_out == {a.id for a in articles} and not where.keys() & left_out

    for part in connected(articles, ledger):
        held = {ledger[i].split for i in part if i in ledger}
        free = {a.id for a in articles if a.id in part} - ledger.keys()
        assert free & left_out == (free if len(held) > 1 else set())
        if len(held) < 2:
            assert len({where[i][0] for i in part if i in where}) <= 1
            assert len({where[i][1] for i in free}) <= 1
    assert all((where[i][0], where[i][1]) == (ledger[i].split, ledger[i].group) for i in where.keys() & ledger.keys())
    by_group: dict[str, set[int]] = {}
    for number, part in enumerate(connected(articles, ledger)):
        for i in part & where.keys():
            by_group.setdefault(where[i][1], set()).add(number)
    assert all(len(numbers) == 1 for numbers in by_group.values()), "a name stands for one group"
    assert sorted(p.says.split("'")[1] for p in one.problems if p.rule == "split-bridge") == sorted(left_out)

    random.shuffle(articles)  # type: ignore[attr-defined]
    two = plan_of(articles, ledger)
    assert (placed(two), two.left_out) == (where, one.left_out)
    assert [rule for rule, _ in told(two)] == [rule for rule, _ in told(one)]


BY_NAME = {f"g{n}": n for n in range(13)}


@given(ARTICLES, st.lists(ARTICLES, max_size=4))
def test_articles_added_in_any_number_of_releases_move_none(first: list[Article], later: list[list[Article]]) -> None:
    articles = {a.number: a for a in first}
    ledger = ledger_of(plan_of(first, {}))
    for added in later:
        articles |= {a.number: a for a in added if a.number not in articles}
        made = plan_of(list(articles.values()), ledger)
        now = ledger_of(made)
        assert {i: (now[i].split, now[i].group) for i in ledger} == {i: (e.split, e.group) for i, e in ledger.items()}
        assert not set(made.left_out) & ledger.keys()
        articles = {n: a for n, a in articles.items() if a.id not in made.left_out}
        ledger = now


def test_an_article_that_bridges_two_released_splits_is_left_out_and_told_as_a_warning(folder: ProjectFolder) -> None:
    words = [f"word{n}" for n in range(400)]
    one, other = " ".join(words[:200]), " ".join(words[200:])
    entries = {i: Entry(i, split, i, 1, "0.1.0") for i, split in (("a1", "train"), ("a2", "test"))}
    folder.project.ledger.write_bytes(LedgerFile(articles=entries).encode())
    standing = [record("a1", one), record("a2", other)]
    bridging = [record("b1", one + " more", group="s"), record("b2", other + " more", group="s"), record("b3", group="s")]
    apart = record("c1", "Quite another story, told nowhere else.")
    folder.seed(*standing, *bridging, apart)
    made = folder.rebuild()
    assert made.problems == [] and made.manifest is not None
    assert made.manifest.tables["articles"].splits == {"train": 1, "validation": 1, "test": 1}
    assert made.manifest.splits["left_out"] == 3
    assert [(p.rule, p.level, p.place.line) for p in made.warnings] == [("split-bridge", "warning", n) for n in (3, 4, 5)]
    assert (
        "'b1'" in made.warnings[0].says and "'a1' in train" in made.warnings[0].says and "'a2' in test" in made.warnings[0].says
    )
    tree = folder.tree()
    folder.seed(*reversed([*standing, *bridging, apart]))
    folder.rebuild(sweep=True)
    assert folder.tree() == tree


def test_warnings_are_printed_and_do_not_fail(dateline: Run, folder: ProjectFolder) -> None:
    folder.settings("[tool.dateline.splits]", 'mode = "given"')
    text = " ".join(f"word{n}" for n in range(200))
    folder.seed(record("a1", text, split="train"), record("a2", text + " more", split="test"))
    done = dateline("rebuild", cwd=folder.root)
    assert done.returncode == 0 and done.stdout.startswith("dataset/ rebuilt: 2 articles")
    assert done.stderr.startswith(
        "seeds/a.jsonl:1 $  article 'a1' (train) is nearly the text of 'a2' (test), which stands at seeds/a.jsonl:2  "
        "[split-leak, warning]\n"
    )
    found = json.loads(dateline("rebuild", "--json", cwd=folder.root).stdout)
    assert found["success"] and found["problems"] == [] and [p["rule"] for p in found["warnings"]] == ["split-leak"]


@given(ARTICLES, ARTICLES, st.integers(1, 9), st.integers(5, 100))
def test_a_plan_in_files_made_a_few_rows_at_a_time_is_the_same_as_in_memory(
    old: list[Article], articles: list[Article], at_once: int, shard_bytes: int
) -> None:
    ledger = ledger_of(plan_of(old, {}))
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patched:
        patched.setattr(planning, "SHARD_BYTES", shard_bytes)  # from one shard to one for each few articles
        whole = plan_of(articles, ledger)
        patched.setattr(planning, "_ROWS_AT_ONCE", at_once)
        patched.setattr(groups, "_ROWS_AT_ONCE", at_once)
        path = Path(name) / "signatures"
        path.write_bytes(signatures_of(articles).astype("<u4").tobytes())
        made = plan(index_of(articles), ledger, Splits(), signatures=SignatureFile(path, SLOTS), spill=Path(name))
        assert [(s.stem, s.bits, s.articles.to_pylist()) for s in made.shards] == [
            (s.stem, s.bits, s.articles.to_pylist()) for s in whole.shards
        ]
        assert [s.stem for s in made.shards] == sorted({s.stem for s in made.shards})
        for shard in made.shards:
            ids = shard.articles["article_id"].to_pylist()
            assert ids == sorted(ids)
            assert {hashlib.sha256(i.encode()).digest()[0] >> 8 - shard.bits for i in ids} == {shard.prefix}
        assert told(made) == told(whole) and made.left_out == whole.left_out


def test_a_worker_is_sent_the_plan_of_its_shard_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "SHARD_BYTES", 500)
    rows = index(*[(f"a{n:04}" + "x" * 200, None, None) for n in range(400)])
    for spill in (None, tmp_path):
        shards = plan(rows, {}, Splits(), spill=spill).shards
        assert len(shards) == 8
        assert max(len(pickle.dumps(shard)) for shard in shards) < sum(len(pickle.dumps(shard)) for shard in shards) / 4


@given(ARTICLES, st.lists(st.sampled_from(["train", "dev", "test"]), min_size=25, max_size=25), st.randoms())
def test_given_splits_are_kept_and_every_leak_names_its_articles(
    articles: list[Article], drawn: list[str], random: object
) -> None:
    split = {a.id: s for a, s in zip(articles, drawn, strict=False)}

    def made(order: Sequence[Article]) -> Plan:
        rows = index_of(order)
        column = pa.array([split[a.id] for a in order], pa.string())
        rows = rows.set_column(rows.column_names.index("split"), "split", column)
        return plan(rows, {}, Splits(mode="given"), signatures=signatures_of(order))

    one = made(articles)
    assert {i: s for i, (s, _, _) in placed(one).items()} == split and one.left_out == []
    leaks = [tuple(p.says.split("'")[1::2]) for p in one.problems if "nearly" in p.says]
    near = {
        (a.id, b.id)
        for a in articles for b in articles
        if a.signature and b.signature and split[a.id] != split[b.id]
        and (np.array(_numbers(a.signature)) == np.array(_numbers(b.signature))).mean() >= Splits().threshold
    }  # fmt: skip
    assert {(x, split[y]) for pair in leaks for x, y in (pair, pair[::-1])} == {(x, split[y]) for x, y in near}
    assert {(x, y) for pair in leaks for x, y in (pair, pair[::-1])} <= near
    declared = connected([dataclasses.replace(a, base=None) for a in articles], {})
    crossing = sum(len({split[i] for i in part if i in split}) - 1 for part in declared)
    assert sum("shares a group" in p.says for p in one.problems) == crossing
    assert all(p.rule == "split-leak" and not p.fails for p in one.problems)
    random.shuffle(articles)  # type: ignore[attr-defined]
    assert {says.rpartition(",")[0] for _, says in told(made(articles))} == {says.rpartition(",")[0] for _, says in told(one)}


def test_released_articles_that_leak_are_told_and_stay() -> None:
    articles = [Article(1, base=1), Article(2, base=1), Article(3)]
    ledger = {f"a{n:03}": Entry(f"a{n:03}", split, f"a{n:03}", 1, "0.1.0") for n, split in ((1, "train"), (2, "test"))}
    made = plan_of(articles, ledger)
    assert {i: split for i, (split, _, _) in placed(made).items() if i in ledger} == {"a001": "train", "a002": "test"}
    assert [p.rule for p in made.problems] == ["split-leak"]


def test_an_article_without_a_group_is_in_the_group_of_its_id() -> None:
    where = placed(plan(index(("x", None, None), ("a", "x", None)), {}, Splits()))
    assert where["x"] == where["a"]


def test_an_article_whose_story_was_released_joins_it_though_the_released_ones_are_gone() -> None:
    ledger = {"a1": Entry("a1", "test", "g1", 1, "0.1.0")}
    where = placed(plan(index(("a2", "g1", None), ("a3", None, None)), ledger, Splits()))
    assert where["a2"][:2] == ("test", "g1")


def test_released_articles_keep_split_segment_and_versions_and_new_ones_join_their_group() -> None:
    ledger: Ledger = {"a1": Entry("a1", "test", "g1", 1, "0.1.0"), "a2": Entry("a2", "train", "g2", 2, "0.2.0", "0.3.0")}
    made = plan(index(("a1", "g1", None), ("a2", "g2", None), ("a3", "g1", None), ("a4", "g4", None)), ledger, Splits())
    where = placed(made)
    assert where["a1"] == ("test", "g1", 1)
    assert where["a2"] == ("train", "g2", 2)
    assert where["a3"] == ("test", "g1", 3)
    assert where["a4"][2] == 3
    versions = {r["article_id"]: (r["added_in"], r["changed_in"]) for s in made.shards for r in s.articles.to_pylist()}
    assert versions["a2"] == ("0.2.0", "0.3.0") and versions["a4"] == (None, None)


@given(st.sets(st.integers(0, 1000), min_size=1, max_size=40), st.sets(st.integers(1001, 2000), max_size=40))
def test_adding_articles_moves_no_released_one(old: set[int], new: set[int]) -> None:
    before = placed(plan(index(*[(f"a{n}", None, None) for n in old]), {}, Splits()))
    ledger = {a: Entry(a, split, group, 1, "0.1.0") for a, (split, group, _) in before.items()}
    after = placed(plan(index(*[(f"a{n}", None, None) for n in old | new]), ledger, Splits()))
    assert {a: after[a][0] for a in before} == {a: split for a, (split, _, _) in before.items()}


def test_groups_of_a_designed_split_have_it_and_others_fill_what_is_left() -> None:
    splits = Splits(assigned={"test": ("held-*", "strike"), "train": ("held-back",)})
    rows = [("a1", "held-out", None), ("a2", "held-back", None), ("a3", "strike", None), ("a4", None, "a3")]
    where = placed(plan(index(*rows, *[(f"b{n}", f"g{n}", None) for n in range(26)]), {}, splits))
    assert [where[a][0] for a in ("a1", "a2", "a3", "a4")] == ["test", "train", "test", "test"]
    counts = Counter(split for split, _, _ in where.values())
    assert (
        counts["test"] == 4 and counts["validation"] == 3
    )  # the quotas hold for all groups, those with a designed split among them


def test_what_is_released_stays_whatever_split_its_group_is_assigned_to() -> None:
    ledger = {"a1": Entry("a1", "train", "g1", 1, "0.1.0")}
    made = plan(index(("a1", "g1", None), ("a2", "g1", None)), ledger, Splits(assigned={"test": ("g1",)}))
    assert {split for split, _, _ in placed(made).values()} == {"train"} and made.problems == []


def test_groups_that_belong_together_cannot_be_assigned_to_two_splits() -> None:
    splits = Splits(assigned={"test": ("g1",), "train": ("g2",)})
    made = plan(index(("a1", "g1", None), ("a2", "g2", "a1")), {}, splits)
    assert [(p.rule, p.fails) for p in made.problems] == [("split-assigned", True)]


def test_an_article_shares_group_and_split_with_the_one_it_supersedes() -> None:
    made = plan(index(("a1", "g1", None), ("a2", None, "a1"), ("a3", None, "a2"), ("b", None, None)), {}, Splits())
    where = placed(made)
    assert where["a1"][:2] == where["a2"][:2] == where["a3"][:2]
    assert where["a3"][1] == "g1"
    missing = plan(index(("a1", None, "a0")), {}, Splits())
    assert [p.rule for p in missing.problems] == ["supersedes"]


def test_given_splits_are_taken_and_missing_ones_named(folder: ProjectFolder) -> None:
    folder.settings("[tool.dateline.splits]", 'mode = "given"')
    folder.seed(record("a1", split="dev"), record("a2", split="heldout"), record("a3"))
    assert [(p.rule, p.place.line) for p in folder.rebuild().problems] == [("split-given", 3)]
    folder.seed(record("a1", split="dev"), record("a2", split="heldout"))
    made = folder.rebuild().manifest
    assert made is not None and made.tables["articles"].splits == {"dev": 1, "heldout": 1}


def test_the_ledger_is_read_from_the_seeds(folder: ProjectFolder) -> None:
    entry = Entry("a1", "test", "a1", 1, "0.1.0")
    folder.project.ledger.write_bytes(LedgerFile(articles={"a1": entry}).encode())
    folder.seed(record("a1"))
    made = folder.rebuild().manifest
    assert made is not None and made.tables["articles"].splits == {"test": 1}
    (folder.root / "seeds" / "ledger.jsonl").write_text("{}\n")
    with pytest.raises(ProjectError, match=r"ledger\.jsonl:1"):
        folder.rebuild()
