"""The authoring format: one TOML file per article, spans named by their words (docs/authoring.md)."""

from __future__ import annotations

import datetime
import hashlib
import itertools
import math
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dateline.errors import InputError, Place, Problem
from dateline.importers import Imported
from dateline.rules import problem
from dateline.schema import Field, Json, Layer, Schemas

NAME = "authoring"
TITLE = "Dateline's authoring format (TOML)"
SUFFIXES = (".toml",)

MAX_BYTES = 8 * 1024 * 1024
"""A longer file is refused unread: one article with its annotation takes some 20 kB."""
_DIGEST = re.compile(r"\{sha256(?::\.([1-9]|[1-5][0-9]|6[0-4]))?\}")
_SCOPE = re.compile(r"^([ps])([0-9]{1,9}):\s*")
_INSIDE = re.compile(r"[ps][0-9]{1,9}")
_NTH = re.compile(r"@([0-9]{1,9})$")
_DEEPEST = 50  # an article's tables are some five deep; JSON libraries stop at a few hundred
_ELLIPSIS = "…"


@dataclass(frozen=True)
class _Stretch:
    start: int
    end: int

    def as_json(self) -> Json:
        return {"start": self.start, "end": self.end}


class _NotFound(Exception):
    def __init__(self, words: str, fault: str, advice: str) -> None:
        super().__init__(fault)
        self.words, self.fault, self.advice = words, fault, advice


class _NotPlain(Exception):
    def __init__(self, pointer: str, fault: str) -> None:
        super().__init__(fault)
        self.pointer = pointer


