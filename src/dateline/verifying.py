"""verify: is a release what it says it is, file by file, and who says so.

Nothing of a release is trusted before it was compared. The manifest is read first; every file that it names is read once, hashed,
and its Parquet footer looked at; then what each description of the release says is held against that. Of a remote release one
file after the other is fetched, and none is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from dateline.attestation import check
from dateline.describe.card import head_of
from dateline.errors import InputError, LoadError, printable
from dateline.keys import PublicKey
from dateline.layout import (
    ATTESTATION,
    CITATION,
    CROISSANT,
    METADATA,
    OPTIONAL,
    SITE,
    SUMS,
    Published,
    Releases,
    choose,
    version_of,
)
from dateline.ledger import UNRELEASED
from dateline.manifest import CARD, VERSIONS, Manifest, contradictions, parse_manifest
from dateline.manifest import NAME as MANIFEST
from dateline.release_files import FileFault, ReleaseError, Tell, as_elsewhere, differs, fetch_file, other_digest, unsafe_names
from dateline.sources import Place, is_release, parted, place
from dateline.stores import MissingError, UnreachableError

_AT_ONCE = 8
_OF_THE_HUB = {".gitattributes"}
"""Files that the Hub itself puts into a repository."""
_TWISTED = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, yaml.YAMLError)
"""What reading a document raises that is not of the form that dateline writes."""


@dataclass
class Verified:
    """What `verify` found of a release."""

    where: str
    version: str = ""
    files: int = 0
    bytes: int = 0
    signed_by: str = ""
    """The fingerprint of the key that signed it, as the attestation says."""
    trusted: bool = False
    """Whether the key that was given signed it."""
    faults: list[FileFault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def success(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.faults

    def as_json(self) -> dict[str, Any]:
        """The result as plain JSON types."""
        return {
            "success": self.success,
            "where": self.where,
            "version": self.version or None,
            "files": self.files,
            "bytes": self.bytes,
            "signed_by": self.signed_by or None,
            "trusted": self.trusted,
            "faults": [{"file": fault.file, "says": fault.says} for fault in self.faults],
            "notes": self.notes,
        }


def verify(words: str, *, key: PublicKey | None = None, version: str | None = None, tell: Tell = lambda *_: None) -> Verified:
    """Compare a release, where `words` and `version` say that one is (see `sources.place`), with all that is said of it.

    Raises InputError for words that name no place, LoadError if nobody answers there.
    """
    try:
        found, wanted = _find(words, version)
    except (MissingError, _NoManifest) as fault:
        return Verified(words, faults=[FileFault(MANIFEST, f"no such file, so nothing else can be told ({fault})")])
    result = Verified(found.words)
    try:
        raw = found.read(MANIFEST)
        manifest = parse_manifest(raw, MANIFEST)
    except UnreachableError:
        raise
    except LoadError as fault:
        result.faults.append(FileFault(MANIFEST, str(fault).removeprefix(f"{MANIFEST}: ")))
        return result
    _Verification(found, wanted, key, manifest, raw, result, tell).run()
    result.faults.sort(key=lambda fault: fault.file)
    return result


class _NoManifest(LoadError):
    """A folder of a release, as its other files show, that has no manifest."""


def _find(words: str, version: str | None) -> tuple[Place, str | None]:
    """The release, and which version it must be; whether a folder that was named itself is that one is told later, as a fault."""
    base, wanted = parted(words, version)
    path = Path(base)
    if is_release(path):
        return place(base), wanted
    if path.is_dir() and any((path / name).exists() for name in METADATA):
        raise _NoManifest(f"{base} has none")
    return place(words, version), wanted


class _Verification:
    """One run: what is known of the release, and the checks in their order."""

    def __init__(
        self,
        found: Place,
        wanted: str | None,
        key: PublicKey | None,
        manifest: Manifest,
        raw: bytes,
        result: Verified,
        tell: Tell,
    ) -> None:
        self.place, self.wanted, self.key, self.manifest, self.result, self.tell = found, wanted, key, manifest, result, tell
        self.digest = hashlib.sha256(raw).hexdigest()
        self.documents = {MANIFEST: raw}
        self.digests: dict[str, str] = {}
        """Of files that are not kept as documents."""
        result.version = manifest.version

    def run(self) -> None:
        """All checks; only the first ones if names are such that no file may be touched."""
        self._versions()
        if strange := [*unsafe_names(self.manifest), *_doubled(self.manifest)]:
            self.result.faults += strange
            return
        there = self._there()
        self.published = (
            self.place.folder is None
            or self.place.release is not None
            or version_of(self._folder_name()) is not None
            or any(name in there for name in METADATA)
        )
        self._names(there)
        self._files(there)
        for path, checked in (
            (MANIFEST, self._manifest),
            (CARD, self._card),
            (VERSIONS, self._listed),
            (SUMS, self._sums),
            (CROISSANT, self._croissant),
            (CITATION, self._citation),
            (ATTESTATION, self._attestation),
        ):
            self._guarded(path, checked)
        if not self.published:
            self.result.notes.append(
                "is a dataset as it was built, not a published release: there is no SHA256SUMS, croissant.json, CITATION.cff or "
                "attestation to compare"
            )
        if self.manifest.version == UNRELEASED:
            self.result.notes.append(f"is a build between releases (version {UNRELEASED})")

    def _fault(self, path: str, says: str) -> None:
        self.result.faults.append(FileFault(path, says))

    def _guarded(self, path: str, checked: Callable[[], None]) -> None:
        try:
            checked()
        except _TWISTED as fault:
            self._fault(path, f"is not of the form that dateline writes ({type(fault).__name__})")

    # ---- which release it is ---------------------------------------------------------------------------------

    def _folder_name(self) -> str:
        return self.place.folder.resolve().name if self.place.folder is not None else ""

    def _versions(self) -> None:
        """Whether the release is what its place, its list and the caller call it; an older one may lie under a new name."""
        says = self.manifest.version
        link = Path(os.path.abspath(self.place.folder)).name if self.place.folder is not None else ""
        for name in (self.place.version, version_of(link), version_of(self._folder_name())):
            if name is not None and name != says:
                self._fault(
                    MANIFEST, f"is of release {says}, which lies under the name of {name}: another release put in its place"
                )
                return
        if self.wanted is not None:
            try:
                choose(Releases("", [Published(says, "", "", "")]), self.wanted, self.place.words)
            except LoadError:
                if version_of(f"v{self.wanted.removeprefix('v')}") or not re.match(r"[\w-]+$", self.wanted):
                    self._fault(MANIFEST, f"is of release {says}, and {self.wanted} was asked for")
            except InputError:  # a revision of a repository
                pass
        release = self.place.release
        if release is not None and release.manifest_sha256 not in ("", self.digest):
            self._fault(MANIFEST, other_digest(self.digest, release.manifest_sha256, "list of releases"))
        elif release is not None and release.content_digest not in ("", self.manifest.content_digest):
            self._fault(MANIFEST, f"names other contents than the list of releases says of {release.version}")
        if self.place.listing is not None and release is None and (name := version_of(self._folder_name())):
            self._fault(MANIFEST, f"is of a release that the list beside its folder does not know: it has no {name}")

    # ---- which files there are -------------------------------------------------------------------------------

    def _there(self) -> dict[str, str]:
        """The files that there are, each with why it may not be read; "" for those that may."""
        if self.place.folder is None:
            return dict.fromkeys(self.place.files(), "")
        return dict(_walk(self.place.folder))

    def _expected(self, there: Mapping[str, str]) -> set[str]:
        expected = {*self.manifest.paths(), MANIFEST}
        if self.published:
            expected |= {VERSIONS, *METADATA} - {*OPTIONAL} | (there.keys() & {*OPTIONAL})
        if self.key is not None:
            expected.add(ATTESTATION)
        return expected

    def _names(self, there: Mapping[str, str]) -> None:
        """No file more, no file fewer, no two that are one on other systems, and nothing but files."""
        expected, named = self._expected(there), self.manifest.paths()
        for path in sorted(expected - there.keys()):
            if path == ATTESTATION:
                self._fault(path, "no such file: the release is not signed, and --key was given")
            else:
                self._fault(path, "no such file, but " + ("the manifest names it" if path in named else "every release has it"))
        for path, why in there.items():
            if path in expected and why:
                self._fault(path, why)
        extra = there.keys() - expected - (_OF_THE_HUB if self.place.folder is None else set())
        folded = Counter(as_elsewhere(path) for path in there)
        for path in sorted(extra):
            if folded[as_elsewhere(path)] > 1:
                self._fault(path, "is named as another file but for upper and lower case; on other systems they are one file")
            elif self.published:
                self._fault(path, "is no file of this release: the manifest does not name it")
            elif not path.startswith(".") and "/." not in path:
                self.result.notes.append(f"{path}: the manifest does not name it; no reader sees it")
        self.readable = {path for path in expected if there.get(path) == ""}

    def _files(self, there: Mapping[str, str]) -> None:
        """Sizes, digests and, of Parquet, footers of all files that the manifest names, several at a time."""
        entries = {file["path"]: file for file in self.manifest.files()}
        features = {file["path"]: table.features for table in self.manifest.tables.values() for file in table.files}
        paths = sorted((path for path in entries if path in self.readable), key=lambda path: -entries[path]["bytes"])
        with tempfile.TemporaryDirectory(prefix="dateline-verify-") as folder, ThreadPoolExecutor(_AT_ONCE) as pool:
            scratch = Path(folder)

            def look(path: str) -> str:
                return self._look(path, entries[path], features.get(path), scratch)

            for number, (path, says) in enumerate(zip(paths, pool.map(look, paths), strict=True), 1):
                self.result.files += 1
                self.result.bytes += entries[path]["bytes"]
                if says:
                    self._fault(path, says)
                    self.readable.discard(path)
                self.tell("verify", number, len(paths))
        for path in (*METADATA, MANIFEST):
            if path == SITE and path in self.readable:
                self._digest(path)
            elif path in self.readable:
                self._read(path)

    def _digest(self, path: str) -> None:
        """The digest of a file that may be large, and of which nothing else is looked at."""
        sha256 = hashlib.sha256()
        for chunk in self.place.chunks(path):
            sha256.update(chunk)
            self.result.bytes += len(chunk)
        self.result.files += 1
        self.digests[path] = sha256.hexdigest()

    def _read(self, path: str) -> None:
        if path not in self.documents:
            self.documents[path] = self.place.read(path)
        self.result.files += 1
        self.result.bytes += len(self.documents[path])

    def _look(self, path: str, entry: dict[str, Any], features: Any, scratch: Path) -> str:
        """What is wrong with one file; "" if nothing is."""
        folder = self.place.folder
        if folder is None:
            try:
                fetch_file(self.place.store, path, entry, scratch)
            except ReleaseError as fault:
                return fault.faults[0].says
            except UnreachableError:
                raise
            except LoadError as fault:
                return str(fault)
        elif says := differs(folder / path, entry):
            return says
        local = (folder or scratch) / path
        try:
            if path in (CARD, VERSIONS):
                self.documents[path] = local.read_bytes()
            return _footer_fault(local, entry, features) if features is not None else ""
        finally:
            if folder is None:
                local.unlink(missing_ok=True)

    # ---- what is said of it ----------------------------------------------------------------------------------

    def _digests(self) -> dict[str, str]:
        """Digests of all files of the release: of those that the manifest names as it says, of the others as they are."""
        said = {file["path"]: file["sha256"] for file in self.manifest.files()}
        beside = {path: hashlib.sha256(raw).hexdigest() for path, raw in self.documents.items() if path not in said}
        return said | beside | self.digests

    def _manifest(self) -> None:
        """What the manifest says of the whole must follow from what it says of the parts."""
        for says in contradictions(self.manifest):
            self._fault(MANIFEST, says)
        if self.published and self.manifest.hydrated_from is not None:
            self._fault(MANIFEST, "is of a hydrated copy, and none is ever published")

    def _card(self) -> None:
        """The YAML that loaders read must name the same files, splits, types and version."""
        if CARD not in self.documents:
            return
        head = head_of(self.documents[CARD].decode())
        tables = {name: table for name, table in self.manifest.tables.items() if table.rows}
        configs = {config["config_name"]: config for config in head["configs"]}
        infos = {info["config_name"]: info for info in head["dataset_info"]}
        if configs.keys() != tables.keys() or infos.keys() != tables.keys():
            self._fault(CARD, "names other configs than the manifest")
            return
        for name, table in tables.items():
            files = {split: [file["path"] for file in table.files if file["split"] == split] for split in table.splits}
            named = {entry["split"]: entry["path"] for entry in configs[name]["data_files"]}
            counted = {split["name"]: split["num_examples"] for split in infos[name]["splits"]}
            for what, said, is_ in (
                ("version", configs[name]["version"], self.manifest.version),
                ("data_files", named, files),
                ("features", infos[name]["features"], table.features),
                ("numbers of rows", counted, table.splits),
                ("default", configs[name].get("default", False), name == self._default(tables)),
            ):
                if said != is_:
                    self._fault(CARD, f"says other {what} of {name} than the manifest")
            if self.manifest.content_digest not in configs[name]["description"]:
                self._fault(CARD, f"does not name the content digest in the description of {name}; loaders would mix up caches")

    def _default(self, tables: Mapping[str, Any]) -> str | None:
        return self.manifest.default_config if self.manifest.default_config in tables else next(iter(tables), None)

    def _listed(self) -> None:
        """versions.json must list the release with these contents."""
        if VERSIONS not in self.documents or self.manifest.version == UNRELEASED:
            return
        entry = self._entry()
        if entry is None:
            self._fault(VERSIONS, f"lists no release {self.manifest.version}")
        elif entry["content_digest"] != self.manifest.content_digest:
            self._fault(VERSIONS, f"lists {self.manifest.version} with other contents than the manifest names")
        elif entry["yanked"]:
            self.result.notes.append(f"was yanked: {printable(str(entry['yanked']['reason']))}")

    def _entry(self) -> dict[str, Any] | None:
        listed = json.loads(self.documents[VERSIONS])["versions"] if VERSIONS in self.documents else []
        return next((release for release in listed if release["version"] == self.manifest.version), None)

    def _sums(self) -> None:
        """SHA256SUMS must have a line for every other file, with its digest."""
        if SUMS not in self.documents:
            return
        said: dict[str, str] = {}
        for number, line in enumerate(self.documents[SUMS].decode().splitlines(), 1):
            entry = re.fullmatch(r"([0-9a-f]{64})  (.+)", line)
            if entry is None or entry[2] in said:
                self._fault(SUMS, f"line {number} is no digest of a file" if entry is None else f"names {entry[2]} twice")
            else:
                said[entry[2]] = entry[1]
        there = {path: digest for path, digest in self._digests().items() if path not in (SUMS, ATTESTATION)}
        for path in sorted(said.keys() | there.keys()):
            if path not in said:
                self._fault(SUMS, f"has no line for {path}")
            elif path not in there:
                self._fault(SUMS, f"names {path}, which is not there")
            elif said[path] != there[path] and (path in self.documents or path in self.digests):
                self._fault(path, other_digest(there[path], said[path], SUMS))
            elif said[path] != there[path]:
                self._fault(SUMS, f"names another digest of {path} than the manifest")

    def _croissant(self) -> None:
        """croissant.json must name exactly the data files, with their digests, and the version."""
        if CROISSANT not in self.documents:
            return
        said = json.loads(self.documents[CROISSANT])
        if (said["name"], said["version"]) != (self.manifest.name, self.manifest.version):
            self._fault(
                CROISSANT, f"is of {said['name']} {said['version']}, but this is {self.manifest.name} {self.manifest.version}"
            )
        objects = [node for node in said["distribution"] if node["@type"] == "cr:FileObject"]
        named = {node["contentUrl"]: node["sha256"] for node in objects}
        files = {file["path"]: file["sha256"] for table in self.manifest.tables.values() for file in table.files}
        if len(named) < len(objects):
            self._fault(CROISSANT, "names a file twice")
        for path in sorted(named.keys() | files.keys()):
            if named.get(path) != files.get(path):
                how = (
                    "does not name"
                    if path not in named
                    else "names, as none of the data,"
                    if path not in files
                    else "has another sha256 of"
                )
                self._fault(CROISSANT, f"{how} {path}")
        sets = [set(node["includes"]) for node in said["distribution"] if node["@type"] == "cr:FileSet"]
        if sorted(map(sorted, sets)) != sorted(
            sorted(f["path"] for f in t.files) for t in self.manifest.tables.values() if t.rows
        ):
            self._fault(CROISSANT, "puts the files together in another way than the manifest")

    def _citation(self) -> None:
        """CITATION.cff must name the version and the day."""
        if CITATION not in self.documents:
            return
        said = yaml.safe_load(self.documents[CITATION].decode())
        if str(said["version"]) != self.manifest.version:
            self._fault(CITATION, f"is of version {said['version']}, but this is {self.manifest.version}")
        entry = self._entry()
        if entry and str(said["date-released"]) != entry["date"]:
            self._fault(CITATION, f"says that the release is of {said['date-released']}, but {VERSIONS} says {entry['date']}")

    def _attestation(self) -> None:
        """Who signed the release, and whether it is this one that was signed."""
        if ATTESTATION not in self.documents:
            if self.published and self.key is None:
                self.result.notes.append("is not signed: its files fit together, and nothing says who put them together")
            return
        found = check(self.documents[ATTESTATION], self.key, self.manifest, self._digests())
        self.result.signed_by, self.result.trusted = found.signed_by, found.trusted and not found.faults
        for says in found.faults:
            self._fault(ATTESTATION, says)
        if self.key is None and not found.faults:
            self.result.notes.append(f"signed by {printable(found.signed_by)}, which was not checked: give --key")


# ---- files of a folder ---------------------------------------------------------------------------------------


def _doubled(manifest: Manifest) -> Iterator[FileFault]:
    """Files that a manifest names twice, or under the name of what every release has beside it."""
    for path, number in Counter(file["path"] for file in manifest.files()).items():
        if number > 1:
            yield FileFault(path, "the manifest names it twice; nothing was read")
        elif path.casefold() in {name.casefold() for name in METADATA}:
            yield FileFault(path, "is no name that the manifest may use; nothing was read")


def _walk(folder: Path) -> Iterator[tuple[str, str]]:
    """The names of all that is in a folder but folders, with why one may not be read."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as fault:
        raise LoadError(f"{folder}: cannot be read: {fault.strerror}") from None
    for entry in entries:
        if entry.is_symlink():
            yield entry.name, "is a symbolic link; a release holds files alone, so that nothing outside of it is read"
        elif entry.is_dir():
            yield from ((f"{entry.name}/{path}", why) for path, why in _walk(Path(entry.path)))
        else:
            yield entry.name, "" if entry.is_file() else "is no file (a device or a pipe)"


