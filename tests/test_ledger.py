"""The ledger: what is written is read again, and what somebody else changed is refused with its line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building import ProjectFolder, record
from dateline import ledger
from dateline.errors import ProjectError
from dateline.ledger import Articles, Entry, Ledger, Mark, Release, RowEntry, read_ledger

RELEASE = Release("0.1.0", "2026-11-28", "minor", "c" * 64, "d" * 64, 2, {"1": 0})
GONE = Entry("a2", "test", "g", 1, "0.1.0", None, "r", "t", Mark("asked for by the publisher", "2026-11-28"))
LEDGER = Ledger(
    (RELEASE,),
    {("measures", "DEAD"): RowEntry("measures", "DEAD", "0.1.0")},
    {"a1": Entry("a1", "train", "a1", 1, "0.1.0"), "a2": GONE},
)

words = st.text(max_size=8)
marks = st.none() | st.builds(Mark, words, words, st.none() | words)
entries = st.builds(
    Entry, words, words, words, st.integers(0, 99), words, st.none() | words, st.none() | words, st.none() | words, marks
)
releases = st.builds(
    Release,
    words,
    words,
    words,
    words,
    words,
    st.integers(0, 9),
    st.dictionaries(st.integers(1, 9).map(str), st.integers(0, 4)),
    marks,
)
rows = st.builds(RowEntry, words, words, words, st.none() | words)


@given(st.lists(releases, max_size=3), st.lists(rows, max_size=3), st.lists(entries, max_size=3))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, some: list[Release], row: list[RowEntry], of: list[Entry]
) -> None:
    ledger = Ledger(tuple(some), {(r.table, r.row): r for r in row}, {e.article_id: e for e in of})
    path = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    path.write_bytes(ledger.encode())
    assert read_ledger(path) == ledger
    assert read_ledger(path).encode() == ledger.encode()


digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
varied = st.builds(
    Entry, words, words, words, st.integers(0, 99), words, st.none() | words, st.none() | digests | words,
    st.none() | digests | digests.map(str.upper), marks,
)  # fmt: skip


@given(st.lists(varied, max_size=12), words, st.integers(1, 5))
def test_articles_are_what_their_entries_are_whatever_their_order(of: list[Entry], another: str, at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ledger, "_AT_ONCE", at_once)
        articles, last = Articles(of), {entry.article_id: entry for entry in of}
        assert articles == last and len(articles) == len(last) and list(articles) == sorted(last)
        assert list(articles.entries()) == [last[i] for i in sorted(last)]
        assert articles.get(another) == last.get(another)
        some = {*list(last)[::2], another}
        assert list(articles.among(pa.array(sorted(some, reverse=True), pa.large_string()))) == [
            last[i] for i in sorted(some & last.keys())
        ]
        assert articles.retracted == {i: entry for i, entry in last.items() if entry.retracted}
        assert Ledger(articles=articles).encode() == Ledger(articles=last).encode()


def test_an_entry_takes_the_memory_of_its_columns() -> None:
    def allocated(count: int) -> int:
        before = int(pa.total_allocated_bytes())
        ids = (f"easternregister-20270325-{n:012}" for n in range(count))
        articles = Articles(Entry(i, "train", f"story-{i[-7:]}", 1, "0.1.0", None, "a" * 64, "b" * 64) for i in ids)
        assert len(articles) == count
        return int(pa.total_allocated_bytes()) - before

    assert (allocated(60_000) - allocated(20_000)) / 40_000 < 250  # as objects over 600 bytes


@pytest.mark.parametrize("value", ["3", '"\\ud800"', "[]"])
def test_a_value_that_no_ledger_holds_is_told_though_the_digest_fits(tmp_path: Path, value: str) -> None:
    lines = LEDGER.encode().partition(b"\n")[2].replace(b'"split": "train"', f'"split": {value}'.encode())
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(json.dumps({"ledger": 1, "sha256": hashlib.sha256(lines).hexdigest()}).encode() + b"\n" + lines)
    with pytest.raises(ProjectError, match=r"ledger\.jsonl: holds an article that is no entry of a ledger") as told:
        read_ledger(path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_lines_that_another_system_ended_are_counted_alike(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "ledger.jsonl"
    head, _, lines = LEDGER.encode().decode().partition("\n")
    path.write_bytes(f"{head}\n{lines.replace(chr(10), ends)}".encode())
    with pytest.raises(ProjectError, match="is not as it was written"):
        read_ledger(path)
    path.write_bytes(path.read_bytes().replace(b'"train"', b"train"))
    with pytest.raises(ProjectError, match=r"ledger\.jsonl:4 is no line of a ledger"):
        read_ledger(path)


def test_no_ledger_is_an_empty_one(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "ledger.jsonl") == Ledger()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"split": "train"', '"split": "test"', "is not as it was written"),
        ('"split": "train"', '"split": 3', "ledger.jsonl:4 is no line of a ledger: split is 3, but must be a string"),
        ('"split": "train", ', "", "ledger.jsonl:4 is no line of a ledger: split is not there"),
        ('"split": "train"', '"spilt": "train"', "ledger.jsonl:4 is no line of a ledger"),
        ('{"article_id": "a1"', '["a1"', "ledger.jsonl:4 is no line of a ledger"),
        ('"ledger": 1', '"ledger": 7', "ledger.jsonl:1 is no line of a ledger"),
        ('"reason": ', '"season": ', "ledger.jsonl:5 is no line of a ledger"),
    ],
)
def test_other_hands_are_found(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "ledger.jsonl"
    text = LEDGER.encode().decode()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ProjectError) as told:
        read_ledger(path)
    assert says in str(told.value) and "\n" not in str(told.value)


def test_a_line_taken_out_is_found(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"".join(LEDGER.encode().splitlines(keepends=True)[:-1]))
    with pytest.raises(ProjectError, match="another digest"):
        read_ledger(path)


def released(folder: ProjectFolder, *entries: Entry) -> None:
    folder.project.ledger.write_bytes(Ledger(articles={e.article_id: e for e in entries}).encode())


def test_what_was_retracted_does_not_come_back_by_id_nor_by_text(folder: ProjectFolder) -> None:
    folder.seed(record("a1"), record("a2", text="Bo left."))
    text = hashlib.sha256(b"Bo left.").hexdigest()
    released(folder, Entry("a9", "train", "a9", 1, "0.1.0", None, None, text, Mark("wrong author", "2026-11-28", "0.2.0")))
    done = folder.rebuild()
    assert [(p.rule, p.says) for p in done.problems] == [
        ("retracted", "article 'a2' has the text of 'a9', which was retracted (wrong author)")
    ]
    released(folder, Entry("a1", "train", "a1", 1, "0.1.0", None, None, None, Mark("wrong author", "2026-11-28")))
    done = folder.rebuild()
    assert [(p.rule, p.says, p.place.file) for p in done.problems] == [
        ("retracted", "article 'a1' was retracted (wrong author)", "seeds/a.jsonl")
    ]


def test_a_released_article_that_is_in_no_file_is_told(folder: ProjectFolder) -> None:
    folder.seed(record("a1"))
    released(folder, Entry("a1", "test", "a1", 1, "0.1.0"), Entry("a2", "train", "a2", 1, "0.1.0"))
    done = folder.rebuild()
    assert [(p.rule, p.says) for p in done.warnings] == [("released-missing", "article 'a2', released in 0.1.0, is in no file")]
    assert done.manifest is not None and done.manifest.tables["articles"].splits == {"test": 1}


def test_released_shards_are_cut_as_they_were(folder: ProjectFolder) -> None:
    folder.seed(*(record(f"a{n}") for n in range(8)))
    entries = {f"a{n}": Entry(f"a{n}", "train", "g", 1, "0.1.0") for n in range(8)}
    folder.project.ledger.write_bytes(Ledger((RELEASE.__class__(**{**RELEASE_PLAIN, "bits": {"1": 2}}),), {}, entries).encode())
    done = folder.rebuild()
    assert done.manifest is not None
    assert {file["path"].split("-b")[1][:2] for file in done.manifest.tables["articles"].files} > {"00"}
    assert done.manifest.version == "0.0.0" and done.manifest.tables["articles"].rows == 8


RELEASE_PLAIN = {name: getattr(RELEASE, name) for name in Release.__slots__}


def test_only_release_sets_the_version(folder: ProjectFolder) -> None:
    folder.seed(record("a1"))
    folder.settings('version = "1.2.0"')
    with pytest.raises(
        ProjectError, match=r"version is 1\.2\.0, but the last release is none yet; only `dateline release` sets it"
    ):
        folder.rebuild()
