"""Anchors: real news annotated by the same guideline, kept as stand-off records: our annotation, without their words.

python corpus/anchors.py check DRAFT.toml ...               # drafts in the notation; they hold the words, and stay elsewhere
python corpus/anchors.py write DRAFT.toml ... --out FOLDER  # the stand-off records
python corpus/anchors.py texts GUM_FOLDER --out FOLDER      # the texts, from GUM's files, for `dateline hydrate --texts FOLDER`
python corpus/anchors.py project GUM_FOLDER --out FOLDER    # a copy of this project for yourself: views have the anchors, too
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import orjson

from dateline.compile.seeds import read_tables
from dateline.compile.signature import add_signature, signing_of
from dateline.document import Document
from dateline.importers import importer
from dateline.incoming import Incoming
from dateline.project import Project, find_project
from dateline.record_files import Staged, encode
from dateline.schema import Layer, Schemas, load_schemas
from notation import Fault, Json, Made, Origin, adjudicated_articles, as_adjudicated, make

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {
    "asylum": "Over_900_asylum_seekers_rescued_off_Indonesian_coast",
    "crane": "At_least_107_killed_in_Mecca_crane_collapse",
    "flag": "New_Zealand_begins_process_to_consider_changing_national_flag_design",
    "hackers": "Hackers_attack_Church_of_Scientology_website",
    "homeopathic": "Parents_prosecuted_after_homeopathic_treatment_leads_to_daughter%27s_death",
    "imprisoned": "Australian_woman_claims_Church_of_Scientology_imprisoned_her_for_twelve_years",
    "korea": "North_Korea_puts_military_in_%27quasi-state_of_war%27",
    "lanterns": "Lantern_Festival_in_Taipei_lights_up_the_night",
    "stampede": "Hundreds_dead_in_Hajj_stampede",
    "taxes": "Local_municipalities_in_Italy_ask_taxes_from_religious_schools",
    "warming": "Scientists_analyse_effects_of_global_warming,_atmospheric_ozone_on_crops",
    "worship": "Greek_court_rules_worship_of_ancient_Greek_deities_is_legal",
}
"""The documents of GUM that are annotated, each with the name of its article in Wikinews."""


def origin_of(name: str, annotator: str) -> Origin:
    """Article fields of an anchor: whose text it is, under which licence, and how to come by it."""
    url = f"https://en.wikinews.org/wiki/{SOURCES[name]}"
    return Origin(
        {
            "tier": "ANCHOR", "genre": "news_web", "fictional": False, "origin": "WIRE",
            "source": {"url": url, "retrieved_from": f"GUM (Georgetown University Multilayer Corpus), GUM_news_{name}.conllu"},
            "rights": {
                "text_redistributable": False, "text_license": "CC-BY-2.5", "annotation_license": "CC-BY-4.0",
                "rights_holder": "Wikinews contributors", "evidence_url": "https://en.wikinews.org/wiki/Wikinews:Copyright",
                "rights_note": "The text is open, and left out here so that hydrating can be tried on freely obtainable text.",
            },
        },
        annotator, created="2026-11-28", kb_status="unlinked",
    )  # fmt: skip


def read_draft(path: Path, annotator: str, schemas: Schemas, tables: Mapping[str, Set[str]]) -> Made:
    """The record of a draft, with its words. Problems quote none of them."""
    try:
        doc = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        return Made(None, [f"{path.name}: {fault}"])
    name = path.stem
    if name not in SOURCES:
        return Made(None, [f"{path.name}: is no anchor; there are {', '.join(SOURCES)}"])
    if doc.get("story") != f"wikinews-{name}":
        return Made(None, [f"{path.name}: story is {doc.get('story')!r}, expected wikinews-{name}"])
    try:
        return make(doc, origin_of(name, annotator), schemas, tables, path.name)
    except Fault as fault:
        return Made(None, [f"{path.name}: {fault}"])


def stand_off(record: Json, schemas: Schemas, project: Project) -> Json:
    """The record without the words of its text: offsets, labels and names stay, and a signature by which copies are found."""
    add_signature(record, signing_of(project.settings.splits))
    said = {**record, "text": {**record["text"], "content": None}, "headline": None}
    for layer in schemas.layers.values():
        if layer.name in said:
            said[layer.name] = [_without_words(item, layer) for item in said[layer.name]]
    return said


def _without_words(item: Json, layer: Layer) -> Json:
    withheld = {f.path[0] for f in layer.fields if f.schema.get("x-withheld")}
    return {key: None if key in withheld else _plain_spans(value) for key, value in item.items()}


def _plain_spans(value: Any) -> Any:
    if isinstance(value, dict) and {"start", "end"} <= value.keys():
        return {"start": value["start"], "end": value["end"]}
    return [_plain_spans(one) for one in value] if isinstance(value, list) else value


def texts(gum: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each anchor, from the CoNLL-U files of GUM."""
    for name in SOURCES:
        file = f"GUM_news_{name}.conllu"
        for document in importer("conllu").documents(
            Incoming(gum, [file], {"offsets": "code_points", "encoding": "utf-8", "tokens": False, "ner": "NER"})
        ):
            if not isinstance(document, Document):
                raise Fault(f"{file}: cannot be read")
            yield name, document.text


