"""explain: where a row of a dataset comes from, why it is where it is, what was checked of it, and what hangs together with it.

It explains the dataset as it was built, and says where the seeds have moved on since. The answer is plain JSON types: what
`dateline explain --json` prints; docs/explaining.md says what each part means.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dateline.blaming import blame
from dateline.compile.check import snippet
from dateline.compile.origins import Lines, origins
from dateline.compile.sets import PRIMARY
from dateline.compile.tables import ARTICLES
from dateline.derive.bases import Bases, Name
from dateline.errors import InputError, LoadError, UsageError
from dateline.explaining_seeds import place_json, written_of
from dateline.lookup import Found, Lookup, Row, lookup
from dateline.manifest import Manifest, read_manifest
from dateline.project import Project
from dateline.row_facts import canonical
from dateline.validate.covering import Covering
from dateline.validating import FOLDER, carried_suites

Json = dict[str, Any]
_OF_A_SET = ("annotator_id", "annotator_type", "tool", "tool_version", "guideline_version", "status", "created", "adjudicator_id")
MOST = 200
"""So many rows are listed of each sort; all are counted."""
_MOST_ARTICLES = 20
_MOST_NEAR = 20_000
"""So many ids of a table are compared with one that is not there."""


def explain_project(project: Project) -> Explainer:
    """What explains the rows of a project's dataset. Raises LoadError if there is none."""
    return Explainer(project.dataset, project.name_of(project.dataset), project)


def explain_dataset(folder: Path) -> Explainer:
    """What explains the rows of a dataset in any folder, without seeds. Raises LoadError if there is none."""
    return Explainer(folder, str(folder), None)


