"""new: a project begun from somebody's annotation, from a corpus that Dateline knows, or from an example.

All is made in a folder beside the target, which takes the target's name at the end: look -> infer -> write -> import ->
rebuild -> profile -> rebuild and validate. Where one of these fails, nothing is left.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.metadata import version
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from dateline import __version__
from dateline.converting import Converted, convert_files
from dateline.deriving import declared_tables
from dateline.describe.scaffold import ProjectFacts, project_files
from dateline.engines import Engine
from dateline.errors import BuildError, DatelineError, InputError, UsageError
from dateline.formats import FORMATS
from dateline.importers import Importer, importer, importers
from dateline.incoming import Incoming, filled, incoming
from dateline.manifest import Manifest
from dateline.mapping.file import Mapping as MappingFile
from dateline.mapping.file import read_mapping
from dateline.mapping.infer import Guess, Inferred, infer, split_of_list
from dateline.mapping.observe import Seen
from dateline.mapping.written import mapping_text
from dateline.pipeline import Rebuilt, rebuild
from dateline.project import PRIVATE, Project, find_project
from dateline.schema import Schemas, load_schemas
from dateline.validate.profile import Profile, profile_suites
from dateline.validate.suite_files import changes, write_changes

AUTO = "auto"
_PINNED = ("pyarrow", "great-expectations", "duckdb")
_LONGEST_LIST = 16 * 2**20

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Wishes:
    """What a person says of a new project: the source, its format (a known corpus, or AUTO), its rights, the format's options."""

    source: Path | None = None
    format: str = AUTO
    text_license: str = ""
    private: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Started:
    """What came of it: `made` says whether the project is there; `why` of a format, guesses, import, rebuild tell the rest."""

    target: Path
    format: str = ""
    why: str = ""
    guesses: list[Guess] = field(default_factory=list)
    converted: Converted | None = None
    rebuilt: Rebuilt | None = None
    made: bool = False

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON types."""
        manifest = self.rebuilt.manifest if self.rebuilt else None
        return {
            "success": self.made,
            "project": str(self.target),
            "format": self.format or None,
            "why": self.why or None,
            "guesses": [guess.as_json() for guess in self.guesses],
            "import": self.converted.as_json() if self.converted else None,
            "rows": {name: table.rows for name, table in manifest.tables.items()} if manifest else None,
            "validation": self.rebuilt.validated if self.rebuilt else None,
            "problems": [p.as_json() for p in self.rebuilt.problems] if self.rebuilt else [],
            "warnings": [p.as_json() for p in self.rebuilt.warnings] if self.rebuilt else [],
        }


def start(
    target: Path, wishes: Wishes, engine: Engine, *, dry_run: bool = False, keep: bool = False, tell: Tell = lambda *_: None
) -> Started:
    """Make a project in the folder `target`, which must not be there, or be empty; `keep` it even if it does not validate.

    Raises UsageError for words that make no sense together, InputError for a source that cannot be read, BuildError where
    the folder cannot be written.
    """
    name = name_of(target)
    found = Started(target)
    if wishes.source is None:
        plan = None
    else:
        known = known_corpora().get(wishes.format)
        _rights_are_said(wishes, known is not None)
        plan = _known(name, wishes, known, found) if known is not None else _inferred(name, wishes, found, tell)
    with _beside(target) as work:
        _write(work, _example(name) if plan is None else plan)
        try:
            done = _fill(work, wishes, found, engine, dry_run, tell)
        except DatelineError:
            if keep and not dry_run:
                _place(work, target)
            raise
        if (done or keep) and not dry_run:
            _place(work, target)
        found.made = done and not dry_run
    return found


def name_of(target: Path) -> str:
    """The name of the project in a folder. Raises UsageError for one that is no name, or a folder that is taken."""
    name = target.resolve().name
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise UsageError(f"a project's name is lower-case words with hyphens, such as my-corpus; it is {name!r}")
    if target.is_symlink() or (target.exists() and not (target.is_dir() and not any(target.iterdir()))):
        raise UsageError(f"{target}: is there already, and not empty; name a new folder")
    if not target.resolve().parent.is_dir():
        raise UsageError(f"{target}: the folder that it is to stand in is not there")
    return name


def known_corpora() -> dict[str, Traversable]:
    """The corpora that Dateline ships schemas and a mapping for, by name."""
    folder = resources.files("dateline") / "known_corpora"
    return {each.name: each for each in folder.iterdir() if (each / "mapping.toml").is_file()} if folder.is_dir() else {}


def _rights_are_said(wishes: Wishes, known: bool) -> None:
    """Nobody's texts are taken without a word on their rights; of a known corpus the mapping says it."""
    if wishes.text_license and wishes.private:
        raise UsageError("--text-license says that the texts may be passed on, --private that they may not; give one of them")
    if known and wishes.text_license:
        raise UsageError(f"the mapping of {wishes.format} says the licence of its texts; leave out --text-license")
    if wishes.text_license and not FORMATS["spdx-expression"](wishes.text_license):
        raise UsageError(
            f"--text-license is {wishes.text_license!r}, but must be an SPDX expression such as CC-BY-4.0, or LicenseRef-YourName"
        )
    if not known and not wishes.text_license and not wishes.private:
        raise UsageError(
            "who may have the texts? --text-license SPDX (such as CC-BY-4.0) says that anybody may, under this licence; "
            "--private keeps them in seeds/ and dataset/ for yourself: dataset/ is ignored by git, and nothing publishes it"
        )


