"""Where two passes over an article differ, item by item, and what was decided.

python corpus/adjudication.py list FIRST.toml SECOND.toml           # the differences, as a file of decisions to fill in
python corpus/adjudication.py check FIRST SECOND FINAL DECISIONS    # all decided, and the final annotation is as was decided
python corpus/adjudication.py keep FIRST SECOND DECISIONS           # both passes and the decisions, into annotations/

The three annotations are in the notation. Compared are mentions, times, quantities, attributions, events with who is how sure of
them, and claims of numbers. Which mentions are of one entity, and how things are called, is measured by `dateline agreement` and
not decided here.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import anchors
import stories
from dateline.compile.seeds import read_tables
from dateline.importers.authoring import read_document
from dateline.project import find_project
from dateline.record_files import encode, on_one_line
from dateline.schema import load_schemas
from ledgers import read_ledger
from notation import Fault, Json, make, no_facts

DECISIONS = ("A", "B", "MERGE", "NEW")
Items = Mapping[str, str]


def record_of(path: Path) -> Json:
    """The record of an annotation in the notation; raises Fault with all that is wrong in it."""
    project = find_project(stories.ROOT)
    schemas = load_schemas(project.schemas)
    tables = read_tables(project, schemas).keys
    source = path.read_text(encoding="utf-8")
    doc = tomllib.loads(source)
    if "article_id" in doc.get("article", {}):  # in the authoring format
        read = read_document(doc, schemas, name=path.name, source=source)
        if read.record is None:
            raise Fault("\n".join(map(str, read.problems)))
        return read.record
    if doc["story"].startswith("wikinews-"):
        origin = anchors.origin_of(doc["story"].removeprefix("wikinews-"), "model-5")
    else:
        origin = stories.ORIGIN
    ledger = stories.ROOT / "seeds" / "stories" / f"{doc['story']}.toml"
    facts = any("fact" in row[-1] for row in doc.get("claims", {}).values() if isinstance(row[-1], dict))
    estimand_of = read_ledger(ledger)[0].estimand_of if facts else no_facts
    made = make(doc, origin, schemas, tables, path.name, estimand_of)
    if made.record is None or made.problems:
        raise Fault("\n".join(made.problems))
    return made.record


def items_of(record: Json) -> dict[str, str]:
    """What is compared: of each item its place, and what is said there."""
    return dict(_counted(_items(record)))


def _counted(pairs: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    seen: Counter[str] = Counter()
    for place, said in pairs:
        seen[place] += 1
        yield (place if seen[place] == 1 else f"{place} #{seen[place]}"), said


def _items(record: Json) -> Iterator[tuple[str, str]]:
    for mention in record["mentions"]:
        yield f"mention {_at(record, mention['spans'])}", f"{mention['mention_type']} {mention.get('gpe_role') or ''}".strip()
    for time in record["times"]:
        if time["spans"]:
            yield f"time {_at(record, time['spans'])}", f"{time['timex_type']} {time['value']} {time.get('mod') or ''}".strip()
    for quantity in record["quantities"]:
        said = (quantity["comparator"], quantity.get("value"), quantity.get("low"), quantity.get("high"), quantity["measure"])
        yield f"quantity {_at(record, quantity['spans'])}", " ".join("-" if part is None else str(part) for part in said)
    for attribution in record["attributions"]:
        place = f"attribution {_at(record, attribution['cue_spans'] or attribution['content_spans'])}"
        source = _at(record, attribution["source_spans"]) if attribution["source_spans"] else "nobody named"
        labels = " ".join(attribution[name] for name in ("quote_type", "attitude", "determinacy", "scopal_polarity"))
        yield place, f"{source} | {_at(record, attribution['content_spans'])} | {labels} level {attribution['level']}"
    for event in record["events"]:
        rows = [row for row in record["factuality"] if row["event_id"] == event["event_id"]]
        sure = " ".join(f"{'author' if r['source_is_author'] else 'source'} {r['certainty']} {r['polarity']}" for r in rows)
        yield f"event {_at(record, event['trigger_spans'])}", f"{event['event_type']} | {sure}"
    quantities = {q["quantity_id"]: q for q in record["quantities"]}
    for claim in record["claims"]:
        for key in claim["quantity_ids"] if claim.get("estimand_id") else ():
            yield (
                f"claim of {_at(record, quantities[key]['spans'])}",
                f"{claim['modality']} {claim['certainty']} {claim['polarity']}",
            )


def _at(record: Json, spans: list[Json]) -> str:
    return "+".join(f"[{s['start']},{s['end']})" for s in spans)


def differences(first: Items, second: Items) -> list[tuple[str, str | None, str | None]]:
    """Places where not both say the same, with what each says; None where one says nothing."""
    places = sorted({*first, *second}, key=_order)
    return [(place, first.get(place), second.get(place)) for place in places if first.get(place) != second.get(place)]


def _order(place: str) -> tuple[str, int, str]:
    return place.partition(" [")[0], int(place.partition("[")[2].partition(",")[0] or 0), place


def words_at(record: Json, place: str) -> str:
    """The words at a place, for whoever decides."""
    text = record["text"]["content"]
    spans = [part.strip("[)") for part in place.partition("[")[2].partition(" #")[0].split("+")]
    return " … ".join(text[int(s.split(",")[0]) : int(s.split(",")[1].rstrip(")"))] for s in spans)


def agreed(first: Items, second: Items) -> int:
    """How many items both have, with the same said of them."""
    return sum(second.get(place) == said for place, said in first.items())


def _list(first: Path, second: Path) -> Iterator[str]:
    one, other = record_of(first), record_of(second)
    a, b = items_of(one), items_of(other)
    yield f"# {agreed(a, b)} items alike; A: first pass, B: second pass. Decide each: A, B, MERGE (parts of both), NEW (neither)."
    for place, said, says in differences(a, b):
        yield f"# {words_at(one, place)[:70]!r}   A: {said}   B: {says}"
        yield f'"{place}" = ["?", ""]'


def check(first: Path, second: Path, final: Path, decisions: Path) -> list[str]:
    """What is wrong with decisions: one lacking, one too many, or the final annotation is not what was decided."""
    a, b, c = (items_of(record_of(path)) for path in (first, second, final))
    said: Mapping[str, Any] = tomllib.loads(decisions.read_text(encoding="utf-8"))
    found = []
    wanted = {place: (x, y) for place, x, y in differences(a, b)}
    found += [f"{place}: not decided" for place in wanted.keys() - said.keys()]
    found += [f"{place}: decided, but both passes are alike there" for place in said.keys() - wanted.keys()]
    for place in wanted.keys() & said.keys():
        decision = said[place][0]
        if decision not in DECISIONS:
            found.append(f"{place}: {decision!r} is no decision; there are {', '.join(DECISIONS)}")
        elif decision in "AB" and c.get(place) != wanted[place]["AB".index(decision)]:
            chosen = wanted[place]["AB".index(decision)]
            found.append(f"{place}: decided {decision}, {chosen}; the final annotation says {c.get(place)}")
    return sorted(found, key=_order)


FOLDER = stories.ROOT / "annotations"
"""Where both passes are kept as records, one a line, without the words of withheld texts; and the decisions between them."""


def keep(first: Path, second: Path, decisions: Path) -> None:
    """Put both passes over an article, and what was decided between them, in the place of what is kept of it."""
    records = [record_of(first), _same_article(record_of(second), record_of(first))]
    article = records[0]["article_id"]
    for name, record in zip(("first", "second"), records, strict=True):
        _replace(FOLDER / name / "records.jsonl", article, [on_one_line(encode(_kept(record)))])
    said: Mapping[str, Any] = tomllib.loads(decisions.read_text(encoding="utf-8"))
    a, b = (items_of(record) for record in records)
    rows = [
        {"article_id": article, "item": place, "first": x, "second": y, "decision": said[place][0], "why": said[place][1]}
        for place, x, y in differences(a, b)
    ]
    _replace(FOLDER / "decisions.jsonl", article, [json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows])


def _same_article(record: Json, first: Json) -> Json:
    """The second pass under the name of the first: the passes are of one text, whatever the drafts called the outlet."""
    if record["text"]["sha256"] != first["text"]["sha256"]:
        raise Fault(f"{record['article_id']}: the two passes are not of one text")
    sets = [{**one, "annotator_id": "model-6"} for one in record["annotation_sets"]]
    return {**record, "article_id": first["article_id"], "publisher": first["publisher"], "annotation_sets": sets}


def _kept(record: Json) -> Json:
    if record["rights"]["text_redistributable"]:
        return record
    project = find_project(stories.ROOT)
    return anchors.stand_off(record, load_schemas(project.schemas), project)


def _replace(path: Path, article: str, lines: list[bytes]) -> None:
    """The lines of an article in a file of JSON lines, in the place of those that it has there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    old = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    rest = [line for line in old if json.loads(line)["article_id"] != article]
    path.write_bytes(b"".join(sorted([*rest, *lines], key=lambda line: str(json.loads(bytes(line))["article_id"]))))


def main() -> int:
    """List differences, check decisions, or keep them. 1 if anything is wrong."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("what", choices=("list", "check", "keep"))
    words.add_argument("paths", nargs="+", type=Path)
    said = words.parse_args()
    try:
        if said.what == "keep":
            keep(*said.paths)
            return 0
        lines = list(_list(*said.paths)) if said.what == "list" else check(*said.paths)
    except Fault as fault:
        print(fault)
        return 1
    for line in lines:
        print(line)
    if said.what == "check" and not lines:
        print(f"ok {said.paths[2].stem}")
    return int(said.what == "check" and bool(lines))


if __name__ == "__main__":
    sys.exit(main())
