"""What reading and writing WebAnno TSV 3 have in common: escapes, names of types, cells that hold several values."""

from __future__ import annotations

import re

ANNOTATION = "uima.tcas.Annotation"
DEPENDENCY = "de.tudarmstadt.ukp.dkpro.core.api.syntax.type.dependency.Dependency"
SENTENCE = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Sentence"
TOKEN = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Token"
GOVERNOR, DEPENDENT = "Governor", "Dependent"
REFERENCE_TYPE, REFERENCE_RELATION = "referenceType", "referenceRelation"
NO_ANNOTATION, NO_VALUE = "_", "*"

_IN_VALUES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", **{c: f"\\{c}" for c in ("[", "]", "|", "_", "->", ";", "*")}}
_FROM_VALUES = {written: meant for meant, written in _IN_VALUES.items()}
_IN_TEXT = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\b": "\\b"}
_IN_TEXT |= {chr(c): f"\\{chr(c)}" for c in (*range(8), *range(14, 32))}
_FROM_TEXT = {written: meant for meant, written in _IN_TEXT.items()}
_FROM_JAVA = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def _any_of(words: dict[str, str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))


_VALUES_OUT, _VALUES_BACK = _any_of(_IN_VALUES), _any_of(_FROM_VALUES)
_TEXT_OUT, _TEXT_BACK = _any_of(_IN_TEXT), _any_of(_FROM_TEXT)
_JAVA = re.compile(r"\\(?:u+([0-9a-fA-F]{4})|([0-3]?[0-7]{1,2})|(.))", re.DOTALL)


def escape_value(value: str) -> str:
    """A feature value as a cell has it."""
    return _VALUES_OUT.sub(lambda match: _IN_VALUES[match[0]], value)


def unescape_value(written: str) -> str:
    """The feature value of a cell; a backslash before anything else stays."""
    return _VALUES_BACK.sub(lambda match: _FROM_VALUES[match[0]], written)


def escape_text(text: str) -> str:
    """Text as a `#Text=` line has it."""
    return _TEXT_OUT.sub(lambda match: _IN_TEXT[match[0]], text)


def unescape_text(written: str, minor_version: int = 3) -> str:
    """The text of a `#Text=` line; up to TSV 3.1 it is escaped as in Java. Raises ValueError for half a surrogate pair."""
    if minor_version > 1:
        return _TEXT_BACK.sub(lambda match: _FROM_TEXT[match[0]], written)
    text = _JAVA.sub(_java_character, written)
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


def _java_character(match: re.Match[str]) -> str:
    by_number, octal, letter = match.groups()
    if by_number:
        return chr(int(by_number, 16))
    return chr(int(octal, 8)) if octal else _FROM_JAVA.get(letter, letter)


def split(cell: str, separator: str) -> list[str]:
    """The parts of a cell between separators that are not escaped."""
    parts, start = [], 0
    for match in re.finditer(rf"\\.|{re.escape(separator)}", cell):
        if match[0] == separator:
            parts.append(cell[start : match.start()])
            start = match.end()
    return [*parts, cell[start:]]
