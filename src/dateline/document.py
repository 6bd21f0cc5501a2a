"""What somebody's annotation tool holds, before it is mapped to a project's layers: documents of typed nodes.

Every annotation format says the same few things in its own way. A *node* is one annotation: it has a type, it may be anchored
in the text, it may carry features (plain values) and roles (references to other nodes). A brat relation is a node without spans
and with two roles, an event one with a role `trigger`; a feature structure of UIMA is a node, too. Importers turn
files into documents, a mapping turns documents into records, and exporters turn documents into files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dateline.errors import Place

NOWHERE = Place("")
SEGMENT = "@segment"
"""The type under which mappings and accounts name a document's segments."""
Stretch = tuple[int, int]
"""A half-open stretch [start, end) of a text, in Unicode code points."""


@dataclass(slots=True)
class Node:
    """One annotation as its tool has it.

    `id` is unique among the document's nodes of one annotator. `spans` are in code points, in the order of the text. `parts`
    are further anchors by name, for formats in which one annotation marks several places (a quotation's cue and its speaker).
    `features` are plain values, or lists of them, and null where the source holds an empty value that means "not said".
    `roles` name the ids of other nodes. `words` are the words of the spans as the source itself has them, by part ("" for
    `spans`), for comparing them with the text.
    """

    id: str
    type: str
    spans: tuple[Stretch, ...] = ()
    features: dict[str, Any] = field(default_factory=dict)
    roles: dict[str, list[str]] = field(default_factory=dict)
    parts: dict[str, tuple[Stretch, ...]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    annotator: str = ""
    place: Place = NOWHERE


@dataclass(slots=True)
class Refused:
    """Something of the source that cannot be read: where it stands, of which type it is ("document" for a whole one), why."""

    place: Place
    type: str
    reason: str
    id: str = ""


@dataclass(slots=True)
class Document:
    """One text with its annotation.

    `name` is unique in the source: the path without suffix, or the tool's own id. `metadata` is what the source says of the
    document as a whole. `segments` are the sentences (or paragraphs) that the format marks, in order, if any. `refused` is what
    could not be read of the document.
    """

    name: str
    text: str
    nodes: list[Node] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    segments: list[Stretch] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    place: Place = NOWHERE

    def all_nodes(self) -> list[Node]:
        """The nodes, and one of type SEGMENT for each segment: so a mapping can keep segments, and an account counts them."""
        segments = [Node(f"segment-{n}", SEGMENT, (span,), place=self.place) for n, span in enumerate(self.segments, 1)]
        return [*self.nodes, *segments]


def joined(text: str, spans: tuple[Stretch, ...]) -> str:
    """The words of several spans with a blank between them, as most tools write them."""
    return " ".join(text[start:end] for start, end in spans)
