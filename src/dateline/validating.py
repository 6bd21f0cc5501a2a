"""validate: the tables of a project, of any release, or anybody's Parquet, against suites; and where to mend what was found."""

from __future__ import annotations

import datetime
import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dateline import __version__, versions
from dateline.compile.locate import locate
from dateline.engines import LocalEngine
from dateline.errors import DatelineError, InputError, SuiteError
from dateline.manifest import Manifest, read_manifest, splits_in
from dateline.project import Project
from dateline.rules import RULES, Rule, rules_from
from dateline.schema import load_schemas
from dateline.split_leaks import NAME as NEAR_DUPLICATES
from dateline.split_leaks import RULE as NEAR_DUPLICATE
from dateline.split_leaks import Compared, Lookup, near_duplicates, stored_signatures
from dateline.validate.engine import open_engine
from dateline.validate.findings import Finding, again_finding, findings_of, plain, waive
from dateline.validate.running import Options
from dateline.validate.suites import Expectation, Suite, read_suite, sources_in, suites_from
from dateline.validate.views import View, dataset_views
from dateline.validate.waivers import NAME as WAIVERS
from dateline.validate.waivers import Waiver, waivers_from

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult

Tell = Callable[[str, int, int], None]
FOLDER = "validation"
"""Where a dataset keeps the suites that it met and the result."""
_RULES_FILE = "rules.toml"


