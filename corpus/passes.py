"""A second pass over articles, made without sight of the first: checked, and kept as records for `dateline agreement`.

python corpus/passes.py check DRAFT.toml ...                     # drafts in the notation, without a ledger
python corpus/passes.py write DRAFT.toml ... --out FOLDER        # their records
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tomllib
from pathlib import Path

from dateline.compile.seeds import read_tables
from dateline.project import find_project
from dateline.record_files import Staged, encode
from dateline.schema import load_schemas
from notation import Made, make
from stories import ORIGIN, ROOT


def main() -> int:
    """Check drafts, or write their records. 1 if anything is wrong."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("what", choices=("check", "write"))
    words.add_argument("paths", nargs="+", type=Path)
    words.add_argument("--out", type=Path, default=ROOT / "annotations" / "second")
    words.add_argument("--annotator", default="model-6")
    said = words.parse_args()
    project = find_project(ROOT)
    schemas = load_schemas(project.schemas)
    tables = read_tables(project, schemas).keys
    origin = dataclasses.replace(ORIGIN, annotator=said.annotator)
    records = []
    for path in said.paths:
        try:
            made = make(tomllib.loads(path.read_text(encoding="utf-8")), origin, schemas, tables, path.name)
        except (OSError, ValueError) as fault:
            made = Made(None, [f"{path.name}: {fault}"])
        for line in made.problems:
            print(line)
        if made.record is not None and not made.problems:
            print(f"ok {path.stem}: " + ", ".join(f"{len(made.record[n])} {n}" for n in schemas.layers if made.record.get(n)))
            records.append(made.record)
    if len(records) < len(said.paths):
        return 1
    if said.what == "write":
        with Staged(said.out, str(said.out)) as staged:
            for record in records:
                staged.add(f"{record['article_id']}.json", encode(record))
            staged.place()
        print(f"wrote {len(records)} records")
    return 0


if __name__ == "__main__":
    sys.exit(main())
