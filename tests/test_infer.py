"""What `dateline new` infers: nothing of a source is left unmapped, and the rules of docs/new.md."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dateline.compile.check import check_record
from dateline.compile.read import RawRecord
from dateline.document import Document, Node
from dateline.errors import InputError, Place
from dateline.mapping.apply import Draft
from dateline.mapping.file import mapping_from
from dateline.mapping.infer import Inferred, infer
from dateline.mapping.observe import Seen
from dateline.mapping.written import mapping_text
from dateline.record_files import encode
from dateline.schema import Schemas, schemas_from

TEXT = "Ana met Bo in Rome. They talked of trade, and of the weather, for an hour."


def seen_of(documents: Iterable[Document]) -> Seen:
    seen = Seen()
    for document in documents:
        seen.take(document)
    return seen


def inferred(*documents: Document, format_name: str = "any", **options: Any) -> Inferred:
    return infer(seen_of(documents), format_name, **options)


def schemas_of(found: Inferred) -> Schemas:
    return schemas_from({name: json.dumps(schema).encode() for name, schema in found.schemas.items()})


def written(found: Inferred) -> dict[str, Any]:
    """The mapping, as it is read from the file that is written of it."""
    return tomllib.loads(mapping_text(found.mapping, found.comments, "Written by a test."))


def document(*nodes: Node, name: str = "a", text: str = TEXT, **metadata: Any) -> Document:
    return Document(name, text, list(nodes), metadata)


def drafts(found: Inferred, documents: Iterable[Document]) -> list[Draft]:
    mapping = mapping_from(written(found), schemas_of(found))
    made = []
    for one in documents:
        draft = Draft(one, mapping)
        draft.record()
        draft.close()
        made.append(draft)
    return made


# ---- the law -------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["Person", "a.b.Type", "PER", "type", "order", "ü", "", "x*[y]?", "rows", "MIX_Case", "spans", "\x7f\n", "\ud800"]
)
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.sampled_from(["", "a", "b", "007", "0.50", "1e5", "Ana"]),
    st.text(st.characters(codec="utf-8"), max_size=6),
)  # fmt: skip
VALUES = st.one_of(PLAIN, st.lists(PLAIN, max_size=3), st.dictionaries(st.just("k"), PLAIN, max_size=1))
SPANS = st.sampled_from([(), ((0, 3),), ((8, 10), (14, 18)), ((19, 24),)])
IDS = ["T1", "7", "x y", "-", "ü", "E.2"]


@st.composite
def random_documents(draw: st.DrawFn) -> list[Document]:
    made = []
    for number in range(draw(st.integers(1, 3))):
        ids = draw(st.lists(st.sampled_from(IDS), unique=True, max_size=5))
        nodes = [
            Node(
                each, draw(NAMES), draw(SPANS), draw(st.dictionaries(NAMES, VALUES, max_size=2)),
                draw(st.dictionaries(NAMES, st.lists(st.sampled_from([*ids, "none"]), max_size=2), max_size=2)),
                draw(st.dictionaries(NAMES, SPANS, max_size=1)), annotator=draw(st.sampled_from(["", "ann", "b o"])),
            )
            for each in ids
        ]  # fmt: skip
        made.append(document(*nodes, name=f"d{number}", **draw(st.dictionaries(NAMES.filter(bool), VALUES, max_size=2))))
    return made


@settings(max_examples=150)
@given(random_documents())
def test_whatever_a_source_holds_is_mapped_or_ignored_and_each_item_fits_its_schema(documents: list[Document]) -> None:
    found = inferred(*documents)
    schemas = schemas_of(found)
    for draft in drafts(found, documents):
        assert not draft.account.balance()
        for rejection in draft.rejections:  # only for what is wrong with the source itself
            assert rejection.rule == "reference", (rejection, found.mapping)
        record = draft.record()
        faults = check_record(record, RawRecord(Place("a"), 0, encode(record)), schemas, {})
        assert not [f for f in faults if f.fails and f.rule != "span-edge"], (faults, found.schemas)


@settings(max_examples=100)
@given(random_documents())
def test_the_file_that_is_written_says_the_same_mapping(documents: list[Document]) -> None:
    found = inferred(*documents)
    assert written(found) == found.mapping