@dataclass
class Validation:
    """What a validation found. `checked` pairs each suite with Great Expectations' own result object; `checks` are what checks of
    our own say that stand beside the suites and are no expectations. What either found is in `findings`.
    """

    engine: dict[str, str] = field(default_factory=dict)
    checked: list[tuple[Suite, ExpectationSuiteValidationResult]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    dataset: dict[str, str] | None = None

    @property
    def success(self) -> bool:
        """Whether no error is left that nobody waived; warnings do not count."""
        return not any(finding.fails for finding in self.findings)

    @property
    def counts(self) -> dict[str, int]:
        """How many expectations there were, and what became of them; errors and warnings are of our own checks, too."""
        expectations = sum(len(suite.expectations) for suite, _ in self.checked)
        failed = sum(finding.rule != NEAR_DUPLICATE for finding in self.findings)
        return {
            "expectations": expectations,
            "passed": expectations - failed,
            "failed": failed,
            "errors": sum(f.fails for f in self.findings),
            "warnings": sum(f.level == "warning" and f.waived is None for f in self.findings),
            "waived": sum(f.waived is not None for f in self.findings),
        }

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON types."""
        return {
            "success": self.success,
            "dataset": self.dataset,
            "engine": self.engine,
            "suites": [suite_json(suite, result) for suite, result in self.checked],
            "findings": [finding.as_json() for finding in self.findings],
            "counts": self.counts,
            "notes": self.notes,
            "checks": self.checks,
        }


def suite_json(suite: Suite, result: ExpectationSuiteValidationResult) -> dict[str, Any]:
    """One suite's result without what differs between two equal runs: times, samples, the order of sums."""
    found = {r.expectation_config.id: r for r in result.results}
    return {
        "name": suite.view,
        "table": suite.table,
        "file": suite.file,
        "success": bool(result.success),
        "expectations": [_expectation_json(e, found[e.id]) for e in suite.expectations],
    }


def _expectation_json(written: Expectation, found: Any) -> dict[str, Any]:
    result = found.result
    return {
        "id": written.id,
        "type": written.type,
        "rule": written.rule,
        "level": written.level,
        "reason": written.reason,
        "success": bool(found.success),
        "kwargs": written.kwargs,
        "element_count": plain(result.get("element_count")),
        "unexpected_count": plain(result.get("unexpected_count")),
        "observed": plain(result.get("observed_value")),
    }


# ---- what there is to validate -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """How to validate: with which engine and limits; `today` decides which waivers have expired; `samples` rows are named."""

    engine: str = "duckdb"
    memory_limit: str = "2GB"
    threads: int | None = None
    samples: int = 20
    today: datetime.date = field(default_factory=versions.today)


def validate_project(
    project: Project, request: Request, *, earlier: Path | None = None, tell: Tell = lambda *_: None
) -> Validation:
    """Validate dataset/ of a project against its suites, and compare its splits; findings are traced back to the seeds.

    Raises LoadError if there is no dataset, SuiteError for what is wrong in expectations/.
    """
    manifest = read_manifest(project.dataset)
    sources = suite_sources(project)
    where = project.name_of(project.expectations)
    if not sources:
        raise SuiteError(f"{where}: holds no suite; `dateline suites` writes those that follow from schemas/")
    before = read_manifest(earlier) if earlier else None
    done = validate_files(project.dataset, manifest, sources, where, request, earlier=before, tell=tell)
    lookup = functools.partial(stored_signatures, project)
    _across_splits(done, project.dataset, manifest, _waivers(sources, where, request), request, lookup, tell)
    return replace(done, findings=placed(project, done.findings))


def validate_release(
    folder: Path, request: Request, *, suites: Path | None = None, earlier: Path | None = None, tell: Tell = lambda *_: None
) -> Validation:
    """Validate a release in a folder against the suites that it carries, or those of the folder `suites`; compare its splits.

    Raises LoadError for a folder without a release, SuiteError for a release without suites.
    """
    manifest = read_manifest(folder)
    if suites is not None:
        sources, where = sources_in(suites), str(suites)
    else:
        sources, where = carried_suites(folder, manifest), f"{folder}/{FOLDER}"
    if not any(name.endswith(".json") for name in sources):
        raise SuiteError(
            f"{where}: holds no suite"
            + ("" if suites else "; this release was built without: name a folder of suites with --suites")
        )
    before = read_manifest(earlier) if earlier else None
    done = validate_files(folder, manifest, sources, where, request, earlier=before, tell=tell)
    _across_splits(done, folder, manifest, _waivers(sources, where, request), request, tell=tell)
    return done


def validate_parquet(files: Sequence[Path], suite: Path, key: Sequence[str], request: Request) -> Validation:
    """Validate anybody's Parquet files, as one table, against one suite of Great Expectations; `key` names rows in findings.

    Raises InputError if there is no file, SuiteError for what is wrong with the suite or cannot be run on the files.
    """
    missing = [path for path in files if not path.is_file()]
    if missing or not files:
        raise InputError(f"{missing[0] if missing else suite}: no such file")
    read = replace(read_suite(suite), key=tuple(key))
    return _run([read], [View("data", parquet=tuple(files))], {}, [], request)


def validate_files(
    folder: Path, manifest: Manifest, sources: Mapping[str, bytes], where: str, request: Request,
    *, earlier: Manifest | None = None, tell: Tell = lambda *_: None,
) -> Validation:  # fmt: skip
    """Validate the data files that a manifest names in a folder, against the suites that `sources` spell.

    Raises SuiteError for suites, relations or waivers that are wrong or cannot be run on these tables.
    """
    suites = suites_from(sources, where)
    waivers = _waivers(sources, where, request)
    rules = {**RULES, **rules_from(sources.get(_RULES_FILE, b""), f"{where}/{_RULES_FILE}")}
    views = dataset_views(manifest, folder, earlier)
    empty = {name for name, table in manifest.tables.items() if not table.rows}
    notes = [f"{s.file}: not run; {s.view} has no rows" for s in suites if s.view in empty]
    done = _run([s for s in suites if s.view not in empty], views, rules, waivers, request, tell)
    done.notes[:0] = notes
    done.dataset = {"name": manifest.name, "version": manifest.version, "content_digest": manifest.content_digest}
    return done


def _waivers(sources: Mapping[str, bytes], where: str, request: Request) -> list[Waiver]:
    return waivers_from(sources[WAIVERS], f"{where}/{WAIVERS}", request.today) if WAIVERS in sources else []


def _run(
    suites: Sequence[Suite], views: Sequence[View], rules: Mapping[str, Rule], waivers: Sequence[Waiver], request: Request,
    tell: Tell = lambda *_: None,
) -> Validation:  # fmt: skip
    # to know that all rows of a finding are waived, as many must be named
    samples = max([request.samples, *(len(waiver.rows) + request.samples for waiver in waivers)])
    options = Options(memory_limit=request.memory_limit, threads=request.threads, samples=samples)
    done = Validation()
    with open_engine(request.engine, views, options) as engine:
        done.engine = {"name": engine.name, "dateline": __version__, **engine.versions}
        for number, suite in enumerate(suites, 1):
            result = engine.validate(suite)
            done.checked.append((suite, result))
            done.findings += findings_of(suite, result, rules, waivers)
            if not any(_names(later, suite.view) for later in suites[number:]):
                engine.forget(suite)
            tell("validate", number, len(suites))
    used = {finding.waived for finding in done.findings}
    known = {expectation.rule for suite in suites for expectation in suite.expectations}
    for waiver in waivers:
        if waiver.rule == NEAR_DUPLICATE:  # no suite decides it, and not every run
            continue
        if waiver.rule not in known:
            done.notes.append(f"{WAIVERS}: waives {waiver.rule!r}, which no suite decides; remove it")
        elif waiver not in used and not any(f.rule == waiver.rule for f in done.findings):
            done.notes.append(_idle(waiver))
    return done


def _names(suite: Suite, view: str) -> bool:
    """Whether a suite's relation may select from a view."""
    return suite.relation is not None and re.search(rf"\b{re.escape(view)}\b", suite.relation) is not None


def _idle(waiver: Waiver) -> str:
    return f"{WAIVERS}: waives {waiver.rule!r}, which nothing breaks any more; remove it"


# ---- checks of our own, beside the suites --------------------------------------------------------------------


def _across_splits(
    done: Validation, folder: Path, manifest: Manifest, waivers: Sequence[Waiver], request: Request,
    lookup: Lookup = lambda *_: {}, tell: Tell = lambda *_: None,
) -> None:  # fmt: skip
    """Add to a validation what near-duplicates there are across the splits of its dataset."""
    mine = [waiver for waiver in waivers if waiver.rule == NEAR_DUPLICATE]
    if not splits_in(manifest.splits).near_duplicates:
        done.notes.append("near-duplicates were not looked for: near_duplicates is false in [tool.dateline.splits]")
        return
    found = near_duplicates(folder, manifest, LocalEngine(request.threads), lookup, tell)
    done.checks.append(found.as_json(request.samples))
    if found.withheld:
        texts = "text is" if found.withheld == 1 else "texts are"
        done.notes.append(f"{found.withheld:,} {texts} withheld and not signed: not compared with the articles of other splits")
    if found.pairs:
        samples = max([request.samples, *(len(waiver.rows) + request.samples for waiver in mine)])
        done.findings.append(waive(_near_duplicate(found, manifest, samples), mine))
    elif mine:
        done.notes += map(_idle, mine)


def _near_duplicate(found: Compared, manifest: Manifest, samples: int) -> Finding:
    """The finding that names the articles with a near-duplicate in another split; where splits are given, it is a warning."""
    rule, partners = RULES[NEAR_DUPLICATE], found.partners
    rows = tuple(partners)[:samples]
    named = {row: ", ".join(f"{other} ({split}, {alike:.2f})" for other, split, alike in partners[row]) for row in rows}
    return Finding(
        rule=rule.id,
        level="warning" if manifest.splits["mode"] == "given" else rule.level,
        table="articles",
        rows=rows,
        count=len(partners),
        says=rule.message,
        expected=f"no two texts of different splits that are alike by {found.threshold:g} or more",
        hint=rule.hint,
        suite=f"check {NEAR_DUPLICATES}",
        expectation_id=NEAR_DUPLICATES,
        observed=[pair.as_json() for pair in found.pairs[:samples]],
        details=tuple((row, f": {words}") for row, words in named.items()),
    )


def placed(project: Project, findings: Iterable[Finding]) -> list[Finding]:
    """The findings with the places of their rows in the seeds."""
    findings = list(findings)
    wanted = {(finding.table, row) for finding in findings for row in finding.rows}
    found = locate(project, load_schemas(project.schemas), wanted) if wanted else {}
    made = []
    for finding in findings:
        places = tuple((row, found[finding.table, row].place) for row in finding.rows if (finding.table, row) in found)
        first = found.get((finding.table, places[0][0])) if places else None
        made.append(
            replace(finding, places=places, place=first.place if first else None, snippet=first.snippet if first else None)
        )
    return made


# ---- what a dataset keeps ------------------------------------------------------------------------------------


def suite_sources(project: Project) -> dict[str, bytes]:
    """What decides about a project's tables: its suites, relations, rules and waivers, by their names in expectations/.

    Raises SuiteError for a file that cannot be read.
    """
    sources = sources_in(project.expectations, project.name_of(project.expectations))
    if not any(name.endswith(".json") for name in sources):
        return {}
    waivers = project.expectations / WAIVERS
    try:
        return {**sources, **({WAIVERS: waivers.read_bytes()} if waivers.is_file() else {})}
    except OSError as fault:
        raise SuiteError(f"{project.name_of(waivers)}: cannot be read: {fault.strerror}") from None


@dataclass
class BuildValidation:
    """What a build's tables gave: findings, counts (None where there are no suites), and the files that the dataset keeps."""

    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] | None = None
    files: list[dict[str, Any]] = field(default_factory=list)


