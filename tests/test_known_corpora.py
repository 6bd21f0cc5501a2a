"""The shipped mappings on the corpora that they are for, read in place: all that their authors count is found, and lands."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from building import Json, ProjectFolder, shared
from dateline.converting import Converted, convert_files
from dateline.mapping.file import read_mapping
from dateline.schema import load_schemas

KNOWN = Path(str(resources.files("dateline") / "known_corpora"))


@dataclass
class Import:
    """A corpus imported into a project of its own, by its shipped mapping."""

    folder: ProjectFolder
    result: Converted

    def records(self) -> list[Json]:
        paths = sorted((self.folder.root / "seeds" / "articles").glob("*.json"))
        return [json.loads(p.read_bytes()) for p in paths]


def imported(root: Path, corpus: str, *source: str, **options: Any) -> Import:
    """The corpus of a folder of shared/corpora; skips where it is not at hand."""
    path = shared() / "corpora" / Path(*source)
    if not path.is_dir():
        pytest.skip(f"the corpus {corpus} is not at hand")
    folder = ProjectFolder(root)
    (root / "schemas" / "mentions.schema.json").unlink()
    shutil.copytree(KNOWN / corpus, root, dirs_exist_ok=True)
    folder.settings("[tool.dateline.splits]", 'mode = "given"')
    schemas = load_schemas(folder.project.schemas)
    mapping = read_mapping(root / "mapping.toml", schemas)
    result = convert_files(folder.project, schemas, mapping, [path], root / "seeds" / "articles", **options)
    assert result.account.balance() == {}
    return Import(folder, result)


def test_meantime(tmp_path: Path) -> None:
    done = imported(tmp_path, "meantime", "meantime", "intra-doc_annotation")
    count = done.result.account
    assert (done.result.documents, count.ignored) == (120, {})
    kinds = ("ENTITY_MENTION", "EVENT_MENTION", "VALUE", "HAS_PARTICIPANT")
    # two participants hang on markables that their file does not have; one mention is anchored nowhere
    assert [(count.found[k], count.imported[k]) for k in kinds] == [(2867, 2866), (2107, 2107), (418, 418), (1973, 1971)]
    assert sum(count.rejected[k] for k in count.rejected if "." not in k and ":" not in k) == done.result.n_rejections == 14
    [record] = [r for r in done.records() if r["article_id"] == "126311"]
    [coverage] = [c for c in record["coverage"] if c["layer"] == "events"]
    [region] = coverage["regions"]
    assert coverage["status"] == "PARTIAL" and region["start"] == 0
    words = record["text"]["content"][: region["end"]]
    assert words.count("\n") == 5 and len(words) < len(record["text"]["content"])


@pytest.mark.slow
def test_gnqa(tmp_path: Path) -> None:
    done = imported(tmp_path, "gnqa", "gnqa")
    count = done.result.account
    types = ("Indirect", "Direct", "Reported", "IndirectFreeIndirect", "FreeIndirect")
    assert (done.result.documents, count.ignored, done.result.warnings) == (850, {}, [])
    # five frames list spans that overlap
    assert {k: count.rejected[k] for k in types if count.rejected[k]} == {"Direct": 3, "Indirect": 2}
    assert (count.spans_checked, count.spans_mismatched) == (12_125, 0)
    rejected = Counter((r.place.file.split("/")[-2], r.type) for r in done.result.rejections)
    landed = Counter((r["split"], q["quotation_type"]) for r in done.records() for q in r["quotations"])
    found = {kind: landed["train", kind] + rejected["train", kind] for kind in types}
    assert found == dict(zip(types, (1541, 604, 297, 316, 119), strict=True)) and sum(found.values()) == 2877
    assert sum(landed["validation", kind] + rejected["dev", kind] for kind in types) == 653
    assert Counter(r["split"] for r in done.records()) == {"train": 700, "validation": 150}


def test_gum_news(tmp_path: Path) -> None:
    done = imported(tmp_path, "gum-news", "gum-news")
    count = done.result.account
    assert (done.result.documents, count.rejected, done.result.warnings) == (24, {}, [])
    summaries = {f"document.summary{n}" for n in range(1, 6)}
    assert set(count.ignored) == {"document.global.Entity", "document.salientEntities", "document.speakerCount"} | summaries
    assert [count.imported[k] for k in ("Entity", "Cluster", "Bridge", "SplitAnte")] == [5018, 2746, 251, 5]
    splits = Counter(r["split"] for r in done.records())
    assert splits == {"train": 20, "validation": 2, "test": 2}


@pytest.mark.parametrize("corpus", sorted(p.name for p in KNOWN.iterdir() if p.is_dir()))
def test_every_shipped_mapping_fits_its_schemas(corpus: str) -> None:
    mapping = read_mapping(KNOWN / corpus / "mapping.toml", load_schemas(KNOWN / corpus / "schemas"))
    assert set(mapping.all_layers) == set(mapping.layers)
