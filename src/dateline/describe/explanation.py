"""An explanation of a row for people: lines of text, a pure function of what `dateline explain --json` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]
_MOST = 12
"""So many rows of each sort are printed; the JSON has more of them."""
_WIDTH = 12
_STATES = {
    "changed": "the seeds have changed since",
    "gone": "not in the seeds any more",
}


def explanation_lines(said: Json) -> list[str]:
    """The lines of an explanation, the caret drawing among them."""
    return [
        *_headed("", [f"{said['table']} {said['id']}"]),
        *_headed("seed", _seed(said)),
        *(said["snippet"].split("\n") if said["snippet"] else []),
        *_headed("commit", _commits(said)),
        *_headed("follows from", _bases(said["follows_from"])),
        *_headed("annotation", _annotation(said["annotation"])),
        *_headed("rights", [_rights(article, said["articles"]) for article in said["articles"]]),
        *_headed("split", [line for article in said["articles"] for line in _placed(article, said["articles"])]),
        *_headed("file", [_shard(said)]),
        *_headed("release", _release(said)),
        *_headed("holds", _content(said["content"])),
        *_headed("refers to", _references(said["refers_to"], len(said["refers_to"]))),
        *_headed("named by", _references(said["referred_by"]["rows"], said["referred_by"]["count"])),
        *_headed("gives", _named(said["derived"]["rows"], said["derived"]["count"])),
        *_headed("checked by", _validation(said["validation"])),
        *_headed("also", [_also(said)] if said["also_in"] else []),
        *_headed("note", said["notes"]),
    ]


def _headed(head: str, lines: Sequence[str]) -> list[str]:
    """Lines behind a word that the first of them carries; the very first line of all has none."""
    if not head:
        return list(lines)
    return [f"  {head if number == 0 else '':{_WIDTH}}  {line}" for number, line in enumerate(lines)]


def place_in_words(seed: Json) -> str:
    """`file:line $.pointer`, or `file:first-last` for what stands on several lines."""
    lines = str(seed["line"]) if seed["line"] == seed["last_line"] else f"{seed['line']}-{seed['last_line']}"
    return f"{seed['file']}:{lines}" + (f" {seed['pointer']}" if seed["pointer"] else "")


def reason_in_words(reason: Json) -> str:
    """Why an article is in its group or split, as a clause."""
    of = reason["of"]
    return {
        "named": "named by the record",
        "alone": "a group by itself, called by its id",
        "named-after-it": "called by its id, which others joined",
        "connected": "connected through articles that are not here",
        "supersedes": f"supersedes {of}",
        "superseded-by": f"superseded by {of}",
        "near-duplicate": f"near-duplicate of {of} ({reason['agreement'] or 0:.0%} of the signature)",
        "given": "given by the record",
        "released": f"frozen by release {of}",
        "joined": f"joined its group's released article {of}",
        "assigned": "the settings assign its group, or one that belongs to it, to this split",
        "quota": "its group filled a quota, in the order of the salted hash of the group's name",
    }[reason["why"]]


def _seed(said: Json) -> list[str]:
    if said["seed"] is None:
        words = {"follows": "none of its own: a derived row", "gone": _STATES["gone"], "unknown": "not at hand"}
        return [words.get(said["seed_state"], "not at hand")]
    state = _STATES.get(said["seed_state"])
    return [place_in_words(said["seed"]) + (f" ({state})" if state else "")]


def _commits(said: Json) -> list[str]:
    return [
        (f"{one['table']} {one['id']}: " if said["level"] == "derived" else "") + _commit(one["commit"])
        for one in said["blame"] or ()
    ]


def _commit(commit: Json | None) -> str:
    return (
        "not committed yet" if commit is None else f"{commit['commit']} {commit['date']} {commit['author']}: {commit['subject']}"
    )


def _bases(listed: Json) -> list[str]:
    rows = [row for row in listed["rows"] if row["via"] is None]
    more = Counter(row["table"] for row in listed["rows"] if row["via"] is not None)
    lines = [f"{row['table']} {row['id']}" + (f"  {place_in_words(row['seed'])}" if row["seed"] else "") for row in rows[:_MOST]]
    if len(rows) > _MOST:
        lines.append(f"and {len(rows) - _MOST:,} more")
    if more:
        lines.append("and what these refer to: " + ", ".join(f"{number} of {table}" for table, number in more.items()))
    return lines


def _annotation(sets: Sequence[Json]) -> list[str]:
    """One line per pass: who, with what, after which guideline; of the sets that say the same of it only the layers differ."""
    passes: dict[str, list[str]] = {}
    for one in sets:
        tool = " ".join(str(one[name]) for name in ("tool", "tool_version") if one.get(name))
        parts = [
            f"{one.get('annotator_id') or 'nobody named'} ({one.get('annotator_type') or 'of no type'})",
            f"with {tool}" if tool else "",
            f"guideline {one['guideline_version']}" if one.get("guideline_version") else "",
            str(one.get("status") or ""),
            str(one.get("created") or ""),
            f"adjudicated by {one['adjudicator_id']}" if one.get("adjudicator_id") else "",
        ]
        name = f"{one['annotation_set_id']} of {one['layer']}" if one.get("annotation_set_id") else str(one["layer"])
        passes.setdefault(", ".join(part for part in parts if part), []).append(name)
    return [f"{words}: {_some(list(dict.fromkeys(names)))}" for words, names in passes.items()]


def _rights(article: Json, articles: Sequence[Json]) -> str:
    rights = article["rights"]
    text = "withheld" if article["withheld"] else "open"
    licences = (rights[name] or "no licence named" for name in ("text_license", "annotation_license"))
    said = f"text {text} ({next(licences)}), annotation {next(licences)}"
    holder = f", holder {rights['rights_holder']}" if rights["rights_holder"] else ""
    note = f"; {rights['rights_note']}" if rights["rights_note"] else ""
    return f"{_of(article, articles)}{said}{holder}{note}"


def _placed(article: Json, articles: Sequence[Json]) -> list[str]:
    others = f", with {article['others']} more" if article["others"] else ""
    group = "; ".join(map(reason_in_words, article["group_reasons"]))
    split = reason_in_words(article["split_reason"]) if article["split_reason"] else ""
    return [
        f"{_of(article, articles)}{article['split']}" + (f": {split}" if split else ""),
        f"{_of(article, articles)}group {article['group']}{others}" + (f": {group}" if group else ""),
    ]


def _of(article: Json, articles: Sequence[Json]) -> str:
    return f"{article['article_id']}: " if len(articles) > 1 else ""


def _shard(said: Json) -> str:
    shard = said["shard"]
    return f"{said['dataset']['folder']}/{shard['file']}, row {shard['row']} of {shard['rows']}, counted from 0"


def _release(said: Json) -> list[str]:
    if said["level"] != "derived":
        return [_versions(said["release"])]
    return [f"{_of(article, said['articles'])}{_versions(article)}" for article in said["articles"]]


def _versions(held: Json) -> str:
    if held["added_in"] is None:
        return "not released yet"
    return f"added in {held['added_in']}" + (f", last changed in {held['changed_in']}" if held["changed_in"] else "")


def _content(content: Json | None) -> list[str]:
    if content is None:
        return []
    text = content["text"]
    rows = [f"{number} {layer}" + _covered(content["coverage"].get(layer)) for layer, number in content["rows"].items()]
    measured = f"{text['text_n_code_points']:,} code points, {text['text_n_bytes']:,} bytes, sha256 {text['text_sha256']}"
    lines = [f"text of {measured}", ", ".join(rows)]
    if content["correction_log"]:
        kinds = Counter(str(entry.get("decision")) for entry in content["correction_log"])
        lines.append("corrections: " + ", ".join(f"{number} {kind}" for kind, number in kinds.items()))
    return lines


def _covered(status: str | None) -> str:
    return f" ({status})" if status not in (None, "FULL") else ""


def _references(rows: Sequence[Json], number: int) -> list[str]:
    by_column: dict[str, list[str]] = {}
    for row in rows:
        by_column.setdefault(f"{row['column']}: {row['table']}", []).append(row["id"])
    lines = [f"{column} {_some(ids)}" for column, ids in by_column.items()]
    return lines + ([f"{number:,} in all"] if number > len(rows) else [])


def _named(rows: Sequence[Json], number: int) -> list[str]:
    by_table: dict[str, list[str]] = {}
    for row in rows:
        by_table.setdefault(row["table"], []).append(row["id"])
    lines = [f"{table} {_some(ids)}" for table, ids in by_table.items()]
    return lines + ([f"{number:,} in all"] if number > len(rows) else [])


def _validation(found: Json) -> list[str]:
    """What covers the row, in three lines at most; what was not met is named."""
    words = {"table": "on the table", "rows": "on relations of its rows", "names": "on relations that read the table"}
    counts = {about: [e["success"] for s in found["suites"] if s["about"] == about for e in s["expectations"]] for about in words}
    lines = [f"{len(results):,} expectations {words[about]}: {_outcome(results)}" for about, results in counts.items() if results]
    for suite in found["suites"]:
        lines += [
            f"not met: {e['rule']} ({e['level']}), {e['type']} {e['id']} of {suite['suite']}"
            for e in suite["expectations"] if e["success"] is False
        ]  # fmt: skip
    for one in found["findings"]:
        which = "names this row" if one["names_the_row"] else f"names {one['count']:,} rows, not kept which"
        lines.append(f"finding {one['rule']} ({one['level']}{', waived' if one['waived'] else ''}): {which}")
    lines += [f"waived: {w['rule']} until {w['expires']}, {w['owner']}: {w['reason']}" for w in found["waivers"]]
    return lines


def _outcome(results: Sequence[bool | None]) -> str:
    met, unknown = sum(result is True for result in results), sum(result is None for result in results)
    if met == len(results):
        return "all met"
    return f"{met:,} met, {len(results) - met - unknown:,} not" + (f", {unknown:,} without a result" if unknown else "")


def _also(said: Json) -> str:
    return f"a row of this id is in {', '.join(said['also_in'])} (--table)"


def _some(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _MOST:,} more" if len(ids) > _MOST else ""
    return ", ".join(ids[:_MOST]) + more
