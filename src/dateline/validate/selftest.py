"""Proof of teeth: which rules trip on which mutants, which mutants survive, which rules never trip.

Each mutant is a whole dataset with one fault, and each rule is decided by Great Expectations, as `validate` does. Four facts
make that affordable and change no answer: an expectation sees nothing but the columns that it names (all of them where it names
none, or has a row condition); a condition of a derived relation reads nothing but what it is made of (`slices`); the order of
rows does not matter to it; and where it asks the same of every row, neither does how often a row stands. So it is run once for
every different content of its columns, and mutants that leave that content as it was, or share it, share the answer. A test runs
mutants without any of this, and gets the same.
"""

from __future__ import annotations

import atexit
import fnmatch
import functools
import hashlib
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dateline.engines import Engine as Workers
from dateline.errors import SuiteError
from dateline.manifest import Manifest
from dateline.schema import schemas_from
from dateline.validate.changes import Tables
from dateline.validate.database import first_line
from dateline.validate.mutants import Mutant, kinds, mutants
from dateline.validate.slices import sliced
from dateline.validate.structure import NESTED
from dateline.validate.suites import Expectation, Suite
from dateline.validate.views import View, split_view

if TYPE_CHECKING:
    from dateline.validate.running import Engine

Json = dict[str, Any]
OpenEngine = Callable[[Sequence[View]], "Engine"]
ViewsOf = Callable[[Manifest], Sequence[View]]

COUNTS = frozenset({"counted_rows", "manifest_rows", "counted_labels", "manifest_labels", "earlier_labels"})
"""Views of what the manifest counts: rules on them trip on most mutants, and would hide rules that never do."""
COPIES = frozenset({"row-nested"})
"""Rules that compare an article's nested record with its tables. A copy gives away every change of one side, says nothing of what
is right, and may be absent."""
FOUND_BY = ("content", "copies", "counts")
"""What finds mutants, the best first."""
_SALT = 1729
"""Hashed with every row: DuckDB's hash of false alone is 0, which no sum shows."""
_AT_ONCE = 40
"""Contents that wait for Great Expectations together; each time, an engine is opened."""


