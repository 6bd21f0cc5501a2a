"""The table that benchmarks read: mentions of names in news, in many scripts, as long as wanted, written a row group at a time.

    python benchmarks/mentions.py FILE --rows 1000000 --seed 1 [--faults]

With `--faults` about one row in a thousand has each fault of `FAULTS`, and the table as a whole those that no single row has.
"""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PER_ARTICLE = 50
ROW_GROUP = 5_000 * PER_ARTICLE
LABELS = ("PERSON", "ORG", "GPE", "LOC", "EVENT", "WORK", "PRODUCT", "NORP")
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("article_id", pa.string()),
        ("mention_id", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("label", pa.string()),
        ("split", pa.string()),
        ("surface", pa.string()),  # null where the text is withheld
        ("entity_id", pa.string()),
        ("value", pa.float64()),  # how sure the annotator was, in hundredths
    ]
)
FAULTS = (
    "id null",
    "id of another row",
    "id misshapen",
    "article id too short",
    "span of another row",
    "start negative",
    "end null",
    "end before start",
    "label null",
    "label unknown",
    "split unknown",
    "surface empty",
    "surface padded",
    "entity misshapen",
    "value too large",
)
_EVERY = 997  # rows between two faults of a kind; a prime, so that they fall anywhere in an article
_APART = 61  # rows between faults of different kinds

_SPLITS = ("train",) * 8 + ("validation", "test")
_OUTLETS = ("kestrel", "carrow", "harbour", "meridian")
_ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz",
    "abcdefghijklmnopqrstuvwxyzäöüß",
    "абвгдежзийклмнопрстуфхцчшщыэюя",
    "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "अआइईउऊएऐओकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह",
    "".join(chr(0x4E00 + 7 * n) for n in range(2000)),
    "".join(chr(0x20000 + 11 * n) for n in range(500)),  # beyond the BMP
    "".join(chr(0x1F300 + n) for n in range(200)),
)
_SCRIPTS = (0.5, 0.1, 0.1, 0.08, 0.08, 0.08, 0.03, 0.03)
_NAMES = 5_000
_ROOM = 80  # code points from one mention's earliest start to the next one's

Flags = npt.NDArray[np.bool_]


def write_mentions(path: Path, rows: int, *, seed: int = 1, faults: bool = False) -> None:
    """Write the table; the same rows for the same seed, and no more than one row group in memory."""
    names = Names(seed)
    extra = [("note", pa.string())] if faults else []
    with pq.ParquetWriter(path, pa.schema([*SCHEMA, *extra]), compression="zstd") as out:
        for first in range(0, rows, ROW_GROUP):
            out.write_table(_row_group(names, first, min(rows - first, ROW_GROUP), seed, faults), row_group_size=ROW_GROUP)


class Names:
    """Names that mentions pick from, the first ones more often; each has its label and its entity."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng([seed, 0])
        scripts = random.choice(len(_ALPHABETS), _NAMES, p=_SCRIPTS)
        surfaces = [self._one(random, _ALPHABETS[script]) for script in scripts]
        self.surface = pa.array(surfaces, pa.string())
        self.length = np.array([len(s) for s in surfaces])
        self.label = pa.array([LABELS[n] for n in random.choice(len(LABELS), _NAMES)], pa.string())
        self.entity = pa.array([f"Q{n}" for n in random.integers(1, 9_000_000, _NAMES)], pa.string())

    @staticmethod
    def _one(random: np.random.Generator, alphabet: str) -> str:
        lengths = random.integers(1, 12 if len(alphabet) < 100 else 5, random.integers(1, 4))
        return " ".join("".join(alphabet[n] for n in random.integers(0, len(alphabet), length)) for length in lengths)


def _row_group(names: Names, first: int, rows: int, seed: int, faults: bool) -> pa.Table:
    random = np.random.default_rng([seed, 1, first])
    numbers = np.arange(first, first + rows)
    article, local = numbers // PER_ARTICLE, numbers % PER_ARTICLE
    known = np.unique(article)
    hashes = [(int(a) * 0x9E3779B97F4B + seed) % 2**48 for a in known]  # an odd factor: no two are equal
    withheld = np.array([h % 100 < (20 if faults else 4) for h in hashes])
    of = pa.array(article - known[0])
    pick = (random.random(rows) ** 2.5 * _NAMES).astype(np.int64)
    start = local * _ROOM + random.integers(0, 30, rows)
    sure = random.integers(0, 101, rows) / 100
    article_id = pa.array([_article_id(int(a), h) for a, h in zip(known, hashes, strict=True)]).take(of)
    mention_id = pa.array([f"m{n + 1}" for n in range(PER_ARTICLE)]).take(pa.array(local))
    columns = {
        "id": pc.binary_join_element_wise(article_id, mention_id, "#"),
        "article_id": article_id,
        "mention_id": mention_id,
        "start": pa.array(start),
        "end": pa.array(start + names.length[pick]),
        "label": names.label.take(pa.array(pick)),
        "split": pa.array([_SPLITS[h % 10] for h in hashes]).take(of),
        "surface": _null(names.surface.take(pa.array(pick)), withheld[article - known[0]]),
        "entity_id": _null(names.entity.take(pa.array(pick)), random.random(rows) < 0.25),
        "value": _null(pa.array(np.round(sure**6, 2) if faults else sure), random.random(rows) < 0.2),
    }
    return pa.table(_spoilt(columns, numbers) if faults else columns)


def _article_id(number: int, hashed: int) -> str:
    day = datetime.date(2020, 1, 1) + datetime.timedelta(days=number // 300)
    return f"{_OUTLETS[number % len(_OUTLETS)]}-{day:%Y%m%d}-{hashed:012x}"


def _null(column: pa.Array, where: Flags) -> pa.Array:
    return pc.if_else(pa.array(where), pa.scalar(None, column.type), column)


def _spoilt(columns: dict[str, pa.Array], numbers: npt.NDArray[np.int64]) -> dict[str, pa.Array]:
    made = dict(columns)
    at = {fault: numbers % _EVERY == n * _APART for n, fault in enumerate(FAULTS)}

    def put(column: str, fault: str, value: object) -> None:
        scalar = value if isinstance(value, pa.Array) else pa.scalar(value, made[column].type)
        made[column] = pc.if_else(pa.array(at[fault]), scalar, made[column])

    before = pa.array(np.maximum(np.arange(len(numbers)) - 1, 0))
    put("id", "id null", None)
    put("id", "id of another row", columns["id"].take(before))
    put("id", "id misshapen", pc.binary_join_element_wise(columns["id"], "!", ""))
    put("article_id", "article id too short", pc.utf8_slice_codeunits(columns["article_id"], 0, 10))
    for column in ("article_id", "start", "end"):
        put(column, "span of another row", columns[column].take(before))
    put("start", "start negative", -1)
    put("end", "end null", None)
    put("end", "end before start", pc.subtract(columns["start"], 1))
    put("label", "label null", None)
    put("label", "label unknown", "PLANET")
    put("split", "split unknown", "dev")
    put("surface", "surface empty", "")
    put("surface", "surface padded", "Rome ")
    put("entity_id", "entity misshapen", "Rome")
    put("value", "value too large", 1.01)
    made["note"] = pa.nulls(len(numbers), pa.string())
    return made


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("file", type=Path)
    words.add_argument("--rows", type=int, default=1_000_000)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--faults", action="store_true")
    said = words.parse_args()
    write_mentions(said.file, said.rows, seed=said.seed, faults=said.faults)