def validate_build(
    project: Project,
    data: Path,
    manifest: Manifest,
    today: datetime.date | None,
    *,
    again: bool,
    tell: Tell,
    samples: int = 20,
) -> BuildValidation:
    """Validate the tables of a build, in the folder `data`, and write there what the dataset keeps of it.

    If the dataset in place has kept the result of equal tables, suites and versions, that is taken, unless `again`. A finding
    names up to `samples` rows.
    Raises SuiteError for suites, relations or waivers that are wrong or cannot be run on these tables.
    """
    sources = suite_sources(project)
    if not sources:
        return BuildValidation()
    where = project.name_of(project.expectations)
    request = Request(today=today or versions.today(), samples=samples)
    suites = {e.id: (s, e) for s in suites_from(sources, where) for e in s.expectations}
    key = _key(manifest, sources)
    kept = None if again else _kept(project.dataset, key)
    if kept is not None:
        _waivers(sources, where, request)  # one may have expired since
        rules = {**RULES, **rules_from(sources.get(_RULES_FILE, b""), f"{where}/{_RULES_FILE}")}
        findings = [again_finding(found, *suites[found["expectation_id"]], rules) for found in kept["findings"]]
        result, counts = kept, kept["counts"]
    else:
        done = validate_files(data, manifest, sources, where, request, tell=tell)
        findings, counts = done.findings, done.counts
        result = {
            "key": key,
            "engine": done.engine,
            "suites": {
                suite.view: [_kept_json(e) for e in suite_json(suite, found)["expectations"]] for suite, found in done.checked
            },
            "findings": [_finding_json(finding) for finding in findings],
            "counts": counts,
            "notes": done.notes,
        }
    files = [_keep(data, "suites", packed(sources)), _keep(data, "result", _encoded(result))]
    return BuildValidation(placed(project, findings), counts, files)


