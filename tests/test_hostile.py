"""Hostile input: refused with a clear line, in bounded memory, and never printed raw."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from building import MENTIONS, REPOSITORY, Json, ProjectFolder, mention, record
from dateline.compile.read import lines_of
from dateline.compile.seeds import check_files, seed_files
from dateline.errors import DatelineError, InputError, Place, Problem, printable
from dateline.project import find_project

MEASURED = """
import resource, sys
from pathlib import Path
from dateline.compile.seeds import check_files
from dateline.project import find_project
home = find_project(Path(sys.argv[1]))
(home.seeds / "small.json").write_text("{}")
check_files(home, [home.seeds / "small.json"])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = check_files(home, [home.seeds / sys.argv[2]]).problems
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, len(found), *[p.rule for p in found[:3]])
"""


def measured(folder: ProjectFolder, name: str) -> tuple[int, list[str]]:
    """MiB that checking a seed file took at most, beyond what checking a small one takes; the rules it breaks."""
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    command = [sys.executable, "-c", MEASURED, str(folder.root), name]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    memory, _, *rules = done.stdout.split()
    return int(memory), rules


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10**9)


def zeros(path: Path) -> None:
    with pa.CompressedOutputStream(str(path), "zstd") as stream:
        for _ in range(4096):
            stream.write(bytes(2**20))


def small_records(path: Path) -> None:
    line = json.dumps(record("a1", mentions=[mention("m1", 0, 3, remark="x" * 4000)])).encode() + b"\n"
    with pa.CompressedOutputStream(str(path), "zstd") as stream:
        for _ in range(40):
            stream.write(line * 250)


def many_faults(path: Path) -> None:
    path.write_text('{"article_id": "a1", "text": {"content": "x"}, "mentions": [' + "0," * 3_000_000 + "0]}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "make", "rules"),
    [
        ("line.jsonl", sparse, ["record-size"]),
        ("record.json", sparse, ["record-size"]),
        ("zeros.jsonl.zst", zeros, ["record-size"]),
        ("zeros.json.zst", zeros, ["record-size"]),
        ("faults.jsonl", many_faults, ["wrong-type", "too-many"]),
        ("faults.json", many_faults, ["wrong-type", "too-many"]),
    ],
)
def test_memory_is_bounded(folder: ProjectFolder, name: str, make: Any, rules: list[str]) -> None:
    make(folder.root / "seeds" / name)
    memory, found = measured(folder, name)
    assert found == rules
    assert memory < 600


@pytest.mark.slow
def test_small_records_that_expand_without_end_are_refused(folder: ProjectFolder) -> None:
    small_records(folder.root / "seeds" / "bomb.jsonl.zst")
    found = folder.rebuild().problems
    assert "expansion" in {p.rule for p in found}


def problems(folder: ProjectFolder, made: Json | str, name: str = "a.json") -> list[tuple[str, str]]:
    text = made if isinstance(made, str) else json.dumps(made)
    (folder.root / "seeds" / name).write_text(text, encoding="utf-8")
    return [(p.rule, p.place.pointer) for p in check_files(folder.project, [folder.root / "seeds" / name]).problems]


@pytest.mark.parametrize("depth", [100, 260, 500, 900, 100_000])
@pytest.mark.parametrize("escape", ["", "\\u0041"])
def test_deep_nesting_is_a_problem(folder: ProjectFolder, depth: int, escape: str) -> None:
    for deep in ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
        text = f'{{"article_id": "a1", "text": {{"content": "x{escape}"}}, "mentions": {deep}}}'
        found = problems(folder, text)
        assert [rule for rule, _ in found] == ["wrong-type" if depth == 100 else "json-syntax"]
        assert folder.rebuild().manifest is None


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "a\\b", "CON", "nul.x", "com1", ".", "..", ".a", "a\n", "a\u202eb", "", "a" * 129]
)
def test_ids_that_are_no_file_names_are_refused(folder: ProjectFolder, name: str) -> None:
    assert problems(folder, record(name)) == [("bad-value", "$.article_id")]


@pytest.mark.parametrize("name", ["a", "console", "con-1", "a..b", "A_1.2-3", "a" * 128])
def test_other_ids_are_taken(folder: ProjectFolder, name: str) -> None:
    assert problems(folder, record(name)) == []


def test_most_faults_of_a_record_are_listed_and_the_rest_counted_as_one(folder: ProjectFolder) -> None:
    made = record("a1", mentions=[mention(f"m{n}", 0, 99) for n in range(500)])
    found = problems(folder, made)
    assert len(found) == 201 and found[-1] == ("too-many", "$")
    assert {rule for rule, _ in found[:-1]} == {"span-inside-text"}


def test_a_message_never_quotes_megabytes(folder: ProjectFolder) -> None:
    long, path = "k" * 10**6, folder.root / "seeds" / "a.json"
    faulty = (
        record("a1") | {long: 1},
        record("a1", mentions=[mention("m1", 0, 3, parent_id=long)]),
        f'{{"{long}": 1, "{long}": 2}}',
    )
    for made in faulty:
        path.write_text(made if isinstance(made, str) else json.dumps(made))
        for fault in check_files(folder.project, [path]).problems:
            assert len(str(fault)) < 3000


def test_long_chains_of_references_are_followed_once(folder: ProjectFolder) -> None:
    items = [mention(f"m{n}", 0, 3, parent_id=f"m{n + 1}" if n < 19_999 else None) for n in range(20_000)]
    assert problems(folder, record("a1", mentions=items)) == []
    items[-1]["parent_id"] = "m19990"
    found = problems(folder, record("a1", mentions=items))
    assert found == [("reference-cycle", f"$.mentions[{n}].parent_id") for n in range(19_990, 20_000)]


def test_lines_are_found_whatever_the_layout() -> None:
    value = {'a"\\b': [1, {"c": 'x,]}\\"'}, [[], {}, [2]]], "é": {"d": None, "e": -1.5e3}}
    for text in (json.dumps(value, indent="\t"), json.dumps(value, indent=0, ensure_ascii=False), json.dumps(value)):
        raw = text.encode()
        rows = text.split("\n")
        last = '"é"' if "é" in text else '"\\u00e9"'
        cases: tuple[tuple[list[str | int], str], ...] = (
            (['a"\\b', 1, "c"], '"c"'),
            (['a"\\b', 2, 2, 0], "2"),
            (["é", "e"], '"e"'),
            (["é"], last),
        )
        for steps, mark in cases:
            (line,) = lines_of(raw, [steps])
            assert mark in rows[line - 1]
    assert lines_of(b'{"a": [1]}', [["b"], ["a", 5], ["a", "x"], []]) == [1, 1, 1, 1]


@pytest.mark.parametrize("number", [10**30, 10**400, 2**53 + 1])
def test_integers_that_a_float_column_cannot_hold_are_refused(folder: ProjectFolder, number: int) -> None:
    weight = {"type": ["number", "null"], "description": "A number."}
    folder.schema("mentions", {**MENTIONS, "properties": {**MENTIONS["properties"], "weight": weight}})
    made = record("a1", mentions=[mention("m1", 0, 3, weight=number)])
    assert problems(folder, made) == [("number-precision", "$.mentions[0].weight")]


def test_whole_numbers_written_with_a_point_are_refused(folder: ProjectFolder) -> None:
    assert problems(folder, record("a1", mentions=[mention("m1", 0.0, 3)])) == [  # type: ignore[arg-type]
        ("wrong-type", "$.mentions[0].spans[0]")
    ]
    made = record("a1")
    made["text"]["n_code_points"] = 19.0
    assert problems(folder, made) == [("wrong-type", "$.text.n_code_points")]


# ---- links -------------------------------------------------------------------------------------------------


def test_links_in_seeds_lead_to_files_of_the_project_or_nowhere(folder: ProjectFolder, tmp_path_factory: Any) -> None:
    folder.seed(record("a1"))
    seeds = folder.root / "seeds"
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.jsonl").write_text(json.dumps(record("b1")))
    (folder.root / "kept").mkdir()
    (folder.root / "kept" / "y.jsonl").write_text(json.dumps(record("c1")))
    link = seeds / "z.jsonl"
    for target, says in (
        (outside / "x.jsonl", "is a symbolic link out of the project"),
        (outside / "gone.jsonl", "is a symbolic link to nothing"),
        (link, "is a symbolic link to nothing"),
    ):
        link.symlink_to(target)
        with pytest.raises(InputError, match=says):
            folder.rebuild()
        link.unlink()
    (seeds / "sub").symlink_to(outside, target_is_directory=True)
    with pytest.raises(InputError, match="is a symbolic link to a folder"):
        folder.rebuild()
    (seeds / "sub").unlink()
    os.mkfifo(link)
    with pytest.raises(InputError, match="is no regular file"):
        folder.rebuild()
    link.unlink()
    link.symlink_to(folder.root / "kept" / "y.jsonl")
    assert [p.name for p in seed_files(folder.project)] == ["a.jsonl", "z.jsonl"]
    rebuilt = folder.rebuild()
    assert rebuilt.manifest and rebuilt.manifest.tables["articles"].rows == 2


# ---- what reaches a terminal -----------------------------------------------------------------------------------

NASTY = "\x1b[2J\x07\u202eevil\u2028\x9b31m"


def test_controls_and_bidi_marks_never_reach_a_terminal(folder: ProjectFolder, dateline: Any) -> None:
    folder.seed(record("a1", mentions=[mention("m1", 0, 3, NASTY)]), record(NASTY), name=f"b{NASTY}.jsonl")
    for words in (
        ["check"],
        ["rebuild"],
        ["check", "--json"],
        ["rebuild", "--json"],
        ["check", f"no{NASTY}"],
        ["import", f"no{NASTY}"],
    ):
        done = dateline(*words, cwd=folder.root)
        assert done.returncode == (2 if f"no{NASTY}" in words else 1), done.stderr
        assert "evil" in done.stdout + done.stderr
        assert all(line.isprintable() for line in (done.stdout + done.stderr).split("\n"))
        if "--json" in words:
            told = json.loads(done.stdout)["problems"]
            assert NASTY in told[0]["file"] and len(told) == 2


def test_a_file_name_that_is_no_unicode_is_refused(folder: ProjectFolder, dateline: Any) -> None:
    folder.seed(record("a1"))
    os.rename(folder.root / "seeds" / "a.jsonl", os.fsencode(folder.root / "seeds") + b"/b\xff.jsonl")
    for words in (["check"], ["rebuild"]):
        done = dateline(*words, cwd=folder.root)
        assert done.returncode == 2 and "b\\udcff.jsonl: has a name that is not valid UTF-8" in done.stderr


def test_labels_of_a_dataset_are_printed_escaped(folder: ProjectFolder, dateline: Any) -> None:
    schema: Json = json.loads((folder.root / "schemas" / "mentions.schema.json").read_text())
    schema["properties"]["label"]["enum"].append(NASTY)
    folder.schema("mentions", schema)
    folder.seed(record("a1", mentions=[mention("m1", 0, 3, NASTY)]))
    folder.rebuild()
    for words in (["stats", "--labels"], ["stats", "--json"], ["doctor"]):
        done = dateline(*words, cwd=folder.root)
        assert done.returncode == 0 and all(line.isprintable() for line in (done.stdout + done.stderr).split("\n"))


def test_printable_keeps_what_people_write() -> None:
    for text in ("Größe 漢字 العربية עברית 😀 é", "", "a b"):
        assert printable(text) == text
    assert printable("a\nb\x1b\u202e\udcff") == "a\\nb\\x1b\\u202e\\udcff"
    assert str(Problem(Place("a\n.json", 1), "utf8", "says \x07")) == "a\\n.json:1  says \\x07  [utf8]"


def test_a_broken_manifest_is_said_plainly(folder: ProjectFolder) -> None:
    folder.seed(record("a1"))
    folder.rebuild()
    path = folder.root / "dataset" / "manifest.json"
    whole = json.loads(path.read_bytes())
    for broken in ("[" * 100_000, "{", "[]", json.dumps({**whole, "tables": {"articles": {}}}), json.dumps({**whole, "card": 1})):
        path.write_text(broken)
        with pytest.raises(DatelineError, match=r"manifest\.json: (is no manifest|has format)"):
            __import__("dateline").load(source=find_project(folder.root).dataset)
