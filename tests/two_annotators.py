"""Projects in which several annotators marked one text: what tests of annotation sets and of agreement build with."""

from __future__ import annotations

from typing import Any

from building import MENTIONS, Json, ProjectFolder, mention, record

OWNER: Json = {"type": ["string", "null"], "description": "Whose annotation it is.", "x-ref": "annotation_sets"}
SURENESS: Json = {
    "type": ["string", "null"], "enum": ["LOW", "MIDDLE", "HIGH", None], "description": "How sure.", "x-ordered": True,
}  # fmt: skip
ENTITY: Json = {"type": ["string", "null"], "description": "Who or what is named.", "x-ref": "entities"}
ENTITIES: Json = {
    "title": "Entities",
    "description": "Who or what is named.",
    "x-prefix": "e",
    "type": "object",
    "properties": {
        "entity_id": {"type": "string", "description": "Local id.", "x-key": True},
        "kind": {"type": "string", "enum": ["PER", "LOC"], "description": "Kind of entity."},
        "annotation_set_id": OWNER,
    },
    "required": ["entity_id", "kind"],
    "additionalProperties": False,
}
TEXT = "Ana met Bo in Rome. Bo told Ana of Cy, and Cy of Rome."
WORDS = {"Ana": (0, 3), "Bo": (8, 10), "Rome": (14, 18), "Bo2": (20, 22), "Ana2": (28, 31), "Cy": (35, 37), "Cy2": (43, 45)}


def annotated(folder: ProjectFolder) -> ProjectFolder:
    """The project with layers whose items name their set: mentions (label, sureness, score, entity) and entities."""
    own = {"annotation_set_id": OWNER, "sureness": SURENESS, "entity_id": ENTITY}
    folder.schema("mentions", MENTIONS | {"properties": MENTIONS["properties"] | own})
    folder.schema("entities", ENTITIES)
    return folder


def annotation_set(name: str, annotator: str, layer: str = "mentions", **fields: Any) -> Json:
    """One annotation set; a person's, and primary, unless fields say otherwise."""
    made = {"annotation_set_id": name, "layer": layer, "annotator_id": annotator, "annotator_type": "HUMAN", "status": "PRIMARY"}
    return made | {"tool": "brat", "guideline_version": "1"} | fields


def named(key: str, word: str, owner: str, label: str = "PER", **fields: Any) -> Json:
    """A mention of a word of TEXT."""
    return mention(key, *WORDS[word], label, annotation_set_id=owner, **fields)


def by_annotator(article_id: str, said: dict[str, list[tuple[str, Json]]], text: str = TEXT, **sets: Any) -> Json:
    """A record of TEXT in which each annotator has a set of mentions: words, each with the fields of its mention."""
    items = []
    for annotator, words in said.items():
        for number, (word, fields) in enumerate(words, 1):
            items.append(named(f"m-{annotator}-{number}", word, f"set-{annotator}", **fields))
    listed = [annotation_set(f"set-{annotator}", annotator, **sets) for annotator in said]
    return record(article_id, text, annotation_sets=listed, mentions=items)
