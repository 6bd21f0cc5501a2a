"""What manifests say of tables: which columns are spans, references, labels, the key; and how the schemas of two differ."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dateline.diff.changes import Change
from dateline.errors import LoadError
from dateline.manifest import Manifest

ARTICLES, PRIMARY = "articles", "primary"
COVERAGE = "coverage"
"""The reserved layer whose key names a layer."""
_NESTED = ("records", "standoff", PRIMARY)
NEVER_COMPARED = ("added_in", "changed_in")
TEXT = ("text", "text_sha256", "text_n_code_points", "text_n_bytes")
_SPAN = ["start", "end", "surface"]

Feature = dict[str, Any]


@dataclass(frozen=True)
class Columns:
    """Which columns of one base table are what; names are those of NEW, and `renamed` leads back."""

    key: str
    old_key: str
    spans: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    """Column: the table that it refers to."""
    labels: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    level: str = "article"
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Name in NEW: name in OLD."""
    added: tuple[str, ...] = ()
    """Columns that OLD lacks; there, null and an empty list are no value."""
    fresh_ids: bool = True
    """Whether ids mean nothing by themselves; false where the key is a label, a reference or a layer's name."""

    @property
    def compared(self) -> tuple[str, ...]:
        """All columns whose values are compared, but the key."""
        return (*self.spans, *self.references, *self.labels, *self.values)

    def without(self, columns: Collection[str]) -> Columns:
        """The same, less columns that are not compared after all."""

        def kept(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(name for name in names if name not in columns)

        return replace(
            self, spans=kept(self.spans), labels=kept(self.labels), values=kept(self.values), added=kept(self.added),
            references={c: target for c, target in self.references.items() if c not in columns},
        )  # fmt: skip

    def before(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of OLD under the names of NEW."""
        wanted = (*self.compared, *(("article_id",) if self.level == "article" else ()))
        return {self.key: row.get(self.old_key)} | {name: row.get(self.renamed.get(name, name)) for name in wanted}


@dataclass(frozen=True)
class Facts:
    """What a diff knows beside the rows: the base tables that both sides have, and what makes a change MAJOR."""

    tables: Mapping[str, Columns]
    """`articles`, layers, corpus-level tables."""
    policy: str = "errata"
    test: str = "test"
    """The split whose released articles are never corrected."""

    def in_order(self) -> list[str]:
        """The tables but `articles`, each after those it refers to, as far as references run in no circle."""
        done: dict[str, None] = {}

        def visit(name: str, above: tuple[str, ...]) -> None:
            if name in done or name in above or name not in self.tables:
                return
            for target in sorted(set(self.tables[name].references.values())):
                visit(target, (*above, name))
            done[name] = None

        for name in sorted(self.tables.keys() - {ARTICLES}):
            visit(name, ())
        return list(done)

    def referring_to(self, table: str) -> set[str]:
        """The tables with a reference to this one."""
        return {name for name, columns in self.tables.items() if table in columns.references.values()}


# ---- features ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DeclaredTable:
    """One table as one manifest declares it."""

    key: str
    level: str
    references: Mapping[str, str]
    features: Mapping[str, Feature]


def base_tables(manifest: Manifest, where: str) -> dict[str, DeclaredTable]:
    """The base tables of a dataset: `articles`, layers, corpus-level tables, and the layers in `primary`.

    Raises LoadError where the manifest does not say what names the rows of a table, as those of early builds did not.
    """
    found = {}
    for name, table in manifest.tables.items():
        link = manifest.links.get(name)
        if name == ARTICLES:
            found[name] = DeclaredTable("article_id", "article", {}, _named(table.features))
        elif link is not None and link["level"] != "derived":
            found[name] = DeclaredTable(link["key"], link["level"], link["references"], _named(table.features))
        elif link is None and not table.derived and name not in _NESTED:
            raise LoadError(
                f"{where}: does not say which column names the rows of {name!r}, as it was made before manifests did; "
                "build that dataset again with this dateline, or name a newer one"
            )
    return found | _apart(manifest, found)


def _apart(manifest: Manifest, layers: Mapping[str, DeclaredTable]) -> dict[str, DeclaredTable]:
    """The layers nested in `primary`, whose items are in no other base table, as tables `primary.<layer>`."""
    if PRIMARY not in manifest.tables:
        return {}
    nested = {e["name"]: e["list"] for e in manifest.tables[PRIMARY].features if isinstance(e.get("list"), list)}
    return {
        f"{PRIMARY}.{name}": DeclaredTable(layers[name].key, "article", layers[name].references, _named(features))
        for name, features in nested.items()
        if name in layers and name != "annotation_sets"
    }


def _named(features: list[Feature]) -> dict[str, Feature]:
    return {str(entry["name"]): entry for entry in features}


def _form(entry: Feature) -> Any:
    """The type of a column without its name, as `features` write it."""
    if "list" in entry:  # a list of strings is written {"list": "string"}
        return {"list": entry["list"]}
    return next((entry[key] for key in ("dtype", "list", "struct") if key in entry), None)


def _has_span(form: Any) -> bool:
    if isinstance(form, list):
        return [e["name"] for e in form] == _SPAN or any(_has_span(_form(e)) for e in form)
    return isinstance(form, dict) and any(_has_span(form[key]) for key in ("list", "struct") if key in form)


def _labels(form: Any) -> list[str] | None:
    """The label set of a column of labels, or of lists of labels; None of any other."""
    if isinstance(form, dict) and "class_label" in form:
        names = form["class_label"]["names"]
        return list(names.values()) if isinstance(names, dict) else list(names)
    return _labels(form["list"]) if isinstance(form, dict) and "list" in form else None


def _label_sets(form: Any, at: str) -> Iterator[tuple[str, list[str]]]:
    """Every label set inside a type, with its place: `genre`, `correction_log.decision`."""
    if (own := _labels(form)) is not None:
        yield at, own
    elif isinstance(form, list):
        for entry in form:
            yield from _label_sets(_form(entry), f"{at}.{entry['name']}")
    elif isinstance(form, dict):
        for key in ("list", "struct"):
            if key in form:
                yield from _label_sets(form[key], at)


def _shape(form: Any) -> Any:
    """A type without its labels."""
    if isinstance(form, dict):
        return "label" if "class_label" in form else {key: _shape(inner) for key, inner in form.items()}
    return [{"name": e["name"], "type": _shape(_form(e))} for e in form] if isinstance(form, list) else form


def shown_type(entry: Feature) -> str:
    """The type of a column in words: `list of span`, `label`, `date32`."""
    return _shown(_form(entry))


def _shown(form: Any) -> str:
    if isinstance(form, list):
        names = [e["name"] for e in form]
        return "span" if names == _SPAN else f"struct of {', '.join(names)}"
    if isinstance(form, dict):
        if "class_label" in form:
            return "label"
        return f"list of {_shown(form['list'])}" if "list" in form else _shown(form.get("struct", form.get("dtype")))
    return str(form)


# ---- two sides -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Schemas:
    """How the base tables of two datasets relate: what both have, and the changes that need no look at rows."""

    tables: dict[str, Columns]
    changes: list[Change]
    added: dict[str, list[str]]
    """Columns that only NEW has, by table that both have."""
    removed: dict[str, list[str]]
    types: dict[str, dict[str, str]]
    """Types in words of the columns in `added`, by table."""


def compare_schemas(
    old: Mapping[str, DeclaredTable], new: Mapping[str, DeclaredTable], renamed: Mapping[str, Mapping[str, str]]
) -> Schemas:
    """The tables and columns of two manifests compared; `renamed` names, by table, which new column is which old one."""
    made = Schemas({}, [], {}, {}, {})
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before is None or after is None or before.level != after.level:
            made.changes.extend([Change("table-removed", name)] if before else [])
            made.changes.extend([Change("table-added", name)] if after else [])
            continue
        _compare_table(name, before, after, renamed.get(name, {}), made)
    return made


def _compare_table(name: str, old: DeclaredTable, new: DeclaredTable, renamed: Mapping[str, str], made: Schemas) -> None:
    back = dict(renamed)
    own = [c for c in new.features if c not in NEVER_COMPARED]
    added = [c for c in own if c not in old.features and c not in back]
    removed = [c for c in old.features if c not in new.features and c not in back.values() and c not in NEVER_COMPARED]
    made.added[name], made.removed[name] = added, removed
    made.types[name] = {c: shown_type(new.features[c]) for c in added}
    made.changes.extend(Change("column-removed", name, columns=(c,), old={"type": shown_type(old.features[c])}) for c in removed)
    made.changes.extend(Change("column-renamed", name, columns=(c,), old={"column": was}, new={"column": c})
                        for c, was in back.items())  # fmt: skip
    if old.key != new.key:
        made.changes.append(Change("key-changed", name, columns=(new.key,), old={"key": old.key}, new={"key": new.key}))
    retyped = set()
    for column in (c for c in own if c not in added):
        was = back.get(column, column)
        found = list(_compare_column(name, column, old.features[was], new.features[column],
                                     old.references.get(was, ""), new.references.get(column, "")))  # fmt: skip
        made.changes.extend(found)
        if _shape(_form(old.features[was])) != _shape(_form(new.features[column])):
            retyped.add(column)
    made.tables[name] = _columns(name, old, new, back, tuple(added), retyped)


def _compare_column(table: str, column: str, old: Feature, new: Feature, was: str, now: str) -> Iterator[Change]:
    if _shape(_form(old)) != _shape(_form(new)):
        yield Change("column-retyped", table, columns=(column,), old={"type": shown_type(old)}, new={"type": shown_type(new)})
        return
    if was != now:
        yield Change("column-retyped", table, columns=(column,), old={"references": was or None}, new={"references": now or None})
    after = dict(_label_sets(_form(new), column))
    for at, before in _label_sets(_form(old), column):
        gone = [label for label in before if label not in after[at]]
        yield from (Change("label-removed", table, columns=(at,), old={"label": label}) for label in gone)
        come = [label for label in after[at] if label not in before]
        yield from (Change("label-added", table, columns=(at,), new={"label": label}) for label in come)
        kept = [label for label in before if label not in gone]
        if not gone and after[at][: len(kept)] != kept:  # whoever kept numbers would read other labels
            yield Change("column-retyped", table, columns=(at,), old={"labels": before}, new={"labels": after[at]})


def _columns(
    name: str, old: DeclaredTable, new: DeclaredTable, renamed: Mapping[str, str], added: tuple[str, ...], retyped: set[str]
) -> Columns:
    skipped = {*NEVER_COMPARED, *retyped, new.key, *(("article_id",) if new.level == "article" else ())}
    kept = [c for c in new.features if c not in skipped]
    form = {c: _form(new.features[c]) for c in kept}
    spans = tuple(c for c in kept if _has_span(form[c]))
    references = {c: new.references[c] for c in kept if c in new.references and c not in spans}
    labels = tuple(c for c in kept if _labels(form[c]) is not None and c not in references)
    values = tuple(c for c in kept if c not in spans and c not in references and c not in labels)
    keyed = new.features.get(new.key, {})
    return Columns(
        key=new.key,
        old_key=new.key if new.key in old.features else old.key,  # rows are told by one column, where both have it
        spans=spans,
        references=references,
        labels=labels,
        values=values,
        level=new.level,
        renamed=dict(renamed),
        added=added,
        fresh_ids=name not in (ARTICLES, COVERAGE) and _labels(_form(keyed)) is None and new.key not in new.references,
    )


def renamings(old: DeclaredTable, new: DeclaredTable) -> list[tuple[str, str]]:
    """Pairs (new, old) of columns of one type, each on its side alone: what may be a column under another name.

    Of two label sets one holds all labels of the other.
    """
    gone = [c for c in old.features if c not in new.features and c not in NEVER_COMPARED]
    come = [c for c in new.features if c not in old.features and c not in NEVER_COMPARED]
    return [(c, was) for c in come for was in gone if _may_be_one(_form(old.features[was]), _form(new.features[c]))]


def _may_be_one(old: Any, new: Any) -> bool:
    if _shape(old) != _shape(new):
        return False
    sets = zip(_label_sets(old, ""), _label_sets(new, ""), strict=True)
    return all(set(before) <= set(after) or set(after) <= set(before) for (_, before), (_, after) in sets)


def split_of_tests(manifest: Manifest) -> str:
    """The split whose articles are never corrected: the one named test; else the last of the quotas."""
    quotas = list(manifest.splits["quotas"])
    return "test" if "test" in {*quotas, *manifest.tables[ARTICLES].splits} or not quotas else quotas[-1]