def _key(manifest: Manifest, sources: Mapping[str, bytes]) -> dict[str, str]:
    """All that a result depends on."""
    tables = json.dumps({name: asdict(table) for name, table in sorted(manifest.tables.items())}, sort_keys=True)
    return {
        "tables": hashlib.sha256(tables.encode()).hexdigest(),
        "suites": hashlib.sha256(packed(sources)).hexdigest(),
        "dateline": __version__,
        **{name: version(name) for name in ("great-expectations", "duckdb")},
    }


def _kept(dataset: Path, key: Mapping[str, str]) -> dict[str, Any] | None:
    """The result that the dataset in place has kept, if it is that of `key` and the file is the one its manifest names."""
    try:
        manifest = read_manifest(dataset)
        file = next(f for f in manifest.validation if f["path"].startswith(f"{FOLDER}/result-"))
        raw = (dataset / file["path"]).read_bytes()
        found = json.loads(raw) if hashlib.sha256(raw).hexdigest() == file["sha256"] else {}
        return found if found.get("key") == dict(key) else None
    except (DatelineError, StopIteration, OSError, ValueError, AttributeError):
        return None


def _finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as a dataset keeps it: without places, and with rows only if all are named, as any sample would do."""
    rows = list(finding.rows) if finding.count <= len(finding.rows) else []
    said = finding.as_json()
    return {**{name: said[name] for name in ("rule", "level", "table", "count", "expectation_id", "waived")}, "rows": rows}


def _kept_json(expectation: Mapping[str, Any]) -> dict[str, Any]:
    """An expectation's result as a dataset keeps it; what the expectation says stands in the suites beside it."""
    names = ("id", "rule", "success", "element_count", "unexpected_count", "observed")
    return {name: expectation[name] for name in names if expectation[name] is not None}


