"""Mutated records and authored articles, and what the engine makes of them: problems as values, never an exception."""

from __future__ import annotations

import json
import random
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from building import MENTIONS, REPOSITORY, mention, record
from dateline.compile.check import check_record
from dateline.compile.read import RawRecord, Refused, parse
from dateline.compile.tables import arrow_schema, rows_of
from dateline.errors import Place
from dateline.importers import authoring
from dateline.parquet import arrow_table
from dateline.record_files import encode
from dateline.row_facts import canonical
from dateline.schema import Schemas, load_schemas, schemas_from
from small_corpus import records_at_hand

# fmt: off
BITS = [
    b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"true", b"0", b"-1", b"1e400", b"1e-400", b"0.1", b"9" * 25,
    b"9" * 400, b"NaN", b"\\ud800", b"\\udc00", b"\\u0000", b"\xff", b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80", b"\xe2\x80\xae",
    b"\x1b[2J", b"\\", b"\n", b"\r\n", b"[[]]", b'{"a":1}', b'"m1"', b'"sha256"', b"2147483648", b"-9223372036854775809",
    b"[" * 300, b'""', b"' '", b"{sha256:.999}", b"@1", b"p1:", b"s999999999999:", b"\xe2\x80\xa6", b"[x]", b"inside",
    b"nth = 1.5", b"=", b"2024-02-30", b"0000-00-00", b"[[mentions]]\n",
]
# fmt: on


def mutated(source: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Some bytes cut, doubled, flipped, replaced by hostile bits or by pieces of another source."""
    made = bytearray(source)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(made) + 1)
        until = min(len(made), at + chance.choice((0, 1, 1, 2, 5, 20, 200)))
        what = chance.randrange(5)
        if what == 0:
            made[at:until] = b""
        elif what == 1:
            made[at:until] = chance.choice(BITS)
        elif what == 2:
            made[at:at] = made[at:until] * chance.choice((1, 2, 50))
        elif what == 3 and made:
            made[at % len(made)] = chance.randrange(256)
        else:
            other = chance.choice(others)
            start = chance.randrange(len(other) + 1)
            made[at:until] = other[start : start + chance.choice((1, 5, 40, 400))]
    return bytes(made)


def values(node: object, chance: random.Random) -> object:
    """The same JSON with some values replaced by values of other kinds, so that it stays JSON."""
    if chance.random() < 0.02:
        odd: list[object] = [
            None,
            True,
            0,
            -1,
            2**31,
            2**63,
            10**30,
            10**400,
            1e308,
            5e-324,
            "",
            " ",
            "m1",
            "a" * 300,
            [],
            {},
            [[]],
            "2024-02-30",
        ]
        return chance.choice(odd)
    if isinstance(node, dict):
        return {key: values(value, chance) for key, value in node.items()}
    return [values(value, chance) for value in node] if isinstance(node, list) else node


def try_record(raw: bytes, schemas: Schemas, keys: dict[str, set[str]]) -> str:
    """What became of one record: refused, problems, or rows."""
    held = RawRecord(Place("f.json"), 0, raw)
    try:
        made = parse(held)
    except Refused as refused:
        str(refused.problem)
        return "refused"
    found = check_record(made, held, schemas, keys)
    if found:
        for fault in found:
            str(fault), fault.as_json()
        return "problems"
    for config, rows in rows_of(made, schemas, {"split": "train", "group": "g", "added_in": None, "changed_in": None}).items():
        arrow_table(rows, arrow_schema(config, schemas))
        canonical(rows)
    return "rows"


def try_authored(raw: bytes, schemas: Schemas, keys: dict[str, set[str]], path: Path) -> str:
    path.write_bytes(raw)
    (made,) = authoring.read_records(path, schemas, name="f.toml")
    if made.record is None or made.problems:
        for fault in made.problems:
            str(fault)
        return "refused toml"
    held = RawRecord(Place("f.toml"), 0, encode(made.record))
    check_record(made.record, held, schemas, keys)
    return "toml"


def fuzz(seconds: float, seed: int, scratch: Path) -> tuple[Counter[str], dict[str, bytes]]:
    """Fuzz for some time; how often what came out, and one input for each place that raised."""
    chance = random.Random(seed)
    own = load_schemas(REPOSITORY / "schemas")
    weight = {"type": ["number", "null"], "description": "A number."}
    layer = {**MENTIONS, "properties": {**MENTIONS["properties"], "weight": weight}}
    small = schemas_from({"mentions": json.dumps(layer).encode()})
    real = [encode(made) for made in records_at_hand()]
    one = mention("m1", 0, 3, head={"start": 0, "end": 3}, score=1.5, weight=2, parent_id=None)
    tiny = [json.dumps(record("a1", mentions=[one])).encode()]
    authored = [p.read_bytes() for p in sorted((REPOSITORY / "seeds" / "authored").glob("*.toml"))]
    for span in ("{words = 'Ana', inside = 's1'}", "{words = 'Ana', nth = 1}", "'s1: Ana@1'", "['[Ana] … [Bo]', 'p1:']", "'Ana'"):
        article = "[article]\narticle_id = 'x-{sha256:.12}'\n[text]\nsentences = '''\nAna met Bo.\nAna left.\n'''\n"
        authored += [f"{article}[[entities]]\n[[mentions]]\nspans = {span}\n".encode()] * 4
    seen: Counter[str] = Counter()
    crashes: dict[str, bytes] = {}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        what = chance.random()
        try:
            if what < 0.3:
                raw = mutated(chance.choice(tiny), tiny, chance)
                seen[try_record(raw, small, {})] += 1
            elif what < 0.6:
                raw = json.dumps(values(json.loads(chance.choice(tiny)), chance)).encode()
                seen[try_record(raw, small, {})] += 1
            elif what < 0.7:
                raw = mutated(chance.choice(real), real, chance)
                seen[try_record(raw, own, {"measures": {"killed"}})] += 1
            elif what < 0.85:
                raw = json.dumps(values(json.loads(chance.choice(real)), chance), indent=1).encode()
                seen[try_record(raw, own, {"measures": {"killed"}})] += 1
            else:
                raw = mutated(chance.choice(authored), authored, chance)
                seen[try_authored(raw, own, {"measures": {"killed"}}, scratch)] += 1
        except Exception as fault:
            frame = traceback.extract_tb(fault.__traceback__)[-1]
            seen["crashes"] += 1
            crashes.setdefault(f"{type(fault).__name__} {Path(frame.filename).name}:{frame.lineno} {str(fault)[:80]}", raw)
    return seen, crashes


if __name__ == "__main__":
    counts, found = fuzz(float(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]) / "f.toml")
    print(dict(counts))
    for number, (name, raw) in enumerate(found.items()):
        (Path(sys.argv[3]) / f"crash-{number}").write_bytes(raw)
        print(number, len(raw), name)
