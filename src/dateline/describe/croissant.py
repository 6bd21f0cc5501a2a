"""croissant.json (https://docs.mlcommons.org/croissant): what a release holds and where it comes from, for other tools. Pure.

Of the forms that the format allows, this is the one that its reader also loads: a FileObject with its sha256 for each file, and
for each config a FileSet that lies in nothing and names its files. What its reader cannot load is left out and said in the
description: a structure within a structure. References are said there alone: the reader would join the tables, and by one column.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dateline.describe.card import Described
from dateline.licences import NOT_NAMED, Licences
from dateline.manifest import Manifest, TableFacts
from dateline.project import Settings

PARQUET = "application/x-parquet"
VOCABULARIES = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
_ARTICLES = "articles"
_BY_ARTICLE = (_ARTICLES, "records", "standoff")
_SPLIT_KINDS = {"train": "cr:TrainingSplit", "validation": "cr:ValidationSplit", "test": "cr:TestSplit"}
_TYPES = {"string": "sc:Text", "bool": "sc:Boolean", "date32": "sc:Date", "int64": "sc:Integer", "int32": "sc:Integer"}
_TYPES |= {"float64": "sc:Float", "float32": "sc:Float"}
_CONTEXT = {
    "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/", "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/", "dct": "http://purl.org/dc/terms/", "prov": "http://www.w3.org/ns/prov#",
    "conformsTo": "dct:conformsTo", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"}, "description": {"@container": "@language"},
    **{name: f"cr:{name}" for name in (
        "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject", "fileProperty",
        "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
        "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
    )},
}  # fmt: skip
"""What the names below mean, as the standard gives it."""


def croissant(
    manifest: Manifest, settings: Settings, described: Mapping[str, Described], licences: Licences, date: str, commit: str | None
) -> str:
    """The text of croissant.json, of a release of that day, made from that commit; `described` is what its card says."""
    tables = {name: table for name, table in manifest.tables.items() if table.rows}
    splits = list(dict.fromkeys(split for table in tables.values() for split in table.splits))
    said: dict[str, Any] = {"@context": _CONTEXT, "@type": "sc:Dataset", "conformsTo": VOCABULARIES}
    said |= _head(manifest, settings, licences, date)
    said |= {f"rai:{name}": value for name, value in settings.rai.items()}
    said |= _provenance(manifest, date, commit)
    said["distribution"] = [_file(file) for table in tables.values() for file in table.files]
    said["distribution"] += [_file_set(name, table, licences) for name, table in tables.items()]
    said["recordSet"] = [_splits(splits), *(_record_set(name, tables, manifest, described[name]) for name in tables)]
    return json.dumps(said, ensure_ascii=False, indent=1) + "\n"


# ---- the whole -----------------------------------------------------------------------------------------------


def _head(manifest: Manifest, settings: Settings, licences: Licences, date: str) -> dict[str, Any]:
    title = settings.title or settings.name
    said = {
        "name": manifest.name,
        "alternateName": settings.title,
        "description": "\n\n".join(
            part.strip() for part in (settings.summary or title, settings.notice, _rights(licences)) if part
        ),
        "url": settings.homepage,
        "license": [spdx(licences.whole)] if licences.whole else [],
        "version": manifest.version,
        "datePublished": date,
        "citeAs": settings.citation
        or f"@misc{{{manifest.name}, title = {{{title}}}, version = {{{manifest.version}}}, year = {date[:4]}}}",
        "creator": {"@type": "sc:Organization", "name": f"The contributors of {title}"},
        "inLanguage": list(settings.languages),
    }
    return {name: value for name, value in said.items() if value}


def _rights(licences: Licences) -> str:
    """Which licences there are, in words: the vocabulary has one list for all."""
    texts = ", ".join(f"{expression} ({n:,})" for expression, n in licences.texts.items())
    said = [f"texts, by articles: {texts}" if texts else ""]
    said += [
        f"annotation of {', '.join(names)}: {' and '.join(expressions)}" for expressions, names in licences.by_licence().items()
    ]
    said += [f"code: {licences.code}" if licences.code else ""]
    told = "; ".join(part for part in said if part)
    return f"Licences: {told}." if told else ""


def spdx(expression: str) -> str:
    """The address of a single licence of SPDX's list; any other expression as it stands."""
    single = re.fullmatch(r"[A-Za-z0-9.+-]+", expression) and not expression.startswith("LicenseRef-")
    return f"https://spdx.org/licenses/{expression}" if single and expression != NOT_NAMED else expression


def _provenance(manifest: Manifest, date: str, commit: str | None) -> dict[str, Any]:
    """PROV-O: what the release was derived from, and by what."""
    sources = [
        {"@type": "prov:Entity", "@id": f"input-{name}", "name": name, "sha256": digest}
        for name, digest in manifest.inputs.items()
    ]
    if commit:
        sources.append({"@type": "prov:Entity", "@id": "input-commit", "name": "git commit", "identifier": commit})
    agents = [
        {"@type": "prov:SoftwareAgent", "@id": f"pkg:pypi/{name}@{version}", "name": name, "version": version}
        for name, version in manifest.writer.items()
    ]
    activity = {
        "@type": "prov:Activity",
        "@id": "release-activity",
        "name": "dateline release",
        "prov:used": [{"@id": source["@id"]} for source in sources],
        "prov:wasAssociatedWith": agents,
        "prov:endedAtTime": date,
    }
    return {"prov:wasGeneratedBy": activity, "prov:wasDerivedFrom": sources}


# ---- files ---------------------------------------------------------------------------------------------------


