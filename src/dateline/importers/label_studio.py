"""Label Studio's JSON export: tasks with their data, annotations and predictions ("Label Studio JSON format of annotated tasks").

Label Studio counted UTF-16 units until its editor began, in October 2021, to store code points, and some later releases mixed
the two (docs/formats/label-studio.md has the evidence). A region holds its words, so `offsets = "by-words"` reads each by the
unit that its words confirm.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from dateline.document import Document, Node, Refused, Stretch
from dateline.errors import Place
from dateline.foreign_json import LINES, brief, stretch, values, word
from dateline.incoming import Incoming

NAME = "label-studio"
TITLE = "Label Studio (JSON export)"
SUFFIXES = (".json", *LINES)
OPTIONS: dict[str, Any] = {
    "offsets": "by-words",  # or code-points, utf-16
    "text": "",  # which field of a task's data is the text, where it has several
    "predictions": False,  # whether predictions are read, too, as those of annotator "prediction:<model version>"
    "cancelled": False,  # whether annotations are read that their annotator has skipped
}
BY_WORDS = "by-words"
UNLABELLED = "unlabelled"
ANNOTATOR = "dateline_annotator"
"""Where the exporter keeps a name that Label Studio cannot know."""
DOCUMENT = "dateline_document"
"""The field of data in which the exporter keeps a document's name."""

_ANCHOR = {"start", "end", "startOffset", "endOffset", "globalOffsets"}
_MIN = {"annotator", "annotation_id", "lead_time", "created_at", "updated_at"}


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    """A document per task, with all its annotators."""
    names: set[str] = set()
    for file in incoming.named(*SUFFIXES):
        for number, found in enumerate(values(incoming, file), start=1):
            if isinstance(found, Refused):
                yield found
                continue
            place, task = found
            made = _document(incoming, task, place, f"{PurePosixPath(file).with_suffix('')}#{number}")
            if isinstance(made, Document) and made.name in names:
                made = Refused(place, "document", "another task has the same id", made.name)
            if isinstance(made, Document):
                names.add(made.name)
            yield made


def looks_like(incoming: Incoming) -> float:
    """Whether the first value of the first file is a task."""
    for file in incoming.named(*SUFFIXES)[:1]:
        for found in values(incoming, file):
            task = None if isinstance(found, Refused) else found[1]
            is_task = isinstance(task, dict) and isinstance(task.get("data"), dict)
            return (
                0.95
                if is_task and isinstance(task, dict) and {"annotations", "predictions", "completions"} & task.keys()
                else 0.0
            )
    return 0.0


# ---- tasks -----------------------------------------------------------------------------------------------------


def _document(incoming: Incoming, task: Any, place: Place, name: str) -> Document | Refused:
    try:
        data, sets = _parts(task)
        given = task.get("id", data.get(DOCUMENT))
        name = name if given is None else word(given, "id")
        key = _text_key(data, sets, incoming.options["text"])
    except ValueError as fault:
        return Refused(place, "document", str(fault), name)
    made = Document(name, data[key], place=place)
    made.metadata = {k: v for k, v in data.items() if k not in (key, DOCUMENT)}
    others = task.keys() - {"id", "data", "annotations", "completions", "predictions"}
    made.metadata |= {f"task.{k}": task[k] for k in task if k in others}
    units, annotators = _Units(incoming, made.text), Counter[str]()
    for one in sets:
        _add_set(made, one, units, annotators, incoming)
    return made


@dataclass(frozen=True)
class _Set:
    """One annotation of a task, or one prediction: what one annotator, or model, said of it."""

    pointer: str
    kind: str
    said: dict[str, Any]
    results: list[Any]


def _parts(task: Any) -> tuple[dict[str, Any], list[_Set]]:
    """A task's data and its annotations and predictions; raises ValueError for what is no task."""
    if isinstance(task, dict) and "data" not in task and _MIN & task.keys():
        raise ValueError("is of a JSON-MIN export, which leaves out who annotated what: export it as JSON")
    if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
        raise ValueError("is no task of Label Studio: it has no `data`")
    sets: list[_Set] = []
    for key, kind in (("annotations", "annotation"), ("completions", "annotation"), ("predictions", "prediction")):
        said = task.get(key) or []
        if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
            raise ValueError(f"its {key} are no list of objects")
        for number, one in enumerate(said):
            results = one.get("result") or []
            if not isinstance(results, list):
                raise ValueError(f"the result of {key}[{number}] is {brief(results)}, which is no list")
            sets.append(_Set(f"$.{key}[{number}]", kind, one, results))
    return task["data"], sets