# ---- what is written -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """The files of a project before its import, and the facts that the files around them tell."""

    files: dict[str, bytes]
    facts: ProjectFacts


def _example(name: str) -> _Plan:
    """A project with one worked example."""
    folder = resources.files("dateline") / "templates" / "example"
    files = dict(_tree(folder))
    layers = {
        n.split("/")[1].split(".")[0]: json.loads(raw)["description"]
        for n, raw in files.items()
        if n.startswith("schemas/") and "article." not in n
    }
    facts = _facts(
        name, summary="An empty project with one worked example.", license="CC-BY-4.0", languages=["en"], layers=layers,
        notice="An example of Dateline, written and annotated by a language model.",
    )  # fmt: skip
    return _Plan(files, facts)


def _known(name: str, wishes: Wishes, folder: Traversable, found: Started) -> _Plan:
    """A project with the schemas and the mapping that Dateline ships for a corpus."""
    files = dict(_tree(folder))
    found.format, found.why = wishes.format, "Dateline ships schemas and a mapping for it"
    found.guesses.append(Guess("schemas and mapping", f"those that Dateline ships for {wishes.format}", "schemas/, mapping.toml"))
    with tempfile.TemporaryDirectory(prefix="dateline-") as work:
        _put(Path(work), files)
        schemas = load_schemas(Path(work) / "schemas")
        mapping = read_mapping(Path(work) / "mapping.toml", schemas)
    splits = mapping.splits
    facts = _facts(
        name, summary=f"The corpus {wishes.format}, imported by Dateline.", notice="Imported, and not reviewed.",
        format_title=f"the corpus {wishes.format}", known=True, private=wishes.private,
        license=PRIVATE if wishes.private else str(mapping.rights.get("annotation_license") or ""),
        given=bool(splits.folders or splits.lists or splits.metadata),
        layers={n: schemas.layers[n].description for n in mapping.all_layers},
    )  # fmt: skip
    return _Plan(files, facts)


def _inferred(name: str, wishes: Wishes, found: Started, tell: Tell) -> _Plan:
    """A project whose schemas and mapping are inferred from what the source holds."""
    assert wishes.source is not None
    format_, found.why = _format(wishes)
    found.format = format_.name
    rights: dict[str, Any] = {"text_license": wishes.text_license, "text_redistributable": _may_pass_on(wishes.text_license)}
    if wishes.private:
        rights = {"text_license": PRIVATE, "text_redistributable": True, "rights_note": "Private: not to be passed on."}
    seen, lists = _observe(format_, wishes, tell)
    if not seen.documents:
        raise InputError(_no_document(wishes, format_, seen))
    made = infer(seen, format_.name, rights=rights, options=wishes.options, lists=lists)
    found.guesses += made.guesses
    if wishes.private:
        why = "--private: the dataset keeps the texts, so its records must say so; private = true keeps it from being published"
        found.guesses.append(Guess("rights: private", why, "mapping.toml [rights], pyproject.toml private"))
    elif not rights["text_redistributable"]:
        why = f"{wishes.text_license} is a licence of your own, which nobody here knows, so texts and free strings are withheld"
        found.guesses.append(Guess("rights: texts may not be passed on", why, "mapping.toml [rights] text_redistributable"))
    files = _inferred_files(made, format_)
    facts = _facts(
        name, summary=f"Imported from {format_.title}.", format_title=format_.title, private=wishes.private,
        notice="Imported by rules that were inferred from the data; nobody has reviewed them.",
        license=PRIVATE if wishes.private else "", text_license=wishes.text_license, given=made.gives_splits,
        redistributable=bool(rights["text_redistributable"]),
        layers={n: s["description"] for n, s in made.schemas.items() if n != "article"}, languages=_languages(seen, made),
    )  # fmt: skip
    return _Plan(files, facts)


