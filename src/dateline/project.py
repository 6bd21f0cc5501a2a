"""A project: the folder that holds seeds/, schemas/ and dataset/, and its [tool.dateline] in pyproject.toml."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from dateline.errors import ProjectError
from dateline.transaction import finish
from dateline.typed import Misfit, misfits, shown

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Splits:
    """How articles come to their split.

    `mode` "computed": groups fill `quotas` (shares that sum to 1, by split) in the order of a salted hash;
    "given": each record names its own split.

    Texts whose signatures (MinHash of `num_perm` numbers over shingles of so many words, or characters in scripts written
    without spaces) agree in at least `threshold` of their numbers are near-duplicates and share a split. A paragraph of at
    least `shared_paragraph` code points that stands in articles of two splits is told.

    `assigned` names groups that a designed split is for, by split: whole names, or patterns such as "held-out-*". It holds
    for groups of which nothing is released yet, and in mode "computed" alone.
    """

    mode: str = "computed"
    salt: str = ""
    quotas: dict[str, float] = field(default_factory=lambda: {"train": 0.8, "validation": 0.1, "test": 0.1})
    assigned: dict[str, tuple[str, ...]] = field(default_factory=dict)
    near_duplicates: bool = True
    threshold: float = 0.8
    num_perm: int = 128
    shingle_words: int = 3
    shingle_characters: int = 5
    shared_paragraph: int = 80


PRIVATE = "LicenseRef-private"
"""The licence that texts of a private project are under: none."""


@dataclass(frozen=True)
class Rate:
    """One `unit` is `factor` of the unit `to` (a decimal, as a string): what amounts in two units are compared by."""

    unit: str
    to: str
    factor: str
    source: str = ""
    as_of: str = ""

    @property
    def number(self) -> Decimal:
        """The factor."""
        return Decimal(self.factor)


@dataclass(frozen=True)
class Estimates:
    """How estimates follow from claims; a project that has this table has estimands, estimates and estimate_pairs.

    `interval_tolerance`: by which share of its value an approximate number ("about 10,000") may be off. `pair_nonfactual`:
    whether estimates whose chain is not factual may be in pairs. `rates`: between the units of one estimand.
    """

    interval_tolerance: float = 0.05
    pair_nonfactual: bool = False
    rates: list[Rate] = field(default_factory=list)


RAI: Mapping[str, bool] = {
    "dataCollection": False, "dataCollectionType": True, "dataCollectionMissingData": False, "dataCollectionRawData": False,
    "dataImputationProtocol": False, "dataPreprocessingProtocol": True, "dataManipulationProtocol": False,
    "dataAnnotationProtocol": True, "dataAnnotationPlatform": True, "dataAnnotationAnalysis": True, "annotationsPerItem": False,
    "annotatorDemographics": True, "machineAnnotationTools": True, "dataBiases": True, "dataUseCases": True,
    "dataLimitations": True, "dataSocialImpact": False, "personalSensitiveInformation": True, "dataReleaseMaintenancePlan": False,
}  # fmt: skip
"""The names of the RAI vocabulary (https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html), and which may be lists."""


@dataclass(frozen=True)
class Settings:
    """[tool.dateline], the only configuration.

    `private`: the dataset holds texts that may not be passed on; it stays on this machine, and nothing publishes it.
    `baselines`: a file of kept results (examples/baselines), shown in the card.
    `code_license`: of what builds the dataset, where that is the project's own; `license` is that of the dataset as a whole.
    `public_key`: the file, in the project, of the key that releases are signed with; the card says its fingerprint.
    `policy`: which version a correction of a released row makes: under "errata" a minor one, unless a test row is touched, under
    "strict" a major one.
    """

    name: str
    title: str = ""
    summary: str = ""
    version: str = "0.0.0"
    license: str = ""
    code_license: str = ""
    languages: tuple[str, ...] = ()
    homepage: str = ""
    citation: str = ""
    notice: str = ""
    public_key: str = ""
    default_config: str = "articles"
    texts: str = ""
    longest_string: int = 400
    private: bool = False
    baselines: str = ""
    policy: str = "errata"
    splits: Splits = field(default_factory=Splits)
    estimates: Estimates | None = None
    rai: dict[str, Any] = field(default_factory=dict)
    """What croissant.json says of how the data came to be, in the words of the RAI vocabulary: a string or a list by name."""
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Declared by kind; dateline.derive.declared says what there is."""
    targets: dict[str, str] = field(default_factory=dict)
    """Names for the addresses that releases are published to."""


@dataclass(frozen=True)
class Records:
    """Records that lie elsewhere than in seeds/: the folder that they were brought to, and the address that they are known by."""

    folder: Path
    address: str


