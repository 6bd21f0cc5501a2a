"""CAT XML: the Content Annotation Tool's format (token anchors, markables, relations), as in MEANTIME.

Source of the format: the CAT tool's export and the NewsReader guidelines NWR-2014-2-2; MEANTIME's MEANTIME_NWR.xsd. The format
keeps tokens and no text, so a text is made of them: a blank between two tokens of a sentence, a line end between sentences.
Tokens, `sentence` numbers and markables are kept exactly; the white space is not the newspaper's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dateline.document import Document, Node, Refused, Stretch
from dateline.errors import InputError
from dateline.incoming import Incoming

if TYPE_CHECKING:
    from lxml.etree import _Element

NAME = "cat"
TITLE = "CAT XML (Content Annotation Tool)"
SUFFIXES = (".xml",)
OPTIONS = {"references": ["anchorTimeID", "beginPoint", "endPoint", "signalID", "c-signalID"]}
"""`references`: attributes that hold the m_id of a markable, so that they are roles and no features."""

_ANCHOR = "token_anchor"
_ENDS = ("source", "target")


def looks_like(incoming: Incoming) -> float:
    """Whether the first XML file is a CAT document."""
    for name in incoming.named(*SUFFIXES)[:1]:
        with incoming.open(name) as file:
            head = file.read(4096)
        return 0.9 if b"<Document" in head and b"<token " in head else 0.0
    return 0.0


def read(incoming: Incoming) -> Iterator[Document | Refused]:
    """Yield one document per XML file."""
    for name in incoming.named(*SUFFIXES):
        try:
            root = incoming.xml(name)
        except InputError as fault:
            yield Refused(incoming.place(name), "document", str(fault).removeprefix(f"{incoming.place(name)}: "))
            continue
        if root.tag != "Document" or root.find("token") is None:
            reason = f"is no CAT document: its root is <{root.tag!s}>, or it has no tokens"
            yield Refused(incoming.place(name), "document", reason)
            continue
        yield _Reader(root, name, incoming).document()


class _Reader:
    """One file on its way to a document."""

    def __init__(self, root: _Element, name: str, incoming: Incoming) -> None:
        self.root = root
        self.name = name
        self.incoming = incoming
        self.references = frozenset(incoming.options["references"])
        self.found = Document(name.rpartition(".")[0], "", metadata=dict(root.attrib), place=incoming.place(name))
        self.tokens: dict[str, tuple[int, Stretch]] = {}

    def document(self) -> Document:
        self._lay_out()
        for part in self.root:
            if part.tag in ("Markables", "Relations"):
                for element in part:
                    self._take(element)
            elif part.tag != "token":
                self._refuse(part, "is neither a token, nor Markables, nor Relations")
        return self.found

    def _lay_out(self) -> None:
        """Make the text of the tokens, and know where each of them is."""
        pieces: list[str] = []
        at, sentence, began = 0, None, 0
        for number, token in enumerate(self.root.iterfind("token")):
            word, key = token.text or "", token.get("t_id", "")
            if not word.strip() or key in self.tokens:
                self._refuse(token, "has no words" if not word.strip() else f"t_id {key} stands twice")
                continue
            if token.get("sentence") != sentence:
                if pieces:
                    self.found.segments.append((began, at))
                    pieces.append("\n")
                    at += 1
                sentence, began = token.get("sentence"), at
            elif pieces:
                pieces.append(" ")
                at += 1
            self.tokens[key] = (number, (at, at + len(word)))
            pieces.append(word)
            at += len(word)
        if pieces:
            self.found.segments.append((began, at))
        self.found.text = "".join(pieces)

    def _take(self, element: _Element) -> None:
        attributes = dict(element.attrib)
        key = attributes.pop("m_id", None) or attributes.pop("r_id", None)
        if not key:
            self._refuse(element, "has neither m_id nor r_id")
            return
        anchors = [child.get("t_id", "") for child in element if child.tag == _ANCHOR]
        if unknown := [a for a in anchors if a not in self.tokens]:
            self._refuse(element, f"is anchored at token {unknown[0]}, which is not there", key)
            return
        node = Node(key, str(element.tag), _spans([self.tokens[a] for a in anchors]), place=self._place(element))
        for child in element:
            if child.tag in _ENDS:
                node.roles.setdefault(child.tag, []).append(child.get("m_id", ""))
            elif child.tag != _ANCHOR:
                self._refuse(child, f"is no part of a {element.tag!s} that is known here")
        for name, value in attributes.items():
            if name in self.references:
                if value:
                    node.roles.setdefault(name, []).append(value)
            else:
                node.features[name] = value or None
        self.found.nodes.append(node)

    def _place(self, element: _Element) -> Any:
        return self.incoming.place(self.name, element.sourceline or 0)

    def _refuse(self, element: _Element, reason: str, key: str = "") -> None:
        self.found.refused.append(Refused(self._place(element), str(element.tag), reason, key))


def _spans(tokens: list[tuple[int, Stretch]]) -> tuple[Stretch, ...]:
    """The stretches that tokens make, one for each run of neighbours."""
    made: list[Stretch] = []
    last = -2
    for number, (start, end) in sorted(set(tokens)):
        if number == last + 1 and made:
            made[-1] = (made[-1][0], end)
        else:
            made.append((start, end))
        last = number
    return tuple(made)