def _no_document(wishes: Wishes, format_: Importer, seen: Seen) -> str:
    """Why there is nothing to infer from, and what to try."""
    told = f"{wishes.source}: holds no document of the format {format_.name}"
    if seen.first_unreadable is not None:
        first = seen.first_unreadable
        told += f"; {seen.unreadable:,} could not be read, first {first.place}: {first.reason}"
    if wishes.format == AUTO:
        told += (
            f"; if it is another format, or a corpus that Dateline knows ({', '.join(sorted(known_corpora()))}), say so by --from"
        )
    return told


def _inferred_files(made: Inferred, format_: Importer) -> dict[str, bytes]:
    head = (
        f"How {format_.title} becomes records. Written by `dateline new` from what it found; every line may be changed. A guess "
        "that has a reason has it beside it.\nThen: dateline import PATH"
    )
    files = {"mapping.toml": mapping_text(made.mapping, made.comments, head).encode()}
    for name, schema in made.schemas.items():
        files[f"schemas/{name}.schema.json"] = (json.dumps(schema, ensure_ascii=False, indent=2) + "\n").encode()
    return files


def _facts(name: str, **said: Any) -> ProjectFacts:
    pins = [("dateline[build]", __version__), *((package, version(package)) for package in _PINNED)]
    return ProjectFacts(name=name, title=name.replace("-", " ").capitalize(), version=__version__, pins=pins, **said)


def _may_pass_on(text_license: str) -> bool:
    """Whether a licence lets anybody have the texts: those that SPDX lists do, others nobody knows."""
    return "licenseref-" not in text_license.lower()


def _languages(seen: Seen, made: Inferred) -> list[str]:
    source = made.mapping.get("article", {}).get("language", {}).get("metadata")
    return sorted(seen.metadata[source].distinct) if source else []


# ---- looking at the source -----------------------------------------------------------------------------------


def _format(wishes: Wishes) -> tuple[Importer, str]:
    """The importer, and why it."""
    assert wishes.source is not None
    if wishes.format != AUTO:
        known = {**importers(), **dict.fromkeys(known_corpora())}
        if wishes.format not in known:
            raise UsageError(f"no format or corpus {wishes.format!r}; there are: {', '.join(sorted(known))}")
        chosen = importer(wishes.format)
        if chosen.read is None:
            raise UsageError(
                f"format {chosen.name} is written for the schemas of a project: dateline new NAME, then dateline import"
            )
        return chosen, "--from says so"
    able = [each for each in importers().values() if each.read is not None]
    sure: dict[str, float] = {}
    with incoming(wishes.source, filled({}, {}, AUTO)) as there:
        if not there.names:
            raise InputError(f"{wishes.source}: holds no files")
        for each in able:
            with contextlib.suppress(InputError):  # what it cannot read does not look like its format
                options = filled({}, each.options, each.name)
                sure[each.name] = each.looks_like(there.with_options(options))
    best = max(sure, key=lambda n: (sure[n], n), default="")
    if not sure.get(best):
        raise UsageError(f"{wishes.source}: looks like no format that is known here; name one with --from: "
                         + ", ".join(sorted(e.name for e in able)))  # fmt: skip
    others = ", ".join(f"{n} {s:.0%}" for n, s in sorted(sure.items()) if s and n != best)
    return importer(best), f"the files look like it ({sure[best]:.0%}" + (f"; {others})" if others else ")")


def _observe(format_: Importer, wishes: Wishes, tell: Tell) -> tuple[Seen, dict[str, list[str]]]:
    """All documents, counted, and the lines of files that may list splits, which are no documents."""
    assert wishes.source is not None
    seen = Seen()
    options = filled(wishes.options, format_.options, format_.name)
    with incoming(wishes.source, options, str(wishes.source)) as there:
        lists = _lists(there)
        there.names = tuple(n for n in there.names if n not in lists)
        total = len(there.names)
        for done, document in enumerate(format_.documents(there)):
            tell("look", done, max(total, done))
            seen.take(document)
    return seen, lists


def _lists(there: Incoming) -> dict[str, list[str]]:
    """The lines of files such as train.txt, if each of them names a file that is there."""
    stems = {n.rpartition(".")[0] for n in there.names}
    stems |= {stem.rpartition("/")[2] for stem in stems}
    found = {}
    for name in there.names:
        if split_of_list(name) is None or (there.root / name).stat().st_size > _LONGEST_LIST:
            continue
        try:
            lines = there.text(name).splitlines()
        except InputError:
            continue
        if lines and all(line.strip() in stems for line in lines if line.strip()):
            found[name] = lines
    there.read.clear()
    return found


