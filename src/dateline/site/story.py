"""Stories: articles of one group side by side, and where there is one, the ledger of facts that they were written from.

A ledger is a file of the project, `seeds/stories/<group>.toml`; which claim tells which fact the dataset says: `claims.fact_id`.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from dateline.site.article import Value
from dateline.site.links import Links, anchor, file_of
from dateline.site.pages import Kind, Page, in_pages, titled
from dateline.site.read import Entry, Reading

HOME = "stories/index.html"
_SET = "contrast_set_id"
_RELATIONS = ("updates", "restates", "retracts", "denies")
_AT_ONCE = 50
"""Stories whose texts are in memory together."""


def present(reading: Reading) -> bool:
    """Whether any group has two articles."""
    return bool(stories(reading))


def stories(reading: Reading) -> dict[str, list[Entry]]:
    """The articles of each group that has several, by date and name.

    Members of contrast sets are no story, nor are near-duplicates, whose group is called by one of them.
    """
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in reading.entries:
        if entry.group and _SET not in entry.said:
            found[entry.group].append(entry)
    return {
        name: sorted(entries, key=lambda e: (str(e.said.get("published", "")), e.id))
        for name, entries in sorted(found.items())
        if len(entries) > 1 and name not in reading.by_id
    }


def pages(reading: Reading, links: Links) -> Iterator[Page]:
    """The lists of stories, then a page per story."""
    found = stories(reading)
    names = list(found)
    for path, shown, told in in_pages(HOME, names):
        rows = [
            (name, links.group("stories", name), found[name], sorted({e.language for e in found[name] if e.language}))
            for name in shown
        ]
        yield Page(path, "stories.html.j2", titled("Stories", told["number"]), {"rows": rows, **told})
    for first in range(0, len(names), _AT_ONCE):
        some = names[first : first + _AT_ONCE]
        wanted = {entry.id for name in some for entry in found[name]}
        texts, claims = reading.texts(wanted), reading.items("claims", wanted) if "fact_id" in reading.columns("claims") else {}
        judged = _judgements(reading, wanted)
        for name in some:
            entries = found[name]
            links.tell(name, links.group("stories", name))
            yield Page(
                links.group("stories", name),
                "story.html.j2",
                name,
                {
                    "outlets": [(entry, links.article(entry.id), texts.get(entry.id)) for entry in entries],
                    "ledger": _ledger(reading, name, entries, claims, links),
                    "judgements": [row for entry in entries for row in judged.get(entry.id, ())],
                    "row_link": links.row,
                    "name_of": partial(_estimate_name, {e.id: str(e.said.get("publisher", e.id)) for e in entries}),
                },
                shows_texts=True,
            )


def _ledger(
    reading: Reading, name: str, entries: Sequence[Entry], claims: Mapping[str, Sequence[Mapping[str, Any]]], links: Links
) -> dict[str, Any] | None:
    """The facts in the order of the ledger, each with the claims of each outlet that tell it; None where there are none."""
    told: dict[str, dict[str, list[Value]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        for claim in claims.get(entry.id, ()):
            if claim.get("fact_id"):
                words = claim.get("proposition") or claim["claim_id"]
                told[claim["fact_id"]][entry.id].append(Value(words, links.item(entry.id, "claims", claim["claim_id"])))
    written = _read(reading, name)
    estimands, facts = written.get("estimands", {}), written.get("facts", {})
    order = [*facts, *sorted(fact for fact in told if fact not in facts)]
    if not order:
        return None
    rows = []
    for fact in order:
        said = facts.get(fact, {})
        about = estimands.get(said.get("estimand", ""), {})
        links.tell(f"{name}#{fact}", f"{links.group('stories', name)}#{anchor('facts', fact)}")
        rows.append(
            {
                "id": fact,
                "anchor": anchor("facts", fact),
                "what": str(about.get("what", said.get("estimand", ""))),
                "says": str(said.get("says", "")),
                "by": [str(source) for source in said.get("by", ())],
                "when": str(said.get("as_of") or said.get("on") or ""),
                "relations": [
                    (relation, str(said[relation]), "#" + anchor("facts", str(said[relation])))
                    for relation in _RELATIONS
                    if relation in said
                ],
                "told": [told[fact].get(entry.id, []) if fact in told else [] for entry in entries],
            }
        )
    return {"title": str(written.get("title", "")), "premise": str(written.get("premise", "")).strip(), "rows": rows,
            "written": bool(facts)}  # fmt: skip


def _estimate_name(publishers: Mapping[str, str], estimate_id: str) -> str:
    """An estimate by its outlet and what it is in its article: `Carrow Telegraph c1:q1`."""
    article, _, key = estimate_id.partition("#")
    return f"{publishers.get(article, article)} {key}"


def _read(reading: Reading, name: str) -> Mapping[str, Any]:
    """The ledger of a story, of a project at hand; nothing where there is none, or where it is no TOML."""
    if reading.project is None or file_of(name) != name:
        return {}
    try:
        found = tomllib.loads((reading.project.root / "seeds" / "stories" / f"{name}.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    tables = {key: value for key, value in found.items() if key in ("estimands", "facts") and isinstance(value, dict)}
    kept = {key: {k: v for k, v in value.items() if isinstance(v, dict)} for key, value in tables.items()}
    return {key: value for key, value in found.items() if isinstance(value, str)} | kept


def _judgements(reading: Reading, wanted: set[str]) -> dict[str, list[Mapping[str, Any]]]:
    """What was judged of two estimates, by the article of the first; nothing where there is no such table."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    if {"estimate_a", "estimate_b", "relation"} <= set(reading.columns("judgements")):
        for row in reading.rows("judgements"):
            article = str(row["estimate_a"]).partition("#")[0]
            if article in wanted:
                found[article].append(row)
    return found


KIND = Kind("Stories", HOME, present, pages)
