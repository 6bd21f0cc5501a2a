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
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dateline.blaming import blame
from dateline.compile.check import snippet
from dateline.compile.origins import Lines, Origin, TableOrigin, origins, table_origins
from dateline.compile.reasons import Member, why_group, why_split
from dateline.compile.sets import PRIMARY
from dateline.compile.signature import signing_of
from dateline.compile.tables import ARTICLES, RECORDS, STANDOFF, layer_row, rows_of
from dateline.derive.bases import Bases, Name
from dateline.errors import InputError, LoadError, UsageError
from dateline.ledger import Ledger, read_ledger
from dateline.lookup import Found, Lookup, Row, lookup
from dateline.manifest import Manifest, read_manifest
from dateline.project import Project
from dateline.row_facts import canonical
from dateline.schema import Schemas, load_schemas
from dateline.validate.covering import Covering
from dateline.validating import FOLDER, carried_suites

Json = dict[str, Any]
_RIGHTS = ("text_license", "annotation_license", "text_redistributable", "rights_holder", "rights_note", "rights_evidence_url")
_OF_A_SET = ("annotator_id", "annotator_type", "tool", "tool_version", "guideline_version", "status", "created", "adjudicator_id")
MOST = 200
"""So many rows are listed of each sort; all are counted."""
_MOST_ARTICLES = 20
_MOST_MEMBERS = 500
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
    _seeds: dict[str, Origin | None] = field(default_factory=dict, repr=False)
    _articles: dict[str, Json] = field(default_factory=dict, repr=False)
    _tables: dict[str, dict[str, TableOrigin]] = field(default_factory=dict, repr=False)
    _no_seeds: str = ""

    def __post_init__(self) -> None:
        self.manifest: Manifest = read_manifest(self.folder)
        self.rows: Lookup = lookup(self.folder, self.manifest)
        self._bases = Bases(self.rows, self.project.settings.views if self.project else {})
        if self.project is None:
            self._no_seeds = "a dataset in a folder is explained without seeds"
        elif not self.project.seeds.is_dir():
            self._no_seeds = f"{self.project.name_of(self.project.seeds)}: no such folder"

    def explain(self, name: str, table: str | None = None, *, blamed: bool = False) -> Json:
        """All that is known of the row called `name`, in `table` if several have one of that name.

        Raises UsageError where there is none, with what was sought, where, and the nearest there are; and where several tables
        have one. With `blamed` the commit that last touched the row's seed is asked of git.
        """
        found, also = self._find(name, table)
        base = [] if self.rows.level(found.table) != "derived" else self._bases.of(found)
        articles = self._articles_of(found, base)
        seed = self._seed(found.table, self.rows.name(found))
        said: Json = {
            "id": self.rows.name(found),
            "table": found.table,
            "level": "article" if (level := self.rows.level(found.table)) == "whole" else "row" if level == "article" else level,
            "also_in": also,
            "dataset": {"folder": self.called, "name": self.manifest.name, "version": self.manifest.version,
                        "content_digest": self.manifest.content_digest},
            "shard": {"file": found.file["path"], "split": found.file["split"], "row": found.number, "rows": found.file["rows"]},
            "seed": self._place(seed),
            "seed_state": self._state(found, seed),
            "snippet": self._snippet(found, base),
            "articles": [self._article(article_id) for article_id in articles[:_MOST_ARTICLES]],
            "annotation": self._annotation(found, base),
            "release": self._release(found),
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
                yield from [one for one in rows if not local or local in (one.row["annotation_set_ids"] or ())]
            elif level == "whole" and shard is not None and not hash_:
                yield from self.rows.of_article(table, article_id)
            elif level == "article" and shard is not None and local:
                item = self.rows.item(table, article_id, local)
                yield from [item] if item else []
            elif level in ("corpus", "derived"):
                within = _in_split(shard.split) if shard and level == "derived" else _anywhere
                yield from itertools.islice(self.rows.equal(table, self.rows.key(table), name, within=within), 1)

    def _unknown(self, name: str, table: str | None) -> str:
        """What to say of a name that no row has."""
        article_id = name.partition("#")[0]
        where = f"{table} of {self.called}" if table else self.called
        if gone := self._tombstone(article_id):
            return f"{where}: {article_id!r} was retracted{gone}; its rows are in no dataset after that"
        if self.rows.shard(article_id) is None and self.project and not self._no_seeds:
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

    # ---- where it was written ------------------------------------------------------------------------------------

    @cached_property
    def _schemas(self) -> Schemas | None:
        return load_schemas(self.project.schemas) if self.project and not self._no_seeds else None

    @cached_property
    def _ledger(self) -> Ledger:
        return read_ledger(self.project.ledger) if self.project else {}

    def _ledger_lines(self) -> Iterator[Json]:
        """The ledger's lines as they are: of corpus-level rows and tombstones, too."""
        if self.project and self.project.ledger.is_file():
            for line in self.project.ledger.read_bytes().splitlines():
                try:
                    said = json.loads(line)
                except ValueError:
                    continue
                if isinstance(said, dict):
                    yield said

    def _tombstone(self, article_id: str) -> str:
        """When and why an article was retracted, as the ledger or the dataset's versions say; "" if it was not."""
        told = [
            {**said["retracted"], "article_id": said.get("article_id")} for said in self._ledger_lines() if said.get("retracted")
        ]
        versions = self.folder / "versions.json"
        if versions.is_file():
            try:
                found = json.loads(versions.read_bytes())
            except (OSError, ValueError):
                found = {}
            told += found.get("retracted") or []
        for one in told:
            if one.get("article_id") == article_id:
                return "".join([f" in {one['in']}" if one.get("in") else "", f" ({one['reason']})" if one.get("reason") else ""])
        return ""

    def _origin(self, article_id: str) -> Origin | None:
        """The record of an article; those of its group are read in the same pass."""
        if self._no_seeds or self.project is None:
            return None
        if article_id not in self._seeds:
            wanted = {article_id, *(str(row["article_id"]) for row in self._members(article_id))} - self._seeds.keys()
            found = origins(self.project, wanted)
            self._seeds |= {name: found.get(name) for name in wanted}
        return self._seeds[article_id]

    def _table_origin(self, table: str, key: str) -> TableOrigin | None:
        if self._schemas is None or self.project is None or table not in self._schemas.tables:
            return None
        if table not in self._tables:
            self._tables[table] = table_origins(self.project, self._schemas, table)
        return self._tables[table].get(key)

    def _seed(self, table: str, name: str) -> Lines | None:
        """The place of a base row in the seeds; None for a derived one, and where the seeds do not have it."""
        level = self.rows.level(table)
        if level == "derived" or self._schemas is None:
            return None
        if level == "corpus":
            row = self._table_origin(table, name)
            return row.lines if row else None
        article_id, _, local = name.partition("#")
        origin = self._origin(article_id)
        if origin is None or level == "whole":
            return origin.whole if origin else None
        return origin.item(self._schemas.layers[table], local) if table in self._schemas.layers else None

    def _place(self, lines: Lines | None) -> Json | None:
        if lines is None:
            return None
        place = lines.place
        return {"file": place.file, "line": place.line, "last_line": lines.last, "pointer": place.pointer or None}

    def _state(self, found: Found, seed: Lines | None) -> str:
        """Whether the seeds still say what the row says: `same`, `changed`, `gone`; `follows` for derived rows; `unknown`."""
        level = self.rows.level(found.table)
        if self._no_seeds:
            return "unknown"
        if level == "derived":
            return "follows"
        if seed is None:
            return "gone"
        if level == "corpus":
            origin = self._table_origin(found.table, self.rows.name(found))
            return "same" if origin and self._schemas and _same_row(origin, found, self._schemas) else "changed"
        article_id = str(found.row["article_id"])
        changed = self._changed(article_id)
        if level == "whole":
            return "changed" if changed else "same"
        return "changed" if found.table in changed and self._item_changed(found, article_id) else "same"

    def _now(self, article_id: str) -> Mapping[str, Any] | None:
        """The nested row that the record gives now; None if it gives none any more."""
        origin, schemas = self._origin(article_id), self._schemas
        row = next((one.row for one in self.rows.of_article(ARTICLES, article_id)), None)
        if origin is None or schemas is None or row is None:
            return None
        engine = {name: row[name] for name in ("group", "split", "added_in", "changed_in")}
        try:
            made = rows_of(dict(origin.record), schemas, engine)
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):  # `dateline check` says what is wrong
            return None
        return (made.get(RECORDS) or made[STANDOFF])[0]

    def _changed(self, article_id: str) -> list[str]:
        """The layers (and `articles`) in which the record gives other rows now than the dataset has."""
        return list(self._article(article_id)["seed_changed"])

    def _compare(self, article_id: str) -> list[str]:
        now = self._now(article_id)
        held = [one for table in (RECORDS, STANDOFF) if table in self.manifest.tables
                for one in self.rows.of_article(table, article_id)]  # fmt: skip
        layers = set(self.rows.tables("article"))
        if now is None or not held:
            return [ARTICLES, *sorted(layers)]
        then = held[0].row
        own = (now.keys() | then.keys()) - layers
        own_now, own_then = ({n: side.get(n) for n in own} for side in (now, then))
        differ = [ARTICLES] if _plain(own_now) != _plain(own_then) else []
        return differ + [layer for layer in sorted(layers) if _plain(now.get(layer)) != _plain(then.get(layer))]

    def _item_changed(self, found: Found, article_id: str) -> bool:
        now = self._now(article_id)
        key = self.rows.key(found.table)
        items = (now or {}).get(found.table) or ()
        same = next((item for item in items if str(item[key]) == str(found.row[key])), None)
        return _plain(same) != _plain({n: v for n, v in found.row.items() if n != "article_id"})

    # ---- its article ---------------------------------------------------------------------------------------------

    def _articles_of(self, found: Found, base: list[Name]) -> list[str]:
        if self.rows.level(found.table) in ("article", "whole"):
            return [str(found.row["article_id"])]
        return list(
            dict.fromkeys(name.partition("#")[0] for table, name in base if self.rows.level(table) in ("article", "whole"))
        )

    def _members(self, article_id: str) -> list[Row]:
        """The articles of the dataset that are in one group with an article, less itself; a bounded number."""
        row = next((one.row for one in self.rows.of_article(ARTICLES, article_id)), None)
        if row is None:
            return []
        columns = ["article_id", "group", "split", "supersedes"]
        found = itertools.islice(self.rows.equal(ARTICLES, "group", str(row["group"]), columns=columns), _MOST_MEMBERS)
        return [one.row for one in found if one.row["article_id"] != article_id]

    def _article(self, article_id: str) -> Json:
        """What holds of all rows of an article: rights, group and split and why, releases, whether the seeds still say so."""
        if article_id not in self._articles:
            row = self.rows.of_article(ARTICLES, article_id)[0].row
            origin = self._origin(article_id)
            self._articles[article_id] = {
                "article_id": article_id,
                "withheld": row["text_redistributable"] is not True,
                "rights": {name: row.get(name) for name in _RIGHTS},
                **self._placed(article_id, row),
                "added_in": row["added_in"],
                "changed_in": row["changed_in"],
                "seed": self._place(origin.whole if origin else None),
                "seed_changed": [] if self._no_seeds or origin is None else self._compare(article_id),
            }
        return self._articles[article_id]

    def _placed(self, article_id: str, row: Row) -> Json:
        said = self.manifest.splits
        others = self._members(article_id)
        known = {"group": row["group"], "split": row["split"], "others": len(others)}
        if self._no_seeds or self._origin(article_id) is None or self.project is None:
            frozen = row["added_in"] is not None and said["mode"] != "given"
            why = "given" if said["mode"] == "given" else "released" if frozen else None
            reason = {"why": why, "of": row["added_in"] if frozen else None, "agreement": None} if why else None
            return {**known, "group_reasons": [], "split_reason": reason}
        settings = self.project.settings.splits
        near = settings.near_duplicates
        signing = signing_of(settings) if near else None
        own, *rest = (self._member(name, signing) for name in (article_id, *(str(o["article_id"]) for o in others)))
        reasons = why_group(own, str(row["group"]), rest, self._ledger, settings.threshold if near else None)
        return {
            **known,
            "group_reasons": [reason.as_json() for reason in reasons],
            "split_reason": why_split(own, rest, self._ledger, said["mode"]).as_json(),
        }

    def _member(self, article_id: str, signing: Any) -> Member:
        origin = self._origin(article_id)
        return origin.member(signing) if origin else Member(article_id)

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

    def _release(self, found: Found) -> Json:
        """The releases that added and last changed the row, or the article that it belongs to."""
        if self.rows.level(found.table) == "corpus":
            name = self.rows.name(found)
            for said in self._ledger_lines():
                if said.get("table") == found.table and said.get("row") == name:
                    return {"of": "row", "added_in": said.get("added_in"), "changed_in": said.get("changed_in")}
            return {"of": "row", "added_in": None, "changed_in": None}
        if self.rows.level(found.table) == "derived":
            return {"of": "base", "added_in": None, "changed_in": None}
        article = self._article(str(found.row["article_id"]))
        return {"of": "article", "added_in": article["added_in"], "changed_in": article["changed_in"]}

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
                rows: Iterable[Found] = self.rows.of_article(table, article_id) if inside else self._naming(table, column, name)
                for row in rows:
                    value = row.row[column]
                    if not inside or value == local or (isinstance(value, list) and local in value):
                        yield {"table": table, "column": column, "id": self.rows.name(row)}

    def _naming(self, table: str, column: str, name: str) -> Iterator[Found]:
        columns = list(dict.fromkeys([*(["article_id"] if "article_id" in self.rows.columns(table) else []),
                                      self.rows.key(table), column]))  # fmt: skip
        return self.rows.equal(table, column, name, columns=columns)

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
            yield {"table": table, "id": name, "via": None, "seed": self._place(self._seed(table, name))}
        for table, name in base:
            article_id, _, local = name.partition("#")
            row = self.rows.item(table, article_id, local) if self.rows.level(table) == "article" else None
            for ref in self._refers_to(row) if row else ():
                if (ref["table"], ref["id"]) not in told:
                    told.add((ref["table"], ref["id"]))
                    seed = self._place(self._seed(ref["table"], ref["id"]))
                    yield {"table": ref["table"], "id": ref["id"], "via": f"{table}.{ref['column']}", "seed": seed}

    # ---- what else is to be said -----------------------------------------------------------------------------------

    def _notes(self, said: Json, articles: int) -> Iterator[str]:
        if self._no_seeds:
            yield f"no place in the seeds: {self._no_seeds}"
        elif said["seed_state"] == "gone":
            yield "the seeds do not have it any more: the dataset is older than they are; `dateline rebuild` brings them together"
        elif said["seed_state"] == "changed":
            yield "the seeds have changed since the dataset was built; `dateline rebuild` brings them together"
        else:
            behind = [a["article_id"] for a in said["articles"] if a["seed_changed"] or a["seed"] is None]
            if behind:
                yield f"the dataset is older than the seeds of {', '.join(behind)}; `dateline rebuild` brings them together"
        if self._schemas is not None and self._schemas_differ():
            yield "schemas/ have changed since the dataset was built"
        if articles > _MOST_ARTICLES:
            yield f"{articles - _MOST_ARTICLES:,} more articles"
        if self._result_file is None:
            yield "the dataset was built without suites: no expectation covers it"

    def _schemas_differ(self) -> bool:
        if self._schemas is None:
            return False
        digest = hashlib.sha256(b"".join(n.encode() + b"\0" + raw + b"\0" for n, raw in sorted(self._schemas.sources.items())))
        return digest.hexdigest() != self.manifest.inputs.get("schemas")

    def _blame(self, said: Json, seed: Lines | None, base: list[Name]) -> None:
        """Ask git for the commit behind the row's seed, or behind the seeds of the rows that it follows from."""
        if self.project is None:
            raise UsageError("--blame asks the history of seeds, and --dataset names a folder without; leave one of them out")
        rows = [(said["table"], said["id"])] if seed else base
        made = []
        for table, name in rows[:_MOST_ARTICLES]:
            lines = self._seed(table, name)
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


def _same_row(origin: TableOrigin, found: Found, schemas: Schemas) -> bool:
    try:
        now = layer_row(schemas.tables[found.table], dict(origin.row), None, withheld=False)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
        return False
    return _plain(now) == _plain(found.row)


def _plain(value: Any) -> bytes:
    return canonical([{"value": value}])


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
