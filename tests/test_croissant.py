"""croissant.json is valid, and its own reader gives the records that `datasets` gives."""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from building import THOROUGH, ProjectFolder, mention, record
from dateline.describe.croissant import spdx
from dateline.licences import read_licences
from dateline.project import Project
from dateline.publication import Staged, stage
from released import released


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory, released_flagship: Project) -> Staged:
    """A release of some articles of this corpus."""
    return stage(released_flagship, tmp_path_factory.mktemp("croissant") / "v")


def croissant_of(staged: Staged) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((staged.folder / "croissant.json").read_bytes())
    return found


# ---- what it says --------------------------------------------------------------------------------------------


def test_every_data_file_is_named_with_its_digest_and_nothing_else(corpus: Staged) -> None:
    nodes = croissant_of(corpus)["distribution"]
    files = {n["contentUrl"]: (n["sha256"], n["contentSize"]) for n in nodes if n["@type"] == "cr:FileObject"}
    data = [file for table in corpus.manifest.tables.values() for file in table.files]
    assert files == {file["path"]: (file["sha256"], f"{file['bytes']} B") for file in data}
    assert not any("containedIn" in node for node in nodes)  # such sets validate and cannot be loaded


def test_fields_are_those_of_the_features_with_their_meaning_and_labels(corpus: Staged) -> None:
    sets = {one["@id"]: one for one in croissant_of(corpus)["recordSet"]}
    for name, table in corpus.manifest.tables.items():
        left_out = sets[name]["description"].partition("In the Parquet files alone: ")[2]
        fields = {field["name"]: field for field in sets[name]["field"]}
        for feature in table.features:
            assert feature["name"] in fields or feature["name"] in left_out, (name, feature["name"])
        assert all(field.get("description") for field in fields.values())
    label = {field["name"]: field for field in sets["figures"]["field"]}["certainty"]
    assert label["description"].endswith("One of CT, PR, PS, U.")
    assert sets["mentions"]["key"] == [{"@id": "mentions/article_id"}, {"@id": "mentions/mention_id"}]
    entity = {field["name"]: field for field in sets["mentions"]["field"]}["entity_id"]
    assert entity["description"].endswith("Names a row of `entities`.")


def test_it_is_honest_about_who_wrote_it_and_names_its_licences(corpus: Staged) -> None:
    said = croissant_of(corpus)
    assert said["license"] == ["https://spdx.org/licenses/CC-BY-4.0"] and said["version"] == corpus.version
    assert "written by a language model" in said["rai:dataCollection"] and "adjudicated" in said["rai:annotationsPerItem"]
    assert "LicenseRef-AP-AllRightsReserved (1)" in said["description"] and "code: Apache-2.0" in said["description"]
    claims = next(node for node in said["distribution"] if node["@id"] == "claims-files")
    assert claims["license"] == ["https://spdx.org/licenses/CC-BY-4.0"]


def test_provenance_names_inputs_tool_and_commit(corpus: Staged) -> None:
    said = croissant_of(corpus)
    sources = {one["name"]: one for one in said["prov:wasDerivedFrom"]}
    assert {name: sources[name]["sha256"] for name in ("records", "schemas")} == corpus.manifest.inputs
    agents = {one["name"]: one["version"] for one in said["prov:wasGeneratedBy"]["prov:wasAssociatedWith"]}
    assert agents == corpus.manifest.writer


def test_what_settings_do_not_say_is_left_out(folder: ProjectFolder, tmp_path: Path) -> None:
    said = croissant_of(stage(released(folder), tmp_path / "out"))
    assert not [name for name in said if name.startswith("rai:")]
    assert not {"license", "url", "inLanguage"} & said.keys()


