"""Reading seed files: strict where JSON libraries are lenient."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest

from building import Json, ProjectFolder, record
from dateline.compile import read
from dateline.compile.seeds import check_files

GOOD = json.dumps(record("a1")).encode()


def problems(folder: ProjectFolder, name: str, raw: bytes) -> list[tuple[str, int]]:
    path = folder.root / "seeds" / name
    path.write_bytes(raw)
    return [(p.rule, p.place.line) for p in check_files(folder.project, [path]).problems]


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("json-syntax", b'{"article_id": "a1",}'),
        ("json-syntax", b"[" * 100_000),
        ("json-syntax", b'{"article_id": ' + b"9" * 5000 + b"}"),
        ("json-object", b'["article_id"]'),
        ("utf8", b'{"article_id": "\xff"}'),
        ("bom", b"\xef\xbb\xbf" + GOOD),
        ("duplicate-key", b'{"article_id": "a1", "article_id": "a2"}'),
        ("duplicate-key", GOOD.replace(b'{"content"', b'{"content": null, "content"')),
        ("number-finite", GOOD[:-1] + b', "x": NaN}'),
        ("number-finite", GOOD[:-1] + b', "x": -Infinity}'),
        ("number-finite", GOOD[:-1] + b', "x": 1e999}'),
        ("lone-surrogate", GOOD.replace(b"Ana", b"\\ud800")),
    ],
)
def test_what_is_no_record_is_named_with_its_line_and_the_rest_is_read(folder: ProjectFolder, rule: str, line: bytes) -> None:
    assert problems(folder, "a.jsonl", GOOD + b"\n" + line + b"\n" + GOOD + b"\n") == [(rule, 2)]


def test_a_pretty_record_is_one_record_and_problems_name_its_lines(folder: ProjectFolder) -> None:
    broken: Json = record("a1", mentions=[{"mention_id": "m1", "spans": [{"start": 0, "end": 99}], "label": "PER"}])
    raw = json.dumps(broken, indent=2)
    line = next(n for n, text in enumerate(raw.splitlines(), 1) if "99" in text)
    assert problems(folder, "a.json", raw.encode()) == [("span-inside-text", line)]
    assert problems(folder, "b.json", b'{\n "article_id": "a",\n}') == [("json-syntax", 3)]


def test_surrogate_pairs_and_escapes_are_characters(folder: ProjectFolder) -> None:
    assert problems(folder, "a.jsonl", GOOD.replace(b"Ana", b"\\ud83d\\ude00\\u0007")) == []


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compressed_files_read_like_plain_ones(folder: ProjectFolder, suffix: str) -> None:
    lines = GOOD + b"\n\n" + GOOD.replace(b"a1", b"a2") + b"\n"
    path = folder.root / "seeds" / f"a.jsonl{suffix}"
    path.write_bytes(compress(lines, suffix))
    assert [(r.place.line, r.raw) for r in read.read_raw(path, name="a")] == [
        (1, GOOD + b"\n"),
        (3, GOOD.replace(b"a1", b"a2") + b"\n"),
    ]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_compressed_file_cut_short_is_a_problem(folder: ProjectFolder, suffix: str) -> None:
    whole = compress(b"".join(GOOD.replace(b"a1", b"a%d" % n) + b"\n" for n in range(2000)), suffix)
    assert problems(folder, f"a.jsonl{suffix}", whole[: len(whole) // 2])[-1][0] == "compressed"


def test_a_record_beyond_the_limit_is_refused(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MAX_RECORD_BYTES", 1000)
    assert problems(folder, "a.jsonl", GOOD + b"\n" + b"x" * 2000 + b"\n") == [("record-size", 2)]


def compress(raw: bytes, suffix: str) -> bytes:
    if suffix == ".gz":
        return gzip.compress(raw)
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(raw)
    return bytes(sink.getvalue())


def test_lines_of_pointers() -> None:
    raw = b'{\n "a": [\n  {"b": 1},\n  {"b":\n   2}\n ]\n}'
    assert read.line_of(raw, ["a", 1, "b"]) == 5
    assert read.line_of(raw, ["a", 9]) == 1
    assert read.line_of(b"no json", ["a"]) == 1
    assert read.pointer(["mentions", 3, "spans", 0, "end"]) == "$.mentions[3].spans[0].end"


def test_names_of_seed_files() -> None:
    assert all(read.is_seed(Path(f"a{suffix}")) for suffix in read.SUFFIXES)
    assert not any(read.is_seed(Path(name)) for name in ("a.toml", ".a.json", "a.json.bak", "json"))
