"""Label Studio: `tasks.json` with data, annotations and predictions to import, `config.xml` with the config that shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from dateline.document import Document, Node
from dateline.foreign_json import encoded

NAME = "label-studio"
TITLE = "Label Studio (tasks to import, with their labelling config)"

_OF_RESULT = {"from_name", "to_name", "origin", "score", "meta", "parentID", "readonly", "hidden", "locked"}
_CONTROLS = {"choices", "taxonomy", "rating", "textarea", "number", "datetime"}
_TAXONOMY = " > "
_DEEPEST = 50  # a config whose choices lie deeper shows no one anything
_ENDS = ("from_id", "to_id")
_OF_DATA = {"text", "dateline_document"}
_OF_RELATION = {"type", "labels", *_ENDS}


def cannot_hold(document: Document) -> Counter[str]:
    """What Label Studio has no place for."""
    lost = Counter({"sentences": len(document.segments)})
    lost["metadata with names of Label Studio's own"] = len(document.metadata.keys() & _OF_DATA)
    pairs = Counter[str]()
    for node in document.nodes:
        if len(node.spans) > 1:
            lost["annotations in several pieces"] += 1
            continue
        lost["parts of annotations"] += sum(map(bool, node.parts.values()))
        if node.spans:
            lost["roles of annotations with words, which become relations"] += len(node.roles.keys() - {"region"})
            for name, value in node.features.items():
                if name not in _OF_RESULT and _control(value) is None:
                    lost["features that are empty, true or false, or objects"] += 1
                elif name not in _OF_RESULT and isinstance(value, str):
                    lost["single words of features, which become lists of one"] += 1
        elif node.roles:
            is_pair = len(node.roles) == 2 and all(len(ends) == 1 for ends in node.roles.values())
            lost["relations of more than two"] += not is_pair
            lost["names of roles"] += is_pair and set(node.roles) != set(_ENDS)
            pairs[node.annotator] += is_pair
            lost["ids of relations"] += is_pair and node.id != f"relation:{pairs[node.annotator]}"
            lost["features with names of Label Studio's own"] += is_pair and len(node.features.keys() & _OF_RELATION)
        elif len(node.features.keys() & _CONTROLS) != 1 or node.features.keys() - _CONTROLS - _OF_RESULT:
            lost["annotations without words that are no choice, number or text"] += 1
    return +lost


def write(documents: Iterable[Document], folder: Path) -> list[str]:
    """Write the tasks of all documents, and the config that shows them; offsets are code points, as Label Studio counts them."""
    config = _Config()
    with (folder / "tasks.json").open("wb") as file:
        mark = b"[\n"
        for document in documents:
            file.write(mark + encoded(_task(document, config)).rstrip(b"\n"))
            mark = b",\n"
        file.write((mark if mark == b"[\n" else b"\n") + b"]\n")
    (folder / "config.xml").write_bytes(config.xml().encode())
    return ["config.xml", "tasks.json"]


def _task(document: Document, config: _Config) -> dict[str, Any]:
    own = {key for key in document.metadata if key.startswith("task.") or key in ("annotations", "predictions")}
    data = {"text": document.text, "dateline_document": document.name}
    data |= {k: v for k, v in document.metadata.items() if k not in own and k not in data}
    task: dict[str, Any] = {
        key.removeprefix("task."): document.metadata[key] for key in document.metadata if key.startswith("task.")
    }
    task |= {"data": data, "annotations": [], "predictions": []}
    by_annotator: dict[str, list[Node]] = {}
    entries = _entries(document)
    for annotator in entries:
        by_annotator[annotator] = []
    for node in document.nodes:
        by_annotator.setdefault(node.annotator, []).append(node)
    for annotator, nodes in by_annotator.items():
        said = entries.get(annotator) or _who(annotator)
        kind = "predictions" if annotator.startswith("prediction:") else "annotations"
        task[kind].append({**said, "result": _results(document.text, nodes, config)})
    return task


def _entries(document: Document) -> dict[str, dict[str, Any]]:
    """What an export of Label Studio said of each annotation, by annotator."""
    lists = [document.metadata.get(key) for key in ("annotations", "predictions")]
    found = [one for said in lists if isinstance(said, list) for one in said if isinstance(one, dict)]
    return {one["annotator"]: {k: v for k, v in one.items() if k != "annotator"} for one in found if "annotator" in one}


def _who(annotator: str) -> dict[str, Any]:
    """Who annotated, in a form that a project which does not know them can still import."""
    if annotator.startswith("prediction:"):
        return {"model_version": annotator.removeprefix("prediction:")}
    return {"dateline_annotator": annotator} if annotator else {}


def _results(text: str, nodes: list[Node], config: _Config) -> list[dict[str, Any]]:
    regions: dict[tuple[str, str], dict[str, Any]] = {}
    results: list[dict[str, Any]] = []
    for node in nodes:
        if len(node.spans) == 1:
            results += _region(text, node, regions, config)
        elif not node.spans and len(node.roles) == 2 and all(len(ends) == 1 for ends in node.roles.values()):
            start, end = (node.roles[end][0] for end in (_ENDS if set(node.roles) == set(_ENDS) else node.roles))
            features = {k: v for k, v in node.features.items() if k not in _OF_RELATION}
            results.append(_relation(start, end, node.type, config) | features)
        elif not node.spans and not node.roles and len(node.features.keys() & _CONTROLS) == 1:
            results.append(_alone(node, config))
    return results


def _region(text: str, node: Node, regions: dict[tuple[str, str], dict[str, Any]], config: _Config) -> list[dict[str, Any]]:
    """The results of a region: its label, what its features say, its roles as relations; a further label joins its region's."""
    (start, end), own = node.spans[0], {k: v for k, v in node.features.items() if k in _OF_RESULT}
    own = {k: v for k, v in own.items() if isinstance(v, str) or k not in ("from_name", "to_name")}
    id = (node.roles.get("region") or [node.id])[0]
    own = {"from_name": "label", "to_name": "text"} | own
    config.add("Labels", own, node.type)
    known = regions.get((id, own["from_name"]))
    if known and id != node.id:
        known["value"]["labels"].append(node.type)
        return []
    place = {"start": start, "end": end, "text": text[start:end]}
    result = {"id": id, **own, "type": "labels", "value": {**place, "labels": [] if node.type == "unlabelled" else [node.type]}}
    regions[id, own["from_name"]] = result
    made = [result]
    for name, value in node.features.items() if id == node.id else ():
        control = None if name in _OF_RESULT else _control(value)
        if control:
            kind, said = control
            ends = {"from_name": name, "to_name": own["to_name"]}
            config.add(kind.capitalize(), ends, *(said if kind == "choices" else ()), per_region=True)
            made.append({"id": id, **ends, "type": kind, "value": {**place, kind: said}})
    made += [
        _relation(node.id, other, role, config) for role, others in node.roles.items() if role != "region" for other in others
    ]
    return made


