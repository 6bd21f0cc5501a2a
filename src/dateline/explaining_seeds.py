"""What the seeds say of the rows of a dataset: where they were written, whether they still hold, why they are in their splits."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dateline.compile.origins import Lines, Origin, TableOrigin, origins, table_origins
from dateline.compile.reasons import Member, why_group, why_split
from dateline.compile.signature import signing_of
from dateline.compile.tables import ARTICLES, RECORDS, STANDOFF, layer_row, rows_of
from dateline.ledger import Ledger, marked, read_ledger
from dateline.lookup import Found, Lookup, Row
from dateline.manifest import read_versions
from dateline.project import Project
from dateline.row_facts import canonical
from dateline.schema import Schemas, load_schemas

Json = dict[str, Any]

_RIGHTS = ("text_license", "annotation_license", "text_redistributable", "rights_holder", "rights_note", "rights_evidence_url")
_MOST_MEMBERS = 500
"""So many articles of a group are compared with one."""


@dataclass
class Written:
    """The seeds behind the rows of a dataset; `lacking` says why there are none, it is empty where there are."""

    rows: Lookup
    project: Project | None
    lacking: str
    _seeds: dict[str, Origin | None] = field(default_factory=dict, repr=False)
    _articles: dict[str, Json] = field(default_factory=dict, repr=False)
    _tables: dict[str, dict[str, TableOrigin]] = field(default_factory=dict, repr=False)

    @cached_property
    def _schemas(self) -> Schemas | None:
        return load_schemas(self.project.schemas) if self.project and not self.lacking else None

    @cached_property
    def _ledger(self) -> Ledger:
        return read_ledger(self.project.ledger) if self.project else Ledger()

    def tombstone(self, article_id: str) -> str:
        """When and why an article was retracted, as the ledger or the dataset's versions say; "" if it was not."""
        told = marked(self._ledger.retracted.values())
        told += (read_versions(self.rows.folder, self.rows.manifest) or {"retracted": []})["retracted"]
        for one in told:
            if one["article_id"] == article_id:
                return (f" in {one['retracted_in']}" if one["retracted_in"] else "") + f" ({one['reason']})"
        return ""

    def _origin(self, article_id: str) -> Origin | None:
        """The record of an article; those of its group are read in the same pass."""
        if self.lacking or self.project is None:
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

    def lines(self, table: str, name: str) -> Lines | None:
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

    def state(self, found: Found, seed: Lines | None) -> str:
        """Whether the seeds still say what the row says: `same`, `changed`, `gone`; `follows` for derived rows; `unknown`."""
        level = self.rows.level(found.table)
        if self.lacking:
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
        return list(self.article(article_id)["seed_changed"])

    def _compare(self, article_id: str) -> list[str]:
        now = self._now(article_id)
        held = [one for table in (RECORDS, STANDOFF) if table in self.rows.manifest.tables
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

    def _members(self, article_id: str) -> list[Row]:
        """The articles of the dataset that are in one group with an article, less itself; a bounded number."""
        row = next((one.row for one in self.rows.of_article(ARTICLES, article_id)), None)
        if row is None:
            return []
        columns = ["article_id", "group", "split", "supersedes"]
        found = itertools.islice(self.rows.equal(ARTICLES, "group", str(row["group"]), columns=columns), _MOST_MEMBERS)
        return [one.row for one in found if one.row["article_id"] != article_id]

    def article(self, article_id: str) -> Json:
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
                "seed": place_json(origin.whole if origin else None),
                "seed_changed": [] if self.lacking or origin is None else self._compare(article_id),
            }
        return self._articles[article_id]

    def _placed(self, article_id: str, row: Row) -> Json:
        said = self.rows.manifest.splits
        others = self._members(article_id)
        known = {"group": row["group"], "split": row["split"], "others": len(others)}
        if self.lacking or self._origin(article_id) is None or self.project is None:
            frozen = row["added_in"] is not None and said["mode"] != "given"
            why = "given" if said["mode"] == "given" else "released" if frozen else None
            reason = {"why": why, "of": row["added_in"] if frozen else None, "agreement": None} if why else None
            return {**known, "group_reasons": [], "split_reason": reason}
        settings = self.project.settings.splits
        assigned = [pattern for patterns in settings.assigned.values() for pattern in patterns]
        near = settings.near_duplicates
        signing = signing_of(settings) if near else None
        own, *rest = (self._member(name, signing) for name in (article_id, *(str(o["article_id"]) for o in others)))
        reasons = why_group(own, str(row["group"]), rest, self._ledger.articles, settings.threshold if near else None)
        gone = [name for name, entry in self._ledger.retracted.items() if entry.group == row["group"]]
        return {
            **known,
            "group_reasons": [reason.as_json() for reason in reasons],
            "split_reason": why_split(own, rest, self._ledger.articles, said["mode"], assigned, gone).as_json(),
        }

    def _member(self, article_id: str, signing: Any) -> Member:
        origin = self._origin(article_id)
        return origin.member(signing) if origin else Member(article_id)

    def release(self, found: Found) -> Json:
        """The releases that added and last changed the row, or the article that it belongs to."""
        if self.rows.level(found.table) == "corpus":
            return {"of": "row", "added_in": found.row["added_in"], "changed_in": found.row["changed_in"]}
        if self.rows.level(found.table) == "derived":
            return {"of": "base", "added_in": None, "changed_in": None}
        article = self.article(str(found.row["article_id"]))
        return {"of": "article", "added_in": article["added_in"], "changed_in": article["changed_in"]}

    @cached_property
    def schemas_differ(self) -> bool:
        """Whether schemas/ are not those that the dataset was built with."""
        if self._schemas is None:
            return False
        digest = hashlib.sha256(b"".join(n.encode() + b"\0" + raw + b"\0" for n, raw in sorted(self._schemas.sources.items())))
        return digest.hexdigest() != self.rows.manifest.inputs.get("schemas")


def written_of(rows: Lookup, project: Project | None) -> Written:
    """The seeds of a project behind the rows of a dataset; without a project there are none."""
    if project is None:
        return Written(rows, None, "a dataset in a folder is explained without seeds")
    lacking = "" if project.seeds.is_dir() else f"{project.name_of(project.seeds)}: no such folder"
    return Written(rows, project, lacking)


def place_json(lines: Lines | None) -> Json | None:
    """A place in the seeds as plain JSON types."""
    if lines is None:
        return None
    place = lines.place
    return {"file": place.file, "line": place.line, "last_line": lines.last, "pointer": place.pointer or None}


def _same_row(origin: TableOrigin, found: Found, schemas: Schemas) -> bool:
    try:
        now = layer_row(schemas.tables[found.table], dict(origin.row), None, withheld=False)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
        return False
    return _plain(now) == _plain({name: value for name, value in found.row.items() if name in now})


def _plain(value: Any) -> bytes:
    return canonical([{"value": value}])
