"""Exporting: the records of a project in an annotation tool's format; what of them it cannot hold is told first.

The folder that is written holds the format's files in `documents/`, and beside them what people and `dateline import` need to
bring them back: README.txt, mapping.toml, export.json, and for `--findings` findings.json. All of it, or nothing.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dateline.compile.check import check_record, is_withheld
from dateline.compile.read import RawRecord
from dateline.compile.seeds import read_tables, records_in, seed_files
from dateline.document import Document
from dateline.engines import LocalEngine
from dateline.errors import BuildError, Problem, UsageError
from dateline.exporters import Exporter, exporter
from dateline.files import whole_folder
from dateline.leaks import shown
from dateline.manifest import read_manifest
from dateline.mapping.canonical import canonical_mapping, mapping_toml
from dateline.mapping.file import Mapping, SplitSource, read_mapping
from dateline.mapping.invert import forms, invert, losses
from dateline.pipeline import find
from dateline.project import Project
from dateline.rules import problem
from dateline.schema import Json, Schemas, load_schemas

DOCUMENTS = "documents"
"""The folder of the format's own files in an export."""
MARK = "export.json"
"""The file by which a folder is known as an export, which `--force` may replace."""
_SAMPLES = 100_000
_ITEM = re.compile(r"\$\.([A-Za-z0-9_]+)\[([0-9]+)\]")


@dataclass(frozen=True)
class Wish:
    """What to export: which articles (all if none are named), of which split, only those with findings, also withheld ones."""

    articles: tuple[str, ...] = ()
    split: str | None = None
    findings: bool = False
    withheld: bool = False


@dataclass
class Exported:
    """What an export found, left out and wrote.

    `lost` is what the format has no place for, `unsaid` what importing the documents would not bring back of the records; with
    phrases and how many. `withheld` are articles left out because their texts are, `textless` those whose texts are not there,
    `unfit` findings that no tool can show, because the record is too broken.
    """

    format: str
    articles: list[str] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    unsaid: Counter[str] = field(default_factory=Counter)
    withheld: list[str] = field(default_factory=list)
    textless: list[str] = field(default_factory=list)
    findings: list[Json] = field(default_factory=list)
    unfit: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)

    @property
    def holds_all(self) -> bool:
        """Whether nothing of the articles is lost."""
        return not self.lost and not self.unsaid

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON types."""
        return {
            "format": self.format,
            "articles": self.articles,
            "cannot_hold": dict(sorted(self.lost.items())),
            "not_brought_back": dict(sorted(self.unsaid.items())),
            "withheld": self.withheld,
            "without_text": self.textless,
            "findings": self.findings,
            "unfit": self.unfit,
            "problems": [p.as_json() for p in self.problems],
            "notes": self.notes,
            "written": self.written,
        }


def export_records(
    project: Project, format_name: str, out: Path, wish: Wish, *, mapping: Path | None = None, lossy: bool = False,
    force: bool = False, dry_run: bool = False,
) -> Exported:  # fmt: skip
    """Export a project's records to the folder `out`; nothing is written if something cannot be held, unless `lossy`.

    Raises UsageError for an unknown format, article or split, and for a folder that is no earlier export; BuildError where it
    cannot be written.
    """
    format_ = exporter(format_name)
    schemas = load_schemas(project.schemas)
    _refuse_folder(project, out, force)
    said = read_mapping(mapping, schemas, name=project.name_of(mapping)) if mapping else canonical_mapping(schemas, format_name)
    result = Exported(format_name)
    found = _findings(project, schemas, result) if wish.findings else None
    work = _Export(project, schemas, format_, _for_return(said, format_name, mending=wish.findings), wish, found)
    work.survey(result)
    if result.problems or not result.articles or dry_run or not (result.holds_all or lossy):
        return result
    result.written = _written(project, work, result, out)
    return result


class _Export:
    """Records on their way out; each pass reads the seeds anew, so that memory does not grow with the corpus."""

    def __init__(
        self,
        project: Project,
        schemas: Schemas,
        format_: Exporter,
        mapping: Mapping,
        wish: Wish,
        found: dict[str, list[Json]] | None,
    ) -> None:
        self.project = project
        self.schemas = schemas
        self.format = format_
        self.mapping = mapping
        self.wish = wish
        self.found = found
        self.table_keys = read_tables(project, schemas).keys
        self.articles: set[str] = set()

    def survey(self, result: Exported) -> None:
        """Find what there is to export, and what of it would be lost."""
        places: dict[str, str] = {}
        in_split = _of_split(self.project, self.wish.split)
        missing = set(self.wish.articles)
        for raw, record in _records(self.project, result.problems if self.found is None else []):
            article_id = str(record.get("article_id"))
            missing.discard(article_id)
            if not self._wants(article_id, record, in_split):
                continue
            quote = not is_withheld(record)
            if article_id in places:
                told = shown(article_id, quote)
                result.problems.append(problem("duplicate-article", raw.place, found=told, other=places[article_id]))
                continue
            places[article_id] = str(raw.place)
            if self._takes(article_id, raw, record, result):
                self.articles.add(article_id)
                result.articles.append(article_id)
        if missing:
            raise UsageError(f"no article {', '.join(sorted(missing))} in {self.project.name_of(self.project.seeds)}/")

    def _wants(self, article_id: str, record: Json, in_split: Collection[str] | None) -> bool:
        if self.wish.articles and article_id not in self.wish.articles:
            return False
        if self.found is not None and article_id not in self.found:
            return False
        return in_split is None or article_id in in_split or record.get("split") == self.wish.split

    def _takes(self, article_id: str, raw: RawRecord, record: Json, result: Exported) -> bool:
        """Whether an article is exported; if not, why not is noted."""
        if is_withheld(record) and not self.wish.withheld:
            result.withheld.append(article_id)
            return False
        faults = [p for p in check_record(record, raw, self.schemas, self.table_keys) if p.fails]
        if faults and self.found is None:
            result.problems += faults
            return False
        if self.format.write_records is not None:
            return True
        if not self.schemas.record_validator.is_valid(record):
            result.unfit.append(article_id)
            return False
        if record["text"].get("content") is None:
            result.textless.append(article_id)
            return False
        document = self._document(record)
        if not _is_sound(document):
            result.unfit.append(article_id)
            return False
        result.lost += self.format.cannot_hold(document)
        result.unsaid += losses(record, document, self.mapping, mended=self.found is not None)
        return True

    def _document(self, record: Json) -> Document:
        """A record as a document, in the form of which the format holds the most."""
        best, least = None, 0
        for document in forms(invert(record, self.mapping)):
            lost = self.format.cannot_hold(document).total()
            if best is None or lost < least:
                best, least = document, lost
            if not least:
                break
        assert best is not None
        return best

    def write(self, folder: Path) -> list[str]:
        """Write the format's files."""
        records = (r for _, r in _records(self.project, []) if r.get("article_id") in self.articles)
        if self.format.write_records is not None:
            return self.format.write_records(records, folder)
        return self.format.write(map(self._document, records), folder)


