"""Rows of tables as documents: options say which columns hold the text, its name, its tokens with their tags, its annotations.

Tables come from anywhere (CSV, Parquet, Hugging Face datasets); what becomes of a row is said once, here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from dateline.document import Document, Node, Refused, Stretch
from dateline.errors import InputError, Place
from dateline.foreign_json import brief, parsed, stretch, word
from dateline.offsets import Offsets
from dateline.typed import misfits

ROWS: Mapping[str, Any] = {
    "rows": "documents",  # or "annotations": each row is one annotation, and the rows of a document stand together
    "text": "text",
    "id": "",  # the column of the document's name; by default the file's path with a number
    "tokens": "",  # a column of lists of words; without a text, they make one, with blanks between them
    "tags": [],  # columns of lists of tags of the tokens, BIO, IOB1, BILOU or IOBES
    "spans": [],  # columns of lists of objects with start, end and label
    "json": [],  # columns whose cells are JSON
    "start": "start",  # names of columns, where rows are annotations, and of fields of objects
    "end": "end",
    "label": "label",
    "words": "",
    "annotator": "",
    "metadata": [],  # columns that speak of the document, where rows are annotations
    "names": {},  # lists of names for numbers, by column, or by column.field
}
"""The options of every importer of tables, with their defaults."""

_TAG = re.compile(r"([BILUES])-(.+)", re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]{1,15}")

Row = dict[str, Any]
Found = tuple[Place, Row] | Refused


class Rows:
    """What options make of rows; raises InputError for options that make no sense."""

    def __init__(self, options: Mapping[str, Any], format_name: str) -> None:
        kinds = {"tags": list[str], "spans": list[str], "json": list[str], "metadata": list[str]}
        for name, kind in kinds.items():
            for fault in misfits(options[name], kind, name):
                raise InputError(f"option {fault.where} of format {format_name} is {fault.found}, but must be {fault.expected}")
        for column, names in options["names"].items():
            for fault in misfits(names, list[str], f"names.{column}"):
                raise InputError(f"option {fault.where} of format {format_name} is {fault.found}, but must be {fault.expected}")
        if options["rows"] not in ("documents", "annotations"):
            raise InputError(
                f'option rows of format {format_name} is {options["rows"]!r}, but must be "documents" or "annotations"'
            )
        if options["rows"] == "annotations" and not options["id"]:
            raise InputError(
                f'option id of format {format_name} must name the column of the document, where rows = "annotations"'
            )
        self.options = options
        self.seen: set[str] = set()

    def documents(
        self, rows: Iterable[Found], stem: str, names: Mapping[str, list[str]], offsets: Callable[[str], Offsets]
    ) -> Iterator[Document | Refused]:
        """The documents that some rows make; `names` are those that the table itself has for its numbers."""
        reading = _Reading(self.options, {**names, **self.options["names"]}, offsets)
        made = reading.by_annotation(rows) if self.options["rows"] == "annotations" else reading.by_document(rows, stem)
        for one in made:
            if isinstance(one, Document) and one.name in self.seen:
                hint = "; the rows of a document must stand together" if self.options["rows"] == "annotations" else ""
                one = Refused(one.place, "document", f"another document has the same id{hint}", one.name)
            if isinstance(one, Document):
                self.seen.add(one.name)
            yield one


class _Reading:
    """The rows of one table."""

    def __init__(self, options: Mapping[str, Any], names: Mapping[str, list[str]], offsets: Callable[[str], Offsets]) -> None:
        self.options, self.names, self.offsets = options, names, offsets

    def by_document(self, rows: Iterable[Found], stem: str) -> Iterator[Document | Refused]:
        """A document of each row."""
        own = {self.options[name] for name in ("text", "id", "tokens")} | {*self.options["tags"], *self.options["spans"]}
        for number, found in enumerate(rows, start=1):
            if isinstance(found, Refused):
                yield found
                continue
            place, row = found
            try:
                id = self.options["id"]
                name = word(_cell(row, id), "id") if id else f"{stem}#{number}"
                made, places = self._started(name, place, row)
            except ValueError as fault:
                yield Refused(place, "document", str(fault))
                continue
            self._add_metadata(made, row, own)
            for column in self.options["tags"]:
                self._try(made, column, lambda m, c: self._add_tags(m, c, row, places))  # noqa: B023
            for column in self.options["spans"]:
                self._try(made, column, lambda m, c: self._add_spans(m, c, row))  # noqa: B023
            yield made

    def by_annotation(self, rows: Iterable[Found]) -> Iterator[Document | Refused]:
        """A document of each run of rows with the same id."""
        made: Document | None = None
        for found in rows:
            if isinstance(found, Refused):
                yield found
                continue
            place, row = found
            try:
                name = word(_cell(row, self.options["id"]), "id")
                if made is None or name != made.name:
                    started = self._started(name, place, row)[0]
                    self._add_metadata(started, {k: row[k] for k in self.options["metadata"] if k in row}, set())
                    if made is not None:
                        yield made
                    made, number, offsets = started, 0, self.offsets(started.text)
                elif row.get(self.options["text"]) not in (made.text, None, ""):
                    raise ValueError("has another text than the first row of its document")
            except ValueError as fault:
                yield Refused(place, "row", str(fault))
                continue
            self._add_annotation(made, row, place, number, offsets)
            number += 1
        if made is not None:
            yield made

    def _started(self, name: str, place: Place, row: Row) -> tuple[Document, list[Stretch]]:
        """A document with its text, and where its tokens lie in it."""
        text, tokens = row.get(self.options["text"]), self._parsed(row, self.options["tokens"])
        if text is None and tokens is None:
            raise ValueError(f"has no text in column {self.options['text']}")
        if text is not None and not isinstance(text, str):
            raise ValueError(f"its text is {brief(plain(text))}, which is no string")
        if tokens is None:
            return Document(name, text or "", place=place), []
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
            raise ValueError(f"its tokens are {brief(plain(tokens))}, which is no list of words")
        whole = " ".join(tokens) if text is None else text
        return Document(name, whole, place=place), list(_placed(whole, tokens))

    def _add_metadata(self, made: Document, row: Row, own: set[str]) -> None:
        for column in (column for column in row if column not in own):
            try:
                made.metadata[column] = self._named(column, plain(self._parsed(row, column)))
            except ValueError as fault:
                made.refused.append(Refused(made.place, column, str(fault)))

    def _try(self, made: Document, column: str, add: Callable[[Document, str], None]) -> None:
        try:
            add(made, column)
        except ValueError as fault:
            made.refused.append(Refused(made.place, column, str(fault)))

    def _add_tags(self, made: Document, column: str, row: Row, places: list[Stretch]) -> None:
        """Add an annotation for each run of tags of one kind."""
        tags = self._parsed(row, column)
        if tags is None:
            raise ValueError(f"has no tags in column {column}")
        if not isinstance(tags, list) or len(tags) != len(places):
            count = len(tags) if isinstance(tags, list) else 1
            raise ValueError(f"has {count} tags in column {column}, but {len(places)} tokens")
        words = [word(self._named(column, tag), "tag") for tag in tags]
        if any(isinstance(tag, int) for tag in tags) and column not in self.names:
            raise ValueError(f'its tags are numbers without names: say names = {{{column} = ["O", …]}}')
        for number, (kind, first, last) in enumerate(chunks(words)):
            node = Node(f"{column}:{number}", kind, ((places[first][0], places[last][1]),))
            node.place = made.place.at(f"$.{column}[{first}]")
            made.nodes.append(node)

    def _add_spans(self, made: Document, column: str, row: Row) -> None:
        """Add the annotations that a cell lists: objects, or one object of lists."""
        items = self._parsed(row, column)
        if items is None:
            return
        if isinstance(items, dict) and items and all(isinstance(value, list) for value in items.values()):
            if len({len(value) for value in items.values()}) > 1:
                raise ValueError(f"its lists in column {column} are not of one length")
            items = [dict(zip(items, values, strict=True)) for values in zip(*items.values(), strict=True)]
        if not isinstance(items, list):
            raise ValueError(f"is {brief(plain(items))} in column {column}, which is no list")
        ids: set[tuple[str, str]] = set()
        offsets = self.offsets(made.text)
        for number, item in enumerate(items):
            place = made.place.at(f"$.{column}[{number}]")
            kind = column
            try:
                if not isinstance(item, dict):
                    raise ValueError(f"is {brief(plain(item))}, which is no object")
                item = {key: self._named(f"{column}.{key}", value) for key, value in item.items()}
                id = item.pop("id", None)
                node = self._node(item, f"{column}:{number}" if id is None else word(id, "id"), column, offsets)
                kind, node.place = node.type, place
                if (node.annotator, node.id) in ids:
                    raise ValueError("another annotation has the same id")
            except ValueError as fault:
                made.refused.append(Refused(place, kind, str(fault)))
                continue
            ids.add((node.annotator, node.id))
            made.nodes.append(node)

    def _add_annotation(self, made: Document, row: Row, place: Place, number: int, offsets: Offsets) -> None:
        """Add the annotation of one row; a row without start and end says only that there is a document."""
        own = {self.options["text"], self.options["id"], *self.options["metadata"]}
        item: Row = {}
        try:
            item = {k: self._named(k, self._parsed(row, k)) for k in row if k not in own}
            if all(item.get(self.options[end]) in (None, "") for end in ("start", "end")):
                return
            node = self._node(item, f"annotation:{number}", "annotation", offsets)
        except ValueError as fault:
            kind = item.get(self.options["label"])
            made.refused.append(Refused(place, kind if isinstance(kind, str) else "annotation", str(fault)))
            return
        node.place = place
        made.nodes.append(node)

    def _node(self, item: Row, id: str, kind: str, offsets: Offsets) -> Node:
        start, end, label, words, annotator = (self.options[key] for key in ("start", "end", "label", "words", "annotator"))
        where = stretch(offsets, _whole(item.get(start)), _whole(item.get(end)))
        node = Node(id, kind if item.get(label) is None else word(item[label], "label"), (where,))
        node.features = {k: plain(v) for k, v in item.items() if k not in (start, end, label, words, annotator)}
        if words and item.get(words) is not None:
            node.words[""] = word(item[words], "words")
        if annotator and item.get(annotator) is not None:
            node.annotator = word(item[annotator], "annotator")
        return node

    def _parsed(self, row: Row, column: str) -> Any:
        value = row.get(column) if column else None
        if column not in self.options["json"] or not isinstance(value, str) or not value.strip():
            return value
        try:
            return parsed(value)
        except ValueError as fault:
            raise ValueError(f"column {column} {fault}") from None

    def _named(self, column: str, value: Any) -> Any:
        """A value, or the name that its column has for a number; -1 is no name in Hugging Face's datasets."""
        names = self.names.get(column)
        if names is None or type(value) is not int:
            return value
        if value == -1:
            return None
        if not 0 <= value < len(names):
            raise ValueError(f"{value} is no number of the {len(names)} names of column {column}")
        return names[value]


