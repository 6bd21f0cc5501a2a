"""From a row's id back to its seed."""

from __future__ import annotations

import json

from building import ProjectFolder, mention, record
from dateline.compile.locate import locate
from dateline.project import find_project
from dateline.schema import load_schemas


def test_a_row_is_found_by_file_line_and_pointer(folder: ProjectFolder) -> None:
    folder.seed(record("a0"), record("a1", mentions=[mention("m1", 0, 3), mention("m2", 8, 10)]))
    whole = folder.root / "seeds" / "b.json"
    whole.write_text(json.dumps(record("b1", mentions=[mention("m1", 0, 3)]), indent=1))
    project = find_project(folder.root)
    found = locate(
        project,
        load_schemas(project.schemas),
        [("mentions", "a1#m2"), ("articles", "a1"), ("mentions", "b1#m1"), ("mentions", "a1#m9"), ("articles", "zz")],
    )
    assert str(found["mentions", "a1#m2"].place) == "seeds/a.jsonl:2 $.mentions[1]"
    assert found["mentions", "a1#m2"].snippet == "    Ana met Bo in Rome.\n            ^^"
    assert str(found["articles", "a1"].place) == "seeds/a.jsonl:2"
    place = found["mentions", "b1#m1"].place
    assert place.pointer == "$.mentions[0]"
    lines = whole.read_text().splitlines()
    assert lines[place.line - 1].strip() == "{"
    assert "mention_id" in lines[place.line]
    assert str(found["mentions", "a1#m9"].place) == "seeds/a.jsonl:2", "a row that is not there any more leads to its record"
    assert ("articles", "zz") not in found


def test_a_withheld_text_is_not_drawn(folder: ProjectFolder) -> None:
    kept = record("a1", mentions=[mention("m1", 0, 3)], rights={"text_redistributable": False})
    folder.seed(kept)
    project = find_project(folder.root)
    found = locate(project, load_schemas(project.schemas), [("mentions", "a1#m1")])
    assert found["mentions", "a1#m1"].snippet is None