def _records(project: Project, problems: list[Problem]) -> Iterator[tuple[RawRecord, Json]]:
    for path in seed_files(project):
        yield from records_in(path, project.name_of(path), problems)


def _is_sound(document: Document) -> bool:
    """Whether a document is what writers rely on: spans inside the text, ids once."""
    length = len(document.text)
    stretches = (s for n in document.nodes for spans in (n.spans, *n.parts.values()) for s in spans)
    ids = {(node.annotator, node.id) for node in document.nodes}
    return len(ids) == len(document.nodes) and all(0 <= start < end <= length for start, end in stretches)


def _for_return(mapping: Mapping, format_name: str, *, mending: bool) -> Mapping:
    """The mapping by which the exported files are imported again: of their format, without files that only the source has.

    Where they are put back into the records that stand (`mending`), articles are known by name, and keep their own fields.
    """
    made = dataclasses.replace(mapping, format=format_name, options={}, tables=())
    if mending:
        return dataclasses.replace(made, article={}, splits=SplitSource())
    return dataclasses.replace(made, splits=dataclasses.replace(mapping.splits, lists={}))


def _of_split(project: Project, split: str | None) -> set[str] | None:
    """The articles of a split as the dataset has it; none where each record names its split. None if all are wanted."""
    if split is None:
        return None
    if split not in project.settings.splits.quotas:
        raise UsageError(f"there is no split {split!r}; there are {', '.join(project.settings.splits.quotas)}")
    if project.settings.splits.mode == "given":
        return set()
    files = [f["path"] for f in read_manifest(project.dataset).tables["articles"].files if f["split"] == split]
    columns = [pq.read_table(project.dataset / file, columns=["article_id"]).column(0) for file in files]
    return {article_id for column in columns for article_id in column.to_pylist()}


# ---- findings ------------------------------------------------------------------------------------------------


def _findings(project: Project, schemas: Schemas, result: Exported) -> dict[str, list[Json]]:
    """What check and the suites find in the seeds as they stand, by article; what is of no article stands in the result alone."""
    by_article: dict[str, list[Json]] = {}
    table_keys = read_tables(project, schemas).keys
    for raw, record in _records(project, result.problems):
        for fault in check_record(record, raw, schemas, table_keys):
            _add(_of_problem(fault, str(record.get("article_id")), record, schemas), by_article, result)
    findings, stopped = find(project, LocalEngine(), samples=_SAMPLES)
    if stopped:
        result.notes.append(f"the suites were not run on these seeds, as other problems come first: {stopped[0]}")
    for finding in findings:
        if finding.waived is not None:
            continue
        places = dict(finding.places)
        for row in finding.rows or ("",):
            found = {
                "article_id": row.partition("#")[0] if finding.table not in schemas.tables else "",
                "row": row,
                "table": finding.table,
                "rule": finding.rule,
                "level": finding.level,
                "says": finding.says,
                "hint": finding.hint,
                "place": str(places[row]) if row in places else None,
            }
            _add(found, by_article, result)
    return by_article