def read_records(path: Path, schemas: Schemas, *, name: str) -> Iterator[Imported]:
    """Yield the one article of a TOML file; raises InputError if the file cannot be opened."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as fault:
        raise InputError(f"{name}: cannot be read: {fault.strerror}") from None
    if len(raw) > MAX_BYTES:
        yield Imported(name, None, [problem("record-size", Place(name), limit=MAX_BYTES // 2**20)])
        return
    try:
        source = raw.decode("utf-8")
        document = _plain(tomllib.loads(source), "$")
    except ValueError as fault:  # also of an integer with more digits than Python converts
        # what is quoted may be of the text, and its rights are not known yet; single characters tell nothing
        says = re.sub(r"""(['"])(?!.\1|\\.\1).*['"]""", "…", str(fault).removeprefix("'utf-8' codec "))
        yield Imported(name, None, [problem("import-syntax", Place(name), fault=f"is not valid TOML: {says}")])
        return
    except RecursionError:
        yield Imported(name, None, [problem("import-syntax", Place(name), fault="brackets are nested too deeply")])
        return
    except _NotPlain as fault:
        place = Place(name, 0, fault.pointer)
        yield Imported(name, None, [problem("import-syntax", place, fault=str(fault))])
        return
    yield read_document(document, schemas, name=name, source=source)


def read_document(document: Json, schemas: Schemas, *, name: str, source: str = "") -> Imported:
    """The record of a document given as a TOML file would have it; `source` is the text of the file, for lines of problems."""
    return _Article(document, source, schemas, name).imported()


class _Article:
    """One document on its way to a record; problems are collected as it goes."""

    def __init__(self, document: Json, source: str, schemas: Schemas, name: str) -> None:
        self.document = document
        self.source = source
        self.schemas = schemas
        self.name = name
        self.problems: list[Problem] = []
        head = document.get("article")
        rights = head.get("rights") if isinstance(head, dict) else None
        self.quote = isinstance(rights, dict) and rights.get("text_redistributable") is True
        self.text = ""
        self.paragraphs: list[_Stretch] = []
        self.sentences: list[_Stretch] = []

    def imported(self) -> Imported:
        head = self.document.get("article")
        text = self.document.get("text")
        if not isinstance(head, dict) or not isinstance(text, dict) or len(text.keys() & {"sentences", "content"}) != 1:
            return self._refuse("expected [article], and [text] with either sentences or content")
        unknown = self.document.keys() - {"article", "text", "defaults", *self.schemas.layers}
        if unknown:
            known = ", ".join(["article", "text", "defaults", *self.schemas.layers])
            return self._refuse(f"unknown table {self._names(unknown)}; known here: {known}")
        if extra := text.keys() - {"sentences", "content"}:
            return self._refuse(f"unknown key {self._names(extra)}; known here: sentences, content", "$.text")
        if not all(isinstance(v, str) for v in text.values()):
            return self._refuse("the text must be a string", "$.text")
        for name in ("text", *self.schemas.layers):
            if name in head:
                self._problem(f"$.article.{name}", f"{name} stands beside [article], not in it")
        self._look_at_defaults()
        self._lay_out(text)
        if not self.text:
            return self._refuse("the text is empty", "$.text")
        encoded = self.text.encode()
        digest = hashlib.sha256(encoded).hexdigest()
        record: Json = dict(head)
        if isinstance(head.get("article_id"), str):
            record["article_id"] = _DIGEST.sub(lambda found: digest[: int(found[1] or 64)], head["article_id"])
            if re.search("[{}]", record["article_id"]):
                says = "only {sha256} and {sha256:.N}, N from 1 to 64, can be filled in"
                return self._refuse(says, "$.article.article_id")
        record["text"] = {
            "content": self.text, "sha256": digest, "n_code_points": len(self.text), "n_bytes": len(encoded),
        }  # fmt: skip
        items = {layer.name: self._items(layer) for layer in self.schemas.layers.values()}
        keys = (item.get(layer.key.name) for layer in self.schemas.layers.values() for item in items[layer.name])
        taken = {key for key in keys if isinstance(key, str)}
        for layer in self.schemas.layers.values():
            record[layer.name] = _with_keys(layer, items[layer.name], taken)
        return Imported(self.name, None if self.problems else record, self.problems)

    # ---- text

    def _lay_out(self, text: dict[str, str]) -> None:
        if "content" in text:
            self.text = text["content"]
            for match in re.finditer(r"\S(?:.*?\S)?(?=\s*(?:\n\s*\n|\Z))", self.text, re.DOTALL):
                self.paragraphs.append(_Stretch(match.start(), match.end()))
            return
        built = ""
        for block in re.split(r"\n[ \t]*\n", text["sentences"].strip()):
            built += "\n\n" if built else ""
            start = len(built)
            for number, line in enumerate(line.strip() for line in block.splitlines() if line.strip()):
                built += " " if number else ""
                self.sentences.append(_Stretch(len(built), len(built) + len(line)))
                built += line
            self.paragraphs.append(_Stretch(start, len(built)))
        self.text = built

    def _segments(self, layer: Layer) -> list[Json]:
        """Paragraph and sentence segments, where the layer has the fields for them."""
        if not self.sentences or {"kind", "parent_id", "spans"} - {f.name for f in layer.fields}:
            return []
        bodies = [
            {layer.key.name: f"p{n}", "kind": "body", "parent_id": None, "spans": [p.as_json()]}
            for n, p in enumerate(self.paragraphs, 1)
        ]
        sentences = []
        for number, sentence in enumerate(self.sentences, 1):
            parent = next(n for n, p in enumerate(self.paragraphs, 1) if p.start <= sentence.start and sentence.end <= p.end)
            sentences.append(
                {layer.key.name: f"s{number}", "kind": "sentence", "parent_id": f"p{parent}", "spans": [sentence.as_json()]}
            )
        return bodies + sentences

    # ---- items

    def _look_at_defaults(self) -> None:
        written = self.document.get("defaults", {})
        self.defaults: dict[str, Json] = {}
        if not isinstance(written, dict):
            self._problem("$.defaults", "defaults must be a table, with one table for each layer")
            return
        if unknown := written.keys() - self.schemas.layers.keys():
            self._problem("$.defaults", f"unknown layer {self._names(unknown)}; known here: {', '.join(self.schemas.layers)}")
        for name in self.schemas.layers.keys() & written.keys():
            if isinstance(written[name], dict):
                self.defaults[name] = written[name]
            else:
                self._problem(f"$.defaults.{name}", "defaults of a layer must be a table")

    def _items(self, layer: Layer) -> list[Json]:
        written = self.document.get(layer.name, [])
        defaults = self.defaults.get(layer.name, {})
        if not isinstance(written, list) or not all(isinstance(item, dict) for item in written):
            self._problem(f"$.{layer.name}", f"{layer.name} must be an array of tables")
            return []
        items = [self._item(layer, {**defaults, **item}, f"$.{layer.name}[{i}]") for i, item in enumerate(written)]
        if layer.name == "segments":
            items = _merge_segments(self._segments(layer), items, layer.key.name)
        return items

    def _item(self, layer: Layer, written: Json, pointer: str) -> Json:
        item = dict(written)
        own: list[_Stretch] = []
        if not isinstance(item.get(layer.key.name, ""), str):
            self._problem(f"{pointer}.{layer.key.name}", "an id must be a string")
        for field in sorted((f for f in layer.fields if f.span and len(f.path) == 1), key=lambda f: f.name != "spans"):
            if field.name not in written:
                if field.span == "many":
                    item[field.name] = []
                continue
            try:
                item[field.name] = self._named(field, written[field.name], own)
            except _NotFound as fault:
                place = Place(self.name, self._line(fault.words), f"{pointer}.{field.name}")
                said = fault.words if self.quote else f"({len(fault.words)} characters, not shown)"
                self.problems.append(problem("words-not-found", place, words=said, fault=fault.fault, advice=fault.advice))
                item[field.name] = []
                continue
            if field.name == "spans":
                own = list(_stretches(item["spans"]))
        for field in layer.fields:
            if field.path[0] in item or field.derive or field.span or field is layer.key:
                continue
            if "default" in field.schema:
                item[field.name] = field.schema["default"]
            elif field.schema.get("type") == "array":
                item[field.name] = []
        return item

    # ---- spans

    def _named(self, field: Field, value: Any, own: list[_Stretch]) -> Any:
        if field.span == "one":
            return self._find(value, own).as_json() if value not in ("", None) else None
        if field.span == "nested":
            if not isinstance(value, list):
                raise _NotFound(str(value), "is no list", "Write a list, and in it the names of each span.")
            return [self._list(one, own) for one in value]
        return self._list(value, own)

    def _list(self, value: Any, own: list[_Stretch]) -> list[Json]:
        names = value if isinstance(value, list) else [value]
        return [self._find(name, own).as_json() for name in names]

    def _find(self, value: Any, own: list[_Stretch]) -> _Stretch:
        if isinstance(value, dict):
            words, nth, inside = value.get("words"), value.get("nth"), value.get("inside")
            if not isinstance(words, str) or not words or value.keys() - {"words", "nth", "inside", "part"}:
                raise _NotFound(str(words), "is no span name", "Write {words, nth, inside, part}.")
            if inside is not None and not (isinstance(inside, str) and _INSIDE.fullmatch(inside)):
                raise _NotFound(words, "has an inside that is no paragraph or sentence", 'Write inside = "p3" or inside = "s7".')
            if nth is not None and (isinstance(nth, bool) or not isinstance(nth, int)):
                raise _NotFound(words, "has an nth that is no whole number", "Write nth = 2.")
            if not isinstance(value.get("part", False), bool):
                raise _NotFound(words, "has a part that is neither true nor false", "Write part = true.")
            scope = self._scope(inside, words) if inside else None
            return self._pick(words, _occurrences(self.text, words, self._rooms(scope, []), value.get("part", False)), nth, scope)
        if not isinstance(value, str) or not value or _NTH.fullmatch(value):
            raise _NotFound(str(value), "is no span name", "A span is named by its words in quotes.")
        rest = value
        scope = None
        if match := _SCOPE.match(rest):
            scope = self._scope(match[1] + match[2], value)
            rest = rest[match.end() :]
            if not rest:
                return scope
        nth = None
        if match := _NTH.search(rest):
            nth, rest = int(match[1]), rest[: match.start()]
        for rooms in (self._rooms(scope, own), self._rooms(scope, [])):
            found = _matches(self.text, rest, rooms)
            if found:
                break
        return self._pick(value, found, nth, scope)

    def _rooms(self, scope: _Stretch | None, own: list[_Stretch]) -> list[_Stretch]:
        if own and scope is None:
            return own
        return [scope] if scope else [_Stretch(0, len(self.text))]

    def _scope(self, name: str, words: str) -> _Stretch:
        stretches = self.paragraphs if name[0] == "p" else self.sentences
        number = int(name[1:])
        if not 1 <= number <= len(stretches):
            kind = "paragraphs" if name[0] == "p" else "sentences"
            raise _NotFound(words, f"names {name}, but the text has {len(stretches)} {kind}", "Count from 1.")
        return stretches[number - 1]

    def _pick(self, name: str, found: list[_Stretch], nth: int | None, scope: _Stretch | None) -> _Stretch:
        if not found:
            where = "there" if scope else "in the text"
            raise _NotFound(
                name, f"does not stand {where}", "Words must be written exactly as in the text; they match whole words only."
            )
        if nth is None and len(found) > 1:
            places = "; ".join(f"@{n} in {self._where(s)}" for n, s in enumerate(found, 1))
            raise _NotFound(name, f"stands {len(found)} times", f"Say which: {places}.")
        if nth is not None and not 1 <= nth <= len(found):
            raise _NotFound(name, f"asks for occurrence {nth}, but there are {len(found)}", "Count from 1.")
        return found[(nth or 1) - 1]

    def _where(self, stretch: _Stretch) -> str:
        number = next((n for n, p in enumerate(self.paragraphs, 1) if p.start <= stretch.start < p.end), 0)
        return f"p{number}"

    # ---- problems

    def _line(self, words: str) -> int:
        """The line of the file on which a span name stands; 0 where it stands on several or none."""
        written = words.replace("\\", "\\\\").replace('"', '\\"')
        lines = [n for n, line in enumerate(self.source.splitlines(), 1) if f'"{written}"' in line or f"'{words}'" in line]
        return lines[0] if len(lines) == 1 else 0

    def _problem(self, pointer: str, fault: str) -> None:
        self.problems.append(problem("import-syntax", Place(self.name, 0, pointer), fault=fault))

    def _names(self, keys: Set[str]) -> str:
        return ", ".join(sorted(keys)) if self.quote else f"({len(keys)} of them)"

    def _refuse(self, fault: str, pointer: str = "$") -> Imported:
        self._problem(pointer, fault)
        return Imported(self.name, None, self.problems)


def _plain(value: Any, pointer: str, depth: int = 0) -> Any:
    """TOML's values as JSON has them: dates and times as ISO 8601; raises _NotPlain for what JSON has not."""
    if depth > _DEEPEST:
        raise _NotPlain("$", "tables are nested too deeply")
    if isinstance(value, dict):
        return {key: _plain(inner, f"{pointer}.{key}", depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, f"{pointer}[{number}]", depth + 1) for number, inner in enumerate(value)]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise _NotPlain(pointer, f"{value} is no number that JSON has; leave the field out")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise _NotPlain(pointer, "is a whole number beyond 64 bits")
    return value


def _stretches(spans: Any) -> Iterator[_Stretch]:
    """The stretches of a span field, however nested."""
    if isinstance(spans, dict):
        yield _Stretch(spans["start"], spans["end"])
    elif isinstance(spans, list):
        for one in spans:
            yield from _stretches(one)


def _with_keys(layer: Layer, items: list[Json], taken: set[Any]) -> list[Json]:
    """The items with their fields in the order of the schema, and the next free id where none was written."""
    free = (f"{layer.prefix}{n}" for n in itertools.count(1) if f"{layer.prefix}{n}" not in taken)
    order = {f.path[0]: number for number, f in enumerate(layer.fields)}
    keyed = [item if item.get(layer.key.name) is not None else {**item, layer.key.name: next(free)} for item in items]
    return [dict(sorted(item.items(), key=lambda pair: order.get(pair[0], len(order)))) for item in keyed]


def _merge_segments(made: list[Json], written: list[Json], key: str) -> list[Json]:
    """Written segments take the place (and, if they have none, the id) of a made one with the same span."""
    rest = list(written)
    merged = []
    for segment in made:
        same = next((w for w in rest if w.get("spans") == segment["spans"] and w.get("kind") != "sentence"), None)
        if same is not None and segment["kind"] == "body":
            rest.remove(same)
            segment = {**segment, **same, key: same.get(key) or segment[key]}
        merged.append(segment)
    return merged + rest


def _matches(text: str, name: str, rooms: list[_Stretch]) -> list[_Stretch]:
    """All stretches that a short span name may mean, in text order."""
    if "[" not in name:
        return _occurrences(text, name, rooms)
    if name.count("[") != name.count("]") or not re.fullmatch(r"[^\[\]]*(\[[^\[\]]+\][^\[\]]*)+", name):
        return []
    pattern = ""
    for number, piece in enumerate(re.split(r"(\[[^\[\]]+\])", name)):
        if number % 2:
            pattern += "(" + re.escape(piece[1:-1]) + ")"
        else:
            pattern += r"(?:(?!\n\n).)*?".join(re.escape(part) for part in piece.split(_ELLIPSIS))
    found = []
    for room in rooms:
        for match in re.compile(pattern, re.DOTALL).finditer(text, room.start, room.end):
            stretch = _Stretch(match.start(1), match.end(match.lastindex or 1))
            if _whole_words(text, stretch) and _whole_words(text, _Stretch(match.start(), match.end())):
                found.append(stretch)
    return found


def _occurrences(text: str, words: str, rooms: list[_Stretch], part: bool = False) -> list[_Stretch]:
    found = []
    for room in rooms:
        at = text.find(words, room.start, room.end)
        while at >= 0:
            stretch = _Stretch(at, at + len(words))
            if part or _whole_words(text, stretch):
                found.append(stretch)
            at = text.find(words, at + 1, room.end)
    return found


def _whole_words(text: str, stretch: _Stretch) -> bool:
    """Whether a stretch neither begins nor ends inside a word."""
    return not _inside_word(text, stretch.start) and not _inside_word(text, stretch.end)


def _inside_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and _is_word(text[at - 1]) and _is_word(text[at])


def _is_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")