@dataclass(frozen=True)
class Project:
    """Where the parts of a project are, and its settings; `records`, where there are any, stand in place of those in seeds/."""

    root: Path
    settings: Settings
    records: Records | None = None
    settings_sha256: str = ""
    """The digest of the file as the settings were read from it; empty if they were not."""

    @property
    def seeds(self) -> Path:
        """Folder of the records, written by people."""
        return self.root / "seeds"

    @property
    def schemas(self) -> Path:
        """Folder of the schemas, written by curators."""
        return self.root / "schemas"

    @property
    def dataset(self) -> Path:
        """Folder made by rebuild, never edited."""
        return self.root / "dataset"

    @property
    def expectations(self) -> Path:
        """Folder of the suites, written by curators."""
        return self.root / "expectations"

    @property
    def ledger(self) -> Path:
        """What earlier releases fixed."""
        return self.seeds / "ledger.jsonl"

    def texts(self) -> Path | None:
        """Folder of withheld texts at hand (`<article_id>.txt`), which may lie outside the project; None if there is none.

        The environment variable DATELINE_TEXTS goes before the setting `texts`. The folder of the setting need not be on every
        machine; raises ProjectError if the one that the variable names is not there.
        """
        if named := os.environ.get("DATELINE_TEXTS"):
            if not Path(named).is_dir():
                raise ProjectError(f"DATELINE_TEXTS names {named}, which is no folder; texts lie there as <article_id>.txt")
            return Path(named)
        folder = self.root / self.settings.texts
        return folder if self.settings.texts and folder.is_dir() else None

    def name_of(self, path: Path) -> str:
        """The path as messages and manifests write it: relative to the project, or to where records lie, with forward slashes."""
        if self.records and path.is_relative_to(self.records.folder):
            return f"{self.records.address}/{path.relative_to(self.records.folder).as_posix()}"
        try:
            return path.resolve().relative_to(self.root.resolve()).as_posix()
        except (ValueError, OSError, RuntimeError):  # outside, or a symbolic link that leads to itself
            return path.as_posix()


def find_project(start: Path) -> Project:
    """The project that holds `start`: the nearest folder upward whose pyproject.toml has [tool.dateline].

    What a process was killed at while it changed several files is finished first.
    Raises ProjectError that says where it looked, or what is wrong with the settings.
    """
    start = start.resolve()
    looked: list[Path] = []
    for folder in [start, *start.parents]:
        file = folder / "pyproject.toml"
        looked.append(folder)
        if not file.is_file():
            continue
        try:
            raw = file.read_bytes()
            tool = tomllib.loads(raw.decode()).get("tool", {})
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
            raise ProjectError(f"{file}: is not valid TOML: {fault}") from None
        if isinstance(tool, dict) and "dateline" in tool:
            if finish(folder):
                return find_project(start)
            digest = hashlib.sha256(raw).hexdigest()
            return Project(folder, _settings(tool["dateline"], file), settings_sha256=digest)
    raise ProjectError(
        f"no project here: looked for a pyproject.toml with [tool.dateline] in {looked[0]} and the {len(looked) - 1} folders "
        "above it; go into a project, or name one with --project"
    )