def _text_key(data: dict[str, Any], sets: list[_Set], wanted: str) -> str:
    """Which field is the text: the wanted one, the only string, or the one that results are said of."""
    texts = [key for key, value in data.items() if isinstance(value, str) and key != DOCUMENT]
    if wanted:
        if wanted not in texts:
            raise ValueError(f"its data has no text {wanted!r}")
        return wanted
    if len(texts) == 1:
        return texts[0]
    named = {r["to_name"] for one in sets for r in one.results if isinstance(r, dict) and isinstance(r.get("to_name"), str)}
    fits = [key for key in texts if key in named] or [key for key in texts if key == "text"]
    if len(fits) != 1:
        raise ValueError(f"its data has the strings {', '.join(map(brief, texts)) or 'none'}: say which is the text: text = …")
    return fits[0]


# ---- annotations of one annotator ------------------------------------------------------------------------------


def _add_set(made: Document, one: _Set, units: _Units, annotators: Counter[str], incoming: Incoming) -> None:
    place = made.place.at(one.pointer)
    id = str(one.said.get("id", ""))
    try:
        annotator = _annotator(one)
    except ValueError as fault:
        made.refused.append(Refused(place, one.kind, str(fault), id))
        return
    annotators[annotator] += 1
    if annotators[annotator] > 1:
        annotator = f"{annotator}#{annotators[annotator]}"
    entry = {key: value for key, value in one.said.items() if key not in ("result", ANNOTATOR)}
    made.metadata.setdefault(f"{one.kind}s", []).append(entry | {"annotator": annotator})
    count = len(one.results)
    if one.kind == "prediction" and not incoming.options["predictions"]:
        reason = f"is a prediction, with {count} results; say predictions = true to read predictions"
        made.refused.append(Refused(place, one.kind, reason, id))
    elif one.said.get("was_cancelled") is True and not incoming.options["cancelled"]:
        reason = f"was cancelled by its annotator, with {count} results; say cancelled = true to read such"
        made.refused.append(Refused(place, one.kind, reason, id))
    else:
        _Results(made, one, annotator, units).add()


def _annotator(one: _Set) -> str:
    if one.kind == "prediction":
        return f"prediction:{one.said.get('model_version') or ''}"
    by = one.said.get("completed_by", one.said.get(ANNOTATOR))
    if isinstance(by, dict):
        by = by.get("email") or by.get("username") or by.get("id")
    return "" if by is None else word(by, "completed_by")


@dataclass
class _Region:
    """A place in the text, of which several results may speak."""

    id: str
    start: Any
    end: Any
    words: str | None
    is_html: bool
    place: Place
    labels: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)


