"""A diff for people: lines for a terminal, counts, Markdown for a pull request. Pure functions of `diff --json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from dateline.errors import printable

Json = Mapping[str, Any]
_LONGEST = 60
"""Characters of a value that are shown."""
_MOST_COLUMNS = 4
"""Columns of an added or removed row that are shown."""
_MOST_LINES, _MOST_ROWS, _MOST_NAMED = 1000, 200, 5
_SAID = {
    "article-added": "added", "article-removed": "removed", "article-retracted": "retracted", "annotation-added": "added",
    "annotation-removed": "removed",
}  # fmt: skip


class Part(NamedTuple):
    """A piece of a line, and the style that a terminal with colours gives it."""

    text: str
    style: str = ""


Line = list[Part]


def plain_text(lines: Iterable[Line]) -> str:
    """The lines without styles, for a terminal without colours and for files."""
    return "".join("".join(part.text for part in line).rstrip() + "\n" for line in lines)


# ---- a terminal ----------------------------------------------------------------------------------------------


def difference_lines(result: Json) -> list[Line]:
    """All changes by article and table, how many there are, and the bump that they force."""
    lines = [_heading(result), []]
    for about, changes in groupby(result["changes"][:_MOST_LINES], key=_about):
        lines.append([Part(_place(about), "bold")])
        lines += [_change_line(change) for change in changes]
        lines.append([])
    if (more := len(result["changes"]) - _MOST_LINES) > 0:
        lines += [[Part(f"... and {_count(more, 'more change')}; --json lists all", "dim")], []]
    return lines + _summary(result)


def stat_lines(result: Json) -> list[Line]:
    """How many changes of which kind there are in which table, and the bump that they force."""
    lines = [_heading(result), []]
    counts = result["counts"]
    if counts:
        width, most = max(len("table"), *map(len, counts)), max(len(kind) for table in counts.values() for kind in table)
        lines.append([Part(f"{'table':{width}}  {'kind':{most}}  changes", "bold")])
        for table, found in counts.items():
            lines += [[Part(f"{_shown(table):{width}}  {kind:{most}}  {number:>7,}")] for kind, number in found.items()]
        lines.append([])
    return lines + _summary(result)


def _heading(result: Json) -> Line:
    return [Part(f"{_side(result['old'])} -> {_side(result['new'])}", "bold")]


def _side(place: Json) -> str:
    at = [] if place["words"].removeprefix("v") == place["version"] else [place["words"]]
    at += [place["commit"][:12]] if place["commit"] else []
    return _shown(f"{place['name']} {place['version']}" + (f" ({', '.join(at)})" if at else ""))


def _about(change: Json) -> tuple[str, str]:
    if "article_id" in change:
        return str(change["article_id"]), str(change.get("split", ""))
    return "", "rows of corpus-level tables" if change.get("row") else "schemas"


def _place(about: tuple[str, str]) -> str:
    article, split = about
    return _shown(f"{article} ({split})" if article and split else article or split)


def _change_line(change: Json) -> Line:
    forced = [Part(f"  [{change['bump']}]", "bold red" if change["bump"] == "major" else "yellow")]
    name = f"  {change['table']}" + (f" {change['row']}" if change.get("row") else "")
    return [Part(_shown(name), "cyan"), Part(f"  {_kind(change)}"), *_details(change), *forced]


def _kind(change: Json) -> str:
    kind = str(change["kind"])
    return _SAID.get(kind, kind.replace("-", " "))


def difference_parts(change: Json) -> Line:
    """What stood there before ("red"), and what stands there now ("green"), as `difference_lines` says it, of one change."""
    return [part._replace(text=part.text.removeprefix(": ") if n == 0 else part.text) for n, part in enumerate(_details(change))]


def _details(change: Json) -> Line:
    """What stood there before, and what stands there now."""
    old, new, kind = change.get("old", {}), change.get("new", {}), change["kind"]
    if kind == "id-changed":
        return [Part(f", was {_shown(change.get('old_row', ''))}")]
    if kind in ("annotation-added", "annotation-removed"):
        said = [(c, v) for c, v in (new or old).items()]
        more = ", ..." if len(said) > _MOST_COLUMNS else ""
        shown = ", ".join(f"{_shown(c)} {_value(v)}" for c, v in said[:_MOST_COLUMNS])
        return [Part(f": {shown}{more}" if shown else "", "green" if new else "red")]
    if kind == "text-edited" and "article_id" in old:
        return [Part(f": supersedes {_shown(old['article_id'])}, which is {'still there' if _kept(new) else 'gone'}")]
    if kind in ("column-renamed", "key-changed", "column-retyped"):
        column = "" if kind == "column-renamed" else f" {', '.join(map(_shown, change['columns']))}"
        return [Part(f"{column}: "), *_both(next(iter(old.values()), None), next(iter(new.values()), None))]
    if kind in ("label-added", "label-removed"):
        label = old.get("label", new.get("label"))
        return [Part(f" of {', '.join(map(_shown, change['columns']))}: "), Part(_shown(label), "green" if new else "red")]
    if kind in ("column-added", "column-removed"):
        nullable = ", empty in no row" if new.get("nullable") is False else ""
        return [Part(f": {', '.join(map(_shown, change['columns']))} ({_shown((new or old)['type'])}{nullable})")]
    line: Line = []
    for number, column in enumerate(change.get("columns", ())):
        quoted = column in old or column in new  # else it may be words that are withheld
        line.append(Part(f"{'; ' if number else ': '}{_shown(column)}{' ' if quoted else ''}"))
        line += _both(old.get(column), new.get(column)) if quoted else []
    return line


def _kept(new: Json) -> bool:
    return new.get("old_article") == "kept"


def _both(old: Any, new: Any) -> Line:
    """The two values; of long strings that begin alike, from shortly before the place where they part."""
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _LONGEST:
        alike = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        begin = max(0, alike - _LONGEST // 3)
        old, new = (("…" if begin else "") + text[begin:] for text in (old, new))
    return [Part(_value(old), "red"), Part(" -> "), Part(_value(new), "green")]


def _value(value: Any) -> str:
    """A value, cut where it is long: spans with their words where rights allow them, all else as JSON."""
    if isinstance(value, Mapping) and "start" in value and "end" in value:
        words = value.get("surface")
        return f"[{value['start']}:{value['end']}]" + (f" {_cut(json.dumps(words, ensure_ascii=False))}" if words else "")
    if isinstance(value, list) and value and isinstance(value[0], Mapping) and "start" in value[0]:
        return _cut(" + ".join(_value(span) for span in value), 2 * _LONGEST)
    return _cut(value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False))


def _cut(text: str, most: int = _LONGEST) -> str:
    shown = _shown(text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def _shown(text: Any) -> str:
    return printable(str(text))


# ---- what it comes to ----------------------------------------------------------------------------------------


def _summary(result: Json) -> list[Line]:
    articles = ", ".join(f"{n:,} {state}" for state, n in result["articles"].items())
    lines = [[Part(f"articles: {articles}")]]
    if projected := _projected(result):
        lines.append([Part(f"projections that differ (they count for nothing): {projected}")])
    bump = result["bump"]
    style = {"major": "bold red", "minor": "bold yellow"}.get(bump, "bold green")
    lines.append([Part("bump: "), Part(bump, style), Part(", as no base row differs" if bump == "patch" else "")])
    lines += [[Part(f"  {says}: {named}")] for says, named in reasons(result)]
    return lines


def _projected(result: Json) -> str:
    said = []
    for name, table in result["projected"].items():
        if table["changed"]:
            before, after = ("none" if n is None else f"{n:,}" for n in (table["before"], table["after"]))
            said.append(f"{_shown(name)} {before} -> {after}" if before != after else f"{_shown(name)} {before}")
    return ", ".join(said)


def reasons(result: Json) -> Iterator[tuple[str, str]]:
    """Each law that forces the bump, with the first things that it is about."""
    by_law: dict[str, dict[str, None]] = {}
    for change in result["why"]:
        by_law.setdefault(change["says"], {})[_name_of(change)] = None
    for says, found in by_law.items():
        more = f" and {len(found) - _MOST_NAMED:,} more" if len(found) > _MOST_NAMED else ""
        yield says, _shown(", ".join(list(found)[:_MOST_NAMED])) + more


def _name_of(change: Json) -> str:
    """ "wire-1", "mentions wire-1#m2", "mentions.score"."""
    if "id" not in change:
        return ".".join([change["table"], *change.get("columns", ())])
    return str(change["id"]) if change["table"] == "articles" else f"{change['table']} {change['id']}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


# ---- Markdown ------------------------------------------------------------------------------------------------


def differences_markdown(result: Json) -> str:
    """The bump and why, counts, and a table of the changes; of many the first 200."""
    changes = result["changes"]
    lines = [f"### {_md(_side(result['old']))} → {_md(_side(result['new']))}: {result['bump']}", ""]
    lines += [f"- {_md(says)}: {_md(named)}" for says, named in reasons(result)]
    lines += [f"- articles: {', '.join(f'{n:,} {state}' for state, n in result['articles'].items())}"]
    if projected := _projected(result):
        lines.append(f"- projections that differ (they count for nothing): {_md(projected)}")
    if changes:
        lines += ["", "| where | table | row | what | bump |", "|---|---|---|---|---|"]
    for change in changes[:_MOST_ROWS]:
        what = plain_text([[Part(_kind(change)), *_details(change)]]).strip()
        cells = (_place(_about(change)), change["table"], change.get("row", ""), what, change["bump"])
        lines.append("| " + " | ".join(_md(cell) for cell in cells) + " |")
    if len(changes) > _MOST_ROWS:
        lines += ["", f"... and {_count(len(changes) - _MOST_ROWS, 'more change')}"]
    return "\n".join(lines) + "\n"


def _md(text: object) -> str:
    shown = printable(str(text))
    for mark in "\\`|<>[]*_":
        shown = shown.replace(mark, {"<": "&lt;", ">": "&gt;"}.get(mark, f"\\{mark}"))
    return shown


def laws_table(laws: Mapping[str, tuple[str, str, str]]) -> str:
    """The laws of the bump (id: level under errata, under strict, when) as a table in Markdown: what docs/diffing.md shows."""
    lines = ["| law | errata | strict | when |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {errata.upper()} | {strict.upper()} | {says} |" for name, (errata, strict, says) in laws.items()]
    return "\n".join(lines) + "\n"
