"""The leak scan: no string of a dataset repeats a text that may not be passed on.

It runs when all files of a rebuild are made and none is in place. A withheld text is *at hand* if its record carries it, or if it
lies as `<article_id>.txt` in the folder of texts; texts are read one at a time, here and not by the workers of the
compile stage, which return no words: the few records that carry a withheld text are read once more. Workers of the scan
receive file names, and the texts as hashes (`leaks.Grams`), a limited number at a time.

An open article may quote what a withheld one also quotes: in its own text, and in the surfaces cut out of it, only a stretch
of 32 words or more is refused; shorter ones are counted. Everywhere else 8 words are a leak.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dateline.compile.plan import ShardPlan
from dateline.compile.sets import PRIMARY
from dateline.compile.shard import read_again
from dateline.compile.tables import ARTICLES, RECORDS, STANDOFF
from dateline.engines import Engine
from dateline.errors import InputError, Place, Problem
from dateline.leaks import WORDS, Grams, Match, Strings, hashes_of, line_of_word, shown, strings_of
from dateline.parquet import FileFacts
from dateline.project import Project
from dateline.rules import problem
from dateline.schema import Schemas

ROUND_GRAMS = 1 << 24
"""N-grams that one pass over the files looks for (200 MB); with more texts there are more passes."""
OPEN_STRETCH = 32
"""Words in a row that an open article's own text may not share with a withheld one."""
SMALL = 32 * 1000 * 1000
"""Bytes of data files that are scanned in this process: starting workers would take longer."""
_MOST = 100
_BATCH_ROWS = 500


@dataclass
class LeakScan:
    """What the scan covered: withheld articles, texts scanned for, not at hand, too short to have 8 words in a row.

    `quoting` counts open articles whose text shares 8 to 31 words in a row with a withheld one. `warnings` name texts
    that do not fit their record and so were not scanned; `problems` are the leaks.
    """

    withheld: int = 0
    scanned: int = 0
    not_at_hand: int = 0
    too_short: int = 0
    quoting: int = 0
    warnings: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The counts and warnings as plain JSON types."""
        counts = {name: getattr(self, name) for name in ("withheld", "scanned", "not_at_hand", "too_short", "quoting")}
        return counts | {"warnings": [p.as_json() for p in self.warnings]}


def scan_for_leaks(
    project: Project,
    schemas: Schemas,
    derived: Mapping[str, tuple[str, frozenset[str]]],
    shards: Sequence[ShardPlan],
    files: Sequence[FileFacts],
    data: Path,
    documents: Mapping[str, Sequence[str]],
    engine: Engine,
    work: Path,
) -> LeakScan:
    """Scan data files (below `data`) and documents (strings by name, such as the card) for withheld texts.

    `derived` gives the key of each derived table, and those of its columns that show words of open articles.
    Where no text is withheld this costs nothing; where none is at hand, the strings of withheld rows are still held to
    the limit of `longest_string` characters. Raises InputError if a seed file changed since it was compiled.
    """
    ids = pa.concat_tables([withheld.select(["article_id"]) for withheld in _withheld(shards)])
    found = LeakScan(withheld=len(ids))
    if not found.withheld:
        return found
    home = work / "leaks"
    home.mkdir()
    pq.write_table(ids, home / "ids.parquet")
    text: frozenset[str] = frozenset(("text",))
    known = {name: (layer.key.name, frozenset[str]()) for name, layer in {**schemas.layers, **schemas.tables}.items()}
    known |= {ARTICLES: ("", text), RECORDS: ("", text), PRIMARY: ("", text), STANDOFF: ("", frozenset()), **derived}
    task = ScanTask(Path(), "", "", frozenset(), home / "ids.parquet", home / "round", project.settings.longest_string)
    tasks = [replace(task, path=data / f.path, table=f.config, key=known[f.config][0], own=known[f.config][1]) for f in files]
    hits: list[_Hit] = []
    quoting: set[str] = set()
    for number, (names, grams) in enumerate(_rounds(project, shards, found)):
        grams.save(task.grams)
        todo = [replace(t, longest=0 if number else t.longest) for t in tasks]  # long strings are told once
        small = sum(f.bytes for f in files) < SMALL
        for scanned in map(scan_file, todo) if small else engine.map(scan_file, todo):
            quoting |= scanned.quoting
            hits += [replace(hit, text=names[hit.number] if hit.number >= 0 else "") for hit in scanned.hits]
        hits += _in_documents(documents, grams, names)
    found.quoting = len(quoting)
    found.problems = [_problem(hit, shards, project.settings.longest_string) for hit in hits]
    return found


# ---- texts at hand -------------------------------------------------------------------------------------------


def file_of(folder: Path, article_id: str) -> Path:
    """Where a folder of texts keeps the text of an article."""
    return folder / f"{article_id}.txt"


def read_text(path: Path, sha256: str) -> str:
    """The text in a file, which must be the one that was annotated.

    Raises Unfit (with the first 12 digits of both digests) if it is not, OSError as the system gives it.
    """
    raw = path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise Unfit(found[:12], sha256[:12])
    return raw.decode("utf-8")


class Unfit(Exception):
    """A text is not the one that was annotated."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"has sha256 {found}, expected {expected}")
        self.found, self.expected = found, expected