def _file(file: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file["path"],
        "name": file["path"],
        "contentUrl": file["path"],
        "contentSize": f"{file['bytes']} B",
        "encodingFormat": PARQUET,
        "sha256": file["sha256"],
    }


def _file_set(name: str, table: TableFacts, licences: Licences) -> dict[str, Any]:
    said: dict[str, Any] = {
        "@type": "cr:FileSet",
        "@id": f"{name}-files",
        "name": f"{name}-files",
        "encodingFormat": PARQUET,
        "includes": [file["path"] for file in table.files],
    }
    if name in licences.layers:
        said["license"] = [spdx(expression) for expression in licences.layers[name]]
    return said


# ---- records -------------------------------------------------------------------------------------------------


def _splits(names: list[str]) -> dict[str, Any]:
    fields = [
        {"@type": "cr:Field", "@id": "_splits/name", "name": "name", "dataType": "sc:Text"},
        {"@type": "cr:Field", "@id": "_splits/url", "name": "url", "dataType": "sc:URL"},
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "_splits",
        "name": "_splits",
        "dataType": "cr:Split",
        "description": "The splits; articles of one story share one.",
        "key": {"@id": "_splits/name"},
        "field": fields,
        "data": [{"_splits/name": name, "_splits/url": _SPLIT_KINDS.get(name, "cr:Split")} for name in names],
    }


def _record_set(name: str, tables: Mapping[str, TableFacts], manifest: Manifest, described: Described) -> dict[str, Any]:
    link = manifest.links.get(name, {})
    fields, missing = [_split_field(name, tables[name])], []
    for feature in tables[name].features:
        field = _field(f"{name}/{feature['name']}", feature, _meaning(feature, link, described), name, feature["name"])
        if field is None:
            missing.append(feature["name"])
            continue
        fields.append(field)
    said = described.says
    if missing:
        said += f" In the Parquet files alone: {', '.join(missing)} (structures within structures)."
    record_set: dict[str, Any] = {"@type": "cr:RecordSet", "@id": name, "name": name, "description": said}
    if key := _key(name, link):
        record_set["key"] = [{"@id": f"{name}/{column}"} for column in key]
    return record_set | {"field": fields}


def _key(name: str, link: Mapping[str, Any]) -> list[str]:
    """The columns that name a row; ids of items are local to their article."""
    if name in _BY_ARTICLE:
        return ["article_id"]
    if not link:
        return []
    return ["article_id", link["key"]] if link["level"] == "article" else [link["key"]]


def _meaning(feature: Mapping[str, Any], link: Mapping[str, Any], described: Described) -> str:
    """What the card says of a column, its labels, what it refers to."""
    said = [described.columns.get(feature["name"], "")]
    if labels := _labels(feature):
        said.append(f"One of {', '.join(labels)}.")
    if other := link.get("references", {}).get(feature["name"]):
        said.append(f"Names a row of `{other}`.")
    return " ".join(part for part in said if part)


def _labels(feature: Any) -> list[str]:
    if isinstance(feature, dict):
        if "class_label" in feature:
            return list(feature["class_label"]["names"].values())
        return _labels(feature.get("dtype") or feature.get("list"))
    return []


def _split_field(name: str, table: TableFacts) -> dict[str, Any]:
    """The split, which the names of the files say."""
    pattern = "|".join(table.splits)
    return {
        "@type": "cr:Field",
        "@id": f"{name}/_split",
        "name": "_split",
        "description": "The split that the row's file belongs to.",
        "dataType": "sc:Text",
        "source": {
            "fileSet": {"@id": f"{name}-files"},
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": f"^(?:.*/)?({pattern})(?:-.*)?$"},
        },
        "references": {"field": {"@id": "_splits/name"}},
    }


def _field(at: str, feature: Mapping[str, Any], meaning: str, config: str, column: str, inner: str = "") -> dict[str, Any] | None:
    """The field of a column, or of a part `inner` of it; None for what the format's reader cannot load."""
    depth, said = 0, _kind(feature)
    while isinstance(said, _List):
        depth, said = depth + 1, said.item
    source: dict[str, Any] = {"fileSet": {"@id": f"{config}-files"}, "extract": {"column": column}}
    if inner:
        source["transform"] = {"jsonPath": inner}
    field: dict[str, Any] = {"@type": "cr:Field", "@id": at, "name": inner or column}
    if isinstance(said, str):
        field |= {"description": meaning, "dataType": said, "source": source}
    elif inner or depth > 1:
        return None
    else:
        parts = {part["name"]: _field(f"{at}/{part['name']}", part, "", config, column, part["name"]) for part in said}
        missing = [name for name, part in parts.items() if part is None]
        if len(missing) == len(parts):
            return None
        told = f" In the Parquet files alone: {', '.join(missing)}." if missing else ""
        field |= {"description": f"{meaning}{told}".strip(), "subField": [part for part in parts.values() if part]}
    if not field["description"]:
        del field["description"]
    if depth:
        field |= {"isArray": True, "arrayShape": ",".join(["-1"] * depth)}
    return field


class _List:
    """A column that holds lists of something."""

    def __init__(self, item: Any) -> None:
        self.item = item


def _kind(feature: Any) -> Any:
    """What a column holds, as the manifest's features say it: the name of a type, a list of parts, or lists of either."""
    if isinstance(feature, list):
        return feature
    if isinstance(feature, str):
        return _type(feature)
    if "list" in feature:
        return _List(_kind(feature["list"]))
    if "struct" in feature:
        return feature["struct"]
    return _type(feature.get("dtype", feature))


def _type(said: Any) -> str:
    if isinstance(said, dict):  # labels are stored as words
        return "sc:Text"
    return _TYPES.get(said) or ("sc:Float" if said.startswith("decimal") else "sc:Text")