@dataclass
class Explainer:
    """Explains rows of one dataset; what it has read of an article serves its other rows, too."""

    folder: Path
    called: str
    project: Project | None

    def __post_init__(self) -> None:
        self.manifest: Manifest = read_manifest(self.folder)
        self.rows: Lookup = lookup(self.folder, self.manifest)
        self._bases = Bases(self.rows, self.project.settings.views if self.project else {})
        self.written = written_of(self.rows, self.project)

    def explain(self, name: str, table: str | None = None, *, blamed: bool = False) -> Json:
        """All that is known of the row called `name`, in `table` if several have one of that name.

        Raises UsageError where there is none, with what was sought, where, and the nearest there are; and where several tables
        have one. With `blamed` the commit that last touched the row's seed is asked of git.
        """
        found, also = self._find(name, table)
        base = [] if self.rows.level(found.table) != "derived" else self._bases.of(found)
        articles = self._articles_of(found, base)
        seed = self.written.lines(found.table, self.rows.name(found))
        said: Json = {
            "id": self.rows.name(found),
            "table": found.table,
            "level": "article" if (level := self.rows.level(found.table)) == "whole" else "row" if level == "article" else level,
            "also_in": also,
            "dataset": {"folder": self.called, "name": self.manifest.name, "version": self.manifest.version,
                        "content_digest": self.manifest.content_digest},
            "shard": {"file": found.file["path"], "split": found.file["split"], "row": found.number, "rows": found.file["rows"]},
            "seed": place_json(seed),
            "seed_state": self.written.state(found, seed),
            "snippet": self._snippet(found, base),
            "articles": [self.written.article(article_id) for article_id in articles[:_MOST_ARTICLES]],
            "annotation": self._annotation(found, base),
            "release": self.written.release(found),
            "validation": self._covering.of(found.table, self.rows.name(found)),
            "refers_to": self._refers_to(found),
            "referred_by": _listed(self._referred_by(found)),
            "derived": _listed(self._gives(found)),
            "follows_from": _listed(self._follows(base)),
            "content": self._content(found) if self.rows.level(found.table) == "whole" else None,
            "blame": None,
            "notes": [],
        }  # fmt: skip
        said["notes"] = list(self._notes(said, len(articles)))
        if blamed:
            self._blame(said, seed, base)
        return said

    # ---- which row it is ---------------------------------------------------------------------------------------

    def _find(self, name: str, table: str | None) -> tuple[Found, list[str]]:
        """The row, and the other tables that have one of this name. What others follow from goes before what follows."""
        if table is not None and table not in self.manifest.tables:
            raise UsageError(f"{self.called}: has no table {table!r}; it has {', '.join(self.manifest.tables)}")
        found = list(self._candidates(name, [table] if table else None))
        if not found:
            raise UsageError(self._unknown(name, table))
        own = [one for one in found if self.rows.level(one.table) != "derived"] or found
        if len({one.table for one in own}) < len(own):  # passes over an article, in `primary`
            raise UsageError(f"{name!r} has several rows in {own[0].table}; name one: {', '.join(map(self.rows.name, own))}")
        if len(own) > 1:
            raise UsageError(f"{name!r} is a row of {_and([one.table for one in own])}; say of which: --table {own[0].table}")
        return own[0], [one.table for one in found if one is not own[0]]

    def _candidates(self, name: str, tables: list[str] | None) -> Iterator[Found]:
        article_id, hash_, local = name.partition("#")
        shard = self.rows.shard(article_id)
        for table in tables or [ARTICLES, *(t for t in self.manifest.tables if self.rows.level(t) != "whole")]:
            level = self.rows.level(table)
            if level == "whole" and shard is not None and table == PRIMARY:
                rows = self.rows.of_article(table, article_id)
                yield from [one for one in rows if not local or local in (*one.row["annotation_set_ids"], self._local(one))]
            elif level == "whole" and shard is not None and not hash_:
                yield from self.rows.of_article(table, article_id)
            elif level == "article" and shard is not None and local:
                item = self.rows.item(table, article_id, local)
                yield from [item] if item else []
            elif level in ("corpus", "derived"):
                within = _in_split(shard.split) if shard and level == "derived" else _anywhere
                yield from itertools.islice(self.rows.equal(table, self.rows.key(table), name, within=within), 1)

    def _local(self, found: Found) -> str:
        return self.rows.name(found).partition("#")[2]

    def _unknown(self, name: str, table: str | None) -> str:
        """What to say of a name that no row has."""
        article_id = name.partition("#")[0]
        where = f"{table} of {self.called}" if table else self.called
        if gone := self.written.tombstone(article_id):
            return f"{where}: {article_id!r} was retracted{gone}; its rows are in no dataset after that"
        if self.rows.shard(article_id) is None and self.project and not self.written.lacking:
            origin = origins(self.project, {article_id}).get(article_id)
            if origin is not None:
                return (
                    f"{where}: has no {name!r}, but {origin.whole.place} has its record; `dateline rebuild` builds it, or says "
                    "why it is left out"
                )
        near = _near(name, self._names_near(name, table))
        sought = table or "articles, layers, corpus-level and derived tables"
        return f"{where}: has no row {name!r} in {sought}{near}"

    def _names_near(self, name: str, table: str | None) -> Iterator[str]:
        """Names that one may have meant: of the same article where it is there, else a bounded number of each table."""
        article_id, _, local = name.partition("#")
        if self.rows.shard(article_id) is not None and local:
            layers = [table] if table else self.rows.tables("article")
            for layer in layers:
                holding = "" if self.rows.level(layer) == "article" else f"{article_id}#"
                if holding:
                    yield from itertools.islice(self.rows.names(layer, holding), _MOST_NEAR)
                else:
                    yield from (self.rows.name(found) for found in self.rows.of_article(layer, article_id))
            return
        tables = [table] if table else [ARTICLES, *self.rows.tables("corpus"), *self.rows.tables("derived")]
        for one in tables:
            yield from itertools.islice(self.rows.names(one), _MOST_NEAR)

    # ---- its article ---------------------------------------------------------------------------------------------

    def _articles_of(self, found: Found, base: list[Name]) -> list[str]:
        if self.rows.level(found.table) in ("article", "whole"):
            return [str(found.row["article_id"])]
        return list(
            dict.fromkeys(name.partition("#")[0] for table, name in base if self.rows.level(table) in ("article", "whole"))
        )

    def _content(self, found: Found) -> Json:
        """What an article holds: rows by layer, coverage, its text in numbers, the corrections that it lists."""
        article_id = str(found.row["article_id"])
        row = self.rows.of_article(ARTICLES, article_id)[0].row
        layers = self.rows.tables("article")
        covered = {str(one.row["layer"]): str(one.row["status"]) for one in self._of("coverage", article_id)}
        return {
            "rows": {layer: len(self.rows.of_article(layer, article_id)) for layer in layers},
            "coverage": covered,
            "text": {name: row.get(name) for name in ("text_sha256", "text_n_code_points", "text_n_bytes", "text_license")},
            "correction_log": _json(row.get("correction_log") or []),
        }

    def _of(self, table: str, article_id: str) -> list[Found]:
        return self.rows.of_article(table, article_id) if table in self.manifest.tables else []

    def _annotation(self, found: Found, base: list[Name]) -> list[Json]:
        """The annotation sets that the row belongs to; of a derived one those of the rows that it follows from."""
        if self.rows.level(found.table) == "corpus":
            own = {name: found.row[name] for name in _OF_A_SET if name in found.row}
            return [_json({"annotation_set_id": None, "layer": found.table, "article_id": None, **own})] if own else []
        wanted: dict[tuple[str, str | None], str | None] = {}
        for table, name in base or [(found.table, self.rows.name(found))]:
            article_id, _, local = name.partition("#")
            level = self.rows.level(table)
            if level == "whole":
                wanted[article_id, None] = None
            elif level == "article":
                wanted.setdefault((article_id, table), self._set_of(table, article_id, local))
        made = []
        for (article_id, layer), only in wanted.items():
            for one in self._of("annotation_sets", article_id):
                if layer in (None, one.row.get("layer")) and only in (None, one.row["annotation_set_id"]):
                    names = ("annotation_set_id", "layer", *_OF_A_SET)
                    made.append({"article_id": article_id, **{name: one.row.get(name) for name in names}})
        return [_json(one) for one in made[:MOST]]

    def _set_of(self, table: str, article_id: str, local: str) -> str | None:
        """The set that an item names; None where it names none, so that all sets of its layer may be meant."""
        column = next((c for c, target in self.rows.references(table).items() if target == "annotation_sets"), None)
        item = self.rows.item(table, article_id, local) if column else None
        named = item.row[column] if item and column else None
        return str(named) if isinstance(named, str) else None

    def _snippet(self, found: Found, base: list[Name]) -> str | None:
        """A caret drawing of the row's first span, else of the first row that has one of those that it follows from or refers to;
        None where the text is withheld.
        """
        refs = [(ref["table"], ref["id"]) for ref in self._refers_to(found)]
        for table, name in [(found.table, self.rows.name(found)), *base, *refs]:
            if self.rows.level(table) != "article":
                continue
            article_id, _, local = name.partition("#")
            row = self.rows.of_article(ARTICLES, article_id)[0].row
            item = self.rows.item(table, article_id, local)
            span = _first_span(item.row) if item else None
            if span and row["text"] is not None and row["text_redistributable"] is True:
                return snippet(row["text"], span["start"], span["end"])
        return None

    # ---- what was checked of it ----------------------------------------------------------------------------------

    @cached_property
    def _covering(self) -> Covering:
        return Covering(carried_suites(self.folder, self.manifest), self._result, self._result_file)

    @cached_property
    def _result_file(self) -> str | None:
        return next((f["path"] for f in self.manifest.validation if f["path"].startswith(f"{FOLDER}/result-")), None)

    @cached_property
    def _result(self) -> Json:
        """The last result that the dataset has kept. Raises LoadError if the file is not the one that its manifest names."""
        if self._result_file is None:
            return {}
        path = self.folder / self._result_file
        said = next(f["sha256"] for f in self.manifest.validation if f["path"] == self._result_file)
        try:
            raw = path.read_bytes()
        except OSError as fault:
            raise LoadError(f"{path}: the manifest names it, but: {fault.strerror}; get the dataset again") from None
        if hashlib.sha256(raw).hexdigest() != said:
            raise LoadError(f"{path}: is not the file that the manifest names; run `dateline rebuild`, or get the dataset again")
        found: Json = json.loads(raw)
        return found

    # ---- what hangs together with it -----------------------------------------------------------------------------

    def _refers_to(self, found: Found) -> list[Json]:
        """The rows that a row names in its reference columns."""
        made = []
        for column, target in self._bases.links(found.table).items():
            value = found.row.get(column)
            for key in value if isinstance(value, list) else [value]:
                if key is not None and target in self.manifest.tables:
                    inside = self.rows.level(target) == "article"
                    name = f"{found.row['article_id']}#{key}" if inside else str(key)
                    made.append({"column": column, "table": target, "id": name})
        return made

    def _referred_by(self, found: Found) -> Iterator[Json]:
        """The rows that name a row in a reference column."""
        name = self.rows.name(found)
        inside = self.rows.level(found.table) == "article"
        article_id, _, local = name.partition("#")
        for table in self.manifest.tables:
            for column, target in self._bases.links(table).items():
                if target != found.table:
                    continue
                rows = self.rows.of_article(table, article_id) if inside else self._naming(table, column, found)
                for row in rows:
                    value = row.row[column]
                    if not inside or value == local or (isinstance(value, list) and local in value):
                        yield {"table": table, "column": column, "id": self.rows.name(row)}

    def _naming(self, table: str, column: str, found: Found) -> Iterable[Found]:
        """The rows that name a row of no article, or an article; no derived row follows from another split."""
        wanted = {"article_id", self.rows.key(table), column} & set(self.rows.columns(table))
        follows = self.rows.level(table) == self.rows.level(found.table) == "derived"
        within = _in_split(found.file["split"]) if follows else _anywhere
        return self.rows.equal(table, column, self.rows.name(found), columns=sorted(wanted), within=within)

    def _gives(self, found: Found) -> Iterator[Json]:
        """The derived rows that follow from a row of a layer."""
        if self.rows.level(found.table) == "article":
            own = (found.table, self.rows.name(found))
            for (table, name), base in self._bases.about(str(found.row["article_id"])):
                if own in base:
                    yield {"table": table, "id": name}

    def _follows(self, base: list[Name]) -> Iterator[Json]:
        """The base rows that a derived row follows from, then those that these refer to, each with its place in the seeds."""
        told = set(base)
        for table, name in base:
            yield {"table": table, "id": name, "via": None, "seed": place_json(self.written.lines(table, name))}
        for table, name in base:
            article_id, _, local = name.partition("#")
            row = self.rows.item(table, article_id, local) if self.rows.level(table) == "article" else None
            for ref in self._refers_to(row) if row else ():
                if (ref["table"], ref["id"]) not in told:
                    told.add((ref["table"], ref["id"]))
                    seed = place_json(self.written.lines(ref["table"], ref["id"]))
                    yield {"table": ref["table"], "id": ref["id"], "via": f"{table}.{ref['column']}", "seed": seed}

    # ---- what else is to be said -----------------------------------------------------------------------------------

    def _notes(self, said: Json, articles: int) -> Iterator[str]:
        if self.written.lacking:
            yield f"no place in the seeds: {self.written.lacking}"
        elif said["seed_state"] == "gone":
            yield "the seeds do not have it any more: the dataset is older than they are; `dateline rebuild` brings them together"
        elif said["seed_state"] == "changed":
            yield "the seeds have changed since the dataset was built; `dateline rebuild` brings them together"
        else:
            behind = [a["article_id"] for a in said["articles"] if a["seed_changed"] or a["seed"] is None]
            if behind:
                yield f"the dataset is older than the seeds of {', '.join(behind)}; `dateline rebuild` brings them together"
        if self.written.schemas_differ:
            yield "schemas/ have changed since the dataset was built"
        if articles > _MOST_ARTICLES:
            yield f"{articles - _MOST_ARTICLES:,} more articles"
        if self._result_file is None:
            yield "the dataset was built without suites: no expectation covers it"

    def _blame(self, said: Json, seed: Lines | None, base: list[Name]) -> None:
        """Ask git for the commit behind the row's seed, or behind the seeds of the rows that it follows from."""
        if self.project is None:
            raise UsageError("--blame asks the history of seeds, and --dataset names a folder without; leave one of them out")
        rows = [(said["table"], said["id"])] if seed else base
        made = []
        for table, name in rows[:_MOST_ARTICLES]:
            lines = self.written.lines(table, name)
            if lines is None:
                continue
            path = self.project.root / lines.place.file
            try:
                found = blame(path, lines.place.line, lines.last, lines=path.suffix not in (".gz", ".zst"))
            except InputError as fault:
                said["notes"].append(f"no commit: {fault}")
                return
            made.append({"table": table, "id": name, "commit": found.as_json() if found else None})
        said["blame"] = made


# ---- small things -----------------------------------------------------------------------------------------------


def _listed(rows: Iterable[Json]) -> Json:
    """How many there are, and the first of them."""
    kept: list[Json] = []
    number = 0
    for row in rows:
        number += 1
        if len(kept) < MOST:
            kept.append(row)
    return {"count": number, "rows": kept}


def _first_span(row: Row) -> Mapping[str, Any] | None:
    for value in row.values():
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict) and first.keys() >= {"start", "end"}:
            return first
    return None


def _json(value: Any) -> Any:
    """A value of a row as plain JSON types."""
    return json.loads(canonical([{"value": value}]))[0]["value"]


def _anywhere(file: Mapping[str, Any]) -> bool:
    return True


def _in_split(split: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda file: file["split"] == split


def _and(names: list[str]) -> str:
    return " and of ".join(names)


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(dict.fromkeys(itertools.islice(known, _MOST_NEAR))), n=3, cutoff=0.5)
    return f"; the nearest there are: {', '.join(near)}" if near else ""