class _Results:
    """The results of one annotator, turned into nodes of a document."""

    def __init__(self, made: Document, one: _Set, annotator: str, units: _Units) -> None:
        self.made, self.set, self.annotator, self.units = made, one, annotator, units
        self.regions: dict[str, _Region] = {}
        self.alone: dict[str, Node] = {}  # of the whole text
        self.relations: list[tuple[Place, dict[str, Any]]] = []
        self.ids: set[str] = set()

    def add(self) -> None:
        """Sort the results by region, then add a node for each label, each relation and each word on the whole text."""
        later: list[tuple[Place, dict[str, Any]]] = []
        for number, result in enumerate(self.set.results):
            place = self.made.place.at(f"{self.set.pointer}.result[{number}]")
            try:
                if not isinstance(result, dict):
                    raise ValueError(f"is {brief(result)}, which is no result")
                if result.get("type") == "relation":
                    self.relations.append((place, result))
                elif not self._is_region(place, result):
                    later.append((place, result))
            except ValueError as fault:
                self._refuse(place, result, fault)
        for place, result in later:
            try:
                self._control(place, result)
            except ValueError as fault:
                self._refuse(place, result, fault)
        decided = self.units.decided(self.regions.values())
        for region in self.regions.values():
            self._add_region(region, decided)
        for node in self.alone.values():
            self._add_node(node)
        for number, (place, result) in enumerate(self.relations, start=1):
            try:
                self._add_relation(place, result, number)
            except ValueError as fault:
                self._refuse(place, result, fault)

    def _is_region(self, place: Place, result: dict[str, Any]) -> bool:
        """Whether a result marks a stretch of the text; it is then noted."""
        value, kind = result.get("value"), word(result.get("type"), "type")
        if not isinstance(value, dict):
            raise ValueError(f"its value is {brief(value)}, which is no object")
        where = _where(value, kind)
        if where is None:
            if kind.endswith("labels"):
                raise ValueError("has labels, but marks no stretch of a text")
            return False
        id = word(result.get("id"), "id")
        words = value["text"] if isinstance(value.get("text"), str) else None
        region = _Region(id, *where, words, kind == "hypertextlabels", place)
        known = self.regions.setdefault(id, region)
        if (known.start, known.end) != where:
            raise ValueError("another region has the same id")
        said = value.get(kind)
        others = {k: v for k, v in result.items() if k not in ("id", "type", "value")}
        others |= {k: v for k, v in value.items() if k not in _ANCHOR and k != kind and (k != "text" or words is None)}
        if kind.endswith("labels"):
            labels = [word(label, "label") for label in _listed(said, "labels")] or [UNLABELLED]
            known.labels += [(label, others) for label in labels]
        elif said is not None:
            _put(known.said, result, _control_value(kind, said))
        return True

    def _control(self, place: Place, result: dict[str, Any]) -> None:
        """What a result without a place says of its region or, where it has none, of the whole text."""
        kind, id = result["type"], word(result.get("id"), "id")
        if kind not in result["value"]:
            raise ValueError("marks no stretch of a text, and says nothing of it")
        said = _control_value(kind, result["value"][kind])
        if id in self.regions:
            _put(self.regions[id].said, result, said)
            return
        if id in self.alone:
            raise ValueError("another result has the same id")
        others = {k: v for k, v in result.items() if k not in ("id", "type", "value", "from_name")}
        others |= {k: v for k, v in result["value"].items() if k != kind}
        node_type = word(result.get("from_name"), "from_name")
        self.alone[id] = Node(id, node_type, features={kind: said, **others}, annotator=self.annotator, place=place)

    def _add_region(self, region: _Region, decided: set[str]) -> None:
        labels = region.labels or [(UNLABELLED, {})]
        try:
            where = self.units.stretch(region, decided)
        except ValueError as fault:
            for label, _ in labels:
                self.made.refused.append(Refused(region.place, label, str(fault), region.id))
            return
        for number, (label, others) in enumerate(labels, start=1):
            node = Node(region.id, label, (where,), {**others, **region.said}, annotator=self.annotator, place=region.place)
            if number > 1:
                node.id, node.roles = f"{region.id}~{number}", {"region": [region.id]}
            if region.words is not None:
                piece = self.made.text[slice(*where)]
                node.words[""] = piece if _same(region.words, piece) else region.words
            self._add_node(node)

    def _add_relation(self, place: Place, result: dict[str, Any], number: int) -> None:
        roles = {end: [word(result.get(end), end)] for end in ("from_id", "to_id")}
        labels = [word(label, "label") for label in _listed(result.get("labels"), "labels")] or ["relation"]
        others = {k: v for k, v in result.items() if k not in ("type", "labels", *roles)}
        for which, label in enumerate(labels, start=1):
            id = f"relation:{number}" + (f"~{which}" if which > 1 else "")
            self._add_node(Node(id, label, features=dict(others), roles=dict(roles), annotator=self.annotator, place=place))

    def _add_node(self, node: Node) -> None:
        if node.id in self.ids:
            self.made.refused.append(Refused(node.place, node.type, "another annotation has the same id", node.id))
            return
        self.ids.add(node.id)
        self.made.nodes.append(node)

    def _refuse(self, place: Place, result: Any, fault: ValueError) -> None:
        said = result if isinstance(result, dict) else {}
        kind, id = said.get("type"), said.get("id")
        kind = kind if isinstance(kind, str) else "result"
        self.made.refused.append(Refused(place, kind, str(fault), id if isinstance(id, str) else ""))


