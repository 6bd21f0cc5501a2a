"""spaCy's DocBin: a file NAME.spacy for each split, with a Doc for each text (spaCy's API pages on DocBin, SpanGroup and Doc).

The words of a Doc are those of spaCy's tokenizer for the language, cut once more wherever a span begins or ends, so that each
span is exactly what it is in the text. All spans are in `doc.spans["sc"]`, sentences in `doc.spans["segments"]`; those of "sc"
that do not overlap, the longest first, are `doc.ents`. `doc.user_data["dateline"]` has the name, the metadata, and for each
span of "sc", in their order, the id, annotator and features (spaCy reads lists as tuples there).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from dateline.document import Document, Node, Stretch
from dateline.errors import BuildError, UsageError
from dateline.naming import FileNames

NAME = "spacy"
TITLE = "spaCy DocBin (.spacy)"

KEY = "dateline"
"""The key of what is in a Doc's user_data."""
_ATTRIBUTES = ("ORTH", "SPACY", "ENT_IOB", "ENT_TYPE", "ENT_ID")
_SURROGATE = re.compile("[\ud800-\udfff]")


def cannot_hold(document: Document) -> Counter[str]:
    """What of a document a DocBin has no place for."""
    lost: Counter[str] = Counter()
    for node in document.nodes:
        if fault := _no_span(node):
            lost[fault] += 1
            continue
        lost["roles of annotations"] += len(node.roles)
        lost["further anchors of an annotation"] += len(node.parts)
        lost["values that are not plain (written as words)"] += sum(_plain(v) != v for v in node.features.values())
        lost["characters that are no characters of Unicode"] += len(_SURROGATE.findall(node.id + node.type + node.annotator))
    lost["values that are not plain (written as words)"] += sum(_plain(v) != v for v in document.metadata.values())
    lost["sentences or paragraphs without text"] += sum(start >= end for start, end in document.segments)
    lost["characters that are no characters of Unicode"] += len(_SURROGATE.findall(document.text + document.name))
    return +lost


def write(documents: Iterable[Document], folder: Path) -> list[str]:
    """Write one file for each split that documents name in their metadata, `documents.spacy` for those that name none."""
    try:
        from spacy.tokens import DocBin
    except ImportError:
        raise UsageError("exporting to spaCy needs spaCy: pip install 'dateline[spacy]'") from None
    names = FileNames()
    bins: dict[str, tuple[str, Any]] = {}
    for document in documents:
        split = document.metadata.get("split")
        key = split if isinstance(split, str) and split else "documents"
        if key not in bins:
            bins[key] = (f"{names.part(key)}.spacy", DocBin(attrs=_ATTRIBUTES, store_user_data=True))
        bins[key][1].add(_doc(document))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, docs in bins.values():
            (folder / name).write_bytes(docs.to_bytes())
    except OSError as fault:
        raise BuildError(f"{fault.filename or folder}: cannot be written: {fault.strerror}") from None
    return [name for name, _ in bins.values()]


def _no_span(node: Node) -> str:
    """Why a node is no span of spaCy's; empty if it is one."""
    if any(start >= end for start, end in node.spans):
        return "annotations of empty spans"
    if not node.spans:
        return "annotations without spans (entities, relations, events)"
    return "annotations of several fragments" if len(node.spans) > 1 else ""


def _doc(document: Document) -> Any:
    """The Doc of a document."""
    from spacy.tokens import Doc, Span, SpanGroup
    from spacy.util import filter_spans

    text = _clean(document.text)
    nodes = [node for node in document.nodes if not _no_span(node)]
    segments = [segment for segment in document.segments if segment[0] < segment[1]]
    nlp = _language(document.metadata.get("language"))
    cut = [node.spans[0] for node in nodes] + segments
    words, spaces, begins, ends = _words(text, [(t.idx, t.idx + len(t)) for t in nlp.tokenizer(text)], cut)
    doc = Doc(nlp.vocab, words=words, spaces=spaces)
    doc.user_data[KEY] = {
        "name": _clean(document.name),
        "metadata": _plain(document.metadata),
        "spans": [
            {"id": _clean(node.id), "annotator": _clean(node.annotator), "features": _plain(node.features)} for node in nodes
        ],
    }
    marked = []
    for node in nodes:
        ((start, end),) = node.spans
        marked.append(Span(doc, begins[start], ends[end], label=_clean(node.type), span_id=_clean(node.id)))
    doc.spans["sc"] = SpanGroup(doc, name="sc", spans=marked)
    sentences = [Span(doc, begins[start], ends[end], label="segment") for start, end in segments]
    doc.spans["segments"] = SpanGroup(doc, name="segments", spans=sentences)
    doc.ents = filter_spans(span for span in marked if span.label_)
    return doc


def _words(
    text: str, tokens: list[Stretch], spans: list[Stretch]
) -> tuple[list[str], list[bool], dict[int, int], dict[int, int]]:
    """Words of a text, whether a blank follows each, and which word begins, and which comes after, each place of the text.

    A blank is a mark of the word before it, and no word, unless that word has one already, or a span begins or ends with it.
    """
    first, last = {start for start, _ in spans}, {end for _, end in spans}
    cuts = sorted({0, len(text), *first, *last, *(place for token in tokens for place in token)})
    words: list[str] = []
    spaces: list[bool] = []
    begins: dict[int, int] = {}
    ends: dict[int, int] = {}
    for start, end in pairwise(cuts):
        piece = text[start:end]
        if piece == " " and spaces and not spaces[-1] and start not in first and end not in last:
            spaces[-1] = True
            continue
        begins[start] = len(words)
        words.append(piece)
        spaces.append(False)
        ends[end] = len(words)
    return words, spaces, begins, ends


@cache
def _nlp(code: str) -> Any:
    import spacy

    try:
        return spacy.blank(code)
    except ImportError:  # a language that spaCy does not know, or whose tokenizer is a package of its own
        return spacy.blank("xx")


def _language(tag: Any) -> Any:
    """spaCy's blank pipeline for a BCP 47 tag; the one for any language where there is none."""
    match = re.match(r"[a-z]{2,3}(?![a-z])", tag) if isinstance(tag, str) else None
    return _nlp(match[0] if match else "xx")


def _clean(words: str) -> str:
    return _SURROGATE.sub("?", words)


def _plain(value: Any) -> Any:
    """A value that MessagePack can hold: words for what is no null, boolean, number of 64 bits, string, list or table."""
    if isinstance(value, str):
        return _clean(value)
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and -(2**63) <= value < 2**63):
        return value
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, dict):
        return {_clean(str(key)): _plain(inner) for key, inner in value.items()}
    return _clean(str(value))
