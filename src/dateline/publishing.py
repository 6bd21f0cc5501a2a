"""publish: the release in dataset/ brought to a target; all of it, or, as readers see it, nothing.

check -> stage -> what is there -> send what lacks, the manifest last -> flip -> read it back and compare. Whatever stops it,
doing it again finishes it: a release has the same bytes each time, and nothing that is there is replaced.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dateline.describe.changelog import newest_version
from dateline.errors import LoadError, ProjectError, PublishError, RefusedError, UsageError, needing
from dateline.files import zip_folder
from dateline.keys import PrivateKey
from dateline.layout import ATTESTATION, SITE, Published
from dateline.ledger import UNRELEASED, Ledger, marked, read_ledger
from dateline.manifest import NAME as MANIFEST
from dateline.manifest import Manifest, read_manifest, read_versions
from dateline.project import Project
from dateline.publication import Staged, stage
from dateline.reading_back import read_back
from dateline.release_files import check_files
from dateline.sources import is_release
from dateline.targets import FORMS, About, Sent, Target, Tell, There, lacking, target_of
from dateline.targets.pointer import Pointer


@dataclass
class Outcome:
    """What came of a publish: what was sent, or why nothing was."""

    target: str
    version: str = ""
    refusals: list[str] = field(default_factory=list)
    """Why it must not be published."""
    faults: list[str] = field(default_factory=list)
    """What was read back from the target and is not as it should be."""
    already: bool = False
    """Whether the release was there before."""
    sent: Sent = field(default_factory=Sent)
    read_files: int = 0
    read_bytes: int = 0

    @property
    def success(self) -> bool:
        """Whether the release is at the target as it should be, or would be."""
        return not (self.refusals or self.faults)


def publish(
    project: Project,
    words: str,
    *,
    key: PrivateKey | None = None,
    site: bool = False,
    final: bool = False,
    dry_run: bool = False,
    tell: Tell = lambda *_: None,
) -> Outcome:
    """Bring the release in dataset/ to the target that `words` name: an address, or a name in [tool.dateline.targets].

    `key` signs it; with `site` its site lies beside it, in one file. `final` publishes a draft at Zenodo. With `dry_run` nothing
    is written there, and the outcome says what would be sent. Raises PublishError for what cannot run at all: no such bucket, no
    credentials, a full disk.
    """
    address = _address(project, words)
    out = Outcome(address)
    out.refusals = refusals(project)
    if out.refusals:
        return out
    with (
        tempfile.TemporaryDirectory(prefix="dateline-publish-") as work,
        target_of(address, final=final, dry_run=dry_run) as target,
    ):
        pages = _site(project, Path(work)) if site else None
        staged = _staged(project, Path(work) / "release", key, pages)
        out.version, out.sent = staged.version, target.sent
        try:
            there = target.look(staged, about(project, staged))
            _is_same(staged, there, target)
            lacks = lacking(staged, there)
            out.already = there.manifest is not None
            if dry_run:
                _foretell(out.sent, staged, there, lacks)
                return out
            if lacks or there.manifest is None:
                target.send(staged, there, tell)
            else:
                out.sent.kept = sorted(there.files)
            manifest = there.manifest or (staged.folder / MANIFEST).read_bytes()
            target.flip(staged, _pointer(project, staged, manifest))
        except RefusedError as fault:
            out.refusals = [str(fault)]
            return out
        back = read_back(target, staged, manifest, Path(work) / "back", tell)
    out.faults, out.read_files, out.read_bytes = back.faults, back.files, back.bytes
    if site and there.manifest is not None and SITE not in there.files:
        out.faults.append(
            f"{SITE}: was not added, as {staged.version} lies there whole, and SHA256SUMS there does not name it; put the "
            "pages somewhere else (dateline site --out FOLDER), or publish the next version with its site"
        )
    if key is not None and there.manifest is not None and ATTESTATION not in there.files and not lacks:
        out.faults.append(
            f"{ATTESTATION}: was not added, as {staged.version} lies there with other metadata than here (made from another "
            "commit, or before a yank?), of which this signature is not; publish without --sign, or sign the next version"
        )
    return out


def _site(project: Project, work: Path) -> Path:
    """The site of the release in one file of the folder `work`: the same bytes for the same pages."""
    with needing("build,site", "--site"):
        from dateline.siting import make_site  # the pages need packages that a release does without

        make_site(None, work / "pages", project.root)
    zip_folder(work / "pages", work / SITE)
    return work / SITE


def _staged(project: Project, into: Path, key: PrivateKey | None, site: Path | None) -> Staged:
    try:
        return stage(project, into, key=key, site=site)
    except OSError as fault:
        where = fault.filename or into
        raise PublishError(
            f"{where}: cannot be written: {fault.strerror or fault}; TMPDIR names another folder to work in"
        ) from None


# ---- may it be published ---------------------------------------------------------------------------------------


def _address(project: Project, words: str) -> str:
    if not words.strip():
        raise UsageError(f"the target has no name; name {FORMS}")
    address = project.settings.targets.get(words, words)
    if "://" in address:
        return address
    named = Path(address).expanduser() if address == words else project.root / Path(address).expanduser()
    inside = named.resolve()
    if inside == project.root.resolve() or any(
        folder.resolve() in (inside, *inside.parents) for folder in (project.dataset, project.seeds, project.schemas)
    ):
        raise UsageError(
            f"{words}: is the project's own folder; releases are published to another (or to {FORMS.partition(', ')[2]})"
        )
    return str(named)


def refusals(project: Project) -> list[str]:
    """Why the state of a project must not be published: all that is wrong, a line each."""
    if project.settings.private:
        return ["the project is private (private = true): its texts may not be passed on, and nothing publishes it"]
    name = project.name_of(project.dataset)
    if not is_release(project.dataset):
        return [f"{name}: holds no dataset; `dateline release` makes the first release"]
    try:
        manifest = read_manifest(project.dataset)
        ledger = read_ledger(project.ledger)
        faults = [fault for fault in check_files(project.dataset, manifest) if fault.level == "error"]
    except (LoadError, ProjectError) as fault:
        return [str(fault)]
    if faults:
        return [f"{name}/{fault}; dataset/ is never edited: run `dateline rebuild`" for fault in faults]
    if manifest.hydrated_from:
        return [f"{name}: is a hydrated copy; texts that were put back are never published"]
    if manifest.version == UNRELEASED:
        return [
            f"{name}: is no release but a build after {ledger.last.version if ledger.last else 'none'}; run `dateline release`"
        ]
    return [*_versions_that_differ(project, manifest, ledger), *_not_told(project, manifest, ledger)]


def _versions_that_differ(project: Project, manifest: Manifest, ledger: Ledger) -> Iterator[str]:
    """Each file that names another version than dataset/ has."""
    release = ledger.release_of(manifest.content_digest)
    if release is None or release.version != manifest.version:
        says = "knows nothing of this data" if release is None else f"calls this data {release.version}"
        yield f"seeds/ledger.jsonl: {says}, but dataset/ is {manifest.version}; run `dateline rebuild`"
    if ledger.last and ledger.last.version != manifest.version:
        last = ledger.last.version
        yield f"seeds/ledger.jsonl: the last release is {last}, but dataset/ is {manifest.version}; check out one state"
    listed = [one["version"] for one in (read_versions(project.dataset, manifest) or {"versions": []})["versions"]]
    named = {
        "dataset/versions.json": listed[-1] if listed else None,
        "pyproject.toml": project.settings.version,
        "CHANGELOG.md": _said(project.root / "CHANGELOG.md", newest_version),
        "CITATION.cff": _said(project.root / "CITATION.cff", lambda text: str((yaml.safe_load(text) or {}).get("version"))),
    }
    for file, version in named.items():
        if version != manifest.version and (version is not None or file == "dataset/versions.json"):
            yield f"{file}: names the version {version or 'none'}, but dataset/ is {manifest.version}; make them agree"


def _said(path: Path, read: Any) -> str | None:
    try:
        return read(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError) as fault:
        return f"that cannot be read ({type(fault).__name__})"


def _not_told(project: Project, manifest: Manifest, ledger: Ledger) -> Iterator[str]:
    """What the ledger took back and dataset/ does not say yet."""
    said = read_versions(project.dataset, manifest) or {"versions": [], "retracted": []}
    yanked = {one["version"] for one in said["versions"] if one["yanked"]}
    for release in ledger.releases:
        if release.yanked and release.version not in yanked:
            yield f"dataset/versions.json: does not say yet that {release.version} was yanked; run `dateline rebuild`"


# ---- what is said of it ----------------------------------------------------------------------------------------


def about(project: Project, staged: Staged) -> About:
    """What archives are told: from the settings and CITATION.cff."""
    settings = project.settings
    try:
        cited = yaml.safe_load((project.root / "CITATION.cff").read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        cited = {}
    return About(
        title=f"{settings.title or settings.name} {staged.version}",
        description=settings.summary,
        license=settings.license,
        date=_date(project, staged),
        creators=[_creator(one) for one in cited.get("authors") or () if isinstance(one, dict)],
        keywords=[str(word) for word in cited.get("keywords") or ()],
    )


def _creator(author: Mapping[str, Any]) -> dict[str, str]:
    family, given = author.get("family-names"), author.get("given-names")
    made = {"name": ", ".join(str(part) for part in (family, given) if part) or str(author.get("name", ""))}
    if author.get("affiliation"):
        made["affiliation"] = str(author["affiliation"])
    if author.get("orcid"):
        made["orcid"] = str(author["orcid"]).rpartition("/")[2]
    return made


def _date(project: Project, staged: Staged) -> str:
    release = read_ledger(project.ledger).release_of(staged.manifest.content_digest)
    return release.date if release else ""


def _pointer(project: Project, staged: Staged, manifest: bytes) -> Pointer:
    """The release as it is at the target, and all that the ledger takes back."""
    ledger = read_ledger(project.ledger)
    yanked = {one.version: {"reason": one.yanked.reason, "date": one.yanked.date} for one in ledger.releases if one.yanked}
    digest = hashlib.sha256(manifest).hexdigest()
    release = Published(
        staged.version, _date(project, staged), digest, staged.manifest.content_digest, yanked.get(staged.version)
    )
    return Pointer(staged.manifest.name, release, yanked, marked(ledger.retracted.values()))


# ---- what is there ---------------------------------------------------------------------------------------------


def _is_same(staged: Staged, there: There, target: Target) -> None:
    """Refuse a release that is there under this version with other data."""
    if there.manifest is None:
        return
    try:
        said = json.loads(there.manifest)
        digest, name = said["content_digest"], said["name"]
    except (ValueError, KeyError, TypeError):
        raise RefusedError(
            f"{target.words}: {staged.version} is there, and its {MANIFEST} is damaged; nothing is replaced"
        ) from None
    ours = staged.manifest
    if (digest, name) != (ours.content_digest, ours.name):
        raise RefusedError(
            f"{target.words}: {ours.version} is there with other data ({name}, content {str(digest)[:12]}; here {ours.name}, "
            f"{ours.content_digest[:12]}); a published version is never replaced: release a new one"
        )


def _foretell(sent: Sent, staged: Staged, there: There, lacks: list[str]) -> None:
    sent.kept = sorted(there.files)
    sent.reused = [path for path in lacks if staged.files[path][0] in there.at_hand]
    sent.files = [path for path in lacks if staged.files[path][0] not in there.at_hand]
    sent.bytes = sum(staged.files[path][1] for path in sent.files)