def _where(value: dict[str, Any], kind: str) -> tuple[Any, Any] | None:
    """Start and end that a value marks, None if it marks nothing; raises ValueError for a place that is not in a text."""
    if isinstance(value.get("globalOffsets"), dict):
        return value["globalOffsets"].get("start"), value["globalOffsets"].get("end")
    if kind == "paragraphlabels":
        raise ValueError("marks paragraphs of a dialogue, which is not one text")
    if isinstance(value.get("start"), str):
        raise ValueError("marks HTML by XPath and has no globalOffsets, so that its place in the text is not known")
    if "start" in value or "end" in value:
        return value.get("start"), value.get("end")
    if {"x", "y", "points", "rle", "vertices"} & value.keys():
        raise ValueError("marks a region of an image; only texts are read")
    return None


def _listed(value: Any, what: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"its {what} are {brief(value)}, which is no list")
    return value


def _put(said: dict[str, Any], result: dict[str, Any], value: Any) -> None:
    name = word(result.get("from_name"), "from_name")
    if name in said:
        raise ValueError(f"another result says {name} of the same region")
    said[name] = value


def _control_value(kind: str, said: Any) -> Any:
    """A control's value: paths of a taxonomy as words with " > " between them, anything else as it is."""
    if kind != "taxonomy" or not isinstance(said, list):
        return said
    paths = [path if isinstance(path, list) else [path] for path in said]
    if any(not isinstance(step, str) or TAXONOMY in step for path in paths for step in path):
        raise ValueError(f"its taxonomy has a step with {TAXONOMY!r}, which stands between steps")
    return [TAXONOMY.join(path) for path in paths]


TAXONOMY = " > "
"""Stands between the steps of a path of a taxonomy."""


# ---- which unit ------------------------------------------------------------------------------------------------


def _same(words: str, piece: str) -> bool:
    r"""Whether words are those of the text; some versions write a line end as the two characters \n."""
    return words in (piece, re.sub(r"[\r\n]", r"\\n", piece))


class _Units:
    """The units in which offsets of a text may count."""

    def __init__(self, incoming: Incoming, text: str) -> None:
        self.text = text
        unit = incoming.options["offsets"]
        names = ("code-points", "utf-16") if unit == BY_WORDS and max(text, default="") > "\uffff" else (unit,)
        self.offsets = {name: incoming.offsets(text, "code-points" if name == BY_WORDS else name) for name in names}
        self.has_markup = "<" in text or "&" in text

    def decided(self, regions: Any) -> set[str]:
        """The units that the words of some region confirm, against the other unit."""
        if len(self.offsets) == 1:
            return set(self.offsets)
        confirmed = (self._confirmed(region, self._fits(region)[0]) for region in regions)
        return {unit for units in confirmed if len(units) == 1 for unit in units}

    def stretch(self, region: _Region, decided: set[str]) -> Stretch:
        """Where a region lies; raises ValueError where it lies nowhere, or where nothing tells in which unit it counts."""
        fits, faults = self._fits(region)
        if not fits:
            raise faults[0]
        confirmed = self._confirmed(region, fits)
        if region.is_html and self.has_markup and not confirmed:
            raise ValueError("marks the text that a browser shows of HTML, which the export does not hold")
        places = {fits[unit] for unit in confirmed or fits}
        if len(places) == 1 and (confirmed or not faults or region.words is None):
            return places.pop()
        for unit in decided & fits.keys() if len(decided) == 1 else ():
            return fits[unit]
        raise ValueError(
            "its offsets may count characters such as emoji as one or as two, and its words do not tell: "
            'say offsets = "code-points" (Label Studio since 2022) or offsets = "utf-16" (before)'
        )

    def _fits(self, region: _Region) -> tuple[dict[str, Stretch], list[ValueError]]:
        fits, faults = {}, []
        for unit, offsets in self.offsets.items():
            try:
                fits[unit] = stretch(offsets, region.start, region.end)
            except ValueError as fault:
                faults.append(fault)
        return fits, faults

    def _confirmed(self, region: _Region, fits: dict[str, Stretch]) -> list[str]:
        words = region.words
        return [] if words is None else [unit for unit, at in fits.items() if _same(words, self.text[slice(*at)])]