def _settings(table: dict[str, Any], file: Path) -> Settings:
    _known(table, Settings, "[tool.dateline]", file)
    splits = table.get("splits", {})
    _known(splits, Splits, "[tool.dateline.splits]", file)
    if "estimates" in table:
        _known(table["estimates"], Estimates, "[tool.dateline.estimates]", file)
    if table.get("name") is None:
        raise ProjectError(f"{file}: [tool.dateline] has no name; give it one of lower-case words with hyphens")
    for wrong in misfits(table, Settings):
        part, _, setting = wrong.where.partition(".")
        part, setting = (part, setting) if part in {"splits", "estimates"} and setting else ("", wrong.where)
        where = f"[tool.dateline.{part}]" if part else "[tool.dateline]"
        raise ProjectError(f"{file}: {where} {setting} must be {wrong.expected}; it is {wrong.found}")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", table["name"]):
        raise ProjectError(f"{file}: [tool.dateline] name must be lower-case words with hyphens; it is {table['name']!r}")
    if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", table.get("version", "0.0.0")):
        raise ProjectError(f"{file}: [tool.dateline] version must be MAJOR.MINOR.PATCH; it is {table['version']!r}")
    for name in ("license", "code_license"):
        if table.get(name) and not _is_license(table[name]):
            raise ProjectError(
                f"{file}: [tool.dateline] {name} must be an SPDX expression such as CC-BY-4.0, or LicenseRef-YourName; "
                f"it is {shown(table[name])}"
            )
    for name, value in table.get("rai", {}).items():
        _is_rai(name, value, file)
    if table.get("license") == PRIVATE and not table.get("private"):
        raise ProjectError(
            f"{file}: [tool.dateline] license is {PRIVATE}, but private is not true: its texts may not be passed on; set "
            "private = true again, or give the records and license the licence under which anybody may have them"
        )
    made = Splits(**splits)
    if made.mode not in {"computed", "given"}:
        raise ProjectError(f'{file}: [tool.dateline.splits] mode must be "computed" or "given"; it is {made.mode!r}')
    shares = list(made.quotas.values())
    if not shares or not all(q > 0 for q in shares) or not abs(sum(shares) - 1) <= 1e-9:  # so that nan fails, too
        raise ProjectError(f"{file}: [tool.dateline.splits] quotas must be positive and sum to 1; they are {made.quotas}")
    for name in made.quotas:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name == "all":
            raise ProjectError(f'{file}: [tool.dateline.splits] {name!r} cannot name a split; use lower-case letters, not "all"')
    for name in made.assigned:
        if made.mode == "given":
            raise ProjectError(f'{file}: [tool.dateline.splits] assigned needs mode "computed"; here each record names its split')
        if name not in made.quotas:
            there = ", ".join(made.quotas)
            raise ProjectError(f"{file}: [tool.dateline.splits] assigned names the split {name!r}; there are {there}")
    for wrong in out_of_range(made):
        raise ProjectError(f"{file}: [tool.dateline.splits] {wrong.where} must be {wrong.expected}; it is {wrong.found}")
    if not isinstance(table.get("texts", ""), str):
        raise ProjectError(f"{file}: [tool.dateline] texts must name a folder; it is {table['texts']!r}")
    longest = table.get("longest_string", 400)
    if not isinstance(longest, int) or isinstance(longest, bool) or longest < 16:
        raise ProjectError(f"{file}: [tool.dateline] longest_string must be a number of characters from 16 on; it is {longest!r}")
    if table.get("policy", "errata") not in {"errata", "strict"}:
        raise ProjectError(f'{file}: [tool.dateline] policy must be "errata" or "strict"; it is {table["policy"]!r}')
    values = {**table, "splits": made}
    if "estimates" in table:
        values["estimates"] = _estimates(table["estimates"], file)
    if "languages" in values:
        values["languages"] = tuple(values["languages"])
    return Settings(**values)


def _is_rai(name: str, value: Any, file: Path) -> None:
    """Raises ProjectError for what the RAI vocabulary has no name for, or for no text."""
    where = f"{file}: [tool.dateline.rai]"
    if name not in RAI:
        raise ProjectError(f"{where} has no setting {name}; it has {', '.join(RAI)}")
    many = RAI[name]
    texts = value if many and isinstance(value, list) else [value]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise ProjectError(f"{where} {name} must be a text{' or a list of texts' if many else ''}; it is {shown(value)}")


def out_of_range(splits: Splits) -> Iterator[Misfit]:
    """What of how texts are compared across splits cannot be."""
    if not isinstance(splits.near_duplicates, bool):
        yield Misfit("near_duplicates", repr(splits.near_duplicates), "true or false")
    if not isinstance(splits.threshold, int | float) or not 0.5 <= splits.threshold <= 1:
        yield Misfit("threshold", repr(splits.threshold), "from 0.5 to 1")
    limits = (
        ("num_perm", 16, 1024), ("shingle_words", 1, 50), ("shingle_characters", 1, 50), ("shared_paragraph", 1, 1_000_000),
    )  # fmt: skip
    for name, least, most in limits:
        number = getattr(splits, name)
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
            yield Misfit(name, repr(number), f"a whole number from {least} to {most}")


def _estimates(table: Any, file: Path) -> Estimates:
    where = "[tool.dateline.estimates]"
    made = Estimates(**{**table, "rates": [Rate(**rate) for rate in table.get("rates", ())]})
    if not 0 <= made.interval_tolerance < 1:
        raise ProjectError(
            f"{file}: {where} interval_tolerance must be a share from 0 to below 1; it is {made.interval_tolerance!r}"
        )
    for rate in made.rates:
        try:
            good = rate.number.is_finite() and rate.number > 0
        except InvalidOperation:
            good = False
        if not good:
            raise ProjectError(
                f"{file}: {where} the rate from {rate.unit} to {rate.to} must be a number above zero, "
                f'written as a string ("1.08"); it is {rate.factor!r}'
            )
    return made


def _known(table: Any, kind: type, where: str, file: Path) -> None:
    names = [f.name for f in dataclasses.fields(kind)]
    if not isinstance(table, dict):
        raise ProjectError(f"{file}: {where} must be a table")
    if unknown := table.keys() - set(names):
        raise ProjectError(f"{file}: {where} has no setting {', '.join(sorted(unknown))}; it has {', '.join(names)}")


def _is_license(expression: str) -> bool:
    try:
        from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
    except ImportError:  # comes with what building needs; rebuild then checks what a reader only reads
        return True
    try:
        return bool(canonicalize_license_expression(expression))
    except InvalidLicenseExpression:
        return False