# ---- what comes out ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RuleFacts:
    """A rule: its level, what it is about (one of FOUND_BY), and the tables that it reads."""

    level: str
    about: str
    tables: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What happened to one mutant: the rules that tripped, and the suites that could not be run on it."""

    kind: str
    table: str
    column: str
    says: str
    tripped: tuple[str, ...]
    raised: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    """Ids of the expectations behind `tripped`."""


@dataclass(frozen=True)
class SelfTest:
    """All outcomes; `false_alarms` are the rules that trip on the dataset as it is."""

    seed: str
    most_per_kind: int
    sample: int | None
    data: str
    suites: str
    rules: dict[str, RuleFacts]
    checks: dict[str, str]
    """What each expectation is called, by id."""
    false_alarms: tuple[str, ...]
    outcomes: tuple[Outcome, ...] = field(repr=False)
    expected: tuple[Survivor, ...] = ()
    excused: tuple[Toothless, ...] = ()

    @property
    def unexcused(self) -> list[str]:
        """Rules without teeth for which no reason is written."""
        return [rule for rule in self.toothless if rule not in {t.rule for t in self.excused}]

    @property
    def toothless(self) -> list[str]:
        """Rules that no mutant tripped."""
        seen = {rule for o in self.outcomes for rule in o.tripped}
        return [rule for rule in self.rules if rule not in seen]

    @property
    def idle(self) -> list[str]:
        """Expectations that no mutant tripped."""
        seen = {check for o in self.outcomes for check in o.checks}
        return [says for check, says in self.checks.items() if check not in seen]

    def killed(self, outcome: Outcome) -> str:
        """What found a mutant: "content", "copies" alone, "counts" alone, "" if nothing.

        A suite that cannot be run on it is exit 2: content. So is a fault in a copy itself, which is compared with the tables.
        """
        about = {self.rules[rule].about for rule in outcome.tripped} | ({"content"} if outcome.raised else set())
        if "copies" in about and outcome.table in NESTED:
            return "content"
        return next((how for how in FOUND_BY if how in about), "")

    @property
    def survivors(self) -> list[Outcome]:
        """Mutants that no rule about content tripped; copies or counts may have found them."""
        return [o for o in self.outcomes if self.killed(o) != "content"]

    @property
    def unexpected(self) -> list[Outcome]:
        """Survivors for which no reason is written."""
        return [o for o in self.survivors if self.reason(o) is None]

    @property
    def stale(self) -> list[str]:
        """What reasons are written for that is not there. Only a whole run, without sample, can tell."""
        if self.sample is not None:
            return []
        gone = [
            f"{s.table} {s.column} {s.kind}"
            for s in self.expected
            if not any(s.covers(o, self.killed(o)) for o in self.survivors)
        ]
        return gone + [t.rule for t in self.excused if t.rule not in self.toothless]

    def reason(self, outcome: Outcome) -> str | None:
        """The reason why a mutant may survive."""
        return next((s.reason for s in self.expected if s.covers(outcome, self.killed(outcome))), None)

    def matrix(self) -> dict[str, dict[str, tuple[int, int]]]:
        """By rule, the kinds that tripped it: how many mutants, of how many in the tables that it reads."""
        found: dict[str, dict[str, tuple[int, int]]] = {}
        for rule, facts in self.rules.items():
            near = [o for o in self.outcomes if o.table in facts.tables]
            of = Counter(o.kind for o in near)
            tripped = Counter(o.kind for o in self.outcomes if rule in o.tripped)
            found[rule] = {kind: (tripped[kind], max(of[kind], tripped[kind])) for kind in kinds() if tripped[kind]}
        return found

    @property
    def success(self) -> bool:
        """Whether all survivors have a reason, all reasons a survivor, all rules teeth, and no error is raised falsely.

        A warning may stand on the dataset as it is; and a sample cannot tell which rules have teeth.
        """
        errors = [rule for rule in self.false_alarms if self.rules[rule].level == "error"]
        return not (self.unexpected or self.stale or errors or (self.unexcused and self.sample is None))

    def as_json(self) -> Json:
        """Everything as plain values, as `validate --self-test --json` prints it and `describe.matrix` reads it."""
        return {
            "seed": self.seed,
            "most_per_kind": self.most_per_kind,
            "sample": self.sample,
            "data": self.data,
            "suites": self.suites,
            "success": self.success,
            "kinds": kinds(),
            "rules": {rule: asdict(facts) for rule, facts in self.rules.items()},
            "matrix": {rule: {k: list(v) for k, v in row.items()} for rule, row in self.matrix().items()},
            "outcomes": [self._said(o) for o in self.outcomes],
            "toothless": self.toothless,
            "n_checks": len(self.checks),
            "idle": self.idle,
            "false_alarms": list(self.false_alarms),
            "excused": {t.rule: t.reason for t in self.excused},
            "stale": self.stale,
        }

    def _said(self, outcome: Outcome) -> Json:
        said = asdict(outcome) | {"killed": self.killed(outcome), "reason": self.reason(outcome)}
        del said["checks"]
        return said


@dataclass(frozen=True)
class Survivor:
    """Mutants that no rule about content is expected to find, and why; names may be patterns, as in file names.

    Where `copies` is true, those alone that a copy finds.
    """

    table: tuple[str, ...]
    column: tuple[str, ...]
    kind: tuple[str, ...]
    reason: str
    copies: bool = False

    def covers(self, outcome: Outcome, found_by: str) -> bool:
        """Whether it speaks of that mutant, which `found_by` found."""
        if self.copies and found_by != "copies":
            return False
        said = ((outcome.table, self.table), (outcome.column, self.column), (outcome.kind, self.kind))
        return all(any(fnmatch.fnmatchcase(name, p) for p in patterns) for name, patterns in said)


@dataclass(frozen=True)
class Toothless:
    """A rule that no mutant is expected to trip, and why."""

    rule: str
    reason: str


def read_survivors(path: Path) -> tuple[tuple[Survivor, ...], tuple[Toothless, ...]]:
    """The reasons of `survivors.toml`, for mutants and for rules; none where there is no such file.

    Raises SuiteError for a file that is not such a list.
    """
    if not path.is_file():
        return (), ()
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        survivors = tuple(
            Survivor(
                _patterns(s["table"]), _patterns(s["column"]), _patterns(s["kind"]), _reason(s["reason"]), bool(s.get("copies"))
            )
            for s in found.get("survivors", [])
        )
        return survivors, tuple(Toothless(str(t["rule"]), _reason(t["reason"])) for t in found.get("toothless", []))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, ValueError) as fault:
        raise SuiteError(
            f"{path}: is no list of [[survivors]] with table, column, kind, reason, and [[toothless]] with rule, reason: {fault}"
        ) from None


def _patterns(said: object) -> tuple[str, ...]:
    found = said if isinstance(said, list) else [said]
    if not all(isinstance(name, str) for name in found):
        raise TypeError(f"{said!r} is no name or list of names")
    return tuple(found)


def _reason(said: object) -> str:
    if not isinstance(said, str) or not said.strip():
        raise ValueError("a survivor needs a reason")
    return said.strip()


# ---- the test ------------------------------------------------------------------------------------------------


def read_tables(manifest: Manifest, folder: Path) -> dict[str, dict[str, pa.Table]]:
    """The rows of a dataset, by config and split, from the files that the manifest names."""
    found: dict[str, dict[str, pa.Table]] = {}
    for name, table in manifest.tables.items():
        for file in table.files:
            part = pq.read_table(folder / file["path"])
            here = found.setdefault(name, {})
            known = here.get(file["split"])
            here[file["split"]] = part if known is None else pa.concat_tables([known, part])
    return found


@dataclass(frozen=True)
class Setup:
    """What a self-test needs, so that worker processes can be given it.

    `tables` are the dataset's rows (`read_tables`); `views_of` makes the views for a manifest, as `dataset_views` does for a
    folder; `open_engine` opens an engine on views, without samples. Both are functions of a module, or `functools.partial`s.
    """

    suites: tuple[Suite, ...]
    schemas: Mapping[str, bytes] = field(repr=False)
    tables: Tables = field(repr=False)
    manifest: Manifest = field(repr=False)
    views_of: ViewsOf
    open_engine: OpenEngine
    seed: str = "1"
    most_per_kind: int = 1


def self_test(
    setup: Setup,
    *,
    sample: int | None = None,
    expected: tuple[tuple[Survivor, ...], tuple[Toothless, ...]] = ((), ()),
    workers: Workers | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> SelfTest:
    """Run the suites on the dataset as it is and on its mutants, or on `sample` of them that the seed draws.

    Without `workers` everything runs in this process. `progress` is told how many mutants are done. Raises SuiteError where a
    suite cannot be run on the dataset as it is.
    """
    bench = _Bench(setup)
    try:
        numbers = bench.numbers(sample)
        shares = [numbers[start : start + _AT_ONCE] for start in range(0, len(numbers), _AT_ONCE)]
        outcomes: list[Outcome] = []
        tasks = [(setup, share) for share in shares]
        for found in workers.map(_work, tasks) if workers else map(bench.outcomes, shares):
            outcomes += found
            progress(len(outcomes), len(numbers))
        return SelfTest(
            setup.seed,
            setup.most_per_kind,
            sample,
            setup.manifest.logical_digest,
            suites_digest(setup.suites),
            _rules(setup.suites, bench.world.reads),
            {e.id: _called(s, e) for s in setup.suites for e in s.expectations},
            bench.false_alarms,
            tuple(outcomes),
            *expected,
        )
    finally:
        bench.close()


class _Bench:
    """The mutants of a setup and what judges them; it holds memory until it is closed."""

    def __init__(self, setup: Setup) -> None:
        self.mutants = list(mutants(schemas_from(setup.schemas), setup.tables, setup.seed, setup.most_per_kind))
        self.seed = setup.seed
        self.world = _World(setup.suites, setup.tables, setup.manifest, setup.views_of)
        try:
            self.answers = _Answers(setup.open_engine)
            self.first = self._look_first()
            self.world.failing = {i for i, d in self.first.seen.items() if not self.answers.known[i, d].passed}
            if self.world.failing:  # seen again, with what matters for those
                self.first = self._look_first()
        except BaseException:
            self.close()
            raise
        rules = {e.id: e.rule for s in setup.suites for e in s.expectations}
        self.false_alarms = tuple(sorted({rules[i] for i in self.world.failing}))

    def _look_first(self) -> _Look:
        look = self.world.first(self.answers.known)
        self.answers.ask(look.contents)
        if self.answers.broken:
            raise SuiteError(next(iter(self.answers.broken.values())))
        return look

    def numbers(self, sample: int | None) -> list[int]:
        """Which mutants to try."""
        everything = range(len(self.mutants))
        if sample is None:
            return list(everything)
        drawn = sorted(everything, key=lambda n: hashlib.sha256(f"{self.seed}\0sample\0{n}".encode()).digest())
        return sorted(drawn[:sample])

    def outcomes(self, numbers: Sequence[int]) -> list[Outcome]:
        """What happens to some of the mutants."""
        some = [self.mutants[n] for n in numbers]
        looks = [self.world.look(m, self.answers.known) for m in some]
        self.answers.ask(content for look in looks for content in look.contents)
        return [_outcome(m, look, self.first, self.answers) for m, look in zip(some, looks, strict=True)]

    def close(self) -> None:
        """Give everything back."""
        self.world.close()


_benches: list[_Bench] = []
"""The bench of a worker process, which stays from one share of mutants to the next."""


def _work(task: tuple[Setup, list[int]]) -> list[Outcome]:
    setup, numbers = task
    if not _benches:
        _benches.append(_Bench(setup))
        atexit.register(_benches[0].close)
    return _benches[0].outcomes(numbers)


def suites_digest(suites: Sequence[Suite]) -> str:
    """SHA-256 over what the suites say."""
    said = [(s.view, s.relation, [(e.id, e.type, e.kwargs, e.rule, e.level) for e in s.expectations]) for s in suites]
    return hashlib.sha256(repr(sorted(said, key=lambda s: s[0])).encode()).hexdigest()


def _rules(suites: Sequence[Suite], reads: Mapping[str, frozenset[str]]) -> dict[str, RuleFacts]:
    found: dict[str, RuleFacts] = {}
    for suite in suites:
        counts = bool(reads[suite.view] & COUNTS)
        near = {name for name in reads[suite.view] if f"{name}__in__" in " ".join(reads[suite.view])}
        for e in suite.expectations:
            about = "copies" if e.rule in COPIES else "counts" if counts else "content"
            known = found.get(e.rule, RuleFacts(e.level, about, ()))
            best = min(about, known.about, key=FOUND_BY.index)
            found[e.rule] = RuleFacts(e.level, best, tuple(sorted(near | set(known.tables))))
    return dict(sorted(found.items()))


def _called(suite: Suite, expectation: Expectation) -> str:
    about = ", ".join(expectation.columns) or "the table"
    return f"`{suite.view}` {expectation.type.removeprefix('expect_')} ({about}), `{expectation.rule}`"


@dataclass(frozen=True)
class _Content:
    """Rows of one suite's view, and the expectations that were never asked about them."""

    suite: Suite
    rows: pa.Table
    expectations: tuple[Expectation, ...]
    digests: tuple[str, ...]