def unfit(path: Path, article_id: str, fault: Unfit, level: str = "error") -> Problem:
    """The problem that a file is not the text it is named for."""
    made = problem("text-unfit", Place(path.as_posix()), article=article_id, found=fault.found, expected=fault.expected)
    return replace(made, level=level)


def _withheld(shards: Sequence[ShardPlan]) -> Iterator[pa.Table]:
    """The withheld articles of one shard after the other."""
    for shard in shards:
        articles = shard.articles
        yield articles.filter(articles["withheld"])


def _rounds(project: Project, shards: Sequence[ShardPlan], found: LeakScan) -> Iterator[tuple[list[str], Grams]]:
    """The texts at hand, as many at a time as fit into one pass; at least one round, which may be empty."""
    names: list[str] = []
    pieces: list[Any] = []
    empty = True
    for article_id, text in _texts(project, shards, found):
        grams = hashes_of(text)
        if not len(grams):
            found.too_short += 1
            continue
        found.scanned += 1
        names.append(article_id)
        pieces.append(grams)
        if sum(map(len, pieces)) >= ROUND_GRAMS:
            yield names, Grams.join(pieces)
            names, pieces, empty = [], [], False
    if names or empty:
        yield names, Grams.join(pieces)


def _texts(project: Project, shards: Sequence[ShardPlan], found: LeakScan) -> Iterator[tuple[str, str]]:
    folder = project.texts()
    for articles in _withheld(shards):
        for entry, raw in read_again(articles):
            try:
                said = orjson.loads(raw.raw)["text"]
            except (orjson.JSONDecodeError, KeyError, TypeError):
                raise InputError(f"{entry['file']}: changed while it was read; run the command again") from None
            if said.get("content") is not None:
                yield entry["article_id"], said["content"]
                continue
            path = file_of(folder, entry["article_id"]) if folder else None
            try:
                if path is not None and path.is_file():
                    yield entry["article_id"], read_text(path, said["sha256"])
                    continue
            except Unfit as fault:
                assert path is not None
                found.warnings.append(unfit(path, entry["article_id"], fault, "warning"))
            except OSError as fault:
                raise InputError(f"{path}: cannot be read: {fault.strerror}") from None
            found.not_at_hand += 1


# ---- what one worker does ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ScanTask:
    """One data file to scan: its table, its key column, columns that show words of an open article's text (`own`), the withheld
    articles, the n-grams, the limit (0: none)."""

    path: Path
    table: str
    key: str
    own: frozenset[str]
    ids: Path
    grams: Path
    longest: int


@dataclass(frozen=True)
class _Hit:
    where: str
    article_id: str | None = None
    number: int = -1
    text: str = ""
    length: int = 0
    unit: str = "characters"


@dataclass
class Scanned:
    """What a worker returns: places of leaks, without words, and the open articles that quote."""

    hits: list[_Hit] = field(default_factory=list)
    quoting: set[str] = field(default_factory=set)


