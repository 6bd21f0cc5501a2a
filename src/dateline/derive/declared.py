"""[tool.dateline.estimates] and [tool.dateline.views], checked against schemas/: which derived tables a project has.

A view is declared by its kind; which options a kind has is said in its file (dateline.derive.kinds).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from dateline.derive import tables
from dateline.derive.columns import Table
from dateline.derive.kinds import conflicts, figures, labels, roles, spans
from dateline.derive.kinds.conflicts import Conflicts
from dateline.derive.kinds.figures import Figures
from dateline.derive.passages import PassageOptions
from dateline.derive.views import ArticleView, Shown
from dateline.errors import ProjectError
from dateline.project import Estimates as Settings
from dateline.schema import Schemas
from dateline.typed import misfits

_OF_ARTICLES = {"spans": spans, "roles": roles, "labels": labels}
_OF_STORIES = {"figures": figures, "conflicts": conflicts}
KINDS: Mapping[str, Any] = {**_OF_STORIES, **_OF_ARTICLES}
_TAKEN = {
    "articles",
    "records",
    "standoff",
    "primary",
    "default",
    "corpus",
    "validation",
    tables.ESTIMANDS,
    tables.ESTIMATES,
    tables.PAIRS,
}


@dataclass(frozen=True)
class Declared:
    """The derived tables of a project. `views` are in the order in which they are declared; `estimates` are three or none."""

    estimates: tuple[Table, ...]
    of_stories: Mapping[str, Figures | Conflicts]
    of_articles: Mapping[str, ArticleView]
    settings: Settings | None
    order: tuple[str, ...]

    @property
    def views(self) -> tuple[Table, ...]:
        """The tables of all views, as they are declared."""
        made = {**self.of_stories, **self.of_articles}
        return tuple(made[name].table for name in self.order)

    @property
    def of_groups(self) -> bool:
        """Whether anything follows from the articles of a story together."""
        return bool(self.estimates or self.of_stories)


def declared(views: Mapping[str, Mapping[str, Any]], settings: Settings | None, schemas: Schemas) -> Declared:
    """The derived tables that a project declares.

    Raises ProjectError for an unknown kind or option, a name that is taken, and whatever schemas/ do not have.
    """
    estimates = tables.tables(schemas, settings) if settings else ()
    stories: dict[str, Figures | Conflicts] = {}
    articles: dict[str, ArticleView] = {}
    for name, said in views.items():
        where = f"[tool.dateline.views.{name}]"
        _check_name(name, where, schemas)
        kind = str(said.get("kind"))
        if kind not in KINDS:
            raise ProjectError(f"{where}: kind must be one of {', '.join(KINDS)}; it is {said.get('kind')!r}")
        options = _options(said, KINDS[kind].Options, where)
        made = KINDS[kind].make(name, options, schemas, where)
        if kind in _OF_ARTICLES:
            articles[name] = made
            continue
        if settings is None:
            raise ProjectError(f"{where}: the kind {kind} follows from estimates; declare [tool.dateline.estimates], too")
        if kind == "conflicts" and tables.JUDGEMENTS not in schemas.tables:
            raise ProjectError(
                f"{where}: conflicts are judged pairs, and schemas/ have no corpus-level table {tables.JUDGEMENTS!r}; "
                "docs/views.md shows it"
            )
        stories[name] = made
    return Declared(estimates, stories, articles, settings, tuple(views))


def _check_name(name: str, where: str, schemas: Schemas) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ProjectError(f"{where}: a view is called by lower-case letters, digits and _; not {name!r}")
    if name in _TAKEN or name in schemas.layers or name in schemas.tables:
        raise ProjectError(f"{where}: there is a table {name!r} already; call the view otherwise")


def _options(said: Mapping[str, Any], kind: type[Shown], where: str) -> Shown:
    names = [f.name for f in fields(kind)]
    if unknown := sorted(said.keys() - set(names)):
        raise ProjectError(f"{where}: the kind {said['kind']} has no option {', '.join(unknown)}; it has {', '.join(names)}")
    for wrong in misfits(dict(said), kind):
        raise ProjectError(f"{where}: {wrong.where} must be {wrong.expected}; it is {wrong.found}")
    values = dict(said)
    if values.get("passage") is not None:
        values["passage"] = PassageOptions(**values["passage"])
    return kind(**values)