def local_project(gum: Path, out: Path) -> int:
    """A copy of this project with the words of the anchors in their records, which their licence (CC BY 2.5) allows; how many."""
    for name in ("schemas", "seeds", "examples"):  # without the suites: anchors have no propositions
        shutil.copytree(ROOT / name, out / name)
    shutil.copy(ROOT / "pyproject.toml", out)
    (out / ".gitignore").write_text("*\n")
    ids = article_ids(ROOT / "seeds" / "articles")
    for name, text in texts(gum):
        path = out / "seeds" / "articles" / f"{ids[name]}.json"
        record = orjson.loads(path.read_bytes())
        record["text"]["content"] = text
        record["rights"]["text_redistributable"] = True
        path.write_bytes(encode(record))
    return len(ids)


def article_ids(folder: Path) -> dict[str, str]:
    """The article id of each anchor, from the records in a folder."""
    found = {}
    for path in sorted(folder.glob("wikinews-*.json")):
        record = orjson.loads(path.read_bytes())
        found[record["group"].removeprefix("wikinews-")] = record["article_id"]
    return found


def main() -> int:
    """Check drafts, write their records, or take the texts out of GUM. 1 if anything is wrong."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("what", choices=("check", "write", "texts", "project"))
    words.add_argument("paths", nargs="+", type=Path)
    words.add_argument("--out", type=Path, default=ROOT / "seeds" / "articles")
    words.add_argument("--annotator", default="model-5")
    said = words.parse_args()
    if said.what == "texts":
        said.out.mkdir(parents=True, exist_ok=True)
        ids = article_ids(ROOT / "seeds" / "articles")
        for name, text in texts(said.paths[0]):
            if name in ids:
                (said.out / f"{ids[name]}.txt").write_bytes(text.encode())
        print(f"wrote {len(ids)} texts to {said.out}")
        return 0
    if said.what == "project":
        print(f"made {said.out} with {local_project(said.paths[0], said.out)} anchors; now: dateline rebuild -C {said.out}")
        return 0
    return _drafts(said.what, said.paths, said.out, said.annotator)


def _drafts(what: str, paths: Sequence[Path], out: Path, annotator: str) -> int:
    project = find_project(ROOT)
    schemas = load_schemas(project.schemas)
    tables = read_tables(project, schemas).keys
    records = []
    wrong = False
    for path in paths:
        made = read_draft(path, annotator, schemas, tables)
        for fault in made.problems:
            print(fault)
        wrong |= bool(made.problems)
        if made.record is not None and not made.problems:
            counts = ", ".join(f"{len(made.record[layer])} {layer}" for layer in schemas.layers if made.record.get(layer))
            print(f"ok {path.stem}: {counts}")
            twice = made.record["article_id"] in adjudicated_articles()
            records.append(stand_off(as_adjudicated(made.record) if twice else made.record, schemas, project))
    if wrong or what == "check":
        return int(wrong)
    with Staged(out, str(out)) as staged:
        for record in records:
            staged.add(f"{record['article_id']}.json", encode(record))
        staged.place()
    print(f"wrote {len(records)} records")
    return 0


if __name__ == "__main__":
    sys.exit(main())