def scan_file(task: ScanTask) -> Scanned:
    """Scan one Parquet file, some rows at a time."""
    grams = Grams.load(task.grams)
    withheld = pq.read_table(task.ids)["article_id"].combine_chunks()
    made = Scanned()
    file = pq.ParquetFile(task.path)
    if not len(grams.hashes) and "article_id" not in file.schema_arrow.names:
        return made
    for batch in file.iter_batches(_BATCH_ROWS):
        ids = batch["article_id"] if "article_id" in batch.schema.names else None
        kept = pc.is_in(ids, value_set=withheld) if ids is not None else pa.array([False] * len(batch))
        rows = _Rows(task, batch, ids, np.asarray(kept).astype(bool))
        if not len(grams.hashes):  # nothing to compare with: only the rows of withheld articles matter
            batch = batch.filter(kept)
            rows = _Rows(task, batch, batch["article_id"], np.ones(len(batch), bool))
        for name in batch.schema.names:
            for strings in strings_of(name, batch[name], across_items=task.table in {STANDOFF, PRIMARY}):
                if len(made.hits) >= _MOST:
                    return made
                _scan(task, strings, rows, grams, made)
    return made


@dataclass
class _Rows:
    task: ScanTask
    batch: Any
    ids: Any
    withheld: Any

    def article(self, row: int) -> str | None:
        return self.ids[row].as_py() if self.ids is not None else None

    def name(self, row: int) -> str:
        """The row's ids, as far as they can be shown."""
        keys = [self.task.key] if self.task.key else []
        names = [self.article(row), *(self.batch[key][row].as_py() for key in keys)]
        return "/".join(shown(str(name), quote=False) for name in names if name is not None)


def _scan(task: ScanTask, strings: Strings, rows: _Rows, grams: Grams, made: Scanned) -> None:
    def where(string: int) -> str:
        return f"table {task.table}, row {rows.name(int(strings.rows[string]))}, column {strings.column}"

    reported: set[int] = set()
    for match in grams.find(strings.strings):
        row = int(strings.rows[match.string])
        least = 0
        if strings.across:  # names that a text lists one by one are no leak, its tokens in a row are
            least = 2 * WORDS
        elif _is_own_text(task, strings.column) and not rows.withheld[row]:
            least = OPEN_STRETCH
        if match.length < least:
            if task.table == ARTICLES and not strings.across:
                made.quoting.add(str(rows.article(row)))
        elif row not in reported:
            reported.add(row)
            made.hits.append(_Hit(where(match.string), rows.article(row), match.text, "", match.length, match.unit))
    if task.longest and not strings.across:
        for number, string in enumerate(strings.strings):
            row = int(strings.rows[number])
            if len(string) > task.longest and rows.withheld[row] and row not in reported:
                made.hits.append(_Hit(where(number), rows.article(row), length=len(string)))


def _is_own_text(task: ScanTask, column: str) -> bool:
    return column in task.own or column.endswith(".surface")


# ---- problems ------------------------------------------------------------------------------------------------


def _in_documents(documents: Mapping[str, Sequence[str]], grams: Grams, names: Sequence[str]) -> list[_Hit]:
    hits = []
    for name, strings in documents.items():
        first: dict[int, Match] = {}
        for match in grams.find(strings):
            first.setdefault(match.text, match)
        for match in first.values():  # one place of each text is enough
            line = f", line {line_of_word(strings[0], match.first)}" if len(strings) == 1 and match.unit == "words" else ""
            hits.append(_Hit(f"the {name}{line}", None, match.text, names[match.text], match.length, match.unit))
    return hits


def _problem(hit: _Hit, shards: Sequence[ShardPlan], limit: int) -> Problem:
    place = Place("dataset")
    for shard in shards if hit.article_id is not None else ():
        found = shard.articles.filter(pc.equal(shard.articles["article_id"], hit.article_id))
        if found.num_rows:
            place = Place(found["file"][0].as_py(), found["line"][0].as_py())
    if hit.number < 0:
        return problem("leak-long-string", place, where=hit.where, length=hit.length, limit=limit)
    return problem("leak", place, where=hit.where, length=hit.length, unit=hit.unit, article=shown(hit.text, quote=False))


def strings_in(value: Any) -> list[str]:
    """Every string of a JSON value, keys included."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [s for key, inner in value.items() for s in (str(key), *strings_in(inner))]
    return [s for inner in value for s in strings_in(inner)] if isinstance(value, list | tuple) else []