def _add(found: Json, by_article: dict[str, list[Json]], result: Exported) -> None:
    result.findings.append(found)
    if found["article_id"]:
        by_article.setdefault(found["article_id"], []).append(found)


def _of_problem(fault: Problem, article_id: str, record: Json, schemas: Schemas) -> Json:
    at = _ITEM.match(fault.place.pointer)
    layer = schemas.layers.get(at[1]) if at else None
    row = article_id
    if at and layer is not None:
        try:
            row = f"{article_id}#{layer.key.value_of(record[layer.name][int(at[2])])}"
        except (LookupError, TypeError):
            layer = None
    return {
        "article_id": article_id,
        "row": row,
        "table": layer.name if layer is not None else "articles",
        "rule": fault.rule,
        "level": fault.level,
        "says": fault.says,
        "hint": fault.hint,
        "place": str(fault.place),
    }


# ---- the folder ----------------------------------------------------------------------------------------------


def _refuse_folder(project: Project, out: Path, force: bool) -> None:
    """Raise UsageError for a folder that must not be written or replaced."""
    whole = out.resolve()
    for kept in (project.seeds, project.dataset, project.schemas, project.expectations):
        if whole == kept.resolve() or kept.resolve() in whole.parents or whole in kept.resolve().parents:
            raise UsageError(
                f"{out}: an export cannot stand there, where {project.name_of(kept)}/ is; name another folder with --out"
            )
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / MARK).is_file():
        raise UsageError(f"{out}: is there, and is no earlier export; name another folder with --out")
    if not force:
        raise UsageError(f"{out}: holds an earlier export; name another folder with --out, or replace it with --force")


def _written(project: Project, work: _Export, result: Exported, out: Path) -> list[str]:
    """Write beside the folder what is then put in its place as a whole."""
    try:
        with whole_folder(out) as made:
            (made / DOCUMENTS).mkdir()
            names = [f"{DOCUMENTS}/{name}" for name in work.write(made / DOCUMENTS)]
            beside = _beside(project, work, result, out)
            for name, text in beside.items():
                (made / name).write_bytes(text.encode("utf-8", "backslashreplace"))
    except OSError as fault:
        raise BuildError(f"{out}: cannot be written: {fault.strerror or fault}; nothing was written") from None
    return [*names, *beside]


def _beside(project: Project, work: _Export, result: Exported, out: Path) -> dict[str, str]:
    """The files beside the documents, by name."""
    told = result.as_json()
    files = {}
    if work.wish.findings:
        files["findings.json"] = json.dumps(told["findings"], ensure_ascii=False, indent=1) + "\n"
    if work.format.write_records is None:
        files["mapping.toml"] = mapping_toml(
            work.mapping, "How these documents become records again; written by dateline export."
        )
    files["README.txt"] = "\n".join(_readme(project, work, result, project.name_of(out))) + "\n"
    if work.wish.withheld:
        files[".gitignore"] = "*\n"  # nothing of texts that may not be passed on gets into a commit by chance
    names = ("format", "articles", "cannot_hold", "not_brought_back")
    files[MARK] = json.dumps({name: told[name] for name in names}, ensure_ascii=False, indent=1) + "\n"
    return files


def _readme(project: Project, work: _Export, result: Exported, out: str) -> Iterator[str]:
    count = len(result.articles)
    yield f"{count} article{'' if count == 1 else 's'} of {project.settings.name} for {work.format.title}, in {DOCUMENTS}/."
    if work.format.write_records is None:
        mend = " --mend" if work.wish.findings else ""
        yield ""
        yield "To bring them back, in the project:"
        yield ""
        yield f"    dateline import {out}/{DOCUMENTS} --mapping {out}/mapping.toml{mend}"
    for title, lost in (("The format does not hold", result.lost), ("Importing does not bring back", result.unsaid)):
        if lost:
            yield from ("", f"{title}:", "", *(f"    {n:,} {what}" for what, n in sorted(lost.items())))
    if work.wish.findings:
        yield from ("", "What to mend:")
        yield from _to_mend(result.articles, result.findings)


def _to_mend(articles: Sequence[str], findings: Iterable[Json]) -> Iterator[str]:
    for article_id in articles:
        yield from ("", article_id)
        for found in findings:
            if found["article_id"] == article_id:
                item = found["row"].partition("#")[2]
                where = f"{found['table']} {item}" if item else found["table"]
                yield f"    {where}: {found['says']} [{found['rule']}]"
                if found["hint"]:
                    yield f"        {found['hint']}"
