"""`ByBlock` against `ByRecord`, which is the definition: the same problems, the same tables, the same bytes of files."""

from __future__ import annotations

import copy
import functools
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from both_ways import BothWays
from building import MENTIONS, REPOSITORY, THOROUGH, Json, ProjectFolder, mention, record
from dateline import parquet
from dateline.compile.digests import table_digests
from dateline.compile.index import IndexTask, index_file
from dateline.compile.plan import ShardPlan, plan
from dateline.compile.shard import ShardTask, compile_shard
from dateline.compile.ways import ByBlock, ByRecord, Way
from dateline.errors import SchemaError
from dateline.project import Splits
from dateline.record_files import encode
from dateline.schema import Schemas, load_schemas, schemas_from
from fuzzing import mutated, values
from schemas_at_random import AtRandom
from small_corpus import records_at_hand
from test_annotation_sets import adjudicated
from test_oracle import MEASURES, SCHEMAS, supply
from test_twins import twins
from two_annotators import annotated

KEYS = {"measures": MEASURES}


def in_blocks(lines: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    """Lines in blocks of that many."""
    return (lines[at : at + size] for at in range(0, len(lines), size))


def withheld(made: Json, *, at_hand: bool) -> Json:
    """A record whose text may not be passed on."""
    made = copy.deepcopy(made)
    made["rights"]["text_redistributable"] = False
    if not at_hand:
        made["text"]["content"] = None
    return made


def test_records_at_hand_are_accepted_as_they_are_and_make_the_same_tables() -> None:
    lines = [encode(made) for made in records_at_hand()]
    both = BothWays(SCHEMAS, KEYS)
    assert list(both.differences(lines)) == []
    some = [line for line in lines if b"ADJUDICATED" not in line]
    assert both.fast.doubted(some_of(some)) == set()


def some_of(lines: Sequence[bytes]) -> Any:
    """Lines as they are read."""
    from dateline.compile.read import RawRecord
    from dateline.compile.ways import Some
    from dateline.errors import Place

    raws = [RawRecord(Place("a.jsonl", number), 0, line) for number, line in enumerate(lines, 1)]
    return Some([], raws, [json.loads(line) for line in lines])


def test_withheld_texts_are_null_in_the_same_places() -> None:
    made = records_at_hand()
    mixed = [withheld(one, at_hand=n % 2 == 0) if n % 3 else one for n, one in enumerate(made)]
    for block in in_blocks([encode(one) for one in mixed], 7):
        assert list(BothWays(SCHEMAS, KEYS).differences(block)) == []


GOOD = [records_at_hand()[n] for n in (1, -2, -1)]
"""A long record and two short ones, which have items of all layers."""


@functools.cache
def both_with(layers: frozenset[Path]) -> BothWays:
    """Both ways with the flagship's schemas and some further layers; made once, as reading schemas takes longer than a twin."""
    further = {layer.name.removesuffix(".schema.json"): layer.read_bytes() for layer in layers}
    return BothWays(schemas_from({**SCHEMAS.sources, **further}), KEYS)


@pytest.mark.parametrize("path", [p for p in (*twins("bad"), *twins("good")) if p.suffix in {".json", ".jsonl"}],
                         ids=lambda p: f"{p.parent.parent.name}/{p.parent.name}/{p.name}")  # fmt: skip
def test_twins_are_told_alike_among_good_records(path: Path) -> None:
    lines = [path.read_bytes()] if path.suffix == ".json" else path.read_bytes().splitlines(keepends=True)
    good = [encode(made) for made in GOOD]
    both = both_with(frozenset(path.parent.glob("*.schema.json")))
    for block in (lines, [good[0], *lines, *good[1:]]):
        assert list(both.differences([line for line in block if line.strip()])) == []


def test_sets_that_stand_apart_make_the_same_rows(folder: ProjectFolder) -> None:
    schemas = load_schemas(annotated(folder).root / "schemas")
    lines = [encode(adjudicated(f"a{n}")) for n in range(3)] + [encode(record("b1"))]
    lines += [encode(withheld(adjudicated("c1"), at_hand=True))]
    assert list(BothWays(schemas, {}).differences(lines)) == []


NUMBERS = [
    "0.1", "1e-400", "1E2", "0.10", "1.00000000000000000001", "-0", "-0.0", "9007199254740993", "9007199254740993.0", "1.0",
    "123456789012345678901234567890", "1e400", "true", "null", '"1"', "[1.5]", "2.50", "-9223372036854775808", "NaN",
]  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("field", ["weight", "whole", "exact", "numbers", "inside"])
def test_numbers_are_kept_or_refused_alike(number: str, field: str) -> None:
    numbers: dict[str, Json] = {
        "weight": {"type": ["number", "null"]},
        "whole": {"type": ["integer", "null"]},
        "exact": {"type": ["number", "null"], "x-decimal": [12, 3]},
        "numbers": {"type": "array", "items": {"type": "number"}},
        "inside": {"type": "object", "properties": {"n": {"type": ["number", "null"], "description": "N."}}},
    }
    layer = {**MENTIONS, "properties": {**MENTIONS["properties"], **{k: {**v, "description": "N."} for k, v in numbers.items()}}}
    schemas = schemas_from({"mentions": json.dumps(layer).encode()})
    said = {"inside": f'{{"n": {number}}}', "numbers": f"[1, {number}]"}.get(field, number)
    line = json.dumps(record("a1", mentions=[mention("m1", 0, 3), mention("m2", 8, 10)]))
    line = line.replace('"mention_id": "m2"', f'"mention_id": "m2", "{field}": {said}')
    assert list(BothWays(schemas, {}).differences([line.encode(), encode(record("b1", mentions=[mention("m1", 0, 3)]))])) == []


_NUMBER = {"type": ["number", "null"], "description": "D."}
_DATE = {"type": ["string", "null"], "format": "date", "description": "D."}
_LABEL = {"type": "string", "enum": ["A", "B"], "description": "D."}
_KEYS = {"type": "array", "items": {"type": ["string", "null"]}, "description": "D."}
_DERIVED = {"from": ["label"], "map": {"PER": 1, "LOC": 0.5}}
FORMS: dict[str, tuple[Json, list[Any]]] = {
    "withheld decimal": (_NUMBER | {"x-decimal": [10, 2], "x-withheld": True}, [1.5, 2, None]),
    "withheld date": (_DATE | {"x-withheld": True}, ["2024-01-01", None]),
    "withheld spans": ({"description": "D.", "x-span": "many", "x-withheld": True}, [[{"start": 0, "end": 3}], []]),
    "withheld span": ({"description": "D.", "x-span": "one", "x-withheld": True}, [{"start": 0, "end": 3}, None]),
    "zeros of a decimal": (_NUMBER | {"x-decimal": [10, 2]}, [-0.0, 0, 0.0]),
    "a default of another type than its column": (_NUMBER | {"default": 1}, [None, 2]),
    "derived numbers": (_NUMBER | {"x-derive": _DERIVED}, []),
    "derived, and withheld": (_NUMBER | {"x-derive": _DERIVED, "x-withheld": True}, []),
    "a list of keys with null": (_KEYS | {"x-ref": "mentions"}, [[None], ["m0", None], []]),
    "a list of keys with null, and what they lead to": (
        _KEYS | {"x-ref": "mentions", "x-target": {"field": "label", "values": ["PER"]}},
        [[None], ["m0", None], []],
    ),
    "a list of sets": (_KEYS | {"type": ["array", "null"], "x-ref": "annotation_sets"}, [["s1"], None]),
}
"""Forms of a field that are allowed, and rare; values of it."""


def of_form(name: str) -> tuple[bytes, list[Json]]:
    """The schema of mentions with a field of a form, and records with its values, texts withheld in some."""
    field, values = FORMS[name]
    layer = {**MENTIONS, "properties": {**MENTIONS["properties"], "odd": field}}
    sets = [{"annotation_set_id": "s1", "layer": "mentions", "annotator_id": "u", "annotator_type": "HUMAN", "status": "PRIMARY"}]
    items = [mention(f"m{n}", 0, 3, odd=value) for n, value in enumerate(values)] or [mention("m0", 0, 3)]
    made = [record(f"a{n}", mentions=items, annotation_sets=sets) for n in range(3)]
    return json.dumps(layer).encode(), [made[0], withheld(made[1], at_hand=True), made[2]]


@pytest.mark.parametrize("form", FORMS)
def test_fields_of_any_form_are_read_alike(form: str) -> None:
    layer, records = of_form(form)
    both = BothWays(schemas_from({"mentions": layer}), {})
    assert list(both.differences([encode(one) for one in records])) == []
    assert both.right == both.records == len(records)


@pytest.mark.parametrize("form", FORMS)
def test_digests_are_those_of_the_rows_that_are_read_back(form: str, folder: ProjectFolder) -> None:
    layer, records = of_form(form)
    folder.schema("mentions", json.loads(layer))
    folder.seed(*records)
    manifest = folder.rebuild().manifest
    assert manifest is not None
    assert table_digests(folder.root / "dataset", manifest) == {n: t.logical_digest for n, t in manifest.tables.items()}


def test_a_depth_that_is_missing_is_told_alike() -> None:
    inside = {"n": {"type": "integer", "description": "N.", "x-column": "depth", "x-depth": "parent_id"}}
    depth = {"type": "object", "description": "D.", "properties": inside}
    layer = {**MENTIONS, "properties": {**MENTIONS["properties"], "depth": depth}, "required": [*MENTIONS["required"], "depth"]}
    items = [mention("m0", 0, 3, depth={}), mention("m1", 0, 3, depth={"n": 1}, parent_id="m0")]
    both = BothWays(schemas_from({"mentions": json.dumps(layer).encode()}), {})
    assert list(both.differences([encode(record("a1", mentions=items))])) == [] and both.right == 0


LAWS: list[Json] = [
    {"then": {"properties": {"label": True, "score": False}}},
    {"then": {"minProperties": 4}},
    {"if": {"required": ["parent_id"]}, "then": {"properties": {"label": {"const": "LOC"}}}},
    {"if": {"properties": {"parent_id": {"type": "null"}}}, "then": {"properties": {"label": {"enum": ["PER"]}}}, "else": False},
    {"then": {"anyOf": [{"properties": {"spans": {"minItems": 2}}}, {"not": {"required": ["score"]}}]}},
    {
        "then": {
            "properties": {"score": {"exclusiveMinimum": 0.5}, "spans": {"contains": {"properties": {"start": {"const": 0}}}}}
        }
    },
    {"then": {}, "equal": ["label", "parent_id"]},
    {"if": {"required": ["parent_id"]}, "then": {}, "equal": ["label", "parent_id"]},
    # words that mean another thing in the schema of a record than in a law
    {"if": {"properties": {"score": {"type": "integer"}}, "required": ["score"]}, "then": {"required": ["parent_id"]}},
    {"then": {"properties": {"parent_id": {"format": "date"}}}},
    {"then": {"$ref": "#/$defs/short", "$defs": {"short": {"properties": {"parent_id": {"maxLength": 1}}}}}},
]


@pytest.mark.parametrize("law", range(len(LAWS)))
def test_laws_of_any_form_are_decided_alike(law: int) -> None:
    layer = {**MENTIONS, "x-rules": [{"id": "odd", "says": "is odd", **LAWS[law]}]}
    schemas = schemas_from({"mentions": json.dumps(layer).encode()})
    more: list[Json] = [{}, {"parent_id": None}, {"parent_id": "m0"}, {"score": 0.5}, {"score": 1}, {"score": 1e25}]
    items = [mention("m1", at, at + 2, label, **said) for said in more for label in ("PER", "LOC") for at in (0, 8)]
    lines = [encode(record(f"a{n}", mentions=[mention("m0", 0, 3), item])) for n, item in enumerate(items)]
    both = BothWays(schemas, {})
    assert list(both.differences(lines)) == []
    assert list(both.differences(lines[::-1])) == []


HELD = [
    '{"a": 1, "a": 2}', '{"text": {"content": "\\u0022", "content": "x"}}', '{"a": "\\ud800"}', "[1]", "1", '{"a": 1} x',
    "\ufeff{}", '{"a": "\\u0022\\u0022", "a\\u0022": 1, "a": 1}',
]  # fmt: skip


@pytest.mark.parametrize("line", HELD)
def test_lines_are_refused_alike(line: str) -> None:
    assert list(BothWays(SCHEMAS, KEYS).differences([line.encode()])) == []


def fuzzed(seed: int, count: int) -> Iterator[tuple[Schemas, list[bytes]]]:
    """Blocks of records with hostile bytes and odd values among good ones."""
    chance = random.Random(seed)
    weight = {"type": ["number", "null"], "description": "A number."}
    layer = {**MENTIONS, "properties": {**MENTIONS["properties"], "weight": weight}}
    small = schemas_from({"mentions": json.dumps(layer).encode()})
    one = mention("m1", 0, 3, head={"start": 0, "end": 3}, score=1.5, weight=2, parent_id=None)
    supplies = [(small, [json.dumps(record("a1", mentions=[one, mention("m2", 8, 10)])).encode()])]
    supplies.append((SCHEMAS, [encode(made) for made in records_at_hand()]))
    for number in range(count):
        schemas, lines = supplies[number % 5 == 0]
        block = []
        for _ in range(chance.choice((1, 3, 8))):
            line = chance.choice(lines)
            odd = chance.random()
            if odd < 0.4:
                line = mutated(line, lines, chance).replace(b"\n", b" ")
            elif odd < 0.8:
                line = json.dumps(values(json.loads(line), chance)).encode()
            block.append(line)
        yield schemas, block


def test_hostile_records_are_told_alike() -> None:
    for schemas, block in fuzzed(20261128, 4000 if THOROUGH else 200):
        assert list(BothWays(schemas, {"measures": {"killed"}}).differences(block)) == [], block


@pytest.mark.parametrize("part", range(2))
def test_schemas_of_any_form_are_read_alike(part: int) -> None:
    right, refused = 0, 0
    for seed in range(part, 4000 if THOROUGH else 160, 2):
        made = AtRandom(random.Random(seed))
        try:
            both = BothWays(schemas_from({"layer": json.dumps(made.schema).encode()}), {})
        except SchemaError:  # a list of what no list may hold
            refused += 1
            continue
        for _ in range(3):
            lines = [encode(one) for one in made.records(6)]
            assert list(both.differences(lines)) == [], (seed, made.schema, lines)
        right += both.right
    assert right > 100 and refused < 20


@pytest.mark.slow(seconds=60)
@pytest.mark.parametrize("part", range(2))
def test_faults_of_every_rule_are_told_alike_in_blocks(part: int) -> None:
    both = BothWays(SCHEMAS, KEYS)
    cases = [case.raw for case in supply(*((40, 400) if THOROUGH else (12, 200)), part, 2)]
    random.Random(part).shuffle(cases)
    for block in in_blocks(cases, 9):
        assert list(both.differences([line for line in block if line.strip() and b"\n" not in line.rstrip()])) == []
    assert both.right > len(cases) / 10


# ---- whole shards --------------------------------------------------------------------------------------------


def files_of(shard: ShardPlan, schemas: Schemas, out: Path, way: type[Way]) -> dict[str, bytes]:
    """The files of a shard, digests among them."""
    facts = compile_shard(ShardTask(shard, tuple(schemas.sources.items()), KEYS, out, True), way)
    assert facts.problems == []
    return {path.relative_to(facts.out).as_posix(): path.read_bytes() for path in facts.out.rglob("*") if path.is_file()}


@pytest.mark.slow(seconds=90)
def test_the_files_of_the_whole_corpus_are_the_same_to_the_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP_JSON", 400_000)  # several row groups in a file
    sources = tuple(SCHEMAS.sources.items())
    seeds = REPOSITORY / "seeds"
    paths = [p for p in sorted(seeds.rglob("*.json*")) if p.parent.name != "tables" and p.name != "ledger.jsonl"]
    pieces = [index_file(IndexTask(p, p.name, tmp_path / "spill", sources)).table for p in paths]
    (shard,) = plan(pa.concat_tables(pieces), {}, Splits(near_duplicates=False)).shards
    fast = files_of(shard, SCHEMAS, tmp_path / "fast", ByBlock)
    assert fast == files_of(shard, SCHEMAS, tmp_path / "exact", ByRecord)
    assert len(fast) > 20


def test_a_law_that_only_warns_keeps_the_record(folder: ProjectFolder) -> None:
    law = {"id": "odd", "says": "is odd", "level": "warning", "then": {"properties": {"label": {"enum": ["LOC"]}}}}
    folder.schema("mentions", {**MENTIONS, "x-rules": [law]})
    folder.seed(record("a1", mentions=[mention("m1", 0, 3)]), record("a2", mentions=[mention("m1", 0, 3, label="LOC")]))
    done = folder.rebuild()
    assert [p.rule for p in done.warnings] == ["odd"] and done.problems == []
    assert done.manifest is not None and done.manifest.tables["mentions"].rows == 2