# ---- making it -----------------------------------------------------------------------------------------------


def _fill(work: Path, wishes: Wishes, found: Started, engine: Engine, dry_run: bool, tell: Tell) -> bool:
    """Import, rebuild, profile, validate; whether the project stands."""
    project = find_project(work)
    schemas = load_schemas(project.schemas)
    if wishes.source is not None:
        mapping = read_mapping(work / "mapping.toml", schemas)
        found.converted = _import(project, schemas, mapping, wishes.source, dry_run, tell)
        if not found.converted.written:
            return False
    if dry_run:
        return True
    if wishes.source is not None:
        found.rebuilt = rebuild(project, engine, tell=tell, sweep=True)  # without suites yet: what they will expect is looked at
        if found.rebuilt.manifest is None:
            return False
        if not project.expectations.is_dir():  # a known corpus may bring its own
            _put(project.expectations, profile_suites(_profile(project, schemas, found.rebuilt.manifest), schemas))
    following = declared_tables(project, schemas)
    todo = changes(project.expectations, schemas, (*following.views, *following.estimates))
    write_changes(project.expectations, todo)
    found.rebuilt = rebuild(project, engine, tell=tell, sweep=True)
    return found.rebuilt.manifest is not None


def _import(project: Project, schemas: Schemas, mapping: MappingFile, source: Path, dry_run: bool, tell: Tell) -> Converted:
    return convert_files(project, schemas, mapping, [source], project.seeds / "articles", dry_run=dry_run, tell=tell)


def _profile(project: Project, schemas: Schemas, manifest: Manifest) -> Profile:
    """What the tables look like: counts as the manifest has them, lengths as the files have them."""
    texts = _range(project, manifest, "articles", lambda t: t["text_n_code_points"], ["text_n_code_points"])
    assert texts is not None  # there are articles
    spans = {}
    for name, layer in schemas.layers.items():
        for f in layer.fields:
            if f.span == "many" and (found := _range(project, manifest, name, lambda t, c=f.name: _lengths(t[c]), [f.name])):
                spans[name, f.name] = found
    rows = {name: table.rows for name, table in manifest.tables.items()}
    return Profile(rows, {name: table.labels for name, table in manifest.tables.items()}, texts, spans)


def _range(
    project: Project, manifest: Manifest, table: str, values: Callable[..., Any], columns: list[str]
) -> tuple[int, int] | None:
    """The least and the greatest of some numbers of a table's files, read one after the other."""
    found = []
    for file in manifest.tables[table].files:
        limits = pc.min_max(values(pq.read_table(project.dataset / file["path"], columns=columns))).as_py()
        found += [limits] if limits["min"] is not None else []
    return (min(f["min"] for f in found), max(f["max"] for f in found)) if found else None


def _lengths(spans: Any) -> Any:
    each = pc.list_flatten(spans)
    return pc.subtract(pc.struct_field(each, "end"), pc.struct_field(each, "start"))


# ---- folders -------------------------------------------------------------------------------------------------


def _write(work: Path, plan: _Plan) -> None:
    _put(work, plan.files | {name: text.encode() for name, text in project_files(plan.facts).items()})


def _tree(folder: Traversable, below: str = "") -> Iterator[tuple[str, bytes]]:
    """The files below a folder of this package, by their relative names."""
    for each in sorted(folder.iterdir(), key=lambda e: e.name):
        if each.is_dir():
            yield from _tree(each, f"{below}{each.name}/")
        else:
            yield f"{below}{each.name}", each.read_bytes()


def _put(folder: Path, files: Mapping[str, bytes]) -> None:
    try:
        for name, raw in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(raw)
    except OSError as fault:
        raise BuildError(f"{fault.filename or folder}: cannot be written: {fault.strerror}") from None


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A folder beside the target that goes again, unless it has taken the target's name."""
    try:
        work = Path(tempfile.mkdtemp(dir=target.resolve().parent, prefix=f".{target.resolve().name}-"))
    except OSError as fault:
        raise BuildError(f"{target}: cannot be made: {fault.strerror}") from None
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _place(work: Path, target: Path) -> None:
    try:
        work.chmod(0o755)  # a temporary folder is its owner's alone
        if target.is_dir():
            target.rmdir()
        os.replace(work, target)
    except OSError as fault:
        raise BuildError(f"{target}: cannot be made: {fault.strerror}") from None