def _relation(start: str, end: str, label: str, config: _Config) -> dict[str, Any]:
    config.add("Relations", {}, label)
    return {
        "type": "relation",
        "from_id": start,
        "to_id": end,
        "direction": "right",
        "labels": [] if label == "relation" else [label],
    }


def _alone(node: Node, config: _Config) -> dict[str, Any]:
    """The result of an annotation of the whole text."""
    (kind,) = node.features.keys() & _CONTROLS
    own = {"from_name": node.type, "to_name": "text"} | {k: v for k, v in node.features.items() if k in _OF_RESULT}
    said = node.features[kind]
    words = [one for one in said if isinstance(one, str)] if isinstance(said, list) else []
    config.add(kind.capitalize(), own, *(words if kind in ("choices", "taxonomy") else ()))
    if kind == "taxonomy":
        said = [path.split(_TAXONOMY) for path in words]
    return {"id": node.id, **own, "type": kind, "value": {kind: said}}


def _control(value: Any) -> tuple[str, Any] | None:
    """The control that can hold a feature, and the value as it holds it."""
    if isinstance(value, str):
        return "choices", [value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number", value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "choices", value
    return None


class _Config:
    """The labelling config that shows what has been written."""

    def __init__(self) -> None:
        self.tags: dict[tuple[str, str, str, bool], dict[str, None]] = {}

    def add(self, tag: str, ends: dict[str, Any], *words: str, per_region: bool = False) -> None:
        """Note a control, and words that it offers."""
        key = (tag, str(ends.get("from_name", "")), str(ends.get("to_name", "")), per_region)
        self.tags.setdefault(key, {}).update(dict.fromkeys(words))

    def xml(self) -> str:
        """The config: the controls, and the text that they speak of, under each name that results call it."""
        lines = ["<View>"]
        for (tag, name, to_name, per_region), words in self.tags.items():
            ends = "" if tag == "Relations" else f" name={_quoted(name)} toName={_quoted(to_name)}"
            region = ' perRegion="true"' if per_region else ""
            multiple = ' choice="multiple"' if tag in ("Labels", "Choices") else ""
            element = {"Textarea": "TextArea", "Datetime": "DateTime"}.get(tag, tag)
            lines += [f"  <{element}{ends}{region}{multiple}>", *_offered(tag, words), f"  </{element}>"]
        texts = dict.fromkeys(to_name for _, _, to_name, _ in self.tags if to_name) or {"text": None}
        lines += [f'  <Text name={_quoted(name)} value="$text"/>' for name in texts]
        return "\n".join([*lines, "</View>", ""])


def _offered(tag: str, words: dict[str, None]) -> list[str]:
    """What a control offers; the paths of a taxonomy as choices inside of choices."""
    if tag == "Taxonomy":
        return _branches([word.split(_TAXONOMY, _DEEPEST) for word in words], "    ")
    inner = {"Labels": "Label", "Relations": "Relation"}.get(tag, "Choice")
    return [f"    <{inner} value={_quoted(word)}/>" for word in words if word != "unlabelled"]


def _branches(paths: list[list[str]], indent: str) -> list[str]:
    lines: list[str] = []
    for step in dict.fromkeys(path[0] for path in paths if path):
        inner = _branches([path[1:] for path in paths if path[:1] == [step]], indent + "  ")
        opened = f"{indent}<Choice value={_quoted(step)}"
        lines += [opened + ">", *inner, f"{indent}</Choice>"] if inner else [opened + "/>"]
    return lines


def _quoted(word: str) -> str:
    """A word as an attribute; what XML has no character for is shown as U+FFFD."""
    return quoteattr("".join(c if c >= " " and c not in "\ufffe\uffff" else "\ufffd" for c in word))
