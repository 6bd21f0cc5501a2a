"""Two datasets in folders -> all that differs between them, and the bump that proves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from dateline.diff.article import Ids, Rows, compare_article, match_rows, row_changes
from dateline.diff.bump import CORPUS, judged
from dateline.diff.changes import Change, Diff, in_order
from dateline.diff.facts import ARTICLES, Columns, Facts, Schemas, compare_schemas, renamings, split_of_tests
from dateline.diff.sides import Side, projections
from dateline.diff.tables import SPLIT, Tables


def diff(old: Path, new: Path, *, policy: str = "errata", retracted: Collection[str] = ()) -> Diff:
    """What differs between the datasets in two folders.

    An article that is gone counts as retracted where `retracted`, or the `versions.json` of NEW, names it. Raises LoadError for
    a folder that holds no dataset, or one that cannot be compared; no digest of a file is checked here.
    """
    sides = Side.read(old), Side.read(new)
    with Tables(*sides) as tables:
        return _Comparison(*sides, tables, policy, {*retracted, *sides[1].retracted()}).run()


class _Comparison:
    def __init__(self, old: Side, new: Side, tables: Tables, policy: str, retracted: set[str]) -> None:
        self._old, self._new, self._tables, self._retracted = old, new, tables, retracted
        self._changes: list[Change] = []
        schemas = self._schemas()
        self._lists = {name: {c for c, kind in types.items() if kind.startswith("list")} for name, types in schemas.types.items()}
        self._facts = Facts(self._nullable(schemas), policy, split_of_tests(old.manifest))

    def run(self) -> Diff:
        """All changes, in their order."""
        corpus = self._corpus()
        layers = {name: columns for name, columns in self._facts.tables.items() if columns.level == "article"}
        for name, columns in layers.items():
            self._tables.changed_articles(name, columns, self._lists[name])
            if treacherous := {c: corpus[t].reused for c, t in columns.references.items() if t in corpus and corpus[t].reused}:
                self._tables.also(name, columns, treacherous)
        added, removed = self._whole_articles()
        changed = self._articles(layers, corpus)
        before = self._old.manifest.tables[ARTICLES].rows
        counts = {"unchanged": before - removed - changed, "changed": changed, "added": added, "removed": removed}
        judged_ = [judged(change, self._facts.policy, self._facts.test) for change in self._changes]
        return Diff(in_order(judged_), projections(self._old, self._new), counts)

    # ---- schemas -------------------------------------------------------------------------------------------------

    def _schemas(self) -> Schemas:
        """The schemas compared, columns under another name found by their values."""
        plain = compare_schemas(self._old.tables, self._new.tables, {})
        renamed: dict[str, dict[str, str]] = {}
        for name, columns in plain.tables.items():
            found = renamed.setdefault(name, {})
            pairs = renamings(self._old.tables[name], self._new.tables[name])
            # the key first: the rows of both sides are told by it
            for new, old in sorted(pairs, key=lambda pair: pair != (columns.key, columns.old_key)):
                if new not in found and old not in found.values() and self._tables.share_all_values(name, columns, new, old):
                    found[new] = old
        return compare_schemas(self._old.tables, self._new.tables, renamed)

    def _nullable(self, schemas: Schemas) -> dict[str, Columns]:
        """Say of each added column whether it is empty anywhere; one that is not was filled in every row, which is one change."""
        self._changes += schemas.changes
        made = {}
        for name, columns in schemas.tables.items():
            required = set()
            for column in schemas.added[name]:
                kind = schemas.types[name][column]
                nullable = self._tables.is_empty_somewhere(name, columns, column, kind.startswith("list"))
                self._changes.append(Change("column-added", name, columns=(column,), new={"type": kind, "nullable": nullable}))
                required |= set() if nullable else {column}
            made[name] = columns.without(required)
        return made

    # ---- rows ----------------------------------------------------------------------------------------------------

    def _corpus(self) -> dict[str, Ids]:
        """Compare the corpus-level tables; what became of their ids."""
        ids: dict[str, Ids] = {}
        pairs = {}
        names = [name for name in self._facts.in_order() if self._facts.tables[name].level == "corpus"]
        for number, name in enumerate(names):
            columns = self._facts.tables[name]
            old, new = self._tables.changed_corpus_rows(name, columns)
            if old or new:
                before = [columns.before(row) for row in old]
                pairs[name], ids[name] = match_rows(before, new, columns, ids, names[number:])
        for name, found in pairs.items():
            self._changes += row_changes(name, self._facts.tables[name], found, ids, None, CORPUS)
        return ids

    def _whole_articles(self) -> tuple[int, int]:
        """Articles of one side alone; how many were added and removed."""
        removed = {row["article_id"]: row["split"] for row in self._tables.only_in("old")}
        added = {row["article_id"]: row for row in self._tables.only_in("new")}
        named = {row["supersedes"] for row in added.values() if row.get("supersedes")}
        kept = self._tables.articles_of_old(named - removed.keys())
        replaced = set()
        for article, row in added.items():
            before = row.get("supersedes")
            if before in removed or before in kept:
                replaced |= {before} - self._retracted
                state, split = ("removed", removed[before]) if before in removed else ("kept", row["split"])
                self._changes.append(
                    Change("text-edited", ARTICLES, article, split=split, columns=("text",), old={"article_id": before},
                           new={"article_id": article, "old_article": state})
                )  # fmt: skip
            else:
                self._changes.append(Change("article-added", ARTICLES, article, split=row["split"]))
        for article, split in removed.items():
            if article not in replaced:
                kind = "article-retracted" if article in self._retracted else "article-removed"
                self._changes.append(Change(kind, ARTICLES, article, split=split))
        return len(added), len(removed)

    def _articles(self, layers: Mapping[str, Columns], corpus: Mapping[str, Ids]) -> int:
        """Compare the articles that both sides have, and differ somewhere; how many really do."""
        changed, again = 0, []
        for article, old, new in self._tables.changed_rows(layers):
            found, ids = self._compare(article, old, new, corpus)
            if any(ids[name].reused and self._facts.referring_to(name) - old.keys() for name in old.keys() & ids.keys()):
                again.append(article)  # equal rows that refer to such an id mean another row now
                continue
            self._changes += found
            changed += bool(found)
        for article, old, new in self._tables.all_rows(layers, again) if again else ():
            found, _ = self._compare(article, old, new, corpus)
            self._changes += found
            changed += bool(found)
        return changed

    def _compare(self, article: str, old: Rows, new: Rows, corpus: Mapping[str, Ids]) -> tuple[list[Change], dict[str, Ids]]:
        split = next(row[SPLIT] for rows in (*old.values(), *new.values()) for row in rows)
        return compare_article(
            self._with_article(article, split, old), self._with_article(article, split, new), self._facts, corpus
        )

    def _with_article(self, article: str, split: str, rows: Rows) -> Rows:
        """The rows with one of `articles`; where those are equal and were not read, with what the files' places say of it."""
        if rows.get(ARTICLES):
            return rows
        # whether a hydrated text may be passed on stands in the row that was not read
        open_ = not any(side.manifest.hydrated_from for side in (self._old, self._new))
        return {**rows, ARTICLES: [{"article_id": article, "split": split, "text_redistributable": open_}]}