def chunks(tags: list[str]) -> Iterator[tuple[str, int, int]]:
    """Kind, first and last token of what tags mark, in whichever of BIO, IOB1, BILOU and IOBES they are.

    A run ends where a tag begins another (B, U, S), closes it (L, E) or is of another kind; I after O begins one, as in IOB1. A
    tag without a letter before it, such as a part of speech, marks its token alone.
    """
    kind, first = "", -1
    for number, tag in enumerate([*tags, "O"]):
        match = _TAG.fullmatch(tag)
        letter, name = match.groups() if match else ("", tag)
        if first >= 0 and (not match or name != kind or letter in "BUS"):
            yield kind, first, number - 1
            first = -1
        if not match:
            if tag not in ("O", "") and number < len(tags):
                yield tag, number, number
            continue
        if first < 0:
            kind, first = name, number
        if letter in "LEUS":
            yield kind, first, number
            first = -1


def plain(value: Any) -> Any:
    """A value of a table as JSON has it; dates as words, NaN as null; raises ValueError for what JSON cannot say."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if math.isinf(value):
            raise ValueError("is an infinite number")
        return None if math.isnan(value) else value
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal | timedelta):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    raise ValueError(f"holds {type(value).__name__}, which is neither words nor numbers")


def class_names(features: Any, path: str = "") -> dict[str, list[str]]:
    """The names of class labels by column, in the description of features that Hugging Face's datasets keep with their files."""
    if isinstance(features, list) and len(features) == 1:
        return class_names(features[0], path)
    if not isinstance(features, dict):
        return {}
    if features.get("_type") == "ClassLabel":
        names = features.get("names")
        return {path: names} if isinstance(names, list) and all(isinstance(name, str) for name in names) else {}
    if "feature" in features and isinstance(features.get("_type"), str):
        return class_names(features["feature"], path)
    inner = ((f"{path}.{key}" if path else str(key), one) for key, one in features.items())
    return {name: names for at, one in inner for name, names in class_names(one, at).items()}


def _cell(row: Row, column: str) -> Any:
    value = row.get(column)
    if value in (None, ""):
        raise ValueError(f"has no id in column {column}")
    return value


def _whole(value: Any) -> Any:
    """A number that a table had to keep as words, or as 12.0, because its column has gaps, as the whole number that it is."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else plain(value)


def _placed(text: str, tokens: list[str]) -> Iterator[Stretch]:
    """Where each token lies in a text of which nothing but white space is between tokens."""
    at = 0
    for number, token in enumerate(tokens):
        while not text.startswith(token, at) and at < len(text) and text[at].isspace():
            at += 1
        if not text.startswith(token, at):
            raise ValueError(f"its token {number}, {brief(token)}, is not where the text has {brief(text[at : at + 12])}")
        yield at, at + len(token)
        at += len(token)