@dataclass(frozen=True)
class _Look:
    """What the expectations see of one mutant: a digest of their columns by id; contents to be asked about; what did not run."""

    seen: dict[str, str]
    contents: list[_Content]
    raised: list[str]


@dataclass(frozen=True)
class _Answer:
    passed: bool
    failing: int


def _outcome(mutant: Mutant, look: _Look, first: _Look, answers: _Answers) -> Outcome:
    checks: list[str] = []
    raised = list(look.raised)
    for check, digest in look.seen.items():
        if (check, digest) in answers.broken:
            raised.append(answers.rule[check])
            continue
        now, before = answers.known[check, digest], answers.known[check, first.seen[check]]
        if not now.passed and (before.passed or now.failing > before.failing):
            checks.append(check)
    tripped = tuple(sorted({answers.rule[check] for check in checks}))
    return Outcome(mutant.kind, mutant.table, mutant.column, mutant.says, tripped, tuple(dict.fromkeys(raised)), tuple(checks))


class _Answers:
    """What Great Expectations says of an expectation on a content; asked once each."""

    def __init__(self, open_engine: OpenEngine) -> None:
        self.open_engine = open_engine
        self.known: dict[tuple[str, str], _Answer] = {}
        self.broken: dict[tuple[str, str], str] = {}
        self.rule: dict[str, str] = {}

    def ask(self, contents: Iterable[_Content]) -> None:
        """Have the contents judged, each under a name of its own, in one engine."""
        todo: list[tuple[str, Suite, pa.Table]] = []
        digests: dict[str, dict[str, str]] = {}
        asked: set[tuple[str, str]] = set()
        for content in contents:
            new = [(e, d) for e, d in zip(content.expectations, content.digests, strict=True) if (e.id, d) not in asked]
            if not new:
                continue
            asked |= {(e.id, d) for e, d in new}
            name = f"{content.suite.view}__{len(todo)}"
            digests[name] = {e.id: d for e, d in new}
            todo.append((name, _part(content.suite, name, [e for e, _ in new]), content.rows))
        if not todo:
            return
        with self.open_engine([View(name, rows=rows) for name, _, rows in todo]) as engine:
            for name, suite, _ in todo:
                for one, result in self._results(engine, suite):
                    place = (one.id, digests[name][one.id])
                    self.rule[one.id] = one.rule
                    if isinstance(result, str):
                        self.broken[place] = result
                    else:
                        self.known[place] = _Answer(bool(result.success), int(result.result.get("unexpected_count") or 0))

    def _results(self, engine: Engine, suite: Suite) -> Iterator[tuple[Expectation, Any]]:
        """Results by expectation; where the suite cannot be run, each alone, and a message for those that cannot."""
        try:
            yield from zip(suite.expectations, engine.validate(suite).results, strict=True)
        except SuiteError as fault:
            if len(suite.expectations) == 1:
                yield suite.expectations[0], str(fault)
                return
            for one in suite.expectations:
                yield from self._results(engine, _part(suite, suite.view, [one]))