def _keep(data: Path, kind: str, raw: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(raw).hexdigest()
    path = f"{FOLDER}/{kind}-{digest[:12]}.json"
    (data / FOLDER).mkdir(exist_ok=True)
    (data / path).write_bytes(raw)
    return {"path": path, "sha256": digest, "bytes": len(raw)}


def packed(sources: Mapping[str, bytes]) -> bytes:
    """Suites, relations, rules and waivers as the one file in which a dataset carries them: one of them on each line.

    Raises SuiteError for a file that is not UTF-8.
    """
    lines = []
    for name, raw in sorted(sources.items()):
        try:
            text = raw.decode()
        except UnicodeDecodeError as fault:
            raise SuiteError(f"expectations/{name}: is not valid UTF-8: {fault.reason} at byte {fault.start}") from None
        content = json.loads(text) if name.endswith(".json") else text
        lines.append(f" {json.dumps(name)}: {json.dumps(content, ensure_ascii=False, separators=(',', ':'))}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def _encoded(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def carried_suites(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    """The suites that a release carries; none if it was built without.

    Raises SuiteError if the file is not the one that the manifest names.
    """
    said = _carried(folder, manifest, "suites") or {}
    return {name: (suite if isinstance(suite, str) else json.dumps(suite)).encode() for name, suite in said.items()}


def carried_result(folder: Path, manifest: Manifest) -> dict[str, Any] | None:
    """What became of the suites that a release carries; None if it was built without.

    Raises SuiteError if the file is not the one that the manifest names.
    """
    return _carried(folder, manifest, "result")


def _carried(folder: Path, manifest: Manifest, kind: str) -> dict[str, Any] | None:
    for file in manifest.validation:
        if file["path"].startswith(f"{FOLDER}/{kind}-"):
            path = folder / file["path"]
            try:
                raw = path.read_bytes()
            except OSError as fault:
                raise SuiteError(f"{path}: the manifest names it, but: {fault.strerror}; get the dataset again") from None
            if hashlib.sha256(raw).hexdigest() != file["sha256"]:
                raise SuiteError(f"{path}: is not the file that the manifest names; get the dataset again")
            found: dict[str, Any] = json.loads(raw)
            return found
    return None
