"""rebuild --check: whether dataset/ is what seeds/ give, and which rows are not."""

from __future__ import annotations

import json

from building import ProjectFolder, mention, record
from conftest import Run
from dateline.compare import Differences
from dateline.engines import LocalEngine
from dateline.pipeline import check


def compared(folder: ProjectFolder) -> Differences:
    found = check(folder.project, LocalEngine(1))
    assert isinstance(found, Differences)
    return found


def test_a_dataset_that_is_what_its_seeds_give_differs_in_nothing(folder: ProjectFolder) -> None:
    folder.seed(*[record(f"a{n}", mentions=[mention("m1", 0, 3)]) for n in range(9)])
    folder.rebuild()
    before = folder.tree()
    assert not compared(folder)
    assert folder.tree() == before


def test_rows_that_differ_are_named_and_nothing_is_changed(folder: ProjectFolder) -> None:
    folder.settings("[tool.dateline.splits]", "quotas = {train = 1.0}")
    folder.seed(*[record(f"a{n}", mentions=[mention("m1", 0, 3), mention("m2", 8, 10)]) for n in range(4)])
    folder.rebuild()
    before = folder.tree()
    edited = record("a1", mentions=[mention("m1", 0, 3, "LOC"), mention("m3", 8, 10)])
    folder.seed(record("a0", mentions=[mention("m1", 0, 3), mention("m2", 8, 10)]), edited, record("a3"), record("a4"))
    found = compared(folder)
    mentions = [(r["row"], r["difference"]) for r in found.rows if r["table"] == "mentions"]
    assert mentions == [
        ("a1#m1", "changed"), ("a1#m2", "extra"), ("a1#m3", "missing"),
        ("a2#m1", "extra"), ("a2#m2", "extra"), ("a3#m1", "extra"), ("a3#m2", "extra"),
    ]  # fmt: skip
    assert [(r["row"], r["difference"]) for r in found.rows if r["table"] == "articles"] == [("a2", "extra"), ("a4", "missing")]
    assert folder.tree() == before


def test_edited_damaged_missing_and_stray_files_are_named(folder: ProjectFolder, dateline: Run) -> None:
    folder.seed(record("a1", mentions=[mention("m1", 0, 3)]), record("a2"))
    folder.rebuild()
    dataset = folder.root / "dataset"
    (dataset / "README.md").write_text("edited")
    (dataset / "stray.txt").write_text("x")
    next((dataset / "mentions").iterdir()).write_bytes(b"PAR1 cut short")
    next((dataset / "articles").iterdir()).unlink()
    found = compared(folder)
    assert found.changed[0] == "README.md" and found.changed[1].startswith("mentions/")
    assert found.extra == ["stray.txt"] and found.missing[0].startswith("articles/")
    done = dateline("rebuild", "--check", cwd=folder.root)
    assert done.returncode == 1 and "dataset/README.md  changed" in done.stdout and "mentions a1#m1  missing" in done.stdout
    assert "is not what the seeds give: 4 files and 3 rows differ; run dateline rebuild" in done.stderr
    told = json.loads(dateline("rebuild", "--check", "--json", cwd=folder.root).stdout)
    assert told["success"] is False and told["extra"] == ["stray.txt"]
    (dataset / "stray.txt").unlink()
    folder.rebuild(sweep=True)
    assert dateline("rebuild", "--check", cwd=folder.root).stdout == "dataset/ is what the seeds give\n"


def test_a_dataset_that_was_never_built_is_missing_whole(folder: ProjectFolder) -> None:
    folder.seed(record("a1"))
    found = compared(folder)
    assert {name.split("/")[0] for name in found.missing} == {"README.md", "manifest.json", "articles", "records"}
    assert not (folder.root / "dataset").exists()


def test_problems_of_the_seeds_come_first(folder: ProjectFolder, dateline: Run) -> None:
    folder.seed(record("a1", mentions=[mention("m1", 0, 99)]))
    done = dateline("rebuild", "--check", cwd=folder.root)
    assert done.returncode == 1 and "[span-inside-text]" in done.stderr