def _part(suite: Suite, view: str, some: Sequence[Expectation]) -> Suite:
    """Some of a suite's expectations, about rows under another name."""
    ids = {e.id for e in some}
    written = {**suite.written, "expectations": [e for e in suite.written["expectations"] if e["id"] in ids]}
    ordered = tuple(e for e in suite.expectations if e.id in ids)
    return replace(suite, view=view, relation=None, key=(), written={**written, "name": view}, expectations=ordered)


# ---- the dataset with one fault at a time --------------------------------------------------------------------


class _World:
    """All views, as tables in memory; a mutant's rows, and what follows from them, lie over those for as long as it is looked at.

    They are temporary tables of the same names, which DuckDB finds first.
    """

    def __init__(self, suites: Sequence[Suite], tables: Tables, manifest: Manifest, views_of: ViewsOf) -> None:
        from dateline.validate.database import Database
        from dateline.validate.running import Options

        self.suites, self.manifest, self.views_of = suites, manifest, views_of
        self.files = {split_view(name, split): part for name, splits in tables.items() for split, part in splits.items()}
        self.views = {v.name: self._in_memory(v) for v in views_of(manifest)}
        self.database = Database([v for v in self.views.values() if v.rows is not None], Options(threads=1))
        try:
            for view in self.views.values():
                if view.rows is None:
                    self._execute(f"CREATE TABLE {_quoted(view.name)} AS {view.query}")
            queries = {v.name: v.query for v in self.views.values() if v.query}
            # a suite may be about a view of the same name: what the view reads, and what the suite reads
            self.inputs = {("view", name): self._inputs(query) for name, query in queries.items()}
            for suite in suites:
                whole = [(suite.view, self._columns(suite.view))]
                self.inputs["suite", suite.view] = whole if suite.relation is None else self._inputs(suite.relation)
            self.read_by = {s.view: self._read_by(s) for s in suites}
            self.reads = {s.view: self._all_read({name for name, _ in self.inputs["suite", s.view]}) for s in suites}
            wanted: dict[str, set[tuple[str, ...]]] = {}
            read = [*self.inputs.values(), *(places for by_id in self.read_by.values() for places in by_id.values())]
            for name, columns in {place for places in read for place in places}:
                wanted.setdefault(name, set()).add(columns)
            self.wanted = {name: sorted(found) for name, found in wanted.items()}
            self.base_inputs = {name: self._input_digests(name) for name in self.wanted}
        except BaseException:
            self.database.close()
            raise
        self.base: dict[str, dict[str, str]] = {}
        self.failing: set[str] = set()
        """Expectations that fail on the dataset as it is; of these alone it matters how often a row stands."""

    def close(self) -> None:
        """Free the memory."""
        self.database.close()

    def _in_memory(self, view: View) -> View:
        return View(view.name, rows=self.files[view.name]) if view.parquet else view

    # ---- who reads what

    def _inputs(self, query: str) -> list[tuple[str, tuple[str, ...]]]:
        """The views that a query names, each with those of its columns that the query names, too; with none, rows are counted."""
        words = set(_names(query))
        everything = re.search(r"(^|[\s,.])\*", query) is not None
        return [(name, tuple(c for c in self._columns(name) if everything or c in words)) for name in self.views if name in words]

    def _read_by(self, suite: Suite) -> dict[str, set[tuple[str, tuple[str, ...]]]]:
        """What each expectation of a suite reads, by its id; of a relation only what its own condition is made of."""
        whole = set(self.inputs["suite", suite.view])
        found = {}
        for e in suite.expectations:
            part = sliced(suite.relation or "", _sees(e)) if _sees(e) else None
            found[e.id] = whole if part is None else set(self._inputs(part))
        return found

    @functools.cache  # noqa: B019 - one object per run
    def _columns(self, name: str) -> tuple[str, ...]:
        return tuple(self.database.columns(name))

    def _all_read(self, names: Iterable[str]) -> frozenset[str]:
        """The views, and all that they read."""
        found, todo = set[str](), list(names)
        while todo:
            name = todo.pop()
            if name in self.views and name not in found:
                found.add(name)
                todo += _names(self.views[name].query)
        return frozenset(found)

    def _input_digests(self, name: str) -> list[str]:
        """How many rows a view has, then a digest of them for each set of columns that somebody reads."""
        hashes = "".join(f", sum(hash({_listed(c)}, {_SALT})::HUGEINT)::VARCHAR" if c else ", ''" for c in self.wanted[name])
        return [str(v) for v in self._execute(f"SELECT count(*){hashes} FROM {_quoted(name)} r")[0]]

    def _otherwise(self, name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The sets of columns of a view that are not as in the dataset as it is."""
        if name in self.wanted:
            (n, *now), (before, *then) = self._input_digests(name), self.base_inputs[name]
            for columns, one, other in zip(self.wanted[name], now, then, strict=True):
                if one != other or n != before:
                    yield name, columns

    # ---- looking

    def first(self, known: Mapping[tuple[str, str], _Answer]) -> _Look:
        """What the suites see of the dataset as it is. Raises SuiteError for a relation that does not run."""
        contents = []
        for suite in self.suites:
            self.base[suite.view], found = self._judge(suite, suite.expectations, {}, known)
            contents += found
        return _Look({i: d for digests in self.base.values() for i, d in digests.items()}, contents, [])

    def look(self, mutant: Mutant, known: Mapping[tuple[str, str], _Answer]) -> _Look:
        """What the suites see otherwise in a mutant, and the contents on which nobody was asked yet."""
        laid: list[str] = []
        try:
            other = self._lay(mutant, laid)
            seen: dict[str, str] = {}
            contents: list[_Content] = []
            raised: list[str] = []
            for suite in self.suites:
                some = [e for e in suite.expectations if not other.isdisjoint(self.read_by[suite.view][e.id])]
                if not some:
                    continue
                try:
                    now, found = self._judge(suite, some, self.base[suite.view], known)
                    seen |= now
                    contents += found
                except SuiteError:
                    raised.append(suite.view)
        finally:
            for name in laid:
                self._execute(f"DROP TABLE temp.{_quoted(name)}")
        return _Look(seen, contents, raised)

    def _lay(self, mutant: Mutant, laid: list[str]) -> set[tuple[str, tuple[str, ...]]]:
        """Lay a mutant's rows, and what follows from them, over the dataset; which columns of which views are others then.

        `laid` receives the names of the tables.
        """
        rows = {split_view(name, split): part for name, splits in mutant.changed.items() for split, part in splits.items()}
        fresh = [(name, s) for name, splits in mutant.changed.items() for s in splits if split_view(name, s) not in self.files]
        views = self.views
        if fresh:  # the manifest of such a dataset names a file in that split
            facts = dict(self.manifest.tables)
            for name, split in fresh:
                facts[name] = replace(facts[name], files=[*facts[name].files, {"path": "", "split": split}])
            with_files = replace(self.manifest, tables=facts)
            views = {v.name: View(v.name, rows=rows.get(v.name)) if v.parquet else v for v in self.views_of(with_files)}
        other: set[tuple[str, tuple[str, ...]]] = set()
        for name, view in views.items():
            if name in rows:
                connection = self.database.connection
                connection.register("_rows", rows[name])
                self._execute(f"CREATE TEMP TABLE {_quoted(name)} AS SELECT * FROM _rows")
                connection.unregister("_rows")
            elif view.query and (view.query != self.views[name].query or not other.isdisjoint(self.inputs["view", name])):
                self._execute(f"CREATE TEMP TABLE {_quoted(name)} AS {view.query}")
            else:
                continue
            laid.append(name)
            other |= set(self._otherwise(name))
        return other

    def _judge(
        self, suite: Suite, some: Sequence[Expectation], base: Mapping[str, str], known: Mapping[tuple[str, str], _Answer]
    ) -> tuple[dict[str, str], list[_Content]]:
        """Digests of what expectations see where it is not as in `base`, and the content to ask about where that is not known."""
        from dateline.validate.database import one_select

        source = _quoted(suite.view)
        if suite.relation is not None:
            source = "_relation"
            part = None if self.failing & {e.id for e in some} else sliced(suite.relation, {c for e in some for c in _sees(e)})
            select = one_select(part or suite.relation, suite.file)
            try:
                self._execute(f"CREATE OR REPLACE TEMP TABLE _relation AS {select}")
            except duckdb.Error as fault:
                raise SuiteError(f"{suite.file}: the relation does not run: {first_line(fault)}") from None
        parts = list(dict.fromkeys(self._part(e) for e in some))
        hashes = ", ".join(
            f"sum({'DISTINCT ' if once else ''}hash({_listed(c)}, {_SALT})::HUGEINT)::VARCHAR" for c, once in parts
        )
        n, *sums = self._execute(f"SELECT count(*), {hashes} FROM {source} r")[0]
        by_part = {part: f"{'' if part[1] else n}:{total}" for part, total in zip(parts, sums, strict=True)}
        now = {e.id: by_part[self._part(e)] for e in some}
        now = {i: d for i, d in now.items() if d != base.get(i)}
        new = tuple(e for e in some if e.id in now and (e.id, now[e.id]) not in known)
        if not new:
            return now, []
        sees = [_sees(e) for e in new]
        listed = "*" if () in sees else _listed(tuple(dict.fromkeys(c for columns in sees for c in columns)))
        rows = self.database.connection.sql(f"SELECT {listed} FROM {source} r").to_arrow_table()
        return now, [_Content(suite, rows, new, tuple(now[e.id] for e in new))]

    def _part(self, expectation: Expectation) -> tuple[tuple[str, ...], bool]:
        """The columns that decide an expectation, and whether it matters only which rows there are, not how often."""
        once = expectation.type in _ROW_BY_ROW and expectation.id not in self.failing and "mostly" not in expectation.kwargs
        return _sees(expectation), once and bool(_sees(expectation))

    def _execute(self, query: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.database.connection.execute(query).fetchall()
        return found


_ROW_BY_ROW = frozenset(
    f"expect_column_{name}"
    for name in (
        "values_to_not_be_null",
        "values_to_be_null",
        "values_to_be_in_set",
        "values_to_not_be_in_set",
        "values_to_be_between",
        "values_to_match_regex",
        "values_to_not_match_regex",
        "value_lengths_to_be_between",
        "value_lengths_to_equal",
        "pair_values_a_to_be_greater_than_b",
        "pair_values_to_be_equal",
    )
)  # whether all rows pass does not change when a row stands twice


def _sees(expectation: Expectation) -> tuple[str, ...]:
    """The columns that decide an expectation; () means all."""
    return () if expectation.kwargs.get("row_condition") else tuple(dict.fromkeys(expectation.columns))


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(map(_quoted, columns)) if columns else "r"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _names(query: str) -> list[str]:
    """Words of a query outside comments and strings."""
    return re.findall(r"[A-Za-z_][A-Za-z0-9_]*", re.sub(r"--[^\n]*|'(?:[^']|'')*'", " ", query))