def test_withheld_text_stands_nowhere_in_it(folder: ProjectFolder, tmp_path: Path) -> None:
    secret = "Zanzibar quilts murmur over nine hidden staircases tonight."
    rights = {"text_redistributable": False, "text_license": "LicenseRef-Secret"}
    folder.seed(record("a1", secret, rights=rights, mentions=[mention("m1", 0, 8)]), record("a2"))
    staged = stage(released_as_it_is(folder), tmp_path / "out")
    for path in staged.files:
        raw = (staged.folder / path).read_bytes()
        assert b"Zanzibar" not in raw and b"staircases" not in raw, path
    assert "LicenseRef-Secret (1)" in croissant_of(staged)["description"]


def released_as_it_is(folder: ProjectFolder) -> Any:
    from dateline.engines import LocalEngine
    from dateline.releasing import release

    assert release(folder.project, LocalEngine(1)).success
    return folder.project


def test_licences_of_a_layer_are_those_of_the_articles_that_have_it(folder: ProjectFolder) -> None:
    def rights(licence: str | None) -> dict[str, Any]:
        return {"text_redistributable": True, "text_license": "CC0-1.0", "annotation_license": licence}

    folder.seed(
        record("a1", rights=rights("CC-BY-4.0"), mentions=[mention("m1", 0, 3)]), record("a2", rights=rights("MIT")),
        record("a3", rights=rights(None), mentions=[mention("m1", 0, 3)]),
    )  # fmt: skip
    manifest = folder.rebuild().manifest
    assert manifest is not None
    found = read_licences(folder.root / "dataset", manifest.tables, manifest.links, "", "")
    assert found.texts == {"CC0-1.0": 3} and found.layers == {"mentions": ["CC-BY-4.0", "NOASSERTION"]}
    card = (folder.root / "dataset" / "README.md").read_text(encoding="utf-8")
    assert "| annotation: mentions | CC-BY-4.0, NOASSERTION |" in card and "| texts of 3 articles | CC0-1.0 |" in card


def test_only_single_licences_of_the_list_have_an_address() -> None:
    assert spdx("Apache-2.0") == "https://spdx.org/licenses/Apache-2.0"
    for expression in ("MIT AND CC-BY-4.0", "LicenseRef-Mine", "NOASSERTION"):
        assert spdx(expression) == expression


# ---- its reader ----------------------------------------------------------------------------------------------


def given(rows: Any) -> list[dict[str, Any]]:
    """Records as mlcroissant gives them, named as columns are: text comes as bytes, dates as time stamps, numbers of numpy."""
    return [{name.partition("/")[2]: plain(value) for name, value in row.items()} for row in rows]


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return {name.rpartition("/")[2]: plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)) or type(value).__name__ == "ndarray":
        return [plain(inner) for inner in value]
    if type(value).__name__ == "Timestamp":
        return value.date()
    return value.item() if hasattr(value, "item") else value


def expected(staged: Staged, name: str, left_out: set[str]) -> Iterator[dict[str, Any]]:
    """Records as load_dataset gives them; what mlcroissant cannot tell apart is brought to one form, and nothing more.

    Labels are words there and numbers here. Decimals become the nearest floats. A structure that is null is one of nulls there,
    and a list of structures that is null is a list with one such. Parts in `left_out` are structures within structures.
    """
    from datasets import Features, load_dataset

    table = staged.manifest.tables[name]
    files = {split: [str(staged.folder / f["path"]) for f in table.files if f["split"] == split] for split in table.splits}
    features = Features._from_yaml_list(table.features)  # as the card has them, which takes a second to read for each config
    loaded = load_dataset("parquet", data_files=files, features=features, cache_dir=str(staged.folder.parent / "cache"))
    for split in sorted(loaded, key=lambda split: files[split]):
        features = loaded[split].features
        for row in loaded[split]:
            yield {"_split": split} | {
                column: _told(features[column], value, f"{name}/{column}", left_out)
                for column, value in row.items()
                if f"{name}/{column}" not in left_out
            }