# ---- footers of Parquet --------------------------------------------------------------------------------------


def _footer_fault(path: Path, entry: Mapping[str, Any], features: list[dict[str, Any]]) -> str:
    """How the rows and columns of a data file are not as the manifest says; the digest of the file is right already."""
    try:
        with pq.ParquetFile(path) as file:
            rows, schema = file.metadata.num_rows, file.schema_arrow
    except (OSError, pa.ArrowInvalid):
        return "is no Parquet file"
    if rows != entry["rows"]:
        return f"has {rows:,} rows, but the manifest says {entry['rows']:,}"
    there = {field.name: _of_arrow(field.type) for field in schema}
    try:
        said = {feature["name"]: _of_feature(feature) for feature in features}
    except _TWISTED:
        return "the manifest says nothing readable of its columns"
    if list(there) != list(said):
        return f"has other columns than the manifest says: {_first_difference(list(there), list(said))}"
    for name, kind in there.items():
        if kind != said[name]:
            return f"its column {name} is {kind}, but the manifest says {said[name]}"
    return ""


def _first_difference(there: list[str], said: list[str]) -> str:
    extra, missing = set(there) - set(said), set(said) - set(there)
    return f"no {min(missing)}" if missing else f"{min(extra)} besides" if extra else "in another order"


def _of_arrow(kind: pa.DataType) -> str:
    """A type in the words of the card's features."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"list<{_of_arrow(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{', '.join(f'{field.name}: {_of_arrow(field.type)}' for field in kind)}>"
    return {pa.float64(): "float64", pa.date32(): "date32"}.get(kind, str(kind))


def _of_feature(feature: Any) -> str:
    """The same of an entry of the features; labels are stored as words."""
    if isinstance(feature, str):
        return feature
    if isinstance(feature, list):
        parts = ", ".join(f"{part['name']}: {_of_feature(part)}" for part in feature)
        return f"struct<{parts}>"
    if "list" in feature:
        return f"list<{_of_feature(feature['list'])}>"
    if "struct" in feature:
        return _of_feature(feature["struct"])
    if "class_label" in feature:
        return "string"
    return _of_feature(feature["dtype"])
