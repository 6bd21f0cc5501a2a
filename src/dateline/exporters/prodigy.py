"""Prodigy's JSON Lines: a row for each annotator of a document, in one file, `annotations.jsonl`, for `prodigy db-in`."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from dateline.document import Document, Node
from dateline.foreign_json import encoded

NAME = "prodigy"
TITLE = "Prodigy (JSON Lines)"

_FIELDS = {
    "text",
    "spans",
    "tokens",
    "relations",
    "accept",
    "label",
    "meta",
    "_input_hash",
    "_annotator_id",
    "rows",
    "dateline_document",
}
_OF_SPAN = {"start", "end", "label", "text", "id"}
_OF_RELATION = {"head", "child", "label", "head_span", "child_span", "id"}
_TOKEN = re.compile(r"\w+|[^\w\s]")
_HASH = re.compile(r"-?[1-9][0-9]{0,9}|0")


def cannot_hold(document: Document) -> Counter[str]:
    """What Prodigy has no place for."""
    lost = Counter({"sentences": len(document.segments)})
    lost["metadata with names of Prodigy's own"] = len((document.metadata.keys() & _FIELDS) - {"rows"})
    for node in document.nodes:
        if len(node.spans) > 1:
            lost["annotations in several pieces"] += 1
            continue
        lost["parts of annotations"] += sum(map(bool, node.parts.values()))
        lost["features with names of Prodigy's own"] += len(node.features.keys() & (_OF_SPAN if node.spans else _OF_RELATION))
        if node.spans:
            lost["roles of annotations with words, which become relations"] += len(node.roles)
        elif node.roles:
            is_pair = len(node.roles) == 2 and all(len(ends) == 1 for ends in node.roles.values())
            lost["relations of more than two"] += not is_pair
            lost["names of roles"] += is_pair and set(node.roles) != {"head", "child"}
        elif not _is_choice(node) and not _is_label(node):
            lost["annotations without words that are no choice and no label"] += 1
    for annotator in {node.annotator for node in document.nodes}:
        labels = [node for node in document.nodes if node.annotator == annotator and _is_label(node)]
        lost["labels of a text after the first"] += max(0, len(labels) - 1)
    return +lost


def write(documents: Iterable[Document], folder: Path) -> list[str]:
    """Write the rows of all documents; offsets are code points, as Prodigy counts them."""
    with (folder / "annotations.jsonl").open("wb") as file:
        for document in documents:
            for row in _rows(document):
                file.write(encoded(row))
    return ["annotations.jsonl"]


def _rows(document: Document) -> Iterable[dict[str, Any]]:
    listed = document.metadata.get("rows")
    entries = [one for one in listed if isinstance(one, dict) and "annotator" in one] if isinstance(listed, list) else []
    said = {one["annotator"]: one for one in entries}
    by_annotator: dict[str, list[Node]] = {annotator: [] for annotator in said}
    for node in document.nodes:
        by_annotator.setdefault(node.annotator, []).append(node)
    for annotator, nodes in (by_annotator or {"": []}).items():
        own = {k: v for k, v in said.get(annotator, {}).items() if k != "annotator"}
        yield _row(document, annotator, nodes, own)


def _row(document: Document, annotator: str, nodes: list[Node], own: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"text": document.text}
    said = {k: v for k, v in document.metadata.items() if k not in _FIELDS} | own
    if _HASH.fullmatch(document.name):
        row["_input_hash"] = int(document.name)
    else:
        row |= {"_input_hash": zlib.crc32(document.name.encode()), "dateline_document": document.name}
    meta = {k.removeprefix("meta."): v for k, v in said.items() if k.startswith("meta.")}
    row |= {k: v for k, v in said.items() if not k.startswith("meta.")}
    row |= {"meta": meta} if meta else {}
    spans, pairs, tokens = _sorted(nodes)
    relations = [_relation_of(node) for node in pairs]
    relations += [(node.id, other, role, {}, None) for node in spans for role, ends in node.roles.items() for other in ends]
    if relations and not tokens:
        tokens = _tokens(document.text, spans)
    places = {
        node.id: place for node, place in ((node, _anchor(node, document.text, number)) for number, node in enumerate(spans))
    }
    row["spans"] = list(places.values())
    if tokens:
        row["tokens"] = [_token(node, document.text) for node in tokens]
    if relations:
        known = {node.id: index for index, node in enumerate(tokens)}
        made = [_relation(one, number, places, known, tokens) for number, one in enumerate(relations)]
        row["relations"] = [one for one in made if one]
    for node in nodes:
        if _is_choice(node):
            row["accept"] = node.features["accept"]
        elif _is_label(node):
            row.setdefault("label", node.type)
    row.setdefault("answer", "accept")
    if annotator and annotator != row.get("_session_id"):
        row["_annotator_id"] = annotator
    return row


def _sorted(nodes: list[Node]) -> tuple[list[Node], list[Node], list[Node]]:
    """The spans, the relations of two and the tokens among some nodes."""
    anchored = [node for node in nodes if len(node.spans) == 1]
    pairs = [n for n in nodes if not n.spans and len(n.roles) == 2 and all(len(ends) == 1 for ends in n.roles.values())]
    tokens = [node for node in anchored if _is_token(node)]
    return [node for node in anchored if not _is_token(node)], pairs, tokens


def _is_token(node: Node) -> bool:
    return node.type == "token" and bool(re.fullmatch(r"token:[0-9]{1,9}", node.id))


def _is_choice(node: Node) -> bool:
    return not node.spans and not node.roles and node.type == "choice" and node.features.keys() == {"accept"}


def _is_label(node: Node) -> bool:
    return not node.spans and not node.roles and not node.features


def _anchor(node: Node, text: str, number: int) -> dict[str, Any]:
    (start, end) = node.spans[0]
    made = {"start": start, "end": end, "text": text[start:end], **_features(node, _OF_SPAN)}
    if node.type != "span":
        made["label"] = node.type
    return made | ({"id": node.id} if node.id != f"span:{number}" else {})


def _features(node: Node, own: set[str]) -> dict[str, Any]:
    return {k: v for k, v in node.features.items() if k not in own}


def _token(node: Node, text: str) -> dict[str, Any]:
    (start, end) = node.spans[0]
    return {
        "text": text[start:end],
        "start": start,
        "end": end,
        "id": int(node.id.removeprefix("token:")),
        **_features(node, _OF_SPAN),
    }


def _tokens(text: str, spans: list[Node]) -> list[Node]:
    """Words and marks of a text that has no tokens, cut where spans begin and end: relations stand between tokens."""
    cuts = {offset for node in spans for offset in node.spans[0]}
    pieces = [match.span() for match in _TOKEN.finditer(text)]
    borders = [(start, *sorted(cut for cut in cuts if start < cut < end), end) for start, end in pieces]
    cut = [pair for border in borders for pair in pairwise(border)]
    return [Node(f"token:{number}", "token", (pair,)) for number, pair in enumerate(cut)]


_Link = tuple[str, str, str, dict[str, Any], str | None]


def _relation_of(node: Node) -> _Link:
    names = ("head", "child") if set(node.roles) == {"head", "child"} else tuple(node.roles)
    return node.roles[names[0]][0], node.roles[names[1]][0], node.type, _features(node, _OF_RELATION), node.id


def _relation(
    link: _Link, number: int, places: dict[str, dict[str, Any]], known: dict[str, int], tokens: list[Node]
) -> dict[str, Any] | None:
    """A relation between tokens or spans; None where an end is neither."""
    head, child, label, features, id = link
    made: dict[str, Any] = {}
    for end, target in (("head", head), ("child", child)):
        if target in places:
            place = places[target]
            inside = [i for i, t in enumerate(tokens) if place["start"] <= t.spans[0][0] and t.spans[0][1] <= place["end"]]
            if not inside:
                return None
            made[end] = inside[-1]
            span = {"start": place["start"], "end": place["end"], "token_start": inside[0], "token_end": inside[-1]}
            made[f"{end}_span"] = span | ({"label": place["label"]} if "label" in place else {})
        elif target in known:
            made[end] = int(target.removeprefix("token:"))
        else:
            return None
    made |= {} if label == "relation" else {"label": label}
    return made | features | ({"id": id} if id is not None and id != f"relation:{number}" else {})