def _told(feature: Any, value: Any, at: str, left_out: set[str]) -> Any:
    from datasets import ClassLabel, List

    if isinstance(feature, dict):
        parts = {part: kind for part, kind in feature.items() if f"{at}/{part}" not in left_out}
        return {part: _told(kind, (value or {}).get(part), f"{at}/{part}", left_out) for part, kind in parts.items()}
    if isinstance(feature, List):
        if value is None:
            first = (
                next((p for p in feature.feature if f"{at}/{p}" not in left_out), None)
                if isinstance(feature.feature, dict)
                else None
            )
            return [_told(feature.feature, None, at, left_out)] if first else None
        return [_told(feature.feature, item, at, left_out) for item in value]
    if value is None:
        return None
    if isinstance(feature, ClassLabel):
        return feature.int2str(value)
    if isinstance(value, Decimal):
        return float(value)
    return value.date() if isinstance(value, datetime.datetime) else value


SOME = {"figures", "articles", "records", "standoff", "claims", "mentions", "estimates", "judgements", "annotation_sets"}
"""Configs of this corpus of each sort, flat and nested; all are tried with `make test-thorough`."""


def loaded_equal(staged: Staged, some: Collection[str] = ()) -> None:
    import mlcroissant

    dataset = mlcroissant.Dataset(staged.folder / "croissant.json")
    assert dataset.metadata.ctx.issues.errors == set() and dataset.metadata.ctx.issues.warnings == set()
    sets = {one["@id"]: one for one in croissant_of(staged)["recordSet"]}
    for name, table in staged.manifest.tables.items():
        if not table.rows or (some and name not in some):
            continue
        left_out = parts_left_out(name, table.features, sets[name]["field"])
        rows = given(dataset.records(name))
        wanted = list(expected(staged, name, left_out))
        assert len(rows) == len(wanted), name
        for row, other in zip(rows, wanted, strict=True):
            assert row == other, name


def parts_left_out(name: str, features: list[dict[str, Any]], fields: list[dict[str, Any]]) -> set[str]:
    """The columns, and parts of columns, that croissant.json does not have."""
    named = {field["@id"] for field in fields} | {part["@id"] for field in fields for part in field.get("subField", ())}
    there = set()
    for feature in features:
        there.add(f"{name}/{feature['name']}")
        inner = feature.get("list", feature.get("struct"))
        there |= {f"{name}/{feature['name']}/{part['name']}" for part in inner} if isinstance(inner, list) else set()
    return there - named


def test_a_small_release_is_loaded_by_mlcroissant_record_for_record(folder: ProjectFolder, tmp_path: Path) -> None:
    folder.settings('license = "CC0-1.0"')  # without one, mlcroissant warns
    head = {"start": 0, "end": 3}
    folder.seed(
        record("a1", mentions=[mention("m1", 0, 3, head=head, score=1.5), mention("m2", 8, 10, "LOC", parent_id="m1")]),
        record("a2", mentions=[]), record("a3", rights={"text_redistributable": False}),
    )  # fmt: skip
    loaded_equal(stage(released_as_it_is(folder), tmp_path / "out"))


@pytest.mark.slow(seconds=20)
def test_configs_of_this_corpus_are_loaded_by_mlcroissant_record_for_record(corpus: Staged) -> None:
    assert corpus.manifest.tables.keys() >= SOME
    loaded_equal(corpus, () if THOROUGH else SOME)


@pytest.mark.slow(seconds=20)
def test_cffconvert_finds_the_citations_valid(corpus: Staged, folder: ProjectFolder, tmp_path: Path) -> None:
    """The project's own with the release put in, and one made of settings; cffconvert wants an older jsonschema than ours."""
    from environments import environment, run

    folder.settings('title = "Tiny: a \\"corpus\\""', 'license = "CC-BY-4.0"', 'homepage = "https://example.org"')
    made = stage(released(folder), tmp_path / "out")
    python = environment("cffconvert", "cffconvert>=2", "setuptools<80")
    for staged in (corpus, made):
        done = run(
            python,
            "-c",
            "from cffconvert.cli.cli import cli; cli()",
            "--validate",
            "-i",
            staged.folder / "CITATION.cff",
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stdout + done.stderr
